/* SPDX-License-Identifier: Apache-2.0 */
/* Batches between processes: that they arrive as they were, and what is damaged does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <nanoarrow/nanoarrow.h>

#include "common/wire.h"

enum { ROWS = 20 };

/* struct<n: int64, s: utf8, v: utf8_view, l: list<utf8>, b: bool>: in each third row, NULLs. */
static void make(struct ArrowSchema *schema, struct ArrowArray *array) {
    static const enum ArrowType types[] = {NANOARROW_TYPE_INT64, NANOARROW_TYPE_STRING,
                                           NANOARROW_TYPE_STRING_VIEW, NANOARROW_TYPE_LIST,
                                           NANOARROW_TYPE_BOOL};
    static const char *const names[] = {"n", "s", "v", "l", "b"};
    ArrowSchemaInit(schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(schema, 5), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ArrowSchemaSetType(schema->children[i], types[i]), 0);
        assert_int_equal(ArrowSchemaSetName(schema->children[i], names[i]), 0);
    }
    assert_int_equal(ArrowSchemaSetType(schema->children[3]->children[0], NANOARROW_TYPE_STRING),
                     0);
    assert_int_equal(ArrowArrayInitFromSchema(array, schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(array), 0);
    for (int row = 0; row < ROWS; row++) {
        struct ArrowStringView text = ArrowCharView("somewhat longer than a view's twelve bytes");
        text.size_bytes = row * 2;
        struct ArrowArray **columns = array->children;
        if (row % 3 == 2) {
            for (int i = 0; i < 5; i++)
                assert_int_equal(ArrowArrayAppendNull(columns[i], 1), 0);
        } else {
            assert_int_equal(ArrowArrayAppendInt(columns[0], row), 0);
            assert_int_equal(ArrowArrayAppendString(columns[1], text), 0);
            assert_int_equal(ArrowArrayAppendString(columns[2], text), 0);
            for (int i = 0; i < row % 4; i++)
                assert_int_equal(ArrowArrayAppendString(columns[3]->children[0], text), 0);
            assert_int_equal(ArrowArrayFinishElement(columns[3]), 0);
            assert_int_equal(ArrowArrayAppendInt(columns[4], row & 1), 0);
        }
        assert_int_equal(ArrowArrayFinishElement(array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(array, NULL), 0);
}

/* Reads every value, so that what leads out of memory is found by a sanitizer. A sum of all. */
static uint64_t read_all(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    struct ArrowArrayView view;
    uint64_t sum = 0;
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, schema, NULL), 0);
    if (ArrowArrayViewSetArray(&view, array, NULL) == 0) {
        for (int64_t row = 0; row < array->length; row++) {
            for (int i = 0; i < 5; i++) {
                const struct ArrowArrayView *column = view.children[i];
                if (ArrowArrayViewIsNull(column, row)) continue;
                sum = sum * 31 + (uint64_t)i;
                if (i == 0 || i == 4) sum += (uint64_t)ArrowArrayViewGetIntUnsafe(column, row);
                if (i == 1 || i == 2) {
                    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(column, row);
                    for (int64_t at = 0; at < text.size_bytes; at++)
                        sum = sum * 7 + (uint8_t)text.data[at];
                }
                if (i == 3) {
                    int64_t from = ArrowArrayViewListChildOffset(column, row);
                    int64_t to = ArrowArrayViewListChildOffset(column, row + 1);
                    for (int64_t item = from; item < to; item++) {
                        struct ArrowStringView text =
                            ArrowArrayViewGetStringUnsafe(column->children[0], item);
                        for (int64_t at = 0; at < text.size_bytes; at++)
                            sum = sum * 7 + (uint8_t)text.data[at];
                    }
                }
            }
        }
    }
    ArrowArrayViewReset(&view);
    return sum;
}

static void a_batch_arrives_as_it_was(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array, copy;
    make(&schema, &array);
    struct wp_out out = {0};
    int fd = -1;
    assert_int_equal(wp_flat_send(&schema, &array, &out, &fd), 0);
    struct wp_in in = {out.data, out.length, 0, false};
    assert_int_equal(wp_flat_map(&schema, &in, fd, &copy), 0);
    assert_int_equal(in.at, in.length);
    assert_int_equal(copy.length, ROWS);
    assert_true(read_all(&schema, &array) == read_all(&schema, &copy));
    copy.release(&copy);
    array.release(&array);
    schema.release(&schema);
    wp_out_reset(&out);
}

static void a_column_outlives_its_batch(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array, copy, column;
    make(&schema, &array);
    struct wp_out out = {0};
    assert_int_equal(wp_flat_put(&schema, &array, &out), 0);
    struct wp_in in = {out.data, out.length, 0, false};
    assert_int_equal(wp_flat_get(&schema, &in, &copy), 0);
    wp_out_reset(&out);
    ArrowArrayMove(copy.children[0], &column);
    copy.release(&copy);
    assert_int_equal(((const int64_t *)column.buffers[1])[19], 19);
    column.release(&column);
    array.release(&array);
    schema.release(&schema);
}

/* Each slice of a batch, against the same slice of the original. */
static void slices_arrive_without_the_rest(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array, copy;
    make(&schema, &array);
    for (int64_t offset = 0; offset < ROWS; offset++) {
        struct wp_out out = {0};
        struct ArrowArray slice = array;
        slice.offset = offset;
        slice.length = ROWS - offset - (offset & 1);
        slice.null_count = -1;
        assert_int_equal(wp_flat_put(&schema, &slice, &out), 0);
        struct wp_in in = {out.data, out.length, 0, false};
        assert_int_equal(wp_flat_get(&schema, &in, &copy), 0);
        const int64_t *got = copy.children[0]->buffers[1];
        assert_int_equal(copy.offset, 0);
        assert_int_equal(copy.length, slice.length);
        if (slice.length > 0 && offset % 3 != 2) assert_int_equal(got[0], offset);
        read_all(&schema, &copy);
        copy.release(&copy);
        wp_out_reset(&out);
    }
    array.release(&array);
    schema.release(&schema);
}

static void damaged_bytes_give_an_error_or_a_whole_array(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array, copy;
    make(&schema, &array);
    struct wp_out out = {0};
    assert_int_equal(wp_flat_put(&schema, &array, &out), 0);
    int n_refused = 0, n_taken = 0;
    for (size_t cut = 0; cut < out.length; cut++) {
        uint8_t *part = malloc(cut + 1);
        memcpy(part, out.data, cut);
        struct wp_in in = {part, cut, 0, false};
        assert_int_not_equal(wp_flat_get(&schema, &in, &copy), 0);
        free(part);
    }
    for (size_t at = 0; at < out.length; at++) {
        for (int change = 0; change < 3; change++) {
            static const uint8_t changes[] = {0x01, 0x80, 0xff};
            out.data[at] ^= changes[change];
            struct wp_in in = {out.data, out.length, 0, false};
            if (wp_flat_get(&schema, &in, &copy) == 0) {
                read_all(&schema, &copy);
                copy.release(&copy);
                n_taken++;
            } else {
                n_refused++;
            }
            out.data[at] ^= changes[change];
        }
    }
    assert_true(n_refused > 500 && n_taken > 500);
    wp_out_reset(&out);
    array.release(&array);
    schema.release(&schema);
}

static void damaged_schemas_and_requests_do_no_harm(void **state) {
    (void)state;
    struct ArrowSchema schema, copy;
    struct ArrowArray array;
    make(&schema, &array);
    int32_t columns[] = {1, 0};
    struct weir_filter filter = {"n", WEIR_OPERATOR_EQ, schema.children[0], array.children[0], "x"};
    struct weir_scan_request request = {.size = sizeof request,
                                        .columns = columns,
                                        .n_columns = 2,
                                        .filters = &filter,
                                        .n_filters = 1,
                                        .limit = 5};
    struct wp_out schemas = {0}, requests = {0};
    wp_put_schema(&schemas, &schema);
    wp_put_request(&requests, &request);
    for (size_t at = 0; at < schemas.length; at++) {
        struct wp_in cut = {schemas.data, at, 0, false};
        assert_int_not_equal(wp_get_schema(&cut, &copy), 0);
        schemas.data[at] ^= 0x81;
        struct wp_in in = {schemas.data, schemas.length, 0, false};
        if (wp_get_schema(&in, &copy) == 0) copy.release(&copy);
        schemas.data[at] ^= 0x81;
    }
    for (size_t at = 0; at < requests.length; at++) {
        struct wp_request got = {0};
        requests.data[at] ^= 0x81;
        struct wp_in in = {requests.data, requests.length, 0, false};
        wp_get_request(&in, &got);
        wp_request_reset(&got);
        requests.data[at] ^= 0x81;
    }
    struct wp_request got;
    struct wp_in in = {requests.data, requests.length, 0, false};
    assert_int_equal(wp_get_request(&in, &got), 0);
    assert_int_equal(got.request.limit, 5);
    assert_int_equal(got.request.n_columns, 2);
    assert_int_equal(got.request.columns[0], 1);
    assert_string_equal(got.request.filters[0].column, "n");
    assert_int_equal(((const int64_t *)got.request.filters[0].value->buffers[1])[4], 4);
    wp_request_reset(&got);
    wp_out_reset(&requests);
    wp_out_reset(&schemas);
    array.release(&array);
    schema.release(&schema);
}

/* Memory that its maker could still change or cut would end the reader with SIGBUS. */
static void memory_that_is_not_sealed_is_refused(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array, copy;
    make(&schema, &array);
    struct wp_out out = {0};
    int fd = -1, ends[2];
    assert_int_equal(wp_flat_send(&schema, &array, &out, &fd), 0);
    assert_true(ftruncate(fd, 0) != 0 && write(fd, "x", 1) < 0);
    close(fd);
    fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    struct wp_in in = {out.data, out.length, 0, false};
    assert_int_not_equal(wp_flat_map(&schema, &in, fd, &copy), 0);
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    in = (struct wp_in){out.data, out.length, 0, false};
    assert_int_not_equal(wp_flat_map(&schema, &in, ends[0], &copy), 0);
    in = (struct wp_in){out.data, out.length, 0, false};
    assert_int_not_equal(wp_flat_map(&schema, &in, -1, &copy), 0);
    wp_out_reset(&out);
    array.release(&array);
    schema.release(&schema);
}

static void what_is_no_message_is_refused(void **state) {
    (void)state;
    int ends[2];
    struct wp_frame frame;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(wp_send(ends[0], WP_DONE, NULL, -1), 0);
    assert_int_equal(wp_receive(ends[1], &frame), 0);
    assert_int_equal(frame.type, WP_DONE);
    wp_frame_reset(&frame);
    char junk[16];
    memset(junk, 'x', sizeof junk);
    assert_int_equal(write(ends[0], junk, sizeof junk), sizeof junk);
    assert_int_not_equal(wp_receive(ends[1], &frame), 0);
    close(ends[0]);
    assert_int_not_equal(wp_receive(ends[1], &frame), 0);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_arrives_as_it_was),
        cmocka_unit_test(a_column_outlives_its_batch),
        cmocka_unit_test(slices_arrive_without_the_rest),
        cmocka_unit_test(damaged_bytes_give_an_error_or_a_whole_array),
        cmocka_unit_test(damaged_schemas_and_requests_do_no_harm),
        cmocka_unit_test(memory_that_is_not_sealed_is_refused),
        cmocka_unit_test(what_is_no_message_is_refused),
    };
    return cmocka_run_group_tests_name("python_flat", tests, NULL, NULL);
}
