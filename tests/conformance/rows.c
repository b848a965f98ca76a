/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that every kind is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "conformance.h"

#define BATCH_ROWS 100

static bool every(int64_t i) {
    return i >= 0;
}
static bool none(int64_t i) {
    return i < 0;
}
static bool is_17(int64_t i) {
    return i == 17;
}
static bool not_17(int64_t i) {
    return i != 17;
}
static bool below_50(int64_t i) {
    return i < 50;
}
static bool from_50_to_60(int64_t i) {
    return i >= 50 && i <= 60;
}
static bool in_group_3(int64_t i) {
    return i % 7 == 3;
}
static bool in_group_3_or_5(int64_t i) {
    return i % 7 == 3 || i % 7 == 5;
}
static bool not_in_groups(int64_t i) {
    return i % 7 != 3 && i % 7 != 5;
}
static bool unnamed(int64_t i) {
    return i % 5 == 4;
}
static bool named(int64_t i) {
    return i % 5 != 4;
}
static bool named_like_n1(int64_t i) {
    while (i >= 10)
        i /= 10;
    return i == 1;
}
static bool named_like_n1_and_named(int64_t i) {
    return named(i) && named_like_n1(i);
}
static bool named_unlike_n1(int64_t i) {
    return named(i) && !named_like_n1(i);
}
static bool flagged(int64_t i) {
    return i % 2 == 0;
}
static bool unflagged(int64_t i) {
    return i % 2 != 0;
}
static bool value_over_20(int64_t i) {
    return i > 40;
}
static bool group_2_flagged_below_50(int64_t i) {
    return i % 7 == 2 && i % 2 == 0 && i < 50;
}
static bool named_12_or_group_6(int64_t i) {
    return i == 12 || i % 7 == 6;
}

const struct expectation predicates[] = {
    {"true", every},
    {"false", none},
    {"id IS NULL", none},
    {"id = 17", is_17},
    {"id <> 17", not_17},
    {"17 = id", is_17},
    {"id < 50", below_50},
    {"50 > id", below_50},
    {"id BETWEEN 50 AND 60", from_50_to_60},
    {"id >= 50 AND id <= 60", from_50_to_60},
    {"grp = 3", in_group_3},
    {"grp IN (3, 5)", in_group_3_or_5},
    {"grp NOT IN (3, 5)", not_in_groups},
    {"NOT (grp = 3 OR grp = 5)", not_in_groups},
    {"CAST(grp AS VARCHAR) = '3'", in_group_3},
    {"name IS NULL", unnamed},
    {"name IS NOT NULL", named},
    {"name LIKE 'n1%'", named_like_n1_and_named},
    {"name NOT LIKE 'n1%'", named_unlike_n1},
    {"name ILIKE 'N1%'", named_like_n1_and_named},
    {"name = NULL", none},
    {"name IS DISTINCT FROM 'n17'", not_17},
    {"flag", flagged},
    {"NOT flag", unflagged},
    {"flag IS TRUE", flagged},
    {"value > 20.0", value_over_20},
    {"value * 2 > 40", value_over_20},
    {"grp = 2 AND flag AND id < 50", group_2_flagged_below_50},
    {"name = 'n12' OR grp = 6", named_12_or_group_6},
    {"CASE WHEN grp = 3 THEN true ELSE false END", in_group_3},
    {NULL, NULL},
};

static void must(int code) {
    if (code != NANOARROW_OK) abort();
}

static const struct {
    const char *name;
    enum ArrowType type;
} columns_of_rows[N_COLUMNS] = {
    [ID] = {"id", NANOARROW_TYPE_INT64},      [GRP] = {"grp", NANOARROW_TYPE_INT32},
    [NAME] = {"name", NANOARROW_TYPE_STRING}, [VALUE] = {"value", NANOARROW_TYPE_DOUBLE},
    [FLAG] = {"flag", NANOARROW_TYPE_BOOL},
};

void rows_project(const int32_t *columns, size_t n_columns, struct ArrowSchema *ret_schema) {
    ArrowSchemaInit(ret_schema);
    must(ArrowSchemaSetTypeStruct(ret_schema, (int64_t)n_columns));
    for (size_t i = 0; i < n_columns; i++) {
        int column = columns != NULL ? columns[i] : (int)i;
        must(ArrowSchemaSetType(ret_schema->children[i], columns_of_rows[column].type));
        must(ArrowSchemaSetName(ret_schema->children[i], columns_of_rows[column].name));
    }
}

void rows_schema(struct ArrowSchema *ret_schema) {
    rows_project(NULL, N_COLUMNS, ret_schema);
}

static void append(struct ArrowArray *array, int column, int64_t i) {
    char text[32];
    switch (column) {
    case ID:
        must(ArrowArrayAppendInt(array, i));
        break;
    case GRP:
        must(ArrowArrayAppendInt(array, i % 7));
        break;
    case VALUE:
        must(ArrowArrayAppendDouble(array, (double)i / 2));
        break;
    case FLAG:
        must(ArrowArrayAppendInt(array, i % 2 == 0));
        break;
    default:
        snprintf(text, sizeof text, "n%lld", (long long)i);
        must(unnamed(i) ? ArrowArrayAppendNull(array, 1)
                        : ArrowArrayAppendString(array, ArrowCharView(text)));
    }
}

void rows_array(int64_t first, int64_t n, bool (*keep)(void *, int64_t), void *context,
                const int32_t *columns, size_t n_columns, struct ArrowArray *ret_array) {
    struct ArrowSchema schema;
    rows_project(columns, n_columns, &schema);
    must(ArrowArrayInitFromSchema(ret_array, &schema, NULL));
    must(ArrowArrayStartAppending(ret_array));
    for (int64_t i = first; i < first + n; i++) {
        if (keep != NULL && !keep(context, i)) continue;
        for (size_t c = 0; c < n_columns; c++)
            append(ret_array->children[c], columns != NULL ? columns[c] : (int)c, i);
        must(ArrowArrayFinishElement(ret_array));
    }
    must(ArrowArrayFinishBuildingDefault(ret_array, NULL));
    schema.release(&schema);
}

void rows_stream(int64_t first, int64_t n, struct ArrowArrayStream *ret_stream) {
    struct ArrowSchema schema;
    int64_t n_batches = (n + BATCH_ROWS - 1) / BATCH_ROWS;
    rows_schema(&schema);
    must(ArrowBasicArrayStreamInit(ret_stream, &schema, n_batches));
    for (int64_t i = 0; i < n_batches; i++) {
        struct ArrowArray batch;
        int64_t left = n - i * BATCH_ROWS;
        rows_array(first + i * BATCH_ROWS, left < BATCH_ROWS ? left : BATCH_ROWS, NULL, NULL, NULL,
                   N_COLUMNS, &batch);
        ArrowBasicArrayStreamSetArray(ret_stream, i, &batch);
    }
}

static char *print_rows(int64_t first, int64_t n, const char *begin, const char *between,
                        const char *end, const char *quote) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (int64_t i = first; i < first + n; i++) {
        fprintf(out, "%s%lld%s%lld%s", begin, (long long)i, between, (long long)(i % 7), between);
        if (unnamed(i))
            fprintf(out, "NULL");
        else
            fprintf(out, "%sn%lld%s", quote, (long long)i, quote);
        fprintf(out, "%s%.1f%s%s%s", between, (double)i / 2, between, flagged(i) ? "true" : "false",
                i + 1 < first + n || *end == '\n' ? end : ")");
    }
    fclose(out);
    return text;
}

char *rows_text(int64_t first, int64_t n) {
    return print_rows(first, n, "", "|", "\n", "");
}

char *rows_values(int64_t first, int64_t n) {
    return print_rows(first, n, "(", ", ", "), ", "'");
}

static int write_file(void *file, const void *data, size_t length) {
    return fwrite(data, 1, length, file) == length ? 0 : 5;
}

void rows_write(const char *path, const char *format, int64_t first, int64_t n) {
    struct ArrowArrayStream stream;
    struct weir_error error = {0};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    rows_stream(first, n, &stream);
    if (weir_encode(&stream, format, NULL, 0, write_file, file, &error) != WEIR_OK)
        fail_msg("%s: %s", path, error.message);
    assert_int_equal(fclose(file), 0);
}
