/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions on sessions. Their options are `catalog` and `schema`, `compression` of bodies (none,
 * lz4, zstd), `endpoints` (how many streams of a result are read at a time), and all that SQL's SET
 * sets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "flight/action.h"

typedef Flight__SessionOptionValue Value;
typedef Flight__SetSessionOptionsResult__Error Failure;
typedef Flight__SetSessionOptionsResult__Entry Entry;

enum { MOST_OPTIONS = 256, MOST_ENDPOINTS = 256 };

/* ---- Setting ---- */

/* As text; NULL: it has none, or no memory. Free with wr_free. */
static char *text_of(const Value *value) {
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 20);
    switch (value ? value->option_value_case : 0) {
    case FLIGHT__SESSION_OPTION_VALUE__OPTION_VALUE_STRING_VALUE:
        return wr_strdup(value->string_value);
    case FLIGHT__SESSION_OPTION_VALUE__OPTION_VALUE_BOOL_VALUE:
        return wr_strdup(value->bool_value ? "true" : "false");
    case FLIGHT__SESSION_OPTION_VALUE__OPTION_VALUE_INT64_VALUE:
        wr_buffer_format(&text, "%" PRId64, value->int64_value);
        return wr_buffer_take(&text);
    case FLIGHT__SESSION_OPTION_VALUE__OPTION_VALUE_DOUBLE_VALUE:
        wr_buffer_format(&text, "%.17g", value->double_value);
        return wr_buffer_take(&text);
    default:
        return NULL;
    }
}

static int use(struct weir_session *session, const char *catalog, const char *schema,
               struct weir_error *error) {
    struct wr_buffer sql;
    struct ArrowArrayStream rows;
    wr_buffer_init(&sql, 1 << 16);
    wr_buffer_text(&sql, "USE ");
    if (catalog) wr_buffer_identifier(&sql, catalog);
    if (catalog && schema) wr_buffer_char(&sql, '.');
    if (schema) wr_buffer_identifier(&sql, schema);
    int code =
        sql.failed ? wr_error_memory(error) : weir_query(session, sql.data, &rows, NULL, error);
    wr_buffer_reset(&sql);
    if (!code) rows.release(&rows);
    return code;
}

static int use_schema(struct weir_session *session, const char *schema, struct weir_error *error) {
    char *catalog, *current;
    WR_TRY(weir_session_names(session, &catalog, &current, error));
    int code = use(session, catalog, schema, error);
    weir_free(catalog);
    weir_free(current);
    return code;
}

static int set_compression(struct wr_flight_session *session, const char *text,
                           struct weir_error *error) {
    enum wr_ipc_codec codec;
    if (!wr_ipc_codec_of(text, &codec))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "none, lz4 or zstd is meant");
    atomic_store(&session->codec, (int)codec);
    return WEIR_OK;
}

static int set_endpoints(struct wr_flight_session *session, const char *text,
                         struct weir_error *error) {
    char *end;
    long n = strtol(text, &end, 10);
    if (!*text || *end || n < 1 || n > MOST_ENDPOINTS)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "a number from 1 to %d is meant",
                            MOST_ENDPOINTS);
    atomic_store(&session->n_endpoints, (int)n);
    return WEIR_OK;
}

/* With the session entered. */
static int set(struct wr_flight_session *session, const char *key, const char *text,
               struct weir_error *error) {
    if (strcmp(key, "catalog") == 0) return use(session->session, text, NULL, error);
    if (strcmp(key, "schema") == 0) return use_schema(session->session, text, error);
    if (strcmp(key, "compression") == 0) return set_compression(session, text, error);
    if (strcmp(key, "endpoints") == 0) return set_endpoints(session, text, error);
    return weir_session_set(session->session, key, text, error);
}

/* Keeps what was set for GetSessionOptions. Takes `text` over on success. */
static int keep(struct wr_flight_session *session, const char *key, char *text,
                struct weir_error *error) {
    for (size_t i = 0; i < session->n_options; i++) {
        if (strcmp(session->options[i].key, key) != 0) continue;
        wr_free((void *)session->options[i].value);
        session->options[i].value = text;
        return WEIR_OK;
    }
    struct weir_option *options =
        wr_reallocarray(session->options, session->n_options + 1, sizeof *options);
    if (!options) return wr_error_memory(error);
    session->options = options;
    char *copy = wr_strdup(key);
    if (!copy) return wr_error_memory(error);
    options[session->n_options++] = (struct weir_option){copy, text};
    return WEIR_OK;
}

/* UNSPECIFIED: it was set. */
static int set_option(struct wr_flight_session *session, const Flight__SessionOption *option) {
    const char *key = option->key ? option->key : "";
    char *text = text_of(option->value);
    if (!text) return FLIGHT__SET_SESSION_OPTIONS_RESULT__ERROR_VALUE__INVALID_VALUE;
    int code = set(session, key, text, NULL);
    bool is_kept = strcmp(key, "catalog") != 0 && strcmp(key, "schema") != 0;
    if (code || !is_kept || keep(session, key, text, NULL)) wr_free(text);
    if (code == WEIR_NOT_FOUND && is_kept)
        return FLIGHT__SET_SESSION_OPTIONS_RESULT__ERROR_VALUE__INVALID_NAME;
    if (code == WEIR_INTERNAL) return FLIGHT__SET_SESSION_OPTIONS_RESULT__ERROR_VALUE__ERROR;
    return code ? FLIGHT__SET_SESSION_OPTIONS_RESULT__ERROR_VALUE__INVALID_VALUE
                : FLIGHT__SET_SESSION_OPTIONS_RESULT__ERROR_VALUE__UNSPECIFIED;
}

int wr_flight_set_options(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__SetSessionOptionsRequest *request;
    Flight__SetSessionOptionsResult result = FLIGHT__SET_SESSION_OPTIONS_RESULT__INIT;
    Failure failures[MOST_OPTIONS];
    Entry entries[MOST_OPTIONS], *pointers[MOST_OPTIONS];
    WR_TRY(WR_UNPACK(flight__set_session_options_request, action->body, &request, error));
    int code = request->n_session_options > MOST_OPTIONS
                   ? wr_error_set(error, WEIR_INVALID_ARGUMENT, "54000", "more than %d options",
                                  MOST_OPTIONS)
                   : wr_flight_session_enter(action->session, action->call, error);
    for (size_t i = 0; !code && i < request->n_session_options; i++) {
        int value = set_option(action->session, request->session_options[i]);
        if (!value) continue;
        size_t at = result.n_errors++;
        flight__set_session_options_result__error__init(&failures[at]);
        flight__set_session_options_result__entry__init(&entries[at]);
        failures[at].has_value = true;
        failures[at].value = (Flight__SetSessionOptionsResult__ErrorValue)value;
        entries[at].key = request->session_options[i]->key;
        entries[at].value = &failures[at];
        pointers[at] = &entries[at];
    }
    if (!code) wr_flight_session_leave(action->session, action->call);
    result.errors = pointers;
    if (!code)
        code = wr_flight_session_announce(action->door, action->session, action->call, error);
    if (!code) code = wr_flight_result(action, &result, error);
    wr_message_free(request);
    return code;
}

/* ---- Getting ---- */

struct answer {
    Flight__SessionOption options[MOST_OPTIONS + 2], *pointers[MOST_OPTIONS + 2];
    Value values[MOST_OPTIONS + 2];
    size_t n;
};

static void add(struct answer *answer, const char *key, const char *text) {
    size_t at = answer->n;
    if (at == MOST_OPTIONS + 2) return;
    flight__session_option_value__init(&answer->values[at]);
    flight__session_option__init(&answer->options[at]);
    answer->values[at].option_value_case = FLIGHT__SESSION_OPTION_VALUE__OPTION_VALUE_STRING_VALUE;
    answer->values[at].string_value = (char *)text;
    answer->options[at].key = (char *)key;
    answer->options[at].value = &answer->values[at];
    answer->pointers[at] = &answer->options[at];
    answer->n++;
}

/* With the session entered. */
static int send_options(const struct wr_flight_action *action, struct answer *answer,
                        struct weir_error *error) {
    Flight__GetSessionOptionsResult result = FLIGHT__GET_SESSION_OPTIONS_RESULT__INIT;
    struct wr_flight_session *session = action->session;
    char *catalog, *schema;
    WR_TRY(weir_session_names(session->session, &catalog, &schema, error));
    add(answer, "catalog", catalog);
    add(answer, "schema", schema);
    for (size_t i = 0; i < session->n_options; i++)
        add(answer, session->options[i].key, session->options[i].value);
    result.n_session_options = answer->n;
    result.session_options = answer->pointers;
    int code = wr_flight_result(action, &result, error);
    weir_free(catalog);
    weir_free(schema);
    return code;
}

int wr_flight_get_options(const struct wr_flight_action *action, struct weir_error *error) {
    struct answer *answer = wr_calloc(1, sizeof *answer);
    if (!answer) return wr_error_memory(error);
    int code = wr_flight_session_enter(action->session, action->call, error);
    if (!code) {
        code = send_options(action, answer, error);
        wr_flight_session_leave(action->session, action->call);
    }
    wr_free(answer);
    return code;
}

int wr_flight_close_session(const struct wr_flight_action *action, struct weir_error *error) {
    Flight__CloseSessionResult result = FLIGHT__CLOSE_SESSION_RESULT__INIT;
    WR_TRY(wr_grpc_answer_header(action->call, "set-cookie", "arrow_flight_session_id=; Max-Age=0",
                                 error));
    wr_flight_session_forget(action->door, action->session, action->call);
    result.has_status = true;
    result.status = FLIGHT__CLOSE_SESSION_RESULT__STATUS__CLOSED;
    return wr_flight_result(action, &result, error);
}
