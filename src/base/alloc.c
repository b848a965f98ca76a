/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static atomic_int_fast64_t allocations_made;
/* The value of allocations_made at which an allocation fails; 0: none does. */
static atomic_int_fast64_t failing_allocation;

static bool next_fails(void) {
    int_fast64_t number = atomic_fetch_add_explicit(&allocations_made, 1, memory_order_relaxed) + 1;
    return number == atomic_load_explicit(&failing_allocation, memory_order_relaxed);
}

int64_t wr_alloc_fail_at(int64_t n) {
    int64_t made = atomic_exchange(&allocations_made, 0);
    atomic_store(&failing_allocation, n > 0 ? n : 0);
    return made;
}

void *wr_malloc(size_t size) {
    return next_fails() ? NULL : malloc(size > 0 ? size : 1);
}

void *wr_calloc(size_t count, size_t size) {
    if ((size > 0 && count > SIZE_MAX / size) || next_fails()) return NULL;
    return count > 0 && size > 0 ? calloc(count, size) : calloc(1, 1);
}

void *wr_realloc(void *memory, size_t size) {
    return next_fails() ? NULL : realloc(memory, size > 0 ? size : 1);
}

void *wr_reallocarray(void *memory, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / size) return NULL;
    return wr_realloc(memory, count * size);
}

char *wr_strdup(const char *text) {
    return text ? wr_strndup(text, strlen(text)) : NULL;
}

char *wr_strndup(const char *text, size_t length) {
    const char *end = memchr(text, '\0', length);
    if (end) length = (size_t)(end - text);
    char *copy = wr_malloc(length + 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void wr_free(void *memory) {
    free(memory);
}
