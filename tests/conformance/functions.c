/* SPDX-License-Identifier: Apache-2.0 */
/* An extension of functions. */
#include "functions.h"

#include <stdatomic.h>

WEIR_EXPORT _Atomic int64_t fun_n_calls; /* of fun_add and fun_number */

/* ---- fun_add(a, b, ...): the sum of numbers; NULL where one is ---- */

static int add_bind(void *private_data, const struct ArrowSchema *arguments,
                    struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                    struct weir_error *error) {
    (void)private_data;
    if (arguments->n_children == 0 || arguments->n_children > MOST_FIELDS)
        return fail(error, WEIR_INVALID_ARGUMENT, "it adds one to eight numbers");
    types("l", arguments->n_children, ret_arguments);
    type("l", ret_result);
    return WEIR_OK;
}

static int add_call(void *private_data, const struct ArrowSchema *arguments,
                    const struct ArrowArray *columns, struct ArrowArray *ret_result,
                    struct weir_error *error) {
    (void)private_data, (void)arguments;
    struct answer *answer = answer_new(columns->length, -1);
    fun_n_calls++;
    for (int64_t row = 0; row < columns->length; row++) {
        int any_null = 0;
        for (int64_t i = 0; i < columns->n_children; i++) {
            /* The struct's own offset counts for its children too. */
            const struct ArrowArray *column = columns->children[i];
            int64_t at = row + columns->offset;
            any_null |= is_null(column, at);
            if (!is_null(column, at)) answer->numbers[row] += number_at(column, at);
        }
        if (!any_null && answer->numbers[row] == -666) {
            answer_give(answer, columns->length, ret_result);
            ret_result->release(ret_result);
            return fail(error, WEIR_INVALID_DATA, "the sum is -666");
        }
        if (!any_null) set_valid(answer, row);
    }
    answer_give(answer, columns->length, ret_result);
    return WEIR_OK;
}

/* ---- fun_join(a, ...): texts with '-' between, and "nothing" for NULL ---- */

static int join_bind(void *private_data, const struct ArrowSchema *arguments,
                     struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                     struct weir_error *error) {
    (void)private_data, (void)error;
    types("u", arguments->n_children, ret_arguments);
    type("u", ret_result);
    return WEIR_OK;
}

static int32_t part_at(const struct ArrowArray *columns, int64_t i, int64_t row,
                       const char **ret_text) {
    int32_t length = 7;
    *ret_text = "nothing";
    row += columns->offset;
    if (!is_null(columns->children[i], row))
        *ret_text = text_at(columns->children[i], row, &length);
    return length;
}

static int join_call(void *private_data, const struct ArrowSchema *arguments,
                     const struct ArrowArray *columns, struct ArrowArray *ret_result,
                     struct weir_error *error) {
    const char *text;
    int64_t n_bytes = 0;
    (void)private_data, (void)arguments, (void)error;
    for (int64_t row = 0; row < columns->length; row++) {
        for (int64_t i = 0; i < columns->n_children; i++)
            n_bytes += part_at(columns, i, row, &text) + 1;
    }
    struct answer *answer = answer_new(columns->length, n_bytes);
    int32_t at = 0;
    for (int64_t row = 0; row < columns->length; row++) {
        for (int64_t i = 0; i < columns->n_children; i++) {
            int32_t length = part_at(columns, i, row, &text);
            if (i > 0) answer->text[at++] = '-';
            memcpy(answer->text + at, text, (size_t)length);
            at += length;
        }
        answer->offsets[row + 1] = at;
        set_valid(answer, row);
    }
    answer_give(answer, columns->length, ret_result);
    return WEIR_OK;
}

/* ---- fun_number(...): another number for each row, whatever it is given ---- */

static int number_bind(void *private_data, const struct ArrowSchema *arguments,
                       struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                       struct weir_error *error) {
    (void)private_data, (void)arguments, (void)ret_arguments, (void)error;
    type("l", ret_result);
    return WEIR_OK;
}

static int number_call(void *private_data, const struct ArrowSchema *arguments,
                       const struct ArrowArray *columns, struct ArrowArray *ret_result,
                       struct weir_error *error) {
    static _Atomic int64_t last;
    struct answer *answer = answer_new(columns->length, -1);
    (void)private_data, (void)arguments, (void)error;
    fun_n_calls++;
    for (int64_t row = 0; row < columns->length; row++) {
        answer->numbers[row] = ++last;
        set_valid(answer, row);
    }
    answer_give(answer, columns->length, ret_result);
    return WEIR_OK;
}

/* ---- fun_sum(a): NULL without a number; fun_count(a): 0 then ---- */

struct sums {
    int64_t *sum, *n;
    int64_t n_groups, room;
    int is_count;
};

WEIR_EXPORT _Atomic int64_t fun_n_open; /* accumulators */

static int sum_bind(void *private_data, const struct ArrowSchema *arguments,
                    struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                    struct ArrowSchema *ret_result, struct weir_error *error) {
    if (arguments->n_children != 1)
        return fail(error, WEIR_INVALID_ARGUMENT, "it takes one argument");
    (void)private_data;
    types("l", 1, ret_arguments);
    types("l", 2, ret_state);
    type("l", ret_result);
    return WEIR_OK;
}

static int sum_open(void *private_data, const struct ArrowSchema *arguments, void **ret_accumulator,
                    struct weir_error *error) {
    (void)arguments;
    struct sums *sums = calloc(1, sizeof *sums);
    if (!sums) return fail(error, WEIR_INTERNAL, "out of memory");
    sums->is_count = private_data != NULL;
    *ret_accumulator = sums;
    fun_n_open++;
    return WEIR_OK;
}

static void sum_close(void *accumulator) {
    struct sums *sums = accumulator;
    free(sums->sum);
    free(sums->n);
    free(sums);
    fun_n_open--;
}

static int grow(struct sums *sums, int64_t n_groups, struct weir_error *error) {
    if (n_groups < sums->n_groups) return fail(error, WEIR_INTERNAL, "groups got fewer");
    if (n_groups > sums->room) {
        sums->room = 2 * n_groups;
        sums->sum = realloc(sums->sum, (size_t)sums->room * sizeof *sums->sum);
        sums->n = realloc(sums->n, (size_t)sums->room * sizeof *sums->n);
        if (!sums->sum || !sums->n) abort();
    }
    for (; sums->n_groups < n_groups; sums->n_groups++)
        sums->sum[sums->n_groups] = sums->n[sums->n_groups] = 0;
    return WEIR_OK;
}

static int sum_update(void *accumulator, const struct ArrowArray *columns, const int64_t *groups,
                      int64_t n_groups, struct weir_error *error) {
    struct sums *sums = accumulator;
    const struct ArrowArray *column = columns->children[0];
    if (grow(sums, n_groups, error)) return WEIR_INTERNAL;
    for (int64_t row = 0; row < columns->length; row++) {
        int64_t at = row + columns->offset;
        if (groups[row] < 0 || groups[row] >= n_groups)
            return fail(error, WEIR_INTERNAL, "a row is of no group");
        if (is_null(column, at)) continue;
        if (number_at(column, at) == -666)
            return fail(error, WEIR_INVALID_DATA, "-666 is no number");
        sums->sum[groups[row]] += number_at(column, at);
        sums->n[groups[row]]++;
    }
    return WEIR_OK;
}

static int sum_merge(void *accumulator, const struct ArrowArray *states, const int64_t *groups,
                     int64_t n_groups, struct weir_error *error) {
    struct sums *sums = accumulator;
    if (grow(sums, n_groups, error)) return WEIR_INTERNAL;
    for (int64_t row = 0; row < states->length; row++) {
        sums->sum[groups[row]] += number_at(states->children[0], row + states->offset);
        sums->n[groups[row]] += number_at(states->children[1], row + states->offset);
    }
    return WEIR_OK;
}

static int sum_take(void *accumulator, int64_t n_groups, int is_state, struct ArrowArray *ret_rows,
                    struct weir_error *error) {
    struct sums *sums = accumulator;
    if (n_groups < 1 || n_groups > sums->n_groups)
        return fail(error, WEIR_INTERNAL, "there are not so many groups");
    struct answer *both[2] = {answer_new(n_groups, -1), answer_new(n_groups, -1)};
    for (int64_t i = 0; i < n_groups; i++) {
        both[0]->numbers[i] = !is_state && sums->is_count ? sums->n[i] : sums->sum[i];
        both[1]->numbers[i] = sums->n[i];
        if (is_state || sums->is_count || sums->n[i] > 0) set_valid(both[0], i);
        set_valid(both[1], i);
    }
    sums->n_groups -= n_groups;
    memmove(sums->sum, sums->sum + n_groups, (size_t)sums->n_groups * sizeof *sums->sum);
    memmove(sums->n, sums->n + n_groups, (size_t)sums->n_groups * sizeof *sums->n);
    if (is_state) {
        answer_struct(both, 2, n_groups, ret_rows);
        return WEIR_OK;
    }
    struct ArrowArray unused;
    answer_give(both[1], n_groups, &unused);
    unused.release(&unused);
    answer_give(both[0], n_groups, ret_rows);
    return WEIR_OK;
}

static int64_t sum_bytes(void *accumulator) {
    return ((const struct sums *)accumulator)->room * 16;
}

/* ---- Registering ---- */

#define SCALAR(what, how)                                                                          \
    {.size = sizeof(struct weir_scalar_function),                                                  \
     .name = "fun_" #what,                                                                         \
     .volatility = how,                                                                            \
     .summary = "for tests",                                                                       \
     .bind = what##_bind,                                                                          \
     .call = what##_call}

static const struct weir_scalar_function scalars[] = {
    SCALAR(add, WEIR_IMMUTABLE),
    SCALAR(join, WEIR_IMMUTABLE),
    SCALAR(number, WEIR_VOLATILE),
};

#define AGGREGATE(what, data)                                                                      \
    {.size = sizeof(struct weir_aggregate_function),                                               \
     .name = what,                                                                                 \
     .bind = sum_bind,                                                                             \
     .open = sum_open,                                                                             \
     .close = sum_close,                                                                           \
     .update = sum_update,                                                                         \
     .merge = sum_merge,                                                                           \
     .take = sum_take,                                                                             \
     .n_bytes = sum_bytes,                                                                         \
     .private_data = data}

static char is_count;
static const struct weir_aggregate_function aggregates[] = {
    AGGREGATE("fun_sum", NULL),
    AGGREGATE("fun_count", &is_count),
};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    int code = WEIR_OK;
    if (!WEIR_HOST_HAS(host, register_aggregate_function)) return WEIR_NOT_IMPLEMENTED;
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = WEIR_EXTENSION_ABI,
                                             .name = "functions",
                                             .version = "1"};
    for (size_t i = 0; code == WEIR_OK && i < sizeof scalars / sizeof *scalars; i++)
        code = host->register_scalar_function(host->context, &scalars[i], error);
    for (size_t i = 0; code == WEIR_OK && i < sizeof aggregates / sizeof *aggregates; i++)
        code = host->register_aggregate_function(host->context, &aggregates[i], error);
    return code;
}
