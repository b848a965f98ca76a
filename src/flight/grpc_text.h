/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that gRPC puts into headers ("gRPC over HTTP/2"), each read and written by itself. */
#ifndef WR_GRPC_TEXT_H
#define WR_GRPC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "100m" of grpc-timeout as milliseconds, rounded up. False: it is none. */
bool wr_grpc_parse_timeout(const char *text, size_t length, int64_t *ret_milliseconds);

/* "application/grpc" or "application/grpc+proto", and with parameters behind it. */
bool wr_grpc_is_content_type(const char *text, size_t length);

/*
 * Percent-encodes a message for grpc-message: all but 0x20 to 0x7E, and "%". Cut at a character's
 * border to fit into `size`, which counts the NUL: clients take headers of 8 KiB in all. Returns
 * the length.
 */
size_t wr_grpc_encode_message(const char *text, char *ret_text, size_t size);

/* Base64 with or without padding, as "-bin" headers come. `ret_data` has room for length / 4 * 3 +
 * 3 bytes and may be the text itself. False: it is none. */
bool wr_grpc_decode_base64(const char *text, size_t length, char *ret_data, size_t *ret_length);
/* Without padding, and a NUL: room for length / 3 * 4 + 5. Returns the length. */
size_t wr_grpc_encode_base64(const void *data, size_t length, char *ret_text);

/* What a name and a value of a header may be made of (RFC 9110, 5.1 and 5.5; ASCII only, lower
 * case). */
bool wr_grpc_is_header_name(const char *name);
bool wr_grpc_is_header_value(const char *value);
/* Whether values of this name are base64. */
bool wr_grpc_is_binary(const char *name, size_t length);

#endif
