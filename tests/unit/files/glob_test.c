/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

static void a_star_matches_any_run_of_characters(void **state) {
    (void)state;
    assert_true(wr_glob_match("*", "a.csv"));
    assert_true(wr_glob_match("*.csv", "a.csv"));
    assert_true(wr_glob_match("a*b*c", "axxbyybzc"));
    assert_true(wr_glob_match("**", ""));
    assert_false(wr_glob_match("*.csv", "a.csv.gz"));
    assert_false(wr_glob_match("a*b*c", "axxbyybz"));
}

static void a_question_mark_matches_one_character_of_several_bytes(void **state) {
    (void)state;
    assert_true(wr_glob_match("?.csv", "é.csv"));
    assert_true(wr_glob_match("?", "\U0001F600"));
    assert_true(wr_glob_match("?", "\xFF"));
    assert_false(wr_glob_match("?.csv", ".csv"));
    assert_false(wr_glob_match("?", "ab"));
}

static void a_set_matches_ranges_and_their_negation(void **state) {
    (void)state;
    assert_true(wr_glob_match("[a-c]1", "b1"));
    assert_true(wr_glob_match("[!a-c]1", "d1"));
    assert_true(wr_glob_match("[^a-c]", "d"));
    assert_true(wr_glob_match("[]a]", "]"));
    assert_true(wr_glob_match("[a-]", "-"));
    assert_true(wr_glob_match("[é-ü]", "ö"));
    assert_false(wr_glob_match("[a-c]1", "d1"));
    assert_false(wr_glob_match("[!a-c]1", "b1"));
}

static void a_set_without_end_is_text(void **state) {
    (void)state;
    assert_true(wr_glob_match("[ab", "[ab"));
    assert_false(wr_glob_match("[ab", "a"));
}

static void a_backslash_takes_the_meaning_of_the_next_character(void **state) {
    (void)state;
    assert_true(wr_glob_match("a\\*b", "a*b"));
    assert_false(wr_glob_match("a\\*b", "axb"));
}

static void a_leading_dot_matches_only_itself(void **state) {
    (void)state;
    assert_false(wr_glob_match("*", ".hidden"));
    assert_false(wr_glob_match("?hidden", ".hidden"));
    assert_true(wr_glob_match(".*", ".hidden"));
}

static void check_expansion(const char *pattern, const char *expected) {
    struct wr_arena arena = {0};
    const char **patterns;
    size_t n_patterns;
    char text[256] = "";
    assert_int_equal(wr_glob_expand(&arena, pattern, &patterns, &n_patterns, NULL), 0);
    for (size_t i = 0; i < n_patterns; i++) {
        strcat(text, patterns[i]);
        strcat(text, " ");
    }
    assert_string_equal(text, expected);
    wr_arena_reset(&arena);
}

static void braces_stand_for_each_of_their_alternatives(void **state) {
    (void)state;
    check_expansion("/a.{csv,tsv}", "/a.csv /a.tsv ");
    check_expansion("/{a,b}/{1,2}", "/a/1 /a/2 /b/1 /b/2 ");
    check_expansion("/{a,b{c,d}}x", "/ax /bcx /bdx ");
    check_expansion("/x{,.gz}", "/x /x.gz ");
}

static void braces_without_comma_or_end_are_text(void **state) {
    (void)state;
    check_expansion("/{a}", "/{a} ");
    check_expansion("/{a,b", "/{a,b ");
    check_expansion("/\\{a,b}", "/\\{a,b} ");
    check_expansion("/{a}{b,c}", "/{a}b /{a}c ");
}

static void too_many_alternatives_are_an_error(void **state) {
    (void)state;
    struct wr_arena arena = {0};
    const char **patterns;
    size_t n_patterns;
    struct weir_error error = {0};
    const char *pattern = "{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}{0,1,2,3,4,5,6,7,8,9}{0,1}";
    assert_int_equal(wr_glob_expand(&arena, pattern, &patterns, &n_patterns, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "1000");
    wr_arena_reset(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_matches_any_run_of_characters),
        cmocka_unit_test(a_question_mark_matches_one_character_of_several_bytes),
        cmocka_unit_test(a_set_matches_ranges_and_their_negation),
        cmocka_unit_test(a_set_without_end_is_text),
        cmocka_unit_test(a_backslash_takes_the_meaning_of_the_next_character),
        cmocka_unit_test(a_leading_dot_matches_only_itself),
        cmocka_unit_test(braces_stand_for_each_of_their_alternatives),
        cmocka_unit_test(braces_without_comma_or_end_are_text),
        cmocka_unit_test(too_many_alternatives_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
