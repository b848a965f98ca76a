/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/reader.h"

#include <errno.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/condition.h"
#include "base/error.h"

/* How long a cancelled statement is waited for. Whether a change was done is worth more of it. */
enum { GRACE_MS = 500, CHANGE_GRACE_MS = 2000 };

enum order { NOTHING = 0, START, NEXT, END };

struct wr_adbc_reader {
    struct wr_adbc_fetch fetch; /* the thread's */

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    int n_references;
    /* What the thread is to do; it sets NOTHING when it is done. It counts as busy meanwhile. */
    enum order order;
    bool has_thread; /* from the first order to the end of what there is to fetch */
    bool left;       /* nobody waits for the answer */
    bool cancelled;
    bool timed_out;
    bool committing;     /* a change in a transaction of its own: cancel comes too late */
    int64_t give_up_ms;  /* when to stop waiting after a cancel; 0: there was none */
    int64_t deadline_ms; /* of the statement; 0: none */
    int n_cancelling;
    bool hiding;                 /* the statement is over; whoever cancels ends */
    bool is_shown;               /* there is something that cancel may be called on: */
    struct AdbcStatement *shown; /* the statement, or the connection alone */
    struct AdbcStatement statement;
    struct wr_adbc_core *core; /* for those who cancel */

    /* The answer. */
    int code;
    struct weir_error error;
    struct ArrowArray array;
};

/* ---- Life ---- */

static char **copy_texts(const char *const *texts, size_t n) {
    char **copies = wr_calloc(n, sizeof *copies);
    for (size_t i = 0; copies && i < n; i++) {
        copies[i] = wr_strdup(texts[i]);
        if (copies[i]) continue;
        while (i > 0)
            wr_free(copies[--i]);
        wr_free(copies);
        return NULL;
    }
    return copies;
}

static void free_texts(char **texts, size_t n) {
    for (size_t i = 0; texts && i < n; i++)
        wr_free(texts[i]);
    wr_free(texts);
}

static void free_reader(struct wr_adbc_reader *reader) {
    struct wr_adbc_fetch *fetch = &reader->fetch;
    wr_free(fetch->sql);
    free_texts(fetch->types, fetch->types ? (size_t)fetch->n_columns : 0);
    for (size_t i = 0; i < 3; i++)
        wr_free(fetch->names[i]);
    wr_arrow_release_array(&reader->array);
    wr_arrow_release_array(&fetch->first);
    wr_arrow_release_schema(&fetch->schema);
    if (fetch->around.free) fetch->around.free(fetch->around.context);
    wr_adbc_descriptors_release(fetch->descriptors);
    wr_adbc_database_release(fetch->database);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
    wr_free(reader);
}

struct wr_adbc_reader *wr_adbc_reader_retain(struct wr_adbc_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    reader->n_references++;
    pthread_mutex_unlock(&reader->mutex);
    return reader;
}

void wr_adbc_reader_release(struct wr_adbc_reader *reader) {
    if (!reader) return;
    pthread_mutex_lock(&reader->mutex);
    bool last = --reader->n_references == 0;
    pthread_mutex_unlock(&reader->mutex);
    if (last) free_reader(reader);
}

/* ---- The thread ---- */

/* True: nothing is left to fetch, and what was fetched is its reader's. */
static bool do_order(struct wr_adbc_reader *reader, enum order order) {
    struct weir_error error = {0};
    struct ArrowArray array = {0};
    int code = order == START ? wr_adbc_fetch_start(reader, &reader->fetch, &error)
                              : wr_adbc_fetch_next(reader, &reader->fetch, &array, &error);
    pthread_mutex_lock(&reader->mutex);
    reader->code = code;
    reader->error = error;
    reader->array = array;
    reader->order = reader->left ? END : NOTHING;
    bool is_over = !code && !reader->left && reader->fetch.has_ended;
    if (is_over) reader->has_thread = false;
    if (!reader->left && !is_over) wr_adbc_busy_end();
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    return is_over;
}

static void *run_reader(void *context) {
    struct wr_adbc_reader *reader = context;
    bool is_over = false;
    while (!is_over) {
        pthread_mutex_lock(&reader->mutex);
        while (reader->order == NOTHING)
            pthread_cond_wait(&reader->changed, &reader->mutex);
        enum order order = reader->order;
        pthread_mutex_unlock(&reader->mutex);
        if (order == END) break;
        is_over = do_order(reader, order);
    }
    if (!is_over) wr_adbc_fetch_end(reader, &reader->fetch);
    wr_adbc_reader_release(reader);
    wr_adbc_busy_end();
    return NULL;
}

int wr_adbc_reader_new(struct wr_adbc_database *database, const struct wr_adbc_plan *plan,
                       struct wr_adbc_reader **ret_reader, struct weir_error *error) {
    struct wr_adbc_reader *reader = wr_calloc(1, sizeof *reader);
    if (!reader) return wr_error_memory(error);
    pthread_mutex_init(&reader->mutex, NULL);
    wr_condition_init(&reader->changed);
    reader->core = database->core;
    struct wr_adbc_fetch *fetch = &reader->fetch;
    fetch->database = wr_adbc_database_retain(database);
    fetch->source = plan->source;
    fetch->n_columns = plan->n_columns;
    fetch->skip_first_row = plan->skip_first_row;
    fetch->sql = wr_strdup(plan->sql);
    bool copied = fetch->sql || !plan->sql;
    if (plan->types) {
        fetch->types = copy_texts(plan->types, (size_t)plan->n_columns);
        copied = copied && fetch->types;
    }
    for (size_t i = 0; i < 3; i++) {
        fetch->names[i] = wr_strdup(plan->names[i]);
        copied = copied && (fetch->names[i] || !plan->names[i]);
    }
    reader->n_references = 1;
    if (!copied) {
        free_reader(reader);
        return wr_error_memory(error);
    }
    fetch->around = plan->around;
    if (plan->descriptors) fetch->descriptors = wr_adbc_descriptors_retain(plan->descriptors);
    *ret_reader = reader;
    return WEIR_OK;
}

/* ---- Cancel ---- */

static void call_cancel(struct wr_adbc_reader *reader) {
    const struct wr_adbc_driver *driver = reader->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    AdbcStatusCode status = WEIR_NOT_IMPLEMENTED;
    if (reader->shown) status = WR_ADBC_CALL(driver, StatementCancel, reader->shown, &reason);
    /* A partition is the connection's to read. */
    bool asks_connection = status == WEIR_NOT_IMPLEMENTED || reader->fetch.descriptors;
    if (asks_connection && reader->fetch.connection) {
        if (reason.release) reason.release(&reason);
        reason = wr_adbc_error_new(driver);
        WR_ADBC_CALL(driver, ConnectionCancel, &reader->fetch.connection->adbc, &reason);
    }
    if (reason.release) reason.release(&reason);
}

/* One that comes before the statement has begun is lost in the database: so it is said again until
 * the statement is over. */
static void *run_cancel(void *context) {
    struct wr_adbc_reader *reader = context;
    int64_t pause = 50;
    bool over = false;
    while (!over) {
        call_cancel(reader);
        struct timespec until = wr_adbc_time(wr_clock_ms() + pause);
        if (pause < 1000) pause *= 2;
        pthread_mutex_lock(&reader->mutex);
        int waited = 0;
        while (!reader->hiding && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&reader->changed, &reader->mutex, &until);
        over = reader->hiding;
        if (over) reader->n_cancelling--;
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->mutex);
    }
    wr_adbc_reader_release(reader);
    wr_adbc_busy_end();
    return NULL;
}

/* The mutex is held. What is shown stays until n_cancelling is 0 again. */
static void cancel_shown(struct wr_adbc_reader *reader) {
    bool can_cancel = reader->core->has_cancel && reader->is_shown;
    int64_t grace = reader->fetch.source == WR_ADBC_CHANGE ? CHANGE_GRACE_MS : GRACE_MS;
    reader->give_up_ms = wr_clock_ms() + (can_cancel || reader->committing ? grace : 0);
    pthread_cond_broadcast(&reader->changed);
    if (!can_cancel || reader->n_cancelling > 0) return;
    reader->n_cancelling++;
    reader->n_references++;
    wr_adbc_busy_begin();
    if (wr_adbc_thread(run_cancel, reader)) return;
    wr_adbc_busy_end();
    reader->n_cancelling--;
    reader->n_references--;
}

void wr_adbc_reader_cancel(struct wr_adbc_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    if (!reader->cancelled) {
        reader->cancelled = true;
        cancel_shown(reader);
    }
    pthread_mutex_unlock(&reader->mutex);
}

void wr_adbc_reader_show(struct wr_adbc_reader *reader, struct AdbcStatement *statement) {
    pthread_mutex_lock(&reader->mutex);
    reader->is_shown = true;
    reader->shown = statement;
    if (reader->cancelled || reader->timed_out) cancel_shown(reader);
    pthread_mutex_unlock(&reader->mutex);
}

void wr_adbc_reader_hide(struct wr_adbc_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    reader->hiding = true;
    pthread_cond_broadcast(&reader->changed);
    while (reader->n_cancelling > 0)
        pthread_cond_wait(&reader->changed, &reader->mutex);
    reader->hiding = false;
    reader->is_shown = false;
    reader->shown = NULL;
    pthread_mutex_unlock(&reader->mutex);
}

bool wr_adbc_reader_is_cancelled(struct wr_adbc_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    bool cancelled = reader->cancelled || reader->timed_out;
    pthread_mutex_unlock(&reader->mutex);
    return cancelled;
}

bool wr_adbc_reader_commits(struct wr_adbc_reader *reader) {
    pthread_mutex_lock(&reader->mutex);
    reader->committing = !reader->cancelled && !reader->timed_out;
    bool commits = reader->committing;
    pthread_mutex_unlock(&reader->mutex);
    return commits;
}

struct AdbcStatement *wr_adbc_reader_statement(struct wr_adbc_reader *reader) {
    return &reader->statement;
}

/* ---- Who reads ---- */

static int interrupted(struct wr_adbc_reader *reader, struct weir_error *error) {
    const char *name = reader->fetch.database->name;
    if (reader->cancelled)
        return wr_error_set(error, WEIR_CANCELLED, NULL, "database \"%s\": cancelled", name);
    return wr_error_set(error, WEIR_TIMEOUT, NULL,
                        "database \"%s\": the statement ran for longer than statement_timeout, "
                        "which is %lld ms",
                        name, (long long)reader->core->settings.statement_timeout);
}

/* The mutex is held. When to look again; 0: when something changes. */
static int64_t next_look(const struct wr_adbc_reader *reader) {
    if (reader->give_up_ms) return reader->give_up_ms;
    return reader->deadline_ms;
}

/* The mutex is held. True: it was waited long enough. */
static bool look(struct wr_adbc_reader *reader) {
    int64_t now = wr_clock_ms();
    if (!reader->give_up_ms && reader->deadline_ms && now >= reader->deadline_ms) {
        reader->timed_out = true;
        cancel_shown(reader);
    }
    return reader->give_up_ms && now >= reader->give_up_ms;
}

/* The mutex is held. The first order has the thread begin. */
static int give_order(struct wr_adbc_reader *reader, enum order order, struct weir_error *error) {
    reader->order = order;
    wr_adbc_busy_begin();
    if (reader->has_thread) {
        pthread_cond_broadcast(&reader->changed);
        return WEIR_OK;
    }
    reader->has_thread = wr_adbc_thread(run_reader, reader);
    if (reader->has_thread) {
        reader->n_references++;
        return WEIR_OK;
    }
    reader->order = NOTHING;
    wr_adbc_busy_end();
    return wr_error_set(error, WEIR_INTERNAL, "53000", "database \"%s\": no thread can be made",
                        reader->fetch.database->name);
}

static int ask(struct wr_adbc_reader *reader, enum order order, struct ArrowArray *ret_array,
               struct weir_error *error) {
    pthread_mutex_lock(&reader->mutex);
    int code = reader->cancelled || reader->timed_out ? interrupted(reader, error)
                                                      : give_order(reader, order, error);
    if (code) {
        pthread_mutex_unlock(&reader->mutex);
        return code;
    }
    while (reader->order == order && !reader->left) {
        int64_t until = next_look(reader);
        struct timespec time = wr_adbc_time(until);
        if (until) {
            pthread_cond_timedwait(&reader->changed, &reader->mutex, &time);
        } else {
            pthread_cond_wait(&reader->changed, &reader->mutex);
        }
        if (reader->order == order && look(reader)) reader->left = true;
    }
    if (reader->left || (reader->code && (reader->cancelled || reader->timed_out))) {
        code = interrupted(reader, error);
    } else if (reader->code) {
        code = reader->code;
        if (error) *error = reader->error;
    } else {
        *ret_array = reader->array;
        reader->array.release = NULL;
    }
    pthread_mutex_unlock(&reader->mutex);
    return code;
}

/* What starting brought is taken without the thread, which is gone. */
static bool take_ended(struct wr_adbc_reader *reader, struct ArrowArray *ret_array) {
    pthread_mutex_lock(&reader->mutex);
    bool ended = !reader->has_thread && reader->fetch.has_ended && !reader->cancelled;
    if (ended) {
        *ret_array = reader->fetch.first; /* the second time: the end */
        reader->fetch.first.release = NULL;
    }
    pthread_mutex_unlock(&reader->mutex);
    return ended;
}

static int reader_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    return take_ended(context, ret_array) ? WEIR_OK : ask(context, NEXT, ret_array, error);
}

/* The thread is told to end; it is not waited for. */
static void reader_close(void *context) {
    struct wr_adbc_reader *reader = context;
    pthread_mutex_lock(&reader->mutex);
    reader->left = true;
    if (reader->has_thread && reader->order == NOTHING) {
        reader->order = END;
        wr_adbc_busy_begin();
    }
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    wr_adbc_reader_release(reader);
}

/* Before the first order nothing else looks at the deadline. */
static void set_deadline(struct wr_adbc_reader *reader) {
    int64_t timeout = reader->core->settings.statement_timeout;
    if (timeout > 0) reader->deadline_ms = wr_clock_ms() + timeout;
}

int wr_adbc_reader_change(struct wr_adbc_reader *reader, int64_t *ret_n_rows,
                          struct weir_error *error) {
    set_deadline(reader);
    wr_adbc_reader_retain(reader);
    struct ArrowArray nothing = {0};
    int code = ask(reader, START, &nothing, error);
    /* The thread waits for the next order, or is gone. */
    if (!code && ret_n_rows) *ret_n_rows = reader->fetch.n_rows;
    /* One that is not committed yet is taken back when it ends. */
    if (reader->left && (reader->committing || !wr_adbc_in_transaction(&reader->fetch)))
        wr_error_append(error, "; whether it was done is not known");
    reader_close(reader);
    return code;
}

int wr_adbc_reader_start(struct wr_adbc_reader *reader, struct ArrowArrayStream *ret_rows,
                         struct weir_error *error) {
    set_deadline(reader);
    wr_adbc_reader_retain(reader);
    struct ArrowArray nothing = {0};
    struct ArrowSchema schema = {0};
    int code = ask(reader, START, &nothing, error);
    /* The thread waits for the next order, or is gone, and does not touch its schema. */
    if (!code) code = wr_arrow_copy_schema(&reader->fetch.schema, &schema, error);
    if (!code) {
        code =
            wr_arrow_callback_stream(&schema, reader_next, reader_close, reader, ret_rows, error);
    }
    if (code) {
        wr_arrow_release_schema(&schema);
        reader_close(reader);
    }
    return code;
}
