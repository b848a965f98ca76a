/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own view of itself. */
#ifndef WR_GRPC_SERVER_H
#define WR_GRPC_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/pool.h"
#include "flight/grpc.h"
#include "flight/grpc_addresses.h"
#include "flight/grpc_call.h"
#include "flight/loop.h"
#include "flight/tls.h"

enum { MAX_PLACES = 8, MAX_LISTENERS = 16 };

struct wr_connection;

/* A loop, and the connections that are on it. */
struct wr_place {
    struct wr_grpc_server *server;
    struct wr_loop *loop;
    struct wr_connection *connections;
    atomic_int n_connections; /* also those on their way to it */
    struct wr_post drain, abort, cut;
    bool is_draining, is_cut; /* the loop's */
};

struct wr_listener {
    struct wr_watch watch;
    struct wr_timer timer; /* when it goes on after there were no descriptors left */
    struct wr_grpc_server *server;
};

struct wr_grpc_server {
    struct wr_grpc_options options; /* with defaults filled in */
    struct wr_grpc_tls tls_options; /* texts are copies; without a certificate: no TLS */
    struct wr_pool *pool;           /* functions of calls */
    struct wr_pool *exchanges;      /* those that hold their threads */
    struct wr_pool *cancels;
    struct wr_place places[MAX_PLACES];
    int n_places;
    struct wr_listener listeners[MAX_LISTENERS]; /* on the first place */
    int n_listeners;
    struct wr_buffer address;
    struct wr_allowance allowance;
    struct wr_addresses addresses;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    int64_t n_calls, n_clients; /* that exist */
    int64_t connections, calls;
    int n_cut; /* places whose connections were closed for good */
    bool is_started;
    SSL_CTX *tls; /* NULL: without */

    _Atomic int64_t n_connections; /* sockets that are open */
    _Atomic int64_t failed, bytes_in, bytes_out;
};

void wr_server_call_began(struct wr_grpc_server *server);
void wr_server_call_ended(struct wr_grpc_server *server);
void wr_server_call_failed(struct wr_grpc_server *server);
void wr_server_client_began(struct wr_grpc_server *server);
/* Frees it on the pool. */
void wr_server_forget_client(struct wr_grpc_server *server, struct wr_client *client);
/* A socket was closed; `address` is what it was counted for (wr_address_key). */
void wr_server_connection_ended(struct wr_grpc_server *server, uint64_t address);

/* A new connection's TLS; NULL without. False: no memory. */
bool wr_server_secure(struct wr_grpc_server *server, struct wr_tls **ret_tls);

/* grpc_listen.c */
int wr_server_listen(struct wr_grpc_server *server, const char *listen, struct weir_error *error);
void wr_server_stop_listening(
    struct wr_grpc_server *server); /* on the first loop, or without one */

#endif
