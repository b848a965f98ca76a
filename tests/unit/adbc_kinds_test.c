/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of databases, as far as no database is needed: types, names, partitions, checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/backend.h"
#include "table/adbc/postgresql_types.h"
#include "table/adbc/sqlite_types.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* ---- PostgreSQL's types ---- */

static void postgresql_types_have_their_arrow_types(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t modifier;
        const char *format, *after;
    } types[] = {
        {"int2", -1, "s", NULL},
        {"int8", -1, "l", NULL},
        {"float4", -1, "f", NULL},
        {"bool", -1, "b", NULL},
        {"varchar", 14, "u", NULL},
        {"bytea", -1, "z", NULL},
        {"date", -1, "tdD", NULL},
        {"time", -1, "ttu", NULL},
        {"timestamp", 3, "tsu:", NULL},
        {"timestamptz", -1, "tsu:UTC", NULL},
        {"oid", -1, "l", "::int8"},
        {"bpchar", 9, "u", "::text"},
        {"uuid", -1, "u", "::text"},
        {"interval", -1, "tin", NULL},
        {"timetz", -1, "u", "::text"},
        {"mood", -1, "u", "::text"},
        {"_mood", -1, "u", "::text"},
        {"_numeric", 655366, "u", "::text"},
        {"", -1, "u", "::text"},
        {"_int4", -1, "+l:i", ""},
        {"_timestamptz", -1, "+l:tsu:UTC", ""},
        /* numeric(10,2), (38,0), (39,3), (76,76), (77,1), (5,-2), (3,5), without a precision */
        {"numeric", 655366, "d:10,2", NULL},
        {"numeric", (38 << 16) + 4, "d:38,0", NULL},
        {"numeric", (39 << 16) + 3 + 4, "d:39,3,256", NULL},
        {"numeric", (76 << 16) + 76 + 4, "d:76,76,256", NULL},
        {"numeric", (77 << 16) + 1 + 4, "u", "::text"},
        {"numeric", (5 << 16) + (2048 - 2) + 4, "d:7,0", NULL},
        {"numeric", (3 << 16) + 5 + 4, "d:5,5", NULL},
        {"numeric", -1, "u", "::text"},
    };
    for (size_t i = 0; i < N_OF(types); i++) {
        struct wr_postgresql_type type;
        wr_postgresql_type(types[i].name, types[i].modifier, false, &type);
        assert_string_equal(type.format, types[i].format);
        assert_int_equal(type.before == NULL, types[i].after == NULL);
        if (type.before) assert_string_equal(type.after, types[i].after);
    }
}

static void a_text_with_a_collation_of_its_own_is_compared_by_bytes(void **state) {
    (void)state;
    struct wr_postgresql_type type;
    wr_postgresql_type("text", -1, true, &type);
    assert_string_equal(type.after, " COLLATE \"C\"");
    wr_postgresql_type("int4", -1, true, &type);
    assert_null(type.before);
}

static void an_array_of_several_dimensions_fails_in_its_expression(void **state) {
    (void)state;
    struct wr_postgresql_type type;
    char *expression = NULL;
    wr_postgresql_type("_int4", -1, false, &type);
    assert_int_equal(wr_postgresql_guard("a\"b", &type, &expression, NULL), WEIR_OK);
    assert_string_equal(expression,
                        "CASE WHEN pg_catalog.array_ndims(\"a\"\"b\") > 1 THEN ('more than one "
                        "dimension in ' || \"a\"\"b\"::text)::int4[] ELSE \"a\"\"b\" END");
    wr_free(expression);
}

static void columns_of_a_new_table_get_postgresqls_types(void **state) {
    (void)state;
    static const char *const types[][2] = {
        {"d:15,2", "numeric(15,2)"},
        {"tdD", "date"},
        {"tsn:", "timestamp"},
        {"tsu:Europe/Rome", "timestamptz"},
        {"c", "smallint"},
        {"vu", "text"},
        {"vz", "bytea"},
        {"L", "bigint"},
        {"ttu", "time"},
        {"g", "double precision"},
    };
    for (size_t i = 0; i < N_OF(types); i++) {
        struct ArrowSchema column;
        struct wr_buffer text;
        ArrowSchemaInit(&column);
        wr_buffer_init(&text, 1000);
        assert_int_equal(ArrowSchemaSetName(&column, "c"), 0);
        assert_int_equal(ArrowSchemaSetFormat(&column, types[i][0]), 0);
        struct weir_error why = {0};
        if (wr_postgresql_type_name(&column, &text, &why)) fail_msg("%s", why.message);
        assert_string_equal(text.data, types[i][1]);
        ArrowSchemaRelease(&column);
        wr_buffer_reset(&text);
    }
    struct weir_error error = {0};
    struct ArrowSchema column;
    struct wr_buffer text;
    ArrowSchemaInit(&column);
    wr_buffer_init(&text, 1000);
    assert_int_equal(ArrowSchemaSetTypeStruct(&column, 0), 0);
    assert_int_equal(ArrowSchemaSetName(&column, "c"), 0);
    assert_int_equal(wr_postgresql_type_name(&column, &text, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "column \"c\" is of the Arrow type \"struct\""));
    ArrowSchemaRelease(&column);
    wr_buffer_reset(&text);
}

/* ---- SQLite's types ---- */

static void sqlite_types_are_told_by_their_declarations(void **state) {
    (void)state;
    static const struct {
        const char *declared, *format;
        bool plain;
    } types[] = {
        {"INTEGER", "l", true},
        {"unsigned big int", "l", true},
        {"tinyint(1)", "l", true},
        {"REAL", "g", true},
        {"double precision", "g", true},
        {"varchar(20)", "u", true},
        {"TEXT", "u", true},
        {"BLOB", "z", true},
        {"Boolean", "b", true},
        {"date", "tdD", true},
        {"DATETIME", "tsu:", false},
        {"timestamp(6)", "tsu:", false},
        {"timestamp with time zone", "u", false},
        {"DECIMAL(15, 2)", "d:15,2", false},
        {"numeric(5)", "d:5,0", false},
        {"NUMERIC", "u", false},
        {"decimal(50,2)", "u", false},
        {"decimal(2,5)", "u", false},
        {"", "u", false},
        {"JSON", "u", false},
        {"charint", "l", true},
    };
    for (size_t i = 0; i < N_OF(types); i++) {
        struct wr_sqlite_type type;
        char *expression = NULL;
        assert_int_equal(wr_sqlite_type("c", types[i].declared, false, &type, &expression, NULL),
                         WEIR_OK);
        if (strcmp(type.format, types[i].format) != 0) print_error("%s\n", types[i].declared);
        assert_string_equal(type.format, types[i].format);
        assert_int_equal(expression == NULL, types[i].plain);
        wr_free(expression);
    }
}

static void a_text_of_a_sqlite_table_with_collations_is_compared_by_bytes(void **state) {
    (void)state;
    struct wr_sqlite_type type;
    char *expression = NULL;
    assert_int_equal(wr_sqlite_type("a\"b", "TEXT", true, &type, &expression, NULL), WEIR_OK);
    assert_string_equal(expression, "\"a\"\"b\" COLLATE BINARY");
    wr_free(expression);
}

/* ---- Checks of batches ---- */

static void struct_of(struct ArrowSchema *schema, const char *format) {
    ArrowSchemaInit(schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(schema, 1), 0);
    assert_int_equal(ArrowSchemaSetName(schema->children[0], "c"), 0);
    assert_int_equal(ArrowSchemaSetFormat(schema->children[0], format), 0);
}

/* A batch of the texts, or of the numbers; NULL and INT64_MIN are NULL. */
static void batch_of(const struct ArrowSchema *schema, const char *const *texts,
                     const int64_t *numbers, size_t n, struct ArrowArray *batch) {
    assert_int_equal(ArrowArrayInitFromSchema(batch, schema, NULL), 0);
    assert_int_equal(ArrowArrayStartAppending(batch), 0);
    for (size_t i = 0; i < n; i++) {
        struct ArrowArray *column = batch->children[0];
        bool null = texts ? !texts[i] : numbers[i] == INT64_MIN;
        if (null)
            assert_int_equal(ArrowArrayAppendNull(column, 1), 0);
        else if (texts)
            assert_int_equal(ArrowArrayAppendString(column, ArrowCharView(texts[i])), 0);
        else
            assert_int_equal(ArrowArrayAppendInt(column, numbers[i]), 0);
        assert_int_equal(ArrowArrayFinishElement(batch), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(batch, NULL), 0);
}

static int check_values(const struct wr_adbc_backend *backend, const char *wanted,
                        const char *given, const char *const *texts, const int64_t *numbers,
                        size_t n, struct weir_error *error) {
    struct ArrowSchema schema, own;
    struct ArrowArray batch;
    struct_of(&schema, wanted);
    struct_of(&own, given);
    batch_of(&own, texts, numbers, n, &batch);
    int code = backend->ranges ? wr_adbc_check_ranges(backend->ranges, &own, &batch, error)
                               : backend->check(&schema, &own, &batch, error);
    batch.release(&batch);
    ArrowSchemaRelease(&schema);
    ArrowSchemaRelease(&own);
    return code;
}

static int check_numbers(const struct wr_adbc_backend *backend, const char *format, int64_t number,
                         struct weir_error *error) {
    const int64_t numbers[] = {0, INT64_MIN, number};
    return check_values(backend, format, format, NULL, numbers, 3, error);
}

static void infinite_dates_and_times_are_errors(void **state) {
    (void)state;
    struct weir_error error = {0};
    const struct wr_adbc_backend *pg = &wr_adbc_postgresql, *duck = &wr_adbc_duckdb;
    /* What the drivers give for infinity and -infinity, beside the last and the first. */
    assert_int_equal(check_numbers(pg, "tdD", -2147472692, &error), WEIR_INVALID_DATA);
    assert_string_equal(error.sqlstate, "22008");
    assert_non_null(strstr(error.message, "column \"c\" holds an infinite date"));
    assert_int_equal(check_numbers(pg, "tdD", -2147472691, &error), WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(pg, "tdD", -2440588, &error), WEIR_OK);
    assert_int_equal(check_numbers(pg, "tdD", 2145042905, &error), WEIR_OK);
    assert_int_equal(check_numbers(pg, "tsu:", INT64_C(-9222425352054775809), &error),
                     WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(pg, "tsu:UTC", INT64_C(-9222425352054775808), &error),
                     WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(pg, "tsu:", INT64_C(-210866803200000000), &error), WEIR_OK);
    assert_int_equal(check_numbers(pg, "ttu", INT64_C(86400000000), &error), WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(pg, "ttu", INT64_C(86399999999), &error), WEIR_OK);
    assert_int_equal(check_numbers(duck, "tdD", INT32_MAX, &error), WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(duck, "tdD", -INT32_MAX, &error), WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(duck, "tdD", INT32_MAX - 1, &error), WEIR_OK);
    assert_int_equal(check_numbers(duck, "tsu:", INT64_MAX, &error), WEIR_INVALID_DATA);
    assert_int_equal(check_numbers(duck, "tsn:", -INT64_MAX, &error), WEIR_INVALID_DATA);
}

static int check_text(const char *wanted, const char *text, struct weir_error *error) {
    const char *const texts[] = {NULL, text, NULL};
    return check_values(&wr_adbc_sqlite, wanted, "u", texts, NULL, 3, error);
}

static void values_of_sqlite_that_are_not_of_their_type_are_errors(void **state) {
    (void)state;
    struct weir_error error = {0};
    const int64_t numbers[] = {0, 1, INT64_MIN}, more[] = {0, 2};
    assert_int_equal(check_text("tdD", "2024-02-29", &error), WEIR_OK);
    assert_int_equal(check_text("tdD", "2024-2-29", &error), WEIR_INVALID_DATA);
    assert_non_null(strstr(error.message, "column \"c\" holds \"2024-2-29\", which is no date"));
    assert_int_equal(check_text("tdD", "2024-02-29 00:00:00", &error), WEIR_INVALID_DATA);
    assert_int_equal(check_text("tsu:", "2024-02-29 01:02:03.000000", &error), WEIR_OK);
    assert_int_equal(check_text("tsu:", "2024-02-29 01:02:03", &error), WEIR_INVALID_DATA);
    assert_int_equal(check_text("u", "\xC3\xA9t\xC3\xA9", &error), WEIR_OK);
    assert_int_equal(check_text("l", "abc", &error), WEIR_INVALID_DATA);
    assert_int_equal(check_text("d:10,2", "abc", &error), WEIR_INVALID_DATA);
    assert_int_equal(check_values(&wr_adbc_sqlite, "b", "l", NULL, numbers, 3, &error), WEIR_OK);
    assert_int_equal(check_values(&wr_adbc_sqlite, "b", "l", NULL, more, 2, &error),
                     WEIR_INVALID_DATA);
    assert_int_equal(check_values(&wr_adbc_sqlite, "u", "l", NULL, more, 2, &error),
                     WEIR_INVALID_DATA);
}

/* ---- Partitions ---- */

static void blocks_are_divided_without_gap_or_overlap(void **state) {
    (void)state;
    struct wr_adbc_partitions partitions = {0};
    assert_int_equal(wr_adbc_partition_blocks(10, 3, &partitions, NULL), WEIR_OK);
    assert_int_equal(partitions.n_items, 3);
    assert_string_equal(partitions.items[0], "(ctid < '(3,0)'::tid)");
    assert_string_equal(partitions.items[1], "(ctid >= '(3,0)'::tid AND ctid < '(6,0)'::tid)");
    assert_string_equal(partitions.items[2], "(ctid >= '(6,0)'::tid)");
    wr_adbc_partitions_reset(&partitions);
}

static void a_column_is_divided_with_nulls_in_the_first_part(void **state) {
    (void)state;
    struct wr_adbc_partitions partitions = {0};
    assert_int_equal(wr_adbc_partition_column("\"n\"", "-9223372036854775808",
                                              "9223372036854775807", 2, &partitions, NULL),
                     WEIR_OK);
    assert_string_equal(partitions.items[0], "(\"n\" < -1 OR \"n\" IS NULL)");
    assert_string_equal(partitions.items[1], "(\"n\" >= -1)");
    wr_adbc_partitions_reset(&partitions);
}

static void bounds_are_numbers_dates_or_timestamps(void **state) {
    (void)state;
    struct wr_adbc_partitions partitions = {0};
    struct weir_error error = {0};
    assert_int_equal(
        wr_adbc_partition_column("d", "1968-02-28", "1968-03-01", 2, &partitions, NULL), WEIR_OK);
    assert_string_equal(partitions.items[0], "(d < '1968-02-29' OR d IS NULL)");
    wr_adbc_partitions_reset(&partitions);
    assert_int_equal(wr_adbc_partition_column("d", "1969-12-31 23:00:00", "1970-01-01T01:00:00", 4,
                                              &partitions, NULL),
                     WEIR_OK);
    assert_string_equal(partitions.items[1],
                        "(d >= '1969-12-31 23:30:00' AND d < '1970-01-01 00:00:00')");
    wr_adbc_partitions_reset(&partitions);
    static const char *const bad[][2] = {{"1", "2024-01-01"}, {"2", "2"},   {"2", "1"},
                                         {"'; --", "9"},      {"1.5", "2"}, {"1", ""}};
    for (size_t i = 0; i < N_OF(bad); i++) {
        assert_int_equal(
            wr_adbc_partition_column("d", bad[i][0], bad[i][1], 2, &partitions, &error),
            WEIR_INVALID_ARGUMENT);
    }
}

/* ---- Names ---- */

static void names_are_quoted_for_their_database(void **state) {
    (void)state;
    struct wr_buffer text;
    const struct wr_adbc_name name = {NULL, "My \"schema\"", "select`; --"};
    wr_buffer_init(&text, 1000);
    wr_adbc_full_name(&text, &name, '"');
    assert_string_equal(text.data, "\"My \"\"schema\"\"\".\"select`; --\"");
    wr_buffer_clear(&text);
    wr_adbc_full_name(&text, &name, '`');
    assert_string_equal(text.data, "`My \"schema\"`.`select``; --`");
    wr_buffer_reset(&text);
}

static void the_nearest_name_is_one_that_differs_in_case(void **state) {
    (void)state;
    struct wr_adbc_items items = {0};
    assert_int_equal(wr_adbc_items_add(&items, "order", WR_ADBC_TABLE, NULL), WEIR_OK);
    assert_int_equal(wr_adbc_items_add(&items, "Orders", WR_ADBC_TABLE, NULL), WEIR_OK);
    assert_string_equal(wr_adbc_items_nearest(&items, "orders"), "Orders");
    assert_string_equal(wr_adbc_items_nearest(&items, "ordor"), "order");
    assert_null(wr_adbc_items_nearest(&items, "customers"));
    assert_null(wr_adbc_items_find(&items, "orders"));
    wr_adbc_items_reset(&items);
}

static void a_relation_has_the_columns_that_were_added(void **state) {
    (void)state;
    struct wr_adbc_relation relation = {0};
    assert_int_equal(wr_adbc_relation_add(&relation, "a", "l", false, "int8", NULL, NULL), WEIR_OK);
    assert_int_equal(wr_adbc_relation_add(&relation, "b", "+l:tdD", true, "_date", NULL, NULL),
                     WEIR_OK);
    assert_int_equal(wr_adbc_relation_finish(&relation, NULL), WEIR_OK);
    assert_string_equal(relation.schema.children[0]->format, "l");
    assert_int_equal(relation.schema.children[0]->flags & ARROW_FLAG_NULLABLE, 0);
    assert_string_equal(relation.schema.children[1]->format, "+l");
    assert_string_equal(relation.schema.children[1]->children[0]->format, "tdD");
    assert_true(relation.schema.children[1]->flags & ARROW_FLAG_NULLABLE);
    wr_adbc_relation_reset(&relation);
}

static int torture(struct weir_error *error) {
    struct wr_adbc_relation relation = {0};
    struct wr_adbc_partitions partitions = {0};
    int code = wr_adbc_relation_add(&relation, "a", "l", false, "int8",
                                    wr_adbc_expression("", "a", '"', "::text"), error);
    if (code == WEIR_OK) code = wr_adbc_partition_blocks(100, 3, &partitions, error);
    wr_adbc_partitions_reset(&partitions);
    wr_adbc_relation_reset(&relation);
    return code;
}

static void every_failed_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    for (int64_t n = 2;; n++) {
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = torture(&error);
        bool reached = wr_alloc_fail_at(0) >= n;
        if (!reached) break;
        assert_int_equal(code, WEIR_INTERNAL);
        assert_string_equal(error.sqlstate, "53200");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgresql_types_have_their_arrow_types),
        cmocka_unit_test(a_text_with_a_collation_of_its_own_is_compared_by_bytes),
        cmocka_unit_test(an_array_of_several_dimensions_fails_in_its_expression),
        cmocka_unit_test(columns_of_a_new_table_get_postgresqls_types),
        cmocka_unit_test(sqlite_types_are_told_by_their_declarations),
        cmocka_unit_test(a_text_of_a_sqlite_table_with_collations_is_compared_by_bytes),
        cmocka_unit_test(infinite_dates_and_times_are_errors),
        cmocka_unit_test(values_of_sqlite_that_are_not_of_their_type_are_errors),
        cmocka_unit_test(blocks_are_divided_without_gap_or_overlap),
        cmocka_unit_test(a_column_is_divided_with_nulls_in_the_first_part),
        cmocka_unit_test(bounds_are_numbers_dates_or_timestamps),
        cmocka_unit_test(names_are_quoted_for_their_database),
        cmocka_unit_test(the_nearest_name_is_one_that_differs_in_case),
        cmocka_unit_test(a_relation_has_the_columns_that_were_added),
        cmocka_unit_test(every_failed_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests_name("adbc_kinds", tests, NULL, NULL);
}
