/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as logs may have them. */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"
#include "sql/statement.h"

static bool is_literal(struct wr_token token) {
    return token.unterminated || token.type == WR_TOKEN_STRING || token.type == WR_TOKEN_NUMBER;
}

int wr_sql_without_literals(const char *sql, char **ret_text, struct weir_error *error) {
    struct wr_lexer lexer = {.text = sql, .length = strlen(sql)};
    struct wr_buffer text;
    size_t end = 0;
    wr_buffer_init(&text, SIZE_MAX - 1);
    wr_buffer_add(&text, "", 0);
    for (;;) {
        struct wr_token token = wr_lexer_next(&lexer);
        bool last = token.type == WR_TOKEN_END;
        /* Comments go too: they hold what was taken out for a while. */
        if (token.start > end && text.length > 0 && !last) wr_buffer_char(&text, ' ');
        if (last) break;
        if (is_literal(token))
            wr_buffer_char(&text, '?');
        else
            wr_buffer_add(&text, sql + token.start, token.length);
        end = token.start + token.length;
    }
    *ret_text = wr_buffer_take(&text);
    return *ret_text ? WEIR_OK : wr_error_memory(error);
}

bool wr_sql_has_secret(const char *sql) {
    struct wr_parser parser;
    wr_parser_init(&parser, sql, strlen(sql));
    if (!wr_parser_accept_word(&parser, "CREATE") && !wr_parser_accept_word(&parser, "ALTER"))
        return false;
    (void)wr_parse_words(&parser, (const char *[]){"OR", "REPLACE", NULL});
    wr_parser_accept_word(&parser, "TEMPORARY");
    return wr_parser_at_word(&parser, "USER") || wr_parser_at_word(&parser, "SECRET");
}
