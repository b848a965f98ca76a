/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>

#include <nanoarrow/nanoarrow.h>

#include "arrow/arrow.h"

struct AdbcDriver driver;
struct AdbcDatabase database;
struct AdbcConnection connection;
struct AdbcError failure = {.vendor_code = WR_ADBC_ERROR_IS_1_1};

static char text[1 << 16];

void forget_failure(void) {
    if (failure.release) failure.release(&failure);
    failure = (struct AdbcError){.vendor_code = WR_ADBC_ERROR_IS_1_1};
}

void check(AdbcStatusCode code, AdbcStatusCode expected) {
    if (code != expected) fail_msg("code %d: %s", code, failure.message ? failure.message : "");
    if (code != WEIR_OK) assert_non_null(failure.message);
}

bool failure_says(const char *word) {
    return strstr(failure.message, word) != NULL;
}

int open_driver(void **state) {
    (void)state;
    assert_int_equal(AdbcDriverInit(WR_ADBC_VERSION_1_1_0, &driver, NULL), WEIR_OK);
    return 0;
}

int open_database(void **state) {
    open_driver(state);
    OK(driver.DatabaseNew(&database, &failure));
    OK(driver.DatabaseInit(&database, &failure));
    OK(driver.ConnectionNew(&connection, &failure));
    OK(driver.ConnectionInit(&connection, &database, &failure));
    return 0;
}

int close_database(void **state) {
    (void)state;
    OK(driver.ConnectionRelease(&connection, &failure));
    OK(driver.DatabaseRelease(&database, &failure));
    forget_failure();
    return 0;
}

void new_statement(struct AdbcStatement *ret_statement, const char *sql) {
    memset(ret_statement, 0, sizeof *ret_statement);
    OK(driver.StatementNew(&connection, ret_statement, &failure));
    if (sql) OK(driver.StatementSetSqlQuery(ret_statement, sql, &failure));
}

void release_statement(struct AdbcStatement *statement) {
    OK(driver.StatementRelease(statement, &failure));
    assert_null(statement->private_data);
}

void run(const char *sql) {
    struct AdbcStatement statement;
    new_statement(&statement, sql);
    OK(driver.StatementExecuteQuery(&statement, NULL, NULL, &failure));
    release_statement(&statement);
}

static void add(const char *data, int64_t length) {
    size_t used = strlen(text);
    assert_true(used + (size_t)length + 2 < sizeof text);
    memcpy(text + used, data, (size_t)length);
    text[used + (size_t)length] = '\0';
}

static void add_cell(const struct ArrowArrayView *view, int64_t row) {
    char cell[64];
    if (ArrowArrayViewIsNull(view, row)) {
        add("NULL", 4);
    } else if (view->storage_type == NANOARROW_TYPE_STRING) {
        struct ArrowStringView value = ArrowArrayViewGetStringUnsafe(view, row);
        add(value.data, value.size_bytes);
    } else {
        snprintf(cell, sizeof cell, "%lld", (long long)ArrowArrayViewGetIntUnsafe(view, row));
        add(cell, (int64_t)strlen(cell));
    }
}

const char *text_of(struct ArrowArrayStream *rows) {
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    text[0] = '\0';
    assert_int_equal(rows->get_schema(rows, &schema), 0);
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
    schema.release(&schema);
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) fail_msg("%s", rows->get_last_error(rows));
        if (!batch.release) break;
        assert_int_equal(ArrowArrayViewSetArray(&view, &batch, NULL), 0);
        for (int64_t i = 0; i < batch.length; i++) {
            for (int64_t j = 0; j < view.n_children; j++) {
                if (j > 0) add("|", 1);
                add_cell(view.children[j], i);
            }
            add("\n", 1);
        }
        batch.release(&batch);
    }
    ArrowArrayViewReset(&view);
    rows->release(rows);
    return text;
}

const char *answer_to(const char *sql) {
    struct AdbcStatement statement;
    struct ArrowArrayStream rows = {0};
    new_statement(&statement, sql);
    OK(driver.StatementExecuteQuery(&statement, &rows, NULL, &failure));
    release_statement(&statement);
    return text_of(&rows);
}

void make_rows(const char *name, const int64_t *values, int64_t n, struct ArrowArray *ret_array,
               struct ArrowSchema *ret_schema) {
    ArrowSchemaInit(ret_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(ret_schema, 1), 0);
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[0], name), 0);
    assert_int_equal(ArrowArrayInitFromSchema(ret_array, ret_schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(ret_array), 0);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(ArrowArrayAppendInt(ret_array->children[0], values[i]), 0);
        assert_int_equal(ArrowArrayFinishElement(ret_array), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(ret_array, NULL), 0);
}

void make_stream(const char *name, const int64_t *values, int64_t n, int64_t n_batches,
                 struct ArrowArrayStream *ret_stream) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    make_rows(name, values, n, &array, &schema);
    array.release(&array);
    assert_int_equal(ArrowBasicArrayStreamInit(ret_stream, &schema, n_batches), 0);
    for (int64_t i = 0; i < n_batches; i++) {
        make_rows(name, values, n, &array, &schema);
        schema.release(&schema);
        ArrowBasicArrayStreamSetArray(ret_stream, i, &array);
    }
}
