/* SPDX-License-Identifier: Apache-2.0 */
/* Files below a root. Each case runs with the kernel's walk (openat2), and with our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"

static const char secret[] = "outside";
static char directory[PATH_MAX]; /* holds "root" and "outside" */
static char root[PATH_MAX + 8];
static bool by_kernel;

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/*
 *   outside/secret         root/in.txt        root/a/b/c.txt
 *   root/link-in -> a/b    root/link-out -> ../outside    root/link-abs -> DIRECTORY/outside
 *   root/chain -> link-out root/up -> ..      root/a/home -> ../..
 *   root/loop -> loop      root/magic -> /proc/self/root
 */
static int set_up(void **state) {
    by_kernel = *(const char *)*state == 'k';
    wr_beneath_without_openat2(!by_kernel);
    const char *parent = getenv("TMPDIR");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/weir-beneath-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path) || !realpath(path, directory) || chdir(directory) != 0) return -1;
    snprintf(root, sizeof root, "%s/root", directory);
    char outside[PATH_MAX + 16];
    snprintf(outside, sizeof outside, "%s/outside", directory);
    if (mkdir("root", 0700) || mkdir("outside", 0700) || mkdir("root/a", 0700) ||
        mkdir("root/a/b", 0700) || symlink("a/b", "root/link-in") ||
        symlink("../outside", "root/link-out") || symlink(outside, "root/link-abs") ||
        symlink("link-out", "root/chain") || symlink("..", "root/up") ||
        symlink("../..", "root/a/home") || symlink("loop", "root/loop") ||
        symlink("/proc/self/root", "root/magic"))
        return -1;
    put("outside/secret", secret);
    put("root/in.txt", "in");
    put("root/a/b/c.txt", "c");
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int tear_down(void **state) {
    (void)state;
    wr_beneath_without_openat2(false);
    return chdir("/") || nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* 0 and the first bytes, or an errno value. */
static int read_below(const char *path, char text[16]) {
    int root_fd = -1;
    int fd = -1;
    assert_int_equal(wr_beneath_root(root, &root_fd, NULL), WEIR_OK);
    int reason = wr_beneath_try_open(root_fd, root, path, O_RDONLY, 0, &fd);
    close(root_fd);
    memset(text, 0, 16);
    if (reason) {
        assert_int_equal(fd, -1);
        return reason;
    }
    if (read(fd, text, 15) < 0) assert_int_equal(errno, EISDIR);
    close(fd);
    return 0;
}

static void check_text(const char *path, const char *expected) {
    char text[16];
    assert_int_equal(read_below(path, text), 0);
    assert_string_equal(text, expected);
}

static void what_lies_below_the_root_opens_however_it_is_spelt(void **state) {
    (void)state;
    check_text("in.txt", "in");
    check_text("./in.txt", "in");
    check_text("a//b/./c.txt", "c");
    check_text("a/../in.txt", "in");
    check_text("a/b/../../a/b/c.txt", "c");
    check_text("", "");
    check_text(".", "");
    check_text("a/..", "");
}

static void links_that_stay_inside_are_followed_by_the_kernel(void **state) {
    (void)state;
    char text[16];
    if (by_kernel)
        check_text("link-in/c.txt", "c");
    else
        assert_int_equal(read_below("link-in/c.txt", text), EXDEV);
}

/* Every spelling that is to be refused, with what it must not give. */
static void no_spelling_leads_out(void **state) {
    (void)state;
    char absolute[PATH_MAX + 32];
    char absolute_in[PATH_MAX + 32];
    char of_process[64];
    snprintf(absolute, sizeof absolute, "%s/outside/secret", directory);
    snprintf(absolute_in, sizeof absolute_in, "%s/in.txt", root);
    snprintf(of_process, sizeof of_process, "/proc/%d/cwd/outside/secret", getpid());
    const char *const out[] = {
        "..",
        "../",
        "../outside/secret",
        "./../outside/secret",
        ".//..//outside/secret",
        "././../outside/secret",
        "a/../../outside/secret",
        "a/b/../../../outside/secret",
        "a/./../../outside/secret",
        "a/..//../outside/secret",
        "../root/in.txt",
        "../root/../outside/secret",
        "a/../../root/in.txt",
        absolute,
        absolute_in,
        of_process,
        "/",
        "//",
        "/..",
        "/./",
        "//in.txt",
        "/in.txt",
        "link-out/secret",
        "link-out",
        "link-out/",
        "link-out/.",
        "link-abs/secret",
        "chain/secret",
        "chain/../outside/secret",
        "up/outside/secret",
        "up",
        "up/root/in.txt",
        "a/home/outside/secret",
        "a/home",
        "magic",
        "magic/etc/passwd",
        "/proc/self/cwd/outside/secret",
        "/proc/self/root/etc/passwd",
        "/dev/fd/0",
        "../../../../../../../../../../../../../etc/passwd",
    };
    assert_true(sizeof out / sizeof *out >= 40);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        char text[16];
        int reason = read_below(out[i], text);
        if (reason != EXDEV) fail_msg("\"%s\": %d instead of EXDEV (%s)", out[i], reason, text);
        struct stat status;
        int root_fd = open(root, O_PATH);
        assert_int_equal(wr_beneath_try_stat(root_fd, root, out[i], &status), EXDEV);
        close(root_fd);
    }
}

/* Names like any other: nothing in them is decoded, folded or cut. */
static void other_spellings_are_names_that_are_not_there(void **state) {
    (void)state;
    static const char *const names[] = {
        "%2e%2e/outside/secret",
        "%2E%2E%2Foutside%2Fsecret",
        "..%2foutside%2fsecret",
        "..%252foutside",
        "..\\outside\\secret",
        "a\\..\\..\\outside",
        ".../outside/secret",
        "..../secret",
        ".. /outside/secret",
        "..;/outside/secret",
        "\xC0\xAE\xC0\xAE/outside",
        "\xE0\x80\xAE/outside",
        "\xFF\xFE",
        "..\xC0\xAFoutside",
        "\xE2\x80\xA5/outside",
        "IN.TXT",
        "Link-Out/secret",
        "~/secret",
        "$HOME/secret",
        "file:///etc/passwd",
        "in.txt.",
        "in.txt ",
        "a/b/../../nothing",
        "?x=../outside",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[16];
        int reason = read_below(names[i], text);
        if (reason != ENOENT) fail_msg("\"%s\": %d instead of ENOENT", names[i], reason);
    }
}

static void overlong_paths_and_circles_are_errors(void **state) {
    (void)state;
    char text[16];
    char name[300];
    char path[2 * PATH_MAX];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(read_below(name, text), ENAMETOOLONG);
    for (size_t i = 0; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "a/", 3);
    assert_int_equal(read_below(path, text), ENAMETOOLONG);
    for (size_t i = 0; i + 3 < PATH_MAX; i += 3)
        memcpy(path + i, "../", 4);
    assert_int_equal(read_below(path, text), EXDEV);
    assert_int_equal(read_below("loop", text), by_kernel ? ELOOP : EXDEV);
    assert_int_equal(read_below("in.txt/x", text), ENOTDIR);
    assert_int_equal(read_below("in.txt/../in.txt", text), ENOTDIR);
    assert_int_equal(read_below("in.txt/", text), ENOTDIR);
    assert_int_equal(read_below("nothing/../in.txt", text), ENOENT);
}

static void magic_links_are_refused_even_inside_of_proc(void **state) {
    (void)state;
    int root_fd = -1;
    int fd = -1;
    assert_int_equal(wr_beneath_root("/proc/self", &root_fd, NULL), WEIR_OK);
    assert_int_equal(wr_beneath_try_open(root_fd, "/proc/self", "cwd", O_PATH, 0, &fd), EXDEV);
    assert_int_equal(wr_beneath_try_open(root_fd, "/proc/self", "fd/0", O_PATH, 0, &fd), EXDEV);
    assert_int_equal(wr_beneath_try_open(root_fd, "/proc/self", "root/etc", O_PATH, 0, &fd), EXDEV);
    assert_int_equal(wr_beneath_try_open(root_fd, "/proc/self", "status", O_RDONLY, 0, &fd), 0);
    close(fd);
    close(root_fd);
}

static void a_link_that_is_not_to_be_followed_can_be_opened_itself(void **state) {
    (void)state;
    int root_fd = open(root, O_PATH);
    int fd = -1;
    struct stat status;
    assert_int_equal(wr_beneath_try_open(root_fd, root, "link-out", O_PATH | O_NOFOLLOW, 0, &fd),
                     0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    close(fd);
    assert_int_equal(wr_beneath_try_open(root_fd, root, "link-out", O_RDONLY | O_NOFOLLOW, 0, &fd),
                     ELOOP);
    close(root_fd);
}

static void nothing_is_made_outside(void **state) {
    (void)state;
    int root_fd = open(root, O_PATH);
    int fd = -1;
    const int flags = O_WRONLY | O_CREAT;
    assert_int_equal(symlink("../outside/new", "root/new-out"), 0);
    assert_int_equal(wr_beneath_try_open(root_fd, root, "new-out", flags, 0600, &fd), EXDEV);
    assert_int_equal(wr_beneath_try_open(root_fd, root, "link-out/new", flags, 0600, &fd), EXDEV);
    assert_int_equal(wr_beneath_try_open(root_fd, root, "../outside/new", flags, 0600, &fd), EXDEV);
    assert_int_equal(access("outside/new", F_OK), -1);
    assert_int_equal(wr_beneath_try_open(root_fd, root, "a/new", flags, 0640, &fd), 0);
    assert_int_equal(access("root/a/new", F_OK), 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
    close(root_fd);
}

static void errors_name_the_path_and_the_root(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct stat status;
    int fd = -1;
    int root_fd = open(root, O_PATH);
    char expected[2 * PATH_MAX];
    snprintf(expected, sizeof expected, "\"link-out/secret\" leads out of \"%s\"", root);
    assert_int_equal(wr_beneath_open(root_fd, root, "link-out/secret", O_RDONLY, 0, &fd, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "22023");
    assert_ptr_equal(strstr(error.message, expected), error.message);
    assert_int_equal(strcmp(error.message, expected) == 0, by_kernel);
    assert_int_equal(wr_beneath_stat(root_fd, root, "nothing", &status, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "cannot read \"nothing\": No such file or directory");
    assert_string_equal(error.sqlstate, "58P01");
    assert_int_equal(wr_beneath_stat(root_fd, root, "in.txt", &status, &error), WEIR_OK);
    assert_int_equal(status.st_size, 2);
    assert_int_equal(wr_beneath_root("/nothing-there", &fd, &error), WEIR_NOT_FOUND);
    assert_int_equal(fd, -1);
    close(root_fd);
}

static void a_root_of_slash_confines_nothing(void **state) {
    (void)state;
    char path[PATH_MAX + 32];
    int root_fd = -1;
    int fd = -1;
    assert_int_equal(wr_beneath_root("/", &root_fd, NULL), WEIR_OK);
    snprintf(path, sizeof path, "%s/root/link-abs/secret", directory);
    assert_int_equal(wr_beneath_open(root_fd, "/", path, O_RDONLY, 0, &fd, NULL), WEIR_OK);
    close(fd);
    assert_int_equal(wr_beneath_open(root_fd, "/", path + 1, O_RDONLY, 0, &fd, NULL), WEIR_OK);
    close(fd);
    close(root_fd);
}

static void a_path_below_a_root_is_told_by_its_text(void **state) {
    (void)state;
    assert_string_equal(wr_beneath_relative("/srv/lake", "/srv/lake/a/b"), "a/b");
    assert_string_equal(wr_beneath_relative("/srv/lake", "/srv/lake"), "");
    assert_string_equal(wr_beneath_relative("/", "/srv"), "srv");
    assert_null(wr_beneath_relative("/srv/lake", "/srv/lakes/a"));
    assert_null(wr_beneath_relative("/srv/lake", "/srv"));
    assert_null(wr_beneath_relative("/srv/lake", "srv/lake/a"));
}

static void url_is(const char *url, const char *content) {
    struct weir_error error = {0};
    char text[16] = "";
    int fd = -1;
    if (wr_url_open(url, &fd, &error) != WEIR_OK) fail_msg("%s: %s", url, error.message);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    assert_string_equal(text, content);
    close(fd);
}

static void url_fails(const char *url, int code) {
    struct weir_error error = {0};
    int fd = -1;
    int got = wr_url_open(url, &fd, &error);
    if (got != code) fail_msg("%s: code %d (%s)", url, got, error.message);
    assert_int_equal(fd, -1);
}

static void urls_open_what_they_name(void **state) {
    (void)state;
    char path[PATH_MAX + 64];
    char url[PATH_MAX + 64];
    char *made = NULL;
    put("root/a/100% \xC3\xA9.txt", "odd");
    snprintf(path, sizeof path, "%s/a/100%% \xC3\xA9.txt", root);
    assert_int_equal(wr_beneath_url(root, path, &made, NULL), WEIR_OK);
    assert_ptr_equal(strstr(made, "weir+file://2f"), made);
    assert_non_null(strstr(made, "/root/a/100%25%20%C3%A9.txt"));
    url_is(made, "odd");
    wr_free(made);
    snprintf(url, sizeof url, "file://%s/in.txt", root);
    url_is(url, "in");
    snprintf(url, sizeof url, "FILE://localhost%s/link-abs/secret", root);
    url_is(url, secret);
    snprintf(url, sizeof url, "file://%s/nothing", root);
    url_fails(url, WEIR_NOT_FOUND);
    snprintf(url, sizeof url, "file://%s/a", root);
    url_fails(url, WEIR_INVALID_ARGUMENT);
}

static void urls_do_not_lead_out_of_their_root(void **state) {
    (void)state;
    static const char *const relative[] = {"link-out/secret",        "../outside/secret",
                                           "a/../../outside/secret", "chain/secret",
                                           "%2e%2e/outside/secret",  "a%2F..%2F..%2Foutside"};
    char hex[2 * sizeof root] = "";
    char url[5 * PATH_MAX];
    char *made = NULL;
    for (const char *c = root; *c; c++)
        sprintf(hex + strlen(hex), "%02x", (unsigned)(unsigned char)*c);
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++) {
        snprintf(url, sizeof url, "weir+file://%s%s/%s", hex, root, relative[i]);
        url_fails(url, WEIR_INVALID_ARGUMENT);
    }
    snprintf(url, sizeof url, "weir+file://%s%s/outside/secret", hex, directory);
    url_fails(url, WEIR_INVALID_ARGUMENT);
    snprintf(url, sizeof url, "weir+file://%s/etc/passwd", hex);
    url_fails(url, WEIR_INVALID_ARGUMENT);
    assert_int_equal(wr_beneath_url(root, "/etc/passwd", &made, NULL), WEIR_INVALID_ARGUMENT);
    assert_null(made);
}

static void texts_that_are_no_such_url_are_refused(void **state) {
    (void)state;
    static const char *const urls[] = {
        "",
        "/etc/passwd",
        "http://x/y",
        "file:/etc/passwd",
        "file://host/etc/passwd",
        "file:///etc/pass%wd",
        "file:///etc/passwd%00",
        "weir+file://",
        "weir+file:///etc/passwd",
        "weir+file://2f",
        "weir+file://2/etc/passwd",
        "weir+file://zz/etc/passwd",
        "weir+file://2f00/etc/passwd",
        "weir+file://657463/etc/passwd",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        url_fails(urls[i], WEIR_INVALID_ARGUMENT);
}

static void a_version_tells_every_state_of_a_file(void **state) {
    (void)state;
    struct stat status;
    char before[WEIR_VERSION_SIZE];
    char after[WEIR_VERSION_SIZE];
    assert_int_equal(stat("root/in.txt", &status), 0);
    wr_file_version(&status, before);
    const struct timespec same[2] = {status.st_atim, status.st_mtim};
    usleep(20000);
    put("root/in.txt", "IN");
    assert_int_equal(utimensat(AT_FDCWD, "root/in.txt", same, 0), 0);
    assert_int_equal(stat("root/in.txt", &status), 0);
    wr_file_version(&status, after);
    assert_string_not_equal(before, after); /* though size and time of content are the same */
    wr_file_version_text(UINT32_MAX, UINT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, after);
    assert_string_equal(
        after, "ffffffff-ffffffffffffffff-7fffffffffffffff-7fffffffffffffff-7fffffffffffffff");
}

/* ---- A race ---- */

static atomic_bool stop;
static atomic_size_t n_swaps;

/* Puts a directory and a link to the outside under one name, in turn. */
static void *swap(void *unused) {
    (void)unused;
    while (!stop) {
        if (syscall(SYS_renameat2, AT_FDCWD, "root/swap", AT_FDCWD, "root/other",
                    RENAME_EXCHANGE) == 0)
            n_swaps++;
    }
    return NULL;
}

static void a_race_with_a_swapped_directory_gives_no_byte_of_the_outside(void **state) {
    (void)state;
    enum { N_OPENS = 20000 };
    assert_int_equal(mkdir("root/swap", 0700), 0);
    put("root/swap/secret", "inside");
    assert_int_equal(symlink("../outside", "root/other"), 0);
    pthread_t thread;
    stop = false;
    n_swaps = 0;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    static const char *const paths[] = {"swap/secret", "a/../swap/secret", "a/b/../../swap/secret"};
    size_t n_inside = 0;
    size_t n_refused = 0;
    for (size_t i = 0; i < N_OPENS; i++) {
        char text[16];
        int reason = read_below(paths[i % 3], text);
        if (reason == 0) {
            assert_string_equal(text, "inside");
            n_inside++;
        } else {
            if (reason != EXDEV && reason != ENOTDIR) fail_msg("reason %d", reason);
            n_refused++;
        }
        if (i % 64 == 0) sched_yield();
    }
    stop = true;
    pthread_join(thread, NULL);
    assert_true(n_swaps > 100);
    assert_true(n_inside > 0);
    assert_true(n_refused > 0);
}

static void the_lack_of_memory_is_an_error(void **state) {
    (void)state;
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/in.txt", root);
    bool done = false;
    for (int64_t n = 1; !done; n++) {
        struct weir_error error = {0};
        char *url = NULL;
        int fd = -1;
        wr_alloc_fail_at(n);
        int code = wr_beneath_url(root, path, &url, &error);
        if (code == 0) code = wr_url_open(url, &fd, &error);
        done = wr_alloc_fail_at(0) < n;
        assert_int_equal(code == 0, done);
        if (code) assert_string_equal(error.sqlstate, "53200");
        if (fd >= 0) close(fd);
        wr_free(url);
    }
}

int main(void) {
    static char kernel[] = "kernel";
    static char walk[] = "walk";
#define both(name)                                                                                 \
    {#name, name, set_up, tear_down, kernel}, {                                                    \
        #name " (without openat2)", name, set_up, tear_down, walk                                  \
    }
    const struct CMUnitTest tests[] = {
        both(what_lies_below_the_root_opens_however_it_is_spelt),
        both(links_that_stay_inside_are_followed_by_the_kernel),
        both(no_spelling_leads_out),
        both(other_spellings_are_names_that_are_not_there),
        both(overlong_paths_and_circles_are_errors),
        both(magic_links_are_refused_even_inside_of_proc),
        both(a_link_that_is_not_to_be_followed_can_be_opened_itself),
        both(nothing_is_made_outside),
        both(errors_name_the_path_and_the_root),
        both(a_root_of_slash_confines_nothing),
        both(a_path_below_a_root_is_told_by_its_text),
        both(urls_open_what_they_name),
        both(urls_do_not_lead_out_of_their_root),
        both(texts_that_are_no_such_url_are_refused),
        both(a_version_tells_every_state_of_a_file),
        both(a_race_with_a_swapped_directory_gives_no_byte_of_the_outside),
        both(the_lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
