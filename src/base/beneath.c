/* SPDX-License-Identifier: Apache-2.0 */
#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"

enum { MOST_TRIES = 1000, MOST_URL_BYTES = 64 * 1024 };

/* ---- The kernel's way ---- */

enum way { WAY_UNKNOWN, WAY_OPENAT2, WAY_WALK };
static atomic_int known_way;

static int openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0,
        .resolve = resolve,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* Asked once: later an EPERM is the file's, not that of a sandbox. */
static enum way find_way(void) {
    enum way way = (enum way)atomic_load_explicit(&known_way, memory_order_relaxed);
    if (way != WAY_UNKNOWN) return way;
    int fd = openat2(AT_FDCWD, "/", O_PATH, 0, RESOLVE_NO_MAGICLINKS);
    way = fd < 0 && (errno == ENOSYS || errno == EPERM) ? WAY_WALK : WAY_OPENAT2;
    if (fd >= 0) close(fd);
    atomic_store_explicit(&known_way, (int)way, memory_order_relaxed);
    return way;
}

void wr_beneath_without_openat2(bool without) {
    atomic_store(&known_way, without ? WAY_WALK : WAY_UNKNOWN);
}

/* A file descriptor, or minus an errno value. The kernel answers EAGAIN when a directory was moved
 * while it went through "..". */
static int open_patiently(int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve) {
    for (size_t n_tries = 0;; n_tries++) {
        int fd = openat2(root_fd, path, flags, mode, resolve);
        if (fd >= 0) return fd;
        if (errno == EINTR) continue;
        if (errno != EAGAIN || n_tries >= MOST_TRIES) return -errno;
        sched_yield();
    }
}

static int open_by_kernel(int root_fd, const char *path, int flags, mode_t mode) {
    int fd = open_patiently(root_fd, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
    if (fd != -ELOOP) return fd;
    /* Links in a circle, a link that was not to be followed, or one of /proc that leads anywhere?
     */
    int again = open_patiently(root_fd, path, O_PATH | (flags & O_NOFOLLOW), 0, RESOLVE_BENEATH);
    if (again < 0) return again == -EXDEV ? -EXDEV : -ELOOP;
    close(again);
    return flags & O_NOFOLLOW ? -ELOOP : -EXDEV;
}

/* ---- Our own way ---- */

/* What openat answers for a link that it was told not to follow is told apart here. */
static int refuse_link(int directory, const char *name, int reason) {
    struct stat status;
    bool link = (reason == ELOOP || reason == ENOTDIR) &&
                fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISLNK(status.st_mode);
    return link ? EXDEV : reason;
}

/* Opens one name that is neither "." nor "..", as minus an errno value when it cannot. */
static int open_name(int directory, const char *name, int flags, mode_t mode) {
    int fd;
    do {
        fd = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return flags & O_NOFOLLOW && errno == ELOOP ? -ELOOP : -refuse_link(directory, name, errno);
    struct stat status;
    if (flags & O_PATH && !(flags & O_NOFOLLOW) && fstat(fd, &status) == 0 &&
        S_ISLNK(status.st_mode)) {
        close(fd);
        return -EXDEV;
    }
    return fd;
}

/* `path` holds names only, one '/' between them; it is changed. */
static int walk_names(int root_fd, char *path, int flags, mode_t mode) {
    int directory = root_fd;
    int fd = -1;
    for (char *name = path;; name += strlen(name) + 1) {
        char *slash = strchr(name, '/');
        if (slash) *slash = '\0';
        if (!*name)
            fd = openat(directory, ".", flags | O_CLOEXEC, mode);
        else
            fd = slash ? open_name(directory, name, O_PATH | O_DIRECTORY, 0)
                       : open_name(directory, name, flags, mode);
        if (fd == -1 && !*name) fd = -errno;
        if (directory != root_fd) close(directory);
        if (fd < 0 || !slash) return fd;
        directory = fd;
    }
}

/* Takes "." and ".." out; what stood before ".." must be a directory. */
static int open_by_walk(int root_fd, const char *path, int flags, mode_t mode) {
    char names[PATH_MAX];
    char copy[PATH_MAX];
    size_t length = 0;
    if (*path == '/') return -EXDEV;
    for (const char *from = path; *from; from += strspn(from, "/")) {
        size_t n = strcspn(from, "/");
        if (from[n] == '/') flags |= from[n + strspn(from + n, "/")] ? 0 : O_DIRECTORY;
        if (n == 2 && strncmp(from, "..", 2) == 0) {
            if (length == 0) return -EXDEV;
            memcpy(copy, names, length + 1);
            int fd = walk_names(root_fd, copy, O_PATH | O_DIRECTORY, 0);
            if (fd < 0) return fd;
            close(fd);
            while (length > 0 && names[--length] != '/') {
            }
        } else if (!(n == 1 && *from == '.')) {
            if (length + n + 2 > sizeof names) return -ENAMETOOLONG;
            if (length > 0) names[length++] = '/';
            memcpy(names + length, from, n);
            length += n;
        }
        names[length] = '\0';
        from += n;
    }
    names[length] = '\0';
    return walk_names(root_fd, names, flags, mode);
}

/* ---- Both ---- */

int wr_beneath_root(const char *root, int *ret_fd, struct weir_error *error) {
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return wr_error_errno(error, errno, "cannot open the directory \"%s\"", root);
    *ret_fd = fd;
    return WEIR_OK;
}

int wr_beneath_try_open(int root_fd, const char *root, const char *path, int flags, mode_t mode,
                        int *ret_fd) {
    int fd;
    if (strcmp(root, "/") == 0) {
        path += strspn(path, "/");
        do {
            fd = openat(root_fd, *path ? path : ".", flags | O_CLOEXEC, mode);
        } while (fd < 0 && errno == EINTR);
        if (fd < 0) return errno;
    } else {
        fd = find_way() == WAY_WALK ? open_by_walk(root_fd, path, flags, mode)
                                    : open_by_kernel(root_fd, *path ? path : ".", flags, mode);
        if (fd < 0) return -fd;
    }
    *ret_fd = fd;
    return 0;
}

int wr_beneath_try_stat(int root_fd, const char *root, const char *path, struct stat *ret_status) {
    int fd;
    int reason = wr_beneath_try_open(root_fd, root, path, O_PATH, 0, &fd);
    if (reason) return reason;
    reason = fstat(fd, ret_status) == 0 ? 0 : errno;
    close(fd);
    return reason;
}

int wr_beneath_error(struct weir_error *error, int errnum, const char *what, const char *shown,
                     const char *root) {
    if (errnum != EXDEV) return wr_error_errno(error, errnum, "%s \"%s\"", what, shown);
    return wr_error_set(
        error, WEIR_INVALID_ARGUMENT, "22023", "\"%s\" leads out of \"%s\"%s", shown, root,
        find_way() == WAY_WALK
            ? ", or goes through a symbolic link, which only a kernel with openat2 can confine"
            : "");
}

int wr_beneath_open(int root_fd, const char *root, const char *path, int flags, mode_t mode,
                    int *ret_fd, struct weir_error *error) {
    int reason = wr_beneath_try_open(root_fd, root, path, flags, mode, ret_fd);
    return reason ? wr_beneath_error(error, reason, "cannot open", *path ? path : root, root)
                  : WEIR_OK;
}

int wr_beneath_stat(int root_fd, const char *root, const char *path, struct stat *ret_status,
                    struct weir_error *error) {
    int reason = wr_beneath_try_stat(root_fd, root, path, ret_status);
    return reason ? wr_beneath_error(error, reason, "cannot read", *path ? path : root, root)
                  : WEIR_OK;
}

int64_t wr_nanoseconds(struct timespec time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void wr_file_version_text(uint64_t device, uint64_t inode, int64_t n_bytes, int64_t modified_ns,
                          int64_t changed_ns, char ret_version[WEIR_VERSION_SIZE]) {
    snprintf(ret_version, WEIR_VERSION_SIZE,
             "%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64, device, inode,
             (uint64_t)n_bytes, (uint64_t)modified_ns, (uint64_t)changed_ns);
}

void wr_file_version(const struct stat *status, char ret_version[WEIR_VERSION_SIZE]) {
    wr_file_version_text(status->st_dev, status->st_ino, status->st_size,
                         wr_nanoseconds(status->st_mtim), wr_nanoseconds(status->st_ctim),
                         ret_version);
}

/* ---- URLs ---- */

static const char scheme[] = "weir+file://";

const char *wr_beneath_relative(const char *root, const char *path) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(root, path, length) != 0) return NULL;
    if (path[length] == '/') return path + length + 1;
    return path[length] == '\0' ? path + length : NULL;
}

void wr_beneath_url_add(struct wr_buffer *buffer, const char *root, const char *path) {
    wr_buffer_text(buffer, scheme);
    wr_hex_encode(buffer, root);
    wr_percent_encode(buffer, path);
}

int wr_beneath_url(const char *root, const char *path, char **ret_url, struct weir_error *error) {
    if (!wr_beneath_relative(root, path)) return wr_beneath_error(error, EXDEV, "", path, root);
    struct wr_buffer url;
    wr_buffer_init(&url, MOST_URL_BYTES);
    wr_beneath_url_add(&url, root, path);
    char *text = wr_buffer_take(&url);
    if (!text) return wr_error_memory(error);
    *ret_url = text;
    return WEIR_OK;
}

static bool decode_hex(char *text, size_t length) {
    if (length == 0 || length % 2 != 0) return false;
    for (size_t i = 0; i < length / 2; i++) {
        int high = wr_hex_digit(text[2 * i]);
        int low = wr_hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0 || high + low == 0) return false;
        text[i] = (char)(high * 16 + low);
    }
    text[length / 2] = '\0';
    return text[0] == '/';
}

/* Takes a URL apart, which is changed: NULL when it is none of ours. *ret_root stays NULL when
 * there is none. */
static char *split_url(char *url, const char **ret_root) {
    size_t length = strlen(scheme);
    char *path;
    if (strncasecmp(url, scheme, length) == 0) {
        char *root = url + length;
        path = strchr(root, '/');
        if (!path || !wr_percent_decode(path)) return NULL;
        /* Half of its place is free for the NUL. */
        if (!decode_hex(root, (size_t)(path - root))) return NULL;
        *ret_root = root;
        return path;
    }
    if (strncasecmp(url, "file://", 7) != 0) return NULL;
    path = url + 7;
    if (strncasecmp(path, "localhost/", 10) == 0) path += 9;
    return *path == '/' && wr_percent_decode(path) ? path : NULL;
}

int wr_beneath_open_file(const char *root, const char *path, int *ret_fd,
                         struct weir_error *error) {
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    int fd = -1;
    if (root) {
        int root_fd = -1;
        WR_TRY(wr_beneath_root(root, &root_fd, error));
        const char *relative = wr_beneath_relative(root, path);
        int reason = relative ? wr_beneath_try_open(root_fd, root, relative, flags, 0, &fd) : EXDEV;
        close(root_fd);
        if (reason) return wr_beneath_error(error, reason, "cannot open", path, root);
    } else {
        fd = open(path, flags | O_CLOEXEC);
        if (fd < 0) return wr_error_errno(error, errno, "cannot open \"%s\"", path);
    }
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" is not a regular file",
                            path);
    }
    *ret_fd = fd;
    return WEIR_OK;
}

int wr_url_open(const char *url, int *ret_fd, struct weir_error *error) {
    char *copy = wr_strdup(url);
    if (!copy) return wr_error_memory(error);
    const char *root = NULL;
    const char *path = split_url(copy, &root);
    int code = path ? wr_beneath_open_file(root, path, ret_fd, error)
                    : wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                   "\"%s\" is not a URL of a file of this machine (file:///... or "
                                   "weir+file://...)",
                                   url);
    wr_free(copy);
    return code;
}
