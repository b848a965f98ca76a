/* SPDX-License-Identifier: Apache-2.0 */
/* A socket to a server, and what TLS is agreed upon with it. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "flight/grpc_client_state.h"

enum { TICK_MS = 100, IDLE_S = 30, PROBE_S = 10, PROBES = 3 };

/* ---- The socket ---- */

/* A host that vanished is noticed within a minute; one that only computes is waited for. */
static void prepare(int fd) {
    int one = 1, idle = IDLE_S, interval = PROBE_S, count = PROBES;
    unsigned timeout = (IDLE_S + PROBE_S * PROBES) * 1000;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
}

/* 0, or an errno value; ECANCELED when stopped. */
static int finish(int fd, const struct wr_grpc_client_options *options, int64_t deadline) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    for (;;) {
        if (options->is_stopped && options->is_stopped()) return ECANCELED;
        int64_t left = deadline - wr_clock_ms();
        if (left <= 0) return ETIMEDOUT;
        int n = poll(&wait, 1, left < TICK_MS ? (int)left : TICK_MS);
        if (n < 0 && errno != EINTR) return errno;
        if (n <= 0) continue;
        int errnum = 0;
        socklen_t size = sizeof errnum;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &size);
        return errnum;
    }
}

static int try_address(const struct addrinfo *address, const struct wr_grpc_client_options *options,
                       int64_t deadline, int *ret_fd) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    prepare(fd);
    int errnum = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (errnum == EINPROGRESS || errnum == EINTR) errnum = finish(fd, options, deadline);
    if (errnum) {
        close(fd);
        return errnum;
    }
    *ret_fd = fd;
    return 0;
}

int wr_client_connect(const struct wr_grpc_client_options *options, int64_t deadline, int *ret_fd,
                      struct weir_error *error) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    struct addrinfo *addresses = NULL;
    int failure = getaddrinfo(options->host, options->port, &hints, &addresses);
    if (failure) {
        return wr_error_set(error, WEIR_IO, "08001", "cannot find the host %s: %s", options->host,
                            gai_strerror(failure));
    }
    int errnum = EHOSTUNREACH;
    for (const struct addrinfo *at = addresses; at && errnum && errnum != ECANCELED;
         at = at->ai_next)
        errnum = try_address(at, options, deadline, ret_fd);
    freeaddrinfo(addresses);
    if (!errnum) return WEIR_OK;
    if (errnum == ECANCELED) return wr_error_set(error, WEIR_CANCELLED, "57014", "cancelled");
    return wr_error_set(error, errnum == ETIMEDOUT ? WEIR_TIMEOUT : WEIR_IO, "08001",
                        "cannot connect to %s port %s: %s", options->host, options->port,
                        strerror(errnum));
}

/* ---- TLS ---- */

static int complain(struct weir_error *error, const char *what, const char *path) {
    unsigned long first = ERR_get_error();
    const char *reason = first ? ERR_reason_error_string(first) : NULL;
    ERR_clear_error();
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s \"%s\": %s", what, path,
                        reason ? reason : "it cannot be used");
}

/* A key with a password of its own is not asked for: the terminal is the statements'. */
static int have_no_password(char *buffer, int size, int is_writing, void *context) {
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static int load(SSL_CTX *context, const struct wr_grpc_client_tls *options,
                struct weir_error *error) {
    if (options->ca && SSL_CTX_load_verify_file(context, options->ca) != 1)
        return complain(error, "authority of certificates", options->ca);
    if (!options->ca && SSL_CTX_set_default_verify_paths(context) != 1)
        return complain(error, "authorities of certificates", "of the system");
    if (!options->certificate) return WEIR_OK;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return complain(error, "certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return complain(error, "private key", options->key);
    return WEIR_OK;
}

int wr_client_tls_context(const struct wr_grpc_client_tls *options, SSL_CTX **ret_context,
                          struct weir_error *error) {
    static const unsigned char h2[] = {2, 'h', '2'};
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) return wr_error_memory(error);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(context, have_no_password);
    bool has_failed = SSL_CTX_set_alpn_protos(context, h2, sizeof h2) != 0;
    int code = has_failed ? wr_error_memory(error) : load(context, options, error);
    if (code) {
        SSL_CTX_free(context);
        return code;
    }
    *ret_context = context;
    return WEIR_OK;
}
