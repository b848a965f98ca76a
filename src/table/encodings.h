/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encodings of files that extensions brought to a workspace. None is ever taken out, so that
 * one is known by its number, too. Any thread. Of a set that is NULL there are none.
 */
#ifndef WR_ENCODINGS_H
#define WR_ENCODINGS_H

#include "weir_extension.h"

struct wr_encodings;

int wr_encodings_new(struct wr_encodings **ret_encodings, struct weir_error *error);
void wr_encodings_free(struct wr_encodings *encodings);
/* Keeps the pointer. WEIR_ALREADY_EXISTS for a name or suffix that is taken. */
int wr_encodings_add(struct wr_encodings *encodings, const struct weir_encoding *encoding,
                     struct weir_error *error);
/* Undoes the last one. */
void wr_encodings_take_back(struct wr_encodings *encodings);
/* The number of the encoding that a name or an extension of names means, in any case; -1: none. */
int wr_encodings_find(const struct wr_encodings *encodings, const char *text, size_t length);
/* By number; NULL: there is none. */
const struct weir_encoding *wr_encodings_at(const struct wr_encodings *encodings, int number);

#endif
