/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input is a message that a client sends to the Flight SQL door of a workspace in memory, over a
 * connection that stays. Compiled twice: FUZZ_TICKETS sends all of them to DoGet, and else the
 * first byte chooses the method. After each of them the door must still answer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "flight/flight.h"
#include "flight/grpc_client.h"
#include "fuzz.h"

enum { LIMIT_MS = 3000, MOST_BODY = 1 << 20, ASK_EACH = 64 };

const char *const fuzz_words[] = {"type.googleapis.com/arrow.flight.protocol.sql.",
                                  "CommandStatementQuery",
                                  "CommandStatementUpdate",
                                  "CommandPreparedStatementQuery",
                                  "CommandGetTables",
                                  "CommandGetSqlInfo",
                                  "CommandGetDbSchemas",
                                  "CommandStatementIngest",
                                  "TicketStatementQuery",
                                  "CreatePreparedStatement",
                                  "ClosePreparedStatement",
                                  "CancelFlightInfo",
                                  "SELECT 1",
                                  "%",
                                  "information_schema",
                                  NULL};

#define PATH(name) "/arrow.flight.protocol.FlightService/" name
#ifdef FUZZ_TICKETS
static const char *const methods[] = {PATH("DoGet")};
#else
static const char *const methods[] = {
    PATH("GetFlightInfo"),  PATH("GetSchema"),  PATH("DoAction"),    PATH("DoPut"),
    PATH("PollFlightInfo"), PATH("DoExchange"), PATH("ListFlights"), PATH("Handshake")};
#endif

static struct weir_workspace *workspace;
static struct wr_flight_door *door;
static struct wr_grpc_client *client;

static void connect_client(void) {
    struct weir_error error = {0};
    char address[64], *colon;
    strcpy(address, wr_flight_door_address(door));
    colon = strrchr(address, ':');
    *colon = '\0';
    const struct wr_grpc_client_options options = {.host = address, .port = colon + 1};
    wr_grpc_client_close(client);
    client = NULL;
    FUZZ_CHECK(wr_grpc_client_open(&options, &client, &error) == WEIR_OK);
}

/* In this order, for a sanitizer that looks for what is left. */
static void close_all(void) {
    wr_grpc_client_close(client);
    wr_flight_door_close(door);
    weir_workspace_close(workspace);
}

static void open_all(void) {
    struct weir_error error = {0};
    /* Statements that chance writes reach nothing outside, and end soon. */
    const struct weir_option settings[] = {{"statement_timeout", "1s"}};
    const struct weir_workspace_options options = {.size = sizeof options,
                                                   .preset = "server",
                                                   .memory_limit = 64 << 20,
                                                   .settings = settings,
                                                   .n_settings = 1};
    FUZZ_CHECK(weir_workspace_open(&options, &workspace, &error) == WEIR_OK);
    FUZZ_CHECK(wr_flight_door_open(workspace, "127.0.0.1:0", &door, &error) == WEIR_OK);
    connect_client();
    atexit(close_all);
}

/* Reads all that comes; the call's code. */
static int call(const char *path, const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct wr_client_call *made;
    struct wr_incoming *message;
    struct wr_buffer body;
    wr_buffer_init(&body, MOST_BODY);
    wr_client_frame(&body, data, size);
    int code = wr_client_call_begin(client, path, NULL, 0, &body, LIMIT_MS, &made, &error);
    if (code) return code;
    while (!(code = wr_client_call_read(made, &message, &error)) && message)
        wr_client_call_release(made, message);
    wr_client_call_end(made);
    /* Nothing that a client sends is the door's own mistake. */
    FUZZ_CHECK(strcmp(error.sqlstate, "XX000") != 0);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static unsigned n;
    const size_t n_methods = sizeof methods / sizeof *methods;
    size_t first = n_methods > 1;
    if (!door) open_all();
    if (size < first) return 0;
    const char *path = methods[first ? data[0] % n_methods : 0];
    if (!wr_grpc_client_is_usable(client)) connect_client();
    (void)call(path, data + first, size - first);
    if (n++ % ASK_EACH == 0) FUZZ_CHECK(call(PATH("ListFlights"), NULL, 0) == WEIR_OK);
    return 0;
}
