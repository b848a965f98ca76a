/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void wr_buffer_init(struct wr_buffer *buffer, size_t ceiling) {
    *buffer = (struct wr_buffer){.ceiling = ceiling};
}

void wr_buffer_reset(struct wr_buffer *buffer) {
    wr_free(buffer->data);
    wr_buffer_init(buffer, buffer->ceiling);
}

void wr_buffer_clear(struct wr_buffer *buffer) {
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->data) buffer->data[0] = '\0';
}

/* Makes room for `length` more bytes and the NUL; the room starts at data[length]. */
static bool reserve(struct wr_buffer *buffer, size_t length) {
    if (buffer->failed) return false;
    if (buffer->ceiling < buffer->length || length > buffer->ceiling - buffer->length ||
        buffer->length + length == SIZE_MAX) {
        buffer->failed = true;
        return false;
    }
    size_t needed = buffer->length + length + 1;
    if (needed <= buffer->capacity) return true;
    size_t capacity = buffer->capacity > SIZE_MAX / 2 ? needed : buffer->capacity * 2;
    if (capacity < 64) capacity = 64;
    if (capacity > buffer->ceiling)
        capacity = buffer->ceiling + 1; /* no overflow: needed - 1 <= ceiling < capacity */
    if (capacity < needed) capacity = needed;
    char *data = wr_realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void wr_buffer_add(struct wr_buffer *buffer, const void *data, size_t length) {
    if (!reserve(buffer, length)) return;
    if (length > 0) memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void wr_buffer_text(struct wr_buffer *buffer, const char *text) {
    wr_buffer_add(buffer, text, strlen(text));
}

void wr_buffer_char(struct wr_buffer *buffer, char c) {
    wr_buffer_add(buffer, &c, 1);
}

void wr_buffer_format(struct wr_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    if (!reserve(buffer, (size_t)length)) return;
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

static void add_quoted(struct wr_buffer *buffer, const char *text, char quote) {
    wr_buffer_char(buffer, quote);
    for (const char *end; (end = strchr(text, quote)) != NULL; text = end + 1) {
        wr_buffer_add(buffer, text, (size_t)(end - text) + 1);
        wr_buffer_char(buffer, quote);
    }
    wr_buffer_text(buffer, text);
    wr_buffer_char(buffer, quote);
}

void wr_buffer_identifier(struct wr_buffer *buffer, const char *name) {
    add_quoted(buffer, name, '"');
}

void wr_buffer_literal(struct wr_buffer *buffer, const char *text) {
    add_quoted(buffer, text, '\'');
}

char *wr_buffer_take(struct wr_buffer *buffer) {
    wr_buffer_add(buffer, "", 0);
    char *data = buffer->failed ? NULL : buffer->data;
    if (data) buffer->data = NULL;
    wr_buffer_reset(buffer);
    return data;
}
