/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_headers.h"

#include <string.h>

#include "base/alloc.h"
#include "flight/grpc_text.h"

enum { OVERHEAD = 32 }; /* RFC 9113, 6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE */

void wr_headers_reset(struct wr_headers *headers) {
    for (size_t i = 0; i < headers->n_items; i++)
        wr_free(headers->items[i].name);
    wr_free(headers->items);
    *headers = (struct wr_headers){0};
}

static bool reserve(struct wr_headers *headers) {
    if (headers->n_items < headers->capacity) return true;
    size_t capacity = headers->capacity ? headers->capacity * 2 : 16;
    struct wr_header *items = wr_reallocarray(headers->items, capacity, sizeof *items);
    if (!items) return false;
    headers->items = items;
    headers->capacity = capacity;
    return true;
}

bool wr_headers_add(struct wr_headers *headers, const char *name, size_t name_length,
                    const char *value, size_t value_length) {
    if (!reserve(headers)) return false;
    char *text = wr_malloc(name_length + value_length + 2);
    if (!text) return false;
    struct wr_header header = {text, text + name_length + 1, name_length, value_length};
    if (name_length > 0) memcpy(header.name, name, name_length);
    header.name[name_length] = '\0';
    if (value_length > 0) memcpy(header.value, value, value_length);
    header.value[value_length] = '\0';
    headers->items[headers->n_items++] = header;
    headers->n_bytes += name_length + value_length + OVERHEAD;
    return true;
}

const struct wr_header *wr_headers_find(const struct wr_headers *headers, const char *name,
                                        size_t at) {
    for (size_t i = 0; i < headers->n_items; i++) {
        if (strcmp(headers->items[i].name, name) == 0 && at-- == 0) return &headers->items[i];
    }
    return NULL;
}

bool wr_headers_decode(struct wr_headers *headers) {
    for (size_t i = 0; i < headers->n_items; i++) {
        struct wr_header *header = &headers->items[i];
        if (!wr_grpc_is_binary(header->name, header->name_length)) continue;
        if (!wr_grpc_decode_base64(header->value, header->value_length, header->value,
                                   &header->value_length))
            return false;
        header->value[header->value_length] = '\0';
    }
    return true;
}
