/* SPDX-License-Identifier: Apache-2.0 */
/* Mode window: each row is in the copy or in the rest, never in both. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOUR (INT64_C(3600) * 1000000)

static void windowed(const char *options) {
    char sql[500];
    snprintf(sql, sizeof sql,
             "CREATE TABLE c USING cached OPTIONS (source 's', mode window, time_column 'ts', %s)",
             options);
    run(sql);
}

static const char *ids(const char *where) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT id FROM c %s ORDER BY id", where);
    return texts(sql);
}

static void rows_of_all_times_are_there_once(void **state) {
    (void)state;
    int64_t now = now_us();
    add_row(1, now - 100 * HOUR);
    add_row(2, now - 2 * HOUR);
    add_row(3, now - HOUR);
    add_row(4, now + HOUR);
    add_row(5, NO_TIME);
    windowed("max_age '1h', window '10h'");
    assert_string_equal(ids(""), "1 2 3 4 5 ");
    assert_string_equal(ids("WHERE ts IS NULL"), "5 ");
    assert_string_equal(ids("WHERE ts > now()"), "4 ");
    assert_int_equal(number("SELECT \"rows\" FROM system.caches"), 2);
}

static void a_window_may_begin_before_1970(void **state) {
    (void)state;
    add_row(1, -40000 * HOUR);
    add_row(2, now_us() - HOUR);
    windowed("max_age '1h', window '30000d'");
    assert_string_equal(ids(""), "1 2 ");
    assert_int_equal(number("SELECT \"rows\" FROM system.caches"), 2);
}

static void new_rows_outside_are_seen_at_once_and_inside_at_the_next_refresh(void **state) {
    (void)state;
    int64_t now = now_us();
    add_row(1, now - HOUR);
    windowed("max_age '1h', window '10h'");
    assert_string_equal(ids(""), "1 ");
    add_row(2, now - HOUR / 2);
    add_row(3, now - 20 * HOUR);
    add_row(4, now_us() + HOUR);
    add_row(5, NO_TIME);
    assert_string_equal(ids(""), "1 3 4 5 ");
    run("REFRESH TABLE c");
    assert_string_equal(ids(""), "1 2 3 4 5 ");
}

static void rows_at_the_bounds_are_there_once(void **state) {
    (void)state;
    windowed("max_age '1h', window '10h'");
    run("SELECT * FROM c");
    const char *start =
        texts("SELECT arrow_cast(arrow_cast(coverage_start, 'Timestamp(Microsecond, "
              "None)'), 'Int64') FROM system.caches");
    int64_t first = strtoll(start, NULL, 10);
    const char *end = texts("SELECT arrow_cast(arrow_cast(coverage_end, 'Timestamp(Microsecond, "
                            "None)'), 'Int64') FROM system.caches");
    int64_t last = strtoll(end, NULL, 10);
    assert_int_equal(last - first, 10 * HOUR);
    add_row(1, first - 1);
    add_row(2, first); /* covered: not before the next refresh */
    add_row(3, last - 1);
    add_row(4, last);
    assert_string_equal(ids(""), "1 4 ");
}

static void a_source_that_fails_makes_the_whole_fail(void **state) {
    (void)state;
    add_row(1, now_us() - HOUR);
    windowed("max_age '1h', window '10h', on_error stale");
    assert_string_equal(ids(""), "1 ");
    atomic_store(&store->fails, true);
    assert_int_not_equal(refused("SELECT * FROM c"), WEIR_OK);
}

static void a_column_that_is_no_time_is_refused(void **state) {
    (void)state;
    run("CREATE TABLE x USING cached OPTIONS (source 's', mode window, time_column 'id', "
        "window '1h', max_age '1h')");
    assert_int_equal(refused("SELECT * FROM x"), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "needs a timestamp or a date"));
}

static void dates_and_zones_have_windows_too(void **state) {
    (void)state;
    int64_t now = now_us();
    for (int i = 0; i < 5; i++)
        add_row(i, now - i * 24 * HOUR);
    run("CREATE VIEW days AS SELECT id, CAST(ts AS DATE) AS ts FROM s");
    run("CREATE VIEW zoned AS SELECT id, arrow_cast(ts, 'Timestamp(Microsecond, Some(\"UTC\"))') "
        "AS ts FROM s");
    run("CREATE TABLE d USING cached OPTIONS (source 'days', mode window, time_column 'ts', "
        "window '3d', max_age '1h')");
    run("CREATE TABLE z USING cached OPTIONS (source 'zoned', mode window, time_column 'ts', "
        "window '60h', max_age '1h')");
    assert_string_equal(texts("SELECT id FROM d ORDER BY id"), "0 1 2 3 4 ");
    assert_string_equal(texts("SELECT id FROM z ORDER BY id"), "0 1 2 3 4 ");
    assert_string_equal(texts("SELECT \"rows\" FROM system.caches ORDER BY name"), "3 3 ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rows_of_all_times_are_there_once),
        TEST(a_window_may_begin_before_1970),
        TEST(new_rows_outside_are_seen_at_once_and_inside_at_the_next_refresh),
        TEST(rows_at_the_bounds_are_there_once),
        TEST(a_source_that_fails_makes_the_whole_fail),
        TEST(a_column_that_is_no_time_is_refused),
        TEST(dates_and_zones_have_windows_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
