/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a scan as a file's bytes, and back. */
#ifndef WR_CACHED_RESULT_STREAM_H
#define WR_CACHED_RESULT_STREAM_H

#include "table/cached/caches.h"

#define WR_RESULT_MAGIC UINT64_C(0x31544c5345525257)

struct wr_result_head {
    uint64_t magic;
    int64_t started_at;
};

/* Reads all partitions of a scan. *ret_unfit: its rows came but cannot be written. */
int wr_result_write(struct weir_scan *scan, weir_write_fn write, void *sink, bool *ret_unfit,
                    struct weir_error *error);
/* Takes over `fd`, whose offset is not used. */
int wr_result_read(int fd, struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* The partitions of a scan one after another; the scan must outlive the stream. */
int wr_result_concatenate(struct weir_scan *scan, struct ArrowArrayStream *ret_rows,
                          struct weir_error *error);
/* Opens a result whatever its age, but not one begun before `oldest` (-1: any). */
bool wr_result_old(struct wr_cached_table *cache, const char *key, int64_t oldest, int *ret_fd);

#endif
