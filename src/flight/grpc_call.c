/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_call.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/condition.h"
#include "base/error.h"
#include "flight/grpc_server.h"
#include "flight/grpc_stream.h"
#include "flight/grpc_text.h"

/* ---- Clients ---- */

struct wr_client *wr_client_ref(struct wr_client *client) {
    atomic_fetch_add(&client->references, 1);
    return client;
}

void wr_client_unref(struct wr_client *client) {
    if (client && atomic_fetch_sub(&client->references, 1) == 1)
        wr_server_forget_client(client->server, client);
}

/* ---- Calls ---- */

static void run_post(struct wr_post *post) {
    struct wr_grpc_call *call =
        (struct wr_grpc_call *)((char *)post - offsetof(struct wr_grpc_call, post));
    wr_stream_look(call);
    wr_call_unref(call);
}

struct wr_grpc_call *wr_call_new(struct wr_grpc_server *server, struct wr_client *client,
                                 struct wr_loop *loop) {
    struct wr_grpc_call *call = wr_calloc(1, sizeof *call);
    if (!call) return NULL;
    atomic_init(&call->references, 1);
    call->server = server;
    call->client = wr_client_ref(client);
    call->loop = loop;
    call->began = call->input_at = wr_loop_now(loop);
    call->deadline = INT64_MAX;
    call->post.run = run_post;
    wr_assembler_init(&call->assembler, server->options.max_message, &client->allowance);
    pthread_mutex_init(&call->mutex, NULL);
    wr_condition_init(&call->changed);
    wr_server_call_began(server);
    return call;
}

struct wr_grpc_call *wr_call_ref(struct wr_grpc_call *call) {
    atomic_fetch_add(&call->references, 1);
    return call;
}

void wr_call_unref(struct wr_grpc_call *call) {
    if (atomic_fetch_sub(&call->references, 1) != 1) return;
    struct wr_allowance *allowance = &call->client->allowance;
    wr_assembler_reset(&call->assembler);
    while (call->incoming) {
        struct wr_incoming *next = call->incoming->next;
        wr_incoming_free(call->incoming, allowance);
        call->incoming = next;
    }
    wr_incoming_free(call->current, allowance);
    wr_headers_reset(&call->headers);
    wr_headers_reset(&call->answer);
    wr_headers_reset(&call->trailers);
    wr_ending_free(&call->ending);
    wr_ending_free(&call->final);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->mutex);
    struct wr_grpc_server *server = call->server;
    wr_client_unref(call->client);
    wr_free(call);
    wr_server_call_ended(server);
}

void wr_call_post(struct wr_grpc_call *call) {
    wr_call_ref(call);
    if (!wr_loop_post(call->loop, &call->post)) wr_call_unref(call);
}

/* ---- Endings ---- */

/* Clients take 8 KiB of trailers in all. */
enum { MESSAGE_SIZE = 4096 };

void wr_ending_set(struct wr_ending *ending, enum wr_grpc_status status,
                   const struct weir_error *error) {
    *ending = (struct wr_ending){.status = status};
    if (!error) return;
    char text[MESSAGE_SIZE];
    size_t length = wr_grpc_encode_message(error->message, text, sizeof text);
    ending->message = wr_strndup(text, length); /* NULL: the status alone has to do */
    memcpy(ending->sqlstate, error->sqlstate, sizeof ending->sqlstate);
    ending->sqlstate[sizeof ending->sqlstate - 1] = '\0';
    if (!wr_grpc_is_header_value(ending->sqlstate)) ending->sqlstate[0] = '\0';
    ending->position = error->position;
}

void wr_ending_free(struct wr_ending *ending) {
    wr_free(ending->message);
    *ending = (struct wr_ending){0};
}

enum wr_grpc_status wr_grpc_status_of(const struct weir_error *error) {
    /* Classes of SQLSTATE that clients had better see, whatever the code. */
    if (strncmp(error->sqlstate, "53", 2) == 0) return WR_GRPC_RESOURCE_EXHAUSTED;
    if (strncmp(error->sqlstate, "57P", 3) == 0 || strncmp(error->sqlstate, "08", 2) == 0)
        return WR_GRPC_UNAVAILABLE;
    switch (error->code) {
    case WEIR_OK:
        return WR_GRPC_OK;
    case WEIR_NOT_IMPLEMENTED:
        return WR_GRPC_UNIMPLEMENTED;
    case WEIR_NOT_FOUND:
        return WR_GRPC_NOT_FOUND;
    case WEIR_ALREADY_EXISTS:
        return WR_GRPC_ALREADY_EXISTS;
    case WEIR_INVALID_ARGUMENT:
    case WEIR_INVALID_DATA:
        return WR_GRPC_INVALID_ARGUMENT;
    case WEIR_INVALID_STATE:
    case WEIR_INTEGRITY:
        return WR_GRPC_FAILED_PRECONDITION;
    case WEIR_CANCELLED:
        return WR_GRPC_CANCELLED;
    case WEIR_TIMEOUT:
        return WR_GRPC_DEADLINE_EXCEEDED;
    case WEIR_UNAUTHENTICATED:
        return WR_GRPC_UNAUTHENTICATED;
    case WEIR_UNAUTHORIZED:
        return WR_GRPC_PERMISSION_DENIED;
    case WEIR_UNKNOWN:
        return WR_GRPC_UNKNOWN;
    default:
        return WR_GRPC_INTERNAL;
    }
}

/* ---- What a service asks ---- */

const char *wr_grpc_header(const struct wr_grpc_call *call, const char *name, size_t *ret_length) {
    const struct wr_header *header = wr_headers_find(&call->headers, name, 0);
    if (!header) return NULL;
    if (ret_length) *ret_length = header->value_length;
    return header->value;
}

const char *wr_grpc_header_at(const struct wr_grpc_call *call, const char *name, size_t at) {
    const struct wr_header *header = wr_headers_find(&call->headers, name, at);
    return header ? header->value : NULL;
}

static int add_header(struct wr_headers *headers, const char *name, const char *value,
                      struct weir_error *error) {
    if (!wr_grpc_is_header_name(name) || strncmp(name, "grpc-", 5) == 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" is no name for a header",
                            name);
    size_t name_length = strlen(name), length = strlen(value);
    if (!wr_grpc_is_binary(name, name_length)) {
        if (!wr_grpc_is_header_value(value))
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "header \"%s\": the value has characters that no header may have",
                                name);
        return wr_headers_add(headers, name, name_length, value, length) ? WEIR_OK
                                                                         : wr_error_memory(error);
    }
    char *encoded = wr_malloc(length / 3 * 4 + 5);
    if (!encoded) return wr_error_memory(error);
    length = wr_grpc_encode_base64(value, length, encoded);
    bool is_added = wr_headers_add(headers, name, name_length, encoded, length);
    wr_free(encoded);
    return is_added ? WEIR_OK : wr_error_memory(error);
}

int wr_grpc_answer_header(struct wr_grpc_call *call, const char *name, const char *value,
                          struct weir_error *error) {
    pthread_mutex_lock(&call->mutex);
    int code = call->answer_is_fixed
                   ? wr_error_set(error, WEIR_INVALID_STATE, NULL,
                                  "header \"%s\": the answer's headers are sent already", name)
                   : add_header(&call->answer, name, value, error);
    pthread_mutex_unlock(&call->mutex);
    return code;
}

int wr_grpc_answer_trailer(struct wr_grpc_call *call, const char *name, const char *value,
                           struct weir_error *error) {
    pthread_mutex_lock(&call->mutex);
    int code = add_header(&call->trailers, name, value, error);
    pthread_mutex_unlock(&call->mutex);
    return code;
}

int64_t wr_grpc_time_left(const struct wr_grpc_call *call) {
    if (call->deadline == INT64_MAX) return -1;
    int64_t left = call->deadline - wr_clock_ms();
    return left < 0 ? 0 : left;
}

bool wr_grpc_is_over(const struct wr_grpc_call *call) {
    struct wr_grpc_call *mutable = (struct wr_grpc_call *)call;
    pthread_mutex_lock(&mutable->mutex);
    bool is_over = call->is_over;
    pthread_mutex_unlock(&mutable->mutex);
    return is_over;
}

const char *wr_grpc_peer(const struct wr_grpc_call *call) {
    return call->client->peer;
}

const char *wr_grpc_peer_subject(const struct wr_grpc_call *call) {
    return call->client->subject;
}

void *wr_grpc_connection_data(const struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->client->mutex);
    void *data = call->client->data;
    pthread_mutex_unlock(&call->client->mutex);
    return data;
}

bool wr_grpc_connection_set(struct wr_grpc_call *call, void *data, void (*destroy)(void *data)) {
    struct wr_client *client = call->client;
    pthread_mutex_lock(&client->mutex);
    bool is_first = client->data == NULL;
    if (is_first) {
        client->data = data;
        client->destroy = destroy;
    }
    pthread_mutex_unlock(&client->mutex);
    return is_first;
}
