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

/* ---- Names ---- */

static int list_names(void *context, const char *catalog, const char *schema, wr_emit_fn emit,
                      void *sink, struct weir_error *error) {
    const struct wr_session_names *names = context;
    return wr_names_list(names->names, catalog, schema, emit, sink, error);
}

static int has_name(void *context, const char *catalog, const char *schema) {
    const struct wr_session_names *names = context;
    return wr_names_has(names->names, catalog, schema);
}

/* Only a thread that plans waits, while the session's own waits for it. */
static bool is_interrupted(void *context) {
    const struct wr_session_names *names = context;
    return names->planning && wr_activity_is_cancelled(names->planning);
}

static int find_table(void *context, const char *catalog, const char *schema, const char *name,
                      const struct weir_option *options, size_t n_options,
                      struct wr_table *ret_table, struct weir_error *error) {
    const struct wr_session_names *names = context;
    wr_caches_waiter(is_interrupted, context);
    int code =
        wr_names_table(names->names, catalog, schema, name, options, n_options, ret_table, error);
    wr_caches_waiter(NULL, NULL);
    return code;
}

static int take_names(struct weir_workspace *workspace, struct wr_session_names **ret_names,
                      struct weir_error *error) {
    pthread_mutex_lock(&workspace->mutex);
    struct wr_session_names *names = workspace->unused_names;
    if (names) workspace->unused_names = names->next;
    pthread_mutex_unlock(&workspace->mutex);
    if (!names) names = wr_calloc(1, sizeof *names);
    if (!names) return wr_error_memory(error);
    names->names = workspace->names;
    *ret_names = names;
    return WEIR_OK;
}

static void give_back(struct weir_workspace *workspace, struct wr_session_names *names) {
    if (!names) return;
    pthread_mutex_lock(&workspace->mutex);
    names->next = workspace->unused_names;
    workspace->unused_names = names;
    pthread_mutex_unlock(&workspace->mutex);
}

int wr_session_plan(struct weir_session *session, const char *sql, struct wr_plan **ret_plan,
                    struct weir_error *error) {
    struct wr_activity planning;
    wr_activity_begin(&session->activities, &planning);
    session->names->planning = &planning;
    int code = wr_plan_new(session->engine, sql, ret_plan, error);
    session->names->planning = NULL;
    wr_activity_end(&planning);
    return code;
}

/* ---- Open and close ---- */

static int open_session(struct weir_session *session, const struct weir_session_options *options,
                        struct weir_error *error) {
    struct weir_workspace *workspace = session->workspace;
    WR_TRY(take_names(workspace, &session->names, error));
    struct wr_session_options engine = {
        .size = sizeof engine,
        .catalog = workspace->catalog,
        .schema = workspace->schema,
        .names = {.size = sizeof engine.names,
                  .context = session->names,
                  .list = list_names,
                  .has = has_name,
                  .table = find_table},
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
    give_back(session->workspace, session->names);
    wr_workspace_release(session->workspace);
    wr_free(session);
}

int weir_session_set(struct weir_session *session, const char *key, const char *value,
                     struct weir_error *error) {
    return wr_engine_session_set(session->engine, key, value, error);
}
