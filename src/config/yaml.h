/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as far as a configuration needs it: nested mappings of texts and lists of texts. Each is
 * handed over as it comes, under its dotted path and with its line; so are the problems, after
 * which reading goes on where it can. Anchors, aliases, tags and a second document are problems.
 */
#ifndef WR_CONFIG_YAML_H
#define WR_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "weir.h"

/* A code other than 0 ends the reading with it. */
struct wr_yaml_reader {
    void *context;
    /* `text` NULL: none was written, or null. */
    int (*value)(void *context, const char *path, const char *text, size_t line,
                 struct weir_error *error);
    /* *ret_enter false: what is in it is skipped. A list that is entered comes as a value, its
     * items with a newline between them. */
    int (*mapping)(void *context, const char *path, bool is_list, size_t line, bool *ret_enter,
                   struct weir_error *error);
    int (*problem)(void *context, size_t line, const char *message, struct weir_error *error);
};

int wr_yaml_read(const struct wr_yaml_reader *reader, const char *text, size_t length,
                 struct weir_error *error);

#endif
