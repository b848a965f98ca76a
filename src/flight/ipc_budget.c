/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a schema's message is when it is read. A flatbuffer may point to one table from many
 * places, and so be as a tree exponentially larger than its bytes: verifying it would take for
 * ever, and copying it all memory. Here it is walked as what it says, with a budget of some times
 * its bytes; what costs more, or leads outside, is refused before anything else looks at it.
 *
 * The layout is that of FlatBuffers' internals, the numbers of fields those of Arrow's Message.fbs
 * and Schema.fbs.
 */
#include <string.h>

#include "flight/ipc_check.h"

enum { DEEPEST = 64, SLACK = 4096, TIMES = 4 };

enum {
    MESSAGE_HEADER_TYPE = 1,
    MESSAGE_HEADER = 2,
    HEADER_SCHEMA = 1,
    SCHEMA_FIELDS = 1,
    SCHEMA_METADATA = 2,
    FIELD_NAME = 0,
    FIELD_TYPE_TYPE = 2,
    FIELD_TYPE = 3,
    FIELD_CHILDREN = 5,
    FIELD_METADATA = 6,
    TYPE_TIMESTAMP = 10,
    TIMESTAMP_ZONE = 1,
    TYPE_UNION = 14,
    UNION_IDS = 1
};

struct walk {
    const unsigned char *data;
    size_t length;
    size_t left; /* of the budget */
};

static bool spend(struct walk *walk, size_t n) {
    if (n > walk->left) return false;
    walk->left -= n;
    return true;
}

static bool is_inside(const struct walk *walk, size_t at, size_t n) {
    return at <= walk->length && n <= walk->length - at;
}

static bool read_u16(const struct walk *walk, size_t at, size_t *ret_value) {
    if (!is_inside(walk, at, 2)) return false;
    *ret_value = (size_t)walk->data[at] | (size_t)walk->data[at + 1] << 8;
    return true;
}

static bool read_u32(const struct walk *walk, size_t at, size_t *ret_value) {
    size_t low, high;
    if (!read_u16(walk, at, &low) || !read_u16(walk, at + 2, &high)) return false;
    *ret_value = low | high << 16;
    return true;
}

/* What an offset that stands at a place leads to: always further on. */
static bool follow(const struct walk *walk, size_t at, size_t *ret_to) {
    size_t offset;
    if (!read_u32(walk, at, &offset) || offset == 0 || !is_inside(walk, at, offset)) return false;
    *ret_to = at + offset;
    return true;
}

/* Where a table has one of its fields; 0: nowhere. */
static bool find(struct walk *walk, size_t table, unsigned field, size_t *ret_at) {
    size_t back, size, offset = 0;
    if (!read_u32(walk, table, &back)) return false;
    /* Signed, and backwards from the table when positive. */
    int64_t vtable = (int64_t)table - (int32_t)(uint32_t)back;
    if (vtable < 0 || !read_u16(walk, (size_t)vtable, &size)) return false;
    size_t entry = 4 + 2 * (size_t)field;
    if (entry + 2 <= size && !read_u16(walk, (size_t)vtable + entry, &offset)) return false;
    *ret_at = offset == 0 ? 0 : table + offset;
    return true;
}

/* A vector or text in a field, of which `size` bytes each are paid; *ret_first: its first. */
static bool take_vector(struct walk *walk, size_t table, unsigned field, size_t size,
                        size_t *ret_first, size_t *ret_n) {
    size_t at, vector;
    *ret_n = 0;
    if (!find(walk, table, field, &at)) return false;
    if (at == 0) return true;
    if (!follow(walk, at, &vector) || !read_u32(walk, vector, ret_n)) return false;
    if (*ret_n > walk->length / size || !is_inside(walk, vector + 4, *ret_n * size)) return false;
    *ret_first = vector + 4;
    return spend(walk, 4 + *ret_n * size);
}

static bool take_metadata(struct walk *walk, size_t table, unsigned field) {
    size_t first = 0, n, pair, text, n_text;
    if (!take_vector(walk, table, field, 4, &first, &n)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!follow(walk, first + 4 * i, &pair)) return false;
        for (unsigned k = 0; k < 2; k++) {
            if (!take_vector(walk, pair, k, 1, &text, &n_text)) return false;
        }
    }
    return true;
}

/* Types whose own tables have something of any length. */
static bool take_type(struct walk *walk, size_t field) {
    size_t type_at, at, type, first, n;
    if (!find(walk, field, FIELD_TYPE_TYPE, &type_at) || !find(walk, field, FIELD_TYPE, &at))
        return false;
    if (type_at == 0 || at == 0) return true;
    if (!is_inside(walk, type_at, 1) || !follow(walk, at, &type)) return false;
    if (walk->data[type_at] == TYPE_TIMESTAMP)
        return take_vector(walk, type, TIMESTAMP_ZONE, 1, &first, &n);
    if (walk->data[type_at] == TYPE_UNION) return take_vector(walk, type, UNION_IDS, 4, &first, &n);
    return true;
}

static bool take_fields(struct walk *walk, size_t table, unsigned number, int depth);

static bool take_field(struct walk *walk, size_t field, int depth) {
    size_t first, n;
    return spend(walk, 8) && take_vector(walk, field, FIELD_NAME, 1, &first, &n) &&
           take_type(walk, field) && take_metadata(walk, field, FIELD_METADATA) &&
           take_fields(walk, field, FIELD_CHILDREN, depth + 1);
}

static bool take_fields(struct walk *walk, size_t table, unsigned number, int depth) {
    size_t first = 0, n, field;
    if (depth > DEEPEST || !take_vector(walk, table, number, 4, &first, &n)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!follow(walk, first + 4 * i, &field) || !take_field(walk, field, depth)) return false;
    }
    return true;
}

bool wr_ipc_is_affordable(const void *message, size_t length) {
    struct walk walk = {message, length, TIMES * length + SLACK};
    size_t root, type, at, schema;
    if (!follow(&walk, 0, &root) || !find(&walk, root, MESSAGE_HEADER_TYPE, &type)) return false;
    if (type == 0 || !is_inside(&walk, type, 1)) return false;
    if (walk.data[type] != HEADER_SCHEMA) return true; /* others hold vectors of numbers alone */
    if (!find(&walk, root, MESSAGE_HEADER, &at)) return false;
    if (at == 0 || !follow(&walk, at, &schema)) return false;
    return take_metadata(&walk, schema, SCHEMA_METADATA) &&
           take_fields(&walk, schema, SCHEMA_FIELDS, 0);
}
