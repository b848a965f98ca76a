/* SPDX-License-Identifier: Apache-2.0 */
/*
 * python.so: the extension that weir loads. It holds the kinds, which need no Python, and gets
 * an interpreter into the process when the first table asks for one.
 */
#ifndef WP_LOADER_H
#define WP_LOADER_H

#include "common/common.h"

struct wp_workspace;

/* ---- The interpreter (interpreter.c) ---- */

/*
 * The runtime of this process, made once: in the interpreter that is there, or in one of its own,
 * whose library is that of `python` (NULL: WEIR_PYTHON, the virtual environment, python3 on PATH).
 */
int wp_interpreter(const char *python, const struct wp_runtime **ret_runtime,
                   struct weir_error *error);
/* The directory of python.so, where weir_python_host.so and _weir_python are. */
const char *wp_directory(void);
/* Which python to run for `python` as above; from malloc. */
char *wp_python_program(const char *python);

/* ---- Kinds (kind.c) ---- */

int wp_kinds_register(const struct weir_host *host, const char *python,
                      struct wp_workspace **ret_workspace, struct weir_error *error);
void wp_workspace_close(void *workspace);

#endif
