/* SPDX-License-Identifier: Apache-2.0 */
/* The state behind wr_names, shared by the files of this folder. */
#ifndef WR_NAMES_H
#define WR_NAMES_H

#include <pthread.h>

#include "catalog/catalog.h"
#include "catalog/store.h"
#include "catalog/tree.h"

/* An open table under its definition's name. */
struct wr_entry {
    struct wr_instance *instance;
    int64_t id; /* in the store; 0: temporary */
    bool registered;
};

/* A mount that is not in the store. Only `open` ever changes. */
struct wr_gate;

struct wr_attached {
    char *name;
    char *origin;
    char *url; /* as it is shown; NULL: the option */
    const struct weir_mount_kind *kind;
    struct wr_options options;
    struct wr_mount *open; /* NULL: not yet */
};

/* Instances that no definition in the store stands for, the last used first. */
enum { WR_MAX_RECENT = 64 };
struct wr_recent {
    struct wr_instance *items[WR_MAX_RECENT];
    size_t n_items;
};

struct wr_names {
    pthread_mutex_t mutex; /* guards the store and all that follows */
    struct wr_store *store;
    bool persistent; /* the store outlives the process */
    struct wr_registry *registry;
    char *catalog; /* the defaults */
    char *schema;
    struct wr_entry *entries;
    size_t n_entries;
    size_t capacity;
    struct wr_attached **attached;
    size_t n_attached;
    struct wr_mount **opened; /* of those in the store */
    size_t n_opened;
    struct wr_recent recent;
    const struct wr_name **expected; /* tables about to be made (wr_names_expect) */
    size_t n_expected;
};

/* All of these are called with the mutex held. */

bool wr_entry_matches(const struct wr_entry *entry, const struct wr_name *name);
/* The temporary (or the opened stored) table of that name, or NULL. */
struct wr_entry *wr_names_entry(struct wr_names *names, const struct wr_name *name, bool temporary);
/* Makes room for one entry, so that wr_names_put cannot fail. */
int wr_names_reserve(struct wr_names *names, struct weir_error *error);
/* Takes over the reference. */
void wr_names_put(struct wr_names *names, struct wr_entry entry);
/* Takes the entry out; the caller releases the instance after unlocking. */
struct wr_instance *wr_names_take(struct wr_names *names, struct wr_entry *entry);

/* Called without the mutex. Opens a stored table by its definition. */
int wr_names_open_stored(struct wr_names *names, const struct wr_name *name, int64_t id,
                         struct wr_instance **ret_instance, struct weir_error *error);

/*
 * Called without the mutex. Opens the table of that name if its kind must be told when it is
 * dropped (a `drop` slot); else *ret_instance stays as it is. `stored`: not the temporary one that
 * stands before it.
 */
int wr_names_for_drop(struct wr_names *names, const struct wr_name *name, bool stored,
                      struct wr_instance **ret_instance, struct weir_error *error);

/* ---- Mounts (mounts.c). Without the mutex, unless said otherwise ---- */

/* With the mutex held, opening nothing. "/" is there when its kind is. */
int wr_names_has_mount(struct wr_names *names, const char *name, bool *ret_found,
                       struct weir_error *error);
/* Whether the tree has this name at its top: a catalog's or a mount's. */
int wr_names_has_top(struct wr_names *names, const char *name, bool *ret_own, bool *ret_mount,
                     struct weir_error *error);
void wr_names_close_mounts(struct wr_names *names);

/* The path of a name in a schema, of the schema itself where `name` is empty. Free with wr_free. */
int wr_mount_path(const struct wr_mount *mount, const char *schema, const char *name,
                  char **ret_path, struct weir_error *error);
int wr_mount_is_directory(const struct wr_mount *mount, const char *path, bool *ret_found,
                          struct weir_error *error);

/* Of options that are about to be stored: WEIR_INVALID_ARGUMENT when one of them holds a secret and
 * the store is a file. */
int wr_names_check_secrets(const struct wr_names *names, const char *owner,
                           const struct weir_option *options, size_t n_options,
                           struct weir_error *error);

/* ---- Tables that mounts make (mounted_ddl.c) ---- */

/*
 * The mount that DDL in (catalog, schema) leads to, when its kind makes tables; else *ret_mount
 * stays as it is. `name` (NULL: the schema is meant) goes into the path.
 */
int wr_names_making_mount(struct wr_names *names, const char *catalog, const char *schema,
                          const char *name, struct wr_mount **ret_mount, char **ret_path,
                          struct weir_error *error);
bool wr_names_is_expected(struct wr_names *names, const struct wr_name *name);
/* What the functions of catalog.h do there; `ret_done` is false where no such mount is meant. */
int wr_mounted_create_table(struct wr_names *names, const struct weir_definition *definition,
                            int flags, struct ArrowArrayStream *rows, bool *ret_done,
                            bool *ret_created, int64_t *ret_n_rows, struct weir_error *error);
int wr_mounted_drop_table(struct wr_names *names, const struct wr_name *name, bool view,
                          bool if_exists, bool *ret_done, struct weir_error *error);
int wr_mounted_create_schema(struct wr_names *names, const char *catalog, const char *schema,
                             int flags, bool *ret_done, struct weir_error *error);
int wr_mounted_drop_schema(struct wr_names *names, const char *catalog, const char *schema,
                           bool if_exists, bool cascade, bool *ret_done, struct weir_error *error);

/* ---- Look-up ---- */

/* Whether a catalog or mount has this schema, without the rule for two parts. */
int wr_names_has_schema(struct wr_names *names, const char *catalog, const char *schema,
                        bool *ret_found, struct weir_error *error);
/* The table of exactly that name in the maps or the store; NULL when there is none. */
int wr_names_open_own(struct wr_names *names, const struct wr_name *name,
                      struct wr_instance **ret_instance, struct weir_error *error);
/* wr_names_locate of an absolute path, whatever its characters. */
int wr_names_follow(struct wr_names *names, const char *path, struct wr_place *ret_place,
                    struct weir_error *error);
/* A place of the machine: `path` in the directory `base` ("" or normal). *ret_place stays empty
 * (type 0) when nothing serves the machine's files. */
int wr_names_machine(struct wr_names *names, const char *base, const char *path,
                     struct wr_place *ret_place, struct weir_error *error);

/* A place of a mount, as wr_names_open_table. */
int wr_mount_open_table(struct wr_names *names, const struct wr_gate *gate, struct wr_mount *mount,
                        const char *within, const struct weir_option *options, size_t n_options,
                        struct wr_instance **ret_instance, struct weir_error *error);

/* ---- Mounts with a cache (mount_cache.c) ---- */

/* Tells the options of a mount's kind from those of the cache, whose prefix is taken off. */
int wr_mount_options(const struct weir_option *options, size_t n_options,
                     struct wr_options *ret_own, struct wr_options *ret_cache,
                     struct weir_error *error);
/* Adds what tells one mount's copies from another's, if there is a cache. */
int wr_mount_identify(const struct weir_mount_kind *kind, const struct wr_options *own,
                      struct wr_options *cache, struct weir_error *error);
/* What a call says of the cache, `FROM t(cache => 'off')`; NULL: nothing, or more than that. */
const char *wr_cache_switch(const struct weir_option *options, size_t n_options);
/* The cached table around the one at `path`, whose definition gives the names. `how`: the call's
 * word; NULL: none. */
int wr_mount_open_cached(struct wr_names *names, const struct wr_mount *mount, const char *path,
                         const char *how, const struct weir_definition *table,
                         struct wr_instance **ret_instance, struct weir_error *error);

/* ---- Instances by definition (recent.c) ---- */

/* Opens a table, or gives the one that was opened for the same definition not long ago. */
int wr_recent_open(struct wr_names *names, const struct weir_definition *definition,
                   struct wr_instance **ret_instance, struct weir_error *error);
/* Forgets those of a catalog (NULL: all). */
void wr_recent_forget(struct wr_names *names, const char *catalog);
/* The options of a definition with the parameters of a call. `kind` of that name. */
int wr_call_options(const struct weir_table_kind *kind, const char *name,
                    const struct weir_option *own, size_t n_own, const struct weir_option *call,
                    size_t n_call, struct wr_options *ret_options, struct weir_error *error);

/* A list of copied names. */
struct wr_name_list {
    char **items;
    size_t n_items;
    size_t capacity;
};

int wr_name_list_add(void *list, const char *name, struct weir_error *error);
void wr_name_list_reset(struct wr_name_list *list);
void wr_name_list_sort(struct wr_name_list *list); /* in order, each name once */
/* Adds "; did you mean ...?" to an error, or nothing. */
void wr_name_list_suggest(const struct wr_name_list *list, const char *name,
                          struct weir_error *error);
/* Lists as wr_names_list, ordered and each name once, without mounts. With the mutex held. */
int wr_names_collect(struct wr_names *names, const char *catalog, const char *schema,
                     struct wr_name_list *list, struct weir_error *error);

#endif
