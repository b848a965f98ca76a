/* SPDX-License-Identifier: Apache-2.0 */
/* Reading batches back, for the tests of system tables. */
#ifndef WR_TEST_SYSTEM_H
#define WR_TEST_SYSTEM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "nanoarrow/nanoarrow.h"
#include "table/system/system.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* A view that is checked in full: lengths, offsets, buffers. Reset it before the batch is
 * released. */
static inline void view_batch(struct ArrowArrayView *view, const struct ArrowSchema *schema,
                              const struct ArrowArray *batch) {
    struct ArrowError reason = {0};
    assert_int_equal(ArrowArrayViewInitFromSchema(view, schema, &reason), 0);
    assert_int_equal(ArrowArrayViewSetArray(view, batch, &reason), 0);
    assert_int_equal(ArrowArrayViewValidate(view, NANOARROW_VALIDATION_LEVEL_FULL, &reason), 0);
}

static inline void assert_text(const struct ArrowArrayView *view, int column, int64_t row,
                               const char *expected) {
    assert_int_equal(ArrowArrayViewIsNull(view->children[column], row), expected == NULL);
    if (!expected) return;
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view->children[column], row);
    assert_int_equal(text.size_bytes, strlen(expected));
    assert_memory_equal(text.data, expected, strlen(expected));
}

#endif
