/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "internal.h"

enum { MAX_RETRIES = 3 };
static const double valid_s = 1.0;

/* ---- Answers ---- */

void node_attributes(struct node *node, struct stat *ret_status) {
    struct timespec changed = {.tv_sec = node->modified_ns / 1000000000,
                               .tv_nsec = node->modified_ns % 1000000000};

    *ret_status = (struct stat){
        .st_ino = node->number,
        .st_mode = node->directory ? S_IFDIR | 0555 : S_IFREG | 0444,
        .st_nlink = 1, /* of a directory: how many are in it is not known */
        .st_uid = geteuid(),
        .st_gid = getegid(),
        .st_size = node->n_bytes < 0 ? 0 : node->n_bytes,
        .st_blocks = node->n_bytes < 0 ? 0 : (node->n_bytes + 511) / 512,
        .st_atim = changed,
        .st_mtim = changed,
        .st_ctim = changed,
    };
    if (node->n_bytes >= 0) node->told = true;
}

static void answer_error(struct waiter *waiters, int errnum) {
    for (struct waiter *waiter; (waiter = waiters) != NULL;) {
        waiters = waiter->next;
        fuse_reply_err(waiter->request, errnum);
        wr_free(waiter);
    }
}

static struct waiter *finish(struct mount *mount, struct task *task) {
    pthread_mutex_lock(&mount->mutex);
    struct waiter *waiters = work_finish(task);
    pthread_mutex_unlock(&mount->mutex);
    return waiters;
}

void answer_open(struct mount *mount, fuse_req_t request, struct fuse_file_info *info,
                 struct bytes *bytes) {
    info->fh = (uintptr_t)bytes;
    info->keep_cache = 1; /* a node's bytes never change */
    if (fuse_reply_open(request, info) == 0) return;
    pthread_mutex_lock(&mount->mutex);
    struct weir_file *file = bytes_release(&mount->nodes, bytes);
    pthread_mutex_unlock(&mount->mutex);
    weir_file_close(file);
}

/* ---- A name in a directory ---- */

static void answer_entry(struct mount *mount, struct task *task, const struct found *found) {
    struct fuse_entry_param entry = {0};
    struct node *node = NULL;

    pthread_mutex_lock(&mount->mutex);
    struct waiter *waiters = work_finish(task);
    if (waiters != NULL && (node = nodes_enter(&mount->nodes, found)) != NULL) {
        node_attributes(node, &entry.attr);
        entry.ino = (uintptr_t)node;
        /* A file's name is looked up each time it is opened: so nobody opens what stood there. */
        entry.entry_timeout = node->directory ? valid_s : 0;
        entry.attr_timeout = node->n_bytes >= 0 ? valid_s : 0;
    }
    pthread_mutex_unlock(&mount->mutex);
    if (waiters == NULL) return;
    if (node == NULL) {
        answer_error(waiters, ENOMEM);
        return;
    }
    if (fuse_reply_entry(waiters->request, &entry) != 0) {
        pthread_mutex_lock(&mount->mutex);
        nodes_release(&mount->nodes, node, 1);
        pthread_mutex_unlock(&mount->mutex);
    }
    wr_free(waiters);
}

static char *join(const char *directory, const char *name) {
    size_t length = strlen(directory);
    size_t slash = length > 0 && directory[length - 1] != '/';
    char *path = wr_malloc(length + slash + strlen(name) + 1);

    if (path == NULL) return NULL;
    memcpy(path, directory, length);
    if (slash) path[length] = '/';
    strcpy(path + length + slash, name);
    return path;
}

static int copy_version(const char *version, char **ret_copy, struct weir_error *error) {
    char *copy = wr_strdup(version);

    if (copy == NULL && version != NULL) return wr_error_memory(error);
    *ret_copy = copy;
    return WEIR_OK;
}

/* Of what is made of rows. Free with wr_free. */
static int node_version(struct weir_node *node, char **ret_version, struct weir_error *error) {
    char *version = NULL;

    WR_TRY(weir_node_version(node, &version, error));
    int code = copy_version(version, ret_version, error);
    weir_free(version);
    return code;
}

/* What is needed of a file besides its name. Of one that lies there it is the file's own version:
 * its table, if it is one, need not even be readable. Free *ret_version with wr_free. */
static int look_at_file(struct weir_node *node, struct found *found, char **ret_version,
                        struct weir_error *error) {
    struct weir_file_info info = {.size = sizeof info};
    struct weir_file *file;
    int64_t n_bytes;

    if (!found->own) {
        WR_TRY(node_version(node, ret_version, error));
        if (weir_file_is_ready(node, NULL, &n_bytes)) found->n_bytes = n_bytes;
        return WEIR_OK;
    }
    WR_TRY(weir_file_open(node, NULL, &file, error));
    weir_file_describe(file, &info);
    found->n_bytes = info.n_bytes;
    found->modified_ns = info.modified_ns;
    int code = copy_version(info.version, ret_version, error);
    weir_file_close(file);
    return code;
}

static int look_up(struct mount *mount, struct weir_session *session, struct task *task,
                   const char *path) {
    struct weir_error error = {0};
    struct weir_node *node = NULL;
    struct found found;
    char *version = NULL;

    if (resolve(session, path, &node, &found, &error) != WEIR_OK)
        return mount_complain(path, STAGE_FIND, &error);
    if (!found.directory && look_at_file(node, &found, &version, &error) != WEIR_OK) {
        weir_node_close(node);
        return mount_complain(path, STAGE_BYTES, &error);
    }
    if (found.modified_ns == 0) found.modified_ns = mount->started_ns;
    found.version = version;
    answer_entry(mount, task, &found);
    wr_free(version);
    weir_node_close(node);
    return 0;
}

static void run_lookup(struct mount *mount, struct weir_session *session, struct task *task) {
    char *path = join(task->node->path, task->name);
    int errnum = path == NULL ? ENOMEM : look_up(mount, session, task, path);

    wr_free(path);
    if (errnum != 0) answer_error(finish(mount, task), errnum);
}

/* ---- The names of a directory ---- */

static void run_list(struct mount *mount, struct weir_session *session, struct task *task) {
    struct weir_error error = {0};
    struct weir_node *node = NULL;
    struct listing *listing = NULL;
    int errnum = 0;

    int code = weir_node_open(session, task->node->path, &node, &error);
    if (code == WEIR_OK) code = listing_read(mount->options, node, &listing, &error);
    weir_node_close(node);
    if (code != WEIR_OK) errnum = mount_complain(task->node->path, STAGE_FIND, &error);
    struct waiter *waiter = finish(mount, task);
    if (errnum != 0 || waiter == NULL) {
        answer_error(waiter, errnum);
    } else {
        waiter->info.fh = (uintptr_t)listing;
        if (fuse_reply_open(waiter->request, &waiter->info) == 0) listing = NULL;
        wr_free(waiter);
    }
    listing_free(listing);
}

/* ---- The bytes of a file ---- */

struct fetched {
    struct weir_file *file; /* NULL: nothing stands there any more, or it is not ready */
    struct weir_file_info info;
    char *version;  /* of what stands there now; NULL: none */
    bool not_ready; /* the bytes have to be made, which is not for this lane */
};

/* The version comes last: a node whose inputs change while it is encoded is encoded anew. */
static int fetch_node(struct weir_node *node, const struct task *task, struct fetched *fetched,
                      struct weir_error *error) {
    struct weir_node_info info = {.size = sizeof info};
    int64_t n_bytes;

    if (task->lane == LANE_QUICK && !weir_file_is_ready(node, NULL, &n_bytes)) {
        fetched->not_ready = true;
        return WEIR_OK;
    }
    WR_TRY(weir_file_open(node, NULL, &fetched->file, error));
    weir_file_describe(fetched->file, &fetched->info);
    weir_node_describe(node, &info);
    if (info.n_bytes >= 0) return copy_version(fetched->info.version, &fetched->version, error);
    return node_version(node, &fetched->version, error);
}

static int fetch(struct weir_session *session, const struct task *task, struct fetched *fetched,
                 struct weir_error *error) {
    struct weir_node *node;

    int code = weir_node_open(session, task->node->path, &node, error);
    if (code == WEIR_NOT_FOUND) return WEIR_OK;
    WR_TRY(code);
    code = fetch_node(node, task, fetched, error);
    weir_node_close(node);
    return code;
}

/* Makes the file the node's. ESTALE: these are other bytes than those the node had; it was
 * replaced, or an encoding left the spool and was made anew. With the mutex held. */
static int adopt(struct mount *mount, struct node *node, const struct fetched *fetched) {
    bool unseen = node->n_bytes < 0;

    if (fetched->file == NULL || node->bytes != NULL) return ESTALE;
    /* Before anybody has seen its bytes, a node becomes what stands there when they are made. Else
     * a table whose inputs change faster than it is encoded could never be read. */
    if (unseen && !nodes_rename(&mount->nodes, node, fetched->version)) return ENOMEM;
    if (!unseen &&
        (!node_has_version(node, fetched->version) || node->n_bytes != fetched->info.n_bytes ||
         (node->made_ns != 0 && node->made_ns != fetched->info.modified_ns)))
        return ESTALE;
    struct bytes *bytes = bytes_new(&mount->nodes, fetched->file, fetched->info.n_bytes);
    if (bytes == NULL) return ENOMEM;
    node->n_bytes = fetched->info.n_bytes;
    node->made_ns = fetched->info.modified_ns;
    nodes_hold(&mount->nodes, node, bytes);
    node->fresh_until = node->held_until;
    return 0;
}

/*
 * Puts the last page into the kernel's cache, and so the size. Else a read that goes by the size
 * the kernel knows (sendfile, mmap), before anything has asked for it, would find an empty file.
 */
static bool tell_size(struct mount *mount, struct node *node, const struct bytes *bytes) {
    int64_t page = sysconf(_SC_PAGESIZE);
    int64_t from = bytes->n_bytes == 0 ? 0 : (bytes->n_bytes - 1) / page * page;
    struct fuse_bufvec last = FUSE_BUFVEC_INIT((size_t)(bytes->n_bytes - from));
    size_t length = 0;

    if (bytes->n_bytes == 0) return true;
    last.buf[0].mem = wr_malloc(last.buf[0].size);
    bool told = last.buf[0].mem != NULL &&
                weir_file_read(bytes->file, from, last.buf[0].mem, last.buf[0].size, &length,
                               NULL) == WEIR_OK &&
                length == last.buf[0].size &&
                fuse_lowlevel_notify_store(mount->fuse, (uintptr_t)node, from, &last, 0) == 0;
    wr_free(last.buf[0].mem);
    return told;
}

/* Without having told the size, an open is answered so that the name is looked up again, which
 * tells it. */
static void answer_fetch(struct mount *mount, struct waiter *waiters, struct bytes *bytes,
                         const struct stat *status, bool told) {
    for (struct waiter *waiter; (waiter = waiters) != NULL;) {
        waiters = waiter->next;
        if (!waiter->open) {
            fuse_reply_attr(waiter->request, status, valid_s);
        } else if (told) {
            pthread_mutex_lock(&mount->mutex);
            bytes->refs++;
            pthread_mutex_unlock(&mount->mutex);
            answer_open(mount, waiter->request, &waiter->info, bytes);
        } else {
            fuse_reply_err(waiter->request, ESTALE);
        }
        wr_free(waiter);
    }
}

/* What is done with bytes that are the node's now; of which the caller gives a reference. */
static void serve_fetched(struct mount *mount, struct node *node, struct waiter *waiters,
                          struct bytes *bytes) {
    struct stat status;
    bool opens = false;

    for (struct waiter *waiter = waiters; waiter != NULL; waiter = waiter->next)
        opens = opens || waiter->open;
    pthread_mutex_lock(&mount->mutex);
    bool told = node->told;
    pthread_mutex_unlock(&mount->mutex);
    if (opens && !told) told = tell_size(mount, node, bytes);
    pthread_mutex_lock(&mount->mutex);
    if (waiters != NULL) node_attributes(node, &status);
    pthread_mutex_unlock(&mount->mutex);
    answer_fetch(mount, waiters, bytes, &status, told);
    pthread_mutex_lock(&mount->mutex);
    struct weir_file *file = bytes_release(&mount->nodes, bytes);
    pthread_mutex_unlock(&mount->mutex);
    weir_file_close(file);
}

/* Whether the task shall be done again: bytes that are not there are made by other workers, and
 * what was cancelled was perhaps somebody else's encoding of the same bytes, which this one joined.
 */
static bool again(struct mount *mount, struct task *task, int code, const struct fetched *fetched) {
    bool quick = code == WEIR_OK && fetched->not_ready;
    bool others = code == WEIR_CANCELLED && !task->cancelled && !mount->stopping &&
                  task->retries++ < MAX_RETRIES;

    if (quick || others) work_again(mount, task, quick ? LANE_SLOW : task->lane);
    return quick || others;
}

/* False when the task was handed on. */
static bool run_fetch(struct mount *mount, struct weir_session *session, struct task *task) {
    struct weir_error error = {0};
    struct fetched fetched = {.info = {.size = sizeof fetched.info}};
    struct node *node = task->node;
    struct bytes *bytes = NULL;
    int errnum = 0;

    int code = fetch(session, task, &fetched, &error);
    if (code != WEIR_OK) errnum = mount_complain(node->path, STAGE_BYTES, &error);
    pthread_mutex_lock(&mount->mutex);
    if (again(mount, task, code, &fetched)) {
        pthread_mutex_unlock(&mount->mutex);
        weir_file_close(fetched.file);
        wr_free(fetched.version);
        return false;
    }
    if (code == WEIR_OK) errnum = adopt(mount, node, &fetched);
    if (errnum == ESTALE) nodes_retire(&mount->nodes, node);
    struct waiter *waiters = work_finish(task);
    if (errnum == 0) {
        bytes = node->bytes;
        bytes->refs++;
    }
    pthread_mutex_unlock(&mount->mutex);
    if (errnum == 0) {
        serve_fetched(mount, node, waiters, bytes);
    } else {
        weir_file_close(fetched.file);
        answer_error(waiters, errnum);
    }
    wr_free(fetched.version);
    return true;
}

/* ---- The schema, as an attribute ---- */

static void run_schema(struct mount *mount, struct weir_session *session, struct task *task) {
    struct weir_error error = {0};
    struct weir_node *node = NULL;
    struct ArrowSchema schema = {0};
    char *text = NULL;
    int errnum = 0;

    int code = weir_node_open(session, task->node->path, &node, &error);
    if (code == WEIR_OK) code = weir_node_schema(node, &schema, &error);
    if (code == WEIR_OK) code = schema_text(&schema, &text, &error);
    if (code != WEIR_OK) errnum = mount_complain(task->node->path, STAGE_BYTES, &error);
    if (schema.release != NULL) schema.release(&schema);
    weir_node_close(node);
    struct waiter *waiter = finish(mount, task);
    if (errnum != 0 || waiter == NULL) {
        answer_error(waiter, errnum);
    } else {
        answer_attribute(waiter->request, text, task->room);
        wr_free(waiter);
    }
    wr_free(text);
}

/* The worker's session; NULL when it cannot be opened, which the task's error is then. */
static struct weir_session *session_of(struct worker *worker, struct task *task) {
    struct mount *mount = worker->mount;
    const struct weir_session_options options = {.size = sizeof options,
                                                 .settings = mount->options->settings,
                                                 .n_settings = mount->options->n_settings};
    struct weir_session *session = worker->session;
    struct weir_error error = {0};

    if (session != NULL) return session;
    if (weir_session_open(mount->workspace, &options, &session, &error) != WEIR_OK) {
        int errnum = mount_complain(task->node->path, STAGE_BYTES, &error);
        answer_error(finish(mount, task), errnum);
        return NULL;
    }
    pthread_mutex_lock(&mount->mutex);
    worker->session = session;
    pthread_mutex_unlock(&mount->mutex);
    return session;
}

bool task_run(struct worker *worker, struct task *task) {
    struct mount *mount = worker->mount;
    struct weir_session *session = session_of(worker, task);

    if (session == NULL) return true;
    switch (task->kind) {
    case TASK_LOOKUP:
        run_lookup(mount, session, task);
        break;
    case TASK_LIST:
        run_list(mount, session, task);
        break;
    case TASK_FETCH:
        return run_fetch(mount, session, task);
    case TASK_SCHEMA:
        run_schema(mount, session, task);
        break;
    }
    return true;
}
