/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/store.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "base/units.h"
#include "table/adbc/options.h"

enum { DEFAULT_TTL = 30000 };

/* Whether the option is the database's, and not only of mounts and tables. */
static bool is_database_option(const char *key) {
    for (size_t i = 0; i < wr_adbc_n_options; i++) {
        const struct weir_option_spec *spec = &wr_adbc_options[i];
        if (spec->type == WEIR_OPTION_PREFIX ? strncasecmp(spec->name, key, strlen(spec->name)) == 0
                                             : strcasecmp(spec->name, key) == 0)
            return true;
    }
    return false;
}

static int add_option(const struct weir_option *option, const char *key, struct wr_options *options,
                      struct weir_error *error) {
    char *value = NULL;
    int code = wr_reference_resolve(option->value, NULL, &value, error);
    if (code) return wr_error_prefix(error, code, "option \"%s\"", option->key);
    code = wr_options_add(options, key, value, error);
    explicit_bzero(value, strlen(value));
    wr_free(value);
    return code;
}

static int read_options(const struct weir_option *items, size_t n_items, struct wr_options *options,
                        struct weir_error *error) {
    if (wr_options_get(items, n_items, "url") && wr_options_get(items, n_items, "uri")) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "options \"url\" and \"uri\" are the same: give one of them");
    }
    for (size_t i = 0; i < n_items; i++) {
        bool uri = strcasecmp(items[i].key, "uri") == 0;
        if (!uri && !is_database_option(items[i].key)) continue;
        WR_TRY(add_option(&items[i], uri ? "url" : items[i].key, options, error));
    }
    return WEIR_OK;
}

static int read_ttl(const struct weir_option *items, size_t n_items, int64_t *ret_ttl,
                    struct weir_error *error) {
    const char *text = wr_options_get(items, n_items, "metadata_ttl");
    *ret_ttl = DEFAULT_TTL;
    if (!text || (wr_parse_duration(text, ret_ttl) && *ret_ttl >= 0)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "option \"metadata_ttl\" is \"%s\"; give a time, such as 30s or 5min",
                        text);
}

int wr_adbc_store_open(const char *name, const struct weir_option *items, size_t n_items,
                       struct wr_adbc_store *ret_store, struct weir_error *error) {
    struct wr_adbc_store store = {0};
    struct wr_options options = {0};
    const char *own = wr_options_get(items, n_items, "name");
    WR_TRY(read_ttl(items, n_items, &store.metadata_ttl, error));
    int code = read_options(items, n_items, &options, error);
    if (code == WEIR_OK) {
        code = wr_adbc_database_open(own ? own : name, options.items, options.n_items,
                                     &store.database, error);
    }
    for (size_t i = 0; i < options.n_items; i++)
        explicit_bzero((char *)options.items[i].value, strlen(options.items[i].value));
    wr_options_reset(&options);
    WR_TRY(code);
    store.backend = wr_adbc_backend_of(store.database);
    *ret_store = store;
    return WEIR_OK;
}

void wr_adbc_store_close(struct wr_adbc_store *store) {
    if (store->database) wr_adbc_database_release(store->database);
    *store = (struct wr_adbc_store){0};
}

int wr_adbc_no_table(const struct wr_adbc_store *store, const char *owner, const char *schema,
                     const char *table, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    bool in_schema = schema && *schema;
    int code = wr_error_set(error, WEIR_NOT_FOUND, "42P01", "%s: there is no table \"%s\"%s%s%s",
                            owner, table, in_schema ? " in the schema \"" : "",
                            in_schema ? schema : "", in_schema ? "\"" : "");
    if (store->backend->tables(store->database, schema ? schema : "", NULL, &items, NULL))
        return code;
    const char *nearest = wr_adbc_items_nearest(&items, table);
    if (nearest) wr_error_append(error, "; did you mean \"%s\"?", nearest);
    wr_adbc_items_reset(&items);
    return code;
}
