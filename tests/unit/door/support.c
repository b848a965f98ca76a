/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>

#include <nanoarrow/nanoarrow.h>

struct weir_workspace *workspace;
struct weir_session *session;

static char text[1 << 16];

int open_workspace(void **state) {
    (void)state;
    struct weir_error error = {0};
    const struct weir_session_options options = {
        .size = sizeof options,
        .settings = wr_door_settings,
        .n_settings = wr_door_n_settings,
    };
    if (weir_workspace_open(NULL, &workspace, &error) != WEIR_OK ||
        weir_session_open(workspace, &options, &session, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    return 0;
}

int close_workspace(void **state) {
    (void)state;
    weir_session_close(session);
    weir_workspace_close(workspace);
    return 0;
}

void rows_of(const char *sql, struct ArrowArrayStream *ret_rows) {
    struct weir_error error = {0};
    if (weir_query(session, sql, ret_rows, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
}

void run(const char *sql) {
    struct ArrowArrayStream rows = {0};
    rows_of(sql, &rows);
    rows.release(&rows);
}

static void add(const char *data, int64_t length) {
    size_t used = strlen(text);
    assert_true(used + (size_t)length + 2 < sizeof text);
    memcpy(text + used, data, (size_t)length);
    text[used + (size_t)length] = '\0';
}

static void add_row(const struct ArrowArrayView *view, int64_t row) {
    for (int64_t i = 0; i < view->n_children; i++) {
        if (i > 0) add("|", 1);
        if (ArrowArrayViewIsNull(view->children[i], row)) {
            add("NULL", 4);
            continue;
        }
        struct ArrowStringView cell = ArrowArrayViewGetStringUnsafe(view->children[i], row);
        add(cell.data, cell.size_bytes);
    }
    add("\n", 1);
}

const char *text_of(struct ArrowArrayStream *rows) {
    struct ArrowArrayStream texts = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    struct weir_error error = {0};
    text[0] = '\0';
    if (weir_text(rows, &texts, &error) != WEIR_OK) fail_msg("%s", error.message);
    assert_int_equal(texts.get_schema(&texts, &schema), 0);
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
    schema.release(&schema);
    for (;;) {
        struct ArrowArray batch = {0};
        assert_int_equal(texts.get_next(&texts, &batch), 0);
        if (!batch.release) break;
        assert_int_equal(ArrowArrayViewSetArray(&view, &batch, NULL), 0);
        for (int64_t i = 0; i < batch.length; i++)
            add_row(&view, i);
        batch.release(&batch);
    }
    ArrowArrayViewReset(&view);
    texts.release(&texts);
    return text;
}

const char *answer_to(const char *sql) {
    struct ArrowArrayStream rows = {0};
    rows_of(sql, &rows);
    return text_of(&rows);
}

const char *columns_of(struct ArrowArrayStream *rows) {
    struct ArrowSchema schema = {0};
    assert_int_equal(rows->get_schema(rows, &schema), 0);
    text[0] = '\0';
    for (int64_t i = 0; i < schema.n_children; i++) {
        const struct ArrowSchema *column = schema.children[i];
        bool required = !(column->flags & ARROW_FLAG_NULLABLE);
        char cell[256];
        snprintf(cell, sizeof cell, "%s%s %s%s", i > 0 ? ", " : "", column->name, column->format,
                 required ? "!" : "");
        add(cell, (int64_t)strlen(cell));
    }
    schema.release(&schema);
    return text;
}
