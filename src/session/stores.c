/* SPDX-License-Identifier: Apache-2.0 */
#include "session/stores.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/pool.h"
#include "base/url.h"
#include "session/policy.h"
#include "store/listings.h"

struct wr_opened {
    atomic_int references;
    struct wr_objects *objects;
    struct wr_listings *listings;
    char *root;
    int64_t scope; /* 0: none */
};

struct wr_store_pool {
    struct wr_stores stores;
    struct wr_scopes *scopes;
    struct wr_policy *policy;
    int64_t max_listing_age_ms;
    pthread_mutex_t mutex;    /* guards what follows */
    struct wr_engine *engine; /* NULL: none yet, or no longer */
    struct wr_opened **items;
    size_t n_items;
    struct wr_pool *opener; /* opens stores beforehand; NULL: none was */
};

/* ---- One store ---- */

static void opened_release(struct wr_opened *store) {
    if (!store) return;
    if (atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) > 1) return;
    if (store->objects) wr_objects_close(store->objects);
    wr_listings_free(store->listings);
    wr_free(store->root);
    wr_free(store);
}

static struct wr_opened *retain(struct wr_opened *store) {
    atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
    return store;
}

struct wr_objects *wr_opened_objects(struct wr_opened *store) {
    return store->objects;
}

static const char *opened_url(const struct wr_opened *store) {
    return wr_objects_url(store->objects);
}

/* ---- Opening ---- */

static int refuse_local(const struct wr_location *location, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "\"/%s\" is a path of this machine, not an object of a store",
                        location->key);
}

/* With the mutex held. */
static struct wr_opened *find(struct wr_store_pool *pool, const char *root, int64_t scope) {
    for (size_t i = 0; i < pool->n_items; i++) {
        struct wr_opened *store = pool->items[i];
        if (store->scope == scope && strcmp(store->root, root) == 0) return store;
    }
    return NULL;
}

static int make(const struct wr_store_pool *pool, const struct wr_location *location,
                const struct wr_options *options, int64_t scope, struct wr_opened **ret_store,
                struct weir_error *error) {
    struct wr_guard guard;
    /* Where the clouds' stores are no URL says. */
    bool trusted = scope != 0 || location->type != WR_STORE_HTTP;
    bool guarded = pool->policy && wr_policy_guard(pool->policy, trusted, &guard);
    struct wr_opened *store = wr_calloc(1, sizeof *store);
    if (!store) return wr_error_memory(error);
    atomic_init(&store->references, 1);
    store->root = wr_strdup(location->root);
    store->listings = wr_listings_new(pool->max_listing_age_ms);
    store->scope = scope;
    const struct wr_objects_options given = {
        .size = sizeof given,
        .type = wr_store_type_name(location->type),
        .url = store->root,
        .options = options->items,
        .n_options = options->n_items,
        .guard = guarded ? &guard : NULL,
    };
    int code = store->root && store->listings
                   ? wr_objects_open(pool->engine, &given, &store->objects, error)
                   : wr_error_memory(error);
    if (code) {
        opened_release(store);
        return code;
    }
    *ret_store = store;
    return WEIR_OK;
}

/* What the URL itself says comes first. */
static int add_account(const struct wr_location *location, struct wr_options *options,
                       struct weir_error *error) {
    const char *given = wr_options_get(options->items, options->n_items, "account_name");
    if (!location->account) return WEIR_OK;
    if (!given) return wr_options_add(options, "account_name", location->account, error);
    if (strcmp(given, location->account) == 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "\"%s\" is of another account than the option account_name, \"%s\"",
                        location->root, given);
}

/* With the mutex held: nothing is asked of the network. */
static int open_locked(struct wr_store_pool *pool, const struct wr_location *location,
                       const struct wr_options *options, int64_t scope,
                       struct wr_opened **ret_store, struct weir_error *error) {
    struct wr_opened *store = find(pool, location->root, scope);
    if (!pool->engine)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the workspace is being closed");
    if (!store) {
        struct wr_opened **items =
            wr_reallocarray(pool->items, pool->n_items + 1, sizeof(struct wr_opened *));
        if (!items) return wr_error_memory(error);
        pool->items = items;
        WR_TRY(make(pool, location, options, scope, &store, error));
        items[pool->n_items++] = store;
    }
    *ret_store = retain(store);
    return WEIR_OK;
}

static int pool_open(void *context, const struct wr_location *location,
                     struct wr_opened **ret_store, struct weir_error *error) {
    struct wr_store_pool *pool = context;
    struct wr_options options = {0};
    int64_t scope = 0;
    if (location->type == WR_STORE_FILE) return refuse_local(location, error);
    int code = wr_scopes_options(pool->scopes, location, &options, &scope, error);
    if (code == WEIR_OK) code = wr_store_complete(location->type, &options, error);
    if (code == WEIR_OK) code = add_account(location, &options, error);
    if (code == WEIR_OK) {
        pthread_mutex_lock(&pool->mutex);
        code = open_locked(pool, location, &options, scope, ret_store, error);
        pthread_mutex_unlock(&pool->mutex);
    }
    wr_options_erase(&options);
    return code;
}

/* ---- Opening beforehand ---- */

/* A client of HTTP, with its threads and certificates, is not made for more stores that may never
 * be used. */
enum { MOST_BEFOREHAND = 8 };

struct beforehand {
    struct wr_task task;
    struct wr_store_pool *pool;
    char *url;
};

/* What is wrong is said to whoever uses the store. */
static void open_beforehand(struct wr_task *task) {
    struct beforehand *one = (struct beforehand *)task;
    struct wr_location location = {0};
    struct wr_opened *store = NULL;
    if (wr_location_parse(one->url, &location, NULL) == WEIR_OK &&
        pool_open(one->pool, &location, &store, NULL) == WEIR_OK)
        opened_release(store);
    wr_location_reset(&location);
    wr_free(one->url);
    wr_free(one);
}

void wr_store_pool_open_beforehand(struct wr_store_pool *pool, const char *url) {
    struct beforehand *one = wr_calloc(1, sizeof *one);
    char *copy = wr_strdup(url);
    if (!one || !copy) {
        wr_free(copy);
        wr_free(one);
        return;
    }
    *one = (struct beforehand){{.run = open_beforehand}, pool, copy};
    pthread_mutex_lock(&pool->mutex);
    bool opens = pool->engine && pool->n_items < MOST_BEFOREHAND &&
                 (pool->opener || wr_pool_open("weir-open", 1, &pool->opener, NULL) == WEIR_OK);
    if (opens) wr_pool_submit(pool->opener, &one->task);
    pthread_mutex_unlock(&pool->mutex);
    if (opens) return;
    wr_free(copy);
    wr_free(one);
}

/* ---- Calls ---- */

/* After what may have failed, too: an answer that was lost leaves what was done. */
void wr_opened_forget(struct wr_opened *store) {
    wr_listings_forget(store->listings);
}

static int opened_head(struct wr_opened *store, const char *key, wr_object_fn take, void *sink,
                       struct weir_error *error) {
    return wr_objects_head(store->objects, key, take, sink, error);
}

static int opened_get(struct wr_opened *store, const char *key, int64_t offset, size_t length,
                      const char *if_match, void *data, size_t *ret_length, wr_object_fn take,
                      void *sink, struct weir_error *error) {
    return wr_objects_get(store->objects, key, offset, length, if_match, data, ret_length, take,
                          sink, error);
}

static int opened_list(struct wr_opened *store, const char *prefix, int32_t recursive,
                       const char *start_after,
                       int (*take)(void *sink, const struct wr_object *object), void *sink,
                       struct weir_error *error) {
    if (start_after)
        return wr_objects_list(store->objects, prefix, recursive, start_after, take, sink, error);
    return wr_listings_walk(store->listings, wr_objects_list, store->objects, prefix, recursive,
                            take, sink, error);
}

static int opened_put(struct wr_opened *store, const char *key, const void *data, size_t length,
                      int mode, const char *if_match, char **ret_etag, struct weir_error *error) {
    int code = wr_objects_put(store->objects, key, data, length, mode, if_match, ret_etag, error);
    wr_opened_forget(store);
    return code;
}

static int opened_copy(struct wr_opened *store, const char *from, const char *to, int32_t overwrite,
                       struct weir_error *error) {
    int code = wr_objects_copy(store->objects, from, to, overwrite, error);
    wr_opened_forget(store);
    return code;
}

static int opened_remove(struct wr_opened *store, const char *const *keys, size_t n_keys,
                         struct weir_error *error) {
    int code = wr_objects_delete(store->objects, keys, n_keys, error);
    wr_opened_forget(store);
    return code;
}

static int opened_upload(struct wr_opened *store, const char *key, int mode, const char *if_match,
                         struct wr_upload **ret_upload, struct weir_error *error) {
    return wr_upload_open(store->objects, key, mode, if_match, ret_upload, error);
}

/* ---- The pool ---- */

int wr_store_pool_new(int64_t max_listing_age_ms, struct wr_store_pool **ret_pool,
                      struct weir_error *error) {
    struct wr_store_pool *pool = wr_calloc(1, sizeof *pool);
    if (!pool) return wr_error_memory(error);
    pool->max_listing_age_ms = max_listing_age_ms;
    int code = wr_scopes_new(&pool->scopes, error);
    if (code) {
        wr_free(pool);
        return code;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pool->stores = (struct wr_stores){
        .context = pool,
        .scopes = pool->scopes,
        .open = pool_open,
        .retain = retain,
        .release = opened_release,
        .url = opened_url,
        .head = opened_head,
        .get = opened_get,
        .list = opened_list,
        .put = opened_put,
        .copy = opened_copy,
        .remove = opened_remove,
        .forget = wr_opened_forget,
        .upload = opened_upload,
        .write = wr_upload_write,
        .commit = wr_upload_commit,
        .abort = wr_upload_free,
        .free_text = wr_engine_free,
    };
    *ret_pool = pool;
    return WEIR_OK;
}

void wr_store_pool_engine(struct wr_store_pool *pool, struct wr_engine *engine) {
    pthread_mutex_lock(&pool->mutex);
    pool->engine = engine;
    pthread_mutex_unlock(&pool->mutex);
}

void wr_store_pool_policy(struct wr_store_pool *pool, struct wr_policy *policy) {
    pool->policy = policy;
}

void wr_store_pool_forget(struct wr_store_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    for (size_t i = 0; i < pool->n_items; i++)
        wr_opened_forget(pool->items[i]);
    pthread_mutex_unlock(&pool->mutex);
}

void wr_store_pool_stop(struct wr_store_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    struct wr_pool *opener = pool->opener;
    pool->opener = NULL;
    struct wr_opened **items = pool->items;
    size_t n_items = pool->n_items;
    pool->engine = NULL;
    pool->items = NULL;
    pool->n_items = 0;
    pthread_mutex_unlock(&pool->mutex);
    wr_pool_close(opener);
    for (size_t i = 0; i < n_items; i++)
        opened_release(items[i]);
    wr_free(items);
}

void wr_store_pool_free(struct wr_store_pool *pool) {
    if (!pool) return;
    wr_store_pool_stop(pool);
    wr_scopes_free(pool->scopes);
    pthread_mutex_destroy(&pool->mutex);
    wr_free(pool);
}

const struct wr_stores *wr_store_pool_stores(struct wr_store_pool *pool) {
    return &pool->stores;
}

struct wr_scopes *wr_store_pool_scopes(struct wr_store_pool *pool) {
    return pool->scopes;
}

/* ---- What the engine asks ---- */

static int locate(struct wr_store_pool *pool, const char *url, struct wr_buffer *object,
                  struct wr_opened **ret_store, struct weir_error *error) {
    struct wr_location location = {0};
    WR_TRY(wr_location_parse(url, &location, error));
    int code = pool_open(pool, &location, ret_store, error);
    if (code == WEIR_OK) {
        wr_buffer_text(object, opened_url(*ret_store));
        wr_percent_encode(object, location.key);
        if (object->failed) code = wr_error_memory(error);
    }
    wr_location_reset(&location);
    return code;
}

int wr_store_pool_locate(void *pool, const char *url,
                         void (*take)(void *sink, const char *object_url), void *sink,
                         struct weir_error *error) {
    enum { MOST_BYTES = 64 * 1024 };
    struct wr_opened *store = NULL;
    struct wr_buffer object;
    wr_buffer_init(&object, MOST_BYTES);
    int code = locate(pool, url, &object, &store, error);
    if (code == WEIR_OK) take(sink, object.data);
    wr_buffer_reset(&object);
    opened_release(store);
    return code;
}

/* ---- System tables ---- */

/* With the mutex held. */
static bool has_twin(const struct wr_store_pool *pool, const struct wr_opened *store) {
    for (size_t i = 0; i < pool->n_items; i++) {
        if (pool->items[i] != store && strcmp(pool->items[i]->root, store->root) == 0) return true;
    }
    return false;
}

int wr_store_pool_each(struct wr_store_pool *pool,
                       int (*take)(void *sink, const char *url, const struct wr_objects *objects,
                                   struct weir_error *error),
                       void *sink, struct weir_error *error) {
    enum { MOST_BYTES = 64 * 1024 };
    struct wr_buffer url;
    int code = WEIR_OK;
    wr_buffer_init(&url, MOST_BYTES);
    pthread_mutex_lock(&pool->mutex);
    for (size_t i = 0; code == WEIR_OK && i < pool->n_items; i++) {
        const struct wr_opened *store = pool->items[i];
        wr_buffer_clear(&url);
        wr_buffer_text(&url, store->root);
        if (has_twin(pool, store)) wr_buffer_format(&url, "#%lld", (long long)store->scope);
        code = url.failed ? wr_error_memory(error) : take(sink, url.data, store->objects, error);
    }
    pthread_mutex_unlock(&pool->mutex);
    wr_buffer_reset(&url);
    return code;
}

struct fill {
    struct wr_rows *rows;
    bool secrets; /* else the others */
};

static void add_names(struct wr_buffer *names, const struct wr_scope_info *info) {
    for (size_t i = 0; i < info->n_options; i++) {
        if (i > 0) wr_buffer_text(names, ", ");
        wr_buffer_text(names, info->options[i].key);
    }
    wr_buffer_add(names, "", 0);
}

static int add_scope(void *sink, const struct wr_scope_info *info, struct weir_error *error) {
    enum { MOST_BYTES = 64 * 1024 };
    struct fill *fill = sink;
    if ((info->origin == WR_SCOPE_SECRET) != fill->secrets) return WEIR_OK;
    struct wr_buffer names;
    wr_buffer_init(&names, MOST_BYTES);
    add_names(&names, info);
    const char *options = names.failed ? "..." : names.length > 0 ? names.data : "";
    wr_rows_text(fill->rows, info->name);
    if (fill->secrets) {
        wr_rows_text(fill->rows, wr_store_type_name(info->type));
        wr_rows_text(fill->rows, *info->scope ? info->scope : NULL);
        wr_rows_text(fill->rows, options);
    } else {
        wr_rows_text(fill->rows, info->scope);
        wr_rows_text(fill->rows, wr_store_type_name(info->type));
        wr_rows_text(fill->rows, options);
        wr_rows_text(fill->rows, info->from);
    }
    wr_buffer_reset(&names);
    return wr_rows_end(fill->rows, error);
}

static int fill_rows(struct wr_store_pool *pool, struct wr_rows *rows, bool secrets,
                     struct weir_error *error) {
    struct fill fill = {rows, secrets};
    /* It names buckets, and what their options are. */
    if (!wr_rows_see_all(rows)) return WEIR_OK;
    return wr_scopes_each(pool->scopes, add_scope, &fill, error);
}

int wr_store_pool_fill_secrets(void *pool, struct wr_rows *rows, struct weir_error *error) {
    return fill_rows(pool, rows, true, error);
}

int wr_store_pool_fill_stores(void *pool, struct wr_rows *rows, struct weir_error *error) {
    return fill_rows(pool, rows, false, error);
}
