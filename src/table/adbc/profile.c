/* SPDX-License-Identifier: Apache-2.0 */
/* Connection profiles, as "ADBC Driver Manager and Connection Profiles" describes them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "table/adbc/driver.h"
#include "table/adbc/settings.h"
#include "table/adbc/toml.h"

static const char *skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}

/* Adds what `{{ env_var(NAME) }}` stands for; `at` is behind the braces. NULL: it is not that. */
static const char *add_variable(const char *at, struct wr_buffer *buffer) {
    static const char function[] = "env_var(";
    at = skip_blanks(at);
    if (strncmp(at, function, sizeof function - 1) != 0) return NULL;
    at = skip_blanks(at + sizeof function - 1);
    char name[256];
    size_t length = strcspn(at, " \t)");
    if (length == 0 || length >= sizeof name) return NULL;
    memcpy(name, at, length);
    name[length] = '\0';
    at = skip_blanks(at + length);
    if (*at != ')') return NULL;
    at = skip_blanks(at + 1);
    if (strncmp(at, "}}", 2) != 0) return NULL;
    const char *value = getenv(name);
    wr_buffer_text(buffer, value ? value : ""); /* unset is empty, says the specification */
    return at + 2;
}

static int substitute(const struct wr_toml_entry *entry, const char *path, struct wr_buffer *buffer,
                      struct weir_error *error) {
    const char *at = entry->value;
    for (const char *open; (open = strstr(at, "{{")) != NULL;) {
        wr_buffer_add(buffer, at, (size_t)(open - at));
        at = add_variable(open + 2, buffer);
        if (!at) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s:%d: {{ }} holds something else than env_var(NAME)", path,
                                entry->line);
        }
    }
    wr_buffer_text(buffer, at);
    return buffer->failed ? wr_error_memory(error) : WEIR_OK;
}

static int add_entry(const struct wr_toml_entry *entry, const char *key, const char *path,
                     struct wr_options *options, struct weir_error *error) {
    if (entry->type == WR_TOML_ARRAY) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s:%d: an option is a text, a number, true or false", path,
                            entry->line);
    }
    struct wr_buffer value;
    wr_buffer_init(&value, 1 << 20);
    int code = substitute(entry, path, &value, error);
    if (!code) code = wr_options_add(options, key, value.data, error);
    if (value.data) explicit_bzero(value.data, value.length);
    wr_buffer_reset(&value);
    return code;
}

static int options_of(const struct wr_toml *toml, const char *path, struct wr_options *options,
                      struct weir_error *error) {
    static const char table[] = "Options.";
    const struct wr_toml_entry *version = wr_toml_get(toml, "profile_version");
    int64_t number;
    if (!version || version->type != WR_TOML_INTEGER || !wr_parse_int(version->value, &number) ||
        number != 1) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s:%d: profile_version is not 1, the one that is known", path,
                            version ? version->line : 1);
    }
    const struct wr_toml_entry *driver = wr_toml_get(toml, "driver");
    if (driver && driver->value[0]) WR_TRY(wr_options_add(options, "driver", driver->value, error));
    for (size_t i = 0; i < toml->n_entries; i++) {
        const struct wr_toml_entry *entry = &toml->entries[i];
        if (strncmp(entry->key, table, sizeof table - 1) != 0 || entry->type == WR_TOML_TABLE)
            continue;
        WR_TRY(add_entry(entry, entry->key + sizeof table - 1, path, options, error));
    }
    return WEIR_OK;
}

static int find(const char *name, char **ret_path, struct weir_error *error) {
    size_t length = strlen(name);
    bool is_path = length > 5 && strcmp(name + length - 5, ".toml") == 0;
    struct wr_buffer file, looked;
    wr_buffer_init(&file, 4096);
    wr_buffer_init(&looked, 1 << 16);
    wr_buffer_format(&file, "%s%s", name, is_path ? "" : ".toml");
    char *path = NULL;
    int code = WEIR_OK;
    if (file.failed) {
        code = wr_error_memory(error);
    } else if (is_path) {
        path = wr_buffer_take(&file);
        if (!path) code = wr_error_memory(error);
    } else {
        code = wr_adbc_search("ADBC_PROFILE_PATH", "profiles", file.data, &path, &looked, error);
    }
    if (!code && !path) {
        code = wr_error_set(error, WEIR_NOT_FOUND, NULL,
                            "there is no connection profile \"%s\"; looked for%s", name,
                            looked.data ? looked.data : "");
    }
    wr_buffer_reset(&file);
    wr_buffer_reset(&looked);
    if (!code) *ret_path = path;
    return code;
}

int wr_adbc_profile_read(const char *name, struct wr_options *ret_options,
                         struct weir_error *error) {
    char *path = NULL;
    WR_TRY(find(name, &path, error));
    struct wr_toml toml = {0};
    struct wr_options options = {0};
    int code = wr_toml_read(path, &toml, error);
    if (!code) code = options_of(&toml, path, &options, error);
    wr_toml_reset(&toml);
    wr_free(path);
    if (code) {
        wr_options_reset(&options);
        return wr_error_prefix(error, code, "connection profile");
    }
    *ret_options = options;
    return WEIR_OK;
}
