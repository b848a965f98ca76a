/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of headers: a client's, and those of an answer. */
#ifndef WR_GRPC_HEADERS_H
#define WR_GRPC_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct wr_header {
    char *name; /* ends in NUL, as does the value; in one allocation, which is the name's */
    char *value;
    size_t name_length, value_length;
};

struct wr_headers {
    struct wr_header *items;
    size_t n_items, capacity;
    size_t n_bytes; /* as HTTP/2 counts a list: names, values and 32 for each */
};

void wr_headers_reset(struct wr_headers *headers);
/* A copy; values of names in "-bin" are kept as they are. False: no memory. */
bool wr_headers_add(struct wr_headers *headers, const char *name, size_t name_length,
                    const char *value, size_t value_length);
/* The at-th of this name, from 0; NULL: there is none. */
const struct wr_header *wr_headers_find(const struct wr_headers *headers, const char *name,
                                        size_t at);
/* Decodes the values of names in "-bin". False: one of them is no base64. */
bool wr_headers_decode(struct wr_headers *headers);

#endif
