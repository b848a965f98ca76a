/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to an open table. */
#include <string.h>

#include "base/error.h"
#include "catalog/names.h"

int wr_names_open_stored(struct wr_names *names, const struct wr_name *name, int64_t id,
                         struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_stored stored = {0};
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_load(names->store, id, &stored, error);
    pthread_mutex_unlock(&names->mutex);
    WR_TRY(code);
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = stored.kind,
        .options = stored.options.items,
        .n_options = stored.options.n_items,
        .columns = stored.columns.release ? &stored.columns : NULL,
    };
    code = wr_instance_open(names->registry, &definition, ret_instance, error);
    wr_stored_reset(&stored);
    return code;
}

/* What the maps and the store say of a name, with the mutex held. *ret_instance gets a reference if
 * it is open. */
static int find(struct wr_names *names, const struct wr_name *name, int64_t *ret_id,
                struct wr_instance **ret_instance, struct wr_instance **ret_stale,
                struct weir_error *error) {
    struct wr_entry *entry = wr_names_entry(names, name, true);
    if (entry) {
        *ret_instance = wr_instance_retain(entry->instance);
        return WEIR_OK;
    }
    WR_TRY(wr_store_table(names->store, name->catalog, name->schema, name->name, ret_id, error));
    entry = wr_names_entry(names, name, false);
    if (!entry) return WEIR_OK;
    if (entry->id == *ret_id) {
        *ret_instance = wr_instance_retain(entry->instance);
    } else {
        *ret_stale = wr_names_take(names, entry);
    }
    return WEIR_OK;
}

/* Keeps a newly opened table for the next lookup, unless someone else was faster. */
static int keep(struct wr_names *names, const struct wr_name *name, int64_t id,
                struct wr_instance *instance, struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = WEIR_OK;
    if (!wr_names_entry(names, name, false)) {
        code = wr_names_reserve(names, error);
        if (code == WEIR_OK) {
            wr_names_put(names, (struct wr_entry){wr_instance_retain(instance), id, false});
        }
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}

static bool looks_like_path(const char *name) {
    return strpbrk(name, "/.*?[") != NULL;
}

/* A path is looked for wherever an unqualified name can lead: the default schema, and any that a
 * session may be in. */
static int open_path(struct wr_names *names, const struct wr_name *name,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    const struct weir_table_kind *kind = wr_registry_role(names->registry, WEIR_ROLE_PATH);
    if (!kind || !looks_like_path(name->name)) return WEIR_OK;
    bool is_default =
        strcmp(name->catalog, names->catalog) == 0 && strcmp(name->schema, names->schema) == 0;
    if (!is_default) {
        int64_t id = 0;
        pthread_mutex_lock(&names->mutex);
        int code = wr_store_schema(names->store, name->catalog, name->schema, &id, error);
        pthread_mutex_unlock(&names->mutex);
        if (code || id == 0) return code;
    }
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = kind->name,
        .options = &(struct weir_option){"path", name->name},
        .n_options = 1,
    };
    return wr_instance_open(names->registry, &definition, ret_instance, error);
}

static int open_name(struct wr_names *names, const struct wr_name *name,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    int64_t id = 0;
    struct wr_instance *stale = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = find(names, name, &id, ret_instance, &stale, error);
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(stale);
    if (code || *ret_instance) return code;
    if (id == 0) return open_path(names, name, ret_instance, error);
    struct wr_instance *instance = NULL;
    WR_TRY(wr_names_open_stored(names, name, id, &instance, error));
    code = keep(names, name, id, instance, error);
    if (code) {
        wr_instance_release(instance);
        return code;
    }
    *ret_instance = instance;
    return WEIR_OK;
}

int wr_names_has(void *context, const char *catalog, const char *schema) {
    struct wr_names *names = context;
    int64_t id = 0;
    pthread_mutex_lock(&names->mutex);
    int code = schema ? wr_store_schema(names->store, catalog, schema, &id, NULL)
                      : wr_store_catalog(names->store, catalog, &id, NULL);
    pthread_mutex_unlock(&names->mutex);
    /* Where the store cannot say, the look-up of the table will, with its error. */
    return code || id != 0;
}

int wr_names_table(void *context, const char *catalog, const char *schema, const char *name,
                   const struct weir_option *options, size_t n_options, struct wr_table *ret_table,
                   struct weir_error *error) {
    (void)options;
    if (n_options > 0) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "\"%s\" cannot be called", name);
    }
    struct wr_instance *instance = NULL;
    WR_TRY(open_name(context, &(struct wr_name){catalog, schema, name}, &instance, error));
    if (!instance) return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "%s", "");
    int code = wr_instance_table(instance, ret_table, error);
    wr_instance_release(instance);
    return code;
}

int wr_names_has_table(struct wr_names *names, const struct wr_name *name, bool *ret_found,
                       struct weir_error *error) {
    int64_t id = 0;
    pthread_mutex_lock(&names->mutex);
    bool temporary = wr_names_entry(names, name, true) != NULL;
    int code = WEIR_OK;
    if (!temporary) {
        code = wr_store_table(names->store, name->catalog, name->schema, name->name, &id, error);
    }
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) *ret_found = temporary || id != 0;
    return code;
}
