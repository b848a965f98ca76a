/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements on secrets:
 *
 *     CREATE [OR REPLACE] [TEMPORARY] SECRET [IF NOT EXISTS] name
 *         (TYPE s3, SCOPE 's3://bucket/prefix', KEY_ID '...', SECRET '...', ...)
 *     DROP SECRET [IF EXISTS] name
 *
 * Values stand in quotes, so that logs, which leave out literals, have none. Errors show no word of
 * the text.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"

static int expected(const struct wr_parser *parser, const char *what, struct weir_error *error) {
    wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601", "syntax error: expected %s", what);
    return wr_parser_mark(parser->token, WEIR_INVALID_ARGUMENT, error);
}

static int finish(struct wr_parser *parser, struct weir_error *error) {
    if (wr_parser_finish(parser, NULL) == WEIR_OK) return WEIR_OK;
    return expected(parser, "the end of the statement", error);
}

static int take_name(struct wr_parser *parser, struct wr_statement *statement,
                     struct weir_error *error) {
    if (!wr_parser_at_name(parser)) return expected(parser, "the secret's name", error);
    WR_TRY(wr_parse_value(parser, parser->token, &statement->parts[2], error));
    wr_parser_step(parser);
    return WEIR_OK;
}

static int add(struct wr_statement *statement, const char *key, const char *value,
               struct weir_error *error) {
    struct wr_options *options = &statement->options;
    if (wr_options_get(options->items, options->n_items, key))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "CREATE SECRET: the option \"%s\" is given twice; keep one of them",
                            key);
    return wr_options_add(options, key, value, error);
}

static int take_option(struct wr_parser *parser, struct wr_statement *statement,
                       struct weir_error *error) {
    struct wr_parser before = *parser;
    bool is_type = wr_parser_accept_word(parser, "TYPE");
    char *key = NULL;
    char *value = NULL;
    *parser = before;
    if (!wr_parser_at_name(parser) && parser->token.type != WR_TOKEN_STRING)
        return expected(parser, "the name of an option", error);
    WR_TRY(wr_parse_option_key(parser, &key, error));
    wr_parser_accept_symbol(parser, '=');
    bool is_text = parser->token.type == WR_TOKEN_STRING && !parser->token.unterminated;
    bool is_plain = parser->token.type == WR_TOKEN_NUMBER || wr_parser_at_word(parser, "TRUE") ||
                    wr_parser_at_word(parser, "FALSE") || (is_type && wr_parser_at_name(parser));
    int code = is_text || is_plain
                   ? wr_parse_option_value(parser, &value, error)
                   : expected(parser, "a value in quotes, a number, true or false", error);
    if (code == WEIR_OK) code = add(statement, key, value, error);
    if (value) explicit_bzero(value, strlen(value));
    wr_free(value);
    wr_free(key);
    return code;
}

static int parse_create(struct wr_parser *parser, struct wr_statement *statement,
                        struct weir_error *error) {
    statement->type = WR_STATEMENT_CREATE_SECRET;
    statement->if_not_exists =
        wr_parse_words(parser, (const char *[]){"IF", "NOT", "EXISTS", NULL});
    WR_TRY(take_name(parser, statement, error));
    if (!wr_parser_accept_symbol(parser, '(')) return expected(parser, "\"(\"", error);
    while (!wr_parser_accept_symbol(parser, ')')) {
        WR_TRY(take_option(parser, statement, error));
        if (!wr_parser_accept_symbol(parser, ',') && !wr_parser_at_symbol(parser, ')'))
            return expected(parser, "\",\" or \")\"", error);
    }
    return finish(parser, error);
}

int wr_parse_secrets(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                     struct weir_error *error) {
    struct wr_parser cursor = *parser;
    *ret_ours = false;
    if (wr_parser_accept_word(&cursor, "CREATE")) {
        bool replace = wr_parse_words(&cursor, (const char *[]){"OR", "REPLACE", NULL});
        wr_parser_accept_word(&cursor, "TEMPORARY");
        if (!wr_parser_accept_word(&cursor, "SECRET")) return WEIR_OK;
        *ret_ours = true;
        statement->or_replace = replace;
        *parser = cursor;
        return parse_create(parser, statement, error);
    }
    if (!wr_parse_words(&cursor, (const char *[]){"DROP", "SECRET", NULL})) return WEIR_OK;
    *ret_ours = true;
    *parser = cursor;
    statement->type = WR_STATEMENT_DROP_SECRET;
    statement->if_not_exists = wr_parse_words(parser, (const char *[]){"IF", "EXISTS", NULL});
    WR_TRY(take_name(parser, statement, error));
    return finish(parser, error);
}
