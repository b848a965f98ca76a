/* SPDX-License-Identifier: Apache-2.0 */
/* What a loaded configuration answers. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/entries.h"

#define MOUNTS "mounts."
#define EXTENSIONS "extensions."
#define STORES "stores."
#define SETTINGS "settings."

static bool begins(const char *text, const char *head) {
    return strncmp(text, head, strlen(head)) == 0;
}

/* ---- Mounts, stores, extensions and settings ---- */

/* The mapping of one name below a group: "mounts.lake". */
static bool is_named(const struct wr_config_entry *entry, const char *group) {
    return !entry->written && begins(entry->key, group) && !strchr(entry->key + strlen(group), '.');
}

/* The next entry below a named one, from *at on, as its option; NULL behind the last. */
static const struct wr_config_entry *next_option(const struct wr_config *config,
                                                 const struct wr_config_entry *named, size_t *at,
                                                 const char **ret_option) {
    size_t length = strlen(named->key);
    while (*at < config->n_entries) {
        const struct wr_config_entry *entry = &config->entries[(*at)++];
        if (!entry->written || !begins(entry->key, named->key) || entry->key[length] != '.')
            continue;
        *ret_option = entry->key + length + 1;
        return entry;
    }
    return NULL;
}

/* Fills the mount from its entries, and its options in from `options` on; returns behind them. */
static struct weir_option *fill_mount(const struct wr_config *config,
                                      const struct wr_config_entry *mount,
                                      struct weir_option *options,
                                      struct wr_config_mount *ret_mount) {
    const struct wr_config_entry *entry;
    const char *option;
    *ret_mount = (struct wr_config_mount){.name = mount->key + strlen(MOUNTS),
                                          .kind = "files",
                                          .options = options,
                                          .origin = mount->origin};
    for (size_t at = 0; (entry = next_option(config, mount, &at, &option));) {
        bool is_url = strcmp(option, "url") == 0 || strcmp(option, "uri") == 0;
        if (is_url && strstr(entry->written, "${")) ret_mount->url = entry->written;
        if (strcmp(option, "kind") == 0)
            ret_mount->kind = entry->value;
        else
            *options++ = (struct weir_option){option, entry->value};
    }
    ret_mount->n_options = (size_t)(options - ret_mount->options);
    return options;
}

static struct weir_option *fill_extension(const struct wr_config *config,
                                          const struct wr_config_entry *extension,
                                          struct weir_option *options,
                                          struct wr_config_extension *ret_extension) {
    const struct wr_config_entry *entry;
    const char *option;
    *ret_extension = (struct wr_config_extension){.name = extension->key + strlen(EXTENSIONS),
                                                  .options = options,
                                                  .origin = extension->origin};
    for (size_t at = 0; (entry = next_option(config, extension, &at, &option));) {
        if (strcmp(option, "library") == 0)
            ret_extension->library = entry->value;
        else
            *options++ = (struct weir_option){option, entry->value};
    }
    ret_extension->n_options = (size_t)(options - ret_extension->options);
    return options;
}

static struct weir_option *fill_store(const struct wr_config *config,
                                      const struct wr_config_entry *store,
                                      struct weir_option *options,
                                      struct wr_config_store *ret_store) {
    const struct wr_config_entry *entry;
    const char *option;
    *ret_store = (struct wr_config_store){
        .name = store->key + strlen(STORES), .options = options, .origin = store->origin};
    for (size_t at = 0; (entry = next_option(config, store, &at, &option));) {
        if (strcmp(option, "url") == 0)
            ret_store->url = entry->value;
        else if (strcmp(option, "type") == 0)
            ret_store->type = entry->value;
        else
            *options++ = (struct weir_option){option, entry->value};
    }
    ret_store->n_options = (size_t)(options - ret_store->options);
    return options;
}

int wr_config_finish(struct wr_config *config, struct weir_error *error) {
    size_t n = config->n_entries;
    config->mounts = wr_calloc(n + 1, sizeof *config->mounts);
    config->extensions = wr_calloc(n + 1, sizeof *config->extensions);
    config->stores = wr_calloc(n + 1, sizeof *config->stores);
    config->options = wr_calloc(n + 1, sizeof *config->options);
    config->settings = wr_calloc(n + 1, sizeof *config->settings);
    if (!config->mounts || !config->extensions || !config->stores || !config->options ||
        !config->settings)
        return wr_error_memory(error);
    struct weir_option *options = config->options;
    for (size_t i = 0; i < n; i++) {
        const struct wr_config_entry *entry = &config->entries[i];
        if (is_named(entry, MOUNTS))
            options = fill_mount(config, entry, options, &config->mounts[config->n_mounts++]);
        if (is_named(entry, STORES))
            options = fill_store(config, entry, options, &config->stores[config->n_stores++]);
        if (is_named(entry, EXTENSIONS))
            options =
                fill_extension(config, entry, options, &config->extensions[config->n_extensions++]);
        if (entry->written && begins(entry->key, SETTINGS))
            config->settings[config->n_settings++] =
                (struct weir_option){entry->key + strlen(SETTINGS), entry->value};
    }
    return WEIR_OK;
}

size_t wr_config_mounts(const struct wr_config *config, const struct wr_config_mount **ret_mounts) {
    *ret_mounts = config->mounts;
    return config->n_mounts;
}

size_t wr_config_extensions(const struct wr_config *config,
                            const struct wr_config_extension **ret_extensions) {
    *ret_extensions = config->extensions;
    return config->n_extensions;
}

size_t wr_config_stores(const struct wr_config *config, const struct wr_config_store **ret_stores) {
    *ret_stores = config->stores;
    return config->n_stores;
}

size_t wr_config_settings(const struct wr_config *config, const struct weir_option **ret_settings) {
    *ret_settings = config->settings;
    return config->n_settings;
}

const char *wr_config_setting_origin(const struct wr_config *config, size_t n) {
    for (size_t i = 0; i < config->n_entries; i++) {
        if (config->entries[i].value == config->settings[n].value) return config->entries[i].origin;
    }
    return NULL;
}

/* ---- Values ---- */

/* Asking for a key that is not there is a mistake of ours. */
static const struct wr_config_key *spec_of(const char *key) {
    const struct wr_config_key *spec = NULL;
    if (wr_config_locate(key, &spec) != WR_CONFIG_KEY) abort();
    return spec;
}

int64_t wr_config_int(const struct wr_config *config, const char *key) {
    const struct wr_config_key *spec = spec_of(key);
    const struct wr_config_entry *entry = wr_config_find(config, key);
    int64_t number = 0;
    if (entry) return entry->number;
    if (spec->fallback) (void)wr_config_parse(spec, spec->fallback, &number);
    return number;
}

bool wr_config_bool(const struct wr_config *config, const char *key) {
    return wr_config_int(config, key) != 0;
}

const char *wr_config_text(const struct wr_config *config, const char *key) {
    const struct wr_config_key *spec = spec_of(key);
    const struct wr_config_entry *entry = wr_config_find(config, key);
    return entry ? entry->value : spec->fallback;
}

bool wr_config_is_set(const struct wr_config *config, const char *key) {
    return wr_config_find(config, key) != NULL;
}

/* ---- Listing ---- */

/* An extension without options, which is loaded all the same. */
static bool is_bare(const struct wr_config *config, const struct wr_config_entry *entry) {
    const char *option;
    size_t at = 0;
    return is_named(entry, EXTENSIONS) && !next_option(config, entry, &at, &option);
}

/* The entries below "mounts", "stores", "extensions" or "settings"; the key itself when there is
 * none. */
static int each_part(const struct wr_config *config, const struct wr_config_key *key,
                     wr_config_item_fn take, void *sink, struct weir_error *error) {
    size_t length = strlen(key->name);
    bool any = false;
    for (size_t i = 0; config && i < config->n_entries; i++) {
        const struct wr_config_entry *entry = &config->entries[i];
        if (!begins(entry->key, key->name) || entry->key[length] != '.') continue;
        if (!entry->written && !is_bare(config, entry)) continue;
        any = true;
        char *shown = wr_redact_secrets(entry->key, entry->written ? entry->written : "{}");
        if (!shown) return wr_error_memory(error);
        const struct wr_config_item item = {entry->key, shown, entry->origin, key->help, NULL};
        int code = take(sink, &item, error);
        wr_free(shown);
        WR_TRY(code);
    }
    if (any) return WEIR_OK;
    return take(sink, &(struct wr_config_item){key->name, NULL, "default", key->help, NULL}, error);
}

int wr_config_each(const struct wr_config *config, wr_config_item_fn take, void *sink,
                   struct weir_error *error) {
    for (size_t i = 0; i < wr_config_n_keys; i++) {
        const struct wr_config_key *key = &wr_config_keys[i];
        const struct wr_config_entry *entry = config ? wr_config_find(config, key->name) : NULL;
        if (key->type == WR_CONFIG_MAPPING) {
            WR_TRY(each_part(config, key, take, sink, error));
            continue;
        }
        const char *blank = key->example                  ? key->example
                            : key->type == WR_CONFIG_LIST ? "[]"
                            : key->type == WR_CONFIG_PATH ? "DIRECTORY"
                                                          : "TEXT";
        const struct wr_config_item item = {key->name, entry ? entry->written : key->fallback,
                                            entry ? entry->origin : "default", key->help, blank};
        WR_TRY(take(sink, &item, error));
    }
    return WEIR_OK;
}

/* ---- Names ---- */

bool wr_config_is_key(const char *key) {
    char first[64];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(key, "."), key);
    return wr_config_locate(first, NULL) != WR_CONFIG_UNKNOWN;
}

const char *wr_config_nearest_key(const char *key) {
    return wr_config_nearest(key);
}

/* "http.listen" of WEIR_HTTP_LISTEN: what stands before the first '_' is the group. */
static bool is_later(const char *name) {
    char key[WR_CONFIG_VARIABLE_SIZE];
    size_t length = strcspn(name, "_");
    if (length >= sizeof key) return false;
    for (size_t i = 0; i < length; i++)
        key[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    key[length] = '\0';
    return wr_config_locate(key, NULL) == WR_CONFIG_LATER;
}

/* The variable that a misspelt one is near to, without WEIR_, which all have; NULL when it is one,
 * or none is near. The names are `names`. */
static const char *near_variable(const char *name, const char *const *names, size_t n_names) {
    for (size_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], name) == 0) return NULL;
    }
    return wr_nearest(name, names, n_names);
}

void wr_config_strays(wr_config_stray_fn take, void *sink) {
    enum { HEAD = sizeof "WEIR_" - 1, MOST = 64 };
    char variables[MOST][WR_CONFIG_VARIABLE_SIZE];
    const char *names[MOST + 2] = {"WORKSPACE", "CONFIG"}; /* the program's own */
    size_t n_names = 2;
    for (size_t i = 0; i < wr_config_n_keys && i < MOST; i++) {
        if (wr_config_keys[i].type == WR_CONFIG_MAPPING) continue;
        wr_config_variable(wr_config_keys[i].name, variables[i]);
        names[n_names++] = variables[i] + HEAD;
    }
    for (char **variable = environ; variable && *variable; variable++) {
        char name[WR_CONFIG_VARIABLE_SIZE], message[400];
        size_t length = strcspn(*variable, "=");
        if (!begins(*variable, "WEIR_") || length - HEAD >= sizeof name) continue;
        snprintf(name, sizeof name, "%.*s", (int)(length - HEAD), *variable + HEAD);
        const char *nearest = near_variable(name, names, n_names);
        if (is_later(name))
            snprintf(message, sizeof message,
                     "the environment variable WEIR_%s is not read: its key is not available in "
                     "this version",
                     name);
        else if (nearest)
            snprintf(message, sizeof message,
                     "the environment variable WEIR_%s is not read; did you mean WEIR_%s?", name,
                     nearest);
        else
            continue;
        take(sink, message);
    }
}
