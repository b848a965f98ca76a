/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static char last_message[512];

static void take_message(enum fuse_log_level level, const char *format, va_list arguments) {
    if (level > FUSE_LOG_WARNING) return;
    vsnprintf(last_message, sizeof last_message, format, arguments);
    last_message[strcspn(last_message, "\n")] = '\0';
}

void mount_take_messages(void) {
    fuse_set_log_func(take_message);
}

const char *mount_last_message(void) {
    return strncmp(last_message, "fuse: ", 6) == 0 ? last_message + 6 : last_message;
}

/* Of the bytes: the file is there, so what its query does not find is no ENOENT. */
static int errno_of_bytes(const struct weir_error *error) {
    switch (error->code) {
    case WEIR_NOT_IMPLEMENTED:
        return EINVAL;          /* the encoding cannot hold a column */
    case WEIR_INVALID_ARGUMENT: /* 42: the SQL is wrong; 42809: what has no rows has no encoding */
        return strncmp(error->sqlstate, "42", 2) == 0 && strcmp(error->sqlstate, "42809") != 0
                   ? EIO
                   : EINVAL;
    default:
        return EIO;
    }
}

static int errno_of(enum stage stage, const struct weir_error *error) {
    if (error->vendor_code == ENOMEM || strcmp(error->sqlstate, "53200") == 0) return ENOMEM;
    switch (error->code) {
    case WEIR_UNAUTHENTICATED:
    case WEIR_UNAUTHORIZED:
        return EACCES;
    case WEIR_CANCELLED:
        return EINTR;
    case WEIR_TIMEOUT:
        return ETIMEDOUT;
    }
    if (stage == STAGE_BYTES) return errno_of_bytes(error);
    switch (error->code) {
    case WEIR_NOT_FOUND:
        return ENOENT;
    case WEIR_INVALID_ARGUMENT:
        return error->vendor_code == ENOTDIR || error->vendor_code == ELOOP ? error->vendor_code
                                                                            : EINVAL;
    default:
        return EIO;
    }
}

/* Programs ask for names that nobody meant (.git, .Trash); a missing table is worth a line. */
static bool is_worth_a_line(const char *path, int errnum) {
    if (errnum == EINTR) return false;
    if (errnum != ENOENT) return true;
    const char *name = strrchr(path, '/');
    return encoding_of_name(name == NULL ? path : name + 1) != NULL;
}

int mount_complain(const char *path, enum stage stage, const struct weir_error *error) {
    int errnum = errno_of(stage, error);
    char line[sizeof error->message + 1024];
    const char *symbol = strerrorname_np(errnum);

    if (!is_worth_a_line(path, errnum)) return errnum;
    int length = snprintf(line, sizeof line - 1, "weir mount: %s: %s (%s): %s", path,
                          error->message, error->sqlstate, symbol == NULL ? "EIO" : symbol);
    if (length >= (int)sizeof line - 1) length = (int)sizeof line - 2;
    for (int i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20) line[i] = ' '; /* one line, whatever the message holds */
    }
    line[length++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)length); /* whole, among other threads' */
    (void)ignored;
    return errnum;
}
