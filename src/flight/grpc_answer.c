/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "flight/grpc_stream.h"
#include "flight/http2_connection.h"

enum { OWN_FIELDS = 8 }; /* the most that are not the service's */

struct fields {
    nghttp2_nv *items;
    size_t n_items;
    char status[16], http_status[16], position[24];
};

static void add(struct fields *fields, const char *name, const char *value) {
    fields->items[fields->n_items++] = (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name),
                                                    strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void add_all(struct fields *fields, const struct wr_headers *headers) {
    for (size_t i = 0; i < headers->n_items; i++)
        add(fields, headers->items[i].name, headers->items[i].value);
}

static void add_headers(struct fields *fields, const struct wr_grpc_call *call) {
    snprintf(fields->http_status, sizeof fields->http_status, "%d",
             call->http_status ? call->http_status : 200);
    add(fields, ":status", fields->http_status);
    add(fields, "content-type", "application/grpc");
    if (call->names_encodings) add(fields, "grpc-accept-encoding", "identity");
    add_all(fields, &call->answer);
}

static void add_trailers(struct fields *fields, const struct wr_grpc_call *call) {
    const struct wr_ending *final = &call->final;
    snprintf(fields->status, sizeof fields->status, "%d", (int) final->status);
    add(fields, "grpc-status", fields->status);
    if (final->message && final->message[0]) add(fields, "grpc-message", final->message);
    if (final->sqlstate[0]) add(fields, "weir-sqlstate", final->sqlstate);
    if (final->position > 0) {
        snprintf(fields->position, sizeof fields->position, "%" PRId64, final->position);
        add(fields, "weir-position", fields->position);
    }
    add_all(fields, &call->trailers);
}

/* With the call's mutex held, as the service may add to its lists. */
static bool reserve(struct fields *fields, const struct wr_grpc_call *call) {
    fields->n_items = 0;
    fields->items = wr_calloc(OWN_FIELDS + call->answer.n_items + call->trailers.n_items,
                              sizeof *fields->items);
    return fields->items != NULL;
}

bool wr_answer_trailers(struct wr_grpc_call *call) {
    struct fields fields;
    pthread_mutex_lock(&call->mutex);
    bool is_sent = reserve(&fields, call);
    if (is_sent) {
        add_trailers(&fields, call);
        is_sent = nghttp2_submit_trailer(wr_connection_session(call->connection), call->stream_id,
                                         fields.items, fields.n_items) == 0;
        wr_free(fields.items);
    }
    pthread_mutex_unlock(&call->mutex);
    call->has_trailers = is_sent;
    return is_sent;
}

/* A text for whoever speaks HTTP, by curl for example. */
static ssize_t read_objection(nghttp2_session *session, int32_t stream_id, uint8_t *buffer,
                              size_t length, uint32_t *flags, nghttp2_data_source *source,
                              void *context) {
    (void)session;
    (void)stream_id;
    (void)context;
    struct wr_grpc_call *call = source->ptr;
    size_t n = strlen(call->objection);
    if (n > length) n = length;
    memcpy(buffer, call->objection, n);
    call->objection += n;
    if (!*call->objection) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

bool wr_answer_objection(struct wr_grpc_call *call) {
    char status[16];
    struct fields fields = {.items = (nghttp2_nv[OWN_FIELDS]){{0}}};
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_objection};
    snprintf(status, sizeof status, "%d", call->http_status);
    add(&fields, ":status", status);
    add(&fields, "content-type", "text/plain");
    if (call->http_status == 405) add(&fields, "allow", "POST");
    call->has_answered = call->has_trailers = true;
    call->final.status = WR_GRPC_UNKNOWN;
    wr_connection_schedule(call->connection);
    return nghttp2_submit_response(wr_connection_session(call->connection), call->stream_id,
                                   fields.items, fields.n_items, &provider) == 0;
}

static bool answer_headers(struct wr_grpc_call *call) {
    nghttp2_session *session = wr_connection_session(call->connection);
    /* Without a message, an error is all in one list. */
    bool is_all = call->is_ending && !call->sending && call->final.status != WR_GRPC_OK;
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = wr_stream_read};
    struct fields fields;
    pthread_mutex_lock(&call->mutex);
    call->answer_is_fixed = true;
    bool is_sent = reserve(&fields, call);
    if (is_sent) {
        add_headers(&fields, call);
        if (is_all) add_trailers(&fields, call);
        is_sent = nghttp2_submit_response(session, call->stream_id, fields.items, fields.n_items,
                                          is_all ? NULL : &provider) == 0;
        wr_free(fields.items);
    }
    pthread_mutex_unlock(&call->mutex);
    call->has_answered = true;
    call->has_trailers = is_sent && is_all;
    return is_sent;
}

void wr_answer(struct wr_grpc_call *call) {
    struct wr_connection *connection = call->connection;
    bool is_well = true;
    if (!call->has_answered) {
        is_well = answer_headers(call);
    } else if (call->is_deferred) {
        call->is_deferred = false;
        is_well =
            nghttp2_session_resume_data(wr_connection_session(connection), call->stream_id) == 0;
    }
    if (!is_well) {
        wr_connection_reset_stream(connection, call->stream_id, NGHTTP2_INTERNAL_ERROR);
    } else {
        wr_connection_schedule(connection);
    }
}
