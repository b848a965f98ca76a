/* SPDX-License-Identifier: Apache-2.0 */
/* Results as text or as a file's bytes, into a sink. */
#ifndef WR_CLI_OUTPUT_H
#define WR_CLI_OUTPUT_H

#include "sink.h"
#include "tap.h"

enum output_style { STYLE_ENCODED, STYLE_TABLE, STYLE_BOX, STYLE_MARKDOWN, STYLE_LINE };

struct output_format {
    const char *name;
    enum output_style style;
    bool binary;
    const char *extensions; /* separated and ended by blanks */
};

struct output_settings {
    const struct output_format *format;
    const char *null_text; /* NULL: the format's own */
    bool header;
    int64_t
        max_rows; /* rows of a table to show, half from its start and half from its end; 0: all */
    int width;    /* columns of the terminal that a table has to fit into; 0: any */
    bool colour;
    bool unicode;
    bool footer; /* say how many rows there are */
};

/* NULL when there is none of that name. */
const struct output_format *output_format_named(const char *name);
/* By a path's extension; NULL when it is not one of a format. */
const struct output_format *output_format_of_path(const char *path);
/* The names, separated by ", ". */
const char *output_format_names(void);
size_t output_format_list(const char **ret_names, size_t most);

/* Reads the tap to its end and writes it. On failure the tap or the sink may know more:
 * tap->failed, sink->broken. */
int output_rows(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                struct weir_error *error);

/* output_table.c, output_line.c */
int output_table(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                 struct weir_error *error);
int output_line(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                struct weir_error *error);

/* One utf8 value of a batch that weir_text made; NULL for NULL. `row` counts from the batch's
 * start. */
const char *output_cell(const struct ArrowArray *batch, int64_t column, int64_t row,
                        size_t *ret_length);

#endif
