/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weir user: add NAME, list, remove NAME, password NAME, key add NAME, key list, key remove PREFIX.
 * Each is a statement of SQL; only a password comes from the terminal or from standard input.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cli.h"
#include "password.h"

/* ---- Passwords ---- */

static int read_password(char *password, size_t size, struct weir_error *error) {
    char again[MOST_PASSWORD + 2];
    if (!isatty(STDIN_FILENO)) return password_read_line(stdin, password, size, error);
    WR_TRY(password_ask(stdin, "Password", password, size, error));
    int code = password_ask(stdin, "The same again", again, sizeof again, error);
    if (code == WEIR_OK && strcmp(password, again) != 0)
        code =
            wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "the two passwords are not the same");
    explicit_bzero(again, sizeof again);
    return code;
}

/* ---- Statements ---- */

static int failed(struct cli *cli, struct weir_error *error) {
    complain(cli, error, NULL, 0);
    return CLI_FAILED;
}

/* Prepares and executes it, which gives rows if there are any. */
static int execute(struct cli *cli, const char *sql, struct prepared **ret_prepared,
                   struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    int64_t affected = 0;
    WR_TRY(cli->connection->type->prepare(cli->connection, sql, ret_prepared, error));
    return (*ret_prepared)->type->execute(*ret_prepared, ret_rows, &affected, error);
}

/* Runs it, which prints rows if there are any, and wipes the text. */
static int run_buffer(struct cli *cli, struct wr_buffer *sql) {
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    struct prepared *prepared = NULL;
    int code = work_begin(cli, &error);
    if (code == WEIR_OK)
        code = sql->failed ? wr_error_memory(&error)
                           : execute(cli, sql->data, &prepared, &rows, &error);
    if (sql->data) explicit_bzero(sql->data, sql->length);
    wr_buffer_reset(sql);
    bool has_rows = code == WEIR_OK && prepared->type->is_query(prepared);
    int exit_code = work_end(cli, code, &error);
    if (has_rows) exit_code = run_rows(cli, &rows);
    if (rows.release) rows.release(&rows);
    prepared_close(prepared);
    return exit_code;
}

static int with_password(struct cli *cli, const char *statement, const char *name) {
    struct weir_error error = {0};
    struct wr_buffer sql;
    char password[MOST_PASSWORD + 2];
    if (read_password(password, sizeof password, &error) != WEIR_OK) return failed(cli, &error);
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, statement);
    wr_buffer_identifier(&sql, name);
    wr_buffer_text(&sql, " PASSWORD ");
    wr_buffer_literal(&sql, password);
    explicit_bzero(password, sizeof password);
    return run_buffer(cli, &sql);
}

static int with_name(struct cli *cli, const char *statement, const char *name, bool is_text) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, statement);
    if (is_text)
        wr_buffer_literal(&sql, name);
    else
        wr_buffer_identifier(&sql, name);
    return run_buffer(cli, &sql);
}

static int add_key(struct cli *cli, const char *name) {
    const struct arguments *arguments = cli->arguments;
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "CREATE API KEY FOR ");
    wr_buffer_identifier(&sql, name);
    if (arguments->label) {
        wr_buffer_text(&sql, " LABEL ");
        wr_buffer_literal(&sql, arguments->label);
    }
    if (arguments->expires) {
        wr_buffer_text(&sql, " EXPIRES IN ");
        wr_buffer_literal(&sql, arguments->expires);
    }
    int code = run_buffer(cli, &sql);
    if (code == CLI_DONE)
        fprintf(stderr, "This is the only time that the key is shown: only its hash is kept.\n");
    return code;
}

/* ---- The words ---- */

static int usage(struct cli *cli, const char *message) {
    struct weir_error error = {0};
    (void)cli;
    wr_error_set(&error, WEIR_INVALID_ARGUMENT, NULL, "%s", message);
    complain_usage("weir user", &error);
    return CLI_USAGE;
}

static bool is_call(const struct arguments *arguments, const char *first, const char *second,
                    size_t n_words) {
    if (arguments->n_paths != n_words || strcmp(arguments->paths[0], first) != 0) return false;
    return second == NULL || strcmp(arguments->paths[1], second) == 0;
}

/* What would be read on its way. */
static bool has_secret(const struct arguments *arguments) {
    return is_call(arguments, "add", NULL, 2) || is_call(arguments, "password", NULL, 2) ||
           is_call(arguments, "key", "add", 3);
}

int command_user(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    const char *last = arguments->n_paths > 0 ? arguments->paths[arguments->n_paths - 1] : "";
    /* A catalog in memory would forget them at once. */
    if (cli_is_local(cli) && !cli->in_workspace)
        return usage(cli, "users belong to a workspace: go into one, name one with --workspace, "
                          "make one with weir init, or name a server with --connect");
    if (!cli->connection->is_private && has_secret(arguments))
        return usage(cli, "a password or key would be sent unencrypted: use grpc+tls://");
    if (is_call(arguments, "add", NULL, 2)) return with_password(cli, "CREATE USER ", last);
    if (is_call(arguments, "password", NULL, 2)) return with_password(cli, "ALTER USER ", last);
    if (is_call(arguments, "remove", NULL, 2)) return with_name(cli, "DROP USER ", last, false);
    if (is_call(arguments, "list", NULL, 1))
        return run_sql(cli, "SELECT name, roles, created_at, is_enabled FROM system.users");
    if (is_call(arguments, "key", "add", 3)) return add_key(cli, last);
    if (is_call(arguments, "key", "list", 2)) return run_sql(cli, "SHOW API KEYS");
    if (is_call(arguments, "key", "remove", 3)) return with_name(cli, "DROP API KEY ", last, true);
    return usage(cli, "weir user takes: add NAME, list, remove NAME, password NAME, key add NAME, "
                      "key list, key remove PREFIX");
}
