/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrow IPC messages (format version V5): schemas and record batches going out, and what a client
 * sends coming in.
 *
 * A batch that goes out is a header (a flatbuffer) and a body in parts, most of which point into
 * the array's own buffers: only bitmaps at an odd offset, offsets that do not begin at zero, and
 * compressed buffers are new memory. The array must live until the parts were sent.
 *
 * What comes in is believed nothing: each offset, length and count of a message is checked against
 * the bytes that are there before anything is allocated for it, and the arrays' contents (offsets,
 * texts' lengths, unions' types) after.
 */
#ifndef WR_FLIGHT_IPC_H
#define WR_FLIGHT_IPC_H

#include <stdbool.h>

#include "flight/grpc.h"
#include "weir.h"

enum wr_ipc_codec { WR_IPC_PLAIN = 0, WR_IPC_LZ4 = 1, WR_IPC_ZSTD = 2 };

/* "lz4", "zstd", "none"; false for another name. */
bool wr_ipc_codec_of(const char *name, enum wr_ipc_codec *ret_codec);
const char *wr_ipc_codec_name(enum wr_ipc_codec codec);

/* ---- Out ---- */

/* A schema's message; `framed`: with the four bytes of continuation and the length before it, as it
 * stands in a FlightInfo. Free with wr_free. Codes: WEIR_NOT_IMPLEMENTED for a type that has no
 * message here. */
int wr_ipc_schema(const struct ArrowSchema *schema, bool framed, void **ret_data,
                  size_t *ret_length, struct weir_error *error);

struct wr_ipc_encoder;

int wr_ipc_encoder_new(const struct ArrowSchema *schema, enum wr_ipc_codec codec,
                       struct wr_ipc_encoder **ret_encoder, struct weir_error *error);
void wr_ipc_encoder_free(struct wr_ipc_encoder *encoder);

struct wr_ipc_scratch;

struct wr_ipc_batch {
    void *header;
    size_t header_length;
    struct wr_grpc_part *parts; /* of the body */
    size_t n_parts;
    int64_t body_length;
    struct wr_ipc_scratch *scratch; /* memory that parts point to */
};

/* `length` rows of a batch from `offset` on. An encoder takes one batch at a time. */
int wr_ipc_encode(struct wr_ipc_encoder *encoder, const struct ArrowArray *array, int64_t offset,
                  int64_t length, struct wr_ipc_batch *ret_batch, struct weir_error *error);
void wr_ipc_batch_free(struct wr_ipc_batch *batch);

/* ---- In ---- */

struct wr_ipc_decoder;

enum {
    WR_IPC_MOST_ROWS = 1 << 30,       /* of a batch that comes in */
    WR_IPC_MOST_UNPACKED = 512 << 20, /* bytes that its buffers have without compression */
};

int wr_ipc_decoder_new(struct wr_ipc_decoder **ret_decoder, struct weir_error *error);
void wr_ipc_decoder_free(struct wr_ipc_decoder *decoder);

enum wr_ipc_message { WR_IPC_SCHEMA, WR_IPC_BATCH };

/*
 * Takes one message. The first is a schema, which ret_schema then has; of a record batch ret_array
 * has the rows, whose memory is its own. Codes:
 * WEIR_INVALID_ARGUMENT for anything that is not as it should be.
 */
int wr_ipc_decode(struct wr_ipc_decoder *decoder, const void *header, size_t header_length,
                  const void *body, size_t body_length, enum wr_ipc_message *ret_message,
                  struct ArrowSchema *ret_schema, struct ArrowArray *ret_array,
                  struct weir_error *error);

/* ---- Bodies ---- */

/* Compresses into memory of `capacity` (wr_ipc_pack_bound) bytes; 0: it could not. */
size_t wr_ipc_pack_bound(enum wr_ipc_codec codec, size_t length);
size_t wr_ipc_pack(enum wr_ipc_codec codec, const void *data, size_t length, void *packed,
                   size_t capacity);
/* True when it gave exactly `length` bytes. */
bool wr_ipc_unpack(enum wr_ipc_codec codec, const void *packed, size_t packed_length, void *data,
                   size_t length);

#endif
