/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests and the driver of fake_driver.c share: how it behaves, and what it counted. A
 * statement's text says what it does:
 *
 *   rows N            N rows, 10 a batch, of one int64 column a: 0, 1, 2, ...
 *   fail C S M        execution fails with code C, SQLSTATE S ("-": none), message M
 *   fail_after N      N rows, then an error 22012 in get_next
 *   hang              does not return before it is cancelled, or `let_go` is set
 *   hang_after N      N rows, then the same in get_next
 *   change N          N rows affected
 *   parts N M         in partitions: N of M rows each, which go on from one to the next
 *   parts_fail N M    the same, and after the rows of the last one an error 22012
 *   parts_hang N M    the same, and each hangs after its rows
 *   parts_differ N M  the same, and all but the first have texts
 *   anything else     one row
 *
 * An ingest into the table "hangs" hangs when all rows are there.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdatomic.h>
#include <stdbool.h>

struct fake {
    /* Behaviour. */
    atomic_int generation;    /* connections of an older one are gone: 08006 */
    atomic_int failing_opens; /* so many attempts to connect fail */
    atomic_bool connect_hangs;
    atomic_bool no_cancel;
    atomic_bool let_go;
    atomic_bool leaks_options; /* errors of connecting hold all options */
    atomic_bool refuse_1_1;    /* as a driver of 1.0.0 */
    atomic_bool has_partitions;

    /* What is open. */
    atomic_int databases, connections, statements, streams;
    /* What was done. */
    atomic_int connects, pings, executions, cancels, commits, rollbacks;
    atomic_int partitions; /* that were read */
    atomic_long ingested;
    atomic_int version; /* that the driver was asked for last */
};

struct fake *fake(void);

#endif
