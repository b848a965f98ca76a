/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of (id BIGINT NOT NULL, name TEXT) for the tests of tables. */
#ifndef WR_TEST_ROWS_H
#define WR_TEST_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir_extension.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* To be released by the caller. */
void rows_schema(struct ArrowSchema *ret_schema);

struct rows_plan {
    int n_batches;
    int batch_length;
    int64_t first_id;  /* ids count up from here; the name of id 7 is "n7" */
    int null_id_batch; /* from 1: the first id of this batch is NULL; 0: none */
    int fail_after;    /* batches after which reading fails with "the disk is gone"; 0: never */
};

void rows_stream(struct rows_plan plan, struct ArrowArrayStream *ret_stream);

/* Reads a column of ids and adds them up; -1 when reading failed, with the message in `message`. */
int64_t rows_sum(struct ArrowArrayStream *stream, int column, int64_t *ret_n_rows);

/* Runs a scan of all its partitions; returns a code of the scan's opening. Fills the sum of
 * `column` (-1: none) and the count. */
int rows_scan(const struct weir_table_kind *kind, void *table,
              const struct weir_scan_request *request, int column, int64_t *ret_sum,
              int64_t *ret_n_rows, struct weir_error *error);

#endif
