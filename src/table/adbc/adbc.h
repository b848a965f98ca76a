/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases by ADBC drivers. A database is one driver's AdbcDatabase with a pool of connections; it
 * is shared by all tables of a mount and counted by reference.
 *
 * 1. A connection is held by one reader at a time. It goes back to the pool when its stream was
 * read to the end or released, and is closed when anything on it failed in a way that may outlive
 * the statement.
 * 2. Errors keep the driver's code and SQLSTATE and name the database by its name, never by its
 * options: a driver's message may hold a URI, which is taken out of it (adbc/error.c).
 * 3. Cancel may come from any thread. It calls AdbcStatementCancel where the driver has it, and
 * whoever waits returns soon either way.
 * 4. No mutex is held while a driver runs.
 */
#ifndef WR_ADBC_H
#define WR_ADBC_H

#include <stdbool.h>

#include "weir_extension.h"

struct wr_adbc_database;

/* What a mount or a table says of its database: the options of wr_adbc_options and no others. */
extern const struct weir_option_spec wr_adbc_options[];
extern const size_t wr_adbc_n_options;

/*
 * Finds the driver and makes the database; connects once, so that a wrong host or password is an
 * error here. `name` is how errors call it: the mount, or the table. Databases of the same options
 * are one, so that an in-memory database is the same for all tables that name it. Codes:
 * WEIR_NOT_FOUND for a driver that is not there, with all places that were looked at.
 */
int wr_adbc_database_open(const char *name, const struct weir_option *options, size_t n_options,
                          struct wr_adbc_database **ret_database, struct weir_error *error);
struct wr_adbc_database *wr_adbc_database_retain(struct wr_adbc_database *database);
void wr_adbc_database_release(struct wr_adbc_database *database);

/* What the driver says of itself: "PostgreSQL", "SQLite", "DuckDB", ... */
const char *wr_adbc_database_vendor(const struct wr_adbc_database *database);
/* The catalog that is meant: the option, else the current one where the driver tells it; NULL: the
 * database has none, or does not tell. */
const char *wr_adbc_database_catalog(const struct wr_adbc_database *database);
/* The current schema of that catalog, where the driver tells it; else NULL. */
const char *wr_adbc_database_schema(const struct wr_adbc_database *database);
/* Option pool.max: what may be read at the same time. */
int64_t wr_adbc_database_most_connections(const struct wr_adbc_database *database);
/* Whether the driver executes a statement in partitions. */
bool wr_adbc_database_has_partitions(const struct wr_adbc_database *database);
/* The same text for the same database, without secrets: "adbc:pg#1". */
const char *wr_adbc_database_id(const struct wr_adbc_database *database);

/* Runs a query that weir itself asks: for names, columns, statistics. */
int wr_adbc_query(struct wr_adbc_database *database, const char *sql,
                  struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* Runs a statement without rows, atomically. `ret_n_rows` (may be NULL) is -1 when the driver gives
 * no count. */
int wr_adbc_change(struct wr_adbc_database *database, const char *sql, int64_t *ret_n_rows,
                   struct weir_error *error);
/* AdbcConnectionGetTableSchema; `catalog` and `schema` may be NULL. WEIR_NOT_FOUND. */
int wr_adbc_table_schema(struct wr_adbc_database *database, const char *catalog, const char *schema,
                         const char *table, struct ArrowSchema *ret_schema,
                         struct weir_error *error);
/* AdbcConnectionGetObjects down to tables; arguments may be NULL. */
int wr_adbc_objects(struct wr_adbc_database *database, const char *catalog, const char *schema,
                    const char *table, struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* AdbcConnectionGetStatistics of one table, approximate. WEIR_NOT_IMPLEMENTED. */
int wr_adbc_statistics(struct wr_adbc_database *database, const char *catalog, const char *schema,
                       const char *table, struct ArrowArrayStream *ret_rows,
                       struct weir_error *error);

/* See weir_execute_fn. The database must outlive the scan. */
int wr_adbc_scan(struct wr_adbc_database *database, const char *const *statements,
                 size_t n_statements, const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                 struct weir_error *error);

/* See weir_execute_parts_fn: AdbcStatementExecutePartitions, which the driver must have. */
int wr_adbc_scan_parts(struct wr_adbc_database *database, const char *statement, int32_t n_parts,
                       const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                       struct weir_error *error);

enum wr_adbc_ingest_mode {
    WR_ADBC_APPEND = 0,
    WR_ADBC_CREATE = 1,
    WR_ADBC_REPLACE = 2,  /* makes the table anew */
    WR_ADBC_OVERWRITE = 3 /* deletes all rows, then appends; the table stays */
};

/*
 * Bulk ingest of all rows or none, in one transaction. Always takes over `rows`.
 * WEIR_ALREADY_EXISTS (42P07) with WR_ADBC_CREATE.
 */
int wr_adbc_ingest(struct wr_adbc_database *database, const char *schema, const char *table,
                   int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                   struct weir_error *error);

/*
 * The same into a table that is made here, with WR_ADBC_CREATE or WR_ADBC_REPLACE: `definition` is
 * what follows its name in CREATE TABLE. A table that is replaced is there until all rows are
 * written, so that they may be its own.
 */
int wr_adbc_ingest_made(struct wr_adbc_database *database, const char *schema, const char *table,
                        int mode, const char *definition, struct ArrowArrayStream *rows,
                        int64_t *ret_n_rows, struct weir_error *error);

/* ---- The kinds (registered in table/builtin.c) ---- */

extern const struct weir_table_kind wr_kind_adbc;
extern const struct weir_mount_kind wr_mount_adbc;

#endif
