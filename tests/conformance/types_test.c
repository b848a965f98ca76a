/* SPDX-License-Identifier: Apache-2.0 */
/* Every Arrow type through every kind that can hold it: same type, same values, same NULLs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "conformance.h"

struct type {
    const char *name;
    const char *format;  /* of the Arrow C data interface */
    const char *text[2]; /* how the two values are shown */
    void (*append)(struct ArrowArray *array, int value);
    const char *children[3]; /* "name:format" */
    const char *dictionary;  /* format of its values */
    int64_t numbers[2];
    const char *strings[2];
};

static const struct type *current;

static void must(int code) {
    if (code != NANOARROW_OK) abort();
}

static void append_number(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendInt(array, current->numbers[value]));
}

static void append_unsigned(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendUInt(array, (uint64_t)current->numbers[value]));
}

static void append_real(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendDouble(array, (double)current->numbers[value] / 2));
}

static void append_string(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendString(array, ArrowCharView(current->strings[value])));
}

static void append_bytes(struct ArrowArray *array, int value) {
    struct ArrowBufferView bytes = {.data.as_char = current->strings[value],
                                    .size_bytes = (int64_t)strlen(current->strings[value])};
    must(ArrowArrayAppendBytes(array, bytes));
}

static void append_decimal(struct ArrowArray *array, int value) {
    static const int widths[] = {32, 64, 128, 256};
    struct ArrowDecimal decimal;
    const char *width = strrchr(current->name, 'l') + 1;
    int bits = atoi(width);
    bool known = false;
    for (int i = 0; i < 4; i++)
        known = known || bits == widths[i];
    assert_true(known);
    ArrowDecimalInit(&decimal, bits, 9, 2);
    must(ArrowDecimalSetDigits(&decimal, ArrowCharView(current->strings[value])));
    must(ArrowArrayAppendDecimal(array, &decimal));
}

static void append_interval(struct ArrowArray *array, int value) {
    struct ArrowInterval interval;
    enum ArrowType type = current->format[2] == 'M'   ? NANOARROW_TYPE_INTERVAL_MONTHS
                          : current->format[2] == 'D' ? NANOARROW_TYPE_INTERVAL_DAY_TIME
                                                      : NANOARROW_TYPE_INTERVAL_MONTH_DAY_NANO;
    ArrowIntervalInit(&interval, type);
    interval.months = value == 0 ? 14 : type == NANOARROW_TYPE_INTERVAL_MONTHS ? 25 : -1;
    interval.days = value == 0 ? 3 : 0;
    interval.ms = value == 0 ? 4005 : 0;
    interval.ns = value == 0 ? 6000000007 : 0;
    must(ArrowArrayAppendInterval(array, &interval));
}

/* [1, NULL, 3] and []; of a fixed size two elements. */
static void append_list(struct ArrowArray *array, int value) {
    bool fixed = current->format[1] == 'w';
    if (value == 0 || fixed) {
        must(ArrowArrayAppendInt(array->children[0], 1 + value));
        must(ArrowArrayAppendNull(array->children[0], 1));
        if (!fixed) must(ArrowArrayAppendInt(array->children[0], 3));
    }
    must(ArrowArrayFinishElement(array));
}

static void append_struct(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendInt(array->children[0], value));
    must(value == 0 ? ArrowArrayAppendString(array->children[1], ArrowCharView("x"))
                    : ArrowArrayAppendNull(array->children[1], 1));
    must(ArrowArrayFinishElement(array));
}

static void append_map(struct ArrowArray *array, int value) {
    struct ArrowArray *entries = array->children[0];
    for (int i = 0; i <= 1 - value; i++) {
        must(ArrowArrayAppendString(entries->children[0], ArrowCharView(i == 0 ? "k" : "l")));
        must(i == 0 ? ArrowArrayAppendInt(entries->children[1], 7)
                    : ArrowArrayAppendNull(entries->children[1], 1));
        must(ArrowArrayFinishElement(entries));
    }
    must(ArrowArrayFinishElement(array));
}

static void append_list_of_structs(struct ArrowArray *array, int value) {
    for (int i = 0; i <= value; i++)
        append_struct(array->children[0], i);
    must(ArrowArrayFinishElement(array));
}

/* The dictionary is filled before: see fill_dictionary. */
static void append_key(struct ArrowArray *array, int value) {
    must(ArrowArrayAppendInt(array, value));
}

static void append_union(struct ArrowArray *array, int value) {
    if (value == 0)
        must(ArrowArrayAppendInt(array->children[0], 5));
    else
        must(ArrowArrayAppendString(array->children[1], ArrowCharView("five")));
    must(ArrowArrayFinishUnionElement(array, (int8_t)value));
}

#define N(a, b) .append = append_number, .numbers = {a, b}
#define U(a, b) .append = append_unsigned, .numbers = {a, b}
#define R(a, b) .append = append_real, .numbers = {a, b}
#define S(a, b) .append = append_string, .strings = {a, b}
#define B(a, b) .append = append_bytes, .strings = {a, b}
#define D(a, b) .append = append_decimal, .strings = {a, b}

static const struct type types[] = {
    {"bool", "b", {"true", "false"}, N(1, 0)},
    {"int8", "c", {"-128", "127"}, N(-128, 127)},
    {"int16", "s", {"-32768", "32767"}, N(-32768, 32767)},
    {"int32", "i", {"-2147483648", "2147483647"}, N(INT32_MIN, INT32_MAX)},
    {"int64", "l", {"-9223372036854775808", "9223372036854775807"}, N(INT64_MIN, INT64_MAX)},
    {"uint8", "C", {"0", "255"}, U(0, 255)},
    {"uint16", "S", {"0", "65535"}, U(0, 65535)},
    {"uint32", "I", {"0", "4294967295"}, U(0, UINT32_MAX)},
    {"uint64", "L", {"0", "18446744073709551615"}, U(0, -1)},
    {"half", "e", {"1.5", "-2.5"}, R(3, -5)},
    {"float", "f", {"1.5", "-2.0"}, R(3, -4)},
    {"double", "g", {"1.5", "-2.0"}, R(3, -4)},
    {"utf8",
     "u",
     {"text", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
     S("text", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
    {"large_utf8", "U", {"text", ""}, S("text", "")},
    {"utf8_view",
     "vu",
     {"a text that is longer than twelve bytes", "short"},
     S("a text that is longer than twelve bytes", "short")},
    {"binary", "z", {"6162", "ff"}, B("ab", "\xff")},
    {"large_binary", "Z", {"6162", ""}, B("ab", "")},
    {"binary_view", "vz", {"6162636465666768696a6b6c6d6e", "61"}, B("abcdefghijklmn", "a")},
    {"fixed_binary", "w:3", {"616263", "78797a"}, B("abc", "xyz")},
    {"date32", "tdD", {"2024-02-29", "1969-12-31"}, N(19782, -1)},
    {"date64", "tdm", {"2024-02-29T00:00:00", "1969-12-31T00:00:00"}, N(1709164800000, -86400000)},
    {"time32_s", "tts", {"23:59:59", "00:00:00"}, N(86399, 0)},
    {"time32_ms", "ttm", {"00:00:01.500", "00:00:00"}, N(1500, 0)},
    {"time64_us", "ttu", {"00:00:00.000001", "12:00:00"}, N(1, 43200000000)},
    {"time64_ns", "ttn", {"00:00:00.000000001", "12:00:00"}, N(1, 43200000000000)},
    {"timestamp_s", "tss:", {"2024-02-29T12:00:00", "1970-01-01T00:00:00"}, N(1709208000, 0)},
    {"timestamp_ms",
     "tsm:",
     {"2024-02-29T12:00:00.001", "1970-01-01T00:00:00"},
     N(1709208000001, 0)},
    {"timestamp_us",
     "tsu:",
     {"2024-02-29T12:00:00.000001", "1969-12-31T23:59:59.999999"},
     N(1709208000000001, -1)},
    {"timestamp_ns",
     "tsn:",
     {"2024-02-29T12:00:00.000000001", "1970-01-01T00:00:00"},
     N(1709208000000000001, 0)},
    {"timestamp_utc",
     "tsu:UTC",
     {"2024-02-29T12:00:00Z", "1970-01-01T00:00:00Z"},
     N(1709208000000000, 0)},
    {"timestamp_zone",
     "tsu:Europe/Berlin",
     {"2024-02-29T13:00:00+01:00", "2024-07-01T14:00:00+02:00"},
     N(1709208000000000, 1719835200000000)},
    {"timestamp_offset",
     "tsm:+05:30",
     {"2024-02-29T17:30:00+05:30", "1970-01-01T05:30:00+05:30"},
     N(1709208000000, 0)},
    {"duration_s",
     "tDs",
     {"0 days 1 hours 1 mins 1 secs", "0 days 0 hours 0 mins -1 secs"},
     N(3661, -1)},
    {"duration_ns",
     "tDn",
     {"0 days 0 hours 0 mins 0.000000001 secs", "0 days 0 hours 0 mins 1.000000000 secs"},
     N(1, 1000000000)},
    {"year_month", "tiM", {"1 years 2 mons", "2 years 1 mons"}, .append = append_interval},
    {"day_time", "tiD", {"3 days 4.005 secs", "0 secs"}, .append = append_interval},
    {"month_day_nano",
     "tin",
     {"14 mons 3 days 6.000000007 secs", "-1 mons"},
     .append = append_interval},
    {"decimal32", "d:9,2,32", {"12345.67", "-0.01"}, D("1234567", "-1")},
    {"decimal64", "d:9,2,64", {"12345.67", "-0.01"}, D("1234567", "-1")},
    {"decimal128", "d:9,2", {"12345.67", "-0.01"}, D("1234567", "-1")},
    {"decimal256", "d:9,2,256", {"12345.67", "-0.01"}, D("1234567", "-1")},
    {"list", "+l", {"[1, NULL, 3]", "[]"}, .append = append_list, .children = {"item:i"}},
    {"large_list", "+L", {"[1, NULL, 3]", "[]"}, .append = append_list, .children = {"item:l"}},
    {"fixed_list",
     "+w:2",
     {"[1, NULL]", "[2, NULL]"},
     .append = append_list,
     .children = {"item:i"}},
    {"struct",
     "+s",
     {"{a: 0, b: x}", "{a: 1, b: NULL}"},
     .append = append_struct,
     .children = {"a:i", "b:u"}},
    {"list_of_structs",
     "+l",
     {"[{a: 0, b: x}]", "[{a: 0, b: x}, {a: 1, b: NULL}]"},
     .append = append_list_of_structs,
     .children = {"item:+s", "a:i", "b:u"}},
    {"map",
     "+m",
     {"{k: 7, l: NULL}", "{k: 7}"},
     .append = append_map,
     .children = {"entries:+s", "key:u", "value:i"}},
    {"dictionary", "i", {"red", "blue"}, .append = append_key, .dictionary = "u"},
    {"small_dictionary", "C", {"red", "blue"}, .append = append_key, .dictionary = "U"},
    {"union", "+us:0,1", {"{n=5}", "{t=five}"}, .append = append_union, .children = {"n:i", "t:u"}},
    {"dense_union",
     "+ud:0,1",
     {"{n=5}", "{t=five}"},
     .append = append_union,
     .children = {"n:i", "t:u"}},
};

static void set_child(struct ArrowSchema *schema, const char *text) {
    const char *colon = strchr(text, ':');
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
    must(ArrowSchemaSetFormat(schema, colon + 1));
    must(ArrowSchemaSetName(schema, name));
    schema->flags = ARROW_FLAG_NULLABLE;
}

/* An intermediate struct holds the last two children. */
static void set_type(struct ArrowSchema *schema, const struct type *type) {
    int n = 0;
    while (n < 3 && type->children[n] != NULL)
        n++;
    bool deep = n == 3;
    must(ArrowSchemaSetFormat(schema, type->format));
    if (n > 0) must(ArrowSchemaAllocateChildren(schema, deep ? 1 : n));
    for (int i = 0; i < (deep ? 1 : n); i++) {
        ArrowSchemaInit(schema->children[i]);
        set_child(schema->children[i], type->children[i]);
    }
    if (deep) {
        must(ArrowSchemaAllocateChildren(schema->children[0], 2));
        for (int i = 0; i < 2; i++) {
            ArrowSchemaInit(schema->children[0]->children[i]);
            set_child(schema->children[0]->children[i], type->children[i + 1]);
        }
    }
    if (type->append == append_map)
        schema->children[0]->flags = schema->children[0]->children[0]->flags = 0;
    if (type->dictionary != NULL) {
        must(ArrowSchemaAllocateDictionary(schema));
        ArrowSchemaInit(schema->dictionary);
        must(ArrowSchemaSetFormat(schema->dictionary, type->dictionary));
        must(ArrowSchemaSetName(schema->dictionary, ""));
    }
}

static bool is_union(const struct type *type) {
    return type->append == append_union;
}

/* Two columns, id and v; four rows: both values, NULL (a union has none of its own: the first
 * value), the first value. */
static void make_stream(const struct type *type, struct ArrowArrayStream *ret_stream) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowError error = {0};
    current = type;
    ArrowSchemaInit(&schema);
    must(ArrowSchemaSetTypeStruct(&schema, 2));
    must(ArrowSchemaSetType(schema.children[0], NANOARROW_TYPE_INT64));
    must(ArrowSchemaSetName(schema.children[0], "id"));
    set_type(schema.children[1], type);
    must(ArrowSchemaSetName(schema.children[1], "v"));
    schema.children[1]->flags = ARROW_FLAG_NULLABLE;
    if (ArrowArrayInitFromSchema(&array, &schema, &error) != NANOARROW_OK)
        fail_msg("%s: %s", type->name, error.message);
    must(ArrowArrayStartAppending(&array));
    if (type->dictionary != NULL) {
        for (int i = 0; i < 2; i++)
            must(ArrowArrayAppendString(array.children[1]->dictionary,
                                        ArrowCharView(type->text[i])));
    }
    for (int row = 0; row < 4; row++) {
        must(ArrowArrayAppendInt(array.children[0], row));
        if (row == 2 && !is_union(type))
            must(ArrowArrayAppendNull(array.children[1], 1));
        else
            type->append(array.children[1], row == 1);
        must(ArrowArrayFinishElement(&array));
    }
    if (ArrowArrayFinishBuildingDefault(&array, &error) != NANOARROW_OK)
        fail_msg("%s: %s", type->name, error.message);
    must(ArrowBasicArrayStreamInit(ret_stream, &schema, 1));
    ArrowBasicArrayStreamSetArray(ret_stream, 0, &array);
}

static int write_file(void *file, const void *data, size_t length) {
    return fwrite(data, 1, length, file) == length ? 0 : 5;
}

static void make_table(const char *kind, const struct type *type) {
    struct ArrowArrayStream stream;
    struct weir_error error = {0};
    make_stream(type, &stream);
    if (strcmp(kind, "stream") == 0) {
        if (weir_register_stream(session, "t", &stream, WEIR_REGISTER_ROWS, &error) != 0)
            fail_msg("%s: %s", type->name, error.message);
    } else if (strcmp(kind, "memory") == 0) {
        if (weir_register_stream(session, "source", &stream, WEIR_REGISTER_ROWS, &error) != 0)
            fail_msg("%s: %s", type->name, error.message);
        run("CREATE TABLE t USING memory AS SELECT * FROM source");
    } else {
        char path[256];
        snprintf(path, sizeof path, "%s/%s.%s", directory, type->name, kind);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        if (weir_encode(&stream, kind, NULL, 0, write_file, file, &error) != 0)
            fail_msg("%s to %s: %s", type->name, kind, error.message);
        fclose(file);
        run("CREATE TABLE t USING files OPTIONS (path '%s')", path);
    }
}

/* How the type of the column comes back. An Arrow file holds plain values for a dictionary; Parquet
 * is read as views. */
static void check_format(const char *kind, const struct type *type) {
    struct weir_statement *statement;
    struct ArrowSchema schema;
    struct weir_error error = {0};
    if (strcmp(kind, "parquet") == 0) return;
    if (weir_prepare(session, "SELECT v FROM t", &statement, &error) != 0)
        fail_msg("%s", error.message);
    assert_int_equal(weir_statement_schema(statement, &schema, &error), 0);
    bool plain = strcmp(kind, "arrow") == 0 && type->dictionary != NULL;
    const char *expected = plain ? type->dictionary : type->format;
    if (strcmp(schema.children[0]->format, expected) != 0)
        fail_msg("%s comes back as %s", type->name, schema.children[0]->format);
    if (type->dictionary != NULL && !plain)
        assert_string_equal(schema.children[0]->dictionary->format, type->dictionary);
    schema.release(&schema);
    weir_statement_close(statement);
}

static void type_keeps_its_values(void **state) {
    const char *kind = *state;
    int n_failed = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct type *type = &types[i];
        bool parquet = strcmp(kind, "parquet") == 0;
        if (parquet && (is_union(type) || strcmp(type->name, "month_day_nano") == 0)) continue;
        make_table(kind, type);
        char *expected = NULL;
        /* Parquet has days, and no days of milliseconds: the midnights go. */
        bool days = parquet && strcmp(type->name, "date64") == 0;
        int width = days ? (int)strlen("2024-02-29") : 1000;
        assert_true(asprintf(&expected, "0|%.*s\n1|%.*s\n2|%s\n3|%.*s\n", width, type->text[0],
                             width, type->text[1], is_union(type) ? type->text[0] : "NULL", width,
                             type->text[0]) > 0);
        char *got = ask("SELECT id, v FROM t ORDER BY id");
        if (strcmp(got, expected) != 0) {
            print_error("%s through %s\nexpected:\n%sgot:\n%s", type->name, kind, expected, got);
            n_failed++;
        }
        check_format(kind, type);
        expect_number(is_union(type) ? 4 : 3, "SELECT count(*) FROM t WHERE v IS NOT NULL");
        expect_number(2, "SELECT count(*) FROM (SELECT v FROM t LIMIT 2)");
        run("DROP TABLE t");
        run("DROP TABLE IF EXISTS source");
        free(expected);
        free(got);
    }
    assert_int_equal(n_failed, 0);
}

static void parquet_refuses_what_it_cannot_hold(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!is_union(&types[i]) && strcmp(types[i].name, "month_day_nano") != 0) continue;
        struct ArrowArrayStream stream;
        struct weir_error error = {0};
        make_stream(&types[i], &stream);
        assert_int_not_equal(weir_encode(&stream, "parquet", NULL, 0, write_file, NULL, &error), 0);
        assert_non_null(strstr(error.message, "\"v\""));
        assert_null(stream.release);
    }
}

/* Types meet in one query: comparison, grouping, casting. */
static void types_work_in_expressions(void **state) {
    (void)state;
    make_table("stream", &types[0]);
    expect_rows("true\n", "SELECT bool_or(v) FROM t");
    run("DROP TABLE t");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].dictionary == NULL) continue;
        make_table("stream", &types[i]);
        expect_rows("red|2\nblue|1\nNULL|1\n",
                    "SELECT v, count(*) AS n FROM t GROUP BY v ORDER BY n DESC, v DESC NULLS LAST");
        expect_number(2, "SELECT count(*) FROM t WHERE v = 'red'");
        run("DROP TABLE t");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"stream: type_keeps_its_values", type_keeps_its_values, NULL, NULL, "stream"},
        {"memory: type_keeps_its_values", type_keeps_its_values, NULL, NULL, "memory"},
        {"arrow: type_keeps_its_values", type_keeps_its_values, NULL, NULL, "arrow"},
        {"arrows: type_keeps_its_values", type_keeps_its_values, NULL, NULL, "arrows"},
        {"parquet: type_keeps_its_values", type_keeps_its_values, NULL, NULL, "parquet"},
        cmocka_unit_test(parquet_refuses_what_it_cannot_hold),
        cmocka_unit_test(types_work_in_expressions),
    };
    return cmocka_run_group_tests_name("types", tests, suite_open, suite_close);
}
