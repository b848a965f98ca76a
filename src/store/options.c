/* SPDX-License-Identifier: Apache-2.0 */
/* The options of stores: their names, which of them are secret, and where else they come from. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "store/store.h"

#define S3 (1U << WR_STORE_S3)
#define AZURE (1U << WR_STORE_AZURE)
#define GCS (1U << WR_STORE_GCS)
#define HTTP (1U << WR_STORE_HTTP)
#define NET (S3 | AZURE | GCS | HTTP)

enum { PLAIN = 0, CREDENTIAL = 1, SECRET = 3 };

#define OPTION(name, types, secrecy, variable, fallback, help)                                     \
    {name, types, secrecy, variable, fallback, help},
const struct wr_store_option wr_store_options[] = {
#include "store/option_list.h"
};
#undef OPTION

const size_t wr_store_n_options = sizeof wr_store_options / sizeof *wr_store_options;

/* ---- Names ---- */

/* Other names that they are known under. */
static const struct {
    uint32_t types;
    const char *alias;
    const char *name;
} aliases[] = {
    {S3, "key_id", "access_key_id"},      {S3, "secret", "secret_access_key"},
    {S3, "token", "session_token"},       {S3, "default_region", "region"},
    {S3, "endpoint_url", "endpoint"},     {S3, "endpoint_url_s3", "endpoint"},
    {AZURE, "account_key", "access_key"}, {AZURE, "master_key", "access_key"},
    {AZURE, "sas_token", "sas_key"},      {AZURE, "bearer_token", "token"},
    {AZURE, "tenant_id", "authority_id"}, {AZURE, "identity_endpoint", "msi_endpoint"},
    {NET, "request_timeout", "timeout"},  {GCS, "service_account_path", "service_account"},
};

enum { MOST_NAME = 64 };

static const struct wr_store_option *find_exact(uint32_t type, const char *name) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if ((aliases[i].types & type) && strcmp(aliases[i].alias, name) == 0)
            name = aliases[i].name;
    }
    for (size_t i = 0; i < wr_store_n_options; i++) {
        const struct wr_store_option *option = &wr_store_options[i];
        if ((option->types & type) && strcmp(option->name, name) == 0) return option;
    }
    return NULL;
}

const struct wr_store_option *wr_store_option(enum wr_store_type type, const char *name) {
    static const struct {
        enum wr_store_type type;
        const char *prefix;
    } prefixes[] = {
        {WR_STORE_S3, "aws_"},
        {WR_STORE_AZURE, "azure_storage_"},
        {WR_STORE_AZURE, "azure_"},
        {WR_STORE_GCS, "google_"},
    };
    char lower[MOST_NAME];
    size_t length = strlen(name);
    if (length >= sizeof lower) return NULL;
    for (size_t i = 0; i <= length; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    const struct wr_store_option *option = find_exact(1U << type, lower);
    for (size_t i = 0; !option && i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t n = strlen(prefixes[i].prefix);
        if (prefixes[i].type == type && strncmp(lower, prefixes[i].prefix, n) == 0)
            option = find_exact(1U << type, lower + n);
    }
    return option;
}

/* ---- Checks ---- */

static int unknown(const char *owner, enum wr_store_type type, const char *key,
                   struct weir_error *error) {
    const char *names[sizeof wr_store_options / sizeof *wr_store_options +
                      sizeof aliases / sizeof *aliases];
    size_t n_names = 0;
    for (size_t i = 0; i < wr_store_n_options; i++) {
        if (wr_store_options[i].types & (1U << type)) names[n_names++] = wr_store_options[i].name;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (aliases[i].types & (1U << type)) names[n_names++] = aliases[i].alias;
    }
    const char *near = wr_nearest(key, names, n_names);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "%s: stores of the type %s have no option \"%s\"%s%s%s", owner,
                        wr_store_type_name(type), key, near ? "; did you mean \"" : "",
                        near ? near : "", near ? "\"?" : "");
}

int wr_store_check(const char *owner, enum wr_store_type type, const struct weir_option *items,
                   size_t n_items, struct wr_options *ret_options, struct weir_error *error) {
    struct wr_options options = {0};
    int code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < n_items; i++) {
        const struct wr_store_option *option = wr_store_option(type, items[i].key);
        if (!option)
            code = unknown(owner, type, items[i].key, error);
        else if (wr_options_get(options.items, options.n_items, option->name))
            code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s: the option \"%s\" is given twice (\"%s\"); keep one of them",
                                owner, option->name, items[i].key);
        else
            code = wr_options_add(&options, option->name, items[i].value, error);
    }
    if (code) {
        wr_options_erase(&options);
        return code;
    }
    *ret_options = options;
    return WEIR_OK;
}

/* ---- What is not given ---- */

/* The first of the variables that is set, and not empty. */
static const char *look_up(const char *variables) {
    char name[MOST_NAME];
    for (const char *at = variables; *at;) {
        size_t length = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const char *value = getenv(name);
        if (value && *value) return value;
        at += length + (at[length] == ' ');
    }
    return NULL;
}

int wr_store_complete(enum wr_store_type type, struct wr_options *options,
                      struct weir_error *error) {
    uint32_t bit = 1U << type;
    bool has_credentials = false;
    for (size_t i = 0; i < options->n_items; i++) {
        const struct wr_store_option *option = wr_store_option(type, options->items[i].key);
        if (option && option->secrecy != PLAIN) has_credentials = true;
    }
    for (size_t i = 0; i < wr_store_n_options; i++) {
        const struct wr_store_option *option = &wr_store_options[i];
        if (!(option->types & bit)) continue;
        if (has_credentials && option->secrecy != PLAIN) continue;
        if (wr_options_get(options->items, options->n_items, option->name)) continue;
        const char *value = option->variable ? look_up(option->variable) : NULL;
        if (!value) value = option->fallback;
        if (value) WR_TRY(wr_options_add(options, option->name, value, error));
    }
    return WEIR_OK;
}
