/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for each test, which is the current one, and the kind's slots without a
 * registry. */
#ifndef FILES_TEST_H
#define FILES_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "table/files/files.h"

int in_new_directory(void **state);
int remove_directory(void **state);

/* Makes a file, and the directories above it. */
void put_bytes(const char *path, const void *data, size_t length);
void put(const char *path, const char *text);
/* The smallest that passes for complete at first sight. */
void put_parquet(const char *path);
void put_compressed(const char *path, enum wr_file_compression compression, const char *text);

/* A struct of columns: name, Arrow format string, ..., NULL. */
struct ArrowSchema columns_of(const char *name, ...) __attribute__((sentinel));

/* Options as key, value, ..., NULL; `columns` may be NULL and stays the caller's. */
int open_table(const struct ArrowSchema *columns, void **ret_table, struct weir_error *error, ...)
    __attribute__((sentinel));
struct weir_form form_with(const struct ArrowSchema *columns, ...) __attribute__((sentinel));
struct weir_error error_with(const struct ArrowSchema *columns, ...) __attribute__((sentinel));
#define form_of(...) form_with(NULL, __VA_ARGS__, NULL)
#define error_of(...) error_with(NULL, __VA_ARGS__, NULL)

/* The value of a format option, "" when it is not there. */
const char *option(const struct weir_form *form, const char *key);
/* The part of a URL after the test's directory. */
const char *below(const char *url);
/* "a.csv b/c.csv": the files of a form. */
const char *names(const struct weir_form *form);

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part))) fail_msg("\"%s\" does not contain \"%s\"", (text), (part));   \
    } while (0)

#endif
