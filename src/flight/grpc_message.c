/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_message.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/grpc_call.h"

struct copy {
    struct wr_grpc_part part;
    char data[];
};

static void release_copy(struct wr_grpc_message *message) {
    wr_free(message->private_data);
}

int wr_grpc_message_copy(const void *data, size_t length, struct wr_grpc_message *ret_message,
                         struct weir_error *error) {
    struct copy *copy = length <= SIZE_MAX - sizeof *copy ? wr_malloc(sizeof *copy + length) : NULL;
    if (!copy) return wr_error_memory(error);
    if (length > 0) memcpy(copy->data, data, length);
    copy->part = (struct wr_grpc_part){copy->data, length};
    *ret_message = (struct wr_grpc_message){&copy->part, 1, release_copy, copy};
    return WEIR_OK;
}

/* ---- A reply of one ---- */

struct one {
    struct wr_grpc_message message;
    bool is_given;
};

static int next_one(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message, bool *ret_end,
                    struct weir_error *error) {
    (void)error;
    struct one *one = reply->private_data;
    *ret_end = one->is_given;
    if (!one->is_given) *ret_message = one->message;
    one->is_given = true;
    return WEIR_OK;
}

static void release_one(struct wr_grpc_reply *reply) {
    struct one *one = reply->private_data;
    if (!one->is_given && one->message.release) one->message.release(&one->message);
    wr_free(one);
}

int wr_grpc_reply_one(struct wr_grpc_message *message, struct wr_grpc_reply *ret_reply,
                      struct weir_error *error) {
    struct one *one = wr_calloc(1, sizeof *one);
    if (!one) {
        if (message->release) message->release(message);
        return wr_error_memory(error);
    }
    one->message = *message;
    *ret_reply = (struct wr_grpc_reply){next_one, NULL, release_one, one};
    return WEIR_OK;
}

/* ---- On the way out ---- */

static int measure(const struct wr_grpc_message *message, size_t *ret_length,
                   struct weir_error *error) {
    size_t length = 0;
    for (size_t i = 0; i < message->n_parts; i++) {
        if (message->parts[i].length > UINT32_MAX - length)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000",
                                "a message of 4 GiB or more cannot be sent");
        length += message->parts[i].length;
    }
    *ret_length = length;
    return WEIR_OK;
}

int wr_outgoing_new(struct wr_grpc_call *call, struct wr_grpc_message *message,
                    struct wr_outgoing **ret_outgoing, struct weir_error *error) {
    size_t length = 0;
    int code = measure(message, &length, error);
    struct wr_outgoing *outgoing = code ? NULL : wr_calloc(1, sizeof *outgoing);
    if (!outgoing) {
        if (message->release) message->release(message);
        return code ? code : wr_error_memory(error);
    }
    outgoing->message = *message;
    outgoing->length = outgoing->left = sizeof outgoing->prefix + length;
    for (size_t i = 0; i < 4; i++)
        outgoing->prefix[1 + i] = (unsigned char)(length >> (24 - 8 * i));
    outgoing->call = wr_call_ref(call);
    *ret_outgoing = outgoing;
    return WEIR_OK;
}

bool wr_outgoing_put(struct wr_outgoing *outgoing, struct wr_output *output, size_t length) {
    while (length > 0) {
        struct wr_grpc_part part = outgoing->part == 0
                                       ? (struct wr_grpc_part){outgoing->prefix, 5}
                                       : outgoing->message.parts[outgoing->part - 1];
        size_t n = part.length - outgoing->offset;
        if (n > length) n = length;
        if (n > 0) {
            const char *data = (const char *)part.data + outgoing->offset;
            if (!wr_output_refer(output, data, n, outgoing)) return false;
            outgoing->n_slices++;
        }
        outgoing->offset += n;
        outgoing->left -= n;
        length -= n;
        if (outgoing->offset == part.length) {
            outgoing->part++;
            outgoing->offset = 0;
        }
    }
    return true;
}

static void release(struct wr_outgoing *outgoing) {
    struct wr_grpc_call *call = outgoing->call;
    size_t length = outgoing->length;
    if (outgoing->message.release) outgoing->message.release(&outgoing->message);
    wr_free(outgoing);
    wr_call_sent(call, length);
    wr_call_unref(call);
}

void wr_outgoing_done(struct wr_outgoing *outgoing) {
    if (--outgoing->n_slices == 0 && outgoing->left == 0) release(outgoing);
}

void wr_outgoing_abandon(struct wr_outgoing *outgoing) {
    outgoing->left = 0;
    if (outgoing->n_slices == 0) release(outgoing);
}
