/* SPDX-License-Identifier: Apache-2.0 */
/* An extension as they were when `watch` had come: never edited, and loaded by each later weir. Its
 * tables wait in the slot that the option `in` names until nobody waits for them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "abi_3.h"

static int (*watch)(struct weir_watch *watch, void (*stop)(void *stopped), void *stopped);
static void (*unwatch)(struct weir_watch *watch);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* For tests. */
_Atomic int64_t abi3_n_waiting, abi3_n_unheard;

static void stop(void *is_stopped) {
    pthread_mutex_lock(&mutex);
    *(int *)is_stopped = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

/* In the slot that is named by `in`. */
static int wait_in(const char *in, const char *slot, struct weir_error *error) {
    struct weir_watch room;
    int is_stopped = 0;
    if (strcmp(in, slot) != 0) return 0;
    if (!watch(&room, stop, &is_stopped)) {
        abi3_n_unheard++;
        return 0;
    }
    abi3_n_waiting++;
    pthread_mutex_lock(&mutex);
    while (!is_stopped)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    unwatch(&room);
    abi3_n_waiting--;
    if (error) {
        *error = (struct weir_error){.code = WEIR_CANCELLED};
        memcpy(error->sqlstate, "57014", sizeof "57014");
        strcpy(error->message, "abi3 was stopped");
    }
    return WEIR_CANCELLED;
}

static int table_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    int code = wait_in(definition->options[0].value, "open", error);
    if (code) return code;
    *ret_table = strdup(definition->options[0].value);
    return *ret_table ? 0 : WEIR_INTERNAL;
}

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static struct ArrowSchema number = {.format = "l", .name = "n", .release = release_schema};
static struct ArrowSchema *one[] = {&number};

static void form_release(struct weir_form *form) {
    form->release = NULL;
}

static int table_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    int code = wait_in(table, "form", error);
    if (code) return code;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM, .release = form_release};
    ret_form->schema = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 1, .children = one, .release = release_schema};
    return 0;
}

static int table_statistics(void *table, struct weir_statistics *ret_statistics,
                            struct weir_error *error) {
    int code = wait_in(table, "statistics", error);
    if (code == 0)
        *ret_statistics =
            (struct weir_statistics){.size = sizeof *ret_statistics, .n_rows = -1, .n_bytes = -1};
    return code;
}

static int no_partition(struct weir_scan *scan, int32_t partition,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)scan, (void)partition, (void)ret_rows, (void)error;
    return WEIR_INTERNAL;
}

static void scan_release(struct weir_scan *scan) {
    scan->release = NULL;
}

static int table_scan(void *table, const struct weir_scan_request *request,
                      struct weir_scan *ret_scan, struct weir_error *error) {
    (void)request;
    int code = wait_in(table, "scan", error);
    if (code) return code;
    *ret_scan = (struct weir_scan){.open = no_partition, .release = scan_release};
    return 0;
}

static const struct weir_option_spec specs[] = {{"in", WEIR_OPTION_TEXT, 1, "the slot that waits"}};
static struct weir_table_kind kind;

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    const struct weir_host_of_abi_3 *given = (const struct weir_host_of_abi_3 *)host;
    if (host->size < sizeof *given) return WEIR_NOT_IMPLEMENTED;
    watch = given->watch;
    unwatch = given->unwatch;
    kind = (struct weir_table_kind){.size = sizeof kind,
                                    .name = "abi3_waits",
                                    .options = specs,
                                    .n_options = 1,
                                    .open = table_open,
                                    .close = free,
                                    .form = table_form,
                                    .statistics = table_statistics,
                                    .scan = table_scan};
    *ret_extension = (struct weir_extension){
        .size = sizeof *ret_extension, .abi = 1, .name = "abi3", .version = "1.0"};
    return host->register_kind(host->context, &kind, error);
}
