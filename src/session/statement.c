/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a statement: prepare, bind, execute, close. */
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/call.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/session.h"

/* ---- Prepare ---- */

/* Plans CREATE TABLE in a mount, where what is not there yet is no error; or says why not. */
static int plan_create(struct weir_statement *statement, const struct wr_name *name, int failed,
                       struct weir_error *error) {
    struct weir_session *session = statement->session;
    struct wr_names *names = session->workspace->names;
    bool expected = false;
    WR_TRY(wr_names_expect(names, name, &expected, error));
    if (expected) {
        int code = wr_plan_new(session->engine, statement->parsed.text, &statement->plan, error);
        wr_names_unexpect(names, name);
        return code;
    }
    int refused = wr_names_refuse_mount(names, name->catalog, name->schema, "CREATE TABLE", error);
    if (refused && error) error->position = 0;
    return refused ? refused : failed;
}

/* The engine looks up even the table that CREATE TABLE is to make, and fails when that is in a
 * mount. */
static int plan_engine(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct weir_session *session = statement->session;
    char *catalog = NULL;
    char *schema = NULL;
    char *rewritten = NULL;
    WR_TRY(wr_write_through(statement, &rewritten, error));
    int code =
        wr_plan_new(session->engine, rewritten ? rewritten : parsed->text, &statement->plan, error);
    wr_free(rewritten);
    if (code && statement->through) wr_write_through_locate(statement, error);
    if (code != WEIR_NOT_FOUND || !parsed->parts[2]) return code;
    if (wr_engine_session_names(session->engine, &catalog, &schema, NULL) != WEIR_OK) return code;
    const struct wr_name name = {parsed->parts[0] ? parsed->parts[0] : catalog,
                                 parsed->parts[1] ? parsed->parts[1] : schema, parsed->parts[2]};
    code = plan_create(statement, &name, code, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int plan(struct weir_statement *statement, const char *sql, struct weir_error *error) {
    WR_TRY(wr_statement_parse(sql, wr_registry_encodings(statement->session->workspace->registry),
                              &statement->parsed, error));
    WR_TRY(wr_policy_begin(statement, error));
    if (statement->parsed.type == WR_STATEMENT_CREATE_USING) {
        statement->type = WR_PLAN_CREATE_TABLE;
        return wr_using_plan(statement->session, sql, &statement->parsed, &statement->plan, error);
    }
    if (wr_is_on_names(&statement->parsed)) {
        statement->type =
            wr_on_names_is_query(&statement->parsed) ? WR_PLAN_QUERY : WR_PLAN_SESSION;
        return WEIR_OK;
    }
    if (wr_is_refresh(&statement->parsed) || wr_is_kill(&statement->parsed) ||
        wr_is_on_secrets(&statement->parsed) || wr_is_load(&statement->parsed)) {
        statement->type = WR_PLAN_SESSION;
        return WEIR_OK;
    }
    WR_TRY(plan_engine(statement, error));
    struct wr_plan_info info = {.size = sizeof info};
    wr_plan_describe(statement->plan, &info);
    statement->type = info.type;
    return WEIR_OK;
}

/* What waits in it for a table's source ends with the query, and when the session is interrupted.
 */
static int plan_query(struct weir_statement *statement, struct weir_error *error) {
    struct wr_call *call = wr_query_call(statement->query);
    struct wr_work work;
    wr_work_begin(&statement->session->activities, call, &work);
    int code = wr_policy_check(statement, plan(statement, statement->sql, error), error);
    wr_work_end(&work);
    /* What was interrupted does not run later. */
    if (code == WEIR_OK && wr_call_is_cancelled(call))
        code = wr_error_set(error, WEIR_CANCELLED, NULL, "the statement was cancelled");
    return code;
}

/* Listed while it is planned, and when that fails. */
static int plan_listed(struct weir_statement *statement, struct weir_error *error) {
    const struct weir_session *session = statement->session;
    struct wr_queries *queries = session->workspace->queries;
    struct weir_error reason = {0};
    WR_TRY(wr_audit_ready(session->workspace->audit, error));
    WR_TRY(wr_queries_check_session(queries, session->id, error));
    WR_TRY(wr_query_new(queries, session->id, statement->sql, &statement->query, error));
    int code = plan_query(statement, &reason);
    if (code) {
        wr_query_end(statement->query, code, &reason);
        if (error) *error = reason;
    } else {
        wr_query_planned(statement->query);
    }
    return code;
}

int weir_prepare(struct weir_session *session, const char *sql,
                 struct weir_statement **ret_statement, struct weir_error *error) {
    struct weir_statement *statement = wr_calloc(1, sizeof *statement);
    if (!statement) return wr_error_memory(error);
    pthread_mutex_init(&statement->mutex, NULL);
    statement->session = session;
    statement->sql = wr_strdup(sql);
    int code = statement->sql ? plan_listed(statement, error) : wr_error_memory(error);
    if (code) {
        weir_statement_close(statement);
        return code;
    }
    *ret_statement = statement;
    return WEIR_OK;
}

void weir_statement_close(struct weir_statement *statement) {
    if (!statement) return;
    wr_query_release(statement->query);
    if (statement->bound) wr_plan_free(statement->bound);
    if (statement->plan) wr_plan_free(statement->plan);
    wr_instance_release(statement->through);
    wr_statement_reset(&statement->parsed);
    pthread_mutex_destroy(&statement->mutex);
    wr_free(statement->sql);
    wr_free(statement);
}

/* ---- What it is ---- */

int weir_statement_is_query(const struct weir_statement *statement) {
    return statement->type == WR_PLAN_QUERY;
}

static int no_columns(struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowArrayStream stream = {0};
    WR_TRY(wr_arrow_empty_stream(&stream, error));
    int code = wr_arrow_stream_schema(&stream, "no rows", ret_schema, error);
    wr_arrow_release_stream(&stream);
    return code;
}

int weir_statement_schema(struct weir_statement *statement, struct ArrowSchema *ret_schema,
                          struct weir_error *error) {
    if (statement->type != WR_PLAN_QUERY) return no_columns(ret_schema, error);
    if (!statement->plan) return wr_on_names_schema(statement, ret_schema, error);
    return wr_plan_schema(wr_statement_plan(statement), ret_schema, error);
}

int weir_statement_parameters(struct weir_statement *statement, struct ArrowSchema *ret_schema,
                              struct weir_error *error) {
    if (!statement->plan) return no_columns(ret_schema, error);
    return wr_plan_parameters(statement->plan, ret_schema, error);
}

int weir_statement_bind(struct weir_statement *statement, const struct ArrowSchema *schema,
                        struct ArrowArray *values, struct weir_error *error) {
    if (!statement->plan) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "07001",
                            "the statement has no parameters to bind values to");
    }
    struct wr_plan *bound = NULL;
    WR_TRY(wr_plan_bind(statement->plan, schema, values, &bound, error));
    if (statement->bound) wr_plan_free(statement->bound);
    statement->bound = bound;
    return WEIR_OK;
}

/* ---- Execute ---- */

enum { MAX_PARTS = 4096 };

static int execute_query(struct weir_statement *statement, int32_t max_parts,
                         struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts,
                         struct weir_error *error) {
    if (statement->plan)
        return wr_execution_run(statement, max_parts, ret_parts, ret_n_parts, error);
    WR_TRY(wr_on_names_rows(statement, ret_parts, error));
    *ret_n_parts = 1;
    return WEIR_OK;
}

static int execute_change(struct weir_statement *statement, int64_t *ret_affected,
                          struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    int32_t n_parts = 0;
    int code = wr_execution_run(statement, 1, &rows, &n_parts, error);
    if (code == WEIR_OK)
        code = wr_drain(&rows, statement->type == WR_PLAN_CHANGE ? ret_affected : NULL, error);
    /* After a failure too: it may have come when the rows were there already. */
    wr_store_pool_forget(statement->session->workspace->stores);
    if (statement->through)
        code = code ? (wr_cached_invalidate(statement->through, NULL), code)
                    : wr_cached_invalidate(statement->through, error);
    return code;
}

static int change(struct weir_statement *statement, int64_t *ret_affected,
                  struct weir_error *error) {
    if (statement->parsed.type == WR_STATEMENT_CREATE_USING) {
        return wr_using_execute(statement, ret_affected, error);
    }
    if (wr_is_refresh(&statement->parsed)) return wr_refresh_execute(statement, error);
    if (wr_is_kill(&statement->parsed)) return wr_kill_execute(statement, error);
    if (wr_is_on_secrets(&statement->parsed)) return wr_secrets_execute(statement, error);
    if (wr_is_load(&statement->parsed)) return wr_load_execute(statement, error);
    if (!statement->plan) return wr_on_names_execute(statement, error);
    if (statement->type == WR_PLAN_CHANGE || statement->type == WR_PLAN_SESSION) {
        return execute_change(statement, ret_affected, error);
    }
    return wr_ddl_execute(statement, ret_affected, error);
}

/* Not rows and not settings, but which tables there are. */
static bool changes_tables(const struct weir_statement *statement) {
    return !statement->plan || statement->type > WR_PLAN_SESSION;
}

static int execute_other(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                         int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    /* Made first: nothing may fail after the change. */
    WR_TRY(wr_arrow_empty_stream(&none, error));
    struct wr_call_service service;
    wr_call_serve(&service, wr_query_call(statement->query));
    int code = change(statement, ret_affected, error);
    wr_call_unserve(&service);
    /* After a failure too: half of it may be done. */
    if (changes_tables(statement)) wr_engine_forget_plans(statement->session->workspace->engine);
    if (code == WEIR_OK) wr_arrow_move_stream(&none, ret_rows);
    wr_arrow_release_stream(&none);
    return code;
}

/* What plans again, or asks tables for their scans, ends with the query. */
static int start_query(struct weir_statement *statement, int32_t max_parts,
                       struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts,
                       struct weir_error *error) {
    struct wr_call_service service;
    wr_call_serve(&service, wr_query_call(statement->query));
    int code = wr_policy_recheck(statement, error);
    if (code == WEIR_OK && statement->type == WR_PLAN_QUERY)
        code = execute_query(statement, max_parts, ret_parts, ret_n_parts, error);
    wr_call_unserve(&service);
    return code;
}

/* A query gives its rows in parts, and is over with them; anything else is over now, and gives a
 * stream without columns and rows. */
static int execute(struct weir_statement *statement, int32_t max_parts,
                   struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts, int64_t *ret_affected,
                   struct weir_error *error) {
    struct weir_error reason = {0};
    int64_t affected = -1;
    WR_TRY(wr_execution_begin(statement, error));
    int code = start_query(statement, max_parts, ret_parts, ret_n_parts, &reason);
    if (code == WEIR_OK && statement->type == WR_PLAN_QUERY) {
        code = wr_execution_watch(statement, ret_parts, *ret_n_parts, &reason);
    } else if (code == WEIR_OK) {
        affected = 0;
        *ret_n_parts = 1;
        code = execute_other(statement, ret_parts, &affected, &reason);
        if (code == WEIR_OK) {
            if (statement->type == WR_PLAN_SESSION) wr_session_show_names(statement->session);
            wr_query_add_rows(statement->query, affected);
            wr_query_end(statement->query, WEIR_OK, NULL);
        }
    }
    if (code) {
        wr_query_end(statement->query, code, &reason);
        if (error) *error = reason;
        return code;
    }
    if (ret_affected) *ret_affected = affected;
    return WEIR_OK;
}

int weir_statement_execute(struct weir_statement *statement, struct ArrowArrayStream *ret_rows,
                           int64_t *ret_affected, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    int32_t n_parts = 0;
    WR_TRY(execute(statement, 1, &rows, &n_parts, ret_affected, error));
    wr_arrow_move_stream(&rows, ret_rows);
    return WEIR_OK;
}

int weir_statement_execute_parts(struct weir_statement *statement, int32_t max_parts,
                                 struct ArrowArrayStream **ret_parts, int32_t *ret_n_parts,
                                 struct weir_error *error) {
    if (max_parts < 1 || max_parts > MAX_PARTS || statement->type != WR_PLAN_QUERY)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "only a query is executed in parts, in 1 to %d of them", MAX_PARTS);
    struct ArrowArrayStream *parts = wr_calloc((size_t)max_parts, sizeof *parts);
    if (!parts) return wr_error_memory(error);
    int code = execute(statement, max_parts, parts, ret_n_parts, NULL, error);
    if (code) {
        wr_free(parts);
        return code;
    }
    *ret_parts = parts;
    return WEIR_OK;
}

int weir_query(struct weir_session *session, const char *sql, struct ArrowArrayStream *ret_rows,
               int64_t *ret_affected, struct weir_error *error) {
    struct weir_statement *statement = NULL;
    WR_TRY(weir_prepare(session, sql, &statement, error));
    wr_query_set_interruptible(statement->query);
    int code = weir_statement_execute(statement, ret_rows, ret_affected, error);
    weir_statement_close(statement);
    return code;
}

void weir_session_interrupt(struct weir_session *session) {
    wr_activities_cancel(&session->activities);
    wr_queries_interrupt(session->workspace->queries, session->id);
}
