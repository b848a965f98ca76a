/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"
#include "table/adbc/mysql.h"
#include "table/adbc/settings.h"

static bool begins(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *get(const struct wr_adbc_settings *settings, const char *key) {
    return wr_options_get(settings->options.items, settings->options.n_items, key);
}

static void drop(struct wr_adbc_settings *settings, const char *key) {
    struct wr_options *options = &settings->options;
    for (size_t i = 0; i < options->n_items; i++) {
        if (strcmp(options->items[i].key, key) != 0) continue;
        char *value = (char *)options->items[i].value;
        explicit_bzero(value, strlen(value));
        wr_free(value);
        wr_free((char *)options->items[i].key);
        options->items[i] = options->items[--options->n_items];
        return;
    }
}

enum wr_adbc_family wr_adbc_family_of(const char *driver, const char *library) {
    static const struct {
        const char *word;
        enum wr_adbc_family family;
    } families[] = {
        {"postgresql", WR_ADBC_POSTGRESQL}, {"sqlite", WR_ADBC_SQLITE}, {"duckdb", WR_ADBC_DUCKDB}};
    const char *slash = strrchr(library, '/');
    const char *names[] = {driver, slash ? slash + 1 : library};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        /* A path to a driver says nothing by its directories. */
        if (!strchr(names[0], '/') && strstr(names[0], families[i].word)) return families[i].family;
        if (strstr(names[1], families[i].word)) return families[i].family;
    }
    return WR_ADBC_OTHER;
}

/* ---- PostgreSQL ---- */

/* One parameter of a libpq connection URI (PostgreSQL's manual, 34.1.1.2). */
static void add_uri_parameter(struct wr_buffer *uri, const char *key, const char *value) {
    wr_buffer_format(uri, "%s%s=", strchr(uri->data, '?') ? "&" : "?", key);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_';
        if (plain) {
            wr_buffer_char(uri, (char)c);
        } else {
            wr_buffer_format(uri, "%%%02X", c);
        }
    }
}

static void add_keyword(struct wr_buffer *uri, const char *key, const char *value) {
    wr_buffer_format(uri, " %s='", key);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\') wr_buffer_char(uri, '\\');
        wr_buffer_char(uri, *value);
    }
    wr_buffer_char(uri, '\'');
}

/* The driver takes one option, uri. */
static int fit_postgresql(struct wr_adbc_settings *settings, struct weir_error *error) {
    const char *url = settings->url ? settings->url : "postgresql://";
    bool is_uri = begins(url, "postgresql://") || begins(url, "postgres://");
    void (*add)(struct wr_buffer *, const char *, const char *) =
        is_uri ? add_uri_parameter : add_keyword;
    struct wr_buffer uri;
    wr_buffer_init(&uri, 1 << 20);
    wr_buffer_text(&uri, url);
    if (!uri.failed && get(settings, "username")) add(&uri, "user", get(settings, "username"));
    if (!uri.failed && get(settings, "password")) add(&uri, "password", get(settings, "password"));
    if (!uri.failed && !strstr(url, "connect_timeout")) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld",
                 (long long)((settings->connect_timeout + 999) / 1000));
        add(&uri, "connect_timeout", seconds);
    }
    if (!uri.failed) add(&uri, "fallback_application_name", "weir");
    drop(settings, "username");
    drop(settings, "password");
    int code = uri.failed ? wr_error_memory(error)
                          : wr_options_add(&settings->options, "uri", uri.data, error);
    if (uri.data) explicit_bzero(uri.data, uri.length);
    wr_buffer_reset(&uri);
    return code;
}

/* ---- Databases in files ---- */

/* "/x" of "sqlite:///x" and "sqlite:/x", "x" of "sqlite:x" and "sqlite://x". */
static const char *path_of(const char *url, const char *scheme) {
    if (!url) return "";
    size_t length = strlen(scheme);
    if (strncmp(url, scheme, length) != 0 || url[length] != ':') return url;
    url += length + 1;
    return begins(url, "//") ? url + 2 : url;
}

static bool is_memory(const char *path) {
    return path[0] == '\0' || strcmp(path, ":memory:") == 0;
}

static int check_file(const struct wr_adbc_settings *settings, const char *path,
                      struct weir_error *error) {
    if (settings->create || access(path, F_OK) == 0) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                        "there is no file \"%s\"; to make a new database give CREATE true", path);
}

static int fit_sqlite(struct wr_adbc_settings *settings, int serial, struct weir_error *error) {
    const char *path = path_of(settings->url, "sqlite");
    if (!is_memory(path)) {
        if (!begins(path, "file:")) WR_TRY(check_file(settings, path, error));
        return wr_options_add(&settings->options, "uri", path, error);
    }
    /* One for all connections, and another one than that of any other database. Of the two ways to
     * share memory this is the one in which a table can be written while another is read; it holds
     * 1 GiB. */
    char name[80];
    snprintf(name, sizeof name, "file:/weir-%d-%d?vfs=memdb", (int)getpid(), serial);
    return wr_options_add(&settings->options, "uri", name, error);
}

static int fit_duckdb(struct wr_adbc_settings *settings, struct weir_error *error) {
    const char *path = path_of(settings->url, "duckdb");
    if (is_memory(path)) return WEIR_OK;
    WR_TRY(check_file(settings, path, error));
    return wr_options_add(&settings->options, "path", path, error);
}

/* A bridge to ODBC knows no URL. */
static int fit_other(struct wr_adbc_settings *settings, const char *library,
                     struct weir_error *error) {
    char *text = NULL;
    const char *slash = strrchr(library, '/');
    if (!settings->url) return WEIR_OK;
    if (strstr(slash ? slash + 1 : library, "odbc"))
        WR_TRY(wr_mysql_odbc_string(settings->url, &text, error));
    int code = wr_options_add(&settings->options, "uri", text ? text : settings->url, error);
    if (text) explicit_bzero(text, strlen(text));
    wr_free(text);
    return code;
}

int wr_adbc_settings_fit(struct wr_adbc_settings *settings, enum wr_adbc_family family, int serial,
                         const char *library, struct weir_error *error) {
    switch (family) {
    case WR_ADBC_POSTGRESQL:
        return fit_postgresql(settings, error);
    case WR_ADBC_SQLITE:
        return fit_sqlite(settings, serial, error);
    case WR_ADBC_DUCKDB:
        return fit_duckdb(settings, error);
    default:
        return fit_other(settings, library, error);
    }
}
