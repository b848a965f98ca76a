/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "flight/http2_output.h"

/* The output knows an owner by its address only. */
struct wr_outgoing {
    int n_done;
};

static void count(struct wr_outgoing *owner) {
    owner->n_done++;
}

/* Everything that waits, in order. */
static size_t look(const struct wr_output *output, char *ret_text) {
    struct iovec pieces[64];
    size_t n = wr_output_pieces(output, pieces, 64), length = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(ret_text + length, pieces[i].iov_base, pieces[i].iov_len);
        length += pieces[i].iov_len;
    }
    ret_text[length] = '\0';
    return length;
}

static void pieces_keep_their_order_and_lie_where_they_are(void **state) {
    (void)state;
    struct wr_output output;
    struct wr_outgoing owner = {0};
    struct iovec pieces[8];
    const char *text = "message";
    char all[64];
    wr_output_init(&output, count);
    assert_true(wr_output_copy(&output, "head", 4));
    assert_true(wr_output_copy(&output, "er:", 3));
    assert_true(wr_output_refer(&output, text, 7, &owner));
    assert_true(wr_output_copy(&output, ";", 1));
    assert_true(wr_output_copy(&output, "", 0));
    assert_int_equal(wr_output_pieces(&output, pieces, 8), 3);
    assert_ptr_equal(pieces[1].iov_base, text);
    assert_int_equal(look(&output, all), output.n_bytes);
    assert_string_equal(all, "header:message;");
    wr_output_reset(&output);
    assert_int_equal(owner.n_done, 1);
}

static void an_owner_is_told_when_the_last_byte_is_gone(void **state) {
    (void)state;
    struct wr_output output;
    struct wr_outgoing first = {0}, second = {0};
    char all[64];
    wr_output_init(&output, count);
    wr_output_refer(&output, "abc", 3, &first);
    wr_output_copy(&output, "--", 2);
    wr_output_refer(&output, "defg", 4, &second);
    wr_output_advance(&output, 2);
    assert_int_equal(first.n_done, 0);
    wr_output_advance(&output, 2);
    assert_int_equal(first.n_done, 1);
    look(&output, all);
    assert_string_equal(all, "-defg");
    wr_output_advance(&output, 4);
    assert_int_equal(second.n_done, 0);
    wr_output_advance(&output, 1);
    assert_int_equal(second.n_done, 1);
    assert_int_equal(output.n_bytes, 0);
    wr_output_reset(&output);
}

/* Against a plain text that has the same done to it. */
static void it_stays_right_however_it_is_filled_and_emptied(void **state) {
    (void)state;
    static char expected[1 << 20], data[70000], seen[1 << 20];
    size_t start = 0, end = 0;
    unsigned long chance = 42;
    struct wr_output output;
    wr_output_init(&output, count);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)('a' + i % 23);
    for (int i = 0; i < 20000; i++) {
        chance = chance * 6364136223846793005ul + 1442695040888963407ul;
        size_t n = (chance >> 33) % 97, at = (chance >> 40) % 1000;
        if (chance >> 63) {
            size_t left = output.n_bytes < 3 * n ? output.n_bytes : 3 * n;
            wr_output_advance(&output, left);
            start += left;
        } else if (end + n < sizeof expected && output.n_slices < 1000) {
            assert_true(chance >> 62 & 1 ? wr_output_copy(&output, data + at, n)
                                         : wr_output_refer(&output, data + at, n, NULL));
            memcpy(expected + end, data + at, n);
            end += n;
        }
        assert_int_equal(output.n_bytes, end - start);
        if (i % 16 == 0) {
            struct iovec pieces[64];
            size_t n_pieces = wr_output_pieces(&output, pieces, 64), length = 0;
            for (size_t p = 0; p < n_pieces; p++) {
                memcpy(seen + length, pieces[p].iov_base, pieces[p].iov_len);
                length += pieces[p].iov_len;
            }
            assert_memory_equal(seen, expected + start, length);
        }
    }
    wr_output_reset(&output);
}

static void without_memory_nothing_changes(void **state) {
    (void)state;
    for (int64_t n = 1; n <= 2; n++) {
        struct wr_output output;
        wr_output_init(&output, count);
        wr_alloc_fail_at(n);
        assert_false(wr_output_copy(&output, "abc", 3));
        wr_alloc_fail_at(0);
        assert_int_equal(output.n_bytes, 0);
        assert_int_equal(output.n_slices, 0);
        assert_true(wr_output_copy(&output, "abc", 3));
        assert_int_equal(output.n_bytes, 3);
        wr_output_reset(&output);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_keep_their_order_and_lie_where_they_are),
        cmocka_unit_test(an_owner_is_told_when_the_last_byte_is_gone),
        cmocka_unit_test(it_stays_right_however_it_is_filled_and_emptied),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests_name("grpc_output", tests, NULL, NULL);
}
