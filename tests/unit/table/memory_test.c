/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "table/registered.h"
#include "table/registry.h"

static const struct weir_scan_request everything = {
    .size = sizeof everything, .all_columns = 1, .limit = -1};

static struct wr_registry *registry;
static struct wr_instance *instance;
static const struct weir_table_kind *kind;
static void *table;

static int open_memory(struct weir_error *error) {
    struct ArrowSchema columns;
    rows_schema(&columns);
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = "public",
                                         .name = "t",
                                         .kind = "memory",
                                         .columns = &columns};
    int code = wr_instance_open(registry, &definition, &instance, error);
    columns.release(&columns);
    return code;
}

static int setup(void **state) {
    (void)state;
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    assert_int_equal(open_memory(NULL), WEIR_OK);
    kind = wr_instance_kind(instance);
    table = wr_instance_data(instance);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wr_instance_release(instance);
    wr_registry_free(registry);
    return 0;
}

static int insert(int mode, struct rows_plan plan, struct weir_error *error) {
    struct ArrowArrayStream stream;
    int64_t n_rows = -7;
    rows_stream(plan, &stream);
    int code = wr_instance_insert(instance, mode, &stream, &n_rows, error);
    assert_null(stream.release);
    assert_int_equal(n_rows, code ? -7 : (int64_t)plan.n_batches * plan.batch_length);
    return code;
}

static void assert_rows(int64_t n_rows, int64_t sum) {
    int64_t found_rows = 0;
    int64_t found_sum = 0;
    assert_int_equal(rows_scan(kind, table, &everything, 0, &found_sum, &found_rows, NULL), 0);
    assert_int_equal(found_rows, n_rows);
    assert_int_equal(found_sum, sum);
}

static void scan_gives_every_inserted_row_once(void **state) {
    (void)state;
    assert_rows(0, 0);
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){3, 10, 0, 0, 0}, NULL), 0);
    assert_rows(30, 435);
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){20, 5, 30, 0, 0}, NULL), 0);
    assert_rows(130, 129 * 130 / 2);
}

static void overwrite_replaces_all_rows(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){3, 10, 0, 0, 0}, NULL), 0);
    assert_int_equal(insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){1, 2, 5, 0, 0}, NULL), 0);
    assert_rows(2, 11);
    assert_int_equal(insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){0}, NULL), 0);
    assert_rows(0, 0);
}

static void a_stream_that_fails_leaves_the_table_as_it_was(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){1, 4, 0, 0, 0}, NULL), 0);
    assert_int_not_equal(insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){3, 10, 0, 0, 2}, &error),
                         0);
    assert_non_null(strstr(error.message, "the disk is gone"));
    assert_rows(4, 6);
}

static void null_in_a_not_null_column_is_refused_by_name(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){3, 4, 0, 3, 0}, &error),
                     WEIR_INTEGRITY);
    assert_string_equal(error.sqlstate, "23502");
    assert_non_null(strstr(error.message, "\"id\""));
    assert_rows(0, 0);
}

static void rows_of_another_type_are_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct ArrowArrayStream stream;
    int64_t n_rows = 0;
    assert_int_equal(wr_arrow_empty_stream(&stream, NULL), WEIR_OK);
    assert_int_equal(wr_instance_insert(instance, WEIR_INSERT_APPEND, &stream, &n_rows, &error),
                     WEIR_INVALID_DATA);
    assert_string_equal(error.message, "table \"t\" has 2 columns but the rows have 0");
}

static void projection_gives_the_asked_columns_in_order(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){2, 3, 0, 0, 0}, NULL), 0);
    int64_t sum = 0;
    int64_t n_rows = 0;
    struct weir_scan_request request = {.size = sizeof request, .limit = -1};
    request.columns = (const int32_t[]){1, 0};
    request.n_columns = 2;
    assert_int_equal(rows_scan(kind, table, &request, 1, &sum, &n_rows, NULL), 0);
    assert_int_equal(sum, 15);
    struct weir_scan scan;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    assert_int_equal(kind->scan(table, &request, &scan, NULL), 0);
    assert_int_equal(scan.open(&scan, 0, &stream, NULL), 0);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_int_equal(schema.n_children, 2);
    assert_string_equal(schema.children[0]->name, "name");
    assert_string_equal(schema.children[1]->name, "id");
    schema.release(&schema);
    stream.release(&stream);
    scan.release(&scan);
}

static void a_scan_of_no_columns_still_counts_rows(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){2, 3, 0, 0, 0}, NULL), 0);
    int64_t sum = 0;
    int64_t n_rows = 0;
    struct weir_scan_request request = {.size = sizeof request, .limit = -1};
    assert_int_equal(rows_scan(kind, table, &request, -1, &sum, &n_rows, NULL), 0);
    assert_int_equal(n_rows, 6);
}

static void limit_reads_no_more_batches_than_it_needs(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){40, 10, 0, 0, 0}, NULL), 0);
    const struct {
        int64_t limit;
        int64_t n_rows;
    } cases[] = {{0, 0}, {1, 10}, {10, 10}, {11, 20}, {399, 400}, {5000, 400}, {-1, 400}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct weir_scan_request request = everything;
        int64_t sum = 0;
        int64_t n_rows = 0;
        request.limit = cases[i].limit;
        assert_int_equal(rows_scan(kind, table, &request, 0, &sum, &n_rows, NULL), 0);
        assert_int_equal(n_rows, cases[i].n_rows);
    }
}

static void a_small_table_is_one_partition_and_a_large_one_several(void **state) {
    (void)state;
    struct weir_scan scan;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){20, 1, 0, 0, 0}, NULL), 0);
    assert_int_equal(kind->scan(table, &everything, &scan, NULL), 0);
    assert_int_equal(scan.n_partitions, 1);
    scan.release(&scan);
    assert_int_equal(insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){60, 4096, 0, 0, 0}, NULL), 0);
    assert_int_equal(kind->scan(table, &everything, &scan, NULL), 0);
    assert_in_range(scan.n_partitions, 2, 60);
    int64_t all_rows = 0;
    int64_t sum = 0;
    for (int32_t i = 0; i < scan.n_partitions; i++) {
        struct ArrowArrayStream stream;
        int64_t n_rows = 0;
        assert_int_equal(scan.open(&scan, i, &stream, NULL), 0);
        sum += rows_sum(&stream, 0, &n_rows);
        assert_true(n_rows > 0);
        all_rows += n_rows;
        stream.release(&stream);
    }
    scan.release(&scan);
    const int64_t n = 60 * 4096;
    assert_int_equal(all_rows, n);
    assert_int_equal(sum, n * (n - 1) / 2);
}

static void a_scan_keeps_the_rows_it_began_with(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){2, 5, 0, 0, 0}, NULL), 0);
    struct weir_scan scan;
    struct ArrowArrayStream stream;
    int64_t n_rows = 0;
    int64_t sum = 0;
    assert_int_equal(kind->scan(table, &everything, &scan, NULL), 0);
    assert_int_equal(insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){1, 1, 9, 0, 0}, NULL), 0);
    for (int32_t i = 0; i < scan.n_partitions; i++) {
        assert_int_equal(scan.open(&scan, i, &stream, NULL), 0);
        sum += rows_sum(&stream, 0, &n_rows);
        stream.release(&stream);
    }
    assert_int_equal(n_rows, 10);
    assert_int_equal(sum, 45);
    scan.release(&scan);
    assert_rows(1, 9);
}

static void statistics_count_the_rows_exactly(void **state) {
    (void)state;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){2, 5, 0, 0, 0}, NULL), 0);
    struct weir_statistics statistics = {.size = sizeof statistics};
    assert_int_equal(kind->statistics(table, &statistics, NULL), 0);
    assert_int_equal(statistics.n_rows, 10);
    assert_int_equal(statistics.exact, 1);
    statistics.release(&statistics);
}

static void a_memory_table_needs_columns(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_instance *none = NULL;
    struct weir_definition definition = {.size = sizeof definition, .name = "t", .kind = "memory"};
    assert_int_equal(wr_instance_open(registry, &definition, &none, &error), WEIR_INVALID_ARGUMENT);
    assert_null(none);
    assert_true(wr_instance_is_temporary(instance));
}

static void every_failed_allocation_of_insert_and_scan_is_an_error_without_a_leak(void **state) {
    (void)state;
    int64_t sum = 0;
    int64_t n_rows = 0;
    assert_int_equal(insert(WEIR_INSERT_APPEND, (struct rows_plan){2, 5, 0, 0, 0}, NULL), 0);
    int64_t n = 1;
    for (;; n++) {
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = insert(WEIR_INSERT_OVERWRITE, (struct rows_plan){12, 5, 0, 0, 0}, &error);
        int64_t made = wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
        assert_true(made >= n);
        assert_string_equal(error.sqlstate, "53200");
        assert_rows(10, 45);
    }
    assert_true(n > 12);
    const struct weir_scan_request request = {
        .size = sizeof request, .columns = (const int32_t[]){0}, .n_columns = 1, .limit = -1};
    for (n = 1;; n++) {
        wr_alloc_fail_at(n);
        int code = rows_scan(kind, table, &request, 0, &sum, &n_rows, NULL);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
    }
    assert_int_equal(sum, 59 * 60 / 2);
    for (n = 1;; n++) {
        struct wr_instance *other = instance;
        wr_alloc_fail_at(n);
        int code = open_memory(NULL);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) wr_instance_release(instance);
        instance = other;
        if (code == WEIR_OK) break;
    }
    assert_true(n > 4);
}

/* ---- Registered streams ---- */

static struct wr_instance *once(struct rows_plan plan) {
    struct ArrowSchema columns;
    struct ArrowArrayStream stream;
    struct wr_instance *made = NULL;
    rows_schema(&columns);
    rows_stream(plan, &stream);
    assert_int_equal(
        wr_registered_new("weir", "public", "s", &columns, WEIR_REGISTER_ONCE, &made, NULL),
        WEIR_OK);
    columns.release(&columns);
    wr_registered_fill(made, &stream);
    assert_null(stream.release);
    return made;
}

static void the_first_scan_reads_a_registered_stream_and_the_second_is_an_error(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_instance *stream = once((struct rows_plan){4, 5, 0, 0, 0});
    const struct weir_table_kind *stream_kind = wr_instance_kind(stream);
    void *data = wr_instance_data(stream);
    const struct weir_scan_request request = {
        .size = sizeof request, .columns = (const int32_t[]){0}, .n_columns = 1, .limit = 7};
    struct weir_scan planned_only;
    assert_int_equal(stream_kind->scan(data, &request, &planned_only, NULL), WEIR_OK);
    int64_t sum = 0;
    int64_t n_rows = 0;
    assert_int_equal(rows_scan(stream_kind, data, &request, 0, &sum, &n_rows, NULL), WEIR_OK);
    assert_int_equal(n_rows, 10);
    assert_int_equal(sum, 45);
    assert_int_equal(rows_scan(stream_kind, data, &request, 0, &sum, &n_rows, &error),
                     WEIR_INVALID_STATE);
    assert_non_null(strstr(error.message, "table \"s\" is a stream that was read already"));
    struct ArrowArrayStream late = {0};
    assert_int_equal(planned_only.open(&planned_only, 0, &late, NULL), WEIR_INVALID_STATE);
    assert_null(late.release);
    planned_only.release(&planned_only);
    wr_instance_release(stream);
}

static void a_registered_stream_that_nobody_reads_is_released(void **state) {
    (void)state;
    wr_instance_release(once((struct rows_plan){4, 5, 0, 0, 0}));
}

static void a_failure_in_a_registered_stream_reaches_the_reader(void **state) {
    (void)state;
    struct wr_instance *stream = once((struct rows_plan){4, 5, 0, 0, 2});
    int64_t sum = 0;
    int64_t n_rows = 0;
    assert_int_equal(rows_scan(wr_instance_kind(stream), wr_instance_data(stream), &everything, 0,
                               &sum, &n_rows, NULL),
                     WEIR_IO);
    assert_int_equal(n_rows, 10);
    wr_instance_release(stream);
}

static void sql_cannot_make_a_stream_table(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_instance *none = NULL;
    struct weir_definition definition = {.size = sizeof definition, .name = "s", .kind = "stream"};
    assert_int_equal(wr_instance_open(registry, &definition, &none, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "weir_register_stream"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(scan_gives_every_inserted_row_once),
        TEST(overwrite_replaces_all_rows),
        TEST(a_stream_that_fails_leaves_the_table_as_it_was),
        TEST(null_in_a_not_null_column_is_refused_by_name),
        TEST(rows_of_another_type_are_refused),
        TEST(projection_gives_the_asked_columns_in_order),
        TEST(a_scan_of_no_columns_still_counts_rows),
        TEST(limit_reads_no_more_batches_than_it_needs),
        TEST(a_small_table_is_one_partition_and_a_large_one_several),
        TEST(a_scan_keeps_the_rows_it_began_with),
        TEST(statistics_count_the_rows_exactly),
        TEST(a_memory_table_needs_columns),
        TEST(every_failed_allocation_of_insert_and_scan_is_an_error_without_a_leak),
        TEST(the_first_scan_reads_a_registered_stream_and_the_second_is_an_error),
        TEST(a_registered_stream_that_nobody_reads_is_released),
        TEST(a_failure_in_a_registered_stream_reaches_the_reader),
        TEST(sql_cannot_make_a_stream_table),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
