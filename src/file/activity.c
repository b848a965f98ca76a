/* SPDX-License-Identifier: Apache-2.0 */
#include "file/activity.h"

#include "base/alloc.h"
#include "base/error.h"

void wr_activities_init(struct wr_activities *activities) {
    pthread_mutex_init(&activities->mutex, NULL);
    activities->first = NULL;
}

static void free_kept(struct wr_activity *first) {
    while (first) {
        struct wr_activity *next = first->next;
        wr_run_free(first->run);
        wr_free(first);
        first = next;
    }
}

void wr_activities_reset(struct wr_activities *activities) {
    free_kept(activities->first);
    activities->first = NULL;
    pthread_mutex_destroy(&activities->mutex);
}

void wr_activities_cancel(struct wr_activities *activities) {
    pthread_mutex_lock(&activities->mutex);
    for (struct wr_activity *one = activities->first; one; one = one->next) {
        one->cancelled = true;
        wr_call_cancel(one->call);
        /* It waits for nothing. */
        if (one->run) wr_run_cancel(one->run);
    }
    pthread_mutex_unlock(&activities->mutex);
}

void wr_activity_begin(struct wr_activities *activities, struct wr_activity *activity) {
    *activity = (struct wr_activity){.all = activities};
    pthread_mutex_lock(&activities->mutex);
    activity->next = activities->first;
    activities->first = activity;
    pthread_mutex_unlock(&activities->mutex);
}

void wr_activity_end(struct wr_activity *activity) {
    struct wr_activities *all = activity->all;
    pthread_mutex_lock(&all->mutex);
    struct wr_activity **place = &all->first;
    while (*place != activity)
        place = &(*place)->next;
    *place = activity->next;
    pthread_mutex_unlock(&all->mutex);
}

void wr_work_begin(struct wr_activities *activities, struct wr_call *call, struct wr_work *work) {
    work->own = call ? NULL : wr_call_new(); /* without memory for one nothing can be ended */
    wr_call_serve(&work->service, call ? call : work->own);
    wr_activity_begin(activities, &work->activity);
    pthread_mutex_lock(&activities->mutex);
    work->activity.call = work->service.call;
    if (work->activity.cancelled) wr_call_cancel(work->activity.call);
    pthread_mutex_unlock(&activities->mutex);
}

void wr_work_end(struct wr_work *work) {
    wr_activity_end(&work->activity);
    wr_call_unserve(&work->service);
    wr_call_release(work->own);
}

bool wr_activity_is_cancelled(void *context) {
    struct wr_activity *activity = context;
    pthread_mutex_lock(&activity->all->mutex);
    bool cancelled = activity->cancelled;
    pthread_mutex_unlock(&activity->all->mutex);
    return cancelled;
}

int wr_activity_check(struct wr_activity *activity, struct weir_error *error) {
    if (!wr_activity_is_cancelled(activity)) return WEIR_OK;
    return wr_error_set(error, WEIR_CANCELLED, NULL, "interrupted");
}

int wr_activity_run(struct wr_activity *activity, const struct wr_plan *plan,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_run *run = NULL;
    WR_TRY(wr_activity_check(activity, error));
    WR_TRY(wr_plan_execute(plan, ret_rows, &run, error));
    pthread_mutex_lock(&activity->all->mutex);
    activity->run = run;
    bool cancelled = activity->cancelled;
    pthread_mutex_unlock(&activity->all->mutex);
    /* A cancel that came while the engine was starting found no run. */
    if (cancelled) wr_run_cancel(run);
    return WEIR_OK;
}

void wr_activity_finish(struct wr_activity *activity) {
    pthread_mutex_lock(&activity->all->mutex);
    struct wr_run *run = activity->run;
    activity->run = NULL;
    pthread_mutex_unlock(&activity->all->mutex);
    if (run) wr_run_free(run);
}

/* Takes those out whose rows were read or released. */
static struct wr_activity *take_finished(struct wr_activities *activities) {
    struct wr_activity *finished = NULL;
    for (struct wr_activity **place = &activities->first; *place;) {
        struct wr_activity *one = *place;
        struct weir_progress progress = {.size = sizeof progress};
        if (one->kept) wr_run_progress(one->run, &progress);
        if (progress.finished) {
            *place = one->next;
            one->next = finished;
            finished = one;
        } else {
            place = &one->next;
        }
    }
    return finished;
}

int wr_activities_run(struct wr_activities *activities, const struct wr_plan *plan,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct wr_activity *activity = wr_calloc(1, sizeof *activity);
    if (!activity) return wr_error_memory(error);
    wr_activity_begin(activities, activity);
    int code = wr_activity_run(activity, plan, ret_rows, error);
    if (code) {
        wr_activity_end(activity);
        wr_free(activity);
        return code;
    }
    pthread_mutex_lock(&activities->mutex);
    struct wr_activity *finished = take_finished(activities);
    activity->kept = true;
    pthread_mutex_unlock(&activities->mutex);
    free_kept(finished);
    return WEIR_OK;
}
