/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, keys, and what is agreed upon. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "base/error.h"
#include "flight/tls.h"

/* HTTP/2 (RFC 7301), or the handshake fails. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_length,
                           const unsigned char *offered, unsigned n_offered, void *context) {
    (void)ssl;
    (void)context;
    for (unsigned at = 0; at < n_offered; at += 1u + offered[at]) {
        if (offered[at] != 2 || n_offered - at < 3 || memcmp(offered + at + 1, "h2", 2) != 0)
            continue;
        *ret_protocol = offered + at + 1;
        *ret_length = 2;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Nobody sits at a terminal to be asked. */
static int have_no_password(char *buffer, int size, int is_writing, void *context) {
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static int complain(struct weir_error *error, const char *what, const char *path) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    for (unsigned long code; (code = ERR_get_error());) {
        /* The first one says why, the last that a file could not be used. */
        const char *text = ERR_reason_error_string(code);
        if (text) {
            reason = text;
            break;
        }
    }
    ERR_clear_error();
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s \"%s\": %s", what, path,
                        reason ? reason : "it cannot be used");
}

static int load_own(SSL_CTX *context, const struct wr_grpc_tls *options, struct weir_error *error) {
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return complain(error, "certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return complain(error, "private key", options->key);
    return WEIR_OK;
}

static int load_clients(SSL_CTX *context, const struct wr_grpc_tls *options,
                        struct weir_error *error) {
    if (!options->client_ca) {
        if (options->client_ca_is_required)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "clients' certificates are required, and no authority is named");
        return WEIR_OK;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(options->client_ca);
    if (!names || SSL_CTX_load_verify_file(context, options->client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return complain(error, "authority of clients' certificates", options->client_ca);
    }
    SSL_CTX_set_client_CA_list(context, names);
    int mode = SSL_VERIFY_PEER;
    if (options->client_ca_is_required) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, mode, NULL);
    return WEIR_OK;
}

int wr_tls_context_new(const struct wr_grpc_tls *options, SSL_CTX **ret_context,
                       struct weir_error *error) {
    if (!options->certificate || !options->key)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "TLS needs a certificate and its key");
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return wr_error_memory(error);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    /* Connections last; resuming would go by certificates that may have changed. */
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_num_tickets(context, 0);
    /* A quarter faster than OpenSSL's own order, which begins with 256 bits. */
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(context, have_no_password);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    int code = load_own(context, options, error);
    if (!code) code = load_clients(context, options, error);
    if (code) {
        SSL_CTX_free(context);
        return code;
    }
    *ret_context = context;
    return WEIR_OK;
}
