/* SPDX-License-Identifier: Apache-2.0 */
/* The REMOTE form over a real database, SQLite, and the UNION form over it and a query. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"
#include "nanoarrow/nanoarrow.h"

static struct database {
    sqlite3 *connection;
    bool is_union;
} database;

static char last_statement[256];

/* ---- A kind: the table `numbers` of a database in memory ---- */

static int database_open(const struct weir_definition *definition, void **ret_table,
                         struct weir_error *error) {
    (void)error;
    for (size_t i = 0; i < definition->n_options; i++) {
        if (strcmp(definition->options[i].key, "union") == 0)
            database.is_union = strcmp(definition->options[i].value, "true") == 0;
    }
    *ret_table = &database;
    return WEIR_OK;
}

static void database_close(void *table) {
    (void)table;
}

static int failed(struct weir_error *error, const char *message) {
    if (error == NULL) return WEIR_IO;
    error->code = WEIR_IO;
    strcpy(error->sqlstate, "58030");
    snprintf(error->message, sizeof error->message, "sqlite: %s", message);
    return WEIR_IO;
}

struct run {
    struct database *backend;
    char **statements;
    struct ArrowSchema schema;
};

static int run_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                    struct weir_error *error) {
    struct run *run = scan->private_data;
    const struct ArrowSchema *schema = &run->schema;
    sqlite3_stmt *statement = NULL;
    struct ArrowArray array;
    struct ArrowSchema copy;
    const char *sql = run->statements[partition];
    snprintf(last_statement, sizeof last_statement, "%s", sql);
    if (sqlite3_prepare_v2(run->backend->connection, sql, -1, &statement, NULL) != SQLITE_OK)
        return failed(error, sqlite3_errmsg(run->backend->connection));
    assert_int_equal(ArrowArrayInitFromSchema(&array, schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(&array), 0);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < (int)schema->n_children; i++) {
            struct ArrowArray *column = array.children[i];
            const char *text = (const char *)sqlite3_column_text(statement, i);
            if (sqlite3_column_type(statement, i) == SQLITE_NULL)
                assert_int_equal(ArrowArrayAppendNull(column, 1), 0);
            else if (schema->children[i]->format[0] == 'l')
                assert_int_equal(ArrowArrayAppendInt(column, sqlite3_column_int64(statement, i)),
                                 0);
            else
                assert_int_equal(ArrowArrayAppendString(column, ArrowCharView(text)), 0);
        }
        assert_int_equal(ArrowArrayFinishElement(&array), 0);
    }
    sqlite3_finalize(statement);
    assert_int_equal(ArrowArrayFinishBuildingDefault(&array, NULL), 0);
    assert_int_equal(ArrowSchemaDeepCopy(schema, &copy), 0);
    assert_int_equal(ArrowBasicArrayStreamInit(ret_rows, &copy, 1), 0);
    ArrowBasicArrayStreamSetArray(ret_rows, 0, &array);
    return WEIR_OK;
}

static void run_release(struct weir_scan *scan) {
    struct run *run = scan->private_data;
    for (int32_t i = 0; i < scan->n_partitions; i++)
        free(run->statements[i]);
    free(run->statements);
    run->schema.release(&run->schema);
    free(run);
}

static int database_execute(void *table, const char *const *statements, size_t n_statements,
                            const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                            struct weir_error *error) {
    (void)error;
    struct run *run = calloc(1, sizeof *run);
    run->backend = table;
    run->statements = calloc(n_statements, sizeof *run->statements);
    for (size_t i = 0; i < n_statements; i++)
        run->statements[i] = strdup(statements[i]);
    assert_int_equal(ArrowSchemaDeepCopy(schema, &run->schema), 0);
    *ret_scan = (struct weir_scan){.n_partitions = (int32_t)n_statements,
                                   .open = run_open,
                                   .release = run_release,
                                   .private_data = run};
    return WEIR_OK;
}

static void columns_of_numbers(struct ArrowSchema *ret_schema) {
    ArrowSchemaInit(ret_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(ret_schema, 2), 0);
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[0], "Id"), 0);
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[1], NANOARROW_TYPE_STRING), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[1], "name"), 0);
}

static void form_release(struct weir_form *form) {
    if (form->schema.release) form->schema.release(&form->schema);
    for (size_t i = 0; i < form->n_parts; i++) {
        form->parts[i]->release(form->parts[i]);
        free(form->parts[i]);
    }
    free(form->parts);
    form->release = NULL;
}

static void remote_form(struct weir_form *ret_form) {
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_REMOTE,
        .remote = {.dialect = "sqlite",
                   .backend = "memory",
                   .table = "\"numbers\"",
                   .execute = database_execute},
        .release = form_release,
    };
    columns_of_numbers(&ret_form->schema);
}

static int database_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)error;
    if (!((struct database *)table)->is_union) {
        remote_form(ret_form);
        return WEIR_OK;
    }
    *ret_form = (struct weir_form){.type = WEIR_FORM_UNION, .n_parts = 2, .release = form_release};
    ret_form->parts = calloc(2, sizeof *ret_form->parts);
    for (size_t i = 0; i < 2; i++)
        ret_form->parts[i] = calloc(1, sizeof **ret_form->parts);
    remote_form(ret_form->parts[0]);
    *ret_form->parts[1] = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql = {.query = "SELECT 'nine' AS name, 9 AS \"Id\", true AS late"},
        .release = form_release,
    };
    return WEIR_OK;
}

static const struct weir_option_spec database_options[] = {
    {"union", WEIR_OPTION_BOOLEAN, 0, "adds a row by a query"}};

static const struct weir_table_kind database_kind = {
    .size = sizeof database_kind,
    .name = "database",
    .summary = "a table of an SQLite database in memory",
    .options = database_options,
    .n_options = 1,
    .open = database_open,
    .close = database_close,
    .form = database_form,
};

static int forms_open(void **state) {
    if (suite_open(state) != 0) return -1;
    assert_int_equal(sqlite3_open(":memory:", &database.connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database.connection,
                                  "CREATE TABLE numbers (\"Id\" INTEGER, name TEXT);"
                                  "INSERT INTO numbers VALUES (1, 'one'), (2, NULL), (3, 'three')",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    struct weir_error error = {0};
    assert_int_equal(weir_register_kind(workspace, &database_kind, &error), WEIR_OK);
    return 0;
}

static int forms_close(void **state) {
    int code = suite_close(state);
    sqlite3_close(database.connection);
    return code;
}

/* ---- Tests ---- */

static void remote_rows_and_nulls_arrive(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE remote USING database");
    expect_rows("1|one\n2|NULL\n3|three\n", "SELECT * FROM remote ORDER BY \"Id\"");
}

static void the_database_runs_what_it_can_and_with_pushdown_off_gives_columns(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE remote USING database");
    expect_rows("one\nthree\n", "SELECT name FROM remote WHERE name IS NOT NULL ORDER BY name");
    assert_string_equal(last_statement, "SELECT t1.\"name\" AS \"name\" FROM \"numbers\" AS t1"
                                        " WHERE (t1.\"name\" IS NOT NULL)"
                                        " ORDER BY t1.\"name\" ASC NULLS LAST");
    run("SET weir.pushdown = off");
    expect_rows("one\nthree\n", "SELECT name FROM remote WHERE name IS NOT NULL ORDER BY name");
    assert_string_equal(last_statement, "SELECT t1.\"name\" AS \"name\" FROM \"numbers\" AS t1");
    run("SET weir.pushdown = on");
}

static void remote_is_counted_filtered_and_joined(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE remote USING database");
    expect_number(3, "SELECT count(*) FROM remote");
    expect_number(2, "SELECT count(*) FROM remote WHERE \"Id\" %% 2 = 1");
    expect_number(3, "SELECT count(*) FROM remote a JOIN remote b ON a.\"Id\" = b.\"Id\"");
    expect_rows("3\n", "SELECT \"Id\" FROM remote ORDER BY \"Id\" DESC LIMIT 1");
}

static void error_of_the_database_arrives(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE remote USING database");
    sqlite3_exec(database.connection, "ALTER TABLE numbers RENAME TO gone", NULL, NULL, NULL);
    struct weir_error error =
        expect_error("58030", "no such table: numbers", "SELECT * FROM remote");
    assert_int_equal(error.code, WEIR_IO);
    sqlite3_exec(database.connection, "ALTER TABLE gone RENAME TO numbers", NULL, NULL, NULL);
}

static void remote_table_is_read_only(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE remote USING database");
    expect_error("0A000", "read only", "INSERT INTO remote VALUES (4, 'four')");
}

static void union_joins_its_parts_by_column_name(void **state) {
    (void)state;
    run("CREATE OR REPLACE TABLE both_parts USING database OPTIONS (union true)");
    expect_rows("1|one|NULL\n2|NULL|NULL\n3|three|NULL\n9|nine|true\n",
                "SELECT \"Id\", name, late FROM both_parts ORDER BY \"Id\"");
    expect_number(4, "SELECT count(*) FROM both_parts");
    expect_rows("9\n", "SELECT \"Id\" FROM both_parts WHERE late");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remote_rows_and_nulls_arrive),
        cmocka_unit_test(the_database_runs_what_it_can_and_with_pushdown_off_gives_columns),
        cmocka_unit_test(remote_is_counted_filtered_and_joined),
        cmocka_unit_test(error_of_the_database_arrives),
        cmocka_unit_test(remote_table_is_read_only),
        cmocka_unit_test(union_joins_its_parts_by_column_name),
    };
    return cmocka_run_group_tests_name("forms", tests, forms_open, forms_close);
}
