/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/ingest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/clock.h"
#include "base/error.h"
#include "table/adbc/backend.h"
#include "table/adbc/stop.h"

void wr_adbc_target(const struct wr_adbc_ingest *ingest, struct wr_buffer *sql) {
    const struct wr_adbc_name name = {ingest->database->catalog, ingest->schema, ingest->table};
    wr_adbc_full_name(sql, &name, wr_adbc_backend_of(ingest->database)->quote);
}

static int run_on_target(struct wr_adbc_ingest *ingest, const char *before, const char *after,
                         struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, before);
    wr_adbc_target(ingest, &sql);
    wr_buffer_text(&sql, after);
    int code = sql.failed
                   ? wr_error_memory(error)
                   : wr_adbc_run(ingest->connection, ingest->database->name, sql.data, NULL, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- The driver's ingest ---- */

static AdbcStatusCode set_options(const struct wr_adbc_driver *driver,
                                  struct AdbcStatement *statement, enum wr_adbc_family family,
                                  const char *catalog, const char *schema, const char *table,
                                  const char *mode, bool temporary, struct AdbcError *reason) {
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementSetOption, statement, WR_ADBC_INGEST_TABLE, table, reason);
    if (!status)
        status =
            WR_ADBC_CALL(driver, StatementSetOption, statement, WR_ADBC_INGEST_MODE, mode, reason);
    if (!status && temporary)
        status = WR_ADBC_CALL(driver, StatementSetOption, statement, WR_ADBC_INGEST_TEMPORARY,
                              "true", reason);
    if (!status && schema) {
        /* What SQLite and MySQL call a schema is a catalog to their drivers. */
        bool is_catalog = family == WR_ADBC_SQLITE || family == WR_ADBC_MYSQL;
        const char *key = is_catalog ? WR_ADBC_INGEST_CATALOG : WR_ADBC_INGEST_SCHEMA;
        status = WR_ADBC_CALL(driver, StatementSetOption, statement, key, schema, reason);
    }
    /* One of PostgreSQL's connections has no other than its own. */
    if (!status && catalog && family != WR_ADBC_SQLITE && family != WR_ADBC_POSTGRESQL)
        status = WR_ADBC_CALL(driver, StatementSetOption, statement, WR_ADBC_INGEST_CATALOG,
                              catalog, reason);
    return status;
}

static AdbcStatusCode execute(struct wr_adbc_ingest *ingest, struct AdbcStatement *statement,
                              const char *schema, const char *table, const char *mode,
                              bool temporary, int64_t *ret_n_written, struct AdbcError *reason) {
    const struct wr_adbc_core *core = ingest->connection->core;
    const struct wr_adbc_driver *driver = core->driver;
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementNew, &ingest->connection->adbc, statement, reason);
    if (!status)
        status = set_options(driver, statement, core->family,
                             temporary ? NULL : ingest->database->catalog, schema, table, mode,
                             temporary, reason);
    if (!status)
        status = WR_ADBC_CALL(driver, StatementBindStream, statement, &ingest->rows, reason);
    struct wr_adbc_stop *stop = ingest->connection->stop;
    wr_adbc_stop_show(stop, statement);
    if (!status)
        status =
            WR_ADBC_CALL(driver, StatementExecuteQuery, statement, NULL, ret_n_written, reason);
    wr_adbc_stop_hide(stop);
    return status;
}

/* The driver that reaches MySQL says that a row was written which the table did not take. The
 * counts of others are not those of the rows that they were given: triggers have a say in them. */
static int check_count(const struct wr_adbc_ingest *ingest, int64_t n_written,
                       struct weir_error *error) {
    if (ingest->connection->core->family != WR_ADBC_MYSQL || n_written < 0 ||
        n_written == ingest->fate.n_rows)
        return WEIR_OK;
    return wr_error_set(
        error, WEIR_INVALID_DATA, "22000",
        "database \"%s\": table \"%s\" took %lld of %lld rows; a value is none of its "
        "column's",
        ingest->database->name, ingest->table, (long long)n_written,
        (long long)ingest->fate.n_rows);
}

static int into(struct wr_adbc_ingest *ingest, const char *schema, const char *table,
                const char *mode, bool temporary, struct weir_error *error) {
    const struct wr_adbc_driver *driver = ingest->connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    int64_t n_written = -1;
    AdbcStatusCode status =
        execute(ingest, &statement, schema, table, mode, temporary, &n_written, &reason);
    int code = status ? wr_adbc_error(ingest->connection->core, ingest->database->name, status,
                                      &reason, "ingest", error)
                      : check_count(ingest, n_written, error);
    reason = wr_adbc_error_new(driver);
    if (statement.private_data) WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    wr_arrow_release_stream(&ingest->rows);
    /* What the rows themselves failed in tells more than what the driver makes of it, and counts
     * also when the driver makes nothing of it. */
    if (ingest->fate.code) {
        code = ingest->fate.code;
        if (error) *error = ingest->fate.error;
    }
    return code;
}

int wr_adbc_ingest_into(struct wr_adbc_ingest *ingest, const char *schema, const char *table,
                        bool create, bool temporary, struct weir_error *error) {
    const char *mode = create ? WR_ADBC_INGEST_MODE_CREATE : WR_ADBC_INGEST_MODE_APPEND;
    return into(ingest, schema, table, mode, temporary, error);
}

/* ---- One transaction ---- */

static int append(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    switch (ingest->connection->core->family) {
    case WR_ADBC_POSTGRESQL:
        return wr_adbc_postgresql_append(ingest, error);
    case WR_ADBC_DUCKDB:
        return wr_adbc_duckdb_append(ingest, error);
    default:
        return wr_adbc_ingest_into(ingest, ingest->schema, ingest->table, false, false, error);
    }
}

static int create(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    if (ingest->connection->core->family == WR_ADBC_MYSQL)
        return wr_adbc_mysql_create(ingest, error);
    if (ingest->definition) {
        WR_TRY(run_on_target(ingest, "CREATE TABLE ", ingest->definition, error));
        return append(ingest, error);
    }
    if (ingest->connection->core->family != WR_ADBC_SQLITE)
        return wr_adbc_ingest_into(ingest, ingest->schema, ingest->table, true, false, error);
    WR_TRY(wr_adbc_sqlite_create(ingest, error));
    return wr_adbc_ingest_into(ingest, ingest->schema, ingest->table, false, false, error);
}

/* The rows may come from the old table, which whoever reads it keeps from being dropped before. */
static int replace(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    if (ingest->connection->core->family == WR_ADBC_MYSQL)
        return wr_adbc_mysql_replace(ingest, error);
    char name[64];
    const char *table = ingest->table;
    struct wr_buffer rename;
    snprintf(name, sizeof name, "weir_new_%d_%lld", (int)getpid(), (long long)wr_clock_ms());
    ingest->table = name;
    int code = create(ingest, error);
    ingest->table = table;
    WR_TRY(code);
    WR_TRY(run_on_target(ingest, "DROP TABLE IF EXISTS ", "", error));
    wr_buffer_init(&rename, 1 << 20);
    wr_buffer_text(&rename, " RENAME TO ");
    wr_adbc_quote(&rename, table, wr_adbc_backend_of(ingest->database)->quote);
    ingest->table = name;
    code = rename.failed ? wr_error_memory(error)
                         : run_on_target(ingest, "ALTER TABLE ", rename.data, error);
    ingest->table = table;
    wr_buffer_reset(&rename);
    return code;
}

/* PostgreSQL's driver gives the code without the SQLSTATE, others say it in words only. */
static int exists_already(int code, struct weir_error *error) {
    if (code != WEIR_ALREADY_EXISTS && !strstr(error->message, "already exists")) return code;
    error->code = WEIR_ALREADY_EXISTS;
    memcpy(error->sqlstate, "42P07", sizeof "42P07");
    return WEIR_ALREADY_EXISTS;
}

static int write_rows(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    int code;
    switch (ingest->mode) {
    case WR_ADBC_CREATE:
        code = create(ingest, error);
        return code ? exists_already(code, error) : WEIR_OK;
    case WR_ADBC_REPLACE:
        if (ingest->definition) return replace(ingest, error);
        WR_TRY(run_on_target(ingest, "DROP TABLE IF EXISTS ", "", error));
        return create(ingest, error);
    case WR_ADBC_OVERWRITE:
        WR_TRY(run_on_target(ingest, "DELETE FROM ", "", error));
        return append(ingest, error);
    default:
        return append(ingest, error);
    }
}

/* Of a database whose statements are atomic, and which has no transactions. */
static int as_one_statement(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    static const char *const modes[] = {
        [WR_ADBC_APPEND] = WR_ADBC_INGEST_MODE_APPEND,
        [WR_ADBC_CREATE] = WR_ADBC_INGEST_MODE_CREATE,
        [WR_ADBC_REPLACE] = WR_ADBC_INGEST_MODE_REPLACE,
    };
    if (ingest->mode == WR_ADBC_OVERWRITE) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "database \"%s\": INSERT OVERWRITE is two statements there, and %s has "
                            "no transactions",
                            ingest->database->name, wr_adbc_database_vendor(ingest->database));
    }
    int code = into(ingest, ingest->schema, ingest->table, modes[ingest->mode], false, error);
    return code && ingest->mode == WR_ADBC_CREATE ? exists_already(code, error) : code;
}

static AdbcStatusCode set_autocommit(struct wr_adbc_connection *connection, const char *value,
                                     struct AdbcError *reason) {
    return WR_ADBC_CALL(connection->core->driver, ConnectionSetOption, &connection->adbc,
                        WR_ADBC_AUTOCOMMIT, value, reason);
}

/* Commits, or takes everything back. False: the connection is not as it was before. */
static bool end_transaction(struct wr_adbc_ingest *ingest, int *code, struct weir_error *error) {
    struct wr_adbc_connection *connection = ingest->connection;
    const struct wr_adbc_driver *driver = connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    AdbcStatusCode status =
        *code ? WR_ADBC_CALL(driver, ConnectionRollback, &connection->adbc, &reason)
              : WR_ADBC_CALL(driver, ConnectionCommit, &connection->adbc, &reason);
    if (status && !*code) {
        *code = wr_adbc_error(connection->core, ingest->database->name, status, &reason, "commit",
                              error);
        return false;
    }
    if (reason.release) reason.release(&reason);
    if (status) return false;
    reason = wr_adbc_error_new(driver);
    status = set_autocommit(connection, "true", &reason);
    if (reason.release) reason.release(&reason);
    return status == WEIR_OK;
}

static int in_transaction(struct wr_adbc_ingest *ingest, bool *ret_usable,
                          struct weir_error *error) {
    struct AdbcError reason = wr_adbc_error_new(ingest->connection->core->driver);
    AdbcStatusCode status = set_autocommit(ingest->connection, "false", &reason);
    if (status) {
        *ret_usable = false;
        return wr_adbc_error(ingest->connection->core, ingest->database->name, status, &reason,
                             "transaction", error);
    }
    int code = write_rows(ingest, error);
    if (!code && wr_adbc_is_stopped(ingest->connection->stop))
        code = wr_adbc_stopped(ingest->database->name, error);
    *ret_usable = end_transaction(ingest, &code, error);
    return code;
}

/*
 * What SQLite has no room for in its cache it writes to the file before the transaction ends, for
 * which all readers must have ended: those, too, that this insertion reads from. So it waits with
 * that.
 */
static void set_spill(struct wr_adbc_ingest *ingest, const char *sql) {
    if (ingest->connection->core->family == WR_ADBC_SQLITE)
        wr_adbc_run(ingest->connection, ingest->database->name, sql, NULL, NULL);
}

static int run_ingest(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    WR_TRY(wr_adbc_acquire(ingest->database, WR_ADBC_CHECKED, &ingest->connection, error));
    bool usable = false, is_clean = false;
    struct wr_adbc_stop stop;
    wr_adbc_stop_begin(&stop, ingest->connection);
    ingest->fate.stop = &stop;
    set_spill(ingest, "PRAGMA cache_spill = OFF");
    int code;
    if (ingest->connection->core->family == WR_ADBC_WEIR) {
        code = as_one_statement(ingest, error);
        usable = !code;
    } else {
        code = in_transaction(ingest, &usable, error);
    }
    if (usable) set_spill(ingest, "PRAGMA cache_spill = ON");
    ingest->fate.stop = NULL;
    if (wr_adbc_stop_end(&stop, &is_clean) && code)
        code = wr_adbc_stopped(ingest->database->name, error);
    usable = usable && is_clean;
    if (code && wr_adbc_is_connection_error(error)) wr_adbc_doubt(ingest->connection->core);
    wr_adbc_give_back(ingest->connection, usable);
    wr_adbc_mysql_drop_made(ingest);
    return code;
}

int wr_adbc_ingest_made(struct wr_adbc_database *database, const char *schema, const char *table,
                        int mode, const char *definition, struct ArrowArrayStream *rows,
                        int64_t *ret_n_rows, struct weir_error *error) {
    struct weir_error own = {0};
    struct wr_adbc_ingest ingest = {.database = database,
                                    .schema = schema,
                                    .table = table,
                                    .mode = mode,
                                    .definition = definition};
    int code = wr_adbc_ingest_rows(database->core->family, database->name, rows, &ingest.fate,
                                   &ingest.rows, &ingest.columns, &own);
    if (!code) code = run_ingest(&ingest, &own);
    wr_arrow_release_stream(&ingest.rows);
    wr_arrow_release_schema(&ingest.columns);
    if (code) {
        if (error) *error = own;
    } else if (ret_n_rows) {
        *ret_n_rows = ingest.fate.n_rows;
    }
    return code;
}

int wr_adbc_ingest(struct wr_adbc_database *database, const char *schema, const char *table,
                   int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                   struct weir_error *error) {
    return wr_adbc_ingest_made(database, schema, table, mode, NULL, rows, ret_n_rows, error);
}
