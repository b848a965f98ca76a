/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/condition.h"
#include "table/adbc/core.h"

struct timespec wr_adbc_time(int64_t milliseconds) {
    return (struct timespec){.tv_sec = milliseconds / 1000,
                             .tv_nsec = milliseconds % 1000 * 1000000};
}

/* ---- Threads ---- */

/*
 * A thread that has nothing more to do waits a while for other work. What runs on it is drivers,
 * which keep a lot of memory per thread: a new one would fault its pages in for each statement.
 */
enum { PARKED_SECONDS = 10 };

struct parked {
    void *(*run)(void *context); /* NULL: there is none yet */
    void *context;
    pthread_cond_t called;
    struct parked *next;
};

static pthread_mutex_t parked_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct parked *parked_first; /* the last to have worked is the first to work again */

static void forget_parked(struct parked *self) {
    struct parked **at = &parked_first;
    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
}

/* Whether there is other work now. */
static bool park(struct parked *self) {
    int64_t until_ms = wr_clock_ms() + PARKED_SECONDS * INT64_C(1000);
    struct timespec until = wr_adbc_time(until_ms);
    self->run = NULL;
    pthread_mutex_lock(&parked_mutex);
    self->next = parked_first;
    parked_first = self;
    int waited = 0;
    while (!self->run && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&self->called, &parked_mutex, &until);
    bool called = self->run != NULL;
    if (!called) forget_parked(self);
    pthread_mutex_unlock(&parked_mutex);
    return called;
}

static void *run_thread(void *context) {
    struct parked self = *(struct parked *)context;
    wr_free(context);
    wr_condition_init(&self.called);
    do {
        self.run(self.context);
    } while (park(&self));
    pthread_cond_destroy(&self.called);
    return NULL;
}

static bool call_parked(void *(*run)(void *context), void *context) {
    pthread_mutex_lock(&parked_mutex);
    struct parked *parked = parked_first;
    if (parked) {
        parked_first = parked->next;
        parked->run = run;
        parked->context = context;
        pthread_cond_signal(&parked->called);
    }
    pthread_mutex_unlock(&parked_mutex);
    return parked != NULL;
}

static bool start_thread(struct parked *work) {
    /* Signals are for the threads of the program. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int errnum = pthread_create(&thread, &attributes, run_thread, work);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum == 0;
}

bool wr_adbc_thread(void *(*run)(void *context), void *context) {
    if (call_parked(run, context)) return true;
    struct parked *work = wr_calloc(1, sizeof *work);
    if (!work) return false;
    work->run = run;
    work->context = context;
    bool started = start_thread(work);
    if (!started) wr_free(work);
    return started;
}

/* ---- The end of the process ---- */

enum { SETTLE_MS = 1000 };

static atomic_int n_busy;
static pthread_once_t settle_once = PTHREAD_ONCE_INIT;

void wr_adbc_busy_begin(void) {
    atomic_fetch_add(&n_busy, 1);
}

void wr_adbc_busy_end(void) {
    atomic_fetch_sub(&n_busy, 1);
}

static void settle(void) {
    int64_t deadline = wr_clock_ms() + SETTLE_MS;
    struct timespec pause = wr_adbc_time(2);
    while (atomic_load(&n_busy) > 0 && wr_clock_ms() < deadline)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void settle_later(void) {
    atexit(settle); /* without room for it there is no waiting */
}

void wr_adbc_settle_at_exit(void) {
    pthread_once(&settle_once, settle_later);
}

/* ---- Jobs ---- */

struct job {
    void (*work)(void *context);
    void (*drop)(void *context);
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done, left;
    bool cancelled; /* by the call that waits for it */
};

static void free_job(struct job *job) {
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->mutex);
    wr_free(job);
}

static void *run_job(void *context) {
    struct job *job = context;
    job->work(job->context);
    pthread_mutex_lock(&job->mutex);
    job->done = true;
    bool left = job->left;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->mutex);
    if (left) {
        job->drop(job->context);
        free_job(job);
    }
    wr_adbc_busy_end();
    return NULL;
}

static struct job *new_job(void (*work)(void *), void (*drop)(void *), void *context) {
    struct job *job = wr_calloc(1, sizeof *job);
    if (!job) return NULL;
    job->work = work;
    job->drop = drop;
    job->context = context;
    pthread_mutex_init(&job->mutex, NULL);
    wr_condition_init(&job->changed);
    return job;
}

static void cancel_job(void *context) {
    struct job *job = context;
    pthread_mutex_lock(&job->mutex);
    job->cancelled = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->mutex);
}

bool wr_adbc_run_within(void (*work)(void *context), void (*drop)(void *context), void *context,
                        int64_t deadline_ms) {
    struct job *job = new_job(work, drop, context);
    wr_adbc_busy_begin();
    if (!job || !wr_adbc_thread(run_job, job)) {
        /* Without a thread it is done here, and waited for. */
        wr_adbc_busy_end();
        if (job) free_job(job);
        work(context);
        return true;
    }
    bool is_limited = deadline_ms != INT64_MAX;
    struct timespec deadline = wr_adbc_time(is_limited ? deadline_ms : 0);
    struct wr_call_watch watch;
    wr_call_watch(&watch, cancel_job, job);
    pthread_mutex_lock(&job->mutex);
    int waited = 0;
    while (!job->done && !job->cancelled && waited != ETIMEDOUT)
        waited = is_limited ? pthread_cond_timedwait(&job->changed, &job->mutex, &deadline)
                            : pthread_cond_wait(&job->changed, &job->mutex);
    pthread_mutex_unlock(&job->mutex);
    wr_call_unwatch(&watch); /* not with the mutex held, which it may wait for */
    pthread_mutex_lock(&job->mutex);
    bool done = job->done;
    job->left = !done;
    pthread_mutex_unlock(&job->mutex);
    if (done) free_job(job);
    return done;
}
