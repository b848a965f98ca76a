/* SPDX-License-Identifier: Apache-2.0 */
/* The mount kind `files` over a directory "lake" of the test's, with an "outside" beside it. */
#include "files_test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "table/files/mount.h"

static char here[PATH_MAX];
static char root[PATH_MAX + 8];
static void *mount;

static int open_mount(const char *name, const char *url, const char *read_only, void **ret_mount,
                      struct weir_error *error) {
    struct weir_option options[] = {{"url", url}, {"read_only", read_only}};
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = "",
        .schema = "",
        .name = name,
        .kind = "files",
        .options = options,
        .n_options = read_only ? 2 : 1,
    };
    int code = wr_options_check("m", wr_mount_files.options, wr_mount_files.n_options, options,
                                definition.n_options, error);
    return code ? code : wr_mount_files.open(&definition, ret_mount, error);
}

static int set_up(void **state) {
    if (in_new_directory(state) != 0 || !getcwd(here, sizeof here)) return -1;
    snprintf(root, sizeof root, "%s/lake", here);
    put("outside/secret.csv", "a,b\n666,2\n");
    put("lake/flights.csv.gz", "not looked into");
    put("lake/both.csv", "a,b\n1,2\n");
    put_parquet("lake/both.parquet");
    put("lake/notes.txt", "notes\n");
    put("lake/logs/1.csv", "a,b\n1,2\n");
    put("lake/logs/2.csv", "a,b\n1,2\n");
    put("lake/hive/k=1/1.csv", "a,b\n1,2\n");
    put("lake/mixed/1.csv", "a,b\n1,2\n");
    put_parquet("lake/mixed/2.parquet");
    put("lake/deep/a/b/c.csv", "a,b\n1,2\n");
    put("lake/daily.sql", "SELECT 1 AS a\n");
    put("lake/second.sql", "-- name: report\nSELECT 2 AS a\n");
    put("lake/_hidden.csv", "a\n");
    put("lake/.git/x.csv", "a\n");
    return symlink("../outside", "lake/out") || symlink("../outside/secret.csv", "lake/leak.csv") ||
           symlink("logs", "lake/in") || symlink("nothing", "lake/dangling.csv") ||
           open_mount("lake", root, NULL, &mount, NULL);
}

static int tear_down(void **state) {
    wr_mount_files.close(mount);
    return remove_directory(state);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- Listing ---- */

static char listed[8192];

static int take(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    (void)error;
    assert_int_equal(entry->size, sizeof *entry);
    size_t *n = sink;
    (*n)++;
    size_t length = strlen(listed);
    snprintf(listed + length, sizeof listed - length, "%s%s%s%s%s", length ? " " : "", entry->name,
             entry->type == WEIR_ENTRY_DIRECTORY ? "/" : "", entry->table ? ":" : "",
             entry->table ? entry->table : "");
    return 0;
}

static const char *list(const char *path) {
    struct weir_error error = {0};
    size_t n = 0;
    listed[0] = '\0';
    if (wr_mount_files.list(mount, path, take, &n, &error) != 0) fail_msg("%s", error.message);
    return listed;
}

static void a_directory_lists_its_names_and_under_which_they_are_tables(void **state) {
    (void)state;
    assert_string_equal(
        list(""),
        "both.csv:both.csv both.parquet:both.parquet daily.sql:daily dangling.csv deep/ "
        "flights.csv.gz:flights hive/:hive in/:in leak.csv logs/:logs mixed/ notes.txt out "
        "second.sql:report");
    assert_string_equal(list("logs"), "1.csv:1 2.csv:2");
    assert_string_equal(list("in"), "1.csv:1 2.csv:2");
    assert_string_equal(list("hive"), "k=1/:k=1");
    assert_string_equal(list("deep/a"), "b/:b");
}

static int take_sizes(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    (void)error;
    struct weir_entry *wanted = sink;
    if (strcmp(entry->name, wanted->name) != 0) return 0;
    const char *name = wanted->name;
    *wanted = *entry;
    wanted->name = name;
    return 0;
}

static void entries_have_size_and_time(void **state) {
    (void)state;
    struct stat status;
    struct weir_entry entry = {.name = "notes.txt"};
    assert_int_equal(stat("lake/notes.txt", &status), 0);
    assert_int_equal(wr_mount_files.list(mount, "", take_sizes, &entry, NULL), 0);
    assert_int_equal(entry.n_bytes, 6);
    assert_int_equal(entry.modified_ns, wr_nanoseconds(status.st_mtim));
    entry.name = "logs";
    assert_int_equal(wr_mount_files.list(mount, "", take_sizes, &entry, NULL), 0);
    assert_int_equal(entry.n_bytes, -1);
    entry.name = "leak.csv"; /* the size of what lies outside is not told */
    assert_int_equal(wr_mount_files.list(mount, "", take_sizes, &entry, NULL), 0);
    assert_int_equal(entry.n_bytes, -1);
    assert_int_equal(entry.modified_ns, 0);
}

static int stop(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    (void)entry, (void)error;
    return ++*(int *)sink == 2 ? 77 : 0;
}

static void a_listing_ends_when_its_reader_says_so(void **state) {
    (void)state;
    int n = 0;
    assert_int_equal(wr_mount_files.list(mount, "", stop, &n, NULL), 77);
    assert_int_equal(n, 2);
}

static void list_fails(const char *path, int code, const char *part) {
    struct weir_error error = {0};
    size_t n = 0;
    assert_int_equal(wr_mount_files.list(mount, path, take, &n, &error), code);
    assert_contains(error.message, part);
    assert_int_equal(n, 0);
}

static void what_is_no_directory_of_the_mount_is_not_listed(void **state) {
    (void)state;
    list_fails("nothing", WEIR_NOT_FOUND, "cannot list \"/lake/nothing\"");
    list_fails("notes.txt", WEIR_INVALID_ARGUMENT, "\"/lake/notes.txt\" is not a directory");
    list_fails("out", WEIR_INVALID_ARGUMENT, "\"out\" leads out of \"/");
    list_fails("..", WEIR_INVALID_ARGUMENT, "leads out of");
    list_fails("logs/../../outside", WEIR_INVALID_ARGUMENT, "leads out of");
    list_fails("/etc", WEIR_INVALID_ARGUMENT, "leads out of");
    list_fails("logs//", WEIR_INVALID_ARGUMENT, "is not a normal path");
    list_fails("./logs", WEIR_INVALID_ARGUMENT, "is not a normal path");
}

static void names_that_several_entries_claim_are_nobodys(void **state) {
    (void)state;
    put("lake/n/x.csv", "a\n");
    put("lake/n/x.sql", "SELECT 1\n");
    put("lake/n/y.csv", "a\n");
    put("lake/n/y/1.csv", "a\n");
    put("lake/n/z", "plain\n");
    put("lake/n/z.json", "{}\n");
    put("lake/n/w.sql", "-- name: v\nSELECT 1\n");
    put("lake/n/v.csv", "a\n");
    put("lake/n/u.sql", "-- name: u.sql\nSELECT 1\n");
    assert_string_equal(list("n"),
                        "u.sql:u.sql v.csv:v.csv w.sql:w.sql x.csv:x.csv x.sql:x.sql y/:y "
                        "y.csv:y.csv z z.json:z.json");
}

/* ---- Finding ---- */

static struct weir_found find(const char *path) {
    struct weir_error error = {0};
    struct weir_found found = {.size = sizeof found};
    if (wr_mount_files.find(mount, path, &found, &error) != 0)
        fail_msg("%s: %s", path, error.message);
    return found;
}

static const char *found_option(const struct weir_found *found, const char *key) {
    const char *value = wr_options_get(found->options, found->n_options, key);
    return value ? value : "";
}

static void check_found(const char *path, const char *real, int type, bool exact, bool series,
                        const char *kind) {
    struct weir_found found = find(path);
    char absolute[PATH_MAX * 2];
    char shown[PATH_MAX];
    snprintf(absolute, sizeof absolute, "%s%s%s", root, *real ? "/" : "", real);
    snprintf(shown, sizeof shown, "/lake/%s", real);
    assert_string_equal(found.path, real);
    assert_int_equal(found.entry.type, type);
    assert_int_equal(found.is_exact, exact);
    assert_int_equal(found.is_series, series);
    assert_string_equal(found.kind ? found.kind : "", kind);
    assert_string_equal(found_option(&found, "path"), *kind ? absolute : "");
    assert_string_equal(found_option(&found, "root"), *kind ? root : "");
    assert_string_equal(found_option(&found, "shown"), *kind ? shown : "");
    found.release(&found);
    assert_null(found.release);
}

static void paths_are_found_exactly_then_as_patterns_then_as_tables(void **state) {
    (void)state;
    const int file = WEIR_ENTRY_FILE;
    const int directory = WEIR_ENTRY_DIRECTORY;
    check_found("", "", directory, true, true, "files");
    check_found("notes.txt", "notes.txt", file, true, false, "");
    check_found("both.csv", "both.csv", file, true, false, "files");
    check_found("flights.csv.gz", "flights.csv.gz", file, true, false, "files");
    check_found("flights", "flights.csv.gz", file, false, false, "files");
    check_found("logs", "logs", directory, true, true, "files");
    check_found("logs/2", "logs/2.csv", file, false, false, "files");
    check_found("in/2", "in/2.csv", file, false, false, "files");
    check_found("hive", "hive", directory, true, true, "files");
    check_found("mixed", "mixed", directory, true, true, "files");
    check_found("deep", "deep", directory, true, false, "");
    check_found("logs/*.csv", "logs/*.csv", WEIR_ENTRY_TABLE, true, true, "files");
    check_found("deep/**", "deep/**", WEIR_ENTRY_TABLE, true, true, "files");
    check_found("daily", "daily.sql", file, false, false, "sql");
    check_found("daily.sql", "daily.sql", file, true, false, "sql");
    check_found("report", "second.sql", file, false, false, "sql");
}

static void a_name_with_the_signs_of_a_pattern_is_a_file_when_it_is_there(void **state) {
    (void)state;
    put("lake/a[1].csv", "a\n1\n");
    check_found("a[1].csv", "a[1].csv", WEIR_ENTRY_FILE, true, false, "files");
    check_found("a[2].csv", "a[2].csv", WEIR_ENTRY_TABLE, true, true, "files");
}

static void a_sql_file_looks_its_names_up_where_it_lies(void **state) {
    (void)state;
    put("lake/a/b/x.sql", "SELECT 1\n");
    struct weir_found found = find("a/b/x");
    assert_string_equal(found_option(&found, "catalog"), "lake");
    assert_string_equal(found_option(&found, "schema"), "a/b");
    assert_string_equal(found.entry.table, "x");
    assert_string_equal(found.entry.name, "x.sql");
    found.release(&found);
    found = find("daily");
    assert_string_equal(found_option(&found, "schema"), ".");
    found.release(&found);
}

static struct weir_error find_error(const char *path) {
    struct weir_error error = {0};
    struct weir_found found = {0};
    int code = wr_mount_files.find(mount, path, &found, &error);
    assert_int_not_equal(code, 0);
    assert_int_equal(code, error.code);
    assert_null(found.release);
    return error;
}

static void a_name_that_could_be_several_names_them(void **state) {
    (void)state;
    struct weir_error error = find_error("both");
    assert_int_equal(error.code, WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "42P09");
    assert_contains(error.message, "\"/lake/both\" could be \"both.");
    assert_contains(error.message, " or \"both.");
    assert_contains(error.message, "\"both.csv\"");
    assert_contains(error.message, "\"both.parquet\"");
    put("lake/x.sql", "-- name: flights\nSELECT 1\n");
    assert_contains(find_error("flights").message, "\"x.sql\"");
}

static void what_is_not_there_says_where_it_looked_and_what_is_near(void **state) {
    (void)state;
    struct weir_error error = find_error("flihgts");
    char expected[2 * PATH_MAX];
    assert_int_equal(error.code, WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "58P01");
    snprintf(expected, sizeof expected,
             "no such file or directory: \"/lake/flihgts\" (looked in %s); nearest name there: "
             "\"flights\"",
             root);
    assert_string_equal(error.message, expected);
    error = find_error("lgos/sub/x.csv");
    snprintf(expected, sizeof expected,
             "no such file or directory: \"/lake/lgos/sub/x.csv\" (looked in %s); nearest name "
             "there: \"logs\"",
             root);
    assert_string_equal(error.message, expected);
    error = find_error("logs/3.csv");
    snprintf(expected, sizeof expected, "(looked in %s/logs)", root);
    assert_contains(error.message, expected);
    assert_contains(find_error("notes.txt/x").message, "\"/lake/notes.txt\" is not a directory");
    assert_contains(find_error("dangling.csv").message, "is a symbolic link to nothing");
}

/* Some of the spellings of base/beneath's tests, through every slot that takes a path. */
static void no_slot_leads_out(void **state) {
    (void)state;
    static const char *const paths[] = {
        "..",
        "../outside",
        "../outside/secret.csv",
        "logs/../../outside",
        "/etc/passwd",
        "/",
        "//etc",
        "out/secret.csv",
        "out/secret",
        "out/*",
        "leak.csv",
        "in/../../outside/secret.csv",
        "out/new.csv",
        "logs/../notes.txt",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct weir_error error = {0};
        struct weir_found found = {0};
        struct weir_reader reader = {0};
        struct weir_writer writer = {0};
        int code = wr_mount_files.find(mount, paths[i], &found, &error);
        assert_int_equal(code, WEIR_INVALID_ARGUMENT);
        assert_contains(error.message, "leads out of");
        assert_int_not_equal(wr_mount_files.read(mount, paths[i], &reader, NULL), 0);
        if (strcmp(paths[i], "leak.csv") == 0) continue;
        assert_int_not_equal(wr_mount_files.write(mount, paths[i], 1, &writer, NULL), 0);
        assert_int_not_equal(wr_mount_files.make_directory(mount, paths[i], NULL), 0);
        assert_int_not_equal(wr_mount_files.remove(mount, paths[i], 1, NULL), 0);
        assert_int_not_equal(wr_mount_files.rename(mount, paths[i], "taken", NULL), 0);
        assert_int_not_equal(wr_mount_files.rename(mount, "notes.txt", paths[i], NULL), 0);
    }
    assert_int_equal(access("outside/secret.csv", F_OK), 0);
    assert_int_equal(access("outside/new.csv", F_OK), -1);
    assert_int_equal(access("lake/notes.txt", F_OK), 0);
}

/* ---- Reading ---- */

static void bytes_are_read_at_any_place(void **state) {
    (void)state;
    struct weir_reader reader;
    struct stat status;
    char version[WEIR_VERSION_SIZE];
    char data[16] = "";
    size_t length;
    assert_int_equal(wr_mount_files.read(mount, "logs/1.csv", &reader, NULL), 0);
    assert_int_equal(stat("lake/logs/1.csv", &status), 0);
    wr_file_version(&status, version);
    assert_string_equal(reader.version, version);
    assert_int_equal(reader.n_bytes, 8);
    assert_int_equal(reader.read_at(&reader, 4, data, 3, &length, NULL), 0);
    assert_int_equal(length, 3);
    assert_memory_equal(data, "1,2", 3);
    assert_int_equal(reader.read_at(&reader, 6, data, sizeof data, &length, NULL), 0);
    assert_int_equal(length, 2);
    assert_int_equal(reader.read_at(&reader, 100, data, sizeof data, &length, NULL), 0);
    assert_int_equal(length, 0);
    reader.release(&reader);
}

static void a_reader_keeps_the_file_that_it_opened(void **state) {
    (void)state;
    struct weir_reader reader;
    struct weir_error error = {0};
    char data[16];
    size_t length;
    assert_int_equal(wr_mount_files.read(mount, "logs/1.csv", &reader, NULL), 0);
    put("lake/logs/new", "something else\n");
    assert_int_equal(rename("lake/logs/new", "lake/logs/1.csv"), 0);
    assert_int_equal(reader.read_at(&reader, 0, data, sizeof data, &length, NULL), 0);
    assert_int_equal(length, 8);
    assert_memory_equal(data, "a,b\n1,2\n", 8);
    reader.release(&reader);
    assert_int_equal(wr_mount_files.read(mount, "logs/2.csv", &reader, NULL), 0);
    put("lake/logs/2.csv", "written in place\n");
    assert_int_equal(reader.read_at(&reader, 0, data, sizeof data, &length, &error),
                     WEIR_INVALID_STATE);
    assert_contains(error.message, "\"/lake/logs/2.csv\" was changed while it was read");
    reader.release(&reader);
}

static void only_files_are_read(void **state) {
    (void)state;
    struct weir_reader reader = {0};
    struct weir_error error = {0};
    assert_int_equal(mkfifo("lake/pipe", 0600), 0);
    assert_int_equal(wr_mount_files.read(mount, "logs", &reader, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "\"/lake/logs\" is a directory, which has no bytes");
    assert_int_equal(wr_mount_files.read(mount, "pipe", &reader, &error), WEIR_INVALID_ARGUMENT);
    assert_int_equal(wr_mount_files.read(mount, "logs/9", &reader, &error), WEIR_NOT_FOUND);
    assert_null(reader.release);
}

/* ---- Writing ---- */

static char *content(const char *path) {
    static char text[256];
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct weir_writer start_writing(const char *path, int overwrite, const char *text) {
    struct weir_error error = {0};
    struct weir_writer writer;
    if (wr_mount_files.write(mount, path, overwrite, &writer, &error) != 0)
        fail_msg("%s", error.message);
    assert_int_equal(writer.write(&writer, text, strlen(text), NULL), 0);
    return writer;
}

static void write_file(const char *path, int overwrite, const char *text) {
    struct weir_writer writer = start_writing(path, overwrite, text);
    struct weir_error error = {0};
    if (writer.commit(&writer, &error) != 0) fail_msg("%s", error.message);
    writer.release(&writer);
}

/* Names of the directory, weir's own included. */
static size_t count_names(const char *path) {
    char command[PATH_MAX];
    size_t n = 0;
    snprintf(command, sizeof command, "ls -A %s | wc -l", path);
    FILE *output = popen(command, "r");
    assert_int_equal(fscanf(output, "%zu", &n), 1);
    pclose(output);
    return n;
}

static void a_file_is_there_after_commit_and_not_before(void **state) {
    (void)state;
    struct weir_writer writer = start_writing("logs/3.csv", 0, "a,b\n");
    assert_int_equal(writer.write(&writer, "3,4\n", 4, NULL), 0);
    assert_null(content("lake/logs/3.csv"));
    assert_string_equal(list("logs"), "1.csv:1 2.csv:2");
    assert_int_equal(count_names("lake/logs"), 3);
    assert_int_equal(writer.commit(&writer, NULL), 0);
    assert_string_equal(content("lake/logs/3.csv"), "a,b\n3,4\n");
    assert_int_equal(writer.commit(&writer, NULL), WEIR_INVALID_STATE);
    writer.release(&writer);
    assert_int_equal(count_names("lake/logs"), 3);
}

static void a_writer_without_commit_leaves_nothing(void **state) {
    (void)state;
    struct weir_writer writer = start_writing("logs/3.csv", 0, "a,b\n");
    writer.release(&writer);
    assert_null(writer.release);
    assert_int_equal(count_names("lake/logs"), 2);
}

static void what_is_there_is_replaced_only_when_asked(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_writer writer = {0};
    assert_int_equal(wr_mount_files.write(mount, "logs/1.csv", 0, &writer, &error),
                     WEIR_ALREADY_EXISTS);
    assert_contains(error.message, "\"/lake/logs/1.csv\" is already there");
    assert_int_equal(wr_mount_files.write(mount, "logs", 1, &writer, &error), WEIR_ALREADY_EXISTS);
    assert_contains(error.message, "is a directory");
    assert_int_equal(chmod("lake/logs/1.csv", 0640), 0);
    write_file("logs/1.csv", 1, "new\n");
    struct stat status;
    assert_string_equal(content("lake/logs/1.csv"), "new\n");
    assert_int_equal(stat("lake/logs/1.csv", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    /* One that came while it was written is noticed at commit. */
    writer = start_writing("logs/9.csv", 0, "mine\n");
    put("lake/logs/9.csv", "theirs\n");
    assert_int_equal(writer.commit(&writer, &error), WEIR_ALREADY_EXISTS);
    writer.release(&writer);
    assert_string_equal(content("lake/logs/9.csv"), "theirs\n");
    assert_int_equal(count_names("lake/logs"), 3);
}

static void a_link_in_the_place_of_a_file_is_replaced_and_not_followed(void **state) {
    (void)state;
    write_file("leak.csv", 1, "mine\n");
    assert_string_equal(content("lake/leak.csv"), "mine\n");
    assert_string_equal(content("outside/secret.csv"), "a,b\n666,2\n");
}

static void two_writers_of_one_file_leave_one_of_both(void **state) {
    (void)state;
    struct weir_writer a = start_writing("two.csv", 0, "a\n");
    struct weir_writer b = start_writing("two.csv", 0, "b\n");
    assert_int_equal(b.commit(&b, NULL), 0);
    assert_int_equal(a.commit(&a, NULL), WEIR_ALREADY_EXISTS);
    a.release(&a);
    b.release(&b);
    assert_string_equal(content("lake/two.csv"), "b\n");
    a = start_writing("two.csv", 1, "longer a\n");
    b = start_writing("two.csv", 1, "b\n");
    assert_int_equal(b.commit(&b, NULL), 0);
    assert_int_equal(a.commit(&a, NULL), 0);
    a.release(&a);
    b.release(&b);
    assert_string_equal(content("lake/two.csv"), "longer a\n");
}

static void *write_many(void *letter) {
    for (size_t i = 0; i < 100; i++) {
        struct weir_writer writer;
        char text[101];
        memset(text, *(char *)letter, 100);
        text[99] = '\n';
        if (wr_mount_files.write(mount, "raced.csv", 1, &writer, NULL) != 0) return letter;
        int code = writer.write(&writer, text, 50, NULL);
        if (code == 0) code = writer.write(&writer, text + 50, 50, NULL);
        if (code == 0) code = writer.commit(&writer, NULL);
        writer.release(&writer);
        if (code) return letter;
    }
    return NULL;
}

static void racing_writers_never_mix(void **state) {
    (void)state;
    static char letters[] = "ab";
    pthread_t threads[2];
    write_file("raced.csv", 0, "");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &letters[i]), 0);
    for (size_t i = 0; i < 300; i++) {
        const char *text = content("lake/raced.csv");
        size_t length = strlen(text);
        assert_true(length == 0 || length == 100);
        for (size_t j = 0; j + 1 < length; j++)
            assert_int_equal(text[j], text[0]);
    }
    for (size_t i = 0; i < 2; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(access("lake/raced.csv", F_OK), 0);
}

static void a_killed_writer_leaves_nothing_visible_and_is_swept(void **state) {
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct weir_writer writer;
        if (wr_mount_files.write(mount, "logs/3.csv", 0, &writer, NULL) != 0 ||
            writer.write(&writer, "half", 4, NULL) != 0)
            _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    /* While it lives, others leave its file alone. */
    write_file("logs/4.csv", 0, "a,b\n");
    assert_int_equal(count_names("lake/logs"), 4);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
    assert_string_equal(list("logs"), "1.csv:1 2.csv:2 4.csv:4");
    assert_int_equal(count_names("lake/logs"), 4);
    write_file("logs/3.csv", 0, "whole\n");
    assert_int_equal(count_names("lake/logs"), 4);
    assert_string_equal(content("lake/logs/3.csv"), "whole\n");
}

/* ---- Other changes ---- */

static void directories_are_made_once(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(wr_mount_files.make_directory(mount, "new", NULL), 0);
    assert_int_equal(wr_mount_files.make_directory(mount, "new/sub", NULL), 0);
    assert_string_equal(list("new"), "sub/");
    assert_int_equal(wr_mount_files.make_directory(mount, "new", &error), WEIR_ALREADY_EXISTS);
    assert_contains(error.message, "\"/lake/new\" is already there");
    assert_int_equal(wr_mount_files.make_directory(mount, "a/b", &error), WEIR_NOT_FOUND);
    assert_contains(error.message, "cannot open the directory \"/lake/a\"");
}

static void removing_takes_a_file_an_empty_directory_or_all(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(wr_mount_files.remove(mount, "notes.txt", 0, NULL), 0);
    assert_int_equal(access("lake/notes.txt", F_OK), -1);
    assert_int_equal(wr_mount_files.remove(mount, "notes.txt", 0, &error), WEIR_NOT_FOUND);
    assert_int_equal(wr_mount_files.remove(mount, "deep", 0, &error), WEIR_INVALID_STATE);
    assert_contains(error.message, "\"/lake/deep\" is not empty");
    assert_int_equal(symlink("../../outside", "lake/deep/out"), 0);
    assert_int_equal(wr_mount_files.remove(mount, "deep", 1, NULL), 0);
    assert_int_equal(access("lake/deep", F_OK), -1);
    assert_int_equal(wr_mount_files.remove(mount, "out", 1, NULL), 0); /* the link itself */
    assert_int_equal(access("outside/secret.csv", F_OK), 0);
    assert_int_equal(wr_mount_files.make_directory(mount, "empty", NULL), 0);
    assert_int_equal(wr_mount_files.remove(mount, "empty", 0, NULL), 0);
    assert_int_equal(wr_mount_files.remove(mount, "", 1, &error), WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "is the mount itself");
}

static void a_removal_that_was_killed_is_ended_by_the_next_change(void **state) {
    (void)state;
    put("lake/logs/.weir-0123456789abcdef.part/x/y.csv", "left\n");
    put("lake/logs/.weir-0123456789abcdee.part", "left\n");
    put("lake/logs/.weir-notes.part", "not ours\n");
    assert_int_equal(wr_mount_files.remove(mount, "logs/1.csv", 0, NULL), 0);
    assert_int_equal(count_names("lake/logs"), 2);
    assert_int_equal(access("lake/logs/.weir-notes.part", F_OK), 0);
}

static void renaming_replaces_a_file_in_one_step(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(wr_mount_files.rename(mount, "notes.txt", "logs/1.csv", NULL), 0);
    assert_string_equal(content("lake/logs/1.csv"), "notes\n");
    assert_int_equal(access("lake/notes.txt", F_OK), -1);
    assert_int_equal(wr_mount_files.rename(mount, "logs", "moved", NULL), 0);
    assert_string_equal(list("moved"), "1.csv:1 2.csv:2");
    assert_int_equal(wr_mount_files.rename(mount, "moved/1.csv", "deep", &error),
                     WEIR_ALREADY_EXISTS);
    assert_contains(error.message, "\"/lake/deep\" is a directory");
    assert_int_equal(wr_mount_files.rename(mount, "deep", "deep/a/b/x", &error),
                     WEIR_INVALID_ARGUMENT);
    assert_contains(error.message, "cannot be moved into itself");
    assert_int_equal(wr_mount_files.rename(mount, "nothing", "x", &error), WEIR_NOT_FOUND);
}

static void a_read_only_mount_is_not_changed(void **state) {
    (void)state;
    void *own = NULL;
    struct weir_error error = {0};
    struct weir_writer writer = {0};
    assert_int_equal(open_mount("ro", root, "true", &own, NULL), 0);
    assert_int_equal(wr_mount_files.write(own, "x", 0, &writer, &error), WEIR_UNAUTHORIZED);
    assert_contains(error.message, "the mount \"ro\" is read only");
    assert_int_equal(wr_mount_files.make_directory(own, "x", NULL), WEIR_UNAUTHORIZED);
    assert_int_equal(wr_mount_files.remove(own, "notes.txt", 0, NULL), WEIR_UNAUTHORIZED);
    assert_int_equal(wr_mount_files.rename(own, "notes.txt", "x", NULL), WEIR_UNAUTHORIZED);
    assert_int_equal(wr_mount_files.write(mount, ".weir-0123456789abcdef.part", 0, &writer, &error),
                     WEIR_INVALID_ARGUMENT);
    wr_mount_files.close(own);
}

/* ---- Mounts ---- */

static struct weir_error mount_error(const char *url) {
    struct weir_error error = {0};
    void *own = NULL;
    assert_int_not_equal(open_mount("m", url, NULL, &own, &error), 0);
    assert_null(own);
    return error;
}

static void a_mount_is_a_directory_that_is_there(void **state) {
    (void)state;
    void *own = NULL;
    char url[PATH_MAX + 16];
    struct weir_found found = {0};
    assert_int_equal(mount_error("/nothing/there").code, WEIR_NOT_FOUND);
    assert_contains(mount_error("/nothing/there").message, "mount \"m\" (kind files): ");
    assert_int_equal(mount_error("s3://bucket/x").code, WEIR_NOT_IMPLEMENTED);
    assert_int_equal(mount_error("lake").code, WEIR_INVALID_ARGUMENT);
    assert_contains(mount_error("lake").message, "must be an absolute path");
    snprintf(url, sizeof url, "%s/lake/notes.txt", here);
    assert_contains(mount_error(url).message, "Not a directory");
    snprintf(url, sizeof url, "file://%s/./lake/", here);
    assert_int_equal(open_mount("m", url, NULL, &own, NULL), 0);
    assert_int_equal(wr_mount_files.find(own, "notes.txt", &found, NULL), 0);
    found.release(&found);
    wr_mount_files.close(own);
}

static void a_root_that_is_replaced_is_seen_at_once(void **state) {
    (void)state;
    assert_int_equal(rename("lake", "old"), 0);
    list_fails("", WEIR_NOT_FOUND, "cannot open the directory");
    put("lake/new.csv", "a\n");
    assert_string_equal(list(""), "new.csv:new");
}

static void the_mount_of_the_machine_confines_nothing(void **state) {
    (void)state;
    void *machine = NULL;
    struct weir_found found;
    char path[PATH_MAX + 32];
    assert_int_equal(open_mount("/", "/", NULL, &machine, NULL), 0);
    snprintf(path, sizeof path, "%s/lake/leak.csv", here);
    assert_int_equal(wr_mount_files.find(machine, path + 1, &found, NULL), 0);
    assert_string_equal(found.kind, "files");
    assert_string_equal(found_option(&found, "path"), path);
    assert_int_equal(found.n_options, 1); /* no root, and messages call it by its path */
    found.release(&found);
    snprintf(path, sizeof path, "%s/lake/daily", here);
    assert_int_equal(wr_mount_files.find(machine, path + 1, &found, NULL), 0);
    assert_string_equal(found_option(&found, "catalog"), "/");
    *strrchr(path, '/') = '\0';
    assert_string_equal(found_option(&found, "schema"), path + 1);
    found.release(&found);
    assert_int_equal(wr_mount_files.find(machine, "dev/stdin", &found, NULL), 0);
    assert_string_equal(found.kind, "files");
    assert_string_equal(found_option(&found, "path"), "/dev/stdin");
    found.release(&found);
    wr_mount_files.close(machine);
}

/* ---- The lack of memory ---- */

static int everything(struct weir_error *error) {
    struct weir_found found;
    struct weir_reader reader;
    struct weir_writer writer;
    void *own = NULL;
    size_t n = 0;
    const char *const paths[] = {"logs/*", "in/1", "report", "daily.sql", "notes.txt"};
    listed[0] = '\0';
    int code = open_mount("lake", root, NULL, &own, error);
    if (code) return code;
    code = wr_mount_files.list(own, "", take, &n, error);
    for (size_t i = 0; code == 0 && i < sizeof paths / sizeof *paths; i++) {
        code = wr_mount_files.find(own, paths[i], &found, error);
        if (code == 0) found.release(&found);
    }
    if (code == 0) {
        code = wr_mount_files.find(own, "logs/nothing", &found, error);
        code = code == WEIR_NOT_FOUND ? 0 : code;
    }
    if (code == 0) code = wr_mount_files.read(own, "notes.txt", &reader, error);
    if (code == 0) reader.release(&reader);
    if (code == 0) code = wr_mount_files.write(own, "logs/5.csv", 1, &writer, error);
    if (code == 0) {
        code = writer.commit(&writer, error);
        writer.release(&writer);
    }
    if (code == 0) code = wr_mount_files.make_directory(own, "made", error);
    if (code == 0) code = wr_mount_files.rename(own, "made", "made2", error);
    if (code == 0) code = wr_mount_files.remove(own, "made2", 1, error);
    wr_mount_files.close(own);
    return code;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (int64_t n = 1; n < 10000; n++) {
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = everything(&error);
        int64_t made = wr_alloc_fail_at(0);
        rmdir("lake/made");
        rmdir("lake/made2");
        assert_int_equal(count_names("lake/logs"), access("lake/logs/5.csv", F_OK) == 0 ? 3 : 2);
        if (code && strcmp(error.sqlstate, "53200") != 0) fail_msg("%s", error.message);
        if (made < n) {
            assert_int_equal(code, 0);
            return;
        }
    }
    fail_msg("there is no end of allocations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_directory_lists_its_names_and_under_which_they_are_tables),
        test(entries_have_size_and_time),
        test(a_listing_ends_when_its_reader_says_so),
        test(what_is_no_directory_of_the_mount_is_not_listed),
        test(names_that_several_entries_claim_are_nobodys),
        test(paths_are_found_exactly_then_as_patterns_then_as_tables),
        test(a_name_with_the_signs_of_a_pattern_is_a_file_when_it_is_there),
        test(a_sql_file_looks_its_names_up_where_it_lies),
        test(a_name_that_could_be_several_names_them),
        test(what_is_not_there_says_where_it_looked_and_what_is_near),
        test(no_slot_leads_out),
        test(bytes_are_read_at_any_place),
        test(a_reader_keeps_the_file_that_it_opened),
        test(only_files_are_read),
        test(a_file_is_there_after_commit_and_not_before),
        test(a_writer_without_commit_leaves_nothing),
        test(what_is_there_is_replaced_only_when_asked),
        test(a_link_in_the_place_of_a_file_is_replaced_and_not_followed),
        test(two_writers_of_one_file_leave_one_of_both),
        test(racing_writers_never_mix),
        test(a_killed_writer_leaves_nothing_visible_and_is_swept),
        test(directories_are_made_once),
        test(removing_takes_a_file_an_empty_directory_or_all),
        test(a_removal_that_was_killed_is_ended_by_the_next_change),
        test(renaming_replaces_a_file_in_one_step),
        test(a_read_only_mount_is_not_changed),
        test(a_mount_is_a_directory_that_is_there),
        test(a_root_that_is_replaced_is_seen_at_once),
        test(the_mount_of_the_machine_confines_nothing),
        test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
