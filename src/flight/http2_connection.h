/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection: its socket, its session of HTTP/2, its times. It belongs to one loop, and
 * is closed when the peer is gone or misbehaves, is silent for too long, or has nothing more to
 * say after GOAWAY.
 *
 * Threads: wr_connection_adopt from any, the rest on the loop's.
 */
#ifndef WR_HTTP2_CONNECTION_H
#define WR_HTTP2_CONNECTION_H

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include "flight/grpc_call.h"
#include "flight/grpc_server.h"
#include "flight/http2_output.h"
#include "flight/loop.h"
#include "flight/tls.h"

enum {
    OUTPUT_FULL = 2 << 20,   /* bytes that are made ready before the kernel gets them */
    MAX_FRAME = 2 << 20,     /* of DATA that is sent, if the client takes so much */
    STREAM_WINDOW = 4 << 20, /* bytes of one stream that a client may send ahead */
    CONNECTION_WINDOW = 16 << 20,
    RESETS_AT_ONCE = 400, /* streams that a client may have reset, and how many more each second */
    RESETS_PER_SECOND = 40,
    MAX_QUEUED_FRAMES = 4096,   /* that wait for a client which does not read */
    LINGER_MS = 1000,           /* for the client to read the last frames */
    ENCRYPTED_FULL = 256 << 10, /* bytes that are encrypted before the kernel gets them */
    LOOPBACK_BYTES = 512 << 10  /* under way within this machine */
};

struct wr_connection {
    struct wr_place *place; /* in the server: a loop and what is on it */
    struct wr_connection *previous, *next;
    struct wr_grpc_server *server;
    struct wr_client *client;
    uint64_t address; /* what it is counted for: wr_address_key */
    struct wr_watch watch;
    uint32_t events; /* that are watched for */
    nghttp2_session *session;
    struct wr_output output;
    struct wr_tls *tls; /* NULL: without */
    bool is_secured;    /* TLS has agreed with the client */
    struct wr_grpc_call *calls;
    int n_calls;
    int32_t last_stream_id;
    struct wr_post adopt, flush, free;
    struct wr_timer timer;

    int64_t opened_at;
    int64_t read_at;       /* when bytes came last */
    int64_t idle_since;    /* when the last call ended */
    int64_t headers_since; /* a list of headers is incomplete; 0: none is */
    int64_t pinged_at;     /* 0: no answer is waited for */
    int64_t goaway_at;     /* when the second GOAWAY goes out; 0: never */
    int64_t linger_until;  /* everything was written, and what comes is thrown away; 0: not yet */
    bool is_established;   /* the client's first frames have come */
    bool is_draining;
    bool is_closed;
    int64_t resets; /* tokens that are left, in thousandths */
    int64_t resets_at;
};

/* Takes over the descriptor: hands it to the place's loop. */
int wr_connection_open(struct wr_grpc_server *server, struct wr_place *place, int fd,
                       const struct sockaddr *address, struct weir_error *error);
/* Closes it at once; calls are cancelled. Not inside of a callback of its session. */
void wr_connection_close(struct wr_connection *connection);
/* Tells the client to send no more calls, and closes after the last one. */
void wr_connection_drain(struct wr_connection *connection);

nghttp2_session *wr_connection_session(struct wr_connection *connection);
/* Writes at the end of the turn. */
void wr_connection_schedule(struct wr_connection *connection);
/* Opens the window of a stream, and of all streams, again. */
void wr_connection_consume(struct wr_connection *connection, int32_t stream_id, size_t length);
void wr_connection_consume_shared(struct wr_connection *connection, size_t length);
void wr_connection_reset_stream(struct wr_connection *connection, int32_t stream_id, uint32_t code);
/* A stream was reset, by whomever. False: there were too many, and the client is told to go. */
bool wr_connection_count_reset(struct wr_connection *connection);
void wr_connection_add_call(struct wr_connection *connection, struct wr_grpc_call *call);
void wr_connection_remove_call(struct wr_connection *connection, struct wr_grpc_call *call);

/* http2_times.c: sets the timer to what comes next, looks what time it is, and ends politely. */
void wr_connection_set_timer(struct wr_connection *connection);
void wr_connection_fire(struct wr_timer *timer);
void wr_connection_linger(struct wr_connection *connection);

/* http2_session.c: the session with its callbacks and settings. */
int wr_http2_session_new(struct wr_connection *connection);

#endif
