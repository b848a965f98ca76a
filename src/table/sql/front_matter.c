/* SPDX-License-Identifier: Apache-2.0 */
#include "table/sql/front_matter.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"

enum { MOST_NAME_BYTES = 255 };

static const char blanks[] = " \t\r\f\v";
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char word_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

static const char *const formats[] = {"parquet", "arrow", "csv", "tsv", "json", "jsonl"};

/* ---- Literals ---- */

/* 'text' to the end, a quote within it doubled. */
static bool is_quoted(const char *text) {
    if (*text != '\'') return false;
    for (text++; *text; text++) {
        if (*text != '\'') continue;
        if (text[1] != '\'') return text[1] == '\0';
        text++;
    }
    return false;
}

static bool is_number(const char *text) {
    text += *text == '-' || *text == '+';
    size_t n_digits = strspn(text, "0123456789");
    text += n_digits;
    if (*text == '.') {
        size_t n_decimals = strspn(text + 1, "0123456789");
        n_digits += n_decimals;
        text += 1 + n_decimals;
    }
    if (n_digits == 0) return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t n_exponent = strspn(text, "0123456789");
        if (n_exponent == 0) return false;
        text += n_exponent;
    }
    return *text == '\0';
}

bool wr_sql_is_literal(const char *text) {
    static const char *const words[] = {"true", "false", "null"};
    static const char *const types[] = {"date", "time", "timestamp", "timestamptz", "interval"};
    if (is_number(text) || is_quoted(text)) return true;
    size_t length = strspn(text, letters);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (length == strlen(types[i]) && strncasecmp(text, types[i], length) == 0)
            return is_quoted(text + length + strspn(text + length, blanks));
    }
    return false;
}

bool wr_sql_is_name(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcasecmp(name + length - 4, ".sql") == 0;
}

/* ---- Lines ---- */

struct parser {
    const char *shown;
    size_t line;
    struct wr_sql_front_matter *front_matter;
    struct weir_error *error;
};

static int wrong(const struct parser *parser, int code) {
    return wr_error_prefix(parser->error, code, "\"%s\", line %zu", parser->shown, parser->line);
}

#define REFUSE(parser, ...)                                                                        \
    wrong(parser, wr_error_set((parser)->error, WEIR_INVALID_ARGUMENT, "42601", __VA_ARGS__))

static bool has_control(const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) return true;
    }
    return false;
}

static int take_once(const struct parser *parser, const char *key, char *value, char **place) {
    if (*place) return REFUSE(parser, "the key \"%s\" is given twice; keep one of them", key);
    *place = wr_strdup(value);
    return *place ? WEIR_OK : wr_error_memory(parser->error);
}

static int take_name(const struct parser *parser, char *value) {
    if (strchr(value, '/') || has_control(value) || strlen(value) > MOST_NAME_BYTES ||
        strcmp(value, ".") == 0 || strcmp(value, "..") == 0) {
        return REFUSE(parser,
                      "the name \"%s\" cannot be a table's: it holds '/' or control characters, or "
                      "more than %d bytes",
                      value, MOST_NAME_BYTES);
    }
    return take_once(parser, "name", value, &parser->front_matter->name);
}

static int take_format(const struct parser *parser, char *value) {
    const size_t n_formats = sizeof formats / sizeof *formats;
    for (size_t i = 0; i < n_formats; i++) {
        if (strcasecmp(value, formats[i]) == 0)
            return take_once(parser, "format", (char *)formats[i], &parser->front_matter->format);
    }
    return REFUSE(parser, "the format \"%s\" is none of parquet, arrow, csv, tsv, json and jsonl",
                  value);
}

static int add(const struct parser *parser, struct wr_options *list, const char *what,
               const char *name, const char *value) {
    if (wr_options_get(list->items, list->n_items, name))
        return REFUSE(parser, "the %s \"%s\" is given twice; keep one of them", what, name);
    return wr_options_add(list, name, value, parser->error);
}

/* Takes the quotes off 'a''b', in place. */
static void unquote(char *text) {
    if (!is_quoted(text)) return;
    char *to = text;
    const char *end = text + strlen(text) - 1;
    for (const char *from = text + 1; from < end; from++) {
        if (*from == '\'') from++; /* the second of two */
        *to++ = *from;
    }
    *to = '\0';
}

static int take_input(const struct parser *parser, const char *name, char *value) {
    if (!*name) {
        return REFUSE(parser, "an input has a name: -- input NAME: path, pattern or table");
    }
    unquote(value);
    if (!*value || has_control(value))
        return REFUSE(parser, "the input \"%s\" needs a path, pattern or table after the colon",
                      name);
    return add(parser, &parser->front_matter->inputs, "input", name, value);
}

static int take_parameter(const struct parser *parser, const char *name, char *value) {
    if (!*name) return REFUSE(parser, "a parameter has a name: -- param NAME: 'its default'");
    if (!wr_sql_is_literal(value)) {
        return REFUSE(parser,
                      "the parameter \"%s\" needs a default that is a number, 'text', true, false, "
                      "null, or as DATE '2024-01-01': -- param %s: 'UA'",
                      name, name);
    }
    return add(parser, &parser->front_matter->parameters, "parameter", name, value);
}

/* A key that nobody knows: an error where it was meant as one of ours. */
static int check_comment(const struct parser *parser, const char *key) {
    static const char *const meant[] = {"name",  "description", "format",    "input",
                                        "param", "inputs",      "parameter", "parameters"};
    static const char *const known[] = {"name",  "description", "format", "input",
                                        "param", "input",       "param",  "param"};
    const size_t n_meant = sizeof meant / sizeof *meant;
    const char *nearest = wr_nearest(key, meant, n_meant);
    for (size_t i = 0; nearest && i < n_meant; i++) {
        if (meant[i] == nearest) nearest = known[i];
    }
    if (!nearest) return WEIR_OK;
    return REFUSE(parser, "unknown key \"%s\"; did you mean \"%s\"?", key, nearest);
}

/* One comment without its "--"; it is changed. */
static int take_comment(const struct parser *parser, char *text) {
    static char nothing[] = "";
    char *key = text + strspn(text, blanks);
    size_t n_key = strspn(key, letters);
    char *name = key + n_key;
    name += strspn(name, blanks);
    bool spaced = name > key + n_key;
    size_t n_name = spaced && strchr(letters, *name) ? strspn(name, word_bytes) : 0;
    char *colon = name + n_name;
    colon += strspn(colon, blanks);
    if (n_key == 0 || *colon != ':') return WEIR_OK;
    char *value = colon + 1 + strspn(colon + 1, blanks);
    for (size_t length = strlen(value); length > 0 && strchr(blanks, value[length - 1]);)
        value[--length] = '\0';
    key[n_key] = '\0';
    if (n_name > 0)
        name[n_name] = '\0';
    else
        name = nothing;
    if (strcasecmp(key, "input") == 0) return take_input(parser, name, value);
    if (strcasecmp(key, "param") == 0) return take_parameter(parser, name, value);
    bool is_name = strcasecmp(key, "name") == 0;
    bool is_description = strcasecmp(key, "description") == 0;
    if (!is_name && !is_description && strcasecmp(key, "format") != 0)
        return check_comment(parser, key);
    if (n_name > 0) return WEIR_OK; /* "name conventions: ..." is a sentence */
    if (!*value) return REFUSE(parser, "the key \"%s\" has no value after the colon", key);
    if (is_name) return take_name(parser, value);
    if (is_description)
        return take_once(parser, "description", value, &parser->front_matter->description);
    return take_format(parser, value);
}

static int parse_lines(struct parser *parser, const char *text) {
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
    while (*text) {
        parser->line++;
        size_t length = strcspn(text, "\n");
        const char *start = text + strspn(text, blanks);
        if (start < text + length) {
            if (strncmp(start, "--", 2) != 0) return WEIR_OK;
            char *comment = wr_strndup(start + 2, (size_t)(text + length - start) - 2);
            if (!comment) return wr_error_memory(parser->error);
            int code = take_comment(parser, comment);
            wr_free(comment);
            if (code) return code;
        }
        text += length + (text[length] == '\n');
    }
    return WEIR_OK;
}

int wr_sql_front_matter_parse(const char *shown, const char *text,
                              struct wr_sql_front_matter *ret_front_matter,
                              struct weir_error *error) {
    struct wr_sql_front_matter front_matter = {0};
    struct parser parser = {.shown = shown, .front_matter = &front_matter, .error = error};
    int code = parse_lines(&parser, text);
    if (code) {
        wr_sql_front_matter_reset(&front_matter);
        return code;
    }
    *ret_front_matter = front_matter;
    return WEIR_OK;
}

int wr_sql_front_matter_read(const char *root, const char *path, const char *shown,
                             struct wr_sql_front_matter *ret_front_matter,
                             struct weir_error *error) {
    char *text = NULL;
    WR_TRY(wr_sql_text_read(root, path, shown, &text, error));
    int code = wr_sql_front_matter_parse(shown, text, ret_front_matter, error);
    wr_free(text);
    return code;
}

void wr_sql_front_matter_reset(struct wr_sql_front_matter *front_matter) {
    wr_free(front_matter->name);
    wr_free(front_matter->description);
    wr_free(front_matter->format);
    wr_options_reset(&front_matter->inputs);
    wr_options_reset(&front_matter->parameters);
    *front_matter = (struct wr_sql_front_matter){0};
}
