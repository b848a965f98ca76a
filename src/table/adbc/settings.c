/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/settings.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "base/url.h"
#include "table/adbc/adbc.h"
#include "table/adbc/options.h"

enum { MOST_CONNECTIONS = 10000 };

const struct weir_option_spec wr_adbc_options[] = {WR_ADBC_DATABASE_OPTIONS};
const size_t wr_adbc_n_options = sizeof wr_adbc_options / sizeof *wr_adbc_options;

void wr_adbc_settings_reset(struct wr_adbc_settings *settings) {
    wr_free(settings->driver);
    wr_free(settings->entrypoint);
    wr_free(settings->url);
    for (size_t i = 0; i < settings->options.n_items; i++) {
        char *value = (char *)settings->options.items[i].value;
        explicit_bzero(value, strlen(value));
    }
    wr_options_reset(&settings->options);
    *settings = (struct wr_adbc_settings){0};
}

/* ---- Drivers of URLs ---- */

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *text, const char *suffix) {
    size_t length = strlen(text), n = strlen(suffix);
    return length >= n && strcmp(text + length - n, suffix) == 0;
}

static const char *driver_of_name(const char *url) {
    static const struct {
        const char *prefix, *driver;
    } prefixes[] = {
        {"postgresql:", "postgresql"}, {"postgres:", "postgresql"}, {"sqlite:", "sqlite"},
        {"file:", "sqlite"},           {"duckdb:", "duckdb"},       {"grpc:", "flightsql"},
        {"grpc+", "flightsql"},        {"flightsql:", "flightsql"}, {"mariadb:", "mysql"},
    };
    static const struct {
        const char *suffix, *driver;
    } suffixes[] = {
        {".db", "sqlite"},     {".sqlite", "sqlite"}, {".sqlite3", "sqlite"},
        {".duckdb", "duckdb"}, {".ddb", "duckdb"},
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (begins(url, prefixes[i].prefix)) return prefixes[i].driver;
    }
    if (wr_scheme_length(url) > 0) return NULL;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (ends(url, suffixes[i].suffix)) return suffixes[i].driver;
    }
    return NULL;
}

int wr_adbc_url_driver(const char *url, char **ret_driver, struct weir_error *error) {
    const char *known = driver_of_name(url);
    size_t scheme = wr_scheme_length(url);
    if (!known && scheme == 0) {
        *ret_driver = NULL;
        return WEIR_OK;
    }
    /* Of mysql+tls:// the driver is mysql. */
    char *driver = known ? wr_strdup(known) : wr_strndup(url, strcspn(url, ":+"));
    if (!driver) return wr_error_memory(error);
    *ret_driver = driver;
    return WEIR_OK;
}

/* ---- Reading ---- */

struct source {
    const struct weir_option *items;
    size_t n_items;
};

static int take_text(const char *value, char **ret_text, struct weir_error *error) {
    if (!value || !value[0]) return WEIR_OK;
    char *text = wr_strdup(value);
    if (!text) return wr_error_memory(error);
    wr_free(*ret_text);
    *ret_text = text;
    return WEIR_OK;
}

static int duration(struct source source, const char *key, int64_t *ret_milliseconds,
                    struct weir_error *error) {
    const char *text = wr_options_get(source.items, source.n_items, key);
    if (!text || wr_parse_duration(text, ret_milliseconds)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "option \"%s\" is no duration such as 500ms, 30s or 5min", key);
}

static int read_durations(struct source source, struct wr_adbc_settings *settings,
                          struct weir_error *error) {
    WR_TRY(duration(source, "pool.wait", &settings->pool_wait, error));
    WR_TRY(duration(source, "pool.idle_timeout", &settings->idle_timeout, error));
    WR_TRY(duration(source, "pool.lifetime", &settings->lifetime, error));
    WR_TRY(duration(source, "pool.health_check", &settings->health_check, error));
    WR_TRY(duration(source, "connect_timeout", &settings->connect_timeout, error));
    WR_TRY(duration(source, "statement_timeout", &settings->statement_timeout, error));
    if (settings->connect_timeout > 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "option \"connect_timeout\" is zero; connecting would never succeed");
}

static int read_pool(struct source source, struct wr_adbc_settings *settings,
                     struct weir_error *error) {
    settings->pool_min = wr_options_get_int(source.items, source.n_items, "pool.min", 0);
    settings->pool_max = wr_options_get_int(source.items, source.n_items, "pool.max", 8);
    if (settings->pool_max < 1 || settings->pool_max > MOST_CONNECTIONS) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"pool.max\" is not between 1 and %d", MOST_CONNECTIONS);
    }
    if (settings->pool_min < 0 || settings->pool_min > settings->pool_max) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"pool.min\" is not between 0 and pool.max");
    }
    return WEIR_OK;
}

/* A later option of the same key is the one of the profile, under that which was given. */
static int add_if_absent(struct wr_adbc_settings *settings, const char *key, const char *value,
                         struct weir_error *error) {
    if (wr_options_get(settings->options.items, settings->options.n_items, key)) return WEIR_OK;
    return wr_options_add(&settings->options, key, value, error);
}

static int read_given(struct source source, struct wr_adbc_settings *settings,
                      struct weir_error *error) {
    WR_TRY(take_text(wr_options_get(source.items, source.n_items, "driver"), &settings->driver,
                     error));
    WR_TRY(take_text(wr_options_get(source.items, source.n_items, "entrypoint"),
                     &settings->entrypoint, error));
    WR_TRY(take_text(wr_options_get(source.items, source.n_items, "url"), &settings->url, error));
    settings->create = wr_options_get_bool(source.items, source.n_items, "create", false);
    for (size_t i = 0; i < source.n_items; i++) {
        const struct weir_option *item = &source.items[i];
        if (begins(item->key, "adbc.") || strcmp(item->key, "username") == 0 ||
            strcmp(item->key, "password") == 0) {
            WR_TRY(wr_options_add(&settings->options, item->key, item->value, error));
        }
    }
    return WEIR_OK;
}

static int add_profile(const char *name, struct wr_adbc_settings *settings,
                       struct weir_error *error) {
    struct wr_options options = {0};
    WR_TRY(wr_adbc_profile_read(name, &options, error));
    wr_free(settings->url);
    settings->url = NULL;
    int code = WEIR_OK;
    for (size_t i = 0; i < options.n_items && !code; i++) {
        const char *key = options.items[i].key, *value = options.items[i].value;
        if (strcmp(key, "driver") == 0) {
            if (settings->driver && strcmp(settings->driver, value) != 0) {
                code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                    "the profile is for the driver \"%s\", the option driver says "
                                    "\"%s\"",
                                    value, settings->driver);
            } else {
                code = take_text(value, &settings->driver, error);
            }
        } else if (strcmp(key, "uri") == 0) {
            code = take_text(value, &settings->url, error);
        } else if (strcmp(key, "entrypoint") == 0) {
            if (!settings->entrypoint) code = take_text(value, &settings->entrypoint, error);
        } else {
            code = add_if_absent(settings, key, value, error);
        }
    }
    wr_options_reset(&options);
    return code;
}

static int read_all(struct source source, struct wr_adbc_settings *settings,
                    struct weir_error *error) {
    WR_TRY(read_given(source, settings, error));
    WR_TRY(read_pool(source, settings, error));
    WR_TRY(read_durations(source, settings, error));
    if (settings->url && begins(settings->url, "profile://")) {
        char *name = wr_strdup(settings->url + strlen("profile://"));
        if (!name) return wr_error_memory(error);
        int code = add_profile(name, settings, error);
        wr_free(name);
        WR_TRY(code);
    }
    if (!settings->driver && settings->url)
        WR_TRY(wr_adbc_url_driver(settings->url, &settings->driver, error));
    if (settings->driver) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "neither the option driver nor the URL says which ADBC driver to use; "
                        "give DRIVER postgresql, for example");
}

int wr_adbc_settings_read(const struct weir_option *options, size_t n_options,
                          struct wr_adbc_settings *ret_settings, struct weir_error *error) {
    struct wr_adbc_settings settings = {
        .pool_wait = 30000,
        .idle_timeout = 300000,
        .lifetime = 3600000,
        .health_check = 30000,
        .connect_timeout = 4000,
    };
    int code = read_all((struct source){options, n_options}, &settings, error);
    if (code) {
        wr_adbc_settings_reset(&settings);
        return code;
    }
    *ret_settings = settings;
    return WEIR_OK;
}
