/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node's two facets. People get headed facts and tables; a program gets the columns, one row
 * each, and of what is no table an error.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "text.h"

static const char *const encodings[] = {"parquet", "arrow", "csv", "tsv", "json", "jsonl"};
enum { N_ENCODINGS = sizeof encodings / sizeof *encodings };

/* All that there is to say, gathered before anything is printed. */
struct facts {
    const char *path; /* as given */
    struct weir_node_info info;
    int64_t n_directories, n_others, n_tables; /* in a directory */
    struct ArrowSchema schema;
    struct weir_node_statistics statistics;
    struct ArrowArrayStream columns; /* their statistics, as text */
    struct ArrowArrayStream inputs;
    int64_t n_inputs;
    char *version;
    bool is_own;
    int64_t n_spooled[N_ENCODINGS]; /* -1: not spooled */
};

static void reset(struct facts *facts) {
    wr_arrow_release_schema(&facts->schema);
    wr_arrow_release_stream(&facts->columns);
    wr_arrow_release_stream(&facts->inputs);
    weir_free(facts->version);
}

/* ---- Gathering ---- */

static int count_entry(void *context, const struct weir_node_entry *entry) {
    struct facts *facts = context;
    if (node_is_listed(entry->type))
        facts->n_directories++;
    else
        facts->n_others++;
    facts->n_tables += entry->table != NULL;
    return 0;
}

/* The rows of a stream as text. Takes over `rows`. */
static int as_text(struct ArrowArrayStream *rows, struct ArrowArrayStream *ret_text,
                   struct weir_error *error) {
    int code = weir_text(rows, ret_text, error);
    wr_arrow_release_stream(rows);
    return code;
}

/* Of the encoding that the path asks for, or of all. */
static void gather_file(struct weir_node *node, struct facts *facts) {
    const char *asked = facts->info.encoding;

    facts->is_own = facts->info.n_bytes >= 0;
    for (size_t i = 0; i < N_ENCODINGS; i++) {
        int64_t n_bytes = -1;
        facts->n_spooled[i] = -1;
        if (facts->is_own || !facts->info.is_table) continue;
        if (asked != NULL && strcmp(asked, encodings[i]) != 0) continue;
        if (weir_file_is_ready(node, encodings[i], &n_bytes) == 1) facts->n_spooled[i] = n_bytes;
    }
}

static int gather(struct weir_node *node, struct facts *facts, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};

    if (facts->info.type == WEIR_NODE_DIRECTORY)
        WR_TRY(weir_node_list(node, count_entry, facts, error));
    gather_file(node, facts);
    if (!facts->info.is_table) return WEIR_OK;
    WR_TRY(weir_node_schema(node, &facts->schema, error));
    WR_TRY(weir_node_statistics(node, &facts->statistics, &rows, error));
    WR_TRY(as_text(&rows, &facts->columns, error));
    WR_TRY(weir_node_version(node, &facts->version, error));
    if (facts->info.type != WEIR_NODE_DERIVED) return WEIR_OK;
    return weir_node_inputs(node, &facts->inputs, error);
}

/* ---- The columns as rows ---- */

enum { STATISTICS_NAME, STATISTICS_NULLS, STATISTICS_MIN, STATISTICS_MAX, STATISTICS_EXACT };

static void add_cell(struct rows *rows, const struct ArrowArray *batch, int64_t column,
                     int64_t row) {
    size_t length;
    const char *value = output_cell(batch, column, row, &length);
    char *copy = value == NULL ? NULL : wr_strndup(value, length);
    rows_text(rows, copy);
    wr_free(copy);
}

/* The statistics of a column, or NULLs: one row of the batch for each column, in their order. */
static void add_statistics(struct rows *rows, const struct ArrowArray *batch, int64_t row) {
    int64_t nulls;
    size_t length;
    char number[32];

    if (batch->release == NULL || row >= batch->length) {
        for (int i = 0; i < 4; i++)
            rows_null(rows);
        return;
    }
    const char *count = output_cell(batch, STATISTICS_NULLS, row, &length);
    snprintf(number, sizeof number, "%.*s", (int)length, count == NULL ? "" : count);
    if (text_parse_int(number, 0, INT64_MAX, &nulls))
        rows_int(rows, nulls);
    else
        rows_null(rows);
    add_cell(rows, batch, STATISTICS_MIN, row);
    add_cell(rows, batch, STATISTICS_MAX, row);
    const char *exact = output_cell(batch, STATISTICS_EXACT, row, &length);
    rows_text(rows, exact == NULL ? NULL : length == 4 ? "yes" : "no"); /* true, false */
}

static void add_columns(struct rows *rows, const struct ArrowSchema *schema,
                        const struct ArrowArray *batch, int64_t *at, int64_t end) {
    struct wr_buffer type;

    wr_buffer_init(&type, 1 << 20);
    for (int64_t row = 0; *at < end; (*at)++, row++) {
        const struct ArrowSchema *child = schema->children[*at];
        wr_buffer_clear(&type);
        text_type_name(&type, child);
        rows_text(rows, child->name);
        rows_text(rows, type.failed ? NULL : type.data);
        rows_text(rows, child->flags & ARROW_FLAG_NULLABLE ? "yes" : "no");
        add_statistics(rows, batch, row);
    }
    wr_buffer_reset(&type);
}

static int columns_as_rows(struct facts *facts, struct ArrowArrayStream *ret_rows,
                           struct weir_error *error) {
    static const struct rows_column columns[] = {
        {"column_name", 'u'}, {"data_type", 'u'}, {"nullable", 'u'}, {"null_count", 'l'},
        {"min", 'u'},         {"max", 'u'},       {"exact", 'u'}};
    const struct ArrowSchema *schema = &facts->schema;
    struct ArrowArray batch = {0};
    struct rows *rows;
    int64_t at = 0;
    int code = WEIR_OK;

    WR_TRY(rows_new(columns, 7, &rows, error));
    while (code == WEIR_OK && at < schema->n_children) {
        code = wr_arrow_stream_next(&facts->columns, "statistics", &batch, error);
        int64_t end = schema->n_children;
        if (batch.release != NULL && at + batch.length < end) end = at + batch.length;
        if (code == WEIR_OK) add_columns(rows, schema, &batch, &at, end);
        wr_arrow_release_array(&batch);
    }
    if (code == WEIR_OK) return rows_finish(rows, ret_rows, error);
    rows_free(rows);
    return code;
}

/* ---- The facts as text ---- */

static void fact(struct wr_buffer *text, const char *name, const char *value) {
    wr_buffer_format(text, "  %-11s  ", name);
    text_clean(text, value, strlen(value));
    wr_buffer_char(text, '\n');
}

static void put_name(struct wr_buffer *text, const struct weir_node_info *info) {
    struct wr_buffer name;

    if (info->catalog == NULL || info->schema == NULL || info->name == NULL) return;
    wr_buffer_init(&name, 1 << 20);
    const char *parts[] = {info->catalog, info->schema, info->name};
    for (size_t i = 0; i < 3; i++) {
        if (i == 1 && strcmp(parts[i], ".") == 0)
            continue; /* what a name in a mount means anyway */
        if (i > 0) wr_buffer_char(&name, '.');
        if (parts[i][strspn(parts[i], "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0' &&
            (parts[i][0] < '0' || parts[i][0] > '9'))
            wr_buffer_text(&name, parts[i]);
        else
            wr_buffer_identifier(&name, parts[i]);
    }
    if (!name.failed) fact(text, "SQL name", name.data);
    wr_buffer_reset(&name);
}

static const char *node_of(const struct weir_node_info *info) {
    switch (info->type) {
    case WEIR_NODE_DIRECTORY:
        return info->is_table ? "directory and series" : "directory, not a table";
    case WEIR_NODE_FILE:
        return "plain file, not a table";
    case WEIR_NODE_STRUCTURED:
        return "structured file";
    case WEIR_NODE_SERIES:
        return "series: many files, one table";
    case WEIR_NODE_DERIVED:
        return "derived table: only SQL";
    default:
        return "table";
    }
}

static void put_head(struct wr_buffer *text, const struct facts *facts) {
    const struct weir_node_info *info = &facts->info;
    char line[256], first[64], second[64], third[64];

    text_clean(text, info->path, strlen(info->path));
    wr_buffer_char(text, '\n');
    put_name(text, info);
    fact(text, "node", node_of(info));
    if (info->kind != NULL) fact(text, "kind", info->kind);
    if (info->description != NULL) fact(text, "description", info->description);
    if (info->type != WEIR_NODE_DIRECTORY) return;
    snprintf(line, sizeof line, "%s %s, %s; %s", text_count(facts->n_directories, first),
             facts->n_directories == 1 ? "directory" : "directories",
             text_plural(facts->n_others, "other node", second),
             text_plural(facts->n_tables, "table", third));
    fact(text, "holds", line);
}

static void put_spooled(struct wr_buffer *text, const struct facts *facts) {
    char line[N_ENCODINGS * 80], number[64];
    size_t n = 0;

    for (size_t i = 0; i < N_ENCODINGS; i++) {
        if (facts->n_spooled[i] < 0) continue;
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s (%s bytes)",
                              n > 0 ? ", " : "yes: ", encodings[i],
                              text_count(facts->n_spooled[i], number));
    }
    fact(text, "spooled", n > 0 ? line : "no");
}

static void put_file(struct wr_buffer *text, const struct facts *facts) {
    const struct weir_node_info *info = &facts->info;
    time_t seconds = (time_t)(info->modified_ns / 1000000000);
    char line[128], number[64];
    struct tm parts;

    if (!facts->is_own && !info->is_table) return;
    wr_buffer_text(text, "as a file\n");
    if (info->encoding != NULL) fact(text, "encoding", info->encoding);
    if (facts->is_own) {
        snprintf(line, sizeof line, "%s, own bytes", text_bytes(info->n_bytes, number));
        fact(text, "size", line);
    } else {
        fact(text, "bytes", "encoded on demand");
        put_spooled(text, facts);
    }
    if (info->modified_ns != 0 && localtime_r(&seconds, &parts) != NULL &&
        strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", &parts) > 0)
        fact(text, "modified", line);
}

static void put_table(struct wr_buffer *text, const struct facts *facts) {
    const struct weir_node_statistics *statistics = &facts->statistics;
    char line[128], number[64];

    if (!facts->info.is_table) return;
    wr_buffer_text(text, "as a table\n");
    snprintf(line, sizeof line, "%s%s", statistics->rows_exact ? "" : "about ",
             text_count(statistics->n_rows, number));
    fact(text, "rows", statistics->n_rows >= 0 ? line : "not known without reading");
    snprintf(line, sizeof line, "%s%s", statistics->bytes_exact ? "" : "about ",
             text_bytes(statistics->n_bytes, number));
    if (statistics->n_bytes >= 0) fact(text, "reads", line);
    fact(text, "version", facts->version != NULL ? facts->version : "none: never kept");
}

static int put_facts(const struct facts *facts, struct sink *sink, struct weir_error *error) {
    struct wr_buffer text;

    wr_buffer_init(&text, 1 << 20);
    put_head(&text, facts);
    put_file(&text, facts);
    put_table(&text, facts);
    int code = sink_put(sink, &text, error);
    wr_buffer_reset(&text);
    return code;
}

/* ---- Printing ---- */

static int print_inputs(struct cli *cli, struct facts *facts, struct sink *sink) {
    if (facts->inputs.release == NULL) return CLI_DONE;
    sink_text(sink, "made of\n");
    return run_rows(cli, &facts->inputs);
}

static int print(struct cli *cli, struct facts *facts) {
    struct weir_error error = {0};
    struct ArrowArrayStream rows = {0};
    struct output_settings settings;
    struct sink *sink;
    int exit_code = CLI_DONE;

    int code = place_open(cli, &sink, &settings, &error);
    bool for_people = code == WEIR_OK && (settings.format->style == STYLE_TABLE ||
                                          settings.format->style == STYLE_BOX);
    if (code == WEIR_OK && for_people) code = put_facts(facts, sink, &error);
    if (code == WEIR_OK && facts->info.is_table) {
        code = columns_as_rows(facts, &rows, &error);
        if (code == WEIR_OK) exit_code = run_rows(cli, &rows);
        if (code == WEIR_OK && exit_code == CLI_DONE && for_people)
            exit_code = print_inputs(cli, facts, sink);
    } else if (code == WEIR_OK && for_people) {
        code = place_done(cli, &error);
    } else if (code == WEIR_OK) {
        code = wr_error_set(&error, WEIR_INVALID_ARGUMENT, "42809", "%s is a %s and has no columns",
                            facts->path,
                            facts->info.type == WEIR_NODE_FILE ? "plain file" : "directory");
    }
    return code == WEIR_OK ? exit_code : run_failed(cli, 0, &error, NULL, 0);
}

/* A server says what columns there are; how it has them is its own business. */
static int describe_there(struct cli *cli, const char *text) {
    struct weir_error error = {0};
    struct wr_buffer sql;

    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "DESCRIBE ");
    node_from_text(&sql, text);
    int64_t max_rows = cli->output.max_rows; /* a schema is shown whole */
    cli->output.max_rows = 0;
    int code = sql.failed ? run_failed(cli, 0, (wr_error_memory(&error), &error), NULL, 0)
                          : run_sql(cli, sql.data);
    cli->output.max_rows = max_rows;
    wr_buffer_reset(&sql);
    return code;
}

int describe_node(struct cli *cli, const char *path) {
    if (!cli_is_local(cli)) return describe_there(cli, path);
    struct facts facts = {.path = path, .statistics = {.size = sizeof facts.statistics}};
    struct weir_error error = {0};
    struct weir_node *node = NULL;

    int code = work_begin(cli, &error);
    if (code == WEIR_OK) code = node_open(cli, path, &node, &facts.info, &error);
    if (code == WEIR_OK) code = gather(node, &facts, &error);
    int exit_code = work_end(cli, code, &error);
    if (exit_code == CLI_DONE) {
        int64_t max_rows = cli->output.max_rows; /* a schema is shown whole */
        bool once = cli->once;                   /* and all of it goes to one place */
        cli->output.max_rows = 0;
        cli->once = false;
        exit_code = print(cli, &facts);
        cli->output.max_rows = max_rows;
        cli->once = once;
        if (once && exit_code == CLI_DONE && place_done(cli, &error) != WEIR_OK)
            exit_code = run_failed(cli, 0, &error, NULL, 0);
    }
    reset(&facts);
    weir_node_close(node);
    return exit_code;
}

int command_describe(struct cli *cli) {
    return describe_node(cli, cli->arguments->paths[0]);
}
