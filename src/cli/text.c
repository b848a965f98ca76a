/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* Decodes one character; 0xFFFD and one byte for what is not UTF-8. */
static size_t decode(const unsigned char *text, size_t length, uint32_t *ret_char) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = text[0];
    size_t n = first < 0x80 ? 1 : first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : 2;
    uint32_t c = first;

    *ret_char = 0xFFFD;
    if ((first >= 0x80 && first < 0xC2) || first >= 0xF5 || n > length) return 1;
    if (n > 1) c &= 0x7Fu >> n;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xC0) != 0x80) return 1;
        c = c << 6 | (text[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return 1;
    *ret_char = c;
    return n;
}

static int char_width(uint32_t c) {
    int width = c < 0x7F ? 1 : wcwidth((wchar_t)c);
    return width < 0 ? 1 : width;
}

int text_width(const char *text, size_t length) {
    int width;
    (void)text_fit(text, length, INT32_MAX, &width);
    return width;
}

size_t text_fit(const char *text, size_t length, int columns, int *ret_width) {
    size_t at = 0;
    int width = 0;

    while (at < length) {
        uint32_t c;
        size_t n = decode((const unsigned char *)text + at, length - at, &c);
        int w = char_width(c);
        if (w > columns - width) break;
        width += w;
        at += n;
    }
    *ret_width = width;
    return at;
}

void text_clean(struct wr_buffer *buffer, const char *text, size_t length) {
    size_t at = 0;
    size_t clean = 0; /* start of the run that needs no change */

    while (at < length) {
        uint32_t c;
        size_t n = decode((const unsigned char *)text + at, length - at, &c);
        bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
        if (control || (c == 0xFFFD && n == 1)) {
            wr_buffer_add(buffer, text + clean, at - clean);
            clean = at + n;
            if (c == '\n')
                wr_buffer_text(buffer, "\\n");
            else if (c == '\t')
                wr_buffer_text(buffer, "\\t");
            else if (c == '\r')
                wr_buffer_text(buffer, "\\r");
            else if (control)
                wr_buffer_format(buffer, "\\x%02x", (unsigned)c);
            else
                wr_buffer_text(buffer, "\xEF\xBF\xBD");
        }
        at += n;
    }
    wr_buffer_add(buffer, text + clean, length - clean);
}

const char *text_count(int64_t number, char *room) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, number);
    char *to = room;

    for (int i = 0; i < n; i++) {
        *to++ = digits[i];
        if (isdigit((unsigned char)digits[i]) && i + 1 < n && (n - i - 1) % 3 == 0) *to++ = ',';
    }
    *to = '\0';
    return room;
}

const char *text_bytes(int64_t bytes, char *room) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit < 5) {
        value /= 1024;
        unit++;
    }
    snprintf(room, 64, unit == 0 ? "%.0f %s" : "%.1f %s", value, bytes == 1 ? "byte" : units[unit]);
    return room;
}

const char *text_plural(int64_t number, const char *noun, char *room) {
    text_count(number, room);
    size_t n = strlen(room);
    snprintf(room + n, 64 - n, " %s%s", noun, number == 1 ? "" : "s");
    return room;
}

bool text_parse_int(const char *text, int64_t least, int64_t most, int64_t *ret_number) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most) return false;
    *ret_number = value;
    return true;
}

int64_t text_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
