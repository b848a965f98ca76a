/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/auth.h"

enum { MOST_WAITING = 256, MOST_PASSWORD = 1024, N_KNOWN = 256, KNOWN_S = 60, MARK_SIZE = 32 };

/* A password that was right for a stored hash. */
struct known {
    unsigned char mark[MARK_SIZE];
    int64_t until_s;
};

struct wr_passwords {
    unsigned long long operations;
    size_t memory;
    int most; /* at one time */
    char dummy[crypto_pwhash_STRBYTES];
    unsigned char key[crypto_generichash_KEYBYTES]; /* of the marks; of this process alone */
    pthread_mutex_t mutex;                          /* guards what follows */
    pthread_cond_t free;
    int running;
    int waiting;
    bool has_dummy;
    struct known known[N_KNOWN];
    size_t next;
};

int wr_passwords_new(const struct wr_config *config, struct wr_passwords **ret_passwords,
                     struct weir_error *error) {
    if (sodium_init() < 0)
        return wr_error_set(error, WEIR_INTERNAL, NULL, "libsodium cannot be used here");
    struct wr_passwords *passwords = wr_calloc(1, sizeof *passwords);
    if (!passwords) return wr_error_memory(error);
    passwords->operations = (unsigned long long)wr_config_int(config, "auth.password.operations");
    passwords->memory = (size_t)wr_config_int(config, "auth.password.memory");
    passwords->most = (int)wr_config_int(config, "auth.password.concurrency");
    randombytes_buf(passwords->key, sizeof passwords->key);
    pthread_mutex_init(&passwords->mutex, NULL);
    pthread_cond_init(&passwords->free, NULL);
    *ret_passwords = passwords;
    return WEIR_OK;
}

void wr_passwords_free(struct wr_passwords *passwords) {
    if (!passwords) return;
    pthread_cond_destroy(&passwords->free);
    pthread_mutex_destroy(&passwords->mutex);
    sodium_memzero(passwords, sizeof *passwords);
    wr_free(passwords);
}

/* ---- One at a time, or a few ---- */

static int enter(struct wr_passwords *passwords, struct weir_error *error) {
    pthread_mutex_lock(&passwords->mutex);
    bool full = passwords->running >= passwords->most && passwords->waiting >= MOST_WAITING;
    if (!full) {
        passwords->waiting++;
        while (passwords->running >= passwords->most)
            pthread_cond_wait(&passwords->free, &passwords->mutex);
        passwords->waiting--;
        passwords->running++;
    }
    pthread_mutex_unlock(&passwords->mutex);
    if (!full) return WEIR_OK;
    return wr_error_set(error, WEIR_TIMEOUT, "53300",
                        "too many logins at one time; try again in a moment");
}

static void leave(struct wr_passwords *passwords) {
    pthread_mutex_lock(&passwords->mutex);
    passwords->running--;
    pthread_cond_signal(&passwords->free);
    pthread_mutex_unlock(&passwords->mutex);
}

static int hash_now(const struct wr_passwords *passwords, const char *password, char *ret_hash,
                    struct weir_error *error) {
    if (crypto_pwhash_str_alg(ret_hash, password, strlen(password), passwords->operations,
                              passwords->memory, crypto_pwhash_ALG_ARGON2ID13) == 0)
        return WEIR_OK;
    return wr_error_memory(error);
}

int wr_password_hash(struct wr_passwords *passwords, const char *password, char **ret_hash,
                     struct weir_error *error) {
    char hash[crypto_pwhash_STRBYTES];
    if (!*password || strlen(password) > MOST_PASSWORD)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "a password has 1 to %d bytes",
                            MOST_PASSWORD);
    WR_TRY(enter(passwords, error));
    int code = hash_now(passwords, password, hash, error);
    leave(passwords);
    WR_TRY(code);
    *ret_hash = wr_strdup(hash);
    return *ret_hash ? WEIR_OK : wr_error_memory(error);
}

/* ---- What was right a moment ago ---- */

static int64_t now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* The stored hash is part of it: a password that was changed is not known. */
static void mark_of(const struct wr_passwords *passwords, const char *user, const char *hash,
                    const char *password, unsigned char ret_mark[MARK_SIZE]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, passwords->key, sizeof passwords->key, MARK_SIZE);
    crypto_generichash_update(&state, (const unsigned char *)user, strlen(user) + 1);
    crypto_generichash_update(&state, (const unsigned char *)hash, strlen(hash) + 1);
    crypto_generichash_update(&state, (const unsigned char *)password, strlen(password));
    crypto_generichash_final(&state, ret_mark, MARK_SIZE);
    sodium_memzero(&state, sizeof state);
}

static bool is_known(struct wr_passwords *passwords, const unsigned char mark[MARK_SIZE]) {
    bool found = false;
    int64_t now = now_s();
    pthread_mutex_lock(&passwords->mutex);
    for (size_t i = 0; i < N_KNOWN; i++) {
        const struct known *known = &passwords->known[i];
        if (now < known->until_s && sodium_memcmp(known->mark, mark, MARK_SIZE) == 0) found = true;
    }
    pthread_mutex_unlock(&passwords->mutex);
    return found;
}

static void learn(struct wr_passwords *passwords, const unsigned char mark[MARK_SIZE]) {
    pthread_mutex_lock(&passwords->mutex);
    struct known *known = &passwords->known[passwords->next];
    passwords->next = (passwords->next + 1) % N_KNOWN;
    memcpy(known->mark, mark, MARK_SIZE);
    known->until_s = now_s() + KNOWN_S;
    pthread_mutex_unlock(&passwords->mutex);
}

/* ---- Checking ---- */

/* Made at the first use, while this caller counts as running. */
static int dummy_hash(struct wr_passwords *passwords, const char **ret_hash,
                      struct weir_error *error) {
    char hash[crypto_pwhash_STRBYTES];
    char random[33];
    unsigned char bytes[16];
    pthread_mutex_lock(&passwords->mutex);
    bool has = passwords->has_dummy;
    pthread_mutex_unlock(&passwords->mutex);
    if (!has) {
        randombytes_buf(bytes, sizeof bytes);
        sodium_bin2hex(random, sizeof random, bytes, sizeof bytes);
        WR_TRY(hash_now(passwords, random, hash, error));
        pthread_mutex_lock(&passwords->mutex);
        if (!passwords->has_dummy) memcpy(passwords->dummy, hash, sizeof hash);
        passwords->has_dummy = true;
        pthread_mutex_unlock(&passwords->mutex);
    }
    *ret_hash = passwords->dummy;
    return WEIR_OK;
}

int wr_password_check(struct wr_passwords *passwords, const char *user, const char *hash,
                      const char *password, bool *ret_right, struct weir_error *error) {
    unsigned char mark[MARK_SIZE];
    const char *checked = hash;
    size_t length = strnlen(password, MOST_PASSWORD + 1);
    bool possible = hash && length > 0 && length <= MOST_PASSWORD;
    if (possible) {
        mark_of(passwords, user, hash, password, mark);
        if (is_known(passwords, mark)) {
            *ret_right = true;
            return WEIR_OK;
        }
    }
    WR_TRY(enter(passwords, error));
    int code = dummy_hash(passwords, &checked, error);
    if (code == WEIR_OK) {
        if (possible) checked = hash;
        if (length > MOST_PASSWORD) length = MOST_PASSWORD;
        bool right = crypto_pwhash_str_verify(checked, password, length) == 0;
        *ret_right = possible && right;
    }
    leave(passwords);
    if (code == WEIR_OK && *ret_right) learn(passwords, mark);
    return code;
}
