/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/lexer.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Bytes of characters beyond ASCII are letters. */
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static char peek(const struct wr_lexer *lexer, size_t ahead) {
    return ahead < lexer->length - lexer->offset ? lexer->text[lexer->offset + ahead] : '\0';
}

/* Behind the comment that begins here. False when the text ends in it. */
static bool skip_block_comment(struct wr_lexer *lexer) {
    size_t depth = 0;
    while (lexer->offset < lexer->length) {
        if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
            depth++;
            lexer->offset += 2;
        } else if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
            lexer->offset += 2;
            if (--depth == 0) return true;
        } else {
            lexer->offset++;
        }
    }
    return false;
}

/* Blanks and comments. False when the text ends in a comment, which begins at `*ret_comment`. */
static bool skip_blanks(struct wr_lexer *lexer, size_t *ret_comment) {
    while (lexer->offset < lexer->length) {
        if (is_blank(peek(lexer, 0))) {
            lexer->offset++;
        } else if (peek(lexer, 0) == '-' && peek(lexer, 1) == '-') {
            const char *rest = lexer->text + lexer->offset;
            const char *end = memchr(rest, '\n', lexer->length - lexer->offset);
            lexer->offset = end ? (size_t)(end - lexer->text) : lexer->length;
        } else if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
            *ret_comment = lexer->offset;
            if (!skip_block_comment(lexer)) return false;
        } else {
            break;
        }
    }
    return true;
}

/* Behind the quotation whose opening quote is here. False when the text ends in it. */
static bool skip_quotation(struct wr_lexer *lexer, bool backslashes) {
    char quote = lexer->text[lexer->offset++];
    while (lexer->offset < lexer->length) {
        char c = lexer->text[lexer->offset++];
        if (c == '\\' && backslashes) {
            if (lexer->offset < lexer->length) lexer->offset++;
        } else if (c == quote) {
            if (peek(lexer, 0) != quote) return true;
            lexer->offset++;
        }
    }
    return false;
}

/* The length of `$tag$` here, or 0: a parameter `$1` or `$name` has no second dollar. */
static size_t tag_length(const struct wr_lexer *lexer) {
    size_t length = 1;
    if (is_digit(peek(lexer, 1))) return 0;
    while (is_letter(peek(lexer, length)) || is_digit(peek(lexer, length)))
        length++;
    return peek(lexer, length) == '$' ? length + 1 : 0;
}

static bool skip_dollar_quotation(struct wr_lexer *lexer, size_t length) {
    const char *tag = lexer->text + lexer->offset;
    lexer->offset += length;
    for (; lexer->length - lexer->offset >= length; lexer->offset++) {
        if (memcmp(lexer->text + lexer->offset, tag, length) == 0) {
            lexer->offset += length;
            return true;
        }
    }
    lexer->offset = lexer->length;
    return false;
}

static void skip_number(struct wr_lexer *lexer) {
    while (is_digit(peek(lexer, 0)))
        lexer->offset++;
    if (peek(lexer, 0) == '.') {
        lexer->offset++;
        while (is_digit(peek(lexer, 0)))
            lexer->offset++;
    }
    if (peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E') {
        size_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';
        if (!is_digit(peek(lexer, 1 + sign))) return;
        lexer->offset += 1 + sign;
        while (is_digit(peek(lexer, 0)))
            lexer->offset++;
    }
}

static void skip_word(struct wr_lexer *lexer) {
    while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)) || peek(lexer, 0) == '$')
        lexer->offset++;
}

struct wr_token wr_lexer_next(struct wr_lexer *lexer) {
    size_t comment = 0;
    bool terminated = skip_blanks(lexer, &comment);
    struct wr_token token = {.type = WR_TOKEN_END, .start = lexer->offset};
    if (lexer->offset >= lexer->length) {
        token.unterminated = !terminated;
        if (!terminated) token.start = comment;
        return token;
    }
    char c = peek(lexer, 0);
    size_t tag = c == '$' ? tag_length(lexer) : 0;
    if ((c == 'e' || c == 'E') && peek(lexer, 1) == '\'') {
        lexer->offset++;
        token.type = WR_TOKEN_STRING;
        terminated = skip_quotation(lexer, true);
    } else if (is_letter(c)) {
        token.type = WR_TOKEN_WORD;
        skip_word(lexer);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        token.type = WR_TOKEN_NUMBER;
        skip_number(lexer);
    } else if (c == '\'') {
        token.type = WR_TOKEN_STRING;
        terminated = skip_quotation(lexer, false);
    } else if (c == '"' || c == '`') {
        token.type = WR_TOKEN_IDENTIFIER;
        terminated = skip_quotation(lexer, false);
    } else if (tag > 0) {
        token.type = WR_TOKEN_STRING;
        terminated = skip_dollar_quotation(lexer, tag);
    } else if (c == '$' && (is_letter(peek(lexer, 1)) || is_digit(peek(lexer, 1)))) {
        token.type = WR_TOKEN_PARAMETER;
        lexer->offset++;
        skip_word(lexer);
    } else {
        token.type = WR_TOKEN_SYMBOL;
        lexer->offset++;
    }
    token.unterminated = !terminated;
    token.length = lexer->offset - token.start;
    return token;
}
