/* SPDX-License-Identifier: Apache-2.0 */
#include "table/cached/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/buffer.h"
#include "base/error.h"

static const char staging_name[] = "staging";
static const char temporary_prefix[] = "weir-tables-";

struct name {
    char text[320];
};

static struct name name_of(const char *key, const char *suffix) {
    struct name name;
    snprintf(name.text, sizeof name.text, "%s%s", key, suffix);
    return name;
}

static struct name number_name(int64_t number, const char *suffix) {
    struct name name;
    snprintf(name.text, sizeof name.text, "%" PRId64 "%s", number, suffix);
    return name;
}

static int open_directory_at(int parent, const char *name) {
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A listing of its own offset; NULL when it cannot be read. */
static DIR *list(int directory) {
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing && fd >= 0) close(fd);
    return listing;
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* With all that is in it. The tree is weir's own: three levels and no links. */
static void remove_tree(int parent, const char *name) {
    int fd = open_directory_at(parent, name);
    if (fd < 0) {
        unlinkat(parent, name, 0);
        return;
    }
    DIR *listing = list(fd);
    for (struct dirent *entry = listing ? readdir(listing) : NULL; entry;
         entry = readdir(listing)) {
        if (!is_dots(entry->d_name)) remove_tree(fd, entry->d_name);
    }
    if (listing) closedir(listing);
    close(fd);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static int failed(struct weir_error *error, const struct wr_copy_directory *directory) {
    int errnum = errno;
    int code =
        wr_error_errno(error, errnum, "writing into the copies of tables, \"%s\"", directory->path);
    if (errnum == ENOSPC || errnum == EDQUOT) wr_error_append(error, "; make room there");
    return code;
}

/* ---- The directory ---- */

static void sweep_temporary(const char *parent) {
    DIR *listing = opendir(parent);
    if (!listing) return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        struct stat status;
        if (strncmp(entry->d_name, temporary_prefix, strlen(temporary_prefix)) != 0) continue;
        int fd = open_directory_at(dirfd(listing), entry->d_name);
        if (fd < 0) continue;
        if (fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_tree(dirfd(listing), entry->d_name);
        close(fd);
    }
    closedir(listing);
}

static int make_temporary(struct wr_copy_directory *directory, struct weir_error *error) {
    const char *parent = getenv("TMPDIR");
    if (!parent || !*parent) parent = "/tmp";
    sweep_temporary(parent);
    struct wr_buffer text;
    wr_buffer_init(&text, 64 << 10);
    wr_buffer_format(&text, "%s/%sXXXXXX", parent, temporary_prefix);
    directory->path = wr_buffer_take(&text);
    if (!directory->path) return wr_error_memory(error);
    for (int i = 0; i < 10; i++) {
        if (!mkdtemp(directory->path)) break;
        directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* Until it is locked it looks abandoned. */
        if (directory->fd >= 0 && flock(directory->fd, LOCK_EX | LOCK_NB) == 0 &&
            access(directory->path, F_OK) == 0)
            return WEIR_OK;
        if (directory->fd >= 0) close(directory->fd);
        directory->fd = -1;
        memcpy(directory->path + strlen(directory->path) - 6, "XXXXXX", 6);
    }
    return wr_error_errno(
        error, errno, "cannot make a directory in \"%s\"; set TMPDIR to one that can be written",
        parent);
}

static int open_at(const char *path, struct wr_copy_directory *directory,
                   struct weir_error *error) {
    directory->path = wr_strdup(path);
    if (!directory->path) return wr_error_memory(error);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return wr_error_errno(error, errno, "cannot make the directory \"%s\"", path);
    }
    directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory->fd >= 0 ? WEIR_OK : wr_error_errno(error, errno, "cannot open \"%s\"", path);
}

int wr_copy_directory_open(const char *path, struct wr_copy_directory *ret_directory,
                           struct weir_error *error) {
    struct wr_copy_directory directory = {.fd = -1, .temporary = path == NULL};
    int code = path ? open_at(path, &directory, error) : make_temporary(&directory, error);
    if (code) {
        directory.temporary = false;
        wr_copy_directory_close(&directory);
        return code;
    }
    *ret_directory = directory;
    return WEIR_OK;
}

void wr_copy_directory_close(struct wr_copy_directory *directory) {
    if (!directory->path) return;
    if (directory->temporary) remove_tree(AT_FDCWD, directory->path);
    if (directory->fd >= 0) close(directory->fd);
    wr_free(directory->path);
    *directory = (struct wr_copy_directory){.fd = -1};
}

/* ---- Locks ---- */

int wr_copy_lock(const struct wr_copy_directory *directory, const char *key, int *ret_lock,
                 struct weir_error *error) {
    struct name name = name_of(key, ".lock");
    int fd = openat(directory->fd, name.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return failed(error, directory);
    struct stat held;
    struct stat named;
    int code = WEIR_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) code = failed(error, directory);
    } else if (fstat(fd, &held) == 0 &&
               fstatat(directory->fd, name.text, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
               held.st_ino == named.st_ino) {
        *ret_lock = fd;
        return WEIR_OK;
    }
    /* Another one holds it, or has removed this file. */
    close(fd);
    *ret_lock = -1;
    return code;
}

void wr_copy_unlock(int lock) {
    if (lock >= 0) close(lock);
}

void wr_copy_remove_lock(const struct wr_copy_directory *directory, const char *key) {
    unlinkat(directory->fd, name_of(key, ".lock").text, 0);
}

/* ---- Filling ---- */

int wr_copy_stage(const struct wr_copy_directory *directory, const char *key,
                  struct wr_copy_staging *ret_staging, struct weir_error *error) {
    struct wr_copy_staging staging = {directory, key, -1, -1};
    if (mkdirat(directory->fd, key, 0700) != 0 && errno != EEXIST) return failed(error, directory);
    staging.key_fd = open_directory_at(directory->fd, key);
    if (staging.key_fd < 0) return failed(error, directory);
    remove_tree(staging.key_fd, staging_name);
    if (mkdirat(staging.key_fd, staging_name, 0700) == 0)
        staging.fd = open_directory_at(staging.key_fd, staging_name);
    if (staging.fd < 0) {
        int code = failed(error, directory);
        close(staging.key_fd);
        return code;
    }
    *ret_staging = staging;
    return WEIR_OK;
}

int wr_copy_stage_file(const struct wr_copy_staging *staging, size_t n, int *ret_fd,
                       struct weir_error *error) {
    struct name name = number_name((int64_t)n, ".parquet");
    *ret_fd = openat(staging->fd, name.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *ret_fd >= 0 ? WEIR_OK : failed(error, staging->directory);
}

static void make_id(char *ret_id, size_t size) {
    uint64_t random[2] = {0};
    static uint64_t serial;
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        random[0] = (uint64_t)getpid();
        random[1] = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    }
    snprintf(ret_id, size, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

int wr_copy_stage_finish(int fd, struct wr_copy_file *ret_file, struct weir_error *error) {
    struct stat status;
    int code = WEIR_OK;
    if (fsync(fd) != 0 || fstat(fd, &status) != 0)
        code = wr_error_errno(error, errno, "writing a copy of a table");
    close(fd);
    WR_TRY(code);
    *ret_file = (struct wr_copy_file){.n_bytes = status.st_size,
                                      .modified_ns = wr_nanoseconds(status.st_mtim)};
    make_id(ret_file->id, sizeof ret_file->id);
    return WEIR_OK;
}

int wr_copy_stage_link(const struct wr_copy_staging *staging, int64_t generation, size_t n,
                       struct weir_error *error) {
    char from[64];
    struct name name = number_name((int64_t)n, ".parquet");
    snprintf(from, sizeof from, "%" PRId64 "/%zu.parquet", generation, n);
    if (linkat(staging->key_fd, from, staging->fd, name.text, 0) == 0) return WEIR_OK;
    return failed(error, staging->directory);
}

void wr_copy_stage_drop(const struct wr_copy_staging *staging, size_t n) {
    unlinkat(staging->fd, number_name((int64_t)n, ".parquet").text, 0);
}

int wr_copy_stage_publish(struct wr_copy_staging *staging, int64_t generation,
                          int64_t *ret_generation, struct weir_error *error) {
    if (fsync(staging->fd) != 0) return failed(error, staging->directory);
    for (;; generation++) {
        struct name name = number_name(generation, "");
        wr_copy_remove(staging->directory, staging->key, generation); /* of a killed process */
        if (renameat(staging->key_fd, staging_name, staging->key_fd, name.text) == 0) break;
        if (errno != ENOTEMPTY && errno != EEXIST) return failed(error, staging->directory);
    }
    if (fsync(staging->key_fd) != 0 || fsync(staging->directory->fd) != 0)
        return failed(error, staging->directory);
    *ret_generation = generation;
    return WEIR_OK;
}

void wr_copy_stage_end(struct wr_copy_staging *staging) {
    remove_tree(staging->key_fd, staging_name);
    close(staging->fd);
    close(staging->key_fd);
}

/* ---- Reading and removing ---- */

static int open_generation(const struct wr_copy_directory *directory, const char *key,
                           int64_t generation) {
    char name[384];
    snprintf(name, sizeof name, "%s/%" PRId64, key, generation);
    return open_directory_at(directory->fd, name);
}

int wr_copy_lease(const struct wr_copy_directory *directory, const char *key, int64_t generation) {
    int fd = open_generation(directory, key, generation);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
        close(fd); /* it is being removed */
        fd = -1;
    }
    return fd;
}

bool wr_copy_is_whole(int lease, const struct wr_copy *copy) {
    for (size_t i = 0; i < copy->n_files; i++) {
        struct stat status;
        struct name name = number_name((int64_t)i, ".parquet");
        if (fstatat(lease, name.text, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode) || status.st_size != copy->files[i].n_bytes)
            return false;
    }
    return copy->n_files > 0;
}

void wr_copy_remove(const struct wr_copy_directory *directory, const char *key,
                    int64_t generation) {
    char name[384];
    int fd = open_generation(directory, key, generation);
    if (fd < 0) return;
    snprintf(name, sizeof name, "%s/%" PRId64, key, generation);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) remove_tree(directory->fd, name);
    close(fd);
}

void wr_copy_sweep(const struct wr_copy_directory *directory, const char *key, int64_t keep) {
    int fd = open_directory_at(directory->fd, key);
    if (fd < 0) return;
    DIR *listing = list(fd);
    for (struct dirent *entry = listing ? readdir(listing) : NULL; entry;
         entry = readdir(listing)) {
        char *end = NULL;
        int64_t generation = strtoll(entry->d_name, &end, 10);
        if (strcmp(entry->d_name, staging_name) == 0) remove_tree(fd, staging_name);
        if (end != entry->d_name && *end == '\0' && generation != keep)
            wr_copy_remove(directory, key, generation);
    }
    if (listing) closedir(listing);
    close(fd);
    unlinkat(directory->fd, key, AT_REMOVEDIR);
}

void wr_copy_remove_all(const struct wr_copy_directory *directory, const char *key) {
    int fd = open_directory_at(directory->fd, key);
    if (fd < 0) return;
    DIR *listing = list(fd);
    /* Files are results: who reads one holds it open. */
    for (struct dirent *entry = listing ? readdir(listing) : NULL; entry;
         entry = readdir(listing)) {
        if (!is_dots(entry->d_name)) unlinkat(fd, entry->d_name, 0);
    }
    if (listing) closedir(listing);
    close(fd);
    wr_copy_sweep(directory, key, 0);
}

int64_t wr_copy_result_bytes(const struct wr_copy_directory *directory, const char *key) {
    int64_t n_bytes = 0;
    int fd = open_directory_at(directory->fd, key);
    if (fd < 0) return 0;
    DIR *listing = list(fd);
    for (struct dirent *entry = listing ? readdir(listing) : NULL; entry;
         entry = readdir(listing)) {
        struct stat status;
        if (entry->d_name[0] == 'q' && fstatat(fd, entry->d_name, &status, 0) == 0 &&
            S_ISREG(status.st_mode))
            n_bytes += status.st_size;
    }
    if (listing) closedir(listing);
    close(fd);
    return n_bytes;
}

void wr_copy_each_key(const struct wr_copy_directory *directory,
                      void (*take)(void *sink, const char *key), void *sink) {
    DIR *listing = list(directory->fd);
    if (!listing) return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        if (is_dots(entry->d_name) || strchr(entry->d_name, '.')) continue;
        take(sink, entry->d_name);
    }
    closedir(listing);
}
