/* SPDX-License-Identifier: Apache-2.0 */
/* The headers and trailers of an answer. On the loop's thread. */
#ifndef WR_GRPC_ANSWER_H
#define WR_GRPC_ANSWER_H

#include "flight/grpc_call.h"

/* Has HTTP/2 send what the call has: headers first, then messages, then trailers. */
void wr_answer(struct wr_grpc_call *call);
/* The trailers, after the last message. False: no memory. */
bool wr_answer_trailers(struct wr_grpc_call *call);
/* What is said to a client that speaks no gRPC. False: no memory. */
bool wr_answer_objection(struct wr_grpc_call *call);

#endif
