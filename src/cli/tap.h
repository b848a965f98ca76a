/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap sits on a result stream while it is read: it counts rows, remembers the library's full
 * error (the Arrow interface carries only a text), and can keep the rows, so that the shell can
 * offer them as the table `_`.
 */
#ifndef WR_CLI_TAP_H
#define WR_CLI_TAP_H

#include <stdbool.h>

#include "arrow/arrow.h"

enum { TAP_KEEP_ROWS = 1000000, TAP_KEEP_BYTES = 64 * 1024 * 1024 };

struct tap {
    struct ArrowArrayStream source;
    struct ArrowSchema schema;
    int64_t rows;
    bool ended;
    bool failed;
    struct weir_error error;
    bool keep;
    bool too_large; /* more rows than are kept: none are */
    int64_t bytes;
    struct wr_shared_batch **kept;
    size_t n_kept;
    size_t next; /* of tap_kept_stream */
};

/* Takes over `source` on success. */
int tap_init(struct tap *tap, struct ArrowArrayStream *source, bool keep, struct weir_error *error);
void tap_reset(struct tap *tap);
/* The next batch; release NULL at the end. */
int tap_next(struct tap *tap, struct ArrowArray *ret_array, struct weir_error *error);
/* The same as a stream; the tap must outlive it. */
int tap_stream(struct tap *tap, struct ArrowArrayStream *ret_stream, struct weir_error *error);
/* The rows kept of a stream that was read to its end and was not too large. The tap must outlive
 * it. */
int tap_kept_stream(struct tap *tap, struct ArrowArrayStream *ret_stream, struct weir_error *error);
/* A stream of that schema that fails at its first batch and says why. */
int tap_too_large_stream(const struct ArrowSchema *schema, struct ArrowArrayStream *ret_stream,
                         struct weir_error *error);

#endif
