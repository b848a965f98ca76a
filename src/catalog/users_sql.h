/* SPDX-License-Identifier: Apache-2.0 */
/* What the files on users, grants and keys share. */
#ifndef WR_USERS_SQL_H
#define WR_USERS_SQL_H

#include "catalog/names.h"

int64_t wr_now_us(void);
/* WEIR_NOT_FOUND, 42704: there is no user "x". */
int wr_no_such_user(const char *what, const char *name, struct weir_error *error);

/* 0 when there is none; the second one makes that an error. */
int wr_store_user(struct wr_store *store, const char *name, int64_t *ret_id,
                  struct weir_error *error);
int wr_store_need_user(struct wr_store *store, const char *name, int64_t *ret_id,
                       struct weir_error *error);
/* Takes the file's rights from those who are neither its owner nor of its group. */
void wr_store_close_to_others(const struct wr_store *store);

/* Runs it in a transaction, with the mutex. */
typedef int (*wr_transaction_fn)(struct wr_store *store, void *context, struct weir_error *error);
int wr_names_transact(struct wr_names *names, wr_transaction_fn run, void *context,
                      struct weir_error *error);

#endif
