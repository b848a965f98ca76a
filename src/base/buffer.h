/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing text or byte buffer with a ceiling given at birth. After the first failed append it is
 * `failed`: further appends do nothing, so a run of appends is checked once at the end. `data`
 * always ends in NUL once something was appended.
 */
#ifndef WR_BUFFER_H
#define WR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct wr_buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t ceiling; /* most bytes it may hold */
    bool failed;
};

void wr_buffer_init(struct wr_buffer *buffer, size_t ceiling);
void wr_buffer_reset(struct wr_buffer *buffer); /* frees; usable again */
void wr_buffer_clear(struct wr_buffer *buffer); /* empties, keeps the memory */
void wr_buffer_add(struct wr_buffer *buffer, const void *data, size_t length);
void wr_buffer_text(struct wr_buffer *buffer, const char *text);
void wr_buffer_char(struct wr_buffer *buffer, char c);
void wr_buffer_format(struct wr_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As an SQL identifier ("a""b", always quoted), and as an SQL literal ('it''s'). */
void wr_buffer_identifier(struct wr_buffer *buffer, const char *name);
void wr_buffer_literal(struct wr_buffer *buffer, const char *text);
/* Gives the memory away as a string (never NULL unless failed); the buffer is empty after. */
char *wr_buffer_take(struct wr_buffer *buffer);

#endif
