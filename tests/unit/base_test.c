/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/address.h"
#include "base/options.h"
#include "base/units.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* ---- alloc ---- */

static void exactly_the_nth_allocation_fails_and_the_count_is_told(void **state) {
    (void)state;
    wr_alloc_fail_at(2);
    void *first = wr_malloc(8);
    void *second = wr_calloc(2, 8);
    void *third = wr_strdup("text");
    assert_non_null(first);
    assert_null(second);
    assert_string_equal(third, "text");
    assert_int_equal(wr_alloc_fail_at(0), 3);
    assert_int_equal(wr_alloc_fail_at(0), 0);
    wr_free(first);
    wr_free(third);
}

static void a_failed_realloc_leaves_the_old_memory(void **state) {
    (void)state;
    char *text = wr_strdup("old");
    wr_alloc_fail_at(1);
    assert_null(wr_realloc(text, 4096));
    wr_alloc_fail_at(0);
    assert_string_equal(text, "old");
    wr_free(text);
}

static void sizes_of_zero_and_overflowing_sizes_are_safe(void **state) {
    (void)state;
    void *nothing[] = {wr_malloc(0), wr_calloc(0, 8), wr_realloc(NULL, 0),
                       wr_reallocarray(NULL, 0, 8)};
    for (size_t i = 0; i < N_OF(nothing); i++) {
        assert_non_null(nothing[i]);
        wr_free(nothing[i]);
    }
    /* Read at run time, or the compiler warns of the sizes that are meant to be too large. */
    volatile size_t huge = SIZE_MAX / 2;
    assert_null(wr_reallocarray(NULL, huge, 4));
    assert_null(wr_calloc(huge, 4));
    wr_free(NULL);
}

static void strdup_of_null_is_null_and_strndup_stops_at_the_end(void **state) {
    (void)state;
    assert_null(wr_strdup(NULL));
    char *cut = wr_strndup("abcdef", 3), *whole = wr_strndup("abc", 100);
    assert_string_equal(cut, "abc");
    assert_string_equal(whole, "abc");
    wr_free(cut);
    wr_free(whole);
}

/* ---- error ---- */

static void each_code_has_its_usual_sqlstate(void **state) {
    (void)state;
    static const struct {
        int code;
        const char *sqlstate;
    } cases[] = {
        {WEIR_UNKNOWN, "XX000"},          {WEIR_NOT_IMPLEMENTED, "0A000"},
        {WEIR_NOT_FOUND, "42704"},        {WEIR_ALREADY_EXISTS, "42710"},
        {WEIR_INVALID_ARGUMENT, "22023"}, {WEIR_INVALID_STATE, "55000"},
        {WEIR_INVALID_DATA, "22000"},     {WEIR_INTEGRITY, "23000"},
        {WEIR_INTERNAL, "XX000"},         {WEIR_IO, "58030"},
        {WEIR_CANCELLED, "57014"},        {WEIR_TIMEOUT, "57014"},
        {WEIR_UNAUTHENTICATED, "28000"},  {WEIR_UNAUTHORIZED, "42501"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct weir_error error = {.position = 7, .vendor_code = 9};
        assert_int_equal(wr_error_set(&error, cases[i].code, NULL, "n=%d", 4), cases[i].code);
        assert_int_equal(error.code, cases[i].code);
        assert_string_equal(error.sqlstate, cases[i].sqlstate);
        assert_string_equal(error.message, "n=4");
        assert_int_equal(error.position, 0);
        assert_int_equal(error.vendor_code, 0);
    }
}

static void a_given_sqlstate_replaces_the_usual_one(void **state) {
    (void)state;
    struct weir_error error;
    wr_error_set(&error, WEIR_INVALID_ARGUMENT, "42601", "x");
    assert_string_equal(error.sqlstate, "42601");
}

static void every_function_takes_a_null_error(void **state) {
    (void)state;
    assert_int_equal(wr_error_set(NULL, WEIR_IO, NULL, "x"), WEIR_IO);
    assert_int_equal(wr_error_errno(NULL, ENOENT, "x"), WEIR_NOT_FOUND);
    assert_int_equal(wr_error_memory(NULL), WEIR_INTERNAL);
    assert_int_equal(wr_error_prefix(NULL, WEIR_TIMEOUT, "x"), WEIR_TIMEOUT);
    assert_int_equal(wr_error_stream(NULL, NULL, ECANCELED, "x"), WEIR_CANCELLED);
    wr_error_append(NULL, "x");
    wr_error_clear(NULL);
}

static void errno_values_become_codes_and_states(void **state) {
    (void)state;
    static const struct {
        int errnum, code;
        const char *sqlstate;
    } cases[] = {
        {ENOENT, WEIR_NOT_FOUND, "58P01"},
        {EACCES, WEIR_UNAUTHORIZED, "42501"},
        {EPERM, WEIR_UNAUTHORIZED, "42501"},
        {ENOMEM, WEIR_INTERNAL, "53200"},
        {ENOSPC, WEIR_IO, "53100"},
        {EDQUOT, WEIR_IO, "53100"},
        {EINVAL, WEIR_INVALID_ARGUMENT, "22023"},
        {ECANCELED, WEIR_CANCELLED, "57014"},
        {EPIPE, WEIR_IO, "58030"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct weir_error error;
        assert_int_equal(wr_error_errno(&error, cases[i].errnum, "cannot open '%s'", "f"),
                         cases[i].code);
        assert_string_equal(error.sqlstate, cases[i].sqlstate);
        assert_int_equal(error.vendor_code, cases[i].errnum);
        assert_ptr_equal(strstr(error.message, "cannot open 'f': "), error.message);
        assert_non_null(strstr(error.message, strerror(cases[i].errnum)));
    }
}

/* A message of `n_before` ASCII bytes and then euro signs, three bytes each, fills the buffer at
 * every phase. */
static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    char text[sizeof((struct weir_error *)0)->message + 64];
    for (size_t n_before = 0; n_before < 3; n_before++) {
        memset(text, 'a', n_before);
        size_t length = n_before;
        while (length + 4 < sizeof text) {
            memcpy(text + length, "\xE2\x82\xAC", 3);
            length += 3;
        }
        text[length] = '\0';
        struct weir_error error;
        wr_error_set(&error, WEIR_IO, NULL, "%s", text);
        size_t kept = strlen(error.message);
        assert_int_equal((kept - n_before) % 3, 0);
        assert_true(kept > sizeof error.message - 4);
        assert_memory_equal(error.message, text, kept);
    }
}

static void a_message_that_just_fits_is_whole(void **state) {
    (void)state;
    struct weir_error error;
    char text[sizeof error.message];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 4, "\xE2\x82\xAC", 4);
    wr_error_set(&error, WEIR_IO, NULL, "%s", text);
    assert_string_equal(error.message, text);
}

static void a_prefix_keeps_code_state_and_position(void **state) {
    (void)state;
    struct weir_error error;
    wr_error_set(&error, WEIR_INVALID_DATA, "22P02", "bad value");
    error.position = 12;
    assert_int_equal(wr_error_prefix(&error, WEIR_IO, "file %d", 3), WEIR_INVALID_DATA);
    assert_string_equal(error.message, "file 3: bad value");
    assert_string_equal(error.sqlstate, "22P02");
    assert_int_equal(error.position, 12);
    wr_error_append(&error, " (%s)", "row 1");
    assert_string_equal(error.message, "file 3: bad value (row 1)");
    wr_error_clear(&error);
    assert_int_equal(error.code, WEIR_OK);
    assert_string_equal(error.message, "");
}

static void an_error_can_be_made_of_its_own_text(void **state) {
    (void)state;
    struct weir_error error;
    wr_error_set(&error, WEIR_IO, "58030", "disk");
    wr_error_set(&error, WEIR_INTERNAL, error.sqlstate, "wrapped %s", error.message);
    assert_string_equal(error.message, "wrapped disk");
    assert_string_equal(error.sqlstate, "58030");
}

static const char *bad_row(struct ArrowArrayStream *stream) {
    (void)stream;
    return "row 5 is bad";
}

static void no_release(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

static void a_stream_error_carries_the_streams_own_text(void **state) {
    (void)state;
    struct ArrowArrayStream stream = {.get_last_error = bad_row, .release = no_release};
    struct weir_error error;
    assert_int_equal(wr_error_stream(&error, &stream, EIO, "table t"), WEIR_IO);
    assert_string_equal(error.message, "table t: row 5 is bad");
    stream.release = NULL;
    assert_int_equal(wr_error_stream(&error, &stream, ENOMEM, "table t"), WEIR_INTERNAL);
    assert_string_equal(error.sqlstate, "53200");
    assert_null(strstr(error.message, "row 5"));
}

/* ---- buffer ---- */

static void appends_build_one_text(void **state) {
    (void)state;
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, 1000);
    wr_buffer_text(&buffer, "a");
    wr_buffer_char(&buffer, 'b');
    wr_buffer_add(&buffer, "cde", 2);
    wr_buffer_format(&buffer, "-%03d-%s", 7, "x");
    wr_buffer_identifier(&buffer, "a\"b\"");
    wr_buffer_literal(&buffer, "it's");
    assert_false(buffer.failed);
    assert_string_equal(buffer.data, "abcd-007-x\"a\"\"b\"\"\"'it''s'");
    assert_int_equal(buffer.length, strlen(buffer.data));
    wr_buffer_clear(&buffer);
    assert_string_equal(buffer.data, "");
    char *text = wr_buffer_take(&buffer);
    assert_string_equal(text, "");
    assert_null(buffer.data);
    wr_free(text);
    wr_buffer_reset(&buffer);
}

static void the_ceiling_is_exact_and_a_failure_stays(void **state) {
    (void)state;
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, 100);
    for (int i = 0; i < 100; i++)
        wr_buffer_char(&buffer, 'x');
    assert_false(buffer.failed);
    assert_int_equal(buffer.length, 100);
    assert_true(buffer.capacity <= 101);
    wr_buffer_char(&buffer, 'y');
    assert_true(buffer.failed);
    wr_buffer_add(&buffer, "", 0);
    assert_int_equal(buffer.length, 100);
    assert_null(wr_buffer_take(&buffer));
    wr_buffer_text(&buffer, "again");
    assert_string_equal(buffer.data, "again");
    wr_buffer_reset(&buffer);
}

static void an_unlimited_ceiling_does_not_overflow(void **state) {
    (void)state;
    struct wr_buffer buffer;
    wr_buffer_init(&buffer, SIZE_MAX);
    wr_buffer_text(&buffer, "abc");
    assert_string_equal(buffer.data, "abc");
    wr_buffer_add(&buffer, "", SIZE_MAX - 3);
    assert_true(buffer.failed);
    wr_buffer_reset(&buffer);
}

static void a_buffer_without_memory_fails_and_frees_what_it_had(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 4; n++) {
        struct wr_buffer buffer;
        wr_buffer_init(&buffer, 10000);
        wr_alloc_fail_at(n);
        for (int i = 0; i < 400; i++)
            wr_buffer_char(&buffer, 'x');
        wr_alloc_fail_at(0);
        assert_true(buffer.failed);
        assert_null(wr_buffer_take(&buffer));
    }
}

/* ---- options ---- */

static void options_are_copied_and_found_without_case(void **state) {
    (void)state;
    struct wr_options options = {0};
    char key[] = "Path", value[] = "a.csv";
    assert_int_equal(wr_options_add(&options, key, value, NULL), WEIR_OK);
    key[0] = value[0] = '?';
    assert_int_equal(wr_options_add(&options, "header", "TRUE", NULL), WEIR_OK);
    assert_int_equal(wr_options_add(&options, "rows", "-42", NULL), WEIR_OK);
    assert_string_equal(options.items[0].key, "Path");
    assert_string_equal(wr_options_get(options.items, options.n_items, "PATH"), "a.csv");
    assert_null(wr_options_get(options.items, options.n_items, "pat"));
    assert_true(wr_options_get_bool(options.items, options.n_items, "Header", false));
    assert_true(wr_options_get_bool(options.items, options.n_items, "absent", true));
    assert_int_equal(wr_options_get_int(options.items, options.n_items, "rows", 5), -42);
    assert_int_equal(wr_options_get_int(options.items, options.n_items, "absent", 5), 5);
    struct weir_error error;
    assert_int_equal(wr_options_add(&options, "HEADER", "x", &error), WEIR_ALREADY_EXISTS);
    assert_non_null(strstr(error.message, "\"HEADER\""));
    struct wr_options copy = {0};
    assert_int_equal(wr_options_copy(options.items, options.n_items, &copy, NULL), WEIR_OK);
    wr_options_reset(&options);
    assert_int_equal(options.n_items, 0);
    assert_int_equal(copy.n_items, 3);
    assert_string_equal(copy.items[2].value, "-42");
    wr_options_reset(&copy);
}

static void copying_options_without_memory_leaves_nothing(void **state) {
    (void)state;
    const struct weir_option items[] = {{"a", "1"}, {"b", "2"}};
    for (int64_t n = 1;; n++) {
        struct wr_options copy = {0};
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = wr_options_copy(items, 2, &copy, &error);
        int64_t made = wr_alloc_fail_at(0);
        if (code == WEIR_OK) {
            assert_true(n > made && made >= 6);
            wr_options_reset(&copy);
            break;
        }
        assert_string_equal(error.sqlstate, "53200");
        assert_null(copy.items);
    }
}

static const struct weir_option_spec specs[] = {
    {"path", WEIR_OPTION_TEXT, 1, "the file"},
    {"delimiter", WEIR_OPTION_TEXT, 0, "between values"},
    {"rows", WEIR_OPTION_INTEGER, 0, "how many"},
    {"header", WEIR_OPTION_BOOLEAN, 0, "first line"},
    {"format.", WEIR_OPTION_PREFIX, 0, "the engine's"},
};

static void check(const char *key, const char *value, const char *message) {
    const struct weir_option items[] = {{"path", "x"}, {key, value}};
    struct weir_error error = {0};
    int code = wr_options_check("table \"t\" (kind files)", specs, N_OF(specs), items, 2, &error);
    assert_string_equal(error.message, message);
    assert_int_equal(code, *message ? WEIR_INVALID_ARGUMENT : WEIR_OK);
    if (*message) assert_string_equal(error.sqlstate, "22023");
}

static void checked_options_name_the_owner_and_what_is_wrong(void **state) {
    (void)state;
    check("DELIMITER", ";", "");
    check("format.anything", "x", "");
    check("header", "False", "");
    check("rows", "9223372036854775807", "");
    check("delimter", ";",
          "table \"t\" (kind files): unknown option \"delimter\"; did you mean \"delimiter\"?");
    check("colour", "x",
          "table \"t\" (kind files): unknown option \"colour\"; it takes path, delimiter, rows, "
          "header, format.*");
    check("format.", "x",
          "table \"t\" (kind files): unknown option \"format.\"; did you mean \"format.*\"?");
    check("rows", "9223372036854775808",
          "table \"t\" (kind files): option \"rows\" must be a whole number, not "
          "'9223372036854775808'");
    check("rows", " 1",
          "table \"t\" (kind files): option \"rows\" must be a whole number, not ' 1'");
    check("header", "yes",
          "table \"t\" (kind files): option \"header\" must be true or false, not 'yes'");
    check("Path", "y",
          "table \"t\" (kind files): option \"Path\" is given twice; keep one of them");
}

static void a_missing_required_option_is_named_with_its_summary(void **state) {
    (void)state;
    struct weir_error error;
    assert_int_equal(wr_options_check("kind files", specs, N_OF(specs), NULL, 0, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "kind files: option \"path\" is required: the file");
}

static void the_nearest_word_is_near_or_nothing(void **state) {
    (void)state;
    static const char *const words[] = {"select", "insert", "delimiter"};
    assert_string_equal(wr_nearest("SELCET", words, 3), "select");
    assert_string_equal(wr_nearest("delimeter", words, 3), "delimiter");
    assert_null(wr_nearest("update", words, 3));
    assert_null(wr_nearest("", words, 3));
    assert_null(wr_nearest("abc", NULL, 0));
    char word[300];
    memset(word, 'a', sizeof word);
    word[sizeof word - 1] = '\0';
    assert_null(wr_nearest(word, words, 3));
}

/* ---- units ---- */

static void sizes_and_times_are_read_with_their_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool (*parse)(const char *text, int64_t *ret_number);
        int64_t number; /* -1: it is none */
    } cases[] = {
        {"4096", wr_parse_bytes, 4096},
        {"512MiB", wr_parse_bytes, INT64_C(512) << 20},
        {"2gb", wr_parse_bytes, 2000000000},
        {"1.5 G", wr_parse_bytes, INT64_C(3) << 29},
        {"0.29KB", wr_parse_bytes, 290},
        {"8388607TiB", wr_parse_bytes, INT64_C(8388607) << 40},
        {"8388608TiB", wr_parse_bytes, -1},
        {"9223372036854775807", wr_parse_bytes, INT64_MAX},
        {"9223372036854775808", wr_parse_bytes, -1},
        {"", wr_parse_bytes, -1},
        {"-1", wr_parse_bytes, -1},
        {"1e3", wr_parse_bytes, -1},
        {"1.MiB", wr_parse_bytes, -1},
        {"0x10", wr_parse_bytes, -1},
        {"MiB", wr_parse_bytes, -1},
        {"1 MiB ", wr_parse_bytes, -1},
        {"10", wr_parse_duration, 10000},
        {"500ms", wr_parse_duration, 500},
        {"1.5s", wr_parse_duration, 1500},
        {"2min", wr_parse_duration, 120000},
        {"1h", wr_parse_duration, 3600000},
        {"7d", wr_parse_duration, 604800000},
        {"1 week", wr_parse_duration, -1},
        {"inf", wr_parse_duration, -1},
        {"+7", wr_parse_int, 7},
        {"9223372036854775808", wr_parse_int, -1},
        {"7 ", wr_parse_int, -1},
        {" 7", wr_parse_int, -1},
        {"+-7", wr_parse_int, -1},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        int64_t number = -1;
        assert_int_equal(cases[i].parse(cases[i].text, &number), cases[i].number != -1);
        assert_int_equal(number, cases[i].number);
    }
    int64_t least = 0;
    assert_true(wr_parse_int("-9223372036854775808", &least));
    assert_true(least == INT64_MIN);
}

/* ---- Addresses ---- */

static void only_what_is_known_to_be_this_machine_is_loopback(void **state) {
    (void)state;
    const char *own[] = {"localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1"};
    const char *others[] = {"",    "localhost.example.org", "128.0.0.1",       "0.0.0.0", "::",
                            "::2", "127.0.0.1.example.org", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < N_OF(own); i++)
        assert_true(wr_host_is_loopback(own[i]));
    for (size_t i = 0; i < N_OF(others); i++)
        assert_false(wr_host_is_loopback(others[i]));
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010203)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr unix_path = {.sa_family = AF_UNIX};
    assert_true(wr_address_is_loopback((struct sockaddr *)&four));
    assert_true(wr_address_is_loopback((struct sockaddr *)&six));
    assert_false(wr_address_is_loopback(&unix_path));
    four.sin_addr.s_addr = htonl(0x0a000001);
    six.sin6_addr.s6_addr[0] = 1;
    assert_false(wr_address_is_loopback((struct sockaddr *)&four));
    assert_false(wr_address_is_loopback((struct sockaddr *)&six));
}

static void addresses_are_split(void **state) {
    (void)state;
    const struct {
        const char *text, *host, *port;
    } good[] = {{"localhost:80", "localhost", "80"},
                {"127.0.0.1:0", "127.0.0.1", "0"},
                {"[::1]:65535", "::1", "65535"},
                {"*:8080", "", "8080"},
                {"[fe80::1%eth0]:7", "fe80::1%eth0", "7"}};
    const char *bad[] = {"",      "localhost", "localhost:", ":80",          "a:65536",
                         "a:-1",  "a:+1",      "a: 1",       "a:1 ",         "::1:80",
                         "[::1]", "[]:1",      "[::1:80",    "a:1000000001", "0.0.0.0:1,::1:2",
                         "a:1x"};
    char host[WR_HOST_SIZE], port[WR_PORT_SIZE], large[WR_HOST_SIZE + 8];
    for (size_t i = 0; i < N_OF(good); i++) {
        assert_true(wr_address_split(good[i].text, host, port));
        assert_string_equal(host, good[i].host);
        assert_string_equal(port, good[i].port);
    }
    for (size_t i = 0; i < N_OF(bad); i++)
        assert_false(wr_address_split(bad[i], host, port));
    memset(large, 'a', WR_HOST_SIZE);
    memcpy(large + WR_HOST_SIZE, ":1", 3);
    assert_false(wr_address_split(large, host, port));
    assert_true(wr_address_split(large + 1, host, port));
}

static void addresses_are_shown(void **state) {
    (void)state;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr unix_path = {.sa_family = AF_UNIX};
    char text[WR_ADDRESS_SIZE];
    wr_address_show((struct sockaddr *)&four, text);
    assert_string_equal(text, "0.0.0.0:80");
    six.sin6_port = htons(65535);
    wr_address_show((struct sockaddr *)&six, text);
    assert_string_equal(text, "[::1]:65535");
    memset(&six.sin6_addr, 0xfe, sizeof six.sin6_addr);
    wr_address_show((struct sockaddr *)&six, text);
    assert_string_equal(text, "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe]:65535");
    wr_address_show(&unix_path, text);
    assert_string_equal(text, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_nth_allocation_fails_and_the_count_is_told),
        cmocka_unit_test(a_failed_realloc_leaves_the_old_memory),
        cmocka_unit_test(sizes_of_zero_and_overflowing_sizes_are_safe),
        cmocka_unit_test(strdup_of_null_is_null_and_strndup_stops_at_the_end),
        cmocka_unit_test(each_code_has_its_usual_sqlstate),
        cmocka_unit_test(a_given_sqlstate_replaces_the_usual_one),
        cmocka_unit_test(every_function_takes_a_null_error),
        cmocka_unit_test(errno_values_become_codes_and_states),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(a_message_that_just_fits_is_whole),
        cmocka_unit_test(a_prefix_keeps_code_state_and_position),
        cmocka_unit_test(an_error_can_be_made_of_its_own_text),
        cmocka_unit_test(a_stream_error_carries_the_streams_own_text),
        cmocka_unit_test(appends_build_one_text),
        cmocka_unit_test(the_ceiling_is_exact_and_a_failure_stays),
        cmocka_unit_test(an_unlimited_ceiling_does_not_overflow),
        cmocka_unit_test(a_buffer_without_memory_fails_and_frees_what_it_had),
        cmocka_unit_test(options_are_copied_and_found_without_case),
        cmocka_unit_test(copying_options_without_memory_leaves_nothing),
        cmocka_unit_test(checked_options_name_the_owner_and_what_is_wrong),
        cmocka_unit_test(a_missing_required_option_is_named_with_its_summary),
        cmocka_unit_test(the_nearest_word_is_near_or_nothing),
        cmocka_unit_test(sizes_and_times_are_read_with_their_units),
        cmocka_unit_test(only_what_is_known_to_be_this_machine_is_loopback),
        cmocka_unit_test(addresses_are_split),
        cmocka_unit_test(addresses_are_shown),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
