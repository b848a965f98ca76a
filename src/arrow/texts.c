/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"

#include <errno.h>

#include "nanoarrow/nanoarrow.h"

#include "base/alloc.h"
#include "base/error.h"

static int make_schema(const char *const *columns, size_t n_columns, struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(schema, (int64_t)n_columns));
    for (size_t i = 0; i < n_columns; i++) {
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetType(schema->children[i], NANOARROW_TYPE_STRING));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(schema->children[i], columns[i]));
    }
    return 0;
}

int wr_arrow_text_schema(const char *const *columns, size_t n_columns,
                         struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    if (make_schema(columns, n_columns, &schema) != 0) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

static int append(struct ArrowArray *column, const char *value) {
    if (!value) return ArrowArrayAppendNull(column, 1);
    return ArrowArrayAppendString(column, ArrowCharView(value));
}

static int make_array(const struct ArrowSchema *schema, const char *const *values, size_t n_rows,
                      struct ArrowArray *array) {
    NANOARROW_RETURN_NOT_OK(ArrowArrayInitFromSchema(array, schema, NULL));
    NANOARROW_RETURN_NOT_OK(ArrowArrayStartAppending(array));
    for (size_t i = 0; i < n_rows; i++) {
        for (int64_t j = 0; j < array->n_children; j++)
            NANOARROW_RETURN_NOT_OK(append(array->children[j], *values++));
        NANOARROW_RETURN_NOT_OK(ArrowArrayFinishElement(array));
    }
    return ArrowArrayFinishBuildingDefault(array, NULL);
}

/* The one batch, once. */
static int next_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)error;
    struct ArrowArray *array = context;
    ret_array->release = NULL;
    if (array->release) wr_arrow_move_array(array, ret_array);
    return WEIR_OK;
}

static void close_batch(void *context) {
    wr_arrow_release_array(context);
    wr_free(context);
}

int wr_arrow_text_stream(const char *const *columns, size_t n_columns, const char *const *values,
                         size_t n_rows, struct ArrowArrayStream *ret_stream,
                         struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArray *array = wr_calloc(1, sizeof *array);
    if (!array) return wr_error_memory(error);
    int code = wr_arrow_text_schema(columns, n_columns, &schema, error);
    if (code == WEIR_OK && make_array(&schema, values, n_rows, array) != 0) {
        code = wr_error_memory(error);
    }
    if (code == WEIR_OK && n_rows == 0) wr_arrow_release_array(array);
    if (code == WEIR_OK) {
        code = wr_arrow_callback_stream(&schema, next_batch, close_batch, array, ret_stream, error);
    }
    wr_arrow_release_schema(&schema);
    if (code) close_batch(array);
    return code;
}
