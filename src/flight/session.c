/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "door/door.h"
#include "flight/service.h"

enum { LOOK_MS = 50 }; /* how often a waiting call looks whether it is over */

struct wr_flight_session *wr_flight_session_retain(struct wr_flight_session *session) {
    atomic_fetch_add_explicit(&session->n_references, 1, memory_order_relaxed);
    return session;
}

void wr_flight_session_release(void *object) {
    struct wr_flight_session *session = object;
    if (!session) return;
    if (atomic_fetch_sub_explicit(&session->n_references, 1, memory_order_acq_rel) > 1) return;
    weir_session_close(session->session);
    for (size_t i = 0; i < session->n_options; i++) {
        wr_free((void *)session->options[i].key);
        wr_free((void *)session->options[i].value);
    }
    wr_free(session->options);
    wr_free(session->owner);
    pthread_cond_destroy(&session->is_free);
    pthread_mutex_destroy(&session->mutex);
    wr_free(session);
}

int wr_flight_session_new(struct wr_flight_door *door, const struct weir_principal *principal,
                          const char *peer, struct wr_flight_session **ret_session,
                          struct weir_error *error) {
    struct weir_session_options options = {
        .size = sizeof options,
        .settings = wr_door_settings,
        .n_settings = wr_door_n_settings,
        .principal = principal,
        .door = "flight",
        .peer = peer,
    };
    struct wr_flight_session *session = wr_calloc(1, sizeof *session);
    if (!session) return wr_error_memory(error);
    atomic_init(&session->n_references, 1);
    atomic_init(&session->n_endpoints, 1);
    pthread_mutex_init(&session->mutex, NULL);
    wr_condition_init(&session->is_free);
    session->expires = weir_principal_expires(principal);
    session->owner = wr_strdup(weir_principal_name(principal));
    int code = session->owner
                   ? weir_session_open(door->workspace, &options, &session->session, error)
                   : wr_error_memory(error);
    if (code) {
        wr_flight_session_release(session);
        return code;
    }
    *ret_session = session;
    return WEIR_OK;
}

static void interrupt(void *context) {
    struct wr_flight_session *session = context;
    weir_session_interrupt(session->session);
}

static void wait_a_little(struct wr_flight_session *session) {
    struct timespec until = wr_condition_deadline(LOOK_MS);
    pthread_cond_timedwait(&session->is_free, &session->mutex, &until);
}

int wr_flight_session_enter(struct wr_flight_session *session, struct wr_grpc_call *call,
                            struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&session->mutex);
    while (session->is_busy && !wr_grpc_is_over(call))
        wait_a_little(session);
    if (wr_grpc_is_over(call)) {
        code = wr_error_set(error, WEIR_CANCELLED, NULL, "the call is over");
    } else if (session->is_closed) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "26000", "the session was closed");
    } else {
        session->is_busy = true;
    }
    pthread_mutex_unlock(&session->mutex);
    if (code) return code;
    wr_grpc_on_cancel(call, interrupt, session);
    /* What ended before that has interrupted nothing. */
    if (!wr_grpc_is_over(call)) return WEIR_OK;
    wr_flight_session_leave(session, call);
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the call is over");
}

/* Closes what was released while somebody else had entered. */
static void close_doomed(struct wr_flight_session *session) {
    struct wr_flight_statement *doomed = session->doomed;
    while (doomed) {
        session->doomed = NULL;
        pthread_mutex_unlock(&session->mutex);
        while (doomed) {
            struct wr_flight_statement *next = doomed->next_doomed;
            wr_flight_statement_destroy(doomed);
            doomed = next;
        }
        pthread_mutex_lock(&session->mutex);
        doomed = session->doomed;
    }
}

static void leave(struct wr_flight_session *session) {
    pthread_mutex_lock(&session->mutex);
    close_doomed(session);
    session->is_busy = false;
    pthread_cond_signal(&session->is_free);
    pthread_mutex_unlock(&session->mutex);
}

void wr_flight_session_leave(struct wr_flight_session *session, struct wr_grpc_call *call) {
    wr_grpc_on_cancel(call, NULL, NULL);
    leave(session);
}

void wr_flight_session_doom(struct wr_flight_session *session,
                            struct wr_flight_statement *statement) {
    wr_flight_session_retain(session); /* the statement's reference goes with it */
    pthread_mutex_lock(&session->mutex);
    statement->next_doomed = session->doomed;
    session->doomed = statement;
    bool is_mine = !session->is_busy;
    if (is_mine) session->is_busy = true;
    pthread_mutex_unlock(&session->mutex);
    if (is_mine) leave(session);
    wr_flight_session_release(session);
}
