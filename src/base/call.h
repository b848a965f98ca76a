/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a kind that changes something or waits for its source, and how it learns that nobody
 * wants its result any more.
 *
 * Who calls (the engine, a session):                Who is called (a kind):
 *
 *     struct wr_call *call = wr_call_new();             struct wr_call_watch watch;
 *     wr_call_enter(call);                              wr_call_watch(&watch, stop, &work);
 *     kind->insert(...);                                ... stop(&work) may be called now ...
 *     wr_call_leave(call);                              wr_call_unwatch(&watch);
 *     wr_call_release(call);
 *
 * 1. A call is served by the thread that entered it, until it leaves; others may cancel it, at any
 *    time, also before and after. A thread may enter a call within another one: the inner one
 *    counts.
 * 2. `stop` is called once at most, from any thread; at once, when the call was cancelled before.
 *    It must not wait, nor watch. After wr_call_unwatch it does not run, and will not.
 * 3. A thread that serves no call may watch as well, and hears nothing.
 * 4. Where several threads work for one call, each has a place of its own (wr_call_serve).
 */
#ifndef WR_CALL_H
#define WR_CALL_H

#include <stdbool.h>

struct wr_call;

struct wr_call_watch {
    void (*stop)(void *context);
    void *context;
    struct wr_call *call; /* NULL: there is none */
    struct wr_call_watch *next;
};

/* With one reference; NULL for want of memory. The functions below take NULL for no call. */
struct wr_call *wr_call_new(void);
void wr_call_release(struct wr_call *call);
/* Holds a reference until it is left. */
void wr_call_enter(struct wr_call *call);
void wr_call_leave(struct wr_call *call);
/* From any thread. */
void wr_call_cancel(struct wr_call *call);
bool wr_call_is_cancelled(struct wr_call *call);

/* A thread's part in a call that others may serve at the same time: the place is its own until
 * wr_call_unserve, which the same thread calls. With NULL the thread serves none meanwhile. */
struct wr_call_service {
    struct wr_call *call, *outer;
};
void wr_call_serve(struct wr_call_service *service, struct wr_call *call);
void wr_call_unserve(struct wr_call_service *service);
/* What this thread serves; NULL: nothing. Without a reference. */
struct wr_call *wr_call_current(void);

void wr_call_watch(struct wr_call_watch *watch, void (*stop)(void *context), void *context);
void wr_call_unwatch(struct wr_call_watch *watch);

/* A watch that another thread may end, with wr_call_watch_free. NULL when this thread serves no
 * call, and for want of memory. */
struct wr_call_watch *wr_call_watch_new(void (*stop)(void *context), void *context);
void wr_call_watch_free(struct wr_call_watch *watch);

#endif
