/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <stddef.h>

struct unit {
    const char *name;
    int64_t factor;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *a, const char *b) {
    while (*a && fold(*a) == fold(*b))
        a++, b++;
    return fold(*a) == fold(*b);
}

/* The digits at *text, which is moved past them. False when there are none, or too many. */
static bool take_digits(const char **text, uint64_t most, uint64_t *ret_number) {
    uint64_t number = 0;
    if (!is_digit(**text)) return false;
    for (; is_digit(**text); (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');
        if (number > (most - digit) / 10) return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

/* What follows the point, if there is one, as a part of 1. */
static bool take_fraction(const char **text, double *ret_fraction) {
    double fraction = 0, place = 0.1;
    if (**text == '.') {
        (*text)++;
        if (!is_digit(**text)) return false;
        for (; is_digit(**text); (*text)++, place /= 10)
            fraction += place * (**text - '0');
    }
    *ret_fraction = fraction;
    return true;
}

static bool parse_units(const char *text, const struct unit *units, size_t n_units,
                        int64_t *ret_number) {
    uint64_t whole;
    double fraction;
    if (!take_digits(&text, INT64_MAX, &whole) || !take_fraction(&text, &fraction)) return false;
    while (*text == ' ')
        text++;
    for (size_t i = 0; i < n_units; i++) {
        int64_t number;
        if (!same(text, units[i].name)) continue;
        if (__builtin_mul_overflow((int64_t)whole, units[i].factor, &number) ||
            __builtin_add_overflow(number, (int64_t)(fraction * (double)units[i].factor + 1e-6),
                                   &number))
            return false;
        *ret_number = number;
        return true;
    }
    return false;
}

bool wr_parse_bytes(const char *text, int64_t *ret_bytes) {
    static const int64_t kib = 1024, kb = 1000;
    const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"KiB", kib},
        {"MiB", kib * kib},
        {"GiB", kib << 20},
        {"TiB", kib << 30},
        {"K", kib},
        {"M", kib * kib},
        {"G", kib << 20},
        {"T", kib << 30},
        {"KB", kb},
        {"MB", kb * kb},
        {"GB", kb * kb * kb},
        {"TB", kb * kb * kb * kb},
    };
    return parse_units(text, units, sizeof units / sizeof *units, ret_bytes);
}

bool wr_parse_duration(const char *text, int64_t *ret_milliseconds) {
    static const struct unit units[] = {{"", 1000},     {"ms", 1},    {"s", 1000},
                                        {"min", 60000}, {"m", 60000}, {"h", 3600000},
                                        {"d", 86400000}};
    return parse_units(text, units, sizeof units / sizeof *units, ret_milliseconds);
}

bool wr_parse_int(const char *text, int64_t *ret_number) {
    bool minus = *text == '-';
    uint64_t number;
    text += *text == '-' || *text == '+';
    if (!take_digits(&text, (uint64_t)INT64_MAX + minus, &number) || *text) return false;
    *ret_number = minus ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

bool wr_parse_bool(const char *text, bool *ret_value) {
    bool is_true = same(text, "true");
    if (!is_true && !same(text, "false")) return false;
    *ret_value = is_true;
    return true;
}
