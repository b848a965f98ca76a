/* SPDX-License-Identifier: Apache-2.0 */
/* Options of every type, over those of texts. An object is whatever the two functions take. */
#ifndef WR_ADBC_TYPED_H
#define WR_ADBC_TYPED_H

#include "weir.h"

typedef int (*wr_set_option_fn)(void *object, const char *key, const char *value,
                                struct weir_error *error);
typedef int (*wr_get_option_fn)(void *object, const char *key, char **ret_value,
                                struct weir_error *error);

int wr_typed_set_bytes(wr_set_option_fn set, void *object, const char *key, const uint8_t *value,
                       size_t length, struct weir_error *error);
int wr_typed_set_int(wr_set_option_fn set, void *object, const char *key, int64_t value,
                     struct weir_error *error);
int wr_typed_set_double(wr_set_option_fn set, void *object, const char *key, double value,
                        struct weir_error *error);

/* *length is the room in `value` and becomes what is needed, with the NUL; nothing is written where
 * the room is too small. */
int wr_typed_get(wr_get_option_fn get, void *object, const char *key, char *value, size_t *length,
                 struct weir_error *error);
/* The same without the NUL. */
int wr_typed_get_bytes(wr_get_option_fn get, void *object, const char *key, uint8_t *value,
                       size_t *length, struct weir_error *error);
int wr_typed_get_int(wr_get_option_fn get, void *object, const char *key, int64_t *ret_value,
                     struct weir_error *error);
int wr_typed_get_double(wr_get_option_fn get, void *object, const char *key, double *ret_value,
                        struct weir_error *error);

#endif
