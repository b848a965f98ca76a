/* SPDX-License-Identifier: Apache-2.0 */
/* One execution of a statement: its place, its rows; cancel, progress and metrics from any thread.
 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/call.h"
#include "base/error.h"
#include "session/session.h"

const struct wr_plan *wr_statement_plan(const struct weir_statement *statement) {
    return statement->bound ? statement->bound : statement->plan;
}

/* ---- Its life ---- */

/* The first execution goes on with the query that was planned. */
static int next_query(struct weir_statement *statement, struct weir_error *error) {
    const struct weir_session *session = statement->session;
    if (!statement->executed) {
        pthread_mutex_lock(&statement->mutex);
        statement->executed = true;
        pthread_mutex_unlock(&statement->mutex);
        return WEIR_OK;
    }
    struct wr_query *query = NULL;
    WR_TRY(wr_query_new(session->workspace->queries, session->id, statement->sql, &query, error));
    wr_query_planned(query);
    pthread_mutex_lock(&statement->mutex);
    struct wr_query *before = statement->query;
    statement->query = query;
    pthread_mutex_unlock(&statement->mutex);
    wr_query_release(before);
    return WEIR_OK;
}

int weir_statement_announce(struct weir_statement *statement, struct weir_error *error) {
    if (statement->announced && !wr_query_is_cancelled(statement->query)) return WEIR_OK;
    WR_TRY(next_query(statement, error));
    statement->announced = true;
    return WEIR_OK;
}

int wr_execution_begin(struct weir_statement *statement, struct weir_error *error) {
    const struct weir_session *session = statement->session;
    WR_TRY(wr_audit_ready(session->workspace->audit, error));
    WR_TRY(wr_queries_check_session(session->workspace->queries, session->id, error));
    if (!statement->announced) WR_TRY(next_query(statement, error));
    statement->announced = false;
    return wr_query_begin(statement->query, error);
}

int wr_execution_check(struct weir_statement *statement, struct weir_error *error) {
    if (!wr_query_is_cancelled(statement->query)) return WEIR_OK;
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
}

int wr_execution_run(struct weir_statement *statement, int32_t max_parts,
                     struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts,
                     struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
    struct wr_run *run = NULL;
    struct wr_call_service service;
    wr_call_serve(&service, wr_query_call(statement->query));
    int code = wr_plan_execute_parts(wr_statement_plan(statement), max_parts, ret_parts,
                                     ret_n_parts, &run, error);
    wr_call_unserve(&service);
    WR_TRY(code);
    wr_query_set_run(statement->query, run);
    return WEIR_OK;
}

/* ---- Its rows ---- */

struct watched {
    struct ArrowArrayStream rows;
    struct wr_query *query;
    bool ended;
};

static void end_watched(struct watched *watched, int code, const struct weir_error *error) {
    if (watched->ended) return;
    watched->ended = true;
    wr_query_end(watched->query, code, error);
}

static int watched_next(void *context, struct ArrowArray *ret_batch, struct weir_error *error) {
    struct watched *watched = context;
    struct ArrowArray batch = {0};
    int errnum = watched->rows.get_next(&watched->rows, &batch);
    if (errnum) {
        int code = weir_stream_error(&watched->rows, error);
        if (code || !error->code)
            wr_error_stream(error, &watched->rows, errnum, "reading the rows");
        end_watched(watched, error->code, error);
        return error->code;
    }
    if (batch.release) {
        wr_query_add_rows(watched->query, batch.length);
    } else {
        end_watched(watched, WEIR_OK, NULL);
    }
    *ret_batch = batch;
    return WEIR_OK;
}

static void watched_close(void *context) {
    struct watched *watched = context;
    wr_arrow_release_stream(&watched->rows);
    end_watched(watched, WEIR_CANCELLED, NULL);
    wr_query_release(watched->query);
    wr_free(watched);
}

static int watch_part(struct wr_query *query, struct ArrowArrayStream *part,
                      struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct watched *watched = wr_calloc(1, sizeof *watched);
    if (!watched) return wr_error_memory(error);
    int code = wr_arrow_stream_schema(part, "the rows", &schema, error);
    if (code == WEIR_OK) {
        wr_arrow_move_stream(part, &watched->rows);
        watched->query = query;
        code = wr_arrow_callback_stream(&schema, watched_next, watched_close, watched, part, error);
        if (code) wr_arrow_move_stream(&watched->rows, part);
    }
    wr_arrow_release_schema(&schema);
    if (code) {
        wr_free(watched);
        return code;
    }
    wr_query_retain(query);
    return WEIR_OK;
}

int wr_execution_watch(struct weir_statement *statement, struct ArrowArrayStream *parts,
                       int32_t n_parts, struct weir_error *error) {
    int code = WEIR_OK;
    wr_query_set_parts(statement->query, n_parts);
    for (int32_t i = 0; code == WEIR_OK && i < n_parts; i++)
        code = watch_part(statement->query, &parts[i], error);
    for (int32_t i = 0; code && i < n_parts; i++)
        wr_arrow_release_stream(&parts[i]);
    return code;
}

/* ---- From any thread ---- */

/* A reference to the last execution's query; NULL: there was none. */
static struct wr_query *look(struct weir_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    struct wr_query *query = statement->executed ? statement->query : NULL;
    if (query) wr_query_retain(query);
    pthread_mutex_unlock(&statement->mutex);
    return query;
}

static int not_executed(struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the statement was not executed yet");
}

int weir_statement_cancel(struct weir_statement *statement, struct weir_error *error) {
    (void)error;
    struct wr_query *query = look(statement);
    if (query) wr_query_cancel(query);
    wr_query_release(query);
    return WEIR_OK;
}

int weir_statement_progress(struct weir_statement *statement, struct weir_progress *ret_progress,
                            struct weir_error *error) {
    size_t size = ret_progress->size;
    if (size < sizeof size) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "weir_progress: the member `size` is not set; set it to sizeof(struct "
                            "weir_progress)");
    }
    struct weir_progress progress = {.size = sizeof progress};
    struct wr_query *query = look(statement);
    if (!query) return not_executed(error);
    struct wr_run *run = wr_query_run(query);
    progress.finished = wr_query_is_over(query);
    if (run) wr_run_progress(run, &progress);
    wr_query_release(query);
    progress.size = size;
    memcpy(ret_progress, &progress, size < sizeof progress ? size : sizeof progress);
    return WEIR_OK;
}

int weir_statement_metrics(struct weir_statement *statement, char **ret_text,
                           struct weir_error *error) {
    if (statement->hides_plan)
        return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "permission denied: the plan would show what a view is made of");
    struct wr_query *query = look(statement);
    if (!query) return not_executed(error);
    struct wr_run *run = wr_query_run(query);
    char *text = NULL;
    int code = run ? wr_run_metrics(run, &text, error) : WEIR_OK;
    char *copy = code == WEIR_OK ? wr_strdup(text ? text : "") : NULL;
    if (code == WEIR_OK && !copy) code = wr_error_memory(error);
    if (text) wr_engine_free(text);
    wr_query_release(query);
    if (code == WEIR_OK) *ret_text = copy;
    return code;
}

void weir_statement_id(struct weir_statement *statement, char ret_id[WEIR_ID_SIZE]) {
    struct wr_query *query = look(statement);
    const char *id = query ? wr_query_id(query) : "";
    memcpy(ret_id, id, *id ? WEIR_ID_SIZE : 1);
    wr_query_release(query);
}
