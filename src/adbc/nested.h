/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas of the nested answers, written down as trees:
 *
 *     static const struct wr_field usage[] = {WR_TEXT("fk_catalog"), WR_TEXT_REQUIRED("fk_table")};
 *     WR_LIST_OF("constraint_column_usage", usage)
 */
#ifndef WR_ADBC_NESTED_H
#define WR_ADBC_NESTED_H

#include <stdbool.h>

#include "arrow/build.h"

struct wr_field {
    const char *name;
    const char *format; /* of a list: "+l", its item being `children` as a struct, or `item` */
    bool required;
    const struct wr_field *children;
    size_t n_children;
    const char *item;
};

#define WR_N_OF(array) (sizeof(array) / sizeof *(array))
#define WR_FIELD(name, format) {name, format, false, NULL, 0, NULL}
#define WR_REQUIRED(name, format) {name, format, true, NULL, 0, NULL}
#define WR_LIST_OF(name, fields) {name, "+l", false, fields, WR_N_OF(fields), NULL}
#define WR_TEXTS(name, required) {name, "+l", required, NULL, 0, "u"}
#define WR_PARTS(name, format, required, fields)                                                   \
    {name, format, required, fields, WR_N_OF(fields), NULL}

int wr_nested_schema(const struct wr_field *fields, size_t n_fields, struct ArrowSchema *ret_schema,
                     struct weir_error *error);
/* The built rows as a stream. Takes over both always; `rows` may be NULL for want of memory. */
int wr_nested_finish(struct ArrowSchema *schema, struct wr_build *rows,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error);

/* WR_XDBC_NONE is a NULL. */
void wr_build_number(struct wr_build *build, int32_t value);

#endif
