/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/sql_info.h"

#include <errno.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "door/rows.h"
#include "flight/service.h"
#include "nanoarrow/nanoarrow.h"

/* ---- The schema ---- */

static int set_type(struct ArrowSchema *schema, enum ArrowType type, const char *name,
                    bool is_nullable) {
    WR_TRY(ArrowSchemaSetType(schema, type));
    WR_TRY(ArrowSchemaSetName(schema, name));
    schema->flags = is_nullable ? ARROW_FLAG_NULLABLE : 0;
    return 0;
}

/* map<key: int32, value: list<int32>> */
static int set_map(struct ArrowSchema *schema) {
    WR_TRY(set_type(schema, NANOARROW_TYPE_MAP, "int32_to_int32_list_map", true));
    struct ArrowSchema *entries = schema->children[0];
    WR_TRY(set_type(entries->children[0], NANOARROW_TYPE_INT32, "key", false));
    WR_TRY(set_type(entries->children[1], NANOARROW_TYPE_LIST, "value", true));
    return set_type(entries->children[1]->children[0], NANOARROW_TYPE_INT32, "$data$", true);
}

static int set_union(struct ArrowSchema *schema) {
    WR_TRY(ArrowSchemaSetTypeUnion(schema, NANOARROW_TYPE_DENSE_UNION, 6));
    WR_TRY(ArrowSchemaSetName(schema, "value"));
    schema->flags = 0;
    struct ArrowSchema **members = schema->children;
    WR_TRY(set_type(members[WR_INFO_TEXT], NANOARROW_TYPE_STRING, "string_value", true));
    WR_TRY(set_type(members[WR_INFO_BOOL], NANOARROW_TYPE_BOOL, "bool_value", true));
    WR_TRY(set_type(members[WR_INFO_INT64], NANOARROW_TYPE_INT64, "bigint_value", true));
    WR_TRY(set_type(members[WR_INFO_INT32], NANOARROW_TYPE_INT32, "int32_bitmask", true));
    WR_TRY(set_type(members[WR_INFO_TEXTS], NANOARROW_TYPE_LIST, "string_list", true));
    WR_TRY(
        set_type(members[WR_INFO_TEXTS]->children[0], NANOARROW_TYPE_STRING, "string_data", true));
    return set_map(members[WR_INFO_MAP]);
}

static int set_schema(struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    WR_TRY(ArrowSchemaSetTypeStruct(schema, 2));
    WR_TRY(set_type(schema->children[0], NANOARROW_TYPE_UINT32, "info_name", false));
    return set_union(schema->children[1]);
}

/* ---- The rows ---- */

static int append_map(struct ArrowArray *map) {
    struct ArrowArray *entries = map->children[0];
    for (size_t i = 0; i < wr_sql_n_converts; i++) {
        struct ArrowArray *list = entries->children[1];
        WR_TRY(ArrowArrayAppendInt(entries->children[0], wr_sql_converts[i].from));
        for (const int32_t *to = wr_sql_converts[i].to; *to >= 0; to++)
            WR_TRY(ArrowArrayAppendInt(list->children[0], *to));
        WR_TRY(ArrowArrayFinishElement(list));
        WR_TRY(ArrowArrayFinishElement(entries));
    }
    return ArrowArrayFinishElement(map);
}

static int append_value(struct ArrowArray *member, const struct wr_sql_info *info) {
    switch (info->type) {
    case WR_INFO_TEXT:
        return info->text ? ArrowArrayAppendString(member, ArrowCharView(info->text))
                          : ArrowArrayAppendNull(member, 1);
    case WR_INFO_TEXTS:
        for (const char *const *text = info->texts; *text; text++)
            WR_TRY(ArrowArrayAppendString(member->children[0], ArrowCharView(*text)));
        return ArrowArrayFinishElement(member);
    case WR_INFO_MAP:
        return append_map(member);
    default:
        return ArrowArrayAppendInt(member, info->number);
    }
}

static int append(struct ArrowArray *rows, const struct wr_sql_info *info) {
    struct ArrowArray *value = rows->children[1];
    WR_TRY(ArrowArrayAppendUInt(rows->children[0], info->code));
    WR_TRY(append_value(value->children[info->type], info));
    WR_TRY(ArrowArrayFinishUnionElement(value, (int8_t)info->type));
    return ArrowArrayFinishElement(rows);
}

/* A code that is asked for twice is told once; one that is not known is left out. */
static int fill(const uint32_t *codes, size_t n_codes, struct ArrowSchema *schema,
                struct ArrowArray *rows) {
    WR_TRY(set_schema(schema));
    WR_TRY(ArrowArrayInitFromSchema(rows, schema, NULL));
    WR_TRY(ArrowArrayStartAppending(rows));
    for (size_t i = 0; i < wr_sql_n_info; i++) {
        bool is_wanted = n_codes == 0;
        for (size_t k = 0; k < n_codes && !is_wanted; k++)
            is_wanted = codes[k] == wr_sql_info[i].code;
        if (is_wanted) WR_TRY(append(rows, &wr_sql_info[i]));
    }
    return ArrowArrayFinishBuildingDefault(rows, NULL);
}

int wr_flight_sql_info(const uint32_t *codes, size_t n_codes, struct ArrowArrayStream *ret_rows,
                       struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArray rows = {0};
    int errnum = fill(codes, n_codes, &schema, &rows);
    if (!errnum) return wr_answer_stream(&schema, &rows, ret_rows, error);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_array(&rows);
    if (errnum == ENOMEM) return wr_error_memory(error);
    return wr_error_set(error, WEIR_INTERNAL, NULL, "the server's description cannot be made");
}
