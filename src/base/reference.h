/* SPDX-License-Identifier: Apache-2.0 */
/* Values that stand elsewhere: ${env:NAME} and ${file:PATH} in a text. */
#ifndef WR_REFERENCE_H
#define WR_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "weir.h"

/* The whole of a file, at most `most` bytes. Free with wr_free. */
int wr_read_text_file(const char *path, size_t most, char **ret_text, size_t *ret_length,
                      struct weir_error *error);
/* "BASE/path"; an absolute path as it is. BASE NULL: as it is. Free with wr_free. */
int wr_reference_path(const char *base, const char *path, char **ret_path,
                      struct weir_error *error);
/*
 * Puts in what ${env:NAME} and ${file:PATH} stand for; $${ is ${. A path is relative to `base`, and
 * the last line feed of a file is left out. Messages never have what came out.
 */
int wr_reference_resolve(const char *written, const char *base, char **ret_value,
                         struct weir_error *error);
/* The text that wr_reference_resolve gives `value` for. Free with wr_free; NULL: no memory. */
char *wr_reference_escape(const char *value);

#endif
