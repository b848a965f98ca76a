/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/buffer.h"
#include "base/error.h"

enum { MOST_DEPTH = 16, MOST_PATH = 4096, MOST_LIST = 1 << 20 };

struct input {
    const struct wr_yaml_reader *reader;
    const char *text;
    size_t length;
    yaml_parser_t parser;
    struct wr_buffer path; /* of where the reading is */
    bool broken;           /* not YAML from here on: that was told, and there is no more to read */
    struct weir_error *error;
};

static int problem(struct input *input, size_t line, const char *message) {
    return input->reader->problem(input->reader->context, line, message, input->error);
}

/* ---- What is not YAML ---- */

/* The libyaml reader tells an offset, everything behind it a line and column. */
static size_t line_of_problem(const struct input *input) {
    size_t line = 1;
    if (input->parser.error != YAML_READER_ERROR) return input->parser.problem_mark.line + 1;
    for (size_t i = 0; i < input->parser.problem_offset && i < input->length; i++)
        line += input->text[i] == '\n';
    return line;
}

static const char *start_of_line(const struct input *input, size_t line, size_t *ret_length) {
    const char *start = input->text, *end = input->text + input->length;
    while (--line > 0) {
        const char *feed = memchr(start, '\n', (size_t)(end - start));
        if (!feed) break;
        start = feed + 1;
    }
    const char *feed = memchr(start, '\n', (size_t)(end - start));
    *ret_length = (size_t)((feed ? feed : end) - start);
    return start;
}

/* Says what libyaml found, and what is the cause as a rule. */
static int syntax_problem(struct input *input) {
    const yaml_parser_t *parser = &input->parser;
    size_t line = line_of_problem(input), length, blanks = 0;
    const char *text = start_of_line(input, line, &length);
    bool tab = false;
    char message[400];

    while (blanks < length && (text[blanks] == ' ' || text[blanks] == '\t'))
        tab |= text[blanks++] == '\t';
    if (tab) return problem(input, line, "a line is indented with a tab; use blanks");
    if (memmem(text, length, "${", 2))
        return problem(input, line,
                       "this is not YAML; inside of braces a value with ${...} needs quotation "
                       "marks: { uri: \"${env:NAME}\" }");
    int n = snprintf(message, sizeof message, "this is not YAML: %s", parser->problem);
    if (parser->context && parser->context_mark.line + 1 != line && n < (int)sizeof message)
        snprintf(message + n, sizeof message - (size_t)n, ", %s that begins in line %zu",
                 parser->context, parser->context_mark.line + 1);
    return problem(input, line, message);
}

static int next(struct input *input, yaml_event_t *ret_event) {
    if (yaml_parser_parse(&input->parser, ret_event)) return WEIR_OK;
    memset(ret_event, 0, sizeof *ret_event); /* YAML_NO_EVENT */
    if (input->parser.error == YAML_MEMORY_ERROR) return wr_error_memory(input->error);
    input->broken = true;
    return syntax_problem(input);
}

/* ---- Mappings ---- */

static bool is_start(const yaml_event_t *event) {
    return event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT;
}

static bool is_end(const yaml_event_t *event) {
    return event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT;
}

/* Reads past what began with an event, which may be a single one. */
static int skip(struct input *input, const yaml_event_t *first) {
    for (size_t depth = is_start(first); depth > 0 && !input->broken;) {
        yaml_event_t event;
        WR_TRY(next(input, &event));
        depth += is_start(&event);
        depth -= is_end(&event);
        yaml_event_delete(&event);
    }
    return WEIR_OK;
}

/* What it is besides a text or a mapping; NULL when it is one of those. */
static const char *not_taken(const yaml_event_t *event) {
    static const char *const anchor =
        "anchors (&) and aliases (*) are not taken; write the value where it is needed, or in "
        "quotation marks if it begins with that sign";
    static const char *const tag = "tags (!) are not taken; write the value in quotation marks if "
                                   "it begins with that sign";
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return anchor;
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor) return anchor;
        if (event->data.scalar.tag) return tag;
        if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
            return "a text with a NUL in it is not taken";
        return NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor ? anchor
               : event->data.mapping_start.tag  ? tag
                                                : NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor ? anchor
               : event->data.sequence_start.tag  ? tag
                                                 : NULL;
    default:
        return NULL;
    }
}

static bool is_null(const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static int read_mapping(struct input *input, int depth);

/* Texts alone, handed over as one with a line for each. */
static int read_list(struct input *input, size_t line) {
    struct wr_buffer text;
    int code = WEIR_OK;
    bool more = true;
    wr_buffer_init(&text, MOST_LIST);
    wr_buffer_add(&text, "", 0);
    while (code == WEIR_OK && more && !input->broken) {
        yaml_event_t event;
        code = next(input, &event);
        if (code || input->broken) break;
        more = event.type != YAML_SEQUENCE_END_EVENT;
        size_t item = event.start_mark.line + 1;
        const char *value =
            event.type == YAML_SCALAR_EVENT ? (const char *)event.data.scalar.value : NULL;
        const char *refusal = !more               ? NULL
                              : not_taken(&event) ? not_taken(&event)
                              : !value || !*value || strchr(value, '\n')
                                  ? "a list is made of texts, each of one line"
                                  : NULL;
        if (refusal) {
            code = problem(input, item, refusal);
            if (code == WEIR_OK) code = skip(input, &event);
        } else if (more) {
            if (text.length > 0) wr_buffer_char(&text, '\n');
            wr_buffer_text(&text, value);
        }
        yaml_event_delete(&event);
    }
    if (code == WEIR_OK && text.failed) code = wr_error_memory(input->error);
    const struct wr_yaml_reader *reader = input->reader;
    if (code == WEIR_OK && !input->broken)
        code = reader->value(reader->context, input->path.data, text.data ? text.data : "", line,
                             input->error);
    wr_buffer_reset(&text);
    return code;
}

static int read_value(struct input *input, const yaml_event_t *event, size_t line, int depth) {
    const struct wr_yaml_reader *reader = input->reader;
    const char *refusal = not_taken(event);
    bool enter = false, is_list = event->type == YAML_SEQUENCE_START_EVENT;
    if (refusal) {
        WR_TRY(problem(input, line, refusal));
        return skip(input, event);
    }
    if (event->type == YAML_SCALAR_EVENT) {
        const char *text = is_null(event) ? NULL : (const char *)event->data.scalar.value;
        return reader->value(reader->context, input->path.data, text, line, input->error);
    }
    if (depth == MOST_DEPTH)
        WR_TRY(problem(input, line, "mappings are nested more than 16 deep"));
    else
        WR_TRY(reader->mapping(reader->context, input->path.data, is_list, line, &enter,
                               input->error));
    if (enter && is_list) return read_list(input, line);
    return enter ? read_mapping(input, depth + 1) : skip(input, event);
}

/* The path grows by the key, and shrinks again behind the value. */
static int read_entry(struct input *input, const yaml_event_t *key, int depth) {
    size_t length = input->path.length, line = key->start_mark.line + 1;
    yaml_event_t value;
    const char *refusal = key->type == YAML_SCALAR_EVENT ? not_taken(key) : "a key must be a text";
    if (!refusal && key->data.scalar.length == 0) refusal = "a key is empty";
    if (!refusal && length + key->data.scalar.length + 1 >= MOST_PATH)
        refusal = "a key is too long";
    if (refusal) {
        WR_TRY(problem(input, line, refusal));
        WR_TRY(skip(input, key));
    } else {
        if (length > 0) wr_buffer_char(&input->path, '.');
        wr_buffer_text(&input->path, (const char *)key->data.scalar.value);
        if (input->path.failed) return wr_error_memory(input->error);
    }
    if (input->broken) return WEIR_OK;
    WR_TRY(next(input, &value));
    int code = refusal         ? skip(input, &value)
               : input->broken ? WEIR_OK
                               : read_value(input, &value, line, depth);
    yaml_event_delete(&value);
    input->path.length = length;
    if (input->path.data) input->path.data[length] = '\0';
    return code;
}

static int read_mapping(struct input *input, int depth) {
    for (bool more = true; more && !input->broken;) {
        yaml_event_t key;
        WR_TRY(next(input, &key));
        more = key.type != YAML_MAPPING_END_EVENT;
        int code = more && !input->broken ? read_entry(input, &key, depth) : WEIR_OK;
        yaml_event_delete(&key);
        WR_TRY(code);
    }
    return WEIR_OK;
}

/* ---- Documents ---- */

static int read_root(struct input *input, const yaml_event_t *event) {
    size_t line = event->start_mark.line + 1;
    if (event->type == YAML_MAPPING_START_EVENT && !not_taken(event)) return read_mapping(input, 0);
    if (event->type == YAML_SCALAR_EVENT && !not_taken(event) && is_null(event)) return WEIR_OK;
    const char *refusal = not_taken(event);
    WR_TRY(problem(input, line,
                   refusal ? refusal
                           : "a configuration is made of lines like \"threads: 4\"; this is none"));
    return skip(input, event);
}

static int read_stream(struct input *input) {
    size_t n_documents = 0;
    for (bool more = true; more && !input->broken;) {
        yaml_event_t event;
        int code = next(input, &event);
        size_t line = event.start_mark.line + 1;
        if (code || input->broken) return code;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_STREAM_END_EVENT:
            more = false;
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (n_documents++ == 0) break;
            code = problem(input, line, "a second document begins; a configuration is one");
            more = false;
            break;
        default:
            code = read_root(input, &event);
        }
        yaml_event_delete(&event);
        WR_TRY(code);
    }
    return WEIR_OK;
}

int wr_yaml_read(const struct wr_yaml_reader *reader, const char *text, size_t length,
                 struct weir_error *error) {
    struct input input = {.reader = reader, .text = text, .length = length, .error = error};
    if (!yaml_parser_initialize(&input.parser)) return wr_error_memory(error);
    yaml_parser_set_encoding(&input.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&input.parser, (const unsigned char *)text, length);
    wr_buffer_init(&input.path, MOST_PATH);
    int code = read_stream(&input);
    wr_buffer_reset(&input.path);
    yaml_parser_delete(&input.parser);
    return code;
}
