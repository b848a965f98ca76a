/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions for fuzzing, one in each file of this directory, and what they share. They are of
 * libFuzzer's form: with clang,
 *
 *     clang -fsanitize=fuzzer,address ... tests/fuzz/ipc.c and what tests/fuzz/meson.build links
 *
 * makes a fuzzer that looks at coverage. driver.c is the main of those that the build makes with
 * any compiler: it runs the corpus, and then what a seed makes of it.
 */
#ifndef WR_TESTS_FUZZ_H
#define WR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Answers 0. What is wrong with an input ends the process: a sanitizer, an assertion, a signal. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words that the inputs of this function have in them, for the driver to put in; ends with NULL. */
extern const char *const fuzz_words[];

/* Ends the process when what has to hold does not. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) __builtin_trap();                                                        \
    } while (0)

#endif
