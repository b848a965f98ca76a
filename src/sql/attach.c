/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements on names:
 *
 *     ATTACH [DATABASE] [IF NOT EXISTS] 'url' [AS name] [(TYPE kind, KEY value, ...)]
 *     DETACH [DATABASE] [IF EXISTS] name
 *     USE name, USE catalog.name
 *     SHOW MOUNTS, SHOW NAMESPACES
 *     CREATE NAMESPACE, DROP NAMESPACE, which are the engine's CREATE SCHEMA and DROP SCHEMA
 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"

static int parse_name(struct wr_parser *parser, const char *what, char **ret_name,
                      struct weir_error *error) {
    if (!wr_parser_at_name(parser)) return wr_parser_expected(parser, what, error);
    WR_TRY(wr_parse_value(parser, parser->token, ret_name, error));
    wr_parser_step(parser);
    return WEIR_OK;
}

/* ---- ATTACH ---- */

/* The name that a path has when none is given: its last component, if SQL can say that unquoted. */
static int default_name(struct wr_token token, const char *url, char **ret_name,
                        struct weir_error *error) {
    size_t end = strlen(url);
    while (end > 0 && url[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && url[start - 1] != '/')
        start--;
    size_t plain = strspn(url + start, "abcdefghijklmnopqrstuvwxyz0123456789_");
    bool digit = url[start] >= '0' && url[start] <= '9';
    if (start == end || plain < end - start || digit) {
        int code =
            wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                         "ATTACH '%s': its last part is no simple name; give one with AS", url);
        return wr_parser_mark(token, code, error);
    }
    *ret_name = wr_strndup(url + start, end - start);
    return *ret_name ? WEIR_OK : wr_error_memory(error);
}

/* Takes TYPE out of the options, into the statement's kind. */
static int take_type(struct wr_statement *statement, struct weir_error *error) {
    struct wr_options *options = &statement->options;
    const char *type = wr_options_get(options->items, options->n_items, "type");
    if (!type) return WEIR_OK;
    statement->kind = wr_strdup(type);
    if (!statement->kind) return wr_error_memory(error);
    for (char *c = statement->kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    size_t i = 0;
    while (options->items[i].value != type)
        i++;
    wr_free((char *)options->items[i].key);
    wr_free((char *)options->items[i].value);
    options->n_items--;
    memmove(options->items + i, options->items + i + 1,
            (options->n_items - i) * sizeof *options->items);
    return WEIR_OK;
}

static int parse_attach(struct wr_parser *parser, struct wr_statement *statement,
                        struct weir_error *error) {
    statement->type = WR_STATEMENT_ATTACH;
    wr_parser_accept_word(parser, "DATABASE");
    statement->if_not_exists =
        wr_parse_words(parser, (const char *[]){"IF", "NOT", "EXISTS", NULL});
    struct wr_token token = parser->token;
    if (token.type != WR_TOKEN_STRING || token.unterminated) {
        return wr_parser_expected(parser, "a path or URL in quotes", error);
    }
    WR_TRY(wr_parse_value(parser, token, &statement->url, error));
    wr_parser_step(parser);
    if (wr_parser_accept_word(parser, "AS")) {
        WR_TRY(parse_name(parser, "a name", &statement->parts[2], error));
    } else {
        WR_TRY(default_name(token, statement->url, &statement->parts[2], error));
    }
    if (wr_parser_at_symbol(parser, '(')) {
        token = parser->token;
        WR_TRY(wr_parse_options(parser, &statement->options, error));
        WR_TRY(take_type(statement, error));
        if (wr_options_get(statement->options.items, statement->options.n_items, "url")) {
            int code =
                wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                             "ATTACH: \"url\" is what stands behind ATTACH; leave the option "
                             "out");
            return wr_parser_mark(token, code, error);
        }
    }
    return wr_parser_finish(parser, error);
}

/* ---- The others ---- */

static int parse_detach(struct wr_parser *parser, struct wr_statement *statement,
                        struct weir_error *error) {
    statement->type = WR_STATEMENT_DETACH;
    wr_parser_accept_word(parser, "DATABASE");
    statement->if_not_exists = wr_parse_words(parser, (const char *[]){"IF", "EXISTS", NULL});
    WR_TRY(parse_name(parser, "a mount's name", &statement->parts[2], error));
    return wr_parser_finish(parser, error);
}

static int parse_use(struct wr_parser *parser, struct wr_statement *statement,
                     struct weir_error *error) {
    statement->type = WR_STATEMENT_USE;
    WR_TRY(parse_name(parser, "a namespace", &statement->parts[2], error));
    if (wr_parser_accept_symbol(parser, '.')) {
        statement->parts[1] = statement->parts[2];
        statement->parts[2] = NULL;
        WR_TRY(parse_name(parser, "a namespace", &statement->parts[2], error));
    }
    return wr_parser_finish(parser, error);
}

int wr_parse_attach(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                    struct weir_error *error) {
    int code = WEIR_OK;
    bool ours = true;
    if (wr_parser_accept_word(parser, "ATTACH")) {
        code = parse_attach(parser, statement, error);
    } else if (wr_parser_accept_word(parser, "DETACH")) {
        code = parse_detach(parser, statement, error);
    } else if (wr_parser_accept_word(parser, "USE")) {
        code = parse_use(parser, statement, error);
    } else if (wr_parse_words(parser, (const char *[]){"SHOW", "MOUNTS", NULL})) {
        statement->type = WR_STATEMENT_SHOW_MOUNTS;
        code = wr_parser_finish(parser, error);
    } else {
        ours = false;
    }
    *ret_ours = ours;
    return code;
}

/* ---- Namespaces ---- */

/* With SCHEMA and blanks in the place of the word NAMESPACE, so that positions stay true. */
static int rewrite(const struct wr_parser *parser, struct wr_token word,
                   struct wr_statement *statement, struct weir_error *error) {
    static const char schema[] = "SCHEMA   ";
    statement->text = wr_strndup(parser->lexer.text, parser->lexer.length);
    if (!statement->text) return wr_error_memory(error);
    memcpy(statement->text + word.start, schema, word.length);
    return WEIR_OK;
}

int wr_parse_namespace(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                       struct weir_error *error) {
    bool ours = true;
    int code = WEIR_OK;
    if (wr_parser_accept_word(parser, "CREATE") || wr_parser_accept_word(parser, "DROP")) {
        ours = wr_parser_at_word(parser, "NAMESPACE");
        if (ours) code = rewrite(parser, parser->token, statement, error);
    } else if (wr_parse_words(parser, (const char *[]){"SHOW", "NAMESPACES", NULL})) {
        statement->type = WR_STATEMENT_SHOW_NAMESPACES;
        code = wr_parser_finish(parser, error);
    } else {
        ours = false;
    }
    *ret_ours = ours;
    return code;
}
