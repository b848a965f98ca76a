/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "table/adbc/core.h"
#include "table/adbc/stop.h"

static bool is_past(int64_t since, int64_t most, int64_t now) {
    return most > 0 && now - since > most;
}

static struct wr_adbc_connection *take_idle(struct wr_adbc_core *core) {
    struct wr_adbc_connection *connection = core->idle;
    if (connection) core->idle = connection->next;
    if (connection) connection->next = NULL;
    return connection;
}

/* One place fewer is taken; someone may be waiting for it. */
static void leave(struct wr_adbc_core *core) {
    pthread_mutex_lock(&core->mutex);
    core->n_open--;
    pthread_cond_signal(&core->changed);
    pthread_mutex_unlock(&core->mutex);
}

enum { JUST_NOW_MS = 100 };

static bool needs_check(const struct wr_adbc_connection *connection, enum wr_adbc_trust trust,
                        int64_t now) {
    const struct wr_adbc_core *core = connection->core;
    if (trust == WR_ADBC_FRESH) return false; /* it is not used */
    if (trust == WR_ADBC_CHECKED && now - connection->used_ms > JUST_NOW_MS) return true;
    return connection->used_ms <= core->doubted_ms ||
           is_past(connection->used_ms, core->settings.health_check, now);
}

int wr_adbc_out_of_patience(const struct wr_adbc_database *database, struct weir_error *error) {
    const struct wr_adbc_settings *settings = &database->core->settings;
    return wr_error_set(error, WEIR_TIMEOUT, "53300",
                        "database \"%s\": all %lld connections of its pool are in use, and nothing "
                        "moved for longer than pool.wait, which is %lld ms; raise pool.max or end "
                        "other statements",
                        database->name, (long long)settings->pool_max,
                        (long long)settings->pool_wait);
}

void wr_adbc_progress(struct wr_adbc_core *core) {
    atomic_store(&core->progress_ms, wr_clock_ms());
}

int64_t wr_adbc_patience(const struct wr_adbc_core *core, int64_t since_ms) {
    int64_t moved = atomic_load(&core->progress_ms);
    return (moved > since_ms ? moved : since_ms) + core->settings.pool_wait;
}

struct waiting {
    struct wr_adbc_core *core;
    bool is_cancelled; /* guarded by the core's mutex */
};

static void stop_waiting(void *context) {
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->core->mutex);
    waiting->is_cancelled = true;
    pthread_cond_broadcast(&waiting->core->changed);
    pthread_mutex_unlock(&waiting->core->mutex);
}

/* An idle connection, or NULL and a place for a new one. */
static int take_place(struct wr_adbc_database *database, enum wr_adbc_trust trust,
                      struct wr_adbc_connection **ret_connection, bool *ret_check,
                      struct weir_error *error) {
    struct wr_adbc_core *core = database->core;
    struct wr_adbc_connection *connection = NULL;
    struct waiting waiting = {.core = core};
    struct wr_call_watch watch;
    int64_t since = wr_clock_ms();
    wr_call_watch(&watch, stop_waiting, &waiting);
    pthread_mutex_lock(&core->mutex);
    while (!(connection = take_idle(core)) && core->n_open >= core->settings.pool_max) {
        int64_t until = wr_adbc_patience(core, since);
        if (waiting.is_cancelled || wr_clock_ms() >= until) break;
        struct timespec deadline = wr_adbc_time(until);
        pthread_cond_timedwait(&core->changed, &core->mutex, &deadline);
    }
    bool has_place = connection || core->n_open < core->settings.pool_max;
    if (!connection && has_place) core->n_open++;
    *ret_check = connection && needs_check(connection, trust, wr_clock_ms());
    bool is_cancelled = waiting.is_cancelled;
    pthread_mutex_unlock(&core->mutex);
    wr_call_unwatch(&watch);
    if (!has_place && is_cancelled) return wr_adbc_stopped(database->name, error);
    if (!has_place) return wr_adbc_out_of_patience(database, error);
    *ret_connection = connection;
    return WEIR_OK;
}

int wr_adbc_acquire(struct wr_adbc_database *database, enum wr_adbc_trust trust,
                    struct wr_adbc_connection **ret_connection, struct weir_error *error) {
    struct wr_adbc_core *core = database->core;
    struct wr_adbc_connection *connection = NULL;
    bool check = false;
    WR_TRY(take_place(database, trust, &connection, &check, error));
    /* The place of a connection that is not good enough is that of the new one. */
    if (connection && (trust == WR_ADBC_FRESH ||
                       is_past(connection->made_ms, core->settings.lifetime, wr_clock_ms()))) {
        wr_adbc_disconnect(connection);
        connection = NULL;
    }
    if (connection && check && !wr_adbc_is_alive(connection)) connection = NULL;
    if (!connection) {
        int code = wr_adbc_connect(core, database->name, &connection, error);
        if (code) {
            leave(core);
            return code;
        }
    }
    wr_adbc_core_retain(core);
    *ret_connection = connection;
    return WEIR_OK;
}

void wr_adbc_give_back(struct wr_adbc_connection *connection, bool usable) {
    struct wr_adbc_core *core = connection->core;
    int64_t now = wr_clock_ms();
    wr_adbc_progress(core);
    if (is_past(connection->made_ms, core->settings.lifetime, now)) usable = false;
    if (!usable) {
        wr_adbc_disconnect(connection);
        leave(core);
    } else {
        connection->was_used = true;
        connection->used_ms = now;
        pthread_mutex_lock(&core->mutex);
        connection->next = core->idle;
        core->idle = connection;
        pthread_cond_signal(&core->changed);
        pthread_mutex_unlock(&core->mutex);
    }
    wr_adbc_core_release(core);
}

void wr_adbc_doubt(struct wr_adbc_core *core) {
    pthread_mutex_lock(&core->mutex);
    core->doubted_ms = wr_clock_ms();
    pthread_mutex_unlock(&core->mutex);
}

struct wr_adbc_connection *wr_adbc_pool_expired(struct wr_adbc_core *core) {
    int64_t now = wr_clock_ms();
    struct wr_adbc_connection *expired = NULL;
    pthread_mutex_lock(&core->mutex);
    for (struct wr_adbc_connection **at = &core->idle; *at;) {
        struct wr_adbc_connection *connection = *at;
        bool old = is_past(connection->made_ms, core->settings.lifetime, now);
        bool unused = is_past(connection->used_ms, core->settings.idle_timeout, now) &&
                      core->n_open > core->settings.pool_min;
        if (!old && !unused) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        connection->next = expired;
        expired = connection;
        core->n_open--;
        pthread_cond_signal(&core->changed);
    }
    pthread_mutex_unlock(&core->mutex);
    return expired;
}

void wr_adbc_pool_close(struct wr_adbc_core *core) {
    for (struct wr_adbc_connection *connection; (connection = take_idle(core)) != NULL;)
        wr_adbc_disconnect(connection);
}
