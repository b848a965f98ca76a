/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/system_tables.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/names.h"
#include "catalog/tree.h"

enum { MAX_PATH = 1 << 20 };

struct walk {
    struct wr_names *names;
    struct wr_rows *rows;
};

/* ---- Names ---- */

/* What wr_names_list emits, which cannot fail itself. */
struct listing {
    struct wr_name_list list;
    int code;
    struct weir_error *error;
};

static void emit_name(void *sink, const char *name) {
    struct listing *listing = sink;
    if (listing->code == WEIR_OK) {
        listing->code = wr_name_list_add(&listing->list, name, listing->error);
    }
}

/* The schemas of a catalog or mount. Reset `list` also after a failure. */
static int list_schemas(struct wr_names *names, const char *catalog, struct wr_name_list *list,
                        struct weir_error *error) {
    struct listing listing = {.error = error};
    int code = wr_names_list(names, catalog, NULL, emit_name, &listing, error);
    *list = listing.list;
    return code ? code : listing.code;
}

/* The catalogs of the workspace itself. Reset `list` also after a failure. */
static int own_catalogs(struct wr_names *names, struct wr_name_list *list,
                        struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_list(names->store, NULL, NULL, wr_name_list_add, list, error);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* ---- mounts ---- */

static int add_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    struct wr_rows *rows = sink;
    if (!wr_rows_see(rows, info->name, NULL, NULL)) return WEIR_OK;
    wr_rows_text(rows, info->name);
    wr_rows_text(rows, info->kind);
    wr_rows_text(rows, wr_rows_see_all(rows) ? info->url : NULL);
    wr_rows_text(rows, info->origin);
    return wr_rows_end(rows, error);
}

int wr_names_fill_mounts(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct wr_names *names = context;
    struct wr_name_list catalogs = {0};
    int code = own_catalogs(names, &catalogs, error);
    for (size_t i = 0; code == WEIR_OK && i < catalogs.n_items; i++) {
        bool first = strcmp(catalogs.items[i], names->catalog) == 0;
        struct wr_mount_info info = {catalogs.items[i], "catalog", NULL, first ? "weir" : "sql"};
        code = add_mount(rows, &info, error);
    }
    wr_name_list_reset(&catalogs);
    if (code == WEIR_OK) code = wr_names_each_mount(names, add_mount, rows, error);
    return code;
}

/* ---- namespaces ---- */

static int add_namespaces(struct wr_names *names, const char *catalog, const char *fallback,
                          struct wr_rows *rows, struct weir_error *error) {
    struct wr_name_list schemas = {0};
    int code = list_schemas(names, catalog, &schemas, error);
    for (size_t i = 0; code == WEIR_OK && i < schemas.n_items; i++) {
        if (!wr_rows_see(rows, catalog, schemas.items[i], NULL)) continue;
        wr_rows_text(rows, catalog);
        wr_rows_text(rows, schemas.items[i]);
        wr_rows_bool(rows, strcmp(schemas.items[i], fallback) == 0);
        code = wr_rows_end(rows, error);
    }
    wr_name_list_reset(&schemas);
    return code;
}

/* Opens a mount for a walk; *ret_mount stays NULL for one that is not wanted, or was detached. */
static int open_mount(const struct walk *walk, const char *name, struct wr_mount **ret_mount,
                      struct weir_error *error) {
    if (!wr_rows_wants(walk->rows, name) || !wr_rows_see(walk->rows, name, NULL, NULL))
        return WEIR_OK;
    return wr_names_mount(walk->names, name, ret_mount, error);
}

/* What there is to do about a mount that cannot be walked. */
static int explain(int code, const char *mount, struct weir_error *error) {
    if (code == WEIR_OK || code == WEIR_INTERNAL) return code;
    wr_error_prefix(error, code, "mount \"%s\" cannot be listed", mount);
    wr_error_append(error, "; name one that can in WHERE catalog = '...', or DETACH this one");
    return code;
}

static int add_namespaces_of_mount(void *sink, const struct wr_mount_info *info,
                                   struct weir_error *error) {
    const struct walk *walk = sink;
    struct wr_mount *mount = NULL;
    int code = open_mount(walk, info->name, &mount, error);
    if (code == WEIR_OK && mount) {
        code = add_namespaces(walk->names, info->name, wr_mount_kind(mount)->default_schema,
                              walk->rows, error);
    }
    wr_mount_release(mount);
    return explain(code, info->name, error);
}

int wr_names_fill_namespaces(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct walk walk = {context, rows};
    struct wr_names *names = context;
    struct wr_name_list catalogs = {0};
    int code = own_catalogs(names, &catalogs, error);
    for (size_t i = 0; code == WEIR_OK && i < catalogs.n_items; i++) {
        const char *catalog = catalogs.items[i];
        bool first = strcmp(catalog, names->catalog) == 0;
        if (!wr_rows_wants(rows, catalog)) continue;
        code = add_namespaces(names, catalog, first ? names->schema : "", rows, error);
    }
    wr_name_list_reset(&catalogs);
    if (code == WEIR_OK) code = wr_names_each_mount(names, add_namespaces_of_mount, &walk, error);
    return code;
}

/* ---- tables ---- */

struct table {
    const char *catalog;
    const char *schema;
    const char *name;
    const char *kind;
    const char *type;
    bool is_temporary;
    const char *path;
};

static int add_table(struct wr_rows *rows, const struct table *table, struct weir_error *error) {
    if (!wr_rows_see(rows, table->catalog, table->schema, table->name)) return WEIR_OK;
    wr_rows_text(rows, table->catalog);
    wr_rows_text(rows, table->schema);
    wr_rows_text(rows, table->name);
    wr_rows_text(rows, table->kind);
    wr_rows_text(rows, table->type);
    wr_rows_bool(rows, table->is_temporary);
    wr_rows_text(rows, table->path);
    return wr_rows_end(rows, error);
}

/* A table of an own catalog. `kind` NULL: not known in this process. */
static int add_own(struct wr_rows *rows, const struct wr_name *name, const char *kind_name,
                   const struct weir_table_kind *kind, bool is_temporary,
                   struct weir_error *error) {
    struct wr_buffer path;
    if (!wr_rows_wants(rows, name->catalog)) return WEIR_OK;
    wr_buffer_init(&path, MAX_PATH);
    wr_buffer_format(&path, "/%s/%s/%s", name->catalog, name->schema, name->name);
    struct table table = {
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = kind_name,
        .type = kind && (kind->roles & WEIR_ROLE_VIEW) ? "view" : "table",
        .is_temporary = is_temporary,
        .path = path.data,
    };
    int code = path.failed ? wr_error_memory(error) : add_table(rows, &table, error);
    wr_buffer_reset(&path);
    return code;
}

/* With the mutex held, as its caller. */
static int add_stored(void *sink, const struct wr_stored_name *stored, struct weir_error *error) {
    const struct walk *walk = sink;
    struct wr_name name = {stored->catalog, stored->schema, stored->name};
    if (wr_names_entry(walk->names, &name, true)) return WEIR_OK; /* a temporary one hides it */
    const struct weir_table_kind *kind = wr_registry_known(walk->names->registry, stored->kind);
    return add_own(walk->rows, &name, stored->kind, kind, false, error);
}

static int add_temporary(struct walk *walk, struct weir_error *error) {
    for (size_t i = 0; i < walk->names->n_entries; i++) {
        const struct wr_entry *entry = &walk->names->entries[i];
        if (entry->id != 0) continue;
        const struct weir_definition *table = wr_instance_definition(entry->instance);
        struct wr_name name = {table->catalog, table->schema, table->name};
        WR_TRY(add_own(walk->rows, &name, table->kind, wr_instance_kind(entry->instance), true,
                       error));
    }
    return WEIR_OK;
}

/* ---- Tables of mounts ---- */

struct directory {
    struct wr_rows *rows;
    const struct wr_mount *mount;
    const char *schema;
    const char *path; /* within the mount */
};

static bool ends_in(const char *text, const char *end) {
    size_t length = strlen(text);
    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static const char *type_of(const struct weir_entry *entry) {
    if (entry->type == WEIR_ENTRY_DIRECTORY) return "series";
    if (entry->type == WEIR_ENTRY_FILE) return ends_in(entry->name, ".sql") ? "derived" : "file";
    return "table";
}

static int add_entry(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    const struct directory *directory = sink;
    if (!entry->table) return WEIR_OK;
    const char *mount = wr_mount_name(directory->mount);
    struct wr_buffer path;
    wr_buffer_init(&path, MAX_PATH);
    wr_buffer_format(&path, "/%s/%s%s%s", mount, directory->path, *directory->path ? "/" : "",
                     entry->name);
    struct table table = {
        .catalog = mount,
        .schema = directory->schema,
        .name = entry->table,
        .kind = wr_mount_kind(directory->mount)->name,
        .type = type_of(entry),
        .path = path.data,
    };
    int code = path.failed ? wr_error_memory(error) : add_table(directory->rows, &table, error);
    wr_buffer_reset(&path);
    return code;
}

static int add_directory(struct wr_rows *rows, const struct wr_mount *mount, const char *schema,
                         struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    struct weir_error reason = {0};
    bool is_root = strcmp(schema, kind->default_schema) == 0;
    struct directory directory = {rows, mount, schema, is_root ? "" : schema};
    int code = kind->list(wr_mount_data(mount), directory.path, add_entry, &directory, &reason);
    if (!is_root && (code == WEIR_NOT_FOUND || code == WEIR_UNAUTHORIZED)) return WEIR_OK;
    if (code && error) *error = reason;
    return code;
}

static int add_tables_of_mount(void *sink, const struct wr_mount_info *info,
                               struct weir_error *error) {
    const struct walk *walk = sink;
    struct wr_mount *mount = NULL;
    struct wr_name_list schemas = {0};
    int code = open_mount(walk, info->name, &mount, error);
    if (code == WEIR_OK && mount) code = list_schemas(walk->names, info->name, &schemas, error);
    for (size_t i = 0; code == WEIR_OK && i < schemas.n_items; i++)
        code = add_directory(walk->rows, mount, schemas.items[i], error);
    wr_name_list_reset(&schemas);
    wr_mount_release(mount);
    return explain(code, info->name, error);
}

int wr_names_fill_tables(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct walk walk = {context, rows};
    pthread_mutex_lock(&walk.names->mutex);
    int code = wr_store_each_table(walk.names->store, add_stored, &walk, error);
    if (code == WEIR_OK) code = add_temporary(&walk, error);
    pthread_mutex_unlock(&walk.names->mutex);
    if (code == WEIR_OK) {
        code = wr_names_each_mount(walk.names, add_tables_of_mount, &walk, error);
    }
    return code;
}
