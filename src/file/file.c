/* SPDX-License-Identifier: Apache-2.0 */
/* The file facet of a node. */
#include "file/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"
#include "file/encoding.h"

/* ---- Which bytes ---- */

enum source { LYING, ROWS };

static int refuse_bytes(const struct weir_node *node, const char *encoding,
                        struct weir_error *error) {
    const char *path = node->place.path;
    if (!wr_node_is_table(node)) {
        if (node->is_directory) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                                "\"%s\" is a directory and has no bytes", path);
        }
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, "42809",
            "\"%s\" is a plain file of %lld bytes and no table: it cannot be had as "
            "%s; read its bytes as they are",
            path, (long long)node->found.entry.n_bytes, encoding);
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "\"%s\" is a table and no file: say in which encoding its bytes shall be, "
                        "for example \"%s.parquet\"",
                        path, path);
}

/* `encoding` NULL: as the path asks. */
static int choose(const struct weir_node *node, const char *encoding, enum source *ret_source,
                  const char **ret_encoding, struct weir_error *error) {
    const char *usual = wr_node_encoding(node);
    const char *asked = usual;
    if (encoding) WR_TRY(wr_encoding_check(wr_node_encodings(node), encoding, &asked, error));
    bool same = asked && usual && strcmp(asked, usual) == 0;
    if (wr_node_has_own_bytes(node) && (!encoding || same)) {
        *ret_source = LYING;
    } else if (wr_node_is_table(node) && asked) {
        *ret_source = ROWS;
    } else {
        return refuse_bytes(node, asked, error);
    }
    *ret_encoding = asked;
    return WEIR_OK;
}

/* ---- In the spool ---- */

struct key {
    char text[WR_HASH_TEXT_SIZE + 16]; /* empty: none */
    int64_t max_age_ms;
};

static void hash_encoder(struct wr_hash *hash, const struct wr_encoder *encoder) {
    char number[32];
    snprintf(number, sizeof number, "encoder %d", WR_ENCODER_NUMBER);
    wr_hash_text(hash, encoder->encoding);
    wr_hash_text(hash, number);
    for (size_t i = 0; i < encoder->n_options; i++) {
        wr_hash_text(hash, encoder->options[i].key);
        wr_hash_text(hash, encoder->options[i].value);
    }
}

static struct key key_of(const struct weir_node *node, const struct wr_snapshot *snapshot,
                         const struct wr_encoder *encoder) {
    const struct wr_file_state *files = node->session->workspace->files;
    struct key key = {.max_age_ms = -1};
    struct wr_hash hash;
    char text[WR_HASH_TEXT_SIZE];
    wr_hash_init(&hash);
    hash_encoder(&hash, encoder);
    if (wr_node_is_foreign(node, encoder->encoding)) {
        return key; /* an extension's code is in no version */
    } else if (snapshot->version) {
        wr_hash_text(&hash, "version");
        wr_hash_text(&hash, snapshot->version);
    } else if (wr_file_state_max_age_ms(files) > 0) {
        key.max_age_ms = wr_file_state_max_age_ms(files);
        wr_hash_text(&hash, "path");
        wr_hash_text(&hash, wr_file_state_identity(files));
        wr_hash_text(&hash, node->place.path);
    } else {
        return key;
    }
    wr_hash_finish(&hash, text);
    snprintf(key.text, sizeof key.text, "%s.%s", text, encoder->encoding);
    return key;
}

struct filling {
    struct weir_node *node;
    const struct wr_snapshot *snapshot;
    struct wr_encoder encoder;
    struct wr_activity activity;
};

/* Whether the rows are of the key's version is known at the end only; and a snapshot whose files
 * are gone or others fails in many ways. */
static int fill(void *context, weir_write_fn write, void *sink, struct weir_error *error) {
    struct filling *filling = context;
    const struct wr_snapshot *snapshot = filling->snapshot;
    struct weir_error change = {0};
    int code = wr_encode_snapshot(filling->node, &filling->activity, snapshot, &filling->encoder,
                                  write, sink, error);
    if (code == WEIR_CANCELLED || !snapshot->version) return code;
    int unchanged = wr_check_unchanged(filling->node, snapshot, &change);
    if (unchanged == WEIR_OK || (code && !wr_is_changed(unchanged, &change))) return code;
    if (error) *error = change;
    return unchanged;
}

static bool is_filling_cancelled(void *context) {
    struct filling *filling = context;
    return wr_activity_is_cancelled(&filling->activity);
}

static int set_spooled(struct wr_bytes *file, const struct wr_snapshot *snapshot,
                       const struct key *key, struct weir_error *error) {
    struct stat status;
    if (fstat(file->fd, &status) != 0) {
        return wr_error_errno(error, errno, "cannot look at encoded bytes");
    }
    file->modified_ns = wr_nanoseconds(status.st_mtim);
    /* The hash, without the encoding's name. */
    if (snapshot->version && key->text[0]) {
        snprintf(file->version, sizeof file->version, "%.*s", WR_HASH_TEXT_SIZE - 1, key->text);
    }
    return WEIR_OK;
}

static int open_snapshot(struct weir_node *node, const struct wr_snapshot *snapshot,
                         const char *encoding, struct wr_bytes *file, struct weir_error *error) {
    struct wr_spool *spool = NULL;
    struct filling filling = {
        .node = node, .snapshot = snapshot, .encoder = wr_encoder_of(node->session, encoding)};
    struct wr_spool_fill how = {fill, is_filling_cancelled, &filling};
    struct key key = key_of(node, snapshot, &filling.encoder);
    WR_TRY(wr_file_state_spool(node->session->workspace->files, &spool, error));
    wr_activity_begin(&node->session->activities, &filling.activity);
    int code = wr_spool_get(spool, key.text[0] ? key.text : NULL, key.max_age_ms, &how, &file->fd,
                            &file->n_bytes, NULL, error);
    wr_activity_end(&filling.activity);
    return code ? code : set_spooled(file, snapshot, &key, error);
}

static int open_encoded(struct weir_node *node, const char *encoding, struct wr_bytes *file,
                        struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    struct weir_error why = {0};
    int code = wr_node_snapshot(node, &snapshot, error);
    for (int i = 0; i < WR_ENCODING_ATTEMPTS && code == WEIR_OK; i++) {
        int opened = open_snapshot(node, snapshot, encoding, file, &why);
        wr_snapshot_release(snapshot);
        if (!wr_is_changed(opened, &why) || i + 1 == WR_ENCODING_ATTEMPTS) {
            if (opened && error) *error = why;
            return opened;
        }
        code = wr_node_renew(node, &snapshot, error);
    }
    return code;
}

static int open_rows(struct weir_node *node, const char *encoding, struct wr_bytes *file,
                     struct weir_error *error) {
    bool found = false;
    WR_TRY(wr_open_single(node, encoding, file, &found, error));
    return found ? WEIR_OK : open_encoded(node, encoding, file, error);
}

/* ---- weir.h ---- */

static int open_file(struct weir_node *node, const char *encoding, struct weir_file **ret_file,
                     struct weir_error *error) {
    enum source source = LYING;
    const char *chosen = NULL;
    WR_TRY(choose(node, encoding, &source, &chosen, error));
    struct wr_bytes *file = wr_calloc(1, sizeof *file);
    if (!file) return wr_error_memory(error);
    *file = (struct wr_bytes){.fd = -1, .encoding = chosen};
    int code = source == LYING ? wr_open_lying(node, chosen, file, error)
                               : open_rows(node, chosen, file, error);
    if (code) {
        wr_file_reset(file);
        wr_free(file);
        return code;
    }
    *ret_file = (struct weir_file *)file;
    return WEIR_OK;
}

int weir_file_open(struct weir_node *node, const char *encoding, struct weir_file **ret_file,
                   struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&node->session->activities, NULL, &work);
    int code = open_file(node, encoding, ret_file, error);
    wr_work_end(&work);
    return code;
}

void weir_file_close(struct weir_file *handle) {
    if (!handle) return;
    wr_file_reset((struct wr_bytes *)handle);
    wr_free(handle);
}

void weir_file_describe(const struct weir_file *handle, struct weir_file_info *ret_info) {
    const struct wr_bytes *file = (const struct wr_bytes *)handle;
    struct weir_file_info info = {
        .size = sizeof info,
        .n_bytes = file->n_bytes,
        .modified_ns = file->modified_ns,
        .version = file->version[0] ? file->version : NULL,
        .encoding = file->encoding,
        .is_own = file->is_own,
    };
    wr_give_sized(&info, sizeof info, ret_info, "weir_file_info", NULL);
}

/* A table's own file that is written in its place is not mixed with itself. */
static int check_same(const struct wr_bytes *file, struct weir_error *error) {
    struct stat status;
    if (!file->is_own) return WEIR_OK;
    if (fstat(file->fd, &status) != 0) return wr_error_errno(error, errno, "reading a file");
    if (status.st_size == file->n_bytes && wr_nanoseconds(status.st_mtim) == file->modified_ns) {
        return WEIR_OK;
    }
    return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                        "a file was changed while it was read; open it again");
}

static int read_fd(const struct wr_bytes *file, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error) {
    size_t done = 0;
    while (done < length) {
        ssize_t some = pread(file->fd, (char *)data + done, length - done, offset + (off_t)done);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return wr_error_errno(error, errno, "reading a file");
        if (some == 0) break;
        done += (size_t)some;
    }
    WR_TRY(check_same(file, error));
    *ret_length = done;
    return WEIR_OK;
}

int weir_file_read(struct weir_file *handle, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error) {
    struct wr_bytes *file = (struct wr_bytes *)handle;
    if (offset < 0) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "a file is read from offset %lld; give one from 0", (long long)offset);
    }
    int64_t left = file->n_bytes > offset ? file->n_bytes - offset : 0;
    if (length > (uint64_t)left) length = (size_t)left;
    if (length == 0) {
        *ret_length = 0;
        return WEIR_OK;
    }
    if (!file->reader.release) return read_fd(file, offset, data, length, ret_length, error);
    return file->reader.read_at(&file->reader, offset, data, length, ret_length, error);
}

/* ---- Whether it is there ---- */

static int is_spooled(struct weir_node *node, const char *encoding, int64_t *ret_n_bytes) {
    struct wr_snapshot *snapshot = NULL;
    struct wr_spool *spool = NULL;
    if (wr_node_snapshot(node, &snapshot, NULL) != WEIR_OK) return 0;
    struct wr_encoder encoder = wr_encoder_of(node->session, encoding);
    struct key key = key_of(node, snapshot, &encoder);
    wr_snapshot_release(snapshot);
    return key.text[0] &&
           wr_file_state_spool(node->session->workspace->files, &spool, NULL) == WEIR_OK &&
           wr_spool_has(spool, key.text, key.max_age_ms, ret_n_bytes);
}

int weir_file_is_ready(struct weir_node *node, const char *encoding, int64_t *ret_n_bytes) {
    enum source source = LYING;
    const char *chosen = NULL;
    bool found = false;
    struct wr_bytes file = {.fd = -1};
    if (choose(node, encoding, &source, &chosen, NULL) != WEIR_OK) return 0;
    if (source == LYING) {
        found = wr_open_lying(node, chosen, &file, NULL) == WEIR_OK;
    } else if (wr_open_single(node, chosen, &file, &found, NULL) != WEIR_OK) {
        return 0;
    }
    if (found && ret_n_bytes) *ret_n_bytes = file.n_bytes;
    wr_file_reset(&file);
    return found ? 1 : is_spooled(node, chosen, ret_n_bytes);
}
