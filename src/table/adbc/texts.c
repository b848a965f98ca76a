/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are not UTF-8 break what Arrow promises, and the engine relies on it. SQLite holds
 * whatever was written, and a PostgreSQL server of encoding SQL_ASCII too; DuckDB checks by itself.
 */
#include <string.h>

#include "base/error.h"
#include "base/url.h"
#include "table/adbc/reader.h"

static bool is_ascii(const char *text, size_t length) {
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, 8);
        if (word & 0x8080808080808080U) return false;
    }
    for (; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80) return false;
    }
    return true;
}

static int64_t offset_at(const struct ArrowArray *array, bool is_large, int64_t i) {
    return is_large ? ((const int64_t *)array->buffers[1])[array->offset + i]
                    : ((const int32_t *)array->buffers[1])[array->offset + i];
}

static bool texts_are_utf8(const struct ArrowArray *array, bool is_large) {
    if (array->length == 0 || array->n_buffers < 3 || !array->buffers[1] || !array->buffers[2])
        return true;
    const char *data = array->buffers[2];
    int64_t first = offset_at(array, is_large, 0);
    int64_t last = offset_at(array, is_large, array->length);
    if (is_ascii(data + first, (size_t)(last - first))) return true;
    if (!wr_is_utf8(data + first, (size_t)(last - first))) return false;
    /* No text begins within a character. */
    for (int64_t i = 0; i < array->length; i++) {
        int64_t at = offset_at(array, is_large, i);
        if (at < last && ((unsigned char)data[at] & 0xC0) == 0x80) return false;
    }
    return true;
}

static bool is_valid(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    if (strcmp(schema->format, "u") == 0) return texts_are_utf8(array, false);
    if (strcmp(schema->format, "U") == 0) return texts_are_utf8(array, true);
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (!is_valid(schema->children[i], array->children[i])) return false;
    }
    return true;
}

int wr_adbc_check_texts(const struct wr_adbc_database *database, const struct ArrowSchema *schema,
                        const struct ArrowArray *array, struct weir_error *error) {
    if (database->core->family == WR_ADBC_DUCKDB) return WEIR_OK;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (is_valid(schema->children[i], array->children[i])) continue;
        return wr_error_set(error, WEIR_INVALID_DATA, "22021",
                            "database \"%s\": column %lld of the rows holds a text that is not "
                            "UTF-8",
                            database->name, (long long)i + 1);
    }
    return WEIR_OK;
}
