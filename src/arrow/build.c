/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/build.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum kind { BITS, FIXED, BYTES, LIST, STRUCT, UNION };

struct bytes {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

/* Once finished it is the private data of its array, which points into it. */
struct wr_build {
    enum kind kind;
    size_t width; /* of FIXED */
    bool failed;  /* it or one of its children */
    int64_t length;
    int64_t null_count;
    struct bytes validity;
    struct bytes first;  /* offsets; a union's type ids; the values of FIXED and BITS */
    struct bytes second; /* the bytes of BYTES; a union's offsets */
    const void *buffers[3];
    int64_t n_children;
    struct wr_build **children;
    struct ArrowArray *slots;     /* of the children's arrays */
    struct ArrowArray **pointers; /* to the slots */
};

/* ---- Life ---- */

static void free_own(struct wr_build *build) {
    wr_free(build->validity.data);
    wr_free(build->first.data);
    wr_free(build->second.data);
    wr_free(build->children);
    wr_free(build->slots);
    wr_free(build->pointers);
    wr_free(build);
}

void wr_build_free(struct wr_build *build) {
    if (!build) return;
    for (int64_t i = 0; i < build->n_children; i++)
        wr_build_free(build->children[i]);
    free_own(build);
}

static bool set_kind(struct wr_build *build, const char *format) {
    static const struct {
        const char *format;
        enum kind kind;
        size_t width;
    } kinds[] = {
        {"b", BITS, 0},  {"c", FIXED, 1}, {"C", FIXED, 1}, {"s", FIXED, 2}, {"S", FIXED, 2},
        {"i", FIXED, 4}, {"I", FIXED, 4}, {"l", FIXED, 8}, {"L", FIXED, 8}, {"g", FIXED, 8},
        {"u", BYTES, 0}, {"z", BYTES, 0}, {"+l", LIST, 0}, {"+m", LIST, 0}, {"+s", STRUCT, 0},
    };
    if (strncmp(format, "+ud:", 4) == 0) {
        build->kind = UNION;
        return true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].format, format) != 0) continue;
        build->kind = kinds[i].kind;
        build->width = kinds[i].width;
        return true;
    }
    return false;
}

static bool make_children(struct wr_build *build, const struct ArrowSchema *schema) {
    size_t n = (size_t)schema->n_children;
    if (n == 0) return true;
    build->children = wr_calloc(n, sizeof *build->children);
    build->slots = wr_calloc(n, sizeof *build->slots);
    build->pointers = wr_calloc(n, sizeof *build->pointers);
    if (!build->children || !build->slots || !build->pointers) return false;
    for (size_t i = 0; i < n; i++) {
        build->children[i] = wr_build_new(schema->children[i]);
        if (!build->children[i]) return false;
        build->n_children++;
    }
    return true;
}

static void add_offset(struct wr_build *build);

struct wr_build *wr_build_new(const struct ArrowSchema *schema) {
    struct wr_build *build = wr_calloc(1, sizeof *build);
    if (!build) return NULL;
    if (!set_kind(build, schema->format) || !make_children(build, schema)) {
        wr_build_free(build);
        return NULL;
    }
    add_offset(build);
    return build;
}

struct wr_build *wr_build_child(struct wr_build *build, int64_t i) {
    return build ? build->children[i] : NULL;
}

/* ---- Bytes ---- */

static void add_bytes(struct wr_build *build, struct bytes *bytes, const void *data,
                      size_t length) {
    if (build->failed || length == 0) return;
    if (length > bytes->capacity - bytes->length) {
        size_t capacity = bytes->capacity * 2 + length + 56;
        uint8_t *grown = wr_realloc(bytes->data, capacity);
        if (!grown) {
            build->failed = true;
            return;
        }
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

/* The bit of the element that comes now. */
static void add_bit(struct wr_build *build, struct bytes *bits, bool bit) {
    static const uint8_t zero = 0;
    if (build->length % 8 == 0) add_bytes(build, bits, &zero, 1);
    if (bit && !build->failed) bits->data[build->length / 8] |= (uint8_t)(1 << build->length % 8);
}

/* Where the element that comes now begins; the first one is there from the beginning. */
static void add_offset(struct wr_build *build) {
    if (build->kind != BYTES && build->kind != LIST) return;
    size_t at = build->kind == LIST ? (size_t)build->children[0]->length : build->second.length;
    if (at > INT32_MAX) {
        build->failed = true;
        return;
    }
    int32_t offset = (int32_t)at;
    add_bytes(build, &build->first, &offset, sizeof offset);
}

static void count(struct wr_build *build, bool valid) {
    if (build->kind != UNION) add_bit(build, &build->validity, valid);
    build->length++;
    if (!valid) build->null_count++;
}

/* ---- Values ---- */

static void null_children(struct wr_build *build) {
    for (int64_t i = 0; i < build->n_children; i++)
        wr_build_null(build->children[i]);
}

void wr_build_null(struct wr_build *build) {
    static const uint8_t zeros[8];
    if (!build) return;
    if (build->kind == FIXED) add_bytes(build, &build->first, zeros, build->width);
    if (build->kind == BITS) add_bit(build, &build->first, false);
    if (build->kind == STRUCT) null_children(build);
    if (build->kind == UNION) build->failed = true;
    add_offset(build);
    count(build, false);
}

void wr_build_int(struct wr_build *build, int64_t value) {
    if (!build) return;
    if (build->kind == BITS) add_bit(build, &build->first, value != 0);
    /* The low bytes come first on every machine that weir is built for. */
    if (build->kind == FIXED) add_bytes(build, &build->first, &value, build->width);
    count(build, true);
}

void wr_build_double(struct wr_build *build, double value) {
    if (!build) return;
    add_bytes(build, &build->first, &value, sizeof value);
    count(build, true);
}

void wr_build_bytes(struct wr_build *build, const void *data, size_t length) {
    if (!build) return;
    add_bytes(build, &build->second, data, length);
    add_offset(build);
    count(build, true);
}

void wr_build_text(struct wr_build *build, const char *text) {
    if (text)
        wr_build_bytes(build, text, strlen(text));
    else
        wr_build_null(build);
}

void wr_build_end(struct wr_build *build) {
    if (!build) return;
    add_offset(build);
    count(build, true);
}

void wr_build_end_union(struct wr_build *build, int8_t part) {
    if (!build) return;
    int32_t offset = (int32_t)(build->children[part]->length - 1);
    add_bytes(build, &build->first, &part, sizeof part);
    add_bytes(build, &build->second, &offset, sizeof offset);
    count(build, true);
}

/* ---- Finish ---- */

static bool has_failed(const struct wr_build *build) {
    bool failed = build->failed;
    for (int64_t i = 0; i < build->n_children; i++)
        failed = failed || has_failed(build->children[i]);
    return failed;
}

static void release(struct ArrowArray *array) {
    struct wr_build *build = array->private_data;
    array->release = NULL;
    for (int64_t i = 0; i < build->n_children; i++) {
        if (build->slots[i].release) build->slots[i].release(&build->slots[i]);
    }
    free_own(build);
}

static int64_t set_buffers(struct wr_build *build) {
    if (build->kind == UNION) {
        build->buffers[0] = build->first.data;
        build->buffers[1] = build->second.data;
        return 2;
    }
    build->buffers[0] = build->null_count > 0 ? build->validity.data : NULL;
    build->buffers[1] = build->first.data;
    build->buffers[2] = build->second.data;
    return build->kind == STRUCT ? 1 : build->kind == BYTES ? 3 : 2;
}

static void export_array(struct wr_build *build, struct ArrowArray *ret_array) {
    for (int64_t i = 0; i < build->n_children; i++) {
        export_array(build->children[i], &build->slots[i]);
        build->pointers[i] = &build->slots[i];
    }
    *ret_array = (struct ArrowArray){
        .length = build->length,
        .null_count = build->null_count,
        .n_buffers = set_buffers(build),
        .buffers = build->buffers,
        .n_children = build->n_children,
        .children = build->pointers,
        .release = release,
        .private_data = build,
    };
}

int wr_build_finish(struct wr_build *build, struct ArrowArray *ret_array,
                    struct weir_error *error) {
    if (!build || has_failed(build)) {
        wr_build_free(build);
        return wr_error_memory(error);
    }
    export_array(build, ret_array);
    return WEIR_OK;
}
