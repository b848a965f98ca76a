/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client may send, as a function for libFuzzer: each input is all that one connection gets,
 * from the preface on. The server runs its own threads; an input is done when the server has closed
 * the connection.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "flight/grpc.h"
#include "flight/grpc_server.h"
#include "flight/http2_connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Closes the server, which waits for all that is left of it. */
void grpc_fuzz_end(void);

static int echo(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    struct wr_grpc_message message;
    size_t n;
    if (wr_grpc_header(call, "x-bin", &n)) WR_TRY(wr_grpc_answer_trailer(call, "x", "y", error));
    WR_TRY(wr_grpc_message_copy(request, length, &message, error));
    return wr_grpc_reply_one(&message, ret_reply, error);
}

static int chat(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    (void)context;
    const void *data;
    size_t length;
    for (;;) {
        WR_TRY(wr_grpc_read(call, &data, &length, error));
        if (!data) return WEIR_OK;
        struct wr_grpc_message message;
        WR_TRY(wr_grpc_message_copy(data, length, &message, error));
        WR_TRY(wr_grpc_write(call, &message, error));
    }
}

static struct wr_grpc_server *server;

static void open_server(void) {
    static const struct wr_grpc_method methods[] = {{"/t/e", echo, NULL}, {"/t/c", NULL, chat}};
    const struct wr_grpc_options options = {
        .listen = "127.0.0.1:0", .methods = methods, .n_methods = 2, .max_message = 1 << 20};
    struct weir_error error;
    if (wr_grpc_open(&options, &server, &error)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!server) open_server();
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) abort();
    atomic_fetch_add(&server->n_connections, 1);
    atomic_fetch_add(&server->places[0].n_connections, 1);
    if (wr_connection_open(server, &server->places[0], fds[0], (struct sockaddr *)&address, NULL)) {
        /* Without memory, as the listener has it. */
        atomic_fetch_sub(&server->places[0].n_connections, 1);
        wr_server_connection_ended(server, wr_address_key((struct sockaddr *)&address));
    }
    char answer[4096];
    while (size > 0) {
        ssize_t n = send(fds[1], data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (recv(fds[1], answer, sizeof answer, MSG_DONTWAIT) == 0) {
            break;
        }
    }
    shutdown(fds[1], SHUT_WR);
    while (recv(fds[1], answer, sizeof answer, 0) > 0)
        continue;
    close(fds[1]);
    return 0;
}

void grpc_fuzz_end(void) {
    wr_grpc_close(server);
    server = NULL;
}
