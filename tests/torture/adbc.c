/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does with the ADBC driver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/adbc_abi.h"
#include "torture.h"

#define TRY(call)                                                                                  \
    do {                                                                                           \
        AdbcStatusCode code_ = (call);                                                             \
        if (code_ != WEIR_OK) return code_;                                                        \
    } while (0)

static struct AdbcDriver driver;
static struct AdbcDatabase database;
static struct AdbcConnection connection;

static void die(const char *what) {
    fprintf(stderr, "not ok - adbc: %s\n", what);
    exit(1);
}

/* ---- Pieces ---- */

/* Reads to the end and releases. */
static AdbcStatusCode drain(struct ArrowArrayStream *rows, struct AdbcError *error) {
    AdbcStatusCode code = WEIR_OK;
    for (;;) {
        struct ArrowArray batch = {0};
        int errnum = rows->get_next(rows, &batch);
        if (errnum == 0 && batch.release) {
            batch.release(&batch);
            continue;
        }
        const struct AdbcError *failure = errnum ? driver.ErrorFromArrayStream(rows, &code) : NULL;
        if (errnum && !failure) die("a stream failed without an error");
        if (failure) memcpy(error->sqlstate, failure->sqlstate, sizeof error->sqlstate);
        rows->release(rows);
        return code;
    }
}

static AdbcStatusCode bind(struct AdbcStatement *statement, struct AdbcError *error) {
    return driver.StatementBindStream(statement, &given.rows, error);
}

/* ---- Scenarios ---- */

static AdbcStatusCode open_own(struct AdbcError *error) {
    struct AdbcDatabase own = {0};
    struct AdbcConnection of = {0};
    AdbcStatusCode code = driver.DatabaseNew(&own, error);
    if (code == WEIR_OK)
        code = driver.DatabaseSetOption(&own, "adbc.weir.config.threads", "1", error);
    if (code == WEIR_OK) code = driver.DatabaseInit(&own, error);
    if (code == WEIR_OK) code = driver.ConnectionNew(&of, error);
    if (code == WEIR_OK) code = driver.ConnectionInit(&of, &own, error);
    if (code == WEIR_OK)
        code = driver.ConnectionSetOption(&of, "adbc.connection.catalog", "system", error);
    if (of.private_data) driver.ConnectionRelease(&of, NULL);
    if (own.private_data) driver.DatabaseRelease(&own, NULL);
    return code;
}

static AdbcStatusCode run_sql(struct AdbcStatement *statement, const char *sql,
                              struct AdbcError *error) {
    struct ArrowArrayStream rows = {0};
    TRY(driver.StatementSetSqlQuery(statement, sql, error));
    TRY(driver.StatementPrepare(statement, error));
    if (strchr(sql, '$')) TRY(bind(statement, error));
    TRY(driver.StatementExecuteQuery(statement, &rows, NULL, error));
    return drain(&rows, error);
}

static AdbcStatusCode ingest(struct AdbcStatement *statement, struct AdbcError *error) {
    TRY(driver.StatementSetOption(statement, "adbc.ingest.target_table", "made", error));
    TRY(driver.StatementSetOption(statement, "adbc.ingest.mode", "adbc.ingest.mode.replace",
                                  error));
    TRY(bind(statement, error));
    return driver.StatementExecuteQuery(statement, NULL, NULL, error);
}

static AdbcStatusCode read_partitions(struct AdbcStatement *statement, struct AdbcError *error) {
    struct AdbcPartitions partitions = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows = {0};
    TRY(driver.StatementSetSqlQuery(statement, "SELECT a FROM base", error));
    TRY(driver.StatementExecutePartitions(statement, &schema, &partitions, NULL, error));
    schema.release(&schema);
    AdbcStatusCode code = driver.ConnectionReadPartition(
        &connection, partitions.partitions[0], partitions.partition_lengths[0], &rows, error);
    partitions.release(&partitions);
    return code == WEIR_OK ? drain(&rows, error) : code;
}

static AdbcStatusCode with_statement(const char *scenario, struct AdbcStatement *statement,
                                     struct AdbcError *error) {
    if (strcmp(scenario, "query") == 0)
        return run_sql(statement, "SELECT a + CAST($1 AS BIGINT) AS b FROM base", error);
    if (strcmp(scenario, "change") == 0)
        return run_sql(statement, "INSERT INTO base VALUES ($1, 'x')", error);
    if (strcmp(scenario, "error") == 0) return run_sql(statement, "SELECT nothing", error);
    if (strcmp(scenario, "ingest") == 0) return ingest(statement, error);
    return read_partitions(statement, error);
}

static AdbcStatusCode on_statement(const char *scenario, struct AdbcError *error) {
    struct AdbcStatement statement = {0};
    TRY(driver.StatementNew(&connection, &statement, error));
    AdbcStatusCode code = with_statement(scenario, &statement, error);
    driver.StatementRelease(&statement, NULL);
    return code;
}

static AdbcStatusCode on_connection(const char *scenario, struct AdbcError *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    if (strcmp(scenario, "schema") == 0) {
        TRY(driver.ConnectionGetTableSchema(&connection, NULL, NULL, "base", &schema, error));
        schema.release(&schema);
        return WEIR_OK;
    }
    if (strcmp(scenario, "objects") == 0)
        TRY(driver.ConnectionGetObjects(&connection, 0, "weir", "public", NULL, NULL, NULL, &rows,
                                        error));
    else if (strcmp(scenario, "info") == 0)
        TRY(driver.ConnectionGetInfo(&connection, NULL, 0, &rows, error));
    else
        TRY(driver.ConnectionGetStatistics(&connection, "weir", NULL, "base", 1, &rows, error));
    return drain(&rows, error);
}

static AdbcStatusCode run_scenario(const char *scenario, struct AdbcError *error) {
    static const char *const of_statements = "query change ingest partitions error";
    if (strcmp(scenario, "open") == 0) return open_own(error);
    return strstr(of_statements, scenario) ? on_statement(scenario, error)
                                           : on_connection(scenario, error);
}

int torture_adbc(const char *scenario, struct weir_error *error) {
    struct AdbcError failure = {.vendor_code = WR_ADBC_ERROR_IS_1_1};
    AdbcStatusCode code = run_scenario(scenario, &failure);
    error->code = code;
    memcpy(error->sqlstate, failure.sqlstate, sizeof failure.sqlstate);
    snprintf(error->message, sizeof error->message, "%s", failure.message ? failure.message : "");
    if (failure.release) failure.release(&failure);
    return code;
}

/* ---- The database ---- */

void torture_adbc_open(void) {
    struct AdbcStatement statement = {0};
    if (AdbcDriverInit(WR_ADBC_VERSION_1_1_0, &driver, NULL) != WEIR_OK ||
        driver.DatabaseNew(&database, NULL) != WEIR_OK ||
        driver.DatabaseSetOption(&database, "adbc.weir.config.threads", "1", NULL) != WEIR_OK ||
        driver.DatabaseInit(&database, NULL) != WEIR_OK ||
        driver.ConnectionNew(&connection, NULL) != WEIR_OK ||
        driver.ConnectionInit(&connection, &database, NULL) != WEIR_OK ||
        driver.StatementNew(&connection, &statement, NULL) != WEIR_OK ||
        driver.StatementSetSqlQuery(&statement,
                                    "CREATE TABLE base (a BIGINT, b VARCHAR, PRIMARY KEY (a))",
                                    NULL) != WEIR_OK ||
        driver.StatementExecuteQuery(&statement, NULL, NULL, NULL) != WEIR_OK ||
        driver.StatementRelease(&statement, NULL) != WEIR_OK)
        die("the database cannot be opened");
}

void torture_adbc_close(void) {
    driver.ConnectionRelease(&connection, NULL);
    driver.DatabaseRelease(&database, NULL);
}
