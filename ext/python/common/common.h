/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both halves of the Python host share: the loader, which knows nothing of Python, and the
 * host proper. No symbol of Python is used here.
 */
#ifndef WP_COMMON_H
#define WP_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir_extension.h>

/* ---- Errors and memory (common.c) ---- */

int wp_error(struct weir_error *error, int code, const char *sqlstate, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int wp_error_memory(struct weir_error *error);
int wp_error_prefix(struct weir_error *error, const char *prefix);

#define WP_TRY(call)                                                                               \
    do {                                                                                           \
        int wp_try_code = (call);                                                                  \
        if (wp_try_code) return wp_try_code;                                                       \
    } while (0)

/* "table "t" (kind python)": from malloc, NULL without memory. */
char *wp_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
int64_t wp_now_ns(void);

struct wp_bytes {
    uint8_t *data; /* from malloc */
    size_t length;
};

/* ---- Who waits for a slot (watch.c) ---- */

/* The host's `watch` and `unwatch`; NULL where it has none. Set once, in each of the two files. */
struct wp_watches {
    int (*watch)(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped);
    void (*unwatch)(struct weir_watch *watch);
};
extern struct wp_watches wp_watches;

/* True when `stop` may be called from now on, until wp_unwatch. */
bool wp_watch(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped);
void wp_unwatch(struct weir_watch *watch);

/* ---- Arrow (arrow.c) ---- */

/* Deep copies of schemas; ENOMEM. */
int wp_schema_copy(const struct ArrowSchema *schema, struct ArrowSchema *ret_schema);
/* The children `columns` of a struct, in this order. */
int wp_schema_select(const struct ArrowSchema *schema, const int32_t *columns, size_t n_columns,
                     struct ArrowSchema *ret_schema);
/* An empty struct array of so many rows and no column. */
int wp_rows_only(int64_t n_rows, struct ArrowArray *ret_array);
void wp_release_schema(struct ArrowSchema *schema);
void wp_release_array(struct ArrowArray *array);
void wp_release_stream(struct ArrowArrayStream *stream);
/* Whether two types are one, names of fields in structs included, those of lists' items not. */
bool wp_same_type(const struct ArrowSchema *a, const struct ArrowSchema *b);
/* "int64", "list<utf8>": at most `size` bytes. */
const char *wp_type_name(const struct ArrowSchema *type, char *text, size_t size);
/* Whether both are text, or both bytes, in different layouts: utf8, large_utf8, utf8_view. */
bool wp_is_same_text(const struct ArrowSchema *a, const struct ArrowSchema *b);
/* A copy of such a column in the layout of `asked` (text.c). */
int wp_text_convert(const struct ArrowSchema *asked, const struct ArrowSchema *given,
                    const struct ArrowArray *column, int64_t offset, int64_t length,
                    struct ArrowArray *ret_column, struct weir_error *error);

/* Whether the columns of a batch that the table has are of its types, also those not asked for. */
int wp_batch_check(const struct ArrowSchema *table, const struct ArrowSchema *given,
                   struct weir_error *error);
/*
 * The columns of `asked` out of `array`, whose schema is `given`, by name: the same memory. Takes
 * over `array` on success. WEIR_INVALID_DATA when one is missing, of another type, or has NULL
 * where `asked` has none. Texts in another layout are the one thing that is copied. Where no column
 * is asked for, what `array` holds is given back at once.
 */
int wp_batch_select(const struct ArrowSchema *asked, const struct ArrowSchema *given,
                    struct ArrowArray *array, struct ArrowArray *ret_array,
                    struct weir_error *error);

/* ---- What a table is made from ---- */

struct wp_definition {
    const char *table;  /* as errors call it */
    const char *kind;   /* the registered name, or "python" */
    const char *module; /* with the kind python */
    const char *class_name;
    const char *path;                  /* directories to look for modules in; NULL: none */
    const struct weir_option *options; /* the source's own */
    size_t n_options;
    const struct ArrowSchema *columns; /* declared; NULL: the source says */
};

struct wp_known {
    int64_t n_rows, n_bytes; /* -1: unknown */
    int32_t exact;
};

/* ---- Where a source's code runs ---- */

/*
 * A source of rows: one implementation calls Python in this process, the other asks processes of
 * its own. The contract of each function is that of struct weir_table_kind's slot.
 */
struct wp_runtime {
    size_t size;
    int (*open)(const struct wp_definition *definition, void **ret_table, struct weir_error *error);
    void (*close)(void *table);
    int (*schema)(void *table, struct ArrowSchema *ret_schema, struct weir_error *error);
    int (*statistics)(void *table, struct wp_known *ret_known, struct weir_error *error);
    int (*classify)(void *table, const struct weir_filter *filters, size_t n_filters,
                    int32_t *ret_support, struct weir_error *error);
    /* `plan`: partitions that another scan planned (scan_plan); NULL: plans anew. */
    int (*scan)(void *table, const struct weir_scan_request *request, const struct wp_bytes *plan,
                struct weir_scan *ret_scan, struct weir_error *error);
    int (*insert)(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                  struct weir_error *error);
    void (*metrics)(void *table, struct weir_scan *scan, int32_t partition, weir_figure_fn take,
                    void *sink);
    void (*hold)(void *table, struct weir_scan *scan, int32_t partition, int is_held); /* or NULL */
    /* A scan's partitions as bytes. */
    int (*scan_plan)(struct weir_scan *scan, struct wp_bytes *ret_plan, struct weir_error *error);
    /* Whether a source is registered under a name: WEIR_NOT_FOUND. */
    int (*find)(const char *name, struct weir_error *error);
};

/* What weir_python_host.so exports: once an interpreter is there. `directory` holds _weir_python;
 * `embedded`: the interpreter is ours, so its standard output is not. */
typedef int (*wp_host_init_fn)(const char *directory, bool embedded,
                               const struct wp_watches *watches,
                               const struct wp_runtime **ret_runtime, struct weir_error *error);
#define WP_HOST_INIT "weir_python_host_init"

#endif
