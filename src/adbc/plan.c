/* SPDX-License-Identifier: Apache-2.0 */
/* Planned statements, counted by reference. */
#include "adbc/adbc.h"
#include "base/alloc.h"
#include "base/error.h"

int wr_driver_cancelled(struct weir_error *error) {
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
}

int wr_driver_plan_new(struct wr_driver_connection *connection, const char *sql,
                       struct wr_driver_plan **ret_plan, struct weir_error *error) {
    struct wr_driver_plan *plan = wr_calloc(1, sizeof *plan);
    if (!plan) return wr_error_memory(error);
    int code = weir_prepare(connection->session, sql, &plan->statement, error);
    if (code) {
        wr_free(plan);
        return code;
    }
    atomic_init(&plan->references, 1);
    atomic_init(&plan->cancelled, false);
    plan->connection = wr_driver_connection_retain(connection);
    *ret_plan = plan;
    return WEIR_OK;
}

struct wr_driver_plan *wr_driver_plan_retain(struct wr_driver_plan *plan) {
    atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
    return plan;
}

void wr_driver_plan_release(struct wr_driver_plan *plan) {
    if (!plan) return;
    if (atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) > 1) return;
    weir_statement_close(plan->statement);
    wr_driver_connection_release(plan->connection);
    wr_free(plan);
}
