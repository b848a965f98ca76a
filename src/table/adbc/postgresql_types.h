/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's types and Arrow's. */
#ifndef WR_ADBC_POSTGRESQL_TYPES_H
#define WR_ADBC_POSTGRESQL_TYPES_H

#include <stdbool.h>

#include "base/buffer.h"
#include "weir.h"

/* How a column is read: `before`, its quoted name, `after`. */
struct wr_postgresql_type {
    char format[40];    /* of wr_adbc_relation_add */
    const char *before; /* NULL: the column as it is */
    const char *after;
    const char *again; /* of an array: the type that the guard's text is cast to */
};

/*
 * The type `name` of pg_type ("int4", "_int4"; no domain) with its modifier. `own_collation`: the
 * column may have a collation by which unequal texts are equal.
 */
void wr_postgresql_type(const char *name, int64_t modifier, bool own_collation,
                        struct wr_postgresql_type *ret_type);
/*
 * The expression of an array: the driver gives the elements of one of several dimensions as one
 * row of them, so that such an array is an error. Replaces *expression, which is freed on failure.
 */
int wr_postgresql_guard(const char *column, const struct wr_postgresql_type *type,
                        char **expression, struct weir_error *error);
/* The type of a column of CREATE TABLE. */
int wr_postgresql_type_name(const struct ArrowSchema *column, struct wr_buffer *text,
                            struct weir_error *error);

#endif
