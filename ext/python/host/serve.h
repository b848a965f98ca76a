/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WP_SERVE_H
#define WP_SERVE_H

#include "host/host.h"

/* Answers requests until the socket ends, and ends the process. Called without the GIL. */
int wp_serve(int socket, const char *directory);

#endif
