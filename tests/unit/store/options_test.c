/* SPDX-License-Identifier: Apache-2.0 */
/* The options of stores that C checks are those that the engine takes, type by type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "store/store.h"

struct names {
    enum wr_store_type type;
    size_t n;
};

static void engine_has(void *sink, const char *name, const char *help) {
    struct names *names = sink;
    const struct wr_store_option *option = wr_store_option(names->type, name);
    if (!option || strcmp(option->name, name) != 0)
        fail_msg("%s: C does not know the engine's option \"%s\"", wr_store_type_name(names->type),
                 name);
    assert_true(strlen(help) > 0);
    names->n++;
}

static void c_and_the_engine_know_the_same_options(void **state) {
    (void)state;
    static const enum wr_store_type types[] = {WR_STORE_S3, WR_STORE_AZURE, WR_STORE_GCS,
                                               WR_STORE_HTTP};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct names names = {types[i], 0};
        size_t n_own = 0;
        wr_objects_option_names(wr_store_type_name(types[i]), engine_has, &names);
        for (size_t k = 0; k < wr_store_n_options; k++)
            n_own += (wr_store_options[k].types & (1U << types[i])) != 0;
        /* All of the engine's are C's, so that more of C's would be some that it refuses. */
        assert_int_equal(names.n, n_own);
        assert_true(n_own >= 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_and_the_engine_know_the_same_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
