/* SPDX-License-Identifier: Apache-2.0 */
#include "grid.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "text.h"

enum {
    LEAST_WIDTH = 8,   /* a column is not cut below this before columns are left out */
    NUMBER_WIDTH = 24, /* a number of up to this width is never cut */
    COLUMN_FRAME = 3   /* a border and two blanks */
};

static const struct grid_style styles[] = {
    {{"+", "-", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, "|"},
    {{"┌", "─", "┬", "┐"}, {"├", "─", "┼", "┤"}, {"└", "─", "┴", "┘"}, "│"},
    {{NULL, NULL, NULL, NULL}, {"|", "-", "|", "|"}, {NULL, NULL, NULL, NULL}, "|"},
};

static bool is_markdown(const struct grid *grid) {
    return grid->settings->format->style == STYLE_MARKDOWN;
}

static bool has_types(const struct grid *grid) {
    return grid->settings->format->style == STYLE_BOX;
}

/* Clean text, with `mark` in the place of each `at`. */
static void add_pieces(struct wr_buffer *to, const char *text, size_t length, char at,
                       const char *mark) {
    for (;;) {
        const char *found = memchr(text, at, length);
        size_t piece = found == NULL ? length : (size_t)(found - text);
        text_clean(to, text, piece);
        if (found == NULL) return;
        wr_buffer_text(to, mark);
        text += piece + 1;
        length -= piece + 1;
    }
}

/* Bytes of the text's first line. */
static size_t line_length(const char *text, size_t length) {
    const char *end = memchr(text, '\n', length);
    return end == NULL ? length : (size_t)(end - text);
}

static struct grid_cell add_text(struct grid *grid, const char *text, size_t length) {
    struct grid_cell cell = {.offset = grid->text.length};

    if (is_markdown(grid))
        add_pieces(&grid->text, text, length, '|', "\\|");
    else
        add_pieces(&grid->text, text, length, '\n', "\n");
    cell.length = grid->text.length - cell.offset;
    for (size_t at = 0; at < cell.length && !grid->text.failed; at++) {
        const char *rest = grid->text.data + cell.offset + at;
        size_t line = line_length(rest, cell.length - at);
        int width = text_width(rest, line);
        if (width > cell.width) cell.width = width;
        at += line;
        if (at < cell.length) cell.has_lines = true;
    }
    return cell;
}

int grid_init(struct grid *grid, const struct ArrowSchema *schema,
              const struct output_settings *settings, struct sink *sink, struct weir_error *error) {
    struct wr_buffer type;
    bool box = settings->format->style == STYLE_BOX && settings->unicode;

    *grid = (struct grid){.settings = settings, .sink = sink, .n_columns = schema->n_children};
    grid->style = &styles[settings->format->style == STYLE_MARKDOWN ? 2 : box ? 1 : 0];
    wr_buffer_init(&grid->text, (size_t)1 << 40);
    wr_buffer_init(&grid->line, (size_t)1 << 40);
    grid->columns = wr_calloc((size_t)grid->n_columns + 1, sizeof *grid->columns);
    if (grid->columns == NULL) return wr_error_memory(error);
    wr_buffer_init(&type, 1 << 20);
    for (int64_t c = 0; c < grid->n_columns; c++) {
        const struct ArrowSchema *child = schema->children[c];
        const char *name = child->name == NULL ? "" : child->name;
        wr_buffer_clear(&type);
        text_type_name(&type, child);
        grid->columns[c].title = add_text(grid, name, strlen(name));
        grid->columns[c].type = add_text(grid, type.data == NULL ? "" : type.data, type.length);
        grid->columns[c].number = text_type_is_number(child);
    }
    wr_buffer_reset(&type);
    grid->titles_length = grid->text.length;
    return grid->text.failed ? wr_error_memory(error) : WEIR_OK;
}

void grid_reset(struct grid *grid) {
    wr_free(grid->columns);
    wr_free(grid->cells);
    wr_buffer_reset(&grid->text);
    wr_buffer_reset(&grid->line);
}

void grid_clear(struct grid *grid) {
    grid->n_rows = 0;
    grid->text.length = grid->titles_length;
}

int grid_add(struct grid *grid, const struct ArrowArray *batch, int64_t from, int64_t to,
             struct weir_error *error) {
    const char *null = grid->settings->null_text == NULL ? "NULL" : grid->settings->null_text;

    if (grid->n_rows + (to - from) > grid->room) {
        size_t room = (size_t)(grid->n_rows + (to - from)) * 2;
        struct grid_cell *cells =
            wr_reallocarray(grid->cells, room * (size_t)grid->n_columns + 1, sizeof *cells);
        if (cells == NULL) return wr_error_memory(error);
        grid->cells = cells;
        grid->room = (int64_t)room;
    }
    for (int64_t row = from; row < to; row++) {
        struct grid_cell *cells = grid->cells + grid->n_rows++ * grid->n_columns;
        for (int64_t c = 0; c < grid->n_columns; c++) {
            size_t length;
            const char *text = output_cell(batch, c, row, &length);
            if (text != NULL)
                cells[c] = add_text(grid, text, length);
            else
                cells[c] = add_text(grid, null, strlen(null));
            cells[c].null = text == NULL;
        }
    }
    return grid->text.failed ? wr_error_memory(error) : WEIR_OK;
}

/* ---- Widths ---- */

static int capped(const struct grid_column *column, int cap) {
    if (column->number && column->values_width <= NUMBER_WIDTH && column->values_width > cap)
        cap = column->values_width;
    return column->width < cap ? column->width : cap;
}

static int needed(const struct grid *grid, int cap) {
    int width = 1;
    for (int64_t c = 0; c < grid->n_columns && width < INT32_MAX / 2; c++) {
        if (grid->columns[c].shown) width += capped(&grid->columns[c], cap) + COLUMN_FRAME;
    }
    return grid->n_shown < grid->n_columns ? width + 1 + COLUMN_FRAME : width;
}

static void fit(struct grid *grid, int room) {
    int cap = LEAST_WIDTH;

    if (needed(grid, INT32_MAX) <= room) return;
    /* Leaves out columns from the middle outwards, so that the first and the last stay. */
    int64_t low = (grid->n_columns - 1) / 2, high = low + 1;
    while (needed(grid, cap) > room && grid->n_shown > 1) {
        bool take_high =
            high < grid->n_columns && high - grid->n_columns / 2 <= grid->n_columns / 2 - low;
        grid->columns[take_high || low < 1 ? high++ : low--].shown = false;
        grid->n_shown--;
    }
    while (cap < room && needed(grid, cap + 1) <= room)
        cap++;
    for (int64_t c = 0; c < grid->n_columns; c++)
        grid->columns[c].width = capped(&grid->columns[c], cap);
}

static int at_least(int width, int least) {
    return width < least ? least : width;
}

static int total_width(const struct grid *grid) {
    int width = grid->n_shown < grid->n_columns ? 2 + COLUMN_FRAME : 1;
    for (int64_t c = 0; c < grid->n_columns; c++) {
        if (grid->columns[c].shown) width += grid->columns[c].width + COLUMN_FRAME;
    }
    return width;
}

/* Makes the last column wide enough for the line that stands for the rows left out. */
static void make_room_for_gap(struct grid *grid, int64_t left_out) {
    char count[64];
    const char *dots = grid->settings->unicode ? "…" : "...";

    snprintf(grid->gap, sizeof grid->gap, "%s %s %s", dots, text_plural(left_out, "row", count),
             dots);
    int missing = text_width(grid->gap, strlen(grid->gap)) + 4 - total_width(grid);
    if (missing > 0) grid->columns[grid->n_columns - 1].width += missing;
}

static void measure_column(struct grid *grid, int64_t c, int64_t head, int64_t tail) {
    struct grid_column *column = &grid->columns[c];

    for (int64_t row = 0; row < grid->n_rows; row++) {
        if (row == head) row = tail;
        if (row >= grid->n_rows) break;
        column->values_width =
            at_least(column->values_width, grid->cells[row * grid->n_columns + c].width);
    }
    column->width = column->values_width;
    column->shown = true;
    if (grid->settings->header) {
        column->width = at_least(column->width, column->title.width);
        if (has_types(grid)) column->width = at_least(column->width, column->type.width);
    }
    if (is_markdown(grid)) column->width = at_least(column->width, 3);
}

void grid_measure(struct grid *grid, int64_t head, int64_t tail, int64_t left_out) {
    if (grid->n_columns == 0) return;
    for (int64_t c = 0; c < grid->n_columns; c++)
        measure_column(grid, c, head, tail);
    grid->n_shown = grid->n_columns;
    if (grid->settings->width > 0) fit(grid, grid->settings->width);
    if (left_out > 0) make_room_for_gap(grid, left_out);
}

/* ---- Drawing ---- */

static void repeat(struct wr_buffer *line, const char *text, int n) {
    for (int i = 0; i < n; i++)
        wr_buffer_text(line, text);
}

static const char *ellipsis(const struct grid *grid) {
    return grid->settings->unicode ? "…" : ".";
}

/* The cell's next line, and what stands behind it: a sign where the value goes on. */
static void put_cell(struct grid *grid, struct grid_column *column, const struct grid_cell *cell,
                     bool dim) {
    struct wr_buffer *line = &grid->line;
    const char *text = grid->text.data + cell->offset + column->at;
    size_t rest = cell->length - column->at, length = line_length(text, rest);
    int width = length == cell->length ? cell->width : text_width(text, length);
    size_t next = length < rest ? length + 1 : rest;
    const char *mark = length == rest ? " " : grid->settings->unicode ? "↵" : "+", *cut = "";

    if (grid->settings->width > 0 && width > column->width) {
        length = text_fit(text, length, column->width - !cell->has_lines, &width);
        if (cell->has_lines && length > 0) {
            next = length;
            mark = ellipsis(grid);
        } else {
            cut = ellipsis(grid);
            width++;
        }
    }
    column->at += next;
    dim = dim && grid->settings->colour && length > 0;
    wr_buffer_char(line, ' ');
    if (column->number) repeat(line, " ", column->width - width);
    if (dim) wr_buffer_text(line, "\033[2m");
    wr_buffer_add(line, text, length);
    wr_buffer_text(line, cut);
    if (dim) wr_buffer_text(line, "\033[0m");
    if (!column->number) repeat(line, " ", column->width - width);
    wr_buffer_text(line, mark);
}

/* One line of a row of cells. True: some of them go on. */
static bool put_row_line(struct grid *grid, const struct grid_cell *cells, bool types) {
    bool gap = false, goes_on = false;

    for (int64_t c = 0; c < grid->n_columns; c++) {
        struct grid_column *column = &grid->columns[c];
        if (!column->shown && gap) continue;
        wr_buffer_text(&grid->line, grid->style->vertical);
        if (column->shown) {
            const struct grid_cell *cell = cells   ? &cells[c]
                                           : types ? &column->type
                                                   : &column->title;
            put_cell(grid, column, cell, cells ? cell->null : types);
            if (column->at < cell->length) goes_on = true;
        } else {
            gap = true;
            wr_buffer_format(&grid->line, " %s ", ellipsis(grid));
        }
    }
    wr_buffer_text(&grid->line, grid->style->vertical);
    wr_buffer_char(&grid->line, '\n');
    return goes_on;
}

/* `cells` NULL: titles (types false) or types. */
static void put_row(struct grid *grid, const struct grid_cell *cells, bool types) {
    for (int64_t c = 0; c < grid->n_columns; c++)
        grid->columns[c].at = 0;
    while (put_row_line(grid, cells, types))
        continue;
}

static void put_border(struct grid *grid, const struct grid_border *border) {
    bool gap = false, first = true;

    if (border->fill == NULL) return;
    for (int64_t c = 0; c < grid->n_columns; c++) {
        const struct grid_column *column = &grid->columns[c];
        if (!column->shown && gap) continue;
        if (!column->shown) gap = true;
        bool colon = is_markdown(grid) && column->number;
        wr_buffer_text(&grid->line, first ? border->left : border->cross);
        repeat(&grid->line, border->fill, (column->shown ? column->width : 1) + 2 - colon);
        if (colon) wr_buffer_char(&grid->line, ':');
        first = false;
    }
    wr_buffer_text(&grid->line, border->right);
    wr_buffer_char(&grid->line, '\n');
}

static int hand_on(struct grid *grid, struct weir_error *error) {
    int code = sink_put(grid->sink, &grid->line, error);
    wr_buffer_clear(&grid->line);
    return code;
}

int grid_put_header(struct grid *grid, struct weir_error *error) {
    if (grid->n_columns == 0) return WEIR_OK;
    put_border(grid, &grid->style->top);
    if (grid->settings->header) {
        put_row(grid, NULL, false);
        if (has_types(grid)) put_row(grid, NULL, true);
        put_border(grid, &grid->style->middle);
    }
    return hand_on(grid, error);
}

int grid_put_rows(struct grid *grid, int64_t from, int64_t to, struct weir_error *error) {
    if (grid->n_columns == 0) return WEIR_OK;
    for (int64_t row = from; row < to; row++) {
        put_row(grid, grid->cells + row * grid->n_columns, false);
        WR_TRY(hand_on(grid, error));
    }
    return WEIR_OK;
}

int grid_put_gap(struct grid *grid, struct weir_error *error) {
    if (grid->n_columns == 0) return WEIR_OK;
    wr_buffer_format(&grid->line, "%s %s ", grid->style->vertical, grid->gap);
    repeat(&grid->line, " ", total_width(grid) - 4 - text_width(grid->gap, strlen(grid->gap)));
    wr_buffer_format(&grid->line, "%s\n", grid->style->vertical);
    return hand_on(grid, error);
}

int grid_put_end(struct grid *grid, int64_t rows, struct weir_error *error) {
    char count[64];

    if (grid->n_columns > 0) put_border(grid, &grid->style->bottom);
    if (grid->settings->footer) {
        wr_buffer_format(&grid->line, "(%s", text_plural(rows, "row", count));
        if (grid->n_shown < grid->n_columns)
            wr_buffer_format(&grid->line, ", %d of %d columns shown", (int)grid->n_shown,
                             (int)grid->n_columns);
        wr_buffer_text(&grid->line, ")\n");
    }
    return hand_on(grid, error);
}
