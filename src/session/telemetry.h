/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces: each statement is one, with a span of its own and below it one of each request to a
 * store. They are sent to an OpenTelemetry collector, by OTLP over HTTP as JSON.
 *
 * 1. `telemetry.otlp.endpoint` says where to; without it the variables that OpenTelemetry has for
 * that do (telemetry_settings.c). Headers, which may be secrets, stand in the environment alone.
 * 2. Spans wait in memory, up to MOST_WAITING of them, and a thread sends them in batches: nobody
 * else waits for the collector. What has no room, and what it does not take, is dropped and counted
 * (spans_sent and spans_dropped of system.metrics).
 * 3. Statements stand in spans without their literals, and neither messages of errors nor queries
 * of URLs do.
 * 4. wr_telemetry_stop sends what waits, for STOP_MS at most.
 * 5. Everywhere NULL is welcome: nothing is traced. Safe for threads.
 */
#ifndef WR_TELEMETRY_H
#define WR_TELEMETRY_H

#include "config/config.h"
#include "engine/engine.h"
#include "session/audit.h"

struct wr_telemetry;

/* *ret_telemetry stays NULL where nothing says where to send to. */
int wr_telemetry_open(const struct wr_config *config, struct wr_telemetry **ret_telemetry,
                      struct weir_error *error);
/* wr_engine_post. */
typedef int (*wr_post_fn)(struct wr_engine *engine, const struct wr_post *post, int32_t *ret_status,
                          struct weir_error *error);
/* From now on it sends, by this engine. */
void wr_telemetry_start(struct wr_telemetry *telemetry, wr_post_fn post, struct wr_engine *engine);
/* Before the engine is closed. What comes later is dropped. */
void wr_telemetry_stop(struct wr_telemetry *telemetry);
void wr_telemetry_free(struct wr_telemetry *telemetry);

/* For the engine's requests to stores. */
struct wr_tracer wr_telemetry_tracer(struct wr_telemetry *telemetry);
/* A place of WR_TRACE_PLACE bytes in a new trace; zeros where nothing is traced. */
void wr_telemetry_place(struct wr_telemetry *telemetry, unsigned char *ret_place);
/* The span at the place, of a statement that is over. */
void wr_telemetry_statement(struct wr_telemetry *telemetry, const unsigned char *place,
                            int64_t planned_us, const struct wr_audit_record *record);

#endif
