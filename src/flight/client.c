/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a Flight SQL server: who asks, and in which session. */
#include "flight/client.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/client_state.h"
#include "flight/grpc_text.h"

#define COOKIE "arrow_flight_session_id="

int wr_flight_client_blame(struct weir_error *error, int code) {
    if (code != WEIR_INVALID_ARGUMENT && code != WEIR_INVALID_DATA) return code;
    if (error) {
        wr_error_prefix(error, code, "the server's answer cannot be read");
        error->code = WEIR_INVALID_DATA;
    }
    return WEIR_INVALID_DATA;
}

/* ---- Credentials ---- */

static char *basic(const char *user, const char *password) {
    struct wr_buffer plain;
    wr_buffer_init(&plain, 64 * 1024);
    wr_buffer_format(&plain, "%s:%s", user, password ? password : "");
    size_t size =
        sizeof "Basic " + sodium_base64_ENCODED_LEN(plain.length, sodium_base64_VARIANT_ORIGINAL);
    char *header = plain.failed ? NULL : wr_malloc(size);
    if (header) {
        strcpy(header, "Basic ");
        sodium_bin2base64(header + 6, size - 6, (unsigned char *)plain.data, plain.length,
                          sodium_base64_VARIANT_ORIGINAL);
    }
    if (plain.data) sodium_memzero(plain.data, plain.length);
    wr_buffer_reset(&plain);
    return header;
}

static int set_authorization(struct wr_flight_client *client,
                             const struct wr_flight_client_options *options,
                             struct weir_error *error) {
    struct wr_buffer bearer;
    if (options->token) {
        if (!wr_grpc_is_header_value(options->token))
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "28000",
                                "the token has characters that no token has");
        wr_buffer_init(&bearer, 64 * 1024);
        wr_buffer_format(&bearer, "Bearer %s", options->token);
        client->authorization = wr_buffer_take(&bearer);
    } else if (options->user) {
        client->authorization = basic(options->user, options->password);
    } else {
        return WEIR_OK;
    }
    return client->authorization ? WEIR_OK : wr_error_memory(error);
}

/* ---- The session's cookie ---- */

/* "arrow_flight_session_id=...; ..." with an empty value at the session's end. */
static void take_cookie(struct wr_flight_client *client, const char *header) {
    if (!header || strncasecmp(header, COOKIE, strlen(COOKIE)) != 0) return;
    size_t length = strcspn(header, "; \t");
    char *cookie = length > strlen(COOKIE) ? wr_strndup(header, length) : NULL;
    bool is_new = cookie && client->cookie && strcmp(cookie, client->cookie) != 0;
    client->has_new_session |= is_new || (client->cookie && !cookie);
    wr_free(client->cookie);
    client->cookie = cookie;
}

bool wr_flight_client_has_new_session(struct wr_flight_client *client) {
    bool has_new = client->has_new_session;
    client->has_new_session = false;
    return has_new;
}

/* ---- Calls ---- */

static int connect_again(struct wr_flight_client *client, struct weir_error *error) {
    struct wr_grpc_client *transport, *old = client->transport;
    if (old && wr_grpc_client_is_usable(old)) return WEIR_OK;
    WR_TRY(wr_grpc_client_open(&client->server, &transport, error));
    pthread_mutex_lock(&client->mutex);
    client->transport = transport;
    pthread_mutex_unlock(&client->mutex);
    wr_grpc_client_close(old);
    return WEIR_OK;
}

int wr_flight_client_begin(struct wr_flight_client *client, const char *method,
                           struct wr_buffer *body, int64_t limit_ms,
                           struct wr_client_call **ret_call, struct weir_error *error) {
    struct wr_client_header headers[2];
    size_t n = 0;
    if (client->authorization)
        headers[n++] = (struct wr_client_header){"authorization", client->authorization};
    if (client->cookie) headers[n++] = (struct wr_client_header){"cookie", client->cookie};
    return wr_client_call_begin(client->transport, method, headers, n, body, limit_ms, ret_call,
                                error);
}

int wr_flight_client_read(struct wr_flight_client *client, struct wr_client_call *call,
                          struct wr_incoming **ret_message, struct weir_error *error) {
    int code = wr_client_call_read(call, ret_message, error);
    take_cookie(client, wr_client_call_cookie(call));
    return code;
}

/* The first message; the others are of no interest. */
static int read_first(struct wr_flight_client *client, struct wr_client_call *call,
                      struct wr_bytes *ret_message, struct weir_error *error) {
    struct wr_bytes first = {0};
    for (;;) {
        struct wr_incoming *message;
        int code = wr_flight_client_read(client, call, &message, error);
        if (code || !message) {
            if (code)
                wr_free((void *)first.data);
            else
                *ret_message = first;
            return code;
        }
        if (!first.data) {
            void *copy = wr_malloc(message->length + 1);
            if (copy) memcpy(copy, message->data, message->length);
            first = (struct wr_bytes){copy, message->length};
        }
        wr_client_call_release(call, message);
        if (!first.data) return wr_error_memory(error);
    }
}

int wr_flight_client_ask(struct wr_flight_client *client, const char *method,
                         struct wr_buffer *body, int64_t limit_ms, struct wr_bytes *ret_message,
                         struct weir_error *error) {
    struct wr_client_call *call;
    WR_TRY(wr_flight_client_begin(client, method, body, limit_ms, &call, error));
    int code = read_first(client, call, ret_message, error);
    wr_client_call_end(call);
    return code;
}

void wr_flight_client_cancel(struct wr_flight_client *client) {
    pthread_mutex_lock(&client->mutex);
    if (client->transport) wr_grpc_client_cancel(client->transport);
    pthread_mutex_unlock(&client->mutex);
}

/* ---- Opening ---- */

/* Any call that wants a session: the server refuses it, or has one. One that lists no flights is as
 * good as any. */
static int log_in(struct wr_flight_client *client, struct weir_error *error) {
    struct wr_buffer body;
    struct wr_bytes message = {0};
    wr_buffer_init(&body, CLIENT_MOST_REQUEST);
    wr_client_frame(&body, NULL, 0);
    int code = wr_flight_client_ask(client, CLIENT_SERVICE "ListFlights", &body, CLIENT_SHORT_MS,
                                    &message, error);
    wr_free((void *)message.data);
    return code == WEIR_NOT_IMPLEMENTED ? WEIR_OK : code;
}

static int copy_text(const char *text, const char **ret_copy, struct weir_error *error) {
    *ret_copy = text ? wr_strdup(text) : NULL;
    return text && !*ret_copy ? wr_error_memory(error) : WEIR_OK;
}

static int copy_options(struct wr_flight_client *client,
                        const struct wr_flight_client_options *options, struct weir_error *error) {
    const struct wr_grpc_client_options *server = &options->server;
    client->server = *server;
    client->server.host = client->server.port = NULL;
    client->server.tls = server->tls ? &client->tls : NULL;
    WR_TRY(copy_text(server->host, &client->server.host, error));
    WR_TRY(copy_text(server->port, &client->server.port, error));
    if (server->tls) {
        WR_TRY(copy_text(server->tls->ca, &client->tls.ca, error));
        WR_TRY(copy_text(server->tls->certificate, &client->tls.certificate, error));
        WR_TRY(copy_text(server->tls->key, &client->tls.key, error));
    }
    return set_authorization(client, options, error);
}

int wr_flight_client_open(const struct wr_flight_client_options *options,
                          struct wr_flight_client **ret_client, struct weir_error *error) {
    struct wr_flight_client *client = wr_calloc(1, sizeof *client);
    if (!client) return wr_error_memory(error);
    pthread_mutex_init(&client->mutex, NULL);
    int code = copy_options(client, options, error);
    if (!code) code = connect_again(client, error);
    if (!code) code = log_in(client, error);
    if (code) {
        wr_flight_client_close(client);
        return code;
    }
    *ret_client = client;
    return WEIR_OK;
}

/* A server keeps a session for a while, in case its client comes again. */
static void log_out(struct wr_flight_client *client) {
    struct wr_buffer body;
    struct wr_bytes message = {0};
    Flight__Action action = FLIGHT__ACTION__INIT;
    struct wr_bytes bytes;
    if (!client->transport || !client->cookie || !wr_grpc_client_is_usable(client->transport))
        return;
    action.type = (char *)"CloseSession";
    if (wr_message_pack(&action, &bytes, NULL)) return;
    wr_buffer_init(&body, CLIENT_MOST_REQUEST);
    wr_client_frame(&body, bytes.data, bytes.length);
    wr_free((void *)bytes.data);
    (void)wr_flight_client_ask(client, CLIENT_SERVICE "DoAction", &body, CLIENT_FAREWELL_MS,
                               &message, NULL);
    wr_free((void *)message.data);
}

void wr_flight_client_close(struct wr_flight_client *client) {
    if (!client) return;
    log_out(client);
    wr_grpc_client_close(client->transport);
    pthread_mutex_destroy(&client->mutex);
    wr_free((void *)client->server.host);
    wr_free((void *)client->server.port);
    wr_free((void *)client->tls.ca);
    wr_free((void *)client->tls.certificate);
    wr_free((void *)client->tls.key);
    if (client->authorization) sodium_memzero(client->authorization, strlen(client->authorization));
    wr_free(client->authorization);
    wr_free(client->cookie);
    wr_free(client);
}

/* ---- Preparing ---- */

static int create_request(const char *sql, struct wr_buffer *ret_body, struct weir_error *error) {
    Flight__ActionCreatePreparedStatementRequest request =
        FLIGHT__ACTION_CREATE_PREPARED_STATEMENT_REQUEST__INIT;
    Flight__Action action = FLIGHT__ACTION__INIT;
    struct wr_bytes any, bytes;
    request.has_query = true;
    request.query = (ProtobufCBinaryData){strlen(sql), (uint8_t *)sql};
    WR_TRY(wr_any_pack("ActionCreatePreparedStatementRequest", &request, &any, error));
    action.type = (char *)"CreatePreparedStatement";
    action.has_body = true;
    action.body = (ProtobufCBinaryData){any.length, (uint8_t *)any.data};
    int code = wr_message_pack(&action, &bytes, error);
    wr_free((void *)any.data);
    if (code) return code;
    wr_buffer_init(ret_body, CLIENT_MOST_REQUEST);
    wr_client_frame(ret_body, bytes.data, bytes.length);
    wr_free((void *)bytes.data);
    return WEIR_OK;
}

/* What the server says of the statement. */
static int describe(struct wr_client_statement *statement,
                    const Flight__ActionCreatePreparedStatementResult *result,
                    struct weir_error *error) {
    const ProtobufCBinaryData *handle = &result->prepared_statement_handle;
    void *copy = wr_malloc(handle->len + 1);
    if (!copy) return wr_error_memory(error);
    if (handle->len > 0) memcpy(copy, handle->data, handle->len);
    statement->handle = (struct wr_bytes){copy, handle->len};
    if (result->parameter_schema.len > 0)
        WR_TRY(wr_client_decode_schema(&result->parameter_schema, &statement->parameters, error));
    statement->is_query =
        result->has_is_update ? !result->is_update : result->dataset_schema.len > 0;
    return WEIR_OK;
}

static int understand(struct wr_client_statement *statement, struct wr_bytes message,
                      struct weir_error *error) {
    Flight__Result *result;
    Flight__ActionCreatePreparedStatementResult *prepared;
    struct wr_any any;
    WR_TRY(WR_UNPACK(flight__result, message, &result, error));
    int code = wr_any_unpack((struct wr_bytes){result->body.data, result->body.len}, &any, error);
    wr_message_free(result);
    if (code) return code;
    code = WR_UNPACK(flight__action_create_prepared_statement_result, any.value, &prepared, error);
    wr_any_free(&any);
    if (code) return code;
    code = describe(statement, prepared, error);
    wr_message_free(prepared);
    return code;
}

int wr_flight_client_prepare(struct wr_flight_client *client, const char *sql,
                             struct wr_client_statement **ret_statement, struct weir_error *error) {
    struct wr_client_statement *statement;
    struct wr_bytes message = {0};
    struct wr_buffer body;
    WR_TRY(connect_again(client, error));
    int64_t before = wr_grpc_client_received(client->transport);
    bool had_session = client->cookie != NULL;
    WR_TRY(create_request(sql, &body, error));
    int code = wr_flight_client_ask(client, CLIENT_SERVICE "DoAction", &body, 0, &message, error);
    /* The session was over, and the server has said so: this one begins the next. */
    if (code == WEIR_UNAUTHENTICATED && had_session && !client->cookie) {
        WR_TRY(create_request(sql, &body, error));
        code = wr_flight_client_ask(client, CLIENT_SERVICE "DoAction", &body, 0, &message, error);
    }
    if (code) return code;
    statement = wr_calloc(1, sizeof *statement);
    code = statement ? WEIR_OK : wr_error_memory(error);
    if (!code) {
        statement->client = client;
        statement->received_before = before;
        wr_buffer_init(&statement->bound, CLIENT_MOST_REQUEST);
        code = wr_flight_client_blame(error, understand(statement, message, error));
    }
    wr_free((void *)message.data);
    if (code) {
        wr_client_statement_close(statement);
        return code;
    }
    *ret_statement = statement;
    return WEIR_OK;
}
