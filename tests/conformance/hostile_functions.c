/* SPDX-License-Identifier: Apache-2.0 */
/* An extension whose functions answer wrongly, in the way that their argument says, and which
 * registers what it must not, in the way that its option `how` says. */
#include "functions.h"

static const char *given; /* the first text of a column; no two statements at the same time */
static char text[32];

static void remember(const struct ArrowArray *columns) {
    int32_t length = 0;
    const char *first = text_at(columns->children[0], columns->offset, &length);
    snprintf(text, sizeof text, "%.*s", (int)length, first);
    given = text;
}

static int is(const char *how) {
    return strcmp(given, how) == 0;
}

/* ---- bad_type: by the number of its arguments ---- */

static int type_bind(void *private_data, const struct ArrowSchema *arguments,
                     struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                     struct weir_error *error) {
    static struct ArrowSchema *no_child[1];
    static int flips;
    (void)private_data;
    type("l", ret_result);
    switch (arguments->n_children) {
    case 1:
        ret_result->release = NULL;
        break;
    case 2:
        ret_result->format = NULL;
        break;
    case 3:
        types("l", 2, ret_arguments);
        break;
    case 4:
        types(flips++ % 2 ? "l" : "u", 4, ret_arguments);
        break;
    case 5:
        ret_result->format = "nonsense";
        break;
    case 6:
        ret_result->format = "+s", ret_result->n_children = 1;
        break;
    case 7:
        ret_result->format = "+s", ret_result->n_children = -1;
        break;
    case 8:
        ret_result->format = "+s", ret_result->n_children = 1, ret_result->children = no_child;
        break;
    case 9:
        ret_result->format = "w:-1";
        break;
    case 10:
        ret_result->format = "\xff";
        break;
    case 11:
        type("l", ret_arguments);
        break;
    default:
        return fail(error, WEIR_INVALID_ARGUMENT, "it wants less");
    }
    return WEIR_OK;
}

/* ---- bad_number(how), bad_text(how), bad_list(how) ---- */

static int one_bind(const char *format, const struct ArrowSchema *arguments,
                    struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                    struct weir_error *error) {
    if (arguments->n_children != 1) return fail(error, WEIR_INVALID_ARGUMENT, "one, please");
    types("u", 1, ret_arguments);
    if (*format == '+') {
        types("l", 1, ret_result);
        ret_result->format = format;
    } else {
        type(format, ret_result);
    }
    return WEIR_OK;
}

static int number_bind(void *private_data, const struct ArrowSchema *arguments,
                       struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                       struct weir_error *error) {
    (void)private_data;
    return one_bind("l", arguments, ret_arguments, ret_result, error);
}

static int text_bind(void *private_data, const struct ArrowSchema *arguments,
                     struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                     struct weir_error *error) {
    (void)private_data;
    return one_bind("u", arguments, ret_arguments, ret_result, error);
}

static int list_bind(void *private_data, const struct ArrowSchema *arguments,
                     struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                     struct weir_error *error) {
    (void)private_data;
    return one_bind("+l", arguments, ret_arguments, ret_result, error);
}

static void zeros(int64_t n_rows, int64_t n_bytes, struct ArrowArray *ret_array) {
    struct answer *answer = answer_new(n_rows, n_bytes);
    for (int64_t row = 0; row < n_rows; row++)
        set_valid(answer, row);
    answer_give(answer, n_rows, ret_array);
}

static int refuse(struct weir_error *error) {
    if (is("silent")) return WEIR_IO;
    if (is("code")) return 4711;
    if (is("unended")) {
        memset(error, 'x', sizeof *error);
        return WEIR_INTERNAL;
    }
    return fail(error, WEIR_TIMEOUT, "not today");
}

static int number_call(void *private_data, const struct ArrowSchema *arguments,
                       const struct ArrowArray *columns, struct ArrowArray *ret_result,
                       struct weir_error *error) {
    (void)private_data, (void)arguments;
    remember(columns);
    if (is("refuse") || is("silent") || is("code") || is("unended")) return refuse(error);
    if (is("nothing")) return WEIR_OK;
    zeros(columns->length, is("type") ? 4 : -1, ret_result);
    if (is("released")) ret_result->release(ret_result);
    if (is("short")) ret_result->length--;
    if (is("long")) ret_result->length++;
    if (is("negative")) ret_result->length = -1;
    if (is("offset")) ret_result->offset = -1;
    if (is("far")) ret_result->offset = INT64_MAX;
    if (is("buffer")) ret_result->buffers[1] = NULL;
    if (is("buffers")) ret_result->buffers = NULL;
    if (is("nulls")) ret_result->null_count = 99;
    if (is("count")) ret_result->null_count = 1;
    if (is("bitmap")) ret_result->null_count = 1, ret_result->buffers[0] = NULL;
    if (is("children")) ret_result->n_children = -7;
    if (is("dictionary")) ret_result->dictionary = ret_result;
    return WEIR_OK;
}

static int text_call(void *private_data, const struct ArrowSchema *arguments,
                     const struct ArrowArray *columns, struct ArrowArray *ret_result,
                     struct weir_error *error) {
    (void)private_data, (void)arguments, (void)error;
    remember(columns);
    zeros(columns->length, 4, ret_result);
    struct answer *answer = ret_result->private_data;
    int32_t *last = &answer->offsets[columns->length];
    if (is("descending")) answer->offsets[0] = 2;
    if (is("negative")) *last = -1;
    if (is("least")) *last = INT32_MIN;
    if (is("no_offsets")) ret_result->buffers[1] = NULL;
    if (is("no_bytes")) *last = 2, ret_result->buffers[2] = NULL;
    if (is("utf8")) *last = 2, memcpy(answer->text, "\xc3\x28", 2);
    return WEIR_OK;
}

static int list_call(void *private_data, const struct ArrowSchema *arguments,
                     const struct ArrowArray *columns, struct ArrowArray *ret_result,
                     struct weir_error *error) {
    (void)private_data, (void)arguments, (void)error;
    remember(columns);
    struct answer *items[1] = {answer_new(2, -1)};
    answer_struct(items, 1, columns->length, ret_result);
    struct answer *all = ret_result->private_data;
    all->offsets = calloc((size_t)columns->length + 1, sizeof *all->offsets);
    if (!all->offsets) abort();
    all->buffers[1] = all->offsets;
    ret_result->n_buffers = 2;
    all->children[0].length = 2;
    if (is("beyond")) all->offsets[columns->length] = 3;
    if (is("child")) all->pointers[0] = NULL;
    if (is("many")) ret_result->n_children = 2;
    return WEIR_OK;
}

/* ---- bad_total(how): an aggregate ---- */

static int total_bind(void *private_data, const struct ArrowSchema *arguments,
                      struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                      struct ArrowSchema *ret_result, struct weir_error *error) {
    if (arguments->n_children == 2) {
        types("l", 0, ret_state); /* no columns */
        type("l", ret_result);
        return WEIR_OK;
    }
    types("l", 1, ret_state);
    (void)private_data;
    return one_bind("l", arguments, ret_arguments, ret_result, error);
}

static int total_open(void *private_data, const struct ArrowSchema *arguments,
                      void **ret_accumulator, struct weir_error *error) {
    (void)private_data, (void)arguments, (void)error;
    *ret_accumulator = calloc(1, 1);
    return WEIR_OK;
}

static int total_update(void *accumulator, const struct ArrowArray *columns, const int64_t *groups,
                        int64_t n_groups, struct weir_error *error) {
    (void)accumulator, (void)groups, (void)n_groups;
    if (columns->length > 0) remember(columns);
    return columns->length > 0 && is("update") ? fail(error, WEIR_INVALID_DATA, "no update")
                                               : WEIR_OK;
}

static int total_merge(void *accumulator, const struct ArrowArray *states, const int64_t *groups,
                       int64_t n_groups, struct weir_error *error) {
    (void)accumulator, (void)states, (void)groups, (void)n_groups;
    return is("merge") ? fail(error, WEIR_INVALID_DATA, "no merge") : WEIR_OK;
}

static int total_take(void *accumulator, int64_t n_groups, int is_state,
                      struct ArrowArray *ret_rows, struct weir_error *error) {
    (void)accumulator;
    if (is("take")) return fail(error, WEIR_INVALID_DATA, "no take");
    if (is("nothing")) return WEIR_OK;
    if (!is_state) {
        zeros(n_groups + (is("result") ? 1 : 0), -1, ret_rows);
        return WEIR_OK;
    }
    struct answer *states[1] = {answer_new(n_groups, -1)};
    answer_struct(states, 1, n_groups, ret_rows);
    if (is("state")) ret_rows->length++;
    if (is("child")) ret_rows->children[0]->length--;
    return WEIR_OK;
}

static int64_t total_bytes(void *accumulator) {
    (void)accumulator;
    return -5;
}

/* ---- Registering ---- */

#define SCALAR(what)                                                                               \
    {.size = sizeof(struct weir_scalar_function),                                                  \
     .name = "bad_" #what,                                                                         \
     .bind = what##_bind,                                                                          \
     .call = what##_call}
#define type_call number_call

static const struct weir_scalar_function scalars[] = {
    SCALAR(type),
    SCALAR(number),
    SCALAR(text),
    SCALAR(list),
};
static const struct weir_aggregate_function total = {.size = sizeof total,
                                                     .name = "bad_total",
                                                     .bind = total_bind,
                                                     .open = total_open,
                                                     .close = free,
                                                     .update = total_update,
                                                     .merge = total_merge,
                                                     .take = total_take,
                                                     .n_bytes = total_bytes};

/* One more, which has a fault. */
static int register_fault(const struct weir_host *host, const char *how, struct weir_error *error) {
    static struct weir_scalar_function scalar;
    static struct weir_aggregate_function aggregate;
    scalar = scalars[1];
    aggregate = total;
    scalar.name = "bad_more", aggregate.name = "bad_most";
    if (strcmp(how, "taken") == 0) scalar.name = "abs";
    if (strcmp(how, "alias") == 0) scalar.name = "array_length";
    if (strcmp(how, "spark") == 0) scalar.name = "soundex";
    if (strcmp(how, "window") == 0) aggregate.name = "row_number";
    if (strcmp(how, "twice") == 0) scalar.name = "bad_number";
    if (strcmp(how, "both") == 0) aggregate.name = "bad_more";
    if (strcmp(how, "upper") == 0) scalar.name = "Bad";
    if (strcmp(how, "unnamed") == 0) aggregate.name = NULL;
    if (strcmp(how, "size") == 0) scalar.size = 8;
    if (strcmp(how, "call") == 0) scalar.call = NULL;
    if (strcmp(how, "merge") == 0) aggregate.merge = NULL;
    if (strcmp(how, "volatility") == 0) aggregate.volatility = 3;
    int code = host->register_scalar_function(host->context, &scalar, error);
    if (code == WEIR_OK) code = host->register_aggregate_function(host->context, &aggregate, error);
    if (code == WEIR_OK && strcmp(how, "none") == 0)
        code = host->register_scalar_function(host->context, NULL, error);
    return code;
}

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    int code = WEIR_OK;
    given = "";
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = WEIR_EXTENSION_ABI,
                                             .name = "hostile",
                                             .version = "1"};
    for (size_t i = 0; code == WEIR_OK && i < sizeof scalars / sizeof *scalars; i++)
        code = host->register_scalar_function(host->context, &scalars[i], error);
    if (code == WEIR_OK) code = host->register_aggregate_function(host->context, &total, error);
    if (code || host->n_options == 0) return code;
    return register_fault(host, host->options[0].value, error);
}
