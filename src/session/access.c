/* SPDX-License-Identifier: Apache-2.0 */
/* One's rights: read from the store, kept, and asked. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/policy_internal.h"
#include "table/system/system.h"

/* ---- Lists of texts ---- */

int wr_texts_add(struct wr_texts *texts, const char *text, size_t length,
                 struct weir_error *error) {
    char **items = wr_reallocarray(texts->items, texts->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    texts->items = items;
    items[texts->n_items] = wr_strndup(text, length);
    if (!items[texts->n_items]) return wr_error_memory(error);
    texts->n_items++;
    return WEIR_OK;
}

bool wr_texts_have(const struct wr_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->n_items; i++) {
        if (strcmp(texts->items[i], text) == 0) return true;
    }
    return false;
}

void wr_texts_reset(struct wr_texts *texts) {
    for (size_t i = 0; i < texts->n_items; i++)
        wr_free(texts->items[i]);
    wr_free(texts->items);
    *texts = (struct wr_texts){0};
}

/* ---- Rules ---- */

static void rules_free(struct wr_rule *rules, size_t n_rules) {
    for (size_t i = 0; i < n_rules; i++) {
        wr_free(rules[i].catalog);
        wr_free(rules[i].schema);
        wr_free(rules[i].name);
    }
    wr_free(rules);
}

static int add_rule(struct wr_rule **rules, size_t *n_rules, const struct wr_name *on,
                    uint32_t privileges, struct weir_error *error) {
    struct wr_rule *more = wr_reallocarray(*rules, *n_rules + 1, sizeof *more);
    if (!more) return wr_error_memory(error);
    *rules = more;
    more[*n_rules] = (struct wr_rule){wr_strdup(on->catalog), wr_strdup(on->schema),
                                      wr_strdup(on->name), privileges};
    const struct wr_rule *rule = &more[(*n_rules)++];
    if (rule->catalog && rule->schema && rule->name) return WEIR_OK;
    return wr_error_memory(error);
}

/* Whether `path` is `directory`, or below it. */
static bool is_in(const char *directory, const char *path) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

/* A directory of a mount is a schema, and may also be a table of the one that it is in. */
static bool is_directory(const struct wr_rule *rule, const struct wr_name *name) {
    size_t length = strlen(name->schema);
    const char *rest = rule->schema;
    if (strcmp(name->schema, ".") != 0) {
        if (strncmp(rest, name->schema, length) != 0 || rest[length] != '/') return false;
        rest += length + 1;
    }
    return strcmp(rest, name->name) == 0;
}

static bool covers(const struct wr_rule *rule, const struct wr_name *name) {
    if (strcmp(rule->catalog, name->catalog) != 0) return false;
    if (!*rule->schema) return true;
    if (!*rule->name) return is_in(rule->schema, name->schema) || is_directory(rule, name);
    return strcmp(rule->schema, name->schema) == 0 && strcmp(rule->name, name->name) == 0;
}

/* Whether something of (catalog, schema; NULL: any) is covered. */
static bool touches(const struct wr_rule *rule, const char *catalog, const char *schema) {
    if (strcmp(rule->catalog, catalog) != 0) return false;
    if (!schema || !*rule->schema || strcmp(schema, ".") == 0) return true;
    return is_in(schema, rule->schema) || (!*rule->name && is_in(rule->schema, schema));
}

/* ---- Reading them ---- */

struct reading {
    struct wr_texts roles; /* the user's own name first */
    struct wr_rule *rules;
    size_t n_rules;
    bool grown;
};

static void reading_reset(struct reading *reading) {
    wr_texts_reset(&reading->roles);
    rules_free(reading->rules, reading->n_rules);
}

static int take_member(void *sink, const char *role, const char *member, struct weir_error *error) {
    struct reading *reading = sink;
    if (!wr_texts_have(&reading->roles, member) || wr_texts_have(&reading->roles, role))
        return WEIR_OK;
    reading->grown = true;
    return wr_texts_add(&reading->roles, role, strlen(role), error);
}

static int take_grant(void *sink, const struct wr_grant *grant, struct weir_error *error) {
    struct reading *reading = sink;
    if (!wr_texts_have(&reading->roles, grant->grantee)) return WEIR_OK;
    return add_rule(&reading->rules, &reading->n_rules, &grant->on, grant->privileges, error);
}

static int check_role(struct wr_names *names, const char *name, bool *ret_role,
                      struct weir_error *error) {
    struct wr_user user = {0};
    WR_TRY(wr_users_find(names, name, &user, error));
    wr_free(user.password);
    *ret_role = user.id != 0 && user.is_role;
    return WEIR_OK;
}

static int read_rules(const struct wr_access *access, struct reading *reading,
                      struct weir_error *error) {
    WR_TRY(wr_texts_add(&reading->roles, access->user, strlen(access->user), error));
    for (size_t i = 0; i < access->token_roles.n_items; i++) {
        const char *role = access->token_roles.items[i];
        bool is_role = false;
        /* The name of a user gives a token nothing. */
        WR_TRY(check_role(access->policy->names, role, &is_role, error));
        if (is_role) WR_TRY(wr_texts_add(&reading->roles, role, strlen(role), error));
    }
    WR_TRY(wr_texts_add(&reading->roles, WR_ROLE_PUBLIC, strlen(WR_ROLE_PUBLIC), error));
    do {
        reading->grown = false;
        WR_TRY(wr_members_each(access->policy->names, take_member, reading, error));
    } while (reading->grown);
    return wr_grants_each(access->policy->names, take_grant, reading, error);
}

/* A user of the store is the one who logged in: not a later one of the name, and not disabled. */
static int check_user(const struct wr_access *access, bool *ret_gone, struct weir_error *error) {
    struct wr_user user = {0};
    *ret_gone = false;
    WR_TRY(wr_users_find(access->policy->names, access->user, &user, error));
    wr_free(user.password);
    if (access->user_id) *ret_gone = user.id != access->user_id;
    /* A token's user need not be there, but must not be locked out. */
    if (user.id && (!user.is_enabled || user.is_role)) *ret_gone = true;
    return WEIR_OK;
}

static int read_again(struct wr_access *access, int64_t generation, struct weir_error *error) {
    struct reading reading = {0};
    bool gone = false;
    int code = check_user(access, &gone, error);
    if (code == WEIR_OK && !gone) code = read_rules(access, &reading, error);
    if (code) {
        reading_reset(&reading);
        return code;
    }
    pthread_mutex_lock(&access->mutex);
    struct reading old = {access->roles, access->rules, access->n_rules, false};
    access->roles = reading.roles;
    access->rules = reading.rules;
    access->n_rules = reading.n_rules;
    access->is_gone = gone;
    access->is_all = !gone && wr_texts_have(&reading.roles, WR_ROLE_ADMIN);
    access->generation = generation;
    pthread_mutex_unlock(&access->mutex);
    reading_reset(&old);
    return WEIR_OK;
}

int wr_access_refresh(struct wr_access *access, int64_t *ret_generation, struct weir_error *error) {
    int64_t generation = 0;
    bool fixed = !access->user || access->is_anonymous;
    if (!fixed) {
        WR_TRY(wr_users_generation(access->policy->names, &generation, error));
        pthread_mutex_lock(&access->mutex);
        bool current = access->generation == generation;
        pthread_mutex_unlock(&access->mutex);
        if (!current) WR_TRY(read_again(access, generation, error));
    }
    pthread_mutex_lock(&access->mutex);
    bool gone = access->is_gone;
    pthread_mutex_unlock(&access->mutex);
    if (gone)
        return wr_error_set(error, WEIR_UNAUTHENTICATED, "28000",
                            "the credential of this session is not valid any more");
    if (ret_generation) *ret_generation = generation;
    return WEIR_OK;
}

/* ---- Making ---- */

int wr_access_new(struct wr_policy *policy, const struct wr_access_options *options,
                  struct wr_access **ret_access, struct weir_error *error) {
    struct wr_access *access = wr_calloc(1, sizeof *access);
    if (!access) return wr_error_memory(error);
    atomic_init(&access->references, 1);
    pthread_mutex_init(&access->mutex, NULL);
    access->policy = policy;
    access->user_id = options->user_id;
    access->is_anonymous = options->is_anonymous;
    access->generation = -1;
    access->is_all = !options->user || (options->is_anonymous && !policy->is_closed);
    access->user = wr_strdup(options->user);
    int code = options->user && !access->user ? wr_error_memory(error) : WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < options->n_roles; i++)
        code =
            wr_texts_add(&access->token_roles, options->roles[i], strlen(options->roles[i]), error);
    if (code == WEIR_OK) code = wr_access_refresh(access, NULL, error);
    if (code) {
        wr_access_release(access);
        return code;
    }
    *ret_access = access;
    return WEIR_OK;
}

struct wr_access *wr_access_retain(struct wr_access *access) {
    atomic_fetch_add_explicit(&access->references, 1, memory_order_relaxed);
    return access;
}

void wr_access_release(struct wr_access *access) {
    if (!access) return;
    if (atomic_fetch_sub_explicit(&access->references, 1, memory_order_acq_rel) > 1) return;
    wr_texts_reset(&access->token_roles);
    wr_texts_reset(&access->roles);
    rules_free(access->rules, access->n_rules);
    rules_free(access->owned, access->n_owned);
    pthread_mutex_destroy(&access->mutex);
    wr_free(access->user);
    wr_free(access);
}

bool wr_access_same(const struct wr_access *a, const struct wr_access *b) {
    if (!a->user || !b->user) return !a->user && !b->user;
    if (strcmp(a->user, b->user) != 0 || a->user_id != b->user_id ||
        a->is_anonymous != b->is_anonymous || a->token_roles.n_items != b->token_roles.n_items)
        return false;
    for (size_t i = 0; i < a->token_roles.n_items; i++) {
        if (!wr_texts_have(&b->token_roles, a->token_roles.items[i])) return false;
    }
    return true;
}

/* ---- Asking ---- */

const char *wr_access_user(const struct wr_access *access) {
    return access->user;
}

bool wr_access_is_all(struct wr_access *access) {
    pthread_mutex_lock(&access->mutex);
    bool all = access->is_all;
    pthread_mutex_unlock(&access->mutex);
    return all;
}

bool wr_access_hides(struct wr_access *access) {
    return !access->is_anonymous && !wr_access_is_all(access);
}

/* Weir's own tables show to each what is to be seen by him. */
static bool is_system(const struct wr_name *name) {
    return strcmp(name->catalog, WR_SYSTEM_CATALOG) == 0;
}

static uint32_t anonymous_rights(const struct wr_policy *policy, const struct wr_name *name) {
    return strcmp(name->catalog, policy->catalog) == 0 ? WR_MAY_ALL : WR_MAY_SELECT;
}

uint32_t wr_access_rights(struct wr_access *access, const struct wr_name *name) {
    uint32_t rights = is_system(name) ? WR_MAY_SELECT : 0;
    pthread_mutex_lock(&access->mutex);
    if (access->is_all) rights = WR_MAY_ALL;
    for (size_t i = 0; i < access->n_rules; i++) {
        if (covers(&access->rules[i], name)) rights |= access->rules[i].privileges;
    }
    pthread_mutex_unlock(&access->mutex);
    if (access->is_anonymous) rights |= anonymous_rights(access->policy, name);
    return rights;
}

/* The workspace's first schema is where sessions begin: that there is one is no secret. */
static bool is_first(const struct wr_policy *policy, const char *catalog, const char *schema) {
    return strcmp(catalog, policy->catalog) == 0 &&
           (!schema || strcmp(schema, policy->schema) == 0);
}

bool wr_access_sees(struct wr_access *access, const char *catalog, const char *schema,
                    const char *name) {
    if (access->is_anonymous || strcmp(catalog, WR_SYSTEM_CATALOG) == 0) return true;
    if (name) return wr_access_rights(access, &(struct wr_name){catalog, schema, name}) != 0;
    pthread_mutex_lock(&access->mutex);
    bool seen = access->is_all || is_first(access->policy, catalog, schema);
    for (size_t i = 0; i < access->n_rules && !seen; i++)
        seen = touches(&access->rules[i], catalog, schema);
    pthread_mutex_unlock(&access->mutex);
    return seen;
}

bool wr_access_sees_user(struct wr_access *access, const char *user) {
    if (wr_access_is_all(access)) return true;
    if (!user) return false;
    if (access->is_anonymous) return strcmp(user, access->user) == 0;
    /* One's own name is the first of them. */
    pthread_mutex_lock(&access->mutex);
    bool own = wr_texts_have(&access->roles, user);
    pthread_mutex_unlock(&access->mutex);
    return own;
}

static const struct {
    uint32_t bit;
    const char *name;
} privilege_names[] = {
    {WR_MAY_SELECT, "SELECT"}, {WR_MAY_INSERT, "INSERT"}, {WR_MAY_UPDATE, "UPDATE"},
    {WR_MAY_DELETE, "DELETE"}, {WR_MAY_CREATE, "CREATE"}, {WR_MAY_DROP, "DROP"},
    {WR_MAY_ALTER, "ALTER"},
};

static int refuse(const struct wr_name *name, uint32_t missing, struct weir_error *error) {
    const char *privilege = "";
    for (size_t i = sizeof privilege_names / sizeof *privilege_names; i-- > 0;) {
        if (missing & privilege_names[i].bit) privilege = privilege_names[i].name;
    }
    const char *what = *name->name ? "table" : *name->schema ? "namespace" : "catalog";
    return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                        "permission denied: %s on %s %s%s%s%s%s has not been granted to you",
                        privilege, what, name->catalog, *name->schema ? "." : "", name->schema,
                        *name->name ? "." : "", name->name);
}

int wr_access_need(struct wr_access *access, const struct wr_name *name, uint32_t privileges,
                   struct weir_error *error) {
    uint32_t rights = wr_access_rights(access, name);
    if ((rights & privileges) == privileges && (rights || wr_access_is_all(access))) return WEIR_OK;
    const char *schema = *name->schema ? name->schema : NULL;
    const char *table = *name->name ? name->name : NULL;
    if (!wr_access_sees(access, name->catalog, schema, table)) return WEIR_NOT_FOUND;
    return refuse(name, privileges & ~rights, error);
}

int wr_access_need_all(struct wr_access *access, const char *what, struct weir_error *error) {
    if (wr_access_is_all(access)) return WEIR_OK;
    return wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                        "permission denied: %s is for administrators (the role \"%s\")", what,
                        WR_ROLE_ADMIN);
}

int wr_access_own(struct wr_access *access, const struct wr_name *name, struct weir_error *error) {
    pthread_mutex_lock(&access->mutex);
    int code = WEIR_OK;
    bool known = false;
    for (size_t i = 0; i < access->n_owned; i++)
        known = known || covers(&access->owned[i], name);
    if (!known) code = add_rule(&access->owned, &access->n_owned, name, WR_MAY_ALL, error);
    pthread_mutex_unlock(&access->mutex);
    return code;
}

bool wr_access_owns(struct wr_access *access, const struct wr_name *name) {
    bool owned = false;
    pthread_mutex_lock(&access->mutex);
    for (size_t i = 0; i < access->n_owned; i++)
        owned = owned || covers(&access->owned[i], name);
    pthread_mutex_unlock(&access->mutex);
    return owned && wr_names_is_registered(access->policy->names, name);
}

/* ---- The gate ---- */

static bool gate_sees(void *context, const char *catalog, const char *schema, const char *name) {
    const struct wr_access_gate *gate = context;
    return wr_access_sees(gate->access, catalog, schema, name);
}

static int gate_table(void *context, const struct wr_name *name, struct weir_error *error) {
    const struct wr_access_gate *gate = context;
    const struct wr_access_target *target = gate->target;
    uint32_t privileges = WR_MAY_SELECT;
    if (wr_access_owns(gate->access, name)) return WEIR_OK;
    if (target && strcmp(target->name.name, name->name) == 0 &&
        strcmp(target->name.schema, name->schema) == 0 &&
        strcmp(target->name.catalog, name->catalog) == 0)
        privileges = target->privileges;
    return wr_access_need(gate->access, name, privileges, error);
}

static int gate_path(void *context, const char *path, struct weir_error *error) {
    const struct wr_access_gate *gate = context;
    return wr_access_path(gate->access, path, false, error);
}

static int gate_kind(void *context, const struct weir_table_kind *kind,
                     const struct weir_option *options, size_t n_options,
                     struct weir_error *error) {
    const struct wr_access_gate *gate = context;
    return wr_access_kind(gate->access, kind, options, n_options, true, error);
}

const struct wr_gate *wr_access_gate(struct wr_access *access,
                                     const struct wr_access_target *target,
                                     struct wr_access_gate *gate) {
    const struct wr_policy *policy = access->policy;
    if (wr_access_is_all(access) && !policy->limits_read && !policy->limits_hosts) return NULL;
    *gate = (struct wr_access_gate){
        .gate = {gate, gate_sees, gate_table, gate_path, gate_kind},
        .access = access,
        .target = target,
    };
    return &gate->gate;
}
