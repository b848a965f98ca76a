/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_TEXT = 1 << 30 };

void wr_adbc_answer_reset(struct wr_adbc_answer *answer) {
    wr_buffer_reset(&answer->text);
    wr_free(answer->cells);
    *answer = (struct wr_adbc_answer){0};
}

const char *wr_adbc_cell(const struct wr_adbc_answer *answer, size_t row, size_t column) {
    size_t at = answer->cells[row * answer->n_columns + column];
    return at == SIZE_MAX ? NULL : answer->text.data + at;
}

int64_t wr_adbc_cell_int(const struct wr_adbc_answer *answer, size_t row, size_t column,
                         int64_t fallback) {
    const char *text = wr_adbc_cell(answer, row, column);
    char *end = NULL;
    double number = text ? strtod(text, &end) : NAN;
    if (!text || end == text || *end || !(number > -9e18 && number < 9e18)) return fallback;
    return strpbrk(text, ".eE") ? (int64_t)(number + (number < 0 ? -0.5 : 0.5))
                                : strtoll(text, NULL, 10);
}

bool wr_adbc_cell_bool(const struct wr_adbc_answer *answer, size_t row, size_t column) {
    const char *text = wr_adbc_cell(answer, row, column);
    return text && (*text == '1' || *text == 't');
}

static bool is_text(enum ArrowType type) {
    return type == NANOARROW_TYPE_STRING || type == NANOARROW_TYPE_LARGE_STRING ||
           type == NANOARROW_TYPE_STRING_VIEW || type == NANOARROW_TYPE_BINARY;
}

static void add_cell(struct wr_adbc_answer *answer, const struct ArrowArrayView *column,
                     int64_t row, size_t *ret_cell) {
    struct wr_buffer *text = &answer->text;
    *ret_cell = SIZE_MAX;
    if (column->storage_type == NANOARROW_TYPE_NA || ArrowArrayViewIsNull(column, row)) return;
    *ret_cell = text->length;
    if (is_text(column->storage_type)) {
        struct ArrowStringView value = ArrowArrayViewGetStringUnsafe(column, row);
        wr_buffer_add(text, value.data, (size_t)value.size_bytes);
    } else if (column->storage_type == NANOARROW_TYPE_DOUBLE ||
               column->storage_type == NANOARROW_TYPE_FLOAT) {
        wr_buffer_format(text, "%.17g", ArrowArrayViewGetDoubleUnsafe(column, row));
    } else {
        wr_buffer_format(text, "%" PRId64, ArrowArrayViewGetIntUnsafe(column, row));
    }
    wr_buffer_char(text, '\0');
}

static int add_batch(struct wr_adbc_answer *answer, const struct ArrowArrayView *view,
                     struct weir_error *error) {
    size_t n_rows = answer->n_rows + (size_t)view->length;
    if (n_rows > answer->capacity) {
        size_t capacity = n_rows * 2;
        size_t *cells = wr_reallocarray(answer->cells, capacity * answer->n_columns, sizeof *cells);
        if (!cells) return wr_error_memory(error);
        answer->cells = cells;
        answer->capacity = capacity;
    }
    for (int64_t i = 0; i < view->length; i++) {
        size_t *cells = answer->cells + (answer->n_rows + (size_t)i) * answer->n_columns;
        for (size_t j = 0; j < answer->n_columns; j++)
            add_cell(answer, view->children[j], i, &cells[j]);
    }
    answer->n_rows = n_rows;
    return answer->text.failed ? wr_error_memory(error) : WEIR_OK;
}

static int read_batch(const struct ArrowSchema *schema, struct ArrowArray *array,
                      struct wr_adbc_answer *answer, struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError arrow = {0};
    int failed = ArrowArrayViewInitFromSchema(&view, schema, &arrow);
    if (!failed) failed = ArrowArrayViewSetArray(&view, array, &arrow);
    int code = failed ? wr_error_set(error, WEIR_INTERNAL, NULL, "an answer cannot be read: %s",
                                     arrow.message)
                      : add_batch(answer, &view, error);
    ArrowArrayViewReset(&view);
    return code;
}

static int read_rows(struct ArrowArrayStream *rows, const struct ArrowSchema *schema,
                     struct wr_adbc_answer *answer, struct weir_error *error) {
    if (schema->n_children != (int64_t)answer->n_columns) {
        return wr_error_set(error, WEIR_INTERNAL, NULL, "an answer has %lld columns instead of %zu",
                            (long long)schema->n_children, answer->n_columns);
    }
    for (;;) {
        struct ArrowArray array = {0};
        WR_TRY(wr_arrow_stream_next(rows, "the database", &array, error));
        if (!array.release) return WEIR_OK;
        int code = read_batch(schema, &array, answer, error);
        wr_arrow_release_array(&array);
        WR_TRY(code);
    }
}

int wr_adbc_ask(struct wr_adbc_database *database, const char *sql, size_t n_columns,
                struct wr_adbc_answer *ret_answer, struct weir_error *error) {
    struct wr_adbc_answer answer = {.n_columns = n_columns};
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    if (!sql) return wr_error_memory(error);
    WR_TRY(wr_adbc_query(database, sql, &rows, error));
    wr_buffer_init(&answer.text, MOST_TEXT);
    int code = wr_arrow_stream_schema(&rows, "the database", &schema, error);
    if (code == WEIR_OK) code = read_rows(&rows, &schema, &answer, error);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    if (code) {
        wr_adbc_answer_reset(&answer);
        return code;
    }
    *ret_answer = answer;
    return WEIR_OK;
}
