/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's functions on statements. */
#include "adbc/driver_table.h"
#include "base/error.h"

static int new_statement(const struct AdbcConnection *of, struct AdbcStatement *object,
                         struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_open_connection_of(of, &connection, error));
    WR_TRY(wr_driver_need(object, "the statement", error));
    WR_TRY(wr_driver_statement_new(connection, &statement, error));
    object->private_data = statement;
    return WEIR_OK;
}

static AdbcStatusCode statement_new(struct AdbcConnection *connection, struct AdbcStatement *object,
                                    struct AdbcError *error) {
    ANSWER(new_statement(connection, object, &reason));
}

static int release_statement(struct AdbcStatement *object, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    object->private_data = NULL;
    wr_driver_statement_free(statement);
    return WEIR_OK;
}

static AdbcStatusCode statement_release(struct AdbcStatement *object, struct AdbcError *error) {
    ANSWER(release_statement(object, &reason));
}

static int set_query(const struct AdbcStatement *object, const char *sql,
                     struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    WR_TRY(wr_driver_need(sql, "the query", error));
    return wr_driver_statement_sql(statement, sql, error);
}

static AdbcStatusCode statement_set_query(struct AdbcStatement *object, const char *sql,
                                          struct AdbcError *error) {
    ANSWER(set_query(object, sql, &reason));
}

static int no_substrait(const struct AdbcStatement *object, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "weir takes SQL, not Substrait plans");
}

static AdbcStatusCode statement_set_substrait(struct AdbcStatement *object, const uint8_t *plan,
                                              size_t length, struct AdbcError *error) {
    (void)plan;
    (void)length;
    ANSWER(no_substrait(object, &reason));
}

static int prepare(const struct AdbcStatement *object, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_driver_statement_prepare(statement, error);
}

static AdbcStatusCode statement_prepare(struct AdbcStatement *object, struct AdbcError *error) {
    ANSWER(prepare(object, &reason));
}

static int bind(const struct AdbcStatement *object, struct ArrowArray *values,
                struct ArrowSchema *schema, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_driver_statement_bind(statement, values, schema, error);
}

static AdbcStatusCode statement_bind(struct AdbcStatement *object, struct ArrowArray *values,
                                     struct ArrowSchema *schema, struct AdbcError *error) {
    ANSWER(bind(object, values, schema, &reason));
}

static int bind_stream(const struct AdbcStatement *object, struct ArrowArrayStream *values,
                       struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_driver_statement_bind_stream(statement, values, error);
}

static AdbcStatusCode statement_bind_stream(struct AdbcStatement *object,
                                            struct ArrowArrayStream *values,
                                            struct AdbcError *error) {
    ANSWER(bind_stream(object, values, &reason));
}

static int execute(const struct AdbcStatement *object, struct ArrowArrayStream *ret_rows,
                   int64_t *ret_affected, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_driver_statement_execute(statement, ret_rows, ret_affected, error);
}

static AdbcStatusCode statement_execute(struct AdbcStatement *object, struct ArrowArrayStream *rows,
                                        int64_t *ret_affected, struct AdbcError *error) {
    ANSWER(execute(object, rows, ret_affected, &reason));
}

static int execute_schema(const struct AdbcStatement *object, struct ArrowSchema *ret_schema,
                          struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    WR_TRY(wr_driver_need(ret_schema, "the schema", error));
    return wr_driver_statement_schema(statement, ret_schema, error);
}

static AdbcStatusCode statement_execute_schema(struct AdbcStatement *object,
                                               struct ArrowSchema *ret_schema,
                                               struct AdbcError *error) {
    ANSWER(execute_schema(object, ret_schema, &reason));
}

static int get_parameters(const struct AdbcStatement *object, struct ArrowSchema *ret_schema,
                          struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    WR_TRY(wr_driver_need(ret_schema, "the schema", error));
    return wr_driver_statement_parameters(statement, ret_schema, error);
}

static AdbcStatusCode statement_get_parameters(struct AdbcStatement *object,
                                               struct ArrowSchema *ret_schema,
                                               struct AdbcError *error) {
    ANSWER(get_parameters(object, ret_schema, &reason));
}

static int execute_partitions(const struct AdbcStatement *object, struct ArrowSchema *ret_schema,
                              struct AdbcPartitions *ret_partitions, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    WR_TRY(wr_driver_need(ret_partitions, "the partitions", error));
    return wr_driver_statement_partitions(statement, ret_schema, ret_partitions, error);
}

static AdbcStatusCode statement_execute_partitions(struct AdbcStatement *object,
                                                   struct ArrowSchema *ret_schema,
                                                   struct AdbcPartitions *partitions,
                                                   int64_t *ret_affected, struct AdbcError *error) {
    if (ret_affected) *ret_affected = -1;
    ANSWER(execute_partitions(object, ret_schema, partitions, &reason));
}

static int cancel(const struct AdbcStatement *object, struct weir_error *error) {
    struct wr_driver_statement *statement = NULL;
    WR_TRY(wr_driver_statement_of(object, &statement, error));
    return wr_driver_statement_cancel(statement, error);
}

static AdbcStatusCode statement_cancel(struct AdbcStatement *object, struct AdbcError *error) {
    ANSWER(cancel(object, &reason));
}

void wr_driver_add_statement(struct AdbcDriver *driver) {
    driver->StatementBind = statement_bind;
    driver->StatementBindStream = statement_bind_stream;
    driver->StatementExecuteQuery = statement_execute;
    driver->StatementExecutePartitions = statement_execute_partitions;
    driver->StatementGetParameterSchema = statement_get_parameters;
    driver->StatementNew = statement_new;
    driver->StatementPrepare = statement_prepare;
    driver->StatementRelease = statement_release;
    driver->StatementSetSqlQuery = statement_set_query;
    driver->StatementSetSubstraitPlan = statement_set_substrait;
}

void wr_driver_add_statement_1_1(struct AdbcDriver *driver) {
    driver->StatementCancel = statement_cancel;
    driver->StatementExecuteSchema = statement_execute_schema;
}
