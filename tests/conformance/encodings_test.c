/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings of files by an extension: encodings.c, which can be told to be wrong. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance.h"

#define LIBRARY EXTENSIONS "/encodings.so"

static const _Atomic int64_t *n_open;

static int open_all(void **state) {
    if (suite_open(state)) return -1;
    run("LOAD '%s'", LIBRARY);
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    n_open = library ? dlsym(library, "enc_n_open") : NULL;
    return n_open ? 0 : -1;
}

static int close_all(void **state) {
    /* Every stream was released. */
    int n = (int)*n_open;
    return suite_close(state) || n != 0;
}

static void put(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *get(const char *name) {
    static char text[4096];
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* ---- Reading ---- */

static void a_file_is_a_table_by_its_name(void **state) {
    (void)state;
    put("x.lines", "1\n2\n3\n4\n5\n");
    expect_rows("1|1\n2|2\n3|3\n4|4\n5|5\n", "SELECT * FROM '%s/x.lines' ORDER BY id", directory);
    expect_number(15, "SELECT sum(id) FROM '%s/x.lines'", directory);
    expect_number(5, "SELECT count(*) FROM '%s/x.lines'", directory);
    expect_rows("4\n5\n", "SELECT text FROM '%s/x.lines' WHERE id > 3 ORDER BY text", directory);
    expect_rows("5|x\n", "SELECT id, 'x' FROM '%s/x.lines' ORDER BY id DESC LIMIT 1", directory);
    put("y.LNS", "7\n");
    expect_number(7, "SELECT id FROM '%s/y.LNS'", directory);
    expect_error("58P01", NULL, "SELECT id FROM '%s/none.lines'", directory);
}

static void several_files_are_one_table(void **state) {
    (void)state;
    char path[256];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/many", directory);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/many/day=%d", directory, i);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "many/day=%d/a.lines", i);
        put(path, "1\n2\n3\n4\n");
        snprintf(path, sizeof path, "many/day=%d/b.ln", i);
        put(path, "10\n");
    }
    expect_rows("0|20\n1|20\n2|20\n",
                "SELECT day, sum(id) FROM '%s/many' GROUP BY day ORDER BY day", directory);
    expect_rows("10|2\n", "SELECT id, day FROM '%s/many' WHERE day = 2 AND id > 4", directory);
    run("CREATE TABLE many USING files OPTIONS (path '%s/many', format 'lines', \"format.factor\" "
        "'2')",
        directory);
    expect_number(120, "SELECT sum(id) FROM many");
    run("DROP TABLE many");
    put("many/day=0/c.csv", "id\n1\n");
    expect_error(NULL, "files of more than one format", "SELECT * FROM '%s/many'", directory);
}

static void a_file_without_its_extension_is_of_the_format_that_is_told(void **state) {
    (void)state;
    put("plain.txt", "8\n9\n");
    run("CREATE TABLE plain USING files OPTIONS (path '%s/plain.txt', format 'LINES')", directory);
    expect_rows("8\n9\n", "SELECT id FROM plain ORDER BY id");
    run("DROP TABLE plain");
    run("CREATE EXTERNAL TABLE plain STORED AS lines LOCATION '%s/plain.txt'", directory);
    expect_number(17, "SELECT sum(id) FROM plain");
    run("DROP TABLE plain");
}

static void columns_that_are_declared_are_cast_and_may_be_missing(void **state) {
    (void)state;
    put("d.lines", "8\n");
    run("CREATE TABLE d (text VARCHAR, more DOUBLE, id SMALLINT) USING files OPTIONS (path "
        "'%s/d.lines')",
        directory);
    expect_rows("8|NULL|8\n", "SELECT * FROM d");
    put("d.lines", "100000\n");
    expect_error(NULL, "column \"id\"", "SELECT id FROM d");
    run("DROP TABLE d");
}

static void a_mount_has_them_as_tables(void **state) {
    (void)state;
    put("z.lns", "42\n");
    run("ATTACH '%s' AS enc", directory);
    expect_number(42, "SELECT id FROM enc.z");
    expect_number(42, "SELECT id FROM '/enc/z.lns'");
    run("DETACH enc");
}

static void options_are_checked(void **state) {
    (void)state;
    put("o.lines", "8\n");
    static const struct {
        const char *given, *message;
    } cases[] = {
        {"\"format.fcator\" '2'", "encoding lines: unknown option \"fcator\"; known: factor"},
        {"\"format.factor\" 'x'", "option \"factor\" is \"x\", not a whole number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run("CREATE TABLE o USING files OPTIONS (path '%s/o.lines', %s)", directory,
            cases[i].given);
        struct weir_error error = expect_error("22023", cases[i].message, "SELECT * FROM o");
        assert_int_equal(error.code, WEIR_INVALID_ARGUMENT);
        run("DROP TABLE o");
    }
    expect_error(NULL, "or an encoding of an extension",
                 "CREATE TABLE o USING files OPTIONS (path '%s/o.lines', format 'linse')",
                 directory);
    put("o.lines.gz", "8\n");
    expect_error(NULL, "cannot be read from inside gzip", "SELECT * FROM '%s/o.lines.gz'",
                 directory);
}

static void what_a_reader_gives_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *how, *message;
    } cases[] = {
        {"empty", "it gave no stream"},
        {"no_schema", "Invalid argument"},
        {"released", "its schema is not a schema: it was released or never filled"},
        {"column", "its schema is not a struct but Int64"},
        {"nonsense", "its schema is not a schema"},
        {"children", "it has -1 children"},
        {"latin", "not UTF-8"},
        {"short", "is not Struct"},
        {"negative", "a batch of -1 rows"},
        {"offset", "its offset 9223372036854775807"},
        {"buffer", "its buffer 1 is NULL"},
        {"buffers", "it has 2 buffers"},
        {"missing", "it has 1 children"},
        {"nulls", "99 NULL"},
        {"beyond", "is not Struct"},
        {"utf8", "is not Struct"},
        {"late", "line 4 is smudged"},
        {"silent", "Input/output error"},
        {"unsaid", "it gave no reason"},
        {"refused", "it is sealed"},
        {"before", "read_at: a negative offset"},
        {"after", "it ends too early"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        snprintf(text, sizeof text, "!%s\n1\n2\n3\n4\n5\n", cases[i].how);
        put("wrong.lines", text);
        struct weir_error error = expect_error(
            NULL, cases[i].message, "SELECT sum(id), max(text) FROM '%s/wrong.lines'", directory);
        if (!strstr(error.message, "/wrong.lines: encoding lines: "))
            fail_msg("%s: %s", cases[i].how, error.message);
        expect_error(NULL, NULL, "SELECT count(*) FROM '%s/wrong.lines'", directory);
    }
}

static void a_scan_that_is_left_is_released(void **state) {
    (void)state;
    char text[4096];
    size_t n = 0;
    for (int i = 0; i < 500; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d\n", i);
    put("long.lines", text);
    expect_rows("0\n1\n", "SELECT id FROM '%s/long.lines' LIMIT 2", directory);
    expect_number(500, "SELECT count(*) FROM '%s/long.lines'", directory);
    for (int i = 0; *n_open > 0 && i < 1000; i++)
        sleep_ms(10);
    assert_int_equal(*n_open, 0);
}

/* ---- Writing ---- */

static void copy_writes_a_file_or_none(void **state) {
    (void)state;
    run("COPY (SELECT value FROM range(10000) ORDER BY value) TO '%s/w.lines'", directory);
    expect_rows("10000|49995000\n", "SELECT count(*), sum(id) FROM '%s/w.lines'", directory);
    run("COPY (SELECT 7 AS v) TO '%s/w.ln' OPTIONS ('format.factor' '6')", directory);
    assert_string_equal(get("w.ln"), "42\n");
    run("COPY (SELECT 5::bigint AS v) TO '%s/named' STORED AS lines", directory);
    expect_error(NULL, "encoding lines: it is superstitious",
                 "COPY (SELECT -value FROM range(20)) TO '%s/bad.lines'", directory);
    assert_null(get("bad.lines"));
    expect_error(NULL, "encoding lines: it holds one column of int64",
                 "COPY (SELECT 'x' AS v) TO '%s/bad.lines'", directory);
    expect_error(NULL, "ivide by zero",
                 "COPY (SELECT 1 / (value - 9000) FROM range(10000)) TO '%s/bad.lines'", directory);
    assert_null(get("bad.lines"));
    expect_error("0A000", "the encoding sealed is read only",
                 "COPY (SELECT 1 AS v) TO '%s/bad.sealed'", directory);
    assert_null(get("bad.sealed"));
    expect_error("22023", "unknown option \"x\"",
                 "COPY (SELECT 1 AS v) TO '%s/bad.lines' OPTIONS ('format.x' '1')", directory);
}

static void copy_partitions(void **state) {
    (void)state;
    run("COPY (SELECT value, value %% 3 AS k FROM range(30)) TO '%s/parts/' STORED AS lines "
        "PARTITIONED BY (k)",
        directory);
    expect_rows("0|135\n1|145\n2|155\n", "SELECT k, sum(id) FROM '%s/parts' GROUP BY k ORDER BY k",
                directory);
}

static void an_external_table_takes_rows(void **state) {
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/taken", directory);
    mkdir(path, 0700);
    put("taken/a.lines", "1\n");
    run("CREATE EXTERNAL TABLE taken (id BIGINT) STORED AS lines LOCATION '%s/taken/'", directory);
    run("INSERT INTO taken VALUES (2), (3)");
    expect_rows("1\n2\n3\n", "SELECT id FROM taken ORDER BY id");
    run("DROP TABLE taken");
}

/* ---- Registering ---- */

static void an_extension_of_the_interface_with_encodings_reads_and_writes(void **state) {
    (void)state;
    run("LOAD '%s'", EXTENSIONS "/abi_4.so");
    run("COPY (SELECT value %% 256 AS v FROM range(10000) ORDER BY value) TO '%s/old.abi4'",
        directory);
    expect_rows("10000|1273080\n", "SELECT count(*), sum(byte) FROM '%s/old.abi4'", directory);
}

static void encodings_are_listed(void **state) {
    (void)state;
    expect_rows("lines|encoding|extension|numbers in lines\nsealed|encoding|extension|read only\n",
                "SELECT name, type, origin, summary FROM system.extensions WHERE extension = "
                "'encodings' AND type <> 'extension' ORDER BY name");
}

static void wrong_encodings_are_refused_and_nothing_of_the_extension_stays(void **state) {
    static const struct {
        const char *how, *message;
    } cases[] = {
        {"null", "an encoding is required"},
        {"small", "its size is 8"},
        {"no_read", "the required slot `read` is NULL"},
        {"format", "files named *.parquet are weir's own"},
        {"compression", "files named *.gz are weir's own"},
        {"upper", "its suffix \"X\" is not a lower case letter"},
        {"twice", "files named *.ln are of the encoding \"lines\" already"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_workspace *other = NULL;
        struct weir_session *own = NULL;
        struct weir_error error = {0};
        struct ArrowArrayStream rows;
        char sql[512];
        assert_int_equal(weir_workspace_open(NULL, &other, &error), WEIR_OK);
        assert_int_equal(weir_session_open(other, NULL, &own, &error), WEIR_OK);
        snprintf(sql, sizeof sql, "LOAD '%s' (how '%s')", LIBRARY, cases[i].how);
        assert_int_not_equal(weir_query(own, sql, &rows, NULL, &error), WEIR_OK);
        if (!strstr(error.message, cases[i].message)) fail_msg("%s", error.message);
        put("r.lines", "1\n");
        snprintf(sql, sizeof sql, "SELECT id FROM '%s/r.lines'", directory);
        assert_int_not_equal(weir_query(own, sql, &rows, NULL, &error), WEIR_OK);
        weir_session_close(own);
        weir_workspace_close(other);
    }
}

static void a_session_that_was_there_knows_them(void **state) {
    (void)state;
    struct weir_workspace *other = NULL;
    struct weir_session *own = NULL;
    struct weir_error error = {0};
    struct ArrowArrayStream rows;
    char sql[512];
    int64_t n = 0;
    assert_int_equal(weir_workspace_open(NULL, &other, &error), WEIR_OK);
    assert_int_equal(weir_session_open(other, NULL, &own, &error), WEIR_OK);
    put("r.lines", "1\n2\n");
    assert_int_equal(weir_query(own, "SELECT 1", &rows, NULL, &error), WEIR_OK);
    rows.release(&rows);
    snprintf(sql, sizeof sql, "LOAD '%s'", LIBRARY);
    assert_int_equal(weir_query(own, sql, &rows, NULL, &error), WEIR_OK);
    if (rows.release) rows.release(&rows);
    snprintf(sql, sizeof sql, "SELECT id FROM '%s/r.lines'", directory);
    assert_int_equal(weir_query(own, sql, &rows, NULL, &error), WEIR_OK);
    assert_int_equal(drain(&rows, &n, &error), WEIR_OK);
    assert_int_equal(n, 2);
    weir_session_close(own);
    weir_workspace_close(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_a_table_by_its_name),
        cmocka_unit_test(several_files_are_one_table),
        cmocka_unit_test(a_file_without_its_extension_is_of_the_format_that_is_told),
        cmocka_unit_test(columns_that_are_declared_are_cast_and_may_be_missing),
        cmocka_unit_test(a_mount_has_them_as_tables),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(what_a_reader_gives_is_checked),
        cmocka_unit_test(a_scan_that_is_left_is_released),
        cmocka_unit_test(copy_writes_a_file_or_none),
        cmocka_unit_test(copy_partitions),
        cmocka_unit_test(an_external_table_takes_rows),
        cmocka_unit_test(an_extension_of_the_interface_with_encodings_reads_and_writes),
        cmocka_unit_test(encodings_are_listed),
        cmocka_unit_test(wrong_encodings_are_refused_and_nothing_of_the_extension_stays),
        cmocka_unit_test(a_session_that_was_there_knows_them),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
