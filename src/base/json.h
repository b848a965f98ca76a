/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings as JSON has them, and a strict reader of small JSON texts (RFC 8259) from strangers: of a
 * bounded depth, without duplicate keys, unpaired surrogates or anything behind the value. The tree
 * is one allocation for each value; free it with wr_json_free.
 */
#ifndef WR_JSON_H
#define WR_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "weir.h"

/* Adds a text as a string of JSON; NULL as null. */
void wr_json_write(struct wr_buffer *buffer, const char *text);

enum wr_json_type {
    WR_JSON_NULL,
    WR_JSON_BOOLEAN,
    WR_JSON_NUMBER,
    WR_JSON_STRING,
    WR_JSON_ARRAY,
    WR_JSON_OBJECT
};

struct wr_json {
    enum wr_json_type type;
    char *key;             /* in an object */
    char *text;            /* of a string, without NUL in it */
    double number;         /* of a number; of a boolean 0 or 1 */
    struct wr_json *first; /* of an array or object */
    struct wr_json *next;
};

/* WEIR_INVALID_DATA for what is none. */
int wr_json_parse(const char *text, size_t length, struct wr_json **ret_json,
                  struct weir_error *error);
void wr_json_free(struct wr_json *json);
/* A member of an object; NULL without it. */
const struct wr_json *wr_json_get(const struct wr_json *object, const char *key);
/* A member that is a string; NULL without one. */
const char *wr_json_text(const struct wr_json *object, const char *key);

#endif
