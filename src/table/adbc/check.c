/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that a driver hands over falsely. An infinite date of PostgreSQL arrives as a finite one
 * five million years ago, because the driver adds the days from 1970 to 2000 without looking;
 * Arrow has no infinity, so that any value would be wrong.
 */
#include <string.h>

#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/backend.h"

static bool is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *valid = array->n_buffers > 0 ? array->buffers[0] : NULL;
    return valid && !ArrowBitGet(valid, array->offset + i);
}

static int out_of_range(const char *column, const char *what, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_DATA, "22008",
                        "column \"%s\" holds %s, which has no value in Arrow; filter it out, or "
                        "make the column a text with a table of the option query",
                        column, what);
}

static int check_days(const struct wr_adbc_ranges *ranges, const char *column,
                      const struct ArrowArray *array, struct weir_error *error) {
    const int32_t *values = (const int32_t *)array->buffers[1] + array->offset;
    for (int64_t i = 0; i < array->length; i++) {
        if (values[i] >= ranges->first_day && values[i] <= ranges->last_day) continue;
        if (!is_null(array, i)) return out_of_range(column, "an infinite date", error);
    }
    return WEIR_OK;
}

static int check_long(const char *column, const char *what, int64_t first, int64_t last,
                      const struct ArrowArray *array, struct weir_error *error) {
    const int64_t *values = (const int64_t *)array->buffers[1] + array->offset;
    for (int64_t i = 0; i < array->length; i++) {
        if (values[i] >= first && values[i] <= last) continue;
        if (!is_null(array, i)) return out_of_range(column, what, error);
    }
    return WEIR_OK;
}

static int check_column(const struct wr_adbc_ranges *ranges, const char *column,
                        const struct ArrowSchema *schema, const struct ArrowArray *array,
                        struct weir_error *error) {
    const char *format = schema->format;
    if (strcmp(format, "tdD") == 0) return check_days(ranges, column, array, error);
    if (strcmp(format, "ttu") == 0) {
        return check_long(column, "the time 24:00:00", 0, INT64_C(86400000000) - 1, array, error);
    }
    if (strncmp(format, "tsu", 3) == 0) {
        return check_long(column, "a timestamp that is infinite or too great",
                          ranges->first_microsecond, ranges->last_microsecond, array, error);
    }
    if (strncmp(format, "ts", 2) == 0) {
        return check_long(column, "a timestamp that is infinite or too great", -INT64_MAX + 1,
                          INT64_MAX - 1, array, error);
    }
    for (int64_t i = 0; i < schema->n_children && i < array->n_children; i++)
        WR_TRY(check_column(ranges, column, schema->children[i], array->children[i], error));
    return WEIR_OK;
}

int wr_adbc_check_ranges(const struct wr_adbc_ranges *ranges, const struct ArrowSchema *given,
                         const struct ArrowArray *batch, struct weir_error *error) {
    for (int64_t i = 0; i < given->n_children; i++) {
        WR_TRY(check_column(ranges, given->children[i]->name, given->children[i],
                            batch->children[i], error));
    }
    return WEIR_OK;
}
