/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/postgresql_types.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/relation.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { MOST_EXPRESSION = 64 << 10 };

struct mapping {
    const char *name, *format;
};

/* Those that the driver gives as Arrow has them. */
static const struct mapping plain[] = {
    {"int2", "s"},
    {"int4", "i"},
    {"int8", "l"},
    {"float4", "f"},
    {"float8", "g"},
    {"bool", "b"},
    {"text", "u"},
    {"varchar", "u"},
    {"bytea", "z"},
    {"date", "tdD"},
    {"time", "ttu"},
    {"timestamp", "tsu:"},
    {"timestamptz", "tsu:UTC"},
    {"interval", "tin"},
};

static const char *plain_format(const char *name) {
    for (size_t i = 0; i < N_OF(plain); i++) {
        if (strcmp(plain[i].name, name) == 0) return plain[i].format;
    }
    return NULL;
}

/* As text. That of char(n) is without the blanks that fill it up, which mean nothing to
 * PostgreSQL. */
static void as_text(struct wr_postgresql_type *type) {
    *type = (struct wr_postgresql_type){.format = "u", .before = "", .after = "::text"};
}

/* A modifier holds precision and, since version 15 with a sign, scale. False: it has none, or is
 * greater than Arrow's. */
static bool numeric(int64_t modifier, struct wr_postgresql_type *type) {
    if (modifier < 4) return false;
    int precision = (int)((modifier - 4) >> 16 & 0xFFFF);
    int scale = (int)((modifier - 4) & 0x7FF);
    if (scale >= 1024) scale -= 2048;
    if (scale < 0) {
        precision -= scale;
        scale = 0;
    }
    if (scale > precision) precision = scale;
    if (precision > 76) return false;
    *type = (struct wr_postgresql_type){0};
    if (precision <= 38)
        snprintf(type->format, sizeof type->format, "d:%d,%d", precision, scale);
    else
        snprintf(type->format, sizeof type->format, "d:%d,%d,256", precision, scale);
    return true;
}

static void array(const char *item, struct wr_postgresql_type *type) {
    *type = (struct wr_postgresql_type){.before = "", .after = ""};
    const char *format = plain_format(item);
    snprintf(type->format, sizeof type->format, "+l:%s", format);
    for (size_t i = 0; i < N_OF(plain); i++) {
        if (strcmp(plain[i].name, item) == 0) type->again = plain[i].name;
    }
}

void wr_postgresql_type(const char *name, int64_t modifier, bool own_collation,
                        struct wr_postgresql_type *ret_type) {
    const char *format = plain_format(name);
    if (format) {
        *ret_type = (struct wr_postgresql_type){0};
        snprintf(ret_type->format, sizeof ret_type->format, "%s", format);
        if (own_collation && strcmp(format, "u") == 0) {
            ret_type->before = "";
            ret_type->after = " COLLATE \"C\"";
        }
    } else if (*name == '_' && plain_format(name + 1)) {
        array(name + 1, ret_type);
    } else if (strcmp(name, "oid") == 0) {
        *ret_type = (struct wr_postgresql_type){.format = "l", .before = "", .after = "::int8"};
    } else if (strcmp(name, "numeric") != 0 || !numeric(modifier, ret_type)) {
        as_text(ret_type);
    }
}

int wr_postgresql_guard(const char *column, const struct wr_postgresql_type *type,
                        char **expression, struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_EXPRESSION);
    wr_buffer_text(&text, "CASE WHEN pg_catalog.array_ndims(");
    wr_adbc_quote(&text, column, '"');
    /* A text with the value in it, because a constant would be cast, and fail, at once. */
    wr_buffer_text(&text, ") > 1 THEN ('more than one dimension in ' || ");
    wr_adbc_quote(&text, column, '"');
    wr_buffer_format(&text, "::text)::%s[] ELSE ", type->again);
    wr_adbc_quote(&text, column, '"');
    wr_buffer_text(&text, " END");
    wr_free(*expression);
    *expression = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return *expression ? WEIR_OK : wr_error_memory(error);
}

/* ---- From Arrow ---- */

static const char *simple_name(enum ArrowType type) {
    switch (type) {
    case NANOARROW_TYPE_BOOL:
        return "boolean";
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_INT16:
        return "smallint";
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_INT32:
        return "integer";
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT64: /* what does not fit is an error then */
        return "bigint";
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
        return "real";
    case NANOARROW_TYPE_DOUBLE:
        return "double precision";
    case NANOARROW_TYPE_NA:
    case NANOARROW_TYPE_STRING:
    case NANOARROW_TYPE_LARGE_STRING:
    case NANOARROW_TYPE_STRING_VIEW:
        return "text";
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
        return "bytea";
    case NANOARROW_TYPE_DATE32:
    case NANOARROW_TYPE_DATE64:
        return "date";
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        return "time";
    case NANOARROW_TYPE_DURATION:
    case NANOARROW_TYPE_INTERVAL_MONTHS:
    case NANOARROW_TYPE_INTERVAL_DAY_TIME:
    case NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO:
        return "interval";
    default:
        return NULL;
    }
}

int wr_postgresql_type_name(const struct ArrowSchema *column, struct wr_buffer *text,
                            struct weir_error *error) {
    struct ArrowSchemaView view;
    if (ArrowSchemaViewInit(&view, column, NULL))
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "column \"%s\" has no Arrow type",
                            column->name);
    const char *name = simple_name(view.type);
    if (column->dictionary) return wr_postgresql_type_name(column->dictionary, text, error);
    if (name) {
        wr_buffer_text(text, name);
    } else if (view.type == NANOARROW_TYPE_DECIMAL128 || view.type == NANOARROW_TYPE_DECIMAL256) {
        wr_buffer_format(text, "numeric(%d,%d)", view.decimal_precision, view.decimal_scale);
    } else if (view.type == NANOARROW_TYPE_TIMESTAMP) {
        wr_buffer_text(text, view.timezone && *view.timezone ? "timestamptz" : "timestamp");
    } else if (view.type == NANOARROW_TYPE_LIST || view.type == NANOARROW_TYPE_LARGE_LIST ||
               view.type == NANOARROW_TYPE_FIXED_SIZE_LIST) {
        WR_TRY(wr_postgresql_type_name(column->children[0], text, error));
        wr_buffer_text(text, "[]");
    } else {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "column \"%s\" is of the Arrow type \"%s\", for which PostgreSQL has "
                            "none; cast it, for example to a text",
                            column->name, ArrowTypeString(view.type));
    }
    return WEIR_OK;
}
