/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds answers of few rows, cell by cell from left to right:
 *
 *     wr_answer_init(&answer, columns, 2, error);
 *     wr_answer_text(&answer, "x");
 *     wr_answer_int(&answer, 1);
 *     wr_answer_end_row(&answer);
 *     code = wr_answer_finish(&answer, ret_rows, error);   // frees it, after a failure too
 *
 * Appending needs no check: finishing tells what went wrong.
 */
#ifndef WR_DOOR_ROWS_H
#define WR_DOOR_ROWS_H

#include <stdbool.h>

#include "weir.h"

struct wr_answer_column {
    const char *name;
    const char *format; /* Arrow's: "u", "z", "i", "b"; "+l": a list of texts */
    bool required;      /* not nullable */
};

struct wr_build;

struct wr_answer {
    struct ArrowSchema schema;
    struct wr_build *rows;
    int64_t next; /* the column of the next cell */
    bool misused; /* a row did not fit the columns */
};

int wr_answer_init(struct wr_answer *answer, const struct wr_answer_column *columns,
                   size_t n_columns, struct weir_error *error);
void wr_answer_reset(struct wr_answer *answer);
void wr_answer_text(struct wr_answer *answer, const char *text); /* NULL: a NULL */
void wr_answer_bytes(struct wr_answer *answer, const void *data, size_t length);
void wr_answer_int(struct wr_answer *answer, int64_t value); /* of a bool too */
void wr_answer_null(struct wr_answer *answer);
void wr_answer_texts(struct wr_answer *answer, const char *const *texts, size_t n_texts);
void wr_answer_end_row(struct wr_answer *answer);
int wr_answer_finish(struct wr_answer *answer, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error);

/* A stream of one batch, or of none when it has no rows. Takes over both, also after a failure. */
int wr_answer_stream(struct ArrowSchema *schema, struct ArrowArray *rows,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error);

#endif
