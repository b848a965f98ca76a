/* SPDX-License-Identifier: Apache-2.0 */
/* For functions that have no words of their own. */
#include "fuzz.h"

const char *const fuzz_words[] = {
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "/t/e", "/t/c", "grpc-timeout", "application/grpc", NULL};
