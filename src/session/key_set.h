/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a set of keys. */
#ifndef WR_KEY_SET_H
#define WR_KEY_SET_H

#include <openssl/types.h>
#include <stdatomic.h>

#include "session/jwt.h"

enum wr_jwt_algorithm { WR_JWT_RS256 = 1, WR_JWT_ES256 = 2, WR_JWT_EDDSA = 3 };

struct wr_key_entry {
    char *id; /* NULL: it has none */
    enum wr_jwt_algorithm algorithm;
    EVP_PKEY *key;
};

struct wr_key_set {
    atomic_int references;
    struct wr_key_entry *keys;
    size_t n_keys;
};

#endif
