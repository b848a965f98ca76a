/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <unistd.h>

#include "host/host.h"

#define CLOSE_NS                                                                                   \
    (INT64_C(5) * 1000000000) /* what a source's code has to come to its next batch                \
                               */

/* Its public name is newer than the limited API that this is compiled against. */
static bool is_finalizing(void) {
    static int (*_Atomic known)(void);
    int (*ask)(void) = known;
    if (!ask) {
        ask = (int (*)(void))dlsym(RTLD_DEFAULT, "Py_IsFinalizing");
        if (!ask) ask = (int (*)(void))dlsym(RTLD_DEFAULT, "_Py_IsFinalizing");
        known = ask;
    }
    return ask && ask();
}

/*
 * A thread that asks for the GIL of an interpreter that is being finalized is ended by it on the
 * spot, through frames that cannot be unwound. So before that, while Python code still runs
 * (atexit), the door is closed and those inside are waited for.
 */
static _Atomic bool is_closed;
static _Atomic int64_t n_inside;

bool wp_gil_is_closed(void) {
    return atomic_load(&is_closed);
}

void wp_gil_close(void) {
    int64_t start = wp_now_ns();
    atomic_store(&is_closed, true);
    while (atomic_load(&n_inside) > 0 && wp_now_ns() - start < CLOSE_NS)
        usleep(1000);
}

bool wp_gil_take(struct wp_gil *gil, struct wp_times *times) {
    return wp_gil_take_since(gil, times, times ? wp_now_ns() : 0);
}

bool wp_gil_take_since(struct wp_gil *gil, struct wp_times *times, int64_t asked) {
    atomic_fetch_add(&n_inside, 1);
    if (atomic_load(&is_closed) || !Py_IsInitialized() || is_finalizing()) {
        atomic_fetch_sub(&n_inside, 1);
        return false;
    }
    gil->state = PyGILState_Ensure();
    gil->times = times;
    if (times) {
        gil->since = wp_now_ns();
        atomic_fetch_add(&times->wait_ns, gil->since - asked);
    }
    return true;
}

int64_t wp_gil_give(struct wp_gil *gil) {
    int64_t now = gil->times ? wp_now_ns() : 0;
    if (gil->times) atomic_fetch_add(&gil->times->python_ns, now - gil->since);
    PyGILState_Release(gil->state);
    atomic_fetch_sub(&n_inside, 1);
    return now;
}

/* A turn within a turn, which ends when the stream does. */
void wpy_stay(struct wp_stay *stay) {
    if (stay->is_known && pthread_equal(stay->thread, pthread_self())) return;
    PyGILState_Ensure();
    *stay = (struct wp_stay){pthread_self(), true};
}

void wpy_leave(struct wp_stay *stay) {
    if (stay->is_known && pthread_equal(stay->thread, pthread_self()))
        PyGILState_Release(PyGILState_LOCKED);
    stay->is_known = false;
}
