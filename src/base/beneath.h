/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a root directory that nothing leads out of: not "..", not an absolute path, not a
 * symbolic link, not a race with someone who replaces a directory by one. The kernel walks the path
 * (openat2 with RESOLVE_BENEATH, Linux 5.6); a link that stays inside is followed. Where there is
 * no openat2, or a sandbox forbids it, the path is walked here, and every symbolic link refused.
 *
 *     int root_fd, fd;
 *     WR_TRY(wr_beneath_root("/srv/lake", &root_fd, error));
 *     int code = wr_beneath_open(root_fd, "/srv/lake", "logs/x.csv", O_RDONLY, 0, &fd, error);
 *
 * A root of "/" confines nothing: links are followed wherever they lead.
 *
 * All functions may be called from any thread.
 */
#ifndef WR_BENEATH_H
#define WR_BENEATH_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "weir.h"
#include "weir_extension.h"

/* A descriptor of the root itself, for the functions below; it cannot be read. The root's own path
 * may go through links. */
int wr_beneath_root(const char *root, int *ret_fd, struct weir_error *error);

/*
 * Opens `path` (relative to the root; "" is the root) with open's flags. O_CLOEXEC is added. What
 * leads out is WEIR_INVALID_ARGUMENT, 22023: `"x" leads out of "/srv/lake"`. `root` is the text for
 * messages. Opening a pipe waits for its other end: give O_NONBLOCK where one may lie.
 */
int wr_beneath_open(int root_fd, const char *root, const char *path, int flags, mode_t mode,
                    int *ret_fd, struct weir_error *error);
int wr_beneath_stat(int root_fd, const char *root, const char *path, struct stat *ret_status,
                    struct weir_error *error);

/* The same with an errno value, or 0, for an answer: EXDEV is what leads out. */
int wr_beneath_try_open(int root_fd, const char *root, const char *path, int flags, mode_t mode,
                        int *ret_fd);
int wr_beneath_try_stat(int root_fd, const char *root, const char *path, struct stat *ret_status);
/* The error of such a value. `shown` is how the message calls the path, `what` what could not be
 * done, for example "cannot open". */
int wr_beneath_error(struct weir_error *error, int errnum, const char *what, const char *shown,
                     const char *root);

/* "weir+file://<root in hexadecimal>/<absolute path>", by which the engine opens a file below a
 * root the same way; percent-encoded. Free with wr_free. `path` is absolute and below `root`. */
int wr_beneath_url(const char *root, const char *path, char **ret_url, struct weir_error *error);
void wr_beneath_url_add(struct wr_buffer *buffer, const char *root, const char *path);
/* Opens a file for reading; both paths are absolute. Anything but a regular file is an error. What
 * the engine is given to open such URLs by. `root` NULL: nothing is confined. */
int wr_beneath_open_file(const char *root, const char *path, int *ret_fd, struct weir_error *error);
/* The same for what a file:// or weir+file:// URL names. */
int wr_url_open(const char *url, int *ret_fd, struct weir_error *error);

/* What follows the root in an absolute path, "" for the root itself; NULL: it is not below it.
 * Looks at the texts only. */
const char *wr_beneath_relative(const char *root, const char *path);

/* What tells one state of a file from all others: device, inode, size, and the times of the last
 * change of its content and of anything, in hexadecimal. */
void wr_file_version(const struct stat *status, char ret_version[WEIR_VERSION_SIZE]);
void wr_file_version_text(uint64_t device, uint64_t inode, int64_t n_bytes, int64_t modified_ns,
                          int64_t changed_ns, char ret_version[WEIR_VERSION_SIZE]);
int64_t wr_nanoseconds(struct timespec time); /* since 1970 */

/* For tests: walk as where there is no openat2. */
void wr_beneath_without_openat2(bool without);

#endif
