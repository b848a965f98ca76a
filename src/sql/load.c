/* SPDX-License-Identifier: Apache-2.0 */
/* LOAD 'name or path' [(key value, ...)], and LOAD name. */
#include "base/error.h"
#include "sql/grammar.h"

int wr_parse_load(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error) {
    *ret_ours = wr_parser_accept_word(parser, "LOAD");
    if (!*ret_ours) return WEIR_OK;
    statement->type = WR_STATEMENT_LOAD;
    bool is_text = parser->token.type == WR_TOKEN_STRING && !parser->token.unterminated;
    if (!is_text && !wr_parser_at_name(parser))
        return wr_parser_expected(parser, "the name or path of an extension in quotes", error);
    WR_TRY(wr_parse_value(parser, parser->token, &statement->url, error));
    wr_parser_step(parser);
    if (wr_parser_at_symbol(parser, '('))
        WR_TRY(wr_parse_options(parser, &statement->options, error));
    return wr_parser_finish(parser, error);
}
