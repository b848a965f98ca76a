/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as the workspace's users ask for it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/keys.h"
#include "session/session.h"

int weir_workspace_setting(struct weir_workspace *workspace, const char *key, char **ret_value,
                           struct weir_error *error) {
    const struct wr_config *config = workspace->config;
    const struct wr_config_key *known = NULL;
    char number[32];
    if (wr_config_locate(key, &known) != WR_CONFIG_KEY)
        return wr_error_set(error, WEIR_NOT_FOUND, NULL, "the configuration has no key \"%s\"",
                            key);
    const char *value = number;
    switch (known->type) {
    case WR_CONFIG_INTEGER:
    case WR_CONFIG_BYTES:
    case WR_CONFIG_DURATION:
        snprintf(number, sizeof number, "%" PRId64, wr_config_int(config, key));
        break;
    case WR_CONFIG_BOOLEAN:
        value = wr_config_bool(config, key) ? "true" : "false";
        break;
    default:
        value = wr_config_text(config, key);
    }
    char *copy = value ? wr_strdup(value) : NULL;
    if (value && !copy) return wr_error_memory(error);
    *ret_value = copy;
    return WEIR_OK;
}
