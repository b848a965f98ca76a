/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extension with an encoding, "lines": a text of numbers, a line each, read as the columns id
 * and text. Its option `factor` multiplies; a file that begins with "!WORD" is read wrongly, in the
 * way that the word says. It registers what it must not, in the way that its option `how` says.
 */
#include "functions.h"

#include <errno.h>

WEIR_EXPORT _Atomic int64_t enc_n_open;

enum { MOST_BYTES = 1 << 16, ROWS_AT_ONCE = 3 };

struct reading {
    char text[MOST_BYTES]; /* the file */
    const char *at;
    char how[32];
    int64_t factor;
    int n_batches;
    char message[64];
};

static int is(const struct reading *reading, const char *how) {
    return strcmp(reading->how, how) == 0;
}

static int lines_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    const struct reading *reading = stream->private_data;
    if (is(reading, "no_schema")) return EINVAL;
    types("l", 2, ret_schema);
    ret_schema->children[0]->name = "id";
    ret_schema->children[1]->name = "text";
    ret_schema->children[1]->format = "u";
    if (is(reading, "released")) ret_schema->release(ret_schema);
    if (is(reading, "column")) ret_schema->format = "l", ret_schema->n_children = 0;
    if (is(reading, "nonsense")) ret_schema->children[1]->format = "nonsense";
    if (is(reading, "children")) ret_schema->n_children = -1;
    if (is(reading, "latin")) ret_schema->children[0]->name = "\xff";
    return 0;
}

/* What is wrong with a batch, when it is otherwise done. */
static void spoil(const struct reading *reading, struct ArrowArray *batch) {
    struct ArrowArray *id = batch->children[0], *text = batch->children[1];
    if (is(reading, "short")) id->length--;
    if (is(reading, "negative")) batch->length = -1;
    if (is(reading, "offset")) id->offset = INT64_MAX;
    if (is(reading, "buffer")) id->buffers[1] = NULL;
    if (is(reading, "buffers")) text->n_buffers = 2;
    if (is(reading, "missing")) text->release(text), batch->n_children = 1;
    if (is(reading, "nulls")) id->null_count = 99;
    if (is(reading, "beyond")) ((int32_t *)(uintptr_t)text->buffers[1])[1] = INT32_MAX;
    if (is(reading, "utf8")) *(char *)(uintptr_t)text->buffers[2] = '\xff';
}

static int lines_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct reading *reading = stream->private_data;
    if (is(reading, "silent") && reading->n_batches == 1) return EIO;
    if (is(reading, "late") && reading->n_batches == 1) {
        snprintf(reading->message, sizeof reading->message, "line 4 is smudged");
        return EINVAL;
    }
    struct answer *columns[] = {answer_new(ROWS_AT_ONCE, -1), answer_new(ROWS_AT_ONCE, 256)};
    int64_t n = 0;
    for (; n < ROWS_AT_ONCE && *reading->at; n++) {
        size_t length = strcspn(reading->at, "\n");
        columns[0]->numbers[n] = strtoll(reading->at, NULL, 10) * reading->factor;
        memcpy(columns[1]->text + columns[1]->offsets[n], reading->at, length);
        columns[1]->offsets[n + 1] = columns[1]->offsets[n] + (int32_t)length;
        set_valid(columns[0], n), set_valid(columns[1], n);
        reading->at += length + (reading->at[length] == '\n');
    }
    columns[0]->n_null = columns[1]->n_null = 0;
    answer_struct(columns, 2, n, ret_array);
    if (n == 0) ret_array->release(ret_array);
    if (n > 0) spoil(reading, ret_array);
    reading->n_batches++;
    return 0;
}

static const char *lines_error(struct ArrowArrayStream *stream) {
    const struct reading *reading = stream->private_data;
    return *reading->message ? reading->message : NULL;
}

static void lines_release(struct ArrowArrayStream *stream) {
    enc_n_open--;
    free(stream->private_data);
    stream->release = NULL;
}

static int64_t option(const struct weir_option *options, size_t n_options, const char *key) {
    for (size_t i = 0; i < n_options; i++) {
        if (strcmp(options[i].key, key) == 0) return strtoll(options[i].value, NULL, 10);
    }
    return 1;
}

static int lines_read(void *private_data, struct weir_reader *file,
                      const struct weir_option *options, size_t n_options,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct reading *reading = calloc(1, sizeof *reading);
    size_t n = 0;
    (void)private_data;
    if (!reading) abort();
    /* In two pieces, of which the second one is asked for beyond the end. */
    int code = file->read_at(file, 0, reading->text, 4, &n, error);
    if (!code) code = file->read_at(file, (int64_t)n, reading->text + n, MOST_BYTES - 5, &n, error);
    if (code) return free(reading), code;
    reading->at = reading->text;
    if (*reading->at == '!') {
        sscanf(reading->at, "!%31[a-z_0-9]", reading->how);
        reading->at += strcspn(reading->at, "\n") + 1;
    }
    reading->factor = option(options, n_options, "factor");
    if (is(reading, "refused")) code = fail(error, WEIR_UNAUTHORIZED, "it is sealed");
    if (is(reading, "unsaid")) code = WEIR_IO;
    if (is(reading, "before"))
        code = file->read_at(file, -1, reading->text, 1, &n, error) ? WEIR_INVALID_DATA : WEIR_OK;
    if (is(reading, "after")) {
        code = file->read_at(file, file->n_bytes, reading->text, 1, &n, error);
        if (!code && n == 0) code = fail(error, WEIR_INVALID_DATA, "it ends too early");
    }
    if (code) return free(reading), code;
    if (is(reading, "empty")) return free(reading), WEIR_OK;
    enc_n_open++;
    *ret_rows =
        (struct ArrowArrayStream){lines_schema, lines_next, lines_error, lines_release, reading};
    return WEIR_OK;
}

/* ---- Writing ---- */

static int write_rows(struct ArrowArrayStream *rows, int64_t factor, weir_write_fn write,
                      void *sink, struct weir_error *error) {
    struct ArrowArray batch;
    for (;;) {
        if (rows->get_next(rows, &batch)) return fail(error, WEIR_IO, rows->get_last_error(rows));
        if (!batch.release) return WEIR_OK;
        int code = WEIR_OK;
        for (int64_t i = 0; i < batch.length && !code; i++) {
            char line[32];
            int64_t number = number_at(batch.children[0], i + batch.offset);
            int n = snprintf(line, sizeof line, "%lld\n", (long long)(number * factor));
            if (number == -13)
                code = fail(error, WEIR_INVALID_DATA, "it is superstitious");
            else if (write(sink, line, (size_t)n))
                code = fail(error, WEIR_IO, "it is full");
        }
        batch.release(&batch);
        if (code) return code;
    }
}

static int lines_write(void *private_data, struct ArrowArrayStream *rows,
                       const struct weir_option *options, size_t n_options, weir_write_fn write,
                       void *sink, struct weir_error *error) {
    struct ArrowSchema schema;
    (void)private_data;
    int code = rows->get_schema(rows, &schema) ? fail(error, WEIR_IO, "no schema") : WEIR_OK;
    if (!code && (schema.n_children != 1 || strcmp(schema.children[0]->format, "l") != 0))
        code = fail(error, WEIR_INVALID_ARGUMENT, "it holds one column of int64");
    if (schema.release) schema.release(&schema);
    if (!code) code = write_rows(rows, option(options, n_options, "factor"), write, sink, error);
    rows->release(rows);
    return code;
}

/* ---- The extension ---- */

static const char *const suffixes[] = {"ln", "lns", NULL};
static const struct weir_option_spec options[] = {{"factor", WEIR_OPTION_INTEGER, 0, "times"}};
static const struct weir_encoding lines = {
    .size = sizeof lines,
    .name = "lines",
    .summary = "numbers in lines",
    .suffixes = suffixes,
    .options = options,
    .n_options = 1,
    .read = lines_read,
    .write = lines_write,
};
static const struct weir_encoding sealed = {
    .size = sizeof sealed, .name = "sealed", .summary = "read only", .read = lines_read};

/* What no host takes. */
static int register_wrong(const struct weir_host *host, const char *how, struct weir_error *error) {
    static const char *const own[] = {"gz", NULL}, *const upper[] = {"X", NULL};
    static struct weir_encoding wrong;
    wrong = lines;
    wrong.name = "other";
    wrong.suffixes = NULL;
    if (strcmp(how, "null") == 0) return host->register_encoding(host->context, NULL, error);
    if (strcmp(how, "small") == 0) wrong.size = 8;
    if (strcmp(how, "no_read") == 0) wrong.read = NULL;
    if (strcmp(how, "format") == 0) wrong.name = "parquet";
    if (strcmp(how, "compression") == 0) wrong.suffixes = own;
    if (strcmp(how, "upper") == 0) wrong.suffixes = upper;
    if (strcmp(how, "twice") == 0) wrong.suffixes = suffixes;
    return host->register_encoding(host->context, &wrong, error);
}

WEIR_EXPORT int weir_extension_init(const struct weir_host *host,
                                    struct weir_extension *ret_extension,
                                    struct weir_error *error) {
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = WEIR_EXTENSION_ABI,
                                             .name = "encodings",
                                             .version = "1.0"};
    int code = host->register_encoding(host->context, &lines, error);
    if (!code) code = host->register_encoding(host->context, &sealed, error);
    if (!code && host->n_options > 0) code = register_wrong(host, host->options[0].value, error);
    return code;
}
