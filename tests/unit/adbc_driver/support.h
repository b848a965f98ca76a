/* SPDX-License-Identifier: Apache-2.0 */
/* libweir's ADBC driver through its table of functions. */
#ifndef ADBC_DRIVER_SUPPORT_H
#define ADBC_DRIVER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arrow/adbc_abi.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

extern struct AdbcDriver driver;
extern struct AdbcDatabase database; /* opened by open_database */
extern struct AdbcConnection connection;
extern struct AdbcError failure; /* of the last call that was given it */

int open_driver(void **state);
int open_database(void **state);
int close_database(void **state);

/* Fails with the error's message unless the code is `expected`. */
void check(AdbcStatusCode code, AdbcStatusCode expected);
#define OK(call) check((call), WEIR_OK)
void forget_failure(void);
bool failure_says(const char *word);

void new_statement(struct AdbcStatement *ret_statement, const char *sql);
void release_statement(struct AdbcStatement *statement);
void run(const char *sql);
/* "a|b\n" for each row; static until the next call. Releases the stream. */
const char *text_of(struct ArrowArrayStream *rows);
const char *answer_to(const char *sql);
/* One column of int64, named `name`. */
void make_rows(const char *name, const int64_t *values, int64_t n, struct ArrowArray *ret_array,
               struct ArrowSchema *ret_schema);
void make_stream(const char *name, const int64_t *values, int64_t n, int64_t n_batches,
                 struct ArrowArrayStream *ret_stream);

#endif
