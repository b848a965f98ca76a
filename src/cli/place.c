/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"

static const struct output_format *default_format(const struct cli *cli) {
    bool box = cli->standard.terminal && cli->output.unicode;
    return output_format_named(box ? "box" : "table");
}

static int open_file(struct cli *cli, struct output_settings *settings, struct weir_error *error) {
    /* In the shell a known extension says more than the mode, which was chosen for the screen. */
    const struct output_format *by_path = output_format_of_path(cli->file_path);
    if (by_path != NULL && (cli->interactive || settings->format == NULL))
        settings->format = by_path;
    if (settings->format == NULL) {
        if (!cli->interactive)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "the extension of %s is not one of a format; give --format",
                                cli->file_path);
        settings->format = output_format_named("table");
    }
    settings->max_rows = cli->arguments->max_rows > 0 ? cli->arguments->max_rows : 0;
    settings->width = 0;
    settings->colour = settings->footer = false;
    return cli->file.path != NULL ? WEIR_OK : sink_open_file(&cli->file, cli->file_path, error);
}

static void set_up_screen(struct cli *cli, struct output_settings *settings) {
    int lines;

    if (settings->format == NULL) settings->format = default_format(cli);
    if (!cli->standard.terminal) return;
    cli_measure_terminal(cli, &lines);
    settings->width = cli->output.width;
    settings->footer = true;
    if (cli->interactive) sink_use_pager(&cli->standard, cli->pager, lines);
}

int place_open(struct cli *cli, struct sink **ret_sink, struct output_settings *ret_settings,
               struct weir_error *error) {
    *ret_settings = cli->output;
    if (cli->file_path != NULL) {
        WR_TRY(open_file(cli, ret_settings, error));
        *ret_sink = &cli->file;
    } else {
        set_up_screen(cli, ret_settings);
        *ret_sink = &cli->standard;
    }
    if (ret_settings->format->style == STYLE_MARKDOWN && cli->arguments->max_rows < 0)
        ret_settings->max_rows = 0;
    if (ret_settings->format->style == STYLE_MARKDOWN) ret_settings->footer = false;
    if (!ret_settings->format->binary) return WEIR_OK;
    if ((*ret_sink)->terminal)
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL,
            "%s is not text and would upset the terminal: give -o FILE, or send it on",
            ret_settings->format->name);
    if (cli->results > 0)
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL,
            "a file of format %s holds one result, and another statement gives rows",
            ret_settings->format->name);
    return WEIR_OK;
}

int place_done(struct cli *cli, struct weir_error *error) {
    cli->results++;
    if (cli->once) return place_change(cli, NULL, false, error);
    if (cli->file_path != NULL) return WEIR_OK;
    int errnum = sink_flush(&cli->standard);
    return errnum == 0 ? WEIR_OK : wr_error_errno(error, errnum, "cannot write standard output");
}

int place_change(struct cli *cli, const char *path, bool once, struct weir_error *error) {
    char *copy = NULL;
    if (path != NULL && (copy = wr_strdup(path)) == NULL) return wr_error_memory(error);
    int code = cli->file.path == NULL ? WEIR_OK : sink_commit(&cli->file, error);
    wr_free(cli->file_path);
    cli->file_path = copy;
    cli->once = once;
    cli->results = 0;
    return code;
}
