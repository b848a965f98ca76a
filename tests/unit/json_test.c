/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from strangers: what RFC 8259 allows, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"

static int parse(const char *text, struct wr_json **ret_json) {
    return wr_json_parse(text, strlen(text), ret_json, NULL);
}

static void values_of_every_type_are_read(void **state) {
    (void)state;
    struct wr_json *json = NULL;
    assert_int_equal(
        parse(" {\"a\":[1,-2.5e1,true,false,null,{}],\"b\":\"x\\u00e9\\ud83d\\ude00\\n\"} ", &json),
        WEIR_OK);
    assert_string_equal(wr_json_text(json, "b"), "x\xc3\xa9\xf0\x9f\x98\x80\n");
    const struct wr_json *item = wr_json_get(json, "a")->first;
    assert_true(item->number == 1);
    assert_true(item->next->number == -25);
    assert_int_equal(item->next->next->type, WR_JSON_BOOLEAN);
    assert_int_equal(item->next->next->next->next->type, WR_JSON_NULL);
    assert_null(wr_json_text(json, "a"));
    assert_null(wr_json_get(json, "c"));
    wr_json_free(json);
}

static void everything_else_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e999",
        "nul",
        "truex",
        "[1] x",
        "\"\\x\"",
        "\"a",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\u0000\"",
        "\"\n\"",
        "{\"a\":1,\"a\":2}",
        "\"\xff\"",
        "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
        "{\"a\"}",
        "{\"a\":}",
        "[,1]",
        "--1",
        "NaN",
        "Infinity",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct wr_json *json = NULL;
        if (parse(texts[i], &json) == WEIR_OK) fail_msg("%s is taken", texts[i]);
    }
}

static void every_cut_and_every_changed_byte_is_an_answer_without_a_leak(void **state) {
    (void)state;
    static const char text[] =
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\\u0041\",\"e\":[1.5e3,null]}]}";
    char copy[sizeof text];
    for (size_t i = 0; i < sizeof text; i++) {
        struct wr_json *json = NULL;
        if (wr_json_parse(text, i, &json, NULL) == WEIR_OK) wr_json_free(json);
        for (int byte = 0; byte < 256; byte += 7) {
            memcpy(copy, text, sizeof text);
            copy[i] = (char)byte;
            json = NULL;
            if (wr_json_parse(copy, sizeof text - 1, &json, NULL) == WEIR_OK) wr_json_free(json);
        }
    }
}

static void every_failed_allocation_is_told_as_such(void **state) {
    (void)state;
    static const char text[] = "{\"a\":[1,\"b\",{\"c\":\"d\"}]}";
    int code = WEIR_INTERNAL;
    for (int64_t n = 1; code != WEIR_OK; n++) {
        struct wr_json *json = NULL;
        wr_alloc_fail_at(n);
        code = wr_json_parse(text, strlen(text), &json, NULL);
        wr_alloc_fail_at(0);
        if (code != WEIR_OK) assert_int_equal(code, WEIR_INTERNAL);
        wr_json_free(json);
    }
}

static void a_text_that_was_written_is_read_as_it_was(void **state) {
    (void)state;
    static const char text[] = "a \"quoted\\ \n\x01\x7f \xc3\xa9/";
    struct wr_buffer buffer;
    struct wr_json *json = NULL;
    wr_buffer_init(&buffer, 1000);
    wr_json_write(&buffer, text);
    assert_int_equal(wr_json_parse(buffer.data, buffer.length, &json, NULL), WEIR_OK);
    assert_string_equal(json->text, text);
    wr_json_free(json);
    wr_buffer_clear(&buffer);
    wr_json_write(&buffer, NULL);
    assert_memory_equal(buffer.data, "null", 4);
    wr_buffer_reset(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_an_answer_without_a_leak),
        cmocka_unit_test(every_failed_allocation_is_told_as_such),
        cmocka_unit_test(a_text_that_was_written_is_read_as_it_was),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
