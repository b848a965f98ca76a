/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays with all their buffers in one piece of memory, at multiples of 64 bytes. What is copied is
 * exactly the slice, so that offsets of arrays are 0. The nodes go beside it: length, number of
 * NULLs, and of each buffer its place and size.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/flat_layout.h"
#include "common/wire.h"

/* ---- Writing ---- */

/* Two passes go the same way: the first one (base NULL) only counts. */
struct writer {
    struct wp_out *out;
    uint8_t *base;
    uint64_t size;
};

static uint8_t *add_buffer(struct writer *writer, uint64_t size) {
    uint64_t at = (writer->size + 63) & ~UINT64_C(63);
    writer->size = at + size;
    if (!writer->base) return NULL;
    wp_put_number(writer->out, (int64_t)at);
    wp_put_number(writer->out, (int64_t)size);
    return writer->base + at;
}

static void no_buffer(struct writer *writer) {
    if (!writer->base) return;
    wp_put_number(writer->out, -1);
    wp_put_number(writer->out, 0);
}

static void copy_bits(uint8_t *to, const uint8_t *from, int64_t first, int64_t length) {
    if ((first & 7) == 0) {
        memcpy(to, from + first / 8, (size_t)(length + 7) / 8);
        return;
    }
    memset(to, 0, (size_t)(length + 7) / 8);
    for (int64_t i = 0; i < length; i++) {
        int64_t at = first + i;
        to[i >> 3] |= (uint8_t)(((from[at >> 3] >> (at & 7)) & 1) << (i & 7));
    }
}

static void add_bits(struct writer *writer, const uint8_t *from, int64_t first, int64_t length) {
    uint8_t *to = add_buffer(writer, (uint64_t)(length + 7) / 8);
    if (to) copy_bits(to, from, first, length);
}

static void add_data(struct writer *writer, const void *from, uint64_t first, uint64_t size) {
    uint8_t *to = add_buffer(writer, size);
    if (to && size) memcpy(to, (const uint8_t *)from + first, size);
}

static int64_t offset_at(const struct wp_layout *layout, const void *offsets, int64_t at) {
    return layout->width == 8 ? ((const int64_t *)offsets)[at] : ((const int32_t *)offsets)[at];
}

/* Offsets that begin at 0. */
static void add_offsets(struct writer *writer, const struct wp_layout *layout, const void *from,
                        int64_t first, int64_t length) {
    uint8_t *to = add_buffer(writer, (uint64_t)(length + 1) * (uint64_t)layout->width);
    if (!to) return;
    int64_t base = offset_at(layout, from, first);
    for (int64_t i = 0; i <= length; i++) {
        int64_t offset = offset_at(layout, from, first + i) - base;
        memcpy(to + i * layout->width, &offset, (size_t)layout->width);
    }
}

static int add_array(struct writer *writer, const struct ArrowSchema *type,
                     const struct ArrowArray *array, int64_t first, int64_t length);

static int add_views(struct writer *writer, const struct ArrowArray *array, int64_t first,
                     int64_t length) {
    int64_t n_data = array->n_buffers - 3;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    add_data(writer, array->buffers[1], (uint64_t)first * 16, (uint64_t)length * 16);
    if (writer->base) wp_put_number(writer->out, n_data);
    for (int64_t i = 0; i < n_data; i++)
        add_data(writer, array->buffers[2 + i], 0, (uint64_t)sizes[i]);
    return 0;
}

static int add_children(struct writer *writer, const struct wp_layout *layout,
                        const struct ArrowSchema *type, const struct ArrowArray *array,
                        int64_t first, int64_t length) {
    int64_t from = first, count = length;
    if (layout->sort == WP_LAYOUT_LIST) {
        static const int64_t zeros[2];
        const void *offsets = array->buffers[1] ? array->buffers[1] : zeros;
        if (!array->buffers[1] && length) return EBADMSG;
        from = offset_at(layout, offsets, first);
        count = offset_at(layout, offsets, first + length) - from;
        add_offsets(writer, layout, offsets, first, length);
    } else if (layout->sort == WP_LAYOUT_FIXED_LIST) {
        from = first * layout->width;
        count = length * layout->width;
    }
    for (int64_t i = 0; i < type->n_children; i++) {
        const struct ArrowArray *child = array->children[i];
        int number = add_array(writer, type->children[i], child, child->offset + from, count);
        if (number) return number;
    }
    return 0;
}

static int add_values(struct writer *writer, const struct wp_layout *layout,
                      const struct ArrowArray *array, int64_t first, int64_t length) {
    static const int64_t zeros[2];
    const void *offsets = array->n_buffers > 1 && array->buffers[1] ? array->buffers[1] : zeros;
    switch (layout->sort) {
    case WP_LAYOUT_NULL:
        return 0;
    case WP_LAYOUT_BITS:
        add_bits(writer, array->buffers[1], first, length);
        return 0;
    case WP_LAYOUT_FIXED:
        add_data(writer, array->buffers[1], (uint64_t)first * (uint64_t)layout->width,
                 (uint64_t)length * (uint64_t)layout->width);
        return 0;
    case WP_LAYOUT_VARIABLE: {
        int64_t from = length ? offset_at(layout, offsets, first) : 0;
        int64_t to = length ? offset_at(layout, offsets, first + length) : 0;
        add_offsets(writer, layout, length ? offsets : zeros, length ? first : 0, length);
        add_data(writer, array->buffers[2], (uint64_t)from, (uint64_t)(to - from));
        return 0;
    }
    default:
        return add_views(writer, array, first, length);
    }
}

/* The values from `first` on, counted from the buffers' beginning. */
static int add_array(struct writer *writer, const struct ArrowSchema *type,
                     const struct ArrowArray *array, int64_t first, int64_t length) {
    struct wp_layout layout;
    if (!wp_layout_of(type, &layout)) return ENOTSUP;
    const uint8_t *valid = layout.sort != WP_LAYOUT_NULL ? array->buffers[0] : NULL;
    if (writer->base) {
        wp_put_number(writer->out, length);
        wp_put_number(writer->out, array->null_count == 0 || !valid ? 0 : -1);
    }
    if (layout.sort != WP_LAYOUT_NULL) {
        if (valid && array->null_count != 0)
            add_bits(writer, valid, first, length);
        else
            no_buffer(writer);
    }
    if (layout.has_children) return add_children(writer, &layout, type, array, first, length);
    int number = add_values(writer, &layout, array, first, length);
    if (number || !type->dictionary) return number;
    const struct ArrowArray *dictionary = array->dictionary;
    return add_array(writer, type->dictionary, dictionary, dictionary->offset, dictionary->length);
}

static int measure(const struct ArrowSchema *type, const struct ArrowArray *array,
                   uint64_t *ret_size) {
    struct writer writer = {0};
    int number = add_array(&writer, type, array, array->offset, array->length);
    *ret_size = writer.size;
    return number;
}

static int fill(const struct ArrowSchema *type, const struct ArrowArray *array, struct wp_out *out,
                uint8_t *base) {
    struct writer writer = {.out = out, .base = base};
    return add_array(&writer, type, array, array->offset, array->length);
}

uint64_t wp_flat_size(const struct ArrowSchema *type, const struct ArrowArray *array) {
    uint64_t size;
    return measure(type, array, &size) ? 0 : size;
}

int wp_flat_put(const struct ArrowSchema *type, const struct ArrowArray *array,
                struct wp_out *out) {
    uint64_t size;
    struct wp_out nodes = {0};
    int number = measure(type, array, &size);
    uint8_t *base = number ? NULL : calloc(1, size + 1);
    if (!number) number = base ? fill(type, array, &nodes, base) : ENOMEM;
    if (!number) {
        out->failed |= nodes.failed;
        wp_put_bytes(out, nodes.data, nodes.length);
        wp_put_bytes(out, base, size);
    }
    wp_out_reset(&nodes);
    free(base);
    return number;
}

/* Memory behind a descriptor that nobody will ever write to again, or cut. */
static int sealed_memory(uint64_t size, uint8_t **ret_base, int *ret_fd) {
    int fd = memfd_create("weir-batch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return errno;
    void *base = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0)
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED) {
        int number = errno;
        close(fd);
        return number;
    }
    *ret_base = base;
    *ret_fd = fd;
    return 0;
}

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

int wp_flat_send(const struct ArrowSchema *type, const struct ArrowArray *array, struct wp_out *out,
                 int *ret_fd) {
    static uint8_t nothing[64];
    uint64_t size;
    uint8_t *base = nothing;
    int fd = -1, number = measure(type, array, &size);
    if (!number && size > 0) number = sealed_memory(size, &base, &fd);
    if (number) return number;
    number = fill(type, array, out, base);
    if (size > 0) munmap(base, size);
    if (!number && size > 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL)) number = errno;
    if (number) {
        if (fd >= 0) close(fd);
        return number;
    }
    *ret_fd = fd;
    return 0;
}

/* ---- Reading ---- */

/* The memory that arrays point into, as long as one of them lives. */
struct memory {
    _Atomic int64_t holders;
    uint8_t *base;
    uint64_t size;
    bool is_mapped;
};

static void memory_leave(struct memory *memory) {
    if (atomic_fetch_sub(&memory->holders, 1) > 1) return;
    if (memory->is_mapped)
        munmap(memory->base, memory->size);
    else
        free(memory->base);
    free(memory);
}

struct node {
    struct memory *memory;
    const void **buffers;
    int64_t *sizes; /* of a view's data, its last buffer */
};

static void node_release(struct ArrowArray *array) {
    struct node *node = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (!array->children[i]) continue;
        wp_release_array(array->children[i]);
        free(array->children[i]);
    }
    if (array->dictionary) {
        wp_release_array(array->dictionary);
        free(array->dictionary);
    }
    memory_leave(node->memory);
    free(array->children);
    free(node->buffers);
    free(node->sizes);
    free(node);
    array->release = NULL;
}

static int node_new(struct memory *memory, int64_t n_buffers, struct ArrowArray *ret_array) {
    struct node *node = calloc(1, sizeof *node);
    if (node) node->buffers = calloc((size_t)n_buffers + 1, sizeof *node->buffers);
    if (!node || !node->buffers) {
        free(node);
        return ENOMEM;
    }
    node->memory = memory;
    atomic_fetch_add(&memory->holders, 1);
    *ret_array = (struct ArrowArray){.n_buffers = n_buffers,
                                     .buffers = node->buffers,
                                     .release = node_release,
                                     .private_data = node};
    return 0;
}

/* The next buffer, of at least `least` bytes; NULL when there is none. */
static int get_buffer(struct wp_in *in, struct memory *memory, uint64_t least, bool may_miss,
                      const void **ret_buffer, uint64_t *ret_size) {
    int64_t at = wp_get_number(in);
    uint64_t size = (uint64_t)wp_get_number(in);
    if (in->failed) return EBADMSG;
    if (at == -1 && may_miss) return 0;
    if (at < 0 || at % 64 || (uint64_t)at > memory->size || size > memory->size - (uint64_t)at ||
        size < least)
        return EBADMSG;
    *ret_buffer = memory->base + at;
    if (ret_size) *ret_size = size;
    return 0;
}

static int get_array(struct wp_in *in, struct memory *memory, const struct ArrowSchema *type,
                     int depth, struct ArrowArray *ret_array);

/* Offsets that begin at 0, do not fall, and end at *ret_end. */
static int check_offsets(const struct wp_layout *layout, const void *offsets, int64_t length,
                         int64_t *ret_end) {
    int64_t last = offset_at(layout, offsets, 0);
    if (last != 0) return EBADMSG;
    for (int64_t i = 1; i <= length; i++) {
        int64_t offset = offset_at(layout, offsets, i);
        if (offset < last) return EBADMSG;
        last = offset;
    }
    *ret_end = last;
    return 0;
}

static int get_views(struct wp_in *in, struct memory *memory, struct ArrowArray *array) {
    struct node *node = array->private_data;
    const uint8_t *views = NULL;
    int number =
        get_buffer(in, memory, (uint64_t)array->length * 16, false, (const void **)&views, NULL);
    int64_t n_data = wp_get_number(in);
    if (number || in->failed || n_data < 0 || (uint64_t)n_data > in->length) return EBADMSG;
    const void **buffers = calloc((size_t)n_data + 3, sizeof *buffers);
    int64_t *sizes = calloc((size_t)n_data + 1, sizeof *sizes);
    if (!buffers || !sizes) {
        free(buffers);
        free(sizes);
        return ENOMEM;
    }
    buffers[0] = array->buffers[0];
    buffers[1] = views;
    free(node->buffers);
    node->buffers = array->buffers = buffers;
    node->sizes = sizes;
    array->n_buffers = n_data + 3;
    buffers[n_data + 2] = sizes;
    for (int64_t i = 0; i < n_data; i++) {
        uint64_t size = 0;
        if (get_buffer(in, memory, 0, false, &buffers[2 + i], &size)) return EBADMSG;
        sizes[i] = (int64_t)size;
    }
    for (int64_t i = 0; i < array->length; i++) {
        int32_t view[4];
        memcpy(view, views + i * 16, 16);
        if (view[0] < 0 || (view[0] > 12 && (view[2] < 0 || view[2] >= n_data || view[3] < 0 ||
                                             (int64_t)view[3] + view[0] > sizes[view[2]])))
            return EBADMSG;
    }
    return 0;
}

static int get_children(struct wp_in *in, struct memory *memory, const struct ArrowSchema *type,
                        int64_t least, int depth, struct ArrowArray *array) {
    if (type->n_children == 0) return 0;
    array->children = calloc((size_t)type->n_children, sizeof *array->children);
    if (!array->children) return ENOMEM;
    array->n_children = type->n_children;
    for (int64_t i = 0; i < type->n_children; i++) {
        struct ArrowArray *child = calloc(1, sizeof *child);
        if (!child) return ENOMEM;
        array->children[i] = child;
        int number = get_array(in, memory, type->children[i], depth + 1, child);
        if (number) return number;
        if (child->length < least) return EBADMSG;
    }
    return 0;
}

static int64_t key_at(const struct wp_layout *layout, const void *keys, int64_t at) {
    switch (layout->width) {
    case 1:
        return ((const uint8_t *)keys)[at];
    case 2:
        return ((const uint16_t *)keys)[at];
    case 4:
        return ((const uint32_t *)keys)[at];
    default:
        return ((const int64_t *)keys)[at];
    }
}

static int get_dictionary(struct wp_in *in, struct memory *memory, const struct wp_layout *layout,
                          const struct ArrowSchema *type, int depth, struct ArrowArray *array) {
    array->dictionary = calloc(1, sizeof *array->dictionary);
    if (!array->dictionary) return ENOMEM;
    int number = get_array(in, memory, type->dictionary, depth + 1, array->dictionary);
    const uint8_t *valid = array->buffers[0];
    for (int64_t i = 0; i < array->length && !number; i++) {
        if (valid && !((valid[i >> 3] >> (i & 7)) & 1)) continue;
        int64_t key = key_at(layout, array->buffers[1], i);
        if (key < 0 || key >= array->dictionary->length) number = EBADMSG;
    }
    return number;
}

static int get_values(struct wp_in *in, struct memory *memory, const struct wp_layout *layout,
                      const struct ArrowSchema *type, int depth, struct ArrowArray *array) {
    uint64_t length = (uint64_t)array->length, size = 0;
    int64_t end = 0;
    int number = 0;
    switch (layout->sort) {
    case WP_LAYOUT_NULL:
        return 0;
    case WP_LAYOUT_BITS:
        return get_buffer(in, memory, (length + 7) / 8, false, &array->buffers[1], NULL);
    case WP_LAYOUT_FIXED:
        number = get_buffer(in, memory, length * (uint64_t)layout->width, false, &array->buffers[1],
                            NULL);
        if (number || !type->dictionary) return number;
        return get_dictionary(in, memory, layout, type, depth, array);
    case WP_LAYOUT_VARIABLE:
    case WP_LAYOUT_LIST:
        number = get_buffer(in, memory, (length + 1) * (uint64_t)layout->width, false,
                            &array->buffers[1], NULL);
        if (!number) number = check_offsets(layout, array->buffers[1], array->length, &end);
        if (number) return number;
        if (layout->sort == WP_LAYOUT_LIST)
            return get_children(in, memory, type, end, depth, array);
        return get_buffer(in, memory, (uint64_t)end, false, &array->buffers[2], &size);
    case WP_LAYOUT_VIEW:
        return get_views(in, memory, array);
    case WP_LAYOUT_FIXED_LIST:
        return get_children(in, memory, type, array->length * layout->width, depth, array);
    default:
        return get_children(in, memory, type, array->length, depth, array);
    }
}

static int get_array(struct wp_in *in, struct memory *memory, const struct ArrowSchema *type,
                     int depth, struct ArrowArray *ret_array) {
    struct wp_layout layout;
    struct ArrowArray array;
    if (depth > 64 || !wp_layout_of(type, &layout)) return ENOTSUP;
    int64_t length = wp_get_number(in), n_nulls = wp_get_number(in);
    if (in->failed || length < 0 || length > INT64_C(1) << 40 || n_nulls < -1 || n_nulls > 0)
        return EBADMSG;
    int number = node_new(memory, layout.n_buffers, &array);
    if (number) return number;
    array.length = length;
    array.null_count = layout.sort == WP_LAYOUT_NULL ? length : n_nulls;
    if (layout.sort != WP_LAYOUT_NULL)
        number = get_buffer(in, memory, (uint64_t)(length + 7) / 8, true, &array.buffers[0], NULL);
    if (!number) number = get_values(in, memory, &layout, type, depth, &array);
    if (number)
        node_release(&array);
    else
        *ret_array = array;
    return number;
}

static int get_root(struct wp_in *in, struct memory *memory, const struct ArrowSchema *type,
                    struct ArrowArray *ret_array) {
    memory->holders = 1;
    int number = get_array(in, memory, type, 0, ret_array);
    memory_leave(memory);
    return number;
}

int wp_flat_get(const struct ArrowSchema *type, struct wp_in *in, struct ArrowArray *ret_array) {
    size_t length;
    const uint8_t *nodes = wp_get_bytes(in, &length);
    if (!nodes) return EBADMSG;
    size_t size;
    const uint8_t *bytes = wp_get_bytes(in, &size);
    if (!bytes) return EBADMSG;
    struct memory *memory = calloc(1, sizeof *memory);
    if (memory) memory->base = aligned_alloc(64, ((size + 63) & ~(size_t)63) + 64);
    if (!memory || !memory->base) {
        free(memory);
        return ENOMEM;
    }
    memcpy(memory->base, bytes, size);
    memory->size = size;
    struct wp_in part = {nodes, length, 0, false};
    return get_root(&part, memory, type, ret_array);
}

/* Memory that is sealed, and as long as its end says: reading it cannot fault. */
static int map_memory(int fd, struct memory *memory) {
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) || status.st_size <= 0)
        return EBADMSG;
    void *base = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED) return errno;
    memory->base = base;
    memory->size = (uint64_t)status.st_size;
    memory->is_mapped = true;
    return 0;
}

int wp_flat_map(const struct ArrowSchema *type, struct wp_in *in, int fd,
                struct ArrowArray *ret_array) {
    struct memory *memory = calloc(1, sizeof *memory);
    int number = memory ? 0 : ENOMEM;
    if (!number && fd >= 0) number = map_memory(fd, memory);
    if (!number && fd < 0) {
        memory->base = calloc(1, 64);
        if (!memory->base) number = ENOMEM;
    }
    if (fd >= 0) close(fd);
    if (number) {
        free(memory);
        return number;
    }
    return get_root(in, memory, type, ret_array);
}
