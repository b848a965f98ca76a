/* SPDX-License-Identifier: Apache-2.0 */
/* Spans that wait, and the thread that sends them. */
#include "session/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/call.h"
#include "base/condition.h"
#include "base/error.h"
#include "base/metrics.h"
#include "session/telemetry_internal.h"

_Static_assert((int)WR_CALL_PLACE == (int)WR_TRACE_PLACE, "both are places in a trace");

enum {
    MOST_SPAN = 1 << 17, /* bytes; a statement's text is bounded */
    MOST_WAITING = 8192, /* spans */
    MOST_WAITING_BYTES = 16 << 20,
    BATCH = 512, /* so many are sent at once, or what has come after */
    BATCH_MS = 1000,
    TRIES = 3, /* where the collector says that it is busy */
    PAUSE_MS = 500,
    STOP_MS = 2000
};

struct wr_telemetry {
    struct wr_telemetry_settings settings;
    struct wr_call *call;  /* that the sender serves: what is under way ends with it */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    wr_post_fn post; /* NULL: nothing is sent, not yet or not any more */
    struct wr_engine *engine;
    struct wr_buffer waiting; /* spans, a comma between two */
    size_t n_waiting;
    struct timespec send_at;
    bool has_sender, stopping, ended;
    pthread_t sender;
};

/* ---- The sender ---- */

static bool is_busy(int32_t status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Returns whether the collector took the body. */
static bool post_body(struct wr_telemetry *telemetry, const struct wr_buffer *body) {
    const struct wr_telemetry_settings *settings = &telemetry->settings;
    const struct wr_post request = {
        .size = sizeof request,
        .url = settings->url,
        .headers = settings->headers,
        .n_headers = settings->n_headers,
        .body = body->data,
        .length = body->length,
        .timeout_ms = settings->timeout_ms,
    };
    int32_t status = 0;
    for (int n = 0; n < TRIES; n++) {
        if (telemetry->post(telemetry->engine, &request, &status, NULL) != WEIR_OK) return false;
        if (!is_busy(status)) break;
        struct timespec until = wr_condition_deadline((int64_t)PAUSE_MS << n);
        pthread_mutex_lock(&telemetry->mutex);
        while (!telemetry->stopping &&
               pthread_cond_timedwait(&telemetry->changed, &telemetry->mutex, &until) != ETIMEDOUT)
            continue;
        bool stopping = telemetry->stopping;
        pthread_mutex_unlock(&telemetry->mutex);
        if (stopping) break;
    }
    return status >= 200 && status < 300;
}

static void send_batch(struct wr_telemetry *telemetry, const struct wr_buffer *spans,
                       size_t n_spans) {
    struct wr_buffer body;
    wr_buffer_init(&body, MOST_WAITING_BYTES + (1 << 20));
    wr_buffer_text(&body, telemetry->settings.head);
    wr_buffer_add(&body, spans->data, spans->length);
    wr_buffer_text(&body, WR_TELEMETRY_TAIL);
    bool taken = !body.failed && post_body(telemetry, &body);
    wr_metric_add(taken ? WR_METRIC_SPANS_SENT : WR_METRIC_SPANS_DROPPED, (int64_t)n_spans);
    wr_buffer_reset(&body);
}

/* With the mutex held: until there is something to send, or never will be. */
static void wait_for_batch(struct wr_telemetry *telemetry) {
    while (!telemetry->stopping && telemetry->n_waiting < BATCH) {
        if (telemetry->n_waiting == 0) {
            pthread_cond_wait(&telemetry->changed, &telemetry->mutex);
        } else if (pthread_cond_timedwait(&telemetry->changed, &telemetry->mutex,
                                          &telemetry->send_at) == ETIMEDOUT) {
            return;
        }
    }
}

static void *send_by_and_by(void *context) {
    struct wr_telemetry *telemetry = context;
    struct wr_call_service service;
    wr_call_serve(&service, telemetry->call);
    pthread_mutex_lock(&telemetry->mutex);
    for (;;) {
        wait_for_batch(telemetry);
        if (telemetry->n_waiting == 0) break;
        struct wr_buffer spans = telemetry->waiting;
        size_t n_spans = telemetry->n_waiting;
        wr_buffer_init(&telemetry->waiting, MOST_WAITING_BYTES);
        telemetry->n_waiting = 0;
        pthread_mutex_unlock(&telemetry->mutex);
        send_batch(telemetry, &spans, n_spans);
        wr_buffer_reset(&spans);
        pthread_mutex_lock(&telemetry->mutex);
    }
    telemetry->ended = true;
    pthread_cond_broadcast(&telemetry->changed);
    pthread_mutex_unlock(&telemetry->mutex);
    wr_call_unserve(&service);
    return NULL;
}

/* ---- Spans ---- */

/* With the mutex held. */
static bool has_room(struct wr_telemetry *telemetry, size_t length) {
    if (!telemetry->post || telemetry->stopping || telemetry->n_waiting >= MOST_WAITING ||
        telemetry->waiting.length + length + 1 > MOST_WAITING_BYTES)
        return false;
    if (!telemetry->has_sender)
        telemetry->has_sender =
            pthread_create(&telemetry->sender, NULL, send_by_and_by, telemetry) == 0;
    return telemetry->has_sender;
}

static void add(struct wr_telemetry *telemetry, struct wr_buffer *span) {
    pthread_mutex_lock(&telemetry->mutex);
    struct wr_buffer *waiting = &telemetry->waiting;
    size_t before = waiting->length;
    bool kept = !span->failed && has_room(telemetry, span->length);
    if (kept) {
        if (before > 0) wr_buffer_char(waiting, ',');
        wr_buffer_add(waiting, span->data, span->length);
        kept = !waiting->failed;
    }
    if (kept) {
        if (before == 0) telemetry->send_at = wr_condition_deadline(BATCH_MS);
        telemetry->n_waiting++;
        if (before == 0 || telemetry->n_waiting == BATCH)
            pthread_cond_broadcast(&telemetry->changed);
    } else if (waiting->failed) {
        waiting->length = before;
        waiting->failed = false;
    }
    pthread_mutex_unlock(&telemetry->mutex);
    if (!kept) wr_metric_add(WR_METRIC_SPANS_DROPPED, 1);
    wr_buffer_reset(span);
}

static void take_request(void *context, const struct wr_span *span) {
    struct wr_buffer json;
    wr_buffer_init(&json, MOST_SPAN);
    wr_telemetry_write_request(&json, span);
    add(context, &json);
}

struct wr_tracer wr_telemetry_tracer(struct wr_telemetry *telemetry) {
    if (!telemetry) return (struct wr_tracer){0};
    return (struct wr_tracer){telemetry, wr_call_current_place, take_request};
}

void wr_telemetry_place(struct wr_telemetry *telemetry, unsigned char *ret_place) {
    memset(ret_place, 0, WR_TRACE_PLACE);
    if (!telemetry) return;
    wr_telemetry_random(ret_place, 16);
    wr_telemetry_random(ret_place + 16, WR_TRACE_PLACE - 16);
}

void wr_telemetry_statement(struct wr_telemetry *telemetry, const unsigned char *place,
                            int64_t planned_us, const struct wr_audit_record *record) {
    if (!telemetry) return;
    struct wr_buffer json;
    wr_buffer_init(&json, MOST_SPAN);
    wr_telemetry_write_statement(&json, place, planned_us, record);
    add(telemetry, &json);
}

/* ---- Life ---- */

int wr_telemetry_open(const struct wr_config *config, struct wr_telemetry **ret_telemetry,
                      struct weir_error *error) {
    struct wr_telemetry_settings settings = {0};
    WR_TRY(wr_telemetry_settings_read(config, &settings, error));
    if (!settings.url) return WEIR_OK;
    struct wr_telemetry *telemetry = wr_calloc(1, sizeof *telemetry);
    if (telemetry) telemetry->call = wr_call_new();
    if (!telemetry || !telemetry->call) {
        wr_free(telemetry);
        wr_telemetry_settings_reset(&settings);
        return wr_error_memory(error);
    }
    telemetry->settings = settings;
    wr_buffer_init(&telemetry->waiting, MOST_WAITING_BYTES);
    pthread_mutex_init(&telemetry->mutex, NULL);
    wr_condition_init(&telemetry->changed);
    *ret_telemetry = telemetry;
    return WEIR_OK;
}

void wr_telemetry_start(struct wr_telemetry *telemetry, wr_post_fn post, struct wr_engine *engine) {
    if (!telemetry) return;
    pthread_mutex_lock(&telemetry->mutex);
    telemetry->post = post;
    telemetry->engine = engine;
    pthread_mutex_unlock(&telemetry->mutex);
}

void wr_telemetry_stop(struct wr_telemetry *telemetry) {
    if (!telemetry) return;
    struct timespec until = wr_condition_deadline(STOP_MS);
    pthread_mutex_lock(&telemetry->mutex);
    telemetry->stopping = true;
    pthread_cond_broadcast(&telemetry->changed);
    while (telemetry->has_sender && !telemetry->ended &&
           pthread_cond_timedwait(&telemetry->changed, &telemetry->mutex, &until) != ETIMEDOUT)
        continue;
    bool has_sender = telemetry->has_sender;
    pthread_mutex_unlock(&telemetry->mutex);
    wr_call_cancel(telemetry->call);
    if (has_sender) pthread_join(telemetry->sender, NULL);
    pthread_mutex_lock(&telemetry->mutex);
    telemetry->has_sender = false;
    telemetry->post = NULL;
    pthread_mutex_unlock(&telemetry->mutex);
}

void wr_telemetry_free(struct wr_telemetry *telemetry) {
    if (!telemetry) return;
    wr_call_release(telemetry->call);
    wr_telemetry_settings_reset(&telemetry->settings);
    wr_buffer_reset(&telemetry->waiting);
    pthread_cond_destroy(&telemetry->changed);
    pthread_mutex_destroy(&telemetry->mutex);
    wr_free(telemetry);
}
