/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *weir_version(void) {
    return TEXT(WEIR_VERSION_MAJOR) "." TEXT(WEIR_VERSION_MINOR) "." TEXT(WEIR_VERSION_PATCH);
}

const char *weir_engine_version(void) {
    return wr_engine_version();
}

const char *weir_code_name(int code) {
    static const char *const names[] = {
        [WEIR_OK] = "ok",
        [WEIR_UNKNOWN] = "unknown",
        [WEIR_NOT_IMPLEMENTED] = "not implemented",
        [WEIR_NOT_FOUND] = "not found",
        [WEIR_ALREADY_EXISTS] = "already exists",
        [WEIR_INVALID_ARGUMENT] = "invalid argument",
        [WEIR_INVALID_STATE] = "invalid state",
        [WEIR_INVALID_DATA] = "invalid data",
        [WEIR_INTEGRITY] = "integrity",
        [WEIR_INTERNAL] = "internal",
        [WEIR_IO] = "io",
        [WEIR_CANCELLED] = "cancelled",
        [WEIR_TIMEOUT] = "timeout",
        [WEIR_UNAUTHENTICATED] = "unauthenticated",
        [WEIR_UNAUTHORIZED] = "unauthorized",
    };
    int n_names = (int)(sizeof names / sizeof *names);
    return code >= 0 && code < n_names ? names[code] : names[WEIR_UNKNOWN];
}
