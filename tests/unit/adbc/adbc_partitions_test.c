/* SPDX-License-Identifier: Apache-2.0 */
/* One statement that its driver executes in partitions, read by several connections. */
#include "material.h"

#include <pthread.h>
#include <stdio.h>

#include "arrow/arrow.h"
#include "base/alloc.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { MOST_READERS = 4 };

struct part {
    struct weir_scan *scan;
    int32_t partition;
    int64_t sum; /* negative: a code */
    int64_t n_rows;
    struct weir_error error;
};

static void *read_part(void *context) {
    struct part *part = context;
    struct ArrowArrayStream rows;
    part->sum = -part->scan->open(part->scan, part->partition, &rows, &part->error);
    if (part->sum < 0) return NULL;
    part->sum = fake_sum(&rows, &part->n_rows, &part->error);
    rows.release(&rows);
    return NULL;
}

static struct wr_adbc_database *open_database(const char *const *options) {
    fake()->has_partitions = true;
    struct wr_adbc_database *database = fake_must_open(options);
    assert_true(wr_adbc_database_has_partitions(database));
    return database;
}

static void scan_parts(struct wr_adbc_database *database, const char *statement, int32_t n,
                       struct weir_scan *ret_scan) {
    struct ArrowSchema schema;
    struct weir_error error = {0};
    fake_schema(&schema);
    if (wr_adbc_scan_parts(database, statement, n, &schema, ret_scan, &error))
        fail_msg("%s", error.message);
    schema.release(&schema);
    assert_int_equal(ret_scan->n_partitions, n);
}

/* All of them at the same time, from the thread on that is given. */
static void read_parts(struct weir_scan *scan, struct part *parts, int32_t n) {
    pthread_t threads[MOST_READERS];
    for (int32_t i = 0; i < n; i++) {
        parts[i] = (struct part){.scan = scan, .partition = i};
        pthread_create(&threads[i], NULL, read_part, &parts[i]);
    }
    for (int32_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void each_partition_is_read_once_by_one_of_the_readers(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part parts[3];
    scan_parts(database, "parts 20 35", 3, &found);
    int executions = fake()->executions;
    read_parts(&found, parts, 3);
    assert_int_equal(parts[0].n_rows + parts[1].n_rows + parts[2].n_rows, 700);
    assert_int_equal(parts[0].sum + parts[1].sum + parts[2].sum, 700 * 699 / 2);
    assert_int_equal(fake()->executions, executions + 1);
    assert_int_equal(fake()->partitions, 20);
    found.release(&found);
    assert_true(becomes(&fake()->statements, 0));
    wr_adbc_database_release(database);
}

static void a_reader_that_finds_none_left_has_no_rows_and_no_connection(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(OPTIONS("pool.max", "1"));
    struct weir_scan found;
    struct part parts[MOST_READERS];
    scan_parts(database, "parts 2 5", MOST_READERS, &found);
    for (int32_t i = 0; i < MOST_READERS; i++) {
        parts[i] = (struct part){.scan = &found, .partition = i};
        read_part(&parts[i]);
        assert_int_equal(parts[i].sum, i == 0 ? 45 : 0);
        assert_int_equal(parts[i].n_rows, i == 0 ? 10 : 0);
    }
    assert_int_equal(fake()->connects, 1);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void with_one_connection_the_readers_take_turns(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(OPTIONS("pool.max", "1"));
    struct weir_scan found;
    struct part parts[MOST_READERS];
    scan_parts(database, "parts 9 5", MOST_READERS, &found);
    read_parts(&found, parts, MOST_READERS);
    int64_t n_rows = 0;
    for (int32_t i = 0; i < MOST_READERS; i++) {
        assert_int_equal(parts[i].error.code, 0);
        n_rows += parts[i].n_rows;
    }
    assert_int_equal(n_rows, 45);
    assert_int_equal(fake()->connects, 1);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void a_statement_without_partitions_has_no_rows(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part parts[2];
    scan_parts(database, "parts 0 5", 2, &found);
    read_parts(&found, parts, 2);
    assert_int_equal(parts[0].sum + parts[1].sum + parts[0].n_rows + parts[1].n_rows, 0);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void a_statement_that_fails_fails_all_readers_alike(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part parts[3];
    scan_parts(database, "fail 5 42601 what is this", 3, &found);
    int executions = fake()->executions;
    read_parts(&found, parts, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(parts[i].sum, -WEIR_INVALID_ARGUMENT);
        assert_string_equal(parts[i].error.sqlstate, "42601");
        assert_true(contains(parts[i].error.message, "what is this"));
    }
    assert_int_equal(fake()->executions, executions + 1);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void a_partition_that_fails_is_named(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part part = {.scan = &found};
    scan_parts(database, "parts_fail 3 5", 2, &found);
    read_part(&part);
    assert_int_equal(part.sum, -WEIR_INVALID_DATA);
    assert_string_equal(part.error.sqlstate, "22012");
    assert_true(contains(part.error.message, "partition 3 of 3"));
    found.release(&found);
    wr_adbc_database_release(database);
}

static void partitions_of_other_types_are_an_error(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part part = {.scan = &found};
    scan_parts(database, "parts_differ 2 5", 2, &found);
    read_part(&part);
    assert_int_equal(part.sum, -WEIR_INVALID_DATA);
    assert_true(contains(part.error.message, "partition 2 of 2"));
    assert_true(contains(part.error.message, "of other types than those before"));
    found.release(&found);
    wr_adbc_database_release(database);
}

static void connections_that_were_lost_lose_no_partition(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part parts[3];
    scan_parts(database, "parts 9 10", 3, &found);
    read_parts(&found, parts, 3); /* the pool has connections now */
    found.release(&found);
    fake()->generation++;
    scan_parts(database, "parts 9 10", 3, &found);
    read_parts(&found, parts, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(parts[i].error.code, 0);
    assert_int_equal(parts[0].sum + parts[1].sum + parts[2].sum, 90 * 89 / 2);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void *cancel_soon(void *scan) {
    struct weir_scan *found = scan;
    sleep_ms(100);
    found->cancel(found);
    return NULL;
}

static void cancel_ends_all(const char *statement, int expected_partitions) {
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct part parts[3];
    pthread_t canceller;
    scan_parts(database, statement, 3, &found);
    int64_t begin = now_ms();
    pthread_create(&canceller, NULL, cancel_soon, &found);
    read_parts(&found, parts, 3);
    assert_in_range(now_ms() - begin, 50, 2000);
    pthread_join(canceller, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(parts[i].sum, -WEIR_CANCELLED);
    assert_int_equal(fake()->partitions, expected_partitions);
    found.release(&found);
    /* The driver was told, and nothing goes on. */
    assert_true(becomes(&fake()->statements, 0));
    assert_true(becomes(&fake()->streams, 0));
    wr_adbc_database_release(database);
}

static void cancel_reaches_all_that_read(void **state) {
    (void)state;
    cancel_ends_all("parts_hang 3 15", 3);
}

static void cancel_reaches_all_that_wait_for_the_statement(void **state) {
    (void)state;
    cancel_ends_all("hang", 0);
}

static void a_reader_that_goes_away_leaves_its_partitions_to_nobody(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    struct weir_scan found;
    struct ArrowArrayStream rows;
    struct ArrowArray array = {0};
    scan_parts(database, "parts 5 1000", 2, &found);
    assert_int_equal(found.open(&found, 0, &rows, NULL), WEIR_OK);
    assert_int_equal(rows.get_next(&rows, &array), 0);
    array.release(&array);
    rows.release(&rows);
    found.cancel(&found);
    found.release(&found);
    assert_true(becomes(&fake()->streams, 0));
    assert_int_equal(fake_query(database, "rows 3", NULL, NULL), WEIR_OK);
    wr_adbc_database_release(database);
}

static void drivers_without_partitions_are_known(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    assert_false(wr_adbc_database_has_partitions(database));
    wr_adbc_database_release(database);
}

static void every_allocation_that_fails_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    struct wr_adbc_database *database = open_database(NULL);
    for (int64_t n = 1; n <= 60; n++) {
        struct weir_error error = {0};
        struct weir_scan found;
        struct ArrowSchema schema;
        fake_schema(&schema);
        wr_alloc_fail_at(n);
        int code = wr_adbc_scan_parts(database, "parts 3 20", 2, &schema, &found, &error);
        if (!code) {
            struct part part = {.scan = &found};
            read_part(&part);
            code = part.sum < 0 ? (int)-part.sum : WEIR_OK;
            error = part.error;
            if (!code) assert_int_equal(part.n_rows, 60);
            found.release(&found);
        }
        wr_alloc_fail_at(0);
        schema.release(&schema);
        if (code) assert_string_equal(error.sqlstate, "53200");
        assert_true(becomes(&fake()->statements, 0));
    }
    wr_adbc_database_release(database);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(each_partition_is_read_once_by_one_of_the_readers),
        CASE(a_reader_that_finds_none_left_has_no_rows_and_no_connection),
        CASE(with_one_connection_the_readers_take_turns),
        CASE(a_statement_without_partitions_has_no_rows),
        CASE(a_statement_that_fails_fails_all_readers_alike),
        CASE(a_partition_that_fails_is_named),
        CASE(partitions_of_other_types_are_an_error),
        CASE(connections_that_were_lost_lose_no_partition),
        CASE(cancel_reaches_all_that_read),
        CASE(cancel_reaches_all_that_wait_for_the_statement),
        CASE(a_reader_that_goes_away_leaves_its_partitions_to_nobody),
        CASE(drivers_without_partitions_are_known),
        CASE(every_allocation_that_fails_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("adbc partitions", tests, NULL, NULL);
}
