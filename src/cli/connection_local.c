/* SPDX-License-Identifier: Apache-2.0 */
/* Statements in a session of this process. */
#include "base/alloc.h"
#include "base/error.h"
#include "connection.h"

struct local {
    struct connection base;
    struct weir_session *session;
};

struct local_prepared {
    struct prepared base;
    struct weir_statement *statement;
};

static struct weir_session *session_of(struct connection *connection) {
    return ((struct local *)connection)->session;
}

static struct weir_statement *statement_of(const struct prepared *prepared) {
    return ((const struct local_prepared *)prepared)->statement;
}

static int prepare(struct connection *connection, const char *sql, struct prepared **ret_prepared,
                   struct weir_error *error) {
    struct local_prepared *prepared = wr_calloc(1, sizeof *prepared);
    if (prepared == NULL) return wr_error_memory(error);
    prepared->base.type = connection->type;
    int code = weir_prepare(session_of(connection), sql, &prepared->statement, error);
    if (code != WEIR_OK) {
        wr_free(prepared);
        return code;
    }
    *ret_prepared = &prepared->base;
    return WEIR_OK;
}

static int set(struct connection *connection, const char *key, const char *value,
               struct weir_error *error) {
    return weir_session_set(session_of(connection), key, value, error);
}

static void interrupt(struct connection *connection) {
    weir_session_interrupt(session_of(connection));
}

static void close_local(struct connection *connection) {
    wr_free(connection);
}

static void close_prepared(struct prepared *prepared) {
    weir_statement_close(statement_of(prepared));
    wr_free(prepared);
}

static bool is_query(const struct prepared *prepared) {
    return weir_statement_is_query(statement_of(prepared)) == 1;
}

static int parameters(struct prepared *prepared, struct ArrowSchema *ret_schema,
                      struct weir_error *error) {
    return weir_statement_parameters(statement_of(prepared), ret_schema, error);
}

static int bind(struct prepared *prepared, const struct ArrowSchema *schema,
                struct ArrowArray *values, struct weir_error *error) {
    return weir_statement_bind(statement_of(prepared), schema, values, error);
}

static int execute(struct prepared *prepared, struct ArrowArrayStream *ret_rows,
                   int64_t *ret_affected, struct weir_error *error) {
    return weir_statement_execute(statement_of(prepared), ret_rows, ret_affected, error);
}

static void cancel(struct prepared *prepared) {
    (void)weir_statement_cancel(statement_of(prepared), NULL);
}

static bool progress(struct prepared *prepared, struct weir_progress *ret_progress) {
    return weir_statement_progress(statement_of(prepared), ret_progress, NULL) == WEIR_OK;
}

int connection_local(struct weir_session *session, struct connection **ret_connection,
                     struct weir_error *error) {
    static const struct connection_type type = {
        .prepare = prepare,
        .set = set,
        .interrupt = interrupt,
        .close = close_local,
        .close_prepared = close_prepared,
        .is_query = is_query,
        .parameters = parameters,
        .bind = bind,
        .execute = execute,
        .cancel = cancel,
        .progress = progress,
    };
    struct local *local = wr_calloc(1, sizeof *local);
    if (local == NULL) return wr_error_memory(error);
    local->base.type = &type;
    local->base.is_private = true;
    local->session = session;
    *ret_connection = &local->base;
    return WEIR_OK;
}
