/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "nanoarrow/nanoarrow.h"

struct rows {
    struct ArrowSchema schema;
    struct ArrowArray array;
    int64_t column;
    int failure; /* the first errno value */
};

static int start(struct rows *rows, const struct rows_column *columns, size_t n_columns) {
    ArrowSchemaInit(&rows->schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(&rows->schema, (int64_t)n_columns));
    for (size_t i = 0; i < n_columns; i++) {
        enum ArrowType type = columns[i].type == 'l' ? NANOARROW_TYPE_INT64 : NANOARROW_TYPE_STRING;
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(rows->schema.children[i], type));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(rows->schema.children[i], columns[i].name));
    }
    NANOARROW_RETURN_NOT_OK(ArrowArrayInitFromSchema(&rows->array, &rows->schema, NULL));
    return ArrowArrayStartAppending(&rows->array);
}

int rows_new(const struct rows_column *columns, size_t n_columns, struct rows **ret_rows,
             struct weir_error *error) {
    struct rows *rows = wr_calloc(1, sizeof *rows);
    if (rows == NULL) return wr_error_memory(error);
    if (start(rows, columns, n_columns) != NANOARROW_OK) {
        rows_free(rows);
        return wr_error_memory(error);
    }
    *ret_rows = rows;
    return WEIR_OK;
}

void rows_free(struct rows *rows) {
    if (rows == NULL) return;
    wr_arrow_release_array(&rows->array);
    wr_arrow_release_schema(&rows->schema);
    wr_free(rows);
}

static void step(struct rows *rows, int errnum) {
    if (errnum == NANOARROW_OK && ++rows->column == rows->array.n_children) {
        rows->column = 0;
        errnum = ArrowArrayFinishElement(&rows->array);
    }
    if (errnum != NANOARROW_OK && rows->failure == 0) rows->failure = errnum;
}

void rows_text(struct rows *rows, const char *value) {
    struct ArrowArray *column = rows->array.children[rows->column];
    step(rows, value == NULL ? ArrowArrayAppendNull(column, 1)
                             : ArrowArrayAppendString(column, ArrowCharView(value)));
}

void rows_int(struct rows *rows, int64_t value) {
    step(rows, ArrowArrayAppendInt(rows->array.children[rows->column], value));
}

void rows_null(struct rows *rows) {
    step(rows, ArrowArrayAppendNull(rows->array.children[rows->column], 1));
}

static int give(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct rows *rows = context;
    (void)error;
    ret_array->release = NULL;
    wr_arrow_move_array(&rows->array, ret_array);
    return WEIR_OK;
}

static void close_rows(void *context) {
    rows_free(context);
}

int rows_finish(struct rows *rows, struct ArrowArrayStream *ret_stream, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int code = WEIR_OK;

    if (rows->failure != 0 || ArrowArrayFinishBuildingDefault(&rows->array, NULL) != NANOARROW_OK)
        code = wr_error_memory(error);
    if (code == WEIR_OK) code = wr_arrow_copy_schema(&rows->schema, &schema, error);
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(&schema, give, close_rows, rows, ret_stream, error);
    wr_arrow_release_schema(&schema);
    if (code != WEIR_OK) rows_free(rows);
    return code;
}
