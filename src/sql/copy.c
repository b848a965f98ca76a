/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [EXPLAIN [ANALYZE] [VERBOSE]] COPY table|(query) TO 'target' [WITH] (key [=] value, ...),
 * rewritten to the engine's form
 *
 *     COPY ... TO 'target' STORED AS format PARTITIONED BY (columns) OPTIONS ('format.key' 'value',
 * ...)
 *
 * The text up to the target stays as it is, so that positions in it stay true. The engine's own
 * form passes untouched. Keys that are not the format's are refused here, where the place is known.
 */
#include "sql/grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/encodings.h"

/* OTHER: an encoding of an extension, whose own options are dotted keys. */
enum format { PARQUET = 1, CSV = 2, JSON = 4, ARROW = 8, OTHER = 16, ANY = 31 };

static const struct format_name {
    const char *name;
    const char *engine_name;
    enum format format;
} format_names[] = {
    {"parquet", "PARQUET", PARQUET}, {"csv", "CSV", CSV},     {"tsv", "CSV", CSV},
    {"json", "JSON", JSON},          {"jsonl", "JSON", JSON}, {"ndjson", "JSON", JSON},
    {"arrow", "ARROW", ARROW},
};

enum key {
    FORMAT,
    PARTITION_BY,
    OVERWRITE,
    COMPRESSION,
    COMPRESSION_LEVEL,
    ROW_GROUP_SIZE,
    HEADER,
    DELIMITER,
    QUOTE,
    ESCAPE,
    NULL_TEXT,
    N_KEYS
};

enum value_type { SPECIAL, BOOLEAN, INTEGER, BYTE, TEXT };

static const struct rule {
    const char *name;
    const char *target; /* the engine's key; NULL: handled by itself */
    enum value_type type;
    int formats;
} rules[N_KEYS] = {
    [FORMAT] = {"FORMAT", NULL, SPECIAL, ANY},
    [PARTITION_BY] = {"PARTITION_BY", NULL, SPECIAL, ANY},
    [OVERWRITE] = {"OVERWRITE", "weir.overwrite", BOOLEAN, ANY},
    [COMPRESSION] = {"COMPRESSION", NULL, SPECIAL, PARQUET | CSV | JSON},
    [COMPRESSION_LEVEL] = {"COMPRESSION_LEVEL", NULL, INTEGER, PARQUET | CSV | JSON},
    [ROW_GROUP_SIZE] = {"ROW_GROUP_SIZE", "format.max_row_group_size", INTEGER, PARQUET},
    [HEADER] = {"HEADER", "format.has_header", BOOLEAN, CSV},
    [DELIMITER] = {"DELIMITER", "format.delimiter", BYTE, CSV},
    [QUOTE] = {"QUOTE", "format.quote", BYTE, CSV},
    [ESCAPE] = {"ESCAPE", "format.escape", BYTE, CSV},
    [NULL_TEXT] = {"NULL", "format.null_value", TEXT, CSV},
};

static const struct {
    const char *name;
    enum key key;
} other_names[] = {
    {"HAS_HEADER", HEADER}, {"SEP", DELIMITER}, {"DELIM", DELIMITER}, {"NULLSTR", NULL_TEXT}};

/* A codec's name in Parquet, where levels are part of it (default 0: it has none), and for whole
 * text files; NULL: not there. */
static const struct codec {
    const char *name;
    const char *parquet;
    int default_level;
    const char *text;
} codecs[] = {
    {"zstd", "zstd", 3, "zstd"},
    {"gzip", "gzip", 6, "gzip"},
    {"snappy", "snappy", 0, NULL},
    {"lz4", "lz4_raw", 0, NULL},
    {"lz4_raw", "lz4_raw", 0, NULL},
    {"brotli", "brotli", 6, NULL},
    {"bzip2", NULL, 0, "bzip2"},
    {"xz", NULL, 0, "xz"},
    {"none", "uncompressed", 0, "uncompressed"},
    {"uncompressed", "uncompressed", 0, "uncompressed"},
};

#define N_OF(array) (sizeof(array) / sizeof *(array))

struct copy {
    struct wr_token tokens[N_KEYS];   /* of the keys that were given: type is not END */
    char *values[N_KEYS];             /* of PARTITION_BY: the engine's list */
    struct wr_options dotted;         /* keys of the engine, passed as they are */
    const struct format_name *format; /* NULL: not known */
    struct format_name other;         /* what it may point to */
};

static bool given(const struct copy *copy, enum key key) {
    return copy->tokens[key].type != WR_TOKEN_END;
}

static bool same(const char *a, const char *b) {
    const struct weir_option option = {a, ""};
    return wr_options_get(&option, 1, b) != NULL;
}

/* ---- Reading the list ---- */

static int unknown_key(struct wr_token token, const char *key, struct weir_error *error) {
    const char *names[N_KEYS];
    for (size_t i = 0; i < N_KEYS; i++)
        names[i] = rules[i].name;
    const char *nearest = wr_nearest(key, names, N_KEYS);
    int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "COPY: unknown option \"%s\"", key);
    if (nearest) wr_error_append(error, "; did you mean %s?", nearest);
    wr_error_append(error, nearest ? " It takes " : "; it takes ");
    for (size_t i = 0; i < N_KEYS; i++)
        wr_error_append(error, "%s, ", names[i]);
    wr_error_append(error, "and the engine's keys, such as format.date_format");
    return wr_parser_mark(token, code, error);
}

static int find_key(const char *name, struct wr_token token, enum key *ret_key,
                    struct weir_error *error) {
    for (size_t i = 0; i < N_KEYS; i++) {
        if (!same(rules[i].name, name)) continue;
        *ret_key = (enum key)i;
        return WEIR_OK;
    }
    for (size_t i = 0; i < N_OF(other_names); i++) {
        if (!same(other_names[i].name, name)) continue;
        *ret_key = other_names[i].key;
        return WEIR_OK;
    }
    return unknown_key(token, name, error);
}

static bool is_bare_name(const char *name) {
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    if (!*name || !strchr(first, *name)) return false;
    for (; *name; name++) {
        if (!strchr(first, *name) && !(*name >= '0' && *name <= '9')) return false;
    }
    return true;
}

/*
 * The engine compares the name with its quotes, if it is quoted, to the column's. Bare it is taken
 * as it is, without folding: so a name goes out bare, and one that cannot is refused.
 */
static int parse_partition(struct wr_parser *parser, struct wr_buffer *list,
                           struct weir_error *error) {
    struct wr_token token = parser->token;
    if (!wr_parser_at_name(parser) && (token.type != WR_TOKEN_STRING || token.unterminated))
        return wr_parser_expected(parser, "a column's name", error);
    struct wr_buffer name;
    wr_buffer_init(&name, token.length);
    wr_parser_value(parser, token, &name);
    int code = name.failed ? wr_error_memory(error) : WEIR_OK;
    if (!code && token.type != WR_TOKEN_WORD && !is_bare_name(name.data)) {
        code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "COPY: cannot partition by \"%s\", whose name needs quotes; "
                            "give it another name in the query with AS",
                            name.data);
        wr_parser_mark(token, code, error);
    }
    if (!code) {
        if (list->length > 0) wr_buffer_text(list, ", ");
        wr_buffer_text(list, name.data);
        if (list->failed) code = wr_error_memory(error);
        wr_parser_step(parser);
    }
    wr_buffer_reset(&name);
    return code;
}

static int parse_partitions(struct wr_parser *parser, struct wr_buffer *list,
                            struct weir_error *error) {
    wr_parser_accept_symbol(parser, '=');
    if (!wr_parser_accept_symbol(parser, '(')) return parse_partition(parser, list, error);
    do {
        WR_TRY(parse_partition(parser, list, error));
    } while (wr_parser_accept_symbol(parser, ','));
    if (wr_parser_accept_symbol(parser, ')')) return WEIR_OK;
    return wr_parser_expected(parser, "\",\" or \")\"", error);
}

static int partition_value(struct wr_parser *parser, char **ret_value, struct weir_error *error) {
    struct wr_buffer list;
    wr_buffer_init(&list, 2 * parser->lexer.length); /* "a,b" becomes "a, b" */
    int code = parse_partitions(parser, &list, error);
    char *value = code ? NULL : wr_buffer_take(&list);
    wr_buffer_reset(&list);
    if (code) return code;
    if (!value) return wr_error_memory(error);
    *ret_value = value;
    return WEIR_OK;
}

static bool at_item_end(const struct wr_parser *parser) {
    return wr_parser_at_symbol(parser, ',') || wr_parser_at_symbol(parser, ')');
}

static int given_twice(struct wr_token token, const char *name, struct weir_error *error) {
    int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "COPY: option %s is given twice; keep one of them", name);
    return wr_parser_mark(token, code, error);
}

static int parse_dotted(struct wr_parser *parser, struct copy *copy, const char *name,
                        struct wr_token token, struct weir_error *error) {
    char *value = NULL;
    WR_TRY(wr_parse_option_value(parser, &value, error));
    bool repeated = wr_options_get(copy->dotted.items, copy->dotted.n_items, name) != NULL;
    int code = repeated ? given_twice(token, name, error)
                        : wr_options_add(&copy->dotted, name, value, error);
    wr_free(value);
    return code;
}

static int parse_item(struct wr_parser *parser, struct copy *copy, struct weir_error *error) {
    struct wr_token token = parser->token;
    char *name = NULL;
    WR_TRY(wr_parse_option_key(parser, &name, error));
    enum key key = N_KEYS;
    int code = WEIR_OK;
    if (strchr(name, '.')) {
        code = parse_dotted(parser, copy, name, token, error);
    } else {
        code = find_key(name, token, &key, error);
        if (!code && given(copy, key)) code = given_twice(token, rules[key].name, error);
        if (!code) copy->tokens[key] = token;
    }
    wr_free(name);
    if (code || key == N_KEYS) return code;
    if (key == PARTITION_BY) return partition_value(parser, &copy->values[key], error);
    if (rules[key].type != BOOLEAN || !at_item_end(parser))
        return wr_parse_option_value(parser, &copy->values[key], error);
    copy->values[key] = wr_strdup("true"); /* a switch alone is on */
    return copy->values[key] ? WEIR_OK : wr_error_memory(error);
}

static int parse_list(struct wr_parser *parser, struct copy *copy, struct weir_error *error) {
    wr_parser_step(parser);
    while (!wr_parser_accept_symbol(parser, ')')) {
        WR_TRY(parse_item(parser, copy, error));
        if (!wr_parser_accept_symbol(parser, ',') && !wr_parser_at_symbol(parser, ')'))
            return wr_parser_expected(parser, "\",\" or \")\"", error);
    }
    return wr_parser_finish(parser, error);
}

/* ---- Checking ---- */

static const struct format_name *find_format(const char *name) {
    for (size_t i = 0; i < N_OF(format_names); i++) {
        if (same(format_names[i].name, name)) return &format_names[i];
    }
    return NULL;
}

/* One of weir's, or of an extension. */
static const struct format_name *find_any(const struct wr_parser *parser, struct copy *copy,
                                          const char *name) {
    const struct format_name *own = find_format(name);
    if (own) return own;
    const struct weir_encoding *encoding = wr_encodings_at(
        parser->encodings, wr_encodings_find(parser->encodings, name, strlen(name)));
    if (!encoding) return NULL;
    copy->other = (struct format_name){encoding->name, encoding->name, OTHER};
    return &copy->other;
}

static int choose_format(const struct wr_parser *parser, struct wr_token target, struct copy *copy,
                         struct weir_error *error) {
    if (given(copy, FORMAT)) {
        copy->format = find_any(parser, copy, copy->values[FORMAT]);
        if (copy->format) return WEIR_OK;
        int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "COPY: unknown FORMAT \"%s\"; it is one of ", copy->values[FORMAT]);
        for (size_t i = 0; i < N_OF(format_names); i++)
            wr_error_append(error, "%s%s", i > 0 ? ", " : "", format_names[i].name);
        return wr_parser_mark(copy->tokens[FORMAT], code, error);
    }
    /* The engine goes by the extension then; here it only decides which options are in place. */
    struct wr_buffer path;
    wr_buffer_init(&path, target.length);
    wr_parser_value(parser, target, &path);
    if (path.failed) return wr_error_memory(error);
    const char *dot = strrchr(path.data, '.');
    if (dot && !strchr(dot, '/')) copy->format = find_any(parser, copy, dot + 1);
    wr_buffer_reset(&path);
    return WEIR_OK;
}

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words; words++) {
        if (same(text, *words)) return true;
    }
    return false;
}

static bool is_positive(const char *text) {
    const struct weir_option option = {"n", text};
    return wr_options_get_int(&option, 1, "n", 0) > 0;
}

/* Puts a value into the engine's spelling. NULL when it is fine, else what was wanted. */
static const char *normalise(enum value_type type, char *value) {
    if (type == BOOLEAN) {
        bool on = is_one_of(value, (const char *[]){"true", "on", "yes", "1", NULL});
        if (!on && !is_one_of(value, (const char *[]){"false", "off", "no", "0", NULL}))
            return "true or false";
    }
    if (type == INTEGER && !is_positive(value)) return "a whole number above zero";
    if (type == BYTE) {
        if (strcmp(value, "\\t") == 0) strcpy(value, "\t");
        if (strlen(value) != 1 || (unsigned char)*value >= 0x80) return "one ASCII character";
    }
    return NULL;
}

static int check_values(struct copy *copy, struct weir_error *error) {
    for (size_t i = 0; i < N_KEYS; i++) {
        if (!given(copy, (enum key)i)) continue;
        if (copy->format && !(rules[i].formats & copy->format->format)) {
            int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                    "COPY: option %s does not apply to the format %s; leave it out",
                                    rules[i].name, copy->format->name);
            return wr_parser_mark(copy->tokens[i], code, error);
        }
        const char *wanted = normalise(rules[i].type, copy->values[i]);
        if (wanted) {
            int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                    "COPY: option %s must be %s, not '%s'", rules[i].name, wanted,
                                    copy->values[i]);
            return wr_parser_mark(copy->tokens[i], code, error);
        }
    }
    return WEIR_OK;
}

/* ---- Writing ---- */

static void write_option(struct wr_buffer *out, size_t *n_written, const char *key,
                         const char *value) {
    wr_buffer_text(out, (*n_written)++ > 0 ? ", " : " OPTIONS (");
    wr_buffer_literal(out, key);
    wr_buffer_char(out, ' ');
    wr_buffer_literal(out, value);
}

static int bad_codec(const struct copy *copy, bool parquet, struct weir_error *error) {
    int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "COPY: COMPRESSION '%s' is not one of ", copy->values[COMPRESSION]);
    const char *separator = "";
    for (size_t i = 0; i < N_OF(codecs); i++) {
        if (!(parquet ? codecs[i].parquet : codecs[i].text)) continue;
        wr_error_append(error, "%s%s", separator, codecs[i].name);
        separator = ", ";
    }
    wr_error_append(error, ", the codecs of %s", copy->format->name);
    return wr_parser_mark(copy->tokens[COMPRESSION], code, error);
}

static int bad_level(const struct copy *copy, const char *why, struct weir_error *error) {
    int code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "COPY: COMPRESSION_LEVEL %s", why);
    return wr_parser_mark(copy->tokens[COMPRESSION_LEVEL], code, error);
}

static int write_parquet_compression(struct wr_buffer *out, size_t *n_written,
                                     const struct copy *copy, const struct codec *codec,
                                     struct weir_error *error) {
    const char *level = copy->values[COMPRESSION_LEVEL];
    char text[64];
    if (!codec->parquet) return bad_codec(copy, true, error);
    if (codec->default_level == 0) {
        if (level)
            return bad_level(copy, "needs a codec that has levels: zstd, gzip or brotli", error);
        write_option(out, n_written, "format.compression", codec->parquet);
        return WEIR_OK;
    }
    long long number = level ? strtoll(level, NULL, 10) : codec->default_level;
    snprintf(text, sizeof text, "%s(%lld)", codec->parquet, number);
    write_option(out, n_written, "format.compression", text);
    return WEIR_OK;
}

static int write_compression(struct wr_buffer *out, size_t *n_written, const struct copy *copy,
                             struct weir_error *error) {
    const char *name = copy->values[COMPRESSION], *level = copy->values[COMPRESSION_LEVEL];
    if (!name && !level) return WEIR_OK;
    if (!copy->format) {
        if (level) return bad_level(copy, "needs FORMAT beside it", error);
        write_option(out, n_written, "format.compression", name);
        return WEIR_OK;
    }
    bool parquet = copy->format->format == PARQUET;
    if (parquet && name && strchr(name, '(')) {
        if (level) return bad_level(copy, "is given a second time within COMPRESSION", error);
        write_option(out, n_written, "format.compression", name);
        return WEIR_OK;
    }
    const struct codec *codec = NULL;
    for (size_t i = 0; i < N_OF(codecs) && !codec; i++) {
        /* Parquet's is zstd unless another is named. */
        if (same(codecs[i].name, name ? name : parquet ? "zstd" : "none")) codec = &codecs[i];
    }
    if (!codec) return bad_codec(copy, parquet, error);
    if (parquet) return write_parquet_compression(out, n_written, copy, codec, error);
    if (!codec->text) return bad_codec(copy, false, error);
    bool plain = strcmp(codec->text, "uncompressed") == 0;
    if (level && plain) return bad_level(copy, "needs COMPRESSION beside it", error);
    write_option(out, n_written, "format.compression", codec->text);
    if (level) write_option(out, n_written, "format.compression_level", level);
    return WEIR_OK;
}

static void write_value(struct wr_buffer *out, size_t *n_written, const struct rule *rule,
                        const char *value) {
    char digit[4] = "";
    if (rule->type == BOOLEAN) {
        value =
            is_one_of(value, (const char *[]){"true", "on", "yes", "1", NULL}) ? "true" : "false";
    } else if (rule->type == BYTE && *value >= '0' && *value <= '9') {
        /* The engine reads digits as the byte's number. */
        digit[0] = '0' + *value / 10 % 10;
        digit[1] = '0' + *value % 10;
        value = digit;
    }
    write_option(out, n_written, rule->target, value);
}

static int write_copy(struct wr_buffer *out, const struct copy *copy, struct weir_error *error) {
    size_t n_written = 0;
    if (given(copy, FORMAT)) {
        wr_buffer_text(out, " STORED AS ");
        wr_buffer_text(out, copy->format->engine_name);
    }
    if (given(copy, PARTITION_BY)) {
        wr_buffer_text(out, " PARTITIONED BY (");
        wr_buffer_text(out, copy->values[PARTITION_BY]);
        wr_buffer_char(out, ')');
    }
    WR_TRY(write_compression(out, &n_written, copy, error));
    bool tabs = given(copy, FORMAT) && same(copy->format->name, "tsv");
    if (tabs && !given(copy, DELIMITER)) write_option(out, &n_written, "format.delimiter", "\t");
    for (size_t i = 0; i < N_KEYS; i++) {
        if (given(copy, (enum key)i) && rules[i].target)
            write_value(out, &n_written, &rules[i], copy->values[i]);
    }
    for (size_t i = 0; i < copy->dotted.n_items; i++)
        write_option(out, &n_written, copy->dotted.items[i].key, copy->dotted.items[i].value);
    if (n_written > 0) wr_buffer_char(out, ')');
    return WEIR_OK;
}

/* ---- The statement ---- */

/* Steps to the list's parenthesis. False: the statement is not ours. */
static bool scan_head(struct wr_parser *parser, struct wr_token *ret_target) {
    if (wr_parser_accept_word(parser, "EXPLAIN")) {
        while (wr_parser_accept_word(parser, "ANALYZE") || wr_parser_accept_word(parser, "VERBOSE"))
            continue;
    }
    if (!wr_parser_accept_word(parser, "COPY")) return false;
    while (!wr_parser_at_word(parser, "TO")) {
        if (parser->token.type == WR_TOKEN_END || wr_parser_at_symbol(parser, ';')) return false;
        if (wr_parser_at_symbol(parser, '(')) {
            if (!wr_parser_skip_parentheses(parser)) return false;
        } else {
            wr_parser_step(parser);
        }
    }
    wr_parser_step(parser);
    *ret_target = parser->token;
    if (parser->token.type != WR_TOKEN_STRING || parser->token.unterminated) return false;
    wr_parser_step(parser);
    struct wr_parser ahead = *parser;
    if (wr_parser_accept_word(&ahead, "WITH") && wr_parser_at_symbol(&ahead, '(')) *parser = ahead;
    return wr_parser_at_symbol(parser, '(');
}

static int rewrite(struct wr_parser *parser, struct wr_token target, struct copy *copy,
                   char **ret_text, struct weir_error *error) {
    WR_TRY(parse_list(parser, copy, error));
    WR_TRY(choose_format(parser, target, copy, error));
    WR_TRY(check_values(copy, error));
    struct wr_buffer out;
    wr_buffer_init(&out, 4 * parser->lexer.length + 1024); /* what is added is shorter than this */
    wr_buffer_add(&out, parser->lexer.text, target.start + target.length);
    int code = write_copy(&out, copy, error);
    char *text = code ? NULL : wr_buffer_take(&out);
    wr_buffer_reset(&out);
    if (code) return code;
    if (!text) return wr_error_memory(error);
    *ret_text = text;
    return WEIR_OK;
}

int wr_parse_copy(struct wr_parser *parser, struct wr_statement *statement, bool *ret_ours,
                  struct weir_error *error) {
    struct wr_token target;
    *ret_ours = scan_head(parser, &target);
    if (!*ret_ours) return WEIR_OK;
    struct copy copy = {0};
    int code = rewrite(parser, target, &copy, &statement->text, error);
    for (size_t i = 0; i < N_KEYS; i++)
        wr_free(copy.values[i]);
    wr_options_reset(&copy.dotted);
    return code;
}
