/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/call.h"

static void count(void *context) {
    atomic_fetch_add((atomic_int *)context, 1);
}

static void a_cancel_is_told_once(void **state) {
    (void)state;
    struct wr_call_service service;
    atomic_int told = 0;
    struct wr_call_watch watch;
    struct wr_call *call = wr_call_new();
    wr_call_serve(&service, call);
    wr_call_watch(&watch, count, &told);
    assert_int_equal(told, 0);
    wr_call_cancel(call);
    wr_call_cancel(call);
    assert_int_equal(told, 1);
    wr_call_unwatch(&watch);
    wr_call_unserve(&service);
    wr_call_release(call);
}

static void a_cancel_from_before_is_told_at_once(void **state) {
    (void)state;
    struct wr_call_service service;
    atomic_int told = 0;
    struct wr_call_watch first, second;
    struct wr_call *call = wr_call_new();
    wr_call_cancel(call);
    wr_call_serve(&service, call);
    wr_call_watch(&first, count, &told);
    wr_call_watch(&second, count, &told);
    assert_int_equal(told, 2);
    wr_call_unwatch(&first);
    wr_call_unwatch(&second);
    wr_call_unserve(&service);
    wr_call_release(call);
}

static void who_watches_no_more_is_not_told(void **state) {
    (void)state;
    struct wr_call_service service;
    atomic_int told = 0, others = 0;
    struct wr_call_watch watch, other;
    struct wr_call *call = wr_call_new();
    wr_call_serve(&service, call);
    wr_call_watch(&watch, count, &told);
    wr_call_watch(&other, count, &others);
    wr_call_unwatch(&watch);
    wr_call_unserve(&service);
    wr_call_cancel(call);
    assert_int_equal(told, 0);
    assert_int_equal(others, 1);
    wr_call_unwatch(&other);
    wr_call_release(call);
}

static void *free_watch(void *watch) {
    wr_call_watch_free(watch);
    return NULL;
}

static void a_watch_of_its_own_may_be_ended_by_another_thread(void **state) {
    (void)state;
    struct wr_call_service service;
    atomic_int told = 0;
    pthread_t thread;
    assert_null(wr_call_watch_new(count, &told)); /* nothing is served */
    wr_call_watch_free(NULL);
    struct wr_call *call = wr_call_new();
    wr_call_serve(&service, call);
    struct wr_call_watch *ended = wr_call_watch_new(count, &told);
    struct wr_call_watch *kept = wr_call_watch_new(count, &told);
    assert_non_null(ended);
    assert_non_null(kept);
    wr_call_unserve(&service);
    assert_int_equal(pthread_create(&thread, NULL, free_watch, ended), 0);
    pthread_join(thread, NULL);
    wr_call_cancel(call);
    assert_int_equal(told, 1);
    /* It has a reference of its own. */
    wr_call_release(call);
    wr_call_watch_free(kept);
}

static void the_inner_call_of_a_thread_counts(void **state) {
    (void)state;
    struct wr_call_service outer_service, inner_service;
    atomic_int told = 0;
    struct wr_call_watch watch;
    struct wr_call *outer = wr_call_new(), *inner = wr_call_new();
    wr_call_serve(&outer_service, outer);
    wr_call_serve(&inner_service, inner);
    wr_call_watch(&watch, count, &told);
    wr_call_cancel(outer);
    assert_int_equal(told, 0);
    wr_call_cancel(inner);
    assert_int_equal(told, 1);
    wr_call_unwatch(&watch);
    wr_call_unserve(&inner_service);
    wr_call_watch(&watch, count, &told); /* of the outer one again */
    assert_int_equal(told, 2);
    wr_call_unwatch(&watch);
    wr_call_unserve(&outer_service);
    wr_call_release(inner);
    wr_call_release(outer);
}

static void without_a_call_nothing_is_told(void **state) {
    (void)state;
    struct wr_call_service service;
    atomic_int told = 0;
    struct wr_call_watch watch;
    wr_call_serve(&service, NULL);
    wr_call_watch(&watch, count, &told);
    wr_call_cancel(NULL);
    wr_call_unwatch(&watch);
    wr_call_unserve(&service);
    wr_call_release(NULL);
    assert_int_equal(told, 0);
}

static void *cancel(void *call) {
    wr_call_cancel(call);
    wr_call_release(call);
    return NULL;
}

/* `told` is of this frame: a late one would be an error of the sanitizers. */
static void a_cancel_beside_the_end_is_told_before_it_or_not_at_all(void **state) {
    (void)state;
    struct wr_call_service service;
    for (int i = 0; i < 500; i++) {
        atomic_int told = 0;
        struct wr_call_watch watch;
        struct wr_call *call = wr_call_new(), *for_thread = call;
        pthread_t thread;
        wr_call_serve(&service, call); /* the thread's reference is the one it was made with */
        wr_call_watch(&watch, count, &told);
        assert_int_equal(pthread_create(&thread, NULL, cancel, for_thread), 0);
        wr_call_unwatch(&watch);
        int seen = told;
        wr_call_unserve(&service);
        pthread_join(thread, NULL);
        assert_int_equal(told, seen);
    }
}

static void *serve_and_wait(void *context) {
    struct wr_call_service service;
    struct wr_call_watch watch;
    atomic_int told = 0;
    wr_call_serve(&service, context);
    assert_ptr_equal(wr_call_current(), context);
    wr_call_watch(&watch, count, &told);
    while (atomic_load(&told) == 0)
        sched_yield();
    wr_call_unwatch(&watch);
    wr_call_unserve(&service);
    return wr_call_current();
}

static void all_threads_that_serve_a_call_are_told(void **state) {
    (void)state;
    pthread_t threads[4];
    struct wr_call *call = wr_call_new();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, serve_and_wait, call), 0);
    assert_false(wr_call_is_cancelled(call));
    wr_call_cancel(call);
    for (int i = 0; i < 4; i++) {
        void *left = call;
        assert_int_equal(pthread_join(threads[i], &left), 0);
        assert_null(left);
    }
    assert_true(wr_call_is_cancelled(call));
    assert_false(wr_call_is_cancelled(NULL));
    wr_call_release(call);
}

static void within_a_service_another_one_counts(void **state) {
    (void)state;
    struct wr_call_service outer, inner, none;
    struct wr_call *first = wr_call_new(), *second = wr_call_new();
    wr_call_serve(&outer, first);
    wr_call_serve(&inner, second);
    assert_ptr_equal(wr_call_current(), second);
    wr_call_serve(&none, NULL);
    assert_null(wr_call_current());
    wr_call_unserve(&none);
    wr_call_unserve(&inner);
    assert_ptr_equal(wr_call_current(), first);
    wr_call_release(first); /* it is served still */
    wr_call_unserve(&outer);
    assert_null(wr_call_current());
    wr_call_release(second);
}

static void a_call_has_the_place_in_a_trace_of_the_one_around_it(void **state) {
    (void)state;
    unsigned char place[WR_CALL_PLACE] = {7, [WR_CALL_PLACE - 1] = 9};
    unsigned char found[WR_CALL_PLACE] = {1};
    struct wr_call_service service;
    wr_call_current_place(found);
    assert_int_equal(found[0], 1); /* untouched */
    struct wr_call *call = wr_call_new();
    wr_call_set_place(call, place);
    wr_call_serve(&service, call);
    struct wr_call *inner = wr_call_new();
    wr_call_unserve(&service);
    wr_call_serve(&service, inner);
    wr_call_current_place(found);
    wr_call_unserve(&service);
    assert_memory_equal(found, place, sizeof place);
    wr_call_release(inner);
    wr_call_release(call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_is_told_once),
        cmocka_unit_test(a_cancel_from_before_is_told_at_once),
        cmocka_unit_test(who_watches_no_more_is_not_told),
        cmocka_unit_test(a_watch_of_its_own_may_be_ended_by_another_thread),
        cmocka_unit_test(the_inner_call_of_a_thread_counts),
        cmocka_unit_test(without_a_call_nothing_is_told),
        cmocka_unit_test(all_threads_that_serve_a_call_are_told),
        cmocka_unit_test(within_a_service_another_one_counts),
        cmocka_unit_test(a_call_has_the_place_in_a_trace_of_the_one_around_it),
        cmocka_unit_test(a_cancel_beside_the_end_is_told_before_it_or_not_at_all),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
