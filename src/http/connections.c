/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libmicrohttpd leaves out: deadlines for whole headers and bodies (its own is for silence
 * only), and clients that go away while their connection is suspended. One thread sees to both.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/internal.h"

enum { LOOK_MS = 250 };

/* ---- Connections ---- */

struct http_connection *http_connection_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void name_peer(struct MHD_Connection *connection, char peer[WR_ADDRESS_SIZE]) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    peer[0] = '\0';
    if (info && info->client_addr) wr_address_show(info->client_addr, peer);
}

static void connect_one(struct wr_http *door, struct MHD_Connection *connection,
                        void **ret_socket) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_connection *socket = info ? wr_calloc(1, sizeof *socket) : NULL;
    atomic_fetch_add(&door->counters.connections, 1);
    *ret_socket = socket;
    if (!socket) return; /* its requests are refused */
    socket->fd = info->connect_fd;
    socket->deadline_ms = wr_clock_ms() + door->limits.header_ms;
    name_peer(connection, socket->peer);
    pthread_mutex_lock(&door->mutex);
    socket->next = door->connections;
    if (socket->next) socket->next->previous = socket;
    door->connections = socket;
    bool is_first = door->n_connections++ == 0;
    pthread_mutex_unlock(&door->mutex);
    if (is_first) (void)eventfd_write(door->wake_fd, 1);
}

/* Before libmicrohttpd closes the socket, whose number may then be another one's. */
static void disconnect_one(struct wr_http *door, struct http_connection *socket) {
    if (!socket) return;
    pthread_mutex_lock(&door->mutex);
    if (socket->next) socket->next->previous = socket->previous;
    if (socket->previous) {
        socket->previous->next = socket->next;
    } else {
        door->connections = socket->next;
    }
    door->n_connections--;
    pthread_mutex_unlock(&door->mutex);
    wr_free(socket);
}

void http_connected(void *context, struct MHD_Connection *connection, void **ret_socket,
                    enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connect_one(context, connection, ret_socket);
    } else {
        disconnect_one(context, *ret_socket);
        *ret_socket = NULL;
    }
}

void http_deadline(struct wr_http *door, struct http_connection *socket, int64_t ms) {
    if (!socket) return;
    pthread_mutex_lock(&door->mutex);
    socket->deadline_ms = ms > 0 ? wr_clock_ms() + ms : 0;
    pthread_mutex_unlock(&door->mutex);
}

/* The first line of a request is there: the rest of the headers has to come in time. */
void *http_began(void *context, const char *uri, struct MHD_Connection *connection) {
    struct wr_http *door = context;
    (void)uri;
    http_deadline(door, http_connection_of(connection), door->limits.header_ms);
    return NULL;
}

/* ---- The watcher ---- */

void http_watch(struct http_request *request) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = request->serial};
    if (request->socket)
        (void)epoll_ctl(request->door->epoll_fd, EPOLL_CTL_ADD, request->socket->fd, &event);
}

void http_unwatch(struct http_request *request) {
    if (request->socket)
        (void)epoll_ctl(request->door->epoll_fd, EPOLL_CTL_DEL, request->socket->fd, NULL);
}

/* libmicrohttpd finds the socket ended, and closes it. */
static void end_late_ones(struct wr_http *door) {
    int64_t now = wr_clock_ms();
    pthread_mutex_lock(&door->mutex);
    for (struct http_connection *socket = door->connections; socket; socket = socket->next) {
        if (socket->deadline_ms == 0 || now < socket->deadline_ms) continue;
        socket->deadline_ms = 0;
        (void)shutdown(socket->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&door->mutex);
}

static void client_left(struct wr_http *door, uint64_t serial) {
    struct http_request *request = http_running_by_serial(door, serial);
    if (!request) return;
    http_abandon(request);
    http_release(request);
}

static void *watch(void *context) {
    struct wr_http *door = context;
    struct epoll_event events[32];
    for (;;) {
        pthread_mutex_lock(&door->mutex);
        int wait = door->n_connections > 0 ? LOOK_MS : -1;
        bool ends = !door->has_watcher;
        pthread_mutex_unlock(&door->mutex);
        if (ends) break;
        int n = epoll_wait(door->epoll_fd, events, 32, wait);
        for (int i = 0; i < n; i++) {
            eventfd_t ignored;
            if (events[i].data.u64 == 0) {
                (void)eventfd_read(door->wake_fd, &ignored);
            } else {
                client_left(door, events[i].data.u64);
            }
        }
        end_late_ones(door);
        http_running_abandon(door, false);
    }
    return NULL;
}

int http_watcher_open(struct wr_http *door, struct weir_error *error) {
    struct epoll_event event = {.events = EPOLLIN};
    sigset_t all, former;
    door->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    door->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (door->epoll_fd < 0 || door->wake_fd < 0 ||
        epoll_ctl(door->epoll_fd, EPOLL_CTL_ADD, door->wake_fd, &event) != 0)
        return wr_error_errno(error, errno, "cannot watch connections");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    door->has_watcher = true;
    int errnum = pthread_create(&door->watcher, NULL, watch, door);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    if (errnum == 0) {
        pthread_setname_np(door->watcher, "weir-http-watch");
        return WEIR_OK;
    }
    door->has_watcher = false;
    return wr_error_errno(error, errnum, "cannot start a thread");
}

void http_watcher_close(struct wr_http *door) {
    pthread_mutex_lock(&door->mutex);
    bool runs = door->has_watcher;
    door->has_watcher = false;
    pthread_mutex_unlock(&door->mutex);
    if (runs) {
        (void)eventfd_write(door->wake_fd, 1);
        pthread_join(door->watcher, NULL);
    }
    if (door->epoll_fd >= 0) close(door->epoll_fd);
    if (door->wake_fd >= 0) close(door->wake_fd);
}
