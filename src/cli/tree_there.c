/* SPDX-License-Identifier: Apache-2.0 */
/* cp, rm and mkdir on a server: each node is a statement of SQL. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"

/* The parts of "/catalog/schema/table" as a name; whether there are so many, and nothing else. */
static bool put_name(struct wr_buffer *sql, const char *path, size_t n_parts) {
    for (size_t i = 0; i < n_parts; i++) {
        size_t length = *path == '/' ? strcspn(path + 1, "/") : 0;
        if (length == 0) return false;
        char *part = wr_strndup(path + 1, length);
        if (i > 0) wr_buffer_char(sql, '.');
        wr_buffer_identifier(sql, part == NULL ? "" : part);
        if (part == NULL) sql->failed = true;
        wr_free(part);
        path += 1 + length;
    }
    return *path == '\0' || strcmp(path, "/") == 0;
}

static int run(struct cli *cli, struct wr_buffer *sql, struct weir_error *error) {
    int code =
        sql->failed ? wr_error_memory(error) : connection_run(cli->connection, sql->data, error);
    if (code != WEIR_OK && error != NULL) error->position = 0; /* of a text that nobody wrote */
    wr_buffer_reset(sql);
    return code;
}

/* ---- cp ---- */

int tree_copy_there(struct cli *cli, const char *from, const char *to, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, cli->arguments->force ? "CREATE OR REPLACE TABLE " : "CREATE TABLE ");
    if (!put_name(&sql, to, 3) || output_format_of_path(to) != NULL) {
        wr_buffer_reset(&sql);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s: on a server weir cp makes tables, /CATALOG/SCHEMA/TABLE; a file "
                            "there is written by weir sql --connect \"COPY ... TO ...\", one here "
                            "by weir cat --connect ... -o FILE",
                            to);
    }
    wr_buffer_text(&sql, " AS SELECT * FROM ");
    node_from_text(&sql, from);
    return run(cli, &sql, error);
}

/* ---- rm ---- */

struct found {
    char *statement; /* what DROP drops */
    bool failed;
};

static bool take(void *context, const char *value, size_t length) {
    struct found *found = context;
    found->statement = wr_strndup(value, length);
    found->failed = found->statement == NULL;
    return false;
}

/* The SQL of the server knows which table or schema lies at a path, and quotes its name. */
static void put_search(struct wr_buffer *sql, const char *path) {
    wr_buffer_text(sql, "SELECT CASE type WHEN 'view' THEN 'VIEW' ELSE 'TABLE' END || ' \"' || "
                        "replace(catalog, '\"', '\"\"') || '\".\"' || "
                        "replace(namespace, '\"', '\"\"') || '\".\"' || "
                        "replace(name, '\"', '\"\"') || '\"' FROM system.public.tables "
                        "WHERE path = ");
    wr_buffer_literal(sql, path);
    wr_buffer_text(sql, " UNION ALL SELECT 'SCHEMA \"' || replace(catalog, '\"', '\"\"') || "
                        "'\".\"' || replace(namespace, '\"', '\"\"') || '\"' FROM "
                        "system.public.namespaces WHERE namespace <> '.' AND "
                        "'/' || catalog || '/' || namespace = ");
    wr_buffer_literal(sql, path);
}

static int search(struct cli *cli, const char *path, char **ret_statement,
                  struct weir_error *error) {
    struct found found = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    put_search(&sql, path);
    int code = sql.failed ? wr_error_memory(error)
                          : connection_list(cli->connection, sql.data, take, &found, error);
    wr_buffer_reset(&sql);
    if (code == WEIR_OK && found.failed) code = wr_error_memory(error);
    if (code == WEIR_OK && found.statement == NULL)
        code = wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "%s: there is no such table or schema there, as weir ls --connect "
                            "lists them",
                            path);
    if (code == WEIR_OK) *ret_statement = found.statement;
    return code;
}

int tree_remove_there(struct cli *cli, const char *path, struct weir_error *error) {
    char *found = NULL;
    struct wr_buffer sql;
    WR_TRY(search(cli, path, &found, error));
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_format(&sql, "DROP %s", found);
    if (strncmp(found, "SCHEMA", strlen("SCHEMA")) == 0 && cli->arguments->recursive)
        wr_buffer_text(&sql, " CASCADE");
    wr_free(found);
    return run(cli, &sql, error);
}

/* ---- mkdir ---- */

int tree_make_there(struct cli *cli, const char *path, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "CREATE SCHEMA ");
    if (cli->arguments->parents) wr_buffer_text(&sql, "IF NOT EXISTS ");
    if (!put_name(&sql, path, 2)) {
        wr_buffer_reset(&sql);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s: on a server weir mkdir makes schemas, /CATALOG/SCHEMA; "
                            "directories of files are made on its own machine",
                            path);
    }
    return run(cli, &sql, error);
}
