/* SPDX-License-Identifier: Apache-2.0 */
#include "server_uri.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/address.h"
#include "base/units.h"
#include "base/url.h"
#include "password.h"

#define DEFAULT_PORT "31337"

static int refuse(struct weir_error *error, const char *text, const char *why) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "--connect \"%s\": %s; it takes grpc://[USER@]HOST[:PORT], or grpc+tls://",
                        text, why);
}

/* ---- The address ---- */

static int take_scheme(const char *text, struct server_uri *uri, const char **ret_rest,
                       struct weir_error *error) {
    static const struct {
        const char *name;
        bool has_tls;
    } schemes[] = {{"grpc://", false}, {"grpc+tcp://", false}, {"grpc+tls://", true}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = strlen(schemes[i].name);
        if (strncasecmp(text, schemes[i].name, n) != 0) continue;
        uri->has_tls = schemes[i].has_tls;
        *ret_rest = text + n;
        return WEIR_OK;
    }
    return refuse(error, text, "the scheme is none of those that there are");
}

static int take_user(const char *text, const char *at, size_t length, struct server_uri *uri,
                     struct weir_error *error) {
    /* The text is not repeated: there is a password in it. */
    if (memchr(at, ':', length) != NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--connect takes no password, which others would see: give it in "
                            "WEIR_PASSWORD, with --password-file, or when asked");
    if (length == 0 || length >= sizeof uri->text_user)
        return refuse(error, text, "the user has no name, or a very long one");
    memcpy(uri->text_user, at, length);
    uri->text_user[length] = '\0';
    if (!wr_percent_decode(uri->text_user) || strchr(uri->text_user, ':') != NULL)
        return refuse(error, text, "the user's name cannot be one");
    uri->user = uri->text_user;
    return WEIR_OK;
}

/* Names, and addresses of both versions. */
static bool is_host(const char *host) {
    return host[0] != '\0' &&
           host[strspn(host,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%")] ==
               '\0';
}

static int take_place(const char *text, const char *at, size_t length, struct server_uri *uri,
                      struct weir_error *error) {
    bool is_bracketed = length > 0 && at[0] == '[';
    const char *end = is_bracketed ? memchr(at, ']', length) : memchr(at, ':', length);
    if (is_bracketed && end == NULL) return refuse(error, text, "\"]\" is missing");
    const char *host = at + is_bracketed;
    size_t n = end == NULL ? length : (size_t)(end - host);
    if (n >= sizeof uri->host) return refuse(error, text, "the host is too long");
    memcpy(uri->host, host, n);
    uri->host[n] = '\0';
    if (!is_host(uri->host)) return refuse(error, text, "the host cannot be one");
    const char *rest = end == NULL ? at + length : end + is_bracketed;
    size_t n_rest = (size_t)(at + length - rest);
    strcpy(uri->port, DEFAULT_PORT);
    if (n_rest == 0) return WEIR_OK;
    int64_t port = 0;
    if (rest[0] != ':' || n_rest < 2 || n_rest > 6) return refuse(error, text, "the port is none");
    memcpy(uri->port, rest + 1, n_rest - 1);
    uri->port[n_rest - 1] = '\0';
    if (!wr_parse_int(uri->port, &port) || port < 1 || port > 65535)
        return refuse(error, text, "the port is none");
    return WEIR_OK;
}

int server_uri_parse(const char *text, struct server_uri *ret_uri, struct weir_error *error) {
    const char *rest = text;
    *ret_uri = (struct server_uri){0};
    WR_TRY(take_scheme(text, ret_uri, &rest, error));
    size_t length = strlen(rest);
    if (length > 0 && rest[length - 1] == '/') length--;
    const char *end = rest + length, *sign = NULL;
    for (const char *at = rest; at < end; at++) {
        if (*at == '@') sign = at;
    }
    if (sign != NULL) {
        WR_TRY(take_user(text, rest, (size_t)(sign - rest), ret_uri, error));
        rest = sign + 1;
    }
    return take_place(text, rest, (size_t)(end - rest), ret_uri, error);
}

/* ---- Secrets ---- */

void server_secret_wipe(struct server_secret *secret) {
    explicit_bzero(secret, sizeof *secret);
}

/* The first line of a file. */
static int read_file(const char *path, struct server_secret *secret, struct weir_error *error) {
    FILE *file = fopen(path, "re");
    if (file == NULL) return wr_error_errno(error, errno, "cannot read %s", path);
    setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays behind */
    int code = password_read_line(file, secret->text, sizeof secret->text, error);
    fclose(file);
    return code == WEIR_OK ? code : wr_error_prefix(error, code, "%s", path);
}

static int take_variable(const char *value, struct server_secret *secret,
                         struct weir_error *error) {
    if (strlen(value) >= sizeof secret->text)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "WEIR_TOKEN or WEIR_PASSWORD is longer than %zu bytes",
                            sizeof secret->text - 1);
    strcpy(secret->text, value);
    return WEIR_OK;
}

/* The terminal itself, as standard input may be a script. */
static int ask(const struct server_uri *uri, struct server_secret *secret,
               struct weir_error *error) {
    char prompt[600];
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (terminal == NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "the user %s needs a password, and there is no terminal to ask at: "
                            "give it in WEIR_PASSWORD or with --password-file",
                            uri->user);
    snprintf(prompt, sizeof prompt, "Password of %s", uri->user);
    int code = password_ask(terminal, prompt, secret->text, MOST_PASSWORD + 2, error);
    fclose(terminal);
    return code;
}

bool server_uri_is_private(const struct server_uri *uri) {
    return uri->has_tls || wr_host_is_loopback(uri->host);
}

static int check_way(const struct server_uri *uri, struct weir_error *error) {
    if (server_uri_is_private(uri)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "a password or token would go to %s unencrypted: use grpc+tls://",
                        uri->host);
}

int server_secret_read(const struct server_uri *uri, const char *password_file,
                       const char *token_file, struct server_secret *ret_secret,
                       struct weir_error *error) {
    const char *token = getenv("WEIR_TOKEN"), *password = getenv("WEIR_PASSWORD");
    *ret_secret = (struct server_secret){0};
    if (password_file != NULL && token_file != NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--password-file and --token-file exclude each other");
    if (password_file != NULL && uri->user == NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--password-file needs to know whose it is: grpc://USER@HOST");
    bool has_token = token_file != NULL || (uri->user == NULL && token != NULL && token[0] != '\0');
    if (!has_token && uri->user == NULL) return WEIR_OK;
    WR_TRY(check_way(uri, error));
    if (has_token) ret_secret->token = ret_secret->text;
    if (!has_token) ret_secret->password = ret_secret->text;
    if (token_file != NULL) return read_file(token_file, ret_secret, error);
    if (has_token) return take_variable(token, ret_secret, error);
    if (password_file != NULL) return read_file(password_file, ret_secret, error);
    if (password != NULL) return take_variable(password, ret_secret, error);
    return ask(uri, ret_secret, error);
}
