/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static int check_functions(const char *functions, struct weir_error *error) {
    if (!functions || strcmp(functions, "default") == 0 || strcmp(functions, "spark") == 0) {
        return WEIR_OK;
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "session: there are no functions \"%s\"; known: default, spark", functions);
}

/* What the configuration has under `settings:`. */
static int apply_settings(struct weir_session *session, struct weir_error *error) {
    const struct wr_config *config = session->workspace->config;
    const struct weir_option *settings = NULL;
    size_t n = wr_config_settings(config, &settings);
    for (size_t i = 0; i < n; i++) {
        int code = weir_session_set(session, settings[i].key, settings[i].value, error);
        if (code == WEIR_OK) continue;
        return wr_error_prefix(error, code, "%s: settings.%s", wr_config_setting_origin(config, i),
                               settings[i].key);
    }
    return WEIR_OK;
}

static int open_session(struct weir_session *session, const struct weir_session_options *options,
                        struct weir_error *error) {
    const struct weir_workspace *workspace = session->workspace;
    struct wr_session_options engine = {
        .size = sizeof engine,
        .catalog = workspace->catalog,
        .schema = workspace->schema,
        .names = {.size = sizeof engine.names,
                  .context = workspace->names,
                  .list = wr_names_list,
                  .has = wr_names_has,
                  .table = wr_names_table},
        .functions = options->functions,
    };
    WR_TRY(wr_engine_session_new(workspace->engine, &engine, &session->engine, error));
    WR_TRY(apply_settings(session, error));
    for (size_t i = 0; i < options->n_settings; i++) {
        const struct weir_option *setting = &options->settings[i];
        WR_TRY(weir_session_set(session, setting->key, setting->value, error));
    }
    return WEIR_OK;
}

int weir_session_open(struct weir_workspace *workspace, const struct weir_session_options *given,
                      struct weir_session **ret_session, struct weir_error *error) {
    struct weir_session_options options;
    WR_TRY(wr_copy_sized(given, &options, sizeof options, "weir_session_options", error));
    WR_TRY(check_functions(options.functions, error));
    struct weir_session *session = wr_calloc(1, sizeof *session);
    if (!session) return wr_error_memory(error);
    atomic_fetch_add_explicit(&workspace->references, 1, memory_order_relaxed);
    session->workspace = workspace;
    wr_activities_init(&session->activities);
    int code = open_session(session, &options, error);
    if (code) {
        weir_session_close(session);
        return code;
    }
    *ret_session = session;
    return WEIR_OK;
}

void weir_session_close(struct weir_session *session) {
    if (!session) return;
    wr_activities_reset(&session->activities);
    if (session->engine) wr_engine_session_free(session->engine);
    wr_workspace_release(session->workspace);
    wr_free(session);
}

int weir_session_set(struct weir_session *session, const char *key, const char *value,
                     struct weir_error *error) {
    return wr_engine_session_set(session->engine, key, value, error);
}
