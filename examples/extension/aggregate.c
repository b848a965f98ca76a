/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An aggregate in C: the geometric mean. What is kept of a group is the sum of logarithms and their
 * number, so that parts which threads computed apart can be merged.
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o aggregate.so aggregate.c -lm
 *     weir sql "LOAD './aggregate.so'; SELECT geometric_mean(n) FROM (VALUES (2), (8)) t(n)"
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <weir_extension.h>

static int fail(struct weir_error *error, int code, const char *sqlstate, const char *message) {
    if (!error) return code;
    *error = (struct weir_error){.code = code};
    strcpy(error->sqlstate, sqlstate), strcpy(error->message, message);
    return code;
}

/* ---- Types: "g" is float64. Result and state are floats without NULL: a mean of nothing is NaN
 * --- */
static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL; /* all that it points to is static */
}
static struct ArrowSchema number = {.format = "g", .name = "", .release = release_schema};
static struct ArrowSchema *two[] = {&number, &number};

static int mean_bind(void *private_data, const struct ArrowSchema *arguments,
                     struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                     struct ArrowSchema *ret_result, struct weir_error *error) {
    (void)private_data;
    if (arguments->n_children != 1)
        return fail(error, WEIR_INVALID_ARGUMENT, "42883", "it takes one number");
    *ret_state = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 2, .children = two, .release = release_schema};
    *ret_arguments = *ret_state, ret_arguments->n_children = 1;
    *ret_result = number;
    return WEIR_OK;
}

/* ---- An accumulator: SUM and COUNT of each group ---- */
enum { SUM, COUNT };
struct groups {
    double (*items)[2];
    int64_t n, room;
};
static int mean_open(void *private_data, const struct ArrowSchema *arguments,
                     void **ret_accumulator, struct weir_error *error) {
    (void)private_data, (void)arguments;
    *ret_accumulator = calloc(1, sizeof(struct groups));
    return *ret_accumulator ? WEIR_OK : fail(error, WEIR_INTERNAL, "53200", "out of memory");
}
static void mean_close(void *accumulator) {
    free(((struct groups *)accumulator)->items), free(accumulator);
}
static int grow(struct groups *groups, int64_t n, struct weir_error *error) {
    if (n > groups->room) {
        void *items = realloc(groups->items, (size_t)n * 2 * sizeof *groups->items);
        if (!items) return fail(error, WEIR_INTERNAL, "53200", "out of memory");
        groups->items = items, groups->room = 2 * n;
    }
    for (; groups->n < n; groups->n++)
        groups->items[groups->n][SUM] = groups->items[groups->n][COUNT] = 0;
    return WEIR_OK;
}
#define VALUES(column) ((const double *)(column)->buffers[1] + (column)->offset)

static int mean_update(void *accumulator, const struct ArrowArray *columns, const int64_t *of,
                       int64_t n_groups, struct weir_error *error) {
    const struct ArrowArray *column = columns->children[0];
    const uint8_t *bits = column->buffers[0]; /* NULL: every value is there */
    struct groups *groups = accumulator;
    if (grow(groups, n_groups, error)) return WEIR_INTERNAL;
    for (int64_t row = 0, bit = column->offset; row < columns->length; row++, bit++) {
        if (bits && !(bits[bit / 8] >> (bit % 8) & 1)) continue;
        groups->items[of[row]][SUM] += log(VALUES(column)[row]), groups->items[of[row]][COUNT]++;
    }
    return WEIR_OK;
}
static int mean_merge(void *accumulator, const struct ArrowArray *states, const int64_t *of,
                      int64_t n_groups, struct weir_error *error) {
    struct groups *groups = accumulator;
    if (grow(groups, n_groups, error)) return WEIR_INTERNAL;
    for (int64_t row = 0; row < states->length; row++)
        for (int i = SUM; i <= COUNT; i++)
            groups->items[of[row]][i] += VALUES(states->children[i])[row];
    return WEIR_OK;
}

/* ---- Rows: one block, which the array that is given owns ---- */
struct rows {
    struct ArrowArray columns[2], *pointers[2];
    const void *buffers[2][2], *none[1];
    double values[];
};
static void release_array(struct ArrowArray *array) {
    free(array->private_data), array->release = NULL; /* of a column of a struct NULL */
}
static int mean_take(void *accumulator, int64_t n, int is_state, struct ArrowArray *ret_rows,
                     struct weir_error *error) {
    struct groups *groups = accumulator;
    struct rows *rows = calloc(1, sizeof *rows + (size_t)n * 2 * sizeof(double));
    if (!rows) return fail(error, WEIR_INTERNAL, "53200", "out of memory");
    for (int64_t i = 0; i < n; i++) {
        double sum = groups->items[i][SUM], count = groups->items[i][COUNT];
        rows->values[i] = is_state ? sum : exp(sum / count), rows->values[n + i] = count;
    }
    for (int i = 0; i < 2; i++) {
        rows->buffers[i][1] = rows->values + i * n, rows->pointers[i] = &rows->columns[i];
        rows->columns[i] =
            (struct ArrowArray){n, 0, 0, 2, 0, rows->buffers[i], NULL, NULL, release_array, NULL};
    }
    *ret_rows =
        is_state
            ? (struct ArrowArray){n,   0, 0, 1, 2, rows->none, rows->pointers, NULL, release_array,
                                  rows}
            : rows->columns[0];
    ret_rows->private_data = rows;
    groups->n -= n;
    memmove(groups->items, groups->items + n, (size_t)groups->n * sizeof *groups->items);
    return WEIR_OK;
}
static int64_t mean_bytes(void *accumulator) {
    return ((struct groups *)accumulator)->room * (int64_t)sizeof(double[2]);
}

static const struct weir_aggregate_function mean = {
    sizeof mean, "geometric_mean", "geometric mean", WEIR_IMMUTABLE, mean_bind,  mean_open,
    mean_close,  mean_update,      mean_merge,       mean_take,      mean_bytes, NULL};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    *ret_extension = (struct weir_extension){
        sizeof *ret_extension, WEIR_EXTENSION_ABI, "aggregate", "1", NULL, NULL, NULL};
    if (!WEIR_HOST_HAS(host, register_aggregate_function))
        return fail(error, WEIR_NOT_IMPLEMENTED, "0A000", "this weir knows no functions");
    return host->register_aggregate_function(host->context, &mean, error);
}
