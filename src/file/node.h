/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Behind the functions of "The tree" in weir.h.
 *
 * 1. A node is where a path leads, what was found there, and an open table, if it is one. Nothing
 * of it changes after weir_node_open but the snapshot, and the type, which may have to be asked of
 * the table.
 * 2. A snapshot is one plan of all rows: the files as they were listed for it, and its version. The
 * first one is made when something asks for it; all functions on the node use it, so that they
 * agree. When its bytes cannot be had any more because an input has changed, a new one takes its
 * place.
 * 3. The node's mutex is never held while the engine, a mount or a table kind runs.
 */
#ifndef WR_NODE_H
#define WR_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "catalog/tree.h"
#include "session/session.h"

struct wr_snapshot {
    atomic_int references;
    struct wr_plan *plan;
    char *version; /* NULL: unknown */
};

struct weir_node {
    struct weir_session *session;
    struct wr_place place;
    struct weir_found found;      /* in a mount; release NULL: nothing that it tells of */
    bool is_directory;            /* can be listed */
    bool by_stem;                 /* found without the extension, which asks for an encoding */
    struct wr_instance *instance; /* of a table of a catalog */
    const char *encoding;         /* as struct weir_node_info; a static text */
    char *catalog;
    char *schema;
    char *name;
    pthread_mutex_t mutex; /* guards what follows */
    int32_t type;          /* 0: not asked yet; then what follows is settled, too */
    char *description;     /* of a query in a file: what its first lines say, or NULL */
    const char *format;    /* the same; a static text */
    struct wr_snapshot *snapshot;
};

bool wr_node_is_table(const struct weir_node *node);
/* The file that lies at the path is the node: its bytes are not an encoding of something else. */
bool wr_node_is_file(const struct weir_node *node);
/* The node's bytes are that file's. Not those of a table that was called by a name without the
 * extension, unless the extension is an encoding's: the text of x.sql is not what the table x is.
 */
bool wr_node_has_own_bytes(const struct weir_node *node);
/* May ask the table for its form. */
int32_t wr_node_type(const struct weir_node *node);
/* The encoding that is meant when none is told: of the path, else of the query's file; NULL: none.
 */
const char *wr_node_encoding(const struct weir_node *node);
/* Those that extensions brought to its workspace. */
const struct wr_encodings *wr_node_encodings(const struct weir_node *node);

/* A path's place in the session, with its default names. */
int wr_session_locate(struct weir_session *session, const char *path, struct wr_place *ret_place,
                      struct weir_error *error);
/* A mount's `find`. */
int wr_mount_find(const struct wr_mount *mount, const char *within, struct weir_found *ret_found,
                  struct weir_error *error);
void wr_found_reset(struct weir_found *found);
/* Opens the node at a place, which it takes over on success. */
int wr_node_open_place(struct weir_session *session, struct wr_place *place,
                       struct weir_node **ret_node, struct weir_error *error);
/* The open table: the one of a catalog, else one that is opened now. Release it. */
int wr_node_instance(const struct weir_node *node, struct wr_instance **ret_instance,
                     struct weir_error *error);

/* The error of asking for rows what has none. */
int wr_node_refuse_rows(const struct weir_node *node, struct weir_error *error);

/* The node's snapshot, with a reference. */
int wr_node_snapshot(struct weir_node *node, struct wr_snapshot **ret_snapshot,
                     struct weir_error *error);
/* A new one, which takes the place of the old one. */
int wr_node_renew(struct weir_node *node, struct wr_snapshot **ret_snapshot,
                  struct weir_error *error);
void wr_snapshot_release(struct wr_snapshot *snapshot);

/* Copies an answer that begins with its `size`, the caller's, into the caller's structure. */
int wr_give_sized(const void *from, size_t from_size, void *to, const char *what,
                  struct weir_error *error);

#endif
