/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog `system` of a workspace: who knows the rows of which table. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/metrics.h"
#include "catalog/system_tables.h"
#include "catalog/tree.h"
#include "session/session.h"
#include "store/store.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* ---- settings ---- */

/* Of "stores.NAME.OPTION" that of the option. */
static const char *help_of(const struct wr_config_item *item) {
    static const char stores[] = "stores.";
    if (strncmp(item->key, stores, sizeof stores - 1) != 0) return item->help;
    const char *name = strchr(item->key + sizeof stores - 1, '.');
    const struct wr_store_option *option = NULL;
    for (int type = WR_STORE_S3; name && !option && type <= WR_STORE_HTTP; type++)
        option = wr_store_option((enum wr_store_type)type, name + 1);
    return option ? option->help : item->help;
}

static int add_setting(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    struct wr_rows *rows = sink;
    wr_rows_text(rows, item->key);
    wr_rows_text(rows, item->value);
    wr_rows_text(rows, item->origin);
    wr_rows_text(rows, help_of(item));
    return wr_rows_end(rows, error);
}

/* What options of stores are where nothing is said. */
static int add_store_defaults(struct wr_rows *rows, struct weir_error *error) {
    for (size_t i = 0; i < wr_store_n_options; i++) {
        const struct wr_store_option *option = &wr_store_options[i];
        char key[128];
        if (!option->fallback) continue;
        snprintf(key, sizeof key, "stores.*.%s", option->name);
        const struct wr_config_item item = {key, option->fallback, "default", option->help, NULL};
        WR_TRY(add_setting(rows, &item, error));
    }
    return WEIR_OK;
}

static int fill_settings(void *context, struct wr_rows *rows, struct weir_error *error) {
    const struct weir_workspace *workspace = context;
    /* It names mounts, files and hosts. */
    if (!wr_rows_see_all(rows)) return WEIR_OK;
    WR_TRY(wr_config_each(workspace->config, add_setting, rows, error));
    return add_store_defaults(rows, error);
}

/* ---- metrics ---- */

struct metrics {
    struct wr_rows *rows;
    const char *store; /* NULL: of all */
    int code;
    struct weir_error *error;
};

static void add_metric(void *sink, const char *name, int64_t value, const char *help) {
    struct metrics *metrics = sink;
    char of_store[64];
    if (metrics->code) return;
    if (metrics->store) snprintf(of_store, sizeof of_store, "objects_%s", name);
    wr_rows_text(metrics->rows, metrics->store ? of_store : name);
    wr_rows_int(metrics->rows, value);
    wr_rows_text(metrics->rows, help);
    wr_rows_text(metrics->rows, metrics->store);
    metrics->code = wr_rows_end(metrics->rows, metrics->error);
}

static int add_store_metrics(void *sink, const char *url, const struct wr_objects *objects,
                             struct weir_error *error) {
    struct metrics metrics = {sink, url, WEIR_OK, error};
    wr_objects_metrics(objects, add_metric, &metrics);
    return metrics.code;
}

static int fill_metrics(void *context, struct wr_rows *rows, struct weir_error *error) {
    const struct weir_workspace *workspace = context;
    struct metrics metrics = {rows, NULL, WEIR_OK, error};
    if (!wr_rows_see_all(rows)) return WEIR_OK; /* what others do */
    for (int i = 0; i < WR_METRIC_N; i++)
        add_metric(&metrics, wr_metric_name(i), wr_metric_value(i), wr_metric_help(i));
    wr_engine_metrics(workspace->engine, add_metric, &metrics);
    if (metrics.code) return metrics.code;
    return wr_store_pool_each(workspace->stores, add_store_metrics, rows, error);
}

/* ---- Wiring ---- */

int wr_workspace_add_system(struct weir_workspace *workspace, struct weir_error *error) {
    struct wr_names *names = workspace->names;
    const struct wr_system_source sources[] = {
        {"mounts", wr_names_fill_mounts, names},
        {"namespaces", wr_names_fill_namespaces, names},
        {"tables", wr_names_fill_tables, names},
        {"settings", fill_settings, workspace},
        {"metrics", fill_metrics, workspace},
        {"caches", wr_caches_fill, workspace->caches},
        {"constraints", wr_names_fill_constraints, names},
        {"queries", wr_queries_fill, workspace->queries},
        {"sessions", wr_queries_fill_sessions, workspace->queries},
        {"users", wr_users_fill, names},
        {"grants", wr_grants_fill, names},
        {"secrets", wr_store_pool_fill_secrets, workspace->stores},
        {"storage_locations", wr_store_pool_fill_stores, workspace->stores},
    };
    struct wr_system_state state = {workspace->registry, workspace->extensions, sources,
                                    N_OF(sources)};
    bool own = wr_names_has(names, WR_SYSTEM_CATALOG, NULL);
    WR_TRY(wr_system_new(&state, &workspace->system, error));
    if (own) return WEIR_OK; /* a catalog of the workspace has that name */
    return wr_names_add_mount(names, WR_SYSTEM_CATALOG, &wr_mount_system, workspace->system, error);
}
