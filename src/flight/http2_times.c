/* SPDX-License-Identifier: Apache-2.0 */
/* How long a connection may be silent, unready, without calls, or on its way out. */
#include <stddef.h>
#include <sys/socket.h>

#include "flight/http2_connection.h"

static int64_t now_of(const struct wr_connection *connection) {
    return wr_loop_now(connection->place->loop);
}

static void sooner(int64_t *at, int64_t other) {
    if (other < *at) *at = other;
}

void wr_connection_set_timer(struct wr_connection *connection) {
    const struct wr_grpc_options *options = &connection->server->options;
    int64_t at = INT64_MAX;
    if (connection->linger_until) {
        at = connection->linger_until;
    } else {
        if (!connection->is_established) sooner(&at, connection->opened_at + options->handshake_ms);
        if (connection->headers_since)
            sooner(&at, connection->headers_since + options->handshake_ms);
        if (connection->n_calls == 0) sooner(&at, connection->idle_since + options->idle_ms);
        if (connection->goaway_at) sooner(&at, connection->goaway_at);
        sooner(&at, connection->pinged_at ? connection->pinged_at + options->keepalive_timeout_ms
                                          : connection->read_at + options->keepalive_ms);
    }
    /* Without memory for it the connection lives until its next event. */
    if (connection->timer.index && connection->timer.at <= at) return;
    wr_loop_set_timer(connection->place->loop, &connection->timer, at);
}

/* Everything is said: waits for the client to read it, since closing with unread bytes in the
 * socket would throw away what it has not read yet. */
void wr_connection_linger(struct wr_connection *connection) {
    if (connection->linger_until) return;
    shutdown(connection->watch.fd, SHUT_WR);
    connection->linger_until = now_of(connection) + LINGER_MS;
    wr_connection_set_timer(connection);
}

static void send_second_goaway(struct wr_connection *connection) {
    connection->goaway_at = 0;
    nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(connection->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    wr_connection_schedule(connection);
}

void wr_connection_fire(struct wr_timer *timer) {
    struct wr_connection *connection =
        (struct wr_connection *)((char *)timer - offsetof(struct wr_connection, timer));
    const struct wr_grpc_options *options = &connection->server->options;
    int64_t now = now_of(connection);
    /* The answer may come in the same millisecond. */
    if (connection->pinged_at && connection->read_at >= connection->pinged_at)
        connection->pinged_at = 0;
    bool is_late =
        (connection->linger_until && now >= connection->linger_until) ||
        (!connection->is_established && now >= connection->opened_at + options->handshake_ms) ||
        (connection->headers_since && now >= connection->headers_since + options->handshake_ms) ||
        (connection->pinged_at && now >= connection->pinged_at + options->keepalive_timeout_ms);
    if (is_late) {
        wr_connection_close(connection);
        return;
    }
    if (connection->linger_until) {
        wr_connection_set_timer(connection);
        return;
    }
    if (connection->goaway_at && now >= connection->goaway_at) send_second_goaway(connection);
    if (connection->n_calls == 0 && now >= connection->idle_since + options->idle_ms) {
        connection->idle_since = now;
        nghttp2_session_terminate_session(connection->session, NGHTTP2_NO_ERROR);
    }
    if (!connection->pinged_at && now >= connection->read_at + options->keepalive_ms) {
        connection->pinged_at = now;
        nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
    }
    wr_connection_schedule(connection);
    wr_connection_set_timer(connection);
}

void wr_connection_drain(struct wr_connection *connection) {
    if (connection->is_draining || connection->is_closed) return;
    connection->is_draining = true;
    if (!connection->is_established) {
        nghttp2_session_terminate_session(connection->session, NGHTTP2_NO_ERROR);
        wr_connection_schedule(connection);
        return;
    }
    /* A call that is on its way crosses the first GOAWAY; one second or a ping later none does. */
    nghttp2_submit_shutdown_notice(connection->session);
    nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL);
    connection->goaway_at = now_of(connection) + LINGER_MS;
    wr_connection_schedule(connection);
    wr_connection_set_timer(connection);
}
