/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a thread that changes something through a connection is told to stop (base/call.h): the
 * statement that it runs is cancelled in the database, by another thread, again and again until it
 * is over, since a cancel that comes before it has begun is lost.
 *
 *     wr_adbc_stop_begin(&stop, connection);
 *     ... wr_adbc_run(connection, ...) ...       // shows its statement by itself
 *     bool stopped = wr_adbc_stop_end(&stop);
 *
 * All is the changing thread's own, save for the watch, which calls from any.
 */
#ifndef WR_ADBC_STOP_H
#define WR_ADBC_STOP_H

#include "base/call.h"
#include "table/adbc/core.h"

struct wr_adbc_stop {
    struct wr_adbc_connection *connection;
    struct wr_call_watch watch;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    struct AdbcStatement *shown; /* runs now */
    bool is_told;
    bool is_cancelling; /* a thread is at it */
    bool is_over;       /* it is to end */
    bool was_sent;      /* a cancel, which may hit what comes next */
};

void wr_adbc_stop_begin(struct wr_adbc_stop *stop, struct wr_adbc_connection *connection);
/* Whether it was told to stop. `ret_clean`: no cancel is under way to the connection. */
bool wr_adbc_stop_end(struct wr_adbc_stop *stop, bool *ret_clean);
bool wr_adbc_is_stopped(struct wr_adbc_stop *stop);

/* The statement is about to run, and then over; `stop` NULL: nobody can tell. */
void wr_adbc_stop_show(struct wr_adbc_stop *stop, struct AdbcStatement *statement);
void wr_adbc_stop_hide(struct wr_adbc_stop *stop);

/* WEIR_CANCELLED. */
int wr_adbc_stopped(const char *name, struct weir_error *error);

#endif
