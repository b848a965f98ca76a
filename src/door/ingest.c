/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bulk ingest: the rows are a table of the session alone, under a random name, and what is done
 * with them is one statement of SQL. So the rules for INSERT and CREATE hold, and casts are theirs.
 */
#include <stdio.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/handles.h"
#include "door/list.h"
#include "door/pump.h"

enum { MAX_STATEMENT = 16 << 20, SOURCE_SIZE = WR_HANDLE_SIZE + 16 };

struct ingest {
    struct weir_session *session;
    const struct wr_door_table *table;
    bool temporary;
    char source[SOURCE_SIZE];
    struct ArrowSchema columns; /* of the rows */
    struct wr_pump *pump;
};

static void add_columns(struct wr_buffer *sql, const struct ingest *ingest) {
    for (int64_t i = 0; i < ingest->columns.n_children; i++) {
        if (i > 0) wr_buffer_text(sql, ", ");
        wr_buffer_identifier(sql, ingest->columns.children[i]->name);
    }
}

static void write_append(struct wr_buffer *sql, const struct ingest *ingest) {
    wr_buffer_text(sql, "INSERT INTO ");
    wr_door_add_name(sql, ingest->table);
    wr_buffer_text(sql, " (");
    add_columns(sql, ingest);
    wr_buffer_text(sql, ") SELECT ");
    add_columns(sql, ingest);
    wr_buffer_text(sql, " FROM ");
    wr_buffer_identifier(sql, ingest->source);
}

static void write_create(struct wr_buffer *sql, const struct ingest *ingest, bool replace) {
    wr_buffer_format(sql, "CREATE %s%sTABLE ", replace ? "OR REPLACE " : "",
                     ingest->temporary ? "TEMPORARY " : "");
    wr_door_add_name(sql, ingest->table);
    /* The engine's own CREATE TABLE knows no temporary ones. */
    if (ingest->temporary) wr_buffer_text(sql, " USING memory");
    wr_buffer_text(sql, " AS SELECT * FROM ");
    wr_buffer_identifier(sql, ingest->source);
}

static int run(const struct ingest *ingest, int mode, int64_t *ret_n_rows,
               struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MAX_STATEMENT);
    if (mode == WR_DOOR_APPEND) {
        write_append(&sql, ingest);
    } else {
        write_create(&sql, ingest, mode == WR_DOOR_REPLACE);
    }
    int code = sql.failed ? wr_error_memory(error) : WEIR_OK;
    if (code == WEIR_OK) code = weir_query(ingest->session, sql.data, &none, ret_n_rows, error);
    wr_buffer_reset(&sql);
    wr_arrow_release_stream(&none);
    /* A position in a text that nobody has written. */
    if (code && error) error->position = 0;
    return code;
}

/* Whether the table is there; a look at its columns, as the user may have. */
static int is_there(const struct ingest *ingest, bool *ret_there, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct weir_error reason = {0};
    int code = wr_door_table_schema(ingest->session, ingest->table, &schema, &reason);
    wr_arrow_release_schema(&schema);
    if (code && code != WEIR_NOT_FOUND) {
        if (error) *error = reason;
        return code;
    }
    *ret_there = code == WEIR_OK;
    return WEIR_OK;
}

static int run_mode(const struct ingest *ingest, int mode, int64_t *ret_n_rows,
                    struct weir_error *error) {
    bool there = false;
    if (mode != WR_DOOR_CREATE_APPEND) return run(ingest, mode, ret_n_rows, error);
    WR_TRY(is_there(ingest, &there, error));
    return run(ingest, there ? WR_DOOR_APPEND : WR_DOOR_CREATE, ret_n_rows, error);
}

static int check(const struct ingest *ingest, int mode, struct weir_error *error) {
    if (mode < WR_DOOR_CREATE || mode > WR_DOOR_CREATE_APPEND)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%d is no mode of an ingest", mode);
    if (!ingest->table->name || !*ingest->table->name)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "an ingest needs a table's name");
    return WEIR_OK;
}

/* Reads the columns and hands the rows over to the session. */
static int lend(struct ingest *ingest, struct ArrowArrayStream *rows, struct weir_error *error) {
    char id[WR_HANDLE_SIZE];
    struct ArrowArrayStream pumped = {0};
    WR_TRY(wr_arrow_stream_schema(rows, "the rows to ingest", &ingest->columns, error));
    if (strcmp(ingest->columns.format, "+s") != 0 || ingest->columns.n_children == 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "the rows to ingest have no columns");
    WR_TRY(wr_random_id(id, error));
    snprintf(ingest->source, sizeof ingest->source, "weir ingest %s", id);
    WR_TRY(wr_pump_open(rows, &ingest->pump, &pumped, error));
    int code = weir_register_stream(ingest->session, ingest->source, &pumped, WEIR_REGISTER_PRIVATE,
                                    error);
    wr_arrow_release_stream(&pumped);
    return code;
}

int wr_door_ingest(struct weir_session *session, const struct wr_door_table *table, int mode,
                   bool temporary, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                   struct weir_error *error) {
    struct ingest ingest = {.session = session, .table = table, .temporary = temporary};
    int64_t n_rows = 0;
    int code = check(&ingest, mode, error);
    if (code == WEIR_OK) code = lend(&ingest, rows, error);
    if (code == WEIR_OK) {
        code = run_mode(&ingest, mode, &n_rows, error);
        weir_unregister(session, ingest.source, NULL);
    }
    wr_pump_close(ingest.pump);
    wr_arrow_release_schema(&ingest.columns);
    wr_arrow_release_stream(rows);
    if (code == WEIR_OK && ret_n_rows) *ret_n_rows = n_rows;
    return code;
}
