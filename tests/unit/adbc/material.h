/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of the made-up driver, and files, for the tests of src/table/adbc. */
#ifndef ADBC_MATERIAL_H
#define ADBC_MATERIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "table/adbc/adbc.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

#define PASSWORD "hunter2-Pa55"
#define FAKE_URL "fake://someone:" PASSWORD "@nowhere/base"

/* The driver as at its start. Each test begins so. */
int fake_reset(void **state);
/* Waits until nothing is open any more: threads close things after their readers have gone. */
int fake_is_closed(void **state);

/* Opens FAKE_URL with the options {key, value, key, value, ..., NULL}. */
int fake_open(const char *const *options, struct wr_adbc_database **ret_database,
              struct weir_error *error);
struct wr_adbc_database *fake_must_open(const char *const *options);

/* Reads to the end; the sum of the column a, and the rows; a negative code on failure. */
int64_t fake_sum(struct ArrowArrayStream *rows, int64_t *ret_n_rows, struct weir_error *error);
int fake_query(struct wr_adbc_database *database, const char *sql, int64_t *ret_n_rows,
               struct weir_error *error);
/* A struct of one int64 column a. */
void fake_schema(struct ArrowSchema *ret_schema);

void sleep_ms(int milliseconds);
int64_t now_ms(void);
/* True as soon as *value is wanted, false after two seconds. */
bool becomes(const atomic_int *value, int wanted);

/* A directory for the test's files, removed with `fake_is_closed`; the file's path is static. */
const char *write_file(const char *name, const char *text);
const char *test_directory(void);
bool contains(const char *text, const char *part);

#endif
