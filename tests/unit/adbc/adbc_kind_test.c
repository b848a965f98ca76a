/* SPDX-License-Identifier: Apache-2.0 */
/* The kind of table `adbc`, with a database that nobody knows more of than its driver says. */
#include "material.h"

#include <stdio.h>
#include <stdlib.h>

#include "arrow/arrow.h"

static const struct weir_table_kind *const kind = &wr_kind_adbc;

/* {key, value, ..., NULL} with the driver's own. */
static int open_table(const char *const *given, void **ret_table, struct weir_error *error) {
    struct weir_option options[16] = {{"url", FAKE_URL}, {"driver", FAKE_DRIVER}};
    struct weir_definition definition = {
        .size = sizeof definition, .name = "mine", .kind = "adbc", .options = options};
    definition.n_options = 2;
    for (; *given; given += 2)
        options[definition.n_options++] = (struct weir_option){given[0], given[1]};
    return kind->open(&definition, ret_table, error);
}

static void *must_open(const char *const *given) {
    struct weir_error error = {0};
    void *table = NULL;
    if (open_table(given, &table, &error)) fail_msg("%s", error.message);
    return table;
}

static int run(void *table, const char *sql, int64_t *ret_n_rows, struct weir_error *error) {
    struct weir_form form = {0};
    struct weir_scan scan = {0};
    struct ArrowArrayStream rows = {0};
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    int code = form.remote.execute(table, &sql, 1, &form.schema, &scan, error);
    if (code == WEIR_OK) {
        assert_int_equal(scan.n_partitions, 1);
        code = scan.open(&scan, 0, &rows, error);
        if (code == WEIR_OK) {
            int64_t sum = fake_sum(&rows, ret_n_rows, error);
            if (sum < 0) code = (int)-sum;
            wr_arrow_release_stream(&rows);
        }
        scan.release(&scan);
    }
    form.release(&form);
    return code;
}

static void a_table_has_the_columns_that_the_driver_says(void **state) {
    (void)state;
    struct weir_form form = {0};
    void *table = must_open((const char *const[]){"table", "t", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_int_equal(form.type, WEIR_FORM_REMOTE);
    assert_string_equal(form.remote.dialect, "generic");
    assert_string_equal(form.remote.table, "\"t\"");
    assert_null(strstr(form.remote.backend, PASSWORD));
    assert_int_equal(form.schema.n_children, 1);
    assert_string_equal(form.schema.children[0]->name, "a");
    assert_string_equal(form.schema.children[0]->format, "l");
    assert_null(form.remote.columns[0]);
    assert_int_equal(form.remote.n_partitions, 0);
    assert_non_null(form.remote.change);
    form.release(&form);
    assert_null(form.release);
    kind->close(table);
}

static void a_name_with_a_point_has_a_schema_unless_that_is_an_option(void **state) {
    (void)state;
    struct weir_form form = {0};
    void *table = must_open((const char *const[]){"table", "my \"s\".t", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_string_equal(form.remote.table, "\"my \"\"s\"\"\".\"t\"");
    form.release(&form);
    kind->close(table);
    struct weir_error error = {0};
    assert_int_equal(
        open_table((const char *const[]){"table", "s.t", "schema", "x", NULL}, &table, &error),
        WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message,
                           "table \"mine\" (kind adbc): there is no table \"s.t\" in the schema "
                           "\"x\""));
}

static void rows_and_failures_come_through(void **state) {
    (void)state;
    struct weir_error error = {0};
    int64_t n = 0;
    void *table = must_open((const char *const[]){"table", "t", NULL});
    assert_int_equal(run(table, "rows 25", &n, &error), WEIR_OK);
    assert_int_equal(n, 25);
    assert_int_equal(run(table, "fail 7 42703 no such column", &n, &error), WEIR_INVALID_DATA);
    assert_string_equal(error.sqlstate, "42703");
    assert_non_null(strstr(error.message, "database \"mine\""));
    assert_int_equal(run(table, "fail_after 15", &n, &error), WEIR_INVALID_DATA);
    assert_string_equal(error.sqlstate, "22012");
    kind->close(table);
}

static void a_change_gives_the_databases_count(void **state) {
    (void)state;
    struct weir_form form = {0};
    int64_t n = 0;
    void *table = must_open((const char *const[]){"table", "t", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_int_equal(form.remote.change(table, "change 7", &n, NULL), WEIR_OK);
    assert_int_equal(n, 7);
    form.release(&form);
    kind->close(table);
}

static void what_was_given_out_outlives_a_refresh(void **state) {
    (void)state;
    struct weir_form form = {0};
    void *table = must_open((const char *const[]){"table", "t", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_int_equal(kind->refresh(table, NULL), WEIR_OK);
    assert_null(form.remote.columns[0]);
    assert_string_equal(form.remote.table, "\"t\"");
    form.release(&form);
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    form.release(&form);
    kind->close(table);
}

static void nothing_is_exact_of_a_tables_statistics(void **state) {
    (void)state;
    struct weir_statistics statistics = {0};
    void *table = must_open((const char *const[]){"table", "t", NULL});
    assert_int_equal(kind->statistics(table, &statistics, NULL), WEIR_OK);
    assert_int_equal(statistics.n_rows, -1);
    assert_int_equal(statistics.n_bytes, -1);
    assert_int_equal(statistics.exact, 0);
    assert_int_equal(statistics.null_counts[0], -1);
    statistics.release(&statistics);
    kind->close(table);
}

static void a_query_is_in_parentheses_and_read_only(void **state) {
    (void)state;
    struct weir_form form = {0};
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    int64_t n = 0;
    void *table = must_open((const char *const[]){"query", "rows 3 -- all\n ; ", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_string_equal(form.remote.table, "(rows 3 -- all\n)");
    assert_null(form.remote.change);
    form.release(&form);
    assert_int_equal(wr_arrow_empty_stream(&rows, NULL), WEIR_OK);
    assert_int_equal(kind->insert(table, WEIR_INSERT_APPEND, &rows, &n, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_null(rows.release);
    kind->close(table);
}

static void options_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static const char *const wrong[][9] = {
        {NULL},
        {"table", "t", "query", "x", NULL},
        {"query", " ;\n", NULL},
        {"query", "x", "schema", "s", NULL},
        {"table", "t", "num_partitions", "0", NULL},
        {"table", "t", "num_partitions", "65", NULL},
        {"table", "t", "lower_bound", "1", NULL},
        {"table", "t", "partition_column", "a", "lower_bound", "1", "upper_bound", "2", NULL},
        {"table", "t", "metadata_ttl", "soon", NULL},
        {"table", "t", "uri", "x", NULL},
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct weir_error error = {0};
        void *table = NULL;
        assert_int_equal(open_table(wrong[i], &table, &error), WEIR_INVALID_ARGUMENT);
        assert_null(table);
    }
}

static void a_column_divides_a_table_that_has_it(void **state) {
    (void)state;
    struct weir_form form = {0};
    struct weir_error error = {0};
    void *table =
        must_open((const char *const[]){"table", "t", "partition_column", "a", "lower_bound", "0",
                                        "upper_bound", "10", "num_partitions", "2", NULL});
    assert_int_equal(kind->form(table, &form, NULL), WEIR_OK);
    assert_int_equal(form.remote.n_partitions, 2);
    assert_string_equal(form.remote.partitions[0], "(\"a\" < 5 OR \"a\" IS NULL)");
    assert_string_equal(form.remote.partitions[1], "(\"a\" >= 5)");
    form.release(&form);
    kind->close(table);
    assert_int_equal(
        open_table((const char *const[]){"table", "t", "partition_column", "b", "lower_bound", "0",
                                         "upper_bound", "10", "num_partitions", "2", NULL},
                   &table, &error),
        WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "there is no column \"b\""));
}

static void a_reference_in_an_option_is_put_in(void **state) {
    (void)state;
    struct weir_error error = {0};
    void *table = NULL;
    unsetenv("WEIR_TEST_NAME");
    assert_int_equal(
        open_table((const char *const[]){"table", "t", "username", "${env:WEIR_TEST_NAME}", NULL},
                   &table, &error),
        WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "option \"username\": the environment variable"));
    setenv("WEIR_TEST_NAME", "someone", 1);
    table =
        must_open((const char *const[]){"table", "t", "username", "${env:WEIR_TEST_NAME}", NULL});
    kind->close(table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_table_has_the_columns_that_the_driver_says),
        TEST(a_name_with_a_point_has_a_schema_unless_that_is_an_option),
        TEST(rows_and_failures_come_through),
        TEST(a_change_gives_the_databases_count),
        TEST(what_was_given_out_outlives_a_refresh),
        TEST(nothing_is_exact_of_a_tables_statistics),
        TEST(a_query_is_in_parentheses_and_read_only),
        TEST(options_that_do_not_fit_are_refused),
        TEST(a_column_divides_a_table_that_has_it),
        TEST(a_reference_in_an_option_is_put_in),
    };
    return cmocka_run_group_tests_name("adbc_kind", tests, NULL, NULL);
}
