/* SPDX-License-Identifier: Apache-2.0 */
/* What may be in options and must not be in messages. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"
#include "table/adbc/core.h"

void wr_adbc_secrets_reset(struct wr_adbc_secrets *secrets) {
    for (size_t i = 0; i < secrets->n_texts; i++) {
        explicit_bzero(secrets->texts[i], strlen(secrets->texts[i]));
        wr_free(secrets->texts[i]);
    }
    wr_free(secrets->texts);
    *secrets = (struct wr_adbc_secrets){0};
}

/* Longer ones first, so that a whole URI is taken before the password in it. */
static int add(struct wr_adbc_secrets *secrets, const char *text, size_t length,
               struct weir_error *error) {
    if (length == 0) return WEIR_OK;
    char **texts = wr_reallocarray(secrets->texts, secrets->n_texts + 1, sizeof *texts);
    if (!texts) return wr_error_memory(error);
    secrets->texts = texts;
    char *copy = wr_strndup(text, length);
    if (!copy) return wr_error_memory(error);
    size_t at = secrets->n_texts++;
    for (; at > 0 && strlen(texts[at - 1]) < length; at--)
        texts[at] = texts[at - 1];
    texts[at] = copy;
    return WEIR_OK;
}

/* As it is written, and what it means. */
static int add_encoded(struct wr_adbc_secrets *secrets, const char *text, size_t length,
                       struct weir_error *error) {
    WR_TRY(add(secrets, text, length, error));
    char *decoded = wr_strndup(text, length);
    if (!decoded) return wr_error_memory(error);
    int code = WEIR_OK;
    if (wr_percent_decode(decoded) && strlen(decoded) != length)
        code = add(secrets, decoded, strlen(decoded), error);
    explicit_bzero(decoded, strlen(decoded));
    wr_free(decoded);
    return code;
}

/* A quoted value of a libpq keyword list: 'it\'s'. */
static int add_quoted(struct wr_adbc_secrets *secrets, const char *text, struct weir_error *error) {
    struct wr_buffer value;
    wr_buffer_init(&value, 1 << 16);
    const char *at = text + 1;
    for (; *at && *at != '\''; at++) {
        if (*at == '\\' && at[1]) at++;
        wr_buffer_char(&value, *at);
    }
    int code = value.failed ? wr_error_memory(error)
                            : add(secrets, text + 1, (size_t)(at - text) - 1, error);
    if (!code && value.length > 0 && value.length != (size_t)(at - text) - 1)
        code = add(secrets, value.data, value.length, error);
    if (value.data) explicit_bzero(value.data, value.length);
    wr_buffer_reset(&value);
    return code;
}

static int add_parameters(struct wr_adbc_secrets *secrets, const char *url,
                          struct weir_error *error) {
    static const char *const keys[] = {"password", "pwd", "token", "sslpassword", "secret"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (const char *at = url; (at = strcasestr(at, keys[i])) != NULL;) {
            at += strlen(keys[i]);
            at += strspn(at, " ");
            if (*at != '=') continue;
            at++;
            at += strspn(at, " ");
            if (*at == '{') /* of ODBC */
                WR_TRY(add(secrets, at + 1, strcspn(at + 1, "}"), error));
            else
                WR_TRY(*at == '\'' ? add_quoted(secrets, at, error)
                                   : add_encoded(secrets, at, strcspn(at, "&; "), error));
        }
    }
    return WEIR_OK;
}

/*
 * A password that holds what should be encoded is cut there by those who read the URI, and its
 * parts are taken for a host or a port, which errors name.
 */
static int add_parts(struct wr_adbc_secrets *secrets, const char *text, size_t length,
                     struct weir_error *error) {
    WR_TRY(add_encoded(secrets, text, length, error));
    for (size_t start = 0, at = 0; at <= length; at++) {
        if (at < length && !strchr("@/?#:", text[at])) continue;
        if (at - start < length) WR_TRY(add_encoded(secrets, text + start, at - start, error));
        start = at + 1;
    }
    return WEIR_OK;
}

/* In scheme://user:password@host. */
static int add_user_info(struct wr_adbc_secrets *secrets, const char *url,
                         struct weir_error *error) {
    const char *start = strstr(url, "://");
    if (!start) return WEIR_OK;
    start += 3;
    size_t authority = strcspn(start, "/?#");
    const char *at = start + authority;
    while (at > start && at[-1] != '@')
        at--;
    if (at == start) {
        /* A password may hold a slash, against the rules. */
        at = strrchr(start, '@');
        if (!at) return WEIR_OK;
        at++;
    }
    const char *colon = memchr(start, ':', (size_t)(at - 1 - start));
    if (!colon) return WEIR_OK;
    WR_TRY(add(secrets, url, strlen(url), error));
    return add_parts(secrets, colon + 1, (size_t)(at - 1 - colon - 1), error);
}

static int add_url(struct wr_adbc_secrets *secrets, const char *url, struct weir_error *error) {
    WR_TRY(add_user_info(secrets, url, error));
    return add_parameters(secrets, url, error);
}

static bool is_secret_key(const char *key) {
    static const char *const words[] = {"password", "token", "secret", "key", "credential", "auth"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(key, words[i])) return true;
    }
    return false;
}

int wr_adbc_secrets_find(const struct wr_adbc_settings *settings,
                         struct wr_adbc_secrets *ret_secrets, struct weir_error *error) {
    struct wr_adbc_secrets secrets = {0};
    int code = settings->url ? add_url(&secrets, settings->url, error) : WEIR_OK;
    for (size_t i = 0; i < settings->options.n_items && !code; i++) {
        const struct weir_option *item = &settings->options.items[i];
        code = add_url(&secrets, item->value, error);
        if (!code && is_secret_key(item->key))
            code = add(&secrets, item->value, strlen(item->value), error);
    }
    if (code) {
        wr_adbc_secrets_reset(&secrets);
        return code;
    }
    *ret_secrets = secrets;
    return WEIR_OK;
}

/* A very short secret is part of many words: it counts only as a word. */
static size_t secret_at(const struct wr_adbc_secrets *secrets, const char *text, const char *at) {
    for (size_t i = 0; i < secrets->n_texts; i++) {
        size_t length = strlen(secrets->texts[i]);
        if (strncmp(at, secrets->texts[i], length) != 0) continue;
        bool is_word =
            (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length]);
        if (length >= 4 || is_word) return length;
    }
    return 0;
}

char *wr_adbc_redact(const struct wr_adbc_secrets *secrets, const char *text) {
    struct wr_buffer clean;
    wr_buffer_init(&clean, SIZE_MAX / 2);
    for (const char *at = text; *at;) {
        size_t length = secret_at(secrets, text, at);
        if (length > 0) {
            wr_buffer_text(&clean, "***");
            at += length;
        } else {
            wr_buffer_char(&clean, *at++);
        }
    }
    return wr_buffer_take(&clean);
}
