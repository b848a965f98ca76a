/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and from where. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "http/internal.h"
#include "http/parse.h"

enum { MAX_CREDENTIAL = 16 * 1024 };

/* ---- Credentials ---- */

struct given {
    struct weir_credential credential;
    struct wr_buffer text; /* what it points to */
};

static int refuse(struct weir_error *error, const char *what) {
    return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000", "%s", what);
}

static int read_basic(const char *text, struct given *given, struct weir_error *error) {
    if (!http_decode_base64(text, strlen(text), &given->text) ||
        memchr(given->text.data ? given->text.data : "", 0, given->text.length))
        return refuse(error, "the header Authorization is malformed");
    char *colon = given->text.data ? strchr(given->text.data, ':') : NULL;
    if (!colon) return refuse(error, "the header Authorization is malformed");
    *colon = '\0';
    given->credential.type = WEIR_CREDENTIAL_PASSWORD;
    given->credential.user = given->text.data;
    given->credential.secret = colon + 1;
    return WEIR_OK;
}

/* A JSON web token has three parts, which no API key has. */
static bool is_token(const char *text) {
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    return second && !strchr(second + 1, '.');
}

static int read_header(const char *header, struct given *given, struct weir_error *error) {
    const char *value = http_credentials(header, "Basic");
    if (value) return read_basic(value, given, error);
    value = http_credentials(header, "Bearer");
    if (!value) return refuse(error, "the header Authorization is neither Basic nor Bearer");
    given->credential.type = is_token(value) ? WEIR_CREDENTIAL_TOKEN : WEIR_CREDENTIAL_API_KEY;
    given->credential.secret = value;
    return WEIR_OK;
}

static int read_certificate(struct http_request *request, struct given *given,
                            struct weir_error *error) {
    char *subject = NULL;
    WR_TRY(http_tls_subject(request->connection, &subject, error));
    if (*subject) {
        wr_buffer_text(&given->text, subject);
        given->credential.type = WEIR_CREDENTIAL_CERTIFICATE;
        given->credential.user = given->text.data;
    }
    wr_free(subject);
    return given->text.failed ? wr_error_memory(error) : WEIR_OK;
}

static int read_credential(struct http_request *request, struct given *given,
                           struct weir_error *error) {
    const char *header = http_header(request, "Authorization");
    const char *key = http_header(request, "X-API-Key");
    if (header && key) return refuse(error, "give one credential: Authorization or X-API-Key");
    if (header) return read_header(header, given, error);
    if (key) {
        given->credential.type = WEIR_CREDENTIAL_API_KEY;
        given->credential.secret = key;
        return WEIR_OK;
    }
    return request->door->tls ? read_certificate(request, given, error) : WEIR_OK;
}

static int find_principal(struct http_request *request, struct weir_error *error) {
    struct given given = {.credential.size = sizeof given.credential};
    wr_buffer_init(&given.text, MAX_CREDENTIAL);
    int code = read_credential(request, &given, error);
    if (!code)
        code = weir_authenticate(request->door->workspace, &given.credential, &request->principal,
                                 error);
    if (given.text.data) explicit_bzero(given.text.data, given.text.length);
    wr_buffer_reset(&given.text);
    if (code == WEIR_UNAUTHENTICATED) atomic_fetch_add(&request->door->counters.unauthenticated, 1);
    return code;
}

/* Columns as every client knows them: without views, dictionaries and run-ends. */
static const struct weir_option plain_types[] = {{"weir.result_types", "plain"}};

int http_authenticate(struct http_request *request, struct weir_error *error) {
    WR_TRY(find_principal(request, error));
    struct weir_session_options options = {
        .size = sizeof options,
        .settings = plain_types,
        .n_settings = sizeof plain_types / sizeof *plain_types,
        .principal = request->principal,
        .door = "http",
        .peer = request->socket->peer,
    };
    return weir_session_open(request->door->workspace, &options, &request->session, error);
}

/* ---- Origins ---- */

/*
 * A page of any site can let its reader's browser send requests here. Where nobody has to say who
 * he is, they would be obeyed. So what a browser marks as another site's is refused, and so is a
 * name that such a site could have pointed at this address.
 */
int http_check_origin(const struct http_request *request, struct weir_error *error) {
    const struct wr_http *door = request->door;
    const char *origin = http_header(request, "Origin");
    const char *host = http_header(request, "Host");
    const char *site = http_header(request, "Sec-Fetch-Site");
    const char *mode = http_header(request, "Sec-Fetch-Mode");
    if (origin && door->origins && http_is_listed(door->origins, origin)) return 0;
    bool foreign = origin && !(host && http_is_same_origin(origin, host));
    /* A link that somebody follows is no page's own request. */
    if (site && strcmp(site, "cross-site") == 0 && !(mode && strcmp(mode, "navigate") == 0))
        foreign = true;
    if (foreign) {
        (void)wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                           "requests from pages of other origins are refused; "
                           "http.cors_origins lists those that are not");
        return 403;
    }
    if (weir_workspace_authenticates(door->workspace) || !host || http_is_plain_host(host))
        return 0;
    (void)wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                       "without users this server answers to addresses and localhost only, "
                       "not to a name in the header Host");
    return 421;
}
