/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/error.h"
#include "table/adbc/reader.h"
#include "table/adbc/stop.h"

static void cancel_reader(void *reader) {
    wr_adbc_reader_cancel(reader);
}

static int read_plan(struct wr_adbc_database *database, const struct wr_adbc_plan *plan,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_adbc_reader *reader;
    WR_TRY(wr_adbc_reader_new(database, plan, &reader, error));
    struct wr_call_watch watch;
    wr_call_watch(&watch, cancel_reader, reader);
    int code = wr_adbc_reader_start(reader, ret_rows, error);
    wr_call_unwatch(&watch);
    wr_adbc_reader_release(reader);
    return code;
}

int wr_adbc_query(struct wr_adbc_database *database, const char *sql,
                  struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_adbc_plan plan = {.sql = sql, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_objects(struct wr_adbc_database *database, const char *catalog, const char *schema,
                    const char *table, struct ArrowArrayStream *ret_rows,
                    struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .source = WR_ADBC_OBJECTS, .names = {catalog, schema, table}, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_statistics(struct wr_adbc_database *database, const char *catalog, const char *schema,
                       const char *table, struct ArrowArrayStream *ret_rows,
                       struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .source = WR_ADBC_STATISTICS, .names = {catalog, schema, table}, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_change(struct wr_adbc_database *database, const char *sql, int64_t *ret_n_rows,
                   struct weir_error *error) {
    struct wr_adbc_plan plan = {.source = WR_ADBC_CHANGE, .sql = sql, .n_columns = -1};
    struct wr_adbc_reader *reader;
    WR_TRY(wr_adbc_reader_new(database, &plan, &reader, error));
    struct wr_call_watch watch;
    wr_call_watch(&watch, cancel_reader, reader);
    int code = wr_adbc_reader_change(reader, ret_n_rows, error);
    wr_call_unwatch(&watch);
    wr_adbc_reader_release(reader);
    return code;
}

/* A table that is not there leaves the connection as it was. */
static void done(struct wr_adbc_connection *connection, int code, const struct weir_error *error) {
    if (code && wr_adbc_is_connection_error(error)) wr_adbc_doubt(connection->core);
    wr_adbc_give_back(connection, code == WEIR_OK || code == WEIR_NOT_FOUND);
}

/* The driver's own question, which may hang: on a thread that its caller may leave. */
struct question {
    struct wr_adbc_database *database;
    struct wr_adbc_connection *connection;
    char *names[3];
    struct ArrowSchema schema;
    struct weir_error error;
    int code;
};

static void work_schema(void *context) {
    struct question *question = context;
    const struct wr_adbc_core *core = question->database->core;
    struct AdbcError reason = wr_adbc_error_new(core->driver);
    AdbcStatusCode status = WR_ADBC_CALL(
        core->driver, ConnectionGetTableSchema, &question->connection->adbc, question->names[0],
        question->names[1], question->names[2], &question->schema, &reason);
    if (status)
        question->code = wr_adbc_error(core, question->database->name, status, &reason,
                                       "columns of a table", &question->error);
}

static void free_question(void *context) {
    struct question *question = context;
    /* Of one that nobody waited for; nobody knows what state it is in. */
    if (question->connection) wr_adbc_give_back(question->connection, false);
    for (size_t i = 0; i < 3; i++)
        wr_free(question->names[i]);
    wr_arrow_release_schema(&question->schema);
    wr_adbc_database_release(question->database);
    wr_free(question);
}

static int new_question(struct wr_adbc_database *database, const char *const names[3],
                        struct question **ret_question, struct weir_error *error) {
    struct question *question = wr_calloc(1, sizeof *question);
    if (!question) return wr_error_memory(error);
    question->database = wr_adbc_database_retain(database);
    for (size_t i = 0; i < 3; i++) {
        question->names[i] = wr_strdup(names[i]);
        if (question->names[i] || !names[i]) continue;
        free_question(question);
        return wr_error_memory(error);
    }
    *ret_question = question;
    return WEIR_OK;
}

static int get_schema(struct wr_adbc_database *database, enum wr_adbc_trust trust,
                      const char *const names[3], struct ArrowSchema *ret_schema, bool *ret_again,
                      struct weir_error *error) {
    struct question *question = NULL;
    int64_t timeout = database->core->settings.statement_timeout;
    *ret_again = false;
    WR_TRY(new_question(database, names, &question, error));
    int code = wr_adbc_acquire(database, trust, &question->connection, error);
    if (code) {
        free_question(question);
        return code;
    }
    if (!wr_adbc_run_within(work_schema, free_question, question,
                            timeout > 0 ? wr_clock_ms() + timeout : INT64_MAX)) {
        if (wr_call_is_cancelled(wr_call_current())) return wr_adbc_stopped(database->name, error);
        return wr_error_set(error, WEIR_TIMEOUT, NULL,
                            "database \"%s\": the columns of a table did not come within "
                            "statement_timeout, which is %lld ms",
                            database->name, (long long)timeout);
    }
    code = question->code;
    if (code && error) *error = question->error;
    *ret_again = code && question->connection->was_used && wr_adbc_is_connection_error(error);
    done(question->connection, code, error);
    question->connection = NULL;
    if (!code) wr_arrow_move_schema(&question->schema, ret_schema);
    free_question(question);
    return code;
}

int wr_adbc_table_schema(struct wr_adbc_database *database, const char *catalog, const char *schema,
                         const char *table, struct ArrowSchema *ret_schema,
                         struct weir_error *error) {
    const char *const names[] = {catalog, schema, table};
    struct weir_error own = {0};
    bool again = false;
    int code = get_schema(database, WR_ADBC_ANY, names, ret_schema, &again, &own);
    if (again) code = get_schema(database, WR_ADBC_FRESH, names, ret_schema, &again, &own);
    if (code && error) *error = own;
    return code;
}
