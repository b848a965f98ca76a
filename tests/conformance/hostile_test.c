/* SPDX-License-Identifier: Apache-2.0 */
/* SQL that wants to overflow a stack or plan for ever: an answer or an error, never a crash, and
 * soon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define SOON_MS 20000

/* begin, then n times `part` (with the number where it has %d) with `between`, then end. */
static char *repeat(const char *begin, const char *part, const char *between, int n,
                    const char *end) {
    char *text = NULL;
    size_t length = 0;
    const char *number = strstr(part, "%d");
    FILE *out = open_memstream(&text, &length);
    fputs(begin, out);
    for (int i = 0; i < n; i++) {
        if (i > 0) fputs(between, out);
        if (number == NULL)
            fputs(part, out);
        else
            fprintf(out, "%.*s%d%s", (int)(number - part), part, i, number + 2);
    }
    fputs(end, out);
    fclose(out);
    return text;
}

/* Takes over `sql`. `expected` NULL: an error with SQLSTATE 54001 or an answer will do. */
static void survive(char *sql, const char *expected) {
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    int64_t n = 0;
    int64_t start = now_ms();
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code == 0) code = drain(&rows, &n, &error);
    if (code != 0 && expected != NULL) fail_msg("%.100s...\n%.300s", sql, error.message);
    if (code != 0 && strcmp(error.sqlstate, "54001") != 0)
        fail_msg("%.100s...\n%s %.300s", sql, error.sqlstate, error.message);
    if (now_ms() - start > SOON_MS)
        fail_msg("%.100s...\ntook %lld ms", sql, (long long)(now_ms() - start));
    if (expected != NULL) expect_rows(expected, "%s", sql);
    free(sql);
    expect_number(1, "SELECT 1");
}

static int open_with_table(void **state) {
    if (suite_open(state) != 0) return -1;
    run("CREATE TABLE t USING probe OPTIONS (rows 100)");
    return 0;
}

static void or_of_ten_thousand_terms(void **state) {
    (void)state;
    survive(repeat("SELECT count(*) FROM t WHERE ", "id = %d", " OR ", 10000, ""), "100\n");
    survive(repeat("SELECT count(*) FROM t WHERE ", "(id = %d AND grp = 1)", " OR ", 10000, ""),
            NULL);
    survive(repeat("SELECT count(*) FROM t WHERE ", "id <> %d", " AND ", 10000, ""), "0\n");
}

static void in_list_of_a_hundred_thousand(void **state) {
    (void)state;
    survive(repeat("SELECT count(*) FROM t WHERE id IN (", "%d", ", ", 100000, ")"), "100\n");
}

static void sum_of_thousands_of_terms(void **state) {
    (void)state;
    survive(repeat("SELECT ", "1", " + ", 300, ""), "300\n");
    survive(repeat("SELECT ", "1", " + ", 5000, ""), NULL);
    survive(repeat("SELECT ", "id", " || ", 5000, " FROM t"), NULL);
    survive(repeat("SELECT ", "1", " + ", 100000, ""), NULL);
}

static void deep_nesting(void **state) {
    (void)state;
    static const int depths[] = {30, 300, 3000, 100000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        char *end = repeat("1", ")", "", depths[i], "");
        survive(repeat("SELECT ", "(", "", depths[i], end), depths[i] == 30 ? "1\n" : NULL);
        survive(repeat("SELECT ", "abs(", "", depths[i], end), depths[i] == 30 ? "1\n" : NULL);
        survive(repeat("SELECT ", "- ", "", depths[i], "1"), depths[i] == 30 ? "1\n" : NULL);
        survive(repeat("SELECT ", "NOT ", "", depths[i], "true"),
                depths[i] == 30 ? "true\n" : NULL);
        char *tables = repeat("t", ")", "", depths[i], "");
        survive(repeat("SELECT * FROM ", "(SELECT * FROM ", "", depths[i], tables), NULL);
        char *exists = repeat("true", ")", "", depths[i], "");
        survive(repeat("SELECT 1 WHERE ", "EXISTS (SELECT 1 WHERE ", "", depths[i], exists), NULL);
        free(tables);
        free(exists);
        char *cases = repeat("1", " END", "", depths[i], "");
        survive(repeat("SELECT ", "CASE WHEN true THEN ", "", depths[i], cases),
                depths[i] == 30 ? "1\n" : NULL);
        char *brackets = repeat("1", "]", "", depths[i], "");
        survive(repeat("SELECT ", "[", "", depths[i], brackets), NULL);
        free(end);
        free(cases);
        free(brackets);
    }
}

static void long_chains_of_relations(void **state) {
    (void)state;
    survive(repeat("", "SELECT %d AS a", " UNION ALL ", 200, ""), NULL);
    survive(repeat("", "SELECT %d AS a", " UNION ALL ", 20000, ""), NULL);
    survive(repeat("", "SELECT %d AS a", " UNION ", 5000, ""), NULL);
    survive(repeat("WITH ", "c%d AS (SELECT 1 AS a)", ", ", 2000, " SELECT * FROM c7"), NULL);
}

static void wide_results_and_long_texts(void **state) {
    (void)state;
    survive(repeat("SELECT ", "%d", ", ", 5000, ""), NULL);
    survive(repeat("SELECT length('", "x", "", 1000000, "')"), "1000000\n");
    survive(repeat("SELECT 1 /*", "x", "", 1000000, "*/"), "1\n");
}

static void broken_texts_are_syntax_errors(void **state) {
    (void)state;
    static const char *const broken[] = {"SELECT '",  "SELECT \"", "SELECT (", "SELECT 1 /*",
                                         "SELECT $$", ")",         "'",        ";;x"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct ArrowArrayStream rows;
        struct weir_error error = {0};
        int code = weir_query(session, broken[i], &rows, NULL, &error);
        if (code == 0) fail_msg("%s\nis accepted", broken[i]);
        if (strcmp(error.sqlstate, "42601") != 0)
            fail_msg("%s\n%s %s", broken[i], error.sqlstate, error.message);
    }
    expect_error(NULL, NULL, "\xff\xfe");
    expect_error(NULL, NULL, "%s", "");
    expect_error(NULL, NULL, "SELECT 1; SELECT 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(or_of_ten_thousand_terms),
        cmocka_unit_test(in_list_of_a_hundred_thousand),
        cmocka_unit_test(sum_of_thousands_of_terms),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(long_chains_of_relations),
        cmocka_unit_test(wide_results_and_long_texts),
        cmocka_unit_test(broken_texts_are_syntax_errors),
    };
    return cmocka_run_group_tests_name("hostile", tests, open_with_table, suite_close);
}
