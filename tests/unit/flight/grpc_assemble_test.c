/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flight/grpc_assemble.h"

static struct wr_allowance allowance;

static int set_up(void **state) {
    (void)state;
    allowance = (struct wr_allowance){.most = 64 << 20};
    return 0;
}

/* Whatever a test did, nothing is held any more. */
static int tear_down(void **state) {
    (void)state;
    return allowance.held == 0 ? 0 : -1;
}

static size_t put_message(unsigned char *data, const void *message, size_t length) {
    const unsigned char prefix[5] = {0, (unsigned char)(length >> 24),
                                     (unsigned char)(length >> 16), (unsigned char)(length >> 8),
                                     (unsigned char)length};
    memcpy(data, prefix, 5);
    if (length > 0) memcpy(data + 5, message, length);
    return length + 5;
}

static void messages_are_whole_in_pieces_of_any_size(void **state) {
    (void)state;
    static unsigned char stream[300000], text[100000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)(i * 7 >> 2);
    const size_t lengths[] = {0, 1, 5, 0, 16384, 100000, 3}, n = 7;
    size_t end = 0;
    for (size_t i = 0; i < n; i++)
        end += put_message(stream + end, text, lengths[i]);
    const size_t pieces[] = {1, 2, 4, 5, 6, 1000, 16383, sizeof stream};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct wr_assembler assembler;
        wr_assembler_init(&assembler, 1 << 20, &allowance);
        size_t found = 0;
        for (size_t at = 0; at < end; at += pieces[p]) {
            const unsigned char *data = stream + at;
            size_t left = end - at < pieces[p] ? end - at : pieces[p];
            struct wr_incoming *message;
            while (left > 0) {
                if (wr_assemble(&assembler, &data, &left, &message) == WR_ASSEMBLED_NONE) break;
                assert_int_equal(message->length, lengths[found]);
                assert_memory_equal(message->data, text, message->length);
                wr_incoming_free(message, &allowance);
                found++;
            }
            assert_int_equal(left, 0);
        }
        assert_int_equal(found, n);
        assert_false(wr_assembler_is_inside(&assembler));
    }
}

static enum wr_assembled give(struct wr_assembler *assembler, const void *bytes, size_t length) {
    const unsigned char *data = bytes;
    struct wr_incoming *message = NULL;
    enum wr_assembled code = wr_assemble(assembler, &data, &length, &message);
    if (message) wr_incoming_free(message, assembler->allowance);
    return code;
}

static void prefixes_that_are_wrong_are_told(void **state) {
    (void)state;
    static const struct {
        unsigned char prefix[5];
        enum wr_assembled code;
    } cases[] = {
        {{1, 0, 0, 0, 1}, WR_ASSEMBLED_COMPRESSED},
        {{2, 0, 0, 0, 1}, WR_ASSEMBLED_BAD_FLAGS},
        {{255, 0, 0, 0, 0}, WR_ASSEMBLED_BAD_FLAGS},
        {{0, 0, 0, 4, 1}, WR_ASSEMBLED_TOO_LARGE},
        {{0, 0x7F, 255, 255, 255}, WR_ASSEMBLED_TOO_LARGE},
        {{0, 255, 255, 255, 255}, WR_ASSEMBLED_TOO_LARGE},
        {{0, 0, 0, 4, 0}, WR_ASSEMBLED_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wr_assembler assembler;
        wr_assembler_init(&assembler, 1024, &allowance);
        assert_int_equal(give(&assembler, cases[i].prefix, 5), cases[i].code);
        wr_assembler_reset(&assembler);
    }
}

static void a_promise_takes_little_memory(void **state) {
    (void)state;
    struct wr_assembler assembler;
    wr_assembler_init(&assembler, INT64_MAX, &allowance);
    const unsigned char prefix[] = {0, 0xFF, 0xFF, 0xFF, 0xFF, 'x'};
    assert_int_equal(give(&assembler, prefix, sizeof prefix), WR_ASSEMBLED_NONE);
    assert_true(wr_assembler_is_inside(&assembler));
    assert_true(allowance.held < 20000);
    /* At most twice of what has come. */
    static char bytes[1 << 20];
    for (int i = 1; i <= 8; i++) {
        assert_int_equal(give(&assembler, bytes, sizeof bytes), WR_ASSEMBLED_NONE);
        assert_true(allowance.held <= i * 2 * ((1 << 20) + 1) + 100);
    }
    wr_assembler_reset(&assembler);
    assert_false(wr_assembler_is_inside(&assembler));
}

static void an_allowance_is_a_part_of_another(void **state) {
    (void)state;
    struct wr_allowance part = {.most = 1000, .whole = &allowance};
    allowance.most = 1500;
    struct wr_allowance other = {.most = 1000, .whole = &allowance};
    assert_true(wr_allowance_take(&part, 900));
    assert_false(wr_allowance_take(&part, 200));
    assert_false(wr_allowance_take(&other, 700));
    assert_true(wr_allowance_take(&other, 600));
    assert_int_equal(allowance.held, 1500);
    assert_int_equal(part.held, 900);
    wr_allowance_give(&part, 900);
    wr_allowance_give(&other, 600);
    assert_int_equal(allowance.held, 0);
}

static void what_is_over_the_allowance_is_told(void **state) {
    (void)state;
    struct wr_assembler assembler;
    static char bytes[1 << 20];
    const unsigned char prefix[] = {0, 0, 0x20, 0, 0};
    allowance.most = 1 << 20;
    wr_assembler_init(&assembler, INT64_MAX, &allowance);
    assert_int_equal(give(&assembler, prefix, sizeof prefix), WR_ASSEMBLED_NONE);
    assert_int_equal(give(&assembler, bytes, sizeof bytes), WR_ASSEMBLED_NO_ROOM);
    wr_assembler_reset(&assembler);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    static unsigned char stream[300000], text[100000];
    size_t end = put_message(stream, text, sizeof text);
    for (int64_t n = 1;; n++) {
        struct wr_assembler assembler;
        wr_assembler_init(&assembler, 1 << 20, &allowance);
        wr_alloc_fail_at(n);
        enum wr_assembled code = WR_ASSEMBLED_NONE;
        for (size_t at = 0; at < end && code == WR_ASSEMBLED_NONE; at += 1000)
            code = give(&assembler, stream + at, end - at < 1000 ? end - at : 1000);
        wr_alloc_fail_at(0);
        wr_assembler_reset(&assembler);
        assert_int_equal(allowance.held, 0);
        if (code == WR_ASSEMBLED_MESSAGE) {
            assert_true(n > 3);
            return;
        }
        assert_int_equal(code, WR_ASSEMBLED_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_whole_in_pieces_of_any_size, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(prefixes_that_are_wrong_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_promise_takes_little_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_allowance_is_a_part_of_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_over_the_allowance_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("grpc_assemble", tests, NULL, NULL);
}
