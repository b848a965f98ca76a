/* SPDX-License-Identifier: Apache-2.0 */
#include "session/auth.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/jwt.h"

struct wr_auth {
    struct wr_names *names;
    const struct wr_config *config;
    struct wr_passwords *passwords;
    struct wr_key_source *keys; /* NULL: no tokens are taken */
};

static int refuse(struct weir_error *error) {
    return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000", "the credential is not valid");
}

/* ---- Making ---- */

static int open_keys(struct wr_auth *auth, struct weir_error *error) {
    const char *file = wr_config_text(auth->config, "auth.jwt.keys");
    const char *url = wr_config_text(auth->config, "auth.jwt.jwks_url");
    if (!file && !url) return WEIR_OK;
    if (file && url)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "auth.jwt.keys and auth.jwt.jwks_url are two places for the keys of "
                            "one issuer; keep one of them");
    if (!wr_config_text(auth->config, "auth.jwt.issuer") ||
        !wr_config_text(auth->config, "auth.jwt.audience"))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "tokens need auth.jwt.issuer and auth.jwt.audience: without them a "
                            "token that was made for another service would do");
    return wr_key_source_new(file, url, &auth->keys, error);
}

int wr_auth_new(struct wr_names *names, const struct wr_config *config, struct wr_auth **ret_auth,
                struct weir_error *error) {
    struct wr_auth *auth = wr_calloc(1, sizeof *auth);
    if (!auth) return wr_error_memory(error);
    auth->names = names;
    auth->config = config;
    int code = wr_passwords_new(config, &auth->passwords, error);
    if (code == WEIR_OK) code = open_keys(auth, error);
    if (code) {
        wr_auth_free(auth);
        return code;
    }
    *ret_auth = auth;
    return WEIR_OK;
}

void wr_auth_free(struct wr_auth *auth) {
    if (!auth) return;
    wr_key_source_free(auth->keys);
    wr_passwords_free(auth->passwords);
    wr_free(auth);
}

struct wr_passwords *wr_auth_passwords(struct wr_auth *auth) {
    return auth->passwords;
}

bool wr_auth_is_used(struct wr_auth *auth) {
    bool any = true; /* where it cannot be said */
    if (auth->keys || wr_config_text(auth->config, "auth.certificates")) return true;
    if (wr_users_any(auth->names, &any, NULL)) return true;
    return any;
}

void wr_identity_reset(struct wr_identity *identity) {
    wr_free(identity->user);
    for (size_t i = 0; i < identity->n_roles; i++)
        wr_free(identity->roles[i]);
    wr_free(identity->roles);
    *identity = (struct wr_identity){0};
}

/* ---- What kinds of credential there are ---- */

/* The user must be one of the store's and not be locked out. */
static int take_user(struct wr_auth *auth, const char *name, struct wr_identity *identity,
                     struct weir_error *error) {
    struct wr_user user = {0};
    WR_TRY(wr_users_find(auth->names, name, &user, error));
    wr_free(user.password);
    if (!user.id || user.is_role || !user.is_enabled) return refuse(error);
    identity->user_id = user.id;
    identity->user = wr_strdup(name);
    return identity->user ? WEIR_OK : wr_error_memory(error);
}

static int check_password(struct wr_auth *auth, const struct weir_credential *credential,
                          struct wr_identity *identity, struct weir_error *error) {
    struct wr_user user = {0};
    bool right = false;
    if (!credential->user || !credential->secret) return refuse(error);
    WR_TRY(wr_users_find(auth->names, credential->user, &user, error));
    int code = wr_password_check(auth->passwords, credential->user, user.password,
                                 credential->secret, &right, error);
    wr_free(user.password);
    WR_TRY(code);
    if (!right) return refuse(error);
    return take_user(auth, credential->user, identity, error);
}

static int check_key(struct wr_auth *auth, const struct weir_credential *credential,
                     struct wr_identity *identity, struct weir_error *error) {
    char *user = NULL;
    if (!credential->secret) return refuse(error);
    WR_TRY(wr_api_key_check(auth->names, credential->secret, &user, &identity->expires_ns, error));
    int code = user ? take_user(auth, user, identity, error) : refuse(error);
    wr_free(user);
    return code;
}

static enum wr_jwt_result verify(struct wr_auth *auth, const char *token, bool unknown,
                                 struct wr_jwt *jwt) {
    const struct wr_jwt_rules rules = {
        .issuer = wr_config_text(auth->config, "auth.jwt.issuer"),
        .audience = wr_config_text(auth->config, "auth.jwt.audience"),
        .user_claim = wr_config_text(auth->config, "auth.jwt.user_claim"),
        .roles_claim = wr_config_text(auth->config, "auth.jwt.roles_claim"),
        .skew_s = wr_config_int(auth->config, "auth.jwt.clock_skew") / 1000,
        .now_s = time(NULL),
    };
    struct wr_key_set *set = wr_key_source_get(auth->keys, unknown);
    enum wr_jwt_result result = wr_jwt_verify(token, set, &rules, jwt);
    wr_key_set_release(set);
    return result;
}

/* A token's user needs no entry in the store; one that is there must be a user, and not be locked
 * out. */
static int check_token(struct wr_auth *auth, const struct weir_credential *credential,
                       struct wr_identity *identity, struct weir_error *error) {
    struct wr_jwt jwt = {0};
    struct wr_user user = {0};
    if (!credential->secret) return refuse(error);
    if (wr_is_api_key(credential->secret)) return check_key(auth, credential, identity, error);
    if (!auth->keys) return refuse(error);
    enum wr_jwt_result result = verify(auth, credential->secret, false, &jwt);
    if (result == WR_JWT_NO_KEY) result = verify(auth, credential->secret, true, &jwt);
    if (result == WR_JWT_NO_MEMORY) return wr_error_memory(error);
    if (result != WR_JWT_GOOD) return refuse(error);
    int code = wr_users_find(auth->names, jwt.user, &user, error);
    wr_free(user.password);
    if (code == WEIR_OK && user.id && (user.is_role || !user.is_enabled)) code = refuse(error);
    if (code) {
        wr_jwt_reset(&jwt);
        return code;
    }
    *identity =
        (struct wr_identity){jwt.user, user.id, jwt.roles, jwt.n_roles, jwt.expires_s * 1000000000};
    return WEIR_OK;
}

/* "user=subject", one a line. */
static int check_certificate(struct wr_auth *auth, const struct weir_credential *credential,
                             struct wr_identity *identity, struct weir_error *error) {
    const char *at = wr_config_text(auth->config, "auth.certificates");
    if (!credential->user || !*credential->user) return refuse(error);
    for (; at && *at; at += strspn(at, "\n")) {
        size_t length = strcspn(at, "\n");
        size_t name = strcspn(at, "=");
        const char *subject = at + name + 1;
        if (name < length && strlen(credential->user) == length - name - 1 &&
            memcmp(subject, credential->user, length - name - 1) == 0) {
            char *user = wr_strndup(at, name);
            if (!user) return wr_error_memory(error);
            int code = take_user(auth, user, identity, error);
            wr_free(user);
            return code;
        }
        at += length;
    }
    return refuse(error);
}

int wr_auth_check(struct wr_auth *auth, const struct weir_credential *credential,
                  struct wr_identity *ret_identity, struct weir_error *error) {
    struct wr_identity identity = {0};
    int code;
    switch (credential->type) {
    case WEIR_CREDENTIAL_PASSWORD:
        code = check_password(auth, credential, &identity, error);
        break;
    case WEIR_CREDENTIAL_API_KEY:
        code = check_key(auth, credential, &identity, error);
        break;
    case WEIR_CREDENTIAL_TOKEN:
        code = check_token(auth, credential, &identity, error);
        break;
    case WEIR_CREDENTIAL_CERTIFICATE:
        code = check_certificate(auth, credential, &identity, error);
        break;
    default:
        code = refuse(error);
    }
    if (code) {
        wr_identity_reset(&identity);
        return code;
    }
    *ret_identity = identity;
    return WEIR_OK;
}
