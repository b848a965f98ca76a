/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/grammar.h"

#include "base/alloc.h"
#include "base/error.h"

/* A statement's part cannot be longer than the statement, which is in memory already. */
static void init_buffer(const struct wr_parser *parser, struct wr_buffer *buffer) {
    wr_buffer_init(buffer, parser->lexer.length);
}

static int take(struct wr_buffer *buffer, char **ret_text, struct weir_error *error) {
    char *text = wr_buffer_take(buffer);
    if (!text) return wr_error_memory(error);
    *ret_text = text;
    return WEIR_OK;
}

static bool at_text(const struct wr_parser *parser) {
    return wr_parser_at_name(parser) ||
           (parser->token.type == WR_TOKEN_STRING && !parser->token.unterminated);
}

bool wr_parse_words(struct wr_parser *parser, const char *const *words) {
    struct wr_parser cursor = *parser;
    for (; *words; words++) {
        if (!wr_parser_accept_word(&cursor, *words)) return false;
    }
    *parser = cursor;
    return true;
}

int wr_parse_value(const struct wr_parser *parser, struct wr_token token, char **ret_text,
                   struct weir_error *error) {
    struct wr_buffer value;
    wr_buffer_init(&value, token.length);
    wr_parser_value(parser, token, &value);
    return take(&value, ret_text, error);
}

/* `as_written`: words in their case, for kinds that take any key. */
static int parse_key(struct wr_parser *parser, bool as_written, char **ret_key,
                     struct weir_error *error) {
    struct wr_buffer key;
    init_buffer(parser, &key);
    do {
        if (key.length > 0) wr_buffer_char(&key, '.');
        if (!at_text(parser)) {
            wr_buffer_reset(&key);
            return wr_parser_expected(parser, "the name of an option", error);
        }
        if (as_written && parser->token.type == WR_TOKEN_WORD)
            wr_buffer_add(&key, parser->lexer.text + parser->token.start, parser->token.length);
        else
            wr_parser_value(parser, parser->token, &key);
        wr_parser_step(parser);
    } while (wr_parser_accept_symbol(parser, '.'));
    return take(&key, ret_key, error);
}

int wr_parse_option_key(struct wr_parser *parser, char **ret_key, struct weir_error *error) {
    return parse_key(parser, false, ret_key, error);
}

int wr_parse_option_value(struct wr_parser *parser, char **ret_value, struct weir_error *error) {
    struct wr_buffer value;
    init_buffer(parser, &value);
    wr_parser_accept_symbol(parser, '=');
    bool minus = wr_parser_accept_symbol(parser, '-');
    bool signed_number = minus || wr_parser_accept_symbol(parser, '+');
    if (minus) wr_buffer_char(&value, '-');
    if (parser->token.type == WR_TOKEN_WORD && !signed_number) {
        /* As written: it may be a name in which case matters. */
        wr_buffer_add(&value, parser->lexer.text + parser->token.start, parser->token.length);
    } else if (parser->token.type == WR_TOKEN_NUMBER || (at_text(parser) && !signed_number)) {
        wr_parser_value(parser, parser->token, &value);
    } else {
        wr_buffer_reset(&value);
        return wr_parser_expected(
            parser, signed_number ? "a number" : "a value ('text', number, true, false or a word)",
            error);
    }
    wr_parser_step(parser);
    return take(&value, ret_value, error);
}

static int parse_option(struct wr_parser *parser, struct wr_options *options,
                        struct weir_error *error) {
    struct wr_token token = parser->token;
    char *key = NULL, *value = NULL;
    int code = parse_key(parser, true, &key, error);
    if (!code) code = wr_parse_option_value(parser, &value, error);
    if (!code && wr_options_get(options->items, options->n_items, key)) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "option \"%s\" is given twice; keep one of them", key);
        wr_parser_mark(token, code, error);
    }
    if (!code) code = wr_options_add(options, key, value, error);
    wr_free(key);
    wr_free(value);
    return code;
}

int wr_parse_options(struct wr_parser *parser, struct wr_options *options,
                     struct weir_error *error) {
    if (!wr_parser_accept_symbol(parser, '(')) return wr_parser_expected(parser, "\"(\"", error);
    while (!wr_parser_accept_symbol(parser, ')')) {
        WR_TRY(parse_option(parser, options, error));
        if (!wr_parser_accept_symbol(parser, ',') && !wr_parser_at_symbol(parser, ')'))
            return wr_parser_expected(parser, "\",\" or \")\"", error);
    }
    return WEIR_OK;
}
