/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that waits for sockets, times and posts of other threads, on epoll.
 *
 * Threads: wr_loop_post may be called from any; everything else but open and close belongs to the
 * loop's own thread, or to anyone before wr_loop_start.
 */
#ifndef WR_LOOP_H
#define WR_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

struct wr_loop;

/* A descriptor that is waited for. `ready` gets EPOLLIN and the like. */
struct wr_watch {
    int fd; /* -1: no more */
    void (*ready)(struct wr_watch *watch, uint32_t events);
};

struct wr_timer {
    int64_t at;   /* milliseconds of wr_loop_now */
    size_t index; /* the loop's: its place, from 1; 0: not set */
    void (*fire)(struct wr_timer *timer);
};

/* Work for the loop's thread. It stands inside of what it works on, so that posting cannot fail. */
struct wr_post {
    struct wr_post *next; /* the loop's, as is the next one */
    bool is_posted;
    void (*run)(struct wr_post *post);
};

int wr_loop_open(struct wr_loop **ret_loop, struct weir_error *error);
int wr_loop_start(struct wr_loop *loop, const char *name, struct weir_error *error);
/* Runs what was posted, ends the thread and frees. NULL is welcome. */
void wr_loop_close(struct wr_loop *loop);

/* False: it is posted already and has not run yet. `run` may see it posted again at once. */
bool wr_loop_post(struct wr_loop *loop, struct wr_post *post);

/* Milliseconds of the monotonic clock, when the turn began. */
int64_t wr_loop_now(const struct wr_loop *loop);

/* At the end of this turn, in the order in which they were given. Does nothing for one that waits
 * already. A post is used for this or for wr_loop_post, not for both. */
void wr_loop_later(struct wr_loop *loop, struct wr_post *post);

int wr_loop_watch(struct wr_loop *loop, struct wr_watch *watch, uint32_t events);
int wr_loop_rewatch(struct wr_loop *loop, struct wr_watch *watch, uint32_t events);
/* `ready` is not called any more, also not for what epoll has told already, while the watch lives
 * until the end of the turn. Does not close the descriptor. */
void wr_loop_unwatch(struct wr_loop *loop, struct wr_watch *watch);

/* Sets it, or moves it. False: no memory. */
bool wr_loop_set_timer(struct wr_loop *loop, struct wr_timer *timer, int64_t at);
void wr_loop_clear_timer(struct wr_loop *loop, struct wr_timer *timer);

enum { WR_LOOP_BUFFER = 512 * 1024 };
/* Bytes for reading into, during one call of `ready`. */
char *wr_loop_buffer(struct wr_loop *loop);

#endif
