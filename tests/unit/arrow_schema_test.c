/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow_material.h"

#include "arrow/arrow.h"
#include "base/alloc.h"

static const char *const flat_formats[] = {
    "n",          "b",
    "c",          "C",
    "s",          "S",
    "i",          "I",
    "l",          "L",
    "e",          "f",
    "g",          "z",
    "Z",          "u",
    "U",          "vz",
    "vu",         "w:16",
    "d:9,2,32",   "d:18,4,64",
    "d:38,10",    "d:76,20,256",
    "tdD",        "tdm",
    "tts",        "ttm",
    "ttu",        "ttn",
    "tss:",       "tsm:UTC",
    "tsu:+02:00", "tsn:Europe/Vienna",
    "tDs",        "tDn",
    "tiM",        "tiD",
    "tin",
};

/* Every Arrow type that there is: the flat ones, and over them all nested ones. */
static void make_full_schema(struct ArrowSchema *schema) {
    static const struct {
        const char *format;
        int64_t n_children;
    } nested[] = {{"+l", 1},   {"+L", 1}, {"+vl", 1},     {"+vL", 1},
                  {"+w:3", 1}, {"+s", 2}, {"+us:0,5", 2}, {"+ud:1,2", 2}};
    int64_t n = 0, n_flat = (int64_t)N_OF(flat_formats), n_nested = (int64_t)N_OF(nested);
    make_field(schema, "+s", "root", n_flat + n_nested + 3);
    for (int64_t i = 0; i < n_flat; i++, n++)
        make_field(schema->children[n], flat_formats[i], flat_formats[i], 0);
    for (int64_t i = 0; i < n_nested; i++, n++) {
        struct ArrowSchema *field = schema->children[n];
        make_field(field, nested[i].format, "größe", nested[i].n_children);
        for (int64_t j = 0; j < field->n_children; j++)
            make_field(field->children[j], "vu", "", 0);
    }
    struct ArrowSchema *map = schema->children[n++];
    make_field(map, "+m", "map", 1);
    map->flags = ARROW_FLAG_MAP_KEYS_SORTED;
    make_field(map->children[0], "+s", "entries", 2);
    map->children[0]->flags = 0;
    make_field(map->children[0]->children[0], "u", "key", 0);
    map->children[0]->children[0]->flags = 0;
    make_field(map->children[0]->children[1], "i", "value", 0);
    struct ArrowSchema *runs = schema->children[n++];
    make_field(runs, "+r", "runs", 2);
    make_field(runs->children[0], "i", "run_ends", 0);
    runs->children[0]->flags = 0;
    make_field(runs->children[1], "g", "values", 0);
    struct ArrowSchema *codes = schema->children[n++];
    make_field(codes, "s", "codes", 0);
    codes->flags |= ARROW_FLAG_DICTIONARY_ORDERED;
    assert_int_equal(ArrowSchemaAllocateDictionary(codes), 0);
    make_field(codes->dictionary, "+l", "", 1);
    make_field(codes->dictionary->children[0], "vu", "item", 0);

    struct ArrowBuffer pairs;
    assert_int_equal(ArrowMetadataBuilderInit(&pairs, NULL), 0);
    assert_int_equal(ArrowMetadataBuilderAppend(&pairs, ArrowCharView("ARROW:extension:name"),
                                                ArrowCharView("geo")),
                     0);
    assert_int_equal(
        ArrowMetadataBuilderAppend(&pairs, ArrowCharView(""), ArrowCharView("empty key")), 0);
    assert_int_equal(ArrowSchemaSetMetadata(codes, (const char *)pairs.data), 0);
    assert_int_equal(ArrowSchemaSetMetadata(schema, (const char *)pairs.data), 0);
    ArrowBufferReset(&pairs);
    assert_int_equal(ArrowSchemaSetMetadata(map, "\0\0\0\0"), 0);
}

/* ---- Schemas ---- */

static void a_copied_schema_is_equal_and_independent(void **state) {
    (void)state;
    struct ArrowSchema schema, first, second;
    make_full_schema(&schema);
    assert_int_equal(wr_arrow_copy_schema(&schema, &first, NULL), WEIR_OK);
    assert_same_schema(&schema, &first);
    wr_arrow_release_schema(&schema);
    assert_int_equal(wr_arrow_copy_schema(&first, &second, NULL), WEIR_OK);
    assert_same_schema(&first, &second);
    wr_arrow_release_schema(&first);
    wr_arrow_release_schema(&second);
}

static void projection_chooses_orders_and_repeats_columns(void **state) {
    (void)state;
    struct ArrowSchema schema, chosen = {0};
    make_schema(&schema);
    const int32_t columns[] = {2, 0, 2};
    assert_int_equal(wr_arrow_project_schema(&schema, columns, 3, &chosen, NULL), WEIR_OK);
    assert_string_equal(chosen.format, "+s");
    assert_int_equal(chosen.flags, schema.flags);
    assert_int_equal(chosen.n_children, 3);
    assert_same_schema(chosen.children[0], schema.children[2]);
    assert_same_schema(chosen.children[1], schema.children[0]);
    assert_same_schema(chosen.children[2], schema.children[2]);
    wr_arrow_release_schema(&chosen);
    assert_int_equal(wr_arrow_project_schema(&schema, columns, 0, &chosen, NULL), WEIR_OK);
    assert_int_equal(chosen.n_children, 0);
    wr_arrow_release_schema(&chosen);
    assert_int_equal(wr_arrow_project_schema(&schema, NULL, 0, &chosen, NULL), WEIR_OK);
    assert_same_schema(&schema, &chosen);
    wr_arrow_release_schema(&chosen);
    wr_arrow_release_schema(&schema);
}

static void projection_refuses_an_index_that_is_not_there(void **state) {
    (void)state;
    struct ArrowSchema schema, chosen = {0};
    make_schema(&schema);
    const int32_t wrong[] = {3, -1};
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct weir_error error;
        assert_int_equal(wr_arrow_project_schema(&schema, &wrong[i], 1, &chosen, &error),
                         WEIR_INVALID_ARGUMENT);
        assert_non_null(strstr(error.message, "3 columns"));
        assert_null(chosen.release);
    }
    wr_arrow_release_schema(&schema);
}

/* ---- Schemas as bytes ---- */

static void every_type_comes_back_from_bytes_as_it_was(void **state) {
    (void)state;
    struct ArrowSchema schema, back;
    make_full_schema(&schema);
    void *data;
    size_t length;
    assert_int_equal(wr_arrow_schema_encode(&schema, &data, &length, NULL), WEIR_OK);
    struct weir_error error = {0};
    assert_int_equal(wr_arrow_schema_decode(data, length, &back, &error), WEIR_OK);
    assert_same_schema(&schema, &back);
    wr_free(data);
    wr_arrow_release_schema(&back);
    wr_arrow_release_schema(&schema);
}

static void cut_schema_bytes_are_refused_at_every_length(void **state) {
    (void)state;
    struct ArrowSchema schema, back = {0};
    make_full_schema(&schema);
    unsigned char *data;
    size_t length;
    assert_int_equal(wr_arrow_schema_encode(&schema, (void **)&data, &length, NULL), WEIR_OK);
    for (size_t cut = 0; cut < length; cut++) {
        /* A block of its own, so that a read beyond the cut is seen by the sanitizer. */
        void *part = malloc(cut + 1);
        assert_non_null(part);
        memcpy((char *)part + 1, data, cut);
        struct weir_error error;
        assert_int_equal(wr_arrow_schema_decode((char *)part + 1, cut, &back, &error),
                         WEIR_INVALID_DATA);
        assert_string_equal(error.sqlstate, "XX001");
        assert_null(back.release);
        free(part);
    }
    unsigned char *longer = malloc(length + 1);
    assert_non_null(longer);
    memcpy(longer, data, length);
    longer[length] = 0;
    assert_int_equal(wr_arrow_schema_decode(longer, length + 1, &back, NULL), WEIR_INVALID_DATA);
    free(longer);
    wr_free(data);
    wr_arrow_release_schema(&schema);
}

static void damaged_schema_bytes_give_an_error_or_a_valid_schema(void **state) {
    (void)state;
    struct ArrowSchema schema;
    make_full_schema(&schema);
    unsigned char *data;
    size_t length;
    assert_int_equal(wr_arrow_schema_encode(&schema, (void **)&data, &length, NULL), WEIR_OK);
    static const unsigned char masks[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < length * N_OF(masks); i++) {
        struct ArrowSchema back = {0};
        data[i / N_OF(masks)] ^= masks[i % N_OF(masks)];
        if (wr_arrow_schema_decode(data, length, &back, NULL) == WEIR_OK) {
            struct ArrowSchemaView view;
            assert_int_equal(ArrowSchemaViewInit(&view, &back, NULL), 0);
            wr_arrow_release_schema(&back);
        } else {
            assert_null(back.release);
        }
        data[i / N_OF(masks)] ^= masks[i % N_OF(masks)];
    }
    wr_free(data);
    wr_arrow_release_schema(&schema);
}

static void a_schema_nested_without_end_is_refused_both_ways(void **state) {
    (void)state;
    struct ArrowSchema schema;
    make_field(&schema, "+s", "", 1);
    struct ArrowSchema *deepest = schema.children[0];
    for (int i = 0; i < 200; i++, deepest = deepest->children[0])
        make_field(deepest, "+l", "item", 1);
    make_field(deepest, "i", "item", 0);
    void *data = NULL;
    size_t length = 0;
    struct weir_error error;
    assert_int_equal(wr_arrow_schema_encode(&schema, &data, &length, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "54001");
    assert_null(data);
    wr_arrow_release_schema(&schema);

    /* One node that holds one child: flags, "+l", no name, no metadata, one child. */
    static const char node[] = "\0\0\0\0\0\0\0\0\2\0\0\0+l\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\0\0";
    size_t size = sizeof node;
    char *bytes = malloc(4 + 100000 * size);
    assert_non_null(bytes);
    memcpy(bytes, "WRS1", 4);
    for (size_t i = 0; i < 100000; i++)
        memcpy(bytes + 4 + i * size, node, size);
    struct ArrowSchema back = {0};
    assert_int_equal(wr_arrow_schema_decode(bytes, 4 + 100000 * size, &back, &error),
                     WEIR_INVALID_DATA);
    assert_non_null(strstr(error.message, "nested too deep"));
    free(bytes);
}

static void coding_schemas_without_memory_fails_at_each_allocation(void **state) {
    (void)state;
    struct ArrowSchema schema, back = {0};
    struct weir_error error = {0};
    make_full_schema(&schema);
    void *data = NULL;
    size_t length = 0;
    for (int64_t n = 1;; n++) {
        wr_alloc_fail_at(n);
        int code = wr_arrow_schema_encode(&schema, &data, &length, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
        assert_string_equal(error.sqlstate, "53200");
        assert_null(data);
    }
    for (int64_t n = 1;; n++) {
        wr_alloc_fail_at(n);
        int code = wr_arrow_schema_decode(data, length, &back, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
        assert_string_equal(error.sqlstate, "53200");
        assert_null(back.release);
    }
    assert_same_schema(&schema, &back);
    wr_free(data);
    wr_arrow_release_schema(&back);
    wr_arrow_release_schema(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copied_schema_is_equal_and_independent),
        cmocka_unit_test(projection_chooses_orders_and_repeats_columns),
        cmocka_unit_test(projection_refuses_an_index_that_is_not_there),
        cmocka_unit_test(every_type_comes_back_from_bytes_as_it_was),
        cmocka_unit_test(cut_schema_bytes_are_refused_at_every_length),
        cmocka_unit_test(damaged_schema_bytes_give_an_error_or_a_valid_schema),
        cmocka_unit_test(a_schema_nested_without_end_is_refused_both_ways),
        cmocka_unit_test(coding_schemas_without_memory_fails_at_each_allocation),
    };
    return cmocka_run_group_tests_name("arrow schema", tests, NULL, NULL);
}
