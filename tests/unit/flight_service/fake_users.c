/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users for tests of the door alone, in place of the library's: "ada" with the password "secret",
 * the key "key-of-ada" and the certificate "CN=ada,...", "bob" likewise, and tokens "x.y.NAME",
 * which end at once for the name "late". What a user may do is the library's to test: here all of
 * them may do everything.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir.h"

struct weir_principal {
    char *name;
    int64_t expires_ns;
};

static const char *const users[] = {"ada", "bob", "late"};

int weir_workspace_authenticates(struct weir_workspace *workspace) {
    (void)workspace;
    return 1;
}

/* Whose credential it is; NULL: nobody's. */
static const char *find(const struct weir_credential *credential) {
    char text[128];
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        const char *user = users[i];
        switch (credential->type) {
        case WEIR_CREDENTIAL_PASSWORD:
            if (strcmp(credential->user, user) == 0 && strcmp(credential->secret, "secret") == 0)
                return user;
            break;
        case WEIR_CREDENTIAL_API_KEY:
            snprintf(text, sizeof text, "key-of-%s", user);
            if (strcmp(credential->secret, text) == 0) return user;
            break;
        case WEIR_CREDENTIAL_TOKEN:
            snprintf(text, sizeof text, "x.y.%s", user);
            if (strcmp(credential->secret, text) == 0) return user;
            break;
        case WEIR_CREDENTIAL_CERTIFICATE:
            snprintf(text, sizeof text, "CN=%s,", user);
            if (strncmp(credential->user, text, strlen(text)) == 0) return user;
            break;
        default:
            break;
        }
    }
    return NULL;
}

int weir_authenticate(struct weir_workspace *workspace, const struct weir_credential *credential,
                      struct weir_principal **ret_principal, struct weir_error *error) {
    const char *user = find(credential);
    (void)workspace;
    if (!user) {
        if (error) {
            *error = (struct weir_error){.code = WEIR_UNAUTHENTICATED, .sqlstate = "28000"};
            strcpy(error->message, "the credential is not valid");
        }
        return WEIR_UNAUTHENTICATED;
    }
    struct weir_principal *principal = calloc(1, sizeof *principal);
    if (!principal) abort();
    principal->name = strdup(user);
    if (strcmp(user, "late") == 0) principal->expires_ns = ((int64_t)time(NULL) + 2) * 1000000000;
    *ret_principal = principal;
    return WEIR_OK;
}

void weir_principal_free(struct weir_principal *principal) {
    if (!principal) return;
    free(principal->name);
    free(principal);
}

const char *weir_principal_name(const struct weir_principal *principal) {
    return principal->name;
}

int64_t weir_principal_expires(const struct weir_principal *principal) {
    return principal->expires_ns;
}

/* The library knows its own principals only. */
int weir_session_open(struct weir_workspace *workspace, const struct weir_session_options *given,
                      struct weir_session **ret_session, struct weir_error *error) {
    struct weir_session_options options = {.size = sizeof options};
    int (*open)(struct weir_workspace *, const struct weir_session_options *,
                struct weir_session **, struct weir_error *);
    void *symbol = dlsym(RTLD_NEXT, "weir_session_open");
    memcpy(&open, &symbol, sizeof open);
    if (given) options = *given;
    options.principal = NULL;
    return open(workspace, &options, ret_session, error);
}
