/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions: abi_1.c, which is as the first ones were, and odd.c, which has faults. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

#define ABI_1 EXTENSIONS "/abi_1.so"
#define ABI_3 EXTENSIONS "/abi_3.so"
#define ODD EXTENSIONS "/odd.so"

/* A workspace of the test's own, in place of the suite's. */
static struct weir_workspace *suite_workspace;
static struct weir_session *suite_session;

static int open_own(void **state) {
    (void)state;
    suite_workspace = workspace;
    suite_session = session;
    if (weir_workspace_open(NULL, &workspace, NULL)) return -1;
    return weir_session_open(workspace, NULL, &session, NULL);
}

static int close_own(void **state) {
    (void)state;
    weir_session_close(session);
    weir_workspace_close(workspace);
    workspace = suite_workspace;
    session = suite_session;
    return 0;
}

/* ---- The first interface ---- */

static void an_extension_of_the_first_interface_has_every_form(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_1);
    expect_rows("0|0|n0|0.0|true\n1|1|n1|0.5|false\n2|2|n2|1.0|true\n",
                "SELECT * FROM abi1_rows(rows => 3, partitions => 2) ORDER BY id");
    expect_number(100000, "SELECT count(*) FROM abi1_rows(rows => 100000, partitions => 7)");
    run("COPY (SELECT 7 AS a) TO '%s/one.csv' (FORMAT csv)", directory);
    expect_number(7, "SELECT a FROM abi1_files(text => 'file://%s/one.csv')", directory);
    expect_number(42, "SELECT a FROM abi1_query(text => 'SELECT 42 AS a')");
    expect_rows("1|x\n2|y\n", "SELECT a, b FROM abi1_union(rows => 1) ORDER BY a");
    expect_rows("0|0|n0|0.0|true\n1|1|n1|0.5|false\n", "SELECT * FROM abi1_remote(rows => 2)");
    expect_error(NULL, "option \"colour\"", "SELECT * FROM abi1_rows(colour => 'red')");
    run("CREATE TABLE t USING abi1_rows OPTIONS (rows 5, free.Thing x)");
    expect_number(10, "SELECT sum(id) FROM t");
    run("DROP TABLE t");
}

static void its_mount_shows_tables_and_files(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_1);
    run("ATTACH 'x' AS m (TYPE abi1_mount)");
    expect_number(3, "SELECT count(*) FROM m.t");
    expect_number(3, "SELECT count(*) FROM '/m/t'");
    struct weir_node *node = NULL;
    struct weir_file *file = NULL;
    char text[16] = "";
    size_t length = 0;
    assert_int_equal(weir_node_open(session, "/m/hello.txt", &node, NULL), WEIR_OK);
    assert_int_equal(weir_file_open(node, NULL, &file, NULL), WEIR_OK);
    assert_int_equal(weir_file_read(file, 1, text, sizeof text - 1, &length, NULL), WEIR_OK);
    assert_string_equal(text, "ello\n");
    weir_file_close(file);
    weir_node_close(node);
    run("DETACH m");
}

static void a_finder_is_asked_for_kinds_that_nobody_registered(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_1);
    expect_number(0, "SELECT count(*) FROM system.extensions WHERE name = 'abi1_found'");
    expect_number(4, "SELECT count(*) FROM abi1_found(rows => 4)");
    run("CREATE TABLE t USING abi1_found OPTIONS (rows 6)");
    expect_number(6, "SELECT count(*) FROM t");
    expect_rows("table kind|extension|abi1\n",
                "SELECT type, origin, extension FROM system.extensions WHERE name = 'abi1_found'");
    expect_error("42704", "there is no table kind \"abi1_lost\"",
                 "CREATE TABLE u USING abi1_lost OPTIONS (rows 6)");
    expect_error(NULL, "extension \"abi1\": the list of kinds is away",
                 "CREATE TABLE u USING abi1_broken OPTIONS (rows 6)");
    /* It may register kinds whenever it likes. */
    expect_error("42704", "there is no table kind \"abi1_later\"",
                 "CREATE TABLE u USING abi1_later OPTIONS (rows 6)");
    expect_error("42704", NULL, "CREATE TABLE u USING abi1_register OPTIONS (rows 6)");
    expect_number(8, "SELECT count(*) FROM abi1_later(rows => 8)");
}

static void what_was_loaded_is_listed(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_1);
    char *library = ask("SELECT library FROM system.extensions WHERE type = 'extension'");
    assert_non_null(strstr(library, "/abi_1.so"));
    free(library);
    expect_rows("abi1|1.0|the first interface|sql|abi1\n",
                "SELECT name, version, summary, origin, extension FROM system.extensions WHERE "
                "type = 'extension'");
    expect_rows("abi1_files\nabi1_mount\nabi1_query\nabi1_remote\nabi1_rows\nabi1_union\n",
                "SELECT name FROM system.extensions WHERE extension = 'abi1' AND type <> "
                "'extension' ORDER BY name");
}

static void an_extension_of_the_interface_with_functions_computes(void **state) {
    (void)state;
    run("LOAD '%s'", EXTENSIONS "/abi_2.so");
    expect_number(-7, "SELECT abi2_negative(7)");
    expect_rows("0|-99990000\n1|-100000000\n",
                "SELECT value %% 2 AS k, abi2_total(abi2_negative(value)) FROM range(20000) GROUP "
                "BY k ORDER BY k");
}

/* ---- The interface whose slots hear of the end ---- */

static void *interrupt_when_it_waits(void *n_waiting) {
    wait_for(n_waiting, 1);
    weir_session_interrupt(session);
    return NULL;
}

static void a_slot_that_waits_hears_of_the_end_of_its_statement(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_3);
    void *library = dlopen(ABI_3, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    _Atomic int64_t *n_waiting = dlsym(library, "abi3_n_waiting");
    const _Atomic int64_t *n_unheard = dlsym(library, "abi3_n_unheard");
    static const char *const slots[] = {"open", "form", "statistics", "scan"};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_when_it_waits, n_waiting), 0);
        expect_error("57014", NULL, "SELECT * FROM abi3_waits(\"in\" => '%s')", slots[i]);
        pthread_join(thread, NULL);
        assert_int_equal(*n_waiting, 0);
    }
    /* Also where the statement has no plan. */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_when_it_waits, n_waiting), 0);
    expect_error("57014", NULL, "CREATE TABLE t USING abi3_waits OPTIONS (\"in\" 'open')");
    pthread_join(thread, NULL);
    assert_int_equal(*n_unheard, 0);
    dlclose(library);
}

/* ---- Loading ---- */

static void loading_again_changes_nothing(void **state) {
    (void)state;
    run("LOAD '%s'", ABI_1);
    run("LOAD '%s'", ABI_1);
    expect_number(1, "SELECT count(*) FROM system.extensions WHERE type = 'extension'");
    expect_error("42710", "abi1 is loaded already", "LOAD '%s' (a b)", ABI_1);
}

static void an_extension_that_refuses_leaves_nothing(void **state) {
    (void)state;
    struct weir_error error = expect_error("XX000", "abi_1.so\": not on a Sunday",
                                           "LOAD '%s' (refuse 'not on a Sunday')", ABI_1);
    assert_int_equal(error.code, WEIR_UNAUTHORIZED);
    assert_int_equal(error.vendor_code, 11);
    expect_number(0, "SELECT count(*) FROM system.extensions WHERE extension = 'abi1'");
    expect_error("42704", NULL, "CREATE TABLE t USING abi1_rows OPTIONS (rows 1)");
    run("LOAD '%s'", ABI_1);
    expect_number(1, "SELECT count(*) FROM abi1_rows(rows => 1)");
}

static void what_is_no_extension_is_refused_with_its_path_and_the_reason(void **state) {
    (void)state;
    expect_error("58P01", "\"/nowhere/x.so\": No such file", "LOAD '/nowhere/x.so'");
    expect_error(NULL, "it is not a file", "LOAD '%s'", EXTENSIONS "/");
    run("COPY (SELECT 7 AS a) TO '%s/x.so' (FORMAT csv)", directory);
    expect_error(NULL, "/x.so\": file too short", "LOAD '%s/x.so'", directory);
    expect_error(NULL, "exports no weir_extension_init", "LOAD '%s'", EXTENSIONS "/nothing.so");
    expect_error("42704", "no extension \"nonesuch\" comes with this weir", "LOAD nonesuch");
    expect_error(NULL, "neither the name of an extension", "LOAD 'a b'");
    expect_error(NULL, "neither the name of an extension", "LOAD ''");
    expect_error("42601", NULL, "LOAD");
    expect_error("42601", NULL, "LOAD 'x' 'y'");
}

static void faults_of_an_extension_are_told(void **state) {
    (void)state;
    static const struct {
        const char *how, *message;
    } cases[] = {
        {"silent", "it gave no reason"},
        {"slot", "it has slots that this version of weir does not know"},
        {"twice", "kind \"odd\" is registered already"},
        {"abi", "it was compiled for the extension interface 2; this weir has 1"},
        {"no_abi", "it was compiled for the extension interface 0"},
        {"name", "its name \"Not a name\""},
        {"version", "it tells no version"},
        {"no_size", "`size` is not set"},
        {"huge", "its size is"},
        {"member", "it has members that weir"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_error error =
            expect_error(NULL, cases[i].message, "LOAD '%s' (how %s)", ODD, cases[i].how);
        assert_non_null(strstr(error.message, "odd.so"));
        expect_number(0, "SELECT count(*) FROM system.extensions WHERE extension = 'odd'");
    }
    /* Room for what is not known and not used is no fault. */
    run("LOAD '%s' (how longer)", ODD);
    expect_rows("odd\n", "SELECT kind FROM odd(AnyThing => 'x')");
    /* It needs no options. A name alone is a table's. */
    expect_rows("odd\n", "SELECT kind FROM odd()");
    expect_rows("odd|odd\n", "SELECT a.kind, odd.kind FROM odd() AS a, odd()");
    expect_error("42P01", NULL, "SELECT kind FROM odd");
}

static void a_kind_of_another_name_is_not_found(void **state) {
    (void)state;
    run("LOAD '%s' (how finder)", ODD);
    expect_error(NULL, "asked for the table kind \"wanted\" and found \"odd\"",
                 "CREATE TABLE t USING wanted OPTIONS (a 1)");
}

static void each_workspace_has_its_own_and_closes_it(void **state) {
    (void)state;
    void *library = dlopen(ODD, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    const int *n_closed = dlsym(library, "odd_n_closed");
    assert_non_null(n_closed);
    int before = *n_closed;
    struct weir_workspace *other = NULL;
    struct weir_session *sessions[2] = {session};
    assert_int_equal(weir_workspace_open(NULL, &other, NULL), WEIR_OK);
    assert_int_equal(weir_session_open(other, NULL, &sessions[1], NULL), WEIR_OK);
    run("LOAD '%s'", ODD);
    session = sessions[1];
    expect_error("42704", NULL, "CREATE TABLE t USING odd OPTIONS (a 1)");
    run("LOAD '%s'", ODD);
    run("CREATE TABLE t USING odd OPTIONS (a 1)");
    expect_rows("odd\n", "SELECT * FROM t");
    session = sessions[0];
    weir_session_close(sessions[1]);
    weir_workspace_close(other);
    assert_int_equal(*n_closed, before + 1);
    expect_rows("odd\n", "SELECT kind FROM odd(a => 1)");
    dlclose(library);
}

#define OWN(test) cmocka_unit_test_setup_teardown(test, open_own, close_own)

int main(void) {
    const struct CMUnitTest tests[] = {
        OWN(an_extension_of_the_first_interface_has_every_form),
        OWN(its_mount_shows_tables_and_files),
        OWN(a_finder_is_asked_for_kinds_that_nobody_registered),
        OWN(what_was_loaded_is_listed),
        OWN(an_extension_of_the_interface_with_functions_computes),
        OWN(a_slot_that_waits_hears_of_the_end_of_its_statement),
        OWN(loading_again_changes_nothing),
        OWN(an_extension_that_refuses_leaves_nothing),
        OWN(what_is_no_extension_is_refused_with_its_path_and_the_reason),
        OWN(faults_of_an_extension_are_told),
        OWN(a_kind_of_another_name_is_not_found),
        OWN(each_workspace_has_its_own_and_closes_it),
    };
    return cmocka_run_group_tests(tests, suite_open, suite_close);
}
