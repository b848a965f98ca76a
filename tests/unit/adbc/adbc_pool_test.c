/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <pthread.h>

#include "arrow/arrow.h"
#include "base/alloc.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- Opening ---- */

static void opening_connects_once_and_the_connection_is_used_again(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    assert_int_equal(fake()->connects, 1);
    assert_true(contains(wr_adbc_database_vendor(database), "adbc_driver_fake"));
    assert_int_equal(strncmp(wr_adbc_database_id(database), "adbc:far#", 9), 0);
    int64_t n_rows = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fake_query(database, "rows 25", &n_rows, NULL), WEIR_OK);
        assert_int_equal(n_rows, 25);
        assert_int_equal(fake_query(database, "rows 0", &n_rows, NULL), WEIR_OK);
        assert_int_equal(n_rows, 0);
        assert_int_equal(fake()->statements, 0);
        assert_int_equal(wr_adbc_change(database, "change 1", NULL, NULL), WEIR_OK);
    }
    assert_int_equal(fake()->connects, 1);
    wr_adbc_database_release(database);
}

static void the_same_options_are_one_database(void **state) {
    (void)state;
    struct wr_adbc_database *one = fake_must_open(OPTIONS("adbc.x", "1", "pool.max", "3"));
    struct wr_adbc_database *two = fake_must_open(OPTIONS("pool.max", "3", "adbc.x", "1"));
    struct wr_adbc_database *other = fake_must_open(OPTIONS("adbc.x", "2", "pool.max", "3"));
    assert_int_equal(fake()->databases, 2);
    assert_string_equal(wr_adbc_database_id(one), wr_adbc_database_id(two));
    assert_string_not_equal(wr_adbc_database_id(one), wr_adbc_database_id(other));
    wr_adbc_database_release(one);
    assert_int_equal(fake()->databases, 2);
    assert_int_equal(fake_query(two, "rows 1", NULL, NULL), WEIR_OK);
    wr_adbc_database_release(wr_adbc_database_retain(two));
    wr_adbc_database_release(two);
    wr_adbc_database_release(other);
}

static void no_secret_is_in_an_error_of_opening(void **state) {
    (void)state;
    fake()->leaks_options = true;
    struct wr_adbc_database *database = NULL;
    struct weir_error error = {0};
    assert_int_equal(
        fake_open(OPTIONS("password", "s3cr3t", "adbc.token", "t0k3n"), &database, &error),
        WEIR_IO);
    assert_true(contains(error.message, "database \"far\": "));
    assert_true(contains(error.message, "password=***"));
    assert_null(strstr(error.message, PASSWORD));
    assert_null(strstr(error.message, "s3cr3t"));
    assert_null(strstr(error.message, "t0k3n"));
}

static void a_host_that_does_not_answer_is_an_error_in_time(void **state) {
    (void)state;
    fake()->connect_hangs = true;
    struct wr_adbc_database *database = NULL;
    struct weir_error error = {0};
    int64_t start = now_ms();
    assert_int_equal(fake_open(OPTIONS("connect_timeout", "100ms"), &database, &error),
                     WEIR_TIMEOUT);
    assert_true(now_ms() - start < 1500);
    assert_string_equal(error.sqlstate, "08001");
    assert_true(contains(error.message, "no connection within connect_timeout, which is 100 ms"));
    /* The attempt still hangs; what it has is closed when it ends. */
    assert_int_equal(fake()->connections, 1);
    fake()->let_go = true;
    assert_true(becomes(&fake()->connections, 0));
    assert_true(becomes(&fake()->databases, 0));
}

static void an_option_that_the_driver_does_not_know_is_its_error(void **state) {
    (void)state;
    struct wr_adbc_database *database = NULL;
    struct weir_error error = {0};
    assert_int_equal(fake_open(OPTIONS("adbc.unknown", "1"), &database, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_string_equal(error.message, "database \"far\": unknown option");
}

static void an_old_driver_reads_and_changes(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("entrypoint", "fake_old_init"));
    assert_int_equal(fake()->version, 1000000);
    int64_t n_rows = 0;
    struct weir_error error = {0};
    assert_int_equal(fake_query(database, "rows 11", &n_rows, NULL), WEIR_OK);
    assert_int_equal(n_rows, 11);
    assert_int_equal(fake_query(database, "fail_after 10", NULL, &error), WEIR_INVALID_ARGUMENT);
    assert_true(contains(error.message, "division by zero"));
    wr_adbc_database_release(database);
}

/* ---- Limits ---- */

static void more_readers_than_connections_wait(void **state) {
    (void)state;
    struct wr_adbc_database *database =
        fake_must_open(OPTIONS("pool.max", "2", "pool.wait", "150ms"));
    struct ArrowArrayStream one, two, three;
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_query(database, "rows 100", &one, NULL), WEIR_OK);
    assert_int_equal(wr_adbc_query(database, "rows 100", &two, NULL), WEIR_OK);
    int64_t start = now_ms();
    assert_int_equal(wr_adbc_query(database, "rows 100", &three, &error), WEIR_TIMEOUT);
    assert_true(now_ms() - start >= 140);
    assert_string_equal(error.sqlstate, "53300");
    assert_true(contains(error.message, "all 2 connections of its pool"));
    assert_int_equal(fake()->connections, 2);
    /* Without reading to the end its connection is closed, and its place is free. */
    one.release(&one);
    assert_int_equal(wr_adbc_query(database, "rows 5", &three, &error), WEIR_OK);
    assert_int_equal(fake_sum(&three, NULL, NULL), 10);
    three.release(&three);
    two.release(&two);
    wr_adbc_database_release(database);
}

struct waiter {
    struct wr_adbc_database *database;
    int code;
};

static void *wait_and_read(void *context) {
    struct waiter *waiter = context;
    int64_t n_rows = 0;
    waiter->code = fake_query(waiter->database, "rows 30", &n_rows, NULL);
    if (!waiter->code && n_rows != 30) waiter->code = -1;
    return NULL;
}

static void a_waiter_is_patient_while_rows_come(void **state) {
    (void)state;
    struct wr_adbc_database *database =
        fake_must_open(OPTIONS("pool.max", "1", "pool.wait", "150ms"));
    struct ArrowArrayStream rows;
    pthread_t thread;
    struct waiter waiter = {database, -2};
    assert_int_equal(wr_adbc_query(database, "rows 150", &rows, NULL), WEIR_OK);
    pthread_create(&thread, NULL, wait_and_read, &waiter);
    for (int i = 0; i < 10; i++) {
        struct ArrowArray array;
        sleep_ms(40);
        assert_int_equal(wr_arrow_stream_next(&rows, "rows", &array, NULL), WEIR_OK);
        array.release(&array);
    }
    rows.release(&rows);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.code, WEIR_OK);
    wr_adbc_database_release(database);
}

static void all_waiters_are_served(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.max", "3"));
    pthread_t threads[24];
    struct waiter waiters[24];
    for (int i = 0; i < 24; i++) {
        waiters[i] = (struct waiter){database, -2};
        pthread_create(&threads[i], NULL, wait_and_read, &waiters[i]);
    }
    for (int i = 0; i < 24; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(waiters[i].code, WEIR_OK);
    }
    assert_true(fake()->connects <= 3);
    assert_true(fake()->connections <= 3);
    wr_adbc_database_release(database);
}

static void idle_connections_are_closed_down_to_the_least(void **state) {
    (void)state;
    struct wr_adbc_database *database =
        fake_must_open(OPTIONS("pool.min", "2", "pool.max", "4", "pool.idle_timeout", "50ms"));
    assert_int_equal(fake()->connections, 2);
    struct ArrowArrayStream rows[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(wr_adbc_query(database, "rows 1", &rows[i], NULL), WEIR_OK);
    assert_int_equal(fake()->connections, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(fake_sum(&rows[i], NULL, NULL), 0);
        rows[i].release(&rows[i]);
    }
    assert_true(becomes(&fake()->connections, 2));
    sleep_ms(150);
    assert_int_equal(fake()->connections, 2);
    wr_adbc_database_release(database);
}

static void an_old_connection_is_not_used_again(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.lifetime", "40ms"));
    sleep_ms(80);
    assert_int_equal(fake_query(database, "rows 1", NULL, NULL), WEIR_OK);
    assert_int_equal(fake()->connects, 2);
    wr_adbc_database_release(database);
}

/* ---- Lost connections ---- */

static void a_connection_that_was_idle_is_tried_first(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.health_check", "30ms"));
    sleep_ms(60);
    assert_int_equal(fake_query(database, "rows 1", NULL, NULL), WEIR_OK);
    assert_int_equal(fake()->pings, 1);
    assert_true(becomes(&fake()->statements, 0));
    sleep_ms(60);
    fake()->generation++;
    assert_int_equal(wr_adbc_change(database, "change 3", NULL, NULL), WEIR_OK);
    assert_int_equal(fake()->pings, 2);
    assert_int_equal(fake()->connects, 2);
    wr_adbc_database_release(database);
}

static void a_read_on_a_connection_that_is_gone_is_tried_once_more(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    int64_t n_rows = 0;
    assert_int_equal(fake_query(database, "rows 1", NULL, NULL), WEIR_OK);
    assert_true(becomes(&fake()->statements, 0));
    sleep_ms(10);
    fake()->generation++;
    assert_int_equal(fake_query(database, "rows 12", &n_rows, NULL), WEIR_OK);
    assert_int_equal(n_rows, 12);
    assert_int_equal(fake()->connects, 2);
    struct ArrowSchema schema;
    fake()->generation++;
    sleep_ms(10);
    assert_int_equal(wr_adbc_table_schema(database, NULL, NULL, "t", &schema, NULL), WEIR_OK);
    schema.release(&schema);
    wr_adbc_database_release(database);
}

static void a_change_on_a_connection_that_is_gone_is_an_error_and_the_next_one_works(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.min", "3"));
    int64_t n_rows = 0;
    struct weir_error error = {0};
    assert_int_equal(fake_query(database, "rows 1", NULL, NULL), WEIR_OK);
    assert_true(becomes(&fake()->statements, 0));
    sleep_ms(10);
    fake()->generation++;
    /* It may have been done: nobody knows. */
    assert_int_equal(wr_adbc_change(database, "change 3", &n_rows, &error), WEIR_IO);
    assert_string_equal(error.sqlstate, "08006");
    assert_int_equal(wr_adbc_change(database, "change 3", &n_rows, &error), WEIR_OK);
    assert_int_equal(n_rows, 3);
    wr_adbc_database_release(database);
}

static void a_change_tries_a_connection_that_was_not_used_just_now(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    sleep_ms(150);
    fake()->generation++;
    assert_int_equal(wr_adbc_change(database, "change 3", NULL, NULL), WEIR_OK);
    assert_int_equal(fake()->connects, 2);
    wr_adbc_database_release(database);
}

static void a_server_that_is_away_and_back_is_used_again(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.min", "2"));
    assert_int_equal(fake_query(database, "rows 1", NULL, NULL), WEIR_OK);
    assert_true(becomes(&fake()->statements, 0));
    sleep_ms(10);
    fake()->generation++;
    fake()->failing_opens = 2;
    struct weir_error error = {0};
    assert_int_equal(fake_query(database, "rows 1", NULL, &error), WEIR_IO);
    assert_int_equal(fake_query(database, "rows 1", NULL, &error), WEIR_IO);
    assert_string_equal(error.message, "database \"far\": nobody is there");
    assert_int_equal(fake_query(database, "rows 1", NULL, &error), WEIR_OK);
    wr_adbc_database_release(database);
}

/* ---- Memory ---- */

static void every_allocation_that_fails_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    for (int64_t n = 1;; n++) {
        struct weir_error error = {0};
        struct wr_adbc_database *database = NULL;
        wr_alloc_fail_at(n);
        int code = fake_open(OPTIONS("adbc.x", "1"), &database, &error);
        wr_alloc_fail_at(0);
        wr_adbc_database_release(database);
        if (code) assert_string_equal(error.sqlstate, "53200");
        assert_true(becomes(&fake()->databases, 0));
        assert_true(n < 400);
        if (n > 150) break; /* more than it makes */
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(opening_connects_once_and_the_connection_is_used_again),
        CASE(the_same_options_are_one_database),
        CASE(no_secret_is_in_an_error_of_opening),
        CASE(a_host_that_does_not_answer_is_an_error_in_time),
        CASE(an_option_that_the_driver_does_not_know_is_its_error),
        CASE(an_old_driver_reads_and_changes),
        CASE(more_readers_than_connections_wait),
        CASE(a_waiter_is_patient_while_rows_come),
        CASE(all_waiters_are_served),
        CASE(idle_connections_are_closed_down_to_the_least),
        CASE(an_old_connection_is_not_used_again),
        CASE(a_connection_that_was_idle_is_tried_first),
        CASE(a_read_on_a_connection_that_is_gone_is_tried_once_more),
        CASE(a_change_on_a_connection_that_is_gone_is_an_error_and_the_next_one_works),
        CASE(a_change_tries_a_connection_that_was_not_used_just_now),
        CASE(a_server_that_is_away_and_back_is_used_again),
        CASE(every_allocation_that_fails_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("adbc pool", tests, NULL, NULL);
}
