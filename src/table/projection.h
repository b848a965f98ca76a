/* SPDX-License-Identifier: Apache-2.0 */
/* The columns that a scan was asked for, copied out of its request. */
#ifndef WR_PROJECTION_H
#define WR_PROJECTION_H

#include <stdbool.h>

#include "arrow/arrow.h"
#include "weir_extension.h"

struct wr_projection {
    struct ArrowSchema schema; /* of the result */
    bool all;
    int32_t *columns;
    size_t n_columns;
};

int wr_projection_init(const struct ArrowSchema *schema, const struct weir_scan_request *request,
                       struct wr_projection *ret_projection, struct weir_error *error);
void wr_projection_reset(struct wr_projection *projection);

/* The chosen columns of a batch, shared. */
int wr_projection_apply(const struct wr_projection *projection, struct wr_shared_batch *batch,
                        struct ArrowArray *ret_array, struct weir_error *error);

#endif
