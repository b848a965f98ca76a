/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's rules for one stream of HTTP/2: what a client's headers and bytes mean, and what is
 * answered. All of it on the loop's thread; http2_session.c calls most of it. */
#ifndef WR_GRPC_STREAM_H
#define WR_GRPC_STREAM_H

#include <nghttp2/nghttp2.h>

#include "flight/grpc_call.h"

/* A header of the request. */
void wr_stream_header(struct wr_grpc_call *call, const nghttp2_vec *name, const nghttp2_vec *value);
/* All of them are there. */
void wr_stream_begin(struct wr_grpc_call *call);
void wr_stream_data(struct wr_grpc_call *call, const unsigned char *data, size_t length);
/* The client sends no more. */
void wr_stream_end(struct wr_grpc_call *call);
/* The stream is no more: takes the connection's reference to the call. */
void wr_stream_close(struct wr_grpc_call *call);

/* Ends it with a status of the server's own: by trailers where they can go out still, by a reset
 * where not. */
void wr_stream_abort(struct wr_grpc_call *call, enum wr_grpc_status status, const char *text);
/* Looks what the service's side has done. */
void wr_stream_look(struct wr_grpc_call *call);

/* What nghttp2 asks when it can send: see nghttp2_data_source_read_callback. */
ssize_t wr_stream_read(nghttp2_session *session, int32_t stream_id, uint8_t *buffer, size_t length,
                       uint32_t *flags, nghttp2_data_source *source, void *context);
/* The frame that was made of it goes into the output. False: no memory. */
bool wr_stream_put(struct wr_grpc_call *call, struct wr_output *output, size_t length);

#endif
