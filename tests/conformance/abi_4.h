/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an extension was compiled against when there had come to be encodings of files: a copy that
 * is never changed, as abi_3.h, which it goes on from.
 */
#ifndef ABI_4_H
#define ABI_4_H

#include "abi_3.h"

typedef int (*weir_write_fn)(void *context, const void *data, size_t length);

struct weir_encoding {
    size_t size;
    const char *name;
    const char *summary;
    const char *const *suffixes;
    const struct weir_option_spec *options;
    size_t n_options;
    int (*read)(void *private_data, struct weir_reader *file, const struct weir_option *options,
                size_t n_options, struct ArrowArrayStream *ret_rows, struct weir_error *error);
    int (*write)(void *private_data, struct ArrowArrayStream *rows,
                 const struct weir_option *options, size_t n_options, weir_write_fn write,
                 void *sink, struct weir_error *error);
    void *private_data;
};

/* struct weir_host had grown by these at its end. */
struct weir_host_of_abi_4 {
    struct weir_host_of_abi_3 before;
    int (*register_encoding)(void *context, const struct weir_encoding *encoding,
                             struct weir_error *error);
};

#endif
