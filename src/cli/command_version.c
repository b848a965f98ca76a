/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

int command_version(void) {
    printf("weir %s\nengine %s\ncompiler %s\n", weir_version(), weir_engine_version(), COMPILER);
    return CLI_DONE;
}
