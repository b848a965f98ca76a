/* SPDX-License-Identifier: Apache-2.0 */
#include "file/blocks.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/temporary.h"

enum { NAME_SIZE = 96, NOTE_USE_AFTER_S = 60, BLOCKS_AT = 4096, STRIPE = 32 };

/* Bytes put after which those of other processes are counted too. */
#define COUNT_EVERY (INT64_C(256) << 20)

/* Where a block stands in its file, `length` 0: nowhere. */
struct slot {
    uint64_t sum;
    uint32_t length;
    uint32_t unused;
};

/* The beginning of a file, in the order of bytes of the machine, which is part of the magic number.
 */
struct head {
    uint64_t magic;
    char name[NAME_SIZE]; /* the file's own */
    struct slot slots[WR_SEGMENT_BLOCKS];
};

_Static_assert(sizeof(struct head) <= BLOCKS_AT, "the head is before the blocks");

static const uint64_t MAGIC = UINT64_C(0x31306b6c62726577);

struct wr_block_store {
    char *path;
    int64_t max_bytes;
    pthread_mutex_t mutex;         /* of all that follows */
    struct wr_temporary temporary; /* without a path */
    int directory;                 /* -1: not opened */
    int64_t n_bytes;               /* in the directory, about; -1: not counted */
    int64_t n_put;                 /* since they were counted */
};

/* ---- One block ---- */

static uint64_t rotate(uint64_t value, int n) {
    return value << n | value >> (64 - n);
}

/* Four lanes of multiplications and rotations, as xxHash has them: it is to find what was torn, at
 * the speed of memory. `seed` tells blocks of other places and lengths apart. */
static uint64_t sum_of(const unsigned char *data, size_t length, uint64_t seed) {
    const uint64_t odd = UINT64_C(0x9e3779b185ebca87);
    const uint64_t other = UINT64_C(0xc2b2ae3d27d4eb4f);
    uint64_t lanes[4] = {seed + odd, seed ^ other, ~seed, seed * odd + other};
    while (length > 0) {
        uint64_t words[4] = {0};
        size_t n = length < STRIPE ? length : STRIPE;
        memcpy(words, data, n);
        for (int i = 0; i < 4; i++)
            lanes[i] = rotate(lanes[i] + words[i] * other, 31) * odd;
        data += n;
        length -= n;
    }
    uint64_t sum =
        rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    sum = (sum ^ sum >> 33) * other;
    return (sum ^ sum >> 29) * odd;
}

static uint64_t seed_of(uint64_t block, size_t length) {
    return block << 32 | length;
}

/* ---- The directory ---- */

/* With the mutex held. `make`: also where it is not there yet. */
static void open_directory(struct wr_block_store *store, bool make) {
    const char *path = store->path ? store->path : store->temporary.path;
    if (!path && make && wr_temporary_make(&store->temporary, NULL) == WEIR_OK)
        path = store->temporary.path;
    if (!path) return;
    if (make) mkdir(path, 0700);
    store->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* -1: there is none, and nothing is kept. `make`: unless it can be made. */
static int directory_of(struct wr_block_store *store, bool make) {
    pthread_mutex_lock(&store->mutex);
    if (store->directory < 0) open_directory(store, make);
    int directory = store->directory;
    pthread_mutex_unlock(&store->mutex);
    return directory;
}

static int32_t is_empty(void *context) {
    return directory_of(context, false) < 0;
}

struct kept {
    char name[NAME_SIZE];
    int64_t n_bytes;
    struct timespec used;
};

static int by_use(const void *a, const void *b) {
    const struct timespec *one = &((const struct kept *)a)->used;
    const struct timespec *other = &((const struct kept *)b)->used;
    if (one->tv_sec != other->tv_sec) return one->tv_sec < other->tv_sec ? -1 : 1;
    return (one->tv_nsec > other->tv_nsec) - (one->tv_nsec < other->tv_nsec);
}

static int64_t bytes_of(const struct stat *status) {
    return (int64_t)status->st_blocks * 512;
}

/* All files; NULL when there is no memory for them, or none. */
static struct kept *list_files(int directory, size_t *ret_n, int64_t *ret_n_bytes) {
    *ret_n = 0;
    *ret_n_bytes = 0;
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
    if (!listing) {
        if (copy >= 0) close(copy);
        return NULL;
    }
    struct kept *files = NULL;
    size_t n = 0, capacity = 0;
    for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
        struct stat status;
        if (strlen(entry->d_name) >= NAME_SIZE) continue;
        if (fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(status.st_mode)) continue;
        if (n == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            struct kept *more = wr_reallocarray(files, capacity, sizeof *files);
            if (!more) break;
            files = more;
        }
        files[n] = (struct kept){.n_bytes = bytes_of(&status), .used = status.st_mtim};
        memcpy(files[n].name, entry->d_name, strlen(entry->d_name) + 1);
        *ret_n_bytes += files[n++].n_bytes;
    }
    closedir(listing);
    *ret_n = n;
    return files;
}

/* With the mutex held: counts what is there, and removes what is too much with an eighth more. */
static void look_after(struct wr_block_store *store) {
    size_t n = 0;
    struct kept *files = list_files(store->directory, &n, &store->n_bytes);
    store->n_put = 0;
    if (files && store->n_bytes > store->max_bytes) {
        qsort(files, n, sizeof *files, by_use);
        int64_t enough = store->max_bytes - store->max_bytes / 8;
        for (size_t i = 0; i < n && store->n_bytes > enough; i++) {
            if (unlinkat(store->directory, files[i].name, 0) == 0)
                store->n_bytes -= files[i].n_bytes;
        }
    }
    wr_free(files);
}

static void count(struct wr_block_store *store, int64_t n_bytes) {
    pthread_mutex_lock(&store->mutex);
    store->n_put += n_bytes;
    if (store->n_bytes >= 0) store->n_bytes += n_bytes;
    if (store->n_bytes < 0 || store->n_bytes > store->max_bytes || store->n_put > COUNT_EVERY)
        look_after(store);
    pthread_mutex_unlock(&store->mutex);
}

/* ---- One file ---- */

static void name_of(const char *object, uint64_t segment, char ret_name[NAME_SIZE]) {
    snprintf(ret_name, NAME_SIZE, "%.64s-%" PRIu64, object, segment);
}

static bool read_all(int fd, void *data, size_t length, off_t at) {
    char *to = data;
    while (length > 0) {
        ssize_t n = pread(fd, to, length, at);
        if (n <= 0) return false;
        to += n;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t length, off_t at) {
    const char *from = data;
    while (length > 0) {
        ssize_t n = pwrite(fd, from, length, at);
        if (n <= 0) return false;
        from += n;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

static void note_use(int fd) {
    struct stat status;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (fstat(fd, &status) != 0 || now.tv_sec - status.st_mtim.tv_sec < NOTE_USE_AFTER_S) return;
    futimens(fd, NULL);
}

static off_t place_of(size_t slot) {
    return BLOCKS_AT + (off_t)slot * WR_BLOCK;
}

/* Those blocks among `n` from slot `first` on that are in the file; `block` is the first one's
 * number in the object. */
static void read_blocks(int fd, const struct head *head, size_t first, size_t n, uint64_t block,
                        unsigned char *data, uint32_t *lengths) {
    for (size_t begin = 0, end; begin < n; begin = end + 1) {
        size_t length = 0;
        for (end = begin; end < n && head->slots[first + end].length > 0; end++)
            length = (end - begin) * WR_BLOCK + head->slots[first + end].length;
        unsigned char *to = data + begin * WR_BLOCK;
        if (end == begin || !read_all(fd, to, length, place_of(first + begin))) continue;
        for (size_t i = begin; i < end; i++) {
            const struct slot *slot = &head->slots[first + i];
            uint64_t sum =
                sum_of(data + i * WR_BLOCK, slot->length, seed_of(block + i, slot->length));
            if (sum == slot->sum) lengths[i] = slot->length;
        }
    }
}

static bool is_right(const struct head *head, const char *name) {
    if (head->magic != MAGIC || strncmp(head->name, name, NAME_SIZE) != 0) return false;
    for (size_t i = 0; i < WR_SEGMENT_BLOCKS; i++) {
        if (head->slots[i].length > WR_BLOCK) return false;
    }
    return true;
}

/* The part of `n` blocks from `block` on that lies in the same file. */
static size_t n_in_file(uint64_t block, size_t n) {
    size_t left = WR_SEGMENT_BLOCKS - (size_t)(block % WR_SEGMENT_BLOCKS);
    return n < left ? n : left;
}

static void get(void *context, const char *object, uint64_t block, size_t n, void *data,
                uint32_t *lengths) {
    struct wr_block_store *store = context;
    unsigned char *to = data;
    memset(lengths, 0, n * sizeof *lengths);
    int directory = directory_of(store, false);
    if (directory < 0) return;
    while (n > 0) {
        size_t here = n_in_file(block, n);
        char name[NAME_SIZE];
        struct head head;
        name_of(object, block / WR_SEGMENT_BLOCKS, name);
        int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0) {
            if (read_all(fd, &head, sizeof head, 0) && is_right(&head, name)) {
                read_blocks(fd, &head, block % WR_SEGMENT_BLOCKS, here, block, to, lengths);
                note_use(fd);
            }
            close(fd);
        }
        block += here;
        n -= here;
        to += here * WR_BLOCK;
        lengths += here;
    }
}

/* The blocks first, then what says that they are there. */
static bool write_blocks(int fd, const char *name, size_t first, uint64_t block,
                         const unsigned char *data, size_t length) {
    struct slot slots[WR_SEGMENT_BLOCKS];
    struct head head = {.magic = MAGIC};
    size_t n = 0;
    memcpy(head.name, name, strlen(name) + 1);
    if (!write_all(fd, data, length, place_of(first))) return false;
    for (size_t at = 0; at < length; at += WR_BLOCK, n++) {
        size_t here = length - at < WR_BLOCK ? length - at : WR_BLOCK;
        slots[n] =
            (struct slot){sum_of(data + at, here, seed_of(block + n, here)), (uint32_t)here, 0};
    }
    off_t at = (off_t)(offsetof(struct head, slots) + first * sizeof *slots);
    return write_all(fd, &head, offsetof(struct head, slots), 0) &&
           write_all(fd, slots, n * sizeof *slots, at);
}

static int64_t write_file(int directory, const char *object, uint64_t block,
                          const unsigned char *data, size_t length) {
    char name[NAME_SIZE];
    struct stat before, after;
    name_of(object, block / WR_SEGMENT_BLOCKS, name);
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return 0;
    bool known = fstat(fd, &before) == 0;
    write_blocks(fd, name, block % WR_SEGMENT_BLOCKS, block, data, length);
    known = known && fstat(fd, &after) == 0;
    close(fd);
    return known ? bytes_of(&after) - bytes_of(&before) : 0;
}

static void put(void *context, const char *object, uint64_t block, const void *data,
                size_t length) {
    struct wr_block_store *store = context;
    const unsigned char *from = data;
    int directory = directory_of(store, true);
    if (directory < 0) return;
    int64_t grown = 0;
    while (length > 0) {
        size_t here = n_in_file(block, (length + WR_BLOCK - 1) / WR_BLOCK);
        size_t n_bytes = here * WR_BLOCK < length ? here * WR_BLOCK : length;
        grown += write_file(directory, object, block, from, n_bytes);
        block += here;
        from += n_bytes;
        length -= n_bytes;
    }
    count(store, grown);
}

struct wr_blocks wr_block_store_blocks(struct wr_block_store *store) {
    return (struct wr_blocks){
        .size = sizeof(struct wr_blocks),
        .context = store,
        .is_lasting = store->path != NULL,
        .is_empty = is_empty,
        .get = get,
        .put = put,
    };
}

/* ---- Life ---- */

int wr_block_store_open(const char *path, int64_t max_bytes, struct wr_block_store **ret_store,
                        struct weir_error *error) {
    struct wr_block_store *store = wr_calloc(1, sizeof *store);
    if (!store) return wr_error_memory(error);
    store->path = wr_strdup(path);
    if (path && !store->path) {
        wr_free(store);
        return wr_error_memory(error);
    }
    store->max_bytes = max_bytes;
    store->directory = -1;
    store->n_bytes = -1;
    pthread_mutex_init(&store->mutex, NULL);
    *ret_store = store;
    return WEIR_OK;
}

void wr_block_store_close(struct wr_block_store *store) {
    if (!store) return;
    if (store->directory >= 0) close(store->directory);
    wr_temporary_remove(&store->temporary);
    pthread_mutex_destroy(&store->mutex);
    wr_free(store->path);
    wr_free(store);
}
