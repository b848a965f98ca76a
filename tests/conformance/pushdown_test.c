/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind is asked, and that the answer is the same whatever it takes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define N_ROWS 1000

static const char *const supports[] = {"none", "inexact", "exact"};

static void make(const char *name, const char *options) {
    run("CREATE OR REPLACE TABLE %s USING probe OPTIONS (rows %d, %s)", name, N_ROWS, options);
    probe_reset();
}

static void scan_is_asked_only_for_the_columns_of_the_query(void **state) {
    (void)state;
    make("t", "partitions 2");
    run("SELECT name FROM t");
    assert_int_equal(probe_log.columns, 1);
    run("SELECT count(*) FROM t");
    assert_int_equal(probe_log.columns, 0);
    run("SELECT * FROM t");
    assert_int_equal(probe_log.columns, N_COLUMNS);
    run("SELECT flag, id FROM t WHERE grp = 1");
    assert_int_equal(probe_log.columns, 3);
}

static void exact_filter_is_applied_by_the_kind_alone(void **state) {
    (void)state;
    make("t", "filters exact");
    expect_rows("17\n", "SELECT id FROM t WHERE id = 17");
    assert_int_equal(probe_log.filters, 1);
    assert_int_equal(probe_log.rows, 1);
    char *plan = ask("EXPLAIN SELECT id FROM t WHERE id = 17");
    assert_null(strstr(plan, "FilterExec"));
    free(plan);
}

static void inexact_filter_is_applied_again(void **state) {
    (void)state;
    make("t", "filters inexact");
    expect_rows("17\n", "SELECT id FROM t WHERE id = 17");
    assert_int_equal(probe_log.filters, 1);
    assert_true(probe_log.rows > 1 && probe_log.rows < N_ROWS);
}

static void refused_filter_does_not_reach_the_scan(void **state) {
    (void)state;
    make("t", "filters none");
    expect_rows("17\n", "SELECT id FROM t WHERE id = 17");
    assert_int_equal(probe_log.filters, 0);
    assert_int_equal(probe_log.rows, N_ROWS);
}

static void part_of_a_conjunction_is_taken(void **state) {
    (void)state;
    make("t", "filters exact");
    expect_number(
        2, "SELECT count(*) FROM t WHERE id >= 10 AND id < 20 AND grp = 3 AND name LIKE 'n%%'");
    assert_int_equal(probe_log.filters, 2);
    assert_int_equal(probe_log.rows, 10);
    probe_reset();
    /* A disjunction and a function are not comparisons with one column. */
    expect_number(2, "SELECT count(*) FROM t WHERE id = 1 OR id = 2");
    expect_number(1, "SELECT count(*) FROM t WHERE abs(id) = 2");
    assert_int_equal(probe_log.filters, 0);
}

static void limit_reaches_the_scan_only_when_nothing_else_filters(void **state) {
    (void)state;
    make("t", "partitions 1, filters exact");
    expect_number(3, "SELECT count(*) FROM (SELECT id FROM t LIMIT 3)");
    assert_int_equal(probe_log.limit, 3);
    run("SELECT id FROM t");
    assert_int_equal(probe_log.limit, -1);
    expect_number(3, "SELECT count(*) FROM (SELECT id FROM t WHERE id > 5 LIMIT 3)");
    assert_int_equal(probe_log.limit, 3);
    /* Rows that only the engine drops must not be counted by the kind. */
    expect_number(3, "SELECT count(*) FROM (SELECT id FROM t WHERE grp = 6 LIMIT 3)");
    assert_true(probe_log.limit == -1);
    make("t", "filters inexact");
    expect_number(3, "SELECT count(*) FROM (SELECT id FROM t WHERE id > 500 LIMIT 3)");
    assert_true(probe_log.limit == -1);
}

static void every_partition_is_opened_once(void **state) {
    (void)state;
    make("t", "partitions 23");
    expect_number(N_ROWS, "SELECT count(id) FROM t");
    assert_int_equal(probe_log.partitions_opened, 23);
    assert_int_equal(probe_log.scans, 1);
    wait_for(&probe_log.scans_released, 1);
    assert_int_equal(probe_log.streams_released, 23);
    make("none", "partitions 0");
    expect_number(0, "SELECT count(id) FROM none");
    expect_rows("", "SELECT * FROM none WHERE id > 1");
    make("t", "partitions 1500");
    expect_number(N_ROWS, "SELECT count(DISTINCT id) FROM t");
}

static void form_is_asked_once_per_query_that_names_the_table(void **state) {
    (void)state;
    make("t", "partitions 2");
    run("SELECT a.id FROM t a JOIN t b ON a.id = b.id WHERE a.id < 3");
    assert_true(probe_log.forms >= 1 && probe_log.forms <= 2);
    assert_int_equal(probe_log.scans, 2);
    probe_reset();
    run("SELECT 1");
    assert_int_equal(probe_log.forms, 0);
}

/* A random predicate over the columns, its terms joined by AND, OR and NOT. */
static void random_predicate(unsigned *seed, int depth, char *text, size_t size) {
    static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">="};
    size_t used = 0;
    if (depth > 0 && rand_r(seed) % 3 != 0) {
        char left[1024], right[1024];
        random_predicate(seed, depth - 1, left, sizeof left);
        random_predicate(seed, depth - 1, right, sizeof right);
        snprintf(text, size, "%s(%s %s %s)", rand_r(seed) % 4 == 0 ? "NOT " : "", left,
                 rand_r(seed) % 2 == 0 ? "AND" : "OR", right);
        return;
    }
    const char *op = operators[rand_r(seed) % 6];
    int number = rand_r(seed) % (N_ROWS + 100) - 50;
    switch (rand_r(seed) % 8) {
    case 0:
        snprintf(text + used, size - used, "name IS %sNULL", number % 2 == 0 ? "NOT " : "");
        break;
    case 1:
        snprintf(text, size, "grp %s %d", op, number % 8);
        break;
    case 2:
        snprintf(text, size, "name %s 'n%d'", op, number);
        break;
    case 3:
        snprintf(text, size, "%d %s id", number, op);
        break;
    case 4:
        snprintf(text, size, "value %s %d.5", op, number);
        break;
    case 5:
        snprintf(text, size, "id %s CAST('%d' AS BIGINT)", op, number);
        break;
    default:
        snprintf(text, size, "id %s %d", op, number);
    }
}

static void random_predicates_give_the_same_rows_however_they_are_pushed(void **state) {
    (void)state;
    unsigned seed = 20260101;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    rows_stream(0, N_ROWS, &rows);
    assert_int_equal(weir_register_stream(session, "reference", &rows, WEIR_REGISTER_ROWS, &error),
                     0);
    for (int s = 0; s < 3; s++) {
        char name[32], options[64];
        snprintf(name, sizeof name, "pushed_%s", supports[s]);
        snprintf(options, sizeof options, "filters %s, partitions 3", supports[s]);
        make(name, options);
    }
    for (int i = 0; i < 200; i++) {
        char predicate[4096];
        random_predicate(&seed, 3, predicate, sizeof predicate);
        char *expected =
            ask("SELECT count(*), sum(id), count(name) FROM reference WHERE %s", predicate);
        char *limited =
            ask("SELECT count(*) FROM (SELECT id FROM reference WHERE %s LIMIT 7)", predicate);
        for (int s = 0; s < 3; s++) {
            expect_rows(expected, "SELECT count(*), sum(id), count(name) FROM pushed_%s WHERE %s",
                        supports[s], predicate);
            expect_rows(limited, "SELECT count(*) FROM (SELECT id FROM pushed_%s WHERE %s LIMIT 7)",
                        supports[s], predicate);
        }
        free(expected);
        free(limited);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_is_asked_only_for_the_columns_of_the_query),
        cmocka_unit_test(exact_filter_is_applied_by_the_kind_alone),
        cmocka_unit_test(inexact_filter_is_applied_again),
        cmocka_unit_test(refused_filter_does_not_reach_the_scan),
        cmocka_unit_test(part_of_a_conjunction_is_taken),
        cmocka_unit_test(limit_reaches_the_scan_only_when_nothing_else_filters),
        cmocka_unit_test(every_partition_is_opened_once),
        cmocka_unit_test(form_is_asked_once_per_query_that_names_the_table),
        cmocka_unit_test(random_predicates_give_the_same_rows_however_they_are_pushed),
    };
    return cmocka_run_group_tests_name("pushdown", tests, suite_open, suite_close);
}
