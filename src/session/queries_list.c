/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, KILL, and the rows of system.queries and system.sessions. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/handles.h"
#include "session/queries_internal.h"

enum { USER = 0, DOOR, PEER, CATALOG, SCHEMA, N_TEXTS };

/* ---- Sessions ---- */

struct wr_listed_session *wr_queries_session(struct wr_queries *queries, const char *id) {
    struct wr_listed_session *one = queries->sessions;
    while (one && strcmp(one->session.id, id) != 0)
        one = one->next;
    return one;
}

static void free_session(struct wr_listed_session *listed) {
    for (int i = 0; i < N_TEXTS; i++)
        wr_free(listed->texts[i]);
    wr_free(listed);
}

int wr_queries_open_session(struct wr_queries *queries, struct wr_queries_session *session,
                            struct weir_error *error) {
    const char *given[] = {session->user, session->door, session->peer, "", ""};
    struct wr_listed_session *listed = wr_calloc(1, sizeof *listed);
    if (!listed) return wr_error_memory(error);
    int code = wr_random_id(session->id, error);
    for (int i = 0; code == WEIR_OK && i < N_TEXTS; i++) {
        listed->texts[i] = given[i] ? wr_strdup(given[i]) : NULL;
        if (given[i] && !listed->texts[i]) code = wr_error_memory(error);
    }
    if (code) {
        free_session(listed);
        return code;
    }
    listed->session = *session;
    listed->session.user = listed->texts[USER];
    listed->session.door = listed->texts[DOOR];
    listed->session.peer = listed->texts[PEER];
    listed->opened_us = listed->used_us = wr_queries_now();
    pthread_mutex_lock(&queries->mutex);
    listed->next = queries->sessions;
    queries->sessions = listed;
    pthread_mutex_unlock(&queries->mutex);
    return WEIR_OK;
}

void wr_queries_close_session(struct wr_queries *queries, const char *id) {
    struct wr_listed_session *closed = NULL;
    pthread_mutex_lock(&queries->mutex);
    for (struct wr_listed_session **at = &queries->sessions; *at; at = &(*at)->next) {
        if (strcmp((*at)->session.id, id) != 0) continue;
        closed = *at;
        *at = closed->next;
        break;
    }
    pthread_mutex_unlock(&queries->mutex);
    if (closed) free_session(closed);
}

void wr_queries_set_names(struct wr_queries *queries, const char *id, const char *catalog,
                          const char *schema) {
    char *texts[] = {wr_strdup(catalog), wr_strdup(schema)};
    pthread_mutex_lock(&queries->mutex);
    struct wr_listed_session *listed = wr_queries_session(queries, id);
    for (int i = 0; listed && i < 2; i++) {
        char *before = listed->texts[CATALOG + i];
        if (!texts[i]) continue; /* the old name is shown on */
        listed->texts[CATALOG + i] = texts[i];
        texts[i] = before;
    }
    pthread_mutex_unlock(&queries->mutex);
    wr_free(texts[0]);
    wr_free(texts[1]);
}

int wr_queries_check_session(struct wr_queries *queries, const char *id, struct weir_error *error) {
    pthread_mutex_lock(&queries->mutex);
    const struct wr_listed_session *listed = wr_queries_session(queries, id);
    bool killed = listed && listed->killed;
    pthread_mutex_unlock(&queries->mutex);
    if (!killed) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, "57P01",
                        "the session was ended by KILL SESSION; open another one");
}

/* ---- KILL ---- */

static bool is_theirs(const char *owner, const char *user) {
    return !user || (owner && strcmp(owner, user) == 0);
}

/* With the mutex held: ends what a session plans, too. */
static void interrupt(struct wr_listed_session *listed) {
    if (listed && listed->session.interrupt) listed->session.interrupt(listed->session.context);
}

int wr_queries_kill(struct wr_queries *queries, const char *id, const char *user,
                    struct weir_error *error) {
    pthread_mutex_lock(&queries->mutex);
    struct wr_query *query = queries->newest;
    while (query && strcmp(query->id, id) != 0)
        query = query->older;
    bool found = query && query->state < WR_QUERY_DONE && query->state != WR_QUERY_PLANNED &&
                 is_theirs(query->user, user);
    if (found) wr_query_ask_to_end(query);
    pthread_mutex_unlock(&queries->mutex);
    if (found) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no running query \"%s\"", id);
}

void wr_queries_interrupt(struct wr_queries *queries, const char *session) {
    pthread_mutex_lock(&queries->mutex);
    for (struct wr_query *one = queries->newest; one; one = one->older) {
        if (one->is_interruptible && one->state < WR_QUERY_DONE &&
            strcmp(one->session, session) == 0)
            wr_query_ask_to_end(one);
    }
    pthread_mutex_unlock(&queries->mutex);
}

int wr_queries_kill_session(struct wr_queries *queries, const char *id, const char *user,
                            struct weir_error *error) {
    pthread_mutex_lock(&queries->mutex);
    struct wr_listed_session *listed = wr_queries_session(queries, id);
    bool found = listed && is_theirs(listed->session.user, user);
    if (found) {
        listed->killed = true;
        for (struct wr_query *one = queries->newest; one; one = one->older) {
            if (strcmp(one->session, id) == 0 && one->state < WR_QUERY_DONE)
                wr_query_ask_to_end(one);
        }
        interrupt(listed);
    }
    pthread_mutex_unlock(&queries->mutex);
    if (found) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no session \"%s\"", id);
}

/* ---- Rows ---- */

static const char *state_name(enum wr_query_state state) {
    static const char *const names[] = {
        [WR_QUERY_PLANNING] = "planning", [WR_QUERY_PLANNED] = "planned",
        [WR_QUERY_QUEUED] = "queued",     [WR_QUERY_RUNNING] = "running",
        [WR_QUERY_DONE] = "done",         [WR_QUERY_CANCELLED] = "cancelled",
        [WR_QUERY_FAILED] = "failed",
    };
    return names[state];
}

static int add_query(struct wr_query *query, struct wr_rows *rows, struct weir_error *error) {
    struct weir_progress figures = query->figures;
    if (query->run && query->state < WR_QUERY_DONE) {
        figures.size = sizeof figures;
        wr_run_progress(query->run, &figures);
    }
    wr_rows_text(rows, query->id);
    wr_rows_text(rows, query->session);
    wr_rows_text(rows, query->user);
    wr_rows_text(rows, query->door ? query->door : "library");
    wr_rows_text(rows, state_name(query->state));
    wr_rows_text(rows, query->sql);
    wr_rows_time(rows, query->started_us);
    query->finished_us ? wr_rows_time(rows, query->finished_us) : wr_rows_null(rows);
    wr_rows_int(rows, query->n_rows);
    wr_rows_int(rows, figures.bytes_read);
    wr_rows_int(rows, figures.peak_memory);
    wr_rows_text(rows, *query->sqlstate ? query->sqlstate : NULL);
    wr_rows_text(rows, query->message);
    const int64_t asked[] = {
        figures.store_gets,    figures.store_heads,          figures.store_lists,
        figures.store_puts,    figures.store_posts,          figures.store_deletes,
        figures.store_retries, figures.store_bytes_received, figures.store_bytes_sent,
        figures.cache_hits,
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        wr_rows_int(rows, asked[i]);
    return wr_rows_end(rows, error);
}

static bool is_seen(const struct wr_rows *rows, const char *user) {
    return !rows->viewer || rows->viewer->sees_user(rows->viewer->context, user);
}

int wr_queries_fill(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct wr_queries *queries = context;
    int code = WEIR_OK;
    pthread_mutex_lock(&queries->mutex);
    for (struct wr_query *one = queries->oldest; code == WEIR_OK && one; one = one->newer) {
        if (one->state != WR_QUERY_PLANNED && is_seen(rows, one->user))
            code = add_query(one, rows, error);
    }
    pthread_mutex_unlock(&queries->mutex);
    return code;
}

int wr_queries_fill_sessions(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct wr_queries *queries = context;
    int code = WEIR_OK;
    pthread_mutex_lock(&queries->mutex);
    for (const struct wr_listed_session *one = queries->sessions; code == WEIR_OK && one;
         one = one->next) {
        if (!is_seen(rows, one->session.user)) continue;
        wr_rows_text(rows, one->session.id);
        wr_rows_text(rows, one->session.user);
        wr_rows_text(rows, one->session.door ? one->session.door : "library");
        wr_rows_text(rows, one->session.peer);
        wr_rows_time(rows, one->opened_us);
        wr_rows_time(rows, one->used_us);
        wr_rows_text(rows, one->texts[CATALOG]);
        wr_rows_text(rows, one->texts[SCHEMA]);
        wr_rows_int(rows, one->n_statements);
        code = wr_rows_end(rows, error);
    }
    pthread_mutex_unlock(&queries->mutex);
    return code;
}
