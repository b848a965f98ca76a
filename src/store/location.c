/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "store/store.h"

enum { MOST_URL_BYTES = 64 * 1024 };

static const struct {
    const char *name;
    enum wr_store_type type;
    const char *scheme; /* of the root; NULL: the name itself */
} schemes[] = {
    {"s3", WR_STORE_S3, NULL},       {"s3a", WR_STORE_S3, "s3"},
    {"az", WR_STORE_AZURE, NULL},    {"azure", WR_STORE_AZURE, "az"},
    {"adl", WR_STORE_AZURE, "az"},   {"abfs", WR_STORE_AZURE, "abfss"},
    {"abfss", WR_STORE_AZURE, NULL}, {"gs", WR_STORE_GCS, NULL},
    {"gcs", WR_STORE_GCS, "gs"},     {"http", WR_STORE_HTTP, NULL},
    {"https", WR_STORE_HTTP, NULL},  {"memory", WR_STORE_MEMORY, NULL},
    {"file", WR_STORE_FILE, NULL},
};

const char *wr_store_type_name(enum wr_store_type type) {
    static const char *const names[] = {"none", "s3", "azure", "gcs", "http", "memory", "file"};
    return names[type];
}

static size_t find_scheme(const char *text, size_t length) {
    size_t i = 0;
    for (; i < sizeof schemes / sizeof *schemes; i++) {
        if (strlen(schemes[i].name) == length && strncasecmp(schemes[i].name, text, length) == 0)
            break;
    }
    return i;
}

enum wr_store_type wr_store_type_parse(const char *text, size_t length) {
    size_t i = find_scheme(text, length);
    return i < sizeof schemes / sizeof *schemes ? schemes[i].type : WR_STORE_NONE;
}

bool wr_is_store_url(const char *text) {
    enum wr_store_type type = wr_store_type_parse(text, wr_scheme_length(text));
    return type != WR_STORE_NONE && type != WR_STORE_FILE;
}

void wr_location_reset(struct wr_location *location) {
    wr_free(location->root);
    wr_free(location->container);
    wr_free(location->account);
    wr_free(location->key);
    *location = (struct wr_location){0};
}

/* ---- Keys ---- */

static int refuse_key(const char *text, const char *reason, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\": %s", text, reason);
}

/* Stores tell "a//b" from "a/b", and clients do not agree on what they make of it. */
static int check_key(const char *text, const char *key, struct weir_error *error) {
    if (!wr_is_utf8(key, strlen(key))) return refuse_key(text, "the key is not UTF-8", error);
    for (const char *c = key; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return refuse_key(text, "the key holds a control character", error);
    }
    for (const char *at = key; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 0)
            return refuse_key(text, "the key has an empty part (\"//\"), which cannot be read",
                              error);
        if ((length == 1 && *at == '.') || (length == 2 && strncmp(at, "..", 2) == 0))
            return refuse_key(text, "the key has a part \".\" or \"..\", which no object has",
                              error);
        at += length + (at[length] == '/');
    }
    return WEIR_OK;
}

/* ---- Roots ---- */

static void add_lower(struct wr_buffer *buffer, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        wr_buffer_char(buffer, (char)tolower((unsigned char)text[i]));
}

/* "scheme://authority/", the host of http and of an Azure account in lower case. */
static int make_root(const char *scheme, enum wr_store_type type, const char *authority,
                     size_t length, struct wr_location *location, struct weir_error *error) {
    struct wr_buffer root;
    const char *at = type == WR_STORE_AZURE ? memchr(authority, '@', length) : NULL;
    wr_buffer_init(&root, MOST_URL_BYTES);
    wr_buffer_format(&root, "%s://", scheme);
    if (at || type == WR_STORE_HTTP) {
        size_t kept = at ? (size_t)(at - authority) : 0;
        wr_buffer_add(&root, authority, kept);
        add_lower(&root, authority + kept, length - kept);
    } else {
        wr_buffer_add(&root, authority, length);
    }
    if (length > 0 || type == WR_STORE_MEMORY) wr_buffer_char(&root, '/');
    location->root = wr_buffer_take(&root);
    if (!location->root) return wr_error_memory(error);
    if (type != WR_STORE_AZURE) return WEIR_OK;
    location->container = wr_strndup(authority, at ? (size_t)(at - authority) : length);
    if (!location->container) return wr_error_memory(error);
    if (!at) return WEIR_OK;
    size_t rest = length - (size_t)(at + 1 - authority);
    size_t account = strcspn(at + 1, "./:");
    location->account = wr_strndup(at + 1, account < rest ? account : rest);
    return location->account ? WEIR_OK : wr_error_memory(error);
}

static int check_authority(enum wr_store_type type, const char *scheme, const char *authority,
                           size_t length, struct weir_error *error) {
    const char *at = memchr(authority, '@', length);
    bool colon = memchr(authority, ':', length) != NULL;
    bool user = at && type != WR_STORE_AZURE;
    /* Not the text: what stands before an @ is a password. */
    if (user || (colon && at)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "a %s:// URL cannot hold a user or password; give credentials as "
                            "options, by CREATE SECRET or in `stores:`",
                            scheme);
    }
    if (length == 0 && type != WR_STORE_MEMORY) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a %s:// URL needs %s", scheme,
                            type == WR_STORE_HTTP    ? "a host"
                            : type == WR_STORE_AZURE ? "a container"
                                                     : "a bucket");
    }
    if (colon && type != WR_STORE_HTTP) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s://%.*s\" names a port; give the address of a store as the "
                            "option endpoint",
                            scheme, (int)length, authority);
    }
    return WEIR_OK;
}

static int parse_url(const char *text, size_t scheme_length, struct wr_location *location,
                     struct weir_error *error) {
    size_t i = find_scheme(text, scheme_length);
    if (i == sizeof schemes / sizeof *schemes) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%.*s://\" is no scheme of a store; there are s3, s3a, az, abfss, "
                            "gs, http, https, memory and file",
                            (int)scheme_length, text);
    }
    const char *scheme = schemes[i].scheme ? schemes[i].scheme : schemes[i].name;
    enum wr_store_type type = schemes[i].type;
    const char *authority = text + scheme_length + 3;
    /* A query ends the host of http, and is none of a key elsewhere. */
    size_t length = strcspn(authority, type == WR_STORE_HTTP ? "/?#" : "/");
    location->type = type;
    WR_TRY(check_authority(type, scheme, authority, length, error));
    /* "abfss://container/" is of the account that an option names, as "az://" is. */
    if (type == WR_STORE_AZURE && !memchr(authority, '@', length)) scheme = "az";
    WR_TRY(make_root(scheme, type, authority, length, location, error));
    const char *key = authority + length;
    location->key = wr_strdup(*key == '/' ? key + 1 : key);
    if (!location->key) return wr_error_memory(error);
    if (type == WR_STORE_HTTP) {
        /* Not the text: a signature stands in it. */
        if (strpbrk(key, "?#"))
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "\"%s\": a URL with a query or fragment cannot be read",
                                location->root);
        if (!wr_percent_decode(location->key))
            return refuse_key(text, "% must be followed by two hexadecimal digits, not 00", error);
    }
    return check_key(text, location->key, error);
}

static int parse_file(const char *text, struct wr_location *location, struct weir_error *error) {
    char *path = NULL;
    WR_TRY(wr_local_path(text, &path, error));
    const char *key = path + strspn(path, "/");
    location->type = WR_STORE_FILE;
    location->root = wr_strdup("file:///");
    location->key = wr_strdup(key);
    wr_free(path);
    if (!location->root || !location->key) return wr_error_memory(error);
    return check_key(text, location->key, error);
}

int wr_location_parse(const char *text, struct wr_location *ret_location,
                      struct weir_error *error) {
    struct wr_location location = {0};
    size_t scheme = wr_scheme_length(text);
    bool file = scheme == 0 || wr_store_type_parse(text, scheme) == WR_STORE_FILE;
    int code = strlen(text) > MOST_URL_BYTES / 4
                   ? wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "the URL is too long")
               : file ? parse_file(text, &location, error)
                      : parse_url(text, scheme, &location, error);
    if (code) {
        wr_location_reset(&location);
        return code;
    }
    *ret_location = location;
    return WEIR_OK;
}

char *wr_location_url(const struct wr_location *location) {
    struct wr_buffer url;
    wr_buffer_init(&url, MOST_URL_BYTES * 2);
    wr_buffer_text(&url, location->root);
    if (location->type == WR_STORE_HTTP || location->type == WR_STORE_FILE)
        wr_percent_encode(&url, location->key);
    else
        wr_buffer_text(&url, location->key);
    char *text = wr_buffer_take(&url);
    wr_buffer_reset(&url);
    return text;
}
