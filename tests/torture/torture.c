/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of the library's C half fails in turn, over all that a program does with it:
 * open, query, prepare, register, encode, error, close. Each time there must be a result or the
 * error 53200, the library must work on, and (under AddressSanitizer) nothing must leak.
 *
 * torture [NAME]: all scenarios, or one.
 */
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "nanoarrow/nanoarrow.h"
#include "engine/engine.h"
#include "torture.h"
#include "weir.h"

/* More than any scenario makes; a scenario that never ends is a failure. */
#define MOST_ALLOCATIONS 20000

static struct weir_workspace *workspace;
static struct weir_session *session;
static char directory[] = "/tmp/weir-torture-XXXXXX";

static void die(const char *what, const char *detail) {
    fprintf(stderr, "not ok - %s: %s\n", what, detail);
    exit(1);
}

static int drain(struct ArrowArrayStream *rows, struct weir_error *error) {
    int code;
    while (true) {
        struct ArrowArray batch = {0};
        code = rows->get_next(rows, &batch);
        if (code != 0 || batch.release == NULL) break;
        batch.release(&batch);
    }
    if (code != 0) code = weir_stream_error(rows, error) == WEIR_OK ? error->code : WEIR_UNKNOWN;
    rows->release(rows);
    return code;
}

static int query(const char *sql, struct weir_error *error) {
    struct ArrowArrayStream rows;
    int code = weir_query(session, sql, &rows, NULL, error);
    return code != WEIR_OK ? code : drain(&rows, error);
}

static void must_query(const char *sql) {
    struct weir_error error = {0};
    if (query(sql, &error) != WEIR_OK) die(sql, error.message);
}

struct given given;

static void must(int code) {
    if (code != NANOARROW_OK) die("test data", strerror(code));
}

/* A struct of one column of int64. */
static void make_batch(int n, struct ArrowSchema *ret_schema, struct ArrowArray *ret_array) {
    ArrowSchemaInit(ret_schema);
    must(ArrowSchemaSetTypeStruct(ret_schema, 1));
    must(ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64));
    must(ArrowSchemaSetName(ret_schema->children[0], "a"));
    must(ArrowArrayInitFromSchema(ret_array, ret_schema, NULL));
    must(ArrowArrayStartAppending(ret_array));
    for (int i = 0; i < n; i++) {
        must(ArrowArrayAppendInt(ret_array->children[0], i));
        must(ArrowArrayFinishElement(ret_array));
    }
    must(ArrowArrayFinishBuildingDefault(ret_array, NULL));
}

static void give(void) {
    struct ArrowSchema schema;
    struct ArrowArray batch;
    make_batch(3, &schema, &batch);
    must(ArrowBasicArrayStreamInit(&given.rows, &schema, 1));
    ArrowBasicArrayStreamSetArray(&given.rows, 0, &batch);
    make_batch(1, &given.types, &given.row);
}

static void take_back(void) {
    if (given.rows.release != NULL) given.rows.release(&given.rows);
    if (given.types.release != NULL) given.types.release(&given.types);
    if (given.row.release != NULL) given.row.release(&given.row);
}

/* ---- Scenarios: WEIR_OK or the code of the first failure ---- */

static int open_and_close(const char *path, struct weir_error *error) {
    struct weir_workspace_options options = {.size = sizeof options, .path = path, .threads = 1};
    struct weir_option settings[] = {{"datafusion.execution.batch_size", "100"}};
    struct weir_session_options session_options = {
        .size = sizeof session_options, .settings = settings, .n_settings = 1};
    struct weir_workspace *own = NULL;
    struct weir_session *conversation = NULL;
    int code = weir_workspace_open(&options, &own, error);
    if (code == WEIR_OK) code = weir_session_open(own, &session_options, &conversation, error);
    weir_session_close(conversation);
    weir_workspace_close(own);
    return code;
}

static int prepare(const char *sql, struct weir_error *error) {
    struct weir_statement *statement = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArrayStream rows;
    struct weir_progress progress = {.size = sizeof progress};
    char *metrics = NULL;
    int code = weir_prepare(session, sql, &statement, error);
    if (code == WEIR_OK) code = weir_statement_schema(statement, &schema, error);
    if (schema.release != NULL) schema.release(&schema);
    if (code == WEIR_OK) code = weir_statement_parameters(statement, &schema, error);
    if (schema.release != NULL) schema.release(&schema);
    if (code == WEIR_OK) code = weir_statement_bind(statement, &given.types, &given.row, error);
    if (code == WEIR_OK) code = weir_statement_execute(statement, &rows, NULL, error);
    if (code == WEIR_OK) code = drain(&rows, error);
    if (code == WEIR_OK) code = weir_statement_progress(statement, &progress, error);
    if (code == WEIR_OK) code = weir_statement_metrics(statement, &metrics, error);
    if (code == WEIR_OK) code = weir_statement_cancel(statement, error);
    weir_free(metrics);
    weir_statement_close(statement);
    return code;
}

static int register_once(const char *name, struct weir_error *error) {
    int code = weir_register_stream(session, name, &given.rows, WEIR_REGISTER_ONCE, error);
    return code != WEIR_OK ? code : query("SELECT sum(a) FROM once", error);
}

static int register_rows(const char *name, struct weir_error *error) {
    int code = weir_register_stream(session, name, &given.rows, WEIR_REGISTER_ROWS, error);
    return code != WEIR_OK ? code : query("SELECT sum(a) FROM kept WHERE a > 0", error);
}

static int register_path(const char *path, struct weir_error *error) {
    int code = weir_register_path(session, "by_path", path, error);
    return code != WEIR_OK ? code : query("SELECT count(*) FROM by_path", error);
}

static int write_nothing(void *context, const void *data, size_t length) {
    (void)context;
    (void)data;
    (void)length;
    return 0;
}

static int encode(const char *format, struct weir_error *error) {
    return weir_encode(&given.rows, format, NULL, 0, write_nothing, NULL, error);
}

static int text(const char *sql, struct weir_error *error) {
    struct ArrowArrayStream rows, texts;
    int code = weir_query(session, sql, &rows, NULL, error);
    if (code != WEIR_OK) return code;
    code = weir_text(&rows, &texts, error);
    if (code != WEIR_OK) {
        rows.release(&rows);
        return code;
    }
    return drain(&texts, error);
}

/* Both facets of a node. */
static int read_node(const char *path, struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_file *file = NULL;
    struct ArrowSchema schema = {0};
    char *version = NULL;
    char byte;
    size_t length;
    struct weir_node_info info = {.size = sizeof info};
    int code = weir_node_open(session, path, &node, error);
    if (code == WEIR_OK) weir_node_describe(node, &info);
    if (code == WEIR_OK) code = weir_node_schema(node, &schema, error);
    if (schema.release != NULL) schema.release(&schema);
    if (code == WEIR_OK) code = weir_node_version(node, &version, error);
    weir_free(version);
    if (code == WEIR_OK) code = weir_file_open(node, NULL, &file, error);
    if (code == WEIR_OK) code = weir_file_read(file, 0, &byte, 1, &length, error);
    weir_file_close(file);
    weir_node_close(node);
    return code;
}

static int take_entry(void *context, const struct weir_node_entry *entry) {
    (void)context;
    (void)entry;
    return 0;
}

static int list_node(const char *path, struct weir_error *error) {
    struct weir_node *node = NULL;
    int code = weir_node_open(session, path, &node, error);
    if (code == WEIR_OK) code = weir_node_list(node, take_entry, NULL, error);
    weir_node_close(node);
    return code;
}

static int copy_node(const char *path, struct weir_error *error) {
    int code = weir_copy(session, path, "data/copied.parquet", 1, error);
    if (code == WEIR_OK)
        code = weir_move(session, "data/copied.parquet", "moved.parquet", 1, error);
    return code;
}

static int make_and_remove(const char *path, struct weir_error *error) {
    int code = weir_make_directory(session, path, 1, error);
    if (code == WEIR_OK) code = weir_remove(session, path, 1, error);
    return code;
}

static int set(const char *value, struct weir_error *error) {
    return weir_session_set(session, "datafusion.execution.batch_size", value, error);
}

static const struct scenario {
    const char *name;
    int (*run)(const char *argument, struct weir_error *error);
    const char *argument;
    const char *sqlstate; /* of the error that comes without any failing allocation; NULL: none */
} scenarios[] = {
    {"open in memory", open_and_close, NULL, NULL},
    {"open a directory", open_and_close, "workspace", NULL},
    {"open a directory with a configuration", open_and_close, "configured", NULL},
    {"select", query, "SELECT 1 AS a UNION ALL SELECT 2", NULL},
    {"select from memory", query, "SELECT b, count(*) FROM base WHERE a > 1 GROUP BY b", NULL},
    {"create using values", query,
     "CREATE TABLE made USING values OPTIONS (rows '(1, ''x''), (2, NULL)', columns 'a, b')", NULL},
    {"create using memory", query, "CREATE TABLE made (a INT NOT NULL, b VARCHAR) USING memory",
     NULL},
    {"create as", query, "CREATE TABLE made AS SELECT * FROM base", NULL},
    {"create using files", query, "CREATE TABLE made USING files OPTIONS (path 'data/*.csv')",
     NULL},
    {"create external", query,
     "CREATE EXTERNAL TABLE made (a INT, b VARCHAR) STORED AS CSV LOCATION 'data/one.csv' "
     "OPTIONS ('format.has_header' 'true')",
     NULL},
    {"create view", query, "CREATE OR REPLACE VIEW made_view AS SELECT a FROM base", NULL},
    {"create and drop a schema", query, "CREATE SCHEMA IF NOT EXISTS made_schema", NULL},
    {"read a view", query, "SELECT * FROM base_view", NULL},
    {"read a file", query, "SELECT * FROM 'data/one.csv' WHERE a > 1", NULL},
    {"read hive partitions", query, "SELECT part, sum(a) FROM 'data/hive/' GROUP BY part", NULL},
    {"read a compressed file", query, "SELECT * FROM 'data/packed.csv.gz'", NULL},
    {"read below a root", query, "SELECT a FROM below WHERE a > 1", NULL},
    {"create using sql", query,
     "CREATE TABLE made USING sql OPTIONS (path 'data/x.sql', catalog 'weir', schema 'public', "
     "param.least 'x')",
     NULL},
    {"read a query in a file", query, "SELECT a FROM from_file", NULL},
    {"a bad query in a file", query, "SELECT a FROM from_bad_file", "42601"},
    {"insert", query, "INSERT INTO base VALUES (9, 'nine')", NULL},
    {"delete", query, "DELETE FROM base WHERE a = 9", NULL},
    {"copy", query, "COPY base TO 'data/out.parquet' (FORMAT parquet)", NULL},
    {"show", query, "SHOW TABLES", NULL},
    {"describe", query, "DESCRIBE base", NULL},
    {"information_schema", query,
     "SELECT * FROM information_schema.columns WHERE table_name = 'base'", NULL},
    {"set", set, "512", NULL},
    {"prepare, bind, execute", prepare, "SELECT a, $1 + 1 AS b FROM base WHERE a > $1", NULL},
    {"register a stream", register_once, "once", NULL},
    {"register rows", register_rows, "kept", NULL},
    {"register a path", register_path, "data/one.csv", NULL},
    {"a file's bytes", read_node, "data/one.csv", NULL},
    {"a table's bytes", read_node, "/weir/public/base_view.csv", NULL},
    {"a series' bytes", read_node, "data/hive.jsonl", NULL},
    {"no such node", read_node, "data/nothing.csv", "58P01"},
    {"list a directory", list_node, "data", NULL},
    {"list a schema", list_node, "/weir/public", NULL},
    {"list the top", list_node, "/", NULL},
    {"copy and move", copy_node, "/weir/public/base_view", NULL},
    {"make and remove", make_and_remove, "data/new/deep", NULL},
    {"encode csv", encode, "csv", NULL},
    {"encode parquet", encode, "parquet", NULL},
    {"text", text, "SELECT * FROM base", NULL},
    {"attach", query, "ATTACH 'data' AS made_mount", NULL},
    {"detach nothing", query, "DETACH made_mount", "3D000"},
    {"read a mount", query, "SELECT count(*) FROM base_mount.one", NULL},
    {"read a path of a mount", query, "SELECT * FROM '/base_mount/one.parquet'", NULL},
    {"use a mount", query, "USE base_mount.hive", NULL},
    {"show mounts", query, "SHOW MOUNTS", NULL},
    {"show namespaces", query, "SHOW NAMESPACES", NULL},
    {"create a namespace", query, "CREATE NAMESPACE made_schema", NULL},
    {"call a kind", query, "SELECT * FROM files(path => 'data/one.csv')", NULL},
    {"create a table in a mount", query, "CREATE TABLE base_mount.made (a INT)", "0A000"},
    {"create a cached table", query,
     "CREATE TABLE made USING cached OPTIONS (source 'base', max_age '1h')", NULL},
    {"fetch a table", query, "SELECT * FROM fetched", NULL},
    {"read a copy", query, "SELECT * FROM copied WHERE a > 1", NULL},
    {"read what a copy leaves out", query, "SELECT * FROM windowed", NULL},
    {"fetch what is new", query, "SELECT * FROM appended", NULL},
    {"refresh a table", query, "REFRESH TABLE copied", NULL},
    {"refresh a mount", query, "REFRESH MOUNT base_mount", NULL},
    {"insert through a cached table", query, "INSERT INTO copied VALUES (9, 'nine')", NULL},
    {"change a cached table", query, "UPDATE copied SET a = 1", "0A000"},
    {"list copies", query, "SELECT * FROM system.caches", NULL},
    {"read a mount with a cache", query, "SELECT * FROM cached_mount.one", NULL},
    {"attach with a cache", query, "ATTACH 'data' AS made_mount (TYPE files, cache.max_age '1s')",
     NULL},
    {"a cached table's bytes", read_node, "/weir/public/copied.csv", NULL},
    {"adbc: open", torture_adbc, "open", NULL},
    {"adbc: query for rows of parameters", torture_adbc, "query", NULL},
    {"adbc: change for rows of parameters", torture_adbc, "change", NULL},
    {"adbc: ingest", torture_adbc, "ingest", NULL},
    {"adbc: objects", torture_adbc, "objects", NULL},
    {"adbc: schema of a table", torture_adbc, "schema", NULL},
    {"adbc: info", torture_adbc, "info", NULL},
    {"adbc: statistics", torture_adbc, "statistics", NULL},
    {"adbc: partitions", torture_adbc, "partitions", NULL},
    {"adbc: no such column", torture_adbc, "error", "42703"},
    {"syntax error", query, "SELECT 1 FROM (", "42601"},
    {"no such table", query, "SELECT * FROM nothing", "42P01"},
    {"no such kind", query, "CREATE TABLE made USING nothing", NULL},
    {"no such option", query, "CREATE TABLE made USING values OPTIONS (rows '(1)', colour 'red')",
     NULL},
    {"no such file", query, "SELECT * FROM 'data/nothing.csv'", NULL},
    {"bad value", query, "INSERT INTO base SELECT CAST(b AS INT), b FROM base", NULL},
};

static void clean(void) {
    struct weir_error error;
    query("USE weir", &error);
    query("DETACH IF EXISTS made_mount", &error);
    query("DROP TABLE IF EXISTS made", &error);
    query("DROP VIEW IF EXISTS made_view", &error);
    query("DROP SCHEMA IF EXISTS made_schema", &error);
    query("DELETE FROM base WHERE a = 9", &error);
    query("DROP TABLE IF EXISTS once", &error);
    query("DROP TABLE IF EXISTS kept", &error);
    query("DROP TABLE IF EXISTS by_path", &error);
}

/* Runs a scenario with the n-th allocation failing, for every n until it is not reached. */
static int64_t torture(const struct scenario *scenario) {
    struct weir_error usual = {0};
    give();
    int usual_code = scenario->run(scenario->argument, &usual);
    take_back();
    if (scenario->sqlstate != NULL && strcmp(usual.sqlstate, scenario->sqlstate) != 0)
        die(scenario->name, usual.sqlstate);
    clean();
    for (int64_t n = 1; n < MOST_ALLOCATIONS; n++) {
        struct weir_error error = {0};
        give();
        wr_alloc_fail_at(n);
        int code = scenario->run(scenario->argument, &error);
        bool reached = wr_alloc_fail_at(0) >= n;
        take_back();
        bool out_of_memory = code != WEIR_OK && strcmp(error.sqlstate, "53200") == 0;
        bool as_usual = code == usual_code && strcmp(error.sqlstate, usual.sqlstate) == 0;
        if (!out_of_memory && !as_usual) {
            fprintf(stderr, "not ok - %s: with allocation %lld failing: code %d, SQLSTATE %s: %s\n",
                    scenario->name, (long long)n, code, error.sqlstate, error.message);
            exit(1);
        }
        clean();
        if (!reached) return n - 1;
    }
    die(scenario->name, "its allocations do not end");
    return 0;
}

static void make_data(void) {
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) die(directory, "cannot be made");
    if (system("mkdir -p workspace configured data/hive/part=1 data/hive/part=2 && printf "
               "'a,b\\n1,x\\n2,y\\n' > data/one.csv && printf 'memory_limit: 1GiB\\nspill: {path: "
               "spilled}\\n"
               "settings: {datafusion.execution.batch_size: 100}\\n"
               "mounts: {lake: {url: .}}\\n' > configured/weir.yaml && "
               "cp data/one.csv data/two.csv && printf 'a\\n1\\n' > data/hive/part=1/x.csv && "
               "printf 'a\\n2\\n' > data/hive/part=2/x.csv && printf -- '-- name: x\\n-- input f: "
               "data/one.csv\\n-- param least: \\047z\\047\\nSELECT a FROM f WHERE b <> "
               "$least\\n' > "
               "data/x.sql && printf 'SELECT FROM (' > data/bad.sql && gzip -c data/one.csv > "
               "data/packed.csv.gz") != 0)
        die("test data", "cannot be written");
    must_query("CREATE TABLE base (a INT, b VARCHAR) USING memory");
    must_query("INSERT INTO base VALUES (1, 'x'), (2, 'y'), (3, NULL)");
    must_query("ATTACH 'data' AS base_mount");
    must_query("CREATE VIEW base_view AS SELECT a, b FROM base WHERE a < 3");
    char sql[512];
    snprintf(sql, sizeof sql,
             "CREATE TABLE below USING files OPTIONS (path '%s/data/one.csv', root '%s/data')",
             directory, directory);
    must_query(sql);
    must_query(
        "CREATE TABLE from_file USING sql OPTIONS (path 'data/x.sql', catalog 'weir', schema "
        "'public')");
    must_query("CREATE TABLE from_bad_file USING sql OPTIONS (path 'data/bad.sql')");
    must_query("CREATE TABLE fetched USING cached OPTIONS (source 'base', max_age '0s')");
    must_query("CREATE TABLE copied USING cached OPTIONS (source 'base', max_age '1h')");
    must_query("CREATE VIEW timed AS SELECT a, now() AS ts FROM base");
    must_query("CREATE TABLE windowed USING cached OPTIONS (source 'timed', max_age '0s', mode "
               "window, time_column 'ts', window '1h')");
    must_query("CREATE TABLE appended USING cached OPTIONS (source 'base', max_age '0s', refresh "
               "append, time_column 'a')");
    must_query("ATTACH 'data' AS cached_mount (TYPE files, cache.max_age '0s')");
}

static void remove_data(void) {
    char *paths[] = {directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DP)
            rmdir(entry->fts_accpath);
        else if (entry->fts_info != FTS_D)
            unlink(entry->fts_accpath);
    }
    fts_close(walk);
}

/* The engine is written in Rust: a panic must not pass into C, and must leave the engine usable. */
static void panic_is_an_error(void) {
    struct weir_error error = {0};
    if (wr_engine_panic(&error) != WEIR_INTERNAL || strcmp(error.sqlstate, "XX000") != 0 ||
        strstr(error.message, "panicked") == NULL)
        die("a panic is not an error", error.message);
    must_query("SELECT 1");
}

int main(int argc, char **argv) {
    struct weir_workspace_options options = {.size = sizeof options, .threads = 1};
    struct weir_error error = {0};
    int n_scenarios = sizeof scenarios / sizeof *scenarios;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (weir_workspace_open(&options, &workspace, &error) != WEIR_OK ||
        weir_session_open(workspace, NULL, &session, &error) != WEIR_OK)
        die("open", error.message);
    make_data();
    torture_adbc_open();
    printf("1..%d\n", n_scenarios + 1);
    for (int i = 0; i < n_scenarios; i++) {
        if (argc > 1 && strcmp(argv[1], scenarios[i].name) != 0) continue;
        int64_t n = torture(&scenarios[i]);
        printf("ok %d - %s: each of %lld allocations failed\n", i + 1, scenarios[i].name,
               (long long)n);
    }
    panic_is_an_error();
    printf("ok %d - a panic inside the engine becomes an error\n", n_scenarios + 1);
    must_query("SELECT count(*) FROM base");
    torture_adbc_close();
    weir_session_close(session);
    weir_workspace_close(workspace);
    remove_data();
    return 0;
}
