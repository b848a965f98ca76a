/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"

/* What a thread waits for work before it ends. Another one costs some 50 us, its stack what it
 * used of it. */
enum { IDLE_SECONDS = 2 };

struct wr_pool {
    atomic_int n_signalling; /* threads that are about to signal `work` */
    pthread_mutex_t mutex;   /* guards what follows */
    pthread_cond_t work;
    pthread_cond_t ended; /* a thread did */
    struct wr_task *first, *last;
    int64_t n_waiting;
    int n_threads;
    int n_idle;
    int max_threads;
    bool closing;
    char name[16];
};

/* With the mutex held. NULL: the thread is to end. */
static struct wr_task *take(struct wr_pool *pool) {
    struct timespec until = wr_condition_deadline(IDLE_SECONDS * 1000);
    while (!pool->first) {
        if (pool->closing) return NULL;
        pool->n_idle++;
        int code = pthread_cond_timedwait(&pool->work, &pool->mutex, &until);
        pool->n_idle--;
        /* The last one stays: see wr_pool_open. */
        if (code == ETIMEDOUT && !pool->first) {
            if (pool->n_threads > 1) return NULL;
            until.tv_sec += IDLE_SECONDS;
        }
    }
    struct wr_task *task = pool->first;
    pool->first = task->next;
    if (!pool->first) pool->last = NULL;
    pool->n_waiting--;
    return task;
}

/* Signals are for the program's own threads: what handles them was not written for these. */
static void block_signals(void) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void *work(void *context) {
    struct wr_pool *pool = context;
    struct wr_task *task;
    block_signals();
    pthread_mutex_lock(&pool->mutex);
    while ((task = take(pool))) {
        pthread_mutex_unlock(&pool->mutex);
        task->run(task);
        pthread_mutex_lock(&pool->mutex);
    }
    pool->n_threads--;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* With the mutex held, which the new thread waits for. */
static int start(struct wr_pool *pool) {
    pthread_attr_t attributes;
    pthread_t thread;
    int code = pthread_attr_init(&attributes);
    if (code) return code;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    code = pthread_create(&thread, &attributes, work, pool);
    if (code == 0) {
        pthread_setname_np(thread, pool->name);
        pool->n_threads++;
    }
    pthread_attr_destroy(&attributes);
    return code;
}

int wr_pool_open(const char *name, int max_threads, struct wr_pool **ret_pool,
                 struct weir_error *error) {
    struct wr_pool *pool = wr_calloc(1, sizeof *pool);
    if (!pool) return wr_error_memory(error);
    pthread_mutex_init(&pool->mutex, NULL);
    wr_condition_init(&pool->work);
    wr_condition_init(&pool->ended);
    pool->max_threads = max_threads > 0 ? max_threads : 1;
    snprintf(pool->name, sizeof pool->name, "%s", name);
    pthread_mutex_lock(&pool->mutex);
    int errnum = start(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (errnum) {
        wr_pool_close(pool);
        return wr_error_errno(error, errnum, "cannot start a thread");
    }
    *ret_pool = pool;
    return WEIR_OK;
}

void wr_pool_submit(struct wr_pool *pool, struct wr_task *task) {
    task->next = NULL;
    pthread_mutex_lock(&pool->mutex);
    if (pool->last) {
        pool->last->next = task;
    } else {
        pool->first = task;
    }
    pool->last = task;
    pool->n_waiting++;
    /* Where no more threads can be had, those that are there do it. */
    if (pool->n_waiting > pool->n_idle && pool->n_threads < pool->max_threads) (void)start(pool);
    atomic_fetch_add(&pool->n_signalling, 1);
    pthread_mutex_unlock(&pool->mutex);
    /* Without the mutex, which the thread that wakes takes first. */
    pthread_cond_signal(&pool->work);
    atomic_fetch_sub(&pool->n_signalling, 1);
}

void wr_pool_close(struct wr_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->n_threads > 0)
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    /* Who submitted what was run meanwhile may not have signalled yet. */
    while (atomic_load(&pool->n_signalling) > 0)
        sched_yield();
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    wr_free(pool);
}

void wr_pool_look(struct wr_pool *pool, struct wr_pool_figures *ret_figures) {
    pthread_mutex_lock(&pool->mutex);
    *ret_figures =
        (struct wr_pool_figures){pool->n_threads, pool->n_threads - pool->n_idle, pool->n_waiting};
    pthread_mutex_unlock(&pool->mutex);
}
