/* SPDX-License-Identifier: Apache-2.0 */
#include "common/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Cuts a UTF-8 text that filled its buffer at a character's border. */
static void cut(char *text, size_t size) {
    size_t length = strlen(text);
    if (length + 1 < size) return;
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    if (length > 0 && (unsigned char)text[length - 1] >= 0xc0) length--;
    text[length] = '\0';
}

int wp_error(struct weir_error *error, int code, const char *sqlstate, const char *format, ...) {
    if (!error) return code;
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    cut(message, sizeof message);
    *error = (struct weir_error){.code = code};
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
    memcpy(error->message, message, strlen(message) + 1);
    return code;
}

int wp_error_memory(struct weir_error *error) {
    return wp_error(error, WEIR_INTERNAL, "53200", "out of memory");
}

int wp_error_prefix(struct weir_error *error, const char *prefix) {
    if (!error) return WEIR_INTERNAL;
    char message[sizeof error->message];
    int length = snprintf(message, sizeof message, "%s: ", prefix);
    if (length < 0 || (size_t)length >= sizeof message) return error->code;
    snprintf(message + length, sizeof message - (size_t)length, "%s", error->message);
    cut(message, sizeof message);
    memcpy(error->message, message, strlen(message) + 1);
    return error->code;
}

char *wp_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    return text;
}

int64_t wp_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
