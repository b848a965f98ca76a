/* SPDX-License-Identifier: Apache-2.0 */
/* One execution of a statement: cancel, progress and metrics, from any thread. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/session.h"

const struct wr_plan *wr_statement_plan(const struct weir_statement *statement) {
    return statement->bound ? statement->bound : statement->plan;
}

void wr_execution_release(struct wr_execution *execution) {
    if (!execution) return;
    if (atomic_fetch_sub_explicit(&execution->references, 1, memory_order_acq_rel) > 1) return;
    if (execution->run) wr_run_free(execution->run);
    wr_free(execution);
}

int wr_execution_begin(struct weir_statement *statement, struct weir_error *error) {
    struct wr_execution *execution = wr_calloc(1, sizeof *execution);
    if (!execution) return wr_error_memory(error);
    atomic_init(&execution->references, 1);
    pthread_mutex_lock(&statement->mutex);
    struct wr_execution *old = statement->execution;
    statement->execution = execution;
    pthread_mutex_unlock(&statement->mutex);
    wr_execution_release(old);
    return WEIR_OK;
}

void wr_execution_finish(struct weir_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    statement->execution->finished = true;
    pthread_mutex_unlock(&statement->mutex);
}

int wr_execution_check(struct weir_statement *statement, struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    bool cancelled = statement->execution->cancelled;
    pthread_mutex_unlock(&statement->mutex);
    if (!cancelled) return WEIR_OK;
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
}

int wr_execution_run(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
    struct wr_run *run = NULL;
    WR_TRY(wr_plan_execute(wr_statement_plan(statement), ret_rows, &run, error));
    pthread_mutex_lock(&statement->mutex);
    statement->execution->run = run;
    bool cancelled = statement->execution->cancelled;
    pthread_mutex_unlock(&statement->mutex);
    /* A cancel that came while the engine was starting found no run. */
    if (cancelled) wr_run_cancel(run);
    return WEIR_OK;
}

/* ---- From any thread ---- */

/* A reference to the last execution, with its members as they are now. */
static struct wr_execution *look(struct weir_statement *statement, struct wr_run **ret_run,
                                 bool *ret_finished, bool cancel) {
    pthread_mutex_lock(&statement->mutex);
    struct wr_execution *execution = statement->execution;
    if (execution) {
        atomic_fetch_add_explicit(&execution->references, 1, memory_order_relaxed);
        if (cancel) execution->cancelled = true;
        *ret_run = execution->run;
        *ret_finished = execution->finished;
    }
    pthread_mutex_unlock(&statement->mutex);
    return execution;
}

static int not_executed(struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the statement was not executed yet");
}

int weir_statement_cancel(struct weir_statement *statement, struct weir_error *error) {
    (void)error;
    struct wr_run *run = NULL;
    bool finished = false;
    struct wr_execution *execution = look(statement, &run, &finished, true);
    if (run) wr_run_cancel(run);
    wr_execution_release(execution);
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
    struct wr_run *run = NULL;
    bool finished = false;
    struct wr_execution *execution = look(statement, &run, &finished, false);
    if (!execution) return not_executed(error);
    progress.finished = finished;
    if (run) wr_run_progress(run, &progress);
    wr_execution_release(execution);
    progress.size = size;
    memcpy(ret_progress, &progress, size < sizeof progress ? size : sizeof progress);
    return WEIR_OK;
}

int weir_statement_metrics(struct weir_statement *statement, char **ret_text,
                           struct weir_error *error) {
    struct wr_run *run = NULL;
    bool finished = false;
    struct wr_execution *execution = look(statement, &run, &finished, false);
    if (!execution) return not_executed(error);
    char *text = NULL;
    int code = run ? wr_run_metrics(run, &text, error) : WEIR_OK;
    char *copy = code == WEIR_OK ? wr_strdup(text ? text : "") : NULL;
    if (code == WEIR_OK && !copy) code = wr_error_memory(error);
    if (text) wr_engine_free(text);
    wr_execution_release(execution);
    if (code == WEIR_OK) *ret_text = copy;
    return code;
}
