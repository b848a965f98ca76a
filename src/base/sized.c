/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sized.h"

#include <string.h>

#include "base/error.h"

int wr_copy_sized(const void *from, void *to, size_t to_size, const char *what,
                  struct weir_error *error) {
    memset(to, 0, to_size);
    if (!from) return WEIR_OK;
    size_t size = 0;
    memcpy(&size, from, sizeof size);
    if (size < sizeof size) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s: the member `size` is not set; set it to sizeof(struct %s)", what,
                            what);
    }
    for (size_t i = to_size; i < size; i++) {
        if (((const char *)from)[i]) {
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "%s: it has members that weir %d.%d.%d does not know", what,
                                WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
        }
    }
    memcpy(to, from, size < to_size ? size : to_size);
    return WEIR_OK;
}
