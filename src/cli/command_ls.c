/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "listing.h"
#include "text.h"

static void add_number(struct rows *rows, int64_t number) {
    if (number >= 0)
        rows_int(rows, number);
    else
        rows_null(rows);
}

static void add_time(struct rows *rows, int64_t nanoseconds) {
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    char when[32];
    struct tm parts;

    if (nanoseconds != 0 && localtime_r(&seconds, &parts) != NULL &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        rows_text(rows, when);
    else
        rows_null(rows);
}

/* A name that says where it is when there is more than one directory. */
static void full_name(struct wr_buffer *name, const struct listing *listing,
                      const struct listing_section *section, const struct listing_entry *entry) {
    wr_buffer_clear(name);
    if (listing->n_sections > 1 && section->path != NULL && strcmp(section->path, ".") != 0) {
        size_t length = strlen(section->path);
        wr_buffer_text(name, section->path);
        if (section->path[length - 1] != '/') wr_buffer_char(name, '/');
    }
    wr_buffer_text(name, entry->name);
}

static int as_rows(const struct listing *listing, bool all, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error) {
    static const struct rows_column columns[] = {
        {"name", 'u'},     {"kind", 'u'},    {"rows", 'l'},  {"size", 'l'},
        {"modified", 'u'}, {"version", 'u'}, {"schema", 'u'}};
    struct rows *rows;
    struct wr_buffer name;
    size_t at = 0;

    WR_TRY(rows_new(columns, all ? 7 : 2, &rows, error));
    wr_buffer_init(&name, 1 << 20);
    for (size_t i = 0; i < listing->n_sections; i++) {
        for (; at < listing->sections[i].end; at++) {
            const struct listing_entry *entry = &listing->entries[at];
            full_name(&name, listing, &listing->sections[i], entry);
            rows_text(rows, name.failed ? NULL : name.data);
            rows_text(rows, entry->kind);
            if (!all) continue;
            add_number(rows, entry->n_rows);
            add_number(rows, entry->n_bytes);
            add_time(rows, entry->modified_ns);
            rows_text(rows, entry->version);
            rows_text(rows, entry->digest[0] == '\0' ? NULL : entry->digest);
        }
    }
    wr_buffer_reset(&name);
    return rows_finish(rows, ret_rows, error);
}

/* As ls(1): headings only when there is more than one list. */
static int print_names(struct cli *cli, const struct listing *listing, struct weir_error *error) {
    struct wr_buffer text;
    size_t at = 0;

    wr_buffer_init(&text, 1 << 30);
    for (size_t i = 0; i < listing->n_sections; i++) {
        const struct listing_section *section = &listing->sections[i];
        if (i > 0) wr_buffer_char(&text, '\n');
        if (listing->n_sections > 1 && section->path != NULL)
            wr_buffer_format(&text, "%s:\n", section->path);
        for (; at < section->end; at++) {
            const char *name = listing->entries[at].name;
            if (cli->standard.terminal)
                text_clean(&text, name, strlen(name));
            else
                wr_buffer_text(&text, name);
            wr_buffer_text(&text, listing->entries[at].is_directory ? "/\n" : "\n");
        }
    }
    int code = sink_put(&cli->standard, &text, error);
    wr_buffer_reset(&text);
    return code == WEIR_OK ? place_done(cli, error) : code;
}

/* A server has no current directory. */
static int collect_there(struct listing *listing, const struct arguments *arguments,
                         struct weir_error *error) {
    int code = WEIR_OK;

    if (arguments->n_paths == 0)
        code = listing_add_there(listing, "/", arguments->recursive, error);
    for (size_t i = 0; i < arguments->n_paths && code == WEIR_OK; i++)
        code = listing_add_there(listing, arguments->paths[i], arguments->recursive, error);
    return code;
}

/* In the order given; without a path the current directory, and of a workspace the top of the tree.
 */
static int collect(struct cli *cli, struct listing *listing, bool plain, struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    int code = WEIR_OK;

    if (!cli_is_local(cli)) return collect_there(listing, arguments, error);
    for (size_t i = 0; i < arguments->n_paths && code == WEIR_OK; i++)
        code = listing_add(listing, arguments->paths[i], arguments->recursive, error);
    if (arguments->n_paths == 0) {
        code = listing_add(listing, ".", arguments->recursive, error);
        if (code == WEIR_OK && (cli->in_workspace || arguments->tables.n_items > 0))
            code = listing_add(listing, "/", false, error);
    }
    if (code == WEIR_OK && !plain) code = listing_fill(listing, arguments->long_list, error);
    return code;
}

static int print(struct cli *cli, const struct listing *listing, bool plain) {
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    int code;

    cli->output.max_rows = cli->arguments->max_rows > 0 ? cli->arguments->max_rows : 0;
    if (plain) {
        code = print_names(cli, listing, &error);
    } else {
        code = as_rows(listing, cli->arguments->long_list, &rows, &error);
        if (code == WEIR_OK) return run_rows(cli, &rows);
    }
    return code == WEIR_OK ? CLI_DONE : run_failed(cli, 0, &error, NULL, 0);
}

int command_ls(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    bool plain = !arguments->long_list && arguments->format == NULL && cli->file_path == NULL;
    struct listing listing = {.cli = cli};
    struct weir_error error = {0};

    int code = work_begin(cli, &error);
    if (code == WEIR_OK) code = collect(cli, &listing, plain, &error);
    int exit_code = work_end(cli, code, &error);
    if (exit_code == CLI_DONE && listing.n_sections > 0) exit_code = print(cli, &listing, plain);
    if (exit_code == CLI_DONE && listing.failed) exit_code = CLI_FAILED;
    listing_reset(&listing);
    return exit_code;
}
