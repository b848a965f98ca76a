/* SPDX-License-Identifier: Apache-2.0 */
/* From a struct weir_error to an AdbcError with its details. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adbc/adbc.h"
#include "base/alloc.h"
#include "base/error.h"

enum { MAX_DETAILS = 3 };

/* The private data of an error whose caller knows revision 1.1. */
struct details {
    int n_details;
    struct {
        const char *key;
        char value[24];
    } items[MAX_DETAILS];
};

static void add(struct details *details, const char *key, int64_t value) {
    details->items[details->n_details].key = key;
    snprintf(details->items[details->n_details].value, sizeof details->items->value, "%" PRId64,
             value);
    details->n_details++;
}

static struct details *details_of(const struct weir_error *reason) {
    struct details *details = wr_calloc(1, sizeof *details);
    if (!details) return NULL;
    if (reason->sqlstate[0]) {
        details->items[0].key = "sqlstate";
        memcpy(details->items[0].value, reason->sqlstate, sizeof reason->sqlstate);
        details->n_details = 1;
    }
    if (reason->position > 0) add(details, "position", reason->position);
    if (reason->vendor_code) add(details, "vendor_code", reason->vendor_code);
    return details;
}

static bool is_1_1(const struct AdbcError *error) {
    return error->vendor_code == WR_ADBC_ERROR_IS_1_1;
}

static void release_error(struct AdbcError *error) {
    if (is_1_1(error)) {
        wr_free(error->private_data);
        error->private_data = NULL;
    }
    wr_free(error->message);
    error->message = NULL;
    error->release = NULL;
}

/* What is said without memory. */
static void release_nothing(struct AdbcError *error) {
    error->message = NULL;
    error->release = NULL;
}

AdbcStatusCode wr_driver_answer(int code, const struct weir_error *reason,
                                struct AdbcError *error) {
    static char out_of_memory[] = "out of memory";
    if (code == WEIR_OK || !error) return (AdbcStatusCode)code;
    if (error->release) error->release(error);
    memset(error->sqlstate, 0, sizeof error->sqlstate);
    memcpy(error->sqlstate, reason->sqlstate, sizeof error->sqlstate);
    error->message = wr_strdup(reason->message);
    error->release = error->message ? release_error : release_nothing;
    if (!error->message) error->message = out_of_memory;
    if (is_1_1(error)) {
        error->private_data = error->release == release_error ? details_of(reason) : NULL;
    } else {
        error->vendor_code = reason->vendor_code;
    }
    return (AdbcStatusCode)code;
}

static const struct details *find_details(const struct AdbcError *error) {
    return error && is_1_1(error) && error->release == release_error ? error->private_data : NULL;
}

int wr_driver_error_detail_count(const struct AdbcError *error) {
    const struct details *details = find_details(error);
    return details ? details->n_details : 0;
}

struct AdbcErrorDetail wr_driver_error_detail(const struct AdbcError *error, int index) {
    const struct details *details = find_details(error);
    if (!details || index < 0 || index >= details->n_details) return (struct AdbcErrorDetail){0};
    const char *value = details->items[index].value;
    return (struct AdbcErrorDetail){details->items[index].key, (const uint8_t *)value,
                                    strlen(value)};
}

int wr_driver_not_found(const char *key, const char *of, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, NULL, "a %s has no option \"%s\" to read", of, key);
}

int wr_driver_unknown_option(const char *key, const char *of, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "a %s has no option \"%s\"", of, key);
}
