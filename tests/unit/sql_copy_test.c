/* SPDX-License-Identifier: Apache-2.0 */
#include "sql_material.h"

static void assert_copied(const char *text, const char *expected) {
    struct wr_statement s;
    struct weir_error error = {0};
    int code = wr_statement_parse(text, NULL, &s, &error);
    assert_string_equal(error.message, "");
    assert_int_equal(code, WEIR_OK);
    assert_int_equal(s.type, WR_STATEMENT_ENGINE);
    assert_string_equal(s.text, expected);
    wr_statement_reset(&s);
}

static void copy_options_become_the_engines_form(void **state) {
    (void)state;
    assert_copied("COPY t TO 'x.parquet' (FORMAT parquet)",
                  "COPY t TO 'x.parquet' STORED AS PARQUET");
    assert_copied("copy a.\"to\".c  to 'x' with (format 'CSV', header);",
                  "copy a.\"to\".c  to 'x' STORED AS CSV OPTIONS ('format.has_header' 'true')");
    assert_copied("COPY (SELECT ')' AS to, 1) /* c */ TO 'it''s' ()",
                  "COPY (SELECT ')' AS to, 1) /* c */ TO 'it''s'");
    assert_copied("EXPLAIN ANALYZE COPY t TO 'x' (FORMAT arrow)",
                  "EXPLAIN ANALYZE COPY t TO 'x' STORED AS ARROW");
    assert_copied(
        "COPY t TO 'd/' (FORMAT = parquet, PARTITION_BY = (A, \"Bc\", 'd_1'), OVERWRITE true)",
        "COPY t TO 'd/' STORED AS PARQUET PARTITIONED BY (a, Bc, d_1) OPTIONS ('weir.overwrite' "
        "'true')");
    assert_copied("COPY t TO 'd/' (PARTITION_BY a, FORMAT jsonl)",
                  "COPY t TO 'd/' STORED AS JSON PARTITIONED BY (a)");
    assert_copied(
        "COPY t TO 'x.csv' (HEADER off, DELIMITER ';', NULL 'it''s', QUOTE '''', ESCAPE '\\')",
        "COPY t TO 'x.csv' OPTIONS ('format.has_header' 'false', 'format.delimiter' ';', "
        "'format.quote' '''', "
        "'format.escape' '\\', 'format.null_value' 'it''s')");
    assert_copied(
        "COPY t TO 'x' (FORMAT csv, HAS_HEADER 0, SEP '\\t', NULLSTR '', format.date_format '%Y')",
        "COPY t TO 'x' STORED AS CSV OPTIONS ('format.has_header' 'false', 'format.delimiter' "
        "'\t', "
        "'format.null_value' '', 'format.date_format' '%Y')");
    assert_copied("COPY t TO 'x' (FORMAT tsv)",
                  "COPY t TO 'x' STORED AS CSV OPTIONS ('format.delimiter' '\t')");
    assert_copied("COPY t TO 'x' (FORMAT tsv, DELIM '|')",
                  "COPY t TO 'x' STORED AS CSV OPTIONS ('format.delimiter' '|')");
    assert_copied("COPY t TO 'x' (FORMAT parquet, ROW_GROUP_SIZE 1000)",
                  "COPY t TO 'x' STORED AS PARQUET OPTIONS ('format.max_row_group_size' '1000')");
}

static void a_digit_as_delimiter_is_given_by_its_byte_number(void **state) {
    (void)state;
    assert_copied("COPY t TO 'x' (FORMAT csv, DELIMITER 0)",
                  "COPY t TO 'x' STORED AS CSV OPTIONS ('format.delimiter' '48')");
    assert_copied("COPY t TO 'x' (FORMAT csv, QUOTE '9')",
                  "COPY t TO 'x' STORED AS CSV OPTIONS ('format.quote' '57')");
}

static void codecs_are_spelled_for_their_format(void **state) {
    (void)state;
    static const struct {
        const char *options, *compression;
    } cases[] = {
        {"FORMAT parquet, COMPRESSION ZSTD", "'format.compression' 'zstd(3)'"},
        {"COMPRESSION gzip, FORMAT parquet", "'format.compression' 'gzip(6)'"},
        {"FORMAT parquet, COMPRESSION snappy", "'format.compression' 'snappy'"},
        {"FORMAT parquet, COMPRESSION lz4", "'format.compression' 'lz4_raw'"},
        {"FORMAT parquet, COMPRESSION brotli", "'format.compression' 'brotli(6)'"},
        {"FORMAT parquet, COMPRESSION none", "'format.compression' 'uncompressed'"},
        {"FORMAT parquet, COMPRESSION 'zstd(19)'", "'format.compression' 'zstd(19)'"},
        {"FORMAT parquet, COMPRESSION_LEVEL 9", "'format.compression' 'zstd(9)'"},
        {"FORMAT parquet, COMPRESSION gzip, COMPRESSION_LEVEL 1", "'format.compression' 'gzip(1)'"},
        {"FORMAT csv, COMPRESSION zstd, COMPRESSION_LEVEL 5",
         "'format.compression' 'zstd', 'format.compression_level' '5'"},
        {"FORMAT json, COMPRESSION bzip2", "'format.compression' 'bzip2'"},
        {"FORMAT csv, COMPRESSION xz", "'format.compression' 'xz'"},
        {"FORMAT csv, COMPRESSION none", "'format.compression' 'uncompressed'"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char text[200], options[200];
        snprintf(text, sizeof text, "COPY t TO 'x' (%s)", cases[i].options);
        snprintf(options, sizeof options, " OPTIONS (%s)", cases[i].compression);
        struct wr_statement s;
        assert_int_equal(wr_statement_parse(text, NULL, &s, NULL), WEIR_OK);
        const char *tail = strstr(s.text, " OPTIONS");
        assert_non_null(tail);
        assert_string_equal(tail, options);
        wr_statement_reset(&s);
    }
    /* Without FORMAT the extension says how it is spelled, and the engine still chooses the format.
     */
    assert_copied("COPY t TO 'a/x.Parquet' (COMPRESSION zstd)",
                  "COPY t TO 'a/x.Parquet' OPTIONS ('format.compression' 'zstd(3)')");
    assert_copied("COPY t TO 'a.parquet/x.csv' (COMPRESSION zstd)",
                  "COPY t TO 'a.parquet/x.csv' OPTIONS ('format.compression' 'zstd')");
    assert_copied("COPY t TO 'a.parquet/x' (COMPRESSION zstd)",
                  "COPY t TO 'a.parquet/x' OPTIONS ('format.compression' 'zstd')");
}

static void assert_bad_option(const char *text, const char *message) {
    assert_refused(text, WEIR_INVALID_ARGUMENT, "22023", message);
}

static void copy_options_that_cannot_work_are_refused_at_their_place(void **state) {
    (void)state;
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^DELIMETER ';')",
                      "COPY: unknown option \"delimeter\"; did you mean DELIMITER? It takes "
                      "FORMAT, PARTITION_BY, OVERWRITE, "
                      "COMPRESSION, COMPRESSION_LEVEL, ROW_GROUP_SIZE, HEADER, DELIMITER, QUOTE, "
                      "ESCAPE, NULL, and the engine's "
                      "keys, such as format.date_format");
    assert_bad_option("COPY t TO 'x' (^FORMAT xlsx)",
                      "COPY: unknown FORMAT \"xlsx\"; it is one of parquet, csv, tsv, json, jsonl, "
                      "ndjson, arrow");
    assert_bad_option("COPY t TO 'x' (^HEADER true, FORMAT parquet)",
                      "COPY: option HEADER does not apply to the format parquet; leave it out");
    assert_bad_option("COPY t TO 'x.json' (^DELIMITER ';')",
                      "COPY: option DELIMITER does not apply to the format json; leave it out");
    assert_bad_option("COPY t TO 'x' (FORMAT arrow, ^COMPRESSION zstd)",
                      "COPY: option COMPRESSION does not apply to the format arrow; leave it out");
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^HEADER maybe)",
                      "COPY: option HEADER must be true or false, not 'maybe'");
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^DELIMITER ';;')",
                      "COPY: option DELIMITER must be one ASCII character, not ';;'");
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^QUOTE '')",
                      "COPY: option QUOTE must be one ASCII character, not ''");
    assert_bad_option("COPY t TO 'x' (FORMAT parquet, ^ROW_GROUP_SIZE 0)",
                      "COPY: option ROW_GROUP_SIZE must be a whole number above zero, not '0'");
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^COMPRESSION snappy)",
                      "COPY: COMPRESSION 'snappy' is not one of zstd, gzip, bzip2, xz, none, "
                      "uncompressed, the codecs of csv");
    assert_bad_option("COPY t TO 'x' (FORMAT parquet, ^COMPRESSION xz)",
                      "COPY: COMPRESSION 'xz' is not one of zstd, gzip, snappy, lz4, lz4_raw, "
                      "brotli, none, uncompressed, the "
                      "codecs of parquet");
    assert_bad_option("COPY t TO 'x' (FORMAT parquet, ^COMPRESSION zip)",
                      "COPY: COMPRESSION 'zip' is not one of zstd, gzip, snappy, lz4, lz4_raw, "
                      "brotli, none, uncompressed, the "
                      "codecs of parquet");
    assert_bad_option(
        "COPY t TO 'x' (FORMAT parquet, COMPRESSION snappy, ^COMPRESSION_LEVEL 3)",
        "COPY: COMPRESSION_LEVEL needs a codec that has levels: zstd, gzip or brotli");
    assert_bad_option("COPY t TO 'x' (FORMAT parquet, COMPRESSION 'zstd(3)', ^COMPRESSION_LEVEL 3)",
                      "COPY: COMPRESSION_LEVEL is given a second time within COMPRESSION");
    assert_bad_option("COPY t TO 'x' (FORMAT csv, ^COMPRESSION_LEVEL 3)",
                      "COPY: COMPRESSION_LEVEL needs COMPRESSION beside it");
    assert_bad_option("COPY t TO 'x' (^COMPRESSION_LEVEL 3)",
                      "COPY: COMPRESSION_LEVEL needs FORMAT beside it");
    assert_refused("COPY t TO 'x' (PARTITION_BY (a, ^\"my col\"))", WEIR_NOT_IMPLEMENTED, "0A000",
                   "COPY: cannot partition by \"my col\", whose name needs quotes; give it another "
                   "name in the query with AS");
}

static void syntax_errors_of_copy_name_the_place(void **state) {
    (void)state;
    assert_syntax_error(
        "COPY t TO 'x' (FORMAT csv ^HEADER true)",
        "syntax error at or near \"HEADER\": expected \",\" or \")\" after \"csv\"");
    assert_syntax_error(
        "COPY t TO 'x' (FORMAT csv^",
        "syntax error at the end of the statement: expected \",\" or \")\" after \"csv\"");
    assert_syntax_error("COPY t TO 'x' (FORMAT ^)",
                        "syntax error at or near \")\": expected a value ('text', number, true, "
                        "false or a word) after \"FORMAT\"");
    assert_syntax_error("COPY t TO 'x' (PARTITION_BY (^))",
                        "syntax error at or near \")\": expected a column's name after \"(\"");
    assert_syntax_error("COPY t TO 'x' (PARTITION_BY (a ^b))",
                        "syntax error at or near \"b\": expected \",\" or \")\" after \"a\"");
    assert_syntax_error(
        "COPY t TO 'x' (FORMAT csv) ^STORED AS CSV",
        "syntax error at or near \"STORED\": expected the end of the statement after \")\"");
    assert_syntax_error("COPY t TO 'x' (DELIMITER ';', ^SEP ',')",
                        "COPY: option DELIMITER is given twice; keep one of them");
    assert_syntax_error("COPY t TO 'x' (format.a 1, ^FORMAT.A 2)",
                        "COPY: option format.a is given twice; keep one of them");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_options_become_the_engines_form),
        cmocka_unit_test(a_digit_as_delimiter_is_given_by_its_byte_number),
        cmocka_unit_test(codecs_are_spelled_for_their_format),
        cmocka_unit_test(copy_options_that_cannot_work_are_refused_at_their_place),
        cmocka_unit_test(syntax_errors_of_copy_name_the_place),
    };
    return cmocka_run_group_tests_name("sql copy", tests, NULL, NULL);
}
