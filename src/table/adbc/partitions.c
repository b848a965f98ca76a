/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that divide a table's rows, so that several connections read it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "table/adbc/backend.h"

enum { MOST_CONDITION = 64 << 10 };

void wr_adbc_partitions_reset(struct wr_adbc_partitions *partitions) {
    for (size_t i = 0; i < partitions->n_items; i++)
        wr_free(partitions->items[i]);
    wr_free(partitions->items);
    *partitions = (struct wr_adbc_partitions){0};
}

/* Writes the n-th bound of the ranges, from 1 on. */
typedef void (*bound_fn)(struct wr_buffer *text, const void *bounds, int64_t n);

/* `column` in [bound n, bound n+1), the first and the last of them open. */
static char *condition(const char *column, bool may_be_null, bound_fn bound, const void *bounds,
                       int64_t n, int64_t n_partitions) {
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_CONDITION);
    wr_buffer_char(&text, '(');
    if (n > 0) {
        wr_buffer_format(&text, "%s >= ", column);
        bound(&text, bounds, n);
    }
    if (n > 0 && n + 1 < n_partitions) wr_buffer_text(&text, " AND ");
    if (n + 1 < n_partitions) {
        wr_buffer_format(&text, "%s < ", column);
        bound(&text, bounds, n + 1);
    }
    if (n == 0 && may_be_null) wr_buffer_format(&text, " OR %s IS NULL", column);
    wr_buffer_char(&text, ')');
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}

static int divide(const char *column, bool may_be_null, bound_fn bound, const void *bounds,
                  int64_t n_partitions, struct wr_adbc_partitions *ret_partitions,
                  struct weir_error *error) {
    struct wr_adbc_partitions made = {.items = wr_calloc((size_t)n_partitions, sizeof *made.items)};
    if (!made.items) return wr_error_memory(error);
    for (int64_t i = 0; i < n_partitions; i++) {
        char *item = condition(column, may_be_null, bound, bounds, i, n_partitions);
        if (!item) {
            wr_adbc_partitions_reset(&made);
            return wr_error_memory(error);
        }
        made.items[made.n_items++] = item;
    }
    *ret_partitions = made;
    return WEIR_OK;
}

/* ---- Blocks ---- */

struct blocks {
    int64_t n_blocks, n_partitions;
};

static void block_bound(struct wr_buffer *text, const void *bounds, int64_t n) {
    const struct blocks *blocks = bounds;
    wr_buffer_format(text, "'(%" PRId64 ",0)'::tid", blocks->n_blocks * n / blocks->n_partitions);
}

int wr_adbc_partition_blocks(int64_t n_blocks, int64_t n_partitions,
                             struct wr_adbc_partitions *ret_partitions, struct weir_error *error) {
    struct blocks blocks = {n_blocks, n_partitions};
    return divide("ctid", false, block_bound, &blocks, n_partitions, ret_partitions, error);
}

/* ---- A column ---- */

enum bound_type { BOUND_INTEGER, BOUND_DATE, BOUND_TIMESTAMP };

struct range {
    enum bound_type type;
    int64_t lower, upper; /* the number, the day, or the second since 1970 */
    int64_t n_partitions;
};

/* Days since 1970 of a date of the Gregorian calendar, by eras of 400 years. */
static int64_t day_of(int64_t year, int64_t month, int64_t day) {
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void write_day(struct wr_buffer *text, int64_t day) {
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t of_era = day - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    int64_t month = shifted + (shifted < 10 ? 3 : -9);
    wr_buffer_format(text, "%04" PRId64 "-%02" PRId64 "-%02" PRId64,
                     year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1);
}

static bool parse_bound(const char *text, enum bound_type *ret_type, int64_t *ret_value) {
    int year, month, day, hour, minute, second, end = 0;
    if (wr_parse_int(text, ret_value)) {
        *ret_type = BOUND_INTEGER;
        return true;
    }
    int n = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end);
    if (n != 3 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    *ret_value = day_of(year, month, day);
    *ret_type = BOUND_DATE;
    if (!text[end]) return true;
    const char *rest = text + end;
    n = sscanf(rest, "%*1[ T]%2d:%2d:%2d%n", &hour, &minute, &second, &end);
    if (n != 3 || rest[end] || hour > 23 || minute > 59 || second > 59) return false;
    *ret_value = *ret_value * 86400 + hour * 3600 + minute * 60 + second;
    *ret_type = BOUND_TIMESTAMP;
    return true;
}

static void range_bound(struct wr_buffer *text, const void *bounds, int64_t n) {
    const struct range *range = bounds;
    /* Neither the difference nor its multiple need fit into 64 bits. */
    __int128 width = (__int128)range->upper - range->lower;
    int64_t value = (int64_t)(range->lower + width * n / range->n_partitions);
    if (range->type == BOUND_INTEGER) {
        wr_buffer_format(text, "%" PRId64, value);
        return;
    }
    wr_buffer_char(text, '\'');
    if (range->type == BOUND_DATE) {
        write_day(text, value);
    } else {
        int64_t day = value / 86400 - (value % 86400 < 0);
        int64_t second = value - day * 86400;
        write_day(text, day);
        wr_buffer_format(text, " %02" PRId64 ":%02" PRId64 ":%02" PRId64, second / 3600,
                         second / 60 % 60, second % 60);
    }
    wr_buffer_char(text, '\'');
}

static int bad_bound(const char *option, const char *text, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                        "option \"%s\" is \"%s\"; give a whole number, a date (2024-01-31) or a "
                        "timestamp (2024-01-31 00:00:00)",
                        option, text);
}

int wr_adbc_partition_column(const char *column, const char *lower, const char *upper,
                             int64_t n_partitions, struct wr_adbc_partitions *ret_partitions,
                             struct weir_error *error) {
    struct range range = {.n_partitions = n_partitions};
    enum bound_type upper_type;
    if (!parse_bound(lower, &range.type, &range.lower)) {
        return bad_bound("lower_bound", lower, error);
    }
    if (!parse_bound(upper, &upper_type, &range.upper)) {
        return bad_bound("upper_bound", upper, error);
    }
    if (upper_type != range.type || range.upper <= range.lower) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "options \"lower_bound\" and \"upper_bound\": \"%s\" is not a lesser "
                            "one of the same sort as \"%s\"",
                            lower, upper);
    }
    return divide(column, true, range_bound, &range, n_partitions, ret_partitions, error);
}
