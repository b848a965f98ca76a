/* SPDX-License-Identifier: Apache-2.0 */
/* The statements on names: ATTACH, DETACH, USE, SHOW MOUNTS, SHOW NAMESPACES. */
#include <string.h>
#include <sys/stat.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/tree.h"
#include "session/session.h"
#include "table/system/rows.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

static struct wr_names *names_of(const struct weir_statement *statement) {
    return statement->session->workspace->names;
}

bool wr_is_on_names(const struct wr_statement *parsed) {
    return (parsed->type >= WR_STATEMENT_ATTACH && parsed->type <= WR_STATEMENT_USE) ||
           wr_is_on_users(parsed);
}

/* ---- ATTACH ---- */

/* A relative path that is there belongs to the directory it was given in, so it is made absolute.
 * What is not there may be anything, such as the name of a database on a server. */
static int absolute_url(const char *url, char **ret_url, struct weir_error *error) {
    struct stat status;
    char *directory = NULL;
    char *path = NULL;
    bool relative = *url && *url != '/' && wr_scheme_length(url) == 0;
    if (!relative || stat(url, &status) != 0) {
        *ret_url = wr_strdup(url);
        return *ret_url ? WEIR_OK : wr_error_memory(error);
    }
    WR_TRY(wr_current_directory(&directory, error));
    int code = wr_path_join(directory, url, "the machine's root", &path, error);
    wr_free(directory);
    WR_TRY(code);
    size_t length = strlen(path);
    char *absolute = wr_malloc(length + 2);
    if (absolute) {
        *absolute = '/';
        memcpy(absolute + 1, path, length + 1);
    }
    wr_free(path);
    if (!absolute) return wr_error_memory(error);
    *ret_url = absolute;
    return WEIR_OK;
}

static int add_options(const struct wr_statement *parsed, struct wr_options *options,
                       struct weir_error *error) {
    char *url = NULL;
    WR_TRY(absolute_url(parsed->url, &url, error));
    int code = wr_options_add(options, "url", url, error);
    wr_free(url);
    for (size_t i = 0; code == WEIR_OK && i < parsed->options.n_items; i++) {
        const struct weir_option *option = &parsed->options.items[i];
        code = wr_options_add(options, option->key, option->value, error);
    }
    return code;
}

static int attach(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_options options = {0};
    int code = add_options(parsed, &options, error);
    if (code == WEIR_OK) {
        struct weir_definition definition = {
            .size = sizeof definition,
            .name = parsed->parts[2],
            .kind = parsed->kind ? parsed->kind : wr_default_mount,
            .options = options.items,
            .n_options = options.n_items,
        };
        code = wr_names_attach(names_of(statement), &definition, "sql",
                               parsed->if_not_exists ? WR_CREATE_IF_NOT_EXISTS : 0, error);
    }
    wr_options_reset(&options);
    return code;
}

/* ---- DETACH and USE ---- */

static int detach(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_engine_session_names(statement->session->engine, &catalog, &schema, error));
    int code;
    if (strcmp(catalog, parsed->parts[2]) == 0) {
        code =
            wr_error_set(error, WEIR_INVALID_STATE, "55006",
                         "\"%s\" is what this session uses: USE another namespace first", catalog);
    } else {
        code = wr_names_detach(names_of(statement), parsed->parts[2], parsed->if_not_exists, error);
    }
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int set_namespace(struct weir_session *session, const char *catalog, const char *schema,
                         struct weir_error *error) {
    char *old_catalog = NULL;
    char *old_schema = NULL;
    WR_TRY(wr_engine_session_names(session->engine, &old_catalog, &old_schema, error));
    int code = weir_session_set(session, "datafusion.catalog.default_catalog", catalog, error);
    if (code == WEIR_OK) {
        code = weir_session_set(session, "datafusion.catalog.default_schema", schema, error);
        /* Both or none. */
        if (code) {
            weir_session_set(session, "datafusion.catalog.default_catalog", old_catalog, NULL);
        }
    }
    wr_engine_free(old_catalog);
    wr_engine_free(old_schema);
    return code;
}

/* One that may not be seen is not there, and which others are is not told. */
static int hide_namespace(struct weir_session *session, const struct wr_statement *parsed, int code,
                          const char *catalog, const char *schema, struct weir_error *error) {
    struct wr_access *access = session->access;
    if (!wr_access_hides(access)) return code;
    if (code == WEIR_OK && wr_access_sees(access, catalog, schema, NULL)) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "3F000", "there is no namespace \"%s%s%s\"",
                        parsed->parts[1] ? parsed->parts[1] : "", parsed->parts[1] ? "." : "",
                        parsed->parts[2]);
}

static int use(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct weir_session *session = statement->session;
    char *current = NULL;
    char *unused = NULL;
    char *catalog = NULL;
    char *schema = NULL;
    bool two = parsed->parts[1] != NULL;
    WR_TRY(wr_engine_session_names(session->engine, &current, &unused, error));
    int code = wr_names_namespace(names_of(statement), current, parsed->parts[two ? 1 : 2],
                                  two ? parsed->parts[2] : NULL, &catalog, &schema, error);
    code = hide_namespace(session, parsed, code, catalog, schema, error);
    if (code == WEIR_OK) code = set_namespace(session, catalog, schema, error);
    wr_free(catalog);
    wr_free(schema);
    wr_engine_free(current);
    wr_engine_free(unused);
    return code;
}

int wr_on_names_execute(struct weir_statement *statement, struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
    if (wr_is_on_users(&statement->parsed)) return wr_on_users_execute(statement, error);
    switch (statement->parsed.type) {
    case WR_STATEMENT_ATTACH:
        return attach(statement, error);
    case WR_STATEMENT_DETACH:
        return detach(statement, error);
    default:
        return use(statement, error);
    }
}

/* ---- SHOW ---- */

static const struct wr_column mount_columns[] = {
    {"name", WR_COLUMN_TEXT, false},
    {"kind", WR_COLUMN_TEXT, false},
    {"url", WR_COLUMN_TEXT, false},
    {"origin", WR_COLUMN_TEXT, false},
};

static const struct wr_column namespace_columns[] = {
    {"catalog", WR_COLUMN_TEXT, false},
    {"namespace", WR_COLUMN_TEXT, false},
};

/* A SHOW, as its columns and who fills them. */
struct show {
    const struct wr_column *columns;
    size_t n_columns;
    int (*fill)(struct wr_names *names, struct wr_rows *rows, struct weir_error *error);
};

static int add_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    struct wr_rows *rows = sink;
    if (!wr_rows_see(rows, info->name, NULL, NULL)) return WEIR_OK;
    wr_rows_text(rows, info->name);
    wr_rows_text(rows, info->kind);
    wr_rows_text(rows, wr_rows_see_all(rows) ? info->url : NULL);
    wr_rows_text(rows, info->origin);
    return wr_rows_end(rows, error);
}

static int fill_mounts(struct wr_names *names, struct wr_rows *rows, struct weir_error *error) {
    return wr_names_each_mount(names, add_mount, rows, error);
}

struct catalogs {
    char **items;
    size_t n_items;
    bool failed; /* the callback of a listing cannot tell */
};

static void add_catalog(void *sink, const char *name) {
    struct catalogs *catalogs = sink;
    char **items = wr_reallocarray(catalogs->items, catalogs->n_items + 1, sizeof *items);
    char *copy = items ? wr_strdup(name) : NULL;
    if (items) catalogs->items = items;
    if (copy) items[catalogs->n_items++] = copy;
    if (!copy) catalogs->failed = true;
}

struct namespaces {
    const char *catalog;
    struct wr_rows *rows;
    struct weir_error *error;
    int code;
};

static void add_namespace(void *sink, const char *name) {
    struct namespaces *namespaces = sink;
    if (namespaces->code) return;
    if (!wr_rows_see(namespaces->rows, namespaces->catalog, name, NULL)) return;
    wr_rows_text(namespaces->rows, namespaces->catalog);
    wr_rows_text(namespaces->rows, name);
    namespaces->code = wr_rows_end(namespaces->rows, namespaces->error);
}

static int fill_namespaces(struct wr_names *names, struct wr_rows *rows, struct weir_error *error) {
    struct catalogs catalogs = {0};
    int code = wr_names_list(names, NULL, NULL, add_catalog, &catalogs, error);
    if (code == WEIR_OK && catalogs.failed) code = wr_error_memory(error);
    for (size_t i = 0; code == WEIR_OK && i < catalogs.n_items; i++) {
        if (!wr_rows_see(rows, catalogs.items[i], NULL, NULL)) continue;
        struct namespaces namespaces = {catalogs.items[i], rows, error, WEIR_OK};
        code = wr_names_list(names, catalogs.items[i], NULL, add_namespace, &namespaces, error);
        if (code == WEIR_OK) code = namespaces.code;
    }
    for (size_t i = 0; i < catalogs.n_items; i++)
        wr_free(catalogs.items[i]);
    wr_free(catalogs.items);
    return code;
}

static struct show show_of(const struct wr_statement *parsed) {
    if (wr_is_on_users(parsed)) {
        struct show show = {0};
        show.columns = wr_on_users_columns(parsed, &show.n_columns);
        return show;
    }
    if (parsed->type == WR_STATEMENT_SHOW_MOUNTS)
        return (struct show){mount_columns, N_OF(mount_columns), fill_mounts};
    return (struct show){namespace_columns, N_OF(namespace_columns), fill_namespaces};
}

bool wr_on_names_is_query(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_SHOW_MOUNTS ||
           parsed->type == WR_STATEMENT_SHOW_NAMESPACES || wr_on_users_is_query(parsed);
}

int wr_on_names_schema(const struct weir_statement *statement, struct ArrowSchema *ret_schema,
                       struct weir_error *error) {
    struct show show = show_of(&statement->parsed);
    return wr_columns_schema(show.columns, show.n_columns, ret_schema, error);
}

/* ---- A stream of one batch ---- */

struct once {
    struct wr_shared_batch *batch; /* NULL: it was given */
};

static int next_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct once *once = context;
    if (!once->batch || wr_shared_batch_length(once->batch) == 0) {
        ret_array->release = NULL;
        return WEIR_OK;
    }
    WR_TRY(wr_shared_batch_array(once->batch, NULL, 0, ret_array, error));
    wr_shared_batch_release(once->batch);
    once->batch = NULL;
    return WEIR_OK;
}

static void close_once(void *context) {
    struct once *once = context;
    if (once->batch) wr_shared_batch_release(once->batch);
    wr_free(once);
}

/* Takes over the batch on success. */
static int stream_once(const struct show *show, struct wr_shared_batch *batch,
                       struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct once *once = wr_calloc(1, sizeof *once);
    if (!once) return wr_error_memory(error);
    int code = wr_columns_schema(show->columns, show->n_columns, &schema, error);
    if (code == WEIR_OK) {
        code = wr_arrow_callback_stream(&schema, next_batch, close_once, once, ret_rows, error);
    }
    wr_arrow_release_schema(&schema);
    if (code) {
        wr_free(once);
        return code;
    }
    once->batch = batch;
    return WEIR_OK;
}

int wr_on_names_rows(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct show show = show_of(&statement->parsed);
    struct wr_rows rows;
    struct wr_shared_batch *batch = NULL;
    struct wr_viewer viewer;
    WR_TRY(wr_execution_check(statement, error));
    WR_TRY(wr_rows_init(&rows, show.columns, show.n_columns, error));
    rows.viewer = wr_access_viewer(statement->session->access, &viewer);
    int code = show.fill ? show.fill(names_of(statement), &rows, error)
                         : wr_on_users_fill(statement, &rows, error);
    if (code == WEIR_OK) code = wr_rows_finish(&rows, &batch, error);
    wr_rows_reset(&rows);
    if (code == WEIR_OK) code = stream_once(&show, batch, ret_rows, error);
    if (code && batch) wr_shared_batch_release(batch);
    return code;
}
