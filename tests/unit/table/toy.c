/* SPDX-License-Identifier: Apache-2.0 */
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"

struct toy_counts toy_counts;

/* ---- Tables ---- */

static void keep(char *to, size_t size, const char *text) {
    snprintf(to, size, "%s", text ? text : "");
}

static const char *option(const struct weir_definition *definition, const char *key) {
    return wr_options_get(definition->options, definition->n_options, key);
}

static int table_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    void *table = wr_malloc(1);
    if (!table) return wr_error_memory(error);
    toy_counts.tables++;
    toy_counts.opens++;
    keep(toy_counts.path, sizeof toy_counts.path, option(definition, "path"));
    keep(toy_counts.carrier, sizeof toy_counts.carrier, option(definition, "param.carrier"));
    keep(toy_counts.catalog, sizeof toy_counts.catalog, definition->catalog);
    keep(toy_counts.schema, sizeof toy_counts.schema, definition->schema);
    keep(toy_counts.name, sizeof toy_counts.name, definition->name);
    *ret_table = table;
    return WEIR_OK;
}

static void table_close(void *table) {
    toy_counts.tables--;
    wr_free(table);
}

static void form_release(struct weir_form *form) {
    form->release = NULL;
}

static int table_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table;
    (void)error;
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL, .sql = {.query = "SELECT 1"}, .release = form_release};
    return WEIR_OK;
}

static const struct weir_option_spec file_options[] = {{"path", WEIR_OPTION_TEXT, 1, "where"}};

static const struct weir_table_kind toy_file = {
    .size = sizeof toy_file,
    .name = "toy_file",
    .roles = WEIR_ROLE_PATH,
    .options = file_options,
    .n_options = N_OF(file_options),
    .open = table_open,
    .close = table_close,
    .form = table_form,
};

static const struct weir_option_spec query_options[] = {
    {"path", WEIR_OPTION_TEXT, 1, "where"},
    {"param.", WEIR_OPTION_PREFIX, 0, "what $name stands for"},
};

static const struct weir_table_kind toy_query = {
    .size = sizeof toy_query,
    .name = "toy_query",
    .options = query_options,
    .n_options = N_OF(query_options),
    .open = table_open,
    .close = table_close,
    .form = table_form,
};

/* ---- What a mount holds ---- */

struct node {
    const char *path;
    int type;
    const char *table;
    const char *kind;
};

static const struct node nodes[] = {
    {"x.csv", WEIR_ENTRY_FILE, "x", "toy_file"},
    {"two.csv", WEIR_ENTRY_FILE, "two.csv", "toy_file"},
    {"two.json", WEIR_ENTRY_FILE, "two.json", "toy_file"},
    {"notes.txt", WEIR_ENTRY_FILE, NULL, NULL},
    {"logs", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"logs/x.csv", WEIR_ENTRY_FILE, "x", "toy_file"},
    {"logs/daily.sql", WEIR_ENTRY_FILE, "daily", "toy_query"},
    {"logs/deep", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"logs/deep/er", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"logs/deep/er/y.csv", WEIR_ENTRY_FILE, "y", "toy_file"},
    {"logs/public", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"logs/public/p.csv", WEIR_ENTRY_FILE, "p", "toy_file"},
    {"logs/link", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"logs/link/x.csv", WEIR_ENTRY_FILE, "x", "toy_file"},
    {"empty", WEIR_ENTRY_DIRECTORY, NULL, NULL},
    {"empty/none", WEIR_ENTRY_FILE, NULL, NULL},
};

/* The length of the directory part of a path, without the slash. */
static size_t directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static const char *last(const char *path) {
    size_t length = directory_length(path);
    return length ? path + length + 1 : path;
}

static bool ends_in(const char *text, const char *end) {
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool is_in(const char *path, const char *directory) {
    return directory_length(path) == strlen(directory) &&
           strncmp(path, directory, strlen(directory)) == 0;
}

/* ---- Mounts ---- */

struct mount {
    char url[32];
};

static char machine;
void *const toy_machine = &machine;

static int mount_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    const char *url = option(definition, "url");
    if (strcmp(url, "gone") == 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no source \"%s\"", url);
    }
    struct mount *mount = wr_calloc(1, sizeof *mount);
    if (!mount) return wr_error_memory(error);
    keep(mount->url, sizeof mount->url, url);
    toy_counts.mounts++;
    *ret_mount = mount;
    return WEIR_OK;
}

static void mount_close(void *mount) {
    if (mount == toy_machine) return;
    toy_counts.mounts--;
    wr_free(mount);
}

static bool is_url(void *mount, const char *url) {
    return mount != toy_machine && strcmp(((struct mount *)mount)->url, url) == 0;
}

static int mount_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    toy_counts.lists++;
    if (is_url(mount, "endless")) {
        struct weir_entry entry = {sizeof entry, WEIR_ENTRY_DIRECTORY, "d", NULL, -1, 0, 0};
        return take(sink, &entry, error);
    }
    if (strcmp(path, "logs") == 0 && is_url(mount, "broken")) {
        return wr_error_set(error, WEIR_UNAUTHORIZED, NULL, "\"logs\" may not be listed");
    }
    bool found = *path == '\0';
    if (strcmp(path, "logs") == 0 && is_url(mount, "racing")) found = false;
    for (size_t i = 0; i < N_OF(nodes); i++) {
        const struct node *node = &nodes[i];
        if (strcmp(node->path, path) == 0 && !is_url(mount, "racing")) found = true;
        if (!is_in(node->path, path)) continue;
        struct weir_entry entry = {sizeof entry,
                                   node->type,
                                   last(node->path),
                                   node->table,
                                   7,
                                   0,
                                   ends_in(node->path, "link")};
        if (found) WR_TRY(take(sink, &entry, error));
    }
    if (found) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no directory \"%s\"", path);
}

static void found_release(struct weir_found *found) {
    wr_free((char *)found->path);
    wr_free(found->private_data);
    found->release = NULL;
}

static int fill(const struct node *node, bool exact, int64_t n_bytes, struct weir_found *ret_found,
                struct weir_error *error) {
    char *path = wr_strdup(node->path);
    struct weir_option *options = wr_calloc(1, sizeof *options);
    if (!path || !options) {
        wr_free(path);
        wr_free(options);
        return wr_error_memory(error);
    }
    options[0] = (struct weir_option){"path", path};
    *ret_found = (struct weir_found){
        .size = sizeof *ret_found,
        .entry = {sizeof ret_found->entry, node->type, last(path), node->table, n_bytes, 0, 0},
        .path = path,
        .is_exact = exact,
        .kind = node->kind,
        .options = node->kind ? options : NULL,
        .n_options = node->kind ? 1 : 0,
        .release = found_release,
        .private_data = options,
    };
    return WEIR_OK;
}

static int no_such(const char *path, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no \"%s\"", path);
}

static int find_in_machine(const char *path, struct weir_found *ret_found,
                           struct weir_error *error) {
    bool pipe = ends_in(path, ".fifo");
    bool table = ends_in(path, ".csv") || pipe;
    if (ends_in(path, "nowhere")) return no_such(path, error);
    struct node node = {path, WEIR_ENTRY_FILE, NULL, table ? "toy_file" : NULL};
    return fill(&node, true, pipe ? -1 : 7, ret_found, error);
}

static int mount_find(void *mount, const char *path, struct weir_found *ret_found,
                      struct weir_error *error) {
    toy_counts.finds++;
    if (mount == toy_machine) return find_in_machine(path, ret_found, error);
    if (*path == '\0') {
        struct node root = {"", WEIR_ENTRY_DIRECTORY, NULL, NULL};
        return fill(&root, true, -1, ret_found, error);
    }
    for (size_t i = 0; i < N_OF(nodes); i++) {
        if (strcmp(nodes[i].path, path) == 0) return fill(&nodes[i], true, 7, ret_found, error);
    }
    if (strcmp(path, "two") == 0) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42P09",
                            "\"two\" could be \"two.csv\" or \"two.json\"");
    }
    size_t length = directory_length(path);
    for (size_t i = 0; i < N_OF(nodes); i++) {
        const struct node *node = &nodes[i];
        if (node->table && strcmp(node->table, last(path)) == 0 &&
            directory_length(node->path) == length && strncmp(node->path, path, length) == 0)
            return fill(node, false, 7, ret_found, error);
    }
    return no_such(path, error);
}

static int mount_read(void *mount, const char *path, struct weir_reader *ret_reader,
                      struct weir_error *error) {
    (void)mount;
    (void)ret_reader;
    return no_such(path, error);
}

static const struct weir_option_spec mount_options[] = {
    {"url", WEIR_OPTION_TEXT, 1, "which toy"},
    {"note", WEIR_OPTION_TEXT, 0, "why"},
};

const struct weir_mount_kind toy = {
    .size = sizeof toy,
    .name = "toy",
    .summary = "a tree in memory",
    .default_schema = "root",
    .options = mount_options,
    .n_options = N_OF(mount_options),
    .open = mount_open,
    .close = mount_close,
    .list = mount_list,
    .find = mount_find,
    .read = mount_read,
};

/* ---- Set-up ---- */

struct wr_registry *registry;
struct wr_names *names;
char toy_directory[64];

struct wr_names *toy_open_names(const char *path) {
    struct weir_error error = {0};
    struct wr_names *opened = NULL;
    int code = wr_names_open(path, "weir", "public", registry, &opened, &error);
    if (code) print_error("%s\n", error.message);
    assert_int_equal(code, WEIR_OK);
    return opened;
}

int toy_setup(void **state) {
    (void)state;
    toy_counts = (struct toy_counts){0};
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add(registry, &toy_file, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add(registry, &toy_query, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add_mount(registry, &toy, NULL), WEIR_OK);
    names = toy_open_names(NULL);
    return 0;
}

int toy_teardown(void **state) {
    (void)state;
    wr_names_close(names);
    wr_registry_free(registry);
    assert_int_equal(toy_counts.mounts, 0);
    assert_int_equal(toy_counts.tables, 0);
    return 0;
}

int toy_setup_directory(void **state) {
    strcpy(toy_directory, "/tmp/weir-mounts-XXXXXX");
    assert_non_null(mkdtemp(toy_directory));
    return toy_setup(state);
}

int toy_teardown_directory(void **state) {
    toy_teardown(state);
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", toy_directory);
    return system(command);
}

/* ---- Doing ---- */

int toy_attach(struct wr_names *in, const char *name, const char *url, const char *origin,
               int flags, struct weir_error *error) {
    struct weir_option options[] = {{"URL", url}};
    struct weir_definition definition = {
        .size = sizeof definition, .name = name, .kind = "toy", .options = options, .n_options = 1};
    return wr_names_attach(in, &definition, origin, flags, error);
}

int toy_view(struct wr_names *in, const char *catalog, const char *schema, const char *name,
             struct weir_error *error) {
    struct weir_option query = {"query", "SELECT 1"};
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = catalog,
                                         .schema = schema,
                                         .name = name,
                                         .kind = "derived",
                                         .options = &query,
                                         .n_options = 1};
    return wr_names_create_table(in, &definition, 0, NULL, NULL, NULL, error);
}

int toy_look_up(struct wr_names *in, const char *catalog, const char *schema, const char *name,
                struct weir_error *error) {
    struct wr_table table = {0};
    int code = wr_names_table(in, catalog, schema, name, NULL, 0, &table, error);
    if (code == WEIR_OK) table.release(&table);
    return code;
}

static void append(void *sink, const char *name) {
    char *text = sink;
    strcat(strcat(text, name), " ");
}

const char *toy_list(struct wr_names *in, const char *catalog, const char *schema) {
    static char text[4096];
    struct weir_error error = {0};
    text[0] = '\0';
    return wr_names_list(in, catalog, schema, append, text, &error) == WEIR_OK
               ? text
               : strcpy(text, error.message);
}

static int append_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    (void)error;
    char *text = sink;
    sprintf(text + strlen(text), "%s %s %s %s;", info->name, info->kind,
            info->url ? info->url : "-", info->origin);
    return WEIR_OK;
}

const char *toy_mounts(struct wr_names *in) {
    static char text[1024];
    text[0] = '\0';
    assert_int_equal(wr_names_each_mount(in, append_mount, text, NULL), WEIR_OK);
    return text;
}
