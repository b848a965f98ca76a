/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, roles, their keys and what was granted to them, in the catalog's database.
 *
 * 1. A user logs in, a role does not; both are granted rights and roles. Their names share one
 * space. The roles `admin`, whose members may do everything, and `public`, of which everybody is a
 * member, are there from the start and stay.
 * 2. Only hashes are kept of passwords and keys. They leave this module through wr_users_find and
 * wr_keys_find alone, and reach no table that SQL can read.
 * 3. Grants are kept by the names of what is granted, since tables of mounts have no rows of their
 * own. A dropped table takes its grants along.
 * 4. wr_users_generation is another number after each change, of any process.
 * 5. All take the mutex of the names themselves, except the two that say otherwise.
 */
#ifndef WR_USERS_H
#define WR_USERS_H

#include <stdbool.h>

#include "base/privilege.h"
#include "catalog/catalog.h"

#define WR_ROLE_ADMIN "admin"
#define WR_ROLE_PUBLIC "public"

/* ---- Users and roles ---- */

struct wr_user {
    int64_t id; /* 0: there is none */
    bool is_role;
    bool is_enabled;
    char *password; /* its hash; NULL: none. Free with wr_free */
};

/* `password` (may be NULL) is a hash. WEIR_ALREADY_EXISTS (42710). */
int wr_users_add(struct wr_names *names, const char *name, bool is_role, const char *password,
                 struct weir_error *error);
int wr_users_set_password(struct wr_names *names, const char *name, const char *password,
                          struct weir_error *error);
int wr_users_set_enabled(struct wr_names *names, const char *name, bool is_enabled,
                         struct weir_error *error);
/* With all that was granted to it. WEIR_NOT_FOUND (42704) unless `if_exists`. */
int wr_users_drop(struct wr_names *names, const char *name, bool is_role, bool if_exists,
                  struct weir_error *error);
int wr_users_find(struct wr_names *names, const char *name, struct wr_user *ret_user,
                  struct weir_error *error);
/* Whether there is any user. */
int wr_users_any(struct wr_names *names, bool *ret_any, struct weir_error *error);
int wr_users_generation(struct wr_names *names, int64_t *ret_generation, struct weir_error *error);

struct wr_user_info {
    const char *name;
    const char *roles; /* granted directly, separated by commas; NULL: none */
    bool is_role;
    bool is_enabled;
    int64_t created_at; /* microseconds since 1970 */
};
typedef int (*wr_user_info_fn)(void *sink, const struct wr_user_info *info,
                               struct weir_error *error);
/* In order of their names. `take` runs with the mutex held. */
int wr_users_each(struct wr_names *names, wr_user_info_fn take, void *sink,
                  struct weir_error *error);

/* Makes `member` (a user or role) a member of `role`, or no longer; a circle is refused (0LP01). */
int wr_users_join(struct wr_names *names, const char *role, const char *member,
                  struct weir_error *error);
int wr_users_leave(struct wr_names *names, const char *role, const char *member,
                   struct weir_error *error);

/* ---- Grants ---- */

/* What is granted on; "" is any: of a schema the name, of a catalog the schema too. */
struct wr_grant {
    const char *grantee;
    struct wr_name on;
    uint32_t privileges;
};

int wr_grants_add(struct wr_names *names, const struct wr_grant *grant, struct weir_error *error);
/* Takes the privileges away; those that were not granted are no error. */
int wr_grants_remove(struct wr_names *names, const struct wr_grant *grant,
                     struct weir_error *error);
typedef int (*wr_grant_fn)(void *sink, const struct wr_grant *grant, struct weir_error *error);
int wr_grants_each(struct wr_names *names, wr_grant_fn take, void *sink, struct weir_error *error);
/* As wr_grants_each: membership of a role, in the place of what is granted on. */
typedef int (*wr_member_fn)(void *sink, const char *role, const char *member,
                            struct weir_error *error);
int wr_members_each(struct wr_names *names, wr_member_fn take, void *sink,
                    struct weir_error *error);
/* With the mutex held, in the transaction that drops or renames it. `name` "": the schema with all
 * that is in it; `schema` "" too: the catalog. */
int wr_grants_forget(struct wr_names *names, const struct wr_name *name, struct weir_error *error);
int wr_grants_rename(struct wr_names *names, const struct wr_name *from, const char *to,
                     struct weir_error *error);

/* ---- Keys ---- */

enum { WR_KEY_HASH_SIZE = 32 };

struct wr_key {
    bool found;
    unsigned char hash[WR_KEY_HASH_SIZE];
    int64_t expires_at; /* microseconds since 1970; 0: never */
    char *user;         /* free with wr_free */
};

int wr_keys_add(struct wr_names *names, const char *user, const char *prefix, const char *label,
                const unsigned char hash[WR_KEY_HASH_SIZE], int64_t expires_at,
                struct weir_error *error);
int wr_keys_find(struct wr_names *names, const char *prefix, struct wr_key *ret_key,
                 struct weir_error *error);
/* WEIR_NOT_FOUND (42704). */
int wr_keys_drop(struct wr_names *names, const char *prefix, struct weir_error *error);
struct wr_key_info {
    const char *prefix;
    const char *user;
    const char *label;  /* NULL: none */
    int64_t created_at; /* microseconds since 1970 */
    int64_t expires_at; /* 0: never */
};
typedef int (*wr_key_info_fn)(void *sink, const struct wr_key_info *info, struct weir_error *error);
int wr_keys_each(struct wr_names *names, wr_key_info_fn take, void *sink, struct weir_error *error);
/* The secret that the hashes of keys are made with; made at its first use. */
int wr_keys_secret(struct wr_names *names, unsigned char ret_secret[WR_KEY_HASH_SIZE],
                   struct weir_error *error);

#endif
