/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"

enum { MOST_DEPTH = 16, MOST_NUMBER = 40 };

struct reader {
    const char *at;
    const char *end;
    bool no_memory;
};

void wr_json_write(struct wr_buffer *buffer, const char *text) {
    if (!text) {
        wr_buffer_text(buffer, "null");
        return;
    }
    wr_buffer_char(buffer, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') wr_buffer_char(buffer, '\\');
        if (*c < 0x20 || *c == 0x7f)
            wr_buffer_format(buffer, "\\u%04x", *c);
        else
            wr_buffer_char(buffer, (char)*c);
    }
    wr_buffer_char(buffer, '"');
}

void wr_json_free(struct wr_json *json) {
    while (json) {
        struct wr_json *next = json->next;
        wr_json_free(json->first);
        wr_free(json->key);
        wr_free(json->text);
        wr_free(json);
        json = next;
    }
}

static void skip_blanks(struct reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at)
        reader->at++;
}

static bool accept(struct reader *reader, char c) {
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

/* ---- Strings ---- */

static bool read_hex(struct reader *reader, uint32_t *ret_unit) {
    uint32_t unit = 0;
    if (reader->end - reader->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        int digit = wr_hex_digit(*reader->at++);
        if (digit < 0) return false;
        unit = unit * 16 + (uint32_t)digit;
    }
    *ret_unit = unit;
    return true;
}

static void add_utf8(struct wr_buffer *text, uint32_t c) {
    if (c < 0x80) {
        wr_buffer_char(text, (char)c);
        return;
    }
    int n_more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    wr_buffer_char(text, (char)(leads[n_more] | c >> (6 * n_more)));
    while (n_more-- > 0)
        wr_buffer_char(text, (char)(0x80 | (c >> (6 * n_more) & 0x3F)));
}

static bool read_unicode(struct reader *reader, struct wr_buffer *text) {
    uint32_t c = 0;
    uint32_t low = 0;
    if (!read_hex(reader, &c) || c == 0 || (c >= 0xDC00 && c < 0xE000)) return false;
    if (c >= 0xD800 && c < 0xDC00) {
        if (reader->end - reader->at < 2 || *reader->at++ != '\\' || *reader->at++ != 'u')
            return false;
        if (!read_hex(reader, &low) || low < 0xDC00 || low >= 0xE000) return false;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    add_utf8(text, c);
    return true;
}

static bool read_escape(struct reader *reader, struct wr_buffer *text) {
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) return false;
    char c = *reader->at++;
    if (c == 'u') return read_unicode(reader, text);
    const char *name = c ? strchr(names, c) : NULL;
    if (name) wr_buffer_char(text, meanings[name - names]);
    return name != NULL;
}

static bool read_string(struct reader *reader, char **ret_text) {
    struct wr_buffer text;
    bool good = accept(reader, '"');
    bool closed = false;
    wr_buffer_init(&text, 1 << 20);
    wr_buffer_add(&text, "", 0);
    while (good && !closed && reader->at < reader->end) {
        char c = *reader->at++;
        if (c == '"')
            closed = true;
        else if (c == '\\')
            good = read_escape(reader, &text);
        else if ((unsigned char)c < 0x20)
            good = false;
        else
            wr_buffer_char(&text, c);
    }
    size_t length = text.length;
    char *copy = good && closed ? wr_buffer_take(&text) : NULL;
    wr_buffer_reset(&text);
    if (good && closed && !copy) reader->no_memory = true;
    if (!copy || !wr_is_utf8(copy, length)) {
        wr_free(copy);
        return false;
    }
    *ret_text = copy;
    return true;
}

/* ---- Values ---- */

static bool read_value(struct reader *reader, int depth, struct wr_json **ret_json);

static bool read_number(struct reader *reader, double *ret_number) {
    char text[MOST_NUMBER + 1];
    size_t length = 0;
    while (reader->at + length < reader->end && reader->at[length] &&
           strchr("+-.0123456789eE", reader->at[length]))
        length++;
    if (length == 0 || length > MOST_NUMBER) return false;
    memcpy(text, reader->at, length);
    text[length] = '\0';
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9' || (*digits == '0' && digits[1] >= '0' && digits[1] <= '9'))
        return false;
    char *end = NULL;
    double number = strtod(text, &end);
    if (*end || end[-1] == '.' || !isfinite(number)) return false;
    reader->at += length;
    *ret_number = number;
    return true;
}

static bool read_word(struct reader *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool has_key(const struct wr_json *first, const char *key) {
    for (; first; first = first->next) {
        if (strcmp(first->key, key) == 0) return true;
    }
    return false;
}

static bool read_members(struct reader *reader, int depth, struct wr_json *json, char close) {
    struct wr_json **last = &json->first;
    reader->at++;
    if (accept(reader, close)) return true;
    do {
        char *key = NULL;
        bool object = close == '}';
        if (object &&
            (!read_string(reader, &key) || !accept(reader, ':') || has_key(json->first, key))) {
            wr_free(key);
            return false;
        }
        if (!read_value(reader, depth + 1, last)) {
            wr_free(key);
            return false;
        }
        (*last)->key = key;
        last = &(*last)->next;
    } while (accept(reader, ','));
    return accept(reader, close);
}

static bool read_into(struct reader *reader, int depth, struct wr_json *json) {
    switch (*reader->at) {
    case '{':
        json->type = WR_JSON_OBJECT;
        return depth < MOST_DEPTH && read_members(reader, depth, json, '}');
    case '[':
        json->type = WR_JSON_ARRAY;
        return depth < MOST_DEPTH && read_members(reader, depth, json, ']');
    case '"':
        json->type = WR_JSON_STRING;
        return read_string(reader, &json->text);
    case 't':
        json->type = WR_JSON_BOOLEAN;
        json->number = 1;
        return read_word(reader, "true");
    case 'f':
        json->type = WR_JSON_BOOLEAN;
        return read_word(reader, "false");
    case 'n':
        return read_word(reader, "null");
    default:
        json->type = WR_JSON_NUMBER;
        return read_number(reader, &json->number);
    }
}

static bool read_value(struct reader *reader, int depth, struct wr_json **ret_json) {
    skip_blanks(reader);
    if (reader->at == reader->end) return false;
    struct wr_json *json = wr_calloc(1, sizeof *json);
    if (!json) {
        reader->no_memory = true;
        return false;
    }
    if (!read_into(reader, depth, json)) {
        wr_json_free(json);
        return false;
    }
    *ret_json = json;
    return true;
}

int wr_json_parse(const char *text, size_t length, struct wr_json **ret_json,
                  struct weir_error *error) {
    struct reader reader = {.at = text, .end = text + length};
    struct wr_json *json = NULL;
    bool good = read_value(&reader, 0, &json);
    skip_blanks(&reader);
    if (good && reader.at == reader.end) {
        *ret_json = json;
        return WEIR_OK;
    }
    wr_json_free(json);
    if (reader.no_memory) return wr_error_memory(error);
    return wr_error_set(error, WEIR_INVALID_DATA, "22032", "this is not JSON");
}

const struct wr_json *wr_json_get(const struct wr_json *object, const char *key) {
    if (!object || object->type != WR_JSON_OBJECT) return NULL;
    for (const struct wr_json *member = object->first; member; member = member->next) {
        if (strcmp(member->key, key) == 0) return member;
    }
    return NULL;
}

const char *wr_json_text(const struct wr_json *object, const char *key) {
    const struct wr_json *member = wr_json_get(object, key);
    return member && member->type == WR_JSON_STRING ? member->text : NULL;
}
