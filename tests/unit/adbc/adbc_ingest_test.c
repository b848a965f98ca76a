/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/call.h"
#include "base/error.h"
#include "table/adbc/ingest.h"

/* ---- Streams of numbers ---- */

struct numbers {
    int n_batches, next, fail_at; /* fail_at: the batch whose reading fails; -1: none */
    struct wr_call *call;         /* cancelled when the first one is read; NULL: none */
};

static int next_numbers(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct numbers *numbers = context;
    wr_call_cancel(numbers->call);
    if (numbers->next == numbers->fail_at)
        return wr_error_set(error, WEIR_IO, "58030", "the disk is gone");
    if (numbers->next++ == numbers->n_batches) return WEIR_OK;
    struct ArrowSchema schema;
    fake_schema(&schema);
    assert_int_equal(ArrowArrayInitFromSchema(ret_array, &schema, NULL), 0);
    schema.release(&schema);
    assert_int_equal(ArrowArrayStartAppending(ret_array), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ArrowArrayAppendInt(ret_array->children[0], i), 0);
        assert_int_equal(ArrowArrayFinishElement(ret_array), 0);
    }
    return ArrowArrayFinishBuildingDefault(ret_array, NULL);
}

static int ingest(int mode, const char *table, struct numbers numbers, int64_t *ret_n_rows,
                  struct weir_error *error) {
    struct wr_adbc_database *database = fake_must_open(NULL);
    struct ArrowSchema schema;
    struct ArrowArrayStream rows;
    fake_schema(&schema);
    assert_int_equal(wr_arrow_callback_stream(&schema, next_numbers, NULL, &numbers, &rows, NULL),
                     WEIR_OK);
    int code = wr_adbc_ingest(database, NULL, table, mode, &rows, ret_n_rows, error);
    assert_null(rows.release);
    wr_adbc_database_release(database);
    return code;
}

static void rows_are_committed_when_all_are_there(void **state) {
    (void)state;
    int64_t n_rows = 0;
    for (int mode = WR_ADBC_APPEND; mode <= WR_ADBC_OVERWRITE; mode++) {
        fake_reset(NULL);
        assert_int_equal(ingest(mode, "t", (struct numbers){3, 0, -1, NULL}, &n_rows, NULL),
                         WEIR_OK);
        assert_int_equal(n_rows, 15);
        assert_int_equal(fake()->ingested, 15);
        assert_int_equal(fake()->commits, 1);
        assert_int_equal(fake()->rollbacks, 0);
        assert_true(becomes(&fake()->databases, 0));
    }
}

static void a_source_that_fails_takes_everything_back(void **state) {
    (void)state;
    int64_t n_rows = -7;
    struct weir_error error = {0};
    /* The driver of these tests does not tell that its rows failed. */
    assert_int_equal(ingest(WR_ADBC_APPEND, "t", (struct numbers){3, 0, 2, NULL}, &n_rows, &error),
                     WEIR_IO);
    assert_true(contains(error.message, "the disk is gone"));
    assert_int_equal(n_rows, -7);
    assert_int_equal(fake()->commits, 0);
    assert_int_equal(fake()->rollbacks, 1);
}

static void a_table_that_is_there_is_not_made_again(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(
        ingest(WR_ADBC_CREATE, "taken", (struct numbers){1, 0, -1, NULL}, NULL, &error),
        WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P07");
    assert_int_equal(fake()->rollbacks, 1);
}

/* ---- Cancel ---- */

static void *cancel_soon(void *call) {
    while (fake()->ingested < 15)
        sleep_ms(1);
    wr_call_cancel(call);
    return NULL;
}

static void a_cancel_ends_it_in_the_database_and_takes_everything_back(void **state) {
    (void)state;
    struct wr_call_service service;
    struct weir_error error = {0};
    int64_t n_rows = -7;
    pthread_t thread;
    struct wr_call *call = wr_call_new();
    wr_call_serve(&service, call);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, call), 0);
    int64_t started = now_ms();
    assert_int_equal(
        ingest(WR_ADBC_APPEND, "hangs", (struct numbers){3, 0, -1, NULL}, &n_rows, &error),
        WEIR_CANCELLED);
    assert_true(now_ms() - started < 2000);
    pthread_join(thread, NULL);
    wr_call_unserve(&service);
    wr_call_release(call);
    assert_string_equal(error.sqlstate, "57014");
    assert_int_equal(n_rows, -7);
    assert_true(fake()->cancels > 0);
    assert_int_equal(fake()->commits, 0);
    assert_int_equal(fake()->rollbacks, 1);
    /* A cancel may come late: nobody gets that connection again. */
    assert_true(becomes(&fake()->connections, 0));
}

static void a_cancel_ends_the_rows_where_the_driver_has_none(void **state) {
    (void)state;
    struct wr_call_service service;
    struct weir_error error = {0};
    struct wr_call *call = wr_call_new();
    fake()->no_cancel = true;
    wr_call_serve(&service, call);
    assert_int_equal(ingest(WR_ADBC_APPEND, "t", (struct numbers){3, 0, -1, call}, NULL, &error),
                     WEIR_CANCELLED);
    wr_call_unserve(&service);
    wr_call_release(call);
    assert_true(fake()->ingested < 15);
    assert_int_equal(fake()->commits, 0);
    assert_int_equal(fake()->rollbacks, 1);
}

/* ---- What drivers would change without a word ---- */

static struct ArrowSchema one_schema;
static struct ArrowArray one_array;

static void begin(enum ArrowType type) {
    ArrowSchemaInit(&one_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(&one_schema, 1), 0);
    struct ArrowSchema *column = one_schema.children[0];
    if (type == NANOARROW_TYPE_TIMESTAMP) {
        assert_int_equal(ArrowSchemaSetTypeDateTime(column, type, NANOARROW_TIME_UNIT_NANO, NULL),
                         0);
    } else if (type == NANOARROW_TYPE_TIME64) {
        assert_int_equal(ArrowSchemaSetTypeDateTime(column, type, NANOARROW_TIME_UNIT_MICRO, NULL),
                         0);
    } else if (type == NANOARROW_TYPE_DECIMAL128) {
        assert_int_equal(ArrowSchemaSetTypeDecimal(column, type, 30, 2), 0);
    } else {
        assert_int_equal(ArrowSchemaSetType(column, type), 0);
    }
    assert_int_equal(ArrowSchemaSetName(column, "c"), 0);
    assert_int_equal(ArrowArrayInitFromSchema(&one_array, &one_schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(&one_array), 0);
    assert_int_equal(ArrowArrayAppendNull(one_array.children[0], 1), 0);
    assert_int_equal(ArrowArrayFinishElement(&one_array), 0);
}

static int give_one(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)context;
    (void)error;
    wr_arrow_move_array(&one_array, ret_array);
    return WEIR_OK;
}

/* The batch as the driver of `family` gets it. */
static int pass(enum wr_adbc_family family, struct ArrowSchema *ret_schema,
                struct ArrowArray *ret_array, struct weir_error *error) {
    assert_int_equal(ArrowArrayFinishElement(&one_array), 0);
    assert_int_equal(ArrowArrayFinishBuildingDefault(&one_array, NULL), 0);
    struct ArrowArrayStream rows, checked;
    struct ArrowSchema columns;
    struct wr_adbc_rows_fate fate = {0};
    assert_int_equal(wr_arrow_callback_stream(&one_schema, give_one, NULL, NULL, &rows, NULL),
                     WEIR_OK);
    int code = wr_adbc_ingest_rows(family, "far", &rows, &fate, &checked, &columns, error);
    assert_null(rows.release);
    if (code) {
        wr_arrow_release_array(&one_array);
        return code;
    }
    assert_int_equal(checked.get_schema(&checked, ret_schema), 0);
    code = wr_arrow_stream_next(&checked, "rows", ret_array, error);
    assert_int_equal(code, fate.code);
    if (code) ret_schema->release(ret_schema);
    checked.release(&checked);
    columns.release(&columns);
    return code;
}

static void assert_refused(enum wr_adbc_family family, int code, const char *words) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct weir_error error = {0};
    assert_int_equal(pass(family, &schema, &array, &error), code);
    assert_true(contains(error.message, words));
    assert_true(contains(error.message, "\"c\""));
}

static void assert_text(enum wr_adbc_family family, const char *text) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowArrayView view;
    struct weir_error error = {0};
    if (pass(family, &schema, &array, &error)) fail_msg("%s", error.message);
    assert_string_equal(schema.children[0]->format, "u");
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
    assert_int_equal(ArrowArrayViewSetArray(&view, &array, NULL), 0);
    assert_true(ArrowArrayViewIsNull(view.children[0], 0));
    struct ArrowStringView found = ArrowArrayViewGetStringUnsafe(view.children[0], 1);
    assert_int_equal(found.size_bytes, strlen(text));
    assert_memory_equal(found.data, text, strlen(text));
    ArrowArrayViewReset(&view);
    array.release(&array);
    schema.release(&schema);
}

static void values_that_the_database_does_not_hold_are_refused(void **state) {
    (void)state;
    begin(NANOARROW_TYPE_UINT64);
    assert_int_equal(ArrowArrayAppendUInt(one_array.children[0], UINT64_MAX), 0);
    assert_refused(WR_ADBC_POSTGRESQL, WEIR_INVALID_DATA, "a number that bigint does not hold");
    begin(NANOARROW_TYPE_TIMESTAMP);
    assert_int_equal(ArrowArrayAppendInt(one_array.children[0], 1001), 0);
    assert_refused(WR_ADBC_POSTGRESQL, WEIR_INVALID_DATA, "only microseconds are kept");
    begin(NANOARROW_TYPE_DOUBLE);
    assert_int_equal(ArrowArrayAppendDouble(one_array.children[0], NAN), 0);
    assert_refused(WR_ADBC_SQLITE, WEIR_INVALID_DATA, "NaN");
}

static void types_that_a_driver_does_not_know_are_refused_by_name(void **state) {
    (void)state;
    begin(NANOARROW_TYPE_DATE64);
    assert_int_equal(ArrowArrayAppendInt(one_array.children[0], 1), 0);
    assert_refused(WR_ADBC_SQLITE, WEIR_NOT_IMPLEMENTED, "cast it to another one");
    begin(NANOARROW_TYPE_DATE64);
    assert_int_equal(ArrowArrayAppendInt(one_array.children[0], 1), 0);
    assert_refused(WR_ADBC_POSTGRESQL, WEIR_NOT_IMPLEMENTED, "date64");
}

static void sqlite_gets_decimals_and_times_as_texts(void **state) {
    (void)state;
    struct ArrowDecimal decimal;
    begin(NANOARROW_TYPE_DECIMAL128);
    ArrowDecimalInit(&decimal, 128, 30, 2);
    assert_int_equal(ArrowDecimalSetDigits(&decimal, ArrowCharView("-123456789012345678901")), 0);
    assert_int_equal(ArrowArrayAppendDecimal(one_array.children[0], &decimal), 0);
    assert_text(WR_ADBC_SQLITE, "-1234567890123456789.01");
    begin(NANOARROW_TYPE_TIME64);
    assert_int_equal(ArrowArrayAppendInt(one_array.children[0], 45000500000), 0);
    assert_text(WR_ADBC_SQLITE, "12:30:00.5");
    begin(NANOARROW_TYPE_TIME64);
    assert_int_equal(ArrowArrayAppendInt(one_array.children[0], 86399000000), 0);
    assert_text(WR_ADBC_SQLITE, "23:59:59");
}

static void a_cut_batch_is_cut_in_its_columns(void **state) {
    (void)state;
    struct ArrowSchema schema;
    struct ArrowArray array;
    begin(NANOARROW_TYPE_INT64);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(ArrowArrayAppendInt(one_array.children[0], i), 0);
        if (i < 4) assert_int_equal(ArrowArrayFinishElement(&one_array), 0);
    }
    one_array.offset = 0;
    assert_int_equal(ArrowArrayFinishElement(&one_array), 0);
    assert_int_equal(ArrowArrayFinishBuildingDefault(&one_array, NULL), 0);
    one_array.offset = 2;
    one_array.length = 2;
    struct ArrowArrayStream rows, checked;
    struct ArrowSchema columns;
    struct wr_adbc_rows_fate fate = {0};
    assert_int_equal(wr_arrow_callback_stream(&one_schema, give_one, NULL, NULL, &rows, NULL),
                     WEIR_OK);
    assert_int_equal(
        wr_adbc_ingest_rows(WR_ADBC_DUCKDB, "far", &rows, &fate, &checked, &columns, NULL),
        WEIR_OK);
    assert_int_equal(checked.get_schema(&checked, &schema), 0);
    assert_int_equal(wr_arrow_stream_next(&checked, "rows", &array, NULL), WEIR_OK);
    assert_int_equal(array.offset, 0);
    assert_int_equal(array.children[0]->offset, 2);
    assert_int_equal(array.children[0]->length, 2);
    assert_int_equal(fate.n_rows, 2);
    array.release(&array);
    schema.release(&schema);
    columns.release(&columns);
    checked.release(&checked);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(rows_are_committed_when_all_are_there),
        CASE(a_source_that_fails_takes_everything_back),
        CASE(a_table_that_is_there_is_not_made_again),
        CASE(a_cancel_ends_it_in_the_database_and_takes_everything_back),
        CASE(a_cancel_ends_the_rows_where_the_driver_has_none),
        CASE(values_that_the_database_does_not_hold_are_refused),
        CASE(types_that_a_driver_does_not_know_are_refused_by_name),
        CASE(sqlite_gets_decimals_and_times_as_texts),
        CASE(a_cut_batch_is_cut_in_its_columns),
    };
    return cmocka_run_group_tests_name("adbc ingest", tests, NULL, NULL);
}
