/* SPDX-License-Identifier: Apache-2.0 */
/* What of a message must hold before nanoarrow reads it. */
#ifndef WR_FLIGHT_IPC_CHECK_H
#define WR_FLIGHT_IPC_CHECK_H

#include "flight/ipc.h"

/* Whether a message of that many bytes is, read as the tree that it says it is, not much more than
 * them. Before it is verified. */
bool wr_ipc_is_affordable(const void *message, size_t length);
/* A verified flatbuffer of a message (not framed) against its body. */
int wr_ipc_check_message(const void *message, const void *body, size_t body_length,
                         struct weir_error *error);

#endif
