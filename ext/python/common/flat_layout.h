/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WP_FLAT_LAYOUT_H
#define WP_FLAT_LAYOUT_H

#include "common/common.h"

/* How a type lies in memory: arrow.apache.org/docs/format/Columnar.html, "Buffer listing". */
enum wp_layout_sort {
    WP_LAYOUT_NULL,
    WP_LAYOUT_BITS,
    WP_LAYOUT_FIXED,
    WP_LAYOUT_VARIABLE,
    WP_LAYOUT_VIEW,
    WP_LAYOUT_LIST,
    WP_LAYOUT_FIXED_LIST,
    WP_LAYOUT_STRUCT
};

struct wp_layout {
    enum wp_layout_sort sort;
    int width; /* bytes of a value or an offset; items of a fixed list */
    int n_buffers;
    bool has_children;
};

/* False for what is not passed on: unions, list views, run ends. */
bool wp_layout_of(const struct ArrowSchema *type, struct wp_layout *ret_layout);

#endif
