/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

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

static int run_and_encode(struct wr_activity *activity, const struct wr_snapshot *snapshot,
                          const struct wr_encoder *encoder, weir_write_fn write, void *sink,
                          struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    /* Counted before it runs, so that an encoding of the metrics counts itself, always. */
    wr_metric_add(WR_METRIC_ENCODINGS, 1);
    WR_TRY(wr_activity_run(activity, snapshot->plan, &rows, error));
    int code = wr_stream_encode(&rows, encoder->encoding, encoder->options, encoder->n_options,
                                write, sink, error);
    wr_activity_finish(activity);
    return code;
}

int wr_encode_snapshot(const struct weir_node *node, struct wr_activity *activity,
                       const struct wr_snapshot *snapshot, const struct wr_encoder *encoder,
                       weir_write_fn write, void *sink, struct weir_error *error) {
    int code = run_and_encode(activity, snapshot, encoder, write, sink, error);
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
