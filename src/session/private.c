/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that one session alone sees (WEIR_REGISTER_PRIVATE). They are in no catalog: a look-up
 * finds them first, whatever the current schema is. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/session.h"

struct wr_private {
    struct wr_private *next;
    struct wr_instance *instance;
};

static bool is_named(const struct wr_private *table, const char *name) {
    return strcmp(wr_instance_definition(table->instance)->name, name) == 0;
}

static void private_free(struct wr_private *table) {
    wr_instance_release(table->instance);
    wr_free(table);
}

struct wr_instance *wr_private_find(struct wr_session_names *names, const char *name) {
    struct wr_instance *found = NULL;
    pthread_mutex_lock(&names->mutex);
    for (const struct wr_private *table = names->tables; table && !found; table = table->next) {
        if (is_named(table, name)) found = wr_instance_retain(table->instance);
    }
    pthread_mutex_unlock(&names->mutex);
    return found;
}

/* Takes one out of the list, without freeing it. */
static struct wr_private *take(struct wr_session_names *names, const char *name) {
    pthread_mutex_lock(&names->mutex);
    struct wr_private **place = &names->tables;
    while (*place && !is_named(*place, name))
        place = &(*place)->next;
    struct wr_private *taken = *place;
    if (taken) *place = taken->next;
    pthread_mutex_unlock(&names->mutex);
    return taken;
}

int wr_private_add(struct wr_session_names *names, struct wr_instance *instance,
                   struct weir_error *error) {
    struct wr_private *table = wr_calloc(1, sizeof *table);
    if (!table) return wr_error_memory(error);
    struct wr_private *old = take(names, wr_instance_definition(instance)->name);
    table->instance = wr_instance_retain(instance);
    pthread_mutex_lock(&names->mutex);
    table->next = names->tables;
    names->tables = table;
    pthread_mutex_unlock(&names->mutex);
    if (old) private_free(old);
    return WEIR_OK;
}

void wr_private_clear(struct wr_session_names *names) {
    while (names->tables) {
        struct wr_private *table = names->tables;
        names->tables = table->next;
        private_free(table);
    }
}

int weir_unregister(struct weir_session *session, const char *name, struct weir_error *error) {
    struct wr_private *table = name ? take(session->names, name) : NULL;
    if (!table)
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "the session has no private table \"%s\"", name ? name : "");
    private_free(table);
    return WEIR_OK;
}
