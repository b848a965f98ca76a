/* SPDX-License-Identifier: Apache-2.0 */
/* What --connect takes: where a server is, and how the program proves who asks. */
#ifndef WR_CLI_SERVER_URI_H
#define WR_CLI_SERVER_URI_H

#include <stdbool.h>

#include "weir.h"

struct server_uri {
    bool has_tls;
    char text_user[256];
    const char *user; /* NULL: none */
    char host[256];   /* without brackets */
    char port[8];
};

/* grpc://[USER@]HOST[:PORT], grpc+tcp:// and grpc+tls://. A password in it is refused: it would be
 * seen in the list of processes. Codes: WEIR_INVALID_ARGUMENT. */
int server_uri_parse(const char *text, struct server_uri *ret_uri, struct weir_error *error);

/* Whether what is sent there is seen by nobody else: it has TLS, or is this machine. */
bool server_uri_is_private(const struct server_uri *uri);

enum { SERVER_SECRET_SIZE = 16 * 1024 };

struct server_secret {
    char text[SERVER_SECRET_SIZE];
    const char *password, *token; /* at most one; NULL: not that */
};

/*
 * The token of --token-file or WEIR_TOKEN, else the user's password of --password-file,
 * WEIR_PASSWORD or the terminal. Refuses to send one unencrypted to another machine. Wipe it in
 * any case.
 */
int server_secret_read(const struct server_uri *uri, const char *password_file,
                       const char *token_file, struct server_secret *ret_secret,
                       struct weir_error *error);
void server_secret_wipe(struct server_secret *secret);

#endif
