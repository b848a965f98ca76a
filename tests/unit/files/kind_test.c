/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, threads and the lack of memory. */
#include "files_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nanoarrow/nanoarrow.h"

#define test(name) cmocka_unit_test_setup_teardown(name, in_new_directory, remove_directory)

/* Reads the only file of a form by its URL, as the engine does. */
static void check_content(const struct weir_form *form, const char *expected) {
    char content[256] = "";
    assert_int_equal(form->files.n_files, 1);
    int fd = open(form->files.files[0].url + strlen("file://"), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, content, sizeof content - 1), strlen(expected));
    close(fd);
    assert_string_equal(content, expected);
    assert_int_equal(form->files.files[0].n_bytes, strlen(expected));
}

/* A descriptor that gives `text` and ends. */
static int pipe_of(const char *text) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
    close(ends[1]);
    return ends[0];
}

static size_t count_temporary_files(void) {
    const char *directory = getenv("TMPDIR");
    DIR *stream = opendir(directory ? directory : "/tmp");
    size_t n = 0;
    for (const struct dirent *entry; (entry = readdir(stream));)
        n += strncmp(entry->d_name, "weir-pipe-", 10) == 0;
    closedir(stream);
    return n;
}

static void a_pipe_is_copied_once_and_can_be_read_many_times(void **state) {
    (void)state;
    size_t before = count_temporary_files();
    int fd = pipe_of("id;name\n1;x\n");
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    void *table = NULL;
    struct weir_error error = {0};
    if (open_table(NULL, &table, &error, "path", path, "format", "csv", NULL) != 0)
        fail_msg("%s", error.message);
    close(fd);
    for (size_t i = 0; i < 2; i++) {
        struct weir_form form;
        assert_int_equal(wr_kind_files.form(table, &form, NULL), 0);
        assert_string_equal(form.files.format, "csv");
        assert_string_equal(option(&form, "format.delimiter"), ";");
        check_content(&form, "id;name\n1;x\n");
        form.release(&form);
    }
    wr_kind_files.close(table);
    assert_int_equal(count_temporary_files(), before);
}

static void standard_input_can_be_named_again_after_its_table_is_closed(void **state) {
    (void)state;
    int fd = pipe_of("a,b\n1,2\n");
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    for (size_t i = 0; i < 3; i++) {
        struct weir_form form = form_of("path", path);
        check_content(&form, "a,b\n1,2\n");
        form.release(&form);
    }
    close(fd);
}

static void copies_that_nothing_reads_are_not_kept_without_end(void **state) {
    (void)state;
    int first = dup(STDIN_FILENO);
    close(first);
    for (size_t i = 0; i < 40; i++) {
        int fd = pipe_of("a,b\n1,2\n");
        char path[64];
        snprintf(path, sizeof path, "/dev/fd/%d", fd);
        struct weir_form form = form_of("path", path);
        form.release(&form);
        close(fd);
    }
    int last = dup(STDIN_FILENO);
    close(last);
    assert_true(last - first <= 16);
}

static void the_content_of_a_pipe_tells_its_format(void **state) {
    (void)state;
    const struct {
        const char *text;
        const char *format;
    } cases[] = {{"id,name\n1,x\n", "csv"}, {"{\"a\": 1}\n", "json"}, {"Obj\1", "avro"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int saved = dup(STDIN_FILENO);
        int fd = pipe_of(cases[i].text);
        dup2(fd, STDIN_FILENO);
        close(fd);
        void *table = NULL;
        struct weir_form form;
        assert_int_equal(open_table(NULL, &table, NULL, "path", "/dev/stdin", NULL), 0);
        assert_int_equal(wr_kind_files.form(table, &form, NULL), 0);
        assert_string_equal(form.files.format, cases[i].format);
        form.release(&form);
        wr_kind_files.close(table);
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
}

static void a_redirected_file_is_read_under_its_own_name(void **state) {
    (void)state;
    put("x.tsv", "a,b\n1,2\n");
    int saved = dup(STDIN_FILENO);
    int fd = open("x.tsv", O_RDONLY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    struct weir_form form = form_of("path", "/dev/stdin");
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_string_equal(names(&form), "x.tsv");
    assert_string_equal(option(&form, "format.delimiter"), "\t");
    form.release(&form);
}

static void a_socket_that_is_standard_input_is_read_like_a_pipe(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1,2\n", 8), 8);
    close(ends[1]);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    void *table = NULL;
    assert_int_equal(open_table(NULL, &table, NULL, "path", path, NULL), 0);
    wr_kind_files.close(table);
    close(ends[0]);
}

static void *write_to_fifo(void *path) {
    int fd = open(path, O_WRONLY);
    ssize_t written = write(fd, "a,b\n1,2\n", 8);
    close(fd);
    return written == 8 ? path : NULL;
}

static void a_named_pipe_is_read_to_its_end(void **state) {
    (void)state;
    pthread_t writer;
    void *table = NULL;
    void *wrote = NULL;
    struct weir_form form;
    assert_int_equal(mkfifo("pipe.csv", 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_to_fifo, "pipe.csv"), 0);
    assert_int_equal(open_table(NULL, &table, NULL, "path", "pipe.csv", "format", "csv", NULL), 0);
    pthread_join(writer, &wrote);
    assert_non_null(wrote);
    assert_int_equal(wr_kind_files.form(table, &form, NULL), 0);
    check_content(&form, "a,b\n1,2\n");
    form.release(&form);
    wr_kind_files.close(table);
}

static void a_pipe_that_gives_nothing_is_an_error(void **state) {
    (void)state;
    int fd = pipe_of("");
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    assert_contains(error_of("path", path, "format", "csv").message, "gave no data");
    close(fd);
    assert_contains(error_of("path", "/dev/fd/987").message, "cannot read \"/dev/fd/987\"");
}

static void a_temporary_directory_that_is_full_or_missing_is_named(void **state) {
    (void)state;
    char *saved = getenv("TMPDIR");
    saved = saved ? strdup(saved) : NULL;
    setenv("TMPDIR", "/nowhere-at-all", 1);
    int fd = pipe_of("a,b\n");
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    struct weir_error error = error_of("path", path);
    assert_contains(error.message, "/nowhere-at-all");
    assert_contains(error.message, "TMPDIR");
    if (saved) {
        setenv("TMPDIR", saved, 1);
    } else {
        unsetenv("TMPDIR");
    }
    free(saved);
    close(fd);
}

static void *form_many_times(void *table) {
    for (size_t i = 0; i < 50; i++) {
        struct weir_form form;
        if (wr_kind_files.form(table, &form, NULL) != 0) return table;
        bool right = form.files.n_files == 2 && strcmp(option(&form, "format.delimiter"), ";") == 0;
        form.release(&form);
        if (!right) return table;
    }
    return NULL;
}

static void several_threads_ask_one_table_for_its_form(void **state) {
    (void)state;
    put("d/a.csv", "a;b\n1;2\n");
    put("d/b.csv", "a;b\n1;2\n");
    void *table = NULL;
    pthread_t threads[4];
    assert_int_equal(open_table(NULL, &table, NULL, "path", "d", NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, form_many_times, table), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    wr_kind_files.close(table);
}

/* Runs open, form and close with the n-th allocation failing, for each n until none fails. */
static void fail_each_allocation(const struct ArrowSchema *columns, const char *key,
                                 const char *path, const char *key2, const char *value2) {
    for (int64_t n = 1; n < 10000; n++) {
        void *table = NULL;
        struct weir_form form = {0};
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = open_table(columns, &table, &error, key, path, key2, value2, "partition_by", "k",
                              "order_by", "a", "delimiter", ";", "comment", "#", NULL);
        if (code == 0) {
            code = wr_kind_files.form(table, &form, &error);
            wr_kind_files.close(table);
        }
        int64_t made = wr_alloc_fail_at(0);
        if (code == 0) {
            form.release(&form);
            if (made < n) return;
        } else {
            if (strcmp(error.sqlstate, "53200") != 0) fail_msg("%s", error.message);
            assert_int_equal(error.code, code);
            assert_null(form.release);
        }
    }
    fail_msg("there is no end of allocations");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct ArrowSchema columns = columns_of("a", "l", "k", "l", NULL);
    put_compressed("d/k=1/a.csv.gz", WR_COMPRESSION_GZIP, "a;b\n1;2\n");
    put("h/k=1/a.csv", "a;b\n1;2\n");
    put("h/k=1/b.csv", "b;a\n1;2\n");
    fail_each_allocation(NULL, "path", "h", "hive", "auto");
    put_compressed("e/k=1/a.csv.xz", WR_COMPRESSION_XZ, "a;b\n1;2\n");
    put_compressed("f/k=1/a.csv.bz2", WR_COMPRESSION_BZIP2, "a;b\n1;2\n");
    put_compressed("g/k=1/a.csv.zst", WR_COMPRESSION_ZSTD, "a;b\n1;2\n");
    fail_each_allocation(NULL, "path", "d", "hive", "auto");
    fail_each_allocation(NULL, "path", "e/{**,k=*}/[a]*.xz", "hive", "auto");
    fail_each_allocation(NULL, "path", "f/../f/k=?/*", "hive", "auto");
    fail_each_allocation(NULL, "path", "g", "format", "csv");
    fail_each_allocation(&columns, "location", "d", "format", "csv");
    columns.release(&columns);
}

static void a_pipe_survives_each_failing_allocation(void **state) {
    (void)state;
    for (int64_t n = 1; n < 200; n++) {
        int fd = pipe_of("a;b\n1;2\n");
        char path[64];
        snprintf(path, sizeof path, "/dev/fd/%d", fd);
        void *table = NULL;
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = open_table(NULL, &table, &error, "path", path, NULL);
        int64_t made = wr_alloc_fail_at(0);
        if (code == 0) wr_kind_files.close(table);
        close(fd);
        if (code == 0 && made < n) return;
    }
    fail_msg("there is no end of allocations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        test(a_pipe_is_copied_once_and_can_be_read_many_times),
        test(standard_input_can_be_named_again_after_its_table_is_closed),
        test(copies_that_nothing_reads_are_not_kept_without_end),
        test(the_content_of_a_pipe_tells_its_format),
        test(a_redirected_file_is_read_under_its_own_name),
        test(a_socket_that_is_standard_input_is_read_like_a_pipe),
        test(a_named_pipe_is_read_to_its_end),
        test(a_pipe_that_gives_nothing_is_an_error),
        test(a_temporary_directory_that_is_full_or_missing_is_named),
        test(several_threads_ask_one_table_for_its_form),
        test(every_allocation_may_fail),
        test(a_pipe_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
