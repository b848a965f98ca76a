/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas for the tests of src/arrow. */
#ifndef ARROW_MATERIAL_H
#define ARROW_MATERIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nanoarrow/nanoarrow.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* A field of the format; those that have children take them from `n_children` and the setter. */
static inline void make_field(struct ArrowSchema *schema, const char *format, const char *name,
                              int64_t n_children) {
    ArrowSchemaInit(schema);
    assert_int_equal(ArrowSchemaSetFormat(schema, format), 0);
    assert_int_equal(ArrowSchemaSetName(schema, name), 0);
    assert_int_equal(ArrowSchemaAllocateChildren(schema, n_children), 0);
}

/* Columns: a int64; b list<int64>; c dictionary<int64 -> utf8>. Three rows. */
static inline void make_schema(struct ArrowSchema *schema) {
    make_field(schema, "+s", "", 3);
    schema->flags = 0;
    make_field(schema->children[0], "l", "a", 0);
    make_field(schema->children[1], "+l", "b", 1);
    make_field(schema->children[1]->children[0], "l", "item", 0);
    make_field(schema->children[2], "l", "c", 0);
    assert_int_equal(ArrowSchemaAllocateDictionary(schema->children[2]), 0);
    make_field(schema->children[2]->dictionary, "u", "", 0);
}

static inline void assert_same_text(const char *a, const char *b) {
    assert_true((a == NULL) == (b == NULL));
    if (a) assert_string_equal(a, b);
}

static inline void assert_same_schema(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    assert_same_text(a->format, b->format);
    assert_same_text(a->name, b->name);
    assert_true((a->metadata == NULL) == (b->metadata == NULL));
    if (a->metadata) {
        int64_t length = ArrowMetadataSizeOf(a->metadata);
        assert_int_equal(ArrowMetadataSizeOf(b->metadata), length);
        assert_memory_equal(a->metadata, b->metadata, (size_t)length);
    }
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->n_children, b->n_children);
    for (int64_t i = 0; i < a->n_children; i++)
        assert_same_schema(a->children[i], b->children[i]);
    assert_true((a->dictionary == NULL) == (b->dictionary == NULL));
    if (a->dictionary) assert_same_schema(a->dictionary, b->dictionary);
}

#endif
