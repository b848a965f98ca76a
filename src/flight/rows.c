/* SPDX-License-Identifier: Apache-2.0 */
/* Rows going out: a schema, then batches whose buffers are sent where they lie. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/data.h"
#include "flight/service.h"

/* A batch and the messages that point into it. */
struct batch {
    atomic_int n_references;
    struct ArrowArray array;
};

struct rows {
    struct wr_flight_statement *statement; /* NULL: of no statement */
    struct ArrowArrayStream stream;
    struct wr_ipc_encoder *encoder;
    struct wr_grpc_message schema;
    bool has_sent_schema;
    struct batch *batch; /* rows of it are left; NULL */
    int64_t offset;
};

static void release_batch(void *kept) {
    struct batch *batch = kept;
    if (atomic_fetch_sub_explicit(&batch->n_references, 1, memory_order_acq_rel) > 1) return;
    wr_arrow_release_array(&batch->array);
    wr_free(batch);
}

int wr_flight_read(struct ArrowArrayStream *stream, struct ArrowArray *ret_array,
                   struct weir_error *error) {
    struct ArrowArray array = {0};
    struct weir_error full = {0};
    int errnum = stream->get_next(stream, &array);
    if (errnum == 0) {
        *ret_array = array;
        return WEIR_OK;
    }
    /* One over a callback of this program, or of the library. */
    const struct weir_error *own = wr_arrow_callback_error(stream);
    if (own) full = *own;
    if (!own && weir_stream_error(stream, &full)) full.code = WEIR_OK;
    if (!full.code) return wr_error_stream(error, stream, errnum, "reading the rows");
    if (error) *error = full;
    return full.code;
}

/* The statement's ticket is over when its rows are. */
static void end_ticket(struct wr_flight_statement *statement) {
    bool is_last = statement->n_parts == 0 || atomic_fetch_sub(&statement->n_parts_left, 1) == 1;
    if (!statement->ticket[0] || !is_last) return;
    wr_handles_drop(statement->door->tickets, statement->session->owner, statement->ticket,
                    WR_HANDLE_SIZE - 1);
}

static void free_rows(struct rows *rows) {
    if (rows->batch) release_batch(rows->batch);
    if (!rows->has_sent_schema && rows->schema.release) rows->schema.release(&rows->schema);
    wr_arrow_release_stream(&rows->stream);
    wr_ipc_encoder_free(rows->encoder);
    if (rows->statement) {
        end_ticket(rows->statement);
        wr_flight_statement_release(rows->statement);
    }
    wr_free(rows);
}

static void release(struct wr_grpc_reply *reply) {
    free_rows(reply->private_data);
    reply->release = NULL;
}

static void cancel(struct wr_grpc_reply *reply) {
    struct rows *rows = reply->private_data;
    if (rows->statement) weir_statement_cancel(rows->statement->statement, NULL);
}

/* ---- Batches ---- */

/* *ret_batch is NULL at the end. Empty batches are left out. */
static int read_batch(struct rows *rows, struct batch **ret_batch, struct weir_error *error) {
    struct ArrowArray array = {0};
    for (;;) {
        WR_TRY(wr_flight_read(&rows->stream, &array, error));
        if (!array.release || array.length > 0) break;
        wr_arrow_release_array(&array);
    }
    *ret_batch = NULL;
    if (!array.release) return WEIR_OK;
    struct batch *batch = wr_calloc(1, sizeof *batch);
    if (!batch) {
        wr_arrow_release_array(&array);
        return wr_error_memory(error);
    }
    atomic_init(&batch->n_references, 1);
    wr_arrow_move_array(&array, &batch->array);
    *ret_batch = batch;
    return WEIR_OK;
}

/* As many of the rows that are left as fit into a message. */
static int encode(struct rows *rows, struct wr_ipc_batch *ret_encoded, int64_t *ret_length,
                  struct weir_error *error) {
    int64_t length = rows->batch->array.length - rows->offset;
    for (;;) {
        struct wr_ipc_batch encoded;
        WR_TRY(wr_ipc_encode(rows->encoder, &rows->batch->array, rows->offset, length, &encoded,
                             error));
        if (encoded.body_length <= WR_FLIGHT_MAX_BODY || length == 1) {
            *ret_encoded = encoded;
            *ret_length = length;
            return WEIR_OK;
        }
        /* Rows are about as wide as these are; half as many at least, so that this ends. */
        double part = 0.9 * WR_FLIGHT_MAX_BODY / (double)encoded.body_length;
        int64_t fewer = (int64_t)((double)length * (part < 0.5 ? part : 0.5));
        wr_ipc_batch_free(&encoded);
        length = fewer > 0 ? fewer : 1;
    }
}

static int send_batch(struct rows *rows, struct wr_grpc_message *ret_message,
                      struct weir_error *error) {
    struct wr_ipc_batch encoded;
    int64_t length;
    WR_TRY(encode(rows, &encoded, &length, error));
    atomic_fetch_add_explicit(&rows->batch->n_references, 1, memory_order_relaxed);
    int code = wr_flight_data_batch(&encoded, release_batch, rows->batch, ret_message, error);
    if (code) {
        wr_ipc_batch_free(&encoded);
        release_batch(rows->batch);
        return code;
    }
    rows->offset += length;
    if (rows->offset >= rows->batch->array.length) {
        release_batch(rows->batch);
        rows->batch = NULL;
    }
    return WEIR_OK;
}

static int next(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message, bool *ret_end,
                struct weir_error *error) {
    struct rows *rows = reply->private_data;
    if (!rows->has_sent_schema) {
        rows->has_sent_schema = true;
        *ret_message = rows->schema;
        return WEIR_OK;
    }
    if (!rows->batch) {
        int code = read_batch(rows, &rows->batch, error);
        if (code) return wr_flight_error(code, error);
        rows->offset = 0;
    }
    if (!rows->batch) {
        *ret_end = true;
        return WEIR_OK;
    }
    return wr_flight_error(send_batch(rows, ret_message, error), error);
}

/* ---- The reply ---- */

static bool is_same_type(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (strcmp(a->format, b->format) != 0 || a->n_children != b->n_children) return false;
    for (int64_t i = 0; i < a->n_children; i++) {
        if (!is_same_type(a->children[i], b->children[i])) return false;
    }
    return true;
}

/*
 * Rows may be known better than their plan (a column in which nothing can be NULL after all), but a
 * client was told of the plan's columns, and some insist on them.
 */
static int prepare(struct rows *rows, enum wr_ipc_codec codec, struct ArrowArrayStream *stream,
                   const struct wr_flight_statement *statement, struct weir_error *error) {
    struct ArrowSchema schema;
    void *bytes = NULL;
    size_t length = 0;
    WR_TRY(wr_arrow_stream_schema(stream, "reading the rows", &schema, error));
    bool is_planned = statement && is_same_type(&statement->schema, &schema);
    int code =
        wr_ipc_schema(is_planned ? &statement->schema : &schema, false, &bytes, &length, error);
    if (!code) code = wr_ipc_encoder_new(&schema, codec, &rows->encoder, error);
    if (!code) code = wr_flight_data_schema(bytes, length, &rows->schema, error);
    wr_free(bytes);
    wr_arrow_release_schema(&schema);
    return code;
}

/* The codec that a call asks for, else the session's. */
static int codec_of(struct wr_flight_session *session, const struct wr_grpc_call *call,
                    enum wr_ipc_codec *ret_codec, struct weir_error *error) {
    const char *name = wr_grpc_header(call, "weir-compression", NULL);
    *ret_codec = (enum wr_ipc_codec)atomic_load(&session->codec);
    if (!name || wr_ipc_codec_of(name, ret_codec)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "the header weir-compression is one of none, lz4, zstd");
}

int wr_flight_rows(struct wr_flight_session *session, struct wr_flight_statement *statement,
                   struct wr_grpc_call *call, struct ArrowArrayStream *stream,
                   struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    enum wr_ipc_codec codec;
    WR_TRY(codec_of(session, call, &codec, error));
    struct rows *rows = wr_calloc(1, sizeof *rows);
    if (!rows) return wr_error_memory(error);
    int code = prepare(rows, codec, stream, statement, error);
    if (code) {
        free_rows(rows);
        return code;
    }
    wr_arrow_move_stream(stream, &rows->stream);
    if (statement) rows->statement = wr_flight_statement_retain(statement);
    *ret_reply = (struct wr_grpc_reply){
        .next = next, .cancel = cancel, .release = release, .private_data = rows};
    return WEIR_OK;
}
