/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "text.h"
#include "watch.h"

enum { DEFAULT_MAX_ROWS = 40, DEFAULT_COLUMNS = 80, DEFAULT_LINES = 24 };

static bool wants_colour(int fd) {
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fd) == 1 && (no == NULL || no[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

/* True when the terminal takes UTF-8. Widths are those of Unicode in any case, as the values are
 * UTF-8. */
static bool set_locale(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0) return true;
    setlocale(LC_CTYPE, "C.UTF-8");
    return false;
}

void cli_measure_terminal(struct cli *cli, int *ret_lines) {
    struct winsize size;
    int64_t columns = DEFAULT_COLUMNS;

    *ret_lines = DEFAULT_LINES;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
        *ret_lines = size.ws_row;
    } else if (getenv("COLUMNS") != NULL) {
        (void)text_parse_int(getenv("COLUMNS"), 1, INT32_MAX, &columns);
    }
    cli->output.width = (int)columns;
}

void cli_begin(struct cli *cli, const struct arguments *arguments) {
    *cli = (struct cli){.arguments = arguments, .timing = arguments->timing};
    cli->output.unicode = set_locale();
    sink_open_standard(&cli->standard);
    cli->colour_errors = wants_colour(STDERR_FILENO);
    cli->output.format = arguments->format;
    cli->output.null_text = arguments->null_text;
    cli->output.header = !arguments->no_header;
    cli->output.colour = wants_colour(STDOUT_FILENO);
    cli->output.max_rows = arguments->max_rows >= 0 ? arguments->max_rows
                           : cli->standard.terminal ? DEFAULT_MAX_ROWS
                                                    : 0;
}

/* ---- The workspace ---- */

/* The configuration is loaded here too: for what the program itself needs of it, and so that a
 * mistake in it counts as wrong usage. */
static int read_configuration(struct arguments *arguments, const struct found_workspace *found,
                              struct weir_error *error) {
    struct wr_config *config = NULL;

    WR_TRY(config_load(arguments, found, &config, error));
    if (arguments->timeout_ms == 0)
        arguments->timeout_ms = wr_config_int(config, "statement_timeout");
    wr_config_free(config);
    config_warn_strays();
    return WEIR_OK;
}

static int open_workspace(struct cli *cli, const struct found_workspace *found,
                          struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    struct weir_option *settings = NULL;
    struct weir_workspace_options workspace = {
        .size = sizeof workspace,
        .path = found->directory[0] == '\0' ? NULL : found->directory,
        .memory_limit = arguments->memory_limit,
        .threads = (int32_t)arguments->threads,
        .config = found->file,
        .preset = arguments->command == COMMAND_SERVE ? "server" : NULL,
    };

    WR_TRY(settings_of_workspace(arguments, &settings, &workspace.n_settings, error));
    workspace.settings = settings;
    watch_block(true); /* the engine's threads leave the signals to us */
    int code = weir_workspace_open(&workspace, &cli->workspace, error);
    if (code == WEIR_OK) code = weir_session_open(cli->workspace, NULL, &cli->session, error);
    if (code == WEIR_OK) code = connection_local(cli->session, &cli->connection, error);
    watch_block(false);
    wr_free(settings);
    return code;
}

bool cli_is_local(const struct cli *cli) {
    return cli->session != NULL;
}

static int open_server(struct cli *cli, struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    const struct connection_server server = {
        .uri = arguments->connect,
        .password_file = arguments->password_file,
        .token_file = arguments->token_file,
        .tls_ca = arguments->tls_ca,
        .tls_certificate = arguments->tls_certificate,
        .tls_key = arguments->tls_key,
    };
    return connection_remote(&server, &cli->connection, error);
}

/* With the connection there is. */
static int open_rest(struct cli *cli, struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;

    int code = settings_apply(cli, error);
    if (code != WEIR_OK) return code;
    for (size_t i = 0; i < arguments->tables.n_items; i++) {
        const struct weir_option *table = &arguments->tables.items[i];
        code = weir_register_path(cli->session, table->key, table->value, error);
        if (code != WEIR_OK) return wr_error_prefix(error, code, "--table %s", table->key);
    }
    code = wr_options_copy(arguments->parameters.items, arguments->parameters.n_items,
                           &cli->parameters, error);
    if (code == WEIR_OK &&
        (cli->parameter_used = wr_calloc(cli->parameters.n_items + 1, 1)) == NULL)
        code = wr_error_memory(error);
    if (code == WEIR_OK && arguments->output != NULL)
        code = place_change(cli, arguments->output, false, error);
    return code;
}

static int open_here(struct cli *cli, struct arguments *arguments) {
    struct weir_error error = {0};
    struct found_workspace found;

    if (find_workspace(arguments, &found, &error) != WEIR_OK ||
        read_configuration(arguments, &found, &error) != WEIR_OK) {
        error.sqlstate[0] = '\0';
        complain(cli, &error, NULL, 0);
        return CLI_USAGE;
    }
    cli->in_workspace = found.directory[0] != '\0';
    if (open_workspace(cli, &found, &error) == WEIR_OK && open_rest(cli, &error) == WEIR_OK)
        return CLI_DONE;
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}

static int open_there(struct cli *cli) {
    struct weir_error error = {0};

    int code = open_server(cli, &error);
    if (code == WEIR_INVALID_ARGUMENT) error.sqlstate[0] = '\0';
    if (code == WEIR_CANCELLED && watch_interrupted()) {
        fprintf(stderr, "interrupted\n");
        return 128 + watch_interrupted();
    }
    if (code != WEIR_OK) {
        complain(cli, &error, NULL, 0);
        return code == WEIR_INVALID_ARGUMENT ? CLI_USAGE : CLI_NO_CONNECTION;
    }
    if (open_rest(cli, &error) == WEIR_OK) return CLI_DONE;
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}

int cli_open(struct cli *cli, struct arguments *arguments) {
    struct weir_error error = {0};

    cli_begin(cli, arguments);
    if (arguments->output != NULL && arguments->format == NULL &&
        output_format_of_path(arguments->output) == NULL &&
        (arguments->command & (COMMAND_SHELL | COMMAND_SQL))) {
        wr_error_set(&error, WEIR_INVALID_ARGUMENT, NULL,
                     "the extension of %s is not one of a format; give --format",
                     arguments->output);
        complain_usage(arguments_command_name(arguments->command), &error);
        return CLI_USAGE;
    }
    return arguments->connect != NULL ? open_there(cli) : open_here(cli, arguments);
}

int cli_close(struct cli *cli, int exit_code) {
    struct weir_error error = {0};

    if (exit_code == CLI_CLOSED) exit_code = CLI_DONE;
    if (exit_code == CLI_DONE && place_change(cli, NULL, false, &error) != WEIR_OK) {
        complain(cli, &error, NULL, 0);
        exit_code = CLI_FAILED;
    }
    if (cli->file.path != NULL) sink_abort(&cli->file);
    sink_abort(&cli->standard);
    connection_close(cli->connection);
    weir_session_close(cli->session);
    weir_workspace_close(cli->workspace);
    if (exit_code == CLI_DONE) parameters_warn_unused(cli);
    wr_arrow_release_schema(&cli->too_large);
    wr_options_reset(&cli->parameters);
    wr_free(cli->parameter_used);
    wr_free(cli->file_path);
    wr_free(cli->null_text);
    wr_free(cli->pager);
    return exit_code;
}
