/* SPDX-License-Identifier: Apache-2.0 */
/* The life of statements: places, history, KILL, timeouts, shares of memory, results in parts. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define ENDLESS                                                                                    \
    "SELECT count(*) FROM generate_series(1, 1000000) AS a(x) CROSS JOIN generate_series(1, "      \
    "1000000) AS b(y) WHERE x + y < 0"

static struct weir_workspace *limited;

static struct weir_workspace *open_limited(const char *statements, const char *wait) {
    const struct weir_option settings[] = {
        {"limits.statements", statements}, {"limits.wait", wait}, {"limits.waiting", "2"}};
    const struct weir_workspace_options options = {
        .size = sizeof options, .config = "", .settings = settings, .n_settings = 3};
    struct weir_error error = {0};
    assert_int_equal(weir_workspace_open(&options, &limited, &error), 0);
    return limited;
}

static struct weir_session *open_session(struct weir_workspace *in) {
    struct weir_session *opened = NULL;
    struct weir_error error = {0};
    assert_int_equal(weir_session_open(in, NULL, &opened, &error), 0);
    return opened;
}

static struct ArrowArrayStream start(struct weir_session *in, const char *sql) {
    struct ArrowArrayStream rows = {0};
    struct weir_error error = {0};
    if (weir_query(in, sql, &rows, NULL, &error)) fail_msg("%s: %s", sql, error.message);
    return rows;
}

/* The first cell of the only row as text. Free it. */
static char *value_of(struct weir_session *in, const char *sql) {
    struct ArrowArrayStream rows = start(in, sql), text;
    struct ArrowArray batch = {0};
    struct weir_error error = {0};
    assert_int_equal(weir_text(&rows, &text, &error), 0);
    assert_int_equal(text.get_next(&text, &batch), 0);
    assert_non_null(batch.release);
    const struct ArrowArray *column = batch.children[0];
    const int32_t *offsets = column->buffers[1];
    const char *data = column->buffers[2];
    char *copy = strndup(data + offsets[column->offset],
                         (size_t)(offsets[column->offset + 1] - offsets[column->offset]));
    batch.release(&batch);
    /* To the end: who stops before it has cancelled the statement. */
    while (text.get_next(&text, &batch) == 0 && batch.release)
        batch.release(&batch);
    text.release(&text);
    return copy;
}

static void check_value(struct weir_session *in, const char *expected, const char *sql) {
    char *value = value_of(in, sql);
    assert_string_equal(value, expected);
    free(value);
}

/* ---- Places ---- */

static void one_statement_too_many_waits_and_is_refused(void **state) {
    (void)state;
    struct weir_workspace *own = open_limited("1", "300ms");
    struct weir_session *one = open_session(own), *other = open_session(own);
    struct ArrowArrayStream rows = start(one, "SELECT 1"), none;
    struct weir_error error = {0};
    int64_t before = now_ms();
    assert_int_equal(weir_query(other, "SELECT 2", &none, NULL, &error), WEIR_TIMEOUT);
    assert_string_equal(error.sqlstate, "53400");
    assert_true(now_ms() - before >= 250);
    rows.release(&rows);
    check_value(other, "2", "SELECT 2");
    weir_session_close(other);
    weir_session_close(one);
    weir_workspace_close(own);
}

struct waiter {
    pthread_t thread;
    struct weir_session *session;
    int code;
    struct weir_error error;
};

static void *query_in_thread(void *context) {
    struct waiter *waiter = context;
    struct ArrowArrayStream rows = {0};
    int64_t n_rows = 0;
    waiter->code = weir_query(waiter->session, "SELECT 3", &rows, NULL, &waiter->error);
    if (waiter->code == WEIR_OK) waiter->code = drain(&rows, &n_rows, &waiter->error);
    return NULL;
}

static void a_place_that_becomes_free_is_the_first_waiters(void **state) {
    (void)state;
    struct weir_workspace *own = open_limited("1", "20s");
    struct weir_session *one = open_session(own);
    struct ArrowArrayStream rows = start(one, "SELECT 1"), none;
    struct waiter waiters[2];
    for (int i = 0; i < 2; i++) {
        waiters[i] = (struct waiter){.session = open_session(own)};
        pthread_create(&waiters[i].thread, NULL, query_in_thread, &waiters[i]);
    }
    sleep_ms(300);
    struct weir_error error = {0};
    struct weir_session *third = open_session(own);
    assert_int_equal(weir_query(third, "SELECT 4", &none, NULL, &error), WEIR_TIMEOUT);
    assert_non_null(strstr(error.message, "too many statements wait already: 2"));
    rows.release(&rows);
    for (int i = 0; i < 2; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].code, WEIR_OK);
        weir_session_close(waiters[i].session);
    }
    weir_session_close(third);
    weir_session_close(one);
    weir_workspace_close(own);
}

/* ---- History ---- */

static void what_ran_is_remembered_with_its_end(void **state) {
    (void)state;
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    char sql[256], id[WEIR_ID_SIZE];
    weir_session_id(own, id);
    free(value_of(own, "SELECT 41 + 1"));
    assert_int_not_equal(weir_query(own, "SELECT * FROM nowhere", &rows, NULL, &error), 0);
    rows = start(own, "SELECT * FROM generate_series(1, 100000)");
    rows.release(&rows);
    snprintf(sql, sizeof sql,
             "SELECT string_agg(state || coalesce(error_sqlstate, ''), ',' ORDER BY started_at) "
             "FROM system.queries WHERE session_id = '%s'",
             id);
    check_value(own, "done,failed42P01,cancelled,running", sql);
    snprintf(
        sql, sizeof sql,
        "SELECT rows_returned FROM system.queries WHERE session_id = '%s' AND sql = 'SELECT 41 "
        "+ 1'",
        id);
    check_value(own, "1", sql);
    weir_session_close(own);
}

static void secrets_in_a_statement_are_not_remembered(void **state) {
    (void)state;
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    assert_int_not_equal(weir_query(own,
                                    "ATTACH 'nowhere://u:hunter2@h/' AS x (TYPE nothing, PASSWORD "
                                    "'hunter3')",
                                    &rows, NULL, &error),
                         0);
    check_value(own, "1", "SELECT count(*) FROM system.queries WHERE sql LIKE 'ATTACH%***%'");
    check_value(own, "0",
                "SELECT count(*) FROM system.queries WHERE sql LIKE '%hunter' || '2%' OR sql LIKE "
                "'%hunter' || '3%'");
    weir_session_close(own);
}

/* ---- KILL and time ---- */

static void *endless_in_thread(void *context) {
    struct waiter *waiter = context;
    struct ArrowArrayStream rows = {0};
    int64_t n_rows = 0;
    waiter->code = weir_query(waiter->session, ENDLESS, &rows, NULL, &waiter->error);
    if (waiter->code == WEIR_OK && drain(&rows, &n_rows, &waiter->error))
        waiter->code = waiter->error.code;
    return NULL;
}

/* Its id, once it runs. */
static char *running_query(const char *session_id) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT coalesce(max(query_id), '') FROM system.queries WHERE session_id = '%s' AND "
             "state = 'running'",
             session_id);
    for (int64_t until = now_ms() + 10000; now_ms() < until; sleep_ms(10)) {
        char *id = value_of(session, sql);
        if (*id) return id;
        free(id);
    }
    fail_msg("the statement does not run");
    return NULL;
}

static void a_killed_query_ends_within_a_second(void **state) {
    (void)state;
    struct waiter victim = {.session = open_session(workspace)};
    char id[WEIR_ID_SIZE];
    weir_session_id(victim.session, id);
    pthread_create(&victim.thread, NULL, endless_in_thread, &victim);
    char *query = running_query(id);
    int64_t before = now_ms();
    run("KILL QUERY '%s'", query);
    pthread_join(victim.thread, NULL);
    assert_true(now_ms() - before < 1000);
    assert_int_equal(victim.code, WEIR_CANCELLED);
    expect_error("42704", "no running query", "KILL QUERY '%s'", query);
    check_value(victim.session, "5", "SELECT 5");
    free(query);
    weir_session_close(victim.session);
}

static void a_killed_session_begins_nothing_more(void **state) {
    (void)state;
    struct waiter victim = {.session = open_session(workspace)};
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    char id[WEIR_ID_SIZE];
    weir_session_id(victim.session, id);
    pthread_create(&victim.thread, NULL, endless_in_thread, &victim);
    free(running_query(id));
    run("KILL SESSION '%s'", id);
    pthread_join(victim.thread, NULL);
    assert_int_equal(victim.code, WEIR_CANCELLED);
    assert_int_equal(weir_query(victim.session, "SELECT 1", &rows, NULL, &error),
                     WEIR_INVALID_STATE);
    assert_string_equal(error.sqlstate, "57P01");
    weir_session_close(victim.session);
    expect_error("42704", "no session", "KILL SESSION '%s'", id);
}

static void a_statement_ends_at_its_timeout(void **state) {
    (void)state;
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows = start(own, "SET weir.statement_timeout = '200ms'");
    rows.release(&rows);
    int64_t n_rows = 0;
    struct weir_error error = {0};
    int64_t before = now_ms();
    rows = start(own, ENDLESS);
    assert_int_not_equal(drain(&rows, &n_rows, &error), 0);
    assert_int_equal(error.code, WEIR_TIMEOUT);
    assert_string_equal(error.sqlstate, "57014");
    assert_in_range(now_ms() - before, 150, 1500);
    check_value(own, "6", "SELECT 6");
    weir_session_close(own);
}

static void a_reader_that_waits_does_not_keep_a_statement_beyond_its_time(void **state) {
    (void)state;
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows = start(own, "SET weir.statement_timeout = '200ms'");
    rows.release(&rows);
    struct ArrowArray batch = {0};
    rows = start(own, "SELECT * FROM generate_series(1, 100000000)");
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    batch.release(&batch);
    sleep_ms(500);
    int errnum = 0;
    while (errnum == 0 && (errnum = rows.get_next(&rows, &batch)) == 0 && batch.release)
        batch.release(&batch);
    assert_int_not_equal(errnum, 0);
    struct weir_error error = {0};
    assert_int_equal(weir_stream_error(&rows, &error), 0);
    assert_int_equal(error.code, WEIR_TIMEOUT);
    rows.release(&rows);
    weir_session_close(own);
}

static void a_statement_keeps_to_its_share_of_memory(void **state) {
    (void)state;
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows = start(own, "SET weir.statement_memory = 1000000");
    rows.release(&rows);
    struct weir_error error = {0};
    int64_t n_rows = 0;
    rows = start(own, "SELECT array_agg(value) FROM generate_series(1, 3000000)");
    assert_int_not_equal(drain(&rows, &n_rows, &error), 0);
    assert_string_equal(error.sqlstate, "53200");
    check_value(own, "1",
                "SELECT count(*) FROM system.queries WHERE error_sqlstate = '53200' AND "
                "peak_memory BETWEEN 1 AND 1000000");
    weir_session_close(own);
}

/* ---- Parts ---- */

static int64_t sum_of_parts(const char *sql, int32_t max_parts, int32_t *ret_n_parts) {
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream *parts = NULL;
    struct weir_error error = {0};
    assert_int_equal(weir_prepare(session, sql, &statement, &error), 0);
    assert_int_equal(
        weir_statement_execute_parts(statement, max_parts, &parts, ret_n_parts, &error), 0);
    int64_t sum = 0;
    /* The last one first: none waits for another. */
    for (int32_t i = *ret_n_parts; i-- > 0;) {
        struct ArrowArray batch = {0};
        while (parts[i].get_next(&parts[i], &batch) == 0 && batch.release) {
            const int64_t *values = batch.children[0]->buffers[1];
            for (int64_t k = 0; k < batch.length; k++)
                sum += values[batch.children[0]->offset + k];
            batch.release(&batch);
        }
        parts[i].release(&parts[i]);
    }
    weir_free(parts);
    weir_statement_close(statement);
    return sum;
}

static void a_scan_is_read_in_parts_by_any_order(void **state) {
    (void)state;
    int32_t n_parts = 0;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 10000, partitions 7)");
    for (int32_t most = 1; most <= 9; most += 2) {
        assert_int_equal(sum_of_parts("SELECT id FROM t WHERE id >= 0", most, &n_parts), 49995000);
        assert_int_equal(n_parts, most < 7 ? most : 7);
    }
    assert_int_equal(sum_of_parts("SELECT id FROM t ORDER BY id", 4, &n_parts), 49995000);
    assert_int_equal(n_parts, 1);
    assert_int_equal(sum_of_parts("SELECT sum(id) FROM t", 4, &n_parts), 49995000);
    assert_int_equal(n_parts, 1);
}

static void parts_that_are_released_early_end_the_statement(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream *parts = NULL;
    struct weir_error error = {0};
    struct weir_progress progress = {.size = sizeof progress};
    int32_t n_parts = 0;
    run("CREATE OR REPLACE TABLE t USING probe OPTIONS (rows 100000, partitions 4)");
    probe_reset();
    assert_int_equal(weir_prepare(session, "SELECT id FROM t", &statement, &error), 0);
    assert_int_equal(weir_statement_execute_parts(statement, 4, &parts, &n_parts, &error), 0);
    for (int32_t i = 0; i < n_parts; i++)
        parts[i].release(&parts[i]);
    weir_free(parts);
    assert_int_equal(weir_statement_progress(statement, &progress, &error), 0);
    assert_int_equal(progress.finished, 1);
    weir_statement_close(statement);
    wait_for(&probe_log.scans_released, 1);
}

static void a_stream_may_be_released_after_its_workspace(void **state) {
    (void)state;
    struct weir_workspace *own = open_limited("3", "1s");
    struct weir_session *one = open_session(own);
    struct ArrowArrayStream read = start(one, "SELECT 1"), unread = start(one, "SELECT 2");
    struct ArrowArray batch = {0};
    assert_int_equal(read.get_next(&read, &batch), 0);
    weir_session_close(one);
    weir_workspace_close(own);
    batch.release(&batch);
    read.release(&read);
    unread.release(&unread);
}

/* ---- Types ---- */

static void plain_results_have_no_views_and_dictionaries(void **state) {
    (void)state;
    static const char sql[] =
        "SELECT arrow_cast('a', 'Dictionary(Int32, Utf8)') AS d, arrow_cast('b', 'Utf8View') AS v, "
        "make_array(arrow_cast('c', 'Utf8View')) AS l";
    struct weir_session *own = open_session(workspace);
    struct ArrowArrayStream rows = start(own, "SET weir.result_types = 'plain'");
    struct ArrowSchema schema;
    rows.release(&rows);
    rows = start(own, sql);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_null(schema.children[0]->dictionary);
    assert_string_equal(schema.children[0]->format, "u");
    assert_string_equal(schema.children[1]->format, "u");
    assert_string_equal(schema.children[2]->children[0]->format, "u");
    schema.release(&schema);
    rows.release(&rows);
    check_value(own, "a", sql);
    weir_session_close(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_statement_too_many_waits_and_is_refused),
        cmocka_unit_test(a_place_that_becomes_free_is_the_first_waiters),
        cmocka_unit_test(what_ran_is_remembered_with_its_end),
        cmocka_unit_test(secrets_in_a_statement_are_not_remembered),
        cmocka_unit_test(a_killed_query_ends_within_a_second),
        cmocka_unit_test(a_killed_session_begins_nothing_more),
        cmocka_unit_test(a_statement_ends_at_its_timeout),
        cmocka_unit_test(a_reader_that_waits_does_not_keep_a_statement_beyond_its_time),
        cmocka_unit_test(a_statement_keeps_to_its_share_of_memory),
        cmocka_unit_test(a_scan_is_read_in_parts_by_any_order),
        cmocka_unit_test(parts_that_are_released_early_end_the_statement),
        cmocka_unit_test(a_stream_may_be_released_after_its_workspace),
        cmocka_unit_test(plain_results_have_no_views_and_dictionaries),
    };
    return cmocka_run_group_tests(tests, suite_open, suite_close);
}
