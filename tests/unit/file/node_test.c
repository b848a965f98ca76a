/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at a path, and its table facet. */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(const char *path, int type, int is_table, const char *encoding, int64_t n_bytes) {
    struct weir_node *node = node_at(path);
    struct weir_node_info info = info_of(node);
    if (info.type != type || info.is_table != is_table)
        fail_msg("%s: type %d, table %d", path, info.type, info.is_table);
    if (encoding) {
        assert_non_null(info.encoding);
        assert_string_equal(info.encoding, encoding);
    } else {
        assert_null(info.encoding);
    }
    assert_int_equal(info.n_bytes, n_bytes);
    weir_node_close(node);
}

static void every_kind_of_node_is_what_it_is(void **state) {
    (void)state;
    check("/", WEIR_NODE_DIRECTORY, 0, NULL, -1);
    check("/weir", WEIR_NODE_DIRECTORY, 0, NULL, -1);
    check("/weir/public", WEIR_NODE_DIRECTORY, 0, NULL, -1);
    check("/weir/public/v", WEIR_NODE_DERIVED, 1, NULL, -1);
    check("/weir/public/v.csv", WEIR_NODE_DERIVED, 1, "csv", -1);
    check("/weir/public/c", WEIR_NODE_TABLE, 1, NULL, -1);
    check("v", WEIR_NODE_DERIVED, 1, NULL, -1);
    check("public.v", WEIR_NODE_DERIVED, 1, NULL, -1);
    check("/lake", WEIR_NODE_SERIES, 1, NULL, -1);
    check("/lake/empty", WEIR_NODE_DIRECTORY, 0, NULL, -1);
    check("/lake/numbers.csv", WEIR_NODE_STRUCTURED, 1, "csv", 16);
    check("/lake/numbers", WEIR_NODE_STRUCTURED, 1, "csv", 16);
    check("lake.numbers", WEIR_NODE_STRUCTURED, 1, "csv", 16);
    check("/lake/numbers.parquet", WEIR_NODE_STRUCTURED, 1, "parquet", -1);
    check("/lake/numbers.pq", WEIR_NODE_STRUCTURED, 1, "parquet", -1);
    check("/lake/notes.txt", WEIR_NODE_FILE, 0, NULL, 12);
    check("/lake/doubled", WEIR_NODE_DERIVED, 1, NULL, 31);
    check("/lake/doubled.sql", WEIR_NODE_DERIVED, 1, NULL, 31);
    check("/lake/doubled.json", WEIR_NODE_DERIVED, 1, "json", -1);
    check("/lake/logs", WEIR_NODE_SERIES, 1, NULL, -1);
    check("/lake/logs.parquet", WEIR_NODE_SERIES, 1, "parquet", -1);
    check("/lake/logs/*.parquet", WEIR_NODE_SERIES, 1, "parquet", -1);
    struct weir_node *first = node_at("/lake/logs/1.parquet");
    check("/lake/logs/1", WEIR_NODE_STRUCTURED, 1, "parquet", info_of(first).n_bytes);
    weir_node_close(first);
    /* The machine's own files. */
    check(at("lake/numbers.csv"), WEIR_NODE_STRUCTURED, 1, "csv", 16);
    check(at("lake/logs"), WEIR_NODE_SERIES, 1, NULL, -1);
    check(at("lake/notes.txt"), WEIR_NODE_FILE, 0, NULL, 12);
}

static void a_table_has_its_sql_name_in_parts(void **state) {
    (void)state;
    struct weir_node *node = node_at("/lake/logs/1.parquet");
    struct weir_node_info info = info_of(node);
    assert_string_equal(info.path, "/lake/logs/1.parquet");
    assert_string_equal(info.catalog, "lake");
    assert_string_equal(info.schema, "logs");
    assert_true(info.modified_ns > INT64_C(1600000000000000000));
    weir_node_close(node);
    node = node_at("public.v");
    info = info_of(node);
    assert_string_equal(info.path, "/weir/public/v");
    assert_string_equal(info.catalog, "weir");
    assert_string_equal(info.schema, "public");
    assert_string_equal(info.name, "v");
    weir_node_close(node);
    node = node_at(at("lake/numbers.csv"));
    info = info_of(node);
    assert_string_equal(info.path, at("lake/numbers.csv"));
    assert_null(info.catalog);
    weir_node_close(node);
}

static void a_query_in_a_file_says_what_it_is_and_which_encoding_is_meant(void **state) {
    (void)state;
    put_text(at("lake/daily.sql"),
             "-- description: numbers by day\n-- format: csv\nSELECT 1 AS a\n");
    const char *const paths[] = {"/lake/daily", "/lake/daily.sql", "/lake/daily.csv"};
    const char *const encodings[] = {"csv", NULL, "csv"};
    for (int i = 0; i < 3; i++) {
        struct weir_node *node = node_at(paths[i]);
        struct weir_node_info info = info_of(node);
        assert_int_equal(info.type, WEIR_NODE_DERIVED);
        assert_string_equal(info.description, "numbers by day");
        if (encodings[i]) {
            assert_string_equal(info.encoding, encodings[i]);
        } else {
            assert_null(info.encoding);
        }
        weir_node_close(node);
    }
    struct weir_node *node = node_at("/lake/doubled");
    assert_null(info_of(node).description);
    weir_node_close(node);
}

static void directories_are_listed_by_name(void **state) {
    (void)state;
    assert_contains(listing_of("/"), "lake/ ");
    assert_contains(listing_of("/"), " weir/");
    assert_string_equal(listing_of("/weir"), "public/");
    assert_string_equal(listing_of("/weir/public"), "c# u# v!");
    assert_string_equal(listing_of("/lake"), "doubled.sql! empty/ logs/# notes.txt numbers.csv#");
    assert_string_equal(listing_of("/lake/logs"), "1.parquet# 2.parquet#");
    assert_string_equal(listing_of("/lake/empty"), "");
    assert_string_equal(listing_of(at("lake/logs")), "1.parquet# 2.parquet#");
}

static int stop_at_once(void *context, const struct weir_node_entry *entry) {
    (void)entry;
    ++*(int *)context;
    return 1;
}

static void a_listing_ends_when_it_is_told_to(void **state) {
    (void)state;
    int n_calls = 0;
    struct weir_node *node = node_at("/lake");
    assert_ok(weir_node_list(node, stop_at_once, &n_calls, &error));
    assert_int_equal(n_calls, 1);
    weir_node_close(node);
}

static void what_is_no_directory_is_not_listed(void **state) {
    (void)state;
    const char *const paths[] = {"/lake/numbers.csv", "/weir/public/v", "/lake/notes.txt",
                                 "/lake/logs/*.parquet"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct weir_node *node = node_at(paths[i]);
        assert_int_equal(weir_node_list(node, stop_at_once, NULL, &error), WEIR_INVALID_ARGUMENT);
        assert_contains(error.message, paths[i]);
        weir_node_close(node);
    }
}

static void what_is_not_there_says_where_it_was_looked_for(void **state) {
    (void)state;
    assert_int_equal(open_refused("/lake/missing.parquet"), WEIR_NOT_FOUND);
    assert_contains(error.message, "/lake/missing.parquet");
    assert_int_equal(open_refused("/weir/public/w"), WEIR_NOT_FOUND);
    assert_string_equal(error.message,
                        "there is no table \"w\" in schema \"public\" of catalog \"weir\"");
    assert_int_equal(open_refused("/weir/public/missing.csv"), WEIR_NOT_FOUND);
    assert_contains(error.message, "of which \"/weir/public/missing.csv\" would be the bytes");
    assert_int_equal(open_refused("/weir/publik/v"), WEIR_NOT_FOUND);
    assert_contains(error.message, "there is no such schema");
    assert_int_equal(open_refused("/weir/publik"), WEIR_NOT_FOUND);
    assert_contains(error.message, "nearest name there: \"public\"");
    assert_int_equal(open_refused("/lake/../../etc/passwd"), WEIR_INVALID_ARGUMENT);
    /* The text of a plain file is no table of that encoding. */
    put_text(at("lake/plain"), "text");
    assert_int_equal(open_refused("/lake/plain.csv"), WEIR_NOT_FOUND);
}

/* ---- The table facet ---- */

static void the_schema_and_statistics_come_without_running_anything(void **state) {
    (void)state;
    struct weir_node *node = node_at("/weir/public/c.parquet");
    struct ArrowSchema schema;
    struct weir_node_statistics statistics = {.size = sizeof statistics};
    assert_ok(weir_node_schema(node, &schema, &error));
    assert_int_equal(schema.n_children, 1);
    assert_string_equal(schema.children[0]->name, "a");
    schema.release(&schema);
    assert_ok(weir_node_statistics(node, &statistics, NULL, &error));
    assert_int_equal(statistics.n_rows, -1);
    assert_int_equal(counted->reads, 0);
    weir_node_close(node);
    node = node_at("/lake/logs");
    assert_ok(weir_node_statistics(node, &statistics, NULL, &error));
    assert_int_equal(statistics.n_rows, 20);
    assert_int_equal(statistics.rows_exact, 1);
    weir_node_close(node);
}

static int64_t sum_of(const char *path) {
    struct weir_node *node = node_at(path);
    struct ArrowArrayStream rows;
    int64_t sum = 0;
    assert_ok(weir_node_rows(node, &rows, &error));
    for (;;) {
        struct ArrowArray batch;
        if (rows.get_next(&rows, &batch)) fail_msg("%s: %s", path, rows.get_last_error(&rows));
        if (!batch.release) break;
        const struct ArrowArray *column = batch.children[0];
        for (int64_t i = 0; i < batch.length; i++)
            sum += ((const int64_t *)column->buffers[1])[column->offset + i];
        batch.release(&batch);
    }
    rows.release(&rows);
    weir_node_close(node);
    return sum;
}

static void the_rows_are_those_of_sql(void **state) {
    (void)state;
    assert_int_equal(sum_of("/lake/numbers"), 6);
    assert_int_equal(sum_of("/lake/numbers.parquet"), 6);
    assert_int_equal(sum_of("/lake/doubled"), 12);
    assert_int_equal(sum_of("/lake/doubled.sql"), 12);
    assert_int_equal(sum_of("/lake/logs"), 210);
    assert_int_equal(sum_of("/lake/logs/*.parquet"), 210);
    assert_int_equal(sum_of("v"), 6);
    assert_int_equal(sum_of("/weir/public/c"), 499500);
    assert_int_equal(sum_of(at("lake/logs")), 210);
    run("CREATE TABLE \"odd \"\"name\" AS SELECT CAST(7 AS BIGINT) AS a");
    assert_int_equal(sum_of("/weir/public/odd \"name"), 7);
}

static void what_has_no_rows_says_what_it_is(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct weir_node *node = node_at("/lake/notes.txt");
    assert_int_equal(weir_node_schema(node, &schema, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "\"/lake/notes.txt\" is a plain file of 12 bytes and no table; read its "
                        "bytes (weir cat --bytes), or give it a name with the extension of a "
                        "format, such as .csv");
    weir_node_close(node);
    node = node_at("/lake/empty");
    assert_int_equal(weir_node_schema(node, &schema, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "\"/lake/empty\" is a directory without rows");
    weir_node_close(node);
}

static char *version_of(const char *path) {
    struct weir_node *node = node_at(path);
    char *version = NULL;
    assert_ok(weir_node_version(node, &version, &error));
    weir_node_close(node);
    return version;
}

/* Whether the versions of a path before and after a change are the same. */
static bool is_same_after(const char *path, const char *changed, const char *text) {
    char *before = version_of(path);
    put_text(at(changed), text);
    char *after = version_of(path);
    assert_non_null(before);
    assert_non_null(after);
    bool same = strcmp(before, after) == 0;
    weir_free(before);
    weir_free(after);
    return same;
}

static void a_version_changes_with_any_input(void **state) {
    (void)state;
    const char *const paths[] = {"/lake/numbers.csv", "/lake/numbers",  "/lake/numbers.parquet",
                                 "/lake/doubled",     "/weir/public/v", "v.csv"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths - 1; i++) {
        char text[100];
        snprintf(text, sizeof text, "a,b\n%zu,changed\n", i);
        assert_true(is_same_after(paths[i], "lake/other.txt", text));
        assert_false(is_same_after(paths[i], "lake/numbers.csv", text));
    }
    assert_false(
        is_same_after("/lake/doubled", "lake/doubled.sql", "SELECT a * 3 AS a FROM numbers"));
    assert_false(is_same_after("/lake/notes.txt", "lake/notes.txt", "other bytes"));
    assert_null(version_of("/weir/public/u"));
    assert_null(version_of("/lake/empty"));
    run("CREATE VIEW n AS SELECT now() AS t");
    assert_null(version_of("n"));
}

static void the_inputs_are_those_behind_all_views(void **state) {
    (void)state;
    run("CREATE VIEW w AS SELECT v.a FROM v JOIN c ON v.a = c.a");
    struct weir_node *node = node_at("w");
    struct ArrowArrayStream rows;
    char names[1000] = "";
    assert_ok(weir_node_inputs(node, &rows, &error));
    for (;;) {
        struct ArrowArray batch;
        assert_int_equal(rows.get_next(&rows, &batch), 0);
        if (!batch.release) break;
        const int32_t *offsets = batch.children[0]->buffers[1];
        const char *texts = batch.children[0]->buffers[2];
        for (int64_t i = 0; i < batch.length; i++) {
            size_t length = strlen(names);
            snprintf(names + length, sizeof names - length, "%.*s ",
                     (int)(offsets[i + 1] - offsets[i]), texts + offsets[i]);
        }
        batch.release(&batch);
    }
    rows.release(&rows);
    assert_contains(names, "/lake/numbers.csv ");
    assert_contains(names, "/weir/public/c ");
    weir_node_close(node);
}

static void a_broken_table_is_there_and_says_what_is_wrong(void **state) {
    (void)state;
    put_text(at("lake/broken.sql"), "SELECT a FROM\nnumbers WHERE a ==== 1\n");
    struct ArrowSchema schema;
    struct weir_node *node = node_at("/lake/broken");
    assert_int_equal(info_of(node).is_table, 1);
    assert_int_equal(weir_node_schema(node, &schema, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "broken.sql");
    assert_contains(error.message, ":2:19");
    weir_node_close(node);
    unlink(at("lake/numbers.csv"));
    node = node_at("v");
    assert_int_not_equal(weir_node_schema(node, &schema, &error), WEIR_OK);
    assert_contains(error.message, "numbers");
    weir_node_close(node);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, in_tree, leave_tree)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_node_is_what_it_is),
        TEST(a_table_has_its_sql_name_in_parts),
        TEST(a_query_in_a_file_says_what_it_is_and_which_encoding_is_meant),
        TEST(directories_are_listed_by_name),
        TEST(a_listing_ends_when_it_is_told_to),
        TEST(what_is_no_directory_is_not_listed),
        TEST(what_is_not_there_says_where_it_was_looked_for),
        TEST(the_schema_and_statistics_come_without_running_anything),
        TEST(the_rows_are_those_of_sql),
        TEST(what_has_no_rows_says_what_it_is),
        TEST(a_version_changes_with_any_input),
        TEST(the_inputs_are_those_behind_all_views),
        TEST(a_broken_table_is_there_and_says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
