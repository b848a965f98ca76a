/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "text.h"

/* The columns as rows: name, type, nullable. */
static int columns_as_rows(const struct ArrowSchema *schema, struct ArrowArrayStream *ret_rows,
                           struct weir_error *error) {
    static const struct rows_column columns[] = {
        {"column_name", 'u'}, {"data_type", 'u'}, {"nullable", 'u'}};
    struct wr_buffer type;
    struct rows *rows;

    WR_TRY(rows_new(columns, 3, &rows, error));
    wr_buffer_init(&type, 1 << 20);
    for (int64_t i = 0; i < schema->n_children; i++) {
        wr_buffer_clear(&type);
        text_type_name(&type, schema->children[i]);
        rows_text(rows, schema->children[i]->name);
        rows_text(rows, type.data);
        rows_text(rows, schema->children[i]->flags & ARROW_FLAG_NULLABLE ? "yes" : "no");
    }
    wr_buffer_reset(&type);
    return rows_finish(rows, ret_rows, error);
}

static int read_schema(struct cli *cli, const char *text, struct ArrowSchema *ret_schema,
                       struct weir_error *error) {
    struct weir_statement *statement = NULL;
    int code = node_prepare(cli, text, &statement, error);

    if (code == WEIR_OK) code = weir_statement_schema(statement, ret_schema, error);
    weir_statement_close(statement);
    return code;
}

/* How many rows, where that costs no reading of them: Parquet says it in its footers. -1: not
 * known. */
static int64_t count_rows(struct cli *cli, const char *path) {
    struct ArrowArrayStream rows = {0}, text = {0};
    struct ArrowArray batch = {0};
    struct wr_buffer sql;
    int64_t count = -1;
    size_t length;

    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "SELECT count(*) FROM ");
    node_from(&sql, path);
    if (!sql.failed && weir_query(cli->session, sql.data, &rows, NULL, NULL) == WEIR_OK &&
        weir_text(&rows, &text, NULL) == WEIR_OK &&
        wr_arrow_stream_next(&text, "result", &batch, NULL) == WEIR_OK && batch.release != NULL &&
        batch.length == 1) {
        char number[32];
        const char *value = output_cell(&batch, 0, 0, &length);
        snprintf(number, sizeof number, "%.*s", (int)length, value);
        if (!text_parse_int(number, 0, INT64_MAX, &count)) count = -1;
    }
    wr_arrow_release_array(&batch);
    wr_arrow_release_stream(&text);
    wr_arrow_release_stream(&rows);
    wr_buffer_reset(&sql);
    return count;
}

/* What is known besides the columns: for people, so only with the table styles. */
static void put_facts(struct cli *cli, const char *text, struct sink *sink) {
    struct node_files files;
    char number[64];
    struct wr_buffer facts;

    wr_buffer_init(&facts, 1 << 20);
    wr_buffer_format(&facts, "%s\n", text);
    if (node_is_path(text) && node_files(text, &files)) {
        if (files.kind != NULL) wr_buffer_format(&facts, "  format  %s\n", files.kind);
        wr_buffer_format(&facts, "  files   %s\n", text_count(files.n_files, number));
        wr_buffer_format(&facts, "  size    %s\n", text_bytes(files.bytes, number));
        int64_t rows =
            files.kind != NULL && strcmp(files.kind, "parquet") == 0 ? count_rows(cli, text) : -1;
        if (rows >= 0) wr_buffer_format(&facts, "  rows    %s\n", text_count(rows, number));
    }
    (void)sink_put(sink, &facts, NULL);
    wr_buffer_reset(&facts);
}

int describe_node(struct cli *cli, const char *text) {
    struct weir_error error = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows = {0};
    struct output_settings settings;
    struct sink *sink;

    int code = read_schema(cli, text, &schema, &error);
    if (code == WEIR_OK) code = place_open(cli, &sink, &settings, &error);
    if (code == WEIR_OK &&
        (settings.format->style == STYLE_TABLE || settings.format->style == STYLE_BOX))
        put_facts(cli, text, sink);
    if (code == WEIR_OK) code = columns_as_rows(&schema, &rows, &error);
    wr_arrow_release_schema(&schema);
    if (code == WEIR_OK) {
        int64_t max_rows = cli->output.max_rows; /* a schema is shown whole */
        cli->output.max_rows = 0;
        code = run_rows(cli, &rows);
        cli->output.max_rows = max_rows;
        return code;
    }
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}

int command_describe(struct cli *cli) {
    return describe_node(cli, cli->arguments->path);
}
