/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WR_CLI_PASSWORD_H
#define WR_CLI_PASSWORD_H

#include <stdio.h>

#include "weir.h"

enum { MOST_PASSWORD = 1024 };

/* One line without its end. */
int password_read_line(FILE *file, char *line, size_t size, struct weir_error *error);
/* Asks at a terminal without showing what is typed. */
int password_ask(FILE *terminal, const char *prompt, char *line, size_t size,
                 struct weir_error *error);

#endif
