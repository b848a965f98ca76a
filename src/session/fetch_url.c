/* SPDX-License-Identifier: Apache-2.0 */
/* A GET as small as it can be: one request, one connection, one deadline, no redirects. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "session/jwt.h"

enum { MOST_HEAD = 32 << 10 };

struct address {
    bool tls;
    char host[256];
    char port[8];
    const char *path;
};

static bool take_apart(const char *url, struct address *address) {
    address->tls = strncmp(url, "https://", 8) == 0;
    if (!address->tls && strncmp(url, "http://", 7) != 0) return false;
    const char *at = url + (address->tls ? 8 : 7);
    const char *end = at + strcspn(at, "/?#");
    address->path = *end ? end : "/";
    bool bracket = *at == '[';
    const char *stop =
        bracket ? memchr(at, ']', (size_t)(end - at)) : memchr(at, ':', (size_t)(end - at));
    if (bracket && !stop) return false;
    const char *host = bracket ? at + 1 : at;
    const char *host_end = stop ? stop : end;
    const char *port = bracket ? stop + 1 : host_end;
    size_t length = (size_t)(host_end - host);
    if (length == 0 || length >= sizeof address->host || memchr(host, '@', length)) return false;
    memcpy(address->host, host, length);
    address->host[length] = '\0';
    snprintf(address->port, sizeof address->port, "%s", address->tls ? "443" : "80");
    if (port == end) return true;
    size_t digits = (size_t)(end - port) - 1;
    if (*port != ':' || digits == 0 || digits > 5 || strspn(port + 1, "0123456789") < digits)
        return false;
    memcpy(address->port, port + 1, digits);
    address->port[digits] = '\0';
    return true;
}

bool wr_is_fetchable(const char *url) {
    struct address address;
    for (const char *c = url; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
    }
    if (!take_apart(url, &address) || *address.path == '#' || *address.path == '?') return false;
    return address.tls || strcmp(address.host, "127.0.0.1") == 0 ||
           strcmp(address.host, "::1") == 0 || strcmp(address.host, "localhost") == 0;
}

/* ---- The connection ---- */

struct link {
    int fd;
    int64_t deadline_ms;
    SSL_CTX *context;
    SSL *ssl;
};

static bool wait_for(const struct link *link, short events) {
    for (;;) {
        int64_t left = link->deadline_ms - wr_clock_ms();
        struct pollfd poller = {.fd = link->fd, .events = events};
        if (left <= 0) return false;
        int n = poll(&poller, 1, (int)left);
        if (n > 0) return true;
        if (n < 0 && errno != EINTR) return false;
    }
}

static bool connect_to(struct link *link, const struct addrinfo *to) {
    int problem = 0;
    socklen_t size = sizeof problem;
    link->fd = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0) return false;
    bool good = connect(link->fd, to->ai_addr, to->ai_addrlen) == 0;
    if (!good && errno == EINPROGRESS && wait_for(link, POLLOUT))
        good = getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
    if (good) return true;
    close(link->fd);
    link->fd = -1;
    return false;
}

/* What an operation of TLS waits for; false when it failed. */
static bool wait_tls(const struct link *link, int result) {
    int why = SSL_get_error(link->ssl, result);
    if (why == SSL_ERROR_WANT_READ) return wait_for(link, POLLIN);
    return why == SSL_ERROR_WANT_WRITE && wait_for(link, POLLOUT);
}

static bool begin_tls(struct link *link, const char *host) {
    link->context = SSL_CTX_new(TLS_client_method());
    if (!link->context || SSL_CTX_set_default_verify_paths(link->context) != 1 ||
        SSL_CTX_set_min_proto_version(link->context, TLS1_2_VERSION) != 1)
        return false;
    SSL_CTX_set_verify(link->context, SSL_VERIFY_PEER, NULL);
    link->ssl = SSL_new(link->context);
    if (!link->ssl || SSL_set_fd(link->ssl, link->fd) != 1 || SSL_set1_host(link->ssl, host) != 1)
        return false;
    SSL_set_tlsext_host_name(link->ssl, host);
    for (;;) {
        int result = SSL_connect(link->ssl);
        if (result == 1) return true;
        if (!wait_tls(link, result)) return false;
    }
}

static bool open_link(struct link *link, const struct address *address) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool good = false;
    if (getaddrinfo(address->host, address->port, &hints, &found) != 0) return false;
    for (const struct addrinfo *at = found; at && !good; at = at->ai_next)
        good = connect_to(link, at);
    freeaddrinfo(found);
    return good && (!address->tls || begin_tls(link, address->host));
}

static void close_link(struct link *link) {
    SSL_free(link->ssl);
    SSL_CTX_free(link->context);
    if (link->fd >= 0) close(link->fd);
    ERR_clear_error();
}

/* More than 0: bytes; 0: the end; -1: a failure. */
static int receive(const struct link *link, char *data, size_t size) {
    for (;;) {
        if (!link->ssl) {
            ssize_t n = recv(link->fd, data, size, 0);
            if (n >= 0) return (int)n;
            if (errno == EINTR) continue;
            if (errno != EAGAIN || !wait_for(link, POLLIN)) return -1;
            continue;
        }
        int n = SSL_read(link->ssl, data, (int)size);
        if (n > 0) return n;
        if (SSL_get_error(link->ssl, n) == SSL_ERROR_ZERO_RETURN) return 0;
        if (!wait_tls(link, n)) return -1;
    }
}

static bool send_all(const struct link *link, const char *data, size_t length) {
    while (length > 0) {
        ssize_t n = link->ssl ? SSL_write(link->ssl, data, (int)length)
                              : send(link->fd, data, length, MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (link->ssl ? !wait_tls(link, (int)n)
                             : errno != EINTR && (errno != EAGAIN || !wait_for(link, POLLOUT))) {
            return false;
        }
    }
    return true;
}

/* ---- The answer ---- */

static bool read_all(const struct link *link, struct wr_buffer *answer) {
    char data[8192];
    int n = 0;
    while (!answer->failed && (n = receive(link, data, sizeof data)) > 0)
        wr_buffer_add(answer, data, (size_t)n);
    return n == 0 && !answer->failed;
}

/* The value of a header; NULL without it. The head ends in an empty line. */
static const char *header(const char *head, const char *name, size_t *ret_length) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) != 0 || line[2 + length] != ':') continue;
        const char *value = line + 3 + length;
        value += strspn(value, " \t");
        *ret_length = strcspn(value, "\r\n");
        return value;
    }
    return NULL;
}

/* Takes the chunks together, in their place. */
static bool join_chunks(char *body, size_t length, size_t *ret_length) {
    char *out = body;
    const char *at = body;
    const char *end = body + length;
    for (;;) {
        size_t size = 0;
        int n_digits = 0;
        for (; at < end && strchr("0123456789abcdefABCDEF", *at) && *at; at++) {
            if (++n_digits > 7) return false;
            size = size * 16 + (size_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
        }
        const char *line = n_digits > 0 ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!line) return false;
        at = line + 1;
        if (size == 0) break;
        if ((size_t)(end - at) < size + 2) return false;
        memmove(out, at, size);
        out += size;
        at += size + 2;
    }
    *ret_length = (size_t)(out - body);
    return true;
}

static bool take_body(struct wr_buffer *answer, size_t most, size_t *ret_start,
                      size_t *ret_length) {
    char *end = answer->data ? strstr(answer->data, "\r\n\r\n") : NULL;
    size_t n = 0;
    if (!end || strncmp(answer->data, "HTTP/1.", 7) != 0 ||
        strncmp(answer->data + 8, " 200", 4) != 0)
        return false;
    char *body = end + 4;
    size_t length = answer->length - (size_t)(body - answer->data);
    end[2] = '\0'; /* the head ends here; its last line has its "\r\n" */
    const char *coding = header(answer->data, "Transfer-Encoding", &n);
    const char *told = NULL;
    if (coding) {
        if (n != 7 || strncasecmp(coding, "chunked", 7) != 0) return false;
        if (!join_chunks(body, length, &length)) return false;
    } else if ((told = header(answer->data, "Content-Length", &n))) {
        char digits[16];
        int64_t number = 0;
        if (n == 0 || n >= sizeof digits) return false;
        memcpy(digits, told, n);
        digits[n] = '\0';
        if (!wr_parse_int(digits, &number) || number < 0 || (size_t)number > length) return false;
        length = (size_t)number;
    }
    if (length > most) return false;
    body[length] = '\0';
    *ret_start = (size_t)(body - answer->data);
    *ret_length = length;
    return true;
}

/* OpenSSL writes without MSG_NOSIGNAL, and the program around the library may not ignore the signal
 * of a peer that went away. */
static bool hold_sigpipe(sigset_t *ret_before) {
    sigset_t set;
    sigset_t pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigpending(&pending);
    return !sigismember(&pending, SIGPIPE) && pthread_sigmask(SIG_BLOCK, &set, ret_before) == 0;
}

static void drop_sigpipe(const sigset_t *before) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    while (sigtimedwait(&set, NULL, &(struct timespec){0}) == SIGPIPE)
        continue;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static bool exchange(struct link *link, const struct address *address, struct wr_buffer *answer) {
    char request[4096];
    bool six = strchr(address->host, ':') != NULL;
    int n = snprintf(request, sizeof request,
                     "GET %.*s HTTP/1.1\r\nHost: %s%s%s:%s\r\nAccept: application/json\r\n"
                     "User-Agent: weir\r\nConnection: close\r\n\r\n",
                     (int)strcspn(address->path, "#"), address->path, six ? "[" : "", address->host,
                     six ? "]" : "", address->port);
    if (n < 0 || (size_t)n >= sizeof request) return false;
    return open_link(link, address) && send_all(link, request, (size_t)n) && read_all(link, answer);
}

int wr_fetch_url(const char *url, size_t most, int64_t timeout_ms, char **ret_body,
                 size_t *ret_length, struct weir_error *error) {
    struct address address = {0};
    struct link link = {.fd = -1, .deadline_ms = wr_clock_ms() + timeout_ms};
    struct wr_buffer answer;
    size_t start = 0;
    size_t length = 0;
    if (!wr_is_fetchable(url) || !take_apart(url, &address))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is no https URL, nor an http one of this machine", url);
    wr_buffer_init(&answer, most + MOST_HEAD);
    sigset_t before;
    bool held = hold_sigpipe(&before);
    bool good = exchange(&link, &address, &answer) && take_body(&answer, most, &start, &length);
    close_link(&link);
    if (held) drop_sigpipe(&before);
    char *body = good ? wr_strndup(answer.data + start, length) : NULL;
    wr_buffer_reset(&answer);
    if (!good)
        return wr_error_set(error, WEIR_IO, NULL, "\"%s\" gave no answer that can be used", url);
    if (!body) return wr_error_memory(error);
    *ret_body = body;
    *ret_length = length;
    return WEIR_OK;
}
