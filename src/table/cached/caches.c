/* SPDX-License-Identifier: Apache-2.0 */
/* The cached tables of one workspace: opening, the clock, the end. */
#include "table/cached/caches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/condition.h"
#include "base/error.h"
#include "table/cached/kind.h"

/* ---- This thread ---- */

static _Thread_local struct wr_flight *asking;
static _Thread_local bool making;
static _Thread_local struct {
    bool (*is_cancelled)(void *context);
    void *context;
} waiter;

struct wr_flight *wr_caches_enter(struct wr_flight *flight) {
    struct wr_flight *before = asking;
    asking = flight;
    return before;
}

void wr_caches_leave(struct wr_flight *before) {
    asking = before;
}

void wr_caches_making(bool is_making) {
    making = is_making;
}

void wr_caches_waiter(bool (*is_cancelled)(void *context), void *context) {
    waiter.is_cancelled = is_cancelled;
    waiter.context = context;
}

void wr_caches_add_waiter(struct wr_demand *demand) {
    demand->is_cancelled = waiter.is_cancelled;
    demand->context = waiter.context;
}

struct wr_flight *wr_caches_asking(void) {
    return asking;
}

bool wr_caches_is_making(void) {
    return making;
}

/*
 * The engine names its threads for planning so (engine/src/runtime.rs). Others ask for a form too:
 * its worker threads when information_schema is read, which must not wait for the engine, and those
 * of functions that only want to know what the table is, which shall not fetch it.
 */
bool wr_caches_is_planning(void) {
    char name[16] = "";
    return pthread_getname_np(pthread_self(), name, sizeof name) == 0 &&
           strcmp(name, "weir-plan") == 0;
}

/* ---- The directory and the state ---- */

/* Removes what killed processes left, and directories of tables that are no more. */
static void sweep_key(void *sink, const char *key) {
    struct wr_caches *caches = sink;
    struct wr_copy copy = {0};
    int lock = -1;
    if (wr_copy_lock(&caches->directory, key, &lock, NULL) != WEIR_OK || lock < 0) return;
    if (wr_copies_load(caches->copies, key, &copy, NULL) == WEIR_OK) {
        if (copy.known)
            wr_copy_sweep(&caches->directory, key, copy.generation);
        else
            wr_copy_remove_all(&caches->directory, key);
    }
    wr_copy_reset(&copy);
    wr_copy_unlock(lock);
}

/* With the mutex held. */
static int open_all(struct wr_caches *caches, struct weir_error *error) {
    WR_TRY(wr_copy_directory_open(caches->path, &caches->directory, error));
    int code = wr_copies_open(caches->directory.path, &caches->copies, error);
    if (code) {
        wr_copy_directory_close(&caches->directory);
        return code;
    }
    wr_copy_each_key(&caches->directory, sweep_key, caches);
    return WEIR_OK;
}

int wr_caches_open(struct wr_caches *caches, bool make, bool *ret_open, struct weir_error *error) {
    struct stat status;
    pthread_mutex_lock(&caches->mutex);
    bool there = caches->path && stat(caches->path, &status) == 0;
    int code = WEIR_OK;
    if (!caches->copies && (make || there)) code = open_all(caches, error);
    *ret_open = caches->copies != NULL;
    pthread_mutex_unlock(&caches->mutex);
    return code;
}

/* ---- The clock: refresh interval ---- */

enum { TICK_MS = 50 };

/* With the mutex held. One whose copy is as old as its interval, or NULL. */
static struct wr_cached_table *find_due(struct wr_caches *caches, int64_t now) {
    for (struct wr_cached_table *cache = caches->first; cache; cache = cache->next) {
        if (!cache->scheduled || cache->flight || now < cache->look_at) continue;
        cache->look_at = now + cache->policy.interval; /* or earlier, as its age has it */
        return cache;
    }
    return NULL;
}

static void look_after(struct wr_cached_table *cache, int64_t now) {
    struct wr_copy copy = {0};
    if (wr_copies_load(cache->caches->copies, cache->key, &copy, NULL) != WEIR_OK) return;
    int64_t due = copy.started_at + cache->policy.interval;
    bool old = copy.generation == 0 || copy.started_at <= copy.invalid_at || due <= now;
    wr_copy_reset(&copy);
    if (old) {
        wr_flight_begin(cache, now - cache->policy.interval + 1);
        return;
    }
    pthread_mutex_lock(&cache->caches->mutex);
    if (cache->look_at > due) cache->look_at = due;
    pthread_mutex_unlock(&cache->caches->mutex);
}

static void *run_clock(void *context) {
    struct wr_caches *caches = context;
    pthread_mutex_lock(&caches->mutex);
    while (!caches->stopping) {
        int64_t now = wr_cached_now();
        struct wr_cached_table *due = find_due(caches, now);
        if (due) {
            pthread_mutex_unlock(&caches->mutex);
            look_after(due, now);
            pthread_mutex_lock(&caches->mutex);
            continue;
        }
        struct timespec until = wr_condition_deadline(TICK_MS);
        pthread_cond_timedwait(&caches->changed, &caches->mutex, &until);
    }
    pthread_mutex_unlock(&caches->mutex);
    return NULL;
}

int wr_caches_schedule(struct wr_cached_table *cache, struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    if (cache->policy.refresh != WR_REFRESH_INTERVAL) return WEIR_OK;
    int errnum = 0;
    pthread_mutex_lock(&caches->mutex);
    cache->scheduled = true;
    if (!caches->has_clock && !caches->stopping) {
        errnum = pthread_create(&caches->clock, NULL, run_clock, caches);
        caches->has_clock = errnum == 0;
    }
    pthread_mutex_unlock(&caches->mutex);
    return errnum ? wr_error_errno(error, errnum, "no thread for refreshing tables") : WEIR_OK;
}

void wr_caches_unschedule(struct wr_cached_table *cache) {
    pthread_mutex_lock(&cache->caches->mutex);
    cache->scheduled = false;
    pthread_mutex_unlock(&cache->caches->mutex);
}

/* ---- One workspace's ---- */

static int set_path(struct wr_caches *caches, const char *path, struct weir_error *error) {
    if (!path) return WEIR_OK;
    struct wr_buffer text;
    wr_buffer_init(&text, 64 << 10);
    char *absolute = realpath(path, NULL);
    wr_buffer_format(&text, "%s/.weir/cache", absolute ? absolute : path);
    free(absolute);
    caches->path = wr_buffer_take(&text);
    return caches->path ? WEIR_OK : wr_error_memory(error);
}

int wr_caches_new(const struct wr_caches_state *state, struct wr_caches **ret_caches,
                  struct weir_error *error) {
    struct wr_caches *caches = wr_calloc(1, sizeof *caches);
    if (!caches) return wr_error_memory(error);
    wr_condition_init(&caches->changed);
    pthread_mutex_init(&caches->mutex, NULL);
    caches->kind = wr_kind_cached;
    caches->kind.n_options = wr_cached_n_options;
    memcpy(caches->kind_name, WR_CACHED_KIND, sizeof caches->kind_name);
    caches->kind.name = caches->kind_name;
    caches->registry = state->registry;
    caches->engine = state->engine;
    caches->max_bytes = state->max_bytes;
    caches->directory.fd = -1;
    int code = set_path(caches, state->path, error);
    if (code == WEIR_OK) code = wr_registry_add(state->registry, &caches->kind, error);
    if (code) {
        wr_caches_free(caches);
        return code;
    }
    *ret_caches = caches;
    return WEIR_OK;
}

void wr_caches_stop(struct wr_caches *caches) {
    if (!caches) return;
    pthread_mutex_lock(&caches->mutex);
    caches->stopping = true;
    for (struct wr_cached_table *cache = caches->first; cache; cache = cache->next) {
        struct wr_flight *flight = cache->flight;
        if (!flight) continue;
        flight->cancelled = true;
        if (flight->run) flight->cancel(flight->run);
    }
    pthread_cond_broadcast(&caches->changed);
    while (caches->n_flights > 0)
        pthread_cond_wait(&caches->changed, &caches->mutex);
    bool has_clock = caches->has_clock;
    caches->has_clock = false;
    pthread_mutex_unlock(&caches->mutex);
    if (has_clock) pthread_join(caches->clock, NULL);
}

void wr_caches_free(struct wr_caches *caches) {
    if (!caches) return;
    for (size_t i = 0; i < caches->n_retired; i++)
        caches->engine.spool_close(caches->retired[i]);
    wr_free(caches->retired);
    wr_caches_free_all(caches);
    wr_copies_close(caches->copies);
    wr_copy_directory_close(&caches->directory);
    pthread_cond_destroy(&caches->changed);
    pthread_mutex_destroy(&caches->mutex);
    wr_free(caches->path);
    wr_free(caches);
}
