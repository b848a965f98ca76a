/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/statement.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"

/* Statements of the language that this version cannot do. Without this list the engine would call
 * them syntax errors. */
static const struct missing_statement {
    const char *words[2];
    const char *name;
    const char *instead;
} missing_statements[] = {
    {{"CREATE", "USER"}, "CREATE USER", "there are no users in this version"},
    {{"GRANT"}, "GRANT", "there are no users and rights in this version"},
    {{"REVOKE"}, "REVOKE", "there are no users and rights in this version"},
    {{"KILL"}, "KILL", "cancel the statement where it was started"},
};

static int check_missing(struct wr_parser parser, struct weir_error *error) {
    struct wr_token first = parser.token;
    for (size_t i = 0; i < sizeof missing_statements / sizeof *missing_statements; i++) {
        const struct missing_statement *missing = &missing_statements[i];
        struct wr_parser cursor = parser;
        if (!wr_parser_accept_word(&cursor, missing->words[0])) continue;
        if (missing->words[1] && !wr_parser_at_word(&cursor, missing->words[1])) continue;
        int code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "%s is not implemented: %s",
                                missing->name, missing->instead);
        return wr_parser_mark(first, code, error);
    }
    return WEIR_OK;
}

typedef int (*parse_fn)(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                        struct weir_error *error);

static int parse(const char *sql, struct wr_statement *statement, struct weir_error *error) {
    static const parse_fn grammar[] = {wr_parse_create_using, wr_parse_copy,    wr_parse_attach,
                                       wr_parse_namespace,    wr_parse_refresh, wr_parse_change};
    struct wr_parser parser;
    wr_parser_init(&parser, sql, strlen(sql));
    WR_TRY(check_missing(parser, error));
    for (size_t i = 0; i < sizeof grammar / sizeof *grammar; i++) {
        struct wr_parser cursor = parser;
        bool ours = false;
        WR_TRY(grammar[i](&cursor, statement, &ours, error));
        if (ours) return WEIR_OK;
    }
    statement->text = wr_strdup(sql);
    return statement->text ? WEIR_OK : wr_error_memory(error);
}

int wr_statement_parse(const char *sql, struct wr_statement *ret_statement,
                       struct weir_error *error) {
    struct wr_statement statement = {.type = WR_STATEMENT_ENGINE};
    int code = parse(sql, &statement, error);
    if (code) {
        wr_statement_reset(&statement);
        return code;
    }
    *ret_statement = statement;
    return WEIR_OK;
}

void wr_statement_reset(struct wr_statement *statement) {
    wr_free(statement->text);
    for (size_t i = 0; i < sizeof statement->parts / sizeof *statement->parts; i++)
        wr_free(statement->parts[i]);
    for (size_t i = 0; i < sizeof statement->target / sizeof *statement->target; i++)
        wr_free(statement->target[i]);
    wr_free(statement->kind);
    wr_free(statement->url);
    wr_free(statement->columns);
    wr_free(statement->query);
    wr_options_reset(&statement->options);
    *statement = (struct wr_statement){0};
}
