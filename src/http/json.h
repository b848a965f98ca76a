/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) of a request, as a tree, and texts of JSON that go out.
 *
 *     json_parse(text, length, &document, error);
 *     const struct json_value *sql = json_member(document->root, "sql");
 *     json_free(document);
 *
 * A document is read as a whole or refused: with more than JSON_MAX_DEPTH levels or JSON_MAX_VALUES
 * values, with bytes that are not UTF-8, with a NUL in a text, or with a name twice in an object.
 */
#ifndef WR_HTTP_JSON_H
#define WR_HTTP_JSON_H

#include <stdbool.h>

#include "base/buffer.h"
#include "weir.h"

enum { JSON_MAX_DEPTH = 32, JSON_MAX_VALUES = 5000 };

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_value {
    enum json_type type;
    const char *name; /* as a member of an object */
    const char *text; /* of a text, decoded; of a number, as it stands there */
    size_t length;
    struct json_value *next; /* in its array or object */
    struct json_value *first;
    size_t n_values; /* of an array or object */
};

struct json_document {
    struct json_value *root;
    struct json_value *values; /* of all */
    char *texts;
};

/* Codes: WEIR_INVALID_ARGUMENT, with the byte's number as the error's position. */
int json_parse(const char *text, size_t length, struct json_document **ret_document,
               struct weir_error *error);
void json_free(struct json_document *document);
/* NULL: there is none, or `object` is no object. */
const struct json_value *json_member(const struct json_value *object, const char *name);

/* Adds a text with its quotes; what is not UTF-8 as U+FFFD. NULL is null. */
void json_add_text(struct wr_buffer *buffer, const char *text);
void json_add_bytes(struct wr_buffer *buffer, const char *text, size_t length);

#endif
