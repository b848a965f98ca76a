/* SPDX-License-Identifier: Apache-2.0 */
/* One value a line, names aligned at the right, rows parted by an empty line. */
#include <string.h>

#include "base/error.h"
#include "output.h"
#include "text.h"

static void put_row(const struct ArrowSchema *schema, const struct ArrowArray *batch, int64_t row,
                    int name_width, const struct output_settings *settings,
                    struct wr_buffer *line) {
    for (int64_t c = 0; c < schema->n_children; c++) {
        const char *name = schema->children[c]->name;
        size_t length;
        const char *value = output_cell(batch, c, row, &length);

        if (settings->header) {
            int pad = name_width - text_width(name, strlen(name));
            wr_buffer_format(line, "%*s", pad, "");
            text_clean(line, name, strlen(name));
            wr_buffer_text(line, " = ");
        }
        if (value == NULL)
            wr_buffer_text(line, settings->null_text ? settings->null_text : "NULL");
        else
            text_clean(line, value, length);
        wr_buffer_char(line, '\n');
    }
}

static int put_batches(struct ArrowArrayStream *rows, const struct output_settings *settings,
                       struct sink *sink, struct wr_buffer *line, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    int name_width = 0;
    bool first = true;
    int code = wr_arrow_stream_schema(rows, "result", &schema, error);

    for (int64_t c = 0; code == WEIR_OK && c < schema.n_children; c++) {
        int width = text_width(schema.children[c]->name, strlen(schema.children[c]->name));
        if (width > name_width) name_width = width;
    }
    while (code == WEIR_OK && (code = wr_arrow_stream_next(rows, "result", &batch, error)) == 0) {
        if (batch.release == NULL) break;
        for (int64_t row = 0; code == WEIR_OK && row < batch.length; row++) {
            wr_buffer_clear(line);
            if (!first) wr_buffer_char(line, '\n');
            first = false;
            put_row(&schema, &batch, row, name_width, settings, line);
            code = sink_put(sink, line, error);
        }
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_schema(&schema);
    return code;
}

int output_line(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                struct weir_error *error) {
    struct ArrowArrayStream rows = {0}, text = {0};
    struct wr_buffer line;

    WR_TRY(tap_stream(tap, &rows, error));
    int code = weir_text(&rows, &text, error);
    if (code != WEIR_OK) {
        wr_arrow_release_stream(&rows);
        return code;
    }
    wr_buffer_init(&line, INT32_MAX);
    code = put_batches(&text, settings, sink, &line, error);
    wr_buffer_reset(&line);
    wr_arrow_release_stream(&text);
    return code;
}
