/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what.
 *
 * 1. A session has an *access*: the rights of its principal as they are now. All that it does is
 * asked of that one object, whatever the door: names through the gate of the catalog
 * (catalog/gate.h), statements at planning, paths wherever a text becomes one.
 * 2. What may not be seen is not there: the answer is that for a name that nobody has.
 * 3. The program itself (no principal) and members of `admin` may do everything; the preset's rules
 * on paths hold for the program too where the configuration gives it.
 * 4. Rights are read from the store when wr_users_generation has moved, so that a REVOKE holds from
 * the next look-up on.
 * 5. An access is shared by the session, its names, and the system tables that it reads, which may
 * outlive it; safe for threads.
 */
#ifndef WR_POLICY_H
#define WR_POLICY_H

#include "catalog/gate.h"
#include "catalog/users.h"
#include "config/config.h"
#include "sql/statement.h"
#include "table/system/rows.h"

struct wr_policy; /* of a workspace */
struct wr_access;

/* ---- The workspace's rules ---- */

/* `names` and `config` must outlive it. */
int wr_policy_new(struct wr_names *names, const struct wr_config *config, const char *catalog,
                  const char *schema, struct wr_policy **ret_policy, struct weir_error *error);
void wr_policy_free(struct wr_policy *policy);
/* The preset `server`. */
bool wr_policy_is_closed(const struct wr_policy *policy);
/*
 * What the engine asks of the requests of a store; lives as long as the policy. `trusted`: that an
 * administrator gave options for, so that it may be in a private network. False: nothing is asked.
 */
struct wr_guard;
bool wr_policy_guard(struct wr_policy *policy, bool trusted, struct wr_guard *ret_guard);

/* ---- One's rights ---- */

struct wr_access_options {
    const char *user;         /* NULL: the program itself */
    int64_t user_id;          /* of the store; 0: not from there */
    const char *const *roles; /* besides those of the store */
    size_t n_roles;
    bool is_anonymous;
};

int wr_access_new(struct wr_policy *policy, const struct wr_access_options *options,
                  struct wr_access **ret_access, struct weir_error *error);
struct wr_access *wr_access_retain(struct wr_access *access);
void wr_access_release(struct wr_access *access);
/* Whether both are the same user's with the same roles, so that one may stand for the other. */
bool wr_access_same(const struct wr_access *a, const struct wr_access *b);

/* The user's name; NULL: the program itself. */
const char *wr_access_user(const struct wr_access *access);
/* Reads the rights anew if they have changed. WEIR_UNAUTHENTICATED (28000) when the user was
 * dropped or disabled. `ret_generation` (may be NULL): what rights were read. */
int wr_access_refresh(struct wr_access *access, int64_t *ret_generation, struct weir_error *error);
bool wr_access_is_all(struct wr_access *access); /* the program, or an administrator */
/* Whether there may be something that it does not see. */
bool wr_access_hides(struct wr_access *access);
/* The privileges on a table, through all grants; `name` "" those on the schema, `schema` "" too on
 * the catalog. */
uint32_t wr_access_rights(struct wr_access *access, const struct wr_name *name);
bool wr_access_sees(struct wr_access *access, const char *catalog, const char *schema,
                    const char *name);
/* Whether the rows about this user (NULL: the program's) or role may be seen: one's own. */
bool wr_access_sees_user(struct wr_access *access, const char *user);
/* WEIR_NOT_FOUND (without a message) when nothing of it may be seen, WEIR_UNAUTHORIZED (42501) when
 * one of the privileges is missing. */
int wr_access_need(struct wr_access *access, const struct wr_name *name, uint32_t privileges,
                   struct weir_error *error);
/* Only for administrators: `what` as in "ATTACH". */
int wr_access_need_all(struct wr_access *access, const char *what, struct weir_error *error);
/* A table that the session has registered is its own, to be read and dropped, as long as the name
 * is that of a registered table. */
int wr_access_own(struct wr_access *access, const struct wr_name *name, struct weir_error *error);
bool wr_access_owns(struct wr_access *access, const struct wr_name *name);

/* ---- Paths and URLs (policy_path.c) ---- */

/*
 * Whether it may be read, or written: with the preset `server`, and where roots are configured,
 * only below a root, links followed, or on a host that is listed. Refusals all read alike, whether
 * there is such a file or not (42501).
 */
int wr_access_path(struct wr_access *access, const char *path, bool write,
                   struct weir_error *error);
/* Whether a kind of table may be made with these options, by a statement or a call. */
int wr_access_kind(struct wr_access *access, const struct weir_table_kind *kind,
                   const struct weir_option *options, size_t n_options, bool call,
                   struct weir_error *error);
/* Whether one may SET it. */
int wr_access_setting(struct wr_access *access, const char *key, struct weir_error *error);

/* ---- Names ---- */

/* The table that the statement being planned changes or makes, of which it reads nothing. */
struct wr_access_target {
    struct wr_name name;
    uint32_t privileges; /* that stand in for SELECT; 0: to be seen is enough */
};

/* The gate of a look-up; `target` may be NULL. Lives as long as both. */
struct wr_access_gate {
    struct wr_gate gate;
    struct wr_access *access;
    const struct wr_access_target *target;
};
/* NULL for an access that may do everything. */
const struct wr_gate *wr_access_gate(struct wr_access *access,
                                     const struct wr_access_target *target,
                                     struct wr_access_gate *gate);

#endif
