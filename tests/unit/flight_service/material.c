/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include "arrow/arrow.h"
#include "base/alloc.h"

static const struct {
    const char *name, *format;
} simple[] = {
    {"null", "n"},           {"bool", "b"},
    {"int8", "c"},           {"uint8", "C"},
    {"int16", "s"},          {"uint16", "S"},
    {"int32", "i"},          {"uint32", "I"},
    {"int64", "l"},          {"uint64", "L"},
    {"float", "f"},          {"double", "g"},
    {"decimal", "d:20,3"},   {"decimal256", "d:60,3,256"},
    {"text", "u"},           {"large_text", "U"},
    {"binary", "z"},         {"large_binary", "Z"},
    {"fixed_binary", "w:5"}, {"date32", "tdD"},
    {"date64", "tdm"},       {"time32", "ttm"},
    {"time64", "ttn"},       {"timestamp", "tsu:UTC"},
    {"duration", "tDn"},     {"months", "tiM"},
    {"interval", "tin"},
};

static void make_field(struct ArrowSchema *schema, const char *format, const char *name,
                       int64_t n_children) {
    ArrowSchemaInit(schema);
    assert_int_equal(ArrowSchemaSetFormat(schema, format), 0);
    assert_int_equal(ArrowSchemaSetName(schema, name), 0);
    assert_int_equal(ArrowSchemaAllocateChildren(schema, n_children), 0);
}

void make_schema_of_all(struct ArrowSchema *schema) {
    size_t n = N_OF(simple);
    make_field(schema, "+s", "", (int64_t)n + 7);
    schema->flags = 0;
    for (size_t i = 0; i < n; i++)
        make_field(schema->children[i], simple[i].format, simple[i].name, 0);
    struct ArrowSchema **nested = schema->children + n;
    make_field(nested[0], "+l", "list", 1);
    make_field(nested[0]->children[0], "u", "item", 0);
    make_field(nested[1], "+L", "large_list", 1);
    make_field(nested[1]->children[0], "l", "item", 0);
    make_field(nested[2], "+w:3", "fixed_list", 1);
    make_field(nested[2]->children[0], "s", "item", 0);
    make_field(nested[3], "+s", "struct", 2);
    make_field(nested[3]->children[0], "i", "x", 0);
    make_field(nested[3]->children[1], "+l", "y", 1);
    make_field(nested[3]->children[1]->children[0], "z", "item", 0);
    make_field(nested[4], "+m", "map", 1);
    make_field(nested[4]->children[0], "+s", "entries", 2);
    nested[4]->children[0]->flags = 0;
    make_field(nested[4]->children[0]->children[0], "u", "key", 0);
    nested[4]->children[0]->children[0]->flags = 0;
    make_field(nested[4]->children[0]->children[1], "l", "value", 0);
    make_field(nested[5], "+ud:0,1", "dense", 2);
    make_field(nested[5]->children[0], "l", "number", 0);
    make_field(nested[5]->children[1], "u", "text", 0);
    make_field(nested[6], "+us:0,1", "sparse", 2);
    make_field(nested[6]->children[0], "l", "number", 0);
    make_field(nested[6]->children[1], "u", "text", 0);
}

static void append(struct ArrowArray *array, const struct ArrowSchema *schema, int64_t row);

static void append_text(struct ArrowArray *array, int64_t row) {
    static const char *const texts[] = {"", "née", "x", "ein längerer Text", "\xf0\x9f\x98\x80"};
    const char *text = texts[row % 5];
    assert_int_equal(ArrowArrayAppendString(array, ArrowCharView(text)), 0);
}

static void append_nested(struct ArrowArray *array, const struct ArrowSchema *schema, int64_t row) {
    const char *format = schema->format;
    int64_t n = strcmp(format, "+w:3") == 0 ? 3 : row % 4;
    if (strcmp(format, "+m") == 0) {
        for (int64_t i = 0; i < n; i++) {
            struct ArrowArray *entries = array->children[0];
            const struct ArrowSchema *types = schema->children[0];
            append_text(entries->children[0], row + i);
            append(entries->children[1], types->children[1], row + i);
            assert_int_equal(ArrowArrayFinishElement(entries), 0);
        }
    } else if (format[1] == 's') {
        for (int64_t i = 0; i < schema->n_children; i++)
            append(array->children[i], schema->children[i], row + i);
    } else {
        for (int64_t i = 0; i < n; i++)
            append(array->children[0], schema->children[0], row * 4 + i);
    }
    assert_int_equal(ArrowArrayFinishElement(array), 0);
}

static void append_union(struct ArrowArray *array, const struct ArrowSchema *schema, int64_t row) {
    int8_t child = (int8_t)(row % 2);
    append(array->children[child], schema->children[child], row);
    assert_int_equal(ArrowArrayFinishUnionElement(array, child), 0);
}

static void append_decimal(struct ArrowArray *array, const struct ArrowSchema *schema,
                           int64_t row) {
    struct ArrowSchemaView view;
    struct ArrowDecimal decimal;
    assert_int_equal(ArrowSchemaViewInit(&view, schema, NULL), 0);
    ArrowDecimalInit(&decimal, view.decimal_bitwidth, view.decimal_precision, view.decimal_scale);
    ArrowDecimalSetInt(&decimal, row * -1234567);
    assert_int_equal(ArrowArrayAppendDecimal(array, &decimal), 0);
}

static void append(struct ArrowArray *array, const struct ArrowSchema *schema, int64_t row) {
    const char *format = schema->format;
    struct ArrowInterval interval;
    bool may_be_null = schema->flags & ARROW_FLAG_NULLABLE && strncmp(format, "+u", 2) != 0;
    if (strcmp(format, "n") == 0 || (may_be_null && row % 3 == 1)) {
        assert_int_equal(ArrowArrayAppendNull(array, 1), 0);
    } else if (strncmp(format, "+u", 2) == 0) {
        append_union(array, schema, row);
    } else if (format[0] == '+') {
        append_nested(array, schema, row);
    } else if (strchr("uUzZ", format[0])) {
        append_text(array, row);
    } else if (format[0] == 'w') {
        char bytes[5] = {(char)row, 0, 1, 2, (char)-row};
        assert_int_equal(ArrowArrayAppendBytes(array, (struct ArrowBufferView){{bytes}, 5}), 0);
    } else if (format[0] == 'd') {
        append_decimal(array, schema, row);
    } else if (strncmp(format, "ti", 2) == 0) {
        ArrowIntervalInit(&interval, format[2] == 'M' ? NANOARROW_TYPE_INTERVAL_MONTHS
                                                      : NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO);
        interval.months = (int32_t)row;
        interval.days = (int32_t)-row;
        interval.ns = row * 1000;
        assert_int_equal(ArrowArrayAppendInterval(array, &interval), 0);
    } else if (format[0] == 'f' || format[0] == 'g') {
        assert_int_equal(ArrowArrayAppendDouble(array, (double)row / 4), 0);
    } else {
        assert_int_equal(ArrowArrayAppendInt(array, format[0] == 'b' ? row % 2 : row), 0);
    }
}

void make_rows_of_all(const struct ArrowSchema *schema, int64_t n_rows, struct ArrowArray *array) {
    assert_int_equal(ArrowArrayInitFromSchema(array, schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(array), 0);
    for (int64_t row = 0; row < n_rows; row++) {
        for (int64_t i = 0; i < schema->n_children; i++)
            append(array->children[i], schema->children[i], row);
        assert_int_equal(ArrowArrayFinishElement(array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(array, NULL), 0);
}

/* ---- Comparison ---- */

static void assert_same(const struct ArrowArrayView *a, int64_t a_at,
                        const struct ArrowArrayView *b, int64_t b_at);

static void span_of(const struct ArrowArrayView *view, int64_t at, int64_t *first, int64_t *end) {
    if (view->storage_type == NANOARROW_TYPE_FIXED_SIZE_LIST) {
        *first = (view->offset + at) * view->layout.child_size_elements;
        *end = *first + view->layout.child_size_elements;
        return;
    }
    *first = ArrowArrayViewListChildOffset(view, at);
    *end = ArrowArrayViewListChildOffset(view, at + 1);
}

static void assert_same_items(const struct ArrowArrayView *a, int64_t a_at,
                              const struct ArrowArrayView *b, int64_t b_at) {
    int64_t a_first, a_end, b_first, b_end;
    span_of(a, a_at, &a_first, &a_end);
    span_of(b, b_at, &b_first, &b_end);
    assert_int_equal(a_end - a_first, b_end - b_first);
    for (int64_t i = 0; i < a_end - a_first; i++)
        assert_same(a->children[0], a_first + i, b->children[0], b_first + i);
}

static void assert_same_union(const struct ArrowArrayView *a, int64_t a_at,
                              const struct ArrowArrayView *b, int64_t b_at) {
    int8_t a_child = ArrowArrayViewUnionChildIndex(a, a_at);
    assert_int_equal(a_child, ArrowArrayViewUnionChildIndex(b, b_at));
    int64_t a_offset = ArrowArrayViewUnionChildOffset(a, a_at);
    int64_t b_offset = ArrowArrayViewUnionChildOffset(b, b_at);
    assert_same(a->children[a_child], a_offset, b->children[a_child], b_offset);
}

static void assert_same(const struct ArrowArrayView *a, int64_t a_at,
                        const struct ArrowArrayView *b, int64_t b_at) {
    bool is_null = ArrowArrayViewIsNull(a, a_at);
    assert_int_equal(is_null, ArrowArrayViewIsNull(b, b_at));
    if (is_null) return;
    switch (a->storage_type) {
    case NANOARROW_TYPE_STRUCT:
        for (int64_t i = 0; i < a->n_children; i++)
            assert_same(a->children[i], a->offset + a_at, b->children[i], b->offset + b_at);
        return;
    case NANOARROW_TYPE_LIST:
    case NANOARROW_TYPE_LARGE_LIST:
    case NANOARROW_TYPE_MAP:
    case NANOARROW_TYPE_FIXED_SIZE_LIST:
        assert_same_items(a, a_at, b, b_at);
        return;
    case NANOARROW_TYPE_DENSE_UNION:
    case NANOARROW_TYPE_SPARSE_UNION:
        assert_same_union(a, a_at, b, b_at);
        return;
    case NANOARROW_TYPE_BOOL:
        assert_int_equal(ArrowArrayViewGetIntUnsafe(a, a_at), ArrowArrayViewGetIntUnsafe(b, b_at));
        return;
    default:
        break;
    }
    if (a->layout.element_size_bits[1] && a->layout.buffer_type[1] == NANOARROW_BUFFER_TYPE_DATA) {
        size_t width = (size_t)a->layout.element_size_bits[1] / 8;
        assert_memory_equal(a->buffer_views[1].data.as_char + (size_t)(a->offset + a_at) * width,
                            b->buffer_views[1].data.as_char + (size_t)(b->offset + b_at) * width,
                            width);
        return;
    }
    struct ArrowBufferView x = ArrowArrayViewGetBytesUnsafe(a, a_at);
    struct ArrowBufferView y = ArrowArrayViewGetBytesUnsafe(b, b_at);
    assert_int_equal(x.size_bytes, y.size_bytes);
    if (x.size_bytes) assert_memory_equal(x.data.data, y.data.data, (size_t)x.size_bytes);
}

void assert_same_rows(const struct ArrowSchema *schema, const struct ArrowArray *a, int64_t a_at,
                      const struct ArrowArray *b, int64_t b_at, int64_t n_rows) {
    struct ArrowArrayView x, y;
    assert_int_equal(ArrowArrayViewInitFromSchema(&x, schema, NULL), 0);
    assert_int_equal(ArrowArrayViewInitFromSchema(&y, schema, NULL), 0);
    assert_int_equal(ArrowArrayViewSetArray(&x, a, NULL), 0);
    assert_int_equal(ArrowArrayViewSetArray(&y, b, NULL), 0);
    for (int64_t i = 0; i < n_rows; i++)
        assert_same(&x, a_at + i, &y, b_at + i);
    ArrowArrayViewReset(&x);
    ArrowArrayViewReset(&y);
}

/* ---- Messages ---- */

struct body gather(const struct wr_ipc_batch *batch) {
    struct body body = {.memory = malloc((size_t)batch->body_length + 1)};
    assert_non_null(body.memory);
    body.data = body.memory + 1;
    for (size_t i = 0; i < batch->n_parts; i++) {
        memcpy(body.data + body.length, batch->parts[i].data, batch->parts[i].length);
        body.length += batch->parts[i].length;
    }
    assert_int_equal(body.length, batch->body_length);
    return body;
}

struct wr_ipc_decoder *decoder_of(const struct ArrowSchema *schema) {
    struct weir_error error = {0};
    struct wr_ipc_decoder *decoder;
    struct ArrowSchema decoded = {0};
    enum wr_ipc_message type;
    void *header;
    size_t length;
    assert_int_equal(wr_ipc_decoder_new(&decoder, &error), 0);
    assert_int_equal(wr_ipc_schema(schema, false, &header, &length, &error), 0);
    assert_int_equal(wr_ipc_decode(decoder, header, length, NULL, 0, &type, &decoded, NULL, &error),
                     0);
    assert_int_equal(type, WR_IPC_SCHEMA);
    wr_free(header);
    wr_arrow_release_schema(&decoded);
    return decoder;
}
