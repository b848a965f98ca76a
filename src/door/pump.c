/* SPDX-License-Identifier: Apache-2.0 */
#include "door/pump.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

enum { N_SLOTS = 2 };

struct wr_pump {
    atomic_int references;        /* of who opened it, and of the engine's stream */
    struct ArrowArrayStream rows; /* the thread's, while it runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool started;
    struct ArrowArray slots[N_SLOTS];
    int n_filled;
    bool ended;   /* nothing comes any more */
    bool stopped; /* nothing is wanted any more */
    struct weir_error error;
};

static int read_one(struct wr_pump *pump, struct ArrowArray *ret_batch, struct weir_error *error) {
    int code = wr_arrow_stream_next(&pump->rows, "the rows to ingest", ret_batch, error);
    struct weir_error full = {0};
    if (code && weir_stream_error(&pump->rows, &full) == WEIR_OK && full.code) {
        *error = full;
        code = full.code;
    }
    return code;
}

/* With the mutex held: waits for room. */
static bool wants_more(struct wr_pump *pump) {
    while (!pump->stopped && pump->n_filled == N_SLOTS)
        pthread_cond_wait(&pump->changed, &pump->mutex);
    return !pump->stopped && !pump->ended;
}

static void *run(void *context) {
    struct wr_pump *pump = context;
    pthread_mutex_lock(&pump->mutex);
    while (wants_more(pump)) {
        pthread_mutex_unlock(&pump->mutex);
        struct ArrowArray batch = {0};
        struct weir_error error = {0};
        int code = read_one(pump, &batch, &error);
        pthread_mutex_lock(&pump->mutex);
        if (code) pump->error = error;
        pump->ended = code || !batch.release;
        if (!pump->ended) pump->slots[pump->n_filled++] = batch;
        pthread_cond_broadcast(&pump->changed);
    }
    pthread_mutex_unlock(&pump->mutex);
    return NULL;
}

/* With the mutex held, which the thread waits for. Signals are for the program's own threads. */
static int start(struct wr_pump *pump, struct weir_error *error) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(&pump->thread, NULL, run, pump);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum) return wr_error_errno(error, errnum, "cannot start a thread for the rows");
    pump->started = true;
    return WEIR_OK;
}

/* With the mutex held. */
static int take(struct wr_pump *pump, struct ArrowArray *ret_array, struct weir_error *error) {
    if (!pump->started && !pump->stopped) WR_TRY(start(pump, error));
    while (pump->n_filled == 0 && !pump->ended && !pump->stopped)
        pthread_cond_wait(&pump->changed, &pump->mutex);
    if (pump->stopped)
        return wr_error_set(error, WEIR_CANCELLED, NULL,
                            "the rows to ingest are not read any more");
    if (pump->n_filled > 0) {
        *ret_array = pump->slots[0];
        pump->slots[0] = pump->slots[1];
        pump->n_filled--;
        pthread_cond_broadcast(&pump->changed);
        return WEIR_OK;
    }
    if (pump->error.code) *error = pump->error;
    return pump->error.code;
}

static int next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct wr_pump *pump = context;
    pthread_mutex_lock(&pump->mutex);
    int code = take(pump, ret_array, error);
    pthread_mutex_unlock(&pump->mutex);
    return code;
}

static void stop(struct wr_pump *pump) {
    pthread_mutex_lock(&pump->mutex);
    pump->stopped = true;
    pthread_cond_broadcast(&pump->changed);
    pthread_mutex_unlock(&pump->mutex);
}

static void unreference(struct wr_pump *pump) {
    if (atomic_fetch_sub_explicit(&pump->references, 1, memory_order_acq_rel) > 1) return;
    pthread_cond_destroy(&pump->changed);
    pthread_mutex_destroy(&pump->mutex);
    wr_free(pump);
}

/* The engine wants no more; who opened the pump waits for the thread. */
static void stream_close(void *context) {
    stop(context);
    unreference(context);
}

void wr_pump_close(struct wr_pump *pump) {
    if (!pump) return;
    stop(pump);
    if (pump->started) pthread_join(pump->thread, NULL);
    for (int i = 0; i < pump->n_filled; i++)
        wr_arrow_release_array(&pump->slots[i]);
    wr_arrow_release_stream(&pump->rows);
    unreference(pump);
}

int wr_pump_open(struct ArrowArrayStream *rows, struct wr_pump **ret_pump,
                 struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_stream_schema(rows, "the rows to ingest", &schema, error));
    struct wr_pump *pump = wr_calloc(1, sizeof *pump);
    int code = pump ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(&schema, next, stream_close, pump, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        wr_free(pump);
        return code;
    }
    atomic_init(&pump->references, 2);
    pthread_mutex_init(&pump->mutex, NULL);
    pthread_cond_init(&pump->changed, NULL);
    wr_arrow_move_stream(rows, &pump->rows);
    *ret_pump = pump;
    return WEIR_OK;
}
