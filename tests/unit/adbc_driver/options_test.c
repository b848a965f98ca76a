/* SPDX-License-Identifier: Apache-2.0 */
/* Options of every type, set and read. */
#include "support.h"

static void assert_option(const char *key, const char *expected) {
    char value[128];
    size_t length = sizeof value;
    OK(driver.ConnectionGetOption(&connection, key, value, &length, &failure));
    assert_string_equal(value, expected);
    assert_int_equal(length, strlen(expected) + 1);
}

static void a_connection_says_where_it_is(void **state) {
    (void)state;
    assert_option(WR_ADBC_CURRENT_CATALOG, "weir");
    assert_option(WR_ADBC_CURRENT_SCHEMA, "public");
    run("CREATE SCHEMA \"two words\"");
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_SCHEMA, "two words", &failure));
    assert_option(WR_ADBC_CURRENT_SCHEMA, "two words");
    run("CREATE TABLE inner_table (a BIGINT)");
    /* A schema of a catalog's name does not stand before the catalog. */
    run("CREATE SCHEMA weir.system");
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_CATALOG, "system", &failure));
    assert_option(WR_ADBC_CURRENT_CATALOG, "system");
    assert_option(WR_ADBC_CURRENT_SCHEMA, "public");
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_CATALOG, "weir", &failure));
    assert_option(WR_ADBC_CURRENT_SCHEMA, "public");
    run("DROP SCHEMA weir.system");
    check(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_SCHEMA, "nowhere", &failure),
          WEIR_NOT_FOUND);
    check(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_CATALOG, "no\"where", &failure),
          WEIR_NOT_FOUND);
    check(driver.ConnectionSetOption(&connection, WR_ADBC_CURRENT_CATALOG, NULL, &failure),
          WEIR_INVALID_ARGUMENT);
    assert_option(WR_ADBC_CURRENT_CATALOG, "weir");
}

static void what_is_set_before_init_holds_after_it(void **state) {
    (void)state;
    struct AdbcConnection own = {0};
    char value[64];
    size_t length = sizeof value;
    OK(driver.ConnectionNew(&own, &failure));
    OK(driver.ConnectionSetOption(&own, WR_ADBC_CURRENT_CATALOG, "system", &failure));
    OK(driver.ConnectionSetOption(&own, WR_ADBC_AUTOCOMMIT, "true", &failure));
    OK(driver.ConnectionSetOption(&own, "adbc.weir.setting.datafusion.execution.batch_size", "7",
                                  &failure));
    OK(driver.ConnectionInit(&own, &database, &failure));
    OK(driver.ConnectionGetOption(&own, WR_ADBC_CURRENT_CATALOG, value, &length, &failure));
    assert_string_equal(value, "system");
    struct AdbcStatement statement = {0};
    struct ArrowArrayStream rows = {0};
    OK(driver.StatementNew(&own, &statement, &failure));
    OK(driver.StatementSetSqlQuery(&statement, "SHOW datafusion.execution.batch_size", &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "datafusion.execution.batch_size|7\n");
    release_statement(&statement);
    OK(driver.ConnectionRelease(&own, &failure));
    OK(driver.ConnectionNew(&own, &failure));
    OK(driver.ConnectionSetOption(&own, WR_ADBC_CURRENT_CATALOG, "nowhere", &failure));
    check(driver.ConnectionInit(&own, &database, &failure), WEIR_NOT_FOUND);
    OK(driver.ConnectionRelease(&own, &failure));
}

static void there_is_autocommit_and_nothing_else(void **state) {
    (void)state;
    assert_option(WR_ADBC_AUTOCOMMIT, "true");
    assert_option(WR_ADBC_READ_ONLY, "false");
    assert_option(WR_ADBC_ISOLATION_LEVEL, WR_ADBC_ISOLATION_DEFAULT);
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_AUTOCOMMIT, "true", &failure));
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_READ_ONLY, "false", &failure));
    OK(driver.ConnectionSetOption(&connection, WR_ADBC_ISOLATION_LEVEL, WR_ADBC_ISOLATION_DEFAULT,
                                  &failure));
    check(driver.ConnectionSetOption(&connection, WR_ADBC_AUTOCOMMIT, "false", &failure),
          WEIR_NOT_IMPLEMENTED);
    assert_true(failure_says("transactions"));
    check(driver.ConnectionSetOption(&connection, WR_ADBC_AUTOCOMMIT, "maybe", &failure),
          WEIR_INVALID_ARGUMENT);
    check(driver.ConnectionSetOption(&connection, WR_ADBC_READ_ONLY, "true", &failure),
          WEIR_NOT_IMPLEMENTED);
    check(driver.ConnectionSetOption(&connection, WR_ADBC_ISOLATION_LEVEL,
                                     "adbc.connection.transaction.isolation.serializable",
                                     &failure),
          WEIR_NOT_IMPLEMENTED);
    check(driver.ConnectionCommit(&connection, &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionRollback(&connection, &failure), WEIR_INVALID_STATE);
    assert_memory_equal(failure.sqlstate, "25P01", 5);
}

static void a_short_buffer_gets_the_length_alone(void **state) {
    (void)state;
    char value[4] = "abc";
    size_t length = sizeof value;
    OK(driver.ConnectionGetOption(&connection, WR_ADBC_CURRENT_CATALOG, value, &length, &failure));
    assert_int_equal(length, 5);
    assert_string_equal(value, "abc");
    uint8_t bytes[4] = {0};
    length = sizeof bytes;
    OK(driver.ConnectionGetOptionBytes(&connection, WR_ADBC_CURRENT_CATALOG, bytes, &length,
                                       &failure));
    assert_int_equal(length, 4);
    assert_memory_equal(bytes, "weir", 4);
    length = 0;
    OK(driver.ConnectionGetOption(&connection, WR_ADBC_AUTOCOMMIT, NULL, &length, &failure));
    assert_int_equal(length, 5);
    check(driver.ConnectionGetOption(&connection, WR_ADBC_AUTOCOMMIT, value, NULL, &failure),
          WEIR_INVALID_ARGUMENT);
}

static void numbers_are_texts_too(void **state) {
    (void)state;
    struct AdbcDatabase own = {0};
    int64_t number = 0;
    double fraction = 0;
    OK(driver.DatabaseNew(&own, &failure));
    OK(driver.DatabaseSetOptionInt(&own, "adbc.weir.config.threads", 2, &failure));
    OK(driver.DatabaseSetOptionBytes(&own, "adbc.weir.config.memory_limit",
                                     (const uint8_t *)"64MiB?", 5, &failure));
    check(driver.DatabaseSetOptionBytes(&own, "uri", (const uint8_t *)"a\0b", 3, &failure),
          WEIR_INVALID_ARGUMENT);
    OK(driver.DatabaseGetOptionInt(&own, "adbc.weir.config.threads", &number, &failure));
    assert_int_equal(number, 2);
    OK(driver.DatabaseInit(&own, &failure));
    /* As the open workspace has it: in bytes. */
    OK(driver.DatabaseGetOptionInt(&own, "adbc.weir.config.memory_limit", &number, &failure));
    assert_int_equal(number, 64 << 20);
    OK(driver.DatabaseGetOptionDouble(&own, "adbc.weir.config.threads", &fraction, &failure));
    assert_true(fraction == 2.0);
    check(driver.DatabaseGetOptionInt(&own, "adbc.weir.config.flight.listen", &number, &failure),
          WEIR_INVALID_ARGUMENT);
    check(driver.DatabaseSetOption(&own, "uri", "/tmp", &failure), WEIR_INVALID_STATE);
    OK(driver.DatabaseSetOptionDouble(&own, "adbc.weir.setting.x", 0.5, &failure));
    OK(driver.DatabaseGetOptionDouble(&own, "adbc.weir.setting.x", &fraction, &failure));
    assert_true(fraction == 0.5);
    OK(driver.DatabaseRelease(&own, &failure));
}

static void secrets_are_not_read_back(void **state) {
    (void)state;
    struct AdbcDatabase own = {0};
    char value[64];
    size_t length = sizeof value;
    OK(driver.DatabaseNew(&own, &failure));
    OK(driver.DatabaseSetOption(&own, WR_ADBC_USERNAME, "ada", &failure));
    OK(driver.DatabaseSetOption(&own, WR_ADBC_PASSWORD, "hunter2", &failure));
    OK(driver.DatabaseGetOption(&own, WR_ADBC_USERNAME, value, &length, &failure));
    assert_string_equal(value, "ada");
    check(driver.DatabaseGetOption(&own, WR_ADBC_PASSWORD, value, &length, &failure),
          WEIR_NOT_FOUND);
    OK(driver.DatabaseRelease(&own, &failure));
}

static void unknown_options_are_refused(void **state) {
    (void)state;
    struct AdbcStatement statement;
    char value[8];
    size_t length = sizeof value;
    int64_t number = 0;
    new_statement(&statement, NULL);
    check(driver.DatabaseSetOption(&database, "x.y", "1", &failure), WEIR_NOT_IMPLEMENTED);
    check(driver.ConnectionSetOptionInt(&connection, "x.y", 1, &failure), WEIR_NOT_IMPLEMENTED);
    check(driver.StatementSetOptionDouble(&statement, "x.y", 1, &failure), WEIR_NOT_IMPLEMENTED);
    assert_true(failure_says("x.y"));
    check(driver.DatabaseGetOption(&database, "x.y", value, &length, &failure), WEIR_NOT_FOUND);
    check(driver.ConnectionGetOptionInt(&connection, "x.y", &number, &failure), WEIR_NOT_FOUND);
    check(driver.StatementGetOption(&statement, "x.y", value, &length, &failure), WEIR_NOT_FOUND);
    check(driver.StatementSetOption(&statement, NULL, "", &failure), WEIR_INVALID_ARGUMENT);
    check(driver.ConnectionSetOption(&connection, "adbc.weir.setting.no.such", "1", &failure),
          WEIR_NOT_FOUND);
    release_statement(&statement);
}

static void options_of_statements_are_checked(void **state) {
    (void)state;
    struct AdbcStatement statement;
    int64_t number = 0;
    char value[64];
    size_t length = sizeof value;
    new_statement(&statement, NULL);
    OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TABLE, "t", &failure));
    OK(driver.StatementGetOption(&statement, WR_ADBC_INGEST_TABLE, value, &length, &failure));
    assert_string_equal(value, "t");
    check(driver.StatementSetOption(&statement, WR_ADBC_INGEST_MODE, "some", &failure),
          WEIR_INVALID_ARGUMENT);
    check(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TEMPORARY, "1", &failure),
          WEIR_INVALID_ARGUMENT);
    check(driver.StatementSetOption(&statement, WR_ADBC_INCREMENTAL, "true", &failure),
          WEIR_NOT_IMPLEMENTED);
    OK(driver.StatementSetOption(&statement, WR_ADBC_INCREMENTAL, "false", &failure));
    check(driver.StatementSetOption(&statement, "adbc.weir.max_partitions", "0", &failure),
          WEIR_INVALID_ARGUMENT);
    OK(driver.StatementSetOptionInt(&statement, "adbc.weir.max_partitions", 3, &failure));
    OK(driver.StatementGetOptionInt(&statement, "adbc.weir.max_partitions", &number, &failure));
    assert_int_equal(number, 3);
    check(driver.StatementGetOptionInt(&statement, WR_ADBC_PROGRESS, &number, &failure),
          WEIR_INVALID_STATE);
    release_statement(&statement);
}

static void an_execution_has_progress_and_an_id(void **state) {
    (void)state;
    struct AdbcStatement statement;
    double progress = -1;
    char id[64];
    size_t length = sizeof id;
    new_statement(&statement, "SELECT 1 AS a");
    OK(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure));
    OK(driver.StatementGetOptionDouble(&statement, WR_ADBC_PROGRESS, &progress, &failure));
    assert_true(progress >= 0);
    OK(driver.StatementGetOptionDouble(&statement, WR_ADBC_MAX_PROGRESS, &progress, &failure));
    OK(driver.StatementGetOption(&statement, "adbc.weir.query_id", id, &length, &failure));
    assert_int_equal(length, 33);
    release_statement(&statement);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_says_where_it_is),
        cmocka_unit_test(what_is_set_before_init_holds_after_it),
        cmocka_unit_test(there_is_autocommit_and_nothing_else),
        cmocka_unit_test(a_short_buffer_gets_the_length_alone),
        cmocka_unit_test(numbers_are_texts_too),
        cmocka_unit_test(secrets_are_not_read_back),
        cmocka_unit_test(unknown_options_are_refused),
        cmocka_unit_test(options_of_statements_are_checked),
        cmocka_unit_test(an_execution_has_progress_and_an_id),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
