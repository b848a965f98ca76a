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

int wr_parse_option_key(struct wr_parser *parser, char **ret_key, struct weir_error *error) {
    struct wr_buffer key;
    init_buffer(parser, &key);
    do {
        if (key.length > 0) wr_buffer_char(&key, '.');
        if (!at_text(parser)) {
            wr_buffer_reset(&key);
            return wr_parser_expected(parser, "the name of an option", error);
        }
        wr_parser_value(parser, parser->token, &key);
        wr_parser_step(parser);
    } while (wr_parser_accept_symbol(parser, '.'));
    return take(&key, ret_key, error);
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
