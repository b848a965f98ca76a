/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way into a database. Drivers lose things without a word: PostgreSQL's cuts
 * nanoseconds and wraps unsigned numbers, SQLite's makes NULL of NaN, and each knows some types
 * only. The rows that a driver gets are checked here, and turned into what it knows where that is
 * exact; else an error names the column.
 */
#ifndef WR_ADBC_INGEST_H
#define WR_ADBC_INGEST_H

#include "table/adbc/core.h"

/* What became of the rows; stays when the driver has released the stream. */
struct wr_adbc_rows_fate {
    struct wr_adbc_stop *stop; /* who ends them; NULL: nobody */
    int64_t n_rows;
    int code; /* of the source, or of a check; 0: none */
    struct weir_error error;
};

/*
 * Takes over `rows`, also on failure. The stream gives what the family's driver takes.
 * WEIR_NOT_IMPLEMENTED for a column that it does not take.
 */
int wr_adbc_ingest_rows(enum wr_adbc_family family, const char *name, struct ArrowArrayStream *rows,
                        struct wr_adbc_rows_fate *fate, struct ArrowArrayStream *ret_rows,
                        struct ArrowSchema *ret_schema, struct weir_error *error);

/* An ingest under way, in a transaction. */
struct wr_adbc_ingest {
    struct wr_adbc_database *database;
    struct wr_adbc_connection *connection;
    const char *schema; /* NULL: the usual one */
    const char *table;
    int mode;
    const char *definition; /* what follows the name in CREATE TABLE; NULL: the driver's own */
    struct ArrowSchema columns;
    struct ArrowArrayStream rows;
    struct wr_adbc_rows_fate fate;
    char *made; /* a table that no rollback takes back, to be dropped after a failure (MySQL) */
};

/* schema.table, quoted. */
void wr_adbc_target(const struct wr_adbc_ingest *ingest, struct wr_buffer *sql);
/* One StatementExecuteQuery of all rows into a table by the driver's own ingest. */
int wr_adbc_ingest_into(struct wr_adbc_ingest *ingest, const char *schema, const char *table,
                        bool create, bool temporary, struct weir_error *error);
/* CREATE TABLE with the types by which SQLite's columns are known again. */
int wr_adbc_sqlite_create(struct wr_adbc_ingest *ingest, struct weir_error *error);
/*
 * Appends to a PostgreSQL table: directly when the server's binary COPY takes all columns as they
 * are, else through a temporary table and INSERT ... SELECT with casts.
 */
int wr_adbc_postgresql_append(struct wr_adbc_ingest *ingest, struct weir_error *error);
/* Appends to a DuckDB table, whose driver heeds no names: directly when the columns are those of
 * the table, in their order and types, else through a temporary table. */
int wr_adbc_duckdb_append(struct wr_adbc_ingest *ingest, struct weir_error *error);

/* In MySQL, whose CREATE TABLE ends a transaction: what they made is `made` until all is done. */
int wr_adbc_mysql_create(struct wr_adbc_ingest *ingest, struct weir_error *error);
int wr_adbc_mysql_replace(struct wr_adbc_ingest *ingest, struct weir_error *error);
/* When the connection was given back. */
void wr_adbc_mysql_drop_made(struct wr_adbc_ingest *ingest);

/* By way of a temporary table of the rows' own types, in `schema`, and INSERT ... SELECT. `cast`
 * (may be NULL) gives a column's type in SQL. */
int wr_adbc_append_staged(struct wr_adbc_ingest *ingest, const char *schema,
                          const char *(*cast)(const void *context, const char *column),
                          const void *context, struct weir_error *error);

#endif
