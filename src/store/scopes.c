/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "store/store.h"

struct scope {
    int64_t id;
    enum wr_scope_origin origin;
    enum wr_store_type type;
    char *name;
    char *from;
    char *text; /* "s3://", "s3://bucket/", "s3://bucket/prefix": canonical */
    struct wr_options options;
};

struct wr_scopes {
    pthread_mutex_t mutex;
    struct scope **items;
    size_t n_items;
    int64_t last_id;
};

static void scope_free(struct scope *scope) {
    if (!scope) return;
    wr_free(scope->name);
    wr_free(scope->from);
    wr_free(scope->text);
    wr_options_erase(&scope->options);
    wr_free(scope);
}

int wr_scopes_new(struct wr_scopes **ret_scopes, struct weir_error *error) {
    struct wr_scopes *scopes = wr_calloc(1, sizeof *scopes);
    if (!scopes) return wr_error_memory(error);
    pthread_mutex_init(&scopes->mutex, NULL);
    *ret_scopes = scopes;
    return WEIR_OK;
}

void wr_scopes_free(struct wr_scopes *scopes) {
    if (!scopes) return;
    for (size_t i = 0; i < scopes->n_items; i++)
        scope_free(scopes->items[i]);
    wr_free(scopes->items);
    pthread_mutex_destroy(&scopes->mutex);
    wr_free(scopes);
}

/* ---- What a scope is ---- */

static const char *origin_name(enum wr_scope_origin origin) {
    return origin == WR_SCOPE_SECRET ? "secret" : origin == WR_SCOPE_CONFIG ? "store" : "mount";
}

/* The canonical text of a scope: "" is everything of a type, "s3://" all buckets. */
static int read_scope(const struct wr_scope_info *info, struct scope *scope,
                      struct weir_error *error) {
    const char *text = info->scope ? info->scope : "";
    const char *colon = strstr(text, "://");
    scope->type = info->type;
    if (*text && !colon) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s \"%s\": \"%s\" is no beginning of a URL, such as s3://bucket/",
                            origin_name(info->origin), info->name, text);
    }
    bool whole = !colon || !colon[3];
    struct wr_location location = {0};
    if (colon) {
        enum wr_store_type type = wr_store_type_parse(text, (size_t)(colon - text));
        if (!whole) {
            int code = wr_location_parse(text, &location, error);
            if (code)
                return wr_error_prefix(error, code, "%s \"%s\"", origin_name(info->origin),
                                       info->name);
        }
        if (!scope->type) scope->type = type;
        if (type != scope->type) {
            wr_location_reset(&location);
            return wr_error_set(
                error, WEIR_INVALID_ARGUMENT, NULL, "%s \"%s\": \"%s\" is not of the type %s",
                origin_name(info->origin), info->name, text, wr_store_type_name(scope->type));
        }
    }
    if (!scope->type) {
        wr_location_reset(&location);
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s \"%s\" needs a type (s3, azure, gcs or http) or a scope",
                            origin_name(info->origin), info->name);
    }
    scope->text = whole ? wr_strdup("") : NULL;
    if (!whole) {
        size_t root = strlen(location.root), key = strlen(location.key);
        scope->text = wr_malloc(root + key + 1);
        if (scope->text) {
            memcpy(scope->text, location.root, root);
            memcpy(scope->text + root, location.key, key + 1);
        }
    }
    wr_location_reset(&location);
    return scope->text ? WEIR_OK : wr_error_memory(error);
}

static int scope_new(const struct wr_scope_info *info, struct scope **ret_scope,
                     struct weir_error *error) {
    char owner[300];
    struct scope *scope = wr_calloc(1, sizeof *scope);
    if (!scope) return wr_error_memory(error);
    scope->origin = info->origin;
    scope->name = wr_strdup(info->name);
    scope->from = wr_strdup(info->from);
    int code = scope->name && (!info->from || scope->from) ? read_scope(info, scope, error)
                                                           : wr_error_memory(error);
    if (code == WEIR_OK) {
        snprintf(owner, sizeof owner, "%s \"%.200s\"", origin_name(info->origin), info->name);
        code = wr_store_check(owner, scope->type, info->options, info->n_options, &scope->options,
                              error);
    }
    if (code) {
        scope_free(scope);
        return code;
    }
    *ret_scope = scope;
    return WEIR_OK;
}

/* ---- Changes ---- */

/* With the mutex held: its place, or the number of all. */
static size_t find(const struct wr_scopes *scopes, enum wr_scope_origin origin, const char *name) {
    size_t i = 0;
    while (i < scopes->n_items &&
           (scopes->items[i]->origin != origin || strcmp(scopes->items[i]->name, name) != 0))
        i++;
    return i;
}

static int add(struct wr_scopes *scopes, struct scope *scope, bool replace, struct scope **ret_old,
               struct weir_error *error) {
    size_t i = find(scopes, scope->origin, scope->name);
    if (i < scopes->n_items && !replace) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710", "the %s \"%s\" is there already",
                            origin_name(scope->origin), scope->name);
    }
    if (i == scopes->n_items) {
        struct scope **items = wr_reallocarray(scopes->items, i + 1, sizeof *items);
        if (!items) return wr_error_memory(error);
        scopes->items = items;
        scopes->items[scopes->n_items++] = NULL;
    }
    *ret_old = scopes->items[i];
    scope->id = ++scopes->last_id;
    scopes->items[i] = scope;
    return WEIR_OK;
}

int wr_scopes_add(struct wr_scopes *scopes, const struct wr_scope_info *info, bool replace,
                  struct weir_error *error) {
    struct scope *scope = NULL;
    struct scope *old = NULL;
    WR_TRY(scope_new(info, &scope, error));
    pthread_mutex_lock(&scopes->mutex);
    int code = add(scopes, scope, replace, &old, error);
    pthread_mutex_unlock(&scopes->mutex);
    scope_free(code ? scope : old);
    return code;
}

int wr_scopes_remove(struct wr_scopes *scopes, enum wr_scope_origin origin, const char *name,
                     struct weir_error *error) {
    struct scope *old = NULL;
    pthread_mutex_lock(&scopes->mutex);
    size_t i = find(scopes, origin, name);
    if (i < scopes->n_items) {
        old = scopes->items[i];
        scopes->items[i] = scopes->items[--scopes->n_items];
        scopes->last_id++;
    }
    pthread_mutex_unlock(&scopes->mutex);
    if (!old)
        return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no %s \"%s\"",
                            origin_name(origin), name);
    scope_free(old);
    return WEIR_OK;
}

int64_t wr_scopes_generation(struct wr_scopes *scopes) {
    pthread_mutex_lock(&scopes->mutex);
    int64_t generation = scopes->last_id;
    pthread_mutex_unlock(&scopes->mutex);
    return generation;
}

/* ---- Questions ---- */

/* Whether the location lies in it, by whole components. */
static bool holds(const struct scope *scope, const struct wr_location *location) {
    if (scope->type != location->type) return false;
    size_t root = strlen(location->root);
    size_t length = strlen(scope->text);
    if (length == 0) return true;
    if (strncmp(scope->text, location->root, length < root ? length : root) != 0) return false;
    if (length <= root) return length == root;
    const char *prefix = scope->text + root;
    size_t rest = length - root;
    if (strncmp(location->key, prefix, rest) != 0) return false;
    return prefix[rest - 1] == '/' || location->key[rest] == '/' || !location->key[rest];
}

static bool is_better(const struct scope *scope, const struct scope *than) {
    if (!than) return true;
    size_t length = strlen(scope->text), other = strlen(than->text);
    if (length != other) return length > other;
    return scope->origin != than->origin ? scope->origin > than->origin : scope->id > than->id;
}

static int copy_options(const struct scope *scope, struct wr_options *options,
                        struct weir_error *error) {
    for (size_t i = 0; i < scope->options.n_items; i++) {
        const struct weir_option *option = &scope->options.items[i];
        WR_TRY(wr_options_add(options, option->key, option->value, error));
    }
    return WEIR_OK;
}

int wr_scopes_options(struct wr_scopes *scopes, const struct wr_location *location,
                      struct wr_options *ret_options, int64_t *ret_id, struct weir_error *error) {
    const struct scope *best = NULL;
    pthread_mutex_lock(&scopes->mutex);
    for (size_t i = 0; i < scopes->n_items; i++) {
        const struct scope *scope = scopes->items[i];
        if (holds(scope, location) && is_better(scope, best)) best = scope;
    }
    int64_t id = best ? best->id : 0;
    int code = best ? copy_options(best, ret_options, error) : WEIR_OK;
    pthread_mutex_unlock(&scopes->mutex);
    WR_TRY(code);
    *ret_id = id;
    return WEIR_OK;
}

static int tell(const struct scope *scope, wr_scope_fn take, void *sink, struct weir_error *error) {
    struct weir_option *names = wr_calloc(scope->options.n_items + 1, sizeof *names);
    if (!names) return wr_error_memory(error);
    for (size_t i = 0; i < scope->options.n_items; i++)
        names[i].key = scope->options.items[i].key;
    const struct wr_scope_info info = {
        .name = scope->name,
        .origin = scope->origin,
        .from = scope->from,
        .type = scope->type,
        .scope = scope->text,
        .options = names,
        .n_options = scope->options.n_items,
    };
    int code = take(sink, &info, error);
    wr_free(names);
    return code;
}

int wr_scopes_each(struct wr_scopes *scopes, wr_scope_fn take, void *sink,
                   struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&scopes->mutex);
    for (size_t i = 0; code == WEIR_OK && i < scopes->n_items; i++)
        code = tell(scopes->items[i], take, sink, error);
    pthread_mutex_unlock(&scopes->mutex);
    return code;
}
