/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/tls.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { RECORD = 16 * 1024, MAX_WAITING = 4 << 20 };

struct wr_tls {
    SSL *ssl;
    const unsigned char *in;
    size_t n_in;
    unsigned char *out; /* from out_start to out_end */
    size_t out_start, out_end, out_capacity;
    bool has_failed;
    unsigned long failure; /* OpenSSL's code; 0: it has none */
};

/* ---- The network's side, as a BIO ---- */

static int read_in(BIO *bio, char *buffer, size_t size, size_t *ret_length) {
    struct wr_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->n_in == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t n = tls->n_in < size ? tls->n_in : size;
    memcpy(buffer, tls->in, n);
    tls->in += n;
    tls->n_in -= n;
    *ret_length = n;
    return 1;
}

static bool reserve_out(struct wr_tls *tls, size_t length) {
    if (tls->out_start == tls->out_end) tls->out_start = tls->out_end = 0;
    if (tls->out_capacity - tls->out_end >= length) return true;
    size_t n = tls->out_end - tls->out_start;
    /* A peer that does not read makes it grow by answers to its key updates. */
    if (n + length > MAX_WAITING) return false;
    size_t capacity = tls->out_capacity ? tls->out_capacity : 16 * 1024;
    while (capacity - n < length)
        capacity *= 2;
    unsigned char *out = wr_malloc(capacity);
    if (!out) return false;
    if (n > 0) memcpy(out, tls->out + tls->out_start, n);
    wr_free(tls->out);
    tls->out = out;
    tls->out_capacity = capacity;
    tls->out_start = 0;
    tls->out_end = n;
    return true;
}

static int write_out(BIO *bio, const char *data, size_t length, size_t *ret_length) {
    struct wr_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!reserve_out(tls, length)) return -1;
    memcpy(tls->out + tls->out_end, data, length);
    tls->out_end += length;
    *ret_length = length;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static int create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method;

static void make_bio_method(void) {
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir");
    if (!bio_method) return;
    BIO_meth_set_read_ex(bio_method, read_in);
    BIO_meth_set_write_ex(bio_method, write_out);
    BIO_meth_set_ctrl(bio_method, control);
    BIO_meth_set_create(bio_method, create);
}

static BIO *new_bio(struct wr_tls *tls) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_bio_method);
    BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
    if (bio) BIO_set_data(bio, tls);
    return bio;
}

/* Neither side's yet. */
static struct wr_tls *make(SSL_CTX *context) {
    struct wr_tls *tls = wr_calloc(1, sizeof *tls);
    BIO *bio = tls ? new_bio(tls) : NULL;
    if (bio) tls->ssl = SSL_new(context);
    if (!bio || !tls->ssl) {
        BIO_free(bio);
        wr_free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

struct wr_tls *wr_tls_new(SSL_CTX *context) {
    struct wr_tls *tls = make(context);
    if (tls) SSL_set_accept_state(tls->ssl);
    return tls;
}

/* Whom the certificate has to name, and who is asked for if there are several. */
static bool expect(SSL *ssl, const char *host) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1) return true;
    ERR_clear_error();
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct wr_tls *wr_tls_new_client(SSL_CTX *context, const char *host) {
    struct wr_tls *tls = make(context);
    if (!tls) return NULL;
    if (!expect(tls->ssl, host)) {
        wr_tls_free(tls);
        return NULL;
    }
    SSL_set_connect_state(tls->ssl);
    return tls;
}

void wr_tls_free(struct wr_tls *tls) {
    if (!tls) return;
    SSL_free(tls->ssl);
    wr_free(tls->out);
    wr_free(tls);
}

/* ---- Reading ---- */

void wr_tls_give(struct wr_tls *tls, const void *data, size_t length) {
    tls->in = data;
    tls->n_in = length;
}

ssize_t wr_tls_read(struct wr_tls *tls, void *buffer, size_t size) {
    if (tls->has_failed) return -1;
    size_t n;
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, buffer, size, &n)) return (ssize_t)n;
    if (SSL_get_error(tls->ssl, 0) == SSL_ERROR_WANT_READ) return 0;
    tls->has_failed = true;
    tls->failure = ERR_peek_error();
    return -1;
}

bool wr_tls_is_finished(const struct wr_tls *tls) {
    return SSL_is_init_finished(tls->ssl);
}

void wr_tls_reason(const struct wr_tls *tls, char *ret_text, size_t size) {
    long verified = SSL_get_verify_result(tls->ssl);
    const char *reason = verified == X509_V_OK ? ERR_reason_error_string(tls->failure)
                                               : X509_verify_cert_error_string(verified);
    snprintf(ret_text, size, "%s%s", verified == X509_V_OK ? "" : "the server's certificate: ",
             reason ? reason : "the server closed the connection");
}

bool wr_tls_is_ready(const struct wr_tls *tls) {
    const unsigned char *protocol;
    unsigned length;
    if (!SSL_is_init_finished(tls->ssl)) return false;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &length);
    return length == 2 && memcmp(protocol, "h2", 2) == 0;
}

bool wr_tls_subject(const struct wr_tls *tls, char **ret_subject) {
    *ret_subject = NULL;
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    if (!certificate || SSL_get_verify_result(tls->ssl) != X509_V_OK) return true;
    BIO *text = BIO_new(BIO_s_mem());
    char *data = NULL;
    long length = 0;
    if (text &&
        X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_get_mem_data(text, &data);
    if (data) *ret_subject = wr_strndup(data, (size_t)length);
    BIO_free(text);
    return *ret_subject != NULL;
}

/* ---- Writing ---- */

/* One record's worth of small pieces. Returns its length. */
static size_t gather(const struct iovec *pieces, size_t n_pieces, unsigned char *ret_data) {
    size_t length = 0;
    for (size_t i = 0; i < n_pieces && length < RECORD; i++) {
        size_t n = pieces[i].iov_len;
        if (n > RECORD - length) n = RECORD - length;
        memcpy(ret_data + length, pieces[i].iov_base, n);
        length += n;
    }
    return length;
}

bool wr_tls_write(struct wr_tls *tls, struct wr_output *output, size_t enough) {
    enum { PIECES = 32, AT_ONCE = 8 * RECORD };
    unsigned char record[RECORD];
    while (output->n_bytes > 0 && tls->out_end - tls->out_start < enough) {
        struct iovec pieces[PIECES];
        size_t n_pieces = wr_output_pieces(output, pieces, PIECES), n, written;
        const void *data = pieces[0].iov_base;
        if (pieces[0].iov_len >= RECORD) {
            n = pieces[0].iov_len < AT_ONCE ? pieces[0].iov_len / RECORD * RECORD : AT_ONCE;
        } else {
            n = gather(pieces, n_pieces, record);
            data = record;
        }
        ERR_clear_error();
        if (!SSL_write_ex(tls->ssl, data, n, &written) || written != n) return false;
        wr_output_advance(output, n);
    }
    return true;
}

void wr_tls_end(struct wr_tls *tls) {
    if (tls->has_failed || !SSL_is_init_finished(tls->ssl)) return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
}

size_t wr_tls_waiting(const struct wr_tls *tls, const void **ret_data) {
    *ret_data = tls->out ? tls->out + tls->out_start : NULL;
    return tls->out_end - tls->out_start;
}

void wr_tls_sent(struct wr_tls *tls, size_t length) {
    tls->out_start += length;
    if (tls->out_start == tls->out_end) tls->out_start = tls->out_end = 0;
}

void wr_tls_trim(struct wr_tls *tls) {
    if (tls->out_start < tls->out_end) return;
    wr_free(tls->out);
    tls->out = NULL;
    tls->out_start = tls->out_end = tls->out_capacity = 0;
}
