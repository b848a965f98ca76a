/* SPDX-License-Identifier: Apache-2.0 */
#include "door/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "door/door.h"
#include "door/rows.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

#define NONE WR_XDBC_NONE
#define LONGEST INT32_MAX

enum { SUBCODE_DATE = 1, SUBCODE_TIME = 2, SUBCODE_TIMESTAMP = 3, SUBCODE_TIMESTAMP_ZONE = 5 };

/*
 * In the order of their answer: data_type, then name. Sizes of times are those of the text with
 * nine digits of a second's fraction; of integers the digits.
 */
static const struct wr_sql_type types[] = {
    {"BOOLEAN", WR_XDBC_BIT, 1, NONE, NONE, NONE, NULL, NULL, -1, false, 2, true},
    {"TINYINT", WR_XDBC_TINYINT, 3, NONE, 0, 0, NULL, NULL, 0, false, 2, true},
    {"TINYINT UNSIGNED", WR_XDBC_TINYINT, 3, NONE, 0, 0, NULL, NULL, 1, false, 2, true},
    {"BIGINT", WR_XDBC_BIGINT, 19, NONE, 0, 0, NULL, NULL, 0, false, 2, true},
    {"BIGINT UNSIGNED", WR_XDBC_BIGINT, 20, NONE, 0, 0, NULL, NULL, 1, false, 2, true},
    {"BYTEA", WR_XDBC_VARBINARY, LONGEST, NONE, NONE, NONE, "X'", "'", -1, false, 2, true},
    {"ARRAY", WR_XDBC_UNKNOWN, NONE, NONE, NONE, NONE, NULL, NULL, -1, false, 0, false},
    {"MAP", WR_XDBC_UNKNOWN, NONE, NONE, NONE, NONE, NULL, NULL, -1, false, 0, false},
    {"NULL", WR_XDBC_UNKNOWN, NONE, NONE, NONE, NONE, NULL, NULL, -1, false, 0, false},
    {"OTHER", WR_XDBC_UNKNOWN, NONE, NONE, NONE, NONE, NULL, NULL, -1, false, 0, false},
    {"STRUCT", WR_XDBC_UNKNOWN, NONE, NONE, NONE, NONE, NULL, NULL, -1, false, 0, false},
    {"DECIMAL", WR_XDBC_DECIMAL, 76, NONE, 0, 76, NULL, NULL, 0, false, 2, true},
    {"INTEGER", WR_XDBC_INTEGER, 10, NONE, 0, 0, NULL, NULL, 0, false, 2, true},
    {"INTEGER UNSIGNED", WR_XDBC_INTEGER, 10, NONE, 0, 0, NULL, NULL, 1, false, 2, true},
    {"SMALLINT", WR_XDBC_SMALLINT, 5, NONE, 0, 0, NULL, NULL, 0, false, 2, true},
    {"SMALLINT UNSIGNED", WR_XDBC_SMALLINT, 5, NONE, 0, 0, NULL, NULL, 1, false, 2, true},
    {"REAL", WR_XDBC_REAL, 7, NONE, NONE, NONE, NULL, NULL, 0, false, 2, true},
    {"DOUBLE", WR_XDBC_DOUBLE, 15, NONE, NONE, NONE, NULL, NULL, 0, false, 2, true},
    {"INTERVAL", WR_XDBC_INTERVAL, NONE, NONE, NONE, NONE, "INTERVAL '", "'", -1, false, 2, true},
    {"VARCHAR", WR_XDBC_VARCHAR, LONGEST, NONE, NONE, NONE, "'", "'", -1, true, 3, true},
    {"DATE", WR_XDBC_DATE, 10, SUBCODE_DATE, NONE, NONE, "DATE '", "'", -1, false, 2, true},
    {"TIME", WR_XDBC_TIME, 18, SUBCODE_TIME, 0, 9, "TIME '", "'", -1, false, 2, true},
    {"TIMESTAMP", WR_XDBC_TIMESTAMP, 29, SUBCODE_TIMESTAMP, 0, 9, "TIMESTAMP '", "'", -1, false, 2,
     true},
    {"TIMESTAMP WITH TIME ZONE", WR_XDBC_TIMESTAMP, 35, SUBCODE_TIMESTAMP_ZONE, 0, 9, "TIMESTAMP '",
     "'", -1, false, 2, true},
};

/* ---- Of a column ---- */

/* By the first letters of Arrow's formats; the longer ones before what they begin with. */
static const struct {
    const char *format;
    const char *name;
} names[] = {
    {"n", "NULL"},      {"b", "BOOLEAN"},
    {"c", "TINYINT"},   {"C", "TINYINT UNSIGNED"},
    {"s", "SMALLINT"},  {"S", "SMALLINT UNSIGNED"},
    {"i", "INTEGER"},   {"I", "INTEGER UNSIGNED"},
    {"l", "BIGINT"},    {"L", "BIGINT UNSIGNED"},
    {"e", "REAL"},      {"f", "REAL"},
    {"g", "DOUBLE"},    {"d:", "DECIMAL"},
    {"u", "VARCHAR"},   {"U", "VARCHAR"},
    {"vu", "VARCHAR"},  {"z", "BYTEA"},
    {"Z", "BYTEA"},     {"vz", "BYTEA"},
    {"w:", "BYTEA"},    {"td", "DATE"},
    {"tt", "TIME"},     {"ti", "INTERVAL"},
    {"tD", "INTERVAL"}, {"+s", "STRUCT"},
    {"+m", "MAP"},      {"+l", "ARRAY"},
    {"+L", "ARRAY"},    {"+vl", "ARRAY"},
    {"+vL", "ARRAY"},   {"+w:", "ARRAY"},
};

static const struct ArrowSchema *values_of(const struct ArrowSchema *column) {
    for (;;) {
        if (column->dictionary) {
            column = column->dictionary;
        } else if (strcmp(column->format, "+r") == 0 && column->n_children == 2) {
            column = column->children[1];
        } else {
            return column;
        }
    }
}

static const char *name_of(const char *format) {
    if (strncmp(format, "ts", 2) == 0) {
        const char *zone = strchr(format, ':');
        return zone && zone[1] ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP";
    }
    for (size_t i = 0; i < N_OF(names); i++) {
        if (strncmp(format, names[i].format, strlen(names[i].format)) == 0) return names[i].name;
    }
    return "OTHER";
}

const struct wr_sql_type *wr_sql_type(const struct ArrowSchema *column) {
    const char *name = name_of(values_of(column)->format);
    const struct wr_sql_type *type = types;
    while (strcmp(type->name, name) != 0)
        type++;
    return type;
}

const char *wr_door_type_name(const struct ArrowSchema *type) {
    return wr_sql_type(type)->name;
}

int32_t wr_sql_precision(const struct ArrowSchema *column) {
    const struct wr_sql_type *type = wr_sql_type(column);
    const char *format = values_of(column)->format;
    if (strncmp(format, "d:", 2) == 0) return (int32_t)strtol(format + 2, NULL, 10);
    return type->column_size;
}

int32_t wr_sql_scale(const struct ArrowSchema *column) {
    const struct wr_sql_type *type = wr_sql_type(column);
    const char *format = values_of(column)->format;
    if (strncmp(format, "d:", 2) == 0) {
        const char *scale = strchr(format, ',');
        return scale ? (int32_t)strtol(scale + 1, NULL, 10) : 0;
    }
    if (format[0] == 't' && (format[1] == 's' || format[1] == 't')) {
        static const char units[] = "smun";
        const char *unit = format[2] ? strchr(units, format[2]) : NULL;
        return unit ? (int32_t)(unit - units) * 3 : -1;
    }
    return type->maximum_scale;
}

/* ---- The list ---- */

static const struct wr_answer_column columns[] = {
    {"type_name", "u", true},
    {"data_type", "i", true},
    {"column_size", "i", false},
    {"literal_prefix", "u", false},
    {"literal_suffix", "u", false},
    {"create_params", "+l", false},
    {"nullable", "i", true},
    {"case_sensitive", "b", true},
    {"searchable", "i", true},
    {"unsigned_attribute", "b", false},
    {"fixed_prec_scale", "b", true},
    {"auto_increment", "b", false},
    {"local_type_name", "u", false},
    {"minimum_scale", "i", false},
    {"maximum_scale", "i", false},
    {"sql_data_type", "i", true},
    {"datetime_subcode", "i", false},
    {"num_prec_radix", "i", false},
    {"interval_precision", "i", false},
};

static void add_number(struct wr_answer *answer, int32_t value) {
    if (value == NONE) {
        wr_answer_null(answer);
    } else {
        wr_answer_int(answer, value);
    }
}

static void add_type(struct wr_answer *answer, const struct wr_sql_type *type) {
    static const char *const parameters[] = {"precision", "scale"};
    bool decimal = type->data_type == WR_XDBC_DECIMAL;
    bool number = type->unsigned_attribute >= 0;
    wr_answer_text(answer, type->name);
    wr_answer_int(answer, type->data_type);
    add_number(answer, type->column_size);
    wr_answer_text(answer, type->prefix);
    wr_answer_text(answer, type->suffix);
    if (decimal) {
        wr_answer_texts(answer, parameters, N_OF(parameters));
    } else {
        wr_answer_null(answer);
    }
    wr_answer_int(answer, 1); /* a column of it may hold NULL */
    wr_answer_int(answer, type->case_sensitive);
    wr_answer_int(answer, type->searchable);
    add_number(answer, number ? type->unsigned_attribute : NONE);
    wr_answer_int(answer, 0);
    add_number(answer, number ? 0 : NONE);
    wr_answer_text(answer, type->name);
    add_number(answer, type->minimum_scale);
    add_number(answer, type->maximum_scale);
    wr_answer_int(answer, type->subcode == NONE ? type->data_type : WR_XDBC_DATETIME);
    add_number(answer, type->subcode);
    add_number(answer, number ? 10 : NONE);
    wr_answer_null(answer);
    wr_answer_end_row(answer);
}

int wr_door_type_info(const int32_t *data_type, struct ArrowArrayStream *ret_rows,
                      struct weir_error *error) {
    struct wr_answer answer;
    WR_TRY(wr_answer_init(&answer, columns, N_OF(columns), error));
    for (size_t i = 0; i < N_OF(types); i++) {
        if (!types[i].is_listed || (data_type && *data_type != types[i].data_type)) continue;
        add_type(&answer, &types[i]);
    }
    return wr_answer_finish(&answer, ret_rows, error);
}
