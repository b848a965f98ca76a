/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include "arrow/arrow.h"
#include "base/alloc.h"

static struct ArrowSchema schema;
static struct ArrowArray rows;

static int set_up(void **state) {
    (void)state;
    make_schema_of_all(&schema);
    make_rows_of_all(&schema, N_ROWS, &rows);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    wr_arrow_release_schema(&schema);
    wr_arrow_release_array(&rows);
    return 0;
}

/* Encodes `length` rows from `offset` on, decodes them, and compares. */
static void round_trip(const struct ArrowArray *array, enum wr_ipc_codec codec, int64_t offset,
                       int64_t length) {
    struct weir_error error = {0};
    struct wr_ipc_encoder *encoder;
    struct wr_ipc_batch batch;
    struct ArrowArray decoded = {0};
    enum wr_ipc_message type;
    struct wr_ipc_decoder *decoder = decoder_of(&schema);
    assert_int_equal(wr_ipc_encoder_new(&schema, codec, &encoder, &error), 0);
    assert_int_equal(wr_ipc_encode(encoder, array, offset, length, &batch, &error), 0);
    struct body body = gather(&batch);
    int code = wr_ipc_decode(decoder, batch.header, batch.header_length, body.data, body.length,
                             &type, NULL, &decoded, &error);
    if (code) fail_msg("%s", error.message);
    assert_int_equal(type, WR_IPC_BATCH);
    assert_int_equal(decoded.length, length);
    assert_same_rows(&schema, array, offset, &decoded, 0, length);
    wr_arrow_release_array(&decoded);
    free(body.memory);
    wr_ipc_batch_free(&batch);
    wr_ipc_encoder_free(encoder);
    wr_ipc_decoder_free(decoder);
}

static void a_batch_of_all_types_comes_back_equal(void **state) {
    (void)state;
    round_trip(&rows, WR_IPC_PLAIN, 0, N_ROWS);
}

static void slices_come_back_equal_wherever_they_begin(void **state) {
    (void)state;
    for (int64_t offset = 0; offset < 20; offset++) {
        round_trip(&rows, WR_IPC_PLAIN, offset, N_ROWS - offset);
        round_trip(&rows, WR_IPC_PLAIN, offset, 1);
        round_trip(&rows, WR_IPC_PLAIN, offset, 9);
    }
    round_trip(&rows, WR_IPC_PLAIN, N_ROWS - 1, 1);
}

static void an_array_with_an_offset_of_its_own_comes_back_equal(void **state) {
    (void)state;
    struct ArrowArray sliced = rows;
    sliced.offset = 11;
    sliced.length = 50;
    round_trip(&sliced, WR_IPC_PLAIN, 0, 50);
    round_trip(&sliced, WR_IPC_PLAIN, 3, 13);
}

static void no_rows_come_back_as_no_rows(void **state) {
    (void)state;
    struct ArrowArray none;
    round_trip(&rows, WR_IPC_PLAIN, 0, 0);
    round_trip(&rows, WR_IPC_PLAIN, 17, 0);
    make_rows_of_all(&schema, 0, &none);
    round_trip(&none, WR_IPC_PLAIN, 0, 0);
    wr_arrow_release_array(&none);
}

static void compressed_bodies_come_back_equal(void **state) {
    (void)state;
    round_trip(&rows, WR_IPC_ZSTD, 0, N_ROWS);
    round_trip(&rows, WR_IPC_LZ4, 0, N_ROWS);
    round_trip(&rows, WR_IPC_LZ4, 13, 40);
    round_trip(&rows, WR_IPC_ZSTD, 0, 0);
}

/* ---- By reference ---- */

static struct ArrowSchema one_schema;
static struct ArrowArray one;

/* 1,000 numbers, all but the last there if it is to have a NULL. */
static void make_numbers(bool has_null) {
    ArrowSchemaInit(&one_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(&one_schema, 1), 0);
    assert_int_equal(ArrowSchemaSetType(one_schema.children[0], NANOARROW_TYPE_INT64), 0);
    assert_int_equal(ArrowSchemaSetName(one_schema.children[0], "n"), 0);
    assert_int_equal(ArrowArrayInitFromSchema(&one, &one_schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(&one), 0);
    for (int64_t i = 0; i < 1000; i++) {
        bool is_null = has_null && i == 999;
        assert_int_equal(is_null ? ArrowArrayAppendNull(one.children[0], 1)
                                 : ArrowArrayAppendInt(one.children[0], i),
                         0);
        assert_int_equal(ArrowArrayFinishElement(&one), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(&one, NULL), 0);
}

static struct wr_ipc_batch encode_numbers(int64_t offset, int64_t length) {
    struct weir_error error = {0};
    struct wr_ipc_encoder *encoder;
    struct wr_ipc_batch batch;
    assert_int_equal(wr_ipc_encoder_new(&one_schema, WR_IPC_PLAIN, &encoder, &error), 0);
    assert_int_equal(wr_ipc_encode(encoder, &one, offset, length, &batch, &error), 0);
    wr_ipc_encoder_free(encoder);
    return batch;
}

static void drop_numbers(struct wr_ipc_batch *batch) {
    wr_ipc_batch_free(batch);
    wr_arrow_release_schema(&one_schema);
    wr_arrow_release_array(&one);
}

static void values_are_sent_from_where_they_lie(void **state) {
    (void)state;
    make_numbers(false);
    struct wr_ipc_batch batch = encode_numbers(10, 20);
    assert_int_equal(batch.n_parts, 1);
    assert_ptr_equal(batch.parts[0].data, (const int64_t *)one.children[0]->buffers[1] + 10);
    assert_int_equal(batch.parts[0].length, 20 * sizeof(int64_t));
    assert_null(batch.scratch);
    drop_numbers(&batch);
}

static void a_bitmap_is_left_out_where_nothing_is_null(void **state) {
    (void)state;
    make_numbers(true);
    struct wr_ipc_batch batch = encode_numbers(0, 999);
    assert_int_equal(batch.body_length, 999 * 8);
    wr_ipc_batch_free(&batch);
    batch = encode_numbers(0, 1000);
    assert_int_equal(batch.body_length, 128 + 1000 * 8);
    drop_numbers(&batch);
}

static void a_type_without_a_message_is_refused_by_name(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct ArrowSchema views;
    void *data = NULL;
    size_t length = 0;
    ArrowSchemaInit(&views);
    assert_int_equal(ArrowSchemaSetTypeStruct(&views, 1), 0);
    assert_int_equal(ArrowSchemaSetType(views.children[0], NANOARROW_TYPE_STRING_VIEW), 0);
    assert_int_equal(ArrowSchemaSetName(views.children[0], "viewed"), 0);
    assert_int_equal(wr_ipc_schema(&views, true, &data, &length, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "viewed"));
    assert_null(data);
    wr_arrow_release_schema(&views);
}

static void encoding_gives_memory_back_whichever_allocation_fails(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_ipc_encoder *encoder;
    assert_int_equal(wr_ipc_encoder_new(&schema, WR_IPC_LZ4, &encoder, &error), 0);
    for (int64_t n = 1;; n++) {
        struct wr_ipc_batch batch;
        wr_alloc_fail_at(n);
        int code = wr_ipc_encode(encoder, &rows, 5, 40, &batch, &error);
        wr_alloc_fail_at(0);
        if (!code) {
            wr_ipc_batch_free(&batch);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(code, WEIR_INTERNAL);
        assert_string_equal(error.sqlstate, "53200");
    }
    wr_ipc_encoder_free(encoder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_of_all_types_comes_back_equal),
        cmocka_unit_test(slices_come_back_equal_wherever_they_begin),
        cmocka_unit_test(an_array_with_an_offset_of_its_own_comes_back_equal),
        cmocka_unit_test(no_rows_come_back_as_no_rows),
        cmocka_unit_test(compressed_bodies_come_back_equal),
        cmocka_unit_test(values_are_sent_from_where_they_lie),
        cmocka_unit_test(a_bitmap_is_left_out_where_nothing_is_null),
        cmocka_unit_test(a_type_without_a_message_is_refused_by_name),
        cmocka_unit_test(encoding_gives_memory_back_whichever_allocation_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
