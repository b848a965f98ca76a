/* SPDX-License-Identifier: Apache-2.0 */
/* Filling and passing on `struct weir_error`. Nothing here allocates; every function takes a NULL
 * error. */
#ifndef WR_ERROR_H
#define WR_ERROR_H

#include "weir.h"

/* Sets the error and returns `code`. `sqlstate` NULL: the usual one of the code. */
int wr_error_set(struct weir_error *error, int code, const char *sqlstate, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* From errno: message "<what>: <strerror>", ENOENT and the like mapped to WEIR_NOT_FOUND etc. */
int wr_error_errno(struct weir_error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int wr_error_memory(struct weir_error *error); /* WEIR_INTERNAL, 53200 */
/* Puts "<text>: " before the message. Returns error's code, or `code` when error is NULL. */
int wr_error_prefix(struct weir_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds text at the message's end. */
void wr_error_append(struct weir_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void wr_error_clear(struct weir_error *error);
/* An Arrow call that failed on a stream: get_last_error's text, under `what`. */
int wr_error_stream(struct weir_error *error, struct ArrowArrayStream *stream, int errnum,
                    const char *what);

#define WR_TRY(call)                                                                               \
    do {                                                                                           \
        int wr_code_ = (call);                                                                     \
        if (wr_code_ != 0) return wr_code_;                                                        \
    } while (0)

#endif
