/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/store_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"
#include "table/sql/front_matter.h"

/* ---- Names as tables ---- */

/* Whether a directory's entry is a directory; a link is taken for a file. */
static bool entry_is_directory(int fd, const struct dirent *entry) {
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
    struct stat status;
    return fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

enum wr_holding wr_files_holding(const struct wr_encodings *encodings, int fd, bool any) {
    DIR *stream = fdopendir(fd);
    if (!stream) {
        close(fd);
        return WR_HOLDS_NOTHING;
    }
    bool pairs = false;
    bool mixed = false;
    struct wr_file_type first = {WR_FORMAT_UNKNOWN, WR_COMPRESSION_NONE};
    for (const struct dirent *entry; !mixed && (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (wr_files_is_hidden(name)) continue;
        struct wr_file_type type = wr_type_of_name(encodings, name);
        const char *equals = strchr(name, '=');
        if (!type.format && !equals) continue;
        if (entry_is_directory(fd, entry)) {
            pairs = pairs || (equals && equals > name);
        } else if (type.format) {
            mixed = first.format &&
                    (first.format != type.format || first.compression != type.compression);
            first = type;
        }
        if (any && (pairs || first.format)) break;
    }
    closedir(stream);
    return mixed ? WR_HOLDS_MIXED : first.format || pairs ? WR_HOLDS_SERIES : WR_HOLDS_NOTHING;
}

/* The name in a .sql file's front matter; the stem where there is none, or the file cannot be read,
 * which is told when it is used. */
static int name_of_sql(const struct wr_files_mount *mount, int root_fd, const char *path,
                       struct wr_arena *arena, const char **ret_short_name,
                       struct weir_error *error) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct wr_sql_front_matter front_matter = {0};
    struct weir_error reason = {0};
    char *text = NULL;
    int fd;
    if (wr_beneath_try_open(root_fd, mount->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd) ==
        0) {
        int code = wr_sql_text_of(fd, name, &text, &reason);
        close(fd);
        if (code == WEIR_OK) wr_sql_front_matter_parse(name, text, &front_matter, &reason);
        wr_free(text);
    }
    if (strcmp(reason.sqlstate, "53200") == 0) return wr_error_memory(error);
    const char *short_name =
        front_matter.name ? wr_arena_copy(arena, front_matter.name, strlen(front_matter.name))
                          : wr_arena_copy(arena, name, strlen(name) - strlen(".sql"));
    wr_sql_front_matter_reset(&front_matter);
    if (!short_name) return wr_error_memory(error);
    *ret_short_name = short_name;
    return WEIR_OK;
}

int wr_files_short_name(const struct wr_files_mount *mount, int root_fd, const char *path,
                        struct wr_arena *arena, const char **ret_short_name,
                        struct weir_error *error) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (wr_sql_is_name(name))
        return name_of_sql(mount, root_fd, path, arena, ret_short_name, error);
    size_t stem = wr_stem_length(mount->encodings, name);
    const char *short_name = stem > 0 ? wr_arena_copy(arena, name, stem) : NULL;
    if (stem > 0 && !short_name) return wr_error_memory(error);
    *ret_short_name = short_name;
    return WEIR_OK;
}

/* ---- Listing ---- */

struct item {
    const char *name;
    const char *table; /* short or full; NULL: none */
    bool directory;
    bool link;
    int64_t n_bytes;
    int64_t modified_ns;
};

struct listing {
    const struct wr_files_mount *mount;
    const char *path;
    int root_fd;
    int fd;
    struct wr_arena arena;
    struct item *items;
    size_t n_items;
    size_t capacity;
    struct weir_error *error;
};

/* "path/name" within the mount, in the arena. */
static char *within(struct listing *listing, const char *name) {
    size_t length = strlen(listing->path);
    char *path = wr_arena_take(&listing->arena, length + strlen(name) + 2, 1);
    if (!path) return NULL;
    memcpy(path, listing->path, length);
    if (length > 0) path[length++] = '/';
    strcpy(path + length, name);
    return path;
}

/* A link that leads out, or to nothing, is listed as a file of unknown size: reading it says why.
 */
static int look(struct listing *listing, struct item *item, struct stat *ret_status) {
    *ret_status = (struct stat){.st_mode = S_IFREG, .st_size = -1};
    if (fstatat(listing->fd, item->name, ret_status, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    if (!S_ISLNK(ret_status->st_mode)) return 0;
    item->link = true;
    char *path = within(listing, item->name);
    if (!path) return ENOMEM;
    if (wr_beneath_try_stat(listing->root_fd, listing->mount->root, path, ret_status) != 0) {
        *ret_status = (struct stat){.st_mode = S_IFREG, .st_size = -1};
        return EXDEV;
    }
    return 0;
}

static int name_directory(struct listing *listing, struct item *item) {
    char *path = within(listing, item->name);
    if (!path) return wr_error_memory(listing->error);
    int fd;
    if (wr_beneath_try_open(listing->root_fd, listing->mount->root, path, O_RDONLY | O_DIRECTORY, 0,
                            &fd) == 0 &&
        wr_files_holding(listing->mount->encodings, fd, false) == WR_HOLDS_SERIES)
        item->table = item->name;
    return WEIR_OK;
}

static int name_file(struct listing *listing, struct item *item) {
    char *path = within(listing, item->name);
    if (!path) return wr_error_memory(listing->error);
    return wr_files_short_name(listing->mount, listing->root_fd, path, &listing->arena,
                               &item->table, listing->error);
}

static int add(struct listing *listing, const char *name) {
    if (listing->n_items == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 32;
        struct item *items = wr_reallocarray(listing->items, capacity, sizeof *items);
        if (!items) return wr_error_memory(listing->error);
        listing->items = items;
        listing->capacity = capacity;
    }
    struct item item = {.name = wr_arena_copy(&listing->arena, name, strlen(name))};
    if (!item.name) return wr_error_memory(listing->error);
    struct stat status;
    int reason = look(listing, &item, &status);
    if (reason == ENOENT) return WEIR_OK; /* gone since the directory was read */
    if (reason == ENOMEM) return wr_error_memory(listing->error);
    item.directory = S_ISDIR(status.st_mode);
    bool regular = S_ISREG(status.st_mode);
    item.n_bytes = regular ? status.st_size : -1;
    item.modified_ns = status.st_size < 0 ? 0 : wr_nanoseconds(status.st_mtim);
    if (item.directory)
        WR_TRY(name_directory(listing, &item));
    else if (regular && reason == 0)
        WR_TRY(name_file(listing, &item));
    listing->items[listing->n_items++] = item;
    return WEIR_OK;
}

static int read_names(struct listing *listing) {
    int fd = openat(listing->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    int reason = stream ? 0 : errno;
    int code = WEIR_OK;
    while (stream && code == WEIR_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        reason = entry ? 0 : errno;
        if (!entry) break;
        if (!wr_files_is_hidden(entry->d_name)) code = add(listing, entry->d_name);
    }
    if (stream)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    if (code == WEIR_OK && reason) {
        code = wr_files_mount_error(listing->mount, reason, "cannot list", listing->path,
                                    listing->error);
    }
    return code;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static int compare_tables(const void *a, const void *b) {
    return strcmp((*(struct item *const *)a)->table, (*(struct item *const *)b)->table);
}

/* Gives full names to files whose short one is another's exact name, or another file's short one.
 */
static int settle_names(struct listing *listing) {
    if (listing->n_items == 0) return WEIR_OK;
    struct item **files = wr_arena_take(&listing->arena, listing->n_items, sizeof *files);
    if (!files) return wr_error_memory(listing->error);
    qsort(listing->items, listing->n_items, sizeof *listing->items, compare_names);
    size_t n_files = 0;
    for (size_t i = 0; i < listing->n_items; i++) {
        struct item *item = &listing->items[i];
        if (item->table && !item->directory) files[n_files++] = item;
    }
    qsort(files, n_files, sizeof *files, compare_tables);
    for (size_t i = 0, end; i < n_files; i = end) {
        const char *table = files[i]->table;
        for (end = i + 1; end < n_files && strcmp(files[end]->table, table) == 0;)
            end++;
        const struct item exact = {.name = table};
        const struct item *taken = bsearch(&exact, listing->items, listing->n_items,
                                           sizeof *listing->items, compare_names);
        if (end - i == 1 && (!taken || taken == files[i])) continue;
        for (size_t j = i; j < end; j++)
            files[j]->table = files[j]->name;
    }
    return WEIR_OK;
}

static int emit(const struct listing *listing, weir_entry_fn take, void *sink) {
    for (size_t i = 0; i < listing->n_items; i++) {
        const struct item *item = &listing->items[i];
        struct weir_entry entry = {
            .size = sizeof entry,
            .type = item->directory ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_FILE,
            .name = item->name,
            .table = item->table,
            .n_bytes = item->n_bytes,
            .modified_ns = item->modified_ns,
            .is_link = item->link,
        };
        WR_TRY(take(sink, &entry, listing->error));
    }
    return WEIR_OK;
}

static int fill(struct listing *listing) {
    const struct wr_files_mount *mount = listing->mount;
    WR_TRY(wr_beneath_root(mount->root, &listing->root_fd, listing->error));
    int reason = wr_beneath_try_open(listing->root_fd, mount->root, listing->path,
                                     O_RDONLY | O_DIRECTORY, 0, &listing->fd);
    if (reason == ENOTDIR) {
        return wr_error_set(listing->error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s%s\" is not a directory", mount->shown, listing->path);
    }
    if (reason) {
        return wr_files_mount_error(mount, reason, "cannot list", listing->path, listing->error);
    }
    WR_TRY(read_names(listing));
    return settle_names(listing);
}

int wr_files_mount_list(void *context, const char *path, weir_entry_fn take, void *sink,
                        struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    WR_TRY(wr_files_mount_check(mount, path, error));
    if (mount->store) return wr_store_mount_list(mount, path, take, sink, error);
    struct listing listing = {
        .mount = mount, .path = path, .root_fd = -1, .fd = -1, .error = error};
    int code = fill(&listing);
    if (listing.fd >= 0) close(listing.fd);
    if (listing.root_fd >= 0) close(listing.root_fd);
    if (code == WEIR_OK) code = emit(&listing, take, sink);
    wr_free(listing.items);
    wr_arena_reset(&listing.arena);
    return code;
}
