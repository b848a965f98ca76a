/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: the good ones of each algorithm, and those that someone made up. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "session/jwt.h"

#define NOW 1700000000

static EVP_PKEY *rsa, *small_rsa, *ec, *p384, *ed, *other_rsa;

static int make_keys(void **state) {
    (void)state;
    rsa = EVP_RSA_gen(2048);
    other_rsa = EVP_RSA_gen(2048);
    small_rsa = EVP_RSA_gen(1024);
    ec = EVP_EC_gen("P-256");
    p384 = EVP_EC_gen("P-384");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return rsa && other_rsa && small_rsa && ec && p384 && ed ? 0 : -1;
}

static int free_keys(void **state) {
    (void)state;
    EVP_PKEY *keys[] = {rsa, other_rsa, small_rsa, ec, p384, ed};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        EVP_PKEY_free(keys[i]);
    return 0;
}

/* ---- Making tokens ---- */

static size_t encode(const void *data, size_t length, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = data;
    size_t n = 0;
    uint32_t bits = 0;
    int n_bits = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | in[i];
        for (n_bits += 8; n_bits >= 6; n_bits -= 6)
            out[n++] = digits[bits >> (n_bits - 6) & 63];
    }
    if (n_bits > 0) out[n++] = digits[bits << (6 - n_bits) & 63];
    out[n] = '\0';
    return n;
}

static size_t sign(EVP_PKEY *key, const char *text, unsigned char *signature, size_t size) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &size, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    if (!EVP_PKEY_is_a(key, "EC")) return size;
    const unsigned char *der = signature;
    ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)size);
    assert_non_null(parsed);
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed), signature, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), signature + 32, 32);
    ECDSA_SIG_free(parsed);
    return 64;
}

/* A token of a header and claims, signed by a key; without one the signature is `none`'s. */
static const char *token_of(const char *header, const char *claims, EVP_PKEY *key) {
    static char token[8192];
    unsigned char signature[1024];
    size_t n = encode(header, strlen(header), token);
    token[n++] = '.';
    n += encode(claims, strlen(claims), token + n);
    if (!key) {
        strcpy(token + n, ".");
        return token;
    }
    size_t length = sign(key, token, signature, sizeof signature);
    token[n++] = '.';
    encode(signature, length, token + n);
    return token;
}

#define GOOD_CLAIMS                                                                                \
    "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\",\"exp\":1700000600,"           \
    "\"iat\":1700000000,\"roles\":[\"r1\",\"r2\"]}"

/* ---- Sets ---- */

static struct wr_key_set *pem_of(EVP_PKEY *key) {
    struct wr_key_set *set = NULL;
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    long length = BIO_get_mem_data(bio, &text);
    wr_key_set_parse(text, (size_t)length, &set, NULL);
    BIO_free(bio);
    return set;
}

static void number_of(EVP_PKEY *key, const char *name, char *out) {
    unsigned char data[512];
    BIGNUM *number = NULL;
    EVP_PKEY_get_bn_param(key, name, &number);
    int length = BN_bn2bin(number, data);
    BN_free(number);
    encode(data, (size_t)length, out);
}

/* The JWKS of an RSA key "one" and an Ed25519 key "two". */
static const char *jwks(EVP_PKEY *first) {
    static char text[4096];
    char n[1024], e[16], x[64];
    unsigned char raw[32];
    size_t length = sizeof raw;
    number_of(first, OSSL_PKEY_PARAM_RSA_N, n);
    number_of(first, OSSL_PKEY_PARAM_RSA_E, e);
    EVP_PKEY_get_raw_public_key(ed, raw, &length);
    encode(raw, length, x);
    snprintf(
        text, sizeof text,
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"one\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":"
        "\"%s\",\"e\":\"%s\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"two\",\"x\":\"%s\"},"
        "{\"kty\":\"RSA\",\"kid\":\"three\",\"use\":\"enc\",\"n\":\"%s\",\"e\":\"%s\"},"
        "{\"kty\":\"oct\",\"kid\":\"four\",\"k\":\"c2VjcmV0\"}]}",
        n, e, x, n, e);
    return text;
}

static const struct wr_jwt_rules rules = {.issuer = "https://issuer",
                                          .audience = "weir",
                                          .user_claim = "sub",
                                          .roles_claim = "roles",
                                          .skew_s = 60,
                                          .now_s = NOW};

static int verify(const char *token, struct wr_key_set *set) {
    struct wr_jwt jwt = {0};
    int result = wr_jwt_verify(token, set, &rules, &jwt);
    if (result == WR_JWT_GOOD) assert_string_equal(jwt.user, "alice");
    wr_jwt_reset(&jwt);
    return result;
}

/* ---- Tests ---- */

static void each_algorithm_is_verified_by_a_key_of_its_type(void **state) {
    (void)state;
    const struct {
        EVP_PKEY *key;
        const char *header;
    } cases[] = {
        {rsa, "{\"alg\":\"RS256\"}"}, {ec, "{\"alg\":\"ES256\"}"}, {ed, "{\"alg\":\"EdDSA\"}"}};
    for (size_t i = 0; i < 3; i++) {
        struct wr_key_set *set = pem_of(cases[i].key);
        assert_non_null(set);
        assert_int_equal(verify(token_of(cases[i].header, GOOD_CLAIMS, cases[i].key), set),
                         WR_JWT_GOOD);
        wr_key_set_release(set);
    }
}

static void roles_and_expiry_come_out_of_a_good_token(void **state) {
    (void)state;
    struct wr_jwt jwt = {0};
    struct wr_key_set *set = pem_of(rsa);
    const char *token = token_of("{\"alg\":\"RS256\"}", GOOD_CLAIMS, rsa);
    assert_int_equal(wr_jwt_verify(token, set, &rules, &jwt), WR_JWT_GOOD);
    assert_int_equal(jwt.n_roles, 2);
    assert_string_equal(jwt.roles[1], "r2");
    assert_int_equal(jwt.expires_s, 1700000660);
    wr_jwt_reset(&jwt);
    wr_key_set_release(set);
}

/* HS256 with the public key's PEM as the secret, which takes in who lets the token choose. */
static const char *confused(void) {
    static char token[8192];
    unsigned char signature[32];
    unsigned int length = 0;
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, rsa);
    long size = BIO_get_mem_data(bio, &pem);
    strcpy(token, token_of("{\"alg\":\"HS256\"}", GOOD_CLAIMS, NULL));
    size_t n = strlen(token) - 1;
    HMAC(EVP_sha256(), pem, (int)size, (unsigned char *)token, n, signature, &length);
    encode(signature, length, token + n + 1);
    BIO_free(bio);
    return token;
}

static void twelve_forgeries_are_refused(void **state) {
    (void)state;
    struct wr_key_set *set = pem_of(rsa);
    char good[8192], changed[8192];
    strcpy(good, token_of("{\"alg\":\"RS256\"}", GOOD_CLAIMS, rsa));
    assert_int_equal(verify(good, set), WR_JWT_GOOD);
    /* 1, 2: no signature at all */
    assert_int_not_equal(verify(token_of("{\"alg\":\"none\"}", GOOD_CLAIMS, NULL), set), 0);
    assert_int_not_equal(verify(token_of("{\"alg\":\"RS256\"}", GOOD_CLAIMS, NULL), set), 0);
    /* 3: the public key as a shared secret */
    assert_int_not_equal(verify(confused(), set), 0);
    /* 4: someone else's key */
    assert_int_not_equal(verify(token_of("{\"alg\":\"RS256\"}", GOOD_CLAIMS, other_rsa), set), 0);
    /* 5: a right signature under the name of another algorithm */
    assert_int_not_equal(verify(token_of("{\"alg\":\"RS512\"}", GOOD_CLAIMS, rsa), set), 0);
    /* 6: other claims under the same signature */
    const char *dot = strchr(good, '.');
    snprintf(changed, sizeof changed, "%.*s.%s%s", (int)(dot - good), good, "eyJzdWIiOiJhZG1pbiJ9",
             strrchr(good, '.'));
    assert_int_not_equal(verify(changed, set), 0);
    /* 7: cut short */
    snprintf(changed, sizeof changed, "%.*s", (int)strlen(good) - 4, good);
    assert_int_not_equal(verify(changed, set), 0);
    /* 8: something behind it, and padding */
    snprintf(changed, sizeof changed, "%s=", good);
    assert_int_not_equal(verify(changed, set), 0);
    snprintf(changed, sizeof changed, "%s.x", good);
    assert_int_not_equal(verify(changed, set), 0);
    /* 9: expired, beyond the skew */
    assert_int_not_equal(
        verify(token_of("{\"alg\":\"RS256\"}",
                        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\","
                        "\"exp\":1699999900}",
                        rsa),
               set),
        0);
    /* 10: without an end */
    assert_int_not_equal(
        verify(token_of("{\"alg\":\"RS256\"}",
                        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\"}", rsa),
               set),
        0);
    /* 11: of another issuer, for another service, from the future */
    static const char *const others[] = {
        "{\"iss\":\"https://other\",\"aud\":\"weir\",\"sub\":\"alice\",\"exp\":1700000600}",
        "{\"iss\":\"https://issuer\",\"aud\":\"mail\",\"sub\":\"alice\",\"exp\":1700000600}",
        "{\"iss\":\"https://issuer\",\"sub\":\"alice\",\"exp\":1700000600}",
        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\",\"exp\":1700000600,"
        "\"nbf\":1700000300}",
        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\",\"exp\":1700000600,"
        "\"iat\":1700000300}",
        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"alice\",\"exp\":\"1700000600\"}",
        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"\",\"exp\":1700000600}",
        "{\"iss\":\"https://issuer\",\"aud\":\"weir\",\"sub\":\"bob\",\"sub\":\"alice\","
        "\"exp\":1700000600}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(verify(token_of("{\"alg\":\"RS256\"}", others[i], rsa), set), 0);
    /* 12: what a reader must understand and does not */
    assert_int_not_equal(
        verify(token_of("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", GOOD_CLAIMS, rsa),
               set),
        0);
    wr_key_set_release(set);
}

static void a_clock_may_be_wrong_by_the_skew(void **state) {
    (void)state;
    struct wr_key_set *set = pem_of(ed);
    const char *claims = "{\"iss\":\"https://issuer\",\"aud\":[\"a\",\"weir\"],\"sub\":\"alice\","
                         "\"exp\":1699999950,\"nbf\":1700000050,\"iat\":1700000050}";
    assert_int_equal(verify(token_of("{\"alg\":\"EdDSA\"}", claims, ed), set), WR_JWT_GOOD);
    wr_key_set_release(set);
}

static void keys_of_other_types_and_sizes_are_left_out(void **state) {
    (void)state;
    assert_null(pem_of(small_rsa));
    assert_null(pem_of(p384));
    struct wr_key_set *set = NULL;
    static const char *const texts[] = {
        "",
        "nonsense",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_not_equal(wr_key_set_parse(texts[i], strlen(texts[i]), &set, NULL), WEIR_OK);
}

static void a_kid_chooses_the_key_and_an_unknown_one_is_told_apart(void **state) {
    (void)state;
    struct wr_key_set *set = NULL;
    const char *text = jwks(rsa);
    assert_int_equal(wr_key_set_parse(text, strlen(text), &set, NULL), WEIR_OK);
    assert_int_equal(verify(token_of("{\"alg\":\"RS256\",\"kid\":\"one\"}", GOOD_CLAIMS, rsa), set),
                     WR_JWT_GOOD);
    assert_int_equal(verify(token_of("{\"alg\":\"EdDSA\",\"kid\":\"two\"}", GOOD_CLAIMS, ed), set),
                     WR_JWT_GOOD);
    assert_int_equal(verify(token_of("{\"alg\":\"RS256\",\"kid\":\"two\"}", GOOD_CLAIMS, rsa), set),
                     WR_JWT_BAD);
    assert_int_equal(
        verify(token_of("{\"alg\":\"RS256\",\"kid\":\"three\"}", GOOD_CLAIMS, rsa), set),
        WR_JWT_NO_KEY);
    assert_int_equal(verify(token_of("{\"alg\":\"RS256\",\"kid\":\"x\"}", GOOD_CLAIMS, rsa), set),
                     WR_JWT_NO_KEY);
    assert_int_equal(verify(token_of("{\"alg\":\"RS256\",\"kid\":1}", GOOD_CLAIMS, rsa), set),
                     WR_JWT_BAD);
    wr_key_set_release(set);
}

static void base64url_has_one_text_for_each_value(void **state) {
    (void)state;
    unsigned char data[16];
    assert_int_equal(wr_base64url_decode("AQ", 2, data, sizeof data), 1);
    assert_int_equal(wr_base64url_decode("AR", 2, data, sizeof data), -1);
    assert_int_equal(wr_base64url_decode("A", 1, data, sizeof data), -1);
    assert_int_equal(wr_base64url_decode("AQ==", 4, data, sizeof data), -1);
    assert_int_equal(wr_base64url_decode("A+", 2, data, sizeof data), -1);
    assert_int_equal(wr_base64url_decode("AAAA", 4, data, 2), -1);
}

/* ---- Keys that are fetched ---- */

struct server {
    int fd;
    int port;
    atomic_int n_requests;
    atomic_bool stop;
    const char *head; /* without the empty line; then follows the body */
    const char *body;
    bool tells_length;
    pthread_t thread;
};

static void *serve(void *context) {
    struct server *server = context;
    char request[4096], *answer = malloc(1 << 16);
    for (;;) {
        int client = accept(server->fd, NULL, NULL);
        if (client < 0 || atomic_load(&server->stop)) {
            if (client >= 0) close(client);
            break;
        }
        atomic_fetch_add(&server->n_requests, 1);
        if (recv(client, request, sizeof request, 0) > 0) {
            int n = snprintf(answer, 1 << 16, "%s\r\n", server->head);
            if (server->tells_length)
                n += snprintf(answer + n, 64, "Content-Length: %zu\r\n", strlen(server->body));
            n += snprintf(answer + n, 1 << 15, "\r\n%s", server->body);
            send(client, answer, (size_t)n, MSG_NOSIGNAL);
        }
        close(client);
    }
    free(answer);
    return NULL;
}

static void start(struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->fd, 8), 0);
    getsockname(server->fd, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
}

static void stop(struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    atomic_store(&server->stop, true);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    pthread_join(server->thread, NULL);
    close(fd);
    close(server->fd);
}

#define GOOD "HTTP/1.1 200 OK"

static void keys_are_fetched_once_and_not_again_for_each_unknown_kid(void **state) {
    (void)state;
    struct server server = {.head = GOOD, .body = jwks(rsa), .tells_length = true};
    struct wr_key_source *source = NULL;
    char url[64];
    start(&server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/keys", server.port);
    assert_int_equal(wr_key_source_new(NULL, url, &source, NULL), WEIR_OK);
    for (int i = 0; i < 50; i++) {
        struct wr_key_set *set = wr_key_source_get(source, i > 0);
        assert_non_null(set);
        wr_key_set_release(set);
    }
    assert_int_equal(atomic_load(&server.n_requests), 1);
    wr_key_source_free(source);
    stop(&server);
}

static void fetch_with(struct server server, const char *wanted) {
    char url[64], *answer = NULL;
    size_t length = 0;
    start(&server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", server.port);
    int code = wr_fetch_url(url, 1000, 2000, &answer, &length, NULL);
    stop(&server);
    if (wanted) {
        assert_int_equal(code, WEIR_OK);
        assert_string_equal(answer, wanted);
    } else {
        assert_int_not_equal(code, WEIR_OK);
    }
    wr_free(answer);
}

#define ANSWER(...) ((struct server){__VA_ARGS__})

static void only_a_whole_and_plain_answer_is_taken(void **state) {
    (void)state;
    static char large[3000];
    memset(large, 'x', sizeof large - 1);
    static const char chunked[] = GOOD "\r\nTransfer-Encoding: chunked";
    fetch_with(ANSWER(.head = GOOD, .body = "abc", .tells_length = true), "abc");
    fetch_with(ANSWER(.head = GOOD, .body = "to the end"), "to the end");
    fetch_with(ANSWER(.head = chunked, .body = "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), "abcd");
    fetch_with(ANSWER(.head = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", .body = "x"),
               NULL);
    fetch_with(ANSWER(.head = GOOD "\r\nContent-Length: 93", .body = "cut"), NULL);
    fetch_with(ANSWER(.head = chunked, .body = "ffffffff\r\na"), NULL);
    fetch_with(ANSWER(.head = chunked, .body = "3\r\nab"), NULL);
    fetch_with(ANSWER(.head = GOOD, .body = large, .tells_length = true), NULL);
    fetch_with(ANSWER(.head = "nonsense", .body = "x"), NULL);
}

static void only_https_and_this_machine_are_fetched_from(void **state) {
    (void)state;
    assert_true(wr_is_fetchable("https://issuer.example/keys"));
    assert_true(wr_is_fetchable("http://[::1]:80/keys"));
    static const char *const refused[] = {
        "http://issuer.example/keys", "ftp://127.0.0.1/", "http://127.0.0.1.example/",
        "http://127.0.0.1@x/",        "https://a b/",     "https://x/\r\nX: y",
        "file:///etc/passwd",         "https://"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(wr_is_fetchable(refused[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_algorithm_is_verified_by_a_key_of_its_type),
        cmocka_unit_test(roles_and_expiry_come_out_of_a_good_token),
        cmocka_unit_test(twelve_forgeries_are_refused),
        cmocka_unit_test(a_clock_may_be_wrong_by_the_skew),
        cmocka_unit_test(keys_of_other_types_and_sizes_are_left_out),
        cmocka_unit_test(a_kid_chooses_the_key_and_an_unknown_one_is_told_apart),
        cmocka_unit_test(base64url_has_one_text_for_each_value),
        cmocka_unit_test(keys_are_fetched_once_and_not_again_for_each_unknown_kid),
        cmocka_unit_test(only_a_whole_and_plain_answer_is_taken),
        cmocka_unit_test(only_https_and_this_machine_are_fetched_from),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
