/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements that weir adds to the engine's SQL, found by a small lexer and grammar of our own.
 * Whatever does not begin like one of them is the engine's, and is passed on byte for byte, so that
 * error positions stay true.
 */
#ifndef WR_STATEMENT_H
#define WR_STATEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "table/encodings.h"

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
    WR_STATEMENT_USE = 6,            /* USE name, USE catalog.name */
    WR_STATEMENT_REFRESH = 7,        /* REFRESH [TABLE] name */
    WR_STATEMENT_REFRESH_MOUNT = 8,  /* REFRESH MOUNT name */
    WR_STATEMENT_KILL_QUERY = 9,     /* KILL QUERY 'id'; the id is parts[2] */
    WR_STATEMENT_KILL_SESSION = 10,  /* KILL SESSION 'id' */
    WR_STATEMENT_LOAD = 11,          /* LOAD 'name or path' [(key value, ...)]; `url` is the text */
    WR_STATEMENT_CREATE_SECRET = 12, /* CREATE SECRET name (TYPE s3, KEY_ID '...', ...) */
    WR_STATEMENT_DROP_SECRET = 13,   /* DROP SECRET [IF EXISTS] name */
    /* On users, in users.c. The name is `user`. */
    WR_STATEMENT_CREATE_USER = 20, /* CREATE USER [IF NOT EXISTS] name [PASSWORD 'text'] */
    WR_STATEMENT_CREATE_ROLE = 21,
    WR_STATEMENT_DROP_USER = 22, /* DROP USER [IF EXISTS] name */
    WR_STATEMENT_DROP_ROLE = 23,
    WR_STATEMENT_ALTER_USER = 24, /* ALTER USER name PASSWORD 'text', ENABLE or DISABLE */
    WR_STATEMENT_GRANT = 25,      /* GRANT privilege, ... ON [CATALOG|SCHEMA|TABLE] name TO user */
    WR_STATEMENT_REVOKE = 26,     /* ... FROM user */
    WR_STATEMENT_GRANT_ROLE = 27, /* GRANT role TO user */
    WR_STATEMENT_REVOKE_ROLE = 28,
    WR_STATEMENT_CREATE_KEY = 29, /* CREATE API KEY FOR user [LABEL 'text'] [EXPIRES IN '30d'] */
    WR_STATEMENT_DROP_KEY = 30,   /* DROP API KEY 'prefix' */
    WR_STATEMENT_SHOW_KEYS = 31,  /* SHOW API KEYS */
    WR_STATEMENT_SHOW_GRANTS = 32 /* SHOW GRANTS [FOR user] */
};

enum wr_grant_level { WR_GRANT_CATALOG = 1, WR_GRANT_SCHEMA = 2, WR_GRANT_TABLE = 3 };

/* What an engine's statement does to a table's rows. */
enum wr_change_type {
    WR_CHANGE_NONE = 0,
    WR_CHANGE_INSERT = 1,
    WR_CHANGE_OTHER = 2 /* UPDATE, DELETE, TRUNCATE, MERGE, EXPLAIN ANALYZE of an INSERT */
};

/* The same as a set, of what is done to the rows. */
enum wr_change_verb { WR_VERB_INSERT = 1, WR_VERB_UPDATE = 2, WR_VERB_DELETE = 4 };

struct wr_statement {
    int type;
    char *text; /* ENGINE: the statement; COPY ... TO 'x' (FORMAT ...) and NAMESPACE rewritten to
                   the engine's own form */
    char *parts[3]; /* catalog, schema, name; folded to lower case unless quoted; NULL where not
                       given. parts[2] is the name; of USE, parts[1] the catalog. Of ENGINE: what
                       CREATE [EXTERNAL] TABLE makes */
    char *kind;     /* NULL: ATTACH without TYPE */
    char *url;      /* ATTACH, LOAD: as written */
    /* ENGINE: the table whose rows it changes, and where its name stands in the text */
    int change;     /* enum wr_change_type */
    uint32_t verbs; /* enum wr_change_verb */
    char *target[3];
    size_t target_start;
    size_t target_length;
    /* CREATE_USING */
    char *columns; /* the parenthesised column list as written, with its parentheses; NULL: none */
    char *query;   /* after AS; NULL: none */
    struct wr_options options;
    /* On users. GRANT: `parts` has the names in its last places */
    char *user;
    char *role;
    char *secret;        /* a password; NULL: none */
    char *label;         /* of a key; DROP: its prefix */
    int64_t lifetime_ms; /* of a key; 0: without end */
    uint32_t privileges; /* enum wr_privilege */
    int level;           /* enum wr_grant_level */
    int enable;          /* ALTER USER: 1 ENABLE, -1 DISABLE */
    bool if_not_exists;  /* or IF EXISTS */
    bool or_replace;
    bool temporary;
};

/* `encodings`: those of extensions, which COPY may name; NULL: none. */
int wr_statement_parse(const char *sql, const struct wr_encodings *encodings,
                       struct wr_statement *ret_statement, struct weir_error *error);
void wr_statement_reset(struct wr_statement *statement);

/*
 * The text with `?` in the place of every literal, for logs: strings, numbers, dollar quotes, and
 * whatever stands behind an unterminated quotation. Names stay. Free with wr_free.
 */
int wr_sql_without_literals(const char *sql, char **ret_text, struct weir_error *error);
/* Whether the text has a password in it, or may have one by mistake: it begins as a statement on
 * users does. */
bool wr_sql_has_secret(const char *sql);

/*
 * weir_script_next's lexer: quotations ('', "", $tag$), comments (-- and nested slash-star),
 * semicolons.
 */
int wr_script_next(const char *script, size_t length, size_t *offset, const char **ret_statement,
                   size_t *ret_length, int *ret_complete);

#endif
