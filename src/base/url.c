/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"

int wr_hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool wr_percent_decode(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        int high = wr_hex_digit(from[1]);
        int low = high < 0 ? -1 : wr_hex_digit(from[2]);
        if (low < 0 || high * 16 + low == 0) return false;
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
    return true;
}

bool wr_is_utf8(const char *text, size_t length) {
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + length;
    while (p < end) {
        if (*p < 0x80) {
            p++;
            continue;
        }
        size_t more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        if (*p < 0xC2 || *p > 0xF4 || (size_t)(end - p) <= more) return false;
        /* Overlong forms, surrogates, and what lies past U+10FFFF. */
        if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) ||
            (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F))
            return false;
        for (size_t i = 1; i <= more; i++) {
            if ((p[i] & 0xC0) != 0x80) return false;
        }
        p += more + 1;
    }
    return true;
}

static const char digits[] = "0123456789ABCDEF";

void wr_percent_encode(struct wr_buffer *buffer, const char *path) {
    static const char kept[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/=";
    while (*path) {
        size_t length = strspn(path, kept);
        wr_buffer_add(buffer, path, length);
        path += length;
        if (!*path) break;
        unsigned char c = (unsigned char)*path++;
        wr_buffer_add(buffer, (const char[]){'%', digits[c >> 4], digits[c & 0xF]}, 3);
    }
}

void wr_hex_encode(struct wr_buffer *buffer, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        wr_buffer_add(buffer, (const char[]){digits[c >> 4] | 0x20, digits[c & 0xF] | 0x20}, 2);
    }
}

size_t wr_scheme_length(const char *text) {
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    bool letter = (text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z';
    return letter && strncmp(text + length, "://", 3) == 0 ? length : 0;
}

int wr_local_path(const char *text, char **ret_path, struct weir_error *error) {
    size_t scheme = wr_scheme_length(text);
    if (scheme == 0) {
        char *path = wr_strdup(text);
        if (!path) return wr_error_memory(error);
        *ret_path = path;
        return WEIR_OK;
    }
    if (scheme != 4 || strncasecmp(text, "file", 4) != 0) {
        return wr_error_set(
            error, WEIR_NOT_IMPLEMENTED, NULL,
            "\"%s\": there is no store of the scheme \"%.*s\"; there are s3, s3a, az, abfss, gs, "
            "http, https, memory and file",
            text, (int)scheme, text);
    }
    const char *path = text + strlen("file://");
    if (strncasecmp(path, "localhost/", 10) == 0) path += strlen("localhost");
    if (*path != '/') {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" names another host; a local file's URL begins with file:/// "
                            "and an absolute path",
                            text);
    }
    char *decoded = wr_strdup(path);
    if (!decoded) return wr_error_memory(error);
    if (!wr_percent_decode(decoded)) {
        wr_free(decoded);
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is not a valid URL: %% must be followed by two hexadecimal "
                            "digits, not 00 (%%25 "
                            "stands for %% itself)",
                            text);
    }
    *ret_path = decoded;
    return WEIR_OK;
}
