/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches a running statement from a thread of its own: Ctrl-C and the time limit cancel it, and
 * work of more than a second shows its progress. One statement, or work of a session, at a time.
 *
 *     watch_begin(limit_ms, progress);
 *     connection->type->prepare(...); watch_attach(prepared);
 *     ... execute and read ...
 *     reason = watch_end();
 *     prepared_close(prepared);
 *
 * What is done for a session without a statement (nodes, files, copies) is watched the same way,
 * with watch_attach_connection.
 */
#ifndef WR_CLI_WATCH_H
#define WR_CLI_WATCH_H

#include <stdbool.h>

#include "connection.h"
#include "weir.h"

enum watch_reason { WATCH_NONE = 0, WATCH_INTERRUPTED = 1, WATCH_TIMED_OUT = 2 };

/*
 * Installs the signal handlers. In a one-shot program a second signal, while the first is still
 * being honoured, ends the process at once; in the shell no number of Ctrl-C does. Call before
 * weir_workspace_open: watch_block keeps signals from the threads that it starts.
 */
int watch_install(bool one_shot, struct weir_error *error);
void watch_block(bool block);
/* The signal that came since the last watch_begin, or 0. */
int watch_interrupted(void);
/* The file that an immediate end has to remove. NULL: none. */
void watch_staged_file(const char *path);

int watch_begin(int64_t limit_ms, bool progress, bool unicode, struct weir_error *error);
void watch_attach(struct prepared *prepared);
void watch_attach_connection(struct connection *connection);
/* Why the work has been, or is about to be, cancelled. */
int watch_reason(void);
/* The screen now belongs to the results. */
void watch_hide_progress(void);
int watch_end(void);

/* progress.c: draws over the current line of standard error. */
void progress_draw(const struct weir_progress *progress, int64_t elapsed_ms, bool unicode);
void progress_erase(void);

#endif
