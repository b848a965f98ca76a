/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of HTTP that clients choose: headers and paths. Nothing here keeps or allocates more
 * than it says. */
#ifndef WR_HTTP_PARSE_H
#define WR_HTTP_PARSE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "weir.h"

/* ---- Accept (RFC 9110, 12.5.1) ---- */

/*
 * Which of the types the header prefers: the greatest weight, of equal ones the first in `types`. A
 * type's weight is that of the most specific range that matches it. NULL and "" accept all. -1:
 * none is acceptable.
 */
int http_accept(const char *header, const char *const *types, size_t n_types);
/* Whether a Content-Type is `type`, whatever its parameters. */
bool http_is_type(const char *header, const char *type);

/* ---- Range (RFC 9110, 14.2) ---- */

enum http_range { HTTP_RANGE_NONE, HTTP_RANGE_ONE, HTTP_RANGE_UNSATISFIABLE };

/*
 * What part of `size` bytes the header asks for. NONE: all, because the header is absent, not
 * understood, or asks for several ranges, which a server may answer so. On ONE, *ret_first and
 * *ret_length are set, the length being greater than 0.
 */
enum http_range http_range(const char *header, int64_t size, int64_t *ret_first,
                           int64_t *ret_length);

/* ---- Conditions (RFC 9110, 13.1) ---- */

/* Whether `etag` (with its quotes) is in a list of entity tags, or the list is "*". `weak`: weak
 * tags match too, as for If-None-Match. */
bool http_matches(const char *list, const char *etag, bool weak);
/* An HTTP date as seconds since 1970; false when it is none. Only the form that is to be sent. */
bool http_parse_date(const char *text, int64_t *ret_seconds);
enum { HTTP_DATE_SIZE = 32 };
void http_format_date(int64_t seconds, char ret_text[HTTP_DATE_SIZE]);

/* ---- Paths ---- */

/*
 * A request's path after `prefix`, decoded once: "/v1/files" and "/v1/files/lake/x.csv" give "/"
 * and
 * "/lake/x.csv". Free with wr_free. Codes: WEIR_INVALID_ARGUMENT for bad escapes, control
 * characters, bytes that are not UTF-8, empty components, `.` and `..`, backslashes, an encoded
 * slash, and what would still be an escape of one of these.
 */
int http_decode_path(const char *path, const char *prefix, char **ret_path,
                     struct weir_error *error);
/* The same for a path that is decoded already. */
int http_check_path(const char *path, char **ret_path, struct weir_error *error);

/* ---- Authorization ---- */

/* The value of a scheme's header, "Bearer abc" giving "abc"; NULL: it is of another scheme. */
const char *http_credentials(const char *header, const char *scheme);
/* Decodes Base64 (RFC 4648, 4, padded or not) into `buffer`; false when it is none. */
bool http_decode_base64(const char *text, size_t length, struct wr_buffer *buffer);

/* ---- Origins and hosts ---- */

/* Whether an origin is in a list of them, separated by commas or blanks; "*" is any. */
bool http_is_listed(const char *list, const char *origin);
/* Whether "http://host:port" is the origin of pages from a Host header. */
bool http_is_same_origin(const char *origin, const char *host);
/* Whether a Host header names an address or localhost: nothing that a foreign name server could
 * have led here. */
bool http_is_plain_host(const char *host);

#endif
