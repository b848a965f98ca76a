/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/relation.h"

#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_SQL = 16 << 20 };

void wr_adbc_relation_reset(struct wr_adbc_relation *relation) {
    wr_arrow_release_schema(&relation->schema);
    for (size_t i = 0; i < relation->n_columns; i++) {
        wr_free(relation->columns[i].name);
        wr_free(relation->columns[i].expression);
        wr_free(relation->columns[i].declared);
        wr_free(relation->columns[i].format);
    }
    wr_free(relation->columns);
    *relation = (struct wr_adbc_relation){0};
}

int wr_adbc_relation_add(struct wr_adbc_relation *relation, const char *name, const char *format,
                         bool nullable, const char *declared, char *expression,
                         struct weir_error *error) {
    struct wr_adbc_column *columns =
        wr_reallocarray(relation->columns, relation->n_columns + 1, sizeof *columns);
    if (!columns) {
        wr_free(expression);
        return wr_error_memory(error);
    }
    relation->columns = columns;
    struct wr_adbc_column *column = &columns[relation->n_columns++];
    *column = (struct wr_adbc_column){.name = wr_strdup(name),
                                      .expression = expression,
                                      .declared = wr_strdup(declared),
                                      .format = wr_strdup(format),
                                      .nullable = nullable,
                                      .null_share = -1};
    return column->name && column->declared && column->format ? WEIR_OK : wr_error_memory(error);
}

/* ---- The schema ---- */

static int set_format(struct ArrowSchema *schema, const char *name, const char *format,
                      bool nullable) {
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetName(schema, name)) return -1;
    schema->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    if (strncmp(format, "+l:", 3) != 0) return ArrowSchemaSetFormat(schema, format);
    if (ArrowSchemaSetFormat(schema, "+l") || ArrowSchemaAllocateChildren(schema, 1)) return -1;
    return set_format(schema->children[0], "item", format + 3, true);
}

static int fill_schema(const struct wr_adbc_relation *relation, struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, (int64_t)relation->n_columns)) return -1;
    for (size_t i = 0; i < relation->n_columns; i++) {
        const struct wr_adbc_column *column = &relation->columns[i];
        if (set_format(schema->children[i], column->name, column->format, column->nullable))
            return -1;
    }
    return 0;
}

int wr_adbc_relation_finish(struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    if (fill_schema(relation, &schema)) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_release_schema(&relation->schema);
    relation->schema = schema;
    return WEIR_OK;
}

static bool is_utc(const char *zone) {
    static const char *const names[] = {"Etc/UTC", "Etc/UCT", "UCT",   "Zulu",
                                        "Etc/GMT", "GMT",     "+00:00"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(zone, names[i]) == 0) return true;
    }
    return false;
}

/* Every value below may be NULL, and every instant has the zone UTC. */
static int settle(struct ArrowSchema *schema, bool is_child) {
    const char *format = schema->format;
    if (ArrowSchemaSetMetadata(schema, NULL)) return -1;
    if (is_child) schema->flags |= ARROW_FLAG_NULLABLE;
    if (strncmp(format, "ts", 2) == 0 && format[2] && strlen(format) > 4 && is_utc(format + 4)) {
        char utc[] = {'t', 's', format[2], ':', 'U', 'T', 'C', '\0'};
        if (ArrowSchemaSetFormat(schema, utc)) return -1;
    }
    for (int64_t i = 0; i < schema->n_children; i++) {
        /* A map's entries and keys are never NULL. */
        bool fixed = strcmp(format, "+m") == 0;
        if (settle(schema->children[i], !fixed)) return -1;
    }
    return 0;
}

static int adopt(const struct wr_adbc_relation *relation, const struct ArrowSchema *types,
                 struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, types->n_children)) return -1;
    for (size_t i = 0; i < relation->n_columns; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release) child->release(child);
        if (ArrowSchemaDeepCopy(types->children[i], child)) return -1;
        if (ArrowSchemaSetName(child, relation->columns[i].name)) return -1;
        if (settle(child, false)) return -1;
        child->flags &= ~(int64_t)ARROW_FLAG_NULLABLE;
        if (relation->columns[i].nullable) child->flags |= ARROW_FLAG_NULLABLE;
    }
    return 0;
}

int wr_adbc_relation_adopt(struct wr_adbc_relation *relation, const struct ArrowSchema *types,
                           struct weir_error *error) {
    struct ArrowSchema schema = {0};
    if (types->n_children != (int64_t)relation->n_columns) {
        return wr_error_set(error, WEIR_INVALID_STATE, "40001",
                            "the table's columns changed while they were looked at; try again");
    }
    if (adopt(relation, types, &schema)) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_release_schema(&relation->schema);
    relation->schema = schema;
    return WEIR_OK;
}

/* ---- Texts ---- */

void wr_adbc_quote(struct wr_buffer *text, const char *name, char quote) {
    wr_buffer_char(text, quote);
    for (const char *c = name; *c; c++) {
        if (*c == quote) wr_buffer_char(text, quote);
        wr_buffer_char(text, *c);
    }
    wr_buffer_char(text, quote);
}

char *wr_adbc_expression(const char *before, const char *name, char quote, const char *after) {
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_SQL);
    wr_buffer_text(&text, before);
    wr_adbc_quote(&text, name, quote);
    wr_buffer_text(&text, after);
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}
