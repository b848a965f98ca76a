/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/common.h"

/*
 * A batch whose columns go their own ways: the struct and each column holds it, and the last one
 * released frees it. Columns point to the buffers of `origin`, at the same addresses.
 */
struct shared {
    _Atomic int64_t holders;
    struct ArrowArray origin;
    const void *no_validity[1];
    struct ArrowArray *pointers[];
};

static void give_up(struct shared *shared) {
    if (atomic_fetch_sub(&shared->holders, 1) > 1) return;
    wp_release_array(&shared->origin);
    free(shared);
}

static void release_column(struct ArrowArray *array) {
    struct shared *shared = array->private_data;
    array->release = NULL;
    give_up(shared);
}

static void release_batch(struct ArrowArray *array) {
    struct shared *shared = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        wp_release_array(array->children[i]);
    array->release = NULL;
    give_up(shared);
}

static void release_rows_only(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

int wp_rows_only(int64_t n_rows, struct ArrowArray *ret_array) {
    const void **buffers = calloc(1, sizeof *buffers);
    if (!buffers) return WEIR_INTERNAL;
    *ret_array = (struct ArrowArray){.length = n_rows,
                                     .n_buffers = 1,
                                     .buffers = buffers,
                                     .release = release_rows_only,
                                     .private_data = buffers};
    return WEIR_OK;
}

/* ---- Which column is which ---- */

static const char *name_of(const struct ArrowSchema *column) {
    return column->name ? column->name : "";
}

int wp_batch_check(const struct ArrowSchema *table, const struct ArrowSchema *given,
                   struct weir_error *error) {
    char wanted[96], got[96];
    for (int64_t i = 0; i < given->n_children; i++) {
        const struct ArrowSchema *column = given->children[i], *known = NULL;
        if (i < table->n_children && strcmp(name_of(table->children[i]), name_of(column)) == 0)
            known = table->children[i];
        for (int64_t j = 0; j < table->n_children && !known; j++) {
            if (strcmp(name_of(table->children[j]), name_of(column)) == 0)
                known = table->children[j];
        }
        if (known && !wp_same_type(known, column) && !wp_is_same_text(known, column))
            return wp_error(error, WEIR_INVALID_DATA, "22000",
                            "column \"%s\" is %s in the batch and %s in the schema", known->name,
                            wp_type_name(column, got, sizeof got),
                            wp_type_name(known, wanted, sizeof wanted));
    }
    return WEIR_OK;
}

static int find_column(const struct ArrowSchema *given, const char *name, int64_t *ret_index,
                       struct weir_error *error) {
    int64_t found = -1;
    for (int64_t i = 0; i < given->n_children; i++) {
        const char *candidate = given->children[i]->name;
        if (strcmp(candidate ? candidate : "", name) != 0) continue;
        if (found >= 0)
            return wp_error(error, WEIR_INVALID_DATA, "22000", "the batch has two columns \"%s\"",
                            name);
        found = i;
    }
    if (found < 0) {
        char names[512] = "";
        for (int64_t i = 0; i < given->n_children && strlen(names) + 70 < sizeof names; i++) {
            const char *candidate = given->children[i]->name;
            strcat(names, i ? ", " : "");
            strncat(names, candidate ? candidate : "", 60);
        }
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "the batch has no column \"%s\", which the schema has; its columns: %s",
                        name, given->n_children ? names : "none");
    }
    *ret_index = found;
    return WEIR_OK;
}

static int64_t count_nulls(const struct ArrowArray *column, int64_t offset, int64_t length) {
    if (column->null_count == 0 || column->n_buffers == 0 || !column->buffers[0]) return 0;
    const uint8_t *valid = column->buffers[0];
    int64_t n_nulls = 0;
    for (int64_t i = offset; i < offset + length; i++)
        n_nulls += !((valid[i >> 3] >> (i & 7)) & 1);
    return n_nulls;
}

static int check_column(const struct ArrowSchema *asked, const struct ArrowSchema *given,
                        const struct ArrowArray *column, int64_t offset, int64_t length,
                        struct weir_error *error) {
    char wanted[96], got[96];
    if (!wp_same_type(asked, given) && !wp_is_same_text(asked, given))
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "column \"%s\" is %s in the batch and %s in the schema", asked->name,
                        wp_type_name(given, got, sizeof got),
                        wp_type_name(asked, wanted, sizeof wanted));
    if (column->length < offset + length)
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "column \"%s\" has %lld values in a batch of %lld rows", asked->name,
                        (long long)column->length, (long long)length);
    bool has_validity = strcmp(asked->format, "n") != 0 && strncmp(asked->format, "+u", 2) != 0;
    if (!(asked->flags & ARROW_FLAG_NULLABLE) && has_validity &&
        count_nulls(column, offset + column->offset, length) > 0)
        return wp_error(error, WEIR_INVALID_DATA, "23502",
                        "column \"%s\" has NULL values, and the schema says that it has none",
                        asked->name);
    return WEIR_OK;
}

static struct ArrowArray column_view(struct shared *shared, const struct ArrowArray *column,
                                     int64_t offset, int64_t length) {
    struct ArrowArray view = *column;
    if (offset != 0 || length != column->length) {
        view.offset += offset;
        view.length = length;
        if (view.null_count != 0) view.null_count = -1;
    }
    view.release = release_column;
    view.private_data = shared;
    return view;
}

/* Of a batch without columns only the number of rows is kept: many may wait. */
static int select_rows(struct ArrowArray *array, struct ArrowArray *ret_array,
                       struct weir_error *error) {
    if (wp_rows_only(array->length, ret_array)) return wp_error_memory(error);
    wp_release_array(array);
    return WEIR_OK;
}

int wp_batch_select(const struct ArrowSchema *asked, const struct ArrowSchema *given,
                    struct ArrowArray *array, struct ArrowArray *ret_array,
                    struct weir_error *error) {
    if (strcmp(given->format, "+s") != 0 || given->n_children != array->n_children) {
        char got[96];
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "a batch is an array of struct type (a record batch), not %s",
                        wp_type_name(given, got, sizeof got));
    }
    if (array->length < 0 || array->offset < 0)
        return wp_error(error, WEIR_INVALID_DATA, "22000", "the batch has a negative length");
    int64_t n_columns = asked->n_children, offset = array->offset, length = array->length;
    if (count_nulls(array, offset, length) > 0)
        return wp_error(error, WEIR_INVALID_DATA, "22000", "the batch has rows that are NULL");
    if (n_columns == 0) return select_rows(array, ret_array, error);
    size_t columns_size = (size_t)n_columns * sizeof(struct ArrowArray);
    size_t pointers_size = (size_t)n_columns * sizeof(struct ArrowArray *);
    struct shared *shared = calloc(1, sizeof *shared + pointers_size + columns_size);
    if (!shared) return wp_error_memory(error);
    struct ArrowArray *columns = (struct ArrowArray *)(shared->pointers + n_columns);
    shared->holders = 1;
    for (int64_t i = 0; i < n_columns; i++) {
        int64_t index = 0;
        const char *name = asked->children[i]->name;
        int code = find_column(given, name ? name : "", &index, error);
        if (code == WEIR_OK)
            code = check_column(asked->children[i], given->children[index], array->children[index],
                                offset, length, error);
        const struct ArrowArray *column = array->children[index];
        if (code == WEIR_OK && wp_same_type(asked->children[i], given->children[index])) {
            columns[i] = column_view(shared, column, offset, length);
            shared->holders++;
        } else if (code == WEIR_OK) {
            code = wp_text_convert(asked->children[i], given->children[index], column, offset,
                                   length, &columns[i], error);
        }
        if (code) {
            for (int64_t j = 0; j < i; j++) {
                if (columns[j].release != release_column) wp_release_array(&columns[j]);
            }
            free(shared);
            return code;
        }
        shared->pointers[i] = &columns[i];
    }
    shared->origin = *array;
    array->release = NULL;
    *ret_array = (struct ArrowArray){.length = length,
                                     .n_buffers = 1,
                                     .buffers = shared->no_validity,
                                     .n_children = n_columns,
                                     .children = shared->pointers,
                                     .release = release_batch,
                                     .private_data = shared};
    return WEIR_OK;
}
