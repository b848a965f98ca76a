/* SPDX-License-Identifier: Apache-2.0 */
/* An input is a header's value, a path or a document of JSON: what the HTTP door reads of texts
 * that clients choose. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "fuzz.h"
#include "http/json.h"
#include "http/parse.h"

const char *const fuzz_words[] = {
    "bytes=", "-",       ",",     ";q=0.",   "*/*",   "text/",   "W/\"",
    "\"",     "%2e",     "%2F",   "%25",     "..",    "\\",      "/",
    "Basic ", "Bearer ", "==",    "http://", "[::1]", "\\u0000", "\\ud83d\\ude00",
    "[[",     "{\"a\":", "1e999", "true",    NULL};

static void read_headers(const char *text) {
    static const char *const types[] = {"application/json", "text/csv", "text/html"};
    int64_t first = -1, length = -1;
    int chosen = http_accept(text, types, 3);
    FUZZ_CHECK(chosen >= -1 && chosen < 3);
    (void)http_is_type(text, "application/json");
    static const int64_t sizes[] = {0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        if (http_range(text, sizes[i], &first, &length) != HTTP_RANGE_ONE) continue;
        FUZZ_CHECK(first >= 0 && length > 0 && first < sizes[i] && length <= sizes[i] - first);
    }
    (void)http_matches(text, "\"abc\"", true);
    (void)http_matches(text, "\"abc\"", false);
    if (http_parse_date(text, &first)) {
        char again[HTTP_DATE_SIZE];
        http_format_date(first, again);
        FUZZ_CHECK(strcmp(again, text) == 0);
    }
    (void)http_credentials(text, "Bearer");
    (void)http_is_listed(text, "http://localhost:8080");
    (void)http_is_listed("https://a.example", text);
    (void)http_is_same_origin(text, "localhost:8080");
    (void)http_is_plain_host(text);
}

/* Whatever was sent, a path leads nowhere else. */
static void check_path(char *path) {
    FUZZ_CHECK(path[0] == '/' && !strstr(path, "//") && !strchr(path, '\\'));
    FUZZ_CHECK(!strstr(path, "/../") && !strstr(path, "/./") && wr_is_utf8(path, strlen(path)));
    size_t n = strlen(path);
    FUZZ_CHECK(n < 3 || strcmp(path + n - 3, "/..") != 0);
    wr_free(path);
}

static void read_path(const char *text) {
    struct weir_error error = {0};
    char *path;
    if (http_check_path(text, &path, &error) == WEIR_OK) check_path(path);
    struct wr_buffer whole;
    wr_buffer_init(&whole, 1 << 20);
    wr_buffer_format(&whole, "/v1/files/%s", text);
    if (http_decode_path(whole.data, "/v1/files", &path, &error) == WEIR_OK) check_path(path);
    wr_buffer_reset(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct json_document *document;
    struct wr_buffer decoded;
    char *text = wr_strndup(size ? (const char *)data : "", size);
    FUZZ_CHECK(text != NULL);
    if (json_parse((const char *)data, size, &document, &error) == WEIR_OK) {
        (void)json_member(document->root, "sql");
        json_free(document);
    } else {
        FUZZ_CHECK(error.position >= 0 && error.position <= (int64_t)size + 1);
    }
    wr_buffer_init(&decoded, 1 << 20);
    (void)http_decode_base64((const char *)data, size, &decoded);
    wr_buffer_clear(&decoded);
    json_add_bytes(&decoded, (const char *)data, size);
    /* What goes out as a text is one, but a NUL, which documents must not have. */
    int code = json_parse(decoded.data, decoded.length, &document, &error);
    FUZZ_CHECK(code == WEIR_OK || (size > 0 && memchr(data, '\0', size) != NULL));
    if (code == WEIR_OK) json_free(document);
    wr_buffer_reset(&decoded);
    read_headers(text);
    read_path(text);
    wr_free(text);
    return 0;
}
