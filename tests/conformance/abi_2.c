/* SPDX-License-Identifier: Apache-2.0 */
/* An extension as they were when functions had come: never edited, and loaded by each later weir.
 */
#include <stdlib.h>
#include <string.h>

#include "abi_2.h"

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static struct ArrowSchema number = {.format = "l", .name = "", .release = release_schema};
static struct ArrowSchema *one[] = {&number};

static void row_of_one(struct ArrowSchema *ret_schema) {
    *ret_schema = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 1, .children = one, .release = release_schema};
}

/* Values, all there, as a column or as the only one of a struct. */
struct block {
    struct ArrowArray column, *columns[1];
    const void *buffers[2], *none[1];
    int64_t values[];
};

static void release_array(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

static int64_t *give(int64_t n_rows, int in_struct, struct ArrowArray *ret_array) {
    struct block *block = calloc(1, sizeof *block + (size_t)n_rows * sizeof(int64_t));
    if (!block) return NULL;
    block->buffers[1] = block->values;
    block->columns[0] = &block->column;
    block->column = (struct ArrowArray){
        .length = n_rows, .n_buffers = 2, .buffers = block->buffers, .release = release_array};
    *ret_array = block->column;
    if (in_struct)
        *ret_array = (struct ArrowArray){.length = n_rows,
                                         .n_buffers = 1,
                                         .buffers = block->none,
                                         .n_children = 1,
                                         .children = block->columns,
                                         .release = release_array};
    ret_array->private_data = block;
    return block->values;
}

static const int64_t *values(const struct ArrowArray *columns) {
    const struct ArrowArray *column = columns->children[0];
    return (const int64_t *)column->buffers[1] + column->offset;
}

/* ---- abi2_negative(n), abi2_total(n) ---- */

static int negative_bind(void *private_data, const struct ArrowSchema *arguments,
                         struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                         struct weir_error *error) {
    (void)private_data, (void)error;
    if (arguments->n_children != 1) return WEIR_INVALID_ARGUMENT;
    row_of_one(ret_arguments);
    *ret_result = number;
    return WEIR_OK;
}

static int negative_call(void *private_data, const struct ArrowSchema *arguments,
                         const struct ArrowArray *columns, struct ArrowArray *ret_result,
                         struct weir_error *error) {
    (void)private_data, (void)arguments, (void)error;
    int64_t *results = give(columns->length, 0, ret_result);
    if (!results) return WEIR_INTERNAL;
    for (int64_t row = 0; row < columns->length; row++)
        results[row] = -values(columns)[row];
    return WEIR_OK;
}

enum { MOST_GROUPS = 1000 };

struct totals {
    int64_t n, totals[MOST_GROUPS];
};

static int total_bind(void *private_data, const struct ArrowSchema *arguments,
                      struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                      struct ArrowSchema *ret_result, struct weir_error *error) {
    row_of_one(ret_state);
    return negative_bind(private_data, arguments, ret_arguments, ret_result, error);
}

static int total_open(void *private_data, const struct ArrowSchema *arguments,
                      void **ret_accumulator, struct weir_error *error) {
    (void)private_data, (void)arguments, (void)error;
    *ret_accumulator = calloc(1, sizeof(struct totals));
    return *ret_accumulator ? WEIR_OK : WEIR_INTERNAL;
}

static int total_update(void *accumulator, const struct ArrowArray *columns, const int64_t *groups,
                        int64_t n_groups, struct weir_error *error) {
    struct totals *totals = accumulator;
    (void)error;
    if (n_groups > MOST_GROUPS) return WEIR_INTERNAL;
    totals->n = n_groups;
    for (int64_t row = 0; row < columns->length; row++)
        totals->totals[groups[row]] += values(columns)[row];
    return WEIR_OK;
}

static int total_take(void *accumulator, int64_t n_groups, int is_state,
                      struct ArrowArray *ret_rows, struct weir_error *error) {
    struct totals *totals = accumulator;
    (void)error;
    int64_t *results = give(n_groups, is_state, ret_rows);
    if (!results) return WEIR_INTERNAL;
    memcpy(results, totals->totals, (size_t)n_groups * sizeof *results);
    memmove(totals->totals, totals->totals + n_groups,
            (size_t)(MOST_GROUPS - n_groups) * sizeof *results);
    memset(totals->totals + MOST_GROUPS - n_groups, 0, (size_t)n_groups * sizeof *results);
    return WEIR_OK;
}

static int64_t total_bytes(void *accumulator) {
    (void)accumulator;
    return sizeof(struct totals);
}

static const struct weir_scalar_function negative = {.size = sizeof negative,
                                                     .name = "abi2_negative",
                                                     .volatility = 0,
                                                     .bind = negative_bind,
                                                     .call = negative_call};
static const struct weir_aggregate_function total = {.size = sizeof total,
                                                     .name = "abi2_total",
                                                     .volatility = 0,
                                                     .bind = total_bind,
                                                     .open = total_open,
                                                     .close = free,
                                                     .update = total_update,
                                                     .merge = total_update,
                                                     .take = total_take,
                                                     .n_bytes = total_bytes};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    if (host->size < sizeof *host) return WEIR_INTERNAL;
    int code = host->register_scalar_function(host->context, &negative, error);
    if (code == WEIR_OK) code = host->register_aggregate_function(host->context, &total, error);
    if (code) return code;
    *ret_extension = (struct weir_extension){
        .size = sizeof *ret_extension, .abi = 1, .name = "abi2", .version = "1.0"};
    return WEIR_OK;
}
