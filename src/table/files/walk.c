/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking directories and patterns. Symbolic links are followed, but never into a directory that is
 * being walked already. Whatever cannot be read is an error: a table with silently fewer rows is
 * worse than none.
 */
#include "table/files/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { DEEPEST = 200, MOST_PATH_BYTES = 64 * 1024 };

/* The directories being walked, innermost first. */
struct level {
    const struct level *outer;
    int fd;
    dev_t device;
    ino_t inode;
    size_t depth;
};

struct walk {
    struct wr_file_list *list;
    struct wr_buffer path; /* of what is looked at */
    size_t root_length;
    struct weir_error *error;
};

static int visit_pattern(struct walk *walk, const char *pattern, const struct level *outer);

/* Puts a name behind the path; the former length comes back for `leave`. */
static int enter(struct walk *walk, const char *name, size_t length, size_t *ret_before) {
    *ret_before = walk->path.length;
    if (walk->path.length == 0 || walk->path.data[walk->path.length - 1] != '/')
        wr_buffer_char(&walk->path, '/');
    wr_buffer_add(&walk->path, name, length);
    return walk->path.failed ? wr_error_memory(walk->error) : WEIR_OK;
}

static void leave(struct walk *walk, size_t before) {
    walk->path.length = before;
    walk->path.data[before] = '\0';
}

bool wr_files_is_hidden(const char *name) {
    /* Spark writes _SUCCESS and _temporary, Delta _delta_log. */
    return name[0] == '.' || (name[0] == '_' && !strchr(name, '='));
}

static bool is_there(const struct wr_access *access, const char *path) {
    int fd;
    if (wr_access_fd(access, path, O_PATH | O_NOFOLLOW, &fd) != 0) return false;
    close(fd);
    return true;
}

/*
 * The status of the path; *ret_gone when it vanished since its directory was read, or is a link to
 * nothing that is not wanted as a file. `level` is its directory if that is being read: what is no
 * link needs no walk from the root then.
 */
static int status_of(struct walk *walk, const struct level *level, bool wanted,
                     struct stat *ret_status, bool *ret_gone) {
    const struct wr_access *access = &walk->list->access;
    const char *path = walk->path.data;
    *ret_gone = false;
    if (level && fstatat(level->fd, strrchr(path, '/') + 1, ret_status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISLNK(ret_status->st_mode))
        return WEIR_OK;
    int reason = wr_access_stat(access, path, ret_status);
    if (reason == 0) return WEIR_OK;
    if (reason != ENOENT && reason != ELOOP && reason != ENOTDIR)
        return wr_access_error(walk->error, access, reason, "cannot read", path);
    if (wanted && is_there(access, path))
        return wr_error_errno(walk->error, reason, "\"%s\" is a symbolic link to nothing", path);
    *ret_gone = true;
    return WEIR_OK;
}

static int add_file(struct walk *walk, const struct stat *status) {
    if (S_ISREG(status->st_mode))
        return wr_file_list_add(walk->list, walk->path.data, walk->root_length, status,
                                walk->error);
    if (wr_type_of_name(walk->list->encodings, walk->path.data).format == WR_FORMAT_UNKNOWN)
        return WEIR_OK;
    return wr_error_set(walk->error, WEIR_INVALID_ARGUMENT, NULL,
                        "\"%s\" is not a regular file; a pipe can be read only by naming it alone",
                        walk->path.data);
}

/* Opens the directory of the path. *ret_directory stays NULL when it is walked already, or is gone.
 */
static int open_level(struct walk *walk, const struct level *outer, struct level *ret_level,
                      DIR **ret_directory) {
    *ret_directory = NULL;
    if (outer && outer->depth == DEEPEST) {
        return wr_error_set(walk->error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" lies more than %d directories deep", walk->path.data, DEEPEST);
    }
    const struct wr_access *access = &walk->list->access;
    int fd = -1;
    int reason = wr_access_fd(access, walk->path.data, O_RDONLY | O_DIRECTORY, &fd);
    if (reason == ENOENT || reason == ENOTDIR) return WEIR_OK;
    struct stat status;
    DIR *directory = reason ? NULL : fdopendir(fd);
    if (!directory || fstat(fd, &status) != 0) {
        if (!reason) reason = errno;
        if (directory)
            closedir(directory);
        else if (fd >= 0)
            close(fd);
        return wr_access_error(walk->error, access, reason, "cannot list the directory",
                               walk->path.data);
    }
    for (const struct level *level = outer; level; level = level->outer) {
        if (level->device == status.st_dev && level->inode == status.st_ino) {
            closedir(directory);
            return WEIR_OK;
        }
    }
    *ret_level =
        (struct level){outer, fd, status.st_dev, status.st_ino, outer ? outer->depth + 1 : 1};
    *ret_directory = directory;
    return WEIR_OK;
}

typedef int (*entry_fn)(struct walk *walk, const struct dirent *entry, const struct level *level,
                        const void *context);

/* Calls `visit` for each name of the path's directory, with the path being that name's. */
static int for_each_entry(struct walk *walk, const struct level *outer, entry_fn visit,
                          const void *context) {
    struct level level;
    DIR *directory;
    WR_TRY(open_level(walk, outer, &level, &directory));
    if (!directory) return WEIR_OK;
    int code = WEIR_OK;
    while (code == 0) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry) {
            if (errno)
                code = wr_error_errno(walk->error, errno, "cannot list the directory \"%s\"",
                                      walk->path.data);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        size_t before;
        code = enter(walk, entry->d_name, strlen(entry->d_name), &before);
        if (code == 0) {
            code = visit(walk, entry, &level, context);
            leave(walk, before);
        }
    }
    closedir(directory);
    return code;
}

/* ---- A directory ---- */

static int visit_in_directory(struct walk *walk, const struct dirent *entry,
                              const struct level *level, const void *context) {
    const bool *recursive = context;
    if (wr_files_is_hidden(entry->d_name)) return WEIR_OK;
    struct stat status;
    bool gone;
    bool data = wr_type_of_name(walk->list->encodings, entry->d_name).format != WR_FORMAT_UNKNOWN;
    WR_TRY(status_of(walk, level, data, &status, &gone));
    if (gone) return WEIR_OK;
    if (!S_ISDIR(status.st_mode)) return add_file(walk, &status);
    /* The directories of partitions belong to the table itself. */
    if (!*recursive && !strchr(entry->d_name, '=')) return WEIR_OK;
    return for_each_entry(walk, level, visit_in_directory, context);
}

int wr_walk_directory(struct wr_file_list *list, const char *directory, bool recursive,
                      struct weir_error *error) {
    struct walk walk = {.list = list, .root_length = strlen(directory), .error = error};
    wr_buffer_init(&walk.path, MOST_PATH_BYTES);
    wr_buffer_text(&walk.path, directory);
    int code = walk.path.failed ? wr_error_memory(error)
                                : for_each_entry(&walk, NULL, visit_in_directory, &recursive);
    wr_buffer_reset(&walk.path);
    return code;
}

/* ---- A pattern ---- */

/* The path is what a whole pattern, or its part so far, stands for: `rest` is "" or "/...". `own`
 * is its directory, or NULL when that is not being read. */
static int visit_match(struct walk *walk, const char *rest, const struct level *own,
                       const struct level *level) {
    struct stat status;
    bool gone;
    WR_TRY(status_of(walk, own, !*rest, &status, &gone));
    if (gone) return WEIR_OK;
    if (*rest) return S_ISDIR(status.st_mode) ? visit_pattern(walk, rest, level) : WEIR_OK;
    if (!S_ISDIR(status.st_mode)) return add_file(walk, &status);
    walk->list->n_directories++;
    return WEIR_OK;
}

struct component {
    const char *text;
    const char *rest;
};

static int visit_one(struct walk *walk, const struct dirent *entry, const struct level *level,
                     const void *context) {
    const struct component *component = context;
    if (!wr_glob_match(component->text, entry->d_name)) return WEIR_OK;
    return visit_match(walk, component->rest, level, level);
}

/* Below "**": every directory, with the rest of the pattern in each. */
static int visit_any_depth(struct walk *walk, const struct dirent *entry, const struct level *level,
                           const void *context) {
    if (wr_files_is_hidden(entry->d_name)) return WEIR_OK;
    struct stat status;
    bool gone;
    WR_TRY(status_of(walk, level, false, &status, &gone));
    if (gone || !S_ISDIR(status.st_mode)) return WEIR_OK;
    const char *rest = context;
    WR_TRY(visit_pattern(walk, rest, level));
    return for_each_entry(walk, level, visit_any_depth, rest);
}

static int note_depth(struct walk *walk) {
    struct wr_file_list *list = walk->list;
    if (list->deepest && strlen(list->deepest) >= walk->path.length) return WEIR_OK;
    struct stat status;
    if (wr_access_stat(&list->access, walk->path.data, &status) != 0 || !S_ISDIR(status.st_mode))
        return WEIR_OK;
    list->deepest = wr_arena_copy(list->arena, walk->path.data, walk->path.length);
    return list->deepest ? WEIR_OK : wr_error_memory(walk->error);
}

/* `pattern` is "/component/component..."; the path is the directory that it starts in. */
static int visit_pattern(struct walk *walk, const char *pattern, const struct level *outer) {
    WR_TRY(note_depth(walk));
    const char *start = pattern + 1;
    size_t length = strcspn(start, "/");
    struct component component = {.rest = start + length};
    if (length == 2 && strncmp(start, "**", 2) == 0) {
        const bool recursive = true;
        if (!*component.rest) return for_each_entry(walk, outer, visit_in_directory, &recursive);
        WR_TRY(visit_pattern(walk, component.rest, outer));
        return for_each_entry(walk, outer, visit_any_depth, component.rest);
    }
    char *text = wr_strndup(start, length);
    if (!text) return wr_error_memory(walk->error);
    component.text = text;
    int code;
    if (wr_glob_is_pattern(text)) {
        code = for_each_entry(walk, outer, visit_one, &component);
    } else {
        size_t before;
        code = enter(walk, text, length, &before);
        if (code == 0) {
            code = visit_match(walk, component.rest, NULL, outer);
            leave(walk, before);
        }
    }
    wr_free(text);
    return code;
}

int wr_walk_pattern(struct wr_file_list *list, const char *base, const char *pattern,
                    size_t root_length, struct weir_error *error) {
    struct walk walk = {.list = list, .root_length = root_length, .error = error};
    wr_buffer_init(&walk.path, MOST_PATH_BYTES);
    wr_buffer_text(&walk.path, *base ? base : "/");
    int code = walk.path.failed ? wr_error_memory(error) : visit_pattern(&walk, pattern, NULL);
    wr_buffer_reset(&walk.path);
    return code;
}
