/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/call.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/reader.h"
#include "table/adbc/sqlite.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void scan(struct wr_adbc_database *database, const char *const *statements, size_t n,
                 struct weir_scan *ret_scan) {
    struct ArrowSchema schema;
    struct weir_error error = {0};
    fake_schema(&schema);
    if (wr_adbc_scan(database, statements, n, &schema, ret_scan, &error))
        fail_msg("%s", error.message);
    schema.release(&schema);
}

/* ---- Rows ---- */

static void nothing_runs_before_its_partition_is_opened(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_scan found;
    int executions = fake()->executions;
    scan(database, OPTIONS("rows 35"), 1, &found);
    assert_int_equal(found.n_partitions, 1);
    assert_int_equal(fake()->executions, executions);
    struct ArrowArrayStream rows;
    int64_t n_rows = 0;
    assert_int_equal(found.open(&found, 0, &rows, NULL), WEIR_OK);
    assert_int_equal(fake_sum(&rows, &n_rows, NULL), 35 * 34 / 2);
    assert_int_equal(n_rows, 35);
    rows.release(&rows);
    found.release(&found);
    wr_adbc_database_release(database);
}

struct part {
    struct weir_scan *scan;
    int32_t partition;
    int64_t sum;
    struct weir_error error;
};

static void *read_part(void *context) {
    struct part *part = context;
    struct ArrowArrayStream rows;
    part->sum = -part->scan->open(part->scan, part->partition, &rows, &part->error);
    if (part->sum < 0) return NULL;
    part->sum = fake_sum(&rows, NULL, &part->error);
    rows.release(&rows);
    return NULL;
}

static void several_statements_are_read_in_turn_in_one_transaction(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_scan found;
    pthread_t threads[4];
    struct part parts[4];
    scan(database, OPTIONS("rows 3", "rows 0", "rows 15", "rows 2000"), 4, &found);
    assert_int_equal(found.n_partitions, 4);
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct part){.scan = &found, .partition = i};
        pthread_create(&threads[i], NULL, read_part, &parts[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(parts[0].sum, 3);
    assert_int_equal(parts[1].sum, 0);
    assert_int_equal(parts[2].sum, 105);
    assert_int_equal(parts[3].sum, 1999000);
    found.release(&found);
    assert_true(becomes(&fake()->rollbacks, 1));
    assert_true(becomes(&fake()->statements, 0));
    assert_int_equal(fake()->connects, 1);
    assert_int_equal(fake_query(database, "rows 3", NULL, NULL), WEIR_OK);
    wr_adbc_database_release(database);
}

static void parts_that_nobody_opens_leave_nothing_open(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.max", "1"));
    struct weir_scan found;
    struct part part = {.scan = &found, .partition = 1};
    scan(database, OPTIONS("rows 3", "rows 5"), 2, &found);
    read_part(&part);
    assert_int_equal(part.sum, 10);
    found.release(&found);
    assert_true(becomes(&fake()->rollbacks, 1));
    assert_int_equal(fake_query(database, "rows 3", NULL, NULL), WEIR_OK);
    wr_adbc_database_release(database);
}

static void a_part_that_fails_fails_the_others(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_scan found;
    struct part first = {.scan = &found, .partition = 0}, second = {.scan = &found, .partition = 1};
    scan(database, OPTIONS("fail_after 10", "rows 5"), 2, &found);
    read_part(&first);
    assert_int_equal(first.sum, -WEIR_INVALID_DATA);
    read_part(&second);
    assert_int_equal(second.sum, -WEIR_INVALID_STATE);
    assert_true(contains(second.error.message, "another part of these rows has failed"));
    found.release(&found);
    assert_int_equal(fake_query(database, "rows 3", NULL, NULL), WEIR_OK);
    wr_adbc_database_release(database);
}

static void rows_of_another_width_are_an_error(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowSchema schema;
    struct weir_scan found;
    struct weir_error error = {0};
    struct ArrowArrayStream rows;
    fake_schema(&schema);
    schema.children[0]->release(schema.children[0]);
    schema.n_children = 0;
    assert_int_equal(wr_adbc_scan(database, OPTIONS("rows 3"), 1, &schema, &found, NULL), WEIR_OK);
    assert_int_equal(found.open(&found, 0, &rows, &error), WEIR_INVALID_DATA);
    assert_true(contains(error.message, "the rows have 1 columns instead of 0"));
    schema.n_children = 1;
    schema.release(&schema);
    found.release(&found);
    wr_adbc_database_release(database);
}

/* SQLite's batches are full but for the last: a short one is looked behind at once. */
static void a_short_result_ends_with_its_start(void **state) {
    (void)state;
    char library[512];
    snprintf(library, sizeof library, "%s/libadbc_driver_sqlite.so", test_directory());
    assert_int_equal(symlink(FAKE_DRIVER, library), 0);
    struct weir_option options[] = {{"driver", library}, {"entrypoint", "AdbcDriverFakeInit"}};
    struct wr_adbc_database *database;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_database_open("far", options, 2, &database, NULL), WEIR_OK);
    for (int n = 0; n <= 35; n += 5) {
        char sql[16];
        int64_t n_rows = 0;
        snprintf(sql, sizeof sql, "rows %d", n);
        assert_int_equal(wr_adbc_query(database, sql, &rows, NULL), WEIR_OK);
        if (n <= 10) assert_int_equal(fake()->statements, 0);
        assert_int_equal(fake_sum(&rows, &n_rows, NULL), n * (n - 1) / 2);
        assert_int_equal(n_rows, n);
        assert_int_equal(fake_sum(&rows, &n_rows, NULL), 0);
        assert_int_equal(n_rows, 0);
        rows.release(&rows);
    }
    assert_int_equal(fake_query(database, "fail_after 20", NULL, &error), WEIR_INVALID_DATA);
    /* Not read, or cancelled. */
    assert_int_equal(wr_adbc_query(database, "rows 5", &rows, NULL), WEIR_OK);
    rows.release(&rows);
    assert_int_equal(wr_adbc_query(database, "rows 15", &rows, NULL), WEIR_OK);
    rows.release(&rows);
    wr_adbc_database_release(database);
}

/* ---- Errors ---- */

static void errors_keep_code_and_sqlstate_and_name_the_database(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_error error = {0};
    assert_int_equal(fake_query(database, "fail 3 42P01 no table here", NULL, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "42P01");
    assert_string_equal(error.message, "database \"far\": no table here");
    assert_int_equal(error.vendor_code, 0);
    assert_int_equal(fake_query(database, "fail 8 - not unique", NULL, &error), WEIR_INTEGRITY);
    assert_string_equal(error.sqlstate, "23000");
    assert_int_equal(fake_query(database, "fail 200 - odd", NULL, &error), WEIR_UNKNOWN);
    assert_int_equal(
        fake_query(database, "fail 5 42601 at " FAKE_URL " with " PASSWORD, NULL, &error),
        WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "database \"far\": at *** with ***");
    assert_int_equal(
        fake_query(database, "fail 10 57014 canceling due to statement timeout", NULL, &error),
        WEIR_TIMEOUT);
    wr_adbc_database_release(database);
}

static void an_error_after_rows_comes_after_them(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    struct ArrowArray array;
    assert_int_equal(wr_adbc_query(database, "fail_after 10", &rows, NULL), WEIR_OK);
    assert_int_equal(wr_arrow_stream_next(&rows, "rows", &array, NULL), WEIR_OK);
    assert_int_equal(array.length, 10);
    array.release(&array);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wr_arrow_stream_next(&rows, "rows", &array, &error), WEIR_INVALID_DATA);
        assert_string_equal(error.sqlstate, "22012");
        assert_string_equal(error.message, "rows: database \"far\": division by zero");
    }
    rows.release(&rows);
    /* Its connection is not used again. */
    assert_true(becomes(&fake()->connections, 0));
    wr_adbc_database_release(database);
}

static void a_wrong_statement_leaves_its_connection_in_the_pool(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fake_query(database, "fail 3 42P01 none", NULL, NULL), WEIR_NOT_FOUND);
        assert_true(becomes(&fake()->statements, 0));
        sleep_ms(5);
    }
    assert_int_equal(fake()->connects, 1);
    wr_adbc_database_release(database);
}

static void names_that_are_not_there_are_not_found(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowSchema schema;
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_table_schema(database, NULL, NULL, "t", &schema, NULL), WEIR_OK);
    assert_string_equal(schema.children[0]->name, "a");
    schema.release(&schema);
    assert_int_equal(wr_adbc_table_schema(database, NULL, NULL, "u", &schema, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "42P01");
    assert_int_equal(fake()->connects, 1);
    /* What the driver does not have. */
    assert_int_equal(wr_adbc_objects(database, NULL, NULL, NULL, &rows, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_int_equal(wr_adbc_statistics(database, NULL, NULL, "t", &rows, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_true(contains(error.message, "database \"far\": the driver cannot do this"));
    wr_adbc_database_release(database);
}

/* ---- Cancel ---- */

static void *cancel_soon(void *context) {
    struct weir_scan *found = context;
    sleep_ms(50);
    found->cancel(found);
    return NULL;
}

static void assert_cancelled(const char *statement, bool first) {
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_scan found;
    struct ArrowArrayStream rows;
    struct ArrowArray array;
    struct weir_error error = {0};
    pthread_t thread;
    scan(database, OPTIONS(statement), 1, &found);
    pthread_create(&thread, NULL, cancel_soon, &found);
    int64_t start = now_ms();
    int code = found.open(&found, 0, &rows, &error);
    if (!first) {
        assert_int_equal(code, WEIR_OK);
        code = wr_arrow_stream_next(&rows, "rows", &array, &error);
        assert_int_equal(code, WEIR_OK);
        array.release(&array);
        code = wr_arrow_stream_next(&rows, "rows", &array, &error);
        rows.release(&rows);
    }
    assert_int_equal(code, WEIR_CANCELLED);
    assert_string_equal(error.sqlstate, "57014");
    assert_true(now_ms() - start < 1000);
    pthread_join(thread, NULL);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void cancel_reaches_a_statement_that_executes(void **state) {
    (void)state;
    assert_cancelled("hang", true);
    assert_true(fake()->cancels >= 1);
}

static void cancel_reaches_a_statement_that_gives_rows(void **state) {
    (void)state;
    assert_cancelled("hang_after 10", false);
    assert_true(fake()->cancels >= 1);
}

static void whoever_waits_returns_though_the_driver_cannot_cancel(void **state) {
    (void)state;
    fake()->no_cancel = true;
    assert_cancelled("hang", true);
    assert_int_equal(fake()->cancels, 0);
    /* It still runs, and is closed when it ends. */
    assert_int_equal(fake()->statements, 1);
    fake()->let_go = true;
    assert_true(becomes(&fake()->statements, 0));
}

static void a_scan_cancelled_before_it_is_opened_does_not_run(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct weir_scan found;
    struct ArrowArrayStream rows;
    int executions = fake()->executions;
    scan(database, OPTIONS("hang"), 1, &found);
    found.cancel(&found);
    found.cancel(&found);
    assert_int_equal(found.open(&found, 0, &rows, NULL), WEIR_CANCELLED);
    assert_int_equal(fake()->executions, executions);
    found.release(&found);
    wr_adbc_database_release(database);
}

static void *cancel_often(void *context) {
    struct weir_scan *found = context;
    for (int i = 0; i < 20; i++)
        found->cancel(found);
    return NULL;
}

static void cancelling_while_reading_and_releasing_is_safe(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("pool.max", "4"));
    for (int i = 0; i < 200; i++) {
        struct weir_scan found;
        struct ArrowArrayStream rows;
        pthread_t thread;
        scan(database, OPTIONS(i % 2 ? "rows 1000" : "hang_after 20"), 1, &found);
        pthread_create(&thread, NULL, cancel_often, &found);
        if (found.open(&found, 0, &rows, NULL) == WEIR_OK) {
            fake_sum(&rows, NULL, NULL);
            rows.release(&rows);
        }
        pthread_join(thread, NULL);
        found.release(&found);
    }
    wr_adbc_database_release(database);
}

static void a_statement_that_runs_too_long_is_ended(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("statement_timeout", "100ms"));
    struct weir_error error = {0};
    int64_t start = now_ms();
    assert_int_equal(fake_query(database, "hang", NULL, &error), WEIR_TIMEOUT);
    assert_int_equal(fake_query(database, "hang_after 10", NULL, &error), WEIR_TIMEOUT);
    assert_true(now_ms() - start < 1500);
    assert_string_equal(error.sqlstate, "57014");
    assert_true(contains(error.message, "statement_timeout, which is 100 ms"));
    assert_int_equal(fake_query(database, "rows 10", NULL, &error), WEIR_OK);
    wr_adbc_database_release(database);
}

static void a_reader_that_goes_away_ends_the_statement(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowArrayStream rows;
    assert_int_equal(wr_adbc_query(database, "rows 100000", &rows, NULL), WEIR_OK);
    rows.release(&rows);
    assert_true(becomes(&fake()->statements, 0));
    assert_true(fake()->cancels >= 1);
    wr_adbc_database_release(database);
}

/* ---- Changes ---- */

static void a_change_gives_the_drivers_count(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    int64_t n_rows = 0;
    assert_int_equal(wr_adbc_change(database, "change 42", &n_rows, NULL), WEIR_OK);
    assert_int_equal(n_rows, 42);
    assert_int_equal(wr_adbc_change(database, "something", &n_rows, NULL), WEIR_OK);
    assert_int_equal(n_rows, -1);
    assert_int_equal(fake()->connects, 1);
    wr_adbc_database_release(database);
}

static void *cancel_the_call(void *call) {
    while (fake()->executions == 0)
        sleep_ms(1);
    wr_call_cancel(call);
    return NULL;
}

static void a_change_is_cancelled_in_the_database(void **state) {
    (void)state;
    struct wr_call_service service;
    struct weir_error error = {0};
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct wr_call *call = wr_call_new();
    pthread_t thread;
    wr_call_serve(&service, call);
    assert_int_equal(pthread_create(&thread, NULL, cancel_the_call, call), 0);
    int64_t started = now_ms();
    assert_int_equal(wr_adbc_change(database, "hang", NULL, &error), WEIR_CANCELLED);
    assert_true(now_ms() - started < 1500);
    pthread_join(thread, NULL);
    wr_call_unserve(&service);
    wr_call_release(call);
    assert_true(fake()->cancels > 0);
    assert_null(strstr(error.message, "not known"));
    wr_adbc_database_release(database);
}

static void a_change_that_runs_too_long_is_an_error_that_says_what_is_not_known(void **state) {
    (void)state;
    fake()->no_cancel = true;
    struct wr_adbc_database *database = fake_must_open(OPTIONS("statement_timeout", "80ms"));
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_change(database, "hang", NULL, &error), WEIR_TIMEOUT);
    assert_true(contains(error.message, "whether it was done is not known"));
    fake()->let_go = true;
    assert_true(becomes(&fake()->statements, 0));
    wr_adbc_database_release(database);
}

/* ---- Texts ---- */

static int check_texts(const char *const *texts, const int *lengths, size_t n) {
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowSchema schema;
    struct ArrowArray array;
    ArrowSchemaInit(&schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(&schema, 1), 0);
    assert_int_equal(ArrowSchemaSetType(schema.children[0], NANOARROW_TYPE_STRING), 0);
    assert_int_equal(ArrowArrayInitFromSchema(&array, &schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(&array), 0);
    for (size_t i = 0; i < n; i++) {
        struct ArrowStringView text = {texts[i], lengths[i]};
        assert_int_equal(ArrowArrayAppendString(array.children[0], text), 0);
        assert_int_equal(ArrowArrayFinishElement(&array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(&array, NULL), 0);
    struct weir_error error = {0};
    int code = wr_adbc_check_texts(database, &schema, &array, &error);
    if (code) assert_string_equal(error.sqlstate, "22021");
    array.release(&array);
    schema.release(&schema);
    wr_adbc_database_release(database);
    return code;
}

static void texts_that_are_not_utf8_are_refused(void **state) {
    (void)state;
    static const char *const good[] = {"plain text of ascii", "", "\u00e9\U0001F600"};
    static const char *const bad[] = {"plain text of ascii", "\xff"};
    /* Two halves of one character, which are right only together. */
    static const char *const halves[] = {"\xc3", "\xa9"};
    assert_int_equal(check_texts(good, (const int[]){19, 0, 6}, 3), WEIR_OK);
    assert_int_equal(check_texts(bad, (const int[]){19, 1}, 2), WEIR_INVALID_DATA);
    assert_int_equal(check_texts(halves, (const int[]){1, 1}, 2), WEIR_INVALID_DATA);
}

/* ---- SQLite's first row ---- */

static void sqlite_is_told_the_types_by_a_row_of_their_own(void **state) {
    (void)state;
    static const char *const formats[] = {"l", "u", "g", "z", "tdD", "d:10,2", "b", "vu", "vz"};
    struct ArrowSchema children[N_OF(formats)], *pointers[N_OF(formats)];
    struct ArrowSchema schema = {.format = "+s", .n_children = N_OF(formats), .children = pointers};
    for (size_t i = 0; i < N_OF(formats); i++) {
        children[i] = (struct ArrowSchema){.format = formats[i], .name = "x"};
        pointers[i] = &children[i];
    }
    char *sql = NULL, **types = NULL;
    assert_int_equal(wr_adbc_sqlite_statement("SELECT 1 -- c", &schema, &sql, NULL), WEIR_OK);
    assert_string_equal(
        sql, "WITH weir (c0, c1, c2, c3, c4, c5, c6, c7, c8) AS (SELECT 1 -- c\n) "
             "SELECT 0, '', 0.5, x'00', '', 0.5, 0, '', x'00' UNION ALL "
             "SELECT c0, CAST(c1 AS TEXT), c2, CAST(c3 AS BLOB), CAST(c4 AS TEXT), c5, c6, "
             "CAST(c7 AS TEXT), CAST(c8 AS BLOB) FROM weir");
    assert_int_equal(wr_adbc_sqlite_types(&schema, &types, NULL), WEIR_OK);
    static const char expected[] = "lugzuglu"
                                   "z";
    for (size_t i = 0; i < N_OF(formats); i++) {
        assert_int_equal(types[i][0], expected[i]);
        wr_free(types[i]);
    }
    wr_free(types);
    wr_free(sql);
}

/* ---- Memory ---- */

static void every_allocation_that_fails_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    struct wr_adbc_database *database = fake_must_open(NULL);
    for (int64_t n = 1; n <= 80; n++) {
        struct weir_error error = {0};
        struct weir_scan found;
        struct ArrowSchema schema;
        struct ArrowArrayStream rows;
        fake_schema(&schema);
        wr_alloc_fail_at(n);
        int code = wr_adbc_scan(database, OPTIONS("rows 20", "rows 3"), 2, &schema, &found, &error);
        if (!code) {
            code = found.open(&found, 0, &rows, &error);
            if (!code) {
                if (fake_sum(&rows, NULL, &error) < 0) code = error.code;
                rows.release(&rows);
            }
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
        CASE(nothing_runs_before_its_partition_is_opened),
        CASE(several_statements_are_read_in_turn_in_one_transaction),
        CASE(parts_that_nobody_opens_leave_nothing_open),
        CASE(a_part_that_fails_fails_the_others),
        CASE(rows_of_another_width_are_an_error),
        CASE(a_short_result_ends_with_its_start),
        CASE(errors_keep_code_and_sqlstate_and_name_the_database),
        CASE(an_error_after_rows_comes_after_them),
        CASE(a_wrong_statement_leaves_its_connection_in_the_pool),
        CASE(names_that_are_not_there_are_not_found),
        CASE(cancel_reaches_a_statement_that_executes),
        CASE(cancel_reaches_a_statement_that_gives_rows),
        CASE(whoever_waits_returns_though_the_driver_cannot_cancel),
        CASE(a_scan_cancelled_before_it_is_opened_does_not_run),
        CASE(cancelling_while_reading_and_releasing_is_safe),
        CASE(a_statement_that_runs_too_long_is_ended),
        CASE(a_reader_that_goes_away_ends_the_statement),
        CASE(a_change_gives_the_drivers_count),
        CASE(a_change_is_cancelled_in_the_database),
        CASE(a_change_that_runs_too_long_is_an_error_that_says_what_is_not_known),
        CASE(texts_that_are_not_utf8_are_refused),
        CASE(sqlite_is_told_the_types_by_a_row_of_their_own),
        CASE(every_allocation_that_fails_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("adbc scans", tests, NULL, NULL);
}
