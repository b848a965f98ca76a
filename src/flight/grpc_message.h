/* SPDX-License-Identifier: Apache-2.0 */
/* A message on its way out: its prefix, and how much of it has gone where. */
#ifndef WR_GRPC_MESSAGE_H
#define WR_GRPC_MESSAGE_H

#include "flight/grpc.h"
#include "flight/http2_output.h"

struct wr_outgoing {
    struct wr_outgoing *next;
    struct wr_grpc_call *call; /* a reference */
    struct wr_grpc_message message;
    unsigned char prefix[5];
    size_t length; /* with the prefix */
    size_t left;   /* bytes that no output has yet, the prefix too */
    size_t part;   /* the next byte's: 0 is the prefix, 1 the first part, ... */
    size_t offset;
    size_t n_slices; /* of it that are in an output */
};

/* Takes over the message, also on failure. */
int wr_outgoing_new(struct wr_grpc_call *call, struct wr_grpc_message *message,
                    struct wr_outgoing **ret_outgoing, struct weir_error *error);
/* Puts the next bytes into the output. False: no memory, and some of them may be in it. */
bool wr_outgoing_put(struct wr_outgoing *outgoing, struct wr_output *output, size_t length);
/* One of its slices is gone. Frees it with the last one, and tells the call. */
void wr_outgoing_done(struct wr_outgoing *outgoing);
/* No more of it will be put. */
void wr_outgoing_abandon(struct wr_outgoing *outgoing);

#endif
