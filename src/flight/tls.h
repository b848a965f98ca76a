/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of a connection, on OpenSSL, without a socket: bytes from the network are given to it, and
 * bytes for the network are fetched from it in large pieces.
 *
 * Threads: a context may be used by several, a connection's TLS by one at a time.
 */
#ifndef WR_TLS_H
#define WR_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "flight/grpc.h"
#include "flight/http2_output.h"

/* Of a server that speaks HTTP/2 and nothing else. Free with SSL_CTX_free. */
int wr_tls_context_new(const struct wr_grpc_tls *options, SSL_CTX **ret_context,
                       struct weir_error *error);

struct wr_tls;

/* NULL: no memory. */
struct wr_tls *wr_tls_new(SSL_CTX *context);
/* A client's, whose server has to have a certificate of this name or address. */
struct wr_tls *wr_tls_new_client(SSL_CTX *context, const char *host);
void wr_tls_free(struct wr_tls *tls); /* NULL is welcome */

/* Bytes from the network, which live until wr_tls_read has answered 0 or -1. */
void wr_tls_give(struct wr_tls *tls, const void *data, size_t length);
/* What they say. 0: nothing more; -1: the peer has said that there is nothing more, or TLS has
 * failed; an alert may be waiting to be sent. */
ssize_t wr_tls_read(struct wr_tls *tls, void *buffer, size_t size);

/* Whether the handshake is done, whatever the peer speaks. */
bool wr_tls_is_finished(const struct wr_tls *tls);
/* Why it failed. */
void wr_tls_reason(const struct wr_tls *tls, char *ret_text, size_t size);
/* Whether the handshake is done, and the peer speaks HTTP/2. */
bool wr_tls_is_ready(const struct wr_tls *tls);
/* The subject (RFC 2253) of the peer's certificate. *ret_subject is NULL when it has none; free
 * with wr_free. False: no memory. */
bool wr_tls_subject(const struct wr_tls *tls, char **ret_subject);

/* Encrypts what waits in the output until at least `enough` bytes wait for the network. False: it
 * failed. */
bool wr_tls_write(struct wr_tls *tls, struct wr_output *output, size_t enough);
/* Says that nothing more will come. */
void wr_tls_end(struct wr_tls *tls);
/* Bytes for the network: the next ones, and how many there are. */
size_t wr_tls_waiting(const struct wr_tls *tls, const void **ret_data);
void wr_tls_sent(struct wr_tls *tls, size_t length);
/* Gives back memory, if nothing waits: for a connection that rests. */
void wr_tls_trim(struct wr_tls *tls);

#endif
