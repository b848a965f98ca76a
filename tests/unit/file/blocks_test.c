/* SPDX-License-Identifier: Apache-2.0 */
#include "file_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "file/blocks.h"

enum { MANY = 3 * WR_SEGMENT_BLOCKS, FIRST_BLOCK = 4096 };

static const int64_t PLENTY = INT64_C(1) << 40;

static struct weir_error error;
static struct wr_block_store *store;
static struct wr_blocks blocks;
static unsigned char data[MANY * WR_BLOCK], found[MANY * WR_BLOCK];
static uint32_t lengths[MANY];

static void open_store(const char *path, int64_t max_bytes) {
    assert_ok(wr_block_store_open(path, max_bytes, &store, &error));
    blocks = wr_block_store_blocks(store);
}

static void close_store(void) {
    struct wr_block_store *closing = store;
    store = NULL;
    wr_block_store_close(closing);
}

static int setup(void **state) {
    if (in_new_directory(state)) return -1;
    uint32_t random = 12345;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)((random = random * 1664525 + 1013904223) >> 24);
    open_store(at("blocks"), PLENTY);
    return 0;
}

static int teardown(void **state) {
    close_store();
    return remove_directory(state);
}

static void put(const char *object, uint64_t first, size_t length) {
    blocks.put(blocks.context, object, first, data + first * WR_BLOCK, length);
}

/* Looks for `n` blocks: which are there, as "1101", with their right bytes. */
static const char *get(const char *object, uint64_t first, size_t n) {
    static char seen[MANY + 1];
    memset(found, 0, sizeof found);
    memset(lengths, 0xff, sizeof lengths);
    blocks.get(blocks.context, object, first, n, found, lengths);
    for (size_t i = 0; i < n; i++) {
        seen[i] = lengths[i] ? '1' : '0';
        if (!lengths[i]) continue;
        assert_memory_equal(found + i * WR_BLOCK, data + (first + i) * WR_BLOCK, lengths[i]);
    }
    seen[n] = '\0';
    return seen;
}

static const char *file_of(const char *object, int segment) {
    char name[128];
    snprintf(name, sizeof name, "blocks/%s-%d", object, segment);
    return at(name);
}

static void what_is_put_is_found_also_by_who_opens_it_later(void **state) {
    (void)state;
    assert_string_equal(get("aa", 0, 4), "0000");
    put("aa", 1, 2 * WR_BLOCK);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(get("aa", 0, 4), "0110");
        assert_string_equal(get("aa", 2, 1), "1");
        assert_string_equal(get("ab", 0, 4), "0000");
        close_store();
        open_store(at("blocks"), PLENTY);
    }
}

static void the_last_block_of_an_object_is_as_short_as_it_is(void **state) {
    (void)state;
    put("aa", 0, 2 * WR_BLOCK + 100);
    assert_string_equal(get("aa", 0, 4), "1110");
    assert_int_equal(lengths[1], WR_BLOCK);
    assert_int_equal(lengths[2], 100);
}

static void blocks_of_a_large_object_are_in_several_files(void **state) {
    (void)state;
    size_t first = WR_SEGMENT_BLOCKS - 2;
    put("aa", first, (WR_SEGMENT_BLOCKS + 4) * (size_t)WR_BLOCK);
    assert_int_equal(count_names(at("blocks")), 3);
    const char *seen = get("aa", 0, MANY);
    for (size_t i = 0; i < MANY; i++) {
        bool wanted = i >= first && i < first + WR_SEGMENT_BLOCKS + 4;
        assert_int_equal(seen[i], wanted ? '1' : '0');
    }
}

static void change(const char *path, off_t place) {
    int fd = open(path, O_RDWR);
    unsigned char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, place), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
    close(fd);
}

static void a_block_that_was_torn_is_not_there_and_can_be_put_again(void **state) {
    (void)state;
    put("aa", 0, 3 * WR_BLOCK);
    change(file_of("aa", 0), FIRST_BLOCK + WR_BLOCK + 77);
    assert_string_equal(get("aa", 0, 3), "101");
    put("aa", 1, WR_BLOCK);
    assert_string_equal(get("aa", 0, 3), "111");
    change(file_of("aa", 0), 3); /* of the magic number */
    assert_string_equal(get("aa", 0, 3), "000");
    put("aa", 2, WR_BLOCK);
    assert_string_equal(get("aa", 0, 3), "111");
    assert_int_equal(truncate(file_of("aa", 0), FIRST_BLOCK + WR_BLOCK), 0);
    assert_string_equal(get("aa", 0, 1), "1");
    assert_int_equal(truncate(file_of("aa", 0), 100), 0);
    assert_string_equal(get("aa", 0, 3), "000");
}

static void no_byte_of_a_files_head_makes_wrong_blocks(void **state) {
    (void)state;
    put("aa", 0, 3 * WR_BLOCK);
    for (off_t place = 0; place < 256; place++) {
        change(file_of("aa", 0), place);
        get("aa", 0, 3); /* compares */
        change(file_of("aa", 0), place);
    }
    assert_string_equal(get("aa", 0, 3), "111");
}

static void blocks_under_another_name_or_place_are_not_taken(void **state) {
    (void)state;
    char from[512];
    put("aa", 0, 3 * WR_BLOCK);
    snprintf(from, sizeof from, "%s", file_of("aa", 0));
    assert_int_equal(rename(from, file_of("bb", 0)), 0);
    assert_string_equal(get("bb", 0, 3), "000");
    assert_int_equal(rename(file_of("bb", 0), file_of("aa", 1)), 0);
    assert_string_equal(get("aa", WR_SEGMENT_BLOCKS, 3), "000");
}

static void use(const char *object, time_t seconds_ago) {
    struct timespec then = {.tv_sec = time(NULL) - seconds_ago};
    struct timespec times[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, file_of(object, 0), times, 0), 0);
}

static void what_was_used_longest_ago_goes_first(void **state) {
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d"};
    close_store();
    open_store(at("blocks"), 85 * WR_BLOCK);
    for (int i = 0; i < 4; i++) {
        put(names[i], 0, 18 * WR_BLOCK);
        use(names[i], 1000 - 100 * i);
    }
    assert_string_equal(get("a", 0, 1), "1"); /* notes its use */
    put("e", 0, 18 * WR_BLOCK);
    assert_string_equal(get("a", 0, 1), "1");
    assert_string_equal(get("b", 0, 1), "0");
    assert_string_equal(get("c", 0, 1), "1");
    assert_string_equal(get("d", 0, 1), "1");
    assert_string_equal(get("e", 17, 1), "1");
}

static int64_t bytes_on_disk(void) {
    int64_t n_bytes = 0;
    DIR *listing = opendir(at("blocks"));
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        struct stat status;
        if (fstatat(dirfd(listing), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode))
            n_bytes += (int64_t)status.st_blocks * 512;
    }
    closedir(listing);
    return n_bytes;
}

static void the_bound_holds_for_what_another_process_left_too(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "old%d", i);
        put(name, 0, 10 * WR_BLOCK);
    }
    assert_true(bytes_on_disk() >= 200 * WR_BLOCK);
    close_store();
    open_store(at("blocks"), 100 * WR_BLOCK);
    put("new", 0, WR_BLOCK);
    assert_true(bytes_on_disk() <= 100 * WR_BLOCK);
    assert_string_equal(get("new", 0, 1), "1");
}

static void nothing_is_made_before_there_is_a_block(void **state) {
    (void)state;
    assert_int_not_equal(blocks.is_empty(blocks.context), 0);
    assert_string_equal(get("aa", 0, 1), "0");
    assert_int_not_equal(access(at("blocks"), F_OK), 0);
    put("aa", 0, WR_BLOCK);
    assert_int_equal(blocks.is_empty(blocks.context), 0);
    close_store();
    open_store(at("blocks"), PLENTY);
    assert_int_equal(blocks.is_empty(blocks.context), 0);
    assert_string_equal(get("aa", 0, 1), "1");
}

static void a_directory_that_cannot_be_made_keeps_nothing(void **state) {
    (void)state;
    close_store();
    open_store(at("not/there"), PLENTY);
    put("aa", 0, WR_BLOCK);
    assert_string_equal(get("aa", 0, 1), "0");
}

static void without_a_path_the_blocks_go_at_the_end(void **state) {
    (void)state;
    close_store();
    assert_int_equal(mkdir(at("tmp"), 0700), 0);
    assert_int_equal(setenv("TMPDIR", at("tmp"), 1), 0);
    open_store(NULL, PLENTY);
    assert_int_equal(blocks.is_lasting, 0);
    assert_string_equal(get("aa", 0, 1), "0");
    assert_int_equal(count_names(at("tmp")), 0);
    put("aa", 0, WR_BLOCK);
    assert_string_equal(get("aa", 0, 1), "1");
    assert_int_equal(count_names(at("tmp")), 1);
    close_store();
    assert_int_equal(count_names(at("tmp")), 0);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

enum { WRITERS = 4, ROUNDS = 30 };

static void *write_and_read(void *argument) {
    size_t place = (size_t)(intptr_t)argument;
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t first = (place * 7 + i * 3) % (MANY - 8);
        uint32_t lengths_here[8];
        unsigned char *here = malloc(8 * (size_t)WR_BLOCK);
        put("shared", first, 8 * (size_t)WR_BLOCK);
        blocks.get(blocks.context, "shared", first, 8, here, lengths_here);
        for (size_t k = 0; k < 8; k++) {
            const unsigned char *wanted = data + (first + k) * WR_BLOCK;
            if (lengths_here[k] && memcmp(here + k * WR_BLOCK, wanted, lengths_here[k]) != 0)
                abort();
        }
        free(here);
    }
    return NULL;
}

static void processes_and_threads_share_one_directory(void **state) {
    (void)state;
    close_store();
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i]) continue;
        open_store(at("blocks"), 200 * WR_BLOCK);
        write_and_read((void *)(intptr_t)(i + 1));
        close_store();
        _exit(0);
    }
    open_store(at("blocks"), 200 * WR_BLOCK);
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_read, (void *)(intptr_t)i), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    get("shared", 0, MANY); /* compares */
}

static void no_memory_is_an_error_at_opening_only(void **state) {
    (void)state;
    close_store();
    for (int64_t n = 1;; n++) {
        struct wr_block_store *made = NULL;
        wr_alloc_fail_at(n);
        int code = wr_block_store_open(at("blocks"), 64 * WR_BLOCK, &made, &error);
        if (code == WEIR_OK) {
            store = made;
            blocks = wr_block_store_blocks(made);
            put("aa", 0, 60 * WR_BLOCK);
            put("ab", 0, 60 * WR_BLOCK);
            get("aa", 0, 2);
            close_store();
        }
        wr_alloc_fail_at(0);
        if (n > 8) break;
        if (code) assert_int_equal(code, WEIR_INTERNAL);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_found_also_by_who_opens_it_later),
        TEST(the_last_block_of_an_object_is_as_short_as_it_is),
        TEST(blocks_of_a_large_object_are_in_several_files),
        TEST(a_block_that_was_torn_is_not_there_and_can_be_put_again),
        TEST(no_byte_of_a_files_head_makes_wrong_blocks),
        TEST(blocks_under_another_name_or_place_are_not_taken),
        TEST(what_was_used_longest_ago_goes_first),
        TEST(the_bound_holds_for_what_another_process_left_too),
        TEST(nothing_is_made_before_there_is_a_block),
        TEST(a_directory_that_cannot_be_made_keeps_nothing),
        TEST(without_a_path_the_blocks_go_at_the_end),
        TEST(processes_and_threads_share_one_directory),
        TEST(no_memory_is_an_error_at_opening_only),
    };
    return cmocka_run_group_tests_name("blocks", tests, NULL, NULL);
}
