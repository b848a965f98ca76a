/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of libmicrohttpd, which is GnuTLS. The certificate is asked for in each handshake, so that it
 * can be read again. Those of before are kept while the door is open: a handshake may be using one.
 */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "http/internal.h"

enum { MAX_FILE = 1 << 20, MAX_CHAIN = 16 };

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct chain {
    struct chain *next;
    gnutls_pcert_st certificates[MAX_CHAIN];
    unsigned n_certificates;
    gnutls_privkey_t key;
};

struct http_tls {
    char *certificate, *key, *client_ca; /* paths */
    char *authorities;                   /* the text of client_ca; NULL: none */
    pthread_mutex_t mutex;               /* guards `chains` */
    struct chain *chains;                /* the present one first */
};

/* libmicrohttpd hands over no context with the callback. There is one door in a process; a second
 * one is refused. */
static _Atomic(struct http_tls *) present;

static int wrong(struct weir_error *error, int problem, const char *path) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s: %s", path,
                        gnutls_strerror(problem));
}

static void free_chain(struct chain *chain) {
    if (!chain) return;
    for (unsigned i = 0; i < chain->n_certificates; i++)
        gnutls_pcert_deinit(&chain->certificates[i]);
    if (chain->key) gnutls_privkey_deinit(chain->key);
    wr_free(chain);
}

/* ---- Reading ---- */

static int read_file(const char *path, gnutls_datum_t *ret_text, struct weir_error *error) {
    char *text = NULL;
    size_t length = 0;
    WR_TRY(wr_read_text_file(path, MAX_FILE, &text, &length, error));
    *ret_text = (gnutls_datum_t){(unsigned char *)text, (unsigned)length};
    return WEIR_OK;
}

static int read_certificates(const struct http_tls *tls, struct chain *chain,
                             struct weir_error *error) {
    gnutls_datum_t text;
    unsigned n = MAX_CHAIN;
    WR_TRY(read_file(tls->certificate, &text, error));
    int problem =
        gnutls_pcert_list_import_x509_raw(chain->certificates, &n, &text, GNUTLS_X509_FMT_PEM, 0);
    wr_free(text.data);
    if (problem < 0) return wrong(error, problem, tls->certificate);
    chain->n_certificates = n;
    return WEIR_OK;
}

static int read_key(const struct http_tls *tls, struct chain *chain, struct weir_error *error) {
    gnutls_datum_t text;
    WR_TRY(read_file(tls->key, &text, error));
    int problem = gnutls_privkey_init(&chain->key);
    if (problem >= 0)
        problem = gnutls_privkey_import_x509_raw(chain->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    explicit_bzero(text.data, text.size);
    wr_free(text.data);
    return problem < 0 ? wrong(error, problem, tls->key) : WEIR_OK;
}

/* That the key is the certificate's. */
static int check_pair(const struct http_tls *tls, const struct chain *chain,
                      struct weir_error *error) {
    gnutls_pubkey_t public;
    unsigned char own[64], other[64];
    size_t own_length = sizeof own, other_length = sizeof other;
    int problem = gnutls_pubkey_init(&public);
    if (problem < 0) return wrong(error, problem, tls->key);
    problem = gnutls_pubkey_import_privkey(public, chain->key, 0, 0);
    if (problem >= 0)
        problem = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, own, &own_length);
    if (problem >= 0)
        problem = gnutls_pubkey_get_key_id(chain->certificates[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                           other, &other_length);
    gnutls_pubkey_deinit(public);
    if (problem < 0) return wrong(error, problem, tls->key);
    if (own_length == other_length && memcmp(own, other, own_length) == 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "the key in %s is not that of the certificate in %s", tls->key,
                        tls->certificate);
}

int http_tls_reload(struct http_tls *tls, struct weir_error *error) {
    if (!tls) return WEIR_OK;
    struct chain *chain = wr_calloc(1, sizeof *chain);
    if (!chain) return wr_error_memory(error);
    int code = read_certificates(tls, chain, error);
    if (!code) code = read_key(tls, chain, error);
    if (!code) code = check_pair(tls, chain, error);
    if (code) {
        free_chain(chain);
        return code;
    }
    pthread_mutex_lock(&tls->mutex);
    chain->next = tls->chains;
    tls->chains = chain;
    pthread_mutex_unlock(&tls->mutex);
    return WEIR_OK;
}

/* ---- Opening ---- */

static int check_settings(const struct http_tls *tls, struct weir_error *error) {
    if (tls->certificate && tls->key) return WEIR_OK;
    if (tls->certificate)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "tls.certificate needs tls.key too");
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s needs tls.certificate too",
                        tls->key ? "tls.key" : "tls.client_ca");
}

static int open_tls(struct weir_workspace *workspace, struct http_tls *tls,
                    struct weir_error *error) {
    size_t length;
    WR_TRY(http_setting(workspace, "tls.certificate", &tls->certificate, error));
    WR_TRY(http_setting(workspace, "tls.key", &tls->key, error));
    WR_TRY(http_setting(workspace, "tls.client_ca", &tls->client_ca, error));
    if (!tls->certificate && !tls->key && !tls->client_ca) return WEIR_OK;
    WR_TRY(check_settings(tls, error));
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "this libmicrohttpd was built without TLS");
    if (tls->client_ca)
        WR_TRY(wr_read_text_file(tls->client_ca, MAX_FILE, &tls->authorities, &length, error));
    return http_tls_reload(tls, error);
}

int http_tls_open(struct weir_workspace *workspace, struct http_tls **ret_tls,
                  struct weir_error *error) {
    struct http_tls *tls = wr_calloc(1, sizeof *tls), *none = NULL;
    if (!tls) return wr_error_memory(error);
    pthread_mutex_init(&tls->mutex, NULL);
    int code = open_tls(workspace, tls, error);
    if (!code && tls->certificate && !atomic_compare_exchange_strong(&present, &none, tls))
        code = wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "there is an HTTP door with TLS in this process already");
    if (code || !tls->certificate) {
        http_tls_close(tls);
        tls = NULL;
    }
    if (!code) *ret_tls = tls;
    return code;
}

void http_tls_close(struct http_tls *tls) {
    struct http_tls *self = tls;
    if (!tls) return;
    (void)atomic_compare_exchange_strong(&present, &self, NULL);
    while (tls->chains) {
        struct chain *chain = tls->chains;
        tls->chains = chain->next;
        free_chain(chain);
    }
    pthread_mutex_destroy(&tls->mutex);
    wr_free(tls->authorities);
    weir_free(tls->certificate);
    weir_free(tls->key);
    weir_free(tls->client_ca);
    wr_free(tls);
}

/* ---- In a handshake ---- */

static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                  const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                  gnutls_pcert_st **ret_certificates, unsigned *ret_n, gnutls_privkey_t *ret_key) {
    struct http_tls *tls = atomic_load(&present);
    (void)session;
    (void)authorities;
    (void)n_authorities;
    (void)algorithms;
    (void)n_algorithms;
    if (!tls) return -1;
    pthread_mutex_lock(&tls->mutex);
    struct chain *chain = tls->chains;
    pthread_mutex_unlock(&tls->mutex);
    *ret_certificates = chain->certificates;
    *ret_n = chain->n_certificates;
    *ret_key = chain->key;
    return 0;
}

size_t http_tls_options(struct http_tls *tls, struct MHD_OptionItem *room) {
    size_t n = 0;
    if (!tls) return 0;
    room[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)choose};
    room[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES};
    if (tls->authorities)
        room[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, tls->authorities};
    return n;
}

/* ---- The client's certificate ---- */

static int read_subject(const gnutls_datum_t *certificate, char **ret_subject,
                        struct weir_error *error) {
    gnutls_x509_crt_t parsed;
    gnutls_datum_t text = {0};
    int problem = gnutls_x509_crt_init(&parsed);
    if (problem < 0) return wrong(error, problem, "the client's certificate");
    problem = gnutls_x509_crt_import(parsed, certificate, GNUTLS_X509_FMT_DER);
    if (problem >= 0) problem = gnutls_x509_crt_get_dn3(parsed, &text, 0);
    gnutls_x509_crt_deinit(parsed);
    if (problem < 0) return wrong(error, problem, "the client's certificate");
    char *subject = wr_strndup((const char *)text.data, text.size);
    gnutls_free(text.data);
    if (!subject) return wr_error_memory(error);
    *ret_subject = subject;
    return WEIR_OK;
}

int http_tls_subject(struct MHD_Connection *connection, char **ret_subject,
                     struct weir_error *error) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned n = 0, status = 0;
    const gnutls_datum_t *chain =
        info && info->tls_session ? gnutls_certificate_get_peers(info->tls_session, &n) : NULL;
    if (!chain || n == 0) {
        char *none = wr_strdup("");
        if (!none) return wr_error_memory(error);
        *ret_subject = none;
        return WEIR_OK;
    }
    int problem = gnutls_certificate_verify_peers2(info->tls_session, &status);
    if (problem < 0 || status != 0)
        return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000",
                            "the client's certificate is not valid");
    return read_subject(&chain[0], ret_subject, error);
}
