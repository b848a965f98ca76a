/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define check_names(form, expected)                                                                \
    do {                                                                                           \
        struct weir_form form_ = (form);                                                           \
        assert_string_equal(names(&form_), expected);                                              \
        form_.release(&form_);                                                                     \
    } while (0)

#define test(name) cmocka_unit_test_setup_teardown(name, in_new_directory, remove_directory)

static void a_file_is_found_below_the_current_directory_and_by_absolute_path(void **state) {
    (void)state;
    put("data/x.csv", "a,b\n1,2\n");
    char absolute[PATH_MAX];
    char url[PATH_MAX + 16];
    assert_non_null(getcwd(absolute, sizeof absolute));
    strcat(absolute, "/data/x.csv");
    snprintf(url, sizeof url, "file://%s", absolute);
    check_names(form_of("path", "data/x.csv"), "data/x.csv");
    check_names(form_of("path", "./data//../data/./x.csv"), "data/x.csv");
    check_names(form_of("path", absolute), "data/x.csv");
    check_names(form_of("path", url), "data/x.csv");
}

static void size_time_and_identity_are_those_of_the_file(void **state) {
    (void)state;
    put("x.csv", "a,b\n1,2\n");
    struct stat status;
    assert_int_equal(stat("x.csv", &status), 0);
    struct weir_form form = form_of("path", "x.csv");
    const struct weir_file *file = &form.files.files[0];
    char etag[WEIR_VERSION_SIZE];
    snprintf(etag, sizeof etag, "%lx-%lx-%lx-%lx-%lx", (long)status.st_dev, (long)status.st_ino,
             (long)status.st_size, status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
             status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec);
    assert_int_equal(file->n_bytes, 8);
    assert_int_equal(file->modified_ns,
                     (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec);
    assert_string_equal(file->etag, etag);
    form.release(&form);
    assert_null(form.release);
}

static void a_directory_stands_for_its_data_files_at_any_depth_in_order(void **state) {
    (void)state;
    put("d/b.csv", "a,b\n1,2\n");
    put("d/a.csv", "a,b\n1,2\n");
    put("d/c/d/e.csv", "a,b\n1,2\n");
    put("d/README.md", "text");
    put("d/_SUCCESS", "");
    put("d/.hidden.csv", "a,b\n");
    put("d/_temporary/x.csv", "a,b\n");
    check_names(form_of("path", "d"), "d/a.csv d/b.csv d/c/d/e.csv");
    check_names(form_of("path", "d/", "recursive", "false"), "d/a.csv d/b.csv");
}

static void files_without_extension_are_read_when_a_directory_has_no_others(void **state) {
    (void)state;
    put("d/part-00000", "a,b\n1,2\n");
    put("d/part-00001", "a,b\n1,2\n");
    check_names(form_of("path", "d"), "d/part-00000 d/part-00001");
    check_names(form_of("path", "d", "format", "csv"), "d/part-00000 d/part-00001");
}

static void a_pattern_matches_names_directories_and_any_depth(void **state) {
    (void)state;
    put("logs/x.csv", "a,b\n1,2\n");
    put("logs/a/x.csv", "a,b\n1,2\n");
    put("logs/b/c/x.csv", "a,b\n1,2\n");
    put("logs/b/c/y.csv", "a,b\n1,2\n");
    put("logs/_tmp/x.csv", "a,b\n1,2\n");
    check_names(form_of("path", "logs/*.csv"), "logs/x.csv");
    check_names(form_of("path", "logs/*/x.csv"), "logs/_tmp/x.csv logs/a/x.csv");
    check_names(form_of("path", "logs/**/x.csv"), "logs/a/x.csv logs/b/c/x.csv logs/x.csv");
    check_names(form_of("path", "logs/**"),
                "logs/a/x.csv logs/b/c/x.csv logs/b/c/y.csv logs/x.csv");
    check_names(form_of("path", "**/[y-z].csv"), "logs/b/c/y.csv");
    check_names(form_of("path", "logs/{b/c,a}/?.csv"),
                "logs/a/x.csv logs/b/c/x.csv logs/b/c/y.csv");
    check_names(form_of("path", "logs/{x,[x]}.csv"), "logs/x.csv");
    check_names(form_of("path", "logs/**/**/x.csv"), "logs/a/x.csv logs/b/c/x.csv logs/x.csv");
}

static void an_existing_path_wins_over_its_reading_as_a_pattern(void **state) {
    (void)state;
    put("a[1].csv", "a,b\n1,2\n");
    put("a1.csv", "a,b\n1,2\n");
    check_names(form_of("path", "a[1].csv"), "a%5B1%5D.csv");
    check_names(form_of("path", "a[0-9].csv"), "a1.csv");
}

static void the_current_directory_is_no_part_of_the_pattern(void **state) {
    (void)state;
    put("w[x]{y,z}/a.csv", "a,b\n1,2\n");
    assert_int_equal(chdir("w[x]{y,z}"), 0);
    struct weir_form form = form_of("path", "*.csv");
    assert_int_equal(form.files.n_files, 1);
    form.release(&form);
}

static void urls_escape_what_a_url_cannot_hold(void **state) {
    (void)state;
    put("a b%c#d?é;x.csv", "a,b\n1,2\n");
    check_names(form_of("path", "a b%c#d?é;x.csv"), "a%20b%25c%23d%3F%C3%A9%3Bx.csv");
    char url[PATH_MAX + 64] = "file://";
    assert_non_null(getcwd(url + 7, PATH_MAX));
    strcat(url, "/a%20b%25c%23d%3F%C3%A9%3bx.csv");
    check_names(form_of("path", url), "a%20b%25c%23d%3F%C3%A9%3Bx.csv");
}

static void names_that_the_engine_cannot_open_are_an_error(void **state) {
    (void)state;
    put("a\tb.csv", "a,b\n1,2\n");
    put("a.csv#1", "a,b\n1,2\n");
    put("\xFF.csv", "a,b\n1,2\n");
    assert_contains(error_of("path", "a\tb.csv").message, "rename it");
    assert_contains(error_of("path", "a.csv#1").message, "rename it");
    assert_contains(error_of("path", "\xFF.csv").message, "rename it");
}

static void other_schemes_hosts_and_broken_urls_are_errors(void **state) {
    (void)state;
    struct weir_error error = error_of("path", "s3://bucket/x.parquet");
    assert_int_equal(error.code, WEIR_NOT_IMPLEMENTED);
    assert_contains(error.message, "without a workspace");
    assert_contains(error_of("path", "ftp://host/x.csv").message, "\"ftp\"");
    assert_contains(error_of("path", "file://other/x.csv").message, "another host");
    assert_contains(error_of("path", "file:///x%2.csv").message, "hexadecimal");
    assert_contains(error_of("path", "").message, "empty");
}

static void a_missing_file_names_where_it_looked_and_the_nearest_name(void **state) {
    (void)state;
    put("data/x2.parquet", "");
    char expected[PATH_MAX + 128];
    char working[PATH_MAX];
    assert_non_null(getcwd(working, sizeof working));
    struct weir_error error = error_of("path", "data/x.parquet");
    snprintf(expected, sizeof expected,
             "no such file or directory: \"data/x.parquet\" (looked in %s/data); nearest name "
             "there: \"x2.parquet\"",
             working);
    assert_int_equal(error.code, WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "58P01");
    assert_string_equal(error.message, expected);
    error = error_of("path", "dat/a/b/x.csv");
    snprintf(
        expected, sizeof expected,
        "no such file or directory: \"dat/a/b/x.csv\" (looked in %s); nearest name there: \"data\"",
        working);
    assert_string_equal(error.message, expected);
    assert_contains(error_of("path", "data/x2.parquet/y").message,
                    "x2.parquet\" is not a directory");
    assert_contains(error_of("path", "/nowhere-at-all").message, "(looked in /)");
}

static void a_pattern_without_match_says_down_to_where_it_matched(void **state) {
    (void)state;
    put("logs/2024/x.csv", "a,b\n1,2\n");
    char expected[PATH_MAX + 128];
    char working[PATH_MAX];
    assert_non_null(getcwd(working, sizeof working));
    struct weir_error error = error_of("path", "logs/*/y*.csv");
    assert_int_equal(error.code, WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "58P01");
    snprintf(expected, sizeof expected,
             "no file matches \"logs/*/y*.csv\" (looked in %s/logs/2024)", working);
    assert_string_equal(error.message, expected);
    assert_contains(error_of("path", "lags/*.csv").message, "nearest name there: \"logs\"");
    assert_contains(error_of("path", "logs/*").message, "only directories do");
}

static void a_directory_without_data_files_is_an_error(void **state) {
    (void)state;
    put("d/README.md", "text");
    put("d/.hidden.csv", "a,b\n");
    put("e/x.csv", "a,b\n");
    put("f/.keep", "");
    assert_contains(error_of("path", "f").message, "no data file in the directory \"f\"");
    struct weir_error error = error_of("path", "e", "format", "parquet");
    assert_contains(error.message, "no parquet file in the directory \"e\"");
    assert_contains(error.message, "x.csv\" (csv)");
    assert_int_equal(error_of("location", "f", "format", "csv").code, WEIR_NOT_FOUND);
}

static void mixed_formats_are_an_error_unless_one_is_chosen(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    put_parquet("d/b.parquet");
    struct weir_error error = error_of("path", "d");
    assert_contains(error.message, "a.csv\" (csv)");
    assert_contains(error.message, "b.parquet\" (parquet)");
    assert_contains(error.message, "option format");
    check_names(form_of("path", "d", "format", "parquet"), "d/b.parquet");
    check_names(form_of("path", "d/*", "format", "csv"), "d/a.csv");
    assert_contains(error_of("path", "d/*").message, "more than one format");
}

static void mixed_compressions_are_an_error(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    put_compressed("d/b.csv.gz", WR_COMPRESSION_GZIP, "a,b\n1,2\n");
    assert_contains(error_of("path", "d").message, "compressed differently");
    check_names(form_of("path", "d/*.gz"), "d/b.csv.gz");
}

static void a_slash_after_a_file_is_an_error(void **state) {
    (void)state;
    put("x.csv", "a,b\n1,2\n");
    assert_contains(error_of("path", "x.csv/").message, "is a file, not a directory");
}

static void what_is_no_file_is_an_error(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    assert_int_equal(mkfifo("d/b.csv", 0600), 0);
    assert_contains(error_of("path", "d").message, "b.csv\" is not a regular file");
    assert_contains(error_of("path", "/dev/null").message, "is a device");
    assert_int_equal(unlink("d/b.csv"), 0);
    assert_int_equal(symlink("nowhere", "d/c.csv"), 0);
    assert_contains(error_of("path", "d").message, "symbolic link to nothing");
    assert_contains(error_of("path", "d/*.csv").message, "symbolic link to nothing");
}

static void what_may_not_be_read_is_an_error(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    put("d/e/b.csv", "a,b\n1,2\n");
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(chmod("d", 0755), 0);
    assert_int_equal(chmod("d/e", 0), 0);
    assert_int_equal(chmod("d/a.csv", 0), 0);
    const uid_t user = geteuid();
    const uid_t nobody = 65534;
    /* The superuser may read everything. */
    if (user == 0) assert_int_equal(seteuid(nobody), 0);
    struct weir_error directory = error_of("path", "d");
    struct weir_error pattern = error_of("path", "d/**/*.csv");
    struct weir_error below_it = error_of("path", "d/e/b.csv");
    struct weir_error file = error_of("path", "d/a.csv");
    if (user == 0) assert_int_equal(seteuid(user), 0);
    assert_int_equal(chmod("d/e", 0700), 0);
    assert_int_equal(directory.code, WEIR_UNAUTHORIZED);
    assert_contains(directory.message, "d/e\"");
    assert_int_equal(pattern.code, WEIR_UNAUTHORIZED);
    assert_contains(pattern.message, "d/e\"");
    assert_int_equal(below_it.code, WEIR_UNAUTHORIZED);
    assert_int_equal(file.code, WEIR_UNAUTHORIZED);
    assert_contains(file.message, "cannot open \"d/a.csv\"");
}

static void links_are_followed_but_not_in_circles(void **state) {
    (void)state;
    put("d/e/a.csv", "a,b\n1,2\n");
    put("other/b.csv", "a,b\n1,2\n");
    assert_int_equal(symlink("../..", "d/e/up"), 0);
    assert_int_equal(symlink("../other", "d/other"), 0);
    check_names(form_of("path", "d"), "d/e/a.csv d/e/up/other/b.csv d/other/b.csv");
    check_names(form_of("path", "d/**/a.csv"), "d/e/a.csv");
}

static void a_parent_behind_a_link_is_the_links_targets(void **state) {
    (void)state;
    put("far/away/x.csv", "a,b\n1,2\n");
    put("far/y.csv", "a,b\n1,2\n");
    assert_int_equal(symlink("far/away", "near"), 0);
    check_names(form_of("path", "near/../y.csv"), "far/y.csv");
    check_names(form_of("path", "near/../*.csv"), "far/y.csv");
}

static void each_form_lists_afresh(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    void *table = NULL;
    struct weir_form form;
    struct weir_error error;
    assert_int_equal(open_table(NULL, &table, NULL, "path", "d", NULL), 0);
    put("d/0.csv", "a,b\n\"1\n\",2\n");
    assert_int_equal(wr_kind_files.form(table, &form, NULL), 0);
    assert_string_equal(names(&form), "d/0.csv d/a.csv");
    assert_string_equal(option(&form, "format.newlines_in_values"), "true");
    form.release(&form);
    assert_int_equal(unlink("d/a.csv"), 0);
    assert_int_equal(unlink("d/0.csv"), 0);
    assert_int_equal(wr_kind_files.form(table, &form, &error), WEIR_NOT_FOUND);
    wr_kind_files.close(table);
}

static void a_location_without_files_is_a_table_only_with_declared_columns(void **state) {
    (void)state;
    struct ArrowSchema columns = columns_of("a", "l", "b", "u", NULL);
    put("d/.keep", "");
    const struct {
        const char *location;
        const char *write;
    } cases[] = {{"d", "d/"},      {"d/", "d/"},           {"new", "new/"},
                 {"new/", "new/"}, {"new.csv", "new.csv"}, {"x.d/", "x.d/"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_form form =
            form_with(&columns, "location", cases[i].location, "format", "csv", NULL);
        assert_int_equal(form.files.n_files, 0);
        assert_string_equal(form.files.format, "csv");
        assert_string_equal(below(form.files.write_url), cases[i].write);
        assert_int_equal(form.schema.n_children, 2);
        form.release(&form);
    }
    assert_int_equal(error_of("location", "new", "format", "csv").code, WEIR_NOT_FOUND);
    assert_int_equal(error_with(&columns, "path", "new", "format", "csv", NULL).code,
                     WEIR_NOT_FOUND);
    struct weir_form form =
        form_with(&columns, "path", "new", "format", "csv", "allow_empty", "true", NULL);
    assert_int_equal(form.files.n_files, 0);
    assert_null(form.files.write_url);
    form.release(&form);
    assert_contains(error_of("path", "new", "allow_empty", "true").message, "declared columns");
    assert_contains(error_with(&columns, "location", "new", NULL).message, "option format");
    columns.release(&columns);
}

static void insert_goes_to_the_file_or_directory_of_a_location(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    struct weir_form form = form_of("location", "d/a.csv", "format", "csv");
    assert_string_equal(below(form.files.write_url), "d/a.csv");
    form.release(&form);
    form = form_of("location", "d", "format", "csv");
    assert_string_equal(below(form.files.write_url), "d/");
    form.release(&form);
    form = form_of("location", "d/*.csv", "format", "csv");
    assert_null(form.files.write_url);
    form.release(&form);
    form = form_of("path", "d/a.csv");
    assert_null(form.files.write_url);
    form.release(&form);
}

static void a_location_leaves_sub_directories_alone(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    put("d/sub/b.csv", "a,b\n1,2\n");
    put("d/k=1/c.csv", "a,b\n1,2\n");
    check_names(form_of("location", "d", "format", "csv"), "d/a.csv d/k=1/c.csv");
    check_names(form_of("location", "d", "format", "csv", "recursive", "true"),
                "d/a.csv d/k=1/c.csv d/sub/b.csv");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_file_is_found_below_the_current_directory_and_by_absolute_path),
        test(size_time_and_identity_are_those_of_the_file),
        test(a_directory_stands_for_its_data_files_at_any_depth_in_order),
        test(files_without_extension_are_read_when_a_directory_has_no_others),
        test(a_pattern_matches_names_directories_and_any_depth),
        test(an_existing_path_wins_over_its_reading_as_a_pattern),
        test(the_current_directory_is_no_part_of_the_pattern),
        test(urls_escape_what_a_url_cannot_hold),
        test(names_that_the_engine_cannot_open_are_an_error),
        test(other_schemes_hosts_and_broken_urls_are_errors),
        test(a_missing_file_names_where_it_looked_and_the_nearest_name),
        test(a_pattern_without_match_says_down_to_where_it_matched),
        test(a_directory_without_data_files_is_an_error),
        test(mixed_formats_are_an_error_unless_one_is_chosen),
        test(mixed_compressions_are_an_error),
        test(a_slash_after_a_file_is_an_error),
        test(what_is_no_file_is_an_error),
        test(what_may_not_be_read_is_an_error),
        test(links_are_followed_but_not_in_circles),
        test(a_parent_behind_a_link_is_the_links_targets),
        test(each_form_lists_afresh),
        test(a_location_without_files_is_a_table_only_with_declared_columns),
        test(insert_goes_to_the_file_or_directory_of_a_location),
        test(a_location_leaves_sub_directories_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
