/* SPDX-License-Identifier: Apache-2.0 */
/* Names and patterns. */
#include "door/list.h"

#include <string.h>

#include "base/buffer.h"

enum { MAX_TEXT = 1 << 20 };

char *wr_door_identifier(const char *name) {
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, MAX_TEXT);
    wr_buffer_identifier(&buffer, name);
    return wr_buffer_take(&buffer);
}

char *wr_door_literal(const char *text) {
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, MAX_TEXT);
    wr_buffer_literal(&buffer, text);
    return wr_buffer_take(&buffer);
}

void wr_door_add_name(struct wr_buffer *buffer, const struct wr_door_table *table) {
    const char *parts[] = {table->catalog, table->schema, table->name};
    /* A catalog alone cannot be said: its schema is the default one, which is its own to know. */
    for (size_t i = 0; i < 3; i++) {
        if (!parts[i]) continue;
        wr_buffer_identifier(buffer, parts[i]);
        if (i < 2) wr_buffer_char(buffer, '.');
    }
}

/* ---- LIKE ---- */

static bool is_continuation(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The character after this one. */
static const char *step(const char *text) {
    do {
        text++;
    } while (is_continuation(*text));
    return text;
}

/* One character of the pattern, which is no '%', against the text's; both are stepped over. */
static bool match_one(const char **pattern, const char **text) {
    if (!**text) return false;
    if (**pattern == '_') {
        (*pattern)++;
        *text = step(*text);
        return true;
    }
    if (**pattern == '\\' && (*pattern)[1]) (*pattern)++;
    if (**pattern != **text) return false;
    (*pattern)++;
    (*text)++;
    return true;
}

bool wr_door_like(const char *text, const char *pattern) {
    /* Where to go on when the rest does not fit: the last '%' takes one character more. */
    const char *after = NULL;
    const char *retry = NULL;
    while (*pattern || *text) {
        if (*pattern == '%') {
            after = ++pattern;
            retry = text;
        } else if (!*pattern || !match_one(&pattern, &text)) {
            if (!after || !*retry) return false;
            retry = step(retry);
            pattern = after;
            text = retry;
        }
    }
    return true;
}

bool wr_door_fits(const char *text, const char *pattern) {
    return !pattern || wr_door_like(text, pattern);
}
