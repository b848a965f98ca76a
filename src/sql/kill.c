/* SPDX-License-Identifier: Apache-2.0 */
/* KILL QUERY 'id' and KILL SESSION 'id'. */
#include "base/error.h"
#include "sql/grammar.h"

int wr_parse_kill(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error) {
    *ret_ours = wr_parser_accept_word(parser, "KILL");
    if (!*ret_ours) return WEIR_OK;
    if (wr_parser_accept_word(parser, "QUERY")) {
        statement->type = WR_STATEMENT_KILL_QUERY;
    } else if (wr_parser_accept_word(parser, "SESSION")) {
        statement->type = WR_STATEMENT_KILL_SESSION;
    } else {
        return wr_parser_expected(parser, "QUERY or SESSION", error);
    }
    if (parser->token.type != WR_TOKEN_STRING)
        return wr_parser_expected(parser,
                                  "an id in quotes, as system.queries and system.sessions "
                                  "have it",
                                  error);
    WR_TRY(wr_parse_value(parser, parser->token, &statement->parts[2], error));
    wr_parser_step(parser);
    return wr_parser_finish(parser, error);
}
