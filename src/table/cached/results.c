/* SPDX-License-Identifier: Apache-2.0 */
#include "table/cached/results.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "table/cached/result_stream.h"

/* ---- The source ---- */

void wr_result_source_init(struct wr_result_source *source) {
    *source = (struct wr_result_source){0};
    pthread_mutex_init(&source->mutex, NULL);
}

void wr_result_source_reset(struct wr_result_source *source) {
    wr_instance_release(source->instance);
    pthread_mutex_destroy(&source->mutex);
}

/* Takes over the reference. */
static void keep_source(struct wr_result_source *source, struct wr_instance *instance,
                        weir_execute_fn execute) {
    pthread_mutex_lock(&source->mutex);
    struct wr_instance *old = source->instance;
    source->instance = instance;
    source->execute = execute;
    pthread_mutex_unlock(&source->mutex);
    wr_instance_release(old);
}

/* ---- The form ---- */

struct remote {
    struct weir_form inner;
    struct wr_instance *source;
    char *backend;
};

static void release_remote(struct weir_form *form) {
    struct remote *remote = form->private_data;
    wr_arrow_release_schema(&form->schema);
    if (remote->inner.release) remote->inner.release(&remote->inner);
    wr_instance_release(remote->source);
    wr_free(remote->backend);
    wr_free(remote);
    form->release = NULL;
}

static int open_source(struct wr_cached_table *cache, struct wr_instance **ret_source,
                       struct weir_error *error) {
    const struct wr_caches_engine *engine = &cache->caches->engine;
    struct wr_instance *source = NULL;
    WR_TRY(engine->open(engine->context, wr_caches_asking(), cache->source, cache->catalog,
                        cache->schema, &source, error));
    if (source && !wr_is_cached(source)) {
        *ret_source = source;
        return WEIR_OK;
    }
    int code = source ? wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                                     "table \"%s\": mode query does not go over the cached table "
                                     "\"%s\"",
                                     cache->name, cache->source_name)
                      : wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                                     "table \"%s\": there is no source \"%s\"", cache->name,
                                     cache->source_name);
    wr_instance_release(source);
    return code;
}

static int check_remote(const struct wr_cached_table *cache, const struct weir_form *form,
                        struct weir_error *error) {
    if (form->type == WEIR_FORM_REMOTE) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "table \"%s\": mode query keeps what a database answers, and \"%s\" is no "
                        "table of one; the modes full and window do",
                        cache->name, cache->source_name);
}

/* Tables with a cache and without are not put into one statement. */
static char *backend_name(const char *backend) {
    struct wr_buffer text;
    wr_buffer_init(&text, 4096);
    wr_buffer_format(&text, "%s, cached", backend);
    return wr_buffer_take(&text);
}

int wr_results_form(struct wr_cached_table *cache, struct wr_result_source *source,
                    weir_execute_fn execute, struct weir_form *ret_form, struct weir_error *error) {
    struct remote *remote = wr_calloc(1, sizeof *remote);
    if (!remote) return wr_error_memory(error);
    struct weir_form form = {
        .type = WEIR_FORM_REMOTE, .release = release_remote, .private_data = remote};
    int code = open_source(cache, &remote->source, error);
    if (code == WEIR_OK) {
        const struct weir_table_kind *kind = wr_instance_kind(remote->source);
        code = kind->form(wr_instance_data(remote->source), &remote->inner, error);
    }
    if (code == WEIR_OK) code = check_remote(cache, &remote->inner, error);
    if (code == WEIR_OK) {
        remote->backend = backend_name(remote->inner.remote.backend);
        if (!remote->backend) code = wr_error_memory(error);
    }
    if (code) {
        release_remote(&form);
        return code;
    }
    keep_source(source, wr_instance_retain(remote->source), remote->inner.remote.execute);
    form.remote = remote->inner.remote;
    form.remote.backend = remote->backend;
    form.remote.execute = execute;
    form.remote.change = NULL;
    wr_arrow_move_schema(&remote->inner.schema, &form.schema);
    *ret_form = form;
    return WEIR_OK;
}

/* ---- A scan ---- */

struct result_scan {
    struct wr_cached_table *cache;
    struct wr_instance *source;
    weir_execute_fn execute;
    char **statements;
    size_t n_statements;
    struct ArrowSchema schema;
    char key[WR_HASH_TEXT_SIZE + 1];
    pthread_mutex_t mutex;  /* guards what follows */
    struct weir_scan inner; /* of the database; release NULL: none */
    bool running;           /* it may be cancelled */
    bool cancelled;
};

static bool is_cancelled(void *context) {
    struct result_scan *scan = context;
    pthread_mutex_lock(&scan->mutex);
    bool cancelled = scan->cancelled;
    pthread_mutex_unlock(&scan->mutex);
    return cancelled;
}

static void cancel_scan(struct weir_scan *weir_scan) {
    struct result_scan *scan = weir_scan->private_data;
    pthread_mutex_lock(&scan->mutex);
    scan->cancelled = true;
    if (scan->running && scan->inner.cancel) scan->inner.cancel(&scan->inner);
    pthread_mutex_unlock(&scan->mutex);
}

static void scan_free(struct result_scan *scan) {
    if (scan->inner.release) scan->inner.release(&scan->inner);
    for (size_t i = 0; i < scan->n_statements; i++)
        wr_free(scan->statements[i]);
    wr_free(scan->statements);
    wr_arrow_release_schema(&scan->schema);
    wr_instance_release(scan->source);
    pthread_mutex_destroy(&scan->mutex);
    wr_free(scan);
}

static void release_scan(struct weir_scan *weir_scan) {
    scan_free(weir_scan->private_data);
    weir_scan->release = NULL;
}

/* Has the database plan the statements. */
static int begin_inner(struct result_scan *scan, struct weir_error *error) {
    struct weir_scan inner = {0};
    WR_TRY(scan->execute(wr_instance_data(scan->source), (const char *const *)scan->statements,
                         scan->n_statements, &scan->schema, &inner, error));
    pthread_mutex_lock(&scan->mutex);
    scan->inner = inner;
    scan->running = true;
    bool cancelled = scan->cancelled;
    pthread_mutex_unlock(&scan->mutex);
    if (!cancelled) return WEIR_OK;
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
}

static void end_inner(struct result_scan *scan) {
    pthread_mutex_lock(&scan->mutex);
    struct weir_scan inner = scan->inner;
    scan->inner = (struct weir_scan){0};
    scan->running = false;
    pthread_mutex_unlock(&scan->mutex);
    if (inner.release) inner.release(&inner);
}

/* ---- Filling ---- */

struct filling {
    struct result_scan *scan;
    bool unfit; /* the rows cannot be written */
};

static int fill(void *context, weir_write_fn write, void *sink, struct weir_error *error) {
    struct filling *filling = context;
    struct result_scan *scan = filling->scan;
    struct wr_result_head head = {.magic = WR_RESULT_MAGIC, .started_at = wr_cached_now()};
    WR_TRY(begin_inner(scan, error));
    int code = write(sink, &head, sizeof head) == 0
                   ? wr_result_write(&scan->inner, write, sink, &filling->unfit, error)
                   : wr_error_set(error, WEIR_IO, NULL, "writing a result");
    end_inner(scan);
    return code;
}

static bool filling_cancelled(void *context) {
    return is_cancelled(((struct filling *)context)->scan);
}

/* With the mutex held. */
static int retire(struct wr_cached_table *cache, struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    struct wr_spool **retired =
        wr_reallocarray(caches->retired, caches->n_retired + 1, sizeof *retired);
    if (!retired) return wr_error_memory(error);
    retired[caches->n_retired++] = cache->results;
    caches->retired = retired;
    cache->results = NULL;
    return WEIR_OK;
}

/* With the mutex held. Its directory goes with the table, which may have been made again. */
static int open_spool(struct wr_cached_table *cache, const char *path, struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    struct stat status;
    int64_t own = cache->policy.max_bytes;
    bool is_own = own > 0 && (caches->max_bytes == 0 || own < caches->max_bytes);
    bool there = stat(path, &status) == 0;
    if (cache->results && there && status.st_ino == cache->results_inode) return WEIR_OK;
    if (cache->results) WR_TRY(retire(cache, error));
    WR_TRY(
        caches->engine.spool_open(path, is_own ? own : caches->max_bytes, &cache->results, error));
    if (stat(path, &status) == 0) cache->results_inode = status.st_ino;
    return WEIR_OK;
}

static int open_results(struct wr_cached_table *cache, struct wr_spool **ret_results,
                        struct weir_error *error) {
    struct wr_caches *caches = cache->caches;
    struct wr_buffer path;
    wr_buffer_init(&path, 64 << 10);
    wr_buffer_format(&path, "%s/%s", caches->directory.path, cache->key);
    int code = path.failed ? wr_error_memory(error) : WEIR_OK;
    pthread_mutex_lock(&caches->mutex);
    if (code == WEIR_OK) code = open_spool(cache, path.data, error);
    *ret_results = cache->results;
    pthread_mutex_unlock(&caches->mutex);
    wr_buffer_reset(&path);
    return code;
}

/* A result that was begun at `not_before` or later; -1: of any age. */
static int get(struct filling *filling, struct wr_spool *results, int64_t not_before, int *ret_fd,
               bool *ret_filled, struct weir_error *error) {
    struct wr_cached_table *cache = filling->scan->cache;
    struct wr_caches_engine *engine = &cache->caches->engine;
    const struct wr_result_fill request = {fill, filling_cancelled, filling};
    int64_t max_age_ms = not_before < 0 ? -1 : cache->policy.max_age / 1000;
    for (;;) {
        struct wr_result_head head = {0};
        int fd = -1;
        WR_TRY(engine->spool_get(results, filling->scan->key, max_age_ms, &request, &fd, ret_filled,
                                 error));
        bool good = pread(fd, &head, sizeof head, 0) == sizeof head &&
                    head.magic == WR_RESULT_MAGIC &&
                    (not_before < 0 || *ret_filled || head.started_at >= not_before);
        if (good) {
            *ret_fd = fd;
            return WEIR_OK;
        }
        close(fd);
        max_age_ms = 0; /* it was younger when it was written than when it was begun */
        usleep(1000);
    }
}

/* ---- Opening ---- */

static int open_kept(struct result_scan *scan, struct ArrowArrayStream *ret_rows, bool *ret_unfit,
                     struct weir_error *error) {
    struct wr_cached_table *cache = scan->cache;
    struct filling filling = {.scan = scan};
    struct wr_copy copy = {0};
    struct weir_error own = {0};
    bool filled = false;
    int fd = -1;
    int64_t now = wr_cached_now();
    struct wr_spool *results = NULL;
    WR_TRY(open_results(cache, &results, error));
    WR_TRY(wr_copies_load(cache->caches->copies, cache->key, &copy, error));
    int64_t not_before = now - cache->policy.max_age;
    if (not_before <= copy.invalid_at) not_before = copy.invalid_at + 1;
    wr_copy_reset(&copy);
    int code = get(&filling, results, not_before, &fd, &filled, &own);
    *ret_unfit = filling.unfit;
    bool stale = code && !filling.unfit && code != WEIR_CANCELLED && cache->policy.serves_stale;
    int64_t oldest = cache->policy.max_stale < 0 ? -1 : now - cache->policy.max_stale;
    /* The fill that fails again is not asked for: an old result is there or not. */
    if (stale && wr_result_old(cache, scan->key, oldest, &fd)) code = WEIR_OK;
    if (code) {
        wr_copies_note_error(cache->caches->copies, cache->key, own.message);
        if (error) *error = own;
        return code;
    }
    if (filled) wr_copies_note_error(cache->caches->copies, cache->key, NULL);
    atomic_fetch_add(filled ? &cache->misses : &cache->hits, 1);
    return wr_result_read(fd, ret_rows, error);
}

static int open_scan(struct weir_scan *weir_scan, int32_t partition,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)partition;
    struct result_scan *scan = weir_scan->private_data;
    bool unfit = false;
    int code = open_kept(scan, ret_rows, &unfit, error);
    if (!unfit) return code;
    /* Read from the database itself, and let go with the scan. */
    atomic_fetch_add(&scan->cache->misses, 1);
    WR_TRY(begin_inner(scan, error));
    return wr_result_concatenate(&scan->inner, ret_rows, error);
}

/* ---- Planning ---- */

static int hash_request(struct result_scan *scan, const char *backend, struct weir_error *error) {
    struct wr_hash hash;
    void *schema = NULL;
    size_t length = 0;
    WR_TRY(wr_arrow_schema_encode(&scan->schema, &schema, &length, error));
    wr_hash_init(&hash);
    wr_hash_text(&hash, backend);
    for (size_t i = 0; i < scan->n_statements; i++)
        wr_hash_text(&hash, scan->statements[i]);
    wr_hash_add(&hash, schema, length);
    scan->key[0] = 'q';
    wr_hash_finish(&hash, scan->key + 1);
    wr_free(schema);
    return WEIR_OK;
}

static int copy_statements(struct result_scan *scan, const char *const *statements, size_t n,
                           struct weir_error *error) {
    scan->statements = wr_calloc(n, sizeof *scan->statements);
    if (!scan->statements) return wr_error_memory(error);
    for (; scan->n_statements < n; scan->n_statements++) {
        char *copy = wr_strdup(statements[scan->n_statements]);
        if (!copy) return wr_error_memory(error);
        scan->statements[scan->n_statements] = copy;
    }
    return WEIR_OK;
}

int wr_results_execute(struct wr_cached_table *cache, struct wr_result_source *source,
                       const char *const *statements, size_t n_statements,
                       const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                       struct weir_error *error) {
    struct result_scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    pthread_mutex_init(&scan->mutex, NULL);
    scan->cache = cache;
    pthread_mutex_lock(&source->mutex);
    scan->source = wr_instance_retain(source->instance);
    scan->execute = source->execute;
    pthread_mutex_unlock(&source->mutex);
    int code = copy_statements(scan, statements, n_statements, error);
    if (code == WEIR_OK) code = wr_arrow_copy_schema(schema, &scan->schema, error);
    if (code == WEIR_OK) code = hash_request(scan, cache->source, error);
    if (code) {
        scan_free(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){.n_partitions = 1,
                                   .open = open_scan,
                                   .cancel = cancel_scan,
                                   .release = release_scan,
                                   .private_data = scan};
    return WEIR_OK;
}
