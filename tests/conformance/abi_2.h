/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an extension with functions was compiled against when the interface had grown by them: a
 * copy that is never changed, as abi_1.h, which it goes on from.
 */
#ifndef ABI_2_H
#define ABI_2_H

#define weir_host weir_host_of_abi_1
#define weir_extension_init weir_extension_init_of_abi_1
#include "abi_1.h"
#undef weir_host
#undef weir_extension_init

struct weir_scalar_function {
    size_t size;
    const char *name;
    const char *summary;
    int32_t volatility;
    int (*bind)(void *private_data, const struct ArrowSchema *arguments,
                struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                struct weir_error *error);
    int (*call)(void *private_data, const struct ArrowSchema *arguments,
                const struct ArrowArray *columns, struct ArrowArray *ret_result,
                struct weir_error *error);
    void *private_data;
};

struct weir_aggregate_function {
    size_t size;
    const char *name;
    const char *summary;
    int32_t volatility;
    int (*bind)(void *private_data, const struct ArrowSchema *arguments,
                struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                struct ArrowSchema *ret_result, struct weir_error *error);
    int (*open)(void *private_data, const struct ArrowSchema *arguments, void **ret_accumulator,
                struct weir_error *error);
    void (*close)(void *accumulator);
    int (*update)(void *accumulator, const struct ArrowArray *columns, const int64_t *groups,
                  int64_t n_groups, struct weir_error *error);
    int (*merge)(void *accumulator, const struct ArrowArray *states, const int64_t *groups,
                 int64_t n_groups, struct weir_error *error);
    int (*take)(void *accumulator, int64_t n_groups, int is_state, struct ArrowArray *ret_rows,
                struct weir_error *error);
    int64_t (*n_bytes)(void *accumulator);
    void *private_data;
};

struct weir_host {
    size_t size;
    uint32_t abi;
    void *context;
    const char *state;
    const struct weir_option *options;
    size_t n_options;
    int (*register_kind)(void *context, const struct weir_table_kind *kind,
                         struct weir_error *error);
    int (*register_mount_kind)(void *context, const struct weir_mount_kind *kind,
                               struct weir_error *error);
    int (*register_finder)(void *context, weir_find_kind_fn find, void *finder,
                           struct weir_error *error);
    int (*register_scalar_function)(void *context, const struct weir_scalar_function *function,
                                    struct weir_error *error);
    int (*register_aggregate_function)(void *context,
                                       const struct weir_aggregate_function *function,
                                       struct weir_error *error);
};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error);

#endif
