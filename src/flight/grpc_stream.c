/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "flight/grpc_answer.h"
#include "flight/grpc_server.h"
#include "flight/grpc_text.h"
#include "flight/http2_connection.h"

/* ---- What is waited for ---- */

/* Whether the client owes bytes: of its first message, or of one that it has begun. */
static bool owes_input(const struct wr_grpc_call *call) {
    return !call->has_input_end && !call->is_refusing_input && call->withheld == 0 &&
           (call->n_messages == 0 || wr_assembler_is_inside(&call->assembler));
}

static void set_timer(struct wr_grpc_call *call) {
    int64_t at = call->deadline;
    if (!call->has_input_end && !call->is_refusing_input) {
        int64_t since = owes_input(call) ? call->input_at : wr_loop_now(call->loop);
        if (since + REQUEST_MS < at) at = since + REQUEST_MS;
    }
    if (at == INT64_MAX || call->is_ending || !call->connection) {
        wr_loop_clear_timer(call->loop, &call->timer);
    } else if (!wr_loop_set_timer(call->loop, &call->timer, at)) {
        wr_stream_abort(call, WR_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static void fire(struct wr_timer *timer) {
    struct wr_grpc_call *call =
        (struct wr_grpc_call *)((char *)timer - offsetof(struct wr_grpc_call, timer));
    int64_t now = wr_loop_now(call->loop);
    if (now >= call->deadline) {
        wr_stream_abort(call, WR_GRPC_DEADLINE_EXCEEDED, "the client's deadline has passed");
    } else if (owes_input(call) && now >= call->input_at + REQUEST_MS) {
        wr_stream_abort(call, WR_GRPC_DEADLINE_EXCEEDED, "the request did not arrive");
    } else {
        set_timer(call);
    }
}

/* ---- Endings that are not the service's ---- */

static void refuse_input(struct wr_grpc_call *call) {
    call->is_refusing_input = true;
    wr_assembler_reset(&call->assembler);
    if (call->withheld > 0 && call->connection)
        wr_connection_consume(call->connection, call->stream_id, call->withheld);
    call->withheld = 0;
}

static void drop_sending(struct wr_grpc_call *call) {
    while (call->sending) {
        struct wr_outgoing *outgoing = call->sending;
        call->sending = outgoing->next;
        wr_outgoing_abandon(outgoing);
    }
    call->last_sending = NULL;
}

void wr_stream_abort(struct wr_grpc_call *call, enum wr_grpc_status status, const char *text) {
    if (!call->connection || call->has_trailers) return;
    wr_call_ref(call);
    wr_call_give_up(call);
    refuse_input(call);
    if (!call->has_answered || call->is_deferred) {
        struct weir_error error;
        wr_error_set(&error, WEIR_UNKNOWN, "", "%s", text);
        drop_sending(call);
        wr_ending_free(&call->final);
        wr_ending_set(&call->final, status, &error);
        call->is_ending = true;
        wr_answer(call);
    } else {
        /* A message may be half gone, or the client's window may be closed. */
        drop_sending(call);
        call->final.status = status;
        wr_connection_reset_stream(call->connection, call->stream_id, NGHTTP2_CANCEL);
    }
    wr_loop_clear_timer(call->loop, &call->timer);
    wr_call_unref(call);
}

void wr_stream_close(struct wr_grpc_call *call) {
    wr_call_give_up(call);
    call->connection = NULL;
    refuse_input(call);
    drop_sending(call);
    wr_loop_clear_timer(call->loop, &call->timer);
    if (!call->has_trailers || call->final.status) wr_server_call_failed(call->server);
    wr_call_unref(call);
}

/* ---- Headers ---- */

void wr_stream_header(struct wr_grpc_call *call, const nghttp2_vec *name,
                      const nghttp2_vec *value) {
    if (call->has_headers) return; /* a client's trailers: gRPC has none */
    if (call->headers.n_bytes > MAX_HEADER_BYTES) return;
    if (name->len + value->len > MAX_HEADER_BYTES ||
        !wr_headers_add(&call->headers, (const char *)name->base, name->len,
                        (const char *)value->base, value->len))
        call->headers.n_bytes = MAX_HEADER_BYTES + 1;
}

static const struct wr_grpc_method *find_method(const struct wr_grpc_server *server,
                                                const char *path) {
    for (size_t i = 0; i < server->options.n_methods; i++) {
        if (strcmp(server->options.methods[i].path, path) == 0) return &server->options.methods[i];
    }
    return NULL;
}

/* A client that speaks no gRPC is answered as HTTP does, when its request is complete. */
static void object(struct wr_grpc_call *call, int http_status, const char *text) {
    call->http_status = http_status;
    call->objection = text;
    set_timer(call);
}

/* False: refused. */
static bool judge_protocol(struct wr_grpc_call *call) {
    const struct wr_header *type = wr_headers_find(&call->headers, "content-type", 0);
    const struct wr_header *method = wr_headers_find(&call->headers, ":method", 0);
    const struct wr_header *encoding = wr_headers_find(&call->headers, "grpc-encoding", 0);
    if (call->headers.n_bytes > MAX_HEADER_BYTES) {
        wr_stream_abort(call, WR_GRPC_RESOURCE_EXHAUSTED, "the headers are larger than 64 KiB");
    } else if (!method || strcmp(method->value, "POST") != 0) {
        object(call, 405, "gRPC is spoken here, whose requests are POST\n");
    } else if (!type || !wr_grpc_is_content_type(type->value, type->value_length)) {
        object(call, 415, "gRPC is spoken here, whose content-type is application/grpc\n");
    } else if (encoding && strcmp(encoding->value, "identity") != 0) {
        call->names_encodings = true;
        wr_stream_abort(
            call, WR_GRPC_UNIMPLEMENTED,
            "messages compressed by the grpc-encoding are not understood; send identity");
    } else if (!wr_headers_decode(&call->headers)) {
        wr_stream_abort(call, WR_GRPC_INVALID_ARGUMENT,
                        "a header whose name ends in -bin is no base64");
    } else {
        return true;
    }
    return false;
}

void wr_stream_begin(struct wr_grpc_call *call) {
    call->has_headers = true;
    call->timer.fire = fire;
    if (!judge_protocol(call)) return;
    const struct wr_header *path = wr_headers_find(&call->headers, ":path", 0);
    const struct wr_header *timeout = wr_headers_find(&call->headers, "grpc-timeout", 0);
    int64_t milliseconds;
    if (timeout) {
        if (!wr_grpc_parse_timeout(timeout->value, timeout->value_length, &milliseconds)) {
            wr_stream_abort(call, WR_GRPC_INVALID_ARGUMENT, "the header grpc-timeout is none");
            return;
        }
        call->deadline = call->began + milliseconds;
    }
    call->method = path ? find_method(call->server, path->value) : NULL;
    if (!call->method) {
        char text[256];
        snprintf(text, sizeof text, "there is no method %.200s", path ? path->value : "");
        wr_stream_abort(call, WR_GRPC_UNIMPLEMENTED, text);
        return;
    }
    if (call->deadline <= wr_loop_now(call->loop)) {
        wr_stream_abort(call, WR_GRPC_DEADLINE_EXCEEDED, "the client's deadline has passed");
        return;
    }
    set_timer(call);
}

/* ---- Messages that come in ---- */

static void complain_input(struct wr_grpc_call *call, enum wr_assembled code) {
    char text[128];
    switch (code) {
    case WR_ASSEMBLED_COMPRESSED:
        wr_stream_abort(call, WR_GRPC_INTERNAL,
                        "a message is compressed, though no grpc-encoding was named");
        break;
    case WR_ASSEMBLED_BAD_FLAGS:
        wr_stream_abort(call, WR_GRPC_INTERNAL, "a message's flags are none of gRPC's");
        break;
    case WR_ASSEMBLED_TOO_LARGE:
        snprintf(text, sizeof text, "a message is longer than %lld bytes",
                 (long long)call->server->options.max_message);
        wr_stream_abort(call, WR_GRPC_RESOURCE_EXHAUSTED, text);
        break;
    case WR_ASSEMBLED_NO_ROOM:
        wr_stream_abort(call, WR_GRPC_RESOURCE_EXHAUSTED,
                        "too many bytes of requests are held already; try again later");
        break;
    default:
        wr_stream_abort(call, WR_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

/* False: the call was ended. */
static bool take_message(struct wr_grpc_call *call, struct wr_incoming *message, bool *is_enough) {
    if (call->method->call && call->n_messages > 0) {
        wr_incoming_free(message, &call->client->allowance);
        wr_stream_abort(call, WR_GRPC_UNIMPLEMENTED, "the method takes one message, not more");
        return false;
    }
    *is_enough = wr_call_receive(call, message);
    if (call->n_messages++ == 0 && call->method->exchange) wr_call_start(call);
    return true;
}

static void assemble(struct wr_grpc_call *call, const unsigned char *data, size_t length,
                     bool *is_enough) {
    while (length > 0 && !call->is_refusing_input) {
        struct wr_incoming *message;
        enum wr_assembled code = wr_assemble(&call->assembler, &data, &length, &message);
        if (code == WR_ASSEMBLED_NONE) break;
        if (code != WR_ASSEMBLED_MESSAGE) {
            complain_input(call, code);
        } else {
            take_message(call, message, is_enough);
        }
    }
}

void wr_stream_data(struct wr_grpc_call *call, const unsigned char *data, size_t length) {
    struct wr_connection *connection = call->connection;
    bool is_enough = call->withheld > 0;
    call->input_at = wr_loop_now(call->loop);
    atomic_fetch_add(&call->server->bytes_in, (int64_t)length);
    if (!call->is_refusing_input && call->method) assemble(call, data, length, &is_enough);
    wr_connection_consume_shared(connection, length);
    if (is_enough && call->method->exchange && !call->is_refusing_input) {
        /* Given back when the service has read: see wr_stream_look. */
        call->withheld += length;
        wr_stream_look(call);
    } else {
        wr_connection_consume(connection, call->stream_id, length);
    }
}

void wr_stream_end(struct wr_grpc_call *call) {
    if (call->has_input_end) return;
    call->has_input_end = true;
    if (call->objection) {
        wr_call_give_up(call);
        wr_loop_clear_timer(call->loop, &call->timer);
        if (!wr_answer_objection(call))
            wr_connection_reset_stream(call->connection, call->stream_id, NGHTTP2_INTERNAL_ERROR);
        return;
    }
    if (call->is_refusing_input || !call->method) return;
    if (wr_assembler_is_inside(&call->assembler)) {
        wr_stream_abort(call, WR_GRPC_INTERNAL, "the request ends within a message");
        return;
    }
    if (call->method->call && call->n_messages == 0) {
        wr_stream_abort(call, WR_GRPC_UNIMPLEMENTED, "the method takes one message, and got none");
        return;
    }
    wr_call_receive_end(call);
    if (call->method->call || call->n_messages == 0) wr_call_start(call);
    set_timer(call);
}

/* ---- What the service made ---- */

void wr_stream_look(struct wr_grpc_call *call) {
    if (!call->connection) return;
    pthread_mutex_lock(&call->mutex);
    struct wr_outgoing *made = call->made, *last = call->last_made;
    call->made = call->last_made = NULL;
    bool may_go_on = call->withheld > 0 && !call->is_withholding;
    if (call->has_ended && !call->is_over && !call->is_ending) {
        call->is_ending = true;
        call->final = call->ending;
        call->ending.message = NULL;
    }
    if (made || call->is_ending) call->answer_is_fixed = true;
    pthread_mutex_unlock(&call->mutex);
    if (made) {
        if (call->last_sending) {
            call->last_sending->next = made;
        } else {
            call->sending = made;
        }
        call->last_sending = last;
    }
    if (may_go_on) {
        wr_connection_consume(call->connection, call->stream_id, call->withheld);
        call->withheld = 0;
        call->input_at = wr_loop_now(call->loop);
    }
    if (call->is_ending) {
        wr_loop_clear_timer(call->loop, &call->timer);
        refuse_input(call);
    }
    if (call->sending || call->is_ending) wr_answer(call);
}

ssize_t wr_stream_read(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t length,
                       uint32_t *flags, nghttp2_data_source *source, void *context) {
    (void)session;
    (void)stream_id;
    (void)buffer;
    (void)context;
    struct wr_grpc_call *call = source->ptr;
    const struct wr_outgoing *outgoing = call->sending;
    if (!outgoing && !call->is_ending) {
        call->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t n = 0;
    if (outgoing) {
        n = outgoing->left < length ? outgoing->left : length;
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    }
    if (call->is_ending && (!outgoing || (n == outgoing->left && !outgoing->next))) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (!wr_answer_trailers(call)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

bool wr_stream_put(struct wr_grpc_call *call, struct wr_output *output, size_t length) {
    struct wr_outgoing *outgoing = call->sending;
    atomic_fetch_add(&call->server->bytes_out, (int64_t)length);
    if (outgoing->left == length) {
        /* Off the list first: it is freed when the last byte is gone. */
        call->sending = outgoing->next;
        if (!call->sending) call->last_sending = NULL;
    }
    return wr_outgoing_put(outgoing, output, length);
}
