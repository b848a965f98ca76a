/* SPDX-License-Identifier: Apache-2.0 */
/* An input is all that a client sends over one connection to the HTTP door of a workspace in
 * memory, before it goes away. Whatever it is, the door goes on answering others. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz.h"
#include "http/http.h"

enum { SHORT_MS = 20, PATIENCE_MS = 20000, ASK_EACH = 64 };

const char *const fuzz_words[] = {"GET ",
                                  "POST ",
                                  "HEAD ",
                                  "OPTIONS ",
                                  " HTTP/1.1\r\n",
                                  "\r\n\r\n",
                                  "Host: localhost\r\n",
                                  "Connection: close\r\n",
                                  "Content-Length: ",
                                  "Transfer-Encoding: chunked\r\n",
                                  "Expect: 100-continue\r\n",
                                  "Range: bytes=0-",
                                  "If-None-Match: ",
                                  "Accept: text/csv;q=0.5, */*",
                                  "Accept-Encoding: gzip\r\n",
                                  "Authorization: Basic ",
                                  "Content-Type: application/json\r\n",
                                  "%2e%2e%2f",
                                  "%00",
                                  "/v1/files/",
                                  "/v1/tables/",
                                  "/v1/sql",
                                  "{\"sql\": ",
                                  "\"params\": [",
                                  "\\ud800",
                                  "SELECT 1",
                                  NULL};

static struct weir_workspace *workspace;
static struct wr_http *door;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void close_all(void) {
    wr_http_close(door);
    weir_workspace_close(workspace);
}

static void open_all(void) {
    struct weir_error error = {0};
    const struct weir_option settings[] = {{"statement_timeout", "1s"}};
    const struct weir_workspace_options options = {.size = sizeof options,
                                                   .preset = "server",
                                                   .memory_limit = 64 << 20,
                                                   .settings = settings,
                                                   .n_settings = 1};
    FUZZ_CHECK(weir_workspace_open(&options, &workspace, &error) == WEIR_OK);
    FUZZ_CHECK(wr_http_open(workspace, "127.0.0.1:0", &door, &error) == WEIR_OK);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atoi(strrchr(wr_http_address(door), ':') + 1));
    atexit(close_all);
}

/* Sends it and reads until the door closes, or says nothing for so long: it waits for the rest of a
 * request, with limits of its own. Returns how many bytes came; the first `size` are kept. */
static size_t talk(const uint8_t *data, size_t length, int patience_ms, char *ret_answer,
                   size_t size) {
    char rest[4096];
    size_t n_read = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    for (bool is_open = true; is_open;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN | (length > 0 ? POLLOUT : 0)};
        if (poll(&wait, 1, patience_ms) <= 0) break;
        if (wait.revents & POLLOUT && length > 0) {
            ssize_t n = send(fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) {
                data += n;
                length -= (size_t)n;
            } else {
                length = 0;
            }
            if (length == 0) shutdown(fd, SHUT_WR);
        }
        if (wait.revents & (POLLIN | POLLHUP | POLLERR)) {
            char *to = n_read < size ? ret_answer + n_read : rest;
            ssize_t n = recv(fd, to, n_read < size ? size - n_read : sizeof rest, MSG_DONTWAIT);
            if (n > 0) n_read += (size_t)n;
            is_open = n > 0;
        }
    }
    close(fd);
    return n_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char health[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static unsigned n;
    char answer[16];
    if (!door) open_all();
    if (size > 0) {
        size_t length = talk(data, size, SHORT_MS, answer, sizeof answer);
        FUZZ_CHECK(length == 0 || (length > 9 && memcmp(answer, "HTTP/1.", 7) == 0));
        FUZZ_CHECK(length == 0 || memcmp(answer + 9, "500", 3) != 0);
    }
    if (n++ % ASK_EACH == 0) {
        const uint8_t *asked = (const uint8_t *)health;
        FUZZ_CHECK(talk(asked, sizeof health - 1, PATIENCE_MS, answer, sizeof answer) > 12);
        FUZZ_CHECK(memcmp(answer + 9, "200", 3) == 0);
    }
    return 0;
}
