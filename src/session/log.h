/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of `log.level` and `log.file`: lines with their time, one write each, so that processes
 * may share a file. Any thread.
 */
#ifndef WR_SESSION_LOG_H
#define WR_SESSION_LOG_H

#include "config/config.h"

struct wr_log_file;

/* *ret_log is NULL when nothing is to be logged. */
int wr_log_open(const struct wr_config *config, struct wr_log_file **ret_log,
                struct weir_error *error);
void wr_log_close(struct wr_log_file *log); /* NULL is welcome */
/* A struct wr_log's call, of a struct wr_log_file. What cannot be written is lost. */
void wr_log_line(void *log, const char *line);

#endif
