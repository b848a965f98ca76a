/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of flight.proto, read and written through protobuf-c. Reading takes at most some
 * times the memory of what was read, whatever is in it.
 *
 *     Flight__Action *action;
 *     WR_TRY(WR_UNPACK(flight__action, data, length, &action, error));
 *     ... action->type ...
 *     WR_UNPACKED(action);
 */
#ifndef WR_FLIGHT_MESSAGES_H
#define WR_FLIGHT_MESSAGES_H

#include <stdbool.h>

#include "flight.pb-c.h"
#include "flight/data.h"

/* *ret_message is freed with protobuf_c_message_free_unpacked(message, NULL), or WR_UNPACKED.
 * Codes: WEIR_INVALID_ARGUMENT for bytes that are not one. */
int wr_message_unpack(const ProtobufCMessageDescriptor *type, struct wr_bytes bytes,
                      ProtobufCMessage **ret_message, struct weir_error *error);
#define WR_UNPACK(type, bytes, ret_message, error)                                                 \
    wr_message_unpack(&type##__descriptor, bytes, (ProtobufCMessage **)(ret_message), error)
void wr_message_free(void *message); /* NULL is welcome */

/* Free with wr_free. */
int wr_message_pack(const void *message, struct wr_bytes *ret_bytes, struct weir_error *error);
/* As a reply's only message. */
int wr_message_reply(const void *message, struct wr_grpc_reply *ret_reply,
                     struct weir_error *error);
int wr_message_outgoing(const void *message, struct wr_grpc_message *ret_message,
                        struct weir_error *error);

/* In a google.protobuf.Any, as Flight SQL's commands are; `name` is the one after
 * "arrow.flight.protocol.sql.". */
int wr_any_pack(const char *name, const void *message, struct wr_bytes *ret_bytes,
                struct weir_error *error);

/* What a command, a ticket or an action's body holds. */
struct wr_any {
    const char *name; /* "CommandStatementQuery" */
    struct wr_bytes value;
    Flight__Any *whole;
};
/* Codes: WEIR_INVALID_ARGUMENT for what is no Any of Flight SQL's. End with wr_any_free. */
int wr_any_unpack(struct wr_bytes bytes, struct wr_any *ret_any, struct weir_error *error);
void wr_any_free(struct wr_any *any);

/* A text that was sent as bytes, without NUL and in UTF-8; free with wr_free. `what` names it. */
int wr_message_text(const ProtobufCBinaryData *bytes, const char *what, char **ret_text,
                    struct weir_error *error);

#endif
