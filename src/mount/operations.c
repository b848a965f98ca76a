/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel asks. Nothing here waits for weir, except reads of bytes that are there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "internal.h"

struct node *mount_node(struct mount *mount, fuse_ino_t number) {
    return number == FUSE_ROOT_ID ? mount->root : (struct node *)(uintptr_t)number;
}

/* A mount below a directory of its own tree would make weir wait for itself. */
static bool is_ours(fuse_req_t request) {
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d", (int)fuse_req_ctx(request)->pid);
    return access(path, F_OK) == 0;
}

static void init(void *data, struct fuse_conn_info *connection) {
    struct mount *mount = data;

    (void)connection;
    if (mount->options->standing != NULL) mount->options->standing(mount->options->context);
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    struct mount *mount = fuse_req_userdata(request);

    if (is_ours(request))
        fuse_reply_err(request, EDEADLK);
    else
        work_submit(mount, TASK_LOOKUP, mount_node(mount, parent), name, 0, request, NULL);
}

static void drop(struct mount *mount, fuse_ino_t number, uint64_t lookups) {
    if (number == FUSE_ROOT_ID) return;
    pthread_mutex_lock(&mount->mutex);
    nodes_release(&mount->nodes, mount_node(mount, number), (int64_t)lookups);
    pthread_mutex_unlock(&mount->mutex);
}

static void forget(fuse_req_t request, fuse_ino_t number, uint64_t lookups) {
    drop(fuse_req_userdata(request), number, lookups);
    fuse_reply_none(request);
}

static void forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *items) {
    for (size_t i = 0; i < count; i++)
        drop(fuse_req_userdata(request), items[i].ino, items[i].nlookup);
    fuse_reply_none(request);
}

static void getattr(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info) {
    struct mount *mount = fuse_req_userdata(request);
    struct node *node = mount_node(mount, number);
    struct stat status;

    (void)info;
    pthread_mutex_lock(&mount->mutex);
    bool known = node->n_bytes >= 0;
    if (known) node_attributes(node, &status);
    pthread_mutex_unlock(&mount->mutex);
    if (known)
        fuse_reply_attr(request, &status, 1.0);
    else
        work_submit(mount, TASK_FETCH, node, NULL, 0, request, NULL);
}

/* ---- Files ---- */

static void open_file(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info) {
    struct mount *mount = fuse_req_userdata(request);
    struct node *node = mount_node(mount, number);
    struct bytes *bytes = NULL;

    if (is_ours(request)) {
        fuse_reply_err(request, EDEADLK);
        return;
    }
    pthread_mutex_lock(&mount->mutex);
    /* The bytes of a file without version are not to be had again, and a size that the kernel does
     * not know yet would cut reads: in both cases it looks the name up again. */
    bool stale = node->version == NULL && node->bytes == NULL && node->n_bytes >= 0;
    if (stale) nodes_retire(&mount->nodes, node);
    if (!stale && node->bytes != NULL) {
        stale = !node->told;
        if (node->version != NULL) node->held_until = mount_now() + HOLD_MS;
        if (!stale) {
            bytes = node->bytes;
            bytes->refs++;
        }
    }
    pthread_mutex_unlock(&mount->mutex);
    if (stale)
        fuse_reply_err(request, ESTALE);
    else if (bytes != NULL)
        answer_open(mount, request, info, bytes);
    else
        work_submit(mount, TASK_FETCH, node, NULL, 0, request, info);
}

static void read_file(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                      struct fuse_file_info *info) {
    struct mount *mount = fuse_req_userdata(request);
    const struct bytes *bytes = (struct bytes *)(uintptr_t)info->fh;
    struct weir_error error = {0};
    size_t length;

    void *data = wr_malloc(size);
    if (data == NULL)
        fuse_reply_err(request, ENOMEM);
    else if (weir_file_read(bytes->file, offset, data, size, &length, &error) == WEIR_OK)
        fuse_reply_buf(request, data, length);
    else
        fuse_reply_err(request,
                       mount_complain(mount_node(mount, number)->path, STAGE_BYTES, &error));
    wr_free(data);
}

static void release(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info) {
    struct mount *mount = fuse_req_userdata(request);

    (void)number;
    pthread_mutex_lock(&mount->mutex);
    struct weir_file *file = bytes_release(&mount->nodes, (struct bytes *)(uintptr_t)info->fh);
    pthread_mutex_unlock(&mount->mutex);
    weir_file_close(file);
    fuse_reply_err(request, 0);
}

/* ---- Directories ---- */

static void open_directory(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info) {
    struct mount *mount = fuse_req_userdata(request);

    if (is_ours(request))
        fuse_reply_err(request, EDEADLK);
    else
        work_submit(mount, TASK_LIST, mount_node(mount, number), NULL, 0, request, info);
}

/* Offset n: the name n - 2 of the listing, after "." and "..". */
static void read_directory(fuse_req_t request, fuse_ino_t number, size_t size, off_t offset,
                           struct fuse_file_info *info) {
    const struct listing *listing = (struct listing *)(uintptr_t)info->fh;
    size_t length = 0;

    (void)number;
    char *data = wr_malloc(size);
    if (data == NULL) {
        fuse_reply_err(request, ENOMEM);
        return;
    }
    for (size_t i = (size_t)offset; i < listing->n_names + 2; i++) {
        const struct listing_name *item = i < 2 ? NULL : &listing->names[i - 2];
        const char *name = item == NULL ? ".." + (1 - i) : listing->text + item->offset;
        /* A number is not known before a lookup; 0 would be taken for a deleted entry. */
        struct stat status = {.st_ino = UINT32_MAX,
                              .st_mode = item == NULL || item->directory ? S_IFDIR : S_IFREG};
        size_t needed =
            fuse_add_direntry(request, data + length, size - length, name, &status, (off_t)(i + 1));
        if (needed > size - length) break;
        length += needed;
    }
    fuse_reply_buf(request, data, length);
    wr_free(data);
}

static void release_directory(fuse_req_t request, fuse_ino_t number, struct fuse_file_info *info) {
    (void)number;
    listing_free((struct listing *)(uintptr_t)info->fh);
    fuse_reply_err(request, 0);
}

/* ---- Attributes ---- */

static const char names[] = "user.weir.kind\0user.weir.schema\0user.weir.version";

void answer_attribute(fuse_req_t request, const char *text, size_t room) {
    size_t length = strlen(text);

    if (room == 0)
        fuse_reply_xattr(request, length);
    else if (room < length)
        fuse_reply_err(request, ERANGE);
    else
        fuse_reply_buf(request, text, length);
}

static void getxattr(fuse_req_t request, fuse_ino_t number, const char *name, size_t size) {
    struct mount *mount = fuse_req_userdata(request);
    struct node *node = mount_node(mount, number);

    if (node->kind != NULL && !node->directory && strcmp(name, "user.weir.schema") == 0) {
        work_submit(mount, TASK_SCHEMA, node, NULL, size, request, NULL);
        return;
    }
    pthread_mutex_lock(&mount->mutex); /* a version may change once */
    const char *text = strcmp(name, "user.weir.kind") == 0      ? node->kind
                       : strcmp(name, "user.weir.version") == 0 ? node->version
                                                                : NULL;
    char *copy = wr_strdup(text);
    pthread_mutex_unlock(&mount->mutex);
    if (copy == NULL)
        fuse_reply_err(request, text == NULL ? ENODATA : ENOMEM);
    else
        answer_attribute(request, copy, size);
    wr_free(copy);
}

static void listxattr(fuse_req_t request, fuse_ino_t number, size_t size) {
    struct mount *mount = fuse_req_userdata(request);
    const struct node *node = mount_node(mount, number);

    pthread_mutex_lock(&mount->mutex);
    bool versioned = node->version != NULL;
    pthread_mutex_unlock(&mount->mutex);
    const char *first =
        node->kind == NULL ? names + sizeof "user.weir.kind\0user.weir.schema" : names;
    /* The version is the last of them. */
    size_t end = !versioned ? sizeof names - sizeof "user.weir.version" : sizeof names;
    size_t length =
        node->directory || (size_t)(first - names) >= end ? 0 : end - (size_t)(first - names);

    if (size == 0)
        fuse_reply_xattr(request, length);
    else if (size < length)
        fuse_reply_err(request, ERANGE);
    else
        fuse_reply_buf(request, first, length);
}

const struct fuse_lowlevel_ops mount_operations = {
    .init = init,
    .lookup = lookup,
    .forget = forget,
    .forget_multi = forget_multi,
    .getattr = getattr,
    .open = open_file,
    .read = read_file,
    .release = release,
    .opendir = open_directory,
    .readdir = read_directory,
    .releasedir = release_directory,
    .getxattr = getxattr,
    .listxattr = listxattr,
};
