/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"

/* Without the locale, so that a key means the same everywhere. */
static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(const char *text, const char *prefix) {
    while (*prefix && fold(*text) == fold(*prefix))
        text++, prefix++;
    return *prefix == '\0';
}

static bool same(const char *a, const char *b) {
    while (*a && fold(*a) == fold(*b))
        a++, b++;
    return fold(*a) == fold(*b);
}

static const struct weir_option *find(const struct weir_option *items, size_t n_items,
                                      const char *key) {
    for (size_t i = 0; i < n_items; i++) {
        if (same(items[i].key, key)) return &items[i];
    }
    return NULL;
}

void wr_options_reset(struct wr_options *options) {
    for (size_t i = 0; i < options->n_items; i++) {
        wr_free((char *)options->items[i].key);
        wr_free((char *)options->items[i].value);
    }
    wr_free(options->items);
    *options = (struct wr_options){0};
}

void wr_options_erase(struct wr_options *options) {
    for (size_t i = 0; i < options->n_items; i++) {
        char *value = (char *)options->items[i].value;
        explicit_bzero(value, strlen(value));
    }
    wr_options_reset(options);
}

int wr_options_add(struct wr_options *options, const char *key, const char *value,
                   struct weir_error *error) {
    if (find(options->items, options->n_items, key)) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, NULL,
                            "option \"%s\" is given twice; keep one of them", key);
    }
    struct weir_option *items =
        wr_reallocarray(options->items, options->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    options->items = items;
    struct weir_option item = {wr_strdup(key), wr_strdup(value ? value : "")};
    if (!item.key || !item.value) {
        wr_free((char *)item.key);
        wr_free((char *)item.value);
        return wr_error_memory(error);
    }
    items[options->n_items++] = item;
    return WEIR_OK;
}

int wr_options_copy(const struct weir_option *items, size_t n_items, struct wr_options *ret_options,
                    struct weir_error *error) {
    struct wr_options copy = {0};
    for (size_t i = 0; i < n_items; i++) {
        int code = wr_options_add(&copy, items[i].key, items[i].value, error);
        if (code) {
            wr_options_reset(&copy);
            return code;
        }
    }
    *ret_options = copy;
    return WEIR_OK;
}

const char *wr_options_get(const struct weir_option *items, size_t n_items, const char *key) {
    const struct weir_option *item = find(items, n_items, key);
    return item ? item->value : NULL;
}

bool wr_options_get_bool(const struct weir_option *items, size_t n_items, const char *key,
                         bool fallback) {
    const char *text = wr_options_get(items, n_items, key);
    bool value = fallback;
    return text && wr_parse_bool(text, &value) ? value : fallback;
}

int64_t wr_options_get_int(const struct weir_option *items, size_t n_items, const char *key,
                           int64_t fallback) {
    const char *text = wr_options_get(items, n_items, key);
    int64_t value = fallback;
    return text && wr_parse_int(text, &value) ? value : fallback;
}

/* ---- Checking against a kind's list ---- */

static bool serves(const struct weir_option_spec *spec, const char *key) {
    if (spec->type == WEIR_OPTION_PREFIX)
        return begins(key, spec->name) && strlen(key) > strlen(spec->name);
    return same(spec->name, key);
}

static int check_value(const char *owner, const struct weir_option_spec *spec,
                       const struct weir_option *item, struct weir_error *error) {
    int64_t integer;
    bool boolean;
    const char *wanted = NULL;
    if (spec->type == WEIR_OPTION_INTEGER && !wr_parse_int(item->value, &integer))
        wanted = "a whole number";
    if (spec->type == WEIR_OPTION_BOOLEAN && !wr_parse_bool(item->value, &boolean))
        wanted = "true or false";
    if (!wanted) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "%s: option \"%s\" must be %s, not '%s'", owner, spec->name, wanted,
                        item->value);
}

/* Longer words are compared by their first bytes: a table on the stack holds one row of the
 * distance. */
#define WORD_CEILING 64

static size_t bounded_length(const char *word) {
    size_t length = strlen(word);
    return length < WORD_CEILING ? length : WORD_CEILING;
}

/* The optimal string alignment distance: insertions, deletions, changes, swaps of neighbours. */
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][WORD_CEILING + 1];
    size_t a_length = bounded_length(a), b_length = bounded_length(b);
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = above[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                           fold(a[i - 2]) == fold(b[j - 1]);
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
    }
    return row[b_length];
}

/* Whether `candidate` is near `word` and nearer than `*distance`, which starts as SIZE_MAX. */
static bool is_nearer(const char *word, const char *candidate, size_t *distance) {
    size_t d = edit_distance(word, candidate);
    if (d * 3 > bounded_length(word) || d >= *distance) return false;
    *distance = d;
    return true;
}

const char *wr_nearest(const char *word, const char *const *candidates, size_t n_candidates) {
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < n_candidates; i++) {
        if (is_nearer(word, candidates[i], &distance)) nearest = candidates[i];
    }
    return nearest;
}

static void append_name(const struct weir_option_spec *spec, struct weir_error *error) {
    wr_error_append(error, "%s%s", spec->name, spec->type == WEIR_OPTION_PREFIX ? "*" : "");
}

static int unknown_option(const char *owner, const struct weir_option_spec *specs, size_t n_specs,
                          const char *key, struct weir_error *error) {
    const struct weir_option_spec *nearest = NULL;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < n_specs; i++) {
        if (is_nearer(key, specs[i].name, &distance)) nearest = &specs[i];
    }
    int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s: unknown option \"%s\"; %s",
                            owner, key,
                            nearest       ? "did you mean \""
                            : n_specs > 0 ? "it takes "
                                          : "it takes no options");
    if (nearest) {
        append_name(nearest, error);
        wr_error_append(error, "\"?");
        return code;
    }
    for (size_t i = 0; i < n_specs; i++) {
        if (i > 0) wr_error_append(error, ", ");
        append_name(&specs[i], error);
    }
    return code;
}

int wr_options_check(const char *owner, const struct weir_option_spec *specs, size_t n_specs,
                     const struct weir_option *items, size_t n_items, struct weir_error *error) {
    for (size_t i = 0; i < n_items; i++) {
        if (find(items, i, items[i].key)) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s: option \"%s\" is given twice; keep one of them", owner,
                                items[i].key);
        }
        const struct weir_option_spec *spec = NULL;
        for (size_t j = 0; j < n_specs && !spec; j++) {
            if (serves(&specs[j], items[i].key)) spec = &specs[j];
        }
        if (!spec) return unknown_option(owner, specs, n_specs, items[i].key, error);
        WR_TRY(check_value(owner, spec, &items[i], error));
    }
    for (size_t j = 0; j < n_specs; j++) {
        bool given = !specs[j].required;
        for (size_t i = 0; i < n_items && !given; i++)
            given = serves(&specs[j], items[i].key);
        if (!given) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s: option \"%s\" is required: %s", owner, specs[j].name,
                                specs[j].summary ? specs[j].summary : "give it a value");
        }
    }
    return WEIR_OK;
}

void wr_options_spell(const struct weir_option_spec *specs, size_t n_specs,
                      struct wr_options *options) {
    for (size_t i = 0; i < options->n_items; i++) {
        char *key = (char *)options->items[i].key;
        for (size_t j = 0; j < n_specs; j++) {
            if (!serves(&specs[j], key)) continue;
            memcpy(key, specs[j].name, strlen(specs[j].name));
            break;
        }
    }
}
