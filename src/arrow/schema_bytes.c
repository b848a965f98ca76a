/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema as bytes. All numbers are little-endian.
 *
 *     file:     "WRS1" node
 *     node:     flags u64, format text, name text, metadata, n_children u32, node...,
 *               has_dictionary u8, node if it has one
 *     text:     length u32, bytes; a length of 0xFFFFFFFF is a NULL pointer
 *     metadata: n_pairs u32, then key text and value text of each; 0xFFFFFFFF pairs is a NULL
 * pointer
 */
#include "arrow/arrow.h"

#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

static const char magic[4] = {'W', 'R', 'S', '1'};
#define ABSENT 0xFFFFFFFFu
/* What a text's length can say. */
#define LENGTH_CEILING ((size_t)INT32_MAX)
/* Deeper nesting is a damaged or hostile text; the walk is recursive. */
#define DEPTH_CEILING 128

/* ---- Encoding ---- */

static void put_number(struct wr_buffer *out, uint64_t value, int n_bytes) {
    for (int i = 0; i < n_bytes; i++)
        wr_buffer_char(out, (char)(value >> (8 * i) & 0xFF));
}

static void put_text(struct wr_buffer *out, const char *data, size_t length) {
    put_number(out, data ? length : ABSENT, 4);
    if (data) wr_buffer_add(out, data, length);
}

static void put_string(struct wr_buffer *out, const char *text) {
    put_text(out, text, text ? strlen(text) : 0);
}

static void put_metadata(struct wr_buffer *out, const char *metadata) {
    if (!metadata) {
        put_number(out, ABSENT, 4);
        return;
    }
    struct ArrowMetadataReader reader;
    struct ArrowStringView key, value;
    ArrowMetadataReaderInit(&reader, metadata);
    put_number(out, (uint32_t)reader.remaining_keys, 4);
    while (ArrowMetadataReaderRead(&reader, &key, &value) == NANOARROW_OK) {
        put_text(out, key.data, (size_t)key.size_bytes);
        put_text(out, value.data, (size_t)value.size_bytes);
    }
}

static int put_node(struct wr_buffer *out, const struct ArrowSchema *schema, int depth,
                    struct weir_error *error) {
    if (depth > DEPTH_CEILING) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "54001",
                            "the schema is nested deeper than %d levels", DEPTH_CEILING);
    }
    put_number(out, (uint64_t)schema->flags, 8);
    put_string(out, schema->format);
    put_string(out, schema->name);
    put_metadata(out, schema->metadata);
    put_number(out, (uint64_t)schema->n_children, 4);
    for (int64_t i = 0; i < schema->n_children; i++)
        WR_TRY(put_node(out, schema->children[i], depth + 1, error));
    put_number(out, schema->dictionary != NULL, 1);
    if (schema->dictionary) WR_TRY(put_node(out, schema->dictionary, depth + 1, error));
    return WEIR_OK;
}

int wr_arrow_schema_encode(const struct ArrowSchema *schema, void **ret_data, size_t *ret_length,
                           struct weir_error *error) {
    struct wr_buffer out;
    wr_buffer_init(&out, LENGTH_CEILING);
    wr_buffer_add(&out, magic, sizeof magic);
    int code = put_node(&out, schema, 0, error);
    if (!code && out.failed) code = wr_error_memory(error);
    if (code) {
        wr_buffer_reset(&out);
        return code;
    }
    *ret_length = out.length;
    *ret_data = wr_buffer_take(&out);
    return WEIR_OK;
}

/* ---- Decoding ---- */

struct reader {
    const unsigned char *data;
    size_t length;
    size_t offset;
};

static int damaged(const struct reader *reader, const char *what, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_DATA, "XX001",
                        "stored schema is damaged at byte %zu of %zu: %s", reader->offset,
                        reader->length, what);
}

static int get_number(struct reader *reader, int n_bytes, uint64_t *ret_value,
                      struct weir_error *error) {
    if (reader->length - reader->offset < (size_t)n_bytes)
        return damaged(reader, "a number is cut off", error);
    uint64_t value = 0;
    for (int i = 0; i < n_bytes; i++)
        value |= (uint64_t)reader->data[reader->offset++] << (8 * i);
    *ret_value = value;
    return WEIR_OK;
}

/* Borrowed from the bytes, without a NUL; data is NULL for an absent text. */
static int get_text(struct reader *reader, struct ArrowStringView *ret_text,
                    struct weir_error *error) {
    uint64_t length = 0;
    WR_TRY(get_number(reader, 4, &length, error));
    if (length == ABSENT) {
        *ret_text = (struct ArrowStringView){NULL, 0};
        return WEIR_OK;
    }
    if (reader->length - reader->offset < length)
        return damaged(reader, "a text is cut off", error);
    *ret_text =
        (struct ArrowStringView){(const char *)reader->data + reader->offset, (int64_t)length};
    reader->offset += length;
    return WEIR_OK;
}

static int arrow_failed(const struct reader *reader, int errnum, const char *what,
                        struct weir_error *error) {
    return errnum == ENOMEM ? wr_error_memory(error) : damaged(reader, what, error);
}

static int get_string(struct reader *reader,
                      ArrowErrorCode (*set)(struct ArrowSchema *, const char *),
                      struct ArrowSchema *schema, struct weir_error *error) {
    struct ArrowStringView text;
    WR_TRY(get_text(reader, &text, error));
    if (!text.data) return WEIR_OK;
    if (memchr(text.data, '\0', (size_t)text.size_bytes))
        return damaged(reader, "a text contains a zero byte", error);
    char *copy = wr_strndup(text.data, (size_t)text.size_bytes);
    if (!copy) return wr_error_memory(error);
    int errnum = set(schema, copy);
    wr_free(copy);
    return errnum ? arrow_failed(reader, errnum, "a text is not accepted", error) : WEIR_OK;
}

/* The C data interface has metadata's numbers in the machine's own order. */
static void add_native(struct wr_buffer *pairs, uint64_t value) {
    int32_t number = (int32_t)value;
    wr_buffer_add(pairs, &number, sizeof number);
}

static int get_pairs(struct reader *reader, uint64_t n_pairs, struct wr_buffer *pairs,
                     struct weir_error *error) {
    add_native(pairs, n_pairs);
    for (uint64_t i = 0; i < 2 * n_pairs; i++) {
        struct ArrowStringView text = {NULL, 0};
        WR_TRY(get_text(reader, &text, error));
        if (!text.data) return damaged(reader, "a key or value is absent", error);
        add_native(pairs, (uint64_t)text.size_bytes);
        wr_buffer_add(pairs, text.data, (size_t)text.size_bytes);
    }
    return pairs->failed ? wr_error_memory(error) : WEIR_OK;
}

static int get_metadata(struct reader *reader, struct ArrowSchema *schema,
                        struct weir_error *error) {
    uint64_t n_pairs = 0;
    WR_TRY(get_number(reader, 4, &n_pairs, error));
    if (n_pairs == ABSENT) return WEIR_OK;
    if (n_pairs > INT32_MAX) return damaged(reader, "too much metadata is announced", error);
    struct wr_buffer pairs;
    wr_buffer_init(&pairs, LENGTH_CEILING);
    int code = get_pairs(reader, n_pairs, &pairs, error);
    int errnum = code ? 0 : ArrowSchemaSetMetadata(schema, pairs.data);
    if (errnum) code = arrow_failed(reader, errnum, "metadata is not accepted", error);
    wr_buffer_reset(&pairs);
    return code;
}

/* Fills `schema`, which is initialised here and released by whoever owns its parent, also after a
 * failure. */
static int get_node(struct reader *reader, struct ArrowSchema *schema, int depth,
                    struct weir_error *error) {
    ArrowSchemaInit(schema);
    if (depth > DEPTH_CEILING) return damaged(reader, "it is nested too deep", error);
    uint64_t flags = 0, n_children = 0, has_dictionary = 0;
    WR_TRY(get_number(reader, 8, &flags, error));
    WR_TRY(get_string(reader, ArrowSchemaSetFormat, schema, error));
    WR_TRY(get_string(reader, ArrowSchemaSetName, schema, error));
    WR_TRY(get_metadata(reader, schema, error));
    schema->flags = (int64_t)flags;
    WR_TRY(get_number(reader, 4, &n_children, error));
    /* A node takes more than a byte, so a wrong count cannot ask for much memory. */
    if (n_children > reader->length - reader->offset)
        return damaged(reader, "more columns are announced than are there", error);
    int errnum = ArrowSchemaAllocateChildren(schema, (int64_t)n_children);
    if (errnum) return arrow_failed(reader, errnum, "columns are not accepted", error);
    for (uint64_t i = 0; i < n_children; i++)
        WR_TRY(get_node(reader, schema->children[i], depth + 1, error));
    WR_TRY(get_number(reader, 1, &has_dictionary, error));
    if (has_dictionary) {
        errnum = ArrowSchemaAllocateDictionary(schema);
        if (errnum) return arrow_failed(reader, errnum, "a dictionary is not accepted", error);
        WR_TRY(get_node(reader, schema->dictionary, depth + 1, error));
    }
    struct ArrowSchemaView view;
    struct ArrowError reason;
    ArrowErrorInit(&reason);
    if (ArrowSchemaViewInit(&view, schema, &reason) != NANOARROW_OK)
        return damaged(reader, reason.message, error);
    return WEIR_OK;
}

int wr_arrow_schema_decode(const void *data, size_t length, struct ArrowSchema *ret_schema,
                           struct weir_error *error) {
    struct reader reader = {data, length, 0};
    if (length < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
        return damaged(&reader, "it does not begin with \"WRS1\"", error);
    reader.offset = sizeof magic;
    struct ArrowSchema schema;
    int code = get_node(&reader, &schema, 0, error);
    if (!code && reader.offset != length) code = damaged(&reader, "bytes follow its end", error);
    if (code) {
        wr_arrow_release_schema(&schema);
        return code;
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}
