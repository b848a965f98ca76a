/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on a server, over Flight SQL. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "connection.h"
#include "flight/client.h"
#include "server_uri.h"
#include "watch.h"

struct remote {
    struct connection base;
    struct wr_flight_client *client;
};

struct remote_prepared {
    struct prepared base;
    struct remote *remote;
    struct wr_client_statement *statement;
};

static struct wr_client_statement *statement_of(const struct prepared *prepared) {
    return ((const struct remote_prepared *)prepared)->statement;
}

static int prepare(struct connection *connection, const char *sql, struct prepared **ret_prepared,
                   struct weir_error *error) {
    struct remote *remote = (struct remote *)connection;
    struct remote_prepared *prepared = wr_calloc(1, sizeof *prepared);
    if (prepared == NULL) return wr_error_memory(error);
    prepared->base.type = connection->type;
    prepared->remote = remote;
    int code = wr_flight_client_prepare(remote->client, sql, &prepared->statement, error);
    if (wr_flight_client_has_new_session(remote->client))
        fprintf(stderr, "note: the server began a new session: what was set in the last one is "
                        "gone, and so are temporary names\n");
    if (code != WEIR_OK) {
        wr_free(prepared);
        return code;
    }
    *ret_prepared = &prepared->base;
    return WEIR_OK;
}

static void close_prepared(struct prepared *prepared) {
    wr_client_statement_close(statement_of(prepared));
    wr_free(prepared);
}

/* The key of a setting is a name with dots, which SET takes as it is. */
static int set(struct connection *connection, const char *key, const char *value,
               struct weir_error *error) {
    struct wr_buffer sql;
    if (key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.")] != '\0')
        return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no setting \"%s\"", key);
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_format(&sql, "SET %s = ", key);
    wr_buffer_literal(&sql, value);
    int code = sql.failed ? wr_error_memory(error) : connection_run(connection, sql.data, error);
    wr_buffer_reset(&sql);
    return code;
}

static void interrupt(struct connection *connection) {
    wr_flight_client_cancel(((struct remote *)connection)->client);
}

static void close_remote(struct connection *connection) {
    wr_flight_client_close(((struct remote *)connection)->client);
    wr_free(connection);
}

static bool is_query(const struct prepared *prepared) {
    return wr_client_statement_is_query(statement_of(prepared));
}

static int parameters(struct prepared *prepared, struct ArrowSchema *ret_schema,
                      struct weir_error *error) {
    return wr_client_statement_parameters(statement_of(prepared), ret_schema, error);
}

static int bind(struct prepared *prepared, const struct ArrowSchema *schema,
                struct ArrowArray *values, struct weir_error *error) {
    return wr_client_statement_bind(statement_of(prepared), schema, values, error);
}

static int execute(struct prepared *prepared, struct ArrowArrayStream *ret_rows,
                   int64_t *ret_affected, struct weir_error *error) {
    return wr_client_statement_execute(statement_of(prepared), ret_rows, ret_affected, error);
}

static void cancel(struct prepared *prepared) {
    interrupt(&((struct remote_prepared *)prepared)->remote->base);
}

/* What has come from the server; what it reads itself it does not say. */
static bool progress(struct prepared *prepared, struct weir_progress *ret_progress) {
    wr_client_statement_progress(statement_of(prepared), &ret_progress->rows_read,
                                 &ret_progress->bytes_read);
    return true;
}

static bool is_stopped(void) {
    return watch_interrupted() != 0;
}

static int open_client(const struct server_uri *uri, const struct connection_server *server,
                       struct wr_flight_client **ret_client, struct weir_error *error) {
    const struct wr_grpc_client_tls tls = {
        .ca = server->tls_ca, .certificate = server->tls_certificate, .key = server->tls_key};
    struct wr_flight_client_options options = {
        .server = {.host = uri->host,
                   .port = uri->port,
                   .tls = uri->has_tls ? &tls : NULL,
                   .is_stopped = is_stopped},
        .user = uri->user,
    };
    struct server_secret secret;
    WR_TRY(server_secret_read(uri, server->password_file, server->token_file, &secret, error));
    options.password = secret.password;
    options.token = secret.token;
    watch_block(true); /* its thread leaves the signals to us */
    int code = wr_flight_client_open(&options, ret_client, error);
    watch_block(false);
    server_secret_wipe(&secret);
    return code;
}

int connection_remote(const struct connection_server *server, struct connection **ret_connection,
                      struct weir_error *error) {
    static const struct connection_type type = {
        .prepare = prepare,
        .set = set,
        .interrupt = interrupt,
        .close = close_remote,
        .close_prepared = close_prepared,
        .is_query = is_query,
        .parameters = parameters,
        .bind = bind,
        .execute = execute,
        .cancel = cancel,
        .progress = progress,
    };
    struct server_uri uri;
    struct remote *remote = wr_calloc(1, sizeof *remote);
    if (remote == NULL) return wr_error_memory(error);
    remote->base.type = &type;
    int code = server_uri_parse(server->uri, &uri, error);
    if (code == WEIR_OK && !uri.has_tls &&
        (server->tls_ca || server->tls_certificate || server->tls_key))
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "certificates are of TLS, which grpc+tls:// asks for");
    if (code == WEIR_OK && !server->tls_certificate != !server->tls_key)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--tls-certificate and --tls-key go together");
    remote->base.is_private = server_uri_is_private(&uri);
    if (code == WEIR_OK) code = open_client(&uri, server, &remote->client, error);
    if (code != WEIR_OK) {
        wr_free(remote);
        return code;
    }
    *ret_connection = &remote->base;
    return WEIR_OK;
}
