/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units as people write them. None of these asks the locale. They are false, and touch
 * nothing, when the text is none. */
#ifndef WR_UNITS_H
#define WR_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* "512MiB", "2GB", "1.5G" (binary without the B), "4096". */
bool wr_parse_bytes(const char *text, int64_t *ret_bytes);
/* "500ms", "10s", "2min", "1h", "7d", "10" (seconds). */
bool wr_parse_duration(const char *text, int64_t *ret_milliseconds);
/* "-12", "+3": decimal, without blanks. */
bool wr_parse_int(const char *text, int64_t *ret_number);
/* "true", "false", in any case. */
bool wr_parse_bool(const char *text, bool *ret_value);

#endif
