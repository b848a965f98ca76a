/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of the door, and the socket that it listens at. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/address.h"
#include "base/units.h"
#include "http/internal.h"

int http_setting(struct weir_workspace *workspace, const char *key, char **ret_value,
                 struct weir_error *error) {
    return weir_workspace_setting(workspace, key, ret_value, error);
}

static int read_number(struct weir_workspace *workspace, const char *key, int64_t *ret_number,
                       struct weir_error *error) {
    char *text = NULL;
    WR_TRY(http_setting(workspace, key, &text, error));
    bool good = text && wr_parse_int(text, ret_number);
    weir_free(text);
    return good ? WEIR_OK
                : wr_error_set(error, WEIR_INTERNAL, NULL, "the key %s is no number", key);
}

int http_settings(struct wr_http *door, struct weir_error *error) {
    struct http_limits *limits = &door->limits;
    const struct {
        const char *key;
        int64_t *number;
    } numbers[] = {
        {"http.max_body_bytes", &limits->max_body},
        {"http.max_header_bytes", &limits->max_header},
        {"http.max_connections", &limits->max_connections},
        {"http.max_connections_per_address", &limits->max_per_address},
        {"http.max_requests", &limits->max_requests},
        {"http.header_timeout", &limits->header_ms},
        {"http.body_timeout", &limits->body_ms},
        {"http.idle_timeout", &limits->idle_ms},
        {"http.write_timeout", &limits->write_ms},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        WR_TRY(read_number(door->workspace, numbers[i].key, numbers[i].number, error));
    return http_setting(door->workspace, "http.cors_origins", &door->origins, error);
}

/* ---- Listening ---- */

static int open_socket(const struct addrinfo *at) {
    int one = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static int name_socket(int fd, char ret_address[WR_ADDRESS_SIZE], struct weir_error *error) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return wr_error_errno(error, errno, "cannot listen");
    wr_address_show((struct sockaddr *)&address, ret_address);
    return WEIR_OK;
}

int http_listen(const char *text, int *ret_fd, bool *ret_is_loopback,
                char ret_address[WR_ADDRESS_SIZE], struct weir_error *error) {
    char host[WR_HOST_SIZE], port[WR_PORT_SIZE];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (!wr_address_split(text, host, port))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is no address to listen at; it is like 127.0.0.1:8080, "
                            "[::1]:8080 or *:8080",
                            text);
    int problem = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (problem)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "cannot listen at %s: %s", text,
                            gai_strerror(problem));
    int fd = open_socket(found), errnum = errno;
    bool loopback = wr_address_is_loopback(found->ai_addr);
    freeaddrinfo(found);
    if (fd < 0) return wr_error_errno(error, errnum, "cannot listen at %s", text);
    int code = name_socket(fd, ret_address, error);
    if (code) {
        close(fd);
        return code;
    }
    *ret_fd = fd;
    *ret_is_loopback = loopback;
    return WEIR_OK;
}
