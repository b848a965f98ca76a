/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: passwords, API keys, tokens, certificates. See weir_authenticate.
 *
 * 1. Every refusal is the same error, and takes the time that a check takes: an unknown user's
 * password is checked against a hash that nobody's password has.
 * 2. No more passwords are hashed at one time than `auth.password.concurrency`, and no more wait
 * than MOST_WAITING, so that logins bound the memory that they take.
 * 3. A password that was right is known for a minute under a keyed hash, so that a client that
 * sends it with each request does not pay each time; a changed one is not it any more.
 */
#ifndef WR_AUTH_H
#define WR_AUTH_H

#include "catalog/users.h"
#include "config/config.h"

struct wr_auth;

/* `names` and `config` must outlive it. */
int wr_auth_new(struct wr_names *names, const struct wr_config *config, struct wr_auth **ret_auth,
                struct weir_error *error);
void wr_auth_free(struct wr_auth *auth);

/* Whether anything but "anonymous" is known: users, certificates, an issuer of tokens. */
bool wr_auth_is_used(struct wr_auth *auth);

/* For CREATE USER. */
struct wr_passwords;
struct wr_passwords *wr_auth_passwords(struct wr_auth *auth);

struct wr_identity {
    char *user;
    int64_t user_id; /* of the store; 0: not from there */
    char **roles;    /* that a token gives */
    size_t n_roles;
    int64_t expires_ns; /* 0: never */
};
void wr_identity_reset(struct wr_identity *identity);

/* Any failure is WEIR_UNAUTHENTICATED with one and the same message; too many logins at one time is
 * WEIR_TIMEOUT (53300). */
int wr_auth_check(struct wr_auth *auth, const struct weir_credential *credential,
                  struct wr_identity *ret_identity, struct weir_error *error);

/* ---- Passwords (password.c) ---- */

struct wr_passwords;
int wr_passwords_new(const struct wr_config *config, struct wr_passwords **ret_passwords,
                     struct weir_error *error);
void wr_passwords_free(struct wr_passwords *passwords);
/* Argon2id (RFC 9106) with the configured cost. Free with wr_free. */
int wr_password_hash(struct wr_passwords *passwords, const char *password, char **ret_hash,
                     struct weir_error *error);
/* `hash` NULL: there is no such user. *ret_right is false then, and after the same time. */
int wr_password_check(struct wr_passwords *passwords, const char *user, const char *hash,
                      const char *password, bool *ret_right, struct weir_error *error);

/* ---- API keys (api_key.c): "weir_" and 16 hexadecimal digits, a dot, 64 of the secret ---- */

enum { WR_KEY_PREFIX_SIZE = 22, WR_KEY_SIZE = 87 }; /* with the NUL */

/* Makes a key and stores its hash; the key itself is shown now or never. */
int wr_api_key_make(struct wr_names *names, const char *user, const char *label,
                    int64_t lifetime_ms, char ret_key[WR_KEY_SIZE], struct weir_error *error);
/* Whether a text has the form of a key. */
bool wr_is_api_key(const char *text);
/* *ret_user stays NULL for a wrong one. Free with wr_free. */
int wr_api_key_check(struct wr_names *names, const char *key, char **ret_user,
                     int64_t *ret_expires_ns, struct weir_error *error);

#endif
