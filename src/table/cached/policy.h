/* SPDX-License-Identifier: Apache-2.0 */
/* What a cached table promises, out of its options. */
#ifndef WR_CACHED_POLICY_H
#define WR_CACHED_POLICY_H

#include <stdint.h>

#include "weir_extension.h"

enum wr_cache_mode { WR_CACHE_FULL, WR_CACHE_WINDOW, WR_CACHE_QUERY };
enum wr_cache_refresh { WR_REFRESH_ON_DEMAND, WR_REFRESH_INTERVAL, WR_REFRESH_APPEND };

/* Times are in microseconds. */
struct wr_cache_policy {
    enum wr_cache_mode mode;
    enum wr_cache_refresh refresh;
    int64_t max_age;
    int64_t max_bytes; /* 0: no limit */
    int64_t window;
    int64_t interval;
    int64_t max_stale; /* -1: no limit */
    int64_t timeout;   /* of waiting for a fetch; 0: none */
    int serves_stale;
    const char *time_column; /* the options' own; NULL: none */
};

extern const struct weir_option_spec wr_cached_options[];
extern const size_t wr_cached_n_options;

/* `owner` is how messages call the table: `table "c" (kind cached)`. */
int wr_cache_policy_read(const char *owner, const struct weir_option *options, size_t n_options,
                         struct wr_cache_policy *ret_policy, struct weir_error *error);
const char *wr_cache_mode_name(enum wr_cache_mode mode);

/*
 * What follows FROM for a source as users write it: a path or URL in one pair of quotes, a name
 * with its three parts quoted, folded to lower case where they were not; those that are left out
 * are the given ones. Free with wr_free.
 */
int wr_cached_source_sql(const char *owner, const char *source, const char *catalog,
                         const char *schema, char **ret_sql, struct weir_error *error);

#endif
