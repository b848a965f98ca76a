/* SPDX-License-Identifier: Apache-2.0 */
#include "table/encodings.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"

struct wr_encodings {
    pthread_rwlock_t lock; /* guards the list; what it points to stays */
    const struct weir_encoding **items;
    int n_items;
};

int wr_encodings_new(struct wr_encodings **ret_encodings, struct weir_error *error) {
    struct wr_encodings *encodings = wr_calloc(1, sizeof *encodings);
    if (!encodings) return wr_error_memory(error);
    pthread_rwlock_init(&encodings->lock, NULL);
    *ret_encodings = encodings;
    return WEIR_OK;
}

void wr_encodings_free(struct wr_encodings *encodings) {
    if (!encodings) return;
    pthread_rwlock_destroy(&encodings->lock);
    wr_free(encodings->items);
    wr_free(encodings);
}

static bool is_same(const char *name, const char *text, size_t length) {
    return strlen(name) == length && strncasecmp(name, text, length) == 0;
}

static bool has(const struct weir_encoding *encoding, const char *text, size_t length) {
    if (is_same(encoding->name, text, length)) return true;
    for (const char *const *suffix = encoding->suffixes; suffix && *suffix; suffix++) {
        if (is_same(*suffix, text, length)) return true;
    }
    return false;
}

/* With the lock held. */
static int find(const struct wr_encodings *encodings, const char *text, size_t length) {
    for (int i = 0; i < encodings->n_items; i++) {
        if (has(encodings->items[i], text, length)) return i;
    }
    return -1;
}

static int check_free(const struct wr_encodings *encodings, const char *text,
                      struct weir_error *error) {
    int number = find(encodings, text, strlen(text));
    if (number < 0) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                        "files named *.%s are of the encoding \"%s\" already", text,
                        encodings->items[number]->name);
}

static int add(struct wr_encodings *encodings, const struct weir_encoding *encoding,
               struct weir_error *error) {
    WR_TRY(check_free(encodings, encoding->name, error));
    for (const char *const *suffix = encoding->suffixes; suffix && *suffix; suffix++)
        WR_TRY(check_free(encodings, *suffix, error));
    const struct weir_encoding **items =
        wr_reallocarray(encodings->items, (size_t)encodings->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    items[encodings->n_items++] = encoding;
    encodings->items = items;
    return WEIR_OK;
}

int wr_encodings_add(struct wr_encodings *encodings, const struct weir_encoding *encoding,
                     struct weir_error *error) {
    pthread_rwlock_wrlock(&encodings->lock);
    int code = add(encodings, encoding, error);
    pthread_rwlock_unlock(&encodings->lock);
    return code;
}

void wr_encodings_take_back(struct wr_encodings *encodings) {
    pthread_rwlock_wrlock(&encodings->lock);
    encodings->n_items--;
    pthread_rwlock_unlock(&encodings->lock);
}

/* A lock changes what is in it, and nothing that anybody sees. */
static pthread_rwlock_t *lock_of(const struct wr_encodings *encodings) {
    return &((struct wr_encodings *)(uintptr_t)encodings)->lock;
}

int wr_encodings_find(const struct wr_encodings *encodings, const char *text, size_t length) {
    if (!encodings) return -1;
    pthread_rwlock_rdlock(lock_of(encodings));
    int number = find(encodings, text, length);
    pthread_rwlock_unlock(lock_of(encodings));
    return number;
}

const struct weir_encoding *wr_encodings_at(const struct wr_encodings *encodings, int number) {
    if (!encodings || number < 0) return NULL;
    pthread_rwlock_rdlock(lock_of(encodings));
    const struct weir_encoding *encoding =
        number < encodings->n_items ? encodings->items[number] : NULL;
    pthread_rwlock_unlock(lock_of(encodings));
    return encoding;
}
