/* SPDX-License-Identifier: Apache-2.0 */
#include "adbc/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

int wr_typed_set_bytes(wr_set_option_fn set, void *object, const char *key, const uint8_t *value,
                       size_t length, struct weir_error *error) {
    if (length > 0 && memchr(value, 0, length))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"%s\" is a text, and these bytes are none", key);
    char *text = wr_strndup(value ? (const char *)value : "", length);
    if (!text) return wr_error_memory(error);
    int code = set(object, key, text, error);
    wr_free(text);
    return code;
}

int wr_typed_set_int(wr_set_option_fn set, void *object, const char *key, int64_t value,
                     struct weir_error *error) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return set(object, key, text, error);
}

int wr_typed_set_double(wr_set_option_fn set, void *object, const char *key, double value,
                        struct weir_error *error) {
    char text[64];
    snprintf(text, sizeof text, "%.17g", value);
    return set(object, key, text, error);
}

static int get_text(wr_get_option_fn get, void *object, const char *key, void *value,
                    size_t *length, size_t end, struct weir_error *error) {
    char *text = NULL;
    if (!length)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"%s\" is read without a length", key);
    WR_TRY(get(object, key, &text, error));
    size_t needed = strlen(text) + end;
    if (needed <= *length && value) memcpy(value, text, needed);
    *length = needed;
    wr_free(text);
    return WEIR_OK;
}

int wr_typed_get(wr_get_option_fn get, void *object, const char *key, char *value, size_t *length,
                 struct weir_error *error) {
    return get_text(get, object, key, value, length, 1, error);
}

int wr_typed_get_bytes(wr_get_option_fn get, void *object, const char *key, uint8_t *value,
                       size_t *length, struct weir_error *error) {
    return get_text(get, object, key, value, length, 0, error);
}

static int not_a_number(const char *key, const char *text, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "option \"%s\" is \"%s\", no number",
                        key, text);
}

int wr_typed_get_int(wr_get_option_fn get, void *object, const char *key, int64_t *ret_value,
                     struct weir_error *error) {
    char *text = NULL;
    char *end = NULL;
    WR_TRY(get(object, key, &text, error));
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    int code = errno || end == text || *end ? not_a_number(key, text, error) : WEIR_OK;
    wr_free(text);
    if (code == WEIR_OK) *ret_value = value;
    return code;
}

int wr_typed_get_double(wr_get_option_fn get, void *object, const char *key, double *ret_value,
                        struct weir_error *error) {
    char *text = NULL;
    char *end = NULL;
    WR_TRY(get(object, key, &text, error));
    errno = 0;
    double value = strtod(text, &end);
    int code = errno || end == text || *end ? not_a_number(key, text, error) : WEIR_OK;
    wr_free(text);
    if (code == WEIR_OK) *ret_value = value;
    return code;
}
