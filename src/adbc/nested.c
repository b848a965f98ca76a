/* SPDX-License-Identifier: Apache-2.0 */
#include "adbc/nested.h"

#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "door/rows.h"
#include "door/types.h"

static int set_field(struct ArrowSchema *schema, const struct wr_field *field);

static int set_children(struct ArrowSchema *schema, const struct wr_field *fields, size_t n) {
    NANOARROW_RETURN_NOT_OK(ArrowSchemaAllocateChildren(schema, (int64_t)n));
    for (size_t i = 0; i < n; i++) {
        ArrowSchemaInit(schema->children[i]);
        NANOARROW_RETURN_NOT_OK(set_field(schema->children[i], &fields[i]));
    }
    return NANOARROW_OK;
}

static int set_item(struct ArrowSchema *list, const struct wr_field *field) {
    NANOARROW_RETURN_NOT_OK(ArrowSchemaAllocateChildren(list, 1));
    struct ArrowSchema *item = list->children[0];
    ArrowSchemaInit(item);
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetFormat(item, field->item ? field->item : "+s"));
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(item, "item"));
    return field->item ? NANOARROW_OK : set_children(item, field->children, field->n_children);
}

static int set_field(struct ArrowSchema *schema, const struct wr_field *field) {
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetFormat(schema, field->format));
    NANOARROW_RETURN_NOT_OK(ArrowSchemaSetName(schema, field->name));
    schema->flags = field->required ? 0 : ARROW_FLAG_NULLABLE;
    if (strcmp(field->format, "+l") == 0) return set_item(schema, field);
    return field->n_children > 0 ? set_children(schema, field->children, field->n_children)
                                 : NANOARROW_OK;
}

int wr_nested_schema(const struct wr_field *fields, size_t n_fields, struct ArrowSchema *ret_schema,
                     struct weir_error *error) {
    struct ArrowSchema schema;
    ArrowSchemaInit(&schema);
    int errnum = ArrowSchemaSetFormat(&schema, "+s");
    if (errnum == NANOARROW_OK) errnum = set_children(&schema, fields, n_fields);
    if (errnum == NANOARROW_OK) errnum = ArrowSchemaSetName(&schema, "");
    if (errnum != NANOARROW_OK) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    schema.flags = 0;
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

int wr_nested_finish(struct ArrowSchema *schema, struct wr_build *rows,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowArray array = {0};
    int code = wr_build_finish(rows, &array, error);
    if (code == WEIR_OK) return wr_answer_stream(schema, &array, ret_rows, error);
    wr_arrow_release_schema(schema);
    return code;
}

void wr_build_number(struct wr_build *build, int32_t value) {
    if (value == WR_XDBC_NONE)
        wr_build_null(build);
    else
        wr_build_int(build, value);
}
