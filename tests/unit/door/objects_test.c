/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as Flight SQL's tables. */
#include "support.h"

#include <stdio.h>

#include <nanoarrow/nanoarrow_ipc.h>

#include "base/alloc.h"
#include "door/list.h"

static int open_catalog(void **state) {
    open_workspace(state);
    run("CREATE SCHEMA \"Odd \"\"name\"");
    run("CREATE TABLE t (a INT NOT NULL, b VARCHAR, c DECIMAL(10, 2), PRIMARY KEY (c, a))");
    run("CREATE TABLE \"Odd \"\"name\".\"it's 100%\" (x BIGINT UNIQUE)");
    run("CREATE VIEW v AS SELECT a FROM t");
    return 0;
}

static const char *tables_of(struct wr_door_tables filter) {
    struct ArrowArrayStream rows = {0};
    struct weir_error error = {0};
    if (wr_door_tables(session, &filter, &rows, &error) != WEIR_OK) fail_msg("%s", error.message);
    return text_of(&rows);
}

static void catalogs_are_listed_in_order(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    assert_int_equal(wr_door_catalogs(session, &rows, NULL), WEIR_OK);
    assert_string_equal(columns_of(&rows), "catalog_name u!");
    assert_string_equal(text_of(&rows), "system\nweir\n");
}

static void schemas_are_filtered_by_catalog_and_pattern(void **state) {
    (void)state;
    static const struct {
        const char *catalog;
        const char *pattern;
        const char *rows;
    } cases[] = {
        {NULL, NULL, "system|public\nweir|Odd \"name\nweir|information_schema\nweir|public\n"},
        {"weir", NULL, "weir|Odd \"name\nweir|information_schema\nweir|public\n"},
        {NULL, "p%", "system|public\nweir|public\n"},
        {NULL, "_dd %", "weir|Odd \"name\n"},
        {"weir", "P%", ""},
        {"", NULL, ""},
        {"we%", NULL, ""},
        {"weir", "", ""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct ArrowArrayStream rows = {0};
        assert_int_equal(wr_door_schemas(session, cases[i].catalog, cases[i].pattern, &rows, NULL),
                         WEIR_OK);
        assert_string_equal(columns_of(&rows), "catalog_name u, db_schema_name u!");
        assert_string_equal(text_of(&rows), cases[i].rows);
    }
}

static void tables_are_filtered_by_name_and_type(void **state) {
    (void)state;
    assert_string_equal(
        tables_of((struct wr_door_tables){.catalog = "weir", .schema_pattern = "public"}),
        "weir|public|t|TABLE\nweir|public|v|VIEW\n");
    assert_string_equal(
        tables_of((struct wr_door_tables){.catalog = "weir", .table_pattern = "it's 100\\%"}),
        "weir|Odd \"name|it's 100%|TABLE\n");
    assert_string_equal(tables_of((struct wr_door_tables){
                            .table_pattern = "_", .types = (const char *[]){"VIEW"}, .n_types = 1}),
                        "weir|public|v|VIEW\n");
    assert_string_equal(
        tables_of((struct wr_door_tables){.table_pattern = "%s",
                                          .schema_pattern = "%",
                                          .types = (const char *[]){"SYSTEM TABLE", "VIEW"},
                                          .n_types = 2,
                                          .catalog = "weir"}),
        "weir|information_schema|columns|SYSTEM TABLE\n"
        "weir|information_schema|df_settings|SYSTEM TABLE\n"
        "weir|information_schema|parameters|SYSTEM TABLE\n"
        "weir|information_schema|routines|SYSTEM TABLE\n"
        "weir|information_schema|tables|SYSTEM TABLE\n"
        "weir|information_schema|views|SYSTEM TABLE\n");
    assert_string_equal(
        tables_of((struct wr_door_tables){.types = (const char *[]){"SEQUENCE"}, .n_types = 1}),
        "");
}

static void every_system_table_that_is_listed_can_be_read(void **state) {
    (void)state;
    struct wr_door_texts list = {.width = WR_TABLE_WIDTH};
    const struct wr_door_tables filter = {.types = (const char *[]){"SYSTEM TABLE"}, .n_types = 1};
    assert_int_equal(wr_door_list_tables(session, &filter, true, &list, NULL), WEIR_OK);
    assert_true(list.n_rows > 20);
    for (size_t i = 0; i < list.n_rows; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT * FROM \"%s\".\"%s\".\"%s\" LIMIT 1",
                 wr_door_texts_get(&list, i, WR_TABLE_CATALOG),
                 wr_door_texts_get(&list, i, WR_TABLE_SCHEMA),
                 wr_door_texts_get(&list, i, WR_TABLE_NAME));
        answer_to(sql);
    }
    wr_door_texts_reset(&list);
}

/* The schema in the last column of a stream's only row, decoded. */
static void decode_schema(struct ArrowArrayStream *rows, struct ArrowSchema *ret_schema) {
    struct ArrowArray batch = {0};
    assert_int_equal(rows->get_next(rows, &batch), 0);
    assert_int_equal(batch.length, 1);
    const struct ArrowArray *column = batch.children[4];
    const int32_t *offsets = column->buffers[1];
    struct ArrowBufferView message = {.data.data = (const char *)column->buffers[2] + offsets[0],
                                      .size_bytes = offsets[1] - offsets[0]};
    struct ArrowIpcDecoder decoder;
    assert_int_equal(ArrowIpcDecoderInit(&decoder), 0);
    assert_int_equal(ArrowIpcDecoderDecodeHeader(&decoder, message, NULL), 0);
    assert_int_equal(ArrowIpcDecoderDecodeSchema(&decoder, ret_schema, NULL), 0);
    ArrowIpcDecoderReset(&decoder);
    batch.release(&batch);
}

static void assert_metadata(const struct ArrowSchema *column, const char *key, const char *value) {
    struct ArrowStringView found = {0};
    char name[64];
    snprintf(name, sizeof name, "ARROW:FLIGHT:SQL:%s", key);
    assert_int_equal(ArrowMetadataGetValue(column->metadata, ArrowCharView(name), &found), 0);
    assert_int_equal(found.size_bytes, strlen(value));
    assert_memory_equal(found.data, value, strlen(value));
}

static void tables_carry_their_schemas_with_metadata(void **state) {
    (void)state;
    const struct wr_door_tables filter = {
        .catalog = "weir", .table_pattern = "t", .schema_pattern = "public", .with_schemas = true};
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    assert_int_equal(wr_door_tables(session, &filter, &rows, NULL), WEIR_OK);
    assert_string_equal(columns_of(&rows),
                        "catalog_name u, db_schema_name u, table_name u!, table_type u!, "
                        "table_schema z!");
    decode_schema(&rows, &schema);
    rows.release(&rows);
    assert_int_equal(schema.n_children, 3);
    assert_string_equal(schema.children[0]->name, "a");
    assert_string_equal(schema.children[0]->format, "i");
    assert_int_equal(schema.children[0]->flags, 0);
    assert_string_equal(schema.children[1]->format, "u");
    assert_metadata(schema.children[1], "TYPE_NAME", "VARCHAR");
    assert_metadata(schema.children[2], "TYPE_NAME", "DECIMAL");
    assert_metadata(schema.children[2], "PRECISION", "10");
    assert_metadata(schema.children[2], "SCALE", "2");
    assert_metadata(schema.children[2], "TABLE_NAME", "t");
    schema.release(&schema);
}

static void a_table_that_cannot_be_read_has_no_columns(void **state) {
    (void)state;
    run("CREATE TABLE gone (a INT)");
    run("CREATE VIEW dangling AS SELECT a FROM gone");
    run("DROP TABLE gone");
    const struct wr_door_tables filter = {.table_pattern = "dangling", .with_schemas = true};
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    assert_int_equal(wr_door_tables(session, &filter, &rows, NULL), WEIR_OK);
    decode_schema(&rows, &schema);
    rows.release(&rows);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
    run("DROP VIEW dangling");
}

static void an_unreachable_catalog_keeps_no_other_from_being_listed(void **state) {
    (void)state;
    char directory[] = "/tmp/weir-door-XXXXXX";
    char sql[128];
    assert_non_null(mkdtemp(directory));
    snprintf(sql, sizeof sql, "ATTACH '%s' AS away", directory);
    run(sql);
    assert_int_equal(remove(directory), 0);
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    const struct wr_door_tables one = {.catalog = "away"};
    assert_string_equal(
        tables_of((struct wr_door_tables){.schema_pattern = "public", .table_pattern = "v"}),
        "weir|public|v|VIEW\n");
    assert_int_not_equal(wr_door_tables(session, &one, &rows, &error), WEIR_OK);
    assert_non_null(strstr(error.message, "away"));
    run("DETACH away");
}

static void a_table_has_its_columns(void **state) {
    (void)state;
    struct ArrowSchema schema = {0};
    struct weir_error error = {0};
    const struct wr_door_table odd = {"weir", "Odd \"name", "it's 100%"};
    assert_int_equal(wr_door_table_schema(session, &odd, &schema, NULL), WEIR_OK);
    assert_string_equal(schema.children[0]->format, "l");
    schema.release(&schema);
    const struct wr_door_table here = {.name = "t"};
    assert_int_equal(wr_door_table_schema(session, &here, &schema, NULL), WEIR_OK);
    assert_int_equal(schema.n_children, 3);
    schema.release(&schema);
    const struct wr_door_table missing = {.name = "t; DROP TABLE t"};
    assert_int_equal(wr_door_table_schema(session, &missing, &schema, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "42P01");
    assert_int_equal(error.position, 0);
}

static void primary_keys_are_those_declared_in_their_order(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    const struct wr_door_table table = {NULL, NULL, "t"};
    assert_int_equal(wr_door_primary_keys(session, &table, &rows, NULL), WEIR_OK);
    assert_string_equal(columns_of(&rows),
                        "catalog_name u, db_schema_name u, table_name u!, column_name u!, "
                        "key_name u, key_sequence i!");
    assert_string_equal(text_of(&rows), "weir|public|t|c|t_pkey|1\nweir|public|t|a|t_pkey|2\n");
    const struct wr_door_table unique = {"weir", "Odd \"name", "it's 100%"};
    assert_int_equal(wr_door_primary_keys(session, &unique, &rows, NULL), WEIR_OK);
    assert_string_equal(text_of(&rows), "");
    struct wr_door_texts list = {0};
    assert_int_equal(wr_door_list_constraints(session, &unique, &list, NULL), WEIR_OK);
    assert_int_equal(list.n_rows, 1);
    assert_string_equal(wr_door_texts_get(&list, 0, WR_CONSTRAINT_NAME), "it's 100%_x_key");
    assert_string_equal(wr_door_texts_get(&list, 0, WR_CONSTRAINT_TYPE), "UNIQUE");
    wr_door_texts_reset(&list);
}

static void there_are_no_foreign_keys(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    struct weir_error error = {0};
    const struct wr_door_table table = {.name = "t"};
    assert_int_equal(wr_door_foreign_keys(session, &table, NULL, &rows, NULL), WEIR_OK);
    assert_string_equal(
        columns_of(&rows),
        "pk_catalog_name u, pk_db_schema_name u, pk_table_name u!, pk_column_name u!, "
        "fk_catalog_name u, fk_db_schema_name u, fk_table_name u!, fk_column_name u!, "
        "key_sequence i!, fk_key_name u, pk_key_name u, update_rule C!, delete_rule C!");
    assert_string_equal(text_of(&rows), "");
    assert_int_not_equal(weir_query(session,
                                    "CREATE TABLE f (a INT, FOREIGN KEY (a) REFERENCES t (a))",
                                    &rows, NULL, &error),
                         WEIR_OK);
}

static void type_info_has_every_column_and_names_that_sql_takes(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    const int32_t decimal = 3;
    assert_int_equal(wr_door_type_info(&decimal, &rows, NULL), WEIR_OK);
    assert_string_equal(
        columns_of(&rows),
        "type_name u!, data_type i!, column_size i, literal_prefix u, literal_suffix u, "
        "create_params +l, nullable i!, case_sensitive b!, searchable i!, unsigned_attribute b, "
        "fixed_prec_scale b!, auto_increment b, local_type_name u, minimum_scale i, "
        "maximum_scale i, sql_data_type i!, datetime_subcode i, num_prec_radix i, "
        "interval_precision i");
    assert_string_equal(text_of(&rows),
                        "DECIMAL|3|76|NULL|NULL|[precision, scale]|1|false|2|false|false|false|"
                        "DECIMAL|0|76|3|NULL|10|NULL\n");
    assert_int_equal(wr_door_type_info(NULL, &rows, NULL), WEIR_OK);
    char lines[8192];
    snprintf(lines, sizeof lines, "%s", text_of(&rows));
    /* Without a zone the engine takes one with a time zone for one without. */
    run("SET datafusion.execution.time_zone = 'UTC'");
    int n_types = 0;
    long last = INT32_MIN;
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        char *bar = strchr(line, '|');
        *bar = '\0';
        long data_type = strtol(bar + 1, NULL, 10);
        assert_true(data_type >= last);
        last = data_type;
        char sql[128];
        snprintf(sql, sizeof sql, "CREATE OR REPLACE TABLE typed (x %s)", line);
        run(sql);
        struct ArrowSchema schema = {0};
        assert_int_equal(
            wr_door_table_schema(session, &(struct wr_door_table){.name = "typed"}, &schema, NULL),
            WEIR_OK);
        assert_string_equal(wr_door_type_name(schema.children[0]), line);
        schema.release(&schema);
        n_types++;
    }
    run("DROP TABLE typed");
    run("RESET datafusion.execution.time_zone");
    assert_int_equal(n_types, 19);
}

static void patterns_are_those_of_like(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *pattern;
        bool fits;
    } cases[] = {
        {"", "", true},
        {"", "%", true},
        {"", "_", false},
        {"abc", "abc", true},
        {"abc", "a_c", true},
        {"abc", "a_", false},
        {"abc", "%c", true},
        {"abc", "%b%", true},
        {"abcbc", "%bc", true},
        {"aab", "a%ab", true},
        {"ab", "a%ab", false},
        {"a_c", "a\\_c", true},
        {"abc", "a\\_c", false},
        {"a%", "a\\%", true},
        {"ab", "a\\%", false},
        {"\xc3\xa9t", "_t", true},
        {"\xc3\xa9", "__", false},
        {"a\\", "a\\\\", true},
        {"ABC", "abc", false},
        {"abc", "%%%", true},
        {"a\\", "a\\", true},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        if (wr_door_like(cases[i].text, cases[i].pattern) != cases[i].fits)
            fail_msg("'%s' LIKE '%s'", cases[i].text, cases[i].pattern);
    }
}

static void texts_are_quoted(void **state) {
    (void)state;
    char *name = wr_door_identifier("a\"b");
    char *text = wr_door_literal("it's");
    assert_string_equal(name, "\"a\"\"b\"");
    assert_string_equal(text, "'it''s'");
    wr_free(name);
    wr_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalogs_are_listed_in_order),
        cmocka_unit_test(schemas_are_filtered_by_catalog_and_pattern),
        cmocka_unit_test(tables_are_filtered_by_name_and_type),
        cmocka_unit_test(every_system_table_that_is_listed_can_be_read),
        cmocka_unit_test(tables_carry_their_schemas_with_metadata),
        cmocka_unit_test(a_table_that_cannot_be_read_has_no_columns),
        cmocka_unit_test(an_unreachable_catalog_keeps_no_other_from_being_listed),
        cmocka_unit_test(a_table_has_its_columns),
        cmocka_unit_test(primary_keys_are_those_declared_in_their_order),
        cmocka_unit_test(there_are_no_foreign_keys),
        cmocka_unit_test(type_info_has_every_column_and_names_that_sql_takes),
        cmocka_unit_test(patterns_are_those_of_like),
        cmocka_unit_test(texts_are_quoted),
    };
    return cmocka_run_group_tests(tests, open_catalog, close_workspace);
}
