/* SPDX-License-Identifier: Apache-2.0 */
/* The kind below a root: a directory "lake" of the test's, with an "outside" beside it. */
#include "files_test.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"

static char here[PATH_MAX];
static char root[PATH_MAX + 8];

static int set_up(void **state) {
    if (in_new_directory(state) != 0 || !getcwd(here, sizeof here)) return -1;
    snprintf(root, sizeof root, "%s/lake", here);
    put("outside/secret.csv", "a,b\n666,2\n");
    put("lake/x.csv", "a,b\n1,2\n");
    put("lake/logs/1.csv", "a,b\n1,2\n");
    put("lake/logs/2.csv", "a,b\n1,2\n");
    put("lake/hive/k=1/1.csv", "a,b\n1,2\n");
    return symlink("../outside", "lake/out") || symlink("logs", "lake/in") ||
           symlink("../outside/secret.csv", "lake/leak.csv");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, remove_directory)

static const char *in_lake(const char *path) {
    static char text[4][PATH_MAX * 2];
    static size_t turn;
    char *to = text[turn++ % 4];
    snprintf(to, sizeof text[0], "%s/%s", root, path);
    return to;
}

/* The files of a form as paths below the root, through their URLs. */
static const char *found(const char *path) {
    static char text[4096];
    struct weir_form form = form_of("path", in_lake(path), "root", root);
    char *all = NULL;
    assert_int_equal(wr_beneath_url(root, root, &all, NULL), 0);
    text[0] = '\0';
    for (size_t i = 0; i < form.files.n_files; i++) {
        const char *url = form.files.files[i].url;
        struct stat status;
        char version[WEIR_VERSION_SIZE];
        int fd = -1;
        assert_int_equal(strncmp(url, all, strlen(all)), 0);
        assert_int_equal(wr_url_open(url, &fd, NULL), 0);
        assert_int_equal(fstat(fd, &status), 0);
        close(fd);
        wr_file_version(&status, version);
        assert_string_equal(form.files.files[i].etag, version);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 url + strlen(all) + 1);
    }
    wr_free(all);
    form.release(&form);
    return text;
}

static void what_lies_below_the_root_is_found_as_without(void **state) {
    (void)state;
    assert_string_equal(found("x.csv"), "x.csv");
    assert_string_equal(found("logs"), "logs/1.csv logs/2.csv");
    assert_string_equal(found("logs/*.csv"), "logs/1.csv logs/2.csv");
    assert_string_equal(found("{logs,hive}/**/1.csv"), "hive/k=1/1.csv logs/1.csv");
    assert_string_equal(found("./logs//1.csv"), "logs/1.csv");
}

static void links_that_stay_inside_are_followed(void **state) {
    (void)state;
    assert_string_equal(found("in/1.csv"), "in/1.csv");
    assert_string_equal(found("in"), "in/1.csv in/2.csv");
    assert_string_equal(found("in/../x.csv"), "x.csv");
    assert_string_equal(found("hive/k=1/../k=1/*"), "hive/k=1/1.csv");
}

static void what_leads_out_is_an_error_that_names_it(void **state) {
    (void)state;
    char secret[PATH_MAX * 2];
    snprintf(secret, sizeof secret, "%s/outside/secret.csv", here);
    const char *const paths[] = {
        in_lake("leak.csv"),
        in_lake("out"),
        in_lake("out/secret.csv"),
        in_lake("out/*.csv"),
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct weir_error error = error_of("path", paths[i], "root", root);
        assert_int_equal(error.code, WEIR_INVALID_ARGUMENT);
        assert_contains(error.message, "leads out of");
        assert_contains(error.message, root);
    }
    const char *const more[] = {
        in_lake("../outside/secret.csv"),
        in_lake("logs/../../outside/secret.csv"),
        in_lake("in/../../outside/*.csv"),
        secret,
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct weir_error error = error_of("path", more[i], "root", root);
        assert_contains(error.message, "leads out of");
        assert_contains(error.message, more[i]);
    }
}

static void a_link_that_leads_out_is_never_silently_left_out(void **state) {
    (void)state;
    assert_contains(error_of("path", root, "root", root).message, "/lake/");
    assert_contains(error_of("path", root, "root", root).message, "leads out of");
    assert_contains(error_of("path", in_lake("*.csv"), "root", root).message, "leak.csv");
    assert_contains(error_of("path", in_lake("**/1.csv"), "root", root).message, "leads out of");
    assert_contains(error_of("path", in_lake("*/*.csv"), "root", root).message, "leads out of");
}

static void a_file_that_becomes_a_link_is_refused_at_the_next_form_and_by_its_url(void **state) {
    (void)state;
    void *table = NULL;
    struct weir_form form = {0};
    struct weir_error error = {0};
    int fd = -1;
    assert_int_equal(
        open_table(NULL, &table, NULL, "path", in_lake("logs/1.csv"), "root", root, NULL), 0);
    assert_int_equal(wr_kind_files.form(table, &form, NULL), 0);
    assert_int_equal(unlink("lake/logs/1.csv"), 0);
    assert_int_equal(symlink("../../outside/secret.csv", "lake/logs/1.csv"), 0);
    assert_int_equal(wr_url_open(form.files.files[0].url, &fd, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "leads out of");
    form.release(&form);
    assert_int_equal(wr_kind_files.form(table, &form, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "leads out of");
    wr_kind_files.close(table);
}

static void messages_call_the_path_what_the_user_called_it(void **state) {
    (void)state;
    const char *message =
        error_of("path", in_lake("log/*.csv"), "root", root, "shown", "/lake/log/*.csv").message;
    assert_contains(message, "\"/lake/log/*.csv\" (looked in ");
    assert_contains(message, "nearest name there: \"logs\"");
    message = error_of("path", in_lake("logs/*.x"), "root", root, "shown", "/m/logs/*.x").message;
    assert_contains(message, "no file matches \"/m/logs/*.x\" (looked in ");
    assert_contains(message, "/lake/logs)");
    message = error_of("path", in_lake("y.csv"), "root", root).message;
    assert_contains(message, "lake/y.csv\" (looked in ");
}

static void an_empty_match_is_a_table_when_that_is_asked_for(void **state) {
    (void)state;
    struct ArrowSchema columns = columns_of("a", "l", NULL);
    struct weir_form form = form_with(&columns, "path", in_lake("logs/*.parquet"), "root", root,
                                      "allow_empty", "true", "format", "parquet", NULL);
    assert_int_equal(form.files.n_files, 0);
    form.release(&form);
    /* But not where a link leads out. */
    struct weir_error error = error_with(&columns, "path", in_lake("out/*.csv"), "root", root,
                                         "allow_empty", "true", "format", "csv", NULL);
    assert_contains(error.message, "leads out of");
    columns.release(&columns);
}

static void wrong_roots_are_errors(void **state) {
    (void)state;
    assert_contains(error_of("path", "x.csv", "root", root).message, "not an absolute path");
    assert_contains(error_of("path", in_lake("x.csv"), "root", "lake").message,
                    "must be an absolute path");
    assert_contains(error_of("path", in_lake("x.csv"), "root", "s3://b").message, "s3");
    assert_contains(error_of("location", in_lake("x.csv"), "root", root).message,
                    "goes with the option path");
    assert_contains(error_of("path", "/nothing/x.csv", "root", "/nothing").message,
                    "cannot open the directory \"/nothing\"");
}

static void a_root_of_slash_confines_nothing(void **state) {
    (void)state;
    struct weir_form form = form_of("path", in_lake("leak.csv"), "root", "/");
    assert_string_equal(names(&form), "lake/leak.csv");
    form.release(&form);
}

static void what_is_no_file_or_directory_is_not_read_below_a_root(void **state) {
    (void)state;
    assert_int_equal(mkfifo("lake/pipe.csv", 0600), 0);
    assert_contains(error_of("path", in_lake("pipe.csv"), "root", root).message,
                    "neither a file nor a directory");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    const char *const paths[] = {in_lake("hive/**"), in_lake("in/../in"), in_lake("nothing"),
                                 in_lake("leak.csv")};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct weir_error usual = {0};
        /* The first round has no failing allocation. */
        for (int64_t n = 0, n_made = 0; n <= n_made; n++) {
            void *table = NULL;
            struct weir_form form = {0};
            struct weir_error error = {0};
            wr_alloc_fail_at(n);
            int code = open_table(NULL, &table, &error, "path", paths[i], "root", root, NULL);
            if (code == 0) code = wr_kind_files.form(table, &form, &error);
            int64_t made = wr_alloc_fail_at(0);
            if (n == 0) {
                n_made = made;
                usual = error;
            }
            bool as_usual = code == usual.code && strcmp(error.sqlstate, usual.sqlstate) == 0;
            if (!as_usual && strcmp(error.sqlstate, "53200") != 0) fail_msg("%s", error.message);
            if (form.release) form.release(&form);
            if (table) wr_kind_files.close(table);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(what_lies_below_the_root_is_found_as_without),
        test(links_that_stay_inside_are_followed),
        test(what_leads_out_is_an_error_that_names_it),
        test(a_link_that_leads_out_is_never_silently_left_out),
        test(a_file_that_becomes_a_link_is_refused_at_the_next_form_and_by_its_url),
        test(messages_call_the_path_what_the_user_called_it),
        test(an_empty_match_is_a_table_when_that_is_asked_for),
        test(wrong_roots_are_errors),
        test(a_root_of_slash_confines_nothing),
        test(what_is_no_file_or_directory_is_not_read_below_a_root),
        test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
