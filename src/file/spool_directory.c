/* SPDX-License-Identifier: Apache-2.0 */
#include "file/spool_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/metrics.h"

enum { LONGEST_KEY = 200, FIRST_WAIT_MS = 1, LONGEST_WAIT_MS = 20 };

static const char lock_suffix[] = ".lock";
static const char part_suffix[] = ".part";
/* No key begins with a dot, so that this is none's. */
static const char eviction_key[] = ".eviction";

/* ---- Names ---- */

static bool has_suffix(const char *text, const char *suffix) {
    size_t length = strlen(text);
    size_t suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

bool wr_spool_key_is_valid(const char *key) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.";
    size_t length = strlen(key);
    return length > 0 && length <= LONGEST_KEY && key[0] != '.' &&
           key[strspn(key, letters)] == '\0' && !has_suffix(key, lock_suffix);
}

static struct wr_spool_name name_of(const char *prefix, const char *key, const char *suffix) {
    struct wr_spool_name name;
    snprintf(name.text, sizeof name.text, "%s%.*s%s", prefix, LONGEST_KEY, key, suffix);
    return name;
}

struct wr_spool_name wr_spool_lock_name(const char *key) {
    return name_of("", key, lock_suffix);
}

struct wr_spool_name wr_spool_part_name(const char *key) {
    return name_of(".", key, part_suffix);
}

/* ---- Locks ---- */

static bool is_same_file(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the lock that was got is that of the file that has the name now: its last holder has
 * removed the file that others were waiting for. */
static bool is_current(const struct wr_spool_directory *directory, const char *name, int lock) {
    struct stat held;
    struct stat named;
    return fstat(lock, &held) == 0 &&
           fstatat(directory->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_same_file(&held, &named);
}

static int wait_for_lock(const struct wr_spool_directory *directory, int lock,
                         const struct wr_spool_fill *fill, bool *ret_held,
                         struct weir_error *error) {
    for (int wait_ms = FIRST_WAIT_MS;;
         wait_ms = wait_ms < LONGEST_WAIT_MS / 2 ? wait_ms * 2 : LONGEST_WAIT_MS) {
        if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
            *ret_held = true;
            return WEIR_OK;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return wr_error_errno(error, errno, "cannot lock a file in the spool \"%s\"",
                                  directory->path);
        }
        if (!fill) return WEIR_OK;
        if (fill->is_cancelled && fill->is_cancelled(fill->context)) {
            return wr_error_set(error, WEIR_CANCELLED, NULL,
                                "cancelled while another process was encoding the same bytes");
        }
        nanosleep(&(struct timespec){.tv_nsec = wait_ms * 1000000L}, NULL);
    }
}

int wr_spool_lock(const struct wr_spool_directory *directory, const char *key,
                  const struct wr_spool_fill *fill, int *ret_lock, struct weir_error *error) {
    struct wr_spool_name name = wr_spool_lock_name(key);
    while (true) {
        int lock =
            openat(directory->fd, name.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0) {
            return wr_error_errno(error, errno, "cannot make \"%s\" in the spool \"%s\"", name.text,
                                  directory->path);
        }
        bool held = false;
        int code = wait_for_lock(directory, lock, fill, &held, error);
        if (code == WEIR_OK && held && is_current(directory, name.text, lock)) {
            *ret_lock = lock;
            return WEIR_OK;
        }
        close(lock);
        WR_TRY(code);
        if (!held) {
            *ret_lock = -1;
            return WEIR_OK;
        }
    }
}

void wr_spool_unlock(const struct wr_spool_directory *directory, const char *key, int lock) {
    struct wr_spool_name name = wr_spool_lock_name(key);
    /* While it is held: afterwards the name may be another holder's. */
    unlinkat(directory->fd, name.text, 0);
    close(lock);
}

/* ---- Listing ---- */

/* A second descriptor: reading a directory moves the offset of the first. */
static DIR *open_listing(const struct wr_spool_directory *directory) {
    int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing && fd >= 0) close(fd);
    return listing;
}

/* ---- Sweep ---- */

/* The key that a lock or a part belongs to, cut out in place; NULL: neither. */
static const char *leftover_key(char *name) {
    size_t length = strlen(name);
    if (name[0] == '.' && has_suffix(name, part_suffix)) {
        name[length - strlen(part_suffix)] = '\0';
        return name + 1;
    }
    if (!has_suffix(name, lock_suffix)) return NULL;
    name[length - strlen(lock_suffix)] = '\0';
    return name;
}

void wr_spool_sweep(const struct wr_spool_directory *directory) {
    DIR *listing = open_listing(directory);
    if (!listing) return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        struct wr_spool_name name;
        snprintf(name.text, sizeof name.text, "%s", entry->d_name);
        const char *key = leftover_key(name.text);
        int lock = -1;
        if (!key || (!wr_spool_key_is_valid(key) && strcmp(key, eviction_key) != 0) ||
            wr_spool_lock(directory, key, NULL, &lock, NULL) != WEIR_OK || lock < 0)
            continue;
        unlinkat(directory->fd, wr_spool_part_name(key).text, 0);
        wr_spool_unlock(directory, key, lock);
    }
    closedir(listing);
}

/* ---- Eviction ---- */

struct kept_file {
    struct wr_spool_name name;
    int64_t n_bytes;
    struct timespec used;
};

struct kept_files {
    struct kept_file *items;
    size_t n_items;
    size_t capacity;
    int64_t n_bytes;
};

static int by_use(const void *a, const void *b) {
    const struct kept_file *x = a;
    const struct kept_file *y = b;
    if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec) return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name.text, y->name.text);
}

static bool keep(struct kept_files *files, const char *name, const struct stat *status) {
    if (files->n_items == files->capacity) {
        size_t capacity = files->capacity ? files->capacity * 2 : 64;
        struct kept_file *items = wr_reallocarray(files->items, capacity, sizeof *items);
        if (!items) return false;
        files->items = items;
        files->capacity = capacity;
    }
    struct kept_file *file = &files->items[files->n_items++];
    snprintf(file->name.text, sizeof file->name.text, "%s", name);
    file->n_bytes = status->st_size;
    file->used = status->st_atim;
    files->n_bytes += file->n_bytes;
    return true;
}

static void list_kept(const struct wr_spool_directory *directory, struct kept_files *files) {
    DIR *listing = open_listing(directory);
    if (!listing) return;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        struct stat status;
        if (wr_spool_key_is_valid(entry->d_name) &&
            fstatat(directory->fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && !keep(files, entry->d_name, &status))
            break;
    }
    closedir(listing);
}

static void evict(const struct wr_spool_directory *directory, const char *except) {
    struct kept_files files = {0};
    list_kept(directory, &files);
    if (files.n_items > 0) qsort(files.items, files.n_items, sizeof *files.items, by_use);
    for (size_t i = 0; i < files.n_items && files.n_bytes > directory->max_bytes; i++) {
        const struct kept_file *file = &files.items[i];
        if ((except && strcmp(file->name.text, except) == 0) ||
            unlinkat(directory->fd, file->name.text, 0) != 0)
            continue;
        files.n_bytes -= file->n_bytes;
        wr_metric_add(WR_METRIC_SPOOL_EVICTIONS, 1);
    }
    wr_free(files.items);
}

void wr_spool_evict(const struct wr_spool_directory *directory, const char *except) {
    if (directory->max_bytes <= 0) return;
    static const struct wr_spool_fill patient = {0};
    int lock = -1;
    /* One at a time: two that count the same files would remove twice what they need to. */
    if (wr_spool_lock(directory, eviction_key, &patient, &lock, NULL) != WEIR_OK) return;
    evict(directory, except);
    wr_spool_unlock(directory, eviction_key, lock);
}
