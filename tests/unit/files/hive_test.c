/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

#define test(name) cmocka_unit_test_setup_teardown(name, in_new_directory, remove_directory)

/* "year:l month:l" */
static const char *partition_columns(const struct weir_form *form) {
    static char text[256];
    text[0] = '\0';
    const struct ArrowSchema *columns = form->files.partition_columns;
    for (int64_t i = 0; columns && i < columns->n_children; i++) {
        strcat(text, i ? " " : "");
        strcat(text, columns->children[i]->name);
        strcat(text, ":");
        strcat(text, columns->children[i]->format);
    }
    return text;
}

static void check_columns(struct weir_form form, const char *expected) {
    assert_string_equal(partition_columns(&form), expected);
    form.release(&form);
}

static void directories_of_keys_and_values_are_columns(void **state) {
    (void)state;
    put("d/year=2023/month=12/x.csv", "a,b\n1,2\n");
    put("d/year=2024/month=01/x.csv", "a,b\n1,2\n");
    struct weir_form form = form_of("path", "d");
    assert_string_equal(partition_columns(&form), "year:l month:l");
    assert_string_equal(form.files.files[0].partition_values[0], "2023");
    assert_string_equal(form.files.files[1].partition_values[1], "01");
    form.release(&form);
    check_columns(form_of("path", "d/**/*.csv"), "year:l month:l");
    check_columns(form_of("path", "d/year=*/*/x.csv"), "year:l month:l");
    check_columns(form_of("path", "d/year=2024"), "month:l");
    check_columns(form_of("path", "d", "hive", "false"), "");
    check_columns(form_of("path", "d/year=2024/month=01/x.csv"), "");
}

static void types_are_those_of_all_values(void **state) {
    (void)state;
    put("d/day=2024-02-29/n=-5/t=1/u=a/x.csv", "a,b\n1,2\n");
    put("d/day=2023-12-31/n=007/t=1.5/u=__HIVE_DEFAULT_PARTITION__/x.csv", "a,b\n1,2\n");
    struct weir_form form = form_of("path", "d");
    assert_string_equal(partition_columns(&form), "day:tdD n:l t:u u:u");
    assert_null(form.files.files[0].partition_values[3]);
    assert_string_equal(form.files.files[1].partition_values[3], "a");
    form.release(&form);
    put("e/day=2023-02-29/n=99999999999999999999/x.csv", "a,b\n1,2\n");
    check_columns(form_of("path", "e"), "day:u n:u");
    put("f/n=__HIVE_DEFAULT_PARTITION__/x.csv", "a,b\n1,2\n");
    check_columns(form_of("path", "f"), "n:u");
}

static void values_are_percent_decoded(void **state) {
    (void)state;
    put("d/k=a%2Fb%20c/x.csv", "a,b\n1,2\n");
    put("d/k=100%/x.csv", "a,b\n1,2\n");
    struct weir_form form = form_of("path", "d");
    assert_string_equal(form.files.files[0].partition_values[0], "100%");
    assert_string_equal(form.files.files[1].partition_values[0], "a/b c");
    assert_string_equal(names(&form), "d/k=100%25/x.csv d/k=a%252Fb%2520c/x.csv");
    form.release(&form);
}

static void different_keys_are_no_columns_or_an_error(void **state) {
    (void)state;
    put("d/year=2023/x.csv", "a,b\n1,2\n");
    put("d/month=1/x.csv", "a,b\n1,2\n");
    check_columns(form_of("path", "d"), "");
    struct weir_error error = error_of("path", "d", "hive", "true");
    assert_contains(error.message, "d/month=1/x.csv");
    assert_contains(error.message, "d/year=2023/x.csv");
    put("e/x.csv", "a,b\n1,2\n");
    assert_contains(error_of("path", "e", "hive", "true").message, "no key=value directories");
    put("f/k=1/k=2/x.csv", "a,b\n1,2\n");
    check_columns(form_of("path", "f"), "");
}

static void a_location_has_the_columns_that_it_declares(void **state) {
    (void)state;
    put("d/year=2023/month=1/x.csv", "1,2\n");
    put("d/stray.csv", "1,2\n");
    struct ArrowSchema columns = columns_of("a", "l", "year", "i", "b", "l", NULL);
    struct weir_form form = form_with(&columns, "location", "d", "format", "csv", "partition_by",
                                      "year, \"month\"", NULL);
    assert_string_equal(partition_columns(&form), "year:i month:u");
    assert_string_equal(names(&form), "d/year=2023/month=1/x.csv");
    assert_int_equal(form.schema.n_children, 2);
    assert_string_equal(form.schema.children[1]->name, "b");
    form.release(&form);
    form = form_with(&columns, "location", "d/year=2023", "format", "csv", NULL);
    assert_string_equal(partition_columns(&form), "");
    assert_int_equal(form.schema.n_children, 3);
    form.release(&form);
    struct weir_error error =
        error_with(&columns, "location", "d", "format", "csv", "partition_by", "day", NULL);
    assert_contains(error.message, "no file lies in directories day=");
    form = form_with(&columns, "location", "new/", "format", "csv", "partition_by", "year", NULL);
    assert_string_equal(partition_columns(&form), "year:i");
    assert_int_equal(form.files.n_files, 0);
    form.release(&form);
    columns.release(&columns);
    check_columns(form_of("location", "d/year=2023", "format", "csv"), "month:u");
}

static void declared_columns_of_a_path_are_all_its_columns(void **state) {
    (void)state;
    put("d/year=2023/month=1/x.csv", "1,2\n");
    struct ArrowSchema columns = columns_of("a", "l", "month", "u", NULL);
    struct weir_form form = form_with(&columns, "path", "d", NULL);
    assert_string_equal(partition_columns(&form), "month:u");
    assert_string_equal(form.files.files[0].partition_values[0], "1");
    assert_int_equal(form.schema.n_children, 1);
    form.release(&form);
    columns.release(&columns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(directories_of_keys_and_values_are_columns),
        test(types_are_those_of_all_values),
        test(values_are_percent_decoded),
        test(different_keys_are_no_columns_or_an_error),
        test(a_location_has_the_columns_that_it_declares),
        test(declared_columns_of_a_path_are_all_its_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
