/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/store_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

struct writing {
    int directory;
    int fd; /* -1: committed */
    bool overwrite;
    char staged[WR_STAGING_NAME_SIZE];
    char *name;
    char *shown;
};

static int write_some(struct weir_writer *writer, const void *data, size_t length,
                      struct weir_error *error) {
    const struct writing *writing = writer->private_data;
    const char *from = data;
    while (length > 0) {
        ssize_t written = write(writing->fd, from, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return wr_error_errno(error, errno, "cannot write \"%s\"", writing->shown);
        from += written;
        length -= (size_t)written;
    }
    return WEIR_OK;
}

/* Renames without replacing. 0 or an errno value, EEXIST when the name is taken. */
static int rename_new(int directory, const char *from, const char *to) {
    if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    /* The file system does not know the flag. A second name is refused where the first is taken. */
    if (linkat(directory, from, directory, to, 0) != 0) return errno;
    return unlinkat(directory, from, 0) == 0 ? 0 : errno;
}

static int already_exists(const struct writing *writing, struct weir_error *error) {
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02",
                        "\"%s\" is already there; remove it, or overwrite it", writing->shown);
}

static int is_directory(const struct writing *writing, struct weir_error *error) {
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02",
                        "\"%s\" is a directory, which a file does not replace", writing->shown);
}

/* 0 or an errno value. */
static int put_in_place(const struct writing *writing) {
    struct stat old;
    bool replaces = writing->overwrite &&
                    fstatat(writing->directory, writing->name, &old, AT_SYMLINK_NOFOLLOW) == 0;
    /* Who could read the old file, and no one else, can read the new one. */
    if (replaces && S_ISREG(old.st_mode) && fchmod(writing->fd, old.st_mode & 0777) != 0)
        return errno;
    if (fsync(writing->fd) != 0) return errno;
    if (!writing->overwrite) return rename_new(writing->directory, writing->staged, writing->name);
    return renameat(writing->directory, writing->staged, writing->directory, writing->name) == 0
               ? 0
               : errno;
}

static int commit(struct weir_writer *writer, struct weir_error *error) {
    struct writing *writing = writer->private_data;
    if (writing->fd < 0) {
        return wr_error_set(error, WEIR_INVALID_STATE, NULL, "\"%s\" is committed already",
                            writing->shown);
    }
    int reason = put_in_place(writing);
    if (reason == EEXIST) return already_exists(writing, error);
    if (reason == EISDIR) return is_directory(writing, error);
    if (reason) return wr_error_errno(error, reason, "cannot write \"%s\"", writing->shown);
    close(writing->fd);
    writing->fd = -1;
    if (fsync(writing->directory) != 0 && errno != EINVAL)
        return wr_error_errno(error, errno, "cannot write \"%s\"", writing->shown);
    return WEIR_OK;
}

static void writing_free(struct writing *writing) {
    if (writing->fd >= 0) {
        unlinkat(writing->directory, writing->staged, 0);
        close(writing->fd);
    }
    if (writing->directory >= 0) close(writing->directory);
    wr_free(writing->name);
    wr_free(writing->shown);
    wr_free(writing);
}

static void writer_release(struct weir_writer *writer) {
    writing_free(writer->private_data);
    *writer = (struct weir_writer){0};
}

static int start(const struct wr_files_mount *mount, const char *path, struct writing *writing,
                 struct weir_error *error) {
    const char *name;
    struct wr_buffer shown;
    wr_buffer_init(&shown, strlen(mount->shown) + strlen(path) + 1);
    wr_buffer_text(&shown, mount->shown);
    wr_buffer_text(&shown, path);
    writing->shown = wr_buffer_take(&shown);
    if (!writing->shown) return wr_error_memory(error);
    WR_TRY(wr_files_mount_parent(mount, path, &writing->directory, &name, error));
    writing->name = wr_strdup(name);
    if (!writing->name) return wr_error_memory(error);
    struct stat old;
    if (fstatat(writing->directory, name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(old.st_mode)) return is_directory(writing, error);
        if (!writing->overwrite) return already_exists(writing, error);
    }
    wr_staging_sweep(writing->directory);
    int reason = wr_staging_create(writing->directory, writing->staged, &writing->fd);
    return reason ? wr_error_errno(error, reason, "cannot write \"%s\"", writing->shown) : WEIR_OK;
}

int wr_files_mount_write(void *context, const char *path, int overwrite,
                         struct weir_writer *ret_writer, struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    WR_TRY(wr_files_mount_check_change(mount, path, error));
    if (mount->store) return wr_store_mount_write(mount, path, overwrite, ret_writer, error);
    struct writing *writing = wr_calloc(1, sizeof *writing);
    if (!writing) return wr_error_memory(error);
    writing->directory = -1;
    writing->fd = -1;
    writing->overwrite = overwrite != 0;
    int code = start(mount, path, writing, error);
    if (code) {
        writing_free(writing);
        return code;
    }
    *ret_writer = (struct weir_writer){write_some, commit, writer_release, writing};
    return WEIR_OK;
}
