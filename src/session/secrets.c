/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE SECRET and DROP SECRET. A secret lives as long as the workspace is open, and in memory
 * only: nothing of it is written anywhere.
 */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "session/session.h"

bool wr_is_on_secrets(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_CREATE_SECRET || parsed->type == WR_STATEMENT_DROP_SECRET;
}

int wr_secrets_check(struct weir_statement *statement, struct weir_error *error) {
    const char *what =
        statement->parsed.type == WR_STATEMENT_CREATE_SECRET ? "CREATE SECRET" : "DROP SECRET";
    return wr_access_need_all(statement->session->access, what, error);
}

/* What is given besides the store's own options. */
static int take_own(const struct weir_option *option, struct wr_scope_info *info, bool *ret_taken,
                    struct weir_error *error) {
    *ret_taken = true;
    if (strcasecmp(option->key, "scope") == 0) {
        info->scope = option->value;
    } else if (strcasecmp(option->key, "type") == 0) {
        info->type = wr_store_type_parse(option->value, strlen(option->value));
        if (info->type == WR_STORE_NONE || info->type == WR_STORE_FILE)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "secret \"%s\": there is no such type of store; there are s3, "
                                "azure, gcs and http",
                                info->name);
    } else {
        *ret_taken = false;
    }
    return WEIR_OK;
}

/* With what ${env:NAME} and ${file:PATH} stand for. */
static int read_options(const struct wr_statement *parsed, struct wr_scope_info *info,
                        struct wr_options *options, struct weir_error *error) {
    for (size_t i = 0; i < parsed->options.n_items; i++) {
        const struct weir_option *option = &parsed->options.items[i];
        bool taken = false;
        char *value = NULL;
        WR_TRY(take_own(option, info, &taken, error));
        if (taken) continue;
        int code = wr_reference_resolve(option->value, NULL, &value, error);
        if (code)
            return wr_error_prefix(error, code, "secret \"%s\": option \"%s\"", info->name,
                                   option->key);
        code = wr_options_add(options, option->key, value, error);
        explicit_bzero(value, strlen(value));
        wr_free(value);
        WR_TRY(code);
    }
    return WEIR_OK;
}

static int create(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_store_pool *stores = statement->session->workspace->stores;
    struct wr_scope_info info = {
        .name = parsed->parts[2], .origin = WR_SCOPE_SECRET, .from = "sql"};
    struct wr_options options = {0};
    int code = read_options(parsed, &info, &options, error);
    info.options = options.items;
    info.n_options = options.n_items;
    if (code == WEIR_OK)
        code = wr_scopes_add(wr_store_pool_scopes(stores), &info, parsed->or_replace, error);
    if (code == WEIR_OK && info.scope) wr_store_pool_open_beforehand(stores, info.scope);
    if (code == WEIR_ALREADY_EXISTS && parsed->if_not_exists) {
        wr_error_clear(error);
        code = WEIR_OK;
    }
    wr_options_erase(&options);
    return code;
}

int wr_secrets_execute(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    WR_TRY(wr_execution_check(statement, error));
    WR_TRY(wr_secrets_check(statement, error));
    if (parsed->type == WR_STATEMENT_CREATE_SECRET) return create(statement, error);
    int code = wr_scopes_remove(wr_store_pool_scopes(statement->session->workspace->stores),
                                WR_SCOPE_SECRET, parsed->parts[2], error);
    if (code != WEIR_NOT_FOUND || !parsed->if_not_exists) return code;
    wr_error_clear(error);
    return WEIR_OK;
}
