/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "flight/loop.h"
#include "flight/loop_timers.h"

enum { N_TIMERS = 500 };

static void timers_come_in_the_order_of_their_times(void **state) {
    (void)state;
    static struct wr_timer timers[N_TIMERS];
    struct wr_timers heap = {0};
    unsigned chance = 1;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N_TIMERS; i++) {
            chance = chance * 1103515245 + 12345;
            assert_true(wr_timers_set(&heap, &timers[i], chance >> 16 & 1023));
        }
        for (int i = 0; i < N_TIMERS; i += 3) {
            wr_timers_clear(&heap, &timers[i]);
            wr_timers_clear(&heap, &timers[i]);
        }
        for (int i = 1; i < N_TIMERS; i += 3)
            assert_true(wr_timers_set(&heap, &timers[i], 2000 - timers[i].at));
        int64_t last = -1;
        size_t n = 0;
        for (struct wr_timer *timer; (timer = wr_timers_first(&heap)); n++) {
            assert_true(timer->at >= last);
            last = timer->at;
            wr_timers_clear(&heap, timer);
            assert_int_equal(timer->index, 0);
        }
        assert_int_equal(n, N_TIMERS - (N_TIMERS + 2) / 3);
    }
    wr_timers_reset(&heap);
}

static void a_timer_without_memory_is_not_set(void **state) {
    (void)state;
    struct wr_timer timer = {0};
    struct wr_timers heap = {0};
    wr_alloc_fail_at(1);
    assert_false(wr_timers_set(&heap, &timer, 1));
    wr_alloc_fail_at(0);
    assert_int_equal(timer.index, 0);
    assert_null(wr_timers_first(&heap));
}

struct fixture {
    struct wr_loop *loop;
    struct wr_post post, later, again;
    struct wr_timer timer;
    struct wr_watch watch;
    atomic_int n_posts, n_later, n_again, n_fired, n_ready;
    int64_t set_at, fired_at;
};

#define OWNER(pointer, member)                                                                     \
    ((struct fixture *)((char *)(pointer) - offsetof(struct fixture, member)))

static void wait_for(atomic_int *number, int least) {
    for (int i = 0; i < 10000 && atomic_load(number) < least; i++)
        usleep(1000);
    assert_true(atomic_load(number) >= least);
}

static void run_later(struct wr_post *post) {
    atomic_fetch_add(&OWNER(post, later)->n_later, 1);
}

static void run_post(struct wr_post *post) {
    struct fixture *fixture = OWNER(post, post);
    wr_loop_later(fixture->loop, &fixture->later);
    wr_loop_later(fixture->loop, &fixture->later);
    atomic_fetch_add(&fixture->n_posts, 1);
}

static void run_again(struct wr_post *post) {
    struct fixture *fixture = OWNER(post, again);
    if (atomic_fetch_add(&fixture->n_again, 1) < 9)
        assert_true(wr_loop_post(fixture->loop, &fixture->again));
}

static void fire(struct wr_timer *timer) {
    struct fixture *fixture = OWNER(timer, timer);
    fixture->fired_at = wr_clock_ms();
    atomic_fetch_add(&fixture->n_fired, 1);
}

static void set_timer(struct wr_post *post) {
    struct fixture *fixture = OWNER(post, post);
    fixture->set_at = wr_clock_ms();
    assert_true(wr_loop_set_timer(fixture->loop, &fixture->timer, fixture->set_at + 50));
}

static void ready(struct wr_watch *watch, uint32_t events) {
    struct fixture *fixture = OWNER(watch, watch);
    char byte;
    assert_true(events & EPOLLIN);
    assert_int_equal(read(watch->fd, &byte, 1), 1);
    if (byte == 'x') wr_loop_unwatch(fixture->loop, watch);
    atomic_fetch_add(&fixture->n_ready, 1);
}

static void start(struct fixture *fixture) {
    *fixture = (struct fixture){.post.run = run_post,
                                .later.run = run_later,
                                .again.run = run_again,
                                .timer.fire = fire,
                                .watch.ready = ready};
    assert_int_equal(wr_loop_open(&fixture->loop, NULL), 0);
    assert_int_equal(wr_loop_start(fixture->loop, "test", NULL), 0);
}

static void a_post_runs_once_and_what_is_for_later_after_it(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture);
    for (int i = 1; i <= 1000; i++) {
        assert_true(wr_loop_post(fixture.loop, &fixture.post));
        wait_for(&fixture.n_posts, i);
    }
    wait_for(&fixture.n_later, 1000);
    assert_int_equal(fixture.n_posts, 1000);
    wr_loop_close(fixture.loop);
    assert_int_equal(fixture.n_later, 1000);
}

static void a_post_may_post_itself_again_and_the_end_waits_for_it(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture);
    wr_loop_post(fixture.loop, &fixture.again);
    wr_loop_close(fixture.loop);
    assert_int_equal(fixture.n_again, 10);
}

static void a_timer_fires_once_and_not_too_early(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture);
    fixture.post.run = set_timer;
    wr_loop_post(fixture.loop, &fixture.post);
    wait_for(&fixture.n_fired, 1);
    assert_true(fixture.fired_at - fixture.set_at >= 50);
    usleep(60000);
    assert_int_equal(fixture.n_fired, 1);
    wr_loop_close(fixture.loop);
}

static void a_watch_is_told_until_it_is_taken_away(void **state) {
    (void)state;
    struct fixture fixture;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    start(&fixture);
    fixture.watch.fd = fds[0];
    assert_int_equal(wr_loop_watch(fixture.loop, &fixture.watch, EPOLLIN), 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    wait_for(&fixture.n_ready, 2);
    assert_int_equal(write(fds[1], "xy", 2), 2);
    wait_for(&fixture.n_ready, 3);
    usleep(20000);
    assert_int_equal(fixture.n_ready, 3);
    wr_loop_close(fixture.loop);
    close(fds[0]);
    close(fds[1]);
}

static void a_loop_without_memory_leaves_nothing(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 2; n++) {
        struct wr_loop *loop = NULL;
        struct weir_error error;
        wr_alloc_fail_at(n);
        assert_int_equal(wr_loop_open(&loop, &error), WEIR_INTERNAL);
        wr_alloc_fail_at(0);
        assert_null(loop);
        assert_string_equal(error.sqlstate, "53200");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_the_order_of_their_times),
        cmocka_unit_test(a_timer_without_memory_is_not_set),
        cmocka_unit_test(a_post_runs_once_and_what_is_for_later_after_it),
        cmocka_unit_test(a_post_may_post_itself_again_and_the_end_waits_for_it),
        cmocka_unit_test(a_timer_fires_once_and_not_too_early),
        cmocka_unit_test(a_watch_is_told_until_it_is_taken_away),
        cmocka_unit_test(a_loop_without_memory_leaves_nothing),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
