/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/http2_connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/address.h"
#include "flight/grpc_stream.h"

enum { PIECES_AT_ONCE = 256, WRITES_PER_TURN = 16 };

#define OWNER(pointer, member)                                                                     \
    ((struct wr_connection *)((char *)(pointer) - offsetof(struct wr_connection, member)))

static int64_t now_of(const struct wr_connection *connection) {
    return wr_loop_now(connection->place->loop);
}

nghttp2_session *wr_connection_session(struct wr_connection *connection) {
    return connection->session;
}

void wr_connection_schedule(struct wr_connection *connection) {
    if (!connection->is_closed) wr_loop_later(connection->place->loop, &connection->flush);
}

void wr_connection_consume(struct wr_connection *connection, int32_t stream_id, size_t length) {
    nghttp2_session_consume_stream(connection->session, stream_id, length);
    wr_connection_schedule(connection);
}

void wr_connection_consume_shared(struct wr_connection *connection, size_t length) {
    nghttp2_session_consume_connection(connection->session, length);
    wr_connection_schedule(connection);
}

void wr_connection_reset_stream(struct wr_connection *connection, int32_t stream_id,
                                uint32_t code) {
    nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream_id, code);
    wr_connection_schedule(connection);
}

bool wr_connection_count_reset(struct wr_connection *connection) {
    int64_t now = now_of(connection);
    connection->resets += (now - connection->resets_at) * RESETS_PER_SECOND;
    connection->resets_at = now;
    if (connection->resets > RESETS_AT_ONCE * 1000) connection->resets = RESETS_AT_ONCE * 1000;
    connection->resets -= 1000;
    if (connection->resets >= 0) return true;
    nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM);
    wr_connection_schedule(connection);
    return false;
}

void wr_connection_add_call(struct wr_connection *connection, struct wr_grpc_call *call) {
    call->connection = connection;
    call->next = connection->calls;
    if (call->next) call->next->previous = call;
    connection->calls = call;
    connection->n_calls++;
}

void wr_connection_remove_call(struct wr_connection *connection, struct wr_grpc_call *call) {
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        connection->calls = call->next;
    }
    if (call->next) call->next->previous = call->previous;
    call->previous = call->next = NULL;
    if (--connection->n_calls == 0) connection->idle_since = now_of(connection);
}

/* ---- The end ---- */

static void free_connection(struct wr_post *post) {
    wr_free(OWNER(post, free));
}

void wr_connection_close(struct wr_connection *connection) {
    if (connection->is_closed) return;
    connection->is_closed = true;
    struct wr_place *place = connection->place;
    int fd = connection->watch.fd;
    wr_loop_unwatch(place->loop, &connection->watch);
    wr_loop_clear_timer(place->loop, &connection->timer);
    while (connection->calls) {
        struct wr_grpc_call *call = connection->calls;
        wr_connection_remove_call(connection, call);
        wr_stream_close(call);
    }
    nghttp2_session_del(connection->session);
    connection->session = NULL;
    wr_tls_free(connection->tls);
    connection->tls = NULL;
    wr_output_reset(&connection->output);
    close(fd);
    if (connection->previous) {
        connection->previous->next = connection->next;
    } else {
        place->connections = connection->next;
    }
    if (connection->next) connection->next->previous = connection->previous;
    atomic_fetch_sub(&place->n_connections, 1);
    wr_server_connection_ended(connection->server, connection->address);
    wr_client_unref(connection->client);
    /* This turn's events may still name it. */
    wr_loop_later(place->loop, &connection->free);
}

/* ---- Bytes ---- */

static bool watch_for(struct wr_connection *connection, uint32_t events) {
    if (connection->events == events) return true;
    connection->events = events;
    return wr_loop_rewatch(connection->place->loop, &connection->watch, events) == 0;
}

/* Has nghttp2 make frames until enough of them wait. False: the connection is of no use. */
static bool fill(struct wr_connection *connection) {
    while (connection->output.n_bytes < OUTPUT_FULL) {
        const uint8_t *data;
        ssize_t n = nghttp2_session_mem_send(connection->session, &data);
        if (n < 0) return false;
        if (n == 0) break;
        if (!wr_output_copy(&connection->output, data, (size_t)n)) return false;
    }
    return true;
}

/* *ret_is_full: the kernel takes no more now. */
static bool judge_sent(ssize_t n, bool *ret_is_full) {
    *ret_is_full = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return n >= 0 || *ret_is_full || errno == EINTR;
}

static bool write_plain(struct wr_connection *connection, bool *ret_is_full) {
    struct iovec pieces[PIECES_AT_ONCE];
    struct msghdr message = {.msg_iov = pieces};
    message.msg_iovlen = wr_output_pieces(&connection->output, pieces, PIECES_AT_ONCE);
    ssize_t n = sendmsg(connection->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) wr_output_advance(&connection->output, (size_t)n);
    return judge_sent(n, ret_is_full);
}

static bool write_secured(struct wr_connection *connection, bool *ret_is_full) {
    const void *data;
    if (connection->is_secured &&
        !wr_tls_write(connection->tls, &connection->output, ENCRYPTED_FULL))
        return false;
    size_t length = wr_tls_waiting(connection->tls, &data);
    if (length == 0) return true;
    ssize_t n = send(connection->watch.fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) wr_tls_sent(connection->tls, (size_t)n);
    return judge_sent(n, ret_is_full);
}

/* Bytes that wait for the kernel. */
static size_t waiting(const struct wr_connection *connection) {
    const void *data;
    if (!connection->tls) return connection->output.n_bytes;
    size_t n = wr_tls_waiting(connection->tls, &data);
    return connection->is_secured ? n + connection->output.n_bytes : n;
}

/* *ret_has_more: the kernel takes no more now, or others are to have their turn. */
static bool write_some(struct wr_connection *connection, bool *ret_has_more) {
    *ret_has_more = false;
    for (int i = 0; i < WRITES_PER_TURN; i++) {
        bool is_full;
        if (!fill(connection)) return false;
        if (waiting(connection) == 0) return true;
        if (!(connection->tls ? write_secured : write_plain)(connection, &is_full)) return false;
        if (is_full) break;
    }
    *ret_has_more = true;
    return true;
}

static bool flush(struct wr_connection *connection) {
    bool has_more;
    if (!write_some(connection, &has_more)) return false;
    if (has_more) return watch_for(connection, EPOLLIN | EPOLLOUT);
    if (!nghttp2_session_want_read(connection->session) &&
        !nghttp2_session_want_write(connection->session)) {
        if (connection->tls) {
            wr_tls_end(connection->tls);
            write_some(connection, &has_more); /* a word of courtesy */
        }
        wr_connection_linger(connection);
    }
    if (connection->tls && connection->n_calls == 0) wr_tls_trim(connection->tls);
    return watch_for(connection, EPOLLIN);
}

static void run_flush(struct wr_post *post) {
    struct wr_connection *connection = OWNER(post, flush);
    if (connection->is_closed || connection->linger_until) return;
    if (flush(connection)) {
        wr_connection_set_timer(connection);
    } else {
        wr_connection_close(connection);
    }
}

static uint32_t complaint(ssize_t code) {
    switch (code) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
        return NGHTTP2_PROTOCOL_ERROR;
    case NGHTTP2_ERR_NOMEM:
    case NGHTTP2_ERR_CALLBACK_FAILURE:
        return NGHTTP2_INTERNAL_ERROR;
    default: /* floods of several sorts */
        return NGHTTP2_ENHANCE_YOUR_CALM;
    }
}

/* False: the connection is to be closed. */
static bool receive_frames(struct wr_connection *connection, const char *data, size_t length) {
    ssize_t code = nghttp2_session_mem_recv(connection->session, (const uint8_t *)data, length);
    if (code < 0) {
        /* What there is to say, a GOAWAY, is said. */
        nghttp2_session_terminate_session(connection->session, complaint(code));
        return flush(connection) && connection->linger_until;
    }
    return nghttp2_session_get_outbound_queue_size(connection->session) <= MAX_QUEUED_FRAMES;
}

/* The handshake may be done, and the client known. */
static bool look_at_tls(struct wr_connection *connection) {
    if (connection->is_secured || !wr_tls_is_ready(connection->tls)) return true;
    connection->is_secured = true;
    return wr_tls_subject(connection->tls, &connection->client->subject);
}

static bool receive_secured(struct wr_connection *connection, const char *data, size_t length,
                            char *buffer, size_t size) {
    ssize_t n;
    wr_tls_give(connection->tls, data, length);
    while ((n = wr_tls_read(connection->tls, buffer, size)) > 0) {
        if (!look_at_tls(connection) || !connection->is_secured) return false;
        if (!receive_frames(connection, buffer, (size_t)n)) return false;
        if (connection->linger_until) return true;
    }
    if (n == 0) return look_at_tls(connection);
    bool has_more;
    write_some(connection, &has_more); /* an alert, if there is one */
    return false;
}

/* False: the connection has ended. */
static bool receive(struct wr_connection *connection) {
    enum { PLAIN = 32 * 1024 };
    char *buffer = wr_loop_buffer(connection->place->loop);
    size_t size = WR_LOOP_BUFFER - PLAIN;
    ssize_t n = recv(connection->watch.fd, buffer, size, MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n == 0) return false;
    connection->read_at = now_of(connection);
    if (connection->linger_until) return true;
    wr_connection_schedule(connection);
    return connection->tls ? receive_secured(connection, buffer, (size_t)n, buffer + size, PLAIN)
                           : receive_frames(connection, buffer, (size_t)n);
}

static void ready(struct wr_watch *watch, uint32_t events) {
    struct wr_connection *connection = OWNER(watch, watch);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(connection)) {
        wr_connection_close(connection);
        return;
    }
    if (events & EPOLLOUT) wr_connection_schedule(connection);
}

/* ---- The beginning ---- */

static void adopt(struct wr_post *post) {
    struct wr_connection *connection = OWNER(post, adopt);
    struct wr_place *place = connection->place;
    int64_t now = now_of(connection);
    connection->opened_at = connection->read_at = connection->idle_since = now;
    connection->resets_at = now;
    connection->resets = RESETS_AT_ONCE * 1000;
    connection->next = place->connections;
    if (connection->next) connection->next->previous = connection;
    place->connections = connection;
    connection->events = EPOLLIN;
    if (place->is_cut || wr_http2_session_new(connection) ||
        wr_loop_watch(place->loop, &connection->watch, EPOLLIN)) {
        wr_connection_close(connection);
        return;
    }
    if (place->is_draining) wr_connection_drain(connection);
    wr_connection_set_timer(connection);
    wr_connection_schedule(connection);
}

static void prepare_socket(const struct wr_grpc_server *server, int fd,
                           const struct sockaddr *address) {
    int one = 1, loopback = LOOPBACK_BYTES;
    unsigned timeout =
        (unsigned)(server->options.keepalive_ms + server->options.keepalive_timeout_ms);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    /* What the kernel copies twice stays in the processor's cache between. For a distance the
     * kernel finds the size itself. */
    if (wr_address_is_loopback(address))
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &loopback, sizeof loopback);
}

int wr_connection_open(struct wr_grpc_server *server, struct wr_place *place, int fd,
                       const struct sockaddr *address, struct weir_error *error) {
    struct wr_connection *connection = wr_calloc(1, sizeof *connection);
    struct wr_client *client = NULL;
    if (connection && wr_server_secure(server, &connection->tls))
        client = wr_client_new(server, address);
    if (!client) {
        if (connection) wr_tls_free(connection->tls);
        wr_free(connection);
        close(fd);
        return wr_error_memory(error);
    }
    prepare_socket(server, fd, address);
    connection->server = server;
    connection->place = place;
    connection->client = client;
    connection->address = wr_address_key(address);
    connection->watch = (struct wr_watch){fd, ready};
    connection->timer.fire = wr_connection_fire;
    connection->adopt.run = adopt;
    connection->flush.run = run_flush;
    connection->free.run = free_connection;
    wr_output_init(&connection->output, wr_outgoing_done);
    wr_loop_post(place->loop, &connection->adopt);
    return WEIR_OK;
}
