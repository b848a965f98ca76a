/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/error.h"

struct wr_shared_batch {
    struct ArrowArray array;
    atomic_size_t n_references;
};

/*
 * What an array with children holds. Each child, at every depth, keeps the batch alive by itself,
 * since a reader may move it out of its parent and release the parent first.
 */
struct shared_node {
    struct wr_shared_batch *batch;
    struct ArrowArray dictionary;
    struct ArrowArray **pointers;
    struct ArrowArray children[];
};

int wr_shared_batch_new(struct ArrowArray *array, struct wr_shared_batch **ret_batch,
                        struct weir_error *error) {
    struct wr_shared_batch *batch = wr_calloc(1, sizeof *batch);
    if (!batch) return wr_error_memory(error);
    wr_arrow_move_array(array, &batch->array);
    atomic_init(&batch->n_references, 1);
    *ret_batch = batch;
    return WEIR_OK;
}

struct wr_shared_batch *wr_shared_batch_retain(struct wr_shared_batch *batch) {
    atomic_fetch_add_explicit(&batch->n_references, 1, memory_order_relaxed);
    return batch;
}

void wr_shared_batch_release(struct wr_shared_batch *batch) {
    if (!batch) return;
    if (atomic_fetch_sub_explicit(&batch->n_references, 1, memory_order_acq_rel) > 1) return;
    wr_arrow_release_array(&batch->array);
    wr_free(batch);
}

int64_t wr_shared_batch_length(const struct wr_shared_batch *batch) {
    return batch->array.length;
}

static void release_leaf(struct ArrowArray *array) {
    struct wr_shared_batch *batch = array->private_data;
    array->release = NULL;
    wr_shared_batch_release(batch);
}

static void release_node(struct ArrowArray *array) {
    struct shared_node *node = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        wr_arrow_release_array(array->children[i]);
    wr_arrow_release_array(array->dictionary);
    array->release = NULL;
    wr_shared_batch_release(node->batch);
    wr_free(node->pointers);
    wr_free(node);
}

/*
 * Makes `view` show `source` with the chosen children (all: columns NULL). The buffer lists are the
 * source's own. Returns false without memory; `view` is then released.
 */
static bool share(struct wr_shared_batch *batch, const struct ArrowArray *source,
                  const int32_t *columns, int64_t n_columns, struct ArrowArray *view) {
    *view = *source;
    view->children = NULL;
    view->n_children = 0;
    view->dictionary = NULL;
    if (n_columns == 0 && !source->dictionary) {
        view->private_data = wr_shared_batch_retain(batch);
        view->release = release_leaf;
        return true;
    }
    struct shared_node *node =
        wr_calloc(1, sizeof *node + (size_t)n_columns * sizeof *node->children);
    struct ArrowArray **pointers = wr_calloc((size_t)n_columns, sizeof *pointers);
    if (!node || !pointers) {
        wr_free(node);
        wr_free(pointers);
        view->release = NULL;
        return false;
    }
    node->batch = wr_shared_batch_retain(batch);
    node->pointers = pointers;
    view->private_data = node;
    view->release = release_node;
    view->children = pointers;
    bool shared = true;
    for (int64_t i = 0; i < n_columns && shared; i++) {
        const struct ArrowArray *child = source->children[columns ? columns[i] : i];
        pointers[i] = &node->children[i];
        view->n_children = i + 1;
        shared = share(batch, child, NULL, child->n_children, pointers[i]);
    }
    if (shared && source->dictionary) {
        view->dictionary = &node->dictionary;
        shared = share(batch, source->dictionary, NULL, source->dictionary->n_children,
                       view->dictionary);
    }
    if (!shared) view->release(view);
    return shared;
}

int wr_shared_batch_array(struct wr_shared_batch *batch, const int32_t *columns, size_t n_columns,
                          struct ArrowArray *ret_array, struct weir_error *error) {
    int64_t n_children = batch->array.n_children;
    for (size_t i = 0; columns && i < n_columns; i++) {
        if (columns[i] < 0 || columns[i] >= n_children) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "column index %d is out of range: the batch has %lld columns",
                                (int)columns[i], (long long)n_children);
        }
    }
    struct ArrowArray view;
    if (!share(batch, &batch->array, columns, columns ? (int64_t)n_columns : n_children, &view))
        return wr_error_memory(error);
    wr_arrow_move_array(&view, ret_array);
    return WEIR_OK;
}
