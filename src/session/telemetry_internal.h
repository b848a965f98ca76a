/* SPDX-License-Identifier: Apache-2.0 */
/* What the files behind telemetry.h share. */
#ifndef WR_TELEMETRY_INTERNAL_H
#define WR_TELEMETRY_INTERNAL_H

#include "base/buffer.h"
#include "session/telemetry.h"

/* ---- Where to (telemetry_settings.c) ---- */

struct wr_telemetry_settings {
    char *url; /* NULL: nowhere */
    struct weir_option *headers;
    size_t n_headers;
    int64_t timeout_ms;
    char *head; /* of a body, up to its spans */
};

int wr_telemetry_settings_read(const struct wr_config *config,
                               struct wr_telemetry_settings *ret_settings,
                               struct weir_error *error);
void wr_telemetry_settings_reset(struct wr_telemetry_settings *settings);

/* ---- Spans as JSON (telemetry_span.c) ---- */

/* What ends a body that began with the head. */
#define WR_TELEMETRY_TAIL "]}]}]}"

void wr_telemetry_write_attribute(struct wr_buffer *json, const char *key, const char *text,
                                  int64_t number, const char *separator);
/* A request. Its own id is made here. */
void wr_telemetry_write_request(struct wr_buffer *json, const struct wr_span *span);
void wr_telemetry_write_statement(struct wr_buffer *json, const unsigned char *place,
                                  int64_t planned_us, const struct wr_audit_record *record);
/* Random bytes, not all of them zero. */
void wr_telemetry_random(unsigned char *ret_bytes, size_t n);

#endif
