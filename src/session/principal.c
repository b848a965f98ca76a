/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks. */
#include "session/principal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sized.h"
#include "session/session.h"

int weir_workspace_authenticates(struct weir_workspace *workspace) {
    return wr_auth_is_used(workspace->auth);
}

static int identify(struct weir_workspace *workspace, const struct weir_credential *credential,
                    struct weir_principal *principal, struct weir_error *error) {
    if (credential->type != WEIR_CREDENTIAL_NONE)
        return wr_auth_check(workspace->auth, credential, &principal->identity, error);
    if (wr_auth_is_used(workspace->auth))
        return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000", "the credential is not valid");
    principal->is_anonymous = true;
    principal->identity.user = wr_strdup("anonymous");
    return principal->identity.user ? WEIR_OK : wr_error_memory(error);
}

int weir_authenticate(struct weir_workspace *workspace, const struct weir_credential *given,
                      struct weir_principal **ret_principal, struct weir_error *error) {
    struct weir_credential credential;
    WR_TRY(wr_copy_sized(given, &credential, sizeof credential, "weir_credential", error));
    struct weir_principal *principal = wr_calloc(1, sizeof *principal);
    if (!principal) return wr_error_memory(error);
    int code = identify(workspace, &credential, principal, error);
    if (code) {
        weir_principal_free(principal);
        return code;
    }
    *ret_principal = principal;
    return WEIR_OK;
}

void weir_principal_free(struct weir_principal *principal) {
    if (!principal) return;
    wr_identity_reset(&principal->identity);
    wr_free(principal);
}

const char *weir_principal_name(const struct weir_principal *principal) {
    return principal->identity.user;
}

int64_t weir_principal_expires(const struct weir_principal *principal) {
    return principal->identity.expires_ns;
}

int wr_principal_access(const struct weir_principal *principal, struct wr_policy *policy,
                        struct wr_access **ret_access, struct weir_error *error) {
    const struct wr_identity *identity = principal ? &principal->identity : NULL;
    const struct wr_access_options options = {
        .user = identity ? identity->user : NULL,
        .user_id = identity ? identity->user_id : 0,
        .roles = identity ? (const char *const *)identity->roles : NULL,
        .n_roles = identity ? identity->n_roles : 0,
        .is_anonymous = principal && principal->is_anonymous,
    };
    return wr_access_new(policy, &options, ret_access, error);
}
