/* SPDX-License-Identifier: Apache-2.0 */
#include "session/jwt.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "session/key_set.h"

enum { MOST_TOKEN = 16 << 10, MOST_SIGNATURE = 1024, MOST_USER = 256, MOST_ROLES = 256 };

/* ---- Base64url (RFC 4648, section 5) ---- */

static int digit_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int64_t wr_base64url_decode(const char *text, size_t length, unsigned char *data, size_t size) {
    uint32_t bits = 0;
    int n_bits = 0;
    size_t n = 0;
    if (length % 4 == 1) return -1;
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0) return -1;
        bits = (bits << 6 | (uint32_t)digit) & 0xFFFFFF;
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        if (n == size) return -1;
        data[n++] = (unsigned char)(bits >> n_bits);
    }
    /* One text for each value: the rest of the last digit is zero. */
    if (bits & ((1u << n_bits) - 1)) return -1;
    return (int64_t)n;
}

/* ---- Parts ---- */

struct part {
    const char *text;
    size_t length;
};

/* header.claims.signature */
static bool split(const char *token, struct part parts[3]) {
    for (int i = 0; i < 3; i++) {
        parts[i] = (struct part){token, strcspn(token, ".")};
        token += parts[i].length;
        if (parts[i].length == 0) return false;
        if (i < 2 && *token++ != '.') return false;
    }
    return *token == '\0';
}

static enum wr_jwt_result decode_json(struct part part, struct wr_json **ret_json) {
    struct weir_error error = {0};
    unsigned char *data = wr_malloc(part.length + 1);
    if (!data) return WR_JWT_NO_MEMORY;
    int64_t length = wr_base64url_decode(part.text, part.length, data, part.length);
    int code = length < 0 ? WEIR_INVALID_DATA
                          : wr_json_parse((const char *)data, (size_t)length, ret_json, &error);
    wr_free(data);
    if (code == WEIR_INTERNAL) return WR_JWT_NO_MEMORY;
    if (code == WEIR_OK && (*ret_json)->type == WR_JSON_OBJECT) return WR_JWT_GOOD;
    if (code == WEIR_OK) {
        wr_json_free(*ret_json);
        *ret_json = NULL;
    }
    return WR_JWT_BAD;
}

/* ---- The signature ---- */

static enum wr_jwt_algorithm parse_algorithm(const char *name) {
    if (!name) return 0;
    return strcmp(name, "RS256") == 0   ? WR_JWT_RS256
           : strcmp(name, "ES256") == 0 ? WR_JWT_ES256
           : strcmp(name, "EdDSA") == 0 ? WR_JWT_EDDSA
                                        : 0;
}

/* The two numbers of ES256 as OpenSSL wants them. */
static int to_der(const unsigned char *raw, int64_t length, unsigned char *der, size_t size) {
    if (length != 64) return -1;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL);
    BIGNUM *s = BN_bin2bn(raw + 32, 32, NULL);
    if (!signature || !r || !s || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return -1;
    }
    int needed = i2d_ECDSA_SIG(signature, NULL);
    if (needed > 0 && (size_t)needed <= size) needed = i2d_ECDSA_SIG(signature, &der);
    ECDSA_SIG_free(signature);
    return needed > 0 && (size_t)needed <= size ? needed : -1;
}

static bool is_signed(const struct wr_key_entry *entry, const char *token, size_t length,
                      struct part signature) {
    unsigned char raw[MOST_SIGNATURE];
    unsigned char der[128];
    const unsigned char *data = raw;
    int64_t n = wr_base64url_decode(signature.text, signature.length, raw, sizeof raw);
    if (n > 0 && entry->algorithm == WR_JWT_ES256) {
        n = to_der(raw, n, der, sizeof der);
        data = der;
    }
    if (n <= 0) return false;
    const EVP_MD *digest = entry->algorithm == WR_JWT_EDDSA ? NULL : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        context && EVP_DigestVerifyInit(context, NULL, digest, NULL, entry->key) == 1 &&
        EVP_DigestVerify(context, data, (size_t)n, (const unsigned char *)token, length) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* With a kid the keys of that name; without one all of the algorithm, as a PEM file has them. */
static enum wr_jwt_result check_signature(const char *token, const struct part parts[3],
                                          const struct wr_json *header, struct wr_key_set *set) {
    const struct wr_json *kid = wr_json_get(header, "kid");
    enum wr_jwt_algorithm algorithm = parse_algorithm(wr_json_text(header, "alg"));
    size_t length = (size_t)(parts[1].text + parts[1].length - token);
    bool known = false;
    if (!algorithm || wr_json_get(header, "crit")) return WR_JWT_BAD;
    if (kid && kid->type != WR_JSON_STRING) return WR_JWT_BAD;
    for (size_t i = 0; set && i < set->n_keys; i++) {
        const struct wr_key_entry *entry = &set->keys[i];
        if (kid && entry->id && strcmp(entry->id, kid->text) != 0) continue;
        known = true;
        if (entry->algorithm == algorithm && is_signed(entry, token, length, parts[2]))
            return WR_JWT_GOOD;
    }
    return known ? WR_JWT_BAD : WR_JWT_NO_KEY;
}

/* ---- The claims ---- */

static bool is_text(const struct wr_json *json, const char *text) {
    return json && json->type == WR_JSON_STRING && strcmp(json->text, text) == 0;
}

static bool is_for(const struct wr_json *claims, const char *audience) {
    const struct wr_json *aud = wr_json_get(claims, "aud");
    if (!aud || aud->type != WR_JSON_ARRAY) return is_text(aud, audience);
    for (const struct wr_json *item = aud->first; item; item = item->next) {
        if (is_text(item, audience)) return true;
    }
    return false;
}

/* A time in seconds since 1970. False when the claim is there and none. */
static bool read_time(const struct wr_json *claims, const char *name, bool *ret_there,
                      int64_t *ret_time) {
    const struct wr_json *claim = wr_json_get(claims, name);
    *ret_there = claim != NULL;
    if (!claim) return true;
    if (claim->type != WR_JSON_NUMBER || claim->number < 0 || claim->number > 1e11) return false;
    *ret_time = (int64_t)claim->number;
    return true;
}

static bool is_timely(const struct wr_json *claims, const struct wr_jwt_rules *rules,
                      int64_t *ret_expires) {
    bool has_exp = false, has_nbf = false, has_iat = false;
    int64_t exp = 0, nbf = 0, iat = 0;
    if (!read_time(claims, "exp", &has_exp, &exp) || !read_time(claims, "nbf", &has_nbf, &nbf) ||
        !read_time(claims, "iat", &has_iat, &iat))
        return false;
    if (!has_exp || rules->now_s >= exp + rules->skew_s) return false;
    if (has_nbf && rules->now_s < nbf - rules->skew_s) return false;
    if (has_iat && rules->now_s < iat - rules->skew_s) return false;
    *ret_expires = exp + rules->skew_s;
    return true;
}

static bool add_role(struct wr_jwt *jwt, const char *text, size_t length) {
    if (jwt->n_roles == MOST_ROLES) return false;
    char **roles = wr_reallocarray(jwt->roles, jwt->n_roles + 1, sizeof *roles);
    char *copy = wr_strndup(text, length);
    if (roles) jwt->roles = roles;
    if (!roles || !copy) {
        wr_free(copy);
        return false;
    }
    roles[jwt->n_roles++] = copy;
    return true;
}

/* A list of texts, or one text of words. */
static bool read_roles(const struct wr_json *claim, struct wr_jwt *jwt) {
    if (!claim) return true;
    if (claim->type == WR_JSON_STRING) {
        for (const char *at = claim->text + strspn(claim->text, " "); *at; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");
            if (!add_role(jwt, at, length)) return false;
            at += length;
        }
        return true;
    }
    if (claim->type != WR_JSON_ARRAY) return false;
    for (const struct wr_json *item = claim->first; item; item = item->next) {
        if (item->type != WR_JSON_STRING || !add_role(jwt, item->text, strlen(item->text)))
            return false;
    }
    return true;
}

static bool read_claims(const struct wr_json *claims, const struct wr_jwt_rules *rules,
                        struct wr_jwt *jwt) {
    const char *user = wr_json_text(claims, rules->user_claim);
    if (!is_text(wr_json_get(claims, "iss"), rules->issuer)) return false;
    if (!is_for(claims, rules->audience)) return false;
    if (!is_timely(claims, rules, &jwt->expires_s)) return false;
    if (!user || !*user || strlen(user) > MOST_USER) return false;
    jwt->user = wr_strdup(user);
    if (!jwt->user) return false;
    return !rules->roles_claim || read_roles(wr_json_get(claims, rules->roles_claim), jwt);
}

/* ---- All of it ---- */

void wr_jwt_reset(struct wr_jwt *jwt) {
    wr_free(jwt->user);
    for (size_t i = 0; i < jwt->n_roles; i++)
        wr_free(jwt->roles[i]);
    wr_free(jwt->roles);
    *jwt = (struct wr_jwt){0};
}

enum wr_jwt_result wr_jwt_verify(const char *token, struct wr_key_set *set,
                                 const struct wr_jwt_rules *rules, struct wr_jwt *ret_jwt) {
    struct part parts[3];
    struct wr_json *header = NULL;
    struct wr_json *claims = NULL;
    struct wr_jwt jwt = {0};
    if (strnlen(token, MOST_TOKEN + 1) > MOST_TOKEN || !split(token, parts)) return WR_JWT_BAD;
    enum wr_jwt_result result = decode_json(parts[0], &header);
    if (result == WR_JWT_GOOD) result = check_signature(token, parts, header, set);
    if (result == WR_JWT_GOOD) result = decode_json(parts[1], &claims);
    if (result == WR_JWT_GOOD && !read_claims(claims, rules, &jwt)) result = WR_JWT_BAD;
    wr_json_free(header);
    wr_json_free(claims);
    if (result != WR_JWT_GOOD) {
        wr_jwt_reset(&jwt);
        return result;
    }
    *ret_jwt = jwt;
    return WR_JWT_GOOD;
}
