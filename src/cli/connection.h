/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where statements run: in a session of this process, or on a server (--connect). The commands and
 * the shell know no difference but what `connection_is_local` says.
 *
 * Threads: one, but for connection_interrupt, prepared_cancel and prepared_progress, which the
 * watch calls from its own.
 */
#ifndef WR_CLI_CONNECTION_H
#define WR_CLI_CONNECTION_H

#include <stdbool.h>

#include "weir.h"

struct connection;
struct prepared;

/* As the functions of weir.h of those names, but for what is said. */
struct connection_type {
    int (*prepare)(struct connection *connection, const char *sql, struct prepared **ret_prepared,
                   struct weir_error *error);
    int (*set)(struct connection *connection, const char *key, const char *value,
               struct weir_error *error);
    void (*interrupt)(struct connection *connection);
    void (*close)(struct connection *connection);

    void (*close_prepared)(struct prepared *prepared);
    bool (*is_query)(const struct prepared *prepared);
    int (*parameters)(struct prepared *prepared, struct ArrowSchema *ret_schema,
                      struct weir_error *error);
    int (*bind)(struct prepared *prepared, const struct ArrowSchema *schema,
                struct ArrowArray *values, struct weir_error *error);
    int (*execute)(struct prepared *prepared, struct ArrowArrayStream *ret_rows,
                   int64_t *ret_affected, struct weir_error *error);
    void (*cancel)(struct prepared *prepared);
    /* False: there is nothing to tell. */
    bool (*progress)(struct prepared *prepared, struct weir_progress *ret_progress);
};

/* Each of the two begins with its type. */
struct connection {
    const struct connection_type *type;
    bool is_private; /* nobody else reads what is sent: no network, or TLS */
};
struct prepared {
    const struct connection_type *type;
};

/* Lives as long as the session. */
int connection_local(struct weir_session *session, struct connection **ret_connection,
                     struct weir_error *error);

struct connection_server {
    const char *uri; /* grpc://[USER@]HOST[:PORT], grpc+tls://... */
    const char *password_file, *token_file;
    const char *tls_ca, *tls_certificate, *tls_key;
};
/* Codes: WEIR_INVALID_ARGUMENT for what is wrong usage; all others: there is no connection. */
int connection_remote(const struct connection_server *server, struct connection **ret_connection,
                      struct weir_error *error);

/* NULL is welcome to both. */
void connection_close(struct connection *connection);
void prepared_close(struct prepared *prepared);

/* A statement of our own without rows. */
int connection_run(struct connection *connection, const char *sql, struct weir_error *error);
/* The rows of a query of our own as text: `take` gets each value of the first column that is not
 * NULL, until it answers false. */
int connection_list(struct connection *connection, const char *sql,
                    bool (*take)(void *context, const char *value, size_t length), void *context,
                    struct weir_error *error);

#endif
