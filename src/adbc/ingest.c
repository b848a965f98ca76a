/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk ingest of what was bound. */
#include <string.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "door/door.h"

static int mode_of(const char *value) {
    if (!value || strcmp(value, WR_ADBC_INGEST_MODE_CREATE) == 0) return WR_DOOR_CREATE;
    if (strcmp(value, WR_ADBC_INGEST_MODE_APPEND) == 0) return WR_DOOR_APPEND;
    return strcmp(value, WR_ADBC_INGEST_MODE_REPLACE) == 0 ? WR_DOOR_REPLACE
                                                           : WR_DOOR_CREATE_APPEND;
}

/* ---- The rows, until the statement is cancelled ---- */

struct rows {
    struct wr_driver_statement *statement;
    struct ArrowArrayStream values;
};

static int next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct rows *rows = context;
    WR_TRY(wr_driver_statement_check(rows->statement, error));
    return wr_arrow_stream_next(&rows->values, "the rows to ingest", ret_array, error);
}

static void close_rows(void *context) {
    struct rows *rows = context;
    wr_arrow_release_stream(&rows->values);
    wr_free(rows);
}

static int open_rows(struct wr_driver_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct ArrowSchema schema = {0};
    if (!statement->bound.release)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "an ingest needs rows; bind an array or a stream first");
    WR_TRY(wr_arrow_stream_schema(&statement->bound, "the rows to ingest", &schema, error));
    struct rows *rows = wr_calloc(1, sizeof *rows);
    int code = rows ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(&schema, next, close_rows, rows, ret_rows, error);
    wr_arrow_release_schema(&schema);
    if (code) {
        wr_free(rows);
        return code;
    }
    rows->statement = statement;
    wr_arrow_move_stream(&statement->bound, &rows->values);
    return WEIR_OK;
}

/* ---- Where to ---- */

struct target {
    char *catalog;
    char *schema;
    char *name;
    char *mode;
    char *temporary;
};

static void target_reset(struct target *target) {
    wr_free(target->catalog);
    wr_free(target->schema);
    wr_free(target->name);
    wr_free(target->mode);
    wr_free(target->temporary);
}

static int read_target(struct wr_driver_statement *statement, struct target *target,
                       struct weir_error *error) {
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_INGEST_CATALOG, &target->catalog, error));
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_INGEST_SCHEMA, &target->schema, error));
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_INGEST_TABLE, &target->name, error));
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_INGEST_MODE, &target->mode, error));
    return wr_driver_statement_option(statement, WR_ADBC_INGEST_TEMPORARY, &target->temporary,
                                      error);
}

static int ingest(struct wr_driver_statement *statement, const struct target *target,
                  int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    bool temporary = target->temporary && strcmp(target->temporary, "true") == 0;
    const struct wr_door_table table = {target->catalog, target->schema, target->name};
    WR_TRY(open_rows(statement, &rows, error));
    pthread_mutex_lock(&statement->mutex);
    statement->executed = true;
    pthread_mutex_unlock(&statement->mutex);
    return wr_door_ingest(statement->connection->session, &table, mode_of(target->mode), temporary,
                          &rows, ret_affected, error);
}

int wr_driver_statement_ingest(struct wr_driver_statement *statement, int64_t *ret_affected,
                               struct weir_error *error) {
    struct target target = {0};
    int code = read_target(statement, &target, error);
    if (code == WEIR_OK) code = ingest(statement, &target, ret_affected, error);
    target_reset(&target);
    return code;
}
