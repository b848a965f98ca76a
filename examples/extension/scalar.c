/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function in C: the greatest common divisor of two integers.
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o scalar.so scalar.c
 *     weir sql "LOAD './scalar.so'; SELECT greatest_divisor(12, 18)"
 */
#include <stdlib.h>
#include <string.h>
#include <weir_extension.h>

static int fail(struct weir_error *error, int code, const char *sqlstate, const char *message) {
    if (!error) return code;
    *error = (struct weir_error){.code = code};
    strcpy(error->sqlstate, sqlstate), strcpy(error->message, message);
    return code;
}

/* ---- Types: what it wants, a struct ("+s") of two int64 ("l"), and what it gives, an int64 ----
 */
static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL; /* all that it points to is static */
}
static struct ArrowSchema integer = {.format = "l", .name = "", .release = release_schema};
static struct ArrowSchema *two[] = {&integer, &integer};

static int gcd_bind(void *private_data, const struct ArrowSchema *arguments,
                    struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                    struct weir_error *error) {
    (void)private_data;
    if (arguments->n_children != 2)
        return fail(error, WEIR_INVALID_ARGUMENT, "42883", "it takes two integers");
    *ret_arguments = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 2, .children = two, .release = release_schema};
    *ret_result = integer;
    return WEIR_OK;
}

/* ---- The result: values, and behind them the bits that say which are there ---- */
struct result {
    const void *buffers[2];
    int64_t values[];
};
static void release_array(struct ArrowArray *array) {
    free(array->private_data), array->release = NULL;
}
static int make_result(int64_t n_rows, struct ArrowArray *out) {
    size_t n_bits = (size_t)n_rows / 8 + 1;
    struct result *result = calloc(1, sizeof *result + (size_t)n_rows * 8 + n_bits);
    if (!result) return WEIR_INTERNAL;
    result->buffers[0] = memset(result->values + n_rows, 0xff, n_bits);
    result->buffers[1] = result->values;
    *out = (struct ArrowArray){.length = n_rows,
                               .null_count = -1, /* not counted */
                               .n_buffers = 2,
                               .buffers = result->buffers,
                               .release = release_array,
                               .private_data = result};
    return WEIR_OK;
}

static int is_null(const struct ArrowArray *column, int64_t row) {
    const uint8_t *bits = column->buffers[0]; /* NULL: every value is there */
    row += column->offset;
    return bits && !(bits[row / 8] >> (row % 8) & 1);
}

/* ---- The function. NULL is its own business ---- */
static uint64_t magnitude(const struct ArrowArray *column, int64_t row) {
    int64_t value = ((const int64_t *)column->buffers[1])[row + column->offset];
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static int gcd_call(void *private_data, const struct ArrowSchema *arguments,
                    const struct ArrowArray *columns, struct ArrowArray *ret_result,
                    struct weir_error *error) {
    const struct ArrowArray *a = columns->children[0], *b = columns->children[1];
    struct ArrowArray array;
    (void)private_data, (void)arguments;
    if (make_result(columns->length, &array))
        return fail(error, WEIR_INTERNAL, "53200", "out of memory");
    struct result *result = array.private_data;
    for (int64_t row = 0; row < columns->length; row++) {
        if (is_null(a, row) || is_null(b, row)) {
            ((uint8_t *)result->buffers[0])[row / 8] &= (uint8_t)~(1U << (row % 8));
            continue;
        }
        uint64_t x = magnitude(a, row), y = magnitude(b, row);
        while (y > 0) {
            uint64_t rest = x % y;
            x = y, y = rest;
        }
        if (x > INT64_MAX) {
            array.release(&array);
            return fail(error, WEIR_INVALID_DATA, "22003", "the divisor is 2^63: no int64");
        }
        result->values[row] = (int64_t)x;
    }
    *ret_result = array;
    return WEIR_OK;
}

static const struct weir_scalar_function gcd = {.size = sizeof gcd,
                                                .name = "greatest_divisor",
                                                .summary = "greatest common divisor",
                                                .volatility = WEIR_IMMUTABLE,
                                                .bind = gcd_bind,
                                                .call = gcd_call};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    *ret_extension = (struct weir_extension){
        .size = sizeof *ret_extension, .abi = WEIR_EXTENSION_ABI, .name = "scalar", .version = "1"};
    if (!WEIR_HOST_HAS(host, register_scalar_function))
        return fail(error, WEIR_NOT_IMPLEMENTED, "0A000", "this weir knows no functions");
    return host->register_scalar_function(host->context, &gcd, error);
}
