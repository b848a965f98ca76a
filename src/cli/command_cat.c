/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "watch.h"

static int copy(int fd, const char *path, struct sink *sink, struct weir_error *error) {
    char piece[65536];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0) return WEIR_OK;
        if (n < 0 && errno == EINTR && !watch_interrupted()) continue;
        if (n < 0) return wr_error_errno(error, errno, "cannot read %s", path);
        int errnum = sink_write(sink, piece, (size_t)n);
        if (errnum != 0) return wr_error_errno(error, errnum, "cannot write %s", path);
    }
}

/* The bytes of a file, as they are. */
static int print_bytes(struct cli *cli, const char *path) {
    struct weir_error error = {0};
    struct sink *sink = &cli->standard;
    int code = WEIR_OK;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) code = wr_error_errno(&error, errno, "cannot read %s", path);
    if (code == WEIR_OK && cli->file_path != NULL) {
        sink = &cli->file;
        code = sink_open_file(sink, cli->file_path, &error);
    }
    if (code == WEIR_OK) code = copy(fd, path, sink, &error);
    if (fd >= 0) close(fd);
    if (code == WEIR_OK) code = place_done(cli, &error);
    if (code == WEIR_OK) return CLI_DONE;
    if (watch_interrupted()) return 128 + watch_interrupted();
    if (cli->standard.broken) return CLI_CLOSED;
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}

static bool is_plain_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode) && node_kind(path) == NULL;
}

/* Says so when a name is that of nothing. A path is left to the statement that reads it. */
static bool is_table(struct cli *cli, const char *text) {
    struct weir_error error = {0};
    struct weir_statement *statement = NULL;

    if (node_is_path(text)) return true;
    int code = node_prepare(cli, text, &statement, &error);
    weir_statement_close(statement);
    if (code != WEIR_OK) complain(cli, &error, NULL, 0);
    return code == WEIR_OK;
}

static int query(struct cli *cli, const char *path, const char *sql) {
    struct weir_error error = {0};

    if (node_is_path(path)) {
        if (weir_register_path(cli->session, "data", path, &error) != WEIR_OK) {
            complain(cli, &error, NULL, 0);
            return CLI_FAILED;
        }
    } else {
        struct wr_buffer view;
        if (!is_table(cli, path)) return CLI_FAILED;
        wr_buffer_init(&view, 1 << 20);
        wr_buffer_text(&view, "CREATE OR REPLACE TEMPORARY VIEW data AS SELECT * FROM ");
        node_from(&view, path);
        int code = view.failed ? CLI_FAILED : run_sql(cli, view.data);
        wr_buffer_reset(&view);
        if (code != CLI_DONE) return code;
    }
    struct source source = {.text = sql};
    while (sql[source.length] != '\0')
        source.length++;
    return script_run(cli, &source);
}

int command_cat(struct cli *cli) {
    const char *path = cli->arguments->path;
    struct wr_buffer sql;

    /* Rows for another program are CSV, unless the output's name says otherwise. */
    if (cli->output.format == NULL &&
        (cli->file_path == NULL ? !cli->standard.terminal
                                : output_format_of_path(cli->file_path) == NULL))
        cli->output.format = output_format_named("csv");
    if (cli->arguments->query != NULL) return query(cli, path, cli->arguments->query);
    if (cli->arguments->bytes || is_plain_file(path)) return print_bytes(cli, path);
    if (!is_table(cli, path)) return CLI_FAILED;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "SELECT * FROM ");
    node_from(&sql, path);
    int code = sql.failed ? CLI_FAILED : run_sql(cli, sql.data);
    wr_buffer_reset(&sql);
    return code;
}
