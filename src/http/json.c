/* SPDX-License-Identifier: Apache-2.0 */
#include "http/json.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"

struct reader {
    const char *start, *at, *end;
    struct json_value *values;
    size_t n_values, capacity;
    char *texts; /* where the next decoded text goes: together they are no longer than the source */
    struct weir_error *error;
};

static int refuse(struct reader *reader, const char *what) {
    int code = wr_error_set(reader->error, WEIR_INVALID_ARGUMENT, "22032",
                            "the body is not JSON: %s at byte %zu", what,
                            (size_t)(reader->at - reader->start) + 1);
    if (reader->error) reader->error->position = reader->at - reader->start + 1;
    return code;
}

static void skip_blanks(struct reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) && *reader->at)
        reader->at++;
}

static bool take(struct reader *reader, char c) {
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

/* ---- Texts ---- */

static void put_utf8(char **to, uint32_t code) {
    unsigned char *out = (unsigned char *)*to;
    if (code < 0x80) {
        *out++ = (unsigned char)code;
    } else if (code < 0x800) {
        *out++ = (unsigned char)(0xC0 | code >> 6);
        *out++ = (unsigned char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (unsigned char)(0xE0 | code >> 12);
        *out++ = (unsigned char)(0x80 | (code >> 6 & 63));
        *out++ = (unsigned char)(0x80 | (code & 63));
    } else {
        *out++ = (unsigned char)(0xF0 | code >> 18);
        *out++ = (unsigned char)(0x80 | (code >> 12 & 63));
        *out++ = (unsigned char)(0x80 | (code >> 6 & 63));
        *out++ = (unsigned char)(0x80 | (code & 63));
    }
    *to = (char *)out;
}

/* Four digits after "\u". */
static bool read_unit(struct reader *reader, uint32_t *ret_unit) {
    uint32_t unit = 0;
    if (reader->end - reader->at < 4) return false;
    for (int i = 0; i < 4; i++) {
        int digit = wr_hex_digit(reader->at[i]);
        if (digit < 0) return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    reader->at += 4;
    *ret_unit = unit;
    return true;
}

static int read_unicode(struct reader *reader) {
    uint32_t code, low;
    if (!read_unit(reader, &code)) return refuse(reader, "four hexadecimal digits are missing");
    if (code >= 0xD800 && code < 0xDC00) {
        if (!take(reader, '\\') || !take(reader, 'u') || !read_unit(reader, &low) || low < 0xDC00 ||
            low > 0xDFFF)
            return refuse(reader, "half of a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return refuse(reader, "half of a surrogate pair");
    }
    if (code == 0) return refuse(reader, "a NUL");
    put_utf8(&reader->texts, code);
    return WEIR_OK;
}

static int read_escape(struct reader *reader) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end) return refuse(reader, "the text does not end");
    char c = *reader->at++;
    if (c == 'u') return read_unicode(reader);
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return refuse(reader, "an unknown escape");
    *reader->texts++ = to[found - from];
    return WEIR_OK;
}

/* After the first quotation mark. */
static int read_text(struct reader *reader, const char **ret_text, size_t *ret_length) {
    char *text = reader->texts;
    for (;;) {
        if (reader->at == reader->end) return refuse(reader, "the text does not end");
        unsigned char c = (unsigned char)*reader->at;
        if (c < 0x20) return refuse(reader, "a control character in a text");
        reader->at++;
        if (c == '"') break;
        if (c == '\\') {
            WR_TRY(read_escape(reader));
        } else {
            *reader->texts++ = (char)c;
        }
    }
    *ret_text = text;
    *ret_length = (size_t)(reader->texts - text);
    *reader->texts++ = '\0';
    return WEIR_OK;
}

/* ---- Values ---- */

static size_t count_digits(struct reader *reader) {
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return (size_t)(reader->at - start);
}

static int read_number(struct reader *reader, struct json_value *value) {
    const char *start = reader->at;
    (void)take(reader, '-');
    const char *whole = reader->at;
    size_t n_digits = count_digits(reader);
    if (n_digits == 0) return refuse(reader, "no value");
    if (n_digits > 1 && *whole == '0') return refuse(reader, "a number that begins with 0");
    if (take(reader, '.') && count_digits(reader) == 0)
        return refuse(reader, "a number without digits after its point");
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '-')) (void)take(reader, '+');
        if (count_digits(reader) == 0) return refuse(reader, "a number without an exponent");
    }
    value->type = JSON_NUMBER;
    value->length = (size_t)(reader->at - start);
    value->text = reader->texts;
    memcpy(reader->texts, start, value->length);
    reader->texts += value->length;
    *reader->texts++ = '\0';
    return WEIR_OK;
}

static int read_word(struct reader *reader, const char *word, enum json_type type,
                     struct json_value *value) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return refuse(reader, "no value");
    reader->at += length;
    value->type = type;
    return WEIR_OK;
}

static int read_value(struct reader *reader, int depth, struct json_value **ret_value);

static int read_name(struct reader *reader, const struct json_value *object,
                     const char **ret_name) {
    const char *name;
    size_t length;
    skip_blanks(reader);
    if (!take(reader, '"')) return refuse(reader, "no name");
    WR_TRY(read_text(reader, &name, &length));
    if (json_member(object, name)) return refuse(reader, "a name that was there before");
    skip_blanks(reader);
    if (!take(reader, ':')) return refuse(reader, "no colon");
    *ret_name = name;
    return WEIR_OK;
}

/* After the first bracket. */
static int read_container(struct reader *reader, int depth, struct json_value *container) {
    char close = container->type == JSON_OBJECT ? '}' : ']';
    struct json_value **last = &container->first;
    skip_blanks(reader);
    if (take(reader, close)) return WEIR_OK;
    do {
        const char *name = NULL;
        if (container->type == JSON_OBJECT) WR_TRY(read_name(reader, container, &name));
        struct json_value *value;
        WR_TRY(read_value(reader, depth + 1, &value));
        value->name = name;
        *last = value;
        last = &value->next;
        container->n_values++;
        skip_blanks(reader);
    } while (take(reader, ','));
    return take(reader, close) ? WEIR_OK : refuse(reader, "no comma or end");
}

static int read_value(struct reader *reader, int depth, struct json_value **ret_value) {
    skip_blanks(reader);
    if (depth > JSON_MAX_DEPTH) return refuse(reader, "too many levels");
    if (reader->n_values == reader->capacity) return refuse(reader, "too many values");
    if (reader->at == reader->end) return refuse(reader, "no value");
    struct json_value *value = &reader->values[reader->n_values++];
    *ret_value = value;
    switch (*reader->at) {
    case '"':
        reader->at++;
        value->type = JSON_TEXT;
        return read_text(reader, &value->text, &value->length);
    case '{':
    case '[':
        value->type = *reader->at++ == '{' ? JSON_OBJECT : JSON_ARRAY;
        return read_container(reader, depth, value);
    case 't':
        return read_word(reader, "true", JSON_TRUE, value);
    case 'f':
        return read_word(reader, "false", JSON_FALSE, value);
    case 'n':
        return read_word(reader, "null", JSON_NULL, value);
    default:
        return read_number(reader, value);
    }
}

int json_parse(const char *text, size_t length, struct json_document **ret_document,
               struct weir_error *error) {
    struct reader reader = {.start = text, .at = text, .end = text + length, .error = error};
    if (!wr_is_utf8(text, length))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22021", "the body is not UTF-8");
    /* A value takes a byte at least, and a comma or a bracket. */
    reader.capacity = length / 2 + 1;
    if (reader.capacity > JSON_MAX_VALUES) reader.capacity = JSON_MAX_VALUES;
    struct json_document *document = wr_calloc(1, sizeof *document);
    if (!document) return wr_error_memory(error);
    document->values = reader.values = wr_calloc(reader.capacity, sizeof *reader.values);
    document->texts = reader.texts = wr_malloc(2 * length + 2); /* each with a NUL */
    int code = document->values && document->texts ? read_value(&reader, 0, &document->root)
                                                   : wr_error_memory(error);
    if (!code) {
        skip_blanks(&reader);
        if (reader.at != reader.end) code = refuse(&reader, "something after its end");
    }
    if (code) {
        json_free(document);
        return code;
    }
    *ret_document = document;
    return WEIR_OK;
}

void json_free(struct json_document *document) {
    if (!document) return;
    wr_free(document->values);
    wr_free(document->texts);
    wr_free(document);
}

const struct json_value *json_member(const struct json_value *object, const char *name) {
    if (object->type != JSON_OBJECT) return NULL;
    for (const struct json_value *value = object->first; value; value = value->next) {
        if (strcmp(value->name, name) == 0) return value;
    }
    return NULL;
}

/* ---- Texts that go out ---- */

/* The length of the character at `text`, 0 when it is none. */
static size_t character(const char *text, size_t length) {
    unsigned char lead = (unsigned char)*text;
    size_t n = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return n > 0 && n <= length && wr_is_utf8(text, n) ? n : 0;
}

static void add_escape(struct wr_buffer *buffer, unsigned char c) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = strchr(from, c);
    if (found && c) {
        wr_buffer_char(buffer, '\\');
        wr_buffer_char(buffer, to[found - from]);
    } else {
        wr_buffer_format(buffer, "\\u%04x", c);
    }
}

void json_add_bytes(struct wr_buffer *buffer, const char *text, size_t length) {
    wr_buffer_char(buffer, '"');
    for (size_t at = 0, n; at < length; at += n ? n : 1) {
        unsigned char c = (unsigned char)text[at];
        n = 1;
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
            add_escape(buffer, c);
        } else if (c < 0x80) {
            wr_buffer_char(buffer, (char)c);
        } else {
            n = character(text + at, length - at);
            wr_buffer_add(buffer, n ? text + at : "\xEF\xBF\xBD", n ? n : 3);
        }
    }
    wr_buffer_char(buffer, '"');
}

void json_add_text(struct wr_buffer *buffer, const char *text) {
    if (text) {
        json_add_bytes(buffer, text, strlen(text));
    } else {
        wr_buffer_text(buffer, "null");
    }
}
