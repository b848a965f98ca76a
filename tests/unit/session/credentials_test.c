/* SPDX-License-Identifier: Apache-2.0 */
/* weir_authenticate: passwords, keys and certificates, right and wrong. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "weir.h"

static struct weir_workspace *workspace;
static struct weir_session *session;
static char key[128];

static void run(const char *sql) {
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    if (weir_query(session, sql, &rows, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
    rows.release(&rows);
}

/* The one text in the last column of the one row. */
static void text_of(const char *sql, char *ret_text, size_t size) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    assert_int_equal(weir_query(session, sql, &rows, NULL, NULL), WEIR_OK);
    assert_int_equal(rows.get_next(&rows, &batch), 0);
    assert_non_null(batch.release);
    const struct ArrowArray *column = batch.children[batch.n_children - 1];
    const int32_t *offsets = column->buffers[1];
    snprintf(ret_text, size, "%.*s", offsets[1] - offsets[0],
             (const char *)column->buffers[2] + offsets[0]);
    batch.release(&batch);
    rows.release(&rows);
}

static int set_up(void **state) {
    (void)state;
    const struct weir_option settings[] = {
        {"auth.password.memory", "1MiB"},
        {"auth.password.operations", "1"},
        {"auth.certificates", "alice=CN=alice,O=Example"},
    };
    const struct weir_workspace_options options = {
        .size = sizeof options, .config = "", .settings = settings, .n_settings = 3};
    if (weir_workspace_open(&options, &workspace, NULL) != WEIR_OK) return -1;
    if (weir_session_open(workspace, NULL, &session, NULL) != WEIR_OK) return -1;
    run("CREATE USER alice PASSWORD 'correct horse'");
    run("CREATE USER locked PASSWORD 'pw'");
    run("ALTER USER locked DISABLE");
    run("CREATE USER keyless");
    run("CREATE ROLE clerks");
    text_of("CREATE API KEY FOR alice LABEL 'test' EXPIRES IN '1h'", key, sizeof key);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    weir_session_close(session);
    weir_workspace_close(workspace);
    return 0;
}

static int try(int type, const char *user, const char *secret, struct weir_error *error) {
    struct weir_principal *principal = NULL;
    const struct weir_credential credential = {sizeof credential, type, user, secret};
    int code = weir_authenticate(workspace, &credential, &principal, error);
    if (code == WEIR_OK) assert_string_equal(weir_principal_name(principal), "alice");
    weir_principal_free(principal);
    return code;
}

static void right_credentials_are_taken(void **state) {
    (void)state;
    assert_int_equal(weir_workspace_authenticates(workspace), 1);
    assert_int_equal(try(WEIR_CREDENTIAL_PASSWORD, "alice", "correct horse", NULL), WEIR_OK);
    assert_int_equal(try(WEIR_CREDENTIAL_PASSWORD, "alice", "correct horse", NULL), WEIR_OK);
    assert_int_equal(try(WEIR_CREDENTIAL_API_KEY, NULL, key, NULL), WEIR_OK);
    assert_int_equal(try(WEIR_CREDENTIAL_TOKEN, NULL, key, NULL), WEIR_OK);
    assert_int_equal(try(WEIR_CREDENTIAL_CERTIFICATE, "CN=alice,O=Example", NULL, NULL), WEIR_OK);
}

static void wrong_credentials_are_refused_with_one_message(void **state) {
    (void)state;
    char shorter[128], longer[160], other[128], prefix[128];
    snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(key) - 1, key);
    snprintf(longer, sizeof longer, "%s0", key);
    snprintf(other, sizeof other, "%s", key);
    other[strlen(other) - 1] ^= 1;
    snprintf(prefix, sizeof prefix, "%.*s.", (int)strcspn(key, "."), key);
    const struct {
        int type;
        const char *user, *secret;
    } cases[] = {
        {WEIR_CREDENTIAL_NONE, NULL, NULL},
        {WEIR_CREDENTIAL_PASSWORD, "alice", "wrong"},
        {WEIR_CREDENTIAL_PASSWORD, "alice", ""},
        {WEIR_CREDENTIAL_PASSWORD, "alice", "correct hors"},
        {WEIR_CREDENTIAL_PASSWORD, "alice", "correct horse "},
        {WEIR_CREDENTIAL_PASSWORD, "Alice", "correct horse"},
        {WEIR_CREDENTIAL_PASSWORD, "nobody", "correct horse"},
        {WEIR_CREDENTIAL_PASSWORD, "", "correct horse"},
        {WEIR_CREDENTIAL_PASSWORD, NULL, "correct horse"},
        {WEIR_CREDENTIAL_PASSWORD, "alice", NULL},
        {WEIR_CREDENTIAL_PASSWORD, "locked", "pw"},
        {WEIR_CREDENTIAL_PASSWORD, "keyless", ""},
        {WEIR_CREDENTIAL_PASSWORD, "clerks", ""},
        {WEIR_CREDENTIAL_PASSWORD, "admin", ""},
        {WEIR_CREDENTIAL_API_KEY, NULL, shorter},
        {WEIR_CREDENTIAL_API_KEY, NULL, longer},
        {WEIR_CREDENTIAL_API_KEY, NULL, other},
        {WEIR_CREDENTIAL_API_KEY, NULL, prefix},
        {WEIR_CREDENTIAL_API_KEY, NULL, ""},
        {WEIR_CREDENTIAL_API_KEY, NULL, "."},
        {WEIR_CREDENTIAL_API_KEY, NULL, NULL},
        {WEIR_CREDENTIAL_TOKEN, NULL, "a.b.c"},
        {WEIR_CREDENTIAL_TOKEN, NULL, NULL},
        {WEIR_CREDENTIAL_CERTIFICATE, "CN=alice", NULL},
        {WEIR_CREDENTIAL_CERTIFICATE, "CN=alice,O=Example,O=x", NULL},
        {WEIR_CREDENTIAL_CERTIFICATE, "", NULL},
        {99, "alice", "correct horse"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_error error = {0};
        int code = try(cases[i].type, cases[i].user, cases[i].secret, &error);
        if (code != WEIR_UNAUTHENTICATED) fail_msg("case %zu: %d", i, code);
        assert_string_equal(error.sqlstate, "28000");
        assert_string_equal(error.message, "the credential is not valid");
    }
}

static double seconds_of(const char *user) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 20; i++)
        try(WEIR_CREDENTIAL_PASSWORD, user, "wrong", NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void an_unknown_user_takes_as_long_as_a_wrong_password(void **state) {
    (void)state;
    seconds_of("nobody");
    double known = seconds_of("alice");
    double unknown = seconds_of("nobody");
    assert_true(unknown > known / 3 && known > unknown / 3);
}

static void a_changed_password_and_a_dropped_key_are_not_taken_any_more(void **state) {
    (void)state;
    char sql[160];
    assert_int_equal(try(WEIR_CREDENTIAL_PASSWORD, "alice", "correct horse", NULL), WEIR_OK);
    run("ALTER USER alice PASSWORD 'new'");
    assert_int_equal(try(WEIR_CREDENTIAL_PASSWORD, "alice", "correct horse", NULL),
                     WEIR_UNAUTHENTICATED);
    assert_int_equal(try(WEIR_CREDENTIAL_PASSWORD, "alice", "new", NULL), WEIR_OK);
    snprintf(sql, sizeof sql, "DROP API KEY '%.*s'", (int)strcspn(key, "."), key);
    run(sql);
    assert_int_equal(try(WEIR_CREDENTIAL_API_KEY, NULL, key, NULL), WEIR_UNAUTHENTICATED);
    run("CREATE USER brief");
    text_of("CREATE API KEY FOR alice EXPIRES IN '1ms'", key, sizeof key);
    const struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
    assert_int_equal(try(WEIR_CREDENTIAL_API_KEY, NULL, key, NULL), WEIR_UNAUTHENTICATED);
    run("ALTER USER alice PASSWORD 'correct horse'");
}

static atomic_int n_refused, n_taken;

static void *log_in(void *context) {
    (void)context;
    for (int i = 0; i < 10; i++) {
        int code = try(WEIR_CREDENTIAL_PASSWORD, "alice", i % 2 ? "correct horse" : "wrong", NULL);
        atomic_fetch_add(code == WEIR_OK ? &n_taken : &n_refused, 1);
    }
    return NULL;
}

static void many_logins_at_one_time_each_get_their_answer(void **state) {
    (void)state;
    pthread_t threads[16];
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_in, NULL), 0);
    for (size_t i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&n_taken), 80);
    assert_int_equal(atomic_load(&n_refused), 80);
}

/* ---- Tokens ---- */

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

static const char *token_of(EVP_PKEY *private_key, const char *user, const char *roles) {
    static char token[4096];
    char claims[512];
    unsigned char signature[64];
    size_t size = sizeof signature;
    int n_claims = snprintf(claims, sizeof claims,
                            "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"%s\",\"exp\":%lld,"
                            "\"groups\":%s}",
                            user, (long long)time(NULL) + 600, roles);
    size_t n = encode("{\"alg\":\"EdDSA\"}", 15, token);
    token[n++] = '.';
    n += encode(claims, (size_t)n_claims, token + n);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, private_key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &size, (unsigned char *)token, n), 1);
    EVP_MD_CTX_free(context);
    token[n++] = '.';
    encode(signature, size, token + n);
    return token;
}

static int take(struct weir_workspace *own, const char *token, const char *sql) {
    struct weir_principal *principal = NULL;
    struct weir_session *reader = NULL;
    struct ArrowArrayStream rows = {0};
    const struct weir_credential credential = {sizeof credential, WEIR_CREDENTIAL_TOKEN, NULL,
                                               token};
    int code = weir_authenticate(own, &credential, &principal, NULL);
    if (code != WEIR_OK) return code;
    assert_true(weir_principal_expires(principal) > (int64_t)time(NULL) * 1000000000);
    const struct weir_session_options options = {.size = sizeof options, .principal = principal};
    code = weir_session_open(own, &options, &reader, NULL);
    weir_principal_free(principal);
    if (code == WEIR_OK) code = weir_query(reader, sql, &rows, NULL, NULL);
    if (rows.release) rows.release(&rows);
    weir_session_close(reader);
    return code;
}

static void a_token_gives_its_user_the_roles_that_it_lists(void **state) {
    (void)state;
    char path[] = "/tmp/weir-jwt-XXXXXX";
    struct weir_workspace *own = NULL;
    struct weir_session *first = session;
    EVP_PKEY *private_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    FILE *file = fdopen(mkstemp(path), "w");
    PEM_write_PUBKEY(file, private_key);
    fclose(file);
    const struct weir_option settings[] = {{"auth.jwt.keys", path},
                                           {"auth.jwt.issuer", "i"},
                                           {"auth.jwt.audience", "a"},
                                           {"auth.jwt.roles_claim", "groups"}};
    struct weir_workspace_options options = {
        .size = sizeof options, .config = "", .settings = settings, .n_settings = 2};
    /* Without an audience any token of the issuer would do. */
    assert_int_equal(weir_workspace_open(&options, &own, NULL), WEIR_INVALID_ARGUMENT);
    options.n_settings = 4;
    assert_int_equal(weir_workspace_open(&options, &own, NULL), WEIR_OK);
    assert_int_equal(weir_session_open(own, NULL, &session, NULL), WEIR_OK);
    run("CREATE TABLE t AS SELECT 1 AS a");
    run("CREATE ROLE readers");
    run("CREATE USER owner");
    run("CREATE USER locked");
    run("ALTER USER locked DISABLE");
    run("GRANT SELECT ON t TO readers");
    run("GRANT ALL ON t TO owner");
    const struct {
        const char *user, *roles;
        int code;
    } cases[] = {
        {"someone", "[\"readers\",\"unknown\"]", WEIR_OK},
        {"someone", "\"unknown readers\"", WEIR_OK},
        {"someone", "[]", WEIR_NOT_FOUND},
        {"someone", "[\"owner\"]", WEIR_NOT_FOUND},
        {"someone", "[\"admin\"]", WEIR_OK},
        {"someone", "1", WEIR_UNAUTHENTICATED},
        {"owner", "[]", WEIR_OK},
        {"admin", "[]", WEIR_UNAUTHENTICATED},
        {"readers", "[]", WEIR_UNAUTHENTICATED},
        {"locked", "[\"readers\"]", WEIR_UNAUTHENTICATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *token = token_of(private_key, cases[i].user, cases[i].roles);
        assert_int_equal(take(own, token, "SELECT * FROM t"), cases[i].code);
    }
    weir_session_close(session);
    weir_workspace_close(own);
    session = first;
    EVP_PKEY_free(private_key);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_credentials_are_taken),
        cmocka_unit_test(wrong_credentials_are_refused_with_one_message),
        cmocka_unit_test(an_unknown_user_takes_as_long_as_a_wrong_password),
        cmocka_unit_test(a_changed_password_and_a_dropped_key_are_not_taken_any_more),
        cmocka_unit_test(many_logins_at_one_time_each_get_their_answer),
        cmocka_unit_test(a_token_gives_its_user_the_roles_that_it_lists),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
