/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The styles with columns: table, box and markdown. When only a part of the rows is shown, the
 * head's and the tail's batches are all that is held, and only they are turned into text. When all
 * are shown, the first rows (WINDOW_ROWS, WINDOW_BYTES) decide the widths and the others follow as
 * they come; a wider value then pushes its line out rather than being cut.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "grid.h"
#include "output.h"

enum { WINDOW_ROWS = 1000, WINDOW_BYTES = 8 * 1024 * 1024 };

static int one_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)error;
    ret_array->release = NULL;
    wr_arrow_move_array(context, ret_array);
    return WEIR_OK;
}

static void release_batch(void *context) {
    wr_arrow_release_array(context);
}

/* Turns one batch into text. */
static int text_batch(const struct ArrowSchema *from, struct wr_shared_batch *batch,
                      struct ArrowArray *ret_text, struct weir_error *error) {
    struct ArrowArray array = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows = {0}, text = {0};

    int code = wr_arrow_copy_schema(from, &schema, error);
    if (code == WEIR_OK)
        code = wr_shared_batch_array(batch, NULL, (size_t)from->n_children, &array, error);
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(&schema, one_batch, release_batch, &array, &rows, error);
    if (code == WEIR_OK) code = weir_text(&rows, &text, error);
    if (code == WEIR_OK) code = wr_arrow_stream_next(&text, "result", ret_text, error);
    wr_arrow_release_stream(&text);
    wr_arrow_release_stream(&rows);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_array(&array);
    return code;
}

/* The last batches, as many as the tail of the table needs. */
struct ring {
    struct {
        struct wr_shared_batch *batch;
        int64_t start; /* row of the result at which it starts */
    } *items;
    size_t n_items;
};

static void ring_drop(struct ring *ring, size_t n) {
    if (n == 0) return;
    for (size_t i = 0; i < n; i++)
        wr_shared_batch_release(ring->items[i].batch);
    ring->n_items -= n;
    memmove(ring->items, ring->items + n, ring->n_items * sizeof *ring->items);
}

/* Takes over `batch` on success. */
static int ring_push(struct ring *ring, struct wr_shared_batch *batch, int64_t start, int64_t tail,
                     struct weir_error *error) {
    int64_t end = start + wr_shared_batch_length(batch);
    size_t old = 0;

    while (old < ring->n_items &&
           (old + 1 < ring->n_items ? ring->items[old + 1].start : start) <= end - tail)
        old++;
    ring_drop(ring, old);
    void *items = wr_reallocarray(ring->items, ring->n_items + 1, sizeof *ring->items);
    if (items == NULL) return wr_error_memory(error);
    ring->items = items;
    ring->items[ring->n_items].batch = batch;
    ring->items[ring->n_items++].start = start;
    return WEIR_OK;
}

/* Adds the batch's rows from `from` up to `to`, counted in the whole result. */
static int add_rows(struct grid *grid, const struct ArrowSchema *schema,
                    struct wr_shared_batch *batch, int64_t start, int64_t from, int64_t to,
                    struct weir_error *error) {
    struct ArrowArray text = {0};
    int64_t end = start + wr_shared_batch_length(batch);

    if (from < start) from = start;
    if (to > end) to = end;
    if (from >= to) return WEIR_OK;
    WR_TRY(text_batch(schema, batch, &text, error));
    int code = grid_add(grid, &text, from - start, to - start, error);
    wr_arrow_release_array(&text);
    return code;
}

/* Reads all batches; the first `most` rows end up in the grid, the last ones in the ring. */
static int read_limited(struct tap *tap, int64_t most, struct grid *grid, struct ring *ring,
                        struct weir_error *error) {
    for (;;) {
        struct ArrowArray array = {0};
        struct wr_shared_batch *batch;
        int64_t start = tap->rows;

        WR_TRY(tap_next(tap, &array, error));
        if (array.release == NULL) return WEIR_OK;
        int code = array.length == 0 ? WEIR_OK : wr_shared_batch_new(&array, &batch, error);
        wr_arrow_release_array(&array);
        if (code != WEIR_OK) return code;
        if (tap->rows == start) continue;
        code = add_rows(grid, &tap->schema, batch, start, 0, most, error);
        if (code == WEIR_OK) code = ring_push(ring, batch, start, most / 2, error);
        if (code != WEIR_OK) {
            wr_shared_batch_release(batch);
            return code;
        }
    }
}

static int put_limited(struct tap *tap, int64_t most, struct grid *grid, struct ring *ring,
                       struct weir_error *error) {
    int64_t head = most - most / 2, tail = most / 2;

    WR_TRY(read_limited(tap, most, grid, ring, error));
    if (tap->rows <= most) {
        grid_measure(grid, grid->n_rows, grid->n_rows, 0);
        WR_TRY(grid_put_header(grid, error));
        WR_TRY(grid_put_rows(grid, 0, grid->n_rows, error));
    } else {
        int64_t first = tap->rows - tail; /* of the tail; it may still be one of the grid's */
        for (size_t i = 0; i < ring->n_items; i++)
            WR_TRY(add_rows(grid, &tap->schema, ring->items[i].batch, ring->items[i].start,
                            first > most ? first : most, tap->rows, error));
        int64_t second = first < most ? first : most;
        grid_measure(grid, head, second, tap->rows - most);
        WR_TRY(grid_put_header(grid, error));
        WR_TRY(grid_put_rows(grid, 0, head, error));
        WR_TRY(grid_put_gap(grid, error));
        WR_TRY(grid_put_rows(grid, second, grid->n_rows, error));
    }
    return grid_put_end(grid, tap->rows, error);
}

static int put_all(struct tap *tap, struct ArrowArrayStream *text, struct grid *grid,
                   struct weir_error *error) {
    bool started = false;

    for (;;) {
        struct ArrowArray batch = {0};
        WR_TRY(wr_arrow_stream_next(text, "result", &batch, error));
        bool ended = batch.release == NULL;
        int code = ended ? WEIR_OK : grid_add(grid, &batch, 0, batch.length, error);
        wr_arrow_release_array(&batch);
        if (code != WEIR_OK) return code;
        if (!started &&
            (ended || grid->n_rows >= WINDOW_ROWS || grid->text.length >= WINDOW_BYTES)) {
            grid_measure(grid, grid->n_rows, grid->n_rows, 0);
            WR_TRY(grid_put_header(grid, error));
            started = true;
        }
        if (started) {
            WR_TRY(grid_put_rows(grid, 0, grid->n_rows, error));
            grid_clear(grid);
        }
        if (ended) return grid_put_end(grid, tap->rows, error);
    }
}

int output_table(struct tap *tap, const struct output_settings *settings, struct sink *sink,
                 struct weir_error *error) {
    struct grid grid;
    int code = grid_init(&grid, &tap->schema, settings, sink, error);

    if (code == WEIR_OK && settings->max_rows > 0) {
        struct ring ring = {0};
        code = put_limited(tap, settings->max_rows, &grid, &ring, error);
        ring_drop(&ring, ring.n_items);
        wr_free(ring.items);
    } else if (code == WEIR_OK) {
        struct ArrowArrayStream rows = {0}, text = {0};
        code = tap_stream(tap, &rows, error);
        if (code == WEIR_OK) code = weir_text(&rows, &text, error);
        if (code == WEIR_OK) code = put_all(tap, &text, &grid, error);
        wr_arrow_release_stream(&rows);
        wr_arrow_release_stream(&text);
    }
    grid_reset(&grid);
    return code;
}
