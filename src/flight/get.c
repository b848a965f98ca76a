/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DoGet: tickets become rows. A statement's ticket is good once: what it gives may be another thing
 * the next time, or have changed something. Those of prepared statements and of the catalog are
 * commands, which run again each time.
 */
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/service.h"

struct get {
    struct wr_flight_door *door;
    struct wr_grpc_call *call;
    struct wr_flight_session *session;
};

static int no_ticket(struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "26000",
                        "there is no such ticket: it was redeemed, was cancelled, or has expired");
}

/* Runs a statement and answers its rows. */
static int run(const struct get *get, struct wr_flight_statement *statement,
               struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct ArrowArrayStream rows;
    int64_t affected;
    WR_TRY(wr_flight_statement_run(statement, get->call, &rows, &affected, error));
    int code = wr_flight_rows(get->session, statement, get->call, &rows, ret_reply, error);
    if (code) wr_arrow_release_stream(&rows);
    return code;
}

/* ---- Tickets of statements ---- */

/* "id", or "id:part". */
static int split(const ProtobufCBinaryData *handle, ProtobufCBinaryData *ret_id, int32_t *ret_part,
                 struct weir_error *error) {
    enum { ID = WR_HANDLE_SIZE - 1 };
    *ret_id = (ProtobufCBinaryData){handle->len < ID ? handle->len : ID, handle->data};
    *ret_part = -1;
    if (handle->len <= ID) return WEIR_OK;
    int32_t part = 0;
    if (handle->len < ID + 2 || handle->len > ID + 5 || handle->data[ID] != ':')
        return no_ticket(error);
    for (size_t i = ID + 1; i < handle->len; i++) {
        if (handle->data[i] < '0' || handle->data[i] > '9') return no_ticket(error);
        part = part * 10 + (handle->data[i] - '0');
    }
    *ret_part = part;
    return WEIR_OK;
}

/* One of several streams, which were begun with their tickets. */
static int get_part(const struct get *get, struct wr_flight_statement *statement, int32_t part,
                    struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    if (part >= statement->n_parts) return no_ticket(error);
    pthread_mutex_lock(&statement->mutex);
    if (statement->parts[part].release) wr_arrow_move_stream(&statement->parts[part], &rows);
    pthread_mutex_unlock(&statement->mutex);
    if (!rows.release) return no_ticket(error);
    int code = wr_flight_rows(get->session, statement, get->call, &rows, ret_reply, error);
    if (code) wr_arrow_release_stream(&rows);
    return code;
}

static int redeem(const struct get *get, struct wr_flight_statement *statement, int32_t part,
                  struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    if (statement->n_parts > 0)
        return part < 0 ? no_ticket(error) : get_part(get, statement, part, ret_reply, error);
    if (part >= 0 || atomic_exchange(&statement->is_redeemed, true)) return no_ticket(error);
    int code = run(get, statement, ret_reply, error);
    if (code)
        wr_handles_drop(get->door->tickets, statement->session->owner, statement->ticket,
                        WR_HANDLE_SIZE - 1);
    return code;
}

static int by_ticket(const struct get *get, const struct wr_any *any,
                     struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    Flight__TicketStatementQuery *ticket;
    struct wr_flight_statement *statement = NULL;
    ProtobufCBinaryData id;
    int32_t part;
    WR_TRY(WR_UNPACK(flight__ticket_statement_query, any->value, &ticket, error));
    int code = split(&ticket->statement_handle, &id, &part, error);
    if (!code &&
        wr_flight_statement_get(get->door->tickets, get->session, "ticket", &id, &statement, NULL))
        code = no_ticket(error);
    wr_message_free(ticket);
    if (!code) code = redeem(get, statement, part, ret_reply, error);
    wr_flight_statement_release(statement);
    return code;
}

/* ---- Commands as tickets ---- */

static int by_prepared(const struct get *get, const struct wr_any *any,
                       struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    Flight__CommandPreparedStatement *command;
    struct wr_flight_statement *statement;
    WR_TRY(WR_UNPACK(flight__command_prepared_statement, any->value, &command, error));
    int code = wr_flight_statement_get(get->door->prepared, get->session, "prepared statement",
                                       &command->prepared_statement_handle, &statement, error);
    wr_message_free(command);
    if (code) return code;
    code = run(get, statement, ret_reply, error);
    wr_flight_statement_release(statement);
    return code;
}

static int by_metadata(const struct get *get, const struct wr_any *any,
                       struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct ArrowArrayStream rows;
    WR_TRY(wr_flight_session_enter(get->session, get->call, error));
    int code = wr_flight_metadata_rows(get->session, any, &rows, error);
    wr_flight_session_leave(get->session, get->call);
    if (code) return code;
    code = wr_flight_rows(get->session, NULL, get->call, &rows, ret_reply, error);
    if (code) wr_arrow_release_stream(&rows);
    return code;
}

static int by_any(const struct get *get, const struct wr_any *any, struct wr_grpc_reply *ret_reply,
                  struct weir_error *error) {
    if (strcmp(any->name, "TicketStatementQuery") == 0)
        return by_ticket(get, any, ret_reply, error);
    if (strcmp(any->name, "CommandPreparedStatementQuery") == 0)
        return by_prepared(get, any, ret_reply, error);
    if (wr_flight_is_metadata(any)) return by_metadata(get, any, ret_reply, error);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "%s is no ticket: tickets come from GetFlightInfo", any->name);
}

static int get_rows(const struct get *get, struct wr_bytes request, struct wr_grpc_reply *ret_reply,
                    struct weir_error *error) {
    Flight__Ticket *ticket;
    struct wr_any any;
    WR_TRY(WR_UNPACK(flight__ticket, request, &ticket, error));
    struct wr_bytes bytes = {ticket->ticket.data, ticket->ticket.len};
    int code = wr_any_unpack(bytes, &any, error);
    wr_message_free(ticket);
    if (code) return code;
    code = by_any(get, &any, ret_reply, error);
    wr_any_free(&any);
    return code;
}

int wr_flight_do_get(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                     struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct get get = {.door = context, .call = call};
    int code = wr_flight_session_of(get.door, call, &get.session, error);
    if (code) return wr_flight_error(code, error);
    code = get_rows(&get, (struct wr_bytes){request, length}, ret_reply, error);
    wr_flight_session_release(get.session);
    return wr_flight_error(code, error);
}
