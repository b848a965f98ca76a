/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalog holds, as lists in memory: below door.h, and what ADBC's nested answers are made
 * of.
 */
#ifndef WR_DOOR_LIST_H
#define WR_DOOR_LIST_H

#include "door/door.h"

struct wr_buffer;

/* Rows of a fixed number of texts, which may be NULL. */
struct wr_door_texts {
    size_t width;
    char **cells;
    size_t n_rows;
    size_t capacity; /* rows */
};

void wr_door_texts_reset(struct wr_door_texts *texts);
/* Copies `width` texts. */
int wr_door_texts_add(struct wr_door_texts *texts, const char *const *row,
                      struct weir_error *error);
const char *wr_door_texts_get(const struct wr_door_texts *texts, size_t row, size_t column);
/* By bytes, column after column. */
void wr_door_texts_sort(struct wr_door_texts *texts);

/* Runs a query all of whose columns are texts and adds its rows. */
int wr_door_ask(struct weir_session *session, const char *sql, struct wr_door_texts *texts,
                struct weir_error *error);

/*
 * The lists, in order. A catalog that cannot be asked (its server is away) is left out, unless it
 * is the only one that is asked for.
 */
enum { WR_CATALOG_NAME, WR_CATALOG_KIND, WR_CATALOG_WIDTH };
int wr_door_list_catalogs(struct weir_session *session, const char *pattern,
                          struct wr_door_texts *ret_list, struct weir_error *error);

enum { WR_SCHEMA_CATALOG, WR_SCHEMA_NAME, WR_SCHEMA_WIDTH };
/* `catalog` is a name when `exact`, else a pattern. */
int wr_door_list_schemas(struct weir_session *session, const char *catalog, bool exact,
                         const char *schema_pattern, struct wr_door_texts *ret_list,
                         struct weir_error *error);

enum { WR_TABLE_TYPE, WR_TABLE_CATALOG, WR_TABLE_SCHEMA, WR_TABLE_NAME, WR_TABLE_WIDTH };
int wr_door_list_tables(struct weir_session *session, const struct wr_door_tables *filter,
                        bool exact, struct wr_door_texts *ret_list, struct weir_error *error);

enum {
    WR_CONSTRAINT_CATALOG,
    WR_CONSTRAINT_SCHEMA,
    WR_CONSTRAINT_TABLE,
    WR_CONSTRAINT_NAME,
    WR_CONSTRAINT_TYPE, /* "PRIMARY KEY", "UNIQUE" */
    WR_CONSTRAINT_POSITION,
    WR_CONSTRAINT_COLUMN,
    WR_CONSTRAINT_WIDTH
};
/* Of one table, whose catalog and schema may be NULL for the current ones; NULL: of all. In order
 * of table, constraint and position. */
int wr_door_list_constraints(struct weir_session *session, const struct wr_door_table *table,
                             struct wr_door_texts *ret_list, struct weir_error *error);

/* LIKE with `%`, `_` and `\`; _fits: NULL takes everything. */
bool wr_door_like(const char *text, const char *pattern);
bool wr_door_fits(const char *text, const char *pattern);

/* The name in as many quoted parts as are given. */
void wr_door_add_name(struct wr_buffer *buffer, const struct wr_door_table *table);

#endif
