/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of extensions: functions.c, which are right, and hostile_functions.c, which are not. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define FUNCTIONS EXTENSIONS "/functions.so"
#define HOSTILE EXTENSIONS "/hostile_functions.so"

static void *library;

static _Atomic int64_t *counter(const char *name) {
    _Atomic int64_t *value = dlsym(library, name);
    assert_non_null(value);
    return value;
}

static int open_all(void **state) {
    if (suite_open(state)) return -1;
    run("LOAD '%s'", FUNCTIONS);
    run("LOAD '%s'", HOSTILE);
    library = dlopen(FUNCTIONS, RTLD_NOW | RTLD_LOCAL);
    return library ? 0 : -1;
}

static int close_all(void **state) {
    int code = suite_close(state);
    /* Every accumulator was closed. */
    if (*counter("fun_n_open") != 0) code = -1;
    dlclose(library);
    return code;
}

/* ---- Scalar functions ---- */

static void a_function_computes_each_row_in_the_types_that_it_wants(void **state) {
    (void)state;
    expect_rows("11\nNULL\n33\n", "SELECT fun_add(a, b) FROM (VALUES (1, 1, 10), (2, NULL, 20), "
                                  "(3, 3, 30)) t(i, a, b) ORDER BY i");
    expect_rows("6|3\n", "SELECT fun_add(1::smallint, '2', 3.0), fun_add(3)");
    expect_rows("x-y\nnothing-z\n",
                "SELECT fun_join(a, b) FROM (VALUES (1, 'x', 'y'), (2, NULL, 'z')) t(i, a, b) "
                "ORDER BY i");
    expect_rows("7-true-1.5\n", "SELECT fun_join(7, true, 1.5)");
    expect_rows("nothing\n", "SELECT fun_join(NULL)");
    expect_rows("NULL\n", "SELECT fun_add(1, NULL)");
    /* Also where it is nested, filters, groups, joins and sorts. */
    expect_number(499, "SELECT count(*) FROM range(1000) WHERE fun_add(value, value) < 998");
    expect_rows("0|334\n1|333\n2|333\n", "SELECT fun_add(value %% 3) AS g, count(*) FROM "
                                         "range(1000) GROUP BY g ORDER BY fun_add(g, 1)");
    expect_number(10, "SELECT count(*) FROM range(10) a JOIN range(20) b ON fun_add(a.value, 5) = "
                      "b.value");
}

static void slices_and_constants_are_read_right(void **state) {
    (void)state;
    /* Slices: of a limit's rest, of sorted rows, of a list. */
    expect_rows("n7-7\nn8-8\n",
                "SELECT fun_join('n' || value, value) FROM (SELECT * FROM range(20) "
                "ORDER BY value LIMIT 2 OFFSET 7)");
    expect_rows("NULL\n12\n",
                "SELECT fun_add(v, 2) FROM (SELECT CASE WHEN value %% 2 = 0 THEN "
                "value END AS v, value FROM range(20)) ORDER BY value LIMIT 2 OFFSET 9");
    expect_number(49995000 + 10000 * 5, "SELECT sum(fun_add(value, 5)) FROM range(10000)");
    expect_rows("c-0\nc-1\n", "SELECT fun_join('c', value) FROM range(2) ORDER BY 1");
    expect_number(0, "SELECT count(fun_add(value)) FROM range(0)");
}

static void an_immutable_function_is_called_once_for_constants(void **state) {
    (void)state;
    _Atomic int64_t *n_calls = counter("fun_n_calls");
    int64_t before = *n_calls;
    expect_number(300000, "SELECT sum(fun_add(1, 2)) FROM range(100000)");
    assert_in_range(*n_calls - before, 1, 4);
    expect_rows("3\n", "SELECT fun_add(1, 2)");
    char *plan = ask("EXPLAIN SELECT fun_add(1, 2)");
    assert_non_null(strstr(plan, "Int64(3) AS"));
    free(plan);
}

static void a_volatile_function_is_called_for_each_row(void **state) {
    (void)state;
    expect_number(100000, "SELECT count(DISTINCT n) FROM (SELECT fun_number(1, 'x') AS n FROM "
                          "range(100000))");
    expect_number(100000,
                  "SELECT count(DISTINCT n) FROM (SELECT fun_number() AS n FROM range(100000))");
    expect_rows("false\n", "SELECT fun_number() = fun_number()");
    char *plan = ask("EXPLAIN SELECT fun_number()");
    assert_non_null(strstr(plan, "fun_number()"));
    free(plan);
}

static void a_function_refuses_what_it_does_not_take(void **state) {
    (void)state;
    struct weir_error error =
        expect_error("22023", "function fun_add: it adds one to eight numbers", "SELECT fun_add()");
    assert_int_equal(error.code, WEIR_INVALID_ARGUMENT);
    expect_error(NULL, "function fun_add: it adds",
                 "SELECT fun_add(1,2,3,4,5,6,7,8,9) FROM range(3)");
    expect_error("42883", "Invalid function 'fun_ad'", "SELECT fun_ad(1)");
    error = expect_error("22000", "function fun_add: the sum is -666",
                         "SELECT sum(fun_add(-value)) FROM range(1000)");
    assert_int_equal(error.code, WEIR_INVALID_DATA);
    expect_error(NULL, "the sum is -666", "SELECT fun_add(-600, -66)");
    expect_number(3, "SELECT fun_add(1, 2)");
}

/* ---- Aggregate functions ---- */

static void an_aggregate_sums_groups_of_many_parts(void **state) {
    (void)state;
    expect_number(4999950000, "SELECT fun_sum(value) FROM range(100000)");
    expect_rows("NULL|0\n", "SELECT fun_sum(value), fun_count(value) FROM range(0)");
    expect_rows("0\n", "SELECT count(*) FROM (SELECT value AS k, fun_sum(value) FROM range(0) "
                       "GROUP BY k)");
    /* As many groups as half of the rows, in batches of several parts, against the engine's own. */
    expect_rows("100000|0|200000\n",
                "SELECT count(*), count(*) FILTER (WHERE a <> b OR c <> 2), sum(c)::bigint FROM "
                "(SELECT value %% 100000 AS k, fun_sum(value) AS a, sum(value) AS b, "
                "fun_count(value) AS c FROM range(200000) GROUP BY k)");
    /* Groups without any value. */
    expect_rows("0|NULL|0\n1|4|2\n",
                "SELECT k, fun_sum(v), fun_count(v) FROM (VALUES (0, NULL), (1, 1), (1, 3), "
                "(0, NULL)) t(k, v) GROUP BY k ORDER BY k");
}

static void parts_that_do_not_get_smaller_are_passed_on_row_by_row(void **state) {
    (void)state;
    run("SET datafusion.execution.skip_partial_aggregation_probe_rows_threshold = 100");
    run("SET datafusion.execution.skip_partial_aggregation_probe_ratio_threshold = 0.1");
    expect_rows(
        "300000|0\n",
        "SELECT count(*), count(*) FILTER (WHERE a <> k OR c <> CASE WHEN k %% 2 = 0 THEN 1 "
        "ELSE 0 END) FROM (SELECT value AS k, fun_sum(value) AS a, fun_count(value) FILTER "
        "(WHERE value %% 2 = 0) AS c FROM range(300000) GROUP BY k)");
    run("SET datafusion.execution.skip_partial_aggregation_probe_rows_threshold = 100000");
    run("SET datafusion.execution.skip_partial_aggregation_probe_ratio_threshold = 0.8");
}

static void sorted_groups_are_given_as_they_end(void **state) {
    (void)state;
    expect_rows(
        "10000|149985000\n",
        "SELECT count(*), sum(a)::bigint FROM (SELECT k, fun_sum(k) AS a FROM (SELECT value "
        "/ 3 AS k FROM range(30000) ORDER BY k) GROUP BY k)");
}

static void filter_distinct_and_windows(void **state) {
    (void)state;
    expect_rows("20|5\n", "SELECT fun_sum(value) FILTER (WHERE value %% 2 = 0), fun_count(value) "
                          "FILTER (WHERE value %% 2 = 0) FROM range(10)");
    expect_rows("NULL|0\n", "SELECT fun_sum(value) FILTER (WHERE NULL), fun_count(value) FILTER "
                            "(WHERE value > 99) FROM range(10)");
    expect_rows("0|12\n1|9\n",
                "SELECT value %% 2 AS k, fun_sum(value) FILTER (WHERE value > 2 AND "
                "value < 9 AND value <> 6 AND value <> 7 OR value = 1) FROM range(10) "
                "GROUP BY k ORDER BY k");
    /* The engine groups by the value first; beside another one it cannot. */
    expect_rows("10\n", "SELECT fun_sum(DISTINCT value %% 5) FROM range(100)");
    expect_error("0A000", "function fun_sum: it comes from an extension and takes no DISTINCT",
                 "SELECT fun_sum(DISTINCT value %% 5), fun_sum(value) FROM range(100)");
    expect_error("0A000", "ORDER BY among its arguments",
                 "SELECT fun_sum(value ORDER BY value) FROM range(100)");
    expect_rows("0\n1\n3\n6\n",
                "SELECT fun_sum(value) OVER (ORDER BY value) FROM range(4) ORDER BY "
                "value");
    expect_rows("2\n4\n2\n4\n",
                "SELECT fun_sum(value) OVER (PARTITION BY value %% 2) FROM range(4) "
                "ORDER BY value");
    expect_error("0A000", "only frames that begin with the partition's first row",
                 "SELECT fun_sum(value) OVER (ORDER BY value ROWS BETWEEN 1 PRECEDING AND CURRENT "
                 "ROW) FROM range(4)");
    expect_error("42883", "function fun_sum: it takes one argument at least",
                 "SELECT fun_sum() FROM range(3)");
    expect_error(NULL, "function fun_sum: it takes one argument",
                 "SELECT fun_sum(1, 2) FROM range(3)");
    expect_error("22000", "function fun_sum: -666 is no number",
                 "SELECT value %% 3, fun_sum(-value) FROM range(1000) GROUP BY 1");
}

static void without_rows_a_sub_query_has_the_result_of_none(void **state) {
    (void)state;
    expect_rows("0|0|NULL\n1|1|5\n",
                "SELECT a.value, (SELECT fun_count(b.v) FROM (VALUES (1, 5)) b(k, v) WHERE b.k = "
                "a.value), (SELECT fun_sum(b.v) FROM (VALUES (1, 5)) b(k, v) WHERE b.k = a.value) "
                "FROM range(2) a ORDER BY a.value");
}

static void states_are_written_to_disk_and_merged(void **state) {
    (void)state;
    struct weir_workspace *suite_workspace = workspace;
    struct weir_session *suite_session = session;
    struct weir_workspace_options options = {
        .size = sizeof options, .memory_limit = 64 << 20, .threads = 2, .spill_path = directory};
    assert_int_equal(weir_workspace_open(&options, &workspace, NULL), WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &session, NULL), WEIR_OK);
    run("LOAD '%s'", FUNCTIONS);
    const char *query = "SELECT count(*), sum(a)::bigint, sum(c)::bigint FROM (SELECT value % "
                        "700000 AS k, fun_sum(value) AS a, fun_count(value) AS c FROM "
                        "range(1400000) GROUP BY k)";
    char *metrics = ask("EXPLAIN ANALYZE %s", query);
    const char *spilled = strstr(metrics, "spill_count=");
    bool any = false;
    for (; spilled; spilled = strstr(spilled + 1, "spill_count="))
        any |= spilled[strlen("spill_count=")] != '0';
    assert_true(any);
    free(metrics);
    expect_rows("700000|979999300000|1400000\n", "%s", query);
    weir_session_close(session);
    weir_workspace_close(workspace);
    workspace = suite_workspace;
    session = suite_session;
}

/* ---- Where they are known ---- */

static void functions_are_listed(void **state) {
    (void)state;
    expect_rows(
        "fun_add|scalar function|for tests|extension|functions\n"
        "fun_count|aggregate function|NULL|extension|functions\n",
        "SELECT name, type, summary, origin, extension FROM system.extensions WHERE name IN "
        "('fun_add', 'fun_count') ORDER BY name");
    expect_number(1, "SELECT count(DISTINCT routine_name) FROM information_schema.routines WHERE "
                     "routine_name = 'fun_add'");
}

static void a_session_that_was_there_knows_what_is_loaded_later(void **state) {
    (void)state;
    struct weir_workspace *own = NULL;
    struct weir_session *sessions[3] = {session};
    assert_int_equal(weir_workspace_open(NULL, &own, NULL), WEIR_OK);
    assert_int_equal(weir_session_open(own, NULL, &sessions[1], NULL), WEIR_OK);
    struct weir_session_options spark = {.size = sizeof spark, .functions = "spark"};
    assert_int_equal(weir_session_open(own, &spark, &sessions[2], NULL), WEIR_OK);
    session = sessions[1];
    expect_error("42883", NULL, "SELECT fun_add(1)");
    run("CREATE VIEW v AS SELECT 1 AS a");
    session = sessions[2];
    run("LOAD '%s'", FUNCTIONS);
    expect_number(1, "SELECT fun_add(1)");
    session = sessions[1];
    expect_number(1, "SELECT fun_add(1)");
    run("CREATE VIEW w AS SELECT fun_add(a, 1) AS b FROM v");
    expect_number(2, "SELECT b FROM w");
    session = sessions[0];
    weir_session_close(sessions[1]);
    weir_session_close(sessions[2]);
    weir_workspace_close(own);
}

static void what_a_function_gives_is_never_kept_under_a_version(void **state) {
    (void)state;
    run("CREATE OR REPLACE VIEW plain AS SELECT 1 AS a");
    run("CREATE OR REPLACE VIEW computed AS SELECT fun_add(1, a) AS a FROM plain");
    const struct {
        const char *path;
        bool has_version;
    } cases[] = {{"/weir/public/plain", true}, {"/weir/public/computed", false}};
    for (size_t i = 0; i < 2; i++) {
        struct weir_node *node = NULL;
        char *version = NULL;
        assert_int_equal(weir_node_open(session, cases[i].path, &node, NULL), WEIR_OK);
        assert_int_equal(weir_node_version(node, &version, NULL), WEIR_OK);
        assert_int_equal(version != NULL, cases[i].has_version);
        weir_free(version);
        weir_node_close(node);
    }
    run("DROP VIEW computed");
    run("DROP VIEW plain");
}

/* ---- Threads and ends ---- */

static void *use_all(void *given) {
    struct weir_session *own = NULL;
    intptr_t wrong = 0;
    assert_int_equal(weir_session_open(workspace, NULL, &own, NULL), WEIR_OK);
    for (int i = 0; i < 10; i++) {
        struct ArrowArrayStream rows = {0};
        int64_t n_rows = 0;
        int code = weir_query(own,
                              "SELECT k, fun_sum(fun_add(v, 1)) FROM (SELECT value % 5000 AS k, "
                              "value AS v FROM range(50000)) GROUP BY k",
                              &rows, NULL, NULL);
        if (code == WEIR_OK) code = drain(&rows, &n_rows, NULL);
        wrong += code != WEIR_OK || n_rows != 5000;
    }
    weir_session_close(own);
    (void)given;
    return (void *)wrong;
}

static void many_sessions_use_a_function_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_all, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

static void a_statement_ends_between_batches(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    assert_int_equal(weir_query(session,
                                "SELECT fun_add(a.value, b.value) FROM range(1000000) a, "
                                "range(1000000) b",
                                &rows, NULL, NULL),
                     WEIR_OK);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    assert_non_null(batch.release);
    batch.release(&batch);
    rows.release(&rows);
    /* Nobody calls it any more. */
    _Atomic int64_t *n_calls = counter("fun_n_calls");
    int64_t deadline = now_ms() + 10000, before;
    do {
        before = *n_calls;
        sleep_ms(50);
    } while (*n_calls != before && now_ms() < deadline);
    assert_int_equal(*n_calls, before);
}

/* ---- Wrong answers ---- */

static void wrong_types_are_told(void **state) {
    (void)state;
    static const char *const arguments[] = {"1",
                                            "1,2",
                                            "1,2,3",
                                            "1,2,3,4",
                                            "1,2,3,4,5",
                                            "1,2,3,4,5,6",
                                            "1,2,3,4,5,6,7",
                                            "1,2,3,4,5,6,7,8",
                                            "1,2,3,4,5,6,7,8,9",
                                            "1,2,3,4,5,6,7,8,9,0",
                                            "1,2,3,4,5,6,7,8,9,0,1"};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        struct weir_error error = expect_error(
            NULL, "function bad_type: ", "SELECT bad_type(%s) FROM range(3)", arguments[i]);
        assert_int_equal(error.code, WEIR_INVALID_DATA);
    }
    expect_error("22023", "function bad_type: it wants less",
                 "SELECT bad_type(1,2,3,4,5,6,7,8,9,0,1,2)");
    expect_error("22000", "function bad_total: its state has no columns",
                 "SELECT bad_total(value, 1) FROM range(3)");
}

static void wrong_answers_are_told(void **state) {
    (void)state;
    static const struct {
        const char *function, *how, *message;
    } cases[] = {
        {"number", "nothing", "released or never filled"},
        {"number", "released", "released or never filled"},
        {"number", "short", "rows in place of"},
        {"number", "long", "rows in place of"},
        {"number", "negative", "-1 rows in place of"},
        {"number", "type", "is not Int64: it has 3 buffers"},
        {"number", "offset", "its offset -1"},
        {"number", "far", "its offset 9223372036854775807"},
        {"number", "buffer", "its buffer 1 is NULL"},
        {"number", "buffers", "its buffers are NULL"},
        {"number", "nulls", "99 NULL"},
        {"number", "count", "null"},
        {"number", "bitmap", "no bitmap"},
        {"number", "children", "it has -7 children"},
        {"number", "dictionary", "it has a dictionary"},
        {"text", "descending", "is not Utf8"},
        {"text", "negative", "is not Utf8"},
        {"text", "least", "is not Utf8"},
        {"text", "no_offsets", "its buffer 1 is NULL"},
        {"text", "no_bytes", "is not Utf8"},
        {"text", "utf8", "is not Utf8"},
        {"list", "beyond", "is not List"},
        {"list", "child", "a child is NULL"},
        {"list", "many", "it has 2 children"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* With many rows, with one, and folded. */
        static const char *const froms[] = {"FROM range(10)", "FROM range(1)", ""};
        for (size_t j = 0; j < 3; j++) {
            struct weir_error error = expect_error(
                "22000", cases[i].message, "SELECT bad_%s(%s'%s') %s", cases[i].function,
                j < 2 ? "left(value::text, 0) || " : "", cases[i].how, froms[j]);
            assert_int_equal(error.code, WEIR_INVALID_DATA);
            assert_non_null(strstr(error.message, cases[i].function));
        }
    }
    expect_number(10, "SELECT count(bad_number('fine')) FROM range(10)");
}

static void errors_of_a_function_are_its_own(void **state) {
    (void)state;
    struct weir_error error = expect_error(NULL, "function bad_number: not today",
                                           "SELECT bad_number('refuse') FROM range(10)");
    assert_int_equal(error.code, WEIR_TIMEOUT);
    error = expect_error("39000", "function bad_number: it gave no reason",
                         "SELECT bad_number('silent') FROM range(10)");
    assert_int_equal(error.code, WEIR_IO);
    error = expect_error(NULL, "it gave no reason", "SELECT bad_number('code') FROM range(10)");
    assert_int_equal(error.code, WEIR_UNKNOWN);
    error = expect_error(NULL, "function bad_number: xxx",
                         "SELECT bad_number('unended') FROM range(10)");
    assert_int_equal(error.code, WEIR_INTERNAL);
}

/* A part without rows has the fault of the last one. Not of a constant, whose answer is kept. */
static void forget_the_last_fault(void) {
    run("SELECT bad_number(CASE WHEN value >= 0 THEN 'fine' END) FROM range(1)");
}

static void wrong_aggregates_are_told(void **state) {
    (void)state;
    static const struct {
        const char *how, *message;
    } cases[] = {
        {"update", "no update"},
        {"merge", "no merge"},
        {"take", "no take"},
        {"nothing", "released or never filled"},
        {"result", "rows in place of"},
        {"state", "rows in place of"},
        {"child", "is not Struct"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forget_the_last_fault();
        struct weir_error error = expect_error(
            "22000", cases[i].message, "SELECT bad_total('%s') FROM range(20000)", cases[i].how);
        assert_int_equal(error.code, WEIR_INVALID_DATA);
        assert_non_null(strstr(error.message, "function bad_total: "));
        forget_the_last_fault();
        expect_error("22000", cases[i].message,
                     "SELECT k, bad_total(how) FROM (SELECT '%s' AS how, value %% 100 AS k FROM "
                     "range(100000)) GROUP BY k",
                     cases[i].how);
    }
    forget_the_last_fault();
    expect_number(0, "SELECT bad_total('fine') FROM range(20000)");
}

/* ---- Registering ---- */

static void what_must_not_be_registered_leaves_nothing(void **state) {
    (void)state;
    static const struct {
        const char *how, *message;
    } cases[] = {
        {"taken", "there is a function \"abs\" already"},
        {"alias", "there is a function \"array_length\" already"},
        {"spark", "there is a function \"soundex\" already"},
        {"window", "there is a function \"row_number\" already"},
        {"twice", "scalar function \"bad_number\" is registered already"},
        {"both", "scalar function \"bad_more\" is registered already"},
        {"upper", "scalar function \"Bad\": a name is"},
        {"unnamed", "aggregate function \"\": a name is"},
        {"size", "set it to sizeof(struct weir_scalar_function)"},
        {"call", "the required slot `call` is NULL"},
        {"merge", "the required slot `merge` is NULL"},
        {"volatility", "its volatility is 3"},
        {"none", "a scalar function is required"},
    };
    struct weir_workspace *suite_workspace = workspace;
    struct weir_session *suite_session = session;
    assert_int_equal(weir_workspace_open(NULL, &workspace, NULL), WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &session, NULL), WEIR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_error(NULL, cases[i].message, "LOAD '%s' (how %s)", HOSTILE, cases[i].how);
        expect_error("42883", NULL, "SELECT bad_number('fine')");
        expect_number(0, "SELECT count(*) FROM system.extensions WHERE extension = 'hostile'");
    }
    run("LOAD '%s' (how fine)", HOSTILE);
    expect_number(0, "SELECT bad_more('fine')");
    weir_session_close(session);
    weir_workspace_close(workspace);
    workspace = suite_workspace;
    session = suite_session;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_computes_each_row_in_the_types_that_it_wants),
        cmocka_unit_test(slices_and_constants_are_read_right),
        cmocka_unit_test(an_immutable_function_is_called_once_for_constants),
        cmocka_unit_test(a_volatile_function_is_called_for_each_row),
        cmocka_unit_test(a_function_refuses_what_it_does_not_take),
        cmocka_unit_test(an_aggregate_sums_groups_of_many_parts),
        cmocka_unit_test(parts_that_do_not_get_smaller_are_passed_on_row_by_row),
        cmocka_unit_test(sorted_groups_are_given_as_they_end),
        cmocka_unit_test(filter_distinct_and_windows),
        cmocka_unit_test(without_rows_a_sub_query_has_the_result_of_none),
        cmocka_unit_test(states_are_written_to_disk_and_merged),
        cmocka_unit_test(functions_are_listed),
        cmocka_unit_test(a_session_that_was_there_knows_what_is_loaded_later),
        cmocka_unit_test(what_a_function_gives_is_never_kept_under_a_version),
        cmocka_unit_test(many_sessions_use_a_function_at_once),
        cmocka_unit_test(a_statement_ends_between_batches),
        cmocka_unit_test(wrong_types_are_told),
        cmocka_unit_test(wrong_answers_are_told),
        cmocka_unit_test(errors_of_a_function_are_its_own),
        cmocka_unit_test(wrong_aggregates_are_told),
        cmocka_unit_test(what_must_not_be_registered_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
