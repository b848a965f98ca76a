/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `adbc`: a table of a database, or a query that it runs. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "table/adbc/core.h"
#include "table/adbc/guard.h"
#include "table/adbc/options.h"
#include "table/adbc/write.h"

enum { MOST_PARTITIONS = 64, MOST_READERS = 8, BLOCKS_PER_PARTITION = 4096 };

/* What is known of the table's columns and size, kept for as long as a form needs it. */
struct known {
    atomic_int references;
    int64_t when; /* by wr_clock_ms */
    struct wr_adbc_relation relation;
    const char **columns; /* for the form */
    struct wr_adbc_partitions partitions;
};

struct table {
    char *label; /* table "t" (kind adbc) */
    struct wr_adbc_store store;
    char *catalog; /* NULL: the current one */
    char *schema;  /* NULL: the default one, or none */
    char *name;    /* NULL: a query */
    char *from;    /* for FROM: the quoted name, or the query in parentheses */
    char *partition_column, *lower_bound, *upper_bound;
    int64_t n_partitions; /* 0: as it fits */
    atomic_bool failed;   /* what is known may not be true any more */
    pthread_mutex_t mutex;
    struct known *known; /* NULL: nothing yet */
};

/* ---- What is known ---- */

static void known_release(struct known *known) {
    if (!known) return;
    if (atomic_fetch_sub_explicit(&known->references, 1, memory_order_acq_rel) > 1) return;
    wr_adbc_relation_reset(&known->relation);
    wr_adbc_partitions_reset(&known->partitions);
    wr_free(known->columns);
    wr_free(known);
}

static struct known *known_retain(struct known *known) {
    atomic_fetch_add_explicit(&known->references, 1, memory_order_relaxed);
    return known;
}

static const struct wr_adbc_column *find_column(const struct wr_adbc_relation *relation,
                                                const char *name) {
    for (size_t i = 0; i < relation->n_columns; i++) {
        if (strcmp(relation->columns[i].name, name) == 0) return &relation->columns[i];
    }
    return NULL;
}

static int partition_by_column(const struct table *table, struct known *known,
                               struct weir_error *error) {
    if (!find_column(&known->relation, table->partition_column)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42703",
                            "%s: option \"partition_column\": there is no column \"%s\"",
                            table->label, table->partition_column);
    }
    char *column = wr_adbc_expression("", table->partition_column, table->store.backend->quote, "");
    if (!column) return wr_error_memory(error);
    int code = wr_adbc_partition_column(column, table->lower_bound, table->upper_bound,
                                        table->n_partitions, &known->partitions, error);
    wr_free(column);
    return code ? wr_error_prefix(error, code, "%s", table->label) : WEIR_OK;
}

static int64_t most_readers(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < MOST_READERS ? processors : MOST_READERS;
}

/* A table that is large enough is read by as many connections as there are processors. */
static int partition_by_blocks(const struct table *table, struct known *known,
                               struct weir_error *error) {
    int64_t n_blocks = known->relation.n_blocks;
    int64_t n = table->n_partitions;
    if (n == 0) {
        n = n_blocks / BLOCKS_PER_PARTITION;
        if (n > most_readers()) n = most_readers();
    }
    if (n < 2 || n_blocks < n) return WEIR_OK;
    return wr_adbc_partition_blocks(n_blocks, n, &known->partitions, error);
}

/* Names that differ in nothing cannot be told apart in SQL. */
static int check_columns(const struct table *table, const struct wr_adbc_relation *relation,
                         struct weir_error *error) {
    for (size_t i = 1; i < relation->n_columns; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(relation->columns[i].name, relation->columns[j].name) != 0) continue;
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42701",
                                "%s: two columns are called \"%s\"; give one of them another name "
                                "with AS",
                                table->label, relation->columns[i].name);
        }
    }
    return WEIR_OK;
}

static int fill_known(const struct table *table, struct known *known, struct weir_error *error) {
    const struct wr_adbc_store *store = &table->store;
    struct wr_adbc_relation *relation = &known->relation;
    const struct wr_adbc_name name = {table->catalog, table->schema, table->name};
    relation->n_rows = relation->n_bytes = -1;
    int code = table->name
                   ? store->backend->describe(store->database, &name, relation, error)
                   : store->backend->describe_query(store->database, table->from, relation, error);
    if (code) return wr_error_prefix(error, code, "%s", table->label);
    if (!relation->found) {
        return wr_adbc_no_table(store, table->label, table->schema, table->name, error);
    }
    WR_TRY(check_columns(table, relation, error));
    known->columns = wr_calloc(relation->n_columns + 1, sizeof *known->columns);
    if (!known->columns) return wr_error_memory(error);
    for (size_t i = 0; i < relation->n_columns; i++)
        known->columns[i] = relation->columns[i].expression;
    return table->partition_column ? partition_by_column(table, known, error)
                                   : partition_by_blocks(table, known, error);
}

static int look(const struct table *table, struct known **ret_known, struct weir_error *error) {
    struct known *known = wr_calloc(1, sizeof *known);
    if (!known) return wr_error_memory(error);
    atomic_init(&known->references, 1);
    known->when = wr_clock_ms();
    int code = fill_known(table, known, error);
    if (code) {
        known_release(known);
        return code;
    }
    *ret_known = known;
    return WEIR_OK;
}

/* A reference to what is known, looked up again once it is too old. */
static int know(struct table *table, struct known **ret_known, struct weir_error *error) {
    struct known *known = NULL;
    struct known *old = NULL;
    bool failed = atomic_exchange(&table->failed, false);
    pthread_mutex_lock(&table->mutex);
    bool fresh =
        table->known && !failed && wr_clock_ms() - table->known->when < table->store.metadata_ttl;
    if (fresh) known = known_retain(table->known);
    pthread_mutex_unlock(&table->mutex);
    if (!known) {
        int code = look(table, &known, error);
        if (code) {
            atomic_store(&table->failed, true);
            return code;
        }
        pthread_mutex_lock(&table->mutex);
        old = table->known;
        table->known = known_retain(known);
        pthread_mutex_unlock(&table->mutex);
        known_release(old);
    }
    *ret_known = known;
    return WEIR_OK;
}

/* ---- Open ---- */

static void adbc_close(void *instance) {
    struct table *table = instance;
    known_release(table->known);
    wr_adbc_store_close(&table->store);
    wr_free(table->label);
    wr_free(table->catalog);
    wr_free(table->schema);
    wr_free(table->name);
    wr_free(table->from);
    wr_free(table->partition_column);
    wr_free(table->lower_bound);
    wr_free(table->upper_bound);
    pthread_mutex_destroy(&table->mutex);
    wr_free(table);
}

static int refuse(const struct table *table, const char *why, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601", "%s: %s", table->label, why);
}

static int copy_option(const struct weir_definition *definition, const char *key, char **ret_text,
                       struct weir_error *error) {
    const char *value = wr_options_get(definition->options, definition->n_options, key);
    *ret_text = wr_strdup(value);
    return value && !*ret_text ? wr_error_memory(error) : WEIR_OK;
}

/* A query without what ends it, in parentheses; a comment at its end must not take in the last. */
static int read_query(struct table *table, const char *query, struct weir_error *error) {
    struct wr_buffer text;
    size_t length = strlen(query);
    while (length > 0 && strchr(" \t\r\n;", query[length - 1]))
        length--;
    if (length == 0) return refuse(table, "option \"query\" is empty; give a SELECT", error);
    wr_buffer_init(&text, SIZE_MAX - 1);
    wr_buffer_char(&text, '(');
    wr_buffer_add(&text, query, length);
    wr_buffer_text(&text, "\n)");
    table->from = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return table->from ? WEIR_OK : wr_error_memory(error);
}

static int read_name(struct table *table, const struct weir_definition *definition,
                     struct weir_error *error) {
    WR_TRY(copy_option(definition, "catalog", &table->catalog, error));
    WR_TRY(copy_option(definition, "schema", &table->schema, error));
    WR_TRY(copy_option(definition, "table", &table->name, error));
    /* Without a schema the name may have it: 'public.orders'. */
    char *dot = table->schema ? NULL : strchr(table->name, '.');
    if (dot && dot > table->name && dot[1]) {
        table->schema = wr_strndup(table->name, (size_t)(dot - table->name));
        if (!table->schema) return wr_error_memory(error);
        memmove(table->name, dot + 1, strlen(dot + 1) + 1);
    }
    if (!table->schema && !table->catalog) {
        WR_TRY(table->store.backend->default_schema(table->store.database, &table->schema, error));
    }
    if (!wr_adbc_own_schema(table->store.backend, table->schema)) {
        wr_free(table->schema);
        table->schema = NULL;
    }
    struct wr_buffer text;
    const struct wr_adbc_name name = {table->catalog, table->schema, table->name};
    wr_buffer_init(&text, SIZE_MAX - 1);
    wr_adbc_full_name(&text, &name, table->store.backend->quote);
    table->from = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return table->from ? WEIR_OK : wr_error_memory(error);
}

static int read_partitions(struct table *table, const struct weir_definition *definition,
                           struct weir_error *error) {
    WR_TRY(copy_option(definition, "partition_column", &table->partition_column, error));
    WR_TRY(copy_option(definition, "lower_bound", &table->lower_bound, error));
    WR_TRY(copy_option(definition, "upper_bound", &table->upper_bound, error));
    table->n_partitions =
        wr_options_get_int(definition->options, definition->n_options, "num_partitions", 0);
    bool given = wr_options_get(definition->options, definition->n_options, "num_partitions");
    if (given && (table->n_partitions < 1 || table->n_partitions > MOST_PARTITIONS))
        return refuse(table, "option \"num_partitions\": give a number from 1 to 64", error);
    if (!table->partition_column != !table->lower_bound ||
        !table->lower_bound != !table->upper_bound)
        return refuse(table,
                      "options \"partition_column\", \"lower_bound\" and \"upper_bound\" belong "
                      "together: give all of them or none",
                      error);
    if (table->partition_column && table->n_partitions == 0)
        return refuse(table, "option \"partition_column\" needs \"num_partitions\"", error);
    return WEIR_OK;
}

static int fill_table(struct table *table, const struct weir_definition *definition,
                      struct weir_error *error) {
    const struct weir_option *options = definition->options;
    const char *query = wr_options_get(options, definition->n_options, "query");
    const char *name = wr_options_get(options, definition->n_options, "table");
    if (definition->columns)
        return refuse(table, "its columns come from the database; leave out columns and AS", error);
    if (!query == !name)
        return refuse(table, "give one of the options \"table\" and \"query\"", error);
    if (query && (wr_options_get(options, definition->n_options, "schema") ||
                  wr_options_get(options, definition->n_options, "catalog")))
        return refuse(table, "options \"schema\" and \"catalog\" are of a table, not of a query",
                      error);
    WR_TRY(read_partitions(table, definition, error));
    WR_TRY(
        wr_adbc_store_open(definition->name, options, definition->n_options, &table->store, error));
    return query ? read_query(table, query, error) : read_name(table, definition, error);
}

static int adbc_open(const struct weir_definition *definition, void **ret_table,
                     struct weir_error *error) {
    struct table *table = wr_calloc(1, sizeof *table);
    if (!table) return wr_error_memory(error);
    if (pthread_mutex_init(&table->mutex, NULL)) {
        wr_free(table);
        return wr_error_memory(error);
    }
    char label[300];
    struct known *known = NULL;
    snprintf(label, sizeof label, "table \"%.240s\" (kind adbc)", definition->name);
    atomic_init(&table->failed, false);
    table->label = wr_strdup(label);
    int code = table->label ? fill_table(table, definition, error) : wr_error_memory(error);
    /* A table that is not there is an error here. */
    if (code == WEIR_OK) code = know(table, &known, error);
    known_release(known);
    if (code) {
        adbc_close(table);
        return code;
    }
    *ret_table = table;
    return WEIR_OK;
}

/* ---- Forms ---- */

static int execute(void *instance, const char *const *statements, size_t n_statements,
                   const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                   struct weir_error *error) {
    struct table *table = instance;
    return wr_adbc_guarded_scan(&table->store, statements, n_statements, schema, &table->failed,
                                ret_scan, error);
}

/* As many as may read at the same time. How many partitions there are is known when it runs. */
static int32_t adbc_parts(void *instance) {
    const struct table *table = instance;
    const struct wr_adbc_database *database = table->store.database;
    if (table->partition_column || !wr_adbc_database_has_partitions(database)) return 1;
    int64_t n = table->n_partitions ? table->n_partitions : most_readers();
    int64_t most = wr_adbc_database_most_connections(database);
    return (int32_t)(n < most ? n : most);
}

static int execute_parts(void *instance, const char *statement, int32_t n_parts,
                         const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                         struct weir_error *error) {
    struct table *table = instance;
    return wr_adbc_guarded_parts(&table->store, statement, n_parts, schema, &table->failed,
                                 ret_scan, error);
}

static int change(void *instance, const char *statement, int64_t *ret_n_rows,
                  struct weir_error *error) {
    struct table *table = instance;
    int code = wr_adbc_change(table->store.database, statement, ret_n_rows, error);
    if (code) atomic_store(&table->failed, true);
    return code;
}

static void form_release(struct weir_form *form) {
    known_release(form->private_data);
    wr_arrow_release_schema(&form->schema);
    *form = (struct weir_form){0};
}

static int adbc_form(void *instance, struct weir_form *ret_form, struct weir_error *error) {
    struct table *table = instance;
    struct known *known = NULL;
    struct ArrowSchema schema = {0};
    WR_TRY(know(table, &known, error));
    int code = wr_arrow_copy_schema(&known->relation.schema, &schema, error);
    if (code) {
        known_release(known);
        return code;
    }
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_REMOTE,
        .schema = schema,
        .remote =
            {
                .dialect = table->store.backend->dialect,
                .backend = wr_adbc_database_id(table->store.database),
                .table = table->from,
                .columns = known->columns,
                .partitions = (const char *const *)known->partitions.items,
                .n_partitions = known->partitions.n_items,
                .execute = execute,
                .change = known->relation.is_table ? change : NULL,
            },
        .release = form_release,
        .private_data = known,
    };
    return WEIR_OK;
}

/* ---- Statistics ---- */

static void statistics_release(struct weir_statistics *statistics) {
    wr_free(statistics->private_data);
    *statistics = (struct weir_statistics){0};
}

static int adbc_statistics(void *instance, struct weir_statistics *ret_statistics,
                           struct weir_error *error) {
    struct known *known = NULL;
    WR_TRY(know(instance, &known, error));
    const struct wr_adbc_relation *relation = &known->relation;
    int64_t *nulls = wr_calloc(relation->n_columns + 1, sizeof *nulls);
    if (!nulls) {
        known_release(known);
        return wr_error_memory(error);
    }
    for (size_t i = 0; i < relation->n_columns; i++) {
        double share = relation->columns[i].null_share;
        bool told = share >= 0 && relation->n_rows >= 0;
        nulls[i] = told ? (int64_t)(share * (double)relation->n_rows + 0.5) : -1;
    }
    *ret_statistics = (struct weir_statistics){
        .size = sizeof *ret_statistics,
        .n_rows = relation->n_rows,
        .n_bytes = relation->n_bytes,
        .null_counts = nulls,
        .release = statistics_release,
        .private_data = nulls,
    };
    known_release(known);
    return WEIR_OK;
}

/* ---- Changes ---- */

static int insert_rows(struct table *table, int mode, struct ArrowArrayStream *rows,
                       int64_t *ret_n_rows, struct weir_error *error) {
    struct known *known = NULL;
    WR_TRY(know(table, &known, error));
    int code;
    if (known->relation.is_table) {
        const struct wr_adbc_name name = {table->catalog, table->schema, table->name};
        code =
            wr_adbc_insert(&table->store, &name, &known->relation, mode, rows, ret_n_rows, error);
    } else {
        code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "%s: %s is read only and takes no rows", table->label,
                            table->name ? "a view" : "a table of the option \"query\"");
    }
    known_release(known);
    return code;
}

static int adbc_insert(void *instance, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                       struct weir_error *error) {
    struct table *table = instance;
    int code = insert_rows(table, mode, rows, ret_n_rows, error);
    if (code) atomic_store(&table->failed, true);
    wr_arrow_release_stream(rows);
    return code;
}

static int adbc_refresh(void *instance, struct weir_error *error) {
    struct table *table = instance;
    (void)error;
    pthread_mutex_lock(&table->mutex);
    struct known *known = table->known;
    table->known = NULL;
    pthread_mutex_unlock(&table->mutex);
    known_release(known);
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    WR_ADBC_DATABASE_OPTIONS,
    WR_ADBC_MORE_OPTIONS,
    {"table", WEIR_OPTION_TEXT, 0,
     "the table: its exact name, or without the option schema 'schema.name'"},
    {"schema", WEIR_OPTION_TEXT, 0, "the table's schema; the database's default one when absent"},
    {"query", WEIR_OPTION_TEXT, 0, "in place of a table: a SELECT that the database runs"},
    {"partition_column", WEIR_OPTION_TEXT, 0,
     "read by ranges of this column, by several connections"},
    {"lower_bound", WEIR_OPTION_TEXT, 0, "about its least value: a number, a date or a timestamp"},
    {"upper_bound", WEIR_OPTION_TEXT, 0, "about its greatest value"},
    {"num_partitions", WEIR_OPTION_INTEGER, 0,
     "how many ranges; without partition_column those of a PostgreSQL table's blocks, else how "
     "many connections share the partitions of a result that a driver divides (1: none)"},
};

const struct weir_table_kind wr_kind_adbc = {
    .size = sizeof wr_kind_adbc,
    .name = "adbc",
    .summary = "a table of a database with an ADBC driver, or a query that it runs",
    .roles = WEIR_ENDS_AT_ONCE,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = adbc_open,
    .close = adbc_close,
    .form = adbc_form,
    .statistics = adbc_statistics,
    .insert = adbc_insert,
    .refresh = adbc_refresh,
    .parts = adbc_parts,
    .execute_parts = execute_parts,
};
