/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a mount. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "internal.h"

/* The directory of the tree that becomes the root of the file system. */
static int find_root(struct mount *mount, struct weir_error *error) {
    struct weir_node_info info = {.size = sizeof info};
    struct weir_session *session = NULL;
    struct weir_node *node = NULL;

    WR_TRY(weir_session_open(mount->workspace, NULL, &session, error));
    int code = weir_node_open(session, mount->options->path, &node, error);
    if (code == WEIR_OK) {
        weir_node_describe(node, &info);
        if (info.type != WEIR_NODE_DIRECTORY && info.type != WEIR_NODE_SERIES)
            code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s is no directory; only a directory of the tree can be mounted",
                                mount->options->path);
    }
    if (code == WEIR_OK) {
        struct found found = {
            .directory = true, .path = info.path, .modified_ns = info.modified_ns};
        if (found.modified_ns == 0) found.modified_ns = mount->started_ns;
        mount->root = nodes_enter(&mount->nodes, &found);
        if (mount->root == NULL) code = wr_error_memory(error);
    }
    weir_node_close(node);
    weir_session_close(session);
    return code;
}

/* A thread that takes requests from the kernel. It can be cancelled only while it waits for one. */
static void *talk(void *data) {
    struct talker *talker = data;
    struct mount *mount = talker->mount;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    for (;;) {
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        int length = fuse_session_receive_buf(mount->fuse, &talker->request);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        if (length == -EINTR) continue;
        if (length <= 0) break; /* unmounted */
        fuse_session_process_buf(mount->fuse, &talker->request);
    }
    pthread_mutex_lock(&mount->mutex);
    mount->n_ended++;
    pthread_mutex_unlock(&mount->mutex);
    return NULL;
}

static int start_talkers(struct mount *mount, struct weir_error *error) {
    for (int i = 0; i < N_TALKERS; i++) {
        mount->talkers[i].mount = mount;
        int errnum = pthread_create(&mount->talkers[i].thread, NULL, talk, &mount->talkers[i]);
        if (errnum != 0) return wr_error_errno(error, errnum, "cannot start a thread");
        mount->n_talkers++;
    }
    return WEIR_OK;
}

static void stop_talkers(struct mount *mount) {
    for (int i = 0; i < mount->n_talkers; i++)
        pthread_cancel(mount->talkers[i].thread);
    for (int i = 0; i < mount->n_talkers; i++) {
        pthread_join(mount->talkers[i].thread, NULL);
        free(mount->talkers[i].request.mem); /* libfuse's */
    }
    mount->n_talkers = 0;
}

static void serve(struct mount *mount) {
    static const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    while (sigtimedwait(&signals, NULL, &tick) < 0) {
        work_tick(mount);
        pthread_mutex_lock(&mount->mutex);
        bool unmounted = mount->n_ended == mount->n_talkers;
        pthread_mutex_unlock(&mount->mutex);
        if (unmounted) break;
    }
}

static int mount_at(struct mount *mount, const char *directory, struct weir_error *error) {
    char program[] = "weir", flag[] = "-o",
         options[] = "ro,nosuid,nodev,noexec,default_permissions,fsname=weir,subtype=weir";
    char *words[] = {program, flag, options, NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, words);

    mount_take_messages();
    mount->fuse = fuse_session_new(&arguments, &mount_operations, sizeof mount_operations, mount);
    fuse_opt_free_args(&arguments);
    if (mount->fuse != NULL && fuse_session_mount(mount->fuse, directory) == 0) return WEIR_OK;
    const char *why = mount_last_message();
    return wr_error_set(error, WEIR_IO, NULL, "cannot mount at %s: %s", directory,
                        why[0] == '\0' ? "the kernel refused it" : why);
}

/* Every handle and every view that is being read is a descriptor. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve_all(struct mount *mount, const char *directory, struct weir_error *error) {
    WR_TRY(mount_at(mount, directory, error));
    int code = work_start(mount, error);
    if (code == WEIR_OK) code = start_talkers(mount, error);
    if (code == WEIR_OK) serve(mount);
    stop_talkers(mount);
    work_refuse(mount, ENOTCONN);
    /* Ends also what the kernel still waits for: its connection is closed. */
    fuse_session_unmount(mount->fuse);
    work_stop(mount);
    return code;
}

int mount_run(struct weir_workspace *workspace, const struct mount_options *options,
              struct weir_error *error) {
    struct timespec now;
    char directory[PATH_MAX];

    WR_TRY(mount_place(options->directory, directory, error));
    struct mount *mount = wr_calloc(1, sizeof *mount);
    if (mount == NULL) return wr_error_memory(error);
    mount->options = options;
    mount->workspace = workspace;
    clock_gettime(CLOCK_REALTIME, &now);
    mount->started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    pthread_mutex_init(&mount->mutex, NULL);
    for (int lane = 0; lane < N_LANES; lane++)
        pthread_cond_init(&mount->more[lane], NULL);
    raise_file_limit();
    int code = find_root(mount, error);
    if (code == WEIR_OK) code = serve_all(mount, directory, error);
    if (mount->fuse != NULL) fuse_session_destroy(mount->fuse);
    nodes_reset(&mount->nodes);
    for (int lane = 0; lane < N_LANES; lane++)
        pthread_cond_destroy(&mount->more[lane]);
    pthread_mutex_destroy(&mount->mutex);
    wr_free(mount);
    return code;
}
