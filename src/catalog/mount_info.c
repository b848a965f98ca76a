/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of mounts: their list, and why DDL does not work in them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/secret.h"
#include "catalog/names.h"

/* ---- The list ---- */

struct row {
    char *name;
    char *kind;
    char *url;
    char *origin;
};

struct rows {
    struct row *items;
    size_t n_items;
};

static void rows_reset(struct rows *rows) {
    for (size_t i = 0; i < rows->n_items; i++) {
        wr_free(rows->items[i].name);
        wr_free(rows->items[i].kind);
        wr_free(rows->items[i].url);
        wr_free(rows->items[i].origin);
    }
    wr_free(rows->items);
}

/* `url` NULL: the option of that name, without secrets either way. */
static int add_row(struct rows *rows, const char *name, const char *kind,
                   const struct wr_options *options, const char *url, const char *origin,
                   struct weir_error *error) {
    struct row *items = wr_reallocarray(rows->items, rows->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    rows->items = items;
    if (!url) url = wr_options_get(options->items, options->n_items, "url");
    if (!url) url = wr_options_get(options->items, options->n_items, "uri");
    struct row *row = &items[rows->n_items++];
    *row = (struct row){wr_strdup(name), wr_strdup(kind),
                        url ? wr_redact_secrets("url", url) : NULL, wr_strdup(origin)};
    if (!row->name || !row->kind || !row->origin || (url && !row->url))
        return wr_error_memory(error);
    return WEIR_OK;
}

static bool is_attached(const struct wr_names *names, const char *name) {
    for (size_t i = 0; i < names->n_attached; i++) {
        if (strcmp(names->attached[i]->name, name) == 0) return true;
    }
    return false;
}

static int add_stored(struct wr_names *names, const char *name, struct rows *rows,
                      struct weir_error *error) {
    int64_t id = 0;
    struct wr_stored stored = {0};
    if (is_attached(names, name)) return WEIR_OK;
    WR_TRY(wr_store_mount(names->store, name, &id, error));
    if (id == 0) return WEIR_OK; /* detached just now by another process */
    int code = wr_store_load_mount(names->store, id, &stored, error);
    if (code == WEIR_NOT_FOUND) return WEIR_OK;
    if (code == WEIR_OK)
        code = add_row(rows, name, stored.kind, &stored.options, NULL, "sql", error);
    wr_stored_reset(&stored);
    return code;
}

/* With the mutex held. */
static int collect(struct wr_names *names, struct rows *rows, struct weir_error *error) {
    struct wr_name_list list = {0};
    for (size_t i = 0; i < names->n_attached; i++) {
        const struct wr_attached *mount = names->attached[i];
        if (strcmp(mount->name, "/") == 0) continue;
        WR_TRY(add_row(rows, mount->name, mount->kind->name, &mount->options, mount->url,
                       mount->origin, error));
    }
    int code = wr_store_list_mounts(names->store, wr_name_list_add, &list, error);
    for (size_t i = 0; code == WEIR_OK && i < list.n_items; i++) {
        code = add_stored(names, list.items[i], rows, error);
    }
    wr_name_list_reset(&list);
    return code;
}

static int compare_rows(const void *a, const void *b) {
    return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

int wr_names_each_mount(struct wr_names *names, wr_mount_info_fn take, void *sink,
                        struct weir_error *error) {
    struct rows rows = {0};
    pthread_mutex_lock(&names->mutex);
    int code = collect(names, &rows, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK && rows.n_items > 1)
        qsort(rows.items, rows.n_items, sizeof *rows.items, compare_rows);
    for (size_t i = 0; code == WEIR_OK && i < rows.n_items; i++) {
        const struct row *row = &rows.items[i];
        struct wr_mount_info info = {row->name, row->kind, row->url, row->origin};
        code = take(sink, &info, error);
    }
    rows_reset(&rows);
    return code;
}

/* ---- Refusing ---- */

int wr_names_check_secrets(const struct wr_names *names, const char *owner,
                           const struct weir_option *options, size_t n_options,
                           struct weir_error *error) {
    if (!names->persistent) return WEIR_OK;
    for (size_t i = 0; i < n_options; i++) {
        if (!wr_has_secret(options[i].key, options[i].value)) continue;
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "28000",
                            "%s: option \"%s\" holds a password, which the workspace would keep "
                            "as plain text; write ${env:NAME} or ${file:PATH} in its place, or "
                            "name a profile",
                            owner, options[i].key);
    }
    return WEIR_OK;
}

/* With the mutex held. NULL where the kind is not known here. */
static int kind_of(struct wr_names *names, const char *name,
                   const struct weir_mount_kind **ret_kind, struct weir_error *error) {
    int64_t id = 0;
    struct wr_stored stored = {0};
    for (size_t i = 0; i < names->n_attached; i++) {
        if (strcmp(names->attached[i]->name, name) != 0) continue;
        *ret_kind = names->attached[i]->kind;
        return WEIR_OK;
    }
    WR_TRY(wr_store_mount(names->store, name, &id, error));
    if (id == 0) return WEIR_OK;
    WR_TRY(wr_store_load_mount(names->store, id, &stored, error));
    wr_registry_mount(names->registry, stored.kind, ret_kind, NULL);
    wr_stored_reset(&stored);
    return WEIR_OK;
}

static int refuse(struct wr_names *names, const char *name, const char *statement,
                  struct weir_error *error) {
    const struct weir_mount_kind *kind = NULL;
    WR_TRY(kind_of(names, name, &kind, error));
    int code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s does not work in \"%s\", which is a mount%s%s", statement, name,
                            kind ? " of kind " : "", kind ? kind->name : "");
    if (kind && kind->read) {
        wr_error_append(error, strncmp(statement, "CREATE", 6) == 0
                                   ? ": put a .sql file there for a view, a data file for a table"
                                   : ": its tables are files, and change with them");
    }
    return code;
}

int wr_names_refuse_mount(struct wr_names *names, const char *catalog, const char *schema,
                          const char *statement, struct weir_error *error) {
    int64_t catalog_id = 0;
    int64_t schema_id = 0;
    bool mount = false;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_catalog(names->store, catalog, &catalog_id, error);
    if (code == WEIR_OK && catalog_id != 0 && schema) {
        code = wr_store_schema(names->store, catalog, schema, &schema_id, error);
    }
    const char *name = catalog_id == 0 ? catalog : schema;
    if (code == WEIR_OK && schema_id == 0 && name) {
        code = wr_names_has_mount(names, name, &mount, error);
        if (code == WEIR_OK && mount) code = refuse(names, name, statement, error);
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}
