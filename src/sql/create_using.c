/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE [OR REPLACE] [TEMP|TEMPORARY] TABLE [IF NOT EXISTS] name [(columns)] USING kind [OPTIONS
 * (key [=] value, ...)] [AS query]
 */
#include "sql/grammar.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* The places of what stands before USING; nothing is allocated before it is known that the
 * statement is ours. */
struct head {
    struct wr_token names[3];
    size_t n_names;
    size_t columns_start, columns_end; /* equal: no columns */
    bool or_replace, temporary, if_not_exists;
};

/* False: the statement does not look like ours up to USING. */
static bool scan_head(struct wr_parser *parser, struct head *head) {
    if (!wr_parser_accept_word(parser, "CREATE")) return false;
    head->or_replace = wr_parse_words(parser, (const char *[]){"OR", "REPLACE", NULL});
    head->temporary =
        wr_parser_accept_word(parser, "TEMP") || wr_parser_accept_word(parser, "TEMPORARY");
    bool external = wr_parser_accept_word(parser, "EXTERNAL");
    if (!wr_parser_accept_word(parser, "TABLE")) return false;
    head->if_not_exists = wr_parse_words(parser, (const char *[]){"IF", "NOT", "EXISTS", NULL});
    do {
        if (!wr_parser_at_name(parser) || head->n_names == 3) return false;
        head->names[head->n_names++] = parser->token;
        wr_parser_step(parser);
    } while (wr_parser_accept_symbol(parser, '.'));
    if (wr_parser_at_symbol(parser, '(')) {
        head->columns_start = parser->token.start;
        if (!wr_parser_skip_parentheses(parser)) return false;
        head->columns_end = parser->previous.start + parser->previous.length;
    }
    return !external && wr_parser_at_word(parser, "USING");
}

static int copy_range(const struct wr_parser *parser, size_t start, size_t end, char **ret_text,
                      struct weir_error *error) {
    char *text = wr_strndup(parser->lexer.text + start, end - start);
    if (!text) return wr_error_memory(error);
    *ret_text = text;
    return WEIR_OK;
}

static int copy_names(const struct wr_parser *parser, const struct head *head,
                      struct wr_statement *statement, struct weir_error *error) {
    for (size_t i = 0; i < head->n_names; i++) {
        char **part = &statement->parts[3 - head->n_names + i];
        WR_TRY(wr_parse_value(parser, head->names[i], part, error));
    }
    return WEIR_OK;
}

static int copy_head(const struct wr_parser *parser, const struct head *head,
                     struct wr_statement *statement, struct weir_error *error) {
    statement->or_replace = head->or_replace;
    statement->temporary = head->temporary;
    statement->if_not_exists = head->if_not_exists;
    WR_TRY(copy_names(parser, head, statement, error));
    if (head->columns_end == head->columns_start) return WEIR_OK;
    return copy_range(parser, head->columns_start, head->columns_end, &statement->columns, error);
}

static int parse_query(struct wr_parser *parser, char **ret_query, struct weir_error *error) {
    size_t start = parser->token.start;
    if (parser->token.type == WR_TOKEN_END || wr_parser_at_symbol(parser, ';'))
        return wr_parser_expected(parser, "a query", error);
    while (parser->token.type != WR_TOKEN_END && !wr_parser_at_symbol(parser, ';')) {
        if (parser->token.unterminated) return wr_parser_expected(parser, "a query", error);
        wr_parser_step(parser);
    }
    size_t end = parser->previous.start + parser->previous.length;
    return copy_range(parser, start, end, ret_query, error);
}

int wr_parse_create_using(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                          struct weir_error *error) {
    struct head head = {0};
    if (!scan_head(parser, &head)) {
        *ret_ours = false;
        return copy_names(parser, &head, statement, error);
    }
    statement->type = WR_STATEMENT_CREATE_USING;
    WR_TRY(copy_head(parser, &head, statement, error));
    wr_parser_step(parser);
    if (!wr_parser_at_name(parser)) return wr_parser_expected(parser, "a kind of table", error);
    WR_TRY(wr_parse_value(parser, parser->token, &statement->kind, error));
    wr_parser_step(parser);
    bool has_options = wr_parser_accept_word(parser, "OPTIONS");
    if (has_options) WR_TRY(wr_parse_options(parser, &statement->options, error));
    if (wr_parser_accept_word(parser, "AS")) {
        WR_TRY(parse_query(parser, &statement->query, error));
    } else if (parser->token.type != WR_TOKEN_END && !wr_parser_at_symbol(parser, ';')) {
        return wr_parser_expected(parser,
                                  has_options ? "AS or the end of the statement"
                                              : "OPTIONS, AS or the end of the statement",
                                  error);
    }
    WR_TRY(wr_parser_finish(parser, error));
    *ret_ours = true;
    return WEIR_OK;
}
