/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells of a connection, given on to gRPC's rules. */
#include "base/alloc.h"
#include "flight/grpc_stream.h"
#include "flight/http2_connection.h"

static struct wr_grpc_call *call_of(nghttp2_session *session, int32_t stream_id) {
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *header, void *context) {
    struct wr_connection *connection = context;
    if (header->type != NGHTTP2_HEADERS) return 0;
    if (!connection->headers_since)
        connection->headers_since = wr_loop_now(connection->place->loop);
    /* Numbers of streams rise (RFC 9113, 5.1.1). nghttp2 lets it pass, for the trailers of a stream
     * that was closed long ago; gRPC's clients send none. */
    if (header->stream_id < connection->last_stream_id &&
        !nghttp2_session_find_stream(session, header->stream_id))
        nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct wr_connection *connection = context;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    struct wr_grpc_call *call =
        wr_call_new(connection->server, connection->client, connection->place->loop);
    if (!call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    call->stream_id = connection->last_stream_id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    wr_connection_add_call(connection, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *context) {
    (void)flags;
    (void)context;
    struct wr_grpc_call *call = call_of(session, frame->hd.stream_id);
    nghttp2_vec name_text = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_text = nghttp2_rcbuf_get_buf(value);
    if (call) wr_stream_header(call, &name_text, &value_text);
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct wr_connection *connection = context;
    connection->is_established = true;
    struct wr_grpc_call *call;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        connection->headers_since = 0;
        call = call_of(session, frame->hd.stream_id);
        if (call && frame->headers.cat == NGHTTP2_HCAT_REQUEST) wr_stream_begin(call);
        if (call && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) wr_stream_end(call);
        break;
    case NGHTTP2_DATA:
        call = call_of(session, frame->hd.stream_id);
        if (call && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) wr_stream_end(call);
        break;
    case NGHTTP2_RST_STREAM:
        wr_connection_count_reset(connection);
        break;
    case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK && connection->goaway_at)
            connection->goaway_at = wr_loop_now(connection->place->loop);
        break;
    default:
        break;
    }
    return 0;
}

/* Of a stream that is refused, say. */
static int on_invalid_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, int code,
                                 void *context) {
    (void)session;
    (void)code;
    struct wr_connection *connection = context;
    if (frame->hd.type == NGHTTP2_HEADERS) connection->headers_since = 0;
    return 0;
}

static int on_data_chunk_recv(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                              const uint8_t *data, size_t length, void *context) {
    (void)flags;
    struct wr_connection *connection = context;
    struct wr_grpc_call *call = call_of(session, stream_id);
    if (call) {
        wr_stream_data(call, data, length);
    } else {
        wr_connection_consume_shared(connection, length);
    }
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    struct wr_connection *connection = context;
    bool has_ended = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                     frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    /* The client need not send the rest of a request that was answered (RFC 9113, 8.1). */
    if (has_ended && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0)
        wr_connection_reset_stream(connection, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        wr_connection_count_reset(connection);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context) {
    (void)error_code;
    struct wr_grpc_call *call = call_of(session, stream_id);
    if (!call) return 0;
    wr_connection_remove_call(context, call);
    wr_stream_close(call);
    return 0;
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header,
                     size_t length, nghttp2_data_source *source, void *context) {
    (void)session;
    (void)frame;
    struct wr_connection *connection = context;
    if (!wr_output_copy(&connection->output, header, 9) ||
        !wr_stream_put(source->ptr, &connection->output, length))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return connection->output.n_bytes >= OUTPUT_FULL ? NGHTTP2_ERR_PAUSE : 0;
}

static ssize_t frame_length(nghttp2_session *session, uint8_t type, int32_t stream_id,
                            int32_t session_window, int32_t stream_window, uint32_t max_frame,
                            void *context) {
    (void)session;
    (void)type;
    (void)stream_id;
    (void)context;
    int64_t length = max_frame < MAX_FRAME ? max_frame : MAX_FRAME;
    if (session_window < length) length = session_window;
    if (stream_window < length) length = stream_window;
    return (ssize_t)length;
}

static nghttp2_session_callbacks *new_callbacks(void) {
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks)) return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, frame_length);
    return callbacks;
}

static nghttp2_option *new_options(void) {
    nghttp2_option *options;
    if (nghttp2_option_new(&options)) return NULL;
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_send_header_block_length(options, 256 * 1024);
    return options;
}

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

int wr_http2_session_new(struct wr_connection *connection) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         (uint32_t)connection->server->options.max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES},
    };
    nghttp2_session_callbacks *callbacks = new_callbacks();
    nghttp2_option *options = new_options();
    int code = NGHTTP2_ERR_NOMEM;
    nghttp2_mem memory = {NULL, allocate, release, allocate_zeros, reallocate};
    if (callbacks && options)
        code = nghttp2_session_server_new3(&connection->session, callbacks, connection, options,
                                           &memory);
    if (callbacks) nghttp2_session_callbacks_del(callbacks);
    if (options) nghttp2_option_del(options);
    if (code) return code;
    code = nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof *settings);
    if (code) return code;
    return nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW);
}
