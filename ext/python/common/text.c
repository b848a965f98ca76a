/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and bytes in another layout: polars gives utf8_view where a schema says "string". */
#include <stdlib.h>
#include <string.h>

#include "common/common.h"

enum layout { NONE, SMALL, LARGE, VIEW };

static enum layout layout_of(const struct ArrowSchema *type, char *ret_letter) {
    const char *format = type->format;
    enum layout layout = NONE;
    if (type->dictionary) return NONE;
    if (strcmp(format, "u") == 0 || strcmp(format, "z") == 0) layout = SMALL;
    if (strcmp(format, "U") == 0 || strcmp(format, "Z") == 0) layout = LARGE;
    if (strcmp(format, "vu") == 0 || strcmp(format, "vz") == 0) layout = VIEW;
    if (layout) *ret_letter = format[layout == VIEW] | 0x20;
    return layout;
}

bool wp_is_same_text(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    char a_letter, b_letter;
    return layout_of(a, &a_letter) && layout_of(b, &b_letter) && a_letter == b_letter;
}

/* ---- Reading a value ---- */

static bool is_valid(const struct ArrowArray *column, int64_t at) {
    const uint8_t *valid = column->buffers[0];
    return column->null_count == 0 || !valid || ((valid[at >> 3] >> (at & 7)) & 1);
}

static const uint8_t *value_at(enum layout layout, const struct ArrowArray *column, int64_t at,
                               int64_t *ret_length) {
    const uint8_t *data = layout == VIEW ? NULL : column->buffers[2];
    if (layout == SMALL) {
        const int32_t *offsets = column->buffers[1];
        *ret_length = offsets[at + 1] - offsets[at];
        return data + offsets[at];
    }
    if (layout == LARGE) {
        const int64_t *offsets = column->buffers[1];
        *ret_length = offsets[at + 1] - offsets[at];
        return data + offsets[at];
    }
    const uint8_t *view = (const uint8_t *)column->buffers[1] + at * 16;
    int32_t words[4];
    memcpy(words, view, sizeof words);
    *ret_length = words[0];
    return words[0] <= 12 ? view + 4 : (const uint8_t *)column->buffers[2 + words[2]] + words[3];
}

/* ---- Writing them, one after another ---- */

/* A column in one piece: what its buffers point to comes behind this. */
struct copy {
    const void *buffers[4];
    int64_t data_size; /* the last buffer of views */
};

static void release_copy(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

static size_t aligned(size_t size) {
    return (size + 63) & ~(size_t)63;
}

static void put_view(uint8_t *view, const uint8_t *value, int64_t length, int64_t at) {
    int32_t words[4] = {(int32_t)length, 0, 0, (int32_t)at};
    if (length > 12) memcpy(&words[1], value, 4);
    memcpy(view, words, sizeof words);
    if (length <= 12) {
        memset(view + 4, 0, 12);
        memcpy(view + 4, value, (size_t)length);
    }
}

static void put_offset(enum layout layout, uint8_t *places, int64_t index, int64_t offset) {
    size_t width = layout == SMALL ? 4 : 8;
    memcpy(places + (size_t)index * width, &offset, width);
}

/* Where the parts of a copy are: validity, offsets or views, data. */
struct parts {
    size_t valid, places, data, size;
};

static struct parts measure(enum layout layout, int64_t length, int64_t n_bytes) {
    size_t width = layout == SMALL ? 4 : layout == LARGE ? 8 : 16;
    struct parts parts = {.valid = aligned(sizeof(struct copy))};
    parts.places = parts.valid + aligned((size_t)length / 8 + 1);
    parts.data = parts.places + aligned(((size_t)length + 1) * width);
    parts.size = parts.data + aligned((size_t)n_bytes + 1);
    return parts;
}

static void fill(enum layout from, enum layout to, const struct ArrowArray *column, int64_t first,
                 int64_t length, uint8_t *base, const struct parts *parts) {
    int64_t at = 0, n_bytes;
    if (to != VIEW) put_offset(to, base + parts->places, 0, 0);
    for (int64_t i = 0; i < length; i++) {
        bool valid = is_valid(column, first + i);
        const uint8_t *value = (const uint8_t *)"";
        n_bytes = 0;
        if (valid) {
            base[parts->valid + (size_t)(i >> 3)] |= (uint8_t)(1u << (i & 7));
            value = value_at(from, column, first + i, &n_bytes);
        }
        bool is_apart = n_bytes > (to == VIEW ? 12 : 0);
        if (to == VIEW) put_view(base + parts->places + i * 16, value, n_bytes, at);
        if (is_apart) memcpy(base + parts->data + at, value, (size_t)n_bytes);
        if (is_apart) at += n_bytes;
        if (to != VIEW) put_offset(to, base + parts->places, i + 1, at);
    }
}

int wp_text_convert(const struct ArrowSchema *asked, const struct ArrowSchema *given,
                    const struct ArrowArray *column, int64_t offset, int64_t length,
                    struct ArrowArray *ret_column, struct weir_error *error) {
    char letter;
    enum layout from = layout_of(given, &letter), to = layout_of(asked, &letter);
    int64_t first = column->offset + offset, total = 0, n_bytes;
    for (int64_t i = 0; i < length; i++) {
        if (!is_valid(column, first + i)) continue;
        value_at(from, column, first + i, &n_bytes);
        total += n_bytes;
    }
    if (to != LARGE && total > INT32_MAX)
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "column \"%s\": more than 2 GiB of text in one batch", asked->name);
    struct parts parts = measure(to, length, total);
    uint8_t *base = aligned_alloc(64, parts.size);
    if (!base) return wp_error_memory(error);
    memset(base, 0, parts.places);
    fill(from, to, column, first, length, base, &parts);
    struct copy *copy = (struct copy *)base;
    copy->buffers[0] = base + parts.valid;
    copy->buffers[1] = base + parts.places;
    copy->buffers[2] = base + parts.data;
    copy->buffers[3] = &copy->data_size;
    copy->data_size = total;
    *ret_column = (struct ArrowArray){.length = length,
                                      .null_count = column->null_count == 0 ? 0 : -1,
                                      .n_buffers = to == VIEW ? 4 : 3,
                                      .buffers = copy->buffers,
                                      .release = release_copy,
                                      .private_data = base};
    return WEIR_OK;
}
