/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an extension of the interface 1 was compiled against, as the headers had it: a copy that is
 * never changed, so that abi_1.c stays the extension that it was. Later members, slots and numbers
 * go into include/ only.
 */
#ifndef ABI_1_H
#define ABI_1_H

#include <stddef.h>
#include <stdint.h>

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

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

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

struct weir_error {
    int32_t code;
    int32_t vendor_code;
    int64_t position;
    char sqlstate[8];
    char message[4072];
};

struct weir_option {
    const char *key;
    const char *value;
};

enum { WEIR_VERSION_SIZE = 80 };

struct weir_definition {
    size_t size;
    const char *catalog;
    const char *schema;
    const char *name;
    const char *kind;
    const struct weir_option *options;
    size_t n_options;
    const struct ArrowSchema *columns;
};

enum weir_option_type {
    WEIR_OPTION_TEXT = 0,
    WEIR_OPTION_INTEGER = 1,
    WEIR_OPTION_BOOLEAN = 2,
    WEIR_OPTION_PREFIX = 3
};

struct weir_option_spec {
    const char *name;
    int32_t type;
    int32_t required;
    const char *summary;
};

enum weir_operator {
    WEIR_OPERATOR_NONE = 0,
    WEIR_OPERATOR_EQ = 1,
    WEIR_OPERATOR_NE = 2,
    WEIR_OPERATOR_LT = 3,
    WEIR_OPERATOR_LE = 4,
    WEIR_OPERATOR_GT = 5,
    WEIR_OPERATOR_GE = 6,
    WEIR_OPERATOR_IS_NULL = 7,
    WEIR_OPERATOR_IS_NOT_NULL = 8
};

struct weir_filter {
    const char *column;
    int32_t op;
    const struct ArrowSchema *type;
    const struct ArrowArray *value;
    const char *sql;
};

enum weir_filter_support { WEIR_FILTER_NO = 0, WEIR_FILTER_INEXACT = 1, WEIR_FILTER_EXACT = 2 };

struct weir_scan_request {
    size_t size;
    int32_t all_columns;
    const int32_t *columns;
    size_t n_columns;
    const struct weir_filter *filters;
    size_t n_filters;
    int64_t limit;
};

struct weir_scan {
    int32_t n_partitions;
    int (*open)(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                struct weir_error *error);
    void (*cancel)(struct weir_scan *scan);
    void (*release)(struct weir_scan *scan);
    void *private_data;
};

struct weir_statistics {
    size_t size;
    int64_t n_rows;
    int64_t n_bytes;
    int32_t exact;
    const int64_t *null_counts;
    const struct ArrowArray *bounds;
    void (*release)(struct weir_statistics *statistics);
    void *private_data;
};

enum weir_insert_mode { WEIR_INSERT_APPEND = 0, WEIR_INSERT_OVERWRITE = 1 };

enum weir_form_type {
    WEIR_FORM_FILES = 1,
    WEIR_FORM_SQL = 2,
    WEIR_FORM_REMOTE = 3,
    WEIR_FORM_STREAM = 4,
    WEIR_FORM_UNION = 5
};

struct weir_file {
    const char *url;
    int64_t n_bytes;
    int64_t modified_ns;
    const char *etag;
    const char *const *partition_values;
    const uint64_t *deleted_rows;
    size_t n_deleted_rows;
};

struct weir_files {
    const char *format;
    const char *compression;
    const struct weir_file *files;
    size_t n_files;
    const struct ArrowSchema *partition_columns;
    const struct weir_option *options;
    size_t n_options;
    const char *order_by;
    const char *write_url;
};

struct weir_sql {
    const char *query;
    const char *catalog;
    const char *schema;
    const char *source;
    const struct weir_option *inputs;
    size_t n_inputs;
    const struct weir_option *parameters;
    size_t n_parameters;
};

typedef int (*weir_execute_fn)(void *table, const char *const *statements, size_t n_statements,
                               const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                               struct weir_error *error);

typedef int (*weir_change_fn)(void *table, const char *statement, int64_t *ret_n_rows,
                              struct weir_error *error);

struct weir_remote {
    const char *dialect;
    const char *backend;
    const char *table;
    const char *const *columns;
    const char *const *partitions;
    size_t n_partitions;
    weir_execute_fn execute;
    weir_change_fn change;
};

struct weir_form {
    int32_t type;
    struct ArrowSchema schema;
    struct weir_files files;
    struct weir_sql sql;
    struct weir_remote remote;
    struct weir_form **parts;
    size_t n_parts;
    void (*release)(struct weir_form *form);
    void *private_data;
};

enum weir_kind_role {
    WEIR_ROLE_VIEW = 1,
    WEIR_ROLE_TABLE = 2,
    WEIR_ROLE_EXTERNAL = 4,
    WEIR_ROLE_PATH = 8
};

struct weir_table_kind {
    size_t size;
    const char *name;
    const char *summary;
    uint32_t roles;
    const struct weir_option_spec *options;
    size_t n_options;
    int (*open)(const struct weir_definition *definition, void **ret_table,
                struct weir_error *error);
    void (*close)(void *table);
    int (*form)(void *table, struct weir_form *ret_form, struct weir_error *error);
    int (*statistics)(void *table, struct weir_statistics *ret_statistics,
                      struct weir_error *error);
    int (*classify)(void *table, const struct weir_filter *filters, size_t n_filters,
                    int32_t *ret_support, struct weir_error *error);
    int (*scan)(void *table, const struct weir_scan_request *request, struct weir_scan *ret_scan,
                struct weir_error *error);
    int (*insert)(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                  struct weir_error *error);
    int (*drop)(void *table, struct weir_error *error);
    int (*version)(void *table, char ret_version[WEIR_VERSION_SIZE], struct weir_error *error);
    int (*refresh)(void *table, struct weir_error *error);
};

enum weir_entry_type { WEIR_ENTRY_DIRECTORY = 1, WEIR_ENTRY_FILE = 2, WEIR_ENTRY_TABLE = 3 };

struct weir_entry {
    size_t size;
    int32_t type;
    const char *name;
    const char *table;
    int64_t n_bytes;
    int64_t modified_ns;
    int32_t is_link;
};

typedef int (*weir_entry_fn)(void *sink, const struct weir_entry *entry, struct weir_error *error);

struct weir_found {
    size_t size;
    struct weir_entry entry;
    const char *path;
    int32_t is_exact;
    int32_t is_series;
    const char *kind;
    const struct weir_option *options;
    size_t n_options;
    void (*release)(struct weir_found *found);
    void *private_data;
};

struct weir_reader {
    int64_t n_bytes;
    int64_t modified_ns;
    char version[WEIR_VERSION_SIZE];
    int (*read_at)(struct weir_reader *reader, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error);
    void (*release)(struct weir_reader *reader);
    void *private_data;
};

struct weir_writer {
    int (*write)(struct weir_writer *writer, const void *data, size_t length,
                 struct weir_error *error);
    int (*commit)(struct weir_writer *writer, struct weir_error *error);
    void (*release)(struct weir_writer *writer);
    void *private_data;
};

struct weir_mount_kind {
    size_t size;
    const char *name;
    const char *summary;
    const char *default_schema;
    const struct weir_option_spec *options;
    size_t n_options;
    int (*open)(const struct weir_definition *definition, void **ret_mount,
                struct weir_error *error);
    void (*close)(void *mount);
    int (*list)(void *mount, const char *path, weir_entry_fn take, void *sink,
                struct weir_error *error);
    int (*find)(void *mount, const char *path, struct weir_found *ret_found,
                struct weir_error *error);
    int (*read)(void *mount, const char *path, struct weir_reader *ret_reader,
                struct weir_error *error);
    int (*write)(void *mount, const char *path, int overwrite, struct weir_writer *ret_writer,
                 struct weir_error *error);
    int (*make_directory)(void *mount, const char *path, struct weir_error *error);
    int (*remove)(void *mount, const char *path, int recursive, struct weir_error *error);
    int (*rename)(void *mount, const char *from, const char *to, struct weir_error *error);
    int (*create_table)(void *mount, const char *path, const struct ArrowSchema *columns,
                        int replace, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                        struct weir_error *error);
    int (*refresh)(void *mount, const char *path, struct weir_error *error);
};

typedef int (*weir_find_kind_fn)(void *finder, const char *name,
                                 const struct weir_table_kind **ret_kind, struct weir_error *error);

struct weir_host {
    size_t size;
    uint32_t abi;
    void *context;
    const char *state;
    const struct weir_option *options;
    size_t n_options;
    int (*register_kind)(void *context, const struct weir_table_kind *kind,
                         struct weir_error *error);
    int (*register_mount_kind)(void *context, const struct weir_mount_kind *kind,
                               struct weir_error *error);
    int (*register_finder)(void *context, weir_find_kind_fn find, void *finder,
                           struct weir_error *error);
};

struct weir_extension {
    size_t size;
    uint32_t abi;
    const char *name;
    const char *version;
    const char *summary;
    void (*close)(void *private_data);
    void *private_data;
};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error);

#endif
