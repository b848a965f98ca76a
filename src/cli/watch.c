/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "text.h"

enum { TICK_MS = 100, PROGRESS_AFTER_MS = 1000 };

/* Signals reach only the process, so what a handler touches has to be the process's. */
static volatile sig_atomic_t signal_seen;
static volatile sig_atomic_t staged_set;
static char staged_file[PATH_MAX];
static bool ends_at_second_signal;
static int wake_pipe[2] = {-1, -1};

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    struct prepared *prepared;
    struct connection *connection;
    int64_t started;
    int64_t limit_ms;
    int reason;
    bool running;
    bool progress;
    bool unicode;
    bool drawn;
    bool ended;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void on_signal(int number) {
    int saved = errno;
    if (signal_seen != 0 && ends_at_second_signal) {
        if (staged_set) unlink(staged_file);
        _exit(128 + number);
    }
    signal_seen = number;
    ssize_t ignored = write(wake_pipe[1], "", 1); /* full: the watcher is awake anyway */
    (void)ignored;
    errno = saved;
}

int watch_install(bool one_shot, struct weir_error *error) {
    struct sigaction action = {.sa_handler = on_signal};

    ends_at_second_signal = one_shot;
    if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return wr_error_errno(error, errno, "cannot make a pipe for signals");
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    if (one_shot) {
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGHUP, &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    return WEIR_OK;
}

void watch_block(bool block) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}

int watch_interrupted(void) {
    return signal_seen;
}

void watch_staged_file(const char *path) {
    staged_set = 0;
    if (path == NULL || strlen(path) >= sizeof staged_file) return;
    strcpy(staged_file, path);
    staged_set = 1;
}

static void erase_progress(void) {
    if (watch.drawn) progress_erase();
    watch.drawn = false;
}

/* One look at the work; the mutex is held. */
static void tick(void) {
    struct weir_progress progress = {.size = sizeof progress};
    int64_t elapsed = text_now() - watch.started;

    if (signal_seen != 0)
        watch.reason = WATCH_INTERRUPTED;
    else if (watch.limit_ms > 0 && elapsed >= watch.limit_ms)
        watch.reason = WATCH_TIMED_OUT;
    /* Again at every tick: a cancel just before the execution starts does not reach it. */
    if (watch.reason != WATCH_NONE && watch.connection != NULL)
        watch.connection->type->interrupt(watch.connection);
    if (watch.prepared == NULL) return;
    if (watch.reason != WATCH_NONE) {
        watch.prepared->type->cancel(watch.prepared);
    } else if (watch.progress && elapsed >= PROGRESS_AFTER_MS &&
               watch.prepared->type->progress(watch.prepared, &progress)) {
        progress_draw(&progress, elapsed, watch.unicode);
        watch.drawn = true;
    }
}

static void *run(void *unused) {
    char bytes[16];
    struct pollfd wake = {.fd = wake_pipe[0], .events = POLLIN};

    (void)unused;
    for (;;) {
        pthread_mutex_lock(&watch.mutex);
        bool ended = watch.ended;
        if (!ended) tick();
        int64_t left = watch.limit_ms - (text_now() - watch.started);
        int wait = watch.limit_ms > 0 && left > 0 && left < TICK_MS ? (int)left : TICK_MS;
        pthread_mutex_unlock(&watch.mutex);
        if (ended) return NULL;
        if (poll(&wake, 1, wait) > 0) {
            while (read(wake_pipe[0], bytes, sizeof bytes) > 0)
                continue;
        }
    }
}

int watch_begin(int64_t limit_ms, bool progress, bool unicode, struct weir_error *error) {
    /* In a one-shot program a signal that came between two statements still counts. */
    if (!ends_at_second_signal) signal_seen = 0;
    watch.prepared = NULL;
    watch.connection = NULL;
    watch.started = text_now();
    watch.limit_ms = limit_ms;
    watch.reason = WATCH_NONE;
    watch.progress = progress;
    watch.unicode = unicode;
    watch.drawn = watch.ended = false;
    watch_block(true);
    int errnum = pthread_create(&watch.thread, NULL, run, NULL);
    watch_block(false);
    watch.running = errnum == 0;
    return errnum == 0 ? WEIR_OK : wr_error_errno(error, errnum, "cannot start a thread");
}

void watch_attach(struct prepared *prepared) {
    pthread_mutex_lock(&watch.mutex);
    watch.prepared = prepared;
    pthread_mutex_unlock(&watch.mutex);
}

void watch_attach_connection(struct connection *connection) {
    pthread_mutex_lock(&watch.mutex);
    watch.connection = connection;
    pthread_mutex_unlock(&watch.mutex);
}

int watch_reason(void) {
    pthread_mutex_lock(&watch.mutex);
    if (watch.reason == WATCH_NONE && signal_seen != 0) watch.reason = WATCH_INTERRUPTED;
    int reason = watch.reason;
    pthread_mutex_unlock(&watch.mutex);
    return reason;
}

void watch_hide_progress(void) {
    if (!watch.running) return;
    pthread_mutex_lock(&watch.mutex);
    watch.progress = false;
    erase_progress();
    pthread_mutex_unlock(&watch.mutex);
}

int watch_end(void) {
    if (!watch.running) return WATCH_NONE;
    pthread_mutex_lock(&watch.mutex);
    watch.ended = true;
    watch.prepared = NULL;
    watch.connection = NULL;
    erase_progress();
    pthread_mutex_unlock(&watch.mutex);
    ssize_t ignored = write(wake_pipe[1], "", 1);
    (void)ignored;
    pthread_join(watch.thread, NULL);
    watch.running = false;
    return watch.reason;
}
