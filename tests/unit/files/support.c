/* SPDX-License-Identifier: Apache-2.0 */
#include "files_test.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "nanoarrow/nanoarrow.h"

static char directory[PATH_MAX];

int in_new_directory(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/weir-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path) || !realpath(path, directory)) return -1;
    return chdir(directory);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

int remove_directory(void **state) {
    (void)state;
    if (chdir("/") != 0) return -1;
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void put_bytes(const char *path, const void *data, size_t length) {
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(parent, 0700) != 0) assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), length);
    close(fd);
}

void put(const char *path, const char *text) {
    put_bytes(path, text, strlen(text));
}

void put_parquet(const char *path) {
    put_bytes(path, "PAR1\0\0\0\0\0\0\0\0PAR1", 16);
}

void put_compressed(const char *path, enum wr_file_compression compression, const char *text) {
    size_t length = strlen(text);
    size_t capacity = 2 * length + 4096;
    char *packed = malloc(capacity);
    assert_non_null(packed);
    size_t n_packed = 0;
    if (compression == WR_COMPRESSION_GZIP) {
        z_stream stream = {0};
        assert_int_equal(
            deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        stream.next_in = (Bytef *)text;
        stream.avail_in = (uInt)length;
        stream.next_out = (Bytef *)packed;
        stream.avail_out = (uInt)capacity;
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        n_packed = capacity - stream.avail_out;
        deflateEnd(&stream);
    } else if (compression == WR_COMPRESSION_ZSTD) {
        n_packed = ZSTD_compress(packed, capacity, text, length, 1);
        assert_false(ZSTD_isError(n_packed));
    } else if (compression == WR_COMPRESSION_BZIP2) {
        unsigned n = (unsigned)capacity;
        assert_int_equal(
            BZ2_bzBuffToBuffCompress(packed, &n, (char *)text, (unsigned)length, 1, 0, 0), BZ_OK);
        n_packed = n;
    } else {
        assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, (const uint8_t *)text,
                                                 length, (uint8_t *)packed, &n_packed, capacity),
                         LZMA_OK);
    }
    put_bytes(path, packed, n_packed);
    free(packed);
}

struct ArrowSchema columns_of(const char *name, ...) {
    struct ArrowSchema schema;
    ArrowSchemaInit(&schema);
    va_list arguments;
    int64_t n_columns = 0;
    va_start(arguments, name);
    for (const char *one = name; one; one = va_arg(arguments, const char *)) {
        va_arg(arguments, const char *);
        n_columns++;
    }
    va_end(arguments);
    assert_int_equal(ArrowSchemaSetTypeStruct(&schema, n_columns), NANOARROW_OK);
    va_start(arguments, name);
    for (int64_t i = 0; i < n_columns; i++, name = va_arg(arguments, const char *)) {
        assert_int_equal(ArrowSchemaSetFormat(schema.children[i], va_arg(arguments, const char *)),
                         NANOARROW_OK);
        assert_int_equal(ArrowSchemaSetName(schema.children[i], name), NANOARROW_OK);
    }
    va_end(arguments);
    return schema;
}

static int open_list(const struct ArrowSchema *columns, void **ret_table, struct weir_error *error,
                     va_list arguments) {
    struct weir_option options[16];
    size_t n_options = 0;
    for (const char *key; (key = va_arg(arguments, const char *)) != NULL;)
        options[n_options++] = (struct weir_option){key, va_arg(arguments, const char *)};
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = "weir",
        .schema = "public",
        .name = "t",
        .kind = "files",
        .options = options,
        .n_options = n_options,
        .columns = columns,
    };
    /* As the registry does before `open`. */
    int code = wr_options_check("t", wr_kind_files.options, wr_kind_files.n_options, options,
                                n_options, error);
    return code ? code : wr_kind_files.open(&definition, ret_table, error);
}

int open_table(const struct ArrowSchema *columns, void **ret_table, struct weir_error *error, ...) {
    va_list arguments;
    va_start(arguments, error);
    int code = open_list(columns, ret_table, error, arguments);
    va_end(arguments);
    return code;
}

struct weir_form form_with(const struct ArrowSchema *columns, ...) {
    struct weir_error error = {0};
    struct weir_form form = {0};
    void *table = NULL;
    va_list arguments;
    va_start(arguments, columns);
    if (open_list(columns, &table, &error, arguments) != 0 ||
        wr_kind_files.form(table, &form, &error) != 0)
        fail_msg("%s", error.message);
    va_end(arguments);
    wr_kind_files.close(table);
    assert_int_equal(form.type, WEIR_FORM_FILES);
    return form;
}

struct weir_error error_with(const struct ArrowSchema *columns, ...) {
    struct weir_error error = {0};
    void *table = NULL;
    va_list arguments;
    va_start(arguments, columns);
    int code = open_list(columns, &table, &error, arguments);
    va_end(arguments);
    assert_int_not_equal(code, WEIR_OK);
    assert_int_equal(code, error.code);
    assert_null(table);
    return error;
}

const char *option(const struct weir_form *form, const char *key) {
    const char *value = wr_options_get(form->files.options, form->files.n_options, key);
    return value ? value : "";
}

const char *below(const char *url) {
    size_t length = strlen("file://") + strlen(directory);
    assert_true(strlen(url) > length && strncmp(url + 7, directory, length - 7) == 0);
    return url + length + 1;
}

const char *names(const struct weir_form *form) {
    static char text[4096];
    text[0] = '\0';
    for (size_t i = 0; i < form->files.n_files; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", i ? " " : "",
                 below(form->files.files[i].url));
    }
    return text;
}
