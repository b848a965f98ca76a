/* SPDX-License-Identifier: Apache-2.0 */
/* Copying, moving, removing and making; and what a copy that is killed leaves. */
#include "tree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char numbers[] = "a,b\n1,x\n2,y\n3,z\n";

static void copy(const char *from, const char *to) {
    if (weir_copy(session, from, to, 0, &error) != WEIR_OK)
        fail_msg("%s to %s: %s", from, to, error.message);
}

static int copy_refused(const char *from, const char *to, int overwrite) {
    memset(&error, 0, sizeof error);
    int code = weir_copy(session, from, to, overwrite, &error);
    if (code == WEIR_OK) fail_msg("%s was copied to %s", from, to);
    return code;
}

static void move(const char *from, const char *to) {
    if (weir_move(session, from, to, 0, &error) != WEIR_OK)
        fail_msg("%s to %s: %s", from, to, error.message);
}

static int64_t sum(const char *path) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT CAST(sum(a) AS BIGINT) FROM '%s'", path);
    return number(sql);
}

static int is_there(const char *name) {
    struct stat status;
    return lstat(at(name), &status) == 0;
}

/* ---- Copy ---- */

static void bytes_are_copied_as_they_are_under_the_same_encoding_or_none(void **state) {
    (void)state;
    copy("/lake/numbers.csv", "/lake/again.csv");
    assert_string_equal(get_text(at("lake/again.csv")), numbers);
    copy("/lake/numbers", "/lake/backup");
    assert_string_equal(get_text(at("lake/backup")), numbers);
    copy("/lake/notes.txt", at("notes.txt"));
    assert_string_equal(get_text(at("notes.txt")), "twelve bytes");
    copy(at("notes.txt"), "/lake/again.txt");
    assert_string_equal(get_text(at("lake/again.txt")), "twelve bytes");
    copy("/lake/doubled.sql", "/lake/other.sql");
    assert_string_equal(get_text(at("lake/other.sql")), "SELECT a * 2 AS a FROM numbers\n");
    copy("/lake/logs/1.parquet", "/lake/1.pq");
    assert_int_equal(sum(at("lake/1.pq")), 55);
}

static void rows_are_encoded_as_the_targets_extension_says(void **state) {
    (void)state;
    copy("/lake/numbers.csv", "/lake/numbers2.parquet");
    assert_int_equal(sum(at("lake/numbers2.parquet")), 6);
    copy("/lake/doubled", "/lake/doubled2.csv");
    assert_string_equal(get_text(at("lake/doubled2.csv")), "a\n2\n4\n6\n");
    copy("/lake/doubled.sql", "/lake/doubled3.jsonl");
    assert_string_equal(get_text(at("lake/doubled3.jsonl")), "{\"a\":2}\n{\"a\":4}\n{\"a\":6}\n");
    copy("/lake/logs", at("logs.arrow"));
    assert_int_equal(sum(at("logs.arrow")), 210);
    copy("/lake/logs/*.parquet", at("logs2.parquet"));
    assert_int_equal(sum(at("logs2.parquet")), 210);
    copy("v", "/lake/v.tsv");
    assert_string_equal(get_text(at("lake/v.tsv")), "a\tb\n1\tx\n2\ty\n3\tz\n");
    copy("/weir/public/v.csv", at("plain"));
    assert_string_equal(get_text(at("plain")), numbers);
}

static void into_a_directory_a_node_goes_under_its_own_name(void **state) {
    (void)state;
    copy("/lake/notes.txt", "/lake/empty");
    copy("/lake/numbers", "/lake/empty/");
    copy("v", "/lake/empty");
    copy("/weir/public/v.json", "/lake/empty");
    copy("/lake/doubled.csv", "/lake/empty");
    copy("/lake/doubled", "/lake/empty");
    copy("/lake/doubled.sql", "/lake/empty");
    assert_string_equal(
        listing_of("/lake/empty"),
        "doubled.csv# doubled.parquet# doubled.sql! notes.txt numbers.csv# v.json# v.parquet#");
    assert_int_equal(copy_refused("/lake/notes.txt", "/lake/none/", 0), WEIR_NOT_FOUND);
    assert_contains(error.message, "there is no directory \"/lake/none\"");
    assert_int_equal(copy_refused("/lake/notes.txt", "/lake/none/x", 0), WEIR_NOT_FOUND);
}

static void a_file_that_is_there_is_replaced_only_when_that_was_asked_for(void **state) {
    (void)state;
    put_text(at("lake/there.csv"), "old");
    assert_int_equal(copy_refused("/lake/numbers.csv", "/lake/there.csv", 0), WEIR_ALREADY_EXISTS);
    assert_int_equal(copy_refused("v", "/lake/there.csv", 0), WEIR_ALREADY_EXISTS);
    assert_string_equal(get_text(at("lake/there.csv")), "old");
    assert_ok(weir_copy(session, "/lake/numbers.csv", "/lake/there.csv", 1, &error));
    assert_string_equal(get_text(at("lake/there.csv")), numbers);
    /* A table onto what it is read from. */
    run("CREATE VIEW more AS SELECT a + 1 AS a FROM \"/lake/there.csv\"");
    assert_ok(weir_copy(session, "more", "/lake/there.csv", 1, &error));
    assert_string_equal(get_text(at("lake/there.csv")), "a\n2\n3\n4\n");
}

static void what_cannot_be_copied_is_told_with_what_can(void **state) {
    (void)state;
    copy_refused("/lake/numbers.csv", "/weir/public/t", 0);
    assert_contains(error.message, "CREATE TABLE or CREATE VIEW");
    copy_refused("/lake/numbers.csv", "/lake/numbers.csv", 1);
    assert_contains(error.message, "onto itself");
    copy_refused("/lake/numbers", "/lake", 1);
    assert_contains(error.message, "onto itself");
    copy_refused("/lake/notes.txt", "/lake/notes.parquet", 0);
    assert_contains(error.message, "is a plain file and no table");
    copy_refused("/lake/empty", "/lake/full", 0);
    assert_contains(error.message, "is a directory");
    copy_refused("v", "/lake/v", 0);
    assert_contains(error.message, "for example .parquet");
    copy_refused("/lake/logs", "/lake/empty", 0);
    assert_contains(error.message, "for example .parquet");
    copy_refused("/lake/numbers.csv", "/lake/numbers.csv.gz", 0);
    assert_contains(error.message, "would be compressed");
    copy_refused("/lake/numbers.csv", "/", 0);
    assert_contains(error.message, "top of the tree");
    assert_string_equal(listing_of("/lake"), "doubled.sql! empty/ logs/# notes.txt numbers.csv#");
}

static void a_copy_that_fails_leaves_nothing(void **state) {
    (void)state;
    run("CREATE VIEW z AS SELECT 1 / (a - 999) AS x FROM c");
    int before = count_names(at("lake"));
    copy_refused("z", "/lake/z.csv", 0);
    assert_contains(error.message, "Divide by zero");
    run("CREATE VIEW i AS SELECT INTERVAL '1 month' AS span");
    assert_int_equal(copy_refused("i", "/lake/i.parquet", 0), WEIR_NOT_IMPLEMENTED);
    assert_int_equal(count_names(at("lake")), before);
}

/* ---- Move ---- */

static void files_and_directories_are_renamed(void **state) {
    (void)state;
    struct stat before;
    struct stat after;
    stat(at("lake/numbers.csv"), &before);
    move("/lake/numbers.csv", "/lake/empty/n.csv");
    stat(at("lake/empty/n.csv"), &after);
    assert_int_equal(before.st_ino, after.st_ino);
    /* By short names: the extension stays. */
    move("/lake/empty/n", "/lake/empty/m");
    assert_true(is_there("lake/empty/m.csv"));
    move("/lake/empty/m", "/lake");
    assert_true(is_there("lake/m.csv"));
    move("/lake/logs", "/lake/empty/logs");
    assert_int_equal(sum("/lake/empty/logs"), 210);
    move("/lake/notes.txt", "/lake/letters");
    assert_string_equal(get_text(at("lake/letters")), "twelve bytes");
    move("/lake/doubled", "/lake/empty/");
    assert_true(is_there("lake/empty/doubled.sql"));
    assert_string_equal(listing_of("/lake"), "empty/ letters m.csv#");
}

static void between_mounts_files_are_copied_then_removed(void **state) {
    (void)state;
    move("/lake/numbers.csv", at("here.csv"));
    assert_string_equal(get_text(at("here.csv")), numbers);
    assert_false(is_there("lake/numbers.csv"));
    move(at("here.csv"), "/lake/back.parquet");
    assert_false(is_there("here.csv"));
    assert_int_equal(sum(at("lake/back.parquet")), 6);
    assert_int_equal(weir_move(session, "/lake/logs", at("logs"), 0, &error), WEIR_NOT_IMPLEMENTED);
    assert_true(is_there("lake/logs/1.parquet"));
    run("CREATE TABLE t AS SELECT CAST(5 AS BIGINT) AS a");
    move("t", at("t.csv"));
    assert_string_equal(get_text(at("t.csv")), "a\n5\n");
    assert_int_equal(open_refused("/weir/public/t"), WEIR_NOT_FOUND);
}

static void a_file_renamed_to_another_encodings_name_is_encoded(void **state) {
    (void)state;
    move("/lake/numbers.csv", "/lake/numbers.parquet");
    assert_false(is_there("lake/numbers.csv"));
    assert_int_equal(sum(at("lake/numbers.parquet")), 6);
}

static void tables_are_renamed_within_their_schema(void **state) {
    (void)state;
    move("v", "/weir/public/w");
    assert_int_equal(sum("/weir/public/w"), 6);
    assert_int_equal(open_refused("/weir/public/v"), WEIR_NOT_FOUND);
    assert_int_equal(weir_move(session, "/weir/public/w", "/weir/public/c", 0, &error),
                     WEIR_ALREADY_EXISTS);
    assert_int_equal(weir_move(session, "/weir/public/w.csv", "/weir/public/x", 0, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "the table is \"/weir/public/w\"");
}

static void moving_onto_what_is_there_needs_to_be_asked_for(void **state) {
    (void)state;
    put_text(at("lake/there.csv"), "old");
    assert_int_equal(weir_move(session, "/lake/numbers.csv", "/lake/there.csv", 0, &error),
                     WEIR_ALREADY_EXISTS);
    assert_string_equal(get_text(at("lake/there.csv")), "old");
    assert_ok(weir_move(session, "/lake/numbers.csv", "/lake/there.csv", 1, &error));
    assert_string_equal(get_text(at("lake/there.csv")), numbers);
    assert_int_equal(weir_move(session, "/lake/there.csv", "/lake/there.csv", 1, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(weir_move(session, "/lake/none", "/lake/there.csv", 1, &error),
                     WEIR_NOT_FOUND);
}

/* ---- Remove and make ---- */

static void files_directories_tables_and_schemas_are_removed(void **state) {
    (void)state;
    assert_ok(weir_remove(session, "/lake/numbers.csv", 0, &error));
    assert_false(is_there("lake/numbers.csv"));
    assert_ok(weir_remove(session, "/lake/doubled", 0, &error));
    assert_false(is_there("lake/doubled.sql"));
    assert_ok(weir_remove(session, "/lake/empty", 0, &error));
    assert_int_not_equal(weir_remove(session, "/lake/logs", 0, &error), WEIR_OK);
    assert_true(is_there("lake/logs/1.parquet"));
    assert_int_equal(weir_remove(session, "/lake/logs/*.parquet", 0, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_ok(weir_remove(session, "/lake/logs", 1, &error));
    assert_string_equal(listing_of("/lake"), "notes.txt");
    assert_ok(weir_remove(session, "/weir/public/v", 0, &error));
    assert_ok(weir_remove(session, "c", 0, &error));
    assert_string_equal(listing_of("/weir/public"), "u#");
    run("CREATE SCHEMA other");
    run("CREATE VIEW other.x AS SELECT 1 AS a");
    assert_int_not_equal(weir_remove(session, "/weir/other", 0, &error), WEIR_OK);
    assert_ok(weir_remove(session, "/weir/other", 1, &error));
    assert_int_equal(open_refused("/weir/other"), WEIR_NOT_FOUND);
}

static void what_cannot_be_removed_stays(void **state) {
    (void)state;
    assert_int_equal(weir_remove(session, "/lake/none", 1, &error), WEIR_NOT_FOUND);
    assert_int_equal(weir_remove(session, "/lake/numbers.parquet", 0, &error), WEIR_NOT_FOUND);
    assert_int_equal(weir_remove(session, "/weir/public/v.csv", 0, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(weir_remove(session, "/weir/public/none", 0, &error), WEIR_NOT_FOUND);
    assert_int_equal(weir_remove(session, "/weir", 1, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(weir_remove(session, "/", 1, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(weir_remove(session, "/lake", 1, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(listing_of("/lake"), "doubled.sql! empty/ logs/# notes.txt numbers.csv#");
}

static void a_link_that_leads_nowhere_is_removed(void **state) {
    (void)state;
    assert_int_equal(symlink("nowhere", at("lake/link")), 0);
    assert_ok(weir_remove(session, "/lake/link", 0, &error));
    assert_false(is_there("lake/link"));
}

static void directories_and_schemas_are_made(void **state) {
    (void)state;
    assert_ok(weir_make_directory(session, "/lake/one", 0, &error));
    assert_int_equal(weir_make_directory(session, "/lake/one", 0, &error), WEIR_ALREADY_EXISTS);
    assert_ok(weir_make_directory(session, "/lake/one", 1, &error));
    assert_int_not_equal(weir_make_directory(session, "/lake/a/b/c", 0, &error), WEIR_OK);
    assert_ok(weir_make_directory(session, "/lake/a/b/c", 1, &error));
    assert_ok(weir_make_directory(session, at("new/one"), 1, &error));
    assert_true(is_there("lake/a/b/c"));
    assert_true(is_there("new/one"));
    assert_int_not_equal(weir_make_directory(session, "/lake/notes.txt", 1, &error), WEIR_OK);
    assert_int_not_equal(weir_make_directory(session, "/lake/notes.txt/x", 1, &error), WEIR_OK);
    assert_ok(weir_make_directory(session, "/weir/other", 0, &error));
    assert_int_equal(weir_make_directory(session, "/weir/other", 0, &error), WEIR_ALREADY_EXISTS);
    assert_ok(weir_make_directory(session, "/weir/other", 1, &error));
    assert_int_equal(weir_make_directory(session, "/weir/other/deep", 1, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(weir_make_directory(session, "/lake/../../x", 1, &error),
                     WEIR_INVALID_ARGUMENT);
}

/* ---- Killed ---- */

static int copy_for_ever(void *context) {
    (void)context;
    open_workspace();
    for (;;) {
        /* Seen by who kills it. */
        atomic_fetch_add(&counted->revision, 1);
        if (weir_copy(session, "/lake/large.csv", "/lake/empty/bytes.csv", 1, NULL)) return 1;
        if (weir_copy(session, "/lake/large.csv", "/lake/empty/rows.parquet", 1, NULL)) return 2;
    }
}

static void check_whole(const char *name, off_t n_bytes, int64_t expected) {
    struct stat status;
    if (stat(at(name), &status) != 0) return;
    if (n_bytes) assert_int_equal(status.st_size, n_bytes);
    assert_int_equal(sum(at(name)), expected);
}

static void a_copy_that_is_killed_leaves_nothing_or_the_whole_fifty_times(void **state) {
    (void)state;
    char sql[300];
    snprintf(sql, sizeof sql,
             "COPY (SELECT x AS a, x * 7 AS b FROM generate_series(1, 200000) AS s(x)) TO '%s' "
             "(FORMAT csv)",
             at("lake/large.csv"));
    run(sql);
    struct stat large;
    assert_int_equal(stat(at("lake/large.csv"), &large), 0);
    for (int round = 0; round < 50; round++) {
        close_workspace();
        int before = atomic_load(&counted->revision);
        int child = start_child(copy_for_ever, NULL);
        while (atomic_load(&counted->revision) == before)
            usleep(500);
        usleep((unsigned)rand() % 60000);
        kill(child, SIGKILL);
        assert_int_equal(wait_child(child), 128 + SIGKILL);
        open_workspace();
        check_whole("lake/empty/bytes.csv", large.st_size, INT64_C(20000100000));
        check_whole("lake/empty/rows.parquet", 0, INT64_C(20000100000));
        /* What is unfinished is not listed, and goes with the next change in the directory. */
        assert_null(strstr(listing_of("/lake/empty"), ".weir-"));
        if (round % 5 == 4) {
            weir_remove(session, "/lake/empty/bytes.csv", 0, NULL);
            weir_remove(session, "/lake/empty/rows.parquet", 0, NULL);
        }
    }
    copy("/lake/notes.txt", "/lake/empty/last.txt");
    weir_remove(session, "/lake/empty/bytes.csv", 0, NULL);
    weir_remove(session, "/lake/empty/rows.parquet", 0, NULL);
    assert_int_equal(count_names(at("lake/empty")), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, in_tree, leave_tree)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bytes_are_copied_as_they_are_under_the_same_encoding_or_none),
        TEST(rows_are_encoded_as_the_targets_extension_says),
        TEST(into_a_directory_a_node_goes_under_its_own_name),
        TEST(a_file_that_is_there_is_replaced_only_when_that_was_asked_for),
        TEST(what_cannot_be_copied_is_told_with_what_can),
        TEST(a_copy_that_fails_leaves_nothing),
        TEST(files_and_directories_are_renamed),
        TEST(between_mounts_files_are_copied_then_removed),
        TEST(a_file_renamed_to_another_encodings_name_is_encoded),
        TEST(tables_are_renamed_within_their_schema),
        TEST(moving_onto_what_is_there_needs_to_be_asked_for),
        TEST(files_directories_tables_and_schemas_are_removed),
        TEST(what_cannot_be_removed_stays),
        TEST(a_link_that_leads_nowhere_is_removed),
        TEST(directories_and_schemas_are_made),
        TEST(a_copy_that_is_killed_leaves_nothing_or_the_whole_fifty_times),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
