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

static struct wr_names *names_of(const struct weir_statement *statement) {
    return statement->session->workspace->names;
}

bool wr_is_on_names(const struct wr_statement *parsed) {
    return parsed->type >= WR_STATEMENT_ATTACH && parsed->type <= WR_STATEMENT_USE;
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
    if (code == WEIR_OK) code = set_namespace(session, catalog, schema, error);
    wr_free(catalog);
    wr_free(schema);
    wr_engine_free(current);
    wr_engine_free(unused);
    return code;
}

int wr_on_names_execute(struct weir_statement *statement, struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
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

static const char *const mount_columns[] = {"name", "kind", "url", "origin"};
static const char *const namespace_columns[] = {"catalog", "namespace"};

bool wr_on_names_is_query(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_SHOW_MOUNTS || parsed->type == WR_STATEMENT_SHOW_NAMESPACES;
}

int wr_on_names_schema(const struct weir_statement *statement, struct ArrowSchema *ret_schema,
                       struct weir_error *error) {
    bool mounts = statement->parsed.type == WR_STATEMENT_SHOW_MOUNTS;
    return wr_arrow_text_schema(mounts ? mount_columns : namespace_columns, mounts ? 4 : 2,
                                ret_schema, error);
}

/* Values, row after row. */
struct texts {
    char **items;
    size_t n_items;
    int code; /* of the first failure, for callbacks that cannot tell */
};

static int add_text(struct texts *texts, const char *text, struct weir_error *error) {
    char **items = wr_reallocarray(texts->items, texts->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    texts->items = items;
    items[texts->n_items] = wr_strdup(text);
    if (text && !items[texts->n_items]) return wr_error_memory(error);
    texts->n_items++;
    return WEIR_OK;
}

static void texts_reset(struct texts *texts) {
    for (size_t i = 0; i < texts->n_items; i++)
        wr_free(texts->items[i]);
    wr_free(texts->items);
}

static int add_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    WR_TRY(add_text(sink, info->name, error));
    WR_TRY(add_text(sink, info->kind, error));
    WR_TRY(add_text(sink, info->url, error));
    return add_text(sink, info->origin, error);
}

static void add_name(void *sink, const char *name) {
    struct texts *texts = sink;
    if (texts->code == WEIR_OK) texts->code = add_text(texts, name, NULL);
}

static int list(struct wr_names *names, const char *catalog, struct texts *texts,
                struct weir_error *error) {
    int code = wr_names_list(names, catalog, NULL, add_name, texts, error);
    if (code == WEIR_OK && texts->code) code = wr_error_memory(error);
    return code;
}

static int add_namespaces(struct wr_names *names, const char *catalog, struct texts *rows,
                          struct weir_error *error) {
    struct texts schemas = {0};
    int code = list(names, catalog, &schemas, error);
    for (size_t i = 0; code == WEIR_OK && i < schemas.n_items; i++) {
        code = add_text(rows, catalog, error);
        if (code == WEIR_OK) code = add_text(rows, schemas.items[i], error);
    }
    texts_reset(&schemas);
    return code;
}

static int namespaces(struct wr_names *names, struct texts *rows, struct weir_error *error) {
    struct texts catalogs = {0};
    int code = list(names, NULL, &catalogs, error);
    for (size_t i = 0; code == WEIR_OK && i < catalogs.n_items; i++) {
        code = add_namespaces(names, catalogs.items[i], rows, error);
    }
    texts_reset(&catalogs);
    return code;
}

int wr_on_names_rows(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct wr_names *names = names_of(statement);
    bool mounts = statement->parsed.type == WR_STATEMENT_SHOW_MOUNTS;
    size_t n_columns = mounts ? 4 : 2;
    struct texts rows = {0};
    WR_TRY(wr_execution_check(statement, error));
    int code = mounts ? wr_names_each_mount(names, add_mount, &rows, error)
                      : namespaces(names, &rows, error);
    if (code == WEIR_OK) {
        code = wr_arrow_text_stream(mounts ? mount_columns : namespace_columns, n_columns,
                                    (const char *const *)rows.items, rows.n_items / n_columns,
                                    ret_rows, error);
    }
    texts_reset(&rows);
    return code;
}
