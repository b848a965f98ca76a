/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a table of a database. */
#ifndef WR_ADBC_RELATION_H
#define WR_ADBC_RELATION_H

#include <stdbool.h>

#include "base/buffer.h"
#include "table/adbc/adbc.h"

struct wr_adbc_column {
    char *name;
    char *expression; /* reads the column; NULL: its name does */
    char *declared;   /* its type as the database calls it */
    char *format;     /* of Arrow; "+l:" and the items' */
    bool nullable;
    double null_share; /* from 0 to 1; -1: unknown */
};

struct wr_adbc_relation {
    struct ArrowSchema schema; /* a struct */
    struct wr_adbc_column *columns;
    size_t n_columns;
    bool found;       /* false: there is no such table */
    bool is_table;    /* rows can be added and changed: neither a view nor a query */
    int64_t n_rows;   /* about; -1: unknown */
    int64_t n_bytes;  /* -1: unknown */
    int64_t n_blocks; /* of a table that can be read by ranges of blocks; 0: it cannot */
};

void wr_adbc_relation_reset(struct wr_adbc_relation *relation);

/*
 * Adds a column. `format` is that of Arrow's C data interface; "+l:" and a format is a list of
 * these. `expression` (NULL: the column itself) is taken over, also on failure.
 */
int wr_adbc_relation_add(struct wr_adbc_relation *relation, const char *name, const char *format,
                         bool nullable, const char *declared, char *expression,
                         struct weir_error *error);
/* Makes `schema` of the columns that were added. */
int wr_adbc_relation_finish(struct wr_adbc_relation *relation, struct weir_error *error);

/* Makes `schema` of the columns' names and nullability, and of the types in `types`, a struct with
 * as many children. Zones that are UTC by another name are UTC. */
int wr_adbc_relation_adopt(struct wr_adbc_relation *relation, const struct ArrowSchema *types,
                           struct weir_error *error);

/* A column's name quoted by `quote`, with a text before and after it; free with wr_free. NULL for
 * want of memory. */
char *wr_adbc_expression(const char *before, const char *name, char quote, const char *after);
/* An identifier quoted by `quote`, which is doubled in it. */
void wr_adbc_quote(struct wr_buffer *text, const char *name, char quote);

#endif
