/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encodings that a table's bytes can be had in, by the extension of a name. They are formats of
 * weir_encode: parquet, arrow, csv, tsv, json, jsonl. Other spellings: pq, feather, ipc, ndjson.
 * Upper and lower case are the same.
 */
#ifndef WR_ENCODING_H
#define WR_ENCODING_H

#include <stddef.h>

#include "weir.h"

/* The encoding called `text`, or NULL. Static strings, here and below. */
const char *wr_encoding_parse(const char *text);
/* WEIR_INVALID_ARGUMENT for another text, naming the nearest and all. */
int wr_encoding_check(const char *text, const char **ret_encoding, struct weir_error *error);

/*
 * The encoding that the extension of a path's last component names, or NULL. `ret_stem` (may be
 * NULL) is the length of the path without it; a component that is nothing but an extension has
 * none.
 */
const char *wr_encoding_of_path(const char *path, size_t *ret_stem);
/* The extension of a path's last component, without the dot; NULL: it has none. */
const char *wr_path_extension(const char *path);

#endif
