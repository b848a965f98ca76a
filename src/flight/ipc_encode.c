/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/ipc_body.h"
#include "nanoarrow/ipc/flatcc_generated.h"
#include "nanoarrow/nanoarrow.h"

#define FB(name) org_apache_arrow_flatbuf_##name

struct wr_ipc_encoder {
    enum wr_ipc_codec codec;
    struct ArrowArrayView types; /* the schema's tree: types and layouts, never set to an array */
    size_t n_nodes, n_buffers;   /* without the root's */
    struct wr_ipc_node *nodes;   /* of the batch that is encoded */
    struct wr_ipc_range *buffers;
    flatcc_builder_t builder; /* keeps its memory from batch to batch */
    bool has_builder;
};

/* ---- Arrays ---- */

static int add_array(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                     const struct ArrowArray *array, int64_t offset, int64_t length);

/* Rows from `from` on, counted from the start of the buffers. */
struct rows {
    int64_t from, length;
};

static int64_t count_nulls(const struct ArrowArray *array, struct rows rows) {
    const uint8_t *validity = array->n_buffers > 0 ? array->buffers[0] : NULL;
    if (!validity || rows.length == 0 || array->null_count == 0) return 0;
    if (array->null_count > 0 && array->offset == rows.from && array->length == rows.length)
        return array->null_count;
    return rows.length - ArrowBitCountSet(validity, rows.from, rows.length);
}

/* The node, and the bitmap unless there are no NULLs. */
static int add_validity(struct wr_ipc_body *body, const struct ArrowArray *array,
                        struct rows rows) {
    int64_t n_nulls = count_nulls(array, rows);
    wr_ipc_add_node(body, rows.length, n_nulls);
    if (n_nulls == 0) return wr_ipc_add_buffer(body, NULL, 0);
    return wr_ipc_add_bits(body, array->buffers[0], rows.from, rows.length);
}

static int add_fixed(struct wr_ipc_body *body, const void *data, int64_t bits, struct rows rows) {
    if (rows.length == 0) return wr_ipc_add_buffer(body, NULL, 0);
    if (bits == 1) return wr_ipc_add_bits(body, data, rows.from, rows.length);
    size_t width = (size_t)bits / 8;
    return wr_ipc_add_buffer(body, (const char *)data + (size_t)rows.from * width,
                             (size_t)rows.length * width);
}

/*
 * The offsets of rows, beginning at zero as readers like it, and which elements they span. As they
 * lie there if they begin at zero.
 */
#define ADD_OFFSETS(name, type)                                                                    \
    static int name(struct wr_ipc_body *body, const type *offsets, struct rows rows,               \
                    struct rows *ret_span) {                                                       \
        static const type none[1];                                                                 \
        size_t n_bytes = (size_t)(rows.length + 1) * sizeof *offsets;                              \
        offsets = rows.length == 0 ? none : offsets + rows.from;                                   \
        type first = offsets[0];                                                                   \
        *ret_span = (struct rows){first, offsets[rows.length] - first};                            \
        if (first == 0) return wr_ipc_add_buffer(body, offsets, n_bytes);                          \
        type *moved = wr_ipc_scratch(body, n_bytes);                                               \
        if (!moved) return ENOMEM;                                                                 \
        for (int64_t i = 0; i <= rows.length; i++)                                                 \
            moved[i] = offsets[i] - first;                                                         \
        return wr_ipc_add_buffer(body, moved, n_bytes);                                            \
    }
ADD_OFFSETS(add_offsets, int32_t)
ADD_OFFSETS(add_large_offsets, int64_t)

static int add_any_offsets(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                           const struct ArrowArray *array, struct rows rows,
                           struct rows *ret_span) {
    const void *offsets = array->buffers[1];
    return type->layout.element_size_bits[1] == 32
               ? add_offsets(body, offsets, rows, ret_span)
               : add_large_offsets(body, offsets, rows, ret_span);
}

static int add_texts(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                     const struct ArrowArray *array, struct rows rows) {
    struct rows span;
    WR_TRY(add_validity(body, array, rows));
    WR_TRY(add_any_offsets(body, type, array, rows, &span));
    return add_fixed(body, array->buffers[2], 8, span);
}

static int add_list(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                    const struct ArrowArray *array, struct rows rows) {
    struct rows span;
    WR_TRY(add_validity(body, array, rows));
    WR_TRY(add_any_offsets(body, type, array, rows, &span));
    return add_array(body, type->children[0], array->children[0], span.from, span.length);
}

static int add_fixed_list(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                          const struct ArrowArray *array, struct rows rows) {
    int64_t n = type->layout.child_size_elements;
    WR_TRY(add_validity(body, array, rows));
    return add_array(body, type->children[0], array->children[0], rows.from * n, rows.length * n);
}

static int add_children(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                        const struct ArrowArray *array, struct rows rows) {
    for (int64_t i = 0; i < type->n_children; i++)
        WR_TRY(add_array(body, type->children[i], array->children[i], rows.from, rows.length));
    return 0;
}

/* ---- Unions and runs ---- */

static int add_sparse_union(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                            const struct ArrowArray *array, struct rows rows) {
    wr_ipc_add_node(body, rows.length, 0);
    WR_TRY(add_fixed(body, array->buffers[0], 8, rows));
    return add_children(body, type, array, rows);
}

static int child_of_type(const struct ArrowArrayView *type, int8_t id) {
    if (id < 0) return -1;
    int child = type->union_type_id_map ? type->union_type_id_map[id] : id;
    return child < type->n_children ? child : -1;
}

/* The children of a slice need not begin where the slice does: each gives what its offsets span. */
static int add_dense_union(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                           const struct ArrowArray *array, struct rows rows) {
    const int8_t *ids = (const int8_t *)array->buffers[0] + (rows.length ? rows.from : 0);
    const int32_t *offsets = (const int32_t *)array->buffers[1] + (rows.length ? rows.from : 0);
    struct {
        int32_t first, last;
    } spans[128];
    for (int64_t i = 0; i < type->n_children; i++) {
        spans[i].first = INT32_MAX;
        spans[i].last = -1;
    }
    for (int64_t i = 0; i < rows.length; i++) {
        int child = child_of_type(type, ids[i]);
        if (child < 0) return EINVAL;
        if (offsets[i] < spans[child].first) spans[child].first = offsets[i];
        if (offsets[i] > spans[child].last) spans[child].last = offsets[i];
    }
    size_t n_bytes = (size_t)rows.length * sizeof *offsets;
    int32_t *moved = wr_ipc_scratch(body, n_bytes);
    if (!moved) return ENOMEM;
    for (int64_t i = 0; i < rows.length; i++)
        moved[i] = offsets[i] - spans[child_of_type(type, ids[i])].first;
    wr_ipc_add_node(body, rows.length, 0);
    WR_TRY(wr_ipc_add_buffer(body, ids, (size_t)rows.length));
    WR_TRY(wr_ipc_add_buffer(body, moved, n_bytes));
    for (int64_t i = 0; i < type->n_children; i++) {
        bool is_empty = spans[i].last < 0;
        WR_TRY(add_array(body, type->children[i], array->children[i], is_empty ? 0 : spans[i].first,
                         is_empty ? 0 : (int64_t)spans[i].last - spans[i].first + 1));
    }
    return 0;
}

static int64_t run_end(const struct ArrowArray *ends, int64_t bits, int64_t at) {
    at += ends->offset;
    if (bits == 16) return ((const int16_t *)ends->buffers[1])[at];
    if (bits == 32) return ((const int32_t *)ends->buffers[1])[at];
    return ((const int64_t *)ends->buffers[1])[at];
}

/* The first run that ends behind a row. */
static int64_t run_of(const struct ArrowArray *ends, int64_t bits, int64_t row) {
    int64_t low = 0, high = ends->length;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (run_end(ends, bits, middle) > row) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static int add_runs(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                    const struct ArrowArray *array, struct rows rows) {
    const struct ArrowArray *ends = array->children[0];
    int64_t bits = type->children[0]->layout.element_size_bits[1];
    int64_t first = rows.length ? run_of(ends, bits, rows.from) : 0;
    int64_t n_runs = rows.length ? run_of(ends, bits, rows.from + rows.length - 1) - first + 1 : 0;
    size_t width = (size_t)bits / 8;
    char *moved = wr_ipc_scratch(body, (size_t)n_runs * width);
    if (!moved) return ENOMEM;
    for (int64_t i = 0; i < n_runs; i++) {
        int64_t end = run_end(ends, bits, first + i) - rows.from;
        if (end > rows.length) end = rows.length;
        int16_t end16 = (int16_t)end;
        int32_t end32 = (int32_t)end;
        memcpy(moved + (size_t)i * width,
               width == 2   ? (void *)&end16
               : width == 4 ? (void *)&end32
                            : (void *)&end,
               width);
    }
    wr_ipc_add_node(body, rows.length, 0);
    wr_ipc_add_node(body, n_runs, 0);
    WR_TRY(wr_ipc_add_buffer(body, NULL, 0));
    WR_TRY(wr_ipc_add_buffer(body, moved, (size_t)n_runs * width));
    return add_array(body, type->children[1], array->children[1], first, n_runs);
}

/* Rows from `offset` on, counted from the array's own first one. */
static int add_array(struct wr_ipc_body *body, const struct ArrowArrayView *type,
                     const struct ArrowArray *array, int64_t offset, int64_t length) {
    struct rows rows = {array->offset + offset, length};
    if (array->n_children != type->n_children || array->dictionary) return EINVAL;
    switch (type->storage_type) {
    case NANOARROW_TYPE_NA:
        wr_ipc_add_node(body, length, length);
        return 0;
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_LARGE_BINARY:
        return add_texts(body, type, array, rows);
    case NANOARROW_TYPE_LIST:
    case NANOARROW_TYPE_LARGE_LIST:
    case NANOARROW_TYPE_MAP:
        return add_list(body, type, array, rows);
    case NANOARROW_TYPE_FIXED_SIZE_LIST:
        return add_fixed_list(body, type, array, rows);
    case NANOARROW_TYPE_STRUCT:
        WR_TRY(add_validity(body, array, rows));
        return add_children(body, type, array, rows);
    case NANOARROW_TYPE_SPARSE_UNION:
        return add_sparse_union(body, type, array, rows);
    case NANOARROW_TYPE_DENSE_UNION:
        return add_dense_union(body, type, array, rows);
    case NANOARROW_TYPE_RUN_END_ENCODED:
        return add_runs(body, type, array, rows);
    default:
        WR_TRY(add_validity(body, array, rows));
        return add_fixed(body, array->buffers[1], type->layout.element_size_bits[1], rows);
    }
}

/* ---- The header ---- */

/* After a failure the builder may not be used. */
static int build(flatcc_builder_t *builder, const struct wr_ipc_body *body, int64_t length) {
    const struct FB(FieldNode) *nodes = (const struct FB(FieldNode) *)body->nodes;
    const struct FB(Buffer) *buffers = (const struct FB(Buffer) *)body->buffers;
    WR_TRY(FB(Message_start_as_root)(builder));
    WR_TRY(FB(Message_version_add)(builder, FB(MetadataVersion_V5)));
    WR_TRY(FB(Message_header_RecordBatch_start)(builder));
    WR_TRY(FB(RecordBatch_length_add)(builder, length));
    WR_TRY(FB(RecordBatch_nodes_create)(builder, nodes, body->n_nodes));
    WR_TRY(FB(RecordBatch_buffers_create)(builder, buffers, body->n_buffers));
    if (body->codec != WR_IPC_PLAIN) {
        WR_TRY(FB(RecordBatch_compression_create)(
            builder,
            body->codec == WR_IPC_ZSTD ? FB(CompressionType_ZSTD) : FB(CompressionType_LZ4_FRAME),
            FB(BodyCompressionMethod_BUFFER)));
    }
    WR_TRY(FB(Message_header_RecordBatch_end)(builder));
    WR_TRY(FB(Message_bodyLength_add)(builder, body->length));
    return !FB(Message_end_as_root)(builder);
}

static void drop_builder(struct wr_ipc_encoder *encoder) {
    if (encoder->has_builder) flatcc_builder_clear(&encoder->builder);
    encoder->has_builder = false;
}

static int make_header(struct wr_ipc_encoder *encoder, const struct wr_ipc_body *body,
                       int64_t length, struct wr_ipc_batch *batch, struct weir_error *error) {
    flatcc_builder_t *builder = &encoder->builder;
    if (!encoder->has_builder && flatcc_builder_init(builder)) return wr_error_memory(error);
    encoder->has_builder = true;
    size_t size = 0;
    void *data =
        build(builder, body, length) ? NULL : flatcc_builder_finalize_buffer(builder, &size);
    if (!data || flatcc_builder_reset(builder)) drop_builder(encoder);
    if (!data) return wr_error_memory(error);
    batch->header = data;
    batch->header_length = size;
    return WEIR_OK;
}

/* ---- The encoder ---- */

static void count(const struct ArrowArrayView *type, size_t *n_nodes, size_t *n_buffers) {
    for (int64_t i = 0; i < type->n_children; i++) {
        *n_nodes += 1;
        *n_buffers += NANOARROW_MAX_FIXED_BUFFERS;
        count(type->children[i], n_nodes, n_buffers);
    }
}

int wr_ipc_encoder_new(const struct ArrowSchema *schema, enum wr_ipc_codec codec,
                       struct wr_ipc_encoder **ret_encoder, struct weir_error *error) {
    struct ArrowError details = {{0}};
    struct wr_ipc_encoder *encoder = wr_calloc(1, sizeof *encoder);
    if (!encoder) return wr_error_memory(error);
    encoder->codec = codec;
    int code = ArrowArrayViewInitFromSchema(&encoder->types, schema, &details);
    if (code) {
        wr_free(encoder);
        return code == ENOMEM
                   ? wr_error_memory(error)
                   : wr_error_set(error, WEIR_INTERNAL, NULL,
                                  "the result's schema is not valid: %s", details.message);
    }
    count(&encoder->types, &encoder->n_nodes, &encoder->n_buffers);
    encoder->nodes = wr_calloc(encoder->n_nodes, sizeof *encoder->nodes);
    encoder->buffers = wr_calloc(encoder->n_buffers, sizeof *encoder->buffers);
    if (!encoder->nodes || !encoder->buffers) {
        wr_ipc_encoder_free(encoder);
        return wr_error_memory(error);
    }
    *ret_encoder = encoder;
    return WEIR_OK;
}

void wr_ipc_encoder_free(struct wr_ipc_encoder *encoder) {
    if (!encoder) return;
    drop_builder(encoder);
    wr_free(encoder->nodes);
    wr_free(encoder->buffers);
    ArrowArrayViewReset(&encoder->types);
    wr_free(encoder);
}

static void free_scratch(struct wr_ipc_scratch *scratch) {
    while (scratch) {
        struct wr_ipc_scratch *next = scratch->next;
        wr_free(scratch);
        scratch = next;
    }
}

static int encode(struct wr_ipc_encoder *encoder, struct wr_ipc_body *body,
                  const struct ArrowArray *array, struct rows rows, struct wr_ipc_batch *batch,
                  struct weir_error *error) {
    size_t most_parts = encoder->n_buffers * WR_IPC_PARTS_OF_A_BUFFER;
    body->nodes = encoder->nodes;
    body->buffers = encoder->buffers;
    body->parts = wr_reallocarray(NULL, most_parts, sizeof *body->parts);
    if (!body->parts) return wr_error_memory(error);
    if (array->n_children != encoder->types.n_children) {
        return wr_error_set(error, WEIR_INTERNAL, NULL,
                            "a batch of the result has %lld columns and not %lld",
                            (long long)array->n_children, (long long)encoder->types.n_children);
    }
    struct rows at = {array->offset + rows.from, rows.length};
    int code = add_children(body, &encoder->types, array, at);
    if (code == ENOMEM) return wr_error_memory(error);
    if (code) {
        return wr_error_set(error, WEIR_INTERNAL, NULL,
                            "a batch of the result is not of the result's schema");
    }
    return make_header(encoder, body, rows.length, batch, error);
}

int wr_ipc_encode(struct wr_ipc_encoder *encoder, const struct ArrowArray *array, int64_t offset,
                  int64_t length, struct wr_ipc_batch *ret_batch, struct weir_error *error) {
    struct wr_ipc_body body = {.codec = encoder->codec};
    struct wr_ipc_batch batch = {0};
    int code = encode(encoder, &body, array, (struct rows){offset, length}, &batch, error);
    if (code) {
        wr_free(body.parts);
        free_scratch(body.scratch);
        return code;
    }
    batch.parts = body.parts;
    batch.n_parts = body.n_parts;
    batch.body_length = body.length;
    batch.scratch = body.scratch;
    *ret_batch = batch;
    return WEIR_OK;
}

void wr_ipc_batch_free(struct wr_ipc_batch *batch) {
    wr_free(batch->header);
    wr_free(batch->parts);
    free_scratch(batch->scratch);
    *batch = (struct wr_ipc_batch){0};
}
