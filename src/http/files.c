/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/files/{path}: the bytes of every node of the tree, and lists of directories. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/url.h"
#include "http/internal.h"
#include "http/json.h"
#include "http/parse.h"

enum { PIECE = 256 * 1024, ETAG_SIZE = 40 };

/* ---- Which nodes ---- */

struct search {
    const char *name;
    size_t length;
    bool found;
};

static int compare_name(void *context, const struct weir_node_entry *entry) {
    struct search *search = context;
    search->found = strlen(entry->name) == search->length &&
                    memcmp(entry->name, search->name, search->length) == 0;
    return search->found;
}

int http_check_in_tree(struct weir_session *session, const char *path, struct weir_error *error) {
    struct search search = {path + 1, strcspn(path + 1, "/"), false};
    struct weir_node *top = NULL;
    if (search.length == 0) return WEIR_OK;
    WR_TRY(weir_node_open(session, "/", &top, error));
    int code = weir_node_list(top, compare_name, &search, error);
    weir_node_close(top);
    if (search.found) return WEIR_OK;
    if (code) return code;
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no \"%s\" in the tree", path);
}

/* ---- Directories ---- */

static const char *name_type(int type) {
    static const char *const names[] = {
        [WEIR_NODE_DIRECTORY] = "directory",   [WEIR_NODE_FILE] = "file",
        [WEIR_NODE_STRUCTURED] = "structured", [WEIR_NODE_SERIES] = "series",
        [WEIR_NODE_DERIVED] = "derived",       [WEIR_NODE_TABLE] = "table"};
    return type >= WEIR_NODE_DIRECTORY && type <= WEIR_NODE_TABLE ? names[type] : "file";
}

static void add_number(struct wr_buffer *content, const char *name, int64_t number, bool is_known) {
    wr_buffer_format(content, ",\"%s\":", name);
    if (is_known) {
        wr_buffer_format(content, "%lld", (long long)number);
    } else {
        wr_buffer_text(content, "null");
    }
}

struct listing {
    struct wr_buffer *content;
    bool has_some;
};

static int add_entry(void *context, const struct weir_node_entry *entry) {
    struct listing *listing = context;
    struct wr_buffer *content = listing->content;
    wr_buffer_text(content, listing->has_some ? ",\n{\"name\":" : "\n{\"name\":");
    listing->has_some = true;
    json_add_text(content, entry->name);
    wr_buffer_text(content, ",\"type\":");
    json_add_text(content, name_type(entry->type));
    wr_buffer_text(content, ",\"table\":");
    json_add_text(content, entry->table);
    add_number(content, "bytes", entry->n_bytes, entry->n_bytes >= 0);
    add_number(content, "modified", entry->modified_ns / 1000000000, entry->modified_ns != 0);
    wr_buffer_char(content, '}');
    return content->failed;
}

static int list_directory(struct http_request *request, struct weir_node *node,
                          const struct weir_node_info *info, struct weir_error *error) {
    struct http_answer *answer = &request->answer;
    struct listing listing = {.content = &answer->content};
    http_answer_begin(answer, 200, "application/json");
    wr_buffer_text(&answer->content, "{\"path\":");
    json_add_text(&answer->content, info->path);
    wr_buffer_text(&answer->content, ",\"entries\":[");
    WR_TRY(weir_node_list(node, add_entry, &listing, error));
    wr_buffer_text(&answer->content, "]}\n");
    return http_answer_end(answer, error);
}

/* ---- Bytes ---- */

struct sending {
    struct weir_file *file;
    int64_t offset, left;
};

static void release_sending(void *context) {
    struct sending *sending = context;
    weir_file_close(sending->file);
    wr_free(sending);
}

static int read_next(void *context, struct wr_buffer *buffer, bool *ret_end,
                     struct weir_error *error) {
    struct sending *sending = context;
    size_t wanted = sending->left < PIECE ? (size_t)sending->left : PIECE, length = 0;
    char *piece = wr_malloc(wanted);
    if (!piece) return wr_error_memory(error);
    int code = weir_file_read(sending->file, sending->offset, piece, wanted, &length, error);
    if (!code && length < wanted)
        code = wr_error_set(error, WEIR_IO, NULL, "the file has become shorter");
    if (!code) {
        wr_buffer_add(buffer, piece, length);
        sending->offset += (int64_t)length;
        sending->left -= (int64_t)length;
        *ret_end = sending->left == 0;
    }
    wr_free(piece);
    return code;
}

static const char *content_type(const struct weir_file_info *info, const char *path) {
    static const char *const types[][2] = {
        {"parquet", "application/vnd.apache.parquet"},
        {"arrow", "application/vnd.apache.arrow.file"},
        {"csv", "text/csv"},
        {"tsv", "text/tab-separated-values"},
        {"json", "application/json"},
        {"jsonl", "application/x-ndjson"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"sql", "application/sql"},
        {"yaml", "application/yaml"},
    };
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    const char *name = info->encoding ? info->encoding : dot ? dot + 1 : "";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i][0], name) == 0) return types[i][1];
    }
    return "application/octet-stream";
}

/* The version tells of inodes and has any length: a digest of it does as well. */
static void make_etag(const struct weir_file_info *info, char etag[ETAG_SIZE]) {
    struct wr_hash hash;
    char text[WR_HASH_TEXT_SIZE];
    etag[0] = '\0';
    if (!info->version) return;
    wr_hash_init(&hash);
    wr_hash_text(&hash, info->version);
    wr_hash_text(&hash, info->encoding);
    wr_hash_finish(&hash, text);
    snprintf(etag, ETAG_SIZE, "\"%.32s\"", text);
}

struct file {
    struct weir_file *file;
    struct weir_file_info info;
    char etag[ETAG_SIZE]; /* "": there is none */
    int64_t modified;     /* in seconds; 0: not known */
};

/* RFC 9110, 13.2.2. 0: the request is to be answered. */
static int check_conditions(const struct http_request *request, const struct file *file) {
    const char *etag = file->etag[0] ? file->etag : NULL;
    const char *if_match = http_header(request, "If-Match");
    const char *unmodified = http_header(request, "If-Unmodified-Since");
    const char *if_none = http_header(request, "If-None-Match");
    const char *since = http_header(request, "If-Modified-Since");
    int64_t time;
    if (if_match) {
        if (!http_matches(if_match, etag, false)) return 412;
    } else if (unmodified && http_parse_date(unmodified, &time) && file->modified > time) {
        return 412;
    }
    if (if_none) return http_matches(if_none, etag, true) ? 304 : 0;
    if (since && file->modified && http_parse_date(since, &time) && file->modified <= time)
        return 304;
    return 0;
}

/* A part is of these bytes only when the client can know it: without a version each request may
 * meet others, and gets all of them. */
static const char *wanted_range(const struct http_request *request, const struct file *file) {
    const char *range = http_header(request, "Range");
    const char *if_range = http_header(request, "If-Range");
    int64_t time;
    if (!range || !file->etag[0]) return NULL;
    if (!if_range) return range;
    if (*if_range == '"') return strcmp(if_range, file->etag) == 0 ? range : NULL;
    bool same = http_parse_date(if_range, &time) && time == file->modified;
    return same ? range : NULL;
}

static int add_file_headers(struct http_answer *answer, const struct file *file,
                            struct weir_error *error) {
    char date[HTTP_DATE_SIZE];
    WR_TRY(http_answer_header(answer, "Accept-Ranges", file->etag[0] ? "bytes" : "none", error));
    WR_TRY(http_answer_header(answer, "Cache-Control", "private, no-cache", error));
    if (file->etag[0]) WR_TRY(http_answer_header(answer, "ETag", file->etag, error));
    if (!file->modified) return WEIR_OK;
    http_format_date(file->modified, date);
    return http_answer_header(answer, "Last-Modified", date, error);
}

static int unsatisfiable(struct http_answer *answer, int64_t size, struct weir_error *error) {
    char text[48];
    struct weir_error reason;
    snprintf(text, sizeof text, "bytes */%lld", (long long)size);
    WR_TRY(http_answer_header(answer, "Content-Range", text, error));
    (void)wr_error_set(&reason, WEIR_INVALID_ARGUMENT, "22023",
                       "the file has %lld bytes, and none of the range", (long long)size);
    http_answer_error(answer, 416, &reason);
    return WEIR_OK;
}

static int precondition_failed(struct http_answer *answer) {
    struct weir_error reason;
    (void)wr_error_set(&reason, WEIR_INVALID_STATE, "55000", "the file is of another version");
    http_answer_error(answer, 412, &reason);
    return WEIR_OK;
}

/* Takes over the file always. */
static int send_part(struct http_answer *answer, struct file *file, int64_t first, int64_t length,
                     struct weir_error *error) {
    struct sending *sending = wr_calloc(1, sizeof *sending);
    if (!sending) {
        weir_file_close(file->file);
        return wr_error_memory(error);
    }
    *sending = (struct sending){file->file, first, length};
    answer->body = (struct http_body){read_next, release_sending, sending, length};
    return WEIR_OK;
}

static int answer_file(struct http_request *request, struct file *file, const char *path,
                       bool *ret_sent, struct weir_error *error) {
    struct http_answer *answer = &request->answer;
    int64_t first = 0, length = file->info.n_bytes, size = length;
    char text[80];
    int status = check_conditions(request, file);
    WR_TRY(add_file_headers(answer, file, error));
    if (status == 412) return precondition_failed(answer);
    http_answer_begin(answer, 304, NULL);
    if (status == 304) return WEIR_OK;
    enum http_range range = http_range(wanted_range(request, file), size, &first, &length);
    if (range == HTTP_RANGE_UNSATISFIABLE) return unsatisfiable(answer, size, error);
    http_answer_begin(answer, range == HTTP_RANGE_ONE ? 206 : 200, content_type(&file->info, path));
    if (range == HTTP_RANGE_ONE) {
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)first,
                 (long long)(first + length - 1), (long long)size);
        WR_TRY(http_answer_header(answer, "Content-Range", text, error));
    }
    if (length == 0) return WEIR_OK;
    *ret_sent = true;
    return send_part(answer, file, first, length, error);
}

static int serve_bytes(struct http_request *request, struct weir_node *node,
                       struct weir_error *error) {
    struct file file = {.info.size = sizeof file.info};
    struct weir_node_info node_info = {.size = sizeof node_info};
    bool sent = false;
    weir_node_describe(node, &node_info);
    WR_TRY(weir_file_open(node, NULL, &file.file, error));
    weir_file_describe(file.file, &file.info);
    file.modified = file.info.modified_ns / 1000000000;
    make_etag(&file.info, file.etag);
    int code = answer_file(request, &file, node_info.path, &sent, error);
    if (!sent) weir_file_close(file.file);
    return code;
}

static int serve(struct http_request *request, const char *path, struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_node_info info = {.size = sizeof info};
    WR_TRY(http_check_in_tree(request->session, path, error));
    WR_TRY(weir_node_open(request->session, path, &node, error));
    weir_node_describe(node, &info);
    /* A directory is a table too when files in it are, and is listed all the same. */
    bool is_listed = info.type == WEIR_NODE_DIRECTORY ||
                     (info.type == WEIR_NODE_SERIES && !info.encoding && info.n_bytes < 0);
    int code =
        is_listed ? list_directory(request, node, &info, error) : serve_bytes(request, node, error);
    weir_node_close(node);
    return code;
}

int http_run_files(struct http_request *request, struct weir_error *error) {
    char *path = NULL;
    WR_TRY(http_decode_path(request->path, "/v1/files", &path, error));
    int code = http_begin_work(request, error);
    if (!code) {
        code = serve(request, path, error);
        http_end_work(request);
    }
    wr_free(path);
    return code;
}
