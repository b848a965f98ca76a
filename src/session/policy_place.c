/* SPDX-License-Identifier: Apache-2.0 */
/* The policy for paths of the tree, as the functions on nodes and files are given them. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/policy_internal.h"
#include "session/session.h"

int wr_policy_nothing(const char *path, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is nothing at \"%s\"", path);
}

/* The name that a path in a mount has in SQL: the directory is the schema, and an encoding's
 * extension is none of it. Free the schema. */
static int name_of(const struct wr_encodings *encodings, const struct wr_mount *mount,
                   const char *within, char **ret_schema, char **ret_name,
                   struct weir_error *error) {
    const char *slash = strrchr(within, '/');
    const char *last = slash ? slash + 1 : within;
    size_t stem = 0;
    bool encoded = wr_path_encoding(encodings, last, &stem) != NULL;
    char *schema = slash ? wr_strndup(within, (size_t)(slash - within))
                         : wr_strdup(wr_mount_kind(mount)->default_schema);
    char *name = wr_strndup(last, encoded ? stem : strlen(last));
    if (!schema || !name) {
        wr_free(schema);
        wr_free(name);
        return wr_error_memory(error);
    }
    *ret_schema = schema;
    *ret_name = name;
    return WEIR_OK;
}

static int check_mounted(struct wr_access *access, const struct wr_place *place,
                         uint32_t privileges, struct weir_error *error) {
    char *schema = NULL;
    char *name = NULL;
    const char *mount = wr_mount_name(place->mount);
    const struct wr_encodings *encodings = wr_names_encodings(access->policy->names);
    WR_TRY(name_of(encodings, place->mount, place->within, &schema, &name, error));
    struct wr_name full = {mount, schema, name};
    if (!*place->within) full.schema = full.name = "";
    /* A new file is made in its directory. */
    if (privileges == WR_MAY_CREATE) full.name = "";
    int code = wr_access_need(access, &full, privileges, error);
    /* The way to what may be seen may be seen, but not its own rows. */
    if (code && !(privileges & ~(uint32_t)WR_MAY_SELECT) &&
        wr_access_sees(access, mount, *place->within ? place->within : NULL, NULL))
        code = WEIR_OK;
    wr_free(schema);
    wr_free(name);
    return code;
}

static int check(struct wr_access *access, const struct wr_place *place, uint32_t privileges,
                 struct weir_error *error) {
    switch (place->type) {
    case WR_PLACE_MOUNT:
        if (wr_mount_is_outside(place->mount))
            return wr_access_path(access, place->path, privileges > WR_MAY_SELECT, error);
        return check_mounted(access, place, privileges, error);
    case WR_PLACE_TABLE: {
        const struct wr_name name = {place->catalog, place->schema,
                                     privileges == WR_MAY_CREATE ? "" : place->name};
        return wr_access_need(access, &name, privileges, error);
    }
    case WR_PLACE_SCHEMA:
        if (privileges == WR_MAY_CREATE)
            return wr_access_need(access, &(struct wr_name){place->catalog, "", ""}, privileges,
                                  error);
        if (privileges > WR_MAY_SELECT)
            return wr_access_need(access, &(struct wr_name){place->catalog, place->schema, ""},
                                  privileges, error);
        return wr_access_sees(access, place->catalog, place->schema, NULL) ? WEIR_OK
                                                                           : WEIR_NOT_FOUND;
    case WR_PLACE_CATALOG:
        return wr_access_sees(access, place->catalog, NULL, NULL) ? WEIR_OK : WEIR_NOT_FOUND;
    default:
        return WEIR_OK;
    }
}

int wr_policy_place(struct weir_session *session, const struct wr_place *place, uint32_t privileges,
                    struct weir_error *error) {
    struct wr_access *access = session->access;
    WR_TRY(wr_access_refresh(access, NULL, error));
    int code = check(access, place, privileges, error);
    if (code != WEIR_NOT_FOUND) return code;
    /* It could be one of the machine's, and is answered as such a one would be. */
    WR_TRY(wr_access_path(access, place->path, privileges > WR_MAY_SELECT, error));
    return wr_policy_nothing(place->path, error);
}

bool wr_policy_sees_entry(struct weir_session *session, const struct wr_place *place,
                          const char *name, const char *table) {
    struct wr_access *access = session->access;
    char path[4096];
    if (!wr_access_hides(access)) return true;
    if (place->type == WR_PLACE_TOP) return wr_access_sees(access, name, NULL, NULL);
    if (place->type == WR_PLACE_CATALOG) return wr_access_sees(access, place->catalog, name, NULL);
    if (place->type == WR_PLACE_SCHEMA)
        return wr_access_sees(access, place->catalog, place->schema, name);
    const char *mount = wr_mount_name(place->mount);
    if (wr_mount_is_outside(place->mount)) return true; /* the directory may be read */
    const char *schema =
        *place->within ? place->within : wr_mount_kind(place->mount)->default_schema;
    if (wr_access_sees(access, mount, schema, table ? table : name)) return true;
    int n = snprintf(path, sizeof path, "%s%s%s", place->within, *place->within ? "/" : "", name);
    return n > 0 && (size_t)n < sizeof path && wr_access_sees(access, mount, path, NULL);
}
