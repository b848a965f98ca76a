/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches under way: one for each table, whoever waits for it. */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "table/cached/caches.h"

/* How often one who waits asks whether it still shall. */
enum { WAKE_MS = 20 };

int64_t wr_cached_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t monotonic_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- With the mutex held ---- */

static void release(struct wr_flight *flight) {
    if (--flight->references == 0) wr_free(flight);
}

static void cancel(struct wr_flight *flight) {
    flight->cancelled = true;
    if (flight->run) flight->cancel(flight->run);
}

static void wait_a_while(struct wr_caches *caches) {
    struct timespec until = wr_condition_deadline(WAKE_MS);
    pthread_cond_timedwait(&caches->changed, &caches->mutex, &until);
}

/* ---- A flight's thread ---- */

static void *fly(void *context) {
    struct wr_flight *flight = context;
    struct wr_caches *caches = flight->cache->caches;
    struct weir_error error = {0};
    int code = wr_cache_refresh(flight, &error);
    pthread_mutex_lock(&caches->mutex);
    flight->code = code;
    flight->error = error;
    flight->done = true;
    flight->cache->flight = NULL;
    release(flight);
    caches->n_flights--;
    pthread_cond_broadcast(&caches->changed);
    pthread_mutex_unlock(&caches->mutex);
    return NULL;
}

/* With the mutex held. */
static int begin(struct wr_cached_table *cache, int64_t not_before, bool whole,
                 struct wr_flight **ret_flight, struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    if (caches->stopping)
        return wr_error_set(error, WEIR_CANCELLED, NULL, "the workspace is being closed");
    struct wr_flight *flight = wr_calloc(1, sizeof *flight);
    if (!flight) return wr_error_memory(error);
    flight->cache = cache;
    flight->references = 1;
    flight->not_before = not_before;
    flight->whole = whole;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int errnum = pthread_create(&thread, &attributes, fly, flight);
    pthread_attr_destroy(&attributes);
    if (errnum) {
        wr_free(flight);
        return wr_error_errno(error, errnum, "no thread for fetching a table");
    }
    caches->n_flights++;
    cache->flight = flight;
    *ret_flight = flight;
    return WEIR_OK;
}

void wr_flight_begin(struct wr_cached_table *cache, int64_t not_before) {
    struct wr_flight *flight = NULL;
    pthread_mutex_lock(&cache->caches->mutex);
    if (!cache->flight && begin(cache, not_before, false, &flight, NULL) == WEIR_OK)
        flight->background = true;
    pthread_mutex_unlock(&cache->caches->mutex);
}

/* ---- Waiting ---- */

/* With the mutex held. Whether what this flight brings will do; one that has not begun yet brings
 * what it is told to. */
static bool suits(struct wr_flight *flight, const struct wr_demand *demand) {
    if (flight->cancelled) return false;
    if (flight->started_at > 0)
        return flight->started_at >= demand->not_before && (flight->whole || !demand->whole);
    if (flight->not_before < demand->not_before) flight->not_before = demand->not_before;
    flight->whole = flight->whole || demand->whole;
    return true;
}

/* With the mutex held. A fetch that would wait for itself is one of a table that reads itself. */
static int check_cycle(const struct wr_flight *asking, const struct wr_flight *flight,
                       struct weir_error *error) {
    for (const struct wr_flight *one = flight; asking && one; one = one->waits_for) {
        if (one != asking) continue;
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42P19",
                            "the cached table \"%s\" reads itself, through its source \"%s\"",
                            asking->cache->name, asking->cache->source_name);
    }
    return WEIR_OK;
}

struct patience {
    const struct wr_demand *demand;
    struct wr_flight *asking;
    int64_t until; /* monotonic; 0: forever */
};

static int lost(const struct wr_cached_table *cache, const struct patience *patience,
                struct weir_error *error) {
    const struct wr_demand *demand = patience->demand;
    bool cancelled = demand->is_cancelled && demand->is_cancelled(demand->context);
    if (cancelled || (patience->asking && patience->asking->cancelled))
        return wr_error_set(error, WEIR_CANCELLED, NULL, "cancelled while \"%s\" was fetched",
                            cache->source_name);
    if (cache->caches->stopping)
        return wr_error_set(error, WEIR_CANCELLED, NULL, "the workspace is being closed");
    if (patience->until == 0 || monotonic_us() < patience->until) return WEIR_OK;
    return wr_error_set(error, WEIR_TIMEOUT, NULL,
                        "it was not there within the table's timeout of %lld ms",
                        (long long)cache->policy.timeout / 1000);
}

/* With the mutex held, which is given up meanwhile. `wanted`: this one's result is. */
static int wait_for(struct wr_flight *flight, const struct patience *patience, bool wanted,
                    struct weir_error *error) {
    struct wr_cached_table *cache = flight->cache;
    WR_TRY(check_cycle(patience->asking, flight, error));
    flight->references++;
    if (wanted) flight->n_waiting++;
    if (patience->asking) patience->asking->waits_for = flight;
    int code = WEIR_OK;
    while (!flight->done && code == WEIR_OK) {
        wait_a_while(cache->caches);
        if (!flight->done) code = lost(cache, patience, error);
    }
    if (patience->asking) patience->asking->waits_for = NULL;
    if (wanted && --flight->n_waiting == 0 && !flight->done && !flight->background) cancel(flight);
    if (code == WEIR_OK && wanted && flight->code) {
        if (error) *error = flight->error;
        code = flight->code;
    }
    release(flight);
    return code;
}

int wr_flight_wait(struct wr_cached_table *cache, const struct wr_demand *demand,
                   struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    struct patience patience = {.demand = demand, .asking = wr_caches_asking()};
    if (cache->policy.timeout > 0) patience.until = monotonic_us() + cache->policy.timeout;
    pthread_mutex_lock(&caches->mutex);
    int code = WEIR_OK;
    while (code == WEIR_OK && cache->flight && !suits(cache->flight, demand))
        code = wait_for(cache->flight, &patience, false, error);
    struct wr_flight *flight = cache->flight;
    if (code == WEIR_OK && !flight)
        code = begin(cache, demand->not_before, demand->whole, &flight, error);
    if (code == WEIR_OK) code = wait_for(flight, &patience, true, error);
    pthread_mutex_unlock(&caches->mutex);
    return code;
}

/* ---- For the engine's side ---- */

void wr_flight_run(struct wr_flight *flight, void (*cancel_run)(void *run), void *run) {
    struct wr_caches *caches = flight->cache->caches;
    pthread_mutex_lock(&caches->mutex);
    flight->cancel = cancel_run;
    flight->run = run;
    if (run && flight->cancelled) cancel_run(run);
    pthread_mutex_unlock(&caches->mutex);
}

bool wr_flight_is_cancelled(struct wr_flight *flight) {
    struct wr_caches *caches = flight->cache->caches;
    pthread_mutex_lock(&caches->mutex);
    bool cancelled = flight->cancelled || caches->stopping;
    pthread_mutex_unlock(&caches->mutex);
    return cancelled;
}
