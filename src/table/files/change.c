/* SPDX-License-Identifier: Apache-2.0 */
/* All by descriptors of directories that were opened beneath the root, and single names in them. */
#include "table/files/store_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

static int sync_directory(int fd) {
    return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

int wr_files_mount_make_directory(void *context, const char *path, struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    int directory;
    const char *name;
    WR_TRY(wr_files_mount_check_change(mount, path, error));
    if (mount->store) return wr_store_mount_make_directory(mount, path, error);
    WR_TRY(wr_files_mount_parent(mount, path, &directory, &name, error));
    int reason = mkdirat(directory, name, 0777) == 0 ? sync_directory(directory) : errno;
    close(directory);
    if (reason == EEXIST) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02", "\"%s%s\" is already there",
                            mount->shown, path);
    }
    return reason ? wr_files_mount_error(mount, reason, "cannot make the directory", path, error)
                  : WEIR_OK;
}

/* ---- Removing ---- */

/*
 * Takes a tree out of sight in one step, then apart: a reader finds it whole or not at all. When
 * that fails the rest comes back, and when the process dies the next change in the directory ends
 * it.
 */
static int remove_tree_at_once(int directory, const char *name) {
    char hidden[WR_STAGING_NAME_SIZE];
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno;
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
    }
    wr_staging_make_name(hidden);
    int reason = renameat(directory, name, directory, hidden) == 0
                     ? wr_remove_tree(directory, hidden)
                     : errno;
    if (reason) renameat2(directory, hidden, directory, name, RENAME_NOREPLACE);
    close(fd);
    return reason;
}

static int remove_name(int directory, const char *name, int recursive) {
    if (unlinkat(directory, name, 0) == 0) return 0;
    if (errno != EISDIR) return errno;
    if (recursive) return remove_tree_at_once(directory, name);
    return unlinkat(directory, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

int wr_files_mount_remove(void *context, const char *path, int recursive,
                          struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    int directory;
    const char *name;
    WR_TRY(wr_files_mount_check_change(mount, path, error));
    if (mount->store) return wr_store_mount_remove(mount, path, recursive, error);
    WR_TRY(wr_files_mount_parent(mount, path, &directory, &name, error));
    int reason = remove_name(directory, name, recursive);
    wr_staging_sweep(directory);
    if (reason == 0) reason = sync_directory(directory);
    close(directory);
    if (reason == ENOTEMPTY && !recursive) {
        return wr_error_set(error, WEIR_INVALID_STATE, "2BP01",
                            "the directory \"%s%s\" is not empty; remove it with all that is in it",
                            mount->shown, path);
    }
    return reason ? wr_files_mount_error(mount, reason, "cannot remove", path, error) : WEIR_OK;
}

/* ---- Renaming ---- */

static int rename_between(const struct wr_files_mount *mount, int from_directory, const char *from,
                          int to_directory, const char *to, const char *path, const char *target,
                          struct weir_error *error) {
    struct stat status;
    if (fstatat(to_directory, to, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode)) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02",
                            "\"%s%s\" is a directory, which is not replaced; name a path in it",
                            mount->shown, target);
    }
    if (renameat(from_directory, from, to_directory, to) != 0) {
        if (errno == EINVAL) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "\"%s%s\" cannot be moved into itself", mount->shown, path);
        }
        if (errno == EXDEV) {
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "\"%s%s\" and \"%s%s\" are on different file systems; copy, then "
                                "remove",
                                mount->shown, path, mount->shown, target);
        }
        return wr_files_mount_error(mount, errno, "cannot rename", path, error);
    }
    int reason = sync_directory(to_directory);
    if (reason == 0) reason = sync_directory(from_directory);
    return reason ? wr_files_mount_error(mount, reason, "cannot rename", path, error) : WEIR_OK;
}

int wr_files_mount_rename(void *context, const char *from, const char *to,
                          struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    int from_directory;
    int to_directory;
    const char *from_name;
    const char *to_name;
    WR_TRY(wr_files_mount_check_change(mount, from, error));
    WR_TRY(wr_files_mount_check_change(mount, to, error));
    if (mount->store) return wr_store_mount_rename(mount, from, to, error);
    WR_TRY(wr_files_mount_parent(mount, from, &from_directory, &from_name, error));
    int code = wr_files_mount_parent(mount, to, &to_directory, &to_name, error);
    if (code == WEIR_OK) {
        code = rename_between(mount, from_directory, from_name, to_directory, to_name, from, to,
                              error);
        close(to_directory);
    }
    close(from_directory);
    return code;
}
