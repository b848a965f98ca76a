/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds arrays value by value, nested ones too:
 *
 *     struct wr_build *rows = wr_build_new(&schema);     // struct<name: utf8, tags: list<utf8>>
 *     wr_build_text(wr_build_child(rows, 0), "x");
 *     wr_build_text(wr_build_child(wr_build_child(rows, 1), 0), "tag");
 *     wr_build_end(wr_build_child(rows, 1));             // the list's element
 *     wr_build_end(rows);                                // the struct's: one row
 *     code = wr_build_finish(rows, &array, error);       // frees it, after a failure too
 *
 * Appending needs no check: what failed, for want of memory, is told at the end. All functions but
 * _finish take what wr_build_new gave when there was no memory: NULL. (nanoarrow's own appending
 * does not survive an allocation that fails.)
 *
 * Types: bool, integers, float64, utf8, binary, list, map, struct, dense union whose type ids are
 * 0, 1, ...
 */
#ifndef WR_ARROW_BUILD_H
#define WR_ARROW_BUILD_H

#include "weir.h"

struct wr_build;

/* NULL: no memory, or a type that is not in the list. */
struct wr_build *wr_build_new(const struct ArrowSchema *schema);
void wr_build_free(struct wr_build *build);
struct wr_build *wr_build_child(struct wr_build *build, int64_t i);

/* NULL in a struct is NULL in its children too; a union has none. */
void wr_build_null(struct wr_build *build);
void wr_build_int(struct wr_build *build, int64_t value); /* of a bool too */
void wr_build_double(struct wr_build *build, double value);
void wr_build_bytes(struct wr_build *build, const void *data, size_t length);
void wr_build_text(struct wr_build *build, const char *text); /* NULL: a NULL */
/* Ends an element of a list, map or struct, whose children were appended to. */
void wr_build_end(struct wr_build *build);
/* Ends an element of a union, whose child `part` was appended to. */
void wr_build_end_union(struct wr_build *build, int8_t part);

/* `build` may be NULL. */
int wr_build_finish(struct wr_build *build, struct ArrowArray *ret_array, struct weir_error *error);

#endif
