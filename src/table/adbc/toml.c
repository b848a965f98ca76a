/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"

enum { MOST_BYTES = 1 << 20 };

struct reader {
    const char *at;
    const char *path;
    int line;
    struct wr_buffer table; /* the header's name, with a dot at its end; empty at the top */
    struct wr_toml toml;
    struct weir_error *error;
};

__attribute__((format(printf, 2, 3))) static int fail(struct reader *reader, const char *format,
                                                      ...) {
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return wr_error_set(reader->error, WEIR_INVALID_ARGUMENT, NULL, "%s:%d: %s", reader->path,
                        reader->line, what);
}

static void skip_blanks(struct reader *reader) {
    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
}

/* Blanks, comments and line ends. */
static void skip_lines(struct reader *reader) {
    for (;;) {
        skip_blanks(reader);
        if (*reader->at == '#') {
            while (*reader->at && *reader->at != '\n')
                reader->at++;
        }
        if (*reader->at == '\r' && reader->at[1] == '\n') reader->at++;
        if (*reader->at != '\n') return;
        reader->at++;
        reader->line++;
    }
}

/* Nothing but a comment may follow on the line. */
static int end_line(struct reader *reader) {
    skip_blanks(reader);
    const char *at = reader->at;
    if (*at && *at != '#' && *at != '\n' && !(*at == '\r' && at[1] == '\n'))
        return fail(reader, "expected the line's end");
    skip_lines(reader);
    return WEIR_OK;
}

/* ---- Strings ---- */

static void add_utf8(struct wr_buffer *buffer, uint32_t point) {
    if (point < 0x80) {
        wr_buffer_char(buffer, (char)point);
        return;
    }
    int n = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    wr_buffer_char(buffer, (char)(lead[n] | point >> (6 * n)));
    while (n-- > 0)
        wr_buffer_char(buffer, (char)(0x80 | (point >> (6 * n) & 0x3F)));
}

static int read_code_point(struct reader *reader, int n_digits, struct wr_buffer *buffer) {
    uint32_t point = 0;
    for (int i = 0; i < n_digits; i++, reader->at++) {
        int digit = wr_hex_digit(*reader->at);
        if (digit < 0) return fail(reader, "an escape needs %d hexadecimal digits", n_digits);
        point = point << 4 | (uint32_t)digit;
    }
    if (point == 0 || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return fail(reader, "an escape that is no character");
    add_utf8(buffer, point);
    return WEIR_OK;
}

static int read_escape(struct reader *reader, struct wr_buffer *buffer) {
    static const char letters[] = "btnfr\"\\";
    static const char meanings[] = "\b\t\n\f\r\"\\";
    char letter = *reader->at;
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (known) {
        reader->at++;
        wr_buffer_char(buffer, meanings[known - letters]);
        return WEIR_OK;
    }
    if (letter != 'u' && letter != 'U') return fail(reader, "an unknown escape in a string");
    reader->at++;
    return read_code_point(reader, letter == 'u' ? 4 : 8, buffer);
}

static int read_string(struct reader *reader, struct wr_buffer *buffer) {
    char quote = *reader->at;
    if (reader->at[1] == quote && reader->at[2] == quote)
        return fail(reader, "strings of several lines are not read here");
    for (reader->at++; *reader->at != quote;) {
        unsigned char c = (unsigned char)*reader->at;
        if (c == '\0' || c == '\n') return fail(reader, "a string without its end");
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return fail(reader, "a control character in a string");
        reader->at++;
        if (c == '\\' && quote == '"') {
            WR_TRY(read_escape(reader, buffer));
        } else {
            wr_buffer_char(buffer, (char)c);
        }
    }
    reader->at++;
    return WEIR_OK;
}

/* ---- Keys ---- */

static bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static int read_key(struct reader *reader, struct wr_buffer *buffer) {
    for (;;) {
        skip_blanks(reader);
        size_t before = buffer->length;
        if (*reader->at == '"' || *reader->at == '\'') {
            WR_TRY(read_string(reader, buffer));
        } else {
            while (is_bare(*reader->at))
                wr_buffer_char(buffer, *reader->at++);
        }
        if (buffer->failed) return wr_error_memory(reader->error);
        if (buffer->length == before) return fail(reader, "expected a key");
        skip_blanks(reader);
        if (*reader->at != '.') return WEIR_OK;
        wr_buffer_char(buffer, *reader->at++);
    }
}

/* ---- Values ---- */

static bool is_value_end(char c) {
    return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#' || c == ',' ||
           c == ']';
}

static int read_bare_value(struct reader *reader, struct wr_buffer *buffer, int *ret_type) {
    const char *start = reader->at;
    bool digits = false, only_number = true, fraction = false;
    for (; !is_value_end(*reader->at); reader->at++) {
        char c = *reader->at;
        if (c >= '0' && c <= '9') {
            digits = true;
        } else if (c == '.' || c == 'e' || c == 'E') {
            fraction = true;
        } else if (c != '_' && c != '+' && c != '-') {
            only_number = false;
        }
        if (c != '_') wr_buffer_char(buffer, c);
    }
    size_t length = (size_t)(reader->at - start);
    if ((length == 4 && memcmp(start, "true", 4) == 0) ||
        (length == 5 && memcmp(start, "false", 5) == 0)) {
        *ret_type = WR_TOML_BOOLEAN;
    } else if (only_number && digits) {
        *ret_type = fraction ? WR_TOML_FLOAT : WR_TOML_INTEGER;
    } else {
        return fail(reader, length ? "expected a string in quotes, a number, true or false"
                                   : "expected a value");
    }
    return WEIR_OK;
}

static int read_value(struct reader *reader, struct wr_buffer *buffer, int *ret_type);

static int read_array(struct reader *reader) {
    reader->at++;
    for (;;) {
        skip_lines(reader);
        if (*reader->at == ']') break;
        if (*reader->at == '[') return fail(reader, "arrays of arrays are not read here");
        struct wr_buffer ignored;
        wr_buffer_init(&ignored, MOST_BYTES);
        int type;
        int code = read_value(reader, &ignored, &type);
        wr_buffer_reset(&ignored);
        WR_TRY(code);
        skip_lines(reader);
        if (*reader->at == ',') {
            reader->at++;
        } else if (*reader->at != ']') {
            return fail(reader, "expected , or ] in an array");
        }
    }
    reader->at++;
    return WEIR_OK;
}

static int read_value(struct reader *reader, struct wr_buffer *buffer, int *ret_type) {
    switch (*reader->at) {
    case '"':
    case '\'':
        *ret_type = WR_TOML_TEXT;
        return read_string(reader, buffer);
    case '[':
        *ret_type = WR_TOML_ARRAY;
        return read_array(reader);
    case '{':
        return fail(reader, "inline tables are not read here; write a [table]");
    default:
        return read_bare_value(reader, buffer, ret_type);
    }
}

/* ---- Entries ---- */

/* Takes both buffers' texts. */
static int add_entry(struct reader *reader, struct wr_buffer *key, struct wr_buffer *value,
                     int type, int line) {
    struct wr_toml *toml = &reader->toml;
    wr_buffer_text(key, "");
    wr_buffer_text(value, "");
    if (key->failed || value->failed) return wr_error_memory(reader->error);
    const struct wr_toml_entry *other = wr_toml_get(toml, key->data);
    if (other) {
        return wr_error_set(reader->error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s:%d: \"%s\" is given already in line %d", reader->path, line,
                            key->data, other->line);
    }
    struct wr_toml_entry *entries =
        wr_reallocarray(toml->entries, toml->n_entries + 1, sizeof *entries);
    if (!entries) return wr_error_memory(reader->error);
    toml->entries = entries;
    entries[toml->n_entries++] = (struct wr_toml_entry){
        .key = wr_buffer_take(key), .value = wr_buffer_take(value), .type = type, .line = line};
    return WEIR_OK;
}

static int read_header(struct reader *reader) {
    int line = reader->line;
    reader->at++;
    if (*reader->at == '[') return fail(reader, "arrays of tables are not read here");
    struct wr_buffer key, nothing;
    wr_buffer_init(&key, MOST_BYTES);
    wr_buffer_init(&nothing, 1);
    int code = read_key(reader, &key);
    if (!code && *reader->at != ']') code = fail(reader, "expected ] after a table's name");
    if (!code) {
        reader->at++;
        wr_buffer_clear(&reader->table);
        wr_buffer_add(&reader->table, key.data, key.length);
        wr_buffer_char(&reader->table, '.');
        code = reader->table.failed ? wr_error_memory(reader->error)
                                    : add_entry(reader, &key, &nothing, WR_TOML_TABLE, line);
    }
    wr_buffer_reset(&key);
    wr_buffer_reset(&nothing);
    return code ? code : end_line(reader);
}

static int read_pair(struct reader *reader) {
    int line = reader->line, type = 0;
    struct wr_buffer key, value;
    wr_buffer_init(&key, MOST_BYTES);
    wr_buffer_init(&value, MOST_BYTES);
    wr_buffer_add(&key, reader->table.length ? reader->table.data : "", reader->table.length);
    int code = read_key(reader, &key);
    if (!code && *reader->at != '=') code = fail(reader, "expected = after a key");
    if (!code) {
        reader->at++;
        skip_blanks(reader);
        code = read_value(reader, &value, &type);
    }
    if (!code) code = add_entry(reader, &key, &value, type, line);
    wr_buffer_reset(&key);
    wr_buffer_reset(&value);
    return code ? code : end_line(reader);
}

int wr_toml_parse(const char *text, const char *path, struct wr_toml *ret_toml,
                  struct weir_error *error) {
    struct reader reader = {.at = text, .path = path, .line = 1, .error = error};
    if (!wr_is_utf8(text, strlen(text)))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s: not UTF-8", path);
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) reader.at += 3;
    wr_buffer_init(&reader.table, MOST_BYTES);
    int code = WEIR_OK;
    skip_lines(&reader);
    while (!code && *reader.at)
        code = *reader.at == '[' ? read_header(&reader) : read_pair(&reader);
    wr_buffer_reset(&reader.table);
    if (code) {
        wr_toml_reset(&reader.toml);
        return code;
    }
    *ret_toml = reader.toml;
    return WEIR_OK;
}

int wr_toml_read(const char *path, struct wr_toml *ret_toml, struct weir_error *error) {
    FILE *file = fopen(path, "re");
    if (!file) return wr_error_errno(error, errno, "cannot open \"%s\"", path);
    char *text = wr_malloc(MOST_BYTES + 1);
    int code = WEIR_OK;
    size_t length = 0;
    if (!text) {
        code = wr_error_memory(error);
    } else {
        length = fread(text, 1, MOST_BYTES + 1, file);
        if (ferror(file)) {
            code = wr_error_errno(error, errno, "cannot read \"%s\"", path);
        } else if (length > MOST_BYTES) {
            code =
                wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                             "\"%s\" has more than the %d bytes that are read", path, MOST_BYTES);
        } else if (memchr(text, '\0', length)) {
            code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" is no text", path);
        }
    }
    fclose(file);
    if (!code) {
        text[length] = '\0';
        code = wr_toml_parse(text, path, ret_toml, error);
    }
    wr_free(text);
    return code;
}

const struct wr_toml_entry *wr_toml_get(const struct wr_toml *toml, const char *key) {
    for (size_t i = 0; i < toml->n_entries; i++) {
        if (strcmp(toml->entries[i].key, key) == 0) return &toml->entries[i];
    }
    return NULL;
}

void wr_toml_reset(struct wr_toml *toml) {
    for (size_t i = 0; i < toml->n_entries; i++) {
        wr_free(toml->entries[i].key);
        /* A profile's value may be a password. */
        if (toml->entries[i].value)
            explicit_bzero(toml->entries[i].value, strlen(toml->entries[i].value));
        wr_free(toml->entries[i].value);
    }
    wr_free(toml->entries);
    *toml = (struct wr_toml){0};
}
