/* SPDX-License-Identifier: Apache-2.0 */
/* A workspace in memory for the tests of src/door, and answers as texts. */
#ifndef DOOR_SUPPORT_H
#define DOOR_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/door.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

extern struct weir_workspace *workspace;
extern struct weir_session *session;

int open_workspace(void **state);
int close_workspace(void **state);

void run(const char *sql);
/* Reads a stream to its end: "a|b\n" for each row, NULL as "NULL". Static, until the next call. */
const char *text_of(struct ArrowArrayStream *rows);
const char *answer_to(const char *sql);
/* The names of a stream's columns with Arrow's formats, "!" behind one that is not nullable. */
const char *columns_of(struct ArrowArrayStream *rows);
/* The rows of a query, to be given away. */
void rows_of(const char *sql, struct ArrowArrayStream *ret_rows);

#endif
