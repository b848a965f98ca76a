/* SPDX-License-Identifier: Apache-2.0 */
/* What ls lists of a server: what its SQL shows, the names at the top, directories and tables. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "listing.h"

/*
 * All nodes as paths with their kinds. `?` stands for a condition on the catalog, so that no other
 * one is walked.
 */
static const char nodes[] =
    "WITH nodes AS (SELECT path, CASE type WHEN 'derived' THEN 'view' WHEN 'file' THEN "
    "lower(reverse(split_part(reverse(path), '.', 1))) ELSE type END AS kind "
    "FROM system.public.tables?"
    " UNION ALL SELECT '/' || catalog || CASE namespace WHEN '.' THEN '' ELSE '/' || namespace END,"
    " 'directory' FROM system.public.namespaces?"
    " UNION ALL SELECT '/' || name, 'directory' FROM system.public.mounts) ";

struct reading {
    struct listing *listing;
    const char *path;
    size_t n_rows;
    int code;
    struct weir_error *error;
};

/* Without the slashes at its end: "" is the top. */
static char *normal(const char *path) {
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    return wr_strndup(path, length);
}

static void put_nodes(struct wr_buffer *sql, const char *path, bool recursive) {
    size_t first = strcspn(path + (*path == '/'), "/");
    char *catalog = wr_strndup(path + (*path == '/'), first);
    for (const char *at = nodes; *at != '\0'; at++) {
        if (*at != '?') {
            wr_buffer_char(sql, *at);
        } else if (*path != '\0') {
            wr_buffer_text(sql, " WHERE catalog = ");
            wr_buffer_literal(sql, catalog == NULL ? "" : catalog);
        } else if (!recursive) {
            wr_buffer_text(sql, " WHERE false"); /* the top needs no catalog's names */
        }
    }
    if (catalog == NULL) sql->failed = true;
    wr_free(catalog);
}

/* "/directory name", or " csv name". */
static bool take(void *context, const char *value, size_t length) {
    struct reading *reading = context;
    struct listing *listing = reading->listing;
    char *row = wr_strndup(value, length);
    char *name = row == NULL ? NULL : strchr(row + 1, ' ');
    reading->n_rows++;
    if (name == NULL) {
        reading->code = wr_error_memory(reading->error);
    } else {
        *name++ = '\0';
        reading->code = listing_push(listing, name, reading->path, 0, reading->error);
    }
    if (reading->code == WEIR_OK) {
        struct listing_entry *entry = &listing->entries[listing->n_entries - 1];
        entry->is_directory = *row == '/';
        entry->kind = wr_strdup(row + 1);
        if (entry->kind == NULL) reading->code = wr_error_memory(reading->error);
    }
    wr_free(row);
    return reading->code == WEIR_OK;
}

static int ask(struct reading *reading, struct wr_buffer *sql) {
    struct cli *cli = reading->listing->cli;
    int code = sql->failed
                   ? wr_error_memory(reading->error)
                   : connection_list(cli->connection, sql->data, take, reading, reading->error);
    wr_buffer_reset(sql);
    return code == WEIR_OK ? reading->code : code;
}

/* What is below, to the next slash or to the end. */
static int ask_below(struct reading *reading, const char *path, bool recursive) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    put_nodes(&sql, path, recursive);
    wr_buffer_text(&sql, ", below AS (SELECT substr(path, length(");
    wr_buffer_literal(&sql, path);
    wr_buffer_text(&sql, ") + 2) AS rest, kind FROM nodes WHERE starts_with(path, ");
    wr_buffer_literal(&sql, path);
    wr_buffer_text(&sql, " || '/')), named AS (SELECT ");
    wr_buffer_text(&sql, recursive ? "rest" : "split_part(rest, '/', 1)");
    wr_buffer_text(&sql, " AS name, rest, kind FROM below), merged AS (SELECT name, "
                         "bool_or(rest <> name OR kind IN ('directory', 'series')) AS is_directory,"
                         " max(CASE WHEN rest = name AND kind <> 'directory' THEN kind END) AS kind"
                         " FROM named GROUP BY name) SELECT CASE WHEN is_directory THEN '/' ELSE "
                         "' ' END || coalesce(kind, 'directory') || ' ' || name FROM merged "
                         "WHERE name <> '' AND NOT starts_with(name, '.') ORDER BY name");
    return ask(reading, &sql);
}

/* The node itself: a table, or a directory with nothing in it. */
static int ask_itself(struct reading *reading, const char *path) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    put_nodes(&sql, path, false);
    wr_buffer_text(&sql, "SELECT CASE kind WHEN 'directory' THEN '/' ELSE ' ' END || kind || ' ' "
                         "|| path FROM nodes WHERE path = ");
    wr_buffer_literal(&sql, path);
    wr_buffer_text(&sql, " ORDER BY 1 LIMIT 1");
    return ask(reading, &sql);
}

static int add(struct listing *listing, const char *given, const char *path, bool recursive,
               struct weir_error *error) {
    struct reading reading = {.listing = listing, .path = given, .error = error};
    size_t n_sections = listing->n_sections;
    if (*given != '/')
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL,
            "a path on a server begins with a slash, as weir ls --connect lists it");
    WR_TRY(listing_push_section(listing, given, error));
    WR_TRY(ask_below(&reading, path, recursive));
    if (reading.n_rows > 0 || *path == '\0') return WEIR_OK;
    WR_TRY(ask_itself(&reading, path));
    if (reading.n_rows == 0) {
        listing->n_sections = n_sections;
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "%s: there is no such directory or table there; what is no table is "
                            "listed by GET /v1/files%s over HTTP",
                            given, given);
    }
    /* A directory with nothing in it was given itself. */
    if (listing->entries[listing->n_entries - 1].is_directory) {
        listing_drop_last(listing);
    } else {
        listing->sections[listing->n_sections - 1].path = NULL;
    }
    return WEIR_OK;
}

int listing_add_there(struct listing *listing, const char *path, bool recursive,
                      struct weir_error *error) {
    char *full = normal(path);
    int code = full == NULL ? wr_error_memory(error) : add(listing, path, full, recursive, error);
    wr_free(full);
    return listing_pass(listing, path, code, error);
}
