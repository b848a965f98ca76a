/* SPDX-License-Identifier: Apache-2.0 */
/* The spool between threads and between processes, and after a process was killed. */
#include "file_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/metrics.h"
#include "file/spool.h"

enum { N_READERS = 16, PIECE = 4096, N_PIECES = 64 };

/* What all readers and processes of a test see. */
struct shared {
    atomic_int fills;
    atomic_int half_way; /* fills that have written half of their bytes */
    atomic_int failing;  /* so many fills fail with this code */
    atomic_int code;
    atomic_int wait_ms; /* in the middle of a fill */
    atomic_int cancel;  /* the reader who fills is cancelled */
};

static struct shared *shared;
static struct weir_error error;

static void sleep_ms(int ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* 64 pieces of 4 KiB, each byte of which is the piece's number plus `first`. */
static int fill_pieces(void *context, weir_write_fn write_piece, void *sink,
                       struct weir_error *ret_error) {
    char first = context ? *(char *)context : 'a';
    atomic_fetch_add(&shared->fills, 1);
    char piece[PIECE];
    for (int i = 0; i < N_PIECES; i++) {
        if (i == N_PIECES / 2) {
            atomic_fetch_add(&shared->half_way, 1);
            for (int waited = 0; waited < atomic_load(&shared->wait_ms); waited += 5) {
                if (atomic_load(&shared->cancel) == 1) {
                    atomic_store(&shared->cancel, 0);
                    return wr_error_set(ret_error, WEIR_CANCELLED, NULL, "cancelled");
                }
                sleep_ms(5);
            }
            if (atomic_fetch_sub(&shared->failing, 1) > 0) {
                return wr_error_set(ret_error, atomic_load(&shared->code), NULL, "no such column");
            }
        }
        memset(piece, first + i % 16, sizeof piece);
        int errnum = write_piece(sink, piece, sizeof piece);
        if (errnum) return wr_error_errno(ret_error, errnum, "writing");
    }
    return WEIR_OK;
}

static const struct wr_spool_fill pieces = {.run = fill_pieces};

/* 1: all pieces are there and nothing else. */
static int is_whole(int fd, int64_t n_bytes, char first) {
    char piece[PIECE];
    char expected[PIECE];
    if (n_bytes != PIECE * N_PIECES) return 0;
    for (int i = 0; i < N_PIECES; i++) {
        memset(expected, first + i % 16, sizeof expected);
        if (pread(fd, piece, PIECE, (off_t)i * PIECE) != PIECE ||
            memcmp(piece, expected, PIECE) != 0)
            return 0;
    }
    return pread(fd, piece, 1, n_bytes) == 0;
}

static int setup(void **state) {
    memset(&error, 0, sizeof error);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? -1 : in_new_directory(state);
}

static int teardown(void **state) {
    munmap(shared, sizeof *shared);
    return remove_directory(state);
}

static struct wr_spool *open_spool(int64_t max_bytes) {
    struct wr_spool *spool = NULL;
    assert_ok(wr_spool_open(at("spool"), max_bytes, &spool, &error));
    return spool;
}

/* Gets a whole file and closes it; answers whether this call filled it. */
static bool get(struct wr_spool *spool, const char *key, int64_t max_age_ms) {
    int fd = -1;
    int64_t n_bytes = 0;
    bool filled = false;
    assert_ok(wr_spool_get(spool, key, max_age_ms, &pieces, &fd, &n_bytes, &filled, &error));
    assert_true(is_whole(fd, n_bytes, 'a'));
    close(fd);
    return filled;
}

/* ---- Threads ---- */

struct reader {
    struct wr_spool *spool;
    int code;
    int whole;
    bool filled;
    char message[100];
};

static void *read_once(void *context) {
    struct reader *reader = context;
    struct weir_error own = {0};
    int fd = -1;
    int64_t n_bytes = 0;
    reader->code =
        wr_spool_get(reader->spool, "one", -1, &pieces, &fd, &n_bytes, &reader->filled, &own);
    snprintf(reader->message, sizeof reader->message, "%.99s", own.message);
    if (reader->code == WEIR_OK) {
        reader->whole = is_whole(fd, n_bytes, 'a');
        close(fd);
    }
    return NULL;
}

/* Sixteen readers at once, who all have come before the first fill ends. */
static void read_by_threads(struct wr_spool *spool, struct reader readers[N_READERS]) {
    pthread_t threads[N_READERS];
    atomic_store(&shared->wait_ms, 200);
    for (int i = 0; i < N_READERS; i++) {
        readers[i] = (struct reader){.spool = spool};
        assert_int_equal(pthread_create(&threads[i], NULL, read_once, &readers[i]), 0);
    }
    for (int i = 0; i < N_READERS; i++)
        pthread_join(threads[i], NULL);
}

static void sixteen_threads_cause_one_fill_and_all_read_the_whole(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    struct reader readers[N_READERS];
    read_by_threads(spool, readers);
    int n_filled = 0;
    for (int i = 0; i < N_READERS; i++) {
        assert_int_equal(readers[i].code, WEIR_OK);
        assert_true(readers[i].whole);
        n_filled += readers[i].filled;
    }
    assert_int_equal(n_filled, 1);
    assert_int_equal(shared->fills, 1);
    assert_false(get(spool, "one", -1));
    assert_int_equal(count_names(at("spool")), 1);
    wr_spool_close(spool);
}

static void a_failing_fill_is_every_waiting_readers_error_and_the_next_tries_again(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    struct reader readers[N_READERS];
    atomic_store(&shared->failing, 1);
    atomic_store(&shared->code, WEIR_INVALID_DATA);
    read_by_threads(spool, readers);
    for (int i = 0; i < N_READERS; i++) {
        assert_int_equal(readers[i].code, WEIR_INVALID_DATA);
        assert_string_equal(readers[i].message, "no such column");
    }
    assert_int_equal(shared->fills, 1);
    assert_int_equal(count_names(at("spool")), 0);
    assert_true(get(spool, "one", -1));
    wr_spool_close(spool);
}

static void a_cancelled_fill_fails_its_own_reader_only(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    struct reader readers[N_READERS];
    atomic_store(&shared->cancel, 1);
    read_by_threads(spool, readers);
    int n_cancelled = 0;
    for (int i = 0; i < N_READERS; i++) {
        if (readers[i].code == WEIR_CANCELLED) {
            n_cancelled++;
        } else {
            assert_int_equal(readers[i].code, WEIR_OK);
            assert_true(readers[i].whole);
        }
    }
    assert_int_equal(n_cancelled, 1);
    assert_int_equal(shared->fills, 2);
    wr_spool_close(spool);
}

static bool is_cancelled_now(void *context) {
    return atomic_load((atomic_int *)context);
}

static void *cancel_after_100_ms(void *context) {
    sleep_ms(100);
    atomic_store((atomic_int *)context, 1);
    return NULL;
}

/* A reader who is cancelled while another one fills; answers its code. */
static int cancel_while_waiting(struct wr_spool *spool) {
    atomic_int cancelled = 0;
    struct wr_spool_fill fill = {fill_pieces, is_cancelled_now, &cancelled};
    pthread_t canceller;
    assert_int_equal(pthread_create(&canceller, NULL, cancel_after_100_ms, &cancelled), 0);
    int fd = -1;
    int64_t n_bytes = 0;
    int code = wr_spool_get(spool, "one", -1, &fill, &fd, &n_bytes, NULL, &error);
    pthread_join(canceller, NULL);
    assert_int_equal(fd, -1);
    return code;
}

static void await_half_way(void) {
    while (atomic_load(&shared->half_way) == 0)
        sleep_ms(1);
}

static void a_waiting_reader_can_be_cancelled_and_the_fill_goes_on(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    struct reader filler = {.spool = spool};
    pthread_t thread;
    atomic_store(&shared->wait_ms, 500);
    assert_int_equal(pthread_create(&thread, NULL, read_once, &filler), 0);
    await_half_way();
    assert_int_equal(cancel_while_waiting(spool), WEIR_CANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(filler.code, WEIR_OK);
    assert_true(filler.whole);
    assert_int_equal(shared->fills, 1);
    wr_spool_close(spool);
}

/* ---- Processes ---- */

/* 0: the whole was read; 1: filled by this one; 2: failed; 3: not whole. */
static int read_in_child(void *context) {
    (void)context;
    struct wr_spool *spool = NULL;
    if (wr_spool_open(at("spool"), 0, &spool, NULL) != WEIR_OK) return 2;
    struct reader reader = {.spool = spool};
    read_once(&reader);
    wr_spool_close(spool);
    return reader.code != WEIR_OK ? 2 : !reader.whole ? 3 : reader.filled;
}

static void sixteen_processes_cause_one_fill_and_all_read_the_whole(void **state) {
    (void)state;
    int children[N_READERS];
    atomic_store(&shared->wait_ms, 200);
    for (int i = 0; i < N_READERS; i++)
        children[i] = start_child(read_in_child, NULL);
    int n_filled = 0;
    for (int i = 0; i < N_READERS; i++) {
        int answer = wait_child(children[i]);
        assert_in_range(answer, 0, 1);
        n_filled += answer;
    }
    assert_int_equal(n_filled, 1);
    assert_int_equal(shared->fills, 1);
    assert_int_equal(count_names(at("spool")), 1);
}

static void what_a_killed_filler_left_is_never_seen_and_the_next_fills_anew(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    atomic_store(&shared->wait_ms, 60000);
    int child = start_child(read_in_child, NULL);
    await_half_way();
    assert_int_equal(wr_spool_has(spool, "one", -1, NULL), 0);
    assert_int_equal(count_names(at("spool")), 2);
    kill(child, SIGKILL);
    assert_int_equal(wait_child(child), 128 + SIGKILL);
    assert_int_equal(wr_spool_has(spool, "one", -1, NULL), 0);
    atomic_store(&shared->wait_ms, 0);
    assert_true(get(spool, "one", -1));
    assert_int_equal(count_names(at("spool")), 1);
    wr_spool_close(spool);
}

static void those_who_wait_for_a_process_that_is_killed_take_over(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    atomic_store(&shared->wait_ms, 60000);
    int child = start_child(read_in_child, NULL);
    await_half_way();
    int waiting = start_child(read_in_child, NULL);
    sleep_ms(50);
    kill(child, SIGKILL);
    assert_int_equal(wait_child(child), 128 + SIGKILL);
    atomic_store(&shared->wait_ms, 0);
    assert_int_equal(wait_child(waiting), 1);
    assert_int_equal(shared->fills, 2);
    assert_false(get(spool, "one", -1));
    wr_spool_close(spool);
}

static void a_reader_waiting_for_another_process_can_be_cancelled(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    atomic_store(&shared->wait_ms, 500);
    int child = start_child(read_in_child, NULL);
    await_half_way();
    assert_int_equal(cancel_while_waiting(spool), WEIR_CANCELLED);
    assert_int_equal(wait_child(child), 1);
    assert_false(get(spool, "one", -1));
    wr_spool_close(spool);
}

static void opening_sweeps_what_is_left_over_and_nothing_that_is_being_filled(void **state) {
    (void)state;
    wr_spool_close(open_spool(0));
    put_text(at("spool/.dead.part"), "half");
    put_text(at("spool/dead.lock"), "");
    put_text(at("spool/.unnamed.1.2.part"), "half");
    put_text(at("spool/kept"), "whole");
    atomic_store(&shared->wait_ms, 500);
    int child = start_child(read_in_child, NULL);
    await_half_way();
    put_text(at("spool/.dead.part"), "half");
    struct wr_spool *spool = open_spool(0);
    /* "kept", and the lock and part of the living. */
    assert_int_equal(count_names(at("spool")), 3);
    assert_string_equal(get_text(at("spool/kept")), "whole");
    assert_int_equal(wait_child(child), 1);
    assert_int_equal(count_names(at("spool")), 2);
    wr_spool_close(spool);
}

/* ---- What is kept ---- */

static void set_times(const char *path, int used_ago_s, int changed_ago_s) {
    time_t now = time(NULL);
    struct timespec times[2] = {{.tv_sec = now - used_ago_s}, {.tv_sec = now - changed_ago_s}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_least_recently_used_files_go_first(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(3 * PIECE * N_PIECES);
    int64_t evictions = wr_metric_value(WR_METRIC_SPOOL_EVICTIONS);
    get(spool, "a", -1);
    get(spool, "b", -1);
    get(spool, "c", -1);
    set_times(at("spool/a"), 300, 100);
    set_times(at("spool/b"), 200, 300);
    set_times(at("spool/c"), 100, 200);
    assert_false(get(spool, "a", -1));
    assert_true(get(spool, "d", -1));
    assert_int_equal(wr_spool_has(spool, "a", -1, NULL), 1);
    assert_int_equal(wr_spool_has(spool, "b", -1, NULL), 0);
    assert_int_equal(wr_spool_has(spool, "c", -1, NULL), 1);
    assert_int_equal(wr_spool_has(spool, "d", -1, NULL), 1);
    assert_int_equal(wr_metric_value(WR_METRIC_SPOOL_EVICTIONS), evictions + 1);
    wr_spool_close(spool);
    wr_spool_close(open_spool(1));
    assert_int_equal(count_names(at("spool")), 0);
}

static void a_file_larger_than_all_is_for_its_readers_only(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(PIECE);
    struct reader readers[N_READERS];
    read_by_threads(spool, readers);
    for (int i = 0; i < N_READERS; i++)
        assert_true(readers[i].whole);
    assert_int_equal(shared->fills, 1);
    assert_int_equal(count_names(at("spool")), 0);
    assert_true(get(spool, "one", -1));
    wr_spool_close(spool);
}

static void a_removed_file_stays_readable_by_who_has_it_open(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    int fd = -1;
    int64_t n_bytes = 0;
    assert_ok(wr_spool_get(spool, "one", -1, &pieces, &fd, &n_bytes, NULL, &error));
    assert_int_equal(unlink(at("spool/one")), 0);
    wr_spool_close(spool);
    assert_true(is_whole(fd, n_bytes, 'a'));
    close(fd);
}

static void a_file_that_is_too_old_is_filled_anew(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    int64_t n_bytes = 0;
    assert_true(get(spool, "v1.csv", 60000));
    assert_false(get(spool, "v1.csv", 60000));
    assert_int_equal(wr_spool_has(spool, "v1.csv", 60000, &n_bytes), 1);
    assert_int_equal(n_bytes, PIECE * N_PIECES);
    set_times(at("spool/v1.csv"), 0, 61);
    assert_int_equal(wr_spool_has(spool, "v1.csv", 60000, NULL), 0);
    assert_int_equal(wr_spool_has(spool, "v1.csv", 62000, NULL), 1);
    assert_false(get(spool, "v1.csv", -1));
    assert_true(get(spool, "v1.csv", 60000));
    assert_false(get(spool, "v1.csv", 60000));
    /* From a clock that was set back. */
    set_times(at("spool/v1.csv"), 0, -3600);
    assert_true(get(spool, "v1.csv", 60000));
    wr_spool_close(spool);
}

static void bytes_without_a_key_leave_no_name_and_are_never_shared(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    assert_true(get(spool, NULL, -1));
    assert_true(get(spool, NULL, -1));
    assert_int_equal(shared->fills, 2);
    assert_int_equal(count_names(at("spool")), 0);
    wr_spool_close(spool);
}

static void keys_that_are_no_names_are_refused(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    char longest[300];
    memset(longest, 'k', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    const char *const keys[] = {"", ".", "..", "../x", "a/b", ".part", "a.lock", "a b", longest};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int fd = -1;
        int64_t n_bytes = 0;
        assert_int_equal(wr_spool_get(spool, keys[i], -1, &pieces, &fd, &n_bytes, NULL, &error),
                         WEIR_INVALID_ARGUMENT);
        assert_int_equal(wr_spool_has(spool, keys[i], -1, NULL), 0);
    }
    assert_int_equal(shared->fills, 0);
    wr_spool_close(spool);
}

static void a_full_disk_is_an_error_that_names_the_spool(void **state) {
    (void)state;
    struct wr_spool *spool = open_spool(0);
    int child = fork();
    if (child == 0) {
        /* A file that may not grow stands for a disk that is full. */
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {PIECE * 3, PIECE * 3};
        int fd = -1;
        int64_t n_bytes = 0;
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(4);
        int code = wr_spool_get(spool, "one", -1, &pieces, &fd, &n_bytes, NULL, &error);
        if (code != WEIR_IO) _exit(5);
        if (!strstr(error.message, "writing into the spool \"/tmp/weir-file-")) _exit(6);
        _exit(0);
    }
    assert_int_equal(wait_child(child), 0);
    assert_int_equal(count_names(at("spool")), 0);
    wr_spool_close(spool);
}

static void a_spool_that_cannot_be_made_is_an_error(void **state) {
    (void)state;
    struct wr_spool *spool = NULL;
    put_text(at("file"), "");
    assert_int_equal(wr_spool_open(at("none/spool"), 0, &spool, &error), WEIR_NOT_FOUND);
    assert_contains(error.message, "cannot make the spool");
    assert_int_not_equal(wr_spool_open(at("file"), 0, &spool, &error), WEIR_OK);
    assert_contains(error.message, "cannot open the spool");
    assert_null(spool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(sixteen_threads_cause_one_fill_and_all_read_the_whole),
        TEST(a_failing_fill_is_every_waiting_readers_error_and_the_next_tries_again),
        TEST(a_cancelled_fill_fails_its_own_reader_only),
        TEST(a_waiting_reader_can_be_cancelled_and_the_fill_goes_on),
        TEST(sixteen_processes_cause_one_fill_and_all_read_the_whole),
        TEST(what_a_killed_filler_left_is_never_seen_and_the_next_fills_anew),
        TEST(those_who_wait_for_a_process_that_is_killed_take_over),
        TEST(a_reader_waiting_for_another_process_can_be_cancelled),
        TEST(opening_sweeps_what_is_left_over_and_nothing_that_is_being_filled),
        TEST(the_least_recently_used_files_go_first),
        TEST(a_file_larger_than_all_is_for_its_readers_only),
        TEST(a_removed_file_stays_readable_by_who_has_it_open),
        TEST(a_file_that_is_too_old_is_filled_anew),
        TEST(bytes_without_a_key_leave_no_name_and_are_never_shared),
        TEST(keys_that_are_no_names_are_refused),
        TEST(a_full_disk_is_an_error_that_names_the_spool),
        TEST(a_spool_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
