/* SPDX-License-Identifier: Apache-2.0 */
/* The file facet: own bytes, encoded ones, and the spool behind them. */
#include "tree.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_READERS = 16 };

static struct weir_file_info describe(const struct weir_file *file) {
    struct weir_file_info info = {.size = sizeof info};
    weir_file_describe(file, &info);
    return info;
}

/* A path's bytes as text. */
static const char *text_of(const char *path, const char *encoding, int is_own) {
    static char text[2000];
    struct weir_file *file = file_of(path, encoding);
    assert_int_equal(describe(file).is_own, is_own);
    char *data = bytes_of(file, NULL);
    snprintf(text, sizeof text, "%s", data);
    free(data);
    weir_file_close(file);
    return text;
}

/* ---- Own bytes ---- */

static void a_file_gives_its_own_bytes(void **state) {
    (void)state;
    const char *numbers = "a,b\n1,x\n2,y\n3,z\n";
    assert_string_equal(text_of("/lake/numbers.csv", NULL, 1), numbers);
    assert_string_equal(text_of("/lake/numbers.csv", "csv", 1), numbers);
    assert_string_equal(text_of("/lake/numbers", NULL, 1), numbers);
    assert_string_equal(text_of("/lake/numbers", "csv", 1), numbers);
    assert_string_equal(text_of(at("lake/numbers.csv"), NULL, 1), numbers);
    assert_string_equal(text_of("/lake/notes.txt", NULL, 1), "twelve bytes");
    assert_string_equal(text_of("/lake/doubled.sql", NULL, 1), "SELECT a * 2 AS a FROM numbers\n");
    struct weir_file *file = file_of("/lake/numbers.csv", NULL);
    struct weir_file_info info = describe(file);
    assert_int_equal(info.n_bytes, 16);
    assert_string_equal(info.encoding, "csv");
    assert_non_null(info.version);
    assert_true(info.modified_ns > 0);
    weir_file_close(file);
    file = file_of("/lake/notes.txt", NULL);
    assert_null(describe(file).encoding);
    weir_file_close(file);
    assert_int_equal(n_spooled(), -1);
}

static void a_table_of_one_file_of_the_encoding_gives_that_file(void **state) {
    (void)state;
    char sql[300];
    snprintf(sql, sizeof sql, "CREATE TABLE t USING files OPTIONS (path '%s')",
             at("lake/numbers.csv"));
    run(sql);
    assert_string_equal(text_of("/weir/public/t.csv", NULL, 1), "a,b\n1,x\n2,y\n3,z\n");
    mkdir(at("lake/one"), 0777);
    put_text(at("lake/one/part.csv"), "a\n5\n");
    assert_string_equal(text_of("/lake/one.csv", NULL, 1), "a\n5\n");
    assert_string_equal(text_of("/lake/one", "csv", 1), "a\n5\n");
    assert_int_equal(n_spooled(), -1);
}

static void a_file_that_is_not_all_of_its_table_is_encoded(void **state) {
    (void)state;
    char sql[300];
    /* Another dialect than a reader of .csv expects, declared columns, a partition. */
    put_text(at("lake/semicolons.csv"), "a;b\n1;x\n");
    snprintf(sql, sizeof sql, "CREATE TABLE s USING files OPTIONS (path '%s')",
             at("lake/semicolons.csv"));
    run(sql);
    assert_string_equal(text_of("/weir/public/s.csv", NULL, 0), "a,b\n1,x\n");
    snprintf(sql, sizeof sql,
             "CREATE TABLE d (a VARCHAR, b VARCHAR) USING files OPTIONS (path '%s')",
             at("lake/numbers.csv"));
    run(sql);
    assert_string_equal(text_of("/weir/public/d.csv", NULL, 0), "a,b\n1,x\n2,y\n3,z\n");
    mkdir(at("lake/parts"), 0777);
    mkdir(at("lake/parts/k=1"), 0777);
    put_text(at("lake/parts/k=1/x.csv"), "a\n5\n");
    assert_string_equal(text_of("/lake/parts.csv", NULL, 0), "a,k\n5,1\n");
    /* Several files. */
    mkdir(at("lake/two"), 0777);
    put_text(at("lake/two/1.csv"), "a\n5\n");
    put_text(at("lake/two/2.csv"), "a\n6\n");
    const char *both = text_of("/lake/two.csv", NULL, 0);
    assert_true(strcmp(both, "a\n5\n6\n") == 0 || strcmp(both, "a\n6\n5\n") == 0);
}

static void an_open_file_keeps_its_bytes_when_the_path_changes(void **state) {
    (void)state;
    struct weir_file *file = file_of("/lake/numbers.csv", NULL);
    put_text(at("lake/new.csv"), "a,b\n9,new\n");
    assert_int_equal(rename(at("lake/new.csv"), at("lake/numbers.csv")), 0);
    char *data = bytes_of(file, NULL);
    assert_string_equal(data, "a,b\n1,x\n2,y\n3,z\n");
    free(data);
    weir_file_close(file);
    file = file_of("/lake/numbers.csv", NULL);
    FILE *same = fopen(at("lake/numbers.csv"), "ae");
    fputs("10,more\n", same);
    fclose(same);
    size_t length = 0;
    char byte;
    /* Written in its place: not mixed. */
    assert_int_not_equal(weir_file_read(file, 0, &byte, 1, &length, &error), WEIR_OK);
    assert_contains(error.message, "changed while it was read");
    weir_file_close(file);
}

/* ---- Encoded bytes ---- */

static void every_encoding_gives_the_rows_back(void **state) {
    (void)state;
    const char *const encodings[] = {"parquet", "arrow", "csv", "json", "jsonl", "tsv"};
    const char *const paths[] = {"/weir/public/c", "/lake/logs", "/lake/doubled", "/weir/public/v"};
    const int64_t sums[] = {499500, 210, 12, 6};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        for (size_t j = 0; j < sizeof encodings / sizeof *encodings; j++) {
            char path[100];
            char name[100];
            char sql[300];
            snprintf(path, sizeof path, "%s.%s", paths[i], encodings[j]);
            snprintf(name, sizeof name, "copy%zu.%s", i, encodings[j]);
            struct weir_file *file = file_of(path, NULL);
            assert_int_equal(describe(file).is_own, 0);
            assert_string_equal(describe(file).encoding, encodings[j]);
            save(file, name);
            weir_file_close(file);
            snprintf(sql, sizeof sql, "SELECT CAST(sum(a) AS BIGINT) FROM '%s'", at(name));
            assert_int_equal(number(sql), sums[i]);
            /* By name and by argument they are the same bytes. */
            int64_t n_bytes = 0;
            struct weir_node *node = node_at(paths[i]);
            assert_int_equal(weir_file_is_ready(node, encodings[j], &n_bytes), 1);
            struct stat status;
            assert_int_equal(stat(at(name), &status), 0);
            assert_int_equal(n_bytes, status.st_size);
            weir_node_close(node);
        }
    }
    assert_int_equal(n_spooled(), 24);
    assert_int_equal(counted->reads, 6);
}

static void a_query_in_a_file_may_say_its_encoding(void **state) {
    (void)state;
    put_text(at("lake/daily.sql"), "-- format: csv\nSELECT 1 AS a\n");
    assert_string_equal(text_of("/lake/daily", NULL, 0), "a\n1\n");
    assert_string_equal(text_of("/lake/daily.jsonl", NULL, 0), "{\"a\":1}\n");
    assert_string_equal(text_of("/lake/daily.sql", NULL, 1), "-- format: csv\nSELECT 1 AS a\n");
}

static void an_empty_result_is_a_valid_file_with_its_columns(void **state) {
    (void)state;
    run("CREATE VIEW none AS SELECT a, b FROM v WHERE a > 100");
    struct weir_file *file = file_of("/weir/public/none.parquet", NULL);
    save(file, "none.parquet");
    weir_file_close(file);
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) + count(a) + count(b) FROM '%s'",
             at("none.parquet"));
    assert_int_equal(number(sql), 0);
    assert_string_equal(text_of("/weir/public/none.csv", NULL, 0), "a,b\n");
}

static void unchanged_bytes_come_from_the_spool_without_running_anything(void **state) {
    (void)state;
    struct weir_file *file = file_of("/weir/public/c.csv", NULL);
    char *version = strdup(describe(file).version);
    weir_file_close(file);
    assert_int_equal(counted->reads, 1);
    file = file_of("/weir/public/c", "csv");
    assert_string_equal(describe(file).version, version);
    weir_file_close(file);
    close_workspace();
    open_workspace();
    file = file_of("/weir/public/c.csv", NULL);
    assert_string_equal(describe(file).version, version);
    weir_file_close(file);
    assert_int_equal(counted->reads, 1);
    counted->revision = 5;
    file = file_of("/weir/public/c.csv", NULL);
    assert_string_not_equal(describe(file).version, version);
    char *data = bytes_of(file, NULL);
    assert_memory_equal(data, "a\n5\n6\n", 6);
    weir_file_close(file);
    assert_int_equal(counted->reads, 2);
    assert_int_equal(n_spooled(), 2);
    free(data);
    free(version);
}

static void a_table_without_version_is_encoded_for_each_reader_and_not_kept(void **state) {
    (void)state;
    struct weir_file *first = file_of("/weir/public/u.csv", NULL);
    struct weir_file *second = file_of("/weir/public/u.csv", NULL);
    assert_int_equal(counted->reads, 2);
    assert_null(describe(first).version);
    char *data = bytes_of(first, NULL);
    assert_memory_equal(data, "a\n0\n1\n", 6);
    free(data);
    assert_int_equal(n_spooled(), 0);
    struct weir_node *node = node_at("/weir/public/u.csv");
    assert_int_equal(weir_file_is_ready(node, NULL, NULL), 0);
    weir_node_close(node);
    weir_file_close(first);
    weir_file_close(second);
}

static void an_input_that_changes_meanwhile_has_the_rows_encoded_again(void **state) {
    (void)state;
    counted->change = 2;
    struct weir_file *file = file_of("/weir/public/c.csv", NULL);
    char *data = bytes_of(file, NULL);
    assert_memory_equal(data, "a\n2\n3\n", 6);
    free(data);
    weir_file_close(file);
    assert_int_equal(counted->reads, 3);
    assert_int_equal(n_spooled(), 1);
    counted->change = 100;
    counted->revision = 50;
    struct weir_node *node = node_at("/weir/public/c.csv");
    struct weir_file *none = NULL;
    assert_int_equal(weir_file_open(node, NULL, &none, &error), WEIR_INVALID_STATE);
    assert_contains(error.message, "changed while it was encoded");
    assert_int_equal(counted->reads, 6);
    assert_int_equal(n_spooled(), 1);
    weir_node_close(node);
}

static void a_file_that_is_replaced_under_a_node_is_read_as_it_is_now(void **state) {
    (void)state;
    struct weir_node *node = node_at("/lake/doubled.csv");
    struct weir_file *file = NULL;
    char *version = NULL;
    assert_ok(weir_node_version(node, &version, &error));
    weir_free(version);
    put_text(at("lake/new.csv"), "a,b\n100,x\n");
    assert_int_equal(rename(at("lake/new.csv"), at("lake/numbers.csv")), 0);
    assert_ok(weir_file_open(node, NULL, &file, &error));
    char *data = bytes_of(file, NULL);
    assert_string_equal(data, "a\n200\n");
    free(data);
    weir_file_close(file);
    weir_node_close(node);
}

static void what_has_no_version_is_kept_for_as_long_as_was_set(void **state) {
    (void)state;
    const struct weir_option settings[] = {{"spool.max_age", "1s"}};
    close_workspace();
    open_workspace_with(settings, 1);
    weir_file_close(file_of("/weir/public/u.csv", NULL));
    weir_file_close(file_of("/weir/public/u.csv", NULL));
    assert_int_equal(counted->reads, 1);
    assert_int_equal(n_spooled(), 1);
    weir_file_close(file_of("/weir/public/u.json", NULL));
    assert_int_equal(counted->reads, 2);
    usleep(1100000);
    weir_file_close(file_of("/weir/public/u.csv", NULL));
    assert_int_equal(counted->reads, 3);
}

static void the_settings_of_the_spool_and_the_encoder_take_effect(void **state) {
    (void)state;
    char spool[100];
    snprintf(spool, sizeof spool, "%s", at("elsewhere"));
    const struct weir_option settings[] = {{"spool.path", spool},
                                           {"spool.max_bytes", "6000"},
                                           {"encoding.parquet.compression", "none"}};
    struct weir_file *file = file_of("/weir/public/c.parquet", NULL);
    int64_t packed = describe(file).n_bytes;
    weir_file_close(file);
    close_workspace();
    open_workspace_with(settings, 3);
    file = file_of("/weir/public/c.parquet", NULL);
    assert_true(describe(file).n_bytes > packed);
    save(file, "c.parquet");
    weir_file_close(file);
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT CAST(sum(a) AS BIGINT) FROM '%s'", at("c.parquet"));
    assert_int_equal(number(sql), 499500);
    /* About 4 kB each. */
    weir_file_close(file_of("/weir/public/c.csv", NULL));
    weir_file_close(file_of("/weir/public/c.tsv", NULL));
    assert_int_equal(count_names(spool), 1);
}

/* ---- What cannot be had ---- */

static int refused(const char *path, const char *encoding) {
    struct weir_node *node = node_at(path);
    struct weir_file *file = NULL;
    memset(&error, 0, sizeof error);
    int code = weir_file_open(node, encoding, &file, &error);
    assert_int_equal(weir_file_is_ready(node, encoding, NULL), 0);
    weir_node_close(node);
    assert_null(file);
    return code;
}

static void what_has_no_bytes_says_what_it_is_and_what_would_do(void **state) {
    (void)state;
    assert_int_equal(refused("/lake/empty", NULL), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "\"/lake/empty\" is a directory and has no bytes");
    assert_int_equal(refused("/lake/notes.txt", "parquet"), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "\"/lake/notes.txt\" is a plain file of 12 bytes and no table: it cannot "
                        "be had as parquet; read its bytes as they are");
    assert_int_equal(refused("/weir/public/v", NULL), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "\"/weir/public/v.parquet\"");
    assert_int_equal(refused("/lake/logs", NULL), WEIR_INVALID_ARGUMENT);
    assert_int_equal(refused("/lake/doubled", NULL), WEIR_INVALID_ARGUMENT);
    assert_int_equal(refused("/weir/public/v", "parqet"), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "the nearest is \"parquet\"");
}

static void a_type_that_the_encoding_cannot_hold_is_an_error_that_names_the_column(void **state) {
    (void)state;
    run("CREATE VIEW i AS SELECT INTERVAL '1 month' AS span");
    int code = refused("/weir/public/i.parquet", NULL);
    assert_int_equal(code, WEIR_NOT_IMPLEMENTED);
    assert_contains(error.message, "span");
    assert_int_equal(n_spooled(), 0);
}

static void a_failing_query_leaves_nothing(void **state) {
    (void)state;
    run("CREATE VIEW z AS SELECT 1 / (a - 999) AS x FROM c");
    struct weir_node *node = node_at("/weir/public/z.csv");
    struct weir_file *file = NULL;
    assert_int_not_equal(weir_file_open(node, NULL, &file, &error), WEIR_OK);
    assert_contains(error.message, "Divide by zero");
    assert_int_equal(n_spooled(), 0);
    weir_node_close(node);
}

/* ---- At the same time ---- */

struct reader {
    int code;
    int64_t n_bytes;
    char start[8];
};

static void *read_encoded(void *context) {
    struct reader *reader = context;
    struct weir_node *node = NULL;
    struct weir_file *file = NULL;
    struct weir_error own = {0};
    size_t length = 0;
    reader->code = weir_node_open(session, "/weir/public/c.csv", &node, &own);
    if (reader->code == WEIR_OK) reader->code = weir_file_open(node, NULL, &file, &own);
    if (reader->code == WEIR_OK)
        reader->code = weir_file_read(file, 0, reader->start, 6, &length, &own);
    if (reader->code == WEIR_OK) reader->n_bytes = describe(file).n_bytes;
    weir_file_close(file);
    weir_node_close(node);
    return NULL;
}

static void sixteen_readers_of_one_session_cause_one_run(void **state) {
    (void)state;
    struct reader readers[N_READERS] = {0};
    pthread_t threads[N_READERS];
    counted->wait_ms = 200;
    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_encoded, &readers[i]), 0);
    for (int i = 0; i < N_READERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].code, WEIR_OK);
        assert_memory_equal(readers[i].start, "a\n0\n1\n", 6);
        assert_int_equal(readers[i].n_bytes, readers[0].n_bytes);
    }
    assert_int_equal(counted->reads, 1);
}

static int read_in_child(void *context) {
    (void)context;
    struct reader reader = {0};
    open_workspace();
    read_encoded(&reader);
    int whole = memcmp(reader.start, "a\n0\n1\n", 6) == 0;
    close_workspace();
    return reader.code ? 1 : whole ? 0 : 2;
}

static void sixteen_processes_cause_one_run(void **state) {
    (void)state;
    int children[N_READERS];
    counted->wait_ms = 1500;
    close_workspace();
    for (int i = 0; i < N_READERS; i++)
        children[i] = start_child(read_in_child, NULL);
    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(wait_child(children[i]), 0);
    assert_int_equal(counted->reads, 1);
    open_workspace();
}

static void a_killed_reader_leaves_nothing_and_the_next_one_runs_anew(void **state) {
    (void)state;
    counted->wait_ms = 60000;
    close_workspace();
    int child = start_child(read_in_child, NULL);
    while (counted->reads == 0)
        usleep(1000);
    usleep(20000);
    kill(child, SIGKILL);
    assert_int_equal(wait_child(child), 128 + SIGKILL);
    counted->wait_ms = 0;
    open_workspace();
    struct weir_node *node = node_at("/weir/public/c.csv");
    assert_int_equal(weir_file_is_ready(node, NULL, NULL), 0);
    weir_node_close(node);
    assert_int_equal(n_spooled(), 0);
    weir_file_close(file_of("/weir/public/c.csv", NULL));
    assert_int_equal(counted->reads, 2);
    assert_int_equal(n_spooled(), 1);
}

static void *interrupt_soon(void *context) {
    (void)context;
    usleep(150000);
    weir_session_interrupt(session);
    return NULL;
}

static void an_interrupt_ends_an_encoding_and_the_session_goes_on(void **state) {
    (void)state;
    pthread_t thread;
    counted->wait_ms = 3000;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    struct weir_node *node = node_at("/weir/public/c.csv");
    struct weir_file *file = NULL;
    assert_int_equal(weir_file_open(node, NULL, &file, &error), WEIR_CANCELLED);
    assert_string_equal(error.sqlstate, "57014");
    pthread_join(thread, NULL);
    weir_node_close(node);
    counted->wait_ms = 0;
    weir_file_close(file_of("/weir/public/c.csv", NULL));
    assert_int_equal(n_spooled(), 1);
}

static void an_interrupt_ends_rows_that_are_read(void **state) {
    (void)state;
    run("CREATE VIEW endless AS SELECT a.x FROM generate_series(1, 10000000) AS a(x), "
        "generate_series(1, 10000000) AS b(y) WHERE a.x * y % 7 = 8");
    struct weir_node *node = node_at("endless");
    struct ArrowArrayStream rows;
    struct ArrowArray batch;
    struct weir_error why = {0};
    pthread_t thread;
    assert_ok(weir_node_rows(node, &rows, &error));
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    assert_int_not_equal(rows.get_next(&rows, &batch), 0);
    pthread_join(thread, NULL);
    assert_ok(weir_stream_error(&rows, &why));
    assert_int_equal(why.code, WEIR_CANCELLED);
    rows.release(&rows);
    weir_node_close(node);
}

static void ranges_are_read_from_any_place(void **state) {
    (void)state;
    char data[8] = "";
    size_t length = 0;
    const char *const paths[] = {"/lake/numbers.csv", "/weir/public/v.csv"};
    for (int i = 0; i < 2; i++) {
        struct weir_file *file = file_of(paths[i], NULL);
        assert_ok(weir_file_read(file, 4, data, 3, &length, &error));
        assert_int_equal(length, 3);
        assert_memory_equal(data, "1,x", 3);
        assert_ok(weir_file_read(file, 13, data, 8, &length, &error));
        assert_int_equal(length, 3);
        assert_ok(weir_file_read(file, 16, data, 8, &length, &error));
        assert_int_equal(length, 0);
        assert_ok(weir_file_read(file, INT64_MAX, data, 8, &length, &error));
        assert_int_equal(length, 0);
        assert_int_equal(weir_file_read(file, -1, data, 8, &length, &error), WEIR_INVALID_ARGUMENT);
        weir_file_close(file);
    }
}

static void a_workspace_in_memory_has_a_spool_that_goes_with_it(void **state) {
    (void)state;
    struct weir_workspace *own = NULL;
    struct weir_session *conversation = NULL;
    struct weir_node *node = NULL;
    struct weir_file *file = NULL;
    struct ArrowArrayStream rows;
    setenv("TMPDIR", directory, 1);
    mkdir(at("weir-spool-abandoned"), 0777);
    put_text(at("weir-spool-abandoned/left"), "over");
    struct weir_workspace_options options = {.size = sizeof options, .threads = 1};
    assert_ok(weir_workspace_open(&options, &own, &error));
    assert_ok(weir_session_open(own, NULL, &conversation, &error));
    assert_ok(weir_query(conversation, "CREATE VIEW x AS SELECT 1 AS a", &rows, NULL, &error));
    rows.release(&rows);
    int before = count_names(directory);
    assert_ok(weir_node_open(conversation, "/weir/public/x.csv", &node, &error));
    assert_ok(weir_file_open(node, NULL, &file, &error));
    assert_int_equal(count_names(directory), before + 1);
    weir_node_close(node);
    weir_session_close(conversation);
    weir_workspace_close(own);
    assert_int_equal(count_names(at("weir-spool-abandoned")), -1);
    /* What is open stays readable. */
    char *data = bytes_of(file, NULL);
    assert_string_equal(data, "a\n1\n");
    free(data);
    weir_file_close(file);
    unsetenv("TMPDIR");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, in_tree, leave_tree)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_gives_its_own_bytes),
        TEST(a_table_of_one_file_of_the_encoding_gives_that_file),
        TEST(a_file_that_is_not_all_of_its_table_is_encoded),
        TEST(an_open_file_keeps_its_bytes_when_the_path_changes),
        TEST(every_encoding_gives_the_rows_back),
        TEST(a_query_in_a_file_may_say_its_encoding),
        TEST(an_empty_result_is_a_valid_file_with_its_columns),
        TEST(unchanged_bytes_come_from_the_spool_without_running_anything),
        TEST(a_table_without_version_is_encoded_for_each_reader_and_not_kept),
        TEST(an_input_that_changes_meanwhile_has_the_rows_encoded_again),
        TEST(a_file_that_is_replaced_under_a_node_is_read_as_it_is_now),
        TEST(what_has_no_version_is_kept_for_as_long_as_was_set),
        TEST(the_settings_of_the_spool_and_the_encoder_take_effect),
        TEST(what_has_no_bytes_says_what_it_is_and_what_would_do),
        TEST(a_type_that_the_encoding_cannot_hold_is_an_error_that_names_the_column),
        TEST(a_failing_query_leaves_nothing),
        TEST(sixteen_readers_of_one_session_cause_one_run),
        TEST(sixteen_processes_cause_one_run),
        TEST(a_killed_reader_leaves_nothing_and_the_next_one_runs_anew),
        TEST(an_interrupt_ends_an_encoding_and_the_session_goes_on),
        TEST(an_interrupt_ends_rows_that_are_read),
        TEST(ranges_are_read_from_any_place),
        TEST(a_workspace_in_memory_has_a_spool_that_goes_with_it),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
