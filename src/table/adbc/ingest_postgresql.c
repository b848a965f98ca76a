/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver appends by COPY in its binary format, which the server reads by the table's types: a
 * column of another type of the same width would be read as other values. So the columns' types are
 * compared first, and where they are not each other's, the rows go by way of a temporary table.
 */
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/ingest.h"

/* A column of the target: the name of its type in pg_type, and as SQL spells it. */
struct target_column {
    char *name;
    char *type;
    char *sql;
};

struct target {
    struct target_column *columns;
    size_t n_columns;
};

static void reset_target(struct target *target) {
    for (size_t i = 0; i < target->n_columns; i++) {
        wr_free(target->columns[i].name);
        wr_free(target->columns[i].type);
        wr_free(target->columns[i].sql);
    }
    wr_free(target->columns);
    *target = (struct target){0};
}

/* ---- The target's types ---- */

static char *text_at(const struct ArrowArrayView *view, int64_t column, int64_t row) {
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view->children[column], row);
    return wr_strndup(text.data, (size_t)text.size_bytes);
}

static int add_columns(struct target *target, const struct ArrowArrayView *view,
                       struct weir_error *error) {
    struct target_column *columns =
        wr_reallocarray(target->columns, target->n_columns + (size_t)view->length, sizeof *columns);
    if (!columns) return wr_error_memory(error);
    target->columns = columns;
    for (int64_t row = 0; row < view->length; row++) {
        struct target_column *column = &columns[target->n_columns++];
        *column = (struct target_column){text_at(view, 0, row), text_at(view, 1, row),
                                         text_at(view, 2, row)};
        if (!column->name || !column->type || !column->sql) return wr_error_memory(error);
    }
    return WEIR_OK;
}

static int take_columns(struct wr_adbc_ingest *ingest, struct ArrowArrayStream *rows,
                        struct target *target, struct weir_error *error) {
    const struct wr_adbc_core *core = ingest->connection->core;
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct ArrowArrayView view;
    ArrowArrayViewInitFromType(&view, NANOARROW_TYPE_UNINITIALIZED);
    int code = WEIR_OK, errnum = rows->get_schema(rows, &schema);
    if (!errnum && ArrowArrayViewInitFromSchema(&view, &schema, NULL))
        code = wr_error_memory(error);
    while (!errnum && !code) {
        errnum = rows->get_next(rows, &array);
        if (errnum || !array.release) break;
        code = ArrowArrayViewSetArray(&view, &array, NULL) ? wr_error_memory(error)
                                                           : add_columns(target, &view, error);
        wr_arrow_release_array(&array);
    }
    if (errnum) code = wr_adbc_stream_error(core, ingest->database->name, rows, errnum, error);
    ArrowArrayViewReset(&view);
    wr_arrow_release_schema(&schema);
    return code;
}

/* Domains go by their own name, so that they are never taken for what they are made of. Types are
 * without their length: a cast would cut a text to it, the insertion refuses. */
static void add_query(const struct wr_adbc_ingest *ingest, struct wr_buffer *sql) {
    struct wr_buffer name;
    wr_buffer_init(&name, 4096);
    wr_adbc_target(ingest, &name);
    wr_buffer_text(sql, "SELECT a.attname::text, t.typname::text, "
                        "pg_catalog.format_type(a.atttypid, -1)::text "
                        "FROM pg_catalog.pg_attribute a "
                        "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE a.attrelid = ");
    if (name.failed) sql->failed = true;
    wr_buffer_literal(sql, name.data ? name.data : "");
    wr_buffer_text(sql, "::regclass AND a.attnum > 0 AND NOT a.attisdropped");
    wr_buffer_reset(&name);
}

static int find_target(struct wr_adbc_ingest *ingest, struct target *target,
                       struct weir_error *error) {
    const struct wr_adbc_core *core = ingest->connection->core;
    const struct wr_adbc_driver *driver = core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    struct ArrowArrayStream rows = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 16);
    add_query(ingest, &sql);
    if (sql.failed) return wr_error_memory(error);
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementNew, &ingest->connection->adbc, &statement, &reason);
    if (!status) status = WR_ADBC_CALL(driver, StatementSetSqlQuery, &statement, sql.data, &reason);
    if (!status)
        status = WR_ADBC_CALL(driver, StatementExecuteQuery, &statement, &rows, NULL, &reason);
    wr_buffer_reset(&sql);
    int code = status
                   ? wr_adbc_error(core, ingest->database->name, status, &reason, "ingest", error)
                   : take_columns(ingest, &rows, target, error);
    wr_arrow_release_stream(&rows);
    reason = wr_adbc_error_new(driver);
    if (statement.private_data) WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    return code;
}

/* ---- Which types are each other's ---- */

/* The types whose binary format is what the driver writes for an Arrow type; " a b ". */
static const char *types_of(const struct ArrowSchemaView *view) {
    switch (view->type) {
    case NANOARROW_TYPE_BOOL:
        return " bool ";
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_INT16:
        return " int2 numeric ";
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_INT32:
        return " int4 numeric ";
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT64:
        return " int8 numeric ";
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
        return " float4 ";
    case NANOARROW_TYPE_DOUBLE:
        return " float8 ";
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return " text varchar bpchar json ";
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
        return " bytea ";
    case NANOARROW_TYPE_DATE32:
        return " date ";
    case NANOARROW_TYPE_TIME64:
        return " time ";
    case NANOARROW_TYPE_TIMESTAMP:
        return view->timezone && view->timezone[0] ? " timestamptz " : " timestamp ";
    case NANOARROW_TYPE_DURATION:
    case NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO:
        return " interval ";
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        return " numeric ";
    default:
        return "";
    }
}

static bool is_own(const struct ArrowSchema *column, const char *type) {
    struct ArrowSchemaView view;
    if (ArrowSchemaViewInit(&view, column, NULL)) return false;
    if (view.type == NANOARROW_TYPE_NA) return true;
    if (view.type == NANOARROW_TYPE_DICTIONARY) return is_own(column->dictionary, type);
    if (view.type == NANOARROW_TYPE_LIST || view.type == NANOARROW_TYPE_LARGE_LIST ||
        view.type == NANOARROW_TYPE_FIXED_SIZE_LIST) {
        /* An array carries the type of its elements, and numeric has a writer of its own. */
        return type[0] == '_' && strcmp(type, "_numeric") != 0 &&
               is_own(column->children[0], type + 1);
    }
    char word[80];
    size_t length = strlen(type);
    if (length + 3 > sizeof word) return false;
    word[0] = ' ';
    memcpy(word + 1, type, length);
    memcpy(word + 1 + length, " ", 2);
    return strstr(types_of(&view), word) != NULL;
}

static const struct target_column *find_column(const struct target *target, const char *name) {
    for (size_t i = 0; i < target->n_columns; i++) {
        if (strcmp(target->columns[i].name, name) == 0) return &target->columns[i];
    }
    return NULL;
}

static int compare(const struct wr_adbc_ingest *ingest, const struct target *target,
                   bool *ret_direct, struct weir_error *error) {
    bool direct = true;
    for (int64_t i = 0; i < ingest->columns.n_children; i++) {
        const struct ArrowSchema *column = ingest->columns.children[i];
        const struct target_column *into = find_column(target, column->name);
        if (!into) {
            return wr_error_set(error, WEIR_NOT_FOUND, "42703",
                                "database \"%s\": table \"%s\" has no column \"%s\"",
                                ingest->database->name, ingest->table, column->name);
        }
        direct = direct && is_own(column, into->type);
    }
    *ret_direct = direct;
    return WEIR_OK;
}

/* The type to which a column of the rows is cast. */
static const char *cast_of(const void *context, const char *column) {
    return find_column(context, column)->sql;
}

int wr_adbc_postgresql_append(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    struct target target = {0};
    bool direct = true;
    int code = find_target(ingest, &target, error);
    if (!code) code = compare(ingest, &target, &direct, error);
    if (!code) {
        code = direct
                   ? wr_adbc_ingest_into(ingest, ingest->schema, ingest->table, false, false, error)
                   : wr_adbc_append_staged(ingest, "pg_temp", cast_of, &target, error);
    }
    reset_target(&target);
    return code;
}
