/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements on users:
 *
 *     CREATE USER [IF NOT EXISTS] name [[WITH] PASSWORD 'text']
 *     ALTER USER name {[SET] PASSWORD 'text' | ENABLE | DISABLE}
 *     CREATE ROLE [IF NOT EXISTS] name, DROP {USER | ROLE} [IF EXISTS] name
 *     GRANT {privilege, ... | ALL [PRIVILEGES]} ON {CATALOG | SCHEMA | [TABLE]} name TO user
 *     GRANT role TO user, and REVOKE ... FROM user of both
 *     SHOW GRANTS [FOR user]
 *     CREATE API KEY FOR user [LABEL 'text'] [EXPIRES IN 'time'], DROP API KEY 'prefix'
 *     SHOW API KEYS
 *
 * Errors show no word of the text: it may be a password.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/privilege.h"
#include "base/units.h"
#include "sql/grammar.h"

static int expected(const struct wr_parser *parser, const char *what, struct weir_error *error) {
    wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601", "syntax error: expected %s", what);
    return wr_parser_mark(parser->token, WEIR_INVALID_ARGUMENT, error);
}

static int finish(struct wr_parser *parser, struct weir_error *error) {
    if (wr_parser_finish(parser, NULL) == WEIR_OK) return WEIR_OK;
    return expected(parser, "the end of the statement", error);
}

static int take_name(struct wr_parser *parser, const char *what, char **ret_name,
                     struct weir_error *error) {
    wr_free(*ret_name);
    *ret_name = NULL;
    if (!wr_parser_at_name(parser)) return expected(parser, what, error);
    WR_TRY(wr_parse_value(parser, parser->token, ret_name, error));
    wr_parser_step(parser);
    return WEIR_OK;
}

static int take_text(struct wr_parser *parser, const char *what, char **ret_text,
                     struct weir_error *error) {
    if (parser->token.type != WR_TOKEN_STRING || parser->token.unterminated || *ret_text)
        return expected(parser, what, error);
    WR_TRY(wr_parse_value(parser, parser->token, ret_text, error));
    wr_parser_step(parser);
    return WEIR_OK;
}

/* ---- Users and roles ---- */

static int parse_create(struct wr_parser *parser, struct wr_statement *statement, int type,
                        struct weir_error *error) {
    statement->type = type;
    statement->if_not_exists =
        wr_parse_words(parser, (const char *[]){"IF", "NOT", "EXISTS", NULL});
    WR_TRY(take_name(parser, "a name", &statement->user, error));
    if (type == WR_STATEMENT_CREATE_USER) {
        bool with = wr_parser_accept_word(parser, "WITH");
        if (wr_parser_accept_word(parser, "PASSWORD"))
            WR_TRY(take_text(parser, "the password in quotes", &statement->secret, error));
        else if (with)
            return expected(parser, "PASSWORD", error);
    }
    return finish(parser, error);
}

static int parse_drop(struct wr_parser *parser, struct wr_statement *statement, int type,
                      struct weir_error *error) {
    statement->type = type;
    statement->if_not_exists = wr_parse_words(parser, (const char *[]){"IF", "EXISTS", NULL});
    WR_TRY(take_name(parser, "a name", &statement->user, error));
    return finish(parser, error);
}

static int parse_alter(struct wr_parser *parser, struct wr_statement *statement,
                       struct weir_error *error) {
    statement->type = WR_STATEMENT_ALTER_USER;
    WR_TRY(take_name(parser, "a user's name", &statement->user, error));
    wr_parser_accept_word(parser, "SET");
    if (wr_parser_accept_word(parser, "PASSWORD"))
        WR_TRY(take_text(parser, "the password in quotes", &statement->secret, error));
    else if (wr_parser_accept_word(parser, "ENABLE"))
        statement->enable = 1;
    else if (wr_parser_accept_word(parser, "DISABLE"))
        statement->enable = -1;
    else
        return expected(parser, "PASSWORD, ENABLE or DISABLE", error);
    return finish(parser, error);
}

/* ---- Grants ---- */

static const struct {
    const char *word;
    uint32_t bits;
} privileges[] = {
    {"SELECT", WR_MAY_SELECT}, {"INSERT", WR_MAY_INSERT}, {"UPDATE", WR_MAY_UPDATE},
    {"DELETE", WR_MAY_DELETE}, {"CREATE", WR_MAY_CREATE}, {"DROP", WR_MAY_DROP},
    {"ALTER", WR_MAY_ALTER},   {"ALL", WR_MAY_ALL},
};

static uint32_t take_privilege(struct wr_parser *parser) {
    for (size_t i = 0; i < sizeof privileges / sizeof *privileges; i++) {
        if (!wr_parser_accept_word(parser, privileges[i].word)) continue;
        if (privileges[i].bits == WR_MAY_ALL) wr_parser_accept_word(parser, "PRIVILEGES");
        return privileges[i].bits;
    }
    return 0;
}

static int parse_object(struct wr_parser *parser, struct wr_statement *statement,
                        struct weir_error *error) {
    bool found = false;
    if (wr_parser_accept_word(parser, "CATALOG") || wr_parser_accept_word(parser, "DATABASE") ||
        wr_parser_accept_word(parser, "MOUNT")) {
        statement->level = WR_GRANT_CATALOG;
    } else if (wr_parser_accept_word(parser, "SCHEMA") ||
               wr_parser_accept_word(parser, "NAMESPACE")) {
        statement->level = WR_GRANT_SCHEMA;
    } else {
        wr_parser_accept_word(parser, "TABLE");
        statement->level = WR_GRANT_TABLE;
    }
    WR_TRY(wr_parse_name(parser, statement->parts, &found, error));
    bool too_long = (statement->level == WR_GRANT_CATALOG && statement->parts[1]) ||
                    (statement->level == WR_GRANT_SCHEMA && statement->parts[0]);
    if (!found || too_long) return expected(parser, "the name of what is granted on", error);
    return WEIR_OK;
}

static int parse_grantee(struct wr_parser *parser, struct wr_statement *statement, bool grant,
                         struct weir_error *error) {
    if (!wr_parser_accept_word(parser, grant ? "TO" : "FROM"))
        return expected(parser, grant ? "TO" : "FROM", error);
    struct wr_parser after = *parser;
    if ((wr_parser_accept_word(&after, "USER") || wr_parser_accept_word(&after, "ROLE")) &&
        wr_parser_at_name(&after))
        *parser = after;
    WR_TRY(take_name(parser, "the name of a user or role", &statement->user, error));
    return finish(parser, error);
}

/* GRANT select TO x is of a role that is called so. */
static bool is_of_privileges(struct wr_parser parser) {
    uint32_t bits = take_privilege(&parser);
    return bits && (wr_parser_at_word(&parser, "ON") || wr_parser_at_symbol(&parser, ','));
}

static int parse_grant(struct wr_parser *parser, struct wr_statement *statement, bool grant,
                       struct weir_error *error) {
    if (!is_of_privileges(*parser)) {
        statement->type = grant ? WR_STATEMENT_GRANT_ROLE : WR_STATEMENT_REVOKE_ROLE;
        wr_parser_accept_word(parser, "ROLE");
        WR_TRY(take_name(parser, "privileges or a role", &statement->role, error));
        return parse_grantee(parser, statement, grant, error);
    }
    statement->type = grant ? WR_STATEMENT_GRANT : WR_STATEMENT_REVOKE;
    do {
        uint32_t bits = take_privilege(parser);
        if (!bits)
            return expected(
                parser, "one of SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, ALL", error);
        statement->privileges |= bits;
    } while (wr_parser_accept_symbol(parser, ','));
    if (!wr_parser_accept_word(parser, "ON")) return expected(parser, "ON", error);
    WR_TRY(parse_object(parser, statement, error));
    return parse_grantee(parser, statement, grant, error);
}

/* ---- Keys ---- */

static int parse_create_key(struct wr_parser *parser, struct wr_statement *statement,
                            struct weir_error *error) {
    statement->type = WR_STATEMENT_CREATE_KEY;
    if (!wr_parser_accept_word(parser, "FOR")) return expected(parser, "FOR", error);
    WR_TRY(take_name(parser, "a user's name", &statement->user, error));
    if (wr_parser_accept_word(parser, "LABEL"))
        WR_TRY(take_text(parser, "a text in quotes", &statement->label, error));
    if (wr_parse_words(parser, (const char *[]){"EXPIRES", "IN", NULL})) {
        char *text = NULL;
        WR_TRY(take_text(parser, "a time in quotes, such as '30d'", &text, error));
        bool good = wr_parse_duration(text, &statement->lifetime_ms) && statement->lifetime_ms > 0;
        wr_free(text);
        if (!good) return expected(parser, "a time such as '12h' or '30d'", error);
    }
    return finish(parser, error);
}

static int parse_drop_key(struct wr_parser *parser, struct wr_statement *statement,
                          struct weir_error *error) {
    statement->type = WR_STATEMENT_DROP_KEY;
    WR_TRY(take_text(parser, "the key's first part in quotes", &statement->label, error));
    return finish(parser, error);
}

static int parse_show_grants(struct wr_parser *parser, struct wr_statement *statement,
                             struct weir_error *error) {
    statement->type = WR_STATEMENT_SHOW_GRANTS;
    if (wr_parser_accept_word(parser, "FOR"))
        WR_TRY(take_name(parser, "the name of a user or role", &statement->user, error));
    return finish(parser, error);
}

/* ---- All of them ---- */

#define WORDS(...) ((const char *[]){__VA_ARGS__, NULL})

int wr_parse_users(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                   struct weir_error *error) {
    *ret_ours = true;
    if (wr_parse_words(parser, WORDS("CREATE", "USER")))
        return parse_create(parser, statement, WR_STATEMENT_CREATE_USER, error);
    if (wr_parse_words(parser, WORDS("CREATE", "ROLE")))
        return parse_create(parser, statement, WR_STATEMENT_CREATE_ROLE, error);
    if (wr_parse_words(parser, WORDS("DROP", "USER")))
        return parse_drop(parser, statement, WR_STATEMENT_DROP_USER, error);
    if (wr_parse_words(parser, WORDS("DROP", "ROLE")))
        return parse_drop(parser, statement, WR_STATEMENT_DROP_ROLE, error);
    if (wr_parse_words(parser, WORDS("ALTER", "USER")))
        return parse_alter(parser, statement, error);
    if (wr_parse_words(parser, WORDS("CREATE", "API", "KEY")))
        return parse_create_key(parser, statement, error);
    if (wr_parse_words(parser, WORDS("DROP", "API", "KEY")))
        return parse_drop_key(parser, statement, error);
    if (wr_parse_words(parser, WORDS("SHOW", "API", "KEYS"))) {
        statement->type = WR_STATEMENT_SHOW_KEYS;
        return finish(parser, error);
    }
    if (wr_parse_words(parser, WORDS("SHOW", "GRANTS")))
        return parse_show_grants(parser, statement, error);
    bool grant = wr_parser_accept_word(parser, "GRANT");
    if (grant || wr_parser_accept_word(parser, "REVOKE"))
        return parse_grant(parser, statement, grant, error);
    *ret_ours = false;
    return WEIR_OK;
}
