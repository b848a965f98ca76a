/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

static struct wr_csv_dialect sniff_with(struct wr_csv_dialect dialect, const char *text) {
    assert_true(wr_csv_sniff(text, strlen(text), true, &dialect));
    return dialect;
}

static struct wr_csv_dialect sniff(const char *text) {
    return sniff_with((struct wr_csv_dialect){.header = -1}, text);
}

static void the_delimiter_is_the_one_whose_rows_agree(void **state) {
    (void)state;
    assert_int_equal(sniff("a,b,c\n1,2,3\n").delimiter, ',');
    assert_int_equal(sniff("a;b\n1,5;2,5\n1,5;2,5\n").delimiter, ';');
    assert_int_equal(sniff("a\tb\n1, 2\t3\n4\t5, 6, 7\n").delimiter, '\t');
    assert_int_equal(sniff("a|b\r\nx, y|z\r\n").delimiter, '|');
    assert_int_equal(sniff("a,b,c\n1,2,3\n1,2\n1,2,3\n").delimiter, ',');
}

static void a_single_column_has_a_comma_and_is_not_steady(void **state) {
    (void)state;
    struct wr_csv_dialect dialect = sniff("name\nbob\nann\n");
    assert_int_equal(dialect.delimiter, ',');
    assert_false(dialect.steady);
    assert_true(sniff("a,b\n1,2\n").steady);
}

static void delimiters_inside_quotes_do_not_count(void **state) {
    (void)state;
    assert_int_equal(sniff("a;b\n\"1,2,3\";x\n\"1,2,3\";y\n").delimiter, ';');
    assert_int_equal(sniff("a,b\n\"say \"\"x;y\"\"\",1\n\"p;q\",2\n").delimiter, ',');
}

static void single_quotes_are_found_when_they_enclose_values(void **state) {
    (void)state;
    struct wr_csv_dialect dialect = sniff("a,b\n'x,y',1\n'z',2\n");
    assert_int_equal(dialect.quote, '\'');
    assert_int_equal(dialect.delimiter, ',');
    assert_int_equal(sniff("a,b\n'tis,1\nx,2\n").quote, '"');
    assert_int_equal(sniff("a,b\n\"'x'\",1\n").quote, '"');
}

static void newlines_in_quoted_values_are_seen(void **state) {
    (void)state;
    assert_true(sniff("a,b\n\"x\ny\",1\n").newlines);
    assert_false(sniff("a,b\n\"x\",1\n").newlines);
}

static void typed_columns_below_a_text_tell_a_header(void **state) {
    (void)state;
    assert_int_equal(sniff("id,name\n1,bob\n2,ann\n").header, 1);
    assert_int_equal(sniff(",x\n0,1.5\n1,2.5\n").header, 1);
    assert_int_equal(sniff("id,2020,2021\n7,1,2\n").header, 1);
    assert_int_equal(sniff("day,who\n2024-05-01,a\n").header, 1);
    assert_int_equal(sniff("ok,who\ntrue,a\nFALSE,b\n").header, 1);
    assert_int_equal(sniff("at,who\n2024-05-01 10:00:00,a\n").header, 1);
}

static void values_in_the_first_row_tell_that_there_is_no_header(void **state) {
    (void)state;
    assert_int_equal(sniff("1,bob\n2,ann\n").header, 0);
    assert_int_equal(sniff("NA,bob\n2,ann\n").header, 0);
    assert_int_equal(sniff("x,x\ny,z\n").header, 0);
    assert_int_equal(sniff("-1.5e3,a\n").header, 0);
}

static void rows_of_text_have_a_header(void **state) {
    (void)state;
    assert_int_equal(sniff("first,second\nalice,bob\n").header, 1);
    assert_int_equal(sniff("a,b,c\n").header, 1);
}

static void what_is_given_stays(void **state) {
    (void)state;
    struct wr_csv_dialect dialect = sniff_with(
        (struct wr_csv_dialect){.delimiter = '|', .quote = '\'', .header = 0}, "a,b\n1,2\n");
    assert_int_equal(dialect.delimiter, '|');
    assert_int_equal(dialect.quote, '\'');
    assert_int_equal(dialect.header, 0);
}

static void comments_blank_lines_and_a_byte_order_mark_are_skipped(void **state) {
    (void)state;
    struct wr_csv_dialect dialect =
        sniff_with((struct wr_csv_dialect){.comment = '#', .header = -1},
                   "\xEF\xBB\xBF# one; two; three\n\nid,b\n1,2\n");
    assert_int_equal(dialect.delimiter, ',');
    assert_int_equal(dialect.header, 1);
}

static void an_escaped_quote_does_not_end_the_value(void **state) {
    (void)state;
    const char *text = "a;b\n\"x\\\";,,\";1\n\"y\";2\n";
    assert_int_equal(
        sniff_with((struct wr_csv_dialect){.escape = '\\', .header = -1}, text).delimiter, ';');
}

static void the_cut_last_row_of_a_sample_does_not_count(void **state) {
    (void)state;
    struct wr_csv_dialect dialect = {.header = -1};
    const char *text = "a;b;c\n1;2;3\n4;";
    assert_true(wr_csv_sniff(text, strlen(text), false, &dialect));
    assert_int_equal(dialect.delimiter, ';');
    assert_true(dialect.steady);
}

static void any_bytes_are_taken_without_reading_past_them(void **state) {
    (void)state;
    uint32_t seed = 12345;
    const char alphabet[] = "a1,;\t|\"'\n\r\\# ";
    for (size_t round = 0; round < 3000; round++) {
        size_t length = round % 40;
        char *text =
            wr_malloc(length); /* of exact size, so that a sanitizer sees one byte too many */
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        struct wr_csv_dialect dialect = {
            .header = -1, .escape = round % 3 ? 0 : '\\', .comment = round % 2 ? '#' : 0};
        assert_true(wr_csv_sniff(text, length, round % 5 != 0, &dialect));
        assert_non_null(strchr(",;\t|", dialect.delimiter));
        wr_format_of_bytes(text, length, false);
        wr_free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delimiter_is_the_one_whose_rows_agree),
        cmocka_unit_test(a_single_column_has_a_comma_and_is_not_steady),
        cmocka_unit_test(delimiters_inside_quotes_do_not_count),
        cmocka_unit_test(single_quotes_are_found_when_they_enclose_values),
        cmocka_unit_test(newlines_in_quoted_values_are_seen),
        cmocka_unit_test(typed_columns_below_a_text_tell_a_header),
        cmocka_unit_test(values_in_the_first_row_tell_that_there_is_no_header),
        cmocka_unit_test(rows_of_text_have_a_header),
        cmocka_unit_test(what_is_given_stays),
        cmocka_unit_test(comments_blank_lines_and_a_byte_order_mark_are_skipped),
        cmocka_unit_test(an_escaped_quote_does_not_end_the_value),
        cmocka_unit_test(the_cut_last_row_of_a_sample_does_not_count),
        cmocka_unit_test(any_bytes_are_taken_without_reading_past_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
