/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people: widths on a terminal, cells without control characters, sizes and times in and
 * out. */
#ifndef WR_CLI_TEXT_H
#define WR_CLI_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "weir.h"

/* Columns that UTF-8 text takes on a terminal. */
int text_width(const char *text, size_t length);
/* Bytes of the longest prefix that fits in `columns`; `ret_width` is what that prefix takes. */
size_t text_fit(const char *text, size_t length, int columns, int *ret_width);
/*
 * Appends with control characters written as escapes (\n, \t, \x1b) and bytes that are not UTF-8 as
 * U+FFFD, so that no value can break a table or speak to the terminal.
 */
void text_clean(struct wr_buffer *buffer, const char *text, size_t length);

/* 1234567 as "1,234,567". `room` holds 64 bytes, here and below; returns it. */
const char *text_count(int64_t number, char *room);
/* Bytes as "5.2 MiB". */
const char *text_bytes(int64_t bytes, char *room);
/* "1 row", "1,234 rows". */
const char *text_plural(int64_t number, const char *noun, char *room);

bool text_parse_int(const char *text, int64_t least, int64_t most, int64_t *ret_number);

/* Milliseconds of the monotonic clock. */
int64_t text_now(void);

/* The SQL name of an Arrow type: "int64", "varchar", "decimal(10,2)", "int64[]". */
void text_type_name(struct wr_buffer *buffer, const struct ArrowSchema *schema);
/* Types whose values read best aligned at the right. */
bool text_type_is_number(const struct ArrowSchema *schema);

#endif
