/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli.h"

static const struct {
    const char *extension;
    const char *kind;
} kinds[] = {
    {".parquet", "parquet"}, {".pq", "parquet"},   {".csv", "csv"},       {".tsv", "tsv"},
    {".tab", "tsv"},         {".json", "json"},    {".jsonl", "jsonl"},   {".ndjson", "jsonl"},
    {".arrow", "arrow"},     {".arrows", "arrow"}, {".feather", "arrow"}, {".ipc", "arrow"},
    {".avro", "avro"},
};

static const char *const compressions[] = {".gz", ".zst", ".bz2", ".xz"};

static bool ends_with(const char *text, size_t length, const char *end) {
    size_t n = strlen(end);
    return length > n && strncasecmp(text + length - n, end, n) == 0;
}

static const char *kind_by_bytes(const char *path) {
    char magic[6] = {0};
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    ssize_t n = read(fd, magic, sizeof magic);
    close(fd);
    if (n >= 4 && memcmp(magic, "PAR1", 4) == 0) return "parquet";
    if (n >= 6 && memcmp(magic, "ARROW1", 6) == 0) return "arrow";
    if (n >= 4 && memcmp(magic, "Obj\1", 4) == 0) return "avro";
    return NULL;
}

const char *node_kind(const char *path) {
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++) {
        if (!ends_with(path, length, compressions[i])) continue;
        length -= strlen(compressions[i]);
        break;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ends_with(path, length, kinds[i].extension)) return kinds[i].kind;
    }
    return kind_by_bytes(path);
}

bool node_is_path(const char *text) {
    return strpbrk(text, "/*?[") != NULL || access(text, F_OK) == 0 || node_kind(text) != NULL;
}

void node_from(struct wr_buffer *buffer, const char *text) {
    if (node_is_path(text)) {
        struct wr_buffer path;
        bool bare = strchr(text, '/') == NULL && strchr(text, '.') == NULL;
        wr_buffer_init(&path, 1 << 20);
        wr_buffer_format(&path, "%s%s", bare ? "./" : "", text); /* else it reads as a name */
        if (path.failed)
            buffer->failed = true;
        else
            wr_buffer_literal(buffer, path.data);
        wr_buffer_reset(&path);
        return;
    }
    for (const char *at = text; *at != '\0';) {
        const char *dot = strchr(at, '.');
        size_t length = dot == NULL ? strlen(at) : (size_t)(dot - at);
        char part[256];
        snprintf(part, sizeof part, "%.*s", (int)length, at);
        wr_buffer_identifier(buffer, part);
        at += length;
        if (*at == '.') {
            wr_buffer_char(buffer, '.');
            at++;
        }
    }
}

int node_prepare(struct cli *cli, const char *text, struct weir_statement **ret_statement,
                 struct weir_error *error) {
    struct wr_buffer sql;

    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "SELECT * FROM ");
    node_from(&sql, text);
    int code = sql.failed ? wr_error_memory(error)
                          : weir_prepare(cli->session, sql.data, ret_statement, error);
    wr_buffer_reset(&sql);
    error->position = 0;
    if (code == WEIR_OK || node_is_path(text) || strcmp(error->sqlstate, "42P01") != 0) return code;
    return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "there is no file and no table \"%s\"",
                        text);
}

/* ---- Counting files ---- */

/* nftw has no argument for its caller's data. */
static struct node_files walked;
static const char *walk_pattern; /* NULL: all */

static void count_file(struct node_files *files, const char *path, const struct stat *status) {
    files->n_files++;
    files->bytes += status->st_size;
    if (files->kind == NULL) files->kind = node_kind(path);
}

/* `**` stands for any number of directories, none included, so "a/" then "**" then "/b" is also
 * tried as "a/b". */
static bool matches(const char *pattern, const char *path) {
    char shorter[PATH_MAX];
    const char *stars = strstr(pattern, "**/");

    if (fnmatch(pattern, path, FNM_PERIOD) == 0) return true;
    if (stars == NULL || strlen(pattern) >= sizeof shorter) return false;
    snprintf(shorter, sizeof shorter, "%.*s%s", (int)(stars - pattern), pattern, stars + 3);
    return matches(shorter, path);
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *place) {
    char first = path[place->base];
    if (type == FTW_F &&
        (walk_pattern == NULL ? first != '.' && first != '_' : matches(walk_pattern, path)))
        count_file(&walked, path, status);
    return 0;
}

static bool walk(const char *root, const char *pattern, struct node_files *files) {
    walked = *files;
    walk_pattern = pattern;
    bool good = nftw(root, visit, 16, 0) == 0;
    *files = walked;
    return good;
}

bool node_files(const char *path, struct node_files *ret_files) {
    struct stat status;
    struct node_files files = {0};
    char root[PATH_MAX];
    glob_t found;

    if (strstr(path, "://") != NULL || strlen(path) >= sizeof root) return false;
    if (stat(path, &status) == 0) {
        if (S_ISREG(status.st_mode))
            count_file(&files, path, &status);
        else if (!S_ISDIR(status.st_mode) || !walk(path, NULL, &files))
            return false;
    } else if (strstr(path, "**") != NULL) {
        snprintf(root, sizeof root, "%.*s", (int)strcspn(path, "*?["), path);
        char *slash = strrchr(root, '/');
        if (slash != NULL) slash[slash == root] = '\0';
        char here[PATH_MAX + 4];
        snprintf(here, sizeof here, slash == NULL ? "./%s" : "%s", path);
        if (!walk(slash == NULL ? "." : root, here, &files)) return false;
    } else {
        if (glob(path, 0, NULL, &found) != 0) return false;
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (stat(found.gl_pathv[i], &status) != 0) continue;
            if (S_ISREG(status.st_mode))
                count_file(&files, found.gl_pathv[i], &status);
            else if (S_ISDIR(status.st_mode))
                (void)walk(found.gl_pathv[i], NULL, &files);
        }
        globfree(&found);
    }
    *ret_files = files;
    return files.n_files > 0;
}
