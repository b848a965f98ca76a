/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE USER, GRANT and what belongs to them. */
#include "base/privilege.h"
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

static void statements_on_users_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        int type;
        const char *texts; /* user, role, secret, label */
    } cases[] = {
        {"CREATE USER Alice", WR_STATEMENT_CREATE_USER, "alice - - -"},
        {"create user \"Alice B\" with password 'it''s'", WR_STATEMENT_CREATE_USER,
         "Alice B - it's -"},
        {"CREATE USER IF NOT EXISTS a PASSWORD E'\\n';", WR_STATEMENT_CREATE_USER, "a - \n -"},
        {"CREATE ROLE r", WR_STATEMENT_CREATE_ROLE, "r - - -"},
        {"DROP USER IF EXISTS a", WR_STATEMENT_DROP_USER, "a - - -"},
        {"DROP ROLE r", WR_STATEMENT_DROP_ROLE, "r - - -"},
        {"ALTER USER a SET PASSWORD 'x'", WR_STATEMENT_ALTER_USER, "a - x -"},
        {"ALTER USER a DISABLE", WR_STATEMENT_ALTER_USER, "a - - -"},
        {"GRANT r TO a", WR_STATEMENT_GRANT_ROLE, "a r - -"},
        {"GRANT select TO a", WR_STATEMENT_GRANT_ROLE, "a select - -"},
        {"REVOKE ROLE r FROM USER a", WR_STATEMENT_REVOKE_ROLE, "a r - -"},
        {"CREATE API KEY FOR a LABEL 'l' EXPIRES IN '2h'", WR_STATEMENT_CREATE_KEY, "a - - l"},
        {"DROP API KEY 'weir_1'", WR_STATEMENT_DROP_KEY, "- - - weir_1"},
        {"SHOW API KEYS", WR_STATEMENT_SHOW_KEYS, "- - - -"},
        {"SHOW GRANTS", WR_STATEMENT_SHOW_GRANTS, "- - - -"},
        {"SHOW GRANTS FOR a", WR_STATEMENT_SHOW_GRANTS, "a - - -"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char texts[200];
        struct wr_statement s = parse(cases[i].sql);
        assert_int_equal(s.type, cases[i].type);
        snprintf(texts, sizeof texts, "%s %s %s %s", or_dash(s.user), or_dash(s.role),
                 or_dash(s.secret), or_dash(s.label));
        assert_string_equal(texts, cases[i].texts);
        wr_statement_reset(&s);
    }
}

static void a_grant_has_privileges_and_a_level(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        int type;
        uint32_t privileges;
        int level;
        const char *name;
    } cases[] = {
        {"GRANT SELECT ON t TO a", WR_STATEMENT_GRANT, WR_MAY_SELECT, WR_GRANT_TABLE, "- - t"},
        {"GRANT SELECT, INSERT ON TABLE c.s.t TO a", WR_STATEMENT_GRANT,
         WR_MAY_SELECT | WR_MAY_INSERT, WR_GRANT_TABLE, "c s t"},
        {"GRANT ALL PRIVILEGES ON CATALOG c TO ROLE r", WR_STATEMENT_GRANT, WR_MAY_ALL,
         WR_GRANT_CATALOG, "- - c"},
        {"GRANT CREATE, DROP, ALTER ON SCHEMA c.\"a/b\" TO a", WR_STATEMENT_GRANT,
         WR_MAY_CREATE | WR_MAY_DROP | WR_MAY_ALTER, WR_GRANT_SCHEMA, "- c a/b"},
        {"REVOKE UPDATE, DELETE ON NAMESPACE s FROM a", WR_STATEMENT_REVOKE,
         WR_MAY_UPDATE | WR_MAY_DELETE, WR_GRANT_SCHEMA, "- - s"},
        {"REVOKE ALL ON MOUNT m FROM a", WR_STATEMENT_REVOKE, WR_MAY_ALL, WR_GRANT_CATALOG,
         "- - m"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char name[100];
        struct wr_statement s = parse(cases[i].sql);
        assert_int_equal(s.type, cases[i].type);
        assert_int_equal(s.privileges, cases[i].privileges);
        assert_int_equal(s.level, cases[i].level);
        snprintf(name, sizeof name, "%s %s %s", or_dash(s.parts[0]), or_dash(s.parts[1]),
                 or_dash(s.parts[2]));
        assert_string_equal(name, cases[i].name);
        wr_statement_reset(&s);
    }
}

static void an_error_has_a_place_and_no_word_of_the_text(void **state) {
    (void)state;
    static const char *const cases[] = {
        "CREATE USER",
        "CREATE USER hunter2 PASSWORD",
        "CREATE USER a PASSWORD hunter2",
        "CREATE USER a PASSWORD 'hunter2' 'x'",
        "CREATE USER a WITH 'hunter2'",
        "CREATE USER a PASSWORD 'hunter2",
        "ALTER USER a 'hunter2'",
        "GRANT SELECT ON hunter2.a.b.c TO x",
        "GRANT SELECT ON CATALOG a.hunter2 TO x",
        "GRANT SELECT, hunter2 ON t TO x",
        "GRANT SELECT ON t FROM hunter2",
        "REVOKE r TO hunter2",
        "CREATE API KEY FOR a EXPIRES IN 'hunter2'",
        "DROP API KEY hunter2",
        "SHOW GRANTS FOR 'hunter2'",
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_statement s;
        struct weir_error error = {0};
        assert_int_equal(wr_statement_parse(cases[i], NULL, &s, &error), WEIR_INVALID_ARGUMENT);
        assert_string_equal(error.sqlstate, "42601");
        assert_true(error.position > 0);
        assert_null(strstr(error.message, "hunter2"));
    }
}

static void the_verbs_of_a_change_are_told(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        uint32_t verbs;
    } cases[] = {
        {"INSERT INTO t VALUES (1)", WR_VERB_INSERT},
        {"INSERT OVERWRITE t VALUES (1)", WR_VERB_INSERT | WR_VERB_DELETE},
        {"REPLACE INTO t VALUES (1)", WR_VERB_INSERT | WR_VERB_DELETE},
        {"UPDATE t SET a = 1", WR_VERB_UPDATE},
        {"DELETE FROM t", WR_VERB_DELETE},
        {"TRUNCATE TABLE t", WR_VERB_DELETE},
        {"EXPLAIN ANALYZE INSERT INTO t VALUES (1)", WR_VERB_INSERT},
        {"MERGE INTO t USING s ON 1 = 1", WR_VERB_INSERT | WR_VERB_UPDATE | WR_VERB_DELETE},
        {"SELECT 1", 0},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_statement s = parse(cases[i].sql);
        assert_int_equal(s.verbs, cases[i].verbs);
        wr_statement_reset(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_on_users_are_told_apart),
        cmocka_unit_test(a_grant_has_privileges_and_a_level),
        cmocka_unit_test(an_error_has_a_place_and_no_word_of_the_text),
        cmocka_unit_test(the_verbs_of_a_change_are_told),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
