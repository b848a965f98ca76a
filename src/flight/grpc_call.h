/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call: the stream of HTTP/2 that a loop's thread sees, and the functions of the service that the
 * pool's threads run.
 *
 * It has a reference for its stream, for each running or waiting task, each post, and each message
 * on its way out. What stands under `mutex` is both sides'; the rest is the loop's, or does not
 * change once the call was started.
 */
#ifndef WR_GRPC_CALL_H
#define WR_GRPC_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/pool.h"
#include "flight/grpc.h"
#include "flight/grpc_assemble.h"
#include "flight/grpc_headers.h"
#include "flight/grpc_message.h"
#include "flight/loop.h"

struct wr_connection;

enum {
    /* Made and not sent: two, and more only while they are small. */
    MESSAGES_AHEAD = 2,
    BYTES_AHEAD = 3 << 20,
    MOST_MESSAGES_AHEAD = 64,
    MESSAGES_BEHIND = 2,         /* received and not read, before the client is held up */
    MAX_HEADER_BYTES = 64 << 10, /* of a client's list */
    REQUEST_MS = 60 * 1000       /* without a byte of a message that is waited for */
};

/* What is known of a client, as long as its connection or a call of it. */
struct wr_client {
    atomic_int references;
    struct wr_grpc_server *server;
    char peer[WR_ADDRESS_SIZE];
    char *subject; /* NULL: no certificate */
    struct wr_allowance allowance;
    struct wr_task task;   /* frees it, since the service's destroy may take its time */
    pthread_mutex_t mutex; /* guards what follows */
    void *data;
    void (*destroy)(void *data);
};

/* With one reference; NULL: no memory. */
struct wr_client *wr_client_new(struct wr_grpc_server *server, const struct sockaddr *address);
struct wr_client *wr_client_ref(struct wr_client *client);
void wr_client_unref(struct wr_client *client); /* NULL is welcome */

/* How a call ends. */
struct wr_ending {
    enum wr_grpc_status status;
    char *message;    /* percent-encoded; NULL: none */
    char sqlstate[8]; /* "": none */
    int64_t position; /* 0: none */
};

struct wr_grpc_call {
    atomic_int references;
    struct wr_grpc_server *server;
    struct wr_client *client;
    struct wr_loop *loop;
    const struct wr_grpc_method *method; /* NULL: refused before it was started */
    struct wr_headers headers;
    int64_t deadline; /* by wr_clock_ms; INT64_MAX: none */
    int64_t began;

    /* The loop's. */
    struct wr_connection *connection; /* NULL: the stream is closed */
    int32_t stream_id;
    struct wr_grpc_call *previous, *next; /* of the connection */
    struct wr_timer timer;
    struct wr_assembler assembler;
    int64_t input_at;      /* when bytes came last */
    size_t withheld;       /* bytes of the stream's window that were not given back */
    size_t n_messages;     /* received */
    int http_status;       /* of the answer; 0: 200 */
    const char *objection; /* the answer to what is no gRPC, once all of it has come */
    bool names_encodings;  /* the answer says which there are */
    bool has_headers;      /* they are complete, and were judged */
    bool has_input_end;
    bool is_refusing_input; /* what comes still is thrown away */
    struct wr_outgoing *sending, *last_sending;
    bool has_answered; /* headers, or everything, were submitted */
    bool has_trailers; /* they were submitted */
    bool is_deferred;  /* HTTP/2 waits for more of it */
    bool is_ending;    /* with `final`, once `sending` is empty */
    struct wr_ending final;

    struct wr_post post; /* to the loop */
    struct wr_task task; /* functions of the service */
    struct wr_task cancel_task;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_started;    /* a task was submitted, or an exchange runs */
    bool is_running;    /* a task waits or runs */
    bool is_cancelling; /* a function for cancelling is called */
    bool is_over;       /* nothing that the service does matters any more */
    bool is_done;       /* the service will not be called any more */
    bool has_reply;
    struct wr_grpc_reply reply;
    void (*on_cancel)(void *context);
    void *on_cancel_context;
    size_t n_ahead, bytes_ahead;
    struct wr_outgoing *made, *last_made; /* not yet the loop's */
    bool has_ended;
    struct wr_ending ending;
    struct wr_headers answer, trailers;
    bool answer_is_fixed; /* its headers are on their way */
    struct wr_incoming *incoming, *last_incoming, *current;
    int n_incoming;
    bool is_input_over;  /* no more will come */
    bool is_withholding; /* the client is held up until messages are read */
};

struct wr_grpc_call *wr_call_new(struct wr_grpc_server *server, struct wr_client *client,
                                 struct wr_loop *loop);
struct wr_grpc_call *wr_call_ref(struct wr_grpc_call *call);
void wr_call_unref(struct wr_grpc_call *call);

/* ---- From the loop ---- */

/* Gives it to the pool. */
void wr_call_start(struct wr_grpc_call *call);
/* Nothing of it matters any more: running functions are cancelled. Idempotent. */
void wr_call_give_up(struct wr_grpc_call *call);
/* A message has arrived: takes it over. True: enough of them wait. */
bool wr_call_receive(struct wr_grpc_call *call, struct wr_incoming *message);
void wr_call_receive_end(struct wr_grpc_call *call);
/* One of its messages, of so many bytes, was released. */
void wr_call_sent(struct wr_grpc_call *call, size_t length);

/* ---- From anywhere ---- */

/* The ending of an error's code, or of OK. */
void wr_ending_set(struct wr_ending *ending, enum wr_grpc_status status,
                   const struct weir_error *error);
void wr_ending_free(struct wr_ending *ending);
/* The loop shall look at the call. */
void wr_call_post(struct wr_grpc_call *call);

#endif
