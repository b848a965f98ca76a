/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests there are: to find those whose clients left, to cancel one by its id, and to wait
 * for all. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "http/internal.h"

void http_running_add(struct http_request *request) {
    struct wr_http *door = request->door;
    pthread_mutex_lock(&door->mutex);
    request->serial = ++door->serial;
    request->next = door->requests;
    if (request->next) request->next->previous = request;
    door->requests = request;
    door->n_requests++;
    pthread_mutex_unlock(&door->mutex);
}

void http_running_remove(struct http_request *request) {
    struct wr_http *door = request->door;
    pthread_mutex_lock(&door->mutex);
    if (request->next) request->next->previous = request->previous;
    if (request->previous) {
        request->previous->next = request->next;
    } else {
        door->requests = request->next;
    }
    door->n_requests--;
    pthread_cond_broadcast(&door->quiet);
    pthread_mutex_unlock(&door->mutex);
}

bool http_running_begin_task(struct wr_http *door) {
    pthread_mutex_lock(&door->mutex);
    bool may = !door->closing;
    if (may) door->n_busy++;
    pthread_mutex_unlock(&door->mutex);
    return may;
}

void http_running_end_task(struct wr_http *door) {
    pthread_mutex_lock(&door->mutex);
    door->n_busy--;
    pthread_cond_broadcast(&door->quiet);
    pthread_mutex_unlock(&door->mutex);
}

struct http_request *http_running_by_serial(struct wr_http *door, uint64_t serial) {
    pthread_mutex_lock(&door->mutex);
    struct http_request *request = door->requests;
    while (request && request->serial != serial)
        request = request->next;
    if (request) http_retain(request);
    pthread_mutex_unlock(&door->mutex);
    return request;
}

int http_running_name(struct http_request *request, struct weir_error *error) {
    char *owner = wr_strdup(weir_principal_name(request->principal));
    if (!owner) return wr_error_memory(error);
    pthread_mutex_lock(&request->door->mutex);
    request->owner = owner;
    weir_statement_id(request->statement, request->id);
    pthread_mutex_unlock(&request->door->mutex);
    return WEIR_OK;
}

struct http_request *http_running_by_id(struct wr_http *door, const char *owner, const char *id) {
    pthread_mutex_lock(&door->mutex);
    struct http_request *request = door->requests;
    for (; request; request = request->next) {
        if (request->owner && request->id[0] && strcmp(request->id, id) == 0 &&
            strcmp(request->owner, owner) == 0)
            break;
    }
    if (request) http_retain(request);
    pthread_mutex_unlock(&door->mutex);
    return request;
}

/* One that is to be abandoned, with a reference: the first one from `*serial` on downwards. */
static struct http_request *next_one(struct wr_http *door, uint64_t *serial, bool all) {
    pthread_mutex_lock(&door->mutex);
    struct http_request *request = door->requests; /* the newest first */
    for (; request; request = request->next) {
        if (request->serial >= *serial) continue;
        if (all || (atomic_load(&request->is_gone) && atomic_load(&request->is_working))) break;
    }
    if (request) {
        http_retain(request);
        *serial = request->serial;
    }
    pthread_mutex_unlock(&door->mutex);
    return request;
}

void http_running_abandon(struct wr_http *door, bool all) {
    struct http_request *request;
    uint64_t serial = UINT64_MAX;
    while ((request = next_one(door, &serial, all))) {
        http_abandon(request);
        http_release(request);
    }
}

/* ---- Waiting ---- */

bool http_running_wait(struct wr_http *door, int64_t deadline_ms) {
    struct timespec until = wr_condition_deadline(deadline_ms);
    int code = 0;
    pthread_mutex_lock(&door->mutex);
    while (door->n_requests > 0 && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&door->quiet, &door->mutex, &until);
    bool quiet = door->n_requests == 0;
    pthread_mutex_unlock(&door->mutex);
    return quiet;
}

void http_running_close(struct wr_http *door) {
    pthread_mutex_lock(&door->mutex);
    door->closing = true;
    pthread_mutex_unlock(&door->mutex);
    http_running_abandon(door, true);
    /* What was about to begin its work when it was abandoned is so again by the watcher. */
    pthread_mutex_lock(&door->mutex);
    while (door->n_busy > 0)
        pthread_cond_wait(&door->quiet, &door->mutex);
    pthread_mutex_unlock(&door->mutex);
}
