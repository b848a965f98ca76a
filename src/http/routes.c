/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths there are. openapi.json says the same; tests/e2e/test_http.py compares both. */
#include <string.h>

#include "http/internal.h"

static const char *const of_tables[] = {"path", NULL};

static const struct http_route routes[] = {
    {.path = "/", .methods = HTTP_GET, .is_open = true, .is_quick = true, .run = http_run_page},
    {.path = "/health",
     .methods = HTTP_GET,
     .is_open = true,
     .while_draining = true,
     .is_quick = true,
     .run = http_run_health},
    {.path = "/ready",
     .methods = HTTP_GET,
     .is_open = true,
     .while_draining = true,
     .is_quick = true,
     .run = http_run_ready},
    {.path = "/openapi.json",
     .methods = HTTP_GET,
     .is_open = true,
     .is_quick = true,
     .run = http_run_openapi},
    {.path = "/metrics", .methods = HTTP_GET, .while_draining = true, .run = http_run_metrics},
    {.path = "/v1/sql", .methods = HTTP_POST, .run = http_run_sql},
    {.path = "/v1/queries", .has_rest = true, .methods = HTTP_DELETE, .run = http_run_cancel},
    {.path = "/v1/tables", .methods = HTTP_GET, .parameters = of_tables, .run = http_run_tables},
    {.path = "/v1/tables", .has_rest = true, .methods = HTTP_GET, .run = http_run_table},
    {.path = "/v1/files", .has_rest = true, .methods = HTTP_GET, .run = http_run_files},
};

const struct http_route *http_find_route(const char *path) {
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t length = strlen(routes[i].path);
        if (strncmp(path, routes[i].path, length) != 0) continue;
        if (path[length] == '\0' || (routes[i].has_rest && path[length] == '/')) return &routes[i];
    }
    return NULL;
}
