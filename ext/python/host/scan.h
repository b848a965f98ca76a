/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WP_SCAN_H
#define WP_SCAN_H

#include <stdatomic.h>

#include "host/host.h"
#include "host/turn.h"

struct scan {
    struct wp_table *table;
    PyObject *object;         /* _weir_python.glue.Scan */
    struct ArrowSchema asked; /* the columns of the result */
    int32_t n_partitions;
    struct ArrowSchema row; /* of the source's rows: all columns, or those that it was told */
    int64_t limit;          /* -1: none */
    _Atomic bool is_cancelled;
    struct wp_times planning;
    struct wp_times *times; /* of each partition */
    struct wp_turn *turns;  /* of each partition, its reading thread's own */
};

/* A partition's rows, read as they are asked for. It is released before the scan. */
int wp_reader_open(struct scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error);

#endif
