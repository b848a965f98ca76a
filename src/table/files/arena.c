/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/files.h"

#include <stdalign.h>
#include <string.h>

#include "base/alloc.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct wr_arena_block {
    struct wr_arena_block *previous;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char data[];
};

static char *take_bytes(struct wr_arena *arena, size_t length, size_t alignment) {
    struct wr_arena_block *block = arena->last;
    size_t start = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;
    if (!block || start > block->capacity || block->capacity - start < length) {
        size_t capacity = length > BLOCK_BYTES ? length : BLOCK_BYTES;
        if (capacity > SIZE_MAX - sizeof *block) return NULL;
        block = wr_malloc(sizeof *block + capacity);
        if (!block) return NULL;
        *block = (struct wr_arena_block){.previous = arena->last, .capacity = capacity};
        arena->last = block;
        start = 0;
    }
    block->used = start + length;
    return block->data + start;
}

void *wr_arena_take(struct wr_arena *arena, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / 2 / size) return NULL;
    void *memory = take_bytes(arena, count * size, alignof(max_align_t));
    if (memory) memset(memory, 0, count * size);
    return memory;
}

char *wr_arena_copy(struct wr_arena *arena, const char *text, size_t length) {
    char *copy = take_bytes(arena, length + 1, 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void wr_arena_reset(struct wr_arena *arena) {
    while (arena->last) {
        struct wr_arena_block *block = arena->last;
        arena->last = block->previous;
        wr_free(block);
    }
}
