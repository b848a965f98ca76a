/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: a line of JSON for each statement, when it is over.
 *
 *     WR_TRY(wr_audit_ready(workspace->audit, error));       -- before it begins
 *     ...
 *     wr_audit_write(workspace->audit, &record, error);      -- when it is over
 *
 * 1. The file is only ever added to, one write for each line, so that several processes may share
 * it. One that was moved away or removed is made anew at the next line.
 * 2. The statement stands in it without its literals (wr_sql_without_literals), and no message of
 * an error does.
 * 3. A line that cannot be written (the disk is full) is kept, up to MOST_KEPT bytes of them, and
 * wr_audit_write says so. From then on wr_audit_ready tries again and refuses with WEIR_IO (58030):
 * no statement begins until the log has caught up. What does not fit into memory either is counted,
 * and a line tells how many are missing.
 * 4. `audit` may be NULL, no log is kept then. Safe for threads.
 */
#ifndef WR_AUDIT_H
#define WR_AUDIT_H

#include "config/config.h"

struct wr_audit;

struct wr_audit_record {
    const char *session; /* ids */
    const char *query;
    const char *user; /* NULL: the program itself */
    const char *door;
    const char *peer;          /* NULL: none */
    const char *sql;           /* with its literals, which are left out here */
    const char *const *tables; /* paths of those that it reads, ended by NULL; NULL: not known */
    const char *target;        /* of the one that it changes; NULL: none */
    int64_t started_us;        /* since 1970 */
    int64_t duration_us;
    int64_t rows; /* returned or changed; -1: not known */
    int32_t code; /* enum weir_code */
    const char *sqlstate;
};

/* *ret_audit stays NULL without `audit.log`. */
int wr_audit_open(const struct wr_config *config, struct wr_audit **ret_audit,
                  struct weir_error *error);
void wr_audit_close(struct wr_audit *audit);
int wr_audit_ready(struct wr_audit *audit, struct weir_error *error);
int wr_audit_write(struct wr_audit *audit, const struct wr_audit_record *record,
                   struct weir_error *error);

#endif
