/* SPDX-License-Identifier: Apache-2.0 */
#include "http/parse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t");
}

static size_t trimmed(const char *start, size_t length) {
    while (length > 0 && strchr(" \t", start[length - 1]))
        length--;
    return length;
}

/* ---- Accept ---- */

/* "0.25" in thousandths; -1 when it is none. */
static int parse_weight(const char *text, size_t length) {
    int weight = 0, scale = 1000;
    if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1')) return -1;
    if (length > 1 && text[1] != '.') return -1;
    weight = (text[0] - '0') * 1000;
    for (size_t i = 2; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        scale /= 10;
        weight += (text[i] - '0') * scale;
    }
    return weight <= 1000 ? weight : -1;
}

/* The weight among the parameters of a range, 1000 without one. */
static int range_weight(const char *parameters, const char *end) {
    while (parameters < end) {
        const char *start = skip_blanks(parameters + 1);
        size_t length = start < end ? strcspn(start, ";,") : 0;
        if (length > 2 && (start[0] == 'q' || start[0] == 'Q') && start[1] == '=')
            return parse_weight(start + 2, trimmed(start + 2, length - 2));
        parameters = start + length;
    }
    return 1000;
}

/* 3: the type, 2: its group, 1: any, 0: it does not match. */
static int specificity(const char *range, size_t length, const char *type) {
    if (length == 3 && memcmp(range, "*/*", 3) == 0) return 1;
    if (strlen(type) == length && strncasecmp(range, type, length) == 0) return 3;
    if (length < 3 || memcmp(range + length - 2, "/*", 2) != 0) return 0;
    return strncasecmp(range, type, length - 1) == 0 ? 2 : 0;
}

static int type_weight(const char *header, const char *type) {
    int best = 0, weight = 0;
    for (const char *at = header; *at;) {
        const char *start = skip_blanks(at);
        const char *end = start + strcspn(start, ",");
        size_t length = strcspn(start, ";,");
        int found = specificity(start, trimmed(start, length), type);
        int given = range_weight(start + length, end);
        if (found > best && given >= 0) {
            best = found;
            weight = given;
        }
        at = *end ? end + 1 : end;
    }
    return weight;
}

int http_accept(const char *header, const char *const *types, size_t n_types) {
    int chosen = -1, best = 0;
    if (!header || !*skip_blanks(header)) return 0;
    for (size_t i = 0; i < n_types; i++) {
        int weight = type_weight(header, types[i]);
        if (weight <= best) continue;
        best = weight;
        chosen = (int)i;
    }
    return chosen;
}

bool http_is_type(const char *header, const char *type) {
    if (!header) return false;
    header = skip_blanks(header);
    size_t length = trimmed(header, strcspn(header, ";"));
    return strlen(type) == length && strncasecmp(header, type, length) == 0;
}

/* ---- Range ---- */

/* Digits; -1: there are none. What is greater than any file is INT64_MAX. */
static int64_t read_place(const char **at) {
    int64_t number = 0;
    if (**at < '0' || **at > '9') return -1;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, **at - '0', &number))
            number = INT64_MAX;
    }
    return number;
}

enum http_range http_range(const char *header, int64_t size, int64_t *ret_first,
                           int64_t *ret_length) {
    if (!header || strncasecmp(header, "bytes=", 6) != 0) return HTTP_RANGE_NONE;
    const char *at = skip_blanks(header + 6);
    int64_t first = read_place(&at);
    if (*at++ != '-') return HTTP_RANGE_NONE;
    int64_t last = read_place(&at);
    if (*skip_blanks(at) || (first < 0 && last < 0)) return HTTP_RANGE_NONE;
    if (first < 0) { /* the last so many */
        if (last == 0 || size == 0) return HTTP_RANGE_UNSATISFIABLE;
        *ret_length = last < size ? last : size;
        *ret_first = size - *ret_length;
        return HTTP_RANGE_ONE;
    }
    if (last >= 0 && last < first) return HTTP_RANGE_NONE;
    if (first >= size) return HTTP_RANGE_UNSATISFIABLE;
    if (last < 0 || last >= size) last = size - 1;
    *ret_first = first;
    *ret_length = last - first + 1;
    return HTTP_RANGE_ONE;
}

/* ---- Conditions ---- */

bool http_matches(const char *list, const char *etag, bool weak) {
    list = skip_blanks(list);
    if (*list == '*') return *skip_blanks(list + 1) == '\0';
    if (!etag) return false;
    while (*list) {
        bool is_weak = strncmp(list, "W/", 2) == 0;
        const char *start = is_weak ? list + 2 : list;
        const char *end = *start == '"' ? strchr(start + 1, '"') : NULL;
        if (!end) return false;
        size_t length = (size_t)(end - start) + 1;
        if ((weak || !is_weak) && strlen(etag) == length && memcmp(start, etag, length) == 0)
            return true;
        list = skip_blanks(end + 1);
        if (*list && *list != ',') return false;
        list = skip_blanks(*list ? list + 1 : list);
    }
    return false;
}

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool http_parse_date(const char *text, int64_t *ret_seconds) {
    char day[4], month[4];
    struct tm time = {0};
    int end = 0;
    if (sscanf(text, "%3s, %2d %3s %4d %2d:%2d:%2d GMT%n", day, &time.tm_mday, month, &time.tm_year,
               &time.tm_hour, &time.tm_min, &time.tm_sec, &end) != 7 ||
        end == 0 || text[end])
        return false;
    time.tm_mon = -1;
    for (int i = 0; i < 12; i++) {
        if (strcmp(months[i], month) == 0) time.tm_mon = i;
    }
    if (time.tm_mon < 0) return false;
    time.tm_year -= 1900;
    int64_t seconds = timegm(&time);
    char again[HTTP_DATE_SIZE];
    http_format_date(seconds, again);
    if (strcmp(again, text) != 0) return false; /* another weekday, the 31st of June */
    *ret_seconds = seconds;
    return true;
}

void http_format_date(int64_t seconds, char ret_text[HTTP_DATE_SIZE]) {
    time_t at = (time_t)seconds;
    struct tm time;
    if (!gmtime_r(&at, &time)) memset(&time, 0, sizeof time);
    /* The year is taken modulo: a date beyond 9999 has no form. */
    snprintf(ret_text, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[time.tm_wday],
             (unsigned)time.tm_mday % 100, months[time.tm_mon],
             (unsigned)(time.tm_year + 1900) % 10000, (unsigned)time.tm_hour % 100,
             (unsigned)time.tm_min % 100, (unsigned)time.tm_sec % 100);
}

/* ---- Paths ---- */

#define REFUSE(error, what) wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "the path %s", what)

static bool is_dots(const char *start, size_t length) {
    return (length == 1 && start[0] == '.') || (length == 2 && memcmp(start, "..", 2) == 0);
}

static int check_components(const char *path, struct weir_error *error) {
    for (const char *at = path; *at;) {
        size_t length = strcspn(++at, "/");
        if (is_dots(at, length)) return REFUSE(error, "has the component \".\" or \"..\"");
        if (length == 0 && at[length]) return REFUSE(error, "has an empty component");
        at += length;
    }
    return WEIR_OK;
}

/* What only decodes to a way out when it is decoded again, as some proxies do. */
static bool is_escaped_twice(const char *path) {
    static const char *const escapes[] = {"%2e", "%2f", "%5c", "%00", "%25"};
    for (const char *at = path; (at = strchr(at, '%')); at++) {
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
            if (strncasecmp(at, escapes[i], 3) == 0) return true;
        }
    }
    return false;
}

static bool has_control(const char *path) {
    for (; *path; path++) {
        if ((unsigned char)*path < 0x20 || *path == 0x7F) return true;
    }
    return false;
}

static int check_path(const char *path, struct weir_error *error) {
    if (*path != '/') return REFUSE(error, "does not begin with a slash");
    if (!wr_is_utf8(path, strlen(path))) return REFUSE(error, "is not UTF-8");
    if (has_control(path)) return REFUSE(error, "has a control character");
    if (strchr(path, '\\')) return REFUSE(error, "has a backslash");
    if (is_escaped_twice(path)) return REFUSE(error, "is escaped twice");
    return check_components(path, error);
}

int http_check_path(const char *path, char **ret_path, struct weir_error *error) {
    WR_TRY(check_path(path, error));
    size_t length = strlen(path);
    if (length > 1 && path[length - 1] == '/') length--;
    char *copy = wr_strndup(path, length);
    if (!copy) return wr_error_memory(error);
    *ret_path = copy;
    return WEIR_OK;
}

int http_decode_path(const char *path, const char *prefix, char **ret_path,
                     struct weir_error *error) {
    const char *rest = path + strlen(prefix);
    char *copy = wr_strdup(*rest ? rest : "/");
    if (!copy) return wr_error_memory(error);
    int code = WEIR_OK;
    /* An encoded slash is part of a name for some, and a separator for others. */
    if (strcasestr(copy, "%2f")) {
        code = REFUSE(error, "has an encoded slash");
    } else if (!wr_percent_decode(copy)) {
        code = REFUSE(error, "has an escape that is none");
    }
    if (!code) code = http_check_path(copy, ret_path, error);
    wr_free(copy);
    return code;
}

/* ---- Authorization ---- */

const char *http_credentials(const char *header, const char *scheme) {
    size_t length = strlen(scheme);
    if (strncasecmp(header, scheme, length) != 0 || header[length] != ' ') return NULL;
    return header + length + strspn(header + length, " ");
}

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool http_decode_base64(const char *text, size_t length, struct wr_buffer *buffer) {
    uint32_t bits = 0;
    size_t n_padding = 0;
    while (length > 0 && text[length - 1] == '=' && n_padding < 2) {
        length--;
        n_padding++;
    }
    if (length % 4 == 1 || (n_padding > 0 && (length + n_padding) % 4 != 0)) return false;
    for (size_t i = 0; i < length; i++) {
        int digit = base64_digit(text[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 > 0) wr_buffer_char(buffer, (char)(bits >> (6 - 2 * (i % 4)) & 255));
    }
    return !buffer->failed;
}

/* ---- Origins and hosts ---- */

bool http_is_listed(const char *list, const char *origin) {
    for (const char *at = list; *(at += strspn(at, ", \t"));) {
        size_t length = strcspn(at, ", \t");
        if (length == 1 && *at == '*') return true;
        if (strlen(origin) == length && strncasecmp(at, origin, length) == 0) return true;
        at += length;
    }
    return false;
}

bool http_is_same_origin(const char *origin, const char *host) {
    size_t scheme = wr_scheme_length(origin);
    return scheme > 0 && strcasecmp(origin + scheme + 3, host) == 0;
}

bool http_is_plain_host(const char *host) {
    char name[64];
    struct in6_addr address;
    if (*host == '[') {
        size_t length = strcspn(host + 1, "]");
        if (length >= sizeof name || host[1 + length] != ']') return false;
        memcpy(name, host + 1, length);
        name[length] = '\0';
        return inet_pton(AF_INET6, name, &address) == 1;
    }
    size_t length = strcspn(host, ":");
    if (length >= sizeof name) return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1;
}
