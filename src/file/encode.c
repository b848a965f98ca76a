/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "base/metrics.h"
#include "file/file.h"

struct wr_encoder wr_encoder_of(const struct weir_session *session, const char *encoding) {
    const struct wr_file_state *files = session->workspace->files;
    struct wr_encoder encoder = {.encoding = encoding};
    if (strcmp(encoding, "parquet") == 0) {
        encoder.options[encoder.n_options++] =
            (struct weir_option){"compression", wr_file_state_parquet_compression(files)};
    }
    return encoder;
}

/* An extension's encoding; NULL: it is the engine's. */
static const struct weir_encoding *foreign(const struct weir_node *node, const char *encoding) {
    const struct wr_encodings *encodings = wr_node_encodings(node);
    return wr_encodings_at(encodings, wr_encodings_find(encodings, encoding, strlen(encoding)));
}

bool wr_node_is_foreign(const struct weir_node *node, const char *encoding) {
    return foreign(node, encoding) != NULL;
}

static int encode_by(const struct weir_encoding *encoding, struct ArrowArrayStream *rows,
                     weir_write_fn write, void *sink, struct weir_error *error) {
    struct weir_error reason = {0};
    if (!encoding->write) {
        wr_arrow_release_stream(rows);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "the encoding %s is read only: it has no `write`", encoding->name);
    }
    int code = encoding->write(encoding->private_data, rows, NULL, 0, write, sink, &reason);
    wr_arrow_release_stream(rows);
    if (code == WEIR_OK) return code;
    reason.message[sizeof reason.message - 1] = '\0';
    if (!*reason.message) wr_error_set(&reason, code, NULL, "it gave no reason");
    if (error) *error = reason;
    return wr_error_prefix(error, code, "encoding %s", encoding->name);
}

static int run_and_encode(const struct weir_node *node, struct wr_activity *activity,
                          const struct wr_snapshot *snapshot, const struct wr_encoder *encoder,
                          weir_write_fn write, void *sink, struct weir_error *error) {
    const struct weir_encoding *own = foreign(node, encoder->encoding);
    struct ArrowArrayStream rows = {0};
    /* Counted before it runs, so that an encoding of the metrics counts itself, always. */
    wr_metric_add(WR_METRIC_ENCODINGS, 1);
    WR_TRY(wr_activity_run(activity, snapshot->plan, &rows, error));
    int code = own ? encode_by(own, &rows, write, sink, error)
                   : wr_stream_encode(&rows, encoder->encoding, encoder->options,
                                      encoder->n_options, write, sink, error);
    wr_activity_finish(activity);
    return code;
}

int wr_encode_snapshot(const struct weir_node *node, struct wr_activity *activity,
                       const struct wr_snapshot *snapshot, const struct wr_encoder *encoder,
                       weir_write_fn write, void *sink, struct weir_error *error) {
    int code = run_and_encode(node, activity, snapshot, encoder, write, sink, error);
    if (code == WEIR_OK) return code;
    /* Whatever a cancelled run made of it. */
    if (wr_activity_is_cancelled(activity)) return wr_activity_check(activity, error);
    return wr_error_prefix(error, code, "\"%s\" as %s", node->place.path, encoder->encoding);
}

static const char changed_state[] = "40001";

int wr_check_unchanged(struct weir_node *node, const struct wr_snapshot *snapshot,
                       struct weir_error *error) {
    struct wr_snapshot *now = NULL;
    WR_TRY(wr_node_renew(node, &now, error));
    bool same = (!now->version && !snapshot->version) ||
                (now->version && snapshot->version && strcmp(now->version, snapshot->version) == 0);
    wr_snapshot_release(now);
    if (same) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, changed_state,
                        "\"%s\" changed while it was encoded, again and again; try it when nothing "
                        "is written to its inputs",
                        node->place.path);
}

bool wr_is_changed(int code, const struct weir_error *error) {
    return code == WEIR_INVALID_STATE && strcmp(error->sqlstate, changed_state) == 0;
}
