/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of the kind `cached`. */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/options.h"
#include "table/cached/caches.h"
#include "table/cached/kind.h"
#include "table/cached/results.h"
#include "table/form.h"

/* An instance. */
struct cached {
    struct wr_cached_table *cache;
    bool off;   /* called so that the source is read */
    bool ready; /* called so that nothing is fetched */
    struct wr_result_source source;
};

/* ---- Open ---- */

/* A directory's name that tells the table to people, and every definition from all others. */
static char *key_of(const struct weir_definition *definition) {
    struct wr_hash hash;
    char digest[WR_HASH_TEXT_SIZE];
    char key[96];
    wr_hash_init(&hash);
    wr_hash_text(&hash, definition->catalog);
    wr_hash_text(&hash, definition->schema);
    wr_hash_text(&hash, definition->name);
    for (size_t i = 0; i < definition->n_options; i++) {
        if (strncmp(definition->options[i].key, "param.", 6) == 0) continue;
        wr_hash_text(&hash, definition->options[i].key);
        wr_hash_text(&hash, definition->options[i].value);
    }
    wr_hash_finish(&hash, digest);
    int length = snprintf(key, 48, "%s-%s", definition->schema, definition->name);
    if (length > 47) length = 47;
    for (int i = 0; i < length; i++) {
        if (!isalnum((unsigned char)key[i])) key[i] = key[i] == '_' ? '_' : '-';
    }
    snprintf(key + length, sizeof key - (size_t)length, "-%.24s", digest);
    return wr_strdup(key);
}

/* How people call a source: without the option that a mount's tables have in it. */
static char *source_name(const char *source) {
    char *name = wr_strdup(source);
    char *hidden = name ? strchr(name, '\x1f') : NULL;
    if (hidden) *hidden = '\0';
    return name;
}

static void cache_free(struct wr_cached_table *cache) {
    if (!cache) return;
    if (cache->results) cache->caches->engine.spool_close(cache->results);
    wr_free(cache->key);
    wr_free(cache->catalog);
    wr_free(cache->schema);
    wr_free(cache->name);
    wr_free(cache->source);
    wr_free(cache->source_name);
    wr_free(cache->time_column);
    wr_free(cache);
}

void wr_caches_free_all(struct wr_caches *caches) {
    while (caches->first) {
        struct wr_cached_table *next = caches->first->next;
        cache_free(caches->first);
        caches->first = next;
    }
}

static int cache_new(struct wr_caches *caches, const struct weir_definition *definition,
                     struct wr_cached_table **ret_cache, struct weir_error *error) {
    char owner[300];
    struct wr_cache_policy policy;
    char *source = NULL;
    const char *given = wr_options_get(definition->options, definition->n_options, "source");
    snprintf(owner, sizeof owner, "table \"%s\" (kind cached)", definition->name);
    WR_TRY(wr_form_sql_refuse_columns(definition, error));
    WR_TRY(wr_cache_policy_read(owner, definition->options, definition->n_options, &policy, error));
    WR_TRY(wr_cached_source_sql(owner, given, definition->catalog, definition->schema, &source,
                                error));
    struct wr_cached_table *cache = wr_calloc(1, sizeof *cache);
    if (!cache) {
        wr_free(source);
        return wr_error_memory(error);
    }
    *cache = (struct wr_cached_table){
        .caches = caches,
        .key = key_of(definition),
        .catalog = wr_strdup(definition->catalog),
        .schema = wr_strdup(definition->schema),
        .name = wr_strdup(definition->name),
        .source = source,
        .source_name = source_name(given),
        .time_column = wr_strdup(policy.time_column),
        .policy = policy,
    };
    cache->policy.time_column = cache->time_column;
    if (!cache->key || !cache->catalog || !cache->schema || !cache->name || !cache->source_name ||
        (policy.time_column && !cache->time_column)) {
        cache_free(cache);
        return wr_error_memory(error);
    }
    *ret_cache = cache;
    return WEIR_OK;
}

/* The one of that key, of which there is one in the process. Takes over `cache`. */
static struct wr_cached_table *put(struct wr_caches *caches, struct wr_cached_table *cache) {
    struct wr_cached_table *unused = NULL;
    pthread_mutex_lock(&caches->mutex);
    struct wr_cached_table *known = caches->first;
    while (known && strcmp(known->key, cache->key) != 0)
        known = known->next;
    if (known) {
        unused = cache;
    } else {
        cache->next = caches->first;
        caches->first = known = cache;
    }
    pthread_mutex_unlock(&caches->mutex);
    cache_free(unused);
    return known;
}

static int cached_open(const struct weir_definition *definition, void **ret_table,
                       struct weir_error *error) {
    struct wr_caches *caches =
        (struct wr_caches *)(definition->kind - offsetof(struct wr_caches, kind_name));
    struct wr_cached_table *cache = NULL;
    WR_TRY(cache_new(caches, definition, &cache, error));
    cache = put(caches, cache);
    struct cached *cached = wr_malloc(sizeof *cached);
    if (!cached) return wr_error_memory(error);
    wr_result_source_init(&cached->source);
    cached->cache = cache;
    const char *how =
        wr_options_get(definition->options, definition->n_options, "param." WR_CACHED_SWITCH);
    cached->off = how && strcmp(how, "off") == 0;
    cached->ready = how && !cached->off;
    *ret_table = cached;
    return WEIR_OK;
}

static void cached_close(void *table) {
    struct cached *cached = table;
    wr_result_source_reset(&cached->source);
    wr_free(cached);
}

/* ---- Form ---- */

/* What is kept of the table begins with its first use. */
static int begin(struct wr_cached_table *cache, struct weir_error *error) {
    const struct wr_copy_names names = {cache->catalog, cache->schema, cache->name,
                                        cache->source_name, wr_cache_mode_name(cache->policy.mode)};
    bool open = false;
    if (atomic_load(&cache->listed)) return WEIR_OK;
    WR_TRY(wr_caches_open(cache->caches, true, &open, error));
    WR_TRY(wr_copies_add(cache->caches->copies, cache->key, &names, error));
    WR_TRY(wr_caches_schedule(cache, error));
    atomic_store(&cache->listed, true);
    return WEIR_OK;
}

/* Of a table that is being made the source is tried, so that what is wrong with it shows now. */
static int try_source(struct wr_cached_table *cache, struct weir_error *error) {
    struct wr_fetched fetched = {0};
    struct weir_form form = {0};
    const struct wr_caches_engine *engine = &cache->caches->engine;
    WR_TRY(wr_cached_form_source(cache, &form, error));
    const struct wr_cached_query query = {form.sql.query, cache->catalog, cache->schema};
    int code = engine->fetch(engine->context, NULL, &query, NULL, NULL, &fetched, error);
    if (code) code = wr_error_prefix(error, code, "table \"%s\": its source", cache->name);
    bool found = !cache->time_column;
    for (int64_t i = 0; code == WEIR_OK && i < fetched.schema.n_children; i++)
        found = found || strcmp(fetched.schema.children[i]->name, cache->time_column) == 0;
    if (code == WEIR_OK && !found) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "42703",
                            "table \"%s\": its source \"%s\" has no column \"%s\", its time_column",
                            cache->name, cache->source_name, cache->time_column);
    }
    wr_arrow_release_schema(&fetched.schema);
    form.release(&form);
    return code;
}

static int cached_execute(void *table, const char *const *statements, size_t n_statements,
                          const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                          struct weir_error *error) {
    struct cached *cached = table;
    return wr_results_execute(cached->cache, &cached->source, statements, n_statements, schema,
                              ret_scan, error);
}

static int cached_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct cached *cached = table;
    struct wr_cached_table *cache = cached->cache;
    struct wr_lease lease = {.fd = -1};
    if (cached->off) return wr_cached_form_source(cache, ret_form, error);
    if (wr_caches_is_making()) WR_TRY(try_source(cache, error));
    WR_TRY(begin(cache, error));
    if (cache->policy.mode == WR_CACHE_QUERY)
        return wr_results_form(cache, &cached->source, cached_execute, ret_form, error);
    WR_TRY(wr_cache_use(cache, !cached->ready && wr_caches_is_planning(), &lease, error));
    if (lease.fd < 0) {
        wr_lease_end(cache, &lease);
        return wr_cached_form_source(cache, ret_form, error);
    }
    int code = wr_cached_form_copy(cache, &lease, ret_form, error);
    if (code) wr_lease_end(cache, &lease);
    return code;
}

static void no_release(struct weir_statistics *statistics) {
    statistics->release = NULL;
}

/* Of mode query, whose rows are the database's. */
static int cached_statistics(void *table, struct weir_statistics *ret_statistics,
                             struct weir_error *error) {
    struct cached *cached = table;
    pthread_mutex_lock(&cached->source.mutex);
    struct wr_instance *source =
        cached->source.instance ? wr_instance_retain(cached->source.instance) : NULL;
    pthread_mutex_unlock(&cached->source.mutex);
    const struct weir_table_kind *kind = source ? wr_instance_kind(source) : NULL;
    *ret_statistics = (struct weir_statistics){
        .size = sizeof *ret_statistics, .n_rows = -1, .n_bytes = -1, .release = no_release};
    int code = WEIR_OK;
    if (kind && kind->statistics)
        code = kind->statistics(wr_instance_data(source), ret_statistics, error);
    ret_statistics->exact = 0; /* they are those of now, and the rows may be older */
    wr_instance_release(source);
    return code;
}

/* ---- The other slots ---- */

static int fetch_now(struct wr_cached_table *cache, bool (*is_cancelled)(void *context),
                     void *context, struct weir_error *error) {
    WR_TRY(begin(cache, error));
    /* Results are forgotten: which statements will come again nobody knows. */
    if (cache->policy.mode == WR_CACHE_QUERY)
        return wr_copies_invalidate(cache->caches->copies, cache->key, wr_cached_now(), error);
    const struct wr_demand demand = {wr_cached_now(), true, is_cancelled, context};
    int code = wr_flight_wait(cache, &demand, error);
    if (code == WEIR_OK) return code;
    return wr_error_prefix(error, code, "table \"%s\": fetching \"%s\"", cache->name,
                           cache->source_name);
}

static int cached_refresh(void *table, struct weir_error *error) {
    return fetch_now(((const struct cached *)table)->cache, NULL, NULL, error);
}

int wr_cache_drop(struct wr_caches *caches, const char *key, struct weir_error *error) {
    int lock = -1;
    /* First the row: a fetch under way finds then that there is nothing to switch. */
    WR_TRY(wr_copies_drop(caches->copies, key, error));
    for (int i = 0; i < 500 && lock < 0; i++) {
        WR_TRY(wr_copy_lock(&caches->directory, key, &lock, error));
        if (lock < 0) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (lock < 0) return WEIR_OK; /* who fetches sweeps, as does the next one to open */
    wr_copy_remove_all(&caches->directory, key);
    wr_copy_remove_lock(&caches->directory, key);
    wr_copy_unlock(lock);
    return WEIR_OK;
}

static int cached_drop(void *table, struct weir_error *error) {
    struct wr_cached_table *cache = ((const struct cached *)table)->cache;
    bool open = false;
    wr_caches_unschedule(cache);
    atomic_store(&cache->listed, false);
    WR_TRY(wr_caches_open(cache->caches, false, &open, error));
    return open ? wr_cache_drop(cache->caches, cache->key, error) : WEIR_OK;
}

const struct weir_table_kind wr_kind_cached = {
    .size = sizeof wr_kind_cached,
    .name = WR_CACHED_KIND,
    .summary = "a copy of another table, kept for a stated time",
    .options = wr_cached_options,
    .open = cached_open,
    .close = cached_close,
    .form = cached_form,
    .statistics = cached_statistics,
    .drop = cached_drop,
    .refresh = cached_refresh,
};

/* ---- For the session ---- */

static struct wr_cached_table *cache_of(const struct wr_instance *instance) {
    return ((const struct cached *)wr_instance_data(instance))->cache;
}

bool wr_is_cached(const struct wr_instance *instance) {
    return wr_instance_kind(instance)->open == cached_open;
}

const char *wr_cached_source(const struct wr_instance *instance) {
    return cache_of(instance)->source;
}

const char *wr_cached_source_name(const struct wr_instance *instance) {
    return cache_of(instance)->source_name;
}

int wr_cached_invalidate(struct wr_instance *instance, struct weir_error *error) {
    struct wr_cached_table *cache = cache_of(instance);
    WR_TRY(begin(cache, error));
    return wr_copies_invalidate(cache->caches->copies, cache->key, wr_cached_now(), error);
}

int wr_cached_refresh(struct wr_instance *instance, bool (*is_cancelled)(void *context),
                      void *context, struct weir_error *error) {
    return fetch_now(cache_of(instance), is_cancelled, context, error);
}
