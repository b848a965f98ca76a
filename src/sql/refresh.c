/* SPDX-License-Identifier: Apache-2.0 */
/* REFRESH [TABLE] name, REFRESH MOUNT name; and which table an engine's statement changes. */
#include "base/alloc.h"
#include "base/error.h"
#include "sql/grammar.h"

int wr_parse_name(struct wr_parser *parser, char *parts[3], bool *ret_found,
                  struct weir_error *error) {
    char *found[3] = {0};
    int n_parts = 0;
    int code = WEIR_OK;
    bool good = false;
    while (code == WEIR_OK && n_parts < 3 && wr_parser_at_name(parser)) {
        code = wr_parse_value(parser, parser->token, &found[n_parts++], error);
        wr_parser_step(parser);
        good = !wr_parser_accept_symbol(parser, '.');
        if (good) break;
    }
    *ret_found = good && code == WEIR_OK;
    for (int i = 0; i < n_parts; i++) {
        if (*ret_found)
            parts[3 - n_parts + i] = found[i];
        else
            wr_free(found[i]);
    }
    return code;
}

int wr_parse_refresh(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                     struct weir_error *error) {
    bool found = false;
    *ret_ours = wr_parser_accept_word(parser, "REFRESH");
    if (!*ret_ours) return WEIR_OK;
    struct wr_parser after = *parser;
    statement->type = WR_STATEMENT_REFRESH;
    /* A table may be called so. */
    if (wr_parser_accept_word(&after, "TABLE") && wr_parser_at_name(&after)) {
        *parser = after;
    } else {
        after = *parser;
        if (wr_parser_accept_word(&after, "MOUNT") && wr_parser_at_name(&after)) {
            statement->type = WR_STATEMENT_REFRESH_MOUNT;
            *parser = after;
        }
    }
    WR_TRY(wr_parse_name(parser, statement->parts, &found, error));
    bool mount = statement->type == WR_STATEMENT_REFRESH_MOUNT;
    if (!found || (mount && statement->parts[1]))
        return wr_parser_expected(parser, mount ? "a mount's name" : "a table's name", error);
    return wr_parser_finish(parser, error);
}

/* ---- Changes ---- */

/* What the first words say, stepping over them. */
static int change_of(struct wr_parser *parser, uint32_t *ret_verbs) {
    bool analyze = false;
    if (wr_parser_accept_word(parser, "EXPLAIN")) {
        analyze = wr_parser_accept_word(parser, "ANALYZE");
        wr_parser_accept_word(parser, "VERBOSE");
    }
    bool replaces = wr_parser_at_word(parser, "REPLACE");
    if (wr_parser_accept_word(parser, "INSERT") || wr_parser_accept_word(parser, "REPLACE")) {
        replaces = wr_parser_accept_word(parser, "OVERWRITE") || replaces;
        wr_parser_accept_word(parser, "INTO");
        wr_parser_accept_word(parser, "TABLE");
        *ret_verbs = WR_VERB_INSERT | (replaces ? WR_VERB_DELETE : 0);
        return analyze ? WR_CHANGE_OTHER : WR_CHANGE_INSERT;
    }
    if (wr_parser_accept_word(parser, "UPDATE")) {
        *ret_verbs = WR_VERB_UPDATE;
        return WR_CHANGE_OTHER;
    }
    if (wr_parse_words(parser, (const char *[]){"MERGE", "INTO", NULL})) {
        *ret_verbs = WR_VERB_INSERT | WR_VERB_UPDATE | WR_VERB_DELETE;
        return WR_CHANGE_OTHER;
    }
    *ret_verbs = WR_VERB_DELETE;
    if (wr_parse_words(parser, (const char *[]){"DELETE", "FROM", NULL})) return WR_CHANGE_OTHER;
    if (wr_parser_accept_word(parser, "TRUNCATE")) {
        wr_parser_accept_word(parser, "TABLE");
        return WR_CHANGE_OTHER;
    }
    return WR_CHANGE_NONE;
}

int wr_parse_change(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                    struct weir_error *error) {
    bool found = false;
    *ret_ours = false;
    uint32_t verbs = 0;
    int change = change_of(parser, &verbs);
    if (change == WR_CHANGE_NONE) return WEIR_OK;
    size_t start = parser->token.start;
    struct wr_parser before = *parser;
    WR_TRY(wr_parse_name(parser, statement->target, &found, error));
    if (!found) return WEIR_OK;
    /* Up to the end of its last part. */
    while (before.token.start < parser->token.start) {
        statement->target_length = before.token.start + before.token.length - start;
        wr_parser_step(&before);
    }
    statement->change = change;
    statement->verbs = verbs;
    statement->target_start = start;
    return WEIR_OK;
}
