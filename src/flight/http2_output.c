/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/http2_output.h"

#include <string.h>

#include "base/alloc.h"

void wr_output_init(struct wr_output *output, void (*done)(struct wr_outgoing *owner)) {
    *output = (struct wr_output){.done = done};
}

static void drop_first(struct wr_output *output) {
    struct wr_outgoing *owner = output->slices[output->first].owner;
    output->n_slices--;
    output->first = output->n_slices ? output->first + 1 : 0;
    if (owner) output->done(owner);
}

void wr_output_reset(struct wr_output *output) {
    while (output->n_slices)
        drop_first(output);
    wr_free(output->slices);
    wr_free(output->copied);
    wr_output_init(output, output->done);
}

static struct wr_slice *reserve_slice(struct wr_output *output) {
    size_t end = output->first + output->n_slices;
    if (end < output->capacity) return &output->slices[end];
    if (output->first > output->capacity / 2) {
        memmove(output->slices, output->slices + output->first,
                output->n_slices * sizeof *output->slices);
        output->first = 0;
        return &output->slices[output->n_slices];
    }
    size_t capacity = output->capacity ? output->capacity * 2 : 32;
    struct wr_slice *slices = wr_reallocarray(output->slices, capacity, sizeof *slices);
    if (!slices) return NULL;
    output->slices = slices;
    output->capacity = capacity;
    return &slices[end];
}

static bool reserve_copied(struct wr_output *output, size_t length) {
    if (output->copied_start == output->copied_end) output->copied_start = output->copied_end = 0;
    if (output->copied_capacity - output->copied_end >= length) return true;
    size_t n = output->copied_end - output->copied_start;
    if (output->copied_start >= n && output->copied_capacity - n >= length) {
        memcpy(output->copied, output->copied + output->copied_start, n);
    } else {
        size_t capacity = output->copied_capacity ? output->copied_capacity * 2 : 4096;
        while (capacity - n < length)
            capacity *= 2;
        unsigned char *copied = wr_malloc(capacity);
        if (!copied) return false;
        if (n > 0) memcpy(copied, output->copied + output->copied_start, n);
        wr_free(output->copied);
        output->copied = copied;
        output->copied_capacity = capacity;
    }
    output->copied_start = 0;
    output->copied_end = n;
    return true;
}

bool wr_output_copy(struct wr_output *output, const void *data, size_t length) {
    if (length == 0) return true;
    struct wr_slice *slice = reserve_slice(output);
    if (!slice || !reserve_copied(output, length)) return false;
    memcpy(output->copied + output->copied_end, data, length);
    output->copied_end += length;
    output->n_bytes += length;
    if (output->n_slices && !slice[-1].data) {
        slice[-1].length += length;
        return true;
    }
    *slice = (struct wr_slice){.length = length};
    output->n_slices++;
    return true;
}

bool wr_output_refer(struct wr_output *output, const void *data, size_t length,
                     struct wr_outgoing *owner) {
    struct wr_slice *slice = reserve_slice(output);
    if (!slice) return false;
    *slice = (struct wr_slice){data, length, owner};
    output->n_slices++;
    output->n_bytes += length;
    return true;
}

size_t wr_output_pieces(const struct wr_output *output, struct iovec *ret_pieces, size_t most) {
    const unsigned char *copied = output->copied + output->copied_start;
    size_t n = output->n_slices < most ? output->n_slices : most;
    for (size_t i = 0; i < n; i++) {
        const struct wr_slice *slice = &output->slices[output->first + i];
        const unsigned char *data = slice->data;
        if (!data) {
            data = copied;
            copied += slice->length;
        }
        ret_pieces[i] = (struct iovec){(void *)data, slice->length};
    }
    return n;
}

void wr_output_advance(struct wr_output *output, size_t n_bytes) {
    output->n_bytes -= n_bytes;
    while (output->n_slices) {
        struct wr_slice *slice = &output->slices[output->first];
        size_t n = slice->length < n_bytes ? slice->length : n_bytes;
        if (!slice->data) output->copied_start += n;
        if (n < slice->length) {
            if (slice->data) slice->data += n;
            slice->length -= n;
            return;
        }
        n_bytes -= n;
        drop_first(output);
    }
}
