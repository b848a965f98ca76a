/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/data.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { TAG_DESCRIPTOR = 1, TAG_HEADER = 2, TAG_METADATA = 3, TAG_BODY = 1000, WIRE_BYTES = 2 };

/* ---- In ---- */

struct reader {
    const unsigned char *at, *end;
};

static bool read_varint(struct reader *reader, uint64_t *ret_value) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end) return false;
        unsigned char byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct reader *reader, uint64_t n) {
    if (n > (uint64_t)(reader->end - reader->at)) return false;
    reader->at += n;
    return true;
}

/* One field; ret_bytes of those that are bytes. */
static bool read_field(struct reader *reader, uint64_t *ret_number, struct wr_bytes *ret_bytes) {
    uint64_t key, value;
    if (!read_varint(reader, &key)) return false;
    *ret_number = key >> 3;
    *ret_bytes = (struct wr_bytes){0};
    switch (key & 7) {
    case 0:
        return read_varint(reader, &value);
    case 1:
        return skip(reader, 8);
    case 5:
        return skip(reader, 4);
    case WIRE_BYTES:
        if (!read_varint(reader, &value)) return false;
        *ret_bytes = (struct wr_bytes){reader->at, (size_t)value};
        return skip(reader, value);
    default:
        return false;
    }
}

int wr_flight_data_parse(const void *message, size_t length, struct wr_flight_data *ret_data,
                         struct weir_error *error) {
    struct reader reader = {message, (const unsigned char *)message + length};
    struct wr_flight_data data = {0};
    while (reader.at < reader.end) {
        uint64_t number;
        struct wr_bytes bytes;
        if (!read_field(&reader, &number, &bytes)) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                                "the message is not a FlightData");
        }
        if (!bytes.data) continue;
        if (number == TAG_DESCRIPTOR) data.descriptor = bytes;
        if (number == TAG_HEADER) data.header = bytes;
        if (number == TAG_METADATA) data.metadata = bytes;
        if (number == TAG_BODY) data.body = bytes;
    }
    *ret_data = data;
    return WEIR_OK;
}

/* ---- Out ---- */

enum { MOST_PREFIX = 3 + 10 }; /* the key and the length of a field */

static size_t put_varint(unsigned char *to, uint64_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        to[n++] = (unsigned char)(value | 0x80);
    to[n++] = (unsigned char)value;
    return n;
}

static size_t put_prefix(unsigned char *to, uint64_t number, size_t length) {
    size_t n = put_varint(to, number << 3 | WIRE_BYTES);
    return n + put_varint(to + n, length);
}

static int one_field(uint64_t number, const void *data, size_t length,
                     struct wr_grpc_message *ret_message, struct weir_error *error) {
    unsigned char *bytes = wr_malloc(MOST_PREFIX + length);
    if (!bytes) return wr_error_memory(error);
    size_t n = put_prefix(bytes, number, length);
    memcpy(bytes + n, data, length);
    int code = wr_grpc_message_copy(bytes, n + length, ret_message, error);
    wr_free(bytes);
    return code;
}

int wr_flight_data_schema(const void *schema, size_t length, struct wr_grpc_message *ret_message,
                          struct weir_error *error) {
    return one_field(TAG_HEADER, schema, length, ret_message, error);
}

struct batch_message {
    struct wr_ipc_batch batch;
    void (*keep)(void *kept);
    void *kept;
    struct wr_grpc_part *parts;
    unsigned char before_header[MOST_PREFIX], before_body[MOST_PREFIX];
};

static void release_batch(struct wr_grpc_message *message) {
    struct batch_message *sent = message->private_data;
    message->release = NULL;
    wr_ipc_batch_free(&sent->batch);
    if (sent->keep) sent->keep(sent->kept);
    wr_free(sent->parts);
    wr_free(sent);
}

int wr_flight_data_batch(struct wr_ipc_batch *batch, void (*keep)(void *kept), void *kept,
                         struct wr_grpc_message *ret_message, struct weir_error *error) {
    struct batch_message *sent = wr_calloc(1, sizeof *sent);
    struct wr_grpc_part *parts = wr_calloc(batch->n_parts + 3, sizeof *parts);
    if (!sent || !parts) {
        wr_free(sent);
        wr_free(parts);
        return wr_error_memory(error);
    }
    sent->batch = *batch;
    sent->keep = keep;
    sent->kept = kept;
    sent->parts = parts;
    size_t n = put_prefix(sent->before_header, TAG_HEADER, batch->header_length);
    parts[0] = (struct wr_grpc_part){sent->before_header, n};
    parts[1] = (struct wr_grpc_part){batch->header, batch->header_length};
    n = put_prefix(sent->before_body, TAG_BODY, (size_t)batch->body_length);
    parts[2] = (struct wr_grpc_part){sent->before_body, n};
    if (batch->n_parts > 0) memcpy(parts + 3, batch->parts, batch->n_parts * sizeof *parts);
    *ret_message = (struct wr_grpc_message){
        .parts = parts,
        .n_parts = batch->n_parts + 3,
        .release = release_batch,
        .private_data = sent,
    };
    *batch = (struct wr_ipc_batch){0};
    return WEIR_OK;
}
