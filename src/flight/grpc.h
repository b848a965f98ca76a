/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC over HTTP/2 for a server, on nghttp2: what a service needs and nothing of the service.
 *
 *     static const struct wr_grpc_method methods[] = {
 *         {.path = "/echo.Echo/Say", .call = say},
 *         {.path = "/echo.Echo/Chat", .exchange = chat},
 *     };
 *     struct wr_grpc_options options = {
 *         .listen = "127.0.0.1:0", .methods = methods, .n_methods = 2};
 *     wr_grpc_open(&options, &server, error);
 *     ... wr_grpc_address(server) ...
 *     wr_grpc_drain(server, 10000);
 *     wr_grpc_close(server);
 *
 * Rules:
 *
 * 1. A few threads, one for each core at most, wait for sockets and do TLS and HTTP/2. They never
 * call the service, but for a message's `release`, which has to be short.
 * 2. A service's functions run on a pool of threads and may block. A call that gives many messages
 * holds a thread only while it makes the next one: a client that does not read holds none.
 * 3. Of each call two messages wait to be sent, and more (64) only while they have less than 3 MiB
 * together. The service is asked for the next ones when half of that is gone. What a message points
 * to is released when its last byte has left the process or will never do.
 * 4. A call ends once: with a status of the service, or because the client is gone, reset it, or
 * its deadline has passed. `cancel` is then called, on a thread of the server's own, if a function
 * of the call is running; `release` comes last, when none is.
 * 5. Nothing of the client's is trusted: header lists, message lengths, numbers of streams and of
 * resets, and times have limits, and memory for a message grows only as its bytes arrive.
 */
#ifndef WR_GRPC_H
#define WR_GRPC_H

#include <stdbool.h>

#include "weir.h"

enum wr_grpc_status {
    WR_GRPC_OK = 0,
    WR_GRPC_CANCELLED = 1,
    WR_GRPC_UNKNOWN = 2,
    WR_GRPC_INVALID_ARGUMENT = 3,
    WR_GRPC_DEADLINE_EXCEEDED = 4,
    WR_GRPC_NOT_FOUND = 5,
    WR_GRPC_ALREADY_EXISTS = 6,
    WR_GRPC_PERMISSION_DENIED = 7,
    WR_GRPC_RESOURCE_EXHAUSTED = 8,
    WR_GRPC_FAILED_PRECONDITION = 9,
    WR_GRPC_ABORTED = 10,
    WR_GRPC_OUT_OF_RANGE = 11,
    WR_GRPC_UNIMPLEMENTED = 12,
    WR_GRPC_INTERNAL = 13,
    WR_GRPC_UNAVAILABLE = 14,
    WR_GRPC_DATA_LOSS = 15,
    WR_GRPC_UNAUTHENTICATED = 16
};

/* The status that an error of weir's is. Its SQLSTATE and position go along as the trailers
 * `weir-sqlstate` and `weir-position`. */
enum wr_grpc_status wr_grpc_status_of(const struct weir_error *error);

struct wr_grpc_server;
struct wr_grpc_call;

/* ---- Messages that go out ---- */

struct wr_grpc_part {
    const void *data;
    size_t length;
};

/* One message in parts, which are sent as they lie there. `release` (may be NULL) is called once,
 * from any thread. */
struct wr_grpc_message {
    const struct wr_grpc_part *parts; /* live until `release`, too */
    size_t n_parts;
    void (*release)(struct wr_grpc_message *message);
    void *private_data;
};

/* A message of bytes that are copied. */
int wr_grpc_message_copy(const void *data, size_t length, struct wr_grpc_message *ret_message,
                         struct weir_error *error);

/*
 * What a call answers: messages, one after another. `next` is asked on a thread of the pool, never
 * twice at a time, whenever there is room for one more; it sets *ret_end instead of a message when
 * there is none. `cancel` (may be NULL) makes a running `next` return soon.
 */
struct wr_grpc_reply {
    int (*next)(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message, bool *ret_end,
                struct weir_error *error);
    void (*cancel)(struct wr_grpc_reply *reply);
    void (*release)(struct wr_grpc_reply *reply);
    void *private_data;
};

/* A reply of one message, which it takes over. */
int wr_grpc_reply_one(struct wr_grpc_message *message, struct wr_grpc_reply *ret_reply,
                      struct weir_error *error);

/* ---- Methods ---- */

struct wr_grpc_method {
    const char *path; /* "/package.Service/Method" */
    /*
     * For a client that sends one message: called when it is there. Fills *ret_reply, or answers an
     * error. `request` lives during this call only.
     */
    int (*call)(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error);
    /*
     * For one that sends many: called when the first of them, or their end, is there. Holds its
     * thread, of which there are as many as for all other methods, until it returns; reads by
     * wr_grpc_read and writes by wr_grpc_write. The call ends with what it answers.
     */
    int (*exchange)(void *context, struct wr_grpc_call *call, struct weir_error *error);
};

/*
 * The next message that the client sent; waits for it. *ret_data is NULL at the end of them. It
 * lives until the next read, or, with wr_grpc_take, until wr_free. The window of flow control opens
 * as messages are read. Codes: WEIR_CANCELLED when the call is over.
 */
int wr_grpc_read(struct wr_grpc_call *call, const void **ret_data, size_t *ret_length,
                 struct weir_error *error);
/* Takes over the memory of the last message read. */
void *wr_grpc_take(struct wr_grpc_call *call);
/* Sends a message, which it takes over always; waits while enough of them are unsent. */
int wr_grpc_write(struct wr_grpc_call *call, struct wr_grpc_message *message,
                  struct weir_error *error);

/* ---- What a call is ---- */

/* The value of a header, by its name in lower case; NULL: there is none. Of several, the first. As
 * long as the call. Those whose names end in "-bin" are decoded, with their length. */
const char *wr_grpc_header(const struct wr_grpc_call *call, const char *name, size_t *ret_length);
/* All values of a header in turn: `at` counts from 0; NULL after the last one. */
const char *wr_grpc_header_at(const struct wr_grpc_call *call, const char *name, size_t at);
/* Adds one to the headers of the answer; before its first message. */
int wr_grpc_answer_header(struct wr_grpc_call *call, const char *name, const char *value,
                          struct weir_error *error);
/* Adds a trailer; before the call's end. */
int wr_grpc_answer_trailer(struct wr_grpc_call *call, const char *name, const char *value,
                           struct weir_error *error);
/* What is called, on a thread of the server's own, when the call is over while a function of it
 * runs: for what blocks elsewhere than here. Called again until it is taken away or the function
 * ends, for what had not quite begun. Called at once, on this thread, when it is over already. NULL
 * takes it away, and waits for a running one. */
void wr_grpc_on_cancel(struct wr_grpc_call *call, void (*cancel)(void *context), void *context);
/* Milliseconds left of the client's grpc-timeout; -1: it gave none. */
int64_t wr_grpc_time_left(const struct wr_grpc_call *call);
bool wr_grpc_is_over(const struct wr_grpc_call *call);
/* "127.0.0.1:51234". */
const char *wr_grpc_peer(const struct wr_grpc_call *call);
/* The subject (RFC 2253) of the client's certificate, which was verified; NULL: there is none. */
const char *wr_grpc_peer_subject(const struct wr_grpc_call *call);
/* Something of the service's that lives as long as the connection. Guarded by the service: calls of
 * one connection run at the same time. */
void *wr_grpc_connection_data(const struct wr_grpc_call *call);
/* Sets it if it is NULL; false, and nothing is taken over, when another call was first. */
bool wr_grpc_connection_set(struct wr_grpc_call *call, void *data, void (*destroy)(void *data));

/* ---- The server ---- */

struct wr_grpc_tls {
    const char *certificate; /* PEM files: the chain */
    const char *key;
    const char *client_ca;      /* NULL: clients need no certificate */
    bool client_ca_is_required; /* clients without one are refused */
};

/* Texts are copied; `methods` and `context` live as long as the server. */
struct wr_grpc_options {
    const char *listen; /* "127.0.0.1:31337", "[::1]:0", "*:31337"; several with commas between */
    const char *public_takes; /* what is lacking at an address that other machines reach, which is
                               * refused; NULL: nothing */
    const struct wr_grpc_tls *tls; /* NULL: without */
    const struct wr_grpc_method *methods;
    size_t n_methods;
    void *context;           /* of the methods */
    int32_t max_threads;     /* of the pool; 0: 128 */
    int64_t max_message;     /* bytes of one that a client sends; 0: 64 MiB */
    int32_t max_connections; /* 0: 4096 */
    int32_t max_per_address; /* of those; 0: 2048 */
    int32_t max_streams;     /* at a time on one connection; 0: 256 */
    int64_t idle_ms;         /* of a connection without a call before it is closed; 0: 2 hours */
    int64_t keepalive_ms;    /* silence before a ping; 0: 2 minutes */
    int64_t keepalive_timeout_ms; /* wait for its answer; 0: 20 seconds */
    int64_t handshake_ms;         /* for TLS and HTTP/2's first frames; 0: 10 seconds */
};

int wr_grpc_open(const struct wr_grpc_options *options, struct wr_grpc_server **ret_server,
                 struct weir_error *error);
/* "127.0.0.1:31337", with the port that it got; of several, with commas between. */
const char *wr_grpc_address(const struct wr_grpc_server *server);
/* Reads the certificates again, for new connections. On failure the old ones stay. */
int wr_grpc_reload(struct wr_grpc_server *server, struct weir_error *error);
/* Takes no new connections, tells the clients (GOAWAY), waits for running calls up to so long, then
 * cancels them. */
void wr_grpc_drain(struct wr_grpc_server *server, int64_t deadline_ms);
/* Cancels what is left and waits for it. NULL is welcome. */
void wr_grpc_close(struct wr_grpc_server *server);

struct wr_grpc_figures {
    int64_t n_connections; /* open now */
    int64_t n_calls;       /* running now */
    int64_t connections;   /* since the start */
    int64_t calls;
    int64_t failed;
    int64_t bytes_out; /* of messages */
    int64_t bytes_in;
};
void wr_grpc_look(struct wr_grpc_server *server, struct wr_grpc_figures *ret_figures);

#endif
