/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands at a path, in this order: the file or directory of that name; the files that a
 * pattern stands for; the file that is a table of that name.
 */
#include "table/files/store_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"
#include "table/sql/front_matter.h"

enum { MOST_OPTIONS = 5, MOST_NAMES = 10000, MOST_CANDIDATES = 8 };

/* All that a struct weir_found points to. */
struct holder {
    struct wr_arena arena;
    struct weir_option options[MOST_OPTIONS];
};

struct search {
    const struct wr_files_mount *mount;
    const char *path;
    int root_fd;
    struct holder *holder;
    struct weir_found *found;
    struct weir_error *error;
};

static void found_release(struct weir_found *found) {
    struct holder *holder = found->private_data;
    wr_arena_reset(&holder->arena);
    wr_free(holder);
    *found = (struct weir_found){0};
}

static bool is_confined(const struct wr_files_mount *mount) {
    return strcmp(mount->root, "/") != 0;
}

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* `before` and `after` together, with a '/' between them where both are there and none is. */
static char *join(struct search *search, const char *before, const char *after) {
    size_t n_before = strlen(before);
    size_t n_after = strlen(after);
    char *text = wr_arena_take(&search->holder->arena, n_before + n_after + 2, 1);
    if (!text) return NULL;
    memcpy(text, before, n_before);
    if (n_before > 0 && n_after > 0 && before[n_before - 1] != '/') text[n_before++] = '/';
    memcpy(text + n_before, after, n_after);
    return text;
}

/* ---- Answers ---- */

static void add_option(struct weir_found *found, const char *key, const char *value) {
    struct holder *holder = found->private_data;
    holder->options[found->n_options++] = (struct weir_option){key, value};
    found->options = holder->options;
}

/* Makes what was found a table of a kind. */
static int set_kind(struct search *search, const char *kind) {
    const struct wr_files_mount *mount = search->mount;
    struct weir_found *found = search->found;
    const char *path = join(search, mount->root, found->path);
    const char *shown = join(search, mount->shown, found->path);
    if (!path || !shown) return wr_error_memory(search->error);
    found->kind = kind;
    add_option(found, "path", path);
    if (is_confined(mount)) add_option(found, "root", mount->root);
    if (strcmp(shown, path) != 0) add_option(found, "shown", shown);
    return WEIR_OK;
}

static int set_sql(struct search *search) {
    struct weir_found *found = search->found;
    const char *slash = strrchr(found->path, '/');
    const char *schema =
        slash ? wr_arena_copy(&search->holder->arena, found->path, (size_t)(slash - found->path))
              : wr_mount_files.default_schema;
    if (!schema) return wr_error_memory(search->error);
    WR_TRY(set_kind(search, "sql"));
    add_option(found, "catalog", search->mount->name);
    add_option(found, "schema", schema);
    return WEIR_OK;
}

/* A file, directory or anything else that is there under found->path. */
static int set_entry(struct search *search, const struct stat *status) {
    struct weir_found *found = search->found;
    struct weir_entry *entry = &found->entry;
    const char *name = last_name(found->path);
    entry->type = S_ISDIR(status->st_mode) ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_FILE;
    entry->name = name;
    entry->n_bytes = S_ISREG(status->st_mode) ? status->st_size : -1;
    entry->modified_ns = wr_nanoseconds(status->st_mtim);
    if (S_ISDIR(status->st_mode)) {
        int fd;
        int reason = wr_beneath_try_open(search->root_fd, search->mount->root, found->path,
                                         O_RDONLY | O_DIRECTORY, 0, &fd);
        /* One that may not be read is a directory all the same. */
        if (reason || wr_files_holding(search->mount->encodings, fd, true) == WR_HOLDS_NOTHING)
            return WEIR_OK;
        found->is_series = 1;
        WR_TRY(set_kind(search, "files"));
    } else if (!S_ISREG(status->st_mode)) {
        /* A pipe can be a table, but not below a root. */
        if (!is_confined(search->mount)) WR_TRY(set_kind(search, "files"));
    } else if (wr_sql_is_name(name)) {
        WR_TRY(set_sql(search));
    } else if (wr_stem_length(search->mount->encodings, name) > 0) {
        WR_TRY(set_kind(search, "files"));
    }
    if (found->kind && !entry->table) entry->table = name;
    return WEIR_OK;
}

static int set_pattern(struct search *search) {
    struct weir_found *found = search->found;
    found->entry.type = WEIR_ENTRY_TABLE;
    found->entry.name = last_name(found->path);
    found->entry.table = found->entry.name;
    found->entry.n_bytes = -1;
    found->is_series = 1;
    return set_kind(search, "files");
}

/* ---- Tables by their short names ---- */

struct candidates {
    const char *names[MOST_CANDIDATES];
    size_t n_names; /* may be more than are kept */
};

static int add_candidate(struct search *search, struct candidates *candidates, const char *name) {
    if (candidates->n_names < MOST_CANDIDATES) {
        const char *copy = wr_arena_copy(&search->holder->arena, name, strlen(name));
        if (!copy) return wr_error_memory(search->error);
        candidates->names[candidates->n_names] = copy;
    }
    candidates->n_names++;
    return WEIR_OK;
}

static int consider(struct search *search, const char *parent, const struct dirent *entry,
                    const char *wanted, struct candidates *candidates) {
    const char *name = entry->d_name;
    size_t length = strlen(wanted);
    if (wr_files_is_hidden(name) || entry->d_type == DT_DIR) return WEIR_OK;
    if (wr_sql_is_name(name)) {
        const char *path = join(search, parent, name);
        const char *short_name;
        if (!path) return wr_error_memory(search->error);
        WR_TRY(wr_files_short_name(search->mount, search->root_fd, path, &search->holder->arena,
                                   &short_name, search->error));
        return strcmp(short_name, wanted) == 0 ? add_candidate(search, candidates, name) : WEIR_OK;
    }
    bool same = wr_stem_length(search->mount->encodings, name) == length &&
                strncmp(name, wanted, length) == 0;
    return same ? add_candidate(search, candidates, name) : WEIR_OK;
}

/* Takes over `directory`. */
static int collect(struct search *search, int directory, const char *parent, const char *wanted,
                   struct candidates *candidates) {
    DIR *stream = fdopendir(directory);
    if (!stream) {
        int reason = errno;
        close(directory);
        return wr_files_mount_error(search->mount, reason, "cannot look for", search->path,
                                    search->error);
    }
    int code = WEIR_OK;
    while (code == WEIR_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            if (errno)
                code = wr_files_mount_error(search->mount, errno, "cannot look for", search->path,
                                            search->error);
            break;
        }
        code = consider(search, parent, entry, wanted, candidates);
    }
    closedir(stream);
    return code;
}

static int ambiguous(const struct search *search, const struct candidates *candidates) {
    int code = wr_error_set(search->error, WEIR_INVALID_ARGUMENT, "42P09", "\"%s%s\" could be ",
                            search->mount->shown, search->path);
    size_t n_kept = candidates->n_names < MOST_CANDIDATES ? candidates->n_names : MOST_CANDIDATES;
    for (size_t i = 0; i < n_kept; i++) {
        wr_error_append(search->error, "%s\"%s\"",
                        i == 0                         ? ""
                        : i + 1 == candidates->n_names ? " or "
                                                       : ", ",
                        candidates->names[i]);
    }
    wr_error_append(search->error, "%s; give the full name",
                    n_kept < candidates->n_names ? " or others" : "");
    return code;
}

static int find_table(struct search *search, bool *ret_found) {
    const char *wanted = last_name(search->path);
    size_t n_parent = (size_t)(wanted - search->path);
    const char *parent =
        wr_arena_copy(&search->holder->arena, search->path, n_parent > 0 ? n_parent - 1 : 0);
    if (!parent) return wr_error_memory(search->error);
    int directory;
    int reason = wr_beneath_try_open(search->root_fd, search->mount->root, parent,
                                     O_RDONLY | O_DIRECTORY, 0, &directory);
    if (reason == ENOENT || reason == ENOTDIR) return WEIR_OK;
    if (reason) {
        return wr_files_mount_error(search->mount, reason, "cannot look for", search->path,
                                    search->error);
    }
    struct candidates candidates = {.n_names = 0};
    WR_TRY(collect(search, directory, parent, wanted, &candidates));
    if (candidates.n_names == 0) return WEIR_OK;
    if (candidates.n_names > 1) return ambiguous(search, &candidates);
    struct weir_found *found = search->found;
    found->path = join(search, parent, candidates.names[0]);
    found->entry.table = wr_arena_copy(&search->holder->arena, wanted, strlen(wanted));
    if (!found->path || !found->entry.table) return wr_error_memory(search->error);
    struct stat status;
    reason = wr_beneath_try_stat(search->root_fd, search->mount->root, found->path, &status);
    if (reason) {
        return wr_files_mount_error(search->mount, reason, "cannot read", found->path,
                                    search->error);
    }
    *ret_found = true;
    return set_entry(search, &status);
}

/* ---- Nothing ---- */

/* The nearest to `word` of the names in a directory, with and without their extensions. */
static const char *nearest_name(struct search *search, const char *directory, const char *word) {
    struct wr_arena *arena = &search->holder->arena;
    const char **names = wr_arena_take(arena, MOST_NAMES, sizeof *names);
    int fd = -1;
    if (!names || wr_beneath_try_open(search->root_fd, search->mount->root, directory,
                                      O_RDONLY | O_DIRECTORY, 0, &fd) != 0)
        return NULL;
    DIR *stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return NULL;
    }
    size_t n_names = 0;
    for (const struct dirent *entry; n_names + 2 <= MOST_NAMES && (entry = readdir(stream));) {
        const char *name = entry->d_name;
        if (wr_files_is_hidden(name)) continue;
        size_t stem = wr_sql_is_name(name) ? strlen(name) - 4
                                           : wr_stem_length(search->mount->encodings, name);
        if (stem > 0) names[n_names++] = wr_arena_copy(arena, name, stem);
        names[n_names++] = wr_arena_copy(arena, name, strlen(name));
        if (!names[n_names - 1] || (stem > 0 && !names[n_names - 2])) {
            n_names = 0;
            break;
        }
    }
    closedir(stream);
    return wr_nearest(word, names, n_names);
}

/* Says down to where the path exists, and what is there instead. */
static int not_found(struct search *search) {
    const struct wr_files_mount *mount = search->mount;
    char *directory = wr_arena_copy(&search->holder->arena, search->path, strlen(search->path));
    if (!directory) return wr_error_memory(search->error);
    const char *name = "";
    struct stat status;
    int reason = ENOENT;
    while (reason && *directory) {
        char *slash = strrchr(directory, '/');
        name = search->path + (slash ? slash + 1 - directory : 0);
        *(slash ? slash : directory) = '\0';
        reason = wr_beneath_try_stat(search->root_fd, mount->root, directory, &status);
    }
    const char *looked_in = join(search, mount->root, directory);
    if (!looked_in) return wr_error_memory(search->error);
    if (reason == 0 && !S_ISDIR(status.st_mode)) {
        return wr_error_set(search->error, WEIR_NOT_FOUND, "58P01",
                            "no such file or directory: \"%s%s\" (\"%s%s\" is not a directory)",
                            mount->shown, search->path, mount->shown, directory);
    }
    char *missing = wr_arena_copy(&search->holder->arena, name, strcspn(name, "/"));
    if (!missing) return wr_error_memory(search->error);
    const char *near = nearest_name(search, directory, missing);
    return wr_error_set(search->error, WEIR_NOT_FOUND, "58P01",
                        "no such file or directory: \"%s%s\" (looked in %s)%s%s%s", mount->shown,
                        search->path, looked_in, near ? "; nearest name there: \"" : "",
                        near ? near : "", near ? "\"" : "");
}

/* ---- All ---- */

static bool is_link(const struct search *search) {
    int fd;
    if (wr_beneath_try_open(search->root_fd, search->mount->root, search->path, O_PATH | O_NOFOLLOW,
                            0, &fd) != 0)
        return false;
    close(fd);
    return true;
}

static int find(struct search *search) {
    const struct wr_files_mount *mount = search->mount;
    struct weir_found *found = search->found;
    struct stat status = {.st_mode = S_IFIFO};
    found->path = wr_arena_copy(&search->holder->arena, search->path, strlen(search->path));
    const char *absolute = join(search, mount->root, search->path);
    if (!found->path || !absolute) return wr_error_memory(search->error);
    found->is_exact = 1;
    if (!is_confined(mount) && wr_pipe_is_descriptor(absolute)) return set_entry(search, &status);
    int reason = wr_beneath_try_stat(search->root_fd, mount->root, search->path, &status);
    if (reason == 0) return set_entry(search, &status);
    if (reason != ENOENT && reason != ENOTDIR)
        return wr_files_mount_error(mount, reason, "cannot read", search->path, search->error);
    if (wr_glob_is_pattern(search->path)) return set_pattern(search);
    if (is_link(search)) {
        return wr_error_set(search->error, WEIR_NOT_FOUND, "58P01",
                            "\"%s%s\" is a symbolic link to nothing", mount->shown, search->path);
    }
    bool is_found = false;
    found->is_exact = 0;
    WR_TRY(find_table(search, &is_found));
    return is_found ? WEIR_OK : not_found(search);
}

int wr_files_mount_find(void *context, const char *path, struct weir_found *ret_found,
                        struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    WR_TRY(wr_files_mount_check(mount, path, error));
    if (mount->store) return wr_store_mount_find(mount, path, ret_found, error);
    struct holder *holder = wr_calloc(1, sizeof *holder);
    if (!holder) return wr_error_memory(error);
    struct weir_found found = {
        .size = sizeof found,
        .entry = {.size = sizeof found.entry},
        .release = found_release,
        .private_data = holder,
    };
    struct search search = {mount, path, -1, holder, &found, error};
    int code = wr_beneath_root(mount->root, &search.root_fd, error);
    if (code == WEIR_OK) code = find(&search);
    if (search.root_fd >= 0) close(search.root_fd);
    if (code) {
        found_release(&found);
        return code;
    }
    *ret_found = found;
    return WEIR_OK;
}
