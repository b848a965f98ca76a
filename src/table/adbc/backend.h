/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between databases: how their names and columns are found, and which types these
 * have. One file per database, backend_*.c; a database that has none is asked by ADBC's own means
 * (backend_generic.c).
 *
 * 1. The expression of a column gives what the engine casts to the column's type without loss, and
 * its equality is that of the values. Where no expression does, `check` tells: what a driver gives
 * falsely is an error and never a wrong value.
 * 2. Names are taken as they are, and quoted everywhere.
 */
#ifndef WR_ADBC_BACKEND_H
#define WR_ADBC_BACKEND_H

#include "table/adbc/relation.h"

enum wr_adbc_item_type { WR_ADBC_SCHEMA = 1, WR_ADBC_TABLE = 2, WR_ADBC_VIEW = 3 };

struct wr_adbc_item {
    char *name;
    enum wr_adbc_item_type type;
};

struct wr_adbc_items {
    struct wr_adbc_item *items;
    size_t n_items;
};

int wr_adbc_items_add(struct wr_adbc_items *items, const char *name, enum wr_adbc_item_type type,
                      struct weir_error *error);
const struct wr_adbc_item *wr_adbc_items_find(const struct wr_adbc_items *items, const char *name);
/* The nearest name, or NULL. */
const char *wr_adbc_items_nearest(const struct wr_adbc_items *items, const char *name);
void wr_adbc_items_reset(struct wr_adbc_items *items);
/*
 * The items that a query gives: of WR_ADBC_SCHEMA one column, the name; of WR_ADBC_TABLE a second
 * one, whether it is a view. `sql` may be NULL, for want of memory.
 */
int wr_adbc_ask_items(struct wr_adbc_database *database, const char *sql,
                      enum wr_adbc_item_type type, struct wr_adbc_items *ret_items,
                      struct weir_error *error);
/* The one name that a query gives, else `fallback`. Free with wr_free. */
int wr_adbc_ask_name(struct wr_adbc_database *database, const char *sql, const char *fallback,
                     char **ret_name, struct weir_error *error);
/* The columns of a query, in parentheses already, of which `limit` keeps all rows away. */
int wr_adbc_query_columns(struct wr_adbc_database *database, const char *query, const char *limit,
                          struct ArrowSchema *ret_schema, struct weir_error *error);

/* What AdbcConnectionGetObjects tells of the database's catalog; "." is what is in no schema. */
int wr_adbc_list_schemas(struct wr_adbc_database *database, struct wr_adbc_items *ret_items,
                         struct weir_error *error);
int wr_adbc_list_tables(struct wr_adbc_database *database, const char *schema, const char *table,
                        struct wr_adbc_items *ret_items, struct weir_error *error);
/* The columns as a driver gives them, read as they are. */
int wr_adbc_take_columns(const struct ArrowSchema *schema, struct wr_adbc_relation *relation,
                         struct weir_error *error);

struct wr_adbc_name {
    const char *catalog; /* NULL: the database's current one */
    const char *schema;  /* NULL: its default one */
    const char *table;
};

/* Ranges of dates and times that the values of a database lie in. */
struct wr_adbc_ranges {
    int64_t first_day, last_day;                 /* since 1970 */
    int64_t first_microsecond, last_microsecond; /* of timestamps */
};

struct wr_adbc_backend {
    const char *vendor;    /* as the driver says it, without regard to case; NULL: any */
    const char *dialect;   /* of weir_extension.h */
    char quote;            /* of identifiers */
    bool may_lack_schemas; /* what is in none is listed in "." */
    bool dot_is_a_schema;  /* and "." is its name in SQL, too */
    bool makes_schemas;    /* CREATE SCHEMA and DROP SCHEMA are the database's own */
    bool drops_all;        /* a schema with its tables, unasked; it has no word CASCADE */
    bool has_catalogs;     /* which a connection can use beside its current one */

    /* The schema where names without one are; NULL where there are no schemas. Free with wr_free.
     */
    int (*default_schema)(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error);
    /* The schemas, without the database's own unless `all`. */
    int (*schemas)(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error);
    /* Tables and views of a schema, the one of that name only where `table` is not NULL. */
    int (*tables)(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error);
    /* Fills an empty relation. Without columns and is_table: there is no such table. */
    int (*describe)(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error);
    /* The same of a query, in parentheses already. */
    int (*describe_query)(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error);
    /* Those of its values; what lies outside is an error. NULL: Arrow's own. */
    const struct wr_adbc_ranges *ranges;
    /* What else of a batch the driver cannot have given rightly: `given` its schema, `schema` the
     * one that was asked for. NULL: nothing. */
    int (*check)(const struct ArrowSchema *schema, const struct ArrowSchema *given,
                 const struct ArrowArray *batch, struct weir_error *error);
    /* Adds the type of a column of CREATE TABLE; WEIR_NOT_IMPLEMENTED when there is none. NULL: the
     * driver knows best. */
    int (*type_name)(const struct ArrowSchema *column, struct wr_buffer *text,
                     struct weir_error *error);
};

extern const struct wr_adbc_backend wr_adbc_postgresql;
extern const struct wr_adbc_backend wr_adbc_sqlite;
extern const struct wr_adbc_backend wr_adbc_duckdb;
extern const struct wr_adbc_backend wr_adbc_mysql;
extern const struct wr_adbc_backend wr_adbc_mariadb;
extern const struct wr_adbc_backend wr_adbc_weir;
extern const struct wr_adbc_backend wr_adbc_generic;

const struct wr_adbc_backend *wr_adbc_backend_of(const struct wr_adbc_database *database);

/* The schema's name in the database: NULL for ".", by which those without schemas are listed. */
const char *wr_adbc_own_schema(const struct wr_adbc_backend *backend, const char *schema);
/* A name for FROM: its parts quoted, those that are NULL left out. */
void wr_adbc_full_name(struct wr_buffer *text, const struct wr_adbc_name *name, char quote);

/* What the driver tells of a table's rows and columns (statistics.c). WEIR_NOT_IMPLEMENTED. */
int wr_adbc_read_statistics(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                            struct wr_adbc_relation *relation, struct weir_error *error);

/* ---- Partitions (partitions.c) ---- */

/* Conditions, each of which holds for a part of the rows. */
struct wr_adbc_partitions {
    char **items;
    size_t n_items;
};

/* By ranges of PostgreSQL's blocks. */
int wr_adbc_partition_blocks(int64_t n_blocks, int64_t n_partitions,
                             struct wr_adbc_partitions *ret_partitions, struct weir_error *error);
/*
 * By ranges of a column, given as its quoted name: whole numbers, dates or timestamps from `lower`
 * to `upper`. The first and the last range are open; NULLs are in the first.
 */
int wr_adbc_partition_column(const char *column, const char *lower, const char *upper,
                             int64_t n_partitions, struct wr_adbc_partitions *ret_partitions,
                             struct weir_error *error);
void wr_adbc_partitions_reset(struct wr_adbc_partitions *partitions);

/* ---- Checks of batches (check.c) ---- */

/* WEIR_INVALID_DATA for a date, time or timestamp that is not: infinity, as drivers hand it over.
 */
int wr_adbc_check_ranges(const struct wr_adbc_ranges *ranges, const struct ArrowSchema *given,
                         const struct ArrowArray *batch, struct weir_error *error);

#endif
