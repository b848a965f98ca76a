/* SPDX-License-Identifier: Apache-2.0 */
/* Who fetches, who waits, and what happens when it fails. */
#include "store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void cached(const char *options) {
    char sql[500];
    snprintf(sql, sizeof sql, "CREATE TABLE c USING cached OPTIONS (source 's', %s)", options);
    run(sql);
}

static int64_t count(void) {
    return number("SELECT count(*) FROM c");
}

/* ---- Many at once ---- */

static void *count_in_a_session(void *context) {
    int64_t *found = context;
    struct weir_session *own = NULL;
    struct weir_error problem = {0};
    if (weir_session_open(workspace, NULL, &own, &problem)) return NULL;
    *found = number_in(own, "SELECT count(*) FROM c");
    weir_session_close(own);
    return NULL;
}

static void read_by(int n_threads, int64_t *found) {
    pthread_t threads[16];
    for (int i = 0; i < n_threads; i++) {
        found[i] = -2;
        assert_int_equal(pthread_create(&threads[i], NULL, count_in_a_session, &found[i]), 0);
    }
    for (int i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
}

static void sixteen_readers_cost_one_fetch(void **state) {
    (void)state;
    int64_t found[16];
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    atomic_store(&store->wait_ms, 300);
    read_by(16, found);
    for (int i = 0; i < 16; i++)
        assert_int_equal(found[i], 1);
    assert_int_equal(atomic_load(&store->reads), 1);
}

static void a_failure_reaches_all_who_wait_and_the_next_one_tries_again(void **state) {
    (void)state;
    int64_t found[8];
    cached("max_age '1h'");
    atomic_store(&store->wait_ms, 300);
    atomic_store(&store->fails, true);
    read_by(8, found);
    for (int i = 0; i < 8; i++)
        assert_int_equal(found[i], -1);
    assert_int_equal(atomic_load(&store->reads), 1);
    atomic_store(&store->fails, false);
    assert_int_equal(count(), 0);
}

static void processes_fetch_once_too(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    close_workspace();
    atomic_store(&store->wait_ms, 300);
    for (int i = 0; i < 3; i++) {
        if (fork() != 0) continue;
        open_workspace(NULL, 0);
        int64_t found = number("SELECT count(*) FROM c");
        close_workspace();
        _exit(found == 1 ? 0 : 1);
    }
    for (int i = 0; i < 3; i++) {
        int status = 0;
        wait(&status);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(atomic_load(&store->reads), 1);
    open_workspace(NULL, 0);
}

static void killed_fetches_leave_nothing_that_is_read(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '0s'");
    close_workspace();
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();
        if (child == 0) {
            open_workspace(NULL, 0);
            atomic_store(&store->wait_ms, 20);
            while (number("SELECT count(*) FROM c") >= 0)
                continue;
            _exit(1);
        }
        usleep(150000 + 37000 * i);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        atomic_store(&store->wait_ms, 0);
        add_row(2 + i, NO_TIME);
        open_workspace(NULL, 0);
        assert_int_equal(count(), 2 + i);
        assert_int_equal(n_files(), 1);
        close_workspace();
    }
    open_workspace(NULL, 0);
}

/* ---- Failures ---- */

static void without_on_error_a_failure_is_the_sources_own(void **state) {
    (void)state;
    cached("max_age '0s'");
    assert_int_equal(count(), 0);
    atomic_store(&store->fails, true);
    assert_int_not_equal(refused("SELECT * FROM c"), WEIR_OK);
    assert_non_null(strstr(error.message, "table \"c\": fetching \"s\""));
    assert_non_null(strstr(error.message, "the store is away"));
    assert_non_null(strstr(texts("SELECT last_error FROM system.caches"), "the store is away"));
    atomic_store(&store->fails, false);
    assert_int_equal(count(), 0);
    assert_string_equal(texts("SELECT last_error FROM system.caches"), "NULL ");
}

static void a_read_that_ends_early_is_no_copy(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '0s'");
    assert_int_equal(count(), 1);
    add_row(2, NO_TIME);
    atomic_store(&store->fails_after, 1);
    assert_int_not_equal(refused("SELECT * FROM c"), WEIR_OK);
    atomic_store(&store->fails_after, 0);
    assert_int_equal(count(), 2);
    assert_int_equal(n_files(), 1);
}

static void on_error_stale_serves_the_old_copy(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '0s', on_error stale");
    assert_int_equal(count(), 1);
    add_row(2, NO_TIME);
    atomic_store(&store->fails, true);
    assert_int_equal(count(), 1);
    int reads = atomic_load(&store->reads);
    assert_int_equal(count(), 1);
    assert_int_equal(atomic_load(&store->reads), reads); /* not tried again at once */
    atomic_store(&store->fails, false);
    usleep(1100000);
    assert_int_equal(count(), 2);
}

static void max_stale_bounds_it(void **state) {
    (void)state;
    cached("max_age '0s', on_error stale, max_stale '300ms'");
    assert_int_equal(count(), 0);
    atomic_store(&store->fails, true);
    assert_int_equal(count(), 0);
    usleep(350000);
    assert_int_not_equal(refused("SELECT * FROM c"), WEIR_OK);
}

static void a_slow_fetch_is_given_up_at_the_timeout(void **state) {
    (void)state;
    cached("max_age '0s', timeout '200ms'");
    atomic_store(&store->wait_ms, 3000);
    int64_t before = now_us();
    assert_int_equal(refused("SELECT * FROM c"), WEIR_TIMEOUT);
    assert_in_range(now_us() - before, 200000, 2000000);
    atomic_store(&store->wait_ms, 0);
}

static void *cancel_soon(void *context) {
    usleep(200000);
    weir_statement_cancel(context, NULL);
    return NULL;
}

static void a_refresh_can_be_cancelled(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream rows = {0};
    pthread_t thread;
    cached("max_age '1h'");
    atomic_store(&store->wait_ms, 3000);
    assert_int_equal(weir_prepare(session, "REFRESH TABLE c", &statement, &error), WEIR_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, statement), 0);
    int64_t before = now_us();
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_CANCELLED);
    assert_true(now_us() - before < 2000000);
    pthread_join(thread, NULL);
    weir_statement_close(statement);
    atomic_store(&store->wait_ms, 0);
    assert_int_equal(count(), 0);
}

static void *interrupt_soon(void *context) {
    usleep(200000);
    weir_session_interrupt(context);
    return NULL;
}

static void a_statement_that_waits_for_a_fetch_can_be_interrupted(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    pthread_t thread;
    cached("max_age '1h'");
    atomic_store(&store->wait_ms, 3000);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, session), 0);
    int64_t before = now_us();
    assert_int_equal(weir_prepare(session, "SELECT * FROM c", &statement, &error), WEIR_CANCELLED);
    assert_true(now_us() - before < 2000000);
    pthread_join(thread, NULL);
    atomic_store(&store->wait_ms, 0);
    assert_int_equal(count(), 0);
}

static void closing_the_workspace_ends_a_background_fetch(void **state) {
    (void)state;
    cached("max_age '1h', refresh interval, interval '50ms'");
    assert_int_equal(count(), 0);
    atomic_store(&store->wait_ms, 1000);
    usleep(300000);
    assert_true(atomic_load(&store->running) > 0);
    close_workspace();
    atomic_store(&store->wait_ms, 0);
    open_workspace(NULL, 0);
    assert_int_equal(count(), 0);
}

static void refresh_interval_fetches_by_itself(void **state) {
    (void)state;
    cached("max_age '1h', refresh interval, interval '100ms'");
    assert_int_equal(count(), 0);
    add_row(1, NO_TIME);
    for (int i = 0; i < 100 && count() == 0; i++)
        usleep(20000);
    assert_int_equal(count(), 1);
    assert_int_equal(number("SELECT misses FROM system.caches"), 1);
}

/* ---- Tables on tables ---- */

static void a_cached_table_may_be_made_of_another(void **state) {
    (void)state;
    cached("max_age '0s'");
    run("CREATE VIEW v AS SELECT id + 1 AS id FROM c");
    run("CREATE TABLE d USING cached OPTIONS (source 'v', max_age '0s')");
    add_row(1, NO_TIME);
    assert_int_equal(number("SELECT id FROM d"), 2);
    assert_int_equal(number("SELECT d.id + c.id FROM d, c"), 3);
}

static void one_that_reads_itself_is_an_error(void **state) {
    (void)state;
    run("CREATE VIEW v AS SELECT id FROM s");
    run("CREATE TABLE d USING cached OPTIONS (source 'v', max_age '0s')");
    run("CREATE TABLE e USING cached OPTIONS (source 'd', max_age '0s')");
    run("CREATE OR REPLACE VIEW v AS SELECT id FROM e");
    assert_int_not_equal(refused("SELECT * FROM d"), WEIR_OK);
    assert_non_null(strstr(error.message, "reads itself"));
    run("CREATE OR REPLACE VIEW v AS SELECT id FROM s");
    add_row(1, NO_TIME);
    assert_int_equal(number("SELECT id FROM e"), 1);
}

static void listing_columns_fetches_nothing(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_string_equal(
        texts("SELECT column_name FROM information_schema.columns WHERE table_name = 'c'"),
        "id ts ");
    assert_int_equal(atomic_load(&store->reads), 0);
}

/* ---- Writes ---- */

static void an_insert_goes_to_the_source_and_is_seen(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_int_equal(count(), 0);
    run("INSERT INTO c VALUES (5, NULL), (6, NULL)");
    assert_int_equal(atomic_load(&store->n_rows), 2);
    assert_int_equal(number("SELECT sum(id) FROM c"), 11);
    run("INSERT INTO weir.public.\"c\" (id) SELECT 7");
    assert_int_equal(number("SELECT sum(id) FROM c"), 18);
}

static void a_wrong_insert_is_marked_where_it_stands(void **state) {
    (void)state;
    cached("max_age '1h'");
    static const char sql[] = "INSERT INTO c VALUES (1, 2,, 3)";
    assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
    assert_int_equal(error.position, strstr(sql, ",,") - sql + 2);
}

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"max_age '1x'", "is not a time"},
        {"max_age '1h', max_bytes '0'", "is not a number of bytes"},
        {"max_age '1h', mode 'half'", "is not full, window or query"},
        {"max_age '1h', mode window, window '1h'", "needs the option \"time_column\""},
        {"max_age '1h', mode window, time_column 'ts'", "needs the option \"window\""},
        {"max_age '1h', window '1h'", "means nothing without mode window"},
        {"max_age '1h', time_column 'ts'", "means nothing without mode window"},
        {"max_age '1h', refresh interval", "needs the option \"interval\""},
        {"max_age '1h', interval '1s'", "means nothing without refresh interval"},
        {"max_age '1h', max_stale '1s'", "means nothing without on_error stale"},
        {"max_age '1h', on_error 'ignore'", "is not fail or stale"},
        {"max_age '1h', mode query, refresh interval, interval '1s'", "its refresh is on_demand"},
        {"max_age '1h', mode window, time_column 'ts', window '1h', refresh append",
         "refresh append is for mode full"},
        {"max_age '1h', colour 'red'", "unknown option \"colour\""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char sql[300];
        snprintf(sql, sizeof sql, "CREATE TABLE x USING cached OPTIONS (source 's', %s)",
                 cases[i][0]);
        assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "table \"x\" (kind cached)"));
        if (!strstr(error.message, cases[i][1])) print_error("%s\n", error.message);
        assert_non_null(strstr(error.message, cases[i][1]));
    }
}

static void other_changes_are_refused_by_the_sources_name(void **state) {
    (void)state;
    static const char *const changes[] = {"UPDATE c SET id = 1", "DELETE FROM c WHERE id = 1",
                                          "TRUNCATE TABLE c",
                                          "EXPLAIN ANALYZE INSERT INTO c VALUES (1, NULL)"};
    cached("max_age '1h'");
    for (size_t i = 0; i < N_OF(changes); i++) {
        assert_int_equal(refused(changes[i]), WEIR_NOT_IMPLEMENTED);
        assert_non_null(strstr(error.message, "its source \"s\""));
    }
    assert_int_equal(atomic_load(&store->n_rows), 0);
}

static void a_source_that_cannot_be_read_is_no_source(void **state) {
    (void)state;
    assert_int_equal(
        refused("CREATE TABLE x USING cached OPTIONS (source 'nowhere', max_age '1h')"),
        WEIR_NOT_FOUND);
    assert_int_equal(refused("CREATE TABLE x USING cached OPTIONS (source 's', max_age '1h', "
                             "refresh append, time_column 'other')"),
                     WEIR_NOT_FOUND);
    assert_int_equal(refused("CREATE TABLE x USING cached OPTIONS (source 's')"),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(number("SELECT count(*) FROM system.caches"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(sixteen_readers_cost_one_fetch),
        TEST(a_failure_reaches_all_who_wait_and_the_next_one_tries_again),
        TEST(processes_fetch_once_too),
        TEST(killed_fetches_leave_nothing_that_is_read),
        TEST(without_on_error_a_failure_is_the_sources_own),
        TEST(a_read_that_ends_early_is_no_copy),
        TEST(on_error_stale_serves_the_old_copy),
        TEST(max_stale_bounds_it),
        TEST(a_slow_fetch_is_given_up_at_the_timeout),
        TEST(a_refresh_can_be_cancelled),
        TEST(a_statement_that_waits_for_a_fetch_can_be_interrupted),
        TEST(closing_the_workspace_ends_a_background_fetch),
        TEST(refresh_interval_fetches_by_itself),
        TEST(a_cached_table_may_be_made_of_another),
        TEST(one_that_reads_itself_is_an_error),
        TEST(listing_columns_fetches_nothing),
        TEST(an_insert_goes_to_the_source_and_is_seen),
        TEST(a_wrong_insert_is_marked_where_it_stands),
        TEST(options_that_make_no_sense_are_refused),
        TEST(other_changes_are_refused_by_the_sources_name),
        TEST(a_source_that_cannot_be_read_is_no_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
