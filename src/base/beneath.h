/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a root directory that nothing leads out of: not "..", not an absolute path, not a
 * symbolic link, not a race with someone who replaces a directory by one. The kernel walks the path
 * (openat2 with RESOLVE_BENEATH, Linux 5.6); a link that stays inside is followed.
 *
 * A root of "/" confines nothing: links are followed wherever they lead.
 */
#ifndef WR_BENEATH_H
#define WR_BENEATH_H

#include <sys/stat.h>
#include <sys/types.h>

#include "weir.h"

/* A descriptor of the root itself. */
int wr_beneath_root(const char *root, int *ret_fd, struct weir_error *error);

/*
 * Opens `path` (relative to the root; "" is the root) with open's flags. O_CLOEXEC is added. What
 * leads out is WEIR_INVALID_ARGUMENT, 22023: `"x" leads out of "/srv/lake"`. `root` is the text for
 * messages. `shown` NULL: the path.
 */
int wr_beneath_open(int root_fd, const char *root, const char *path, int flags, mode_t mode,
                    int *ret_fd, struct weir_error *error);
int wr_beneath_stat(int root_fd, const char *root, const char *path, struct stat *ret_status,
                    struct weir_error *error);

/* "weir+file://<root in hexadecimal>/<absolute path>", by which the engine opens a file below a root
 * the same way; percent-encoded. Free with wr_free. `path` is absolute and below `root`. */
int wr_beneath_url(const char *root, const char *path, char **ret_url, struct weir_error *error);
/* Opens what a file:// or weir+file:// URL names, for reading. */
int wr_url_open(const char *url, int *ret_fd, struct weir_error *error);

#endif
