/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that the host program hands over. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "session/session.h"
#include "table/registered.h"

static int check_arguments(const char *name, const struct ArrowArrayStream *rows, int mode,
                           struct weir_error *error) {
    if (!name || !*name) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a table needs a name");
    }
    if (!rows || !rows->release) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table \"%s\": its stream was released already", name);
    }
    if (mode != WEIR_REGISTER_ROWS && mode != WEIR_REGISTER_ONCE && mode != WEIR_REGISTER_PRIVATE) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table \"%s\": %d is not a mode of enum weir_register_mode", name,
                            mode);
    }
    return WEIR_OK;
}

static int stream_columns(const char *name, struct ArrowArrayStream *rows,
                          struct ArrowSchema *ret_columns, struct weir_error *error) {
    struct ArrowSchema columns = {0};
    WR_TRY(wr_arrow_stream_schema(rows, name, &columns, error));
    int code = WEIR_OK;
    if (strcmp(columns.format, "+s") != 0) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table \"%s\": its stream has Arrow format \"%s\", not a struct's",
                            name, columns.format);
    }
    if (code == WEIR_OK) code = wr_check_columns(&columns, error);
    if (code) {
        wr_arrow_release_schema(&columns);
        return code;
    }
    *ret_columns = columns;
    return WEIR_OK;
}

/* The caller's stream stays the caller's until all is done. */
static int keep_rows(struct wr_instance *instance, struct ArrowArrayStream *rows,
                     struct weir_error *error) {
    struct wr_tap tap = {.inner = rows};
    struct ArrowArrayStream tapped = {0};
    int64_t n_rows = 0;
    wr_tap_open(&tap, &tapped);
    return wr_instance_insert(instance, WEIR_INSERT_APPEND, &tapped, &n_rows, error);
}

static int register_as(struct weir_session *session, const char *catalog, const char *schema,
                       const char *name, struct ArrowArrayStream *rows, int mode,
                       struct weir_error *error) {
    struct ArrowSchema columns = {0};
    struct wr_instance *instance = NULL;
    const struct wr_name full = {catalog, schema, name};
    struct wr_access *access = session->access;
    bool all = wr_access_is_all(access);
    /* Another one's is not taken the place of. */
    if (!all && mode != WEIR_REGISTER_PRIVATE &&
        wr_names_is_registered(session->workspace->names, &full) && !wr_access_owns(access, &full))
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P07", "there is a table \"%s\" already",
                            name);
    bool once = mode != WEIR_REGISTER_ROWS;
    bool is_private = mode == WEIR_REGISTER_PRIVATE;
    WR_TRY(stream_columns(name, rows, &columns, error));
    if (!all && !is_private) {
        int owned = wr_access_own(access, &full, error);
        if (owned) {
            wr_arrow_release_schema(&columns);
            return owned;
        }
    }
    int code = wr_registered_new(catalog, schema, name, &columns,
                                 once ? WEIR_REGISTER_ONCE : WEIR_REGISTER_ROWS, &instance, error);
    wr_arrow_release_schema(&columns);
    WR_TRY(code);
    if (!once) code = keep_rows(instance, rows, error);
    if (code == WEIR_OK)
        code = is_private ? wr_private_add(session->names, instance, error)
                          : wr_names_register(session->workspace->names, instance, error);
    if (code == WEIR_OK && once) wr_registered_fill(instance, rows);
    if (code == WEIR_OK) wr_arrow_release_stream(rows);
    wr_instance_release(instance);
    return code;
}

int weir_register_stream(struct weir_session *session, const char *name,
                         struct ArrowArrayStream *rows, int mode, struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(check_arguments(name, rows, mode, error));
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    int code = register_as(session, catalog, schema, name, rows, mode, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

int weir_register_path(struct weir_session *session, const char *name, const char *path,
                       struct weir_error *error) {
    const struct weir_table_kind *kind =
        wr_registry_role(session->workspace->registry, WEIR_ROLE_PATH);
    if (!kind) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "no table kind reads paths");
    }
    char *catalog = NULL;
    char *schema = NULL;
    const struct weir_option location = {"path", path};
    WR_TRY(wr_access_kind(session->access, kind, &location, 1, false, error));
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    const struct wr_plan_info info = {.size = sizeof info,
                                      .type = WR_PLAN_CREATE_TABLE,
                                      .catalog = catalog,
                                      .schema = schema,
                                      .name = name,
                                      .or_replace = 1};
    bool hidden = false;
    int may = wr_policy_ddl(session, &info, &hidden, error);
    if (may || hidden) {
        if (hidden)
            may = wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                               "permission denied: CREATE on %s.%s has not been granted to you",
                               catalog, schema);
        wr_engine_free(catalog);
        wr_engine_free(schema);
        return may;
    }
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = catalog,
        .schema = schema,
        .name = name,
        .kind = kind->name,
        .options = &location,
        .n_options = 1,
    };
    int code = wr_names_create_table(session->workspace->names, &definition, WR_CREATE_OR_REPLACE,
                                     NULL, NULL, NULL, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}
