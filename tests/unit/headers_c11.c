/* SPDX-License-Identifier: Apache-2.0 */
/* weir.h and weir_extension.h are whole, and clean, in C11 without extensions. */
#include "weir_extension.h"

#include <stdio.h>
#include <string.h>

int main(void) {
    struct weir_table_kind kind = {.size = sizeof kind, .name = "empty"};
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR,
             WEIR_VERSION_PATCH);
    if (strcmp(weir_version(), version) != 0 || kind.open) {
        fprintf(stderr, "header says %s, library says %s\n", version, weir_version());
        return 1;
    }
    return 0;
}
