/* SPDX-License-Identifier: Apache-2.0 */
/* Where a text leads: paths of the tree and of the machine, and SQL names. */
#include "toy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* "type path catalog.schema.name encoding within" of a place, or the SQLSTATE of the failure. */
static const char *locate_in(const char *text, const char *catalog, const char *schema) {
    static char shown[PATH_MAX + 256];
    static const char *const types[] = {"?", "top", "catalog", "schema", "table", "mount"};
    struct wr_place place = {0};
    struct weir_error error = {0};
    int code = wr_names_locate(names, text, catalog, schema, &place, &error);
    if (code) {
        assert_int_equal(place.type, 0);
        snprintf(shown, sizeof shown, "%d %s", code, error.sqlstate);
        return shown;
    }
    int length = snprintf(shown, sizeof shown, "%s %s", types[place.type], place.path);
    if (place.catalog) length += sprintf(shown + length, " %s", place.catalog);
    if (place.schema) length += sprintf(shown + length, ".%s", place.schema);
    if (place.name) length += sprintf(shown + length, ".%s", place.name);
    if (place.encoding) length += sprintf(shown + length, " as %s", place.encoding);
    if (place.mount) sprintf(shown + length, " in %s:%s", wr_mount_name(place.mount), place.within);
    wr_place_reset(&place);
    return shown;
}

static const char *locate(const char *text) {
    return locate_in(text, NULL, NULL);
}

/* In the directory of the test, which holds the files here.csv and v, and the directory sub. */
static int setup(void **state) {
    toy_setup_directory(state);
    assert_int_equal(chdir(toy_directory), 0);
    assert_int_equal(mkdir("sub", 0777), 0);
    assert_int_equal(system("touch here.csv sub/here.csv && ln -s nothing dangling"), 0);
    assert_int_equal(toy_attach(names, "lake", "here", "sql", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_add_mount(names, "/", &toy, toy_machine, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_catalog(names, "other", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "other", "public", 0, NULL), WEIR_OK);
    return 0;
}

static int teardown(void **state) {
    assert_int_equal(chdir("/"), 0);
    return toy_teardown_directory(state);
}

struct spelling {
    const char *text;
    const char *place; /* with @ for the test's directory */
};

static void assert_places(const struct spelling *spellings, size_t n, const char *catalog,
                          const char *schema) {
    for (size_t i = 0; i < n; i++) {
        char expected[PATH_MAX] = "";
        for (const char *c = spellings[i].place; *c; c++) {
            if (*c == '@') {
                strcat(expected, toy_directory + 1);
            } else {
                strncat(expected, c, 1);
            }
        }
        const char *found = locate_in(spellings[i].text, catalog, schema);
        if (strcmp(found, expected) != 0) print_error("%s\n", spellings[i].text);
        assert_string_equal(found, expected);
    }
}

static void a_path_leads_into_the_tree_by_its_first_component(void **state) {
    (void)state;
    static const struct spelling spellings[] = {
        {"/", "top /"},
        {"//", "top /"},
        {"/.", "top /"},
        {"/weir", "catalog /weir weir"},
        {"/weir/", "catalog /weir weir"},
        {"/./weir//.", "catalog /weir weir"},
        {"/weir/public", "schema /weir/public weir.public"},
        {"/weir/nothing/", "schema /weir/nothing weir.nothing"},
        {"/weir/public/v", "table /weir/public/v weir.public.v"},
        {"/weir/public/v.parquet", "table /weir/public/v.parquet weir.public.v as parquet"},
        {"/weir/public/v.csv", "table /weir/public/v.csv weir.public.v as csv"},
        {"/weir/public/v.tar", "table /weir/public/v.tar weir.public.v.tar"},
        {"/weir/public/.csv", "table /weir/public/.csv weir.public..csv"},
        {"/weir/public/exact.csv", "table /weir/public/exact.csv weir.public.exact.csv"},
        {"/weir/./public/../public//v", "table /weir/public/v weir.public.v"},
        {"/weir/a/b/v", "table /weir/a/b/v weir.a/b.v"},
        {"/lake", "mount /lake in lake:"},
        {"/lake/", "mount /lake in lake:"},
        {"/lake/logs/x.parquet", "mount /lake/logs/x.parquet in lake:logs/x.parquet"},
        {"//lake/./logs//../x", "mount /lake/x in lake:x"},
        {"/lake/logs/**/*.csv", "mount /lake/logs/**/*.csv in lake:logs/**/*.csv"},
        {"/lake/%2e%2e/x", "mount /lake/%2e%2e/x in lake:%2e%2e/x"},
        {"/lake/..x/...", "mount /lake/..x/... in lake:..x/..."},
        {"/lake/\\..\\x", "mount /lake/\\..\\x in lake:\\..\\x"},
    };
    assert_int_equal(toy_view(names, "weir", "public", "exact.csv", NULL), WEIR_OK);
    assert_places(spellings, N_OF(spellings), NULL, NULL);
}

static void every_other_path_is_the_machines(void **state) {
    (void)state;
    static const struct spelling spellings[] = {
        {"/etc/passwd", "mount /etc/passwd in /:etc/passwd"},
        {"/Lake/x", "mount /Lake/x in /:Lake/x"},
        {"/etc/../lake/x", "mount /lake/x in /:lake/x"},
        {"lake/x", "mount /@/lake/x in /:@/lake/x"},
        {"./lake", "mount /@/lake in /:@/lake"},
        {".", "mount /@ in /:@"},
        {"./", "mount /@ in /:@"},
        {"..", "mount /tmp in /:tmp"},
        {"../x", "mount /tmp/x in /:tmp/x"},
        {"sub/../here.csv", "mount /@/here.csv in /:@/here.csv"},
        {"sub//here.csv", "mount /@/sub/here.csv in /:@/sub/here.csv"},
        {"here.csv", "mount /@/here.csv in /:@/here.csv"},
        {"sub", "mount /@/sub in /:@/sub"},
        {"dangling", "mount /@/dangling in /:@/dangling"},
        {"*.csv", "mount /@/*.csv in /:@/*.csv"},
        {"a b.csv", "mount /@/a b.csv in /:@/a b.csv"},
        {"missing.parquet", "mount /@/missing.parquet in /:@/missing.parquet"},
        {"logs.2024.csv.gz", "mount /@/logs.2024.csv.gz in /:@/logs.2024.csv.gz"},
        {"file:///weir/x", "mount /weir/x in /:weir/x"},
        {"file://localhost/lake/a%20b", "mount /lake/a b in /:lake/a b"},
        {"FILE:///etc/./x", "mount /etc/x in /:etc/x"},
    };
    assert_places(spellings, N_OF(spellings), NULL, NULL);
}

static void a_text_without_slash_and_file_is_an_sql_name(void **state) {
    (void)state;
    static const struct spelling spellings[] = {
        {"v", "table /weir/public/v weir.public.v"},
        {"V", "table /weir/public/v weir.public.v"},
        {"\"V\"", "table /weir/public/V weir.public.V"},
        {"\"a\"\"b\"", "table /weir/public/a\"b weir.public.a\"b"},
        {"public.v", "table /weir/public/v weir.public.v"},
        {"nothing.v", "table /weir/nothing/v weir.nothing.v"},
        {"\"x\".csv", "table /weir/x/csv weir.x.csv"},
        {"other.v", "table /other/public/v other.public.v"},
        {"other.s.v", "table /other/s/v other.s.v"},
        {"Lake.Logs.X", "mount /lake/logs/x in lake:logs/x"},
        {"lake.x", "mount /lake/x in lake:x"},
        {"lake.root.x", "mount /lake/x in lake:x"},
        {"lake.logs.\"x.csv\"", "mount /lake/logs/x.csv in lake:logs/x.csv"},
        {"public.csv", "table /weir/public/csv weir.public.csv"},
    };
    assert_places(spellings, N_OF(spellings), NULL, NULL);
    assert_string_equal(locate_in("v", "other", "s"), "table /other/s/v other.s.v");
}

static void an_sql_name_stands_in_the_current_mount(void **state) {
    (void)state;
    static const struct spelling spellings[] = {
        {"x", "mount /lake/logs/x in lake:logs/x"},
        {"x.csv", "mount /lake/logs/x.csv in lake:logs/x.csv"},
        {"empty.none", "mount /lake/empty/none in lake:empty/none"},
        {"weir.v", "table /weir/public/v weir.public.v"},
        {"weir.s.v", "table /weir/s/v weir.s.v"},
        {"here.csv", "mount /@/here.csv in /:@/here.csv"},
    };
    assert_places(spellings, N_OF(spellings), "lake", "logs");
}

static void a_path_that_leads_out_or_is_no_text_is_refused(void **state) {
    (void)state;
    static const char *const out[] = {
        "/..",
        "/../etc/passwd",
        "/lake/..",
        "/lake/../weir/public/v",
        "/lake/../lake",
        "/lake/logs/../../x",
        "/lake/./../x",
        "/lake//..//x",
        "/weir/..",
        "/weir/public/../../x",
        "/weir/v/../../..",
        "/etc/../..",
        "file:///../x",
        "file:///%2e%2e/x",
        "/./..",
        "/.//../lake/x",
        "/a/../../lake",
        "/lake/a/b/../../../..",
    };
    for (size_t i = 0; i < N_OF(out); i++) {
        if (strcmp(locate(out[i]), "5 22023") != 0) print_error("%s\n", out[i]);
        assert_string_equal(locate(out[i]), "5 22023");
    }
    struct wr_place place = {0};
    struct weir_error error = {0};
    assert_int_equal(wr_names_locate(names, "/lake/../etc", NULL, NULL, &place, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "\"/lake/../etc\" leads out of the mount \"lake\"");
    assert_string_equal(locate(""), "5 22023");
    assert_string_equal(locate("/lake/a\nb"), "5 22023");
    assert_string_equal(locate("/lake/\x01"), "5 22023");
    assert_string_equal(locate("a\x7f.csv"), "5 22023");
    assert_string_equal(locate("file:///a%0Ab"), "5 22023");
    assert_string_equal(locate("/lake/\xff"), "5 22021");
    assert_string_equal(locate("/lake/\xc0\xae\xc0\xae/x"), "5 22021");
    assert_string_equal(locate("file:///a%00b"), "5 22023");
    assert_string_equal(locate("file://elsewhere/x"), "5 22023");
    assert_string_equal(locate("s3://bucket/x.csv"), "2 0A000");
    assert_int_equal(wr_names_locate(names, "ftp://host/x", NULL, NULL, &place, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "\"ftp\""));
}

static void without_a_mount_for_them_the_machines_files_are_not_there(void **state) {
    (void)state;
    struct wr_registry *bare = NULL;
    struct wr_names *alone = NULL;
    struct wr_place place = {0};
    struct weir_error error = {0};
    const struct weir_mount_kind *kind = NULL;
    assert_int_equal(wr_registry_new(&bare, NULL), WEIR_OK);
    if (wr_registry_mount(bare, wr_default_mount, &kind, NULL) != WEIR_OK) {
        assert_int_equal(wr_names_open(NULL, "weir", "public", bare, &alone, NULL), WEIR_OK);
        assert_int_equal(wr_names_locate(alone, "/etc/passwd", NULL, NULL, &place, &error),
                         WEIR_NOT_IMPLEMENTED);
        assert_non_null(strstr(error.message, "no kind of mount serves this machine's files"));
        assert_int_equal(wr_names_has(alone, "/", NULL), 1);
    }
    wr_names_close(alone);
    wr_registry_free(bare);
}

static void paths_are_joined_and_normal(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"", "", ""},
        {"", "/", ""},
        {"a", "", "a"},
        {"a", "b", "a/b"},
        {"a/b", "../c", "a/c"},
        {"a", "..", ""},
        {"a", "../b/./c", "b/c"},
        {"", "a//b/", "a/b"},
        {"a/b", "../../c", "c"},
        {"", "a/..", ""},
        {"", "./.", ""},
        {"a", "b/../..", ""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char *path = NULL;
        assert_int_equal(wr_path_join(cases[i][0], cases[i][1], "it", &path, NULL), WEIR_OK);
        assert_string_equal(path, cases[i][2]);
        wr_free(path);
    }
    struct weir_error error = {0};
    char *path = NULL;
    assert_int_equal(wr_path_join("a", "../..", "the \"top\"", &path, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_null(path);
    assert_string_equal(error.message, "\"../..\" leads out of the \"top\"");
}

static void an_encoding_is_the_last_extension_of_a_name(void **state) {
    (void)state;
    size_t stem = 0;
    assert_string_equal(wr_path_encoding(NULL, "a/b.parquet", &stem), "parquet");
    assert_int_equal(stem, 3);
    assert_string_equal(wr_path_encoding(NULL, "a.csv.jsonl", &stem), "jsonl");
    assert_int_equal(stem, 5);
    assert_null(wr_path_encoding(NULL, "a.csv/b", NULL));
    assert_null(wr_path_encoding(NULL, ".csv", NULL));
    assert_null(wr_path_encoding(NULL, "a/.csv", NULL));
    assert_null(wr_path_encoding(NULL, "a.sql", NULL));
    assert_null(wr_path_encoding(NULL, "csv", NULL));
    assert_null(wr_path_encoding(NULL, "a.CSV", NULL));
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(a_path_leads_into_the_tree_by_its_first_component),
        PLACE_TEST(every_other_path_is_the_machines),
        PLACE_TEST(a_text_without_slash_and_file_is_an_sql_name),
        PLACE_TEST(an_sql_name_stands_in_the_current_mount),
        PLACE_TEST(a_path_that_leads_out_or_is_no_text_is_refused),
        TEST(without_a_mount_for_them_the_machines_files_are_not_there),
        cmocka_unit_test(paths_are_joined_and_normal),
        cmocka_unit_test(an_encoding_is_the_last_extension_of_a_name),
    };
    return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
