/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"
#include "base/call.h"
#include "base/error.h"
#include "table/adbc/reader.h"

static void cancel_reader(void *reader) {
    wr_adbc_reader_cancel(reader);
}

static int read_plan(struct wr_adbc_database *database, const struct wr_adbc_plan *plan,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_adbc_reader *reader;
    WR_TRY(wr_adbc_reader_new(database, plan, &reader, error));
    struct wr_call_watch watch;
    wr_call_watch(&watch, cancel_reader, reader);
    int code = wr_adbc_reader_start(reader, ret_rows, error);
    wr_call_unwatch(&watch);
    wr_adbc_reader_release(reader);
    return code;
}

int wr_adbc_query(struct wr_adbc_database *database, const char *sql,
                  struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_adbc_plan plan = {.sql = sql, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_objects(struct wr_adbc_database *database, const char *catalog, const char *schema,
                    const char *table, struct ArrowArrayStream *ret_rows,
                    struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .source = WR_ADBC_OBJECTS, .names = {catalog, schema, table}, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_statistics(struct wr_adbc_database *database, const char *catalog, const char *schema,
                       const char *table, struct ArrowArrayStream *ret_rows,
                       struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .source = WR_ADBC_STATISTICS, .names = {catalog, schema, table}, .n_columns = -1};
    return read_plan(database, &plan, ret_rows, error);
}

int wr_adbc_change(struct wr_adbc_database *database, const char *sql, int64_t *ret_n_rows,
                   struct weir_error *error) {
    struct wr_adbc_plan plan = {.source = WR_ADBC_CHANGE, .sql = sql, .n_columns = -1};
    struct wr_adbc_reader *reader;
    WR_TRY(wr_adbc_reader_new(database, &plan, &reader, error));
    struct wr_call_watch watch;
    wr_call_watch(&watch, cancel_reader, reader);
    int code = wr_adbc_reader_change(reader, ret_n_rows, error);
    wr_call_unwatch(&watch);
    wr_adbc_reader_release(reader);
    return code;
}

/* A table that is not there leaves the connection as it was. */
static void done(struct wr_adbc_connection *connection, int code, const struct weir_error *error) {
    if (code && wr_adbc_is_connection_error(error)) wr_adbc_doubt(connection->core);
    wr_adbc_give_back(connection, code == WEIR_OK || code == WEIR_NOT_FOUND);
}

static int get_schema(struct wr_adbc_database *database, enum wr_adbc_trust trust,
                      const char *const names[3], struct ArrowSchema *ret_schema, bool *ret_again,
                      struct weir_error *error) {
    const struct wr_adbc_driver *driver = database->core->driver;
    struct wr_adbc_connection *connection;
    WR_TRY(wr_adbc_acquire(database, trust, &connection, error));
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct ArrowSchema schema = {0};
    AdbcStatusCode status = WR_ADBC_CALL(driver, ConnectionGetTableSchema, &connection->adbc,
                                         names[0], names[1], names[2], &schema, &reason);
    int code = status ? wr_adbc_error(database->core, database->name, status, &reason,
                                      "columns of a table", error)
                      : WEIR_OK;
    *ret_again = code && connection->was_used && wr_adbc_is_connection_error(error);
    done(connection, code, error);
    if (!code) wr_arrow_move_schema(&schema, ret_schema);
    return code;
}

int wr_adbc_table_schema(struct wr_adbc_database *database, const char *catalog, const char *schema,
                         const char *table, struct ArrowSchema *ret_schema,
                         struct weir_error *error) {
    const char *const names[] = {catalog, schema, table};
    struct weir_error own = {0};
    bool again = false;
    int code = get_schema(database, WR_ADBC_ANY, names, ret_schema, &again, &own);
    if (again) code = get_schema(database, WR_ADBC_FRESH, names, ret_schema, &again, &own);
    if (code && error) *error = own;
    return code;
}
