/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flight/grpc_headers.h"
#include "flight/grpc_text.h"

static void timeouts_are_digits_and_a_unit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t milliseconds; /* -1: it is none */
    } cases[] = {
        {"1H", 3600000},
        {"2M", 120000},
        {"3S", 3000},
        {"4m", 4},
        {"1u", 1},
        {"1000u", 1},
        {"1001u", 2},
        {"1n", 1},
        {"0n", 0},
        {"0m", 0},
        {"99999999H", 359999996400000},
        {"99999999n", 100},
        {"", -1},
        {"m", -1},
        {"5", -1},
        {"5s", -1},
        {"-5m", -1},
        {"+5m", -1},
        {" 5m", -1},
        {"5 m", -1},
        {"123456789m", -1},
        {"1.5S", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t milliseconds = -1;
        bool is_one = wr_grpc_parse_timeout(cases[i].text, strlen(cases[i].text), &milliseconds);
        if (milliseconds != cases[i].milliseconds || is_one != (milliseconds >= 0))
            fail_msg("\"%s\": %lld", cases[i].text, (long long)milliseconds);
    }
}

static void content_types_of_grpc_are_known(void **state) {
    (void)state;
    const char *good[] = {"application/grpc", "application/grpc+proto", "application/grpc;x=y"};
    const char *bad[] = {"",
                         "application/grp",
                         "application/grpc-web",
                         "application/json",
                         "text/plain; application/grpc",
                         "application/grpc+json",
                         "application/grpc+protobuf",
                         "application/grpcs"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(wr_grpc_is_content_type(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(wr_grpc_is_content_type(bad[i], strlen(bad[i])));
}

static void messages_are_percent_encoded(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain text, ~ and !", "plain text, ~ and !"},
        {"100%", "100%25"},
        {"a\nb\r\x7F", "a%0Ab%0D%7F"},
        {"\xC3\xA4\xE2\x82\xAC", "%C3%A4%E2%82%AC"},
        {"\xFF\xC3", "%FF%C3"},
    };
    char text[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(wr_grpc_encode_message(cases[i][0], text, sizeof text),
                         strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
    }
}

static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    char text[16];
    for (size_t size = 1; size <= sizeof text; size++) {
        size_t length = wr_grpc_encode_message("\xE2\x82\xAC\xE2\x82\xAC", text, size);
        assert_int_equal(length, size > 9 ? 9 : 0);
        assert_int_equal(strlen(text), length);
        length = wr_grpc_encode_message("abcdefghijklmnopqrstuvwxyz", text, size);
        assert_int_equal(length, size - 1);
    }
}

static void base64_is_read_with_and_without_padding(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *data; /* NULL: it is none */
        size_t length;
    } cases[] = {
        {"", "", 0},
        {"AA==", "\0", 1},
        {"AA", "\0", 1},
        {"AP8=", "\0\xFF", 2},
        {"AP8", "\0\xFF", 2},
        {"AP8x", "\0\xFF\x31", 3},
        {"+/+/", "\xFB\xFF\xBF", 3},
        {"A", NULL, 0},
        {"AA=", NULL, 0},
        {"A===", NULL, 0},
        {"!!!!", NULL, 0},
        {"AP 8", NULL, 0},
        {"====", NULL, 0},
        {"-_-_", NULL, 0},
        {"AAAAA", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char data[16];
        size_t length = 0;
        bool is_one = wr_grpc_decode_base64(cases[i].text, strlen(cases[i].text), data, &length);
        if (is_one != (cases[i].data != NULL)) fail_msg("\"%s\"", cases[i].text);
        if (!is_one) continue;
        assert_int_equal(length, cases[i].length);
        assert_memory_equal(data, cases[i].data, length);
    }
}

static void base64_comes_back(void **state) {
    (void)state;
    unsigned char data[64], back[64];
    char text[100];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 67 + 5);
    for (size_t length = 0; length < sizeof data; length++) {
        size_t n, n_text = wr_grpc_encode_base64(data, length, text);
        assert_int_equal(strlen(text), n_text);
        assert_true(n_text < length / 3 * 4 + 5);
        assert_true(wr_grpc_decode_base64(text, n_text, (char *)back, &n));
        assert_int_equal(n, length);
        assert_memory_equal(back, data, length);
    }
}

static void names_and_values_of_headers_are_checked(void **state) {
    (void)state;
    assert_true(wr_grpc_is_header_name("weir-sqlstate"));
    assert_false(wr_grpc_is_header_name(""));
    assert_false(wr_grpc_is_header_name("Upper"));
    assert_false(wr_grpc_is_header_name(":path"));
    assert_false(wr_grpc_is_header_name("a b"));
    assert_true(wr_grpc_is_header_value(""));
    assert_true(wr_grpc_is_header_value("a b; c=\"d\""));
    assert_false(wr_grpc_is_header_value("a\r\nb: c"));
    assert_false(wr_grpc_is_header_value("\xC3\xA4"));
    assert_false(wr_grpc_is_header_value(" a"));
    assert_false(wr_grpc_is_header_value("a "));
    assert_true(wr_grpc_is_binary("x-bin", 5));
    assert_false(wr_grpc_is_binary("-bin", 4));
    assert_false(wr_grpc_is_binary("binary", 6));
}

static void add(struct wr_headers *headers, const char *name, const char *value) {
    assert_true(wr_headers_add(headers, name, strlen(name), value, strlen(value)));
}

static void headers_of_one_name_keep_their_order(void **state) {
    (void)state;
    struct wr_headers headers = {0};
    add(&headers, "a", "1");
    add(&headers, "b", "");
    for (char value[] = "2"; *value <= '9'; (*value)++)
        add(&headers, "a", value);
    assert_string_equal(wr_headers_find(&headers, "a", 0)->value, "1");
    assert_string_equal(wr_headers_find(&headers, "a", 8)->value, "9");
    assert_null(wr_headers_find(&headers, "a", 9));
    assert_string_equal(wr_headers_find(&headers, "b", 0)->value, "");
    assert_null(wr_headers_find(&headers, "c", 0));
    assert_int_equal(headers.n_bytes, 10 * 33 + 9);
    wr_headers_reset(&headers);
}

static void binary_headers_are_decoded_where_they_lie(void **state) {
    (void)state;
    struct wr_headers headers = {0};
    add(&headers, "x-bin", "AP8x");
    add(&headers, "x", "AP8x");
    assert_true(wr_headers_decode(&headers));
    assert_int_equal(headers.items[0].value_length, 3);
    assert_memory_equal(headers.items[0].value, "\0\xFF\x31", 4);
    assert_string_equal(headers.items[1].value, "AP8x");
    add(&headers, "y-bin", "?");
    assert_false(wr_headers_decode(&headers));
    wr_headers_reset(&headers);
}

static void a_header_without_memory_is_not_there(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 2; n++) {
        struct wr_headers headers = {0};
        wr_alloc_fail_at(n);
        assert_false(wr_headers_add(&headers, "a", 1, "b", 1));
        wr_alloc_fail_at(0);
        assert_int_equal(headers.n_items, 0);
        wr_headers_reset(&headers);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_are_digits_and_a_unit),
        cmocka_unit_test(content_types_of_grpc_are_known),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(base64_is_read_with_and_without_padding),
        cmocka_unit_test(base64_comes_back),
        cmocka_unit_test(names_and_values_of_headers_are_checked),
        cmocka_unit_test(headers_of_one_name_keep_their_order),
        cmocka_unit_test(binary_headers_are_decoded_where_they_lie),
        cmocka_unit_test(a_header_without_memory_is_not_there),
    };
    return cmocka_run_group_tests_name("grpc_text", tests, NULL, NULL);
}
