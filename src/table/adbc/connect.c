/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "table/adbc/core.h"
#include "table/adbc/mysql.h"
#include "table/adbc/stop.h"

/* ---- One statement ---- */

int wr_adbc_run(struct wr_adbc_connection *connection, const char *name, const char *sql,
                int64_t *ret_n_rows, struct weir_error *error) {
    const struct wr_adbc_core *core = connection->core;
    const struct wr_adbc_driver *driver = core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    int64_t n_rows = -1;
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementNew, &connection->adbc, &statement, &reason);
    if (status) return wr_adbc_error(core, name, status, &reason, "new statement", error);
    status = WR_ADBC_CALL(driver, StatementSetSqlQuery, &statement, sql, &reason);
    wr_adbc_stop_show(connection->stop, &statement);
    if (!status)
        status = WR_ADBC_CALL(driver, StatementExecuteQuery, &statement, NULL, &n_rows, &reason);
    wr_adbc_stop_hide(connection->stop);
    int code = status ? wr_adbc_error(core, name, status, &reason, "execute", error) : WEIR_OK;
    reason = wr_adbc_error_new(driver);
    WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    if (!code && ret_n_rows) *ret_n_rows = n_rows;
    return code;
}

/* ---- The driver's database ---- */

struct start {
    struct wr_adbc_core *core;
    char *name;
    int code;
    struct weir_error error;
};

static void free_start(void *context) {
    struct start *start = context;
    wr_adbc_core_release(start->core);
    wr_free(start->name);
    wr_free(start);
}

static void work_start(void *context) {
    struct start *start = context;
    struct wr_adbc_core *core = start->core;
    struct AdbcError reason = wr_adbc_error_new(core->driver);
    AdbcStatusCode status = WR_ADBC_CALL(core->driver, DatabaseNew, &core->adbc, &reason);
    core->is_made = status == WEIR_OK;
    for (size_t i = 0; i < core->settings.options.n_items && !status; i++) {
        const struct weir_option *item = &core->settings.options.items[i];
        status = WR_ADBC_CALL(core->driver, DatabaseSetOption, &core->adbc, item->key, item->value,
                              &reason);
    }
    if (!status) status = WR_ADBC_CALL(core->driver, DatabaseInit, &core->adbc, &reason);
    if (status)
        start->code = wr_adbc_error(core, start->name, status, &reason, "open", &start->error);
}

static int too_late(const struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    if (wr_call_is_cancelled(wr_call_current())) return wr_adbc_stopped(name, error);
    return wr_error_set(error, WEIR_TIMEOUT, "08001",
                        "database \"%s\": no connection within connect_timeout, which is %lld ms",
                        name, (long long)core->settings.connect_timeout);
}

int wr_adbc_core_start(struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    struct start *start = wr_calloc(1, sizeof *start);
    char *copy = wr_strdup(name);
    if (!start || !copy) {
        wr_free(start);
        wr_free(copy);
        return wr_error_memory(error);
    }
    start->core = wr_adbc_core_retain(core);
    start->name = copy;
    if (!wr_adbc_run_within(work_start, free_start, start,
                            wr_clock_ms() + core->settings.connect_timeout))
        return too_late(core, name, error);
    int code = start->code;
    if (code && error) *error = start->error;
    free_start(start);
    return code;
}

/* ---- Connections ---- */

struct attempt {
    struct wr_adbc_core *core;
    struct wr_adbc_connection *connection;
    char *name;
    int code;
    struct weir_error error;
};

/* So that a statement means the same whatever the server's or the role's settings are, and literals
 * are what they look like. */
static int prepare_postgresql(struct attempt *attempt) {
    char sql[512];
    int length = snprintf(sql, sizeof sql,
                          "SELECT set_config('standard_conforming_strings', 'on', false), "
                          "set_config('TimeZone', 'UTC', false), "
                          "set_config('DateStyle', 'ISO, YMD', false), "
                          "set_config('IntervalStyle', 'postgres', false), "
                          "set_config('extra_float_digits', '1', false)");
    int64_t timeout = attempt->core->settings.statement_timeout;
    if (timeout > 0) {
        snprintf(sql + length, sizeof sql - (size_t)length,
                 ", set_config('statement_timeout', '%lld', false)", (long long)timeout);
    }
    return wr_adbc_run(attempt->connection, attempt->name, sql, NULL, &attempt->error);
}

static int prepare(struct attempt *attempt) {
    char sql[64];
    switch (attempt->core->family) {
    case WR_ADBC_POSTGRESQL:
        return prepare_postgresql(attempt);
    case WR_ADBC_SQLITE:
        /* Writers wait for each other rather than fail at once. */
        snprintf(sql, sizeof sql, "PRAGMA busy_timeout = %lld",
                 (long long)attempt->core->settings.connect_timeout);
        return wr_adbc_run(attempt->connection, attempt->name, sql, NULL, &attempt->error);
    case WR_ADBC_DUCKDB:
        /* Without its part for time zones there is no such setting, and everything is UTC. */
        wr_adbc_run(attempt->connection, attempt->name, "SET TimeZone = 'UTC'", NULL, NULL);
        return WEIR_OK;
    case WR_ADBC_MYSQL:
        /* The first one is prepared when it has told which of the two it is. */
        if (!attempt->core->vendor) return WEIR_OK;
        return wr_mysql_prepare(attempt->connection, attempt->name, &attempt->error);
    default:
        return WEIR_OK;
    }
}

static void try_connect(struct attempt *attempt) {
    struct wr_adbc_core *core = attempt->core;
    struct AdbcConnection *adbc = &attempt->connection->adbc;
    struct AdbcError reason = wr_adbc_error_new(core->driver);
    AdbcStatusCode status = WR_ADBC_CALL(core->driver, ConnectionNew, adbc, &reason);
    if (!status) status = WR_ADBC_CALL(core->driver, ConnectionInit, adbc, &core->adbc, &reason);
    if (status) {
        attempt->code =
            wr_adbc_error(core, attempt->name, status, &reason, "connect", &attempt->error);
    } else {
        attempt->code = prepare(attempt);
    }
}

static void release_adbc(struct wr_adbc_connection *connection) {
    const struct wr_adbc_driver *driver = connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    if (connection->adbc.private_data)
        WR_ADBC_CALL(driver, ConnectionRelease, &connection->adbc, &reason);
    if (reason.release) reason.release(&reason);
    connection->adbc.private_data = NULL;
}

/* A server that was restarted needs a moment, of which libpq tells in words only. */
static bool is_starting(const struct attempt *attempt) {
    return attempt->core->family == WR_ADBC_POSTGRESQL &&
           strstr(attempt->error.message, "the database system is starting up") != NULL;
}

static void work_connect(void *context) {
    struct attempt *attempt = context;
    int64_t deadline = wr_clock_ms() + attempt->core->settings.connect_timeout;
    try_connect(attempt);
    while (attempt->code && is_starting(attempt) && wr_clock_ms() + 200 < deadline) {
        struct timespec pause = wr_adbc_time(100);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        release_adbc(attempt->connection);
        attempt->code = WEIR_OK;
        try_connect(attempt);
    }
}

void wr_adbc_disconnect(struct wr_adbc_connection *connection) {
    release_adbc(connection);
    wr_free(connection);
}

static void free_attempt(void *context) {
    struct attempt *attempt = context;
    if (attempt->connection) wr_adbc_disconnect(attempt->connection);
    wr_adbc_core_release(attempt->core);
    wr_free(attempt->name);
    wr_free(attempt);
}

static struct attempt *new_attempt(struct wr_adbc_core *core, const char *name) {
    struct attempt *attempt = wr_calloc(1, sizeof *attempt);
    struct wr_adbc_connection *connection = wr_calloc(1, sizeof *connection);
    char *copy = wr_strdup(name);
    if (!attempt || !connection || !copy) {
        wr_free(attempt);
        wr_free(connection);
        wr_free(copy);
        return NULL;
    }
    connection->core = core;
    connection->adbc.private_driver = (struct AdbcDriver *)&core->driver->functions;
    attempt->core = wr_adbc_core_retain(core);
    attempt->connection = connection;
    attempt->name = copy;
    return attempt;
}

int wr_adbc_connect(struct wr_adbc_core *core, const char *name,
                    struct wr_adbc_connection **ret_connection, struct weir_error *error) {
    struct attempt *attempt = new_attempt(core, name);
    if (!attempt) return wr_error_memory(error);
    if (!wr_adbc_run_within(work_connect, free_attempt, attempt,
                            wr_clock_ms() + core->settings.connect_timeout))
        return too_late(core, name, error);
    int code = attempt->code;
    if (code) {
        if (error) *error = attempt->error;
    } else {
        attempt->connection->made_ms = attempt->connection->used_ms = wr_clock_ms();
        *ret_connection = attempt->connection;
        attempt->connection = NULL;
    }
    free_attempt(attempt);
    return code;
}

static void work_check(void *context) {
    struct attempt *attempt = context;
    attempt->code = wr_adbc_run(attempt->connection, "", "SELECT 1", NULL, &attempt->error);
}

bool wr_adbc_is_alive(struct wr_adbc_connection *connection) {
    struct wr_adbc_core *core = connection->core;
    struct attempt *attempt = wr_calloc(1, sizeof *attempt);
    if (!attempt) {
        wr_adbc_disconnect(connection);
        return false;
    }
    attempt->core = wr_adbc_core_retain(core);
    attempt->connection = connection;
    if (!wr_adbc_run_within(work_check, free_attempt, attempt,
                            wr_clock_ms() + core->settings.connect_timeout))
        return false;
    /* A database without FROM-less SELECT is alive, too. */
    bool alive = attempt->code == WEIR_OK || !wr_adbc_is_connection_error(&attempt->error);
    if (alive) attempt->connection = NULL;
    free_attempt(attempt);
    return alive;
}
