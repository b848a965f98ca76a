/* SPDX-License-Identifier: Apache-2.0 */
#include "table/system/rows.h"

#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"

/* ---- Columns ---- */

static int set_column(struct ArrowSchema *child, const struct wr_column *column) {
    static const enum ArrowType types[] = {
        [WR_COLUMN_TEXT] = NANOARROW_TYPE_STRING,
        [WR_COLUMN_INTEGER] = NANOARROW_TYPE_INT64,
        [WR_COLUMN_BOOLEAN] = NANOARROW_TYPE_BOOL,
    };
    int errnum = column->type == WR_COLUMN_TIMESTAMP
                     ? ArrowSchemaSetTypeDateTime(child, NANOARROW_TYPE_TIMESTAMP,
                                                  NANOARROW_TIME_UNIT_MICRO, "UTC")
                     : ArrowSchemaSetType(child, types[column->type]);
    if (!errnum) errnum = ArrowSchemaSetName(child, column->name);
    if (column->required) child->flags &= ~ARROW_FLAG_NULLABLE;
    return errnum;
}

int wr_columns_schema(const struct wr_column *columns, size_t n_columns,
                      struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowSchema schema;
    ArrowSchemaInit(&schema);
    int errnum = ArrowSchemaSetTypeStruct(&schema, (int64_t)n_columns);
    for (size_t i = 0; i < n_columns && !errnum; i++)
        errnum = set_column(schema.children[i], &columns[i]);
    if (errnum) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

/* ---- Cells ---- */

/*
 * A column that grows. The builder of nanoarrow 0.9 does not bear a failed allocation, so the
 * buffers are weir's own.
 */
struct wr_cells {
    struct wr_buffer valid;  /* a byte for each row */
    struct wr_buffer values; /* int64, a byte for each boolean, int32 offsets of a text */
    struct wr_buffer bytes;  /* of texts */
    int64_t n_nulls;
};

static void free_cells(struct wr_cells *cells, size_t n_columns) {
    for (size_t i = 0; cells && i < n_columns; i++) {
        wr_buffer_reset(&cells[i].valid);
        wr_buffer_reset(&cells[i].values);
        wr_buffer_reset(&cells[i].bytes);
    }
    wr_free(cells);
}

static void end_text(struct wr_cells *cells) {
    wr_buffer_add(&cells->values, &(int32_t){(int32_t)cells->bytes.length}, sizeof(int32_t));
}

int wr_rows_init(struct wr_rows *rows, const struct wr_column *columns, size_t n_columns,
                 struct weir_error *error) {
    *rows = (struct wr_rows){.columns = columns, .n_columns = n_columns};
    rows->cells = wr_calloc(n_columns, sizeof *rows->cells);
    if (!rows->cells) return wr_error_memory(error);
    for (size_t i = 0; i < n_columns; i++) {
        struct wr_cells *cells = &rows->cells[i];
        wr_buffer_init(&cells->valid, SIZE_MAX / 2);
        wr_buffer_init(&cells->values, SIZE_MAX / 2);
        wr_buffer_init(&cells->bytes, INT32_MAX);
        if (columns[i].type == WR_COLUMN_TEXT) end_text(cells);
        if (cells->values.failed) rows->out_of_room = true;
    }
    return WEIR_OK;
}

void wr_rows_reset(struct wr_rows *rows) {
    free_cells(rows->cells, rows->n_columns);
    rows->cells = NULL;
}

/* ---- Texts ---- */

/* Bytes of the character at `text`, 0 when they are none. */
static size_t character_length(const char *text) {
    for (size_t length = 1; length <= 4 && text[length - 1]; length++) {
        if (wr_is_utf8(text, length)) return length;
    }
    return 0;
}

/* The text's first bytes that are UTF-8. */
static size_t valid_length(const char *text) {
    size_t length = 0;
    while (text[length]) {
        size_t character = character_length(text + length);
        if (character == 0) break;
        length += character;
    }
    return length;
}

static void add_text(struct wr_buffer *bytes, const char *text) {
    for (;;) {
        size_t length = valid_length(text);
        wr_buffer_add(bytes, text, length);
        text += length;
        if (!*text) return;
        wr_buffer_text(bytes, "\xef\xbf\xbd");
        text++;
    }
}

/* ---- Appending ---- */

/* The column of the next cell; NULL when that cannot be, or nothing is appended any more. */
static struct wr_cells *next_cell(struct wr_rows *rows, enum wr_column_type type, bool is_null) {
    if (rows->misused || rows->out_of_room) return NULL;
    size_t column = rows->next++;
    bool fits = column < rows->n_columns &&
                (is_null ? !rows->columns[column].required : rows->columns[column].type == type);
    if (!fits) {
        rows->misused = column + 1;
        return NULL;
    }
    struct wr_cells *cells = &rows->cells[column];
    wr_buffer_char(&cells->valid, !is_null);
    cells->n_nulls += is_null;
    return cells;
}

static void check_room(struct wr_rows *rows, const struct wr_cells *cells) {
    rows->out_of_room = cells->valid.failed || cells->values.failed || cells->bytes.failed;
}

static void add_value(struct wr_cells *cells, enum wr_column_type type, int64_t value) {
    if (type == WR_COLUMN_TEXT) {
        end_text(cells);
    } else if (type == WR_COLUMN_BOOLEAN) {
        wr_buffer_char(&cells->values, value != 0);
    } else {
        wr_buffer_add(&cells->values, &value, sizeof value);
    }
}

static void append(struct wr_rows *rows, enum wr_column_type type, int64_t value) {
    struct wr_cells *cells = next_cell(rows, type, false);
    if (!cells) return;
    add_value(cells, type, value);
    check_room(rows, cells);
}

void wr_rows_null(struct wr_rows *rows) {
    struct wr_cells *cells = next_cell(rows, WR_COLUMN_TEXT, true);
    if (!cells) return;
    add_value(cells, rows->columns[rows->next - 1].type, 0);
    check_room(rows, cells);
}

void wr_rows_text(struct wr_rows *rows, const char *text) {
    if (!text) {
        wr_rows_null(rows);
        return;
    }
    struct wr_cells *cells = next_cell(rows, WR_COLUMN_TEXT, false);
    if (!cells) return;
    add_text(&cells->bytes, text);
    end_text(cells);
    check_room(rows, cells);
}

void wr_rows_int(struct wr_rows *rows, int64_t value) {
    append(rows, WR_COLUMN_INTEGER, value);
}

void wr_rows_bool(struct wr_rows *rows, bool value) {
    append(rows, WR_COLUMN_BOOLEAN, value);
}

void wr_rows_time(struct wr_rows *rows, int64_t microseconds) {
    append(rows, WR_COLUMN_TIMESTAMP, microseconds);
}

/* ---- Rows ---- */

static int check(const struct wr_rows *rows, struct weir_error *error) {
    if (rows->out_of_room) return wr_error_memory(error);
    if (!rows->misused) return WEIR_OK;
    size_t column = rows->misused - 1;
    return wr_error_set(error, WEIR_INTERNAL, NULL,
                        "row %lld of a system table: wrong cell in column %zu (\"%s\")",
                        (long long)rows->n_rows + 1, column + 1,
                        column < rows->n_columns ? rows->columns[column].name : "");
}

int wr_rows_end(struct wr_rows *rows, struct weir_error *error) {
    if (!rows->misused && !rows->out_of_room && rows->next != rows->n_columns) {
        rows->misused = rows->next + 1;
    }
    WR_TRY(check(rows, error));
    rows->next = 0;
    rows->n_rows++;
    return WEIR_OK;
}

bool wr_rows_wants(const struct wr_rows *rows, const char *catalog) {
    return !rows->catalog || strcmp(rows->catalog, catalog) == 0;
}

/* ---- The batch ---- */

/* What a finished batch holds; its columns are only handed out through a wr_shared_batch. */
struct batch {
    struct wr_cells *cells;
    size_t n_columns;
    const void *no_nulls[1];
    struct ArrowArray **pointers;
    struct column {
        struct ArrowArray array;
        const void *buffers[3];
    } columns[];
};

static void release_batch(struct ArrowArray *array) {
    struct batch *batch = array->private_data;
    free_cells(batch->cells, batch->n_columns);
    wr_free(batch->pointers);
    wr_free(batch);
    array->release = NULL;
}

static void release_column(struct ArrowArray *array) {
    array->release = NULL;
}

/* From a byte to a bit for each row, in place. */
static void pack(struct wr_buffer *buffer) {
    for (size_t i = 0; i < buffer->length; i += 8) {
        unsigned char bits = 0;
        for (size_t j = i; j < i + 8 && j < buffer->length; j++)
            bits |= (unsigned char)((buffer->data[j] != 0) << (j - i));
        buffer->data[i / 8] = (char)bits;
    }
}

/* A buffer without bytes still has a place. */
static const void *data_of(const struct wr_buffer *buffer) {
    static const int64_t nothing = 0;
    return buffer->data ? (const void *)buffer->data : &nothing;
}

static void finish_column(struct wr_cells *cells, enum wr_column_type type, int64_t n_rows,
                          struct column *column) {
    if (cells->n_nulls > 0) pack(&cells->valid);
    if (type == WR_COLUMN_BOOLEAN) pack(&cells->values);
    column->buffers[0] = cells->n_nulls > 0 ? cells->valid.data : NULL;
    column->buffers[1] = data_of(&cells->values);
    column->buffers[2] = data_of(&cells->bytes);
    column->array = (struct ArrowArray){
        .length = n_rows,
        .null_count = cells->n_nulls,
        .n_buffers = type == WR_COLUMN_TEXT ? 3 : 2,
        .buffers = column->buffers,
        .release = release_column,
    };
}

/* Takes over the cells. */
static int finish(struct wr_rows *rows, struct ArrowArray *ret_array, struct weir_error *error) {
    struct batch *batch = wr_calloc(1, sizeof *batch + rows->n_columns * sizeof *batch->columns);
    struct ArrowArray **pointers = wr_reallocarray(NULL, rows->n_columns, sizeof(void *));
    if (!batch || !pointers) {
        wr_free(batch);
        wr_free(pointers);
        return wr_error_memory(error);
    }
    batch->cells = rows->cells;
    batch->n_columns = rows->n_columns;
    batch->pointers = pointers;
    rows->cells = NULL;
    for (size_t i = 0; i < batch->n_columns; i++) {
        finish_column(&batch->cells[i], rows->columns[i].type, rows->n_rows, &batch->columns[i]);
        pointers[i] = &batch->columns[i].array;
    }
    *ret_array = (struct ArrowArray){
        .length = rows->n_rows,
        .n_buffers = 1,
        .buffers = batch->no_nulls,
        .n_children = (int64_t)batch->n_columns,
        .children = pointers,
        .release = release_batch,
        .private_data = batch,
    };
    return WEIR_OK;
}

int wr_rows_finish(struct wr_rows *rows, struct wr_shared_batch **ret_batch,
                   struct weir_error *error) {
    if (rows->next != 0 && !rows->misused) rows->misused = rows->next + 1;
    WR_TRY(check(rows, error));
    struct ArrowArray array = {0};
    WR_TRY(finish(rows, &array, error));
    int code = wr_shared_batch_new(&array, ret_batch, error);
    wr_arrow_release_array(&array);
    return code;
}

/* ---- Who looks ---- */

bool wr_rows_see(const struct wr_rows *rows, const char *catalog, const char *schema,
                 const char *name) {
    const struct wr_viewer *viewer = rows->viewer;
    return !viewer || viewer->sees(viewer->context, catalog, schema, name);
}

bool wr_rows_see_user(const struct wr_rows *rows, const char *user) {
    const struct wr_viewer *viewer = rows->viewer;
    return !viewer || viewer->sees_user(viewer->context, user);
}

bool wr_rows_see_all(const struct wr_rows *rows) {
    const struct wr_viewer *viewer = rows->viewer;
    return !viewer || viewer->sees_all(viewer->context);
}
