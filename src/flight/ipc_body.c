/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/ipc_body.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

/* What parts between buffers point to. */
static const char zeros[8];

void *wr_ipc_scratch(struct wr_ipc_body *body, size_t length) {
    struct wr_ipc_scratch *scratch = wr_malloc(sizeof *scratch + length);
    if (!scratch) return NULL;
    scratch->next = body->scratch;
    body->scratch = scratch;
    return scratch->data;
}

static void add_part(struct wr_ipc_body *body, const void *data, size_t length) {
    if (length == 0) return;
    body->parts[body->n_parts++] = (struct wr_grpc_part){data, length};
    body->length += (int64_t)length;
}

static void end_buffer(struct wr_ipc_body *body, int64_t start) {
    body->buffers[body->n_buffers++] = (struct wr_ipc_range){start, body->length - start};
    add_part(body, zeros, (size_t)(-body->length & 7));
}

/* Before each buffer stand the eight bytes of its length without compression; -1: it has none. */
static int add_packed(struct wr_ipc_body *body, const void *data, size_t length) {
    size_t capacity = wr_ipc_pack_bound(body->codec, length);
    char *packed = wr_ipc_scratch(body, sizeof(int64_t) + capacity);
    if (!packed) return ENOMEM;
    int64_t start = body->length, whole = (int64_t)length;
    size_t n_packed = wr_ipc_pack(body->codec, data, length, packed + sizeof whole, capacity);
    bool is_smaller = n_packed > 0 && n_packed < length;
    if (!is_smaller) whole = -1;
    memcpy(packed, &whole, sizeof whole);
    add_part(body, packed, sizeof whole + (is_smaller ? n_packed : 0));
    if (!is_smaller) add_part(body, data, length);
    end_buffer(body, start);
    return 0;
}

int wr_ipc_add_buffer(struct wr_ipc_body *body, const void *data, size_t length) {
    if (body->codec != WR_IPC_PLAIN && length > 0) return add_packed(body, data, length);
    int64_t start = body->length;
    add_part(body, data, length);
    end_buffer(body, start);
    return 0;
}

int wr_ipc_add_bits(struct wr_ipc_body *body, const void *bits, int64_t offset, int64_t length) {
    const uint8_t *from = (const uint8_t *)bits + offset / 8;
    size_t n_bytes = (size_t)((length + 7) / 8);
    int shift = (int)(offset % 8);
    if (shift == 0 || length == 0) return wr_ipc_add_buffer(body, from, n_bytes);
    uint8_t *to = wr_ipc_scratch(body, n_bytes);
    if (!to) return ENOMEM;
    /* The last byte that holds one of the bits, which may be the one behind the last of `to`. */
    size_t last = (size_t)((shift + length - 1) / 8);
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned high = i + 1 <= last ? from[i + 1] : 0;
        to[i] = (uint8_t)(from[i] >> shift | high << (8 - shift));
    }
    return wr_ipc_add_buffer(body, to, n_bytes);
}

void wr_ipc_add_node(struct wr_ipc_body *body, int64_t length, int64_t null_count) {
    body->nodes[body->n_nodes++] = (struct wr_ipc_node){length, null_count};
}
