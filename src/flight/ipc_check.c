/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nanoarrow adds offsets and lengths without looking for overflow, allocates what a compressed
 * buffer says it unpacks to, and takes it that all is there that a verified flatbuffer may leave
 * out. All three are looked at here, in the flatbuffer that it will read.
 */
#include "flight/ipc_check.h"

#include <string.h>

#include "base/error.h"
#include "nanoarrow/ipc/flatcc_generated.h"

#define FB(name) org_apache_arrow_flatbuf_##name

static int wrong(struct weir_error *error, const char *what) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22000", "a message of Arrow data %s", what);
}

static int64_t little_endian(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

/* What all buffers unpack to, and whether each is inside of the body. */
static int check_buffers(FB(RecordBatch_table_t) batch, const unsigned char *body,
                         size_t body_length, struct weir_error *error) {
    FB(Buffer_vec_t) buffers = FB(RecordBatch_buffers)(batch);
    bool is_packed = FB(RecordBatch_compression_is_present)(batch);
    int64_t unpacked = 0;
    for (size_t i = 0; i < FB(Buffer_vec_len)(buffers); i++) {
        FB(Buffer_struct_t) buffer = FB(Buffer_vec_at)(buffers, i);
        int64_t offset = FB(Buffer_offset)(buffer), length = FB(Buffer_length)(buffer);
        if (offset < 0 || length < 0) return wrong(error, "has a buffer of a negative size");
        if (length > (int64_t)body_length || offset > (int64_t)body_length - length)
            return wrong(error, "has a buffer outside of its body");
        if (length > 0 && offset % 8 != 0)
            return wrong(error, "has a buffer that does not begin at a multiple of 8 bytes");
        if (!is_packed || length == 0) continue;
        if (length < (int64_t)sizeof(int64_t))
            return wrong(error, "has a compressed buffer that is cut");
        int64_t size = little_endian(body + offset);
        if (size < -1) return wrong(error, "has a compressed buffer of a negative size");
        if (size > WR_IPC_MOST_UNPACKED - unpacked)
            return wrong(error, "would be more than 512 MiB when unpacked: send smaller batches");
        if (size > 0) unpacked += size;
    }
    return WEIR_OK;
}

static int check_nodes(FB(RecordBatch_table_t) batch, struct weir_error *error) {
    int64_t n_rows = FB(RecordBatch_length)(batch);
    if (n_rows < 0 || n_rows > WR_IPC_MOST_ROWS)
        return wrong(error, "has an impossible number of rows");
    FB(FieldNode_vec_t) nodes = FB(RecordBatch_nodes)(batch);
    for (size_t i = 0; i < FB(FieldNode_vec_len)(nodes); i++) {
        FB(FieldNode_struct_t) node = FB(FieldNode_vec_at)(nodes, i);
        int64_t length = FB(FieldNode_length)(node), n_nulls = FB(FieldNode_null_count)(node);
        if (length < 0 || length > WR_IPC_MOST_ROWS)
            return wrong(error, "has a column of an impossible length");
        if (n_nulls < -1 || n_nulls > length)
            return wrong(error, "has a column with an impossible number of NULLs");
    }
    return WEIR_OK;
}

/* ---- Schemas ---- */

static int check_metadata(FB(KeyValue_vec_t) pairs, struct weir_error *error) {
    for (size_t i = 0; i < FB(KeyValue_vec_len)(pairs); i++) {
        FB(KeyValue_table_t) pair = FB(KeyValue_vec_at)(pairs, i);
        if (!FB(KeyValue_key)(pair) || !FB(KeyValue_value)(pair))
            return wrong(error, "has metadata without a key or a value");
    }
    return WEIR_OK;
}

/* wr_ipc_is_affordable has bounded how many there are, and how deep. */
static int check_fields(FB(Field_vec_t) fields, struct weir_error *error) {
    for (size_t i = 0; i < FB(Field_vec_len)(fields); i++) {
        FB(Field_table_t) field = FB(Field_vec_at)(fields, i);
        if (!FB(Field_type)(field)) return wrong(error, "has a column without a type");
        FB(DictionaryEncoding_table_t) dictionary = FB(Field_dictionary)(field);
        if (dictionary && !FB(DictionaryEncoding_indexType)(dictionary))
            return wrong(error, "has a dictionary without a type of its indexes");
        WR_TRY(check_metadata(FB(Field_custom_metadata)(field), error));
        WR_TRY(check_fields(FB(Field_children)(field), error));
    }
    return WEIR_OK;
}

static int check_schema(FB(Schema_table_t) schema, struct weir_error *error) {
    WR_TRY(check_metadata(FB(Schema_custom_metadata)(schema), error));
    return check_fields(FB(Schema_fields)(schema), error);
}

/* ---- Messages ---- */

int wr_ipc_check_message(const void *message, const void *body, size_t body_length,
                         struct weir_error *error) {
    FB(Message_table_t) root = FB(Message_as_root)(message);
    FB(RecordBatch_table_t) batch = NULL;
    if (!FB(Message_header)(root)) return wrong(error, "has no header");
    if (FB(Message_header_type)(root) == FB(MessageHeader_Schema))
        return check_schema((FB(Schema_table_t))FB(Message_header)(root), error);
    if (FB(Message_header_type)(root) == FB(MessageHeader_RecordBatch))
        batch = (FB(RecordBatch_table_t))FB(Message_header)(root);
    if (FB(Message_header_type)(root) == FB(MessageHeader_DictionaryBatch)) {
        FB(DictionaryBatch_table_t)
        dictionary = (FB(DictionaryBatch_table_t))FB(Message_header)(root);
        batch = dictionary ? FB(DictionaryBatch_data)(dictionary) : NULL;
        if (!batch) return wrong(error, "is a dictionary without values");
    }
    if (!batch) return WEIR_OK;
    if (FB(Message_bodyLength)(root) != (int64_t)body_length)
        return wrong(error, "has a body that is not as long as it says");
    WR_TRY(check_nodes(batch, error));
    return check_buffers(batch, body, body_length, error);
}
