/* SPDX-License-Identifier: Apache-2.0 */
/* Queries whose rows are texts. */
#include <stdlib.h>
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "door/list.h"

/* ---- Lists ---- */

void wr_door_texts_reset(struct wr_door_texts *texts) {
    for (size_t i = 0; i < texts->n_rows * texts->width; i++)
        wr_free(texts->cells[i]);
    wr_free(texts->cells);
    *texts = (struct wr_door_texts){.width = texts->width};
}

static int reserve(struct wr_door_texts *texts, struct weir_error *error) {
    if (texts->n_rows < texts->capacity) return WEIR_OK;
    size_t capacity = texts->capacity ? texts->capacity * 2 : 16;
    char **cells = wr_reallocarray(texts->cells, capacity * texts->width, sizeof *cells);
    if (!cells) return wr_error_memory(error);
    texts->cells = cells;
    texts->capacity = capacity;
    return WEIR_OK;
}

/* Takes over the texts. */
static void put_row(struct wr_door_texts *texts, char **row) {
    memcpy(texts->cells + texts->n_rows * texts->width, row, texts->width * sizeof *row);
    texts->n_rows++;
}

int wr_door_texts_add(struct wr_door_texts *texts, const char *const *row,
                      struct weir_error *error) {
    WR_TRY(reserve(texts, error));
    char **cells = texts->cells + texts->n_rows * texts->width;
    for (size_t i = 0; i < texts->width; i++) {
        cells[i] = wr_strdup(row[i]);
        if (cells[i] || !row[i]) continue;
        while (i-- > 0)
            wr_free(cells[i]);
        return wr_error_memory(error);
    }
    texts->n_rows++;
    return WEIR_OK;
}

const char *wr_door_texts_get(const struct wr_door_texts *texts, size_t row, size_t column) {
    return texts->cells[row * texts->width + column];
}

static int compare_rows(const void *a, const void *b, void *width) {
    char *const *left = a;
    char *const *right = b;
    for (size_t i = 0; i < *(const size_t *)width; i++) {
        int order = strcmp(left[i] ? left[i] : "", right[i] ? right[i] : "");
        if (order != 0) return order;
    }
    return 0;
}

void wr_door_texts_sort(struct wr_door_texts *texts) {
    if (texts->n_rows < 2) return;
    qsort_r(texts->cells, texts->n_rows, texts->width * sizeof *texts->cells, compare_rows,
            &texts->width);
}

/* ---- Queries ---- */

static int take_cell(const struct ArrowArrayView *column, int64_t row, char **ret_text,
                     struct weir_error *error) {
    if (ArrowArrayViewIsNull(column, row)) return WEIR_OK;
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(column, row);
    *ret_text = wr_strndup(text.data, (size_t)text.size_bytes);
    return *ret_text ? WEIR_OK : wr_error_memory(error);
}

static int take_row(const struct ArrowArrayView *view, int64_t row, struct wr_door_texts *texts,
                    struct weir_error *error) {
    char *cells[16] = {0};
    int code = reserve(texts, error);
    for (size_t i = 0; i < texts->width && code == WEIR_OK; i++)
        code = take_cell(view->children[i], row, &cells[i], error);
    if (code == WEIR_OK) {
        put_row(texts, cells);
        return WEIR_OK;
    }
    for (size_t i = 0; i < texts->width; i++)
        wr_free(cells[i]);
    return code;
}

static bool are_texts(const struct ArrowArrayView *view, size_t width) {
    if (view->n_children != (int64_t)width) return false;
    for (size_t i = 0; i < width; i++) {
        enum ArrowType type = view->children[i]->storage_type;
        if (type != NANOARROW_TYPE_STRING && type != NANOARROW_TYPE_LARGE_STRING &&
            type != NANOARROW_TYPE_STRING_VIEW)
            return false;
    }
    return true;
}

static int take_batches(struct ArrowArrayStream *rows, struct ArrowArrayView *view,
                        struct wr_door_texts *texts, struct weir_error *error) {
    for (;;) {
        struct ArrowArray batch = {0};
        WR_TRY(wr_arrow_stream_next(rows, "the catalog", &batch, error));
        if (!batch.release) return WEIR_OK;
        int code = WEIR_OK;
        if (ArrowArrayViewSetArray(view, &batch, NULL) != NANOARROW_OK)
            code = wr_error_set(error, WEIR_INTERNAL, NULL, "reading the catalog: a broken batch");
        for (int64_t i = 0; i < batch.length && code == WEIR_OK; i++)
            code = take_row(view, i, texts, error);
        wr_arrow_release_array(&batch);
        WR_TRY(code);
    }
}

static int take_rows(struct ArrowArrayStream *rows, struct wr_door_texts *texts,
                     struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    WR_TRY(wr_arrow_stream_schema(rows, "the catalog", &schema, error));
    int code = ArrowArrayViewInitFromSchema(&view, &schema, NULL) == NANOARROW_OK
                   ? WEIR_OK
                   : wr_error_memory(error);
    if (code == WEIR_OK && !are_texts(&view, texts->width))
        code = wr_error_set(error, WEIR_INTERNAL, NULL, "reading the catalog: not %zu texts",
                            texts->width);
    if (code == WEIR_OK) code = take_batches(rows, &view, texts, error);
    ArrowArrayViewReset(&view);
    wr_arrow_release_schema(&schema);
    return code;
}

/* The full error of a stream of weir's, in place of what its text alone says. */
static int in_full(struct ArrowArrayStream *rows, int code, struct weir_error *error) {
    struct weir_error full = {0};
    if (code == WEIR_OK || weir_stream_error(rows, &full) != WEIR_OK || !full.code) return code;
    if (error) *error = full;
    return full.code;
}

int wr_door_ask(struct weir_session *session, const char *sql, struct wr_door_texts *texts,
                struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    WR_TRY(weir_query(session, sql, &rows, NULL, error));
    int code = in_full(&rows, take_rows(&rows, texts, error), error);
    wr_arrow_release_stream(&rows);
    return code;
}
