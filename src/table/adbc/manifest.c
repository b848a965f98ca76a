/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "table/adbc/driver.h"
#include "table/adbc/toml.h"

/* The names of the manifest specification's table "Platform Tuples". */
#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__i386__)
#define ARCHITECTURE "x86"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE "powerpc64le"
#elif defined(__powerpc64__)
#define ARCHITECTURE "powerpc64"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#else
#define ARCHITECTURE "unknown"
#endif
#ifdef __GLIBC__
#define PLATFORM "linux_" ARCHITECTURE
#else
#define PLATFORM "linux_" ARCHITECTURE "_musl"
#endif

void wr_adbc_location_reset(struct wr_adbc_location *location) {
    wr_free(location->library);
    wr_free(location->entrypoint);
    *location = (struct wr_adbc_location){0};
}

/* ---- One manifest ---- */

static int check_version(const struct wr_toml *toml, const char *path, struct weir_error *error) {
    const struct wr_toml_entry *version = wr_toml_get(toml, "manifest_version");
    int64_t number;
    if (!version ||
        (version->type == WR_TOML_INTEGER && wr_parse_int(version->value, &number) && number == 1))
        return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "%s:%d: manifest_version is not 1, the one that is known", path,
                        version->line);
}

static int no_library(const struct wr_toml *toml, const char *path, struct weir_error *error) {
    static const char table[] = "Driver.shared.";
    int code = wr_error_set(error, WEIR_NOT_FOUND, NULL, "%s: ", path);
    bool any = false;
    for (size_t i = 0; i < toml->n_entries; i++) {
        const char *key = toml->entries[i].key;
        if (strncmp(key, table, sizeof table - 1) != 0) continue;
        wr_error_append(error, any ? ", %s" : "has no library for " PLATFORM ", only for %s",
                        key + sizeof table - 1);
        any = true;
    }
    if (!any) wr_error_append(error, "names no library: Driver.shared is missing");
    return code;
}

/* A relative path is one from the manifest's directory. */
static int resolve(const char *manifest, const char *library, char **ret_path,
                   struct weir_error *error) {
    const char *slash = strrchr(manifest, '/');
    struct wr_buffer path;
    wr_buffer_init(&path, 1 << 16);
    if (library[0] != '/') {
        if (slash) {
            wr_buffer_add(&path, manifest, (size_t)(slash - manifest) + 1);
        } else {
            wr_buffer_text(&path, "./"); /* else the linker would search for it */
        }
    }
    wr_buffer_text(&path, library);
    char *text = wr_buffer_take(&path);
    if (!text) return wr_error_memory(error);
    *ret_path = text;
    return WEIR_OK;
}

static int location_of(const struct wr_toml *toml, const char *path,
                       struct wr_adbc_location *ret_location, struct weir_error *error) {
    WR_TRY(check_version(toml, path, error));
    const struct wr_toml_entry *shared = wr_toml_get(toml, "Driver.shared");
    if (!shared || shared->type == WR_TOML_TABLE)
        shared = wr_toml_get(toml, "Driver.shared." PLATFORM);
    if (!shared) return no_library(toml, path, error);
    const struct wr_toml_entry *entrypoint = wr_toml_get(toml, "Driver.entrypoint");
    const struct wr_toml_entry *wrong = shared->type != WR_TOML_TEXT || !shared->value[0] ? shared
                                        : entrypoint && entrypoint->type != WR_TOML_TEXT
                                            ? entrypoint
                                            : NULL;
    if (wrong) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s:%d: %s is no text", path,
                            wrong->line, wrong->key);
    }
    struct wr_adbc_location location = {0};
    WR_TRY(resolve(path, shared->value, &location.library, error));
    if (entrypoint && entrypoint->value[0]) {
        location.entrypoint = wr_strdup(entrypoint->value);
        if (!location.entrypoint) {
            wr_adbc_location_reset(&location);
            return wr_error_memory(error);
        }
    }
    *ret_location = location;
    return WEIR_OK;
}

int wr_adbc_manifest_read(const char *path, struct wr_adbc_location *ret_location,
                          struct weir_error *error) {
    struct wr_toml toml = {0};
    int code = wr_toml_read(path, &toml, error);
    if (!code) code = location_of(&toml, path, ret_location, error);
    wr_toml_reset(&toml);
    return code ? wr_error_prefix(error, code, "driver manifest") : WEIR_OK;
}

/* ---- Names ---- */

static bool ends(const char *text, const char *suffix) {
    size_t length = strlen(text), n = strlen(suffix);
    return length >= n && strcmp(text + length - n, suffix) == 0;
}

static bool is_library(const char *name) {
    const char *base = strrchr(name, '/');
    const char *extension = strstr(base ? base : name, ".so");
    return extension && (extension[3] == '\0' || extension[3] == '.');
}

static int take_library(char *library, struct wr_adbc_location *ret_location,
                        struct weir_error *error) {
    if (!library) return wr_error_memory(error);
    *ret_location = (struct wr_adbc_location){.library = library};
    return WEIR_OK;
}

/* A path without an extension: PATH.toml, then PATH.so. */
static int find_path(const char *name, struct wr_adbc_location *ret_location,
                     struct weir_error *error) {
    static const char *const extensions[] = {".toml", ".so"};
    for (size_t i = 0; i < 2; i++) {
        struct wr_buffer path;
        wr_buffer_init(&path, 1 << 16);
        wr_buffer_format(&path, "%s%s", name, extensions[i]);
        char *text = wr_buffer_take(&path);
        if (!text) return wr_error_memory(error);
        if (access(text, F_OK) == 0) {
            if (i == 1) return take_library(text, ret_location, error);
            int code = wr_adbc_manifest_read(text, ret_location, error);
            wr_free(text);
            return code;
        }
        wr_free(text);
    }
    return wr_error_set(error, WEIR_NOT_FOUND, NULL,
                        "there is no ADBC driver \"%s\": neither %s.toml nor %s.so is there", name,
                        name, name);
}

/* What the system's linker finds, in LD_LIBRARY_PATH for example. */
static int find_by_linker(const char *name, const struct wr_buffer *looked,
                          struct wr_adbc_location *ret_location, struct weir_error *error) {
    struct wr_buffer library;
    wr_buffer_init(&library, 4096);
    wr_buffer_format(&library, "libadbc_driver_%s.so", name);
    char *text = wr_buffer_take(&library);
    if (!text) return wr_error_memory(error);
    void *handle = dlopen(text, RTLD_NOW | RTLD_LOCAL);
    if (handle) {
        dlclose(handle);
        return take_library(text, ret_location, error);
    }
    wr_free(text);
    return wr_error_set(error, WEIR_NOT_FOUND, NULL,
                        "there is no ADBC driver \"%s\"; install it, or say where its manifest is "
                        "by ADBC_DRIVER_PATH, or give the library's path as driver. Looked for%s"
                        "\n  libadbc_driver_%s.so by the system's linker",
                        name, looked->data ? looked->data : "", name);
}

int wr_adbc_driver_find(const char *name, struct wr_adbc_location *ret_location,
                        struct weir_error *error) {
    if (ends(name, ".toml")) return wr_adbc_manifest_read(name, ret_location, error);
    if (is_library(name)) return take_library(wr_strdup(name), ret_location, error);
    if (strchr(name, '/')) return find_path(name, ret_location, error);
    struct wr_buffer file, looked;
    wr_buffer_init(&file, 4096);
    wr_buffer_init(&looked, 1 << 16);
    wr_buffer_format(&file, "%s.toml", name);
    char *path = NULL;
    int code = file.failed ? wr_error_memory(error)
                           : wr_adbc_search("ADBC_DRIVER_PATH", "drivers", file.data, &path,
                                            &looked, error);
    if (!code) {
        code = path ? wr_adbc_manifest_read(path, ret_location, error)
                    : find_by_linker(name, &looked, ret_location, error);
    }
    wr_free(path);
    wr_buffer_reset(&file);
    wr_buffer_reset(&looked);
    return code;
}
