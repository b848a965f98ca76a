/* SPDX-License-Identifier: Apache-2.0 */
/* weir.h as a program uses it, with the engine. */
#include "rows.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct weir_workspace *workspace;
static struct weir_session *session;
static struct weir_error error;
static char directory[] = "/tmp/weir-session-XXXXXX";

static int open_at(const char *path) {
    struct weir_workspace_options options = {
        .size = sizeof options, .path = path, .threads = 2, .memory_limit = 256 << 20};
    assert_int_equal(weir_workspace_open(&options, &workspace, &error), WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &session, &error), WEIR_OK);
    return 0;
}

static void close_all(void) {
    weir_session_close(session);
    weir_workspace_close(workspace);
}

static int setup(void **state) {
    (void)state;
    memset(&error, 0, sizeof error);
    return open_at(NULL);
}

static int teardown(void **state) {
    (void)state;
    close_all();
    return 0;
}

/* Runs a statement and gives the affected rows; fails the test with the message of an error. */
static int64_t run(const char *sql) {
    struct ArrowArrayStream rows = {0};
    int64_t affected = -7;
    int code = weir_query(session, sql, &rows, &affected, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    rows.release(&rows);
    return affected;
}

/* Runs a statement that must fail, at once or while reading, and gives the code. */
static int refused(const char *sql) {
    struct ArrowArrayStream rows = {0};
    memset(&error, 0, sizeof error);
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code) {
        assert_null(rows.release);
        return code;
    }
    int64_t n_rows = 0;
    assert_int_equal(rows_sum(&rows, -1, &n_rows), -1);
    assert_int_equal(weir_stream_error(&rows, &error), WEIR_OK);
    rows.release(&rows);
    return error.code;
}

/* The sum of the first column, a BIGINT. */
static int64_t sum(const char *sql) {
    struct ArrowArrayStream rows = {0};
    int64_t affected = 0;
    int64_t n_rows = 0;
    int code = weir_query(session, sql, &rows, &affected, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    assert_int_equal(affected, -1);
    int64_t found = rows_sum(&rows, 0, &n_rows);
    rows.release(&rows);
    return found;
}

/* ---- Statements ---- */

static void affected_rows_are_counted_by_every_kind_of_statement(void **state) {
    (void)state;
    assert_int_equal(run("CREATE TABLE t (a BIGINT)"), 0);
    assert_int_equal(run("INSERT INTO t VALUES (1), (2), (3)"), 3);
    assert_int_equal(run("CREATE TABLE u AS SELECT a FROM t WHERE a > 1"), 2);
    assert_int_equal(run("CREATE TABLE w USING memory AS SELECT a FROM t"), 3);
    assert_int_equal(run("CREATE VIEW v AS SELECT a + 1 AS a FROM u"), 0);
    assert_int_equal(run("SET datafusion.execution.batch_size = 64"), 0);
    assert_int_equal(run("SELECT 1"), -1);
    assert_int_equal(sum("SELECT a FROM v"), 7);
    assert_int_equal(sum("SELECT a FROM w"), 6);
}

static void a_create_that_finds_its_table_does_not_run_its_query(void **state) {
    (void)state;
    run("CREATE TABLE t AS SELECT 1 AS a");
    assert_int_equal(run("CREATE TABLE IF NOT EXISTS t AS SELECT 1 / (a - a) AS a FROM t"), 0);
    assert_int_equal(refused("CREATE TABLE t AS SELECT 1 / (a - a) AS a FROM t"),
                     WEIR_ALREADY_EXISTS);
}

static void a_failing_query_makes_no_table_and_tells_the_engines_error(void **state) {
    (void)state;
    run("CREATE TABLE t AS SELECT * FROM generate_series(0, 100000) AS s(a)");
    assert_int_not_equal(refused("CREATE TABLE u AS SELECT 1 / (a - 99999) AS b FROM t"), WEIR_OK);
    assert_non_null(strstr(error.message, "Divide by zero"));
    assert_int_equal(refused("SELECT * FROM u"), WEIR_NOT_FOUND);
    assert_int_not_equal(refused("CREATE OR REPLACE TABLE t AS SELECT 1 / (a - 99999) AS a FROM t"),
                         WEIR_OK);
    assert_int_equal(sum("SELECT count(*) FROM t"), 100001);
}

static void a_view_resolves_names_as_when_it_was_made(void **state) {
    (void)state;
    run("CREATE TABLE t AS SELECT CAST(1 AS BIGINT) AS a");
    run("CREATE SCHEMA other");
    run("CREATE VIEW other.v AS SELECT a FROM t");
    run("SET datafusion.catalog.default_schema = 'other'");
    run("CREATE TABLE t AS SELECT CAST(2 AS BIGINT) AS a");
    run("CREATE VIEW w AS SELECT a FROM t");
    assert_int_equal(sum("SELECT a FROM v"), 1);
    assert_int_equal(sum("SELECT a FROM w"), 2);
    run("SET datafusion.catalog.default_schema = 'public'");
    assert_int_equal(sum("SELECT a FROM other.w"), 2);
}

static void create_using_places_errors_in_the_statement_as_written(void **state) {
    (void)state;
    const char *sql = "CREATE TABLE t (a BIGINT) USING memory AS SELECT nope";
    assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "42703");
    assert_int_equal(error.position, strstr(sql, "nope") - sql + 1);
}

static void columns_that_share_a_name_are_refused(void **state) {
    (void)state;
    const char *query = "SELECT x.a, y.a FROM (SELECT 1 AS a) AS x, (SELECT 2 AS a) AS y";
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE TABLE t AS %s", query);
    assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "duplicate unqualified field name \"a\""));
    snprintf(sql, sizeof sql, "CREATE VIEW t AS %s", query);
    assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
    snprintf(sql, sizeof sql, "CREATE TABLE t USING memory AS %s", query);
    assert_int_equal(refused(sql), WEIR_INVALID_ARGUMENT);
}

static void external_tables_take_their_options_with_or_without_a_prefix(void **state) {
    (void)state;
    char path[] = "/tmp/weir-external-XXXXXX.csv";
    int file = mkstemps(path, 4);
    assert_true(file >= 0);
    const char text[] = "1;10\n2;20\n";
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    char sql[300];
    snprintf(sql, sizeof sql,
             "CREATE EXTERNAL TABLE e (a BIGINT, b BIGINT) STORED AS CSV LOCATION '%s' "
             "OPTIONS ('has_header' 'false', 'format.delimiter' ';')",
             path);
    run(sql);
    assert_int_equal(sum("SELECT b FROM e"), 30);
    assert_int_equal(refused(sql), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "Execution error: External table 'e' already exists");
    unlink(path);
}

/* ---- Prepared statements ---- */

static void bind_one(struct weir_statement *statement, int64_t value) {
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    rows_stream((struct rows_plan){1, 1, value, 0, 0}, &rows);
    assert_int_equal(rows.get_schema(&rows, &schema), 0);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    /* Two columns: id and name. */
    assert_int_equal(weir_statement_bind(statement, &schema, &batch, &error), WEIR_OK);
    assert_null(batch.release);
    schema.release(&schema);
    rows.release(&rows);
}

static int64_t execute_sum(struct weir_statement *statement) {
    struct ArrowArrayStream rows = {0};
    int64_t n_rows = 0;
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_OK);
    int64_t found = rows_sum(&rows, 0, &n_rows);
    rows.release(&rows);
    return found;
}

static void a_prepared_query_runs_again_with_other_values(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowSchema schema;
    const char *sql = "SELECT CAST($1 AS BIGINT) * 2 AS x WHERE length($2) > 0";
    assert_int_equal(weir_prepare(session, sql, &statement, &error), WEIR_OK);
    assert_int_equal(weir_statement_is_query(statement), 1);
    assert_int_equal(weir_statement_schema(statement, &schema, &error), WEIR_OK);
    assert_string_equal(schema.children[0]->name, "x");
    schema.release(&schema);
    assert_int_equal(weir_statement_parameters(statement, &schema, &error), WEIR_OK);
    assert_int_equal(schema.n_children, 2);
    assert_string_equal(schema.children[0]->name, "1");
    schema.release(&schema);
    bind_one(statement, 21);
    assert_int_equal(execute_sum(statement), 42);
    assert_int_equal(execute_sum(statement), 42);
    bind_one(statement, 4);
    assert_int_equal(execute_sum(statement), 8);
    weir_statement_close(statement);
}

static void a_prepared_change_takes_effect_at_execute(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowSchema schema;
    struct ArrowArrayStream rows;
    int64_t affected = -7;
    assert_int_equal(weir_prepare(session, "CREATE TABLE t AS SELECT 1 AS a", &statement, &error),
                     WEIR_OK);
    assert_int_equal(refused("SELECT * FROM t"), WEIR_NOT_FOUND);
    assert_int_equal(weir_statement_is_query(statement), 0);
    assert_int_equal(weir_statement_schema(statement, &schema, &error), WEIR_OK);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
    assert_int_equal(weir_statement_execute(statement, &rows, &affected, &error), WEIR_OK);
    assert_int_equal(affected, 1);
    rows.release(&rows);
    assert_int_equal(sum("SELECT a FROM t"), 1);
    assert_int_equal(weir_statement_execute(statement, &rows, &affected, &error),
                     WEIR_ALREADY_EXISTS);
    weir_statement_close(statement);
}

/* ---- Cancel and progress ---- */

static const char endless[] = "SELECT count(*) FROM generate_series(1, 10000000) AS a(x), "
                              "generate_series(1, 10000000) AS b(y)"
                              " WHERE x * y % 7 = 8";

static void *cancel_soon(void *context) {
    usleep(100000);
    assert_int_equal(weir_statement_cancel(context, NULL), WEIR_OK);
    return NULL;
}

static void a_running_query_is_cancelled_from_another_thread(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream rows;
    int64_t n_rows = 0;
    pthread_t thread;
    assert_int_equal(weir_prepare(session, endless, &statement, &error), WEIR_OK);
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, statement), 0);
    assert_int_equal(rows_sum(&rows, 0, &n_rows), -1);
    pthread_join(thread, NULL);
    assert_int_equal(weir_stream_error(&rows, &error), WEIR_OK);
    assert_int_equal(error.code, WEIR_CANCELLED);
    assert_string_equal(error.sqlstate, "57014");
    rows.release(&rows);
    weir_statement_close(statement);
}

static void a_running_create_is_cancelled_and_makes_no_table(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream rows;
    char sql[300];
    pthread_t thread;
    snprintf(sql, sizeof sql, "CREATE TABLE t AS %s", endless);
    assert_int_equal(weir_prepare(session, sql, &statement, &error), WEIR_OK);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, statement), 0);
    assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_CANCELLED);
    pthread_join(thread, NULL);
    weir_statement_close(statement);
    assert_int_equal(refused("SELECT * FROM t"), WEIR_NOT_FOUND);
}

static void a_cancel_without_an_execution_does_not_touch_the_next(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    assert_int_equal(weir_prepare(session, "SELECT CAST(5 AS BIGINT)", &statement, &error), 0);
    assert_int_equal(weir_statement_cancel(statement, &error), WEIR_OK);
    assert_int_equal(execute_sum(statement), 5);
    assert_int_equal(weir_statement_cancel(statement, &error), WEIR_OK);
    assert_int_equal(execute_sum(statement), 5);
    weir_statement_close(statement);
}

static void a_cancel_after_the_announcement_ends_the_execution_to_come(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct ArrowArrayStream rows;
    char id[WEIR_ID_SIZE], other[WEIR_ID_SIZE];
    assert_int_equal(weir_prepare(session, "SELECT CAST(5 AS BIGINT)", &statement, &error), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_statement_announce(statement, &error), WEIR_OK);
        weir_statement_id(statement, id);
        assert_string_not_equal(id, "");
        assert_int_equal(weir_statement_cancel(statement, &error), WEIR_OK);
        assert_int_equal(weir_statement_execute(statement, &rows, NULL, &error), WEIR_CANCELLED);
        assert_int_equal(execute_sum(statement), 5);
    }
    /* What was cancelled and never executed is forgotten. */
    assert_int_equal(weir_statement_announce(statement, &error), WEIR_OK);
    weir_statement_id(statement, id);
    assert_int_equal(weir_statement_cancel(statement, &error), WEIR_OK);
    assert_int_equal(weir_statement_announce(statement, &error), WEIR_OK);
    weir_statement_id(statement, other);
    assert_string_not_equal(id, other);
    assert_int_equal(execute_sum(statement), 5);
    weir_statement_id(statement, id);
    assert_string_equal(id, other);
    weir_statement_close(statement);
    assert_int_equal(sum("SELECT count(*) FROM system.queries WHERE state = 'planning'"), 0);
}

static void progress_and_metrics_tell_of_the_last_execution(void **state) {
    (void)state;
    struct weir_statement *statement = NULL;
    struct weir_progress progress = {.size = sizeof progress};
    char *text = NULL;
    run("CREATE TABLE t AS SELECT x FROM generate_series(1, 1000) AS s(x)");
    assert_int_equal(weir_prepare(session, "SELECT x FROM t WHERE x > 10", &statement, &error), 0);
    assert_int_equal(weir_statement_progress(statement, &progress, &error), WEIR_INVALID_STATE);
    assert_int_equal(weir_statement_metrics(statement, &text, &error), WEIR_INVALID_STATE);
    execute_sum(statement);
    assert_int_equal(weir_statement_progress(statement, &progress, &error), WEIR_OK);
    assert_int_equal(progress.rows_returned, 990);
    assert_int_equal(progress.rows_read, 1000);
    assert_int_equal(progress.finished, 1);
    assert_int_equal(weir_statement_metrics(statement, &text, &error), WEIR_OK);
    assert_non_null(strstr(text, "StreamExec"));
    weir_free(text);
    progress.size = 0;
    assert_int_equal(weir_statement_progress(statement, &progress, &error), WEIR_INVALID_ARGUMENT);
    weir_statement_close(statement);
}

/* ---- Registered tables ---- */

static int register_rows(const char *name, struct rows_plan plan, int mode,
                         struct ArrowArrayStream *ret_left) {
    struct ArrowArrayStream rows;
    rows_stream(plan, &rows);
    int code = weir_register_stream(session, name, &rows, mode, &error);
    assert_int_equal(rows.release == NULL, code == WEIR_OK);
    if (ret_left) {
        *ret_left = rows;
    } else if (rows.release) {
        rows.release(&rows);
    }
    return code;
}

static void registered_rows_are_read_any_number_of_times(void **state) {
    (void)state;
    struct rows_plan plan = {4, 10, 0, 0, 0};
    assert_int_equal(register_rows("r", plan, WEIR_REGISTER_ROWS, NULL), WEIR_OK);
    assert_int_equal(sum("SELECT id FROM r"), 780);
    assert_int_equal(sum("SELECT a.id FROM r AS a JOIN r AS b ON a.id = b.id"), 780);
    plan.n_batches = 1;
    assert_int_equal(register_rows("r", plan, WEIR_REGISTER_ROWS, NULL), WEIR_OK);
    assert_int_equal(sum("SELECT id FROM r"), 45);
}

static void a_registered_stream_is_read_once(void **state) {
    (void)state;
    struct rows_plan plan = {4, 10, 0, 0, 0};
    assert_int_equal(register_rows("r", plan, WEIR_REGISTER_ONCE, NULL), WEIR_OK);
    run("EXPLAIN SELECT id FROM r");
    assert_int_equal(sum("SELECT id FROM r WHERE name <> 'n1'"), 779);
    assert_int_equal(refused("SELECT id FROM r"), WEIR_INVALID_STATE);
    assert_non_null(strstr(error.message, "table \"r\" is a stream that was read already"));
}

static void a_stream_that_cannot_be_registered_stays_the_callers(void **state) {
    (void)state;
    struct ArrowArrayStream left = {0};
    run("CREATE TABLE t AS SELECT 1 AS a");
    const int modes[] = {WEIR_REGISTER_ROWS, WEIR_REGISTER_ONCE};
    for (size_t i = 0; i < N_OF(modes); i++) {
        struct rows_plan plan = {1, 10, 0, 0, 0};
        assert_int_equal(register_rows("t", plan, modes[i], &left), WEIR_ALREADY_EXISTS);
        assert_non_null(left.release);
        left.release(&left);
    }
    struct rows_plan broken = {3, 10, 0, 0, 1};
    assert_int_not_equal(register_rows("r", broken, WEIR_REGISTER_ROWS, &left), WEIR_OK);
    assert_non_null(strstr(error.message, "the disk is gone"));
    left.release(&left);
    assert_int_equal(refused("SELECT * FROM r"), WEIR_NOT_FOUND);
    assert_int_equal(register_rows("r", broken, 7, NULL), WEIR_INVALID_ARGUMENT);
}

static void a_path_is_registered_under_a_name(void **state) {
    (void)state;
    char path[] = "/tmp/weir-path-XXXXXX.csv";
    int file = mkstemps(path, 4);
    assert_true(file >= 0);
    assert_int_equal(write(file, "a,b\n1,2\n3,4\n", 12), 12);
    close(file);
    assert_int_equal(weir_register_path(session, "p", path, &error), WEIR_OK);
    assert_int_equal(sum("SELECT b FROM p"), 6);
    assert_int_equal(weir_register_path(session, "p", path, &error), WEIR_OK);
    unlink(path);
    assert_int_equal(weir_register_path(session, "q", path, &error), WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, path));
}

/* ---- Workspaces ---- */

static void a_workspace_keeps_its_definitions(void **state) {
    (void)state;
    char spill[64];
    struct stat found;
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    open_at(directory);
    run("CREATE SCHEMA s");
    run("CREATE VIEW s.v AS SELECT CAST(3 AS BIGINT) AS a");
    run("CREATE TABLE m AS SELECT 1 AS a");
    close_all();
    open_at(directory);
    assert_int_equal(sum("SELECT a FROM s.v"), 3);
    assert_int_equal(refused("SELECT a FROM m"), WEIR_NOT_FOUND);
    close_all();
    snprintf(spill, sizeof spill, "%s/.weir/spill", directory);
    assert_int_equal(stat(spill, &found), 0);
    assert_int_equal(found.st_nlink, 2);
    char command[80];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    struct weir_workspace *none = NULL;
    struct weir_workspace_options options = {.size = sizeof options, .memory_limit = -1};
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "memory_limit"));
    options = (struct weir_workspace_options){.size = sizeof options, .path = "/nowhere/at/all"};
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_NOT_FOUND);
    options = (struct weir_workspace_options){0};
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "`size` is not set"));
    struct {
        struct weir_workspace_options known;
        int64_t unknown;
    } newer = {.known = {.size = sizeof newer}, .unknown = 1};
    assert_int_equal(weir_workspace_open(&newer.known, &none, &error), WEIR_NOT_IMPLEMENTED);
    assert_null(none);
}

static void a_session_outlives_a_workspace_that_was_closed_too_early(void **state) {
    (void)state;
    open_at(NULL);
    weir_workspace_close(workspace);
    assert_int_equal(sum("SELECT CAST(1 AS BIGINT)"), 1);
    weir_session_close(session);
}

static void settings_of_a_session_are_its_own_and_unknown_ones_are_refused(void **state) {
    (void)state;
    struct weir_session *other = NULL;
    struct weir_option setting = {"datafusion.execution.batch_size", "17"};
    struct weir_session_options options = {
        .size = sizeof options, .settings = &setting, .n_settings = 1};
    assert_int_equal(weir_session_open(workspace, &options, &other, &error), WEIR_OK);
    weir_session_close(other);
    setting.key = "datafusion.execution.nope";
    assert_int_not_equal(weir_session_open(workspace, &options, &other, &error), WEIR_OK);
    options.functions = "postgres";
    assert_int_equal(weir_session_open(workspace, &options, &other, &error), WEIR_INVALID_ARGUMENT);
}

static int64_t setting(const char *name) {
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT CAST(value AS BIGINT) FROM information_schema.df_settings WHERE name = "
             "'datafusion.execution.%s'",
             name);
    return sum(sql);
}

static void write_configuration(const char *text) {
    char path[80];
    snprintf(path, sizeof path, "%s/weir.yaml", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void reopen(const struct weir_workspace_options *options) {
    weir_session_close(session);
    weir_workspace_close(workspace);
    memset(&error, 0, sizeof error);
    int code = weir_workspace_open(options, &workspace, &error);
    if (code) print_error("%s\n", error.message);
    assert_int_equal(code, WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &session, &error), WEIR_OK);
}

static void a_workspace_reads_the_configuration_beside_its_state(void **state) {
    struct weir_workspace_options options = {.size = sizeof options, .path = directory};
    struct weir_option setting_of_workspace = {"threads", "4"};
    struct stat found;
    char path[80];
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_configuration("threads: 3\n"
                        "memory_limit: 64MiB\n"
                        "spill.path: spilled\n"
                        "catalog: {name: own, schema: first}\n"
                        "settings: {datafusion.execution.batch_size: 100}\n");
    setup(state);
    reopen(&options);
    assert_int_equal(setting("target_partitions"), 3);
    assert_int_equal(setting("batch_size"), 100);
    assert_int_equal(sum("SELECT count(*) FROM information_schema.schemata WHERE catalog_name = "
                         "'own' AND schema_name = 'first'"),
                     1);
    snprintf(path, sizeof path, "%s/spilled", directory);
    assert_int_equal(stat(path, &found), 0);

    options.settings = &setting_of_workspace;
    options.n_settings = 1;
    options.catalog = "mine";
    reopen(&options);
    assert_int_equal(setting("target_partitions"), 4);
    assert_int_equal(sum("SELECT count(*) FROM information_schema.schemata WHERE catalog_name = "
                         "'mine' AND schema_name = 'first'"),
                     1);
    options.threads = 2;
    reopen(&options);
    assert_int_equal(setting("target_partitions"), 2);
    options.config = "";
    reopen(&options);
    assert_int_equal(setting("batch_size"), 8192);
    teardown(state);
}

static void a_wrong_configuration_is_told_with_its_line(void **state) {
    struct weir_workspace_options options = {.size = sizeof options, .path = directory};
    struct weir_workspace *none = NULL;
    struct weir_session *no_session = NULL;
    char command[80];
    (void)state;
    write_configuration("\nthreds: 3\n");
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "weir.yaml:2: unknown key \"threds\""));
    assert_null(none);
    options.config = "/nowhere/weir.yaml";
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_NOT_FOUND);
    options.config = NULL;
    write_configuration("settings:\n  datafusion.execution.batch_siz: 3\n");
    assert_int_equal(weir_workspace_open(&options, &none, &error), WEIR_OK);
    assert_int_not_equal(weir_session_open(none, NULL, &no_session, &error), WEIR_OK);
    assert_ptr_equal(
        strstr(error.message, "weir.yaml:2: settings.datafusion.execution.batch_siz: "),
        error.message);
    weir_workspace_close(none);
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

static int64_t count_rows(const char *sql) {
    struct ArrowArrayStream rows = {0};
    int64_t n_rows = 0;
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    rows_sum(&rows, -1, &n_rows);
    rows.release(&rows);
    return n_rows;
}

static void statements_on_names_are_prepared_and_take_effect_at_execute(void **state) {
    (void)state;
    struct weir_statement *attach = NULL;
    struct weir_statement *show = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows = {0};
    int64_t affected = -7;
    assert_int_equal(weir_prepare(session, "ATTACH '/' AS all_of_it", &attach, &error), WEIR_OK);
    assert_int_equal(weir_prepare(session, "SHOW MOUNTS", &show, &error), WEIR_OK);
    assert_int_equal(weir_statement_is_query(attach), 0);
    assert_int_equal(weir_statement_is_query(show), 1);
    assert_int_equal(weir_statement_schema(show, &schema, &error), WEIR_OK);
    assert_int_equal(schema.n_children, 4);
    assert_string_equal(schema.children[3]->name, "origin");
    schema.release(&schema);
    assert_int_equal(weir_statement_schema(attach, &schema, &error), WEIR_OK);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
    assert_int_equal(weir_statement_parameters(show, &schema, &error), WEIR_OK);
    assert_int_equal(schema.n_children, 0);
    schema.release(&schema);
    int64_t n_before = count_rows("SHOW MOUNTS");
    assert_int_equal(weir_statement_execute(attach, &rows, &affected, &error), WEIR_OK);
    rows.release(&rows);
    assert_int_equal(affected, 0);
    assert_int_equal(weir_statement_execute(show, &rows, &affected, &error), WEIR_OK);
    assert_int_equal(affected, -1);
    int64_t n_rows = 0;
    rows_sum(&rows, -1, &n_rows);
    assert_int_equal(n_rows, n_before + 1);
    rows.release(&rows);
    assert_int_equal(weir_statement_execute(attach, &rows, &affected, &error), WEIR_ALREADY_EXISTS);
    weir_statement_close(attach);
    weir_statement_close(show);
}

static void use_is_a_sessions_own_and_a_failed_one_changes_nothing(void **state) {
    (void)state;
    struct weir_session *other = NULL;
    struct weir_session *first = session;
    run("CREATE NAMESPACE n");
    run("CREATE TABLE n.t AS SELECT CAST(5 AS BIGINT) AS a");
    run("USE n");
    assert_int_equal(refused("USE nothing"), WEIR_NOT_FOUND);
    assert_int_equal(sum("SELECT a FROM t"), 5);
    assert_int_equal(weir_session_open(workspace, NULL, &other, &error), WEIR_OK);
    session = other;
    assert_int_equal(refused("SELECT a FROM t"), WEIR_NOT_FOUND);
    assert_int_equal(sum("SELECT a FROM n.t"), 5);
    session = first;
    weir_session_close(other);
}

static void a_directory_that_links_to_itself_is_listed_once(void **state) {
    (void)state;
    char command[256];
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof command,
             "cd '%s' && mkdir logs && echo a > x.csv && echo 1 >> x.csv && cp x.csv logs && "
             "ln -s . again && ln -s ../logs logs/again",
             directory);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "ATTACH '%s' AS lake", directory);
    run(command);
    assert_int_equal(count_rows("SHOW NAMESPACES"), 3);
    assert_int_equal(sum("SELECT a FROM lake.\"again/logs/again\".x"), 1);
    run("DETACH lake");
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void every_code_has_a_name(void **state) {
    (void)state;
    assert_string_equal(weir_version(), "0.1.0");
    assert_non_null(strstr(weir_engine_version(), "DataFusion"));
    for (int code = WEIR_OK; code <= WEIR_UNAUTHORIZED; code++) {
        assert_true(strlen(weir_code_name(code)) > 1);
        assert_int_equal(code != WEIR_UNKNOWN && strcmp(weir_code_name(code), "unknown") == 0, 0);
    }
    assert_string_equal(weir_code_name(-1), "unknown");
    assert_string_equal(weir_code_name(15), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(affected_rows_are_counted_by_every_kind_of_statement),
        TEST(a_create_that_finds_its_table_does_not_run_its_query),
        TEST(a_failing_query_makes_no_table_and_tells_the_engines_error),
        TEST(a_view_resolves_names_as_when_it_was_made),
        TEST(create_using_places_errors_in_the_statement_as_written),
        TEST(columns_that_share_a_name_are_refused),
        TEST(external_tables_take_their_options_with_or_without_a_prefix),
        TEST(a_prepared_query_runs_again_with_other_values),
        TEST(a_prepared_change_takes_effect_at_execute),
        TEST(a_running_query_is_cancelled_from_another_thread),
        TEST(a_running_create_is_cancelled_and_makes_no_table),
        TEST(a_cancel_without_an_execution_does_not_touch_the_next),
        TEST(a_cancel_after_the_announcement_ends_the_execution_to_come),
        TEST(progress_and_metrics_tell_of_the_last_execution),
        TEST(registered_rows_are_read_any_number_of_times),
        TEST(a_registered_stream_is_read_once),
        TEST(a_stream_that_cannot_be_registered_stays_the_callers),
        TEST(a_path_is_registered_under_a_name),
        cmocka_unit_test(a_workspace_keeps_its_definitions),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(a_workspace_reads_the_configuration_beside_its_state),
        cmocka_unit_test(a_wrong_configuration_is_told_with_its_line),
        cmocka_unit_test(a_session_outlives_a_workspace_that_was_closed_too_early),
        TEST(settings_of_a_session_are_its_own_and_unknown_ones_are_refused),
        TEST(statements_on_names_are_prepared_and_take_effect_at_execute),
        TEST(use_is_a_sessions_own_and_a_failed_one_changes_nothing),
        TEST(a_directory_that_links_to_itself_is_listed_once),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
