/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that src/test_context.rs of the crate registers before a file runs, as far as SQL and
 * streams can make them. */
#include <stdlib.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "slt.h"

/* Test data that cannot be built leaves nothing to test. */
static void must(int code) {
    if (code != NANOARROW_OK) abort();
}

struct table {
    struct ArrowSchema schema;
    struct ArrowArray array;
};

/* A struct with room for `n` fields, to be set with `field` and then begun. */
static void table_init(struct table *table, int64_t n) {
    ArrowSchemaInit(&table->schema);
    must(ArrowSchemaSetTypeStruct(&table->schema, n));
}

static struct ArrowSchema *field(struct table *table, int i, const char *name, enum ArrowType type,
                                 bool nullable) {
    struct ArrowSchema *schema = table->schema.children[i];
    must(type == NANOARROW_TYPE_TIMESTAMP
             ? ArrowSchemaSetTypeDateTime(schema, type, NANOARROW_TIME_UNIT_NANO, NULL)
             : ArrowSchemaSetType(schema, type));
    must(ArrowSchemaSetName(schema, name));
    schema->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    return schema;
}

static void set_metadata(struct ArrowSchema *schema, const char *value) {
    struct ArrowBuffer buffer;
    must(ArrowMetadataBuilderInit(&buffer, NULL));
    must(ArrowMetadataBuilderAppend(&buffer, ArrowCharView("metadata_key"), ArrowCharView(value)));
    must(ArrowSchemaSetMetadata(schema, (const char *)buffer.data));
    ArrowBufferReset(&buffer);
}

static struct ArrowArray *begin(struct table *table) {
    must(ArrowArrayInitFromSchema(&table->array, &table->schema, NULL));
    must(ArrowArrayStartAppending(&table->array));
    return &table->array;
}

static void append_text(struct ArrowArray *column, const char *text) {
    must(text == NULL ? ArrowArrayAppendNull(column, 1)
                      : ArrowArrayAppendString(column, ArrowCharView(text)));
}

static bool register_table(struct weir_session *session, const char *name, struct table *table,
                           char **ret_message) {
    struct weir_error error = {0};
    struct ArrowArrayStream stream;
    must(ArrowArrayFinishBuildingDefault(&table->array, NULL));
    must(ArrowBasicArrayStreamInit(&stream, &table->schema, 1));
    ArrowBasicArrayStreamSetArray(&stream, 0, &table->array);
    if (weir_register_stream(session, name, &stream, WEIR_REGISTER_ROWS, &error) == WEIR_OK)
        return true;
    stream.release(&stream);
    *ret_message = xprintf("registering %s: %s", name, error.message);
    return false;
}

static bool run_all(struct weir_session *session, const char *const *statements,
                    char **ret_message) {
    for (; *statements != NULL; statements++) {
        struct slt_result result;
        slt_run(session, *statements, false, &result);
        if (result.error != NULL) {
            *ret_message = xprintf("%s: %s", *statements, result.error);
            return false;
        }
    }
    return true;
}

static bool prepare_cte(struct weir_session *session, char **ret_message) {
    static const char *const statements[] = {
        "CREATE SCHEMA strict_schema",
        "CREATE TABLE strict_schema.orders (order_id INT NOT NULL) AS VALUES (1), (2)", NULL};
    return run_all(session, statements, ret_message);
}

static bool prepare_many_types(struct weir_session *session, char **ret_message) {
    static const char *const before[] = {
        "CREATE DATABASE my_catalog", "CREATE SCHEMA my_catalog.my_schema",
        "SET datafusion.catalog.default_catalog = 'my_catalog'",
        "SET datafusion.catalog.default_schema = 'my_schema'", NULL};
    static const char *const after[] = {"SET datafusion.catalog.default_catalog = 'datafusion'",
                                        "SET datafusion.catalog.default_schema = 'public'", NULL};
    struct table table;
    table_init(&table, 7);
    field(&table, 0, "int32_col", NANOARROW_TYPE_INT32, false);
    field(&table, 1, "float64_col", NANOARROW_TYPE_DOUBLE, true);
    field(&table, 2, "utf8_col", NANOARROW_TYPE_STRING, true);
    field(&table, 3, "large_utf8_col", NANOARROW_TYPE_LARGE_STRING, false);
    field(&table, 4, "binary_col", NANOARROW_TYPE_BINARY, false);
    field(&table, 5, "large_binary_col", NANOARROW_TYPE_LARGE_BINARY, false);
    field(&table, 6, "timestamp_nanos", NANOARROW_TYPE_TIMESTAMP, false);
    struct ArrowArray *row = begin(&table);
    struct ArrowBufferView bytes = {.data.as_char = "foo", .size_bytes = 3};
    must(ArrowArrayAppendInt(row->children[0], 1));
    must(ArrowArrayAppendDouble(row->children[1], 1.0));
    append_text(row->children[2], "foo");
    append_text(row->children[3], "bar");
    must(ArrowArrayAppendBytes(row->children[4], bytes));
    must(ArrowArrayAppendBytes(row->children[5], bytes));
    must(ArrowArrayAppendInt(row->children[6], 123));
    must(ArrowArrayFinishElement(row));
    return run_all(session, before, ret_message) &&
           register_table(session, "table_with_many_types", &table, ret_message) &&
           run_all(session, after, ret_message);
}

static bool prepare_joins(struct weir_session *session, char **ret_message) {
    static const char *const statements[] = {
        "CREATE EXTERNAL TABLE test_partition_table (c1 INT UNSIGNED NOT NULL, c2 BIGINT UNSIGNED "
        "NOT NULL, "
        "c3 BOOLEAN NOT NULL) STORED AS CSV LOCATION 'test_files/scratch/joins/partition/' "
        "OPTIONS ('format.has_header' 'true')", /* so the crate takes its first row for one */
        NULL};
    if (system("mkdir -p test_files/scratch/joins/partition") != 0) abort();
    FILE *file = fopen("test_files/scratch/joins/partition/partition-0.csv", "w");
    if (file == NULL) abort();
    for (int i = 0; i <= 10; i++)
        fprintf(file, "0,%d,%s\n", i, i % 2 == 0 ? "true" : "false");
    fclose(file);
    return run_all(session, statements, ret_message) && prepare_many_types(session, ret_message);
}

static bool prepare_map(struct weir_session *session, char **ret_message) {
    struct table table;
    table_init(&table, 2);
    field(&table, 0, "int_field", NANOARROW_TYPE_INT64, true);
    struct ArrowSchema *map = field(&table, 1, "map_field", NANOARROW_TYPE_MAP, true);
    must(ArrowSchemaSetType(map->children[0]->children[0], NANOARROW_TYPE_INT64));
    must(ArrowSchemaSetType(map->children[0]->children[1], NANOARROW_TYPE_INT64));
    map->children[0]->children[0]->flags = 0;
    begin(&table);
    return register_table(session, "table_with_map", &table, ret_message);
}

static bool prepare_metadata(struct weir_session *session, char **ret_message) {
    static const char *const names[] = {NULL, "bar", "baz"};
    static const char *const l_names[] = {NULL, "l_bar", "l_baz"};
    static const char *const nonnull_names[] = {"no_foo", "no_bar", "no_baz"};
    struct table table, larger, smaller;
    table_init(&table, 5);
    set_metadata(field(&table, 0, "id", NANOARROW_TYPE_INT32, true), "the id field");
    set_metadata(field(&table, 1, "name", NANOARROW_TYPE_STRING, true), "the name field");
    set_metadata(field(&table, 2, "l_name", NANOARROW_TYPE_STRING, true), "the l_name field");
    set_metadata(field(&table, 3, "ts", NANOARROW_TYPE_TIMESTAMP, false), "ts non-nullable field");
    set_metadata(field(&table, 4, "nonnull_name", NANOARROW_TYPE_STRING, false),
                 "the nonnull_name field");
    set_metadata(&table.schema, "the entire schema");
    struct ArrowArray *row = begin(&table);
    for (int i = 0; i < 3; i++) {
        must(i == 1 ? ArrowArrayAppendNull(row->children[0], 1)
                    : ArrowArrayAppendInt(row->children[0], i + 1));
        append_text(row->children[1], names[i]);
        append_text(row->children[2], l_names[i]);
        must(ArrowArrayAppendInt(row->children[3], 1599572549190855123));
        append_text(row->children[4], nonnull_names[i]);
        must(ArrowArrayFinishElement(row));
    }
    table_init(&larger, 1);
    field(&larger, 0, "a", NANOARROW_TYPE_INT32, false);
    set_metadata(&larger.schema, "left");
    row = begin(&larger);
    for (int i = 1; i <= 10; i++) {
        must(ArrowArrayAppendInt(row->children[0], i));
        must(ArrowArrayFinishElement(row));
    }
    table_init(&smaller, 1);
    field(&smaller, 0, "b", NANOARROW_TYPE_INT32, false);
    set_metadata(&smaller.schema, "right");
    row = begin(&smaller);
    must(ArrowArrayAppendInt(row->children[0], 1));
    must(ArrowArrayFinishElement(row));
    return register_table(session, "table_with_metadata", &table, ret_message) &&
           register_table(session, "larger_table", &larger, ret_message) &&
           register_table(session, "smaller_table", &smaller, ret_message);
}

/* A union of a number and a text. A format such as "+us:3,1" gives the type ids. */
static void set_union(struct ArrowSchema *schema, const char *name, enum ArrowType type,
                      const char *format, const char *number, const char *text, bool nullable) {
    must(ArrowSchemaSetTypeUnion(schema, type, 2));
    must(ArrowSchemaSetFormat(schema, format));
    must(ArrowSchemaSetName(schema, name));
    schema->flags = 0;
    must(ArrowSchemaSetType(schema->children[0], NANOARROW_TYPE_INT32));
    must(ArrowSchemaSetType(schema->children[1], NANOARROW_TYPE_STRING));
    must(ArrowSchemaSetName(schema->children[0], number));
    must(ArrowSchemaSetName(schema->children[1], text));
    schema->children[0]->flags = schema->children[1]->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
}

static bool prepare_union(struct weir_session *session, char **ret_message) {
    static const int8_t types[] = {3, 1, 3, 3, 1, 3};
    static const int numbers[] = {1, 2, 3, 1, 5, 3};
    static const char *const texts[] = {"foo", "bar", "baz", "qux", "bar", "quux"};
    struct table table;
    table_init(&table, 1);
    set_union(table.schema.children[0], "union_column", NANOARROW_TYPE_SPARSE_UNION, "+us:3,1",
              "int", "string", false);
    struct ArrowArray *column = begin(&table)->children[0];
    for (int i = 0; i < 6; i++) {
        must(ArrowArrayAppendInt(column->children[0], numbers[i]));
        append_text(column->children[1], texts[i]);
        must(ArrowBufferAppendInt8(ArrowArrayBuffer(column, 0), types[i]));
        column->length++;
        must(ArrowArrayFinishElement(&table.array));
    }
    return register_table(session, "union_table", &table, ret_message);
}

static bool prepare_aggregate(struct weir_session *session, char **ret_message) {
    static const int groups[] = {1, 1, 1, 2, 2, 3, 3, 4};
    static const int8_t types[] = {0, 0, 1, 1, 0, 0, 1, 0};
    static const int32_t offsets[] = {0, 1, 0, 1, 2, 3, 2, 4};
    static const int numbers[] = {1, 1, 0, 0, 5};
    static const char *const texts[] = {"x", "y", NULL};
    struct table table;
    table_init(&table, 2);
    field(&table, 0, "g", NANOARROW_TYPE_INT32, false);
    set_union(table.schema.children[1], "u", NANOARROW_TYPE_DENSE_UNION, "+ud:0,1", "i", "s", true);
    struct ArrowArray *row = begin(&table);
    struct ArrowArray *column = row->children[1];
    for (int i = 0; i < 5; i++) {
        must(numbers[i] == 0 ? ArrowArrayAppendNull(column->children[0], 1)
                             : ArrowArrayAppendInt(column->children[0], numbers[i]));
    }
    for (int i = 0; i < 3; i++)
        append_text(column->children[1], texts[i]);
    for (int i = 0; i < 8; i++) {
        must(ArrowArrayAppendInt(row->children[0], groups[i]));
        must(ArrowBufferAppendInt8(ArrowArrayBuffer(column, 0), types[i]));
        must(ArrowBufferAppendInt32(ArrowArrayBuffer(column, 1), offsets[i]));
        column->length++;
        must(ArrowArrayFinishElement(row));
    }
    return register_table(session, "approx_distinct_union_test", &table, ret_message);
}

static void set_person(struct ArrowSchema *schema, const char *name) {
    must(ArrowSchemaSetTypeStruct(schema, 2));
    if (name != NULL) must(ArrowSchemaSetName(schema, name));
    must(ArrowSchemaSetType(schema->children[0], NANOARROW_TYPE_STRING));
    must(ArrowSchemaSetType(schema->children[1], NANOARROW_TYPE_INT32));
    must(ArrowSchemaSetName(schema->children[0], "name"));
    must(ArrowSchemaSetName(schema->children[1], "id"));
    schema->flags = schema->children[0]->flags = schema->children[1]->flags = 0;
}

static void set_dictionary(struct ArrowSchema *schema, const char *name, bool nullable) {
    must(ArrowSchemaSetType(schema, NANOARROW_TYPE_UINT32));
    must(ArrowSchemaSetName(schema, name));
    schema->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    must(ArrowSchemaAllocateDictionary(schema));
    ArrowSchemaInit(schema->dictionary);
    set_person(schema->dictionary, NULL);
}

static void append_person(struct ArrowArray *array, const char *name, int id) {
    append_text(array->children[0], name);
    must(ArrowArrayAppendInt(array->children[1], id));
    must(ArrowArrayFinishElement(array));
}

static bool prepare_dictionary(struct weir_session *session, char **ret_message) {
    static const char *const names[] = {"Alice", "Bob", "Carol", "Alice", "Bob"};
    struct table table, nullable;
    table_init(&table, 2);
    set_dictionary(table.schema.children[0], "dict_struct", false);
    set_person(table.schema.children[1], "plain_struct");
    struct ArrowArray *row = begin(&table);
    for (int i = 0; i < 3; i++)
        append_person(row->children[0]->dictionary, names[i], i + 1);
    for (int i = 0; i < 5; i++) {
        must(ArrowArrayAppendInt(row->children[0], i % 3));
        append_person(row->children[1], names[i], i % 3 + 1);
        must(ArrowArrayFinishElement(row));
    }
    table_init(&nullable, 1);
    set_dictionary(nullable.schema.children[0], "ds", true);
    row = begin(&nullable);
    append_person(row->children[0]->dictionary, "X", 10);
    append_person(row->children[0]->dictionary, "Y", 20);
    for (int i = 0; i < 4; i++) {
        must(i % 2 == 1 ? ArrowArrayAppendNull(row->children[0], 1)
                        : ArrowArrayAppendInt(row->children[0], i / 2));
        must(ArrowArrayFinishElement(row));
    }
    return register_table(session, "dict_struct_table", &table, ret_message) &&
           register_table(session, "dict_struct_nullable", &nullable, ret_message);
}

bool slt_prepare(struct weir_session *session, const char *file, char **ret_message) {
    static const struct {
        const char *file;
        bool (*prepare)(struct weir_session *, char **);
    } contexts[] = {
        {"cte.slt", prepare_cte},
        {"information_schema_columns.slt", prepare_many_types},
        {"joins.slt", prepare_joins},
        {"map.slt", prepare_map},
        {"metadata.slt", prepare_metadata},
        {"arrow_field.slt", prepare_metadata},
        {"union_function.slt", prepare_union},
        {"aggregate.slt", prepare_aggregate},
        {"dictionary_struct.slt", prepare_dictionary},
    };
    const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        if (strcmp(name, contexts[i].file) == 0) return contexts[i].prepare(session, ret_message);
    }
    return true;
}
