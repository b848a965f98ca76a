/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sized.h"
#include "session/principal.h"

static int check_functions(const char *functions, struct weir_error *error) {
    if (!functions || strcmp(functions, "default") == 0 || strcmp(functions, "spark") == 0) {
        return WEIR_OK;
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "session: there are no functions \"%s\"; known: default, spark", functions);
}

static int set_number(struct weir_session *session, const char *key, int64_t number,
                      struct weir_error *error) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return number > 0 ? wr_engine_session_set(session->engine, key, text, error) : WEIR_OK;
}

/* A program that opens sessions for itself looks after its own time. */
static int apply_limits(struct weir_session *session, const struct weir_session_options *options,
                        struct weir_error *error) {
    const struct wr_config *config = session->workspace->config;
    int64_t memory = wr_config_int(config, "limits.statement_memory");
    int64_t timeout = options->door ? wr_config_int(config, "statement_timeout") : 0;
    WR_TRY(set_number(session, "weir.statement_memory", memory, error));
    return set_number(session, "weir.statement_timeout", timeout, error);
}

/* What the configuration has under `settings:`. */
static int apply_settings(struct weir_session *session, struct weir_error *error) {
    const struct wr_config *config = session->workspace->config;
    const struct weir_option *settings = NULL;
    size_t n = wr_config_settings(config, &settings);
    for (size_t i = 0; i < n; i++) {
        int code =
            wr_engine_session_set(session->engine, settings[i].key, settings[i].value, error);
        if (code == WEIR_OK) continue;
        return wr_error_prefix(error, code, "%s: settings.%s", wr_config_setting_origin(config, i),
                               settings[i].key);
    }
    return WEIR_OK;
}

/* ---- Names ---- */

static int list_names(void *context, const char *catalog, const char *schema, wr_emit_fn emit,
                      void *sink, struct weir_error *error) {
    struct wr_session_names *names = context;
    return wr_gated_list(&names->gated, catalog, schema, emit, sink, error);
}

static int has_name(void *context, const char *catalog, const char *schema) {
    struct wr_session_names *names = context;
    return wr_gated_has(&names->gated, catalog, schema);
}

static bool is_interrupted(void *call) {
    return wr_call_is_cancelled(call);
}

static int find_table(void *context, const char *catalog, const char *schema, const char *name,
                      const struct weir_option *options, size_t n_options, int32_t in_view,
                      struct wr_table *ret_table, struct weir_error *error) {
    struct wr_session_names *names = context;
    const struct wr_name asked = {catalog, schema, name};
    struct wr_instance *own = wr_private_find(names, name);
    if (own) {
        int made = wr_instance_table(own, ret_table, error);
        wr_instance_release(own);
        return made;
    }
    wr_caches_waiter(is_interrupted, wr_call_current());
    int code =
        wr_gated_table(&names->gated, &asked, options, n_options, in_view != 0, ret_table, error);
    wr_caches_waiter(NULL, NULL);
    return code;
}

/* Those of a session that is over, if it was the same user's: a stream of it may go on asking. */
static int take_names(struct weir_workspace *workspace, struct wr_access *access,
                      struct wr_session_names **ret_names, struct weir_error *error) {
    pthread_mutex_lock(&workspace->mutex);
    struct wr_session_names **at = &workspace->unused_names;
    while (*at && !wr_access_same((*at)->gated.access, access))
        at = &(*at)->next;
    struct wr_session_names *names = *at;
    if (names) *at = names->next;
    pthread_mutex_unlock(&workspace->mutex);
    if (!names) {
        names = wr_calloc(1, sizeof *names);
        if (!names) return wr_error_memory(error);
        pthread_mutex_init(&names->mutex, NULL);
        wr_gated_init(&names->gated, workspace->names, access);
    }
    *ret_names = names;
    return WEIR_OK;
}

static void give_back(struct weir_workspace *workspace, struct wr_session_names *names) {
    if (!names) return;
    wr_private_clear(names);
    pthread_mutex_lock(&workspace->mutex);
    names->next = workspace->unused_names;
    workspace->unused_names = names;
    pthread_mutex_unlock(&workspace->mutex);
}

/* ---- Open and close ---- */

static int set_access(struct weir_session *session, const struct weir_principal *principal,
                      struct weir_error *error) {
    struct wr_access *access = NULL;
    WR_TRY(wr_principal_access(principal, session->workspace->policy, &access, error));
    int code = take_names(session->workspace, access, &session->names, error);
    wr_access_release(access);
    WR_TRY(code);
    session->access = session->names->gated.access;
    session->expires_ns = principal ? weir_principal_expires(principal) : 0;
    return WEIR_OK;
}

static int open_session(struct weir_session *session, const struct weir_session_options *options,
                        struct weir_error *error) {
    struct weir_workspace *workspace = session->workspace;
    WR_TRY(set_access(session, options->principal, error));
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
    WR_TRY(apply_limits(session, options, error));
    WR_TRY(apply_settings(session, error));
    for (size_t i = 0; i < options->n_settings; i++) {
        const struct weir_option *setting = &options->settings[i];
        WR_TRY(wr_engine_session_set(session->engine, setting->key, setting->value, error));
    }
    return WEIR_OK;
}

/* Its statements are asked to end by who calls this, with the list's mutex held. */
static void interrupt(void *context) {
    struct weir_session *session = context;
    wr_activities_cancel(&session->activities);
}

void wr_session_show_names(struct weir_session *session) {
    char *catalog = NULL;
    char *schema = NULL;
    if (wr_engine_session_names(session->engine, &catalog, &schema, NULL)) return;
    wr_queries_set_names(session->workspace->queries, session->id, catalog, schema);
    wr_engine_free(catalog);
    wr_engine_free(schema);
}

/* In system.sessions. */
static int list_session(struct weir_session *session, const struct weir_session_options *options,
                        struct weir_error *error) {
    struct wr_queries_session listed = {
        .user = options->principal ? weir_principal_name(options->principal) : NULL,
        .door = options->door,
        .peer = options->peer,
        .interrupt = interrupt,
        .context = session,
    };
    WR_TRY(wr_queries_open_session(session->workspace->queries, &listed, error));
    memcpy(session->id, listed.id, WEIR_ID_SIZE);
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
    int code = list_session(session, &options, error);
    if (code == WEIR_OK) code = open_session(session, &options, error);
    if (code == WEIR_OK) wr_session_show_names(session);
    if (code) {
        weir_session_close(session);
        return code;
    }
    *ret_session = session;
    return WEIR_OK;
}

void weir_session_close(struct weir_session *session) {
    if (!session) return;
    wr_queries_close_session(session->workspace->queries, session->id);
    wr_activities_reset(&session->activities);
    if (session->engine) wr_engine_session_free(session->engine);
    give_back(session->workspace, session->names);
    wr_workspace_release(session->workspace);
    wr_free(session);
}

int weir_session_set(struct weir_session *session, const char *key, const char *value,
                     struct weir_error *error) {
    WR_TRY(wr_access_setting(session->access, key, error));
    return wr_engine_session_set(session->engine, key, value, error);
}

void weir_session_id(const struct weir_session *session, char ret_id[WEIR_ID_SIZE]) {
    memcpy(ret_id, session->id, WEIR_ID_SIZE);
}

int weir_session_names(struct weir_session *session, char **ret_catalog, char **ret_schema,
                       struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    char *catalog_copy = wr_strdup(catalog);
    char *schema_copy = wr_strdup(schema);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    if (!catalog_copy || !schema_copy) {
        wr_free(catalog_copy);
        wr_free(schema_copy);
        return wr_error_memory(error);
    }
    *ret_catalog = catalog_copy;
    *ret_schema = schema_copy;
    return WEIR_OK;
}
