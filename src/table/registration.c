/* SPDX-License-Identifier: Apache-2.0 */
/* What an extension brings, before the registry has it. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/files/files.h"
#include "table/registry.h"

/* ---- By name ---- */

const char *wr_registration_type(const struct wr_registration *item) {
    return item->find        ? "finder"
           : item->mount     ? "mount kind"
           : item->scalar    ? "scalar function"
           : item->aggregate ? "aggregate function"
           : item->encoding  ? "encoding"
                             : "table kind";
}

const char *wr_registration_name(const struct wr_registration *item) {
    return item->find        ? NULL
           : item->mount     ? item->mount->name
           : item->scalar    ? item->scalar->name
           : item->aggregate ? item->aggregate->name
           : item->encoding  ? item->encoding->name
                             : item->table->name;
}

const char *wr_registration_summary(const struct wr_registration *item) {
    return item->find        ? NULL
           : item->mount     ? item->mount->summary
           : item->scalar    ? item->scalar->summary
           : item->aggregate ? item->aggregate->summary
           : item->encoding  ? item->encoding->summary
                             : item->table->summary;
}

static bool is_function(const struct wr_registration *item) {
    return item->scalar || item->aggregate;
}

int wr_registration_check_other(const struct wr_registration *item,
                                const struct wr_registration *other, struct weir_error *error) {
    const char *name = wr_registration_name(item), *other_name = wr_registration_name(other);
    bool same_names = is_function(item) == is_function(other) && !item->mount == !other->mount &&
                      !item->encoding == !other->encoding;
    if (!name || !other_name || !same_names || strcmp(name, other_name) != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710", "%s \"%s\" is registered already",
                        wr_registration_type(other), name);
}

/* ---- Checking a structure ---- */

/* Whether a structure is large enough to have a slot: those of older extensions are smaller. */
#define HAS(structure, slot)                                                                       \
    ((structure)->size >= offsetof(__typeof__(*(structure)), slot) + sizeof(structure)->slot)

/* The slots that the first extensions were compiled with. */
#define FIRST_TABLE_SIZE                                                                           \
    (offsetof(struct weir_table_kind, refresh) + sizeof((struct weir_table_kind *)0)->refresh)
#define FIRST_MOUNT_SIZE                                                                           \
    (offsetof(struct weir_mount_kind, refresh) + sizeof((struct weir_mount_kind *)0)->refresh)

#define FIRST_SCALAR_SIZE                                                                          \
    (offsetof(struct weir_scalar_function, private_data) +                                         \
     sizeof((struct weir_scalar_function *)0)->private_data)
#define FIRST_AGGREGATE_SIZE                                                                       \
    (offsetof(struct weir_aggregate_function, private_data) +                                      \
     sizeof((struct weir_aggregate_function *)0)->private_data)

#define FIRST_ENCODING_SIZE                                                                        \
    (offsetof(struct weir_encoding, private_data) + sizeof((struct weir_encoding *)0)->private_data)

/* What all begin with, by the words that messages call them. */
struct head {
    const char *what; /* "table kind" */
    const void *kind;
    size_t size;
    size_t full_size; /* of this version */
    const char *name;
    const char *missing; /* the first required slot that is NULL; NULL: none */
    const struct weir_option_spec *options;
    size_t n_options;
};

bool wr_is_kind_name(const char *name) {
    if (!name || name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* `type` as in weir_extension.h: "table_kind". */
static int check_size(const char *what, const char *type, const void *kind, size_t first_size,
                      struct weir_error *error) {
    size_t size = 0;
    if (!kind) return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a %s is required", what);
    memcpy(&size, kind, sizeof size);
    if (size >= first_size) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "%s: its size is %zu, not at least %zu; set it to sizeof(struct weir_%s)",
                        what, size, first_size, type);
}

/* A slot that is not known here may be one that the kind cannot do without. */
static int check_rest(const struct head *head, struct weir_error *error) {
    for (size_t i = head->full_size; i < head->size; i++) {
        if (!((const char *)head->kind)[i]) continue;
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s \"%s\": it has slots that this version of weir does not know",
                            head->what, head->name);
    }
    return WEIR_OK;
}

static int check_head(const struct head *head, struct weir_error *error) {
    const char *what = head->what;
    if (!wr_is_kind_name(head->name)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s \"%s\": a name is a lower case letter, then lower case "
                            "letters, digits and underscores",
                            what, head->name ? head->name : "");
    }
    if (head->missing) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s \"%s\": the required slot `%s` is NULL", what, head->name,
                            head->missing);
    }
    if (head->n_options > 0 && !head->options) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s \"%s\": n_options is %zu but options is NULL", what, head->name,
                            head->n_options);
    }
    return check_rest(head, error);
}

/* A required slot, for what is told of it when it is NULL. */
#define FIRST_NULL(...) first_null((const struct slot[]){__VA_ARGS__, {NULL, false}})
struct slot {
    const char *name;
    bool is_there;
};

static const char *first_null(const struct slot *slots) {
    while (slots->name && slots->is_there)
        slots++;
    return slots->name;
}

static int check_kind(const struct weir_table_kind *kind, struct weir_error *error) {
    WR_TRY(check_size("table kind", "table_kind", kind, FIRST_TABLE_SIZE, error));
    bool executes_parts = !HAS(kind, execute_parts) || !kind->parts || kind->execute_parts;
    const struct head head = {
        .what = "table kind",
        .kind = kind,
        .size = kind->size,
        .full_size = sizeof *kind,
        .name = kind->name,
        .missing = FIRST_NULL({"open", kind->open != NULL}, {"close", kind->close != NULL},
                              {"form", kind->form != NULL}, {"execute_parts", executes_parts}),
        .options = kind->options,
        .n_options = kind->n_options,
    };
    return check_head(&head, error);
}

static int check_mount(const struct weir_mount_kind *kind, struct weir_error *error) {
    WR_TRY(check_size("mount kind", "mount_kind", kind, FIRST_MOUNT_SIZE, error));
    const struct head head = {
        .what = "mount kind",
        .kind = kind,
        .size = kind->size,
        .full_size = sizeof *kind,
        .name = kind->name,
        .missing = FIRST_NULL({"open", kind->open != NULL}, {"close", kind->close != NULL},
                              {"list", kind->list != NULL}, {"find", kind->find != NULL},
                              {"default_schema", kind->default_schema != NULL}),
        .options = kind->options,
        .n_options = kind->n_options,
    };
    return check_head(&head, error);
}

static int check_function(const struct head *head, int32_t volatility, struct weir_error *error) {
    WR_TRY(check_head(head, error));
    if (volatility >= WEIR_IMMUTABLE && volatility <= WEIR_VOLATILE) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "%s \"%s\": its volatility is %d, none of enum weir_volatility", head->what,
                        head->name, (int)volatility);
}

static int check_scalar(const struct weir_scalar_function *function, struct weir_error *error) {
    const char *what = "scalar function";
    WR_TRY(check_size(what, "scalar_function", function, FIRST_SCALAR_SIZE, error));
    const struct head head = {
        .what = what,
        .kind = function,
        .size = function->size,
        .full_size = sizeof *function,
        .name = function->name,
        .missing = FIRST_NULL({"bind", function->bind != NULL}, {"call", function->call != NULL}),
    };
    return check_function(&head, function->volatility, error);
}

static int check_aggregate(const struct weir_aggregate_function *function,
                           struct weir_error *error) {
    const char *what = "aggregate function";
    WR_TRY(check_size(what, "aggregate_function", function, FIRST_AGGREGATE_SIZE, error));
    const struct head head = {
        .what = what,
        .kind = function,
        .size = function->size,
        .full_size = sizeof *function,
        .name = function->name,
        .missing =
            FIRST_NULL({"bind", function->bind != NULL}, {"open", function->open != NULL},
                       {"close", function->close != NULL}, {"update", function->update != NULL},
                       {"merge", function->merge != NULL}, {"take", function->take != NULL}),
    };
    return check_function(&head, function->volatility, error);
}

/* An extension of names must be free to mean this encoding. */
static int check_suffix(const struct weir_encoding *encoding, const char *suffix,
                        struct weir_error *error) {
    if (!wr_is_kind_name(suffix))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "encoding \"%s\": its suffix \"%s\" is not a lower case letter, then "
                            "lower case letters, digits and underscores",
                            encoding->name, suffix);
    if (wr_format_parse(NULL, suffix) == WR_FORMAT_UNKNOWN &&
        wr_compression_parse(suffix) == WR_COMPRESSION_UNKNOWN && strcmp(suffix, "sql") != 0)
        return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                        "encoding \"%s\": files named *.%s are weir's own", encoding->name, suffix);
}

static int check_encoding(const struct weir_encoding *encoding, struct weir_error *error) {
    const char *what = "encoding";
    WR_TRY(check_size(what, "encoding", encoding, FIRST_ENCODING_SIZE, error));
    const struct head head = {
        .what = what,
        .kind = encoding,
        .size = encoding->size,
        .full_size = sizeof *encoding,
        .name = encoding->name,
        .missing = FIRST_NULL({"read", encoding->read != NULL}),
        .options = encoding->options,
        .n_options = encoding->n_options,
    };
    WR_TRY(check_head(&head, error));
    WR_TRY(check_suffix(encoding, encoding->name, error));
    for (const char *const *suffix = encoding->suffixes; suffix && *suffix; suffix++)
        WR_TRY(check_suffix(encoding, *suffix, error));
    return WEIR_OK;
}

int wr_registration_check(const struct wr_registration *item, struct weir_error *error) {
    return item->find        ? WEIR_OK
           : item->mount     ? check_mount(item->mount, error)
           : item->scalar    ? check_scalar(item->scalar, error)
           : item->aggregate ? check_aggregate(item->aggregate, error)
           : item->encoding  ? check_encoding(item->encoding, error)
                             : check_kind(item->table, error);
}

/* ---- Structures of this version's size ---- */

/* Of `size` bytes as one of `full_size`; untouched when it is that large. */
static int complete(const void *given, size_t size, size_t full_size, void **ret_copy,
                    struct weir_error *error) {
    if (size >= full_size) return WEIR_OK;
    char *copy = wr_calloc(1, full_size);
    if (!copy) return wr_error_memory(error);
    memcpy(copy, given, size);
    memcpy(copy, &full_size, sizeof full_size);
    *ret_copy = copy;
    return WEIR_OK;
}

#define COMPLETE(member)                                                                           \
    if (item->member) {                                                                            \
        WR_TRY(complete(item->member, item->member->size, sizeof *item->member, &copy, error));    \
        if (copy) item->member = copy;                                                             \
    }

int wr_registration_complete(struct wr_registration *item, void **ret_copy,
                             struct weir_error *error) {
    void *copy = NULL;
    COMPLETE(table)
    COMPLETE(mount)
    COMPLETE(scalar)
    COMPLETE(aggregate)
    COMPLETE(encoding)
    *ret_copy = copy;
    return WEIR_OK;
}
