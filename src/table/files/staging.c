/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes are prepared under a hidden name beside their target, and locked (flock) until they are
 * done. The kernel drops the lock of a process that dies, so that what nobody has locked is
 * garbage.
 */
#include "table/files/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { N_DIGITS = 16, MOST_TRIES = 100, DEEPEST = 500 };

static const char prefix[] = ".weir-";
static const char suffix[] = ".part";

bool wr_staging_is_name(const char *name) {
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 &&
           strspn(name + length, "0123456789abcdef") == N_DIGITS &&
           strcmp(name + length + N_DIGITS, suffix) == 0;
}

void wr_staging_make_name(char ret_name[WR_STAGING_NAME_SIZE]) {
    unsigned long long number = 0;
    while (getrandom(&number, sizeof number, 0) < 0 && errno == EINTR) {
    }
    snprintf(ret_name, WR_STAGING_NAME_SIZE, "%s%016llx%s", prefix, number, suffix);
}

int wr_staging_create(int directory, char ret_name[WR_STAGING_NAME_SIZE], int *ret_fd) {
    for (size_t n_tries = 0; n_tries < MOST_TRIES; n_tries++) {
        wr_staging_make_name(ret_name);
        int fd =
            openat(directory, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 && (errno == EEXIST || errno == EINTR)) continue;
        if (fd < 0) return errno;
        /* A file system without locks has no sweeping either. */
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
        }
        struct stat status;
        if (fstat(fd, &status) == 0 && status.st_nlink > 0) {
            *ret_fd = fd;
            return 0;
        }
        close(fd); /* someone swept it before it was locked */
    }
    return EEXIST;
}

static int remove_below(int directory, const char *name, size_t depth);

/* Removes the names in a directory, whose descriptor is closed. */
static int empty(int fd, size_t depth) {
    DIR *stream = fdopendir(fd);
    if (!stream) {
        int reason = errno;
        close(fd);
        return reason;
    }
    int reason = 0;
    while (reason == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            reason = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT) continue;
        reason = errno == EISDIR ? remove_below(fd, entry->d_name, depth + 1) : errno;
    }
    closedir(stream);
    return reason;
}

static int remove_below(int directory, const char *name, size_t depth) {
    if (depth > DEEPEST) return ELOOP;
    for (size_t n_tries = 0;; n_tries++) {
        int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return errno == ENOENT ? 0 : errno;
        int reason = empty(fd, depth);
        if (reason) return reason;
        if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
        /* Someone put a name into it meanwhile. */
        if (errno != ENOTEMPTY || n_tries == MOST_TRIES) return errno;
    }
}

int wr_remove_tree(int directory, const char *name) {
    return remove_below(directory, name, 0);
}

static void sweep_one(int directory, const char *name) {
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (unlinkat(directory, name, 0) != 0 && errno == EISDIR) wr_remove_tree(directory, name);
    }
    close(fd);
}

void wr_staging_sweep(int directory) {
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (!stream) {
        if (fd >= 0) close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (wr_staging_is_name(entry->d_name)) sweep_one(directory, entry->d_name);
    }
    closedir(stream);
}
