/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements that weir adds to the engine's SQL, found by a small lexer and grammar of our own.
 * Whatever does not begin like one of them is the engine's, and is passed on byte for byte, so that
 * error positions stay true.
 */
#ifndef WR_STATEMENT_H
#define WR_STATEMENT_H

#include "base/options.h"

enum wr_statement_type {
    WR_STATEMENT_ENGINE = 0, /* `text` is for the engine */
    WR_STATEMENT_CREATE_USING =
        1,                   /* CREATE [OR REPLACE] [TEMPORARY] TABLE [IF NOT EXISTS] name
                                [(columns)] USING kind [OPTIONS (key value, ...)] [AS query] */
    WR_STATEMENT_ATTACH = 2, /* ATTACH [DATABASE] [IF NOT EXISTS] 'url' [AS name]
                                [(TYPE kind, KEY value, ...)] */
    WR_STATEMENT_DETACH = 3, /* DETACH [DATABASE] [IF EXISTS] name */
    WR_STATEMENT_SHOW_MOUNTS = 4,
    WR_STATEMENT_SHOW_NAMESPACES = 5,
    WR_STATEMENT_USE = 6,          /* USE name, USE catalog.name */
    WR_STATEMENT_REFRESH = 7,      /* REFRESH [TABLE] name */
    WR_STATEMENT_REFRESH_MOUNT = 8 /* REFRESH MOUNT name */
};

/* What an engine's statement does to a table's rows. */
enum wr_change_type {
    WR_CHANGE_NONE = 0,
    WR_CHANGE_INSERT = 1,
    WR_CHANGE_OTHER = 2 /* UPDATE, DELETE, TRUNCATE, MERGE, EXPLAIN ANALYZE of an INSERT */
};

struct wr_statement {
    int type;
    char *text; /* ENGINE: the statement; COPY ... TO 'x' (FORMAT ...) and NAMESPACE rewritten to
                   the engine's own form */
    char *parts[3]; /* catalog, schema, name; folded to lower case unless quoted; NULL where not
                       given. parts[2] is the name; of USE, parts[1] the catalog. Of ENGINE: what
                       CREATE [EXTERNAL] TABLE makes */
    char *kind;     /* NULL: ATTACH without TYPE */
    char *url;      /* ATTACH: as written */
    /* ENGINE: the table whose rows it changes, and where its name stands in the text */
    int change; /* enum wr_change_type */
    char *target[3];
    size_t target_start;
    size_t target_length;
    /* CREATE_USING */
    char *columns; /* the parenthesised column list as written, with its parentheses; NULL: none */
    char *query;   /* after AS; NULL: none */
    struct wr_options options;
    bool if_not_exists; /* or IF EXISTS */
    bool or_replace;
    bool temporary;
};

int wr_statement_parse(const char *sql, struct wr_statement *ret_statement,
                       struct weir_error *error);
void wr_statement_reset(struct wr_statement *statement);

/*
 * weir_script_next's lexer: quotations ('', "", $tag$), comments (-- and nested slash-star),
 * semicolons.
 */
int wr_script_next(const char *script, size_t length, size_t *offset, const char **ret_statement,
                   size_t *ret_length, int *ret_complete);

#endif
