/* SPDX-License-Identifier: Apache-2.0 */
/* Executing a statement, once or for each row of its parameters, and cancelling it. */
#include <string.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

/* ---- Cancel ---- */

void wr_driver_statement_begin(struct wr_driver_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    statement->busy = true;
    statement->cancelled = false;
    pthread_mutex_unlock(&statement->mutex);
}

int wr_driver_statement_check(struct wr_driver_statement *statement, struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    bool cancelled = statement->cancelled;
    pthread_mutex_unlock(&statement->mutex);
    return cancelled ? wr_driver_cancelled(error) : WEIR_OK;
}

int wr_driver_statement_end(struct wr_driver_statement *statement, int code,
                            struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    bool cancelled = statement->cancelled;
    statement->busy = false;
    pthread_mutex_unlock(&statement->mutex);
    return code && cancelled ? wr_driver_cancelled(error) : code;
}

int wr_driver_statement_cancel(struct wr_driver_statement *statement, struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    bool busy = statement->busy;
    bool executed = statement->executed;
    if (busy) statement->cancelled = true;
    struct wr_driver_plan *plan = statement->plan ? wr_driver_plan_retain(statement->plan) : NULL;
    pthread_mutex_unlock(&statement->mutex);
    if (plan) {
        atomic_store(&plan->cancelled, true);
        weir_statement_cancel(plan->statement, NULL);
    }
    /* It may be waiting in its planning. */
    if (busy) weir_session_interrupt(statement->connection->session);
    wr_driver_plan_release(plan);
    if (busy || executed) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the statement runs no query to cancel");
}

/* ---- Execute ---- */

/* One execution. What came between its beginning and a cancel found nothing to cancel. */
static int execute_once(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                        int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    WR_TRY(wr_driver_statement_check(statement, error));
    WR_TRY(weir_statement_execute(statement->plan->statement, &rows, ret_affected, error));
    int code = wr_driver_statement_check(statement, error);
    if (code) {
        wr_arrow_release_stream(&rows);
        return code;
    }
    wr_arrow_move_stream(&rows, ret_rows);
    return WEIR_OK;
}

/* For each row of parameters, the results forgotten. */
static int execute_each(struct wr_driver_statement *statement, struct wr_driver_binding *binding,
                        int64_t *ret_affected, struct weir_error *error) {
    int64_t total = 0;
    for (;;) {
        struct ArrowArrayStream rows = {0};
        int64_t affected = 0;
        bool bound = false;
        WR_TRY(wr_driver_binding_next(binding, statement->plan, &bound, error));
        if (!bound) break;
        WR_TRY(execute_once(statement, &rows, &affected, error));
        WR_TRY(wr_driver_result_drain(&rows, error));
        total = affected < 0 ? -1 : total + affected;
    }
    *ret_affected = total;
    return WEIR_OK;
}

static int end_at_once(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)context;
    (void)ret_array;
    (void)error;
    return WEIR_OK;
}

/* A query for no row of parameters: its columns, and no rows. */
static int no_rows(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(weir_statement_schema(statement->plan->statement, &schema, error));
    int code = wr_arrow_callback_stream(&schema, end_at_once, NULL, NULL, ret_rows, error);
    wr_arrow_release_schema(&schema);
    return code;
}

/* A query for the first row of parameters; its result goes on with the others. */
static int query_each(struct wr_driver_statement *statement, struct wr_driver_binding *binding,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct wr_driver_database *database = statement->connection->database;
    bool bound = false;
    int code = wr_driver_binding_next(binding, statement->plan, &bound, error);
    if (code == WEIR_OK)
        code =
            bound ? execute_once(statement, &rows, NULL, error) : no_rows(statement, &rows, error);
    if (code) {
        wr_driver_binding_close(binding);
        return code;
    }
    return wr_driver_result_new(database, &rows, statement->plan, binding, ret_rows, error);
}

/* Without rows of parameters. */
static int execute_alone(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                         int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    WR_TRY(execute_once(statement, &rows, ret_affected, error));
    if (!ret_rows) return wr_driver_result_drain(&rows, error);
    return wr_driver_result_new(statement->connection->database, &rows, NULL, NULL, ret_rows,
                                error);
}

static int execute_bound(struct wr_driver_statement *statement, struct wr_driver_binding *binding,
                         struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                         struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    bool query = weir_statement_is_query(statement->plan->statement);
    if (query && ret_rows) {
        *ret_affected = -1;
        return query_each(statement, binding, ret_rows, error);
    }
    int code = execute_each(statement, binding, ret_affected, error);
    wr_driver_binding_close(binding);
    if (code || !ret_rows) return code;
    WR_TRY(wr_arrow_empty_stream(&none, error));
    return wr_driver_result_new(statement->connection->database, &none, NULL, NULL, ret_rows,
                                error);
}

static int execute_plan(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                        int64_t *ret_affected, struct weir_error *error) {
    struct wr_driver_binding *binding = NULL;
    WR_TRY(wr_driver_statement_plan(statement, error));
    WR_TRY(wr_driver_statement_check(statement, error));
    WR_TRY(wr_driver_statement_take_binding(statement, &binding, error));
    atomic_store(&statement->plan->cancelled, false);
    pthread_mutex_lock(&statement->mutex);
    statement->executed = true;
    pthread_mutex_unlock(&statement->mutex);
    if (binding) return execute_bound(statement, binding, ret_rows, ret_affected, error);
    return execute_alone(statement, ret_rows, ret_affected, error);
}

static int execute_ingest(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                          int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    /* Made first: nothing may fail after the change. */
    if (ret_rows) WR_TRY(wr_arrow_empty_stream(&none, error));
    int code = wr_driver_statement_ingest(statement, ret_affected, error);
    if (code || !ret_rows) {
        wr_arrow_release_stream(&none);
        return code;
    }
    wr_arrow_move_stream(&none, ret_rows);
    return WEIR_OK;
}

int wr_driver_statement_execute(struct wr_driver_statement *statement,
                                struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                                struct weir_error *error) {
    int64_t affected = -1;
    wr_driver_statement_begin(statement);
    int code = wr_driver_statement_is_ingest(statement)
                   ? execute_ingest(statement, ret_rows, &affected, error)
                   : execute_plan(statement, ret_rows, &affected, error);
    /* An execution uses up what was bound, also when it fails: the next one gets its own. */
    wr_arrow_release_stream(&statement->bound);
    WR_TRY(wr_driver_statement_end(statement, code, error));
    if (ret_affected) *ret_affected = affected;
    return WEIR_OK;
}
