/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "http/parse.h"

/* ---- Accept ---- */

static const char *const types[] = {"application/json", "application/x-ndjson", "text/csv"};

static void check_accept(const char *header, int expected) {
    int chosen = http_accept(header, types, 3);
    if (chosen != expected)
        fail_msg("Accept: %s gives %d, not %d", header ? header : "", chosen, expected);
}

static void accept_chooses_by_weight_then_by_order(void **state) {
    (void)state;
    check_accept(NULL, 0);
    check_accept("", 0);
    check_accept("  ", 0);
    check_accept("*/*", 0);
    check_accept("text/csv", 2);
    check_accept("TEXT/CSV ; header=present", 2);
    check_accept("text/*", 2);
    check_accept("application/*", 0);
    check_accept("application/json;q=0.5, text/csv;q=0.9", 2);
    check_accept("application/json ; q=0.5 ,text/csv ; Q=0.501", 2);
    check_accept("*/*;q=0.1, text/csv;q=0.2", 2);
    check_accept("application/json;q=0, */*", 1);
    check_accept("application/*;q=0, */*;q=0.001", 2);
    check_accept("text/html,application/xhtml+xml,*/*;q=0.8", 0);
    check_accept("text/html, , text/csv,", 2);
}

static void what_no_type_matches_is_not_acceptable(void **state) {
    (void)state;
    check_accept("text/html", -1);
    check_accept("*/*;q=0", -1);
    check_accept("application/json;q=0", -1);
    check_accept("json", -1);
    check_accept("*", -1);
    check_accept(";", -1);
    check_accept(",", -1);
    check_accept("text/csvx", -1);
    check_accept("text/csv;q=2", -1);
    check_accept("text/csv;q=-1", -1);
    check_accept("text/csv;q=0.1234", -1);
    check_accept("text/csv;q=", 2); /* no weight is given */
}

static void a_content_type_has_parameters(void **state) {
    (void)state;
    assert_true(http_is_type("application/json", "application/json"));
    assert_true(http_is_type(" Application/JSON ; charset=utf-8", "application/json"));
    assert_false(http_is_type("application/jsonx", "application/json"));
    assert_false(http_is_type("", "application/json"));
    assert_false(http_is_type(NULL, "application/json"));
}

/* ---- Range ---- */

static void check_range(const char *header, int64_t size, enum http_range expected, int64_t first,
                        int64_t length) {
    int64_t got_first = -7, got_length = -7;
    enum http_range range = http_range(header, size, &got_first, &got_length);
    if (range != expected)
        fail_msg("%s of %d bytes gives %d", header ? header : "", (int)size, (int)range);
    if (range != HTTP_RANGE_ONE) first = length = -7;
    assert_int_equal(got_first, first);
    assert_int_equal(got_length, length);
}

static void one_range_is_understood(void **state) {
    (void)state;
    check_range("bytes=0-0", 10, HTTP_RANGE_ONE, 0, 1);
    check_range("bytes=0-9", 10, HTTP_RANGE_ONE, 0, 10);
    check_range("bytes=3-", 10, HTTP_RANGE_ONE, 3, 7);
    check_range("bytes=9-99", 10, HTTP_RANGE_ONE, 9, 1);
    check_range("bytes=-3", 10, HTTP_RANGE_ONE, 7, 3);
    check_range("bytes=-30", 10, HTTP_RANGE_ONE, 0, 10);
    check_range("Bytes= 1-2 ", 10, HTTP_RANGE_ONE, 1, 2);
    check_range("bytes=0-99999999999999999999999999", 10, HTTP_RANGE_ONE, 0, 10);
    check_range("bytes=-99999999999999999999999999", 10, HTTP_RANGE_ONE, 0, 10);
}

static void a_range_without_bytes_is_unsatisfiable(void **state) {
    (void)state;
    check_range("bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    check_range("bytes=99999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    check_range("bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    check_range("bytes=0-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    check_range("bytes=-1", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0);
}

static void several_ranges_and_nonsense_mean_all(void **state) {
    (void)state;
    static const char *const headers[] = {
        NULL,         "",           "bytes",     "bytes=",      "bytes=-",     "bytes=0-1,3-4",
        "bytes=a-b",  "bytes=1",    "bytes=2-1", "bytes=--1",   "bytes=1-2x",  "bytes=1-2-3",
        "octets=0-1", "bytes=0x1-", "bytes=+1-", "bytes=1 - 2", "bytes=1-\t3x"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        check_range(headers[i], 10, HTTP_RANGE_NONE, 0, 0);
}

/* ---- Conditions ---- */

static void entity_tags_are_compared_whole(void **state) {
    (void)state;
    assert_true(http_matches("\"a\"", "\"a\"", false));
    assert_true(http_matches(" \"x\" , \"a\"", "\"a\"", false));
    assert_true(http_matches("*", "\"a\"", false));
    assert_true(http_matches("*", NULL, false));
    assert_true(http_matches("W/\"a\"", "\"a\"", true));
    assert_false(http_matches("W/\"a\"", "\"a\"", false));
    assert_true(http_matches("\"b,c\", \"a\"", "\"a\"", false));
    assert_false(http_matches("\"ab\"", "\"a\"", true));
    assert_false(http_matches("a", "\"a\"", true));
    assert_false(http_matches("\"a", "\"a\"", true));
    assert_false(http_matches("", "\"a\"", true));
    assert_false(http_matches("\"x\" \"a\"", "\"a\"", true));
    assert_false(http_matches("*x", "\"a\"", true));
    assert_false(http_matches("\"a\"", NULL, true));
}

static void dates_go_and_come_back(void **state) {
    (void)state;
    static const int64_t times[] = {0, 784111777, 1795293081, 4102444799};
    char text[HTTP_DATE_SIZE];
    int64_t seconds;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        http_format_date(times[i], text);
        assert_true(http_parse_date(text, &seconds));
        assert_int_equal(seconds, times[i]);
    }
    http_format_date(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_false(http_parse_date("Sunday, 06-Nov-94 08:49:37 GMT", &seconds));
    assert_false(http_parse_date("Sun, 06 Nov 1994 08:49:37", &seconds));
    assert_false(http_parse_date("Sun, 06 Foo 1994 08:49:37 GMT", &seconds));
    assert_false(http_parse_date("", &seconds));
}

/* ---- Paths ---- */

static void check_path(const char *path, const char *expected) {
    struct weir_error error = {0};
    char *decoded = NULL;
    if (http_decode_path(path, "/v1/files", &decoded, &error) != WEIR_OK)
        fail_msg("%s: %s", path, error.message);
    assert_string_equal(decoded, expected);
    wr_free(decoded);
}

static void paths_are_decoded_once(void **state) {
    (void)state;
    check_path("/v1/files", "/");
    check_path("/v1/files/", "/");
    check_path("/v1/files/a/b.csv", "/a/b.csv");
    check_path("/v1/files/a/", "/a");
    check_path("/v1/files/a%20b%C3%A9", "/a b\xC3\xA9");
    check_path("/v1/files/a..b/...", "/a..b/...");
    check_path("/v1/files/a%2Ab", "/a*b");
    check_path("/v1/files/100%25", "/100%");
}

static void ways_out_are_refused_however_they_are_written(void **state) {
    (void)state;
    static const char *const paths[] = {"/v1/files/..",
                                        "/v1/files/../a",
                                        "/v1/files/a/../b",
                                        "/v1/files/.",
                                        "/v1/files/a/./b",
                                        "/v1/files/%2e%2e/a",
                                        "/v1/files/%2E%2E",
                                        "/v1/files/.%2e/a",
                                        "/v1/files/%2e./a",
                                        "/v1/files/%2e",
                                        "/v1/files/a/..",
                                        "/v1/files/a/%2e%2e",
                                        "/v1/files//a",
                                        "/v1/files/a//b",
                                        "/v1/files/a%2fb",
                                        "/v1/files/..%2fa",
                                        "/v1/files/%2e%2e%2fa",
                                        "/v1/files/a%2Fb",
                                        "/v1/files/a%5cb",
                                        "/v1/files/..\\a",
                                        "/v1/files/..%5Ca",
                                        "/v1/files/%00",
                                        "/v1/files/a%00.csv",
                                        "/v1/files/a%",
                                        "/v1/files/a%2",
                                        "/v1/files/a%zz",
                                        "/v1/files/%252e%252e",
                                        "/v1/files/%25%32%65",
                                        "/v1/files/a%252fb",
                                        "/v1/files/a%2500",
                                        "/v1/files/%c0%ae%c0%ae",
                                        "/v1/files/%ff",
                                        "/v1/files/a%0a",
                                        "/v1/files/a%0d%0ab",
                                        "/v1/files/%7f",
                                        "/v1/files/%e0%80%ae",
                                        "/v1/files/a/%2e%2e/%2e%2e/etc/passwd",
                                        "/v1/files/%2e%2e/%2e%2e/%2e%2e/etc/shadow",
                                        "/v1/files/....//a",
                                        "/v1/files/..;/a/../b",
                                        "/v1/files/%uff0e%uff0e/a"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct weir_error error = {0};
        char *decoded = NULL;
        int code = http_decode_path(paths[i], "/v1/files", &decoded, &error);
        if (code != WEIR_INVALID_ARGUMENT) fail_msg("%s gives %s", paths[i], decoded);
        assert_null(decoded);
    }
}

/* ---- Authorization ---- */

static void check_base64(const char *text, const char *expected, size_t length) {
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, 100);
    bool good = http_decode_base64(text, strlen(text), &buffer);
    if (good != (expected != NULL)) fail_msg("%s", text);
    if (expected) {
        assert_int_equal(buffer.length, length);
        assert_memory_equal(buffer.data ? buffer.data : "", expected, length);
    }
    wr_buffer_reset(&buffer);
}

static void base64_is_decoded(void **state) {
    (void)state;
    check_base64("", "", 0);
    check_base64("YQ==", "a", 1);
    check_base64("YQ", "a", 1);
    check_base64("YWI=", "ab", 2);
    check_base64("YWJj", "abc", 3);
    check_base64("YWRhOmzDqQ==", "ada:l\xC3\xA9", 7);
    check_base64("AAD/+w==", "\0\0\xFF\xFB", 4);
    check_base64("Y", NULL, 0);
    check_base64("YQ=", NULL, 0);
    check_base64("YQ===", NULL, 0);
    check_base64("Y Q=", NULL, 0);
    check_base64("YQ-_", NULL, 0);
    check_base64("=", NULL, 0);
    check_base64("YW=j", NULL, 0);
}

static void schemes_are_told_apart(void **state) {
    (void)state;
    assert_string_equal(http_credentials("Bearer abc", "Bearer"), "abc");
    assert_string_equal(http_credentials("bearer   abc", "Bearer"), "abc");
    assert_null(http_credentials("Bearerabc", "Bearer"));
    assert_null(http_credentials("Basic abc", "Bearer"));
    assert_null(http_credentials("", "Bearer"));
}

/* ---- Origins and hosts ---- */

static void origins_are_compared_whole(void **state) {
    (void)state;
    assert_true(http_is_listed("https://a.example, https://b.example", "https://b.example"));
    assert_true(http_is_listed("*", "https://b.example"));
    assert_false(http_is_listed("https://a.example", "https://a.example.evil"));
    assert_false(http_is_listed("https://a.example.evil", "https://a.example"));
    assert_false(http_is_listed("", "https://a.example"));
    assert_false(http_is_listed("https://a.example", "null"));
    assert_true(http_is_same_origin("http://localhost:8080", "localhost:8080"));
    assert_false(http_is_same_origin("http://localhost:8080", "localhost"));
    assert_false(http_is_same_origin("null", "localhost:8080"));
    assert_false(http_is_same_origin("", "localhost:8080"));
}

static void only_addresses_and_localhost_are_plain_hosts(void **state) {
    (void)state;
    static const char *const good[] = {"localhost",   "LOCALHOST:80", "127.0.0.1",
                                       "10.1.2.3:80", "[::1]",        "[::1]:8080"};
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "127.0.0.1.evil.example",
                                      "localhost.evil.example:80",
                                      "[::1",
                                      "[evil]",
                                      "127.1",
                                      "0x7f000001",
                                      "::1",
                                      "2130706433"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(http_is_plain_host(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (http_is_plain_host(bad[i])) fail_msg("%s", bad[i]);
    }
}

/* ---- Any bytes ---- */

static void any_header_is_survived(void **state) {
    static const char alphabet[] = "bytes=-0123456789,;q=./*\"W/ \tapplicationjson%2eE";
    (void)state;
    srand(11);
    for (int round = 0; round < 200000; round++) {
        size_t length = (size_t)rand() % 40;
        char *text = malloc(length + 1), *path = NULL;
        int64_t first, part, seconds;
        for (size_t i = 0; i < length; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        text[length] = '\0';
        (void)http_accept(text, types, 3);
        if (http_range(text, 100, &first, &part) == HTTP_RANGE_ONE)
            assert_true(first >= 0 && part > 0 && first + part <= 100);
        (void)http_matches(text, "\"0\"", true);
        (void)http_parse_date(text, &seconds);
        (void)http_is_plain_host(text);
        if (http_decode_path(text, "", &path, NULL) == WEIR_OK) {
            assert_true(path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//"));
            wr_free(path);
        }
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_chooses_by_weight_then_by_order),
        cmocka_unit_test(what_no_type_matches_is_not_acceptable),
        cmocka_unit_test(a_content_type_has_parameters),
        cmocka_unit_test(one_range_is_understood),
        cmocka_unit_test(a_range_without_bytes_is_unsatisfiable),
        cmocka_unit_test(several_ranges_and_nonsense_mean_all),
        cmocka_unit_test(entity_tags_are_compared_whole),
        cmocka_unit_test(dates_go_and_come_back),
        cmocka_unit_test(paths_are_decoded_once),
        cmocka_unit_test(ways_out_are_refused_however_they_are_written),
        cmocka_unit_test(base64_is_decoded),
        cmocka_unit_test(schemes_are_told_apart),
        cmocka_unit_test(origins_are_compared_whole),
        cmocka_unit_test(only_addresses_and_localhost_are_plain_hosts),
        cmocka_unit_test(any_header_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
