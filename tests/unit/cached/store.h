/* SPDX-License-Identifier: Apache-2.0 */
/* A workspace in a directory, and a kind of table `store` whose rows, failures and reads are in
 * memory that processes share. */
#ifndef STORE_H
#define STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir_extension.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { MOST_ROWS = 4096 };
#define NO_TIME INT64_MIN

/* Columns: id BIGINT, ts TIMESTAMP in microseconds, which may be NULL. */
struct store {
    atomic_int n_rows;
    int64_t ids[MOST_ROWS];
    int64_t times[MOST_ROWS]; /* NO_TIME: NULL */
    atomic_int reads;         /* begun */
    atomic_int running;
    atomic_int wait_ms; /* before the rows of a read */
    atomic_bool fails;
    atomic_int fails_after; /* so many rows; 0: it does not */
};

extern struct store *store;
extern struct weir_workspace *workspace;
extern struct weir_session *session;
extern struct weir_error error;
extern char directory[64];

int in_store(void **state);
int leave_store(void **state);
void open_workspace(const struct weir_option *settings, size_t n_settings);
void close_workspace(void);

void add_row(int64_t id, int64_t time);
int64_t now_us(void);
void run(const char *sql);
/* A failing statement's code; the error is in `error`. */
int refused(const char *sql);
/* The first column of the first row, a BIGINT. */
int64_t number(const char *sql);
int64_t number_in(struct weir_session *in, const char *sql);
/* The first column of all rows, texts, each with a blank behind it. */
const char *texts(const char *sql);
const char *column_texts(const char *sql, int64_t column);
/* How many files lie below .weir/cache/KEY directories. */
int n_files(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, in_store, leave_store)

#endif
