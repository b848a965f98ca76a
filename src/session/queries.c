/* SPDX-License-Identifier: Apache-2.0 */
/* The list of queries: making one, waiting for a place, and its end. */
#include "session/queries.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "base/handles.h"
#include "session/audit.h"
#include "session/queries_internal.h"
#include "session/telemetry.h"
#include "sql/shown.h"

/* Of a statement's text so much is kept. */
enum { MAX_SHOWN = 64 * 1024 };

int64_t wr_queries_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- The list ---- */

int wr_queries_new(const struct wr_queries_limits *limits, struct wr_audit *audit,
                   struct wr_telemetry *telemetry, struct wr_queries **ret_queries,
                   struct weir_error *error) {
    struct wr_queries *queries = wr_calloc(1, sizeof *queries);
    if (!queries) return wr_error_memory(error);
    pthread_mutex_init(&queries->mutex, NULL);
    wr_condition_init(&queries->changed);
    queries->n_references = 1;
    queries->limits = *limits;
    queries->audit = audit;
    queries->telemetry = telemetry;
    *ret_queries = queries;
    return WEIR_OK;
}

static void unlink_query(struct wr_query *query);
static void drop_reference(struct wr_query *query);

/* With the mutex held; what it counts in stays until the caller has let go of that. */
static void free_query(struct wr_query *query) {
    query->queries->n_references--;
    wr_free(query->user);
    wr_free(query->door);
    wr_free(query->peer);
    wr_free(query->sql);
    wr_free(query->message);
    wr_call_release(query->call);
    wr_free(query);
}

/* Lets go of the mutex, and of everything with the last query of a workspace that is closed. */
static void unlock(struct wr_queries *queries) {
    bool last = queries->n_references == 0;
    pthread_mutex_unlock(&queries->mutex);
    if (!last) return;
    pthread_cond_destroy(&queries->changed);
    pthread_mutex_destroy(&queries->mutex);
    wr_free(queries);
}

/* A program may release a stream after all else: its query is let go of then. */
void wr_queries_free(struct wr_queries *queries) {
    if (!queries) return;
    while (queries->sessions)
        wr_queries_close_session(queries, queries->sessions->session.id);
    pthread_mutex_lock(&queries->mutex);
    queries->audit = NULL;
    queries->telemetry = NULL;
    while (queries->newest) {
        struct wr_query *query = queries->newest;
        struct wr_run *run = query->run;
        query->run = NULL;
        unlink_query(query);
        drop_reference(query);
        if (run) wr_run_free(run);
    }
    queries->n_references--;
    unlock(queries);
}

/* The functions up to wr_query_new are called with the mutex held. */

static void link_newest(struct wr_queries *queries, struct wr_query *query) {
    query->older = queries->newest;
    if (queries->newest) queries->newest->newer = query;
    queries->newest = query;
    if (!queries->oldest) queries->oldest = query;
    query->is_listed = true;
}

static void unlink_query(struct wr_query *query) {
    struct wr_queries *queries = query->queries;
    *(query->newer ? &query->newer->older : &queries->newest) = query->older;
    *(query->older ? &query->older->newer : &queries->oldest) = query->newer;
    query->newer = query->older = NULL;
    query->is_listed = false;
}

static void drop_reference(struct wr_query *query) {
    if (--query->n_references == 0) free_query(query);
}

static bool is_over(const struct wr_query *query) {
    return query->state >= WR_QUERY_DONE;
}

/* Forgets the oldest of those that are over. */
static void trim(struct wr_queries *queries) {
    struct wr_query *query = queries->oldest;
    while (query && queries->n_over > queries->limits.history) {
        struct wr_query *newer = query->newer;
        if (is_over(query)) {
            unlink_query(query);
            queries->n_over--;
            drop_reference(query);
        }
        query = newer;
    }
}

static void finish(struct wr_query *query, int code, const struct weir_error *error) {
    struct wr_queries *queries = query->queries;
    enum wr_query_state state = code == WEIR_OK          ? WR_QUERY_DONE
                                : code == WEIR_CANCELLED ? WR_QUERY_CANCELLED
                                                         : WR_QUERY_FAILED;
    query->state = state;
    query->code = code;
    query->finished_us = wr_queries_now();
    if (state != WR_QUERY_DONE && error) {
        memcpy(query->sqlstate, error->sqlstate, sizeof query->sqlstate);
        query->message = wr_strdup(error->message);
    }
    if (query->run) {
        query->figures.size = sizeof query->figures;
        wr_run_progress(query->run, &query->figures);
    }
    if (query->has_place) {
        query->has_place = false;
        queries->n_running--;
        pthread_cond_broadcast(&queries->changed);
    }
    queries->n_over++;
    trim(queries);
}

static int32_t running_of(const struct wr_queries *queries, const char *user) {
    int32_t n_running = 0;
    for (const struct wr_query *one = queries->newest; one; one = one->older) {
        bool same = one->user && user ? strcmp(one->user, user) == 0 : one->user == user;
        n_running += one->has_place && same;
    }
    return n_running;
}

static bool has_room(const struct wr_query *query) {
    const struct wr_queries *queries = query->queries;
    const struct wr_queries_limits *limits = &queries->limits;
    if (limits->max_running > 0 && queries->n_running >= limits->max_running) return false;
    return limits->max_per_user <= 0 || running_of(queries, query->user) < limits->max_per_user;
}

/* Whoever of the same user waits longer comes first; of others, who could not begin anyway, none
 * stands in the way. */
static bool is_first(const struct wr_query *query) {
    for (const struct wr_query *one = query->older; one; one = one->older) {
        if (one->state == WR_QUERY_QUEUED && has_room(one)) return false;
    }
    return true;
}

static int no_place(const struct wr_query *query, struct weir_error *error) {
    const struct wr_queries_limits *limits = &query->queries->limits;
    return wr_error_set(error, WEIR_TIMEOUT, "53400",
                        "no room for the statement after %lld ms: %d run now, at most %d may, %d "
                        "of one user (0: any number)",
                        (long long)limits->wait_ms, (int)query->queries->n_running,
                        (int)limits->max_running, (int)limits->max_per_user);
}

static int wait_for_place(struct wr_query *query, struct weir_error *error) {
    struct wr_queries *queries = query->queries;
    if (queries->n_waiting >= queries->limits.max_waiting)
        return wr_error_set(error, WEIR_TIMEOUT, "53400",
                            "too many statements wait already: %d; try again later",
                            (int)queries->n_waiting);
    struct timespec until = wr_condition_deadline(queries->limits.wait_ms);
    int waited = 0;
    queries->n_waiting++;
    while (!query->cancelled && waited != ETIMEDOUT && !(has_room(query) && is_first(query)))
        waited = pthread_cond_timedwait(&queries->changed, &queries->mutex, &until);
    queries->n_waiting--;
    /* Who waits behind it may be the first now. */
    pthread_cond_broadcast(&queries->changed);
    if (query->cancelled || has_room(query)) return WEIR_OK;
    return no_place(query, error);
}

/* ---- Making one ---- */

static char *copy_or_null(const char *text, bool *ok) {
    char *copy = text ? wr_strdup(text) : NULL;
    *ok = *ok && (copy || !text);
    return copy;
}

int wr_query_new(struct wr_queries *queries, const char *session, const char *sql,
                 struct wr_query **ret_query, struct weir_error *error) {
    struct wr_query *query = wr_calloc(1, sizeof *query);
    if (!query) return wr_error_memory(error);
    bool ok = true;
    query->queries = queries;
    query->n_references = 2; /* the list's, the caller's */
    query->started_us = query->planned_us = wr_queries_now();
    memcpy(query->session, session, WEIR_ID_SIZE);
    int code = wr_random_id(query->id, error);
    if (code == WEIR_OK) {
        query->sql = wr_sql_shown(sql, MAX_SHOWN);
        query->call = wr_call_new();
        ok = query->sql && query->call;
        wr_telemetry_place(queries->telemetry, query->place);
        wr_call_set_place(query->call, query->place);
    }
    pthread_mutex_lock(&queries->mutex);
    queries->n_references++;
    struct wr_listed_session *listed = wr_queries_session(queries, session);
    if (listed) {
        query->user = copy_or_null(listed->session.user, &ok);
        query->door = copy_or_null(listed->session.door, &ok);
        query->peer = copy_or_null(listed->session.peer, &ok);
        listed->used_us = query->started_us;
        listed->n_statements++;
    }
    if (code == WEIR_OK && !ok) code = wr_error_memory(error);
    if (code) {
        free_query(query);
    } else {
        link_newest(queries, query);
    }
    pthread_mutex_unlock(&queries->mutex);
    if (code) return code;
    *ret_query = query;
    return WEIR_OK;
}

void wr_query_retain(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    query->n_references++;
    pthread_mutex_unlock(&query->queries->mutex);
}

void wr_query_release(struct wr_query *query) {
    if (!query) return;
    struct wr_queries *queries = query->queries;
    struct wr_run *run = NULL;
    pthread_mutex_lock(&queries->mutex);
    /* One that was planned only leaves the list with its statement, whose reference is the last
     * besides the list's: a cancel that looks at it meanwhile lets go of its own. */
    if (query->state == WR_QUERY_PLANNED && query->is_listed && query->n_references == 2) {
        unlink_query(query);
        query->n_references--;
    }
    /* The list keeps what was said of it, and not the tables that it read. */
    if (query->n_references == (query->is_listed ? 2 : 1)) {
        run = query->run;
        query->run = NULL;
    }
    drop_reference(query);
    unlock(queries);
    if (run) wr_run_free(run);
}

const char *wr_query_id(const struct wr_query *query) {
    return query->id;
}

/* ---- Its life ---- */

/* Without the mutex: nothing of a query that is over changes any more. */
static void tell_end(const struct wr_query *query) {
    struct wr_queries *queries = query->queries;
    pthread_mutex_lock(&queries->mutex);
    struct wr_audit *audit = queries->audit;
    struct wr_telemetry *telemetry = queries->telemetry;
    pthread_mutex_unlock(&queries->mutex);
    const struct wr_audit_record record = {
        .session = query->session,
        .query = query->id,
        .user = query->user,
        .door = query->door ? query->door : "library",
        .peer = query->peer,
        .sql = query->sql,
        .started_us = query->started_us,
        .duration_us = query->finished_us - query->started_us,
        .rows = query->n_rows,
        .code = query->code,
        .sqlstate = query->sqlstate,
    };
    if (audit) (void)wr_audit_write(audit, &record, NULL);
    wr_telemetry_statement(telemetry, query->place, query->planned_us, &record);
}

void wr_query_planned(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    query->state = WR_QUERY_PLANNED;
    pthread_mutex_unlock(&query->queries->mutex);
}

int wr_query_begin(struct wr_query *query, struct weir_error *error) {
    struct wr_queries *queries = query->queries;
    struct weir_error reason = {0};
    int code = WEIR_OK;
    pthread_mutex_lock(&queries->mutex);
    query->started_us = wr_queries_now();
    if (!has_room(query) || !is_first(query)) {
        query->state = WR_QUERY_QUEUED;
        code = wait_for_place(query, &reason);
    }
    if (code == WEIR_OK && query->cancelled)
        code = wr_error_set(&reason, WEIR_CANCELLED, NULL, "the statement was cancelled");
    if (code) {
        finish(query, code, &reason);
    } else {
        query->state = WR_QUERY_RUNNING;
        query->has_place = true;
        query->n_parts = 1;
        queries->n_running++;
    }
    pthread_mutex_unlock(&queries->mutex);
    if (code) tell_end(query);
    if (code && error) *error = reason;
    return code;
}

struct wr_call *wr_query_call(struct wr_query *query) {
    return query->call;
}

void wr_query_set_interruptible(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    query->is_interruptible = true;
    pthread_mutex_unlock(&query->queries->mutex);
}

void wr_query_set_run(struct wr_query *query, struct wr_run *run) {
    pthread_mutex_lock(&query->queries->mutex);
    query->run = run;
    /* A cancel that came while the engine was starting found no run. */
    if (query->cancelled) wr_run_cancel(run);
    pthread_mutex_unlock(&query->queries->mutex);
}

void wr_query_set_parts(struct wr_query *query, int32_t n_parts) {
    pthread_mutex_lock(&query->queries->mutex);
    query->n_parts = n_parts;
    pthread_mutex_unlock(&query->queries->mutex);
}

void wr_query_add_rows(struct wr_query *query, int64_t n_rows) {
    pthread_mutex_lock(&query->queries->mutex);
    query->n_rows += n_rows;
    pthread_mutex_unlock(&query->queries->mutex);
}

void wr_query_end(struct wr_query *query, int code, const struct weir_error *error) {
    pthread_mutex_lock(&query->queries->mutex);
    /* The first failure of several streams is the query's. */
    bool ends = !is_over(query) && (code || --query->n_parts <= 0);
    if (ends) finish(query, code, error);
    pthread_mutex_unlock(&query->queries->mutex);
    if (ends) tell_end(query);
}

bool wr_query_is_over(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    bool over = is_over(query);
    pthread_mutex_unlock(&query->queries->mutex);
    return over;
}

/* ---- Cancel ---- */

/* Engine and kinds only note it: that may be done with the mutex held. */
void wr_query_ask_to_end(struct wr_query *query) {
    query->cancelled = true;
    wr_call_cancel(query->call);
    if (query->run) wr_run_cancel(query->run);
    pthread_cond_broadcast(&query->queries->changed);
}

void wr_query_cancel(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    if (!is_over(query)) wr_query_ask_to_end(query);
    pthread_mutex_unlock(&query->queries->mutex);
}

bool wr_query_is_cancelled(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    bool cancelled = query->cancelled;
    pthread_mutex_unlock(&query->queries->mutex);
    return cancelled;
}

struct wr_run *wr_query_run(struct wr_query *query) {
    pthread_mutex_lock(&query->queries->mutex);
    struct wr_run *run = query->run;
    pthread_mutex_unlock(&query->queries->mutex);
    return run;
}
