/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `sql`: a table that is the query in a .sql file. The file is read afresh for each form;
 * what its leading comments say is in front_matter.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "table/files/files.h"
#include "table/form.h"
#include "table/sql/front_matter.h"

extern const struct weir_table_kind wr_kind_sql;

static const char byte_order_mark[] = "\xEF\xBB\xBF";

struct table {
    char *path; /* absolute */
    char *root; /* NULL: none */
    char *shown;
    char *catalog;
    char *schema;
    struct wr_options given; /* values of parameters, by name */
};

/* What a form points to. */
struct holder {
    char *text;
    struct wr_sql_front_matter front_matter;
    struct wr_options parameters;
};

static void holder_free(struct holder *holder) {
    wr_free(holder->text);
    wr_sql_front_matter_reset(&holder->front_matter);
    wr_options_reset(&holder->parameters);
    wr_free(holder);
}

static void form_release(struct weir_form *form) {
    holder_free(form->private_data);
    *form = (struct weir_form){0};
}

/* ---- Parameters ---- */

static int unknown_parameter(const struct table *table, const struct wr_options *known,
                             const char *name, struct weir_error *error) {
    int code =
        wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" has no parameter \"%s\"; %s",
                     table->shown, name, known->n_items > 0 ? "it has " : "it has none");
    for (size_t i = 0; i < known->n_items; i++)
        wr_error_append(error, "%s%s", i > 0 ? ", " : "", known->items[i].key);
    return code;
}

/* Adds a value as a literal. Where the default is a text, a bare number is one too. */
static int add_given(struct wr_options *parameters, const char *name, const char *fallback,
                     const char *value, struct weir_error *error) {
    bool literal = wr_sql_is_literal(value);
    if (literal && *fallback == '\'' && *value != '\'' && strcasecmp(value, "null") != 0)
        literal = false;
    if (literal) return wr_options_add(parameters, name, value, error);
    struct wr_buffer quoted;
    wr_buffer_init(&quoted, 2 * strlen(value) + 3);
    wr_buffer_literal(&quoted, value);
    int code = quoted.failed ? wr_error_memory(error)
                             : wr_options_add(parameters, name, quoted.data, error);
    wr_buffer_reset(&quoted);
    return code;
}

static int fill_parameters(const struct table *table, struct holder *holder,
                           struct weir_error *error) {
    const struct wr_options *known = &holder->front_matter.parameters;
    const struct wr_options *given = &table->given;
    for (size_t i = 0; i < given->n_items; i++) {
        if (!wr_options_get(known->items, known->n_items, given->items[i].key))
            return unknown_parameter(table, known, given->items[i].key, error);
    }
    for (size_t i = 0; i < known->n_items; i++) {
        const struct weir_option *item = &known->items[i];
        const char *value = wr_options_get(given->items, given->n_items, item->key);
        if (value)
            WR_TRY(add_given(&holder->parameters, item->key, item->value, value, error));
        else
            WR_TRY(wr_options_add(&holder->parameters, item->key, item->value, error));
    }
    return WEIR_OK;
}

/* ---- The form ---- */

/* Whether there is anything but blanks and comments. */
static bool holds_query(const char *text) {
    if (strncmp(text, byte_order_mark, 3) == 0) text += 3;
    for (;;) {
        text += strspn(text, " \t\r\n\f\v;");
        if (strncmp(text, "--", 2) == 0) {
            text += strcspn(text, "\n");
        } else if (strncmp(text, "/*", 2) == 0) {
            const char *end = strstr(text + 2, "*/");
            if (!end) return true; /* the parser says what is wrong with it */
            text = end + 2;
        } else {
            return *text != '\0';
        }
    }
}

static int fill_holder(const struct table *table, struct holder *holder, struct weir_error *error) {
    WR_TRY(wr_sql_text_read(table->root, table->path, table->shown, &holder->text, error));
    WR_TRY(wr_sql_front_matter_parse(table->shown, holder->text, &holder->front_matter, error));
    if (!holds_query(holder->text)) {
        return wr_error_set(error, WEIR_INVALID_DATA, "42601",
                            "\"%s\" holds no query; write a SELECT into it", table->shown);
    }
    return fill_parameters(table, holder, error);
}

static int sql_form(void *instance, struct weir_form *ret_form, struct weir_error *error) {
    const struct table *table = instance;
    struct holder *holder = wr_calloc(1, sizeof *holder);
    if (!holder) return wr_error_memory(error);
    int code = fill_holder(table, holder, error);
    if (code) {
        holder_free(holder);
        return code;
    }
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql =
            {
                .query = holder->text + (strncmp(holder->text, byte_order_mark, 3) == 0 ? 3 : 0),
                .catalog = table->catalog,
                .schema = table->schema,
                .source = table->shown,
                .inputs = holder->front_matter.inputs.items,
                .n_inputs = holder->front_matter.inputs.n_items,
                .parameters = holder->parameters.items,
                .n_parameters = holder->parameters.n_items,
            },
        .release = form_release,
        .private_data = holder,
    };
    return WEIR_OK;
}

/* ---- The instance ---- */

static void sql_close(void *instance) {
    struct table *table = instance;
    wr_free(table->path);
    wr_free(table->root);
    wr_free(table->shown);
    wr_free(table->catalog);
    wr_free(table->schema);
    wr_options_reset(&table->given);
    wr_free(table);
}

static int take_path(struct table *table, const char *path, const char *root,
                     struct weir_error *error) {
    size_t n_literal;
    char *working = NULL;
    if (root) WR_TRY(wr_files_root(root, &table->root, error));
    if (table->root && strcmp(table->root, "/") != 0)
        return wr_files_resolve_below(table->root, path, &table->path, &n_literal, error);
    wr_free(table->root);
    table->root = NULL;
    WR_TRY(wr_files_resolve(path, &table->path, &n_literal, &working, error));
    wr_free(working);
    return WEIR_OK;
}

/* The directory of an absolute path as a schema: "srv/lake"; "." for "/". */
static char *directory_of(const char *path) {
    const char *end = strrchr(path, '/');
    return end == path ? wr_strdup(".") : wr_strndup(path + 1, (size_t)(end - path) - 1);
}

static int fill(const struct weir_definition *definition, struct table *table,
                struct weir_error *error) {
    static const char prefix[] = "param.";
    const struct weir_option *options = definition->options;
    size_t n_options = definition->n_options;
    const char *path = wr_options_get(options, n_options, "path");
    const char *shown = wr_options_get(options, n_options, "shown");
    const char *catalog = wr_options_get(options, n_options, "catalog");
    const char *schema = wr_options_get(options, n_options, "schema");
    WR_TRY(take_path(table, path, wr_options_get(options, n_options, "root"), error));
    table->shown = wr_strdup(shown ? shown : path);
    table->catalog = wr_strdup(catalog ? catalog : "/");
    table->schema = schema ? wr_strdup(schema) : directory_of(table->path);
    if (!table->shown || !table->catalog || !table->schema) return wr_error_memory(error);
    for (size_t i = 0; i < n_options; i++) {
        if (strncasecmp(options[i].key, prefix, strlen(prefix)) == 0)
            WR_TRY(wr_options_add(&table->given, options[i].key + strlen(prefix), options[i].value,
                                  error));
    }
    return WEIR_OK;
}

static int sql_open(const struct weir_definition *definition, void **ret_table,
                    struct weir_error *error) {
    WR_TRY(wr_form_sql_refuse_columns(definition, error));
    struct table *table = wr_calloc(1, sizeof *table);
    if (!table) return wr_error_memory(error);
    struct weir_form form;
    int code = fill(definition, table, error);
    /* What cannot be read is refused now, not at the first query. */
    if (code == WEIR_OK) code = sql_form(table, &form, error);
    if (code) {
        sql_close(table);
        return code;
    }
    form.release(&form);
    *ret_table = table;
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    {"path", WEIR_OPTION_TEXT, 1, "the .sql file that holds the query"},
    {"root", WEIR_OPTION_TEXT, 0,
     "directory that no path and no symbolic link may lead out of; the path is absolute then"},
    {"shown", WEIR_OPTION_TEXT, 0, "what messages call the path; the path itself by default"},
    {"catalog", WEIR_OPTION_TEXT, 0,
     "catalog of the query's unqualified names and relative paths; \"/\", the machine's files, by "
     "default"},
    {"schema", WEIR_OPTION_TEXT, 0,
     "schema of the query's unqualified names and relative paths; the file's directory by default"},
    {"param.", WEIR_OPTION_PREFIX, 0,
     "the value of a parameter of the query; what is no literal of SQL is a text"},
};

const struct weir_table_kind wr_kind_sql = {
    .size = sizeof wr_kind_sql,
    .name = "sql",
    .summary = "a query in a .sql file, inlined where it is used",
    .roles = WEIR_ENDS_AT_ONCE, /* a regular file is read, nothing else */
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = sql_open,
    .close = sql_close,
    .form = sql_form,
};
