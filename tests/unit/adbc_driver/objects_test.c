/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's table, the life of its objects, and errors. */
#include "support.h"

#include "weir.h"

static void both_entry_points_fill_the_table_of_the_version(void **state) {
    (void)state;
    struct {
        struct AdbcDriver driver;
        char after[16];
    } table;
    memset(&table, 0x5a, sizeof table);
    assert_int_equal(AdbcWeirInit(WR_ADBC_VERSION_1_0_0, &table.driver, NULL), WEIR_OK);
    assert_non_null(table.driver.StatementSetSubstraitPlan);
    /* What a caller of revision 1.0 has no room for is left alone. */
    const unsigned char *rest = (const unsigned char *)&table.driver.ErrorGetDetailCount;
    while (rest < (const unsigned char *)(&table + 1))
        assert_int_equal(*rest++, 0x5a);
    assert_int_equal(AdbcDriverInit(WR_ADBC_VERSION_1_1_0, &table.driver, NULL), WEIR_OK);
    void *const *function = (void *const *)&table.driver.release;
    for (; function < (void *const *)(&table.driver + 1); function++)
        assert_non_null(*function);
    assert_int_equal(table.driver.release(&table.driver, NULL), WEIR_OK);
}

static void another_version_is_refused(void **state) {
    (void)state;
    struct AdbcDriver table;
    struct AdbcError error = {0};
    assert_int_equal(AdbcDriverInit(2000000, &table, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "2000000"));
    error.release(&error);
    assert_int_equal(AdbcDriverInit(WR_ADBC_VERSION_1_1_0, NULL, NULL), WEIR_INVALID_ARGUMENT);
}

static void what_was_not_made_or_is_gone_is_an_error(void **state) {
    (void)state;
    struct AdbcDatabase none = {0};
    struct AdbcConnection no_connection = {0};
    struct AdbcStatement no_statement = {0};
    struct ArrowArrayStream rows = {0};
    check(driver.DatabaseInit(&none, &failure), WEIR_INVALID_STATE);
    check(driver.DatabaseRelease(&none, &failure), WEIR_INVALID_STATE);
    check(driver.DatabaseSetOption(&none, "uri", "", &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionRelease(&no_connection, &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionInit(&no_connection, &database, &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionCommit(&no_connection, &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionGetTableTypes(&no_connection, &rows, &failure), WEIR_INVALID_STATE);
    check(driver.StatementNew(&no_connection, &no_statement, &failure), WEIR_INVALID_STATE);
    check(driver.StatementExecuteQuery(&no_statement, &rows, NULL, &failure), WEIR_INVALID_STATE);
    check(driver.StatementRelease(&no_statement, &failure), WEIR_INVALID_STATE);
    check(driver.StatementCancel(&no_statement, &failure), WEIR_INVALID_STATE);
    assert_true(failure_says("statement"));
    assert_int_equal(driver.StatementRelease(NULL, NULL), WEIR_INVALID_STATE);
}

static void what_is_not_initialised_is_an_error(void **state) {
    (void)state;
    struct AdbcDatabase new_database = {0};
    struct AdbcConnection new_connection = {0};
    struct AdbcStatement statement = {0};
    OK(driver.DatabaseNew(&new_database, &failure));
    OK(driver.ConnectionNew(&new_connection, &failure));
    check(driver.ConnectionInit(&new_connection, &new_database, &failure), WEIR_INVALID_STATE);
    check(driver.StatementNew(&new_connection, &statement, &failure), WEIR_INVALID_STATE);
    check(driver.ConnectionCancel(&new_connection, &failure), WEIR_INVALID_STATE);
    OK(driver.DatabaseInit(&new_database, &failure));
    check(driver.DatabaseInit(&new_database, &failure), WEIR_INVALID_STATE);
    OK(driver.ConnectionInit(&new_connection, &new_database, &failure));
    check(driver.ConnectionInit(&new_connection, &new_database, &failure), WEIR_INVALID_STATE);
    OK(driver.ConnectionRelease(&new_connection, &failure));
    check(driver.ConnectionRelease(&new_connection, &failure), WEIR_INVALID_STATE);
    OK(driver.DatabaseRelease(&new_database, &failure));
    check(driver.DatabaseRelease(&new_database, &failure), WEIR_INVALID_STATE);
}

/* A collector of garbage releases in any order. */
static void objects_may_be_released_from_the_outside_in(void **state) {
    (void)state;
    struct AdbcDatabase own = {0};
    struct AdbcConnection of = {0};
    struct AdbcStatement statement = {0};
    struct ArrowArrayStream rows = {0};
    OK(driver.DatabaseNew(&own, &failure));
    OK(driver.DatabaseInit(&own, &failure));
    OK(driver.ConnectionNew(&of, &failure));
    OK(driver.ConnectionInit(&of, &own, &failure));
    OK(driver.DatabaseRelease(&own, &failure));
    OK(driver.StatementNew(&of, &statement, &failure));
    OK(driver.ConnectionRelease(&of, &failure));
    OK(driver.StatementSetSqlQuery(&statement, "SELECT 1 AS a", &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    OK(driver.StatementRelease(&statement, &failure));
    assert_string_equal(text_of(&rows), "1\n");
}

static void a_workspace_that_cannot_be_opened_is_an_error_of_init(void **state) {
    (void)state;
    static const struct {
        const char *key;
        const char *value;
        AdbcStatusCode code;
    } cases[] = {
        {"uri", "/nowhere/at/all", WEIR_NOT_FOUND},
        {"uri", "grpc://localhost:31337", WEIR_NOT_IMPLEMENTED},
        {"uri", "file://elsewhere/x", WEIR_INVALID_ARGUMENT},
        {"adbc.weir.config.memory_limit", "much", WEIR_INVALID_ARGUMENT},
        {"adbc.weir.config.no_such_key", "1", WEIR_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct AdbcDatabase own = {0};
        OK(driver.DatabaseNew(&own, &failure));
        OK(driver.DatabaseSetOption(&own, cases[i].key, cases[i].value, &failure));
        AdbcStatusCode code = driver.DatabaseInit(&own, &failure);
        if (code != cases[i].code)
            fail_msg("%s=%s: %d %s", cases[i].key, cases[i].value, code, failure.message);
        OK(driver.DatabaseRelease(&own, &failure));
    }
}

static void an_error_has_its_sqlstate_and_details(void **state) {
    (void)state;
    struct AdbcStatement statement;
    new_statement(&statement, "SELECT nothing");
    check(driver.StatementPrepare(&statement, &failure), WEIR_INVALID_ARGUMENT);
    assert_memory_equal(failure.sqlstate, "42703", 5);
    assert_int_equal(failure.vendor_code, WR_ADBC_ERROR_IS_1_1);
    assert_int_equal(driver.ErrorGetDetailCount(&failure), 2);
    struct AdbcErrorDetail detail = driver.ErrorGetDetail(&failure, 0);
    assert_string_equal(detail.key, "sqlstate");
    assert_int_equal(detail.value_length, 5);
    assert_memory_equal(detail.value, "42703", 5);
    detail = driver.ErrorGetDetail(&failure, 1);
    assert_string_equal(detail.key, "position");
    assert_memory_equal(detail.value, "8", 1);
    assert_null(driver.ErrorGetDetail(&failure, 2).key);
    assert_null(driver.ErrorGetDetail(&failure, -1).key);
    forget_failure();
    assert_int_equal(driver.ErrorGetDetailCount(&failure), 0);
    release_statement(&statement);
}

static void an_error_of_revision_1_0_is_not_written_beyond_its_end(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct AdbcError error;
    memset(&error, 0, sizeof error);
    error.private_data = &statement;
    error.private_driver = &driver;
    new_statement(&statement, "SELECT nothing");
    assert_int_equal(driver.StatementPrepare(&statement, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(error.vendor_code, 0);
    assert_ptr_equal(error.private_data, &statement);
    assert_int_equal(driver.ErrorGetDetailCount(&error), 0);
    /* The next one takes its place. */
    assert_int_equal(driver.StatementExecuteQuery(&statement, NULL, NULL, &error),
                     WEIR_INVALID_ARGUMENT);
    error.release(&error);
    assert_null(error.message);
    assert_ptr_equal(error.private_data, &statement);
    release_statement(&statement);
}

static void a_stream_that_fails_tells_why(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    AdbcStatusCode code = 0;
    run("CREATE TABLE divisors AS SELECT column1 AS d FROM (VALUES (1), (0))");
    new_statement(&statement, "SELECT 1 / d AS q FROM divisors");
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_null(driver.ErrorFromArrayStream(&rows, &code));
    int errnum = 0;
    while ((errnum = rows.get_next(&rows, &batch)) == 0 && batch.release)
        batch.release(&batch);
    assert_int_not_equal(errnum, 0);
    assert_int_equal(rows.get_next(&rows, &batch), errnum);
    const struct AdbcError *error = driver.ErrorFromArrayStream(&rows, &code);
    assert_non_null(error);
    assert_int_equal(code, WEIR_INVALID_DATA);
    assert_memory_equal(error->sqlstate, "22012", 5);
    assert_string_equal(rows.get_last_error(&rows), error->message);
    assert_true(driver.ErrorGetDetailCount(error) > 0);
    rows.release(&rows);
    struct ArrowArrayStream other = {0};
    assert_null(driver.ErrorFromArrayStream(&other, &code));
    release_statement(&statement);
}

static void two_databases_know_nothing_of_each_other(void **state) {
    (void)state;
    struct AdbcDatabase other = {0};
    struct AdbcConnection of = {0};
    struct ArrowSchema schema = {0};
    run("CREATE TABLE here (a BIGINT)");
    OK(driver.DatabaseNew(&other, &failure));
    OK(driver.DatabaseInit(&other, &failure));
    OK(driver.ConnectionNew(&of, &failure));
    OK(driver.ConnectionInit(&of, &other, &failure));
    OK(driver.ConnectionGetTableSchema(&connection, NULL, NULL, "here", &schema, &failure));
    schema.release(&schema);
    check(driver.ConnectionGetTableSchema(&of, NULL, NULL, "here", &schema, &failure),
          WEIR_NOT_FOUND);
    OK(driver.ConnectionRelease(&of, &failure));
    OK(driver.DatabaseRelease(&other, &failure));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_entry_points_fill_the_table_of_the_version),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(what_was_not_made_or_is_gone_is_an_error),
        cmocka_unit_test(what_is_not_initialised_is_an_error),
        cmocka_unit_test(objects_may_be_released_from_the_outside_in),
        cmocka_unit_test(a_workspace_that_cannot_be_opened_is_an_error_of_init),
        cmocka_unit_test(an_error_has_its_sqlstate_and_details),
        cmocka_unit_test(an_error_of_revision_1_0_is_not_written_beyond_its_end),
        cmocka_unit_test(a_stream_that_fails_tells_why),
        cmocka_unit_test(two_databases_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
