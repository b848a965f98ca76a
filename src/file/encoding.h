/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encodings that a table's bytes can be had in, by the extension of a name. They are formats of
 * weir_encode: parquet, arrow, csv, tsv, json, jsonl; and those that extensions brought to the
 * workspace, `encodings` (NULL: none). Other spellings: pq, feather, ipc, ndjson, and an
 * extension's suffixes. Upper and lower case are the same.
 */
#ifndef WR_ENCODING_H
#define WR_ENCODING_H

#include <stddef.h>

#include "table/encodings.h"

/* The encoding called `text`, or NULL. Strings that stay as long as the workspace, here and below.
 */
const char *wr_encoding_parse(const struct wr_encodings *encodings, const char *text);
/* WEIR_INVALID_ARGUMENT for another text, naming the nearest and all. */
int wr_encoding_check(const struct wr_encodings *encodings, const char *text,
                      const char **ret_encoding, struct weir_error *error);

/*
 * The encoding that the extension of a path's last component names, or NULL. `ret_stem` (may be
 * NULL) is the length of the path without it; a component that is nothing but an extension has
 * none.
 */
const char *wr_encoding_of_path(const struct wr_encodings *encodings, const char *path,
                                size_t *ret_stem);
/* The extension of a path's last component, without the dot; NULL: it has none. */
const char *wr_path_extension(const char *path);

#endif
