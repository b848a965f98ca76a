/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where results go: standard output, a pager once the text is longer than the screen, or a file. A
 * file is written under a temporary name in its own directory, synced, and renamed by sink_commit:
 * nothing half-written is ever seen under its name.
 */
#ifndef WR_CLI_SINK_H
#define WR_CLI_SINK_H

#include <stdio.h>

#include "base/buffer.h"
#include "weir.h"

struct sink {
    int fd;
    bool terminal;
    bool broken; /* the reader went away: end quietly */
    struct wr_buffer pending;
    /* a file */
    char *path;
    char *staged; /* NULL: written in place, as for /dev/null or a named pipe */
    /* a pager */
    const char *pager; /* NULL: none */
    int screen_lines;
    int lines;
    FILE *pager_stream;
};

void sink_open_standard(struct sink *sink);
int sink_open_file(struct sink *sink, const char *path, struct weir_error *error);
/* From now on text longer than `screen_lines` goes through `command`. Only for a terminal. */
void sink_use_pager(struct sink *sink, const char *command, int screen_lines);
/* A weir_write_fn with a struct sink as context. */
int sink_write(void *context, const void *data, size_t length);
/* The same with an error that names the place. */
int sink_put(struct sink *sink, const struct wr_buffer *text, struct weir_error *error);
void sink_text(struct sink *sink, const char *text);
/* Hands all on to the system, and waits for the pager. Returns 0 or an errno value. */
int sink_flush(struct sink *sink);
/* Flushes, makes a staged file visible and closes. Closes on failure too. */
int sink_commit(struct sink *sink, struct weir_error *error);
/* Throws away what is not committed. */
void sink_abort(struct sink *sink);

#endif
