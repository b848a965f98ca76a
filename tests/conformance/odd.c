/* SPDX-License-Identifier: Apache-2.0 */
/* An extension that is wrong in the way that its option `how` says, or right without one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir_extension.h"

WEIR_EXPORT int odd_n_closed;

static int odd_open(const struct weir_definition *definition, void **ret_table,
                    struct weir_error *error) {
    (void)error;
    *ret_table = malloc(strlen(definition->kind) + 1);
    if (!*ret_table) return WEIR_INTERNAL;
    strcpy(*ret_table, definition->kind);
    return WEIR_OK;
}

static int odd_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    static char query[64];
    (void)error;
    snprintf(query, sizeof query, "SELECT '%s' AS kind", (const char *)table);
    *ret_form = (struct weir_form){.type = WEIR_FORM_SQL, .sql = {.query = query}};
    return WEIR_OK;
}

static const struct weir_option_spec every[] = {{"", WEIR_OPTION_PREFIX, 0, "anything"}};

/* Of a later version, with one slot more. */
static struct {
    struct weir_table_kind kind;
    void *slot;
} later = {
    .kind = {.size = sizeof later,
             .name = "odd",
             .options = every,
             .n_options = 1,
             .open = odd_open,
             .close = free,
             .form = odd_form},
};

/* And an extension's structure with one member more. */
struct longer {
    struct weir_extension extension;
    void *member;
};

static void odd_close(void *private_data) {
    (void)private_data;
    odd_n_closed++;
}

static int wrong_finder(void *finder, const char *name, const struct weir_table_kind **ret_kind,
                        struct weir_error *error) {
    (void)finder, (void)name, (void)error;
    *ret_kind = &later.kind;
    return WEIR_OK;
}

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    const char *how = host->n_options > 0 ? host->options[0].value : "";
    struct longer self = {.extension = {.size = sizeof self.extension,
                                        .abi = WEIR_EXTENSION_ABI,
                                        .name = "odd",
                                        .version = "1",
                                        .close = odd_close}};
    if (!WEIR_HOST_HAS(host, register_finder)) return WEIR_NOT_IMPLEMENTED;
    if (strcmp(how, "silent") == 0) return WEIR_IO;
    later.slot = strcmp(how, "slot") == 0 ? &later : NULL;
    int code = host->register_kind(host->context, &later.kind, error);
    if (code == WEIR_OK && strcmp(how, "twice") == 0)
        code = host->register_kind(host->context, &later.kind, error);
    if (code == WEIR_OK && strcmp(how, "finder") == 0)
        code = host->register_finder(host->context, wrong_finder, NULL, error);
    if (code) return code;
    if (strcmp(how, "abi") == 0) self.extension.abi = WEIR_EXTENSION_ABI + 1;
    if (strcmp(how, "no_abi") == 0) self.extension.abi = 0;
    if (strcmp(how, "name") == 0) self.extension.name = "Not a name";
    if (strcmp(how, "version") == 0) self.extension.version = NULL;
    if (strcmp(how, "no_size") == 0) self.extension.size = 0;
    if (strcmp(how, "huge") == 0) self.extension.size = (size_t)-1;
    if (strcmp(how, "longer") == 0 || strcmp(how, "member") == 0) self.extension.size = sizeof self;
    if (strcmp(how, "member") == 0) self.member = &later;
    memcpy(ret_extension, &self, sizeof self);
    return WEIR_OK;
}
