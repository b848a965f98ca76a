/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a batch that are asked for: the same memory, held as long as one of them is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nanoarrow/nanoarrow.h>

#include "common/common.h"

enum { ROWS = 7 };

static void (*release_whole)(struct ArrowArray *array);
static int n_released;

static void count_release(struct ArrowArray *array) {
    n_released++;
    release_whole(array);
}

/* struct<a: int64, b: int64> that tells when it goes. */
static void make(struct ArrowSchema *schema, struct ArrowArray *array) {
    ArrowSchemaInit(schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(schema, 2), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ArrowSchemaSetType(schema->children[i], NANOARROW_TYPE_INT64), 0);
        assert_int_equal(ArrowSchemaSetName(schema->children[i], i ? "b" : "a"), 0);
    }
    assert_int_equal(ArrowArrayInitFromSchema(array, schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(array), 0);
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < 2; i++)
            assert_int_equal(ArrowArrayAppendInt(array->children[i], row), 0);
        assert_int_equal(ArrowArrayFinishElement(array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(array, NULL), 0);
    n_released = 0;
    release_whole = array->release;
    array->release = count_release;
}

static void select_columns(const int32_t *columns, size_t n_columns, struct ArrowArray *ret_array) {
    struct ArrowSchema schema, asked;
    struct ArrowArray array;
    struct weir_error error = {0};
    make(&schema, &array);
    assert_int_equal(wp_schema_select(&schema, columns, n_columns, &asked), 0);
    assert_int_equal(wp_batch_select(&asked, &schema, &array, ret_array, &error), WEIR_OK);
    assert_null(array.release);
    wp_release_schema(&schema);
    wp_release_schema(&asked);
}

static void the_batch_goes_with_the_last_of_its_columns(void **state) {
    (void)state;
    struct ArrowArray batch;
    select_columns((int32_t[]){1}, 1, &batch);
    assert_int_equal(batch.length, ROWS);
    assert_int_equal(batch.n_children, 1);
    struct ArrowArray column = *batch.children[0];
    batch.children[0]->release = NULL;
    wp_release_array(&batch);
    assert_int_equal(n_released, 0);
    assert_int_equal(((const int64_t *)column.buffers[1])[ROWS - 1], ROWS - 1);
    wp_release_array(&column);
    assert_int_equal(n_released, 1);
}

static void rows_that_are_only_counted_hold_nothing(void **state) {
    (void)state;
    struct ArrowArray batch;
    select_columns(NULL, 0, &batch);
    assert_int_equal(n_released, 1);
    assert_int_equal(batch.length, ROWS);
    assert_int_equal(batch.n_children, 0);
    wp_release_array(&batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_batch_goes_with_the_last_of_its_columns),
        cmocka_unit_test(rows_that_are_only_counted_hold_nothing),
    };
    return cmocka_run_group_tests_name("python_batch", tests, NULL, NULL);
}
