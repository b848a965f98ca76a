/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Behind weir.h: workspace, session, statement.
 *
 * 1. A workspace lives until it was closed and its last session is.
 * 2. A statement holds the plan that the engine made of it, and after weir_statement_bind a second
 * one with the values in it.
 * 3. Each weir_statement_execute has a query (queries.h), the handle that other threads cancel and
 * ask for progress. A statement keeps the last one.
 * 4. No mutex is held while the engine or a table kind runs.
 */
#ifndef WR_SESSION_H
#define WR_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "catalog/catalog.h"
#include "config/config.h"
#include "engine/engine.h"
#include "file/activity.h"
#include "file/state.h"
#include "session/audit.h"
#include "session/auth.h"
#include "session/gated.h"
#include "session/policy.h"
#include "session/queries.h"
#include "session/stores.h"
#include "session/telemetry.h"
#include "sql/statement.h"
#include "table/cached/cached.h"
#include "table/extension/extension.h"
#include "table/registry.h"
#include "table/system/system.h"

/*
 * What a session's engine asks for names. It may be asked by what outlives the session, so it is
 * the workspace's, and the next session's after it.
 */
struct wr_private;
struct wr_session_names {
    struct wr_session_names *next;
    pthread_mutex_t mutex; /* guards `tables` */
    struct wr_private *tables;
    struct wr_gated gated; /* on whose behalf */
};

/* Tables of one session alone (private.c). Found with a reference, or NULL; added with one of its
 * own, in place of one of that name. */
struct wr_instance *wr_private_find(struct wr_session_names *names, const char *name);
int wr_private_add(struct wr_session_names *names, struct wr_instance *instance,
                   struct weir_error *error);
/* When nobody looks anything up any more. */
void wr_private_clear(struct wr_session_names *names);

struct weir_workspace {
    atomic_int references;
    struct wr_config *config;
    struct wr_registry *registry;
    struct wr_names *names;
    struct wr_engine *engine;
    struct wr_store_pool *stores; /* freed after all that may read from one */
    struct wr_file_state *files;
    struct wr_caches *caches; /* freed last, with what follows: tables point to them */
    struct wr_extensions *extensions;
    struct wr_system *system;
    struct wr_queries *queries;
    struct wr_policy *policy;
    struct wr_auth *auth;
    struct wr_audit *audit;         /* NULL: no log is kept */
    struct wr_log_file *log;        /* NULL: nothing is logged */
    struct wr_telemetry *telemetry; /* NULL: nothing is traced */
    char *catalog;
    char *schema;
    pthread_mutex_t mutex; /* guards what follows */
    struct wr_session_names *unused_names;
};

void wr_workspace_release(struct weir_workspace *workspace);
/* Makes the catalog `system` (system.c). */
int wr_workspace_add_system(struct weir_workspace *workspace, struct weir_error *error);
/* Loads those of the configuration (load.c). */
int wr_workspace_load_extensions(struct weir_workspace *workspace, struct weir_error *error);
/* Makes the cached tables (fetch.c). `path` as in the workspace's options. */
int wr_workspace_add_caches(struct weir_workspace *workspace, const char *path,
                            struct weir_error *error);

struct weir_session {
    struct weir_workspace *workspace;
    char id[WEIR_ID_SIZE];
    struct wr_engine_session *engine;
    struct wr_session_names *names;
    struct wr_access *access;        /* that of `names` */
    int64_t expires_ns;              /* of the credential; 0: never */
    int64_t prepared_generation;     /* of the rights at the first PREPARE; 0: there was none */
    struct wr_activities activities; /* of nodes and files, and of planning */
};

/* Lets system.sessions show the current catalog and schema. */
void wr_session_show_names(struct weir_session *session);

/* ---- Executions ---- */

struct weir_statement {
    struct weir_session *session;
    char *sql; /* as it was given */
    struct wr_statement parsed;
    int32_t type;                /* enum wr_plan_type */
    struct wr_plan *plan;        /* NULL: nothing to plan */
    struct wr_plan *bound;       /* NULL: no values were bound */
    int64_t generation;          /* of the rights that it was checked with */
    bool hides_plan;             /* it reads a view whose text its user may not see */
    struct wr_instance *through; /* a cached table whose source gets the rows; NULL: none */
    pthread_mutex_t mutex;       /* guards `query` */
    struct wr_query *query;      /* of the planning, then of the last execution */
    bool executed;               /* `query` is of an execution */
    bool announced;              /* which is to come */
};

/* The plan to execute. */
const struct wr_plan *wr_statement_plan(const struct weir_statement *statement);
/* Waits for its place. */
int wr_execution_begin(struct weir_statement *statement, struct weir_error *error);
/* Hands streams on that end the query with their last batch or their release. */
int wr_execution_watch(struct weir_statement *statement, struct ArrowArrayStream *parts,
                       int32_t n_parts, struct weir_error *error);
/* WEIR_CANCELLED after a cancel during this execution. */
int wr_execution_check(struct weir_statement *statement, struct weir_error *error);
/* Starts the statement's plan in the engine, in up to `max_parts` streams. */
int wr_execution_run(struct weir_statement *statement, int32_t max_parts,
                     struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts,
                     struct weir_error *error);

/* ---- What its principal may do (policy_statement.c) ---- */

/* Before a statement is planned: WEIR_UNAUTHENTICATED when the credential has ended. */
int wr_policy_begin(struct weir_statement *statement, struct weir_error *error);
/* After it, with what came of the planning, which is the answer where there is nothing to add. */
int wr_policy_check(struct weir_statement *statement, int planned, struct weir_error *error);
/* Before it is executed: as wr_policy_check, with another planning if rights have changed. */
int wr_policy_recheck(struct weir_statement *statement, struct weir_error *error);
/* The rights that DDL needs. *ret_hidden: what it names is not to be seen, and the statement is to
 * do what it does when there is no such thing. */
int wr_policy_ddl(struct weir_session *session, const struct wr_plan_info *info, bool *ret_hidden,
                  struct weir_error *error);
/* A table that was made now is its maker's. */
int wr_policy_made(struct weir_session *session, const char *catalog, const char *schema,
                   const char *name, struct weir_error *error);
/* A path of the tree or the machine that a function of weir.h is given (policy_place.c).
 * `privileges` of enum wr_privilege; what has others than SELECT is written, 0 is to be seen. */
struct wr_place;
int wr_policy_place(struct weir_session *session, const struct wr_place *place, uint32_t privileges,
                    struct weir_error *error);
/* A name of a directory that was listed at a place. `table`: the table that it is; NULL: none. */
bool wr_policy_sees_entry(struct weir_session *session, const struct wr_place *place,
                          const char *name, const char *table);
/* That there is nothing at a path, in the words for what may not be seen. */
int wr_policy_nothing(const char *path, struct weir_error *error);

/* ---- Statements on users, roles, keys and grants (users.c) ---- */

bool wr_is_on_users(const struct wr_statement *parsed);
bool wr_on_users_is_query(const struct wr_statement *parsed);
int wr_on_users_execute(struct weir_statement *statement, struct weir_error *error);
/* Those that give rows. */
const struct wr_column *wr_on_users_columns(const struct wr_statement *parsed,
                                            size_t *ret_n_columns);
int wr_on_users_fill(struct weir_statement *statement, struct wr_rows *rows,
                     struct weir_error *error);
/* Sources of system.users and system.grants; the context is the names. */
int wr_users_fill(void *names, struct wr_rows *rows, struct weir_error *error);
int wr_grants_fill(void *names, struct wr_rows *rows, struct weir_error *error);

/* ---- Streams of the engine ---- */

/* Reads to the end and releases. `ret_count` (may be NULL) gets the sum of the first column. */
int wr_drain(struct ArrowArrayStream *rows, int64_t *ret_count, struct weir_error *error);

/* A stream on another one that stays its owner's, and remembers in full why that one failed. */
struct wr_tap {
    struct ArrowArrayStream *inner;
    bool engine; /* inner is the engine's */
    int code;
    struct weir_error error;
};

void wr_tap_open(struct wr_tap *tap, struct ArrowArrayStream *ret_stream);
/* The tap's own failure if there was one, else what the reader of the stream made of it. */
int wr_tap_result(const struct wr_tap *tap, int code, struct weir_error *error);

/* ---- Statements on names: ATTACH, DETACH, USE, SHOW MOUNTS, SHOW NAMESPACES ---- */

bool wr_is_on_names(const struct wr_statement *parsed);
/* Of them those that give rows, without the engine. */
bool wr_on_names_is_query(const struct wr_statement *parsed);
int wr_on_names_schema(const struct weir_statement *statement, struct ArrowSchema *ret_schema,
                       struct weir_error *error);
int wr_on_names_rows(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error);
int wr_on_names_execute(struct weir_statement *statement, struct weir_error *error);

/* ---- KILL (kill.c) ---- */

bool wr_is_on_secrets(const struct wr_statement *parsed);
int wr_secrets_check(struct weir_statement *statement, struct weir_error *error);
int wr_secrets_execute(struct weir_statement *statement, struct weir_error *error);
bool wr_is_kill(const struct wr_statement *parsed);
int wr_kill_execute(struct weir_statement *statement, struct weir_error *error);

/* ---- LOAD (load.c) ---- */

bool wr_is_load(const struct wr_statement *parsed);
/* Before it is executed: whether one may. */
int wr_load_check(const struct weir_statement *statement, struct weir_error *error);
int wr_load_execute(struct weir_statement *statement, struct weir_error *error);

/* ---- Cached tables, and what else is kept (refresh.c) ---- */

bool wr_is_refresh(const struct wr_statement *parsed);
int wr_refresh_execute(struct weir_statement *statement, struct weir_error *error);
/* An INSERT into a cached table becomes one into its source, other changes are refused. *ret_text
 * is the statement's text to plan, the parsed one or one to be freed with wr_free. */
int wr_write_through(struct weir_statement *statement, char **ret_text, struct weir_error *error);
/* Moves an error's position back to the text that the user gave. */
void wr_write_through_locate(const struct weir_statement *statement, struct weir_error *error);

/* ---- Changes to the catalog ---- */

/* Plans CREATE TABLE ... USING: its columns and its query, as the engine's CREATE TABLE. *ret_plan
 * stays NULL without either. */
int wr_using_plan(struct weir_session *session, const char *sql, const struct wr_statement *parsed,
                  struct wr_plan **ret_plan, struct weir_error *error);
int wr_using_execute(struct weir_statement *statement, int64_t *ret_affected,
                     struct weir_error *error);
/* Executes a plan of a type from WR_PLAN_CREATE_TABLE on. */
int wr_ddl_execute(struct weir_statement *statement, int64_t *ret_affected,
                   struct weir_error *error);
/* Runs the statement's input, if it has one, into a new table. `flags` of enum wr_create_flags. */
int wr_create_table(struct weir_statement *statement, const struct weir_definition *definition,
                    int flags, bool has_input, int64_t *ret_affected, struct weir_error *error);
/* Refuses a table whose columns would share a name. */
int wr_check_columns(const struct ArrowSchema *schema, struct weir_error *error);

#endif
