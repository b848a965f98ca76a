/* SPDX-License-Identifier: Apache-2.0 */
/* REFRESH, and which table an engine's statement changes. */
#include "sql_material.h"

static struct wr_statement parse(const char *sql) {
    struct wr_statement statement;
    struct weir_error error = {0};
    int code = wr_statement_parse(sql, NULL, &statement, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    return statement;
}

static const char *or_dash(const char *text) {
    return text ? text : "-";
}

static void refresh_names_a_table_or_a_mount(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        int type;
        const char *name;
    } cases[] = {
        {"REFRESH TABLE t", WR_STATEMENT_REFRESH, "- - t"},
        {"refresh T;", WR_STATEMENT_REFRESH, "- - t"},
        {"REFRESH TABLE pg.\"Public\".Orders", WR_STATEMENT_REFRESH, "pg Public orders"},
        {"REFRESH /* now */ lake.x -- all", WR_STATEMENT_REFRESH, "- lake x"},
        {"REFRESH \"/lake/x.csv\"", WR_STATEMENT_REFRESH, "- - /lake/x.csv"},
        {"REFRESH MOUNT pg", WR_STATEMENT_REFRESH_MOUNT, "- - pg"},
        {"REFRESH mount", WR_STATEMENT_REFRESH, "- - mount"},
        {"REFRESH table", WR_STATEMENT_REFRESH, "- - table"},
        {"REFRESH mount.x", WR_STATEMENT_REFRESH, "- mount x"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char name[100];
        struct wr_statement s = parse(cases[i].sql);
        assert_int_equal(s.type, cases[i].type);
        snprintf(name, sizeof name, "%s %s %s", or_dash(s.parts[0]), or_dash(s.parts[1]),
                 or_dash(s.parts[2]));
        assert_string_equal(name, cases[i].name);
        assert_null(s.text);
        wr_statement_reset(&s);
    }
}

static void a_refresh_of_anything_else_is_a_syntax_error(void **state) {
    (void)state;
    assert_syntax_error("REFRESH^", "syntax error at the end of the statement: expected a table's "
                                    "name after \"REFRESH\"");
    struct wr_statement s = {.text = NULL};
    static const char *const wrong[] = {"REFRESH 'x'",       "REFRESH a.b.c.d", "REFRESH a.",
                                        "REFRESH MOUNT a.b", "REFRESH a b",     "REFRESH \"a"};
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct weir_error error = {0};
        assert_int_equal(wr_statement_parse(wrong[i], NULL, &s, &error), WEIR_INVALID_ARGUMENT);
        assert_string_equal(error.sqlstate, "42601");
    }
}

static void a_change_says_its_table_and_where_its_name_stands(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        int change;
        const char *name; /* as it stands there */
        const char *last;
    } cases[] = {
        {"INSERT INTO t VALUES (1)", WR_CHANGE_INSERT, "t", "t"},
        {"insert into A . \"b c\" /**/ (x) SELECT 1", WR_CHANGE_INSERT, "A . \"b c\"", "b c"},
        {"INSERT OVERWRITE INTO t(a) VALUES (1)", WR_CHANGE_INSERT, "t", "t"},
        {"INSERT INTO TABLE a.b.c VALUES (1)", WR_CHANGE_INSERT, "a.b.c", "c"},
        {"EXPLAIN INSERT INTO t VALUES (1)", WR_CHANGE_INSERT, "t", "t"},
        {"EXPLAIN VERBOSE INSERT INTO t VALUES (1)", WR_CHANGE_INSERT, "t", "t"},
        {"EXPLAIN ANALYZE INSERT INTO t VALUES (1)", WR_CHANGE_OTHER, "t", "t"},
        {"UPDATE x.t SET a = 1", WR_CHANGE_OTHER, "x.t", "t"},
        {"DELETE FROM t", WR_CHANGE_OTHER, "t", "t"},
        {"TRUNCATE TABLE t", WR_CHANGE_OTHER, "t", "t"},
        {"MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", WR_CHANGE_OTHER, "t", "t"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char name[40] = "";
        struct wr_statement s = parse(cases[i].sql);
        assert_int_equal(s.type, WR_STATEMENT_ENGINE);
        assert_string_equal(s.text, cases[i].sql);
        assert_int_equal(s.change, cases[i].change);
        assert_true(s.target_length < sizeof name);
        memcpy(name, cases[i].sql + s.target_start, s.target_length);
        assert_string_equal(name, cases[i].name);
        assert_string_equal(s.target[2], cases[i].last);
        wr_statement_reset(&s);
    }
}

static void other_statements_change_nothing(void **state) {
    (void)state;
    static const char *const statements[] = {"SELECT 1", "EXPLAIN SELECT 1", "INSERT INTO 'x'",
                                             "WITH a AS (SELECT 1) SELECT * FROM a", "DELETE t"};
    for (size_t i = 0; i < N_OF(statements); i++) {
        struct wr_statement s = parse(statements[i]);
        assert_int_equal(s.change, WR_CHANGE_NONE);
        assert_null(s.target[2]);
        wr_statement_reset(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refresh_names_a_table_or_a_mount),
        cmocka_unit_test(a_refresh_of_anything_else_is_a_syntax_error),
        cmocka_unit_test(a_change_says_its_table_and_where_its_name_stands),
        cmocka_unit_test(other_statements_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
