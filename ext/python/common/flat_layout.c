/* SPDX-License-Identifier: Apache-2.0 */
#include "common/flat_layout.h"

#include <stdio.h>
#include <string.h>

static int fixed_width(const char *format) {
    static const struct {
        const char *formats;
        int width;
    } letters[] = {{"cC", 1}, {"sSe", 2}, {"iIf", 4}, {"lLg", 8}};
    int width = 0, precision, scale;
    if (strlen(format) == 1) {
        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
            if (strchr(letters[i].formats, format[0])) return letters[i].width;
        }
        return 0;
    }
    if (strncmp(format, "d:", 2) == 0) {
        int bits = 128;
        if (sscanf(format, "d:%d,%d,%d", &precision, &scale, &bits) < 2) return 0;
        return bits == 32 || bits == 64 || bits == 128 || bits == 256 ? bits / 8 : 0;
    }
    if (sscanf(format, "w:%d", &width) == 1) return width > 0 && width < 1 << 28 ? width : 0;
    if (format[0] != 't') return 0;
    if (strcmp(format, "tdD") == 0 || strcmp(format, "tts") == 0 || strcmp(format, "ttm") == 0 ||
        strcmp(format, "tiM") == 0)
        return 4;
    if (strcmp(format, "tin") == 0) return 16;
    return 8;
}

static bool nested(const struct ArrowSchema *type, struct wp_layout *layout) {
    const char *format = type->format + 1;
    layout->has_children = true;
    layout->n_buffers = 1;
    layout->sort = WP_LAYOUT_STRUCT;
    if (strcmp(format, "s") == 0) return true;
    if (type->n_children != 1) return false;
    layout->sort = WP_LAYOUT_FIXED_LIST;
    if (sscanf(format, "w:%d", &layout->width) == 1)
        return layout->width >= 0 && layout->width < 1 << 24;
    layout->sort = WP_LAYOUT_LIST;
    layout->n_buffers = 2;
    layout->width = strcmp(format, "L") == 0 ? 8 : 4;
    return strcmp(format, "l") == 0 || strcmp(format, "L") == 0 || strcmp(format, "m") == 0;
}

bool wp_layout_of(const struct ArrowSchema *type, struct wp_layout *ret_layout) {
    const char *format = type->format;
    struct wp_layout layout = {.sort = WP_LAYOUT_NULL};
    bool is_known = true;
    if (format[0] == '+') {
        is_known = nested(type, &layout);
    } else if (strcmp(format, "b") == 0) {
        layout = (struct wp_layout){WP_LAYOUT_BITS, 0, 2, false};
    } else if (strcmp(format, "u") == 0 || strcmp(format, "z") == 0) {
        layout = (struct wp_layout){WP_LAYOUT_VARIABLE, 4, 3, false};
    } else if (strcmp(format, "U") == 0 || strcmp(format, "Z") == 0) {
        layout = (struct wp_layout){WP_LAYOUT_VARIABLE, 8, 3, false};
    } else if (strcmp(format, "vu") == 0 || strcmp(format, "vz") == 0) {
        layout = (struct wp_layout){WP_LAYOUT_VIEW, 16, 3, false};
    } else if (strcmp(format, "n") != 0) {
        layout = (struct wp_layout){WP_LAYOUT_FIXED, fixed_width(format), 2, false};
        is_known = layout.width > 0;
    }
    if (type->dictionary && (layout.sort != WP_LAYOUT_FIXED || !strchr("cCsSiIlL", format[0])))
        is_known = false;
    if (is_known) *ret_layout = layout;
    return is_known;
}
