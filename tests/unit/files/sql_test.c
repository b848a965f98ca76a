/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `sql`, and the front matter of its files. */
#include "files_test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/sql/front_matter.h"

extern const struct weir_table_kind wr_kind_sql;

#define test(name) cmocka_unit_test_setup_teardown(name, in_new_directory, remove_directory)

/* ---- Front matter ---- */

static struct wr_sql_front_matter parse(const char *text) {
    struct weir_error error = {0};
    struct wr_sql_front_matter front_matter = {0};
    if (wr_sql_front_matter_parse("x.sql", text, &front_matter, &error) != 0)
        fail_msg("%s", error.message);
    return front_matter;
}

static const char *get(const struct wr_options *options, const char *key) {
    const char *value = wr_options_get(options->items, options->n_items, key);
    return value ? value : "(none)";
}

static void the_leading_comments_say_what_a_file_is(void **state) {
    (void)state;
    struct wr_sql_front_matter m = parse("-- Flights by day: the report for operations.\n"
                                         "-- name: daily\r\n"
                                         "--description:  flights by day  \n"
                                         "\n"
                                         "  -- FORMAT: Parquet\n"
                                         "-- input flights: ../raw/flights/*.parquet\n"
                                         "-- input airlines : 'it''s here/a.csv'\n"
                                         "-- param carrier: 'UA'\n"
                                         "-- param since: DATE '2013-01-01'\n"
                                         "-- param least: -1.5e3\n"
                                         "-- param on: TRUE\n"
                                         "--\n"
                                         "SELECT 1 -- name: other\n"
                                         "-- format: nonsense\n");
    assert_string_equal(m.name, "daily");
    assert_string_equal(m.description, "flights by day");
    assert_string_equal(m.format, "parquet");
    assert_int_equal(m.inputs.n_items, 2);
    assert_string_equal(get(&m.inputs, "flights"), "../raw/flights/*.parquet");
    assert_string_equal(get(&m.inputs, "airlines"), "it's here/a.csv");
    assert_int_equal(m.parameters.n_items, 4);
    assert_string_equal(get(&m.parameters, "carrier"), "'UA'");
    assert_string_equal(get(&m.parameters, "since"), "DATE '2013-01-01'");
    assert_string_equal(get(&m.parameters, "least"), "-1.5e3");
    assert_string_equal(get(&m.parameters, "on"), "TRUE");
    wr_sql_front_matter_reset(&m);
}

static void ordinary_comments_are_left_alone(void **state) {
    (void)state;
    struct wr_sql_front_matter m = parse("-- Note: made by hand\n"
                                         "-- TODO: everything\n"
                                         "-- see https://example.org/x: it is there\n"
                                         "-- name conventions: as everywhere\n"
                                         "-- the name: of the thing\n"
                                         "-- nams without a colon\n"
                                         "-- 2024: a year\n"
                                         "-- author: someone\n"
                                         "--:\n"
                                         "-- input\n"
                                         "/* name: no */ SELECT 1\n");
    assert_null(m.name);
    assert_null(m.description);
    assert_null(m.format);
    assert_int_equal(m.inputs.n_items + m.parameters.n_items, 0);
    wr_sql_front_matter_reset(&m);
    m = parse("");
    wr_sql_front_matter_reset(&m);
    m = parse("\xEF\xBB\xBF-- name: after a byte order mark");
    assert_string_equal(m.name, "after a byte order mark");
    wr_sql_front_matter_reset(&m);
}

static void refused(const char *text, const char *part) {
    struct weir_error error = {0};
    struct wr_sql_front_matter m = {0};
    assert_int_equal(wr_sql_front_matter_parse("/lake/x.sql", text, &m, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "42601");
    assert_contains(error.message, part);
    assert_null(m.name);
}

static void misspelt_keys_and_wrong_values_name_file_and_line(void **state) {
    (void)state;
    refused("-- nams: daily\n",
            "\"/lake/x.sql\", line 1: unknown key \"nams\"; did you mean \"name\"?");
    refused("-- a\n\n-- paramter x: default 1\n",
            "line 3: unknown key \"paramter\"; did you mean \"param\"?");
    refused("-- parameter x: default 1\n", "did you mean \"param\"?");
    refused("-- inputs: a, b\n", "did you mean \"input\"?");
    refused("-- Descripton: x\n", "did you mean \"description\"?");
    refused("-- fromat: csv\n", "did you mean \"format\"?");
    refused("-- format: xlsx\n", "line 1: the format \"xlsx\" is none of parquet, arrow");
    refused("-- name: a/b\n", "the name \"a/b\" cannot be a table's");
    refused("-- name: ..\n", "cannot be a table's");
    refused("-- name:\n", "the key \"name\" has no value");
    refused("-- name: a\n-- name: b\n", "line 2: the key \"name\" is given twice");
    refused("-- input: a.csv\n", "an input has a name");
    refused("-- input a:  \n", "the input \"a\" needs a path");
    refused("-- input a: x\n-- input A: y\n", "line 2: the input \"A\" is given twice");
    refused("-- param: default 1\n", "a parameter has a name");
    refused("-- param a: x\n", "the parameter \"a\" needs a default");
    refused("-- param a:\n", "the parameter \"a\" needs a default");
    refused("-- param a: (SELECT 1)\n", "the parameter \"a\" needs a default");
    refused("-- param a: 1; DROP TABLE x\n", "needs a default");
    refused("-- param a: 'x' 'y'\n", "needs a default");
    refused("-- param a: 1\n-- param a: 2\n", "line 2: the parameter \"a\" is given");
}

static void literals_are_told_from_other_texts(void **state) {
    (void)state;
    static const char *const literals[] = {
        "0",
        "-12",
        "+1.5",
        ".5",
        "5.",
        "1e3",
        "1.5E-3",
        "''",
        "'a'",
        "NULL",
        "false",
        "True",
        "'it''s'",
        "date '2024-01-01'",
        "TIMESTAMP '2024-01-01 00:00:00'",
        "INTERVAL '1 day'",
    };
    static const char *const others[] = {
        "",
        "-",
        "a",
        "'a",
        "a'",
        "'a'b",
        "1 2",
        "1e",
        "0x1",
        "1;",
        "'a' --",
        "now()",
        "truely",
        "e5",
        "DATE 5",
        "1 -- x",
        "$1",
        "dates '2024-01-01'",
        "DATE '2024-01-01' + 1",
    };
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        if (!wr_sql_is_literal(literals[i])) fail_msg("%s is a literal", literals[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (wr_sql_is_literal(others[i])) fail_msg("%s is no literal", others[i]);
    }
}

/* ---- The kind ---- */

static int open_sql(void **ret_table, struct weir_error *error, ...) {
    struct weir_option options[16];
    size_t n_options = 0;
    va_list arguments;
    va_start(arguments, error);
    for (const char *key; (key = va_arg(arguments, const char *)) != NULL;)
        options[n_options++] = (struct weir_option){key, va_arg(arguments, const char *)};
    va_end(arguments);
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = "weir",
        .schema = "public",
        .name = "t",
        .kind = "sql",
        .options = options,
        .n_options = n_options,
    };
    int code = wr_options_check("t", wr_kind_sql.options, wr_kind_sql.n_options, options, n_options,
                                error);
    return code ? code : wr_kind_sql.open(&definition, ret_table, error);
}

static struct weir_form form_of_table(void *table) {
    struct weir_error error = {0};
    struct weir_form form = {0};
    if (wr_kind_sql.form(table, &form, &error) != 0) fail_msg("%s", error.message);
    assert_int_equal(form.type, WEIR_FORM_SQL);
    return form;
}

static struct weir_error failed;
#define assert_refused(code, part, ...)                                                            \
    do {                                                                                           \
        void *table_ = NULL;                                                                       \
        failed = (struct weir_error){0};                                                           \
        assert_int_equal(open_sql(&table_, &failed, __VA_ARGS__, NULL), code);                     \
        assert_contains(failed.message, part);                                                     \
        assert_null(table_);                                                                       \
    } while (0)

static void a_file_is_a_query_with_its_inputs_and_parameters(void **state) {
    (void)state;
    static const char text[] = "-- input f: ../raw/f.csv\n"
                               "-- param carrier: 'UA'\n"
                               "-- param n: 5\n"
                               "SELECT * FROM f WHERE c = $carrier LIMIT $n\n";
    char here[PATH_MAX];
    void *table = NULL;
    put("reports/daily.sql", text);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(open_sql(&table, NULL, "path", "reports/daily.sql", NULL), 0);
    struct weir_form form = form_of_table(table);
    assert_string_equal(form.sql.query, text);
    assert_string_equal(form.sql.source, "reports/daily.sql");
    assert_string_equal(form.sql.catalog, "/");
    char schema[PATH_MAX + 16];
    snprintf(schema, sizeof schema, "%s/reports", here + 1);
    assert_string_equal(form.sql.schema, schema);
    assert_int_equal(form.sql.n_inputs, 1);
    assert_string_equal(form.sql.inputs[0].key, "f");
    assert_string_equal(form.sql.inputs[0].value, "../raw/f.csv");
    assert_int_equal(form.sql.n_parameters, 2);
    assert_string_equal(form.sql.parameters[0].value, "'UA'");
    assert_string_equal(form.sql.parameters[1].value, "5");
    form.release(&form);
    assert_null(form.release);
    wr_kind_sql.close(table);
}

static void a_mount_says_where_names_are_looked_up_and_how_the_file_is_called(void **state) {
    (void)state;
    char path[PATH_MAX];
    char root[PATH_MAX];
    void *table = NULL;
    put("lake/x.sql", "SELECT 1\n");
    assert_non_null(getcwd(root, sizeof root - 8));
    strcat(root, "/lake");
    snprintf(path, sizeof path, "%.*s/x.sql", (int)(sizeof path - 8), root);
    assert_int_equal(open_sql(&table, NULL, "path", path, "root", root, "shown", "/lake/x.sql",
                              "catalog", "lake", "schema", ".", NULL),
                     0);
    struct weir_form form = form_of_table(table);
    assert_string_equal(form.sql.catalog, "lake");
    assert_string_equal(form.sql.schema, ".");
    assert_string_equal(form.sql.source, "/lake/x.sql");
    form.release(&form);
    /* What leads out is refused at each form. */
    put("outside.sql", "SELECT 'secret'\n");
    struct weir_error error = {0};
    assert_int_equal(unlink("lake/x.sql"), 0);
    assert_int_equal(symlink("../outside.sql", "lake/x.sql"), 0);
    assert_int_equal(wr_kind_sql.form(table, &form, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "\"/lake/x.sql\" leads out of");
    wr_kind_sql.close(table);
    assert_refused(WEIR_INVALID_ARGUMENT, "leads out of", "path", path, "root", root);
    assert_refused(WEIR_INVALID_ARGUMENT, "not an absolute path", "path", "x.sql", "root", root);
}

static void parameters_are_given_as_literals_or_texts(void **state) {
    (void)state;
    static const struct {
        const char *given;
        const char *number; /* where the default is 5 */
        const char *text;   /* where it is 'UA' */
    } cases[] = {
        {"7", "7", "'7'"},
        {"AA", "'AA'", "'AA'"},
        {"'AA'", "'AA'", "'AA'"},
        {"it's", "'it''s'", "'it''s'"},
        {"null", "null", "null"},
        {"true", "true", "'true'"},
        {"007", "007", "'007'"},
        {"", "''", "''"},
        {"1; DROP TABLE x", "'1; DROP TABLE x'", "'1; DROP TABLE x'"},
        {"DATE '2024-01-01'", "DATE '2024-01-01'", "'DATE ''2024-01-01'''"},
    };
    put("x.sql", "-- param n: 5\n-- param t: 'UA'\nSELECT $n, $t\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *table = NULL;
        assert_int_equal(open_sql(&table, NULL, "path", "x.sql", "param.n", cases[i].given,
                                  "param.T", cases[i].given, NULL),
                         0);
        struct weir_form form = form_of_table(table);
        assert_string_equal(form.sql.parameters[0].key, "n");
        assert_string_equal(form.sql.parameters[0].value, cases[i].number);
        assert_string_equal(form.sql.parameters[1].key, "t");
        assert_string_equal(form.sql.parameters[1].value, cases[i].text);
        form.release(&form);
        wr_kind_sql.close(table);
    }
    assert_refused(WEIR_INVALID_ARGUMENT, "\"x.sql\" has no parameter \"m\"; it has n, t", "path",
                   "x.sql", "param.m", "1");
    put("y.sql", "SELECT 1\n");
    assert_refused(WEIR_INVALID_ARGUMENT, "has no parameter \"m\"; it has none", "path", "y.sql",
                   "param.m", "1");
}

static void a_file_is_read_afresh_for_each_form(void **state) {
    (void)state;
    void *table = NULL;
    struct weir_form form = {0};
    struct weir_error error = {0};
    put("x.sql", "-- param n: 5\nSELECT $n\n");
    assert_int_equal(open_sql(&table, NULL, "path", "x.sql", "param.n", "6", NULL), 0);
    put("x.sql", "-- param n: 5\nSELECT $n + 1\n");
    form = form_of_table(table);
    assert_contains(form.sql.query, "$n + 1");
    form.release(&form);
    put("x.sql", "SELECT 1\n");
    assert_int_equal(wr_kind_sql.form(table, &form, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "has no parameter \"n\"");
    assert_int_equal(unlink("x.sql"), 0);
    assert_int_equal(wr_kind_sql.form(table, &form, &error), WEIR_NOT_FOUND);
    assert_contains(error.message, "no such file: \"x.sql\" (looked for /");
    wr_kind_sql.close(table);
}

static void what_is_no_sql_text_is_refused(void **state) {
    (void)state;
    char *large = malloc((1 << 20) + 2);
    memset(large, ' ', (1 << 20) + 1);
    memcpy(large, "SELECT 1", 8);
    put_bytes("least.sql", large, 1 << 20);
    put_bytes("large.sql", large, (1 << 20) + 1);
    free(large);
    put("blank.sql", " \n-- only: a comment\n/* and another */ ;\n");
    put("latin.sql", "SELECT 1\n -- caf\xE9\n");
    put_bytes("nul.sql", "SELECT\0 1", 9);
    assert_int_equal(mkdir("d.sql", 0700), 0);
    assert_int_equal(mkfifo("p.sql", 0600), 0);
    void *table = NULL;
    assert_int_equal(open_sql(&table, NULL, "path", "least.sql", NULL), 0);
    wr_kind_sql.close(table);
    assert_refused(WEIR_INVALID_ARGUMENT, "\"large.sql\" is larger than 1 MiB", "path",
                   "large.sql");
    assert_refused(WEIR_INVALID_DATA, "\"blank.sql\" holds no query", "path", "blank.sql");
    assert_refused(WEIR_INVALID_DATA, "\"latin.sql\", line 2: the text is not UTF-8", "path",
                   "latin.sql");
    assert_refused(WEIR_INVALID_DATA, "\"nul.sql\" is not SQL text", "path", "nul.sql");
    assert_refused(WEIR_INVALID_ARGUMENT, "\"d.sql\" is not a file", "path", "d.sql");
    assert_refused(WEIR_INVALID_ARGUMENT, "\"p.sql\" is not a file", "path", "p.sql");
    assert_refused(WEIR_INVALID_ARGUMENT, "option \"path\" is required", "shown", "x");
    assert_refused(WEIR_INVALID_ARGUMENT, "did you mean \"param.*\"?", "path", "x", "parm.x", "1");
}

static void the_byte_order_mark_is_no_part_of_the_query(void **state) {
    (void)state;
    void *table = NULL;
    put("x.sql", "\xEF\xBB\xBFSELECT 1\n");
    assert_int_equal(open_sql(&table, NULL, "path", "x.sql", NULL), 0);
    struct weir_form form = form_of_table(table);
    assert_string_equal(form.sql.query, "SELECT 1\n");
    form.release(&form);
    wr_kind_sql.close(table);
}

static void front_matter_is_read_from_a_file_below_a_root(void **state) {
    (void)state;
    char root[PATH_MAX];
    char path[PATH_MAX + 16];
    struct weir_error error = {0};
    struct wr_sql_front_matter m = {0};
    put("x.sql", "-- description: what it is\n-- format: csv\nSELECT 1\n");
    assert_non_null(getcwd(root, sizeof root));
    snprintf(path, sizeof path, "%s/x.sql", root);
    assert_int_equal(wr_sql_front_matter_read(root, path, "/lake/x.sql", &m, &error), 0);
    assert_string_equal(m.description, "what it is");
    assert_string_equal(m.format, "csv");
    wr_sql_front_matter_reset(&m);
    assert_int_equal(wr_sql_front_matter_read(NULL, path, "x", &m, &error), 0);
    wr_sql_front_matter_reset(&m);
    assert_int_equal(wr_sql_front_matter_read("/nothing", path, "x", &m, &error), WEIR_NOT_FOUND);
    assert_int_equal(wr_sql_front_matter_read("/etc", path, "x", &m, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_null(m.description);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    put("x.sql", "-- name: n\n-- description: d\n-- format: csv\n-- input a: 'b'\n"
                 "-- param p: 1\n-- param q: 'x'\nSELECT 1\n");
    for (int64_t n = 1; n < 10000; n++) {
        void *table = NULL;
        struct weir_form form = {0};
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = open_sql(&table, &error, "path", "./x.sql", "root", "/", "param.p", "it's",
                            "param.q", "5", NULL);
        if (code == 0) {
            code = wr_kind_sql.form(table, &form, &error);
            wr_kind_sql.close(table);
        }
        int64_t made = wr_alloc_fail_at(0);
        if (form.release) form.release(&form);
        assert_int_equal(code == 0, made < n);
        if (code == 0) return;
        assert_string_equal(error.sqlstate, "53200");
    }
    fail_msg("there is no end of allocations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leading_comments_say_what_a_file_is),
        cmocka_unit_test(ordinary_comments_are_left_alone),
        cmocka_unit_test(misspelt_keys_and_wrong_values_name_file_and_line),
        cmocka_unit_test(literals_are_told_from_other_texts),
        test(a_file_is_a_query_with_its_inputs_and_parameters),
        test(a_mount_says_where_names_are_looked_up_and_how_the_file_is_called),
        test(parameters_are_given_as_literals_or_texts),
        test(a_file_is_read_afresh_for_each_form),
        test(what_is_no_sql_text_is_refused),
        test(the_byte_order_mark_is_no_part_of_the_query),
        test(front_matter_is_read_from_a_file_below_a_root),
        test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
