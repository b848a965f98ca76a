/* SPDX-License-Identifier: Apache-2.0 */
/* The list of queries when other threads look at one while it begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/queries.h"
#include "session/queries_internal.h"

/* The engine's, which nothing here comes to. */
void wr_run_cancel(struct wr_run *run) {
    (void)run;
}
const char *wr_engine_version(void) {
    return "";
}
void wr_run_free(struct wr_run *run) {
    (void)run;
}
void wr_run_progress(const struct wr_run *run, struct weir_progress *ret_progress) {
    (void)run;
    (void)ret_progress;
}

static struct wr_queries *open_queries(int32_t history) {
    const struct wr_queries_limits limits = {.max_waiting = 8, .wait_ms = 100, .history = history};
    struct wr_queries *queries = NULL;
    assert_int_equal(wr_queries_new(&limits, NULL, NULL, &queries, NULL), WEIR_OK);
    return queries;
}

static struct wr_query *plan(struct wr_queries *queries, const char *sql) {
    static const char session[WEIR_ID_SIZE] = ""; /* none that is listed */
    struct wr_query *query = NULL;
    assert_int_equal(wr_query_new(queries, session, sql, &query, NULL), WEIR_OK);
    wr_query_planned(query);
    return query;
}

static int n_listed(const struct wr_queries *queries) {
    int n = 0, back = 0;
    for (const struct wr_query *one = queries->newest; one; one = one->older)
        n++;
    for (const struct wr_query *one = queries->oldest; one; one = one->newer)
        back++;
    assert_int_equal(n, back);
    return n;
}

/* A door that finds its client gone cancels, again and again, from the moment on when the
 * statement is told to run. */
static void cancels_before_a_query_runs_leave_it_to_its_statement(void **state) {
    (void)state;
    struct wr_queries *queries = open_queries(8);
    struct wr_query *other = plan(queries, "SELECT 1");
    struct wr_query *query = plan(queries, "SELECT 2");
    for (int i = 0; i < 3; i++) {
        wr_query_retain(query);
        wr_query_cancel(query);
        wr_query_release(query);
    }
    assert_int_equal(n_listed(queries), 2);
    assert_int_equal(wr_query_begin(query, NULL), WEIR_CANCELLED);
    assert_int_equal(wr_query_begin(other, NULL), WEIR_OK);
    wr_query_end(other, WEIR_OK, NULL);
    wr_query_release(query);
    wr_query_release(other);
    assert_int_equal(n_listed(queries), 2);
    assert_int_equal(queries->n_over, 2);
    wr_queries_free(queries);
}

static void a_query_that_was_planned_only_leaves_with_its_statement(void **state) {
    (void)state;
    struct wr_queries *queries = open_queries(8);
    struct wr_query *query = plan(queries, "SELECT 1");
    assert_int_equal(n_listed(queries), 1);
    wr_query_release(query);
    assert_int_equal(n_listed(queries), 0);
    assert_int_equal(queries->n_over, 0);
    wr_queries_free(queries);
}

static void of_those_that_are_over_the_last_are_kept(void **state) {
    (void)state;
    struct wr_queries *queries = open_queries(2);
    for (int i = 0; i < 5; i++) {
        struct wr_query *query = plan(queries, "SELECT 1");
        assert_int_equal(wr_query_begin(query, NULL), WEIR_OK);
        wr_query_end(query, WEIR_OK, NULL);
        wr_query_release(query);
    }
    assert_int_equal(n_listed(queries), 2);
    wr_queries_free(queries);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancels_before_a_query_runs_leave_it_to_its_statement),
        cmocka_unit_test(a_query_that_was_planned_only_leaves_with_its_statement),
        cmocka_unit_test(of_those_that_are_over_the_last_are_kept),
    };
    return cmocka_run_group_tests_name("session_queries", tests, NULL, NULL);
}
