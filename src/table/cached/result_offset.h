/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WR_CACHED_RESULT_OFFSET_H
#define WR_CACHED_RESULT_OFFSET_H

#include <stdbool.h>
#include <stddef.h>

#include <nanoarrow/nanoarrow.h>

/* Copies that a view points to. */
struct wr_moved {
    uint8_t **bits;
    size_t n_bits;
};

/* Makes the view of a batch one that begins at its buffers' beginning, in place. ENOTSUP for a type
 * whose buffers cannot be moved; ENOMEM. `ret_moved` is to be reset in any case. */
int wr_result_move(struct ArrowArrayView *view, struct wr_moved *ret_moved);
void wr_moved_reset(struct wr_moved *moved);

#endif
