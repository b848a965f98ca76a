/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/common.h"

void wp_release_schema(struct ArrowSchema *schema) {
    if (schema->release) schema->release(schema);
}
void wp_release_array(struct ArrowArray *array) {
    if (array->release) array->release(array);
}
void wp_release_stream(struct ArrowArrayStream *stream) {
    if (stream->release) stream->release(stream);
}

/* ---- Schemas ---- */

/* Bytes of metadata: int32 number of pairs, then each key and value after its int32 length. */
static size_t metadata_size(const char *metadata) {
    int32_t n_pairs, length;
    size_t at = sizeof n_pairs;
    memcpy(&n_pairs, metadata, sizeof n_pairs);
    for (int64_t i = 0; i < 2 * (int64_t)n_pairs; i++) {
        memcpy(&length, metadata + at, sizeof length);
        at += sizeof length + (size_t)length;
    }
    return at;
}

/* Texts are in the node's own memory; children and dictionary are nodes of their own. */
static void release_copy(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children && schema->children; i++) {
        if (!schema->children[i]) continue;
        wp_release_schema(schema->children[i]);
        free(schema->children[i]);
    }
    if (schema->dictionary) {
        wp_release_schema(schema->dictionary);
        free(schema->dictionary);
    }
    free(schema->children);
    free(schema->private_data);
    schema->release = NULL;
}

static int copy_node(const struct ArrowSchema *schema, struct ArrowSchema *ret) {
    size_t format = strlen(schema->format) + 1, name = schema->name ? strlen(schema->name) + 1 : 1;
    size_t metadata = schema->metadata ? metadata_size(schema->metadata) : 0;
    char *texts = malloc(format + name + metadata);
    if (!texts) return ENOMEM;
    memcpy(texts, schema->format, format);
    memcpy(texts + format, schema->name ? schema->name : "", name);
    if (metadata) memcpy(texts + format + name, schema->metadata, metadata);
    *ret = (struct ArrowSchema){
        .format = texts,
        .name = texts + format,
        .metadata = metadata ? texts + format + name : NULL,
        .flags = schema->flags,
        .release = release_copy,
        .private_data = texts,
    };
    return 0;
}

static int copy_child(const struct ArrowSchema *from, struct ArrowSchema **ret_child) {
    struct ArrowSchema *child = calloc(1, sizeof *child);
    if (!child || wp_schema_copy(from, child)) {
        free(child);
        return ENOMEM;
    }
    *ret_child = child;
    return 0;
}

/* The node and those of its children. */
static int copy_some(const struct ArrowSchema *schema, const int32_t *columns, size_t n_columns,
                     struct ArrowSchema *ret_schema) {
    struct ArrowSchema copy;
    if (copy_node(schema, &copy)) return ENOMEM;
    bool failed = false;
    if (n_columns > 0) {
        copy.children = calloc(n_columns, sizeof *copy.children);
        if (copy.children) copy.n_children = (int64_t)n_columns;
        failed = !copy.children;
    }
    for (size_t i = 0; i < n_columns && !failed; i++)
        failed = copy_child(schema->children[columns ? (size_t)columns[i] : i], &copy.children[i]);
    if (!failed && schema->dictionary) failed = copy_child(schema->dictionary, &copy.dictionary);
    if (failed) {
        release_copy(&copy);
        return ENOMEM;
    }
    *ret_schema = copy;
    return 0;
}

int wp_schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *ret_schema) {
    return copy_some(schema, NULL, (size_t)schema->n_children, ret_schema);
}

int wp_schema_select(const struct ArrowSchema *schema, const int32_t *columns, size_t n_columns,
                     struct ArrowSchema *ret_schema) {
    return copy_some(schema, columns, n_columns, ret_schema);
}

/* The items of lists and maps are named as their maker likes: "item", "element", "l". */
static bool names_count(const char *format) {
    return strcmp(format, "+s") == 0 || strncmp(format, "+u", 2) == 0;
}

/* Metadata of a decimal's width apart, a format says all of a type: "d:10,2" is "d:10,2,128". */
static bool same_format(const char *a, const char *b) {
    if (strcmp(a, b) == 0) return true;
    if (strncmp(a, "d:", 2) != 0 || strncmp(b, "d:", 2) != 0) return false;
    int a_precision, a_scale, a_bits = 128, b_precision, b_scale, b_bits = 128;
    return sscanf(a, "d:%d,%d,%d", &a_precision, &a_scale, &a_bits) >= 2 &&
           sscanf(b, "d:%d,%d,%d", &b_precision, &b_scale, &b_bits) >= 2 &&
           a_precision == b_precision && a_scale == b_scale && a_bits == b_bits;
}

bool wp_same_type(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (!same_format(a->format, b->format) || a->n_children != b->n_children) return false;
    if (!a->dictionary != !b->dictionary) return false;
    if (a->dictionary && !wp_same_type(a->dictionary, b->dictionary)) return false;
    for (int64_t i = 0; i < a->n_children; i++) {
        if (!wp_same_type(a->children[i], b->children[i])) return false;
        const char *a_name = a->children[i]->name, *b_name = b->children[i]->name;
        if (names_count(a->format) && strcmp(a_name ? a_name : "", b_name ? b_name : "") != 0)
            return false;
    }
    return true;
}

static const char *plain_name(const char *format) {
    static const char *const names[][2] = {
        {"n", "null"},           {"b", "bool"},           {"c", "int8"},
        {"C", "uint8"},          {"s", "int16"},          {"S", "uint16"},
        {"i", "int32"},          {"I", "uint32"},         {"l", "int64"},
        {"L", "uint64"},         {"e", "float16"},        {"f", "float32"},
        {"g", "float64"},        {"u", "utf8"},           {"U", "large_utf8"},
        {"vu", "utf8_view"},     {"z", "binary"},         {"Z", "large_binary"},
        {"vz", "binary_view"},   {"tdD", "date32"},       {"tdm", "date64"},
        {"tts", "time32[s]"},    {"ttm", "time32[ms]"},   {"ttu", "time64[us]"},
        {"ttn", "time64[ns]"},   {"tDs", "duration[s]"},  {"tDm", "duration[ms]"},
        {"tDu", "duration[us]"}, {"tDn", "duration[ns]"}, {"+s", "struct"},
        {"+m", "map"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i][0], format) == 0) return names[i][1];
    }
    return NULL;
}

const char *wp_type_name(const struct ArrowSchema *type, char *text, size_t size) {
    static const char *const units[] = {"s", "ms", "us", "ns"};
    static const char letters[] = "smun";
    const char *format = type->format, *plain = plain_name(format), *unit;
    char inner[64];
    if (type->dictionary) {
        snprintf(text, size, "dictionary<%s>", wp_type_name(type->dictionary, inner, sizeof inner));
    } else if (plain) {
        snprintf(text, size, "%s", plain);
    } else if (strncmp(format, "ts", 2) == 0 && format[2] && (unit = strchr(letters, format[2]))) {
        snprintf(text, size, "timestamp[%s%s%s]", units[unit - letters],
                 format[3] && format[4] ? ", " : "", format[3] ? format + 4 : "");
    } else if (strncmp(format, "d:", 2) == 0) {
        snprintf(text, size, "decimal(%s)", format + 2);
    } else if (format[0] == '+' && type->n_children == 1) {
        snprintf(text, size, "list<%s>", wp_type_name(type->children[0], inner, sizeof inner));
    } else {
        snprintf(text, size, "%s", format);
    }
    return text;
}
