/* SPDX-License-Identifier: Apache-2.0 */
#include "file_test.h"

#include "file/encoding.h"

static void each_spelling_of_an_encoding_is_known_in_any_case(void **state) {
    (void)state;
    const char *const spellings[][2] = {
        {"parquet", "parquet"}, {"PQ", "parquet"},  {"arrow", "arrow"}, {"Feather", "arrow"},
        {"ipc", "arrow"},       {"csv", "csv"},     {"TSV", "tsv"},     {"json", "json"},
        {"jsonl", "jsonl"},     {"ndjson", "jsonl"}};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        assert_string_equal(wr_encoding_parse(NULL, spellings[i][0]), spellings[i][1]);
    }
    assert_null(wr_encoding_parse(NULL, ""));
    assert_null(wr_encoding_parse(NULL, "sql"));
    assert_null(wr_encoding_parse(NULL, "parquets"));
}

static void an_unknown_encoding_names_the_nearest_and_all(void **state) {
    (void)state;
    struct weir_error error = {0};
    const char *encoding = NULL;
    assert_int_equal(wr_encoding_check(NULL, "parqet", &encoding, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "there is no encoding \"parqet\"; the nearest is "
                                       "\"parquet\"; known: parquet, arrow, csv, tsv, json, jsonl");
    assert_int_equal(wr_encoding_check(NULL, "zip", &encoding, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "there is no encoding \"zip\"; known: parquet, arrow, csv, "
                                       "tsv, json, jsonl");
    assert_null(encoding);
    assert_int_equal(wr_encoding_check(NULL, "NDJSON", &encoding, &error), WEIR_OK);
    assert_string_equal(encoding, "jsonl");
}

static void only_the_last_components_extension_counts(void **state) {
    (void)state;
    size_t stem = 99;
    assert_string_equal(wr_encoding_of_path(NULL, "/lake/a.b/x.parquet", &stem), "parquet");
    assert_int_equal(stem, strlen("/lake/a.b/x"));
    assert_string_equal(wr_encoding_of_path(NULL, "x.sql.CSV", &stem), "csv");
    assert_int_equal(stem, strlen("x.sql"));
    assert_null(wr_encoding_of_path(NULL, "/lake.csv/x", &stem));
    assert_null(wr_encoding_of_path(NULL, "/lake/.csv", &stem));
    assert_null(wr_encoding_of_path(NULL, "x.csv.gz", &stem));
    assert_null(wr_encoding_of_path(NULL, "x.", &stem));
    assert_null(wr_encoding_of_path(NULL, "", &stem));
    assert_int_equal(stem, strlen("x.sql"));
    assert_string_equal(wr_path_extension("/a/notes.txt"), "txt");
    assert_null(wr_path_extension("/a.b/notes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_spelling_of_an_encoding_is_known_in_any_case),
        cmocka_unit_test(an_unknown_encoding_names_the_nearest_and_all),
        cmocka_unit_test(only_the_last_components_extension_counts),
    };
    return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
