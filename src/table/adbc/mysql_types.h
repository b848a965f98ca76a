/* SPDX-License-Identifier: Apache-2.0 */
/* The types of MySQL and MariaDB, and Arrow's. */
#ifndef WR_ADBC_MYSQL_TYPES_H
#define WR_ADBC_MYSQL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "weir.h"

/* A column as information_schema has it. */
struct wr_mysql_column {
    const char *name;
    const char *type;     /* "decimal" */
    const char *declared; /* "decimal(10,2) unsigned" */
    const char *charset;  /* NULL: it is no text */
    const char *collation;
    int64_t precision, scale; /* of a number */
};

struct wr_mysql_type {
    char format[40]; /* of wr_adbc_relation_add */
};

/*
 * The column's type. `binary` is the server's collation that compares all bytes of utf8mb4.
 * `*ret_expression` reads the column; NULL: its name does. Free it with wr_free.
 */
int wr_mysql_type(const struct wr_mysql_column *column, const char *binary,
                  struct wr_mysql_type *ret_type, char **ret_expression, struct weir_error *error);
/* The type of a column of CREATE TABLE. */
int wr_mysql_type_name(const struct ArrowSchema *column, struct wr_buffer *text,
                       struct weir_error *error);

#endif
