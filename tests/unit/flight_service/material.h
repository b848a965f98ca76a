/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of many types, and their comparison by value. */
#ifndef FLIGHT_MATERIAL_H
#define FLIGHT_MATERIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flight/ipc.h"
#include "nanoarrow/nanoarrow.h"
#include "weir.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { N_ROWS = 100 };

/* A struct of one column of each type that is listed in material.c, with NULLs in every third row
 * where there may be some. */
void make_schema_of_all(struct ArrowSchema *schema);
void make_rows_of_all(const struct ArrowSchema *schema, int64_t n_rows, struct ArrowArray *array);

/* Whether rows `a_at...` of one and `b_at...` of the other have the same values. */
void assert_same_rows(const struct ArrowSchema *schema, const struct ArrowArray *a, int64_t a_at,
                      const struct ArrowArray *b, int64_t b_at, int64_t n_rows);

/* A batch's body in one piece, to be freed with free; aligned as a message on the wire is: not. */
struct body {
    char *memory, *data;
    size_t length;
};
struct body gather(const struct wr_ipc_batch *batch);

/* A decoder that has taken the schema. */
struct wr_ipc_decoder *decoder_of(const struct ArrowSchema *schema);

#endif
