/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements on a server: their parameters, and running them. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/client_state.h"

/* ---- FlightData, put together ---- */

enum { TAG_DESCRIPTOR = 1, TAG_HEADER = 2, TAG_BODY = 1000, WIRE_BYTES = 2 };

static void put_varint(struct wr_buffer *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        wr_buffer_char(to, (char)(value | 0x80));
    wr_buffer_char(to, (char)value);
}

static void put_field(struct wr_buffer *to, uint64_t number, const void *data, size_t length) {
    put_varint(to, number << 3 | WIRE_BYTES);
    put_varint(to, length);
    if (length > 0) wr_buffer_add(to, data, length);
}

/* ---- Commands ---- */

/* The descriptor of the statement as a command, packed. */
static int pack_descriptor(const struct wr_client_statement *statement, const char *command,
                           struct wr_bytes *ret_bytes, struct weir_error *error) {
    Flight__CommandPreparedStatement prepared = FLIGHT__COMMAND_PREPARED_STATEMENT__INIT;
    Flight__FlightDescriptor descriptor = FLIGHT__FLIGHT_DESCRIPTOR__INIT;
    struct wr_bytes any;
    prepared.has_prepared_statement_handle = true;
    prepared.prepared_statement_handle =
        (ProtobufCBinaryData){statement->handle.length, (uint8_t *)statement->handle.data};
    WR_TRY(wr_any_pack(command, &prepared, &any, error));
    descriptor.has_type = descriptor.has_cmd = true;
    descriptor.type = FLIGHT__FLIGHT_DESCRIPTOR__TYPE__CMD;
    descriptor.cmd = (ProtobufCBinaryData){any.length, (uint8_t *)any.data};
    int code = wr_message_pack(&descriptor, ret_bytes, error);
    wr_free((void *)any.data);
    return code;
}

/* What DoPut gets: the command with the parameters' schema, if there are any, and their rows. */
static int put_request(const struct wr_client_statement *statement, const char *command,
                       struct wr_buffer *ret_body, struct weir_error *error) {
    struct wr_bytes descriptor;
    struct wr_buffer first;
    WR_TRY(pack_descriptor(statement, command, &descriptor, error));
    wr_buffer_init(&first, CLIENT_MOST_REQUEST);
    put_field(&first, TAG_DESCRIPTOR, descriptor.data, descriptor.length);
    if (statement->bound_schema.length > 0)
        put_field(&first, TAG_HEADER, statement->bound_schema.data, statement->bound_schema.length);
    wr_free((void *)descriptor.data);
    wr_buffer_init(ret_body, CLIENT_MOST_REQUEST);
    wr_client_frame(ret_body, first.data, first.length);
    if (statement->bound.length > 0)
        wr_buffer_add(ret_body, statement->bound.data, statement->bound.length);
    ret_body->failed |= first.failed;
    wr_buffer_reset(&first);
    return WEIR_OK;
}

/* *ret_metadata: of the server's PutResult; length 0: it sent none. Free with wr_free. */
static int put(struct wr_client_statement *statement, const char *command,
               struct wr_bytes *ret_metadata, struct weir_error *error) {
    struct wr_buffer body;
    struct wr_bytes message = {0};
    Flight__PutResult *result;
    WR_TRY(put_request(statement, command, &body, error));
    WR_TRY(
        wr_flight_client_ask(statement->client, CLIENT_SERVICE "DoPut", &body, 0, &message, error));
    if (!message.data) {
        *ret_metadata = message;
        return WEIR_OK;
    }
    int code =
        wr_flight_client_blame(error, WR_UNPACK(flight__put_result, message, &result, error));
    wr_free((void *)message.data);
    if (code) return code;
    void *copy = wr_malloc(result->app_metadata.len + 1);
    if (copy && result->app_metadata.len > 0)
        memcpy(copy, result->app_metadata.data, result->app_metadata.len);
    *ret_metadata = (struct wr_bytes){copy, result->app_metadata.len};
    wr_message_free(result);
    return copy ? WEIR_OK : wr_error_memory(error);
}

/* ---- Parameters ---- */

bool wr_client_statement_is_query(const struct wr_client_statement *statement) {
    return statement->is_query;
}

int wr_client_statement_parameters(const struct wr_client_statement *statement,
                                   struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowArrayStream none;
    if (statement->parameters.release)
        return wr_arrow_copy_schema(&statement->parameters, ret_schema, error);
    WR_TRY(wr_arrow_empty_stream(&none, error));
    int code = wr_arrow_stream_schema(&none, "parameters", ret_schema, error);
    wr_arrow_release_stream(&none);
    return code;
}

static int add_batch(struct wr_buffer *bound, const struct wr_ipc_batch *batch,
                     struct weir_error *error) {
    struct wr_buffer data;
    wr_buffer_init(&data, CLIENT_MOST_REQUEST);
    put_field(&data, TAG_HEADER, batch->header, batch->header_length);
    put_varint(&data, TAG_BODY << 3 | WIRE_BYTES);
    put_varint(&data, (uint64_t)batch->body_length);
    for (size_t i = 0; i < batch->n_parts; i++) {
        if (batch->parts[i].length > 0)
            wr_buffer_add(&data, batch->parts[i].data, batch->parts[i].length);
    }
    if (!data.failed) wr_client_frame(bound, data.data, data.length);
    bool has_failed = data.failed || bound->failed;
    wr_buffer_reset(&data);
    return has_failed ? wr_error_memory(error) : WEIR_OK;
}

static int encode_row(struct wr_client_statement *statement, const struct ArrowSchema *schema,
                      const struct ArrowArray *row, struct weir_error *error) {
    struct wr_ipc_encoder *encoder;
    struct wr_ipc_batch batch;
    WR_TRY(wr_ipc_encoder_new(schema, WR_IPC_PLAIN, &encoder, error));
    int code = wr_ipc_encode(encoder, row, 0, row->length, &batch, error);
    wr_ipc_encoder_free(encoder);
    if (code) return code;
    code = add_batch(&statement->bound, &batch, error);
    wr_ipc_batch_free(&batch);
    return code;
}

int wr_client_statement_bind(struct wr_client_statement *statement,
                             const struct ArrowSchema *schema, const struct ArrowArray *row,
                             struct weir_error *error) {
    void *data;
    size_t length;
    WR_TRY(wr_ipc_schema(schema, false, &data, &length, error));
    wr_free((void *)statement->bound_schema.data);
    statement->bound_schema = (struct wr_bytes){data, length};
    wr_buffer_clear(&statement->bound);
    return encode_row(statement, schema, row, error);
}

/* ---- Running ---- */

static int run_update(struct wr_client_statement *statement, struct ArrowArrayStream *ret_rows,
                      int64_t *ret_affected, struct weir_error *error) {
    struct wr_bytes metadata = {0};
    Flight__DoPutUpdateResult *result;
    int64_t affected = -1;
    WR_TRY(put(statement, "CommandPreparedStatementUpdate", &metadata, error));
    int code = WEIR_OK;
    if (metadata.data) {
        code = wr_flight_client_blame(
            error, WR_UNPACK(flight__do_put_update_result, metadata, &result, error));
        wr_free((void *)metadata.data);
        if (!code) {
            affected = result->record_count;
            wr_message_free(result);
        }
    }
    if (!code) code = wr_arrow_empty_stream(ret_rows, error);
    if (!code) *ret_affected = affected < 0 ? -1 : affected;
    return code;
}

/* A server may give the statement another handle when its parameters are bound. */
static int take_handle(struct wr_client_statement *statement, struct wr_bytes metadata,
                       struct weir_error *error) {
    Flight__DoPutPreparedStatementResult *result;
    if (metadata.length == 0) return WEIR_OK;
    WR_TRY(WR_UNPACK(flight__do_put_prepared_statement_result, metadata, &result, error));
    const ProtobufCBinaryData *handle = &result->prepared_statement_handle;
    void *copy = handle->len > 0 ? wr_malloc(handle->len) : NULL;
    int code = handle->len > 0 && !copy ? wr_error_memory(error) : WEIR_OK;
    if (copy) {
        memcpy(copy, handle->data, handle->len);
        wr_free((void *)statement->handle.data);
        statement->handle = (struct wr_bytes){copy, handle->len};
    }
    wr_message_free(result);
    return code;
}

static int bind_query(struct wr_client_statement *statement, struct weir_error *error) {
    struct wr_bytes metadata = {0};
    if (statement->bound_schema.length == 0) return WEIR_OK;
    WR_TRY(put(statement, "CommandPreparedStatementQuery", &metadata, error));
    int code = wr_flight_client_blame(error, take_handle(statement, metadata, error));
    wr_free((void *)metadata.data);
    return code;
}

static int run_query(struct wr_client_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct wr_bytes descriptor, message = {0};
    struct wr_buffer body;
    Flight__FlightInfo *info;
    WR_TRY(bind_query(statement, error));
    WR_TRY(pack_descriptor(statement, "CommandPreparedStatementQuery", &descriptor, error));
    wr_buffer_init(&body, CLIENT_MOST_REQUEST);
    wr_client_frame(&body, descriptor.data, descriptor.length);
    wr_free((void *)descriptor.data);
    WR_TRY(wr_flight_client_ask(statement->client, CLIENT_SERVICE "GetFlightInfo", &body, 0,
                                &message, error));
    int code = wr_flight_client_blame(error, WR_UNPACK(flight__flight_info, message, &info, error));
    wr_free((void *)message.data);
    if (code) return code;
    code = wr_client_rows_open(statement, info, ret_rows, error);
    wr_message_free(info);
    return code;
}

int wr_client_statement_execute(struct wr_client_statement *statement,
                                struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                                struct weir_error *error) {
    if (!statement->is_query) return run_update(statement, ret_rows, ret_affected, error);
    WR_TRY(run_query(statement, ret_rows, error));
    *ret_affected = -1;
    return WEIR_OK;
}

void wr_client_statement_progress(const struct wr_client_statement *statement, int64_t *ret_rows,
                                  int64_t *ret_bytes) {
    struct wr_flight_client *client = statement->client;
    pthread_mutex_lock(&client->mutex);
    *ret_bytes = wr_grpc_client_received(client->transport) - statement->received_before;
    pthread_mutex_unlock(&client->mutex);
    *ret_rows = atomic_load(&statement->rows);
}

/* ---- Closing ---- */

static void close_at_server(struct wr_client_statement *statement) {
    Flight__ActionClosePreparedStatementRequest request =
        FLIGHT__ACTION_CLOSE_PREPARED_STATEMENT_REQUEST__INIT;
    Flight__Action action = FLIGHT__ACTION__INIT;
    struct wr_bytes any, bytes, message = {0};
    struct wr_buffer body;
    request.has_prepared_statement_handle = true;
    request.prepared_statement_handle =
        (ProtobufCBinaryData){statement->handle.length, (uint8_t *)statement->handle.data};
    if (wr_any_pack("ActionClosePreparedStatementRequest", &request, &any, NULL)) return;
    action.type = (char *)"ClosePreparedStatement";
    action.has_body = true;
    action.body = (ProtobufCBinaryData){any.length, (uint8_t *)any.data};
    int code = wr_message_pack(&action, &bytes, NULL);
    wr_free((void *)any.data);
    if (code) return;
    wr_buffer_init(&body, CLIENT_MOST_REQUEST);
    wr_client_frame(&body, bytes.data, bytes.length);
    wr_free((void *)bytes.data);
    (void)wr_flight_client_ask(statement->client, CLIENT_SERVICE "DoAction", &body,
                               CLIENT_FAREWELL_MS, &message, NULL);
    wr_free((void *)message.data);
}

void wr_client_statement_close(struct wr_client_statement *statement) {
    if (!statement) return;
    if (statement->handle.length > 0 && wr_grpc_client_is_usable(statement->client->transport))
        close_at_server(statement);
    wr_free((void *)statement->handle.data);
    wr_free((void *)statement->bound_schema.data);
    wr_buffer_reset(&statement->bound);
    wr_arrow_release_schema(&statement->parameters);
    wr_free(statement);
}
