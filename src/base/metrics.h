/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the C half, one set for the process, shown in system.metrics beside the engine's. */
#ifndef WR_METRICS_H
#define WR_METRICS_H

#include <stdint.h>

enum wr_metric {
    WR_METRIC_ENCODINGS = 0,   /* tables that were encoded for their bytes */
    WR_METRIC_SPOOL_HITS,      /* tables' bytes that were in the spool already */
    WR_METRIC_SPOOL_EVICTIONS, /* files that left the spool for room */
    WR_METRIC_SPANS_SENT,      /* spans of traces that a collector took */
    WR_METRIC_SPANS_DROPPED,   /* those that none did */
    WR_METRIC_N
};

void wr_metric_add(enum wr_metric metric, int64_t n);
int64_t wr_metric_value(enum wr_metric metric);
const char *wr_metric_name(enum wr_metric metric); /* "spool_hits" */
const char *wr_metric_help(enum wr_metric metric); /* one line */

#endif
