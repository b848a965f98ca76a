/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FlightData, the message in which Arrow IPC travels, by hand: protobuf-c would copy what it
 * carries. On the wire: 1 descriptor, 2 header (the IPC message), 3 application's metadata,
 * 1000 body.
 */
#ifndef WR_FLIGHT_DATA_H
#define WR_FLIGHT_DATA_H

#include "flight/ipc.h"

struct wr_bytes {
    const void *data;
    size_t length;
};

/* Views of the message. What is not there has NULL. */
struct wr_flight_data {
    struct wr_bytes descriptor, header, metadata, body;
};

/* Codes: WEIR_INVALID_ARGUMENT for bytes that are no such message. */
int wr_flight_data_parse(const void *message, size_t length, struct wr_flight_data *ret_data,
                         struct weir_error *error);

/* The message of a schema, whose bytes (unframed) are copied. */
int wr_flight_data_schema(const void *schema, size_t length, struct wr_grpc_message *ret_message,
                          struct weir_error *error);

/* The message of a batch, which it takes over on success; `keep` is called with `kept` when it was
 * sent. */
int wr_flight_data_batch(struct wr_ipc_batch *batch, void (*keep)(void *kept), void *kept,
                         struct wr_grpc_message *ret_message, struct weir_error *error);

#endif
