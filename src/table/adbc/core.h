/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a database share: the database that drivers know (the core, one for the same
 * options), its connections, and errors.
 *
 *     struct wr_adbc_connection *connection;
 *     WR_TRY(wr_adbc_acquire(database, false, &connection, error));
 *     ... WR_ADBC_CALL(driver, StatementNew, &connection->adbc, &statement, &reason) ...
 *     wr_adbc_give_back(connection, is_usable);
 *
 * 1. A core is counted: by handles (struct wr_adbc_database), by connections that are lent, and by
 *    threads that still wait for a driver. The last one closes it.
 * 2. `mutex` guards the pool alone, and nothing of a driver is called under it.
 * 3. Whatever may block for long runs in a thread of its own (worker.h), so that who waits for it
 *    can go away.
 */
#ifndef WR_ADBC_CORE_H
#define WR_ADBC_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "table/adbc/adbc.h"
#include "table/adbc/driver.h"
#include "table/adbc/settings.h"

struct wr_adbc_connection {
    struct AdbcConnection adbc;
    struct wr_adbc_core *core;
    int64_t made_ms;           /* wr_clock_ms */
    int64_t used_ms;           /* when it was given back last */
    bool was_used;             /* by an earlier statement */
    struct wr_adbc_stop *stop; /* of who changes something through it (stop.h); NULL: nobody */
    struct wr_adbc_connection *next;
};

/* Texts that no message may hold. */
struct wr_adbc_secrets {
    char **texts;
    size_t n_texts;
};

struct wr_adbc_core {
    const struct wr_adbc_driver *driver;
    struct AdbcDatabase adbc;
    bool is_made; /* DatabaseNew was called */
    struct wr_adbc_settings settings;
    enum wr_adbc_family family;
    struct wr_adbc_secrets secrets;
    char *key; /* a hash of the options */
    char *id;
    char *vendor;
    char *catalog, *schema; /* the current ones of a new connection; NULL: not told */
    bool has_cancel;
    bool has_partitions; /* AdbcStatementExecutePartitions */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int n_references;
    struct wr_adbc_connection *idle; /* the one used last comes first */
    int64_t n_open;                  /* idle, lent, and about to be made */
    atomic_int_fast64_t
        progress_ms;    /* when a reader got a batch last, or gave its connection back */
    int64_t doubted_ms; /* connections used before are tried before they are used again */

    struct wr_adbc_core *next; /* in the list of database.c */
};

struct wr_adbc_database {
    atomic_int n_references;
    char *name;
    char *catalog; /* of the option; NULL: the current one */
    struct wr_adbc_core *core;
};

/* ---- Errors (error.c) ---- */

struct AdbcError wr_adbc_error_new(const struct wr_adbc_driver *driver);
/*
 * The driver's error as ours, with `database "pg": ` before it, and without secrets; releases
 * `reason`. `what` is for a driver that gives no message: "cannot connect".
 */
int wr_adbc_error(const struct wr_adbc_core *core, const char *name, AdbcStatusCode status,
                  struct AdbcError *reason, const char *what, struct weir_error *error);
/* The error of a stream's get_schema or get_next. */
int wr_adbc_stream_error(const struct wr_adbc_core *core, const char *name,
                         struct ArrowArrayStream *stream, int errnum, struct weir_error *error);
/* Code and SQLSTATE of a message without a SQLSTATE; false: nothing is known of it (words.c). */
bool wr_adbc_read_words(enum wr_adbc_family family, const char *message, int *ret_code,
                        const char **ret_sqlstate);
/* The connection is gone, or the server going: nothing to do with the statement. */
bool wr_adbc_is_connection_error(const struct weir_error *error);

int wr_adbc_secrets_find(const struct wr_adbc_settings *settings,
                         struct wr_adbc_secrets *ret_secrets, struct weir_error *error);
void wr_adbc_secrets_reset(struct wr_adbc_secrets *secrets);
/* The text with *** for every secret; NULL without memory. Free with wr_free. */
char *wr_adbc_redact(const struct wr_adbc_secrets *secrets, const char *text);

/* ---- Connections (pool.c, connect.c) ---- */

struct timespec wr_adbc_time(int64_t milliseconds);

struct wr_adbc_core *wr_adbc_core_retain(struct wr_adbc_core *core);
void wr_adbc_core_release(struct wr_adbc_core *core);

enum wr_adbc_trust {
    WR_ADBC_ANY = 0, /* what fails because its connection was lost is run again */
    WR_ADBC_CHECKED, /* it is not: one that was not used just now is tried first */
    WR_ADBC_FRESH    /* not one that was used before */
};
/* A connection for one reader. WEIR_TIMEOUT (53300) when all are in use, and for longer than
 * pool.wait nothing moves: none is given back, and no reader gets rows. */
int wr_adbc_acquire(struct wr_adbc_database *database, enum wr_adbc_trust trust,
                    struct wr_adbc_connection **ret_connection, struct weir_error *error);
/* A reader of the pool got on. */
void wr_adbc_progress(struct wr_adbc_core *core);
/* When whoever waits since then may give up, if nothing moves any more. */
int64_t wr_adbc_patience(const struct wr_adbc_core *core, int64_t since_ms);
int wr_adbc_out_of_patience(const struct wr_adbc_database *database, struct weir_error *error);
/* `usable` false closes it. */
void wr_adbc_give_back(struct wr_adbc_connection *connection, bool usable);
/* A connection failed: those that were used before now may have, too. */
void wr_adbc_doubt(struct wr_adbc_core *core);
/* Takes those out that were idle, or open, for too long: a list to disconnect. */
struct wr_adbc_connection *wr_adbc_pool_expired(struct wr_adbc_core *core);
void wr_adbc_pool_close(struct wr_adbc_core *core);

/* Makes the driver's database; connects, within the core's connect_timeout. */
int wr_adbc_core_start(struct wr_adbc_core *core, const char *name, struct weir_error *error);
int wr_adbc_connect(struct wr_adbc_core *core, const char *name,
                    struct wr_adbc_connection **ret_connection, struct weir_error *error);
/* Tries it with a statement. False: it is closed, or will be. */
bool wr_adbc_is_alive(struct wr_adbc_connection *connection);
void wr_adbc_disconnect(struct wr_adbc_connection *connection);

/* What the driver says of itself: vendor, catalog, schema, has_cancel. */
int wr_adbc_learn(struct wr_adbc_core *core, const char *name, struct weir_error *error);

/* One statement without rows, on the calling thread. `ret_n_rows` may be NULL. */
int wr_adbc_run(struct wr_adbc_connection *connection, const char *name, const char *sql,
                int64_t *ret_n_rows, struct weir_error *error);

/* ---- Threads (worker.c) ---- */

/*
 * Runs `work` on a thread of its own and waits until it is done, the deadline (wr_clock_ms;
 * INT64_MAX: none) has passed, or the call that this thread serves is cancelled (base/call.h).
 * True: done. False: `drop` is called on that thread when the work has ended, and `context` belongs
 * to it.
 */
bool wr_adbc_run_within(void (*work)(void *context), void (*drop)(void *context), void *context,
                        int64_t deadline_ms);
/*
 * What is between these has a thread in a driver, or about to be. At the end of the process they
 * are waited for, a second at most: a driver's libraries free what they have at exit, under the
 * hands of whoever still closes a connection.
 */
void wr_adbc_busy_begin(void);
void wr_adbc_busy_end(void);
/* To be called when a driver has connected: its own handlers of exit are older then, and run later.
 */
void wr_adbc_settle_at_exit(void);
/* A detached thread without signals; false: there is none. */
bool wr_adbc_thread(void *(*run)(void *context), void *context);

#endif
