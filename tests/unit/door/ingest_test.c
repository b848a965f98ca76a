/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk ingest, and the private tables under it. */
#include "support.h"

#include <errno.h>

#include "door/pump.h"

static int ingest(const char *name, int mode, bool temporary, const char *sql, int64_t *ret_n,
                  struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    const struct wr_door_table table = {.name = name};
    rows_of(sql, &rows);
    int code = wr_door_ingest(session, &table, mode, temporary, &rows, ret_n, error);
    assert_null(rows.release);
    return code;
}

static void must_ingest(const char *name, int mode, const char *sql, int64_t expected) {
    struct weir_error error = {0};
    int64_t n_rows = -7;
    if (ingest(name, mode, false, sql, &n_rows, &error) != WEIR_OK) fail_msg("%s", error.message);
    assert_int_equal(n_rows, expected);
}

static void must_fail(const char *name, int mode, const char *sql, int code, const char *sqlstate) {
    struct weir_error error = {0};
    int64_t n_rows = -7;
    assert_int_equal(ingest(name, mode, false, sql, &n_rows, &error), code);
    assert_string_equal(error.sqlstate, sqlstate);
    assert_int_equal(error.position, 0);
    assert_int_equal(n_rows, -7);
}

static void nothing_is_left_behind(void) {
    assert_string_equal(
        answer_to("SELECT name FROM system.tables WHERE name LIKE '%ingest%' AND catalog = 'weir'"),
        "");
}

#define TWO "SELECT column1 AS a, column2 AS b FROM (VALUES (1, 'x'), (2, NULL))"

static void create_makes_a_table_that_was_not_there(void **state) {
    (void)state;
    must_ingest("c", WR_DOOR_CREATE, TWO, 2);
    assert_string_equal(answer_to("SELECT * FROM c ORDER BY a"), "1|x\n2|NULL\n");
    must_fail("c", WR_DOOR_CREATE, TWO, WEIR_ALREADY_EXISTS, "42P07");
    assert_string_equal(answer_to("SELECT count(*) FROM c"), "2\n");
    nothing_is_left_behind();
}

static void append_goes_by_name_and_casts(void **state) {
    (void)state;
    run("CREATE TABLE p (a BIGINT, b VARCHAR, c INT DEFAULT 7)");
    must_ingest("p", WR_DOOR_APPEND, "SELECT 'y' AS b, CAST(3 AS SMALLINT) AS a", 1);
    must_ingest("p", WR_DOOR_APPEND, "SELECT '4' AS a", 1);
    assert_string_equal(answer_to("SELECT * FROM p ORDER BY a"), "3|y|7\n4|NULL|7\n");
    must_fail("p", WR_DOOR_APPEND, "SELECT 1 AS a, 2 AS z", WEIR_INVALID_ARGUMENT, "42703");
    must_fail("p", WR_DOOR_APPEND, "SELECT 'five' AS a", WEIR_INVALID_DATA, "22P02");
    must_fail("nowhere", WR_DOOR_APPEND, TWO, WEIR_NOT_FOUND, "42P01");
    assert_string_equal(answer_to("SELECT count(*) FROM p"), "2\n");
    nothing_is_left_behind();
}

static void replace_makes_it_anew(void **state) {
    (void)state;
    must_ingest("r", WR_DOOR_REPLACE, TWO, 2);
    must_ingest("r", WR_DOOR_REPLACE, "SELECT 9 AS z", 1);
    assert_string_equal(answer_to("SELECT z FROM r"), "9\n");
}

static void a_failed_replace_leaves_the_old_rows(void **state) {
    (void)state;
    must_ingest("k", WR_DOOR_REPLACE, TWO, 2);
    struct weir_error error = {0};
    assert_int_not_equal(ingest("k", WR_DOOR_REPLACE, false,
                                "SELECT 1 / (column1 - 2) AS a FROM (VALUES (1), (2))", NULL,
                                &error),
                         WEIR_OK);
    assert_string_equal(answer_to("SELECT count(*) FROM k"), "2\n");
    nothing_is_left_behind();
}

static void create_append_does_either(void **state) {
    (void)state;
    must_ingest("ca", WR_DOOR_CREATE_APPEND, TWO, 2);
    must_ingest("ca", WR_DOOR_CREATE_APPEND, "SELECT 3 AS a", 1);
    assert_string_equal(answer_to("SELECT a, b FROM ca ORDER BY a"), "1|x\n2|NULL\n3|NULL\n");
}

static void temporary_tables_are_made_and_replaced(void **state) {
    (void)state;
    assert_int_equal(ingest("tmp", WR_DOOR_CREATE, true, TWO, NULL, NULL), WEIR_OK);
    assert_string_equal(answer_to("SELECT is_temporary FROM system.tables WHERE name = 'tmp'"),
                        "true\n");
    assert_int_equal(ingest("tmp", WR_DOOR_CREATE, true, TWO, NULL, NULL), WEIR_ALREADY_EXISTS);
    assert_int_equal(ingest("tmp", WR_DOOR_REPLACE, true, "SELECT 1 AS a", NULL, NULL), WEIR_OK);
    assert_string_equal(answer_to("SELECT * FROM tmp"), "1\n");
}

static void names_are_quoted_and_no_rows_are_rows(void **state) {
    (void)state;
    must_ingest("a \"b\"; DROP TABLE c", WR_DOOR_CREATE, "SELECT 1 AS \"A \"\"q\"\"\" WHERE 1 = 0",
                0);
    must_ingest("a \"b\"; DROP TABLE c", WR_DOOR_APPEND, "SELECT 5 AS \"A \"\"q\"\"\"", 1);
    assert_string_equal(answer_to("SELECT \"A \"\"q\"\"\" FROM \"a \"\"b\"\"; DROP TABLE c\""),
                        "5\n");
}

static void what_makes_no_sense_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(ingest("x", 0, false, TWO, NULL, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(ingest("", WR_DOOR_CREATE, false, TWO, NULL, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(ingest(NULL, WR_DOOR_CREATE, false, TWO, NULL, &error), WEIR_INVALID_ARGUMENT);
}

/* ---- Private tables ---- */

/* Rows that the engine may ask for though they come out of it. */
static struct wr_pump *pumped(struct ArrowArrayStream *ret_rows) {
    struct ArrowArrayStream rows = {0};
    struct wr_pump *pump = NULL;
    rows_of(TWO, &rows);
    assert_int_equal(wr_pump_open(&rows, &pump, ret_rows, NULL), WEIR_OK);
    return pump;
}

static void a_pump_that_was_closed_gives_nothing_any_more(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    struct wr_pump *pump = pumped(&rows);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    assert_int_equal(batch.length, 2);
    batch.release(&batch);
    wr_pump_close(pump);
    assert_int_equal(rows.get_next(&rows, &batch), ECANCELED);
    rows.release(&rows);
    /* Never begun; and the stream gone first. */
    pump = pumped(&rows);
    wr_pump_close(pump);
    rows.release(&rows);
    pump = pumped(&rows);
    rows.release(&rows);
    wr_pump_close(pump);
}

static void a_private_table_is_seen_by_its_session_alone(void **state) {
    (void)state;
    struct ArrowArrayStream rows = {0};
    struct weir_session *other = NULL;
    struct weir_error error = {0};
    struct wr_pump *pump = pumped(&rows);
    assert_int_equal(weir_register_stream(session, "mine", &rows, WEIR_REGISTER_PRIVATE, NULL),
                     WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &other, NULL), WEIR_OK);
    assert_int_equal(weir_query(other, "SELECT * FROM mine", &rows, NULL, &error), WEIR_NOT_FOUND);
    assert_int_equal(weir_unregister(other, "mine", &error), WEIR_NOT_FOUND);
    assert_string_equal(answer_to("SELECT name FROM system.tables WHERE name = 'mine'"), "");
    run("USE system");
    assert_string_equal(answer_to("SELECT sum(a) FROM mine"), "3\n");
    run("USE weir");
    assert_int_equal(weir_unregister(session, "mine", NULL), WEIR_OK);
    assert_int_equal(weir_unregister(session, "mine", &error), WEIR_NOT_FOUND);
    assert_int_equal(weir_query(session, "SELECT * FROM mine", &rows, NULL, &error),
                     WEIR_NOT_FOUND);
    weir_session_close(other);
    wr_pump_close(pump);
}

static void a_private_table_ends_with_its_session(void **state) {
    (void)state;
    struct weir_session *other = NULL;
    struct weir_error error = {0};
    for (int i = 0; i < 2; i++) {
        struct ArrowArrayStream rows = {0};
        assert_int_equal(weir_session_open(workspace, NULL, &other, NULL), WEIR_OK);
        assert_int_equal(weir_query(other, "SELECT * FROM mine", &rows, NULL, &error),
                         WEIR_NOT_FOUND);
        struct wr_pump *pump = pumped(&rows);
        assert_int_equal(weir_register_stream(other, "mine", &rows, WEIR_REGISTER_PRIVATE, NULL),
                         WEIR_OK);
        weir_session_close(other);
        wr_pump_close(pump);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_makes_a_table_that_was_not_there),
        cmocka_unit_test(append_goes_by_name_and_casts),
        cmocka_unit_test(replace_makes_it_anew),
        cmocka_unit_test(a_failed_replace_leaves_the_old_rows),
        cmocka_unit_test(create_append_does_either),
        cmocka_unit_test(temporary_tables_are_made_and_replaced),
        cmocka_unit_test(names_are_quoted_and_no_rows_are_rows),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_pump_that_was_closed_gives_nothing_any_more),
        cmocka_unit_test(a_private_table_is_seen_by_its_session_alone),
        cmocka_unit_test(a_private_table_ends_with_its_session),
    };
    return cmocka_run_group_tests(tests, open_workspace, close_workspace);
}
