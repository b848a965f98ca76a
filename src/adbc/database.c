/* SPDX-License-Identifier: Apache-2.0 */
/* A database: a workspace of this process. */
#include <string.h>

#include "adbc/adbc.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"

/* ---- Life ---- */

int wr_driver_database_new(struct wr_driver_database **ret_database, struct weir_error *error) {
    struct wr_driver_database *database = wr_calloc(1, sizeof *database);
    if (!database) return wr_error_memory(error);
    int code = wr_handles_new(&database->partitions, error);
    if (code) {
        wr_free(database);
        return code;
    }
    atomic_init(&database->references, 1);
    pthread_mutex_init(&database->mutex, NULL);
    *ret_database = database;
    return WEIR_OK;
}

struct wr_driver_database *wr_driver_database_retain(struct wr_driver_database *database) {
    atomic_fetch_add_explicit(&database->references, 1, memory_order_relaxed);
    return database;
}

void wr_driver_database_release(struct wr_driver_database *database) {
    if (!database) return;
    if (atomic_fetch_sub_explicit(&database->references, 1, memory_order_acq_rel) > 1) return;
    wr_handles_free(database->partitions);
    weir_workspace_close(database->workspace);
    wr_options_erase(&database->options);
    pthread_mutex_destroy(&database->mutex);
    wr_free(database);
}

/* ---- Init ---- */

/* The directory that a URI means; "" for a workspace in memory. */
static int path_of_uri(const char *uri, const char **ret_path, struct weir_error *error) {
    static const char file[] = "file:";
    const char *path = uri;
    if (strcmp(uri, ":memory:") == 0) path = "";
    if (wr_driver_starts_with(uri, file)) {
        path = uri + strlen(file);
        if (wr_driver_starts_with(path, "///")) path += 2;
    }
    if (wr_driver_starts_with(uri, "file://") && path[1] == '/')
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "uri \"%s\": a file of another machine; write file:///path", uri);
    if (path == uri && wr_scheme_length(uri) > 0)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "uri \"%s\": this driver opens a workspace of this machine, a "
                            "directory; for a server use a driver of Flight SQL",
                            uri);
    *ret_path = path;
    return WEIR_OK;
}

/* The options that are keys of the configuration, with the prefix taken off. Only the array is the
 * caller's. */
static int settings_of(const struct wr_options *options, struct weir_option **ret_settings,
                       size_t *ret_n, struct weir_error *error) {
    struct weir_option *settings = wr_calloc(options->n_items + 1, sizeof *settings);
    size_t n = 0;
    if (!settings) return wr_error_memory(error);
    for (size_t i = 0; i < options->n_items; i++) {
        const struct weir_option *option = &options->items[i];
        if (!wr_driver_starts_with(option->key, WR_ADBC_WEIR_CONFIG)) continue;
        settings[n++] =
            (struct weir_option){option->key + strlen(WR_ADBC_WEIR_CONFIG), option->value};
    }
    *ret_settings = settings;
    *ret_n = n;
    return WEIR_OK;
}

static const char *option(const struct wr_driver_database *database, const char *key) {
    return wr_options_get(database->options.items, database->options.n_items, key);
}

int wr_driver_database_init(struct wr_driver_database *database, struct weir_error *error) {
    if (database->workspace)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the database is initialised already");
    const char *path = option(database, WR_ADBC_WEIR_WORKSPACE);
    if (!path && option(database, WR_ADBC_URI))
        WR_TRY(path_of_uri(option(database, WR_ADBC_URI), &path, error));
    struct weir_workspace_options options = {
        .size = sizeof options,
        .path = path && *path ? path : NULL,
        .config = option(database, WR_ADBC_WEIR_CONFIG_FILE),
    };
    struct weir_option *settings = NULL;
    WR_TRY(settings_of(&database->options, &settings, &options.n_settings, error));
    options.settings = settings;
    int code = weir_workspace_open(&options, &database->workspace, error);
    wr_free(settings);
    return code;
}

/* ---- Options ---- */

static bool is_known(const char *key) {
    static const char *const keys[] = {WR_ADBC_URI,      WR_ADBC_WEIR_WORKSPACE,
                                       WR_ADBC_USERNAME, WR_ADBC_WEIR_CONFIG_FILE,
                                       WR_ADBC_PASSWORD, WR_ADBC_WEIR_FUNCTIONS};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i]) == 0) return true;
    }
    return wr_driver_starts_with(key, WR_ADBC_WEIR_CONFIG) ||
           wr_driver_starts_with(key, WR_ADBC_WEIR_SETTING);
}

int wr_driver_database_set(struct wr_driver_database *database, const char *key, const char *value,
                           struct weir_error *error) {
    if (!is_known(key)) return wr_driver_unknown_option(key, "database", error);
    bool of_workspace = strcmp(key, WR_ADBC_URI) == 0 ||
                        wr_driver_starts_with(key, "adbc.weir.workspace") ||
                        wr_driver_starts_with(key, WR_ADBC_WEIR_CONFIG_FILE);
    if (database->workspace && of_workspace)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "option \"%s\": the workspace is open already; set it before the "
                            "database is initialised",
                            key);
    pthread_mutex_lock(&database->mutex);
    int code = wr_driver_option_put(&database->options, key, value, error);
    pthread_mutex_unlock(&database->mutex);
    return code;
}

int wr_driver_database_option(struct wr_driver_database *database, const char *key,
                              char **ret_value, struct weir_error *error) {
    pthread_mutex_lock(&database->mutex);
    const char *value = option(database, key);
    char *copy = wr_strdup(value);
    pthread_mutex_unlock(&database->mutex);
    if (value && !copy) return wr_error_memory(error);
    *ret_value = copy;
    return WEIR_OK;
}

/* The value that a key of the configuration has in the open workspace, wherever it comes from. */
static int get_config(struct wr_driver_database *database, const char *key, char **ret_value,
                      struct weir_error *error) {
    char *value = NULL;
    WR_TRY(weir_workspace_setting(database->workspace, key, &value, error));
    char *copy = wr_strdup(value);
    bool lost = value && !copy;
    weir_free(value);
    if (lost) return wr_error_memory(error);
    *ret_value = copy;
    return WEIR_OK;
}

int wr_driver_database_get(struct wr_driver_database *database, const char *key, char **ret_value,
                           struct weir_error *error) {
    char *value = NULL;
    bool secret = strcmp(key, WR_ADBC_PASSWORD) == 0;
    if (database->workspace && wr_driver_starts_with(key, WR_ADBC_WEIR_CONFIG))
        WR_TRY(get_config(database, key + strlen(WR_ADBC_WEIR_CONFIG), &value, error));
    else if (!secret)
        WR_TRY(wr_driver_database_option(database, key, &value, error));
    if (!value) return wr_driver_not_found(key, "database", error);
    *ret_value = value;
    return WEIR_OK;
}
