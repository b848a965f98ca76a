/* SPDX-License-Identifier: Apache-2.0 */
/* LOAD, and the extensions of the configuration. */
#include "base/error.h"
#include "session/session.h"

bool wr_is_load(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_LOAD;
}

/* A library can do all that this process can. */
int wr_load_check(const struct weir_statement *statement, struct weir_error *error) {
    struct wr_access *access = statement->session->access;
    const char *library = statement->parsed.url;
    WR_TRY(wr_access_need_all(access, "LOAD", error));
    if (!wr_extension_is_path(library)) return WEIR_OK;
    return wr_access_path(access, library, false, error);
}

int wr_load_execute(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    const struct wr_extension_request request = {
        .library = parsed->url,
        .options = parsed->options.items,
        .n_options = parsed->options.n_items,
        .origin = "sql",
    };
    WR_TRY(wr_execution_check(statement, error));
    return wr_extensions_load(statement->session->workspace->extensions, &request, error);
}

int wr_workspace_load_extensions(struct weir_workspace *workspace, struct weir_error *error) {
    const struct wr_config_extension *items = NULL;
    size_t n_items = wr_config_extensions(workspace->config, &items);
    for (size_t i = 0; i < n_items; i++) {
        const struct wr_extension_request request = {
            .name = items[i].name,
            .library = items[i].library ? items[i].library : items[i].name,
            .options = items[i].options,
            .n_options = items[i].n_options,
            .origin = items[i].origin,
        };
        int code = wr_extensions_load(workspace->extensions, &request, error);
        if (code) return wr_error_prefix(error, code, "%s", items[i].origin);
    }
    return WEIR_OK;
}
