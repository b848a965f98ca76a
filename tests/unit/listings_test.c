/* SPDX-License-Identifier: Apache-2.0 */
/* Listings that are kept for a moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "store/listings.h"

enum { FOR_EVER = 1000000000 };

/* A store that counts how often it is asked, and that changes while it answers, if told to. */
static struct store {
    int n_asked, n_objects;
    bool fails;
    struct wr_listings *written;
} store;

static int list(struct wr_objects *objects, const char *prefix, int32_t recursive,
                const char *start_after, int (*take)(void *sink, const struct wr_object *object),
                void *sink, struct weir_error *error) {
    (void)objects;
    assert_null(start_after);
    store.n_asked++;
    for (int i = 0; i < store.n_objects; i++) {
        char key[64], etag[16];
        snprintf(key, sizeof key, "%s%d.parquet", prefix, i);
        snprintf(etag, sizeof etag, "\"%d\"", i);
        const struct wr_object object = {sizeof object,   key, 100 + i, recursive ? 7 : 8,
                                         i ? etag : NULL, NULL};
        if (take(sink, &object)) return WEIR_OK;
    }
    if (store.written) wr_listings_forget(store.written);
    return store.fails ? wr_error_set(error, WEIR_IO, NULL, "the store is not there") : WEIR_OK;
}

struct seen {
    int n, most;
    char text[4096];
};

static int take(void *sink, const struct wr_object *object) {
    struct seen *seen = sink;
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%s:%d:%d:%s ", object->key,
             (int)object->n_bytes, (int)object->modified_ns, object->etag ? object->etag : "-");
    return ++seen->n == seen->most;
}

static void walk(struct wr_listings *listings, const char *prefix, bool recursive,
                 const char *wanted) {
    struct seen seen = {.most = -1};
    struct weir_error error = {0};
    int code = wr_listings_walk(listings, list, NULL, prefix, recursive, take, &seen, &error);
    if (code) fail_msg("%s", error.message);
    assert_string_equal(seen.text, wanted);
}

static struct wr_listings *begin(int64_t max_age_ms) {
    struct wr_listings *listings = wr_listings_new(max_age_ms);
    assert_non_null(listings);
    store = (struct store){.n_objects = 2};
    return listings;
}

static const char LEVEL[] = "a/0.parquet:100:8:- a/1.parquet:101:8:\"1\" ";
static const char DEEP[] = "a/0.parquet:100:7:- a/1.parquet:101:7:\"1\" ";

static void what_is_known_is_not_asked_for_again(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    for (int i = 0; i < 3; i++) {
        walk(listings, "a/", false, LEVEL);
        walk(listings, "a/", true, DEEP);
        walk(listings, "", false, "0.parquet:100:8:- 1.parquet:101:8:\"1\" ");
    }
    assert_int_equal(store.n_asked, 3);
    wr_listings_free(listings);
}

static void an_empty_prefix_is_known_too(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    store.n_objects = 0;
    walk(listings, "none/", true, "");
    walk(listings, "none/", true, "");
    assert_int_equal(store.n_asked, 1);
    wr_listings_free(listings);
}

static void it_is_asked_again_after_a_write(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    walk(listings, "a/", false, LEVEL);
    wr_listings_forget(listings);
    store.n_objects = 1;
    walk(listings, "a/", false, "a/0.parquet:100:8:- ");
    assert_int_equal(store.n_asked, 2);
    wr_listings_free(listings);
}

static void a_write_while_the_store_answers_makes_the_answer_old(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    store.written = listings;
    walk(listings, "a/", false, LEVEL);
    store.written = NULL;
    walk(listings, "a/", false, LEVEL);
    walk(listings, "a/", false, LEVEL);
    assert_int_equal(store.n_asked, 2);
    wr_listings_free(listings);
}

static void without_an_age_nothing_is_kept(void **state) {
    (void)state;
    struct wr_listings *listings = begin(0);
    walk(listings, "a/", false, LEVEL);
    walk(listings, "a/", false, LEVEL);
    assert_int_equal(store.n_asked, 2);
    wr_listings_free(listings);
}

static void what_is_too_old_is_asked_for_again(void **state) {
    (void)state;
    struct wr_listings *listings = begin(1);
    walk(listings, "a/", false, LEVEL);
    struct timespec moment = {.tv_nsec = 20 * 1000000};
    nanosleep(&moment, NULL);
    walk(listings, "a/", false, LEVEL);
    assert_int_equal(store.n_asked, 2);
    wr_listings_free(listings);
}

static void parts_and_failures_are_not_kept(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    struct seen one = {.most = 1};
    assert_int_equal(wr_listings_walk(listings, list, NULL, "a/", false, take, &one, NULL),
                     WEIR_OK);
    assert_int_equal(one.n, 1);
    store.fails = true;
    struct seen all = {.most = -1};
    assert_int_equal(wr_listings_walk(listings, list, NULL, "a/", false, take, &all, NULL),
                     WEIR_IO);
    store.fails = false;
    walk(listings, "a/", false, LEVEL);
    assert_int_equal(store.n_asked, 3);
    /* Who wants one only has it from what is known. */
    one = (struct seen){.most = 1};
    assert_int_equal(wr_listings_walk(listings, list, NULL, "a/", false, take, &one, NULL),
                     WEIR_OK);
    assert_string_equal(one.text, "a/0.parquet:100:8:- ");
    assert_int_equal(store.n_asked, 3);
    wr_listings_free(listings);
}

static int count(void *sink, const struct wr_object *object) {
    (void)object;
    ++*(int *)sink;
    return 0;
}

static void what_is_too_large_is_handed_on_whole(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    store.n_objects = 30000;
    for (int i = 1; i <= 2; i++) {
        int n = 0;
        assert_int_equal(wr_listings_walk(listings, list, NULL, "a/", true, count, &n, NULL),
                         WEIR_OK);
        assert_int_equal(n, 30000);
        assert_int_equal(store.n_asked, i);
    }
    wr_listings_free(listings);
}

static void the_newest_are_kept(void **state) {
    (void)state;
    struct wr_listings *listings = begin(FOR_EVER);
    store.n_objects = 0;
    char prefix[16];
    for (int i = 0; i < 100; i++) {
        snprintf(prefix, sizeof prefix, "%d/", i);
        walk(listings, prefix, true, "");
    }
    walk(listings, "99/", true, "");
    assert_int_equal(store.n_asked, 100);
    walk(listings, "0/", true, "");
    assert_int_equal(store.n_asked, 101);
    wr_listings_free(listings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_not_asked_for_again),
        cmocka_unit_test(an_empty_prefix_is_known_too),
        cmocka_unit_test(it_is_asked_again_after_a_write),
        cmocka_unit_test(a_write_while_the_store_answers_makes_the_answer_old),
        cmocka_unit_test(without_an_age_nothing_is_kept),
        cmocka_unit_test(what_is_too_old_is_asked_for_again),
        cmocka_unit_test(parts_and_failures_are_not_kept),
        cmocka_unit_test(what_is_too_large_is_handed_on_whole),
        cmocka_unit_test(the_newest_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
