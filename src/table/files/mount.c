/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/store_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"

/* ---- Paths ---- */

int wr_files_mount_error(const struct wr_files_mount *mount, int errnum, const char *what,
                         const char *path, struct weir_error *error) {
    if (errnum == EXDEV) {
        struct weir_error reason = {0};
        wr_beneath_error(&reason, errnum, what, path, mount->root);
        return wr_error_set(error, reason.code, reason.sqlstate, "%s", reason.message);
    }
    return wr_error_errno(error, errnum, "%s \"%s%s\"", what, mount->shown, path);
}

int wr_files_mount_check(const struct wr_files_mount *mount, const char *path,
                         struct weir_error *error) {
    if (!*path) return WEIR_OK;
    bool normal = true;
    for (const char *name = path;; name++) {
        size_t length = strcspn(name, "/");
        if ((length == 0 && name == path) || (length == 2 && strncmp(name, "..", 2) == 0))
            return wr_beneath_error(error, EXDEV, "", path, mount->root);
        if (length == 0 || (length == 1 && *name == '.')) normal = false;
        name += length;
        if (!*name) break;
    }
    if (normal) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "\"%s%s\" is not a normal path: leave out \".\" and needless slashes",
                        mount->shown, path);
}

int wr_files_mount_check_change(const struct wr_files_mount *mount, const char *path,
                                struct weir_error *error) {
    WR_TRY(wr_files_mount_check(mount, path, error));
    if (mount->read_only) {
        return wr_error_set(error, WEIR_UNAUTHORIZED, "25006",
                            "\"%s%s\" cannot be changed: the mount \"%s\" is read only",
                            mount->shown, path, mount->name);
    }
    const char *slash = strrchr(path, '/');
    if (!*path) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is the mount itself, which only DETACH changes", mount->shown);
    }
    if (wr_staging_is_name(slash ? slash + 1 : path)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s%s\" is a name of weir's own for unfinished files", mount->shown,
                            path);
    }
    return WEIR_OK;
}

int wr_files_mount_open(const struct wr_files_mount *mount, const char *path, int flags,
                        int *ret_fd) {
    int root_fd = open(mount->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0) return errno;
    int reason = wr_beneath_try_open(root_fd, mount->root, path, flags, 0, ret_fd);
    close(root_fd);
    return reason;
}

int wr_files_mount_parent(const struct wr_files_mount *mount, const char *path, int *ret_fd,
                          const char **ret_name, struct weir_error *error) {
    const char *slash = strrchr(path, '/');
    char *parent = wr_strndup(path, slash ? (size_t)(slash - path) : 0);
    if (!parent) return wr_error_memory(error);
    int reason = wr_files_mount_open(mount, parent, O_RDONLY | O_DIRECTORY, ret_fd);
    int code = reason
                   ? wr_files_mount_error(mount, reason, "cannot open the directory", parent, error)
                   : WEIR_OK;
    wr_free(parent);
    if (code == WEIR_OK) *ret_name = slash ? slash + 1 : path;
    return code;
}

/* ---- Reading ---- */

struct reading {
    int fd;
    int64_t n_bytes;
    int64_t modified_ns;
    char *shown;
};

/* A file that is replaced is read on; one that is written in its place is not mixed with itself. */
static int check_unchanged(const struct reading *reading, struct weir_error *error) {
    struct stat status;
    if (fstat(reading->fd, &status) != 0)
        return wr_error_errno(error, errno, "cannot read \"%s\"", reading->shown);
    if (status.st_size == reading->n_bytes &&
        wr_nanoseconds(status.st_mtim) == reading->modified_ns)
        return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                        "\"%s\" was changed while it was read; open it again", reading->shown);
}

static int read_at(struct weir_reader *reader, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error) {
    const struct reading *reading = reader->private_data;
    size_t n = 0;
    while (n < length) {
        ssize_t some = pread(reading->fd, (char *)data + n, length - n, (off_t)offset + (off_t)n);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return wr_error_errno(error, errno, "cannot read \"%s\"", reading->shown);
        if (some == 0) break;
        n += (size_t)some;
    }
    WR_TRY(check_unchanged(reading, error));
    *ret_length = n;
    return WEIR_OK;
}

static void reader_release(struct weir_reader *reader) {
    struct reading *reading = reader->private_data;
    close(reading->fd);
    wr_free(reading->shown);
    wr_free(reading);
    *reader = (struct weir_reader){0};
}

static char *shown_path(const struct wr_files_mount *mount, const char *path) {
    struct wr_buffer text;
    wr_buffer_init(&text, strlen(mount->shown) + strlen(path) + 1);
    wr_buffer_text(&text, mount->shown);
    wr_buffer_text(&text, path);
    return wr_buffer_take(&text);
}

static int files_read(void *context, const char *path, struct weir_reader *ret_reader,
                      struct weir_error *error) {
    const struct wr_files_mount *mount = context;
    WR_TRY(wr_files_mount_check(mount, path, error));
    if (mount->store) return wr_store_mount_read(mount, path, ret_reader, error);
    int fd;
    int reason = wr_files_mount_open(mount, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
    if (reason) return wr_files_mount_error(mount, reason, "cannot open", path, error);
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL, "\"%s%s\" is %s", mount->shown, path,
            S_ISDIR(status.st_mode) ? "a directory, which has no bytes" : "not a regular file");
    }
    struct reading *reading = wr_calloc(1, sizeof *reading);
    char *shown = reading ? shown_path(mount, path) : NULL;
    if (!shown) {
        close(fd);
        wr_free(reading);
        return wr_error_memory(error);
    }
    *reading = (struct reading){fd, status.st_size, wr_nanoseconds(status.st_mtim), shown};
    *ret_reader = (struct weir_reader){
        .n_bytes = reading->n_bytes,
        .modified_ns = reading->modified_ns,
        .read_at = read_at,
        .release = reader_release,
        .private_data = reading,
    };
    wr_file_version(&status, ret_reader->version);
    return WEIR_OK;
}

/* ---- The mount ---- */

enum { N_OWN_OPTIONS = 2 };

static const struct weir_option_spec options[] = {
    {"url", WEIR_OPTION_TEXT, 1,
     "the directory: an absolute path or a file:// URL; or the beginning of a store's URLs, "
     "s3://bucket/prefix"},
    {"read_only", WEIR_OPTION_BOOLEAN, 0, "nothing in it is changed through the mount"},
/* Of a store; which of them its type has is said when the mount is opened. */
#define OPTION(name, types, secrecy, variable, fallback, help) {name, WEIR_OPTION_TEXT, 0, help},
#include "store/option_list.h"
#undef OPTION
    {"key_id", WEIR_OPTION_TEXT, 0, "S3: access_key_id"},
    {"secret", WEIR_OPTION_TEXT, 0, "S3: secret_access_key"},
    {"account_key", WEIR_OPTION_TEXT, 0, "Azure: access_key"},
    {"sas_token", WEIR_OPTION_TEXT, 0, "Azure: sas_key"},
    {"tenant_id", WEIR_OPTION_TEXT, 0, "Azure: authority_id"},
    {"bearer_token", WEIR_OPTION_TEXT, 0, "Azure: token"},
    {"aws_", WEIR_OPTION_PREFIX, 0, "the options of S3 under their long names"},
    {"azure_", WEIR_OPTION_PREFIX, 0, "the options of Azure under their long names"},
    {"google_", WEIR_OPTION_PREFIX, 0, "the options of Google under their long names"},
};

static void files_close(void *context) {
    struct wr_files_mount *mount = context;
    if (!mount) return;
    wr_free(mount->name);
    wr_free(mount->root);
    wr_free(mount->shown);
    wr_free(mount->prefix);
    if (mount->store) mount->stores->release(mount->store);
    wr_free(mount);
}

static int fill(const struct weir_definition *definition, struct wr_files_mount *mount,
                struct weir_error *error) {
    const char *url = wr_options_get(definition->options, definition->n_options, "url");
    mount->read_only =
        wr_options_get_bool(definition->options, definition->n_options, "read_only", false);
    mount->encodings = wr_definition_encodings(definition);
    mount->name = wr_strdup(definition->name);
    if (!mount->name) return wr_error_memory(error);
    struct wr_buffer shown;
    wr_buffer_init(&shown, strlen(mount->name) + 3);
    /* One that has no name in the tree has its URL's. */
    bool named = !wr_is_store_url(mount->name);
    if (named) wr_buffer_text(&shown, "/");
    if (!named)
        wr_buffer_text(&shown, mount->name);
    else if (strcmp(mount->name, "/") != 0)
        wr_buffer_format(&shown, "%s/", mount->name);
    mount->shown = wr_buffer_take(&shown);
    if (!mount->shown) return wr_error_memory(error);
    if (wr_is_store_url(url)) return wr_store_mount_open(definition, url, mount, error);
    /* What is left open for stores is refused for directories. */
    WR_TRY(wr_options_check("a directory", options, N_OWN_OPTIONS, definition->options,
                            definition->n_options, error));
    WR_TRY(wr_files_root(url, &mount->root, error));
    int fd;
    WR_TRY(wr_beneath_root(mount->root, &fd, error));
    close(fd);
    return WEIR_OK;
}

static int files_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    struct wr_files_mount *mount = wr_calloc(1, sizeof *mount);
    if (!mount) return wr_error_memory(error);
    int code = fill(definition, mount, error);
    if (code) {
        files_close(mount);
        return wr_error_prefix(error, code, "mount \"%s\" (kind files)", definition->name);
    }
    *ret_mount = mount;
    return WEIR_OK;
}

const struct weir_mount_kind wr_mount_files = {
    .size = sizeof wr_mount_files,
    .name = "files",
    .summary = "a directory of this machine, or what lies below a URL of a store",
    .default_schema = ".",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = files_open,
    .close = files_close,
    .list = wr_files_mount_list,
    .find = wr_files_mount_find,
    .read = files_read,
    .write = wr_files_mount_write,
    .make_directory = wr_files_mount_make_directory,
    .remove = wr_files_mount_remove,
    .rename = wr_files_mount_rename,
};
