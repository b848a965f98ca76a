/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of TOML (toml.io, 1.0) that driver manifests and connection profiles are written in:
 * tables with dotted names, dotted and quoted keys, basic and literal strings of one line, numbers,
 * booleans, arrays. Inline tables, arrays of tables, dates and strings of several lines are errors
 * that say so. Every error names the file and the line, none repeats a value.
 */
#ifndef WR_ADBC_TOML_H
#define WR_ADBC_TOML_H

#include <stddef.h>

#include "weir.h"

enum wr_toml_type {
    WR_TOML_TEXT = 1,
    WR_TOML_INTEGER,
    WR_TOML_FLOAT,
    WR_TOML_BOOLEAN, /* "true" or "false" */
    WR_TOML_ARRAY,   /* without a value: nobody asks for one */
    WR_TOML_TABLE    /* a [header] */
};

struct wr_toml_entry {
    char *key;   /* with the table's name before it: "Driver.shared.linux_amd64" */
    char *value; /* numbers without "_" */
    int type;    /* enum wr_toml_type */
    int line;
};

struct wr_toml {
    struct wr_toml_entry *entries;
    size_t n_entries;
};

/* `path` is how errors call it. */
int wr_toml_parse(const char *text, const char *path, struct wr_toml *ret_toml,
                  struct weir_error *error);
/* Reads a file of at most 1 MiB. */
int wr_toml_read(const char *path, struct wr_toml *ret_toml, struct weir_error *error);
const struct wr_toml_entry *wr_toml_get(const struct wr_toml *toml, const char *key);
void wr_toml_reset(struct wr_toml *toml);

#endif
