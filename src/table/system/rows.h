/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the rows of a system table, cell by cell from left to right:
 *
 *     wr_rows_text(rows, mount->name);
 *     wr_rows_text(rows, mount->url);      -- NULL is NULL
 *     WR_TRY(wr_rows_end(rows, error));
 *
 * Appending cells needs no check: wr_rows_end tells what went wrong with its row, and goes on
 * telling it, as does wr_rows_finish. A cell of another type than its column's, a row with too few
 * or too many cells, or a NULL where the column has none, is WEIR_INTERNAL and names the column.
 *
 * Texts may come from anywhere, file names among them: what is not UTF-8 becomes U+FFFD.
 */
#ifndef WR_SYSTEM_ROWS_H
#define WR_SYSTEM_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow/arrow.h"

enum wr_column_type {
    WR_COLUMN_TEXT = 0,
    WR_COLUMN_INTEGER = 1, /* int64 */
    WR_COLUMN_BOOLEAN = 2,
    WR_COLUMN_TIMESTAMP = 3 /* microseconds since 1970 in UTC */
};

struct wr_column {
    const char *name;
    enum wr_column_type type;
    bool required; /* never NULL */
};

/* On whose behalf rows are made. */
struct wr_viewer {
    void *context;
    bool (*sees)(void *context, const char *catalog, const char *schema, const char *name);
    bool (*sees_user)(void *context, const char *user); /* NULL: the program itself */
    bool (*sees_all)(void *context);                    /* what belongs to no one */
    void (*retain)(void *context);
    void (*release)(void *context);
};

struct wr_rows {
    const struct wr_viewer *viewer; /* NULL: everything may be seen */
    const struct wr_column *columns;
    size_t n_columns;
    const char *catalog;    /* rows of other catalogs are not needed; NULL: all are */
    struct wr_cells *cells; /* one for each column */
    int64_t n_rows;
    size_t next;      /* the column of the next cell */
    size_t misused;   /* the first column with a wrong cell, plus 1 */
    bool out_of_room; /* an append failed */
};

/* The columns as a struct schema. */
int wr_columns_schema(const struct wr_column *columns, size_t n_columns,
                      struct ArrowSchema *ret_schema, struct weir_error *error);

/* `columns` must outlive the builder. */
int wr_rows_init(struct wr_rows *rows, const struct wr_column *columns, size_t n_columns,
                 struct weir_error *error);
void wr_rows_reset(struct wr_rows *rows);

void wr_rows_text(struct wr_rows *rows, const char *text); /* NULL: a NULL */
void wr_rows_int(struct wr_rows *rows, int64_t value);
void wr_rows_bool(struct wr_rows *rows, bool value);
void wr_rows_time(struct wr_rows *rows, int64_t microseconds);
void wr_rows_null(struct wr_rows *rows);
int wr_rows_end(struct wr_rows *rows, struct weir_error *error);

/* Whether rows of a catalog are needed, so that a walk may leave out the others. */
bool wr_rows_wants(const struct wr_rows *rows, const char *catalog);

/*
 * Whether the viewer may see a catalog or mount (`schema` NULL), a schema (`name` NULL) or a table;
 * what is a user's own (sessions, queries); what is the server's (its configuration). A source
 * leaves out the rows of everything else.
 */
bool wr_rows_see(const struct wr_rows *rows, const char *catalog, const char *schema,
                 const char *name);
bool wr_rows_see_user(const struct wr_rows *rows, const char *user);
bool wr_rows_see_all(const struct wr_rows *rows);

/* Gives the rows away as one batch. The builder is only to be reset after. */
int wr_rows_finish(struct wr_rows *rows, struct wr_shared_batch **ret_batch,
                   struct weir_error *error);

#endif
