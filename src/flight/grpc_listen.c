/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listen at, and the clients that come there. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/grpc_server.h"
#include "flight/http2_connection.h"

enum { BACKLOG = 1024, ACCEPTS_PER_TURN = 64, PAUSE_MS = 100 };

static struct wr_place *least_used(struct wr_grpc_server *server) {
    struct wr_place *least = &server->places[0];
    for (int i = 1; i < server->n_places; i++) {
        if (atomic_load(&server->places[i].n_connections) < atomic_load(&least->n_connections))
            least = &server->places[i];
    }
    return least;
}

static void take_client(struct wr_grpc_server *server, int fd, const struct sockaddr *address) {
    uint64_t key = wr_address_key(address);
    if (atomic_load(&server->n_connections) >= server->options.max_connections ||
        !wr_addresses_enter(&server->addresses, key)) {
        close(fd);
        return;
    }
    struct wr_place *place = least_used(server);
    atomic_fetch_add(&server->n_connections, 1);
    atomic_fetch_add(&place->n_connections, 1);
    if (wr_connection_open(server, place, fd, address, NULL)) {
        atomic_fetch_sub(&place->n_connections, 1);
        wr_server_connection_ended(server, key);
    }
}

static void accept_clients(struct wr_watch *watch, uint32_t events) {
    (void)events;
    struct wr_listener *listener =
        (struct wr_listener *)((char *)watch - offsetof(struct wr_listener, watch));
    struct wr_loop *loop = listener->server->places[0].loop;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        int fd =
            accept4(watch->fd, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take_client(listener->server, fd, (struct sockaddr *)&address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* It would be told of the same client again and again. */
            if (wr_loop_set_timer(loop, &listener->timer, wr_loop_now(loop) + PAUSE_MS))
                wr_loop_rewatch(loop, watch, 0);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
    }
}

static void go_on(struct wr_timer *timer) {
    struct wr_listener *listener =
        (struct wr_listener *)((char *)timer - offsetof(struct wr_listener, timer));
    wr_loop_rewatch(listener->server->places[0].loop, &listener->watch, EPOLLIN);
}

static void set_port(struct sockaddr *address, uint16_t port) {
    if (address->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    }
}

static uint16_t get_port(const struct sockaddr *address) {
    return ntohs(address->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

/* Adds a listener and its address to the server's. `port` of 0: any, and it is told. */
static int open_listener(struct wr_grpc_server *server, const struct addrinfo *info,
                         uint16_t *port) {
    if (server->n_listeners == MAX_LISTENERS) return E2BIG;
    struct sockaddr_storage address = {0};
    socklen_t length = info->ai_addrlen;
    memcpy(&address, info->ai_addr, length);
    if (*port) set_port((struct sockaddr *)&address, *port);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (info->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    struct wr_listener *listener = &server->listeners[server->n_listeners];
    *listener = (struct wr_listener){{fd, accept_clients}, {.fire = go_on}, server};
    char shown[WR_ADDRESS_SIZE];
    int errnum = 0;
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, BACKLOG) ||
        getsockname(fd, (struct sockaddr *)&address, &length))
        errnum = errno;
    if (!errnum) errnum = wr_loop_watch(server->places[0].loop, &listener->watch, EPOLLIN);
    if (errnum) {
        close(fd);
        return errnum;
    }
    *port = get_port((struct sockaddr *)&address);
    server->n_listeners++;
    wr_address_show((struct sockaddr *)&address, shown);
    wr_buffer_format(&server->address, "%s%s", server->address.length ? "," : "", shown);
    return 0;
}

static int check_public(const struct wr_grpc_server *server, const char *text,
                        const struct addrinfo *found, struct weir_error *error) {
    const char *takes = server->options.public_takes;
    for (const struct addrinfo *info = found; takes && info; info = info->ai_next) {
        if (!wr_address_is_loopback(info->ai_addr))
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "28000",
                                "cannot listen at \"%s\", which other machines reach: that takes "
                                "%s; 127.0.0.1 takes neither",
                                text, takes);
    }
    return WEIR_OK;
}

/* A name may have several addresses, not all of which this machine can use (IPv6). */
static int open_all(struct wr_grpc_server *server, const char *text, const struct addrinfo *found,
                    struct weir_error *error) {
    int errnum = 0, n_before = server->n_listeners;
    uint16_t chosen = 0;
    for (const struct addrinfo *info = found; info; info = info->ai_next) {
        if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
        int failure = open_listener(server, info, &chosen);
        if (failure && failure != EAFNOSUPPORT && failure != EADDRNOTAVAIL) {
            errnum = failure;
            break;
        }
        if (failure && !errnum) errnum = failure;
    }
    if (server->n_listeners == n_before ||
        (errnum && errnum != EAFNOSUPPORT && errnum != EADDRNOTAVAIL))
        return wr_error_errno(error, errnum ? errnum : EADDRNOTAVAIL, "cannot listen at \"%s\"",
                              text);
    return WEIR_OK;
}

static int listen_at(struct wr_grpc_server *server, const char *text, struct weir_error *error) {
    char host[WR_HOST_SIZE], port[WR_PORT_SIZE];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (!wr_address_split(text, host, port))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "cannot listen at \"%s\": it is not HOST:PORT", text);
    int problem = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (problem)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "cannot listen at \"%s\": %s", text,
                            gai_strerror(problem));
    int code = check_public(server, text, found, error);
    if (!code) code = open_all(server, text, found, error);
    freeaddrinfo(found);
    return code;
}
int wr_server_listen(struct wr_grpc_server *server, const char *listen, struct weir_error *error) {
    char *list = wr_strdup(listen), *rest = list, *text;
    if (!list) return wr_error_memory(error);
    int code = WEIR_OK;
    while (!code && (text = strsep(&rest, ","))) {
        text += strspn(text, " ");
        text[strcspn(text, " ")] = '\0';
        code = listen_at(server, text, error);
    }
    wr_free(list);
    if (!code && server->address.failed) code = wr_error_memory(error);
    return code;
}

void wr_server_stop_listening(struct wr_grpc_server *server) {
    for (int i = 0; i < server->n_listeners; i++) {
        struct wr_listener *listener = &server->listeners[i];
        int fd = listener->watch.fd;
        if (fd < 0) continue;
        wr_loop_clear_timer(server->places[0].loop, &listener->timer);
        wr_loop_unwatch(server->places[0].loop, &listener->watch);
        close(fd);
    }
}
