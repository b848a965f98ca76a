/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/snapshot.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/condition.h"
#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

struct wr_adbc_snapshot {
    struct wr_adbc_database *database;
    int32_t n_readers;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    int n_references;
    bool exporting;
    char id[64]; /* of PostgreSQL; empty: not exported yet */
    struct wr_adbc_connection *exporter;
    int32_t n_begun; /* readers that have the snapshot */
    bool parked;     /* the exporter's reader has ended, and others have not begun */
    bool in_turn;    /* one after another on the exporter's connection; constant */
    bool taken;      /* in turn: someone has the connection, or is about to */
    bool broken;     /* in turn: the transaction is gone */
};

static bool is_postgresql(const struct wr_adbc_snapshot *snapshot) {
    return snapshot->database->core->family == WR_ADBC_POSTGRESQL;
}

int wr_adbc_snapshot_new(struct wr_adbc_database *database, int32_t n_readers,
                         struct wr_adbc_snapshot **ret_snapshot, struct weir_error *error) {
    struct wr_adbc_snapshot *snapshot = wr_calloc(1, sizeof *snapshot);
    if (!snapshot) return wr_error_memory(error);
    snapshot->database = wr_adbc_database_retain(database);
    snapshot->n_readers = n_readers;
    snapshot->n_references = 1;
    pthread_mutex_init(&snapshot->mutex, NULL);
    wr_condition_init(&snapshot->changed);
    snapshot->in_turn = !is_postgresql(snapshot) || database->core->settings.pool_max < 2;
    *ret_snapshot = snapshot;
    return WEIR_OK;
}

/* ---- Transactions ---- */

static int set_autocommit(struct wr_adbc_connection *connection, const char *name, bool on,
                          struct weir_error *error) {
    struct AdbcError reason = wr_adbc_error_new(connection->core->driver);
    AdbcStatusCode status =
        WR_ADBC_CALL(connection->core->driver, ConnectionSetOption, &connection->adbc,
                     WR_ADBC_AUTOCOMMIT, on ? "true" : "false", &reason);
    if (!status) return WEIR_OK;
    return wr_adbc_error(connection->core, name, status, &reason, "transaction", error);
}

static int begin(const struct wr_adbc_snapshot *snapshot, struct wr_adbc_connection *connection,
                 struct weir_error *error) {
    const char *name = snapshot->database->name;
    if (!is_postgresql(snapshot)) return set_autocommit(connection, name, false, error);
    return wr_adbc_run(connection, name, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL,
                       error);
}

/* Ends the transaction; false: the connection is not as it was before. */
static bool finish(const struct wr_adbc_snapshot *snapshot, struct wr_adbc_connection *connection) {
    const char *name = snapshot->database->name;
    if (is_postgresql(snapshot))
        return wr_adbc_run(connection, name, "COMMIT", NULL, NULL) == WEIR_OK;
    struct AdbcError reason = wr_adbc_error_new(connection->core->driver);
    AdbcStatusCode status =
        WR_ADBC_CALL(connection->core->driver, ConnectionRollback, &connection->adbc, &reason);
    if (reason.release) reason.release(&reason);
    return status == WEIR_OK && set_autocommit(connection, name, true, NULL) == WEIR_OK;
}

void wr_adbc_snapshot_release(struct wr_adbc_snapshot *snapshot) {
    if (!snapshot) return;
    pthread_mutex_lock(&snapshot->mutex);
    bool last = --snapshot->n_references == 0;
    pthread_mutex_unlock(&snapshot->mutex);
    if (!last) return;
    if (snapshot->parked)
        wr_adbc_give_back(snapshot->exporter, finish(snapshot, snapshot->exporter));
    wr_adbc_database_release(snapshot->database);
    pthread_cond_destroy(&snapshot->changed);
    pthread_mutex_destroy(&snapshot->mutex);
    wr_free(snapshot);
}

/* ---- Exporting ---- */

static bool copy_id(struct ArrowArrayStream *rows, char ret_id[64]) {
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct ArrowArrayView view;
    bool copied = false;
    ArrowArrayViewInitFromType(&view, NANOARROW_TYPE_UNINITIALIZED);
    if (rows->get_schema(rows, &schema) == 0 && rows->get_next(rows, &array) == 0 &&
        array.release && ArrowArrayViewInitFromSchema(&view, &schema, NULL) == 0 &&
        ArrowArrayViewSetArray(&view, &array, NULL) == 0 && view.n_children == 1 &&
        view.length == 1 && view.children[0]->storage_type == NANOARROW_TYPE_STRING) {
        struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view.children[0], 0);
        copied = text.size_bytes > 0 && text.size_bytes < 64;
        for (int64_t i = 0; copied && i < text.size_bytes; i++)
            copied = isxdigit((unsigned char)text.data[i]) || text.data[i] == '-';
        if (copied) {
            memcpy(ret_id, text.data, (size_t)text.size_bytes);
            ret_id[text.size_bytes] = '\0';
        }
    }
    /* To the end, so that the connection can run another statement. */
    while (array.release) {
        array.release(&array);
        if (rows->get_next(rows, &array)) break;
    }
    ArrowArrayViewReset(&view);
    wr_arrow_release_schema(&schema);
    return copied;
}

static int export_snapshot(struct wr_adbc_connection *connection, const char *name, char ret_id[64],
                           struct weir_error *error) {
    const struct wr_adbc_driver *driver = connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    struct ArrowArrayStream rows = {0};
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementNew, &connection->adbc, &statement, &reason);
    if (!status)
        status = WR_ADBC_CALL(driver, StatementSetSqlQuery, &statement,
                              "SELECT pg_catalog.pg_export_snapshot()", &reason);
    if (!status)
        status = WR_ADBC_CALL(driver, StatementExecuteQuery, &statement, &rows, NULL, &reason);
    int code = WEIR_OK;
    if (status) {
        code = wr_adbc_error(connection->core, name, status, &reason, "snapshot", error);
    } else if (!copy_id(&rows, ret_id)) {
        code = wr_error_set(error, WEIR_IO, "58030",
                            "database \"%s\": the server gives no snapshot", name);
    }
    wr_arrow_release_stream(&rows);
    reason = wr_adbc_error_new(driver);
    if (statement.private_data) WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    return code;
}

/* The first one exports; the others wait for it. True: the caller exports. */
static bool wait_for_id(struct wr_adbc_snapshot *snapshot, char ret_id[64]) {
    pthread_mutex_lock(&snapshot->mutex);
    while (!snapshot->id[0] && snapshot->exporting)
        pthread_cond_wait(&snapshot->changed, &snapshot->mutex);
    bool exports = !snapshot->id[0];
    if (exports) snapshot->exporting = true;
    memcpy(ret_id, snapshot->id, sizeof snapshot->id);
    pthread_mutex_unlock(&snapshot->mutex);
    return exports;
}

/* One more reader has begun; the parked transaction is not needed after the last one. */
static void count_begun(struct wr_adbc_snapshot *snapshot) {
    pthread_mutex_lock(&snapshot->mutex);
    snapshot->n_begun++;
    bool close = snapshot->n_begun == snapshot->n_readers && snapshot->parked;
    if (close) snapshot->parked = false;
    pthread_mutex_unlock(&snapshot->mutex);
    if (close) wr_adbc_give_back(snapshot->exporter, finish(snapshot, snapshot->exporter));
}

static void publish(struct wr_adbc_snapshot *snapshot, struct wr_adbc_connection *connection,
                    const char *id, int code) {
    pthread_mutex_lock(&snapshot->mutex);
    snapshot->exporting = false;
    if (!code) {
        memcpy(snapshot->id, id, sizeof snapshot->id);
        snapshot->exporter = connection;
    }
    pthread_cond_broadcast(&snapshot->changed);
    pthread_mutex_unlock(&snapshot->mutex);
}

static int share(struct wr_adbc_snapshot *snapshot, struct wr_adbc_connection *connection,
                 struct weir_error *error) {
    char id[64] = "";
    const char *name = snapshot->database->name;
    if (wait_for_id(snapshot, id)) {
        int code = begin(snapshot, connection, error);
        if (!code) code = export_snapshot(connection, name, id, error);
        publish(snapshot, connection, id, code);
        return code;
    }
    char sql[128];
    snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", id);
    WR_TRY(begin(snapshot, connection, error));
    return wr_adbc_run(connection, name, sql, NULL, error);
}

/* ---- Around a reader ---- */

/* In turn, the first one takes its connection from the pool, the others that one. */
static int around_take(void *context, struct wr_adbc_connection **ret_connection,
                       struct weir_error *error) {
    struct wr_adbc_snapshot *snapshot = context;
    if (!snapshot->in_turn) return WEIR_OK;
    struct wr_adbc_core *core = snapshot->database->core;
    int64_t since = wr_clock_ms();
    int code = WEIR_OK;
    pthread_mutex_lock(&snapshot->mutex);
    while (snapshot->taken && !snapshot->broken && !code) {
        int64_t until = wr_adbc_patience(core, since);
        struct timespec deadline = wr_adbc_time(until);
        if (wr_clock_ms() >= until) code = wr_adbc_out_of_patience(snapshot->database, error);
        if (!code) pthread_cond_timedwait(&snapshot->changed, &snapshot->mutex, &deadline);
    }
    if (!code && snapshot->broken)
        code = wr_error_set(error, WEIR_INVALID_STATE, "25000",
                            "database \"%s\": another part of these rows has failed",
                            snapshot->database->name);
    if (!code) {
        snapshot->taken = true;
        if (snapshot->parked) *ret_connection = snapshot->exporter;
        snapshot->parked = false;
    }
    pthread_mutex_unlock(&snapshot->mutex);
    return code;
}

static int begin_in_turn(struct wr_adbc_snapshot *snapshot, struct wr_adbc_connection *connection,
                         struct weir_error *error) {
    if (connection == snapshot->exporter) return WEIR_OK;
    WR_TRY(begin(snapshot, connection, error));
    snapshot->exporter = connection;
    return WEIR_OK;
}

static int around_begin(void *context, struct wr_adbc_connection *connection,
                        struct weir_error *error) {
    struct wr_adbc_snapshot *snapshot = context;
    WR_TRY(snapshot->in_turn ? begin_in_turn(snapshot, connection, error)
                             : share(snapshot, connection, error));
    count_begun(snapshot);
    return WEIR_OK;
}

static bool around_end(void *context, struct wr_adbc_connection *connection, bool *usable) {
    struct wr_adbc_snapshot *snapshot = context;
    pthread_mutex_lock(&snapshot->mutex);
    bool park =
        *usable && connection == snapshot->exporter && snapshot->n_begun < snapshot->n_readers;
    snapshot->parked = snapshot->parked || park;
    if (!park && connection == snapshot->exporter) snapshot->exporter = NULL;
    if (snapshot->in_turn) {
        /* Before anyone has begun, the next one still may. */
        snapshot->broken = !park && snapshot->n_begun > 0;
        snapshot->taken = false;
        pthread_cond_broadcast(&snapshot->changed);
    }
    pthread_mutex_unlock(&snapshot->mutex);
    if (!park && *usable) *usable = finish(snapshot, connection);
    return park;
}

static void around_free(void *context) {
    wr_adbc_snapshot_release(context);
}

struct wr_adbc_around wr_adbc_snapshot_around(struct wr_adbc_snapshot *snapshot) {
    pthread_mutex_lock(&snapshot->mutex);
    snapshot->n_references++;
    pthread_mutex_unlock(&snapshot->mutex);
    return (struct wr_adbc_around){.take = around_take,
                                   .begin = around_begin,
                                   .end = around_end,
                                   .free = around_free,
                                   .context = snapshot};
}
