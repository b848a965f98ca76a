/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a kind that changes something or waits for its source, and how it learns that nobody
 * wants its result any more.
 *
 * Who calls (the engine, a session):                Who is called (a kind):
 *
 *     struct wr_call *call = wr_call_new();             struct wr_call_watch watch;
 *     wr_call_serve(&service, call);                    wr_call_watch(&watch, stop, &work);
 *     kind->insert(...);                                ... stop(&work) may be called now ...
 *     wr_call_unserve(&service);                        wr_call_unwatch(&watch);
 *     wr_call_release(call);
 *
 * 1. Threads serve a call, each at a place of its own, which holds a reference; others may cancel
 *    it, at any time, also before and after. A thread may serve a call within another one: the
 *    inner one counts.
 * 2. `stop` is called once at most, from any thread; at once, when the call was cancelled before.
 *    It must not wait, nor watch. After wr_call_unwatch it does not run, and will not.
 * 3. A thread that serves no call may watch as well, and hears nothing.
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
/* From any thread. */
void wr_call_cancel(struct wr_call *call);
bool wr_call_is_cancelled(struct wr_call *call);

/* The place is the thread's until wr_call_unserve, which it calls itself. With NULL it serves none
 * meanwhile. */
struct wr_call_service {
    struct wr_call *call, *outer;
};
void wr_call_serve(struct wr_call_service *service, struct wr_call *call);
void wr_call_unserve(struct wr_call_service *service);
/* What this thread serves; NULL: nothing. Without a reference. */
struct wr_call *wr_call_current(void);

/*
 * Its place in a trace, which a call that is made while another one is served takes over: the ids
 * of trace and span (W3C Trace Context). Set before others know the call; `ret_place` is untouched
 * where this thread serves a call without one.
 */
enum { WR_CALL_PLACE = 24 };
void wr_call_set_place(struct wr_call *call, const unsigned char *place);
void wr_call_current_place(unsigned char *ret_place);

void wr_call_watch(struct wr_call_watch *watch, void (*stop)(void *context), void *context);
void wr_call_unwatch(struct wr_call_watch *watch);

/* A watch that another thread may end, with wr_call_watch_free. NULL when this thread serves no
 * call, and for want of memory. */
struct wr_call_watch *wr_call_watch_new(void (*stop)(void *context), void *context);
void wr_call_watch_free(struct wr_call_watch *watch);

#endif
