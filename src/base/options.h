/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered list of key and value texts that owns its memory, and checks against a kind's option
 * list. */
#ifndef WR_OPTIONS_H
#define WR_OPTIONS_H

#include <stdbool.h>

#include "weir.h"
#include "weir_extension.h"

struct wr_options {
    struct weir_option *items;
    size_t n_items;
};

void wr_options_reset(struct wr_options *options);
void wr_options_erase(struct wr_options *options); /* the same, with zeros over the values first */
/* Adds a copy. WEIR_ALREADY_EXISTS for a repeated key (keys compare without case). */
int wr_options_add(struct wr_options *options, const char *key, const char *value,
                   struct weir_error *error);
int wr_options_copy(const struct weir_option *items, size_t n_items, struct wr_options *ret_options,
                    struct weir_error *error);
const char *wr_options_get(const struct weir_option *items, size_t n_items,
                           const char *key); /* NULL when absent */
bool wr_options_get_bool(const struct weir_option *items, size_t n_items, const char *key,
                         bool fallback);
int64_t wr_options_get_int(const struct weir_option *items, size_t n_items, const char *key,
                           int64_t fallback);
/*
 * Every key known, every required one there, every value of its type. The error names `owner`, the
 * key, and the nearest known key: `table "t" (kind files): unknown option "delimter"; did you mean
 * "delimiter"?`.
 */
int wr_options_check(const char *owner, const struct weir_option_spec *specs, size_t n_specs,
                     const struct weir_option *items, size_t n_items, struct weir_error *error);
/* Gives known keys the spelling of the list, so that they may be compared exactly. */
void wr_options_spell(const struct weir_option_spec *specs, size_t n_specs,
                      struct wr_options *options);

/* The candidate nearest to `word` by edit distance, or NULL when none is near (more than a third of
 * its length). */
const char *wr_nearest(const char *word, const char *const *candidates, size_t n_candidates);

#endif
