/* SPDX-License-Identifier: Apache-2.0 */
/* Options that may be set more than once. */
#include <string.h>

#include "adbc/adbc.h"
#include "base/alloc.h"
#include "base/error.h"

bool wr_driver_starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void take_out(struct wr_options *options, size_t i) {
    wr_free((char *)options->items[i].key);
    wr_free((char *)options->items[i].value);
    options->n_items--;
    memmove(options->items + i, options->items + i + 1,
            (options->n_items - i) * sizeof *options->items);
}

int wr_driver_option_put(struct wr_options *options, const char *key, const char *value,
                         struct weir_error *error) {
    for (size_t i = 0; i < options->n_items; i++) {
        if (strcmp(options->items[i].key, key) != 0) continue;
        if (!value) {
            take_out(options, i);
            return WEIR_OK;
        }
        char *copy = wr_strdup(value);
        if (!copy) return wr_error_memory(error);
        wr_free((char *)options->items[i].value);
        options->items[i].value = copy;
        return WEIR_OK;
    }
    return value ? wr_options_add(options, key, value, error) : WEIR_OK;
}

int wr_driver_flag(const char *key, const char *value, bool *ret_flag, struct weir_error *error) {
    bool yes = value && strcmp(value, "true") == 0;
    if (!yes && (!value || strcmp(value, "false") != 0))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s=\"%s\": neither \"true\" nor \"false\"", key, value ? value : "");
    *ret_flag = yes;
    return WEIR_OK;
}
