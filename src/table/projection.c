/* SPDX-License-Identifier: Apache-2.0 */
#include "table/projection.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

int wr_projection_init(const struct ArrowSchema *schema, const struct weir_scan_request *request,
                       struct wr_projection *ret_projection, struct weir_error *error) {
    struct wr_projection projection = {.all = request->all_columns != 0};
    if (projection.all) {
        WR_TRY(wr_arrow_copy_schema(schema, &projection.schema, error));
        *ret_projection = projection;
        return WEIR_OK;
    }
    /* One more than needed: a choice of no columns is still a choice. */
    projection.n_columns = request->n_columns;
    projection.columns = wr_reallocarray(NULL, request->n_columns + 1, sizeof *projection.columns);
    if (!projection.columns) return wr_error_memory(error);
    if (request->n_columns > 0) {
        memcpy(projection.columns, request->columns,
               request->n_columns * sizeof *projection.columns);
    }
    int code = wr_arrow_project_schema(schema, projection.columns, projection.n_columns,
                                       &projection.schema, error);
    if (code) {
        wr_free(projection.columns);
        return code;
    }
    *ret_projection = projection;
    return WEIR_OK;
}

void wr_projection_reset(struct wr_projection *projection) {
    wr_arrow_release_schema(&projection->schema);
    wr_free(projection->columns);
    projection->columns = NULL;
}

int wr_projection_apply(const struct wr_projection *projection, struct wr_shared_batch *batch,
                        struct ArrowArray *ret_array, struct weir_error *error) {
    return wr_shared_batch_array(batch, projection->all ? NULL : projection->columns,
                                 projection->n_columns, ret_array, error);
}
