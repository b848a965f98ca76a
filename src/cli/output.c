/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

static const struct output_format formats[] = {
    {"table", STYLE_TABLE, false, "txt "},
    {"box", STYLE_BOX, false, ""},
    {"csv", STYLE_ENCODED, false, "csv "},
    {"tsv", STYLE_ENCODED, false, "tsv tab "},
    {"json", STYLE_ENCODED, false, "json "},
    {"jsonl", STYLE_ENCODED, false, "jsonl ndjson "},
    {"markdown", STYLE_MARKDOWN, false, "md "},
    {"line", STYLE_LINE, false, ""},
    {"arrow", STYLE_ENCODED, true, "arrow feather "},
    {"arrows", STYLE_ENCODED, true, "arrows "},
    {"parquet", STYLE_ENCODED, true, "parquet pq "},
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

const struct output_format *output_format_named(const char *name) {
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcasecmp(formats[i].name, name) == 0) return &formats[i];
    }
    return NULL;
}

const struct output_format *output_format_of_path(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash == NULL ? path : slash, '.');

    if (dot == NULL || dot[1] == '\0' || strchr(dot, ' ') != NULL) return NULL;
    size_t n = strlen(dot + 1);
    for (size_t i = 0; i < N_FORMATS; i++) {
        for (const char *at = formats[i].extensions; *at != '\0'; at = strchr(at, ' ') + 1) {
            if (strncasecmp(at, dot + 1, n) == 0 && at[n] == ' ') return &formats[i];
        }
    }
    return NULL;
}

const char *output_format_names(void) {
    return "table, box, csv, tsv, json, jsonl, markdown, line, arrow, arrows, parquet";
}

size_t output_format_list(const char **ret_names, size_t most) {
    size_t n = 0;
    while (n < N_FORMATS && n < most) {
        ret_names[n] = formats[n].name;
        n++;
    }
    return n;
}

const char *output_cell(const struct ArrowArray *batch, int64_t column, int64_t row,
                        size_t *ret_length) {
    const struct ArrowArray *array = batch->children[column];
    const uint8_t *valid = array->buffers[0];
    const int32_t *offsets = array->buffers[1];
    int64_t i = batch->offset + array->offset + row;

    *ret_length = 0;
    if (valid != NULL && (valid[i / 8] >> (i % 8) & 1) == 0) return NULL;
    *ret_length = (size_t)(offsets[i + 1] - offsets[i]);
    return array->buffers[2] == NULL ? "" : (const char *)array->buffers[2] + offsets[i];
}

static int encode(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                  struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct weir_option options[2];
    size_t n = 0;

    if (strcmp(settings->format->name, "csv") == 0 || strcmp(settings->format->name, "tsv") == 0) {
        options[n++] = (struct weir_option){"header", settings->header ? "true" : "false"};
        if (settings->null_text != NULL)
            options[n++] = (struct weir_option){"null", settings->null_text};
    }
    WR_TRY(tap_stream(tap, &rows, error));
    return weir_encode(&rows, settings->format->name, options, n, sink_write, sink, error);
}

int output_rows(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                struct weir_error *error) {
    int code;

    switch (settings->format->style) {
    case STYLE_ENCODED:
        code = encode(tap, settings, sink, error);
        break;
    case STYLE_LINE:
        code = output_line(tap, settings, sink, error);
        break;
    default:
        code = output_table(tap, settings, sink, error);
        break;
    }
    if (code == WEIR_OK && sink->broken)
        code = wr_error_set(error, WEIR_IO, NULL, "the reader of the output went away");
    return code;
}
