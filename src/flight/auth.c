/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls. A client says it in each call: by a bearer token that a handshake gave it, by a JSON
 * web token or a key, by user and password, by its certificate, or not at all. What was found is
 * kept with the connection for a while, since a password takes a tenth of a second to check.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "flight/service.h"

#define COOKIE "arrow_flight_session_id"

enum { RECHECK_MS = 60 * 1000, MOST_ENTRIES = 16 };

/* One credential that came over a connection. */
struct entry {
    char *credential; /* all headers that say it */
    struct weir_principal *principal;
    struct wr_flight_session *session; /* NULL: not yet */
    int64_t checked_ms;
};

struct connection {
    struct wr_flight_door *door;
    pthread_mutex_t mutex; /* guards what follows */
    struct entry entries[MOST_ENTRIES];
    size_t n_entries;
};

static bool is_over(int64_t expires) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return expires != 0 && expires <= (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int refuse(struct weir_error *error, const char *why) {
    return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000", "%s", why);
}

/* ---- Connections ---- */

static void free_entry(struct entry *entry) {
    wr_flight_session_release(entry->session);
    weir_principal_free(entry->principal);
    if (entry->credential) sodium_memzero(entry->credential, strlen(entry->credential));
    wr_free(entry->credential);
    *entry = (struct entry){0};
}

/* A client that never sent its cookie back cannot mean the session any more. */
static void forget_cookie(struct wr_flight_door *door, struct wr_flight_session *session) {
    if (!session || !session->cookie[0] || atomic_load(&session->has_returned)) return;
    wr_handles_drop(door->sessions, session->owner, session->cookie, WR_HANDLE_SIZE - 1);
}

static void free_connection(void *data) {
    struct connection *connection = data;
    for (size_t i = 0; i < connection->n_entries; i++) {
        forget_cookie(connection->door, connection->entries[i].session);
        free_entry(&connection->entries[i]);
    }
    pthread_mutex_destroy(&connection->mutex);
    wr_free(connection);
}

static struct connection *connection_of(struct wr_flight_door *door, struct wr_grpc_call *call,
                                        struct weir_error *error) {
    struct connection *connection = wr_grpc_connection_data(call);
    if (connection) return connection;
    connection = wr_calloc(1, sizeof *connection);
    if (!connection) {
        wr_error_memory(error);
        return NULL;
    }
    connection->door = door;
    pthread_mutex_init(&connection->mutex, NULL);
    if (!wr_grpc_connection_set(call, connection, free_connection)) free_connection(connection);
    return wr_grpc_connection_data(call);
}

/* ---- Credentials ---- */

/* User and password of "Basic ...", in memory to be wiped; false: it is not that. */
static bool decode_basic(const char *header, char **ret_text) {
    size_t length = strlen(header);
    char *text = wr_calloc(1, length + 1);
    size_t n = 0;
    bool is_valid = text && sodium_base642bin((unsigned char *)text, length, header, length, " ",
                                              &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    /* Some clients leave the padding out. */
    if (text && !is_valid) {
        is_valid = sodium_base642bin((unsigned char *)text, length, header, length, " =", &n, NULL,
                                     sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
    }
    if (!is_valid || !memchr(text, ':', n) || memchr(text, '\0', n)) {
        wr_free(text);
        return false;
    }
    text[n] = '\0';
    *ret_text = text;
    return true;
}

static int authenticate(struct wr_flight_door *door, int type, const char *user, const char *secret,
                        struct weir_principal **ret_principal, struct weir_error *error) {
    struct weir_credential credential = {
        .size = sizeof credential, .type = type, .user = user, .secret = secret};
    /* Where nobody is known, everybody is anonymous, whatever their tool makes them fill in. */
    if (!weir_workspace_authenticates(door->workspace))
        credential = (struct weir_credential){.size = sizeof credential};
    return weir_authenticate(door->workspace, &credential, ret_principal, error);
}

static int by_password(struct wr_flight_door *door, const char *encoded,
                       struct weir_principal **ret_principal, struct weir_error *error) {
    char *user;
    if (!decode_basic(encoded, &user))
        return refuse(error, "the header authorization: Basic is not base64 of user:password");
    char *password = strchr(user, ':');
    *password++ = '\0';
    int code = authenticate(door, WEIR_CREDENTIAL_PASSWORD, user, password, ret_principal, error);
    sodium_memzero(password, strlen(password));
    wr_free(user);
    return code;
}

/* A JSON web token has three parts. */
static int by_bearer(struct wr_flight_door *door, const char *token,
                     struct weir_principal **ret_principal, struct weir_error *error) {
    const char *dot = strchr(token, '.');
    bool is_jwt = dot && strchr(dot + 1, '.');
    return authenticate(door, is_jwt ? WEIR_CREDENTIAL_TOKEN : WEIR_CREDENTIAL_API_KEY, NULL, token,
                        ret_principal, error);
}

struct credentials {
    const char *basic, *bearer, *key, *subject;
};

/* What follows "Bearer " or "Basic " in a header of authorization; NULL: it is another scheme. */
static const char *after_scheme(const char *header, const char *scheme) {
    size_t length = strlen(scheme);
    if (!header || strncasecmp(header, scheme, length) != 0 || header[length] != ' ') return NULL;
    header += length;
    return header + strspn(header, " ");
}

static struct credentials credentials_of(const struct wr_grpc_call *call) {
    const char *header = wr_grpc_header(call, "authorization", NULL);
    struct credentials credentials = {
        .basic = after_scheme(header, "Basic"),
        .bearer = after_scheme(header, "Bearer"),
        .key = wr_grpc_header(call, "x-api-key", NULL),
        .subject = wr_grpc_peer_subject(call),
    };
    /* Of handshakes with user and password in their messages. */
    if (!credentials.bearer && !credentials.basic)
        credentials.bearer = wr_grpc_header(call, "auth-token-bin", NULL);
    return credentials;
}

static int check(struct wr_flight_door *door, const struct credentials *credentials,
                 struct weir_principal **ret_principal, struct weir_error *error) {
    if (credentials->basic) return by_password(door, credentials->basic, ret_principal, error);
    if (credentials->bearer) return by_bearer(door, credentials->bearer, ret_principal, error);
    if (credentials->key) {
        return authenticate(door, WEIR_CREDENTIAL_API_KEY, NULL, credentials->key, ret_principal,
                            error);
    }
    if (credentials->subject) {
        return authenticate(door, WEIR_CREDENTIAL_CERTIFICATE, credentials->subject, NULL,
                            ret_principal, error);
    }
    return authenticate(door, WEIR_CREDENTIAL_NONE, NULL, NULL, ret_principal, error);
}

static char *join(const struct credentials *credentials) {
    const char *parts[] = {credentials->basic, credentials->bearer, credentials->key,
                           credentials->subject};
    size_t length = 0;
    for (size_t i = 0; i < 4; i++)
        length += (parts[i] ? strlen(parts[i]) : 0) + 2;
    char *joined = wr_calloc(1, length + 1), *at = joined;
    for (size_t i = 0; joined && i < 4; i++) {
        *at++ = parts[i] ? (char)('0' + i) : '-';
        if (parts[i]) at = stpcpy(at, parts[i]);
        *at++ = '\n';
    }
    return joined;
}

/* With the connection's mutex held; NULL: there is none. */
static struct entry *find_entry(struct connection *connection, const char *credential) {
    size_t length = strlen(credential);
    for (size_t i = 0; i < connection->n_entries; i++) {
        struct entry *entry = &connection->entries[i];
        if (strlen(entry->credential) == length &&
            sodium_memcmp(entry->credential, credential, length) == 0)
            return entry;
    }
    return NULL;
}

/* With the connection's mutex held. Takes both over. */
static struct entry *put_entry(struct connection *connection, char *credential,
                               struct weir_principal *principal) {
    struct entry *entry = find_entry(connection, credential);
    if (entry) {
        bool is_same =
            strcmp(weir_principal_name(entry->principal), weir_principal_name(principal)) == 0;
        struct wr_flight_session *session = is_same ? entry->session : NULL;
        if (is_same) entry->session = NULL;
        free_entry(entry);
        entry->session = session;
    } else {
        if (connection->n_entries == MOST_ENTRIES) {
            free_entry(&connection->entries[0]);
            memmove(connection->entries, connection->entries + 1,
                    --connection->n_entries * sizeof *connection->entries);
        }
        entry = &connection->entries[connection->n_entries++];
        *entry = (struct entry){0};
    }
    entry->credential = credential;
    entry->principal = principal;
    entry->checked_ms = wr_clock_ms();
    return entry;
}

/* ---- Cookies ---- */

/* The value of the cookie in a header "a=b; c=d". */
static const char *find_cookie(const char *header, size_t *ret_length) {
    while (*header) {
        header += strspn(header, "; ");
        size_t length = strcspn(header, ";");
        if (strncmp(header, COOKIE "=", strlen(COOKIE "=")) == 0) {
            const char *value = header + strlen(COOKIE "=");
            size_t n = length - strlen(COOKIE "=");
            if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
                value++;
                n -= 2;
            }
            *ret_length = n;
            return value;
        }
        header += length;
    }
    return NULL;
}

static struct wr_flight_session *get(struct wr_handles *handles, const char *owner, const char *id,
                                     size_t length) {
    struct wr_flight_session *session = wr_handles_get(handles, owner, id, length);
    if (!session) return NULL;
    wr_flight_session_retain(session);
    wr_handles_release(handles, session);
    return session;
}

/* *ret_session is NULL without a cookie. */
static int by_cookie(struct wr_flight_door *door, struct wr_grpc_call *call, const char *owner,
                     struct wr_flight_session **ret_session, struct weir_error *error) {
    size_t length = 0;
    const char *header, *value = NULL;
    for (size_t i = 0; !value && (header = wr_grpc_header_at(call, "cookie", i)); i++)
        value = find_cookie(header, &length);
    *ret_session = NULL;
    if (!value || length == 0) return WEIR_OK;
    *ret_session = get(door->sessions, owner, value, length);
    if (*ret_session) {
        atomic_store(&(*ret_session)->has_returned, true);
        return WEIR_OK;
    }
    WR_TRY(wr_grpc_answer_header(call, "set-cookie", COOKIE "=; Max-Age=0", error));
    return refuse(error, "the session of the cookie " COOKIE " is over: connect again");
}

int wr_flight_session_announce(struct wr_flight_door *door, struct wr_flight_session *session,
                               struct wr_grpc_call *call, struct weir_error *error) {
    char id[WR_HANDLE_SIZE], header[sizeof COOKIE + 1 + WR_HANDLE_SIZE];
    pthread_mutex_lock(&session->mutex);
    int code = WEIR_OK;
    if (!session->cookie[0]) {
        code = wr_handles_add(door->sessions, session->owner, wr_flight_session_retain(session),
                              wr_flight_session_release, WR_FLIGHT_SESSION_MS, id, error);
        if (code) {
            atomic_fetch_sub(&session->n_references, 1);
        } else {
            memcpy(session->cookie, id, sizeof id);
        }
    }
    snprintf(header, sizeof header, COOKIE "=%s", session->cookie);
    pthread_mutex_unlock(&session->mutex);
    return code ? code : wr_grpc_answer_header(call, "set-cookie", header, error);
}

/* ---- Sessions of calls ---- */

/* With the connection's mutex held: the session of an entry, made if there is none. */
static int session_of_entry(struct wr_flight_door *door, struct wr_grpc_call *call,
                            struct entry *entry, struct wr_flight_session **ret_session,
                            struct weir_error *error) {
    if (!entry->session) {
        WR_TRY(wr_flight_session_new(door, entry->principal, wr_grpc_peer(call), &entry->session,
                                     error));
        WR_TRY(wr_flight_session_announce(door, entry->session, call, error));
    }
    *ret_session = wr_flight_session_retain(entry->session);
    return WEIR_OK;
}

/* With the connection's mutex held, also after; not while a credential is checked. */
static int entry_of(struct wr_flight_door *door, struct wr_grpc_call *call,
                    struct connection *connection, struct entry **ret_entry,
                    struct weir_error *error) {
    struct credentials credentials = credentials_of(call);
    struct weir_principal *principal;
    char *joined = join(&credentials);
    if (!joined) return wr_error_memory(error);
    struct entry *entry = find_entry(connection, joined);
    if (entry && wr_clock_ms() - entry->checked_ms < RECHECK_MS &&
        !is_over(weir_principal_expires(entry->principal))) {
        wr_free(joined);
        *ret_entry = entry;
        return WEIR_OK;
    }
    pthread_mutex_unlock(&connection->mutex);
    int code = check(door, &credentials, &principal, error);
    pthread_mutex_lock(&connection->mutex);
    if (code) {
        wr_free(joined);
        return code;
    }
    *ret_entry = put_entry(connection, joined, principal);
    return WEIR_OK;
}

static int by_connection(struct wr_flight_door *door, struct wr_grpc_call *call,
                         struct wr_flight_session **ret_session, struct weir_error *error) {
    struct connection *connection = connection_of(door, call, error);
    struct entry *entry = NULL;
    if (!connection) return WEIR_INTERNAL;
    pthread_mutex_lock(&connection->mutex);
    int code = entry_of(door, call, connection, &entry, error);
    if (!code)
        code = by_cookie(door, call, weir_principal_name(entry->principal), ret_session, error);
    if (!code && !*ret_session) code = session_of_entry(door, call, entry, ret_session, error);
    pthread_mutex_unlock(&connection->mutex);
    return code;
}

int wr_flight_session_of(struct wr_flight_door *door, struct wr_grpc_call *call,
                         struct wr_flight_session **ret_session, struct weir_error *error) {
    struct credentials credentials = credentials_of(call);
    struct wr_flight_session *login =
        credentials.bearer ? get(door->logins, "", credentials.bearer, strlen(credentials.bearer))
                           : NULL;
    if (!login) return by_connection(door, call, ret_session, error);
    int code = is_over(login->expires) ? refuse(error, "the login is over: log in again") : WEIR_OK;
    struct wr_flight_session *named = NULL;
    if (!code) code = by_cookie(door, call, login->owner, &named, error);
    if (code || named) wr_flight_session_release(login);
    if (code) return code;
    *ret_session = named ? named : login;
    return WEIR_OK;
}

void wr_flight_session_forget(struct wr_flight_door *door, struct wr_flight_session *session,
                              struct wr_grpc_call *call) {
    struct connection *connection = wr_grpc_connection_data(call);
    pthread_mutex_lock(&session->mutex);
    session->is_closed = true;
    pthread_mutex_unlock(&session->mutex);
    if (session->token[0]) wr_handles_drop(door->logins, "", session->token, WR_HANDLE_SIZE - 1);
    if (session->cookie[0])
        wr_handles_drop(door->sessions, session->owner, session->cookie, WR_HANDLE_SIZE - 1);
    if (!connection) return;
    pthread_mutex_lock(&connection->mutex);
    for (size_t i = 0; i < connection->n_entries; i++) {
        if (connection->entries[i].session != session) continue;
        wr_flight_session_release(session);
        connection->entries[i].session = NULL;
    }
    pthread_mutex_unlock(&connection->mutex);
}

/* ---- Handshakes ---- */

/* User and password in the first message, as clients of the first generation send them. */
static int by_message(struct wr_flight_door *door, struct wr_grpc_call *call,
                      struct weir_principal **ret_principal, struct weir_error *error) {
    const void *data;
    size_t length;
    Flight__HandshakeRequest *request;
    Flight__BasicAuth *basic;
    WR_TRY(wr_grpc_read(call, &data, &length, error));
    if (!data) return authenticate(door, WEIR_CREDENTIAL_NONE, NULL, NULL, ret_principal, error);
    WR_TRY(
        WR_UNPACK(flight__handshake_request, ((struct wr_bytes){data, length}), &request, error));
    if (request->payload.len == 0) {
        wr_message_free(request);
        return authenticate(door, WEIR_CREDENTIAL_NONE, NULL, NULL, ret_principal, error);
    }
    struct wr_bytes payload = {request->payload.data, request->payload.len};
    int code = WR_UNPACK(flight__basic_auth, payload, &basic, error);
    wr_message_free(request);
    if (code) return code;
    code = authenticate(door, WEIR_CREDENTIAL_PASSWORD, basic->username ? basic->username : "",
                        basic->password ? basic->password : "", ret_principal, error);
    if (basic->password) sodium_memzero(basic->password, strlen(basic->password));
    wr_message_free(basic);
    return code;
}

static int log_in(struct wr_flight_door *door, const struct weir_principal *principal,
                  const char *peer, char ret_token[WR_HANDLE_SIZE], struct weir_error *error) {
    struct wr_flight_session *session;
    WR_TRY(wr_flight_session_new(door, principal, peer, &session, error));
    int code = wr_handles_add(door->logins, "", session, wr_flight_session_release,
                              WR_FLIGHT_SESSION_MS, ret_token, error);
    if (code) {
        wr_flight_session_release(session);
        return code;
    }
    memcpy(session->token, ret_token, WR_HANDLE_SIZE);
    return WEIR_OK;
}

static int answer(struct wr_grpc_call *call, char *token, struct weir_error *error) {
    char header[sizeof "Bearer " + WR_HANDLE_SIZE];
    struct wr_grpc_message message;
    Flight__HandshakeResponse response = FLIGHT__HANDSHAKE_RESPONSE__INIT;
    response.has_payload = true;
    response.payload = (ProtobufCBinaryData){strlen(token), (uint8_t *)token};
    snprintf(header, sizeof header, "Bearer %s", token);
    WR_TRY(wr_grpc_answer_header(call, "authorization", header, error));
    WR_TRY(wr_message_outgoing(&response, &message, error));
    return wr_grpc_write(call, &message, error);
}

int wr_flight_handshake(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    struct wr_flight_door *door = context;
    struct credentials credentials = credentials_of(call);
    struct weir_principal *principal;
    char token[WR_HANDLE_SIZE];
    bool has_header = credentials.basic || credentials.bearer || credentials.key;
    int code = has_header || credentials.subject ? check(door, &credentials, &principal, error)
                                                 : by_message(door, call, &principal, error);
    if (code) return wr_flight_error(code, error);
    code = log_in(door, principal, wr_grpc_peer(call), token, error);
    weir_principal_free(principal);
    if (!code) code = answer(call, token, error);
    return wr_flight_error(code, error);
}
