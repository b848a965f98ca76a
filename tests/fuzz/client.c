/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input is what a server says to the Flight SQL client of --connect: pieces of bytes, each with
 * its length in two bytes before it. The first comes after the connection's settings, and each
 * further one when the client has begun another call.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "flight/client.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"grpc-status",
                                  "grpc-message",
                                  "weir-sqlstate",
                                  "set-cookie",
                                  "\x88",
                                  "application/grpc",
                                  "%",
                                  "\xff\xff\xff\xff",
                                  NULL};

enum { HEADERS = 1, PREFACE = 24, CONNECT_MS = 2000 };

static int listener;
static char port[8];
static const uint8_t *said;
static size_t n_said;

static void open_listener(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    FUZZ_CHECK(listen(listener, 16) == 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
}

static bool say(int fd) {
    if (n_said < 2) return false;
    size_t length = (size_t)said[0] << 8 | said[1];
    if (length > n_said - 2) length = n_said - 2;
    bool is_sent = send(fd, said + 2, length, MSG_NOSIGNAL) == (ssize_t)length;
    said += 2 + length;
    n_said -= 2 + length;
    return is_sent;
}

static bool take(int fd, void *buffer, size_t length) {
    return length == 0 || recv(fd, buffer, length, MSG_WAITALL) == (ssize_t)length;
}

static bool pass(int fd, size_t length) {
    char rest[4096];
    while (length > 0) {
        size_t n = length < sizeof rest ? length : sizeof rest;
        if (!take(fd, rest, n)) return false;
        length -= n;
    }
    return true;
}

/* Until there is nothing to say, or nobody to say it to. */
static void serve(int fd) {
    static const uint8_t settings[9] = {0, 0, 0, 4};
    uint8_t head[9];
    /* A client waits for an answer that does not come; the connection's end it must notice. */
    const struct timeval patience = {.tv_usec = 10000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bool goes_on =
        send(fd, settings, sizeof settings, MSG_NOSIGNAL) == 9 && say(fd) && pass(fd, PREFACE);
    while (goes_on && take(fd, head, sizeof head)) {
        goes_on = pass(fd, (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
        if (goes_on && head[3] == HEADERS) goes_on = say(fd);
    }
    close(fd);
}

/* One connection after another: a client that lost one may come again. */
static void *serve_all(void *unused) {
    (void)unused;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        serve(fd);
    return NULL;
}

static void read_all(struct ArrowArrayStream *rows) {
    struct weir_error error = {0};
    struct ArrowSchema schema;
    FUZZ_CHECK(wr_arrow_stream_schema(rows, "rows", &schema, &error) == WEIR_OK);
    wr_arrow_release_schema(&schema);
    for (;;) {
        struct ArrowArray array = {0};
        if (wr_arrow_stream_next(rows, "rows", &array, &error) || !array.release) break;
        wr_arrow_release_array(&array);
    }
    wr_arrow_release_stream(rows);
}

static void ask(struct wr_flight_client *client) {
    struct weir_error error = {0};
    struct wr_client_statement *statement;
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema parameters;
    int64_t affected;
    if (wr_flight_client_prepare(client, "SELECT 1", &statement, &error)) {
        FUZZ_CHECK(error.code != WEIR_OK && strlen(error.message) < sizeof error.message);
        return;
    }
    if (wr_client_statement_parameters(statement, &parameters, &error) == WEIR_OK)
        wr_arrow_release_schema(&parameters);
    if (wr_client_statement_execute(statement, &rows, &affected, &error) == WEIR_OK)
        read_all(&rows);
    wr_client_statement_close(statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct wr_flight_client *client;
    pthread_t thread;
    open_listener(); /* of its own: nothing waits at it from the last input */
    const struct wr_flight_client_options options = {
        .server = {
            .host = "127.0.0.1", .port = port, .connect_ms = CONNECT_MS, .max_message = 1 << 20}};
    said = data;
    n_said = size;
    FUZZ_CHECK(pthread_create(&thread, NULL, serve_all, NULL) == 0);
    if (wr_flight_client_open(&options, &client, &error) == WEIR_OK) {
        ask(client);
        wr_flight_client_close(client);
    }
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    return 0;
}
