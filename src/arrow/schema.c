/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"

#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "base/error.h"

static int copy_failed(int errnum, struct weir_error *error) {
    if (errnum == ENOMEM) return wr_error_memory(error);
    return wr_error_errno(error, errnum, "cannot copy an Arrow schema");
}

int wr_arrow_copy_schema(const struct ArrowSchema *schema, struct ArrowSchema *ret_schema,
                         struct weir_error *error) {
    struct ArrowSchema copy;
    int errnum = ArrowSchemaDeepCopy(schema, &copy);
    if (errnum) return copy_failed(errnum, error);
    wr_arrow_move_schema(&copy, ret_schema);
    return WEIR_OK;
}

bool wr_arrow_same_types(const struct ArrowSchema *one, const struct ArrowSchema *other) {
    if (strcmp(one->format, other->format) != 0 || one->n_children != other->n_children)
        return false;
    for (int64_t i = 0; i < one->n_children; i++) {
        if (!wr_arrow_same_types(one->children[i], other->children[i])) return false;
    }
    return true;
}

/* Fills `copy`, which the caller releases, also after a failure. */
static int project(const struct ArrowSchema *schema, const int32_t *columns, size_t n_columns,
                   struct ArrowSchema *copy) {
    int errnum = ArrowSchemaSetFormat(copy, schema->format);
    if (!errnum) errnum = ArrowSchemaSetName(copy, schema->name);
    if (!errnum) errnum = ArrowSchemaSetMetadata(copy, schema->metadata);
    if (!errnum) errnum = ArrowSchemaAllocateChildren(copy, (int64_t)n_columns);
    copy->flags = schema->flags;
    for (size_t i = 0; i < n_columns && !errnum; i++)
        errnum = ArrowSchemaDeepCopy(schema->children[columns[i]], copy->children[i]);
    return errnum;
}

int wr_arrow_project_schema(const struct ArrowSchema *schema, const int32_t *columns,
                            size_t n_columns, struct ArrowSchema *ret_schema,
                            struct weir_error *error) {
    if (!columns) return wr_arrow_copy_schema(schema, ret_schema, error);
    for (size_t i = 0; i < n_columns; i++) {
        if (columns[i] < 0 || columns[i] >= schema->n_children) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "column index %d is out of range: the schema has %lld columns",
                                (int)columns[i], (long long)schema->n_children);
        }
    }
    struct ArrowSchema copy;
    ArrowSchemaInit(&copy);
    int errnum = project(schema, columns, n_columns, &copy);
    if (errnum) {
        wr_arrow_release_schema(&copy);
        return copy_failed(errnum, error);
    }
    wr_arrow_move_schema(&copy, ret_schema);
    return WEIR_OK;
}
