/* SPDX-License-Identifier: Apache-2.0 */
/* The workspace's rules, as its configuration has them. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/policy_internal.h"

/* A directory of the machine by its real path, so that a link on the way to it does no harm; one
 * that is not there yet as it is written. */
static int add_root(struct wr_texts *roots, const char *item, size_t length,
                    struct weir_error *error) {
    char real[PATH_MAX];
    char *copy = wr_strndup(item, length);
    if (!copy) return wr_error_memory(error);
    while (length > 1 && copy[length - 1] == '/' && *copy == '/')
        copy[--length] = '\0';
    const char *root = *copy == '/' && realpath(copy, real) ? real : copy;
    int code = wr_texts_add(roots, root, strlen(root), error);
    wr_free(copy);
    return code;
}

static int read_list(const struct wr_config *config, const char *key, bool are_roots,
                     struct wr_texts *texts, struct weir_error *error) {
    const char *list = wr_config_text(config, key);
    const char *item = NULL;
    size_t offset = 0;
    if (!list) return WEIR_OK;
    for (size_t length; (length = wr_config_item(list, &offset, &item)) > 0;)
        WR_TRY(are_roots ? add_root(texts, item, length, error)
                         : wr_texts_add(texts, item, length, error));
    return WEIR_OK;
}

static int read_config(struct wr_policy *policy, const struct wr_config *config,
                       struct weir_error *error) {
    policy->is_closed = strcmp(wr_config_text(config, "policy.preset"), "server") == 0;
    policy->limits_read = policy->is_closed || wr_config_is_set(config, "policy.read");
    policy->limits_write = policy->is_closed || wr_config_is_set(config, "policy.write");
    policy->limits_hosts = policy->is_closed || wr_config_is_set(config, "policy.hosts");
    WR_TRY(read_list(config, "policy.read", true, &policy->read, error));
    WR_TRY(read_list(config, "policy.write", true, &policy->write, error));
    return read_list(config, "policy.hosts", false, &policy->hosts, error);
}

int wr_policy_new(struct wr_names *names, const struct wr_config *config, const char *catalog,
                  const char *schema, struct wr_policy **ret_policy, struct weir_error *error) {
    struct wr_policy *policy = wr_calloc(1, sizeof *policy);
    if (!policy) return wr_error_memory(error);
    policy->names = names;
    policy->catalog = catalog;
    policy->schema = schema;
    int code = read_config(policy, config, error);
    if (code) {
        wr_policy_free(policy);
        return code;
    }
    *ret_policy = policy;
    return WEIR_OK;
}

void wr_policy_free(struct wr_policy *policy) {
    if (!policy) return;
    wr_texts_reset(&policy->read);
    wr_texts_reset(&policy->write);
    wr_texts_reset(&policy->hosts);
    wr_free(policy);
}

bool wr_policy_is_closed(const struct wr_policy *policy) {
    return policy->is_closed;
}

/* ---- Kinds and settings ---- */

static bool is_path_option(const struct weir_option *option) {
    return strcasecmp(option->key, "path") == 0 || strcasecmp(option->key, "location") == 0 ||
           strcasecmp(option->key, "url") == 0 || strcasestr(option->key, "endpoint") ||
           strstr(option->value, "://");
}

/* Kinds whose rows lie in the definition, in the process, or at the paths that it names. All others
 * may name a library, a host or a table of another user's. */
static bool is_plain(const struct weir_table_kind *kind) {
    return (kind->roles & (WEIR_ROLE_TABLE | WEIR_ROLE_PATH | WEIR_ROLE_EXTERNAL)) ||
           strcmp(kind->name, "values") == 0;
}

int wr_access_kind(struct wr_access *access, const struct weir_table_kind *kind,
                   const struct weir_option *options, size_t n_options, bool call,
                   struct weir_error *error) {
    bool all = wr_access_is_all(access);
    if (!all && !is_plain(kind))
        return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "permission denied: only an administrator makes tables of kind %s",
                            kind->name);
    for (size_t i = 0; i < n_options; i++) {
        if (!is_path_option(&options[i])) continue;
        WR_TRY(wr_access_path(access, options[i].value, false, error));
        /* What is put into the table is written there. */
        if (!call && !all) WR_TRY(wr_access_path(access, options[i].value, true, error));
    }
    return WEIR_OK;
}

/* What does no more than change how one's own statements are read and shown. */
static const char *const harmless[] = {
    "datafusion.catalog.default_catalog",
    "datafusion.catalog.default_schema",
    "datafusion.execution.time_zone",
    "datafusion.execution.parquet.schema_force_view_types",
    "datafusion.explain.",
    "datafusion.format.",
    "datafusion.sql_parser.",
    "weir.plan_cache",
    "weir.pushdown",
    "weir.result_types",
};

int wr_access_setting(struct wr_access *access, const char *key, struct weir_error *error) {
    if (!access->policy->is_closed || !access->user) return WEIR_OK;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        size_t length = strlen(harmless[i]);
        bool group = harmless[i][length - 1] == '.';
        if (group ? strncmp(key, harmless[i], length) == 0 : strcmp(key, harmless[i]) == 0)
            return WEIR_OK;
    }
    return wr_access_need_all(access, "setting what the server's work depends on", error);
}
