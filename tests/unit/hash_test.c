/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of FIPS 180-4's examples and of NIST's SHAVS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static const char *hash_of(const void *data, size_t length, size_t piece) {
    static char text[WR_HASH_TEXT_SIZE];
    struct wr_hash hash;
    wr_hash_init(&hash);
    for (size_t start = 0; start < length; start += piece) {
        wr_hash_add(&hash, (const char *)data + start,
                    length - start < piece ? length - start : piece);
    }
    wr_hash_finish(&hash, text);
    return text;
}

static void the_standards_examples_have_their_hashes(void **state) {
    (void)state;
    const char *const examples[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        assert_string_equal(hash_of(examples[i][0], strlen(examples[i][0]), 1000), examples[i][1]);
        assert_string_equal(hash_of(examples[i][0], strlen(examples[i][0]), 3), examples[i][1]);
    }
}

static void a_million_bytes_have_their_hash_in_pieces_of_any_size(void **state) {
    (void)state;
    static char data[1000000];
    memset(data, 'a', sizeof data);
    const size_t pieces[] = {1, 63, 64, 65, 1000000};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_string_equal(hash_of(data, sizeof data, pieces[i]),
                            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static void texts_are_kept_apart(void **state) {
    (void)state;
    const char *const pairs[][2] = {{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"abc", NULL}};
    char hashes[4][WR_HASH_TEXT_SIZE];
    for (size_t i = 0; i < 4; i++) {
        struct wr_hash hash;
        wr_hash_init(&hash);
        wr_hash_text(&hash, pairs[i][0]);
        wr_hash_text(&hash, pairs[i][1]);
        wr_hash_finish(&hash, hashes[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples_have_their_hashes),
        cmocka_unit_test(a_million_bytes_have_their_hash_in_pieces_of_any_size),
        cmocka_unit_test(texts_are_kept_apart),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
