/* SPDX-License-Identifier: Apache-2.0 */
#include "file/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "base/metrics.h"
#include "file/spool_directory.h"

/* How often one who waits asks whether it still shall. */
enum { WAKE_MS = 20 };

/* One filling of one key, from its beginning until its last waiting reader has the result. */
struct filling {
    struct filling *next; /* of those under way */
    const char *key;      /* of the one who fills: read while it is under way */
    size_t references;
    bool done;
    int code;
    struct weir_error error;
    int fd;
    int64_t n_bytes;
};

struct wr_spool {
    struct wr_spool_directory directory;
    pthread_mutex_t mutex; /* guards `fillings` and their members */
    pthread_cond_t changed;
    struct filling *fillings;
};

/* ---- Opening ---- */

static int open_directory(struct wr_spool_directory *directory, const char *path,
                          struct weir_error *error) {
    directory->path = wr_strdup(path);
    if (!directory->path) return wr_error_memory(error);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return wr_error_errno(error, errno, "cannot make the spool \"%s\"", path);
    }
    directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0)
        return wr_error_errno(error, errno, "cannot open the spool \"%s\"", path);
    return WEIR_OK;
}

int wr_spool_open(const char *path, int64_t max_bytes, struct wr_spool **ret_spool,
                  struct weir_error *error) {
    struct wr_spool *spool = wr_calloc(1, sizeof *spool);
    if (!spool) return wr_error_memory(error);
    spool->directory.fd = -1;
    spool->directory.max_bytes = max_bytes;
    pthread_mutex_init(&spool->mutex, NULL);
    wr_condition_init(&spool->changed);
    int code = open_directory(&spool->directory, path, error);
    if (code) {
        wr_spool_close(spool);
        return code;
    }
    wr_spool_sweep(&spool->directory);
    wr_spool_evict(&spool->directory, NULL);
    *ret_spool = spool;
    return WEIR_OK;
}

void wr_spool_close(struct wr_spool *spool) {
    if (!spool) return;
    if (spool->directory.fd >= 0) close(spool->directory.fd);
    pthread_cond_destroy(&spool->changed);
    pthread_mutex_destroy(&spool->mutex);
    wr_free(spool->directory.path);
    wr_free(spool);
}

/* ---- What is there ---- */

static bool is_fresh(const struct stat *status, int64_t max_age_ms) {
    if (max_age_ms < 0) return true;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ms = (int64_t)(now.tv_sec - status->st_mtim.tv_sec) * 1000 +
                     (now.tv_nsec - status->st_mtim.tv_nsec) / 1000000;
    /* One from the future tells nothing of its age. */
    return age_ms >= 0 && age_ms <= max_age_ms;
}

/* The time of access says when it was used last; that of change is its age. */
static int open_kept(const struct wr_spool *spool, const char *key, int64_t max_age_ms,
                     int64_t *ret_n_bytes) {
    int fd = openat(spool->directory.fd, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return -1;
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || !is_fresh(&status, max_age_ms)) {
        close(fd);
        return -1;
    }
    const struct timespec used[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    futimens(fd, used);
    *ret_n_bytes = status.st_size;
    return fd;
}

static int open_hit(const struct wr_spool *spool, const char *key, int64_t max_age_ms,
                    int64_t *ret_n_bytes) {
    int fd = open_kept(spool, key, max_age_ms, ret_n_bytes);
    if (fd >= 0) wr_metric_add(WR_METRIC_SPOOL_HITS, 1);
    return fd;
}

int wr_spool_has(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                 int64_t *ret_n_bytes) {
    struct stat status;
    if (!wr_spool_key_is_valid(key) ||
        fstatat(spool->directory.fd, key, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode) || !is_fresh(&status, max_age_ms))
        return 0;
    if (ret_n_bytes) *ret_n_bytes = status.st_size;
    return 1;
}

/* ---- Filling ---- */

struct sink {
    int fd;
    int errnum; /* why writing failed */
};

static int write_all(void *context, const void *data, size_t length) {
    struct sink *sink = context;
    const char *rest = data;
    while (length > 0) {
        ssize_t written = write(sink->fd, rest, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return sink->errnum = errno;
        rest += written;
        length -= (size_t)written;
    }
    return 0;
}

static int disk_error(const struct wr_spool *spool, int errnum, struct weir_error *error) {
    int code =
        wr_error_errno(error, errnum, "writing into the spool \"%s\"", spool->directory.path);
    if (errnum == ENOSPC || errnum == EDQUOT) {
        wr_error_append(error, "; make room there, or set spool.path to a larger disk");
    }
    return code;
}

/* Fills the open file and gives its size. */
static int fill_file(const struct wr_spool *spool, int fd, const struct wr_spool_fill *fill,
                     int64_t *ret_n_bytes, struct weir_error *error) {
    struct sink sink = {.fd = fd};
    int code = fill->run(fill->context, write_all, &sink, error);
    if (code && sink.errnum) return disk_error(spool, sink.errnum, error);
    WR_TRY(code);
    struct stat status;
    if (fstat(fd, &status) != 0) return disk_error(spool, errno, error);
    *ret_n_bytes = status.st_size;
    return WEIR_OK;
}

/* Gives the filled part its name, or none when it is larger than all that may be kept. */
static int publish(const struct wr_spool *spool, const char *key, const char *part, int fd,
                   int64_t n_bytes, struct weir_error *error) {
    int directory = spool->directory.fd;
    if (spool->directory.max_bytes > 0 && n_bytes > spool->directory.max_bytes) {
        unlinkat(directory, part, 0);
        unlinkat(directory, key, 0); /* one that was too old */
        return WEIR_OK;
    }
    if (fsync(fd) != 0 || renameat(directory, part, directory, key) != 0) {
        return disk_error(spool, errno, error);
    }
    wr_spool_evict(&spool->directory, key);
    return WEIR_OK;
}

/* With the key's lock held. */
static int fill_key(const struct wr_spool *spool, const char *key, const struct wr_spool_fill *fill,
                    int *ret_fd, int64_t *ret_n_bytes, struct weir_error *error) {
    int directory = spool->directory.fd;
    struct wr_spool_name part = wr_spool_part_name(key);
    unlinkat(directory, part.text, 0);
    int fd = openat(directory, part.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return disk_error(spool, errno, error);
    int reader = -1;
    int64_t n_bytes = 0;
    int code = fill_file(spool, fd, fill, &n_bytes, error);
    if (code == WEIR_OK) {
        reader = openat(directory, part.text, O_RDONLY | O_CLOEXEC);
        if (reader < 0) code = disk_error(spool, errno, error);
    }
    if (code == WEIR_OK) code = publish(spool, key, part.text, fd, n_bytes, error);
    close(fd);
    if (code) {
        unlinkat(directory, part.text, 0);
        if (reader >= 0) close(reader);
        return code;
    }
    *ret_fd = reader;
    *ret_n_bytes = n_bytes;
    return WEIR_OK;
}

/* Alone in this process: takes what another process has filled, or fills. */
static int fill_locked(const struct wr_spool *spool, const char *key, int64_t max_age_ms,
                       const struct wr_spool_fill *fill, int *ret_fd, int64_t *ret_n_bytes,
                       bool *ret_filled, struct weir_error *error) {
    int lock = -1;
    WR_TRY(wr_spool_lock(&spool->directory, key, fill, &lock, error));
    int code = WEIR_OK;
    int fd = open_hit(spool, key, max_age_ms, ret_n_bytes);
    *ret_filled = fd < 0;
    if (fd < 0) code = fill_key(spool, key, fill, &fd, ret_n_bytes, error);
    wr_spool_unlock(&spool->directory, key, lock);
    if (code == WEIR_OK) *ret_fd = fd;
    return code;
}

/* A file without a name. */
static int open_unnamed(const struct wr_spool *spool) {
    int fd = openat(spool->directory.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    /* Where the file system has none: one that loses its name at once, which a sweep knows. */
    static atomic_uint serial;
    char key[64];
    snprintf(key, sizeof key, "unnamed.%ld.%u", (long)getpid(), atomic_fetch_add(&serial, 1));
    struct wr_spool_name part = wr_spool_part_name(key);
    fd = openat(spool->directory.fd, part.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) unlinkat(spool->directory.fd, part.text, 0);
    return fd;
}

static int fill_unnamed(const struct wr_spool *spool, const struct wr_spool_fill *fill, int *ret_fd,
                        int64_t *ret_n_bytes, struct weir_error *error) {
    int fd = open_unnamed(spool);
    if (fd < 0) return disk_error(spool, errno, error);
    int code = fill_file(spool, fd, fill, ret_n_bytes, error);
    if (code) {
        close(fd);
        return code;
    }
    *ret_fd = fd;
    return WEIR_OK;
}

/* ---- One for all of this process ---- */

/* These are called with the mutex held. */

static struct filling *find_filling(struct wr_spool *spool, const char *key) {
    for (struct filling *one = spool->fillings; one; one = one->next) {
        if (strcmp(one->key, key) == 0) return one;
    }
    return NULL;
}

static void end_filling(struct wr_spool *spool, struct filling *ended) {
    struct filling **place = &spool->fillings;
    while (*place != ended)
        place = &(*place)->next;
    *place = ended->next;
    ended->done = true;
    pthread_cond_broadcast(&spool->changed);
}

static void release_filling(struct filling *filling) {
    if (--filling->references > 0) return;
    if (filling->fd >= 0) close(filling->fd);
    wr_free(filling);
}

static bool is_cancelled(const struct wr_spool_fill *fill) {
    return fill->is_cancelled && fill->is_cancelled(fill->context);
}

static void wait_a_while(struct wr_spool *spool) {
    struct timespec until = wr_condition_deadline(WAKE_MS);
    pthread_cond_timedwait(&spool->changed, &spool->mutex, &until);
}

static int take_result(const struct filling *filling, int *ret_fd, int64_t *ret_n_bytes,
                       struct weir_error *error) {
    if (filling->code) {
        if (error) *error = filling->error;
        return filling->code;
    }
    int fd = fcntl(filling->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return wr_error_errno(error, errno, "opening encoded bytes once more");
    *ret_fd = fd;
    *ret_n_bytes = filling->n_bytes;
    return WEIR_OK;
}

/* Waits for another reader's filling. */
static int join(struct wr_spool *spool, struct filling *filling, const struct wr_spool_fill *fill,
                int *ret_fd, int64_t *ret_n_bytes, bool *ret_again, struct weir_error *error) {
    int code = WEIR_OK;
    filling->references++;
    while (!filling->done && code == WEIR_OK) {
        wait_a_while(spool);
        if (!filling->done && is_cancelled(fill)) {
            code = wr_error_set(error, WEIR_CANCELLED, NULL,
                                "cancelled while another reader was encoding the same bytes");
        }
    }
    /* That its filler went away is no reader's error but its own. */
    *ret_again = code == WEIR_OK && filling->code == WEIR_CANCELLED;
    if (code == WEIR_OK && !*ret_again) code = take_result(filling, ret_fd, ret_n_bytes, error);
    release_filling(filling);
    return code;
}

/* Fills for all who come meanwhile. The mutex is given up for the time. */
static int lead(struct wr_spool *spool, struct filling *filling, int64_t max_age_ms,
                const struct wr_spool_fill *fill, int *ret_fd, int64_t *ret_n_bytes,
                bool *ret_filled, struct weir_error *error) {
    filling->references = 1;
    filling->next = spool->fillings;
    spool->fillings = filling;
    pthread_mutex_unlock(&spool->mutex);
    int code = fill_locked(spool, filling->key, max_age_ms, fill, &filling->fd, &filling->n_bytes,
                           ret_filled, &filling->error);
    pthread_mutex_lock(&spool->mutex);
    filling->code = code;
    end_filling(spool, filling);
    code = take_result(filling, ret_fd, ret_n_bytes, error);
    release_filling(filling);
    return code;
}

static int get_shared(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                      const struct wr_spool_fill *fill, int *ret_fd, int64_t *ret_n_bytes,
                      bool *ret_filled, struct weir_error *error) {
    struct filling *own = wr_calloc(1, sizeof *own);
    if (!own) return wr_error_memory(error);
    own->key = key;
    own->fd = -1;
    int code = WEIR_OK;
    bool again = true;
    pthread_mutex_lock(&spool->mutex);
    while (again) {
        struct filling *other = find_filling(spool, key);
        again = false;
        if (other) {
            code = join(spool, other, fill, ret_fd, ret_n_bytes, &again, error);
        } else {
            code = lead(spool, own, max_age_ms, fill, ret_fd, ret_n_bytes, ret_filled, error);
            own = NULL;
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    wr_free(own);
    return code;
}

int wr_spool_get(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                 const struct wr_spool_fill *fill, int *ret_fd, int64_t *ret_n_bytes,
                 bool *ret_filled, struct weir_error *error) {
    bool filled = false;
    int64_t n_bytes = 0;
    int fd = -1;
    int code = WEIR_OK;
    if (!key) {
        filled = true;
        code = fill_unnamed(spool, fill, &fd, &n_bytes, error);
    } else if (!wr_spool_key_is_valid(key)) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" cannot be a file of the spool", key);
    } else {
        fd = open_hit(spool, key, max_age_ms, &n_bytes);
        if (fd < 0) {
            code = get_shared(spool, key, max_age_ms, fill, &fd, &n_bytes, &filled, error);
        }
    }
    WR_TRY(code);
    *ret_fd = fd;
    *ret_n_bytes = n_bytes;
    if (ret_filled) *ret_filled = filled;
    return WEIR_OK;
}
