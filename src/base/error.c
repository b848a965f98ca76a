/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *usual_sqlstate(int code) {
    switch (code) {
    case WEIR_OK:
        return "00000";
    case WEIR_NOT_IMPLEMENTED:
        return "0A000";
    case WEIR_NOT_FOUND:
        return "42704";
    case WEIR_ALREADY_EXISTS:
        return "42710";
    case WEIR_INVALID_ARGUMENT:
        return "22023";
    case WEIR_INVALID_STATE:
        return "55000";
    case WEIR_INVALID_DATA:
        return "22000";
    case WEIR_INTEGRITY:
        return "23000";
    case WEIR_IO:
        return "58030";
    case WEIR_CANCELLED:
        return "57014";
    case WEIR_TIMEOUT:
        return "57014";
    case WEIR_UNAUTHENTICATED:
        return "28000";
    case WEIR_UNAUTHORIZED:
        return "42501";
    default:
        return "XX000";
    }
}

static const struct errno_meaning {
    int errnum;
    int code;
    const char *sqlstate;
} errno_meanings[] = {
    {ENOENT, WEIR_NOT_FOUND, "58P01"},
    {EEXIST, WEIR_ALREADY_EXISTS, "58P02"},
    {EACCES, WEIR_UNAUTHORIZED, "42501"},
    {EPERM, WEIR_UNAUTHORIZED, "42501"},
    {ENOMEM, WEIR_INTERNAL, "53200"},
    {ENOSPC, WEIR_IO, "53100"},
    {EDQUOT, WEIR_IO, "53100"},
    {EINVAL, WEIR_INVALID_ARGUMENT, "22023"},
    {ECANCELED, WEIR_CANCELLED, "57014"},
    {ETIMEDOUT, WEIR_TIMEOUT, "57014"},
    {ENOTSUP, WEIR_NOT_IMPLEMENTED, "0A000"},
    {ENOSYS, WEIR_NOT_IMPLEMENTED, "0A000"},
};

static struct errno_meaning meaning_of(int errnum) {
    for (size_t i = 0; i < sizeof errno_meanings / sizeof *errno_meanings; i++) {
        if (errno_meanings[i].errnum == errnum) return errno_meanings[i];
    }
    return (struct errno_meaning){errnum, WEIR_IO, "58030"};
}

/* Takes away the character that a cut at text[length] left without its end. */
static void drop_partial_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t expected = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length - (start - 1) < expected) text[start - 1] = '\0';
}

__attribute__((format(printf, 3, 0))) static void print_cut(char *text, size_t size,
                                                            const char *format, va_list arguments) {
    int needed = vsnprintf(text, size, format, arguments);
    if (needed < 0) {
        text[0] = '\0';
    } else if ((size_t)needed >= size) {
        drop_partial_character(text, size - 1);
    }
}

__attribute__((format(printf, 3, 4))) static void format_cut(char *text, size_t size,
                                                             const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_cut(text, size, format, arguments);
    va_end(arguments);
}

/* `message` may lie inside `error`. */
static int fill(struct weir_error *error, int code, int vendor_code, const char *sqlstate,
                const char *message) {
    if (!error) return code;
    error->code = code;
    error->vendor_code = vendor_code;
    error->position = 0;
    /* The state may be the error's own, passed on. */
    char state[sizeof error->sqlstate];
    snprintf(state, sizeof state, "%s", sqlstate ? sqlstate : usual_sqlstate(code));
    memcpy(error->sqlstate, state, sizeof state);
    memmove(error->message, message, strlen(message) + 1);
    return code;
}

int wr_error_set(struct weir_error *error, int code, const char *sqlstate, const char *format,
                 ...) {
    if (!error) return code;
    /* Printed aside, because the arguments may point into the error. */
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    print_cut(message, sizeof message, format, arguments);
    va_end(arguments);
    return fill(error, code, 0, sqlstate, message);
}

int wr_error_errno(struct weir_error *error, int errnum, const char *format, ...) {
    struct errno_meaning meaning = meaning_of(errnum);
    if (!error) return meaning.code;
    char what[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    print_cut(what, sizeof what, format, arguments);
    va_end(arguments);
    char message[sizeof error->message];
    /* strerror keeps its text per thread in glibc since 2.32, and in musl it is constant. */
    format_cut(message, sizeof message, "%s: %s", what, strerror(errnum));
    return fill(error, meaning.code, errnum, meaning.sqlstate, message);
}

int wr_error_memory(struct weir_error *error) {
    return fill(error, WEIR_INTERNAL, ENOMEM, "53200", "out of memory");
}

int wr_error_prefix(struct weir_error *error, int code, const char *format, ...) {
    if (!error) return code;
    char prefix[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    print_cut(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    char message[sizeof error->message];
    format_cut(message, sizeof message, "%s: %s", prefix, error->message);
    memcpy(error->message, message, sizeof message);
    return error->code;
}

void wr_error_append(struct weir_error *error, const char *format, ...) {
    if (!error) return;
    size_t length = strlen(error->message);
    va_list arguments;
    va_start(arguments, format);
    print_cut(error->message + length, sizeof error->message - length, format, arguments);
    va_end(arguments);
}

void wr_error_clear(struct weir_error *error) {
    if (error) *error = (struct weir_error){0};
}

int wr_error_stream(struct weir_error *error, struct ArrowArrayStream *stream, int errnum,
                    const char *what) {
    struct errno_meaning meaning = meaning_of(errnum);
    if (!error) return meaning.code;
    const char *reason =
        stream && stream->release && stream->get_last_error ? stream->get_last_error(stream) : NULL;
    char message[sizeof error->message];
    format_cut(message, sizeof message, "%s: %s", what,
               reason && reason[0] ? reason : strerror(errnum));
    return fill(error, meaning.code, errnum, meaning.sqlstate, message);
}
