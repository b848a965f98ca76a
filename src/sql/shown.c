/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/shown.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/secret.h"
#include "sql/lexer.h"

/* A literal after the word that says what it is: PASSWORD 'x', uri 'postgresql://...'. */
static void add_literal(const struct wr_parser *parser, struct wr_token key,
                        struct wr_buffer *out) {
    struct wr_token token = parser->token;
    struct wr_buffer name, value;
    if (token.unterminated) {
        wr_buffer_text(out, "'***'");
        return;
    }
    wr_buffer_init(&name, parser->lexer.length + 1);
    wr_buffer_init(&value, parser->lexer.length + 1);
    if (key.length > 0 && !key.unterminated) wr_parser_value(parser, key, &name);
    wr_parser_value(parser, token, &value);
    const char *named = name.length > 0 ? name.data : "";
    if (name.failed || value.failed) {
        wr_buffer_text(out, "'***'");
    } else if (value.length > 0 && wr_has_secret(named, value.data)) {
        char *shown = wr_redact_secrets(named, value.data);
        wr_buffer_literal(out, shown ? shown : "***");
        wr_free(shown);
    } else {
        wr_buffer_add(out, parser->lexer.text + token.start, token.length);
    }
    wr_buffer_reset(&name);
    wr_buffer_reset(&value);
}

char *wr_sql_shown(const char *sql, size_t max_bytes) {
    struct wr_parser parser;
    struct wr_buffer out;
    struct wr_token key = {0}; /* the last name */
    size_t at = 0;
    wr_buffer_init(&out, 4 * max_bytes + 64);
    wr_parser_init(&parser, sql, strlen(sql));
    for (; parser.token.type != WR_TOKEN_END; wr_parser_step(&parser)) {
        struct wr_token token = parser.token;
        if (token.start + token.length > max_bytes) break;
        wr_buffer_add(&out, sql + at, token.start - at);
        if (token.type == WR_TOKEN_STRING) {
            add_literal(&parser, key, &out);
        } else {
            wr_buffer_add(&out, sql + token.start, token.length);
        }
        if (token.type == WR_TOKEN_WORD || token.type == WR_TOKEN_IDENTIFIER) key = token;
        at = token.start + token.length;
    }
    if (parser.token.type != WR_TOKEN_END) wr_buffer_text(&out, " ...");
    if (out.length == 0) wr_buffer_text(&out, "");
    return wr_buffer_take(&out);
}
