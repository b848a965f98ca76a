/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that URLs of files are made of. */
#ifndef WR_URL_H
#define WR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "weir.h"

int wr_hex_digit(char c); /* its value; -1: it is none */
/* Decodes %XX in place; false when a sequence is not one, or gives NUL. */
bool wr_percent_decode(char *text);
/* Adds a path, with all but letters, digits and -._~/= as %XX. */
void wr_percent_encode(struct wr_buffer *buffer, const char *path);
/* Adds a text's bytes as lower case hexadecimal digits. */
void wr_hex_encode(struct wr_buffer *buffer, const char *text);
bool wr_is_utf8(const char *text, size_t length);

/* The length of "scheme" when the text is "scheme://...", else 0 (RFC 3986, 3.1). */
size_t wr_scheme_length(const char *text);
/* The path of a file:// URL, or the text itself when it is no URL. Free with wr_free. Another
 * scheme is WEIR_NOT_IMPLEMENTED, another host or a bad escape WEIR_INVALID_ARGUMENT. */
int wr_local_path(const char *text, char **ret_path, struct weir_error *error);

#endif
