/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what the SQLite driver gives is of the types that were asked for. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/sqlite_types.h"

static int wrong(const char *column, const char *type, const char *what, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_DATA, "22018",
                        "column \"%s\" holds %s, which is no %s; correct it, or read the column as "
                        "a text with a table of the option query and CAST(... AS TEXT)",
                        column, what, type);
}

static bool is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *valid = array->n_buffers > 0 ? array->buffers[0] : NULL;
    return valid && !ArrowBitGet(valid, array->offset + i);
}

/* One text or blob; the driver's have offsets of 32 bits. */
static struct ArrowStringView text_at(const struct ArrowArray *array, int64_t i) {
    const int32_t *offsets = (const int32_t *)array->buffers[1] + array->offset;
    return (struct ArrowStringView){(const char *)array->buffers[2] + offsets[i],
                                    offsets[i + 1] - offsets[i]};
}

static bool fits(struct ArrowStringView text, const char *pattern) {
    if (text.size_bytes != (int64_t)strlen(pattern)) return false;
    for (int64_t i = 0; i < text.size_bytes; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (pattern[i] == '0' ? !digit : text.data[i] != pattern[i]) return false;
    }
    return true;
}

static int check_pattern(const char *column, const char *pattern, const char *type,
                         const struct ArrowArray *array, struct weir_error *error) {
    for (int64_t i = 0; i < array->length; i++) {
        if (is_null(array, i)) continue;
        struct ArrowStringView text = text_at(array, i);
        if (fits(text, pattern)) continue;
        char what[120];
        snprintf(what, sizeof what, "\"%.*s\"", text.size_bytes < 100 ? (int)text.size_bytes : 100,
                 text.data);
        return wrong(column, type, what, error);
    }
    return WEIR_OK;
}

static int check_bool(const char *column, const struct ArrowArray *array,
                      struct weir_error *error) {
    const int64_t *values = (const int64_t *)array->buffers[1] + array->offset;
    for (int64_t i = 0; i < array->length; i++) {
        if (values[i] == 0 || values[i] == 1 || is_null(array, i)) continue;
        return wrong(column, "boolean", "a number other than 0 and 1", error);
    }
    return WEIR_OK;
}

/* What Arrow's formats of the driver are called. */
static const char *what_of(const char *format) {
    return *format == 'l'   ? "whole numbers"
           : *format == 'g' ? "numbers with a fraction"
           : *format == 'u' ? "a text"
                            : "a blob";
}

static int check_column(const struct ArrowSchema *column, const struct ArrowSchema *given,
                        const struct ArrowArray *array, struct weir_error *error) {
    struct ArrowSchemaView view;
    const char *format = given->format;
    if (ArrowSchemaViewInit(&view, column, NULL)) return WEIR_OK;
    switch (view.type) {
    case NANOARROW_TYPE_BOOL:
        if (*format != 'l') return wrong(column->name, "boolean", what_of(format), error);
        return check_bool(column->name, array, error);
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_INT16:
    case NANOARROW_TYPE_INT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_UINT64:
        return *format == 'l' ? WEIR_OK
                              : wrong(column->name, "whole number", what_of(format), error);
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_DOUBLE:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        return *format == 'l' || *format == 'g'
                   ? WEIR_OK
                   : wrong(column->name, "number", what_of(format), error);
    case NANOARROW_TYPE_DATE32:
        if (*format != 'u') return wrong(column->name, "date", what_of(format), error);
        return check_pattern(column->name, "0000-00-00", "date", array, error);
    case NANOARROW_TYPE_TIMESTAMP:
        if (*format != 'u') return wrong(column->name, "timestamp", what_of(format), error);
        return check_pattern(column->name, "0000-00-00 00:00:00.000000", "timestamp", array, error);
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return *format == 'u' ? WEIR_OK : wrong(column->name, "text", what_of(format), error);
    default:
        return WEIR_OK;
    }
}

int wr_sqlite_check(const struct ArrowSchema *schema, const struct ArrowSchema *given,
                    const struct ArrowArray *batch, struct weir_error *error) {
    for (int64_t i = 0; i < schema->n_children && i < given->n_children; i++)
        WR_TRY(check_column(schema->children[i], given->children[i], batch->children[i], error));
    return WEIR_OK;
}
