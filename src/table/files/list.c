/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"

enum { MOST_NAMES = 10000 };

int wr_file_list_push(struct wr_file_list *list, const struct wr_file_entry *entry,
                      struct weir_error *error) {
    if (list->n_entries == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct wr_file_entry *entries = wr_reallocarray(list->entries, capacity, sizeof *entries);
        if (!entries) return wr_error_memory(error);
        list->entries = entries;
        list->capacity = capacity;
    }
    list->entries[list->n_entries++] = *entry;
    return WEIR_OK;
}

int wr_file_list_add(struct wr_file_list *list, const char *path, size_t root_length,
                     const struct stat *status, struct weir_error *error) {
    const char *copy = wr_arena_copy(list->arena, path, strlen(path));
    if (!copy) return wr_error_memory(error);
    const char *relative = copy + root_length;
    const struct wr_file_entry entry = {
        .path = copy,
        .relative = relative + strspn(relative, "/"),
        .device = status->st_dev,
        .inode = status->st_ino,
        .n_bytes = status->st_size,
        .modified_ns = wr_nanoseconds(status->st_mtim),
        .changed_ns = wr_nanoseconds(status->st_ctim),
        .type = wr_type_of_name(list->encodings, copy),
    };
    return wr_file_list_push(list, &entry, error);
}

void wr_file_list_reset(struct wr_file_list *list) {
    wr_free(list->entries);
    wr_access_close(&list->access);
    *list = (struct wr_file_list){0};
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const struct wr_file_entry *)a)->path, ((const struct wr_file_entry *)b)->path);
}

/* Sorts, and takes out what several patterns matched. */
static void sort(struct wr_file_list *list) {
    if (list->n_entries == 0) return;
    qsort(list->entries, list->n_entries, sizeof *list->entries, compare_paths);
    size_t kept = 1;
    for (size_t i = 1; i < list->n_entries; i++) {
        if (strcmp(list->entries[i].path, list->entries[kept - 1].path) != 0)
            list->entries[kept++] = list->entries[i];
    }
    list->n_entries = kept;
}

/* The name in `directory` that is nearest to `word`; NULL when none is, or it cannot be told. */
static const char *nearest_name(const struct wr_file_list *list, const char *directory,
                                const char *word) {
    struct wr_arena *arena = list->arena;
    const char **names = wr_arena_take(arena, MOST_NAMES, sizeof *names);
    int fd;
    if (!names || wr_access_fd(&list->access, directory, O_RDONLY | O_DIRECTORY, &fd) != 0)
        return NULL;
    DIR *stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return NULL;
    }
    size_t n_names = 0;
    for (const struct dirent *entry; n_names < MOST_NAMES && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        names[n_names] = wr_arena_copy(arena, entry->d_name, strlen(entry->d_name));
        if (!names[n_names]) break;
        n_names++;
    }
    closedir(stream);
    return wr_nearest(word, names, n_names);
}

/* The first `length` bytes of the path are not there. Says where it ends to exist, and what is
 * there instead. */
static int missing(const struct wr_files_source *source, size_t length,
                   const struct wr_file_list *list, struct weir_error *error) {
    char *directory = wr_arena_copy(list->arena, source->path, length);
    if (!directory) return wr_error_memory(error);
    const char *name = directory;
    const char *looked_in = "/";
    for (;;) {
        char *slash = strrchr(directory, '/');
        *slash = '\0';
        name = slash + 1;
        looked_in = slash == directory ? "/" : directory;
        struct stat status;
        int reason = slash == directory ? 0 : wr_access_stat(&list->access, looked_in, &status);
        if (reason == 0) {
            if (slash != directory && !S_ISDIR(status.st_mode)) {
                return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                                    "no such file or directory: \"%s\" (\"%s\" is not a directory)",
                                    source->text, looked_in);
            }
            break;
        }
        if (reason == EACCES || reason == EXDEV)
            return wr_access_error(error, &list->access, reason, "cannot look into", looked_in);
    }
    if (!source->external && !strpbrk(source->text, "/*?[{") &&
        wr_type_of_name(source->encodings, source->text).format == WR_FORMAT_UNKNOWN) {
        /* "Orders.2024" was hardly meant as a file: the caller says that there is no such table. */
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "%s", "");
    }
    const char *near = nearest_name(list, looked_in, name);
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                        "no such file or directory: \"%s\" (looked in %s)%s%s%s", source->text,
                        looked_in, near ? "; nearest name there: \"" : "", near ? near : "",
                        near ? "\"" : "");
}

static int list_pattern(const struct wr_files_source *source, struct wr_file_list *list,
                        struct weir_error *error) {
    const char *pattern = source->path + source->n_literal;
    size_t root = source->n_literal + strcspn(pattern, "*?[{\\");
    while (root > 0 && source->path[--root] != '/') {
    }
    char *fixed = wr_arena_copy(list->arena, source->path, root);
    const char *base = wr_arena_copy(list->arena, source->path, source->n_literal);
    if (!fixed || !base) return wr_error_memory(error);
    struct stat status;
    int reason = root > 0 ? wr_access_stat(&list->access, fixed, &status) : 0;
    if (reason) {
        if (reason != ENOENT && reason != ENOTDIR)
            return wr_access_error(error, &list->access, reason, "cannot read", fixed);
        return source->may_be_empty ? WEIR_OK : missing(source, root, list, error);
    }
    const char **patterns;
    size_t n_patterns;
    WR_TRY(wr_glob_expand(list->arena, pattern, &patterns, &n_patterns, error));
    for (size_t i = 0; i < n_patterns; i++)
        WR_TRY(wr_walk_pattern(list, base, patterns[i], root, error));
    return WEIR_OK;
}

static int fill(const struct wr_files_source *source, struct wr_file_list *list,
                struct weir_error *error) {
    struct stat status;
    int reason = wr_access_stat(&list->access, source->path, &status);
    if (reason) {
        if (reason != ENOENT && reason != ENOTDIR)
            return wr_access_error(error, &list->access, reason, "cannot read", source->text);
        if (wr_glob_is_pattern(source->path + source->n_literal)) {
            list->listing = WR_LISTING_PATTERN;
            return list_pattern(source, list, error);
        }
        list->listing = WR_LISTING_MISSING;
        return source->may_be_empty ? WEIR_OK : missing(source, strlen(source->path), list, error);
    }
    if (S_ISDIR(status.st_mode)) {
        list->listing = WR_LISTING_DIRECTORY;
        return wr_walk_directory(list, source->path, source->recursive, error);
    }
    if (!S_ISREG(status.st_mode)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            source->root
                                ? "\"%s\" is neither a file nor a directory; below a root nothing "
                                  "else is read"
                                : "\"%s\" is no longer a file, directory or pattern",
                            source->text);
    }
    if (source->slash) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is a file, not a directory; leave out the slash at the end",
                            source->text);
    }
    list->listing = WR_LISTING_FILE;
    return wr_file_list_add(list, source->path, (size_t)(strrchr(source->path, '/') - source->path),
                            &status, error);
}

int wr_files_list(const struct wr_files_source *source, struct wr_arena *arena,
                  struct wr_file_list *ret_list, struct weir_error *error) {
    struct wr_file_list list = {.arena = arena, .encodings = source->encodings};
    WR_TRY(wr_access_open(source->root, &list.access, error));
    if (source->store) list.access.source = source;
    int code =
        source->store ? wr_files_list_store(source, &list, error) : fill(source, &list, error);
    if (code) {
        wr_file_list_reset(&list);
        return code;
    }
    sort(&list);
    *ret_list = list;
    return WEIR_OK;
}
