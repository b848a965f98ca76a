/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the service: where they run, what they are told, and what becomes of what they
 * make. */
#include <stddef.h>

#include "base/clock.h"
#include "base/condition.h"
#include "base/error.h"
#include "flight/grpc_call.h"
#include "flight/grpc_server.h"

static int complain_over(const struct wr_grpc_call *call, struct weir_error *error) {
    if (call->deadline <= wr_clock_ms())
        return wr_error_set(error, WEIR_TIMEOUT, NULL, "the client's deadline has passed");
    return wr_error_set(error, WEIR_CANCELLED, NULL, "the client has ended the call");
}

/* With the mutex held. */
static void end(struct wr_grpc_call *call, int code, const struct weir_error *error) {
    call->has_ended = true;
    wr_ending_set(&call->ending, code ? wr_grpc_status_of(error) : WR_GRPC_OK, code ? error : NULL);
}

/* With the mutex held, which it gives back: the service is not called any more. */
static void finish(struct wr_grpc_call *call) {
    while (call->is_cancelling)
        pthread_cond_wait(&call->changed, &call->mutex);
    call->is_running = false;
    call->is_done = true;
    bool has_reply = call->has_reply;
    call->has_reply = false;
    pthread_mutex_unlock(&call->mutex);
    if (has_reply && call->reply.release) call->reply.release(&call->reply);
}

/* ---- How many messages are ahead ---- */

/* No more are asked for. */
static bool is_full(const struct wr_grpc_call *call) {
    if (call->n_ahead < MESSAGES_AHEAD) return false;
    return call->bytes_ahead >= BYTES_AHEAD || call->n_ahead >= MOST_MESSAGES_AHEAD;
}

/* More are asked for again. Not at the first that was sent: waking a thread costs more than making
 * a small message. */
static bool is_low(const struct wr_grpc_call *call) {
    if (call->n_ahead < MESSAGES_AHEAD) return true;
    return call->bytes_ahead <= BYTES_AHEAD / 2 && call->n_ahead <= MOST_MESSAGES_AHEAD / 2;
}

/* With the mutex held, also after. Gives the message to the loop; a late one is released. */
static int make(struct wr_grpc_call *call, struct wr_grpc_message *message,
                struct weir_error *error) {
    pthread_mutex_unlock(&call->mutex);
    struct wr_outgoing *outgoing;
    int code = wr_outgoing_new(call, message, &outgoing, error);
    pthread_mutex_lock(&call->mutex);
    if (code) return code;
    call->n_ahead++;
    call->bytes_ahead += outgoing->length;
    if (call->is_over) {
        pthread_mutex_unlock(&call->mutex);
        wr_outgoing_abandon(outgoing);
        pthread_mutex_lock(&call->mutex);
        return complain_over(call, error);
    }
    if (call->last_made) {
        call->last_made->next = outgoing;
    } else {
        call->made = outgoing;
    }
    call->last_made = outgoing;
    wr_call_post(call);
    return WEIR_OK;
}

/* ---- Calls of one message ---- */

/* With the mutex held. */
static bool wants_more(const struct wr_grpc_call *call) {
    return call->has_reply && !call->has_ended && !call->is_over && !is_full(call);
}

/* With the mutex held, also after. */
static void ask_next(struct wr_grpc_call *call) {
    struct wr_grpc_message message = {0};
    struct weir_error error;
    bool has_no_more = false;
    pthread_mutex_unlock(&call->mutex);
    wr_error_clear(&error);
    int code = call->reply.next(&call->reply, &message, &has_no_more, &error);
    pthread_mutex_lock(&call->mutex);
    if (code == WEIR_OK && !has_no_more) code = make(call, &message, &error);
    if (code || has_no_more) end(call, code, &error);
}

/* With the mutex held, also after. */
static void begin(struct wr_grpc_call *call) {
    struct wr_incoming *request = call->current;
    struct wr_grpc_reply reply = {0};
    struct weir_error error;
    pthread_mutex_unlock(&call->mutex);
    wr_error_clear(&error);
    int code = call->method->call(call->server->options.context, call, request->data,
                                  request->length, &reply, &error);
    wr_incoming_free(request, &call->client->allowance);
    pthread_mutex_lock(&call->mutex);
    call->current = NULL;
    if (code) {
        end(call, code, &error);
    } else {
        call->reply = reply;
        call->has_reply = true;
    }
}

static void run_call(struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->mutex);
    if (call->current && !call->is_over) begin(call);
    while (wants_more(call))
        ask_next(call);
    if (call->has_ended || call->is_over) {
        finish(call);
    } else {
        call->is_running = false;
        pthread_mutex_unlock(&call->mutex);
    }
    wr_call_post(call);
}

/* ---- Exchanges ---- */

static void run_exchange(struct wr_grpc_call *call) {
    struct weir_error error;
    pthread_mutex_lock(&call->mutex);
    if (!call->is_over) {
        pthread_mutex_unlock(&call->mutex);
        wr_error_clear(&error);
        int code = call->method->exchange(call->server->options.context, call, &error);
        pthread_mutex_lock(&call->mutex);
        end(call, code, &error);
    }
    finish(call);
    wr_call_post(call);
}

int wr_grpc_read(struct wr_grpc_call *call, const void **ret_data, size_t *ret_length,
                 struct weir_error *error) {
    pthread_mutex_lock(&call->mutex);
    struct wr_incoming *last = call->current;
    call->current = NULL;
    while (!call->incoming && !call->is_input_over && !call->is_over)
        pthread_cond_wait(&call->changed, &call->mutex);
    struct wr_incoming *message = call->is_over ? NULL : call->incoming;
    int code = call->is_over ? complain_over(call, error) : WEIR_OK;
    if (message) {
        call->incoming = message->next;
        if (!call->incoming) call->last_incoming = NULL;
        call->n_incoming--;
        call->current = message;
    }
    bool may_go_on = call->is_withholding && call->n_incoming < MESSAGES_BEHIND;
    if (may_go_on) call->is_withholding = false;
    pthread_mutex_unlock(&call->mutex);
    wr_incoming_free(last, &call->client->allowance);
    if (may_go_on) wr_call_post(call);
    if (code) return code;
    *ret_data = message ? message->data : NULL;
    *ret_length = message ? message->length : 0;
    return WEIR_OK;
}

void *wr_grpc_take(struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->mutex);
    struct wr_incoming *message = call->current;
    call->current = NULL;
    pthread_mutex_unlock(&call->mutex);
    if (!message) return NULL;
    /* What is left to be freed is the box. */
    void *data = message->data;
    message->data = NULL;
    wr_incoming_free(message, &call->client->allowance);
    return data;
}

int wr_grpc_write(struct wr_grpc_call *call, struct wr_grpc_message *message,
                  struct weir_error *error) {
    pthread_mutex_lock(&call->mutex);
    while (is_full(call) && !call->is_over)
        pthread_cond_wait(&call->changed, &call->mutex);
    int code = make(call, message, error);
    pthread_mutex_unlock(&call->mutex);
    return code;
}

/* ---- Tasks ---- */

static void run_task(struct wr_task *task) {
    struct wr_grpc_call *call =
        (struct wr_grpc_call *)((char *)task - offsetof(struct wr_grpc_call, task));
    if (call->method->call) {
        run_call(call);
    } else {
        run_exchange(call);
    }
    wr_call_unref(call);
}

enum { CANCEL_AGAIN_MS = 20 };

/* With the mutex held. Whether there is still something to cancel a moment later: the function may
 * just have been between two things that can be. */
static bool wait_for_end(struct wr_grpc_call *call) {
    struct timespec until = wr_condition_deadline(CANCEL_AGAIN_MS);
    int waited = 0;
    while (call->on_cancel && call->is_running && !call->is_done && waited == 0)
        waited = pthread_cond_timedwait(&call->changed, &call->mutex, &until);
    return call->on_cancel && call->is_running && !call->is_done;
}

static void run_cancel(struct wr_task *task) {
    struct wr_grpc_call *call =
        (struct wr_grpc_call *)((char *)task - offsetof(struct wr_grpc_call, cancel_task));
    bool is_repeated = false;
    pthread_mutex_lock(&call->mutex);
    if (!call->is_done) {
        struct wr_grpc_reply *reply = call->has_reply && call->reply.cancel ? &call->reply : NULL;
        void (*on_cancel)(void *) = call->on_cancel;
        void *context = call->on_cancel_context;
        call->is_cancelling = true;
        pthread_mutex_unlock(&call->mutex);
        if (reply) reply->cancel(reply);
        if (on_cancel) on_cancel(context);
        pthread_mutex_lock(&call->mutex);
        call->is_cancelling = false;
        pthread_cond_broadcast(&call->changed);
        is_repeated = on_cancel && wait_for_end(call);
    }
    pthread_mutex_unlock(&call->mutex);
    if (is_repeated)
        wr_pool_submit(call->server->cancels, &call->cancel_task);
    else
        wr_call_unref(call);
}

void wr_grpc_on_cancel(struct wr_grpc_call *call, void (*cancel)(void *context), void *context) {
    pthread_mutex_lock(&call->mutex);
    while (call->is_cancelling)
        pthread_cond_wait(&call->changed, &call->mutex);
    call->on_cancel = cancel;
    call->on_cancel_context = context;
    pthread_cond_broadcast(&call->changed);
    bool is_over = call->is_over;
    pthread_mutex_unlock(&call->mutex);
    if (is_over && cancel) cancel(context);
}

/* With the mutex held; `submit` follows without it, as the thread that wakes takes it first. */
static void mark_running(struct wr_grpc_call *call) {
    call->is_running = true;
    call->task.run = run_task;
    wr_call_ref(call);
}

static void submit(struct wr_grpc_call *call) {
    struct wr_grpc_server *server = call->server;
    wr_pool_submit(call->method->call ? server->pool : server->exchanges, &call->task);
}

/* ---- From the loop ---- */

void wr_call_start(struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->mutex);
    call->is_started = true;
    bool is_wanted = !call->is_over;
    if (is_wanted) mark_running(call);
    pthread_mutex_unlock(&call->mutex);
    if (is_wanted) submit(call);
}

void wr_call_give_up(struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->mutex);
    struct wr_outgoing *made = call->made;
    bool is_wanted = false;
    if (!call->is_over) {
        call->is_over = true;
        pthread_cond_broadcast(&call->changed);
        if (!call->is_running && call->has_reply) {
            is_wanted = true; /* releases it */
            mark_running(call);
        } else if (call->is_running && (call->has_reply || call->on_cancel)) {
            call->cancel_task.run = run_cancel;
            wr_call_ref(call);
            wr_pool_submit(call->server->cancels, &call->cancel_task);
        }
    }
    call->made = call->last_made = NULL;
    pthread_mutex_unlock(&call->mutex);
    if (is_wanted) submit(call);
    while (made) {
        struct wr_outgoing *next = made->next;
        wr_outgoing_abandon(made);
        made = next;
    }
}

bool wr_call_receive(struct wr_grpc_call *call, struct wr_incoming *message) {
    pthread_mutex_lock(&call->mutex);
    if (call->method->call) {
        call->current = message;
    } else if (call->last_incoming) {
        call->last_incoming->next = message;
        call->last_incoming = message;
    } else {
        call->incoming = call->last_incoming = message;
    }
    call->n_incoming++;
    bool is_enough = call->n_incoming >= MESSAGES_BEHIND;
    if (call->method->exchange && is_enough) call->is_withholding = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
    return is_enough;
}

void wr_call_receive_end(struct wr_grpc_call *call) {
    pthread_mutex_lock(&call->mutex);
    call->is_input_over = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->mutex);
}

void wr_call_sent(struct wr_grpc_call *call, size_t length) {
    pthread_mutex_lock(&call->mutex);
    call->n_ahead--;
    call->bytes_ahead -= length;
    bool has_room = is_low(call);
    if (has_room) pthread_cond_broadcast(&call->changed);
    bool is_wanted = has_room && !call->is_running && wants_more(call);
    if (is_wanted) mark_running(call);
    pthread_mutex_unlock(&call->mutex);
    if (is_wanted) submit(call);
}
