/* SPDX-License-Identifier: Apache-2.0 */
/* What every kind of table must do, asked of each. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define N_ROWS 1000
#define PARTS 7

static const char table[] = "t";

/* cmocka gives each test the kind as its state; each makes and drops the table anew. */
static const struct kind *begin(void **state, int64_t n, int parts) {
    const struct kind *kind = *state;
    kind->make(kind, table, n, kind->has_parts ? parts : 1);
    return kind;
}

static void drop(const struct kind *kind) {
    run("DROP %s %s", kind->is_view ? "VIEW" : "TABLE", table);
}

static void schema_is_known_without_running(void **state) {
    const struct kind *kind = begin(state, N_ROWS, 1);
    static const char *const names[N_COLUMNS] = {"id", "grp", "name", "value", "flag"};
    struct weir_statement *statement;
    struct weir_error error = {0};
    struct ArrowSchema schema;
    probe_reset();
    assert_int_equal(
        weir_prepare(session, "SELECT id, grp, name, value, flag FROM t", &statement, &error), 0);
    assert_int_equal(weir_statement_is_query(statement), 1);
    assert_int_equal(weir_statement_schema(statement, &schema, &error), 0);
    assert_int_equal(schema.n_children, N_COLUMNS);
    char formats[64] = "";
    for (int i = 0; i < N_COLUMNS; i++) {
        assert_string_equal(schema.children[i]->name, names[i]);
        snprintf(formats + strlen(formats), sizeof formats - strlen(formats), "%s%s",
                 i > 0 ? " " : "", schema.children[i]->format);
    }
    assert_string_equal(formats, kind->formats);
    assert_int_equal(probe_log.rows, 0);
    schema.release(&schema);
    weir_statement_close(statement);
    drop(kind);
}

static void all_rows_come_as_they_were_given(void **state) {
    const struct kind *kind = begin(state, N_ROWS, 1);
    char *expected = rows_text(0, N_ROWS);
    expect_rows(expected, "SELECT id, grp, name, value, flag FROM t ORDER BY id");
    free(expected);
    drop(kind);
}

static void columns_come_in_the_order_of_the_query(void **state) {
    const struct kind *kind = begin(state, N_ROWS, 1);
    expect_rows("true|NULL|4\n", "SELECT flag, name, id FROM t WHERE id = 4");
    expect_rows("8|8|4.0\n", "SELECT id, id AS again, value FROM t WHERE id = 8");
    expect_rows("n6\n", "SELECT name FROM t WHERE id = 6");
    expect_number(N_ROWS, "SELECT count(*) FROM t");
    expect_number(N_ROWS, "SELECT count(*) FROM (SELECT 1 FROM t)");
    drop(kind);
}

static void filters_keep_exactly_the_rows_that_hold(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    for (const struct expectation *e = predicates; e->predicate != NULL; e++) {
        int64_t n = 0, sum = 0;
        for (int64_t i = 0; i < N_ROWS; i++) {
            if (e->holds(i)) n++, sum += i;
        }
        char expected[64];
        snprintf(expected, sizeof expected, "%lld|%lld\n", (long long)n, (long long)sum);
        expect_rows(expected, "SELECT count(*), coalesce(sum(id), 0) FROM t WHERE %s",
                    e->predicate);
    }
    drop(kind);
}

static void two_filters_hold_together(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    for (size_t a = 0; predicates[a].predicate != NULL; a++) {
        for (size_t b = a % 5; b < a; b += 5) {
            int64_t n = 0;
            for (int64_t i = 0; i < N_ROWS; i++)
                n += predicates[a].holds(i) && predicates[b].holds(i);
            expect_number(n, "SELECT count(*) FROM t WHERE (%s) AND (%s)", predicates[a].predicate,
                          predicates[b].predicate);
        }
    }
    drop(kind);
}

static void limit_zero_gives_the_schema_and_no_rows(void **state) {
    const struct kind *kind = begin(state, N_ROWS, 1);
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    struct weir_error error = {0};
    int64_t n;
    assert_int_equal(weir_query(session, "SELECT * FROM t LIMIT 0", &rows, NULL, &error), 0);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_int_equal(schema.n_children, N_COLUMNS);
    schema.release(&schema);
    assert_int_equal(drain(&rows, &n, &error), 0);
    assert_int_equal(n, 0);
    drop(kind);
}

static void limit_and_offset_count_rows(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    expect_number(1, "SELECT count(*) FROM (SELECT * FROM t LIMIT 1)");
    expect_number(123, "SELECT count(*) FROM (SELECT id FROM t LIMIT 123)");
    expect_number(N_ROWS, "SELECT count(*) FROM (SELECT id FROM t LIMIT 100000)");
    expect_number(N_ROWS - 990, "SELECT count(*) FROM (SELECT id FROM t OFFSET 990)");
    expect_rows("990\n991\n", "SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 990");
    expect_number(5, "SELECT count(*) FROM (SELECT id FROM t WHERE id >= 100 LIMIT 5)");
    expect_number(3, "SELECT count(*) FROM (SELECT id FROM t WHERE id < 3 LIMIT 5)");
    expect_number(
        5, "SELECT count(*) FROM (SELECT id FROM t WHERE name IS NULL AND value > 10 LIMIT 5)");
    drop(kind);
}

static void many_parts_are_one_table(void **state) {
    const struct kind *kind = *state;
    if (!kind->has_parts) skip();
    begin(state, N_ROWS, 40);
    char expected[64];
    snprintf(expected, sizeof expected, "%d|%d|0|%d|%d\n", N_ROWS, N_ROWS, N_ROWS - 1, N_ROWS / 5);
    expect_rows(
        expected,
        "SELECT count(*), count(DISTINCT id), min(id), max(id), count(*) - count(name) FROM t");
    drop(kind);
}

static void empty_table_has_columns_and_no_rows(void **state) {
    const struct kind *kind = *state;
    if (kind->no_empty) skip();
    begin(state, 0, 1);
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    struct weir_error error = {0};
    int64_t n;
    expect_number(0, "SELECT count(*) FROM t");
    expect_rows("NULL\n", "SELECT max(id) FROM t");
    expect_rows("", "SELECT id, name FROM t WHERE name IS NULL");
    assert_int_equal(weir_query(session, "SELECT * FROM t", &rows, NULL, &error), 0);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_int_equal(schema.n_children, N_COLUMNS);
    assert_string_equal(schema.children[NAME]->name, "name");
    schema.release(&schema);
    assert_int_equal(drain(&rows, &n, &error), 0);
    assert_int_equal(n, 0);
    drop(kind);
}

static void exact_row_counts_need_no_scan(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    char *plan = ask("EXPLAIN SELECT count(*) FROM t");
    bool answered = strstr(plan, "PlaceholderRowExec") != NULL;
    if (kind->exact_count && !answered) fail_msg("%s", plan);
    free(plan);
    expect_number(N_ROWS, "SELECT count(*) FROM t");
    expect_number(N_ROWS - N_ROWS / 5, "SELECT count(name) FROM t");
    /* Parquet's statistics write a least value of zero as -0.0. */
    expect_rows("0|999|true|499.5\n",
                "SELECT min(id), max(id), min(value) = 0.0, max(value) FROM t");
    drop(kind);
}

static void joins_groups_and_orders_work_on_it(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    expect_rows("0|143|0\n1|143|1\n",
                "SELECT grp, count(*), min(id) FROM t GROUP BY grp ORDER BY grp LIMIT 2");
    expect_number(N_ROWS - N_ROWS / 5, "SELECT count(*) FROM t a JOIN t b ON a.name = b.name");
    expect_rows("999\n998\n", "SELECT id FROM t ORDER BY value DESC LIMIT 2");
    expect_rows("n0\nn1\nn10\n",
                "SELECT name FROM t WHERE id <= 10 ORDER BY name NULLS LAST LIMIT 3");
    expect_number(143, "SELECT count(*) FROM t WHERE grp = (SELECT min(grp) FROM t)");
    drop(kind);
}

static void rows_are_inserted_or_refused_whole(void **state) {
    const struct kind *kind = begin(state, 10, 1);
    if (kind->can_insert) {
        run("INSERT INTO t (id, grp, name, value, flag) VALUES (10, 3, 'n10', 5.0, true)");
        expect_number(11, "SELECT count(*) FROM t");
        expect_error(NULL, NULL,
                     "INSERT INTO t SELECT id, CAST(name AS INT), name, value, flag FROM t");
        expect_number(11, "SELECT count(*) FROM t");
        expect_rows("n10\n", "SELECT name FROM t WHERE id = 10");
    } else if (strcmp(kind->name, "external") != 0 && kind->make != kinds[0].make) {
        expect_error(NULL, NULL, "INSERT INTO t VALUES (10, 3, 'n10', 5.0, true)");
        expect_number(10, "SELECT count(*) FROM t");
    }
    drop(kind);
}

static void its_name_is_taken_until_it_is_dropped(void **state) {
    const struct kind *kind = begin(state, 10, 1);
    expect_error("42P07", "t", "CREATE TABLE t USING values OPTIONS (rows '(1)')");
    expect_number(10, "SELECT count(*) FROM t");
    char *listed = ask("SELECT table_name FROM information_schema.tables WHERE table_name = 't'");
    assert_string_equal(listed, "t\n");
    free(listed);
    drop(kind);
    expect_error("42P01", "t", "SELECT * FROM t");
}

static void unknown_option_is_named(void **state) {
    const struct kind *kind = *state;
    if (kind->bad_using == NULL) skip();
    expect_error(NULL, "colour", "CREATE TABLE wrong %s", kind->bad_using);
    expect_error("42P01", "wrong", "SELECT * FROM wrong");
}

struct reader {
    pthread_t thread;
    int64_t n;
    int code;
};

static void *read_all(void *context) {
    struct reader *reader = context;
    struct weir_session *own = NULL;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    reader->code = weir_session_open(workspace, NULL, &own, &error);
    for (int i = 0; i < 5 && reader->code == 0; i++) {
        int64_t n = 0;
        reader->code = weir_query(own, "SELECT * FROM t WHERE id >= 10", &rows, NULL, &error);
        if (reader->code == 0) reader->code = drain(&rows, &n, &error);
        reader->n += n;
    }
    weir_session_close(own);
    return NULL;
}

static void two_sessions_read_at_the_same_time(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    struct reader readers[3] = {0};
    for (int i = 0; i < 3; i++)
        pthread_create(&readers[i].thread, NULL, read_all, &readers[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(readers[i].thread, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(readers[i].code, 0);
        assert_int_equal(readers[i].n, 5 * (N_ROWS - 10));
    }
    drop(kind);
}

static void result_can_be_dropped_before_its_end(void **state) {
    const struct kind *kind = begin(state, N_ROWS, PARTS);
    for (int i = 0; i < 10; i++) {
        struct ArrowArrayStream rows;
        struct weir_error error = {0};
        assert_int_equal(weir_query(session, "SELECT * FROM t", &rows, NULL, &error), 0);
        if (i % 2 == 0) {
            struct ArrowArray batch = {0};
            assert_int_equal(rows.get_next(&rows, &batch), 0);
            batch.release(&batch);
        }
        rows.release(&rows);
    }
    expect_number(N_ROWS, "SELECT count(*) FROM t");
    drop(kind);
}

/* Removes what the test, and also a failed one, left. */
static int clean(void **state) {
    static const char *const drops[] = {"DROP VIEW IF EXISTS t", "DROP TABLE IF EXISTS t",
                                        "DROP TABLE IF EXISTS base_of_t",
                                        "DROP TABLE IF EXISTS to_compress"};
    (void)state;
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        struct ArrowArrayStream rows;
        if (weir_query(session, drops[i], &rows, NULL, NULL) == 0) rows.release(&rows);
    }
    empty_directory();
    return 0;
}

int main(void) {
    static const struct {
        const char *name;
        CMUnitTestFunction function;
    } cases[] = {
#define CASE(function) {#function, function}
        CASE(schema_is_known_without_running),
        CASE(all_rows_come_as_they_were_given),
        CASE(columns_come_in_the_order_of_the_query),
        CASE(filters_keep_exactly_the_rows_that_hold),
        CASE(two_filters_hold_together),
        CASE(limit_zero_gives_the_schema_and_no_rows),
        CASE(limit_and_offset_count_rows),
        CASE(many_parts_are_one_table),
        CASE(empty_table_has_columns_and_no_rows),
        CASE(exact_row_counts_need_no_scan),
        CASE(joins_groups_and_orders_work_on_it),
        CASE(rows_are_inserted_or_refused_whole),
        CASE(its_name_is_taken_until_it_is_dropped),
        CASE(unknown_option_is_named),
        CASE(two_sessions_read_at_the_same_time),
        CASE(result_can_be_dropped_before_its_end),
    };
    const size_t n_cases = sizeof cases / sizeof *cases;
    struct CMUnitTest *tests = calloc(n_kinds * n_cases, sizeof *tests);
    for (size_t k = 0; k < n_kinds; k++) {
        for (size_t c = 0; c < n_cases; c++) {
            char *name = NULL;
            if (asprintf(&name, "%s: %s", kinds[k].name, cases[c].name) < 0) return 1;
            tests[k * n_cases + c] = (struct CMUnitTest){.name = name,
                                                         .test_func = cases[c].function,
                                                         .teardown_func = clean,
                                                         .initial_state = (void *)&kinds[k]};
        }
    }
    int failed =
        _cmocka_run_group_tests("kinds", tests, n_kinds * n_cases, suite_open, suite_close);
    for (size_t i = 0; i < n_kinds * n_cases; i++)
        free((char *)tests[i].name);
    free(tests);
    return failed;
}
