/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of the test's extensions read and answer: int64 and utf8 columns, by hand. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir_extension.h"

static inline int fail(struct weir_error *error, int code, const char *message) {
    if (error) {
        *error = (struct weir_error){.code = code};
        snprintf(error->message, sizeof error->message, "%s", message);
    }
    return code;
}

/* ---- Types ---- */

enum { MOST_FIELDS = 8 };

static inline void free_schema(struct ArrowSchema *schema) {
    free(schema->private_data);
    schema->release = NULL;
}

struct fields {
    struct ArrowSchema fields[MOST_FIELDS], *pointers[MOST_FIELDS];
};

/* A type without children. */
static inline void type(const char *format, struct ArrowSchema *ret_schema) {
    *ret_schema = (struct ArrowSchema){.format = format, .name = "", .release = free_schema};
}

/* A struct of `n` fields of one type. */
static inline void types(const char *format, int64_t n, struct ArrowSchema *ret_schema) {
    struct fields *all = calloc(1, sizeof *all);
    if (!all || n > MOST_FIELDS) abort();
    for (int64_t i = 0; i < n; i++) {
        type(format, &all->fields[i]);
        all->pointers[i] = &all->fields[i];
    }
    *ret_schema = (struct ArrowSchema){.format = "+s",
                                       .name = "",
                                       .n_children = n,
                                       .children = all->pointers,
                                       .release = free_schema,
                                       .private_data = all};
}

/* ---- Reading ---- */

static inline int is_null(const struct ArrowArray *column, int64_t row) {
    const uint8_t *valid = column->buffers[0];
    int64_t bit = row + column->offset;
    return valid && !(valid[bit / 8] >> (bit % 8) & 1);
}

static inline int64_t number_at(const struct ArrowArray *column, int64_t row) {
    return ((const int64_t *)column->buffers[1])[row + column->offset];
}

static inline const char *text_at(const struct ArrowArray *column, int64_t row,
                                  int32_t *ret_length) {
    const int32_t *offsets = (const int32_t *)column->buffers[1] + column->offset + row;
    *ret_length = offsets[1] - offsets[0];
    return (const char *)column->buffers[2] + offsets[0];
}

/* ---- Answering ---- */

struct answer {
    const void *buffers[3];
    struct ArrowArray children[MOST_FIELDS], *pointers[MOST_FIELDS];
    uint8_t *valid;
    int64_t *numbers;
    int32_t *offsets;
    char *text;
    int64_t n_null;
};

static inline void free_answer(struct ArrowArray *array) {
    struct answer *answer = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (answer->children[i].release) answer->children[i].release(&answer->children[i]);
    }
    free(answer->valid);
    free(answer->numbers);
    free(answer->offsets);
    free(answer->text);
    free(answer);
    array->release = NULL;
}

/* Of int64, or with `n_bytes` >= 0 of utf8. All are NULL until `valid` says otherwise. */
static inline struct answer *answer_new(int64_t n_rows, int64_t n_bytes) {
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer) abort();
    answer->valid = calloc((size_t)n_rows / 8 + 1, 1);
    if (n_bytes < 0) answer->numbers = calloc((size_t)n_rows + 1, sizeof *answer->numbers);
    if (n_bytes >= 0) answer->offsets = calloc((size_t)n_rows + 1, sizeof *answer->offsets);
    if (n_bytes >= 0) answer->text = calloc((size_t)n_bytes + 1, 1);
    if (!answer->valid || (n_bytes < 0 ? !answer->numbers : !answer->offsets || !answer->text))
        abort();
    answer->n_null = n_rows;
    return answer;
}

static inline void set_valid(struct answer *answer, int64_t row) {
    answer->valid[row / 8] |= (uint8_t)(1 << (row % 8));
    answer->n_null--;
}

static inline void answer_give(struct answer *answer, int64_t n_rows,
                               struct ArrowArray *ret_array) {
    answer->buffers[0] = answer->valid;
    answer->buffers[1] =
        answer->numbers ? (const void *)answer->numbers : (const void *)answer->offsets;
    answer->buffers[2] = answer->text;
    *ret_array = (struct ArrowArray){.length = n_rows,
                                     .null_count = answer->n_null,
                                     .n_buffers = answer->numbers ? 2 : 3,
                                     .buffers = answer->buffers,
                                     .release = free_answer,
                                     .private_data = answer};
}

/* A struct of `n` answers. */
static inline void answer_struct(struct answer **columns, int64_t n, int64_t n_rows,
                                 struct ArrowArray *ret_array) {
    struct answer *all = calloc(1, sizeof *all);
    if (!all || n > MOST_FIELDS) abort();
    for (int64_t i = 0; i < n; i++) {
        answer_give(columns[i], n_rows, &all->children[i]);
        all->pointers[i] = &all->children[i];
    }
    *ret_array = (struct ArrowArray){.length = n_rows,
                                     .n_buffers = 1,
                                     .buffers = all->buffers,
                                     .n_children = n,
                                     .children = all->pointers,
                                     .release = free_answer,
                                     .private_data = all};
}

#endif
