/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/auth.h"

enum { SECRET_BYTES = 32, PREFIX_BYTES = 8, MOST_KEY = 256 };

static const char head[] = "weir_";

bool wr_is_api_key(const char *text) {
    const char *dot = strchr(text, '.');
    return strncmp(text, head, sizeof head - 1) == 0 && dot && !strchr(dot + 1, '.');
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Over the whole key, first part and all, however long it is. */
static void hash_key(const unsigned char secret[WR_KEY_HASH_SIZE], const char *key, size_t length,
                     unsigned char ret_hash[WR_KEY_HASH_SIZE]) {
    crypto_generichash(ret_hash, WR_KEY_HASH_SIZE, (const unsigned char *)key, length, secret,
                       WR_KEY_HASH_SIZE);
}

int wr_api_key_make(struct wr_names *names, const char *user, const char *label,
                    int64_t lifetime_ms, char ret_key[WR_KEY_SIZE], struct weir_error *error) {
    unsigned char secret[WR_KEY_HASH_SIZE];
    unsigned char hash[WR_KEY_HASH_SIZE];
    unsigned char random[PREFIX_BYTES + SECRET_BYTES];
    char prefix[WR_KEY_PREFIX_SIZE];
    char first[2 * PREFIX_BYTES + 1];
    char second[2 * SECRET_BYTES + 1];
    char key[WR_KEY_SIZE];
    WR_TRY(wr_keys_secret(names, secret, error));
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(first, sizeof first, random, PREFIX_BYTES);
    sodium_bin2hex(second, sizeof second, random + PREFIX_BYTES, SECRET_BYTES);
    snprintf(prefix, sizeof prefix, "%s%s", head, first);
    snprintf(key, sizeof key, "%s.%s", prefix, second);
    hash_key(secret, key, strlen(key), hash);
    int code = wr_keys_add(names, user, prefix, label, hash,
                           lifetime_ms ? now_us() + lifetime_ms * 1000 : 0, error);
    if (code == WEIR_OK) memcpy(ret_key, key, sizeof key);
    sodium_memzero(key, sizeof key);
    sodium_memzero(second, sizeof second);
    sodium_memzero(random, sizeof random);
    sodium_memzero(secret, sizeof secret);
    return code;
}

int wr_api_key_check(struct wr_names *names, const char *text, char **ret_user,
                     int64_t *ret_expires_ns, struct weir_error *error) {
    unsigned char secret[WR_KEY_HASH_SIZE];
    unsigned char hash[WR_KEY_HASH_SIZE];
    char prefix[WR_KEY_PREFIX_SIZE] = "";
    struct wr_key key = {0};
    size_t length = strnlen(text, MOST_KEY);
    size_t dot = strcspn(text, ".");
    if (dot == sizeof prefix - 1) memcpy(prefix, text, dot);
    WR_TRY(wr_keys_secret(names, secret, error));
    WR_TRY(wr_keys_find(names, prefix, &key, error));
    /* Without a key of that prefix the hash is compared with zeros. */
    hash_key(secret, text, length, hash);
    sodium_memzero(secret, sizeof secret);
    bool right = sodium_memcmp(hash, key.hash, sizeof hash) == 0;
    bool timely = key.expires_at == 0 || now_us() < key.expires_at;
    if (!key.found || !right || !timely || length == MOST_KEY) {
        wr_free(key.user);
        return WEIR_OK;
    }
    *ret_user = key.user;
    *ret_expires_ns = key.expires_at * 1000;
    return WEIR_OK;
}
