/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

#include <stdio.h>
#include <stdlib.h>

#define test(name) cmocka_unit_test_setup_teardown(name, in_new_directory, remove_directory)

static void check(struct weir_form form, const char *format, const char *compression) {
    assert_string_equal(form.files.format, format);
    if (compression) {
        assert_string_equal(form.files.compression, compression);
    } else {
        assert_null(form.files.compression);
    }
    form.release(&form);
}

static void check_option(struct weir_form form, const char *key, const char *value) {
    assert_string_equal(option(&form, key), value);
    form.release(&form);
}

static const char lines[] = "{\"a\": 1}\n{\"a\": 2}\n";
static const char array[] = " \n[{\"a\": 1}, {\"a\": 2}]";
static const char table[] = "id;name\n1;x\n2;y\n";

static void the_extension_tells_the_format(void **state) {
    (void)state;
    const struct {
        const char *name;
        const char *format;
    } cases[] = {{"a.csv", "csv"},       {"a.TSV", "csv"},      {"a.tab", "csv"},
                 {"a.json", "json"},     {"a.jsonl", "json"},   {"a.ndjson", "json"},
                 {"a.arrow", "arrow"},   {"a.arrows", "arrow"}, {"a.ipc", "arrow"},
                 {"a.feather", "arrow"}, {"a.avro", "avro"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].name, "something");
        check(form_of("path", cases[i].name), cases[i].format, NULL);
    }
    put_parquet("a.parquet");
    put_parquet("a.pq");
    check(form_of("path", "a.parquet"), "parquet", NULL);
    check(form_of("path", "a.pq"), "parquet", NULL);
}

static void the_first_bytes_tell_the_format_where_the_name_does_not(void **state) {
    (void)state;
    put_parquet("parquet");
    put("arrow.bin", "ARROW1\0\0");
    put_bytes("stream", "\xFF\xFF\xFF\xFF\x80\0\0\0\x10\0\0\0", 12);
    put("avro", "Obj\1xx");
    put("json.txt", array);
    put("lines", lines);
    put("csv.txt", table);
    check(form_of("path", "parquet"), "parquet", NULL);
    check(form_of("path", "arrow.bin"), "arrow", NULL);
    check(form_of("path", "stream"), "arrow", NULL);
    check(form_of("path", "avro"), "avro", NULL);
    check(form_of("path", "json.txt"), "json", NULL);
    check(form_of("path", "lines"), "json", NULL);
    check(form_of("path", "csv.txt"), "csv", NULL);
}

static void bytes_that_tell_nothing_are_an_error_that_names_the_option(void **state) {
    (void)state;
    put("prose.txt", "It was a dark night.\nRain fell, in torrents, except at times.\nThe end.\n");
    put_bytes("x.bin", "PK\3\4\0\0,\0,\n", 10);
    assert_contains(error_of("path", "prose.txt").message, "option format");
    assert_contains(error_of("path", "x.bin").message, "option format");
    check(form_of("path", "prose.txt", "format", "csv"), "csv", NULL);
}

static void compression_is_told_by_name_bytes_or_option(void **state) {
    (void)state;
    const struct {
        const char *name;
        enum wr_file_compression compression;
        const char *told;
    } cases[] = {{"a.csv.gz", WR_COMPRESSION_GZIP, "gzip"},
                 {"a.csv.zst", WR_COMPRESSION_ZSTD, "zstd"},
                 {"a.csv.bz2", WR_COMPRESSION_BZIP2, "bzip2"},
                 {"a.csv.xz", WR_COMPRESSION_XZ, "xz"},
                 {"b.csv", WR_COMPRESSION_GZIP, "gzip"},
                 {"c.txt", WR_COMPRESSION_ZSTD, "zstd"},
                 {"d", WR_COMPRESSION_XZ, "xz"},
                 {"e.bz2", WR_COMPRESSION_BZIP2, "bzip2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_compressed(cases[i].name, cases[i].compression, table);
        check(form_of("path", cases[i].name), "csv", cases[i].told);
        check_option(form_of("path", cases[i].name), "format.delimiter", ";");
    }
    check(form_of("path", "b.csv", "compression", "GZIP"), "csv", "gzip");
    check(form_of("location", "a.csv.gz", "format", "csv"), "csv", "gzip");
    check(form_of("location", "b.csv", "format", "csv", "format.compression", "gzip"), "csv",
          "gzip");
    check(form_of("location", "b.csv", "format", "csv"), "csv", NULL);
    put("plain.csv", table);
    assert_contains(error_of("path", "plain.csv", "compression", "zstd").message,
                    "not valid zstd data");
    put("wrong.csv.xz", table);
    assert_contains(error_of("path", "wrong.csv.xz").message, "not valid xz data");
    assert_contains(error_of("path", "plain.csv", "compression", "lz4").message,
                    "none, gzip, zstd, bzip2 or xz");
}

static void several_members_of_one_gzip_file_are_read_as_one_text(void **state) {
    (void)state;
    put_compressed("one.gz", WR_COMPRESSION_GZIP, "a|");
    put_compressed("two.gz", WR_COMPRESSION_GZIP, "b\n1|2\n");
    assert_int_equal(system("cat one.gz two.gz > both.csv.gz"), 0);
    struct wr_head head;
    assert_int_equal(wr_head_read(&(struct wr_access){0}, "both", "both.csv.gz",
                                  WR_COMPRESSION_GZIP, WR_HEAD_BYTES, &head, NULL),
                     0);
    assert_int_equal(head.length, 8);
    assert_memory_equal(head.data, "a|b\n1|2\n", 8);
    assert_true(head.complete);
    wr_head_reset(&head);
}

static void a_head_ends_at_its_limit(void **state) {
    (void)state;
    char *text = malloc(WR_HEAD_BYTES * 2 + 1);
    memset(text, 'x', WR_HEAD_BYTES * 2);
    text[WR_HEAD_BYTES * 2] = '\0';
    put("long", text);
    put_compressed("long.zst", WR_COMPRESSION_ZSTD, text);
    free(text);
    const char *const names_of[] = {"long", "long.zst"};
    for (size_t i = 0; i < 2; i++) {
        struct wr_head head;
        assert_int_equal(wr_head_read(&(struct wr_access){0}, "long", names_of[i],
                                      WR_COMPRESSION_UNKNOWN, WR_HEAD_BYTES, &head, NULL),
                         0);
        assert_int_equal(head.length, WR_HEAD_BYTES);
        assert_false(head.complete);
        wr_head_reset(&head);
    }
}

static void binary_formats_are_not_read_from_inside_a_compression(void **state) {
    (void)state;
    put_parquet("a.parquet");
    put_compressed("b.parquet.gz", WR_COMPRESSION_GZIP, "PAR1");
    put_compressed("c", WR_COMPRESSION_GZIP, "Obj\1xxxx");
    assert_contains(error_of("path", "a.parquet", "compression", "gzip").message,
                    "leave out the option compression");
    assert_contains(error_of("path", "b.parquet.gz").message,
                    "a parquet file cannot be read from inside gzip");
    assert_contains(error_of("path", "c").message, "avro file cannot be read from inside gzip");
    check_option(
        form_of("location", "a.parquet", "format", "parquet", "format.compression", "zstd(3)"),
        "format.compression", "zstd(3)");
}

static void a_cut_parquet_file_is_named_with_its_size(void **state) {
    (void)state;
    put("x.parquet", "PAR1");
    put("y.parquet", "PAR1 and the rest is missing");
    put("z.parquet", "a,b\n1,2\n and it is csv");
    put("empty.parquet", "");
    struct weir_error error = error_of("path", "x.parquet");
    assert_int_equal(error.code, WEIR_INVALID_DATA);
    assert_string_equal(
        error.message,
        "\"x.parquet\" is not a complete Parquet file: no footer magic at its end (size 4 "
        "bytes); the file may be truncated");
    assert_contains(error_of("path", "y.parquet").message,
                    "no footer magic at its end (size 28 bytes)");
    assert_contains(error_of("path", "z.parquet").message, "is not a Parquet file");
    assert_contains(error_of("path", "empty.parquet").message, "(size 0 bytes)");
    assert_contains(error_of("path", "[xy].parquet").message, "x.parquet");
    put("d/a.parquet", "PAR1 and the rest is missing");
    assert_contains(error_of("location", "d", "format", "parquet").message, "d/a.parquet");
}

static void json_lines_and_arrays_are_told_apart(void **state) {
    (void)state;
    put("lines.json", lines);
    put("array.json", array);
    put("array.jsonl", array);
    put_compressed("array.json.bz2", WR_COMPRESSION_BZIP2, array);
    const char *const key = "format.newline_delimited";
    check_option(form_of("path", "lines.json"), key, "true");
    check_option(form_of("path", "array.json"), key, "false");
    check_option(form_of("path", "array.json.bz2"), key, "false");
    check_option(form_of("path", "array.jsonl"), key, "true");
    check_option(form_of("path", "array.json", key, "true"), key, "true");
    check_option(form_of("location", "array.json", "format", "json"), key, "");
    check_option(form_of("location", "array.json", "format", "ndjson"), key, "true");
}

static void the_dialect_of_a_path_is_found_and_given_options_win(void **state) {
    (void)state;
    put("a.csv", "1;'x\ny';3\n2;'z';4\n");
    struct weir_form form = form_of("path", "a.csv");
    assert_string_equal(option(&form, "format.delimiter"), ";");
    assert_string_equal(option(&form, "format.quote"), "'");
    assert_string_equal(option(&form, "format.has_header"), "false");
    assert_string_equal(option(&form, "format.newlines_in_values"), "true");
    form.release(&form);
    form = form_of("path", "a.csv", "delimiter", "\\t", "header", "true", "quote", "5", "escape",
                   "\\", "comment", "#");
    assert_string_equal(option(&form, "format.delimiter"), "\t");
    assert_string_equal(option(&form, "format.quote"), "53");
    assert_string_equal(option(&form, "format.has_header"), "true");
    assert_string_equal(option(&form, "format.escape"), "\\");
    assert_string_equal(option(&form, "format.comment"), "#");
    form.release(&form);
    check_option(form_of("path", "a.csv", "format.delimiter", "|"), "format.delimiter", "|");
    check_option(form_of("path", "a.csv", "format.truncated_rows", "true"), "format.truncated_rows",
                 "true");
}

static void nothing_of_a_location_is_guessed(void **state) {
    (void)state;
    put("a.csv", "1;2\n3;4\n");
    struct weir_form form =
        form_of("location", "a.csv", "format", "CSV", "format.has_header", "false");
    assert_int_equal(form.files.n_options, 1);
    assert_string_equal(option(&form, "format.has_header"), "false");
    form.release(&form);
    check_option(form_of("location", "a.csv", "format", "tsv"), "format.delimiter", "\t");
}

static void tab_separated_files_have_tabs(void **state) {
    (void)state;
    put("a.tsv", "a,b\tc\n1,2\t3\n");
    check_option(form_of("path", "a.tsv"), "format.delimiter", "\t");
    check_option(form_of("path", "a.tsv", "delimiter", ","), "format.delimiter", ",");
}

static void empty_text_files_have_no_columns(void **state) {
    (void)state;
    put("d/a.csv", "");
    put("d/b.csv", "a,b\n1,2\n");
    put("empty.csv", "");
    struct weir_form form = form_of("path", "d");
    assert_string_equal(names(&form), "d/b.csv");
    form.release(&form);
    assert_contains(error_of("path", "empty.csv").message, "\"empty.csv\" is empty (0 bytes)");
    assert_contains(error_of("location", "empty.csv", "format", "csv").message,
                    "declare the columns");
    struct ArrowSchema columns = columns_of("a", "l", NULL);
    form = form_with(&columns, "path", "empty.csv", NULL);
    assert_int_equal(form.files.n_files, 0);
    assert_int_equal(form.schema.n_children, 1);
    form.release(&form);
    columns.release(&columns);
}

static void utf16_text_is_an_error_that_says_so(void **state) {
    (void)state;
    put_bytes("a.csv",
              "\xFF\xFE"
              "a\0,\0b\0\n\0",
              10);
    assert_contains(error_of("path", "a.csv").message, "UTF-16");
}

static void wrong_options_are_errors(void **state) {
    (void)state;
    put("a.csv", table);
    put_parquet("a.parquet");
    assert_contains(error_of("path", "a.csv", "format", "excel").message, "parquet, csv");
    assert_contains(error_of("path", "a.csv", "delimiter", "||").message, "one ASCII character");
    assert_contains(error_of("path", "a.csv", "delimiter", "é").message, "one ASCII character");
    assert_contains(error_of("path", "a.csv", "delimiter", ";", "format.delimiter", ";").message,
                    "given twice");
    assert_contains(error_of("path", "a.csv", "location", "a.csv").message, "keep one");
    assert_contains(error_of("format", "csv").message, "\"path\" is missing");
    assert_contains(error_of("path", "a.csv", "hive", "maybe").message, "true, false or auto");
    assert_contains(error_of("path", "a.csv", "partition_by", "a,,b").message, "partition_by");
    assert_contains(error_of("path", "a.parquet", "delimiter", ";").message, "is for CSV files");
    assert_contains(error_of("path", "a.csv", "delimter", ";").message, "delimiter");
}

static void the_order_of_rows_is_passed_on(void **state) {
    (void)state;
    put("a.csv", table);
    struct weir_form form = form_of("path", "a.csv", "order_by", "id ASC, name DESC");
    assert_string_equal(form.files.order_by, "id ASC, name DESC");
    form.release(&form);
}

static void declared_columns_are_the_schema_else_the_engine_finds_it(void **state) {
    (void)state;
    put("a.csv", table);
    struct ArrowSchema columns = columns_of("id", "l", "name", "u", NULL);
    struct weir_form form = form_with(&columns, "location", "a.csv", "format", "csv", NULL);
    columns.release(&columns);
    assert_int_equal(form.schema.n_children, 2);
    assert_string_equal(form.schema.children[0]->name, "id");
    assert_string_equal(form.schema.children[1]->format, "u");
    form.release(&form);
    form = form_of("path", "a.csv");
    assert_null(form.schema.release);
    form.release(&form);
}

static void csv_files_of_different_headers_are_a_union_by_name(void **state) {
    (void)state;
    put("d/k=1/a.csv", "a,b\n1,2\n");
    put("d/k=2/b.csv", "b;a\n1;2\n");
    put("d/k=3/c.csv", "\"a\",\"b\"\r\n5,6\r\n");
    struct weir_error error = {0};
    void *instance = NULL;
    struct weir_form form;
    if (open_table(NULL, &instance, &error, "path", "d", NULL) != 0) fail_msg("%s", error.message);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(wr_kind_files.form(instance, &form, &error), 0);
        assert_int_equal(form.type, WEIR_FORM_UNION);
        assert_int_equal(form.n_parts, 2);
        assert_string_equal(names(form.parts[0]), "d/k=1/a.csv d/k=3/c.csv");
        assert_string_equal(names(form.parts[1]), "d/k=2/b.csv");
        assert_string_equal(option(form.parts[0], "format.delimiter"), ",");
        assert_string_equal(option(form.parts[1], "format.delimiter"), ";");
        assert_string_equal(form.parts[1]->files.files[0].partition_values[0], "2");
        assert_string_equal(form.parts[1]->files.partition_columns->children[0]->format, "l");
        form.release(&form);
    }
    put("d/k=2/b.csv", "a,b\n7,8\n");
    assert_int_equal(wr_kind_files.form(instance, &form, &error), 0);
    assert_int_equal(form.type, WEIR_FORM_FILES);
    assert_int_equal(form.files.n_files, 3);
    form.release(&form);
    wr_kind_files.close(instance);
}

static void csv_files_without_header_or_with_declared_columns_are_read_together(void **state) {
    (void)state;
    put("d/a.csv", "a,b\n1,2\n");
    put("d/b.csv", "b,a\n1,2\n");
    struct weir_form form = form_of("path", "d", "header", "false");
    assert_int_equal(form.files.n_files, 2);
    form.release(&form);
    struct ArrowSchema columns = columns_of("a", "l", "b", "l", NULL);
    form = form_with(&columns, "location", "d", "format", "csv", NULL);
    assert_int_equal(form.files.n_files, 2);
    form.release(&form);
    columns.release(&columns);
}

static void too_many_different_headers_are_an_error(void **state) {
    (void)state;
    for (int i = 0; i < 70; i++) {
        char path[32];
        char text[32];
        snprintf(path, sizeof path, "d/%d.csv", i);
        snprintf(text, sizeof text, "a,b%d\n1,2\n", i);
        put(path, text);
    }
    assert_contains(error_of("path", "d").message, "more than 64 different headers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(the_extension_tells_the_format),
        test(the_first_bytes_tell_the_format_where_the_name_does_not),
        test(bytes_that_tell_nothing_are_an_error_that_names_the_option),
        test(compression_is_told_by_name_bytes_or_option),
        test(several_members_of_one_gzip_file_are_read_as_one_text),
        test(a_head_ends_at_its_limit),
        test(binary_formats_are_not_read_from_inside_a_compression),
        test(a_cut_parquet_file_is_named_with_its_size),
        test(json_lines_and_arrays_are_told_apart),
        test(the_dialect_of_a_path_is_found_and_given_options_win),
        test(nothing_of_a_location_is_guessed),
        test(csv_files_of_different_headers_are_a_union_by_name),
        test(csv_files_without_header_or_with_declared_columns_are_read_together),
        test(too_many_different_headers_are_an_error),
        test(tab_separated_files_have_tabs),
        test(empty_text_files_have_no_columns),
        test(utf16_text_is_an_error_that_says_so),
        test(wrong_options_are_errors),
        test(the_order_of_rows_is_passed_on),
        test(declared_columns_are_the_schema_else_the_engine_finds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
