/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one statement: prepared, bound, executed under the watch, printed, and in the shell
 * kept as `_`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "text.h"
#include "watch.h"

/* Prints a result; the tap tells why it ended when it did not end well. */
static int print_tap(struct cli *cli, struct tap *tap, struct weir_error *error) {
    struct output_settings settings;
    struct sink *sink = NULL;

    WR_TRY(place_open(cli, &sink, &settings, error));
    int code = output_rows(tap, &settings, sink, error);
    if (tap->failed) {
        *error = tap->error;
        code = error->code;
    }
    /* What was printed before a failure stays on the screen; a file is given up. */
    if (code == WEIR_OK) return place_done(cli, error);
    if (sink == &cli->standard) {
        (void)sink_flush(sink);
    } else {
        sink_abort(sink);
        if (cli->interactive) {
            fprintf(stderr, "note: %s is not written\n", cli->file_path);
            (void)place_change(cli, NULL, false, NULL);
        }
    }
    return code;
}

/* Offers the result as the table `_`. Failing to is no failure of the statement. */
static void keep_result(struct cli *cli, struct tap *tap) {
    struct ArrowArrayStream kept = {0};
    struct weir_error error = {0};
    int code;

    wr_arrow_release_schema(&cli->too_large);
    if (!tap->ended || tap->schema.n_children == 0) return;
    if (tap->too_large) {
        wr_arrow_move_schema(&tap->schema, &cli->too_large);
        return;
    }
    code = tap_kept_stream(tap, &kept, &error);
    if (code == WEIR_OK)
        code = weir_register_stream(cli->session, "_", &kept, WEIR_REGISTER_ROWS, &error);
    wr_arrow_release_stream(&kept);
    if (code != WEIR_OK)
        fprintf(stderr, "note: the result is not kept as \"_\": %s\n", error.message);
    cli->names_changed = true;
}

/* A stream that fails says so only to its first reader, so `_` gets a new one before every
 * statement. */
static void renew_too_large(struct cli *cli) {
    struct ArrowArrayStream stream = {0};

    if (cli->too_large.release == NULL) return;
    if (tap_too_large_stream(&cli->too_large, &stream, NULL) == WEIR_OK)
        (void)weir_register_stream(cli->session, "_", &stream, WEIR_REGISTER_ONCE, NULL);
    wr_arrow_release_stream(&stream);
}

/* What is printed of a statement that was done. */
static void report(const struct cli *cli, bool is_query, int64_t rows, int64_t started) {
    char count[64];

    if (!is_query && rows >= 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "%s affected\n", text_plural(rows, "row", count));
    if (cli->timing) {
        fprintf(stderr, "Time: %.3f s", (double)(text_now() - started) / 1000);
        fprintf(stderr, rows >= 0 ? " (%s)\n" : "\n", text_plural(rows, "row", count));
    }
}

struct run {
    struct prepared *prepared;
    struct tap tap;
    bool is_query;
    int64_t rows; /* given or affected; -1: does not apply */
};

static int execute(struct cli *cli, const char *sql, struct run *run, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};

    /* Planning may wait for a table to be fetched. */
    watch_attach_connection(cli->connection);
    int code = cli->connection->type->prepare(cli->connection, sql, &run->prepared, error);
    watch_attach_connection(NULL);
    WR_TRY(code);
    struct prepared *prepared = run->prepared;
    WR_TRY(parameters_bind(cli, prepared, error));
    watch_attach(prepared);
    if (watch_reason() != WATCH_NONE) return wr_error_set(error, WEIR_CANCELLED, NULL, "cancelled");
    WR_TRY(prepared->type->execute(prepared, &rows, &run->rows, error));
    run->is_query = prepared->type->is_query(prepared);
    if (!run->is_query) {
        wr_arrow_release_stream(&rows);
        cli->names_changed = true;
        return WEIR_OK;
    }
    /* A server is not sent back what it gave. */
    code = tap_init(&run->tap, &rows, cli->interactive && cli_is_local(cli), error);
    wr_arrow_release_stream(&rows);
    if (code == WEIR_OK) code = print_tap(cli, &run->tap, error);
    run->rows = run->tap.rows;
    return code;
}

int run_failed(struct cli *cli, int reason, struct weir_error *error, const struct source *source,
               size_t from) {
    if (reason == WATCH_INTERRUPTED) {
        fprintf(stderr, cli->interactive ? "cancelled\n" : "interrupted\n");
        return 128 + watch_interrupted();
    }
    if (reason == WATCH_TIMED_OUT)
        wr_error_set(error, WEIR_TIMEOUT, "57014",
                     "cancelled after %.3g s, the limit that --timeout or statement_timeout sets",
                     (double)cli->arguments->timeout_ms / 1000);
    else if (cli->standard.broken)
        return CLI_CLOSED;
    complain(cli, error, source, from);
    return CLI_FAILED;
}

int run_statement(struct cli *cli, const struct source *source, size_t from, size_t length) {
    struct weir_error error = {0};
    struct run run = {.rows = -1};
    int64_t started = text_now();
    int64_t limit = cli->arguments->timeout_ms;
    bool progress = isatty(STDERR_FILENO) == 1;

    char *sql = wr_strndup(source->text + from, length);
    int code = sql == NULL ? wr_error_memory(&error) : WEIR_OK;
    if (code == WEIR_OK) code = watch_begin(limit, progress, cli->output.unicode, &error);
    if (code == WEIR_OK) {
        renew_too_large(cli);
        code = execute(cli, sql, &run, &error);
    }
    int reason = watch_end();
    if (cli->interactive && cli_is_local(cli) && code == WEIR_OK && run.is_query)
        keep_result(cli, &run.tap);
    tap_reset(&run.tap);
    prepared_close(run.prepared);
    wr_free(sql);
    if (code == WEIR_OK) {
        report(cli, run.is_query, run.rows, started);
        return CLI_DONE;
    }
    if (cli->interactive) {
        (void)sink_flush(&cli->standard);
        if (cli->standard.broken) { /* the pager was left before the end */
            cli->standard.broken = false;
            return CLI_DONE;
        }
    }
    return run_failed(cli, reason, &error, source, from);
}

int run_sql(struct cli *cli, const char *sql) {
    struct source source = {.text = sql, .length = strlen(sql), .ours = true};
    return run_statement(cli, &source, 0, source.length);
}

int run_rows(struct cli *cli, struct ArrowArrayStream *rows) {
    struct weir_error error = {0};
    struct tap tap = {0};
    int code = tap_init(&tap, rows, false, &error);

    wr_arrow_release_stream(rows);
    if (code == WEIR_OK) code = print_tap(cli, &tap, &error);
    tap_reset(&tap);
    return code == WEIR_OK ? CLI_DONE : run_failed(cli, WATCH_NONE, &error, NULL, 0);
}
