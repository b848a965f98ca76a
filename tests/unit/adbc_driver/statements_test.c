/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: prepared, bound, executed, in partitions, cancelled; ingest. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static const int64_t three[] = {1, 2, 3};

static void bind_rows(struct AdbcStatement *statement, const char *name, const int64_t *values,
                      int64_t n) {
    struct ArrowArray array;
    struct ArrowSchema schema;
    make_rows(name, values, n, &array, &schema);
    OK(driver.StatementBind(statement, &array, &schema, &failure));
    assert_null(array.release);
    assert_null(schema.release);
}

static void a_query_is_planned_executed_and_executed_again(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowSchema schema = {0};
    int64_t affected = 0;
    new_statement(&statement, "SELECT 7 AS a");
    OK(driver.StatementExecuteSchema(&statement, &schema, &failure));
    assert_string_equal(schema.children[0]->name, "a");
    schema.release(&schema);
    OK(driver.StatementPrepare(&statement, &failure));
    for (int i = 0; i < 3; i++) {
        struct ArrowArrayStream rows = {0};
        OK(driver.StatementExecuteQuery(&statement, &rows, &affected, &failure));
        assert_int_equal(affected, -1);
        assert_string_equal(text_of(&rows), "7\n");
    }
    OK(driver.StatementSetSqlQuery(&statement, "SELECT 8 AS a", &failure));
    struct ArrowArrayStream rows = {0};
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "8\n");
    release_statement(&statement);
}

static void a_statement_without_a_query_is_refused(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowSchema schema = {0};
    new_statement(&statement, NULL);
    check(driver.StatementPrepare(&statement, &failure), WEIR_INVALID_STATE);
    check(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure), WEIR_INVALID_STATE);
    check(driver.StatementGetParameterSchema(&statement, &schema, &failure), WEIR_INVALID_STATE);
    check(driver.StatementSetSubstraitPlan(&statement, NULL, 0, &failure), WEIR_NOT_IMPLEMENTED);
    check(driver.StatementSetSqlQuery(&statement, NULL, &failure), WEIR_INVALID_ARGUMENT);
    check(driver.StatementCancel(&statement, &failure), WEIR_INVALID_STATE);
    check(driver.StatementBindStream(&statement, NULL, &failure), WEIR_INVALID_ARGUMENT);
    check(driver.StatementBind(&statement, NULL, NULL, &failure), WEIR_INVALID_ARGUMENT);
    release_statement(&statement);
}

static void a_query_runs_for_each_row_of_parameters(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    struct ArrowArrayStream values = {0};
    new_statement(&statement, "SELECT CAST($1 AS BIGINT) * 10 AS a");
    /* Whatever the column is called. */
    bind_rows(&statement, "0", three, 3);
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "10\n20\n30\n");
    check(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure), WEIR_INVALID_STATE);
    assert_true(failure_says("bind"));
    make_stream("x", three, 2, 3, &values);
    OK(driver.StatementBindStream(&statement, &values, &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "10\n20\n10\n20\n10\n20\n");
    make_stream("x", three, 0, 1, &values);
    OK(driver.StatementBindStream(&statement, &values, &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "");
    release_statement(&statement);
}

/* The rows are still being made while the statement goes on to something else. */
static void a_result_of_many_rows_of_parameters_outlives_its_statement(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowArrayStream first = {0};
    struct ArrowArrayStream second = {0};
    new_statement(&statement, "SELECT CAST($1 AS BIGINT) AS a");
    bind_rows(&statement, "a", three, 3);
    OK(driver.StatementExecuteQuery(&statement, &first, NULL, &failure));
    bind_rows(&statement, "a", three, 2);
    OK(driver.StatementExecuteQuery(&statement, &second, NULL, &failure));
    release_statement(&statement);
    assert_string_equal(text_of(&second), "1\n2\n");
    assert_string_equal(text_of(&first), "1\n2\n3\n");
}

static void changes_add_up(void **state) {
    (void)state;
    struct AdbcStatement statement;
    int64_t affected = 0;
    run("CREATE TABLE sums (a BIGINT, b BIGINT)");
    new_statement(&statement, "INSERT INTO sums VALUES ($1, $1 + 1), ($1, 0)");
    bind_rows(&statement, "x", three, 3);
    OK(driver.StatementExecuteQuery(&statement, NULL, &affected, &failure));
    assert_int_equal(affected, 6);
    assert_string_equal(answer_to("SELECT sum(a) AS a, sum(b) AS b FROM sums"), "12|9\n");
    release_statement(&statement);
}

static void parameters_are_described_and_their_number_is_checked(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowSchema schema = {0};
    run("CREATE TABLE typed (a BIGINT, b VARCHAR)");
    new_statement(&statement, "SELECT * FROM typed WHERE a = $1 AND b = $2");
    OK(driver.StatementPrepare(&statement, &failure));
    OK(driver.StatementGetParameterSchema(&statement, &schema, &failure));
    assert_int_equal(schema.n_children, 2);
    assert_string_equal(schema.children[0]->format, "l");
    schema.release(&schema);
    bind_rows(&statement, "x", three, 1);
    check(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure), WEIR_INVALID_ARGUMENT);
    assert_memory_equal(failure.sqlstate, "07001", 5);
    release_statement(&statement);
}

static void parameters_are_bound_by_name_when_asked(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    new_statement(&statement, "SELECT CAST($low AS BIGINT) AS a");
    OK(driver.StatementSetOption(&statement, WR_ADBC_BIND_BY_NAME, "true", &failure));
    bind_rows(&statement, "low", three, 1);
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "1\n");
    bind_rows(&statement, "high", three, 1);
    check(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure), WEIR_INVALID_ARGUMENT);
    assert_true(failure_says("high"));
    release_statement(&statement);
}

/* ---- Ingest ---- */

static AdbcStatusCode ingest(const char *table, const char *mode, const char *schema, int64_t n,
                             int64_t *ret_affected) {
    struct AdbcStatement statement;
    struct ArrowArrayStream values = {0};
    new_statement(&statement, NULL);
    OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TABLE, table, &failure));
    if (mode) OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_MODE, mode, &failure));
    if (schema) OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_SCHEMA, schema, &failure));
    make_stream("a", three, n, 2, &values);
    OK(driver.StatementBindStream(&statement, &values, &failure));
    AdbcStatusCode code = driver.StatementExecuteQuery(&statement, NULL, ret_affected, &failure);
    release_statement(&statement);
    return code;
}

static void rows_are_ingested_in_every_mode(void **state) {
    (void)state;
    int64_t affected = 0;
    check(ingest("in", WR_ADBC_INGEST_MODE_APPEND, NULL, 3, NULL), WEIR_NOT_FOUND);
    OK(ingest("in", NULL, NULL, 3, &affected));
    assert_int_equal(affected, 6);
    check(ingest("in", WR_ADBC_INGEST_MODE_CREATE, NULL, 3, NULL), WEIR_ALREADY_EXISTS);
    OK(ingest("in", WR_ADBC_INGEST_MODE_APPEND, NULL, 1, &affected));
    assert_int_equal(affected, 2);
    OK(ingest("in", WR_ADBC_INGEST_MODE_CREATE_APPEND, NULL, 1, &affected));
    assert_string_equal(answer_to("SELECT count(*) AS n FROM \"in\""), "10\n");
    OK(ingest("in", WR_ADBC_INGEST_MODE_REPLACE, NULL, 2, &affected));
    assert_string_equal(answer_to("SELECT count(*) AS n FROM \"in\""), "4\n");
    run("CREATE SCHEMA \"In Here\"");
    OK(ingest("in", NULL, "In Here", 1, NULL));
    assert_string_equal(answer_to("SELECT count(*) AS n FROM \"In Here\".\"in\""), "2\n");
    check(ingest("in", NULL, "nowhere", 1, NULL), WEIR_NOT_FOUND);
}

static void an_ingest_needs_rows_and_is_no_query(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowSchema schema = {0};
    struct AdbcPartitions partitions = {0};
    struct ArrowArrayStream rows = {0};
    new_statement(&statement, "SELECT 1 AS a");
    OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TABLE, "none", &failure));
    check(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure), WEIR_INVALID_STATE);
    check(driver.StatementExecuteSchema(&statement, &schema, &failure), WEIR_INVALID_STATE);
    check(driver.StatementPrepare(&statement, &failure), WEIR_INVALID_STATE);
    check(driver.StatementExecutePartitions(&statement, &schema, &partitions, NULL, &failure),
          WEIR_INVALID_STATE);
    /* A query takes the ingest's place. */
    OK(driver.StatementSetSqlQuery(&statement, "SELECT 2 AS a", &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "2\n");
    release_statement(&statement);
}

static void the_result_of_a_query_is_ingested(void **state) {
    (void)state;
    struct AdbcStatement query;
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    int64_t affected = 0;
    new_statement(&query, "SELECT value AS n FROM generate_series(1, 50000)");
    OK(driver.StatementExecuteQuery(&query, &rows, NULL, &failure));
    new_statement(&statement, NULL);
    OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TABLE, "series", &failure));
    OK(driver.StatementBindStream(&statement, &rows, &failure));
    OK(driver.StatementExecuteQuery(&statement, NULL, &affected, &failure));
    assert_int_equal(affected, 50000);
    release_statement(&statement);
    release_statement(&query);
}

/* ---- Partitions ---- */

static void partitions_are_read_once_by_their_own_database(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct AdbcPartitions partitions = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows = {0};
    struct AdbcDatabase other = {0};
    struct AdbcConnection of = {0};
    int64_t affected = 0;
    new_statement(&statement, "SELECT 5 AS a");
    OK(driver.StatementExecutePartitions(&statement, &schema, &partitions, &affected, &failure));
    release_statement(&statement);
    assert_int_equal(affected, -1);
    assert_string_equal(schema.children[0]->name, "a");
    schema.release(&schema);
    assert_int_equal(partitions.num_partitions, 1);
    const uint8_t *id = partitions.partitions[0];
    size_t length = partitions.partition_lengths[0];
    OK(driver.DatabaseNew(&other, &failure));
    OK(driver.DatabaseInit(&other, &failure));
    OK(driver.ConnectionNew(&of, &failure));
    OK(driver.ConnectionInit(&of, &other, &failure));
    check(driver.ConnectionReadPartition(&of, id, length, &rows, &failure), WEIR_NOT_FOUND);
    OK(driver.ConnectionRelease(&of, &failure));
    OK(driver.DatabaseRelease(&other, &failure));
    check(driver.ConnectionReadPartition(&connection, id, length - 1, &rows, &failure),
          WEIR_NOT_FOUND);
    check(driver.ConnectionReadPartition(&connection, NULL, 0, &rows, &failure), WEIR_NOT_FOUND);
    OK(driver.ConnectionReadPartition(&connection, id, length, &rows, &failure));
    assert_string_equal(text_of(&rows), "5\n");
    check(driver.ConnectionReadPartition(&connection, id, length, &rows, &failure), WEIR_NOT_FOUND);
    partitions.release(&partitions);
    assert_null(partitions.release);
}

static void a_change_has_no_partitions(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct AdbcPartitions partitions = {0};
    new_statement(&statement, "CREATE TABLE parts (a BIGINT)");
    check(driver.StatementExecutePartitions(&statement, NULL, &partitions, NULL, &failure),
          WEIR_INVALID_ARGUMENT);
    assert_null(partitions.release);
    release_statement(&statement);
    /* Nobody comes for these; they go with the database. */
    new_statement(&statement, "SELECT value FROM generate_series(1, 1000000)");
    OK(driver.StatementExecutePartitions(&statement, NULL, &partitions, NULL, &failure));
    partitions.release(&partitions);
    release_statement(&statement);
}

/* ---- Cancel ---- */

#define ENDLESS                                                                                    \
    "SELECT count(*) AS n FROM generate_series(1, 10000000) a(x), "                                \
    "generate_series(1, 10000000) b(y) WHERE (x * y) % 7 = 3"

static void *cancel_soon(void *statement) {
    usleep(200 * 1000);
    driver.StatementCancel(statement, NULL);
    return NULL;
}

static void *cancel_connection_soon(void *unused) {
    (void)unused;
    usleep(200 * 1000);
    driver.ConnectionCancel(&connection, NULL);
    return NULL;
}

static void end_by(void *(*canceller)(void *), bool with_rows) {
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    pthread_t thread;
    new_statement(&statement, ENDLESS);
    assert_int_equal(pthread_create(&thread, NULL, canceller, &statement), 0);
    AdbcStatusCode code =
        driver.StatementExecuteQuery(&statement, with_rows ? &rows : NULL, NULL, &failure);
    if (code == WEIR_OK && with_rows) {
        struct ArrowArray batch = {0};
        assert_int_equal(rows.get_next(&rows, &batch), ECANCELED);
        const struct AdbcError *error = driver.ErrorFromArrayStream(&rows, &code);
        assert_non_null(error);
        rows.release(&rows);
    }
    assert_int_equal(code, WEIR_CANCELLED);
    pthread_join(thread, NULL);
    /* The next execution is not affected. */
    OK(driver.StatementSetSqlQuery(&statement, "SELECT 1 AS a", &failure));
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    assert_string_equal(text_of(&rows), "1\n");
    release_statement(&statement);
}

static void a_running_query_is_cancelled(void **state) {
    (void)state;
    end_by(cancel_soon, true);
    end_by(cancel_soon, false);
    end_by(cancel_connection_soon, true);
}

/* Rows that never end, until nobody asks any more. */
static atomic_int n_asked;

static int endless_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    (void)stream;
    struct ArrowArray array;
    make_rows("a", three, 3, &array, ret_schema);
    array.release(&array);
    return 0;
}

static int endless_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    (void)stream;
    struct ArrowSchema schema;
    make_rows("a", three, 3, ret_array, &schema);
    schema.release(&schema);
    atomic_fetch_add(&n_asked, 1);
    usleep(1000);
    return 0;
}

static const char *endless_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void endless_release(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

static void an_ingest_is_cancelled_and_leaves_nothing(void **state) {
    (void)state;
    struct AdbcStatement statement;
    struct ArrowArrayStream values = {endless_schema, endless_next, endless_error, endless_release,
                                      NULL};
    pthread_t thread;
    new_statement(&statement, NULL);
    OK(driver.StatementSetOption(&statement, WR_ADBC_INGEST_TABLE, "endless", &failure));
    OK(driver.StatementBindStream(&statement, &values, &failure));
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &statement), 0);
    check(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure), WEIR_CANCELLED);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&n_asked) > 1);
    release_statement(&statement);
    assert_string_equal(answer_to("SELECT name FROM system.tables WHERE name = 'endless'"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_planned_executed_and_executed_again),
        cmocka_unit_test(a_statement_without_a_query_is_refused),
        cmocka_unit_test(a_query_runs_for_each_row_of_parameters),
        cmocka_unit_test(a_result_of_many_rows_of_parameters_outlives_its_statement),
        cmocka_unit_test(changes_add_up),
        cmocka_unit_test(parameters_are_described_and_their_number_is_checked),
        cmocka_unit_test(parameters_are_bound_by_name_when_asked),
        cmocka_unit_test(rows_are_ingested_in_every_mode),
        cmocka_unit_test(an_ingest_needs_rows_and_is_no_query),
        cmocka_unit_test(the_result_of_a_query_is_ingested),
        cmocka_unit_test(partitions_are_read_once_by_their_own_database),
        cmocka_unit_test(a_change_has_no_partitions),
        cmocka_unit_test(a_running_query_is_cancelled),
        cmocka_unit_test(an_ingest_is_cancelled_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_database, close_database);
}
