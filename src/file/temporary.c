/* SPDX-License-Identifier: Apache-2.0 */
#include "file/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

static const char prefix[] = "weir-spool-";

static const char *temporary_path(void) {
    const char *path = getenv("TMPDIR");
    return path && *path ? path : "/tmp";
}

/* Whether the directory is still there: between making and locking it, it looked abandoned. */
static bool is_there(const char *path, int fd) {
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static int make(struct wr_temporary *directory, bool *ret_made, struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, 64 << 10);
    wr_buffer_format(&text, "%s/%sXXXXXX", temporary_path(), prefix);
    char *path = wr_buffer_take(&text);
    if (!path) return wr_error_memory(error);
    if (!mkdtemp(path)) {
        int code = wr_error_errno(error, errno,
                                  "cannot make a directory in \"%s\"; set TMPDIR to "
                                  "one that can be written",
                                  temporary_path());
        wr_free(path);
        return code;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *ret_made = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_there(path, fd);
    if (*ret_made) {
        *directory = (struct wr_temporary){path, fd};
    } else {
        if (fd >= 0) close(fd);
        rmdir(path);
        wr_free(path);
    }
    return WEIR_OK;
}

int wr_temporary_make(struct wr_temporary *ret_directory, struct weir_error *error) {
    bool made = false;
    for (int i = 0; i < 10 && !made; i++)
        WR_TRY(make(ret_directory, &made, error));
    if (made) return WEIR_OK;
    return wr_error_set(error, WEIR_IO, NULL, "cannot lock a directory in \"%s\"",
                        temporary_path());
}

/* Takes over `fd`. */
static void remove_files(int fd) {
    DIR *listing = fdopendir(fd);
    if (!listing) {
        close(fd);
        return;
    }
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing))
        unlinkat(fd, entry->d_name, 0);
    closedir(listing);
}

/* One that is this user's, and that no living process has locked. */
static void remove_abandoned(int parent, const char *name) {
    struct stat status;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &status) != 0 || status.st_uid != geteuid() ||
        flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return;
    }
    remove_files(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void sweep(void) {
    DIR *listing = opendir(temporary_path());
    if (!listing) return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            remove_abandoned(dirfd(listing), entry->d_name);
    }
    closedir(listing);
}

void wr_temporary_remove(struct wr_temporary *directory) {
    if (!directory->path) return;
    remove_files(directory->fd);
    rmdir(directory->path);
    wr_free(directory->path);
    *directory = (struct wr_temporary){0};
    sweep();
}
