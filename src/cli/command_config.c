/* SPDX-License-Identifier: Apache-2.0 */
/* weir config check, weir config show. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "cli.h"
#include "config/config.h"
#include "watch.h"

static void warn(void *sink, const char *message) {
    (void)sink;
    fprintf(stderr, "warning: %s\n", message);
}

void config_warn_strays(void) {
    wr_config_strays(warn, NULL);
}

/* ---- check ---- */

struct check {
    struct cli *cli;
    int n_problems;
};

static void tell(void *sink, const struct weir_error *problem) {
    struct check *check = sink;
    struct weir_error shown = *problem;

    check->n_problems++;
    shown.sqlstate[0] = '\0';
    complain(check->cli, &shown, NULL, 0);
}

static int count_key(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    size_t *n_keys = sink;
    (void)error;
    *n_keys += strcmp(item->origin, "default") != 0;
    return WEIR_OK;
}

/* What the engine and the sources say, which only an open workspace knows: one in memory, with
 * nothing of the configuration but the catalog's name. */
struct trial {
    struct check *check;
    const char *file;
    struct weir_workspace *workspace;
    struct weir_session *session;
};

/* "dir/weir.yaml:7: " before the message; other origins as they are. */
static void tell_of(struct trial *trial, const char *origin, struct weir_error *error) {
    const char *slash = strrchr(trial->file, '/'), *name = slash ? slash + 1 : trial->file;
    size_t length = strlen(name);
    bool in_file = strncmp(origin, name, length) == 0 && origin[length] == ':';

    (void)wr_error_prefix(error, error->code, "%.*s%s", in_file ? (int)(name - trial->file) : 0,
                          trial->file, origin);
    tell(trial->check, error);
}

static void try_settings(struct trial *trial, const struct wr_config *config) {
    const struct weir_option *settings;
    size_t n = wr_config_settings(config, &settings);

    for (size_t i = 0; i < n; i++) {
        struct weir_error error = {0};
        int code = weir_session_set(trial->session, settings[i].key, settings[i].value, &error);
        if (code == WEIR_OK) continue;
        (void)wr_error_prefix(&error, code, "settings.%s", settings[i].key);
        tell_of(trial, wr_config_setting_origin(config, i), &error);
    }
}

/* ATTACH opens the mount. */
static void write_attach(const struct wr_config_mount *mount, struct wr_buffer *sql) {
    const char *url = wr_options_get(mount->options, mount->n_options, "url");

    wr_buffer_text(sql, "ATTACH ");
    wr_buffer_literal(sql, url == NULL ? "" : url);
    wr_buffer_text(sql, " AS ");
    wr_buffer_identifier(sql, mount->name);
    wr_buffer_text(sql, " (TYPE ");
    wr_buffer_literal(sql, mount->kind);
    for (size_t i = 0; i < mount->n_options; i++) {
        if (mount->options[i].value == url) continue;
        wr_buffer_text(sql, ", ");
        wr_buffer_identifier(sql, mount->options[i].key);
        wr_buffer_char(sql, ' ');
        wr_buffer_literal(sql, mount->options[i].value);
    }
    wr_buffer_char(sql, ')');
}

/* Resets the text. */
static void try_statement(struct trial *trial, struct wr_buffer *sql, const char *origin) {
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    int code = sql->failed ? wr_error_memory(&error)
                           : weir_query(trial->session, sql->data, &rows, NULL, &error);

    wr_buffer_reset(sql);
    if (code == WEIR_OK)
        rows.release(&rows);
    else
        tell_of(trial, origin, &error);
}

static void try_extensions(struct trial *trial, const struct wr_config *config) {
    const struct wr_config_extension *extensions;
    size_t n = wr_config_extensions(config, &extensions);

    for (size_t i = 0; i < n; i++) {
        const struct wr_config_extension *extension = &extensions[i];
        struct wr_buffer sql;
        wr_buffer_init(&sql, 16 << 20);
        wr_buffer_text(&sql, "LOAD ");
        wr_buffer_literal(&sql, extension->library ? extension->library : extension->name);
        for (size_t j = 0; j < extension->n_options; j++) {
            wr_buffer_text(&sql, j == 0 ? " (" : ", ");
            wr_buffer_identifier(&sql, extension->options[j].key);
            wr_buffer_char(&sql, ' ');
            wr_buffer_literal(&sql, extension->options[j].value);
        }
        if (extension->n_options > 0) wr_buffer_char(&sql, ')');
        try_statement(trial, &sql, extension->origin);
    }
}

static void try_mounts(struct trial *trial, const struct wr_config *config) {
    const struct wr_config_mount *mounts;
    size_t n = wr_config_mounts(config, &mounts);

    for (size_t i = 0; i < n; i++) {
        struct wr_buffer sql;
        wr_buffer_init(&sql, 16 << 20);
        write_attach(&mounts[i], &sql);
        try_statement(trial, &sql, mounts[i].origin);
    }
}

static int try_out(struct check *check, const char *file, const struct wr_config *config,
                   struct weir_error *error) {
    struct trial trial = {.check = check, .file = file};
    const struct weir_workspace_options options = {.size = sizeof options,
                                                   .threads = 1,
                                                   .catalog =
                                                       wr_config_text(config, "catalog.name"),
                                                   .config = ""};

    watch_block(true); /* the engine's threads leave the signals to us */
    int code = weir_workspace_open(&options, &trial.workspace, error);
    if (code == WEIR_OK) code = weir_session_open(trial.workspace, NULL, &trial.session, error);
    watch_block(false);
    if (code == WEIR_OK) {
        try_settings(&trial, config);
        try_extensions(&trial, config);
        try_mounts(&trial, config);
    }
    weir_session_close(trial.session);
    weir_workspace_close(trial.workspace);
    /* A wrong variable, which was told of already. */
    return check->n_problems > 0 ? WEIR_OK : code;
}

/* The file to check: the one that is named, else the one that the other commands would read. */
static int choose_file(struct cli *cli, struct found_workspace *ret_found,
                       struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;

    WR_TRY(find_workspace(arguments, ret_found, error));
    if (arguments->word != NULL)
        snprintf(ret_found->file, sizeof ret_found->file, "%s", arguments->word);
    if (ret_found->file[0] != '\0') return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "",
                        "there is no weir.yaml %s; name a file, or make a workspace with weir init",
                        ret_found->directory[0] != '\0' ? "in the workspace" : "from here upwards");
}

static int check_file(struct check *check, const char *file, struct weir_error *error) {
    struct wr_config *config = NULL;
    const struct wr_config_mount *mounts;
    struct weir_option *settings = NULL;
    size_t n_settings = 0, n_keys = 0;

    int code = settings_of_workspace(check->cli->arguments, &settings, &n_settings, error);
    if (code == WEIR_OK)
        code = wr_config_check(file, settings, n_settings, tell, check, &config, error);
    wr_free(settings);
    WR_TRY(code);
    code = try_out(check, file, config, error);
    if (code != WEIR_OK) {
        wr_config_free(config);
        return code;
    }
    if (check->n_problems == 0) {
        (void)wr_config_each(config, count_key, &n_keys, NULL);
        size_t n_mounts = wr_config_mounts(config, &mounts);
        printf("%s: no problem in %zu value%s and %zu mount%s\n", file, n_keys,
               n_keys == 1 ? "" : "s", n_mounts, n_mounts == 1 ? "" : "s");
    } else {
        fprintf(stderr, "%s: %d problem%s\n", file, check->n_problems,
                check->n_problems == 1 ? "" : "s");
    }
    wr_config_free(config);
    return WEIR_OK;
}

int command_config_check(struct cli *cli) {
    struct weir_error error = {0};
    struct check check = {.cli = cli};
    struct found_workspace found;

    config_warn_strays();
    int code = choose_file(cli, &found, &error);
    if (code == WEIR_OK) code = check_file(&check, found.file, &error);
    if (code != WEIR_OK) complain(cli, &error, NULL, 0);
    return code == WEIR_OK && check.n_problems == 0 ? CLI_DONE : CLI_FAILED;
}

/* ---- show ---- */

static int add_item(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    struct rows *rows = sink;
    (void)error;
    rows_text(rows, item->key);
    rows_text(rows, item->value);
    rows_text(rows, item->origin);
    rows_text(rows, item->help);
    return WEIR_OK;
}

static int make_rows(const struct wr_config *config, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    static const struct rows_column columns[] = {
        {"key", 'u'}, {"value", 'u'}, {"origin", 'u'}, {"help", 'u'}};
    struct rows *rows;

    WR_TRY(rows_new(columns, 4, &rows, error));
    (void)wr_config_each(config, add_item, rows, NULL);
    return rows_finish(rows, ret_rows, error);
}

int command_config_show(struct cli *cli) {
    struct weir_error error = {0};
    struct found_workspace found;
    struct wr_config *config = NULL;
    struct ArrowArrayStream rows = {0};

    int code = find_workspace(cli->arguments, &found, &error);
    if (code == WEIR_OK) code = config_load(cli->arguments, &found, &config, &error);
    if (code != WEIR_OK) {
        error.sqlstate[0] = '\0';
        complain(cli, &error, NULL, 0);
        return CLI_USAGE;
    }
    config_warn_strays();
    code = make_rows(config, &rows, &error);
    wr_config_free(config);
    if (code == WEIR_OK && cli->arguments->output != NULL)
        code = place_change(cli, cli->arguments->output, false, &error);
    if (code == WEIR_OK) {
        if (cli->arguments->max_rows < 0) cli->output.max_rows = 0; /* a list is shown whole */
        return run_rows(cli, &rows);
    }
    if (rows.release != NULL) rows.release(&rows);
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}

int config_load(const struct arguments *arguments, const struct found_workspace *found,
                struct wr_config **ret_config, struct weir_error *error) {
    struct weir_option *settings = NULL;
    size_t n_settings = 0;

    WR_TRY(settings_of_workspace(arguments, &settings, &n_settings, error));
    int code = wr_config_load(found->file[0] == '\0' ? NULL : found->file, settings, n_settings,
                              ret_config, error);
    wr_free(settings);
    return code;
}
