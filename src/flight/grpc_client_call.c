/* SPDX-License-Identifier: Apache-2.0 */
/* Calls, as those who make them see them. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "flight/grpc_client_state.h"

void wr_client_frame(struct wr_buffer *body, const void *data, size_t length) {
    unsigned char prefix[5] = {0};
    for (int i = 0; i < 4; i++)
        prefix[1 + i] = (unsigned char)(length >> 8 * (3 - i));
    wr_buffer_add(body, prefix, sizeof prefix);
    if (length > 0) wr_buffer_add(body, data, length);
}

/* ---- Beginning ---- */

static void destroy(struct wr_client_call *call) {
    while (call->first) {
        struct wr_incoming *message = call->first;
        call->first = message->next;
        wr_incoming_free(message, &call->client->allowance);
    }
    wr_assembler_reset(&call->assembler);
    for (size_t i = 0; i < call->n_headers; i++) {
        wr_free((void *)call->headers[i].name);
        if (call->headers[i].value)
            explicit_bzero((void *)call->headers[i].value, strlen(call->headers[i].value));
        wr_free((void *)call->headers[i].value);
    }
    wr_free(call->headers);
    wr_buffer_reset(&call->body);
    wr_free(call->path);
    wr_free(call->message);
    wr_free(call->cookie);
    wr_free(call);
}

static bool copy_headers(struct wr_client_call *call, const struct wr_client_header *headers,
                         size_t n_headers) {
    call->headers = wr_calloc(n_headers + 1, sizeof *call->headers);
    if (!call->headers) return false;
    for (size_t i = 0; i < n_headers; i++) {
        call->n_headers++;
        call->headers[i].name = wr_strdup(headers[i].name);
        call->headers[i].value = wr_strdup(headers[i].value);
        if (!call->headers[i].name || !call->headers[i].value) return false;
    }
    return true;
}

static struct wr_client_call *make(struct wr_grpc_client *client, const char *path,
                                   const struct wr_client_header *headers, size_t n_headers,
                                   struct wr_buffer *body) {
    struct wr_client_call *call = wr_calloc(1, sizeof *call);
    if (!call) {
        wr_buffer_reset(body);
        return NULL;
    }
    call->client = client;
    call->body = *body;
    wr_buffer_init(body, body->ceiling);
    call->grpc_status = -1;
    wr_assembler_init(&call->assembler, client->max_message, &client->allowance);
    bool is_made = !call->body.failed && (call->path = wr_strdup(path)) &&
                   copy_headers(call, headers, n_headers);
    if (is_made) return call;
    destroy(call);
    return NULL;
}

int wr_client_call_begin(struct wr_grpc_client *client, const char *path,
                         const struct wr_client_header *headers, size_t n_headers,
                         struct wr_buffer *body, int64_t limit_ms, struct wr_client_call **ret_call,
                         struct weir_error *error) {
    struct wr_client_call *call = make(client, path, headers, n_headers, body);
    if (!call) return wr_error_memory(error);
    if (limit_ms > 0) call->ends_at = wr_clock_ms() + limit_ms;
    pthread_mutex_lock(&client->mutex);
    int code = WEIR_OK;
    if (client->is_broken) {
        code = client->error.code;
        if (error) *error = client->error;
    } else {
        call->next = client->calls;
        client->calls = call;
    }
    pthread_mutex_unlock(&client->mutex);
    if (code) {
        destroy(call);
        return code;
    }
    wr_loop_post(client->loop, &client->post);
    *ret_call = call;
    return WEIR_OK;
}

/* ---- Reading ---- */

/* With the mutex held: until there is something to say. */
static void wait_for_news(struct wr_client_call *call) {
    struct wr_grpc_client *client = call->client;
    while (!call->first && !call->has_ended && !call->is_cancelled) {
        if (call->ends_at == 0) {
            pthread_cond_wait(&client->changed, &client->mutex);
            continue;
        }
        struct timespec time = {call->ends_at / 1000, call->ends_at % 1000 * 1000000};
        if (wr_clock_ms() >= call->ends_at) {
            struct weir_error late;
            wr_error_set(&late, WEIR_TIMEOUT, "57014", "%s: the server does not answer",
                         client->name);
            wr_client_call_finish(call, &late);
            call->is_cancelled = true;
            return;
        }
        pthread_cond_timedwait(&client->changed, &client->mutex, &time);
    }
}

int wr_client_call_read(struct wr_client_call *call, struct wr_incoming **ret_message,
                        struct weir_error *error) {
    struct wr_grpc_client *client = call->client;
    struct wr_incoming *message = NULL;
    int code = WEIR_OK;
    bool opens = false;
    pthread_mutex_lock(&client->mutex);
    wait_for_news(call);
    if (call->has_ended && (call->error.code || !call->first)) {
        code = call->error.code;
        if (code && error) *error = call->error;
    } else if (call->is_cancelled) {
        code = wr_error_set(error, WEIR_CANCELLED, "57014", "cancelled");
    } else {
        message = call->first;
        call->first = message->next;
        if (!call->first) call->last = NULL;
        call->held -= (int64_t)message->length;
        opens = call->owed > 0 && call->held < MESSAGES_AHEAD;
    }
    pthread_mutex_unlock(&client->mutex);
    if (opens) wr_loop_post(client->loop, &client->post);
    if (!code) *ret_message = message;
    return code;
}

void wr_client_call_release(struct wr_client_call *call, struct wr_incoming *message) {
    wr_incoming_free(message, &call->client->allowance);
}

const char *wr_client_call_cookie(const struct wr_client_call *call) {
    return call->cookie;
}

/* ---- Ending ---- */

void wr_client_call_cancel(struct wr_client_call *call) {
    struct wr_grpc_client *client = call->client;
    pthread_mutex_lock(&client->mutex);
    call->is_cancelled = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    wr_loop_post(client->loop, &client->post);
}

void wr_client_call_end(struct wr_client_call *call) {
    if (!call) return;
    struct wr_grpc_client *client = call->client;
    wr_client_call_cancel(call);
    pthread_mutex_lock(&client->mutex);
    while (!call->is_detached)
        pthread_cond_wait(&client->changed, &client->mutex);
    struct wr_client_call **at = &client->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    pthread_mutex_unlock(&client->mutex);
    destroy(call);
}
