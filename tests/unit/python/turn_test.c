/* SPDX-License-Identifier: Apache-2.0 */
/* Turns of threads that read quick sources. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/common.h"
#include "host/turn.h"

#define MS INT64_C(1000000)

static void who_does_not_ask_for_turns_takes_none(void **state) {
    (void)state;
    struct wp_turn turn = {0};
    wp_turn_begin(&turn, wp_now_ns());
    assert_false(turn.is_mine);
    wp_turn_end(&turn, wp_now_ns());
    wp_turn_give(&turn);
}

static void a_turn_lasts_for_several_batches_and_ends(void **state) {
    (void)state;
    struct wp_turn turn = {.is_wanted = true};
    int n_batches = 0;
    wp_turn_begin(&turn, wp_now_ns());
    for (int64_t now = turn.since; turn.is_mine; n_batches++) {
        assert_true(now - turn.since < MS);
        wp_turn_begin(&turn, now);
        now += MS / 20;
        wp_turn_end(&turn, now);
    }
    assert_int_equal(n_batches, 5); /* of 0.05 ms, where a turn is 0.2 */
}

static void a_slow_source_reads_without_turns_for_a_while(void **state) {
    (void)state;
    struct wp_turn turn = {.is_wanted = true};
    wp_turn_begin(&turn, wp_now_ns());
    wp_turn_end(&turn, turn.since + 2 * MS);
    assert_false(turn.is_mine);
    int n_without = 0;
    for (wp_turn_begin(&turn, wp_now_ns()); !turn.is_mine; wp_turn_begin(&turn, wp_now_ns())) {
        wp_turn_end(&turn, wp_now_ns());
        n_without++;
    }
    assert_int_equal(n_without, 32);
    wp_turn_give(&turn);
}

struct other {
    _Atomic bool has_it;
    int64_t waited;
};

static void *take(void *context) {
    struct other *other = context;
    struct wp_turn turn = {.is_wanted = true};
    int64_t asked = wp_now_ns();
    wp_turn_begin(&turn, asked);
    other->waited = wp_now_ns() - asked;
    other->has_it = true;
    wp_turn_give(&turn);
    return NULL;
}

static void others_wait_and_each_is_served(void **state) {
    (void)state;
    enum { N = 20 };
    int64_t longest = 0;
    /* Once is enough: on a busy machine threads may start after the turn's end. */
    for (int tries = 0; tries < 100 && longest < MS / 2; tries++) {
        pthread_t threads[N];
        struct other others[N] = {0};
        struct wp_turn turn = {.is_wanted = true};
        wp_turn_begin(&turn, wp_now_ns());
        for (int i = 0; i < N; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, take, &others[i]), 0);
        usleep(700);
        wp_turn_give(&turn);
        for (int i = 0; i < N; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_true(others[i].has_it);
            if (others[i].waited > longest) longest = others[i].waited;
        }
    }
    assert_true(longest >= MS / 2);
}

static void a_turn_that_does_not_end_is_taken_away(void **state) {
    (void)state;
    struct wp_turn turn = {.is_wanted = true};
    struct other other = {0};
    pthread_t thread;
    wp_turn_begin(&turn, wp_now_ns());
    assert_int_equal(pthread_create(&thread, NULL, take, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0); /* this one never gave it */
    assert_true(other.has_it && other.waited < 5000 * MS);
    struct wp_turn next = {.is_wanted = true};
    wp_turn_begin(&next, wp_now_ns());
    wp_turn_give(&turn); /* which is not its own any more */
    struct other third = {0};
    assert_int_equal(pthread_create(&thread, NULL, take, &third), 0);
    wp_turn_give(&next);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(third.has_it);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_ask_for_turns_takes_none),
        cmocka_unit_test(a_turn_lasts_for_several_batches_and_ends),
        cmocka_unit_test(a_slow_source_reads_without_turns_for_a_while),
        cmocka_unit_test(others_wait_and_each_is_served),
        cmocka_unit_test(a_turn_that_does_not_end_is_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
