/* SPDX-License-Identifier: Apache-2.0 */
/* The list of system tables, and what the files of this folder share. */
#ifndef WR_SYSTEM_TABLES_H
#define WR_SYSTEM_TABLES_H

#include "table/system/system.h"

struct wr_system_table {
    const char *name;
    const struct wr_column *columns; /* of the rows that are filled in; NULL: there are none */
    size_t n_columns;
    const char *query; /* further rows, with the same columns; NULL: none */
};

/* In order of name. */
extern const struct wr_system_table wr_system_tables[];
extern const size_t wr_system_n_tables;
/* NULL when there is none. */
const struct wr_system_table *wr_system_table(const char *name);
/* The error of a name that is no table's: the nearest one, and all of them. */
int wr_system_unknown_table(const char *name, struct weir_error *error);

struct wr_system {
    struct weir_table_kind kind;
    char kind_name[sizeof "system"]; /* what `kind.name` points to */
    struct wr_registry *registry;
    struct wr_extensions *extensions; /* NULL: there are none */
    size_t n_sources;
    struct wr_system_source sources[];
};

/* The source of a table, or NULL. */
const struct wr_system_source *wr_system_source(const struct wr_system *system, const char *table);

/* Plans the reading of a table: the rows are filled in when the partition is opened. */
int wr_system_scan(const struct wr_system_table *table, const struct wr_system_source *source,
                   const struct wr_viewer *viewer, const struct weir_scan_request *request,
                   struct weir_scan *ret_scan, struct weir_error *error);

/* The source of `extensions`, whose context is the struct wr_system. */
int wr_system_fill_extensions(void *system, struct wr_rows *rows, struct weir_error *error);

#endif
