/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP door, on libmicrohttpd: a workspace's SQL, tables and files by URL, and a page. */
#ifndef WR_HTTP_H
#define WR_HTTP_H

#include <stdbool.h>

#include "weir.h"

struct wr_http;

/* Opens it as the workspace's configuration says (http.*, tls.*). `listen` (may be NULL) wins over
 * http.listen. */
int wr_http_open(struct weir_workspace *workspace, const char *listen, struct wr_http **ret_door,
                 struct weir_error *error);
const char *wr_http_address(const struct wr_http *door); /* "127.0.0.1:8080" */
bool wr_http_has_tls(const struct wr_http *door);
int wr_http_reload(struct wr_http *door, struct weir_error *error); /* certificates */
/* /ready answers 503 from now on; no new requests; waits for running ones up to so long. */
void wr_http_drain(struct wr_http *door, int64_t deadline_ms);
void wr_http_close(struct wr_http *door);

#endif
