/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: errors as JSON, headers, and what of both libmicrohttpd is given. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "http/internal.h"
#include "http/json.h"
#include "http/parse.h"

enum { MAX_CONTENT = 1 << 30 };

void http_answer_init(struct http_answer *answer) {
    *answer = (struct http_answer){.body.n_bytes = -1};
    wr_buffer_init(&answer->content, MAX_CONTENT);
}

void http_answer_reset(struct http_answer *answer) {
    wr_options_reset(&answer->headers);
    wr_buffer_reset(&answer->content);
}

int http_answer_header(struct http_answer *answer, const char *name, const char *value,
                       struct weir_error *error) {
    return wr_options_add(&answer->headers, name, value, error);
}

void http_answer_begin(struct http_answer *answer, int status, const char *type) {
    wr_buffer_clear(&answer->content);
    answer->status = status;
    answer->type = type;
}

int http_answer_end(struct http_answer *answer, struct weir_error *error) {
    return answer->content.failed ? wr_error_memory(error) : WEIR_OK;
}

/* ---- Errors ---- */

int http_status_of(const struct weir_error *error, bool is_sql) {
    if (strncmp(error->sqlstate, "53300", 5) == 0) return 429; /* too many at a time */
    if (strncmp(error->sqlstate, "53", 2) == 0) return 503;
    switch (error->code) {
    case WEIR_NOT_FOUND:
        return is_sql ? 400 : 404;
    case WEIR_INVALID_ARGUMENT:
        return 400;
    case WEIR_INVALID_DATA:
        return 422;
    case WEIR_ALREADY_EXISTS:
    case WEIR_INVALID_STATE:
    case WEIR_INTEGRITY:
    case WEIR_CANCELLED:
        return 409;
    case WEIR_NOT_IMPLEMENTED:
        return 501;
    case WEIR_TIMEOUT:
        return 504;
    case WEIR_UNAUTHENTICATED:
        return 401;
    case WEIR_UNAUTHORIZED:
        return 403;
    default:
        return 500;
    }
}

static void add_error(struct wr_buffer *content, const struct weir_error *error) {
    wr_buffer_text(content, "{\"error\":{\"code\":");
    json_add_text(content, weir_code_name(error->code));
    wr_buffer_text(content, ",\"sqlstate\":");
    json_add_text(content, error->sqlstate);
    wr_buffer_text(content, ",\"message\":");
    json_add_text(content, error->message);
    wr_buffer_text(content, ",\"position\":");
    if (error->position > 0) {
        wr_buffer_format(content, "%lld", (long long)error->position);
    } else {
        wr_buffer_text(content, "null");
    }
    wr_buffer_text(content, "}}\n");
}

/* Without memory for a text there is a status all the same. */
void http_answer_error(struct http_answer *answer, int status, const struct weir_error *error) {
    wr_buffer_reset(&answer->content);
    http_answer_begin(answer, status, "application/json");
    if (answer->body.release) answer->body.release(answer->body.context);
    answer->body = (struct http_body){.n_bytes = -1};
    add_error(&answer->content, error);
    if (status == 401)
        (void)http_answer_header(answer, "WWW-Authenticate",
                                 "Basic realm=\"weir\", charset=\"UTF-8\", Bearer realm=\"weir\"",
                                 NULL);
    if (status == 429 || status == 503) (void)http_answer_header(answer, "Retry-After", "5", NULL);
}

/* ---- Headers ---- */

/* What a file or a result may do in a browser: nothing. */
#define NOTHING "default-src 'none'; frame-ancestors 'none'; sandbox"

static bool add(struct MHD_Response *response, const char *name, const char *value) {
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_origin(const struct http_request *request, struct MHD_Response *response) {
    const char *origins = request->door->origins, *origin = http_header(request, "Origin");
    if (!origins) return add(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (!add(response, "Vary", "Origin")) return false;
    if (!origin || !http_is_listed(origins, origin)) return true;
    bool good = add(response, "Access-Control-Allow-Origin", origin) &&
                add(response, "Access-Control-Expose-Headers",
                    "Weir-Query-Id, ETag, Content-Range, Accept-Ranges, WWW-Authenticate");
    if (request->method != HTTP_OPTIONS) return good;
    return good && add(response, "Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE") &&
           add(response, "Access-Control-Allow-Headers",
               "Accept, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, "
               "X-API-Key") &&
           add(response, "Access-Control-Max-Age", "600");
}

static bool add_headers(const struct http_request *request, struct MHD_Response *response) {
    const struct http_answer *answer = &request->answer;
    bool good =
        add(response, "X-Content-Type-Options", "nosniff") &&
        add(response, "Referrer-Policy", "no-referrer") &&
        add(response, "Content-Security-Policy", answer->is_page ? http_page_policy : NOTHING) &&
        add_origin(request, response);
    if (good && answer->type) good = add(response, "Content-Type", answer->type);
    bool has_cache_rule = false;
    for (size_t i = 0; good && i < answer->headers.n_items; i++) {
        const struct weir_option *header = &answer->headers.items[i];
        has_cache_rule |= strcmp(header->key, "Cache-Control") == 0;
        good = add(response, header->key, header->value);
    }
    return good && (has_cache_rule || add(response, "Cache-Control", "no-store"));
}

/* ---- Sending ---- */

static void free_content(void *memory) {
    wr_free(memory);
}

static struct MHD_Response *content_response(struct http_request *request,
                                             struct wr_buffer *content) {
    size_t length = content->failed ? 0 : content->length;
    atomic_fetch_add(&request->door->counters.bytes_out, (long long)length);
    if (length == 0) return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    char *data = wr_buffer_take(content);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(length, data, free_content);
    if (!response) wr_free(data);
    return response;
}

/* A body without a length ends with its connection in HTTP/1.0: its reader could not tell whether
 * it is whole. */
static void refuse_http10(struct http_request *request) {
    struct weir_error error;
    (void)wr_error_set(&error, WEIR_NOT_IMPLEMENTED, "08P01",
                       "the result is sent in pieces, which needs HTTP/1.1");
    http_answer_error(&request->answer, 505, &error);
}

static struct MHD_Response *make_response(struct http_request *request) {
    struct http_answer *answer = &request->answer;
    if (answer->body.next && answer->body.n_bytes < 0 && !request->is_ended && request->is_http10)
        refuse_http10(request);
    if (!answer->body.next) return content_response(request, &answer->content);
    if (request->is_ended && answer->body.n_bytes < 0)
        return content_response(request, &request->back);
    return http_body_response(request);
}

enum MHD_Result http_answer_queue(struct http_request *request) {
    struct MHD_Response *response = make_response(request);
    if (!response) return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(request, response))
        result =
            MHD_queue_response(request->connection, (unsigned)request->answer.status, response);
    MHD_destroy_response(response);
    return result;
}
