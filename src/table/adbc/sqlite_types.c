/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/sqlite_types.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/relation.h"

enum { MOST_EXPRESSION = 64 << 10, MOST_DECLARED = 200 };

/* ---- From SQLite ---- */

enum class {
    CLASS_INTEGER,
    CLASS_REAL,
    CLASS_TEXT,
    CLASS_BLOB,
    CLASS_BOOLEAN,
    CLASS_DATE,
    CLASS_TIMESTAMP,
    CLASS_DECIMAL,
    CLASS_OTHER
};

/* The order is SQLite's own for the affinity of a column, with types in between that have none. */
static enum class classify(const char *upper) {
    static const struct {
        const char *part;
        enum class class;
        bool whole;
    } rules[] = {
        {"DATE", CLASS_DATE, true},           {"DATETIME", CLASS_TIMESTAMP, true},
        {"TIMESTAMP", CLASS_TIMESTAMP, true}, {"BOOLEAN", CLASS_BOOLEAN, true},
        {"BOOL", CLASS_BOOLEAN, true},        {"DECIMAL", CLASS_DECIMAL, true},
        {"NUMERIC", CLASS_DECIMAL, true},     {"INT", CLASS_INTEGER, false},
        {"CHAR", CLASS_TEXT, false},          {"CLOB", CLASS_TEXT, false},
        {"TEXT", CLASS_TEXT, false},          {"BLOB", CLASS_BLOB, false},
        {"BINARY", CLASS_BLOB, false},        {"REAL", CLASS_REAL, false},
        {"FLOA", CLASS_REAL, false},          {"DOUB", CLASS_REAL, false},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t length = strlen(rules[i].part);
        if (!rules[i].whole && strstr(upper, rules[i].part)) return rules[i].class;
        /* "TIMESTAMP(6)" too, not "TIMESTAMP WITH TIME ZONE". */
        if (rules[i].whole && strncmp(upper, rules[i].part, length) == 0 &&
            (!upper[length] || upper[length] == '('))
            return rules[i].class;
    }
    return CLASS_OTHER;
}

/* "DECIMAL(15,2)"; false: without a precision that Arrow has. */
static bool decimal(const char *upper, int *ret_precision, int *ret_scale) {
    const char *open = strchr(upper, '(');
    int end = 0;
    *ret_scale = 0;
    if (!open) return false;
    if (sscanf(open, "( %d , %d )%n", ret_precision, ret_scale, &end) != 2 || !end)
        if (sscanf(open, "( %d )%n", ret_precision, &end) != 1 || !end) return false;
    return *ret_precision >= 1 && *ret_precision <= 38 && *ret_scale >= 0 &&
           *ret_scale <= *ret_precision;
}

/* Rounded to the scale, as the numbers are stored in binary. What is no number is left for the
 * check, because round() makes it 0. */
static char *decimal_expression(const char *column, int scale) {
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_EXPRESSION);
    wr_buffer_text(&text, "CASE WHEN typeof(");
    wr_adbc_quote(&text, column, '"');
    wr_buffer_text(&text, ") IN ('text', 'blob') THEN ");
    wr_adbc_quote(&text, column, '"');
    wr_buffer_text(&text, " ELSE round(");
    wr_adbc_quote(&text, column, '"');
    wr_buffer_format(&text, ", %d) END", scale);
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}

/* All spellings of an instant as one, "2024-01-31 12:00:00.000000", so that equal ones are equal
 * texts; what is none, or has nanoseconds, is left for the check. Each %s is the column. */
static char *timestamp_expression(const char *column) {
    static const char form[] =
        "CASE WHEN length(%s) = 10 THEN %s || ' 00:00:00.000000' "
        "WHEN length(%s) = 16 THEN replace(%s, 'T', ' ') || ':00.000000' "
        "WHEN length(%s) = 19 THEN replace(%s, 'T', ' ') || '.000000' "
        "WHEN length(%s) BETWEEN 21 AND 26 THEN substr(replace(%s, 'T', ' ') || '000000', 1, 26) "
        "WHEN length(%s) = 29 AND substr(%s, 27) = '000' THEN replace(substr(%s, 1, 26), 'T', ' ') "
        "ELSE %s END";
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_EXPRESSION);
    for (const char *at = form; *at; at++) {
        if (strncmp(at, "%s", 2) != 0) {
            wr_buffer_char(&text, *at);
            continue;
        }
        wr_adbc_quote(&text, column, '"');
        at++;
    }
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}

static void upper_case(const char *declared, char ret_upper[MOST_DECLARED]) {
    size_t length = 0;
    for (const char *c = declared; *c && length + 1 < MOST_DECLARED; c++)
        ret_upper[length++] = (char)toupper((unsigned char)*c);
    ret_upper[length] = '\0';
}

int wr_sqlite_type(const char *column, const char *declared, bool collated,
                   struct wr_sqlite_type *ret_type, char **ret_expression,
                   struct weir_error *error) {
    static const char *const formats[] = {"l", "g", "u", "z", "b", "tdD", "tsu:", "u", "u"};
    char upper[MOST_DECLARED];
    char *expression = NULL;
    int precision = 0, scale = 0;
    upper_case(declared, upper);
    enum class class = classify(upper);
    bool plain = class != CLASS_TIMESTAMP && class != CLASS_DECIMAL && class != CLASS_OTHER &&
                 !(class == CLASS_TEXT && collated);
    snprintf(ret_type->format, sizeof ret_type->format, "%s", formats[class]);
    if (class == CLASS_DECIMAL && decimal(upper, &precision, &scale)) {
        snprintf(ret_type->format, sizeof ret_type->format, "d:%d,%d", precision, scale);
        expression = decimal_expression(column, scale);
    } else if (class == CLASS_DECIMAL || class == CLASS_OTHER) {
        expression = wr_adbc_expression("CAST(", column, '"', " AS TEXT)");
    } else if (class == CLASS_TIMESTAMP) {
        expression = timestamp_expression(column);
    } else if (!plain) {
        expression = wr_adbc_expression("", column, '"', " COLLATE BINARY");
    }
    if (!plain && !expression) return wr_error_memory(error);
    *ret_expression = expression;
    return WEIR_OK;
}
