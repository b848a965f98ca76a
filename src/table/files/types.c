/* SPDX-License-Identifier: Apache-2.0 */
/* Formats and compressions: their names, extensions and first bytes. */
#include "table/files/files.h"

#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name;
    const char *engine_name;
    bool text;
} formats[] = {
    [WR_FORMAT_UNKNOWN] = {"unknown", NULL, false},
    [WR_FORMAT_PARQUET] = {"parquet", "parquet", false},
    [WR_FORMAT_CSV] = {"csv", "csv", true},
    [WR_FORMAT_TSV] = {"tsv", "csv", true},
    [WR_FORMAT_JSON] = {"json", "json", true},
    [WR_FORMAT_JSON_LINES] = {"jsonl", "json", true},
    [WR_FORMAT_ARROW] = {"arrow", "arrow", false},
    [WR_FORMAT_AVRO] = {"avro", "avro", false},
};

static const struct {
    const char *text;
    enum wr_file_format format;
} extensions[] = {
    {"parquet", WR_FORMAT_PARQUET},  {"pq", WR_FORMAT_PARQUET},        {"csv", WR_FORMAT_CSV},
    {"tsv", WR_FORMAT_TSV},          {"tab", WR_FORMAT_TSV},           {"json", WR_FORMAT_JSON},
    {"jsonl", WR_FORMAT_JSON_LINES}, {"ndjson", WR_FORMAT_JSON_LINES}, {"arrow", WR_FORMAT_ARROW},
    {"arrows", WR_FORMAT_ARROW},     {"feather", WR_FORMAT_ARROW},     {"ipc", WR_FORMAT_ARROW},
    {"avro", WR_FORMAT_AVRO},
};

static const struct {
    const char *text;
    enum wr_file_compression compression;
} compressions[] = {
    {"none", WR_COMPRESSION_NONE},   {"uncompressed", WR_COMPRESSION_NONE},
    {"gzip", WR_COMPRESSION_GZIP},   {"gz", WR_COMPRESSION_GZIP},
    {"zstd", WR_COMPRESSION_ZSTD},   {"zst", WR_COMPRESSION_ZSTD},
    {"bzip2", WR_COMPRESSION_BZIP2}, {"bz2", WR_COMPRESSION_BZIP2},
    {"xz", WR_COMPRESSION_XZ},
};

static const struct weir_encoding *encoding_of(const struct wr_encodings *encodings,
                                               enum wr_file_format format) {
    return wr_encodings_at(encodings, (int)format - (int)WR_FORMAT_OF_EXTENSION);
}

const char *wr_format_name(const struct wr_encodings *encodings, enum wr_file_format format) {
    const struct weir_encoding *encoding = encoding_of(encodings, format);
    return encoding ? encoding->name : formats[format].name;
}

const char *wr_format_engine_name(const struct wr_encodings *encodings,
                                  enum wr_file_format format) {
    const struct weir_encoding *encoding = encoding_of(encodings, format);
    return encoding ? encoding->name : formats[format].engine_name;
}

bool wr_format_is_text(enum wr_file_format format) {
    return format < WR_FORMAT_OF_EXTENSION && formats[format].text;
}

bool wr_format_same_family(enum wr_file_format a, enum wr_file_format b) {
    if (a == b) return true;
    if (!a || !b || a >= WR_FORMAT_OF_EXTENSION || b >= WR_FORMAT_OF_EXTENSION) return false;
    return strcmp(formats[a].engine_name, formats[b].engine_name) == 0;
}

const char *wr_compression_name(enum wr_file_compression compression) {
    switch (compression) {
    case WR_COMPRESSION_GZIP:
        return "gzip";
    case WR_COMPRESSION_ZSTD:
        return "zstd";
    case WR_COMPRESSION_BZIP2:
        return "bzip2";
    case WR_COMPRESSION_XZ:
        return "xz";
    default:
        return NULL;
    }
}

static enum wr_file_format format_of(const struct wr_encodings *encodings, const char *text,
                                     size_t length) {
    for (size_t i = 0; i < COUNT(extensions); i++) {
        if (strlen(extensions[i].text) == length &&
            strncasecmp(extensions[i].text, text, length) == 0)
            return extensions[i].format;
    }
    int number = wr_encodings_find(encodings, text, length);
    return number < 0 ? WR_FORMAT_UNKNOWN
                      : (enum wr_file_format)((int)WR_FORMAT_OF_EXTENSION + number);
}

enum wr_file_format wr_format_parse(const struct wr_encodings *encodings, const char *text) {
    return format_of(encodings, text, strlen(text));
}

enum wr_file_compression wr_compression_parse(const char *text) {
    for (size_t i = 0; i < COUNT(compressions); i++) {
        if (strcasecmp(compressions[i].text, text) == 0) return compressions[i].compression;
    }
    return WR_COMPRESSION_UNKNOWN;
}

/* The last '.' in name[0..length), but not that of a hidden name; NULL: there is none. */
static const char *last_dot(const char *name, size_t length) {
    while (length > 1) {
        if (name[--length] == '.') return name + length;
    }
    return NULL;
}

/* The type, and the length of the name without what told it. */
static struct wr_file_type take_name_apart(const struct wr_encodings *encodings, const char *name,
                                           size_t *ret_stem) {
    size_t length = strlen(name);
    struct wr_file_type type = {WR_FORMAT_UNKNOWN, WR_COMPRESSION_NONE};
    const char *dot = last_dot(name, length);
    *ret_stem = 0;
    if (!dot) return type;
    enum wr_file_compression compression = wr_compression_parse(dot + 1);
    if (compression > WR_COMPRESSION_NONE) {
        type.compression = compression;
        length = (size_t)(dot - name);
        dot = last_dot(name, length);
        if (!dot) return type;
    }
    type.format = format_of(encodings, dot + 1, (size_t)(name + length - dot - 1));
    if (type.format) *ret_stem = (size_t)(dot - name);
    return type;
}

struct wr_file_type wr_type_of_name(const struct wr_encodings *encodings, const char *name) {
    size_t stem;
    const char *slash = strrchr(name, '/');
    return take_name_apart(encodings, slash ? slash + 1 : name, &stem);
}

size_t wr_stem_length(const struct wr_encodings *encodings, const char *name) {
    size_t stem;
    take_name_apart(encodings, name, &stem);
    return stem;
}

static bool begins(const void *data, size_t length, const char *magic, size_t n_magic) {
    return length >= n_magic && memcmp(data, magic, n_magic) == 0;
}

enum wr_file_compression wr_compression_of_bytes(const void *data, size_t length) {
    if (begins(data, length, "\x1F\x8B\x08", 3)) return WR_COMPRESSION_GZIP;
    if (begins(data, length, "\x28\xB5\x2F\xFD", 4)) return WR_COMPRESSION_ZSTD;
    if (begins(data, length, "BZh", 3)) return WR_COMPRESSION_BZIP2;
    if (begins(data, length,
               "\xFD"
               "7zXZ\0",
               6))
        return WR_COMPRESSION_XZ;
    return WR_COMPRESSION_NONE;
}

static size_t skip_blanks(const char *data, size_t length, size_t from) {
    while (from < length &&
           (data[from] == ' ' || data[from] == '\t' || data[from] == '\r' || data[from] == '\n'))
        from++;
    return from;
}

/* '{' and a key, '[' and an object, or either closed at once. */
static bool looks_like_json(const char *data, size_t length) {
    size_t start = begins(data, length, "\xEF\xBB\xBF", 3) ? 3 : 0;
    size_t first = skip_blanks(data, length, start);
    size_t second = skip_blanks(data, length, first + 1);
    if (second >= length) return false;
    if (data[first] == '{') return data[second] == '"' || data[second] == '}';
    return data[first] == '[' && (data[second] == '{' || data[second] == ']');
}

enum wr_file_format wr_format_of_bytes(const char *data, size_t length, bool complete) {
    if (begins(data, length, "PAR1", 4) || begins(data, length, "PARE", 4))
        return WR_FORMAT_PARQUET;
    if (begins(data, length, "ARROW1", 6)) return WR_FORMAT_ARROW;
    /* An IPC stream: continuation marker, then the schema message's length, a multiple of eight. */
    if (length >= 8 && begins(data, length, "\xFF\xFF\xFF\xFF", 4) && data[4] % 8 == 0 &&
        data[7] == 0)
        return WR_FORMAT_ARROW;
    if (begins(data, length, "Obj\1", 4)) return WR_FORMAT_AVRO;
    if (looks_like_json(data, length)) return WR_FORMAT_JSON;
    if (memchr(data, '\0', length)) return WR_FORMAT_UNKNOWN;
    struct wr_csv_dialect dialect = {.header = -1};
    if (!wr_csv_sniff(data, length, complete, &dialect) || !dialect.steady)
        return WR_FORMAT_UNKNOWN;
    return WR_FORMAT_CSV;
}
