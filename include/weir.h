/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weir.h: SQL over tables wherever they live, for C11 and C++.
 *
 * A workspace holds an engine, a catalog of tables and the kinds of table it knows. A session is
 * one conversation with it. A statement is one SQL text that was planned; executing it gives an
 * Arrow stream.
 *
 *     struct weir_error error = {0};
 *     struct weir_workspace *workspace = NULL;
 *     struct weir_session *session = NULL;
 *     struct ArrowArrayStream rows = {0};
 *     if (weir_workspace_open(NULL, &workspace, &error) == WEIR_OK &&
 *         weir_session_open(workspace, NULL, &session, &error) == WEIR_OK &&
 *         weir_query(session, "SELECT count(*) FROM 'x.csv'", &rows, NULL, &error) == WEIR_OK) {
 *         ... rows.get_next(&rows, &batch) ...
 *         rows.release(&rows);
 *     } else {
 *         fprintf(stderr, "%s\n", error.message);
 *     }
 *     weir_session_close(session);
 *     weir_workspace_close(workspace);
 *
 * Conventions, stated once:
 *
 * - A function that can fail returns WEIR_OK (0) or one of the WEIR_* codes and takes a
 *   `struct weir_error *` last; NULL is welcome there. The error belongs to the caller and needs
 *   no release.
 * - Outputs are named `ret_*`. They are written only on success; on failure they are untouched.
 * - A `const` pointer is read during the call and not kept. Strings are UTF-8 and end in NUL.
 * - Ownership moves only on success. Moving an Arrow structure sets the source's `release` to
 *   NULL. On failure the caller still owns what it passed.
 * - `close` and `free` accept NULL.
 * - A structure whose first member is `size` must have it set to `sizeof` of that structure.
 *   Members are only ever appended; a caller compiled against an older header keeps working. Zero
 *   always means "the default".
 *
 * Threads: a workspace may be used from any thread. A session and its statements are used by one
 * thread at a time, except weir_statement_cancel, weir_statement_progress and
 * weir_statement_metrics, which any thread may call while the statement is not closed. Close
 * sessions before their workspace, statements before their session; a result stream may outlive its
 * statement and its session, but not the workspace. Call nothing here from inside a callback that
 * the engine runs (a table kind's scan): it answers WEIR_INVALID_STATE rather than deadlock.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEIR_EXPORT __attribute__((visibility("default")))
#else
#define WEIR_EXPORT
#endif

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

/* ---- Arrow's C data and C stream interfaces, as arrow.apache.org gives them ---- */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* ---- Errors ---- */

/* The categories of ADBC 1.1 (AdbcStatusCode), with its numbers. */
enum weir_code {
    WEIR_OK = 0,
    WEIR_UNKNOWN = 1,
    WEIR_NOT_IMPLEMENTED = 2,
    WEIR_NOT_FOUND = 3,
    WEIR_ALREADY_EXISTS = 4,
    WEIR_INVALID_ARGUMENT = 5,
    WEIR_INVALID_STATE = 6,
    WEIR_INVALID_DATA = 7,
    WEIR_INTEGRITY = 8,
    WEIR_INTERNAL = 9,
    WEIR_IO = 10,
    WEIR_CANCELLED = 11,
    WEIR_TIMEOUT = 12,
    WEIR_UNAUTHENTICATED = 13,
    WEIR_UNAUTHORIZED = 14
};

/*
 * One error, on the caller's stack. A message longer than the buffer is cut at a character's
 * border. SQLSTATE is that of PostgreSQL 17, appendix A: "42601" syntax, "42P01" no such table,
 * "42703" no such column, "22000" data, "53200" out of memory, "57014" cancelled, "58P01" no such
 * file, "XX000" internal.
 */
struct weir_error {
    int32_t code;        /* enum weir_code */
    int32_t vendor_code; /* errno or a backend's own number; 0 when there is none */
    int64_t position;    /* 1-based byte offset into the statement's text; 0 when unknown */
    char sqlstate[8];    /* five characters and a NUL */
    char message[4072];
};

/*
 * What a failed result stream left behind: the error of the last get_next that returned non-zero on
 * `stream`, with code, SQLSTATE and position, which the Arrow interface itself cannot carry. Only
 * for streams made by weir.
 */
WEIR_EXPORT int weir_stream_error(struct ArrowArrayStream *stream, struct weir_error *ret_error);

/* "0.1.0" and the engine's version, for example "DataFusion 55.2.0". Static strings. */
WEIR_EXPORT const char *weir_version(void);
WEIR_EXPORT const char *weir_engine_version(void);

/* The name of a code, for example "not found". A static string. */
WEIR_EXPORT const char *weir_code_name(int code);

/* ---- Workspace ---- */

struct weir_workspace;
struct weir_session;
struct weir_statement;

struct weir_option {
    const char *key;
    const char *value;
};

struct weir_workspace_options {
    size_t size;
    const char *path;     /* a directory, whose state is kept in PATH/.weir; NULL: only in memory */
    int64_t memory_limit; /* bytes that query operators may hold; 0: 3/4 of the machine's memory */
    int32_t threads;      /* worker threads; 0: one per core */
    const char *spill_path; /* parent of the spill directory; NULL: PATH/.weir/spill, or the
                               system's temporary directory */
    int64_t spill_limit;    /* bytes that may be spilled; 0: 100 GiB */
    const char *catalog;    /* name of the workspace's own catalog; NULL: "weir" */
    const char *schema;     /* name of its first schema; NULL: "public" */
    const char *config; /* a configuration file; NULL: PATH/weir.yaml if there is one, "": none */
    const struct weir_option *settings; /* keys of the configuration, which win over the file and
                                           the environment: {"spool.max_bytes", "10GiB"}. The
                                           members above win over them */
    size_t n_settings;
    const char *preset; /* what `policy.preset` is where the configuration does not say it: "server"
                           for a program that lets others in; NULL: "embedded" */
};

/* Opens a workspace. Codes: WEIR_IO for an unreadable directory, WEIR_INVALID_ARGUMENT for
 * impossible limits. */
WEIR_EXPORT int weir_workspace_open(const struct weir_workspace_options *options,
                                    struct weir_workspace **ret_workspace,
                                    struct weir_error *error);

/* Waits for running statements to end after cancelling them, then frees everything. Removes the
 * spill directory. */
WEIR_EXPORT void weir_workspace_close(struct weir_workspace *workspace);

/* The value that a key of the configuration has, as text: "127.0.0.1:8080", "1073741824" (bytes),
 * "60000" (milliseconds), "true". *ret_value is NULL when it has none; free with weir_free. Codes:
 * WEIR_NOT_FOUND for what is no key. */
WEIR_EXPORT int weir_workspace_setting(struct weir_workspace *workspace, const char *key,
                                       char **ret_value, struct weir_error *error);

/* ---- Who asks ---- */

/*
 * A principal is who was found to be behind a credential. A program that opens sessions for itself
 * needs none; a server asks for one for each of its clients.
 */
struct weir_principal;

enum weir_credential_type {
    WEIR_CREDENTIAL_NONE = 0,       /* anonymous: where the workspace knows no users at all */
    WEIR_CREDENTIAL_PASSWORD = 1,   /* `user` and `secret` */
    WEIR_CREDENTIAL_API_KEY = 2,    /* `secret` */
    WEIR_CREDENTIAL_TOKEN = 3,      /* `secret`: a JSON web token (RFC 7519) */
    WEIR_CREDENTIAL_CERTIFICATE = 4 /* `user`: the subject (RFC 2253) of a client's certificate that
                                       TLS has verified already */
};

struct weir_credential {
    size_t size;
    int32_t type;
    const char *user;
    const char *secret;
};

/*
 * Codes: WEIR_UNAUTHENTICATED (SQLSTATE 28000), which says the same whether the user is unknown,
 * the secret wrong or the token expired. May take a tenth of a second for a password. Free with
 * weir_principal_free; sessions keep what they need of it.
 */
WEIR_EXPORT int weir_authenticate(struct weir_workspace *workspace,
                                  const struct weir_credential *credential,
                                  struct weir_principal **ret_principal, struct weir_error *error);
WEIR_EXPORT void weir_principal_free(struct weir_principal *principal);
/* The user's name, "anonymous" without one. As long as the principal. */
WEIR_EXPORT const char *weir_principal_name(const struct weir_principal *principal);
/* When its credential ends, in nanoseconds since 1970; 0: never. */
WEIR_EXPORT int64_t weir_principal_expires(const struct weir_principal *principal);
/* 1 when the workspace knows users, keys or an issuer of tokens: an anonymous client is refused. */
WEIR_EXPORT int weir_workspace_authenticates(struct weir_workspace *workspace);

/* ---- Session ---- */

struct weir_session_options {
    size_t size;
    const struct weir_option *settings; /* as by weir_session_set, applied in order */
    size_t n_settings;
    const char *functions; /* NULL or "default"; "spark": Apache Spark's functions take precedence
                              over same-named ones */
    const struct weir_principal *principal; /* NULL: the program itself, which may do everything */
    const char *door; /* through which it came, for system.sessions: "flight", "http"; NULL:
                         "library" */
    const char *peer; /* the client's address, "127.0.0.1:51234"; NULL: none */
};

WEIR_EXPORT int weir_session_open(struct weir_workspace *workspace,
                                  const struct weir_session_options *options,
                                  struct weir_session **ret_session, struct weir_error *error);
WEIR_EXPORT void weir_session_close(struct weir_session *session);

enum { WEIR_ID_SIZE = 33 }; /* 32 hexadecimal digits and a NUL */

/* Its id in system.sessions. */
WEIR_EXPORT void weir_session_id(const struct weir_session *session, char ret_id[WEIR_ID_SIZE]);

/* The current catalog and schema, as USE sets them. Free both with weir_free. */
WEIR_EXPORT int weir_session_names(struct weir_session *session, char **ret_catalog,
                                   char **ret_schema, struct weir_error *error);

/* Sets one setting of this session, as SQL's SET does. Codes: WEIR_NOT_FOUND for an unknown key. */
WEIR_EXPORT int weir_session_set(struct weir_session *session, const char *key, const char *value,
                                 struct weir_error *error);

/*
 * Runs one statement. `ret_rows` gets its rows; a statement without rows gives a stream without
 * columns or batches and is finished when this returns. `ret_affected` (may be NULL) gets the
 * number of rows it changed or wrote, -1 when it is a query. The stream is read by one thread;
 * releasing it early cancels the statement.
 */
WEIR_EXPORT int weir_query(struct weir_session *session, const char *sql,
                           struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                           struct weir_error *error);

/*
 * Finds the next statement in a script: skips blanks, comments and empty statements from `*offset`
 * on, gives the statement's first byte and its length without the semicolon, and moves `*offset`
 * past it. Returns 1 when there is a statement, 0 at the end. `ret_complete` (may be NULL) is 0
 * when the text ended without a semicolon, or inside a quotation or comment: a shell asks for
 * another line.
 */
WEIR_EXPORT int weir_script_next(const char *script, size_t length, size_t *offset,
                                 const char **ret_statement, size_t *ret_length, int *ret_complete);

/* ---- Prepared statements ---- */

/*
 * Plans one statement without running it. Parameters are `$1`, `$2` or `$name`. A statement that
 * changes the catalog (CREATE, DROP) is prepared too, and takes effect at execute.
 */
WEIR_EXPORT int weir_prepare(struct weir_session *session, const char *sql,
                             struct weir_statement **ret_statement, struct weir_error *error);
WEIR_EXPORT void weir_statement_close(struct weir_statement *statement);

/* 1 when executing gives rows, 0 when it changes something and gives a count. */
WEIR_EXPORT int weir_statement_is_query(const struct weir_statement *statement);

/* The schema of the rows, a struct; without columns for a statement that gives none. Nothing is
 * run. */
WEIR_EXPORT int weir_statement_schema(struct weir_statement *statement,
                                      struct ArrowSchema *ret_schema, struct weir_error *error);

/* The parameters as a struct: field names without the `$`, in order of number, then name; type null
 * when it could not be inferred. */
WEIR_EXPORT int weir_statement_parameters(struct weir_statement *statement,
                                          struct ArrowSchema *ret_schema, struct weir_error *error);

/*
 * Gives values to the parameters: a struct of one row. The fields bind by their names if there is
 * one for each parameter, else all of them by position. Values are cast to the inferred types.
 * Takes over `values` on success; `schema` stays the caller's. Binding again replaces. Codes:
 * WEIR_INVALID_ARGUMENT for a wrong number of values or an impossible cast.
 */
WEIR_EXPORT int weir_statement_bind(struct weir_statement *statement,
                                    const struct ArrowSchema *schema, struct ArrowArray *values,
                                    struct weir_error *error);

/* As weir_query. A statement may be executed again when its previous stream was released. */
WEIR_EXPORT int weir_statement_execute(struct weir_statement *statement,
                                       struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                                       struct weir_error *error);

/*
 * For clients that read one result through several streams at the same time. A query whose plan has
 * parts that do not wait for each other (a scan of many files, say) is started once and gives each
 * part its own stream; any other has one part. `ret_parts` gets *ret_n_parts streams, in an array
 * to be freed with weir_free once the streams were moved out of it or released. Rows come in no
 * order across parts; a statement that orders its rows has one.
 */
WEIR_EXPORT int weir_statement_execute_parts(struct weir_statement *statement, int32_t max_parts,
                                             struct ArrowArrayStream **ret_parts,
                                             int32_t *ret_n_parts, struct weir_error *error);

/* Says that an execution is to come: it has its id from now on, and a cancel that comes before
 * weir_statement_execute makes that answer WEIR_CANCELLED. For callers whose users may cancel at
 * any time. Another announcement forgets a cancelled one. */
WEIR_EXPORT int weir_statement_announce(struct weir_statement *statement, struct weir_error *error);

/* The id of the last execution in system.queries, which KILL QUERY takes; "" before the first. */
WEIR_EXPORT void weir_statement_id(struct weir_statement *statement, char ret_id[WEIR_ID_SIZE]);

/* Ends the running execution, from any thread. Its stream answers WEIR_CANCELLED. Without one, the
 * next execute is not affected, unless it was announced. */
WEIR_EXPORT int weir_statement_cancel(struct weir_statement *statement, struct weir_error *error);

struct weir_progress {
    size_t size;
    int64_t rows_read;     /* rows that came out of scans so far */
    int64_t bytes_read;    /* bytes of files read so far */
    int64_t bytes_total;   /* bytes of all files of the plan; 0 when unknown; an upper bound, since
                              pruning reads less */
    int64_t rows_returned; /* rows handed to the reader */
    int64_t bytes_spilled;
    int32_t finished;    /* 1 when the last execution has ended */
    int64_t peak_memory; /* bytes that its operators held at most */
    int64_t store_gets;  /* requests to object stores, each attempt, by kind */
    int64_t store_heads;
    int64_t store_lists;
    int64_t store_puts; /* objects, parts, copies */
    int64_t store_posts;
    int64_t store_deletes;
    int64_t store_retries; /* of all these, those that were sent again */
    int64_t store_bytes_received;
    int64_t store_bytes_sent;
    int64_t cache_hits; /* of what was kept, so that no store was asked */
};

/* Figures of the running, else the last, execution. WEIR_INVALID_STATE before the first. */
WEIR_EXPORT int weir_statement_progress(struct weir_statement *statement,
                                        struct weir_progress *ret_progress,
                                        struct weir_error *error);

/* The operators of the same execution with their metrics, as text like EXPLAIN ANALYZE's. Free with
 * weir_free. */
WEIR_EXPORT int weir_statement_metrics(struct weir_statement *statement, char **ret_text,
                                       struct weir_error *error);

WEIR_EXPORT void weir_free(void *memory);

/* ---- Tables in the process ---- */

enum weir_register_mode {
    WEIR_REGISTER_ROWS = 0,   /* the rows are read now and kept: any number of scans */
    WEIR_REGISTER_ONCE = 1,   /* the first scan reads the stream; a second one is an error */
    WEIR_REGISTER_PRIVATE = 2 /* the same, for this session alone and in no schema: it stands before
                                 every other table of that name until weir_unregister */
};

/*
 * Makes a stream a table of the session's current schema, replacing a registered one of that name.
 * Batches are not copied. Takes over `rows` on success. Codes: WEIR_ALREADY_EXISTS when the name is
 * a table of the catalog.
 */
WEIR_EXPORT int weir_register_stream(struct weir_session *session, const char *name,
                                     struct ArrowArrayStream *rows, int mode,
                                     struct weir_error *error);

/* Takes a private table out again; a statement that was planned with it may still read it. Codes:
 * WEIR_NOT_FOUND. */
WEIR_EXPORT int weir_unregister(struct weir_session *session, const char *name,
                                struct weir_error *error);

/* Makes a file, directory, pattern or URL a table of the session's current schema: CREATE OR
 * REPLACE TABLE with the kind that reads paths. */
WEIR_EXPORT int weir_register_path(struct weir_session *session, const char *name, const char *path,
                                   struct weir_error *error);

struct weir_table_kind;
struct weir_mount_kind;

/* Adds a kind of table (weir_extension.h). The structure and what it points to must live as long as
 * the workspace. */
WEIR_EXPORT int weir_register_kind(struct weir_workspace *workspace,
                                   const struct weir_table_kind *kind, struct weir_error *error);
/* The same for a kind of mount. */
WEIR_EXPORT int weir_register_mount_kind(struct weir_workspace *workspace,
                                         const struct weir_mount_kind *kind,
                                         struct weir_error *error);

/* ---- The tree ---- */

/*
 * Whatever has a path is a node. A structured one has two facets that always agree: a table (rows,
 * schema, statistics) and a file (size, version, ranged reads). The table `lake.logs.x` is the path
 * `/lake/logs/x`; with an extension that names an encoding, `/lake/logs/x.parquet`, it is its
 * bytes. At the top of the tree are the mounts and the workspace's catalogs; an absolute path whose
 * first component is none of them, and every relative one, is a path of this machine. A text
 * without '/' that is not the name of a file here may also be a table's SQL name.
 *
 * A node is what stood there when it was opened. These functions may be called from several threads
 * for one session and one node.
 */
enum weir_node_type {
    WEIR_NODE_DIRECTORY = 1,
    WEIR_NODE_FILE = 2,       /* plain: bytes and no rows */
    WEIR_NODE_STRUCTURED = 3, /* one file that is a table */
    WEIR_NODE_SERIES = 4,     /* many files that are one table: a directory of them or a pattern */
    WEIR_NODE_DERIVED = 5,    /* a table that is only SQL: a view or a .sql file */
    WEIR_NODE_TABLE = 6       /* any other table */
};

struct weir_node;

/* Borrowed from the node. */
struct weir_node_info {
    size_t size;
    int32_t type;     /* enum weir_node_type */
    int32_t is_table; /* 1: it has rows. A directory with structured files is both */
    const char *path; /* absolute and normal: quoted, SQL's name for it too */
    const char
        *catalog; /* SQL's name in parts; NULL for what is no table, or outside of the tree */
    const char *schema;
    const char *name;
    const char *kind;     /* of the table: "files", "derived"; NULL: not a table */
    const char *encoding; /* of its bytes: "parquet", "arrow", "csv", "tsv", "json", "jsonl" as the
                             path's extension asks, else as the file's own name says; NULL: no bytes
                             of a table are meant */
    const char *description; /* of a derived table that has one; NULL */
    int64_t n_bytes;         /* of the file that lies there; -1: none does, or many do */
    int64_t modified_ns;     /* nanoseconds since 1970; 0: unknown */
};

/*
 * Codes: WEIR_NOT_FOUND with a message that says where it looked, WEIR_INVALID_ARGUMENT for a path
 * that leads out of its mount. Opening reads no data and plans nothing.
 */
WEIR_EXPORT int weir_node_open(struct weir_session *session, const char *path,
                               struct weir_node **ret_node, struct weir_error *error);
WEIR_EXPORT void weir_node_close(struct weir_node *node);
WEIR_EXPORT void weir_node_describe(const struct weir_node *node, struct weir_node_info *ret_info);

/* One name of a directory. Strings live during the call only. */
struct weir_node_entry {
    size_t size;
    int32_t type;      /* enum weir_node_type, as far as names tell */
    const char *name;  /* of a file with its extension */
    const char *table; /* the name by which it is a table; NULL: it is none */
    int64_t n_bytes;   /* -1: unknown */
    int64_t modified_ns;
};
typedef int (*weir_node_entry_fn)(void *context, const struct weir_node_entry *entry);

/* Lists a directory by name; "/" is the top of the tree. `take` answers 0, or anything else to
 * stop. Codes: WEIR_INVALID_ARGUMENT for what is no directory. */
WEIR_EXPORT int weir_node_list(const struct weir_node *node, weir_node_entry_fn take, void *context,
                               struct weir_error *error);

/* The columns as a struct. Reads no data: footers, the catalog, or a plan. */
WEIR_EXPORT int weir_node_schema(struct weir_node *node, struct ArrowSchema *ret_schema,
                                 struct weir_error *error);
/* All rows, as `SELECT * FROM "path"` gives them. */
WEIR_EXPORT int weir_node_rows(struct weir_node *node, struct ArrowArrayStream *ret_rows,
                               struct weir_error *error);
/*
 * A text that is another one whenever bytes or rows may be others; NULL when that is not known (a
 * remote table, a view with now() in it). Free with weir_free.
 */
WEIR_EXPORT int weir_node_version(struct weir_node *node, char **ret_version,
                                  struct weir_error *error);

struct weir_node_statistics {
    size_t size;
    int64_t n_rows; /* -1: unknown */
    int32_t rows_exact;
    int64_t n_bytes; /* of the files that are read, or in memory; -1: unknown */
    int32_t bytes_exact;
};

/* What is known without running anything. `ret_columns` (may be NULL) gets a row for each column:
 * name, null_count (int64), min and max (utf8, as displayed), exact (bool); NULL is unknown. */
WEIR_EXPORT int weir_node_statistics(struct weir_node *node,
                                     struct weir_node_statistics *ret_statistics,
                                     struct ArrowArrayStream *ret_columns,
                                     struct weir_error *error);
/* The tables that the rows come from, through all views: name (its path), kind, version (utf8;
 * NULL: unknown). */
WEIR_EXPORT int weir_node_inputs(struct weir_node *node, struct ArrowArrayStream *ret_rows,
                                 struct weir_error *error);

struct weir_file;

struct weir_file_info {
    size_t size;
    int64_t n_bytes;
    int64_t modified_ns;
    const char *version;  /* of the bytes; NULL: unknown */
    const char *encoding; /* NULL: a plain file */
    int32_t is_own;       /* 1: bytes that lie there, 0: encoded from rows into the spool */
};

/*
 * Opens the node's bytes: the file's own where it is one of that encoding, else its rows encoded as
 * `encoding` (NULL: as the node's path asks, which a directory's does not). Encoding happens once
 * for all readers of one version, in this process and others, and before this returns. The bytes
 * stay the same until weir_file_close, whatever becomes of the node. Codes: WEIR_INVALID_ARGUMENT
 * for a directory, an unknown encoding, a plain file asked for in an encoding; WEIR_NOT_IMPLEMENTED
 * when the encoding cannot hold a column's type.
 */
WEIR_EXPORT int weir_file_open(struct weir_node *node, const char *encoding,
                               struct weir_file **ret_file, struct weir_error *error);
WEIR_EXPORT void weir_file_close(struct weir_file *file);
WEIR_EXPORT void weir_file_describe(const struct weir_file *file, struct weir_file_info *ret_info);
/* Reads at any place, from any thread; *ret_length is less than `length` at the end only. */
WEIR_EXPORT int weir_file_read(struct weir_file *file, int64_t offset, void *data, size_t length,
                               size_t *ret_length, struct weir_error *error);
/* Whether weir_file_open would find the bytes at once: 1 and their number, else 0. Runs nothing. */
WEIR_EXPORT int weir_file_is_ready(struct weir_node *node, const char *encoding,
                                   int64_t *ret_n_bytes);

/*
 * Copies a node to a path, whole or not at all: bytes as they are to a name of the same encoding or
 * of none, else rows encoded as the target's extension says. Into a directory under its own name.
 */
WEIR_EXPORT int weir_copy(struct weir_session *session, const char *from, const char *to,
                          int overwrite, struct weir_error *error);
/* Removes a file, a directory (with `recursive` all that is in it), or drops a table. */
WEIR_EXPORT int weir_remove(struct weir_session *session, const char *path, int recursive,
                            struct weir_error *error);
/* Renames within a mount or a schema in one step; from one to another it copies, then removes. */
WEIR_EXPORT int weir_move(struct weir_session *session, const char *from, const char *to,
                          int overwrite, struct weir_error *error);
/* Makes a directory, or a schema of the workspace. `parents`: those above it too, and one that is
 * there is no error. */
WEIR_EXPORT int weir_make_directory(struct weir_session *session, const char *path, int parents,
                                    struct weir_error *error);
/* Ends, from any thread, what is under way for the session now: the functions of this part,
 * weir_prepare, and weir_query with the rows that it gave. They answer WEIR_CANCELLED. What runs of
 * a statement is ended by weir_statement_cancel. */
WEIR_EXPORT void weir_session_interrupt(struct weir_session *session);

/* ---- Object stores ---- */

/*
 * Objects by their URLs: s3://bucket/key (s3a), az://container/key, abfss://container@account/key,
 * gs://bucket/key, http://host/path (to be read), memory:///key. Which options and credentials a
 * URL is reached with is said by CREATE SECRET, `stores:` and mounts, the longest beginning first,
 * and then by the environment. What may be reached is the policy's affair, as for SQL.
 *
 * Threads: any, also several for one session. Codes: WEIR_NOT_FOUND, WEIR_ALREADY_EXISTS,
 * WEIR_INVALID_STATE with SQLSTATE 40001 when another version is there than the etag says,
 * WEIR_UNAUTHENTICATED, WEIR_UNAUTHORIZED, WEIR_TIMEOUT, WEIR_IO, WEIR_NOT_IMPLEMENTED for what the
 * store cannot do. Messages hold no secret.
 */
struct weir_store_object {
    size_t size;
    const char *url;
    const char *key; /* behind the bucket; a directory's ends in '/' */
    int64_t n_bytes; /* -1: a directory */
    int64_t modified_ns;
    const char *etag;    /* NULL: the store has none */
    const char *version; /* NULL: none */
};

/* Takes one object, whose texts live during the call. What it answers counts in lists only: 0, or
 * anything else to stop. */
typedef int (*weir_store_object_fn)(void *context, const struct weir_store_object *object);

WEIR_EXPORT int weir_store_head(struct weir_session *session, const char *url,
                                weir_store_object_fn take, void *context, struct weir_error *error);
/* Reads up to `length` bytes from `offset`; *ret_length is less at the object's end only. With
 * `if_match`, an etag, only from that version. `take` (may be NULL) gets what was read from. */
WEIR_EXPORT int weir_store_get(struct weir_session *session, const char *url, int64_t offset,
                               void *data, size_t length, const char *if_match, size_t *ret_length,
                               weir_store_object_fn take, void *context, struct weir_error *error);

enum weir_put_mode {
    WEIR_PUT_OVERWRITE = 0,
    WEIR_PUT_CREATE = 1,  /* WEIR_ALREADY_EXISTS where there is one */
    WEIR_PUT_IF_MATCH = 2 /* only over the version of an etag */
};

/* `if_match` goes with WEIR_PUT_IF_MATCH, and is NULL else. ret_etag (may be NULL): free with
 * weir_free; NULL when the store has none. */
WEIR_EXPORT int weir_store_put(struct weir_session *session, const char *url, const void *data,
                               size_t length, int mode, const char *if_match, char **ret_etag,
                               struct weir_error *error);

/*
 * Writes an object of any size: parts go out while more is written, several at the same time, in
 * bounded memory. Nothing is there before commit; closing without it leaves nothing. One thread at
 * a time. Close it before its session.
 */
struct weir_store_upload;
WEIR_EXPORT int weir_store_upload_open(struct weir_session *session, const char *url, int mode,
                                       const char *if_match, struct weir_store_upload **ret_upload,
                                       struct weir_error *error);
WEIR_EXPORT int weir_store_upload_write(struct weir_store_upload *upload, const void *data,
                                        size_t length, struct weir_error *error);
WEIR_EXPORT int weir_store_upload_commit(struct weir_store_upload *upload, char **ret_etag,
                                         struct weir_error *error);
WEIR_EXPORT void weir_store_upload_close(struct weir_store_upload *upload);

/*
 * The objects below a URL, page by page as the store gives them. Not `recursive`: one level, with
 * what lies below as directories. `start_after`: a key, after which the list begins, so that a list
 * that was stopped goes on; NULL: from the first.
 */
WEIR_EXPORT int weir_store_list(struct weir_session *session, const char *url, int recursive,
                                const char *start_after, weir_store_object_fn take, void *context,
                                struct weir_error *error);
/* Within one store; no byte comes by here. Without `overwrite` a target that is there is
 * WEIR_ALREADY_EXISTS. */
WEIR_EXPORT int weir_store_copy(struct weir_session *session, const char *from, const char *to,
                                int overwrite, struct weir_error *error);
WEIR_EXPORT int weir_store_rename(struct weir_session *session, const char *from, const char *to,
                                  int overwrite, struct weir_error *error);
/* One that is not there is no error. */
WEIR_EXPORT int weir_store_delete(struct weir_session *session, const char *url,
                                  struct weir_error *error);
/* A URL by which anybody may GET or PUT the object for some seconds, up to seven days. Nothing is
 * sent. Free with weir_free. */
WEIR_EXPORT int weir_store_presign(struct weir_session *session, const char *method,
                                   const char *url, int64_t seconds, char **ret_url,
                                   struct weir_error *error);

/* ---- Rows as bytes ---- */

/* Takes `length` bytes; returns 0, or an errno value that ends the encoding with WEIR_IO. */
typedef int (*weir_write_fn)(void *context, const void *data, size_t length);

/*
 * Encodes a stream as a file: "parquet", "arrow" (IPC file), "arrows" (IPC stream), "csv", "tsv",
 * "json" (an array), "jsonl". Options: csv and tsv: header (true), delimiter, null (the text of
 * NULL, empty by default); parquet: compression (zstd), row_group_size (1048576 rows), page_size
 * (20000 rows), dictionary_size (1048576 bytes: a column whose values need more is written without
 * from there on). An empty stream gives a valid file with the schema. Takes over `rows` always: it
 * is released, read to its end or not.
 */
WEIR_EXPORT int weir_encode(struct ArrowArrayStream *rows, const char *format,
                            const struct weir_option *options, size_t n_options,
                            weir_write_fn write, void *context, struct weir_error *error);

/*
 * The same rows as text for display: every column becomes a nullable utf8 column of the same name,
 * NULL staying NULL. Takes over `rows` on success.
 */
WEIR_EXPORT int weir_text(struct ArrowArrayStream *rows, struct ArrowArrayStream *ret_text,
                          struct weir_error *error);

/* ---- As a driver of ADBC ---- */

struct AdbcError;

/*
 * The entry points of a driver of ADBC 1.1 (and 1.0), for driver managers: they fill a struct
 * AdbcDriver (arrow-adbc/adbc.h). A database is a workspace of this process. Options: README.md.
 */
WEIR_EXPORT uint8_t AdbcDriverInit(int version, void *driver, struct AdbcError *error);
WEIR_EXPORT uint8_t AdbcWeirInit(int version, void *driver, struct AdbcError *error);

#ifdef __cplusplus
}
#endif

#endif /* WEIR_H */
