/* SPDX-License-Identifier: Apache-2.0 */
/* ATTACH, DETACH, USE, SHOW MOUNTS, and the statements on namespaces. */
#include "sql_material.h"

static struct wr_statement parse(const char *sql) {
    struct wr_statement statement;
    struct weir_error error = {0};
    int code = wr_statement_parse(sql, NULL, &statement, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    return statement;
}

static void attach_takes_a_url_a_name_a_kind_and_options(void **state) {
    (void)state;
    struct wr_statement s = parse(
        "attach database if not exists '/srv/it''s' AS \"My Lake\" (Type FILES, read_only true);");
    assert_int_equal(s.type, WR_STATEMENT_ATTACH);
    assert_null(s.text);
    assert_string_equal(s.url, "/srv/it's");
    assert_string_equal(s.parts[2], "My Lake");
    assert_string_equal(s.kind, "files");
    assert_true(s.if_not_exists);
    assert_int_equal(s.options.n_items, 1);
    assert_string_equal(s.options.items[0].key, "read_only");
    assert_string_equal(s.options.items[0].value, "true");
    wr_statement_reset(&s);
    s = parse("ATTACH 'lake' AS Pond");
    assert_string_equal(s.parts[2], "pond");
    assert_null(s.kind);
    assert_false(s.if_not_exists);
    assert_int_equal(s.options.n_items, 0);
    wr_statement_reset(&s);
    s = parse("ATTACH 'lake' (a 1, TYPE 'x', b 'two')");
    assert_string_equal(s.kind, "x");
    assert_int_equal(s.options.n_items, 2);
    assert_string_equal(s.options.items[1].value, "two");
    wr_statement_reset(&s);
}

static void a_mount_without_a_name_is_called_as_the_last_part_of_its_path(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"ATTACH '/srv/lake'", "lake"},
        {"ATTACH '/srv/lake//'", "lake"},
        {"ATTACH 'lake_2'", "lake_2"},
        {"ATTACH 's3://bucket/projects' (TYPE x)", "projects"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_statement s = parse(cases[i][0]);
        assert_string_equal(s.parts[2], cases[i][1]);
        wr_statement_reset(&s);
    }
    static const char *const refused[] = {"/",    "",  "/srv/My Lake", "/srv/Lake", "2024",
                                          "a.db", ".."};
    for (size_t i = 0; i < N_OF(refused); i++) {
        char sql[64], message[160];
        snprintf(sql, sizeof sql, "ATTACH ^'%s'", refused[i]);
        snprintf(message, sizeof message,
                 "ATTACH '%s': its last part is no simple name; give one with AS", refused[i]);
        assert_syntax_error(sql, message);
    }
}

static void attach_and_detach_point_at_what_is_wrong(void **state) {
    (void)state;
    assert_syntax_error("ATTACH ^lake",
                        "syntax error at or near \"lake\": expected a path or URL in quotes after "
                        "\"ATTACH\"");
    assert_syntax_error("ATTACH 'lake' AS ^'x'",
                        "syntax error at or near \"'x'\": expected a name after \"AS\"");
    assert_syntax_error("ATTACH 'lake' ^x",
                        "syntax error at or near \"x\": expected the end of the "
                        "statement after \"'lake'\"");
    assert_syntax_error("ATTACH 'lake' ^(url 'x')",
                        "ATTACH: \"url\" is what stands behind ATTACH; leave the option out");
    assert_syntax_error("ATTACH 'lake' (a 1, ^a 2)",
                        "option \"a\" is given twice; keep one of them");
    assert_syntax_error("DETACH^", "syntax error at the end of the statement: expected a mount's "
                                   "name after \"DETACH\"");
    assert_syntax_error("DETACH a^.b", "syntax error at or near \".\": expected the end of the "
                                       "statement after \"a\"");
    assert_syntax_error("USE^", "syntax error at the end of the statement: expected a namespace "
                                "after \"USE\"");
    assert_syntax_error("USE a.b^.c", "syntax error at or near \".\": expected the end of the "
                                      "statement after \"b\"");
    assert_syntax_error("SHOW MOUNTS ^x", "syntax error at or near \"x\": expected the end of the "
                                          "statement after \"MOUNTS\"");
    assert_syntax_error("SHOW NAMESPACES ^x", "syntax error at or near \"x\": expected the end of "
                                              "the statement after \"NAMESPACES\"");
}

static void detach_use_and_show_are_read(void **state) {
    (void)state;
    struct wr_statement s = parse("DETACH DATABASE IF EXISTS Lake");
    assert_int_equal(s.type, WR_STATEMENT_DETACH);
    assert_string_equal(s.parts[2], "lake");
    assert_true(s.if_not_exists);
    wr_statement_reset(&s);
    s = parse("use \"Lake\".logs ;");
    assert_int_equal(s.type, WR_STATEMENT_USE);
    assert_string_equal(s.parts[1], "Lake");
    assert_string_equal(s.parts[2], "logs");
    wr_statement_reset(&s);
    s = parse("USE s");
    assert_null(s.parts[1]);
    assert_string_equal(s.parts[2], "s");
    wr_statement_reset(&s);
    s = parse("show mounts");
    assert_int_equal(s.type, WR_STATEMENT_SHOW_MOUNTS);
    wr_statement_reset(&s);
    s = parse("show /* all */ namespaces;");
    assert_int_equal(s.type, WR_STATEMENT_SHOW_NAMESPACES);
    wr_statement_reset(&s);
}

static void a_namespace_is_a_schema_of_the_engines_at_the_same_places(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"CREATE NAMESPACE n", "CREATE SCHEMA    n"},
        {"create namespace IF NOT EXISTS a.b;", "create SCHEMA    IF NOT EXISTS a.b;"},
        {"DROP /* it */ Namespace n CASCADE", "DROP /* it */ SCHEMA    n CASCADE"},
        {"CREATE VIEW namespace AS SELECT 1", "CREATE VIEW namespace AS SELECT 1"},
        {"DROP TABLE namespace", "DROP TABLE namespace"},
        {"SHOW namespace", "SHOW namespace"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_statement s = parse(cases[i][0]);
        assert_int_equal(s.type, WR_STATEMENT_ENGINE);
        assert_string_equal(s.text, cases[i][1]);
        wr_statement_reset(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_takes_a_url_a_name_a_kind_and_options),
        cmocka_unit_test(a_mount_without_a_name_is_called_as_the_last_part_of_its_path),
        cmocka_unit_test(attach_and_detach_point_at_what_is_wrong),
        cmocka_unit_test(detach_use_and_show_are_read),
        cmocka_unit_test(a_namespace_is_a_schema_of_the_engines_at_the_same_places),
    };
    return cmocka_run_group_tests_name("statements on names", tests, NULL, NULL);
}
