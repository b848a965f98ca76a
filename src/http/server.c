/* SPDX-License-Identifier: Apache-2.0 */
/* The door's opening and closing. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "http/internal.h"

enum { MAX_THREADS = 4, ROOM_FOR_ANSWERS = 64 * 1024 };

static void say_nothing(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}

/* Escapes are decoded once, by http_decode_path and http_parameter. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

static unsigned count_threads(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

static int start_daemon(struct wr_http *door, int fd, struct weir_error *error) {
    const struct http_limits *limits = &door->limits;
    struct MHD_OptionItem tls[8];
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    size_t n = http_tls_options(door->tls, tls);
    tls[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    if (door->tls) flags |= MHD_USE_TLS;
    door->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_handle, door, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, count_threads(),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)limits->max_header + ROOM_FOR_ANSWERS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)limits->max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)limits->max_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((limits->write_ms + 999) / 1000),
        MHD_OPTION_NOTIFY_COMPLETED, http_completed, door, MHD_OPTION_NOTIFY_CONNECTION,
        http_connected, door, MHD_OPTION_URI_LOG_CALLBACK, http_began, door,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (door->daemon) return WEIR_OK;
    close(fd);
    return wr_error_set(error, WEIR_IO, NULL, "the HTTP server does not start");
}

/* What would let anybody in. */
static int check_exposure(struct wr_http *door, const char *listen, bool is_loopback,
                          struct weir_error *error) {
    bool knows_users = weir_workspace_authenticates(door->workspace);
    if (is_loopback || (door->tls && knows_users)) return WEIR_OK;
    return wr_error_set(
        error, WEIR_INVALID_ARGUMENT, NULL,
        "HTTP is not opened at %s, where other machines reach it: %s%s%s; listen at 127.0.0.1, or "
        "give both",
        listen, knows_users ? "" : "there are no users, so everybody could do everything",
        knows_users || door->tls ? "" : ", and ",
        door->tls ? "" : "there is no tls.certificate, so everybody could read along");
}

static int open_door(struct wr_http *door, const char *listen, struct weir_error *error) {
    int fd;
    bool is_loopback;
    WR_TRY(http_settings(door, error));
    WR_TRY(http_tls_open(door->workspace, &door->tls, error));
    WR_TRY(wr_pool_open("weir-http", (int)door->limits.max_requests, &door->pool, error));
    WR_TRY(http_watcher_open(door, error));
    WR_TRY(http_listen(listen, &fd, &is_loopback, door->address, error));
    int code = check_exposure(door, listen, is_loopback, error);
    if (code) {
        close(fd);
        return code;
    }
    return start_daemon(door, fd, error);
}

static int open_at_key(struct wr_http *door, const char *listen, struct weir_error *error) {
    char *configured = NULL;
    if (!listen) {
        WR_TRY(http_setting(door->workspace, "http.listen", &configured, error));
        listen = configured ? configured : "";
    }
    int code = open_door(door, listen, error);
    weir_free(configured);
    return code;
}

int wr_http_open(struct weir_workspace *workspace, const char *listen, struct wr_http **ret_door,
                 struct weir_error *error) {
    struct wr_http *door = wr_calloc(1, sizeof *door);
    if (!door) return wr_error_memory(error);
    door->workspace = workspace;
    door->epoll_fd = door->wake_fd = -1;
    pthread_mutex_init(&door->mutex, NULL);
    wr_condition_init(&door->quiet);
    int code = open_at_key(door, listen, error);
    if (code) {
        wr_http_close(door);
        return code;
    }
    *ret_door = door;
    return WEIR_OK;
}

const char *wr_http_address(const struct wr_http *door) {
    return door->address;
}

bool wr_http_has_tls(const struct wr_http *door) {
    return door->tls != NULL;
}

int wr_http_reload(struct wr_http *door, struct weir_error *error) {
    return http_tls_reload(door->tls, error);
}

void wr_http_drain(struct wr_http *door, int64_t deadline_ms) {
    atomic_store(&door->draining, true);
    (void)http_running_wait(door, deadline_ms);
}

void wr_http_close(struct wr_http *door) {
    if (!door) return;
    atomic_store(&door->draining, true);
    http_running_close(door);
    if (door->daemon) MHD_stop_daemon(door->daemon);
    wr_pool_close(door->pool);
    http_watcher_close(door);
    http_tls_close(door->tls);
    weir_free(door->origins);
    pthread_cond_destroy(&door->quiet);
    pthread_mutex_destroy(&door->mutex);
    wr_free(door);
}
