/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "flight/ipc_check.h"

#include "nanoarrow/nanoarrow.h"
#include "nanoarrow/nanoarrow_ipc.h"

struct wr_ipc_decoder {
    struct ArrowIpcDecoder messages;
    struct ArrowArrayView types; /* of the schema */
    bool has_schema;
};

enum { MOST_WIDTH = 1 << 28 }; /* bytes of one value of a fixed size */

static int refuse(struct weir_error *error, const char *what) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22000", "a message of Arrow data %s", what);
}

static int complain(int code, const struct ArrowError *details, struct weir_error *error) {
    if (code == ENOMEM) return wr_error_memory(error);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22000",
                        "a message of Arrow data is not valid: %s", details->message);
}

/* ---- Compression ---- */

static ArrowErrorCode unpack(enum wr_ipc_codec codec, struct ArrowBufferView from, uint8_t *to,
                             int64_t length, struct ArrowError *error) {
    if (wr_ipc_unpack(codec, from.data.data, (size_t)from.size_bytes, to, (size_t)length)) return 0;
    ArrowErrorSet(error, "a compressed buffer does not unpack to the bytes that it promises");
    return EINVAL;
}

static ArrowErrorCode unpack_zstd(struct ArrowBufferView from, uint8_t *to, int64_t length,
                                  struct ArrowError *error) {
    return unpack(WR_IPC_ZSTD, from, to, length, error);
}

static ArrowErrorCode unpack_lz4(struct ArrowBufferView from, uint8_t *to, int64_t length,
                                 struct ArrowError *error) {
    return unpack(WR_IPC_LZ4, from, to, length, error);
}

static int set_codecs(struct ArrowIpcDecoder *decoder) {
    struct ArrowIpcDecompressor decompressor;
    WR_TRY(ArrowIpcSerialDecompressor(&decompressor));
    int code = ArrowIpcSerialDecompressorSetFunction(
        &decompressor, NANOARROW_IPC_COMPRESSION_TYPE_ZSTD, unpack_zstd);
    if (!code) {
        code = ArrowIpcSerialDecompressorSetFunction(
            &decompressor, NANOARROW_IPC_COMPRESSION_TYPE_LZ4_FRAME, unpack_lz4);
    }
    if (!code) code = ArrowIpcDecoderSetDecompressor(decoder, &decompressor);
    if (code && decompressor.release) decompressor.release(&decompressor);
    return code;
}

/* ---- The decoder ---- */

int wr_ipc_decoder_new(struct wr_ipc_decoder **ret_decoder, struct weir_error *error) {
    struct wr_ipc_decoder *decoder = wr_calloc(1, sizeof *decoder);
    if (!decoder) return wr_error_memory(error);
    ArrowArrayViewInitFromType(&decoder->types, NANOARROW_TYPE_UNINITIALIZED);
    if (ArrowIpcDecoderInit(&decoder->messages)) {
        wr_free(decoder);
        return wr_error_memory(error);
    }
    if (set_codecs(&decoder->messages)) {
        wr_ipc_decoder_free(decoder);
        return wr_error_memory(error);
    }
    *ret_decoder = decoder;
    return WEIR_OK;
}

void wr_ipc_decoder_free(struct wr_ipc_decoder *decoder) {
    if (!decoder) return;
    ArrowIpcDecoderReset(&decoder->messages);
    ArrowArrayViewReset(&decoder->types);
    wr_free(decoder);
}

/* ---- Schemas ---- */

/* What nanoarrow takes and the checks of batches do not cover. */
static int check_field(const struct ArrowSchema *field, struct weir_error *error) {
    struct ArrowSchemaView view;
    const char *name = field->name ? field->name : "";
    if (!wr_is_utf8(name, strlen(name))) return refuse(error, "has a name that is not UTF-8");
    if (field->dictionary) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "column %s is dictionary encoded, which is not taken: send the values",
                            name);
    }
    if (ArrowSchemaViewInit(&view, field, NULL))
        return refuse(error, "has a type that is not known");
    bool is_fixed = view.type == NANOARROW_TYPE_FIXED_SIZE_LIST ||
                    view.type == NANOARROW_TYPE_FIXED_SIZE_BINARY;
    if (is_fixed && (view.fixed_size < 0 || view.fixed_size > MOST_WIDTH))
        return refuse(error, "has a type of an impossible size");
    for (int64_t i = 0; i < field->n_children; i++)
        WR_TRY(check_field(field->children[i], error));
    return WEIR_OK;
}

static int take_schema(struct wr_ipc_decoder *decoder, struct ArrowSchema *ret_schema,
                       struct weir_error *error) {
    struct ArrowError details = {{0}};
    struct ArrowSchema schema = {0};
    if (decoder->has_schema) return refuse(error, "is a second schema");
    if (decoder->messages.endianness != NANOARROW_IPC_ENDIANNESS_LITTLE)
        return refuse(error, "is big-endian, which is not taken");
    int code = ArrowIpcDecoderDecodeSchema(&decoder->messages, &schema, &details);
    if (code) return complain(code, &details, error);
    code = check_field(&schema, error);
    if (!code) {
        int failed = ArrowIpcDecoderSetSchema(&decoder->messages, &schema, &details);
        if (!failed) failed = ArrowArrayViewInitFromSchema(&decoder->types, &schema, &details);
        if (failed) code = complain(failed, &details, error);
    }
    if (code) {
        wr_arrow_release_schema(&schema);
        return code;
    }
    decoder->has_schema = true;
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

/* ---- Batches ---- */

static bool is_cut_at(const char *data, int64_t at, int64_t end) {
    return at < end && ((unsigned char)data[at] & 0xc0) == 0x80;
}

/* The engine takes texts for UTF-8 without looking. */
static bool has_valid_texts(const struct ArrowArrayView *view) {
    bool is_large = view->storage_type == NANOARROW_TYPE_LARGE_STRING;
    if ((is_large || view->storage_type == NANOARROW_TYPE_STRING) && view->length > 0) {
        const struct ArrowBufferView *offsets = &view->buffer_views[1];
        const char *data = view->buffer_views[2].data.as_char;
#define OFFSET(i) (is_large ? offsets->data.as_int64[i] : offsets->data.as_int32[i])
        int64_t first = OFFSET(view->offset), end = OFFSET(view->offset + view->length);
        if (end > first && !wr_is_utf8(data + first, (size_t)(end - first))) return false;
        for (int64_t i = 0; i <= view->length; i++) {
            if (is_cut_at(data, OFFSET(view->offset + i), end)) return false;
        }
#undef OFFSET
    }
    for (int64_t i = 0; i < view->n_children; i++) {
        if (!has_valid_texts(view->children[i])) return false;
    }
    return true;
}

/* nanoarrow lets a dense union's offset be the length of its child, one past the last value. */
static bool has_valid_unions(const struct ArrowArrayView *view) {
    if (view->storage_type == NANOARROW_TYPE_DENSE_UNION) {
        for (int64_t i = 0; i < view->length; i++) {
            int8_t child = ArrowArrayViewUnionChildIndex(view, i);
            if (child < 0 || child >= view->n_children ||
                ArrowArrayViewUnionChildOffset(view, i) >= view->children[child]->length)
                return false;
        }
    }
    for (int64_t i = 0; i < view->n_children; i++) {
        if (!has_valid_unions(view->children[i])) return false;
    }
    return true;
}

static int check_array(struct wr_ipc_decoder *decoder, const struct ArrowArray *array,
                       struct weir_error *error) {
    struct ArrowError details = {{0}};
    int code = ArrowArrayViewSetArray(&decoder->types, array, &details);
    if (code) return complain(code, &details, error);
    if (!has_valid_unions(&decoder->types))
        return refuse(error, "has a union that refers to a value that is not there");
    return has_valid_texts(&decoder->types) ? WEIR_OK : refuse(error, "has text that is not UTF-8");
}

/* Arrays share one copy of the body, which is aligned as the message was not. */
static int take_batch(struct wr_ipc_decoder *decoder, const void *body, size_t length,
                      struct ArrowArray *ret_array, struct weir_error *error) {
    struct ArrowError details = {{0}};
    struct ArrowArray array = {0};
    struct ArrowBuffer copy, shared;
    if (!decoder->has_schema) return refuse(error, "comes before the schema");
    ArrowBufferInit(&copy);
    if (ArrowBufferAppend(&copy, body, (int64_t)length)) return wr_error_memory(error);
    if (ArrowSharedBufferInit(&shared, &copy)) {
        ArrowBufferReset(&copy);
        return wr_error_memory(error);
    }
    int code = ArrowIpcDecoderDecodeArrayFromShared(&decoder->messages, &shared, -1, &array,
                                                    NANOARROW_VALIDATION_LEVEL_FULL, &details);
    ArrowBufferReset(&shared);
    if (code) return complain(code, &details, error);
    if (!array.release) return wr_error_memory(error); /* it failed when it was nearly done */
    code = check_array(decoder, &array, error);
    if (code) {
        wr_arrow_release_array(&array);
        return code;
    }
    wr_arrow_move_array(&array, ret_array);
    return WEIR_OK;
}

/* ---- Messages ---- */

/* nanoarrow reads messages as they stand in a stream: framed, and aligned. */
static void *frame(const void *header, size_t length, size_t *ret_length) {
    uint32_t padded = (uint32_t)(length + 7) & ~7u;
    unsigned char *framed = wr_calloc(1, 8 + (size_t)padded);
    if (!framed) return NULL;
    memset(framed, 0xff, 4);
    for (int i = 0; i < 4; i++)
        framed[4 + i] = (unsigned char)(padded >> 8 * i);
    memcpy(framed + 8, header, length);
    *ret_length = 8 + (size_t)padded;
    return framed;
}

static int decode(struct wr_ipc_decoder *decoder, struct ArrowBufferView framed, const void *body,
                  size_t body_length, enum wr_ipc_message *ret_message,
                  struct ArrowSchema *ret_schema, struct ArrowArray *ret_array,
                  struct weir_error *error) {
    struct ArrowError details = {{0}};
    if (!wr_ipc_is_affordable(framed.data.as_uint8 + 8, (size_t)framed.size_bytes - 8))
        return refuse(error, "is cut, or refers to its own parts too often");
    int code = ArrowIpcDecoderVerifyHeader(&decoder->messages, framed, &details);
    if (code) return complain(code, &details, error);
    WR_TRY(wr_ipc_check_message(framed.data.as_uint8 + 8, body, body_length, error));
    if (decoder->messages.message_type == NANOARROW_IPC_MESSAGE_TYPE_RECORD_BATCH &&
        !decoder->has_schema)
        return refuse(error, "comes before the schema");
    code = ArrowIpcDecoderDecodeHeader(&decoder->messages, framed, &details);
    if (code) return complain(code, &details, error);
    switch (decoder->messages.message_type) {
    case NANOARROW_IPC_MESSAGE_TYPE_SCHEMA:
        WR_TRY(take_schema(decoder, ret_schema, error));
        *ret_message = WR_IPC_SCHEMA;
        return WEIR_OK;
    case NANOARROW_IPC_MESSAGE_TYPE_RECORD_BATCH:
        WR_TRY(take_batch(decoder, body, body_length, ret_array, error));
        *ret_message = WR_IPC_BATCH;
        return WEIR_OK;
    default:
        return refuse(error, "is neither a schema nor a record batch");
    }
}

int wr_ipc_decode(struct wr_ipc_decoder *decoder, const void *header, size_t header_length,
                  const void *body, size_t body_length, enum wr_ipc_message *ret_message,
                  struct ArrowSchema *ret_schema, struct ArrowArray *ret_array,
                  struct weir_error *error) {
    if (header_length > (16u << 20)) return refuse(error, "has a header of more than 16 MiB");
    size_t length = 0;
    void *framed = frame(header, header_length, &length);
    if (!framed) return wr_error_memory(error);
    struct ArrowBufferView view = {.data.data = framed, .size_bytes = (int64_t)length};
    int code = decode(decoder, view, body, body_length, ret_message, ret_schema, ret_array, error);
    wr_free(framed);
    return code;
}
