/* SPDX-License-Identifier: Apache-2.0 */
#include "door/rows.h"

#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "arrow/arrow.h"
#include "arrow/build.h"
#include "base/alloc.h"
#include "base/error.h"

static int make_column(struct ArrowSchema *schema, const struct wr_answer_column *column) {
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetFormat(schema, column->format));
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(schema, column->name));
    schema->flags = column->required ? 0 : ARROW_FLAG_NULLABLE;
    if (column->format[0] != '+') return NANOARROW_OK;
    NANOARROW_RETURN_NOT_OK(ArrowSchemaAllocateChildren(schema, 1));
    return make_column(schema->children[0], &(struct wr_answer_column){"item", "u", true});
}

static int make_schema(struct ArrowSchema *schema, const struct wr_answer_column *columns,
                       size_t n_columns) {
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(schema, (int64_t)n_columns));
    schema->flags = 0;
    for (size_t i = 0; i < n_columns; i++) {
        wr_arrow_release_schema(schema->children[i]);
        NANOARROW_RETURN_NOT_OK(make_column(schema->children[i], &columns[i]));
    }
    return NANOARROW_OK;
}

int wr_answer_init(struct wr_answer *answer, const struct wr_answer_column *columns,
                   size_t n_columns, struct weir_error *error) {
    *answer = (struct wr_answer){0};
    if (make_schema(&answer->schema, columns, n_columns) == NANOARROW_OK)
        answer->rows = wr_build_new(&answer->schema);
    if (answer->rows) return WEIR_OK;
    wr_answer_reset(answer);
    return wr_error_memory(error);
}

void wr_answer_reset(struct wr_answer *answer) {
    wr_arrow_release_schema(&answer->schema);
    wr_build_free(answer->rows);
    answer->rows = NULL;
}

/* The column of the next cell; NULL: the row has one too many. */
static struct wr_build *next_column(struct wr_answer *answer) {
    if (answer->next < answer->schema.n_children)
        return wr_build_child(answer->rows, answer->next++);
    answer->misused = true;
    return NULL;
}

void wr_answer_null(struct wr_answer *answer) {
    wr_build_null(next_column(answer));
}

void wr_answer_text(struct wr_answer *answer, const char *text) {
    wr_build_text(next_column(answer), text);
}

void wr_answer_bytes(struct wr_answer *answer, const void *data, size_t length) {
    wr_build_bytes(next_column(answer), data, length);
}

void wr_answer_int(struct wr_answer *answer, int64_t value) {
    wr_build_int(next_column(answer), value);
}

void wr_answer_texts(struct wr_answer *answer, const char *const *texts, size_t n_texts) {
    struct wr_build *column = next_column(answer);
    if (!column) return;
    for (size_t i = 0; i < n_texts; i++)
        wr_build_text(wr_build_child(column, 0), texts[i]);
    wr_build_end(column);
}

void wr_answer_end_row(struct wr_answer *answer) {
    if (answer->next != answer->schema.n_children) answer->misused = true;
    wr_build_end(answer->rows);
    answer->next = 0;
}

/* ---- The stream ---- */

static int next_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)error;
    struct ArrowArray *rows = context;
    if (rows->release) wr_arrow_move_array(rows, ret_array);
    return WEIR_OK;
}

static void close_batch(void *context) {
    wr_arrow_release_array(context);
    wr_free(context);
}

int wr_answer_stream(struct ArrowSchema *schema, struct ArrowArray *rows,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowArray *kept = wr_calloc(1, sizeof *kept);
    int code = kept ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK && rows->length > 0) wr_arrow_move_array(rows, kept);
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(schema, next_batch, close_batch, kept, ret_rows, error);
    if (code && kept) close_batch(kept);
    wr_arrow_release_schema(schema);
    wr_arrow_release_array(rows);
    return code;
}

int wr_answer_finish(struct wr_answer *answer, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct ArrowArray rows = {0};
    if (answer->misused) {
        wr_answer_reset(answer);
        return wr_error_set(error, WEIR_INTERNAL, NULL, "an answer's row does not fit its columns");
    }
    int code = wr_build_finish(answer->rows, &rows, error);
    answer->rows = NULL;
    if (code == WEIR_OK) return wr_answer_stream(&answer->schema, &rows, ret_rows, error);
    wr_answer_reset(answer);
    return code;
}
