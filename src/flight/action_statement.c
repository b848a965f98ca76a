/* SPDX-License-Identifier: Apache-2.0 */
/* Actions on statements: prepared ones, and those that tickets stand for. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/action.h"
#include "nanoarrow/nanoarrow.h"

/* ---- Prepared statements ---- */

struct schemas {
    struct wr_bytes dataset, parameters;
};

static int encode(const struct ArrowSchema *schema, struct wr_bytes *ret_bytes,
                  struct weir_error *error) {
    void *data;
    WR_TRY(wr_ipc_schema(schema, true, &data, &ret_bytes->length, error));
    ret_bytes->data = data;
    return WEIR_OK;
}

/* A parameter takes any type that casts to its own: clients hear of the plain one. */
static int make_plain(struct ArrowSchema *schema) {
    const char *format = schema->format;
    if (strcmp(format, "vu") == 0) WR_TRY(ArrowSchemaSetFormat(schema, "u"));
    if (strcmp(format, "vz") == 0) WR_TRY(ArrowSchemaSetFormat(schema, "z"));
    if (schema->dictionary) {
        WR_TRY(ArrowSchemaSetFormat(schema, schema->dictionary->format));
        ArrowSchemaRelease(schema->dictionary);
        ArrowFree(schema->dictionary);
        schema->dictionary = NULL;
    }
    for (int64_t i = 0; i < schema->n_children; i++)
        WR_TRY(make_plain(schema->children[i]));
    return 0;
}

static int encode_parameters(const struct ArrowSchema *schema, struct wr_bytes *ret_bytes,
                             struct weir_error *error) {
    struct ArrowSchema plain;
    WR_TRY(wr_arrow_copy_schema(schema, &plain, error));
    int code = make_plain(&plain) ? wr_error_memory(error) : encode(&plain, ret_bytes, error);
    wr_arrow_release_schema(&plain);
    return code;
}

/* With the session entered. */
static int describe(struct wr_flight_statement *statement, struct schemas *schemas,
                    struct weir_error *error) {
    struct ArrowSchema schema;
    WR_TRY(encode(&statement->schema, &schemas->dataset, error));
    WR_TRY(weir_statement_parameters(statement->statement, &schema, error));
    int code = encode_parameters(&schema, &schemas->parameters, error);
    wr_arrow_release_schema(&schema);
    return code;
}

static ProtobufCBinaryData binary(struct wr_bytes bytes) {
    return (ProtobufCBinaryData){bytes.length, (uint8_t *)bytes.data};
}

static int answer_prepared(const struct wr_flight_action *action,
                           struct wr_flight_statement *statement, const struct schemas *schemas,
                           struct weir_error *error) {
    Flight__ActionCreatePreparedStatementResult result =
        FLIGHT__ACTION_CREATE_PREPARED_STATEMENT_RESULT__INIT;
    char id[WR_HANDLE_SIZE];
    WR_TRY(wr_flight_statement_add(action->door->prepared, statement, WR_FLIGHT_PREPARED_MS, id,
                                   error));
    result.has_prepared_statement_handle = result.has_dataset_schema = true;
    result.has_parameter_schema = result.has_is_update = true;
    result.prepared_statement_handle = (ProtobufCBinaryData){strlen(id), (uint8_t *)id};
    result.dataset_schema = binary(schemas->dataset);
    result.parameter_schema = binary(schemas->parameters);
    result.is_update = !statement->is_query;
    return wr_flight_any_result(action, "ActionCreatePreparedStatementResult", &result, error);
}

static int prepare(const struct wr_flight_action *action, const char *sql,
                   struct weir_error *error) {
    struct wr_flight_statement *statement = NULL;
    struct schemas schemas = {0};
    WR_TRY(wr_flight_session_enter(action->session, action->call, error));
    int code = wr_flight_statement_new(action->door, action->session, sql, &statement, error);
    if (!code) code = describe(statement, &schemas, error);
    wr_flight_session_leave(action->session, action->call);
    if (!code) code = answer_prepared(action, statement, &schemas, error);
    wr_free((void *)schemas.dataset.data);
    wr_free((void *)schemas.parameters.data);
    wr_flight_statement_release(statement);
    return code;
}

int wr_flight_create_prepared(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__ActionCreatePreparedStatementRequest *request;
    struct wr_any any;
    char *sql = NULL;
    WR_TRY(wr_any_unpack(action->body, &any, error));
    int code =
        WR_UNPACK(flight__action_create_prepared_statement_request, any.value, &request, error);
    wr_any_free(&any);
    if (code) return code;
    code = wr_flight_no_transaction(&request->transaction_id, error);
    if (!code) code = wr_message_text(&request->query, "the statement", &sql, error);
    wr_message_free(request);
    if (!code) code = prepare(action, sql, error);
    wr_free(sql);
    return code;
}

int wr_flight_close_prepared(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__ActionClosePreparedStatementRequest *request;
    struct wr_any any;
    WR_TRY(wr_any_unpack(action->body, &any, error));
    int code =
        WR_UNPACK(flight__action_close_prepared_statement_request, any.value, &request, error);
    wr_any_free(&any);
    if (code) return code;
    const ProtobufCBinaryData *id = &request->prepared_statement_handle;
    bool is_there = wr_handles_drop(action->door->prepared, action->session->owner,
                                    (const char *)id->data, id->len);
    wr_message_free(request);
    if (is_there) return wr_flight_no_result(action);
    return wr_error_set(error, WEIR_NOT_FOUND, "26000",
                        "there is no such prepared statement: it was closed or has expired");
}

/* ---- Tickets ---- */

/* The statement of an endpoint's ticket, with a reference; NULL: it is the catalog's. */
static int statement_of(const struct wr_flight_action *action,
                        const Flight__FlightEndpoint *endpoint,
                        struct wr_flight_statement **ret_statement, struct weir_error *error) {
    struct wr_any any;
    *ret_statement = NULL;
    if (!endpoint->ticket)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "an endpoint has no ticket");
    struct wr_bytes bytes = {endpoint->ticket->ticket.data, endpoint->ticket->ticket.len};
    WR_TRY(wr_any_unpack(bytes, &any, error));
    int code = WEIR_OK;
    if (strcmp(any.name, "TicketStatementQuery") == 0) {
        Flight__TicketStatementQuery *ticket;
        code = WR_UNPACK(flight__ticket_statement_query, any.value, &ticket, error);
        if (!code) {
            ProtobufCBinaryData id = ticket->statement_handle;
            if (id.len > WR_HANDLE_SIZE - 1) id.len = WR_HANDLE_SIZE - 1; /* a part's */
            code = wr_flight_statement_get(action->door->tickets, action->session, "ticket", &id,
                                           ret_statement, error);
            wr_message_free(ticket);
        }
    } else if (strcmp(any.name, "CommandPreparedStatementQuery") == 0) {
        Flight__CommandPreparedStatement *command;
        code = WR_UNPACK(flight__command_prepared_statement, any.value, &command, error);
        if (!code) {
            code = wr_flight_statement_get(
                action->door->prepared, action->session, "prepared statement",
                &command->prepared_statement_handle, ret_statement, error);
            wr_message_free(command);
        }
    }
    wr_any_free(&any);
    return code;
}

/* All tickets of a statement's are of the same one. */
static int cancel(const struct wr_flight_action *action, const Flight__FlightInfo *info,
                  Flight__CancelStatus *ret_status, struct weir_error *error) {
    struct wr_flight_statement *statement;
    if (!info || info->n_endpoint == 0) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "the request has no FlightInfo with an endpoint");
    }
    WR_TRY(statement_of(action, info->endpoint[0], &statement, error));
    if (!statement) {
        *ret_status = FLIGHT__CANCEL_STATUS__CANCEL_NOT_CANCELLABLE;
        return WEIR_OK;
    }
    bool has_ticket = statement->ticket[0];
    /* Who has redeemed the ticket may not have begun yet. */
    if (has_ticket) atomic_store(&statement->is_cancelled, true);
    int code = weir_statement_cancel(statement->statement, error);
    if (!code && has_ticket) {
        wr_handles_drop(action->door->tickets, statement->session->owner, statement->ticket,
                        WR_HANDLE_SIZE - 1);
    }
    wr_flight_statement_release(statement);
    if (!code) *ret_status = FLIGHT__CANCEL_STATUS__CANCEL_CANCELLED;
    return code;
}

int wr_flight_cancel_info(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__CancelFlightInfoRequest *request;
    Flight__CancelFlightInfoResult result = FLIGHT__CANCEL_FLIGHT_INFO_RESULT__INIT;
    WR_TRY(WR_UNPACK(flight__cancel_flight_info_request, action->body, &request, error));
    int code = cancel(action, request->info, &result.status, error);
    wr_message_free(request);
    result.has_status = true;
    return code ? code : wr_flight_result(action, &result, error);
}

int wr_flight_cancel_query(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__ActionCancelQueryRequest *request;
    Flight__FlightInfo *info = NULL;
    Flight__ActionCancelQueryResult result = FLIGHT__ACTION_CANCEL_QUERY_RESULT__INIT;
    struct wr_any any;
    WR_TRY(wr_any_unpack(action->body, &any, error));
    int code = WR_UNPACK(flight__action_cancel_query_request, any.value, &request, error);
    wr_any_free(&any);
    if (code) return code;
    struct wr_bytes bytes = {request->info.data, request->info.len};
    code = WR_UNPACK(flight__flight_info, bytes, &info, error);
    if (!code) code = cancel(action, info, &result.result, error);
    wr_message_free(info);
    wr_message_free(request);
    result.has_result = true;
    return code ? code : wr_flight_any_result(action, "ActionCancelQueryResult", &result, error);
}

/* Looking for it was a use, from which its time counts again. It may not be redeemed twice, so the
 * endpoint has no time of expiration, which would say that. */
int wr_flight_renew_endpoint(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__RenewFlightEndpointRequest *request;
    struct wr_flight_statement *statement = NULL;
    WR_TRY(WR_UNPACK(flight__renew_flight_endpoint_request, action->body, &request, error));
    int code = request->endpoint ? statement_of(action, request->endpoint, &statement, error)
                                 : wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                                                "the request has no endpoint");
    if (!code && statement && atomic_load(&statement->is_redeemed))
        code = wr_error_set(error, WEIR_NOT_FOUND, "26000", "the ticket was redeemed");
    if (!code) code = wr_flight_result(action, request->endpoint, error);
    wr_flight_statement_release(statement);
    wr_message_free(request);
    return code;
}
