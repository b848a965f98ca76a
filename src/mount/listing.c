/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "internal.h"

static const char *const encodings[] = {"parquet", "arrow", "csv", "tsv", "json", "jsonl"};

size_t mount_encodings(const char *const **ret_names) {
    *ret_names = encodings;
    return sizeof encodings / sizeof *encodings;
}

const char *encoding_of_name(const char *name) {
    const char *dot = strrchr(name, '.');

    if (dot == NULL || dot == name) return NULL;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        if (strcmp(dot + 1, encodings[i]) == 0) return encodings[i];
    }
    return NULL;
}

struct reading {
    const struct mount_options *options;
    struct wr_buffer text;
    struct listing_name *names;
    size_t n_names, room;
    bool failed;
};

/* A quoted SQL name may be what no file can be called; such a table has no place here. */
static bool is_file_name(const char *name) {
    return name[0] != '\0' && strlen(name) <= NAME_MAX && strchr(name, '/') == NULL &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void add(struct reading *reading, const char *name, bool directory, bool encoded) {
    if (!is_file_name(name)) return;
    if (reading->n_names == reading->room) {
        size_t room = reading->room == 0 ? 64 : reading->room * 2;
        void *names = wr_reallocarray(reading->names, room, sizeof *reading->names);
        if (names == NULL) {
            reading->failed = true;
            return;
        }
        reading->names = names;
        reading->room = room;
    }
    reading->names[reading->n_names++] = (struct listing_name){
        .offset = reading->text.length, .directory = directory, .encoded = encoded};
    wr_buffer_add(&reading->text, name, strlen(name) + 1);
}

static void add_encoded(struct reading *reading, const char *table, const char *encoding) {
    char name[NAME_MAX + 1];

    if (table[0] == '\0' || strlen(table) + 1 + strlen(encoding) > NAME_MAX) return;
    strcpy(name, table);
    strcat(name, ".");
    strcat(name, encoding);
    add(reading, name, false, true);
}

/* Whether the entry is a file of that name, rather than a table of the catalog. */
static bool lies_there(const struct weir_node_entry *entry) {
    if (entry->type == WEIR_NODE_FILE || entry->type == WEIR_NODE_STRUCTURED) return true;
    /* Only a .sql file has a name that is not its table's, or a size. */
    return entry->type == WEIR_NODE_DERIVED &&
           (entry->n_bytes >= 0 || entry->table == NULL || strcmp(entry->name, entry->table) != 0);
}

static int take(void *context, const struct weir_node_entry *entry) {
    struct reading *reading = context;
    const struct mount_options *options = reading->options;
    bool directory = entry->type == WEIR_NODE_DIRECTORY || entry->type == WEIR_NODE_SERIES;
    bool own = !directory && lies_there(entry);

    if (directory || own) add(reading, entry->name, directory, false);
    if (entry->table != NULL && (entry->type != WEIR_NODE_STRUCTURED || options->every_table)) {
        const char *extension = own ? encoding_of_name(entry->name) : NULL;
        for (size_t i = 0; i < options->n_encodings; i++) {
            if (extension == NULL || strcmp(extension, options->encodings[i]) != 0)
                add_encoded(reading, entry->table, options->encodings[i]);
        }
    }
    return reading->failed || reading->text.failed;
}

static int by_name(const void *a, const void *b, void *text) {
    const struct listing_name *left = a, *right = b;
    int order = strcmp((char *)text + left->offset, (char *)text + right->offset);
    return order != 0 ? order : (int)left->encoded - (int)right->encoded;
}

/* What lies there hides a table of the same name. */
static void sort(struct reading *reading) {
    size_t n = 0;

    qsort_r(reading->names, reading->n_names, sizeof *reading->names, by_name, reading->text.data);
    for (size_t i = 0; i < reading->n_names; i++) {
        if (n == 0 || strcmp(reading->text.data + reading->names[n - 1].offset,
                             reading->text.data + reading->names[i].offset) != 0)
            reading->names[n++] = reading->names[i];
    }
    reading->n_names = n;
}

int listing_read(const struct mount_options *options, const struct weir_node *node,
                 struct listing **ret_listing, struct weir_error *error) {
    struct reading reading = {.options = options};
    struct listing *listing = NULL;

    wr_buffer_init(&reading.text, (size_t)1 << 30);
    int code = weir_node_list(node, take, &reading, error);
    if (code == WEIR_OK && (reading.failed || reading.text.failed ||
                            (listing = wr_calloc(1, sizeof *listing)) == NULL))
        code = wr_error_memory(error);
    if (code != WEIR_OK) {
        wr_free(reading.names);
        wr_buffer_reset(&reading.text);
        return code;
    }
    if (reading.n_names > 0) sort(&reading);
    listing->names = reading.names;
    listing->n_names = reading.n_names;
    listing->text = wr_buffer_take(&reading.text);
    *ret_listing = listing;
    return WEIR_OK;
}

void listing_free(struct listing *listing) {
    if (listing == NULL) return;
    wr_free(listing->text);
    wr_free(listing->names);
    wr_free(listing);
}
