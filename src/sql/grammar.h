/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of statement.h, one file each. */
#ifndef WR_GRAMMAR_H
#define WR_GRAMMAR_H

#include "sql/lexer.h"
#include "sql/statement.h"

/*
 * All look at a statement from its first token on and set `*ret_ours` to false, with nothing else
 * touched (but the `parts` of the engine's CREATE TABLE), when the statement is the engine's. On
 * failure `statement` is to be reset by the caller.
 */
int wr_parse_create_using(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                          struct weir_error *error);
int wr_parse_copy(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error);
/* ATTACH, DETACH, USE, SHOW MOUNTS. */
int wr_parse_attach(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                    struct weir_error *error);
/* CREATE, DROP and SHOW of NAMESPACE. */
int wr_parse_namespace(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                       struct weir_error *error);

/* REFRESH. */
int wr_parse_refresh(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                     struct weir_error *error);
/* KILL. */
int wr_parse_kill(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error);
/* LOAD. */
int wr_parse_load(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error);
/* CREATE SECRET, DROP SECRET. */
int wr_parse_secrets(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                     struct weir_error *error);
/* Users, roles, keys and grants. */
int wr_parse_users(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                   struct weir_error *error);
/* Notes which table an engine's INSERT, UPDATE or DELETE changes; none of these is ours. */
int wr_parse_change(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                    struct weir_error *error);

/* A name of up to three parts, into the last ones. False, with nothing kept, when there is none. */
int wr_parse_name(struct wr_parser *parser, char *parts[3], bool *ret_found,
                  struct weir_error *error);

/* Steps over the keywords, which end in NULL, if all of them are there. */
bool wr_parse_words(struct wr_parser *parser, const char *const *words);
/* What a token stands for, as a copy. */
int wr_parse_value(const struct wr_parser *parser, struct wr_token token, char **ret_text,
                   struct weir_error *error);

/* One option key: words joined by dots, in lower case, or a quoted text as it is. */
int wr_parse_option_key(struct wr_parser *parser, char **ret_key, struct weir_error *error);
/* One option value: a string, number, word or quoted word, after an optional equals sign. */
int wr_parse_option_value(struct wr_parser *parser, char **ret_value, struct weir_error *error);
/* (key value, ...), each key once, in the case in which it is written. */
int wr_parse_options(struct wr_parser *parser, struct wr_options *options,
                     struct weir_error *error);

#endif
