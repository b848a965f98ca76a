/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation, the only way that the C half takes memory. Each function answers NULL when there is
 * none, and a test can make the n-th call fail. A size of zero gives memory that may be freed,
 * never NULL.
 */
#ifndef WR_ALLOC_H
#define WR_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *wr_malloc(size_t size);
void *wr_calloc(size_t count, size_t size);
void *wr_realloc(void *memory, size_t size);
void *wr_reallocarray(void *memory, size_t count, size_t size);
char *wr_strdup(const char *text); /* NULL gives NULL, and counts as no allocation */
char *wr_strndup(const char *text, size_t length);
void wr_free(void *memory);

/*
 * For tests: the n-th allocation from now on fails (1: the next), and only that one; 0 turns it
 * off. Returns how many were made since the last call.
 */
int64_t wr_alloc_fail_at(int64_t n);

#endif
