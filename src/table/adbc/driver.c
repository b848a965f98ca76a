/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER; /* guards `loaded`, and loading */
static struct wr_adbc_driver *loaded;

void wr_adbc_entrypoint_name(const char *library, struct wr_buffer *ret_name) {
    const char *slash = strrchr(library, '/');
    const char *name = slash ? slash + 1 : library;
    if (strncmp(name, "lib", 3) == 0) name += 3;
    size_t length = strcspn(name, ".");
    size_t start = ret_name->length;
    bool first = true;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (c == '_' || c == '-') {
            first = true;
            continue;
        }
        wr_buffer_char(ret_name, first && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
        first = false;
    }
    /* adbc_driver_x gives AdbcDriverX; another name is put behind Adbc. */
    if (!ret_name->failed &&
        (ret_name->length - start < 4 || strncmp(ret_name->data + start, "Adbc", 4) != 0)) {
        char *rest = wr_strdup(ret_name->length > start ? ret_name->data + start : "");
        if (!rest) {
            ret_name->failed = true;
            return;
        }
        ret_name->length = start;
        wr_buffer_text(ret_name, "Adbc");
        wr_buffer_text(ret_name, rest);
        wr_free(rest);
    }
    wr_buffer_text(ret_name, "Init");
}

/* ---- Loading ---- */

static bool is_complete(const struct AdbcDriver *functions) {
    return functions->DatabaseNew && functions->DatabaseInit && functions->DatabaseRelease &&
           functions->ConnectionNew && functions->ConnectionInit && functions->ConnectionRelease &&
           functions->StatementNew && functions->StatementRelease &&
           functions->StatementSetSqlQuery && functions->StatementExecuteQuery;
}

static int initialize(AdbcDriverInitFunc init, struct wr_adbc_driver *driver,
                      struct weir_error *error) {
    static const int versions[] = {WR_ADBC_VERSION_1_1_0, WR_ADBC_VERSION_1_0_0};
    struct AdbcError reason = {.vendor_code = WR_ADBC_ERROR_IS_1_1};
    AdbcStatusCode status = WEIR_NOT_IMPLEMENTED;
    for (size_t i = 0; i < 2 && status == WEIR_NOT_IMPLEMENTED; i++) {
        if (reason.release) reason.release(&reason);
        reason = (struct AdbcError){.vendor_code = WR_ADBC_ERROR_IS_1_1};
        driver->functions = (struct AdbcDriver){0};
        driver->version = versions[i];
        status = init(versions[i], &driver->functions, &reason);
    }
    int code = WEIR_OK;
    if (status) {
        code = wr_error_set(error, status, NULL, "the ADBC driver \"%s\" does not start: %s",
                            driver->library, reason.message ? reason.message : "it says no reason");
    } else if (!is_complete(&driver->functions)) {
        code = wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "the ADBC driver \"%s\" lacks functions that every driver has",
                            driver->library);
    }
    if (reason.release) reason.release(&reason);
    return code;
}

static int find_entrypoint(void *handle, const char *library, const char *entrypoint,
                           AdbcDriverInitFunc *ret_init, struct weir_error *error) {
    struct wr_buffer name;
    wr_buffer_init(&name, 4096);
    if (!entrypoint) wr_adbc_entrypoint_name(library, &name);
    if (name.failed) return wr_error_memory(error);
    void *symbol = dlsym(handle, entrypoint ? entrypoint : name.data);
    if (!symbol && !entrypoint) symbol = dlsym(handle, "AdbcDriverInit");
    int code = WEIR_OK;
    if (symbol) {
        memcpy(ret_init, &symbol, sizeof symbol); /* POSIX lets a function's address be one */
    } else if (entrypoint) {
        code = wr_error_set(error, WEIR_NOT_FOUND, NULL, "\"%s\" has no entry point \"%s\"",
                            library, entrypoint);
    } else {
        code = wr_error_set(error, WEIR_NOT_FOUND, NULL,
                            "\"%s\" has neither of the entry points of an ADBC driver, \"%s\" and "
                            "\"AdbcDriverInit\"; name its own by the option entrypoint",
                            library, name.data);
    }
    wr_buffer_reset(&name);
    return code;
}

static void free_driver(struct wr_adbc_driver *driver) {
    wr_free(driver->library);
    wr_free(driver->entrypoint);
    wr_free(driver);
}

static int load(const char *library, const char *entrypoint, struct wr_adbc_driver **ret_driver,
                struct weir_error *error) {
    if (strchr(library, '/') && access(library, F_OK) != 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, NULL, "there is no ADBC driver at \"%s\"",
                            library);
    }
    struct wr_adbc_driver *driver = wr_calloc(1, sizeof *driver);
    if (!driver) return wr_error_memory(error);
    driver->library = wr_strdup(library);
    driver->entrypoint = wr_strdup(entrypoint);
    if (!driver->library || (entrypoint && !driver->entrypoint)) {
        free_driver(driver);
        return wr_error_memory(error);
    }
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    AdbcDriverInitFunc init = NULL;
    int code =
        handle ? find_entrypoint(handle, library, entrypoint, &init, error)
               : wr_error_set(error, WEIR_IO, NULL, "cannot load the ADBC driver: %s", dlerror());
    if (!code) code = initialize(init, driver, error);
    if (code) {
        free_driver(driver);
        return code;
    }
    *ret_driver = driver;
    return WEIR_OK;
}

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

int wr_adbc_driver_load(const char *library, const char *entrypoint,
                        struct wr_adbc_driver **ret_driver, struct weir_error *error) {
    pthread_mutex_lock(&loading);
    struct wr_adbc_driver *driver = loaded;
    while (driver && !(same(driver->library, library) && same(driver->entrypoint, entrypoint)))
        driver = driver->next;
    int code = WEIR_OK;
    if (!driver) {
        code = load(library, entrypoint, &driver, error);
        if (!code) {
            driver->next = loaded;
            loaded = driver;
        }
    }
    pthread_mutex_unlock(&loading);
    if (!code) *ret_driver = driver;
    return code;
}
