/* SPDX-License-Identifier: Apache-2.0 */
/* Structures of the public headers that begin with their `size`. */
#ifndef WR_SIZED_H
#define WR_SIZED_H

#include "weir.h"

/*
 * Copies one into one of this version. A shorter one is filled up with zeros; a longer one must
 * have zeros where this version knows nothing. `from` NULL: zeros. `what` is its name.
 */
int wr_copy_sized(const void *from, void *to, size_t to_size, const char *what,
                  struct weir_error *error);

#endif
