/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_assemble.h"

#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 16 * 1024 };

bool wr_allowance_take(struct wr_allowance *allowance, int64_t n_bytes) {
    if (atomic_fetch_add(&allowance->held, n_bytes) + n_bytes <= allowance->most &&
        (!allowance->whole || wr_allowance_take(allowance->whole, n_bytes)))
        return true;
    atomic_fetch_sub(&allowance->held, n_bytes);
    return false;
}

void wr_allowance_give(struct wr_allowance *allowance, int64_t n_bytes) {
    for (; allowance; allowance = allowance->whole)
        atomic_fetch_sub(&allowance->held, n_bytes);
}

static int64_t weight(size_t capacity) {
    return (int64_t)(sizeof(struct wr_incoming) + capacity);
}

void wr_incoming_free(struct wr_incoming *incoming, struct wr_allowance *allowance) {
    if (!incoming) return;
    wr_allowance_give(allowance, weight(incoming->capacity));
    wr_free(incoming->data);
    wr_free(incoming);
}

void wr_assembler_init(struct wr_assembler *assembler, int64_t max_message,
                       struct wr_allowance *allowance) {
    *assembler = (struct wr_assembler){.allowance = allowance, .max_message = max_message};
}

void wr_assembler_reset(struct wr_assembler *assembler) {
    wr_incoming_free(assembler->message, assembler->allowance);
    wr_assembler_init(assembler, assembler->max_message, assembler->allowance);
}

bool wr_assembler_is_inside(const struct wr_assembler *assembler) {
    return assembler->n_prefix > 0;
}

static enum wr_assembled begin(struct wr_assembler *assembler) {
    const unsigned char *prefix = assembler->prefix;
    if (prefix[0] == 1) return WR_ASSEMBLED_COMPRESSED;
    if (prefix[0] != 0) return WR_ASSEMBLED_BAD_FLAGS;
    assembler->expected = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 |
                          (size_t)prefix[3] << 8 | (size_t)prefix[4];
    if ((int64_t)assembler->expected > assembler->max_message) return WR_ASSEMBLED_TOO_LARGE;
    size_t capacity = assembler->expected < FIRST_CAPACITY ? assembler->expected : FIRST_CAPACITY;
    if (!wr_allowance_take(assembler->allowance, weight(capacity))) return WR_ASSEMBLED_NO_ROOM;
    struct wr_incoming *message = wr_calloc(1, sizeof *message);
    if (message) message->data = wr_malloc(capacity);
    if (!message || !message->data) {
        wr_allowance_give(assembler->allowance, weight(capacity));
        wr_free(message);
        return WR_ASSEMBLED_NO_MEMORY;
    }
    message->capacity = capacity;
    assembler->message = message;
    return WR_ASSEMBLED_NONE;
}

/* Room for more bytes: at most twice what has arrived. */
static enum wr_assembled grow(struct wr_assembler *assembler, size_t n_bytes) {
    struct wr_incoming *message = assembler->message;
    size_t needed = message->length + n_bytes;
    if (needed <= message->capacity) return WR_ASSEMBLED_NONE;
    size_t capacity = needed > assembler->expected / 2 ? assembler->expected : needed * 2;
    int64_t more = (int64_t)(capacity - message->capacity);
    if (!wr_allowance_take(assembler->allowance, more)) return WR_ASSEMBLED_NO_ROOM;
    char *data = wr_realloc(message->data, capacity);
    if (!data) {
        wr_allowance_give(assembler->allowance, more);
        return WR_ASSEMBLED_NO_MEMORY;
    }
    message->data = data;
    message->capacity = capacity;
    return WR_ASSEMBLED_NONE;
}

static size_t take_prefix(struct wr_assembler *assembler, const unsigned char *data,
                          size_t length) {
    size_t n = sizeof assembler->prefix - assembler->n_prefix;
    if (n > length) n = length;
    if (n > 0) memcpy(assembler->prefix + assembler->n_prefix, data, n);
    assembler->n_prefix += n;
    return n;
}

enum wr_assembled wr_assemble(struct wr_assembler *assembler, const unsigned char **data,
                              size_t *length, struct wr_incoming **ret_message) {
    if (!assembler->message) {
        size_t n = take_prefix(assembler, *data, *length);
        *data += n;
        *length -= n;
        if (assembler->n_prefix < sizeof assembler->prefix) return WR_ASSEMBLED_NONE;
        enum wr_assembled code = begin(assembler);
        if (code) return code;
    }
    struct wr_incoming *message = assembler->message;
    size_t n = assembler->expected - message->length;
    if (n > *length) n = *length;
    enum wr_assembled code = grow(assembler, n);
    if (code) return code;
    if (n > 0) memcpy(message->data + message->length, *data, n);
    message->length += n;
    *data += n;
    *length -= n;
    if (message->length < assembler->expected) return WR_ASSEMBLED_NONE;
    assembler->message = NULL;
    assembler->n_prefix = 0;
    *ret_message = message;
    return WR_ASSEMBLED_MESSAGE;
}
