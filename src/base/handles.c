/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/handles.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"

/* How often adding and getting look for what is over. */
enum { SWEEP_MS = 1000 };

struct handle {
    struct handle *next; /* in its bucket, or in a list to be destroyed */
    char id[WR_HANDLE_SIZE];
    char *owner;
    void *object;
    void (*destroy)(void *object);
    int64_t idle_ms;
    int64_t used_ms; /* the last use's end */
    int n_uses;
    bool dropped;
};

enum { N_BUCKETS = 1024 };

struct wr_handles {
    pthread_mutex_t mutex; /* guards what follows */
    struct handle *buckets[N_BUCKETS];
    struct handle *dropped; /* in use still */
    size_t n_handles;
    int64_t swept_ms;
};

int wr_random_id(char ret_id[WR_HANDLE_SIZE], struct weir_error *error) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[(WR_HANDLE_SIZE - 1) / 2];
    size_t n = 0;
    while (n < sizeof bytes) {
        ssize_t length = getrandom(bytes + n, sizeof bytes - n, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return wr_error_errno(error, errno, "cannot get random numbers");
        n += (size_t)length;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret_id[2 * i] = digits[bytes[i] >> 4];
        ret_id[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_id[WR_HANDLE_SIZE - 1] = '\0';
    return WEIR_OK;
}

/* ---- With the mutex held ---- */

/* An id's first digits choose: they are random. NULL: it is none. */
static struct handle **bucket_of(struct wr_handles *handles, const char *id, size_t length) {
    size_t at = 0;
    if (length != WR_HANDLE_SIZE - 1) return NULL;
    for (int i = 0; i < 4; i++)
        at = at * 31 + (unsigned char)id[i];
    return &handles->buckets[at % N_BUCKETS];
}

/* Who has the id has it by right: the time of a comparison tells nothing of 128 random bits that
 * the bucket does not. The owner is compared all the same. */
static struct handle **find(struct wr_handles *handles, const char *owner, const char *id,
                            size_t length) {
    struct handle **at = bucket_of(handles, id, length);
    if (!at) return NULL;
    for (; *at; at = &(*at)->next) {
        if (memcmp((*at)->id, id, length) != 0) continue;
        return strcmp((*at)->owner, owner) == 0 ? at : NULL;
    }
    return NULL;
}

static bool is_over(const struct handle *handle, int64_t now) {
    return handle->idle_ms > 0 && handle->n_uses == 0 && now - handle->used_ms >= handle->idle_ms;
}

/* Takes it out; into `dead` unless it is in use. */
static void unlink_handle(struct wr_handles *handles, struct handle **at, struct handle **dead) {
    struct handle *handle = *at;
    *at = handle->next;
    handles->n_handles--;
    handle->dropped = true;
    struct handle **list = handle->n_uses > 0 ? &handles->dropped : dead;
    handle->next = *list;
    *list = handle;
}

static void collect(struct wr_handles *handles, int64_t now, struct handle **dead) {
    handles->swept_ms = now;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        struct handle **at = &handles->buckets[i];
        while (*at) {
            if (is_over(*at, now)) {
                unlink_handle(handles, at, dead);
            } else {
                at = &(*at)->next;
            }
        }
    }
}

/* ---- Without it ---- */

static void destroy_all(struct handle *dead) {
    while (dead) {
        struct handle *next = dead->next;
        if (dead->destroy) dead->destroy(dead->object);
        wr_free(dead->owner);
        wr_free(dead);
        dead = next;
    }
}

int wr_handles_new(struct wr_handles **ret_handles, struct weir_error *error) {
    struct wr_handles *handles = wr_calloc(1, sizeof *handles);
    if (!handles) return wr_error_memory(error);
    pthread_mutex_init(&handles->mutex, NULL);
    *ret_handles = handles;
    return WEIR_OK;
}

void wr_handles_free(struct wr_handles *handles) {
    if (!handles) return;
    for (size_t i = 0; i < N_BUCKETS; i++)
        destroy_all(handles->buckets[i]);
    destroy_all(handles->dropped);
    pthread_mutex_destroy(&handles->mutex);
    wr_free(handles);
}

int wr_handles_add(struct wr_handles *handles, const char *owner, void *object,
                   void (*destroy)(void *object), int64_t idle_ms, char ret_id[WR_HANDLE_SIZE],
                   struct weir_error *error) {
    struct handle *handle = wr_calloc(1, sizeof *handle);
    char *copy = wr_strdup(owner);
    int code = handle && copy ? wr_random_id(handle->id, error) : wr_error_memory(error);
    if (code) {
        wr_free(copy);
        wr_free(handle);
        return code;
    }
    struct handle *dead = NULL;
    int64_t now = wr_clock_ms();
    handle->owner = copy;
    handle->object = object;
    handle->destroy = destroy;
    handle->idle_ms = idle_ms;
    handle->used_ms = now;
    memcpy(ret_id, handle->id, WR_HANDLE_SIZE);
    pthread_mutex_lock(&handles->mutex);
    if (now - handles->swept_ms >= SWEEP_MS) collect(handles, now, &dead);
    struct handle **bucket = bucket_of(handles, handle->id, WR_HANDLE_SIZE - 1);
    handle->next = *bucket;
    *bucket = handle;
    handles->n_handles++;
    pthread_mutex_unlock(&handles->mutex);
    destroy_all(dead);
    return WEIR_OK;
}

void *wr_handles_get(struct wr_handles *handles, const char *owner, const char *id, size_t length) {
    struct handle *dead = NULL;
    void *object = NULL;
    int64_t now = wr_clock_ms();
    pthread_mutex_lock(&handles->mutex);
    if (now - handles->swept_ms >= SWEEP_MS) collect(handles, now, &dead);
    struct handle **at = find(handles, owner, id, length);
    if (at && is_over(*at, now)) {
        unlink_handle(handles, at, &dead);
    } else if (at) {
        (*at)->n_uses++;
        object = (*at)->object;
    }
    pthread_mutex_unlock(&handles->mutex);
    destroy_all(dead);
    return object;
}

/* The handle of an object in use. */
static struct handle **find_object(struct wr_handles *handles, const void *object) {
    for (struct handle **at = &handles->dropped; *at; at = &(*at)->next) {
        if ((*at)->object == object) return at;
    }
    for (size_t i = 0; i < N_BUCKETS; i++) {
        for (struct handle **at = &handles->buckets[i]; *at; at = &(*at)->next) {
            if ((*at)->object == object) return at;
        }
    }
    return NULL;
}

void wr_handles_release(struct wr_handles *handles, void *object) {
    struct handle *dead = NULL;
    if (!object) return;
    pthread_mutex_lock(&handles->mutex);
    struct handle **at = find_object(handles, object);
    if (at && --(*at)->n_uses == 0) {
        (*at)->used_ms = wr_clock_ms();
        if ((*at)->dropped) {
            dead = *at;
            *at = dead->next;
            dead->next = NULL;
        }
    }
    pthread_mutex_unlock(&handles->mutex);
    destroy_all(dead);
}

bool wr_handles_drop(struct wr_handles *handles, const char *owner, const char *id, size_t length) {
    struct handle *dead = NULL;
    pthread_mutex_lock(&handles->mutex);
    struct handle **at = find(handles, owner, id, length);
    if (at) unlink_handle(handles, at, &dead);
    pthread_mutex_unlock(&handles->mutex);
    destroy_all(dead);
    return at != NULL;
}

void wr_handles_sweep(struct wr_handles *handles) {
    struct handle *dead = NULL;
    pthread_mutex_lock(&handles->mutex);
    collect(handles, wr_clock_ms(), &dead);
    pthread_mutex_unlock(&handles->mutex);
    destroy_all(dead);
}

size_t wr_handles_count(struct wr_handles *handles) {
    pthread_mutex_lock(&handles->mutex);
    size_t n_handles = handles->n_handles;
    pthread_mutex_unlock(&handles->mutex);
    return n_handles;
}
