/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables and mounts of the catalog's SQLite database. Not safe for threads: its owner holds a
 * mutex around each call.
 *
 * A stored table or mount is known by its id, which is never used again: whoever kept an id sees
 * that the table was dropped or replaced, by this process or another.
 */
#ifndef WR_STORE_H
#define WR_STORE_H

#include <stdbool.h>

#include "base/options.h"
#include "weir_extension.h"

struct wr_store;

/* `path` NULL: in memory. Errors name the file. */
int wr_store_open(const char *path, struct wr_store **ret_store, struct weir_error *error);
void wr_store_close(struct wr_store *store);

/* A write transaction. `wr_store_end` commits after `code` 0, else rolls back; answers the first
 * failure. */
int wr_store_begin(struct wr_store *store, struct weir_error *error);
int wr_store_end(struct wr_store *store, int code, struct weir_error *error);

/* Ids; 0 when there is none. */
int wr_store_catalog(struct wr_store *store, const char *catalog, int64_t *ret_id,
                     struct weir_error *error);
int wr_store_schema(struct wr_store *store, const char *catalog, const char *schema,
                    int64_t *ret_id, struct weir_error *error);
int wr_store_table(struct wr_store *store, const char *catalog, const char *schema,
                   const char *name, int64_t *ret_id, struct weir_error *error);

int wr_store_add_catalog(struct wr_store *store, const char *catalog, struct weir_error *error);
int wr_store_add_schema(struct wr_store *store, const char *catalog, const char *schema,
                        struct weir_error *error);
int wr_store_add_table(struct wr_store *store, const struct weir_definition *definition,
                       int64_t *ret_id, struct weir_error *error);
/* With all that is in it. */
int wr_store_drop_schema(struct wr_store *store, int64_t id, struct weir_error *error);
/* `ret_dropped` is false when it was gone already. */
int wr_store_drop_table(struct wr_store *store, int64_t id, bool *ret_dropped,
                        struct weir_error *error);

/* Within its schema. The id stays; the new name must be free. */
int wr_store_rename_table(struct wr_store *store, int64_t id, const char *name,
                          struct weir_error *error);

/* As the functions on tables, of the mounts that ATTACH made. */
int wr_store_mount(struct wr_store *store, const char *name, int64_t *ret_id,
                   struct weir_error *error);
int wr_store_add_mount(struct wr_store *store, const struct weir_definition *definition,
                       int64_t *ret_id, struct weir_error *error);
int wr_store_drop_mount(struct wr_store *store, int64_t id, struct weir_error *error);

/* Names in order, as wr_names_list. `take` answers a code that ends the listing. */
typedef int (*wr_take_fn)(void *sink, const char *name, struct weir_error *error);
int wr_store_list(struct wr_store *store, const char *catalog, const char *schema, wr_take_fn take,
                  void *sink, struct weir_error *error);

/* The name and kind of every table, in order. */
struct wr_stored_name {
    const char *catalog;
    const char *schema;
    const char *name;
    const char *kind;
};
typedef int (*wr_take_table_fn)(void *sink, const struct wr_stored_name *table,
                                struct weir_error *error);
int wr_store_each_table(struct wr_store *store, wr_take_table_fn take, void *sink,
                        struct weir_error *error);

int wr_store_list_mounts(struct wr_store *store, wr_take_fn take, void *sink,
                         struct weir_error *error);

/* What is stored of a table or mount besides its name. */
struct wr_stored {
    char *kind;
    struct wr_options options;
    struct ArrowSchema columns; /* release NULL when none were declared */
};

int wr_store_load(struct wr_store *store, int64_t id, struct wr_stored *ret_stored,
                  struct weir_error *error);
int wr_store_load_mount(struct wr_store *store, int64_t id, struct wr_stored *ret_stored,
                        struct weir_error *error);
void wr_stored_reset(struct wr_stored *stored);

#endif
