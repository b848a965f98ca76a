/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are made while they are sent: one piece goes out while the next one is made. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/internal.h"

enum { PIECE = 64 * 1024, PATIENCE_MS = 50 };

/* At least one piece, or what there was in time. */
static int make(struct http_request *request, struct weir_error *error) {
    struct http_body *body = &request->answer.body;
    int64_t start = wr_clock_ms();
    bool end = false;
    while (!end && request->back.length < PIECE &&
           (request->back.length == 0 || wr_clock_ms() - start < PATIENCE_MS)) {
        WR_TRY(body->next(body->context, &request->back, &end, error));
        if (request->back.failed) return wr_error_memory(error);
    }
    request->is_ended = end;
    return WEIR_OK;
}

int http_body_begin(struct http_request *request, struct weir_error *error) {
    return make(request, error);
}

static void make_next(struct wr_task *task) {
    struct http_request *request = (struct http_request *)task;
    struct weir_error error = {0};
    if (make(request, &error) != WEIR_OK) {
        request->is_failed = true;
        atomic_fetch_add(&request->door->counters.failed, 1);
    }
    http_end_task(request);
}

static size_t send_front(struct http_request *request, char *data, size_t most) {
    size_t length = request->front.length - request->sent;
    if (length > most) length = most;
    memcpy(data, request->front.data + request->sent, length);
    request->sent += length;
    atomic_fetch_add(&request->door->counters.bytes_out, (long long)length);
    return length;
}

/* What was made becomes what is sent, and more is made meanwhile. False: the door closes. */
static bool turn(struct http_request *request) {
    struct wr_buffer empty = request->front;
    request->front = request->back;
    request->back = empty;
    request->sent = 0;
    wr_buffer_clear(&request->back);
    return request->is_ended || http_begin_task(request, make_next, false);
}

/* With the request's mutex held. A task works on `back` without it: only one of both has it. */
static ssize_t read_on(struct http_request *request, char *data, size_t most) {
    if (request->is_gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (request->sent < request->front.length) return (ssize_t)send_front(request, data, most);
    if (request->is_working) {
        request->is_waiting = true;
        http_watch(request);
        MHD_suspend_connection(request->connection);
        return 0;
    }
    if (request->is_failed) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (request->back.length > 0) {
        if (!turn(request)) return MHD_CONTENT_READER_END_WITH_ERROR;
        return (ssize_t)send_front(request, data, most);
    }
    return request->is_ended ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* libmicrohttpd (up to 1.0) ends such a connection, and forgets it until its thread has something
 * else to do or it has been silent for too long: for a second, then. */
static void close_soon(struct http_request *request) {
    (void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

static ssize_t read_body(void *context, uint64_t at, char *data, size_t most) {
    struct http_request *request = context;
    (void)at;
    pthread_mutex_lock(&request->mutex);
    ssize_t length = read_on(request, data, most);
    pthread_mutex_unlock(&request->mutex);
    if (length == MHD_CONTENT_READER_END_WITH_ERROR) close_soon(request);
    return length;
}

static void release_body(void *context) {
    http_release(context);
}

struct MHD_Response *http_body_response(struct http_request *request) {
    const struct http_body *body = &request->answer.body;
    uint64_t size = body->n_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)body->n_bytes;
    http_retain(request);
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, PIECE, read_body, request, release_body);
    if (!response) http_release(request);
    return response;
}
