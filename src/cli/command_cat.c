/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a table, or the bytes of a file. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"

/* ---- Bytes ---- */

static int copy_bytes(struct weir_file *file, struct sink *sink, struct weir_error *error) {
    enum { PIECE = 1 << 18 };
    char *piece = wr_malloc(PIECE);
    int64_t offset = 0;
    size_t length = PIECE;
    int code = piece == NULL ? wr_error_memory(error) : WEIR_OK;

    while (code == WEIR_OK && length == PIECE) {
        if (work_stopped(WEIR_OK)) {
            code = wr_error_set(error, WEIR_CANCELLED, NULL, "cancelled");
            break;
        }
        code = weir_file_read(file, offset, piece, PIECE, &length, error);
        if (code != WEIR_OK || length == 0) break;
        offset += (int64_t)length;
        int errnum = sink_write(sink, piece, length);
        if (errnum != 0) code = wr_error_errno(error, errnum, "cannot write the output");
    }
    wr_free(piece);
    return code;
}

static bool is_binary(const char *encoding) {
    const struct output_format *format = encoding == NULL ? NULL : output_format_named(encoding);
    return format != NULL && format->binary;
}

/* `encoding` NULL: as the path asks, or the file's own bytes. */
static int print_bytes(struct cli *cli, struct weir_node *node, const char *encoding,
                       struct weir_error *error) {
    struct weir_file_info info = {.size = sizeof info};
    struct sink *sink = &cli->standard;
    struct weir_file *file = NULL;

    WR_TRY(weir_file_open(node, encoding, &file, error));
    weir_file_describe(file, &info);
    int code = WEIR_OK;
    if (cli->file_path != NULL) {
        sink = &cli->file;
        code = sink_open_file(sink, cli->file_path, error);
    } else if (sink->terminal && is_binary(info.encoding)) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s is not text and would upset the terminal: give -o FILE, or send "
                            "it on",
                            info.encoding);
    }
    if (code == WEIR_OK) code = copy_bytes(file, sink, error);
    weir_file_close(file);
    return code == WEIR_OK ? place_done(cli, error) : code;
}

/* ---- Rows ---- */

/* `info` NULL: only a server knows what it is. */
static void put_from(struct wr_buffer *sql, const char *path, const struct weir_node_info *info) {
    if (info == NULL)
        node_from_text(sql, path);
    else
        node_from(sql, path, info);
}

static int print_rows(struct cli *cli, const char *path, const struct weir_node_info *info) {
    struct weir_error error = {0};
    struct wr_buffer sql;

    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "SELECT * FROM ");
    put_from(&sql, path, info);
    parameters_call(cli, &sql);
    int code = sql.failed ? run_failed(cli, 0, (wr_error_memory(&error), &error), NULL, 0)
                          : run_sql(cli, sql.data);
    wr_buffer_reset(&sql);
    return code;
}

/* The SQL's own parameters are those of --param. */
static int query(struct cli *cli, const char *path, const struct weir_node_info *info) {
    struct source source = {.text = cli->arguments->query, .length = strlen(cli->arguments->query)};
    struct wr_buffer view;
    struct weir_error error = {0};

    wr_buffer_init(&view, 1 << 20);
    wr_buffer_text(&view, "CREATE OR REPLACE TEMPORARY VIEW data AS SELECT * FROM ");
    put_from(&view, path, info);
    int code = view.failed ? run_failed(cli, 0, (wr_error_memory(&error), &error), NULL, 0)
                           : run_sql(cli, view.data);
    wr_buffer_reset(&view);
    return code == CLI_DONE ? script_run(cli, &source) : code;
}

/* ---- Which of them ---- */

/* A table's path with an extension under which no file lies asks for the table as such a file. */
static bool asks_for_file(const struct cli *cli, const struct weir_node_info *info) {
    if (cli->arguments->format != NULL ||
        (cli->file_path != NULL && output_format_of_path(cli->file_path) != NULL))
        return false;
    if (info->encoding == NULL || info->n_bytes >= 0) return false;
    /* The extension in a pattern is that of the files. */
    return info->type != WEIR_NODE_SERIES || strpbrk(info->path, "*?[{") == NULL;
}

static int print(struct cli *cli, const char *path, const struct weir_node_info *info) {
    /* Rows for another program are CSV, unless the output's name says otherwise. */
    if (cli->output.format == NULL &&
        (cli->file_path == NULL ? !cli->standard.terminal
                                : output_format_of_path(cli->file_path) == NULL))
        cli->output.format = output_format_named("csv");
    return cli->arguments->query != NULL ? query(cli, path, info) : print_rows(cli, path, info);
}

int command_cat(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    const char *path = arguments->paths[0];
    const char *encoding =
        arguments->bytes && arguments->format != NULL ? arguments->format->name : NULL;
    struct weir_error error = {0};
    struct weir_node *node = NULL;
    struct weir_node_info info;
    bool bytes = arguments->bytes;

    if (!cli_is_local(cli)) return print(cli, path, NULL);
    int code = work_begin(cli, &error);
    if (code == WEIR_OK) code = node_open(cli, path, &node, &info, &error);
    if (code == WEIR_OK && !bytes && arguments->query == NULL)
        bytes = info.type == WEIR_NODE_FILE || asks_for_file(cli, &info);
    if (code == WEIR_OK && bytes) {
        code = print_bytes(cli, node, encoding, &error);
    } else if (code == WEIR_OK && !info.is_table) {
        struct ArrowSchema schema = {0};
        code = weir_node_schema(node, &schema, &error); /* says why it has none */
        wr_arrow_release_schema(&schema);
    }
    int exit_code = work_end(cli, code, &error);
    if (exit_code == CLI_DONE && !bytes) exit_code = print(cli, path, &info);
    weir_node_close(node);
    return exit_code;
}
