/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "loader/loader.h"

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    const char *python = NULL;
    struct wp_workspace *workspace = NULL;
    for (size_t i = 0; i < host->n_options; i++) {
        if (strcasecmp(host->options[i].key, "python") != 0)
            return wp_error(error, WEIR_INVALID_ARGUMENT, "22023",
                            "extension python: unknown option \"%s\"; it takes python, the "
                            "program of the interpreter",
                            host->options[i].key);
        python = host->options[i].value;
    }
    WP_TRY(wp_kinds_register(host, python, &workspace, error));
    *ret_extension = (struct weir_extension){
        .size = sizeof *ret_extension,
        .abi = WEIR_EXTENSION_ABI,
        .name = "python",
        .version = WP_VERSION,
        .summary = "data sources written in Python",
        .close = wp_workspace_close,
        .private_data = workspace,
    };
    return WEIR_OK;
}
