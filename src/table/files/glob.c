/* SPDX-License-Identifier: Apache-2.0 */
/* Not fnmatch(3): that counts bytes where the locale is "C", and a library does not set the locale.
 */
#include "table/files/files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { MOST_ALTERNATIVES = 1000 };

bool wr_glob_is_pattern(const char *text) {
    return strpbrk(text, "*?[{\\") != NULL;
}

/* One character of UTF-8; a byte that is none stands for itself, outside Unicode. */
static uint32_t next_character(const char **text) {
    const unsigned char *bytes = (const unsigned char *)*text;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    uint32_t value = length == 1 ? bytes[0] : bytes[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            (*text)++;
            return 0x110000u + bytes[0];
        }
        value = value << 6 | (bytes[i] & 0x3Fu);
    }
    *text += length;
    return value;
}

/* After '[': 1 or 0 when `c` is or is not in the set, -1 when the set has no end. */
static int match_set(const char **pattern, uint32_t c) {
    const char *p = *pattern;
    bool negated = *p == '!' || *p == '^';
    if (negated) p++;
    bool found = false;
    for (bool first = true; first || *p != ']'; first = false) {
        if (*p == '\\' && p[1]) p++;
        if (!*p) return -1;
        uint32_t low = next_character(&p);
        uint32_t high = low;
        if (*p == '-' && p[1] && p[1] != ']') {
            p++;
            if (*p == '\\' && p[1]) p++;
            high = next_character(&p);
        }
        if (c >= low && c <= high) found = true;
    }
    *pattern = p + 1;
    return found != negated;
}

/* Matches one character of the name with one unit, not '*', of the pattern and moves past both. */
static bool match_one(const char **pattern, const char **name) {
    uint32_t c = next_character(name);
    const char *p = *pattern;
    if (*p == '\0') return false;
    if (*p == '?') {
        *pattern = p + 1;
        return true;
    }
    if (*p == '[') {
        const char *after = p + 1;
        int found = match_set(&after, c);
        if (found >= 0) {
            *pattern = after;
            return found;
        }
    }
    if (*p == '\\' && p[1]) p++;
    uint32_t wanted = next_character(&p);
    *pattern = p;
    return wanted == c;
}

bool wr_glob_match(const char *pattern, const char *name) {
    if (*name == '.' && *pattern != '.' && !(*pattern == '\\' && pattern[1] == '.')) return false;
    const char *star = NULL; /* after the last '*', with where its text ends for now */
    const char *star_end = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            star_end = name;
            continue;
        }
        const char *next_pattern = pattern;
        const char *next_name = name;
        if (match_one(&next_pattern, &next_name)) {
            pattern = next_pattern;
            name = next_name;
        } else if (star) {
            next_character(&star_end);
            pattern = star;
            name = star_end;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* The first {a,b}: its braces. One without a comma, or without an end, is text. */
static bool find_braces(const char *text, const char **ret_open, const char **ret_close) {
    for (const char *open = text; *open; open++) {
        if (*open == '\\' && open[1]) {
            open++;
            continue;
        }
        if (*open != '{') continue;
        size_t depth = 0;
        bool comma = false;
        for (const char *p = open; *p; p++) {
            if (*p == '\\' && p[1]) {
                p++;
            } else if (*p == '{') {
                depth++;
            } else if (*p == ',' && depth == 1) {
                comma = true;
            } else if (*p == '}' && --depth == 0) {
                if (!comma) break;
                *ret_open = open;
                *ret_close = p;
                return true;
            }
        }
    }
    return false;
}

struct patterns {
    struct wr_arena *arena;
    const char **items;
    size_t n_items;
};

static int expand(struct patterns *patterns, const char *text, struct weir_error *error) {
    const char *open;
    const char *close;
    if (!find_braces(text, &open, &close)) {
        if (patterns->n_items == MOST_ALTERNATIVES) {
            return wr_error_set(
                error, WEIR_INVALID_ARGUMENT, NULL,
                "the pattern stands for more than %d others; use * in place of some braces",
                MOST_ALTERNATIVES);
        }
        patterns->items[patterns->n_items++] = text;
        return WEIR_OK;
    }
    size_t before = (size_t)(open - text);
    size_t after = strlen(close + 1);
    size_t depth = 0;
    const char *start = open + 1;
    for (const char *p = open + 1; p <= close; p++) {
        if (*p == '\\' && p[1]) {
            p++;
        } else if (*p == '{') {
            depth++;
        } else if (depth > 0) {
            if (*p == '}') depth--;
        } else if (*p == ',' || p == close) {
            size_t length = (size_t)(p - start);
            char *one = wr_arena_take(patterns->arena, before + length + after + 1, 1);
            if (!one) return wr_error_memory(error);
            memcpy(one, text, before);
            memcpy(one + before, start, length);
            memcpy(one + before + length, close + 1, after);
            WR_TRY(expand(patterns, one, error));
            start = p + 1;
        }
    }
    return WEIR_OK;
}

int wr_glob_expand(struct wr_arena *arena, const char *pattern, const char ***ret_patterns,
                   size_t *ret_n_patterns, struct weir_error *error) {
    struct patterns patterns = {.arena = arena};
    patterns.items = wr_arena_take(arena, MOST_ALTERNATIVES, sizeof *patterns.items);
    if (!patterns.items) return wr_error_memory(error);
    WR_TRY(expand(&patterns, pattern, error));
    *ret_patterns = patterns.items;
    *ret_n_patterns = patterns.n_items;
    return WEIR_OK;
}
