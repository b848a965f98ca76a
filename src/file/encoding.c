/* SPDX-License-Identifier: Apache-2.0 */
#include "file/encoding.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/options.h"

static const struct spelling {
    const char *text;
    const char *encoding;
} spellings[] = {
    {"parquet", "parquet"}, {"arrow", "arrow"},  {"csv", "csv"},    {"tsv", "tsv"},
    {"json", "json"},       {"jsonl", "jsonl"},  {"pq", "parquet"}, {"feather", "arrow"},
    {"ipc", "arrow"},       {"ndjson", "jsonl"},
};

enum { N_SPELLINGS = sizeof spellings / sizeof *spellings };

const char *wr_encoding_parse(const struct wr_encodings *encodings, const char *text) {
    for (size_t i = 0; i < N_SPELLINGS; i++) {
        if (strcasecmp(text, spellings[i].text) == 0) return spellings[i].encoding;
    }
    const struct weir_encoding *own =
        wr_encodings_at(encodings, wr_encodings_find(encodings, text, strlen(text)));
    return own ? own->name : NULL;
}

int wr_encoding_check(const struct wr_encodings *encodings, const char *text,
                      const char **ret_encoding, struct weir_error *error) {
    const char *encoding = wr_encoding_parse(encodings, text);
    if (encoding) {
        *ret_encoding = encoding;
        return WEIR_OK;
    }
    const char *names[N_SPELLINGS];
    for (size_t i = 0; i < N_SPELLINGS; i++)
        names[i] = spellings[i].text;
    const char *nearest = wr_nearest(text, names, N_SPELLINGS);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "there is no encoding \"%s\"%s%s%s; known: parquet, arrow, csv, tsv, json, "
                        "jsonl",
                        text, nearest ? "; the nearest is \"" : "", nearest ? nearest : "",
                        nearest ? "\"" : "");
}

const char *wr_path_extension(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot && dot > name && dot[1] ? dot + 1 : NULL;
}

const char *wr_encoding_of_path(const struct wr_encodings *encodings, const char *path,
                                size_t *ret_stem) {
    const char *extension = wr_path_extension(path);
    const char *encoding = extension ? wr_encoding_parse(encodings, extension) : NULL;
    if (encoding && ret_stem) *ret_stem = (size_t)(extension - 1 - path);
    return encoding;
}
