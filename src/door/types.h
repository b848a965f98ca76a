/* SPDX-License-Identifier: Apache-2.0 */
/* What SQL, JDBC and ODBC say of Arrow's types. */
#ifndef WR_DOOR_TYPES_H
#define WR_DOOR_TYPES_H

#include <stdbool.h>

#include "weir.h"

/* Flight SQL's XdbcDataType and XdbcDatetimeSubcode: JDBC's and ODBC's codes. */
enum {
    WR_XDBC_UNKNOWN = 0,
    WR_XDBC_DECIMAL = 3,
    WR_XDBC_INTEGER = 4,
    WR_XDBC_SMALLINT = 5,
    WR_XDBC_REAL = 7,
    WR_XDBC_DOUBLE = 8,
    WR_XDBC_DATETIME = 9,
    WR_XDBC_INTERVAL = 10,
    WR_XDBC_VARCHAR = 12,
    WR_XDBC_DATE = 91,
    WR_XDBC_TIME = 92,
    WR_XDBC_TIMESTAMP = 93,
    WR_XDBC_VARBINARY = -3,
    WR_XDBC_BIGINT = -5,
    WR_XDBC_TINYINT = -6,
    WR_XDBC_BIT = -7
};

/* What does not apply, or is not bounded. */
enum { WR_XDBC_NONE = INT32_MIN };

struct wr_sql_type {
    const char *name; /* as CREATE TABLE takes it, where it can be written alone */
    int32_t data_type;
    int32_t column_size;   /* digits, characters, bytes; or WR_XDBC_NONE */
    int32_t subcode;       /* of dates and times */
    int32_t minimum_scale; /* of numbers and times */
    int32_t maximum_scale;
    const char *prefix; /* of a literal */
    const char *suffix;
    int8_t unsigned_attribute; /* -1: not a number */
    bool case_sensitive;
    int8_t searchable; /* 0: not in WHERE, 2: but with LIKE, 3: with LIKE */
    bool is_listed;    /* in the types' list */
};

/* Never NULL: a type without a name of its own is OTHER. Dictionaries and run-ends are what they
 * stand for. */
const struct wr_sql_type *wr_sql_type(const struct ArrowSchema *column);
/* Of a column; -1: it has none. */
int32_t wr_sql_precision(const struct ArrowSchema *column);
int32_t wr_sql_scale(const struct ArrowSchema *column);

#endif
