/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one statement and turns its rows into text, as normalize.rs of the crate does. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nanoarrow/nanoarrow.h"

#include "slt.h"

struct batches {
    struct ArrowSchema schema;
    struct ArrowArray *arrays;
    int64_t n;
};

static void set_error(struct slt_result *result, const struct weir_error *error) {
    result->error = xprintf("%s%s", slt_error_prefix, error->message);
    result->sqlstate = xstrdup(error->sqlstate);
}

/* Reads a stream to its end and releases it. */
static bool drain(struct ArrowArrayStream *stream, struct batches *ret_batches,
                  struct slt_result *result) {
    struct batches batches = {0};
    int code = stream->get_schema(stream, &batches.schema);
    while (code == 0) {
        struct ArrowArray array = {0};
        code = stream->get_next(stream, &array);
        if (code != 0 || array.release == NULL) break;
        batches.arrays = xrealloc(batches.arrays, (size_t)(batches.n + 1) * sizeof array);
        batches.arrays[batches.n++] = array;
    }
    if (code != 0) {
        struct weir_error error = {0};
        if (weir_stream_error(stream, &error) != WEIR_OK)
            snprintf(error.message, sizeof error.message, "a stream failed without an error");
        set_error(result, &error);
    }
    stream->release(stream);
    *ret_batches = batches;
    return code == 0;
}

static void release(struct batches *batches) {
    for (int64_t i = 0; i < batches->n; i++) {
        if (batches->arrays[i].release != NULL) ArrowArrayRelease(&batches->arrays[i]);
    }
    if (batches->schema.release != NULL) ArrowSchemaRelease(&batches->schema);
    free(batches->arrays);
}

/* Fills the cells of the columns that are formatted here. */
static void fill(struct slt_result *result, const struct batches *batches, const bool *own,
                 bool spark) {
    size_t row = 0;
    for (int64_t b = 0; b < batches->n; b++) {
        const struct ArrowArray *array = &batches->arrays[b];
        for (int64_t c = 0; c < batches->schema.n_children; c++) {
            if (!own[c]) continue;
            const struct ArrowSchema *schema = batches->schema.children[c];
            struct ArrowArrayView view;
            struct ArrowError error = {0};
            if (ArrowArrayViewInitFromSchema(&view, schema, &error) != NANOARROW_OK ||
                ArrowArrayViewSetArray(&view, array->children[c], &error) != NANOARROW_OK) {
                fprintf(stderr, "column %s: %s\n", schema->name, error.message);
                abort();
            }
            for (int64_t r = 0; r < array->length; r++)
                result->rows[row + (size_t)r].cells[c] =
                    slt_format(schema, &view, array->offset + r, spark);
            ArrowArrayViewReset(&view);
        }
        row += (size_t)array->length;
    }
}

/* What our own formatting does not cover, the library shows. Uses the batches up. */
static bool fill_rest(struct slt_result *result, struct batches *batches, const bool *own) {
    struct ArrowArrayStream stream, text;
    struct weir_error error = {0};
    struct batches texts;
    if (ArrowBasicArrayStreamInit(&stream, &batches->schema, batches->n) != NANOARROW_OK) abort();
    for (int64_t i = 0; i < batches->n; i++)
        ArrowBasicArrayStreamSetArray(&stream, i, &batches->arrays[i]);
    if (weir_text(&stream, &text, &error) != WEIR_OK) {
        set_error(result, &error);
        stream.release(&stream);
        return false;
    }
    if (!drain(&text, &texts, result)) return false;
    for (int64_t b = 0, row = 0; b < texts.n; b++) {
        const struct ArrowArray *array = &texts.arrays[b];
        for (int64_t c = 0; c < texts.schema.n_children; c++) {
            if (own[c]) continue;
            struct ArrowArrayView view;
            if (ArrowArrayViewInitFromSchema(&view, texts.schema.children[c], NULL) !=
                    NANOARROW_OK ||
                ArrowArrayViewSetArray(&view, array->children[c], NULL) != NANOARROW_OK)
                abort();
            for (int64_t r = 0; r < array->length; r++) {
                struct ArrowStringView cell =
                    ArrowArrayViewGetStringUnsafe(&view, array->offset + r);
                bool null = ArrowArrayViewIsNull(&view, array->offset + r);
                result->rows[row + r].cells[c] =
                    null ? xstrdup("NULL") : xstrndup(cell.data, (size_t)cell.size_bytes);
            }
            ArrowArrayViewReset(&view);
        }
        row += array->length;
    }
    release(&texts);
    return true;
}

static void allocate_rows(struct slt_result *result, const struct batches *batches) {
    for (int64_t b = 0; b < batches->n; b++)
        result->n_rows += (size_t)batches->arrays[b].length;
    result->rows = xmalloc(result->n_rows * sizeof *result->rows);
    for (size_t r = 0; r < result->n_rows; r++) {
        result->rows[r].n_cells = (size_t)batches->schema.n_children;
        result->rows[r].cells = xmalloc(result->rows[r].n_cells * sizeof(char *));
    }
}

static void add_row(struct slt_result *result, char **cells, size_t n) {
    result->rows = xrealloc(result->rows, (result->n_rows + 1) * sizeof *result->rows);
    result->rows[result->n_rows++] = (struct slt_row){.cells = cells, .n_cells = n};
}

/* A last cell of several lines, such as a plan, becomes numbered rows of their own, with leading
 * blanks made visible. */
static void expand(struct slt_result *result) {
    struct slt_result out = {0};
    for (size_t r = 0; r < result->n_rows; r++) {
        struct slt_row *row = &result->rows[r];
        char *cell = row->n_cells > 0 ? row->cells[row->n_cells - 1] : NULL;
        if (cell == NULL || strchr(cell, '\n') == NULL) {
            add_row(&out, row->cells, row->n_cells);
            continue;
        }
        add_row(&out, row->cells, row->n_cells - 1);
        for (int number = 1; cell != NULL; number++) {
            char *end = strchr(cell, '\n');
            if (end != NULL) *end = '\0';
            size_t blanks = strspn(cell, " \t\r\v\f");
            char *text = xprintf("%02d)", number);
            for (size_t i = 0; i < blanks; i++)
                text = xprintf("%s-", text);
            char **cells = xmalloc(sizeof *cells);
            cells[0] = xprintf("%s%s", text, cell + blanks);
            add_row(&out, cells, 1);
            cell = end != NULL ? end + 1 : NULL;
        }
    }
    result->rows = out.rows;
    result->n_rows = out.n_rows;
}

static void name_workspace_root(struct slt_result *result) {
    for (size_t r = 0; r < result->n_rows; r++) {
        for (size_t c = 0; c < result->rows[r].n_cells; c++) {
            char *found;
            while ((found = strstr(result->rows[r].cells[c], slt_workspace_root)) != NULL) {
                int before = (int)(found - result->rows[r].cells[c]);
                result->rows[r].cells[c] =
                    xprintf("%.*sWORKSPACE_ROOT%s", before, result->rows[r].cells[c],
                            found + strlen(slt_workspace_root));
            }
        }
    }
}

/* The engine itself answers these with one row, the count. */
static bool counts_rows(const char *sql) {
    static const char *const words[] = {"insert", "copy", "update", "delete"};
    while (true) {
        sql += strspn(sql, " \t\r\n");
        if (strncmp(sql, "--", 2) != 0) break;
        sql += strcspn(sql, "\n");
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(sql, words[i], length) == 0 && !isalnum((unsigned char)sql[length]))
            return true;
    }
    return false;
}

void slt_run(struct weir_session *session, const char *sql, bool spark,
             struct slt_result *ret_result) {
    struct slt_result result = {0};
    struct weir_error error = {0};
    struct ArrowArrayStream stream = {0};
    struct batches batches = {0};
    int64_t affected = -1;
    if (weir_query(session, sql, &stream, &affected, &error) != WEIR_OK) {
        set_error(&result, &error);
    } else if (drain(&stream, &batches, &result)) {
        size_t n = (size_t)batches.schema.n_children;
        bool *own = xmalloc(n);
        bool all_own = true;
        if (n > 0) {
            result.types = xmalloc(n + 1);
            result.types[n] = '\0';
        }
        for (size_t i = 0; i < n; i++) {
            result.types[i] = slt_type_letter(batches.schema.children[i]);
            own[i] = slt_formats(batches.schema.children[i]);
            all_own = all_own && own[i];
        }
        allocate_rows(&result, &batches);
        if (n == 0 && result.n_rows > 0) result.types = xstrdup("");
        fill(&result, &batches, own, spark);
        if (all_own || fill_rest(&result, &batches, own)) {
            expand(&result);
            name_workspace_root(&result);
        }
        if (n == 0 && affected >= 0 && counts_rows(sql)) {
            char **cells = xmalloc(sizeof *cells);
            cells[0] = xprintf("%lld", (long long)affected);
            result.types = xstrdup("I");
            add_row(&result, cells, 1);
        }
    }
    release(&batches);
    *ret_result = result;
}
