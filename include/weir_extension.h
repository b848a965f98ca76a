/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weir_extension.h: what a kind of table says, and how its rows are had.
 *
 * A kind never runs queries. Asked for a table, it answers with a *form*, and the engine takes the
 * best physical route:
 *
 *   WEIR_FORM_FILES   a list of files of one format. The engine scans them itself.
 *   WEIR_FORM_SQL     a query over other tables. The engine plans it inline, as a view.
 *   WEIR_FORM_REMOTE  a dialect and "run this statement". The engine pushes whole sub-plans as SQL.
 *   WEIR_FORM_STREAM  partitions, each an Arrow stream, from the kind's own `scan`.
 *   WEIR_FORM_UNION   several of the above, one after another, by column name.
 *
 * The least that a STREAM kind writes is `open`, `close`, `form` and `scan`:
 *
 *     static const struct weir_table_kind counter = {
 *         .size = sizeof counter, .name = "counter", .options = counter_options, .n_options = 1,
 *         .open = counter_open, .close = counter_close, .form = counter_form, .scan = counter_scan,
 *     };
 *     weir_register_kind(workspace, &counter, &error);
 *     -- CREATE TABLE t USING counter OPTIONS (rows 1000)
 *
 * Life of a table: `open` once per definition; then `form`, `statistics`, `classify`, `scan`,
 * `insert` from any thread, at the same time; `close` when the definition is dropped and nothing
 * reads it any more. All slots may block: the engine calls them on threads of their own. They must
 * not call weir.h. A slot left NULL has the default behaviour given at its declaration. The
 * conventions of weir.h hold: outputs are touched only on success, errors are the caller's.
 */
#ifndef WEIR_EXTENSION_H
#define WEIR_EXTENSION_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a version's text, its NUL included. */
enum { WEIR_VERSION_SIZE = 80 };

/* ---- What a table is made from ---- */

/* A definition: all that is needed to make the table again, here or in another process. */
struct weir_definition {
    size_t size;
    const char *catalog;
    const char *schema;
    const char *name;
    const char *kind; /* the `name` of the kind, and the same pointer: by it one that has several
                         kinds of the same functions tells which this is */
    const struct weir_option *options; /* checked: every key is known and given once */
    size_t n_options;
    const struct ArrowSchema *columns; /* declared columns, or NULL when none were declared */
};

enum weir_option_type {
    WEIR_OPTION_TEXT = 0,
    WEIR_OPTION_INTEGER = 1, /* decimal, 64 bit */
    WEIR_OPTION_BOOLEAN = 2, /* true or false */
    WEIR_OPTION_PREFIX = 3   /* any key that begins with this name, for example "format."; with the
                                name "", every key. It keeps its case */
};

struct weir_option_spec {
    const char *name; /* compared without case; an option is the first one's that fits */
    int32_t type;     /* enum weir_option_type; checked before `open` */
    int32_t required;
    const char *summary; /* one line for the documentation */
};

/* ---- Filters ---- */

enum weir_operator {
    WEIR_OPERATOR_NONE = 0, /* only the SQL text is given */
    WEIR_OPERATOR_EQ = 1,
    WEIR_OPERATOR_NE = 2,
    WEIR_OPERATOR_LT = 3,
    WEIR_OPERATOR_LE = 4,
    WEIR_OPERATOR_GT = 5,
    WEIR_OPERATOR_GE = 6,
    WEIR_OPERATOR_IS_NULL = 7,
    WEIR_OPERATOR_IS_NOT_NULL = 8
};

/* One conjunct of the WHERE: `column operator value`, or, where it does not have that shape, text
 * only. */
struct weir_filter {
    const char *column;             /* NULL with WEIR_OPERATOR_NONE */
    int32_t op;                     /* enum weir_operator */
    const struct ArrowSchema *type; /* of value; NULL without one */
    const struct ArrowArray *value; /* one row of the column's type; NULL without one */
    const char *sql;                /* the whole conjunct as SQL text */
};

enum weir_filter_support {
    WEIR_FILTER_NO = 0,      /* not used; the engine filters */
    WEIR_FILTER_INEXACT = 1, /* drops some of the rows that fail; the engine filters again */
    WEIR_FILTER_EXACT = 2    /* drops all of them and nothing else */
};

/* ---- Scans ---- */

struct weir_scan_request {
    size_t size;
    int32_t all_columns; /* 1: every column, `columns` is not read; 0: exactly `columns`, which may
                            be none */
    const int32_t *columns; /* indices into the form's schema, in the order of the result */
    size_t n_columns;
    const struct weir_filter *filters; /* those classified as inexact or exact; all must hold */
    size_t n_filters;
    int64_t limit; /* at most this many rows are needed from the whole scan; -1: all */
};

/*
 * A planned scan. `open` is called at most once per partition, from any thread, and gives a stream
 * of exactly the asked columns. `cancel` (may be NULL) may be called from another thread while a
 * get_next is under way, when the reader went away; it should make that get_next return soon.
 * `release` comes after every opened stream was released.
 */
struct weir_scan {
    int32_t n_partitions; /* 0: no rows */
    int (*open)(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                struct weir_error *error);
    void (*cancel)(struct weir_scan *scan);
    void (*release)(struct weir_scan *scan);
    void *private_data;
};

enum weir_unit { WEIR_UNIT_COUNT = 0, WEIR_UNIT_BYTES = 1, WEIR_UNIT_NANOSECONDS = 2 };

/* Takes one figure: "python_time", WEIR_UNIT_NANOSECONDS, 1200. */
typedef void (*weir_figure_fn)(void *sink, const char *name, int32_t unit, int64_t value);

/* What is known of a table's rows. Unknown is -1, and an absent array. */
struct weir_statistics {
    size_t size;
    int64_t n_rows;
    int64_t n_bytes;
    int32_t exact;                   /* 1 when n_rows, null_counts and bounds are exact */
    const int64_t *null_counts;      /* one per column, -1 unknown; NULL: all unknown */
    const struct ArrowArray *bounds; /* a struct of the form's schema with two rows, minima and
                                        maxima; a NULL value is unknown; NULL: all unknown */
    void (*release)(struct weir_statistics *statistics);
    void *private_data;
};

enum weir_insert_mode {
    WEIR_INSERT_APPEND = 0,
    WEIR_INSERT_OVERWRITE = 1 /* the new rows replace all old ones, at once */
};

/* ---- Forms ---- */

enum weir_form_type {
    WEIR_FORM_FILES = 1,
    WEIR_FORM_SQL = 2,
    WEIR_FORM_REMOTE = 3,
    WEIR_FORM_STREAM = 4,
    WEIR_FORM_UNION = 5
};

struct weir_file {
    const char *url;                     /* file:///..., s3://... */
    int64_t n_bytes;                     /* -1: unknown, the engine asks the store */
    int64_t modified_ns;                 /* nanoseconds since 1970; 0: unknown */
    const char *etag;                    /* NULL: unknown */
    const char *const *partition_values; /* one text per partition column; a NULL entry is NULL */
    const uint64_t *deleted_rows; /* ascending row positions that are not there; NULL: none */
    size_t n_deleted_rows;
};

struct weir_files {
    const char *format;      /* "parquet", "csv", "json", "arrow", "avro" */
    const char *compression; /* of a text format: "gzip", "zstd", "bzip2", "xz"; NULL: none */
    const struct weir_file *files;
    size_t n_files;
    const struct ArrowSchema *partition_columns; /* a struct, after the files' own; NULL: none */
    const struct weir_option *options; /* the engine's, for example {"format.delimiter", ";"} */
    size_t n_options;
    const char *order_by; /* SQL sort terms that hold within each file, for example "a ASC, b DESC";
                             NULL: unknown */
    const char *write_url; /* where INSERT writes: a file, or a directory/; NULL: read only */
};

struct weir_sql {
    const char *query;
    const char *catalog; /* where unqualified names are looked up; NULL: the session's */
    const char *schema;
    const char *source; /* the file that holds the query as its whole text: errors name it with line
                           and column; NULL: none */
    const struct weir_option *inputs; /* names that the query may use, and the tables or paths that
                                         they stand for: {"flights", "../raw/x.parquet"} */
    size_t n_inputs;
    const struct weir_option *parameters; /* what $name stands for, as an SQL literal: {"carrier",
                                             "'UA'"} */
    size_t n_parameters;
};

/*
 * Statements for the database of `table`, an instance, each of which gives one partition of the
 * scan. Nothing runs before its partition is opened. Several see one state of the database. The
 * rows have the columns of `schema` by position, in types that the engine casts to those of
 * `schema`. The scan's `cancel` ends what runs in the database.
 */
typedef int (*weir_execute_fn)(void *table, const char *const *statements, size_t n_statements,
                               const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                               struct weir_error *error);

/*
 * One statement, whose rows come in `n_parts` streams that are read at the same time: each row in
 * exactly one, in no order. Otherwise as weir_execute_fn.
 */
typedef int (*weir_execute_parts_fn)(void *table, const char *statement, int32_t n_parts,
                                     const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                                     struct weir_error *error);

/* Runs one statement that changes rows: all of them or none. `ret_n_rows` is the database's count,
 * -1 when it gives none. */
typedef int (*weir_change_fn)(void *table, const char *statement, int64_t *ret_n_rows,
                              struct weir_error *error);

struct weir_remote {
    const char *dialect; /* "postgresql", "sqlite", "duckdb", "mysql", "generic" */
    const char *backend; /* the same text: one database, where the tables may be joined. Shown by
                            EXPLAIN */
    const char *table;   /* what follows FROM: a name quoted for the dialect, or a query in
                            parentheses */
    /* Per column of the schema the expression that reads it, whose equality is that of the values
     * that it gives; an entry of NULL, or NULL: the column of that name. */
    const char *const *columns;
    /* Conditions, each of which holds for a part of the rows, and for each row exactly one: how the
     * table is read by several connections. NULL: by one. */
    const char *const *partitions;
    size_t n_partitions;
    weir_execute_fn execute;
    weir_change_fn change; /* NULL: rows cannot be updated or deleted */
};

/*
 * The answer of `form`. What it points to belongs to it and is freed by `release`, which the engine
 * calls once, after the last use (NULL: there is nothing to free). `schema` (a struct) is required
 * for STREAM and REMOTE. For FILES it is the files' own columns without the partition columns; when
 * `schema.release` is NULL the engine infers it, as the union by name of all files. For SQL it is
 * ignored.
 */
struct weir_form {
    int32_t type; /* enum weir_form_type */
    struct ArrowSchema schema;
    struct weir_files files;
    struct weir_sql sql;
    struct weir_remote remote;
    struct weir_form **parts; /* of a UNION */
    size_t n_parts;
    void (*release)(struct weir_form *form);
    void *private_data;
};

/* ---- Kinds ---- */

/*
 * What else a kind is asked for, so that no one outside has to name it: the kind of CREATE VIEW, of
 * CREATE TABLE without USING, of CREATE EXTERNAL TABLE, and of a quoted path that is not a table's
 * name.
 */
enum weir_kind_role {
    WEIR_ROLE_VIEW = 1,     /* gets the option "query" */
    WEIR_ROLE_TABLE = 2,    /* gets columns, and its rows by `insert` */
    WEIR_ROLE_EXTERNAL = 4, /* gets "location", "format", "compression", "partition_by", "order_by",
                               and the statement's own options as "format.*" */
    WEIR_ROLE_PATH = 8,     /* gets the option "path" */
    /* No role, but how its rows come: a stream of it never waits for anything, so that it is read
     * where its rows are wanted, without a thread and a queue between. */
    WEIR_READS_AT_ONCE = 16,
    /* Nor is this: whatever its source does, `open` and get_next of its scans return soon after
     * `cancel`, and its other slots after the end of the call that they serve, on any thread. So
     * who wants its rows may wait for them itself. */
    WEIR_ENDS_AT_ONCE = 32
};

struct weir_table_kind {
    size_t size;
    const char *name;    /* lower case */
    const char *summary; /* one line for the documentation */
    uint32_t roles;      /* of enum weir_kind_role; the last one registered for a role serves it */
    const struct weir_option_spec *options;
    size_t n_options;

    /* Required. Checks a definition and makes an instance. A missing file or unreachable host is an
     * error here. */
    int (*open)(const struct weir_definition *definition, void **ret_table,
                struct weir_error *error);
    /* Required. */
    void (*close)(void *table);
    /* Required. Called once per planned query that mentions the table: lists afresh what may have
     * changed. */
    int (*form)(void *table, struct weir_form *ret_form, struct weir_error *error);
    /* Default: nothing is known. */
    int (*statistics)(void *table, struct weir_statistics *ret_statistics,
                      struct weir_error *error);
    /* Fills one answer of enum weir_filter_support per filter. Default: WEIR_FILTER_NO for each. */
    int (*classify)(void *table, const struct weir_filter *filters, size_t n_filters,
                    int32_t *ret_support, struct weir_error *error);
    /* Required for STREAM. */
    int (*scan)(void *table, const struct weir_scan_request *request, struct weir_scan *ret_scan,
                struct weir_error *error);
    /*
     * Takes rows of the form's schema, all or none: when the stream fails, the table is as before.
     * Always takes over `rows`. Default: the table is read only.
     */
    int (*insert)(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                  struct weir_error *error);
    /* The definition is dropped for good (not merely closed): frees what lies outside. Default:
     * nothing. */
    int (*drop)(void *table, struct weir_error *error);
    /*
     * Writes a text that is another one whenever the rows may be others, in this process or any
     * later one; an empty one when that is not known. Asked for STREAM and REMOTE only: the version
     * of FILES is that of the files (give each an etag), of SQL that of its text and inputs.
     * Default: not known, so that what is made of the rows is never kept.
     */
    int (*version)(void *table, char ret_version[WEIR_VERSION_SIZE], struct weir_error *error);
    /* REFRESH TABLE: what is kept of the table is fetched again, or forgotten. Default: nothing is
     * kept. */
    int (*refresh)(void *table, struct weir_error *error);
    /* Hands over what reading a partition of `scan` has cost, for EXPLAIN ANALYZE, which counts
     * rows itself. Called when its stream was read, before that is released. Default: nothing. */
    void (*metrics)(void *table, struct weir_scan *scan, int32_t partition, weir_figure_fn take,
                    void *sink);
    /*
     * Of REMOTE: how many streams it is worth to ask `execute_parts` for, where all rows of the
     * table, or those of a condition, are read in any order and the form has no `partitions`.
     * Default: 1, for which `execute` is called.
     */
    int32_t (*parts)(void *table);
    weir_execute_parts_fn execute_parts; /* needed with `parts` */
    /*
     * A thread that reads a partition batch after batch says so (`is_held` 1), and that it will
     * wait for something else than the stream (`is_held` 0). In between, a kind may keep from one
     * get_next to the next what it would take and give for each of them, as the turn of this thread
     * among others. Called by that thread; the stream's release ends it too. Default: nothing is
     * kept.
     */
    void (*hold)(void *table, struct weir_scan *scan, int32_t partition, int is_held);
};

/* ---- Mounts ---- */

/*
 * A kind of mount puts a whole source under one name at the top of the tree: a directory, a
 * database. It has no tables of its own: for a path it says which kind of table stands there, with
 * which options.
 *
 * Paths are those within the mount: components separated by '/', none of them empty, "." or "..",
 * no slash at either end; "" is the mount itself. They are not trusted to stay inside when the
 * source has links of its own: that is the mount's to see to.
 */
enum weir_entry_type {
    WEIR_ENTRY_DIRECTORY = 1,
    WEIR_ENTRY_FILE = 2, /* has bytes of its own */
    WEIR_ENTRY_TABLE = 3 /* has rows only */
};

/* One name of a directory. */
struct weir_entry {
    size_t size;
    int32_t type;      /* enum weir_entry_type */
    const char *name;  /* a file's with its extension */
    const char *table; /* the name by which it is a table, usually without extension; NULL: none */
    int64_t n_bytes;   /* -1: unknown */
    int64_t modified_ns; /* nanoseconds since 1970; 0: unknown */
    int32_t is_link;     /* 1: leads elsewhere in the source. Who walks a tree does not follow it */
};

/* Takes one entry; a code other than 0 ends the listing with it. */
typedef int (*weir_entry_fn)(void *sink, const struct weir_entry *entry, struct weir_error *error);

/* What stands at a path. What it points to is freed by `release`. */
struct weir_found {
    size_t size;
    struct weir_entry entry;
    const char *path;  /* as listings spell it: "logs/x.parquet" for the table "logs/x" */
    int32_t is_exact;  /* 1: `path` is the one that was asked for */
    int32_t is_series; /* 1: several files are read as this one table */
    const char *kind;  /* of the table there, with its options; NULL: it is none */
    const struct weir_option *options;
    size_t n_options;
    void (*release)(struct weir_found *found);
    void *private_data;
};

/* Reads of a file's bytes at any place, from any thread. They are those of one version: when the
 * file is replaced, those of the old one or an error. */
struct weir_reader {
    int64_t n_bytes;
    int64_t modified_ns;
    char version[WEIR_VERSION_SIZE]; /* empty: unknown */
    /* Less than `length` at the file's end only. */
    int (*read_at)(struct weir_reader *reader, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error);
    void (*release)(struct weir_reader *reader);
    void *private_data;
};

/* Writes a file that is not there before `commit`. `release` without it leaves nothing. */
struct weir_writer {
    int (*write)(struct weir_writer *writer, const void *data, size_t length,
                 struct weir_error *error);
    int (*commit)(struct weir_writer *writer, struct weir_error *error);
    void (*release)(struct weir_writer *writer);
    void *private_data;
};

struct weir_mount_kind {
    size_t size;
    const char *name;           /* lower case */
    const char *summary;        /* one line for the documentation */
    const char *default_schema; /* the schema that is no part of paths: `/m/t` is m.<this>.t */
    const struct weir_option_spec *options; /* "url" is what ATTACH names */
    size_t n_options;

    /* Required. The definition's name is the mount's; its schema, columns and kind mean nothing. */
    int (*open)(const struct weir_definition *definition, void **ret_mount,
                struct weir_error *error);
    /* Required. */
    void (*close)(void *mount);
    /* Required. The names of a directory, in any order; hidden ones left out. WEIR_NOT_FOUND. */
    int (*list)(void *mount, const char *path, weir_entry_fn take, void *sink,
                struct weir_error *error);
    /*
     * Required. What stands at a path, which may leave out a table's extension, and may be a
     * pattern where the source has such. WEIR_NOT_FOUND, with a message that says where it looked;
     * WEIR_INVALID_ARGUMENT when several could be meant.
     */
    int (*find)(void *mount, const char *path, struct weir_found *ret_found,
                struct weir_error *error);
    /* The bytes of a file. Default: there are no files. */
    int (*read)(void *mount, const char *path, struct weir_reader *ret_reader,
                struct weir_error *error);
    /* Changes of the tree. Default: the mount is read only. Without `overwrite` a file that is
     * there is WEIR_ALREADY_EXISTS, at the latest at commit. */
    int (*write)(void *mount, const char *path, int overwrite, struct weir_writer *ret_writer,
                 struct weir_error *error);
    int (*make_directory)(void *mount, const char *path, struct weir_error *error);
    /* `recursive`: a directory with all that is in it, else an empty one. */
    int (*remove)(void *mount, const char *path, int recursive, struct weir_error *error);
    /* Within the mount; replaces a file that is there, in one step. */
    int (*rename)(void *mount, const char *from, const char *to, struct weir_error *error);
    /*
     * CREATE TABLE at a path, with `rows` (NULL: none) in it: all or nothing. `replace`: in place
     * of a table that is there, else that is WEIR_ALREADY_EXISTS. Always takes over `rows`. DROP
     * TABLE is `remove`, CREATE SCHEMA `make_directory`. Default: tables are not made here.
     */
    int (*create_table)(void *mount, const char *path, const struct ArrowSchema *columns,
                        int replace, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                        struct weir_error *error);
    /* REFRESH of the mount or of a path in it: names and columns that were remembered are
     * forgotten. Default: nothing is. */
    int (*refresh)(void *mount, const char *path, struct weir_error *error);
};

/* ---- Functions ---- */

enum weir_volatility {
    WEIR_IMMUTABLE = 0, /* the same values give the same result: computed once for constants */
    WEIR_STABLE = 1,    /* the same within one statement */
    WEIR_VOLATILE = 2   /* called for each row, whatever the values are */
};

/*
 * A function of the values of a row: `SELECT name(a, b)`.
 *
 * Arrays that a function gets are the engine's, only for the call: a struct, whose own offset is 0
 * and which holds no NULL, with a child for each argument, which may be a slice (mind its `offset`)
 * and hold NULL, which is the function's to deal with. It is called for no fewer rows than are
 * asked for, and may be for more. What it answers is checked before use: an error that names the
 * function, WEIR_INVALID_DATA, where length, buffers or offsets are not those of the type. How much
 * memory a buffer has cannot be checked.
 *
 * All slots run on any thread, several at the same time, and may block; they must not call weir.h.
 * A call that is under way is not interrupted; one that works long for one batch delays a cancel.
 */
struct weir_scalar_function {
    size_t size;
    const char *name;    /* lower case, as a kind's; not one that is there */
    const char *summary; /* one line for the documentation */
    int32_t volatility;  /* enum weir_volatility */
    /*
     * Required. Runs whenever a statement is planned, perhaps several times. `arguments` is a
     * struct with a field for each argument, as it stands there; `ret_arguments` the struct of the
     * types that the function wants, to which the engine casts: left as it is, those that it was
     * given. Asked for these it must want them again. `ret_result` is the type of the result.
     * WEIR_INVALID_ARGUMENT with a message where it takes no such number or types.
     */
    int (*bind)(void *private_data, const struct ArrowSchema *arguments,
                struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_result,
                struct weir_error *error);
    /* Required. `columns` are of `arguments`, the types that bind wanted, and have one row at
     * least; the result has as many. Without arguments only columns->length counts. */
    int (*call)(void *private_data, const struct ArrowSchema *arguments,
                const struct ArrowArray *columns, struct ArrowArray *ret_result,
                struct weir_error *error);
    void *private_data;
};

/*
 * A function of many rows: `SELECT name(a) ... GROUP BY b`. It has one argument at least.
 *
 * An *accumulator* has a state for each of its groups, numbered from 0, and is used by one thread
 * at a time. It is told how many groups there are, `n_groups`, with each update and merge: that
 * never gets less but by `take`, and groups that are new have the state of no rows, also when no
 * row names them. Each row has its group. Large input is split: each part has an accumulator, whose
 * states are taken, perhaps written to disk, and merged into others in any order.
 *
 * In windows it serves frames that begin with the partition's first row. ORDER BY within the call
 * is refused, and DISTINCT unless the engine can group by the argument first.
 */
struct weir_aggregate_function {
    size_t size;
    const char *name;
    const char *summary;
    int32_t volatility; /* enum weir_volatility */
    /* Required. As a scalar function's; `ret_state` is a struct, whose columns, one at least, are
     * the state of a group. */
    int (*bind)(void *private_data, const struct ArrowSchema *arguments,
                struct ArrowSchema *ret_arguments, struct ArrowSchema *ret_state,
                struct ArrowSchema *ret_result, struct weir_error *error);
    /* Required. An accumulator of no groups, for `arguments` that bind wanted. */
    int (*open)(void *private_data, const struct ArrowSchema *arguments, void **ret_accumulator,
                struct weir_error *error);
    /* Required. */
    void (*close)(void *accumulator);
    /* Required. `columns` may have no rows. After a failure of this, merge or take only `close`
     * comes. */
    int (*update)(void *accumulator, const struct ArrowArray *columns, const int64_t *groups,
                  int64_t n_groups, struct weir_error *error);
    /* Required. The rows of `states` are such as take gave, also of other accumulators. */
    int (*merge)(void *accumulator, const struct ArrowArray *states, const int64_t *groups,
                 int64_t n_groups, struct weir_error *error);
    /* Required. A row for each of the first `n_groups`, one at least: its state or, not `is_state`,
     * its result. They are forgotten, and the groups behind them numbered from 0 on. */
    int (*take)(void *accumulator, int64_t n_groups, int is_state, struct ArrowArray *ret_rows,
                struct weir_error *error);
    /* The memory that it holds, by which the engine decides when to write states to disk. Default:
     * not known, counted as 0. */
    int64_t (*n_bytes)(void *accumulator);
    void *private_data;
};

/* ---- Encodings of files ---- */

/*
 * A way in which rows are written down in a file: what `FROM 'x.points'`, CREATE TABLE ... USING
 * files and mounts read, and COPY TO writes. Which files there are, where they lie and what is
 * replaced is weir's to see to; an encoding sees one file at a time.
 *
 * Slots run on any thread, several at the same time, and may block; they must not call weir.h.
 * Schemas and batches that an encoding gives are checked before use.
 */
struct weir_encoding {
    size_t size;
    const char *name;    /* lower case, as a kind's: the option `format`, COPY's FORMAT, and, with
                            `suffixes`, the extension of names, "points" of "x.points" */
    const char *summary; /* one line for the documentation */
    const char *const *suffixes; /* other extensions, lower case, without the dot, ended by NULL;
                                    NULL: none. None that is taken */
    const struct weir_option_spec *options; /* given as format.KEY; without WEIR_OPTION_PREFIX */
    size_t n_options;
    /*
     * Required. The rows of a file as a stream, whose get_schema reads no more than it needs: it is
     * all that is asked for when a statement is planned. `file` is read by one thread at a time
     * and stays as it is until the stream is released; it is weir's to release. A file that is cut
     * or damaged is WEIR_INVALID_DATA here, or EINVAL of the stream with a text.
     */
    int (*read)(void *private_data, struct weir_reader *file, const struct weir_option *options,
                size_t n_options, struct ArrowArrayStream *ret_rows, struct weir_error *error);
    /*
     * Writes all of `rows`, which it always takes over, by `write` in order; without rows a file of
     * the schema. What `write` answers other than 0 ends it, with WEIR_IO, as a failure of `rows`
     * does: what was written is forgotten then. Default: the encoding is read only.
     */
    int (*write)(void *private_data, struct ArrowArrayStream *rows,
                 const struct weir_option *options, size_t n_options, weir_write_fn write,
                 void *sink, struct weir_error *error);
    void *private_data;
};

/* ---- Extensions ---- */

/*
 * An extension is a shared library that adds kinds, functions and encodings to the workspaces that
 * load it, by LOAD 'name or path' (key value, ...) or by `extensions:` in the configuration. It is
 * compiled against this header, links to nothing of weir, and exports one function:
 *
 *     WEIR_EXPORT int weir_extension_init(const struct weir_host *host,
 *                                         struct weir_extension *ret_extension,
 *                                         struct weir_error *error) {
 *         *ret_extension = (struct weir_extension){
 *             .size = sizeof *ret_extension, .abi = WEIR_EXTENSION_ABI,
 *             .name = "counter", .version = "1.0",
 *         };
 *         return host->register_kind(host->context, &counter, error);
 *     }
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o counter.so counter.c
 *     weir sql "LOAD './counter.so'; SELECT * FROM counter(rows => 3)"
 *
 * Old and new: a library that was compiled against an older header works for ever. Structures that
 * begin with `size` grow at their end only, and all others never change. A library compiled
 * against a newer header asks WEIR_HOST_HAS before it uses a member of the host that this version
 * may not have; an `abi` above the host's, or a member set that the host does not know, is refused.
 *
 * Life: weir_extension_init is called once for each workspace that loads the library, and `close`
 * once for each success, when no table, mount, scan or stream of the workspace's is left. What was
 * registered must live until then. The library itself is never unloaded.
 */
#define WEIR_EXTENSION_ABI 1

/* Whether the host, a structure of weir's version, has a member that this header knows of. */
#define WEIR_HOST_HAS(host, member)                                                                \
    ((host)->size >= offsetof(struct weir_host, member) + sizeof((host)->member))

/*
 * Answers whether there is a table kind of a name, for a family of kinds whose names are not known
 * beforehand. WEIR_NOT_FOUND: none; another code is an error with a message. The kind's name is the
 * one that was asked for. It is asked once for each name that is found, from any thread, also for
 * names that users mistype, and on behalf of users who may not use the kind: it finds out no more
 * than whether there is one. Making a table comes later, by the kind's `open`.
 */
typedef int (*weir_find_kind_fn)(void *finder, const char *name,
                                 const struct weir_table_kind **ret_kind, struct weir_error *error);

/* The host's own, from `watch` to `unwatch`. */
struct weir_watch {
    void *room[8];
};

/*
 * What an extension may ask of weir: from weir_extension_init on until it fails or `close` returns,
 * from any thread. What is registered by weir_extension_init is there once it has succeeded, later
 * ones at once. The registering functions answer WEIR_ALREADY_EXISTS for a name that is taken,
 * WEIR_INVALID_ARGUMENT for a structure that lacks something, and keep nothing on failure.
 */
struct weir_host {
    size_t size;
    uint32_t abi;      /* WEIR_EXTENSION_ABI of weir */
    void *context;     /* the first argument of what follows */
    const char *state; /* directory of the workspace's state; NULL: it is kept in memory only */
    const struct weir_option *options; /* of LOAD or `extensions:`, each key once, in any case; the
                                          extension checks them */
    size_t n_options;
    int (*register_kind)(void *context, const struct weir_table_kind *kind,
                         struct weir_error *error);
    int (*register_mount_kind)(void *context, const struct weir_mount_kind *kind,
                               struct weir_error *error);
    /* Asked for kinds that nobody registered, one finder after another. */
    int (*register_finder)(void *context, weir_find_kind_fn find, void *finder,
                           struct weir_error *error);
    /* Functions are called by all who may use the workspace. A name is WEIR_ALREADY_EXISTS also
     * when it is one of the engine's own functions or of their other names. */
    int (*register_scalar_function)(void *context, const struct weir_scalar_function *function,
                                    struct weir_error *error);
    int (*register_aggregate_function)(void *context,
                                       const struct weir_aggregate_function *function,
                                       struct weir_error *error);
    /*
     * How a slot that waits learns that nobody wants its answer any more: the statement was
     * cancelled or killed, its client went away. Called by the thread that runs the slot; before
     * the slot returns, or waits in another way, the same thread calls `unwatch`. Between the two
     * `stop` runs once at most, on any thread, at once when it had come to that before. It must not
     * wait. Answers 1, or 0 when there is nothing to hear of, as on threads that read a stream,
     * whose scan's `cancel` is called: then `unwatch` does nothing. The slot then ends as soon as
     * it can with WEIR_CANCELLED. Both hold for all workspaces and for ever.
     */
    int (*watch)(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped);
    void (*unwatch)(struct weir_watch *watch);
    /* WEIR_ALREADY_EXISTS also for a name or suffix of weir's own formats and compressions. */
    int (*register_encoding)(void *context, const struct weir_encoding *encoding,
                             struct weir_error *error);
};

/* What an extension says of itself. Texts live as long as the extension. */
struct weir_extension {
    size_t size;  /* sizeof(struct weir_extension) and WEIR_EXTENSION_ABI as the extension was */
    uint32_t abi; /* compiled with */
    const char *name;                  /* lower case, as a kind's */
    const char *version;               /* "1.0" */
    const char *summary;               /* one line; NULL: none */
    void (*close)(void *private_data); /* NULL: nothing to free */
    void *private_data;
};

/*
 * What the library defines. An option that it does not know is WEIR_INVALID_ARGUMENT. On failure
 * what it registered is forgotten and `close` is not called.
 */
WEIR_EXPORT int weir_extension_init(const struct weir_host *host,
                                    struct weir_extension *ret_extension, struct weir_error *error);

#ifdef __cplusplus
}
#endif

#endif /* WEIR_EXTENSION_H */
