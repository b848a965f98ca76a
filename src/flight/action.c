/* SPDX-License-Identifier: Apache-2.0 */
/* DoAction and ListActions. */
#include "flight/action.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- Results ---- */

static int answer(const struct wr_flight_action *action, struct wr_bytes bytes,
                  struct weir_error *error) {
    Flight__Result result = FLIGHT__RESULT__INIT;
    result.has_body = true;
    result.body = (ProtobufCBinaryData){bytes.length, (uint8_t *)bytes.data};
    int code = wr_message_reply(&result, action->ret_reply, error);
    wr_free((void *)bytes.data);
    return code;
}

int wr_flight_result(const struct wr_flight_action *action, const void *message,
                     struct weir_error *error) {
    struct wr_bytes bytes;
    WR_TRY(wr_message_pack(message, &bytes, error));
    return answer(action, bytes, error);
}

int wr_flight_any_result(const struct wr_flight_action *action, const char *name,
                         const void *message, struct weir_error *error) {
    struct wr_bytes bytes;
    WR_TRY(wr_any_pack(name, message, &bytes, error));
    return answer(action, bytes, error);
}

static int no_more(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message, bool *ret_end,
                   struct weir_error *error) {
    (void)reply;
    (void)ret_message;
    (void)error;
    *ret_end = true;
    return WEIR_OK;
}

int wr_flight_no_result(const struct wr_flight_action *action) {
    *action->ret_reply = (struct wr_grpc_reply){.next = no_more};
    return WEIR_OK;
}

/* ---- Refusals ---- */

int wr_flight_unsupported(const char *command, struct weir_error *error) {
    const char *why = strstr(command, "Substrait") ? "Substrait plans are not taken: send SQL"
                                                   : "this server does not do it";
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000", "%s: %s", command, why);
}

int wr_flight_no_transaction(const ProtobufCBinaryData *transaction_id, struct weir_error *error) {
    if (transaction_id->len == 0) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "25000",
                        "there is no such transaction: each statement is one of its own");
}

static int no_transactions(const struct wr_flight_action *action, struct weir_error *error) {
    (void)action;
    return wr_error_set(
        error, WEIR_NOT_IMPLEMENTED, "0A000",
        "there are no transactions or savepoints: each statement is one of its own");
}

static int no_substrait(const struct wr_flight_action *action, struct weir_error *error) {
    (void)action;
    return wr_flight_unsupported("CreatePreparedSubstraitPlan", error);
}

/* ---- The list ---- */

static const struct kind {
    const char *name;
    int (*run)(const struct wr_flight_action *action, struct weir_error *error);
    const char *help; /* NULL: not listed, since it only says that it is not done */
} kinds[] = {
    {"CreatePreparedStatement", wr_flight_create_prepared,
     "plans a statement: ActionCreatePreparedStatementRequest, -Result"},
    {"ClosePreparedStatement", wr_flight_close_prepared,
     "drops a prepared statement: ActionClosePreparedStatementRequest"},
    {"CancelFlightInfo", wr_flight_cancel_info,
     "ends what a FlightInfo's tickets run: CancelFlightInfoRequest, -Result"},
    {"CancelQuery", wr_flight_cancel_query,
     "the same, deprecated: ActionCancelQueryRequest, -Result"},
    {"RenewFlightEndpoint", wr_flight_renew_endpoint,
     "a ticket that was not redeemed lives longer: RenewFlightEndpointRequest, FlightEndpoint"},
    {"SetSessionOptions", wr_flight_set_options,
     "sets catalog, schema and settings: SetSessionOptionsRequest, -Result"},
    {"GetSessionOptions", wr_flight_get_options,
     "what the session has: GetSessionOptionsRequest, -Result"},
    {"CloseSession", wr_flight_close_session, "ends the session: CloseSessionRequest, -Result"},
    {"BeginTransaction", no_transactions, NULL},
    {"EndTransaction", no_transactions, NULL},
    {"BeginSavepoint", no_transactions, NULL},
    {"EndSavepoint", no_transactions, NULL},
    {"CreatePreparedSubstraitPlan", no_substrait, NULL},
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

static int dispatch(const struct wr_flight_action *action, const char *type,
                    struct weir_error *error) {
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, type) == 0) return kinds[i].run(action, error);
    }
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000", "there is no action \"%s\"", type);
}

int wr_flight_do_action(void *context, struct wr_grpc_call *call, const void *request,
                        size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct wr_flight_action action = {.door = context, .call = call, .ret_reply = ret_reply};
    Flight__Action *message;
    int code = wr_flight_session_of(action.door, call, &action.session, error);
    if (code) return wr_flight_error(code, error);
    code = WR_UNPACK(flight__action, ((struct wr_bytes){request, length}), &message, error);
    if (!code) {
        action.body = (struct wr_bytes){message->body.data, message->body.len};
        code = dispatch(&action, message->type ? message->type : "", error);
        wr_message_free(message);
    }
    wr_flight_session_release(action.session);
    return wr_flight_error(code, error);
}

/* ---- ListActions ---- */

struct list {
    size_t at;
};

static int next_kind(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message,
                     bool *ret_end, struct weir_error *error) {
    struct list *list = reply->private_data;
    Flight__ActionType type = FLIGHT__ACTION_TYPE__INIT;
    if (list->at == N_KINDS || !kinds[list->at].help) {
        *ret_end = true;
        return WEIR_OK;
    }
    type.type = (char *)kinds[list->at].name;
    type.description = (char *)kinds[list->at].help;
    list->at++;
    return wr_message_outgoing(&type, ret_message, error);
}

static void free_list(struct wr_grpc_reply *reply) {
    wr_free(reply->private_data);
}

int wr_flight_list_actions(void *context, struct wr_grpc_call *call, const void *request,
                           size_t length, struct wr_grpc_reply *ret_reply,
                           struct weir_error *error) {
    struct wr_flight_session *session;
    (void)request;
    (void)length;
    int code = wr_flight_session_of(context, call, &session, error);
    if (code) return wr_flight_error(code, error);
    wr_flight_session_release(session);
    struct list *list = wr_calloc(1, sizeof *list);
    if (!list) return wr_error_memory(error);
    *ret_reply =
        (struct wr_grpc_reply){.next = next_kind, .release = free_list, .private_data = list};
    return WEIR_OK;
}
