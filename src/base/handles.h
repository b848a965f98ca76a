/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things that a client may name later: sessions, prepared statements, results. Each has an id of
 * 128 random bits, belongs to an owner, and is dropped when nobody used it for some time. For
 * anyone but its owner an id does not exist.
 *
 *     wr_handles_new(&handles, error);
 *     wr_handles_add(handles, "ada", object, destroy, 60000, id, error);
 *     object = wr_handles_get(handles, "ada", id);   // NULL: unknown, expired, somebody else's
 *     ... wr_handles_release(handles, id's object) ...
 *
 * Threads: all functions may be called from any thread. `destroy` is called without the mutex, on
 * the thread that releases last, sweeps, or frees.
 */
#ifndef WR_HANDLES_H
#define WR_HANDLES_H

#include <stdbool.h>

#include "weir.h"

struct wr_handles;

enum { WR_HANDLE_SIZE = 33 }; /* 32 hexadecimal digits and a NUL */

int wr_handles_new(struct wr_handles **ret_handles, struct weir_error *error);
/* Drops all of them; none may be in use. */
void wr_handles_free(struct wr_handles *handles);

/* Takes over `object` on success. `idle_ms`: how long it lives after its last use; 0: until it is
 * dropped. `owner` is copied. */
int wr_handles_add(struct wr_handles *handles, const char *owner, void *object,
                   void (*destroy)(void *object), int64_t idle_ms, char ret_id[WR_HANDLE_SIZE],
                   struct weir_error *error);
/* The object with a reference, to be given back by wr_handles_release; NULL: there is none of that
 * id for this owner. `length` is the id's: it need not end in a NUL. */
void *wr_handles_get(struct wr_handles *handles, const char *owner, const char *id, size_t length);
void wr_handles_release(struct wr_handles *handles, void *object);
/* No get finds it any more; it is destroyed when the last reference is given back. False: there is
 * none of that id for this owner. */
bool wr_handles_drop(struct wr_handles *handles, const char *owner, const char *id, size_t length);
/* Drops those whose time is over; wr_handles_add and wr_handles_get do so now and then too. */
void wr_handles_sweep(struct wr_handles *handles);
size_t wr_handles_count(struct wr_handles *handles);

/* 128 bits of the system's random numbers as hexadecimal digits. */
int wr_random_id(char ret_id[WR_HANDLE_SIZE], struct weir_error *error);

#endif
