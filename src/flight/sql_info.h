/* SPDX-License-Identifier: Apache-2.0 */
/* What CommandGetSqlInfo says: the codes of FlightSql.proto with their values. */
#ifndef WR_FLIGHT_SQL_INFO_H
#define WR_FLIGHT_SQL_INFO_H

#include <stddef.h>
#include <stdint.h>

/* The union's members, in its order. */
enum wr_sql_info_type {
    WR_INFO_TEXT,
    WR_INFO_BOOL,
    WR_INFO_INT64,
    WR_INFO_INT32, /* a bitmask or an ordinal */
    WR_INFO_TEXTS,
    WR_INFO_MAP
};

struct wr_sql_info {
    uint32_t code;
    enum wr_sql_info_type type;
    int64_t number;
    const char *text;         /* NULL: a NULL */
    const char *const *texts; /* ends in NULL */
};

extern const struct wr_sql_info wr_sql_info[];
extern const size_t wr_sql_n_info;

/* What CAST converts: from a type to a list of types, by SqlSupportsConvert; lists end in -1. */
struct wr_sql_convert {
    int32_t from;
    const int32_t *to;
};
extern const struct wr_sql_convert wr_sql_converts[];
extern const size_t wr_sql_n_converts;

#endif
