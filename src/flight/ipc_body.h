/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a record batch while it is put together: nodes, buffers, and the parts that are sent.
 */
#ifndef WR_FLIGHT_IPC_BODY_H
#define WR_FLIGHT_IPC_BODY_H

#include "flight/ipc.h"

struct wr_ipc_scratch {
    struct wr_ipc_scratch *next;
    max_align_t data[];
};

/* As flatbuffers have them. */
struct wr_ipc_node {
    int64_t length, null_count;
};
struct wr_ipc_range {
    int64_t offset, length;
};

struct wr_ipc_body {
    enum wr_ipc_codec codec;
    struct wr_ipc_node *nodes;
    struct wr_ipc_range *buffers;
    size_t n_nodes, n_buffers, most_nodes, most_buffers; /* the schema says how many there may be */
    struct wr_grpc_part *parts;
    size_t n_parts, most_parts;
    int64_t length;
    struct wr_ipc_scratch *scratch;
};

enum { WR_IPC_PARTS_OF_A_BUFFER = 3 };

/* Memory that lives as long as the message; NULL: there is none. */
void *wr_ipc_scratch(struct wr_ipc_body *body, size_t length);

/* These give 0, or ENOMEM. */
int wr_ipc_add_buffer(struct wr_ipc_body *body, const void *data, size_t length);
/* `length` bits from a bit on. */
int wr_ipc_add_bits(struct wr_ipc_body *body, const void *bits, int64_t offset, int64_t length);
void wr_ipc_add_node(struct wr_ipc_body *body, int64_t length, int64_t null_count);

#endif
