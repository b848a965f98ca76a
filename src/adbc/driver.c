/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's table of functions, and the entry points that a driver manager looks for:
 * AdbcDriverInit, and AdbcWeirInit, which it makes of the library's name. Nothing else of ADBC is
 * exported, so that a program may be linked with this library and with a driver manager.
 *
 * Each function of the table has an inner half that answers with a struct weir_error; here it
 * becomes an AdbcError.
 */
#include <string.h>

#include "adbc/driver_table.h"
#include "arrow/arrow.h"
#include "base/error.h"
#include "door/door.h"

/* ---- Objects ---- */

static int no_object(const char *what, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                        "the %s was not made by this driver, or was released already", what);
}

int wr_driver_database_of(const struct AdbcDatabase *object,
                          struct wr_driver_database **ret_database, struct weir_error *error) {
    if (!object || !object->private_data) return no_object("database", error);
    *ret_database = object->private_data;
    return WEIR_OK;
}

int wr_driver_connection_of(const struct AdbcConnection *object,
                            struct wr_driver_connection **ret_connection,
                            struct weir_error *error) {
    if (!object || !object->private_data) return no_object("connection", error);
    *ret_connection = object->private_data;
    return WEIR_OK;
}

int wr_driver_open_connection_of(const struct AdbcConnection *object,
                                 struct wr_driver_connection **ret_connection,
                                 struct weir_error *error) {
    WR_TRY(wr_driver_connection_of(object, ret_connection, error));
    if ((*ret_connection)->session) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the connection is not initialised yet");
}

int wr_driver_statement_of(const struct AdbcStatement *object,
                           struct wr_driver_statement **ret_statement, struct weir_error *error) {
    if (!object || !object->private_data) return no_object("statement", error);
    *ret_statement = object->private_data;
    return WEIR_OK;
}

int wr_driver_need(const void *argument, const char *what, struct weir_error *error) {
    if (argument) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s is missing", what);
}

/* An empty name is none. */
static const char *name_or_null(const char *name) {
    return name && *name ? name : NULL;
}

/* ---- Database ---- */

static int new_database(struct AdbcDatabase *object, struct weir_error *error) {
    struct wr_driver_database *database = NULL;
    WR_TRY(wr_driver_need(object, "the database", error));
    WR_TRY(wr_driver_database_new(&database, error));
    object->private_data = database;
    return WEIR_OK;
}

static AdbcStatusCode database_new(struct AdbcDatabase *object, struct AdbcError *error) {
    ANSWER(new_database(object, &reason));
}

static int init_database(struct AdbcDatabase *object, struct weir_error *error) {
    struct wr_driver_database *database = NULL;
    WR_TRY(wr_driver_database_of(object, &database, error));
    return wr_driver_database_init(database, error);
}

static AdbcStatusCode database_init(struct AdbcDatabase *object, struct AdbcError *error) {
    ANSWER(init_database(object, &reason));
}

static int release_database(struct AdbcDatabase *object, struct weir_error *error) {
    struct wr_driver_database *database = NULL;
    WR_TRY(wr_driver_database_of(object, &database, error));
    object->private_data = NULL;
    wr_driver_database_release(database);
    return WEIR_OK;
}

static AdbcStatusCode database_release(struct AdbcDatabase *object, struct AdbcError *error) {
    ANSWER(release_database(object, &reason));
}

/* ---- Connection ---- */

static int new_connection(struct AdbcConnection *object, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_need(object, "the connection", error));
    WR_TRY(wr_driver_connection_new(&connection, error));
    object->private_data = connection;
    return WEIR_OK;
}

static AdbcStatusCode connection_new(struct AdbcConnection *object, struct AdbcError *error) {
    ANSWER(new_connection(object, &reason));
}

static int init_connection(struct AdbcConnection *object, const struct AdbcDatabase *of,
                           struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    struct wr_driver_database *database = NULL;
    WR_TRY(wr_driver_connection_of(object, &connection, error));
    WR_TRY(wr_driver_database_of(of, &database, error));
    return wr_driver_connection_init(connection, database, error);
}

static AdbcStatusCode connection_init(struct AdbcConnection *object, struct AdbcDatabase *database,
                                      struct AdbcError *error) {
    ANSWER(init_connection(object, database, &reason));
}

static int release_connection(struct AdbcConnection *object, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_connection_of(object, &connection, error));
    object->private_data = NULL;
    wr_driver_connection_release(connection);
    return WEIR_OK;
}

static AdbcStatusCode connection_release(struct AdbcConnection *object, struct AdbcError *error) {
    ANSWER(release_connection(object, &reason));
}

/* Autocommit is always on. */
static int no_transaction(const struct AdbcConnection *object, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    return wr_error_set(error, WEIR_INVALID_STATE, "25P01",
                        "there is no transaction: each statement commits by itself");
}

static AdbcStatusCode connection_end(struct AdbcConnection *object, struct AdbcError *error) {
    ANSWER(no_transaction(object, &reason));
}

static int get_info(const struct AdbcConnection *object, const uint32_t *codes, size_t n_codes,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_driver_connection_info(connection, codes, n_codes, ret_rows, error);
}

static AdbcStatusCode connection_get_info(struct AdbcConnection *object, const uint32_t *codes,
                                          size_t n_codes, struct ArrowArrayStream *rows,
                                          struct AdbcError *error) {
    ANSWER(get_info(object, codes, n_codes, rows, &reason));
}

static int get_objects(const struct AdbcConnection *object, const struct wr_objects_filter *filter,
                       struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_driver_connection_objects(connection, filter, ret_rows, error);
}

static AdbcStatusCode connection_get_objects(struct AdbcConnection *object, int depth,
                                             const char *catalog, const char *schema,
                                             const char *table, const char **types,
                                             const char *column, struct ArrowArrayStream *rows,
                                             struct AdbcError *error) {
    const struct wr_objects_filter filter = {depth, catalog, schema, table, column, types};
    ANSWER(get_objects(object, &filter, rows, &reason));
}

static int get_table_schema(const struct AdbcConnection *object, const struct wr_door_table *table,
                            struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(table->name, "the table's name", error));
    WR_TRY(wr_driver_need(ret_schema, "the schema", error));
    return wr_door_table_schema(connection->session, table, ret_schema, error);
}

static AdbcStatusCode connection_get_table_schema(struct AdbcConnection *object,
                                                  const char *catalog, const char *schema,
                                                  const char *name, struct ArrowSchema *ret_schema,
                                                  struct AdbcError *error) {
    const struct wr_door_table table = {name_or_null(catalog), name_or_null(schema),
                                        name_or_null(name)};
    ANSWER(get_table_schema(object, &table, ret_schema, &reason));
}

static int get_table_types(const struct AdbcConnection *object, struct ArrowArrayStream *ret_rows,
                           struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_door_table_types(ret_rows, error);
}

static AdbcStatusCode connection_get_table_types(struct AdbcConnection *object,
                                                 struct ArrowArrayStream *rows,
                                                 struct AdbcError *error) {
    ANSWER(get_table_types(object, rows, &reason));
}

static int read_partition(const struct AdbcConnection *object, const uint8_t *partition,
                          size_t length, struct ArrowArrayStream *ret_rows,
                          struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_driver_connection_read_partition(connection, partition, length, ret_rows, error);
}

static AdbcStatusCode connection_read_partition(struct AdbcConnection *object,
                                                const uint8_t *partition, size_t length,
                                                struct ArrowArrayStream *rows,
                                                struct AdbcError *error) {
    ANSWER(read_partition(object, partition, length, rows, &reason));
}

static int cancel_connection(const struct AdbcConnection *object, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    return wr_driver_connection_cancel(connection, error);
}

static AdbcStatusCode connection_cancel(struct AdbcConnection *object, struct AdbcError *error) {
    ANSWER(cancel_connection(object, &reason));
}

static int get_statistics(const struct AdbcConnection *object,
                          const struct wr_objects_filter *filter, bool approximate,
                          struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_driver_connection_statistics(connection, filter, approximate, ret_rows, error);
}

static AdbcStatusCode connection_get_statistics(struct AdbcConnection *object, const char *catalog,
                                                const char *schema, const char *table,
                                                char approximate, struct ArrowArrayStream *rows,
                                                struct AdbcError *error) {
    const struct wr_objects_filter filter = {.catalog = catalog, .schema = schema, .table = table};
    ANSWER(get_statistics(object, &filter, approximate != 0, rows, &reason));
}

static int get_statistic_names(const struct AdbcConnection *object,
                               struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_driver_connection *connection = NULL;
    WR_TRY(wr_driver_open_connection_of(object, &connection, error));
    WR_TRY(wr_driver_need(ret_rows, "the stream", error));
    return wr_driver_connection_statistic_names(ret_rows, error);
}

static AdbcStatusCode connection_get_statistic_names(struct AdbcConnection *object,
                                                     struct ArrowArrayStream *rows,
                                                     struct AdbcError *error) {
    ANSWER(get_statistic_names(object, rows, &reason));
}

/* ---- The table ---- */

static AdbcStatusCode release_driver(struct AdbcDriver *driver, struct AdbcError *error) {
    (void)error;
    driver->release = NULL;
    return WEIR_OK;
}

static void add_1_0(struct AdbcDriver *driver) {
    driver->release = release_driver;
    driver->DatabaseInit = database_init;
    driver->DatabaseNew = database_new;
    driver->DatabaseRelease = database_release;
    driver->ConnectionCommit = connection_end;
    driver->ConnectionGetInfo = connection_get_info;
    driver->ConnectionGetObjects = connection_get_objects;
    driver->ConnectionGetTableSchema = connection_get_table_schema;
    driver->ConnectionGetTableTypes = connection_get_table_types;
    driver->ConnectionInit = connection_init;
    driver->ConnectionNew = connection_new;
    driver->ConnectionReadPartition = connection_read_partition;
    driver->ConnectionRelease = connection_release;
    driver->ConnectionRollback = connection_end;
    wr_driver_add_statement(driver);
    wr_driver_add_options(driver);
}

static void add_1_1(struct AdbcDriver *driver) {
    driver->ErrorGetDetailCount = wr_driver_error_detail_count;
    driver->ErrorGetDetail = wr_driver_error_detail;
    driver->ErrorFromArrayStream = wr_driver_result_error;
    driver->ConnectionCancel = connection_cancel;
    driver->ConnectionGetStatistics = connection_get_statistics;
    driver->ConnectionGetStatisticNames = connection_get_statistic_names;
    wr_driver_add_statement_1_1(driver);
    wr_driver_add_typed_options(driver);
}

/* A caller of revision 1.0 has room for its functions only. */
static AdbcStatusCode init(int version, void *driver, struct AdbcError *error) {
    struct weir_error reason = {0};
    if (version != WR_ADBC_VERSION_1_0_0 && version != WR_ADBC_VERSION_1_1_0) {
        int code = wr_error_set(&reason, WEIR_NOT_IMPLEMENTED, NULL,
                                "ADBC %d is not spoken here; 1.0.0 and 1.1.0 are", version);
        return wr_driver_answer(code, &reason, error);
    }
    if (!driver)
        return wr_driver_answer(wr_driver_need(driver, "the driver's table", &reason), &reason,
                                error);
    bool is_1_1 = version == WR_ADBC_VERSION_1_1_0;
    memset(driver, 0,
           is_1_1 ? sizeof(struct AdbcDriver) : offsetof(struct AdbcDriver, ErrorGetDetailCount));
    add_1_0(driver);
    if (is_1_1) add_1_1(driver);
    return WEIR_OK;
}

AdbcStatusCode AdbcDriverInit(int version, void *driver, struct AdbcError *error) {
    return init(version, driver, error);
}

AdbcStatusCode AdbcWeirInit(int version, void *driver, struct AdbcError *error) {
    return init(version, driver, error);
}
