/* SPDX-License-Identifier: Apache-2.0 */
/* The client of gRPC, on our own server. What a bad server may do is in tests/e2e. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/grpc.h"
#include "flight/grpc_client.h"

enum { MANY = 400, PIECE = 1 << 20 };

static struct wr_grpc_server *server;
static struct wr_grpc_client *client;
static atomic_int n_given, n_cancelled;
static char *piece;

/* ---- The server ---- */

static int echo(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct wr_grpc_message message;
    (void)context;
    WR_TRY(wr_grpc_answer_header(call, "set-cookie", "a=b; Path=/", error));
    WR_TRY(wr_grpc_message_copy(request, length, &message, error));
    return wr_grpc_reply_one(&message, ret_reply, error);
}

static int refuse(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                  struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    (void)request;
    (void)length;
    (void)ret_reply;
    wr_error_set(error, WEIR_NOT_FOUND, "42P01", "no table \xc3\xa9 100%%\nhere");
    error->position = 7;
    return WEIR_NOT_FOUND;
}

static int next_piece(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message,
                      bool *ret_end, struct weir_error *error) {
    (void)reply;
    if (atomic_load(&n_given) == MANY) {
        *ret_end = true;
        return WEIR_OK;
    }
    memset(piece, atomic_fetch_add(&n_given, 1), 8);
    return wr_grpc_message_copy(piece, PIECE, ret_message, error);
}

static int many(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    (void)request;
    (void)length;
    (void)error;
    atomic_store(&n_given, 0);
    *ret_reply = (struct wr_grpc_reply){.next = next_piece};
    return WEIR_OK;
}

struct sleeper {
    pthread_mutex_t mutex;
    pthread_cond_t awoken;
    bool is_awake;
};

static void wake(void *context) {
    struct sleeper *sleeper = context;
    pthread_mutex_lock(&sleeper->mutex);
    sleeper->is_awake = true;
    pthread_cond_signal(&sleeper->awoken);
    pthread_mutex_unlock(&sleeper->mutex);
}

/* Until the client is gone. */
static int sleep_long(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                      struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    struct sleeper sleeper = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    (void)context;
    (void)request;
    (void)length;
    (void)ret_reply;
    atomic_fetch_add(&n_given, 1);
    wr_grpc_on_cancel(call, wake, &sleeper);
    pthread_mutex_lock(&sleeper.mutex);
    while (!sleeper.is_awake)
        pthread_cond_wait(&sleeper.awoken, &sleeper.mutex);
    pthread_mutex_unlock(&sleeper.mutex);
    wr_grpc_on_cancel(call, NULL, NULL);
    atomic_fetch_add(&n_cancelled, 1);
    return wr_error_set(error, WEIR_CANCELLED, NULL, "cancelled");
}

static const struct wr_grpc_method methods[] = {
    {.path = "/t/Echo", .call = echo},
    {.path = "/t/Fail", .call = refuse},
    {.path = "/t/Many", .call = many},
    {.path = "/t/Sleep", .call = sleep_long},
};

/* ---- What tests need ---- */

static void until(atomic_int *number, int value) {
    const struct timespec pause = {.tv_nsec = 2000000};
    for (int i = 0; i < 10000 && atomic_load(number) != value; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(atomic_load(number), value);
}

static struct wr_client_call *begin(const char *path, const char *text, int64_t limit_ms) {
    struct weir_error error = {0};
    struct wr_client_call *call;
    struct wr_buffer body;
    wr_buffer_init(&body, 1 << 20);
    wr_client_frame(&body, text, strlen(text));
    assert_int_equal(wr_client_call_begin(client, path, NULL, 0, &body, limit_ms, &call, &error),
                     WEIR_OK);
    return call;
}

static int read_one(struct wr_client_call *call, struct weir_error *error) {
    struct wr_incoming *message;
    int code = wr_client_call_read(call, &message, error);
    if (code == WEIR_OK && message) wr_client_call_release(call, message);
    return code;
}

static void open_client(int64_t max_message) {
    struct weir_error error = {0};
    const char *port = strrchr(wr_grpc_address(server), ':') + 1;
    const struct wr_grpc_client_options options = {
        .host = "127.0.0.1", .port = port, .max_message = max_message};
    assert_int_equal(wr_grpc_client_open(&options, &client, &error), WEIR_OK);
}

static void open_server(void) {
    struct weir_error error = {0};
    const struct wr_grpc_options options = {
        .listen = "127.0.0.1:0", .methods = methods, .n_methods = 4};
    assert_int_equal(wr_grpc_open(&options, &server, &error), WEIR_OK);
}

static int set_up(void **state) {
    (void)state;
    piece = calloc(1, PIECE);
    atomic_store(&n_given, 0);
    atomic_store(&n_cancelled, 0);
    open_server();
    open_client(0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    wr_grpc_client_close(client);
    wr_grpc_close(server);
    free(piece);
    return 0;
}

/* ---- Tests ---- */

static void a_message_comes_back_with_its_header(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_incoming *message;
    struct wr_client_call *call = begin("/t/Echo", "hello", 0);
    assert_int_equal(wr_client_call_read(call, &message, &error), WEIR_OK);
    assert_int_equal(message->length, 5);
    assert_memory_equal(message->data, "hello", 5);
    wr_client_call_release(call, message);
    assert_string_equal(wr_client_call_cookie(call), "a=b; Path=/");
    assert_int_equal(wr_client_call_read(call, &message, &error), WEIR_OK);
    assert_null(message);
    wr_client_call_end(call);
}

static void an_error_comes_with_code_sqlstate_and_position(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_client_call *call = begin("/t/Fail", "", 0);
    assert_int_equal(read_one(call, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "no table \xc3\xa9 100%\nhere");
    assert_string_equal(error.sqlstate, "42P01");
    assert_int_equal(error.position, 7);
    assert_int_equal(read_one(call, &error), WEIR_NOT_FOUND); /* and again */
    wr_client_call_end(call);
    call = begin("/t/Nothing", "", 0);
    assert_int_equal(read_one(call, &error), WEIR_NOT_IMPLEMENTED);
    wr_client_call_end(call);
}

static void every_message_comes_in_order(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_incoming *message;
    struct wr_client_call *call = begin("/t/Many", "", 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(wr_client_call_read(call, &message, &error), WEIR_OK);
        assert_non_null(message);
        assert_int_equal(message->length, PIECE);
        assert_int_equal((unsigned char)message->data[7], i % 256);
        wr_client_call_release(call, message);
    }
    assert_int_equal(wr_client_call_read(call, &message, &error), WEIR_OK);
    assert_null(message);
    assert_true(wr_grpc_client_received(client) >= (int64_t)MANY * PIECE);
    wr_client_call_end(call);
}

/* The server is asked for no more once windows and the 16 MiB ahead are full. */
static void a_reader_that_waits_holds_the_server_back(void **state) {
    (void)state;
    const struct timespec pause = {.tv_nsec = 100000000};
    struct wr_client_call *call = begin("/t/Many", "", 0), *other;
    struct weir_error error = {0};
    int before = -1;
    /* Until nothing has moved for a while. */
    for (int i = 0; i < 300 && (before < 4 || before != atomic_load(&n_given)); i++) {
        before = atomic_load(&n_given);
        nanosleep(&pause, NULL);
    }
    assert_in_range(atomic_load(&n_given), 4, 40);
    /* And other calls go on. */
    other = begin("/t/Echo", "x", 0);
    assert_int_equal(read_one(other, &error), WEIR_OK);
    wr_client_call_end(other);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(read_one(call, &error), WEIR_OK);
    assert_int_equal(atomic_load(&n_given), MANY);
    wr_client_call_end(call);
}

static void *cancel_soon(void *context) {
    (void)context;
    until(&n_given, 1);
    wr_grpc_client_cancel(client);
    return NULL;
}

static void a_cancel_of_another_thread_wakes_the_reader_and_reaches_the_server(void **state) {
    (void)state;
    struct weir_error error = {0};
    pthread_t thread;
    struct wr_client_call *call = begin("/t/Sleep", "", 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    assert_int_equal(read_one(call, &error), WEIR_CANCELLED);
    pthread_join(thread, NULL);
    wr_client_call_end(call);
    until(&n_cancelled, 1);
    call = begin("/t/Echo", "x", 0);
    assert_int_equal(read_one(call, &error), WEIR_OK);
    wr_client_call_end(call);
}

static void a_call_that_is_left_is_cancelled(void **state) {
    (void)state;
    struct wr_client_call *call = begin("/t/Sleep", "", 0);
    until(&n_given, 1);
    wr_client_call_end(call);
    until(&n_cancelled, 1);
}

static void a_deadline_ends_the_call(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_client_call *call = begin("/t/Sleep", "", 200);
    assert_int_equal(read_one(call, &error), WEIR_TIMEOUT);
    wr_client_call_end(call);
    until(&n_cancelled, 1);
}

static void a_message_that_is_too_long_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    wr_grpc_client_close(client);
    open_client(PIECE - 1);
    struct wr_client_call *call = begin("/t/Many", "", 0);
    assert_int_equal(read_one(call, &error), WEIR_INVALID_DATA);
    assert_non_null(strstr(error.message, "longer than is taken"));
    wr_client_call_end(call);
    call = begin("/t/Echo", "x", 0);
    assert_int_equal(read_one(call, &error), WEIR_OK);
    wr_client_call_end(call);
}

static void a_server_that_ends_fails_what_runs_and_what_comes(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_client_call *call = begin("/t/Sleep", "", 0), *late;
    struct wr_buffer body;
    until(&n_given, 1);
    wr_grpc_close(server);
    assert_true(read_one(call, &error) != WEIR_OK);
    wr_client_call_end(call);
    for (int i = 0; i < 5000 && wr_grpc_client_is_usable(client); i++)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    assert_false(wr_grpc_client_is_usable(client));
    wr_buffer_init(&body, 1 << 20);
    wr_client_frame(&body, "", 0);
    int code = wr_client_call_begin(client, "/t/Echo", NULL, 0, &body, 0, &late, &error);
    if (code == WEIR_OK) {
        code = read_one(late, &error);
        wr_client_call_end(late);
    }
    assert_int_equal(code, WEIR_IO);
    open_server();
}

static bool is_stopped(void) {
    return true;
}

static void no_server_is_an_error_and_a_stop_is_a_cancel(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_grpc_client *none;
    struct wr_grpc_client_options options = {.host = "127.0.0.1", .port = "1"};
    assert_int_equal(wr_grpc_client_open(&options, &none, &error), WEIR_IO);
    assert_non_null(strstr(error.message, "Connection refused"));
    options.port = strrchr(wr_grpc_address(server), ':') + 1;
    options.is_stopped = is_stopped;
    int code = wr_grpc_client_open(&options, &none, &error);
    if (code == WEIR_OK)
        wr_grpc_client_close(none); /* it was there before it could be stopped */
    else
        assert_int_equal(code, WEIR_CANCELLED);
}

/* Of the client or the server; neither hangs, and what comes back is right. */
static int open_and_ask(void) {
    struct weir_error error = {0};
    struct wr_grpc_client *other;
    struct wr_client_call *call;
    struct wr_incoming *message;
    struct wr_buffer body;
    const struct wr_client_header header = {"x-test", "value"};
    const struct wr_grpc_client_options options = {
        .host = "127.0.0.1", .port = strrchr(wr_grpc_address(server), ':') + 1};
    WR_TRY(wr_grpc_client_open(&options, &other, &error));
    wr_buffer_init(&body, 1 << 20);
    wr_client_frame(&body, "hello", 5);
    int code = wr_client_call_begin(other, "/t/Echo", &header, 1, &body, 5000, &call, &error);
    if (code == WEIR_OK) {
        code = wr_client_call_read(call, &message, &error);
        if (code == WEIR_OK && message) {
            assert_int_equal(message->length, 5);
            wr_client_call_release(call, message);
        }
        wr_client_call_end(call);
    }
    wr_grpc_client_close(other);
    return code;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    int n_failed = 0;
    wr_alloc_fail_at(0);
    assert_int_equal(open_and_ask(), WEIR_OK);
    int64_t most = wr_alloc_fail_at(0) + 20;
    for (int64_t n = 1; n < most; n++) {
        wr_alloc_fail_at(n);
        n_failed += open_and_ask() != WEIR_OK;
    }
    wr_alloc_fail_at(0);
    assert_true(n_failed > 20);
    assert_int_equal(open_and_ask(), WEIR_OK);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_message_comes_back_with_its_header),
        TEST(an_error_comes_with_code_sqlstate_and_position),
        TEST(every_message_comes_in_order),
        TEST(a_reader_that_waits_holds_the_server_back),
        TEST(a_cancel_of_another_thread_wakes_the_reader_and_reaches_the_server),
        TEST(a_call_that_is_left_is_cancelled),
        TEST(a_deadline_ends_the_call),
        TEST(a_message_that_is_too_long_is_refused),
        TEST(a_server_that_ends_fails_what_runs_and_what_comes),
        TEST(each_allocation_may_fail),
        TEST(no_server_is_an_error_and_a_stop_is_a_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
