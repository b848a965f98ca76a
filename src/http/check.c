/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are answered before anything is done for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "http/internal.h"

enum { MAX_HEADERS = 100 };

struct header_check {
    int n_hosts, n_lengths, n_codings, n_credentials;
    bool is_bad;
};

static enum MHD_Result check_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_length, const char *value, size_t length) {
    static const char *const single[] = {"Host", "Content-Length", "Transfer-Encoding",
                                         "Authorization"};
    struct header_check *check = context;
    int *counts[] = {&check->n_hosts, &check->n_lengths, &check->n_codings, &check->n_credentials};
    (void)kind;
    for (size_t i = 0; i < 4; i++) {
        if (name_length == strlen(single[i]) && strcasecmp(name, single[i]) == 0) ++*counts[i];
    }
    check->is_bad |= name_length == 0 || strpbrk(name, " \t\r\n") != NULL;
    for (size_t i = 0; i < length; i++)
        check->is_bad |= ((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7F;
    return MHD_YES;
}

/* Where two readers could see different requests (RFC 9112, 6.3), and what no client sends. */
static int check_headers(struct http_request *request, const char *version,
                         struct weir_error *error) {
    struct header_check check = {0};
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    int n = MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, check_header, &check);
    if (n > MAX_HEADERS ||
        (size && (int64_t)size->header_size > request->door->limits.max_header)) {
        (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000",
                           "the headers are too many or too large: http.max_header_bytes is %lld",
                           (long long)request->door->limits.max_header);
        return 431;
    }
    if (check.is_bad || check.n_hosts > 1 || check.n_lengths + check.n_codings > 1 ||
        check.n_credentials > 1 || (!request->is_http10 && check.n_hosts == 0)) {
        (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "08P01",
                           "the headers are malformed or contradict each other");
        return 400;
    }
    if (strncmp(version, "HTTP/1.", 7) != 0) {
        (void)wr_error_set(error, WEIR_NOT_IMPLEMENTED, "08P01", "this server speaks HTTP/1.1");
        return 505;
    }
    return 0;
}

static int check_length(struct http_request *request, struct weir_error *error) {
    const char *length = http_header(request, "Content-Length");
    int64_t most = request->door->limits.max_body;
    /* More digits than libmicrohttpd has taken are not there. */
    if (!length || strtoll(length, NULL, 10) <= most) return 0;
    (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000",
                       "the body is too large: http.max_body_bytes is %lld", (long long)most);
    return 413;
}

static int check_route(struct http_request *request, struct weir_error *error) {
    if (!request->route) {
        (void)wr_error_set(error, WEIR_NOT_FOUND, "42704",
                           "there is nothing at this path; /openapi.json lists what there is");
        return 404;
    }
    int methods = request->route->methods;
    if ((methods | HTTP_OPTIONS) & request->method) return 0;
    char allow[64];
    snprintf(allow, sizeof allow, "%s%s%sOPTIONS", methods & HTTP_GET ? "GET, HEAD, " : "",
             methods & HTTP_POST ? "POST, " : "", methods & HTTP_DELETE ? "DELETE, " : "");
    (void)http_answer_header(&request->answer, "Allow", allow, NULL);
    (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "this path takes: %s", allow);
    return 405;
}

/* ---- The query ---- */

enum { SHOWN_NAME = 64 }; /* bytes of a name that a message repeats */

struct query_check {
    const char *const *known; /* NULL: none */
    uint32_t seen;            /* a bit for each of the known ones */
    char name[SHOWN_NAME + 1];
    bool is_unknown, is_repeated;
};

static enum MHD_Result check_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                       size_t name_length, const char *value, size_t length) {
    struct query_check *check = context;
    (void)kind;
    (void)length;
    if (name_length == 0 && !value) return MHD_YES; /* nothing after the question mark */
    snprintf(check->name, sizeof check->name, "%s", name ? name : "");
    for (unsigned i = 0; check->known && check->known[i]; i++) {
        if (strlen(check->known[i]) != name_length || memcmp(check->known[i], name, name_length))
            continue;
        check->is_repeated = check->seen & (1u << i);
        check->seen |= 1u << i;
        return check->is_repeated ? MHD_NO : MHD_YES;
    }
    check->is_unknown = true;
    return MHD_NO;
}

/* A misspelt parameter that nobody reads would be answered as if it were not there. */
static int check_query(struct http_request *request, struct weir_error *error) {
    struct query_check check = {.known = request->route->parameters};
    char known[256] = "";
    (void)MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, check_parameter,
                                      &check);
    if (check.is_repeated) {
        (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                           "the query has the parameter \"%s\" more than once", check.name);
        return 400;
    }
    if (!check.is_unknown) return 0;
    for (size_t i = 0, n = 0; check.known && check.known[i] && n < sizeof known; i++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", check.known[i]);
    (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                       "unknown parameter \"%s\" in the query; this path takes: %s", check.name,
                       known[0] ? known : "none");
    return 400;
}

static int check_state(struct http_request *request, struct weir_error *error) {
    if (!atomic_load(&request->door->draining) || request->route->while_draining) return 0;
    (void)http_answer_header(&request->answer, "Retry-After", "5", NULL);
    (void)http_answer_header(&request->answer, "Connection", "close", NULL);
    (void)wr_error_set(error, WEIR_INVALID_STATE, "57P03", "the server is going down");
    return 503;
}

void http_check(struct http_request *request, const char *version) {
    struct weir_error error = {0};
    int status = check_headers(request, version, &error);
    if (!status) status = http_check_origin(request, &error);
    if (!status) status = check_route(request, &error);
    if (!status && request->method != HTTP_OPTIONS) status = check_query(request, &error);
    if (!status) status = check_state(request, &error);
    if (!status) status = check_length(request, &error);
    if (status) {
        atomic_fetch_add(&request->door->counters.refused, 1);
        http_answer_error(&request->answer, status, &error);
    } else if (request->method == HTTP_OPTIONS) {
        http_answer_begin(&request->answer, 204, NULL);
    }
}
