/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/url.h"

/* A part of a text. */
struct part {
    const char *start;
    size_t length; /* 0: there is none */
};

static bool is_secret_key(const char *key) {
    static const char *const words[] = {"password",    "passwd",     "token",
                                        "secret",      "credential", "authorization",
                                        "private_key", "access_key", "account_key",
                                        "master_key",  "sas_key",    "service_account_key",
                                        "customer_key"};
    const char *id = strcasestr(key, "access_key_id"); /* names a key, and is none */
    if (id && !id[strlen("access_key_id")]) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(key, words[i])) return true;
    }
    return false;
}

static bool is_reference(struct part part) {
    if (part.length < 4 || strncmp(part.start, "${", 2) != 0) return false;
    return memchr(part.start, '}', part.length) == part.start + part.length - 1;
}

/* Schemes whose paths may hold ':' and '@'. */
static bool is_of_files(const char *url, size_t scheme) {
    static const char *const schemes[] = {"file", "http", "https", "s3", "s3a", "gs", "az"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strlen(schemes[i]) == scheme && strncasecmp(url, schemes[i], scheme) == 0) return true;
    }
    return false;
}

/* The password of scheme://user:password@host. That of a database may hold a slash or an @, against
 * the rules: better too much than too little. */
static struct part user_info(const char *url) {
    size_t scheme = wr_scheme_length(url);
    if (scheme == 0) return (struct part){0};
    const char *start = url + scheme + 3;
    const char *end = start + strcspn(start, is_of_files(url, scheme) ? "/?#" : "?#");
    const char *at = end;
    while (at > start && at[-1] != '@')
        at--;
    if (at == start) return (struct part){0};
    const char *colon = memchr(start, ':', (size_t)(at - 1 - start));
    if (!colon) return (struct part){0};
    return (struct part){colon + 1, (size_t)(at - 1 - colon - 1)};
}

/* The next value of a secret keyword from `at` on: up to what ends it there. */
static struct part keyword(const char *at) {
    static const char *const keys[] = {"password", "passwd", "pwd", "token", "secret"};
    struct part first = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *found = strcasestr(at, keys[i]);
        if (!found) continue;
        const char *value = found + strlen(keys[i]);
        value += strspn(value, " ");
        if (*value != '=') continue;
        value++;
        value += strspn(value, " ");
        size_t length = strcspn(value, "&; ");
        if (*value == '\'') {
            const char *end = value + 1;
            while (*end && *end != '\'')
                end += *end == '\\' && end[1] ? 2 : 1;
            value++;
            length = (size_t)(end - value);
        } else if (strncmp(value, "${", 2) == 0 && strchr(value, '}')) {
            length = (size_t)(strchr(value, '}') - value) + 1;
        }
        if (length > 0 && (!first.start || value < first.start))
            first = (struct part){value, length};
    }
    return first;
}

/* The next secret from `at` on, in the order of the text. */
static struct part next_secret(const char *key, const char *value, const char *at) {
    struct part whole = {value, strlen(value)};
    if (is_secret_key(key)) {
        bool done = at > value || is_reference(whole);
        return done ? (struct part){0} : whole;
    }
    struct part user = user_info(value);
    if (user.length > 0 && user.start >= at && !is_reference(user)) return user;
    for (struct part part = keyword(at); part.length > 0;
         part = keyword(part.start + part.length)) {
        if (!is_reference(part)) return part;
    }
    return (struct part){0};
}

bool wr_has_secret(const char *key, const char *value) {
    return next_secret(key, value, value).length > 0;
}

char *wr_redact_secrets(const char *key, const char *value) {
    struct wr_buffer text;
    const char *at = value;
    wr_buffer_init(&text, SIZE_MAX - 1);
    for (struct part part = next_secret(key, value, at); part.length > 0;
         part = next_secret(key, value, at)) {
        wr_buffer_add(&text, at, (size_t)(part.start - at));
        wr_buffer_text(&text, "***");
        at = part.start + part.length;
    }
    wr_buffer_text(&text, at);
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}
