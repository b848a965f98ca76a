/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/lexer.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"

void wr_parser_init(struct wr_parser *parser, const char *text, size_t length) {
    *parser = (struct wr_parser){.lexer = {.text = text, .length = length}};
    parser->token = wr_lexer_next(&parser->lexer);
}

void wr_parser_step(struct wr_parser *parser) {
    parser->previous = parser->token;
    parser->token = wr_lexer_next(&parser->lexer);
}

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *token_text(const struct wr_parser *parser, struct wr_token token) {
    return parser->lexer.text + token.start;
}

bool wr_parser_at_word(const struct wr_parser *parser, const char *keyword) {
    if (parser->token.type != WR_TOKEN_WORD || parser->token.length != strlen(keyword))
        return false;
    const char *text = token_text(parser, parser->token);
    for (size_t i = 0; keyword[i]; i++) {
        if (upper(text[i]) != keyword[i]) return false;
    }
    return true;
}

bool wr_parser_at_symbol(const struct wr_parser *parser, char symbol) {
    return parser->token.type == WR_TOKEN_SYMBOL && *token_text(parser, parser->token) == symbol;
}

bool wr_parser_accept_word(struct wr_parser *parser, const char *keyword) {
    bool found = wr_parser_at_word(parser, keyword);
    if (found) wr_parser_step(parser);
    return found;
}

bool wr_parser_accept_symbol(struct wr_parser *parser, char symbol) {
    bool found = wr_parser_at_symbol(parser, symbol);
    if (found) wr_parser_step(parser);
    return found;
}

bool wr_parser_at_name(const struct wr_parser *parser) {
    return (parser->token.type == WR_TOKEN_WORD || parser->token.type == WR_TOKEN_IDENTIFIER) &&
           !parser->token.unterminated;
}

bool wr_parser_skip_parentheses(struct wr_parser *parser) {
    size_t depth = 0;
    do {
        if (parser->token.type == WR_TOKEN_END) return false;
        if (wr_parser_at_symbol(parser, '(')) depth++;
        if (wr_parser_at_symbol(parser, ')')) depth--;
        wr_parser_step(parser);
    } while (depth > 0);
    return true;
}

/* ---- Values ---- */

static void add_quoted(struct wr_buffer *buffer, const char *text, size_t length, char quote) {
    for (size_t i = 0; i < length; i++) {
        wr_buffer_char(buffer, text[i]);
        if (text[i] == quote) i++; /* doubled */
    }
}

static void add_utf8(struct wr_buffer *buffer, uint32_t c) {
    if (c < 0x80) {
        wr_buffer_char(buffer, (char)c);
        return;
    }
    int n_more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    wr_buffer_char(buffer, (char)(leads[n_more] | c >> (6 * n_more)));
    while (n_more-- > 0)
        wr_buffer_char(buffer, (char)(0x80 | (c >> (6 * n_more) & 0x3F)));
}

/* Reads at most `n_most` digits of `base` and steps over them; returns their number. */
static size_t read_digits(const char **text, const char *end, size_t n_most, uint32_t base,
                          uint32_t *ret_value) {
    size_t n = 0;
    uint32_t value = 0;
    for (; n < n_most && *text < end; n++, ++*text) {
        char c = lower(**text);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                                                : base;
        if (digit >= base) break;
        value = value * base + digit;
    }
    *ret_value = value;
    return n;
}

/* The escapes of PostgreSQL 17, "String Constants with C-Style Escapes" (4.1.2.2). */
static void add_escaped(struct wr_buffer *buffer, const char *text, const char *end) {
    while (text < end) {
        char c = *text++;
        if (c == '\'') text++; /* doubled */
        if (c != '\\' || text == end) {
            wr_buffer_char(buffer, c);
            continue;
        }
        static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
        c = *text++;
        const char *name = strchr(names, c);
        uint32_t value = 0;
        const char *digits = c >= '0' && c <= '7' ? text - 1 : text;
        size_t n = 0;
        if (digits < text) n = read_digits(&digits, end, 3, 8, &value);
        if (c == 'x') n = read_digits(&digits, end, 2, 16, &value);
        if (c == 'u' || c == 'U') n = read_digits(&digits, end, c == 'u' ? 4 : 8, 16, &value);
        if (n > 0 && value > 0 && value < 0x110000) {
            text = digits;
            if (c == 'u' || c == 'U') {
                add_utf8(buffer, value);
            } else {
                wr_buffer_char(buffer, (char)value);
            }
        } else {
            wr_buffer_char(buffer, name && c ? meanings[name - names] : c);
        }
    }
}

void wr_parser_value(const struct wr_parser *parser, struct wr_token token,
                     struct wr_buffer *buffer) {
    const char *text = token_text(parser, token);
    size_t length = token.length;
    wr_buffer_add(buffer, "", 0);
    if (token.type == WR_TOKEN_WORD) {
        for (size_t i = 0; i < length; i++)
            wr_buffer_char(buffer, lower(text[i]));
    } else if (token.type == WR_TOKEN_IDENTIFIER ||
               (token.type == WR_TOKEN_STRING && *text == '\'')) {
        add_quoted(buffer, text + 1, length - 2, *text);
    } else if (token.type == WR_TOKEN_STRING && *text == '$') {
        size_t tag = (size_t)((const char *)memchr(text + 1, '$', length - 1) - text) + 1;
        wr_buffer_add(buffer, text + tag, length - 2 * tag);
    } else if (token.type == WR_TOKEN_STRING) {
        add_escaped(buffer, text + 2, text + length - 1);
    } else {
        wr_buffer_add(buffer, text, length);
    }
}

/* ---- Errors ---- */

/* A token as an error shows it: short, and cut between characters. */
static int shown_length(const struct wr_parser *parser, struct wr_token token) {
    size_t length = token.length;
    if (length > 60) {
        length = 60;
        while (length > 0 && ((unsigned char)token_text(parser, token)[length] & 0xC0) == 0x80)
            length--;
    }
    return (int)length;
}

int wr_parser_mark(struct wr_token token, int code, struct weir_error *error) {
    if (error) error->position = (int64_t)token.start + 1;
    return code;
}

int wr_parser_expected(const struct wr_parser *parser, const char *what, struct weir_error *error) {
    struct wr_token token = parser->token, previous = parser->previous;
    if (token.unterminated) {
        wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                     token.type == WR_TOKEN_END
                         ? "unterminated comment at the end of the statement%.*s"
                         : "unterminated quotation at or near \"%.*s\"",
                     token.type == WR_TOKEN_END ? 0 : shown_length(parser, token),
                     token_text(parser, token));
    } else if (token.type == WR_TOKEN_END) {
        wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                     "syntax error at the end of the statement: expected %s after \"%.*s\"", what,
                     shown_length(parser, previous), token_text(parser, previous));
    } else {
        wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                     "syntax error at or near \"%.*s\": expected %s after \"%.*s\"",
                     shown_length(parser, token), token_text(parser, token), what,
                     shown_length(parser, previous), token_text(parser, previous));
    }
    return wr_parser_mark(token, WEIR_INVALID_ARGUMENT, error);
}

int wr_parser_finish(struct wr_parser *parser, struct weir_error *error) {
    while (wr_parser_accept_symbol(parser, ';'))
        continue;
    if (parser->token.type == WR_TOKEN_END && !parser->token.unterminated) return WEIR_OK;
    return wr_parser_expected(parser, "the end of the statement", error);
}
