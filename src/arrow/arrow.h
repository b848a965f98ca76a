/* SPDX-License-Identifier: Apache-2.0 */
/* Glue on nanoarrow for the Arrow C data and stream interfaces. */
#ifndef WR_ARROW_H
#define WR_ARROW_H

#include <stdbool.h>

#include "weir.h"

/* Moves: the source's release becomes NULL. */
void wr_arrow_move_schema(struct ArrowSchema *from, struct ArrowSchema *to);
void wr_arrow_move_array(struct ArrowArray *from, struct ArrowArray *to);
void wr_arrow_move_stream(struct ArrowArrayStream *from, struct ArrowArrayStream *to);

/* Release if there is something to release; NULL is welcome. */
void wr_arrow_release_schema(struct ArrowSchema *schema);
void wr_arrow_release_array(struct ArrowArray *array);
void wr_arrow_release_stream(struct ArrowArrayStream *stream);

int wr_arrow_copy_schema(const struct ArrowSchema *schema, struct ArrowSchema *ret_schema,
                         struct weir_error *error);
/* Formats and the number of children alone decide how batches are read. */
bool wr_arrow_same_types(const struct ArrowSchema *one, const struct ArrowSchema *other);

/* A batch that shares its buffers: it takes over a struct array and hands out any number of arrays
 * on the same memory. */
struct wr_shared_batch;
int wr_shared_batch_new(struct ArrowArray *array, struct wr_shared_batch **ret_batch,
                        struct weir_error *error);
struct wr_shared_batch *wr_shared_batch_retain(struct wr_shared_batch *batch);
void wr_shared_batch_release(struct wr_shared_batch *batch);
int64_t wr_shared_batch_length(const struct wr_shared_batch *batch);
/* An array of the chosen top-level columns (all: columns NULL), without copying. Released on any
 * thread. */
int wr_shared_batch_array(struct wr_shared_batch *batch, const int32_t *columns, size_t n_columns,
                          struct ArrowArray *ret_array, struct weir_error *error);

/* A struct schema of the chosen children (columns NULL: all). */
int wr_arrow_project_schema(const struct ArrowSchema *schema, const int32_t *columns,
                            size_t n_columns, struct ArrowSchema *ret_schema,
                            struct weir_error *error);

/* A stream without columns and without batches. */
int wr_arrow_empty_stream(struct ArrowArrayStream *ret_stream, struct weir_error *error);

/*
 * A stream over a callback: `next` fills ret_array (release NULL at the end) or returns a code with
 * `error` filled; `close` frees `context` once. Takes over `schema` on success, and `context` too.
 * After a failure the stream answers the same failure again, after the end the end.
 */
typedef int (*wr_stream_next_fn)(void *context, struct ArrowArray *ret_array,
                                 struct weir_error *error);
int wr_arrow_callback_stream(struct ArrowSchema *schema, wr_stream_next_fn next,
                             void (*close)(void *context), void *context,
                             struct ArrowArrayStream *ret_stream, struct weir_error *error);

/* The error that a callback stream's last get_next answered with; NULL for another sort of stream,
 * or when there is none. */
const struct weir_error *wr_arrow_callback_error(struct ArrowArrayStream *stream);

/* Reading with errors as struct weir_error; `what` names the stream in messages. */
int wr_arrow_stream_schema(struct ArrowArrayStream *stream, const char *what,
                           struct ArrowSchema *ret_schema, struct weir_error *error);
int wr_arrow_stream_next(struct ArrowArrayStream *stream, const char *what,
                         struct ArrowArray *ret_array, struct weir_error *error);

/*
 * The schema as bytes (for the catalog), and back, the same on every machine. Free the bytes with
 * wr_free. The layout is that of the C data interface's members and not an IPC message, because
 * nanoarrow 0.9's IPC does not know the view types, which are the engine's usual texts, nor run-end
 * encoding, nor dictionaries of nested values. Here every type comes back as it was.
 */
int wr_arrow_schema_encode(const struct ArrowSchema *schema, void **ret_data, size_t *ret_length,
                           struct weir_error *error);
int wr_arrow_schema_decode(const void *data, size_t length, struct ArrowSchema *ret_schema,
                           struct weir_error *error);

#endif
