/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"

void sleep_ms(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool becomes(const atomic_int *value, int wanted) {
    for (int i = 0; i < 400 && *value != wanted; i++)
        sleep_ms(5);
    return *value == wanted;
}

bool contains(const char *text, const char *part) {
    if (strstr(text, part)) return true;
    print_message("\"%s\" does not contain \"%s\"\n", text, part);
    return false;
}

/* ---- Files ---- */

static char directory[PATH_MAX], path[PATH_MAX + 256];

const char *test_directory(void) {
    if (!directory[0]) {
        char name[] = "/tmp/weir-adbc-XXXXXX";
        if (!mkdtemp(name) || !realpath(name, directory)) abort();
    }
    return directory;
}

const char *write_file(const char *name, const char *text) {
    snprintf(path, sizeof path, "%s/%s", test_directory(), name);
    for (char *slash = path + strlen(directory) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file)) abort();
    return path;
}

static int remove_one(const char *name, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(name);
}

/* ---- The driver ---- */

int fake_reset(void **state) {
    (void)state;
    memset(fake(), 0, sizeof *fake());
    return 0;
}

int fake_is_closed(void **state) {
    (void)state;
    fake()->let_go = true;
    bool closed = becomes(&fake()->streams, 0) && becomes(&fake()->statements, 0) &&
                  becomes(&fake()->connections, 0) && becomes(&fake()->databases, 0);
    if (!closed)
        print_message("left open: %d streams, %d statements, %d connections, %d databases\n",
                      fake()->streams, fake()->statements, fake()->connections, fake()->databases);
    if (directory[0]) nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    directory[0] = '\0';
    return closed ? 0 : -1;
}

int fake_open(const char *const *options, struct wr_adbc_database **ret_database,
              struct weir_error *error) {
    struct weir_option items[16] = {{"url", FAKE_URL}, {"driver", FAKE_DRIVER}};
    size_t n = 2;
    for (; options && *options; options += 2)
        items[n++] = (struct weir_option){options[0], options[1]};
    return wr_adbc_database_open("far", items, n, ret_database, error);
}

struct wr_adbc_database *fake_must_open(const char *const *options) {
    struct wr_adbc_database *database = NULL;
    struct weir_error error = {0};
    if (fake_open(options, &database, &error)) fail_msg("%s", error.message);
    return database;
}

int64_t fake_sum(struct ArrowArrayStream *rows, int64_t *ret_n_rows, struct weir_error *error) {
    int64_t sum = 0, n_rows = 0;
    for (;;) {
        struct ArrowArray array = {0};
        int code = wr_arrow_stream_next(rows, "rows", &array, error);
        if (code) return -code;
        if (!array.release) break;
        const int64_t *values = array.children[0]->buffers[1];
        for (int64_t i = 0; i < array.length; i++)
            sum += values[array.children[0]->offset + i];
        n_rows += array.length;
        array.release(&array);
    }
    if (ret_n_rows) *ret_n_rows = n_rows;
    return sum;
}

int fake_query(struct wr_adbc_database *database, const char *sql, int64_t *ret_n_rows,
               struct weir_error *error) {
    struct ArrowArrayStream rows;
    int code = wr_adbc_query(database, sql, &rows, error);
    if (code) return code;
    int64_t sum = fake_sum(&rows, ret_n_rows, error);
    rows.release(&rows);
    return sum < 0 ? (int)-sum : WEIR_OK;
}

void fake_schema(struct ArrowSchema *ret_schema) {
    ArrowSchemaInit(ret_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(ret_schema, 1), 0);
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[0], "a"), 0);
}
