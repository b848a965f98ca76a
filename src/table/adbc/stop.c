/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/stop.h"

#include <errno.h>

#include "base/clock.h"
#include "base/condition.h"
#include "base/error.h"

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 1000 };

/* The thread that shows it waits in wr_adbc_stop_hide for as long as this runs. */
static void call_cancel(struct wr_adbc_stop *stop) {
    const struct wr_adbc_driver *driver = stop->connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    AdbcStatusCode status = WR_ADBC_CALL(driver, StatementCancel, stop->shown, &reason);
    if (status == WEIR_NOT_IMPLEMENTED) {
        if (reason.release) reason.release(&reason);
        reason = wr_adbc_error_new(driver);
        WR_ADBC_CALL(driver, ConnectionCancel, &stop->connection->adbc, &reason);
    }
    if (reason.release) reason.release(&reason);
}

static void *run_cancel(void *context) {
    struct wr_adbc_stop *stop = context;
    int64_t pause = FIRST_PAUSE_MS;
    bool is_over = false;
    while (!is_over) {
        call_cancel(stop);
        struct timespec until = wr_adbc_time(wr_clock_ms() + pause);
        if (pause < LONGEST_PAUSE_MS) pause *= 2;
        pthread_mutex_lock(&stop->mutex);
        int waited = 0;
        while (!stop->is_over && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&stop->changed, &stop->mutex, &until);
        is_over = stop->is_over;
        /* `stop` may be gone as soon as the mutex is free. */
        if (is_over) stop->is_cancelling = false;
        pthread_cond_broadcast(&stop->changed);
        pthread_mutex_unlock(&stop->mutex);
    }
    wr_adbc_busy_end();
    return NULL;
}

/* The mutex is held. */
static void cancel_shown(struct wr_adbc_stop *stop) {
    if (!stop->shown || stop->is_cancelling || !stop->connection->core->has_cancel) return;
    stop->was_sent = stop->is_cancelling = true;
    wr_adbc_busy_begin();
    if (wr_adbc_thread(run_cancel, stop)) return;
    wr_adbc_busy_end();
    stop->is_cancelling = false;
}

static void tell(void *context) {
    struct wr_adbc_stop *stop = context;
    pthread_mutex_lock(&stop->mutex);
    stop->is_told = true;
    cancel_shown(stop);
    pthread_mutex_unlock(&stop->mutex);
}

void wr_adbc_stop_begin(struct wr_adbc_stop *stop, struct wr_adbc_connection *connection) {
    *stop = (struct wr_adbc_stop){.connection = connection};
    pthread_mutex_init(&stop->mutex, NULL);
    wr_condition_init(&stop->changed);
    connection->stop = stop;
    wr_call_watch(&stop->watch, tell, stop);
}

bool wr_adbc_stop_end(struct wr_adbc_stop *stop, bool *ret_clean) {
    wr_call_unwatch(&stop->watch);
    stop->connection->stop = NULL;
    pthread_cond_destroy(&stop->changed);
    pthread_mutex_destroy(&stop->mutex);
    *ret_clean = !stop->was_sent;
    return stop->is_told;
}

bool wr_adbc_is_stopped(struct wr_adbc_stop *stop) {
    if (!stop) return false;
    pthread_mutex_lock(&stop->mutex);
    bool is_told = stop->is_told;
    pthread_mutex_unlock(&stop->mutex);
    return is_told;
}

void wr_adbc_stop_show(struct wr_adbc_stop *stop, struct AdbcStatement *statement) {
    if (!stop) return;
    pthread_mutex_lock(&stop->mutex);
    stop->shown = statement;
    if (stop->is_told) cancel_shown(stop);
    pthread_mutex_unlock(&stop->mutex);
}

void wr_adbc_stop_hide(struct wr_adbc_stop *stop) {
    if (!stop) return;
    pthread_mutex_lock(&stop->mutex);
    stop->is_over = true;
    pthread_cond_broadcast(&stop->changed);
    while (stop->is_cancelling)
        pthread_cond_wait(&stop->changed, &stop->mutex);
    stop->is_over = false;
    stop->shown = NULL;
    pthread_mutex_unlock(&stop->mutex);
}

int wr_adbc_stopped(const char *name, struct weir_error *error) {
    return wr_error_set(error, WEIR_CANCELLED, NULL, "database \"%s\": cancelled", name);
}
