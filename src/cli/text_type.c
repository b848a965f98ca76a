/* SPDX-License-Identifier: Apache-2.0 */
/* Arrow types under the names that SQL users know. Formats: arrow.apache.org, "The Arrow C data
 * interface". */
#include <stdio.h>
#include <string.h>

#include "text.h"

static const struct {
    const char *format;
    const char *name;
    bool number;
} simple_types[] = {
    {"n", "null", false},       {"b", "boolean", false},    {"c", "int8", true},
    {"C", "uint8", true},       {"s", "int16", true},       {"S", "uint16", true},
    {"i", "int32", true},       {"I", "uint32", true},      {"l", "int64", true},
    {"L", "uint64", true},      {"e", "half", true},        {"f", "float", true},
    {"g", "double", true},      {"z", "blob", false},       {"Z", "blob", false},
    {"vz", "blob", false},      {"u", "varchar", false},    {"U", "varchar", false},
    {"vu", "varchar", false},   {"tdD", "date", false},     {"tdm", "date", false},
    {"tts", "time", false},     {"ttm", "time", false},     {"ttu", "time", false},
    {"ttn", "time", false},     {"tiM", "interval", false}, {"tiD", "interval", false},
    {"tin", "interval", false}, {"tDs", "duration", false}, {"tDm", "duration", false},
    {"tDu", "duration", false}, {"tDn", "duration", false}};

static void children(struct wr_buffer *buffer, const struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        const char *name = schema->children[i]->name;
        if (i > 0) wr_buffer_text(buffer, ", ");
        wr_buffer_format(buffer, "%s ", name == NULL ? "" : name);
        text_type_name(buffer, schema->children[i]);
    }
    wr_buffer_char(buffer, ')');
}

void text_type_name(struct wr_buffer *buffer, const struct ArrowSchema *schema) {
    const char *format = schema->format;
    int precision, scale;

    if (schema->dictionary != NULL) {
        text_type_name(buffer, schema->dictionary);
        return;
    }
    for (size_t i = 0; i < sizeof simple_types / sizeof *simple_types; i++) {
        if (strcmp(format, simple_types[i].format) == 0) {
            wr_buffer_text(buffer, simple_types[i].name);
            return;
        }
    }
    if (strncmp(format, "ts", 2) == 0) {
        const char *zone = strchr(format, ':');
        wr_buffer_text(buffer, "timestamp");
        if (zone != NULL && zone[1] != '\0') wr_buffer_format(buffer, "(%s)", zone + 1);
    } else if (sscanf(format, "d:%d,%d", &precision, &scale) == 2) {
        wr_buffer_format(buffer, "decimal(%d,%d)", precision, scale);
    } else if (format[0] == 'w') {
        wr_buffer_text(buffer, "blob");
    } else if (strncmp(format, "+s", 2) == 0) {
        wr_buffer_text(buffer, "struct(");
        children(buffer, schema);
    } else if (strncmp(format, "+u", 2) == 0) {
        wr_buffer_text(buffer, "union(");
        children(buffer, schema);
    } else if (strncmp(format, "+m", 2) == 0 && schema->n_children == 1) {
        wr_buffer_text(buffer, "map(");
        children(buffer, schema->children[0]);
    } else if (strncmp(format, "+r", 2) == 0 && schema->n_children == 2) {
        text_type_name(buffer, schema->children[1]); /* run-end encoded: the values' type */
    } else if (format[0] == '+' && schema->n_children == 1) {
        text_type_name(buffer, schema->children[0]);
        if (format[1] == 'w')
            wr_buffer_format(buffer, "[%s]", format + 3);
        else
            wr_buffer_text(buffer, "[]");
    } else {
        wr_buffer_text(buffer, format);
    }
}

bool text_type_is_number(const struct ArrowSchema *schema) {
    if (schema->dictionary != NULL) return text_type_is_number(schema->dictionary);
    for (size_t i = 0; i < sizeof simple_types / sizeof *simple_types; i++) {
        if (strcmp(schema->format, simple_types[i].format) == 0) return simple_types[i].number;
    }
    return strncmp(schema->format, "d:", 2) == 0;
}
