/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a result: what DoGet sends for each endpoint, decoded. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/client_state.h"

struct client_rows {
    struct wr_client_statement *statement;
    struct wr_bytes *tickets; /* messages, packed */
    size_t n_tickets, at;     /* of the one that is next */
    struct wr_client_call *call;
    struct wr_ipc_decoder *decoder;
    struct ArrowSchema schema; /* of the first endpoint: the others have the same */
};

static void close_call(struct client_rows *rows) {
    wr_client_call_end(rows->call);
    wr_ipc_decoder_free(rows->decoder);
    rows->call = NULL;
    rows->decoder = NULL;
}

static void close_rows(void *context) {
    struct client_rows *rows = context;
    close_call(rows);
    for (size_t i = 0; i < rows->n_tickets; i++)
        wr_free((void *)rows->tickets[i].data);
    wr_free(rows->tickets);
    wr_arrow_release_schema(&rows->schema);
    wr_free(rows);
}

/* ---- Schemas ---- */

static int cut(struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_DATA, "08P01", "a schema is not framed as it should");
}

int wr_client_decode_schema(const ProtobufCBinaryData *bytes, struct ArrowSchema *ret_schema,
                            struct weir_error *error) {
    const unsigned char *data = bytes->data;
    struct wr_ipc_decoder *decoder;
    enum wr_ipc_message type;
    struct ArrowArray none = {0};
    if (bytes->len < 8 || memcmp(data, "\xff\xff\xff\xff", 4) != 0) return cut(error);
    uint32_t length = (uint32_t)data[4] | (uint32_t)data[5] << 8 | (uint32_t)data[6] << 16 |
                      (uint32_t)data[7] << 24;
    if (length > bytes->len - 8) return cut(error);
    WR_TRY(wr_ipc_decoder_new(&decoder, error));
    int code = wr_ipc_decode(decoder, data + 8, length, NULL, 0, &type, ret_schema, &none, error);
    wr_arrow_release_array(&none);
    wr_ipc_decoder_free(decoder);
    return code;
}

/* ---- Messages ---- */

static int decode(struct client_rows *rows, const struct wr_incoming *message, bool *ret_is_batch,
                  struct ArrowSchema *schema, struct ArrowArray *array, struct weir_error *error) {
    struct wr_flight_data data;
    enum wr_ipc_message type;
    *ret_is_batch = false;
    WR_TRY(wr_flight_data_parse(message->data, message->length, &data, error));
    if (data.header.length == 0) return WEIR_OK; /* only the application's metadata */
    WR_TRY(wr_ipc_decode(rows->decoder, data.header.data, data.header.length, data.body.data,
                         data.body.length, &type, schema, array, error));
    *ret_is_batch = type == WR_IPC_BATCH;
    return WEIR_OK;
}

/* Until there is a schema or a batch; neither has anything to release at the end. */
static int read_on(struct client_rows *rows, struct ArrowSchema *schema, struct ArrowArray *array,
                   struct weir_error *error) {
    struct wr_incoming *message;
    bool is_batch = false;
    while (!schema->release && !is_batch) {
        WR_TRY(wr_flight_client_read(rows->statement->client, rows->call, &message, error));
        if (!message) return WEIR_OK;
        int code = decode(rows, message, &is_batch, schema, array, error);
        wr_client_call_release(rows->call, message);
        if (code) return wr_flight_client_blame(error, code);
    }
    return WEIR_OK;
}

/* ---- Endpoints ---- */

static int begin(struct client_rows *rows, struct weir_error *error) {
    struct wr_bytes ticket = rows->tickets[rows->at];
    struct wr_buffer body;
    WR_TRY(wr_ipc_decoder_new(&rows->decoder, error));
    wr_buffer_init(&body, CLIENT_MOST_REQUEST);
    wr_client_frame(&body, ticket.data, ticket.length);
    WR_TRY(wr_flight_client_begin(rows->statement->client, CLIENT_SERVICE "DoGet", &body, 0,
                                  &rows->call, error));
    rows->at++;
    return WEIR_OK;
}

/* Begins the next endpoint and reads its schema. */
static int next_endpoint(struct client_rows *rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    close_call(rows);
    WR_TRY(begin(rows, error));
    WR_TRY(read_on(rows, &schema, &array, error));
    wr_arrow_release_array(&array);
    if (!schema.release)
        return wr_error_set(error, WEIR_INVALID_DATA, "08P01",
                            "the server's result does not begin with a schema");
    if (!rows->schema.release) {
        rows->schema = schema;
        return WEIR_OK;
    }
    bool is_alike = wr_arrow_same_types(&schema, &rows->schema);
    wr_arrow_release_schema(&schema);
    if (is_alike) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_DATA, "08P01",
                        "the parts of the server's result have different columns");
}

static int next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct client_rows *rows = context;
    for (;;) {
        struct ArrowSchema schema = {0};
        struct ArrowArray array = {0};
        WR_TRY(read_on(rows, &schema, &array, error));
        wr_arrow_release_schema(&schema);
        if (array.release) {
            atomic_fetch_add(&rows->statement->rows, array.length);
            *ret_array = array;
            return WEIR_OK;
        }
        if (rows->at == rows->n_tickets) {
            ret_array->release = NULL;
            return WEIR_OK;
        }
        WR_TRY(next_endpoint(rows, error));
    }
}

/* ---- Opening ---- */

static int take_tickets(struct client_rows *rows, const Flight__FlightInfo *info,
                        struct weir_error *error) {
    if (info->n_endpoint == 0 || info->n_endpoint > CLIENT_MOST_ENDPOINTS)
        return wr_error_set(error, WEIR_INVALID_DATA, "08P01",
                            "the server's result has %zu parts, not 1 to %d", info->n_endpoint,
                            CLIENT_MOST_ENDPOINTS);
    rows->tickets = wr_calloc(info->n_endpoint, sizeof *rows->tickets);
    if (!rows->tickets) return wr_error_memory(error);
    for (; rows->n_tickets < info->n_endpoint; rows->n_tickets++) {
        const Flight__FlightEndpoint *endpoint = info->endpoint[rows->n_tickets];
        if (!endpoint->ticket)
            return wr_error_set(error, WEIR_INVALID_DATA, "08P01",
                                "a part of the server's result has no ticket");
        if (endpoint->n_location > 0)
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                                "the server wants its rows fetched from elsewhere (%zu locations), "
                                "which is not done",
                                endpoint->n_location);
        WR_TRY(wr_message_pack(endpoint->ticket, &rows->tickets[rows->n_tickets], error));
    }
    return WEIR_OK;
}

int wr_client_rows_open(struct wr_client_statement *statement, const Flight__FlightInfo *info,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct client_rows *rows = wr_calloc(1, sizeof *rows);
    if (!rows) return wr_error_memory(error);
    rows->statement = statement;
    int code = take_tickets(rows, info, error);
    if (!code) code = next_endpoint(rows, error);
    if (!code) code = wr_arrow_copy_schema(&rows->schema, &schema, error);
    if (!code) code = wr_arrow_callback_stream(&schema, next, close_rows, rows, ret_rows, error);
    wr_arrow_release_schema(&schema);
    if (code) close_rows(rows);
    return code;
}
