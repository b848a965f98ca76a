/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WR_FLIGHT_ACTION_H
#define WR_FLIGHT_ACTION_H

#include "flight/service.h"

/* An action that is being done. */
struct wr_flight_action {
    struct wr_flight_door *door;
    struct wr_grpc_call *call;
    struct wr_flight_session *session;
    struct wr_bytes body;
    struct wr_grpc_reply *ret_reply;
};

/* Its only result: a message, or one in an Any. */
int wr_flight_result(const struct wr_flight_action *action, const void *message,
                     struct weir_error *error);
int wr_flight_any_result(const struct wr_flight_action *action, const char *name,
                         const void *message, struct weir_error *error);
int wr_flight_no_result(const struct wr_flight_action *action);

int wr_flight_create_prepared(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_close_prepared(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_cancel_info(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_cancel_query(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_renew_endpoint(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_set_options(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_get_options(const struct wr_flight_action *action, struct weir_error *error);
int wr_flight_close_session(const struct wr_flight_action *action, struct weir_error *error);

#endif
