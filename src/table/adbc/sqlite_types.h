/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's declared types and Arrow's. */
#ifndef WR_ADBC_SQLITE_TYPES_H
#define WR_ADBC_SQLITE_TYPES_H

#include <stdbool.h>

#include "base/buffer.h"
#include "weir.h"

struct wr_sqlite_type {
    char format[40]; /* of wr_adbc_relation_add */
};

/*
 * The type of a column by its declared one ("DECIMAL(15, 2)", ""), and the expression that reads it
 * (NULL: its name does; free with wr_free). `collated`: its texts may compare by a collation.
 */
int wr_sqlite_type(const char *column, const char *declared, bool collated,
                   struct wr_sqlite_type *ret_type, char **ret_expression,
                   struct weir_error *error);

/* WEIR_INVALID_DATA for a value that is not of its column's type, which `schema` has. */
int wr_sqlite_check(const struct ArrowSchema *schema, const struct ArrowSchema *given,
                    const struct ArrowArray *batch, struct weir_error *error);

#endif
