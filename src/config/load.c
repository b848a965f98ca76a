/* SPDX-License-Identifier: Apache-2.0 */
/* From the three sources to entries, and what is wrong with them. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/reference.h"
#include "config/entries.h"
#include "config/yaml.h"

enum { MOST_FILE = 1 << 20, MOST_ENTRIES = 10000, MOST_ORIGIN = PATH_MAX + 32 };

struct loader {
    struct wr_config *config;
    wr_config_problem_fn take; /* NULL: the first problem is the error */
    void *sink;
    int code; /* of the first problem */
    struct weir_error *error;
    const char *path; /* of the file, for messages */
    char *base;       /* its directory; NULL: none, or not to be told */
    char *here;       /* the current directory; likewise */
};

/* Where an entry comes from. */
struct place {
    enum wr_config_level level;
    size_t line;          /* of the file */
    const char *variable; /* of the environment */
};

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "weir.yaml:7"; for messages with the file's path. */
static void write_place(const struct loader *loader, const struct place *place, bool whole,
                        char *ret_text) {
    if (place->level == WR_CONFIG_FILE)
        snprintf(ret_text, MOST_ORIGIN, "%s:%zu", whole ? loader->path : file_name(loader->path),
                 place->line);
    else
        snprintf(ret_text, MOST_ORIGIN, "%s",
                 place->level == WR_CONFIG_OPTION ? "option" : place->variable);
}

/* ---- Problems ---- */

static void tell(struct loader *loader, struct weir_error *problem) {
    if (loader->take)
        loader->take(loader->sink, problem);
    else if (loader->code == WEIR_OK && loader->error)
        *loader->error = *problem;
    if (loader->code == WEIR_OK) loader->code = problem->code;
}

/* Reading goes on behind a problem, so that `weir config check` tells of all: answers WEIR_OK. */
__attribute__((format(printf, 4, 5))) static int
problem(struct loader *loader, const struct place *place, int code, const char *format, ...) {
    struct weir_error error = {0};
    char text[sizeof error.message], where[MOST_ORIGIN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_place(loader, place, true, where);
    wr_error_set(&error, code, NULL, "%s: %s", where, text);
    tell(loader, &error);
    return WEIR_OK;
}

/* The same of an error; only want of memory ends the reading. */
static int pass_on(struct loader *loader, const struct place *place, const char *key,
                   const struct weir_error *error) {
    char where[MOST_ORIGIN];
    struct weir_error copy = *error;
    if (error->code == WEIR_INTERNAL) {
        if (loader->error) *loader->error = *error;
        return error->code;
    }
    write_place(loader, place, true, where);
    wr_error_prefix(&copy, copy.code, "%s: \"%s\"", where, key);
    tell(loader, &copy);
    return WEIR_OK;
}

/* ---- Entries ---- */

struct wr_config_entry *wr_config_find(const struct wr_config *config, const char *key) {
    for (size_t i = 0; i < config->n_entries; i++) {
        if (strcmp(config->entries[i].key, key) == 0) return &config->entries[i];
    }
    return NULL;
}

static void reset_entry(struct wr_config_entry *entry) {
    wr_free(entry->key);
    wr_free(entry->written);
    wr_free(entry->value);
    wr_free(entry->origin);
}

void wr_config_free(struct wr_config *config) {
    if (!config) return;
    for (size_t i = 0; i < config->n_entries; i++)
        reset_entry(&config->entries[i]);
    wr_free(config->entries);
    wr_free(config->mounts);
    wr_free(config->extensions);
    wr_free(config->stores);
    wr_free(config->options);
    wr_free(config->settings);
    wr_free(config);
}

/* Takes over `entry`, whose key is its own. One of the same key is replaced and keeps its place. */
static int store(struct loader *loader, struct wr_config_entry *entry) {
    struct wr_config *config = loader->config;
    struct wr_config_entry *old = wr_config_find(config, entry->key);
    if (old) {
        reset_entry(old);
        *old = *entry;
        return WEIR_OK;
    }
    struct wr_config_entry *entries =
        wr_reallocarray(config->entries, config->n_entries + 1, sizeof *entries);
    if (!entries) {
        reset_entry(entry);
        return wr_error_memory(loader->error);
    }
    config->entries = entries;
    entries[config->n_entries++] = *entry;
    return WEIR_OK;
}

/* `written` and `value` NULL: a mapping. */
static int add(struct loader *loader, const struct place *place, const char *key,
               const char *written, const char *value, int64_t number, bool implied) {
    char origin[MOST_ORIGIN];
    write_place(loader, place, false, origin);
    struct wr_config_entry entry = {.key = wr_strdup(key),
                                    .written = wr_strdup(written),
                                    .value = wr_strdup(value),
                                    .origin = wr_strdup(origin),
                                    .number = number,
                                    .level = place->level,
                                    .implied = implied};
    if (!entry.key || !entry.origin || (written && !entry.written) || (value && !entry.value)) {
        reset_entry(&entry);
        return wr_error_memory(loader->error);
    }
    return store(loader, &entry);
}

/* ---- Checks ---- */

static int unknown(struct loader *loader, const struct place *place, const char *key) {
    const char *nearest = wr_config_nearest(key);
    if (nearest)
        return problem(loader, place, WEIR_INVALID_ARGUMENT,
                       "unknown key \"%s\"; did you mean \"%s\"?", key, nearest);
    return problem(loader, place, WEIR_INVALID_ARGUMENT,
                   "unknown key \"%s\"; \"weir config show\" lists those there are", key);
}

static int not_yet(struct loader *loader, const struct place *place, const char *key) {
    return problem(loader, place, WEIR_NOT_IMPLEMENTED,
                   "\"%s\" is not available in this version; take it out", key);
}

/* Whether the key may be given here, which it may once in each source. */
static bool is_free(struct loader *loader, const struct place *place, const char *key) {
    const struct wr_config_entry *old = wr_config_find(loader->config, key);
    if (loader->config->n_entries >= MOST_ENTRIES && !old) {
        if (loader->config->n_entries == MOST_ENTRIES)
            problem(loader, place, WEIR_INVALID_ARGUMENT, "more than %d keys", MOST_ENTRIES);
        return false;
    }
    if (!old || old->level != place->level || old->implied) return true;
    problem(loader, place, WEIR_INVALID_ARGUMENT,
            "\"%s\" is given twice, also at %s; keep one of them", key, old->origin);
    return false;
}

static const char *base_of(const struct loader *loader, const struct place *place) {
    return place->level == WR_CONFIG_FILE ? loader->base : loader->here;
}

static bool begins(const char *text, const char *head) {
    return strncmp(text, head, strlen(head)) == 0;
}

/* Whether a mount's url is a path of this machine; those of databases may be other things. */
static bool is_local(const char *url) {
    static const char *const others[] = {":memory:", "sqlite:", "duckdb:", "file:"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strncmp(url, others[i], strlen(others[i])) == 0) return false;
    }
    return !strstr(url, "://");
}

/* Options that are paths: a mount's url, an extension's library. */
static bool is_path_option(const char *key, const char *value) {
    const char *name = wr_config_name(key), *dot = name ? strchr(name, '.') : NULL;
    if (!dot) return false;
    return begins(key, "mounts.") ? strcmp(dot, ".url") == 0 && is_local(value)
                                  : strcmp(dot, ".library") == 0;
}

/* Makes the path absolute. "~" is the shell's, and would be a directory of that name. */
static int place_path(struct loader *loader, const struct place *place, const char *key,
                      char **value, bool *ret_good) {
    char *path = NULL;
    if ((*value)[0] == '~' && ((*value)[1] == '/' || !(*value)[1])) {
        *ret_good = false;
        return problem(loader, place, WEIR_INVALID_ARGUMENT,
                       "\"%s\": ~ does not stand for a directory here; write ${env:HOME}", key);
    }
    WR_TRY(wr_reference_path(base_of(loader, place), *value, &path, loader->error));
    wr_free(*value);
    *value = path;
    return WEIR_OK;
}

/* The number of a value that is right; else *ret_good is false and the problem told. The message
 * has the value as written: what a reference stands for may be a secret. */
static int check_value(struct loader *loader, const struct place *place, const char *key,
                       const struct wr_config_key *spec, const char *written, char **value,
                       int64_t *ret_number, bool *ret_good) {
    *ret_good = true;
    if (spec && !wr_config_parse(spec, *value, ret_number)) {
        char wanted[160];
        *ret_good = false;
        wr_config_wanted(spec, wanted, sizeof wanted);
        return problem(loader, place, WEIR_INVALID_ARGUMENT, "\"%s\" must be %s, not \"%s\"", key,
                       wanted, written);
    }
    bool is_path = spec ? spec->type == WR_CONFIG_PATH : is_path_option(key, *value);
    return is_path ? place_path(loader, place, key, value, ret_good) : WEIR_OK;
}

static int put_known(struct loader *loader, const struct place *place, const char *key,
                     const struct wr_config_key *spec, const char *written) {
    struct weir_error error = {0};
    char *value = NULL;
    int64_t number = 0;
    bool good;
    if (!is_free(loader, place, key)) return WEIR_OK;
    if (wr_reference_resolve(written, base_of(loader, place), &value, &error))
        return pass_on(loader, place, key, &error);
    int code = check_value(loader, place, key, spec, written, &value, &number, &good);
    if (code == WEIR_OK && good) code = add(loader, place, key, written, value, number, false);
    wr_free(value);
    return code;
}

/* "mounts.lake", which mounts.lake.url tells of; and so for stores and extensions. */
static int imply_mount(struct loader *loader, const struct place *place, const char *key) {
    const char *below = wr_config_name(key), *dot = below ? strchr(below, '.') : NULL;
    char *name;
    int code = WEIR_OK;
    if (!dot) return WEIR_OK;
    name = wr_strndup(key, (size_t)(dot - key));
    if (!name) return wr_error_memory(loader->error);
    if (!wr_config_find(loader->config, name)) code = add(loader, place, name, NULL, NULL, 0, true);
    wr_free(name);
    return code;
}

static bool is_good_mount(struct loader *loader, const struct place *place, const char *key) {
    const char *name = wr_config_name(key);
    size_t length = name ? strcspn(name, ".") : 0;
    if (!name || (length > 0 && !memchr(name, '/', length))) return true;
    problem(loader, place, WEIR_INVALID_ARGUMENT,
            "\"%.*s\" cannot name %s: it is one component of a path, without '.' and '/'",
            (int)length, name,
            begins(key, "mounts.")   ? "a mount"
            : begins(key, "stores.") ? "a store"
                                     : "an extension");
    return false;
}

/* ---- Values and mappings, from any source ---- */

static int put(struct loader *loader, const struct place *place, const char *key,
               const char *written) {
    const struct wr_config_key *spec = NULL;
    switch (wr_config_locate(key, &spec)) {
    case WR_CONFIG_UNKNOWN:
        return unknown(loader, place, key);
    case WR_CONFIG_LATER:
        return not_yet(loader, place, key);
    case WR_CONFIG_GROUP:
        if (!written) return WEIR_OK;
        return problem(loader, place, WEIR_INVALID_ARGUMENT,
                       "\"%s\" takes keys of its own, not a value: %s: { ... }", key, key);
    case WR_CONFIG_MOUNT:
        return problem(loader, place, WEIR_INVALID_ARGUMENT,
                       "\"%s\" takes keys of its own, not a value: %s", key,
                       begins(key, "mounts.")   ? "{ kind: files, url: ... }"
                       : begins(key, "stores.") ? "{ url: s3://bucket/, ... }"
                                                : "{ library: ..., or its options }");
    case WR_CONFIG_KEY:
    case WR_CONFIG_FREE:
        break;
    }
    if (!written)
        return problem(loader, place, WEIR_INVALID_ARGUMENT,
                       "\"%s\" has no value; give it one or take it out", key);
    if (!spec) {
        if (!is_good_mount(loader, place, key)) return WEIR_OK;
        WR_TRY(imply_mount(loader, place, key));
    }
    return put_known(loader, place, key, spec, written);
}

static int take_value(void *context, const char *key, const char *text, size_t line,
                      struct weir_error *error) {
    (void)error;
    return put(context, &(struct place){.level = WR_CONFIG_FILE, .line = line}, key, text);
}

/* A list in the place of a mapping. */
static int refuse_list(struct loader *loader, const struct place *place, const char *key,
                       enum wr_config_place where) {
    return problem(loader, place, WEIR_INVALID_ARGUMENT,
                   where == WR_CONFIG_FREE ? "\"%s\" takes one value, not a list"
                                           : "\"%s\" takes keys of its own, not a list",
                   key);
}

static int take_mapping(void *context, const char *key, bool is_list, size_t line, bool *ret_enter,
                        struct weir_error *error) {
    struct loader *loader = context;
    const struct place place = {.level = WR_CONFIG_FILE, .line = line};
    const struct wr_config_key *spec = NULL;
    char wanted[160];
    (void)error;
    enum wr_config_place where = wr_config_locate(key, &spec);
    switch (where) {
    case WR_CONFIG_UNKNOWN:
        return unknown(loader, &place, key);
    case WR_CONFIG_LATER:
        return not_yet(loader, &place, key);
    case WR_CONFIG_KEY:
        *ret_enter = is_list && spec->type == WR_CONFIG_LIST;
        if (*ret_enter) return WEIR_OK;
        wr_config_wanted(spec, wanted, sizeof wanted);
        return problem(loader, &place, WEIR_INVALID_ARGUMENT, "\"%s\" must be %s, not a %s", key,
                       wanted, is_list ? "list" : "mapping");
    case WR_CONFIG_GROUP:
    case WR_CONFIG_MOUNT:
    case WR_CONFIG_FREE:
        break;
    }
    if (is_list) return refuse_list(loader, &place, key, where);
    if (!is_good_mount(loader, &place, key) || !is_free(loader, &place, key)) return WEIR_OK;
    WR_TRY(imply_mount(loader, &place, key));
    *ret_enter = true;
    return add(loader, &place, key, NULL, NULL, 0, false);
}

static int take_problem(void *context, size_t line, const char *message, struct weir_error *error) {
    (void)error;
    return problem(context, &(struct place){.level = WR_CONFIG_FILE, .line = line},
                   WEIR_INVALID_ARGUMENT, "%s", message);
}

/* ---- The sources ---- */

/* The directory of the file, absolute, as the working directory may change later. */
static int find_base(const char *path, char **ret_base, struct weir_error *error) {
    char directory[PATH_MAX], real[PATH_MAX];
    const char *name = file_name(path);
    size_t length = (size_t)(name - path);
    if (length >= sizeof directory)
        return wr_error_errno(error, ENAMETOOLONG, "cannot read \"%s\"", path);
    snprintf(directory, sizeof directory, "%.*s", (int)length, path);
    if (!realpath(length ? directory : ".", real))
        return wr_error_errno(error, errno, "cannot read \"%s\"", path);
    char *base = wr_strdup(real);
    if (!base) return wr_error_memory(error);
    *ret_base = base;
    return WEIR_OK;
}

static int load_file(struct loader *loader) {
    const struct wr_yaml_reader reader = {
        .context = loader, .value = take_value, .mapping = take_mapping, .problem = take_problem};
    char *text = NULL;
    size_t length = 0;
    WR_TRY(wr_read_text_file(loader->path, MOST_FILE, &text, &length, loader->error));
    int code = find_base(loader->path, &loader->base, loader->error);
    if (code == WEIR_OK) code = wr_yaml_read(&reader, text, length, loader->error);
    wr_free(text);
    return code;
}

static int load_environment(struct loader *loader) {
    for (size_t i = 0; i < wr_config_n_keys; i++) {
        char variable[WR_CONFIG_VARIABLE_SIZE];
        if (wr_config_keys[i].type == WR_CONFIG_MAPPING) continue;
        wr_config_variable(wr_config_keys[i].name, variable);
        const char *text = getenv(variable);
        if (!text || !*text) continue;
        const struct place place = {.level = WR_CONFIG_ENVIRONMENT, .variable = variable};
        WR_TRY(put(loader, &place, wr_config_keys[i].name, text));
    }
    return WEIR_OK;
}

static int load_options(struct loader *loader, const struct weir_option *settings,
                        size_t n_settings) {
    const struct place place = {.level = WR_CONFIG_OPTION};
    for (size_t i = 0; i < n_settings; i++)
        WR_TRY(put(loader, &place, settings[i].key, settings[i].value));
    return WEIR_OK;
}

static int load_all(struct loader *loader, const struct weir_option *settings, size_t n_settings) {
    char here[PATH_MAX];
    loader->config = wr_calloc(1, sizeof *loader->config);
    if (!loader->config) return wr_error_memory(loader->error);
    if (getcwd(here, sizeof here)) {
        loader->here = wr_strdup(here);
        if (!loader->here) return wr_error_memory(loader->error);
    }
    if (loader->path) WR_TRY(load_file(loader));
    WR_TRY(load_environment(loader));
    WR_TRY(load_options(loader, settings, n_settings));
    return wr_config_finish(loader->config, loader->error);
}

int wr_config_check(const char *path, const struct weir_option *settings, size_t n_settings,
                    wr_config_problem_fn take, void *sink, struct wr_config **ret_config,
                    struct weir_error *error) {
    struct loader loader = {.take = take, .sink = sink, .error = error, .path = path};
    int code = load_all(&loader, settings, n_settings);
    if (code == WEIR_OK && !take) code = loader.code;
    wr_free(loader.base);
    wr_free(loader.here);
    if (code) {
        wr_config_free(loader.config);
        return code;
    }
    *ret_config = loader.config;
    return WEIR_OK;
}

int wr_config_load(const char *path, const struct weir_option *settings, size_t n_settings,
                   struct wr_config **ret_config, struct weir_error *error) {
    return wr_config_check(path, settings, n_settings, NULL, NULL, ret_config, error);
}
