/* SPDX-License-Identifier: Apache-2.0 */
/* Mode query: what a database's statements gave. */
#include "store.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void cached(const char *options) {
    char sql[500];
    snprintf(sql, sizeof sql, "CREATE TABLE c USING cached OPTIONS (source 'r', mode query, %s)",
             options);
    run(sql);
}

static const char *ids(void) {
    return texts("SELECT id FROM c ORDER BY id");
}

static void a_statement_is_answered_again_until_it_is_too_old(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '400ms'");
    assert_string_equal(ids(), "1 ");
    add_row(2, 1700000000123456);
    assert_string_equal(ids(), "1 ");
    assert_int_equal(atomic_load(&store->reads), 1);
    usleep(450000);
    assert_string_equal(ids(), "1 2 ");
    assert_string_equal(texts("SELECT ts FROM c ORDER BY id"), "NULL 2023-11-14T22:13:20.123456 ");
    assert_int_equal(number("SELECT hits FROM system.caches"), 1);
    assert_int_equal(number("SELECT misses FROM system.caches"), 3);
    assert_true(number("SELECT bytes FROM system.caches") > 0);
    assert_string_equal(texts("SELECT state FROM system.caches"), "kept ");
}

/* How often a word is among the first column's texts; the store only knows how to read columns. */
static int count_of(const char *sql, const char *word) {
    int n = 0;
    for (const char *at = texts(sql); *at; at = strchr(at, ' ') + 1) {
        size_t length = strcspn(at, " ");
        n += !word || (length == strlen(word) && strncmp(at, word, length) == 0);
    }
    return n;
}

static void parts_of_larger_batches_are_kept_too(void **state) {
    (void)state;
    cached("max_age '1h'");
    for (int i = 0; i < 20; i++) {
        add_row(i, i % 3 ? 1700000000000000 + i : NO_TIME);
        run("REFRESH TABLE c");
        int reads = atomic_load(&store->reads);
        for (int twice = 0; twice < 2; twice++) {
            char last[8];
            snprintf(last, sizeof last, "%d", i);
            assert_int_equal(count_of("SELECT id FROM c", NULL), i + 1);
            assert_int_equal(count_of("SELECT id FROM c", last), 1);
            assert_int_equal(count_of("SELECT ts FROM c", NULL), i + 1);
            assert_int_equal(count_of("SELECT ts FROM c", "NULL"), i / 3 + 1);
        }
        assert_int_equal(atomic_load(&store->reads), reads + 2);
    }
    assert_string_equal(texts("SELECT last_error FROM system.caches"), "NULL ");
}

static void another_statement_has_its_own_result(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    assert_string_equal(ids(), "1 ");
    add_row(2, NO_TIME);
    assert_string_equal(texts("SELECT ts FROM c"), "NULL NULL ");
    assert_string_equal(texts("SELECT id FROM c(cache => 'off')"), "1 2 ");
    assert_string_equal(ids(), "1 ");
}

static void results_survive_a_restart_and_end_with_the_table(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '1h'");
    assert_string_equal(ids(), "1 ");
    close_workspace();
    add_row(2, NO_TIME);
    open_workspace(NULL, 0);
    assert_string_equal(ids(), "1 ");
    run("DROP TABLE c");
    cached("max_age '1h'");
    assert_string_equal(ids(), "1 2 ");
}

static void a_refresh_forgets_and_an_insert_too(void **state) {
    (void)state;
    cached("max_age '1h'");
    assert_string_equal(ids(), "");
    add_row(1, NO_TIME);
    run("REFRESH TABLE c");
    assert_string_equal(ids(), "1 ");
    run("INSERT INTO c VALUES (2, NULL)");
    assert_string_equal(ids(), "1 2 ");
}

static void *read_ids(void *context) {
    int64_t *found = context;
    struct weir_session *own = NULL;
    struct weir_error problem = {0};
    if (weir_session_open(workspace, NULL, &own, &problem)) return NULL;
    *found = number_in(own, "SELECT id FROM c");
    weir_session_close(own);
    return NULL;
}

static void sixteen_readers_cost_one_statement(void **state) {
    (void)state;
    int64_t found[16] = {0};
    pthread_t threads[16];
    add_row(7, NO_TIME);
    cached("max_age '1h'");
    atomic_store(&store->wait_ms, 300);
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_ids, &found[i]), 0);
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(found[i], 7);
    }
    assert_int_equal(atomic_load(&store->reads), 1);
}

static void failures_are_the_databases_or_the_old_result(void **state) {
    (void)state;
    add_row(1, NO_TIME);
    cached("max_age '0s'");
    assert_string_equal(ids(), "1 ");
    atomic_store(&store->fails, true);
    assert_int_not_equal(refused("SELECT id FROM c"), WEIR_OK);
    assert_non_null(strstr(error.message, "the store is away"));
    run("CREATE OR REPLACE TABLE d USING cached OPTIONS (source 'r', mode query, max_age '0s', "
        "on_error stale)");
    atomic_store(&store->fails, false);
    assert_int_equal(number("SELECT id FROM d"), 1);
    store->ids[0] = 2;
    atomic_store(&store->fails, true);
    assert_int_equal(number("SELECT id FROM d"), 1);
    atomic_store(&store->fails, false);
    assert_int_equal(number("SELECT id FROM d"), 2);
}

static void a_result_that_is_too_large_serves_its_reader_only(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++)
        add_row(i, NO_TIME);
    cached("max_age '1h', max_bytes '500B'");
    for (int i = 0; i < 3; i++)
        assert_int_equal(count_of("SELECT id FROM c", NULL), 100);
    assert_int_equal(atomic_load(&store->reads), 3);
    assert_int_equal(number("SELECT bytes FROM system.caches"), 0);
}

static void a_source_that_is_no_database_is_refused(void **state) {
    (void)state;
    assert_int_equal(
        refused("CREATE TABLE x USING cached OPTIONS (source 's', mode query, max_age '1h')"),
        WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "full and window"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_statement_is_answered_again_until_it_is_too_old),
        TEST(parts_of_larger_batches_are_kept_too),
        TEST(another_statement_has_its_own_result),
        TEST(results_survive_a_restart_and_end_with_the_table),
        TEST(a_refresh_forgets_and_an_insert_too),
        TEST(sixteen_readers_cost_one_statement),
        TEST(failures_are_the_databases_or_the_old_result),
        TEST(a_result_that_is_too_large_serves_its_reader_only),
        TEST(a_source_that_is_no_database_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
