/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of cells drawn with borders: what the table, box and markdown styles share. */
#ifndef WR_CLI_GRID_H
#define WR_CLI_GRID_H

#include "output.h"

struct grid_cell {
    size_t offset; /* in the grid's text */
    size_t length;
    int width; /* of its widest line */
    bool null;
    bool has_lines; /* several, parted by \n: no other control character is in a cell */
};

struct grid_column {
    struct grid_cell title;
    struct grid_cell type;
    bool number;
    bool shown;
    int values_width;
    int width;
    size_t at; /* while a row is drawn: where its cell goes on in the next line */
};

struct grid_border {
    const char *left, *fill, *cross, *right;
};

struct grid_style {
    struct grid_border top, middle, bottom;
    const char *vertical;
};

struct grid {
    const struct output_settings *settings;
    const struct grid_style *style;
    struct sink *sink;
    struct grid_column *columns;
    int64_t n_columns;
    int64_t n_shown;
    char gap[128];           /* the text of the line for rows left out */
    struct grid_cell *cells; /* row by row */
    int64_t n_rows;
    int64_t room; /* rows that `cells` has room for */
    struct wr_buffer text;
    size_t titles_length; /* of the text: stays when the rows are cleared */
    struct wr_buffer line;
};

int grid_init(struct grid *grid, const struct ArrowSchema *schema,
              const struct output_settings *settings, struct sink *sink, struct weir_error *error);
void grid_reset(struct grid *grid);
/* Adds the rows [from, to) of a batch of text. */
int grid_add(struct grid *grid, const struct ArrowArray *batch, int64_t from, int64_t to,
             struct weir_error *error);
void grid_clear(struct grid *grid);
/* Decides the widths from the rows [0, head) and [tail, n_rows), between which `left_out` rows are
 * not shown. */
void grid_measure(struct grid *grid, int64_t head, int64_t tail, int64_t left_out);
int grid_put_header(struct grid *grid, struct weir_error *error);
int grid_put_rows(struct grid *grid, int64_t from, int64_t to, struct weir_error *error);
/* The line that stands for the rows left out. */
int grid_put_gap(struct grid *grid, struct weir_error *error);
int grid_put_end(struct grid *grid, int64_t rows, struct weir_error *error);

#endif
