/* SPDX-License-Identifier: Apache-2.0 */
/* From a text to a place: a path of the tree or of this machine, or a table's SQL name. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/names.h"
#include "store/store.h"

void wr_place_reset(struct wr_place *place) {
    wr_free(place->path);
    wr_free(place->catalog);
    wr_free(place->schema);
    wr_free(place->name);
    wr_free(place->encoding);
    wr_free(place->within);
    wr_mount_release(place->mount);
    *place = (struct wr_place){0};
}

static int check_text(const char *text, struct weir_error *error) {
    if (!text || !*text) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "a path is empty");
    }
    if (!wr_is_utf8(text, strlen(text))) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22021", "a path is not UTF-8");
    }
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c >= ' ' && *c != 0x7F) continue;
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                            "a path holds the control character 0x%02x at byte %zu",
                            (unsigned)(unsigned char)*c, (size_t)(c - text) + 1);
    }
    return WEIR_OK;
}

/* The parts, of which NULL ones are left out, with '/' before each. */
static int set_path(struct wr_place *place, const char *one, const char *two, const char *three,
                    struct weir_error *error) {
    const char *parts[] = {one, two, three};
    struct wr_buffer text;
    wr_buffer_init(&text, SIZE_MAX - 1);
    for (size_t i = 0; i < 3; i++) {
        if (!parts[i] || !*parts[i]) continue;
        wr_buffer_char(&text, '/');
        wr_buffer_text(&text, parts[i]);
    }
    if (text.length == 0) wr_buffer_char(&text, '/');
    place->path = wr_buffer_take(&text);
    return place->path ? WEIR_OK : wr_error_memory(error);
}

static int copy(const char *text, size_t length, char **ret_copy, struct weir_error *error) {
    char *made = wr_strndup(text, length);
    if (!made) return wr_error_memory(error);
    *ret_copy = made;
    return WEIR_OK;
}

/* ---- Places of a mount ---- */

/* `path` below `base`; the error names the whole text that was asked for. */
static int join(const char *base, const char *path, const char *asked, const char *sort,
                const char *name, char **ret_path, struct weir_error *error) {
    int code = wr_path_join(base, path, "", ret_path, error);
    if (code != WEIR_INVALID_ARGUMENT) return code;
    return wr_error_set(error, code, "22023", "\"%s\" leads out of the %s \"%s\"", asked, sort,
                        name);
}

static int in_mount(struct wr_names *names, const char *name, const char *base, const char *path,
                    const char *asked, struct wr_place *place, struct weir_error *error) {
    struct wr_place made = {.type = WR_PLACE_MOUNT};
    bool machine = strcmp(name, "/") == 0;
    WR_TRY(machine ? wr_path_join(base, path, "the machine's root", &made.within, error)
                   : join(base, path, asked, "mount", name, &made.within, error));
    int code = wr_names_mount(names, name, &made.mount, error);
    bool found = made.mount != NULL;
    if (code == WEIR_OK && found) {
        code = set_path(&made, machine ? NULL : name, made.within, NULL, error);
    }
    if (code || !found) {
        wr_place_reset(&made);
        return code;
    }
    *place = made;
    return WEIR_OK;
}

int wr_names_machine(struct wr_names *names, const char *base, const char *path,
                     struct wr_place *ret_place, struct weir_error *error) {
    return in_mount(names, "/", base, path, path, ret_place, error);
}

/* A place of the machine, which must have a mount then. */
static int machine(struct wr_names *names, const char *base, const char *path,
                   struct wr_place *place, struct weir_error *error) {
    WR_TRY(wr_names_machine(names, base, path, place, error));
    if (place->type != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "\"%s\": no kind of mount serves this machine's files", path);
}

static int here(struct wr_names *names, const char *path, struct wr_place *place,
                struct weir_error *error) {
    char *directory = NULL;
    WR_TRY(wr_current_directory(&directory, error));
    int code = machine(names, directory, path, place, error);
    wr_free(directory);
    return code;
}

/* ---- Places of a catalog ---- */

/* Whether there is a table of exactly that name. */
static int has_table(struct wr_names *names, const struct wr_place *place, bool *ret_found,
                     struct weir_error *error) {
    struct wr_name name = {place->catalog, place->schema, place->name};
    return wr_names_has_table(names, &name, ret_found, error);
}

/* Takes an encoding's extension off the name, unless a table is called that. */
static int split_encoding(struct wr_names *names, struct wr_place *place,
                          struct weir_error *error) {
    size_t stem = 0;
    bool found = false;
    const char *encoding = wr_path_encoding(wr_names_encodings(names), place->name, &stem);
    if (!encoding) return WEIR_OK;
    WR_TRY(has_table(names, place, &found, error));
    if (found) return WEIR_OK;
    WR_TRY(copy(encoding, strlen(encoding), &place->encoding, error));
    place->name[stem] = '\0';
    return WEIR_OK;
}

/* `within` is normal: nothing, a schema, or a schema (which may hold slashes) and a table. */
static int catalog_place(struct wr_names *names, const char *catalog, const char *within,
                         struct wr_place *place, struct weir_error *error) {
    const char *slash = strrchr(within, '/');
    size_t schema = slash ? (size_t)(slash - within) : strlen(within);
    place->type = slash ? WR_PLACE_TABLE : *within ? WR_PLACE_SCHEMA : WR_PLACE_CATALOG;
    WR_TRY(set_path(place, catalog, within, NULL, error));
    WR_TRY(copy(catalog, strlen(catalog), &place->catalog, error));
    if (*within) WR_TRY(copy(within, schema, &place->schema, error));
    if (!slash) return WEIR_OK;
    WR_TRY(copy(slash + 1, strlen(slash + 1), &place->name, error));
    return split_encoding(names, place, error);
}

static int in_catalog(struct wr_names *names, const char *catalog, const char *path,
                      const char *asked, struct wr_place *place, struct weir_error *error) {
    char *within = NULL;
    WR_TRY(join("", path, asked, "catalog", catalog, &within, error));
    int code = catalog_place(names, catalog, within, place, error);
    wr_free(within);
    return code;
}

/* ---- Absolute paths ---- */

/* The first component, behind slashes and ".". */
static const char *first_component(const char *path, size_t *ret_length) {
    for (;;) {
        path += strspn(path, "/");
        *ret_length = strcspn(path, "/");
        if (*ret_length != 1 || *path != '.') return path;
        path++;
    }
}

/* `top` is the first component and `rest` what follows. */
static int below_top(struct wr_names *names, const char *path, const char *top, const char *rest,
                     struct wr_place *place, struct weir_error *error) {
    bool own = false;
    bool mount = false;
    WR_TRY(wr_names_has_top(names, top, &own, &mount, error));
    if (own) return in_catalog(names, top, rest, path, place, error);
    if (mount) return in_mount(names, top, "", rest, path, place, error);
    return wr_names_machine(names, "", path, place, error);
}

int wr_names_follow(struct wr_names *names, const char *path, struct wr_place *ret_place,
                    struct weir_error *error) {
    struct wr_place place = {0};
    size_t length = 0;
    char *top = NULL;
    const char *first = first_component(path, &length);
    int code;
    if (length == 0) {
        place.type = WR_PLACE_TOP;
        code = set_path(&place, NULL, NULL, NULL, error);
    } else {
        code = copy(first, length, &top, error);
        if (code == WEIR_OK) code = below_top(names, path, top, first + length, &place, error);
    }
    wr_free(top);
    if (code) {
        wr_place_reset(&place);
        return code;
    }
    *ret_place = place;
    return WEIR_OK;
}

/* ---- SQL names ---- */

struct parts {
    char *items[3];
    size_t n_items;
    bool quoted;
};

static void parts_reset(struct parts *parts) {
    for (size_t i = 0; i < parts->n_items; i++)
        wr_free(parts->items[i]);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* One identifier, folded to lower case unless quoted. NULL: there is none. */
static const char *read_part(const char *text, struct wr_buffer *part, bool *ret_quoted) {
    if (*text == '"') {
        *ret_quoted = true;
        for (text++; *text && (*text != '"' || text[1] == '"'); text++) {
            wr_buffer_char(part, *text);
            if (*text == '"') text++;
        }
        return *text && part->length > 0 ? text + 1 : NULL;
    }
    if (!is_letter(*text)) return NULL;
    for (; is_letter(*text) || (*text >= '0' && *text <= '9') || *text == '$'; text++)
        wr_buffer_char(part, *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text);
    return text;
}

/* No parts when the text is not a name. */
static int read_parts(const char *text, struct parts *parts, struct weir_error *error) {
    const char *next = text;
    while (parts->n_items < 3) {
        struct wr_buffer part;
        wr_buffer_init(&part, strlen(text));
        next = read_part(next, &part, &parts->quoted);
        char *item = next ? wr_buffer_take(&part) : NULL;
        wr_buffer_reset(&part);
        if (next && !item) {
            parts_reset(parts);
            return wr_error_memory(error);
        }
        if (!next) break;
        parts->items[parts->n_items++] = item;
        if (*next == '\0') return WEIR_OK;
        if (*next++ != '.') break;
    }
    parts_reset(parts);
    parts->n_items = 0;
    return WEIR_OK;
}

/* (catalog, schema, name), each of which is as SQL has it. */
static int table_place(struct wr_names *names, const char *catalog, const char *schema,
                       const char *name, struct wr_place *place, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    bool own = false;
    bool mounted = strcmp(catalog, "/") == 0;
    if (!mounted) WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (mounted) WR_TRY(wr_names_mount(names, catalog, &mount, error));
    if (mount) {
        char *directory = NULL;
        int code = wr_mount_path(mount, schema, "", &directory, error);
        if (code == WEIR_OK) code = in_mount(names, catalog, directory, name, name, place, error);
        wr_free(directory);
        wr_mount_release(mount);
        return code;
    }
    place->type = WR_PLACE_TABLE;
    WR_TRY(set_path(place, catalog, schema, name, error));
    WR_TRY(copy(catalog, strlen(catalog), &place->catalog, error));
    WR_TRY(copy(schema, strlen(schema), &place->schema, error));
    return copy(name, strlen(name), &place->name, error);
}

/* Extensions by which a name that leads nowhere is taken for a file's. */
static bool is_extension(const char *text) {
    static const char *const extensions[] = {"parquet", "arrow", "csv", "tsv",  "json",   "jsonl",
                                             "ndjson",  "avro",  "sql", "gz",   "zst",    "bz2",
                                             "xz",      "txt",   "ipc", "yaml", "feather"};
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        if (strcmp(text, extensions[i]) == 0) return true;
    }
    return false;
}

/* Whether the name's first part leads anywhere; `first` is the catalog that it is in then. */
static int leads(struct wr_names *names, const struct parts *parts, const char *catalog,
                 bool *ret_schema, bool *ret_top, struct weir_error *error) {
    bool own = false;
    bool mount = false;
    bool schema = false;
    if (parts->n_items == 2) {
        WR_TRY(wr_names_has_schema(names, catalog, parts->items[0], &schema, error));
    }
    if (!schema) WR_TRY(wr_names_has_top(names, parts->items[0], &own, &mount, error));
    *ret_schema = schema;
    *ret_top = own || mount;
    return WEIR_OK;
}

/* The default schema of a catalog or mount. */
static int default_schema(struct wr_names *names, const char *catalog, char **ret_schema,
                          struct weir_error *error) {
    bool own = false;
    bool mounted = false;
    struct wr_mount *mount = NULL;
    WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (mounted) WR_TRY(wr_names_mount(names, catalog, &mount, error));
    const char *schema = mount ? wr_mount_kind(mount)->default_schema : names->schema;
    int code = copy(schema, strlen(schema), ret_schema, error);
    wr_mount_release(mount);
    return code;
}

static int long_name(struct wr_names *names, const char *text, const struct parts *parts,
                     const char *catalog, const char *schema, struct wr_place *place,
                     struct weir_error *error) {
    bool is_schema = false;
    bool is_top = false;
    bool mounted = false;
    bool own = false;
    char *of_top = NULL;
    char *const *items = parts->items;
    const char *last = items[parts->n_items - 1];
    WR_TRY(leads(names, parts, catalog, &is_schema, &is_top, error));
    WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (!is_schema && !is_top && !parts->quoted && (mounted || is_extension(last))) {
        /* A file's name. */
        if (mounted) return table_place(names, catalog, schema, text, place, error);
        return here(names, text, place, error);
    }
    if (parts->n_items == 3) {
        return table_place(names, items[0], items[1], items[2], place, error);
    }
    if (is_schema || !is_top) {
        return table_place(names, catalog, items[0], items[1], place, error);
    }
    WR_TRY(default_schema(names, items[0], &of_top, error));
    int code = table_place(names, items[0], of_top, items[1], place, error);
    wr_free(of_top);
    return code;
}

static int sql_name(struct wr_names *names, const char *text, const char *catalog,
                    const char *schema, struct wr_place *place, struct weir_error *error) {
    struct parts parts = {0};
    WR_TRY(read_parts(text, &parts, error));
    int code;
    if (parts.n_items == 0) {
        code = here(names, text, place, error);
    } else if (parts.n_items == 1) {
        code = table_place(names, catalog, schema, parts.items[0], place, error);
    } else {
        code = long_name(names, text, &parts, catalog, schema, place, error);
    }
    parts_reset(&parts);
    return code;
}

/* ---- All of them ---- */

/* Below the root of a store. A slash at the end is none of the path's. */
static int store_place(struct wr_names *names, const char *text, struct wr_place *place,
                       struct weir_error *error) {
    struct wr_location location = {0};
    WR_TRY(wr_location_parse(text, &location, error));
    size_t length = strlen(location.key);
    if (length > 0 && location.key[length - 1] == '/') location.key[length - 1] = '\0';
    place->type = WR_PLACE_MOUNT;
    place->path = wr_location_url(&location);
    place->within = location.key;
    location.key = NULL;
    int code = place->path ? wr_names_store_mount(names, location.root, &place->mount, error)
                           : wr_error_memory(error);
    wr_location_reset(&location);
    return code;
}

static int url(struct wr_names *names, const char *text, struct wr_place *place,
               struct weir_error *error) {
    char *path = NULL;
    if (wr_is_store_url(text)) return store_place(names, text, place, error);
    WR_TRY(wr_local_path(text, &path, error));
    int code = check_text(path, error);
    if (code == WEIR_OK) code = machine(names, "", path, place, error);
    wr_free(path);
    return code;
}

static bool is_here(const char *name) {
    struct stat status;
    return stat(name, &status) == 0 || lstat(name, &status) == 0;
}

static int locate(struct wr_names *names, const char *text, const char *catalog, const char *schema,
                  struct wr_place *place, struct weir_error *error) {
    WR_TRY(check_text(text, error));
    if (wr_scheme_length(text) > 0) return url(names, text, place, error);
    if (text[0] == '/') {
        WR_TRY(wr_names_follow(names, text, place, error));
        return place->type != 0 ? WEIR_OK : machine(names, "", text, place, error);
    }
    if (strchr(text, '/') || is_here(text)) return here(names, text, place, error);
    return sql_name(names, text, catalog, schema, place, error);
}

int wr_names_locate(struct wr_names *names, const char *text, const char *catalog,
                    const char *schema, struct wr_place *ret_place, struct weir_error *error) {
    struct wr_place place = {0};
    int code = locate(names, text, catalog ? catalog : names->catalog,
                      schema ? schema : names->schema, &place, error);
    if (code) {
        wr_place_reset(&place);
        return code;
    }
    *ret_place = place;
    return WEIR_OK;
}
