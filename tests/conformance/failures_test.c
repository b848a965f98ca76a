/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling, and errors from every place of a table kind. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nanoarrow/nanoarrow.h"

#include "conformance.h"

/* Long enough to be cancelled in, on any machine. */
#define SLOW "USING probe OPTIONS (rows 1000000, partitions 4, delay 50)"

static void error_of_each_slot_arrives_with_code_and_message(void **state) {
    (void)state;
    static const char *const slots[] = {"statistics", "classify", "scan", "partition"};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        char part[64];
        snprintf(part, sizeof part, "the probe refuses its %s", slots[i]);
        run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 10, filters exact, fail_in %s)",
            slots[i]);
        probe_reset();
        struct weir_error error = expect_error("28000", part, "SELECT id FROM t WHERE id > 3");
        assert_int_equal(error.code, WEIR_UNAUTHORIZED);
        assert_int_equal(error.vendor_code, 4711);
    }
    /* Of the refused partition, perhaps after the answer. */
    wait_for(&probe_log.scans_released, 1);
    run("DROP TABLE t");
    static const char *const early[] = {"open", "form"};
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        char part[64];
        snprintf(part, sizeof part, "the probe refuses its %s", early[i]);
        struct weir_error error = expect_error(
            "28000", part, "CREATE TABLE t USING probe OPTIONS (rows 10, fail_in %s)", early[i]);
        assert_int_equal(error.code, WEIR_UNAUTHORIZED);
        expect_error("42P01", "t", "SELECT * FROM t");
    }
}

static void error_in_the_middle_of_a_stream_ends_the_result(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    int64_t n = 0;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000, fail_after 300)");
    probe_reset();
    assert_int_equal(weir_query(session, "SELECT * FROM t", &rows, NULL, &error), 0);
    assert_int_not_equal(drain(&rows, &n, &error), 0);
    assert_true(n <= 300);
    assert_int_equal(error.code, WEIR_IO);
    assert_string_equal(error.sqlstate, "58030");
    assert_non_null(strstr(error.message, "the probe fails after 300 rows"));
    wait_for(&probe_log.scans_released, 1);
    assert_int_equal(probe_log.streams_released, probe_log.partitions_opened);
}

static void error_in_one_of_many_partitions_is_not_lost(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 10000, partitions 9, fail_after 700)");
    expect_error("58030", "the probe fails after 700 rows", "SELECT count(id) FROM t");
    expect_error("58030", "the probe fails after 700 rows", "SELECT id FROM t ORDER BY value");
    expect_error("58030", "the probe fails after 700 rows",
                 "SELECT count(*) FROM t a JOIN t b ON a.id = b.id");
    expect_error("58030", "the probe fails after 700 rows", "COPY t TO '%s/failed.parquet'",
                 directory);
    expect_error(NULL, "failed.parquet", "SELECT * FROM '%s/failed.parquet'", directory);
}

static void failed_stream_keeps_its_error(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    struct weir_error error = {0};
    int code;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000, fail_after 0)");
    assert_int_equal(weir_query(session, "SELECT id FROM t", &rows, NULL, &error), 0);
    while ((code = rows.get_next(&rows, &batch)) == 0) {
        assert_non_null(batch.release);
        batch.release(&batch);
    }
    assert_int_equal(code, EIO);
    assert_non_null(strstr(rows.get_last_error(&rows), "the probe fails after 0 rows"));
    assert_int_equal(weir_stream_error(&rows, &error), WEIR_OK);
    assert_int_equal(error.code, WEIR_IO);
    rows.release(&rows);
    expect_number(1, "SELECT 1");
}

static void error_while_running_sets_code_and_sqlstate(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000)");
    expect_error("22012", NULL, "SELECT 1 / (id - 500) FROM t");
    expect_error("22P02", NULL, "SELECT CAST(name AS INT) FROM t WHERE name IS NOT NULL");
    assert_int_equal(expect_error("42703", "nothing", "SELECT nothing FROM t").code,
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(expect_error("42P01", "nowhere", "SELECT * FROM nowhere").code,
                     WEIR_NOT_FOUND);
    assert_int_equal(expect_error("42601", NULL, "SELECT 1 FROM (").position > 0, 1);
}

struct cancel {
    struct weir_statement *statement;
    int64_t after;
};

static void *cancel_later(void *context) {
    struct cancel *cancel = context;
    sleep_ms(cancel->after);
    weir_statement_cancel(cancel->statement, NULL);
    return NULL;
}

/* What was cancelled must not go on behind the caller's back: the process comes to rest. */
static bool comes_to_rest(void) {
    int64_t end = now_ms() + 1000;
    while (now_ms() < end) {
        clock_t before = clock();
        sleep_ms(100);
        if (clock() - before < CLOCKS_PER_SEC / 20) return true;
    }
    return false;
}

/* Runs it, cancels it from another thread, and expects the end within a second of that. */
static void expect_cancelled(const char *sql) {
    struct weir_error error = {0};
    struct cancel cancel = {.after = 150};
    struct ArrowArrayStream rows;
    pthread_t thread;
    int64_t n = 0;
    assert_int_equal(weir_prepare(session, sql, &cancel.statement, &error), 0);
    int64_t start = now_ms();
    pthread_create(&thread, NULL, cancel_later, &cancel);
    int code = weir_statement_execute(cancel.statement, &rows, NULL, &error);
    if (code == 0) code = drain(&rows, &n, &error);
    int64_t took = now_ms() - start;
    pthread_join(thread, NULL);
    weir_statement_close(cancel.statement);
    if (code == 0) fail_msg("%s\nwas not cancelled, it gave %lld rows", sql, (long long)n);
    if (took > 1150) fail_msg("%s\ntook %lld ms to be cancelled", sql, (long long)(took - 150));
    assert_int_equal(error.code, WEIR_CANCELLED);
    assert_string_equal(error.sqlstate, "57014");
    if (!comes_to_rest()) fail_msg("%s\ngoes on after it was cancelled", sql);
}

static void cancel_ends_a_scan(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE slow " SLOW);
    expect_cancelled("SELECT id FROM slow");
}

static void cancel_ends_a_cross_join(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE many USING probe OPTIONS (rows 100000, partitions 4)");
    expect_cancelled("SELECT count(*) FROM many a, many b WHERE a.id + b.id = 1");
    expect_cancelled("SELECT sum(a.value) FROM range(100000) a, range(1000000) b");
}

static void cancel_ends_a_sort(void **state) {
    (void)state;
    expect_cancelled("SELECT a.value FROM range(50000000) a ORDER BY a.value * -1 % 1000007");
}

static void cancel_ends_an_aggregate(void **state) {
    (void)state;
    expect_cancelled(
        "SELECT count(*) FROM (SELECT DISTINCT value % 10000019 FROM range(500000000))");
}

static void cancel_ends_a_copy_and_leaves_nothing(void **state) {
    (void)state;
    char *copy = NULL;
    assert_true(asprintf(&copy, "COPY (SELECT * FROM range(500000000)) TO '%s/cancelled.parquet'",
                         directory) > 0);
    expect_cancelled(copy);
    free(copy);
    expect_error(NULL, "cancelled.parquet", "SELECT * FROM '%s/cancelled.parquet'", directory);
}

static void cancel_reaches_the_kind(void **state) {
    (void)state;
    /* Without the call of cancel, get_next would go on for a minute. */
    run("CREATE OR REPLACE TABLE slow USING probe OPTIONS (rows 1000000, partitions 4, delay "
        "60000)");
    probe_reset();
    expect_cancelled("SELECT id FROM slow");
    wait_for(&probe_log.scans_released, 1);
    assert_true(probe_log.cancels >= 1);
    assert_int_equal(probe_log.streams_released, probe_log.partitions_opened);
}

/* What a kind keeps between batches is nothing that others wait for while nobody reads. */
static void nothing_is_held_while_the_reader_waits(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    struct weir_error error = {0};
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 100000, partitions 3)");
    probe_reset();
    assert_int_equal(weir_query(session, "SELECT id FROM t", &rows, NULL, &error), 0);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    wait_for(&probe_log.holds, 3);
    int64_t n = 0, before, end = now_ms() + 10000;
    do {
        before = probe_log.rows;
        sleep_ms(50);
    } while ((probe_log.rows != before || probe_log.held != 0) && now_ms() < end);
    assert_int_equal(probe_log.held, 0);
    assert_true(probe_log.rows < 100000 && probe_log.streams_released == 0);
    assert_int_equal(drain(&rows, &n, &error), 0);
    wait_for(&probe_log.scans_released, 1);
    assert_true(probe_log.held == 0 && probe_log.holds > 3);
    /* An error ends it too. */
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000, fail_after 300)");
    probe_reset();
    assert_int_equal(weir_query(session, "SELECT id FROM t", &rows, NULL, &error), 0);
    assert_int_not_equal(drain(&rows, &n, &error), 0);
    wait_for(&probe_log.scans_released, 1);
    assert_true(probe_log.held == 0 && probe_log.holds > 0);
}

static void release_of_the_result_cancels_the_scan(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    struct weir_error error = {0};
    run("CREATE OR REPLACE TABLE slow " SLOW);
    probe_reset();
    assert_int_equal(weir_query(session, "SELECT id FROM slow", &rows, NULL, &error), 0);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    int64_t start = now_ms();
    rows.release(&rows);
    wait_for(&probe_log.scans_released, 1);
    assert_true(now_ms() - start < 1000);
    assert_true(probe_log.cancels >= 1);
    assert_true(probe_log.rows < 10000);
}

static void statement_runs_again_after_a_cancel(void **state) {
    (void)state;
    struct weir_statement *statement;
    struct weir_error error = {0};
    struct ArrowArrayStream rows;
    int64_t n = 0;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000)");
    assert_int_equal(weir_prepare(session, "SELECT id FROM t", &statement, &error), 0);
    assert_int_equal(weir_statement_cancel(statement, &error), 0);
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), 0);
    assert_int_equal(drain(&rows, &n, &error), 0);
    assert_int_equal(n, 1000);
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), 0);
    weir_statement_cancel(statement, &error);
    drain(&rows, &n, &error);
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), 0);
    assert_int_equal(drain(&rows, &n, &error), 0);
    assert_int_equal(n, 1000);
    weir_statement_close(statement);
}

/* ---- Registered streams ---- */

static void stream_is_read_once_or_kept(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    rows_stream(0, 250, &rows);
    assert_int_equal(weir_register_stream(session, "kept", &rows, WEIR_REGISTER_ROWS, &error), 0);
    assert_null(rows.release);
    expect_number(250, "SELECT count(id) FROM kept");
    expect_number(250, "SELECT count(id) FROM kept");
    rows_stream(0, 250, &rows);
    assert_int_equal(weir_register_stream(session, "once", &rows, WEIR_REGISTER_ONCE, &error), 0);
    expect_number(250, "SELECT count(id) FROM once");
    expect_error(NULL, "once", "SELECT count(id) FROM once");
    rows_stream(0, 10, &rows);
    assert_int_equal(weir_register_stream(session, "kept", &rows, WEIR_REGISTER_ROWS, &error), 0);
    expect_number(10, "SELECT count(id) FROM kept");
}

static void stream_that_fails_is_not_registered(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 1000, fail_after 500)");
    assert_int_equal(weir_query(session, "SELECT * FROM t", &rows, NULL, &error), 0);
    assert_int_equal(weir_register_stream(session, "broken", &rows, WEIR_REGISTER_ROWS, &error),
                     WEIR_IO);
    assert_non_null(strstr(error.message, "the probe fails after 500 rows"));
    assert_non_null(rows.release);
    rows.release(&rows);
    expect_error("42P01", "broken", "SELECT * FROM broken");
}

static void name_of_a_table_is_not_registered_over(void **state) {
    (void)state;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 3)");
    rows_stream(0, 10, &rows);
    assert_int_equal(weir_register_stream(session, "t", &rows, WEIR_REGISTER_ROWS, &error),
                     WEIR_ALREADY_EXISTS);
    assert_non_null(rows.release);
    rows.release(&rows);
    expect_number(3, "SELECT count(*) FROM t");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_of_each_slot_arrives_with_code_and_message),
        cmocka_unit_test(error_in_the_middle_of_a_stream_ends_the_result),
        cmocka_unit_test(error_in_one_of_many_partitions_is_not_lost),
        cmocka_unit_test(failed_stream_keeps_its_error),
        cmocka_unit_test(error_while_running_sets_code_and_sqlstate),
        cmocka_unit_test(cancel_ends_a_scan),
        cmocka_unit_test(cancel_ends_a_sort),
        cmocka_unit_test(cancel_ends_an_aggregate),
        cmocka_unit_test(cancel_ends_a_copy_and_leaves_nothing),
        cmocka_unit_test(cancel_reaches_the_kind),
        cmocka_unit_test(nothing_is_held_while_the_reader_waits),
        cmocka_unit_test(release_of_the_result_cancels_the_scan),
        cmocka_unit_test(statement_runs_again_after_a_cancel),
        cmocka_unit_test(stream_is_read_once_or_kept),
        cmocka_unit_test(stream_that_fails_is_not_registered),
        cmocka_unit_test(name_of_a_table_is_not_registered_over),
        /* Last, because joins that go on would slow down what follows. */
        cmocka_unit_test(cancel_ends_a_cross_join),
    };
    return cmocka_run_group_tests_name("failures", tests, suite_open, suite_close);
}
