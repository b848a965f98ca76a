/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the policy share. */
#ifndef WR_POLICY_INTERNAL_H
#define WR_POLICY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "session/policy.h"

struct wr_texts {
    char **items;
    size_t n_items;
};

int wr_texts_add(struct wr_texts *texts, const char *text, size_t length, struct weir_error *error);
bool wr_texts_have(const struct wr_texts *texts, const char *text);
void wr_texts_reset(struct wr_texts *texts);

struct wr_policy {
    struct wr_names *names;
    const char *catalog; /* the workspace's own, and its first schema */
    const char *schema;
    bool is_closed;
    bool limits_read; /* what may be read by path and URL is told */
    bool limits_write;
    bool limits_hosts; /* URLs */
    struct wr_texts read;
    struct wr_texts write;
    struct wr_texts hosts;
};

struct wr_rule {
    char *catalog;
    char *schema;
    char *name;
    uint32_t privileges;
};

struct wr_access {
    atomic_int references;
    struct wr_policy *policy;
    char *user;
    int64_t user_id;
    bool is_anonymous;
    struct wr_texts token_roles;
    pthread_mutex_t mutex; /* guards what follows */
    int64_t generation;    /* of what was read; -1: nothing yet */
    bool is_all;
    bool is_gone;          /* dropped or disabled */
    struct wr_texts roles; /* all of them, through roles too */
    struct wr_rule *rules;
    size_t n_rules;
    struct wr_rule *owned;
    size_t n_owned;
};

/* In policy_path.c: whether a web server's answer may send on to a URL. */
bool wr_policy_may_follow(const struct wr_policy *policy, const char *url);
/* In policy_address.c. */
struct sockaddr;
bool wr_is_metadata_address(const struct sockaddr *address);

#endif
