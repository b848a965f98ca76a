/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/ingest.h"
#include "table/adbc/stop.h"

/* What is done with the values of a column. */
enum treatment {
    AS_IT_IS = 0,
    SIGNED_RANGE, /* unsigned numbers that must fit into 64 bits with a sign */
    MICROSECONDS, /* nanoseconds that must be whole microseconds */
    NO_NAN,
    AS_TEXT,   /* decimals and times of day */
    SOME_BYTES /* texts: an empty one must not look like none */
};

struct checked {
    enum wr_adbc_family family;
    const char *name;
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    enum treatment *treatments;
    struct ArrowSchemaView *views;
    bool converts; /* some column is AS_TEXT */
    struct wr_adbc_rows_fate *fate;
};

/* ---- Which treatment ---- */

static bool is_simple(enum ArrowType type) {
    switch (type) {
    case NANOARROW_TYPE_BOOL:
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_INT16:
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_INT32:
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_DOUBLE:
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_DATE32:
        return true;
    default:
        return false;
    }
}

static bool is_text(enum ArrowType type) {
    return type == NANOARROW_TYPE_STRING || type == NANOARROW_TYPE_LARGE_STRING ||
           type == NANOARROW_TYPE_BINARY || type == NANOARROW_TYPE_LARGE_BINARY;
}

static bool treat_postgresql(const struct ArrowSchema *column, const struct ArrowSchemaView *view,
                             enum treatment *ret) {
    struct ArrowSchemaView inner;
    switch (view->type) {
    case NANOARROW_TYPE_NA:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
    case NANOARROW_TYPE_DURATION:
    case NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO:
        return true;
    case NANOARROW_TYPE_UINT64:
        *ret = SIGNED_RANGE;
        return true;
    case NANOARROW_TYPE_TIME64:
        return view->time_unit == NANOARROW_TIME_UNIT_MICRO;
    case NANOARROW_TYPE_TIMESTAMP:
        if (view->time_unit == NANOARROW_TIME_UNIT_NANO) *ret = MICROSECONDS;
        return true;
    case NANOARROW_TYPE_DICTIONARY:
        return ArrowSchemaViewInit(&inner, column->dictionary, NULL) == 0 && is_text(inner.type);
    case NANOARROW_TYPE_LIST:
    case NANOARROW_TYPE_LARGE_LIST:
    case NANOARROW_TYPE_FIXED_SIZE_LIST:
        return ArrowSchemaViewInit(&inner, column->children[0], NULL) == 0 && is_simple(inner.type);
    default:
        return is_simple(view->type);
    }
}

static bool treat_sqlite(const struct ArrowSchema *column, const struct ArrowSchemaView *view,
                         enum treatment *ret) {
    struct ArrowSchemaView inner;
    switch (view->type) {
    case NANOARROW_TYPE_UINT64: /* the driver's own check */
        return true;
    case NANOARROW_TYPE_TIMESTAMP:
        if (view->time_unit == NANOARROW_TIME_UNIT_NANO) *ret = MICROSECONDS;
        return true;
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
    case NANOARROW_TYPE_DOUBLE:
        *ret = NO_NAN;
        return true;
    case NANOARROW_TYPE_NA:
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        *ret = AS_TEXT;
        return true;
    case NANOARROW_TYPE_DICTIONARY:
        return ArrowSchemaViewInit(&inner, column->dictionary, NULL) == 0 &&
               (inner.type == NANOARROW_TYPE_STRING || inner.type == NANOARROW_TYPE_LARGE_STRING);
    default:
        if (is_text(view->type)) *ret = SOME_BYTES;
        return is_simple(view->type);
    }
}

static int choose(struct checked *checked, int64_t i, struct weir_error *error) {
    const struct ArrowSchema *column = checked->schema.children[i];
    struct ArrowSchemaView *view = &checked->views[i];
    bool known = ArrowSchemaViewInit(view, column, NULL) == 0;
    if (known && checked->family == WR_ADBC_POSTGRESQL)
        known = treat_postgresql(column, view, &checked->treatments[i]);
    if (known && (checked->family == WR_ADBC_SQLITE || checked->family == WR_ADBC_MYSQL))
        known = treat_sqlite(column, view, &checked->treatments[i]);
    if (checked->treatments[i] == AS_TEXT) checked->converts = true;
    if (known) return WEIR_OK;
    char type[256];
    ArrowSchemaToString(column, type, sizeof type, 0);
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "database \"%s\": column \"%s\" is of type %s, which cannot be written "
                        "there; cast it to another one",
                        checked->name, column->name, type);
}

/* ---- Checks ---- */

static int refuse(const struct checked *checked, int64_t column, const char *what,
                  struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_DATA, "22003",
                        "database \"%s\": column \"%s\" holds %s; nothing was written",
                        checked->name, checked->schema.children[column]->name, what);
}

static int check_column(const struct checked *checked, int64_t i, const struct ArrowArrayView *view,
                        struct weir_error *error) {
    enum treatment treatment = checked->treatments[i];
    for (int64_t row = 0; row < view->length; row++) {
        if (ArrowArrayViewIsNull(view, row)) continue;
        if (treatment == SIGNED_RANGE && ArrowArrayViewGetUIntUnsafe(view, row) > INT64_MAX)
            return refuse(checked, i, "a number that bigint does not hold", error);
        if (treatment == MICROSECONDS && ArrowArrayViewGetIntUnsafe(view, row) % 1000 != 0)
            return refuse(checked, i, "a time with nanoseconds, where only microseconds are kept",
                          error);
        if (treatment == NO_NAN && isnan(ArrowArrayViewGetDoubleUnsafe(view, row)))
            return refuse(checked, i, "NaN, for which the database has no value", error);
    }
    return WEIR_OK;
}

static bool is_checked(enum treatment treatment) {
    return treatment == SIGNED_RANGE || treatment == MICROSECONDS || treatment == NO_NAN;
}

/* SQLite takes a text without an address for NULL. */
static void give_address(struct ArrowArray *column) {
    if (column->n_buffers == 3 && !column->buffers[2]) column->buffers[2] = "";
}

/* ---- Texts ---- */

struct converted {
    struct ArrowArray source;
    struct ArrowArray **children; /* the source's, and the texts in place of some */
    struct ArrowArray *texts;     /* one per column; release NULL where there is none */
    const void *buffers[1];
};

static void release_converted(struct ArrowArray *array) {
    struct converted *converted = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        wr_arrow_release_array(&converted->texts[i]);
    wr_arrow_release_array(&converted->source);
    wr_free(converted->texts);
    wr_free(converted->children);
    wr_free(converted);
    array->release = NULL;
}

static int64_t per_second(enum ArrowTimeUnit unit) {
    switch (unit) {
    case NANOARROW_TIME_UNIT_SECOND:
        return 1;
    case NANOARROW_TIME_UNIT_MILLI:
        return 1000;
    case NANOARROW_TIME_UNIT_MICRO:
        return 1000000;
    default:
        return 1000000000;
    }
}

/* "12:30:00", "12:30:00.5". */
static int append_time(struct ArrowArray *texts, int64_t value, enum ArrowTimeUnit unit) {
    int64_t units = per_second(unit);
    int64_t seconds = value / units, fraction = value % units;
    char text[64];
    int length = snprintf(text, sizeof text, "%02d:%02d:%02d", (int)(seconds / 3600),
                          (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (fraction > 0) {
        int digits = unit == NANOARROW_TIME_UNIT_MILLI   ? 3
                     : unit == NANOARROW_TIME_UNIT_MICRO ? 6
                                                         : 9;
        length += snprintf(text + length, sizeof text - (size_t)length, ".%0*lld", digits,
                           (long long)fraction);
        while (text[length - 1] == '0')
            length--;
    }
    return ArrowArrayAppendString(texts, (struct ArrowStringView){text, length});
}

static int append_decimal(struct ArrowArray *texts, const struct ArrowArrayView *view, int64_t row,
                          const struct ArrowSchemaView *type) {
    struct ArrowDecimal decimal;
    struct ArrowBuffer text;
    ArrowDecimalInit(&decimal, type->decimal_bitwidth, type->decimal_precision,
                     type->decimal_scale);
    ArrowArrayViewGetDecimalUnsafe(view, row, &decimal);
    ArrowBufferInit(&text);
    int errnum = ArrowDecimalAppendStringToBuffer(&decimal, &text);
    if (!errnum)
        errnum = ArrowArrayAppendString(
            texts, (struct ArrowStringView){(const char *)text.data, text.size_bytes});
    ArrowBufferReset(&text);
    return errnum;
}

static int make_texts(const struct ArrowArrayView *view, const struct ArrowSchemaView *type,
                      struct ArrowArray *ret_texts) {
    int errnum = ArrowArrayInitFromType(ret_texts, NANOARROW_TYPE_STRING);
    if (!errnum) errnum = ArrowArrayStartAppending(ret_texts);
    for (int64_t row = 0; row < view->length && !errnum; row++) {
        if (type->type == NANOARROW_TYPE_NA || ArrowArrayViewIsNull(view, row)) {
            errnum = ArrowArrayAppendNull(ret_texts, 1);
        } else if (type->type == NANOARROW_TYPE_TIME32 || type->type == NANOARROW_TYPE_TIME64) {
            errnum = append_time(ret_texts, ArrowArrayViewGetIntUnsafe(view, row), type->time_unit);
        } else {
            errnum = append_decimal(ret_texts, view, row, type);
        }
    }
    return errnum ? errnum : ArrowArrayFinishBuildingDefault(ret_texts, NULL);
}

static struct converted *new_converted(const struct ArrowArray *source) {
    struct converted *converted = wr_calloc(1, sizeof *converted);
    size_t n = (size_t)source->n_children;
    if (!converted) return NULL;
    converted->children = wr_calloc(n, sizeof *converted->children);
    converted->texts = wr_calloc(n, sizeof *converted->texts);
    if (converted->children && converted->texts) return converted;
    wr_free(converted->children);
    wr_free(converted->texts);
    wr_free(converted);
    return NULL;
}

/* The batch with texts in place of some columns; takes it over on success. */
static int convert(const struct checked *checked, const struct ArrowArrayView *view,
                   struct ArrowArray *array, struct weir_error *error) {
    struct converted *converted = new_converted(array);
    if (!converted) return wr_error_memory(error);
    struct ArrowArray made = {
        .length = array->length,
        .null_count = 0,
        .n_buffers = 1,
        .n_children = array->n_children,
        .buffers = converted->buffers,
        .children = converted->children,
        .release = release_converted,
        .private_data = converted,
    };
    int errnum = 0;
    for (int64_t i = 0; i < array->n_children && !errnum; i++) {
        converted->children[i] = array->children[i];
        if (checked->treatments[i] != AS_TEXT) continue;
        converted->children[i] = &converted->texts[i];
        errnum = make_texts(view->children[i], &checked->views[i], &converted->texts[i]);
    }
    if (errnum) {
        made.release(&made);
        return wr_error_memory(error);
    }
    wr_arrow_move_array(array, &converted->source);
    *array = made;
    return WEIR_OK;
}

/* ---- The stream ---- */

/* The batch's own cut becomes that of its columns: not every driver heeds it. */
static void cut_columns(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *column = array->children[i];
        if (array->offset == 0 && column->length == array->length) continue;
        column->offset += array->offset;
        column->length = array->length;
        if (column->null_count != 0) column->null_count = -1;
    }
    array->offset = 0;
}

static int treat(const struct checked *checked, struct ArrowArray *array,
                 struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError reason;
    int code = WEIR_OK;
    cut_columns(array);
    if (ArrowArrayViewInitFromSchema(&view, &checked->schema, &reason) ||
        ArrowArrayViewSetArray(&view, array, &reason)) {
        code = wr_error_set(error, WEIR_INVALID_DATA, NULL, "the rows to be written: %s",
                            reason.message);
    }
    for (int64_t i = 0; i < array->n_children && !code; i++) {
        if (is_checked(checked->treatments[i]))
            code = check_column(checked, i, view.children[i], error);
        if (checked->treatments[i] == SOME_BYTES) give_address(array->children[i]);
    }
    if (!code && checked->converts) code = convert(checked, &view, array, error);
    ArrowArrayViewReset(&view);
    return code;
}

static int next_checked(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct checked *checked = context;
    struct ArrowArray array = {0};
    int code = wr_adbc_is_stopped(checked->fate->stop)
                   ? wr_adbc_stopped(checked->name, error)
                   : wr_arrow_stream_next(&checked->rows, "the rows to be written", &array, error);
    if (!code && array.release) {
        checked->fate->n_rows += array.length;
        code = treat(checked, &array, error);
    }
    if (code) {
        wr_arrow_release_array(&array);
        checked->fate->code = code;
        if (error) checked->fate->error = *error;
        return code;
    }
    *ret_array = array;
    return WEIR_OK;
}

static void close_checked(void *context) {
    struct checked *checked = context;
    wr_arrow_release_stream(&checked->rows);
    wr_arrow_release_schema(&checked->schema);
    wr_free(checked->treatments);
    wr_free(checked->views);
    wr_free(checked);
}

static int prepare(struct checked *checked, struct ArrowSchema *ret_schema,
                   struct weir_error *error) {
    WR_TRY(
        wr_arrow_stream_schema(&checked->rows, "the rows to be written", &checked->schema, error));
    size_t n = (size_t)checked->schema.n_children;
    checked->treatments = wr_calloc(n, sizeof *checked->treatments);
    checked->views = wr_calloc(n, sizeof *checked->views);
    if (!checked->treatments || !checked->views) return wr_error_memory(error);
    for (size_t i = 0; i < n; i++)
        WR_TRY(choose(checked, (int64_t)i, error));
    return wr_arrow_copy_schema(&checked->schema, ret_schema, error);
}

/* What the stream says of itself: the same with texts in place of some columns. */
static int given_schema(const struct checked *checked, struct ArrowSchema *ret_schema,
                        struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_copy_schema(&checked->schema, &schema, error));
    int errnum = 0;
    for (int64_t i = 0; i < schema.n_children && !errnum; i++) {
        if (checked->treatments[i] == AS_TEXT)
            errnum = ArrowSchemaSetFormat(schema.children[i], "u");
    }
    if (errnum) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

int wr_adbc_ingest_rows(enum wr_adbc_family family, const char *name, struct ArrowArrayStream *rows,
                        struct wr_adbc_rows_fate *fate, struct ArrowArrayStream *ret_rows,
                        struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct checked *checked = wr_calloc(1, sizeof *checked);
    if (!checked) {
        wr_arrow_release_stream(rows);
        return wr_error_memory(error);
    }
    checked->family = family;
    checked->name = name;
    checked->fate = fate;
    wr_arrow_move_stream(rows, &checked->rows);
    struct ArrowSchema columns = {0}, given = {0};
    int code = prepare(checked, &columns, error);
    if (!code) code = given_schema(checked, &given, error);
    if (!code)
        code =
            wr_arrow_callback_stream(&given, next_checked, close_checked, checked, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&given);
        wr_arrow_release_schema(&columns);
        close_checked(checked);
        return code;
    }
    wr_arrow_move_schema(&columns, ret_schema);
    return WEIR_OK;
}
