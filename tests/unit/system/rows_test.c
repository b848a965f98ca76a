/* SPDX-License-Identifier: Apache-2.0 */
/* The builder of rows of system tables. */
#include "material.h"

#include "base/error.h"

static const struct wr_column columns[] = {
    {"name", WR_COLUMN_TEXT, true},
    {"n", WR_COLUMN_INTEGER, false},
    {"is_on", WR_COLUMN_BOOLEAN, false},
    {"at", WR_COLUMN_TIMESTAMP, false},
};

static void each_column_has_its_arrow_type_name_and_nullability(void **state) {
    (void)state;
    struct ArrowSchema schema = {0};
    assert_int_equal(wr_columns_schema(columns, N_OF(columns), &schema, NULL), WEIR_OK);
    const char *const formats[] = {"u", "l", "b", "tsu:UTC"};
    assert_string_equal(schema.format, "+s");
    assert_int_equal(schema.n_children, N_OF(columns));
    for (size_t i = 0; i < N_OF(columns); i++) {
        assert_string_equal(schema.children[i]->format, formats[i]);
        assert_string_equal(schema.children[i]->name, columns[i].name);
        assert_int_equal(schema.children[i]->flags & ARROW_FLAG_NULLABLE,
                         i == 0 ? 0 : ARROW_FLAG_NULLABLE);
    }
    schema.release(&schema);
}

static int finish(struct wr_rows *rows, struct ArrowArray *ret_array, struct weir_error *error) {
    struct wr_shared_batch *batch = NULL;
    WR_TRY(wr_rows_finish(rows, &batch, error));
    int code = wr_shared_batch_array(batch, NULL, 0, ret_array, error);
    wr_shared_batch_release(batch);
    return code;
}

/* Two rows, the second one with NULLs. */
static int build(struct ArrowArray *ret_array, struct weir_error *error) {
    struct wr_rows rows;
    WR_TRY(wr_rows_init(&rows, columns, N_OF(columns), error));
    wr_rows_text(&rows, "first");
    wr_rows_int(&rows, -7);
    wr_rows_bool(&rows, true);
    wr_rows_time(&rows, INT64_C(1750000000123456));
    int code = wr_rows_end(&rows, error);
    if (code == WEIR_OK) {
        wr_rows_text(&rows, "");
        wr_rows_null(&rows);
        wr_rows_null(&rows);
        wr_rows_text(&rows, NULL);
        code = wr_rows_end(&rows, error);
    }
    if (code == WEIR_OK) code = finish(&rows, ret_array, error);
    wr_rows_reset(&rows);
    return code;
}

static void cells_come_back_as_they_were_given(void **state) {
    (void)state;
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct ArrowArrayView view;
    assert_int_equal(wr_columns_schema(columns, N_OF(columns), &schema, NULL), WEIR_OK);
    assert_int_equal(build(&batch, NULL), WEIR_OK);
    assert_int_equal(batch.length, 2);
    view_batch(&view, &schema, &batch);
    assert_text(&view, 0, 0, "first");
    assert_text(&view, 0, 1, "");
    assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[1], 0), -7);
    assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[2], 0), 1);
    assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[3], 0), INT64_C(1750000000123456));
    for (int i = 1; i < 4; i++)
        assert_true(ArrowArrayViewIsNull(view.children[i], 1));
    ArrowArrayViewReset(&view);
    batch.release(&batch);
    schema.release(&schema);
}

static void bits_are_packed_for_any_number_of_rows(void **state) {
    (void)state;
    struct ArrowSchema schema = {0};
    assert_int_equal(wr_columns_schema(columns, N_OF(columns), &schema, NULL), WEIR_OK);
    for (int64_t n = 1; n <= 70; n++) {
        struct wr_rows rows;
        struct ArrowArray batch = {0};
        struct ArrowArrayView view;
        assert_int_equal(wr_rows_init(&rows, columns, N_OF(columns), NULL), WEIR_OK);
        for (int64_t i = 0; i < n; i++) {
            wr_rows_text(&rows, "x");
            if (i % 3 == 0)
                wr_rows_null(&rows);
            else
                wr_rows_int(&rows, i);
            wr_rows_bool(&rows, i % 5 == 0);
            wr_rows_null(&rows);
            assert_int_equal(wr_rows_end(&rows, NULL), WEIR_OK);
        }
        assert_int_equal(finish(&rows, &batch, NULL), WEIR_OK);
        wr_rows_reset(&rows);
        view_batch(&view, &schema, &batch);
        assert_int_equal(batch.children[1]->null_count, (n + 2) / 3);
        assert_int_equal(batch.children[3]->null_count, n);
        for (int64_t i = 0; i < n; i++) {
            assert_int_equal(ArrowArrayViewIsNull(view.children[1], i), i % 3 == 0);
            if (i % 3) assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[1], i), i);
            assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[2], i), i % 5 == 0);
        }
        ArrowArrayViewReset(&view);
        batch.release(&batch);
    }
    schema.release(&schema);
}

static void no_rows_are_a_batch_of_length_zero(void **state) {
    (void)state;
    struct wr_rows rows;
    struct ArrowArray batch = {0};
    assert_int_equal(wr_rows_init(&rows, columns, N_OF(columns), NULL), WEIR_OK);
    assert_int_equal(finish(&rows, &batch, NULL), WEIR_OK);
    wr_rows_reset(&rows);
    assert_int_equal(batch.length, 0);
    assert_int_equal(batch.n_children, N_OF(columns));
    batch.release(&batch);
}

static void what_is_not_utf8_is_replaced(void **state) {
    (void)state;
    static const struct wr_column text[] = {{"name", WR_COLUMN_TEXT, true}};
    static const char *const texts[][2] = {
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8a"},
        {"caf\xe9", "caf\xef\xbf\xbd"},
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xe2\x82zz", "\xef\xbf\xbd\xef\xbf\xbdzz"},
        {"\xc0\xaf.", "\xef\xbf\xbd\xef\xbf\xbd."},                               /* overlong */
        {"\xed\xa0\x80.", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."},               /* a surrogate */
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* too high */
    };
    struct wr_rows rows;
    struct ArrowArray batch = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    assert_int_equal(wr_columns_schema(text, 1, &schema, NULL), WEIR_OK);
    assert_int_equal(wr_rows_init(&rows, text, 1, NULL), WEIR_OK);
    for (size_t i = 0; i < N_OF(texts); i++) {
        wr_rows_text(&rows, texts[i][0]);
        assert_int_equal(wr_rows_end(&rows, NULL), WEIR_OK);
    }
    assert_int_equal(finish(&rows, &batch, NULL), WEIR_OK);
    wr_rows_reset(&rows);
    view_batch(&view, &schema, &batch);
    for (size_t i = 0; i < N_OF(texts); i++)
        assert_text(&view, 0, (int64_t)i, texts[i][1]);
    ArrowArrayViewReset(&view);
    batch.release(&batch);
    schema.release(&schema);
}

/* Builds one row by `cells`, a letter each, and expects the error to name a column. */
static void expect_misuse(const char *cells, const char *message) {
    struct weir_error error = {0};
    struct wr_rows rows;
    struct ArrowArray batch = {0};
    assert_int_equal(wr_rows_init(&rows, columns, N_OF(columns), NULL), WEIR_OK);
    for (; *cells; cells++) {
        if (*cells == 't') wr_rows_text(&rows, "x");
        if (*cells == 'i') wr_rows_int(&rows, 1);
        if (*cells == 'b') wr_rows_bool(&rows, true);
        if (*cells == 'z') wr_rows_time(&rows, 1);
        if (*cells == '0') wr_rows_null(&rows);
    }
    assert_int_equal(wr_rows_end(&rows, &error), WEIR_INTERNAL);
    assert_string_equal(error.message, message);
    assert_int_equal(wr_rows_end(&rows, NULL), WEIR_INTERNAL);
    assert_int_equal(finish(&rows, &batch, NULL), WEIR_INTERNAL);
    assert_null(batch.release);
    wr_rows_reset(&rows);
}

static void a_wrong_cell_is_an_error_that_names_its_column_and_stays(void **state) {
    (void)state;
    expect_misuse("iibz", "row 1 of a system table: wrong cell in column 1 (\"name\")");
    expect_misuse("0ibz", "row 1 of a system table: wrong cell in column 1 (\"name\")");
    expect_misuse("ttbz", "row 1 of a system table: wrong cell in column 2 (\"n\")");
    expect_misuse("tiiz", "row 1 of a system table: wrong cell in column 3 (\"is_on\")");
    expect_misuse("tibi", "row 1 of a system table: wrong cell in column 4 (\"at\")");
    expect_misuse("tib", "row 1 of a system table: wrong cell in column 4 (\"at\")");
    expect_misuse("", "row 1 of a system table: wrong cell in column 1 (\"name\")");
    expect_misuse("tibzt", "row 1 of a system table: wrong cell in column 5 (\"\")");
}

static void a_row_that_was_not_ended_is_an_error(void **state) {
    (void)state;
    struct wr_rows rows;
    struct ArrowArray batch = {0};
    assert_int_equal(wr_rows_init(&rows, columns, N_OF(columns), NULL), WEIR_OK);
    wr_rows_text(&rows, "x");
    assert_int_equal(finish(&rows, &batch, NULL), WEIR_INTERNAL);
    wr_rows_reset(&rows);
}

static void only_the_catalog_that_is_asked_for_is_wanted(void **state) {
    (void)state;
    struct wr_rows rows = {0};
    assert_true(wr_rows_wants(&rows, "weir"));
    rows.catalog = "weir";
    assert_true(wr_rows_wants(&rows, "weir"));
    assert_false(wr_rows_wants(&rows, "wei"));
}

static void every_failed_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    for (int64_t n = 1;; n++) {
        struct weir_error error = {0};
        struct ArrowArray batch = {0};
        wr_alloc_fail_at(n);
        int code = build(&batch, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) {
            batch.release(&batch);
            assert_true(n > 15);
            return;
        }
        assert_string_equal(error.sqlstate, "53200");
        assert_null(batch.release);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_column_has_its_arrow_type_name_and_nullability),
        cmocka_unit_test(cells_come_back_as_they_were_given),
        cmocka_unit_test(bits_are_packed_for_any_number_of_rows),
        cmocka_unit_test(no_rows_are_a_batch_of_length_zero),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(a_wrong_cell_is_an_error_that_names_its_column_and_stays),
        cmocka_unit_test(a_row_that_was_not_ended_is_an_error),
        cmocka_unit_test(only_the_catalog_that_is_asked_for_is_wanted),
        cmocka_unit_test(every_failed_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
