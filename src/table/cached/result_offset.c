/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches that are a part of larger ones, as drivers give them: nanoarrow's IPC writes only such
 * that begin at their buffers' beginning. Their views are moved there; of bits a copy is made.
 */
#include "table/cached/result_offset.h"

#include <errno.h>

#include "base/alloc.h"

struct moving {
    struct wr_moved *moved;
    bool memory; /* it was missing */
};

void wr_moved_reset(struct wr_moved *moved) {
    for (size_t i = 0; i < moved->n_bits; i++)
        wr_free(moved->bits[i]);
    wr_free(moved->bits);
    *moved = (struct wr_moved){0};
}

static uint8_t *new_bits(struct moving *moving, int64_t n_bytes) {
    struct wr_moved *moved = moving->moved;
    uint8_t **bits = wr_reallocarray(moved->bits, moved->n_bits + 1, sizeof *bits);
    uint8_t *copy = bits ? wr_calloc((size_t)n_bytes, 1) : NULL;
    if (bits) moved->bits = bits;
    if (copy) bits[moved->n_bits++] = copy;
    moving->memory = moving->memory || !copy;
    return copy;
}

static bool move_bits(struct moving *moving, struct ArrowBufferView *buffer, int64_t offset,
                      int64_t length) {
    int64_t n_bytes = (length + 7) / 8;
    if (!buffer->data.data || buffer->size_bytes == 0) return true;
    uint8_t *copy = new_bits(moving, n_bytes > 0 ? n_bytes : 1);
    if (!copy) return false;
    for (int64_t i = 0; i < length; i++)
        ArrowBitSetTo(copy, i, ArrowBitGet(buffer->data.as_uint8, offset + i));
    buffer->data.as_uint8 = copy;
    buffer->size_bytes = n_bytes;
    return true;
}

static void move_values(struct ArrowBufferView *buffer, int64_t width, int64_t offset,
                        int64_t n_values) {
    if (!buffer->data.data || buffer->size_bytes == 0) return;
    buffer->data.as_uint8 += offset * width;
    buffer->size_bytes = n_values * width;
}

static bool move_buffer(struct moving *moving, struct ArrowArrayView *view, int i, int64_t offset,
                        int64_t length) {
    struct ArrowBufferView *buffer = &view->buffer_views[i];
    int64_t bits = view->layout.element_size_bits[i];
    switch (view->layout.buffer_type[i]) {
    case NANOARROW_BUFFER_TYPE_NONE:
        return true;
    case NANOARROW_BUFFER_TYPE_VALIDITY:
        return move_bits(moving, buffer, offset, length);
    case NANOARROW_BUFFER_TYPE_DATA_OFFSET:
        move_values(buffer, bits / 8, offset, length + 1);
        return true;
    case NANOARROW_BUFFER_TYPE_DATA:
        if (bits == 1) return move_bits(moving, buffer, offset, length);
        if (bits > 1) move_values(buffer, bits / 8, offset, length);
        return true; /* without a width what the offsets lead to, which stays */
    default:
        return false;
    }
}

/* The `length` values from `offset` on, counted from the view's own. */
static bool move_view(struct moving *moving, struct ArrowArrayView *view, int64_t offset,
                      int64_t length) {
    offset += view->offset;
    bool whole = offset == 0 && length == view->length;
    for (int i = 0; !whole && i < NANOARROW_MAX_FIXED_BUFFERS; i++) {
        if (!move_buffer(moving, view, i, offset, length)) return false;
    }
    view->offset = 0;
    view->length = length;
    int64_t each = 0; /* values of a child for one of this */
    if (view->storage_type == NANOARROW_TYPE_STRUCT) each = 1;
    if (view->storage_type == NANOARROW_TYPE_FIXED_SIZE_LIST)
        each = view->layout.child_size_elements;
    for (int64_t i = 0; i < view->n_children; i++) {
        struct ArrowArrayView *child = view->children[i];
        bool moved = each > 0 ? move_view(moving, child, offset * each, length * each)
                              : move_view(moving, child, 0, child->length);
        if (!moved) return false;
    }
    if (view->dictionary && !move_view(moving, view->dictionary, 0, view->dictionary->length))
        return false;
    if (!whole || view->null_count < 0) view->null_count = ArrowArrayViewComputeNullCount(view);
    return true;
}

int wr_result_move(struct ArrowArrayView *view, struct wr_moved *ret_moved) {
    struct moving moving = {.moved = ret_moved};
    if (move_view(&moving, view, 0, view->length)) return NANOARROW_OK;
    return moving.memory ? ENOMEM : ENOTSUP;
}
