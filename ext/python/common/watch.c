/* SPDX-License-Identifier: Apache-2.0 */
#include "common/common.h"

struct wp_watches wp_watches;

bool wp_watch(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped) {
    *watch = (struct weir_watch){0};
    return wp_watches.watch && wp_watches.watch(watch, stop, stopped);
}

void wp_unwatch(struct weir_watch *watch) {
    if (wp_watches.unwatch) wp_watches.unwatch(watch);
}
