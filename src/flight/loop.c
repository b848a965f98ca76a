/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "flight/loop_timers.h"

enum { EVENTS_AT_ONCE = 64 };

struct posts {
    struct wr_post *first, *last;
};

struct wr_loop {
    int epoll_fd;
    struct wr_watch wake; /* an eventfd */
    pthread_t thread;
    bool is_started;
    char *buffer;
    struct wr_timers timers;
    int64_t now;
    struct posts later;

    pthread_mutex_t mutex; /* guards what follows, and is_posted of what is posted */
    struct posts posts;
    bool is_asleep;
    bool is_ending;
};

int64_t wr_loop_now(const struct wr_loop *loop) {
    return loop->now;
}

char *wr_loop_buffer(struct wr_loop *loop) {
    return loop->buffer;
}

static void append(struct posts *posts, struct wr_post *post) {
    post->next = NULL;
    post->is_posted = true;
    if (posts->last) {
        posts->last->next = post;
    } else {
        posts->first = post;
    }
    posts->last = post;
}

static struct wr_post *take(struct posts *posts) {
    struct wr_post *post = posts->first;
    if (!post) return NULL;
    posts->first = post->next;
    if (!posts->first) posts->last = NULL;
    post->is_posted = false;
    return post;
}

static void wake(struct wr_loop *loop) {
    uint64_t one = 1;
    /* Fails only when the counter is full, and then it is awake. */
    ssize_t n = write(loop->wake.fd, &one, sizeof one);
    (void)n;
}

static void awoken(struct wr_watch *watch, uint32_t events) {
    (void)events;
    uint64_t count;
    ssize_t n = read(watch->fd, &count, sizeof count);
    (void)n;
}

bool wr_loop_post(struct wr_loop *loop, struct wr_post *post) {
    pthread_mutex_lock(&loop->mutex);
    bool is_new = !post->is_posted;
    if (is_new) append(&loop->posts, post);
    bool is_asleep = loop->is_asleep;
    loop->is_asleep = false;
    pthread_mutex_unlock(&loop->mutex);
    if (is_asleep) wake(loop);
    return is_new;
}

void wr_loop_later(struct wr_loop *loop, struct wr_post *post) {
    if (!post->is_posted) append(&loop->later, post);
}

/* What is posted meanwhile waits for the next turn, so that sockets have theirs. */
static void run_posts(struct wr_loop *loop) {
    pthread_mutex_lock(&loop->mutex);
    struct wr_post *last = loop->posts.last, *post = NULL;
    while (post != last && (post = take(&loop->posts))) {
        pthread_mutex_unlock(&loop->mutex);
        post->run(post);
        pthread_mutex_lock(&loop->mutex);
    }
    pthread_mutex_unlock(&loop->mutex);
}

static void run_later(struct wr_loop *loop) {
    struct wr_post *post;
    while ((post = take(&loop->later)))
        post->run(post);
}

static void run_timers(struct wr_loop *loop) {
    struct wr_timer *timer;
    while ((timer = wr_timers_first(&loop->timers)) && timer->at <= loop->now) {
        wr_timers_clear(&loop->timers, timer);
        timer->fire(timer);
    }
}

/* Milliseconds until the next timer for epoll_wait; -1: none. */
static int patience(const struct wr_loop *loop) {
    const struct wr_timer *timer = wr_timers_first(&loop->timers);
    if (!timer) return -1;
    int64_t left = timer->at - wr_clock_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static bool prepare_to_sleep(struct wr_loop *loop, int *timeout) {
    pthread_mutex_lock(&loop->mutex);
    bool has_posts = loop->posts.first != NULL;
    bool is_ending = loop->is_ending && !has_posts;
    loop->is_asleep = !has_posts;
    pthread_mutex_unlock(&loop->mutex);
    *timeout = has_posts ? 0 : patience(loop);
    return !is_ending;
}

static void *run(void *context) {
    struct wr_loop *loop = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    int timeout;
    while (prepare_to_sleep(loop, &timeout)) {
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout);
        pthread_mutex_lock(&loop->mutex);
        loop->is_asleep = false;
        pthread_mutex_unlock(&loop->mutex);
        loop->now = wr_clock_ms();
        for (int i = 0; i < n; i++) {
            struct wr_watch *watch = events[i].data.ptr;
            if (watch->fd >= 0) watch->ready(watch, events[i].events);
        }
        run_posts(loop);
        run_timers(loop);
        run_later(loop);
    }
    return NULL;
}

int wr_loop_watch(struct wr_loop *loop, struct wr_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) ? errno : 0;
}

int wr_loop_rewatch(struct wr_loop *loop, struct wr_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) ? errno : 0;
}

void wr_loop_unwatch(struct wr_loop *loop, struct wr_watch *watch) {
    if (watch->fd < 0) return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
}

bool wr_loop_set_timer(struct wr_loop *loop, struct wr_timer *timer, int64_t at) {
    return wr_timers_set(&loop->timers, timer, at);
}

void wr_loop_clear_timer(struct wr_loop *loop, struct wr_timer *timer) {
    wr_timers_clear(&loop->timers, timer);
}

int wr_loop_open(struct wr_loop **ret_loop, struct weir_error *error) {
    struct wr_loop *loop = wr_calloc(1, sizeof *loop);
    if (!loop) return wr_error_memory(error);
    pthread_mutex_init(&loop->mutex, NULL);
    loop->now = wr_clock_ms();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = (struct wr_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), awoken};
    loop->buffer = wr_malloc(WR_LOOP_BUFFER);
    int code = WEIR_OK, errnum = errno;
    if (!loop->buffer) {
        code = wr_error_memory(error);
    } else if (loop->epoll_fd < 0 || loop->wake.fd < 0) {
        code = wr_error_errno(error, errnum, "cannot wait for connections");
    } else if ((errnum = wr_loop_watch(loop, &loop->wake, EPOLLIN))) {
        code = wr_error_errno(error, errnum, "cannot wait for connections");
    }
    if (code) {
        wr_loop_close(loop);
        return code;
    }
    *ret_loop = loop;
    return WEIR_OK;
}

int wr_loop_start(struct wr_loop *loop, const char *name, struct weir_error *error) {
    /* The new thread inherits what is blocked: signals are for the program's own threads. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int errnum = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (errnum) return wr_error_errno(error, errnum, "cannot start a thread");
    pthread_setname_np(loop->thread, name);
    loop->is_started = true;
    return WEIR_OK;
}

void wr_loop_close(struct wr_loop *loop) {
    if (!loop) return;
    if (loop->is_started) {
        pthread_mutex_lock(&loop->mutex);
        loop->is_ending = true;
        pthread_mutex_unlock(&loop->mutex);
        wake(loop);
        pthread_join(loop->thread, NULL);
    }
    wr_timers_reset(&loop->timers);
    wr_free(loop->buffer);
    if (loop->wake.fd >= 0) close(loop->wake.fd);
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    pthread_mutex_destroy(&loop->mutex);
    wr_free(loop);
}
