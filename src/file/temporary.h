/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the system's temporary one, for this process alone. */
#ifndef WR_TEMPORARY_H
#define WR_TEMPORARY_H

#include "weir.h"

struct wr_temporary {
    char *path; /* NULL: none */
    int fd;     /* locked while the process lives */
};

int wr_temporary_make(struct wr_temporary *ret_directory, struct weir_error *error);
/* Removes it with the files in it, and those that killed processes left. */
void wr_temporary_remove(struct wr_temporary *directory);

#endif
