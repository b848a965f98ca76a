/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/sql share. */
#ifndef SQL_MATERIAL_H
#define SQL_MATERIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sql/statement.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* The position is the place of the first "^" in `text`, which is taken out. */
static inline void assert_refused(const char *text, int expected_code, const char *sqlstate,
                                  const char *message) {
    char sql[300];
    snprintf(sql, sizeof sql, "%s", text);
    char *mark = strchr(sql, '^');
    assert_non_null(mark);
    memmove(mark, mark + 1, strlen(mark));
    struct wr_statement s = {.text = NULL};
    struct weir_error error = {0};
    int code = wr_statement_parse(sql, NULL, &s, &error);
    assert_string_equal(error.message, message);
    assert_int_equal(code, expected_code);
    assert_string_equal(error.sqlstate, sqlstate);
    assert_int_equal(error.position, mark - sql + 1);
    assert_null(s.text);
    assert_null(s.parts[2]);
}

static inline void assert_syntax_error(const char *text, const char *message) {
    assert_refused(text, WEIR_INVALID_ARGUMENT, "42601", message);
}

#endif
