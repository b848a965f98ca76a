/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "internal.h"

int64_t mount_now(void) {
    return wr_clock_ms();
}

/* ---- Tasks ---- */

static void enqueue(struct mount *mount, struct task *task, enum lane lane) {
    task->lane = lane;
    task->next = NULL;
    *(mount->first[lane] == NULL ? &mount->first[lane] : &mount->last[lane]->next) = task;
    mount->last[lane] = task;
    pthread_cond_signal(&mount->more[lane]);
}

static struct task *dequeue(struct mount *mount, enum lane lane) {
    struct task *task = mount->first[lane];
    if (task == NULL) return NULL;
    mount->first[lane] = task->next;
    return task;
}

static void take_out(struct mount *mount, struct task *task) {
    struct task *previous = NULL;
    for (struct task *at = mount->first[task->lane]; at != task; at = at->next)
        previous = at;
    *(previous == NULL ? &mount->first[task->lane] : &previous->next) = task->next;
    if (mount->last[task->lane] == task) mount->last[task->lane] = previous;
}

static struct task *task_new(struct mount *mount, enum task_kind kind, struct node *node,
                             const char *name, size_t room) {
    struct task *task = wr_calloc(1, sizeof *task);

    if (task == NULL) return NULL;
    if (name != NULL && (task->name = wr_strdup(name)) == NULL) {
        wr_free(task);
        return NULL;
    }
    task->kind = kind;
    task->room = room;
    task->node = node;
    node->refs++;
    task->next_live = mount->live;
    if (mount->live != NULL) mount->live->previous_live = task;
    mount->live = task;
    return task;
}

static void task_free(struct mount *mount, struct task *task) {
    if (task->next_live != NULL) task->next_live->previous_live = task->previous_live;
    *(task->previous_live != NULL ? &task->previous_live->next_live : &mount->live) =
        task->next_live;
    if (task->node->fetch == task) task->node->fetch = NULL;
    nodes_release(&mount->nodes, task->node, 1);
    wr_free(task->name);
    wr_free(task);
}

/* The task that the request joins: there is one, or it is new. NULL: no memory. */
static struct task *find_task(struct mount *mount, enum task_kind kind, struct node *node,
                              const char *name, size_t room) {
    if (kind == TASK_FETCH && node->fetch != NULL) return node->fetch;
    struct task *task = task_new(mount, kind, node, name, room);
    if (task == NULL) return NULL;
    if (kind == TASK_FETCH) node->fetch = task;
    /* A size is known beforehand when the bytes are there. */
    enqueue(mount, task, kind == TASK_FETCH && node->n_bytes < 0 ? LANE_SLOW : LANE_QUICK);
    return task;
}

/* ---- Requests ---- */

/* Called by libfuse when the one who asked goes away or gets a signal. It keeps the request alive
 * until this returns, so no other request has its address. */
static void on_interrupt(fuse_req_t request, void *data) {
    struct mount *mount = data;
    struct waiter *found = NULL;

    pthread_mutex_lock(&mount->mutex);
    for (struct task *task = mount->live; task != NULL && found == NULL; task = task->next_live) {
        for (struct waiter **at = &task->waiters; *at != NULL; at = &(*at)->next) {
            if ((*at)->request != request) continue;
            found = *at;
            *at = found->next;
            if (task->waiters == NULL) task->abandoned_at = mount_now();
            break;
        }
    }
    pthread_mutex_unlock(&mount->mutex);
    if (found == NULL) return; /* it is being answered */
    fuse_reply_err(request, EINTR);
    wr_free(found);
}

void work_submit(struct mount *mount, enum task_kind kind, struct node *node, const char *name,
                 size_t room, fuse_req_t request, const struct fuse_file_info *info) {
    struct waiter *waiter = wr_calloc(1, sizeof *waiter);
    int errnum = ENOMEM;

    if (waiter != NULL) {
        waiter->request = request;
        waiter->open = info != NULL;
        if (info != NULL) waiter->info = *info;
        /* An interrupt from here on is either seen below or finds the request among the waiters. */
        fuse_req_interrupt_func(request, on_interrupt, mount);
        pthread_mutex_lock(&mount->mutex);
        if (mount->stopping) {
            errnum = ENOTCONN;
        } else if (fuse_req_interrupted(request)) {
            errnum = EINTR;
        } else {
            struct task *task = find_task(mount, kind, node, name, room);
            if (task != NULL) {
                waiter->next = task->waiters;
                task->waiters = waiter;
                errnum = 0;
            }
        }
        pthread_mutex_unlock(&mount->mutex);
    }
    if (errnum == 0) return;
    wr_free(waiter);
    fuse_reply_err(request, errnum);
}

struct waiter *work_finish(struct task *task) {
    struct waiter *waiters = task->waiters;

    task->waiters = NULL;
    task->worker->task = NULL;
    if (task->node->fetch == task) task->node->fetch = NULL;
    return waiters;
}

void work_again(struct mount *mount, struct task *task, enum lane lane) {
    task->worker->task = NULL;
    task->worker = NULL;
    enqueue(mount, task, lane);
}

/* ---- Workers ---- */

static void *work(void *data) {
    struct worker *worker = data;
    struct mount *mount = worker->mount;

    pthread_mutex_lock(&mount->mutex);
    while (!mount->stopping) {
        struct task *task = dequeue(mount, worker->lane);
        if (task == NULL) {
            pthread_cond_wait(&mount->more[worker->lane], &mount->mutex);
            continue;
        }
        task->worker = worker;
        worker->task = task;
        pthread_mutex_unlock(&mount->mutex);
        bool done = task_run(worker, task);
        pthread_mutex_lock(&mount->mutex);
        if (done) task_free(mount, task);
    }
    pthread_mutex_unlock(&mount->mutex);
    return NULL;
}

int work_start(struct mount *mount, struct weir_error *error) {
    for (int i = 0; i < N_WORKERS; i++) {
        struct worker *worker = &mount->workers[i];
        worker->mount = mount;
        worker->lane = i < N_QUICK ? LANE_QUICK : LANE_SLOW;
        int errnum = pthread_create(&worker->thread, NULL, work, worker);
        if (errnum != 0) return wr_error_errno(error, errnum, "cannot start a thread");
        worker->started = true;
    }
    return WEIR_OK;
}

/* What a worker does for nobody. Again at every tick: an interrupt that comes between two calls of
 * the task finds nothing to end. */
static void cancel(struct task *task) {
    task->cancelled = true;
    if (task->node->fetch == task) task->node->fetch = NULL; /* who comes now starts anew */
    if (task->worker->session != NULL) weir_session_interrupt(task->worker->session);
}

void work_tick(struct mount *mount) {
    int64_t now = mount_now();

    pthread_mutex_lock(&mount->mutex);
    for (struct task *task = mount->live, *next; task != NULL; task = next) {
        next = task->next_live;
        bool given_up = task->waiters == NULL && now - task->abandoned_at >= GRACE_MS;
        if (task->worker == NULL) {
            if (!given_up && !mount->stopping) continue;
            take_out(mount, task);
            task_free(mount, task);
        } else if (task->worker->task == task && (given_up || mount->stopping)) {
            cancel(task);
        }
    }
    for (;;) {
        struct weir_file *file = nodes_let_go(&mount->nodes, now);
        if (file == NULL) break;
        pthread_mutex_unlock(&mount->mutex);
        weir_file_close(file);
        pthread_mutex_lock(&mount->mutex);
    }
    pthread_mutex_unlock(&mount->mutex);
}

void work_refuse(struct mount *mount, int errnum) {
    struct waiter *all = NULL;

    pthread_mutex_lock(&mount->mutex);
    mount->stopping = true;
    for (struct task *task = mount->live; task != NULL; task = task->next_live) {
        for (struct waiter *waiter; (waiter = task->waiters) != NULL;) {
            task->waiters = waiter->next;
            waiter->next = all;
            all = waiter;
        }
    }
    for (int lane = 0; lane < N_LANES; lane++)
        pthread_cond_broadcast(&mount->more[lane]);
    pthread_mutex_unlock(&mount->mutex);
    for (struct waiter *waiter; (waiter = all) != NULL;) {
        all = waiter->next;
        fuse_reply_err(waiter->request, errnum);
        wr_free(waiter);
    }
}

void work_stop(struct mount *mount) {
    static const struct timespec tick = {.tv_nsec = 20 * 1000000};

    for (int i = 0; i < N_WORKERS; i++) {
        struct worker *worker = &mount->workers[i];
        if (!worker->started) continue;
        while (pthread_tryjoin_np(worker->thread, NULL) == EBUSY) {
            work_tick(mount);
            nanosleep(&tick, NULL);
        }
        worker->started = false;
        weir_session_close(worker->session);
        worker->session = NULL;
    }
    work_tick(mount); /* what no worker took */
}
