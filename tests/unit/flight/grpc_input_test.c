/* SPDX-License-Identifier: Apache-2.0 */
/* The function for fuzzing (tests/flight/grpc_fuzz.c) over a small corpus and what chance makes of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void grpc_fuzz_end(void);

static unsigned char input[65536];
static size_t n_input;

static void put(const void *data, size_t length) {
    assert_true(n_input + length <= sizeof input);
    if (length > 0) memcpy(input + n_input, data, length);
    n_input += length;
}

static void put_frame(unsigned char type, unsigned char flags, unsigned stream, const void *payload,
                      size_t length) {
    const unsigned char header[9] = {(unsigned char)(length >> 16),
                                     (unsigned char)(length >> 8),
                                     (unsigned char)length,
                                     type,
                                     flags,
                                     (unsigned char)(stream >> 24),
                                     (unsigned char)(stream >> 16),
                                     (unsigned char)(stream >> 8),
                                     (unsigned char)stream};
    put(header, sizeof header);
    put(payload, length);
}

static size_t put_field(char *block, const char *name, const char *value) {
    size_t n_name = strlen(name), n_value = strlen(value);
    block[0] = 0; /* a literal that is not indexed, with a new name (RFC 7541, 6.2.2) */
    block[1] = (char)n_name;
    memcpy(block + 2, name, n_name);
    block[2 + n_name] = (char)n_value;
    memcpy(block + 3 + n_name, value, n_value);
    return 3 + n_name + n_value;
}

static void put_call(unsigned stream, const char *path, const char *name, const char *value,
                     const char *text) {
    char block[512], data[128] = {0};
    size_t n = put_field(block, ":method", "POST"), length = strlen(text);
    n += put_field(block + n, ":scheme", "http");
    n += put_field(block + n, ":path", path);
    n += put_field(block + n, "content-type", "application/grpc");
    n += put_field(block + n, name, value);
    put_frame(1, 4, stream, block, n);
    data[4] = (char)length;
    memcpy(data + 5, text, length);
    put_frame(0, 0, stream, data, 3);
    put_frame(0, 1, stream, data + 3, 2 + length);
}

static void make_corpus(void) {
    static const unsigned char window[] = {0, 1, 0, 0}, settings[] = {0, 4, 0, 1, 0, 0};
    n_input = 0;
    put("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    put_frame(4, 0, 0, settings, sizeof settings);
    put_frame(8, 0, 0, window, sizeof window);
    put_call(1, "/t/e", "grpc-timeout", "10S", "hello");
    put_call(3, "/t/c", "x-bin", "AP8x", "one");
    put_call(5, "/t/none", "x", "y", "");
    put_frame(6, 0, 0, "12345678", 8);
    put_call(7, "/t/e", "grpc-encoding", "gzip", "z");
    put_frame(2, 0, 7, "\0\0\0\0\x10", 5);
    put_frame(3, 0, 3, "\0\0\0\x08", 4);
    put_frame(7, 0, 0, "\0\0\0\0\0\0\0\0", 8);
}

static void inputs_cut_anywhere_are_ended(void **state) {
    (void)state;
    make_corpus();
    for (size_t n = 0; n <= n_input; n++)
        LLVMFuzzerTestOneInput(input, n);
}

static void inputs_changed_by_chance_are_ended(void **state) {
    (void)state;
    unsigned long chance = 20260101;
    for (int i = 0; i < 3000; i++) {
        make_corpus();
        for (int j = 0; j < 1 + i % 6; j++) {
            chance = chance * 6364136223846793005ul + 1442695040888963407ul;
            input[24 + (chance >> 33) % (n_input - 24)] ^= (unsigned char)(1u << (chance >> 61));
            if (chance & 1 << 20) input[24 + (chance >> 40) % (n_input - 24)] = 0xFF;
        }
        LLVMFuzzerTestOneInput(input, n_input);
    }
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    make_corpus();
    for (int64_t n = 1; n < 400; n++) {
        wr_alloc_fail_at(n);
        LLVMFuzzerTestOneInput(input, n_input);
        wr_alloc_fail_at(0);
    }
}

static int end(void **state) {
    (void)state;
    grpc_fuzz_end();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_cut_anywhere_are_ended),
        cmocka_unit_test(inputs_changed_by_chance_are_ended),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("grpc_input", tests, NULL, end);
}
