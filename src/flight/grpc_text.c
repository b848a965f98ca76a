/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/grpc_text.h"

#include <string.h>

enum { TIMEOUT_DIGITS = 8 };

bool wr_grpc_parse_timeout(const char *text, size_t length, int64_t *ret_milliseconds) {
    if (length < 2 || length > TIMEOUT_DIGITS + 1) return false;
    int64_t number = 0;
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        number = number * 10 + (text[i] - '0');
    }
    switch (text[length - 1]) {
    case 'H':
        number *= 3600000;
        break;
    case 'M':
        number *= 60000;
        break;
    case 'S':
        number *= 1000;
        break;
    case 'm':
        break;
    case 'u':
        number = (number + 999) / 1000;
        break;
    case 'n':
        number = (number + 999999) / 1000000;
        break;
    default:
        return false;
    }
    *ret_milliseconds = number;
    return true;
}

bool wr_grpc_is_content_type(const char *text, size_t length) {
    static const char type[] = "application/grpc";
    size_t n = sizeof type - 1;
    if (length < n || memcmp(text, type, n) != 0) return false;
    if (length - n >= 6 && memcmp(text + n, "+proto", 6) == 0) n += 6;
    return length == n || text[n] == ';';
}

/* The bytes of the character that starts here; 1 for what is not UTF-8. */
static size_t character(const unsigned char *text) {
    size_t n = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : text[0] >= 0xC0 ? 2 : 1;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xC0) != 0x80) return 1;
    }
    return n;
}

static size_t encode_byte(unsigned char byte, char *ret_text) {
    static const char digits[] = "0123456789ABCDEF";
    if (byte >= 0x20 && byte <= 0x7E && byte != '%') {
        ret_text[0] = (char)byte;
        return 1;
    }
    ret_text[0] = '%';
    ret_text[1] = digits[byte >> 4];
    ret_text[2] = digits[byte & 15];
    return 3;
}

size_t wr_grpc_encode_message(const char *text, char *ret_text, size_t size) {
    const unsigned char *from = (const unsigned char *)text;
    size_t length = 0;
    while (*from) {
        char encoded[12];
        size_t n = character(from), n_encoded = 0;
        for (size_t i = 0; i < n; i++)
            n_encoded += encode_byte(from[i], encoded + n_encoded);
        if (length + n_encoded >= size) break;
        memcpy(ret_text + length, encoded, n_encoded);
        length += n_encoded;
        from += n;
    }
    ret_text[length] = '\0';
    return length;
}

static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool wr_grpc_decode_base64(const char *text, size_t length, char *ret_data, size_t *ret_length) {
    if (length % 4 == 0) {
        for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
            length--;
    }
    if (length % 4 == 1) return false;
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0) return false;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFFF;
        if (i % 4 > 0) ret_data[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_length = n;
    return true;
}

size_t wr_grpc_encode_base64(const void *data, size_t length, char *ret_text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = data;
    size_t n = 0;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i < 3 ? length - i : 3;
        uint32_t bits = (uint32_t)from[i] << 16;
        if (left > 1) bits |= (uint32_t)from[i + 1] << 8;
        if (left > 2) bits |= from[i + 2];
        for (size_t j = 0; j <= left; j++)
            ret_text[n++] = digits[bits >> (18 - 6 * j) & 63];
    }
    ret_text[n] = '\0';
    return n;
}

bool wr_grpc_is_header_name(const char *name) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    if (!*name) return false;
    for (; *name; name++) {
        bool is_plain = (*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9');
        if (!is_plain && !strchr(others, *name)) return false;
    }
    return true;
}

bool wr_grpc_is_header_value(const char *value) {
    size_t length = strlen(value);
    if (length > 0 && (value[0] == ' ' || value[length - 1] == ' ')) return false;
    for (; *value; value++) {
        if (*value < 0x20 || *value > 0x7E) return false;
    }
    return true;
}

bool wr_grpc_is_binary(const char *name, size_t length) {
    return length > 4 && memcmp(name + length - 4, "-bin", 4) == 0;
}
