/* SPDX-License-Identifier: Apache-2.0 */
/* Small answers of a database as texts: names, columns, statistics. */
#ifndef WR_ADBC_ANSWER_H
#define WR_ADBC_ANSWER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "table/adbc/adbc.h"

struct wr_adbc_answer {
    size_t n_rows;
    size_t n_columns;
    struct wr_buffer text; /* of all cells, each ended by NUL */
    size_t *cells;         /* where each begins, row by row; SIZE_MAX: NULL */
    size_t capacity;
};

/* Runs a query of texts, whole numbers, booleans ("1", "0") and floats with `n_columns` columns.
 * `sql` may be NULL, for want of memory. */
int wr_adbc_ask(struct wr_adbc_database *database, const char *sql, size_t n_columns,
                struct wr_adbc_answer *ret_answer, struct weir_error *error);
/* NULL for NULL. Lives as long as the answer. */
const char *wr_adbc_cell(const struct wr_adbc_answer *answer, size_t row, size_t column);
/* A whole or other number rounded; `fallback` for NULL and what is no number. */
int64_t wr_adbc_cell_int(const struct wr_adbc_answer *answer, size_t row, size_t column,
                         int64_t fallback);
bool wr_adbc_cell_bool(const struct wr_adbc_answer *answer, size_t row, size_t column);
void wr_adbc_answer_reset(struct wr_adbc_answer *answer);

#endif
