/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements of a workspace: those that wait, run, and ran; which of them may run at the same
 * time; and how another session ends one.
 *
 * 1. A query is made when its statement is planned, and again for each later execution. The list
 * holds a reference as long as it is not over, and to the last ones that are.
 * 2. One mutex guards the list and every query in it. It is never held while the engine runs.
 * 3. A query that runs takes one place of the workspace and one of its user, from the end of its
 * wait until it is over: for rows, until the last of its streams was read to the end or released.
 * 4. Cancelling only asks: a run in the engine, a wait for a place, and whoever looks.
 */
#ifndef WR_QUERIES_H
#define WR_QUERIES_H

#include <stdbool.h>

#include "engine/engine.h"
#include "table/system/rows.h"

struct wr_queries;
struct wr_query;

struct wr_audit;
struct wr_telemetry;

struct wr_queries_limits {
    int32_t max_running;  /* at the same time; 0: without limit */
    int32_t max_per_user; /* 0: without limit */
    int32_t max_waiting;  /* more are refused at once */
    int64_t wait_ms;      /* how long one waits for a place */
    int32_t history;      /* of those that are over, so many are remembered */
};

/* Each query that is over gets its line in `audit` (NULL: no log is kept) and its span in
 * `telemetry` (NULL: nothing is traced), which live longer. */
int wr_queries_new(const struct wr_queries_limits *limits, struct wr_audit *audit,
                   struct wr_telemetry *telemetry, struct wr_queries **ret_queries,
                   struct weir_error *error);
/* Nothing runs any more. A query may be released later. */
void wr_queries_free(struct wr_queries *queries);

/* ---- Sessions ---- */

struct wr_queries_session {
    char id[WEIR_ID_SIZE];
    const char *user; /* NULL: the program itself */
    const char *door;
    const char *peer;
    /* Ends what the session does beside its statements; from any thread, with the list's mutex
     * held.
     */
    void (*interrupt)(void *context);
    void *context;
};

/* Copies the texts, and makes the id. */
int wr_queries_open_session(struct wr_queries *queries, struct wr_queries_session *session,
                            struct weir_error *error);
void wr_queries_close_session(struct wr_queries *queries, const char *id);
/* The names that system.sessions shows. */
void wr_queries_set_names(struct wr_queries *queries, const char *id, const char *catalog,
                          const char *schema);
/* WEIR_INVALID_STATE after KILL SESSION. */
int wr_queries_check_session(struct wr_queries *queries, const char *id, struct weir_error *error);

/* ---- The life of a query ---- */

/* In the state "planning". `*ret_query` has a reference for the caller. */
int wr_query_new(struct wr_queries *queries, const char *session, const char *sql,
                 struct wr_query **ret_query, struct weir_error *error);
void wr_query_retain(struct wr_query *query);
/* NULL is welcome. */
void wr_query_release(struct wr_query *query);
const char *wr_query_id(const struct wr_query *query);
/* It was planned and may run later; it is not listed until it does. */
void wr_query_planned(struct wr_query *query);
/* Waits for a place, then is "running". Codes: WEIR_CANCELLED, WEIR_TIMEOUT (53400) when no place
 * came, or too many wait. After a failure it is over. */
int wr_query_begin(struct wr_query *query, struct weir_error *error);
/* What ends with the query: entered by whoever does its work beside the engine. */
struct wr_call *wr_query_call(struct wr_query *query);
/* Nobody else can end it: its session's interruption does. */
void wr_query_set_interruptible(struct wr_query *query);
/* The engine's handle, which the query takes over; once. Cancels it if the query was cancelled
 * before. */
void wr_query_set_run(struct wr_query *query, struct wr_run *run);
/* So many streams give its rows; wr_query_end is then called for each of them. */
void wr_query_set_parts(struct wr_query *query, int32_t n_parts);
void wr_query_add_rows(struct wr_query *query, int64_t n_rows);
/* It is over, or one of its streams is. `code` WEIR_OK: well. */
void wr_query_end(struct wr_query *query, int code, const struct weir_error *error);
bool wr_query_is_over(struct wr_query *query);

/* From any thread. */
void wr_query_cancel(struct wr_query *query);
bool wr_query_is_cancelled(struct wr_query *query);
/* The engine's handle with *ret_finished; NULL: none yet, or none at all. It lives as long as the
 * query. */
struct wr_run *wr_query_run(struct wr_query *query);

/* ---- From other sessions ---- */

/*
 * KILL QUERY and KILL SESSION. `user` NULL: anyone's may be ended, else only that user's: others
 * are WEIR_NOT_FOUND, as are those that are over.
 */
int wr_queries_kill(struct wr_queries *queries, const char *id, const char *user,
                    struct weir_error *error);
int wr_queries_kill_session(struct wr_queries *queries, const char *id, const char *user,
                            struct weir_error *error);
/* Those of a session that its interruption ends. */
void wr_queries_interrupt(struct wr_queries *queries, const char *session);
/* Sources of system.queries and system.sessions; the context is the wr_queries. */
int wr_queries_fill(void *queries, struct wr_rows *rows, struct weir_error *error);
int wr_queries_fill_sessions(void *queries, struct wr_rows *rows, struct weir_error *error);

#endif
