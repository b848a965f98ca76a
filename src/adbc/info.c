/* SPDX-License-Identifier: Apache-2.0 */
/* GetInfo: who the database and the driver are. */
#include <nanoarrow/nanoarrow.h>

#include "adbc/adbc.h"
#include "adbc/nested.h"
#include "arrow/arrow.h"
#include "base/error.h"

static const struct wr_field value_fields[] = {
    WR_FIELD("string_value", "u"),  WR_FIELD("bool_value", "b"),
    WR_FIELD("int64_value", "l"),   WR_FIELD("int32_bitmask", "i"),
    WR_TEXTS("string_list", false), WR_FIELD("int32_to_int32_list_map", "+m"),
};

static const struct wr_field fields[] = {
    WR_REQUIRED("info_name", "I"),
    WR_PARTS("info_value", "+ud:0,1,2,3,4,5", false, value_fields),
};

enum { TEXT = 0, FLAG = 1, INTEGER = 2 };

struct info {
    uint32_t code;
    int8_t type;
    const char *text;
    int64_t number;
};

/* ---- The schema, with a map<int32, list<int32>> ---- */

static int set_map(struct ArrowSchema *map) {
    struct ArrowSchema typed;
    ArrowSchemaInit(&typed);
    int errnum = ArrowSchemaSetType(&typed, NANOARROW_TYPE_MAP);
    struct ArrowSchema *entries = errnum == NANOARROW_OK ? typed.children[0] : NULL;
    if (entries) errnum = ArrowSchemaSetType(entries->children[0], NANOARROW_TYPE_INT32);
    if (entries && errnum == NANOARROW_OK)
        errnum = ArrowSchemaSetType(entries->children[1], NANOARROW_TYPE_LIST);
    if (entries && errnum == NANOARROW_OK)
        errnum = ArrowSchemaSetType(entries->children[1]->children[0], NANOARROW_TYPE_INT32);
    if (errnum == NANOARROW_OK) errnum = ArrowSchemaSetName(&typed, map->name);
    if (errnum == NANOARROW_OK) {
        entries->children[0]->flags = 0;
        wr_arrow_release_schema(map);
        wr_arrow_move_schema(&typed, map);
    }
    wr_arrow_release_schema(&typed);
    return errnum;
}

static int make_schema(struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_nested_schema(fields, WR_N_OF(fields), &schema, error));
    if (set_map(schema.children[1]->children[5]) != NANOARROW_OK) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

/* ---- The rows ---- */

static void append(const struct info *info, struct wr_build *rows) {
    struct wr_build *value = wr_build_child(rows, 1);
    struct wr_build *part = wr_build_child(value, info->type);
    wr_build_int(wr_build_child(rows, 0), info->code);
    if (info->type == TEXT)
        wr_build_text(part, info->text);
    else
        wr_build_int(part, info->number);
    wr_build_end_union(value, info->type);
    wr_build_end(rows);
}

static bool wants(const uint32_t *codes, size_t n_codes, uint32_t code) {
    for (size_t i = 0; codes && i < n_codes; i++) {
        if (codes[i] == code) return true;
    }
    return !codes;
}

int wr_driver_connection_info(struct wr_driver_connection *connection, const uint32_t *codes,
                              size_t n_codes, struct ArrowArrayStream *ret_rows,
                              struct weir_error *error) {
    (void)connection;
    const struct info all[] = {
        {WR_ADBC_INFO_VENDOR_NAME, TEXT, "weir", 0},
        {WR_ADBC_INFO_VENDOR_VERSION, TEXT, weir_version(), 0},
        {WR_ADBC_INFO_VENDOR_SQL, FLAG, NULL, 1},
        {WR_ADBC_INFO_VENDOR_SUBSTRAIT, FLAG, NULL, 0},
        {WR_ADBC_INFO_DRIVER_NAME, TEXT, "weir (in process)", 0},
        {WR_ADBC_INFO_DRIVER_VERSION, TEXT, weir_version(), 0},
        {WR_ADBC_INFO_DRIVER_ARROW_VERSION, TEXT, "nanoarrow " NANOARROW_VERSION, 0},
        {WR_ADBC_INFO_DRIVER_ADBC_VERSION, INTEGER, NULL, WR_ADBC_VERSION_1_1_0},
    };
    struct ArrowSchema schema = {0};
    WR_TRY(make_schema(&schema, error));
    struct wr_build *rows = wr_build_new(&schema);
    for (size_t i = 0; i < WR_N_OF(all); i++) {
        if (wants(codes, n_codes, all[i].code)) append(&all[i], rows);
    }
    return wr_nested_finish(&schema, rows, ret_rows, error);
}
