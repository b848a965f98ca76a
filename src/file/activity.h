/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the functions on nodes and files are doing for a session, so that another thread can end it.
 *
 * An activity is on its function's stack. A run of the engine that outlives its function, because
 * its rows are read by the caller, is kept in the list until it is over.
 */
#ifndef WR_ACTIVITY_H
#define WR_ACTIVITY_H

#include <pthread.h>
#include <stdbool.h>

#include "base/call.h"
#include "engine/engine.h"

struct wr_activities;

struct wr_activity {
    struct wr_activities *all;
    struct wr_activity *next;
    struct wr_run *run;   /* NULL: none now */
    struct wr_call *call; /* cancelled with it; NULL: none */
    bool cancelled;
    bool kept; /* on the heap, and owner of its run */
};

struct wr_activities {
    pthread_mutex_t mutex; /* guards all of them */
    struct wr_activity *first;
};

void wr_activities_init(struct wr_activities *activities);
void wr_activities_reset(struct wr_activities *activities);
/* Cancels all that are there now. */
void wr_activities_cancel(struct wr_activities *activities);

void wr_activity_begin(struct wr_activities *activities, struct wr_activity *activity);
void wr_activity_end(struct wr_activity *activity);

/*
 * Work on this thread, and a call for the kinds that do it: what waits in a kind hears of the
 * cancel. `call` is the one that the thread serves meanwhile; NULL: one of the work's own.
 */
struct wr_work {
    struct wr_activity activity;
    struct wr_call_service service;
    struct wr_call *own;
};
void wr_work_begin(struct wr_activities *activities, struct wr_call *call, struct wr_work *work);
void wr_work_end(struct wr_work *work);
/* A bool (*)(void *): of struct wr_spool_fill. */
bool wr_activity_is_cancelled(void *activity);
/* WEIR_CANCELLED after a cancel. */
int wr_activity_check(struct wr_activity *activity, struct weir_error *error);

/* Starts a plan as this activity's run. wr_activity_finish frees the run. */
int wr_activity_run(struct wr_activity *activity, const struct wr_plan *plan,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error);
void wr_activity_finish(struct wr_activity *activity);
/* Starts a plan whose rows the caller reads. */
int wr_activities_run(struct wr_activities *activities, const struct wr_plan *plan,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error);

#endif
