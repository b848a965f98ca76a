/* SPDX-License-Identifier: Apache-2.0 */
#include "base/call.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

struct wr_call {
    pthread_mutex_t mutex; /* guards the rest; held while a watch is told */
    int n_references;
    bool is_cancelled;
    struct wr_call_watch *watches;
    unsigned char place[WR_CALL_PLACE];
};

static _Thread_local struct wr_call *serving;

struct wr_call *wr_call_new(void) {
    struct wr_call *call = wr_calloc(1, sizeof *call);
    if (!call) return NULL;
    if (pthread_mutex_init(&call->mutex, NULL)) {
        wr_free(call);
        return NULL;
    }
    call->n_references = 1;
    wr_call_current_place(call->place);
    return call;
}

void wr_call_set_place(struct wr_call *call, const unsigned char *place) {
    if (call) memcpy(call->place, place, WR_CALL_PLACE);
}

void wr_call_current_place(unsigned char *ret_place) {
    if (serving) memcpy(ret_place, serving->place, WR_CALL_PLACE);
}

void wr_call_release(struct wr_call *call) {
    if (!call) return;
    pthread_mutex_lock(&call->mutex);
    bool is_last = --call->n_references == 0;
    pthread_mutex_unlock(&call->mutex);
    if (!is_last) return;
    pthread_mutex_destroy(&call->mutex);
    wr_free(call);
}

static void retain(struct wr_call *call) {
    pthread_mutex_lock(&call->mutex);
    call->n_references++;
    pthread_mutex_unlock(&call->mutex);
}

void wr_call_serve(struct wr_call_service *service, struct wr_call *call) {
    if (call) retain(call);
    *service = (struct wr_call_service){.call = call, .outer = serving};
    serving = call;
}

void wr_call_unserve(struct wr_call_service *service) {
    serving = service->outer;
    wr_call_release(service->call);
}

struct wr_call *wr_call_current(void) {
    return serving;
}

bool wr_call_is_cancelled(struct wr_call *call) {
    if (!call) return false;
    pthread_mutex_lock(&call->mutex);
    bool is_cancelled = call->is_cancelled;
    pthread_mutex_unlock(&call->mutex);
    return is_cancelled;
}

void wr_call_cancel(struct wr_call *call) {
    if (!call) return;
    pthread_mutex_lock(&call->mutex);
    bool is_first = !call->is_cancelled;
    call->is_cancelled = true;
    for (struct wr_call_watch *watch = call->watches; is_first && watch; watch = watch->next)
        watch->stop(watch->context);
    pthread_mutex_unlock(&call->mutex);
}

void wr_call_watch(struct wr_call_watch *watch, void (*stop)(void *context), void *context) {
    struct wr_call *call = serving;
    *watch = (struct wr_call_watch){.stop = stop, .context = context, .call = call};
    if (!call) return;
    pthread_mutex_lock(&call->mutex);
    watch->next = call->watches;
    call->watches = watch;
    if (call->is_cancelled) stop(context);
    pthread_mutex_unlock(&call->mutex);
}

void wr_call_unwatch(struct wr_call_watch *watch) {
    struct wr_call *call = watch->call;
    if (!call) return;
    pthread_mutex_lock(&call->mutex);
    struct wr_call_watch **at = &call->watches;
    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at) *at = watch->next;
    pthread_mutex_unlock(&call->mutex);
    watch->call = NULL;
}

struct wr_call_watch *wr_call_watch_new(void (*stop)(void *context), void *context) {
    struct wr_call_watch *watch = serving ? wr_calloc(1, sizeof *watch) : NULL;
    if (!watch) return NULL;
    retain(serving);
    wr_call_watch(watch, stop, context);
    return watch;
}

void wr_call_watch_free(struct wr_call_watch *watch) {
    if (!watch) return;
    struct wr_call *call = watch->call;
    wr_call_unwatch(watch);
    wr_call_release(call);
    wr_free(watch);
}
