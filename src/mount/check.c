/* SPDX-License-Identifier: Apache-2.0 */
/* Whether there can be a mount at all, told before anything is opened. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "internal.h"

static bool has_fusermount(void) {
    const char *path = getenv("PATH");
    char file[PATH_MAX];

    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/fusermount3", (int)length, path);
        if (access(file, X_OK) == 0) return true;
        path += length + (path[length] == ':');
    }
    return access("/usr/bin/fusermount3", X_OK) == 0;
}

static int check_fuse(struct weir_error *error) {
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
        return wr_error_set(
            error, WEIR_NOT_IMPLEMENTED, NULL,
            "FUSE is not available: there is no /dev/fuse; load the kernel's module "
            "(modprobe fuse), or in a container pass the device (--device /dev/fuse)");
    if (fd < 0)
        return wr_error_errno(error, errno,
                              "FUSE is not available to this user: cannot open /dev/fuse");
    close(fd);
    if (geteuid() != 0 && !has_fusermount())
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "FUSE is not available: there is no fusermount3 on PATH, without which "
                            "only root can mount; on Debian: apt-get install fuse3");
    return WEIR_OK;
}

/* Whether the last mount at that place is one of weir's. */
static bool is_weirs(const char *directory) {
    struct mntent *entry;
    bool found = false;

    FILE *mounts = setmntent("/proc/self/mounts", "r");
    if (mounts == NULL) return false;
    while ((entry = getmntent(mounts)) != NULL) {
        if (strcmp(entry->mnt_dir, directory) == 0)
            found = strcmp(entry->mnt_type, "fuse.weir") == 0;
    }
    endmntent(mounts);
    return found;
}

int mount_place(const char *directory, char *ret_absolute, struct weir_error *error) {
    struct stat status;
    int errnum = stat(directory, &status) == 0 ? 0 : errno;

    if (realpath(directory, ret_absolute) == NULL && errnum == 0) errnum = errno;
    bool weirs = (errnum == 0 || errnum == ENOTCONN) && is_weirs(ret_absolute);
    if (errnum == ENOTCONN)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "%s is still mounted, but %s; unmount it, then try again: "
                            "fusermount3 -u %s",
                            directory,
                            weirs ? "the weir that served it has ended without unmounting (killed?)"
                                  : "the program that served it has ended",
                            directory);
    if (errnum != 0) return wr_error_errno(error, errnum, "cannot mount at %s", directory);
    if (!S_ISDIR(status.st_mode))
        return wr_error_errno(error, ENOTDIR, "cannot mount at %s", directory);
    if (weirs)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "a weir is mounted at %s already; unmount it (fusermount3 -u %s) or "
                            "choose another directory",
                            directory, directory);
    return WEIR_OK;
}

int mount_check(const char *directory, struct weir_error *error) {
    char absolute[PATH_MAX];

    WR_TRY(mount_place(directory, absolute, error));
    return check_fuse(error);
}
