/* SPDX-License-Identifier: Apache-2.0 */
/* Bound values, given to a plan row by row. */
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

struct wr_driver_binding {
    struct ArrowArrayStream values;
    struct ArrowSchema schema;
    struct wr_shared_batch *batch; /* NULL: the next one is to be read */
    int64_t row;
};

/* ---- Which parameter a column is for ---- */

static const struct ArrowSchema *parameter_of(const struct ArrowSchema *parameters,
                                              const char *name) {
    if (*name == '$') name++;
    for (int64_t i = 0; i < parameters->n_children; i++) {
        if (strcmp(parameters->children[i]->name, name) == 0) return parameters->children[i];
    }
    return NULL;
}

/*
 * The columns get the names of the parameters that they are for: those in their places, whatever
 * the columns are called (clients call them "0", "1", which are parameters too), or those of their
 * names. The statement then binds by name.
 */
static int name_columns(struct ArrowSchema *columns, const struct ArrowSchema *parameters,
                        bool by_name, struct weir_error *error) {
    if (columns->n_children != parameters->n_children)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "07001",
                            "the statement has %lld parameters and was given %lld values",
                            (long long)parameters->n_children, (long long)columns->n_children);
    for (int64_t i = 0; i < columns->n_children; i++) {
        const char *name = columns->children[i]->name ? columns->children[i]->name : "";
        const struct ArrowSchema *parameter =
            by_name ? parameter_of(parameters, name) : parameters->children[i];
        if (!parameter)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "07001",
                                "the statement has no parameter \"%s\"", name);
        if (ArrowSchemaSetName(columns->children[i], parameter->name) != NANOARROW_OK)
            return wr_error_memory(error);
    }
    return WEIR_OK;
}

static int columns_for(struct ArrowArrayStream *values, struct weir_statement *statement,
                       bool by_name, struct ArrowSchema *columns, struct weir_error *error) {
    struct ArrowSchema given = {0};
    struct ArrowSchema parameters = {0};
    WR_TRY(wr_arrow_stream_schema(values, "the bound values", &given, error));
    int code = strcmp(given.format, "+s") == 0
                   ? wr_arrow_copy_schema(&given, columns, error)
                   : wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                  "the bound values have Arrow format \"%s\", not a struct's",
                                  given.format);
    wr_arrow_release_schema(&given);
    if (code == WEIR_OK) code = weir_statement_parameters(statement, &parameters, error);
    if (code == WEIR_OK) code = name_columns(columns, &parameters, by_name, error);
    wr_arrow_release_schema(&parameters);
    return code;
}

/* ---- Row by row ---- */

int wr_driver_binding_open(struct ArrowArrayStream *values, struct weir_statement *statement,
                           bool by_name, struct wr_driver_binding **ret_binding,
                           struct weir_error *error) {
    struct wr_driver_binding *binding = wr_calloc(1, sizeof *binding);
    if (!binding) return wr_error_memory(error);
    int code = columns_for(values, statement, by_name, &binding->schema, error);
    if (code) {
        wr_driver_binding_close(binding);
        return code;
    }
    wr_arrow_move_stream(values, &binding->values);
    *ret_binding = binding;
    return WEIR_OK;
}

void wr_driver_binding_close(struct wr_driver_binding *binding) {
    if (!binding) return;
    wr_shared_batch_release(binding->batch);
    wr_arrow_release_schema(&binding->schema);
    wr_arrow_release_stream(&binding->values);
    wr_free(binding);
}

/* Goes to a batch that has a row left; at the end there is none. */
static int advance(struct wr_driver_binding *binding, struct weir_error *error) {
    while (!binding->batch || binding->row >= wr_shared_batch_length(binding->batch)) {
        struct ArrowArray array = {0};
        if (binding->batch) wr_shared_batch_release(binding->batch);
        binding->batch = NULL;
        WR_TRY(wr_arrow_stream_next(&binding->values, "the bound values", &array, error));
        if (!array.release) return WEIR_OK;
        int code = wr_shared_batch_new(&array, &binding->batch, error);
        if (code) {
            wr_arrow_release_array(&array);
            return code;
        }
        binding->row = 0;
    }
    return WEIR_OK;
}

/* One row of a batch on the batch's memory. */
static int row_of(struct wr_shared_batch *batch, int64_t row, struct ArrowArray *ret_array,
                  struct weir_error *error) {
    struct ArrowArray array = {0};
    WR_TRY(wr_shared_batch_array(batch, NULL, 0, &array, error));
    /* The columns' own numbers are changed and not the struct's, whose offset not every reader
     * passes on to them. */
    for (int64_t i = 0; i < array.n_children; i++) {
        struct ArrowArray *column = array.children[i];
        column->offset += array.offset + row;
        column->length = 1;
        column->null_count = column->null_count == 0 ? 0 : -1;
    }
    array.offset = 0;
    array.length = 1;
    *ret_array = array;
    return WEIR_OK;
}

int wr_driver_binding_next(struct wr_driver_binding *binding, struct wr_driver_plan *plan,
                           bool *ret_bound, struct weir_error *error) {
    struct ArrowArray values = {0};
    WR_TRY(advance(binding, error));
    *ret_bound = binding->batch != NULL;
    if (!binding->batch) return WEIR_OK;
    WR_TRY(row_of(binding->batch, binding->row++, &values, error));
    int code = weir_statement_bind(plan->statement, &binding->schema, &values, error);
    wr_arrow_release_array(&values);
    return code;
}
