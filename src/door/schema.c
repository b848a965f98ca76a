/* SPDX-License-Identifier: Apache-2.0 */
#include "door/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nanoarrow/nanoarrow_ipc.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "door/list.h"
#include "door/types.h"

enum { MAX_QUERY = 1 << 20 };

const struct weir_option wr_door_settings[] = {
    {"weir.result_types", "plain"},
    /* What is never a view need not be made another thing at the end. */
    {"datafusion.sql_parser.map_string_types_to_utf8view", "false"},
    {"datafusion.execution.parquet.schema_force_view_types", "false"},
};
const size_t wr_door_n_settings = sizeof wr_door_settings / sizeof *wr_door_settings;

/* ---- Of a table ---- */

/* Planned and not run: the columns are those that a query of the session would have. */
int wr_door_table_schema(struct weir_session *session, const struct wr_door_table *table,
                         struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct weir_statement *statement = NULL;
    struct wr_buffer sql;
    wr_buffer_init(&sql, MAX_QUERY);
    wr_buffer_text(&sql, "SELECT * FROM ");
    wr_door_add_name(&sql, table);
    int code = sql.failed ? wr_error_memory(error) : WEIR_OK;
    if (code == WEIR_OK) code = weir_prepare(session, sql.data, &statement, error);
    /* A position in a text that nobody has written. */
    if (code && error) error->position = 0;
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = weir_statement_schema(statement, ret_schema, error);
    weir_statement_close(statement);
    return code;
}

/* ---- Metadata of columns ---- */

#define KEY(name) "ARROW:FLIGHT:SQL:" name

static int add_text(struct ArrowBuffer *metadata, const char *key, const char *value) {
    if (!value) return NANOARROW_OK;
    return ArrowMetadataBuilderAppend(metadata, ArrowCharView(key), ArrowCharView(value));
}

static int add_number(struct ArrowBuffer *metadata, const char *key, int32_t value) {
    char text[16];
    if (value < 0) return NANOARROW_OK;
    snprintf(text, sizeof text, "%d", (int)value);
    return add_text(metadata, key, text);
}

static int add_all(struct ArrowBuffer *metadata, const struct ArrowSchema *column,
                   const struct wr_door_table *table) {
    const struct wr_sql_type *type = wr_sql_type(column);
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("CATALOG_NAME"), table->catalog));
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("SCHEMA_NAME"), table->schema));
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("TABLE_NAME"), table->name));
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("TYPE_NAME"), type->name));
    NANOARROW_RETURN_NOT_OK(add_number(metadata, KEY("PRECISION"), wr_sql_precision(column)));
    NANOARROW_RETURN_NOT_OK(add_number(metadata, KEY("SCALE"), wr_sql_scale(column)));
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("IS_AUTO_INCREMENT"), "0"));
    NANOARROW_RETURN_NOT_OK(
        add_text(metadata, KEY("IS_CASE_SENSITIVE"), type->case_sensitive ? "1" : "0"));
    NANOARROW_RETURN_NOT_OK(add_text(metadata, KEY("IS_READ_ONLY"), "0"));
    return add_text(metadata, KEY("IS_SEARCHABLE"), type->searchable != 0 ? "1" : "0");
}

static int describe_column(struct ArrowSchema *column, const struct wr_door_table *table) {
    struct ArrowBuffer metadata;
    NANOARROW_RETURN_NOT_OK(ArrowMetadataBuilderInit(&metadata, column->metadata));
    int errnum = add_all(&metadata, column, table);
    if (errnum == NANOARROW_OK) errnum = ArrowSchemaSetMetadata(column, (char *)metadata.data);
    ArrowBufferReset(&metadata);
    return errnum;
}

int wr_door_describe_columns(const struct ArrowSchema *schema, const struct wr_door_table *table,
                             struct ArrowSchema *ret_schema, struct weir_error *error) {
    static const struct wr_door_table none;
    struct ArrowSchema described = {0};
    WR_TRY(wr_arrow_copy_schema(schema, &described, error));
    int errnum = NANOARROW_OK;
    for (int64_t i = 0; i < described.n_children && errnum == NANOARROW_OK; i++)
        errnum = describe_column(described.children[i], table ? table : &none);
    if (errnum != NANOARROW_OK) {
        wr_arrow_release_schema(&described);
        return wr_error_memory(error);
    }
    wr_arrow_move_schema(&described, ret_schema);
    return WEIR_OK;
}

/* ---- As bytes ---- */

static int give_away(const struct ArrowBuffer *buffer, void **ret_data, size_t *ret_length,
                     struct weir_error *error) {
    void *data = wr_malloc((size_t)buffer->size_bytes);
    if (!data) return wr_error_memory(error);
    memcpy(data, buffer->data, (size_t)buffer->size_bytes);
    *ret_data = data;
    *ret_length = (size_t)buffer->size_bytes;
    return WEIR_OK;
}

int wr_door_encode_schema(const struct ArrowSchema *schema, void **ret_data, size_t *ret_length,
                          struct weir_error *error) {
    struct ArrowIpcEncoder encoder = {0};
    struct ArrowBuffer buffer;
    struct ArrowError problem = {{0}};
    int errnum = ArrowIpcEncoderInit(&encoder);
    if (errnum != NANOARROW_OK) return wr_error_memory(error);
    ArrowBufferInit(&buffer);
    errnum = ArrowIpcEncoderEncodeSchema(&encoder, schema, &problem);
    if (errnum == NANOARROW_OK) errnum = ArrowIpcEncoderFinalizeBuffer(&encoder, 1, &buffer);
    ArrowIpcEncoderReset(&encoder);
    int code = WEIR_OK;
    if (errnum == ENOMEM)
        code = wr_error_memory(error);
    else if (errnum != NANOARROW_OK)
        code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "the schema as a message: %s",
                            problem.message);
    if (code == WEIR_OK) code = give_away(&buffer, ret_data, ret_length, error);
    ArrowBufferReset(&buffer);
    return code;
}

int wr_door_schema_bytes(struct weir_session *session, const struct wr_door_table *table,
                         void **ret_data, size_t *ret_length, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowSchema described = {0};
    WR_TRY(wr_door_table_schema(session, table, &schema, error));
    int code = wr_door_describe_columns(&schema, table, &described, error);
    wr_arrow_release_schema(&schema);
    if (code == WEIR_OK) code = wr_door_encode_schema(&described, ret_data, ret_length, error);
    wr_arrow_release_schema(&described);
    return code;
}

int wr_door_no_schema_bytes(void **ret_data, size_t *ret_length, struct weir_error *error) {
    struct ArrowSchema schema;
    ArrowSchemaInit(&schema);
    if (ArrowSchemaSetTypeStruct(&schema, 0) != NANOARROW_OK) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    schema.flags = 0;
    int code = wr_door_encode_schema(&schema, ret_data, ret_length, error);
    wr_arrow_release_schema(&schema);
    return code;
}
