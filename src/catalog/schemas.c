/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the names, and the catalogs and schemas in them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/names.h"
#include "catalog/users.h"

enum { MAX_PATH = 64 << 10 };

/* ---- Open and close ---- */

static int store_open(const char *path, struct wr_store **ret_store, struct weir_error *error) {
    if (!path) return wr_store_open(NULL, ret_store, error);
    struct wr_buffer file;
    wr_buffer_init(&file, MAX_PATH);
    wr_buffer_format(&file, "%s/.weir", path);
    if (file.failed) return wr_error_memory(error);
    int code = WEIR_OK;
    if (mkdir(file.data, 0777) != 0 && errno != EEXIST) {
        code =
            wr_error_errno(error, errno, "cannot make the workspace's directory \"%s\"", file.data);
    }
    wr_buffer_text(&file, "/catalog.db");
    if (code == WEIR_OK && file.failed) code = wr_error_memory(error);
    if (code == WEIR_OK) code = wr_store_open(file.data, ret_store, error);
    wr_buffer_reset(&file);
    return code;
}

static int ensure_defaults(struct wr_names *names, struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_catalog(names->store, names->catalog, &id, error));
    if (id == 0) WR_TRY(wr_store_add_catalog(names->store, names->catalog, error));
    WR_TRY(wr_store_schema(names->store, names->catalog, names->schema, &id, error));
    if (id != 0) return WEIR_OK;
    return wr_store_add_schema(names->store, names->catalog, names->schema, error);
}

int wr_names_open(const char *path, const char *catalog, const char *schema,
                  struct wr_registry *registry, struct wr_names **ret_names,
                  struct weir_error *error) {
    struct wr_names *names = wr_calloc(1, sizeof *names);
    if (!names) return wr_error_memory(error);
    pthread_mutex_init(&names->mutex, NULL);
    names->registry = registry;
    names->persistent = path != NULL;
    names->catalog = wr_strdup(catalog);
    names->schema = wr_strdup(schema);
    int code = names->catalog && names->schema ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK) code = store_open(path, &names->store, error);
    if (code == WEIR_OK) code = wr_store_begin(names->store, error);
    if (code == WEIR_OK) code = wr_store_end(names->store, ensure_defaults(names, error), error);
    if (code) {
        wr_names_close(names);
        return code;
    }
    *ret_names = names;
    return WEIR_OK;
}

const struct wr_encodings *wr_names_encodings(const struct wr_names *names) {
    return wr_registry_encodings(names->registry);
}

void wr_names_close(struct wr_names *names) {
    if (!names) return;
    for (size_t i = 0; i < names->n_entries; i++) {
        const struct wr_entry *entry = &names->entries[i];
        /* The end of a temporary table is its drop. */
        if (entry->id == 0) wr_instance_drop(entry->instance, NULL);
        wr_instance_release(entry->instance);
    }
    wr_free(names->entries);
    wr_free(names->expected);
    wr_recent_forget(names, NULL);
    wr_names_close_mounts(names);
    wr_store_close(names->store);
    wr_free(names->catalog);
    wr_free(names->schema);
    pthread_mutex_destroy(&names->mutex);
    wr_free(names);
}

/* ---- Catalogs ---- */

static int create_catalog(struct wr_names *names, const char *catalog, int flags,
                          struct weir_error *error) {
    int64_t id = 0;
    bool mount = false;
    WR_TRY(wr_store_catalog(names->store, catalog, &id, error));
    if (id == 0) WR_TRY(wr_names_has_mount(names, catalog, &mount, error));
    if (mount) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P04",
                            "Execution error: there is a mount '%s' already; choose another name",
                            catalog);
    }
    if (id == 0) return wr_store_add_catalog(names->store, catalog, error);
    if (flags & WR_CREATE_IF_NOT_EXISTS) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P04",
                        "Execution error: Catalog '%s' already exists", catalog);
}

int wr_names_create_catalog(struct wr_names *names, const char *catalog, int flags,
                            struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_begin(names->store, error);
    if (code == WEIR_OK) {
        code = wr_store_end(names->store, create_catalog(names, catalog, flags, error), error);
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* ---- Schemas ---- */

static int create_schema(struct wr_names *names, const char *catalog, const char *schema, int flags,
                         struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_catalog(names->store, catalog, &id, error));
    if (id == 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, "3D000",
                            "Execution error: Missing catalog '%s'; make it with CREATE DATABASE",
                            catalog);
    }
    WR_TRY(wr_store_schema(names->store, catalog, schema, &id, error));
    if (id == 0) return wr_store_add_schema(names->store, catalog, schema, error);
    if (flags & WR_CREATE_IF_NOT_EXISTS) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P06",
                        "Execution error: Schema '%s' already exists", schema);
}

int wr_names_create_schema(struct wr_names *names, const char *catalog, const char *schema,
                           int flags, struct weir_error *error) {
    bool done = false;
    WR_TRY(wr_mounted_create_schema(names, catalog, schema, flags, &done, error));
    if (done) return WEIR_OK;
    WR_TRY(wr_names_refuse_mount(names, catalog, NULL, "CREATE SCHEMA", error));
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_begin(names->store, error);
    if (code == WEIR_OK) {
        code =
            wr_store_end(names->store, create_schema(names, catalog, schema, flags, error), error);
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* Instances that are released, or told of their drop, once the mutex is free. */
struct instances {
    struct wr_instance **items;
    size_t n_items;
};

static void instances_reset(struct instances *list) {
    for (size_t i = 0; i < list->n_items; i++)
        wr_instance_release(list->items[i]);
    wr_free(list->items);
}

static int refuse_tables(const char *schema, const struct wr_name_list *tables,
                         struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, sizeof error->message);
    for (size_t i = 0; i < tables->n_items; i++) {
        wr_buffer_format(&text, "%s%s", i > 0 ? ", " : "", tables->items[i]);
    }
    int code = wr_error_set(error, WEIR_INVALID_STATE, "2BP01",
                            "Execution error: Cannot drop schema %s because other tables depend "
                            "on it: %s; drop them first, or use CASCADE",
                            schema, text.data ? text.data : "");
    wr_buffer_reset(&text);
    return code;
}

/* Opens the stored tables whose kind must be told of a drop. Without the mutex. */
static int open_for_drop(struct wr_names *names, const char *catalog, const char *schema,
                         const struct wr_name_list *tables, struct instances *list,
                         struct weir_error *error) {
    list->items = wr_reallocarray(NULL, tables->n_items + 1, sizeof *list->items);
    if (!list->items) return wr_error_memory(error);
    for (size_t i = 0; i < tables->n_items; i++) {
        struct wr_name name = {catalog, schema, tables->items[i]};
        struct wr_instance *instance = NULL;
        WR_TRY(wr_names_for_drop(names, &name, false, &instance, error));
        if (instance) list->items[list->n_items++] = instance;
    }
    return WEIR_OK;
}

/* Takes the schema's entries out. With the mutex held; `list` has room for all of them. */
static void take_entries(struct wr_names *names, const char *catalog, const char *schema,
                         struct instances *list) {
    for (size_t i = names->n_entries; i > 0; i--) {
        struct wr_entry *entry = &names->entries[i - 1];
        const struct weir_definition *table = wr_instance_definition(entry->instance);
        if (strcmp(table->catalog, catalog) == 0 && strcmp(table->schema, schema) == 0) {
            list->items[list->n_items++] = wr_names_take(names, entry);
        }
    }
}

/* Deletes the schema with the mutex held, if it still has no table that was not seen. */
static int delete_schema(struct wr_names *names, const char *catalog, const char *schema,
                         bool cascade, struct instances *taken, struct weir_error *error) {
    int64_t id = 0;
    struct wr_name_list tables = {0};
    WR_TRY(wr_store_schema(names->store, catalog, schema, &id, error));
    int code = wr_names_collect(names, catalog, schema, &tables, error);
    if (code == WEIR_OK && tables.n_items > 0 && !cascade) {
        code = refuse_tables(schema, &tables, error);
    }
    wr_name_list_reset(&tables);
    WR_TRY(code);
    taken->items = wr_reallocarray(NULL, names->n_entries + 1, sizeof *taken->items);
    if (!taken->items) return wr_error_memory(error);
    WR_TRY(wr_grants_forget(names, &(struct wr_name){catalog, schema, ""}, error));
    return wr_store_drop_schema(names->store, id, error);
}

static int drop_instances(const struct instances *list, struct weir_error *error) {
    int code = WEIR_OK;
    for (size_t i = 0; i < list->n_items; i++) {
        int dropped = wr_instance_drop(list->items[i], code ? NULL : error);
        if (code == WEIR_OK) code = dropped;
    }
    return code;
}

static int drop_schema(struct wr_names *names, const char *catalog, const char *schema,
                       bool cascade, const struct wr_name_list *tables, struct weir_error *error) {
    struct instances outside = {0};
    struct instances taken = {0};
    int code = WEIR_OK;
    if (cascade) code = open_for_drop(names, catalog, schema, tables, &outside, error);
    if (code == WEIR_OK) {
        pthread_mutex_lock(&names->mutex);
        code = wr_store_begin(names->store, error);
        if (code == WEIR_OK) {
            code = delete_schema(names, catalog, schema, cascade, &taken, error);
            code = wr_store_end(names->store, code, error);
        }
        if (code == WEIR_OK) take_entries(names, catalog, schema, &taken);
        pthread_mutex_unlock(&names->mutex);
    }
    if (code == WEIR_OK) code = drop_instances(&outside, error);
    instances_reset(&taken);
    instances_reset(&outside);
    return code;
}

int wr_names_drop_schema(struct wr_names *names, const char *catalog, const char *schema,
                         bool if_exists, bool cascade, struct weir_error *error) {
    int64_t id = 0;
    bool mount = false;
    struct wr_name_list tables = {0};
    bool done = false;
    WR_TRY(wr_mounted_drop_schema(names, catalog, schema, if_exists, cascade, &done, error));
    if (done) return WEIR_OK;
    WR_TRY(wr_names_refuse_mount(names, catalog, NULL, "DROP SCHEMA", error));
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_schema(names->store, catalog, schema, &id, error);
    if (code == WEIR_OK && id == 0) code = wr_names_has_mount(names, schema, &mount, error);
    if (code == WEIR_OK && id != 0) code = wr_names_collect(names, catalog, schema, &tables, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK && id != 0) {
        code = drop_schema(names, catalog, schema, cascade, &tables, error);
    } else if (code == WEIR_OK && !if_exists) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "Execution error: Schema '%s' doesn't exist.%s", schema,
                            mount ? " There is a mount of that name: use DETACH" : "");
    }
    wr_name_list_reset(&tables);
    return code;
}
