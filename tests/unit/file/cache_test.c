/* SPDX-License-Identifier: Apache-2.0 */
#include "file_test.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "file/cache.h"

static struct weir_error error;
static struct wr_kept *kept;
static struct wr_cache cache;

static void open_cache(int64_t max_bytes) {
    assert_ok(wr_kept_open(at("cache.db"), max_bytes, &kept, &error));
    cache = wr_kept_cache(kept);
}

/* A test that fails while it is closed does not close it again. */
static void close_cache(void) {
    struct wr_kept *closing = kept;
    kept = NULL;
    wr_kept_close(closing);
}

static void reopen(int64_t max_bytes) {
    close_cache();
    open_cache(max_bytes);
}

static int setup(void **state) {
    if (in_new_directory(state)) return -1;
    open_cache(0);
    return 0;
}

static int teardown(void **state) {
    close_cache();
    return remove_directory(state);
}

struct value {
    char text[64];
    size_t length;
    int times;
};

static void take(void *sink, const void *data, size_t length) {
    struct value *value = sink;
    value->times++;
    value->length = length;
    memcpy(value->text, data, length < sizeof value->text ? length : sizeof value->text);
}

/* The value's text; NULL when it is not there. */
static const char *get(const char *key) {
    static struct value value;
    value = (struct value){0};
    cache.get(cache.context, key, take, &value);
    return value.times ? value.text : NULL;
}

static void put(const char *key, const char *text) {
    cache.put(cache.context, key, text, strlen(text) + 1);
}

/* Runs SQL on the file as another program; gives the first number of its answer. */
static int64_t sql(const char *text) {
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(at("cache.db"), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 2000);
    assert_int_equal(sqlite3_prepare_v2(database, text, -1, &statement, NULL), SQLITE_OK);
    int result = sqlite3_step(statement);
    assert_true(result == SQLITE_ROW || result == SQLITE_DONE);
    int64_t number = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

/* ---- Values ---- */

static void a_value_is_there_at_once_and_after_the_process(void **state) {
    (void)state;
    assert_null(get("a"));
    put("a", "one");
    assert_string_equal(get("a"), "one");
    put("a", "another");
    assert_string_equal(get("a"), "another");
    reopen(0);
    assert_string_equal(get("a"), "another");
    put("a", "a third");
    reopen(0);
    assert_string_equal(get("a"), "a third");
    assert_null(get("b"));
    assert_int_equal(sql("SELECT count(*) FROM kept"), 1);
}

static void values_may_be_empty_or_hold_any_byte(void **state) {
    (void)state;
    struct value value = {0};
    cache.put(cache.context, "empty", "", 0);
    cache.put(cache.context, "bytes", "a\0b\xff", 4);
    reopen(0);
    cache.get(cache.context, "empty", take, &value);
    assert_int_equal(value.times, 1);
    assert_int_equal(value.length, 0);
    cache.get(cache.context, "bytes", take, &value);
    assert_int_equal(value.length, 4);
    assert_memory_equal(value.text, "a\0b\xff", 4);
}

static void the_database_is_made_for_the_first_value_and_written_within_a_moment(void **state) {
    (void)state;
    assert_null(get("a"));
    assert_null(get_text(at("cache.db"))); /* who finds nothing does not wait for a disk */
    put("a", "one");
    assert_null(get("b"));
    for (int waited = 0; waited < 3000 && access(at("cache.db"), F_OK) != 0; waited += 20)
        usleep(20000);
    for (int waited = 0; waited < 3000 && sql("SELECT count(*) FROM sqlite_master") == 0;
         waited += 20)
        usleep(20000);
    for (int waited = 0; waited < 3000 && sql("SELECT count(*) FROM kept") == 0; waited += 20)
        usleep(20000);
    assert_int_equal(sql("SELECT count(*) FROM kept"), 1);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void ten_thousand_values_take_well_under_a_second(void **state) {
    (void)state;
    char key[40];
    char data[2000];
    double start = seconds();
    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "/srv/lake/%d.parquet", i);
        memset(data, i, sizeof data);
        cache.put(cache.context, key, data, sizeof data);
    }
    reopen(0);
    double written = seconds();
    for (int i = 0; i < 10000; i++) {
        struct value value = {0};
        snprintf(key, sizeof key, "/srv/lake/%d.parquet", i);
        cache.get(cache.context, key, take, &value);
        assert_int_equal(value.length, sizeof data);
        assert_int_equal((unsigned char)value.text[0], i & 255);
    }
    print_message("10,000 puts %.3f s, gets %.3f s\n", written - start, seconds() - written);
    /* A machine that does eight other things at once, or runs with sanitizers, is given time. */
    assert_true(written - start < 5);
}

/* ---- What goes ---- */

static void what_was_used_longest_ago_goes_first(void **state) {
    (void)state;
    char key[40];
    char data[100] = {0};
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key %04d", i);
        cache.put(cache.context, key, data, sizeof data);
    }
    close_cache();
    sql("UPDATE kept SET used = used - 3600 + id");
    open_cache(100000);
    /* The use is noted, since it was long ago. */
    assert_non_null(get("key 0000"));
    reopen(100000);
    put("new", "value");
    reopen(100000);
    assert_in_range(sql("SELECT sum(length(key) + length(value)) FROM kept"), 80000, 100000);
    assert_non_null(get("new"));
    assert_non_null(get("key 0000"));
    assert_null(get("key 0001"));
    assert_non_null(get("key 0999"));
}

static void a_value_that_would_push_out_all_others_is_not_kept(void **state) {
    (void)state;
    reopen(1000);
    char data[300] = {0};
    cache.put(cache.context, "large", data, sizeof data);
    cache.put(cache.context, "small", data, 200);
    assert_null(get("large"));
    assert_non_null(get("small"));
}

/* ---- Damage ---- */

static void overwrite(const char *name, long offset, const char *text) {
    FILE *file = fopen(at(name), "r+e");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    fputs(text, file);
    fclose(file);
}

static void works(void) {
    put("after", "works");
    reopen(0);
    assert_string_equal(get("after"), "works");
}

static void a_file_that_is_no_database_is_made_anew(void **state) {
    (void)state;
    put("a", "one");
    close_cache();
    put_text(at("cache.db"), "this is not a database, and it is longer than SQLite's header is: it "
                             "goes on and on and on and on");
    open_cache(0);
    assert_null(get("a"));
    works();
}

static void a_database_of_someone_else_is_made_anew(void **state) {
    (void)state;
    close_cache();
    sql("CREATE TABLE kept(something TEXT)");
    open_cache(0);
    works();
}

static void damage_that_shows_later_is_mended(void **state) {
    (void)state;
    char key[40];
    char data[3000] = {0};
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key %d", i);
        cache.put(cache.context, key, data, sizeof data);
    }
    close_cache();
    struct stat status;
    assert_int_equal(stat(at("cache.db"), &status), 0);
    /* Each page but the first ones, so that opening notices nothing. */
    for (long offset = 8 * 4096; offset < status.st_size; offset += 4096)
        overwrite("cache.db", offset, "garbage garbage garbage garbage garbage garbage");
    open_cache(0);
    for (int i = 0; i < 500; i++) {
        struct value value = {0};
        snprintf(key, sizeof key, "key %d", i);
        cache.get(cache.context, key, take, &value);
        if (value.times) assert_memory_equal(value.text, data, sizeof value.text);
    }
    works();
}

static void a_value_with_wrong_bytes_is_not_handed_out(void **state) {
    (void)state;
    put("a", "one");
    put("b", "two");
    close_cache();
    sql("UPDATE kept SET value = x'6f6e6500ff' WHERE key = 'a'");
    sql("UPDATE kept SET (value, checksum) = (SELECT value, checksum FROM kept WHERE key = 'b')"
        " WHERE key = 'a'");
    open_cache(0);
    assert_null(get("a"));
    assert_string_equal(get("b"), "two");
}

static void a_directory_that_cannot_be_written_gives_a_cache_that_keeps_nothing(void **state) {
    (void)state;
    close_cache();
    assert_ok(wr_kept_open(at("none/cache.db"), 0, &kept, &error));
    cache = wr_kept_cache(kept);
    assert_null(get("a"));
    put("a", "one");
    close_cache();
    assert_null(get_text(at("none/cache.db")));
    open_cache(0);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    close_cache();
    for (int n = 1; n < 100; n++) {
        wr_alloc_fail_at(n);
        int code = wr_kept_open(at("cache.db"), 0, &kept, &error);
        if (code == WEIR_OK) {
            cache = wr_kept_cache(kept);
            put("a", "one");
            const char *text = get("a");
            wr_kept_close(kept);
            if (text) assert_string_equal(text, "one");
        }
        kept = NULL;
        if (wr_alloc_fail_at(0) < n) {
            open_cache(0);
            return;
        }
    }
    fail_msg("more than a hundred allocations");
}

/* ---- At the same time ---- */

static int use_in_child(void *context) {
    int number = *(int *)context;
    struct wr_kept *own = NULL;
    if (wr_kept_open(at("cache.db"), 0, &own, NULL) != WEIR_OK) return 1;
    struct wr_cache mine = wr_kept_cache(own);
    for (int i = 0; i < 1000; i++) {
        char key[40];
        struct value value = {0};
        snprintf(key, sizeof key, "%d of %d", i, number);
        mine.put(mine.context, key, key, strlen(key) + 1);
        mine.get(mine.context, key, take, &value);
        if (value.times > 0 && strcmp(value.text, key) != 0) return 2;
    }
    wr_kept_close(own);
    return 0;
}

static void several_processes_use_one_database(void **state) {
    (void)state;
    close_cache();
    int numbers[] = {1, 2, 3, 4};
    int children[4];
    for (int i = 0; i < 4; i++)
        children[i] = start_child(use_in_child, &numbers[i]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(wait_child(children[i]), 0);
    open_cache(0);
    /* A cache may drop what it cannot write while others do, but what it has is right. */
    assert_in_range(sql("SELECT count(*) FROM kept"), 1, 4000);
    int n_found = 0;
    for (int i = 0; i < 4000; i++) {
        char key[40];
        snprintf(key, sizeof key, "%d of %d", i % 1000, 1 + i / 1000);
        const char *found = get(key);
        if (!found) continue;
        assert_string_equal(found, key);
        n_found++;
    }
    assert_int_equal(n_found, sql("SELECT count(*) FROM kept"));
}

static void *use_in_thread(void *context) {
    int number = *(int *)context;
    for (int i = 0; i < 1000; i++) {
        char key[40];
        struct value value = {0};
        snprintf(key, sizeof key, "%d of %d", i % 300, number);
        cache.put(cache.context, key, key, strlen(key) + 1);
        cache.get(cache.context, key, take, &value);
        if (strcmp(value.text, key) != 0) return context;
    }
    return NULL;
}

static void several_threads_use_one_cache(void **state) {
    (void)state;
    int numbers[] = {1, 2, 3, 4};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_in_thread, &numbers[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    reopen(0);
    assert_int_equal(sql("SELECT count(*) FROM kept"), 1200);
}

static int put_for_ever(void *context) {
    (void)context;
    struct wr_kept *own = NULL;
    if (wr_kept_open(at("cache.db"), 0, &own, NULL) != WEIR_OK) return 1;
    struct wr_cache mine = wr_kept_cache(own);
    for (int i = 0;; i++) {
        char key[40];
        snprintf(key, sizeof key, "%d", i);
        mine.put(mine.context, key, key, strlen(key) + 1);
    }
}

/* Whether the child came so far that there is something to kill it in. */
static bool has_values(void) {
    sqlite3 *database = NULL;
    bool found =
        sqlite3_open_v2(at("cache.db"), &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_exec(database, "SELECT 1 FROM kept", NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(database);
    return found;
}

static void a_killed_process_leaves_a_database_that_works(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        /* SQLite's handles do not survive a fork. */
        close_cache();
        int child = start_child(put_for_ever, NULL);
        while (!has_values())
            usleep(5000);
        usleep((unsigned)rand() % 30000);
        kill(child, SIGKILL);
        assert_int_equal(wait_child(child), 128 + SIGKILL);
        open_cache(0);
        int64_t n_kept = sql("SELECT count(*) FROM kept");
        char key[40];
        for (int i = 0; i < n_kept; i += 100) {
            snprintf(key, sizeof key, "%d", i);
            assert_string_equal(get(key), key);
        }
    }
    works();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_there_at_once_and_after_the_process),
        TEST(values_may_be_empty_or_hold_any_byte),
        TEST(the_database_is_made_for_the_first_value_and_written_within_a_moment),
        TEST(ten_thousand_values_take_well_under_a_second),
        TEST(what_was_used_longest_ago_goes_first),
        TEST(a_value_that_would_push_out_all_others_is_not_kept),
        TEST(a_file_that_is_no_database_is_made_anew),
        TEST(a_database_of_someone_else_is_made_anew),
        TEST(damage_that_shows_later_is_mended),
        TEST(a_value_with_wrong_bytes_is_not_handed_out),
        TEST(a_directory_that_cannot_be_written_gives_a_cache_that_keeps_nothing),
        TEST(every_allocation_may_fail),
        TEST(several_processes_use_one_database),
        TEST(several_threads_use_one_cache),
        TEST(a_killed_process_leaves_a_database_that_works),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
