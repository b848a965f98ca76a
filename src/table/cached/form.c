/* SPDX-License-Identifier: Apache-2.0 */
/* A copy as the engine reads it: its files, and in mode window what they do not cover. */
#include <inttypes.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"
#include "table/cached/caches.h"
#include "table/form.h"

enum { MAX_TEXT = 1 << 20, N_PARTS = 4 };

/* ---- The source ---- */

static void release_source(struct weir_form *form) {
    wr_free(form->private_data);
    form->release = NULL;
}

int wr_cached_form_source(struct wr_cached_table *cache, struct weir_form *ret_form,
                          struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_TEXT);
    wr_buffer_format(&text, "SELECT * FROM %s", cache->source);
    char *sql = wr_buffer_take(&text);
    if (!sql) return wr_error_memory(error);
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql = {.query = sql, .catalog = cache->catalog, .schema = cache->schema},
        .release = release_source,
        .private_data = sql,
    };
    return WEIR_OK;
}

/* ---- A copy ---- */

struct held {
    struct wr_cached_table *cache;
    struct wr_lease lease;
    struct weir_form forms[N_PARTS];
    struct weir_form *parts[N_PARTS];
    char *texts[N_PARTS];
    struct weir_file *files;
    char **urls;
};

static void held_free(struct held *held) {
    for (size_t i = 0; i < N_PARTS; i++)
        wr_free(held->texts[i]);
    for (size_t i = 0; held->urls && i < held->lease.copy.n_files; i++)
        wr_free(held->urls[i]);
    wr_free(held->urls);
    wr_free(held->files);
    wr_arrow_release_schema(&held->forms[0].schema);
    wr_free(held);
}

static void release_held(struct weir_form *form) {
    struct held *held = form->private_data;
    struct wr_lease lease = held->lease;
    struct wr_cached_table *cache = held->cache;
    if (form->type == WEIR_FORM_FILES) wr_arrow_move_schema(&form->schema, &held->forms[0].schema);
    held_free(held);
    wr_lease_end(cache, &lease);
    form->release = NULL;
}

static int add_files(struct held *held, struct weir_error *error) {
    const struct wr_cached_table *cache = held->cache;
    const struct wr_copy *copy = &held->lease.copy;
    held->files = wr_calloc(copy->n_files, sizeof *held->files);
    held->urls = wr_calloc(copy->n_files, sizeof *held->urls);
    if (!held->files || !held->urls) return wr_error_memory(error);
    for (size_t i = 0; i < copy->n_files; i++) {
        struct wr_buffer url;
        wr_buffer_init(&url, MAX_TEXT);
        wr_buffer_text(&url, "file://");
        wr_percent_encode(&url, cache->caches->directory.path);
        wr_buffer_format(&url, "/%s/%" PRId64 "/%zu.parquet", cache->key, copy->generation, i);
        held->urls[i] = wr_buffer_take(&url);
        if (!held->urls[i]) return wr_error_memory(error);
        held->files[i] = (struct weir_file){
            .url = held->urls[i],
            .n_bytes = copy->files[i].n_bytes,
            .modified_ns = copy->files[i].modified_ns,
            .etag = copy->files[i].id,
        };
    }
    held->forms[0] = (struct weir_form){
        .type = WEIR_FORM_FILES,
        .files = {.format = "parquet", .files = held->files, .n_files = copy->n_files},
    };
    return wr_arrow_schema_decode(copy->schema, copy->n_schema, &held->forms[0].schema, error);
}

/* The rows of the source that the files do not cover, as one of three conditions of which a row
 * fulfils one at most: each by itself can be seen to contradict a statement's own. */
static int add_rest(struct held *held, size_t n, const char *condition, const char *bound,
                    struct weir_error *error) {
    const struct wr_cached_table *cache = held->cache;
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_TEXT);
    wr_buffer_format(&text, "SELECT * FROM %s WHERE ", cache->source);
    wr_buffer_identifier(&text, cache->time_column);
    wr_buffer_format(&text, " %s%s", condition, bound);
    held->texts[n] = wr_buffer_take(&text);
    if (!held->texts[n]) return wr_error_memory(error);
    held->forms[n] = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql = {.query = held->texts[n], .catalog = cache->catalog, .schema = cache->schema},
    };
    return WEIR_OK;
}

static int add_parts(struct held *held, struct weir_error *error) {
    const struct wr_copy *copy = &held->lease.copy;
    WR_TRY(add_files(held, error));
    if (!copy->start) return WEIR_OK;
    WR_TRY(add_rest(held, 1, "< ", copy->start, error));
    WR_TRY(add_rest(held, 2, ">= ", copy->end, error));
    return add_rest(held, 3, "IS NULL", "", error);
}

int wr_cached_form_copy(struct wr_cached_table *cache, struct wr_lease *lease,
                        struct weir_form *ret_form, struct weir_error *error) {
    struct held *held = wr_calloc(1, sizeof *held);
    if (!held) return wr_error_memory(error);
    held->cache = cache;
    held->lease = *lease;
    int code = add_parts(held, error);
    if (code) {
        held_free(held);
        return code;
    }
    struct weir_form form = held->forms[0];
    if (lease->copy.start) {
        for (size_t i = 0; i < N_PARTS; i++)
            held->parts[i] = &held->forms[i];
        form =
            (struct weir_form){.type = WEIR_FORM_UNION, .parts = held->parts, .n_parts = N_PARTS};
    } else {
        held->forms[0].schema.release = NULL; /* the form's own now */
    }
    form.release = release_held;
    form.private_data = held;
    *ret_form = form;
    return WEIR_OK;
}
