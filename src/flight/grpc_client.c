/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/condition.h"
#include "base/error.h"
#include "flight/grpc_client_state.h"

enum { CONNECT_MS = 10000, TICK_MS = 100, PLAIN = 32 * 1024, PIECES = 64 };
#define MAX_MESSAGE ((int64_t)256 << 20)

#define CLIENT_OF(pointer, member)                                                                 \
    ((struct wr_grpc_client *)((char *)(pointer) - offsetof(struct wr_grpc_client, member)))

/* ---- The end of a connection ---- */

/* The first reason stays. Nothing is written or read any more. */
static void fail(struct wr_grpc_client *client, int code, const char *message) {
    pthread_mutex_lock(&client->mutex);
    if (!client->is_broken)
        wr_error_set(&client->error, code, "08006", "%s: %s", client->name, message);
    client->is_broken = true;
    for (struct wr_client_call *call = client->calls; call; call = call->next) {
        wr_client_call_finish(call, &client->error);
        call->is_detached = true;
    }
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    if (client->watch.fd < 0) return;
    int fd = client->watch.fd;
    wr_loop_unwatch(client->loop, &client->watch);
    close(fd);
}

/* Why the server went away, as far as it can be guessed. */
static void fail_closed(struct wr_grpc_client *client) {
    pthread_mutex_lock(&client->mutex);
    bool is_ready = client->is_ready, is_closing = client->is_closing;
    pthread_mutex_unlock(&client->mutex);
    char reason[256], message[320];
    if (client->complaint && !is_closing) {
        snprintf(message, sizeof message,
                 "what answers does not keep to HTTP/2 (%s): is this a Flight SQL address?",
                 nghttp2_http2_strerror(client->complaint));
        fail(client, WEIR_IO, message);
    } else if (is_ready || is_closing) {
        fail(client, WEIR_IO, "the server closed the connection");
    } else if (!client->has_tls) {
        fail(client, WEIR_IO,
             "the server closed the connection without a word of HTTP/2: is this its Flight SQL "
             "address, and does it want TLS (grpc+tls://)?");
    } else {
        wr_tls_reason(client->tls, reason, sizeof reason);
        snprintf(message, sizeof message, "the TLS handshake failed: %s", reason);
        fail(client, WEIR_IO, message);
    }
}

/* ---- Writing ---- */

static bool fill(struct wr_grpc_client *client) {
    enum { ENOUGH = 1 << 20 };
    while (client->output.n_bytes < ENOUGH) {
        const uint8_t *data;
        ssize_t n = nghttp2_session_mem_send(client->session, &data);
        if (n < 0) return false;
        if (n == 0) return true;
        if (!wr_output_copy(&client->output, data, (size_t)n)) return false;
    }
    return true;
}

/* The kernel's answer; false: the connection has failed. *ret_is_full: it takes no more now. */
static bool write_once(struct wr_grpc_client *client, bool *ret_is_full) {
    ssize_t n;
    if (client->tls) {
        const void *data;
        size_t length = wr_tls_waiting(client->tls, &data);
        n = send(client->watch.fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) wr_tls_sent(client->tls, (size_t)n);
    } else {
        struct iovec pieces[PIECES];
        struct msghdr message = {.msg_iov = pieces};
        message.msg_iovlen = wr_output_pieces(&client->output, pieces, PIECES);
        n = sendmsg(client->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) wr_output_advance(&client->output, (size_t)n);
    }
    *ret_is_full = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return n >= 0 || *ret_is_full || errno == EINTR;
}

static size_t waiting(struct wr_grpc_client *client) {
    const void *data;
    return client->tls ? wr_tls_waiting(client->tls, &data) : client->output.n_bytes;
}

static bool flush(struct wr_grpc_client *client) {
    bool is_full = false;
    while (!is_full) {
        if (!fill(client)) return false;
        if (client->is_secured && !wr_tls_write(client->tls, &client->output, 64 * 1024))
            return false;
        if (waiting(client) == 0) break;
        if (!write_once(client, &is_full)) return false;
    }
    uint32_t events = is_full ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (events == client->events) return true;
    client->events = events;
    return wr_loop_rewatch(client->loop, &client->watch, events) == 0;
}

static void flush_or_fail(struct wr_grpc_client *client) {
    if (client->watch.fd < 0) return;
    if (!flush(client)) {
        fail_closed(client);
    } else if (!nghttp2_session_want_read(client->session) &&
               !nghttp2_session_want_write(client->session)) {
        fail_closed(client);
    }
}

/* ---- Reading ---- */

static bool take_frames(struct wr_grpc_client *client, const void *data, size_t length) {
    ssize_t n = nghttp2_session_mem_recv(client->session, data, length);
    if (n >= 0) return true;
    char message[256];
    if (n == NGHTTP2_ERR_NOMEM) {
        fail(client, WEIR_INTERNAL, "out of memory");
    } else {
        snprintf(message, sizeof message,
                 "what answers does not keep to HTTP/2 (%s): is this a Flight SQL address?",
                 nghttp2_strerror((int)n));
        fail(client, WEIR_IO, message);
    }
    return false;
}

/* False: the connection has failed, and it was said. */
static bool take_secured(struct wr_grpc_client *client, const void *data, size_t length,
                         char *buffer, size_t size) {
    ssize_t n;
    wr_tls_give(client->tls, data, length);
    while ((n = wr_tls_read(client->tls, buffer, size)) >= 0) {
        if (!client->is_secured && wr_tls_is_finished(client->tls)) {
            if (!wr_tls_is_ready(client->tls)) {
                fail(client, WEIR_IO, "the server speaks TLS, but not HTTP/2 over it");
                return false;
            }
            client->is_secured = true;
        }
        if (n == 0) return true;
        if (!take_frames(client, buffer, (size_t)n)) return false;
    }
    (void)flush(client); /* an alert, if there is one */
    fail_closed(client);
    return false;
}

static void receive(struct wr_grpc_client *client) {
    char *buffer = wr_loop_buffer(client->loop);
    size_t size = WR_LOOP_BUFFER - PLAIN;
    ssize_t n = recv(client->watch.fd, buffer, size, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n <= 0) {
        fail_closed(client);
        return;
    }
    if (client->tls) {
        take_secured(client, buffer, (size_t)n, buffer + size, PLAIN);
    } else {
        take_frames(client, buffer, (size_t)n);
    }
}

static void ready(struct wr_watch *watch, uint32_t events) {
    struct wr_grpc_client *client = CLIENT_OF(watch, watch);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(client);
    flush_or_fail(client);
}

/* ---- What callers ask of the loop ---- */

/* With the mutex held. True: something is to be written. */
static void serve_call(struct wr_client_call *call) {
    struct wr_grpc_client *client = call->client;
    if (call->is_cancelled) {
        if (call->stream_id > 0) {
            nghttp2_session_set_stream_user_data(client->session, call->stream_id, NULL);
            nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, call->stream_id,
                                      NGHTTP2_CANCEL);
        }
        call->is_detached = true;
    } else if (call->stream_id == 0) {
        if (!wr_client_submit(call)) {
            struct weir_error error;
            wr_error_set(&error, WEIR_IO, "08006", "%s: the server takes no more calls",
                         client->name);
            wr_client_call_finish(call, &error);
            call->is_detached = true;
        }
    } else if (call->owed > 0 && call->held < MESSAGES_AHEAD) {
        nghttp2_session_consume_stream(client->session, call->stream_id, (size_t)call->owed);
        call->owed = 0;
    }
}

static void run_post(struct wr_post *post) {
    struct wr_grpc_client *client = CLIENT_OF(post, post);
    pthread_mutex_lock(&client->mutex);
    for (struct wr_client_call *call = client->calls; call; call = call->next) {
        if (!call->is_detached && client->watch.fd >= 0) serve_call(call);
        if (client->watch.fd < 0) call->is_detached = true;
    }
    bool is_closing = client->is_closing;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    if (is_closing && client->watch.fd >= 0)
        nghttp2_session_terminate_session(client->session, NGHTTP2_NO_ERROR);
    flush_or_fail(client);
    if (!is_closing || client->watch.fd < 0) return;
    if (client->is_secured) {
        wr_tls_end(client->tls);
        (void)flush(client);
    }
    fail_closed(client);
}

/* ---- Opening and closing ---- */

static void destroy(struct wr_grpc_client *client) {
    if (client->watch.fd >= 0) close(client->watch.fd);
    if (client->session) nghttp2_session_del(client->session);
    wr_tls_free(client->tls);
    SSL_CTX_free(client->context);
    wr_output_reset(&client->output);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->mutex);
    wr_free(client->name);
    wr_free(client->authority);
    wr_free(client);
}

void wr_grpc_client_close(struct wr_grpc_client *client) {
    if (!client) return;
    pthread_mutex_lock(&client->mutex);
    client->is_closing = true;
    pthread_mutex_unlock(&client->mutex);
    wr_loop_post(client->loop, &client->post);
    wr_loop_close(client->loop);
    destroy(client);
}

static char *join(const char *host, const char *port) {
    bool is_v6 = strchr(host, ':') != NULL;
    size_t size = strlen(host) + strlen(port) + 4;
    char *name = wr_malloc(size);
    if (name) snprintf(name, size, is_v6 ? "[%s]:%s" : "%s:%s", host, port);
    return name;
}

static struct wr_grpc_client *allocate(const struct wr_grpc_client_options *options) {
    struct wr_grpc_client *client = wr_calloc(1, sizeof *client);
    if (!client) return NULL;
    pthread_mutex_init(&client->mutex, NULL);
    wr_condition_init(&client->changed);
    client->watch = (struct wr_watch){-1, ready};
    client->post.run = run_post;
    client->has_tls = options->tls != NULL;
    client->max_message = options->max_message ? options->max_message : MAX_MESSAGE;
    client->allowance.most = client->max_message + MESSAGES_AHEAD + CLIENT_STREAM_WINDOW;
    wr_output_init(&client->output, NULL);
    client->name = join(options->host, options->port);
    client->authority = join(options->host, options->port);
    if (client->name && client->authority) return client;
    destroy(client);
    return NULL;
}

/* Up to the connection's thread; what it will own is set up before it starts. */
static int set_up(struct wr_grpc_client *client, const struct wr_grpc_client_options *options,
                  int64_t deadline, struct weir_error *error) {
    if (options->tls) WR_TRY(wr_client_tls_context(options->tls, &client->context, error));
    WR_TRY(wr_client_connect(options, deadline, &client->watch.fd, error));
    if (options->tls && !(client->tls = wr_tls_new_client(client->context, options->host)))
        return wr_error_memory(error);
    if (wr_client_session_new(client)) return wr_error_memory(error);
    char byte;
    if (client->tls) wr_tls_read(client->tls, &byte, 1); /* begins the handshake */
    WR_TRY(wr_loop_open(&client->loop, error));
    client->events = EPOLLIN | EPOLLOUT; /* the first turn writes */
    int errnum = wr_loop_watch(client->loop, &client->watch, client->events);
    int code = errnum ? wr_error_errno(error, errnum, "cannot wait for the server")
                      : wr_loop_start(client->loop, "weir-client", error);
    if (!code) return WEIR_OK;
    wr_loop_close(client->loop);
    return code;
}

static void wait_until(struct wr_grpc_client *client, int64_t at) {
    struct timespec time = {at / 1000, at % 1000 * 1000000};
    pthread_cond_timedwait(&client->changed, &client->mutex, &time);
}

static int wait_ready(struct wr_grpc_client *client, const struct wr_grpc_client_options *options,
                      int64_t deadline, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&client->mutex);
    while (!code && !client->is_ready) {
        int64_t now = wr_clock_ms();
        if (client->is_broken) {
            code = client->error.code;
            if (error) *error = client->error;
        } else if (options->is_stopped && options->is_stopped()) {
            code = wr_error_set(error, WEIR_CANCELLED, "57014", "cancelled");
        } else if (now >= deadline) {
            code = wr_error_set(error, WEIR_TIMEOUT, "08001",
                                "%s: the server took the connection and does not answer%s",
                                client->name,
                                client->has_tls ? "" : "; does it want TLS (grpc+tls://)?");
        } else {
            wait_until(client, now + TICK_MS < deadline ? now + TICK_MS : deadline);
        }
    }
    pthread_mutex_unlock(&client->mutex);
    return code;
}

int wr_grpc_client_open(const struct wr_grpc_client_options *options,
                        struct wr_grpc_client **ret_client, struct weir_error *error) {
    int64_t deadline = wr_clock_ms() + (options->connect_ms > 0 ? options->connect_ms : CONNECT_MS);
    struct wr_grpc_client *client = allocate(options);
    if (!client) return wr_error_memory(error);
    int code = set_up(client, options, deadline, error);
    if (code) {
        destroy(client);
        return code;
    }
    code = wait_ready(client, options, deadline, error);
    if (code) {
        wr_grpc_client_close(client);
        return code;
    }
    *ret_client = client;
    return WEIR_OK;
}

bool wr_grpc_client_is_usable(struct wr_grpc_client *client) {
    pthread_mutex_lock(&client->mutex);
    bool is_usable = !client->is_broken && !client->is_leaving;
    pthread_mutex_unlock(&client->mutex);
    return is_usable;
}

int64_t wr_grpc_client_received(struct wr_grpc_client *client) {
    return atomic_load(&client->received);
}

void wr_grpc_client_cancel(struct wr_grpc_client *client) {
    pthread_mutex_lock(&client->mutex);
    for (struct wr_client_call *call = client->calls; call; call = call->next)
        call->is_cancelled = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->mutex);
    wr_loop_post(client->loop, &client->post);
}
