/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement that mentions a cached table gets: its copy, or its source. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "table/cached/caches.h"

/* After a failure the old copy serves for so long before the source is tried again, and a use is
 * noted no more often than that. */
#define RETRY_US INT64_C(1000000)
#define NOTE_USE_US INT64_C(10000000)

/* A clock that was set back makes a copy from the future, whose age nobody knows. */
bool wr_copy_is_fresh(const struct wr_cached_table *cache, const struct wr_copy *copy,
                      int64_t now) {
    return copy->generation > 0 && copy->started_at > copy->invalid_at && now >= copy->started_at &&
           now - copy->started_at <= cache->policy.max_age;
}

static bool is_bypassed(const struct wr_cached_table *cache, const struct wr_copy *copy,
                        int64_t now) {
    return copy->bypassed_at > copy->invalid_at && now >= copy->bypassed_at &&
           now - copy->bypassed_at <= cache->policy.max_age;
}

/* Whether there is another one by now, of this process or another, or none. */
static bool is_outdated(struct wr_cached_table *cache, int64_t generation) {
    struct wr_copy now = {0};
    if (wr_copies_load(cache->caches->copies, cache->key, &now, NULL) != WEIR_OK) return false;
    bool outdated = now.generation != generation;
    wr_copy_reset(&now);
    return outdated;
}

void wr_lease_end(struct wr_cached_table *cache, struct wr_lease *lease) {
    int64_t generation = lease->copy.generation;
    if (lease->fd >= 0) {
        close(lease->fd);
        if (is_outdated(cache, generation))
            wr_copy_remove(&cache->caches->directory, cache->key, generation);
    }
    wr_copy_reset(&lease->copy);
    lease->fd = -1;
}

/* The copy as it is now, held if there is one. */
static int take(struct wr_cached_table *cache, struct wr_lease *ret_lease,
                struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    struct wr_lease lease = {.fd = -1};
    for (int tries = 0; tries < 5; tries++) {
        WR_TRY(wr_copies_load(caches->copies, cache->key, &lease.copy, error));
        if (lease.copy.generation == 0) break;
        lease.fd = wr_copy_lease(&caches->directory, cache->key, lease.copy.generation);
        if (lease.fd >= 0 && wr_copy_is_whole(lease.fd, &lease.copy)) break;
        /* Another process has switched to the next one, or someone has removed files. */
        if (lease.fd >= 0) close(lease.fd);
        lease.fd = -1;
        if (tries < 4) wr_copy_reset(&lease.copy);
    }
    *ret_lease = lease;
    return WEIR_OK;
}

static void hit(struct wr_cached_table *cache, int64_t now) {
    struct wr_caches *caches = cache->caches;
    atomic_fetch_add(&cache->hits, 1);
    pthread_mutex_lock(&caches->mutex);
    bool note = now - cache->noted_use_at > NOTE_USE_US;
    if (note) cache->noted_use_at = now;
    pthread_mutex_unlock(&caches->mutex);
    if (note) wr_copies_note_use(caches->copies, cache->key, now);
}

static void read_source(struct wr_lease *lease) {
    if (lease->fd >= 0) close(lease->fd);
    lease->fd = -1;
}

static bool may_serve_stale(const struct wr_cached_table *cache, const struct wr_lease *lease,
                            int64_t now) {
    if (!cache->policy.serves_stale || lease->fd < 0) return false;
    return cache->policy.max_stale < 0 || (now >= lease->copy.started_at &&
                                           now - lease->copy.started_at <= cache->policy.max_stale);
}

static bool is_resting(struct wr_cached_table *cache, int64_t now) {
    pthread_mutex_lock(&cache->caches->mutex);
    bool resting = cache->retry_at > now && cache->retry_at - now <= RETRY_US;
    pthread_mutex_unlock(&cache->caches->mutex);
    return resting;
}

static void note_failure(struct wr_cached_table *cache) {
    pthread_mutex_lock(&cache->caches->mutex);
    cache->retry_at = wr_cached_now() + RETRY_US;
    pthread_mutex_unlock(&cache->caches->mutex);
}

/* The oldest moment that a fetch may have begun at. */
static int64_t bound(const struct wr_cached_table *cache, const struct wr_copy *copy, int64_t now) {
    int64_t by_age = now - cache->policy.max_age;
    return by_age > copy->invalid_at ? by_age : copy->invalid_at + 1;
}

static int fetch(struct wr_cached_table *cache, int64_t now, struct wr_lease *lease,
                 struct weir_error *error) {
    struct weir_error own = {0};
    struct wr_demand demand = {.not_before = bound(cache, &lease->copy, now)};
    wr_caches_add_waiter(&demand);
    int code = wr_flight_wait(cache, &demand, &own);
    if (code == WEIR_OK) {
        atomic_fetch_add(&cache->misses, 1);
        wr_lease_end(cache, lease);
        WR_TRY(take(cache, lease, error));
        /* It cannot be kept, or had to go at once. */
        if (lease->copy.started_at < demand.not_before) read_source(lease);
        return WEIR_OK;
    }
    note_failure(cache);
    bool final = code == WEIR_CANCELLED || strcmp(own.sqlstate, "42P19") == 0;
    if (!final && may_serve_stale(cache, lease, now)) {
        hit(cache, now);
        return WEIR_OK;
    }
    if (error) *error = own;
    return wr_error_prefix(error, code, "table \"%s\": fetching \"%s\"", cache->name,
                           cache->source_name);
}

int wr_cache_use(struct wr_cached_table *cache, bool may_wait, struct wr_lease *ret_lease,
                 struct weir_error *error) {
    struct wr_lease lease = {.fd = -1};
    int64_t now = wr_cached_now();
    int code = WEIR_OK;
    WR_TRY(take(cache, &lease, error));
    if (lease.fd >= 0 && wr_copy_is_fresh(cache, &lease.copy, now)) {
        hit(cache, now);
    } else if (is_bypassed(cache, &lease.copy, now)) {
        atomic_fetch_add(&cache->misses, 1);
        read_source(&lease);
    } else if (!may_wait) {
        read_source(&lease);
    } else if (may_serve_stale(cache, &lease, now) && is_resting(cache, now)) {
        hit(cache, now);
    } else {
        code = fetch(cache, now, &lease, error);
    }
    if (code) {
        wr_lease_end(cache, &lease);
        return code;
    }
    *ret_lease = lease;
    return WEIR_OK;
}
