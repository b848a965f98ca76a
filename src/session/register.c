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
    if (mode != WEIR_REGISTER_ROWS && mode != WEIR_REGISTER_ONCE) {
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
    WR_TRY(stream_columns(name, rows, &columns, error));
    int code = wr_registered_new(catalog, schema, name, &columns, mode, &instance, error);
    wr_arrow_release_schema(&columns);
    WR_TRY(code);
    if (mode == WEIR_REGISTER_ROWS) code = keep_rows(instance, rows, error);
    if (code == WEIR_OK) code = wr_names_register(session->workspace->names, instance, error);
    if (code == WEIR_OK && mode == WEIR_REGISTER_ONCE) wr_registered_fill(instance, rows);
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
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = catalog,
        .schema = schema,
        .name = name,
        .kind = kind->name,
        .options = &(struct weir_option){"path", path},
        .n_options = 1,
    };
    int code = wr_names_create_table(session->workspace->names, &definition, WR_CREATE_OR_REPLACE,
                                     NULL, NULL, NULL, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}
