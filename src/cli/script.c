/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "shell.h"
#include "watch.h"

enum { MOST_SCRIPT_BYTES = 1 << 30 };

/* Past blanks, line comments and stray semicolons, none of which hide a dot command behind them. */
static size_t skip_blanks(const struct source *source, size_t at) {
    const char *text = source->text;

    while (at < source->length) {
        if (strchr(" \t\r\n\f\v;", text[at]) != NULL && text[at] != '\0') {
            at++;
        } else if (text[at] == '-' && at + 1 < source->length && text[at + 1] == '-') {
            while (at < source->length && text[at] != '\n')
                at++;
        } else {
            break;
        }
    }
    return at;
}

static int run_line(struct cli *cli, const struct source *source, size_t *at) {
    const char *start = source->text + *at;
    const char *end = memchr(start, '\n', source->length - *at);
    size_t length = end == NULL ? source->length - *at : (size_t)(end - start);

    *at += length;
    char *line = wr_strndup(start, length);
    if (line == NULL) {
        struct weir_error error = {0};
        wr_error_memory(&error);
        complain(cli, &error, NULL, 0);
        return CLI_FAILED;
    }
    int code = shell_command(cli, line);
    wr_free(line);
    return code;
}

int script_run(struct cli *cli, const struct source *source) {
    size_t at = 0;
    int worst = CLI_DONE;

    while ((at = skip_blanks(source, at)) < source->length && !cli->quit) {
        const char *statement;
        size_t length;
        int code;

        if (source->text[at] == '.' || source->text[at] == '\\') {
            code = run_line(cli, source, &at);
        } else {
            if (!weir_script_next(source->text, source->length, &at, &statement, &length, NULL))
                break;
            code = run_statement(cli, source, (size_t)(statement - source->text), length);
        }
        if (code == CLI_DONE) continue;
        worst = code;
        if (code != CLI_FAILED || !cli->arguments->keep_going) break;
    }
    return worst;
}

static int read_all(int fd, const char *path, struct wr_buffer *text, struct weir_error *error) {
    char piece[65536];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0) return WEIR_OK;
        if (n < 0 && errno == EINTR && !watch_interrupted()) continue;
        if (n < 0) return wr_error_errno(error, errno, "cannot read %s", path);
        wr_buffer_add(text, piece, (size_t)n);
        if (text->failed && text->length + (size_t)n > MOST_SCRIPT_BYTES)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000",
                                "%s is longer than a script may be (1 GiB)", path);
        if (text->failed) return wr_error_memory(error);
    }
}

int script_read(const char *path, char **ret_text, size_t *ret_length, struct weir_error *error) {
    bool standard = strcmp(path, "-") == 0;
    struct wr_buffer text;

    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wr_error_errno(error, errno, "cannot read %s", path);
    wr_buffer_init(&text, MOST_SCRIPT_BYTES);
    wr_buffer_text(&text, "");
    int code = read_all(fd, standard ? "standard input" : path, &text, error);
    if (!standard) close(fd);
    if (code == WEIR_OK) {
        *ret_length = text.length;
        *ret_text = wr_buffer_take(&text);
    }
    wr_buffer_reset(&text);
    return code;
}

int script_run_file(struct cli *cli, const char *path) {
    struct weir_error error = {0};
    struct source source = {.name = strcmp(path, "-") == 0 ? NULL : path};
    char *text;

    if (script_read(path, &text, &source.length, &error) != WEIR_OK) {
        if (watch_interrupted()) return 128 + watch_interrupted();
        complain(cli, &error, NULL, 0);
        return CLI_FAILED;
    }
    source.text = text;
    int code = script_run(cli, &source);
    wr_free(text);
    return code;
}
