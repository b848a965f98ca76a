/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the gRPC client share. `loop:` marks what only the connection's thread touches
 * once it runs, `mutex:` what the mutex guards. */
#ifndef WR_GRPC_CLIENT_STATE_H
#define WR_GRPC_CLIENT_STATE_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "flight/grpc_client.h"
#include "flight/loop.h"
#include "flight/tls.h"

enum {
    CLIENT_STREAM_WINDOW = 4 << 20,
    CLIENT_CONNECTION_WINDOW = 16 << 20,
    MESSAGES_AHEAD = 16 << 20,
    MOST_HEADER_BYTES = 64 << 10, /* of an answer, trailers included */
    MOST_COOKIE = 4096,
};

struct wr_grpc_client {
    char *name;      /* "127.0.0.1:31337", for messages */
    char *authority; /* of requests: the same, an address of version 6 in brackets */
    bool has_tls;
    int64_t max_message;
    SSL_CTX *context;
    struct wr_loop *loop;
    struct wr_post post;
    struct wr_allowance allowance;
    _Atomic int64_t received;

    /* loop: */
    struct wr_watch watch; /* fd -1: closed */
    uint32_t events;
    struct wr_tls *tls; /* NULL: without */
    bool is_secured;
    nghttp2_session *session;
    uint32_t complaint; /* HTTP/2's code of what the server did wrong; 0: nothing */
    struct wr_output output;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* of anything below, and of calls */
    /* mutex: */
    bool is_ready;   /* the server has said what it takes */
    bool is_leaving; /* it takes no new calls */
    bool is_closing;
    bool is_broken;
    struct weir_error error; /* why */
    struct wr_client_call *calls;
};

struct wr_client_call {
    struct wr_grpc_client *client;
    struct wr_client_call *next; /* mutex: */
    char *path;
    struct wr_client_header *headers; /* copies */
    size_t n_headers;
    int64_t ends_at; /* 0: never */

    /* loop: */
    struct wr_buffer body;
    size_t sent;
    int32_t stream_id; /* 0: not begun */
    struct wr_assembler assembler;
    size_t header_bytes;
    int http_status;
    bool is_grpc;
    int grpc_status; /* -1: not said */
    char *message;   /* as it came */
    char sqlstate[8];
    int64_t position;

    /* mutex: */
    struct wr_incoming *first, *last;
    int64_t held; /* bytes of those */
    int64_t owed; /* bytes of the window that open when some are read */
    char *cookie;
    bool is_detached; /* the loop does not know it any more */
    bool is_cancelled;
    bool has_ended;
    struct weir_error error; /* how; code 0: well */
};

/* ---- grpc_client_http2.c, on the loop's thread ---- */

int wr_client_session_new(struct wr_grpc_client *client);
/* Submits the request. False: it cannot be. */
bool wr_client_submit(struct wr_client_call *call);
/* With the mutex held: how it ended, unless it has ended already. */
void wr_client_call_finish(struct wr_client_call *call, const struct weir_error *error);

/* ---- grpc_client_connect.c ---- */

/* A connected socket that does not block. */
int wr_client_connect(const struct wr_grpc_client_options *options, int64_t deadline, int *ret_fd,
                      struct weir_error *error);
int wr_client_tls_context(const struct wr_grpc_client_tls *options, SSL_CTX **ret_context,
                          struct weir_error *error);

/* ---- grpc_client_status.c ---- */

/* What a call that ended so is: by its status, or by HTTP/2's. code 0: it ended well. */
void wr_client_call_judge(const struct wr_client_call *call, uint32_t http2_error,
                          struct weir_error *ret_error);
/* A text of the server's into one that a terminal may get: no control characters, UTF-8; percent
 * encoding undone. */
void wr_client_clean(const char *text, char *ret_text, size_t size);

#endif
