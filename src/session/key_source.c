/* SPDX-License-Identifier: Apache-2.0 */
/* Where an issuer's keys come from, and when they are fetched again. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "session/jwt.h"

enum { MOST_BYTES = 1 << 20, FETCH_MS = 5000, MOST_AGE_S = 3600, LEAST_PAUSE_S = 10 };

struct wr_key_source {
    char *url;              /* NULL: of a file */
    pthread_mutex_t mutex;  /* guards what follows */
    struct wr_key_set *set; /* NULL: none yet */
    int64_t tried_at;       /* seconds of the monotonic clock; of the last fetch that began */
    int64_t fetched_at;     /* of the last that went well */
    bool is_fetching;
    bool has_tried;
};

static int64_t now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int read_file(const char *path, struct wr_key_set **ret_set, struct weir_error *error) {
    char *text = NULL;
    size_t length = 0;
    int code = wr_read_text_file(path, MOST_BYTES, &text, &length, error);
    if (code == WEIR_OK) code = wr_key_set_parse(text, length, ret_set, error);
    wr_free(text);
    return code ? wr_error_prefix(error, code, "auth.jwt.keys \"%s\"", path) : WEIR_OK;
}

int wr_key_source_new(const char *file, const char *url, struct wr_key_source **ret_source,
                      struct weir_error *error) {
    if (url && !wr_is_fetchable(url))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "auth.jwt.jwks_url must begin with https://, or with http:// and an "
                            "address of this machine");
    struct wr_key_source *source = wr_calloc(1, sizeof *source);
    if (!source) return wr_error_memory(error);
    pthread_mutex_init(&source->mutex, NULL);
    source->url = wr_strdup(url);
    int code = url && !source->url ? wr_error_memory(error) : WEIR_OK;
    if (code == WEIR_OK && !url) code = read_file(file, &source->set, error);
    if (code) {
        wr_key_source_free(source);
        return code;
    }
    *ret_source = source;
    return WEIR_OK;
}

void wr_key_source_free(struct wr_key_source *source) {
    if (!source) return;
    wr_key_set_release(source->set);
    pthread_mutex_destroy(&source->mutex);
    wr_free(source->url);
    wr_free(source);
}

static struct wr_key_set *fetch(const struct wr_key_source *source) {
    struct wr_key_set *set = NULL;
    char *body = NULL;
    size_t length = 0;
    if (wr_fetch_url(source->url, MOST_BYTES, FETCH_MS, &body, &length, NULL) == WEIR_OK)
        wr_key_set_parse(body, length, &set, NULL);
    wr_free(body);
    return set;
}

/* With the mutex held: whether this caller is to fetch now. */
static bool is_due(struct wr_key_source *source, bool unknown) {
    int64_t now = now_s();
    bool wanted = !source->set || unknown || now - source->fetched_at > MOST_AGE_S;
    if (!source->url || source->is_fetching || !wanted) return false;
    if (source->has_tried && now - source->tried_at < LEAST_PAUSE_S) return false;
    source->is_fetching = source->has_tried = true;
    source->tried_at = now;
    return true;
}

struct wr_key_set *wr_key_source_get(struct wr_key_source *source, bool unknown) {
    struct wr_key_set *old = NULL;
    pthread_mutex_lock(&source->mutex);
    if (is_due(source, unknown)) {
        pthread_mutex_unlock(&source->mutex);
        struct wr_key_set *set = fetch(source);
        pthread_mutex_lock(&source->mutex);
        source->is_fetching = false;
        if (set) {
            old = source->set;
            source->set = set;
            source->fetched_at = now_s();
        }
    }
    struct wr_key_set *answer = source->set ? wr_key_set_retain(source->set) : NULL;
    pthread_mutex_unlock(&source->mutex);
    wr_key_set_release(old);
    return answer;
}
