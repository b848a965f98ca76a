/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "door/door.h"
#include "flight/service.h"

static int describe(struct wr_flight_statement *statement, struct weir_error *error) {
    struct ArrowSchema schema;
    WR_TRY(weir_statement_schema(statement->statement, &schema, error));
    int code = wr_door_describe_columns(&schema, NULL, &statement->schema, error);
    wr_arrow_release_schema(&schema);
    return code;
}

int wr_flight_statement_new(struct wr_flight_door *door, struct wr_flight_session *session,
                            const char *sql, struct wr_flight_statement **ret_statement,
                            struct weir_error *error) {
    struct wr_flight_statement *statement = wr_calloc(1, sizeof *statement);
    if (!statement) return wr_error_memory(error);
    int code = weir_prepare(session->session, sql, &statement->statement, error);
    if (!code) code = describe(statement, error);
    if (!code && !(statement->sql = wr_strdup(sql))) code = wr_error_memory(error);
    if (code) {
        wr_arrow_release_schema(&statement->schema);
        weir_statement_close(statement->statement);
        wr_free(statement);
        return code;
    }
    atomic_init(&statement->n_references, 1);
    pthread_mutex_init(&statement->mutex, NULL);
    statement->door = door;
    statement->session = wr_flight_session_retain(session);
    statement->is_query = weir_statement_is_query(statement->statement) == 1;
    *ret_statement = statement;
    return WEIR_OK;
}

struct wr_flight_statement *wr_flight_statement_retain(struct wr_flight_statement *statement) {
    atomic_fetch_add_explicit(&statement->n_references, 1, memory_order_relaxed);
    return statement;
}

static void drop_parameters(struct wr_flight_statement *statement) {
    for (size_t i = 0; i < statement->n_parameters; i++)
        wr_shared_batch_release(statement->parameters[i]);
    wr_free(statement->parameters);
    wr_arrow_release_schema(&statement->parameters_schema);
    statement->parameters = NULL;
    statement->n_parameters = 0;
}

void wr_flight_statement_destroy(struct wr_flight_statement *statement) {
    struct wr_flight_session *session = statement->session;
    for (int32_t i = 0; i < statement->n_parts; i++)
        wr_arrow_release_stream(&statement->parts[i]);
    weir_free(statement->parts);
    weir_statement_close(statement->statement);
    drop_parameters(statement);
    wr_arrow_release_schema(&statement->schema);
    wr_free(statement->sql);
    pthread_mutex_destroy(&statement->mutex);
    wr_free(statement);
    wr_flight_session_release(session);
}

void wr_flight_statement_release(void *object) {
    struct wr_flight_statement *statement = object;
    if (!statement) return;
    if (atomic_fetch_sub_explicit(&statement->n_references, 1, memory_order_acq_rel) > 1) return;
    wr_flight_session_doom(statement->session, statement);
}

/* ---- Handles ---- */

/* Of a handle that is dropped. */
static void drop_handle(void *object) {
    struct wr_flight_statement *statement = object;
    atomic_fetch_sub(&statement->session->n_handles, 1);
    wr_flight_statement_release(statement);
}

int wr_flight_statement_add(struct wr_handles *handles, struct wr_flight_statement *statement,
                            int64_t idle_ms, char ret_id[WR_HANDLE_SIZE],
                            struct weir_error *error) {
    atomic_int *n_handles = &statement->session->n_handles;
    if (atomic_fetch_add(n_handles, 1) >= WR_FLIGHT_MOST_HANDLES) {
        atomic_fetch_sub(n_handles, 1);
        return wr_error_set(error, WEIR_INVALID_STATE, "53400",
                            "the session has %d tickets and prepared statements open: close some, "
                            "or read what the tickets give",
                            WR_FLIGHT_MOST_HANDLES);
    }
    int code =
        wr_handles_add(handles, statement->session->owner, wr_flight_statement_retain(statement),
                       drop_handle, idle_ms, ret_id, error);
    if (code) drop_handle(statement);
    return code;
}

int wr_flight_statement_get(struct wr_handles *handles, struct wr_flight_session *session,
                            const char *what, const ProtobufCBinaryData *id,
                            struct wr_flight_statement **ret_statement, struct weir_error *error) {
    struct wr_flight_statement *statement =
        wr_handles_get(handles, session->owner, (const char *)id->data, id->len);
    if (!statement) {
        return wr_error_set(error, WEIR_NOT_FOUND, "26000",
                            "there is no such %s: it was closed or has expired", what);
    }
    *ret_statement = wr_flight_statement_retain(statement);
    wr_handles_release(handles, statement);
    return WEIR_OK;
}

bool wr_flight_statement_is_bound(struct wr_flight_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    bool is_bound = statement->parameters != NULL;
    pthread_mutex_unlock(&statement->mutex);
    return is_bound;
}

void wr_flight_statement_bind(struct wr_flight_statement *statement, struct ArrowSchema *schema,
                              struct wr_shared_batch **rows, size_t n_rows) {
    pthread_mutex_lock(&statement->mutex);
    drop_parameters(statement);
    wr_arrow_move_schema(schema, &statement->parameters_schema);
    statement->parameters = rows;
    statement->n_parameters = n_rows;
    pthread_mutex_unlock(&statement->mutex);
}

/* ---- Running ---- */

/* One run of a statement: for each row of its parameters in turn. */
struct run {
    struct wr_flight_statement *statement;
    struct wr_grpc_call *call;
    struct ArrowSchema schema;     /* of the parameters */
    struct wr_shared_batch **rows; /* NULL: without parameters */
    size_t n_rows, at;
    int64_t row;
    struct ArrowArrayStream stream; /* of the row before; release NULL: none */
};

static void free_run(void *context) {
    struct run *run = context;
    wr_arrow_release_stream(&run->stream);
    for (size_t i = 0; i < run->n_rows; i++)
        wr_shared_batch_release(run->rows[i]);
    wr_free(run->rows);
    wr_arrow_release_schema(&run->schema);
    atomic_store(&run->statement->is_running, false);
    wr_flight_statement_release(run->statement);
    wr_free(run);
}

static int copy_parameters(struct run *run, struct weir_error *error) {
    struct wr_flight_statement *statement = run->statement;
    if (!statement->parameters) return WEIR_OK;
    WR_TRY(wr_arrow_copy_schema(&statement->parameters_schema, &run->schema, error));
    run->rows = wr_calloc(statement->n_parameters, sizeof *run->rows);
    if (!run->rows) return wr_error_memory(error);
    for (; run->n_rows < statement->n_parameters; run->n_rows++)
        run->rows[run->n_rows] = wr_shared_batch_retain(statement->parameters[run->n_rows]);
    return WEIR_OK;
}

static int new_run(struct wr_flight_statement *statement, struct wr_grpc_call *call,
                   struct run **ret_run, struct weir_error *error) {
    struct run *run = wr_calloc(1, sizeof *run);
    if (!run) return wr_error_memory(error);
    if (atomic_exchange(&statement->is_running, true)) {
        wr_free(run);
        return wr_error_set(error, WEIR_INVALID_STATE, "55006",
                            "the statement's last result is still being read");
    }
    run->statement = wr_flight_statement_retain(statement);
    run->call = call;
    pthread_mutex_lock(&statement->mutex);
    int code = copy_parameters(run, error);
    pthread_mutex_unlock(&statement->mutex);
    if (code) {
        free_run(run);
        return code;
    }
    *ret_run = run;
    return WEIR_OK;
}

static bool has_row(struct run *run) {
    while (run->at < run->n_rows && run->row >= wr_shared_batch_length(run->rows[run->at])) {
        run->at++;
        run->row = 0;
    }
    return run->at < run->n_rows;
}

static int bind_row(struct run *run, struct weir_error *error) {
    struct ArrowArray row;
    WR_TRY(wr_shared_batch_array(run->rows[run->at], NULL, 0, &row, error));
    row.offset += run->row++;
    row.length = 1;
    row.null_count = -1;
    int code = weir_statement_bind(run->statement->statement, &run->schema, &row, error);
    wr_arrow_release_array(&row);
    return code;
}

static void cancel(void *context) {
    struct wr_flight_statement *statement = context;
    weir_statement_cancel(statement->statement, NULL);
}

/* Runs for the next row of parameters. */
static int execute(struct run *run, int64_t *ret_affected, struct weir_error *error) {
    struct wr_flight_statement *statement = run->statement;
    struct ArrowArrayStream stream = {0};
    int64_t affected = -1;
    wr_arrow_release_stream(&run->stream);
    WR_TRY(wr_flight_session_enter(statement->session, run->call, error));
    int code = run->rows ? bind_row(run, error) : WEIR_OK;
    if (!code) code = weir_statement_announce(statement->statement, error);
    wr_grpc_on_cancel(run->call, cancel, statement);
    /* A cancel that came before there was anything to cancel is not forgotten. */
    if (!code && wr_grpc_is_over(run->call))
        code = wr_error_set(error, WEIR_CANCELLED, NULL, "the call is over");
    if (!code && atomic_load(&statement->is_cancelled))
        code = wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
    if (!code) code = weir_statement_execute(statement->statement, &stream, &affected, error);
    wr_flight_session_leave(statement->session, run->call);
    if (code) return code;
    wr_arrow_move_stream(&stream, &run->stream);
    *ret_affected = affected;
    return WEIR_OK;
}

/* The rows of all runs. The first was begun already. */
static int next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct run *run = context;
    struct ArrowArray array = {0};
    int64_t affected;
    for (;;) {
        WR_TRY(wr_flight_read(&run->stream, &array, error));
        if (array.release) break;
        if (!has_row(run)) break;
        WR_TRY(execute(run, &affected, error));
    }
    *ret_array = array;
    return WEIR_OK;
}

/* A statement that changes something runs for all rows at once. */
static int run_all(struct run *run, struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                   struct weir_error *error) {
    int64_t total = -1;
    if (run->rows && !has_row(run)) total = 0;
    while (!run->rows || has_row(run)) {
        int64_t affected = -1;
        WR_TRY(execute(run, &affected, error));
        wr_arrow_release_stream(&run->stream);
        if (affected >= 0) total = (total < 0 ? 0 : total) + affected;
        if (!run->rows) break;
    }
    struct ArrowArrayStream rows;
    WR_TRY(wr_arrow_empty_stream(&rows, error));
    wr_arrow_move_stream(&rows, ret_rows);
    *ret_affected = total;
    return WEIR_OK;
}

static int run_query(struct run *run, struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int64_t affected;
    if (run->rows && !has_row(run)) {
        return wr_error_set(error, WEIR_INVALID_STATE, "07002",
                            "the parameters of the query were given without a row of values");
    }
    WR_TRY(execute(run, &affected, error));
    if (run->stream.get_schema(&run->stream, &schema))
        return wr_error_set(error, WEIR_INTERNAL, NULL, "the result has no schema");
    int code = wr_arrow_callback_stream(&schema, next, free_run, run, ret_rows, error);
    if (code) wr_arrow_release_schema(&schema);
    return code;
}

int wr_flight_statement_run(struct wr_flight_statement *statement, struct wr_grpc_call *call,
                            struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                            struct weir_error *error) {
    struct run *run = NULL;
    int64_t affected = -1;
    WR_TRY(new_run(statement, call, &run, error));
    int code = statement->is_query ? run_query(run, ret_rows, error)
                                   : run_all(run, ret_rows, &affected, error);
    if (code || !statement->is_query) free_run(run);
    if (!code) *ret_affected = affected;
    return code;
}
