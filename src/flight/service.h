/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Flight SQL service, inside: its sessions, statements and calls.
 *
 * Who holds whom: a statement holds its session, a session holds nothing. Handles (tickets,
 * prepared statements), running streams and calls hold statements; connections, logins and calls
 * hold sessions. A weir_session is used by one call at a time, which has entered it; a stream
 * outlives its statement and its session.
 */
#ifndef WR_FLIGHT_SERVICE_H
#define WR_FLIGHT_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/handles.h"
#include "flight/flight.h"
#include "flight/ipc.h"
#include "flight/messages.h"

enum {
    WR_FLIGHT_MAX_BODY = 15 << 20,        /* bytes of a batch: ADBC takes messages up to 16 MiB */
    WR_FLIGHT_TICKET_MS = 10 * 60 * 1000, /* a ticket that nobody redeems */
    WR_FLIGHT_PREPARED_MS = 60 * 60 * 1000,
    WR_FLIGHT_SESSION_MS = 4 * 60 * 60 * 1000, /* a token or cookie that nobody uses */
    WR_FLIGHT_MOST_HANDLES = 1000,             /* tickets and prepared statements of one session */
    WR_FLIGHT_MOST_COMMAND = 16 << 20
};

struct wr_flight_door {
    struct weir_workspace *workspace;
    struct wr_grpc_server *server;
    char *certificate, *key, *client_ca;
    struct wr_handles *logins;   /* bearer tokens: sessions */
    struct wr_handles *sessions; /* cookies: sessions */
    struct wr_handles *prepared; /* statements */
    struct wr_handles *tickets;  /* statements that were planned and not begun, or run */
};

/* ---- Sessions (session.c) ---- */

struct wr_flight_statement;

struct wr_flight_session {
    atomic_int n_references;
    struct weir_session *session;
    char *owner;                 /* the principal's name */
    int64_t expires;             /* nanoseconds since 1970; 0: never */
    char token[WR_HANDLE_SIZE];  /* under which it is a login; "": none */
    char cookie[WR_HANDLE_SIZE]; /* "": none was given */
    atomic_bool has_returned;    /* a client sent its cookie back: it keeps cookies */
    atomic_int n_handles;
    atomic_int codec; /* enum wr_ipc_codec */
    atomic_int n_endpoints;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t is_free;
    bool is_busy;
    bool is_closed;
    struct wr_flight_statement *doomed; /* to be closed by who has entered */
    struct weir_option *options;        /* as the client set them */
    size_t n_options;
};

struct wr_flight_session *wr_flight_session_retain(struct wr_flight_session *session);
void wr_flight_session_release(void *session); /* NULL is welcome */
int wr_flight_session_new(struct wr_flight_door *door, const struct weir_principal *principal,
                          const char *peer, struct wr_flight_session **ret_session,
                          struct weir_error *error);

/* Waits for the session's turn, as long as the call is not over. Until it is left, the end of the
 * call interrupts what the session does. */
int wr_flight_session_enter(struct wr_flight_session *session, struct wr_grpc_call *call,
                            struct weir_error *error);
void wr_flight_session_leave(struct wr_flight_session *session, struct wr_grpc_call *call);
/* Destroys a statement that nobody holds any more: now, or when who has entered leaves. */
void wr_flight_session_doom(struct wr_flight_session *session,
                            struct wr_flight_statement *statement);

/* ---- Who calls (auth.c) ---- */

/* The session of a call, with a reference: by its bearer token, its cookie, or its connection. */
int wr_flight_session_of(struct wr_flight_door *door, struct wr_grpc_call *call,
                         struct wr_flight_session **ret_session, struct weir_error *error);
/* Gives the session a cookie, if it has none, and tells the client. */
int wr_flight_session_announce(struct wr_flight_door *door, struct wr_flight_session *session,
                               struct wr_grpc_call *call, struct weir_error *error);
/* Forgets the session: its token, its cookie, and that it is the connection's. */
void wr_flight_session_forget(struct wr_flight_door *door, struct wr_flight_session *session,
                              struct wr_grpc_call *call);
int wr_flight_handshake(void *context, struct wr_grpc_call *call, struct weir_error *error);

/* ---- Statements (statement.c) ---- */

struct wr_flight_statement {
    atomic_int n_references;
    struct wr_flight_session *session;
    struct weir_statement *statement;
    char *sql;
    struct ArrowSchema schema; /* as it was planned, with the columns' SQL types */
    struct wr_flight_statement *next_doomed;
    struct wr_flight_door *door;
    char ticket[WR_HANDLE_SIZE]; /* "": it has none */
    bool is_query;
    atomic_bool is_running; /* a stream of it is being read */
    atomic_bool is_redeemed;
    atomic_bool is_cancelled;       /* with its ticket: it is not to be executed */
    struct ArrowArrayStream *parts; /* begun already, for several endpoints; NULL */
    int32_t n_parts;
    atomic_int n_parts_left;              /* not read to their ends */
    pthread_mutex_t mutex;                /* guards what follows */
    struct ArrowSchema parameters_schema; /* bound rows; release NULL: none */
    struct wr_shared_batch **parameters;
    size_t n_parameters;
};

/* With the session entered. */
int wr_flight_statement_new(struct wr_flight_door *door, struct wr_flight_session *session,
                            const char *sql, struct wr_flight_statement **ret_statement,
                            struct weir_error *error);
struct wr_flight_statement *wr_flight_statement_retain(struct wr_flight_statement *statement);
void wr_flight_statement_release(void *statement); /* any thread; NULL is welcome */
/* With the session entered, of one that nobody holds. */
void wr_flight_statement_destroy(struct wr_flight_statement *statement);
/* Handles (tickets, prepared). Codes: WEIR_NOT_FOUND also for what is somebody else's. */
int wr_flight_statement_add(struct wr_handles *handles, struct wr_flight_statement *statement,
                            int64_t idle_ms, char ret_id[WR_HANDLE_SIZE], struct weir_error *error);
int wr_flight_statement_get(struct wr_handles *handles, struct wr_flight_session *session,
                            const char *what, const ProtobufCBinaryData *id,
                            struct wr_flight_statement **ret_statement, struct weir_error *error);

bool wr_flight_statement_is_bound(struct wr_flight_statement *statement);
/* Replaces the rows of parameters, which it takes over. */
void wr_flight_statement_bind(struct wr_flight_statement *statement, struct ArrowSchema *schema,
                              struct wr_shared_batch **rows, size_t n_rows);

/*
 * Runs a statement for all its rows of parameters, one after another, or once without any. Rows
 * come as one stream; the changed rows of all are added up. With `call` its end cancels what runs
 * before this returns.
 */
int wr_flight_statement_run(struct wr_flight_statement *statement, struct wr_grpc_call *call,
                            struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                            struct weir_error *error);

/* ---- Rows going out (rows.c) ---- */

/* The next batch of a stream with the error in full; release NULL at the end. */
int wr_flight_read(struct ArrowArrayStream *stream, struct ArrowArray *ret_array,
                   struct weir_error *error);

/*
 * A reply of the rows of a stream, which it takes over on success. `statement` (may be NULL) is
 * cancelled with the call, and is retained.
 */
int wr_flight_rows(struct wr_flight_session *session, struct wr_flight_statement *statement,
                   struct wr_grpc_call *call, struct ArrowArrayStream *rows,
                   struct wr_grpc_reply *ret_reply, struct weir_error *error);

/* ---- Metadata (metadata.c, sql_info.c) ---- */

bool wr_flight_is_metadata(const struct wr_any *any);
/* The schema of such a command's rows, without running it. */
int wr_flight_metadata_schema(const struct wr_any *any, struct ArrowSchema *ret_schema,
                              struct weir_error *error);
/* Its rows. With the session entered. */
int wr_flight_metadata_rows(struct wr_flight_session *session, const struct wr_any *any,
                            struct ArrowArrayStream *ret_rows, struct weir_error *error);
int wr_flight_sql_info(const uint32_t *codes, size_t n_codes, struct ArrowArrayStream *ret_rows,
                       struct weir_error *error);

/* ---- Methods ---- */

int wr_flight_get_info(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                       struct wr_grpc_reply *ret_reply, struct weir_error *error);
int wr_flight_poll_info(void *context, struct wr_grpc_call *call, const void *request,
                        size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error);
int wr_flight_get_schema(void *context, struct wr_grpc_call *call, const void *request,
                         size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error);
int wr_flight_list_flights(void *context, struct wr_grpc_call *call, const void *request,
                           size_t length, struct wr_grpc_reply *ret_reply,
                           struct weir_error *error);
int wr_flight_do_get(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                     struct wr_grpc_reply *ret_reply, struct weir_error *error);
int wr_flight_do_put(void *context, struct wr_grpc_call *call, struct weir_error *error);
int wr_flight_do_exchange(void *context, struct wr_grpc_call *call, struct weir_error *error);
int wr_flight_do_action(void *context, struct wr_grpc_call *call, const void *request,
                        size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error);
int wr_flight_list_actions(void *context, struct wr_grpc_call *call, const void *request,
                           size_t length, struct wr_grpc_reply *ret_reply,
                           struct weir_error *error);

/* Refusals: of a command that is not done, and of a transaction. */
int wr_flight_unsupported(const char *command, struct weir_error *error);
int wr_flight_no_transaction(const ProtobufCBinaryData *transaction_id, struct weir_error *error);

/* Puts what a client should see of an error into its text: SQLSTATE and position. Answers `code`.
 */
int wr_flight_error(int code, struct weir_error *error);

#endif
