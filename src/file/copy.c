/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "file/change.h"
#include "file/encoding.h"

/* So many that objects of a store come in several pieces at the same time. */
enum { COPY_BYTES = 32 << 20 };

/* ---- Targets ---- */

void wr_target_reset(struct wr_target *target) {
    wr_mount_release(target->mount);
    wr_free(target->within);
    wr_free(target->path);
    *target = (struct wr_target){0};
}

static int refuse_place(const struct wr_place *place, struct weir_error *error) {
    if (place->type == WR_PLACE_TOP) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            "\"/\" is the top of the tree: ATTACH puts a directory there");
    }
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "\"%s\" is in a catalog, where tables are made by CREATE TABLE or CREATE "
                        "VIEW, not by copying files",
                        place->path);
}

static int join(const char *before, const char *after, char **ret_text, struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, SIZE_MAX - 1);
    wr_buffer_text(&text, before);
    if (text.length > 0 && text.data[text.length - 1] != '/') wr_buffer_char(&text, '/');
    wr_buffer_text(&text, after);
    *ret_text = wr_buffer_take(&text);
    return *ret_text ? WEIR_OK : wr_error_memory(error);
}

/* What lies there under exactly that name: 0 or an enum weir_entry_type. */
static int look(const struct wr_target *target, int32_t *ret_type, struct weir_error *error) {
    struct weir_found found = {0};
    int code = wr_mount_find(target->mount, target->within, &found, error);
    if (code == WEIR_NOT_FOUND) {
        *ret_type = target->within[0] ? 0 : WEIR_ENTRY_DIRECTORY;
        return WEIR_OK;
    }
    /* That several tables could be meant is no matter: their names are longer. */
    if (code == WEIR_INVALID_ARGUMENT && error && strcmp(error->sqlstate, "42P09") == 0) {
        *ret_type = 0;
        return WEIR_OK;
    }
    WR_TRY(code);
    bool there = found.is_exact && found.entry.type != WEIR_ENTRY_TABLE;
    *ret_type = there ? found.entry.type : 0;
    wr_found_reset(&found);
    return WEIR_OK;
}

static int go_into(struct wr_target *target, const char *name, struct weir_error *error) {
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    char *within = NULL;
    char *path = NULL;
    int code = join(target->within, last, &within, error);
    if (code == WEIR_OK) code = join(target->path, last, &path, error);
    if (code) {
        wr_free(within);
        return code;
    }
    wr_free(target->within);
    wr_free(target->path);
    target->within = within;
    target->path = path;
    return WEIR_OK;
}

static int settle(struct wr_target *target, bool into, const char *name, struct weir_error *error) {
    struct weir_error why = {0};
    int32_t type = 0;
    int code = look(target, &type, &why);
    if (code == WEIR_OK && type == WEIR_ENTRY_DIRECTORY) {
        WR_TRY(go_into(target, name, error));
        code = look(target, &type, &why);
    } else if (code == WEIR_OK && into) {
        return wr_error_set(
            error, WEIR_NOT_FOUND, "58P01",
            "there is no directory \"%s\"; make it first, or leave out the slash at "
            "the end",
            target->path);
    }
    if (code) {
        if (error) *error = why;
        return code;
    }
    target->is_occupied = type != 0;
    return WEIR_OK;
}

/* What is there already must be the writer's to remove. */
static int may_write(struct weir_session *session, const struct wr_target *target,
                     struct weir_error *error) {
    const struct wr_place place = {.type = WR_PLACE_MOUNT,
                                   .path = target->path,
                                   .mount = target->mount,
                                   .within = target->within};
    WR_TRY(wr_policy_place(session, &place, WR_MAY_CREATE, error));
    return target->is_occupied ? wr_policy_place(session, &place, WR_MAY_DROP, error) : WEIR_OK;
}

int wr_target_open(struct weir_session *session, const char *to, const char *name,
                   struct wr_target *ret_target, struct weir_error *error) {
    struct wr_place place = {0};
    WR_TRY(wr_session_locate(session, to, &place, error));
    if (place.type != WR_PLACE_MOUNT) {
        int code = refuse_place(&place, error);
        wr_place_reset(&place);
        return code;
    }
    bool outside = wr_mount_is_outside(place.mount);
    /* A directory may be meant, into which it goes: what is asked for then is asked below. */
    int may = wr_policy_place(session, &place, outside ? WR_MAY_CREATE : 0, error);
    if (may) {
        wr_place_reset(&place);
        return may;
    }
    struct wr_target target = {place.mount, place.within, place.path, false};
    place.mount = NULL;
    place.within = place.path = NULL;
    wr_place_reset(&place);
    size_t length = strlen(to);
    int code = settle(&target, length > 0 && to[length - 1] == '/', name, error);
    if (code == WEIR_OK) code = may_write(session, &target, error);
    if (code) {
        wr_target_reset(&target);
        return code;
    }
    *ret_target = target;
    return WEIR_OK;
}

int wr_node_own_name(const struct weir_node *node, char **ret_name, struct weir_error *error) {
    bool own = wr_node_has_own_bytes(node);
    bool complete = own || node->by_stem || node->place.encoding || node->is_directory;
    const char *encoding = wr_node_encoding(node);
    struct wr_buffer name;
    wr_buffer_init(&name, SIZE_MAX - 1);
    wr_buffer_text(&name, own ? node->found.path : node->place.path);
    if (!complete) wr_buffer_format(&name, ".%s", encoding ? encoding : "parquet");
    *ret_name = wr_buffer_take(&name);
    return *ret_name ? WEIR_OK : wr_error_memory(error);
}

/* ---- Bytes or rows ---- */

/* A name that promises packed bytes, which nothing here makes. */
static bool is_packed(const char *path) {
    static const char *const extensions[] = {"gz", "zst", "bz2", "xz"};
    const char *extension = wr_path_extension(path);
    for (size_t i = 0; extension && i < sizeof extensions / sizeof *extensions; i++) {
        if (strcasecmp(extension, extensions[i]) == 0) return true;
    }
    return false;
}

static bool same_extension(const char *a, const char *b) {
    const char *x = wr_path_extension(a);
    const char *y = wr_path_extension(b);
    return x && y && strcasecmp(x, y) == 0;
}

/* *ret_encoding is NULL when the node's bytes are copied as they are. */
static int choose(const struct weir_node *node, const struct wr_target *target,
                  const char **ret_encoding, struct weir_error *error) {
    const char *path = node->place.path;
    const char *wanted = wr_encoding_of_path(wr_node_encodings(node), target->within, NULL);
    bool file = wr_node_has_own_bytes(node);
    if (is_packed(target->within) && !(file && same_extension(node->found.path, target->within))) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\" would be compressed, which copying does not do; COPY ... TO "
                            "writes compressed files",
                            target->path);
    }
    if (file && (!wanted || (node->encoding && strcmp(wanted, node->encoding) == 0))) {
        *ret_encoding = NULL;
        return WEIR_OK;
    }
    if (!wr_node_is_table(node)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            file
                                ? "\"%s\" is a plain file and no table: it cannot be written as "
                                  "%s; copy it to a name without that extension"
                                : "\"%s\" is a directory, which is not copied to \"%s\"; copy what "
                                  "is in it",
                            path, file ? wanted : target->path);
    }
    *ret_encoding = wanted ? wanted : wr_node_encoding(node);
    if (*ret_encoding) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "\"%s\" is a table: give \"%s\" the extension of the encoding to write it "
                        "in, for example .parquet",
                        path, target->path);
}

/* ---- Writing ---- */

struct sink {
    struct weir_writer *writer;
    struct weir_error error; /* of the writer */
};

static int write_encoded(void *context, const void *data, size_t length) {
    struct sink *sink = context;
    int code = sink->writer->write(sink->writer, data, length, &sink->error);
    if (code == WEIR_OK) return 0;
    return sink->error.vendor_code > 0 ? sink->error.vendor_code : 5; /* EIO */
}

static int write_rows(struct weir_node *node, const char *encoding, struct weir_writer *writer,
                      struct wr_activity *activity, struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    struct sink sink = {.writer = writer};
    struct wr_encoder encoder = wr_encoder_of(node->session, encoding);
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    int code = wr_encode_snapshot(node, activity, snapshot, &encoder, write_encoded, &sink, error);
    wr_snapshot_release(snapshot);
    if (code && code != WEIR_CANCELLED && sink.error.code) {
        if (error) *error = sink.error;
        code = sink.error.code;
    }
    return code;
}

static int write_bytes(const struct weir_node *node, struct weir_writer *writer,
                       struct wr_activity *activity, struct weir_error *error) {
    struct wr_bytes file = {.fd = -1};
    char *data = wr_malloc(COPY_BYTES);
    if (!data) return wr_error_memory(error);
    int code = wr_open_lying(node, node->encoding, &file, error);
    for (int64_t offset = 0; code == WEIR_OK && offset < file.n_bytes;) {
        size_t length = 0;
        code = wr_activity_check(activity, error);
        if (code == WEIR_OK) {
            code = file.reader.read_at(&file.reader, offset, data, COPY_BYTES, &length, error);
        }
        if (code == WEIR_OK && length == 0) {
            code = wr_error_set(error, WEIR_INVALID_STATE, NULL,
                                "\"%s\" became shorter while it was copied", node->place.path);
        }
        if (code == WEIR_OK) code = writer->write(writer, data, length, error);
        offset += (int64_t)length;
    }
    wr_file_reset(&file);
    wr_free(data);
    return code;
}

static bool is_same(const struct weir_node *node, const struct wr_target *target) {
    return wr_node_is_file(node) &&
           wr_mount_data(node->place.mount) == wr_mount_data(target->mount) &&
           strcmp(node->found.path, target->within) == 0;
}

/* ---- Tables ---- */

static int create_table(struct weir_node *node, const struct wr_name *name, bool overwrite,
                        struct weir_error *error) {
    struct weir_workspace *workspace = node->session->workspace;
    const struct weir_table_kind *kind = wr_registry_role(workspace->registry, WEIR_ROLE_TABLE);
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema columns = {0};
    if (!kind) return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "no kind makes tables");
    WR_TRY(weir_node_rows(node, &rows, error));
    int code = wr_arrow_stream_schema(&rows, node->place.path, &columns, error);
    if (code == WEIR_OK) {
        struct weir_definition definition = {
            .size = sizeof definition,
            .catalog = name->catalog,
            .schema = name->schema,
            .name = name->name,
            .kind = kind->name,
            .columns = &columns,
        };
        code =
            wr_names_create_table(workspace->names, &definition,
                                  overwrite ? WR_CREATE_OR_REPLACE : 0, &rows, NULL, NULL, error);
    }
    wr_arrow_release_schema(&columns);
    wr_arrow_release_stream(&rows);
    return code;
}

/* Into a mount that makes tables: a table of the node's rows, whose name is without the encoding's
 * extension that a file has. */
static int copy_table(struct weir_node *node, const struct wr_target *target, bool overwrite,
                      struct weir_error *error) {
    const char *mount = wr_mount_name(target->mount);
    size_t length = strlen(target->within);
    if (!wr_node_is_table(node)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            "\"%s\" is no table, and \"%s\" is in a mount of tables",
                            node->place.path, target->path);
    }
    wr_encoding_of_path(wr_node_encodings(node), target->within, &length);
    char *within = wr_strndup(target->within, length);
    if (!within) return wr_error_memory(error);
    char *slash = strrchr(within, '/');
    if (slash) *slash = '\0';
    const struct wr_name name = {mount,
                                 slash ? within : wr_mount_kind(target->mount)->default_schema,
                                 slash ? slash + 1 : within};
    int code = create_table(node, &name, overwrite, error);
    wr_free(within);
    return code;
}

int wr_copy_node(struct weir_node *node, const struct wr_target *target, bool overwrite,
                 struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(target->mount);
    const char *encoding = NULL;
    if (is_same(node, target)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" would be copied onto itself", target->path);
    }
    if (kind->create_table && !kind->write) return copy_table(node, target, overwrite, error);
    WR_TRY(choose(node, target, &encoding, error));
    if (!kind->write) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "25006",
                            "\"%s\" cannot be written: mounts of kind %s are read only",
                            target->path, kind->name);
    }
    struct weir_writer writer = {0};
    struct wr_activity activity;
    WR_TRY(kind->write(wr_mount_data(target->mount), target->within, overwrite, &writer, error));
    wr_activity_begin(&node->session->activities, &activity);
    int code = encoding ? write_rows(node, encoding, &writer, &activity, error)
                        : write_bytes(node, &writer, &activity, error);
    if (code == WEIR_OK) code = wr_activity_check(&activity, error);
    wr_activity_end(&activity);
    if (code == WEIR_OK) code = writer.commit(&writer, error);
    writer.release(&writer);
    return code;
}

static int copy_path(struct weir_session *session, const char *from, const char *to, int overwrite,
                     struct weir_error *error) {
    struct weir_node *node = NULL;
    struct wr_target target = {0};
    char *name = NULL;
    WR_TRY(weir_node_open(session, from, &node, error));
    int code = wr_node_own_name(node, &name, error);
    if (code == WEIR_OK) code = wr_target_open(session, to, name, &target, error);
    if (code == WEIR_OK) code = wr_copy_node(node, &target, overwrite, error);
    wr_target_reset(&target);
    wr_free(name);
    weir_node_close(node);
    return code;
}

int weir_copy(struct weir_session *session, const char *from, const char *to, int overwrite,
              struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&session->activities, NULL, &work);
    int code = copy_path(session, from, to, overwrite, error);
    wr_work_end(&work);
    return code;
}
