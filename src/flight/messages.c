/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/messages.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"

#define PREFIX "arrow.flight.protocol.sql."

/* ---- Memory ---- */

/* protobuf-c frees by the allocator that it took memory with; ours frees without a budget. */
struct budget {
    ProtobufCAllocator allocator;
    size_t left;
};

static void *take(void *data, size_t size) {
    struct budget *budget = data;
    /* Small pieces cost more than they hold. */
    size_t cost = size + 32;
    if (cost > budget->left) return NULL;
    budget->left -= cost;
    return wr_malloc(size);
}

static void give_back(void *data, void *memory) {
    (void)data;
    wr_free(memory);
}

static ProtobufCAllocator freeing = {.free = give_back};

void wr_message_free(void *message) {
    if (message) protobuf_c_message_free_unpacked(message, &freeing);
}

/* ---- In ---- */

int wr_message_unpack(const ProtobufCMessageDescriptor *type, struct wr_bytes bytes,
                      ProtobufCMessage **ret_message, struct weir_error *error) {
    struct budget budget = {.left = 4 * bytes.length + (1u << 16)};
    budget.allocator =
        (ProtobufCAllocator){.alloc = take, .free = give_back, .allocator_data = &budget};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &budget.allocator, bytes.length, bytes.data);
    if (!message) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "the message is not a valid %s",
                            type->short_name);
    }
    *ret_message = message;
    return WEIR_OK;
}

int wr_any_unpack(struct wr_bytes bytes, struct wr_any *ret_any, struct weir_error *error) {
    Flight__Any *whole;
    WR_TRY(WR_UNPACK(flight__any, bytes, &whole, error));
    const char *name = whole->type_url ? strrchr(whole->type_url, '/') : NULL;
    name = name ? name + 1 : whole->type_url;
    if (!name || strncmp(name, PREFIX, strlen(PREFIX)) != 0) {
        wr_message_free(whole);
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "the message is not a command of Flight SQL (a google.protobuf.Any of "
                            "a type " PREFIX "*)");
    }
    *ret_any = (struct wr_any){
        .name = name + strlen(PREFIX),
        .value = {whole->value.data, whole->value.len},
        .whole = whole,
    };
    return WEIR_OK;
}

void wr_any_free(struct wr_any *any) {
    wr_message_free(any->whole);
    any->whole = NULL;
}

int wr_message_text(const ProtobufCBinaryData *bytes, const char *what, char **ret_text,
                    struct weir_error *error) {
    const char *data = (const char *)bytes->data;
    if (bytes->len > 0 && memchr(data, '\0', bytes->len))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22021", "%s has a NUL in it", what);
    if (!wr_is_utf8(data, bytes->len))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22021", "%s is not UTF-8", what);
    char *text = wr_strndup(bytes->len ? data : "", bytes->len);
    if (!text) return wr_error_memory(error);
    *ret_text = text;
    return WEIR_OK;
}

/* ---- Out ---- */

int wr_message_pack(const void *message, struct wr_bytes *ret_bytes, struct weir_error *error) {
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *data = wr_malloc(length);
    if (!data) return wr_error_memory(error);
    protobuf_c_message_pack(message, data);
    *ret_bytes = (struct wr_bytes){data, length};
    return WEIR_OK;
}

int wr_message_outgoing(const void *message, struct wr_grpc_message *ret_message,
                        struct weir_error *error) {
    struct wr_bytes bytes = {0};
    WR_TRY(wr_message_pack(message, &bytes, error));
    int code = wr_grpc_message_copy(bytes.data, bytes.length, ret_message, error);
    wr_free((void *)bytes.data);
    return code;
}

int wr_message_reply(const void *message, struct wr_grpc_reply *ret_reply,
                     struct weir_error *error) {
    struct wr_grpc_message outgoing;
    WR_TRY(wr_message_outgoing(message, &outgoing, error));
    return wr_grpc_reply_one(&outgoing, ret_reply, error);
}

int wr_any_pack(const char *name, const void *message, struct wr_bytes *ret_bytes,
                struct weir_error *error) {
    char url[128] = "type.googleapis.com/" PREFIX;
    strncat(url, name, sizeof url - strlen(url) - 1);
    struct wr_bytes value = {0};
    WR_TRY(wr_message_pack(message, &value, error));
    Flight__Any any = FLIGHT__ANY__INIT;
    any.type_url = url;
    any.has_value = true;
    any.value = (ProtobufCBinaryData){value.length, (uint8_t *)value.data};
    int code = wr_message_pack(&any, ret_bytes, error);
    wr_free((void *)value.data);
    return code;
}
