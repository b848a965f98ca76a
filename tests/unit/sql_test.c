/* SPDX-License-Identifier: Apache-2.0 */
#include "sql_material.h"

#include "base/alloc.h"
#include "sql/lexer.h"

/* ---- Tokens ---- */

static void tokens_are_told_apart_and_comments_skipped(void **state) {
    (void)state;
    static const char text[] = "a1 \"b\"\"c\" `d` 'it''s' E'\\'' $$x$$ $t$ $u$ $t$ 1.5e-3 .5 $1 "
                               "$name /* /* */ */ -- z\n + a$b ä";
    static const struct {
        int type;
        const char *text;
    } expected[] = {
        {WR_TOKEN_WORD, "a1"},
        {WR_TOKEN_IDENTIFIER, "\"b\"\"c\""},
        {WR_TOKEN_IDENTIFIER, "`d`"},
        {WR_TOKEN_STRING, "'it''s'"},
        {WR_TOKEN_STRING, "E'\\''"},
        {WR_TOKEN_STRING, "$$x$$"},
        {WR_TOKEN_STRING, "$t$ $u$ $t$"},
        {WR_TOKEN_NUMBER, "1.5e-3"},
        {WR_TOKEN_NUMBER, ".5"},
        {WR_TOKEN_PARAMETER, "$1"},
        {WR_TOKEN_PARAMETER, "$name"},
        {WR_TOKEN_SYMBOL, "+"},
        {WR_TOKEN_WORD, "a$b"},
        {WR_TOKEN_WORD, "ä"},
    };
    struct wr_lexer lexer = {text, strlen(text), 0};
    for (size_t i = 0; i < N_OF(expected); i++) {
        struct wr_token token = wr_lexer_next(&lexer);
        assert_int_equal(token.type, expected[i].type);
        assert_int_equal(token.length, strlen(expected[i].text));
        assert_memory_equal(text + token.start, expected[i].text, token.length);
        assert_false(token.unterminated);
    }
    assert_int_equal(wr_lexer_next(&lexer).type, WR_TOKEN_END);
}

static void what_the_text_ends_inside_of_is_unterminated(void **state) {
    (void)state;
    static const char *const texts[] = {"'a",  "'a''",   "\"a",      "`a",   "E'a\\'",
                                        "$$a", "$t$ $t", "/* /* */", "E'\\", "'"};
    for (size_t i = 0; i < N_OF(texts); i++) {
        /* A block of exactly that size, so that a read beyond it is seen by the sanitizer. */
        size_t length = strlen(texts[i]);
        char *copy = malloc(length);
        assert_non_null(copy);
        memcpy(copy, texts[i], length);
        struct wr_lexer lexer = {copy, length, 0};
        struct wr_token token = wr_lexer_next(&lexer);
        assert_true(token.unterminated);
        assert_int_equal(lexer.offset, length);
        free(copy);
    }
}

/* ---- Scripts ---- */

/* Compares the statements, joined by " | ", and whether the last was complete. */
static void assert_script(const char *script, const char *expected, int expected_complete) {
    char *joined = calloc(1, strlen(script) + 64);
    assert_non_null(joined);
    size_t offset = 0, length;
    const char *statement;
    int complete = -1, last = -1;
    while (wr_script_next(script, strlen(script), &offset, &statement, &length, &complete)) {
        if (*joined) strcat(joined, " | ");
        strncat(joined, statement, length);
        last = complete;
    }
    assert_string_equal(joined, expected);
    assert_int_equal(last == 0 ? 0 : complete, expected_complete);
    assert_int_equal(offset, strlen(script));
    free(joined);
}

static void a_script_is_split_at_semicolons_outside_quotations(void **state) {
    (void)state;
    assert_script("SELECT 1; SELECT 2;", "SELECT 1 | SELECT 2", 1);
    assert_script("SELECT ';', \"a;b\", `c;d`; x", "SELECT ';', \"a;b\", `c;d` | x", 0);
    assert_script("SELECT 'it''s;';y;", "SELECT 'it''s;' | y", 1);
    assert_script("SELECT E'a\\';b';y;", "SELECT E'a\\';b' | y", 1);
    assert_script("SELECT 'a\\';y;", "SELECT 'a\\' | y", 1);
    assert_script("SELECT $f$ ; $g$ ; $f$; y;", "SELECT $f$ ; $g$ ; $f$ | y", 1);
    assert_script("SELECT $1;SELECT $2;", "SELECT $1 | SELECT $2", 1);
    assert_script("SELECT 1 -- no; end\n; y;", "SELECT 1 | y", 1);
    assert_script("SELECT 1 /* a; /* b; */ c; */ + 1;", "SELECT 1 /* a; /* b; */ c; */ + 1", 1);
}

static void blanks_comments_and_empty_statements_are_skipped(void **state) {
    (void)state;
    assert_script("", "", 1);
    assert_script(" ;; -- nothing\n ; /* x */ ", "", 1);
    assert_script("/* a */ ; -- b\n SELECT 1  /* c */ ;", "SELECT 1", 1);
}

static void a_script_that_ends_early_is_not_complete(void **state) {
    (void)state;
    assert_script("SELECT 1", "SELECT 1", 0);
    assert_script("SELECT 1; SELECT 'a; b", "SELECT 1 | SELECT 'a; b", 0);
    assert_script("SELECT \"a; b", "SELECT \"a; b", 0);
    assert_script("SELECT $$a; b", "SELECT $$a; b", 0);
    assert_script("SELECT 1 /* a; b", "SELECT 1", 0);
    assert_script("SELECT 1; /* a; b", "SELECT 1", 0);
    assert_script("SELECT 1; -- a", "SELECT 1", 1);
}

static void the_statement_is_a_place_in_the_script(void **state) {
    (void)state;
    static const char script[] = " ; SELECT 1 ; x";
    size_t offset = 0, length = 0;
    const char *statement = NULL;
    assert_int_equal(wr_script_next(script, strlen(script), &offset, &statement, &length, NULL), 1);
    assert_ptr_equal(statement, script + 3);
    assert_int_equal(length, 8);
    assert_int_equal(offset, 13);
    offset = 1000;
    assert_int_equal(wr_script_next(script, strlen(script), &offset, &statement, &length, NULL), 0);
}

/* ---- Statements of the engine ---- */

static void a_statement_that_is_not_ours_is_passed_on_byte_for_byte(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        " ;",
        "SELECT 1;",
        "  -- c\n select 'attach'",
        "SELECT 'open",
        "CREATE TABLE t (a int)",
        "CREATE TABLE t AS SELECT * FROM a JOIN b USING (x)",
        "CREATE TABLE t (a int) AS SELECT * FROM a JOIN b USING (x)",
        "CREATE TABLE using (a int)",
        "CREATE TABLE a.b.c.d USING files",
        "CREATE TABLE 't' USING files",
        "CREATE TABLE t (a int USING files",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'x'",
        "CREATE VIEW v AS SELECT 1",
        "CREATE",
        "CREATE TABLE",
        "CREATE TABLE t",
        "DROP TABLE grant",
        "SHOW TABLES",
        "DROP SCHEMA namespace",
        "attachment",
        "COPY t TO 'x.parquet'",
        "COPY t TO 'x' STORED AS PARQUET PARTITIONED BY (a) OPTIONS (compression 'zstd(3)')",
        "COPY (SELECT 1) STORED AS CSV TO 'x'",
        "COPY (SELECT 1",
        "COPY t TO x (FORMAT csv)",
        "COPY t TO 'x",
        "COPY",
        "COPY t FROM 'x' (FORMAT csv)",
        "EXPLAIN SELECT 1",
        "INSERT INTO copy VALUES (1)",
    };
    for (size_t i = 0; i < N_OF(texts); i++) {
        struct wr_statement statement;
        struct weir_error error = {0};
        assert_int_equal(wr_statement_parse(texts[i], NULL, &statement, &error), WEIR_OK);
        assert_int_equal(statement.type, WR_STATEMENT_ENGINE);
        assert_string_equal(statement.text, texts[i]);
        wr_statement_reset(&statement);
        assert_null(statement.text);
    }
}

/* ---- CREATE TABLE ... USING ---- */

static void create_using_takes_names_kind_and_options(void **state) {
    (void)state;
    struct wr_statement s;
    assert_int_equal(
        wr_statement_parse(
            "CREATE TABLE T USING Files OPTIONS (path 'it''s.csv', format.delimiter = ';')", NULL,
            &s, NULL),
        WEIR_OK);
    assert_int_equal(s.type, WR_STATEMENT_CREATE_USING);
    assert_null(s.text);
    assert_null(s.parts[0]);
    assert_null(s.parts[1]);
    assert_string_equal(s.parts[2], "t");
    assert_string_equal(s.kind, "files");
    assert_null(s.columns);
    assert_null(s.query);
    assert_false(s.or_replace || s.temporary || s.if_not_exists);
    assert_int_equal(s.options.n_items, 2);
    assert_string_equal(s.options.items[0].key, "path");
    assert_string_equal(s.options.items[0].value, "it's.csv");
    assert_string_equal(s.options.items[1].key, "format.delimiter");
    assert_string_equal(s.options.items[1].value, ";");
    wr_statement_reset(&s);
}

static void create_using_takes_every_clause(void **state) {
    (void)state;
    struct wr_statement s;
    static const char text[] =
        "create or replace temporary table if not exists Cat.\"My \"\"Schema\".Tab\n"
        "  (a INT, b DECIMAL(10, 2), c VARCHAR DEFAULT ')') /* c */ using \"Odd Kind\" options () "
        "as\n"
        " SELECT 1 AS using, ')' -- tail\n ;";
    struct weir_error error = {0};
    assert_int_equal(wr_statement_parse(text, NULL, &s, &error), WEIR_OK);
    assert_true(s.or_replace && s.temporary && s.if_not_exists);
    assert_string_equal(s.parts[0], "cat");
    assert_string_equal(s.parts[1], "My \"Schema");
    assert_string_equal(s.parts[2], "tab");
    assert_string_equal(s.columns, "(a INT, b DECIMAL(10, 2), c VARCHAR DEFAULT ')')");
    assert_string_equal(s.kind, "Odd Kind");
    assert_int_equal(s.options.n_items, 0);
    assert_string_equal(s.query, "SELECT 1 AS using, ')'");
    wr_statement_reset(&s);
    assert_int_equal(wr_statement_parse("CREATE TEMP TABLE a.b USING memory", NULL, &s, &error),
                     WEIR_OK);
    assert_true(s.temporary);
    assert_null(s.parts[0]);
    assert_string_equal(s.parts[1], "a");
    assert_string_equal(s.parts[2], "b");
    wr_statement_reset(&s);
}

static void option_values_are_texts_numbers_and_words(void **state) {
    (void)state;
    static const struct {
        const char *written, *key, *value;
    } cases[] = {
        {"a 1", "a", "1"},
        {"a -1.50", "a", "-1.50"},
        {"a = +7e3", "a", "7e3"},
        {"a true", "a", "true"},
        {"a Zstd", "a", "Zstd"},
        {"A.B.c x", "A.B.c", "x"},
        {"'K.x' 'v'", "K.x", "v"},
        {"\"Ka\" \"V a\"", "Ka", "V a"},
        {"a ''", "a", ""},
        {"a $$it's$$", "a", "it's"},
        {"a $q$ $$ $q$", "a", " $$ "},
        {"a E'\\t\\n\\\\\\'\\x41\\101\\u20AC\\U0001F600''q\\z'", "a",
         "\t\n\\'AA\xE2\x82\xAC\xF0\x9F\x98\x80'qz"},
        {"a E'\\u00e4\\b\\f\\r'", "a", "\xC3\xA4\b\f\r"},
        {"a 'v',", "a", "v"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "CREATE TABLE t USING k OPTIONS (%s)", cases[i].written);
        struct wr_statement s;
        struct weir_error error = {0};
        assert_int_equal(wr_statement_parse(text, NULL, &s, &error), WEIR_OK);
        assert_int_equal(s.options.n_items, 1);
        assert_string_equal(s.options.items[0].key, cases[i].key);
        assert_string_equal(s.options.items[0].value, cases[i].value);
        wr_statement_reset(&s);
    }
}

static void syntax_errors_of_create_using_name_the_place(void **state) {
    (void)state;
    assert_syntax_error(
        "CREATE TABLE t USING^",
        "syntax error at the end of the statement: expected a kind of table after \"USING\"");
    assert_syntax_error(
        "CREATE TABLE t USING ^'files'",
        "syntax error at or near \"'files'\": expected a kind of table after \"USING\"");
    assert_syntax_error("CREATE TABLE t USING files ^foo",
                        "syntax error at or near \"foo\": expected OPTIONS, AS or the end of the "
                        "statement after \"files\"");
    assert_syntax_error(
        "CREATE TABLE t USING files OPTIONS () ^foo",
        "syntax error at or near \"foo\": expected AS or the end of the statement after \")\"");
    assert_syntax_error("CREATE TABLE t USING files OPTIONS ^path 'x'",
                        "syntax error at or near \"path\": expected \"(\" after \"OPTIONS\"");
    assert_syntax_error(
        "CREATE TABLE t USING files OPTIONS (path 'x' ^header true)",
        "syntax error at or near \"header\": expected \",\" or \")\" after \"'x'\"");
    assert_syntax_error(
        "CREATE TABLE t USING files OPTIONS (^,)",
        "syntax error at or near \",\": expected the name of an option after \"(\"");
    assert_syntax_error(
        "CREATE TABLE t USING files OPTIONS (a. ^; x)",
        "syntax error at or near \";\": expected the name of an option after \".\"");
    assert_syntax_error("CREATE TABLE t USING files OPTIONS (path ^)",
                        "syntax error at or near \")\": expected a value ('text', number, true, "
                        "false or a word) after \"path\"");
    assert_syntax_error("CREATE TABLE t USING files OPTIONS (path -^'x')",
                        "syntax error at or near \"'x'\": expected a number after \"-\"");
    assert_syntax_error("CREATE TABLE t USING files OPTIONS (path ^'x)",
                        "unterminated quotation at or near \"'x)\"");
    assert_syntax_error("CREATE TABLE t USING files OPTIONS (path 'x', ^PATH 'y')",
                        "option \"PATH\" is given twice; keep one of them");
    assert_syntax_error("CREATE TABLE t USING files AS ^;",
                        "syntax error at or near \";\": expected a query after \"AS\"");
    assert_syntax_error(
        "CREATE TABLE t USING files; ^SELECT 1",
        "syntax error at or near \"SELECT\": expected the end of the statement after \";\"");
    assert_syntax_error(
        "CREATE TABLE t USING files AS SELECT 1; ^SELECT 2",
        "syntax error at or near \"SELECT\": expected the end of the statement after \";\"");
    assert_syntax_error("CREATE TABLE t USING files ^/* open",
                        "unterminated comment at the end of the statement");
}

/* ---- Memory ---- */

static void a_parser_without_memory_fails_cleanly_at_each_allocation(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int code;
        int64_t n_least; /* allocations that there are at least, so that a loop over none is seen */
    } cases[] = {
        {"SELECT 1", WEIR_OK, 1},
        {"CREATE TABLE a.b.c (x int) USING k OPTIONS (p.q 'v', r 5) AS SELECT 1", WEIR_OK, 15},
        {"CREATE TABLE a.b.c (x int) USING k OPTIONS (p 'v', p 5)", WEIR_INVALID_ARGUMENT, 10},
        {"COPY t TO 'x' (FORMAT parquet, PARTITION_BY (a, b), OVERWRITE, COMPRESSION zstd, "
         "format.a 1)",
         WEIR_OK, 15},
        {"COPY t TO 'x.csv' (HEADER true, DELIMITER ';', NULL '-')", WEIR_OK, 8},
        {"COPY t TO 'x' (PARTITION_BY (a, \"b c\"))", WEIR_NOT_IMPLEMENTED, 3},
        {"COPY t TO 'x' (FORMAT parquet, COMPRESSION xz)", WEIR_INVALID_ARGUMENT, 5},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        int64_t n = 1;
        for (;; n++) {
            struct wr_statement s = {.text = NULL};
            struct weir_error error = {0};
            wr_alloc_fail_at(n);
            int code = wr_statement_parse(cases[i].text, NULL, &s, &error);
            bool failed = wr_alloc_fail_at(0) >= n;
            if (!failed) {
                assert_int_equal(code, cases[i].code);
                if (code == WEIR_OK) wr_statement_reset(&s);
                break;
            }
            /* A statement that is wrong may be found to be so without the memory that was missing.
             */
            if (code != cases[i].code || code == WEIR_OK) {
                assert_int_equal(code, WEIR_INTERNAL);
                assert_string_equal(error.sqlstate, "53200");
            }
            assert_null(s.text);
            assert_null(s.kind);
        }
        assert_true(n > cases[i].n_least);
    }
}

static void any_cut_of_a_statement_is_parsed_without_harm(void **state) {
    (void)state;
    static const char *const texts[] = {
        "CREATE OR REPLACE TEMP TABLE IF NOT EXISTS a.\"b\".c (x int) USING k OPTIONS (p.q "
        "E'\\u20AC', r -5, s $t$x$t$) AS SELECT 'a'",
        "EXPLAIN COPY (SELECT 1) TO 'x' WITH (FORMAT parquet, PARTITION_BY (a, \"b\"), COMPRESSION "
        "= 'zstd(3)', format.a 1)",
    };
    for (size_t i = 0; i < N_OF(texts); i++) {
        for (size_t length = 0; length <= strlen(texts[i]); length++) {
            char *cut = malloc(length + 1);
            assert_non_null(cut);
            memcpy(cut, texts[i], length);
            cut[length] = '\0';
            struct wr_statement s;
            struct weir_error error = {0};
            if (wr_statement_parse(cut, NULL, &s, &error) == WEIR_OK) {
                wr_statement_reset(&s);
            } else {
                assert_int_equal(error.code, WEIR_INVALID_ARGUMENT);
                assert_true(strcmp(error.sqlstate, "42601") == 0 ||
                            strcmp(error.sqlstate, "22023") == 0);
                assert_true(error.position >= 1 && error.position <= (int64_t)length + 1);
            }
            free(cut);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_told_apart_and_comments_skipped),
        cmocka_unit_test(what_the_text_ends_inside_of_is_unterminated),
        cmocka_unit_test(a_script_is_split_at_semicolons_outside_quotations),
        cmocka_unit_test(blanks_comments_and_empty_statements_are_skipped),
        cmocka_unit_test(a_script_that_ends_early_is_not_complete),
        cmocka_unit_test(the_statement_is_a_place_in_the_script),
        cmocka_unit_test(a_statement_that_is_not_ours_is_passed_on_byte_for_byte),
        cmocka_unit_test(create_using_takes_names_kind_and_options),
        cmocka_unit_test(create_using_takes_every_clause),
        cmocka_unit_test(option_values_are_texts_numbers_and_words),
        cmocka_unit_test(syntax_errors_of_create_using_name_the_place),
        cmocka_unit_test(a_parser_without_memory_fails_cleanly_at_each_allocation),
        cmocka_unit_test(any_cut_of_a_statement_is_parsed_without_harm),
    };
    return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
