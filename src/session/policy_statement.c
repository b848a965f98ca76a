/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a statement needs. Which tables it reads is asked of the gate while it is planned; here is
 * the rest: the table that it changes, DDL, COPY, settings, and the statements that hide another
 * one. What is not known to be harmless is for administrators.
 */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/session.h"
#include "sql/lexer.h"

static struct wr_gated *gated_of(const struct weir_statement *statement) {
    return &statement->session->names->gated;
}

/* ---- The table that is changed ---- */

static uint32_t privileges_of(uint32_t verbs) {
    return (verbs & WR_VERB_INSERT ? WR_MAY_INSERT : 0) |
           (verbs & WR_VERB_UPDATE ? WR_MAY_UPDATE | WR_MAY_SELECT : 0) |
           (verbs & WR_VERB_DELETE ? WR_MAY_DELETE : 0);
}

/* UPDATE and DELETE read the rows to find those that they change; an INSERT that takes the place of
 * all rows does not. */
static uint32_t needed(const struct wr_statement *parsed) {
    uint32_t needed = privileges_of(parsed->verbs);
    bool reads = (parsed->verbs & WR_VERB_DELETE) && !(parsed->verbs & WR_VERB_INSERT);
    return reads ? needed | WR_MAY_SELECT : needed;
}

/* Full names, with the session's defaults; `catalog` and `schema` are to be freed. */
static int complete(struct weir_session *session, char *const parts[3], char **ret_catalog,
                    char **ret_schema, struct wr_name *ret_name, struct weir_error *error) {
    WR_TRY(wr_engine_session_names(session->engine, ret_catalog, ret_schema, error));
    *ret_name = (struct wr_name){parts[0] ? parts[0] : *ret_catalog,
                                 parts[1] ? parts[1] : *ret_schema, parts[2]};
    int code = wr_names_canonical(session->workspace->names, ret_name, error);
    if (code == WEIR_OK) return WEIR_OK;
    wr_engine_free(*ret_catalog);
    wr_engine_free(*ret_schema);
    return code;
}

static int set_target(struct weir_statement *statement, char *const parts[3], uint32_t privileges,
                      struct weir_error *error) {
    struct wr_access_target target = {.privileges = privileges};
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(complete(statement->session, parts, &catalog, &schema, &target.name, error));
    int code = wr_gated_target(gated_of(statement), &target, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int check_session(struct weir_session *session, int64_t *ret_generation,
                         struct weir_error *error) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (session->expires_ns &&
        (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= session->expires_ns)
        return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000",
                            "the credential of this session is not valid any more");
    return wr_access_refresh(session->access, ret_generation, error);
}

int wr_policy_begin(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct weir_session *session = statement->session;
    WR_TRY(check_session(session, &statement->generation, error));
    wr_gated_met_view(gated_of(statement));
    if (wr_access_is_all(session->access)) return WEIR_OK;
    if (parsed->change != WR_CHANGE_NONE)
        return set_target(statement, parsed->target, needed(parsed), error);
    bool makes = parsed->type == WR_STATEMENT_ENGINE || parsed->type == WR_STATEMENT_CREATE_USING;
    if (makes && parsed->parts[2]) return set_target(statement, parsed->parts, 0, error);
    return WEIR_OK;
}

/* ---- What an INSERT reads ---- */

static bool has_word(struct wr_parser parser, const char *const *words) {
    for (; parser.token.type != WR_TOKEN_END; wr_parser_step(&parser)) {
        for (size_t i = 0; words[i]; i++) {
            if (wr_parser_at_word(&parser, words[i])) return true;
        }
    }
    return false;
}

static bool begins_query(struct wr_parser parser) {
    static const char *const words[] = {"SELECT", "WITH", "VALUES", "FROM", "TABLE", NULL};
    while (wr_parser_accept_symbol(&parser, '('))
        continue;
    for (size_t i = 0; words[i]; i++) {
        if (wr_parser_at_word(&parser, words[i])) return true;
    }
    return false;
}

/*
 * The target is looked up once for all of a statement, and with INSERT alone: that the rows do not
 * come out of it is found by planning what stands behind it for itself.
 */
static int check_source(struct weir_statement *statement, struct weir_error *error) {
    static const char *const reading[] = {"SELECT", "FROM", "TABLE", "WITH", NULL};
    const struct wr_statement *parsed = &statement->parsed;
    const char *rest = parsed->text + parsed->target_start + parsed->target_length;
    struct wr_parser parser;
    struct wr_plan *plan = NULL;
    wr_parser_init(&parser, rest, strlen(rest));
    if (wr_parser_at_symbol(&parser, '(') && !begins_query(parser))
        wr_parser_skip_parentheses(&parser);
    if (!has_word(parser, reading)) return WEIR_OK;
    WR_TRY(wr_gated_target(gated_of(statement), NULL, error));
    int code = wr_plan_new(statement->session->engine, rest + parser.token.start, &plan, error);
    if (code && error) error->position = 0;
    if (plan) wr_plan_free(plan);
    return code;
}

static int check_change(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_access *access = statement->session->access;
    struct wr_name name;
    char *catalog = NULL;
    char *schema = NULL;
    if (statement->through)
        return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "permission denied: \"%s\" is a copy of another table; change that one",
                            parsed->target[2]);
    WR_TRY(complete(statement->session, parsed->target, &catalog, &schema, &name, error));
    int code = wr_access_owns(access, &name) ? WEIR_OK
                                             : wr_access_need(access, &name, needed(parsed), error);
    bool reads =
        wr_access_owns(access, &name) || (wr_access_rights(access, &name) & WR_MAY_SELECT) != 0;
    if (code == WEIR_NOT_FOUND)
        wr_error_set(error, code, "42P01", "there is no table \"%s\"", parsed->target[2]);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    if (code == WEIR_OK && !reads) code = check_source(statement, error);
    return code;
}

/* ---- COPY ---- */

static bool accept_explain(struct wr_parser *parser) {
    bool explain = wr_parser_accept_word(parser, "EXPLAIN") ||
                   wr_parser_accept_word(parser, "DESCRIBE") ||
                   wr_parser_accept_word(parser, "DESC");
    return explain;
}

static int check_value(struct wr_access *access, const struct wr_parser *parser, bool always,
                       struct weir_error *error) {
    struct wr_buffer value;
    wr_buffer_init(&value, 1 << 20);
    wr_parser_value(parser, parser->token, &value);
    int code = value.failed ? wr_error_memory(error) : WEIR_OK;
    if (code == WEIR_OK && (always || strstr(value.data, "://")))
        code = wr_access_path(access, value.data, true, error);
    wr_buffer_reset(&value);
    return code;
}

/* The text behind TO, and what options may say of hosts. */
static int check_copy(struct wr_access *access, struct wr_parser parser, struct weir_error *error) {
    size_t depth = 0;
    for (; parser.token.type != WR_TOKEN_END; wr_parser_step(&parser)) {
        if (wr_parser_at_symbol(&parser, '(')) depth++;
        if (wr_parser_at_symbol(&parser, ')') && depth > 0) depth--;
        if (depth == 0 && wr_parser_at_word(&parser, "TO")) break;
    }
    wr_parser_step(&parser);
    if (parser.token.type == WR_TOKEN_END)
        return wr_access_need_all(access, "this form of COPY", error);
    WR_TRY(check_value(access, &parser, true, error));
    for (wr_parser_step(&parser); parser.token.type != WR_TOKEN_END; wr_parser_step(&parser)) {
        if (parser.token.type == WR_TOKEN_STRING)
            WR_TRY(check_value(access, &parser, false, error));
    }
    return WEIR_OK;
}

/* ---- Statements in statements ---- */

static const char *const changing[] = {"INSERT",  "UPDATE",  "DELETE", "MERGE", "TRUNCATE",
                                       "EXECUTE", "REPLACE", "COPY",   NULL};

/* EXPLAIN ANALYZE runs what it explains. What it is must be plain from its first word. */
static int check_explain(struct weir_statement *statement, struct wr_parser parser,
                         struct weir_error *error) {
    struct wr_access *access = statement->session->access;
    wr_parser_accept_word(&parser, "ANALYZE");
    wr_parser_accept_word(&parser, "VERBOSE");
    if (wr_parser_at_word(&parser, "COPY")) return check_copy(access, parser, error);
    if (statement->parsed.change != WR_CHANGE_NONE) return check_change(statement, error);
    if (statement->hides_plan)
        return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "permission denied: the plan would show what a view is made of");
    if (wr_parser_at_word(&parser, "SELECT") || wr_parser_at_word(&parser, "VALUES") ||
        wr_parser_at_word(&parser, "TABLE"))
        return WEIR_OK;
    if (!has_word(parser, changing)) return WEIR_OK;
    return wr_access_need_all(access, "this form of EXPLAIN", error);
}

static int check_set(struct wr_access *access, struct wr_parser parser, struct weir_error *error) {
    struct wr_buffer key;
    wr_parser_accept_word(&parser, "SESSION");
    wr_parser_accept_word(&parser, "LOCAL");
    wr_parser_accept_word(&parser, "VARIABLE");
    if (wr_parser_at_word(&parser, "TIME") || wr_parser_at_word(&parser, "TIMEZONE"))
        return WEIR_OK;
    wr_buffer_init(&key, 4096);
    wr_buffer_add(&key, "", 0);
    while (wr_parser_at_name(&parser)) {
        wr_parser_value(&parser, parser.token, &key);
        wr_parser_step(&parser);
        if (!wr_parser_accept_symbol(&parser, '.')) break;
        wr_buffer_char(&key, '.');
    }
    int code = key.failed ? wr_error_memory(error) : wr_access_setting(access, key.data, error);
    wr_buffer_reset(&key);
    return code;
}

/* What changes the engine's session. */
static int check_session_statement(struct weir_statement *statement, struct wr_parser parser,
                                   struct weir_error *error) {
    static const char *const harmless[] = {"BEGIN",    "START", "COMMIT",     "END",
                                           "ROLLBACK", "SHOW",  "DEALLOCATE", NULL};
    struct weir_session *session = statement->session;
    if (wr_parser_accept_word(&parser, "SET") || wr_parser_accept_word(&parser, "RESET"))
        return check_set(session->access, parser, error);
    if (wr_parser_at_word(&parser, "PREPARE") && !has_word(parser, changing)) {
        if (!session->prepared_generation) session->prepared_generation = statement->generation;
        return WEIR_OK;
    }
    for (size_t i = 0; harmless[i]; i++) {
        if (wr_parser_at_word(&parser, harmless[i])) return WEIR_OK;
    }
    return wr_access_need_all(session->access, "this statement", error);
}

/* The engine kept a plan that was made with the rights of that time. */
static int check_execute(struct weir_statement *statement, struct weir_error *error) {
    struct weir_session *session = statement->session;
    if (statement->type != WR_PLAN_QUERY)
        return wr_access_need_all(session->access, "EXECUTE of a change", error);
    if (session->prepared_generation == statement->generation) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, "0A000",
                        "what was granted has changed since PREPARE; open a new session, or send "
                        "the statement itself");
}

/* ---- DDL ---- */

static int need_path(struct wr_access *access, const char *path, struct weir_error *error) {
    WR_TRY(wr_access_path(access, path, false, error));
    /* What is put into the table is written there. */
    return wr_access_is_all(access) ? WEIR_OK : wr_access_path(access, path, true, error);
}

static int check_external(struct weir_session *session, const struct wr_plan_info *info,
                          struct weir_error *error) {
    const struct weir_table_kind *kind =
        wr_registry_role(session->workspace->registry, WEIR_ROLE_EXTERNAL);
    if (info->location) WR_TRY(need_path(session->access, info->location, error));
    if (!kind) return WEIR_OK;
    return wr_access_kind(session->access, kind, info->options, info->n_options, false, error);
}

/* To make something in a schema; what it takes the place of must be one's to drop. */
static int need_create(struct weir_session *session, const struct wr_name *name, bool replace,
                       bool *ret_hidden, struct weir_error *error) {
    struct wr_access *access = session->access;
    const struct wr_name schema = {name->catalog, name->schema, ""};
    bool there = false;
    int code = wr_access_need(access, &schema, WR_MAY_CREATE, error);
    if (code == WEIR_OK && replace)
        code = wr_names_has_table(session->workspace->names, name, &there, error);
    if (code == WEIR_OK && there && !wr_access_owns(access, name))
        code = wr_access_need(access, name, WR_MAY_DROP, error);
    *ret_hidden = code == WEIR_NOT_FOUND;
    return *ret_hidden ? WEIR_OK : code;
}

static int need(struct wr_access *access, const struct wr_name *name, uint32_t privileges,
                bool *ret_hidden, struct weir_error *error) {
    if (*name->name && wr_access_owns(access, name)) return WEIR_OK;
    int code = wr_access_need(access, name, privileges, error);
    *ret_hidden = code == WEIR_NOT_FOUND;
    return *ret_hidden ? WEIR_OK : code;
}

int wr_policy_ddl(struct weir_session *session, const struct wr_plan_info *info, bool *ret_hidden,
                  struct weir_error *error) {
    struct wr_access *access = session->access;
    struct wr_name name = {info->catalog, info->schema ? info->schema : "",
                           info->name ? info->name : ""};
    struct wr_name above = {info->catalog, "", ""};
    *ret_hidden = false;
    if (info->type == WR_PLAN_CREATE_EXTERNAL) WR_TRY(check_external(session, info, error));
    if (wr_access_is_all(access)) return WEIR_OK;
    if (*name.name) WR_TRY(wr_names_canonical(session->workspace->names, &name, error));
    switch (info->type) {
    case WR_PLAN_CREATE_TABLE:
    case WR_PLAN_CREATE_VIEW:
    case WR_PLAN_CREATE_EXTERNAL:
        /* A temporary one stands before another one of its name, for everybody. */
        return need_create(session, &name, info->or_replace || info->temporary, ret_hidden, error);
    case WR_PLAN_DROP_TABLE:
    case WR_PLAN_DROP_VIEW:
    case WR_PLAN_DROP_SCHEMA:
        return need(access, &name, WR_MAY_DROP, ret_hidden, error);
    case WR_PLAN_CREATE_SCHEMA:
        return need(access, &above, WR_MAY_CREATE, ret_hidden, error);
    default:
        return wr_access_need_all(access, "this statement", error);
    }
}

static int check_using(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct weir_session *session = statement->session;
    const struct weir_table_kind *kind = NULL;
    struct wr_name name;
    char *catalog = NULL;
    char *schema = NULL;
    bool hidden = false;
    WR_TRY(wr_registry_find(session->workspace->registry, parsed->kind, &kind, error));
    WR_TRY(wr_access_kind(session->access, kind, parsed->options.items, parsed->options.n_items,
                          false, error));
    if (wr_access_is_all(session->access)) return WEIR_OK;
    WR_TRY(complete(session, parsed->parts, &catalog, &schema, &name, error));
    int code = need_create(session, &name, parsed->or_replace || parsed->temporary, &hidden, error);
    if (hidden)
        code = wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "there is no namespace \"%s\" in \"%s\"", name.schema, name.catalog);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int check_ddl(struct weir_statement *statement, struct weir_error *error) {
    struct wr_plan_info info = {.size = sizeof info};
    bool hidden = false;
    wr_plan_describe(statement->plan, &info);
    /* What is hidden is found missing when it is executed. */
    return wr_policy_ddl(statement->session, &info, &hidden, error);
}

int wr_policy_made(struct weir_session *session, const char *catalog, const char *schema,
                   const char *name, struct weir_error *error) {
    struct wr_grant grant = {wr_access_user(session->access), {catalog, schema, name}, WR_MAY_ALL};
    if (wr_access_is_all(session->access) || !wr_access_hides(session->access)) return WEIR_OK;
    WR_TRY(wr_names_canonical(session->workspace->names, &grant.on, error));
    int code = wr_grants_add(session->workspace->names, &grant, error);
    /* A token's user who is none of the store's has what his roles were granted. */
    return code == WEIR_NOT_FOUND ? WEIR_OK : code;
}

/* ---- All of them ---- */

static int check_names(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_access *access = statement->session->access;
    switch (parsed->type) {
    case WR_STATEMENT_ATTACH:
        return wr_access_need_all(access, "ATTACH", error);
    case WR_STATEMENT_DETACH:
        return wr_access_need_all(access, "DETACH", error);
    case WR_STATEMENT_REFRESH_MOUNT:
        return wr_access_need_all(access, "REFRESH MOUNT", error);
    case WR_STATEMENT_CREATE_SECRET:
    case WR_STATEMENT_DROP_SECRET:
        return wr_secrets_check(statement, error);
    case WR_STATEMENT_LOAD:
        return wr_load_check(statement, error);
    default:
        return WEIR_OK; /* asked when it is executed */
    }
}

static int check(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_access *access = statement->session->access;
    struct wr_parser parser;
    if (parsed->type == WR_STATEMENT_CREATE_USING) return check_using(statement, error);
    if (parsed->type != WR_STATEMENT_ENGINE) return check_names(statement, error);
    wr_parser_init(&parser, parsed->text, strlen(parsed->text));
    if (statement->type >= WR_PLAN_CREATE_TABLE) return check_ddl(statement, error);
    if (wr_parser_at_word(&parser, "COPY")) return check_copy(access, parser, error);
    if (accept_explain(&parser)) return check_explain(statement, parser, error);
    if (wr_access_is_all(access)) return WEIR_OK;
    if (statement->type == WR_PLAN_SESSION)
        return check_session_statement(statement, parser, error);
    if (wr_parser_at_word(&parser, "EXECUTE")) return check_execute(statement, error);
    if (statement->type != WR_PLAN_CHANGE) return WEIR_OK;
    if (parsed->change == WR_CHANGE_NONE)
        return wr_access_need_all(access, "this form of a change", error);
    return check_change(statement, error);
}

int wr_policy_check(struct weir_statement *statement, int planned, struct weir_error *error) {
    bool met = wr_gated_met_view(gated_of(statement));
    statement->hides_plan = met && !wr_access_is_all(statement->session->access);
    int code = planned == WEIR_OK ? check(statement, error) : planned;
    wr_gated_target(gated_of(statement), NULL, NULL);
    return code;
}

/* Another plan with today's rights, which is not kept: the old one gives the same rows. */
static int plan_again(struct weir_statement *statement, struct weir_error *error) {
    struct wr_plan *plan = NULL;
    if (statement->parsed.type != WR_STATEMENT_ENGINE || statement->type > WR_PLAN_CHANGE)
        return WEIR_OK;
    int code = wr_plan_new(statement->session->engine, statement->parsed.text, &plan, error);
    if (plan) wr_plan_free(plan);
    return code;
}

int wr_policy_recheck(struct weir_statement *statement, struct weir_error *error) {
    int64_t generation = 0;
    WR_TRY(check_session(statement->session, &generation, error));
    if (generation == statement->generation) return WEIR_OK;
    WR_TRY(wr_policy_begin(statement, error));
    int code = plan_again(statement, error);
    code = wr_policy_check(statement, code, error);
    if (code) statement->generation = -1; /* to be asked again */
    return code;
}
