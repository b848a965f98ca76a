/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a request: its headers, its body, its work, its answer, its end. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "http/internal.h"

const char *http_header(const struct http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool http_parameter(const struct http_request *request, const char *name,
                    struct wr_buffer *buffer) {
    const char *text =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    char *copy = wr_strdup(text);
    bool good = copy && wr_percent_decode(copy) && wr_is_utf8(copy, strlen(copy));
    if (good) wr_buffer_text(buffer, copy);
    wr_free(copy);
    return good && !buffer->failed;
}

/* ---- References ---- */

void http_retain(struct http_request *request) {
    atomic_fetch_add(&request->references, 1);
}

static void free_request(struct wr_task *task) {
    struct http_request *request = (struct http_request *)task;
    if (request->answer.body.release) request->answer.body.release(request->answer.body.context);
    weir_session_close(request->session);
    weir_principal_free(request->principal);
    http_answer_reset(&request->answer);
    wr_buffer_reset(&request->received);
    wr_buffer_reset(&request->front);
    wr_buffer_reset(&request->back);
    pthread_mutex_destroy(&request->mutex);
    wr_free(request->owner);
    wr_free(request->path);
    wr_free(request);
}

/* Closing a session may wait, which libmicrohttpd's threads must not. */
void http_release(struct http_request *request) {
    if (atomic_fetch_sub(&request->references, 1) > 1) return;
    if (request->session || request->answer.body.release) {
        request->task.run = free_request;
        wr_pool_submit(request->door->pool, &request->task);
    } else {
        free_request(&request->task);
    }
}

/* ---- What a vanished client ends ---- */

static int gone(struct weir_error *error) {
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the request was ended");
}

static int begin(struct http_request *request, struct weir_statement *statement,
                 struct weir_error *error) {
    pthread_mutex_lock(&request->mutex);
    bool is_gone = request->is_gone;
    if (!is_gone) {
        request->statement = statement;
        request->has_session_work = statement == NULL;
    }
    pthread_mutex_unlock(&request->mutex);
    return is_gone ? gone(error) : WEIR_OK;
}

int http_begin_work(struct http_request *request, struct weir_error *error) {
    return begin(request, NULL, error);
}

int http_begin_statement(struct http_request *request, struct weir_statement *statement,
                         struct weir_error *error) {
    return begin(request, statement, error);
}

void http_end_work(struct http_request *request) {
    pthread_mutex_lock(&request->mutex);
    request->statement = NULL;
    request->has_session_work = false;
    pthread_mutex_unlock(&request->mutex);
}

void http_cancel(struct http_request *request) {
    pthread_mutex_lock(&request->mutex);
    if (request->statement) (void)weir_statement_cancel(request->statement, NULL);
    pthread_mutex_unlock(&request->mutex);
}

void http_abandon(struct http_request *request) {
    pthread_mutex_lock(&request->mutex);
    request->is_gone = true;
    if (request->statement) (void)weir_statement_cancel(request->statement, NULL);
    if (request->has_session_work) weir_session_interrupt(request->session);
    pthread_mutex_unlock(&request->mutex);
}

/* ---- Its beginning ---- */

static int method_of(const char *name) {
    static const struct {
        const char *name;
        int method;
    } methods[] = {{"GET", HTTP_GET},
                   {"HEAD", HTTP_HEAD | HTTP_GET},
                   {"POST", HTTP_POST},
                   {"DELETE", HTTP_DELETE},
                   {"OPTIONS", HTTP_OPTIONS}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, name) == 0) return methods[i].method;
    }
    return 0;
}

static struct http_request *new_request(struct wr_http *door, struct MHD_Connection *connection,
                                        const char *url, const char *method) {
    struct http_request *request = wr_calloc(1, sizeof *request);
    char *path = wr_strdup(url);
    if (!request || !path) {
        wr_free(path);
        wr_free(request);
        return NULL;
    }
    request->door = door;
    request->connection = connection;
    request->socket = http_connection_of(connection);
    request->path = path;
    request->method = method_of(method);
    request->route = http_find_route(path);
    atomic_init(&request->references, 1);
    pthread_mutex_init(&request->mutex, NULL);
    wr_buffer_init(&request->received, (size_t)door->limits.max_body + 1);
    wr_buffer_init(&request->front, (size_t)1 << 31);
    wr_buffer_init(&request->back, (size_t)1 << 31);
    http_answer_init(&request->answer);
    return request;
}

static enum MHD_Result begin_request(struct wr_http *door, struct MHD_Connection *connection,
                                     const char *url, const char *method, const char *version,
                                     void **ret_request) {
    struct http_request *request = new_request(door, connection, url, method);
    if (!request) return MHD_NO;
    if (!request->socket) {
        http_release(request);
        return MHD_NO;
    }
    *ret_request = request;
    request->is_http10 = strcmp(version, "HTTP/1.0") == 0;
    http_running_add(request);
    atomic_fetch_add(&door->counters.requests, 1);
    http_deadline(door, request->socket, door->limits.body_ms);
    http_check(request, version);
    if (!request->answer.status) return MHD_YES;
    request->stage = HTTP_ANSWERED;
    return http_answer_queue(request);
}

static enum MHD_Result receive(struct http_request *request, const char *data, size_t length) {
    int64_t most = request->door->limits.max_body;
    atomic_fetch_add(&request->door->counters.bytes_in, (long long)length);
    request->n_received += (int64_t)length;
    if (request->n_received > most) {
        /* The answer can be given at the body's end only, for which this does not wait for ever. */
        wr_buffer_reset(&request->received);
        request->is_too_large = true;
        return request->n_received > 2 * most ? MHD_NO : MHD_YES;
    }
    wr_buffer_add(&request->received, data, length);
    return request->received.failed ? MHD_NO : MHD_YES;
}

/* ---- Its work ---- */

static void fail(struct http_request *request, const struct weir_error *error) {
    bool is_sql = request->route->run == http_run_sql;
    atomic_fetch_add(&request->door->counters.failed, 1);
    http_answer_error(&request->answer, http_status_of(error, is_sql), error);
}

static int run(struct http_request *request, struct weir_error *error) {
    if (!request->route->is_open) WR_TRY(http_authenticate(request, error));
    WR_TRY(request->route->run(request, error));
    bool has_bytes = request->answer.body.next && !(request->method & HTTP_HEAD);
    return has_bytes ? http_body_begin(request, error) : WEIR_OK;
}

void http_end_task(struct http_request *request) {
    struct wr_http *door = request->door;
    pthread_mutex_lock(&request->mutex);
    bool resumes = request->is_waiting;
    request->is_waiting = false;
    request->is_working = false;
    pthread_mutex_unlock(&request->mutex);
    if (resumes) {
        http_unwatch(request);
        MHD_resume_connection(request->connection);
    }
    http_release(request);
    http_running_end_task(door);
}

bool http_begin_task(struct http_request *request, void (*run_task)(struct wr_task *task),
                     bool waits) {
    if (!http_running_begin_task(request->door)) return false;
    http_retain(request);
    request->task.run = run_task;
    request->is_working = true;
    request->is_waiting = waits;
    if (waits) {
        http_watch(request);
        MHD_suspend_connection(request->connection);
    }
    wr_pool_submit(request->door->pool, &request->task);
    return true;
}

static void work(struct wr_task *task) {
    struct http_request *request = (struct http_request *)task;
    struct weir_error error = {0};
    if (run(request, &error) != WEIR_OK) fail(request, &error);
    http_end_task(request);
}

static enum MHD_Result start_work(struct http_request *request) {
    request->stage = HTTP_WORKING;
    pthread_mutex_lock(&request->mutex);
    bool started = http_begin_task(request, work, true);
    pthread_mutex_unlock(&request->mutex);
    return started ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer_at_once(struct http_request *request) {
    struct weir_error error = {0};
    if (request->is_too_large) {
        (void)wr_error_set(&error, WEIR_INVALID_ARGUMENT, "54000",
                           "the body is too large: http.max_body_bytes is %lld",
                           (long long)request->door->limits.max_body);
        http_answer_error(&request->answer, 413, &error);
    } else if (request->route->run(request, &error) != WEIR_OK) {
        fail(request, &error);
    }
    request->stage = HTTP_ANSWERED;
    return http_answer_queue(request);
}

static enum MHD_Result proceed(struct http_request *request) {
    switch (request->stage) {
    case HTTP_RECEIVING:
        http_deadline(request->door, request->socket, 0);
        if (request->is_too_large || request->route->is_quick) return answer_at_once(request);
        return start_work(request);
    case HTTP_WORKING:
        pthread_mutex_lock(&request->mutex);
        bool is_gone = request->is_gone;
        pthread_mutex_unlock(&request->mutex);
        if (is_gone) return MHD_NO;
        request->stage = HTTP_ANSWERED;
        return http_answer_queue(request);
    case HTTP_ANSWERED:
        break;
    }
    return MHD_YES;
}

enum MHD_Result http_handle(void *context, struct MHD_Connection *connection, const char *url,
                            const char *method, const char *version, const char *data,
                            size_t *data_length, void **ret_request) {
    struct http_request *request = *ret_request;
    if (!request) return begin_request(context, connection, url, method, version, ret_request);
    if (*data_length > 0) {
        size_t length = *data_length;
        *data_length = 0;
        return request->stage == HTTP_RECEIVING ? receive(request, data, length) : MHD_YES;
    }
    return proceed(request);
}

void http_completed(void *context, struct MHD_Connection *connection, void **ret_request,
                    enum MHD_RequestTerminationCode why) {
    struct wr_http *door = context;
    struct http_request *request = *ret_request;
    (void)connection;
    (void)why;
    if (!request) return;
    *ret_request = NULL;
    http_deadline(door, request->socket, door->limits.idle_ms);
    http_abandon(request);
    http_running_remove(request);
    http_release(request);
}
