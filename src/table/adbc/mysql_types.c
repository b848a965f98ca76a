/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/mysql_types.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/relation.h"

/* Of the digits behind the point, MySQL has fewer than MariaDB. */
enum { MOST_DIGITS = 65, MOST_SCALE = 30 };

/* ---- From MySQL ---- */

enum reading { AS_IT_IS, AS_NUMBER, AS_DOUBLE, AS_TEXT, AS_SHAPE };

static const struct {
    const char *type, *format, *if_unsigned;
    enum reading reading;
} known[] = {
    {"tinyint", "c", "C", AS_IT_IS},
    {"smallint", "s", "S", AS_IT_IS},
    {"mediumint", "i", "I", AS_IT_IS},
    {"int", "i", "I", AS_IT_IS},
    {"bigint", "l", "L", AS_IT_IS},
    {"year", "S", "S", AS_IT_IS},
    /* Of a batch of floats, the ODBC driver mixes up the rows. */
    {"float", "f", "f", AS_DOUBLE},
    {"double", "g", "g", AS_IT_IS},
    {"date", "tdD", NULL, AS_IT_IS},
    {"datetime", "tsu:", NULL, AS_IT_IS},
    {"timestamp", "tsu:UTC", NULL, AS_IT_IS},
    {"time", "ttu", NULL, AS_IT_IS},
    {"binary", "z", NULL, AS_IT_IS},
    {"varbinary", "z", NULL, AS_IT_IS},
    {"tinyblob", "z", NULL, AS_IT_IS},
    {"blob", "z", NULL, AS_IT_IS},
    {"mediumblob", "z", NULL, AS_IT_IS},
    {"longblob", "z", NULL, AS_IT_IS},
    {"bit", "L", NULL, AS_NUMBER},
    {"geometry", "z", NULL, AS_SHAPE},
    {"point", "z", NULL, AS_SHAPE},
    {"linestring", "z", NULL, AS_SHAPE},
    {"polygon", "z", NULL, AS_SHAPE},
    {"multipoint", "z", NULL, AS_SHAPE},
    {"multilinestring", "z", NULL, AS_SHAPE},
    {"multipolygon", "z", NULL, AS_SHAPE},
    {"geometrycollection", "z", NULL, AS_SHAPE},
    {"geomcollection", "z", NULL, AS_SHAPE},
};

/* Texts are equal by their bytes; enums, sets, JSON and all types that are not known are texts. */
static char *text_expression(const struct wr_mysql_column *column, const char *binary) {
    char after[80];
    bool stored = strstr(column->type, "char") || strstr(column->type, "text");
    bool is_utf8 = stored && column->charset && strcmp(column->charset, "utf8mb4") == 0;
    snprintf(after, sizeof after, "%s COLLATE %s", is_utf8 ? "" : " USING utf8mb4)", binary);
    return wr_adbc_expression(is_utf8 ? "" : "CONVERT(", column->name, '`', after);
}

static char *expression_of(const struct wr_mysql_column *column, enum reading reading,
                           const char *binary) {
    switch (reading) {
    case AS_NUMBER:
        return wr_adbc_expression("CAST(", column->name, '`', " AS UNSIGNED)");
    case AS_DOUBLE:
        return wr_adbc_expression("CAST(", column->name, '`', " AS DOUBLE)");
    case AS_SHAPE:
        return wr_adbc_expression("ST_AsWKB(", column->name, '`', ")");
    default:
        return text_expression(column, binary);
    }
}

int wr_mysql_type(const struct wr_mysql_column *column, const char *binary,
                  struct wr_mysql_type *ret_type, char **ret_expression, struct weir_error *error) {
    bool is_unsigned = strstr(column->declared, "unsigned") || strstr(column->declared, "zerofill");
    const char *format = "u";
    enum reading reading = AS_TEXT;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(known[i].type, column->type) != 0) continue;
        format = is_unsigned && known[i].if_unsigned ? known[i].if_unsigned : known[i].format;
        reading = known[i].reading;
    }
    *ret_expression = NULL;
    if (strcasecmp(column->type, "decimal") == 0) {
        snprintf(ret_type->format, sizeof ret_type->format, "d:%d,%d%s", (int)column->precision,
                 (int)column->scale, column->precision > 38 ? ",256" : "");
        return WEIR_OK;
    }
    snprintf(ret_type->format, sizeof ret_type->format, "%s", format);
    bool plain = reading == AS_IT_IS || (reading == AS_TEXT && column->collation &&
                                         strcmp(column->collation, binary) == 0);
    if (plain) return WEIR_OK;
    *ret_expression = expression_of(column, reading, binary);
    return *ret_expression ? WEIR_OK : wr_error_memory(error);
}

/* ---- From Arrow ---- */

static const char *simple_name(const struct ArrowSchemaView *view) {
    switch (view->type) {
    case NANOARROW_TYPE_BOOL:
        return "BOOLEAN";
    case NANOARROW_TYPE_INT8:
        return "TINYINT";
    case NANOARROW_TYPE_UINT8:
        return "TINYINT UNSIGNED";
    case NANOARROW_TYPE_INT16:
        return "SMALLINT";
    case NANOARROW_TYPE_UINT16:
        return "SMALLINT UNSIGNED";
    case NANOARROW_TYPE_INT32:
        return "INT";
    case NANOARROW_TYPE_UINT32:
        return "INT UNSIGNED";
    case NANOARROW_TYPE_INT64:
        return "BIGINT";
    case NANOARROW_TYPE_UINT64:
        return "BIGINT UNSIGNED";
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
        return "FLOAT";
    case NANOARROW_TYPE_DOUBLE:
        return "DOUBLE";
    case NANOARROW_TYPE_NA:
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
        return "LONGBLOB";
    case NANOARROW_TYPE_DATE32:
        return "DATE";
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        return "TIME(6)";
    case NANOARROW_TYPE_TIMESTAMP:
        return view->timezone && *view->timezone ? "TIMESTAMP(6)" : "DATETIME(6)";
    default:
        return NULL;
    }
}

int wr_mysql_type_name(const struct ArrowSchema *column, struct wr_buffer *text,
                       struct weir_error *error) {
    struct ArrowSchemaView view;
    if (ArrowSchemaViewInit(&view, column, NULL))
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "column \"%s\" has no Arrow type",
                            column->name);
    if (column->dictionary) return wr_mysql_type_name(column->dictionary, text, error);
    bool is_decimal =
        view.type == NANOARROW_TYPE_DECIMAL128 || view.type == NANOARROW_TYPE_DECIMAL256;
    const char *name = simple_name(&view);
    if (name) {
        wr_buffer_text(text, name);
        /* Of this type, older servers take it to be NOT NULL. */
        bool is_nullable = (column->flags & ARROW_FLAG_NULLABLE) != 0;
        if (is_nullable && strncmp(name, "TIMESTAMP", 9) == 0) wr_buffer_text(text, " NULL");
    } else if (is_decimal && view.decimal_precision <= MOST_DIGITS && view.decimal_scale >= 0 &&
               view.decimal_scale <= MOST_SCALE) {
        wr_buffer_format(text, "DECIMAL(%d,%d)", (int)view.decimal_precision,
                         (int)view.decimal_scale);
    } else {
        char type[256];
        ArrowSchemaToString(column, type, sizeof type, 0);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "column \"%s\" is of the Arrow type %s, for which MySQL has none; cast "
                            "it, for example to a text",
                            column->name, type);
    }
    return WEIR_OK;
}
