/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"

struct entry {
    char *name;
    const char *kind;
    int64_t size; /* -1: none */
    time_t changed;
};

struct listing {
    struct entry *items;
    size_t n_items;
};

/* `path` NULL: a table of the workspace. */
static int add(struct listing *listing, const char *name, const char *kind, const char *path,
               struct weir_error *error) {
    struct stat status;
    struct entry entry = {.kind = kind, .size = -1};

    if (path != NULL) {
        if (lstat(path, &status) != 0) return WEIR_OK; /* it went away in between */
        if (S_ISLNK(status.st_mode)) (void)stat(path, &status);
        entry.changed = status.st_mtime;
        entry.size = S_ISREG(status.st_mode) ? (int64_t)status.st_size : -1;
        const char *by_name = S_ISREG(status.st_mode) ? node_kind(path) : NULL;
        entry.kind = S_ISDIR(status.st_mode)    ? "directory"
                     : !S_ISREG(status.st_mode) ? "special"
                     : by_name != NULL          ? by_name
                                                : "file";
    }
    void *items = wr_reallocarray(listing->items, listing->n_items + 1, sizeof entry);
    if (items == NULL || (entry.name = wr_strdup(name)) == NULL) {
        if (items != NULL) listing->items = items;
        return wr_error_memory(error);
    }
    listing->items = items;
    listing->items[listing->n_items++] = entry;
    return WEIR_OK;
}

static int add_directory(struct listing *listing, const char *path, struct weir_error *error) {
    DIR *directory = opendir(path);
    struct dirent *item;
    int code = WEIR_OK;

    if (directory == NULL) return wr_error_errno(error, errno, "cannot list %s", path);
    while (code == WEIR_OK && (item = readdir(directory)) != NULL) {
        char full[PATH_MAX];
        if (item->d_name[0] == '.') continue;
        if (snprintf(full, sizeof full, "%s/%s", path, item->d_name) >= (int)sizeof full) continue;
        code = add(listing, item->d_name, NULL, full, error);
    }
    closedir(directory);
    return code;
}

static int add_pattern(struct listing *listing, const char *pattern, struct weir_error *error) {
    glob_t found;
    int code = WEIR_OK;

    if (glob(pattern, 0, NULL, &found) != 0)
        return wr_error_errno(error, ENOENT, "nothing matches %s", pattern);
    for (size_t i = 0; i < found.gl_pathc && code == WEIR_OK; i++)
        code = add(listing, found.gl_pathv[i], NULL, found.gl_pathv[i], error);
    globfree(&found);
    return code;
}

static int add_path(struct listing *listing, const char *path, struct weir_error *error) {
    struct stat status;

    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode) ? add_directory(listing, path, error)
                                       : add(listing, path, NULL, path, error);
    int errnum = errno;
    if (strstr(path, "://") != NULL)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "listing a URL is not available in this version: %s", path);
    if (strpbrk(path, "*?[") != NULL) return add_pattern(listing, path, error);
    return wr_error_errno(error, errnum, "cannot list %s", path);
}

static int add_tables(struct listing *listing, struct weir_session *session,
                      struct weir_error *error) {
    struct ArrowArrayStream rows = {0}, text = {0};
    int code = weir_query(session,
                          "SELECT table_schema || '.' || table_name, table_type FROM "
                          "information_schema.tables WHERE table_schema NOT IN "
                          "('information_schema', 'system') ORDER BY 1",
                          &rows, NULL, error);
    if (code == WEIR_OK) code = weir_text(&rows, &text, error);
    while (code == WEIR_OK) {
        struct ArrowArray batch = {0};
        code = wr_arrow_stream_next(&text, "tables", &batch, error);
        if (code != WEIR_OK || batch.release == NULL) break;
        for (int64_t row = 0; row < batch.length && code == WEIR_OK; row++) {
            char name[512];
            size_t length, n_type;
            const char *value = output_cell(&batch, 0, row, &length);
            const char *type = output_cell(&batch, 1, row, &n_type);
            snprintf(name, sizeof name, "%.*s", (int)length, value);
            bool view = n_type == 4 && memcmp(type, "VIEW", 4) == 0;
            code = add(listing, name, view ? "view" : "table", NULL, error);
        }
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_stream(&text);
    wr_arrow_release_stream(&rows);
    return code;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int as_rows(const struct listing *listing, bool long_list, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error) {
    static const struct rows_column columns[] = {
        {"name", 'u'}, {"kind", 'u'}, {"size", 'l'}, {"modified", 'u'}};
    struct rows *rows;

    WR_TRY(rows_new(columns, long_list ? 4 : 2, &rows, error));
    for (size_t i = 0; i < listing->n_items; i++) {
        const struct entry *entry = &listing->items[i];
        char when[32];
        struct tm parts;

        rows_text(rows, entry->name);
        rows_text(rows, entry->kind);
        if (!long_list) continue;
        if (entry->size >= 0)
            rows_int(rows, entry->size);
        else
            rows_null(rows);
        if (entry->changed != 0 && localtime_r(&entry->changed, &parts) != NULL &&
            strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts) > 0)
            rows_text(rows, when);
        else
            rows_null(rows);
    }
    return rows_finish(rows, ret_rows, error);
}

static int print_names(struct cli *cli, const struct listing *listing, struct weir_error *error) {
    struct wr_buffer text;

    wr_buffer_init(&text, 1 << 30);
    for (size_t i = 0; i < listing->n_items; i++) {
        bool directory = strcmp(listing->items[i].kind, "directory") == 0;
        wr_buffer_format(&text, "%s%s\n", listing->items[i].name, directory ? "/" : "");
    }
    int code = sink_put(&cli->standard, &text, error);
    wr_buffer_reset(&text);
    return code == WEIR_OK ? place_done(cli, error) : code;
}

int command_ls(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    struct weir_error error = {0};
    struct listing listing = {0};
    struct ArrowArrayStream rows = {0};
    int exit_code = CLI_DONE;

    int code = arguments->path != NULL ? add_path(&listing, arguments->path, &error)
                                       : add_directory(&listing, ".", &error);
    if (listing.n_items > 0) qsort(listing.items, listing.n_items, sizeof *listing.items, by_name);
    if (code == WEIR_OK && arguments->path == NULL)
        code = add_tables(&listing, cli->session, &error);
    cli->output.max_rows = arguments->max_rows > 0 ? arguments->max_rows : 0;
    bool plain = !arguments->long_list && arguments->format == NULL && cli->file_path == NULL;
    if (code == WEIR_OK && plain) {
        code = print_names(cli, &listing, &error);
    } else if (code == WEIR_OK) {
        code = as_rows(&listing, arguments->long_list, &rows, &error);
        if (code == WEIR_OK) exit_code = run_rows(cli, &rows);
    }
    for (size_t i = 0; i < listing.n_items; i++)
        wr_free(listing.items[i].name);
    wr_free(listing.items);
    if (code == WEIR_OK) return exit_code;
    if (cli->standard.broken) return CLI_CLOSED;
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}
