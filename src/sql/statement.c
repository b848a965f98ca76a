/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/statement.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"

typedef int (*parse_fn)(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                        struct weir_error *error);

static int parse(const char *sql, const struct wr_encodings *encodings,
                 struct wr_statement *statement, struct weir_error *error) {
    static const parse_fn grammar[] = {wr_parse_create_using, wr_parse_copy,    wr_parse_attach,
                                       wr_parse_namespace,    wr_parse_refresh, wr_parse_kill,
                                       wr_parse_load,         wr_parse_secrets, wr_parse_users,
                                       wr_parse_change};
    struct wr_parser parser;
    wr_parser_init(&parser, sql, strlen(sql));
    parser.encodings = encodings;
    for (size_t i = 0; i < sizeof grammar / sizeof *grammar; i++) {
        struct wr_parser cursor = parser;
        bool ours = false;
        WR_TRY(grammar[i](&cursor, statement, &ours, error));
        if (ours) return WEIR_OK;
    }
    statement->text = wr_strdup(sql);
    return statement->text ? WEIR_OK : wr_error_memory(error);
}

int wr_statement_parse(const char *sql, const struct wr_encodings *encodings,
                       struct wr_statement *ret_statement, struct weir_error *error) {
    struct wr_statement statement = {.type = WR_STATEMENT_ENGINE};
    int code = parse(sql, encodings, &statement, error);
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
    wr_free(statement->user);
    wr_free(statement->role);
    wr_free(statement->label);
    if (statement->secret) explicit_bzero(statement->secret, strlen(statement->secret));
    wr_free(statement->secret);
    wr_free(statement->columns);
    wr_free(statement->query);
    wr_options_erase(&statement->options); /* those of a secret */
    *statement = (struct wr_statement){0};
}
