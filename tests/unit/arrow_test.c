/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow_material.h"

#include <errno.h>
#include <pthread.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

static void make_batch(struct ArrowArray *array) {
    struct ArrowSchema schema;
    make_schema(&schema);
    assert_int_equal(ArrowArrayInitFromSchema(array, &schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(array), 0);
    struct ArrowArray *dictionary = array->children[2]->dictionary;
    assert_int_equal(ArrowArrayAppendString(dictionary, ArrowCharView("x")), 0);
    assert_int_equal(ArrowArrayAppendString(dictionary, ArrowCharView("y")), 0);
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(ArrowArrayAppendInt(array->children[0], 10 + i), 0);
        assert_int_equal(ArrowArrayAppendInt(array->children[1]->children[0], 100 + i), 0);
        assert_int_equal(ArrowArrayFinishElement(array->children[1]), 0);
        assert_int_equal(ArrowArrayAppendInt(array->children[2], i % 2), 0);
        assert_int_equal(ArrowArrayFinishElement(array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(array, NULL), 0);
    wr_arrow_release_schema(&schema);
}

/* An array whose releases are counted. */
struct counted {
    struct ArrowArray array;
    int *n_released;
};

static void release_counted(struct ArrowArray *array) {
    struct counted *counted = array->private_data;
    ++*counted->n_released;
    counted->array.release(&counted->array);
    free(counted);
    array->release = NULL;
}

static void make_counted_batch(struct ArrowArray *array, int *n_released) {
    struct counted *counted = malloc(sizeof *counted);
    assert_non_null(counted);
    make_batch(&counted->array);
    counted->n_released = n_released;
    *array = counted->array;
    array->private_data = counted;
    array->release = release_counted;
}

static int64_t int_at(const struct ArrowArray *array, int64_t row) {
    return ((const int64_t *)array->buffers[1])[array->offset + row];
}

/* ---- Moves ---- */

static void a_move_takes_the_structure_and_leaves_the_source_released(void **state) {
    (void)state;
    struct ArrowSchema schema, schema_to;
    struct ArrowArray array, array_to;
    struct ArrowArrayStream stream, stream_to;
    make_schema(&schema);
    make_batch(&array);
    assert_int_equal(wr_arrow_empty_stream(&stream, NULL), WEIR_OK);
    wr_arrow_move_schema(&schema, &schema_to);
    wr_arrow_move_array(&array, &array_to);
    wr_arrow_move_stream(&stream, &stream_to);
    assert_null(schema.release);
    assert_null(array.release);
    assert_null(stream.release);
    assert_int_equal(array_to.length, 3);
    assert_int_equal(schema_to.n_children, 3);
    wr_arrow_release_schema(&schema_to);
    wr_arrow_release_array(&array_to);
    wr_arrow_release_stream(&stream_to);
    assert_null(array_to.release);
}

static void releasing_nothing_is_welcome(void **state) {
    (void)state;
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct ArrowArrayStream stream = {0};
    wr_arrow_release_schema(&schema);
    wr_arrow_release_array(&array);
    wr_arrow_release_stream(&stream);
    wr_arrow_release_schema(NULL);
    wr_arrow_release_array(NULL);
    wr_arrow_release_stream(NULL);
    wr_shared_batch_release(NULL);
}

/* ---- Shared batches ---- */

static void a_view_shares_buffers_and_keeps_the_batch_alive(void **state) {
    (void)state;
    int n_released = 0;
    struct ArrowArray array, view;
    make_counted_batch(&array, &n_released);
    const void *values = array.children[0]->buffers[1];
    struct wr_shared_batch *batch;
    assert_int_equal(wr_shared_batch_new(&array, &batch, NULL), WEIR_OK);
    assert_null(array.release);
    assert_int_equal(wr_shared_batch_length(batch), 3);
    assert_int_equal(wr_shared_batch_array(batch, NULL, 0, &view, NULL), WEIR_OK);
    wr_shared_batch_release(batch);
    assert_int_equal(n_released, 0);
    assert_ptr_equal(view.children[0]->buffers[1], values);
    assert_int_equal(view.n_children, 3);
    assert_int_equal(int_at(view.children[0], 2), 12);
    assert_int_equal(int_at(view.children[1]->children[0], 1), 101);
    assert_int_equal(view.children[2]->dictionary->length, 2);
    wr_arrow_release_array(&view);
    assert_int_equal(n_released, 1);
}

static void a_view_of_chosen_columns_has_them_in_that_order(void **state) {
    (void)state;
    int n_released = 0;
    struct ArrowArray array, view = {0};
    make_counted_batch(&array, &n_released);
    struct wr_shared_batch *batch;
    assert_int_equal(wr_shared_batch_new(&array, &batch, NULL), WEIR_OK);
    const int32_t columns[] = {2, 0, 0};
    assert_int_equal(wr_shared_batch_array(batch, columns, 3, &view, NULL), WEIR_OK);
    assert_int_equal(view.n_children, 3);
    assert_int_equal(view.length, 3);
    assert_non_null(view.children[0]->dictionary);
    assert_int_equal(int_at(view.children[1], 0), 10);
    assert_int_equal(int_at(view.children[2], 0), 10);
    wr_arrow_release_array(&view);
    assert_int_equal(wr_shared_batch_array(batch, columns, 0, &view, NULL), WEIR_OK);
    assert_int_equal(view.n_children, 0);
    assert_int_equal(view.length, 3);
    wr_arrow_release_array(&view);
    const int32_t wrong = 3;
    struct weir_error error;
    assert_int_equal(wr_shared_batch_array(batch, &wrong, 1, &view, &error), WEIR_INVALID_ARGUMENT);
    assert_null(view.release);
    assert_int_equal(n_released, 0);
    wr_shared_batch_release(batch);
    assert_int_equal(n_released, 1);
}

static void children_moved_out_of_a_view_outlive_it(void **state) {
    (void)state;
    int n_released = 0;
    struct ArrowArray array, view, list, items, words;
    make_counted_batch(&array, &n_released);
    struct wr_shared_batch *batch;
    assert_int_equal(wr_shared_batch_new(&array, &batch, NULL), WEIR_OK);
    assert_int_equal(wr_shared_batch_array(batch, NULL, 0, &view, NULL), WEIR_OK);
    wr_shared_batch_release(batch);
    wr_arrow_move_array(view.children[1], &list);
    wr_arrow_move_array(view.children[2]->dictionary, &words);
    wr_arrow_release_array(&view);
    wr_arrow_move_array(list.children[0], &items);
    wr_arrow_release_array(&list);
    assert_int_equal(int_at(&items, 2), 102);
    assert_memory_equal(words.buffers[2], "xy", 2);
    wr_arrow_release_array(&words);
    assert_int_equal(n_released, 0);
    wr_arrow_release_array(&items);
    assert_int_equal(n_released, 1);
}

static void *use_batch(void *argument) {
    struct wr_shared_batch *batch = argument;
    int64_t sum = 0;
    for (int i = 0; i < 500; i++) {
        struct ArrowArray view;
        if (wr_shared_batch_array(batch, NULL, 0, &view, NULL) != WEIR_OK) return NULL;
        sum += int_at(view.children[0], 1);
        wr_arrow_release_array(&view);
    }
    wr_shared_batch_release(batch);
    return (void *)(intptr_t)sum;
}

static void views_are_made_and_released_on_many_threads(void **state) {
    (void)state;
    int n_released = 0;
    struct ArrowArray array;
    make_counted_batch(&array, &n_released);
    struct wr_shared_batch *batch;
    assert_int_equal(wr_shared_batch_new(&array, &batch, NULL), WEIR_OK);
    pthread_t threads[4];
    for (size_t i = 0; i < N_OF(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, use_batch, wr_shared_batch_retain(batch)), 0);
    wr_shared_batch_release(batch);
    for (size_t i = 0; i < N_OF(threads); i++) {
        void *sum;
        assert_int_equal(pthread_join(threads[i], &sum), 0);
        assert_int_equal((intptr_t)sum, 500 * 11);
    }
    assert_int_equal(n_released, 1);
}

static void sharing_without_memory_leaves_the_array_with_its_owner(void **state) {
    (void)state;
    int n_released = 0;
    struct ArrowArray array, view = {0};
    make_counted_batch(&array, &n_released);
    struct wr_shared_batch *batch = NULL;
    struct weir_error error = {0};
    wr_alloc_fail_at(1);
    assert_int_equal(wr_shared_batch_new(&array, &batch, &error), WEIR_INTERNAL);
    assert_string_equal(error.sqlstate, "53200");
    assert_non_null(array.release);
    wr_alloc_fail_at(0);
    assert_int_equal(wr_shared_batch_new(&array, &batch, NULL), WEIR_OK);
    int64_t n = 1;
    for (;; n++) {
        wr_alloc_fail_at(n);
        int code = wr_shared_batch_array(batch, NULL, 0, &view, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
        assert_string_equal(error.sqlstate, "53200");
        assert_null(view.release);
    }
    /* Two for each node with children or a dictionary: the struct, the list, the dictionary column.
     */
    assert_int_equal(n, 7);
    wr_arrow_release_array(&view);
    wr_shared_batch_release(batch);
    assert_int_equal(n_released, 1);
}

/* ---- Streams ---- */

static void an_empty_stream_has_no_columns_and_no_batches(void **state) {
    (void)state;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array = {0};
    assert_int_equal(wr_arrow_empty_stream(&stream, NULL), WEIR_OK);
    assert_int_equal(stream.get_schema(&stream, &schema), 0);
    assert_string_equal(schema.format, "+s");
    assert_int_equal(schema.n_children, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream.get_next(&stream, &array), 0);
        assert_null(array.release);
    }
    assert_null(stream.get_last_error(&stream));
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&stream);
}

/* Gives `n_batches`, then ends, or fails with `code`. */
struct source {
    int n_batches, n_calls, n_closed, code;
    const char *sqlstate;
};

static int source_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct source *source = context;
    source->n_calls++;
    if (source->n_batches > 0) {
        source->n_batches--;
        make_batch(ret_array);
        return WEIR_OK;
    }
    if (!source->code) return WEIR_OK;
    wr_error_set(error, source->code, source->sqlstate, "line 7: bad");
    if (error) error->position = 3;
    return source->code;
}

static void source_close(void *context) {
    ((struct source *)context)->n_closed++;
}

static void open_source(struct source *source, struct ArrowArrayStream *stream) {
    struct ArrowSchema schema;
    make_schema(&schema);
    assert_int_equal(
        wr_arrow_callback_stream(&schema, source_next, source_close, source, stream, NULL),
        WEIR_OK);
    assert_null(schema.release);
}

static void a_callback_stream_gives_its_batches_and_then_the_end_for_ever(void **state) {
    (void)state;
    struct source source = {.n_batches = 2};
    struct ArrowArrayStream stream;
    open_source(&source, &stream);
    struct ArrowSchema schema, expected;
    make_schema(&expected);
    assert_int_equal(wr_arrow_stream_schema(&stream, "t", &schema, NULL), WEIR_OK);
    assert_same_schema(&schema, &expected);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_schema(&expected);
    struct ArrowArray array;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wr_arrow_stream_next(&stream, "t", &array, NULL), WEIR_OK);
        assert_int_equal(int_at(array.children[0], 2), 12);
        wr_arrow_release_array(&array);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wr_arrow_stream_next(&stream, "t", &array, NULL), WEIR_OK);
        assert_null(array.release);
    }
    assert_int_equal(source.n_calls, 3);
    assert_int_equal(source.n_closed, 0);
    wr_arrow_release_stream(&stream);
    assert_null(stream.release);
    assert_int_equal(source.n_closed, 1);
}

static void a_failed_callback_stream_answers_the_same_failure_again(void **state) {
    (void)state;
    struct source source = {.code = WEIR_INVALID_DATA, .sqlstate = "22P02"};
    struct ArrowArrayStream stream;
    open_source(&source, &stream);
    assert_null(wr_arrow_callback_error(&stream));
    struct ArrowArray array = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stream.get_next(&stream, &array), EINVAL);
        assert_string_equal(stream.get_last_error(&stream), "line 7: bad");
    }
    assert_int_equal(source.n_calls, 1);
    const struct weir_error *own = wr_arrow_callback_error(&stream);
    assert_non_null(own);
    assert_string_equal(own->sqlstate, "22P02");
    struct weir_error error;
    assert_int_equal(wr_arrow_stream_next(&stream, "table \"t\"", &array, &error),
                     WEIR_INVALID_DATA);
    assert_string_equal(error.message, "table \"t\": line 7: bad");
    assert_string_equal(error.sqlstate, "22P02");
    assert_int_equal(error.position, 3);
    assert_int_equal(wr_arrow_stream_next(&stream, "t", &array, NULL), WEIR_INVALID_DATA);
    wr_arrow_release_stream(&stream);
}

static void codes_become_errno_values_at_the_arrow_interface(void **state) {
    (void)state;
    static const struct {
        int code;
        const char *sqlstate;
        int errnum;
    } cases[] = {
        {WEIR_INTERNAL, "53200", ENOMEM},      {WEIR_INTERNAL, NULL, EIO},
        {WEIR_CANCELLED, NULL, ECANCELED},     {WEIR_TIMEOUT, NULL, ETIMEDOUT},
        {WEIR_NOT_IMPLEMENTED, NULL, ENOTSUP}, {WEIR_NOT_FOUND, NULL, ENOENT},
        {WEIR_UNAUTHORIZED, NULL, EACCES},     {WEIR_IO, NULL, EIO},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct source source = {.code = cases[i].code, .sqlstate = cases[i].sqlstate};
        struct ArrowArrayStream stream;
        struct ArrowArray array;
        open_source(&source, &stream);
        assert_int_equal(stream.get_next(&stream, &array), cases[i].errnum);
        wr_arrow_release_stream(&stream);
    }
}

static int foreign_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    (void)out;
    return EIO;
}

static int foreign_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    (void)stream;
    (void)out;
    return ENOMEM;
}

static const char *foreign_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "connection lost";
}

static void foreign_release(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

static void a_foreign_streams_errors_carry_its_text_under_our_name(void **state) {
    (void)state;
    struct ArrowArrayStream stream = {foreign_schema, foreign_next, foreign_error, foreign_release,
                                      NULL};
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct weir_error error;
    assert_int_equal(wr_arrow_stream_schema(&stream, "peer", &schema, &error), WEIR_IO);
    assert_string_equal(error.message, "peer: connection lost");
    assert_int_equal(wr_arrow_stream_next(&stream, "peer", &array, &error), WEIR_INTERNAL);
    assert_string_equal(error.sqlstate, "53200");
    assert_null(wr_arrow_callback_error(&stream));
    wr_arrow_release_stream(&stream);
    assert_int_equal(wr_arrow_stream_next(&stream, "peer", &array, &error), WEIR_INVALID_STATE);
    assert_int_equal(wr_arrow_stream_schema(&stream, "peer", &schema, &error), WEIR_INVALID_STATE);
}

static void constructors_without_memory_leave_everything_with_the_caller(void **state) {
    (void)state;
    struct source source = {0};
    struct ArrowSchema schema;
    struct ArrowArrayStream stream = {0};
    struct weir_error error = {0};
    make_schema(&schema);
    wr_alloc_fail_at(1);
    assert_int_equal(
        wr_arrow_callback_stream(&schema, source_next, source_close, &source, &stream, &error),
        WEIR_INTERNAL);
    assert_string_equal(error.sqlstate, "53200");
    assert_non_null(schema.release);
    assert_int_equal(source.n_closed, 0);
    wr_alloc_fail_at(1);
    assert_int_equal(wr_arrow_empty_stream(&stream, NULL), WEIR_INTERNAL);
    wr_alloc_fail_at(0);
    assert_null(stream.release);
    wr_arrow_release_schema(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_takes_the_structure_and_leaves_the_source_released),
        cmocka_unit_test(releasing_nothing_is_welcome),
        cmocka_unit_test(a_view_shares_buffers_and_keeps_the_batch_alive),
        cmocka_unit_test(a_view_of_chosen_columns_has_them_in_that_order),
        cmocka_unit_test(children_moved_out_of_a_view_outlive_it),
        cmocka_unit_test(views_are_made_and_released_on_many_threads),
        cmocka_unit_test(sharing_without_memory_leaves_the_array_with_its_owner),
        cmocka_unit_test(an_empty_stream_has_no_columns_and_no_batches),
        cmocka_unit_test(a_callback_stream_gives_its_batches_and_then_the_end_for_ever),
        cmocka_unit_test(a_failed_callback_stream_answers_the_same_failure_again),
        cmocka_unit_test(codes_become_errno_values_at_the_arrow_interface),
        cmocka_unit_test(a_foreign_streams_errors_carry_its_text_under_our_name),
        cmocka_unit_test(constructors_without_memory_leave_everything_with_the_caller),
    };
    return cmocka_run_group_tests_name("arrow", tests, NULL, NULL);
}
