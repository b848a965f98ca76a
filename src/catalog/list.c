/* SPDX-License-Identifier: Apache-2.0 */
/* Listings: of catalogs and mounts, of schemas, of tables. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/names.h"

/* Directories of one mount that a listing of its schemas looks into. */
enum { MAX_DIRECTORIES = 10000 };

/* ---- The top ---- */

/* Weir's own are named by those who want them, and in no one else's way. */
static int add_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    if (strcmp(info->origin, "weir") == 0) return WEIR_OK;
    return wr_name_list_add(sink, info->name, error);
}

static int list_top(struct wr_names *names, struct wr_name_list *list, struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = wr_names_collect(names, NULL, NULL, list, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) code = wr_names_each_mount(names, add_mount, list, error);
    wr_name_list_sort(list);
    return code;
}

/* ---- Mounts ---- */

static int add_table(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    return entry->table ? wr_name_list_add(sink, entry->table, error) : WEIR_OK;
}

static int list_tables(const struct wr_mount *mount, const char *schema, struct wr_name_list *list,
                       struct weir_error *error) {
    char *directory = NULL;
    WR_TRY(wr_mount_path(mount, schema, "", &directory, error));
    int code = wr_mount_kind(mount)->list(wr_mount_data(mount), directory, add_table, list, error);
    wr_free(directory);
    /* A schema that is not there has no tables, as in a catalog. */
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

/* The directories below a mount's root, each behind the one that it is in. */
struct walk {
    const struct wr_mount *mount;
    struct wr_name_list directories;
    const char *path; /* of the one that is listed now */
    bool has_table;   /* in it */
};

static int walk_entry(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    struct walk *walk = sink;
    if (entry->table) walk->has_table = true;
    /* A link may lead to a directory that it is in. */
    if (entry->type != WEIR_ENTRY_DIRECTORY || entry->is_link) return WEIR_OK;
    const char *name = wr_mount_name(walk->mount);
    if (walk->directories.n_items == MAX_DIRECTORIES) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "54000",
                            "the mount \"%s\" has more than %d directories, too many to list its "
                            "schemas; its tables can be named all the same",
                            name, MAX_DIRECTORIES);
    }
    char *path = NULL;
    WR_TRY(wr_path_join(walk->path, entry->name, name, &path, error));
    int code = wr_name_list_add(&walk->directories, path, error);
    wr_free(path);
    return code;
}

static int list_directories(struct walk *walk, struct wr_name_list *list,
                            struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(walk->mount);
    void *data = wr_mount_data(walk->mount);
    WR_TRY(wr_name_list_add(&walk->directories, "", error));
    WR_TRY(wr_name_list_add(list, kind->default_schema, error));
    for (size_t i = 0; i < walk->directories.n_items; i++) {
        walk->path = walk->directories.items[i];
        walk->has_table = false;
        int code = kind->list(data, walk->path, walk_entry, walk, error);
        if (code == WEIR_NOT_FOUND && i > 0) continue; /* removed meanwhile */
        WR_TRY(code);
        if (walk->has_table && i > 0) WR_TRY(wr_name_list_add(list, walk->path, error));
    }
    return WEIR_OK;
}

static int list_schemas(const struct wr_mount *mount, struct wr_name_list *list,
                        struct weir_error *error) {
    struct walk walk = {.mount = mount};
    /* The machine's own files are not walked through. */
    if (strcmp(wr_mount_name(mount), "/") == 0) {
        return wr_name_list_add(list, wr_mount_kind(mount)->default_schema, error);
    }
    int code = list_directories(&walk, list, error);
    wr_name_list_reset(&walk.directories);
    return code;
}

/* ---- All of them ---- */

static int list_names(struct wr_names *names, const char *catalog, const char *schema,
                      struct wr_name_list *list, struct weir_error *error) {
    bool own = false;
    bool mounted = false;
    struct wr_mount *mount = NULL;
    if (!catalog) return list_top(names, list, error);
    WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (mounted || strcmp(catalog, "/") == 0) {
        WR_TRY(wr_names_mount(names, catalog, &mount, error));
    }
    int code = WEIR_OK;
    if (mount) {
        code = schema ? list_tables(mount, schema, list, error) : list_schemas(mount, list, error);
        wr_mount_release(mount);
        wr_name_list_sort(list);
    } else {
        pthread_mutex_lock(&names->mutex);
        code = wr_names_collect(names, catalog, schema, list, error);
        pthread_mutex_unlock(&names->mutex);
    }
    return code;
}

int wr_names_list(void *names, const char *catalog, const char *schema, wr_emit_fn emit, void *sink,
                  struct weir_error *error) {
    struct wr_name_list list = {0};
    int code = list_names(names, catalog, schema, &list, error);
    for (size_t i = 0; code == WEIR_OK && i < list.n_items; i++)
        emit(sink, list.items[i]);
    wr_name_list_reset(&list);
    return code;
}

/* ---- USE ---- */

static int no_namespace(struct wr_names *names, const char *current, const char *first,
                        const char *second, struct weir_error *error) {
    struct wr_name_list list = {0};
    int code = WEIR_OK;
    if (second) {
        code = list_names(names, first, NULL, &list, NULL);
    } else {
        pthread_mutex_lock(&names->mutex);
        code = wr_names_collect(names, current, NULL, &list, error);
        pthread_mutex_unlock(&names->mutex);
        WR_TRY(code);
        code = list_top(names, &list, error);
    }
    if (code == WEIR_OK) {
        code =
            wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                         second ? "there is no namespace \"%s\" in \"%s\""
                                : "there is no namespace \"%s\" in \"%s\", nor a catalog or mount "
                                  "of that name",
                         second ? second : first, second ? first : current);
        wr_name_list_suggest(&list, second ? second : first, error);
        for (size_t i = 0; i < list.n_items; i++)
            wr_error_append(error, "%s%s", i > 0 ? ", " : "; there are: ", list.items[i]);
    }
    wr_name_list_reset(&list);
    return code;
}

/* Where unqualified names go when only the catalog is told. */
static int first_schema(struct wr_names *names, const char *catalog, char **ret_schema,
                        struct weir_error *error) {
    struct wr_mount *mount = NULL;
    struct wr_name_list list = {0};
    bool own = false;
    bool mounted = false;
    bool found = false;
    const char *schema = NULL;
    WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (mounted) WR_TRY(wr_names_mount(names, catalog, &mount, error));
    int code = WEIR_OK;
    if (mount) {
        schema = wr_mount_kind(mount)->default_schema;
    } else {
        code = wr_names_has_schema(names, catalog, names->schema, &found, error);
        if (code == WEIR_OK && !found) code = list_names(names, catalog, NULL, &list, error);
        schema = found ? names->schema : list.n_items > 0 ? list.items[0] : NULL;
    }
    if (code == WEIR_OK && !schema) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "the catalog \"%s\" has no namespace yet; make one with CREATE "
                            "NAMESPACE \"%s\".name",
                            catalog, catalog);
    }
    char *copy = code == WEIR_OK ? wr_strdup(schema) : NULL;
    if (code == WEIR_OK && !copy) code = wr_error_memory(error);
    if (code == WEIR_OK) *ret_schema = copy;
    wr_name_list_reset(&list);
    wr_mount_release(mount);
    return code;
}

static int set_namespace(const char *catalog, const char *schema, char **ret_catalog,
                         char **ret_schema, struct weir_error *error) {
    char *own_catalog = wr_strdup(catalog);
    char *own_schema = wr_strdup(schema);
    if (!own_catalog || !own_schema) {
        wr_free(own_catalog);
        wr_free(own_schema);
        return wr_error_memory(error);
    }
    *ret_catalog = own_catalog;
    *ret_schema = own_schema;
    return WEIR_OK;
}

int wr_names_namespace(struct wr_names *names, const char *current, const char *first,
                       const char *second, char **ret_catalog, char **ret_schema,
                       struct weir_error *error) {
    bool found = false;
    bool own = false;
    bool mounted = false;
    char *schema = NULL;
    const char *catalog = second ? first : current;
    const char *asked = second ? second : first;
    if (strcmp(catalog, "/") != 0) {
        WR_TRY(wr_names_has_schema(names, catalog, asked, &found, error));
    }
    if (found) return set_namespace(catalog, asked, ret_catalog, ret_schema, error);
    if (!second) WR_TRY(wr_names_has_top(names, first, &own, &mounted, error));
    if (!own && !mounted) return no_namespace(names, current, first, second, error);
    WR_TRY(first_schema(names, first, &schema, error));
    int code = set_namespace(first, schema, ret_catalog, ret_schema, error);
    wr_free(schema);
    return code;
}
