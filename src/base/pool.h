/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of threads for calls that may block. Threads start when there is work and none is free, up
 * to a bound, and end after they had nothing to do for a while. Work is begun in the order in which
 * it came.
 *
 *     wr_pool_open("weir-flight", 64, &pool, error);
 *     wr_pool_submit(pool, &call->task);   // any thread; call->task.run(&call->task) on another
 *     wr_pool_close(pool);                 // waits for all that was submitted
 */
#ifndef WR_POOL_H
#define WR_POOL_H

#include "weir.h"

struct wr_pool;

/* Stands inside of what it works on, so that submitting cannot fail for want of memory. The pool
 * does not touch it any more once `run` was called. */
struct wr_task {
    struct wr_task *next; /* the pool's */
    void (*run)(struct wr_task *task);
};

/* `name`: of the threads, at most 15 bytes. One thread is started at once: the bound may not be
 * reached, but work is never without a thread. */
int wr_pool_open(const char *name, int max_threads, struct wr_pool **ret_pool,
                 struct weir_error *error);
void wr_pool_submit(struct wr_pool *pool, struct wr_task *task);
/* Runs what is waiting, waits for it, and ends the threads. Nothing may be submitted any more, but
 * by running tasks. NULL is welcome. */
void wr_pool_close(struct wr_pool *pool);

struct wr_pool_figures {
    int n_threads;
    int n_busy;
    int64_t n_waiting; /* tasks that no thread has begun */
};
void wr_pool_look(struct wr_pool *pool, struct wr_pool_figures *ret_figures);

#endif
