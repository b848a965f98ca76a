/* SPDX-License-Identifier: Apache-2.0 */
/* --set: keys of the configuration, and settings of the engine. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "config/config.h"

static int choose(const struct arguments *arguments, bool keys, struct weir_option **ret_settings,
                  size_t *ret_n, struct weir_error *error) {
    size_t n = arguments->settings.n_items;
    struct weir_option *settings = wr_calloc(n + 1, sizeof *settings);

    if (settings == NULL) return wr_error_memory(error);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (wr_config_is_key(arguments->settings.items[i].key) == keys)
            settings[(*ret_n)++] = arguments->settings.items[i];
    }
    *ret_settings = settings;
    return WEIR_OK;
}

int settings_of_workspace(const struct arguments *arguments, struct weir_option **ret_settings,
                          size_t *ret_n, struct weir_error *error) {
    return choose(arguments, true, ret_settings, ret_n, error);
}

int settings_of_sessions(const struct arguments *arguments, struct weir_option **ret_settings,
                         size_t *ret_n, struct weir_error *error) {
    return choose(arguments, false, ret_settings, ret_n, error);
}

/* ---- What a wrong key was meant for ---- */

struct names {
    struct wr_options known; /* the keys are the names */
    const char *key;         /* that was given */
    bool has;
};

static bool add_name(void *context, const char *text, size_t length) {
    struct names *names = context;
    char *name = wr_strndup(text, length);
    bool good = name != NULL && wr_options_add(&names->known, name, "", NULL) == WEIR_OK;
    if (good && strcmp(name, names->key) == 0) names->has = true;
    wr_free(name);
    return good;
}

static int read_names(struct cli *cli, struct names *names) {
    static const char sql[] = "SELECT name FROM information_schema.df_settings";
    return connection_list(cli->connection, sql, add_name, names, NULL);
}

static const char *find_nearest(const struct names *names, const char *key) {
    size_t n = names->known.n_items;
    const char **candidates = wr_calloc(n + 1, sizeof *candidates);
    const char *ours = wr_config_nearest_key(key), *nearest = ours;

    if (candidates == NULL) return ours;
    for (size_t i = 0; i < n; i++)
        candidates[i] = names->known.items[i].key;
    if (ours != NULL) candidates[n++] = ours;
    nearest = wr_nearest(key, candidates, n);
    wr_free(candidates);
    return nearest;
}

/* The engine's own message stays where its setting is known, and only the value is wrong. */
static int explain(struct cli *cli, const char *key, int code, struct weir_error *error) {
    struct names names = {.key = key};

    if (read_names(cli, &names) != WEIR_OK || names.has) {
        wr_options_reset(&names.known);
        return wr_error_prefix(error, code, "--set %s", key);
    }
    const char *nearest = find_nearest(&names, key);
    if (nearest != NULL)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--set %s: there is no such key of the configuration or setting of the "
                            "engine; did you mean \"%s\"?",
                            key, nearest);
    else
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--set %s: there is no such key of the configuration (weir config show "
                            "lists them) or setting of the engine (SHOW ALL)",
                            key);
    wr_options_reset(&names.known);
    return code;
}

int settings_apply(struct cli *cli, struct weir_error *error) {
    const struct wr_options *settings = &cli->arguments->settings;

    for (size_t i = 0; i < settings->n_items; i++) {
        const struct weir_option *setting = &settings->items[i];
        if (wr_config_is_key(setting->key)) continue;
        int code = cli->connection->type->set(cli->connection, setting->key, setting->value, error);
        if (code != WEIR_OK) return explain(cli, setting->key, code, error);
    }
    return WEIR_OK;
}
