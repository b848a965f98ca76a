/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_server.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "flight/grpc_stream.h"
#include "flight/http2_connection.h"

/* ---- What lives ---- */

void wr_server_call_began(struct wr_grpc_server *server) {
    pthread_mutex_lock(&server->mutex);
    server->n_calls++;
    server->calls++;
    pthread_mutex_unlock(&server->mutex);
}

void wr_server_call_ended(struct wr_grpc_server *server) {
    pthread_mutex_lock(&server->mutex);
    server->n_calls--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

void wr_server_call_failed(struct wr_grpc_server *server) {
    atomic_fetch_add(&server->failed, 1);
}

void wr_server_connection_ended(struct wr_grpc_server *server, uint64_t address) {
    wr_addresses_leave(&server->addresses, address);
    pthread_mutex_lock(&server->mutex);
    atomic_fetch_sub(&server->n_connections, 1);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void free_client(struct wr_task *task) {
    struct wr_client *client =
        (struct wr_client *)((char *)task - offsetof(struct wr_client, task));
    struct wr_grpc_server *server = client->server;
    if (client->data && client->destroy) client->destroy(client->data);
    pthread_mutex_destroy(&client->mutex);
    wr_free(client->subject);
    wr_free(client);
    pthread_mutex_lock(&server->mutex);
    server->n_clients--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

void wr_server_forget_client(struct wr_grpc_server *server, struct wr_client *client) {
    client->task.run = free_client;
    wr_pool_submit(server->pool, &client->task);
}

struct wr_client *wr_client_new(struct wr_grpc_server *server, const struct sockaddr *address) {
    struct wr_client *client = wr_calloc(1, sizeof *client);
    if (!client) return NULL;
    wr_address_show(address, client->peer);
    atomic_init(&client->references, 1);
    pthread_mutex_init(&client->mutex, NULL);
    client->server = server;
    client->allowance.most = server->allowance.most / 4;
    client->allowance.whole = &server->allowance;
    pthread_mutex_lock(&server->mutex);
    server->n_clients++;
    server->connections++;
    pthread_mutex_unlock(&server->mutex);
    return client;
}

/* ---- Orders to the loops ---- */

#define PLACE(pointer, member)                                                                     \
    ((struct wr_place *)((char *)(pointer) - offsetof(struct wr_place, member)))

static void stop_listening(struct wr_place *place) {
    if (place == &place->server->places[0]) wr_server_stop_listening(place->server);
}

static void drain(struct wr_post *post) {
    struct wr_place *place = PLACE(post, drain);
    place->is_draining = true;
    stop_listening(place);
    for (struct wr_connection *c = place->connections; c; c = c->next)
        wr_connection_drain(c);
}

static void abort_calls(struct wr_post *post) {
    struct wr_place *place = PLACE(post, abort);
    for (struct wr_connection *c = place->connections; c; c = c->next) {
        for (struct wr_grpc_call *call = c->calls, *next; call; call = next) {
            next = call->next;
            wr_stream_abort(call, WR_GRPC_UNAVAILABLE, "the server is shutting down");
        }
    }
}

static void cut(struct wr_post *post) {
    struct wr_place *place = PLACE(post, cut);
    place->is_cut = true;
    stop_listening(place);
    while (place->connections)
        wr_connection_close(place->connections);
    pthread_mutex_lock(&place->server->mutex);
    place->server->n_cut++;
    pthread_cond_broadcast(&place->server->changed);
    pthread_mutex_unlock(&place->server->mutex);
}

/* ---- Life ---- */

static void set_default(int64_t *value, int64_t fallback) {
    if (*value <= 0) *value = fallback;
}

static int32_t or_default(int32_t value, int32_t fallback) {
    return value > 0 ? value : fallback;
}

static void take_options(struct wr_grpc_server *server, const struct wr_grpc_options *options) {
    struct wr_grpc_options *own = &server->options;
    *own = *options;
    own->max_threads = or_default(own->max_threads, 128);
    own->max_connections = or_default(own->max_connections, 4096);
    own->max_per_address = or_default(own->max_per_address, 2048);
    server->addresses.most = own->max_per_address;
    own->max_streams = or_default(own->max_streams, 256);
    set_default(&own->max_message, 64 << 20);
    set_default(&own->idle_ms, 2 * 3600 * 1000);
    set_default(&own->keepalive_ms, 2 * 60 * 1000);
    set_default(&own->keepalive_timeout_ms, 20 * 1000);
    set_default(&own->handshake_ms, 10 * 1000);
    server->allowance.most = own->max_message * 16;
    if (server->allowance.most < 256 << 20) server->allowance.most = 256 << 20;
}

static bool copy_text(const char *text, const char **ret_copy) {
    *ret_copy = wr_strdup(text);
    return !text || *ret_copy;
}

static int take_tls(struct wr_grpc_server *server, const struct wr_grpc_tls *tls,
                    struct weir_error *error) {
    if (!tls) return WEIR_OK;
    struct wr_grpc_tls *own = &server->tls_options;
    own->client_ca_is_required = tls->client_ca_is_required;
    if (!copy_text(tls->certificate, &own->certificate) || !copy_text(tls->key, &own->key) ||
        !copy_text(tls->client_ca, &own->client_ca))
        return wr_error_memory(error);
    server->options.tls = own;
    return wr_tls_context_new(own, &server->tls, error);
}

static int open_places(struct wr_grpc_server *server, struct weir_error *error) {
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n = n_cores < 1 ? 1 : n_cores > MAX_PLACES ? MAX_PLACES : (int)n_cores;
    for (int i = 0; i < n; i++) {
        struct wr_place *place = &server->places[i];
        place->server = server;
        place->drain.run = drain;
        place->abort.run = abort_calls;
        place->cut.run = cut;
        WR_TRY(wr_loop_open(&place->loop, error));
        server->n_places++;
    }
    return WEIR_OK;
}

static int start(struct wr_grpc_server *server, struct weir_error *error) {
    const struct wr_grpc_options *options = &server->options;
    WR_TRY(take_tls(server, options->tls, error));
    WR_TRY(open_places(server, error));
    WR_TRY(wr_server_listen(server, options->listen, error));
    WR_TRY(wr_pool_open("weir-flight", options->max_threads, &server->pool, error));
    WR_TRY(wr_pool_open("weir-exchange", options->max_threads, &server->exchanges, error));
    WR_TRY(wr_pool_open("weir-cancel", 4, &server->cancels, error));
    /* The one that listens comes last, so that no client comes while anything may fail still. */
    for (int i = server->n_places - 1; i >= 0; i--)
        WR_TRY(wr_loop_start(server->places[i].loop, "weir-flight-io", error));
    server->is_started = true;
    return WEIR_OK;
}

int wr_grpc_open(const struct wr_grpc_options *options, struct wr_grpc_server **ret_server,
                 struct weir_error *error) {
    struct wr_grpc_server *server = wr_calloc(1, sizeof *server);
    if (!server) return wr_error_memory(error);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_mutex_init(&server->addresses.mutex, NULL);
    wr_condition_init(&server->changed);
    wr_buffer_init(&server->address, 4096);
    take_options(server, options);
    int code = start(server, error);
    if (code) {
        wr_grpc_close(server);
        return code;
    }
    *ret_server = server;
    return WEIR_OK;
}

const char *wr_grpc_address(const struct wr_grpc_server *server) {
    return server->address.data;
}

/* ---- TLS ---- */

int wr_grpc_reload(struct wr_grpc_server *server, struct weir_error *error) {
    SSL_CTX *fresh = NULL;
    if (!server->options.tls) return WEIR_OK;
    WR_TRY(wr_tls_context_new(server->options.tls, &fresh, error));
    pthread_mutex_lock(&server->mutex);
    SSL_CTX *old = server->tls;
    server->tls = fresh;
    pthread_mutex_unlock(&server->mutex);
    SSL_CTX_free(old);
    return WEIR_OK;
}

bool wr_server_secure(struct wr_grpc_server *server, struct wr_tls **ret_tls) {
    *ret_tls = NULL;
    if (!server->options.tls) return true;
    pthread_mutex_lock(&server->mutex);
    SSL_CTX *context = server->tls;
    SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&server->mutex);
    *ret_tls = wr_tls_new(context);
    SSL_CTX_free(context);
    return *ret_tls != NULL;
}

/* ---- The end ---- */

/* Waits until `is_idle`, or so long; -1: for ever. */
static bool wait_for(struct wr_grpc_server *server, bool (*is_idle)(struct wr_grpc_server *server),
                     int64_t milliseconds) {
    struct timespec until = wr_condition_deadline(milliseconds);
    bool is_late = false;
    pthread_mutex_lock(&server->mutex);
    while (!is_idle(server) && !is_late) {
        if (milliseconds < 0) {
            pthread_cond_wait(&server->changed, &server->mutex);
        } else {
            is_late = pthread_cond_timedwait(&server->changed, &server->mutex, &until) == ETIMEDOUT;
        }
    }
    bool is_well = is_idle(server);
    pthread_mutex_unlock(&server->mutex);
    return is_well;
}

static bool has_no_connections(struct wr_grpc_server *server) {
    return atomic_load(&server->n_connections) == 0;
}

static bool has_nothing(struct wr_grpc_server *server) {
    return server->n_cut == server->n_places && server->n_calls == 0 && server->n_clients == 0 &&
           atomic_load(&server->n_connections) == 0;
}

static void order(struct wr_grpc_server *server, size_t offset) {
    for (int i = 0; i < server->n_places; i++) {
        struct wr_place *place = &server->places[i];
        wr_loop_post(place->loop, (struct wr_post *)((char *)place + offset));
    }
}

void wr_grpc_drain(struct wr_grpc_server *server, int64_t deadline_ms) {
    order(server, offsetof(struct wr_place, drain));
    if (wait_for(server, has_no_connections, deadline_ms < 0 ? 0 : deadline_ms)) return;
    order(server, offsetof(struct wr_place, abort));
    /* For the last words to get out. */
    wait_for(server, has_no_connections, LINGER_MS);
}

void wr_grpc_close(struct wr_grpc_server *server) {
    if (!server) return;
    if (server->is_started) {
        /* Connections that the first loop accepts meanwhile come to the others after this. */
        order(server, offsetof(struct wr_place, cut));
        wait_for(server, has_nothing, -1);
    } else {
        wr_server_stop_listening(server);
    }
    wr_pool_close(server->cancels);
    wr_pool_close(server->exchanges);
    wr_pool_close(server->pool);
    for (int i = server->n_places - 1; i >= 0; i--)
        wr_loop_close(server->places[i].loop);
    SSL_CTX_free(server->tls);
    wr_free((char *)server->tls_options.certificate);
    wr_free((char *)server->tls_options.key);
    wr_free((char *)server->tls_options.client_ca);
    wr_buffer_reset(&server->address);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->addresses.mutex);
    pthread_mutex_destroy(&server->mutex);
    wr_free(server);
}

void wr_grpc_look(struct wr_grpc_server *server, struct wr_grpc_figures *ret_figures) {
    pthread_mutex_lock(&server->mutex);
    *ret_figures = (struct wr_grpc_figures){
        .n_connections = atomic_load(&server->n_connections),
        .n_calls = server->n_calls,
        .connections = server->connections,
        .calls = server->calls,
        .failed = atomic_load(&server->failed),
        .bytes_out = atomic_load(&server->bytes_out),
        .bytes_in = atomic_load(&server->bytes_in),
    };
    pthread_mutex_unlock(&server->mutex);
}
