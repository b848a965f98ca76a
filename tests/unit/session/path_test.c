/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths and URLs may be read and written, as a table; and what rights add up to. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "session/policy.h"

static char directory[64];
static struct wr_registry *registry;
static struct wr_names *names;
static struct wr_config *config;
static struct wr_policy *policy;
static struct wr_access *access_of;

static const char *at(const char *name) {
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%s%s", directory, name);
    return text;
}

static void put(const char *name) {
    int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int set_up(void **state) {
    (void)state;
    static char read[1024];
    strcpy(directory, "/tmp/weir-path-XXXXXX");
    if (!mkdtemp(directory)) return -1;
    mkdir(at("/root"), 0700);
    mkdir(at("/root/sub"), 0700);
    mkdir(at("/rootless"), 0700);
    mkdir(at("/out"), 0700);
    put("/root/a.csv");
    put("/rootless/a.csv");
    put("/secret.csv");
    assert_int_equal(symlink("../secret.csv", at("/root/link.csv")), 0);
    assert_int_equal(symlink("..", at("/root/up")), 0);
    assert_int_equal(symlink("../nowhere", at("/root/dangling")), 0);
    assert_int_equal(symlink("root", at("/alias")), 0);
    snprintf(read, sizeof read, "%s/root, s3://bucket/open/", directory);
    const struct weir_option settings[] = {
        {"policy.preset", "server"},
        {"policy.read", read},
        {"policy.write", at("/out")},
        {"policy.hosts", "127.0.0.1:9, *.example.org, 169.254.169.254, [::ffff:169.254.169.254]"},
    };
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    assert_int_equal(wr_names_open(NULL, "weir", "public", registry, &names, NULL), WEIR_OK);
    assert_int_equal(wr_config_load(NULL, settings, 4, &config, NULL), WEIR_OK);
    assert_int_equal(wr_policy_new(names, config, "weir", "public", &policy, NULL), WEIR_OK);
    const struct wr_access_options options = {.user = "alice"};
    return wr_access_new(policy, &options, &access_of, NULL);
}

static int tear_down(void **state) {
    (void)state;
    wr_access_release(access_of);
    wr_policy_free(policy);
    wr_config_free(config);
    wr_names_close(names);
    wr_registry_free(registry);
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool may(const char *path, bool write) {
    struct weir_error error = {0};
    int code = wr_access_path(access_of, path, write, &error);
    if (code != WEIR_OK) assert_int_equal(code, WEIR_UNAUTHORIZED);
    return code == WEIR_OK;
}

static void what_is_below_a_root_may_be_read(void **state) {
    (void)state;
    static const char *const good[] = {"/root/a.csv",         "/root",        "/root/",
                                       "/root/sub/../a.csv",  "/root/*.csv",  "/root/**/x.parquet",
                                       "/root/not_there.csv", "/root//a.csv", "/root/./sub",
                                       "/alias/a.csv"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!may(at(good[i]), false)) fail_msg("%s is refused", good[i]);
    char url[600];
    snprintf(url, sizeof url, "file://%s", at("/root/a.csv"));
    assert_true(may(url, false));
    assert_true(may("s3://bucket/open/x.parquet", false));
    assert_true(may(at("/out/new.parquet"), true));
}

/* Forty spellings of what lies outside. */
static void nothing_outside_of_a_root_may_be_read_however_it_is_spelt(void **state) {
    (void)state;
    static const char *const below[] = {
        "/secret.csv",
        "/root/../secret.csv",
        "/root/sub/../../secret.csv",
        "/root/./../secret.csv",
        "/root//..//secret.csv",
        "/root/link.csv",
        "/root/up/secret.csv",
        "/root/up/rootless/a.csv",
        "/root/up/*.csv",
        "/root/dangling",
        "/root/dangling/x.csv",
        "/rootless/a.csv",
        "/rootless",
        "/root.csv",
        "/*/secret.csv",
        "/roo?/../secret.csv",
        "/roo[t]/a.csv",
        "/{root,rootless}/a.csv",
        "/root/*/../../secret.csv",
        "",
        "/root/..",
        "/root/sub/../..",
        "/root/../root/../secret.csv",
        "/out/x.csv",
    };
    static const char *const whole[] = {
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "/../etc/passwd",
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/x",
        "/dev/stdin",
        "etc/passwd",
        "../../../../../../etc/passwd",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file://localhost/etc/passwd",
        "file:///%65tc/passwd",
        "file:/etc/passwd",
        "file:etc/passwd",
        "s3://bucket/open/../closed/x",
        "s3://bucket/open/%2e%2e/closed/x",
        "s3://bucket/openly/x",
        "s3://bucket/closed/x",
        "s3://other/open/x",
        "weir+file://2f/etc/passwd",
    };
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        if (may(at(below[i]), false)) fail_msg("%s may be read", below[i]);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (may(whole[i], false)) fail_msg("%s may be read", whole[i]);
}

static void what_may_be_read_may_not_be_written_and_the_reverse(void **state) {
    (void)state;
    assert_false(may(at("/root/a.csv"), true));
    assert_false(may(at("/out/x.csv"), false));
    assert_false(may(at("/out/../root/x.csv"), true));
    assert_false(may("s3://bucket/open/x", true));
    assert_false(may("http://127.0.0.1:9/x", true));
}

static void only_listed_hosts_are_asked_and_never_the_machines_own_secrets(void **state) {
    (void)state;
    assert_true(may("http://127.0.0.1:9/x.csv", false));
    static const char *const refused[] = {
        "http://127.0.0.1/x.csv",
        "http://127.0.0.1:91/x.csv",
        "http://127.0.0.1:9@evil/x.csv",
        "http://evil@127.0.0.1:9/x.csv",
        "http://127.0.0.1:9\\@evil/x.csv",
        "http://127.0.0.1%3a9/x",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/latest",
        "http://example.org/x",
        "http://example.org.evil/x",
        "http://evilexample.org/x",
        "gopher://127.0.0.1:9/x",
        "http:///x",
        "http://127.1:9/x",
        "http://2130706433:9/x",
        "ftp://127.0.0.1:9/x",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (may(refused[i], false)) fail_msg("%s may be read", refused[i]);
}

static void a_name_may_not_stand_for_what_is_not_public(void **state) {
    (void)state;
    struct wr_guard guard;
    static const char *const refused[] = {
        "127.0.0.1",
        "127.8.8.8",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00:ec2::254",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001::1",
        "no address",
        "::ffff:169.254.1.1",
        "198.18.0.1",
        "192.0.0.192",
    };
    static const char *const good[] = {
        "8.8.8.8",          "172.32.0.1",     "172.15.0.1",
        "11.0.0.1",         "100.128.0.1",    "192.0.1.1",
        "2600::1",          "::ffff:8.8.8.8", "2001:4860:4860::8888",
        "64:ff9b::808:808",
    };
    assert_true(wr_policy_guard(policy, false, &guard));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (guard.address(guard.context, "x.example.org", refused[i]))
            fail_msg("%s may be asked", refused[i]);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!guard.address(guard.context, "x.example.org", good[i]))
            fail_msg("%s may not be asked", good[i]);
    /* What an administrator gave options for may be in a private network, and no more. */
    assert_true(wr_policy_guard(policy, true, &guard));
    assert_true(guard.address(guard.context, "x.example.org", "10.1.2.3"));
    assert_false(guard.address(guard.context, "x.example.org", "169.254.169.254"));
    assert_true(guard.redirect(guard.context, "http://127.0.0.1:9/x.csv"));
    assert_false(guard.redirect(guard.context, "http://127.0.0.1:10/x.csv"));
    assert_false(guard.redirect(guard.context, "http://169.254.169.254/latest"));
    assert_false(guard.redirect(guard.context, "file:///etc/passwd"));
}

/* ---- Rights ---- */

static void grant(const char *grantee, const char *catalog, const char *schema, const char *name,
                  uint32_t privileges) {
    const struct wr_grant one = {grantee, {catalog, schema, name}, privileges};
    assert_int_equal(wr_grants_add(names, &one, NULL), WEIR_OK);
}

static void rights_add_up_over_levels_and_roles(void **state) {
    (void)state;
    struct wr_access *access = NULL;
    struct wr_user user = {0};
    assert_int_equal(wr_users_add(names, "carol", false, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_users_add(names, "inner", true, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_users_add(names, "outer", true, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_users_join(names, "outer", "carol", NULL), WEIR_OK);
    assert_int_equal(wr_users_join(names, "inner", "outer", NULL), WEIR_OK);
    assert_int_not_equal(wr_users_join(names, "outer", "inner", NULL), WEIR_OK);
    grant("carol", "weir", "s", "t", WR_MAY_SELECT);
    grant("inner", "weir", "s", "", WR_MAY_INSERT);
    grant("public", "lake", "logs", "", WR_MAY_SELECT);
    assert_int_equal(wr_users_find(names, "carol", &user, NULL), WEIR_OK);
    const struct wr_access_options options = {.user = "carol", .user_id = user.id};
    assert_int_equal(wr_access_new(policy, &options, &access, NULL), WEIR_OK);
    const struct {
        struct wr_name name;
        uint32_t rights;
    } cases[] = {
        {{"weir", "s", "t"}, WR_MAY_SELECT | WR_MAY_INSERT},
        {{"weir", "s", "u"}, WR_MAY_INSERT},
        {{"weir", "s2", "t"}, 0},
        {{"weir2", "s", "t"}, 0},
        {{"lake", "logs", "x"}, WR_MAY_SELECT},
        {{"lake", "logs/2026", "x"}, WR_MAY_SELECT},
        {{"lake", "logs2", "x"}, 0},
        {{"lake", ".", "logs"}, WR_MAY_SELECT},
        {{"lake", ".", "x"}, 0},
        {{"system", "public", "tables"}, WR_MAY_SELECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(wr_access_rights(access, &cases[i].name), cases[i].rights);
    assert_true(wr_access_sees(access, "lake", NULL, NULL));
    assert_false(wr_access_sees(access, "weir2", NULL, NULL));
    assert_false(wr_access_sees(access, "weir", "s2", NULL));
    const struct wr_name t = {"weir", "s", "t"};
    assert_int_equal(wr_access_need(access, &t, WR_MAY_SELECT, NULL), WEIR_OK);
    assert_int_equal(wr_access_need(access, &t, WR_MAY_DROP, NULL), WEIR_UNAUTHORIZED);
    assert_int_equal(wr_access_need(access, &cases[2].name, WR_MAY_SELECT, NULL), WEIR_NOT_FOUND);
    /* What is taken away is gone with the next question. */
    assert_int_equal(wr_users_leave(names, "inner", "outer", NULL), WEIR_OK);
    assert_int_equal(wr_access_refresh(access, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_access_rights(access, &t), WR_MAY_SELECT);
    assert_int_equal(wr_users_set_enabled(names, "carol", false, NULL), WEIR_OK);
    assert_int_equal(wr_access_refresh(access, NULL, NULL), WEIR_UNAUTHENTICATED);
    wr_access_release(access);
}

static void a_name_like_a_role_gives_its_user_nothing(void **state) {
    (void)state;
    struct wr_access *access = NULL;
    const struct wr_access_options admin = {.user = "admin"};
    assert_int_equal(wr_access_new(policy, &admin, &access, NULL), WEIR_UNAUTHENTICATED);
    /* A token's role that is the name of a user. */
    assert_int_equal(wr_users_add(names, "dave", false, NULL, NULL), WEIR_OK);
    grant("dave", "weir", "daves", "", WR_MAY_ALL);
    const char *const roles[] = {"dave"};
    const struct wr_access_options eve = {.user = "eve", .roles = roles, .n_roles = 1};
    assert_int_equal(wr_access_new(policy, &eve, &access, NULL), WEIR_OK);
    assert_int_equal(wr_access_rights(access, &(struct wr_name){"weir", "daves", "t"}), 0);
    wr_access_release(access);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_below_a_root_may_be_read),
        cmocka_unit_test(nothing_outside_of_a_root_may_be_read_however_it_is_spelt),
        cmocka_unit_test(what_may_be_read_may_not_be_written_and_the_reverse),
        cmocka_unit_test(only_listed_hosts_are_asked_and_never_the_machines_own_secrets),
        cmocka_unit_test(a_name_may_not_stand_for_what_is_not_public),
        cmocka_unit_test(rights_add_up_over_levels_and_roles),
        cmocka_unit_test(a_name_like_a_role_gives_its_user_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
