/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON web tokens (RFC 7519) signed by RS256, ES256 or EdDSA (RFC 7518, RFC 8037).
 *
 * 1. The algorithm is the key's: an RSA key of 2048 bits or more takes RS256, one on P-256 ES256,
 * an Ed25519 key EdDSA. A token whose header says another one, `none` and HS256 among them, is
 * refused.
 * 2. What a header may make a reader do (jku, jwk, x5u, crit) is not done: the first three are not
 * read, a token with crit is refused.
 * 3. A key set never changes; readers keep a reference.
 */
#ifndef WR_JWT_H
#define WR_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

struct wr_key_set;

/* Public keys in PEM, or a JWKS (RFC 7517), by what the text begins with. Keys of a JWKS that are
 * of other types or uses are left out. WEIR_INVALID_DATA when none remains. */
int wr_key_set_parse(const char *text, size_t length, struct wr_key_set **ret_set,
                     struct weir_error *error);
struct wr_key_set *wr_key_set_retain(struct wr_key_set *set);
void wr_key_set_release(struct wr_key_set *set);

struct wr_jwt_rules {
    const char *issuer;
    const char *audience;
    const char *user_claim;
    const char *roles_claim; /* NULL: none are read */
    int64_t skew_s;
    int64_t now_s;
};

struct wr_jwt {
    char *user;
    char **roles;
    size_t n_roles;
    int64_t expires_s; /* with the skew */
};

enum wr_jwt_result {
    WR_JWT_GOOD = 0,
    WR_JWT_BAD = 1,
    WR_JWT_NO_KEY = 2, /* the set has no key of the token's kid */
    WR_JWT_NO_MEMORY = 3
};

/* `set` may be NULL: no keys. */
enum wr_jwt_result wr_jwt_verify(const char *token, struct wr_key_set *set,
                                 const struct wr_jwt_rules *rules, struct wr_jwt *ret_jwt);
void wr_jwt_reset(struct wr_jwt *jwt);

/* Strict base64url without padding, into at most `size` bytes; -1 when it is none. */
int64_t wr_base64url_decode(const char *text, size_t length, unsigned char *data, size_t size);

/* ---- A set that is fetched ---- */

/*
 * The keys of an issuer: of a file, read once, or of an address, fetched when first needed, when a
 * token names a key that is not among them (at most every ten seconds), and every hour. A failed
 * fetch leaves the old keys in their place. Safe for threads; one fetches at a time and the others
 * go on with what there is.
 */
struct wr_key_source;
/* One of both; the file is read now. */
int wr_key_source_new(const char *file, const char *url, struct wr_key_source **ret_source,
                      struct weir_error *error);
void wr_key_source_free(struct wr_key_source *source);
/* With a reference; NULL: there are none. `unknown`: the present ones do not do. */
struct wr_key_set *wr_key_source_get(struct wr_key_source *source, bool unknown);

/* GET of an https URL, or an http one of this machine, without following anything. The whole takes
 * at most `timeout_ms`. *ret_body ends in a NUL; free with wr_free. */
int wr_fetch_url(const char *url, size_t most, int64_t timeout_ms, char **ret_body,
                 size_t *ret_length, struct weir_error *error);
/* Whether wr_fetch_url would take it. */
bool wr_is_fetchable(const char *url);

#endif
