/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `files` kind: tables that are files on disk. It lists, looks at the first bytes, and hands
 * over a list; the engine reads the rows.
 *
 * A form is made in six steps, one file each:
 *
 *   location.c  what the user wrote -> an absolute path or pattern, and paths -> URLs
 *   list.c      the path -> the files there (walk.c, glob.c; pipe.c copies a pipe)
 *   select.c    the files -> those of one format and compression
 *   hive.c      key=value directories -> partition columns
 *   sniff.c     the first file's head -> what was left open (head.c, types.c, csv_sniff.c)
 *   groups.c    CSV files of different headers -> a form for each header
 *
 * source.c reads the options before, form.c puts the results together, cache.c keeps what was read,
 * access.c is the way to the file system, and kind.c is the vtable. The mount kind of the same name
 * has a header of its own, mount.h.
 *
 * All texts of a form live in its arena and go with it.
 */
#ifndef WR_FILES_H
#define WR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/options.h"
#include "base/url.h"
#include "store/access.h"
#include "table/encodings.h"
#include "weir_extension.h"

/* ---- Arena ---- */

struct wr_arena_block;
struct wr_arena {
    struct wr_arena_block *last;
};

/* Memory for any type, zeroed, until wr_arena_reset; NULL when there is none. */
void *wr_arena_take(struct wr_arena *arena, size_t count, size_t size);
char *wr_arena_copy(struct wr_arena *arena, const char *text, size_t length);
void wr_arena_reset(struct wr_arena *arena);

/* ---- What a file holds ---- */

enum wr_file_format {
    WR_FORMAT_UNKNOWN = 0,
    WR_FORMAT_PARQUET,
    WR_FORMAT_CSV,
    WR_FORMAT_TSV,
    WR_FORMAT_JSON, /* lines or one array */
    WR_FORMAT_JSON_LINES,
    WR_FORMAT_ARROW,
    WR_FORMAT_AVRO,
    WR_FORMAT_OF_EXTENSION /* that of the encoding 0 of a workspace; others follow */
};

enum wr_file_compression {
    WR_COMPRESSION_UNKNOWN = -1,
    WR_COMPRESSION_NONE = 0,
    WR_COMPRESSION_GZIP,
    WR_COMPRESSION_ZSTD,
    WR_COMPRESSION_BZIP2,
    WR_COMPRESSION_XZ
};

struct wr_file_type {
    enum wr_file_format format;
    enum wr_file_compression compression;
};

/* As the option `format` has it. `encodings`, here and below, are those of extensions. */
const char *wr_format_name(const struct wr_encodings *encodings, enum wr_file_format format);
/* As struct weir_files has it; equal for csv and tsv. */
const char *wr_format_engine_name(const struct wr_encodings *encodings, enum wr_file_format format);
const char *wr_compression_name(enum wr_file_compression compression); /* NULL for none */
bool wr_format_is_text(enum wr_file_format format);
bool wr_format_same_family(enum wr_file_format a, enum wr_file_format b);

/* WR_FORMAT_UNKNOWN and WR_COMPRESSION_UNKNOWN for other texts. */
enum wr_file_format wr_format_parse(const struct wr_encodings *encodings, const char *text);
enum wr_file_compression wr_compression_parse(const char *text);
/* By extension: "x.csv.gz" is gzip and csv. */
struct wr_file_type wr_type_of_name(const struct wr_encodings *encodings, const char *name);
/* The length of a name without the extensions that tell a format, 1 of "x.csv.gz"; 0: none does. */
size_t wr_stem_length(const struct wr_encodings *encodings, const char *name);
enum wr_file_compression wr_compression_of_bytes(const void *data, size_t length);
/* By the first bytes, unpacked. Text with a steady number of columns is CSV. */
enum wr_file_format wr_format_of_bytes(const char *data, size_t length, bool complete);

/* ---- The definition, checked ---- */

enum wr_hive { WR_HIVE_AUTO, WR_HIVE_ON, WR_HIVE_OFF };

struct wr_files_source {
    char *text;       /* as messages call it: what the user wrote */
    char *root;       /* the directory that nothing leads out of; NULL: there is none */
    char *path;       /* absolute, normal; a directory's without trailing slash */
    size_t n_literal; /* bytes of path in which nothing is a pattern */
    char *working;    /* the directory that a relative text was looked up in, or "/"; of a store its
                         root */
    const struct wr_encodings *encodings;
    const struct wr_stores *stores;
    struct wr_opened *store; /* whose objects the files are; NULL: they lie on this machine */
    bool copied;             /* the path is a copy of what a pipe gave */
    bool slash;              /* the text ended in '/' */
    bool external; /* given as `location`: an explicit contract, nothing is guessed that the engine
                      has a default for */
    bool recursive;
    bool may_be_empty; /* columns are declared, and the caller can do with no files */
    enum wr_hive hive;
    enum wr_file_format format;
    enum wr_file_compression compression;
    char *order_by;
    char **partition_by;
    size_t n_partition_by;
    struct wr_options engine;   /* "format.*", the short names among them translated */
    const char *csv_option;     /* a short name that was given and means something for CSV only; a
                                   static text */
    struct ArrowSchema columns; /* release NULL: none declared */
};

int wr_files_source_init(const struct weir_definition *definition,
                         struct wr_files_source *ret_source, struct weir_error *error);
void wr_files_source_reset(struct wr_files_source *source);

/* ---- Access ---- */

/* The file system, or what of it lies below a root. All zero: the whole. */
struct wr_access {
    const char *root;                     /* borrowed; NULL: nothing is confined */
    int fd;                               /* of the root */
    const struct wr_files_source *source; /* of objects; NULL: the file system */
};

int wr_access_open(const char *root, struct wr_access *ret_access, struct weir_error *error);
void wr_access_close(struct wr_access *access);
/* Open and stat of an absolute path: 0 or an errno value, EXDEV for what leads out of the root. */
int wr_access_fd(const struct wr_access *access, const char *path, int flags, int *ret_fd);
int wr_access_stat(const struct wr_access *access, const char *path, struct stat *ret_status);
/* The error of such a value: "<what> "<shown>": <reason>". */
int wr_access_error(struct weir_error *error, const struct wr_access *access, int errnum,
                    const char *what, const char *shown);

/* ---- Location ---- */

/*
 * Absolute path of `text` (a path, a pattern, a file:// URL) without ".", ".." and double slashes.
 * The first *ret_n_literal bytes come from the file system, so that nothing in them is a pattern.
 * Free path and working with wr_free.
 */
int wr_files_resolve(const char *text, char **ret_path, size_t *ret_n_literal, char **ret_working,
                     struct weir_error *error);
/* The path of a directory that is given as an absolute path or a file:// URL. */
int wr_files_root(const char *text, char **ret_path, struct weir_error *error);
/* The same for an absolute path that must lie below `root`, which is absolute and normal. */
int wr_files_resolve_below(const char *root, const char *text, char **ret_path,
                           size_t *ret_n_literal, struct weir_error *error);
/* A name that the engine cannot open (not UTF-8, control characters) is an error. */
int wr_files_check_name(const char *path, struct weir_error *error);
/* "file:///...", or with a root "weir+file://...", in the arena. */
int wr_files_url(struct wr_arena *arena, const char *root, const char *path, bool directory,
                 const char **ret_url, struct weir_error *error);

/* ---- Objects of a store (objects.c) ---- */

/* Opens the store of a URL: path and working are set. */
int wr_files_open_store(const struct weir_definition *definition, const char *text,
                        struct wr_files_source *source, struct weir_error *error);
/* The key of a path. */
const char *wr_files_key(const struct wr_files_source *source, const char *path);
/* How the engine has it, in the arena, as long as the source's store is kept. */
int wr_files_store_url(const struct wr_files_source *source, struct wr_arena *arena,
                       const char *path, bool directory, const char **ret_url,
                       struct weir_error *error);
struct wr_file_list;
/* As wr_files_list: one request for an object, one for each page of what lies below. */
int wr_files_list_store(const struct wr_files_source *source, struct wr_file_list *list,
                        struct weir_error *error);

/* ---- Patterns ---- */

bool wr_glob_is_pattern(const char *text); /* holds one of * ? [ { \ */
/* One name against one component: * ? [a-z] [!a-z] \x. A leading '.' matches only itself. */
bool wr_glob_match(const char *pattern, const char *name);
/* Replaces {a,b} by each of its alternatives. The error is that of too many. */
int wr_glob_expand(struct wr_arena *arena, const char *pattern, const char ***ret_patterns,
                   size_t *ret_n_patterns, struct weir_error *error);

/* ---- Listing ---- */

enum wr_listing { WR_LISTING_MISSING, WR_LISTING_FILE, WR_LISTING_DIRECTORY, WR_LISTING_PATTERN };

struct wr_file_entry {
    const char *path;     /* absolute */
    const char *relative; /* its end, below the listing's root */
    uint64_t device;
    uint64_t inode;
    int64_t n_bytes;
    int64_t modified_ns;
    int64_t changed_ns;       /* of anything about the file */
    const char *etag;         /* of an object; NULL: none is known */
    struct wr_file_type type; /* by name */
    const char **values;      /* of the partition columns */
    size_t group;             /* of files with the same header */
};

struct wr_file_list {
    struct wr_arena *arena; /* borrowed */
    const struct wr_encodings *encodings;
    struct wr_access access;
    enum wr_listing listing;
    struct wr_file_entry *entries; /* by path */
    size_t n_entries;
    size_t capacity;
    size_t n_directories; /* that a pattern matched, and that therefore gave nothing */
    const char *deepest;  /* the directory down to which a pattern matched */
};

/*
 * Finds the files, sorted by path. A path that exists wins over its reading as a pattern. A missing
 * path is an error unless the source may be empty; that nothing matched is for wr_files_select to
 * say.
 */
int wr_files_list(const struct wr_files_source *source, struct wr_arena *arena,
                  struct wr_file_list *ret_list, struct weir_error *error);
void wr_file_list_reset(struct wr_file_list *list);
int wr_file_list_add(struct wr_file_list *list, const char *path, size_t root_length,
                     const struct stat *status, struct weir_error *error);
/* Adds a copy. */
int wr_file_list_push(struct wr_file_list *list, const struct wr_file_entry *entry,
                      struct weir_error *error);
/* The two walkers; they add to the list. `pattern` is what follows `base`, has no braces and begins
 * with '/'. */
int wr_walk_directory(struct wr_file_list *list, const char *directory, bool recursive,
                      struct weir_error *error);
int wr_walk_pattern(struct wr_file_list *list, const char *base, const char *pattern,
                    size_t root_length, struct weir_error *error);

/* The entry's name for a message: what the user wrote where that names one file. */
const char *wr_files_shown(const struct wr_files_source *source, const struct wr_file_list *list,
                           const struct wr_file_entry *entry);

/* Keeps the files of one format and compression and says which, as far as options and names tell.
 */
int wr_files_select(const struct wr_files_source *source, struct wr_file_list *list,
                    struct wr_file_type *ret_type, struct weir_error *error);

/* ---- Pipes ---- */

/* A copy of what a pipe gave, in a temporary file. */
struct wr_pipe;

/*
 * Copies when `path` is a pipe or a socket; else *ret_pipe is NULL. Devices, terminals and an
 * empty pipe are errors. The same pipe of a descriptor (/dev/stdin) gives the same copy.
 */
int wr_pipe_open(const char *text, const char *path, struct wr_pipe **ret_pipe,
                 struct weir_error *error);
/* Whether it is a name of a descriptor of the process: /dev/stdin, /dev/fd/N, /proc/self/fd/N. */
bool wr_pipe_is_descriptor(const char *path);
const char *wr_pipe_path(const struct wr_pipe *pipe);
void wr_pipe_close(struct wr_pipe *pipe);

/* ---- Partitions ---- */

struct wr_partitions {
    const char **names;
    size_t n_names;
    struct ArrowSchema columns; /* release NULL: none */
};

/* Fills each entry's `values`, and drops the entries that do not have the columns of
 * `partition_by`. */
int wr_files_partitions(const struct wr_files_source *source, struct wr_file_list *list,
                        struct wr_partitions *ret_partitions, struct weir_error *error);

/* ---- Looking inside ---- */

enum { WR_HEAD_BYTES = 256 * 1024 };

struct wr_head {
    char *data;
    size_t length;
    bool complete; /* this is all of the file */
    enum wr_file_compression compression;
};

/* The first `limit` bytes of a file, unpacked. WR_COMPRESSION_UNKNOWN: as the bytes tell. Reset
 * with wr_head_reset. */
int wr_head_read(const struct wr_access *access, const char *shown, const char *path,
                 enum wr_file_compression compression, size_t limit, struct wr_head *ret_head,
                 struct weir_error *error);
void wr_head_reset(struct wr_head *head);

/* The footer's magic is there, so that a cut file is named before the engine reads any. */
int wr_check_parquet(const struct wr_access *access, const char *shown,
                     const struct wr_file_entry *entry, struct weir_error *error);

struct wr_csv_dialect {
    char delimiter; /* 0: to be found */
    char quote;     /* 0: to be found */
    char escape;    /* 0: quotes are doubled */
    char comment;   /* 0: there are none */
    int header;     /* 0, 1; -1: to be found */
    bool newlines;  /* a quoted value holds a line's end */
    bool steady;    /* result: at least two columns, in nearly every row */
};

/* Completes `dialect` from the text; what it has already stays. False: there is no memory. */
bool wr_csv_sniff(const char *data, size_t length, bool complete, struct wr_csv_dialect *dialect);

/* The first row's cells, each ended by \x1F. Nothing when there is no row. */
void wr_csv_first_row(const char *data, size_t length, const struct wr_csv_dialect *dialect,
                      struct wr_buffer *row);

/* What the options say; the rest is to be found. */
struct wr_csv_dialect wr_given_dialect(const struct wr_files_source *source,
                                       enum wr_file_format format);

/* What names and the head of the first file told. */
struct wr_sniffed {
    struct wr_file_type type;
    bool looked; /* the rest is filled */
    bool json_array;
    struct wr_csv_dialect dialect;
};

int wr_files_sniff(const struct wr_files_source *source, const struct wr_file_list *list,
                   struct wr_file_type type, struct wr_sniffed *ret_sniffed,
                   struct weir_error *error);

/* Whether the files are CSV with a header each that names the columns. */
bool wr_files_have_headers(const struct wr_files_source *source, const struct wr_sniffed *sniffed);
/* Numbers each entry's `group`: those of one group have the same header. */
int wr_files_group(const struct wr_files_source *source, struct wr_file_list *list,
                   const struct wr_sniffed *sniffed, size_t *ret_n_groups,
                   struct weir_error *error);

/* ---- The form ---- */

/* What was read in files before. Threads may share it. */
struct wr_files_cache {
    pthread_mutex_t lock;
    bool sniffed_once;
    struct wr_file_entry first; /* its identity only; the texts are gone */
    struct wr_file_type asked;
    struct wr_sniffed sniffed;
    bool agreed_once;
    uint64_t agreed; /* the files whose headers are known to agree */
};

int wr_files_cache_init(struct wr_files_cache *cache, struct weir_error *error);
void wr_files_cache_reset(struct wr_files_cache *cache);
/* As the functions that they are named after. */
int wr_cached_sniff(struct wr_files_cache *cache, const struct wr_files_source *source,
                    const struct wr_file_list *list, struct wr_file_type type,
                    struct wr_sniffed *ret_sniffed, struct weir_error *error);
int wr_cached_group(struct wr_files_cache *cache, const struct wr_files_source *source,
                    struct wr_file_list *list, const struct wr_sniffed *sniffed,
                    size_t *ret_n_groups, struct weir_error *error);

/*
 * Takes the steps above. A FILES form, or a UNION of them where CSV files have different headers.
 * `ret_form` NULL: only finds out whether there is one.
 */
int wr_files_form(const struct wr_files_source *source, struct wr_files_cache *cache,
                  struct weir_form *ret_form, struct weir_error *error);

/* Names that listings leave out: of '.', and of '_' unless they hold '=', which a column's name may
 * begin with. */
bool wr_files_is_hidden(const char *name);

extern const struct weir_table_kind wr_kind_files;

#endif
