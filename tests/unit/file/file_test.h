/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of its own for each test. */
#ifndef FILE_TEST_H
#define FILE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "weir.h"

int in_new_directory(void **state);
int remove_directory(void **state);

/* The test's directory, and a path in it (one of four static buffers). */
extern char directory[64];
const char *at(const char *name);

void put_text(const char *path, const char *text);
/* A file's text in a static buffer; NULL: there is none. */
const char *get_text(const char *path);
/* How many names a directory has, hidden ones included. */
int count_names(const char *path);

/* Runs in a child; its answer is the exit code. */
typedef int (*child_fn)(void *context);
int start_child(child_fn run, void *context);
/* The exit code, or 128 and the signal's number. */
int wait_child(int pid);

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        struct weir_error *ok_error_ = &error;                                                     \
        if ((call) != WEIR_OK) fail_msg("%s: %s", #call, ok_error_->message);                      \
    } while (0)
#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part))) fail_msg("\"%s\" does not contain \"%s\"", (text), (part));   \
    } while (0)

#endif
