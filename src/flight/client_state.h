/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Flight SQL client share. */
#ifndef WR_FLIGHT_CLIENT_STATE_H
#define WR_FLIGHT_CLIENT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "flight/client.h"
#include "flight/messages.h"

enum {
    CLIENT_MOST_REQUEST = 64 << 20, /* bytes of what a call sends */
    CLIENT_SHORT_MS = 10000,        /* for calls that are no work */
    CLIENT_FAREWELL_MS = 2000,      /* for those whose answer is of no interest */
    CLIENT_MOST_ENDPOINTS = 4096,
};

#define CLIENT_SERVICE "/arrow.flight.protocol.FlightService/"

struct wr_flight_client {
    struct wr_grpc_client_options server; /* copies, freed at the end */
    struct wr_grpc_client_tls tls;
    char *authorization; /* NULL: none */
    char *cookie;        /* "name=value"; NULL: none */
    bool has_new_session;
    pthread_mutex_t mutex; /* guards the pointer, for those who cancel */
    struct wr_grpc_client *transport;
};

struct wr_client_statement {
    struct wr_flight_client *client;
    struct wr_bytes handle;
    struct ArrowSchema parameters; /* release NULL: none */
    bool is_query;
    struct wr_buffer bound; /* FlightData of the parameters, framed but without a descriptor */
    struct wr_bytes bound_schema;
    int64_t received_before;
    _Atomic int64_t rows;
};

/* ---- client.c ---- */

/* Begins a call with what every call has; connects again if need be. Takes the body over. */
int wr_flight_client_begin(struct wr_flight_client *client, const char *method,
                           struct wr_buffer *body, int64_t limit_ms,
                           struct wr_client_call **ret_call, struct weir_error *error);
/* Reads; keeps the session's cookie of what comes. */
int wr_flight_client_read(struct wr_flight_client *client, struct wr_client_call *call,
                          struct wr_incoming **ret_message, struct weir_error *error);
/* A call of one or no message, after which *ret_message (NULL: none) is freed with wr_free. Further
 * messages are read and dropped. */
int wr_flight_client_ask(struct wr_flight_client *client, const char *method,
                         struct wr_buffer *body, int64_t limit_ms, struct wr_bytes *ret_message,
                         struct weir_error *error);
/* An error of what a server sent: of its making, not of the user's. */
int wr_flight_client_blame(struct weir_error *error, int code);

/* ---- client_rows.c ---- */

/* The rows of the endpoints, one after another. */
int wr_client_rows_open(struct wr_client_statement *statement, const Flight__FlightInfo *info,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* A schema with the frame that it has in messages of other kinds. */
int wr_client_decode_schema(const ProtobufCBinaryData *bytes, struct ArrowSchema *ret_schema,
                            struct weir_error *error);

#endif
