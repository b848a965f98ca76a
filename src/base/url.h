/* SPDX-License-Identifier: Apache-2.0 */
/* The texts that URLs of files are made of. */
#ifndef WR_URL_H
#define WR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

int wr_hex_digit(char c); /* its value; -1: it is none */
/* Decodes %XX in place; false when a sequence is not one, or gives NUL. */
bool wr_percent_decode(char *text);
/* Adds a path, with all but letters, digits and -._~/= as %XX. */
void wr_percent_encode(struct wr_buffer *buffer, const char *path);
bool wr_is_utf8(const char *text, size_t length);

#endif
