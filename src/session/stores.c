/* SPDX-License-Identifier: Apache-2.0 */
#include "session/stores.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

struct wr_opened {
    atomic_int references;
    struct wr_objects *objects;
    char *root;
    int64_t scope; /* 0: none */
};

struct wr_store_pool {
    struct wr_stores stores;
    struct wr_scopes *scopes;
    pthread_mutex_t mutex;    /* guards what follows */
    struct wr_engine *engine; /* NULL: none yet, or no longer */
    struct wr_opened **items;
    size_t n_items;
};

/* ---- One store ---- */

static void opened_release(struct wr_opened *store) {
    if (!store) return;
    if (atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) > 1) return;
    wr_objects_close(store->objects);
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

static int make(struct wr_engine *engine, const struct wr_location *location,
                const struct wr_options *options, int64_t scope, struct wr_opened **ret_store,
                struct weir_error *error) {
    struct wr_opened *store = wr_calloc(1, sizeof *store);
    char *root = wr_strdup(location->root);
    if (!store || !root) {
        wr_free(store);
        wr_free(root);
        return wr_error_memory(error);
    }
    atomic_init(&store->references, 1);
    store->root = root;
    store->scope = scope;
    const struct wr_objects_options given = {
        .size = sizeof given,
        .type = wr_store_type_name(location->type),
        .url = root,
        .options = options->items,
        .n_options = options->n_items,
    };
    int code = wr_objects_open(engine, &given, &store->objects, error);
    if (code) {
        wr_free(root);
        wr_free(store);
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
        WR_TRY(make(pool->engine, location, options, scope, &store, error));
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
    if (code == WEIR_OK) code = wr_store_environment(location->type, &options, error);
    if (code == WEIR_OK) code = add_account(location, &options, error);
    if (code == WEIR_OK) {
        pthread_mutex_lock(&pool->mutex);
        code = open_locked(pool, location, &options, scope, ret_store, error);
        pthread_mutex_unlock(&pool->mutex);
    }
    wr_options_erase(&options);
    return code;
}

/* ---- Calls ---- */

/*
 * What a kind asks of a store. Kinds are asked for forms on threads of the engine, on which it
 * waits for nothing: a thread of our own does.
 */
struct request {
    int (*run)(struct request *request);
    struct wr_objects *objects;
    const char *key;
    const char *to;
    const char *if_match;
    int64_t offset;
    const void *data;
    void *buffer;
    size_t length;
    int32_t flag;
    int mode;
    size_t *ret_length;
    char **ret_etag;
    struct wr_upload *upload;
    struct wr_upload **ret_upload;
    wr_object_fn take;
    int (*walk)(void *sink, const struct wr_object *object);
    void *sink;
    const char *const *keys;
    struct weir_error *error;
    int code;
};

static void *run_request(void *context) {
    struct request *request = context;
    request->code = request->run(request);
    return NULL;
}

static int elsewhere(struct request *request) {
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&thread, NULL, run_request, request);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason) return wr_error_errno(request->error, reason, "cannot start a thread");
    pthread_join(thread, NULL);
    return request->code;
}

static int run_head(struct request *r) {
    return wr_objects_head(r->objects, r->key, r->take, r->sink, r->error);
}

static int opened_head(struct wr_opened *store, const char *key, wr_object_fn take, void *sink,
                       struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_head,
                                       .objects = store->objects,
                                       .key = key,
                                       .take = take,
                                       .sink = sink,
                                       .error = error});
}

static int run_get(struct request *r) {
    return wr_objects_get(r->objects, r->key, r->offset, r->length, r->if_match, r->buffer,
                          r->ret_length, r->take, r->sink, r->error);
}

static int opened_get(struct wr_opened *store, const char *key, int64_t offset, size_t length,
                      const char *if_match, void *data, size_t *ret_length, wr_object_fn take,
                      void *sink, struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_get,
                                       .objects = store->objects,
                                       .key = key,
                                       .offset = offset,
                                       .buffer = data,
                                       .length = length,
                                       .if_match = if_match,
                                       .ret_length = ret_length,
                                       .take = take,
                                       .sink = sink,
                                       .error = error});
}

static int run_list(struct request *r) {
    return wr_objects_list(r->objects, r->key, r->flag, r->to, r->walk, r->sink, r->error);
}

static int opened_list(struct wr_opened *store, const char *prefix, int32_t recursive,
                       const char *start_after,
                       int (*take)(void *sink, const struct wr_object *object), void *sink,
                       struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_list,
                                       .objects = store->objects,
                                       .key = prefix,
                                       .to = start_after,
                                       .flag = recursive,
                                       .walk = take,
                                       .sink = sink,
                                       .error = error});
}

static int run_put(struct request *r) {
    return wr_objects_put(r->objects, r->key, r->data, r->length, r->mode, r->if_match, r->ret_etag,
                          r->error);
}

static int opened_put(struct wr_opened *store, const char *key, const void *data, size_t length,
                      int mode, const char *if_match, char **ret_etag, struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_put,
                                       .objects = store->objects,
                                       .key = key,
                                       .data = data,
                                       .length = length,
                                       .mode = mode,
                                       .if_match = if_match,
                                       .ret_etag = ret_etag,
                                       .error = error});
}

static int run_copy(struct request *r) {
    return wr_objects_copy(r->objects, r->key, r->to, r->flag, r->error);
}

static int opened_copy(struct wr_opened *store, const char *from, const char *to, int32_t overwrite,
                       struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_copy,
                                       .objects = store->objects,
                                       .key = from,
                                       .to = to,
                                       .flag = overwrite,
                                       .error = error});
}

static int run_remove(struct request *r) {
    return wr_objects_delete(r->objects, r->keys, r->length, r->error);
}

static int opened_remove(struct wr_opened *store, const char *const *keys, size_t n_keys,
                         struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_remove,
                                       .objects = store->objects,
                                       .keys = keys,
                                       .length = n_keys,
                                       .error = error});
}

static int run_upload(struct request *r) {
    return wr_upload_open(r->objects, r->key, r->mode, r->if_match, r->ret_upload, r->error);
}

static int opened_upload(struct wr_opened *store, const char *key, int mode, const char *if_match,
                         struct wr_upload **ret_upload, struct weir_error *error) {
    return elsewhere(&(struct request){.run = run_upload,
                                       .objects = store->objects,
                                       .key = key,
                                       .mode = mode,
                                       .if_match = if_match,
                                       .ret_upload = ret_upload,
                                       .error = error});
}

static int run_write(struct request *r) {
    return wr_upload_write(r->upload, r->data, r->length, r->error);
}

static int opened_write(struct wr_upload *upload, const void *data, size_t length,
                        struct weir_error *error) {
    return elsewhere(&(struct request){
        .run = run_write, .upload = upload, .data = data, .length = length, .error = error});
}

static int run_commit(struct request *r) {
    return wr_upload_commit(r->upload, r->ret_etag, r->error);
}

static int opened_commit(struct wr_upload *upload, char **ret_etag, struct weir_error *error) {
    return elsewhere(&(struct request){
        .run = run_commit, .upload = upload, .ret_etag = ret_etag, .error = error});
}

/* ---- The pool ---- */

int wr_store_pool_new(struct wr_store_pool **ret_pool, struct weir_error *error) {
    struct wr_store_pool *pool = wr_calloc(1, sizeof *pool);
    if (!pool) return wr_error_memory(error);
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
        .upload = opened_upload,
        .write = opened_write,
        .commit = opened_commit,
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

void wr_store_pool_stop(struct wr_store_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    struct wr_opened **items = pool->items;
    size_t n_items = pool->n_items;
    pool->engine = NULL;
    pool->items = NULL;
    pool->n_items = 0;
    pthread_mutex_unlock(&pool->mutex);
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

/* ---- System tables ---- */

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
