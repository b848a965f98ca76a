/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of public keys: PEM and JWKS. */
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "session/key_set.h"

enum { MOST_KEYS = 256, MOST_NUMBER = 1024, LEAST_RSA_BITS = 2048 };

struct wr_key_set *wr_key_set_retain(struct wr_key_set *set) {
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void wr_key_set_release(struct wr_key_set *set) {
    if (!set) return;
    if (atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) > 1) return;
    for (size_t i = 0; i < set->n_keys; i++) {
        EVP_PKEY_free(set->keys[i].key);
        wr_free(set->keys[i].id);
    }
    wr_free(set->keys);
    wr_free(set);
}

/* The one algorithm of a key; 0 when it is none of ours. */
static enum wr_jwt_algorithm algorithm_of(EVP_PKEY *key) {
    char group[64];
    size_t length = 0;
    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) >= LEAST_RSA_BITS ? WR_JWT_RS256 : 0;
    if (EVP_PKEY_is_a(key, "ED25519")) return WR_JWT_EDDSA;
    if (!EVP_PKEY_is_a(key, "EC")) return 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return 0;
    bool p256 = strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0;
    return p256 ? WR_JWT_ES256 : 0;
}

/* Takes over the key, also when it is none of ours and left out. */
static int add_key(struct wr_key_set *set, EVP_PKEY *key, const char *id,
                   struct weir_error *error) {
    enum wr_jwt_algorithm algorithm = algorithm_of(key);
    if (!algorithm || set->n_keys == MOST_KEYS) {
        EVP_PKEY_free(key);
        return WEIR_OK;
    }
    struct wr_key_entry *keys = wr_reallocarray(set->keys, set->n_keys + 1, sizeof *keys);
    char *copy = wr_strdup(id);
    if (keys) set->keys = keys;
    if (!keys || (id && !copy)) {
        wr_free(copy);
        EVP_PKEY_free(key);
        return wr_error_memory(error);
    }
    keys[set->n_keys++] = (struct wr_key_entry){copy, algorithm, key};
    return WEIR_OK;
}

/* ---- PEM ---- */

static int parse_pem(struct wr_key_set *set, const char *text, size_t length,
                     struct weir_error *error) {
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    if (!bio) return wr_error_memory(error);
    int code = WEIR_OK;
    while (code == WEIR_OK) {
        EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        if (!key) break;
        code = add_key(set, key, NULL, error);
    }
    ERR_clear_error();
    BIO_free(bio);
    return code;
}

/* ---- JWK ---- */

static BIGNUM *number_of(const struct wr_json *jwk, const char *name) {
    unsigned char data[MOST_NUMBER];
    const char *text = wr_json_text(jwk, name);
    int64_t length = text ? wr_base64url_decode(text, strlen(text), data, sizeof data) : -1;
    return length > 0 ? BN_bin2bn(data, (int)length, NULL) : NULL;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM *params) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *rsa_key(const struct wr_json *jwk) {
    BIGNUM *n = number_of(jwk, "n");
    BIGNUM *e = number_of(jwk, "e");
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params) key = make_key("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *ec_key(const struct wr_json *jwk) {
    unsigned char point[65] = {POINT_CONVERSION_UNCOMPRESSED};
    const char *curve = wr_json_text(jwk, "crv");
    const char *x = wr_json_text(jwk, "x");
    const char *y = wr_json_text(jwk, "y");
    if (!curve || !x || !y || strcmp(curve, "P-256") != 0) return NULL;
    if (wr_base64url_decode(x, strlen(x), point + 1, 32) != 32 ||
        wr_base64url_decode(y, strlen(y), point + 33, 32) != 32)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    return make_key("EC", params);
}

static EVP_PKEY *ed_key(const struct wr_json *jwk) {
    unsigned char data[32];
    const char *curve = wr_json_text(jwk, "crv");
    const char *x = wr_json_text(jwk, "x");
    if (!curve || !x || strcmp(curve, "Ed25519") != 0) return NULL;
    if (wr_base64url_decode(x, strlen(x), data, sizeof data) != sizeof data) return NULL;
    return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, data, sizeof data);
}

static int add_jwk(struct wr_key_set *set, const struct wr_json *jwk, struct weir_error *error) {
    static const char *const names[] = {NULL, "RS256", "ES256", "EdDSA"};
    const char *type = wr_json_text(jwk, "kty");
    const char *use = wr_json_text(jwk, "use");
    const char *algorithm = wr_json_text(jwk, "alg");
    EVP_PKEY *key = NULL;
    if (!type || (use && strcmp(use, "sig") != 0)) return WEIR_OK;
    if (strcmp(type, "RSA") == 0) key = rsa_key(jwk);
    if (strcmp(type, "EC") == 0) key = ec_key(jwk);
    if (strcmp(type, "OKP") == 0) key = ed_key(jwk);
    ERR_clear_error();
    if (!key) return WEIR_OK;
    enum wr_jwt_algorithm own = algorithm_of(key);
    if (!own || (algorithm && strcmp(algorithm, names[own]) != 0)) {
        EVP_PKEY_free(key);
        return WEIR_OK;
    }
    return add_key(set, key, wr_json_text(jwk, "kid"), error);
}

static int parse_jwks(struct wr_key_set *set, const char *text, size_t length,
                      struct weir_error *error) {
    struct wr_json *json = NULL;
    WR_TRY(wr_json_parse(text, length, &json, error));
    const struct wr_json *keys = wr_json_get(json, "keys");
    int code = WEIR_OK;
    const struct wr_json *jwk = keys && keys->type == WR_JSON_ARRAY ? keys->first : NULL;
    for (; jwk && code == WEIR_OK; jwk = jwk->next)
        code = add_jwk(set, jwk, error);
    wr_json_free(json);
    return code;
}

int wr_key_set_parse(const char *text, size_t length, struct wr_key_set **ret_set,
                     struct weir_error *error) {
    struct wr_key_set *set = wr_calloc(1, sizeof *set);
    if (!set) return wr_error_memory(error);
    atomic_init(&set->references, 1);
    size_t blank = 0;
    while (blank < length && memchr(" \t\r\n", text[blank], 4))
        blank++;
    bool is_json = blank < length && text[blank] == '{';
    int code = is_json ? parse_jwks(set, text, length, error) : parse_pem(set, text, length, error);
    if (code == WEIR_OK && set->n_keys == 0)
        code = wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "there is no public key for RS256 (from 2048 bits on), ES256 or EdDSA "
                            "in it");
    if (code) {
        wr_key_set_release(set);
        return code;
    }
    *ret_set = set;
    return WEIR_OK;
}
