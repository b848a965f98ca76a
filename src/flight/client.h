/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of Flight SQL: statements on a server, one at a time.
 *
 *     WR_TRY(wr_flight_client_open(&options, &client, error));
 *     WR_TRY(wr_flight_client_prepare(client, "SELECT $1", &statement, error));
 *     WR_TRY(wr_client_statement_bind(statement, &schema, &row, error));
 *     WR_TRY(wr_client_statement_execute(statement, &rows, &affected, error));
 *     ... the rows, whose stream is released first ...
 *     wr_client_statement_close(statement);
 *     wr_flight_client_close(client);
 *
 * Threads: one, but for wr_flight_client_cancel and wr_flight_client_progress, which may come from
 * any. A connection that was lost between two statements is made again, and goes on with the
 * server's session as long as the server keeps it.
 */
#ifndef WR_FLIGHT_CLIENT_H
#define WR_FLIGHT_CLIENT_H

#include <stdbool.h>

#include "flight/grpc_client.h"
#include "weir.h"

struct wr_flight_client;
struct wr_client_statement;

/* Texts are copied. */
struct wr_flight_client_options {
    struct wr_grpc_client_options server;
    const char *user; /* NULL: none */
    const char *password;
    const char *token; /* an API key or a JSON web token; NULL: none */
};

/* Connects, and has the server say that it takes the credentials. Codes: those of
 * wr_grpc_client_open, WEIR_UNAUTHENTICATED, WEIR_UNAUTHORIZED. */
int wr_flight_client_open(const struct wr_flight_client_options *options,
                          struct wr_flight_client **ret_client, struct weir_error *error);
/* NULL is welcome. */
void wr_flight_client_close(struct wr_flight_client *client);
/* Ends what runs for the client now: it answers WEIR_CANCELLED, and the server stops its work. */
void wr_flight_client_cancel(struct wr_flight_client *client);
/* Whether the server began a new session since the last time that this was asked: what was set in
 * the last one is gone. */
bool wr_flight_client_has_new_session(struct wr_flight_client *client);

int wr_flight_client_prepare(struct wr_flight_client *client, const char *sql,
                             struct wr_client_statement **ret_statement, struct weir_error *error);
/* Its stream has to be released before. NULL is welcome. */
void wr_client_statement_close(struct wr_client_statement *statement);
/* As weir_statement_is_query and weir_statement_parameters. */
bool wr_client_statement_is_query(const struct wr_client_statement *statement);
int wr_client_statement_parameters(const struct wr_client_statement *statement,
                                   struct ArrowSchema *ret_schema, struct weir_error *error);
/* Keeps a row of values, in the order of the parameters. */
int wr_client_statement_bind(struct wr_client_statement *statement,
                             const struct ArrowSchema *schema, const struct ArrowArray *row,
                             struct weir_error *error);
/* As weir_statement_execute: a statement that changes something has run when it returns. */
int wr_client_statement_execute(struct wr_client_statement *statement,
                                struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                                struct weir_error *error);

/* Rows and bytes that came from the server since the statement was prepared. */
void wr_client_statement_progress(const struct wr_client_statement *statement, int64_t *ret_rows,
                                  int64_t *ret_bytes);

#endif
