/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h: the C ABI of the Rust half. This header leads: engine/src/bindings.rs is generated from
 * it.
 *
 * Lifetime: wr_engine > wr_engine_session > wr_plan > wr_run. Each handle keeps what it needs
 * alive, so the order of freeing does not matter, except that wr_engine_close waits (up to five
 * seconds) for running work and comes last.
 *
 * Threads: every function may be called from any thread. Those that take a session or plan and may
 * block run SQL planning on a thread with a large stack. All answer WEIR_INVALID_STATE when called
 * from a thread of the engine itself, where they would deadlock. No function lets a panic out: it
 * becomes WEIR_INTERNAL.
 *
 * The conventions of weir.h hold.
 */
#ifndef WR_ENGINE_H
#define WR_ENGINE_H

#include "weir.h"
#include "weir_extension.h"

struct wr_engine;
struct wr_engine_session;
struct wr_plan;
struct wr_run;

const char *wr_engine_version(void);

/* ---- Calls: how whoever works for a statement learns that it is not wanted any more ---- */

/*
 * The functions of base/call.h. The engine makes a call for each `insert` and `change` of a kind,
 * which the thread serves that runs it; when the statement is to end before that has returned, it
 * is cancelled. What the engine plans for a thread of C on one of its own serves that one's call.
 * Where it waits itself, for planning or a store, it watches what the thread serves.
 */
struct wr_call;
struct wr_call_place {
    void *room[2]; /* a struct wr_call_service */
};
struct wr_call_watch;
struct wr_calls {
    struct wr_call *(*make)(void); /* NULL for want of memory */
    void (*release)(struct wr_call *call);
    struct wr_call *(*current)(void); /* that this thread serves; NULL: none */
    void (*serve)(struct wr_call_place *place, struct wr_call *call);
    void (*unserve)(struct wr_call_place *place);
    void (*cancel)(struct wr_call *call);
    /* Of what this thread serves; NULL: nothing, or no memory. `stop` is called once at most, from
     * any thread; after `unwatch`, from any thread, it is not. */
    struct wr_call_watch *(*watch)(void (*stop)(void *context), void *context);
    void (*unwatch)(struct wr_call_watch *watch);
};

/* ---- Engine: one runtime, one memory pool, one spill directory ---- */

/*
 * Small results that are worth keeping over the process's end: the footers of Parquet files, under
 * the file's identity. May be called from any thread, at the same time, while the engine lives.
 * Both may fail silently.
 */
struct wr_cache {
    size_t size;
    void *context;
    /* Hands what is kept under `key` to `take`, or does not call it. */
    void (*get)(void *context, const char *key,
                void (*take)(void *sink, const void *data, size_t length), void *sink);
    void (*put)(void *context, const char *key, const void *data, size_t length);
};

/*
 * Bytes of objects of stores, kept on this machine in blocks under `object`: a hexadecimal text
 * that stands for the store, the key and the etag. A block has WR_BLOCK bytes, the last one of an
 * object may have fewer. May be called from any thread, at the same time, while the engine lives.
 * Both may fail silently.
 */
enum { WR_BLOCK = 64 << 10 };

struct wr_blocks {
    size_t size;
    void *context;
    int32_t is_lasting; /* 0: they go when the engine is closed */
    /* Not 0: `get` would find nothing, of any object. Waits for no disk. */
    int32_t (*is_empty)(void *context);
    /* Reads those of `n` blocks from `first` on that are kept, each into its place in `data`, and
     * says how many bytes each has: 0 is not kept. */
    void (*get)(void *context, const char *object, uint64_t first, size_t n, void *data,
                uint32_t *lengths);
    void (*put)(void *context, const char *object, uint64_t first, const void *data, size_t length);
};

/*
 * Which object a URL that users write is of, "s3://bucket/x": the URL goes to `take` as a weir_file
 * of a FILES form names an object, with its key, which may be empty or end in a slash. The store
 * stays open while `take` runs. Talks to nobody. Any thread, as long as the engine lives.
 */
struct wr_locate {
    void *context;
    int (*call)(void *context, const char *url, void (*take)(void *sink, const char *object_url),
                void *sink, struct weir_error *error);
};

/* Takes a line of the log, without its end, of the level that stands at its beginning. Any thread.
 */
struct wr_log {
    void *context;
    void (*write)(void *context, const char *line); /* NULL: nothing is logged */
};

/*
 * Spans of a trace: what the requests to stores are told of as. A place in a trace is the 16 bytes
 * of the trace's id and the 8 of a span's (W3C Trace Context); all zero: none.
 */
enum { WR_TRACE_PLACE = 24 };

struct wr_span_attribute {
    const char *key;
    const char *text; /* NULL: a number */
    int64_t number;
};

struct wr_span {
    size_t size;
    const unsigned char *parent; /* a place in a trace */
    const char *name;
    int64_t start_ns, end_ns; /* since 1970 */
    int32_t has_failed;
    const struct wr_span_attribute *attributes;
    size_t n_attributes;
};

struct wr_tracer {
    void *context;
    /* The place of the statement that this thread works for; untouched where it works for none. */
    void (*place)(unsigned char *ret_place);
    /* Any thread, as long as the engine lives; must not wait. NULL: nothing is traced. */
    void (*span)(void *context, const struct wr_span *span);
};

struct wr_engine_options {
    size_t size;
    int32_t threads;        /* 0: one per core */
    int64_t memory_limit;   /* bytes; 0: no limit */
    const char *spill_path; /* an existing directory, in which the engine makes its own and removes
                               it at close */
    int64_t spill_limit;    /* bytes; 0: 100 GiB */
    const struct wr_cache *cache; /* copied; NULL: none */
    /* Opens the file of a URL "weir+file://<root in hexadecimal>/<path>" for reading; both paths
     * are absolute. NULL: such URLs are refused. */
    int (*open_beneath)(const char *root, const char *path, int *ret_fd, struct weir_error *error);
    struct wr_locate locate;      /* `call` NULL: nothing is written to stores */
    const struct wr_calls *calls; /* static; NULL: no thread of C serves a call */
    const char *uploads_path; /* a directory, made when it is missing, that remembers what is begun
                                 in stores; NULL: what a process that is killed leaves stays */
    struct wr_log log;        /* of each request to a store */
    const struct wr_blocks *blocks; /* copied; NULL: none */
    struct wr_tracer tracer;
};

int wr_engine_open(const struct wr_engine_options *options, struct wr_engine **ret_engine,
                   struct weir_error *error);
/* Takes back what processes that were killed left in stores that `locate` knows; does not wait. */
void wr_engine_sweep(struct wr_engine *engine);
void wr_engine_close(struct wr_engine *engine);

/*
 * Sends a body to a web server by POST and waits for the status of the answer, until the call that
 * this thread serves is cancelled. Follows no redirect. Errors: WEIR_IO, WEIR_TIMEOUT,
 * WEIR_CANCELLED.
 */
struct wr_post {
    size_t size;
    const char *url;
    const struct weir_option *headers;
    size_t n_headers;
    const void *body; /* copied */
    size_t length;
    int64_t timeout_ms;
};
int wr_engine_post(struct wr_engine *engine, const struct wr_post *post, int32_t *ret_status,
                   struct weir_error *error);

/* What the engine counted since it was opened: static name, value, static description. */
typedef void (*wr_metric_fn)(void *sink, const char *name, int64_t value, const char *help);
void wr_engine_metrics(const struct wr_engine *engine, wr_metric_fn emit, void *sink);
/* Drops the plans that sessions keep, and so what these hold of tables. Plans are never out of
 * date; this is for what waits for a table's end: a database that was detached, a copy that was
 * replaced. */
void wr_engine_forget_plans(struct wr_engine *engine);

/*
 * Functions and encodings of extensions: one of the three. Sessions made before see them too, from
 * their next statement on. The structures, of this version's size and checked, are copied; their
 * slots are called until the engine is closed.
 */
struct wr_addition {
    const struct weir_scalar_function *scalar;
    const struct weir_aggregate_function *aggregate;
    const struct weir_encoding *encoding;
};

/* All or none. WEIR_ALREADY_EXISTS for a name that a function has, of any set of functions, or for
 * an extension of names that has a format. */
int wr_engine_add(struct wr_engine *engine, const struct wr_addition *additions, size_t n_additions,
                  struct weir_error *error);

/* ---- Catalog: C answers names ---- */

/*
 * One table as the engine needs it. `form` is asked of the kind before this is handed over.
 * `instance` is passed to the slots of `kind`. The engine calls `release` once, after the last use;
 * it releases the form too.
 */
struct wr_table {
    struct weir_form form;
    const struct weir_table_kind *kind;
    void *instance;
    int32_t is_view;              /* how information_schema shows it */
    const char *definition;       /* SQL text of a view, for information_schema; NULL: none */
    int32_t has_own_rights;       /* of the SQL form: names in it are looked up as `in_view` */
    const struct wr_calls *calls; /* static; NULL: its kind hears of no cancel */
    void (*release)(struct wr_table *table);
    void *private_data;
};

typedef void (*wr_emit_fn)(void *sink, const char *name);

struct wr_catalog {
    size_t size;
    void *context;
    /*
     * Lists names: of catalogs (catalog NULL), of a catalog's schemas (schema NULL), else of a
     * schema's tables.
     */
    int (*list)(void *context, const char *catalog, const char *schema, wr_emit_fn emit, void *sink,
                struct weir_error *error);
    /* Whether names may be looked up in it: 1 or 0. `schema` NULL: a catalog. Listings may leave
     * out what this knows. */
    int (*has)(void *context, const char *catalog, const char *schema);
    /*
     * `options` are those of a call, `FROM name(key => value)`: not NULL for a call without any,
     * NULL for a plain name. Codes: WEIR_NOT_FOUND when there is no such table, with a message only
     * if it says more than that. `in_view`: the name stands in
     * the text of a table that has its own rights, and of no other.
     */
    int (*table)(void *context, const char *catalog, const char *schema, const char *name,
                 const struct weir_option *options, size_t n_options, int32_t in_view,
                 struct wr_table *ret_table, struct weir_error *error);
};

/* ---- Session ---- */

struct wr_session_options {
    size_t size;
    const char *catalog; /* default catalog and schema */
    const char *schema;
    struct wr_catalog names; /* context must outlive the session's plans, runs and streams */
    const char *functions;   /* NULL or "default", "spark" */
};

int wr_engine_session_new(struct wr_engine *engine, const struct wr_session_options *options,
                          struct wr_engine_session **ret_session, struct weir_error *error);
void wr_engine_session_free(struct wr_engine_session *session);

/* A setting, as SQL's SET: "datafusion.execution.batch_size". */
int wr_engine_session_set(struct wr_engine_session *session, const char *key, const char *value,
                          struct weir_error *error);
/* The current default names; free both with wr_engine_free. */
int wr_engine_session_names(struct wr_engine_session *session, char **ret_catalog,
                            char **ret_schema, struct weir_error *error);

/* ---- Plans ---- */

enum wr_plan_type {
    WR_PLAN_QUERY = 1,   /* gives rows */
    WR_PLAN_CHANGE = 2,  /* INSERT, UPDATE, DELETE, COPY: gives one row, one column `count` */
    WR_PLAN_SESSION = 3, /* SET, PREPARE and the like: changes the engine's session; no rows */
    /* What the catalog must do, in C. wr_plan_execute runs the input query, if any. */
    WR_PLAN_CREATE_TABLE = 4,    /* columns; with input: its rows */
    WR_PLAN_CREATE_VIEW = 5,     /* query */
    WR_PLAN_CREATE_EXTERNAL = 6, /* location, format, options; columns when declared */
    WR_PLAN_DROP_TABLE = 7,
    WR_PLAN_DROP_VIEW = 8,
    WR_PLAN_CREATE_SCHEMA = 9,
    WR_PLAN_DROP_SCHEMA = 10,
    WR_PLAN_CREATE_CATALOG = 11
};

/* Borrowed from the plan. Texts are NULL where they do not apply. */
struct wr_plan_info {
    size_t size;
    int32_t type;
    const char *catalog; /* resolved against the session's defaults */
    const char *schema;
    const char *name;
    int32_t if_not_exists; /* or IF EXISTS */
    int32_t or_replace;
    int32_t cascade;
    int32_t temporary;
    int32_t has_input;
    int32_t has_columns;
    const char *query;    /* a view's SELECT as text */
    const char *location; /* CREATE EXTERNAL TABLE */
    const char *format;
    const char *partition_by; /* comma-separated, quoted where needed */
    const char *order_by;
    const char *constraints; /* as SQL text, for example "PRIMARY KEY (a)" */
    const struct weir_option *options;
    size_t n_options;
};

/*
 * Parses and plans exactly one statement. Codes: WEIR_INVALID_ARGUMENT with SQLSTATE 42601 and a
 * position for a syntax error, 42P01, 42703, 54001 (too deep, too many terms).
 */
int wr_plan_new(struct wr_engine_session *session, const char *sql, struct wr_plan **ret_plan,
                struct weir_error *error);
void wr_plan_free(struct wr_plan *plan);
void wr_plan_describe(const struct wr_plan *plan, struct wr_plan_info *ret_info);
/* Columns of the result; of a CREATE: of the table. */
int wr_plan_schema(const struct wr_plan *plan, struct ArrowSchema *ret_schema,
                   struct weir_error *error);
int wr_plan_parameters(const struct wr_plan *plan, struct ArrowSchema *ret_schema,
                       struct weir_error *error);
/* A new plan with values in place of the parameters: a struct of one row. Takes over `values` on
 * success. */
int wr_plan_bind(const struct wr_plan *plan, const struct ArrowSchema *schema,
                 struct ArrowArray *values, struct wr_plan **ret_plan, struct weir_error *error);

/* ---- What a plan stands on. Nothing is run ---- */

/*
 * A text that is another one whenever the plan's rows may be others: of the statement, the views in
 * it, the tables that it reads and what of the session's settings has a say. *ret_version is NULL
 * when a table has no version, or a function is not a pure one. Free with wr_engine_free.
 */
int wr_plan_version(const struct wr_plan *plan, char **ret_version, struct weir_error *error);
/* As weir_node_inputs and weir_node_statistics; `ret_columns` may be NULL. */
int wr_plan_inputs(const struct wr_plan *plan, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error);
int wr_plan_statistics(const struct wr_plan *plan, struct weir_node_statistics *ret_statistics,
                       struct ArrowArrayStream *ret_columns, struct weir_error *error);

/* ---- Runs ---- */

/*
 * Starts a plan (of CREATE_TABLE and CREATE_VIEW: its input). `ret_rows` gives the rows through a
 * channel of eight batches. The run is a handle on the execution for cancel and metrics; the stream
 * does not need it.
 */
int wr_plan_execute(const struct wr_plan *plan, struct ArrowArrayStream *ret_rows,
                    struct wr_run **ret_run, struct weir_error *error);
/*
 * The same in up to `max_parts` streams, for which `ret_parts` has room: where the plan has parts
 * that do not wait for each other, and none of them is ordered. *ret_n_parts are made, one at
 * least.
 */
int wr_plan_execute_parts(const struct wr_plan *plan, int32_t max_parts,
                          struct ArrowArrayStream *ret_parts, int32_t *ret_n_parts,
                          struct wr_run **ret_run, struct weir_error *error);
void wr_run_cancel(struct wr_run *run);
void wr_run_progress(const struct wr_run *run, struct weir_progress *ret_progress);
int wr_run_metrics(const struct wr_run *run, char **ret_text, struct weir_error *error);
void wr_run_free(struct wr_run *run);

/* ---- Streams ---- */

int wr_stream_error(struct ArrowArrayStream *stream, struct weir_error *ret_error);
/* Which format names are known is the engine's: see weir_encode. Takes over `rows` always. */
int wr_stream_encode(struct ArrowArrayStream *rows, const char *format,
                     const struct weir_option *options, size_t n_options, weir_write_fn write,
                     void *context, struct weir_error *error);
int wr_stream_text(struct ArrowArrayStream *rows, struct ArrowArrayStream *ret_text,
                   struct weir_error *error);

/* ---- Stores: objects by key ---- */

/*
 * One bucket, container or host with its own options and credentials. Two that differ in anything
 * are two stores, whatever their objects are called. A key is what follows the root of the store's
 * URL: UTF-8, without a slash at its start, not empty, no component "." or "..".
 *
 * May be called from any thread, at the same time; all that talk to the store block, and end by the
 * store's timeouts. Errors name the object by the store's own URL, and hold no secret. Codes:
 * WEIR_NOT_FOUND, WEIR_ALREADY_EXISTS (create-only), WEIR_INVALID_STATE with SQLSTATE 40001
 * (another version of the object is there than was asked for), WEIR_UNAUTHENTICATED,
 * WEIR_UNAUTHORIZED, WEIR_TIMEOUT, WEIR_IO, WEIR_NOT_IMPLEMENTED (of stores that can only be read).
 */
struct wr_objects;
struct wr_upload;

/* Takes a name and a value of credentials: "access_key_id", "secret_access_key", "session_token";
 * "sas_key", "bearer_token", ... */
typedef void (*wr_credential_fn)(void *sink, const char *name, const char *value);

/*
 * Where requests may go. Asked where the connection is made, so that what a name stands for is not
 * another thing then. 1: it may be. Any thread, as long as the engine lives.
 */
struct wr_guard {
    void *context;
    /* One of the addresses, as a text, of a name. NULL: all may be. Not asked for a host that is an
     * address itself. */
    int (*address)(void *context, const char *host, const char *address);
    int (*redirect)(void *context, const char *url); /* that an answer sends on to */
};

struct wr_objects_options {
    size_t size;
    const char *type; /* "s3", "azure", "gcs", "http", "memory", "file" */
    const char *url;  /* what messages show, and the root of the keys: "s3://bucket/",
                         "http://host:port/", "abfss://container@account.host/" ; ends in a slash */
    const struct weir_option *options; /* checked by the engine too: an unknown one is
                                          WEIR_INVALID_ARGUMENT with all that there are */
    size_t n_options;
    /*
     * Gives what requests are signed with, and until when it holds (nanoseconds since 1970; 0: for
     * ever). `refused`: the store refused what was given last. Called on a thread that may wait,
     * never twice at the same time. NULL: the options tell, else the store's own chain.
     */
    int (*credentials)(void *context, int32_t refused, wr_credential_fn take, void *sink,
                       int64_t *ret_expires_ns, struct weir_error *error);
    void *context;                  /* lives until `release` */
    void (*release)(void *context); /* NULL: nothing to release */
    const struct wr_guard *guard;   /* copied; NULL: requests go where names and answers lead */
};

/* Talks to nobody. */
int wr_objects_open(struct wr_engine *engine, const struct wr_objects_options *options,
                    struct wr_objects **ret_objects, struct weir_error *error);
/* Requests that are under way, and plans that read files of it, keep what they need. */
void wr_objects_close(struct wr_objects *objects);
/* How a weir_file of a FILES form names an object of it: "weir+store://ID/" before the key,
 * percent-encoded. Lives as long as the handle. */
const char *wr_objects_url(const struct wr_objects *objects);

struct wr_object {
    size_t size;
    const char *key; /* a directory's ends in '/' */
    int64_t n_bytes; /* -1: a directory */
    int64_t modified_ns;
    const char *etag;    /* NULL: the store has none */
    const char *version; /* NULL */
};

/* Texts live during the call. */
typedef void (*wr_object_fn)(void *sink, const struct wr_object *object);
int wr_objects_head(struct wr_objects *objects, const char *key, wr_object_fn take, void *sink,
                    struct weir_error *error);
/* Up to `length` bytes from `offset`; less only at the end. `if_match`: an etag, NULL: any version.
 * `take` (NULL) gets the object that was read. */
int wr_objects_get(struct wr_objects *objects, const char *key, int64_t offset, size_t length,
                   const char *if_match, void *data, size_t *ret_length, wr_object_fn take,
                   void *sink, struct weir_error *error);

enum wr_put_mode { WR_PUT_OVERWRITE = 0, WR_PUT_CREATE = 1, WR_PUT_IF_MATCH = 2 };
/* ret_etag (NULL) is freed with wr_engine_free; NULL when the store has none. */
int wr_objects_put(struct wr_objects *objects, const char *key, const void *data, size_t length,
                   int mode, const char *if_match, char **ret_etag, struct weir_error *error);

/* Streaming: parts go out while more is written, in parallel, in bounded memory. Nothing is there
 * before commit; free without it leaves nothing. Calls of one upload one at a time. */
int wr_upload_open(struct wr_objects *objects, const char *key, int mode, const char *if_match,
                   struct wr_upload **ret_upload, struct weir_error *error);
int wr_upload_write(struct wr_upload *upload, const void *data, size_t length,
                    struct weir_error *error);
int wr_upload_commit(struct wr_upload *upload, char **ret_etag, struct weir_error *error);
void wr_upload_free(struct wr_upload *upload);

/*
 * Objects whose keys begin with `prefix` ("" or ending in '/'), in order of their keys where the
 * store lists so. Not `recursive`: one level, directories too. `start_after`: a key, NULL. `take`
 * answers 0, or anything else to stop, which ends the call with WEIR_OK.
 */
int wr_objects_list(struct wr_objects *objects, const char *prefix, int32_t recursive,
                    const char *start_after,
                    int (*take)(void *sink, const struct wr_object *object), void *sink,
                    struct weir_error *error);
/* Within the store. */
int wr_objects_copy(struct wr_objects *objects, const char *from, const char *to, int32_t overwrite,
                    struct weir_error *error);
int wr_objects_rename(struct wr_objects *objects, const char *from, const char *to,
                      int32_t overwrite, struct weir_error *error);
/* One that is not there is no error. */
int wr_objects_delete(struct wr_objects *objects, const char *const *keys, size_t n_keys,
                      struct weir_error *error);
/* `method`: "GET", "PUT". Free with wr_engine_free. Nothing is sent. */
int wr_objects_presign(struct wr_objects *objects, const char *method, const char *key,
                       int64_t seconds, char **ret_url, struct weir_error *error);
/* Counters since it was opened, as wr_engine_metrics. */
void wr_objects_metrics(const struct wr_objects *objects, wr_metric_fn emit, void *sink);
/* The options that a type knows: name, one line. For SQL's and the configuration's checks and for
 * documentation. */
void wr_objects_option_names(const char *type,
                             void (*take)(void *sink, const char *name, const char *help),
                             void *sink);

/* Frees a string that the engine returned. */
void wr_engine_free(char *text);

/* For tests: panics inside the guard. Always answers WEIR_INTERNAL. */
int wr_engine_panic(struct weir_error *error);

#endif /* WR_ENGINE_H */
