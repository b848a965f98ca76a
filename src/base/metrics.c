/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <stdatomic.h>

static atomic_int_fast64_t values[WR_METRIC_N];

static const struct {
    const char *name;
    const char *help;
} metrics[WR_METRIC_N] = {
    [WR_METRIC_ENCODINGS] = {"encodings", "tables that were encoded for their bytes"},
    [WR_METRIC_SPOOL_HITS] = {"spool_hits", "tables' bytes that were in the spool already"},
    [WR_METRIC_SPOOL_EVICTIONS] = {"spool_evictions", "files that left the spool for room"},
    [WR_METRIC_SPANS_SENT] = {"spans_sent", "spans of traces that the collector took"},
    [WR_METRIC_SPANS_DROPPED] = {"spans_dropped",
                                 "spans that it did not take, or that had no room"},
};

void wr_metric_add(enum wr_metric metric, int64_t n) {
    atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed);
}

int64_t wr_metric_value(enum wr_metric metric) {
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

const char *wr_metric_name(enum wr_metric metric) {
    return metrics[metric].name;
}

const char *wr_metric_help(enum wr_metric metric) {
    return metrics[metric].help;
}
