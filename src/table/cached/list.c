/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of system.caches, and forgetting. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/cached/caches.h"
#include "table/cached/kind.h"

struct counts {
    int64_t hits;
    int64_t misses;
    bool busy;
};

static struct counts counts_of(struct wr_caches *caches, const char *key) {
    struct counts counts = {0};
    pthread_mutex_lock(&caches->mutex);
    for (struct wr_cached_table *cache = caches->first; cache; cache = cache->next) {
        if (strcmp(cache->key, key) != 0) continue;
        counts = (struct counts){atomic_load(&cache->hits), atomic_load(&cache->misses),
                                 cache->flight != NULL};
    }
    pthread_mutex_unlock(&caches->mutex);
    return counts;
}

struct listing {
    struct wr_caches *caches;
    struct wr_rows *rows;
};

/* Results of statements have neither one age nor a number of rows. */
static void add_results(struct wr_rows *rows, int64_t n_bytes) {
    wr_rows_null(rows);
    wr_rows_int(rows, n_bytes);
    for (int i = 0; i < 4; i++)
        wr_rows_null(rows);
}

static void add_copy(struct wr_rows *rows, const struct wr_copy_row *row) {
    if (row->generation == 0) {
        for (int i = 0; i < 6; i++)
            wr_rows_null(rows);
        return;
    }
    wr_rows_int(rows, row->n_rows);
    wr_rows_int(rows, row->n_bytes);
    wr_rows_int(rows, (wr_cached_now() - row->started_at) / 1000);
    wr_rows_time(rows, row->fetched_at);
    wr_rows_text(rows, row->start_text);
    wr_rows_text(rows, row->end_text);
}

static int add_row(void *sink, const struct wr_copy_row *row, struct weir_error *error) {
    struct listing *listing = sink;
    struct wr_rows *rows = listing->rows;
    if (!wr_rows_see(rows, row->names.catalog, row->names.schema, row->names.name)) return WEIR_OK;
    /* Both may name what is not to be seen. */
    bool whole = wr_rows_see_all(rows);
    struct counts counts = counts_of(listing->caches, row->key);
    bool results = strcmp(row->names.mode, wr_cache_mode_name(WR_CACHE_QUERY)) == 0;
    int64_t n_bytes = results ? wr_copy_result_bytes(&listing->caches->directory, row->key) : 0;
    wr_rows_text(rows, row->names.catalog);
    wr_rows_text(rows, row->names.schema);
    wr_rows_text(rows, row->names.name);
    wr_rows_text(rows, whole ? row->names.source : "");
    wr_rows_text(rows, row->names.mode);
    wr_rows_int(rows, counts.hits);
    wr_rows_int(rows, counts.misses);
    wr_rows_int(rows, row->refreshes);
    if (results)
        add_results(rows, n_bytes);
    else
        add_copy(rows, row);
    wr_rows_text(rows, counts.busy                                                 ? "fetching"
                       : row->generation > 0 && row->started_at <= row->invalid_at ? "invalid"
                       : row->generation > 0 || n_bytes > 0                        ? "kept"
                       : row->bypassed_at > 0                                      ? "bypassed"
                                                                                   : "empty");
    wr_rows_text(rows, whole ? row->last_error : NULL);
    return wr_rows_end(rows, error);
}

int wr_caches_fill(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct wr_caches *caches = context;
    struct listing listing = {caches, rows};
    bool open = false;
    WR_TRY(wr_caches_open(caches, false, &open, error));
    return open ? wr_copies_each(caches->copies, add_row, &listing, error) : WEIR_OK;
}

/* ---- Forgetting ---- */

struct forgetting {
    const char *catalog;
    const char *schema;
    const char *name;
    char **keys;
    size_t n_keys;
};

static int take_key(void *sink, const struct wr_copy_row *row, struct weir_error *error) {
    struct forgetting *forgetting = sink;
    /* Those of a mount have its path for their source. */
    size_t length = strlen(forgetting->catalog);
    const char *source = row->names.source;
    if (strcmp(row->names.catalog, forgetting->catalog) != 0 || source[0] != '/' ||
        strncmp(source + 1, forgetting->catalog, length) != 0)
        return WEIR_OK;
    if (forgetting->name && (strcmp(row->names.schema, forgetting->schema) != 0 ||
                             strcmp(row->names.name, forgetting->name) != 0))
        return WEIR_OK;
    char **keys = wr_reallocarray(forgetting->keys, forgetting->n_keys + 1, sizeof *keys);
    if (!keys) return wr_error_memory(error);
    forgetting->keys = keys;
    keys[forgetting->n_keys] = wr_strdup(row->key);
    if (!keys[forgetting->n_keys]) return wr_error_memory(error);
    forgetting->n_keys++;
    return WEIR_OK;
}

int wr_caches_forget(struct wr_caches *caches, const char *catalog, const char *schema,
                     const char *name, struct weir_error *error) {
    struct forgetting forgetting = {catalog, schema, name, NULL, 0};
    bool open = false;
    WR_TRY(wr_caches_open(caches, false, &open, error));
    if (!open) return WEIR_OK;
    int code = wr_copies_each(caches->copies, take_key, &forgetting, error);
    int64_t now = wr_cached_now();
    for (size_t i = 0; code == WEIR_OK && i < forgetting.n_keys; i++)
        code = wr_copies_invalidate(caches->copies, forgetting.keys[i], now, error);
    for (size_t i = 0; i < forgetting.n_keys; i++)
        wr_free(forgetting.keys[i]);
    wr_free(forgetting.keys);
    return code;
}
