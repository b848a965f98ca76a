/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE and DROP in mounts whose kind makes tables (a `create_table` slot). A kind that only
 * changes files is left alone: its tables change with them.
 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "catalog/names.h"
#include "catalog/users.h"

int wr_names_making_mount(struct wr_names *names, const char *catalog, const char *schema,
                          const char *name, struct wr_mount **ret_mount, char **ret_path,
                          struct weir_error *error) {
    bool own = false;
    bool mounted = false;
    bool found = false;
    struct wr_mount *mount = NULL;
    WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    /* A name of two parts, the first of which is a mount. */
    if (own && name) {
        WR_TRY(wr_names_has_schema(names, catalog, schema, &found, error));
        if (!found) WR_TRY(wr_names_has_top(names, schema, &own, &mounted, error));
        if (!found && mounted) {
            catalog = schema;
            schema = NULL;
        }
    }
    if (!mounted) return WEIR_OK;
    WR_TRY(wr_names_mount(names, catalog, &mount, error));
    if (!mount) return WEIR_OK;
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    int code = WEIR_OK;
    if (kind->create_table) {
        code = wr_mount_path(mount, schema ? schema : kind->default_schema, name ? name : "",
                             ret_path, error);
        if (code == WEIR_OK) *ret_mount = wr_mount_retain(mount);
    }
    wr_mount_release(mount);
    return code;
}

/* ---- Expected names ---- */

int wr_names_expect(struct wr_names *names, const struct wr_name *name, bool *ret_expected,
                    struct weir_error *error) {
    struct wr_mount *mount = NULL;
    char *path = NULL;
    WR_TRY(wr_names_making_mount(names, name->catalog, name->schema, name->name, &mount, &path,
                                 error));
    wr_free(path);
    *ret_expected = mount != NULL;
    wr_mount_release(mount);
    if (!mount) return WEIR_OK;
    pthread_mutex_lock(&names->mutex);
    const struct wr_name **expected =
        wr_reallocarray(names->expected, names->n_expected + 1, sizeof *expected);
    if (expected) {
        names->expected = expected;
        expected[names->n_expected++] = name;
    }
    pthread_mutex_unlock(&names->mutex);
    return expected ? WEIR_OK : wr_error_memory(error);
}

void wr_names_unexpect(struct wr_names *names, const struct wr_name *name) {
    pthread_mutex_lock(&names->mutex);
    for (size_t i = 0; i < names->n_expected; i++) {
        if (names->expected[i] == name) names->expected[i] = names->expected[--names->n_expected];
    }
    pthread_mutex_unlock(&names->mutex);
}

bool wr_names_is_expected(struct wr_names *names, const struct wr_name *name) {
    bool found = false;
    pthread_mutex_lock(&names->mutex);
    for (size_t i = 0; i < names->n_expected && !found; i++) {
        const struct wr_name *expected = names->expected[i];
        found = strcmp(expected->name, name->name) == 0 &&
                strcmp(expected->schema, name->schema) == 0 &&
                strcmp(expected->catalog, name->catalog) == 0;
    }
    pthread_mutex_unlock(&names->mutex);
    return found;
}

/* What stands at the path: 0 for nothing. */
static int type_at(struct wr_mount *mount, const char *path, int32_t *ret_type,
                   struct weir_error *error) {
    struct weir_found found = {.size = sizeof found};
    struct weir_error other = {0};
    int code = wr_mount_kind(mount)->find(wr_mount_data(mount), path, &found, &other);
    *ret_type = code == WEIR_OK ? found.entry.type : 0;
    if (code && code != WEIR_NOT_FOUND && error) *error = other;
    if (found.release) found.release(&found);
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

/* Instances of the mount's tables may know what is no longer so. */
void wr_names_forget(struct wr_names *names, const struct wr_mount *mount) {
    wr_recent_forget(names, wr_mount_name(mount));
}

static int refuse(const char *what, const struct wr_mount *mount, const char *why,
                  struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000", "%s in \"%s\", which is a mount: %s",
                        what, wr_mount_name(mount), why);
}

/* ---- Tables ---- */

static int check_definition(struct wr_names *names, const struct wr_mount *mount,
                            const struct weir_definition *definition, int flags,
                            struct weir_error *error) {
    const struct weir_table_kind *plain = wr_registry_role(names->registry, WEIR_ROLE_TABLE);
    if (flags & WR_CREATE_TEMPORARY)
        return refuse("CREATE TEMPORARY TABLE", mount, "its tables stay; leave out TEMPORARY",
                      error);
    if (!plain || strcmp(definition->kind, plain->name) != 0 || !definition->columns)
        return refuse("CREATE", mount,
                      "it makes tables by CREATE TABLE name (columns) and CREATE TABLE name AS "
                      "SELECT alone; put a view or a table of a kind into a catalog",
                      error);
    if ((flags & WR_CREATE_IF_NOT_EXISTS) && (flags & WR_CREATE_OR_REPLACE)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "Execution error: 'IF NOT EXISTS' cannot coexist with 'REPLACE'");
    }
    return WEIR_OK;
}

static int create_at(struct wr_names *names, struct wr_mount *mount, const char *path,
                     const struct weir_definition *definition, int flags,
                     struct ArrowArrayStream *rows, bool *ret_created, int64_t *ret_n_rows,
                     struct weir_error *error) {
    int32_t type = 0;
    WR_TRY(check_definition(names, mount, definition, flags, error));
    if (!(flags & WR_CREATE_OR_REPLACE)) WR_TRY(type_at(mount, path, &type, error));
    if (type == WEIR_ENTRY_TABLE && (flags & WR_CREATE_IF_NOT_EXISTS)) {
        *ret_created = false;
        return WEIR_OK;
    }
    if (type == WEIR_ENTRY_TABLE) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P07",
                            "Execution error: Table '%s' already exists", definition->name);
    }
    struct ArrowArrayStream *given = rows && rows->release ? rows : NULL;
    int code = wr_mount_kind(mount)->create_table(wr_mount_data(mount), path, definition->columns,
                                                  (flags & WR_CREATE_OR_REPLACE) != 0, given,
                                                  ret_n_rows, error);
    wr_names_forget(names, mount);
    WR_TRY(code);
    *ret_created = true;
    return WEIR_OK;
}

int wr_mounted_create_table(struct wr_names *names, const struct weir_definition *definition,
                            int flags, struct ArrowArrayStream *rows, bool *ret_done,
                            bool *ret_created, int64_t *ret_n_rows, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    char *path = NULL;
    WR_TRY(wr_names_making_mount(names, definition->catalog, definition->schema, definition->name,
                                 &mount, &path, error));
    if (!mount) return WEIR_OK;
    int code =
        create_at(names, mount, path, definition, flags, rows, ret_created, ret_n_rows, error);
    wr_free(path);
    wr_mount_release(mount);
    if (code == WEIR_OK) *ret_done = true;
    return code;
}

static int drop_at(struct wr_names *names, struct wr_mount *mount, const char *path,
                   const struct wr_name *name, bool view, bool if_exists,
                   struct weir_error *error) {
    int32_t type = 0;
    if (view) return refuse("DROP VIEW", mount, "drop it in the database itself", error);
    WR_TRY(type_at(mount, path, &type, error));
    if (type != WEIR_ENTRY_TABLE) {
        if (if_exists) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "Execution error: Table '%s' doesn't exist.", name->name);
    }
    int code = wr_mount_kind(mount)->remove(wr_mount_data(mount), path, 0, error);
    wr_names_forget(names, mount);
    return code == WEIR_NOT_FOUND && if_exists ? WEIR_OK : code;
}

/* What was granted on a table or schema that is no more. */
static int forget_grants(struct wr_names *names, struct wr_name gone, struct weir_error *error) {
    WR_TRY(wr_names_canonical(names, &gone, error));
    pthread_mutex_lock(&names->mutex);
    int code = wr_grants_forget(names, &gone, error);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

int wr_mounted_drop_table(struct wr_names *names, const struct wr_name *name, bool view,
                          bool if_exists, bool *ret_done, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    char *path = NULL;
    WR_TRY(wr_names_making_mount(names, name->catalog, name->schema, name->name, &mount, &path,
                                 error));
    if (!mount) return WEIR_OK;
    int code = wr_mount_kind(mount)->remove
                   ? drop_at(names, mount, path, name, view, if_exists, error)
                   : refuse("DROP", mount, "its kind drops no tables", error);
    if (code == WEIR_OK) code = forget_grants(names, *name, error);
    wr_free(path);
    wr_mount_release(mount);
    if (code == WEIR_OK) *ret_done = true;
    return code;
}

/* ---- Schemas ---- */

int wr_mounted_create_schema(struct wr_names *names, const char *catalog, const char *schema,
                             int flags, bool *ret_done, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    char *path = NULL;
    WR_TRY(wr_names_making_mount(names, catalog, schema, NULL, &mount, &path, error));
    if (!mount) return WEIR_OK;
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    int32_t type = 0;
    int code = kind->make_directory ? type_at(mount, path, &type, error)
                                    : refuse("CREATE SCHEMA", mount, "its kind makes none", error);
    bool there = type == WEIR_ENTRY_DIRECTORY;
    if (code == WEIR_OK && !(there && (flags & WR_CREATE_IF_NOT_EXISTS)))
        code = kind->make_directory(wr_mount_data(mount), path, error);
    wr_free(path);
    wr_mount_release(mount);
    if (code == WEIR_OK) *ret_done = true;
    return code;
}

int wr_mounted_drop_schema(struct wr_names *names, const char *catalog, const char *schema,
                           bool if_exists, bool cascade, bool *ret_done, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    char *path = NULL;
    int32_t type = 0;
    WR_TRY(wr_names_making_mount(names, catalog, schema, NULL, &mount, &path, error));
    if (!mount) return WEIR_OK;
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    int code = kind->remove ? type_at(mount, path, &type, error)
                            : refuse("DROP SCHEMA", mount, "its kind drops none", error);
    if (code == WEIR_OK && type == WEIR_ENTRY_DIRECTORY) {
        code = kind->remove(wr_mount_data(mount), path, cascade, error);
        wr_names_forget(names, mount);
        if (code == WEIR_OK)
            code = forget_grants(names, (struct wr_name){catalog, schema, ""}, error);
    } else if (code == WEIR_OK && !if_exists) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "Execution error: Schema '%s' doesn't exist.", schema);
    }
    wr_free(path);
    wr_mount_release(mount);
    if (code == WEIR_OK) *ret_done = true;
    return code;
}
