/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/lexer.h"
#include "sql/statement.h"

static bool is_semicolon(const struct wr_lexer *lexer, struct wr_token token) {
    return token.type == WR_TOKEN_SYMBOL && lexer->text[token.start] == ';';
}

int wr_script_next(const char *script, size_t length, size_t *offset, const char **ret_statement,
                   size_t *ret_length, int *ret_complete) {
    struct wr_lexer lexer = {.text = script, .length = length, .offset = *offset};
    if (lexer.offset > length) lexer.offset = length;
    struct wr_token token;
    do {
        token = wr_lexer_next(&lexer);
    } while (is_semicolon(&lexer, token));
    size_t start = token.start, end = token.start;
    bool found = token.type != WR_TOKEN_END, complete = !found && !token.unterminated;
    while (token.type != WR_TOKEN_END && !is_semicolon(&lexer, token)) {
        end = token.start + token.length;
        token = wr_lexer_next(&lexer);
    }
    if (found) complete = token.type != WR_TOKEN_END;
    *offset = lexer.offset;
    if (ret_complete) *ret_complete = complete;
    if (!found) return 0;
    *ret_statement = script + start;
    *ret_length = end - start;
    return 1;
}
