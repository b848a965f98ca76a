/* SPDX-License-Identifier: Apache-2.0 */
/* One fetch: from the source into a new generation, and the switch to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"
#include "table/cached/work.h"

enum { MAX_FILES = 16, LOCK_WAIT_MS = 10 };

/* ---- Files ---- */

struct sink {
    int fd;
    int64_t n_bytes;
    int64_t n_most;
    int errnum;
    bool full;
};

static int write_all(void *context, const void *data, size_t length) {
    struct sink *sink = context;
    const char *rest = data;
    sink->n_bytes += (int64_t)length;
    sink->full = sink->n_most >= 0 && sink->n_bytes > sink->n_most;
    if (sink->full) return EFBIG;
    while (length > 0) {
        ssize_t written = write(sink->fd, rest, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return sink->errnum = errno;
        rest += written;
        length -= (size_t)written;
    }
    return 0;
}

/* What went wrong with a fetch: what the table itself is to blame for makes it one that is not
 * kept, and no failure. */
static int judge(struct wr_work *work, const struct sink *sink, const struct wr_fetched *fetched,
                 int code, struct weir_error *error) {
    if (code == WEIR_OK) return code;
    if (wr_flight_is_cancelled(work->flight))
        return wr_error_set(error, WEIR_CANCELLED, NULL, "the fetch was cancelled");
    if (sink->full) {
        snprintf(work->why, sizeof work->why,
                 "the rows have more than %" PRId64 " bytes, so that they are not kept and \"%s\" "
                 "is read itself",
                 sink->n_most, work->cache->source_name);
        return WEIR_OK;
    }
    if (sink->errnum) {
        return wr_error_errno(error, sink->errnum, "writing into the copies of tables, \"%s\"",
                              work->caches->directory.path);
    }
    if (!fetched->unfit) return code;
    snprintf(work->why, sizeof work->why,
             "the rows cannot be kept as Parquet, so that \"%s\" is read itself: %.300s",
             work->cache->source_name, error ? error->message : "");
    return WEIR_OK;
}

int wr_work_add(struct wr_work *work, const struct wr_copy_file *file, struct weir_error *error) {
    struct wr_copy *copy = &work->new;
    struct wr_copy_file *files =
        wr_reallocarray(copy->files, copy->n_files + 1, sizeof *copy->files);
    if (!files) return wr_error_memory(error);
    files[copy->n_files++] = *file;
    copy->files = files;
    copy->n_rows += file->n_rows;
    copy->n_bytes += file->n_bytes;
    return WEIR_OK;
}

struct wr_cached_query wr_work_query(const struct wr_work *work, const char *sql) {
    return (struct wr_cached_query){sql, work->cache->catalog, work->cache->schema};
}

/* Fetches a query's rows into the next file. */
static int fetch_file(struct wr_work *work, const char *sql, struct wr_fetched *fetched,
                      struct wr_copy_file *ret_file, struct weir_error *error) {
    struct sink sink = {.fd = -1, .n_most = work->n_most};
    struct wr_cached_query query = wr_work_query(work, sql);
    WR_TRY(wr_copy_stage_file(&work->staging, work->new.n_files, &sink.fd, error));
    struct weir_error own = {0};
    int code = work->caches->engine.fetch(work->caches->engine.context, work->flight, &query,
                                          write_all, &sink, fetched, &own);
    code = judge(work, &sink, fetched, code, &own);
    if (code || *work->why) {
        close(sink.fd);
        if (code && error) *error = own;
        return code;
    }
    WR_TRY(wr_copy_stage_finish(sink.fd, ret_file, error));
    ret_file->n_rows = fetched->n_rows;
    return WEIR_OK;
}

/* Of the first file of a copy, its columns too. */
int wr_work_fetch(struct wr_work *work, const char *sql, struct weir_error *error) {
    struct wr_fetched fetched = {0};
    struct wr_copy_file file = {0};
    int code = fetch_file(work, sql, &fetched, &file, error);
    if (code == WEIR_OK && !*work->why) code = wr_work_add(work, &file, error);
    if (code == WEIR_OK && !*work->why && !work->new.schema)
        code =
            wr_arrow_schema_encode(&fetched.schema, &work->new.schema, &work->new.n_schema, error);
    wr_arrow_release_schema(&fetched.schema);
    return code;
}

int wr_work_sql(struct wr_buffer *sql, char **ret_sql, struct weir_error *error) {
    *ret_sql = wr_buffer_take(sql);
    return *ret_sql ? WEIR_OK : wr_error_memory(error);
}

/* ---- Mode full ---- */

int wr_work_all(struct wr_work *work, struct weir_error *error) {
    struct wr_buffer text;
    char *sql = NULL;
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_format(&text, "SELECT * FROM %s", work->cache->source);
    WR_TRY(wr_work_sql(&text, &sql, error));
    int code = wr_work_fetch(work, sql, error);
    wr_free(sql);
    return code;
}

/* ---- All of it ---- */

static int publish(struct wr_work *work, struct weir_error *error) {
    struct wr_copy *new = &work->new;
    int64_t next = work->old.last_generation + 1;
    WR_TRY(wr_copy_stage_publish(&work->staging, next, &new->generation, error));
    new->fetched_at = wr_cached_now();
    int code = wr_copies_switch(work->caches->copies, work->cache->key, new, error);
    wr_copy_remove(&work->caches->directory, work->cache->key,
                   code ? new->generation : work->old.generation);
    if (code == WEIR_OK) work->old.last_generation = new->generation;
    return code;
}

static int give_up_copy(struct wr_work *work, struct weir_error *error) {
    WR_TRY(wr_copies_empty(work->caches->copies, work->cache->key, work->new.started_at, work->why,
                           error));
    wr_copy_sweep(&work->caches->directory, work->cache->key, 0);
    return WEIR_OK;
}

/* The least that a copy may have: the table's own limit, and that of all. */
static int64_t most_bytes(const struct wr_work *work) {
    int64_t own = work->cache->policy.max_bytes;
    int64_t all = work->caches->max_bytes;
    if (own == 0 && all == 0) return -1;
    return own == 0 || (all > 0 && all < own) ? all : own;
}

static int fill(struct wr_work *work, bool again, struct weir_error *error) {
    WR_TRY(wr_copy_stage(&work->caches->directory, work->cache->key, &work->staging, error));
    work->n_most = most_bytes(work);
    int code = again                                              ? wr_work_compact(work, error)
               : work->cache->policy.mode == WR_CACHE_WINDOW      ? wr_work_window(work, error)
               : work->cache->policy.refresh == WR_REFRESH_APPEND ? wr_work_append(work, error)
                                                                  : wr_work_all(work, error);
    if (code == WEIR_OK && !*work->why) code = publish(work, error);
    wr_copy_stage_end(&work->staging);
    if (code == WEIR_OK && *work->why) code = give_up_copy(work, error);
    return code;
}

/* Many small files of appends become one: as good as the copy was, and as old. */
static int fill_again(struct wr_work *work, struct weir_error *error) {
    int64_t started_at = work->new.started_at;
    wr_copy_reset(&work->old);
    work->old = work->new;
    work->old.last_generation = work->new.generation;
    work->new = (struct wr_copy){.started_at = started_at};
    return fill(work, true, error);
}

/* Whether the old copy's files are there. */
static bool is_whole(const struct wr_work *work) {
    if (work->old.generation == 0) return false;
    int lease = wr_copy_lease(&work->caches->directory, work->cache->key, work->old.generation);
    bool whole = lease >= 0 && wr_copy_is_whole(lease, &work->old);
    if (lease >= 0) close(lease);
    return whole;
}

/* Whether there is such a copy already, by another process. Else the fetch begins now. */
static bool is_done(struct wr_work *work, bool is_there) {
    struct wr_flight *flight = work->flight;
    pthread_mutex_lock(&work->caches->mutex);
    bool kept = is_there && work->old.started_at > work->old.invalid_at &&
                work->old.started_at >= flight->not_before;
    bool bypassed = work->old.bypassed_at >= flight->not_before && work->old.bypassed_at > 0;
    bool done = (kept || bypassed) && !flight->whole;
    work->whole = flight->whole;
    work->new.started_at = wr_cached_now();
    flight->started_at = !done  ? work->new.started_at
                         : kept ? work->old.started_at
                                : work->old.bypassed_at;
    pthread_mutex_unlock(&work->caches->mutex);
    return done;
}

static int refresh_locked(struct wr_work *work, struct weir_error *error) {
    WR_TRY(wr_copies_load(work->caches->copies, work->cache->key, &work->old, error));
    bool is_there = is_whole(work);
    if (is_done(work, is_there)) return WEIR_OK;
    if (!is_there) work->whole = true;
    /* An own change may be anywhere in the table. */
    if (work->old.invalid_at >= work->old.started_at) work->whole = true;
    WR_TRY(fill(work, false, error));
    if (work->new.n_files > MAX_FILES) WR_TRY(fill_again(work, error));
    wr_cache_evict(work->caches, work->cache->key);
    return WEIR_OK;
}

static int wait_for_lock(struct wr_work *work, int *ret_lock, struct weir_error *error) {
    while (true) {
        WR_TRY(wr_copy_lock(&work->caches->directory, work->cache->key, ret_lock, error));
        if (*ret_lock >= 0) return WEIR_OK;
        if (wr_flight_is_cancelled(work->flight)) {
            return wr_error_set(error, WEIR_CANCELLED, NULL,
                                "cancelled while another process was fetching the same table");
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000L}, NULL);
    }
}

int wr_cache_refresh(struct wr_flight *flight, struct weir_error *error) {
    struct wr_work work = {
        .flight = flight, .cache = flight->cache, .caches = flight->cache->caches};
    int lock = -1;
    WR_TRY(wait_for_lock(&work, &lock, error));
    int code = refresh_locked(&work, error);
    if (code && code != WEIR_CANCELLED)
        wr_copies_note_error(work.caches->copies, work.cache->key, error->message);
    wr_copy_reset(&work.old);
    wr_copy_reset(&work.new);
    wr_copy_unlock(lock);
    return code;
}

/* ---- Room ---- */

void wr_cache_evict(struct wr_caches *caches, const char *except) {
    if (caches->max_bytes <= 0) return;
    for (int i = 0; i < 10000; i++) {
        char *key = NULL;
        char reason[128];
        snprintf(reason, sizeof reason, "left the cache: cache.tables.max_bytes is %" PRId64,
                 caches->max_bytes);
        if (wr_copies_oldest(caches->copies, caches->max_bytes, except, &key, NULL) || !key) return;
        int lock = -1;
        bool gone = wr_copy_lock(&caches->directory, key, &lock, NULL) == WEIR_OK && lock >= 0 &&
                    wr_copies_empty(caches->copies, key, 0, reason, NULL) == WEIR_OK;
        if (gone) wr_copy_sweep(&caches->directory, key, 0);
        wr_copy_unlock(lock);
        wr_free(key);
        if (!gone) return;
    }
}
