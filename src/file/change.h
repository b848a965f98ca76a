/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of the tree.
 *
 * 1. What is written is there whole or not at all: a mount's writer shows nothing before its
 * commit, and one that is given up leaves nothing.
 * 2. Bytes are copied as they are when both names ask for the same; else the table's rows are
 * encoded straight into the writer.
 */
#ifndef WR_CHANGE_H
#define WR_CHANGE_H

#include "file/file.h"

/* Where something is written: a path in a mount that can be written. */
struct wr_target {
    struct wr_mount *mount;
    char *within;
    char *path;       /* for messages */
    bool is_occupied; /* a file or directory of exactly that name is there */
};

/*
 * The target `to` of what is called `name`: `to` itself, or, when it is a directory or ends in '/',
 * `name` in it. WEIR_NOT_IMPLEMENTED for a place in a catalog.
 */
int wr_target_open(struct weir_session *session, const char *to, const char *name,
                   struct wr_target *ret_target, struct weir_error *error);
void wr_target_reset(struct wr_target *target);

/* The name under which a node goes into a directory, as a path whose last component it is: of a
 * file its own; of a table as the path has it, or with ".parquet". Free with wr_free. */
int wr_node_own_name(const struct weir_node *node, char **ret_name, struct weir_error *error);
/* Copies a node to a target. */
int wr_copy_node(struct weir_node *node, const struct wr_target *target, bool overwrite,
                 struct weir_error *error);

#endif
