/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind queries.h share. */
#ifndef WR_QUERIES_INTERNAL_H
#define WR_QUERIES_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/call.h"
#include "session/queries.h"

enum wr_query_state {
    WR_QUERY_PLANNING,
    WR_QUERY_PLANNED, /* not listed */
    WR_QUERY_QUEUED,
    WR_QUERY_RUNNING,
    WR_QUERY_DONE, /* this and the following: over */
    WR_QUERY_CANCELLED,
    WR_QUERY_FAILED
};

struct wr_listed_session {
    struct wr_listed_session *next;
    struct wr_queries_session session; /* texts are its own */
    char *texts[5];                    /* user, door, peer, catalog, schema */
    int64_t opened_us;
    int64_t used_us;
    int64_t n_statements;
    bool killed;
};

struct wr_query {
    struct wr_queries *queries;
    struct wr_query *newer, *older; /* in the list */
    bool is_listed;
    int n_references; /* this and what follows: guarded by the list's mutex */
    enum wr_query_state state;
    char id[WEIR_ID_SIZE];
    char session[WEIR_ID_SIZE];
    char *user; /* NULL: the program itself */
    char *door;
    char *peer;         /* NULL: none */
    char *sql;          /* as it is shown */
    int64_t planned_us; /* when its planning began */
    int64_t started_us;
    int64_t finished_us;
    unsigned char place[WR_CALL_PLACE]; /* in a trace */
    int64_t n_rows;
    int32_t n_parts; /* streams that are open */
    bool cancelled;
    bool is_interruptible;
    bool has_place;
    struct wr_run *run;
    struct wr_call *call;         /* of what the session does itself */
    struct weir_progress figures; /* of the run when it was over */
    int code;
    char sqlstate[8];
    char *message;
};

struct wr_queries {
    pthread_mutex_t mutex;  /* guards all that follows, and every query */
    int64_t n_references;   /* the workspace's, and one of each query */
    pthread_cond_t changed; /* a place became free, or a waiting query was cancelled */
    struct wr_queries_limits limits;
    struct wr_audit *audit;
    struct wr_telemetry *telemetry;
    struct wr_query *newest, *oldest;
    int32_t n_over;
    int32_t n_running;
    int32_t n_waiting;
    struct wr_listed_session *sessions;
};

int64_t wr_queries_now(void); /* microseconds since 1970 */
/* With the mutex held. */
struct wr_listed_session *wr_queries_session(struct wr_queries *queries, const char *id);
/* Asks it to end; what must be called without the mutex is left to the caller. */
void wr_query_ask_to_end(struct wr_query *query);

#endif
