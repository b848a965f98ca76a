/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the kind of mount `adbc` share: the mount, and what stands at its paths. */
#ifndef WR_ADBC_MOUNT_H
#define WR_ADBC_MOUNT_H

#include "table/adbc/memory.h"
#include "table/adbc/store.h"

struct wr_adbc_mount {
    char *label; /* mount "pg" */
    struct wr_adbc_store store;
    struct wr_options options; /* of a table's definition: references escaped */
    const char *catalog;       /* of the options; NULL: the current one */
    char *default_schema;      /* NULL: there are no schemas */
    struct wr_adbc_memory memory;
};

/* A path as schema and table; NULL where it has none. */
struct wr_adbc_place {
    char *schema;
    const char *table; /* in `schema`'s memory */
};

/* "" has neither, "a" a schema alone. */
int wr_adbc_read_path(const struct wr_adbc_mount *mount, const char *path,
                      struct wr_adbc_place *ret_place, struct weir_error *error);
void wr_adbc_place_reset(struct wr_adbc_place *place);

int wr_adbc_schema_exists(struct wr_adbc_mount *mount, const char *schema, bool *ret_found,
                          struct weir_error *error);
/* *ret_type is 0 for one that is not there. */
int wr_adbc_table_type(struct wr_adbc_mount *mount, const char *schema, const char *table,
                       int *ret_type, struct weir_error *error);
/* WEIR_NOT_FOUND. */
int wr_adbc_no_such_path(const struct wr_adbc_mount *mount, const char *path,
                         struct weir_error *error);
int wr_adbc_no_schema(const struct wr_adbc_mount *mount, const char *schema,
                      struct weir_error *error);

/* Slots of the kind. */
int wr_adbc_mount_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                       struct weir_error *error);
int wr_adbc_mount_find(void *mount, const char *path, struct weir_found *ret_found,
                       struct weir_error *error);

#endif
