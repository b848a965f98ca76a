/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/sqlite.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

struct storage {
    const char *format;  /* as the driver gives it */
    const char *example; /* what makes it do so */
};

static struct storage storage_of(const char *format) {
    switch (format[0]) {
    case 'b':
    case 'c':
    case 'C':
    case 's':
    case 'S':
    case 'i':
    case 'I':
    case 'l':
    case 'L':
        return (struct storage){"l", "0"};
    case 'e':
    case 'f':
    case 'g':
    case 'd': /* decimals */
        return (struct storage){"g", "0.5"};
    case 'z':
    case 'Z':
    case 'w':
        return (struct storage){"z", "x'00'"};
    case 'v':
        if (format[1] == 'z') return (struct storage){"z", "x'00'"};
        break;
    default:
        break;
    }
    return (struct storage){"u", "''"}; /* texts, dates and times, and whatever SQLite has not */
}

/*
 * WITH weir (c0, c1) AS (<sql>)
 * SELECT 0, '' UNION ALL SELECT c0, CAST(c1 AS TEXT) FROM weir
 *
 * The casts are SQLite's own way from a number to a text, in place of the driver's.
 */
int wr_adbc_sqlite_statement(const char *sql, const struct ArrowSchema *schema, char **ret_sql,
                             struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 30);
    wr_buffer_text(&text, "WITH weir (");
    for (int64_t i = 0; i < schema->n_children; i++)
        wr_buffer_format(&text, "%sc%lld", i ? ", " : "", (long long)i);
    /* The statement may end in a comment. */
    wr_buffer_format(&text, ") AS (%s\n) SELECT ", sql);
    for (int64_t i = 0; i < schema->n_children; i++) {
        wr_buffer_format(&text, "%s%s", i ? ", " : "",
                         storage_of(schema->children[i]->format).example);
    }
    wr_buffer_text(&text, " UNION ALL SELECT ");
    for (int64_t i = 0; i < schema->n_children; i++) {
        char type = storage_of(schema->children[i]->format).format[0];
        if (i) wr_buffer_text(&text, ", ");
        wr_buffer_format(&text,
                         type == 'u'   ? "CAST(c%lld AS TEXT)"
                         : type == 'z' ? "CAST(c%lld AS BLOB)"
                                       : "c%lld",
                         (long long)i);
    }
    wr_buffer_text(&text, " FROM weir");
    char *made = wr_buffer_take(&text);
    if (!made) return wr_error_memory(error);
    *ret_sql = made;
    return WEIR_OK;
}

int wr_adbc_sqlite_types(const struct ArrowSchema *schema, char ***ret_types,
                         struct weir_error *error) {
    size_t n = (size_t)schema->n_children;
    char **types = wr_calloc(n, sizeof *types);
    bool failed = !types;
    for (size_t i = 0; i < n && !failed; i++) {
        types[i] = wr_strdup(storage_of(schema->children[i]->format).format);
        failed = !types[i];
    }
    if (!failed) {
        *ret_types = types;
        return WEIR_OK;
    }
    for (size_t i = 0; types && i < n; i++)
        wr_free(types[i]);
    wr_free(types);
    return wr_error_memory(error);
}
