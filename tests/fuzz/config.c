/* SPDX-License-Identifier: Apache-2.0 */
/* An input is a weir.yaml. What is taken must come out again, key by key. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "config/config.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"mounts:",
                                  "settings:",
                                  "${env:HOME}",
                                  "${file:/dev/null}",
                                  "http:",
                                  "listen:",
                                  "memory_limit",
                                  ": ",
                                  "\n  ",
                                  "- ",
                                  "{",
                                  "}",
                                  "&a ",
                                  "*a",
                                  "!!binary ",
                                  "|\n",
                                  "1GiB",
                                  "60s",
                                  "\"",
                                  "'",
                                  "---\n",
                                  "? ",
                                  NULL};

static void take_problem(void *sink, const struct weir_error *problem) {
    int *n_problems = sink;
    FUZZ_CHECK(problem->code != WEIR_OK && problem->message[0] != '\0');
    (*n_problems)++;
}

static int take_item(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    (void)sink;
    (void)error;
    FUZZ_CHECK(item->key != NULL && item->origin != NULL);
    return WEIR_OK;
}

static void look(const struct wr_config *config) {
    const struct wr_config_mount *mounts;
    const struct weir_option *settings;
    size_t n = wr_config_mounts(config, &mounts);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(mounts[i].name != NULL && mounts[i].kind != NULL);
    n = wr_config_settings(config, &settings);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(wr_config_setting_origin(config, i) != NULL);
    FUZZ_CHECK(wr_config_each(config, take_item, NULL, NULL) == WEIR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct wr_config *config = NULL, *checked = NULL;
    char path[64];
    int n_problems = 0, fd = memfd_create("weir.yaml", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int code = wr_config_load(path, NULL, 0, &config, &error);
    if (code == WEIR_OK) look(config);
    FUZZ_CHECK(code == WEIR_OK || error.message[0] != '\0');
    int check = wr_config_check(path, NULL, 0, take_problem, &n_problems, &checked, &error);
    if (check == WEIR_OK) look(checked);
    /* Both see the same. */
    FUZZ_CHECK((code == WEIR_OK) == (check == WEIR_OK && n_problems == 0));
    wr_config_free(config);
    wr_config_free(checked);
    close(fd);
    return 0;
}
