/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a call means. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "flight/grpc.h"
#include "flight/grpc_client_state.h"

/* ---- Texts ---- */

/* What is no %XX stays as it is (gRPC over HTTP/2, "Responses"). */
static size_t decode_percent(const char *text, char *ret_text, size_t size) {
    size_t n = 0;
    while (*text && n + 1 < size) {
        int high = text[0] == '%' ? wr_hex_digit(text[1]) : -1;
        int low = high >= 0 ? wr_hex_digit(text[2]) : -1;
        ret_text[n++] = low >= 0 ? (char)(high << 4 | low) : text[0];
        text += low >= 0 ? 3 : 1;
    }
    return n;
}

/* The bytes of the character of UTF-8 that begins here; 0: none does. */
static size_t character(const char *text, size_t length) {
    for (size_t n = 1; n <= 4 && n <= length; n++) {
        if (wr_is_utf8(text, n)) return n;
    }
    return 0;
}

/* C0, DEL and C1 but for the line's end and the tab: a terminal would do what they say. */
static bool is_control(const char *text, size_t n) {
    unsigned char first = (unsigned char)text[0];
    if (n == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
    return n == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0;
}

void wr_client_clean(const char *text, char *ret_text, size_t size) {
    size_t length = decode_percent(text, ret_text, size), to = 0;
    for (size_t at = 0; at < length;) {
        size_t n = character(ret_text + at, length - at);
        if (n == 0 || is_control(ret_text + at, n)) {
            ret_text[to++] = '?';
            at += n == 0 ? 1 : n;
            continue;
        }
        memmove(ret_text + to, ret_text + at, n);
        to += n;
        at += n;
    }
    ret_text[to] = '\0';
}

/* ---- Codes ---- */

/* The other way round than wr_grpc_status_of; the SQLSTATE tells apart what has one status. */
static int code_of(const struct wr_client_call *call) {
    switch (call->grpc_status) {
    case WR_GRPC_CANCELLED:
        return WEIR_CANCELLED;
    case WR_GRPC_INVALID_ARGUMENT:
    case WR_GRPC_OUT_OF_RANGE:
        return strncmp(call->sqlstate, "22", 2) == 0 ? WEIR_INVALID_DATA : WEIR_INVALID_ARGUMENT;
    case WR_GRPC_DEADLINE_EXCEEDED:
        return WEIR_TIMEOUT;
    case WR_GRPC_NOT_FOUND:
        return WEIR_NOT_FOUND;
    case WR_GRPC_ALREADY_EXISTS:
        return WEIR_ALREADY_EXISTS;
    case WR_GRPC_PERMISSION_DENIED:
        return WEIR_UNAUTHORIZED;
    case WR_GRPC_FAILED_PRECONDITION:
    case WR_GRPC_ABORTED:
        return strncmp(call->sqlstate, "23", 2) == 0 ? WEIR_INTEGRITY : WEIR_INVALID_STATE;
    case WR_GRPC_UNIMPLEMENTED:
        return WEIR_NOT_IMPLEMENTED;
    case WR_GRPC_INTERNAL:
        return WEIR_INTERNAL;
    case WR_GRPC_UNAVAILABLE:
    case WR_GRPC_DATA_LOSS:
        return WEIR_IO;
    case WR_GRPC_UNAUTHENTICATED:
        return WEIR_UNAUTHENTICATED;
    default:
        return WEIR_UNKNOWN;
    }
}

/* weir says code and place in its messages too, for clients that show nothing else. */
static void cut_codes(const struct wr_client_call *call, char *message) {
    char end[64];
    snprintf(end, sizeof end,
             call->position > 0 ? " (SQLSTATE %s, position %lld)" : " (SQLSTATE %s)",
             call->sqlstate, (long long)call->position);
    size_t length = strlen(message), n = strlen(end);
    if (call->sqlstate[0] && length > n && strcmp(message + length - n, end) == 0)
        message[length - n] = '\0';
}

static void judge_status(const struct wr_client_call *call, struct weir_error *ret_error) {
    char message[sizeof ret_error->message];
    wr_client_clean(call->message ? call->message : "", message, sizeof message);
    cut_codes(call, message);
    wr_error_set(ret_error, code_of(call), NULL, "%s",
                 message[0] ? message : "the server gives no reason");
    memcpy(ret_error->sqlstate, call->sqlstate, sizeof ret_error->sqlstate);
    ret_error->position = call->position;
}

void wr_client_call_judge(const struct wr_client_call *call, uint32_t http2_error,
                          struct weir_error *ret_error) {
    const char *name = call->client->name;
    wr_error_clear(ret_error);
    if (call->grpc_status > 0) {
        judge_status(call, ret_error);
    } else if (http2_error == NGHTTP2_REFUSED_STREAM) {
        wr_error_set(ret_error, WEIR_IO, "08006", "%s: the server takes no more calls", name);
    } else if (http2_error != NGHTTP2_NO_ERROR) {
        wr_error_set(ret_error, WEIR_IO, "08006", "%s: the server gave the call up (%s)", name,
                     nghttp2_http2_strerror(http2_error));
    } else if (call->http_status != 200) {
        wr_error_set(ret_error, WEIR_IO, "08P01",
                     "%s: the server answers with status %d of HTTP, not with gRPC: is this its "
                     "Flight SQL address?",
                     name, call->http_status);
    } else if (!call->is_grpc || call->grpc_status < 0) {
        wr_error_set(ret_error, WEIR_IO, "08P01", "%s: the server's answer is not gRPC, or was cut",
                     name);
    } else if (wr_assembler_is_inside(&call->assembler)) {
        wr_error_set(ret_error, WEIR_INVALID_DATA, "08P01", "%s: the server's last message was cut",
                     name);
    }
}
