/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "http/json.h"

static struct json_document *parse(const char *text) {
    struct json_document *document = NULL;
    struct weir_error error = {0};
    if (json_parse(text, strlen(text), &document, &error) != WEIR_OK)
        fail_msg("%s: %s", text, error.message);
    return document;
}

static void refuse_bytes(const char *text, size_t length) {
    struct json_document *document = NULL;
    struct weir_error error = {0};
    /* On the heap and without a NUL, so that reading on would be seen. */
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    int code = json_parse(copy, length, &document, &error);
    free(copy);
    if (code != WEIR_INVALID_ARGUMENT) fail_msg("taken: %.*s", (int)length, text);
    assert_null(document);
    assert_true(error.message[0] != '\0');
}

static void refuse(const char *text) {
    refuse_bytes(text, strlen(text));
}

static void values_have_their_types_and_order(void **state) {
    (void)state;
    struct json_document *document =
        parse(" {\"a\" : [1, -2.5e3 ,true,false,null,\"x\"],\"b\":{}, \"c\":[] } \n");
    const struct json_value *a = json_member(document->root, "a");
    static const enum json_type types[] = {JSON_NUMBER, JSON_NUMBER, JSON_TRUE,
                                           JSON_FALSE,  JSON_NULL,   JSON_TEXT};
    size_t n = 0;
    for (const struct json_value *value = a->first; value; value = value->next)
        assert_int_equal(value->type, types[n++]);
    assert_int_equal(n, 6);
    assert_int_equal(a->n_values, 6);
    assert_string_equal(a->first->next->text, "-2.5e3");
    assert_int_equal(json_member(document->root, "b")->type, JSON_OBJECT);
    assert_int_equal(json_member(document->root, "c")->n_values, 0);
    assert_null(json_member(document->root, "d"));
    assert_null(json_member(a, "a"));
    json_free(document);
}

static void escapes_are_decoded(void **state) {
    (void)state;
    struct json_document *document =
        parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\uD83D\\uDE00z\"");
    assert_string_equal(document->root->text,
                        "\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
    assert_int_equal(document->root->length, 8 + 2 + 3 + 4 + 1);
    json_free(document);
}

static void what_is_not_json_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{'a':1}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":1,\"a\":2}",
                                        "01",
                                        "-",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1e+",
                                        "0x10",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "nul",
                                        "tru",
                                        "True",
                                        "1 2",
                                        "\"",
                                        "\"a",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800x\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "\"\\u0000\"",
                                        "\"\n\"",
                                        "\"\t\"",
                                        "\"\xFF\"",
                                        "\"\xC0\x80\"",
                                        "\"\xED\xA0\x80\"",
                                        "// x\n1",
                                        "[1]x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i]);
    refuse_bytes("\"a\0b\"", 5);
    refuse_bytes("1\0", 2);
    refuse_bytes("\0", 1);
}

static void an_error_has_the_place(void **state) {
    (void)state;
    struct json_document *document = NULL;
    struct weir_error error = {0};
    assert_int_equal(json_parse("{\"a\": ?}", 8, &document, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(error.position, 7);
}

static void depth_and_number_of_values_have_limits(void **state) {
    (void)state;
    char deep[2 * JSON_MAX_DEPTH + 8], *many = malloc(2 * JSON_MAX_VALUES + 16);
    memset(deep, '[', sizeof deep);
    refuse_bytes(deep, sizeof deep);
    memset(deep, '[', JSON_MAX_DEPTH);
    memset(deep + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    deep[2 * JSON_MAX_DEPTH] = '\0';
    json_free(parse(deep));
    char *at = many;
    *at++ = '[';
    for (int i = 0; i < JSON_MAX_VALUES; i++) {
        *at++ = '1';
        *at++ = ',';
    }
    at[-1] = ']';
    refuse_bytes(many, (size_t)(at - many));
    memmove(many + 1, many + 3, (size_t)(at - many) - 3);
    many[(at - many) - 2] = '\0';
    json_free(parse(many));
    free(many);
}

static void every_prefix_of_a_document_is_refused(void **state) {
    (void)state;
    static const char text[] =
        "{\"sql\":\"SELECT "
        "\\u00e9\",\"params\":[1,2.5,null,true,{\"type\":\"int64\",\"value\":\"1\"}]}";
    for (size_t length = 0; length < sizeof text - 1; length++)
        refuse_bytes(text, length);
    json_free(parse(text));
}

static void any_bytes_are_survived(void **state) {
    static const char alphabet[] = "{}[]\",:\\ud8010truefalsn-+.eE \n\x01\xC3\xA9\xFF";
    char text[64];
    (void)state;
    srand(7);
    for (int round = 0; round < 200000; round++) {
        struct json_document *document = NULL;
        size_t length = (size_t)rand() % sizeof text;
        for (size_t i = 0; i < length; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        if (json_parse(text, length, &document, NULL) == WEIR_OK) json_free(document);
    }
}

static void want_of_memory_is_told(void **state) {
    (void)state;
    for (int64_t n = 1; n < 20; n++) {
        struct json_document *document = NULL;
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = json_parse("{\"a\":[1]}", 9, &document, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) {
            json_free(document);
            assert_true(n > 1);
            return;
        }
        assert_string_equal(error.sqlstate, "53200");
        assert_null(document);
    }
    fail_msg("it never succeeds");
}

static void texts_that_go_out_are_json(void **state) {
    struct wr_buffer buffer;
    (void)state;
    wr_buffer_init(&buffer, 1000);
    json_add_text(&buffer, "a\"\\\n\x01\x7F\xC3\xA9\xFF\xE2\x82");
    assert_string_equal(
        buffer.data, "\"a\\\"\\\\\\n\\u0001\\u007f\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    wr_buffer_clear(&buffer);
    json_add_text(&buffer, NULL);
    json_add_bytes(&buffer, "x\0y", 3);
    assert_string_equal(buffer.data, "null\"x\\u0000y\"");
    wr_buffer_reset(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_types_and_order),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(an_error_has_the_place),
        cmocka_unit_test(depth_and_number_of_values_have_limits),
        cmocka_unit_test(every_prefix_of_a_document_is_refused),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(want_of_memory_is_told),
        cmocka_unit_test(texts_that_go_out_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
