/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, how long, and how much of it. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void cached(const char *options) {
    char sql[500];
    snprintf(sql, sizeof sql, "CREATE TABLE c USING cached OPTIONS (source 's', %s)", options);
    run(sql);
}

static int64_t count(void) {
    return number("SELECT count(*) FROM c");
}

static int64_t of(const char *column) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT %s FROM system.caches WHERE name = 'c'", column);
    return number(sql);
}

static const char *text_of(const char *column) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT %s FROM system.caches WHERE name = 'c'", column);
    return texts(sql);
}

/* ---- Age ---- */

static void a_copy_answers_until_it_is_too_old(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '400ms'");
    assert_int_equal(atomic_load(&store->reads), 0);
    assert_int_equal(count(), 1);
    add_row(2, NO_TIME);
    assert_int_equal(count(), 1);
    assert_int_equal(atomic_load(&store->reads), 1);
    usleep(450000);
    assert_int_equal(count(), 2);
    assert_int_equal(atomic_load(&store->reads), 2);
    assert_int_equal(of("hits"), 1);
    assert_int_equal(of("misses"), 2);
    assert_int_equal(of("refreshes"), 2);
    assert_int_equal(of("\"rows\""), 2);
    assert_true(of("bytes") > 0);
    assert_true(of("age") >= 0);
}

static void without_an_age_each_statement_reads_anew(void **state) {
    (void)state;
    cached("max_age '0s'");
    for (int i = 0; i < 3; i++) {
        add_row(i, NO_TIME);
        assert_int_equal(count(), i + 1);
    }
    assert_int_equal(atomic_load(&store->reads), 3);
}

static void the_source_is_read_where_a_call_asks_for_it(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_int_equal(count(), 0);
    add_row(1, NO_TIME);
    assert_int_equal(count(), 0);
    assert_int_equal(number("SELECT count(*) FROM c(cache => 'off')"), 1);
    assert_int_equal(refused("SELECT * FROM c(cache => 'on')"), WEIR_INVALID_ARGUMENT);
    assert_int_equal(refused("SELECT * FROM c(other => 'off')"), WEIR_INVALID_ARGUMENT);
}

static void a_refresh_fetches_at_once_and_leaves_one_generation(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_int_equal(count(), 0);
    for (int i = 0; i < 3; i++) {
        add_row(i, NO_TIME);
        run(i % 2 ? "REFRESH c" : "REFRESH TABLE weir.public.c");
        assert_int_equal(count(), i + 1);
    }
    assert_int_equal(n_files(), 1);
}

static void values_and_types_come_back_as_they_were(void **state) {
    (void)state;
    add_row(-5, 1700000000123456);
    add_row(INT64_MAX, NO_TIME);
    cached("max_age '1h'");
    assert_string_equal(texts("SELECT id FROM c ORDER BY id"), "-5 9223372036854775807 ");
    assert_string_equal(texts("SELECT ts FROM c ORDER BY id"), "2023-11-14T22:13:20.123456 NULL ");
    assert_string_equal(texts("SELECT arrow_typeof(ts) FROM c LIMIT 1"),
                        texts("SELECT arrow_typeof(ts) FROM s LIMIT 1"));
}

static void an_explanation_names_the_copy_or_the_source(void **state) {
    (void)state;
    cached("max_age '1h'");
    add_row(1, NO_TIME);
    const char *plan = column_texts("EXPLAIN SELECT id FROM c", 1);
    assert_non_null(strstr(plan, "/.weir/cache/public-c-"));
    assert_null(strstr(plan, "kind=store"));
    plan = column_texts("EXPLAIN SELECT id FROM c(cache => 'off')", 1);
    assert_null(strstr(plan, "/.weir/cache/"));
    assert_non_null(strstr(plan, "kind=store"));
}

/* ---- Restart ---- */

static void a_copy_survives_a_restart(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    assert_int_equal(count(), 1);
    close_workspace();
    add_row(2, NO_TIME);
    open_workspace(NULL, 0);
    assert_int_equal(count(), 1);
    assert_int_equal(atomic_load(&store->reads), 1);
}

static void what_a_killed_process_left_is_swept(void **state) {
    (void)state;
    char command[300];
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    assert_int_equal(count(), 1);
    close_workspace();
    snprintf(command, sizeof command,
             "cd %s/.weir/cache/public-c-* && mkdir staging 77 && echo x > staging/0.parquet && "
             "echo x > 77/0.parquet && mkdir ../public-gone-1 ../public-gone-1/1 && "
             "echo x > ../public-gone-1/1/0.parquet",
             directory);
    assert_int_equal(system(command), 0);
    assert_int_equal(n_files(), 4);
    open_workspace(NULL, 0);
    assert_int_equal(count(), 1);
    assert_int_equal(n_files(), 1);
}

static void a_damaged_copy_is_fetched_again(void **state) {
    (void)state;
    static const char *const damages[] = {
        "rm -r %s/.weir/cache/public-c-*", "truncate -s 10 %s/.weir/cache/public-c-*/*/0.parquet",
        "echo nonsense > %s/.weir/cache/state.db", "rm -r %s/.weir/cache"};
    cached("max_age '1h'");
    for (size_t i = 0; i < N_OF(damages); i++) {
        char command[200];
        add_row((int64_t)i, NO_TIME);
        if (i < 2) assert_int_not_equal(count(), -1);
        close_workspace();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(command, sizeof command, damages[i], directory);
#pragma GCC diagnostic pop
        assert_int_equal(system(command), 0);
        open_workspace(NULL, 0);
        assert_int_equal(count(), (int64_t)i + 1);
    }
}

static void a_workspace_in_memory_leaves_nothing(void **state) {
    (void)state;
    struct weir_workspace *other = NULL;
    struct weir_session *in = NULL;
    struct weir_workspace_options options = {.size = sizeof options};
    setenv("TMPDIR", directory, 1);
    assert_int_equal(weir_workspace_open(&options, &other, &error), WEIR_OK);
    assert_int_equal(weir_session_open(other, NULL, &in, &error), WEIR_OK);
    struct ArrowArrayStream rows = {0};
    assert_int_equal(weir_query(in, "CREATE VIEW v AS SELECT 7 AS a", &rows, NULL, &error), 0);
    rows.release(&rows);
    assert_int_equal(weir_query(in,
                                "CREATE TABLE c USING cached OPTIONS (source 'v', max_age '1h')",
                                &rows, NULL, &error),
                     0);
    rows.release(&rows);
    assert_int_equal(number_in(in, "SELECT a FROM c"), 7);
    weir_session_close(in);
    weir_workspace_close(other);
    unsetenv("TMPDIR");
    char command[128];
    snprintf(command, sizeof command, "test -z \"$(ls %s | grep weir-tables)\"", directory);
    assert_int_equal(system(command), 0);
}

/* ---- Room ---- */

static void a_table_that_is_too_large_is_read_itself(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++)
        add_row(i * 7919, NO_TIME);
    cached("max_age '1h', max_bytes '100B'");
    assert_int_equal(count(), 1000);
    assert_int_equal(n_files(), 0);
    assert_string_equal(text_of("state"), "bypassed ");
    assert_non_null(strstr(text_of("last_error"), "more than 100 bytes"));
    int reads = atomic_load(&store->reads);
    add_row(1, NO_TIME);
    assert_int_equal(count(), 1001); /* always the source's own */
    assert_int_equal(atomic_load(&store->reads), reads + 1);
}

static void all_copies_together_have_a_limit(void **state) {
    (void)state;
    const struct weir_option setting = {"cache.tables.max_bytes", "2000"};
    close_workspace();
    open_workspace(&setting, 1);
    for (int i = 0; i < 20; i++)
        add_row(i, NO_TIME);
    run("CREATE TABLE c USING cached OPTIONS (source 's', max_age '1h')");
    run("CREATE TABLE d USING cached OPTIONS (source 's', max_age '1h')");
    run("CREATE TABLE e USING cached OPTIONS (source 's', max_age '1h')");
    assert_int_equal(number("SELECT count(*) FROM c"), 20);
    int64_t bytes = number("SELECT bytes FROM system.caches WHERE name = 'c'");
    assert_in_range(bytes, 668, 1000); /* two fit, and three do not */
    assert_int_equal(number("SELECT count(*) FROM d"), 20);
    assert_int_equal(number("SELECT count(*) FROM e"), 20);
    assert_string_equal(texts("SELECT state FROM system.caches ORDER BY name"), "empty kept kept ");
    assert_int_equal(n_files(), 2);
    assert_int_equal(number("SELECT count(*) FROM c"), 20);
    assert_string_equal(texts("SELECT state FROM system.caches ORDER BY name"), "kept empty kept ");
}

static void a_dropped_table_leaves_nothing(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_int_equal(count(), 0);
    assert_int_equal(n_files(), 1);
    run("DROP TABLE c");
    assert_int_equal(n_files(), 0);
    assert_int_equal(number("SELECT count(*) FROM system.caches"), 0);
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    assert_int_equal(count(), 1);
}

static void a_running_plan_keeps_its_files(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    struct weir_statement *statement = NULL;
    assert_int_equal(weir_prepare(session, "SELECT id FROM c", &statement, &error), WEIR_OK);
    add_row(2, NO_TIME);
    run("REFRESH TABLE c");
    run("DROP TABLE c");
    struct ArrowArrayStream rows = {0};
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_OK);
    struct ArrowArray batch = {0};
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    assert_non_null(batch.release);
    assert_int_equal(batch.length, 1);
    batch.release(&batch);
    rows.release(&rows);
    weir_statement_close(statement);
    /* The engine lets go of a plan on threads of its own. */
    for (int i = 0; i < 100 && n_files() > 0; i++)
        usleep(20000);
    assert_int_equal(n_files(), 0);
}

/* ---- Append ---- */

static void append_fetches_what_is_new_only(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++)
        add_row(i, NO_TIME);
    cached("max_age '0s', refresh append, time_column 'id'");
    assert_int_equal(count(), 100);
    store->ids[0] = -7; /* not seen: it is no new row */
    for (int i = 0; i < 40; i++) {
        add_row(100 + i, NO_TIME);
        assert_int_equal(count(), 101 + i);
        assert_int_equal(number("SELECT max(id) FROM c"), 100 + i);
    }
    assert_int_equal(number("SELECT min(id) FROM c"), 0);
    assert_int_equal(number("SELECT sum(id) FROM c"), 139 * 140 / 2);
    assert_in_range(n_files(), 1, 17);
    run("REFRESH TABLE c");
    assert_int_equal(number("SELECT min(id) FROM c"), -7);
}

static void append_goes_by_times_too(void **state) {
    (void)state;
    cached("max_age '0s', refresh append, time_column 'ts'");
    assert_int_equal(count(), 0);
    for (int i = 0; i < 5; i++) {
        add_row(i, 1700000000123456 + i);
        assert_int_equal(count(), i + 1);
    }
    assert_int_equal(number("SELECT sum(id) FROM c"), 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_copy_answers_until_it_is_too_old),
        TEST(without_an_age_each_statement_reads_anew),
        TEST(the_source_is_read_where_a_call_asks_for_it),
        TEST(a_refresh_fetches_at_once_and_leaves_one_generation),
        TEST(values_and_types_come_back_as_they_were),
        TEST(an_explanation_names_the_copy_or_the_source),
        TEST(a_copy_survives_a_restart),
        TEST(what_a_killed_process_left_is_swept),
        TEST(a_damaged_copy_is_fetched_again),
        TEST(a_workspace_in_memory_leaves_nothing),
        TEST(a_table_that_is_too_large_is_read_itself),
        TEST(all_copies_together_have_a_limit),
        TEST(a_dropped_table_leaves_nothing),
        TEST(a_running_plan_keeps_its_files),
        TEST(append_fetches_what_is_new_only),
        TEST(append_goes_by_times_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
