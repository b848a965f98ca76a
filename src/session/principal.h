/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WR_PRINCIPAL_H
#define WR_PRINCIPAL_H

#include "session/auth.h"
#include "session/policy.h"

struct weir_principal {
    struct wr_identity identity;
    bool is_anonymous;
};

/* The rights of a principal; NULL is the program itself. */
int wr_principal_access(const struct weir_principal *principal, struct wr_policy *policy,
                        struct wr_access **ret_access, struct weir_error *error);

#endif
