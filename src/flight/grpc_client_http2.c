/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells of a client's connection. All of it runs on the connection's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/grpc_client_state.h"
#include "flight/grpc_text.h"

enum { MOST_FRAME = 16 * 1024, MOST_HEADERS = 24 };

static struct wr_client_call *call_of(nghttp2_session *session, int32_t stream_id) {
    return stream_id > 0 ? nghttp2_session_get_stream_user_data(session, stream_id) : NULL;
}

/* ---- How a call ends ---- */

void wr_client_call_finish(struct wr_client_call *call, const struct weir_error *error) {
    if (call->has_ended) return;
    call->has_ended = true;
    call->error = *error;
    pthread_cond_broadcast(&call->client->changed);
}

/* The last that is done for a call: whoever waits for it may free it from now on. */
static void detach(struct wr_client_call *call, const struct weir_error *error) {
    struct wr_grpc_client *client = call->client;
    pthread_mutex_lock(&client->mutex);
    wr_client_call_finish(call, error);
    call->is_detached = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
}

/* Of our own doing: what the server sends cannot be taken. */
static void refuse(nghttp2_session *session, struct wr_client_call *call, int code,
                   const char *what) {
    struct weir_error error;
    wr_error_set(&error, code, "08P01", "%s: the server's answer %s", call->client->name, what);
    nghttp2_session_set_stream_user_data(session, call->stream_id, NULL);
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_CANCEL);
    detach(call, &error);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t http2_error,
                           void *context) {
    struct wr_client_call *call = call_of(session, stream_id);
    struct weir_error error;
    (void)context;
    if (!call) return 0;
    wr_client_call_judge(call, http2_error, &error);
    detach(call, &error);
    return 0;
}

/* ---- Headers and trailers ---- */

static bool is(const nghttp2_vec *text, const char *name) {
    return text->len == strlen(name) && memcmp(text->base, name, text->len) == 0;
}

/* Of a short header. */
static int64_t number_of(const nghttp2_vec *value) {
    char digits[20];
    char *end;
    if (value->len == 0 || value->len >= sizeof digits) return -1;
    memcpy(digits, value->base, value->len);
    digits[value->len] = '\0';
    long long number = strtoll(digits, &end, 10);
    return *end || digits[0] < '0' || digits[0] > '9' ? -1 : number;
}

static void take_sqlstate(struct wr_client_call *call, const nghttp2_vec *value) {
    if (value->len != 5) return;
    for (size_t i = 0; i < 5; i++) {
        char c = (char)value->base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) return;
    }
    memcpy(call->sqlstate, value->base, 5);
    call->sqlstate[5] = '\0';
}

static void keep(char **text, const nghttp2_vec *value) {
    wr_free(*text);
    *text = wr_strndup((const char *)value->base, value->len);
}

static void take_cookie(struct wr_client_call *call, const nghttp2_vec *value) {
    if (value->len > MOST_COOKIE) return;
    pthread_mutex_lock(&call->client->mutex);
    keep(&call->cookie, value);
    pthread_mutex_unlock(&call->client->mutex);
}

static void take_header(struct wr_client_call *call, const nghttp2_vec *name,
                        const nghttp2_vec *value) {
    int64_t number = -1;
    if (is(name, ":status")) {
        call->http_status = (int)number_of(value);
    } else if (is(name, "content-type")) {
        call->is_grpc = wr_grpc_is_content_type((const char *)value->base, value->len);
    } else if (is(name, "grpc-status")) {
        number = number_of(value);
        call->grpc_status = number < 0 || number > 16 ? 2 : (int)number;
    } else if (is(name, "grpc-message")) {
        keep(&call->message, value);
    } else if (is(name, "weir-sqlstate")) {
        take_sqlstate(call, value);
    } else if (is(name, "weir-position")) {
        number = number_of(value);
        call->position = number < 0 ? 0 : number;
    } else if (is(name, "set-cookie")) {
        take_cookie(call, value);
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *context) {
    (void)flags;
    (void)context;
    struct wr_client_call *call = call_of(session, frame->hd.stream_id);
    nghttp2_vec name_text = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_text = nghttp2_rcbuf_get_buf(value);
    if (!call) return 0;
    call->header_bytes += name_text.len + value_text.len + 32;
    if (call->header_bytes > MOST_HEADER_BYTES)
        refuse(session, call, WEIR_INVALID_DATA, "has more than 64 KiB of headers");
    else
        take_header(call, &name_text, &value_text);
    return 0;
}

/* ---- Messages ---- */

static const char *complaint(enum wr_assembled result) {
    switch (result) {
    case WR_ASSEMBLED_COMPRESSED:
        return "is compressed, which was not asked for";
    case WR_ASSEMBLED_BAD_FLAGS:
        return "is not gRPC";
    case WR_ASSEMBLED_TOO_LARGE:
        return "has a message that is longer than is taken";
    case WR_ASSEMBLED_NO_ROOM:
        return "has more at a time than is taken";
    default:
        return "cannot be held: out of memory";
    }
}

/* With the mutex held. */
static void push(struct wr_client_call *call, struct wr_incoming *message) {
    message->next = NULL;
    if (call->last)
        call->last->next = message;
    else
        call->first = message;
    call->last = message;
    call->held += (int64_t)message->length;
    pthread_cond_broadcast(&call->client->changed);
}

static void take_data(nghttp2_session *session, struct wr_client_call *call, const uint8_t *data,
                      size_t length) {
    struct wr_grpc_client *client = call->client;
    const unsigned char *at = data;
    size_t left = length;
    struct wr_incoming *message;
    enum wr_assembled result;
    /* What is no gRPC is judged by its headers, when it ends. */
    if (!call->is_grpc || call->http_status != 200) {
        nghttp2_session_consume_stream(session, call->stream_id, length);
        return;
    }
    while ((result = wr_assemble(&call->assembler, &at, &left, &message)) == WR_ASSEMBLED_MESSAGE) {
        pthread_mutex_lock(&client->mutex);
        push(call, message);
        pthread_mutex_unlock(&client->mutex);
        if (left == 0) break;
    }
    if (result != WR_ASSEMBLED_MESSAGE && result != WR_ASSEMBLED_NONE) {
        refuse(session, call, WEIR_INVALID_DATA, complaint(result));
        return;
    }
    pthread_mutex_lock(&client->mutex);
    bool waits = call->held >= MESSAGES_AHEAD;
    if (waits) call->owed += (int64_t)length;
    pthread_mutex_unlock(&client->mutex);
    if (!waits) nghttp2_session_consume_stream(session, call->stream_id, length);
}

static int on_data_chunk_recv(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                              const uint8_t *data, size_t length, void *context) {
    (void)flags;
    struct wr_grpc_client *client = context;
    struct wr_client_call *call = call_of(session, stream_id);
    atomic_fetch_add(&client->received, (int64_t)length);
    nghttp2_session_consume_connection(session, length);
    if (call) take_data(session, call, data, length);
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct wr_grpc_client *client = context;
    (void)session;
    bool is_settings =
        frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    if (!is_settings && frame->hd.type != NGHTTP2_GOAWAY) return 0;
    pthread_mutex_lock(&client->mutex);
    if (is_settings)
        client->is_ready = true;
    else
        client->is_leaving = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    return 0;
}

/* What nghttp2 found wrong it tells the server; our user hears of it too. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct wr_grpc_client *client = context;
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) client->complaint = frame->goaway.error_code;
    return 0;
}

/* ---- Requests ---- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *buffer,
                         size_t length, uint32_t *flags, nghttp2_data_source *source,
                         void *context) {
    (void)source;
    (void)context;
    struct wr_client_call *call = call_of(session, stream_id);
    if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* it was cancelled */
    size_t left = call->body.length - call->sent;
    size_t n = left < length ? left : length;
    if (n > 0) memcpy(buffer, call->body.data + call->sent, n);
    call->sent += n;
    if (n == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static nghttp2_nv pair(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

bool wr_client_submit(struct wr_client_call *call) {
    struct wr_grpc_client *client = call->client;
    nghttp2_nv headers[MOST_HEADERS];
    size_t n = 0;
    headers[n++] = pair(":method", "POST");
    headers[n++] = pair(":scheme", client->has_tls ? "https" : "http");
    headers[n++] = pair(":path", call->path);
    headers[n++] = pair(":authority", client->authority);
    headers[n++] = pair("te", "trailers");
    headers[n++] = pair("content-type", "application/grpc");
    headers[n++] = pair("user-agent", "weir");
    for (size_t i = 0; i < call->n_headers && n < MOST_HEADERS; i++) {
        headers[n] = pair(call->headers[i].name, call->headers[i].value);
        /* Credentials stay out of tables that both sides keep (RFC 7541, 7.1.3). */
        if (strcmp(call->headers[i].name, "authorization") == 0)
            headers[n].flags = NGHTTP2_NV_FLAG_NO_INDEX;
        n++;
    }
    const nghttp2_data_provider body = {.read_callback = read_body};
    int32_t id = nghttp2_submit_request(client->session, NULL, headers, n, &body, call);
    if (id <= 0) return false;
    call->stream_id = id;
    return true;
}

/* ---- The session ---- */

static void *allocate(size_t size, void *context) {
    (void)context;
    return wr_malloc(size);
}

static void release(void *memory, void *context) {
    (void)context;
    wr_free(memory);
}

static void *allocate_zeros(size_t count, size_t size, void *context) {
    (void)context;
    return wr_calloc(count, size);
}

static void *reallocate(void *memory, size_t size, void *context) {
    (void)context;
    return wr_realloc(memory, size);
}

static int make_session(struct wr_grpc_client *client) {
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *options = NULL;
    nghttp2_mem memory = {NULL, allocate, release, allocate_zeros, reallocate};
    int code = nghttp2_session_callbacks_new(&callbacks);
    if (!code) code = nghttp2_option_new(&options);
    if (!code) {
        nghttp2_option_set_no_auto_window_update(options, 1);
        nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk_recv);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        code = nghttp2_session_client_new3(&client->session, callbacks, client, options, &memory);
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return code;
}

int wr_client_session_new(struct wr_grpc_client *client) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, CLIENT_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, MOST_FRAME},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MOST_HEADER_BYTES},
    };
    int code = make_session(client);
    if (!code)
        code = nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings,
                                       sizeof settings / sizeof *settings);
    if (!code)
        code = nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0,
                                                     CLIENT_CONNECTION_WINDOW);
    return code;
}
