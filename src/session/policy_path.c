/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which paths and URLs may be touched. A path is taken apart and its links followed as far as it is
 * there, so that what is compared is where it leads; every refusal reads alike.
 */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/tree.h"
#include "session/policy_internal.h"

static int refuse(const char *path, bool write, struct weir_error *error) {
    return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                        "permission denied: \"%s\" is not below a root that may be %s (%s); use a "
                        "table of a mount",
                        path, write ? "written" : "read", write ? "policy.write" : "policy.read");
}

/* ---- Paths of the machine ---- */

static bool is_below(const char *root, const char *path) {
    size_t length = strlen(root);
    if (strcmp(root, "/") == 0) return true;
    return strncmp(path, root, length) == 0 && (path[length] == '/' || !path[length]);
}

static bool is_in_roots(const struct wr_texts *roots, const char *path) {
    for (size_t i = 0; i < roots->n_items; i++) {
        if (roots->items[i][0] == '/' && is_below(roots->items[i], path)) return true;
    }
    return false;
}

/* The part of a path before its first pattern, up to a slash: a pattern does not lead upwards. */
static size_t fixed_length(const char *path) {
    size_t length = strcspn(path, "*?[{");
    if (!path[length]) return length;
    while (length > 1 && path[length - 1] != '/')
        length--;
    return length;
}

/* Where an absolute, normal path leads: the real path of what is there of it, and the rest. A link
 * whose target is missing leads there all the same, so its name stands for nothing good. */
static bool real_path(const char *path, char *ret_real, size_t size) {
    char head[PATH_MAX];
    char real[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof head) return false;
    memcpy(head, path, length + 1);
    for (;;) {
        if (realpath(length > 0 ? head : "/", real)) {
            const char *base = strcmp(real, "/") == 0 ? "" : real;
            int n = snprintf(ret_real, size, "%s%s", base, path + length);
            return n >= 0 && (size_t)n < size;
        }
        char target[1];
        if ((errno != ENOENT && errno != ENOTDIR) || readlink(head, target, sizeof target) >= 0)
            return false;
        if (length == 0) return false;
        while (length > 0 && head[--length] != '/')
            continue;
        head[length] = '\0';
    }
}

static int check_machine(const struct wr_texts *roots, const char *path, bool write,
                         struct weir_error *error) {
    char real[2 * PATH_MAX];
    char *normal = NULL;
    char *whole = NULL;
    /* ".." is taken out as a text, as the look-up does it; then the links. */
    int code = wr_path_join("", path, "the machine's root", &normal, NULL);
    if (code) return refuse(path, write, error);
    whole = wr_malloc(strlen(normal) + 2);
    if (whole) {
        whole[0] = '/';
        memcpy(whole + 1, normal, strlen(normal) + 1);
    }
    wr_free(normal);
    if (!whole) return wr_error_memory(error);
    whole[fixed_length(whole)] = '\0';
    size_t length = strlen(whole);
    if (length > 1 && whole[length - 1] == '/') whole[length - 1] = '\0';
    bool good = real_path(whole, real, sizeof real) && is_in_roots(roots, real);
    wr_free(whole);
    return good ? WEIR_OK : refuse(path, write, error);
}

/* ---- URLs ---- */

/* "scheme://[user@]host[:port]/path". */
struct parts {
    size_t scheme;
    const char *host;
    size_t host_length;
    const char *port;
    size_t port_length;
};

static bool take_apart(const char *url, struct parts *parts) {
    const char *at = strstr(url, "://");
    if (!at) return false;
    parts->scheme = (size_t)(at - url);
    at += 3;
    size_t length = strcspn(at, "/?#");
    /* What a client may take for something else than another one does. */
    if (memchr(at, '@', length) || memchr(at, '\\', length) || memchr(at, '%', length))
        return false;
    if (*at == '[') {
        const char *end = memchr(at, ']', length);
        if (!end) return false;
        parts->host = at + 1;
        parts->host_length = (size_t)(end - at) - 1;
        at = end + 1;
    } else {
        parts->host = at;
        parts->host_length = strcspn(at, ":/?#");
        at += parts->host_length;
    }
    parts->port = *at == ':' ? at + 1 : at;
    parts->port_length = strspn(parts->port, "0123456789");
    const char *rest = parts->port + parts->port_length;
    return parts->host_length > 0 && (!*rest || strchr("/?#", *rest));
}

static bool is_web(const char *url, const struct parts *parts) {
    return (parts->scheme == 4 && strncasecmp(url, "http", 4) == 0) ||
           (parts->scheme == 5 && strncasecmp(url, "https", 5) == 0);
}

/* "example.org", "*.example.org", each with ":port" or not. */
static bool host_matches(const char *pattern, const struct parts *parts) {
    const char *colon = strrchr(pattern, ':');
    size_t length = colon && !strchr(pattern, ']') ? (size_t)(colon - pattern) : strlen(pattern);
    if (length < strlen(pattern)) {
        const char *port = pattern + length + 1;
        if (strlen(port) != parts->port_length ||
            memcmp(port, parts->port, parts->port_length) != 0)
            return false;
    }
    if (length > 2 && pattern[0] == '*' && pattern[1] == '.') {
        size_t suffix = length - 1;
        return parts->host_length > suffix &&
               strncasecmp(parts->host + parts->host_length - suffix, pattern + 1, suffix) == 0;
    }
    return parts->host_length == length && strncasecmp(parts->host, pattern, length) == 0;
}

/* Below a root by whole components, without a way back up. */
static bool is_below_url(const char *root, const char *url) {
    size_t length = strlen(root);
    if (strncmp(root, url, length) != 0) return false;
    for (const char *at = url; (at = strstr(at, "..")); at++) {
        if ((at[-1] == '/' || at[-1] == '\\') && (!at[2] || strchr("/\\?#", at[2]))) return false;
    }
    if (strcasestr(url, "%2e") || strcasestr(url, "%2f") || strcasestr(url, "%5c")) return false;
    return root[length - 1] == '/' || !url[length] || url[length] == '/' || url[length] == '?';
}

/* Whether every address that the name has may be asked. */
static bool resolves_well(const struct parts *parts) {
    char host[256];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (parts->host_length >= sizeof host) return false;
    memcpy(host, parts->host, parts->host_length);
    host[parts->host_length] = '\0';
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    bool good = true;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        good = good && !wr_is_metadata_address(at->ai_addr);
    freeaddrinfo(found);
    return good;
}

static int refuse_url(const char *url, bool write, struct weir_error *error) {
    return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                        "permission denied: the URL \"%.*s\" is not one that may be %s (%s)",
                        (int)strcspn(url, "?"), url, write ? "written" : "read",
                        write ? "policy.write" : "policy.read, policy.hosts");
}

bool wr_policy_may_follow(const struct wr_policy *policy, const char *url) {
    struct parts parts = {0};
    if (!policy->limits_read && !policy->limits_hosts) return true;
    bool good = false;
    if (!take_apart(url, &parts) || !is_web(url, &parts)) return false;
    for (size_t i = 0; i < policy->read.n_items && !good; i++)
        good = policy->read.items[i][0] != '/' && is_below_url(policy->read.items[i], url);
    for (size_t i = 0; i < policy->hosts.n_items && !good; i++)
        good = host_matches(policy->hosts.items[i], &parts);
    return good && (!policy->is_closed || resolves_well(&parts));
}

static int check_url(const struct wr_policy *policy, const char *url, bool write,
                     struct weir_error *error) {
    const struct wr_texts *roots = write ? &policy->write : &policy->read;
    struct parts parts = {0};
    bool good = false;
    if (!take_apart(url, &parts)) return refuse_url(url, write, error);
    for (size_t i = 0; i < roots->n_items && !good; i++)
        good = roots->items[i][0] != '/' && is_below_url(roots->items[i], url);
    bool web = is_web(url, &parts);
    for (size_t i = 0; i < policy->hosts.n_items && !good && web && !write; i++)
        good = host_matches(policy->hosts.items[i], &parts);
    /* Looked up last, so that no name is asked for that is not listed. */
    if (good && web && policy->is_closed) good = resolves_well(&parts);
    return good ? WEIR_OK : refuse_url(url, write, error);
}

/* ---- Both ---- */

int wr_access_path(struct wr_access *access, const char *path, bool write,
                   struct weir_error *error) {
    const struct wr_policy *policy = access->policy;
    char *local = NULL;
    char *directory = NULL;
    bool url = wr_scheme_length(path) > 0 || strstr(path, "://");
    bool remote = url && strncasecmp(path, "file:", 5) != 0;
    if (!(write ? policy->limits_write : policy->limits_read || (remote && policy->limits_hosts)))
        return WEIR_OK;
    if (remote) return check_url(policy, path, write, error);
    const struct wr_texts *roots = write ? &policy->write : &policy->read;
    if (url) {
        if (wr_local_path(path, &local, NULL) != WEIR_OK) return refuse(path, write, error);
    } else if (*path != '/') {
        WR_TRY(wr_current_directory(&directory, error));
        int code = wr_path_join(directory, path, "the machine's root", &local, NULL);
        wr_free(directory);
        if (code) return refuse(path, write, error);
    }
    const char *whole = local ? local : path;
    int code = WEIR_OK;
    if (local && *local != '/') {
        char *absolute = wr_malloc(strlen(local) + 2);
        if (absolute) {
            *absolute = '/';
            memcpy(absolute + 1, local, strlen(local) + 1);
        } else {
            code = wr_error_memory(error);
        }
        wr_free(local);
        local = absolute;
        whole = local;
    }
    if (code == WEIR_OK) code = check_machine(roots, whole, write, error);
    wr_free(local);
    return code;
}
