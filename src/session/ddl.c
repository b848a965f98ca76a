/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine planned but the catalog does: CREATE and DROP. */
#include <ctype.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "catalog/tree.h"
#include "session/session.h"

static struct wr_names *names_of(const struct weir_statement *statement) {
    return statement->session->workspace->names;
}

static int flags_of(const struct wr_plan_info *info) {
    return (info->if_not_exists ? WR_CREATE_IF_NOT_EXISTS : 0) |
           (info->or_replace ? WR_CREATE_OR_REPLACE : 0) |
           (info->temporary ? WR_CREATE_TEMPORARY : 0);
}

static int kind_of_role(const struct weir_statement *statement, uint32_t role, const char *what,
                        const struct weir_table_kind **ret_kind, struct weir_error *error) {
    *ret_kind = wr_registry_role(statement->session->workspace->registry, role);
    if (*ret_kind) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "no table kind serves %s", what);
}

int wr_check_columns(const struct ArrowSchema *schema, struct weir_error *error) {
    for (int64_t i = 1; i < schema->n_children; i++) {
        for (int64_t j = 0; j < i; j++) {
            if (strcmp(schema->children[i]->name, schema->children[j]->name) != 0) continue;
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42701",
                                "Schema error: Schema contains duplicate unqualified field name "
                                "\"%s\"; give one of the columns another name with AS",
                                schema->children[i]->name);
        }
    }
    return WEIR_OK;
}

static int plan_columns(const struct weir_statement *statement, struct ArrowSchema *ret_schema,
                        struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_plan_schema(wr_statement_plan(statement), &schema, error));
    int code = wr_check_columns(&schema, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        return code;
    }
    *ret_schema = schema;
    return WEIR_OK;
}

/* ---- CREATE TABLE ---- */

static int create_from_input(struct weir_statement *statement,
                             const struct weir_definition *definition, int flags, bool *ret_created,
                             int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    int32_t n_parts = 0;
    WR_TRY(wr_execution_run(statement, 1, &rows, &n_parts, error));
    struct wr_tap tap = {.inner = &rows, .engine = true};
    struct ArrowArrayStream tapped = {0};
    wr_tap_open(&tap, &tapped);
    int code = wr_names_create_table(names_of(statement), definition, flags, &tapped, ret_created,
                                     ret_affected, error);
    code = wr_tap_result(&tap, code, error);
    wr_arrow_release_stream(&rows);
    return code;
}

/* A mount's table of that name is another one now, or none. */
static int forget_copies(struct weir_statement *statement, const char *catalog, const char *schema,
                         const char *name, struct weir_error *error) {
    return wr_caches_forget(statement->session->workspace->caches, catalog, schema, name, error);
}

static int make_table(struct weir_statement *statement, const struct weir_definition *definition,
                      int flags, bool has_input, bool *ret_created, int64_t *ret_affected,
                      struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
    /* A table that is there and stays makes the input not worth running. */
    if (has_input && !(flags & (WR_CREATE_OR_REPLACE | WR_CREATE_TEMPORARY))) {
        struct wr_name name = {definition->catalog, definition->schema, definition->name};
        bool found = false;
        WR_TRY(wr_names_has_table(names_of(statement), &name, &found, error));
        has_input = !found;
    }
    if (has_input)
        return create_from_input(statement, definition, flags, ret_created, ret_affected, error);
    return wr_names_create_table(names_of(statement), definition, flags, NULL, ret_created,
                                 ret_affected, error);
}

int wr_create_table(struct weir_statement *statement, const struct weir_definition *definition,
                    int flags, bool has_input, int64_t *ret_affected, struct weir_error *error) {
    bool created = true;
    WR_TRY(make_table(statement, definition, flags, has_input, &created, ret_affected, error));
    if (created)
        WR_TRY(wr_policy_made(statement->session, definition->catalog, definition->schema,
                              definition->name, error));
    return forget_copies(statement, definition->catalog, definition->schema, definition->name,
                         error);
}

static int create_table(struct weir_statement *statement, const struct wr_plan_info *info,
                        int64_t *ret_affected, struct weir_error *error) {
    const struct weir_table_kind *kind = NULL;
    struct ArrowSchema columns = {0};
    WR_TRY(kind_of_role(statement, WEIR_ROLE_TABLE, "CREATE TABLE; name one with USING", &kind,
                        error));
    WR_TRY(plan_columns(statement, &columns, error));
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = info->catalog,
        .schema = info->schema,
        .name = info->name,
        .kind = kind->name,
        .columns = &columns,
    };
    int code = wr_create_table(statement, &definition, flags_of(info), info->has_input,
                               ret_affected, error);
    wr_arrow_release_schema(&columns);
    return code;
}

/* ---- CREATE VIEW ---- */

/* The view's query resolves names as it does now: where that is not the view's own schema, it is
 * written down. */
static int view_options(struct weir_statement *statement, const struct wr_plan_info *info,
                        struct wr_options *options, struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_options_add(options, "query", info->query, error));
    WR_TRY(wr_engine_session_names(statement->session->engine, &catalog, &schema, error));
    int code = WEIR_OK;
    if (strcmp(catalog, info->catalog) != 0) {
        code = wr_options_add(options, "lookup_catalog", catalog, error);
    }
    if (code == WEIR_OK && strcmp(schema, info->schema) != 0) {
        code = wr_options_add(options, "lookup_schema", schema, error);
    }
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int create_view(struct weir_statement *statement, const struct wr_plan_info *info,
                       struct weir_error *error) {
    const struct weir_table_kind *kind = NULL;
    struct ArrowSchema columns = {0};
    struct wr_options options = {0};
    WR_TRY(kind_of_role(statement, WEIR_ROLE_VIEW, "CREATE VIEW", &kind, error));
    WR_TRY(plan_columns(statement, &columns, error));
    wr_arrow_release_schema(&columns);
    bool created = true;
    int code = view_options(statement, info, &options, error);
    if (code == WEIR_OK) {
        struct weir_definition definition = {
            .size = sizeof definition,
            .catalog = info->catalog,
            .schema = info->schema,
            .name = info->name,
            .kind = kind->name,
            .options = options.items,
            .n_options = options.n_items,
        };
        code = wr_names_create_table(names_of(statement), &definition, flags_of(info), NULL,
                                     &created, NULL, error);
    }
    if (code == WEIR_OK && created)
        code = wr_policy_made(statement->session, info->catalog, info->schema, info->name, error);
    wr_options_reset(&options);
    return code;
}

/* ---- CREATE EXTERNAL TABLE ---- */

static int add_text(struct wr_options *options, const char *key, const char *value,
                    struct weir_error *error) {
    return value ? wr_options_add(options, key, value, error) : WEIR_OK;
}

static int add_format(struct wr_options *options, const char *format, struct weir_error *error) {
    if (!format) return WEIR_OK;
    char *lower = wr_strdup(format);
    if (!lower) return wr_error_memory(error);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    int code = wr_options_add(options, "format", lower, error);
    wr_free(lower);
    return code;
}

/* An option of the statement; one without a prefix is the format's. */
static int add_statement_option(struct wr_options *options, const struct weir_option *option,
                                struct weir_error *error) {
    if (strchr(option->key, '.')) return wr_options_add(options, option->key, option->value, error);
    static const char prefix[] = "format.";
    size_t length = strlen(option->key);
    char *key = wr_malloc(sizeof prefix + length);
    if (!key) return wr_error_memory(error);
    memcpy(key, prefix, sizeof prefix - 1);
    memcpy(key + sizeof prefix - 1, option->key, length + 1);
    int code = wr_options_add(options, key, option->value, error);
    wr_free(key);
    return code;
}

static int external_options(const struct wr_plan_info *info, struct wr_options *options,
                            struct weir_error *error) {
    WR_TRY(add_text(options, "location", info->location, error));
    WR_TRY(add_format(options, info->format, error));
    WR_TRY(add_text(options, "partition_by", info->partition_by, error));
    WR_TRY(add_text(options, "order_by", info->order_by, error));
    for (size_t i = 0; i < info->n_options; i++) {
        WR_TRY(add_statement_option(options, &info->options[i], error));
    }
    return WEIR_OK;
}

static int create_external(struct weir_statement *statement, const struct wr_plan_info *info,
                           struct weir_error *error) {
    const struct weir_table_kind *kind = NULL;
    struct ArrowSchema columns = {0};
    struct wr_options options = {0};
    WR_TRY(kind_of_role(statement, WEIR_ROLE_EXTERNAL, "CREATE EXTERNAL TABLE", &kind, error));
    if (info->has_columns) WR_TRY(plan_columns(statement, &columns, error));
    bool created = true;
    int code = external_options(info, &options, error);
    if (code == WEIR_OK) {
        struct weir_definition definition = {
            .size = sizeof definition,
            .catalog = info->catalog,
            .schema = info->schema,
            .name = info->name,
            .kind = kind->name,
            .options = options.items,
            .n_options = options.n_items,
            .columns = info->has_columns ? &columns : NULL,
        };
        code =
            wr_names_create_table(names_of(statement), &definition,
                                  flags_of(info) | WR_CREATE_EXTERNAL, NULL, &created, NULL, error);
    }
    if (code == WEIR_OK && created)
        code = wr_policy_made(statement->session, info->catalog, info->schema, info->name, error);
    wr_options_reset(&options);
    wr_arrow_release_schema(&columns);
    return code;
}

/* ---- All of them ---- */

/* What may not be seen is missing, in the words of the catalog. */
static int is_missing(const struct wr_plan_info *info, struct weir_error *error) {
    bool drop = info->type == WR_PLAN_DROP_TABLE || info->type == WR_PLAN_DROP_VIEW ||
                info->type == WR_PLAN_DROP_SCHEMA;
    if (drop && info->if_not_exists) return WEIR_OK;
    switch (info->type) {
    case WR_PLAN_DROP_TABLE:
    case WR_PLAN_DROP_VIEW:
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "Execution error: %s '%s' doesn't exist.",
                            info->type == WR_PLAN_DROP_VIEW ? "View" : "Table", info->name);
    case WR_PLAN_DROP_SCHEMA:
        return wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "Execution error: Schema '%s' doesn't exist.", info->schema);
    case WR_PLAN_CREATE_SCHEMA:
        return wr_error_set(error, WEIR_NOT_FOUND, "3D000",
                            "Execution error: Missing catalog '%s'; make it with CREATE DATABASE",
                            info->catalog);
    default:
        return wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "there is no namespace \"%s\" in \"%s\"", info->schema, info->catalog);
    }
}

int wr_ddl_execute(struct weir_statement *statement, int64_t *ret_affected,
                   struct weir_error *error) {
    struct wr_names *names = names_of(statement);
    struct wr_plan_info info = {.size = sizeof info};
    wr_plan_describe(wr_statement_plan(statement), &info);
    WR_TRY(wr_execution_check(statement, error));
    if (info.name) WR_TRY(wr_names_resolve(names, &info.catalog, &info.schema, error));
    struct wr_name name = {info.catalog, info.schema, info.name};
    bool hidden = false;
    WR_TRY(wr_policy_ddl(statement->session, &info, &hidden, error));
    if (hidden) return is_missing(&info, error);
    switch (info.type) {
    case WR_PLAN_CREATE_TABLE:
        return create_table(statement, &info, ret_affected, error);
    case WR_PLAN_CREATE_VIEW:
        return create_view(statement, &info, error);
    case WR_PLAN_CREATE_EXTERNAL:
        return create_external(statement, &info, error);
    case WR_PLAN_DROP_TABLE:
    case WR_PLAN_DROP_VIEW:
        WR_TRY(wr_names_drop_table(names, &name, info.type == WR_PLAN_DROP_VIEW, info.if_not_exists,
                                   error));
        return forget_copies(statement, name.catalog, name.schema, name.name, error);
    case WR_PLAN_CREATE_SCHEMA:
        return wr_names_create_schema(names, info.catalog, info.schema, flags_of(&info), error);
    case WR_PLAN_DROP_SCHEMA:
        return wr_names_drop_schema(names, info.catalog, info.schema, info.if_not_exists,
                                    info.cascade, error);
    case WR_PLAN_CREATE_CATALOG:
        return wr_names_create_catalog(names, info.catalog, flags_of(&info), error);
    default:
        return wr_error_set(error, WEIR_INTERNAL, NULL, "the engine planned a statement of type %d",
                            info.type);
    }
}
