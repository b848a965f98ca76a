/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of SQL by their place in the text, and a cursor over them with one token of look-ahead,
 * for the few statements that we parse ourselves. Blanks and comments are skipped. A lexer borrows
 * its text and allocates nothing.
 */
#ifndef WR_LEXER_H
#define WR_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "weir.h"

enum wr_token_type {
    WR_TOKEN_END = 0,
    WR_TOKEN_WORD,       /* bare identifier or keyword */
    WR_TOKEN_IDENTIFIER, /* "quoted" or `quoted` */
    WR_TOKEN_STRING,     /* 'text', E'text' or $tag$text$tag$ */
    WR_TOKEN_NUMBER,     /* without sign */
    WR_TOKEN_PARAMETER,  /* $1 or $name */
    WR_TOKEN_SYMBOL      /* one byte of anything else */
};

struct wr_token {
    int type;
    size_t start;
    size_t length;
    bool unterminated; /* the text ended inside this quotation, or for END inside a comment */
};

struct wr_lexer {
    const char *text;
    size_t length;
    size_t offset;
};

struct wr_token wr_lexer_next(struct wr_lexer *lexer);

struct wr_encodings;

struct wr_parser {
    struct wr_lexer lexer;
    struct wr_token token;                /* the current one */
    struct wr_token previous;             /* the one before; END before the first step */
    const struct wr_encodings *encodings; /* that a statement may name; NULL: none */
};

void wr_parser_init(struct wr_parser *parser, const char *text, size_t length);
void wr_parser_step(struct wr_parser *parser);
/* Whether the current token is this keyword (written in upper case) or symbol. The accept functions
 * step over it then. */
bool wr_parser_at_word(const struct wr_parser *parser, const char *keyword);
bool wr_parser_at_symbol(const struct wr_parser *parser, char symbol);
bool wr_parser_accept_word(struct wr_parser *parser, const char *keyword);
bool wr_parser_accept_symbol(struct wr_parser *parser, char symbol);
bool wr_parser_at_name(const struct wr_parser *parser); /* a bare or quoted identifier */
/* Steps from '(' to behind its ')'. False when there is none. */
bool wr_parser_skip_parentheses(struct wr_parser *parser);

/* What a token stands for: an identifier folded to lower case unless quoted, a string without
 * quotes and escapes, else as written. */
void wr_parser_value(const struct wr_parser *parser, struct wr_token token,
                     struct wr_buffer *buffer);

/* 42601 at the current token: `syntax error at or near "x": expected <what> after "y"`. */
int wr_parser_expected(const struct wr_parser *parser, const char *what, struct weir_error *error);
/* Gives an error the position of `token`, and returns `code`. */
int wr_parser_mark(struct wr_token token, int code, struct weir_error *error);
/* Steps over semicolons to the end, or reports what follows. */
int wr_parser_finish(struct wr_parser *parser, struct weir_error *error);

#endif
