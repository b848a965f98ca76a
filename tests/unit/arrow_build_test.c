/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that are built value by value. */
#include "arrow_material.h"

#include <stdbool.h>

#include "arrow/arrow.h"
#include "arrow/build.h"
#include "base/alloc.h"

/* struct<a: int64, b: utf8, c: list<utf8>, d: bool, e: struct<f: float64>> */
static void make_nested(struct ArrowSchema *schema) {
    make_field(schema, "+s", "", 5);
    make_field(schema->children[0], "l", "a", 0);
    make_field(schema->children[1], "u", "b", 0);
    make_field(schema->children[2], "+l", "c", 1);
    make_field(schema->children[2]->children[0], "u", "item", 0);
    make_field(schema->children[3], "b", "d", 0);
    make_field(schema->children[4], "+s", "e", 1);
    make_field(schema->children[4]->children[0], "g", "f", 0);
}

static void append_row(struct wr_build *rows, int64_t i) {
    struct wr_build *list = wr_build_child(rows, 2);
    struct wr_build *inner = wr_build_child(rows, 4);
    wr_build_int(wr_build_child(rows, 0), i);
    wr_build_text(wr_build_child(rows, 1), i % 3 ? "text" : NULL);
    for (int64_t j = 0; j < i % 4; j++)
        wr_build_text(wr_build_child(list, 0), j == 1 ? NULL : "");
    wr_build_end(list);
    wr_build_int(wr_build_child(rows, 3), i % 2);
    if (i % 5) {
        wr_build_double(wr_build_child(inner, 0), (double)i / 2);
        wr_build_end(inner);
    } else {
        wr_build_null(inner);
    }
    wr_build_end(rows);
}

static void build_rows(int64_t n, struct ArrowArray *ret_array, struct ArrowArrayView *view) {
    struct ArrowSchema schema;
    make_nested(&schema);
    struct wr_build *rows = wr_build_new(&schema);
    for (int64_t i = 0; i < n; i++)
        append_row(rows, i);
    assert_int_equal(wr_build_finish(rows, ret_array, NULL), WEIR_OK);
    assert_int_equal(ArrowArrayViewInitFromSchema(view, &schema, NULL), 0);
    assert_int_equal(ArrowArrayViewSetArray(view, ret_array, NULL), 0);
    assert_int_equal(ArrowArrayViewValidate(view, NANOARROW_VALIDATION_LEVEL_FULL, NULL), 0);
    schema.release(&schema);
}

static void values_of_every_sort_are_where_they_were_put(void **state) {
    (void)state;
    struct ArrowArray array;
    struct ArrowArrayView view;
    build_rows(100, &array, &view);
    assert_int_equal(array.length, 100);
    for (int64_t i = 0; i < 100; i++) {
        assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[0], i), i);
        assert_int_equal(ArrowArrayViewIsNull(view.children[1], i), i % 3 == 0);
        assert_int_equal(ArrowArrayViewListChildOffset(view.children[2], i + 1) -
                             ArrowArrayViewListChildOffset(view.children[2], i),
                         i % 4);
        assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[3], i), i % 2);
        assert_int_equal(ArrowArrayViewIsNull(view.children[4], i), i % 5 == 0);
        if (i % 5)
            assert_true(ArrowArrayViewGetDoubleUnsafe(view.children[4]->children[0], i) ==
                        (double)i / 2);
    }
    ArrowArrayViewReset(&view);
    array.release(&array);
    assert_null(array.release);
}

static void no_rows_are_an_array_too(void **state) {
    (void)state;
    struct ArrowArray array;
    struct ArrowArrayView view;
    build_rows(0, &array, &view);
    assert_int_equal(array.length, 0);
    ArrowArrayViewReset(&view);
    array.release(&array);
}

static void a_child_that_was_moved_out_lives_on(void **state) {
    (void)state;
    struct ArrowArray array;
    struct ArrowArray child;
    struct ArrowArrayView view;
    build_rows(7, &array, &view);
    ArrowArrayViewReset(&view);
    wr_arrow_move_array(array.children[0], &child);
    array.release(&array);
    assert_int_equal(((const int64_t *)child.buffers[1])[6], 6);
    child.release(&child);
    /* And the other way round. */
    build_rows(7, &array, &view);
    ArrowArrayViewReset(&view);
    wr_arrow_move_array(array.children[2], &child);
    child.release(&child);
    array.release(&array);
}

static void a_union_takes_one_part_for_each_element(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array;
    make_field(&schema, "+ud:0,1", "", 2);
    make_field(schema.children[0], "u", "a", 0);
    make_field(schema.children[1], "l", "b", 0);
    struct wr_build *parts = wr_build_new(&schema);
    for (int64_t i = 0; i < 10; i++) {
        if (i % 2)
            wr_build_int(wr_build_child(parts, 1), i);
        else
            wr_build_text(wr_build_child(parts, 0), "even");
        wr_build_end_union(parts, (int8_t)(i % 2));
    }
    assert_int_equal(wr_build_finish(parts, &array, NULL), WEIR_OK);
    struct ArrowArrayView view;
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
    assert_int_equal(ArrowArrayViewSetArray(&view, &array, NULL), 0);
    assert_int_equal(ArrowArrayViewValidate(&view, NANOARROW_VALIDATION_LEVEL_FULL, NULL), 0);
    assert_int_equal(ArrowArrayViewUnionTypeId(&view, 9), 1);
    assert_int_equal(ArrowArrayViewUnionChildOffset(&view, 9), 4);
    assert_int_equal(((const int64_t *)array.children[1]->buffers[1])[4], 9);
    ArrowArrayViewReset(&view);
    array.release(&array);
    schema.release(&schema);
}

static void an_unknown_type_is_not_built(void **state) {
    (void)state;
    struct ArrowSchema schema;
    make_field(&schema, "+s", "", 1);
    make_field(schema.children[0], "tDn", "a", 0);
    assert_null(wr_build_new(&schema));
    schema.release(&schema);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    struct ArrowSchema schema;
    make_nested(&schema);
    for (int64_t n = 1;; n++) {
        struct ArrowArray array = {0};
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        struct wr_build *rows = wr_build_new(&schema);
        for (int64_t i = 0; i < 50; i++)
            append_row(rows, i);
        int code = wr_build_finish(rows, &array, &error);
        bool reached = wr_alloc_fail_at(0) >= n;
        assert_int_equal(code == WEIR_OK, !reached);
        if (reached) {
            assert_string_equal(error.sqlstate, "53200");
            assert_null(array.release);
            continue;
        }
        array.release(&array);
        break;
    }
    schema.release(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_sort_are_where_they_were_put),
        cmocka_unit_test(no_rows_are_an_array_too),
        cmocka_unit_test(a_child_that_was_moved_out_lives_on),
        cmocka_unit_test(a_union_takes_one_part_for_each_element),
        cmocka_unit_test(an_unknown_type_is_not_built),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
