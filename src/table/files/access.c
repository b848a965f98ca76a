/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/error.h"

int wr_access_open(const char *root, struct wr_access *ret_access, struct weir_error *error) {
    struct wr_access access = {.root = root};
    if (root) WR_TRY(wr_beneath_root(root, &access.fd, error));
    *ret_access = access;
    return WEIR_OK;
}

void wr_access_close(struct wr_access *access) {
    if (access->root) close(access->fd);
    *access = (struct wr_access){0};
}

int wr_access_fd(const struct wr_access *access, const char *path, int flags, int *ret_fd) {
    if (access->root) {
        const char *relative = wr_beneath_relative(access->root, path);
        return relative ? wr_beneath_try_open(access->fd, access->root, relative, flags, 0, ret_fd)
                        : EXDEV;
    }
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return errno;
    *ret_fd = fd;
    return 0;
}

int wr_access_stat(const struct wr_access *access, const char *path, struct stat *ret_status) {
    if (!access->root) return stat(path, ret_status) == 0 ? 0 : errno;
    const char *relative = wr_beneath_relative(access->root, path);
    return relative ? wr_beneath_try_stat(access->fd, access->root, relative, ret_status) : EXDEV;
}

int wr_access_error(struct weir_error *error, const struct wr_access *access, int errnum,
                    const char *what, const char *shown) {
    if (!access->root) return wr_error_errno(error, errnum, "%s \"%s\"", what, shown);
    return wr_beneath_error(error, errnum, what, shown, access->root);
}
