/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as values of a statement's parameters. The engine casts them to what the statement needs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "http/parse.h"
#include "http/sql.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_DIGITS = 38 }; /* of a decimal128 */

struct parameter {
    char name[72];
    enum ArrowType type;
    const char *text;
    size_t length;
    int32_t digits, scale; /* of a decimal */
    int64_t integer;
    struct wr_buffer bytes; /* of Base64 */
};

static int refuse(const struct parameter *parameter, const char *what, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "the parameter $%s %s",
                        parameter->name, what);
}

/* ---- What a value is ---- */

/* "12.50": digits and the scale; false when it has an exponent, or too many. */
static bool read_decimal(struct parameter *parameter) {
    const char *at = parameter->text + (*parameter->text == '-');
    bool after_point = false;
    parameter->digits = parameter->scale = 0;
    for (; *at; at++) {
        if (*at == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (*at < '0' || *at > '9') return false;
        parameter->digits++;
        parameter->scale += after_point;
    }
    return parameter->digits > 0 && parameter->digits <= MOST_DIGITS;
}

static void read_number(struct parameter *parameter) {
    if (wr_parse_int(parameter->text, &parameter->integer)) {
        parameter->type = NANOARROW_TYPE_INT64;
    } else if (read_decimal(parameter)) {
        parameter->type = NANOARROW_TYPE_DECIMAL128;
    } else {
        parameter->type = NANOARROW_TYPE_DOUBLE;
    }
}

static int read_double(struct parameter *parameter, struct weir_error *error) {
    char *end;
    (void)strtod(parameter->text, &end);
    parameter->type = NANOARROW_TYPE_DOUBLE;
    return *parameter->text && !*end ? WEIR_OK : refuse(parameter, "is no double", error);
}

static int read_binary(struct parameter *parameter, struct weir_error *error) {
    parameter->type = NANOARROW_TYPE_BINARY;
    if (http_decode_base64(parameter->text, parameter->length, &parameter->bytes)) return WEIR_OK;
    return parameter->bytes.failed ? wr_error_memory(error)
                                   : refuse(parameter, "is not Base64", error);
}

/* {"type": T, "value": V}: V is a text or a number, or null. */
static int read_typed(const struct json_value *value, struct parameter *parameter,
                      struct weir_error *error) {
    const struct json_value *type = json_member(value, "type"),
                            *inner = json_member(value, "value");
    if (!type || type->type != JSON_TEXT || !inner || value->n_values != 2)
        return refuse(parameter, "is an object without a \"type\" and a \"value\"", error);
    if (inner->type == JSON_NULL) return WEIR_OK;
    if (inner->type != JSON_TEXT && inner->type != JSON_NUMBER)
        return refuse(parameter, "has a \"value\" that is neither text nor number", error);
    parameter->text = inner->text;
    parameter->length = inner->length;
    if (strcmp(type->text, "binary") == 0) return read_binary(parameter, error);
    if (strcmp(type->text, "double") == 0) return read_double(parameter, error);
    if (strcmp(type->text, "int64") == 0) {
        parameter->type = NANOARROW_TYPE_INT64;
        return wr_parse_int(parameter->text, &parameter->integer)
                   ? WEIR_OK
                   : refuse(parameter, "is no int64", error);
    }
    if (strcmp(type->text, "decimal") == 0) {
        parameter->type = NANOARROW_TYPE_DECIMAL128;
        return read_decimal(parameter) ? WEIR_OK : refuse(parameter, "is no decimal", error);
    }
    return refuse(parameter, "has another type than int64, decimal, double and binary", error);
}

static int read_value(const struct json_value *value, struct parameter *parameter,
                      struct weir_error *error) {
    parameter->text = value->text;
    parameter->length = value->length;
    switch (value->type) {
    case JSON_NULL:
        return WEIR_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        parameter->type = NANOARROW_TYPE_BOOL;
        parameter->integer = value->type == JSON_TRUE;
        return WEIR_OK;
    case JSON_NUMBER:
        read_number(parameter);
        return WEIR_OK;
    case JSON_TEXT:
        parameter->type = NANOARROW_TYPE_STRING;
        return WEIR_OK;
    case JSON_OBJECT:
        return read_typed(value, parameter, error);
    case JSON_ARRAY:
        break;
    }
    return refuse(parameter, "is an array, which no parameter can be", error);
}

static int read_one(const struct json_value *value, size_t number, struct parameter *parameter,
                    struct weir_error *error) {
    const char *name = value->name ? value->name + (*value->name == '$') : NULL;
    parameter->type = NANOARROW_TYPE_NA;
    wr_buffer_init(&parameter->bytes, (size_t)1 << 30);
    if (name && strlen(name) >= sizeof parameter->name)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "a parameter's name is too long");
    if (name) {
        snprintf(parameter->name, sizeof parameter->name, "%s", name);
    } else {
        snprintf(parameter->name, sizeof parameter->name, "%zu", number);
    }
    return read_value(value, parameter, error);
}

/* ---- The row ---- */

static int set_type(struct ArrowSchema *schema, const struct parameter *parameter) {
    if (parameter->type == NANOARROW_TYPE_DECIMAL128)
        return ArrowSchemaSetTypeDecimal(schema, parameter->type, parameter->digits,
                                         parameter->scale);
    return ArrowSchemaSetType(schema, parameter->type);
}

static int append_decimal(struct ArrowArray *array, const struct parameter *parameter) {
    struct ArrowDecimal decimal;
    char digits[MOST_DIGITS + 8];
    int64_t n = 0;
    for (const char *at = parameter->text; *at; at++) {
        if (*at != '.') digits[n++] = *at;
    }
    ArrowDecimalInit(&decimal, 128, parameter->digits, parameter->scale);
    int errnum = ArrowDecimalSetDigits(&decimal, (struct ArrowStringView){digits, n});
    return errnum ? errnum : ArrowArrayAppendDecimal(array, &decimal);
}

static int append(struct ArrowArray *array, const struct parameter *parameter) {
    switch (parameter->type) {
    case NANOARROW_TYPE_NA:
        return ArrowArrayAppendNull(array, 1);
    case NANOARROW_TYPE_DECIMAL128:
        return append_decimal(array, parameter);
    case NANOARROW_TYPE_DOUBLE:
        return ArrowArrayAppendDouble(array, strtod(parameter->text, NULL));
    case NANOARROW_TYPE_BINARY: {
        const struct wr_buffer *bytes = &parameter->bytes;
        struct ArrowBufferView view = {{bytes->data}, (int64_t)bytes->length};
        return ArrowArrayAppendBytes(array, view);
    }
    case NANOARROW_TYPE_STRING: {
        struct ArrowStringView view = {parameter->text, (int64_t)parameter->length};
        return ArrowArrayAppendString(array, view);
    }
    default:
        return ArrowArrayAppendInt(array, parameter->integer);
    }
}

static int build(const struct parameter *parameters, int64_t n, struct ArrowSchema *schema,
                 struct ArrowArray *row) {
    ArrowSchemaInit(schema);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetTypeStruct(schema, n));
    for (int64_t i = 0; i < n; i++) {
        NANOARROW_RETURN_NOT_OK(set_type(schema->children[i], &parameters[i]));
        NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(schema->children[i], parameters[i].name));
    }
    NANOARROW_RETURN_NOT_OK(ArrowArrayInitFromSchema(row, schema, NULL));
    NANOARROW_RETURN_NOT_OK(ArrowArrayStartAppending(row));
    for (int64_t i = 0; i < n; i++)
        NANOARROW_RETURN_NOT_OK(append(row->children[i], &parameters[i]));
    NANOARROW_RETURN_NOT_OK(ArrowArrayFinishElement(row));
    return ArrowArrayFinishBuildingDefault(row, NULL);
}

static int bind_row(struct weir_statement *statement, const struct parameter *parameters, size_t n,
                    struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArray row = {0};
    int errnum = build(parameters, (int64_t)n, &schema, &row);
    int code = errnum ? wr_error_errno(error, errnum, "cannot read the parameters")
                      : weir_statement_bind(statement, &schema, &row, error);
    wr_arrow_release_array(&row);
    wr_arrow_release_schema(&schema);
    return code;
}

/* Whether the statement has just these: the engine would take others by their places. */
static int check_names(struct weir_statement *statement, const struct parameter *parameters,
                       size_t n, struct weir_error *error) {
    struct ArrowSchema wanted = {0};
    WR_TRY(weir_statement_parameters(statement, &wanted, error));
    int code = WEIR_OK;
    if ((size_t)wanted.n_children != n)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "08P01",
                            "the statement has %lld parameters, and \"params\" has %zu",
                            (long long)wanted.n_children, n);
    for (size_t i = 0; !code && i < n; i++) {
        int64_t at = 0;
        while (at < wanted.n_children && strcmp(wanted.children[at]->name, parameters[i].name) != 0)
            at++;
        if (at == wanted.n_children)
            code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "08P01",
                                "the statement has no parameter $%s", parameters[i].name);
    }
    wr_arrow_release_schema(&wanted);
    return code;
}

int http_bind(struct weir_statement *statement, const struct json_value *params,
              struct weir_error *error) {
    size_t n_values = params ? params->n_values : 0;
    struct parameter *parameters = wr_calloc(n_values + 1, sizeof *parameters);
    size_t n = 0;
    int code = parameters ? WEIR_OK : wr_error_memory(error);
    const struct json_value *value = params ? params->first : NULL;
    for (; !code && value; value = value->next) {
        code = read_one(value, n + 1, &parameters[n], error);
        n++;
    }
    if (!code) code = check_names(statement, parameters, n, error);
    if (!code && n > 0) code = bind_row(statement, parameters, n, error);
    for (size_t i = 0; i < n; i++)
        wr_buffer_reset(&parameters[i].bytes);
    wr_free(parameters);
    return code;
}
