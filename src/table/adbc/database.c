/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/condition.h"
#include "base/error.h"
#include "base/hash.h"
#include "table/adbc/core.h"

/* Guards the list, the references of its cores, and `reaping`. */
static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
static struct wr_adbc_core *cores;
static int n_made;
static bool reaping;
static pthread_cond_t list_changed = PTHREAD_COND_INITIALIZER;

/* ---- The list ---- */

struct wr_adbc_core *wr_adbc_core_retain(struct wr_adbc_core *core) {
    pthread_mutex_lock(&listing);
    core->n_references++;
    pthread_mutex_unlock(&listing);
    return core;
}

static void free_core(struct wr_adbc_core *core) {
    struct AdbcError reason = wr_adbc_error_new(core->driver);
    wr_adbc_pool_close(core);
    if (core->is_made) WR_ADBC_CALL(core->driver, DatabaseRelease, &core->adbc, &reason);
    if (reason.release) reason.release(&reason);
    wr_adbc_settings_reset(&core->settings);
    wr_adbc_secrets_reset(&core->secrets);
    wr_free(core->key);
    wr_free(core->id);
    wr_free(core->vendor);
    wr_free(core->catalog);
    wr_free(core->schema);
    pthread_cond_destroy(&core->changed);
    pthread_mutex_destroy(&core->mutex);
    wr_free(core);
}

void wr_adbc_core_release(struct wr_adbc_core *core) {
    pthread_mutex_lock(&listing);
    bool last = --core->n_references == 0;
    if (last) {
        struct wr_adbc_core **at = &cores;
        while (*at && *at != core)
            at = &(*at)->next;
        if (*at) *at = core->next;
        pthread_cond_signal(&list_changed);
    }
    pthread_mutex_unlock(&listing);
    if (last) free_core(core);
}

static struct wr_adbc_core *find_core(const char *key) {
    struct wr_adbc_core *core = cores;
    while (core && strcmp(core->key, key) != 0)
        core = core->next;
    if (core) core->n_references++;
    return core;
}

/* ---- Closing what nobody uses ---- */

/* Milliseconds until it is worth looking again. */
static int64_t reap_pause(void) {
    int64_t pause = 30000;
    for (struct wr_adbc_core *core = cores; core; core = core->next) {
        int64_t timeout = core->settings.idle_timeout / 2;
        if (timeout > 0 && timeout < pause) pause = timeout;
    }
    return pause < 20 ? 20 : pause;
}

/* Every core of the list once; each is held while its connections are closed. */
static void reap_once(void) {
    pthread_mutex_lock(&listing);
    size_t n = 0;
    for (struct wr_adbc_core *core = cores; core; core = core->next)
        n++;
    struct wr_adbc_core **held = wr_reallocarray(NULL, n, sizeof(void *));
    n = 0;
    for (struct wr_adbc_core *core = cores; core && held; core = core->next) {
        core->n_references++;
        held[n++] = core;
    }
    pthread_mutex_unlock(&listing);
    for (size_t i = 0; i < n; i++) {
        struct wr_adbc_connection *connection = wr_adbc_pool_expired(held[i]);
        while (connection) {
            struct wr_adbc_connection *next = connection->next;
            wr_adbc_disconnect(connection);
            connection = next;
        }
        wr_adbc_core_release(held[i]);
    }
    wr_free(held);
}

/* `listing` is held. */
static void wait_a_while(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    struct timespec pause = wr_adbc_time(reap_pause());
    until.tv_sec += pause.tv_sec + (until.tv_nsec + pause.tv_nsec) / 1000000000;
    until.tv_nsec = (until.tv_nsec + pause.tv_nsec) % 1000000000;
    pthread_cond_timedwait(&list_changed, &listing, &until);
}

static void *reap(void *context) {
    (void)context;
    for (;;) {
        pthread_mutex_lock(&listing);
        if (cores) wait_a_while();
        bool go_on = reaping = cores != NULL;
        pthread_mutex_unlock(&listing);
        if (!go_on) return NULL;
        reap_once();
    }
}

/* ---- Making one ---- */

static int compare_options(const void *a, const void *b) {
    return strcasecmp(((const struct weir_option *)a)->key, ((const struct weir_option *)b)->key);
}

/* The same for the same options in any order, after profile and environment. */
static int make_key(const struct wr_adbc_settings *settings, const struct wr_adbc_location *driver,
                    const struct weir_option *options, size_t n_options, char **ret_key,
                    struct weir_error *error) {
    struct weir_option *sorted = wr_reallocarray(NULL, n_options, sizeof *sorted);
    if (!sorted) return wr_error_memory(error);
    for (size_t i = 0; i < n_options; i++)
        sorted[i] = options[i];
    qsort(sorted, n_options, sizeof *sorted, compare_options);
    struct wr_hash hash;
    wr_hash_init(&hash);
    wr_hash_text(&hash, driver->library);
    wr_hash_text(&hash, driver->entrypoint);
    wr_hash_text(&hash, settings->url);
    for (size_t i = 0; i < settings->options.n_items; i++) {
        if (wr_options_get(options, n_options, settings->options.items[i].key)) continue;
        wr_hash_text(&hash, settings->options.items[i].key);
        wr_hash_text(&hash, settings->options.items[i].value);
    }
    for (size_t i = 0; i < n_options; i++) {
        if (strcasecmp(sorted[i].key, "catalog") == 0) continue; /* the same database */
        wr_hash_text(&hash, sorted[i].key);
        wr_hash_text(&hash, sorted[i].value);
    }
    wr_free(sorted);
    char text[WR_HASH_TEXT_SIZE];
    wr_hash_finish(&hash, text);
    char *key = wr_strdup(text);
    if (!key) return wr_error_memory(error);
    *ret_key = key;
    return WEIR_OK;
}

static struct wr_adbc_core *new_core(void) {
    struct wr_adbc_core *core = wr_calloc(1, sizeof *core);
    if (!core) return NULL;
    core->n_references = 1;
    core->doubted_ms = -1;
    pthread_mutex_init(&core->mutex, NULL);
    wr_condition_init(&core->changed);
    return core;
}

/* Connects, and keeps the connections that the pool has at least. */
static int fill_pool(struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    int64_t n = core->settings.pool_min > 1 ? core->settings.pool_min : 1;
    for (int64_t i = 0; i < n; i++) {
        struct wr_adbc_connection *connection;
        WR_TRY(wr_adbc_connect(core, name, &connection, error));
        core->n_open++;
        connection->next = core->idle;
        core->idle = connection;
    }
    return WEIR_OK;
}

/* SQLite opens any file, and looks into it with the first statement only. */
static int check_sqlite(struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    int code = wr_adbc_run(core->idle, name, "SELECT count(*) FROM sqlite_master", NULL, error);
    if (code && core->settings.url) wr_error_append(error, " (\"%s\")", core->settings.url);
    return code;
}

static int start_core(struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    pthread_mutex_lock(&listing);
    int serial = ++n_made;
    pthread_mutex_unlock(&listing);
    core->adbc.private_driver = (struct AdbcDriver *)&core->driver->functions;
    core->family = wr_adbc_family_of(core->settings.driver, core->driver->library);
    int code =
        wr_adbc_settings_fit(&core->settings, core->family, serial, core->driver->library, error);
    if (code) return wr_error_prefix(error, code, "database \"%s\"", name);
    WR_TRY(wr_adbc_secrets_find(&core->settings, &core->secrets, error));
    char id[32];
    snprintf(id, sizeof id, "#%d", serial);
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 16);
    wr_buffer_format(&text, "adbc:%s%s", name, id);
    core->id = wr_buffer_take(&text);
    if (!core->id) return wr_error_memory(error);
    WR_TRY(wr_adbc_core_start(core, name, error));
    WR_TRY(fill_pool(core, name, error));
    wr_adbc_settle_at_exit();
    WR_TRY(wr_adbc_learn(core, name, error));
    return core->family == WR_ADBC_SQLITE ? check_sqlite(core, name, error) : WEIR_OK;
}

/* Whoever comes second uses what the first one made. */
static struct wr_adbc_core *list_core(struct wr_adbc_core *core) {
    pthread_mutex_lock(&listing);
    struct wr_adbc_core *other = find_core(core->key);
    bool start = !other && !reaping;
    if (!other) {
        core->next = cores;
        cores = core;
        reaping = true;
        pthread_cond_signal(&list_changed);
    }
    pthread_mutex_unlock(&listing);
    if (start && !wr_adbc_thread(reap, NULL)) {
        pthread_mutex_lock(&listing);
        reaping = false; /* the next one tries again */
        pthread_mutex_unlock(&listing);
    }
    if (!other) return core;
    wr_adbc_core_release(core);
    return other;
}

/* Takes over settings and key. */
static int make_core(const char *name, struct wr_adbc_settings *settings, char *key,
                     const struct wr_adbc_location *location, struct wr_adbc_core **ret_core,
                     struct weir_error *error) {
    struct wr_adbc_driver *driver = NULL;
    int code = wr_adbc_driver_load(location->library, location->entrypoint, &driver, error);
    struct wr_adbc_core *core = code ? NULL : new_core();
    if (!code && !core) code = wr_error_memory(error);
    if (code) {
        wr_adbc_settings_reset(settings);
        wr_free(key);
        return code;
    }
    core->driver = driver;
    core->settings = *settings;
    core->key = key;
    *settings = (struct wr_adbc_settings){0};
    code = start_core(core, name, error);
    if (code) {
        wr_adbc_core_release(core);
        return code;
    }
    *ret_core = list_core(core);
    return WEIR_OK;
}

static int core_of(const char *name, const struct weir_option *options, size_t n_options,
                   struct wr_adbc_core **ret_core, struct weir_error *error) {
    struct wr_adbc_settings settings = {0};
    struct wr_adbc_location location = {0};
    char *key = NULL;
    WR_TRY(wr_adbc_settings_read(options, n_options, &settings, error));
    int code = wr_adbc_driver_find(settings.driver, &location, error);
    if (!code && settings.entrypoint) {
        wr_free(location.entrypoint);
        location.entrypoint = wr_strdup(settings.entrypoint);
        if (!location.entrypoint) code = wr_error_memory(error);
    }
    if (!code) code = make_key(&settings, &location, options, n_options, &key, error);
    struct wr_adbc_core *core = NULL;
    if (!code) {
        pthread_mutex_lock(&listing);
        core = find_core(key);
        pthread_mutex_unlock(&listing);
    }
    if (code || core) {
        wr_adbc_settings_reset(&settings);
        wr_free(key);
    } else {
        code = make_core(name, &settings, key, &location, &core, error);
    }
    wr_adbc_location_reset(&location);
    if (!code) *ret_core = core;
    return code;
}

int wr_adbc_database_open(const char *name, const struct weir_option *options, size_t n_options,
                          struct wr_adbc_database **ret_database, struct weir_error *error) {
    struct wr_adbc_database *database = wr_calloc(1, sizeof *database);
    const char *catalog = wr_options_get(options, n_options, "catalog");
    char *copy = wr_strdup(name), *catalog_copy = wr_strdup(catalog);
    int code = database && copy && (catalog_copy || !catalog)
                   ? core_of(name, options, n_options, &database->core, error)
                   : wr_error_memory(error);
    if (code) {
        wr_free(database);
        wr_free(copy);
        wr_free(catalog_copy);
        return code;
    }
    database->name = copy;
    database->catalog = catalog_copy;
    atomic_init(&database->n_references, 1);
    *ret_database = database;
    return WEIR_OK;
}

struct wr_adbc_database *wr_adbc_database_retain(struct wr_adbc_database *database) {
    atomic_fetch_add(&database->n_references, 1);
    return database;
}

void wr_adbc_database_release(struct wr_adbc_database *database) {
    if (!database || atomic_fetch_sub(&database->n_references, 1) != 1) return;
    wr_adbc_core_release(database->core);
    wr_free(database->name);
    wr_free(database->catalog);
    wr_free(database);
}

const char *wr_adbc_database_vendor(const struct wr_adbc_database *database) {
    return database->core->vendor;
}

const char *wr_adbc_database_id(const struct wr_adbc_database *database) {
    return database->core->id;
}

const char *wr_adbc_database_catalog(const struct wr_adbc_database *database) {
    return database->catalog ? database->catalog : database->core->catalog;
}

const char *wr_adbc_database_schema(const struct wr_adbc_database *database) {
    const struct wr_adbc_core *core = database->core;
    bool is_current =
        !database->catalog || (core->catalog && strcmp(database->catalog, core->catalog) == 0);
    return is_current ? core->schema : NULL;
}

int64_t wr_adbc_database_most_connections(const struct wr_adbc_database *database) {
    return database->core->settings.pool_max;
}

bool wr_adbc_database_has_partitions(const struct wr_adbc_database *database) {
    return database->core->has_partitions;
}
