/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC over HTTP/2 for a client, on nghttp2: one connection, and calls on it.
 *
 *     WR_TRY(wr_grpc_client_open(&options, &client, error));
 *     WR_TRY(wr_client_call_begin(client, "/echo.Echo/Say", NULL, 0, &body, 0, &call, error));
 *     while (!(code = wr_client_call_read(call, &message, error)) && message) ...
 *     wr_client_call_end(call);
 *     wr_grpc_client_close(client);
 *
 * Rules:
 *
 * 1. A thread of the connection's own reads and writes, so that a server's pings are answered while
 * nobody reads. Whoever calls waits for it.
 * 2. What a call sends is known when it begins. What comes back is held until it is read, up to
 * MESSAGES_AHEAD bytes and one message; then the server waits.
 * 3. wr_client_call_cancel may come from any thread: the server hears of it, and a reader returns
 * at once. Everything else of a call belongs to one thread.
 * 4. Nothing of the server's is trusted: headers and messages have limits, memory grows only as
 * bytes arrive, and texts of errors hold no control characters.
 * 5. Once the connection has failed it stays so: each call answers why.
 */
#ifndef WR_GRPC_CLIENT_H
#define WR_GRPC_CLIENT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "flight/grpc_assemble.h"
#include "weir.h"

struct wr_grpc_client;
struct wr_client_call;

struct wr_grpc_client_tls {
    const char *ca;          /* a PEM file of authorities; NULL: those of the system */
    const char *certificate; /* PEM files, for a server that wants to know who calls; NULL: none */
    const char *key;
};

struct wr_grpc_client_options {
    const char *host; /* a name, or an address without brackets */
    const char *port;
    const struct wr_grpc_client_tls *tls; /* NULL: without */
    int64_t connect_ms;       /* until the server has said its first word; 0: 10 seconds */
    int64_t max_message;      /* bytes of one that the server sends; 0: 256 MiB */
    bool (*is_stopped)(void); /* asked while it connects, ten times a second; NULL: never */
};

/* Codes: WEIR_IO when there is no connection, WEIR_TIMEOUT, WEIR_CANCELLED when stopped,
 * WEIR_INVALID_ARGUMENT for files of TLS that cannot be used. */
int wr_grpc_client_open(const struct wr_grpc_client_options *options,
                        struct wr_grpc_client **ret_client, struct weir_error *error);
/* Every call has to be ended. NULL is welcome. */
void wr_grpc_client_close(struct wr_grpc_client *client);
/* Whether a new call has a chance: the connection stands, and the server takes calls. */
bool wr_grpc_client_is_usable(struct wr_grpc_client *client);
/* Cancels the calls that run now. Any thread. */
void wr_grpc_client_cancel(struct wr_grpc_client *client);

struct wr_client_header {
    const char *name; /* in lower case */
    const char *value;
};

/* Adds a message to a body: its prefix and its bytes. */
void wr_client_frame(struct wr_buffer *body, const void *data, size_t length);
/* Begins a call that sends the whole body, which it takes over always. `limit_ms`: from now until
 * its end; 0: none. */
int wr_client_call_begin(struct wr_grpc_client *client, const char *path,
                         const struct wr_client_header *headers, size_t n_headers,
                         struct wr_buffer *body, int64_t limit_ms, struct wr_client_call **ret_call,
                         struct weir_error *error);
/* The next message, freed with wr_client_call_release; NULL when the call ended well. The error of
 * one that did not is the server's, with its SQLSTATE and position. */
int wr_client_call_read(struct wr_client_call *call, struct wr_incoming **ret_message,
                        struct weir_error *error);
void wr_client_call_release(struct wr_client_call *call, struct wr_incoming *message);
void wr_client_call_cancel(struct wr_client_call *call);
/* The value of `set-cookie` in the answer; NULL: there was none. As long as the call; after a
 * read. */
const char *wr_client_call_cookie(const struct wr_client_call *call);
/* Bytes of messages that have arrived so far. Any thread. */
int64_t wr_grpc_client_received(struct wr_grpc_client *client);
/* Cancels it if it still runs, and frees. NULL is welcome. */
void wr_client_call_end(struct wr_client_call *call);

#endif
