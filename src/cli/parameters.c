/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of --param. What reads as a number, true, false or null is one; '...' in SQL's quotes is
 * always text, and so is a number that would not be written back the same (007, +1, 1.). The engine
 * casts to the type that the statement needs.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_DIGITS = 38 }; /* of a decimal128 */

enum value_type { VALUE_TEXT, VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_DECIMAL, VALUE_DOUBLE };

struct value {
    enum value_type type;
    const char *text;
    size_t length;
    int32_t digits, scale; /* DECIMAL */
};

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static void read_number(const char *text, struct value *value) {
    const char *at = text + (text[0] == '-');
    const char *whole = at;

    while (isdigit((unsigned char)*at))
        at++;
    int32_t digits = (int32_t)(at - whole), scale = 0;
    if (digits == 0 || (whole[0] == '0' && digits > 1)) return;
    if (at[0] == '.') {
        const char *fraction = ++at;
        while (isdigit((unsigned char)*at))
            at++;
        scale = (int32_t)(at - fraction);
        if (scale == 0) return;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        if (!isdigit((unsigned char)*at)) return;
        while (isdigit((unsigned char)*at))
            at++;
        if (*at == '\0') value->type = VALUE_DOUBLE;
        return;
    }
    if (*at != '\0') return;
    value->digits = digits + scale;
    value->scale = scale;
    errno = 0;
    (void)strtoll(text, NULL, 10);
    value->type = scale == 0 && errno == 0       ? VALUE_INT
                  : value->digits <= MOST_DIGITS ? VALUE_DECIMAL
                                                 : VALUE_DOUBLE;
}

static struct value read_value(const char *text) {
    struct value value = {VALUE_TEXT, text, strlen(text), 0, 0};

    if (strcasecmp(text, "null") == 0)
        value.type = VALUE_NULL;
    else if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
        value.type = VALUE_BOOL;
    else if (value.length >= 2 && text[0] == '\'' && text[value.length - 1] == '\'') {
        value.text++;
        value.length -= 2;
    } else {
        read_number(text, &value);
    }
    return value;
}

static int set_type(struct ArrowSchema *schema, const struct value *value) {
    static const enum ArrowType types[] = {[VALUE_TEXT] = NANOARROW_TYPE_STRING,
                                           [VALUE_NULL] = NANOARROW_TYPE_NA,
                                           [VALUE_BOOL] = NANOARROW_TYPE_BOOL,
                                           [VALUE_INT] = NANOARROW_TYPE_INT64,
                                           [VALUE_DOUBLE] = NANOARROW_TYPE_DOUBLE};
    if (value->type == VALUE_DECIMAL)
        return ArrowSchemaSetTypeDecimal(schema, NANOARROW_TYPE_DECIMAL128, value->digits,
                                         value->scale);
    return ArrowSchemaSetType(schema, types[value->type]);
}

static int append_decimal(struct ArrowArray *array, const struct value *value) {
    struct ArrowDecimal decimal;
    char digits[MOST_DIGITS + 8];
    int64_t n = 0;

    for (size_t i = 0; i < value->length; i++) {
        if (value->text[i] != '.') digits[n++] = value->text[i];
    }
    ArrowDecimalInit(&decimal, 128, value->digits, value->scale);
    int errnum = ArrowDecimalSetDigits(&decimal, (struct ArrowStringView){digits, n});
    return errnum != 0 ? errnum : ArrowArrayAppendDecimal(array, &decimal);
}

static int append(struct ArrowArray *array, const struct value *value) {
    switch (value->type) {
    case VALUE_NULL:
        return ArrowArrayAppendNull(array, 1);
    case VALUE_BOOL:
        return ArrowArrayAppendInt(array, tolower((unsigned char)value->text[0]) == 't');
    case VALUE_INT:
        return ArrowArrayAppendInt(array, strtoll(value->text, NULL, 10));
    case VALUE_DOUBLE:
        return ArrowArrayAppendDouble(array, strtod(value->text, NULL));
    case VALUE_DECIMAL:
        return append_decimal(array, value);
    case VALUE_TEXT:
        break;
    }
    return ArrowArrayAppendString(array,
                                  (struct ArrowStringView){value->text, (int64_t)value->length});
}

/* One row of the values, in the order of the statement's parameters. */
static int build_row(const struct ArrowSchema *wanted, const struct value *values,
                     struct ArrowSchema *schema, struct ArrowArray *row) {
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(schema, wanted->n_children));
    for (int64_t i = 0; i < wanted->n_children; i++) {
        NANOARROW_RETURN_NOT_OK(set_type(schema->children[i], &values[i]));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(schema->children[i], wanted->children[i]->name));
    }
    NANOARROW_RETURN_NOT_OK(ArrowArrayInitFromSchema(row, schema, NULL));
    NANOARROW_RETURN_NOT_OK(ArrowArrayStartAppending(row));
    for (int64_t i = 0; i < wanted->n_children; i++)
        NANOARROW_RETURN_NOT_OK(append(row->children[i], &values[i]));
    NANOARROW_RETURN_NOT_OK(ArrowArrayFinishElement(row));
    return ArrowArrayFinishBuildingDefault(row, NULL);
}

static int find_values(struct cli *cli, const struct ArrowSchema *wanted, struct value *values,
                       struct weir_error *error) {
    for (int64_t i = 0; i < wanted->n_children; i++) {
        const char *name = wanted->children[i]->name;
        size_t at = 0;
        while (at < cli->parameters.n_items && strcmp(cli->parameters.items[at].key, name) != 0)
            at++;
        if (at == cli->parameters.n_items)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "08P01",
                                "no value for the parameter $%s; give one with --param %s=VALUE",
                                name, name);
        values[i] = read_value(cli->parameters.items[at].value);
        cli->parameter_used[at] = true;
    }
    return WEIR_OK;
}

int parameters_bind(struct cli *cli, struct prepared *prepared, struct weir_error *error) {
    struct ArrowSchema wanted = {0}, schema = {0};
    struct ArrowArray row = {0};

    WR_TRY(prepared->type->parameters(prepared, &wanted, error));
    int code = WEIR_OK;
    if (wanted.n_children > 0) {
        struct value *values = wr_calloc((size_t)wanted.n_children, sizeof *values);
        code = values == NULL ? wr_error_memory(error) : find_values(cli, &wanted, values, error);
        if (code == WEIR_OK && build_row(&wanted, values, &schema, &row) != NANOARROW_OK)
            code = wr_error_memory(error);
        if (code == WEIR_OK) code = prepared->type->bind(prepared, &schema, &row, error);
        wr_free(values);
    }
    wr_arrow_release_array(&row);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_schema(&wanted);
    return code;
}

void parameters_call(struct cli *cli, struct wr_buffer *sql) {
    for (size_t i = 0; i < cli->parameters.n_items; i++) {
        struct value value = read_value(cli->parameters.items[i].value);
        wr_buffer_text(sql, i == 0 ? "(" : ", ");
        wr_buffer_identifier(sql, cli->parameters.items[i].key);
        wr_buffer_text(sql, " => ");
        if (value.type != VALUE_TEXT) {
            wr_buffer_text(sql, value.text);
        } else {
            char *text = wr_strndup(value.text, value.length); /* without the quotes it may have */
            if (text == NULL)
                sql->failed = true;
            else
                wr_buffer_literal(sql, text);
            wr_free(text);
        }
        cli->parameter_used[i] = true;
    }
    if (cli->parameters.n_items > 0) wr_buffer_char(sql, ')');
}

void parameters_warn_unused(const struct cli *cli) {
    for (size_t i = 0; i < cli->parameters.n_items; i++) {
        if (!cli->parameter_used[i])
            fprintf(stderr, "warning: no statement has a parameter $%s\n",
                    cli->parameters.items[i].key);
    }
}
