/* SPDX-License-Identifier: Apache-2.0 */
/* What a flight is, before its rows: GetFlightInfo, PollFlightInfo, GetSchema, ListFlights. A
 * statement is planned here and run by DoGet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "flight/service.h"

enum { MOST_ENDPOINTS = 256 };

/* An answer while it is put together. */
struct info {
    struct wr_flight_door *door;
    struct wr_grpc_call *call;
    struct wr_flight_session *session;
    const Flight__FlightDescriptor *descriptor;
    bool wants_schema_only;
    struct ArrowSchema schema;
    struct wr_bytes *tickets;
    size_t n_tickets;
};

static void reset(struct info *info) {
    wr_arrow_release_schema(&info->schema);
    for (size_t i = 0; i < info->n_tickets; i++)
        wr_free((void *)info->tickets[i].data);
    wr_free(info->tickets);
}

static int add_ticket(struct info *info, struct wr_bytes ticket, struct weir_error *error) {
    struct wr_bytes *tickets = wr_reallocarray(info->tickets, info->n_tickets + 1, sizeof *tickets);
    if (!tickets) {
        wr_free((void *)ticket.data);
        return wr_error_memory(error);
    }
    info->tickets = tickets;
    tickets[info->n_tickets++] = ticket;
    return WEIR_OK;
}

/* ---- Statements ---- */

static int add_statement_ticket(struct info *info, const char *handle, struct weir_error *error) {
    Flight__TicketStatementQuery ticket = FLIGHT__TICKET_STATEMENT_QUERY__INIT;
    struct wr_bytes bytes;
    ticket.has_statement_handle = true;
    ticket.statement_handle = (ProtobufCBinaryData){strlen(handle), (uint8_t *)handle};
    WR_TRY(wr_any_pack("TicketStatementQuery", &ticket, &bytes, error));
    return add_ticket(info, bytes, error);
}

/* How many streams the client reads at the same time, by a header or its session. */
static int n_endpoints_of(const struct info *info, int *ret_n, struct weir_error *error) {
    const char *header = wr_grpc_header(info->call, "weir-endpoints", NULL);
    char *end;
    *ret_n = atomic_load(&info->session->n_endpoints);
    if (!header) return WEIR_OK;
    long n = strtol(header, &end, 10);
    if (!*header || *end || n < 1 || n > MOST_ENDPOINTS) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "the header weir-endpoints is a number from 1 to %d", MOST_ENDPOINTS);
    }
    *ret_n = (int)n;
    return WEIR_OK;
}

/* With the session entered. More than one part has to be begun to be counted. */
static int begin_parts(struct info *info, struct wr_flight_statement *statement,
                       struct weir_error *error) {
    int n_endpoints = 1;
    WR_TRY(n_endpoints_of(info, &n_endpoints, error));
    if (n_endpoints == 1 || !statement->is_query) return WEIR_OK;
    WR_TRY(weir_statement_execute_parts(statement->statement, n_endpoints, &statement->parts,
                                        &statement->n_parts, error));
    atomic_store(&statement->n_parts_left, statement->n_parts);
    return WEIR_OK;
}

static int add_tickets(struct info *info, struct wr_flight_statement *statement,
                       struct weir_error *error) {
    char id[WR_HANDLE_SIZE], part[WR_HANDLE_SIZE + 16];
    WR_TRY(wr_flight_statement_add(info->door->tickets, statement, WR_FLIGHT_TICKET_MS, id, error));
    memcpy(statement->ticket, id, sizeof id);
    if (statement->n_parts == 0) return add_statement_ticket(info, id, error);
    for (int32_t i = 0; i < statement->n_parts; i++) {
        snprintf(part, sizeof part, "%s:%d", id, (int)i);
        WR_TRY(add_statement_ticket(info, part, error));
    }
    return WEIR_OK;
}

static int plan(struct info *info, const char *sql, struct weir_error *error) {
    struct wr_flight_statement *statement;
    WR_TRY(wr_flight_session_enter(info->session, info->call, error));
    int code = wr_flight_statement_new(info->door, info->session, sql, &statement, error);
    if (code) {
        wr_flight_session_leave(info->session, info->call);
        return code;
    }
    code = wr_arrow_copy_schema(&statement->schema, &info->schema, error);
    if (!code && !info->wants_schema_only) code = begin_parts(info, statement, error);
    wr_flight_session_leave(info->session, info->call);
    if (!code && !info->wants_schema_only) code = add_tickets(info, statement, error);
    wr_flight_statement_release(statement);
    return code;
}

static int of_statement(struct info *info, const struct wr_any *any, struct weir_error *error) {
    Flight__CommandStatement *command;
    char *sql = NULL;
    WR_TRY(WR_UNPACK(flight__command_statement, any->value, &command, error));
    int code = wr_flight_no_transaction(&command->transaction_id, error);
    if (!code) code = wr_message_text(&command->query, "the statement", &sql, error);
    if (!code) code = plan(info, sql, error);
    wr_free(sql);
    wr_message_free(command);
    return code;
}

/* ---- Other commands ---- */

/* The ticket is the command itself. */
static int add_command(struct info *info, struct weir_error *error) {
    const ProtobufCBinaryData *command = &info->descriptor->cmd;
    void *copy = wr_malloc(command->len);
    if (!copy) return wr_error_memory(error);
    memcpy(copy, command->data, command->len);
    return add_ticket(info, (struct wr_bytes){copy, command->len}, error);
}

/* One ticket that may be used again, or for several streams a run of its own that is begun now. */
static int of_query(struct info *info, struct wr_flight_statement *statement,
                    struct weir_error *error) {
    int n_endpoints = 1;
    WR_TRY(n_endpoints_of(info, &n_endpoints, error));
    if (n_endpoints > 1 && statement->is_query && !info->wants_schema_only &&
        !wr_flight_statement_is_bound(statement))
        return plan(info, statement->sql, error);
    WR_TRY(wr_arrow_copy_schema(&statement->schema, &info->schema, error));
    return add_command(info, error);
}

static int of_prepared(struct info *info, const struct wr_any *any, struct weir_error *error) {
    Flight__CommandPreparedStatement *command;
    struct wr_flight_statement *statement;
    WR_TRY(WR_UNPACK(flight__command_prepared_statement, any->value, &command, error));
    int code = wr_flight_statement_get(info->door->prepared, info->session, "prepared statement",
                                       &command->prepared_statement_handle, &statement, error);
    wr_message_free(command);
    if (code) return code;
    code = of_query(info, statement, error);
    wr_flight_statement_release(statement);
    return code;
}

static int of_command(struct info *info, struct weir_error *error) {
    struct wr_any any;
    struct wr_bytes bytes = {info->descriptor->cmd.data, info->descriptor->cmd.len};
    WR_TRY(wr_any_unpack(bytes, &any, error));
    int code;
    if (strcmp(any.name, "CommandStatementQuery") == 0) {
        code = of_statement(info, &any, error);
    } else if (strcmp(any.name, "CommandPreparedStatementQuery") == 0) {
        code = of_prepared(info, &any, error);
    } else if (wr_flight_is_metadata(&any)) {
        code = wr_flight_metadata_schema(&any, &info->schema, error);
        if (!code) code = add_command(info, error);
    } else {
        code = wr_flight_unsupported(any.name, error);
    }
    wr_any_free(&any);
    return code;
}

/* A path names a table: its rows. */
static int of_path(struct info *info, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "SELECT * FROM ");
    for (size_t i = 0; i < info->descriptor->n_path; i++) {
        if (i > 0) wr_buffer_char(&sql, '.');
        wr_buffer_identifier(&sql, info->descriptor->path[i]);
    }
    int code = sql.failed ? wr_error_memory(error) : plan(info, sql.data, error);
    wr_buffer_reset(&sql);
    return code;
}

static int make(struct info *info, struct weir_error *error) {
    const Flight__FlightDescriptor *descriptor = info->descriptor;
    if (descriptor->cmd.len > 0) return of_command(info, error);
    if (descriptor->n_path > 0) return of_path(info, error);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "the descriptor has neither a command nor a path");
}

/* ---- Answers ---- */

typedef int (*answer_fn)(const Flight__FlightInfo *message, struct wr_grpc_reply *ret_reply,
                         struct weir_error *error);

static int answer_info(const Flight__FlightInfo *message, struct wr_grpc_reply *ret_reply,
                       struct weir_error *error) {
    return wr_message_reply(message, ret_reply, error);
}

static int answer_poll(const Flight__FlightInfo *message, struct wr_grpc_reply *ret_reply,
                       struct weir_error *error) {
    Flight__PollInfo poll = FLIGHT__POLL_INFO__INIT;
    /* It is complete at once: there is no descriptor to ask again with. */
    poll.info = (Flight__FlightInfo *)message;
    poll.has_progress = true;
    poll.progress = 1;
    return wr_message_reply(&poll, ret_reply, error);
}

static int answer_schema(const Flight__FlightInfo *message, struct wr_grpc_reply *ret_reply,
                         struct weir_error *error) {
    Flight__SchemaResult result = FLIGHT__SCHEMA_RESULT__INIT;
    result.has_schema = true;
    result.schema = message->schema;
    return wr_message_reply(&result, ret_reply, error);
}

static void fill_endpoints(const struct info *info, Flight__FlightInfo *message,
                           Flight__FlightEndpoint *endpoints, Flight__Ticket *tickets,
                           Flight__FlightEndpoint **pointers) {
    for (size_t i = 0; i < info->n_tickets; i++) {
        flight__ticket__init(&tickets[i]);
        tickets[i].has_ticket = true;
        tickets[i].ticket =
            (ProtobufCBinaryData){info->tickets[i].length, (uint8_t *)info->tickets[i].data};
        flight__flight_endpoint__init(&endpoints[i]);
        endpoints[i].ticket = &tickets[i];
        pointers[i] = &endpoints[i];
    }
    message->n_endpoint = info->n_tickets;
    message->endpoint = pointers;
}

static int send_answer(const struct info *info, answer_fn answer, struct wr_grpc_reply *ret_reply,
                       struct weir_error *error) {
    Flight__FlightInfo message = FLIGHT__FLIGHT_INFO__INIT;
    void *schema;
    size_t length, n = info->n_tickets;
    WR_TRY(wr_ipc_schema(&info->schema, true, &schema, &length, error));
    Flight__FlightEndpoint *endpoints = wr_calloc(n, sizeof *endpoints);
    Flight__FlightEndpoint **pointers = wr_calloc(n, sizeof *pointers);
    Flight__Ticket *tickets = wr_calloc(n, sizeof *tickets);
    int code = endpoints && pointers && tickets ? WEIR_OK : wr_error_memory(error);
    if (!code) {
        fill_endpoints(info, &message, endpoints, tickets, pointers);
        message.has_schema = true;
        message.schema = (ProtobufCBinaryData){length, schema};
        message.flight_descriptor = (Flight__FlightDescriptor *)info->descriptor;
        message.has_total_records = message.has_total_bytes = true;
        message.total_records = message.total_bytes = -1;
        code = answer(&message, ret_reply, error);
    }
    wr_free(tickets);
    wr_free(pointers);
    wr_free(endpoints);
    wr_free(schema);
    return code;
}

static int ask(void *context, struct wr_grpc_call *call, struct wr_bytes request, answer_fn answer,
               struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct info info = {
        .door = context, .call = call, .wants_schema_only = answer == answer_schema};
    Flight__FlightDescriptor *descriptor;
    WR_TRY(wr_flight_session_of(info.door, call, &info.session, error));
    int code = WR_UNPACK(flight__flight_descriptor, request, &descriptor, error);
    if (!code) {
        info.descriptor = descriptor;
        code = make(&info, error);
        if (!code) code = send_answer(&info, answer, ret_reply, error);
        reset(&info);
        wr_message_free(descriptor);
    }
    wr_flight_session_release(info.session);
    return code;
}

int wr_flight_get_info(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                       struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct wr_bytes bytes = {request, length};
    return wr_flight_error(ask(context, call, bytes, answer_info, ret_reply, error), error);
}

int wr_flight_poll_info(void *context, struct wr_grpc_call *call, const void *request,
                        size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct wr_bytes bytes = {request, length};
    return wr_flight_error(ask(context, call, bytes, answer_poll, ret_reply, error), error);
}

int wr_flight_get_schema(void *context, struct wr_grpc_call *call, const void *request,
                         size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct wr_bytes bytes = {request, length};
    return wr_flight_error(ask(context, call, bytes, answer_schema, ret_reply, error), error);
}

/* ---- Lists ---- */

static int no_more(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message, bool *ret_end,
                   struct weir_error *error) {
    (void)reply;
    (void)ret_message;
    (void)error;
    *ret_end = true;
    return WEIR_OK;
}

/* Flights are made by commands; the tables that there are is CommandGetTables' to say. */
int wr_flight_list_flights(void *context, struct wr_grpc_call *call, const void *request,
                           size_t length, struct wr_grpc_reply *ret_reply,
                           struct weir_error *error) {
    struct wr_flight_session *session;
    (void)request;
    (void)length;
    int code = wr_flight_session_of(context, call, &session, error);
    if (code) return wr_flight_error(code, error);
    wr_flight_session_release(session);
    *ret_reply = (struct wr_grpc_reply){.next = no_more};
    return WEIR_OK;
}
