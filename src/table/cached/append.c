/* SPDX-License-Identifier: Apache-2.0 */
/* Refresh append: only what is new is fetched. */
#include <inttypes.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "table/cached/work.h"

/* The key's directory. A URL, since a mount may have the name that its path begins with. */
static void add_url(const struct wr_work *work, struct wr_buffer *text) {
    wr_buffer_text(text, "file://");
    wr_percent_encode(text, work->caches->directory.path);
    wr_buffer_format(text, "/%s", work->cache->key);
}

/* The greatest value in the n-th file of the staged generation; NULL stays when it has none. */
static int find_position(struct wr_work *work, size_t n, char **ret_position,
                         struct weir_error *error) {
    char *values[2] = {0};
    char *sql = NULL;
    struct wr_buffer text;
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_text(&text, "SELECT arrow_cast(max(");
    wr_buffer_identifier(&text, work->cache->time_column);
    wr_buffer_text(&text, "), 'Utf8'), arrow_cast(arrow_typeof(max(");
    wr_buffer_identifier(&text, work->cache->time_column);
    wr_buffer_text(&text, ")), 'Utf8') FROM \"");
    add_url(work, &text);
    wr_buffer_format(&text, "/staging/%zu.parquet\"", n);
    WR_TRY(wr_work_sql(&text, &sql, error));
    struct wr_cached_query query = wr_work_query(work, sql);
    int code = work->caches->engine.texts(work->caches->engine.context, work->flight, &query,
                                          values, 2, error);
    wr_free(sql);
    if (code == WEIR_OK && values[0]) {
        wr_buffer_init(&text, WR_MAX_SQL);
        wr_buffer_text(&text, "arrow_cast(");
        wr_buffer_literal(&text, values[0]);
        wr_buffer_text(&text, ", ");
        wr_buffer_literal(&text, values[1] ? values[1] : "");
        wr_buffer_char(&text, ')');
        code = wr_work_sql(&text, ret_position, error);
    }
    wr_free(values[0]);
    wr_free(values[1]);
    return code;
}

/* Takes the old files over as they are. */
static int keep_old(struct wr_work *work, struct weir_error *error) {
    for (size_t i = 0; i < work->old.n_files; i++) {
        WR_TRY(wr_copy_stage_link(&work->staging, work->old.generation, i, error));
        WR_TRY(wr_work_add(work, &work->old.files[i], error));
    }
    work->new.schema = wr_malloc(work->old.n_schema);
    if (!work->new.schema) return wr_error_memory(error);
    memcpy(work->new.schema, work->old.schema, work->old.n_schema);
    work->new.n_schema = work->old.n_schema;
    work->new.position = wr_strdup(work->old.position);
    return work->new.position ? WEIR_OK : wr_error_memory(error);
}

static int note_position(struct wr_work *work, struct weir_error *error) {
    char *position = NULL;
    if (*work->why) return WEIR_OK;
    WR_TRY(find_position(work, work->new.n_files - 1, &position, error));
    if (!position) return WEIR_OK; /* nothing new */
    wr_free(work->new.position);
    work->new.position = position;
    return WEIR_OK;
}

/* A file without rows is not worth keeping. */
static void drop_empty(struct wr_work *work) {
    struct wr_copy *copy = &work->new;
    const struct wr_copy_file *last = &copy->files[copy->n_files - 1];
    if (last->n_rows > 0) return;
    copy->n_bytes -= last->n_bytes;
    copy->n_files--;
    wr_copy_stage_drop(&work->staging, copy->n_files);
}

static int fetch_new(struct wr_work *work, struct weir_error *error) {
    char *sql = NULL;
    struct wr_buffer text;
    WR_TRY(keep_old(work, error));
    if (work->n_most >= 0) work->n_most -= work->new.n_bytes;
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_format(&text, "SELECT * FROM %s WHERE ", work->cache->source);
    wr_buffer_identifier(&text, work->cache->time_column);
    wr_buffer_format(&text, " > %s", work->old.position);
    WR_TRY(wr_work_sql(&text, &sql, error));
    int code = wr_work_fetch(work, sql, error);
    wr_free(sql);
    if (code == WEIR_OK) code = note_position(work, error);
    if (code == WEIR_OK && !*work->why) drop_empty(work);
    return code;
}

int wr_work_compact(struct wr_work *work, struct weir_error *error) {
    struct wr_buffer text;
    char *sql = NULL;
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_text(&text, "SELECT * FROM \"");
    add_url(work, &text);
    wr_buffer_format(&text, "/%" PRId64 "/*.parquet\"", work->old.generation);
    WR_TRY(wr_work_sql(&text, &sql, error));
    int code = wr_work_fetch(work, sql, error);
    wr_free(sql);
    if (code || *work->why) return code;
    work->new.position = wr_strdup(work->old.position);
    return work->new.position ? WEIR_OK : wr_error_memory(error);
}

int wr_work_append(struct wr_work *work, struct weir_error *error) {
    if (work->whole || !work->old.position) {
        WR_TRY(wr_work_all(work, error));
        return note_position(work, error);
    }
    return fetch_new(work, error);
}
