/* SPDX-License-Identifier: Apache-2.0 */
/* --set: keys of the configuration, and settings of the engine. */
#include <stdio.h>
#include <string.h>

#include "arrow/arrow.h"
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
    bool has;                /* the one that was given */
};

static int add_batch(struct names *names, const struct ArrowArray *batch, const char *key) {
    for (int64_t row = 0; row < batch->length; row++) {
        size_t length;
        const char *text = output_cell(batch, 0, row, &length);
        char *name = text == NULL ? NULL : wr_strndup(text, length);
        int code = name == NULL ? WEIR_INTERNAL : wr_options_add(&names->known, name, "", NULL);
        if (name != NULL && strcmp(name, key) == 0) names->has = true;
        wr_free(name);
        if (code != WEIR_OK) return code;
    }
    return WEIR_OK;
}

static int read_names(struct cli *cli, const char *key, struct names *names) {
    static const char sql[] = "SELECT name FROM information_schema.df_settings";
    struct ArrowArrayStream rows = {0}, text = {0};
    struct ArrowArray batch = {0};

    int code = weir_query(cli->session, sql, &rows, NULL, NULL);
    if (code == WEIR_OK) code = weir_text(&rows, &text, NULL);
    for (bool more = true; code == WEIR_OK && more;) {
        code = wr_arrow_stream_next(&text, "settings", &batch, NULL);
        more = code == WEIR_OK && batch.release != NULL;
        if (more) code = add_batch(names, &batch, key);
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_stream(&text);
    wr_arrow_release_stream(&rows);
    return code;
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
    struct names names = {0};

    if (read_names(cli, key, &names) != WEIR_OK || names.has) {
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
        int code = weir_session_set(cli->session, setting->key, setting->value, error);
        if (code != WEIR_OK) return explain(cli, setting->key, code, error);
    }
    return WEIR_OK;
}
